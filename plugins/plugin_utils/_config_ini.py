# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Editor of INI files, as Python's configparser reads them. Pure. Runs on the controller.

This is a private util of the collection; it may change at any time.

configparser says what a file means, before and after. The text is edited here, because a writer that lays out a changed
line anew loses its spacing and its line end.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_edit import (
    Change,
    ConfigFileError,
    Edit,
    Entry,
    newline,
    scalar,
)

# configparser's reading takes quadratic time for a long line (CPython issue 146333).
_MAX_LINE = 10_000  # characters

_HEADER = re.compile(r"\[(.+)\]")
_SIGN = re.compile(r"\s*[=:]\s*")


@dataclass
class _Section:
    """A section's options by name, and where the next one goes. ``layout`` is the last one's indentation and sign."""

    end: int
    options: dict[str, list[Entry]] = field(default_factory=dict)
    layout: tuple[str, str] | None = None


def edit_ini(text: str, values: Mapping[str, Any], create: bool) -> Edit:
    """Set options. A key is ``section.option``; both may contain dots, and letter case matters."""
    expected = _parse(text)
    previous: dict[str, Any] = {}
    changes: list[Change] = []
    if {name: set(section.options) for name, section in _scan(text).items()} != {
        name: set(options) for name, options in expected.items()
    }:
        raise ConfigFileError("has a layout that cannot be edited")
    for key, value in values.items():
        wanted = scalar(key, value)
        if wanted != wanted.strip() or re.search(r"[\r\n\0]", wanted):
            raise ConfigFileError(f"key {key}: a value of an INI file is one line without space around it")
        sections = _scan(text)
        section, option = _place(key, sections, create)
        entries = sections[section].options.get(option, []) if section in sections else []
        if len(entries) > 1:
            raise ConfigFileError(f"key {key}: is in the file {len(entries)} times")
        previous[key] = expected[section][option] if entries else None
        if entries:
            if previous[key] == wanted:
                continue
            [entry] = entries
            if re.search(r"\n\s*[#;]", text[entry.start : entry.end]):
                raise ConfigFileError(f"key {key}: there are comments inside its value")
            text = text[: entry.start] + entry.lead + wanted + text[entry.end :]
        else:
            text = _insert(text, sections, section, option, wanted)
        expected.setdefault(section, {})[option] = wanted
        changes.append(Change(key, previous[key], wanted))
    if _parse(text) != expected:
        raise ConfigFileError("has a layout that cannot be edited")
    return Edit(text, changes, previous)


class _Parser(configparser.RawConfigParser):
    def optionxform(self, optionstr: str) -> str:
        """Keep the letter case of names."""
        return optionstr


def _parse(text: str) -> dict[str, dict[str, str | None]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > _MAX_LINE:
            raise ConfigFileError(f"line {number} is longer than {_MAX_LINE} characters")
    # DEFAULT is a section like any other here, and one option may be there several times, as in systemd's units.
    parser = _Parser(allow_no_value=True, strict=False, default_section="\0")
    try:
        parser.read_string(text)
    except configparser.MissingSectionHeaderError as error:
        raise ConfigFileError(f"is malformed: line {error.lineno} is in no section") from None
    except configparser.ParsingError as error:
        # A continued line after an option without a value is an error of its own since Python 3.13, with a line only.
        errors: list[tuple[int, str]] = getattr(error, "errors", None) or [(getattr(error, "lineno", 0), "")]
        raise ConfigFileError(f"is malformed: not INI (line {errors[0][0]})") from None
    except AttributeError:
        # The same in older versions.
        raise ConfigFileError("is malformed: not INI") from None
    return {name: dict(parser.items(name)) for name in parser.sections()}


def _scan(text: str) -> dict[str, _Section]:
    """Return where the options are. The text is one that :func:`_parse` reads."""
    sections: dict[str, _Section] = {}
    section = _Section(0)
    option: str | None = None
    level = 0
    position = 0
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        content = line.strip()
        start = position + len(line) - len(line.lstrip())
        position += len(line)
        if not content or content[0] in "#;":
            continue
        indentation = len(line) - len(line.lstrip())
        if option is not None and indentation > level:
            # A continued value.
            entry = section.options[option][-1]
            section.options[option][-1] = replace(entry, end=start + len(content))
            section.end = position
            continue
        level = indentation
        header = _HEADER.match(content)
        if header:
            section = sections.setdefault(header[1], _Section(position))
            section.end = position
            option = None
            continue
        sign = _SIGN.search(content)
        option = content[: sign.start()] if sign else content
        spacing = sign[0] if sign else ""
        value = content[sign.end() :] if sign else ""
        lead = "" if value else _full(spacing)[len(spacing) :]
        begin = start + (sign.end() if sign else len(content))
        section.options.setdefault(option, []).append(Entry(begin, start + len(content), value if sign else None, lead))
        section.layout = (line[:indentation], _full(spacing))
        section.end = position
    return sections


def _full(spacing: str) -> str:
    """Return the sign with the spaces that a value needs: what stands in the file may lack the second one."""
    if not spacing:
        return " = "
    return spacing + " " if spacing[0].isspace() and not spacing[-1].isspace() else spacing


def _place(key: str, sections: Mapping[str, _Section], create: bool) -> tuple[str, str]:
    splits = [(key[: dot.start()], key[dot.end() :]) for dot in re.finditer(r"\.", key)]
    splits = [(section, option) for section, option in splits if section and option]
    if not splits:
        raise ConfigFileError(f"key {key}: is not section.option")
    found = [split for split in splits if split[0] in sections and split[1] in sections[split[0]].options]
    if len(found) > 1:
        raise ConfigFileError(f"key {key}: may stand for several options of the file")
    if found:
        return found[0]
    if not create:
        raise ConfigFileError(f"key {key}: is not in the file")
    # The longest section that is there, or else a new one.
    return next((split for split in reversed(splits) if split[0] in sections), splits[0])


def _insert(text: str, sections: Mapping[str, _Section], name: str, option: str, value: str) -> str:
    line_end = newline(text)
    layouts = [section.layout for section in sections.values() if section.layout]
    indentation, spacing = layouts[0] if layouts else ("", " = ")
    if name in sections:
        position = sections[name].end
        indentation, spacing = sections[name].layout or (indentation, spacing)
        added = ""
    else:
        position = len(text)
        added = f"[{name}]{line_end}"
        if text.strip():
            added = line_end + added
    if position and not text[:position].endswith("\n"):
        added = line_end + added
    return text[:position] + f"{added}{indentation}{option}{spacing}{value}".rstrip(" ") + line_end + text[position:]
