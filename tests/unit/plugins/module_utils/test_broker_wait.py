# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for a broker: scripted answers, a clock that only sleeping moves."""

from __future__ import annotations

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._broker_wait import (
    BrokerWaitError,
    NoWait,
    OutOfSightError,
    Pauses,
    Wait,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._probe import Probe

CREATING = {"BrokerState": "CREATION_IN_PROGRESS"}
RUNNING = {"BrokerState": "RUNNING"}
REBOOTING = {"BrokerState": "REBOOT_IN_PROGRESS"}
DELETING = {"BrokerState": "DELETION_IN_PROGRESS"}
STAGED = {**RUNNING, "PendingEngineVersion": "5.19", "Users": [{"Username": "app", "PendingChange": "CREATE"}]}
FAILED = {
    "BrokerState": "CREATION_FAILED",
    "ActionsRequired": [{"ActionRequiredCode": "X", "ActionRequiredInfo": "no subnet"}],
}
CRITICAL = {
    "BrokerState": "CRITICAL_ACTION_REQUIRED",
    "ActionsRequired": [{"ActionRequiredCode": "BROKER_OOM"}, {"ActionRequiredCode": "BROKER_ENI_DELETED"}],
}
PAUSES = Pauses(timeout=1000.0, first=1.0, longest=10.0, grace=60.0, outage=300.0)


class Scene:
    """The last answer of the script stays. ``clock`` moves by sleeping only."""

    def __init__(self, script, pauses=PAUSES, answering=None):
        self.script, self.clock, self.slept, self.looks = list(script), 0.0, [], 0
        self.wait = Wait(self.look, pauses, answering, lambda: self.clock, self.sleep, lambda: 0.0)

    def look(self, broker_id):
        assert broker_id == "b-1"
        self.looks += 1
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.clock += seconds


@pytest.mark.parametrize(
    "script", [[RUNNING], [CREATING, CREATING, RUNNING], [None, CREATING, RUNNING], [{"BrokerState": "REPLICA"}]]
)
def test_a_creation(script):
    scene = Scene(script)

    assert scene.wait.created("b-1") == script[-1]
    assert scene.looks == len(script)
    assert scene.wait.waited_for == ["the broker to run"]


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (FAILED, "CREATION_FAILED .X no subnet."),
        (CRITICAL, "CRITICAL_ACTION_REQUIRED .BROKER_OOM; BROKER_ENI_DELETED."),
        (DELETING, "DELETION_IN_PROGRESS"),
    ],
)
def test_a_bad_end_ends_the_wait_at_once(end, reason):
    scene = Scene([CREATING, end])

    with pytest.raises(BrokerWaitError, match=reason) as caught:
        scene.wait.created("b-1")

    assert scene.looks == 2
    assert caught.value.answer == end


def test_a_broker_that_is_never_known():
    scene = Scene([None])

    with pytest.raises(BrokerWaitError, match="does not exist any more"):
        scene.wait.created("b-1")

    assert 60 <= scene.clock < 80


@pytest.mark.parametrize(
    ("script", "was_pending"),
    [
        # A broker that still runs right after the call proves nothing.
        ([RUNNING, RUNNING, REBOOTING, RUNNING], False),
        ([STAGED, STAGED, REBOOTING, {**REBOOTING, **STAGED, "BrokerState": "REBOOT_IN_PROGRESS"}, RUNNING], True),
        # Too quick to be seen, but nothing is pending any more.
        ([STAGED, RUNNING], True),
        # It runs before all is applied.
        ([REBOOTING, STAGED, RUNNING], True),
    ],
)
def test_a_reboot(script, was_pending):
    scene = Scene(script)

    assert scene.wait.rebooted("b-1", was_pending) == RUNNING
    assert scene.looks == len(script)
    assert not scene.wait.reboot_unseen


def test_a_reboot_that_shows_nowhere_is_taken_for_missed_after_a_while():
    scene = Scene([RUNNING])

    scene.wait.rebooted("b-1", was_pending=False)

    assert 60 <= scene.clock < 80
    assert scene.wait.reboot_unseen


def test_a_reboot_that_never_comes_is_no_reboot_while_something_is_pending():
    scene = Scene([STAGED])

    with pytest.raises(BrokerWaitError, match="1000 s are over") as caught:
        scene.wait.rebooted("b-1", was_pending=True)

    assert caught.value.missing == [
        "the reboot was not seen to start",
        "engine_version pending 5.19",
        "user app pending CREATE",
    ]
    assert caught.value.answer == STAGED
    assert scene.clock == pytest.approx(1000)


def test_a_broker_that_vanishes_during_its_reboot():
    with pytest.raises(BrokerWaitError, match="does not exist any more"):
        Scene([REBOOTING, None]).wait.rebooted("b-1", False)


