# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who survived a failover, and why not: with what real services, files, hosts and logs looked like."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._survival import (
    addresses_in,
    followed,
    known_addresses,
    report,
    spans,
)

ONE, TWO = (f"b-1234-{number}.mq.us-east-2.amazonaws.com" for number in (1, 2))
AT = {ONE: "10.0.1.11", TWO: "10.0.1.12"}
SOURCE = {"name": "onprem", "endpoints": ["tcp://mq.example.com:61616"]}
TARGET = {
    "name": "orders",
    "endpoints": [f"ssl://{ONE}:61617", f"ssl://{TWO}:61617"],
    "username": "app",
    "password": "geheim",
}
SERVICE = {
    "name": "orders-api",
    "role": "producer",
    "manager": "systemd",
    "dialect": "activemq",
    "protocol": "openwire",
    "logs": ["/var/log/orders.log", "journal"],
    "settings": [{"path": "/etc/a.properties", "format": "properties", "values": {"broker.url": "x"}}],
}
[FOLLOWED] = followed([SERVICE], SOURCE, TARGET)
KNOWN = {host: {address} for host, address in AT.items()}
BOTH = f"failover:(ssl://{ONE}:61617,ssl://{TWO}:61617)?timeout=30000"
PATH = "/etc/a.properties"

#: A reboot as it is on the lab, with longer times: 1 until 10, 2 from 13 to 73, 1 from 76 on.
FAILOVER: dict[str, Any] = {
    "passed": True,
    "failures": [],
    "failovers": 2,
    "active_before": ONE,
    "active_after": ONE,
    "outages": [{"seconds": 3.0}, {"seconds": 3.0}],
    "canary": {"sent": 10, "received": 10, "lost": 0, "duplicated": 0, "reordered": 0, "max_gap": 3.4},
    "timeline": [
        {"at": 1001.0, "event": "up", "host": ONE, "detail": ""},
        {"at": 1009.0, "event": "reboot", "host": "", "detail": ""},
        {"at": 1010.0, "event": "down", "host": ONE, "detail": "closed"},
        {"at": 1013.0, "event": "up", "host": TWO, "detail": ""},
        {"at": 1073.0, "event": "down", "host": TWO, "detail": "closed"},
        {"at": 1076.0, "event": "up", "host": ONE, "detail": ""},
    ],
}
#: The same where the second instance was active for eight seconds only.
SHORT: dict[str, Any] = {
    **FAILOVER,
    "timeline": [
        *FAILOVER["timeline"][:4],
        {"at": 1021.0, "event": "down", "host": TWO},
        {"at": 1024.0, "event": "up", "host": ONE},
    ],
}


def change(at: float, host: str | None = None, port: int = 40000, **more: Any) -> dict[str, Any]:
    connected = [f"{host}:61617"] if host else []
    return {
        "at": at,
        "running": True,
        "started": 900.0,
        "endpoints": connected,
        "local_ports": [port] if connected else [],
        "attempts": [],
        **more,
    }


def attempt(state: str, host: str | None, address: str, port: int = 50000) -> dict[str, Any]:
    endpoint = f"{host}:61617" if host else None
    return {"state": state, "endpoint": endpoint, "address": address, "port": 61617, "local_port": port}


GOOD = [change(1000, ONE), change(1010), change(1015, TWO, 40001), change(1073), change(1077, ONE, 40002)]
GOOD_SHORT = [change(1000, ONE), change(1010), change(1015, TWO, 40001), change(1021), change(1025, ONE, 40002)]


def of_host(changes: list[dict[str, Any]] | None = None, until: float = 1110.0, **more: Any) -> dict[str, Any]:
    changes = GOOD if changes is None else changes
    service = {"name": "orders-api", "running": True, "endpoints": [f"{ONE}:61617"]}
    timeline = {"changes": changes, "until": until, "dropped": 0, "looks": 100}
    return {
        "services": [FOLLOWED],
        "before": {"services": [service]},
        "follow": {"services": [{**service, "timeline": timeline}]},
        "after": {"services": [service]},
        "held": [held(BOTH, changed=False)],
        "probes": probes(),
        "logs": {"logs": []},
        **more,
    }


def held(url: str | None, *, changed: bool = True, key: str = "broker.url") -> dict[str, Any]:
    keys = [key] if changed else []
    return {"files": [{"path": PATH, "changed": changed, "keys": keys}], "previous": {PATH: {key: url}}}


