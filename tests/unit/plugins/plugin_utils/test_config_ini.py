# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import configparser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_edit import Change, ConfigFileError, Edit
from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_files import edit
from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_ini import edit_ini

URL = "failover:(ssl://b-1:61617,ssl://b-2:61617)?randomize=false&timeout=3000"

TEXT = """\
# stock
[DEFAULT]
timeout=5

; second
[broker]
url = tcp://a:1 \t
User : me
[broker.tls]
   on   =   true
   ca =
   plain
hosts =
    a:1
    b:2

    c:3
last=%(x)s ; not a comment

[twice]
Environment=A=1
Environment=B=2
[broker]
password=old"""


def edited(text: str, values: dict[str, Any], create: bool = False) -> str:
    done = edit(text.encode(), "ini", values, create)
    again = edit(done.text.encode(), "ini", values, create)
    assert again.text == done.text, "the second edit changes something"
    assert again.changes == []
    return done.text


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_everything_else_is_kept(line_end: str) -> None:
    text = TEXT.replace("\n", line_end)
    values = {
        "broker.url": URL,
        "broker.User": "",
        "broker.password": "100%",
        "broker.tls.on": False,
        "broker.tls.ca": "/ca.pem",
        "broker.tls.plain": 1,
        "DEFAULT.timeout": 6,
    }
    assert edited(text, values) == (
        text.replace("tcp://a:1", URL)
        .replace("User : me", "User : ")
        .replace("=old", "=100%")
        .replace("true", "false")
        .replace("ca =", "ca = /ca.pem")
        .replace("plain", "plain = 1")
        .replace("timeout=5", "timeout=6")
    )


def test_result() -> None:
    assert edit_ini("[a]\nb=1\nc=2\n", {"a.b": 3, "a.c": 2, "a.d": True}, True) == Edit(
        "[a]\nb=3\nc=2\nd=true\n",
        [Change("a.b", "1", "3"), Change("a.d", None, "true")],
        {"a.b": "1", "a.c": "2", "a.d": None},
    )


def test_a_value_of_several_lines_is_replaced() -> None:
    assert edited(TEXT, {"broker.tls.hosts": "d:4"}) == TEXT.replace("\n    a:1\n    b:2\n\n    c:3\n", " d:4\n")


def test_previous() -> None:
    values = {"broker.url": "x", "broker.tls.hosts": "y", "broker.tls.plain": "", "broker.tls.last": "z", "a.b": "w"}
    assert edit(TEXT.encode(), "ini", values, True).previous == {
        "broker.url": "tcp://a:1",
        "broker.tls.hosts": "\na:1\nb:2\n\nc:3",
        "broker.tls.plain": None,
        "broker.tls.last": "%(x)s ; not a comment",
        "a.b": None,
    }


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("", {"a.b": "x", "a.c": ""}, "[a]\nb = x\nc =\n"),
        ("[a]", {"a.b": "x"}, "[a]\nb = x\n"),
        ("[a]\r\nb=1\r\n\r\n# end\r\n", {"a.c": "x"}, "[a]\r\nb=1\r\nc=x\r\n\r\n# end\r\n"),
        ("[a]\n\tb: 1\n[d]\n", {"a.c": "x", "d.e": "y"}, "[a]\n\tb: 1\n\tc: x\n[d]\n\te: y\n"),
        ("[a]\nb =\n  1\n  2\n[d]\n", {"a.c": "x"}, "[a]\nb =\n  1\n  2\nc = x\n[d]\n"),
        ("[a]\nb=1", {"c.d": "x"}, "[a]\nb=1\n\n[c]\nd=x\n"),
        ("[a.b]\nx=1\n", {"a.b.c": 2, "a.c.d": 3}, "[a.b]\nx=1\nc=2\n\n[a]\nc.d=3\n"),
        ("[DEFAULT]\na=1\n", {"DEFAULT.b": 2}, "[DEFAULT]\na=1\nb=2\n"),
    ],
)
def test_create(text: str, values: dict[str, Any], expected: str) -> None:
    assert edited(text, values, create=True) == expected


def test_dots_belong_to_the_section_or_to_the_option() -> None:
    text = "[app:main]\nsqlalchemy.url = x\n[a.b]\nc = 1\n"
    assert edited(text, {"app:main.sqlalchemy.url": "y", "a.b.c": 2}) == text.replace("= x", "= y").replace("1", "2")


@pytest.mark.parametrize(
    ("text", "values", "reason"),
    [
        ("[a]\nb=1\n", {"a.c": 1}, r"key a\.c: is not in the file"),
        ("[a]\nb=1\n", {"a.B": 1}, r"key a\.B: is not in the file"),
        ("[a]\nb=1\n", {"b": 1}, r"key b: is not section\.option"),
        ("[a]\nb=1\n", {".b": 1}, r"key \.b: is not section\.option"),
        ("[a]\nb=1\n", {"a.b": "x\ny"}, r"key a\.b: .* one line"),
        ("[a]\nb=1\n", {"a.b": " x"}, r"key a\.b: .* without space around it"),
        ("[a]\nb=1\n", {"a.b": []}, r"key a\.b: the value must be a string"),
        ("[a]\nb=1\nb=2\n", {"a.b": 1}, r"key a\.b: is in the file 2 times"),
        ("[a]\nb.c=1\n[a.b]\nc=2\n", {"a.b.c": 1}, r"key a\.b\.c: may stand for several options"),
        ("[a]\nb=1\n # c\n  2\n", {"a.b": 1}, r"key a\.b: there are comments inside its value"),
        ("b=hunter2\n", {"a.b": 1}, "line 1 is in no section"),
        ("[a]\n= hunter2\n", {"a.b": 1}, r"not INI \(line 2\)"),
        ("[a]\nb\n  hunter2\n", {"a.b": 1}, "not INI"),
        ("[a]\nb=" + "x" * 10_000, {"a.b": 1}, "line 2 is longer than"),
    ],
)
def test_refused(text: str, values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigFileError, match=reason) as caught:
        edit(text.encode(), "ini", values, False)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("key", ["a.[b]", "a.#b", "a.b=c", "a.b\nc", "a]\n[b.c", "a. b"])
def test_a_name_that_would_be_read_differently_is_not_added(key: str) -> None:
    with pytest.raises(ConfigFileError, match="cannot be edited"):
        edit(b"[x]\ny=1\n", "ini", {key: "v"}, True)


LINES = st.lists(
    st.one_of(
        st.sampled_from(["", "# c", "  ; d", "[other]", "[broker.x]", "  more = 1", "   ", "plain", "key"]),
        st.text("ab=: []#;\t\r", max_size=8),
    ),
    max_size=8,
)
ONE_LINE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0")).map(str.strip)


@settings(deadline=None)
@given(LINES, LINES, ONE_LINE)
def test_only_the_value_changes(before: list[str], after: list[str], value: str) -> None:
    head = "".join(f"{line}\n" for line in ["[start]", *before, "[broker]", "url = "])[:-1]
    tail = "".join(f"\n{line}" for line in ["x=1", *after])
    try:
        result = edited(f"{head}old{tail}", {"broker.url": value})
    except ConfigFileError as error:
        # Only for what was in the file before.
        assert any(word in str(error) for word in ("malformed", "layout", "2 times")), error  # noqa: PT017 - see above
    else:
        assert result == f"{head}{value}{tail}"
        parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
        parser.read_string(result)
        assert parser["broker"]["url"] == value
