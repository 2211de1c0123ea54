# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url import (
    ENDPOINT_OPTIONS,
    FAILOVER_OPTIONS,
    JMS_OPTIONS,
    SAFE_OPTIONS,
    SCHEMES,
    FailoverUrlError,
    build,
    parse_endpoint,
    select,
)

PAIR = ["ssl://b-1.example.com:61617", "ssl://b-2.example.com:61617"]
SAFE = "initialReconnectDelay=100&maxReconnectDelay=5000&randomize=false&timeout=30000&updateURIsSupported=false"
NO_SAFE = dict.fromkeys(SAFE_OPTIONS)


def test_activemq() -> None:
    assert build(PAIR) == f"failover:({PAIR[0]},{PAIR[1]})?{SAFE}"


def test_a_single_endpoint_is_a_failover_url_too() -> None:
    assert build(PAIR[:1]) == f"failover:({PAIR[0]})?{SAFE}"


def test_host_list() -> None:
    endpoints = ["stomp://a.lab:61613", "stomp+ssl://192.0.2.1:61614", "stomp://[2001:db8::1]:1"]
    assert build(endpoints, "host_list") == "a.lab:61613,192.0.2.1:61614,[2001:db8::1]:1"


@pytest.mark.parametrize("arguments", [{"options": {"randomize": False}}, {"nested": {"trace": True}}])
def test_host_list_has_no_options(arguments: dict[str, Any]) -> None:
    with pytest.raises(FailoverUrlError, match="no place for options"):
        build(PAIR, "host_list", **arguments)


def test_options_are_laid_over_the_safe_ones() -> None:
    url = build(
        PAIR, options={"randomize": True, "timeout": None, "maxReconnectAttempts": "3", "jms.userName": "a+b&c%"}
    )
    assert url.partition("?")[2] == (
        "initialReconnectDelay=100&maxReconnectDelay=5000&randomize=true&updateURIsSupported=false"
        "&maxReconnectAttempts=3&jms.userName=a%2Bb%26c%25"
    )


def test_no_options_at_all() -> None:
    assert build(PAIR, options=NO_SAFE) == f"failover:({PAIR[0]},{PAIR[1]})"


def test_nested() -> None:
    url = build(PAIR, options=NO_SAFE, nested={"wireFormat.maxInactivityDuration": 10000, "keepAlive": True})
    assert url.endswith("?nested.wireFormat.maxInactivityDuration=10000&nested.keepAlive=true")


def test_order_is_kept() -> None:
    assert build(PAIR[::-1], options=NO_SAFE) == f"failover:({PAIR[1]},{PAIR[0]})"


@pytest.mark.parametrize(
    ("endpoint", "reason"),
    [
        ("", "non-empty string"),
        (None, "non-empty string"),
        (61616, "non-empty string"),
        (" tcp://h:1", "white space"),
        ("tcp://h:1\n", "white space"),
        ("tcp://h :1", "white space"),
        ("tcp://h:1)", "unbalanced parentheses"),
        ("failover:(tcp://h:1)", "is a list"),
        ("tcp://h:1,tcp://i:1", "is a list"),
        ("h:61616", "no scheme"),
        ("//h:61616", "no scheme"),
        ("TCP://h:1", "lower case"),
        ("http://h:1", "unknown scheme 'http'"),
        ("static://h:1", "unknown scheme"),
        ("tcp://h", "no port"),
        ("tcp://h:", "port must be"),
        ("tcp://:1", "no port"),
        ("tcp://[::1]", "no port"),
        ("tcp://h:0", "port must be"),
        ("tcp://h:65536", "port must be"),
        ("tcp://h:1x", "port must be"),
        ("tcp://h:\u0661", "port must be"),
        ("tcp://h_1:1", "underscore"),
        ("tcp://-h:1", "not a host name"),
        ("tcp://h..i:1", "not a host name"),
        ("tcp://${HOST}:1", "not a host name"),
        ("tcp://hö:1", "not a host name"),
        ("tcp://[::g]:1", "not an IPv6 address"),
        ("tcp://h:1/", "path"),
        ("tcp://h:1#x", "fragment"),
        ("tcp://h:1?", "name=value"),
        ("tcp://h:1?keepAlive", "name=value"),
        ("tcp://h:1?bogus=1", "unknown .*option 'bogus'"),
        ("tcp://h:1?keepAlive=yes", "true or false"),
        ("tcp://h:1?soTimeout=1;trace=true", "whole number"),
        ("tcp://h:1?wireFormat.host={x}", "percent-encoded"),
        ("tcp://h:1?wireFormat.host=%zz", "percent-encoded"),
    ],
)
def test_refused_endpoints(endpoint: object, reason: str) -> None:
    with pytest.raises(FailoverUrlError, match=reason):
        build([endpoint])  # type: ignore[list-item]  # wrong types are part of the test


def test_credentials_are_refused_and_not_repeated() -> None:
    with pytest.raises(FailoverUrlError, match="credentials") as caught:
        build(["tcp://user:hunter2@h:1"])
    assert "hunter2" not in str(caught.value)


