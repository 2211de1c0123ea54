# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""The TCP connections of services over time, from /proc. No Ansible import; standard library only.

:class:`Follower` looks at one moment and keeps what does not change between two looks, so that it costs little;
:func:`follow` looks again and again and keeps the changes.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._sockets import (
    POLL_INTERVAL,
    SOCKET_LINK,
    Connection,
    Observer,
    SocketsError,
    parse_tcp,
)

#: The share of one processor that following may take: after a look that cost much, the next one is put off.
MAX_SHARE = 0.05
#: Seconds between two looks while a service is connected to no endpoint: what it tries then lasts milliseconds.
BUSY_INTERVAL = 0.05
#: Seconds between two searches for a service's processes. In between only those that are known are looked at.
SEARCH_INTERVAL = 5.0
#: Seconds between two readings of the connections while all services stay connected by the same sockets.
READ_INTERVAL = 2.0
#: Changes kept for each service: so many of the first and so many of the last.
MAX_CHANGES = 500
#: Attempts kept in each change.
MAX_ATTEMPTS = 20

Look = Callable[[], Sequence[Mapping[str, Any]]]


class Follower:
    """Looks at the services of one host, each time at little cost.

    Reading the table of connections costs most: the kernel goes through all of its buckets, milliseconds on a host with
    much memory. So it is read once for all services, and only when a service has other sockets than before, is not
    connected, or it was not read for a while.
    """

    def __init__(
        self,
        observer: Observer,
        services: Sequence[Mapping[str, Any]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the services as ``socket_info`` has them, and an observer of this host."""
        self._observer = observer
        self._services = services
        self._clock = clock
        self._searched = self._read = float("-inf")
        #: Process id -> when it started, of each service.
        self._found: list[dict[int, float]] = [{} for dummy in services]
        #: What _own() found, of each service.
        self._sockets: list[dict[str, tuple[int, frozenset[str]]]] = [{} for dummy in services]
        self._records: list[dict[str, Any]] = []
        self._ports = {port for dummy, port in observer.endpoints}
        self._ports_in_hex = {f"{port:04X}" for port in self._ports}
        self._addresses = {address for address, dummy in observer.endpoints}
        #: Connections that nobody owned any more at the last look, by network namespace; None before the first.
        self._ended: dict[str, set[tuple[str, int, int]]] | None = None

    def look(self) -> list[dict[str, Any]]:
        """Return for each service what its timeline keeps of this moment (see RETURN of ``socket_info``).

        :raises SocketsError: when the connections of a running process may not be read.
        """
        now = self._clock()
        search = now - self._searched >= SEARCH_INTERVAL
        if search:
            self._searched = now
        found = [self._processes(index, search) for index in range(len(self._services))]
        sockets = [self._own(str(service["name"]), pids) for service, pids in zip(self._services, found)]
        same = (found, sockets) == (self._found, self._sockets)
        self._found, self._sockets = found, sockets
        calm = all(record["endpoints"] and not record["attempts"] for record in self._records)
        if same and calm and now - self._read < READ_INTERVAL:
            return self._records
        self._read = now
        tables = self._tables()
        self._records = [self._record(pids, own, tables) for pids, own in zip(found, sockets)]
        self._assign(tables)
        return self._records

    def _processes(self, index: int, search: bool) -> dict[int, float]:
        known = self._found[index]
        # The same number may be another process by now.
        if known and not search and all(self._observer.started(pid) == started for pid, started in known.items()):
            return known
        return self._observer.processes(self._services[index])

    def _own(self, name: str, pids: Mapping[int, float]) -> dict[str, tuple[int, frozenset[str]]]:
        """Network namespace -> a process in it, and the inodes of the sockets that a service has there."""
        own: dict[str, tuple[int, frozenset[str]]] = {}
        for pid in pids:
            try:
                links, space = self._observer.proc.socket_links(pid), self._observer.proc.net_namespace(pid)
            except PermissionError:
                raise SocketsError(
                    f"service {name}: the connections of process {pid} may not be read; use become"
                ) from None
            if links is not None and space is not None:
                inodes = frozenset(match[1] for match in map(SOCKET_LINK.match, links) if match is not None)
                own[space] = pid, own[space][1] | inodes if space in own else inodes
        return own

    def _tables(self) -> dict[str, _Table]:
        """Read the connections of every network namespace that has a service."""
        members: dict[str, int] = {}
        wanted: dict[str, set[str]] = {}
        for own in self._sockets:
            for space, (pid, inodes) in own.items():
                members[space] = pid
                wanted.setdefault(space, set()).update(inodes)
        return {space: self._table(pid, wanted[space]) for space, pid in members.items()}

    def _table(self, pid: int, inodes: set[str]) -> _Table:
        owned, ended = [""], [""]
        for kind in ("tcp", "tcp6"):
            for line in (self._observer.proc.read(f"{pid}/net/{kind}") or "").splitlines():
                fields = line.split(None, 10)
                # Only what is wanted is parsed: a busy host has ten thousands of rows. 06 is TIME_WAIT.
                if len(fields) > 9 and fields[9] in inodes:
                    owned.append(line)
                elif (
                    len(fields) > 9 and fields[9] == "0" and fields[3] == "06" and fields[2][-4:] in self._ports_in_hex
                ):
                    ended.append(line)
        order = self._observer.byteorder
        return _Table(
            {str(row.inode): row for row in parse_tcp("\n".join(owned), order)},
            {
                (row.remote_address, row.remote_port, row.local_port)
                for row in parse_tcp("\n".join(ended), order)
                if (row.remote_address, row.remote_port) in self._observer.endpoints
            },
        )

    def _record(
        self, pids: Mapping[int, float], own: Mapping[str, tuple[int, frozenset[str]]], tables: Mapping[str, _Table]
    ) -> dict[str, Any]:
        endpoints = set()
        ports = []
        attempts = []
        for space, (dummy, inodes) in own.items():
            for row in (tables[space].owned[inode] for inode in inodes if inode in tables[space].owned):
                endpoint = self._observer.endpoints.get((row.remote_address, row.remote_port))
                if endpoint is not None and row.state == "ESTABLISHED":
                    endpoints.add(endpoint)
                    ports.append(row.local_port)
                elif row.state != "LISTEN" and (
                    row.remote_port in self._ports or row.remote_address in self._addresses
                ):
                    attempts.append(_attempt(row.remote_address, row.remote_port, row.state, row.local_port, endpoint))
        return {
            "running": bool(pids),
            "started": min(pids.values()) if pids else None,
            "endpoints": sorted(endpoints),
            "local_ports": sorted(ports),
            "attempts": sorted(attempts, key=lambda one: (one["address"], one["local_port"]))[:MAX_ATTEMPTS],
        }

    def _assign(self, tables: Mapping[str, _Table]) -> None:
        """Note what a connection left that ended: the kernel keeps it for a minute, and names no process any more.

        It is that of the one service of its network namespace that is not connected; when there are several, nobody's.
        """
        former, self._ended = self._ended, {**(self._ended or {}), **{space: tables[space].ended for space in tables}}
        if former is None:
            return
        for space, table in tables.items():
            fresh = table.ended - former.get(space, table.ended)
            candidates = [
                record
                for record, own in zip(self._records, self._sockets)
                if space in own and record["running"] and not record["endpoints"]
            ]
            if len(candidates) == 1:
                attempts = candidates[0]["attempts"]
                for address, port, local_port in sorted(fresh)[: MAX_ATTEMPTS - len(attempts)]:
                    endpoint = self._observer.endpoints.get((address, port))
                    attempts.append(_attempt(address, port, "TIME_WAIT", local_port, endpoint))


class _Table(NamedTuple):
    """Connections of a network namespace: those of services by inode, and what is left of ended ones."""

    owned: dict[str, Connection]
    ended: set[tuple[str, int, int]]


def _attempt(address: str, port: int, state: str, local_port: int, endpoint: str | None) -> dict[str, Any]:
    return {"address": address, "port": port, "state": state, "local_port": local_port, "endpoint": endpoint}


def follow(
    look: Look,
    goes_on: Callable[[], bool],
    count: int,
    timeout: float,
    *,
    now: Callable[[], float] = time.time,
    clock: Callable[[], float] = time.monotonic,
    cost: Callable[[], float] = time.process_time,
    sleep: Callable[[float], None] = time.sleep,
) -> list[dict[str, Any]]:
    """Look as long as ``goes_on()``, at most ``timeout`` seconds, at least once; return the timeline of each service.

    ``count`` is how many services there are. A timeline has ``changes`` (each what ``look`` returned, with ``at`` in
    seconds of the epoch), ``dropped`` (how many changes in the middle were not kept), ``until`` (when it was looked at
    last) and ``looks``.

    :raises SocketsError: when the first look fails. A later one that fails is left out.
    """
    first: list[list[dict[str, Any]]] = [[] for dummy in range(count)]
    last: list[deque[dict[str, Any]]] = [deque(maxlen=MAX_CHANGES) for dummy in range(count)]
    totals = [0] * count
    before: list[Mapping[str, Any] | None] = [None] * count
    deadline = clock() + timeout
    looks = 0
    until = now()
    while True:
        began = cost()
        records: Sequence[Mapping[str, Any]] = []
        try:
            records = look()
            looks += 1
            until = now()
        except SocketsError:
            if not looks:
                raise
        for index, record in enumerate(records):
            if record != before[index]:
                before[index] = record
                totals[index] += 1
                change = {"at": round(until, 3), **record}
                (first[index] if len(first[index]) < MAX_CHANGES else last[index]).append(change)
        left = deadline - clock()
        if left <= 0 or not goes_on():
            break
        busy = any(record["running"] and not record["endpoints"] for record in records)
        pause = max(BUSY_INTERVAL if busy else POLL_INTERVAL, (cost() - began) / MAX_SHARE)
        sleep(min(pause, left))
    return [
        {
            "changes": [*first[index], *last[index]],
            "dropped": totals[index] - len(first[index]) - len(last[index]),
            "until": round(until, 3),
            "looks": looks,
        }
        for index in range(count)
    ]