def test_a_deletion():
    scene = Scene([RUNNING, DELETING, DELETING, None])

    assert scene.wait.gone("b-1") is None
    assert scene.looks == 4


def test_a_deletion_that_never_comes():
    with pytest.raises(BrokerWaitError, match="not seen to start") as caught:
        Scene([RUNNING]).wait.gone("b-1")

    assert caught.value.missing == ["it is in state RUNNING: the deletion was not seen to start"]


@pytest.mark.parametrize("end", [RUNNING, FAILED, CRITICAL, DELETING, None])
def test_an_operation_under_way_comes_to_its_end(end):
    scene = Scene([CREATING, REBOOTING, end])

    assert scene.wait.settled("b-1") == end


def test_pauses_grow_and_are_never_short_again():
    scene = Scene([CREATING] * 30 + [RUNNING])

    scene.wait.created("b-1")

    assert scene.slept[:3] == [1.0, 1.5, 2.25]
    assert scene.slept == sorted(scene.slept)
    assert set(scene.slept[8:]) == {10.0}


def test_pauses_have_some_chance_in_them():
    scene = Scene([CREATING, CREATING, RUNNING])
    scene.wait = Wait(scene.look, PAUSES, None, lambda: scene.clock, scene.sleep, lambda: 1.0)

    scene.wait.created("b-1")

    assert scene.slept == [1.25, 1.875]


def test_a_slow_start_stays_slow():
    scene = Scene([CREATING] * 4 + [RUNNING], PAUSES._replace(first=30.0))

    scene.wait.created("b-1")

    assert scene.slept == [30.0] * 4


def test_the_limit_is_one_for_all_waits():
    scene = Scene([CREATING] * 60 + [RUNNING, RUNNING, REBOOTING])
    scene.wait.created("b-1")
    before = scene.clock

    with pytest.raises(BrokerWaitError) as caught:
        scene.wait.rebooted("b-1", False)

    assert before > 500
    assert scene.clock == scene.wait.elapsed == pytest.approx(1000)
    assert caught.value.missing == ["it is in state REBOOT_IN_PROGRESS"]


def test_an_api_that_does_not_answer_for_a_while():
    scene = Scene([REBOOTING, OutOfSightError("x"), OutOfSightError("x"), RUNNING])

    assert scene.wait.rebooted("b-1", False) == RUNNING


def test_an_api_that_answers_no_more():
    scene = Scene([REBOOTING, OutOfSightError("connection refused")])

    with pytest.raises(BrokerWaitError, match="the API does not answer: connection refused") as caught:
        scene.wait.rebooted("b-1", False)

    assert 300 <= scene.clock < 320
    assert caught.value.answer == REBOOTING


class Endpoints:
    """Probes from a script; the last one stays."""

    def __init__(self, *script):
        self.script = list(script)

    def __call__(self, dummy):
        found = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return {f"ssl://{number}": Probe(active, "looked") for number, active in enumerate(found)}


def test_one_endpoint_that_answers_is_enough():
    endpoints = Endpoints((False, False), (None, False), (False, True))
    scene = Scene([REBOOTING, RUNNING], answering=endpoints)

    scene.wait.rebooted("b-1", False)

    assert scene.looks == 4


def test_nobody_is_probed_before_the_broker_runs():
    scene = Scene([CREATING, RUNNING], answering=Endpoints((True,)))
    probed = []
    scene.wait._answering = lambda answer: probed.append(answer) or {"ssl://x": Probe(True, "looked")}

    scene.wait.created("b-1")

    assert probed == [RUNNING]


def test_no_endpoint_answers():
    scene = Scene([RUNNING], answering=Endpoints((False, False)))

    with pytest.raises(BrokerWaitError, match="no endpoint answers: ssl://0: looked; ssl://1: looked"):
        scene.wait.created("b-1")

    assert scene.clock == pytest.approx(1000)


def test_what_cannot_be_known_from_here_is_not_waited_for():
    """A name that does not resolve, or a certificate that does not verify."""
    scene = Scene([RUNNING], answering=Endpoints((None, None), (None, False), (None, None)))

    with pytest.raises(BrokerWaitError, match="cannot be told from here"):
        scene.wait.created("b-1")

    assert 60 <= scene.clock < 90


def test_a_broker_without_endpoints():
    with pytest.raises(BrokerWaitError, match="no endpoint answers: there is none"):
        Scene([RUNNING], answering=lambda answer: {}).wait.created("b-1")


def test_who_does_not_wait_knows_nothing():
    wait = NoWait()

    assert wait.settled("b-1") is wait.created("b-1") is wait.rebooted("b-1", True) is wait.gone("b-1") is None
    assert (wait.elapsed, wait.waited_for, wait.reboot_unseen) == (0, [], False)
