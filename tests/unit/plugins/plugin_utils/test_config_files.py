# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import shlex
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._client_files import FORMATS
from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils import _config_yaml
from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_files import (
    HIDDEN,
    Change,
    ConfigFileError,
    edit,
    is_secret,
    mask,
    mask_text,
    secret_values,
    text_diff,
)
from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_lines import edit_properties

URL = "failover:(ssl://b-1:61617,ssl://b-2:61617)?randomize=false&timeout=3000"


def edited(text: str, file_format: str, values: dict[str, Any], create: bool = False) -> str:
    done = edit(text.encode(), file_format, values, create)
    again = edit(done.text.encode(), file_format, values, create)
    assert again.text == done.text, "the second edit changes something"
    assert again.changes == []
    return done.text


# --- properties ------------------------------------------------------------------------------------------------------


def test_properties_keep_everything_else() -> None:
    text = "# orders\n\n! old\n  broker.url = tcp://a:1  \nbroker.user: me\nother key\nlast=x"
    assert edited(text, "properties", {"broker.url": URL, "broker.user": ""}) == (
        f"# orders\n\n! old\n  broker.url = {URL}\nbroker.user: \nother key\nlast=x"
    )


def test_properties_result() -> None:
    done = edit_properties("a=1\nb=2\n", {"b": "x", "a": 1, "c": True}, True)
    assert done.text == "a=1\nb=x\nc=true\n"
    assert done.changes == [Change("b", "2", "x"), Change("c", None, "true")]
    assert done.previous == {"b": "2", "a": "1", "c": None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=1\r\nb=2\r\n", "a=new\r\nb=2\r\n"),
        ("a", "a=new"),
        ("a\n", "a=new\n"),
        ("a=", "a=new"),
        ("a one", "a new"),
        ("a:1\nb", "a:new\nb"),
        ("a=one\\\n   two\nb=2\n", "a=new\nb=2\n"),
        ("a=\\\n   two\nb=2\n", "a=\\\n   new\nb=2\n"),
        ("a=x\\\\\nb=2\n", "a=new\nb=2\n"),
        ("# c \\\na=1\n", "# c \\\na=new\n"),
        ("\\u0061=1\n", "\\u0061=new\n"),
        ("a\\=b=1\na=2", "a\\=b=1\na=new"),
        ("a=1\n# c \\", "a=new\n# c \\"),
        ("a=1\\\\", "a=new"),
        ("\n\n\ta = \t1", "\n\n\ta = \tnew"),
    ],
)
def test_properties_layouts(text: str, expected: str) -> None:
    assert edited(text, "properties", {"a": "new"}) == expected


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("tcp\\://h\\:1", "tcp://h:1"),
        ("a\\tb\\nc\\rd\\fe", "a\tb\nc\rd\fe"),
        ("caf\\u00e9", "café"),
        ("\\uD83D\\uDE00", "😀"),
        ("\\q\\\\", "q\\"),
        ("\\ lead ", " lead "),
    ],
)
def test_properties_values_are_understood(raw: str, value: str) -> None:
    assert edit(f"a={raw}\n".encode(), "properties", {"a": value}, False).changes == []


@pytest.mark.parametrize("value", [" lead", "=x", ":x", "a\\b", "two\nlines", "café 😀", "#x", "!x", "trail ", "\t"])
def test_properties_values_are_escaped(value: str) -> None:
    done = edited("a b\n", "properties", {"a": value})
    assert done.isascii()
    assert edit(done.encode(), "properties", {"a": "other"}, False).previous == {"a": value}


def test_properties_keys_are_escaped() -> None:
    assert edited("x=1", "properties", {"a b=c:d": "v"}, create=True) == "x=1\na\\ b\\=c\\:d=v\n"


