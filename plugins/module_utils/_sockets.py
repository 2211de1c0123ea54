# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes and TCP connections of services, from /proc. No Ansible import; standard library only.

This is a private util of the collection; it may change at any time.

The functions that parse take the text of a proc file (see proc(5)); :class:`ProcFs` does the reading, replaceably.
A process may vanish while it is read: it then counts as not running.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

MAX_PROCESSES = 100_000
MAX_CONNECTIONS = 10_000  # per service
MAX_PROC_FILE = 64 * 1024 * 1024  # bytes

POLL_INTERVAL = 0.25  # seconds between two looks

# include/net/tcp_states.h
TCP_STATES = {
    1: "ESTABLISHED",
    2: "SYN_SENT",
    3: "SYN_RECV",
    4: "FIN_WAIT1",
    5: "FIN_WAIT2",
    6: "TIME_WAIT",
    7: "CLOSE",
    8: "CLOSE_WAIT",
    9: "LAST_ACK",
    10: "LISTEN",
    11: "CLOSING",
    12: "NEW_SYN_RECV",
}

SOCKET_LINK = re.compile(r"socket:\[([0-9]+)\]\Z", re.ASCII)


class SocketsError(Exception):
    """The host does not let us see what was asked for. ``str()`` names the service or the endpoint."""


class UnresolvedError(SocketsError):
    """A name cannot be resolved on this host."""


class Proc(Protocol):
    """What is read from the host. Each method returns None (or []) when the process or file is gone."""

    def pids(self) -> list[int]:
        """Return the ids of all processes."""

    def read(self, name: str) -> str | None:
        """Return the text of ``/proc/<name>``."""

    def socket_links(self, pid: int) -> list[str] | None:
        """Return the link targets of ``/proc/<pid>/fd/*``. Raises PermissionError when they may not be read."""

    def net_namespace(self, pid: int) -> str | None:
        """Return the link target of ``/proc/<pid>/ns/net``."""


class ProcFs:
    """The real /proc."""

    def __init__(self, root: str = "/proc") -> None:
        self.root = root

    def pids(self) -> list[int]:
        """See :class:`Proc`."""
        return sorted(int(name) for name in os.listdir(self.root) if name.isdigit())[:MAX_PROCESSES]

    def read(self, name: str) -> str | None:
        """See :class:`Proc`."""
        try:
            with open(os.path.join(self.root, name), "rb") as file:
                return file.read(MAX_PROC_FILE).decode("utf-8", "replace")
        except (FileNotFoundError, ProcessLookupError):
            return None

    def socket_links(self, pid: int) -> list[str] | None:
        """See :class:`Proc`."""
        folder = os.path.join(self.root, str(pid), "fd")
        links = []
        try:
            for name in os.listdir(folder):
                try:
                    links.append(os.readlink(os.path.join(folder, name)))
                except FileNotFoundError:  # closed meanwhile
                    continue
        except (FileNotFoundError, ProcessLookupError):
            return None
        return links

    def net_namespace(self, pid: int) -> str | None:
        """See :class:`Proc`."""
        try:
            return os.readlink(os.path.join(self.root, str(pid), "ns/net"))
        except (FileNotFoundError, ProcessLookupError):
            return None


@dataclass(frozen=True)
class Connection:
    """One row of a TCP table. Addresses are text; an IPv4 address mapped into IPv6 is shown as IPv4."""

    local_address: str
    local_port: int
    remote_address: str
    remote_port: int
    state: str
    inode: int

    def to_dict(self) -> dict[str, Any]:
        """Return the plain record, without the inode."""
        return {
            "local_address": self.local_address,
            "local_port": self.local_port,
            "remote_address": self.remote_address,
            "remote_port": self.remote_port,
            "state": self.state,
        }


def parse_address(text: str, byteorder: str) -> tuple[str, int]:
    """Parse ``0100007F:1F90``: words of 32 bits in the host's byte order, then the port.

    :raises ValueError: when the text is something else.
    """
    address, _colon, port = text.partition(":")
    raw = bytes.fromhex(address)
    if len(raw) not in (4, 16):
        raise ValueError(f"not an address: {text}")
    if byteorder == "little":
        raw = b"".join(raw[start : start + 4][::-1] for start in range(0, len(raw), 4))
    parsed = ipaddress.ip_address(raw)
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed), int(port, 16)


