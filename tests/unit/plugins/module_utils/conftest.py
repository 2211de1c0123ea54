# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A peer for the views: a real socket on the loopback interface, which may misbehave."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest


@pytest.fixture
def serve():
    """A function that serves each connection by ``handler(connection)`` in a thread; returns ``127.0.0.1:PORT``."""
    listeners = []

    def start(handler):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def converse(connection):
            with connection, contextlib.suppress(OSError):
                handler(connection)

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    connection, _address = listener.accept()
                    threading.Thread(target=converse, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return f"127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        listener.close()