@pytest.mark.parametrize(
    ("text", "values", "reason"),
    [
        ("a=1\n", {"b": "x"}, "key b: is not in the file"),
        ("a=1\na=2\n", {"a": "x"}, "key a: is in the file 2 times"),
        ("a=1\n", {"a": None}, "key a: the value must be a string"),
        ("a=1\n", {"a": ["x"]}, "key a: the value must be a string"),
        ("b=\\u12\n", {"a": "x"}, "malformed"),
        ("a=1\\", {"a": "x"}, "last line ends in a backslash"),
        ("a=1\\\n", {"a": "x"}, "last line ends in a backslash"),
        ("a=1\\\\\\\r\n", {"a": "x"}, "last line ends in a backslash"),
    ],
)
def test_properties_refused(text: str, values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigFileError, match=reason):
        edit(text.encode(), "properties", values, False)


TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@settings(deadline=None)
@given(st.dictionaries(TEXT.filter(bool), TEXT))
def test_properties_round_trip(values: dict[str, str]) -> None:
    text = edited("# c\n", "properties", values, create=True)
    assert edit(text.encode(), "properties", dict.fromkeys(values, "?"), False).previous == values


FILLING = st.lists(st.sampled_from(["", "# c \\", "! d", " b : x \\\n  y", "c", "d=\\u0061", "\te=é"]), max_size=4)


@settings(deadline=None)
@given(FILLING, FILLING, st.sampled_from(["\n", "\r\n"]), TEXT)
def test_properties_only_the_value_changes(before: list[str], after: list[str], line_end: str, value: str) -> None:
    head = line_end.join([*before, "  a = "])
    tail = line_end.join(["", *after, ""])
    result = edited(f"{head}old{tail}", "properties", {"a": value})
    assert result.startswith(head)
    assert result.endswith(tail)


# --- env -------------------------------------------------------------------------------------------------------------


def test_env_keeps_everything_else() -> None:
    text = "# c\n; d\n\nexport URL='tcp://a:1'\n  USER_NAME=me\nOTHER=\"x y\"\n"
    assert edited(text, "env", {"URL": URL, "USER_NAME": "app"}) == (
        f"# c\n; d\n\nexport URL='{URL}'\n  USER_NAME=app\nOTHER=\"x y\"\n"
    )


@pytest.mark.parametrize(
    ("value", "spelled"),
    [
        ("", ""),
        ("b-1:61614,b-2:61614", "b-1:61614,b-2:61614"),
        (True, "true"),
        (5, "5"),
        ("a b", "'a b'"),
        ('a"$x`\\', "'a\"$x`\\'"),
        ("it's $5 \"`\\", '"it\'s \\$5 \\"\\`\\\\"'),
        ("é", "'é'"),
    ],
)
def test_env_quotes(value: Any, spelled: str) -> None:
    assert edited("A=old\r\nB=1", "env", {"A": value}) == f"A={spelled}\r\nB=1"
    assert edited("B=1", "env", {"A": value}, create=True) == f"B=1\nA={spelled}\n"


@pytest.mark.parametrize(
    ("raw", "value"),
    [('"a\\"b\\$c\\d"', 'a"b$c\\d'), ("'a\\b'", "a\\b"), ("plain words ", "plain words"), (f"{URL}", URL), ("''", "")],
)
def test_env_values_are_understood(raw: str, value: str) -> None:
    assert edit(f"A={raw}\n".encode(), "env", {"A": value}, False).changes == []


@pytest.mark.parametrize(
    ("text", "values", "reason"),
    [
        ("A=1\n", {"B": "x"}, "key B: is not in the file"),
        ("A=1\nA=2\n", {"A": "x"}, "key A: is in the file 2 times"),
        ("A=1\n", {"a-b": "x"}, "key a-b: is not the name"),
        ("A=1\n", {"A": "x\ny"}, "key A: .* several lines"),
        ("A=1\n", {"A": {}}, "key A: the value must be"),
        ("A=1\noops\n", {"A": "x"}, "line 2 is not NAME=value"),
        ("A='1\n2'\n", {"A": "x"}, "quotes of line 1"),
        ('A="1\n', {"A": "x"}, "quotes of line 1"),
        ("A='1' # c\n", {"A": "x"}, "quotes of line 1"),
        ("B=1\\\nA=2\n", {"A": "x"}, "line 1 is continued"),
    ],
)
def test_env_refused(text: str, values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigFileError, match=reason):
        edit(text.encode(), "env", values, False)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\0")))
