# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coverage of queues by consumers."""

from __future__ import annotations

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._coverage import (
    PHASES,
    Need,
    coverage_problems,
    live_queues,
    needs,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import (
    DURABLE_SUBSCRIPTION,
    QUEUE,
    Destination,
)

SUBSCRIPTION = Destination("events/client/sub", DURABLE_SUBSCRIPTION, pending=1, consumers=0, topic="events")
DESTINATIONS = [
    Destination("served", QUEUE, pending=0, consumers=2, bridges=0),
    Destination("served.and.bridged", QUEUE, pending=0, consumers=2, bridges=1),
    Destination("waiting", QUEUE, pending=5, consumers=0),
    Destination("idle", QUEUE, pending=0, consumers=0),
    Destination("unclear", QUEUE, pending=0, consumers=None),
    Destination("unclear.bridges", QUEUE, pending=0, consumers=1, bridges=None),
    Destination("bridged", QUEUE, pending=0, consumers=1, bridges=1),
    Destination("ActiveMQ.DLQ", QUEUE, pending=7, consumers=0),
    SUBSCRIPTION,
]


def problems(queues=(), subscriptions=()):
    results = [{"destinations": [d._asdict() for d in DESTINATIONS]}]
    return coverage_problems(results, ["one"], queues, subscriptions)


def test_absent_and_unknown_are_not_covered():
    queues = ["waiting", "served", "absent", "unclear", "unclear.bridges", SUBSCRIPTION.name, "waiting"]

    assert problems(queues) == [
        "broker one: no consumer for waiting, absent, unclear, unclear.bridges, events/client/sub"
    ]


def test_a_network_bridge_is_no_consumer():
    assert problems(["bridged", "served.and.bridged"]) == ["broker one: no consumer for bridged"]


def test_a_durable_subscription_is_covered_by_being_there():
    assert problems([], [SUBSCRIPTION.name]) == []
    assert problems([], ["events/other/sub", "served"]) == [
        "broker one: no durable subscription events/other/sub, served"
    ]


def test_nothing_asked_is_covered():
    assert problems() == []


def test_live_is_what_has_messages_or_consumers_or_may_have():
    assert live_queues(DESTINATIONS) == ["served", "served.and.bridged", "unclear", "unclear.bridges", "waiting"]


def test_problems_name_queue_and_broker():
    results = [
        {"destinations": [Destination("orders", QUEUE, consumers=1, bridges=0)._asdict()]},
        {"destinations": []},
        {"msg": "no instance answers"},
    ]

    assert coverage_problems(results, ["one", "two", "three"], ["orders"]) == [
        "broker two: no consumer for orders",
        "broker three: cannot be observed: no instance answers",
    ]


def test_of_a_broker_that_gets_nothing_more_only_what_holds_messages_needs_somebody():
    away = SUBSCRIPTION
    there = Destination("events/client/there", DURABLE_SUBSCRIPTION, pending=1, consumers=1, topic="events")
    done = Destination("events/client/done", DURABLE_SUBSCRIPTION, pending=0, consumers=0, topic="events")
    results = [{"destinations": [d._asdict() for d in (*DESTINATIONS, there, done)]}]
    queues = ["waiting", "idle", "served", "gone", "bridged"]
    subscriptions = [away.name, there.name, done.name, "gone"]

    assert coverage_problems(results, ["one"], queues, subscriptions, pending_only=True) == [
        "broker one: no consumer for waiting",
        "broker one: no subscriber for events/client/sub",
    ]


BRIDGED = Destination("events/nc_a_inbound_b/NC-DS_b_events", DURABLE_SUBSCRIPTION, pending=3, topic="events")
SOURCE = [
    Destination("orders", QUEUE, pending=0, consumers=1, bridges=0),
    Destination("backlog", QUEUE, pending=5, consumers=1, bridges=0),
    Destination("seldom", QUEUE, pending=0, consumers=0, bridges=0),
    Destination("forgotten", QUEUE, pending=0, consumers=0, bridges=0),
    Destination("ActiveMQ.DLQ", QUEUE, pending=1, consumers=0),
    SUBSCRIPTION,
    SUBSCRIPTION._replace(name="events/client/read", pending=0),
    BRIDGED,
]
TARGET = [Destination("new", QUEUE, pending=0, consumers=1, bridges=0)]
NAMED = ["orders", "seldom", "a.topic", "ActiveMQ.DLQ"]
BOTH_SUBSCRIPTIONS = ["events/client/read", "events/client/sub"]


@pytest.mark.parametrize(
    ("phase", "source", "target"),
    [
        ("source", Need(["backlog", "orders"], []), Need([], [])),
        (
            "both_target_first",
            Need(["backlog", "orders"], []),
            Need(["backlog", "new", "orders", "seldom"], BOTH_SUBSCRIPTIONS),
        ),
        (
            "drain",
            Need(["backlog"], ["events/client/sub"]),
            Need(["backlog", "new", "orders", "seldom"], BOTH_SUBSCRIPTIONS),
        ),
        ("target", Need(["backlog"], ["events/client/sub"]), Need(["new", "orders", "seldom"], BOTH_SUBSCRIPTIONS)),
    ],
)
def test_what_has_to_be_served_where_depends_on_the_phase(phase, source, target):
    assert needs(phase, SOURCE, TARGET, NAMED) == (source, target)


def test_every_phase_has_needs_and_another_is_refused():
    for phase in PHASES:
        assert needs(phase, [], [], ["orders"]) == (Need([], []), Need([], []))
    with pytest.raises(ValueError, match="unknown phase 'both'"):
        needs("both", [], [])


def test_what_is_not_known_is_live():
    unclear = [Destination("unclear", QUEUE)]

    assert needs("drain", unclear, []).source.queues == ["unclear"]
