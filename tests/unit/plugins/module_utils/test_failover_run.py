# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The course of a failover test, by a script of what happens when, and a clock that runs as it is told."""

from __future__ import annotations

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover import Holdings, Limits
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_run import (
    FailoverError,
    FailoverTest,
    LookError,
    Options,
    State,
    StateError,
    Timeline,
)

ONE, TWO = "stomp+ssl://one:61614", "stomp+ssl://two:61614"
CLEAN = {"sent": 9, "received": 9, "lost": 0, "duplicated": 0, "reordered": 0, "max_gap": 1.0, "max_send_gap": 1.0}


class World:
    """Everything that the test is given. ``script`` maps seconds after the reboot to what happens then."""

    def __init__(self, script=(), **options):
        self.time = 1000.0
        self.rebooted_at = None
        self.script = sorted(script, key=lambda row: row[0])
        self.told = []
        self.timeline = Timeline(self.told.append)
        self.monitors = [FakeMonitor(ONE), FakeMonitor(TWO)]
        self.canary = FakeCanary()
        self.api_state = State("RUNNING")
        self.asked = 0
        self.holdings = Holdings({"orders": 2}, {"ActiveMQ.DLQ": 0})
        self.looks = []
        self.late = 0.0
        limits = options.pop("limits", Limits(min_failovers=1))
        self.options = Options(**{"reboot": True, "limits": limits, "settle": 5.0, **options})
        self.happen(self.up, 0)

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.time += seconds
        while self.script and self.rebooted_at is not None and self.script[0][0] <= self.time - self.rebooted_at:
            dummy_when, what, *arguments = self.script.pop(0)
            self.happen(getattr(self, what), *arguments)

    def happen(self, what, *arguments):
        what(*arguments)

    def up(self, number):
        self.monitors[number].up = True
        self.timeline.tell(self.time, "up", self.monitors[number].url)

    def down(self, number):
        self.monitors[number].up = False
        self.timeline.tell(self.time, "down", self.monitors[number].url, "closed by the broker")

    def lose_canary(self, reason):
        self.canary.settled = False
        self.canary.reasons["producer"] = reason

    def says(self, *state):
        self.api_state = State(*state)

    def unknown(self):
        self.api_state = StateError("Failed to describe the broker: slow down")

    # the API

    def reboot(self):
        self.rebooted_at = self.time

    def state(self):
        self.asked += 1
        if isinstance(self.api_state, Exception):
            raise self.api_state
        return self.api_state

    def look(self):
        seen = self.looks.pop(0) if self.looks else self.holdings
        if isinstance(seen, LookError):
            raise LookError(str(seen))
        return seen._replace(taken_at=self.time - self.late)

    def test(self, api=True):
        return FailoverTest(
            self.timeline,
            self.monitors,
            self.canary,
            self if api else None,
            self.look,
            self.options,
            self.now,
            self.sleep,
        )

    def run(self, api=True):
        return self.test(api).run()


class FakeMonitor:
    def __init__(self, url):
        self.url, self.up, self.reason, self.ended = url, False, "connection refused", False

    def start(self):
        pass

    def end(self):
        self.ended = True


class FakeCanary:
    def __init__(self):
        self.reasons = {"producer": "", "consumer": ""}
        self.foreign = self.leftovers = 0
        self.flows = self.settled = True
        self.calls = []
        self.ledger = self
        self.figures_now = dict(CLEAN)

    def figures(self):
        return self.figures_now

    def missing(self):
        return self.figures_now["lost"]

    def start(self):
        self.calls.append("start")

    def stop(self):
        self.calls.append("stop")

    def close(self):
        self.calls.append("close")


DOUBLE = [
    (1.0, "says", "REBOOT_IN_PROGRESS"),
    (2.0, "down", 0),
    (5.0, "up", 1),
    (20.0, "down", 1),
    (22.0, "up", 0),
    (23.0, "says", "RUNNING"),
]


def test_it_waits_for_both_failovers_and_then_for_quiet():
    world = World(DOUBLE)
    result = world.run()

    assert result["passed"], result["failures"]
    assert result["failovers"] == 2
    assert (result["active_before"], result["active_after"]) == ("one", "one")
    assert [round(outage["seconds"], 1) for outage in result["outages"]] == [3.0, 2.0]
    assert world.time - world.rebooted_at >= 28
    assert world.canary.calls == ["start", "stop", "close"]
    assert all(monitor.ended for monitor in world.monitors)
    assert [event.detail for event in world.told if event.event == "state"] == [
        "RUNNING",
        "REBOOT_IN_PROGRESS",
        "RUNNING",
    ]


def test_running_right_after_the_call_proves_nothing():
    # The API says RUNNING all the time until the reboot begins, long after a quiet time that would be enough.
    world = World([(40.0 + when, *what) for when, *what in DOUBLE])
    result = world.run()

    assert result["failovers"] == 2


def test_a_second_failover_after_running_is_waited_for_as_well():
    late = [(4.0, "says", "RUNNING") if row[1:] == ("says", "RUNNING") else row for row in DOUBLE]
    result = World(late, settle=16.0).run()

    assert result["failovers"] == 2


def test_changes_that_stay_pending_are_waited_for():
    world = World([*DOUBLE, (23.0, "says", "RUNNING", True), (60.0, "says", "RUNNING", False)])
    world.run()

    assert world.time - world.rebooted_at >= 60


def test_a_reboot_that_never_starts_is_a_failure():
    world = World(start_timeout=60.0)
    result = world.run()

    assert result["failures"][0] == "the reboot was not seen to start within 60 s"
    assert not result["passed"]


