# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records, names and patterns."""

from __future__ import annotations

import json
import time

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import (
    DURABLE_SUBSCRIPTION,
    QUEUE,
    Destination,
    Overview,
    Sample,
    ViewError,
    consumes,
    covers,
    is_dead_letter,
    is_internal,
    matches,
    sample_from_dict,
    sample_to_dict,
    shown,
)


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("orders", "orders", True),
        ("orders", "order", False),
        ("Orders", "orders", False),
        ("orders.new", "orders.*", True),
        ("orders", "orders.*", False),
        ("a.b.c", "a*c", True),
        ("a.b.c", "*b*", True),
        ("a.b.c", "*", True),
        ("", "*", True),
        ("aa", "a*a", True),
        ("a", "a*a", False),
        ("abcabc", "*abc*abc*", True),
        ("abc", "*abc*abc*", False),
        ("q[1]?", "q[1]?", True),
        ("q1x", "q[1]?", False),
        ("a*b", "a*b", True),
        ("line\nbreak", "line*", True),
    ],
)
def test_a_star_stands_for_any_text_and_nothing_else_is_special(name, pattern, expected):
    assert matches(name, pattern) is expected


def test_a_hostile_pattern_is_not_slow():
    started = time.monotonic()

    assert not matches("a" * 1000 + "b", "*a" * 500 + "*c")
    assert time.monotonic() - started < 1


def test_a_durable_subscription_is_covered_by_its_topic_and_by_its_name():
    subscription = Destination("events/client/sub", DURABLE_SUBSCRIPTION, topic="events")

    assert covers(["events"], subscription)
    assert covers(["events/client/*"], subscription)
    assert not covers(["client"], subscription)


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        (Destination("ActiveMQ.DLQ", QUEUE), True),
        (Destination("ActiveMQ.DLQ.Queue.orders", QUEUE), True),
        (Destination("DLQ.orders", QUEUE), True),
        (Destination("graveyard", QUEUE, dlq=True), True),
        (Destination("orders", QUEUE, dlq=False), False),
        (Destination("orders.DLQ", QUEUE), False),
    ],
)
def test_dead_letter_queues_are_known_by_name_or_attribute(destination, expected):
    assert is_dead_letter(destination) is expected


def test_the_brokers_own_destinations_are_internal():
    assert is_internal(Destination("ActiveMQ.Advisory.Connection", QUEUE))
    assert not is_internal(Destination("orders", QUEUE))


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("orders.new", "orders.new", True),
        ("orders.new", "orders.old", False),
        ("orders.*", "orders.new", True),
        ("orders.*", "orders.new.eu", False),
        ("orders.>", "orders.new.eu", True),
        ("orders.>", "orders", True),
        ("orders.>", "invoices.new", False),
        (">", "anything.at.all", True),
        ("a,queue://orders.*", "orders.new", True),
        ("*", "orders.new", False),
    ],
)
def test_what_a_consumer_receives(pattern, name, expected):
    assert consumes(pattern, name) is expected


def test_what_people_see_has_no_control_characters_and_an_end():
    assert shown("a\nb\x1b[31m") == "a\\nb\\x1b[31m"
    assert shown("päck→🎁") == "päck→🎁"
    assert len(shown("x" * 1000)) == 200
    assert shown("\u202e") == "\\u202e"


def test_a_sample_survives_json():
    sample = Sample(
        taken_at=1.5,
        view="jolokia",
        url="http://broker.example/api/jolokia",
        overview=Overview("ID:1", "onprem", "5.16.6", 5, 3),
        destinations=[Destination('q:1 "{{ x }}"', QUEUE, pending=3, dlq=False)],
        scheduled=None,
        open_transactions=0,
        anonymous_producers=0,
        unknowns=("scheduled",),
    )

    assert sample_from_dict(json.loads(json.dumps(sample_to_dict(sample)))) == sample


def test_a_view_error_survives_a_modules_result():
    error = ViewError("jolokia", "http://broker.example", "no", transient=True)

    again = ViewError(**error.to_dict())

    assert str(again) == str(error) == "jolokia view of http://broker.example: no"
    assert again.transient
