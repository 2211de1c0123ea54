# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""The status page: both brokers, what they hold, coverage and census, as data and as lines to read. Pure.

Its input are the results of queue_info and connection_info, of which any may be a failure: what cannot be seen is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._coverage import (
    SOURCE_PHASES,
    coverage_problems,
    needs,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import (
    BRIDGE,
    DURABLE_SUBSCRIPTION,
    TOOL,
    Destination,
    is_dead_letter,
    is_internal,
    shown,
    shown_text,
)

#: How many items of a kind the page shows before it only counts them.
MAX_SHOWN = 50


class Broker(NamedTuple):
    """One broker's part of the page: its name in the inventory, and what queue_info and connection_info returned."""

    name: str
    queues: Mapping[str, Any]
    connections: Mapping[str, Any]

    @property
    def destinations(self) -> list[Destination]:
        return [Destination(**item) for item in self.queues.get("destinations", ())]

    @property
    def clients(self) -> list[Mapping[str, Any]]:
        return list(self.connections.get("clients", ()))


def status(
    source: Broker,
    target: Broker,
    services: Mapping[str, Sequence[Mapping[str, Any]]],
    phase: str | None = None,
    accept_unknown: Sequence[str] = (),
) -> dict[str, Any]:
    """The page. ``services`` are the mq_services of each host of the inventory. Without ``phase`` it is the one seen.

    ``accept_unknown`` is what coverage need not know (see coverage_problems).

    Keys: ``phase``, ``reachable`` (source, target), ``problems`` (sentences about brokers and coverage), ``unknown``
    (clients of no host, with their ``broker``), ``missing`` (hosts with services that are connected to neither broker),
    ``lines``. Raises ValueError for an unknown phase or what cannot be accepted, and TypeError for what is no result of
    the two modules.
    """
    phase = phase or phase_seen(source, target)
    named = [name for listed in services.values() for service in listed for name in service.get("destinations", ())]
    wanted = needs(phase, source.destinations, target.destinations, named)
    problems = []
    for broker, need, pending_only in (
        (source, wanted.source, phase in ("drain", "target")),
        (target, wanted.target, False),
    ):
        problems += coverage_problems(
            [broker.queues],
            [broker.name],
            need.queues,
            need.subscriptions,
            pending_only,
            accept_unknown,
            # What the target needs is found out from those of the source.
            all_subscriptions=broker is source and phase not in SOURCE_PHASES,
        )
        if "clients" not in broker.connections and "destinations" in broker.queues:
            problems.append(f"broker {broker.name}: no census: {_reason(broker.connections)}")
    unknown = [
        {"broker": broker.name, **client}
        for broker in (source, target)
        for client in broker.clients
        if client.get("unknown")
    ]
    seen = {client["host"] for broker in (source, target) for client in broker.clients}
    counted = all("clients" in broker.connections for broker in (source, target))
    missing = sorted(host for host, listed in services.items() if listed and host not in seen) if counted else []
    lines = [
        *_broker_lines("SOURCE", source)[1:],
        *_broker_lines("TARGET", target),
        *_section(f"PROBLEMS (phase {phase})", [shown_text(problem) for problem in problems]),
        *_section("WHO IS WHERE", _host_lines((source, target), services)),
        *_section(
            "UNKNOWN CLIENTS",
            [f"{shown(client['broker'])}: {_client_text(client)}" for client in unknown],
            "nobody" if counted else "nobody, where clients could be seen",
        ),
        *_section("BRIDGES AND TOOLS", _other_lines((source, target))),
    ]
    return {
        "phase": phase,
        "reachable": {"source": "destinations" in source.queues, "target": "destinations" in target.queues},
        "problems": problems,
        "unknown": unknown,
        "missing": missing,
        "lines": lines,
    }


def phase_seen(source: Broker, target: Broker) -> str:
    """In which phase the clients of the inventory are, by where they are connected.

    On one broker alone it is ``source`` or ``target``, otherwise, also when it cannot be seen, ``both_source_first``.
    While producers are on the target alone and consumers on both, it is ``drain``. It cannot be seen where no client is
    of a host of the inventory, or what the source's clients produce may not be read.
    """
    if any("clients" not in broker.connections for broker in (source, target)):
        return "both_source_first"
    here, there = ([client for client in broker.clients if client["host"] is not None] for broker in (source, target))
    if not here and not there:
        return "both_source_first"
    if not there:
        return "source"
    if not here:
        return "target"
    return "both_source_first" if any(_may_produce(client) for client in here) else "drain"


def _may_produce(client: Mapping[str, Any]) -> bool:
    """Whether a client sends, or may, as far as is known.

    STOMP gives a client that has not sent yet a producer without a destination, also one that only consumes.
    """
    return client["produces"] is None or bool(client["produces"] or (client["producers"] and not client["consumes"]))


def _reason(result: Mapping[str, Any]) -> str:
    return str(result.get("msg", "no result"))


def _section(title: str, lines: Sequence[str], empty: str = "none") -> list[str]:
    more = [f"... and {len(lines) - MAX_SHOWN} more"] if len(lines) > MAX_SHOWN else []
    return ["", title, *(f"  {line}" for line in [*(lines[:MAX_SHOWN] or [empty]), *more])]


def _broker_lines(title: str, broker: Broker) -> list[str]:
    result = broker.queues
    if "destinations" not in result:
        return _section(f"{title} {shown(broker.name)}", [shown_text(f"cannot be observed: {_reason(result)}")])
    own = result["broker"]
    destinations = [d for d in broker.destinations if not is_internal(d)]
    held = [d for d in destinations if d.pending != 0 and not is_dead_letter(d)]
    dead = [d for d in destinations if d.pending != 0 and is_dead_letter(d)]
    uptime = own["uptime_ms"]
    head = (
        f"{shown(own['name'] or '?')}, ActiveMQ {shown(own['version'] or '?')}, "
        f"up {'?' if uptime is None else duration(uptime / 1000)}, by {result['view']} view of {shown(result['url'])}"
    )
    totals = (
        f"{_number(own['total_messages'])} messages, {len(destinations)} queues and subscriptions, "
        f"{_number(result['open_transactions'])} open transactions, {_number(result['scheduled'])} scheduled messages"
    )
    lines = [head, totals, *(_destination_text(d) for d in sorted(held, key=lambda d: (-(d.pending or 0), d.name)))]
    lines += [f"{shown(d.name)}: {_number(d.pending)} dead letters" for d in sorted(dead, key=lambda d: d.name)]
    if result["unknowns"]:
        lines.append(f"the view cannot know: {', '.join(result['unknowns'])}")
    return _section(f"{title} {shown(broker.name)}", lines)


def _destination_text(destination: Destination) -> str:
    facts = [f"{_number(destination.pending)} left"]
    if destination.in_flight:
        facts.append(f"{destination.in_flight} of them held by consumers")
    if destination.kind == DURABLE_SUBSCRIPTION:
        facts.append("its subscriber is away" if destination.consumers == 0 else "its subscriber is connected")
    elif destination.consumers is None:
        facts.append("? consumers")
    else:
        bridges = f", of which {destination.bridges} are bridges" if destination.bridges else ""
        facts.append(f"{destination.consumers or 'no'} consumers{bridges}")
    if destination.producers:
        facts.append(f"{destination.producers} producers")
    return f"{shown(destination.name)}: {', '.join(facts)}"


def _host_lines(brokers: Sequence[Broker], services: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    lines = []
    for host, listed in services.items():
        names = ", ".join(shown(str(service.get("name"))) for service in listed) or "no services"
        lines.append(f"{host} ({names})")
        there = [
            f"  {shown(broker.name)}: {_client_text(client)}"
            for broker in brokers
            for client in broker.clients
            if client["host"] == host
        ]
        lines += there or ["  not connected" if all("clients" in b.connections for b in brokers) else "  not seen"]
    return lines


def _other_lines(brokers: Sequence[Broker]) -> list[str]:
    return [
        f"{shown(broker.name)}: {client['kind']} {_client_text(client)}"
        for broker in brokers
        for client in broker.clients
        if client["kind"] in (BRIDGE, TOOL)
    ]


def _client_text(client: Mapping[str, Any]) -> str:
    """A connection in one line: where from, who, what it does."""
    where = "inside the broker" if client["address"] is None else f"{client['address']}:{client['port']}"
    parts = [" ".join(part for part in (where, client["protocol"], "with TLS" if client["tls"] else None) if part)]
    if client["client_id"] is not None:
        parts.append(f"id {shown(client['client_id'])}")
    if client["user"] is not None:
        parts.append(f"user {shown(client['user'])}")
    for word, key in (("consumes", "consumes"), ("sends to", "produces")):
        if client[key]:
            names = [
                f"{'' if one['kind'] == 'queue' else one['kind'] + ' '}{shown(one['name'])}" for one in client[key]
            ]
            parts.append(f"{word} {_listed(names)}")
    if client["open_transactions"]:
        parts.append(f"{client['open_transactions']} open transactions")
    parts += [flag for flag in ("slow", "blocked") if client[flag]]
    return ", ".join(parts)


def _listed(names: Sequence[str], limit: int = 5) -> str:
    return " ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")


def _number(count: int | None) -> str:
    return "?" if count is None else str(count)


def duration(seconds: float) -> str:
    """A duration for people, in its two largest units."""
    left = int(seconds)
    parts: list[str] = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        amount, left = divmod(left, size)
        if amount or (unit == "s" and not parts):
            parts.append(f"{amount} {unit}")
    return " ".join(parts[:2])
