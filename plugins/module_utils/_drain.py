# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""When is a broker drained? A state machine over samples; see docs/architecture.md, "Drained".

It knows no transport and no sleep: ``Drain`` judges samples with an injected clock, ``wait`` joins it with whoever
takes samples, ``Progress`` turns verdicts into lines for people. Times are seconds.

A sample of a broker with thousands of queues costs it a good part of a second of work. While such a broker says that
it holds too many messages to be drained, a *glance* at that number takes the place of most samples. A glance never
counts for "drained": that takes samples only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import (
    DURABLE_SUBSCRIPTION,
    QUEUE,
    UNKNOWN_BROKER_ID,
    UNKNOWN_DESTINATIONS,
    UNKNOWN_HIDDEN,
    UNKNOWN_PRESENT,
    UNKNOWN_SCHEDULED,
    UNKNOWN_SUBSCRIPTIONS,
    UNKNOWN_TRANSACTIONS,
    Destination,
    Key,
    Overview,
    Sample,
    ViewError,
    covers,
    is_dead_letter,
    is_internal,
    shown,
)

try:
    import jmespath
except ImportError:  # only a query needs it
    jmespath = None

Clock = Callable[[], float]

# States of a verdict; all but WAITING are final.
WAITING = "waiting"
DRAINED = "drained"
TIMEOUT = "timeout"
STALLED = "stalled"
UNKNOWN = "unknown"
ERROR = "error"
CHECK_MODE = "check_mode"

# Causes, in the order in which a person would check them.
NO_CONSUMER = "no_consumer"
DEAD_LETTERS = "dead_letters"
UNACKNOWLEDGED = "unacknowledged"
OPEN_TRANSACTION = "open_transaction"
SCHEDULED = "scheduled"
PRODUCERS = "producers"
DRAINING = "draining"
NOT_DISPATCHED = "not_dispatched"
NOT_KNOWN = "unknown"

# Kinds of what may be left besides destinations; both count over the whole broker.
TRANSACTION = "transaction"
SCHEDULED_MESSAGE = "scheduled_message"

UNKNOWN_ENQUEUED = "enqueued"
UNKNOWN_PRODUCERS = "producers"
ACCEPTABLE_UNKNOWNS = (
    UNKNOWN_SCHEDULED,
    UNKNOWN_TRANSACTIONS,
    UNKNOWN_SUBSCRIPTIONS,
    UNKNOWN_ENQUEUED,
    UNKNOWN_PRODUCERS,
    UNKNOWN_HIDDEN,
    UNKNOWN_BROKER_ID,
    UNKNOWN_DESTINATIONS,
    UNKNOWN_PRESENT,
)

_MIN_SAMPLES = 2
_RATE_WINDOW = 10.0
_RATE_STEP = 0.5
_MAX_HISTORY = 100
_MAX_NAMED = 5
# A broker with fewer destinations gives a sample as quickly as a glance; one with more is sampled so often at least.
_MANY_DESTINATIONS = 1000
_SAMPLE_EVERY = 10.0

DRAIN_SPEC: dict[str, Any] = {
    "destinations": {"type": "list", "elements": "str", "default": []},
    "exclude": {"type": "list", "elements": "str", "default": []},
    "query": {"type": "str"},
    "timeout": {"type": "float", "default": 3600.0},
    "stall_timeout": {"type": "float", "default": 300.0},
    "poll_interval": {"type": "float", "default": 1.0},
    "stable_for": {"type": "float", "default": 5.0},
    "outage_limit": {"type": "float", "default": 60.0},
    "require_no_producers": {"type": "bool", "default": False},
    "accept_unknown": {"type": "list", "elements": "str", "choices": list(ACCEPTABLE_UNKNOWNS), "default": []},
}


class DrainError(Exception):
    """The options, or what a query answers, make no sense."""