def probes(**addresses: list[str]) -> dict[str, Any]:
    """What endpoint_probe returned; ``one`` and ``two`` are the addresses of the instances."""
    found = {ONE: addresses.get("one", [AT[ONE]]), TWO: addresses.get("two", [AT[TWO]])}
    return {
        "as_service": False,
        "endpoints": [
            {"host": host, "addresses": each, "active": host == ONE, "reason": "refused", "problems": []}
            for host, each in found.items()
        ],
    }


def judged(seen: dict[str, Any], *failover: Any, **more: Any) -> tuple[list[str], dict[str, Any], Any]:
    """The codes of the only service, its record, and the whole report."""
    whole = report({"app1": seen}, "orders", KNOWN, *(failover or (FAILOVER,)), **more)
    [record] = whole["services"]
    return [reason["code"] for reason in record["reasons"]], record, whole


def test_a_service_that_follows_the_broker_survives() -> None:
    codes, record, whole = judged(of_host())
    assert codes == []
    assert record["survived"] is True
    assert record["notes"] == []
    assert record["down_for"] == 5.0
    assert record["reconnected_after"] == 2.0
    assert whole["passed"] is True
    assert whole["failures"] == []
    assert "SURVIVED: 1 of 1 services" in whole["lines"]
    assert "geheim" not in str(whole)


def test_a_failover_that_did_not_begin_says_nothing_of_the_services() -> None:
    failover = {
        "failed": True,
        "passed": False,
        "failures": ["the view does not tell"],
        "msg": "the view does not tell",
    }
    codes, record, whole = judged(of_host(), failover)
    assert codes == []
    assert record["down_for"] is None
    assert whole["failures"] == ["broker orders: the view does not tell"]


def test_what_was_before_the_broker_was_watched_is_no_time_away() -> None:
    late = [{**event, "at": 1009.0} if event["at"] == 1001.0 else event for event in FAILOVER["timeline"]]
    assert judged(of_host(), {**FAILOVER, "timeline": late})[1]["down_for"] == 5.0


def test_what_is_followed_holds_no_secret() -> None:
    found = dict(FOLLOWED)
    assert found == {
        "name": "orders-api",
        "manager": "systemd",
        "dialect": "activemq",
        "logs": ["/var/log/orders.log"],
        "journal": ["orders-api"],
        "endpoints": TARGET["endpoints"],
        "expected": [f"{ONE}:61617", f"{TWO}:61617"],
        "outside": ["mq.example.com:61616"],
        "process": {
            "name": "orders-api",
            "manager": "systemd",
            "connected_to": [f"{ONE}:61617", f"{TWO}:61617"],
            "not_connected_to": ["mq.example.com:61616"],
        },
    }


# --- what is wrong before --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "codes", "word"),
    [
        (BOTH, [], ""),
        (f"failover:(ssl://{TWO}:61617,ssl://{ONE}:61617)", [], ""),
        (f"failover:(ssl://{ONE}:61617)", ["only_one_endpoint"], f"{TWO}:61617 is missing"),
        (f"{ONE}:61614,{TWO}:61614", ["wrong_url"], ":61614"),
        ("failover:(tcp://mq.example.com:61616)", ["wrong_url"], "mq.example.com:61616"),
        (f"failover:(ssl://{ONE}:61617,ssl://{TWO}:61617,tcp://mq.example.com:61616)", ["wrong_url"], "besides"),
        (f"failover:(ssl://{ONE}:61617,ssl://{TWO}:61617)?maxReconnectAttempts=0", ["wrong_url"], "never reconnects"),
        (f"failover:(ssl://{ONE}:61617, ssl://{TWO}:61617)", ["wrong_url"], ""),
        (f"[{{host: {ONE}, port: 61617, tls: True}}]", ["only_one_endpoint"], TWO),
        (f"[{{host: {ONE}, port: 61617}}, {{host: {TWO.upper()}, port: 61617}}]", [], ""),
        (f"{ONE} {TWO}", [], ""),
    ],
)
def test_settings(text: str, codes: list[str], word: str) -> None:
    found, record, whole = judged(of_host(held=[held(text)]))
    assert found == codes
    assert record["survived"] is (not codes)
    assert word in "".join(reason["message"] for reason in record["reasons"])
    assert whole["passed"] is (not codes)


