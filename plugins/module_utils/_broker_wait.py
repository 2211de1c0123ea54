# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""Waiting for an Amazon MQ broker. Pure but for what is injected: who looks, who probes, the clock and the sleep.

botocore has no waiter for Amazon MQ. Each wait here is a function of one answer of DescribeBroker, which tells what is
still missing; nothing missing ends it. Times are seconds. One limit holds for all waits of a run.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._amazon_mq import pending_words
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._probe import Probe

Answer = Mapping[str, Any]
Probes = Mapping[str, Probe]

RUNNING = "RUNNING"
#: A broker that serves, and one that follows another Region's.
READY = (RUNNING, "REPLICA")
#: States that end by themselves.
PASSING = ("CREATION_IN_PROGRESS", "REBOOT_IN_PROGRESS")
DELETING = "DELETION_IN_PROGRESS"
CREATION_FAILED = "CREATION_FAILED"

_FASTER = 1.5
_JITTER = 0.25


class BrokerWaitError(Exception):
    """A wait that ended without what it waited for. ``missing`` is what was, ``answer`` the broker as last seen."""

    def __init__(self, message: str, missing: list[str], answer: Answer | None) -> None:
        super().__init__(message)
        self.missing, self.answer = missing, answer


class OutOfSightError(Exception):
    """The API did not answer this time; it may the next time."""


class _EndedError(Exception):
    """What is waited for does not come any more."""


class Pauses(NamedTuple):
    """How long to wait for what.

    The pauses between looks grow from ``first`` to ``longest``: Amazon MQ's operations take minutes, and all clients
    of an account share 15 calls a second (Amazon MQ developer guide, "Quotas: API throttling").
    """

    timeout: float = 3600.0
    first: float = 1.0
    longest: float = 10.0
    #: A reboot that was not seen to start within that time, with nothing pending that would tell, may have been missed.
    #: A broker that was just created may be unknown for that long, and so may be whether one answers.
    grace: float = 60.0
    #: For how long in a row the API may not answer.
    outage: float = 300.0