class Options(NamedTuple):
    """The options of queue_drain; the module documents them."""

    destinations: Sequence[str]
    exclude: Sequence[str]
    query: str | None
    timeout: float
    stall_timeout: float
    poll_interval: float
    stable_for: float
    outage_limit: float
    require_no_producers: bool
    accept_unknown: Sequence[str]

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Options:
        """The options out of a module's validated parameters."""
        return cls(**{name: params[name] for name in DRAIN_SPEC})

    def check(self) -> None:
        """Raises DrainError for a combination that cannot work."""
        if self.poll_interval <= 0:
            raise DrainError("poll_interval: must be more than 0 seconds")
        for name in ("timeout", "stall_timeout", "stable_for", "outage_limit"):
            if getattr(self, name) < 0:
                raise DrainError(f"{name}: must not be negative")
        if self.stable_for >= self.timeout:
            raise DrainError(f"stable_for: {self.stable_for:g} s never pass within the timeout of {self.timeout:g} s")


class Remaining(NamedTuple):
    """What keeps a broker from being drained. ``rate`` is messages taken per second, ``eta`` seconds."""

    name: str
    kind: str
    pending: int | None
    in_flight: int | None
    consumers: int | None
    producers: int | None
    rate: float | None
    eta: float | None
    cause: str


class Verdict(NamedTuple):
    """What is known after one more look. ``reason`` is a state; ``message`` explains it in a sentence."""

    reason: str
    message: str
    elapsed: float
    samples: int
    remaining: list[Remaining]
    unknowns: list[str]

    @property
    def final(self) -> bool:
        return self.reason != WAITING


class _Counters(NamedTuple):
    enqueued: int | None
    dequeued: int | None


class _Point(NamedTuple):
    """The counters of the destinations with messages, at one time: enough for rates, little to keep."""

    at: float
    counters: dict[Key, _Counters]


class _Window(NamedTuple):
    """An unbroken run of samples in which nothing was left; ``unknowns`` is the same in all of them.

    ``hidden`` is the least number of hidden messages: messages that stay are hidden in each sample, and messages on
    their way make only some samples inexact. A negative number is surely wrong, and tells nothing about messages that
    stay, so it does not count. None: no sample told.
    """

    since: float
    samples: int
    unknowns: tuple[str, ...]
    hidden: int | None