def test_a_broker_that_does_not_come_back_ends_the_wait_by_its_time():
    result = World(DOUBLE[:2], timeout=100.0).run()

    assert result["failures"][0] == "the failover was not over after 100 s: no instance answers"
    assert "no instance answers since one ceased to" in result["failures"]
    assert result["active_after"] is None


def test_a_broker_in_need_of_help_ends_the_wait_at_once_with_its_reasons():
    world = World([*DOUBLE[:2], (3.0, "says", "CRITICAL_ACTION_REQUIRED", False, ["BROKER_OOM"])])
    result = world.run()

    assert result["failures"][0] == "the broker is in the state CRITICAL_ACTION_REQUIRED: BROKER_OOM"
    assert world.time - world.rebooted_at < 30


def test_an_api_that_does_not_answer_for_a_while_is_noted_and_asked_again():
    world = World([(1.0, "unknown"), *DOUBLE[1:5], (24.0, "says", "RUNNING")])
    result = world.run()

    assert result["passed"]
    assert any("slow down" in event["detail"] for event in result["timeline"])


def test_the_api_is_asked_seldom():
    world = World([(300.0 + when, *what) for when, *what in DOUBLE], start_timeout=1000.0)
    world.run()

    assert world.asked < 50


def test_a_maintenance_by_somebody_else_is_followed_without_the_api():
    world = World(DOUBLE[1:5], reboot=False, limits=Limits(min_failovers=2))
    world.rebooted_at = world.time + 60
    result = world.run(api=False)

    assert result["passed"], result["failures"]
    assert result["failovers"] == 2


def test_consumers_get_time_to_come_back():
    world = World(DOUBLE)
    gone = Holdings({"orders": 0}, {"ActiveMQ.DLQ": 0})
    world.looks = [world.holdings, gone, LookError("the view is away"), gone]
    result = world.run()

    assert result["passed"]
    assert result["consumers"] == [{"queue": "orders", "before": 2, "after": 2}]


def test_consumers_that_stay_away_are_named():
    world = World(DOUBLE, recover_timeout=10.0)
    world.looks = [world.holdings] + [Holdings({"orders": 1}, {"ActiveMQ.DLQ": 2})] * 99
    result = world.run()

    assert result["failures"] == [
        "2 messages came into dead letter queues, allowed are 0",
        "queue orders has 1 consumer, before it had 2",
    ]
    assert result["dead_letters"] == [{"queue": "ActiveMQ.DLQ", "before": 0, "after": 2}]


def test_a_view_that_tells_nothing_afterwards_is_a_failure():
    world = World(DOUBLE, recover_timeout=10.0)
    world.looks = [world.holdings] + [LookError("the view is away")] * 99

    assert "the view is away" in world.run()["failures"][0]


def test_a_view_that_is_minutes_late_does_not_tell_of_the_time_before_the_failover():
    world = World(DOUBLE, recover_timeout=300.0)
    world.late = 120.0
    begun = world.time
    result = world.run()

    assert result["passed"]
    assert world.time - begun > 120

    world = World(DOUBLE, recover_timeout=10.0)
    world.late = 120.0
    assert world.run()["failures"] == ["the view tells of a time before the failover only"]


def test_who_does_not_ask_for_consumers_does_not_wait_for_them():
    world = World(DOUBLE, limits=Limits(min_failovers=1, consumers=False), recover_timeout=1000.0)
    world.looks = [world.holdings] + [Holdings({"orders": 0}, {"ActiveMQ.DLQ": 0})] * 99

    assert world.run()["passed"]
    assert world.time - world.rebooted_at < 100


def test_a_canary_that_does_not_come_back_is_a_failure():
    world = World([*DOUBLE, (21.0, "lose_canary", "one: the broker refuses: not authorized")])
    assert world.run()["failures"] == [
        "the canary did not recover within 60 s: its producer is not connected: one: the broker refuses: not authorized"
    ]

    world = World([*DOUBLE, (21.0, "lose_canary", "")])
    assert world.run()["failures"] == [
        "the canary did not recover within 60 s: the broker did not confirm its last message"
    ]


def test_an_instance_that_goes_away_during_the_warm_up_stops_the_test():
    world = World(warm_up=5.0)
    world.canary.start = lambda: None
    naps = iter([None, lambda: (world.down(0), world.up(0))])

    def sleep(seconds):
        world.time += seconds
        disturb = next(naps, None)
        if disturb:
            disturb()

    world.sleep = sleep
    with pytest.raises(FailoverError, match="during the warm-up"):
        world.run()
    assert world.rebooted_at is None


def test_another_canary_at_the_same_time_is_a_failure():
    world = World(DOUBLE)
    world.canary.foreign = 1

    assert "another canary" in world.run()["failures"][0]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda world: setattr(world.monitors[0], "up", False), "connection refused"),
        (lambda world: setattr(world.monitors[1], "up", True), "several answer"),
        (lambda world: world.canary.reasons.update(producer="the broker refuses: no"), "the broker refuses: no"),
        (lambda world: setattr(world.canary, "flows", False), "no message of the canary came through"),
        (lambda world: world.looks.append(LookError("no view")), "no view"),
    ],
)
def test_nothing_is_rebooted_when_something_is_wrong_before(spoil, reason):
    world = World(DOUBLE)
    spoil(world)

    with pytest.raises(FailoverError, match=reason):
        world.run()
    assert world.rebooted_at is None
    assert world.canary.calls[-1] == "close"
    assert all(monitor.ended for monitor in world.monitors)


def test_check_only_finds_the_active_instance():
    world = World()

    assert world.test().check() == "one"
    assert world.canary.calls == []
    assert world.rebooted_at is None
