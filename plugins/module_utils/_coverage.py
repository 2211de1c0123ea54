# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""Which queues and subscriptions are in use, and which of them nobody serves. Pure functions over what a view saw.

What has to be served where depends on the phase (see needs): consumers before producers, on each broker that a
producer may send to, until it is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import (
    DURABLE_SUBSCRIPTION,
    QUEUE,
    UNKNOWN_BRIDGES,
    UNKNOWN_DESTINATIONS,
    UNKNOWN_HIDDEN,
    UNKNOWN_PRESENT,
    UNKNOWN_SUBSCRIPTIONS,
    Destination,
    is_dead_letter,
    is_internal,
    shown,
)

#: Phases in which services are on the source alone, listen on both brokers, and are on the target alone. Between the
#: last two the source drains.
SOURCE_PHASES = ("source", "source_tls")
BOTH_PHASES = ("scale_out", "both_source_first", "both_target_first", "random")
DRAIN_PHASE = "drain"
TARGET_PHASE = "target"
PHASES = (*SOURCE_PHASES, *BOTH_PHASES, DRAIN_PHASE, TARGET_PHASE)

#: What may be accepted not to be known.
ACCEPTABLE_UNKNOWNS = (
    UNKNOWN_BRIDGES,
    UNKNOWN_DESTINATIONS,
    UNKNOWN_SUBSCRIPTIONS,
    UNKNOWN_HIDDEN,
    UNKNOWN_PRESENT,
)

#: How the name begins of a durable subscription that a network bridge made (DemandForwardingBridgeSupport).
_BRIDGE_SUBSCRIPTION = "NC-DS_"


class Need(NamedTuple):
    """What a broker has to serve: names of queues and of durable subscriptions (see subscription_name), sorted."""

    queues: list[str]
    subscriptions: list[str]

    def to_dict(self) -> dict[str, list[str]]:
        return {"queues": self.queues, "subscriptions": self.subscriptions}


class Needs(NamedTuple):
    """What the source and the target have to serve."""

    source: Need
    target: Need


def needs(phase: str, source: Sequence[Destination], target: Sequence[Destination], named: Iterable[str] = ()) -> Needs:
    """What has to be served where in a phase, by what both brokers hold and the destinations that the inventory names.

    - On the source alone: each live queue of the source.
    - On both: these, and on the target each live queue of either, and each of which the inventory knows, though nobody
      uses it at the moment: a producer that seldom sends will send to the target. And each durable subscription of the
      source's clients, for a topic keeps nothing for a subscription that it does not know.
    - While the source drains: as on both, but of the source only what still holds messages.
    - On the target alone: its live queues and those that the inventory knows, and whatever was left on the source.

    Raises ValueError for an unknown phase.
    """
    if phase not in PHASES:
        raise ValueError(f"unknown phase {phase!r}: use one of {', '.join(PHASES)}")
    on_source, on_target = live_queues(source), live_queues(target)
    known = set(named) & {d.name for d in (*source, *target) if _is_work(d)}
    held = [d for d in source if d.kind == DURABLE_SUBSCRIPTION and not _is_bridge_subscription(d)]
    subscriptions = sorted(subscription_name(d) for d in held)
    if phase in SOURCE_PHASES:
        return Needs(Need(on_source, []), Need([], []))
    if phase in BOTH_PHASES:
        return Needs(Need(on_source, []), Need(sorted({*on_source, *on_target, *known}), subscriptions))
    remaining = Need(
        live_queues(d for d in source if d.pending != 0),
        sorted(subscription_name(d) for d in held if d.pending != 0),
    )
    moved = on_source if phase == DRAIN_PHASE else []
    return Needs(remaining, Need(sorted({*moved, *on_target, *known}), subscriptions))


def live_queues(destinations: Iterable[Destination]) -> list[str]:
    """The names, sorted, of queues that have consumers or messages, or of which that is not known.

    Dead letter queues and the broker's own destinations are nobody's work and are left out.
    """
    return sorted(d.name for d in destinations if _is_work(d) and not (_own_consumers(d) == 0 and d.pending == 0))


def subscription_name(subscription: Destination) -> str:
    """The name by which a durable subscription is asked for, ``topic/client_id/subscription``, never that of another.

    A ``/`` within one of the three is ``%2F`` there, and a ``%`` is ``%25``.
    """
    parts = (subscription.topic, subscription.client_id, subscription.subscription)
    return "/".join((part or "").replace("%", "%25").replace("/", "%2F") for part in parts)


