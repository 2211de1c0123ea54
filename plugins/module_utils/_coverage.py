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

#: The client id of a durable subscription that a network bridge made (NetworkBridgeConfiguration).
_BRIDGE_SUBSCRIBER = "/NC-DS_"


class Need(NamedTuple):
    """What a broker has to serve: names of queues and of durable subscriptions, sorted."""

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
    left = {d.name for d in source if d.pending != 0}
    known = set(named) & {d.name for d in (*source, *target) if _is_work(d)}
    subscriptions = sorted(
        d.name for d in source if d.kind == DURABLE_SUBSCRIPTION and _BRIDGE_SUBSCRIBER not in d.name
    )
    if phase in SOURCE_PHASES:
        return Needs(Need(on_source, []), Need([], []))
    if phase in BOTH_PHASES:
        return Needs(Need(on_source, []), Need(sorted({*on_source, *on_target, *known}), subscriptions))
    remaining = Need([name for name in on_source if name in left], [name for name in subscriptions if name in left])
    moved = on_source if phase == DRAIN_PHASE else []
    return Needs(remaining, Need(sorted({*moved, *on_target, *known}), subscriptions))


def live_queues(destinations: Iterable[Destination]) -> list[str]:
    """The names, sorted, of queues that have consumers or messages, or of which that is not known.

    Dead letter queues and the broker's own destinations are nobody's work and are left out.
    """
    return sorted(d.name for d in destinations if _is_work(d) and not (_own_consumers(d) == 0 and d.pending == 0))


def coverage_problems(
    results: Iterable[Mapping[str, Any]],
    names: Sequence[str],
    queues: Iterable[str],
    subscriptions: Iterable[str] = (),
    pending_only: bool = False,
) -> list[str]:
    """Sentences for each broker that is not covered; ``results`` are queue_info's, in the order of the names.

    A queue is covered by a consumer of its own. A durable subscription is covered by being there, connected or not: a
    topic keeps messages for those subscriptions only that it knows. What is absent or unknown is not covered.

    With ``pending_only`` nothing more will be sent to the broker, so only what holds messages, as far as is known,
    needs somebody who takes them: a queue a consumer, and a durable subscription its subscriber.
    """
    problems = []
    for name, result in zip(names, results):
        if "destinations" not in result:
            problems.append(f"broker {name}: cannot be observed: {result.get('msg', 'no result')}")
            continue
        destinations = [Destination(**item) for item in result["destinations"]]
        holding = {(d.kind, d.name) for d in destinations if d.pending != 0}
        served = {d.name for d in destinations if d.kind == QUEUE and _own_consumers(d)}
        known = {d.name for d in destinations if d.kind == DURABLE_SUBSCRIPTION and (d.consumers or not pending_only)}
        for what, kind, wanted, there in (
            ("consumer for", QUEUE, queues, served),
            ("subscriber for" if pending_only else "durable subscription", DURABLE_SUBSCRIPTION, subscriptions, known),
        ):
            # A broker removes nothing that holds messages, so what is gone was empty.
            asked = [one for one in wanted if not pending_only or (kind, one) in holding]
            gaps = [shown(one) for one in dict.fromkeys(asked) if one not in there]
            if gaps:
                problems.append(f"broker {name}: no {what} {', '.join(gaps)}")
    return problems


def _is_work(destination: Destination) -> bool:
    """A queue that somebody has to work on, rather than one for dead letters or of the broker's own."""
    return destination.kind == QUEUE and not is_dead_letter(destination) and not is_internal(destination)


def _own_consumers(queue: Destination) -> int | None:
    """How many consumers take messages out of this broker's queue to work on them; a network bridge only carries."""
    if queue.consumers is None or (queue.consumers > 0 and queue.bridges is None):
        return None
    return max(0, queue.consumers - (queue.bridges or 0))
