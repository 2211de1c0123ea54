# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the editors of configuration files share. Pure. Runs on the controller.

This is a private util of the collection; it may change at any time.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class ConfigFileError(Exception):
    """The file cannot be edited. ``str()`` names the key or the line, never a value."""


@dataclass(frozen=True)
class Change:
    """One key whose value differs. ``before`` is None when the key was not there."""

    key: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Edit:
    """The new text of a file, and the old values of all keys that were asked for (None where there was none)."""

    text: str
    changes: list[Change]
    previous: dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """A key's place in a text: ``text[start:end]`` is its value as written, ``value`` what that means.

    ``value`` is None when the key stands alone. ``lead`` must precede a new value then.
    """

    start: int
    end: int
    value: str | None
    lead: str = ""


def scalar(key: str, value: Any) -> str:
    """Return the text of a value for a format that knows strings only."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise ConfigFileError(f"key {key}: the value must be a string, a number or a boolean")


def newline(text: str) -> str:
    """Return the line end of a text."""
    return "\r\n" if "\r\n" in text else "\n"


def splice(text: str, splices: Sequence[tuple[int, int, str]]) -> str:
    """Replace ``text[start:end]`` for each (start, end, new); they must not overlap."""
    pieces: list[str] = []
    position = 0
    for start, end, new in sorted(splices, key=lambda each: each[0]):
        pieces += [text[position:start], new]
        position = end
    return "".join([*pieces, text[position:]])


def resolve(document: Mapping[str, Any], key: str, create: bool) -> tuple[list[str | int], list[str]]:
    """Find a dotted key in nested mappings and lists.

    Returns the path of what is there, and the names that are missing below it (empty unless ``create``). A name in the
    file may contain dots itself: in each mapping, the longest one that fits is taken.

    :raises ConfigFileError: when the key is not there and cannot be added.
    """
    parts = key.split(".")
    if not all(parts) and key not in document:
        raise ConfigFileError(f"key {key}: is not a dotted path")
    path: list[str | int] = []
    node: Any = document
    while parts:
        taken = 0
        step: str | int = ""
        if isinstance(node, list):
            if parts[0].isascii() and parts[0].isdigit() and int(parts[0]) < len(node):
                taken, step = 1, int(parts[0])
        elif isinstance(node, Mapping):
            taken = next((length for length in range(len(parts), 0, -1) if ".".join(parts[:length]) in node), 0)
            step = ".".join(parts[:taken])
        else:
            raise ConfigFileError(f"key {key}: {'.'.join(str(each) for each in path)} has no keys of its own")
        if not taken:
            break
        path.append(step)
        node = node[step]
        parts = parts[taken:]
    if parts and not (create and isinstance(node, Mapping)):
        raise ConfigFileError(f"key {key}: is not in the file")
    return path, parts


def walk(document: Any, path: Sequence[str | int]) -> Any:
    """Return what is at a path that :func:`resolve` returned."""
    for step in path:
        document = document[step]
    return document


def nest(names: Sequence[str], value: Any) -> Any:
    """Wrap a value into one mapping for each name, the first one outermost."""
    for name in reversed(names):
        value = {name: value}
    return value


def plain(value: Any) -> Any:
    """Return a value made of plain Python types only."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    return str(value)


def same(one: Any, other: Any) -> bool:
    """Compare values and their types: true is not 1, and "61613" is not 61613."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def keep_layout(original: str, untouched: str, edited: str) -> str:
    """Apply to ``original`` the lines that differ between ``untouched`` and ``edited``.

    Both of these are the library's spelling of the document, before and after the edit: so lines whose layout the
    library does not keep stay as they are in the file.
    """
    own = original.splitlines(keepends=True)
    before = untouched.splitlines(keepends=True)
    after = edited.splitlines(keepends=True)
    # The lines of the file that each line of ``before`` stands for.
    meant: list[list[str]] = [[] for _line in before]
    for tag, start, end, own_start, own_end in difflib.SequenceMatcher(None, before, own, autojunk=False).get_opcodes():
        if end - start == own_end - own_start:
            for index in range(end - start):
                meant[start + index] = [own[own_start + index]]
        elif tag == "insert":
            meant[max(start - 1, 0)] += own[own_start:own_end]
        else:
            meant[start] = own[own_start:own_end]
    result: list[str] = []
    for tag, start, end, new_start, new_end in difflib.SequenceMatcher(
        None, before, after, autojunk=False
    ).get_opcodes():
        if tag == "equal":
            result += [line for lines in meant[start:end] for line in lines]
        else:
            result += after[new_start:new_end]
    return "".join(result)
