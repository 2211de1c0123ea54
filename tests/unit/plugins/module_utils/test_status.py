# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status page: what is seen and what cannot be, for people and for programs."""

from __future__ import annotations

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import QUEUE, Destination
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._status import MAX_SHOWN, Broker, duration, status

FAILED = {"msg": "jolokia view of http://x: \x1b[2J refused", "view_error": {}}
SERVICES = {
    "app1": [{"name": "orders-api", "destinations": ["orders"]}],
    "app2": [{"name": "worker"}],
    "app3": [],
}


def queues(*destinations, **changes):
    broker = {"broker_id": "ID:1", "name": "inner", "version": "5.16.6", "uptime_ms": 93784000, "total_messages": 7}
    return {
        "broker": broker,
        "destinations": [d._asdict() for d in destinations],
        "open_transactions": 1,
        "scheduled": None,
        "view": "jolokia",
        "url": "http://x/api/jolokia",
        "unknowns": ["scheduled"],
        **changes,
    }


def client(host, **changes):
    return {
        "kind": "client",
        "client_id": "ID:app:1",
        "address": "10.0.0.1",
        "port": 5,
        "user": None,
        "connector": "openwire",
        "protocol": "openwire",
        "tls": False,
        "consumes": [],
        "produces": [],
        "producers": 0,
        "open_transactions": 0,
        "slow": False,
        "blocked": None,
        "host": host,
        "unknown": host is None,
        **changes,
    }


def census(*clients):
    return {"clients": list(clients)}


ORDERS = {"kind": "queue", "name": "orders"}
SENDER = client("app1", produces=[ORDERS])
WORKER = client("app2", consumes=[ORDERS, {"kind": "topic", "name": "news"}], open_transactions=2, slow=True, user="u")
STOMP_CONSUMER = client("app2", consumes=[ORDERS], producers=1)
SOURCE = Broker(
    "onprem",
    queues(
        Destination("orders", QUEUE, pending=5, in_flight=2, consumers=2, producers=1, bridges=1),
        Destination("stuck", QUEUE, pending=1, consumers=0),
        Destination("unclear", QUEUE),
        Destination("empty", QUEUE, pending=0, consumers=0),
        Destination("ActiveMQ.DLQ", QUEUE, pending=3, consumers=0),
        Destination(
            "news/app/sub",
            "durable_subscription",
            pending=4,
            consumers=0,
            topic="news",
            client_id="app",
            subscription="sub",
        ),
    ),
    census(SENDER, WORKER, client(None, address=None, port=None, protocol=None, tls=None, client_id="in{{ 1 }}\n")),
)
TARGET = Broker("aws", queues(), census())


def text(page):
    return "\n".join(page["lines"])


def test_the_page_is_readable():
    page = status(SOURCE, TARGET, SERVICES)

    assert page["lines"][0] == "SOURCE onprem"
    for line in (
        "inner, ActiveMQ 5.16.6, up 1 d 2 h, by jolokia view of http://x/api/jolokia",
        "7 messages, 6 queues and subscriptions, 1 open transactions, ? scheduled messages",
        "orders: 5 left, 2 of them held by consumers, 2 consumers, of which 1 are bridges, 1 producers",
        "stuck: 1 left, no consumers",
        "unclear: ? left, ? consumers",
        "news/app/sub: 4 left, its subscriber is away",
        "ActiveMQ.DLQ: 3 dead letters",
        "the view cannot know: scheduled",
        "app1 (orders-api)",
        "  onprem: 10.0.0.1:5 openwire, id ID:app:1, sends to orders",
        "  onprem: 10.0.0.1:5 openwire, id ID:app:1, user u, consumes orders topic news, 2 open transactions, slow",
        "onprem: inside the broker, id in{{ 1 }}\\n",
    ):
        assert f"  {line}" in page["lines"], line
    assert "empty: " not in text(page)


def test_the_data_behind_it():
    page = status(SOURCE, TARGET, SERVICES)

    assert page["phase"] == "source"
    assert page["reachable"] == {"source": True, "target": True}
    assert page["problems"] == ["broker onprem: no consumer for stuck, unclear"]
    assert [(one["broker"], one["client_id"]) for one in page["unknown"]] == [("onprem", "in{{ 1 }}\n")]
    assert page["missing"] == []


