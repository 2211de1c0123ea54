# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url_options import DIALECT
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url_read import (
    CONSEQUENCES,
    convert,
    gives_up,
    read,
)

SAFE = "maxReconnectDelay=5000&randomize=false&timeout=30000&updateURIsSupported=false"
API = "b-1234a5b6-78cd-901e-2fgh-3i45j6k178l9-{}.mq.us-east-2.amazonaws.com"


def found(url: Any, dialect: str = "activemq", *, hints: bool = False) -> list[tuple[str, int, str]]:
    problems = read(url, dialect).problems
    return [(each.code, each.position, each.consequence) for each in problems if hints or each.level != "hint"]


@pytest.mark.parametrize(
    ("url", "code", "position", "consequence"),
    [
        ("", "empty", 0, "fails_on_start"),
        (None, "empty", 0, "fails_on_start"),
        (" failover:(tcp://h:1)", "white_space", 0, "fails_at_creation"),
        ("failover:(tcp://h:1, tcp://i:1)", "white_space", 20, "fails_at_creation"),
        ("failover:(tcp://h:1)\n", "white_space", 20, "fails_at_creation"),
        ("failover:(${url})", "placeholder", 11, "fails_at_creation"),
        ("failover:(tcp://{{h}}:1)", "placeholder", 16, "fails_at_creation"),
        ("failover:(tcp://h:1)?jms.password=5%", "bad_escape", 35, "fails_at_creation"),
        ("failover:", "empty", 9, "fails_at_creation"),
        ("failover:(tcp://h:1", "parentheses", 19, "fails_on_start"),
        ("failover:(tcp://h:1))", "parentheses", 20, "fails_on_start"),
        ("FAILOVER:(tcp://h:1)", "upper_case_scheme", 0, "fails_on_start"),
        ("static:(tcp://h:1)", "broker_scheme", 0, "fails_on_start"),
        ("h", "no_scheme", 0, "fails_on_start"),
        ("failover:(tcp://h:1)&randomize=false", "ampersand", 20, "ignored"),
        ("failover:(tcp://h:1)x?randomize=false", "path", 20, "ignored"),
        ("failover:(tcp://h:1)#x", "fragment", 20, "ignored"),
        ("failover:(tcp://h:1)?randomise=false", "unknown_option", 21, "fails_on_start"),
        ("failover:(tcp://h:1)?randomize=false&amp;timeout=3", "unknown_option", 37, "fails_on_start"),
        ("failover:(tcp://h:1)?backOffMultiplier=2", "unknown_option", 21, "fails_on_start"),
        ("failover:(tcp://h:1)?timeout=3s", "wrong_type", 21, "fails_on_start"),
        ("failover:(tcp://h:1)?timeout", "wrong_type", 21, "fails_on_start"),
        ("failover:(tcp://h:1)?randomize=yes", "not_boolean", 21, "misread"),
        ("failover:(tcp://h:1)?randomize=false;timeout=3", "not_boolean", 21, "misread"),
        ("failover:(tcp://h:1)?timeout=1&timeout=2", "option_twice", 21, "ignored"),
        ("failover:(tcp://h:1)?randomize=false?timeout=3", "question_mark", 36, "ignored"),
        ("failover:(tcp://h:1)?jms.x=1", "unknown_option", 21, "fails_on_start"),
        ("failover:(tcp://h:1)?jms.userName=a&jms.x=1", "unknown_option", 36, "fails_at_creation"),
        ("failover:(tcp://h:1,tcp://i:1?x=1)", "unknown_option", 30, "skipped"),
        ("failover:(tcp://h:1,i:1)", "no_scheme", 20, "skipped"),
        ("failover:(tcp://h:1,TCP://i:1)", "upper_case_scheme", 20, "skipped"),
        ("failover:(tcp://h:1,stomp://i:1)", "unknown_scheme", 20, "skipped"),
        ("failover:(tcp://h:1,tcp://i)", "no_port", 20, "skipped"),
        ("failover:(tcp://h:1,tcp://i:0)", "bad_port", 20, "skipped"),
        ("failover:(tcp://h:1,tcp://i_j:1)", "no_host", 20, "skipped"),
        ("failover:(tcp://h:1,,tcp://i:1)", "empty_endpoint", 20, "skipped"),
        ("failover:(tcp://h:1,)", "empty_endpoint", 20, "ignored"),
        ("failover:(tcp://h:1,tcp://)", "no_host", 26, "fails_on_start"),
        ("failover:(tcp://u:p@h:1)", "credentials", 10, "ignored"),
        ("failover:(tcp://h:1/x)", "path", 10, "ignored"),
        ("failover:(tcp://h:1,tcp://i:1?verifyHostName=false)", "tls_option", 30, "skipped"),
        ("failover:(tcp://h:1,nio://i:1?socket.keepAlive=true)", "nio_socket_option", 30, "skipped"),
        ("failover:(tcp://h:1?soWriteTimeout=1&negotiateTimeout=1,tcp://i:1)", "hidden_option", 37, "skipped"),
        ("failover:(failover:(tcp://h:1),tcp://i:1)", "inner_list", 10, "works"),
        ("failover://(tcp://h:1)?jms.password=a%2Bb", "decoded_twice", 22, "misread"),
        ("tcp://h:1?randomize=false", "unknown_option", 10, "fails_on_start"),
        ("tcp://h:1,tcp://i:1", "no_host", 0, "fails_on_start"),
    ],
)
def test_problems(url: Any, code: str, position: int, consequence: str) -> None:
    assert found(url) == [(code, position, consequence)]
    assert read(url).valid == (code in ("path", "fragment", "option_twice", "inner_list") or str(url).endswith(",)"))


