# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils import _config_regexp
from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_files import ConfigFileError, edit

TEXT = "# é c\r\nset $broker 'tcp://a:1';  # old\r\nset $user 'me';\r\n"
BROKER = r"^set \$broker '([^']*)';"


def edited(text: str, values: dict[str, Any]) -> str:
    done = edit(text.encode(), "regexp", values, False)
    again = edit(done.text.encode(), "regexp", values, False)
    assert again.text == done.text, "the second edit changes something"
    assert again.changes == []
    return done.text


def test_everything_else_is_kept() -> None:
    values = {BROKER: r"tcp://b\1:2", "(?<=user ')([a-z]*)": "you"}
    assert edited(TEXT, values) == TEXT.replace("tcp://a:1", r"tcp://b\1:2").replace("me", "you")


def test_previous() -> None:
    assert edit(TEXT.encode(), "regexp", {BROKER: "x"}, False).previous == {BROKER: "tcp://a:1"}


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("nothing(x)", r"key nothing\(x\): is not in the file"),
        ("^set (.*)", r"key \^set \(\.\*\): matches more than once"),
        ("set", "must have exactly one group"),
        ("(s)(e)t", "must have exactly one group"),
        ("set (", "is not a regular expression"),
        ("(?:user|(no)) 'me'", "the group has no part in the match"),
        ("broker '(tcp)", "no longer matches after the edit"),
    ],
)
def test_refused(pattern: str, reason: str) -> None:
    with pytest.raises(ConfigFileError, match=reason):
        edit(TEXT.encode(), "regexp", {pattern: "v"}, True)


def test_what_matches_differently_afterwards() -> None:
    with pytest.raises(ConfigFileError, match="matches something else after the edit"):
        edit(b"url=abc\n", "regexp", {"url=([a-z]+)": "a1"}, False)
    with pytest.raises(ConfigFileError, match="matches more than once"):
        edit(b"a=1\n", "regexp", {"a=([^;]*?)$": "1\na=2"}, False)


def test_a_pattern_without_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_config_regexp, "TIMEOUT", 0.5)
    with pytest.raises(ConfigFileError, match=r"the search took longer than 0\.5 s"):
        edit(b"x" * 60, "regexp", {"(x+x+)+y": "v"}, False)


@settings(deadline=None, max_examples=25)  # each search is a process
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n'")))
def test_round_trip(value: str) -> None:
    before, after = TEXT.split("tcp://a:1")
    assert edited(TEXT, {BROKER: value}) == before + value + after
