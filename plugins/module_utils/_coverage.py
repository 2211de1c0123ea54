# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""Which queues are live, and which of them nobody listens on. Pure functions over what a view saw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import (
    QUEUE,
    Destination,
    is_dead_letter,
    is_internal,
    shown,
)


def coverage_gaps(destinations: Iterable[Destination], queues: Iterable[str]) -> list[str]:
    """The queues, in the order given, that have no consumer; a queue that is absent or unknown is a gap."""
    covered = {d.name for d in destinations if d.kind == QUEUE and d.consumers is not None and d.consumers > 0}
    return [queue for queue in dict.fromkeys(queues) if queue not in covered]


def live_queues(destinations: Iterable[Destination]) -> list[str]:
    """The names, sorted, of queues that have consumers or messages, or of which that is not known.

    Dead letter queues and the broker's own destinations are nobody's work and are left out.
    """
    return sorted(
        d.name
        for d in destinations
        if d.kind == QUEUE
        and not (d.consumers == 0 and d.pending == 0)
        and not is_dead_letter(d)
        and not is_internal(d)
    )


def coverage_problems(results: Iterable[Mapping[str, Any]], names: Sequence[str], queues: Sequence[str]) -> list[str]:
    """A sentence for each broker that is not covered; ``results`` are queue_info's, in the order of the names."""
    problems = []
    for name, result in zip(names, results):
        if "destinations" not in result:
            problems.append(f"broker {name}: cannot be observed: {result.get('msg', 'no result')}")
            continue
        gaps = coverage_gaps((Destination(**item) for item in result["destinations"]), queues)
        if gaps:
            problems.append(f"broker {name}: no consumer for {', '.join(map(shown, gaps))}")
    return problems