def test_instances_may_be_spread_over_settings() -> None:
    previous = {PATH: {"first": f"ssl://{TWO}:61617", "second": f"ssl://{ONE}:61617"}}
    files = [{"path": PATH, "changed": True, "keys": ["first", "second"]}]
    assert judged(of_host(held=[{"files": files, "previous": previous}]))[0] == []


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({"msg": "the file is not there"}, "the file is not there"),
        ({"skipped": True}, "not known"),
        (held(None), "not shown"),
        (held("true"), "name no endpoint"),
        ({"files": [{"path": PATH, "changed": True, "keys": []}], "previous": {PATH: {}}}, "not known"),
    ],
)
def test_settings_that_are_not_known_are_no_defect(result: dict[str, Any], words: str) -> None:
    codes, record, _whole = judged(of_host(held=[result]))
    assert codes == []
    assert record["survived"] is True
    assert words in " ".join(record["notes"])


@pytest.mark.parametrize(
    ("two", "codes"),
    [([AT[TWO]], []), (["10.0.1.99"], ["stale_dns"]), (["10.0.1.99", AT[TWO]], []), ([AT[ONE]], ["stale_dns"])],
)
def test_addresses_of_the_host(two: list[str], codes: list[str]) -> None:
    found, record, _whole = judged(of_host(probes=probes(two=two)))
    assert found == codes
    assert all(TWO in reason["message"] for reason in record["reasons"])


def test_a_name_that_does_not_resolve() -> None:
    assert judged(of_host(probes=probes(two=[])))[0] == ["unresolved"]


def test_an_address_where_the_broker_answers_is_right() -> None:
    # A proxy, for example.
    assert judged(of_host(probes=probes(one=["192.0.2.1"])))[0] == []


def test_a_truststore_that_python_can_read() -> None:
    seen = probes()
    problem = {"code": "certificate_unknown_issuer", "message": "the certificate does not verify"}
    seen["endpoints"][0]["problems"] = [problem]
    assert judged(of_host(probes=seen))[0] == []  # the host does not trust what the service trusts
    assert judged(of_host(probes={**seen, "as_service": True}))[0] == ["wrong_truststore"]
    problem["code"] = "certificate_expires_soon"
    codes, record, _whole = judged(of_host(probes={**seen, "as_service": True}))
    assert codes == []
    assert len(record["notes"]) == 1


def test_where_the_instances_are() -> None:
    broker = {"instances": [{"ip_address": "10.0.1.11", "endpoints": {"openwire": [f"ssl://{ONE}:61617"]}}]}
    probed = {"endpoints": [{"host": ONE, "addresses": ["198.51.100.1"]}, {"host": TWO, "addresses": []}]}
    assert known_addresses(broker, probed, {TWO.upper(): ["10.0.1.12"]}) == {
        ONE: {"10.0.1.11", "198.51.100.1"},
        TWO: {"10.0.1.12"},
    }
    assert known_addresses(None, {"msg": "failed"}) == {}


@pytest.mark.parametrize(
    ("before", "code"),
    [
        ({"running": False, "endpoints": []}, "not_running"),
        ({"running": True, "endpoints": []}, "not_connected"),
        ({"running": True, "endpoints": ["mq.example.com:61616"]}, "not_connected"),
    ],
)
def test_before_the_failover(before: dict[str, Any], code: str) -> None:
    seen = of_host(before={"msg": "not as wanted", "services": [{"name": "orders-api", **before}]})
    codes, record, whole = judged(seen, None)
    assert codes == [code]
    assert record["down_for"] is None
    assert whole["failover"] is None
    assert "  nothing was rebooted" in whole["lines"]


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ({"failed": True, "msg": "service a: the connections of process 7 may not be read; use become"}, "use become"),
        ({"unreachable": True}, "did not tell"),
        (None, "did not tell"),
    ],
)
def test_a_service_that_cannot_be_seen_before_is_not_fine(before: Any, words: str) -> None:
    codes, record, whole = judged(of_host(before=before), None)
    assert codes == ["not_seen"]
    assert words in record["reasons"][0]["message"]
    assert whole["passed"] is False
    pods = of_host(before={"services": []}, services=[{**FOLLOWED, "manager": "kubernetes", "process": None}])
    assert judged(pods, None)[0] == []


def test_a_service_whose_connections_do_not_last_is_not_connected() -> None:
    # As with wrong credentials: the last look sees a connection nearly always.
    problem = f"service orders-api: no connection to {ONE}:61617 lasts"
    service = {"name": "orders-api", "running": True, "endpoints": [f"{ONE}:61617"], "problem": problem}
    codes, record, _whole = judged(of_host(before={"msg": problem, "services": [service]}), None)
    assert codes == ["not_connected"]
    assert record["reasons"][0]["message"] == f"no connection to {ONE}:61617 lasts"
    assert judged(of_host(after={"msg": problem, "services": [service]}))[0] == ["did_not_reconnect"]
    assert judged(of_host(before={"services": [{**service, "problem": None}]}), None)[0] == []