def parse_tcp(text: str, byteorder: str) -> list[Connection]:
    """Parse ``/proc/net/tcp`` or ``/proc/net/tcp6``. A row cut off or unknown is left out."""
    found = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        try:
            local_address, local_port = parse_address(fields[1], byteorder)
            remote_address, remote_port = parse_address(fields[2], byteorder)
            state = int(fields[3], 16)
            inode = int(fields[9])
        except (IndexError, ValueError):
            continue
        found.append(
            Connection(local_address, local_port, remote_address, remote_port, TCP_STATES.get(state, "UNKNOWN"), inode)
        )
    return found


def parse_started(stat: str, boot_epoch: float, ticks: int) -> float | None:
    """Return when a process started, in seconds of the epoch, from ``/proc/<pid>/stat``; None for a zombie.

    ``boot_epoch`` is the time of the boot in seconds of the epoch, ``ticks`` the clock ticks per second.
    """
    # The command name is in parentheses and may itself hold parentheses and blanks.
    fields = stat.rpartition(")")[2].split()
    try:
        if fields[0] in ("Z", "X"):
            return None
        return boot_epoch + int(fields[19]) / ticks
    except (IndexError, ValueError):
        return None


def parse_parent(stat: str) -> int | None:
    """Return the id of a process's parent from ``/proc/<pid>/stat``."""
    fields = stat.rpartition(")")[2].split()
    try:
        return int(fields[1])
    except (IndexError, ValueError):
        return None


def of_supervisor(environ: str, name: str) -> bool:
    """Tell from ``/proc/<pid>/environ`` whether a process belongs to ``program`` or ``group:program`` of supervisord.

    supervisord puts both names into the environment of what it starts, and children inherit them.
    """
    variables = dict(item.partition("=")[::2] for item in environ.split("\0"))
    group, colon, program = name.rpartition(":")
    if variables.get("SUPERVISOR_PROCESS_NAME") != program:
        return False
    return not colon or variables.get("SUPERVISOR_GROUP_NAME") == group


def in_unit(cgroup: str, unit: str) -> bool:
    """Tell from ``/proc/<pid>/cgroup`` whether a process belongs to a systemd unit."""
    return any(unit in line.split(":", 2)[-1].split("/") for line in cgroup.splitlines())


def boot_epoch() -> float:
    """Return when the kernel's boot clock was zero, in seconds of the epoch.

    Not btime of /proc/stat: that is in whole seconds, too coarse to compare with a file's time of change.
    """
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


def resolve(endpoints: Iterable[str]) -> dict[tuple[str, int], str]:
    """Resolve ``host:port`` names on this host: (address, port) → the first endpoint that has it.

    :raises SocketsError: when a name is malformed; UnresolvedError when it cannot be resolved.
    """
    table: dict[tuple[str, int], str] = {}
    for endpoint in endpoints:
        host, _colon, port = endpoint.rpartition(":")
        if not host or not port.isdigit():
            raise SocketsError(f"endpoint {endpoint!r} must be host:port")
        try:
            answers = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
        except (OSError, OverflowError, UnicodeError) as error:
            raise UnresolvedError(f"endpoint {endpoint}: {host} cannot be resolved: {error}") from error
        for answer in answers:
            table.setdefault((str(answer[4][0]).partition("%")[0], int(port)), endpoint)
    return table


def resolve_each(endpoints: Iterable[str]) -> tuple[dict[tuple[str, int], str], list[str]]:
    """Resolve as :func:`resolve` does; what cannot be resolved is left out and told, a sentence each.

    :raises SocketsError: when a name is malformed.
    """
    table: dict[tuple[str, int], str] = {}
    unresolved = []
    for endpoint in dict.fromkeys(endpoints):
        try:
            # The first endpoint of an address counts.
            table = {**resolve([endpoint]), **table}
        except UnresolvedError as error:
            unresolved.append(str(error))
    return table, unresolved


