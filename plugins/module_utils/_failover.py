# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""Judging a failover by what was seen of it. Pure.

A reboot of an Amazon MQ pair restarts one instance after the other (Amazon MQ developer guide, "Maintaining an Amazon
MQ broker"; jasonrbriggs/stomp.py#364), so the active role may move twice and end where it began. Nothing here assumes
how often it moves: the timeline tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import (
    Sample,
    is_dead_letter,
    is_internal,
    shown,
)

#: Events about an instance; ``host`` is its host name. The others are about the whole broker, or the canary.
UP, DOWN = "up", "down"


class Event(NamedTuple):
    """One line of the timeline. ``at`` is in seconds of the epoch.

    ``event`` is ``up`` or ``down`` (an instance began, or ceased, to answer), ``producer_up``, ``producer_down``,
    ``consumer_up``, ``consumer_down`` (the canary's connections), ``reboot`` (the API was asked), ``state`` (what the
    API says) or ``note``.
    """

    at: float
    event: str
    host: str = ""
    detail: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The plain record."""
        return {"at": round(self.at, 3), "event": self.event, "host": self.host, "detail": self.detail}


class Outage(NamedTuple):
    """A time in which no instance answered; ``before`` and ``after`` are the host names of the active instances."""

    begin: float
    end: float | None
    before: str
    after: str | None

    @property
    def seconds(self) -> float | None:
        """How long it was; None while it lasts."""
        return None if self.end is None else self.end - self.begin

    def to_dict(self) -> dict[str, Any]:
        """The plain record."""
        seconds = self.seconds
        return {
            "begin": round(self.begin, 3),
            "end": None if self.end is None else round(self.end, 3),
            "seconds": None if seconds is None else round(seconds, 3),
            "before": self.before,
            "after": self.after,
        }


class Period(NamedTuple):
    """A time in which one instance was the active one; ``end`` is None while it is."""

    host: str
    begin: float
    end: float | None


class Limits(NamedTuple):
    """What a failover may cost; None is no limit. Times are in seconds."""

    max_outage: float | None = None
    max_gap: float | None = None
    max_lost: int | None = 0
    max_duplicated: int | None = None
    max_reordered: int | None = None
    max_dlq_growth: int | None = 0
    min_failovers: int | None = None
    consumers: bool = True


class Holdings(NamedTuple):
    """What a broker's view told of one moment: consumers of each queue, messages in each dead letter queue.

    None instead of a number is not known. ``taken_at`` is when that was, in seconds of the epoch: a view may be late.
    """

    consumers: Mapping[str, int | None]
    dead_letters: Mapping[str, int | None]
    taken_at: float = 0.0

    @classmethod
    def of(cls, sample: Sample, canary_queue: str) -> Holdings:
        """What a sample tells, the canary's own queue left out."""
        queues = [one for one in sample.destinations if one.kind == "queue" and one.name != canary_queue]
        return cls(
            {one.name: one.consumers for one in queues if not is_dead_letter(one) and not is_internal(one)},
            {one.name: one.pending for one in queues if is_dead_letter(one)},
            sample.taken_at,
        )


def periods(events: Iterable[Event]) -> list[Period]:
    """When which instance was active, in order. An end that was noticed late does not count as one after a begin."""
    found: list[Period] = []
    since: dict[str, float] = {}
    for event in sorted(events, key=lambda one: one.at):
        if event.event == UP:
            since.setdefault(event.host, event.at)
        elif event.event == DOWN and event.host in since:
            found.append(Period(event.host, since.pop(event.host), event.at))
    found += [Period(host, at, None) for host, at in since.items()]
    return sorted(found, key=lambda one: one.begin)


def outages(events: Iterable[Event]) -> list[Outage]:
    """The times in which no instance answered, between the first answer and now."""
    found: list[Outage] = []
    last: Period | None = None
    for period in periods(events):
        if last is not None and last.end is not None and period.begin > last.end:
            found.append(Outage(last.end, period.begin, last.host, period.host))
        if last is None or (last.end is not None and (period.end is None or period.end > last.end)):
            last = period
    if last is not None and last.end is not None:
        found.append(Outage(last.end, None, last.host, None))
    return found


def failovers(events: Iterable[Event]) -> int:
    """How often the active role moved from one instance to another."""
    hosts = [period.host for period in periods(events)]
    return sum(before != after for before, after in zip(hosts, hosts[1:]))


def active(events: Iterable[Event], at: float | None = None) -> str | None:
    """The host name of the instance that was active at a moment, by default the last; None when there was none."""
    for period in reversed(periods(events)):
        if at is None:
            return period.host if period.end is None else None
        if period.begin <= at and (period.end is None or at < period.end):
            return period.host
    return None


def missing_consumers(before: Holdings, after: Holdings) -> list[str]:
    """Sentences about queues that have fewer consumers than before; a queue that is gone has none."""
    found = []
    for name, count in sorted(before.consumers.items()):
        now = after.consumers.get(name, 0)
        if count and now is None:
            found.append(f"the consumers of queue {shown(name)} are not known any more, before there were {count}")
        elif count is not None and now is not None and now < count:
            found.append(f"queue {shown(name)} has {_consumers(now)}, before it had {count}")
    return found


def dead_letter_growth(before: Holdings, after: Holdings) -> int:
    """How many messages came into the dead letter queues, as far as both numbers are known; a new queue had none."""
    pairs = ((before.dead_letters.get(name, 0), count) for name, count in after.dead_letters.items())
    return sum(max(0, now - then) for then, now in pairs if then is not None and now is not None)


def unknown_dead_letters(before: Holdings, after: Holdings) -> list[str]:
    """Sentences about dead letter queues whose messages were known before and are not any more."""
    return [
        f"how many messages dead letter queue {shown(name)} holds is not known any more"
        for name, count in sorted(before.dead_letters.items())
        if count is not None and after.dead_letters.get(name, 0) is None
    ]


def judge(
    events: Sequence[Event],
    canary: Mapping[str, int | float],
    limits: Limits,
    before: Holdings | None = None,
    after: Holdings | None = None,
) -> list[str]:
    """What is worse than the limits allow, a sentence each; empty when the failover was survived."""
    found = []
    for outage in outages(events):
        seconds = outage.seconds
        if seconds is None:
            found.append(f"no instance answers since {outage.before} ceased to")
        elif limits.max_outage is not None and seconds > limits.max_outage:
            found.append(
                f"no instance answered for {seconds:.1f} s between {outage.before} and {outage.after},"
                f" allowed are {limits.max_outage:g} s"
            )
    seen = failovers(events)
    if limits.min_failovers is not None and seen < limits.min_failovers:
        found.append(f"the active role moved {_times(seen)}, at least {_times(limits.min_failovers)} was wanted")
    for name, limit, what in (
        ("lost", limits.max_lost, "messages of the canary that the broker had confirmed were lost"),
        ("duplicated", limits.max_duplicated, "messages of the canary came more than once"),
        ("reordered", limits.max_reordered, "messages of the canary came after later ones"),
    ):
        if limit is not None and canary.get(name, 0) > limit:
            found.append(f"{canary[name]:g} {what}, allowed are {limit}")
    if limits.max_gap is not None and canary.get("max_gap", 0) > limits.max_gap:
        found.append(f"no message of the canary came for {canary['max_gap']:.1f} s, allowed are {limits.max_gap:g} s")
    if before is not None and after is not None:
        growth = dead_letter_growth(before, after)
        if limits.max_dlq_growth is not None and growth > limits.max_dlq_growth:
            found.append(f"{growth} messages came into dead letter queues, allowed are {limits.max_dlq_growth}")
        if limits.max_dlq_growth is not None:
            found += unknown_dead_letters(before, after)
        if limits.consumers:
            found += missing_consumers(before, after)
    return found


def line(event: Event, begin: float) -> str:
    """An event as a person reads it; ``begin`` is when the test began."""
    words = {
        UP: "answers",
        DOWN: "ceased to answer",
        "producer_up": "canary: the producer is connected",
        "producer_down": "canary: the producer lost its connection",
        "consumer_up": "canary: the consumer is connected",
        "consumer_down": "canary: the consumer lost its connection",
        "reboot": "the reboot was asked for",
        "state": "the API says",
        "note": "",
    }
    what = words.get(event.event, event.event)
    if event.event in (UP, DOWN):
        text = f"{event.host} {what}"
    elif event.host:
        text = f"{what} ({event.host})"
    else:
        text = what
    detail = shown(event.detail)
    joined = (
        f"{text} {detail}".strip() if event.event in ("state", "note") else f"{text}{': ' if detail else ''}{detail}"
    )
    return f"{event.at - begin:7.1f} s  {joined}"


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _consumers(count: int) -> str:
    return {0: "no consumer", 1: "1 consumer"}.get(count, f"{count} consumers")
