# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Editor of TOML files. Pure. Runs on the controller.

This is a private util of the collection; it may change at any time.

tomlkit edits the file; the standard library's reader confirms that nothing but the wanted values changed.
"""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_edit import (
    Change,
    ConfigFileError,
    Edit,
    keep_layout,
    nest,
    plain,
    resolve,
    same,
    walk,
)

try:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError
    from tomlkit.items import AoT, InlineTable, Table

    HAS_TOMLKIT = True
except ImportError:
    HAS_TOMLKIT = False


def edit_toml(text: str, values: Mapping[str, Any], create: bool) -> Edit:
    """Set dotted keys, see :func:`resolve`. A value may be a list or a mapping."""
    if not HAS_TOMLKIT:
        raise ConfigFileError("needs the Python library tomlkit on the controller (pip install tomlkit)")
    expected = _load(text)
    previous: dict[str, Any] = {}
    changes: list[Change] = []
    try:
        document = tomlkit.parse(text)
        untouched = tomlkit.dumps(document)
        for key, value in values.items():
            wanted = plain(value)
            if _has_null(wanted):
                raise ConfigFileError(f"key {key}: TOML has no null")
            path, missing = resolve(expected, key, create)
            previous[key] = None if missing else plain(walk(expected, path))
            if not missing and same(previous[key], wanted):
                continue
            changes.append(Change(key, previous[key], wanted))
            if missing:
                wanted = nest(missing[1:], wanted)
                path = [*path, missing[0]]
            parent = walk(document, path[:-1])
            old = parent.get(path[-1]) if isinstance(parent, Mapping) else parent[path[-1]]
            in_full = isinstance(old, (Table, AoT)) or (len(missing) > 1 and not isinstance(parent, InlineTable))
            parent[path[-1]] = tomlkit.item(wanted) if in_full else _inline(wanted)
            walk(expected, path[:-1])[path[-1]] = copy.deepcopy(wanted)
        if not changes:
            return Edit(text, [], previous)
        edited = tomlkit.dumps(document)
    except (TOMLKitError, ValueError, TypeError, AttributeError, KeyError, IndexError):
        # What the library is not able to edit.
        raise ConfigFileError("has a layout that cannot be edited") from None
    for result in (keep_layout(text, untouched, edited), edited):
        if "\n" not in text.replace("\r\n", ""):
            result = re.sub(r"\r?\n", "\r\n" if "\r\n" in text else "\n", result)
        try:
            if same(plain(_load(result)), plain(expected)):
                return Edit(result, changes, previous)
        except ConfigFileError:
            continue
    raise ConfigFileError("has a layout that cannot be edited")


def _load(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigFileError("is nested too deeply") from None
    except ValueError as error:
        where = re.search(r" \(at (line \d+)", str(error))
        raise ConfigFileError(f"is malformed: not TOML{f' ({where[1]})' if where else ''}") from None


def _has_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_null(item) for item in value.values())
    if isinstance(value, list):
        return any(_has_null(item) for item in value)
    return value is None


def _inline(value: Any) -> Any:
    """Spell a value on one line."""
    if isinstance(value, dict):
        table = tomlkit.inline_table()
        for name, item in value.items():
            table.append(name, _inline(item))
        return table
    if isinstance(value, list):
        array = tomlkit.array()
        for item in value:
            array.append(_inline(item))
        return array
    return tomlkit.item(value)