def test_env_round_trip(value: str) -> None:
    text = edited("A=1\n", "env", {"A": value})
    assert edit(text.encode(), "env", {"A": "?"}, False).previous == {"A": value}
    if value.isascii() and value.isprintable():
        # A shell reads the same, apart from the dollar and the backquote, which shlex does not know.
        [word] = shlex.split(text)
        assert word.replace("\\$", "$").replace("\\`", "`") == f"A={value}" or "\\" in value


FILLED_ENV = st.lists(st.sampled_from(["", "# c", "; d", "B='x y'", "export C=1 ", 'D="é"']), max_size=4)


@settings(deadline=None)
@given(
    FILLED_ENV,
    FILLED_ENV,
    st.sampled_from(["\n", "\r\n"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\0")),
)
def test_env_only_the_value_changes(before: list[str], after: list[str], line_end: str, value: str) -> None:
    head = line_end.join([*before, "  export A="])
    tail = line_end.join(["", *after, ""])
    result = edited(f"{head}old{tail}", "env", {"A": value})
    assert result.startswith(head)
    assert result.endswith(tail)


# --- yaml ------------------------------------------------------------------------------------------------------------

YAML_TEXT = """\
---
# stock
broker:
    hosts:
      - host: a   # the old one
        port: 61613
    username: ''   # none
    password: "old"
    tls: false
flat.key: x
other: [1,2]   # odd layout
empty:
list:
  - {name: one}
  - {name: two}
long: "%s"
""" % ("word " * 60)


def test_yaml_keeps_everything_else() -> None:
    values = {
        "broker.username": "app",
        "broker.password": "new",
        "broker.tls": True,
        "flat.key": "y",
        "list.1.name": "2",
    }
    expected = (
        YAML_TEXT.replace("username: ''   # none", "username: 'app' # none")
        .replace('"old"', '"new"')
        .replace("tls: false", "tls: true")
        .replace("flat.key: x", 'flat.key: "y"')
        .replace("{name: two}", '{name: "2"}')
    )
    assert edited(YAML_TEXT, "yaml", values) == expected


def test_yaml_with_two_layouts_of_lists_keeps_its_meaning() -> None:
    text = edited("a:\n  - x: 1\nb:\n- x: 1\n", "yaml", {"a.0.x": 2, "b.0.x": 3})
    assert YAML(typ="safe").load(text) == {"a": [{"x": 2}], "b": [{"x": 3}]}


def test_yaml_lists_and_mappings() -> None:
    hosts = [{"host": "b-1", "port": 61614, "tls": True}, {"host": "b-2", "port": 61614, "tls": True}]
    done = edit(YAML_TEXT.encode(), "yaml", {"broker.hosts": hosts}, False)
    assert done.previous == {"broker.hosts": [{"host": "a", "port": 61613}]}
    document = YAML(typ="safe").load(done.text)
    assert document["broker"]["hosts"] == hosts
    assert document["other"] == [1, 2]
    assert "other: [1,2]   # odd layout\n" in done.text
    assert "# stock\n" in done.text


def test_yaml_create() -> None:
    text = edited("a: 1\n", "yaml", {"b.c.d": "x", "a": 1}, create=True)
    assert YAML(typ="safe").load(text) == {"a": 1, "b": {"c": {"d": "x"}}}


def test_yaml_unchanged_is_untouched() -> None:
    assert edited(YAML_TEXT, "yaml", {"broker.username": "", "flat.key": "x"}) == YAML_TEXT


def test_yaml_types_differ() -> None:
    assert edited("port: 61613\n", "yaml", {"port": "61613"}) == 'port: "61613"\n'
    assert edited("on: 1\n", "yaml", {"on": True}) == "on: true\n"


def test_yaml_line_ends() -> None:
    assert edited("a: 1\r\nb: x # c\r\n", "yaml", {"a": 2}) == "a: 2\r\nb: x # c\r\n"


@pytest.mark.parametrize(
    "value", ["yes", "no", "0123", "1e3", "null", "~", "", "a: b", "# x", "it's", 'say "x"', "é\n"]
)
def test_yaml_strings_stay_strings(value: str) -> None:
    for text in ("a: x\n", "a: 'x'\n", 'a: "x"\n', "a:\n"):
        assert YAML(typ="safe").load(edited(text, "yaml", {"a": value})) == {"a": value}


@pytest.mark.parametrize(
    ("text", "values", "reason"),
    [
        ("a: 1\n", {"b": 1}, "key b: is not in the file"),
        ("a: {b: 1}\n", {"a.c": 1}, "key a.c: is not in the file"),
        ("a: [1]\n", {"a.1": 1}, "key a.1: is not in the file"),
        ("a: 1\n", {"a.b": 1}, "key a.b: a has no keys"),
        ("a: 1\n", {"a..b": 1}, "not a dotted path"),
        ("", {"a": 1}, "not a YAML mapping"),
        ("[1]", {"a": 1}, "not a YAML mapping"),
        ("a: 1\n---\nb: 1\n", {"a": 1}, "not one YAML document"),
        ("a: 1\nb: [\n", {"a": 1}, "malformed: .*line"),
        ("a: 1\na: 2\n", {"a": 1}, "malformed"),
        ("password: !!int hunter2\n", {"password": "x"}, "malformed"),
    ],
)
def test_yaml_refused(text: str, values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigFileError, match=reason) as caught:
        edit(text.encode(), "yaml", values, False)
    assert "hunter2" not in str(caught.value)


def test_yaml_names_with_dots() -> None:
    text = "spring:\n  activemq.broker-url: x\n  a: {b: 1}\n"
    assert edited(text, "yaml", {"spring.activemq.broker-url": "y", "spring.a.b": 2}) == text.replace(
        ": x", ': "y"'
    ).replace("1", "2")


def test_yaml_bombs() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(ConfigFileError, match="aliases make up more than"):
        edit("\n".join(lines).encode(), "yaml", {"a0": 1}, False)
    with pytest.raises(ConfigFileError, match="nested too deeply"):
        edit(b"a: " + b"[" * 20_000, "yaml", {"a": 1}, False)


def test_yaml_list_index_is_not_created() -> None:
    with pytest.raises(ConfigFileError, match=r"key a\.1: is not in the file"):
        edit(b"a: [1]\n", "yaml", {"a.1": 1}, True)


def test_yaml_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_config_yaml, "HAS_RUAMEL", False)
    with pytest.raises(ConfigFileError, match=r"ruamel\.yaml on the controller"):
        edit(b"a: 1\n", "yaml", {"a": 2}, False)


@settings(deadline=None, max_examples=60)  # the YAML library is slow
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=30))
def test_yaml_only_the_value_changes(value: str) -> None:
    result = edited(YAML_TEXT, "yaml", {"broker.password": value})
    before, after = YAML_TEXT.split('"old"')
    assert result.startswith(before)
    assert result.endswith(after)
    assert YAML(typ="safe").load(result)["broker"]["password"] == value