@pytest.mark.parametrize(
    ("url", "outcome"),
    [
        ("failover:(h:1,i:1)", "retries_for_ever"),
        ("failover:()", "retries_for_ever"),
        ("failover:(tcp://h:1?x=1)", "retries_for_ever"),
        ("failover:(tcp://h:1,tcp://i:1)?nested.x=1", "retries_for_ever"),
        ("failover:tcp://h:1?randomize=false", "retries_for_ever"),
        ("failover:(h:1)?startupMaxReconnectAttempts=3", "fails_on_start"),
        ("failover:(tcp://h:1,h:1)", "works"),
    ],
)
def test_outcome(url: str, outcome: str) -> None:
    assert read(url).outcome == outcome


def test_the_order_of_connecting() -> None:
    reading = read("failover:(tcp://h:1,i:1,ssl://[::1]:2,nio://H:1)")
    assert [(target.host, target.port, target.tls) for target in reading.targets] == [("h", 1, False), ("::1", 2, True)]


@pytest.mark.parametrize(
    ("query", "ends"),
    [
        ("", False),
        ("?maxReconnectAttempts=0", True),
        ("?maxReconnectAttempts=-1&startupMaxReconnectAttempts=2", True),
        ("?maxReconnectAttempts=2&startupMaxReconnectAttempts=-1", True),
        ("?maxReconnectAttempts=2147483647", False),
    ],
)
def test_gives_up(query: str, ends: bool) -> None:
    assert gives_up(read(f"failover:(tcp://h:1){query}")) is ends


@pytest.mark.parametrize(
    ("url", "codes"),
    [
        (f"failover:(tcp://h:1,tcp://i:1)?{SAFE}", []),
        (
            "failover:(tcp://h:1,tcp://i:1)",
            ["send_blocks", "slow_reconnect", "pushed_brokers", "random_order"],
        ),
        (f"failover:(tcp://h:1,nio://h:1)?{SAFE}", ["duplicate"]),
        (f"failover:(tcp://h:1)?{SAFE}&jms.password=x", ["password"]),
        (f"failover:(tcp://h:1)?{SAFE}&priorityBackup=true", ["priority_backup"]),
        (f"failover:(ssl://{API.format(1)}:61617)?{SAFE}", ["one_instance"]),
        (f"failover:(ssl://{API.format(1)}:61617,ssl://{API.format(2)}:61617)?{SAFE}", []),
        ("tcp://h:1", ["no_failover"]),
    ],
)
def test_hints(url: str, codes: list[str]) -> None:
    problems = read(url).problems
    assert sorted(each.code for each in problems) == sorted(codes)
    assert all(each.level == "hint" for each in problems)


