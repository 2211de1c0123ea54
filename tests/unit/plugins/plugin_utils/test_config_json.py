# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_edit import Change, ConfigFileError, Edit
from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_files import edit
from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_json import edit_json

URL = "failover:(ssl://b-1:61617,ssl://b-2:61617)?randomize=false&timeout=3000"

TEXT = """\
{
    "broker" : {"url":"tcp://a:1",   "user": "me", "tls": false},
    "Logging": {
        "LogLevel": { "Microsoft.AspNetCore": "Warning" }
    },
    "hosts": [
        {"host": "a", "port": 61613}
    ],
    "number": 1.50e3, "escaped": "\\u00e9",
    "empty": {}
}
"""


def edited(text: str, values: dict[str, Any], create: bool = False) -> str:
    done = edit(text.encode(), "json", values, create)
    again = edit(done.text.encode(), "json", values, create)
    assert again.text == done.text, "the second edit changes something"
    assert again.changes == []
    return done.text


def test_everything_else_is_kept() -> None:
    values = {
        "broker.url": URL,
        "broker.tls": True,
        "Logging.LogLevel.Microsoft.AspNetCore": "é",
        "hosts.0.port": 61614,
    }
    assert edited(TEXT, values) == (
        TEXT.replace("tcp://a:1", URL).replace("false}", "true}").replace("Warning", "é").replace("61613", "61614")
    )


def test_result() -> None:
    assert edit_json('{"a": [1], "b": 2}', {"a.0": 3, "b": 2, "c": {}}, True) == Edit(
        '{"a": [3], "b": 2, "c": {}}',
        [Change("a.0", 1, 3), Change("c", None, {})],
        {"a.0": 1, "b": 2, "c": None},
    )


def test_previous() -> None:
    done = edit(TEXT.encode(), "json", {"broker.url": URL, "escaped": "é", "new": None}, True)
    assert done.previous == {"broker.url": "tcp://a:1", "escaped": "é", "new": None}
    assert [change.key for change in done.changes] == ["broker.url", "new"]


def test_lists_and_mappings_are_laid_out_as_the_file() -> None:
    text = edited(TEXT, {"hosts": [{"host": "b", "tls": True}], "broker": {"url": "x"}, "number": [1]})
    assert text == (
        TEXT.replace('{"url":"tcp://a:1",   "user": "me", "tls": false}', '{"url": "x"}')
        .replace(
            '[\n        {"host": "a", "port": 61613}\n    ]',
            '[\n        {\n            "host": "b",\n            "tls": true\n        }\n    ]',
        )
        .replace("1.50e3", "[\n        1\n    ]")
    )


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("{}", {"a": 1}, '{"a": 1}'),
        ("{}\n", {"a.b": "x"}, '{"a": {"b": "x"}}\n'),
        ('{"a":1}', {"b": [1, {"c": 2}]}, '{"a":1,"b":[1,{"c":2}]}'),
        ('{"a": 1, "b": 2}', {"c": 3}, '{"a": 1, "b": 2, "c": 3}'),
        ('{ "a": 1 }', {"b": 2}, '{ "a": 1, "b": 2 }'),
        ('{\r\n\t"a": 1\r\n}\r\n', {"b.c": 2}, '{\r\n\t"a": 1,\r\n\t"b": {\r\n\t\t"c": 2\r\n\t}\r\n}\r\n'),
        ('{\n  "a": {}\n}', {"a.b": 1}, '{\n  "a": {\n    "b": 1\n  }\n}'),
        ('{\n  "a": {\n\n  }\n}', {"a.b": 1}, '{\n  "a": {\n    "b": 1\n  }\n}'),
        ('{\n  "a": [{"b": 1}]\n}', {"a.0.c": 2}, '{\n  "a": [{"b": 1, "c": 2}]\n}'),
    ],
)
def test_create(text: str, values: dict[str, Any], expected: str) -> None:
    assert edited(text, values, create=True) == expected


def test_the_longest_name_that_fits_is_taken() -> None:
    assert edited('{"a": {"b": 1}, "a.b": 2}', {"a.b": 3}) == '{"a": {"b": 1}, "a.b": 3}'


def test_types_differ() -> None:
    assert edited('{"a": 1}', {"a": "1"}) == '{"a": "1"}'
    assert edited('{"a": 1}', {"a": True}) == '{"a": true}'
    assert edited('{"a": 1}', {"a": None}) == '{"a": null}'


@pytest.mark.parametrize(
    ("text", "values", "reason"),
    [
        ('{"a": 1}', {"b": 1}, "key b: is not in the file"),
        ('{"a": [1]}', {"a.1": 1}, r"key a\.1: is not in the file"),
        ('{"a": 1}', {"a.b": 1}, r"key a\.b: a has no keys of its own"),
        ('{"a": 1}', {"b.": 1}, r"key b\.: is not a dotted path"),
        ("[]", {"a": 1}, "not a JSON object"),
        ("", {"a": 1}, r"not JSON \(line 1\)"),
        ('{\n"a": 1, // c\n}', {"a": 1}, r"not JSON \(line 2\); JSON has no comments"),
        ('{"a": 1,}', {"a": 1}, "no comma after the last"),
        ('{"a": 1, "b": {"c": 1, "c": 2}}', {"a": 1}, "has the key c more than once"),
        ('{"a": NaN}', {"a": 1}, "NaN is not JSON"),
        ('{"a": 1}', {"a": float("inf")}, "key a: JSON has no such number"),
        ('{"a": ' + "9" * 5000 + "}", {"a": 1}, "number that is too long"),
        ("[" * 100_000, {"a": 1}, "nested too deeply"),
        ('{"a": 1}', {"a": "\ud800"}, "UTF-8 cannot hold"),
    ],
)
def test_refused(text: str, values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigFileError, match=reason):
        edit(text.encode(), "json", values, False)


NAMES = st.text('ab.é"\\ \n{}[]:,', max_size=4)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(st.characters(exclude_categories=["Cs"]), max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=8,
)
INDENTS = st.sampled_from([None, 1, 2, 4, "\t"])


@settings(deadline=None)
@given(VALUES, VALUES, VALUES, VALUES, INDENTS)
def test_only_the_value_changes(before: Any, old: Any, new: Any, after: Any, indent: int | str | None) -> None:
    head = f'{{"before": {json.dumps(before, indent=indent)} , "key":  '
    tail = f' ,\r\n"after": {json.dumps(after, indent=indent)} }}'
    result = edited(head + json.dumps(old, indent=indent) + tail, {"key": new})
    assert result.startswith(head)
    assert result.endswith(tail)
    assert json.loads(result) == {"before": before, "key": new, "after": after}


@settings(deadline=None)
@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=4), INDENTS, VALUES)
def test_a_new_key_is_laid_out_as_the_others(document: dict[str, Any], indent: int | str | None, value: Any) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    result = edited(text, {"new.x": value}, create=True)
    assert result == json.dumps({**document, "new": {"x": value}}, indent=indent, ensure_ascii=False)