def test_endpoint_options_are_kept() -> None:
    url = "ssl://h:1?socket.enabledProtocols=TLSv1.2&wireFormat.maxInactivityDuration=0"
    assert build([url], options=NO_SAFE) == f"failover:({url})"


@pytest.mark.parametrize("endpoints", [[], (), "tcp://h:1", {"a": 1}, None, 3])
def test_refused_lists(endpoints: Any) -> None:
    with pytest.raises(FailoverUrlError):
        build(endpoints)


@pytest.mark.parametrize("second", ["tcp://h:1", "nio://h:1", "tcp://H:1", "tcp://h:1?trace=true"])
def test_a_duplicate_would_be_dropped_by_the_client(second: str) -> None:
    with pytest.raises(FailoverUrlError, match="twice"):
        build(["tcp://h:1", second])


def test_the_java_client_speaks_openwire_only() -> None:
    with pytest.raises(FailoverUrlError, match="OpenWire only"):
        build(["stomp://h:1"])


def test_unknown_dialect() -> None:
    with pytest.raises(FailoverUrlError, match="unknown dialect 'nms'"):
        build(PAIR, "nms")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"randomise": False}, "unknown option"),
        ({"Randomize": False}, "did you mean randomize"),
        ({"backOffMultiplier": 2}, "reconnectDelayExponent"),
        ({"amp;timeout": 3}, "unknown option"),
        ({"keepAlive": True}, "unknown option"),
        ({1: 2}, "unknown option"),
        ({"randomize": "yes"}, "true or false"),
        ({"randomize": 1}, "true or false"),
        ({"randomize": ""}, "true or false"),
        ({"timeout": "3s"}, "whole number"),
        ({"timeout": 1.5}, "whole number"),
        ({"timeout": True}, "must be a number"),
        ({"timeout": ""}, "whole number"),
        ({"timeout": [1]}, "must be a number"),
        ({"reconnectDelayExponent": "two"}, "must be a number"),
        ({"priorityURIs": ""}, "not be empty"),
        ({"priorityURIs": ["tcp://h:1"]}, "must be a string"),
        (["randomize"], "mapping"),
    ],
)
def test_refused_options(options: Any, reason: str) -> None:
    with pytest.raises(FailoverUrlError, match=reason):
        build(PAIR, options=options)


def test_refused_nested_option() -> None:
    with pytest.raises(FailoverUrlError, match="unknown nested option 'randomize'"):
        build(PAIR, nested={"randomize": True})


def test_select() -> None:
    endpoints = ["tcp://a:1", "stomp://a:2", "nio+ssl://b:1", "stomp+ssl://b:2", "ssl://c:1"]
    assert select(endpoints, "openwire") == ["tcp://a:1", "nio+ssl://b:1", "ssl://c:1"]
    assert select(endpoints, "stomp") == ["stomp://a:2", "stomp+ssl://b:2"]
    assert select(endpoints, None) == endpoints
    with pytest.raises(FailoverUrlError, match="unknown protocol"):
        select(endpoints, "amqp")


def test_parse_endpoint() -> None:
    endpoint = parse_endpoint("nio+ssl://[2001:DB8::1]:61617")
    assert (endpoint.host, endpoint.port, endpoint.tls) == ("2001:db8::1", 61617, True)
    assert endpoint.address == "[2001:db8::1]:61617"
    assert not parse_endpoint("stomp://h:1").tls


# --- properties ------------------------------------------------------------------------------------------------------

HOSTS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?(\.[a-z]{1,6}){0,2}", fullmatch=True)
ENDPOINTS = st.builds(
    "{}://{}:{}".format, st.sampled_from(SCHEMES["openwire"]), HOSTS, st.integers(min_value=1, max_value=65535)
)
LISTS = st.lists(ENDPOINTS, min_size=1, max_size=5, unique_by=lambda url: url.partition("//")[2])
VALUES = {
    bool: st.booleans(),
    int: st.integers(min_value=-1, max_value=10**12),
    float: st.integers(min_value=0, max_value=99).map(lambda number: number / 4),
    str: st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
}


def mappings(known: dict[str, type]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={name: VALUES[kind] for name, kind in known.items()})


@given(LISTS, mappings({**FAILOVER_OPTIONS, **JMS_OPTIONS}), mappings(ENDPOINT_OPTIONS))
def test_what_was_given_can_be_read_back(endpoints: list[str], options: dict[str, Any], nested: dict[str, Any]) -> None:
    url = build(endpoints, options=options, nested=nested)
    inner, _bracket, query = url.removeprefix("failover:(").partition(")?")
    assert inner.split(",") == endpoints
    wanted = {**SAFE_OPTIONS, **options, **{f"nested.{name}": value for name, value in nested.items()}}
    texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in wanted.items()}
    assert dict(parse_qsl(query, keep_blank_values=True)) == texts
    assert url.isascii()
    assert not set(url) & set(' \t\n"<>{}|\\^`')
    assert url.count("(") == url.count(")") == 1


@given(st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        endpoint = parse_endpoint(text)
    except FailoverUrlError:
        return
    assert 1 <= endpoint.port <= 65535
    assert endpoint.host
