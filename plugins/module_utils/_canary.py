# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""The canary: a small producer and consumer of our own, with a ledger, and a monitor of each instance.

The producer sends numbered persistent messages, each again and again until the broker has confirmed it, and goes
through the list of endpoints in order when its connection ends. The consumer acknowledges each message after it is in
the ledger. So what the broker confirmed and never delivered is lost, and the ledger knows it.

What an earlier canary left in the queue comes before the first message of this one, and is taken away. What comes later
from another canary means that two of them run at the same time, and would take each other's messages.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Protocol

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url import parse_endpoint
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._stomp import Access, Message, Session, SessionError

#: Seconds from a lost connection, or a failed attempt, to the next attempt; of the canary it doubles up to the longest.
SHORTEST_PAUSE = 0.05
LONGEST_PAUSE = 1.0
#: Seconds between two looks whether a connection is still alive.
_LOOK = 0.05


class Link(Protocol):
    """What the canary and the monitors need of a connection; see :class:`Session`."""

    lost: threading.Event
    reason: str
    connected_at: float
    ended_at: float | None

    def check(self) -> None:
        """End it when the broker has been silent for too long."""

    def send(self, destination: str, body: str, headers: dict[str, str]) -> None:
        """Send a message and wait until the broker confirms it. Raises SessionError."""

    def subscribe(self, destination: str) -> None:
        """Let messages come. Raises SessionError."""

    def acknowledge(self, message: Message) -> None:
        """Acknowledge a message, as far as that is still possible."""

    def close(self) -> bool:
        """End it in order; false when the broker did not confirm that."""


#: Connects to an endpoint URL, within a bounded time. Raises SessionError.
Connect = Callable[[str, "Callable[[Message], None] | None"], Link]
#: Told of each change: when (seconds), what (``up``, ``down``, ``producer_up``, ...), which endpoint, and why.
Tell = Callable[[float, str, str, str], None]


def connector(access: Access, timeout: float, now: Callable[[], float]) -> Connect:
    """Connections of stomp.py."""

    def connect(url: str, on_message: Callable[[Message], None] | None) -> Link:
        return Session(parse_endpoint(url), access, timeout, on_message, now)

    return connect