SCALARS = st.one_of(st.booleans(), st.integers(-(10**9), 10**9), st.text("abc :#'\"\n-[]{}é", max_size=12))
DOCUMENTS = st.dictionaries(
    st.text("abcxyz", min_size=1, max_size=4),
    st.recursive(
        SCALARS,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.text("ab", max_size=3), inner, max_size=3)
        ),
        max_leaves=6,
    ),
    min_size=1,
    max_size=5,
)


@settings(deadline=None, max_examples=60)  # the YAML library is slow
@given(DOCUMENTS, DOCUMENTS)
def test_yaml_round_trip(document: dict[str, Any], values: dict[str, Any]) -> None:
    text = edited("# top\nfirst:   1\n", "yaml", {**document, **values}, create=True)
    assert YAML(typ="safe").load(text) == {"first": 1, **document, **values}
    assert text.startswith("# top\nfirst:   1\n") or "first" in {**document, **values}


# --- all formats -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file_format", [name for name in FORMATS if name != "template"])
def test_not_utf_8(file_format: str) -> None:
    with pytest.raises(ConfigFileError, match=r"is not UTF-8 \(byte 2\)"):
        edit(b"a=\xe9", file_format, {"a": "x"}, False)


@pytest.mark.parametrize(
    ("key", "value", "secrets", "shown"),
    [
        ("broker.password", "x", [], HIDDEN),
        ("MQ_PASS", "x", [], HIDDEN),
        ("apiToken", ["x"], [], HIDDEN),
        ("broker.password", "", [], ""),
        ("broker.password", None, [], ""),
        ("user", "hunter2", ["hunter2"], HIDDEN),
        ("user", "abc", ["abc"], HIDDEN),
        ("user", "xabcx", ["abc"], "xabcx"),
        ("url", "tcp://h?x=hunter2", ["hunter2"], f"tcp://h?x={HIDDEN}"),
        ("url", "tcp://me:pw@h:1", [], f"tcp://{HIDDEN}@h:1"),
        (
            "url",
            "failover:(tcp://h:1)?jms.password=pw&timeout=3",
            [],
            f"failover:(tcp://h:1)?jms.password={HIDDEN}&timeout=3",
        ),
        ("hosts", [{"host": "a", "password": "pw"}], [], f"[{{host: a, password: {HIDDEN}}}]"),
        ("tls", True, [], "true"),
        ("port", 61613, ["x"], "61613"),
    ],
)
def test_mask(key: str, value: Any, secrets: list[str], shown: str) -> None:
    assert mask(key, value, secrets) == shown
    assert is_secret(key, value, secrets) is (shown == HIDDEN)


