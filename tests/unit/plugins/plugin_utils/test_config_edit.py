# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_edit import (
    ConfigFileError,
    keep_layout,
    nest,
    plain,
    resolve,
    same,
    splice,
    walk,
)

DOCUMENT: dict[str, Any] = {"a": {"b.c": 1, "b": {"d": 2}, "list": [{"e": 3}]}, "a.x": 4, "": 5}


@pytest.mark.parametrize(
    ("key", "path", "value"),
    [
        ("a.b.c", ["a", "b.c"], 1),
        ("a.b.d", ["a", "b", "d"], 2),
        ("a.list.0.e", ["a", "list", 0, "e"], 3),
        ("a.x", ["a.x"], 4),
        ("", [""], 5),
    ],
)
def test_resolve(key: str, path: list[str | int], value: Any) -> None:
    assert resolve(DOCUMENT, key, False) == (path, [])
    assert walk(DOCUMENT, path) == value


def test_resolve_what_is_missing() -> None:
    assert resolve(DOCUMENT, "a.b.new.er", True) == (["a", "b"], ["new", "er"])
    assert nest(["er", "est"], 1) == {"er": {"est": 1}}
    assert nest([], 1) == 1


@pytest.mark.parametrize(
    ("key", "create", "reason"),
    [
        ("a.new", False, r"key a\.new: is not in the file"),
        ("a.list.1", True, r"key a\.list\.1: is not in the file"),
        ("a.list.\N{SUPERSCRIPT TWO}", True, "is not in the file"),
        ("a.b.c.d", True, r"key a\.b\.c\.d: a\.b\.c has no keys of its own"),
        ("a..b", True, r"key a\.\.b: is not a dotted path"),
    ],
)
def test_resolve_refuses(key: str, create: bool, reason: str) -> None:
    with pytest.raises(ConfigFileError, match=reason):
        resolve(DOCUMENT, key, create)


def test_splice() -> None:
    assert splice("abcdef", [(4, 5, "5"), (0, 0, "0"), (1, 3, "")]) == "0ad5f"
    assert splice("", []) == ""


def test_keep_layout() -> None:
    assert keep_layout("a:  1\nb:  2\n", "a: 1\nb: 2\n", "a: 1\nb: 3\nc: 4\n") == "a:  1\nb: 3\nc: 4\n"


def test_values_are_compared_with_their_types() -> None:
    assert same({"a": 1, "b": [True]}, {"b": [True], "a": 1})
    assert not same(True, 1)
    assert not same("1", 1)
    assert plain({1: (2, "x")}) == {"1": [2, "x"]}
