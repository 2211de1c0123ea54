# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Editor of JSON files. Pure. Runs on the controller.

This is a private util of the collection; it may change at any time.

The standard library reads JSON and spells values. They are put where the old ones stand in the text, so that nothing
else changes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_edit import (
    Change,
    ConfigFileError,
    Edit,
    nest,
    newline,
    plain,
    resolve,
    same,
    walk,
)

_SPACE = " \t\r\n"
_FIRST_COLON = re.compile(r'\s*"(?:[^"\\]|\\.)*"(\s*:\s*)')
_INDENTATION = re.compile(r"\n([ \t]+)\S")


def edit_json(text: str, values: Mapping[str, Any], create: bool) -> Edit:
    """Set dotted keys, see :func:`resolve`. A value may be a list, a mapping or null."""
    document = _load(text)
    if not isinstance(document, dict):
        raise ConfigFileError("is malformed: not a JSON object")
    previous: dict[str, Any] = {}
    changes: list[Change] = []
    for key, value in values.items():
        wanted = plain(value)
        path, missing = resolve(document, key, create)
        previous[key] = None if missing else walk(document, path)
        if not missing and same(previous[key], wanted):
            continue
        try:
            json.dumps(wanted, allow_nan=False)
        except ValueError:
            raise ConfigFileError(f"key {key}: JSON has no such number") from None
        text = _insert(text, path, missing, wanted) if missing else _replace(text, path, wanted)
        document = _load(text)
        changes.append(Change(key, previous[key], wanted))
    return Edit(text, changes, previous)


def _load(text: str) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) < len(pairs):
            names = [name for name, _value in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise ConfigFileError(f"is malformed: an object has the key {twice} more than once")
        return result

    def refuse(constant: str) -> NoReturn:
        raise ConfigFileError(f"is malformed: {constant} is not JSON")

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise ConfigFileError(
            f"is malformed: not JSON (line {error.lineno}); JSON has no comments and no comma after the last value"
        ) from None
    except RecursionError:
        raise ConfigFileError("is nested too deeply") from None
    except ValueError:
        raise ConfigFileError("is malformed: it has a number that is too long") from None


def _span(text: str, path: Sequence[str | int], position: int = 0) -> tuple[int, int]:
    """Return where the value at ``path`` starts and ends. The text is valid JSON and has the path."""
    decode = json.JSONDecoder().raw_decode

    def skip(position: int) -> int:
        while position < len(text) and text[position] in _SPACE:
            position += 1
        return position

    position = skip(position)
    if not path:
        return position, decode(text, position)[1]
    index = 0
    while True:
        # After the opening bracket, or after a comma.
        position = skip(position + 1)
        name: str | int = index
        if isinstance(path[0], str):
            name, position = decode(text, position)
            position = skip(skip(position) + 1)
        if name == path[0]:
            return _span(text, path[1:], position)
        position = skip(decode(text, position)[1])
        index += 1


def _replace(text: str, path: Sequence[str | int], value: Any) -> str:
    start, end = _span(text, path)
    # A list or a mapping takes several lines where the old one did, or in a file of several lines.
    was_long = text[start] not in "[{" or "\n" in text[start:end]
    return text[:start] + _spell(text, value, _line_indentation(text, start), was_long) + text[end:]


def _insert(text: str, path: Sequence[str | int], names: Sequence[str], value: Any) -> str:
    """Add ``names``, each inside the one before, to the object at ``path``, laid out as its first member."""
    start, end = _span(text, path)
    inner = text[start + 1 : end - 1]
    members = inner.strip(_SPACE)
    colon = _FIRST_COLON.match(inner) or _FIRST_COLON.match(text[text.index("{") + 1 :])
    separator = colon[1] if colon else ": "
    outer = _line_indentation(text, start)
    if members:
        lead = inner[: len(inner) - len(inner.lstrip(_SPACE))]
        indentation = lead.rpartition("\n")[2] if "\n" in lead else outer
        if not lead and separator.endswith(" "):
            lead = " "
        position = start + 1 + len(inner.rstrip(_SPACE))
        before, after = f",{lead}", ""
    else:
        is_long = "\n" in text.strip(_SPACE)
        indentation = outer + _unit(text) if is_long else outer
        before = newline(text) + indentation if is_long else ""
        after = newline(text) + outer if is_long else ""
        position = start + 1
        end_of_space = end - 1
        text = text[:position] + text[end_of_space:]
    member = (
        json.dumps(names[0], ensure_ascii=False) + separator + _spell(text, nest(names[1:], value), indentation, True)
    )
    return text[:position] + before + member + after + text[position:]


def _spell(text: str, value: Any, indentation: str, may_be_long: bool) -> str:
    """Spell a value in the style of the text, for a line with this indentation."""
    if may_be_long and "\n" in text.strip(_SPACE):
        spelled = json.dumps(value, ensure_ascii=False, indent=_unit(text))
        return spelled.replace("\n", newline(text) + indentation)
    colon = _FIRST_COLON.match(text[text.index("{") + 1 :])
    separators = (",", ":") if colon and colon[1] == ":" else (", ", ": ")
    return json.dumps(value, ensure_ascii=False, separators=separators)


def _unit(text: str) -> str:
    """Return by how much the first indented line is indented; two spaces when there is none."""
    match = _INDENTATION.search(text)
    return match[1] if match else "  "


def _line_indentation(text: str, position: int) -> str:
    line = text[text.rfind("\n", 0, position) + 1 :]
    return line[: len(line) - len(line.lstrip(" \t"))]