class Drain:
    """Judges samples, one after the other, against the definition of drained.

    ``clock`` is monotonic. Errors: DrainError when the query does not answer with destinations.
    """

    def __init__(self, options: Options, clock: Clock) -> None:
        options.check()
        self._options = options
        self._clock = clock
        self._query = None if options.query is None else compile_query(options.query)
        self._started = clock()
        self._samples = 0
        self._last: Sample | None = None
        self._selected: list[Destination] = []
        self._window: _Window | None = None
        self._enqueued: dict[Key, int | None] = {}
        self._sampled_at = self._started
        self._points: deque[_Point] = deque()
        self._progress_at = self._started
        self._best: int | None = None
        self._taken: int | None = None
        self._outage_since: float | None = None
        self._remaining_seen: list[Remaining] = []
        self._restarts = 0
        self._history: list[dict[str, Any]] = []
        self._history_stride = 1

    def observe(self, sample: Sample) -> Verdict:
        """The verdict after one more sample."""
        now = self._clock()
        self._samples += 1
        self._sampled_at = now
        selected = self._select(sample)
        if self._last is not None and _restarted(self._last.overview, sample.overview):
            self._restarts += 1
            self._forget_counters(now)
        if self._outage_since is not None:
            self._outage_since = None
            self._progress_at = now
        first = self._last is None
        self._last, self._selected = sample, selected
        letters = [d for d in sample.destinations if self._is_grave(d)]
        moved = set() if first else self._moved([*selected, *letters])
        self._enqueued = {d.key: d.enqueued for d in (*selected, *letters)}
        remaining = self._remaining(sample, selected, moved, now)
        remaining += [_remaining_of(d, DEAD_LETTERS) for d in letters if d.key in moved]
        self._remaining_seen = remaining
        unknowns = self._unknowns(sample, selected)
        self._move_window(remaining, tuple(unknowns), sample.hidden_messages, now)
        self._note_progress(sample, selected, now)
        self._note_history(now, remaining, sample)
        return self._judge(remaining, unknowns, now)

    def fail(self, error: ViewError) -> Verdict:
        """The verdict after a look that saw nothing: what is not seen is never drained."""
        now = self._clock()
        self._window = None
        if self._outage_since is None:
            self._outage_since = now
        out_for = now - self._outage_since
        elapsed = now - self._started
        if self._last is None and not error.transient:
            return self._verdict(ERROR, str(error), now, [], [])
        # What was seen last is stale, but tells more than nothing.
        if out_for >= self._options.outage_limit:
            message = f"not observable for {out_for:.0f} s: {error}"
            return self._verdict(ERROR, message, now, self._remaining_seen, [])
        if elapsed >= self._options.timeout:
            message = f"not drained within {elapsed:.0f} s: {error}"
            return self._verdict(TIMEOUT, message, now, self._remaining_seen, [])
        return self._verdict(WAITING, f"not observable: {error}", now, [], [])

    def may_glance(self) -> bool:
        """Whether a glance is worth it now: it may show that there is no need for a sample yet."""
        now, options = self._clock(), self._options
        return (
            self._last is not None
            and len(self._last.destinations) >= _MANY_DESTINATIONS
            and self._outage_since is None
            and any(d.kind == QUEUE and d.pending for d in self._selected)
            and now - self._sampled_at < _SAMPLE_EVERY
            and now - self._started < options.timeout
            and now - self._progress_at < options.stall_timeout
        )

    def glance(self, overview: Overview) -> Verdict | None:
        """The verdict after a glance at the broker; None when it takes a sample to tell.

        The messages in all queues, without those that were in other than the selected queues, are in selected ones.
        Where other queues are filled meanwhile that may be wrong, until the next sample is due.
        """
        last = self._last
        if last is None or overview.total_messages is None or _restarted(last.overview, overview):
            return None
        selected = sum(d.pending or 0 for d in self._selected if d.kind == QUEUE)
        elsewhere = sum(d.pending or 0 for d in last.destinations if d.kind == QUEUE) - selected
        if last.overview.total_messages is not None:
            elsewhere = max(elsewhere, last.overview.total_messages - selected)
        if overview.total_messages <= elsewhere:
            return None
        return self._verdict(WAITING, describe(self._remaining_seen), self._clock(), self._remaining_seen, [])

    def now(self) -> float:
        """The time by the clock of this drain."""
        return self._clock()

    def pause(self, looked_at: float) -> float:
        """Seconds until the next look, where the last one began at ``looked_at``.

        From one look to the next it is the poll interval; sooner when the broker was empty for long enough before, and
        at the timeout. A view that is slow is given half as long to rest as it took, so that it does not keep the
        broker busy all the time.
        """
        now, options = self._clock(), self._options
        took = now - looked_at
        wanted = options.poll_interval - took
        if self._window is not None and self._window.since + options.stable_for > now:
            wanted = min(wanted, self._window.since + options.stable_for - now)
        left = self._started + options.timeout - now
        return max(0.0, min(max(wanted, took / 2), left))

    def result(self, verdict: Verdict) -> dict[str, Any]:
        """The verdict and what led to it, as the plain values that queue_drain returns."""
        sample = self._last
        return {
            "drained": verdict.reason == DRAINED,
            "reason": verdict.reason,
            "elapsed": round(verdict.elapsed, 3),
            "samples": verdict.samples,
            "selected": len(self._selected),
            "missing": self._missing(),
            "remaining": [item._asdict() for item in verdict.remaining],
            "unknowns": verdict.unknowns,
            "dlq": [] if sample is None else _dead_letters(sample),
            "broker": None if sample is None else sample.overview._asdict(),
            "restarts": self._restarts,
            "history": self._history,
        }

    def _select(self, sample: Sample) -> list[Destination]:
        options = self._options
        selected = [
            d
            for d in sample.destinations
            if (covers(options.destinations, d) if options.destinations else True)
            and not covers(options.exclude, d)
            # A dead letter queue is waited for only when it is asked for by its very name.
            and (d.name in options.destinations or not (is_dead_letter(d) or is_internal(d)))
        ]
        return selected if self._query is None else self._query(selected)

    def _is_grave(self, d: Destination) -> bool:
        """A dead letter queue that must not grow: what arrives there left another queue, and was not consumed."""
        options = self._options
        return is_dead_letter(d) and d.name not in options.destinations and not covers(options.exclude, d)

    def _missing(self) -> list[str]:
        if self._last is None:
            return []
        known = {name for d in self._last.destinations for name in (d.name, d.topic)}
        return [name for name in self._options.destinations if "*" not in name and name not in known]

    def _forget_counters(self, now: float) -> None:
        """Counters start again with the broker, so nothing from before can be compared with what comes."""
        self._window = None
        self._enqueued = {}
        self._points.clear()
        self._progress_at = now
        self._best = self._taken = None

    def _moved(self, selected: Sequence[Destination]) -> set[Key]:
        """The destinations that messages were sent to since the last sample; a new one starts at 0."""
        return {d.key for d in selected if d.enqueued is not None and d.enqueued != (self._enqueued.get(d.key, 0) or 0)}

    def _unknowns(self, sample: Sample, selected: Sequence[Destination]) -> list[str]:
        """What the view could not know, without what the user accepted."""
        gaps = set(sample.unknowns)
        if any(d.enqueued is None for d in selected):
            gaps.add(UNKNOWN_ENQUEUED)
        if self._options.require_no_producers and (
            # A producer bound to no destination (STOMP, JmsTemplate) may send to any.
            sample.anonymous_producers != 0 or any(d.kind == QUEUE and d.producers is None for d in selected)
        ):
            gaps.add(UNKNOWN_PRODUCERS)
        return sorted(gaps - set(self._options.accept_unknown))

    def _remaining(
        self, sample: Sample, selected: Sequence[Destination], moved: set[Key], now: float
    ) -> list[Remaining]:
        transactions = sample.open_transactions or 0
        with_messages = [d for d in selected if d.pending != 0]
        point = _Point(now, {d.key: _Counters(d.enqueued, d.dequeued) for d in with_messages})
        remaining = [self._explain(d, transactions, d.key in moved, now) for d in with_messages]
        for d in selected:
            busy = d.key in moved or (self._options.require_no_producers and (d.producers or 0) > 0)
            if d.pending == 0 and busy:
                remaining.append(_remaining_of(d, PRODUCERS))
        # Messages in these two places are in no destination yet, so they are named by the broker.
        broker = sample.overview.name or sample.url
        if transactions:
            remaining.append(
                Remaining(broker, TRANSACTION, transactions, None, None, None, None, None, OPEN_TRANSACTION)
            )
        if sample.scheduled:
            remaining.append(
                Remaining(broker, SCHEDULED_MESSAGE, sample.scheduled, None, None, None, None, None, SCHEDULED)
            )
        self._keep(point)
        return remaining

    def _keep(self, point: _Point) -> None:
        while len(self._points) > 1 and point.at - self._points[1].at >= _RATE_WINDOW:
            self._points.popleft()
        if not self._points or point.at - self._points[-1].at >= _RATE_STEP:
            self._points.append(point)

    def _explain(self, d: Destination, transactions: int, moved: bool, now: float) -> Remaining:
        taken, sent = self._rates(d, now)
        if d.pending is None:
            cause = NOT_KNOWN
        elif d.consumers == 0:
            cause = NO_CONSUMER
        elif taken is None:
            # No rate yet: it was empty at the looks before. What came since then was sent.
            cause = PRODUCERS if moved else NOT_KNOWN
        elif taken > 0:
            cause = PRODUCERS if sent else DRAINING
        elif d.in_flight:
            # An acknowledgement in an open transaction and one that never comes look alike in the counters.
            cause = OPEN_TRANSACTION if transactions else UNACKNOWLEDGED
        else:
            cause = NOT_DISPATCHED
        return _remaining_of(d, cause, taken, sent)

    def _rates(self, d: Destination, now: float) -> tuple[float | None, float | None]:
        """Messages per second taken from and sent to a destination over the last seconds."""
        key = d.key
        for point in self._points:
            before = point.counters.get(key)
            if before is not None and now > point.at:
                span = now - point.at
                return _per_second(before.dequeued, d.dequeued, span), _per_second(before.enqueued, d.enqueued, span)
        return None, None

    def _move_window(
        self, remaining: Sequence[Remaining], unknowns: tuple[str, ...], hidden: int | None, now: float
    ) -> None:
        before = self._window
        if hidden is not None and hidden < 0:
            hidden = None
        if remaining:
            self._window = None
        elif before is None or before.unknowns != unknowns:
            self._window = _Window(now, 1, unknowns, hidden)
        else:
            known = [one for one in (before.hidden, hidden) if one is not None]
            self._window = before._replace(samples=before.samples + 1, hidden=min(known, default=None))

    def _note_progress(self, sample: Sample, selected: Sequence[Destination], now: float) -> None:
        left = sum(d.pending or 0 for d in selected) + (sample.scheduled or 0) + (sample.open_transactions or 0)
        taken = sum(d.dequeued or 0 for d in selected)
        fewer = self._best is None or left < self._best
        if self._window is not None or fewer or (self._taken is not None and taken > self._taken):
            self._progress_at = now
        self._best = left if self._best is None else min(left, self._best)
        self._taken = taken

    def _note_history(self, now: float, remaining: Sequence[Remaining], sample: Sample) -> None:
        if (self._samples - 1) % self._history_stride:
            return
        if len(self._history) >= _MAX_HISTORY:
            self._history = self._history[::2]
            self._history_stride *= 2
        self._history.append(
            {
                "elapsed": round(now - self._started, 3),
                "pending": sum(item.pending or 0 for item in remaining if item.kind in (QUEUE, DURABLE_SUBSCRIPTION)),
                "remaining": len(remaining),
                "open_transactions": sample.open_transactions,
                "scheduled": sample.scheduled,
            }
        )

    def _judge(self, remaining: list[Remaining], unknowns: list[str], now: float) -> Verdict:
        window, options = self._window, self._options
        stable = now - window.since if window is not None else 0.0
        if window is not None and window.samples >= _MIN_SAMPLES and stable >= options.stable_for:
            if self._may_hide(window):
                unknowns = sorted([*unknowns, UNKNOWN_HIDDEN])
            if unknowns:
                return self._verdict(UNKNOWN, _cannot_know(unknowns, window.hidden), now, remaining, unknowns)
            message = f"drained, empty for {stable:.0f} s{self._not_waited_for()}"
            return self._verdict(DRAINED, message, now, remaining, unknowns)
        what = describe(remaining) if remaining else f"empty, has to stay so for {options.stable_for:g} s"
        elapsed = now - self._started
        if elapsed >= options.timeout:
            message = f"not drained within {elapsed:.0f} s: {what}"
            return self._verdict(TIMEOUT, message, now, remaining, unknowns)
        idle = now - self._progress_at
        if idle >= options.stall_timeout and window is None:
            return self._verdict(STALLED, f"no progress for {idle:.0f} s: {what}", now, remaining, unknowns)
        return self._verdict(WAITING, what, now, remaining, unknowns)

    def _may_hide(self, window: _Window) -> bool:
        """Whether there may be messages in queues that the view does not show, and no other gap says so."""
        if window.hidden == 0 or UNKNOWN_HIDDEN in self._options.accept_unknown:
            return False
        return window.hidden is not None or self._last is None or UNKNOWN_DESTINATIONS not in self._last.unknowns

    def _not_waited_for(self) -> str:
        """Dead letters are nobody's work, but whoever stops the broker should know of them."""
        letters = [] if self._last is None else _dead_letters(self._last)
        named = ", ".join(f"{shown(one['name'])} ({one['pending']})" for one in letters[:_MAX_NAMED])
        return f"; dead letter queues with messages: {named}" if letters else ""

    def _verdict(
        self, reason: str, message: str, now: float, remaining: list[Remaining], unknowns: list[str]
    ) -> Verdict:
        return Verdict(reason, message, now - self._started, self._samples, remaining, unknowns)


