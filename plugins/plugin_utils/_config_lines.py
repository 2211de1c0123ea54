# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Editors of Java properties and environment files. Pure. Runs on the controller.

This is a private util of the collection; it may change at any time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_edit import (
    Change,
    ConfigFileError,
    Edit,
    Entry,
    newline,
    scalar,
    splice,
)


def _edit_lines(
    text: str,
    values: Mapping[str, Any],
    create: bool,
    entries: Mapping[str, Sequence[Entry]],
    escape: Callable[[str, str], str],
    assign: Callable[[str, str], str],
) -> Edit:
    """Set values in a text of ``key = value`` lines.

    ``escape(key, value)`` spells a value, ``assign(key, spelled)`` a new line.
    """
    previous: dict[str, Any] = {}
    changes: list[Change] = []
    splices: list[tuple[int, int, str]] = []
    added = ""
    line_end = newline(text)
    for key, value in values.items():
        wanted = scalar(key, value)
        found = entries.get(key, ())
        if len(found) > 1:
            raise ConfigFileError(f"key {key}: is in the file {len(found)} times")
        previous[key] = found[0].value if found else None
        if found:
            if found[0].value == wanted:
                continue
            splices.append((found[0].start, found[0].end, found[0].lead + escape(key, wanted)))
        elif create:
            added += assign(key, escape(key, wanted)) + line_end
        else:
            raise ConfigFileError(f"key {key}: is not in the file")
        changes.append(Change(key, previous[key], wanted))
    text = splice(text, splices)
    if added and text and not text.endswith("\n"):
        text += line_end
    return Edit(text + added, changes, previous)


# --- Java properties (java.util.Properties.load) ---------------------------------------------------------------------

_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


def edit_properties(text: str, values: Mapping[str, Any], create: bool) -> Edit:
    """Set keys of Java properties."""
    return _edit_lines(
        text,
        values,
        create,
        _properties_entries(text),
        lambda key, value: _properties_escape(value),
        lambda key, spelled: f"{_properties_escape(key, in_key=True)}={spelled}",
    )


_PROPERTIES_SPLIT = re.compile(r"((?:\\[\s\S]|[^\\=: \t\f])*)([ \t\f]*[=:]?[ \t\f]*(?:\\(?:\r\n|\n|\r)[ \t\f]*)*)")


def _properties_entries(text: str) -> dict[str, list[Entry]]:
    entries: dict[str, list[Entry]] = {}
    # A logical line: up to a line end that is not escaped. Comments have no continuation.
    for match in re.finditer(r"([ \t\f]*(?:[#!][^\r\n]*|(?:\\(?:\r\n|[\s\S]|\Z)|[^\\\r\n])*))(?:\r\n|[\r\n]|\Z)", text):
        line = match[1]
        body = line.lstrip(" \t\f")
        if not body or body[0] in "#!":
            continue
        if match.end() == len(text) and re.search(r"(?<!\\)(?:\\\\)*\\[\r\n]*\Z", line):
            raise ConfigFileError("is malformed: the last line ends in a backslash")
        # It matches whatever there is: both groups may be empty.
        split = cast("re.Match[str]", _PROPERTIES_SPLIT.match(body))
        start = match.start() + len(line) - len(body) + split.end()
        end = match.start() + len(line)
        entries.setdefault(_properties_unescape(split[1]), []).append(
            Entry(start, end, _properties_unescape(text[start:end]), lead="" if split[2] else "=")
        )
    return entries