@pytest.mark.parametrize(
    ("dialect", "url", "code", "consequence"),
    [
        ("nms", "failover:(tcp://h:1)?randomize=false", "unprefixed_option", "ignored"),
        ("nms", "failover:(tcp://h:1)?transport.updateURIsSupported=false", "unknown_option", "fails_on_start"),
        ("cms", "failover:(tcp://h:1)?reconnectDelayExponent=2", "unknown_option", "ignored"),
        ("qpid_jms", "failover:(amqp://h:1)?randomize=false", "unprefixed_option", "ignored"),
        ("qpid_jms", "failover:(amqp://h:1)?failover.timeout=1", "unknown_option", "fails_on_start"),
        ("qpid_jms", "failover:(amqp://h:1,amqp+ssl://i:1)", "unknown_scheme", "skipped"),
        ("nms_amqp", "failover:(amqp://h:1)?failover.randomize=false", "unknown_option", "fails_on_start"),
        ("host_list", "h:1,i", "no_port", "skipped"),
        ("host_list", "h:1,stomp://i:1", "scheme", "skipped"),
        ("host_list", "h:1, i:1", "no_host", "skipped"),
        ("single_url", "failover:(stomp://h:1)", "list", "fails_on_start"),
        ("single_url", "stomp://h", "no_port", "fails_on_start"),
    ],
)
def test_dialects(dialect: str, url: str, code: str, consequence: str) -> None:
    assert [(name, what) for name, dummy, what in found(url, dialect)] == [(code, consequence)]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("bool", "TRUE", True),
        ("bool", "1", False),
        ("bool", None, False),
        ("int", "+5", 5),
        ("long", "-9223372036854775808", -(1 << 63)),
        ("float", " 2.5f", 2.5),
        ("str", None, ""),
    ],
)
def test_convert(kind: str, text: str | None, value: object) -> None:
    assert convert(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text"), [("int", "2147483648"), ("long", "9" * 30), ("int", "\u0661"), ("float", "2,5"), ("list", None)]
)
def test_convert_refuses(kind: str, text: str | None) -> None:
    with pytest.raises(ValueError, match=r"no value|not a"):
        convert(kind, text)


SECRET = "hunter2hunter2"


@pytest.mark.parametrize(
    "url",
    [
        f"failover:(tcp://u:{SECRET}@h:1)",
        f"failover:(tcp://u:{SECRET}@h_i:1)",
        f"failover:(tcp://h:1?jms.password={SECRET},h:2)",
        f"failover:(tcp://h:1)?jms.password={SECRET}&jms.x={SECRET}",
        f"failover:(tcp://h:1)?jms.password={SECRET}&{SECRET[:3]};{SECRET}=1",
        f"failover:(tcp://h:1)?jms.password=a&x={SECRET}",
        f"tcp://h?jms.password={SECRET}",
        f"failover:(tcp://h:1)?jms.password={SECRET}%",
    ],
)
def test_no_message_holds_a_secret(url: str) -> None:
    problems = read(url).problems
    assert problems
    assert not [each for each in problems if SECRET in each.message]


@given(st.text(), st.sampled_from(sorted(DIALECT)))
def test_any_text_is_read(text: str, dialect: str) -> None:
    for each in read(text, dialect).problems:
        assert each.level in ("error", "warning", "hint")
        assert each.consequence in CONSEQUENCES
        assert each.position >= 0


@given(
    st.lists(
        st.sampled_from(["failover:", "(", ")", "tcp://h:1", ",", "?", "&", "=", "jms.", "x", "%", "#", "nested."])
    )
)
def test_any_pieces_are_read(pieces: list[str]) -> None:
    reading = read("".join(pieces))
    assert reading.valid or reading.problems