class Progress:
    """Lines for people about a drain: what changed, at most every ``interval`` seconds, and always the end."""

    def __init__(self, clock: Clock, interval: float = 2.0) -> None:
        self._clock = clock
        self._interval = interval
        self._printed_at: float | None = None
        self._before: dict[tuple[str, str], tuple[int | None, str]] = {}
        self._note = ""

    def lines(self, verdict: Verdict) -> list[str]:
        now = self._clock()
        if not verdict.final and self._printed_at is not None and now - self._printed_at < self._interval:
            return []
        current = {(item.kind, item.name): (item.pending, item.cause) for item in verdict.remaining}
        changed = [
            item for item in verdict.remaining if self._before.get((item.kind, item.name)) != current[_key(item)]
        ]
        lines = [_line(item, self._before.get(_key(item), (None, ""))[0]) for item in _largest(changed)]
        if len(changed) > _MAX_NAMED:
            lines.append(f"and {len(changed) - _MAX_NAMED} more")
        note = verdict.message if verdict.final or not verdict.remaining else ""
        if note and (verdict.final or note != self._note):
            lines.append(note)
        if lines:
            self._printed_at = now
            self._before, self._note = current, note
        return lines


def wait(
    drain: Drain,
    take: Callable[[], Sample],
    sleep: Callable[[float], None],
    tell: Callable[[Verdict], None] = lambda verdict: None,
    glance: Callable[[], Overview] | None = None,
) -> Verdict:
    """Look until the verdict is final. ``tell`` hears each verdict. Raises DrainError.

    ``glance`` sees only the broker, where a view can do that for less than a sample.
    """
    while True:
        looked_at = drain.now()
        verdict = _look(drain, take, glance)
        tell(verdict)
        if verdict.final:
            return verdict
        sleep(drain.pause(looked_at))