class Observer:
    """Looks at the services of one host at one moment."""

    def __init__(
        self,
        proc: Proc,
        *,
        boot: float,
        ticks: int,
        byteorder: str,
        endpoints: Mapping[tuple[str, int], str],
        own_pid: int,
    ) -> None:
        """Take all that is known about the host; ``endpoints`` is the result of :func:`resolve`."""
        self.proc = proc
        self.byteorder = byteorder
        self.endpoints = endpoints
        self._boot = boot
        self._ticks = ticks
        self._own_pid = own_pid
        self._tables: dict[str, dict[int, Connection]] = {}

    def service(self, service: Mapping[str, Any]) -> dict[str, Any]:
        """Return the plain record of one service (see RETURN of the module ``socket_info``).

        ``service`` has ``name``, ``manager`` and, for managers that need it, ``pid_file`` or ``match``. ``pids`` are
        processes that count as the service's besides.

        :raises SocketsError: when the connections of a running process may not be read.
        """
        started = self.processes(service)
        connections = self._connections(str(service["name"]), started)
        records = []
        for connection in connections:
            endpoint = self.endpoints.get((connection.remote_address, connection.remote_port))
            records.append({**connection.to_dict(), "endpoint": endpoint})
        connected = {
            record["endpoint"] for record in records if record["endpoint"] and record["state"] == "ESTABLISHED"
        }
        return {
            "name": service["name"],
            "running": bool(started),
            "pids": sorted(started),
            "started": min(started.values()) if started else None,
            "connections": records,
            "endpoints": sorted(connected),
        }

    def processes(self, service: Mapping[str, Any]) -> dict[int, float]:
        """Return the ids of a service's processes, and when each started (see :func:`parse_started`)."""
        found: dict[int, float] = {}
        for pid in dict.fromkeys([*self._pids(service), *(service.get("pids") or ())]):
            when = self.started(pid)
            if when is not None:
                found[pid] = when
        return found

    def started(self, pid: int) -> float | None:
        """Return when a process started; None when there is none, or a zombie."""
        return parse_started(self._read(f"{pid}/stat"), self._boot, self._ticks)

    def _read(self, name: str) -> str:
        try:
            return self.proc.read(name) or ""
        except OSError:
            # Other users' processes may be hidden; a service's own unreadable socket table is reported in _connections.
            return ""

    def _pids(self, service: Mapping[str, Any]) -> list[int]:
        name = str(service["name"])
        if service.get("pid_file"):
            pid = _pid_of(str(service["pid_file"]))
            return [] if pid is None else self._family(pid)
        if service.get("match"):
            wanted = str(service["match"])
            return [
                pid
                for pid in self.proc.pids()
                if pid != self._own_pid and wanted in self._read(f"{pid}/cmdline").replace("\0", " ")
            ]
        if service["manager"] == "supervisor":
            return [pid for pid in self.proc.pids() if of_supervisor(self._read(f"{pid}/environ"), name)]
        unit = name if name.endswith(".service") else f"{name}.service"
        return [pid for pid in self.proc.pids() if in_unit(self._read(f"{pid}/cgroup"), unit)]

    def _family(self, ancestor: int) -> list[int]:
        """Return a process and all its descendants."""
        children: dict[int | None, list[int]] = {}
        for pid in self.proc.pids():
            children.setdefault(parse_parent(self._read(f"{pid}/stat")), []).append(pid)
        family = [ancestor]
        for pid in family:  # it grows meanwhile
            family += children.get(pid, [])
        return family

    def _connections(self, name: str, pids: Iterable[int]) -> list[Connection]:
        found: dict[int, Connection] = {}
        for pid in pids:
            try:
                links = self.proc.socket_links(pid)
                table = self._table(pid)
            except PermissionError:
                raise SocketsError(
                    f"service {name}: the connections of process {pid} may not be read; use become"
                ) from None
            for link in links or []:
                match = SOCKET_LINK.match(link)
                connection = table.get(int(match[1])) if match else None
                if connection is not None and connection.state != "LISTEN":
                    found[connection.inode] = connection
        if len(found) > MAX_CONNECTIONS:
            raise SocketsError(f"service {name}: more than {MAX_CONNECTIONS} connections")
        return sorted(found.values(), key=lambda one: (one.remote_address, one.remote_port, one.local_port))

    def _table(self, pid: int) -> dict[int, Connection]:
        """Return the TCP connections of the process's network namespace by inode."""
        namespace = self.proc.net_namespace(pid)
        if namespace is None:
            return {}
        if namespace not in self._tables:
            rows = [
                row
                for kind in ("tcp", "tcp6")
                for row in parse_tcp(self.proc.read(f"{pid}/net/{kind}") or "", self.byteorder)
            ]
            self._tables[namespace] = {row.inode: row for row in rows if row.inode}
        return self._tables[namespace]