def test_names_that_were_not_resolved_are_told() -> None:
    before = {**of_host()["before"], "unresolved": ["endpoint mq.example.com:61616: unknown", "endpoint other:1: no"]}
    codes, record, _whole = judged(of_host(before=before), None)
    assert codes == []
    assert record["notes"] == ["endpoint mq.example.com:61616: unknown"]


def test_a_host_that_dropped_out_before_is_not_fine() -> None:
    whole = report({"app1": of_host(), "app2": {}}, "orders", KNOWN)
    assert whole["passed"] is False
    assert whole["failures"][0].startswith("app2: nothing is known")


# --- what happens ----------------------------------------------------------------------------------------------------


def test_one_that_never_comes_to_the_second_instance() -> None:
    changes = [change(1000, ONE), change(1010), change(1077, ONE, 40001)]
    codes, record, _whole = judged(of_host(changes))
    assert codes == ["did_not_reconnect"]
    assert "never" in record["reasons"][0]["message"]
    assert record["down_for"] == 67.0


def test_one_that_comes_too_late() -> None:
    changes = [change(1000, ONE), change(1010), change(1053, TWO), change(1073), change(1077, ONE, 40001)]
    codes, record, _whole = judged(of_host(changes))
    assert codes == ["did_not_reconnect"]
    assert "only after 40 s" in record["reasons"][0]["message"]
    assert record["reconnected_after"] == 40.0
    assert judged(of_host(changes), within=45.0)[0] == []


def test_an_instance_that_was_active_for_too_short_a_time_says_nothing() -> None:
    codes, record, whole = judged(of_host([change(1000, ONE), change(1010), change(1025, ONE, 40001)]), SHORT)
    assert codes == []
    assert record["survived"] is None
    assert "too short" in record["notes"][0]
    assert whole["passed"] is True
    assert "SURVIVED: 0 of 1 services, 1 not known" in whole["lines"]
    assert judged(of_host(GOOD_SHORT), SHORT)[1]["survived"] is True


@pytest.mark.parametrize("failover", [FAILOVER, SHORT])
def test_connections_that_end_at_once_are_a_truststore(failover: dict[str, Any]) -> None:
    # The kernel remembers what was too short to be seen.
    ended = [attempt("TIME_WAIT", TWO, AT[TWO])]
    changes = [change(1000, ONE), change(1010), change(1016, attempts=ended), change(1017), change(1077, ONE, 40001)]
    assert "wrong_truststore" in judged(of_host(changes), failover)[0]
    seen = [change(1000, ONE), change(1010), change(1016, TWO, 40005), change(1016.3), change(1077, ONE, 40001)]
    assert "wrong_truststore" in judged(of_host(seen), failover)[0]


def test_connections_that_end_after_two_seconds_are_the_credentials() -> None:
    changes = [
        change(1000, ONE),
        change(1010),
        change(1014, TWO, 40001),
        change(1016, TWO, 40002),
        change(1018, TWO, 40003),
        change(1020),
        change(1077, ONE, 40004),
    ]
    assert "wrong_credentials" in judged(of_host(changes))[0]


def test_the_end_of_the_look_excuses_no_short_connection() -> None:
    # Refused from the end of the first instance on: held for two seconds, again at once, and so when the look ends.
    changes = [change(1000, ONE), change(1010)]
    for number in range(40):
        changes += [change(1030.0 + 2.05 * number, ONE, 40000 + number), change(1032.0 + 2.05 * number)]
    once: dict[str, Any] = {
        **FAILOVER,
        "timeline": [*FAILOVER["timeline"][:3], {"at": 1029.0, "event": "up", "host": ONE, "detail": ""}],
    }
    codes, record, _whole = judged(of_host(changes[:-1], until=1111.0), once)
    assert codes == ["wrong_credentials", "did_not_reconnect"]
    assert "never" in record["reasons"][1]["message"]


def test_a_connection_that_the_failover_cut_is_no_refusal() -> None:
    changes = [change(1000, ONE), change(1010), change(1020, TWO, 40001), change(1021), change(1025, ONE, 40002)]
    assert judged(of_host(changes), SHORT)[0] == []