def check(drain: Drain, take: Callable[[], Sample]) -> Verdict:
    """One look and no wait: one sample cannot prove a drain, so the verdict never is DRAINED. Raises DrainError."""
    verdict = _look(drain, take)
    if not verdict.samples:
        return verdict._replace(reason=ERROR)
    return verdict._replace(reason=CHECK_MODE, message=f"check mode, one look only: {verdict.message}")


def outcome(drain: Drain, verdict: Verdict) -> dict[str, Any]:
    """What queue_drain ends with, success or not: the same keys from the module and from the action."""
    result = drain.result(verdict)
    broker = result["broker"]
    where = "" if broker is None or broker["name"] is None else f"broker {shown(broker['name'])}: "
    return {
        "changed": False,
        "failed": verdict.reason not in (DRAINED, CHECK_MODE),
        "msg": where + verdict.message,
        **result,
    }


def _look(drain: Drain, take: Callable[[], Sample], glance: Callable[[], Overview] | None = None) -> Verdict:
    try:
        verdict = drain.glance(glance()) if glance is not None and drain.may_glance() else None
        if verdict is not None:
            return verdict
        sample = take()
    except ViewError as exc:
        return drain.fail(exc)
    return drain.observe(sample)


def describe(remaining: Sequence[Remaining]) -> str:
    """What is left and why, the largest first, bounded."""
    text = "; ".join(_line(item) for item in _largest(remaining))
    more = len(remaining) - _MAX_NAMED
    return f"{text}; and {more} more" if more > 0 else text


