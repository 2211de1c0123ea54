# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coverage of queues by consumers."""

from __future__ import annotations

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._coverage import (
    coverage_gaps,
    coverage_problems,
    live_queues,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import (
    DURABLE_SUBSCRIPTION,
    QUEUE,
    Destination,
)

DESTINATIONS = [
    Destination("served", QUEUE, pending=0, consumers=2),
    Destination("waiting", QUEUE, pending=5, consumers=0),
    Destination("idle", QUEUE, pending=0, consumers=0),
    Destination("unclear", QUEUE, pending=0, consumers=None),
    Destination("ActiveMQ.DLQ", QUEUE, pending=7, consumers=0),
    Destination("events", DURABLE_SUBSCRIPTION, pending=1, consumers=1, topic="events"),
]


def test_absent_and_unknown_are_gaps():
    queues = ["waiting", "served", "absent", "unclear", "events", "waiting"]

    assert coverage_gaps(DESTINATIONS, queues) == ["waiting", "absent", "unclear", "events"]


def test_no_queue_has_no_gap():
    assert coverage_gaps(DESTINATIONS, []) == []


def test_live_is_what_has_messages_or_consumers_or_may_have():
    assert live_queues(DESTINATIONS) == ["served", "unclear", "waiting"]


def test_problems_name_queue_and_broker():
    results = [
        {"destinations": [Destination("orders", QUEUE, consumers=1)._asdict()]},
        {"destinations": []},
        {"msg": "no instance answers"},
    ]

    assert coverage_problems(results, ["one", "two", "three"], ["orders"]) == [
        "broker two: no consumer for orders",
        "broker three: cannot be observed: no instance answers",
    ]