def coverage_problems(
    results: Iterable[Mapping[str, Any]],
    names: Sequence[str],
    queues: Iterable[str],
    subscriptions: Iterable[str] = (),
    pending_only: bool = False,
    accept_unknown: Iterable[str] = (),
    all_subscriptions: bool = False,
) -> list[str]:
    """Sentences for each broker that is not covered; ``results`` are queue_info's, in the order of the names.

    A queue is covered by a consumer of its own. A durable subscription is covered by being there, connected or not: a
    topic keeps messages for those subscriptions only that it knows. What is absent or unknown is not covered. A
    problem, too, are messages in queues that a view does not list, and that it cannot know what it is asked for, unless
    that is one of ACCEPTABLE_UNKNOWNS and accepted.

    With ``pending_only`` nothing more will be sent to the broker, so only what holds messages, as far as is known,
    needs somebody who takes them: a queue a consumer, and a durable subscription its subscriber.

    With ``all_subscriptions`` the view has to know the durable subscriptions though none is asked for: what another
    broker needs is found out from them.

    Raises ValueError when something else than ACCEPTABLE_UNKNOWNS is to be accepted.
    """
    queues, subscriptions, accepted = list(queues), list(subscriptions), set(accept_unknown)
    if not accepted <= set(ACCEPTABLE_UNKNOWNS):
        wrong = ", ".join(sorted(accepted - set(ACCEPTABLE_UNKNOWNS)))
        raise ValueError(f"{wrong} cannot be accepted as unknown: use {', '.join(ACCEPTABLE_UNKNOWNS)}")
    relevant = {UNKNOWN_DESTINATIONS, UNKNOWN_PRESENT}
    if subscriptions or all_subscriptions:
        relevant.add(UNKNOWN_SUBSCRIPTIONS)
    problems = []
    for name, result in zip(names, results):
        if "destinations" not in result:
            problems.append(f"broker {name}: cannot be observed: {result.get('msg', 'no result')}")
            continue
        unknowns = set(result.get("unknowns", ()))
        gaps = sorted((unknowns & relevant) - accepted)
        if gaps:
            problems.append(f"broker {name}: the view cannot know {', '.join(gaps)}")
        hidden = result.get("hidden_messages") or 0
        if hidden > 0 and UNKNOWN_HIDDEN not in accepted:
            problems.append(f"broker {name}: {hidden} messages are in queues that the view does not list")
        destinations = [Destination(**item) for item in result["destinations"]]
        held = {d.name: d for d in destinations if d.kind == QUEUE}
        # A broker removes nothing that holds messages, so with pending_only what is gone was empty.
        asked = [one for one in dict.fromkeys(queues) if not pending_only or (one in held and held[one].pending != 0)]
        unclear = [
            one for one in asked if one in held and _may_be_bridges(held[one]) and UNKNOWN_BRIDGES not in accepted
        ]
        served = {one for one, d in held.items() if _own_consumers(d) or _may_be_bridges(d)}
        if unclear:
            of = ", ".join(f"{shown(one)} ({held[one].consumers})" for one in unclear)
            problems.append(f"broker {name}: cannot tell whether the consumers of {of} are network bridges")
        problems += _missing(f"broker {name}: no consumer for", [one for one in asked if one not in served])
        known = {subscription_name(d): d for d in destinations if d.kind == DURABLE_SUBSCRIPTION}
        absent = [one for one in dict.fromkeys(subscriptions) if one not in known]
        away = [one for one in dict.fromkeys(subscriptions) if one in known and _needs_subscriber(known[one])]
        if pending_only:
            problems += _missing(f"broker {name}: no subscriber for", away)
        elif UNKNOWN_SUBSCRIPTIONS not in unknowns:
            problems += _missing(f"broker {name}: no durable subscription", absent)
    return problems


def _missing(what: str, names: Sequence[str]) -> list[str]:
    """A sentence about the names, if there are any."""
    return [f"{what} {', '.join(map(shown, names))}"] if names else []


def _is_bridge_subscription(subscription: Destination) -> bool:
    return (subscription.subscription or "").startswith(_BRIDGE_SUBSCRIPTION)


def _needs_subscriber(subscription: Destination) -> bool:
    """Whether it has messages that nobody takes, as far as is known."""
    return subscription.pending != 0 and not subscription.consumers


def _may_be_bridges(queue: Destination) -> bool:
    """Whether it has consumers of which it is not known whether they are network bridges."""
    return bool(queue.consumers) and queue.bridges is None


def _is_work(destination: Destination) -> bool:
    """A queue that somebody has to work on, rather than one for dead letters or of the broker's own."""
    return destination.kind == QUEUE and not is_dead_letter(destination) and not is_internal(destination)


def _own_consumers(queue: Destination) -> int | None:
    """How many consumers take messages out of this broker's queue to work on them; a network bridge only carries."""
    if queue.consumers is None or _may_be_bridges(queue):
        return None
    return max(0, queue.consumers - (queue.bridges or 0))