class Wait:
    """Waits for one broker, and tells what was waited for and how long.

    ``look`` is DescribeBroker: None for a broker that does not exist. ``answering`` probes the endpoints of an answer;
    without it a broker that runs is good enough.

    Each method returns the answer in which nothing was missing.

    :raises BrokerWaitError: when the time is over, or it cannot come any more.
    """

    def __init__(
        self,
        look: Callable[[str], Answer | None],
        pauses: Pauses,
        answering: Callable[[Answer], Probes] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._look, self._pauses, self._answering = look, pauses, answering
        self._monotonic, self._sleep, self._chance = monotonic, sleep, chance
        self._began = monotonic()
        self.waited_for: list[str] = []
        #: Whether a reboot was taken for done that was never seen.
        self.reboot_unseen = False

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return self._monotonic() - self._began

    def settled(self, broker_id: str) -> Answer | None:
        """Until the broker is neither being created nor rebooted, whoever began that."""

        def missing(answer: Answer | None, dummy: float) -> list[str]:
            state = None if answer is None else answer.get("BrokerState")
            return [f"it is in state {state}"] if state in PASSING else []

        return self._until("the end of an operation under way", broker_id, missing)

    def created(self, broker_id: str) -> Answer | None:
        """Until the broker runs, and one of its endpoints answers."""

        def missing(answer: Answer | None, since: float) -> list[str]:
            if answer is None and since < self._pauses.grace:
                return ["it is not known yet"]
            return _not_running(answer)

        return self._until("the broker to run", broker_id, self._and_answer(missing))

    def rebooted(self, broker_id: str, was_pending: bool) -> Answer | None:
        """Until a reboot was seen to start, the broker runs, nothing is pending, and one of its endpoints answers.

        RebootBroker answers before anything has happened, so a broker that runs right after it proves nothing. The
        reboot has started when its state was seen, or when what was pending is so no more. When neither shows for the
        time of grace, it was too quick to be seen, unless something is still pending.
        """
        started = False

        def missing(answer: Answer | None, since: float) -> list[str]:
            nonlocal started
            left = _not_running(answer)
            waiting = pending_words(answer or {})
            if (answer or {}).get("BrokerState") == "REBOOT_IN_PROGRESS" or (was_pending and not waiting):
                started = True
            self.reboot_unseen = not started
            if not started and (waiting or since < self._pauses.grace):
                left.append("the reboot was not seen to start")
            return left + waiting

        return self._until("the reboot", broker_id, self._and_answer(missing))

    def gone(self, broker_id: str) -> Answer | None:
        """Until the broker does not exist any more."""

        def missing(answer: Answer | None, dummy: float) -> list[str]:
            if answer is None:
                return []
            state = answer.get("BrokerState")
            begun = "" if state == DELETING else ": the deletion was not seen to start"
            return [f"it is in state {state}{begun}"]

        return self._until("the broker to be gone", broker_id, missing)

    def _and_answer(self, missing: Callable[[Answer | None, float], list[str]]) -> Any:
        """The same, and then a broker behind one of the endpoints.

        It may be long in coming after the state says RUNNING, while the store is read (Amazon MQ developer guide,
        "Troubleshooting: Amazon MQ for ActiveMQ"). What cannot be known from here, such as behind a name that does not
        resolve, is not known an hour later.
        """
        unknown_since: float | None = None

        def both(answer: Answer | None, since: float) -> list[str]:
            nonlocal unknown_since
            left = missing(answer, since)
            if left or self._answering is None:
                return left
            probes = self._answering(answer or {})
            if any(seen.active for seen in probes.values()):
                return []
            reasons = "; ".join(f"{url}: {seen.reason}" for url, seen in probes.items()) or "there is none"
            if probes and all(seen.active is None for seen in probes.values()):
                unknown_since = since if unknown_since is None else unknown_since
                if since - unknown_since >= self._pauses.grace:
                    raise _EndedError(f"it cannot be told from here whether an endpoint answers: {reasons}")
            else:
                unknown_since = None
            return [f"no endpoint answers: {reasons}"]

        return both

    def _until(self, what: str, broker_id: str, missing: Callable[[Answer | None, float], list[str]]) -> Answer | None:
        self.waited_for.append(what)
        begin = self._monotonic()
        seen: Answer | None = None
        pause = self._pauses.first
        blind_since: float | None = None
        while True:
            try:
                answer = self._look(broker_id)
                seen, blind_since = answer or seen, None
                left = missing(answer, self._monotonic() - begin)
            except OutOfSightError as exc:
                now = self._monotonic()
                blind_since = now if blind_since is None else blind_since
                left = [f"the API does not answer: {exc}"]
                if now - blind_since >= self._pauses.outage:
                    raise BrokerWaitError(f"waited for {what}, but {left[0]}", left, seen) from exc
            except _EndedError as exc:
                raise BrokerWaitError(f"waited for {what}, but {exc}", [str(exc)], seen) from None
            if not left:
                return answer
            remaining = self._pauses.timeout - self.elapsed
            if remaining <= 0:
                raise BrokerWaitError(
                    f"waited for {what}, but {self._pauses.timeout:g} s are over: {'; '.join(left)}", left, seen
                )
            self._sleep(min(pause * (1 + _JITTER * self._chance()), remaining))
            pause = min(pause * _FASTER, max(self._pauses.longest, self._pauses.first))


class NoWait:
    """Waits for nothing: for check mode, and for whoever does not want to wait."""

    elapsed = 0.0
    reboot_unseen = False

    def __init__(self) -> None:
        self.waited_for: list[str] = []

    def settled(self, broker_id: str) -> Answer | None:
        """Nothing is known."""
        return None

    def created(self, broker_id: str) -> Answer | None:
        """Nothing is known."""
        return None

    def rebooted(self, broker_id: str, was_pending: bool) -> Answer | None:
        """Nothing is known."""
        return None

    def gone(self, broker_id: str) -> Answer | None:
        """Nothing is known."""
        return None


def _not_running(answer: Answer | None) -> list[str]:
    """What keeps a broker from running. Raises _EndedError for a state that does not end by itself."""
    if answer is None:
        raise _EndedError("it does not exist any more")
    state = answer.get("BrokerState")
    if state in READY:
        return []
    if state in PASSING:
        return [f"it is in state {state}"]
    raise _EndedError(f"it is in state {state}{reasons(answer)}")


def reasons(answer: Answer) -> str:
    """What the API gives as reasons for a state, as the end of a sentence."""
    found = [
        " ".join(filter(None, (action.get("ActionRequiredCode"), action.get("ActionRequiredInfo"))))
        for action in answer.get("ActionsRequired") or []
    ]
    return f" ({'; '.join(found)})" if found else ""
