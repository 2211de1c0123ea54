# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url import (
    FailoverUrlError,
    build,
    parse,
    parse_endpoint,
    problems,
    select,
    spring_properties,
    valid,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url_options import DIALECT, Option, Table

PAIR = ["ssl://b-1.example.com:61617", "ssl://b-2.example.com:61617"]
SAFE = "initialReconnectDelay=100&maxReconnectDelay=5000&randomize=false&timeout=30000&updateURIsSupported=false"
NO_SAFE = dict.fromkeys(DIALECT["activemq"].safe)
API = "b-1234a5b6-78cd-901e-2fgh-3i45j6k178l9-{}.mq.us-east-2.amazonaws.com"


def test_activemq() -> None:
    assert build(PAIR) == f"failover:({PAIR[0]},{PAIR[1]})?{SAFE}"


def test_a_single_endpoint_is_a_failover_url_too() -> None:
    assert build(PAIR[:1]) == f"failover:({PAIR[0]})?{SAFE}"


def test_host_list() -> None:
    endpoints = ["stomp://a.lab:61613", "stomp+ssl://192.0.2.1:61614", "stomp://[2001:db8::1]:1"]
    assert build(endpoints, "host_list") == "a.lab:61613,192.0.2.1:61614,[2001:db8::1]:1"


@pytest.mark.parametrize(
    "arguments", [{"options": {"randomize": False}}, {"nested": {"trace": True}}, {"jms": {"a": 1}}]
)
@pytest.mark.parametrize("dialect", ["host_list", "single_url"])
def test_no_place_for_options(dialect: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(FailoverUrlError, match="no place for options"):
        build(PAIR[:1], dialect, **arguments)


@pytest.mark.parametrize(
    ("dialect", "scheme", "url"),
    [
        ("spring", "ssl", f"failover:({PAIR[0]},{PAIR[1]})?{SAFE}"),
        (
            "nms",
            "ssl",
            (
                f"failover:({PAIR[0]},{PAIR[1]})?transport.initialReconnectDelay=100&transport.maxReconnectDelay=5000"
                "&transport.randomize=false&transport.timeout=30000"
            ),
        ),
        ("cms", "ssl", f"failover:({PAIR[0]},{PAIR[1]})?{SAFE}"),
        (
            "qpid_jms",
            "amqp+ssl",
            (
                "failover:(amqps://b-1.example.com:61617,amqps://b-2.example.com:61617)?failover.initialReconnectDelay=100"
                "&failover.maxReconnectDelay=5000&failover.reconnectDelay=100&failover.randomize=false"
                "&failover.amqpOpenServerListAction=IGNORE&jms.sendTimeout=30000"
            ),
        ),
        (
            "nms_amqp",
            "amqp+ssl",
            (
                "failover:(amqps://b-1.example.com:61617,amqps://b-2.example.com:61617)?failover.initialReconnectDelay=100"
                "&failover.maxReconnectDelay=5000&failover.reconnectDelay=100&nms.sendTimeout=30000"
            ),
        ),
    ],
)
def test_dialects(dialect: str, scheme: str, url: str) -> None:
    assert build([endpoint.replace("ssl", scheme, 1) for endpoint in PAIR], dialect) == url
    assert valid(url, dialect)


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("stomp+ssl://h:61614", "stomp+ssl://h:61614"),
        ("amqp+ssl://h:5671", "amqps://h:5671"),
        ("mqtt+ssl://h:8883", "ssl://h:8883"),
        ("wss://h:61619", "wss://h:61619"),
    ],
)
def test_single_url(endpoint: str, url: str) -> None:
    assert build([endpoint], "single_url") == url


def test_single_url_takes_the_active_endpoint_only() -> None:
    with pytest.raises(FailoverUrlError, match="exactly one endpoint, that of the active broker; 2 were given"):
        build(PAIR, "single_url")


def test_the_instances_of_amazon_mq_come_in_order() -> None:
    second, first = f"ssl://{API.format(2)}:61617", f"ssl://{API.format(1)}:61617"
    url = build([second, "tcp://old:61616", first], options=NO_SAFE)
    assert url == f"failover:({first},tcp://old:61616,{second})"
    assert build([f"amqp+ssl://{API.format(2)}:5671", f"amqp+ssl://{API.format(1)}:5671"], "qpid_jms").startswith(
        f"failover:(amqps://{API.format(1)}:5671,amqps://{API.format(2)}:5671)?"
    )


def test_spring_properties() -> None:
    found = spring_properties(PAIR, NO_SAFE, jms={"userName": "app", "password": "p&ss", "useAsyncSend": False})
    assert found == {
        "spring.activemq.broker-url": f"failover:({PAIR[0]},{PAIR[1]})?jms.useAsyncSend=false",
        "spring.activemq.user": "app",
        "spring.activemq.password": "p&ss",
    }
    assert list(spring_properties(PAIR)) == ["spring.activemq.broker-url"]


