# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A slow link: frames copied between two interfaces, each held back for a while.

The kernel's own way (netem) is a module that small machines lack.
"""

from __future__ import annotations

import heapq
import itertools
import selectors
import socket
import time

_ETH_P_ALL = 3
#: Frames waiting at most; more are dropped, as a full queue does.
_LIMIT = 20_000


def relay(left: str, right: str, milliseconds: int) -> None:
    """Copy frames between two interfaces of this network namespace, each *milliseconds* late, until one goes away."""
    sockets = [_packet_socket(left), _packet_socket(right)]
    peer = {sockets[0]: sockets[1], sockets[1]: sockets[0]}
    waiting: list[tuple[float, int, socket.socket, bytes]] = []
    order = itertools.count()
    with selectors.DefaultSelector() as selector:
        for item in sockets:
            selector.register(item, selectors.EVENT_READ)
        while True:
            now = time.monotonic()
            while waiting and waiting[0][0] <= now:
                dummy_due, dummy_order, out, frame = heapq.heappop(waiting)
                out.send(frame)
            for key, dummy_mask in selector.select(waiting[0][0] - now if waiting else None):
                arrived = key.fileobj
                assert isinstance(arrived, socket.socket)
                try:
                    frame, sender = arrived.recvfrom(65536)
                except OSError:
                    return  # the interface was taken away, and with it the fault
                if sender[2] != socket.PACKET_OUTGOING and len(waiting) < _LIMIT:  # not what we sent ourselves
                    heapq.heappush(waiting, (time.monotonic() + milliseconds / 1000, next(order), peer[arrived], frame))


def _packet_socket(interface: str) -> socket.socket:
    item = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
    item.bind((interface, 0))
    return item
