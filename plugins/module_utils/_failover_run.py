# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""Running a failover test: canary and monitors first, then the reboot, then until all is quiet, then the judgement.

What the test needs is handed in: the monitors and the canary, the broker's API, a look at its queues, clock and sleep.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover import (
    DOWN,
    UP,
    Event,
    Holdings,
    Limits,
    active,
    failovers,
    judge,
    missing_consumers,
    outages,
)

#: A broker in one of these states does not come back by itself (Amazon MQ developer guide, "Broker statuses").
STUCK = ("CREATION_FAILED", "CRITICAL_ACTION_REQUIRED", "DELETION_IN_PROGRESS")
#: Events that are kept; a flapping instance would fill the memory.
MAX_EVENTS = 10_000
#: Seconds between two looks at what the threads found.
_LOOK = 0.1
#: Seconds from one question to the API to the next, at first; they grow to ``poll_interval``.
_FIRST_POLL = 1.0


#: The options of ``broker_failover``, without ``view`` and those of AWS.
FAILOVER_SPEC: dict[str, Any] = {
    "broker_id": {"type": "str"},
    "broker_name": {"type": "str"},
    "endpoints": {"type": "list", "elements": "str"},
    "username": {"type": "str", "required": True},
    "password": {"type": "str", "required": True, "no_log": True},
    "ca_file": {"type": "path"},
    "trigger": {"type": "str", "choices": ["reboot", "none"], "default": "reboot"},
    "canary_queue": {"type": "str", "default": "mqlift.canary"},
    "message_interval": {"type": "float", "default": 0.1},
    "probe_interval": {"type": "float", "default": 0.05},
    "connect_timeout": {"type": "float", "default": 1.0},
    "warm_up": {"type": "float", "default": 5.0},
    "settle": {"type": "float", "default": 30.0},
    "start_timeout": {"type": "float", "default": 300.0},
    "recover_timeout": {"type": "float", "default": 60.0},
    "timeout": {"type": "float", "default": 1800.0},
    "poll_interval": {"type": "float", "default": 10.0},
    "limits": {
        "type": "dict",
        "default": {},
        "apply_defaults": True,
        "options": {
            "max_outage": {"type": "float"},
            "max_gap": {"type": "float"},
            "max_lost": {"type": "int", "default": 0},
            "max_duplicated": {"type": "int"},
            "max_reordered": {"type": "int"},
            "max_dlq_growth": {"type": "int", "default": 0},
            "min_failovers": {"type": "int"},
            "consumers": {"type": "bool", "default": True},
        },
    },
    "_progress": {"type": "str"},
}


class FailoverError(Exception):
    """The test cannot begin. Nothing was rebooted."""


class StateError(Exception):
    """The API does not tell the broker's state this time."""


class LookError(Exception):
    """The view does not tell what the broker holds this time. ``str()`` says why."""


class State(NamedTuple):
    """What the API says of the broker; ``reasons`` are what it asks the owner to do."""

    state: str
    pending: bool = False
    reasons: Sequence[str] = ()


class BrokerApi(Protocol):
    """The two things that the test asks of Amazon MQ."""

    def reboot(self) -> None:
        """Ask for a reboot. Raises FailoverError."""

    def state(self) -> State:
        """The state now. Raises StateError."""


class Watcher(Protocol):
    """A monitor of one instance; see :class:`_canary.Monitor`."""

    url: str
    up: bool
    reason: str

    def start(self) -> None:
        """Start watching."""

    def end(self) -> None:
        """End watching."""


class Bird(Protocol):
    """The canary; see :class:`_canary.Canary`."""

    foreign: int
    leftovers: int

    @property
    def ledger(self) -> Any:
        """What was sent and received."""

    @property
    def reasons(self) -> Mapping[str, str]:
        """Why producer and consumer are not connected; empty texts when they are."""

    @property
    def flows(self) -> bool:
        """Whether both are connected and a message has gone through."""

    @property
    def settled(self) -> bool:
        """Whether, once it was stopped, everything is confirmed and received."""

    def start(self) -> None:
        """Begin to send and to receive."""

    def stop(self) -> None:
        """Send nothing new."""

    def close(self) -> None:
        """End both connections."""


class Options(NamedTuple):
    """How long for what, in seconds, and what is allowed.

    ``warm_up``: undisturbed traffic before the reboot. ``ready_timeout``: for all to be connected. ``start_timeout``:
    for the reboot to be seen. ``settle``: quiet after the last change. ``recover_timeout``: for consumers and messages
    after that. ``timeout``: for the failover as a whole. ``poll_interval``: from one question to the API to the next.
    """

    reboot: bool
    limits: Limits
    warm_up: float = 5.0
    ready_timeout: float = 30.0
    start_timeout: float = 300.0
    settle: float = 30.0
    recover_timeout: float = 60.0
    timeout: float = 1800.0
    poll_interval: float = 10.0


