# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""What a view of a broker saw: plain records, without a word about transport or Ansible.

Unknown is ``None`` and never 0: a caller that needs a number has to decide what not knowing means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Optional, Protocol

QUEUE = "queue"
DURABLE_SUBSCRIPTION = "durable_subscription"

# What a view may be unable to know about a broker as a whole (the strings of Sample.unknowns).
UNKNOWN_SCHEDULED = "scheduled"
UNKNOWN_TRANSACTIONS = "transactions"
UNKNOWN_SUBSCRIPTIONS = "durable_subscriptions"
# Without it, a broker that was restarted between two samples is not noticed.
UNKNOWN_BROKER_ID = "broker_id"
# There may be a destination that the view does not list, or not by its right name.
UNKNOWN_DESTINATIONS = "destinations"
# The view tells what the broker held some time ago.
UNKNOWN_PRESENT = "present"

# Whether a consumer is a network bridge, which only carries messages to another broker.
UNKNOWN_BRIDGES = "bridges"
# The broker counts messages that are in none of the queues that the view lists.
UNKNOWN_HIDDEN = "hidden_messages"

#: What a client of a broker is: see the census.
CLIENT, BRIDGE, TOOL, SOCKET = "client", "bridge", "tool", "socket"

#: What a view may be able to know: fields of Destination (of queues), and things of the broker as a whole.
CAPABILITIES = (
    "pending",
    "in_flight",
    "enqueued",
    "dequeued",
    "consumers",
    "producers",
    UNKNOWN_BRIDGES,
    "dlq",
    UNKNOWN_SUBSCRIPTIONS,
    UNKNOWN_SCHEDULED,
    UNKNOWN_TRANSACTIONS,
    "connections",
    "total",
    UNKNOWN_BROKER_ID,
)

_DEAD_LETTER_PATTERNS = ("ActiveMQ.DLQ", "ActiveMQ.DLQ.*", "DLQ.*")
_INTERNAL_PATTERNS = ("ActiveMQ.Advisory.*", "ActiveMQ.Statistics.*", "ActiveMQ.Scheduler.*")

_MAX_SHOWN = 200


#: What tells the destinations of one broker apart.
Key = tuple[str, str, Optional[str], Optional[str]]


class Destination(NamedTuple):
    """A queue, or the backlog of a durable topic subscription, at one moment.

    ``pending`` counts messages, those dispatched but not acknowledged (``in_flight``) included. ``enqueued`` and
    ``dequeued`` count since the broker started and fall back to 0 when it restarts. ``topic`` is the topic of a
    durable subscription, whose ``name`` is ``topic/client_id/subscription``; ``consumers`` is then 0 or 1. As each of
    the three may contain a ``/``, two may have the same name; ``key`` tells them apart.
    ``bridges`` is how many of a queue's ``consumers`` are network bridges: those hand messages on to another broker.
    """

    name: str
    kind: str
    pending: int | None = None
    in_flight: int | None = None
    enqueued: int | None = None
    dequeued: int | None = None
    consumers: int | None = None
    producers: int | None = None
    dlq: bool | None = None
    topic: str | None = None
    bridges: int | None = None
    client_id: str | None = None
    subscription: str | None = None

    @property
    def key(self) -> Key:
        return self.kind, self.name, self.client_id, self.subscription


class Overview(NamedTuple):
    """The broker itself. ``broker_id`` is new after each start; ``uptime_ms`` is in milliseconds."""

    broker_id: str | None
    name: str | None
    version: str | None = None
    uptime_ms: int | None = None
    total_messages: int | None = None


class Sample(NamedTuple):
    """What one view saw at one moment.

    ``taken_at`` is seconds since the epoch on the machine that ran the view. ``scheduled``, ``open_transactions`` and
    ``anonymous_producers`` (producers bound to no destination) count over the whole broker. ``unknowns`` names what
    the view could not know. ``hidden_messages`` is how many more messages the broker counts in its queues than the
    view sees in them; messages that come or go while it looks make that inexact, also negative, or None. ``tried``
    are the views that did not answer before this one, as ViewError.to_dict gives them.
    """

    taken_at: float
    view: str
    url: str
    overview: Overview
    destinations: list[Destination]
    scheduled: int | None = None
    open_transactions: int | None = None
    anonymous_producers: int | None = None
    unknowns: tuple[str, ...] = ()
    hidden_messages: int | None = None
    tried: tuple[Mapping[str, Any], ...] = ()