@pytest.mark.parametrize(
    ("file_format", "text", "key"),
    [
        ("yaml", "a: 1\n", "a"),
        ("json", '{"a": 1}', "a"),
        ("toml", "a = 1\n", "a"),
        ("ini", "[a]\nb = 1\n", "a.b"),
        ("xml", "<a>1</a>", "/a"),
        ("regexp", "a 1", "a (.)"),
    ],
)
def test_a_byte_order_mark_is_kept(file_format: str, text: str, key: str) -> None:
    assert edited("\ufeff" + text, file_format, {key: 2}) == "\ufeff" + text.replace("1", "2")


@pytest.mark.parametrize(
    ("text", "secrets", "shown"),
    [
        ("a=1\nb=2\n", [], "a=1\nb=2\n"),
        ("a=hunter2\nb=2\n", ["hunter2"], f"a={HIDDEN}\nb=2\n"),
        ("key: |\n  one\n  two\nb=2\n", ["one\n  two"], f"key: |\n  {HIDDEN}\nb=2\n"),
        ("a=abc\nb=xabcx\n", ["abc"], f"a={HIDDEN}\nb=xabcx\n"),
        ('"apiToken": "x", "y": 1\r\nb', [], f'"apiToken {HIDDEN}\r\nb'),
        ("url=tcp://me:pw@h:1\n", [], f"url=tcp://{HIDDEN}@h:1\n"),
        ("password", [], "password"),
        ("a", [""], "a"),
    ],
)
def test_mask_text(text: str, secrets: list[str], shown: str) -> None:
    assert mask_text(text, secrets) == shown


def test_secret_values() -> None:
    values = {
        "password": "p1",
        "user": "me",
        "hosts": [{"host": "a", "token": "t1"}],
        "secrets": ["s1", 5],
        "auth": {"credential": "c1"},
        "usePassword": True,
    }
    assert secret_values(values, ["known"]) == ["known", "p1", "t1", "s1", "5", "c1"]


def test_text_diff() -> None:
    before = "a=1\nsame\nx=former\ny=2\nsame\npassword=former\n"
    after = "a=2\nsame\nx=hunter2\ny=2\nsame\n"
    assert text_diff(before, after, ["hunter2"]) == (
        f"a=1\n{HIDDEN}\npassword {HIDDEN}\n",
        f"a=2\nx={HIDDEN}\n",
    )