def _properties_unescape(raw: str) -> str:
    def meaning(match: re.Match[str]) -> str:
        if match[1] is not None:
            return ""  # a continued line
        if match[2] is not None:
            return chr(int(match[2], 16))
        return _ESCAPES.get(match[3], match[3])

    if re.search(r"(?<!\\)(?:\\\\)*\\u(?![0-9A-Fa-f]{4})", raw):
        raise ConfigFileError("is malformed: \\u must be followed by four hexadecimal digits")
    plain = re.sub(r"\\(?:((?:\r\n|[\r\n])[ \t\f]*)|u([0-9A-Fa-f]{4})|([\s\S]))", meaning, raw)
    # Two escapes may make up one character outside the basic plane.
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _properties_escape(value: str, in_key: bool = False) -> str:
    spelled = value.replace("\\", "\\\\")
    for letter, character in _ESCAPES.items():
        spelled = spelled.replace(character, f"\\{letter}")
    if in_key:
        spelled = re.sub(r"([=: #!])", r"\\\1", spelled)
    elif spelled.startswith((" ", "=", ":")):
        spelled = "\\" + spelled
    # Escaped, the value reads the same whether the program takes the file for Latin-1 or for UTF-8.
    units = spelled.encode("utf-16-be", "surrogatepass")
    codes = (int.from_bytes(units[index : index + 2], "big") for index in range(0, len(units), 2))
    return "".join(chr(code) if 0x20 <= code < 0x7F else f"\\u{code:04X}" for code in codes)


# --- Environment files (systemd's EnvironmentFile=, also read by a POSIX shell) --------------------------------------

_ENV_LINE = re.compile(r"([ \t]*(?:export[ \t]+)?)([A-Za-z_][A-Za-z0-9_]*)=(.*)\Z", re.DOTALL)
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_ENV_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]*\Z", re.ASCII)
_ENV_DOUBLE = re.compile(r'"((?:\\[\s\S]|[^"\\])*)"[ \t]*\Z')
_ENV_SINGLE = re.compile(r"'([^']*)'[ \t]*\Z")


def edit_env(text: str, values: Mapping[str, Any], create: bool) -> Edit:
    """Set variables of an environment file."""
    for key in values:
        if not _ENV_NAME.match(key):
            raise ConfigFileError(f"key {key}: is not the name of an environment variable")
    return _edit_lines(text, values, create, _env_entries(text), _env_escape, lambda key, spelled: f"{key}={spelled}")


def _env_entries(text: str) -> dict[str, list[Entry]]:
    entries: dict[str, list[Entry]] = {}
    position = 0
    for number, full_line in enumerate(re.findall(r"[^\n]*\n|[^\n]+\Z", text), start=1):
        line = full_line.rstrip("\r\n")
        match = _ENV_LINE.match(line)
        if match is None:
            if line.strip() and line.lstrip()[0] not in "#;":
                raise ConfigFileError(f"is malformed: line {number} is not NAME=value")
        else:
            start = position + match.start(3)
            entries.setdefault(match[2], []).append(
                Entry(start, start + len(match[3]), _env_unescape(match[3], number))
            )
        position += len(full_line)
    return entries


def _env_unescape(raw: str, number: int) -> str:
    if raw.startswith("'"):
        match = _ENV_SINGLE.match(raw)
        if match is None:
            raise ConfigFileError(f"is malformed: the quotes of line {number} do not enclose the value")
        return match[1]
    if raw.startswith('"'):
        match = _ENV_DOUBLE.match(raw)
        if match is None:
            raise ConfigFileError(f"is malformed: the quotes of line {number} do not enclose the value")
        # As in systemd and POSIX: a backslash escapes only these four.
        return re.sub(r'\\(["\\`$])', r"\1", match[1])
    if raw.rstrip().endswith("\\"):
        raise ConfigFileError(f"line {number} is continued on the next one: put the value in quotes")
    return raw.strip()


def _env_escape(key: str, value: str) -> str:
    if re.search(r"[\x00\r\n]", value):
        raise ConfigFileError(f"key {key}: a value of an environment file cannot have several lines")
    if _ENV_PLAIN.match(value):
        return value
    if "'" not in value:
        return f"'{value}'"
    return '"' + re.sub(r'(["\\`$])', r"\\\1", value) + '"'