class CanaryLedger:
    """Which numbers were confirmed and received, and when (seconds). Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent: dict[int, float] = {}
        self._received: dict[int, float] = {}
        self._order: list[tuple[int, float]] = []
        self._duplicated = 0

    def sent(self, number: int, at: float) -> None:
        """The broker has confirmed a message."""
        with self._lock:
            self._sent[number] = at

    def received(self, number: int, at: float) -> None:
        """A message came."""
        with self._lock:
            if number in self._received:
                self._duplicated += 1
            else:
                self._received[number] = at
                self._order.append((number, at))

    def missing(self) -> int:
        """How many confirmed messages did not come yet."""
        with self._lock:
            return len(self._sent.keys() - self._received.keys())

    def counts(self) -> tuple[int, int]:
        """How many were confirmed, and how many different ones came."""
        with self._lock:
            return len(self._sent), len(self._received)

    def figures(self) -> dict[str, int | float]:
        """What RETURN of ``broker_failover`` calls ``canary``. Gaps are in seconds.

        ``reordered`` counts the messages that came first after one with a higher number. ``max_gap`` is the longest
        time in which no new message came, from the first confirmation on.
        """
        with self._lock:
            highest = reordered = 0
            for number, dummy in self._order:
                reordered += number < highest
                highest = max(highest, number)
            sent = sorted(self._sent.values())
            came = [*sent[:1], *(at for dummy, at in self._order)]
            came += [max(came[-1], sent[-1])] if sent else []
            return {
                "sent": len(self._sent),
                "received": len(self._received),
                "lost": len(self._sent.keys() - self._received.keys()),
                "duplicated": self._duplicated,
                "reordered": reordered,
                "max_gap": _longest(came),
                "max_send_gap": _longest(sent),
            }


def _longest(moments: Sequence[float]) -> float:
    return round(max((after - before for before, after in zip(moments, moments[1:])), default=0.0), 3)


class Canary:
    """Producer and consumer, each with a connection of its own. :meth:`start` it, :meth:`stop` it, :meth:`close` it.

    ``endpoints`` are tried in their order. ``interval`` is the time between two messages in seconds.
    """

    def __init__(
        self,
        endpoints: Sequence[str],
        queue: str,
        interval: float,
        connect: Connect,
        tell: Tell,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._endpoints = list(endpoints)
        self._destination = f"/queue/{queue}"
        self._interval = interval
        self._connect = connect
        self._tell = tell
        self._now = now
        self._run = uuid.uuid4().hex
        self._stopped = threading.Event()
        self._over = threading.Event()
        self._own_came = threading.Event()
        self._session: Link | None = None
        self._number = 0
        self._unconfirmed: int | None = None
        self.ledger = CanaryLedger()
        self.connected = {"producer": False, "consumer": False}
        #: Why the last attempt of each failed; empty when it did not.
        self.reasons = {"producer": "", "consumer": ""}
        self.leftovers = 0
        #: Messages of another canary that runs now.
        self.foreign = 0
        self._threads = [
            threading.Thread(target=self._keep, args=(role, work), name=f"canary-{role}", daemon=True)
            for role, work in (("producer", self._produce), ("consumer", self._consume))
        ]

    def start(self) -> None:
        """Begin to send and to receive."""
        for thread in self._threads:
            thread.start()

    @property
    def flows(self) -> bool:
        """Whether both are connected and a message has gone through."""
        return all(self.connected.values()) and self._own_came.is_set()

    def stop(self) -> None:
        """Send nothing new; what is not confirmed is still tried, and what is on its way is still received."""
        self._stopped.set()

    @property
    def settled(self) -> bool:
        """Whether, after :meth:`stop`, everything is confirmed and received."""
        return self._unconfirmed is None and not self._threads[0].is_alive() and self.ledger.missing() == 0

    def close(self) -> None:
        """End both connections."""
        self._stopped.set()
        self._over.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(5.0)

    def _keep(self, role: str, work: Callable[[Link], None]) -> None:
        """Connect, work until the connection ends, and connect again, until all is done."""
        pause, position = SHORTEST_PAUSE, 0
        while not self._done(role):
            url = self._endpoints[position % len(self._endpoints)]
            position += 1
            try:
                session = self._connect(url, self._came if role == "consumer" else None)
            except SessionError as exc:
                self.reasons[role] = f"{url}: {exc}"
                if position % len(self._endpoints) == 0:
                    self._over.wait(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
                continue
            self._change(role, True, session.connected_at, url)
            try:
                work(session)
            except SessionError as exc:
                self.reasons[role] = f"{url}: {exc}"
            session.close()
            at = session.ended_at
            self._change(role, False, self._now() if at is None else at, url, session.reason)
            # From the first of the list again, as a failover URL does.
            pause, position = SHORTEST_PAUSE, 0

    def _done(self, role: str) -> bool:
        if role == "producer" and self._stopped.is_set() and self._unconfirmed is None:
            return True
        return self._over.is_set()

    def _change(self, role: str, connected: bool, at: float, url: str, reason: str = "") -> None:
        self.connected[role] = connected
        if connected:
            self.reasons[role] = ""
        if not self._done(role):
            self._tell(at, f"{role}_{'up' if connected else 'down'}", url, reason)

    def _produce(self, session: Link) -> None:
        due = self._now()
        while not self._done("producer"):
            session.check()
            wait = due - self._now()
            if self._unconfirmed is None and wait > 0:
                if session.lost.wait(min(wait, _LOOK)):
                    return
                continue
            if self._unconfirmed is None:
                self._number += 1
                self._unconfirmed = self._number
            headers = {"persistent": "true", "correlation-id": f"{self._run}:{self._unconfirmed}"}
            session.send(self._destination, "canary", headers)
            self.ledger.sent(self._unconfirmed, self._now())
            self._unconfirmed = None
            # What an outage kept back is not sent in a flood after it.
            due = max(due + self._interval, self._now())

    def _consume(self, session: Link) -> None:
        self._session = session
        session.subscribe(self._destination)
        while not self._over.is_set() and not session.lost.wait(_LOOK):
            session.check()

    def _came(self, message: Message) -> None:
        run, dummy, number = message.correlation_id.rpartition(":")
        if run == self._run and number.isdecimal() and len(number) < 10:
            self.ledger.received(int(number), self._now())
            self._own_came.set()
        elif self._own_came.is_set():
            self.foreign += 1
        else:
            self.leftovers += 1
        session = self._session
        if session is not None:
            session.acknowledge(message)


class Monitor(threading.Thread):
    """Watches one instance by connecting to it anew, ``interval`` seconds after the last attempt, up to CONNECTED.

    Only the active instance of a pair accepts connections. It is up from the beginning of the first attempt that was
    confirmed and ended in order, and down from the beginning of the first one that was not. How long an attempt takes
    is not in it: a broker that has just started needs half a second and more for its first logins, one by one.

    A connection that is held would tell another moment: a broker that stops closes its port first and its connections
    one after the other, which takes it up to a second for each over TLS (``TcpTransport.doStop`` waits for
    ``SSLSocket.close``).
    """

    def __init__(
        self, url: str, interval: float, connect: Connect, tell: Tell, now: Callable[[], float] = time.time
    ) -> None:
        super().__init__(name=f"monitor-{url}", daemon=True)
        self.url = url
        self._interval = interval
        self._connect = connect
        self._tell = tell
        self._now = now
        self._over = threading.Event()
        self.up = False
        #: Why the last attempt failed.
        self.reason = "not tried yet"

    def run(self) -> None:
        """Watch until :meth:`end` is called."""
        while not self._over.is_set():
            begun = self._now()
            try:
                session = self._connect(self.url, None)
            except SessionError as exc:
                self._fell(begun, str(exc))
            else:
                if not session.close():
                    self._fell(begun, session.reason)
                elif not self.up:
                    self._tell(begun, "up", self.url, "")
                    self.up = True
            self._over.wait(self._interval)

    def _fell(self, at: float, reason: str) -> None:
        self.reason = reason
        if self.up:
            self.up = False
            self._tell(at, "down", self.url, reason)

    def end(self) -> None:
        """Stop watching."""
        self._over.set()