class ViewError(Exception):
    """A view has no sample to give.

    ``transient`` tells what may heal by itself (nobody listens, a time limit, a broker that is starting) from what
    needs a person (credentials, a wrong URL). ``url`` never carries credentials.
    """

    def __init__(self, view: str, url: str, message: str, transient: bool = False) -> None:
        super().__init__(f"{view} view of {url}: {message}")
        self.view = view
        self.url = url
        self.message = message
        self.transient = transient

    def to_dict(self) -> dict[str, Any]:
        return {"view": self.view, "url": self.url, "message": self.message, "transient": self.transient}


class View(Protocol):
    """A read-only way to observe a broker."""

    @property
    def kind(self) -> str:
        """The value of Sample.view."""

    @property
    def capabilities(self) -> frozenset[str]:
        """Which of CAPABILITIES it can know; what it cannot is None in its samples, or named in their ``unknowns``."""

    def sample(self) -> Sample:
        """Observe once. Raises ViewError."""

    def overview(self) -> Overview:
        """Observe the broker alone, where that costs less than a sample. Raises ViewError."""


def matches(name: str, pattern: str) -> bool:
    """Whether a pattern covers a name exactly; ``*`` stands for any text, every other character for itself.

    Not fnmatch: queue names may contain ``[`` and ``?``. A scan from left to right, so that a hostile pattern costs
    no more than a product of two lengths.
    """
    parts = pattern.split("*")
    if len(parts) == 1:
        return name == pattern
    first, middle, last = parts[0], parts[1:-1], parts[-1]
    if len(name) < len(first) + len(last) or not name.startswith(first) or not name.endswith(last):
        return False
    position, end = len(first), len(name) - len(last)
    for part in middle:
        found = name.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return True


def consumes(pattern: str, name: str) -> bool:
    """Whether a consumer of ``pattern`` receives from the destination ``name`` (ActiveMQ's DestinationFilter).

    ``*`` stands for one part of a name, ``>`` at the end for any number of them; a comma separates destinations.
    """
    for one in pattern.split(","):
        wanted, parts = one.rpartition("://")[2].split("."), name.split(".")
        if wanted[-1] == ">":
            wanted, parts = wanted[:-1], parts[: len(wanted) - 1]
        if len(wanted) == len(parts) and all(part in ("*", own) for part, own in zip(wanted, parts)):
            return True
    return False


def covers(patterns: Iterable[str], destination: Destination) -> bool:
    """Whether one of the patterns covers a destination's name, or the topic of a durable subscription."""
    names = (destination.name,) if destination.topic is None else (destination.name, destination.topic)
    return any(matches(name, pattern) for pattern in patterns for name in names)


def is_dead_letter(destination: Destination) -> bool:
    """A dead letter queue by the broker's own DLQ attribute, or by the usual names (DeadLetterStrategy)."""
    return destination.dlq is True or covers(_DEAD_LETTER_PATTERNS, destination)


def is_internal(destination: Destination) -> bool:
    """A destination of the broker's own: advisory, statistics or scheduler management."""
    return covers(_INTERNAL_PATTERNS, destination)


def shown_text(text: str) -> str:
    """A sentence for people: control characters escaped. Unlike a name it is not cut short."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def shown(name: str) -> str:
    """A name for people: control characters escaped, length bounded. Names from a broker are hostile until shown."""
    text = shown_text(name)
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…"


def sample_to_dict(sample: Sample) -> dict[str, Any]:
    """The sample as plain values, for a module's result."""
    return {
        "taken_at": sample.taken_at,
        "view": sample.view,
        "url": sample.url,
        "broker": sample.overview._asdict(),
        "destinations": [destination._asdict() for destination in sample.destinations],
        "scheduled": sample.scheduled,
        "open_transactions": sample.open_transactions,
        "anonymous_producers": sample.anonymous_producers,
        "unknowns": list(sample.unknowns),
        "hidden_messages": sample.hidden_messages,
        "tried": [dict(failure) for failure in sample.tried],
    }


def sample_from_dict(result: Mapping[str, Any]) -> Sample:
    """The inverse of sample_to_dict. Raises KeyError or TypeError when the result is not one of ours."""
    return Sample(
        taken_at=float(result["taken_at"]),
        view=str(result["view"]),
        url=str(result["url"]),
        overview=Overview(**result["broker"]),
        destinations=[Destination(**item) for item in result["destinations"]],
        scheduled=result["scheduled"],
        open_transactions=result["open_transactions"],
        anonymous_producers=result["anonymous_producers"],
        unknowns=tuple(result["unknowns"]),
        hidden_messages=result["hidden_messages"],
        tried=tuple(result["tried"]),
    )
