# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""Which queues and subscriptions are in use, and which of them nobody serves. Pure functions over what a view saw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import (
    DURABLE_SUBSCRIPTION,
    QUEUE,
    Destination,
    is_dead_letter,
    is_internal,
    shown,
)


def live_queues(destinations: Iterable[Destination]) -> list[str]:
    """The names, sorted, of queues that have consumers or messages, or of which that is not known.

    Dead letter queues and the broker's own destinations are nobody's work and are left out.
    """
    return sorted(
        d.name
        for d in destinations
        if d.kind == QUEUE
        and not (_own_consumers(d) == 0 and d.pending == 0)
        and not is_dead_letter(d)
        and not is_internal(d)
    )


def coverage_problems(
    results: Iterable[Mapping[str, Any]], names: Sequence[str], queues: Iterable[str], subscriptions: Iterable[str] = ()
) -> list[str]:
    """Sentences for each broker that is not covered; ``results`` are queue_info's, in the order of the names.

    A queue is covered by a consumer of its own. A durable subscription is covered by being there, connected or not: a
    topic keeps messages for those subscriptions only that it knows. What is absent or unknown is not covered.
    """
    problems = []
    for name, result in zip(names, results):
        if "destinations" not in result:
            problems.append(f"broker {name}: cannot be observed: {result.get('msg', 'no result')}")
            continue
        destinations = [Destination(**item) for item in result["destinations"]]
        served = {d.name for d in destinations if d.kind == QUEUE and _own_consumers(d)}
        known = {d.name for d in destinations if d.kind == DURABLE_SUBSCRIPTION}
        for what, wanted, there in (
            ("consumer for", queues, served),
            ("durable subscription", subscriptions, known),
        ):
            gaps = [shown(one) for one in dict.fromkeys(wanted) if one not in there]
            if gaps:
                problems.append(f"broker {name}: no {what} {', '.join(gaps)}")
    return problems


def _own_consumers(queue: Destination) -> int | None:
    """How many consumers take messages out of this broker's queue to work on them; a network bridge only carries."""
    if queue.consumers is None or (queue.consumers > 0 and queue.bridges is None):
        return None
    return max(0, queue.consumers - (queue.bridges or 0))