def test_options_are_laid_over_the_safe_ones() -> None:
    options = {"randomize": True, "timeout": None, "maxReconnectAttempts": "3"}
    url = build(PAIR, options=options, jms={"userName": "a+b&c%"})
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
    with pytest.raises(FailoverUrlError, match="unknown dialect 'jms'"):
        build(PAIR, "jms")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"randomise": False}, "unknown option"),
        ({"Randomize": False}, "did you mean randomize"),
        ({"backOffMultiplier": 2}, "reconnectDelayExponent"),
        ({"amp;timeout": 3}, "unknown option"),
        ({"keepAlive": True}, "unknown option"),
        ({"jms.userName": "app"}, "unknown option"),
        ({"timeout": 1 << 63}, "whole number"),
        ({None: None}, "unknown option"),
        ({1: 2}, "unknown option"),
        ({"randomize": "yes"}, "true or false"),
        ({"randomize": 1}, "true or false"),
        ({"randomize": ""}, "true or false"),
        ({"timeout": "3s"}, "whole number"),
        ({"timeout": 1.5}, "whole number"),
        ({"timeout": True}, "whole number"),
        ({"timeout": ""}, "not be empty"),
        ({"timeout": [1]}, "must be a text, a number"),
        ({"reconnectDelayExponent": "two"}, "must be a number"),
        ({"priorityURIs": ""}, "not be empty"),
        ({"priorityURIs": ["tcp://h:1"]}, "must be a text"),
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
        select(endpoints, "http")


def test_parse_endpoint() -> None:
    endpoint = parse_endpoint("nio+ssl://[2001:DB8::1]:61617")
    assert (endpoint.host, endpoint.port, endpoint.tls) == ("2001:db8::1", 61617, True)
    assert endpoint.address == "[2001:db8::1]:61617"
    assert not parse_endpoint("stomp://h:1").tls


def test_parse() -> None:
    url = (
        "failover:(tcp://a:1?trace=false,ssl://b:2)?randomize=FALSE&timeout=3&jms.userName=a%2Bb&nested.keepAlive=true"
    )
    assert parse(url) == {
        "uris": ["tcp://a:1?trace=false", "ssl://b:2"],
        "options": {"randomize": False, "timeout": 3},
        "nested": {"keepAlive": True},
        "jms": {"userName": "a+b"},
    }


@pytest.mark.parametrize("url", ["failover:( tcp://h:1)", "failover:(tcp://h:1", "", None, "h"])
def test_parse_refuses_what_cannot_be_taken_apart(url: Any) -> None:
    with pytest.raises(FailoverUrlError):
        parse(url)


@pytest.mark.parametrize("function", [parse, problems, valid])
def test_unknown_dialect_of_a_url(function: Any) -> None:
    with pytest.raises(FailoverUrlError, match="unknown dialect"):
        function("tcp://h:1", "jms")


# --- properties ------------------------------------------------------------------------------------------------------

HOSTS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?(\.[a-z]{1,6}){0,2}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
VALUES = {
    "bool": st.booleans(),
    "int": st.integers(min_value=-1, max_value=2**31 - 1),
    "long": st.integers(min_value=-1, max_value=10**12),
    "float": st.integers(min_value=0, max_value=99).map(lambda number: number / 4),
    "str": TEXTS,
    "list": TEXTS,
}
ANY_TABLE: Table = {"a.b": Option("str", None), "c": Option("str", None)}


def endpoints_of(schemes: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    urls = st.builds("{}://{}:{}".format, st.sampled_from(schemes), HOSTS, st.integers(min_value=1, max_value=65535))
    return st.lists(urls, min_size=1, max_size=5, unique_by=lambda url: url.partition("//")[2])


def mappings(known: Table | None) -> st.SearchStrategy[dict[str, Any]]:
    table = ANY_TABLE if known is None else known
    return st.fixed_dictionaries({}, optional={name: VALUES[option.type] for name, option in table.items()})


@pytest.mark.parametrize("dialect", [name for name, rules in DIALECT.items() if rules.form == "failover"])
# How fast examples come about is the machine's affair.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_was_given_is_read_back(dialect: str, data: st.DataObject) -> None:
    rules = DIALECT[dialect]
    plain_only = {name: option for name, option in (rules.nested or ANY_TABLE).items() if "erifyHost" not in name}
    # On nio only some clients can set socket options; the last two hide others.
    unfit = ("socket.", "useInactivityMonitor", "soWriteTimeout")
    plain_only = {name: option for name, option in plain_only.items() if not name.startswith(unfit)}
    endpoints = data.draw(endpoints_of(rules.schemes))
    options, jms = data.draw(mappings(rules.options)), data.draw(mappings(rules.jms))
    nested = data.draw(mappings(plain_only))
    url = build(endpoints, dialect, options, nested, jms)
    assert parse(url, dialect) == {
        "uris": endpoints,
        "options": {**rules.safe, **options},
        "nested": nested,
        "jms": jms
        if rules.jms is not None
        else {name: str(value) for name, value in {**rules.safe_jms, **jms}.items()},
    }
    assert valid(url, dialect)
    assert url.isascii()
    assert not set(url) & set(' \t\n"<>{}|\\^`')
    parts = parse(url, dialect)
    safe, safe_jms = dict.fromkeys(rules.safe), dict.fromkeys(rules.safe_jms)
    again = build(parts["uris"], dialect, {**safe, **parts["options"]}, parts["nested"], {**safe_jms, **parts["jms"]})
    assert parse(again, dialect) == parts


@given(st.lists(st.tuples(HOSTS, st.integers(min_value=1, max_value=65535)), min_size=1, max_size=5, unique=True))
def test_a_host_list_is_read_back(pairs: list[tuple[str, int]]) -> None:
    addresses = [f"{host}:{port}" for host, port in pairs]
    text = build([f"stomp://{address}" for address in addresses], "host_list")
    assert parse(text, "host_list")["uris"] == addresses
    assert valid(text, "host_list")


@given(st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        endpoint = parse_endpoint(text)
    except FailoverUrlError:
        return
    assert 1 <= endpoint.port <= 65535
    assert endpoint.host