def test_a_host_whose_services_are_nowhere_is_missing():
    page = status(SOURCE._replace(connections=census(SENDER)), TARGET, SERVICES)

    assert page["missing"] == ["app2"]
    assert "    not connected" in page["lines"]


@pytest.mark.parametrize(
    ("here", "there", "phase"),
    [
        ([SENDER, WORKER], [], "source"),
        ([], [SENDER, WORKER], "target"),
        ([SENDER, WORKER], [WORKER], "both_source_first"),
        ([WORKER], [SENDER, WORKER], "drain"),
        ([client(None)], [SENDER], "target"),
        # A consumer's STOMP connection has a producer without a destination, too.
        ([STOMP_CONSUMER], [SENDER, STOMP_CONSUMER], "drain"),
        ([client("app1", producers=1), WORKER], [WORKER], "both_source_first"),
        # What may not be read.
        ([client("app2", produces=None, producers=None)], [SENDER, WORKER], "both_source_first"),
        ([], [], "both_source_first"),
        ([client(None)], [], "both_source_first"),
    ],
)
def test_the_phase_is_where_the_clients_are(here, there, phase):
    page = status(SOURCE._replace(connections=census(*here)), TARGET._replace(connections=census(*there)), SERVICES)

    assert page["phase"] == phase


def test_coverage_is_that_of_the_phase():
    assert status(SOURCE, TARGET, SERVICES, "both_target_first")["problems"] == [
        "broker onprem: no consumer for stuck, unclear",
        "broker aws: no consumer for orders, stuck, unclear",
        "broker aws: no durable subscription news/app/sub",
    ]
    with pytest.raises(ValueError, match="unknown phase"):
        status(SOURCE, TARGET, SERVICES, "sideways")


def test_coverage_says_what_a_view_cannot_know():
    source = SOURCE._replace(queues=queues(unknowns=["destinations", "durable_subscriptions"]))
    target = TARGET._replace(queues=queues(Destination("a", QUEUE, pending=1, consumers=2), unknowns=["destinations"]))

    assert status(source, target, SERVICES, "drain")["problems"] == [
        "broker onprem: the view cannot know destinations, durable_subscriptions",
        "broker aws: the view cannot know destinations",
        "broker aws: cannot tell whether the consumers of a (2) are network bridges",
    ]
    assert status(source, target, SERVICES, "source", ["destinations"])["problems"] == []
    accepted = ["bridges", "destinations", "durable_subscriptions"]
    assert status(source, target, SERVICES, "drain", accepted)["problems"] == []


def test_a_broker_that_does_not_answer_is_said_to_be_so():
    page = status(SOURCE, Broker("aws", FAILED, FAILED), SERVICES)

    assert page["reachable"] == {"source": True, "target": False}
    assert "  cannot be observed: jolokia view of http://x: \\x1b[2J refused" in page["lines"]
    assert any(problem.startswith("broker aws: cannot be observed") for problem in page["problems"])
    assert "\x1b" not in text(page)
    assert "  nobody, where clients could be seen" in status(TARGET, Broker("aws", FAILED, FAILED), SERVICES)["lines"]
    assert page["missing"] == []


def test_neither_answers():
    page = status(Broker("onprem", FAILED, FAILED), Broker("aws", FAILED, FAILED), SERVICES)

    assert page["reachable"] == {"source": False, "target": False}
    assert "    not seen" in page["lines"]


def test_a_view_without_connections_leaves_the_census_open():
    page = status(SOURCE._replace(connections={"msg": "does not know connections"}), TARGET, SERVICES)

    assert "broker onprem: no census: does not know connections" in page["problems"]


def test_a_long_page_is_cut_and_says_so():
    many = [client(None, port=number) for number in range(MAX_SHOWN + 7)]
    page = status(SOURCE._replace(connections=census(*many)), TARGET, SERVICES)

    assert len(page["unknown"]) == MAX_SHOWN + 7
    assert "  ... and 7 more" in page["lines"]


def test_bridges_and_tools_are_no_unknown_clients():
    bridge = client(None, kind="bridge", unknown=False)
    page = status(SOURCE, TARGET._replace(connections=census(bridge)), SERVICES)

    assert "  aws: bridge 10.0.0.1:5 openwire, id ID:app:1" in page["lines"]
    assert len(page["unknown"]) == 1


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.4, "0 s"), (59, "59 s"), (60, "1 min"), (3661, "1 h 1 min"), (86400, "1 d")]
)
def test_durations(seconds, shown):
    assert duration(seconds) == shown
