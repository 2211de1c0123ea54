# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""STOMP connections by stomp.py, and what that library leaves to its users.

stomp.py does not reconnect (jasonrbriggs/stomp.py#364), tells its log only why it could not connect, and does not see
the end of a TLS connection: its transport takes an empty read for "nothing yet". :func:`watch` sees it, and
:class:`Session` is one connection from its CONNECTED frame to its end, silent death included.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import queue
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url import Endpoint
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import shown

#: What stomp.py raises when there is no connection (any more): its own, the socket's, and AttributeError for a socket
#: that is gone.
STOMP_ERRORS: tuple[type[Exception], ...] = (OSError, AttributeError)
try:
    import stomp

    HAS_STOMP = True
    STOMP_ERRORS = (stomp.exception.StompException, *STOMP_ERRORS)
except ImportError:  # only what talks STOMP needs it
    HAS_STOMP = False

#: What the broker is asked to send when it has nothing else to send, in milliseconds.
HEARTBEAT_MS = 1000
#: Seconds of silence after which a connection is dead. ActiveMQ leaves up to two intervals between two frames
#: (AbstractInactivityMonitor.writeCheck skips an interval in which anything was sent).
SILENCE = 2.5 * HEARTBEAT_MS / 1000
#: The longest frame that is taken, in bytes.
MAX_FRAME = 1024 * 1024
#: Seconds for a farewell.
_CLOSE_SECONDS = 1.0


class SessionError(Exception):
    """There is no connection, or it ended. ``str()`` says why; it holds no password.

    ``refused`` is true when the broker answered and does not want us: waiting does not help.
    """

    def __init__(self, message: str, refused: bool = False) -> None:
        super().__init__(message)
        self.refused = refused


class Access(NamedTuple):
    """As whom to connect, and which authorities to trust (a PEM file; the system's without one)."""

    username: str | None = None
    password: str | None = None
    ca_file: str | None = None
    validate_certs: bool = True


class Message(NamedTuple):
    """A received message; ``ack`` is what :meth:`Session.acknowledge` wants."""

    correlation_id: str
    redelivered: bool
    ack: str


def check_ca_file(path: str | None) -> None:
    """Raise OSError when a file of authorities cannot be read: stomp.py only says that it could not connect."""
    if path is not None:
        with open(path, "rb"):
            pass


def open_connection(endpoint: Endpoint, access: Access, timeout: float, **options: Any) -> Any:
    """A connection of stomp.py to one endpoint, not yet started. ``timeout`` (seconds) bounds TCP's part and TLS's."""
    place = (endpoint.host, endpoint.port)
    connection = stomp.StompConnection12(
        [place],
        prefer_localhost=False,
        try_loopback_connect=False,
        reconnect_attempts_max=1,
        reconnect_sleep_initial=0.0,
        timeout=timeout,
        auto_decode=False,
        **options,
    )
    if endpoint.tls:
        connection.set_ssl([place], ca_certs=access.ca_file, verify=access.validate_certs)
    return connection


def watch(connection: Any, judge: Callable[[bytes], bool]) -> None:
    """Give ``judge`` each piece that arrives, and b"" at the end. What it refuses ends the connection."""
    transport = connection.transport
    receive = transport.receive

    def watched() -> bytes | None:
        piece: bytes | None = receive()
        if piece is None:  # over TLS: nothing yet
            return None
        if judge(piece):
            return piece
        transport.running = False
        return b""

    transport.receive = watched


class CauseLog(logging.Handler):
    """Keeps why stomp.py could not connect, which it tells its log only, and keeps the log off standard error.

    Only what the thread tells in which this was made: several connections can be under way.
    """

    def __init__(self) -> None:
        super().__init__()
        self.cause: BaseException | None = None
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        for argument in record.args if record.thread == self._thread and isinstance(record.args, tuple) else ():
            if isinstance(argument, BaseException):
                self.cause = argument

    def __enter__(self) -> CauseLog:
        logging.getLogger("stomp.py").addHandler(self)
        return self

    def __exit__(self, *_exception: object) -> None:
        logging.getLogger("stomp.py").removeHandler(self)


def needs_a_person(exc: BaseException | None) -> bool:
    """Whether a TLS error takes a person to mend it; a peer that goes away during the handshake does not."""
    return isinstance(exc, ssl.SSLError) and not isinstance(exc, (ssl.SSLEOFError, ssl.SSLZeroReturnError))


class Session:
    """One STOMP connection to one endpoint. The ``on_*`` methods are called by stomp.py, in a thread of its own.

    ``now`` gives seconds; ``heard_at`` is when the broker last sent anything, ``ended_at`` when the connection ended:
    the moment of the farewell, or, for a silent death, when the broker was last heard.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        access: Access,
        timeout: float = 3.0,
        on_message: Callable[[Message], None] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Connect within ``timeout`` seconds, once for TCP and TLS, once for CONNECTED. Raises SessionError."""
        self._on_message = on_message
        self._now = now
        self._lock = threading.Lock()
        self._answered = threading.Event()
        self._receipts: dict[str, queue.SimpleQueue[str]] = {}
        self._numbers = itertools.count(1)
        self._unfinished = 0
        self._refused = False
        self.lost = threading.Event()
        self.reason = "closed by the broker"
        self.connected_at = self.heard_at = now()
        self.ended_at: float | None = None
        self._connection = open_connection(
            endpoint,
            access,
            timeout,
            heartbeats=(0, HEARTBEAT_MS),
            heart_beat_receive_scale=60,
            auto_content_length=False,
        )
        watch(self._connection, self._judge)
        self._connection.set_listener("session", self)
        with CauseLog() as log:
            try:
                # The name is for whoever looks at the broker's connections. It must not be there twice.
                headers = {"client-id": f"mqlift-{uuid.uuid4()}"}
                self._connection.connect(access.username, access.password, wait=False, headers=headers)
            except STOMP_ERRORS as exc:
                self._drop("no connection")
                cause = log.cause or exc
                raise SessionError(shown(str(cause) or type(cause).__name__), needs_a_person(cause)) from exc
        if not self._answered.wait(timeout):
            self._drop("the port is open, but no broker answers")
        if self.lost.is_set():
            raise SessionError(self.reason, self._refused)

    def check(self) -> None:
        """End the connection when the broker has been silent for too long."""
        if not self.lost.is_set() and self._now() - self.heard_at > SILENCE:
            self._drop(f"silent for {SILENCE:g} s", self.heard_at)

    def send(self, destination: str, body: str, headers: Mapping[str, str], timeout: float = 5.0) -> None:
        """Send a message and wait until the broker confirms it. Raises SessionError, and the connection is over."""
        self._request("SEND", {"destination": destination, **headers}, body, timeout)

    def subscribe(self, destination: str, timeout: float = 5.0) -> None:
        """Let messages of a destination come, each to be acknowledged. Raises SessionError."""
        self._request("SUBSCRIBE", {"id": "1", "destination": destination, "ack": "client-individual"}, "", timeout)

    def acknowledge(self, message: Message) -> None:
        """Acknowledge a message, as far as the connection still can: what it cannot is delivered again."""
        with contextlib.suppress(SessionError):
            self._tell("ACK", {"id": message.ack}, "")

    def close(self) -> bool:
        """End the connection in order: what was acknowledged before has been processed by the broker.

        False when the broker did not confirm that.
        """
        confirmed = True
        try:
            self._request("DISCONNECT", {}, "", _CLOSE_SECONDS)
        except SessionError:
            confirmed = False
        self._drop("closed")
        return confirmed

    def _request(self, command: str, headers: Mapping[str, str], body: str, timeout: float) -> None:
        receipt = str(next(self._numbers))
        answer: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._receipts[receipt] = answer
        try:
            self._tell(command, {**headers, "receipt": receipt}, body)
            problem = answer.get(timeout=timeout)
        except queue.Empty:
            problem = f"no receipt for {command} in {timeout:g} s"
        finally:
            del self._receipts[receipt]
        if problem:
            self._drop(problem)
            raise SessionError(problem, self._refused)

    def _tell(self, command: str, headers: Mapping[str, str], body: str) -> None:
        if self.lost.is_set():
            raise SessionError(self.reason, self._refused)
        try:
            self._connection.send_frame(command, dict(headers), body)
        except STOMP_ERRORS as exc:  # it was closed meanwhile
            self._drop(f"{command}: {type(exc).__name__}")
            raise SessionError(self.reason) from exc

    def _judge(self, piece: bytes) -> bool:
        if not piece:
            return False
        self.heard_at = self._now()
        self._unfinished = len(piece) - piece.rfind(b"\0") - 1 if b"\0" in piece else self._unfinished + len(piece)
        if self._unfinished > MAX_FRAME:
            self._end(f"a frame is longer than {MAX_FRAME} bytes")
            return False
        return True

    def _drop(self, reason: str, at: float | None = None) -> None:
        """End the connection at once, without a farewell."""
        self._end(reason, at)
        transport = self._connection.transport
        transport.running = False
        with contextlib.suppress(AttributeError, OSError):  # it has no socket any more
            transport.socket.shutdown(socket.SHUT_RDWR)

    def _end(self, reason: str | None = None, at: float | None = None) -> None:
        with self._lock:
            if self.lost.is_set():
                return
            self.reason = reason or self.reason
            self.ended_at = self._now() if at is None else at
            self.lost.set()
        self._answered.set()
        for answer in list(self._receipts.values()):
            answer.put(self.reason)

    # What stomp.py calls.

    def on_connected(self, _frame: Any) -> None:
        self.connected_at = self._now()
        self._answered.set()

    def on_receipt(self, frame: Any) -> None:
        answer = self._receipts.get(str(frame.headers.get("receipt-id")))
        if answer is not None:
            answer.put("")

    def on_error(self, frame: Any) -> None:
        self._refused = True
        self._drop(f"the broker refuses: {shown(str(frame.headers.get('message', '')))}")

    def on_message(self, frame: Any) -> None:
        if self._on_message is not None:
            headers = frame.headers
            self._on_message(
                Message(
                    str(headers.get("correlation-id", "")),
                    headers.get("redelivered") == "true",
                    str(headers.get("ack", "")),
                )
            )

    def on_heartbeat_timeout(self) -> None:
        self._drop("no sign of life", self.heard_at)

    def on_disconnected(self) -> None:
        self._end()
