# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coverage of queues by consumers."""

from __future__ import annotations

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._coverage import (
    coverage_problems,
    live_queues,
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