def test_one_attempt_that_fails_is_no_refusal_when_the_next_one_succeeds() -> None:
    ended = [attempt("TIME_WAIT", TWO, AT[TWO])]
    changes = [change(1000, ONE), change(1010), change(1014, attempts=ended), *GOOD[2:]]
    assert judged(of_host(changes))[0] == []


def test_an_address_that_the_process_remembers() -> None:
    tries = [attempt("SYN_SENT", None, "10.0.1.99")]
    changes = [change(1000, ONE), change(1010, attempts=tries), change(1014), *GOOD[2:]]
    codes, record, _whole = judged(of_host(changes))
    assert codes == ["stale_dns"]
    assert "10.0.1.99:61617" in record["reasons"][0]["message"]

    brief = [change(1000, ONE), change(1010, attempts=tries), change(1010.3), *GOOD[2:]]
    assert judged(of_host(brief))[0] == []
    right = [change(1000, ONE), change(1010, attempts=[attempt("SYN_SENT", TWO, AT[TWO])]), *GOOD[2:]]
    assert judged(of_host(right))[0] == []


def test_one_that_goes_to_the_other_broker() -> None:
    away = {**change(1010), "endpoints": ["mq.example.com:61616"], "local_ports": [40009]}
    codes, record, _whole = judged(of_host([change(1000, ONE), away, *GOOD[2:]]))
    assert codes == ["wrong_url"]
    assert "mq.example.com:61616" in record["reasons"][0]["message"]


@pytest.mark.parametrize(
    ("after", "code"),
    [
        ({"running": False, "endpoints": []}, "not_running"),
        ({"running": True, "endpoints": []}, "did_not_reconnect"),
        ({"running": True, "endpoints": ["mq.example.com:61616"]}, "wrong_url"),
    ],
)
def test_at_the_end(after: dict[str, Any], code: str) -> None:
    seen = of_host(after={"services": [{"name": "orders-api", **after}]})
    assert judged(seen)[0] == [code]


def test_a_restart_and_what_was_not_kept_are_told() -> None:
    changes = [
        change(1000, ONE),
        change(1010, running=False, started=None),
        *GOOD[2:-1],
        change(1077, ONE, started=1070.0),
    ]
    seen = of_host(changes)
    seen["follow"]["services"][0]["timeline"]["dropped"] = 7
    codes, record, _whole = judged(seen)
    assert codes == []
    assert len(record["notes"]) == 3


def test_a_host_that_was_neither_followed_nor_seen_afterwards_fails_the_test() -> None:
    away = {"unreachable": True, "msg": "no route to host"}
    codes, record, whole = judged(of_host(follow=away, after=away))
    assert codes == []
    assert record["survived"] is None
    assert "it was not seen afterwards: no route to host" in record["notes"]
    assert whole["passed"] is False
    [failure] = whole["failures"]
    assert failure == "app1: none of its services could be followed or seen afterwards: no route to host"
    assert f"  {failure}" in whole["lines"]

    half = judged(of_host(after=away))[2]
    assert half["passed"] is True
    assert "SURVIVED: 0 of 1 services, 1 not known" in half["lines"]


def test_one_that_was_not_followed_is_not_known() -> None:
    codes, record, _whole = judged(of_host(follow={"msg": "use become"}))
    assert codes == []
    assert record["survived"] is None
    assert "it was not followed: use become" in record["notes"]


def test_pods_are_not_followed() -> None:
    seen = of_host(follow={"services": []}, after={"services": []})
    seen["services"] = [{**FOLLOWED, "manager": "kubernetes", "process": None}]
    codes, record, _whole = judged(seen)
    assert codes == []
    assert record["survived"] is None


def test_another_connection_to_the_same_instance_is_another_span() -> None:
    timeline = {"changes": [change(0, ONE, 1), change(2, ONE, 2), change(4, ONE, 2), change(9)], "until": 10.0}
    assert [(span.begin, span.end) for span in spans(timeline)] == [(0, 2), (2, 9)]


# --- logs ------------------------------------------------------------------------------------------------------------

SIGNATURES = [
    {"name": "pkix", "code": "wrong_truststore"},
    {"name": "dns", "code": "unresolved", "needs_host": True},
    {"name": "mine", "code": "log_pattern"},
]


def logged(pattern: str, line: str, path: str = "/var/log/orders.log") -> dict[str, Any]:
    return {"logs": [{"path": path, "problems": [], "matches": [{"pattern": pattern, "count": 3, "lines": [line]}]}]}