def observe(observer: Observer, services: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the record of each service, in the given order."""
    return [observer.service(service) for service in services]


def unmet(record: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """Return what is not as wanted, as a sentence; empty when everything is.

    ``wanted`` may have ``running`` (bool), and the endpoints ``connected_to`` (one of them suffices) and
    ``not_connected_to`` (none of them is allowed). A service that should be connected should run.
    """
    running, expected, refused = (wanted.get(key) for key in ("running", "connected_to", "not_connected_to"))
    name = record["name"]
    if record["running"] and running is False:
        return f"service {name}: still runs (process {', '.join(map(str, record['pids']))})"
    if not record["running"] and (running or expected):
        return f"service {name}: does not run"
    now = record["endpoints"]
    if (expected and not set(now) & set(expected)) or set(now) & set(refused or ()):
        parts = [f"service {name}: connected to {', '.join(now) or 'none of the brokers'}"]
        if expected:
            parts.append(f"wanted {' or '.join(expected)}")
        if refused:
            parts.append(f"not wanted {', '.join(refused)}")
        return "; ".join(parts)
    return ""


def wait(
    look: Callable[[], tuple[Sequence[Mapping[str, Any]], list[str]]],
    services: Sequence[Mapping[str, Any]],
    timeout: float,
    stable_for: float = 0.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[list[dict[str, Any]], list[str]]:
    """Look until every service is as wanted (see :func:`unmet`), at most ``timeout`` seconds, at least once.

    With ``stable_for``, one connection to a wanted endpoint has to stay for so many seconds: a broker that refuses the
    credentials accepts a connection first, and closes it up to two seconds later (TransportConnection).

    Returns the last records, each with its ``problem`` (None when it is as wanted), and all that is not as wanted.
    ``look`` returns the records of the services, in their order, and what is wrong besides.

    :raises SocketsError: when the last look failed.
    """
    deadline = clock() + timeout
    since: dict[tuple[object, ...], float] = {}
    while True:
        failure: SocketsError | None = None
        seen: Sequence[Mapping[str, Any]] = []
        records: list[dict[str, Any]] = []
        problems: list[str] = []
        try:
            seen, besides = look()
            problems += besides
        except SocketsError as error:
            failure = error
        now = clock()
        present: dict[tuple[object, ...], float] = {}
        for record, wanted in zip(seen, services):
            problem = unmet(record, wanted)
            ages = [0.0]
            for one in record["connections"]:
                if one["state"] == "ESTABLISHED" and one["endpoint"] in (wanted.get("connected_to") or ()):
                    key = (record["name"], one["local_address"], one["local_port"], one["endpoint"])
                    present[key] = since.get(key, now)
                    ages.append(now - present[key])
            if not problem and wanted.get("connected_to") and max(ages) < stable_for:
                problem = f"service {record['name']}: no connection to {' or '.join(wanted['connected_to'])} lasts"
            records.append({**record, "problem": problem or None})
            if problem:
                problems.append(problem)
        since = present
        if (failure is None and not problems) or now >= deadline:
            if failure is not None:
                raise failure
            return records, problems
        sleep(min(POLL_INTERVAL, deadline - now))


def _pid_of(path: str) -> int | None:
    """Read a pid file; None when there is none, or it holds no number: the service is then not running."""
    try:
        with open(path, "rb") as file:
            return int(file.read(32).split()[0])
    except FileNotFoundError:
        return None
    except PermissionError:
        raise SocketsError(f"pid file {path} may not be read; use become") from None
    except (IndexError, OSError, ValueError):
        return None
