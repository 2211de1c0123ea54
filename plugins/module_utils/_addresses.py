# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""Network addresses: reading them from what a broker tells, and finding the inventory's host that has one."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Union

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]


def parse_address(text: str) -> Address | None:
    """An IP address without zone; an IPv4 address that is mapped into IPv6 is the IPv4 one. None when it is none."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def host_and_port(remote: str) -> tuple[str | None, int | None]:
    """Host and port of a broker's RemoteAddress, such as ``tcp://10.0.0.1:53506``, as Java writes socket addresses.

    That is ``name/10.0.0.1:53506`` when Java knows the name, and IPv6 with or without brackets depending on its
    release. An address is returned in its shortest spelling. (None, None) for anything else, e.g. ``vm://broker#1``.
    """
    host, colon, port = remote.rpartition("://")[2].rpartition("/")[2].rpartition(":")
    address = parse_address(host.strip("[]"))
    if not colon or not (port.isascii() and port.isdecimal()) or len(port) > 5 or address is None:
        return None, None
    return str(address), int(port)


class Places:
    """Which host of the inventory has an address.

    ``hosts`` holds for each host its addresses: IP addresses, networks such as ``10.2.0.0/16``, and names, which are
    resolved here within ``timeout`` seconds in all. ``unresolved`` lists the names that were not.
    """

    def __init__(
        self,
        hosts: Mapping[str, Iterable[str]],
        timeout: float = 10.0,
        resolve: Callable[[str], Sequence[str]] | None = None,
    ) -> None:
        known: list[tuple[Network, str]] = []
        names: list[tuple[str, str]] = []
        for host, entries in hosts.items():
            for entry in entries:
                network = _network(entry)
                if network is None:
                    names.append((entry, host))
                else:
                    known.append((network, host))
        found = _resolve_all({name for name, host in names}, timeout, resolve or _resolve)
        self.unresolved = sorted({name for name, host in names if not found.get(name)})
        for name, host in names:
            known.extend((network, host) for network in map(_network, found.get(name, ())) if network is not None)
        # A host's own address goes before a network that it is in.
        self._known = sorted(known, key=lambda item: -item[0].prefixlen)

    def find(self, address: str) -> str | None:
        """The host with this IP address; the first in the inventory's order when there are several."""
        wanted = parse_address(address)
        if wanted is None:
            return None
        return next((host for network, host in self._known if wanted in network), None)


def _network(text: str) -> Network | None:
    address = parse_address(text)
    try:
        return ipaddress.ip_network(text if address is None else str(address), strict=False)
    except ValueError:
        return None


def _resolve(name: str) -> list[str]:
    try:
        return [str(entry[4][0]) for entry in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        return []


def _resolve_all(
    names: Iterable[str], timeout: float, resolve: Callable[[str], Sequence[str]]
) -> dict[str, Sequence[str]]:
    """The addresses of the names, as far as they are known in time: a resolver has no time limit of its own."""
    pending = sorted(names)
    found: dict[str, Sequence[str]] = {}

    def work() -> None:
        while pending:
            try:
                name = pending.pop()
            except IndexError:  # another worker was faster
                return
            found[name] = resolve(name)

    workers = [threading.Thread(target=work, daemon=True) for number in range(min(8, len(pending)))]
    for worker in workers:
        worker.start()
    end = time.monotonic() + timeout
    for worker in workers:
        worker.join(max(0.0, end - time.monotonic()))
    return dict(found)