class Timeline:
    """Collects what the threads tell, in the order of coming in. ``told`` is called with each event."""

    def __init__(self, told: Callable[[Event], None]) -> None:
        self._lock = threading.Lock()
        self._told = told
        self.events: list[Event] = []
        #: When the last change of an instance or of the API's state was.
        self.changed_at = 0.0

    def tell(self, at: float, event: str, url: str = "", detail: str = "") -> None:
        """Take an event about an endpoint URL, or about the broker."""
        one = Event(at, event, urlsplit(url).hostname or "" if url else "", detail)
        with self._lock:
            if len(self.events) < MAX_EVENTS:
                self.events.append(one)
            if event in (UP, DOWN, "state", "reboot"):
                self.changed_at = max(self.changed_at, at)
            self._told(one)

    def snapshot(self) -> list[Event]:
        """The events so far."""
        with self._lock:
            return list(self.events)


class FailoverTest:
    """One test. :meth:`run` it once."""

    def __init__(
        self,
        timeline: Timeline,
        monitors: Sequence[Watcher],
        canary: Bird,
        api: BrokerApi | None,
        look: Callable[[], Holdings] | None,
        options: Options,
        now: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self.timeline = timeline
        self._monitors = monitors
        self._canary = canary
        self._api = api
        self._look = look
        self._options = options
        self._now = now
        self._sleep = sleep
        self._state: State | None = None
        self._polled_at = 0.0
        self._poll_again = 0.0
        self._pause = _FIRST_POLL
        self._left_running = False
        self._begun = 0.0

    def run(self) -> dict[str, Any]:
        """Do the test and return what RETURN of ``broker_failover`` describes.

        :raises FailoverError: when something is wrong before; nothing was rebooted then.
        """
        try:
            return self._run()
        finally:
            self._canary.close()
            for monitor in self._monitors:
                monitor.end()

    def check(self) -> str:
        """Find the active instance, and do nothing else. Raises FailoverError."""
        try:
            for monitor in self._monitors:
                monitor.start()
            self._wait(lambda: self._active() is not None, self._options.ready_timeout)
            self._require_active()
            return self._active() or ""
        finally:
            for monitor in self._monitors:
                monitor.end()

    def _run(self) -> dict[str, Any]:
        options = self._options
        begun = self._now()
        try:
            before = self._look() if self._look is not None else None
        except LookError as exc:
            raise FailoverError(f"the view does not tell what the broker holds, nothing was rebooted: {exc}") from exc
        for monitor in self._monitors:
            monitor.start()
        self._canary.start()
        self._wait(lambda: self._active() is not None and self._canary.flows, options.ready_timeout)
        self._require_ready()
        ready = self._now()
        self._wait(lambda: self._disturbed(ready), options.warm_up)
        if self._disturbed(ready):
            raise FailoverError("an instance ceased to answer during the warm-up, nothing was rebooted")
        self._require_ready()
        first = self._active()
        at = self._begun = self._now()
        if options.reboot and self._api is not None:
            self._api.reboot()
            self.timeline.tell(at, "reboot")
        else:
            self.timeline.tell(at, "note", detail="waiting for a failover that somebody else causes")
        failures = self._follow()
        self._canary.stop()
        self._wait(lambda: self._canary.settled, options.recover_timeout)
        failures += self._unsettled()
        after, problem = self._recovered(before)
        failures += [problem] if problem else []
        events = self.timeline.snapshot()
        canary = self._canary.ledger.figures()
        failures += judge(events, canary, options.limits, before, after)
        if self._canary.foreign:
            failures.append(
                "another canary used the same queue at the same time, so the figures are worth nothing; run one test at"
                " a time, or give each its own canary_queue"
            )
        return {
            "passed": not failures,
            "failures": failures,
            "failovers": failovers(events),
            "active_before": first,
            "active_after": active(events),
            "outages": [outage.to_dict() for outage in outages(events)],
            "timeline": [event.to_dict() for event in sorted(events, key=lambda one: one.at)],
            "canary": {**canary, "leftovers": self._canary.leftovers},
            "consumers": _compared(before, after),
            "dead_letters": _compared_dead_letters(before, after),
            "elapsed": round(self._now() - begun, 3),
        }

    def _follow(self) -> list[str]:
        """Wait until the failover is over and all has been quiet; sentences when it does not come to that."""
        options = self._options
        while True:
            now = self._now()
            self._poll(now)
            if self._state is not None and self._state.state in STUCK:
                reasons = ", ".join(self._state.reasons) or "no reason is given"
                return [f"the broker is in the state {self._state.state}: {reasons}"]
            if self._over(now):
                return []
            if options.reboot and now - self._begun > options.start_timeout and not self._started():
                return [f"the reboot was not seen to start within {options.start_timeout:g} s"]
            if now - self._begun > options.timeout:
                return [f"the failover was not over after {options.timeout:g} s: {self._missing(now)}"]
            self._sleep(_LOOK)

    def _started(self) -> bool:
        return self._left_running or self._disturbed(self._begun)

    def _over(self, now: float) -> bool:
        return not self._missing(now)

    def _missing(self, now: float) -> str:
        """What the end of the failover lacks; empty when it is over."""
        wanted = self._options.limits.min_failovers or 0
        if not self._started():
            return "no instance ceased to answer"
        if self._active() is None:
            return "no instance answers"
        if not self._options.reboot and failovers(self.timeline.snapshot()) < wanted:
            return "the active role did not move often enough yet"
        if self._api is not None:
            if self._state is None or self._polled_at < self.timeline.changed_at:
                return "the API was not asked since the last change"
            if self._state.state != "RUNNING":
                return f"the API says {self._state.state}"
            if self._state.pending and self._options.reboot:
                return "changes are still pending"
        if now - self.timeline.changed_at < self._options.settle:
            return f"not quiet for {self._options.settle:g} s yet"
        return ""

    def _poll(self, now: float) -> None:
        """Ask the API when it is time; more often after a change."""
        if self._api is None or now < self._poll_again:
            return
        try:
            state = self._api.state()
        except StateError as exc:
            self.timeline.tell(now, "note", detail=str(exc))
        else:
            if self._state is None or state.state != self._state.state:
                self.timeline.tell(now, "state", detail=state.state)
                self._pause = _FIRST_POLL
            self._left_running = self._left_running or state.state != "RUNNING"
            self._state, self._polled_at = state, self._now()
        self._poll_again = self._now() + self._pause
        self._pause = min(1.5 * self._pause, self._options.poll_interval)

    def _recovered(self, before: Holdings | None) -> tuple[Holdings | None, str]:
        """What the broker holds once its consumers are back or the time for that is over; and why it is not told."""
        look = self._look
        if look is None or before is None:
            return None, ""
        end = self._now() + self._options.recover_timeout
        while True:
            after, problem = None, ""
            try:
                after = look()
            except LookError as exc:
                problem = f"the view does not tell what the broker holds afterwards: {exc}"
            if after is not None and after.taken_at < self.timeline.changed_at:
                # A view that is minutes late still tells of the time before.
                after, problem = None, "the view tells of a time before the failover only"
            wanted = self._options.limits.consumers
            if (after is not None and not (wanted and missing_consumers(before, after))) or self._now() > end:
                return after, problem
            self._sleep(1.0)

    def _unsettled(self) -> list[str]:
        """Why the canary did not come to its end."""
        if self._canary.settled:
            return []
        reasons = [f"its {role} is not connected: {reason}" for role, reason in self._canary.reasons.items() if reason]
        missing = self._canary.ledger.missing()
        reasons += [] if reasons else ["the broker did not confirm its last message" if not missing else ""]
        text = "; ".join(filter(None, reasons))
        return [f"the canary did not recover within {self._options.recover_timeout:g} s: {text}"] if text else []

    def _disturbed(self, since: float) -> bool:
        return any(event.event == DOWN and event.at >= since for event in self.timeline.snapshot())

    def _require_ready(self) -> None:
        self._require_active()
        for role, reason in self._canary.reasons.items():
            if reason:
                raise FailoverError(f"the {role} of the canary is not connected, nothing was rebooted: {reason}")
        if not self._canary.flows:
            raise FailoverError("no message of the canary came through, nothing was rebooted")

    def _require_active(self) -> None:
        if self._active() is None:
            reasons = "; ".join(f"{monitor.url}: {monitor.reason}" for monitor in self._monitors if not monitor.up)
            raise FailoverError(
                f"not exactly one instance answers, nothing was rebooted: {reasons or 'several answer'}"
            )

    def _active(self) -> str | None:
        up = [monitor.url for monitor in self._monitors if monitor.up]
        return urlsplit(up[0]).hostname if len(up) == 1 else None

    def _wait(self, condition: Callable[[], bool], seconds: float) -> None:
        """Wait until something is so, or the time is over."""
        end = self._now() + seconds
        while not condition() and self._now() < end:
            self._sleep(_LOOK)


def _compared(before: Holdings | None, after: Holdings | None) -> list[dict[str, Any]]:
    if before is None or after is None:
        return []
    names = sorted({**before.consumers, **after.consumers})
    return [{"queue": name, "before": before.consumers.get(name), "after": after.consumers.get(name)} for name in names]


def _compared_dead_letters(before: Holdings | None, after: Holdings | None) -> list[dict[str, Any]]:
    if before is None or after is None:
        return []
    names = sorted({**before.dead_letters, **after.dead_letters})
    return [
        {"queue": name, "before": before.dead_letters.get(name), "after": after.dead_letters.get(name)}
        for name in names
    ]
