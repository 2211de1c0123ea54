# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a timeline tells of a failover, and how it is judged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover import (
    Event,
    Holdings,
    Limits,
    Outage,
    active,
    dead_letter_growth,
    failovers,
    judge,
    line,
    missing_consumers,
    outages,
    periods,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import (
    QUEUE,
    Destination,
    Overview,
    Sample,
)

DOUBLE = [
    Event(0, "up", "one"),
    Event(10, "reboot"),
    Event(11, "down", "one", "closed by the broker"),
    Event(14, "up", "two"),
    Event(30, "down", "two"),
    Event(32.5, "up", "one"),
]
FINE = {"sent": 100, "received": 100, "lost": 0, "duplicated": 1, "reordered": 0, "max_gap": 3.1}


def test_a_reboot_of_a_pair_is_two_failovers_and_ends_where_it_began():
    assert failovers(DOUBLE) == 2
    assert outages(DOUBLE) == [Outage(11, 14, "one", "two"), Outage(30, 32.5, "two", "one")]
    assert active(DOUBLE, 10) == "one"
    assert active(DOUBLE, 20) == "two"
    assert active(DOUBLE) == "one"


def test_a_restart_of_a_single_instance_is_an_outage_and_no_failover():
    events = [Event(0, "up", "one"), Event(5, "down", "one"), Event(65, "up", "one")]

    assert failovers(events) == 0
    assert [outage.seconds for outage in outages(events)] == [60]


def test_a_silent_death_counts_from_when_the_instance_was_last_heard():
    # Noticed after the other one was up already: the order of coming in is not the order of time.
    events = [Event(0, "up", "one"), Event(14, "up", "two"), Event(11, "down", "one")]

    assert outages(events) == [Outage(11, 14, "one", "two")]


def test_an_instance_that_takes_over_at_once_leaves_no_outage():
    events = [Event(0, "up", "one"), Event(5, "up", "two"), Event(6, "down", "one")]

    assert outages(events) == []
    assert failovers(events) == 1


def test_an_outage_that_lasts_has_no_end():
    events = DOUBLE[:3]

    assert outages(events) == [Outage(11, None, "one", None)]
    assert active(events) is None
    assert judge(events, FINE, Limits()) == ["no instance answers since one ceased to"]


def test_an_end_without_a_begin_and_a_second_begin_count_for_nothing():
    events = [Event(1, "down", "two"), Event(2, "up", "one"), Event(3, "up", "one"), Event(9, "down", "one")]

    assert [(period.begin, period.end) for period in periods(events)] == [(2, 9)]


@given(st.lists(st.tuples(st.floats(0, 1000), st.sampled_from(["up", "down"]), st.sampled_from("ab")), max_size=30))
def test_outages_are_in_order_and_do_not_overlap(rows):
    found = outages([Event(*row) for row in rows])

    moments = [moment for outage in found for moment in (outage.begin, outage.end) if moment is not None]
    assert moments == sorted(moments)
    assert all(outage.end is not None for outage in found[:-1])


def test_a_failover_within_the_limits_has_no_failures():
    assert judge(DOUBLE, FINE, Limits(max_outage=3, max_gap=4, max_reordered=0, min_failovers=2)) == []


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (Limits(max_outage=2.9), "no instance answered for 3.0 s between one and two, allowed are 2.9 s"),
        (Limits(min_failovers=3), "the active role moved twice, at least 3 times was wanted"),
        (Limits(max_duplicated=0), "1 messages of the canary came more than once, allowed are 0"),
        (Limits(max_gap=3), "no message of the canary came for 3.1 s, allowed are 3 s"),
    ],
)
def test_what_exceeds_a_limit_is_told(limits, sentence):
    assert judge(DOUBLE, FINE, limits) == [sentence]


def test_a_lost_message_is_a_failure_unless_somebody_allows_it():
    assert "lost" in judge(DOUBLE, {**FINE, "lost": 1}, Limits())[0]
    assert judge(DOUBLE, {**FINE, "lost": 1}, Limits(max_lost=1)) == []


def test_consumers_that_stay_away_and_new_dead_letters_are_failures():
    before = Holdings({"orders": 2, "bills": 1, "dark": None}, {"ActiveMQ.DLQ": 3})
    after = Holdings({"orders": 1, "dark": 0}, {"ActiveMQ.DLQ": 5, "DLQ.new": 1})

    assert missing_consumers(before, after) == [
        "queue bills has no consumer, before it had 1",
        "queue orders has 1 consumer, before it had 2",
    ]
    assert dead_letter_growth(before, after) == 3
    failures = judge(DOUBLE, FINE, Limits(), before, after)
    assert failures[0] == "3 messages came into dead letter queues, allowed are 0"
    assert len(failures) == 3
    assert judge(DOUBLE, FINE, Limits(consumers=False, max_dlq_growth=None), before, after) == []


def test_holdings_leave_the_canary_and_the_brokers_own_queues_out():
    def queue(name, pending=0, consumers=0, dlq=False):
        return Destination(name, QUEUE, pending, 0, 0, 0, consumers, 0, dlq)

    destinations = [
        queue("orders", consumers=2),
        queue("mqlift.canary", consumers=1),
        queue("ActiveMQ.DLQ", 4, dlq=True),
    ]
    sample = Sample(1.5, "jolokia", "http://a", Overview("ID:1", "onprem"), destinations, 0, 0, 0, (), 0)

    assert Holdings.of(sample, "mqlift.canary") == Holdings({"orders": 2}, {"ActiveMQ.DLQ": 4}, 1.5)


def test_what_is_not_known_is_neither_nothing_nor_growth():
    before = Holdings({"orders": 4, "dark": None, "idle": 0}, {"ActiveMQ.DLQ": 0, "DLQ.dark": None})
    after = Holdings({"orders": None, "dark": None, "idle": None}, {"ActiveMQ.DLQ": None, "DLQ.dark": 5})

    assert dead_letter_growth(before, after) == 0
    assert judge(DOUBLE, FINE, Limits(), before, after) == [
        "how many messages dead letter queue ActiveMQ.DLQ holds is not known any more",
        "the consumers of queue orders are not known any more, before there were 4",
    ]


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (DOUBLE[2], "   11.0 s  one ceased to answer: closed by the broker"),
        (Event(3, "state", "", "REBOOT_IN_PROGRESS"), "    3.0 s  the API says REBOOT_IN_PROGRESS"),
        (Event(3, "producer_up", "one"), "    3.0 s  canary: the producer is connected (one)"),
        (Event(3, "note", "", "evil\nline"), "    3.0 s  evil"),
    ],
)
def test_a_line_is_one_line(event, text):
    assert line(event, 0).startswith(text)
    assert "\n" not in line(event, 0)