def test_what_a_log_says_needs_a_connection_that_is_missing() -> None:
    lost = [change(1000, ONE), change(1010), change(1025, ONE, 40001)]
    logs = logged("pkix", "PKIX path building failed")
    assert judged(of_host(lost, logs=logs), SHORT, signatures=SIGNATURES)[0] == ["wrong_truststore"]
    codes, record, _whole = judged(of_host(logs=logs), signatures=SIGNATURES)
    assert codes == []  # about another server
    assert "PKIX" in record["notes"][0]
    other = logged("pkix", "PKIX path building failed", "/var/log/other.log")
    assert judged(of_host(lost, logs=other), SHORT, signatures=SIGNATURES)[0] == []


def test_what_was_not_searched_in_a_log_is_told() -> None:
    log = {"path": "journal:orders-api", "problems": ["took longer than 30 s to read"], "matches": []}
    record = judged(of_host(logs={"logs": [log]}))[1]
    assert record["notes"] == ["journal:orders-api: took longer than 30 s to read"]
    record = judged(of_host(logs={"msg": "no python"}))[1]
    assert record["notes"] == ["its logs were not searched: no python"]


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        (f"java.net.UnknownHostException: {TWO}", ["unresolved", "did_not_reconnect"]),
        ("UnknownHostException: db", ["did_not_reconnect"]),
    ],
)
def test_a_name_in_a_log_has_to_be_the_brokers(line: str, codes: list[str]) -> None:
    lost = [change(1000, ONE), change(1010), change(1077, ONE, 40001)]
    assert judged(of_host(lost, logs=logged("dns", line)), signatures=SIGNATURES)[0] == codes


@pytest.mark.parametrize("path", ["/var/log/orders.log", "journal:orders-api"])
def test_what_the_user_does_not_want_in_a_log_is_a_reason_by_itself(path: str) -> None:
    codes, record, whole = judged(of_host(logs=logged("mine", "OutOfMemoryError", path)), signatures=SIGNATURES)
    assert codes == ["log_pattern"]
    assert "3 times mine: OutOfMemoryError" in record["reasons"][0]["message"]
    assert whole["failures"] == [f"app1: service orders-api: log_pattern: {record['reasons'][0]['message']}"]


# --- the whole -------------------------------------------------------------------------------------------------------


def test_exactly_the_one_of_thirteen_is_named() -> None:
    seen = {f"app{number:02}": of_host() for number in range(1, 14)}
    seen["app07"]["held"] = [held(f"failover:(ssl://{ONE}:61617)")]
    whole = report(seen, "orders", KNOWN, FAILOVER)
    assert [record["host"] for record in whole["services"] if record["survived"] is not True] == ["app07"]
    assert len(whole["failures"]) == 1
    assert "SURVIVED: 12 of 13 services" in whole["lines"]


@pytest.mark.parametrize(
    ("failover", "words"),
    [
        ({**FAILOVER, "passed": False, "failures": ["3 messages were lost"]}, "broker orders: 3 messages were lost"),
        ({"failed": True, "msg": "no credentials", "active_before": ONE}, "broker orders: no credentials"),
        ({"unreachable": True}, "broker orders: the test of the failover did not end"),
    ],
)
def test_the_brokers_own_judgement_counts(failover: dict[str, Any], words: str) -> None:
    whole = report({"app1": of_host()}, "orders", KNOWN, failover)
    assert whole["passed"] is False
    assert words in whole["failures"]


def test_what_comes_from_a_host_does_not_break_the_page() -> None:
    seen = of_host(held=[held(f"failover:(ssl://{ONE}:61617)")], logs=logged("mine", "a\x1b[2Jb"))
    whole = report({"app1": seen}, "orders", KNOWN, FAILOVER, SIGNATURES)
    assert all(line.isprintable() for line in whole["lines"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tcp://a.example.com:61616?x=1:2", {"a.example.com:61616"}),
        ("a:1,b:2", {"a:1", "b:2"}),
        ("ssl://[2001:db8::1]:61617", {"[2001:db8::1]:61617"}),
        ("{'host': 'a', 'port': 5}", {"a:5"}),
        ("12:30 true", set()),
        ("ssl://app:pw@a:61617", {"a:61617"}),
        ("x" * 100_000 + ":" * 100_000, set()),
    ],
)
def test_addresses_in_a_setting(text: str, expected: set[str]) -> None:
    assert addresses_in(text) == expected
