# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the services wrote down, and the audit of it: what was lost, duplicated, reordered, and how long the gaps were.

A ledger is a folder with one file per service, ``<host>.<service>.jsonl`` (the host's name has no dot). A line is one
event, ``{"t": epoch seconds, "ev": event, "id": ..., "dest": "queue://name", "x": detail}``. The events:

- ``start`` (x: pid and role) and ``stop``: a process began, or ended in order.
- ``connected`` (x: remote address) and ``disconnected`` (x: why).
- ``subscribed``: the broker confirmed a subscription to dest (x: the durable subscription's name, if it is one).
- ``sent``: the broker confirmed the message. ``unsure``: the producer gave up on one that may have arrived or not.
- ``recv``: a message arrived, not acknowledged yet (``"redelivered": true`` when the broker says so).
- ``error`` (x: what went wrong).

Ids are ``<service>:<start epoch ms>:<seq>``; seq counts per destination, so a message is known by destination and id.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from lab.shell import LabError

EVENTS = frozenset({"start", "stop", "connected", "disconnected", "subscribed", "sent", "unsure", "recv", "error"})
_ABOUT_A_MESSAGE = frozenset({"sent", "unsure", "recv"})
_LONGEST_LINE = 8192
_LATEST_TIME = 1e11
_MOST_DIGITS = 18
#: A subscription's line is written a little after it took effect or before a message in flight was confirmed: only
#: messages confirmed later than this after it are due to the subscriber.
_SUBSCRIPTION_SLACK_S = 1.0
_MOST_EXAMPLES = 20


class LedgerError(LabError):
    """A ledger cannot be read or is damaged; the text names file and line."""


class Event(NamedTuple):
    """One line. Time is in epoch seconds; what the event has not is empty."""

    time: float
    kind: str
    id: str
    destination: str
    detail: str
    redelivered: bool


@dataclass(frozen=True)
class Log:
    """One file: what one service on one host wrote, in the order of writing. The host may be empty (not known)."""

    host: str
    service: str
    events: tuple[Event, ...]

    @property
    def name(self) -> str:
        """``host.service``: what a file and a subscriber are called."""
        return f"{self.host}.{self.service}" if self.host else self.service


@dataclass(frozen=True)
class Ledger:
    """Everything that was written down."""

    logs: tuple[Log, ...]


def read(folder: Path) -> Ledger:
    """Read all files of a ledger, which may be in use.

    Raises LedgerError for a folder that is not there and for any line that is not an event, except an unfinished last
    line: its writer was killed, or is just writing.
    """
    if not folder.is_dir():
        raise LedgerError(f"there is no ledger {folder}")
    known: dict[str, str] = {}  # an id occurs several times, and is kept once
    logs = []
    for path in sorted(folder.glob("*.jsonl")):
        first, _dot, rest = path.name.removesuffix(".jsonl").partition(".")
        host, service = (first, rest) if rest else ("", first)
        logs.append(Log(host, service, tuple(_events(path, known))))
    return Ledger(tuple(logs))


def _events(path: Path, known: dict[str, str]) -> Iterator[Event]:
    with path.open("rb") as stream:
        number = 0
        while line := stream.readline(_LONGEST_LINE + 1):
            number += 1
            try:
                yield _event(line, known)
            except ValueError as error:
                unfinished = not line.endswith(b"\n") and len(line) <= _LONGEST_LINE
                if unfinished:  # readline() gives less than a line only at the end of the file
                    return
                raise LedgerError(f"{path}, line {number}: {error}") from error


def _event(line: bytes, known: dict[str, str]) -> Event:
    """The event of one line. Raises ValueError."""
    if len(line) > _LONGEST_LINE:
        raise ValueError("too long")
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError("not JSON") from error
    if not isinstance(record, dict):
        raise ValueError("not an object")
    time, kind = record.get("t"), record.get("ev")
    if isinstance(time, bool) or not isinstance(time, int | float) or not 0 <= time < _LATEST_TIME:
        raise ValueError("t is not a time")
    if not isinstance(kind, str) or kind not in EVENTS:
        raise ValueError("ev is not an event")
    texts = [record.get(key, "") for key in ("id", "dest", "x")]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("id, dest and x are not texts")
    identity, destination, detail = texts
    if kind in _ABOUT_A_MESSAGE and not (identity and destination):
        raise ValueError(f"{kind} needs id and dest")
    return Event(
        float(time),
        kind,
        known.setdefault(identity, identity),
        known.setdefault(destination, destination),
        detail,
        record.get("redelivered") is True,
    )


@dataclass(frozen=True)
class Gap:
    """The longest time between two neighbouring events. *at*: epoch seconds at which it began; *where*: what of."""

    seconds: float
    at: float
    where: str


@dataclass(frozen=True)
class ServiceRow:
    """What one service on one host did. *connected* counts connections, *received* counts every receive."""

    host: str
    service: str
    sent: int
    received: int
    duplicated: int
    unsure: int
    errors: int
    connected: int
    producer_gap: Gap | None


@dataclass(frozen=True)
class DestinationRow:
    """What became of the messages of one destination; the counts are those of Audit."""

    destination: str
    produced: int
    consumed: int
    lost: int
    duplicated: int
    reordered: int
    unconfirmed: int
    unsure: int
    delivery_gap: Gap | None


@dataclass(frozen=True)
class Audit:
    """The verdict on a ledger.

    - produced: distinct messages that the broker confirmed. Those that a service passed on count like any other.
    - consumed: those of them that somebody received.
    - lost: confirmed and not received by somebody it was due to. A queue's message is due to one receiver, whoever it
      is. A topic's message is due to each service with a durable subscription that existed when it was confirmed; to
      nobody else, since a topic promises nothing to others.
    - duplicated: receives of a message beyond the first (for a topic: beyond the subscriber's first).
    - reordered: first receives of a message after one that the same process sent later to the same destination, by time
      of receiving (for a queue over all receivers, for a topic for each subscriber).
    - unconfirmed: distinct messages received that nobody wrote down as sent: a producer was killed between the two, or
      the message is not from our services. Not a loss.
    - unsure: messages that a producer gave up on and never confirmed. Not a loss either: they were not promised.
    - producer_gap: longest time between two confirmed sends of one service to one destination. What a service only
      passes on does not count: when it gets nothing, it has nothing to send.
    - delivery_gap: longest time between two receives from one destination, by whomever.
    """

    produced: int
    consumed: int
    lost: int
    duplicated: int
    reordered: int
    unconfirmed: int
    unsure: int
    producer_gap: Gap | None
    delivery_gap: Gap | None
    services: tuple[ServiceRow, ...]
    destinations: tuple[DestinationRow, ...]
    #: The first lost messages, each with destination, id, time and subscriber.
    lost_examples: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether something was produced and nothing lost."""
        return self.produced > 0 and self.lost == 0

    @property
    def verdict(self) -> str:
        """One line for the operator."""
        if self.produced == 0:
            return "FAILED: nothing was produced"
        if self.lost:
            return f"FAILED: {self.lost} confirmed message{'s were' if self.lost > 1 else ' was'} never received"
        return "PASSED"

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        return {"passed": self.passed, "verdict": self.verdict, **asdict(self)}

    def render(self) -> str:
        """Tables, totals and the verdict, for a terminal."""
        services: list[list[object]] = [
            ["service", "host", "sent", "received", "duplicated", "unsure", "errors", "connected", "producer gap"],
            *(
                [
                    *(row.service, row.host or "-", row.sent, row.received, row.duplicated),
                    *(row.unsure, row.errors, row.connected, _seconds(row.producer_gap)),
                ]
                for row in self.services
            ),
        ]
        destinations: list[list[object]] = [
            ["destination", "produced", "consumed", "lost", "duplicated", "reordered", "unconfirmed", "delivery gap"],
            *(
                [
                    *(row.destination, row.produced, row.consumed, row.lost, row.duplicated),
                    *(row.reordered, row.unconfirmed, _seconds(row.delivery_gap)),
                ]
                for row in self.destinations
            ),
        ]
        counts = ("produced", "consumed", "lost", "duplicated", "reordered", "unconfirmed", "unsure")
        lines = [
            *_table(services, texts=2),
            "",
            *_table(destinations, texts=1),
            "",
            " ".join(f"{name}={getattr(self, name)}" for name in counts),
            f"longest producer gap: {_describe(self.producer_gap)}",
            f"longest delivery gap: {_describe(self.delivery_gap)}",
            *(f"lost: {example}" for example in self.lost_examples),
        ]
        if self.lost > len(self.lost_examples) > 0:
            lines.append("lost: and more")
        return "\n".join([*lines, self.verdict])


def audit(ledger: Ledger, *, since: float | None = None) -> Audit:
    """Judge a ledger; pure.

    With *since* (epoch seconds) only messages confirmed from then on are judged, and only receives from then on count
    as duplicated, reordered or part of a gap.
    """
    begin = -math.inf if since is None else since
    sorted_out = _sort_out(ledger, begin)
    examples: list[str] = []
    duplicated_by: Counter[str] = Counter()
    rows = [
        _judge(name, traffic, begin, examples, duplicated_by)
        for name, traffic in sorted(sorted_out.items())
        if traffic.sent or traffic.arrivals or traffic.unsure
    ]
    services = tuple(_service_row(log, begin, duplicated_by[log.name]) for log in ledger.logs)
    return Audit(
        produced=sum(row.produced for row in rows),
        consumed=sum(row.consumed for row in rows),
        lost=sum(row.lost for row in rows),
        duplicated=sum(row.duplicated for row in rows),
        reordered=sum(row.reordered for row in rows),
        unconfirmed=sum(row.unconfirmed for row in rows),
        unsure=sum(row.unsure for row in rows),
        producer_gap=_longer(row.producer_gap for row in services),
        delivery_gap=_longer(row.delivery_gap for row in rows),
        services=services,
        destinations=tuple(rows),
        lost_examples=tuple(examples),
    )


class _Arrival(NamedTuple):
    time: float
    log: str
    id: str


@dataclass
class _Traffic:
    """What happened at one destination."""

    #: id -> time of the first confirmation
    sent: dict[str, float] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)
    arrivals: list[_Arrival] = field(default_factory=list)
    #: log name of a durable subscriber -> time at which its subscription was confirmed first
    durable: dict[str, float] = field(default_factory=dict)


def _sort_out(ledger: Ledger, begin: float) -> dict[str, _Traffic]:
    found: dict[str, _Traffic] = defaultdict(_Traffic)
    for log in ledger.logs:
        for event in log.events:
            if event.kind == "sent":
                earlier = found[event.destination].sent.setdefault(event.id, event.time)
                if event.time < earlier:
                    found[event.destination].sent[event.id] = event.time
            elif event.kind == "recv":
                found[event.destination].arrivals.append(_Arrival(event.time, log.name, event.id))
            elif event.kind == "unsure" and event.time >= begin:
                found[event.destination].unsure.add(event.id)
            elif event.kind == "subscribed" and event.detail:
                found[event.destination].durable.setdefault(log.name, event.time)
    return found


def _judge(
    name: str, traffic: _Traffic, begin: float, examples: list[str], duplicated_by: Counter[str]
) -> DestinationRow:
    """One destination's row; adds to the examples of lost messages and to each log's duplicates."""
    is_topic = name.startswith("topic://")
    arrivals = sorted(traffic.arrivals, key=lambda arrival: arrival.time)
    seen: dict[str, set[str]] = defaultdict(set)  # by reader: a topic's subscriber, or "" for all readers of a queue
    unconfirmed: set[str] = set()
    duplicated = reordered = 0
    latest: dict[tuple[str, str], int] = {}
    for arrival in arrivals:
        reader = arrival.log if is_topic else ""
        counts = arrival.time >= begin
        if arrival.id in seen[reader]:
            duplicated += counts
            duplicated_by[arrival.log] += counts
            continue
        seen[reader].add(arrival.id)
        if counts and arrival.id not in traffic.sent:
            unconfirmed.add(arrival.id)
        process, _colon, digits = arrival.id.rpartition(":")
        if process and digits.isdecimal() and len(digits) <= _MOST_DIGITS:
            sequence = int(digits)
            highest = latest.get((reader, process), -1)
            reordered += counts and sequence < highest
            latest[reader, process] = max(sequence, highest)
    produced = consumed = lost = 0
    for identity, time in traffic.sent.items():
        if time < begin:
            continue
        produced += 1
        consumed += any(identity in ids for ids in seen.values())
        missing = [reader for reader in _due(traffic, time, is_topic) if identity not in seen[reader]]
        lost += bool(missing)
        if missing and len(examples) < _MOST_EXAMPLES:
            by = f" by {', '.join(missing)}" if is_topic else ""
            examples.append(f"{name} {identity}, confirmed at {_clock(time)}, was not received{by}")
    times = [arrival.time for arrival in arrivals if arrival.time >= begin]
    return DestinationRow(
        destination=name,
        produced=produced,
        consumed=consumed,
        lost=lost,
        duplicated=duplicated,
        reordered=reordered,
        unconfirmed=len(unconfirmed),
        unsure=len(traffic.unsure - traffic.sent.keys()),
        delivery_gap=_longest(times, name),
    )


def _due(traffic: _Traffic, time: float, is_topic: bool) -> list[str]:
    """Which readers a message confirmed at *time* is due to."""
    if not is_topic:
        return [""]
    return sorted(log for log, since in traffic.durable.items() if time > since + _SUBSCRIPTION_SLACK_S)


def _service_row(log: Log, begin: float, duplicated: int) -> ServiceRow:
    events = [event for event in log.events if event.time >= begin]
    kinds = Counter(event.kind for event in events)
    times: dict[str, list[float]] = defaultdict(list)
    unsure: set[tuple[str, str]] = set()
    confirmed: set[tuple[str, str]] = set()
    forwards = {
        word.removeprefix("forward=")
        for event in log.events
        if event.kind == "start"
        for word in event.detail.split()
        if word.startswith("forward=")
    }
    for event in events:
        if event.kind == "sent":
            if event.destination not in forwards:
                times[event.destination].append(event.time)
            confirmed.add((event.destination, event.id))
        elif event.kind == "unsure":
            unsure.add((event.destination, event.id))
    gaps = (_longest(sorted(sends), f"{log.name} to {destination}") for destination, sends in times.items())
    return ServiceRow(
        host=log.host,
        service=log.service,
        sent=len(confirmed),
        received=kinds["recv"],
        duplicated=duplicated,
        unsure=len(unsure - confirmed),
        errors=kinds["error"],
        connected=kinds["connected"],
        producer_gap=_longer(gaps),
    )


def _longest(times: Sequence[float], where: str) -> Gap | None:
    """The longest gap between neighbours of a sorted list; None for fewer than two."""
    return _longer(Gap(round(after - before, 3), before, where) for before, after in pairwise(times))


def _longer(gaps: Iterable[Gap | None]) -> Gap | None:
    return max((gap for gap in gaps if gap is not None), key=lambda gap: gap.seconds, default=None)


def _seconds(gap: Gap | None) -> str:
    return f"{gap.seconds:.3f} s" if gap else "-"


def _describe(gap: Gap | None) -> str:
    return f"{_seconds(gap)} from {_clock(gap.at)} ({gap.where})" if gap else "-"


def _clock(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%H:%M:%S.%f")[:-3] + "Z"


def _table(rows: Sequence[Sequence[object]], *, texts: int) -> list[str]:
    """Aligned lines; the first *texts* columns to the left, the numbers to the right."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if place < texts else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
