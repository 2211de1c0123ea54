# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a broker is drained, and what keeps it from being so. No time passes here."""

from __future__ import annotations

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _drain
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._drain import (
    DRAIN_SPEC,
    Drain,
    DrainError,
    Options,
    Progress,
    check,
    outcome,
    wait,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import (
    DURABLE_SUBSCRIPTION,
    QUEUE,
    Destination,
    Overview,
    Sample,
    ViewError,
)


def many(*destinations):
    """A broker with so many destinations that a glance is worth it."""
    return sample(*destinations, *(queue(f"idle{n}") for n in range(1000)))


def glancing(script, glances, **changes):
    """Wait with scripted samples and glances, the last of each repeated; the result and the times of both."""
    clock, samples, overviews = Clock(), list(script), list(glances)
    times = {"sample": [], "glance": []}

    def look(kind, items):
        def one():
            times[kind].append(clock.now - 1000)
            item = items.pop(0) if len(items) > 1 else items[0]
            if isinstance(item, Exception):
                raise item
            return item

        return one

    drain = Drain(options(**changes), clock)
    verdict = wait(drain, look("sample", samples), clock.sleep, glance=look("glance", overviews))
    return outcome(drain, verdict), times


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        assert seconds >= 0
        self.now += seconds


def options(**changes):
    defaults = {name: spec.get("default") for name, spec in DRAIN_SPEC.items()}
    return Options.from_params({**defaults, "timeout": 60.0, "stall_timeout": 20.0, **changes})


def queue(name="orders", pending=0, **changes):
    known = {
        "in_flight": 0,
        "enqueued": 100,
        "dequeued": 100 - (pending or 0),
        "consumers": 1,
        "producers": 0,
        "dlq": False,
    }
    return Destination(name, QUEUE, pending, **{**known, **changes})


def sample(*destinations, broker_id="ID:1", uptime_ms=None, scheduled=0, transactions=0, anonymous=0, unknowns=()):
    overview = Overview(broker_id, "onprem", "5.16.6", uptime_ms, 0)
    return Sample(
        0.0, "jolokia", "http://x", overview, list(destinations), scheduled, transactions, anonymous, unknowns, 0
    )


OUTAGE = ViewError("jolokia", "http://x", "Connection refused", transient=True)
REFUSED = ViewError("jolokia", "http://x", "the credentials are refused")


def run(script, tell=lambda verdict: None, **changes):
    """Wait with scripted samples, the last of which is repeated for ever; the result of queue_drain."""
    clock, left = Clock(), list(script)

    def take():
        item = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(item, Exception):
            raise item
        return item

    drain = Drain(options(**changes), clock)
    return outcome(drain, wait(drain, take, clock.sleep, tell))


def causes(result):
    return {item["name"]: item["cause"] for item in result["remaining"]}


# Drained


def test_empty_is_drained_only_after_it_was_stable():
    result = run([sample(queue())], stable_for=5.0)

    assert result["drained"] is True
    assert result["failed"] is False
    assert result["changed"] is False
    assert (result["reason"], result["elapsed"], result["samples"]) == ("drained", 5.0, 6)
    assert result["remaining"] == []
    assert result["selected"] == 1


def test_one_sample_is_never_enough():
    assert run([sample(queue())], stable_for=0.0)["samples"] == 2


def test_a_message_that_comes_and_goes_between_two_samples_starts_the_window_again():
    still, moved = sample(queue(enqueued=100)), sample(queue(enqueued=101))

    result = run([still, still, still, moved], stable_for=2.5)

    assert result["drained"]
    # Seen to move in the 4th sample, so the window begins with the 5th.
    assert result["samples"] == 8


def test_a_new_queue_that_was_used_starts_the_window_again():
    assert run([sample(), sample(), sample(queue("late", enqueued=1))], stable_for=2.0)["samples"] == 6


def test_a_queue_that_the_broker_removed_was_empty():
    assert run([sample(queue(), queue("gone")), sample(queue())], stable_for=1.0)["samples"] == 2


def test_messages_return_before_the_window_ends():
    result = run([sample(queue()), sample(queue()), sample(queue(pending=1)), sample(queue())], stable_for=2.0)

    assert result["drained"]
    assert result["samples"] == 6


@pytest.mark.parametrize(
    "restarted", [sample(queue(enqueued=0), broker_id="ID:2"), sample(queue(enqueued=0), uptime_ms=1)]
)
def test_a_restart_starts_the_window_again(restarted):
    before = sample(queue(), uptime_ms=50_000)

    result = run([before, before, before, restarted], stable_for=3.0)

    assert result["drained"]
    assert result["restarts"] == 1
    assert result["samples"] == 7


def test_uptime_that_grows_is_no_restart():
    assert run([sample(queue(), uptime_ms=1), sample(queue(), uptime_ms=2)], stable_for=1.0)["restarts"] == 0


def test_an_outage_starts_the_window_again():
    result = run([sample(queue()), sample(queue()), OUTAGE, sample(queue())], stable_for=2.0)

    assert result["drained"]
    assert result["elapsed"] == 5.0


# Not drained: each place where a message may be


@pytest.mark.parametrize(
    ("seen", "name", "cause"),
    [
        (sample(queue(pending=3, consumers=0)), "orders", "no_consumer"),
        (sample(queue(pending=3, in_flight=3)), "orders", "unacknowledged"),
        (sample(queue(pending=3, in_flight=3), transactions=1), "orders", "open_transaction"),
        (sample(queue(), transactions=1), "onprem", "open_transaction"),
        (sample(queue(), scheduled=2), "onprem", "scheduled"),
        (sample(queue(pending=3)), "orders", "not_dispatched"),
        (sample(queue(pending=None)), "orders", "unknown"),
        (
            sample(Destination("t/c/s", DURABLE_SUBSCRIPTION, 1, 0, 1, 0, 0, None, None, "t")),
            "t/c/s",
            "no_consumer",
        ),
    ],
)
def test_no_progress_ends_the_wait_early_with_a_cause(seen, name, cause):
    result = run([seen])

    assert (result["drained"], result["failed"], result["reason"]) == (False, True, "stalled")
    assert result["elapsed"] == 20.0
    assert causes(result)[name] == cause
    assert "broker onprem" in result["msg"]


def test_producers_that_keep_a_queue_busy_are_named_even_when_it_looks_empty():
    result = run([sample(queue(enqueued=n, dequeued=n)) for n in range(100, 200)], stall_timeout=5.0)

    assert result["reason"] == "timeout"
    assert causes(result) == {"orders": "producers"}


def test_producers_are_named_when_the_last_look_is_the_first_that_sees_a_message():
    looks = [sample(queue(enqueued=100 + n, dequeued=100 + n)) for n in range(20)]

    result = run([*looks, sample(queue(pending=1, enqueued=120, dequeued=119))], timeout=20.0)

    assert causes(result) == {"orders": "producers"}


def test_producers_that_send_while_it_drains_are_named():
    script = [sample(queue(pending=50, enqueued=100 + n, dequeued=50 + n)) for n in range(100)]

    result = run(script)

    assert result["reason"] == "timeout"
    assert causes(result) == {"orders": "producers"}
    assert result["remaining"][0]["eta"] is None


def test_draining_has_a_rate_and_an_estimate():
    script = [sample(queue(pending=1000 - 10 * n, enqueued=1000, dequeued=10 * n)) for n in range(100)]

    result = run(script, timeout=20.0, stall_timeout=5.0)

    assert result["reason"] == "timeout"
    assert causes(result) == {"orders": "draining"}
    assert result["remaining"][0]["rate"] == 10.0
    assert result["remaining"][0]["eta"] == 80.0
    assert "800 left, 10/s, about 80 s" in result["msg"]


def test_a_consumer_that_stops_is_found_out_after_it_was_fast():
    script = [sample(queue(pending=1000 - 10 * n, enqueued=1000, dequeued=10 * n)) for n in range(5)]
    stuck = sample(queue(pending=960, in_flight=500, enqueued=1000, dequeued=40))

    result = run([*script, stuck])

    assert result["reason"] == "stalled"
    assert causes(result) == {"orders": "unacknowledged"}


def test_progress_anywhere_keeps_the_wait_alive():
    script = [sample(queue(pending=5, consumers=0), queue("b", 900 - n, enqueued=900, dequeued=n)) for n in range(100)]

    assert run(script, stall_timeout=3.0)["reason"] == "timeout"


def test_a_restart_gives_time_for_progress_again():
    before = sample(queue(pending=5, dequeued=95))
    after = sample(queue(pending=5, enqueued=0, dequeued=0), broker_id="ID:2")

    result = run([before] * 15 + [after], stall_timeout=20.0)

    assert result["reason"] == "stalled"
    assert result["elapsed"] == 35.0


# Glances


def seen(total, broker_id="ID:1"):
    return Overview(broker_id, "onprem", "5.16.6", None, total)


def test_while_the_broker_says_that_it_is_not_empty_it_is_sampled_seldom():
    busy, empty = many(queue(pending=5, consumers=0)), many(queue())

    result, times = glancing([busy, busy, empty], [seen(5)] * 14 + [seen(0)], stable_for=3.0, stall_timeout=50.0)

    assert result["drained"]
    # A sample every ten seconds; as soon as a glance shows nothing left a sample follows, and then samples only.
    assert times["sample"] == [0.0, 10.0, 16.0, 17.0, 18.0, 19.0]
    assert times["glance"] == [*(float(n) for n in range(1, 10)), *(float(n) for n in range(11, 17))]
    assert result["samples"] == 6


def test_messages_on_other_queues_do_not_keep_a_drain_from_being_noticed():
    busy, empty = many(queue(pending=5), queue("other", 7)), many(queue(), queue("other", 7))

    result, times = glancing([busy, empty], [seen(12), seen(7)], destinations=["orders"], stable_for=1.0)

    assert result["drained"]
    assert times["sample"] == [0.0, 2.0, 3.0]


@pytest.mark.parametrize("overview", [seen(5, "ID:2"), seen(None)])
def test_a_glance_at_a_restarted_broker_or_at_nothing_is_followed_by_a_sample(overview):
    result, times = glancing([many(queue(pending=5)), many(queue())], [overview], stable_for=1.0)

    assert result["drained"]
    assert times["sample"][:2] == [0.0, 1.0]


def test_no_glance_where_it_is_not_worth_it_or_does_not_tell():
    for seldom in (
        sample(queue(pending=5)),
        many(queue(), Destination("t/c/s", DURABLE_SUBSCRIPTION, 1, 0, 1, 0, 0, None, None, "t")),
    ):
        _result, times = glancing([seldom], [AssertionError("must not be reached")], timeout=15.0)

        assert times["glance"] == []


def test_a_glance_that_fails_is_an_outage():
    result, times = glancing([many(queue(pending=5)), OUTAGE], [OUTAGE], outage_limit=5.0)

    assert result["reason"] == "error"
    assert len(times["glance"]) == 1


def test_a_glance_neither_misses_the_stall_nor_the_timeout():
    stuck = many(queue(pending=5, consumers=0))

    result, _times = glancing([stuck], [seen(5)], stall_timeout=7.0)
    assert (result["reason"], result["elapsed"]) == ("stalled", 7.0)
    result, _times = glancing([stuck], [seen(5)], stall_timeout=50.0, timeout=7.0)
    assert (result["reason"], result["elapsed"]) == ("timeout", 7.0)


# Dead letters, and what the view does not show


def grave(count):
    return queue("ActiveMQ.DLQ", count, enqueued=count, dequeued=0, consumers=0, dlq=True)


def test_dead_letters_that_still_arrive_are_a_cause():
    script = [sample(queue(), grave(n)) for n in range(100)]

    result = run(script, timeout=30.0, stall_timeout=50.0)

    assert result["reason"] == "timeout"
    assert causes(result) == {"ActiveMQ.DLQ": "dead_letters"}
    assert "ActiveMQ.DLQ 30 left, dead letters still arriving" in result["msg"]
    assert run(script, timeout=30.0, exclude=["ActiveMQ.DLQ"])["drained"]
    assert run([*script[:5], sample(queue(), grave(4))])["drained"]


def hiding(count, pending=0):
    return sample(queue(pending=pending))._replace(hidden_messages=count)


def test_hidden_messages_that_stay_are_a_gap():
    result = run([hiding(3), hiding(5), hiding(2)])

    assert (result["drained"], result["reason"]) == (False, "unknown")
    assert result["unknowns"] == ["hidden_messages"]
    assert "the broker counts 2 more messages than its queues show" in result["msg"]
    assert run([hiding(3)], accept_unknown=["hidden_messages"])["drained"]


@pytest.mark.parametrize(
    "script", [[hiding(3), hiding(0), hiding(4)], [hiding(-1), hiding(None), hiding(0), hiding(1)]]
)
def test_messages_on_their_way_are_not_hidden(script):
    assert run(script)["drained"]


@pytest.mark.parametrize("script", [[hiding(7), hiding(-13), hiding(7)], [hiding(7), hiding(None), hiding(8)]])
def test_a_sample_that_does_not_know_conceals_no_hidden_messages(script):
    result = run(script)

    assert (result["reason"], result["unknowns"]) == ("unknown", ["hidden_messages"])
    assert "the broker counts 7 more messages" in result["msg"]


@pytest.mark.parametrize("count", [None, -1])
def test_hidden_messages_that_no_sample_knows_are_a_gap(count):
    result = run([hiding(count)])

    assert (result["reason"], result["unknowns"]) == ("unknown", ["hidden_messages"])
    assert run([hiding(count)], accept_unknown=["hidden_messages"])["drained"]


def test_a_view_that_does_not_know_all_destinations_has_named_that_gap_already():
    script = [hiding(None)._replace(unknowns=("destinations",))]

    assert run(script)["unknowns"] == ["destinations"]
    assert run(script, accept_unknown=["destinations"])["drained"]


def test_subscriptions_of_the_same_name_are_told_apart():
    one, other = (
        Destination(
            "a/b/c/d", DURABLE_SUBSCRIPTION, 0, 0, sent, sent, 0, topic=topic, client_id=client, subscription="d"
        )
        for topic, client, sent in (("a", "b/c", 1), ("a/b", "c", 2))
    )

    assert run([sample(one, other)])["drained"]


# What is waited for


def test_dead_letters_and_the_brokers_own_are_reported_not_waited_for():
    result = run(
        [sample(queue(), queue("ActiveMQ.DLQ", 7, dlq=True), queue("grave", 1, dlq=True), queue("DLQ.empty"))],
    )

    assert result["drained"]
    assert result["dlq"] == [{"name": "ActiveMQ.DLQ", "pending": 7}, {"name": "grave", "pending": 1}]
    assert result["msg"].endswith("; dead letter queues with messages: ActiveMQ.DLQ (7), grave (1)")


def test_a_pattern_does_not_select_a_dead_letter_queue_but_its_name_does():
    seen = [sample(queue("ActiveMQ.DLQ", 7, consumers=0))]

    assert run(seen, destinations=["*"])["drained"]
    assert not run(seen, destinations=["ActiveMQ.DLQ"])["drained"]


def test_selection_and_exclusion():
    seen = [sample(queue("orders.new"), queue("orders.archive", 9), queue("billing", 9))]

    result = run(seen, destinations=["orders.*", "absent", "no*ne"], exclude=["*.archive"])

    assert result["drained"]
    assert result["selected"] == 1
    assert result["missing"] == ["absent"]


def test_a_query_narrows():
    seen = [sample(queue("orders.new"), queue("billing", 9))]

    assert run(seen, query="[?starts_with(name, 'orders')]")["drained"]
    assert not run(seen, query="[?starts_with(name, 'bill')]")["drained"]


@pytest.mark.parametrize("query", ["[?", "[].pending", "nonsense(@)", "[0].pending"])
def test_a_query_that_makes_no_sense(query):
    with pytest.raises(DrainError, match=r"^query: "):
        run([sample(queue())], query=query)


def test_a_query_needs_jmespath(monkeypatch):
    monkeypatch.setattr(_drain, "jmespath", None)

    with pytest.raises(DrainError, match="jmespath"):
        run([sample(queue())], query="[]")


def test_require_no_producers():
    busy, free = sample(queue(producers=1)), sample(queue())

    assert run([busy])["drained"]
    assert run([busy], require_no_producers=True)["reason"] == "stalled"
    assert causes(run([busy], require_no_producers=True)) == {"orders": "producers"}
    assert run([busy, busy, free], require_no_producers=True)["drained"]


# Unknown


@pytest.mark.parametrize(
    ("seen", "gap", "changes"),
    [
        (sample(queue(), scheduled=None, unknowns=("scheduled",)), "scheduled", {}),
        (sample(queue(), transactions=None, unknowns=("transactions",)), "transactions", {}),
        (sample(queue(), unknowns=("durable_subscriptions",)), "durable_subscriptions", {}),
        (sample(queue(enqueued=None)), "enqueued", {}),
        (sample(queue(), anonymous=1), "producers", {"require_no_producers": True}),
        (sample(queue(), anonymous=None), "producers", {"require_no_producers": True}),
        (sample(queue(producers=None)), "producers", {"require_no_producers": True}),
    ],
)
def test_a_gap_is_never_drained_unless_exactly_it_is_accepted(seen, gap, changes):
    result = run([seen], **changes)

    assert (result["drained"], result["failed"], result["reason"]) == (False, True, "unknown")
    assert result["unknowns"] == [gap]
    assert gap in result["msg"]
    others = [name for name in _drain.ACCEPTABLE_UNKNOWNS if name != gap]
    assert not run([seen], accept_unknown=others, **changes)["drained"]
    assert run([seen], accept_unknown=[gap], **changes)["drained"]


def test_a_passing_gap_starts_the_window_again():
    gap = sample(queue(), transactions=None, unknowns=("transactions",))

    result = run([sample(queue()), sample(queue()), gap, sample(queue())], stable_for=2.0)

    assert result["drained"]
    assert result["samples"] == 6


# Outages


def test_a_broker_that_never_answers_is_an_error_not_drained():
    result = run([OUTAGE], outage_limit=10.0)

    assert (result["drained"], result["failed"], result["reason"]) == (False, True, "error")
    assert result["elapsed"] == 10.0
    assert result["broker"] is None
    assert "Connection refused" in result["msg"]


def test_what_needs_a_person_ends_the_wait_at_once():
    result = run([REFUSED])

    assert (result["reason"], result["elapsed"]) == ("error", 0.0)


def test_a_failover_may_look_like_anything_for_a_while():
    assert run([sample(queue(pending=1)), REFUSED, OUTAGE, sample(queue())])["drained"]


def test_outages_count_one_by_one():
    flapping = [sample(queue(pending=5, consumers=0)), OUTAGE, OUTAGE] * 10 + [sample(queue())]

    assert run(flapping, outage_limit=3.0)["drained"]


def test_the_timeout_ends_an_outage_with_what_was_seen_last():
    result = run([sample(queue(pending=5, consumers=0)), OUTAGE], timeout=10.0, outage_limit=100.0)

    assert (result["reason"], result["elapsed"]) == ("timeout", 10.0)
    assert causes(result) == {"orders": "no_consumer"}


# Time


def test_the_last_look_is_at_the_timeout():
    result = run([sample(queue(pending=1))], timeout=10.0, poll_interval=3.0, stall_timeout=99.0)

    assert (result["elapsed"], result["samples"]) == (10.0, 5)


def test_the_window_ends_when_it_was_long_enough_not_a_poll_later():
    result = run([sample(queue())], stable_for=5.0, poll_interval=3.0)

    assert (result["elapsed"], result["samples"]) == (5.0, 3)


@pytest.mark.parametrize(("took", "pause"), [(0.0, 1.0), (0.25, 0.75), (0.75, 0.375), (4.0, 2.0)])
def test_a_slow_view_is_asked_as_often_as_wanted_but_not_all_the_time(took, pause):
    clock = Clock()
    drain = Drain(options(), clock)
    looked_at = clock.now
    clock.now += took

    assert drain.pause(looked_at) == pause


def test_empty_but_not_long_enough_is_a_timeout():
    result = run([sample(queue(pending=1))] * 9 + [sample(queue())], timeout=10.0)

    assert result["reason"] == "timeout"
    assert "has to stay so for 5 s" in result["msg"]


@pytest.mark.parametrize(
    "changes",
    [{"poll_interval": 0.0}, {"timeout": -1.0}, {"stable_for": 60.0}, {"stall_timeout": -1.0}, {"outage_limit": -1.0}],
)
def test_options_that_cannot_work(changes):
    with pytest.raises(DrainError, match=r"^(poll_interval|timeout|stable_for|stall_timeout|outage_limit): "):
        run([sample()], **changes)


def test_history_is_bounded_and_spread():
    script = [sample(queue(pending=5000 - n, enqueued=5000, dequeued=n)) for n in range(5000)]

    result = run(script, timeout=3000.0)

    assert len(result["history"]) <= 100
    elapsed = [entry["elapsed"] for entry in result["history"]]
    assert elapsed[0] == 0.0
    assert elapsed == sorted(elapsed)
    assert elapsed[-1] > 2900
    assert result["history"][0] == {
        "elapsed": 0.0,
        "pending": 5000,
        "remaining": 1,
        "open_transactions": 0,
        "scheduled": 0,
    }


# Check mode


def test_check_mode_looks_once_and_promises_nothing():
    drain = Drain(options(), Clock())

    result = outcome(drain, check(drain, lambda: sample(queue())))

    assert (result["drained"], result["failed"], result["reason"]) == (False, False, "check_mode")
    assert result["samples"] == 1


def test_check_mode_fails_when_there_is_nothing_to_see():
    def take():
        raise OUTAGE

    drain = Drain(options(), Clock())

    assert outcome(drain, check(drain, take))["failed"]


# Lines for people


def lines_of(script, **changes):
    lines, clock = [], Clock()
    progress = Progress(clock)

    def tell(verdict):
        lines.extend(progress.lines(verdict))
        clock.now += 1

    run(script, tell, **changes)
    return lines


def test_lines_say_what_changed():
    script = [sample(queue(pending=100 - 10 * n, enqueued=100, dequeued=10 * n)) for n in range(11)]

    lines = lines_of(script, stable_for=2.0)

    assert lines[:2] == ["orders 100 left", "orders 100 → 80 left, 10/s, about 8 s"]
    assert lines[-2:] == ["empty, has to stay so for 2 s", "drained, empty for 2 s"]


def test_nothing_new_is_not_said():
    lines = lines_of([sample(queue(pending=1, consumers=0))])

    assert lines[0] == "orders 1 left, no consumer"
    assert len(lines) == 2


def test_lines_are_few_and_harmless():
    many = [queue(f"q{n}\n\x1b{{{{ x }}}}", pending=n + 1, consumers=0) for n in range(50)]

    lines = lines_of([sample(*many)])

    assert lines[0] == "q49\\n\\x1b{{ x }} 50 left, no consumer"
    assert lines[5] == "and 45 more"
    assert len(lines) == 7


def test_an_outage_is_said_once():
    lines = lines_of([sample(queue()), OUTAGE, OUTAGE, OUTAGE, sample(queue())], stable_for=2.0)

    assert sum("not observable" in line for line in lines) == 1