def _key(item: Remaining) -> tuple[str, str]:
    return item.kind, item.name


def _largest(items: Sequence[Remaining]) -> list[Remaining]:
    return sorted(items, key=lambda item: (-(item.pending or 0), item.name))[:_MAX_NAMED]


def _line(item: Remaining, before: int | None = None) -> str:
    """For example ``orders.new 12304 → 9980 left, 142/s, about 70 s``."""
    name = shown(item.name)
    if item.kind == TRANSACTION:
        return f"{item.pending} open transaction(s) on broker {name}"
    if item.kind == SCHEDULED_MESSAGE:
        return f"{item.pending} scheduled message(s) on broker {name}"
    left = "an unknown number" if item.pending is None else str(item.pending)
    if before is not None and before != item.pending:
        left = f"{before} → {left}"
    return f"{name} {left} left{_because(item)}"


def _because(item: Remaining) -> str:
    moving = "" if item.rate is None else f", {item.rate:.0f}/s"
    moving += "" if item.eta is None else f", about {item.eta:.0f} s"
    if item.cause == NO_CONSUMER:
        return ", no consumer"
    if item.cause == UNACKNOWLEDGED:
        return f", {item.in_flight} of them with a consumer that does not acknowledge"
    if item.cause == OPEN_TRANSACTION:
        return f", {item.in_flight} of them with a consumer, and a transaction is open"
    if item.cause == PRODUCERS:
        return f"{moving}, producers still sending" if not item.producers else f"{moving}, {item.producers} producer(s)"
    if item.cause == DEAD_LETTERS:
        return ", dead letters still arriving"
    if item.cause == NOT_DISPATCHED:
        return f", {item.consumers} consumer(s) that take nothing"
    return moving


