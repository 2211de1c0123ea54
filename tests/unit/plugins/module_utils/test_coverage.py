# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coverage of queues by consumers."""

from __future__ import annotations

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._coverage import (
    ACCEPTABLE_UNKNOWNS,
    PHASES,
    Need,
    coverage_problems,
    live_queues,
    needs,
    subscription_name,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import (
    DURABLE_SUBSCRIPTION,
    QUEUE,
    Destination,
)


def durable(topic, client_id, subscription, **changes):
    name = f"{topic}/{client_id}/{subscription}"
    own = {"topic": topic, "client_id": client_id, "subscription": subscription}
    return Destination(name, DURABLE_SUBSCRIPTION, **{"pending": 1, "consumers": 0, **own, **changes})


SUBSCRIPTION = durable("events", "client", "sub")
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
        "broker one: cannot tell whether the consumers of unclear.bridges (1) are network bridges",
        "broker one: no consumer for waiting, absent, unclear, events/client/sub",
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
    there = durable("events", "client", "there", consumers=1)
    done = durable("events", "client", "done", pending=0)
    results = [{"destinations": [d._asdict() for d in (*DESTINATIONS, there, done)]}]
    queues = ["waiting", "idle", "served", "gone", "bridged"]
    subscriptions = [away.name, there.name, done.name, "gone"]

    assert coverage_problems(results, ["one"], queues, subscriptions, pending_only=True) == [
        "broker one: no consumer for waiting",
        "broker one: no subscriber for events/client/sub",
    ]


BRIDGED = durable("events", "nc_a_inbound_b", "NC-DS_b_events", pending=3)
SOURCE = [
    Destination("orders", QUEUE, pending=0, consumers=1, bridges=0),
    Destination("backlog", QUEUE, pending=5, consumers=1, bridges=0),
    Destination("seldom", QUEUE, pending=0, consumers=0, bridges=0),
    Destination("forgotten", QUEUE, pending=0, consumers=0, bridges=0),
    Destination("ActiveMQ.DLQ", QUEUE, pending=1, consumers=0),
    SUBSCRIPTION,
    durable("events", "client", "read", pending=0),
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


def seen(*destinations, **changes):
    return {"destinations": [one._asdict() for one in destinations], "unknowns": [], "hidden_messages": 0, **changes}


@pytest.mark.parametrize("pending_only", [False, True])
@pytest.mark.parametrize("gap", ["destinations", "present"])
def test_a_view_that_may_not_list_what_matters_is_a_problem(gap, pending_only):
    result = seen(unknowns=[gap, "scheduled", "transactions", "broker_id"])

    found = coverage_problems([result], ["one"], [], [], pending_only)

    assert found == [f"broker one: the view cannot know {gap}"]
    assert coverage_problems([result], ["one"], [], [], pending_only, [gap]) == []


@pytest.mark.parametrize("pending_only", [False, True])
def test_subscriptions_that_a_view_cannot_know_are_a_problem_where_they_matter(pending_only):
    result, gap = seen(unknowns=["durable_subscriptions"]), ["durable_subscriptions"]
    problem = ["broker one: the view cannot know durable_subscriptions"]

    assert coverage_problems([result], ["one"], [], ["t/c/s"], pending_only) == problem
    assert coverage_problems([result], ["one"], [], ["t/c/s"], pending_only, gap) == []
    assert coverage_problems([result], ["one"], [], [], pending_only) == []
    assert coverage_problems([result], ["one"], [], [], pending_only, all_subscriptions=True) == problem
    assert coverage_problems([result], ["one"], [], [], pending_only, gap, True) == []


def test_a_subscriber_that_is_away_is_told_of_though_the_view_may_miss_others():
    result = seen(SUBSCRIPTION, unknowns=["durable_subscriptions"])

    found = coverage_problems([result], ["one"], [], ["events/client/sub"], True, ["durable_subscriptions"])

    assert found == ["broker one: no subscriber for events/client/sub"]


@pytest.mark.parametrize("pending_only", [False, True])
def test_messages_in_queues_that_the_view_does_not_list_are_a_problem(pending_only):
    result = seen(hidden_messages=7)

    found = coverage_problems([result], ["one"], [], [], pending_only)

    assert found == ["broker one: 7 messages are in queues that the view does not list"]
    assert coverage_problems([result], ["one"], [], [], pending_only, ["hidden_messages"]) == []


@pytest.mark.parametrize("hidden", [-1, 0, None])
def test_messages_on_their_way_are_no_problem(hidden):
    assert coverage_problems([seen(hidden_messages=hidden)], ["one"], []) == []


def test_consumers_that_may_be_bridges_can_be_accepted():
    results = [seen(*DESTINATIONS)]
    queues = ["unclear.bridges", "unclear", "bridged"]

    assert coverage_problems(results, ["one"], queues, accept_unknown=["bridges"]) == [
        "broker one: no consumer for unclear, bridged"
    ]


def test_only_what_can_be_accepted_is():
    assert coverage_problems([], [], [], accept_unknown=ACCEPTABLE_UNKNOWNS) == []
    with pytest.raises(ValueError, match="scheduled cannot be accepted as unknown"):
        coverage_problems([], [], [], accept_unknown=["scheduled"])


def test_subscriptions_of_the_same_name_are_told_apart():
    one, other = durable("a", "b/c", "d"), durable("a/b", "c", "d")

    wanted = needs("both_source_first", [one], [other]).target.subscriptions

    assert one.name == other.name
    assert wanted == ["a/b%2Fc/d"]
    assert coverage_problems([seen(other)], ["new"], [], wanted) == ["broker new: no durable subscription a/b%2Fc/d"]
    assert coverage_problems([seen(other, one)], ["new"], [], wanted) == []
    assert subscription_name(durable("a", "b%2Fc", "d")) == "a/b%252Fc/d"


@pytest.mark.parametrize("phase", ["both_source_first", "drain"])
def test_only_the_name_of_a_subscription_says_that_a_bridge_made_it(phase):
    own = durable("NC-DS_x/NC-DS_events", "NC-DS_client", "sub")

    assert needs(phase, [own, BRIDGED], []).target.subscriptions == ["NC-DS_x%2FNC-DS_events/NC-DS_client/sub"]


def test_a_queue_with_the_name_of_a_subscription_is_not_that_subscription():
    queue = Destination("events/client/sub", QUEUE, pending=1, consumers=1, bridges=0)

    wanted = needs("drain", [SUBSCRIPTION._replace(pending=0), queue], [])

    assert wanted.source == Need(["events/client/sub"], [])
