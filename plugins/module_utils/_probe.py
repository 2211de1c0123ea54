# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""Whether a broker is alive behind an OpenWire endpoint.

A TCP connection proves nothing (a load balancer accepts for a standby), so the probe waits for what an active broker
sends first by itself: a WireFormatInfo command, which begins with its length (4 bytes), the type 1 and "ActiveMQ"
(org.apache.activemq.command.WireFormatInfo). It needs no credentials and opens no client connection.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from typing import NamedTuple

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url import parse_endpoint

_LENGTH_BYTES = 4
_GREETING = b"\x01ActiveMQ"

Connect = Callable[[str, int, float], socket.socket]


class Probe(NamedTuple):
    """``active`` is None when the probe cannot know, for example because the certificate does not verify."""

    active: bool | None
    reason: str


def probe(endpoint: str, ca_file: str | None = None, timeout: float = 5.0, connect: Connect | None = None) -> Probe:
    """Probe one endpoint URL within ``timeout`` seconds once its name is resolved.

    Raises FailoverUrlError for a URL that is none, and OSError (or ssl.SSLError) for a ``ca_file`` that cannot be read.
    """
    target = parse_endpoint(endpoint)
    context = ssl.create_default_context(cafile=ca_file) if target.tls else None
    deadline = time.monotonic() + timeout
    try:
        with (connect or _connect)(target.host, target.port, timeout) as raw:
            if context is None:
                return _greeted(raw, deadline)
            raw.settimeout(_left(deadline))
            with context.wrap_socket(raw, server_hostname=target.host) as wrapped:
                return _greeted(wrapped, deadline)
    except socket.gaierror as exc:
        return Probe(None, f"the name does not resolve: {exc}")
    except ssl.SSLCertVerificationError as exc:
        return Probe(None, f"the certificate does not verify: {exc.verify_message}")
    except TimeoutError:
        return Probe(False, f"no answer within {timeout:g} s")
    except OSError as exc:
        return Probe(False, str(exc))


def _connect(host: str, port: int, timeout: float) -> socket.socket:
    return socket.create_connection((host, port), timeout=timeout)


def _greeted(stream: socket.socket, deadline: float) -> Probe:
    """Whether the first bytes are those of a broker."""
    received = b""
    while len(received) < _LENGTH_BYTES + len(_GREETING):
        stream.settimeout(_left(deadline))
        chunk = stream.recv(_LENGTH_BYTES + len(_GREETING) - len(received))
        if not chunk:
            return Probe(False, "closed without a greeting")
        received += chunk
    if received[_LENGTH_BYTES:] == _GREETING:
        return Probe(True, "a broker answers")
    return Probe(False, "what answers is not an OpenWire broker")


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