def _remaining_of(d: Destination, cause: str, taken: float | None = None, sent: float | None = None) -> Remaining:
    net = None if taken is None else taken - (sent or 0)
    return Remaining(
        name=d.name,
        kind=d.kind,
        pending=d.pending,
        in_flight=d.in_flight,
        consumers=d.consumers,
        producers=d.producers,
        rate=None if taken is None else round(taken, 1),
        eta=round(d.pending / net, 1) if d.pending and net is not None and net > 0 else None,
        cause=cause,
    )


def _per_second(before: int | None, after: int | None, span: float) -> float | None:
    if before is None or after is None or after < before:
        return None
    return (after - before) / span


def _restarted(before: Overview, after: Overview) -> bool:
    if None not in (before.broker_id, after.broker_id) and before.broker_id != after.broker_id:
        return True
    return before.uptime_ms is not None and after.uptime_ms is not None and after.uptime_ms < before.uptime_ms


def _dead_letters(sample: Sample) -> list[dict[str, Any]]:
    return [{"name": d.name, "pending": d.pending} for d in sample.destinations if is_dead_letter(d) and d.pending != 0]


def _cannot_know(unknowns: Sequence[str], hidden: int | None) -> str:
    more = f" (the broker counts {hidden} more messages than its queues show)" if hidden else ""
    return (
        f"everything that can be seen is empty, but the view cannot know: {', '.join(unknowns)}{more}; "
        "a gap that is acceptable can be named in accept_unknown"
    )


def compile_query(query: str) -> Callable[[list[Destination]], list[Destination]]:
    """A function that narrows a list of destinations by a JMESPath expression. Raises DrainError."""
    if jmespath is None:
        raise DrainError("query: the Python package jmespath is needed")
    try:
        expression = jmespath.compile(query)
    except jmespath.exceptions.JMESPathError as exc:
        raise DrainError(f"query: not a JMESPath expression: {exc}") from exc

    def narrow(destinations: list[Destination]) -> list[Destination]:
        try:
            answer = expression.search([d._asdict() for d in destinations])
        except jmespath.exceptions.JMESPathError as exc:
            raise DrainError(f"query: {exc}") from exc
        wanted = set()
        for item in answer if isinstance(answer, list) else [answer]:
            if isinstance(item, dict) and "name" in item and "kind" in item:
                wanted.add((item["kind"], item["name"]))
            else:
                raise DrainError("query: must answer with a list of destinations, e.g. [?starts_with(name, 'orders')]")
        return [d for d in destinations if (d.kind, d.name) in wanted]

    return narrow
