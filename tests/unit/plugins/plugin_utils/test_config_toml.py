# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils import _config_toml
from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_files import ConfigFileError, edit

URL = "failover:(ssl://b-1:61617,ssl://b-2:61617)?randomize=false&timeout=3000"

TEXT = """\
# stock
title='x'   # odd
a.b.c = "old"  # dotted
"quoted.key" = 1

[broker]
  url   =   'tcp://a'   # the old one
hosts = [ {host="a", port=1}, # one
  {host="b", port=2} ]
when = 1979-05-27T07:32:00Z

[[list]]
n = 1
[[list]]
n = 2

[broker.tls]
on = true
inline = {a=1,  b = "x"}  # i
multi = \"\"\"
abc\"\"\"
"""


def edited(text: str, values: dict[str, Any], create: bool = False) -> str:
    done = edit(text.encode(), "toml", values, create)
    again = edit(done.text.encode(), "toml", values, create)
    assert again.text == done.text, "the second edit changes something"
    assert again.changes == []
    return done.text


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_everything_else_is_kept(line_end: str) -> None:
    text = TEXT.replace("\n", line_end)
    values = {
        "broker.url": URL,
        "a.b.c": "new",
        "quoted.key": 2,
        "list.1.n": 5,
        "broker.tls.on": False,
        "broker.tls.inline.b": "it's",
        "broker.when": "never",
    }
    assert edited(text, values) == (
        text.replace("'tcp://a'", f'"{URL}"')
        .replace('"old"', '"new"')
        .replace('key" = 1', 'key" = 2')
        .replace("n = 2", "n = 5")
        .replace("on = true", "on = false")
        .replace('b = "x"', 'b = "it\'s"')
        .replace("1979-05-27T07:32:00Z", '"never"')
    )


def test_previous() -> None:
    done = edit(TEXT.encode(), "toml", {"broker.url": URL, "broker.hosts": [], "broker.when": "x", "n": 1}, True)
    assert done.previous == {
        "broker.url": "tcp://a",
        "broker.hosts": [{"host": "a", "port": 1}, {"host": "b", "port": 2}],
        "broker.when": "1979-05-27 07:32:00+00:00",
        "n": None,
    }


def test_lists_and_mappings() -> None:
    hosts = [{"host": "c", "port": 3, "tls": True}]
    text = edited(TEXT, {"broker.hosts": hosts, "broker.tls.inline": {"z": 1}, "list": [{"n": 7}]})
    assert 'hosts = [{host = "c", port = 3, tls = true}]\n' in text
    assert "inline = {z = 1} # i\n" in text or "inline = {z = 1}  # i\n" in text
    assert tomllib.loads(text) == {
        **tomllib.loads(TEXT),
        "list": [{"n": 7}],
        "broker": {
            **tomllib.loads(TEXT)["broker"],
            "hosts": hosts,
            "tls": {"on": True, "inline": {"z": 1}, "multi": "abc"},
        },
    }


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_create(line_end: str) -> None:
    text = TEXT.replace("\n", line_end)
    result = edited(text, {"broker.user": "me", "new.table.key": 1, "broker.tls.inline.c": "z"}, create=True)
    document = tomllib.loads(result)
    assert document["broker"]["user"] == "me"
    assert document["new"] == {"table": {"key": 1}}
    assert document["broker"]["tls"]["inline"]["c"] == "z"
    assert result.count(line_end) == result.count("\n")
    lines = result.splitlines()
    assert [line for line in text.splitlines() if line not in lines] == ['inline = {a=1,  b = "x"}  # i']


def test_create_in_an_empty_file() -> None:
    assert tomllib.loads(edited("", {"a.b": "x", "c": 1}, create=True)) == {"a": {"b": "x"}, "c": 1}


def test_types_differ() -> None:
    assert edited("a = 1\n", {"a": "1"}) == 'a = "1"\n'
    assert edited("a = 1\n", {"a": True}) == "a = true\n"


@pytest.mark.parametrize(
    ("text", "values", "reason"),
    [
        ("a = 1\n", {"b": 1}, "key b: is not in the file"),
        ("a = 1\n", {"a.b": 1}, r"key a\.b: a has no keys of its own"),
        ("a = 1\n", {"a": None}, "key a: TOML has no null"),
        ("a = 1\n", {"a": [{"b": None}]}, "key a: TOML has no null"),
        ("a = 1\nb = hunter2\n", {"a": 1}, r"not TOML \(line 2\)"),
        ("a = 1\na = 2\n", {"a": 1}, "not TOML"),
        ("a = " + "[" * 100_000, {"a": 1}, "nested too deeply"),
    ],
)
def test_refused(text: str, values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigFileError, match=reason) as caught:
        edit(text.encode(), "toml", values, False)
    assert "hunter2" not in str(caught.value)


def test_a_result_that_means_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tomlkit, "dumps", lambda document: "a = 3\n")
    with pytest.raises(ConfigFileError, match="cannot be edited"):
        edit(b"a = 1\n", "toml", {"a": 2}, False)


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_config_toml, "HAS_TOMLKIT", False)
    with pytest.raises(ConfigFileError, match="tomlkit on the controller"):
        edit(b"a = 1\n", "toml", {"a": 2}, False)


NAMES = st.text("ab é\"'.", min_size=1, max_size=3)
VALUES = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-(2**62), 2**62),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
        st.floats(allow_nan=False),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=6,
)


SCALARS = st.one_of(st.booleans(), st.integers(0, 9), st.text("ab \n'\"", max_size=4))


@settings(deadline=None)
@given(st.dictionaries(NAMES, VALUES, max_size=4), SCALARS, VALUES)
def test_round_trip(document: dict[str, Any], old: Any, new: Any) -> None:
    text = tomlkit.dumps({"key": old, **document, "table": {"key": old}})
    result = edited(text, {"key": new, "table.key": new})
    assert tomllib.loads(result) == {**document, "key": new, "table": {"key": new}}


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_only_the_value_changes(value: str) -> None:
    text = TEXT.replace("\n", "\r\n")
    result = edited(text, {"broker.url": value})
    before, after = text.split("'tcp://a'")
    assert result.startswith(before)
    assert result.endswith(after)
    assert tomllib.loads(result)["broker"]["url"] == value
