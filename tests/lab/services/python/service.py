# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small service that talks STOMP, as a company's own would: its broker list comes from its configuration.

The twin of java/Service.java: the same options, the same ledger. It runs by itself and imports nothing of the lab: it
needs stomp.py 9 and, for a YAML configuration, PyYAML. stomp.py does not reconnect and does not see the end of a TLS
connection, so this program asks for heartbeats, watches for silence and goes through the broker list on its own.
"""

from __future__ import annotations

import argparse
import configparser
import contextlib
import itertools
import json
import logging
import os
import queue
import re
import signal
import socket
import sys
import threading
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import stomp

#: Heartbeats: what we send, and what we ask the broker for. ActiveMQ leaves up to two intervals between two frames
#: (AbstractInactivityMonitor.writeCheck skips an interval in which anything was sent), so less patience sees ghosts.
SEND_HEARTBEAT_MS = 2000
RECEIVE_HEARTBEAT_MS = 1000
HEARTBEAT_PATIENCE = 2.5
#: A connection that has been silent for this long is dead, also where stomp.py waits for a TLS farewell.
SILENCE_S = 5.0
CONNECT_S = 3.0
RECEIPT_S = 5.0
#: On SIGTERM: how long an unconfirmed message is tried, and how long everything else may take.
UNCONFIRMED_S = 5.0
FINISH_S = 1.0
POLL_S = 0.05
SHORTEST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 1.0
LONGEST_TEXT = 300
LONGEST_ID = 200


class ConfigError(Exception):
    """The command line or the configuration is wrong; its text is one sentence."""


class LostError(Exception):
    """The connection ended, or what was asked of the broker is not confirmed."""


class Ledger:
    """Appends what happened to a file: one JSON object a line, one write a line. tests/lab/ledger.py is its reader."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        self._cut_unfinished_line()

    def write(self, event: str, *, detail: str | None = None, **fields: str | bool | None) -> None:
        """Append one event; fields without a value are left out."""
        record: dict[str, object] = {"t": round(time.time(), 3), "ev": event}
        record.update({key: value for key, value in fields.items() if value})
        if detail:
            record["x"] = detail[:LONGEST_TEXT]
        line = json.dumps(record, separators=(",", ":")).encode() + b"\n"
        try:
            complete = os.write(self._file, line) == len(line)
        except OSError:
            complete = False
        if not complete:
            # A service that cannot write things down must not go on: nothing is acknowledged that is not in the ledger.
            os.write(2, b"the ledger cannot be written\n")
            os._exit(3)

    def _cut_unfinished_line(self) -> None:
        """A writer that was killed may have left half a line; the reader tolerates one only at the end of the file."""
        end = os.fstat(self._file).st_size
        while end and os.pread(self._file, 1, end - 1) != b"\n":
            end -= 1
        os.ftruncate(self._file, end)


@dataclass(frozen=True)
class Host:
    """One entry of the broker list."""

    name: str
    port: int
    tls: bool


@dataclass(frozen=True)
class Broker:
    """Where to connect, in order, and as whom."""

    hosts: tuple[Host, ...]
    username: str | None
    password: str | None


def read_broker(config: str, environment: Mapping[str, str]) -> Broker:
    """The broker list of a file, or of the environment when *config* is ``env``. Raises ConfigError.

    The file is YAML, JSON or TOML with a list of hosts, or INI with the comma lists that the environment has.
    """
    if config == "env":
        hosts = _hosts(environment.get("STOMP_HOSTS", ""), environment.get("STOMP_TLS_HOSTS", ""))
        username, password = environment.get("STOMP_USERNAME"), environment.get("STOMP_PASSWORD")
    else:
        broker = _read(config)
        username, password = broker.get("username"), broker.get("password")
        try:
            if isinstance(broker["hosts"], str):
                hosts = _hosts(broker["hosts"], broker.get("tls_hosts", ""))
            else:
                hosts = tuple(
                    Host(str(item["host"]), int(item["port"]), item.get("tls") is True) for item in broker["hosts"]
                )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"the configuration {config} needs broker.hosts: a list of host, port, tls") from error
    if not hosts:
        raise ConfigError(f"no broker host in {config}")
    # No credentials are not the same as empty ones: a broker that lets anonymous clients in refuses empty ones.
    return Broker(hosts, str(username) if username else None, str(password) if password else None)


def _read(config: str) -> Mapping[str, Any]:
    """What a file says of the broker."""
    try:
        text = Path(config).read_text(encoding="utf-8")
        document: Any
        if config.endswith(".json"):
            document = json.loads(text)
        elif config.endswith(".toml"):
            document = tomllib.loads(text)
        elif config.endswith(".ini"):
            document = configparser.ConfigParser(interpolation=None)
            document.read_string(text)
        else:
            import yaml  # not needed, and perhaps not there, for the others

            document = yaml.safe_load(text)
        broker: Mapping[str, Any] = document["broker"]
        broker.get("hosts")
    except Exception as error:  # each format has its own; a service says that it is wrong, and ends
        raise ConfigError(f"the configuration {config} cannot be read: {type(error).__name__}") from error
    return broker


def _hosts(listed: str, tls: str) -> tuple[Host, ...]:
    """The hosts of a comma list; the second list names those that use TLS."""
    secure = {part.strip() for part in tls.split(",")}
    return tuple(_host(part, part in secure) for part in (item.strip() for item in listed.split(",")) if part)


def _host(text: str, tls: bool) -> Host:
    name, _colon, port = text.rpartition(":")
    if not name or not port.isdigit():
        raise ConfigError(f"not a host:port pair: {text}")
    return Host(name.strip("[]"), int(port), tls)


class Session:
    """One STOMP connection, from its CONNECTED frame to its end. The on_* methods are called by stomp.py's threads."""

    def __init__(self, host: Host, broker: Broker, ca_file: str | None, client_id: str | None) -> None:
        """Connect. Raises LostError when no CONNECTED frame arrives in time."""
        #: The broker's address: as configured, and once connected as it is.
        self.address = f"{host.name}:{host.port}"
        self.lost = threading.Event()
        self._reason = "closed by the broker"
        self._connected = threading.Event()
        self._heard = time.monotonic()
        self._receipts: dict[str, queue.SimpleQueue[str | None]] = {}
        self._inboxes: dict[str, queue.SimpleQueue[Any]] = {}
        self._numbers = itertools.count(1)
        target = (host.name, host.port)
        self._connection = stomp.Connection12(
            [target],
            prefer_localhost=False,
            try_loopback_connect=False,
            reconnect_attempts_max=1,
            reconnect_sleep_initial=0,
            timeout=CONNECT_S,
            heartbeats=(SEND_HEARTBEAT_MS, RECEIVE_HEARTBEAT_MS),
            heart_beat_receive_scale=HEARTBEAT_PATIENCE,
            auto_content_length=False,  # with a length the broker makes it a BytesMessage
        )
        if host.tls:
            self._connection.set_ssl(for_hosts=[target], ca_certs=ca_file)
        self._connection.set_listener("service", self)
        headers = {"client-id": client_id} if client_id else {}
        try:
            self._connection.connect(broker.username, broker.password, wait=False, headers=headers)
        except Exception as error:  # stomp.py raises its own, socket and even attribute errors here
            raise LostError(f"{self.address}: {type(error).__name__}") from error
        self._connected.wait(CONNECT_S)
        if self.lost.is_set() or not self._connected.is_set():
            self.drop("no CONNECTED frame")
            raise LostError(f"{self.address}: {self._reason}")
        with contextlib.suppress(AttributeError, OSError):  # it is gone again; check() will tell
            self.address = "{}:{}".format(*self._connection.transport.socket.getpeername()[:2])

    def check(self) -> None:
        """Drop the connection when it has been silent for too long."""
        if time.monotonic() - self._heard > SILENCE_S:
            self.drop("silent")

    def drop(self, reason: str) -> None:
        """End the connection at once, without a farewell."""
        if not self.lost.is_set():
            self._reason = reason
        transport = self._connection.transport
        transport.running = False
        with contextlib.suppress(AttributeError, OSError):  # it has no socket any more
            transport.socket.shutdown(socket.SHUT_RDWR)
        self._end()

    def close(self) -> None:
        """End the connection in order: all that was sent before has been processed by the broker."""
        with contextlib.suppress(LostError):  # it is closed either way
            self.request("DISCONNECT", {}, timeout=FINISH_S)
        self.drop("closed")

    def number(self) -> str:
        """A name for a receipt, a subscription or a transaction of this session."""
        return str(next(self._numbers))

    @property
    def reason(self) -> str:
        """Why the connection ended."""
        return self._reason

    def tell(self, command: str, headers: Mapping[str, str], body: str = "") -> None:
        """Send a frame without waiting for anything. Raises LostError."""
        if self.lost.is_set():
            raise LostError(self._reason)
        try:
            self._connection.send_frame(command, dict(headers), body)
        except Exception as error:  # stomp.py raises its own, socket and even attribute errors here
            self.drop(f"{command}: {type(error).__name__}")
            raise LostError(self._reason) from error

    def request(self, command: str, headers: Mapping[str, str], body: str = "", timeout: float = RECEIPT_S) -> None:
        """Send a frame and wait for the broker's receipt. Raises LostError, and the connection is over then."""
        receipt = self.number()
        answer: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._receipts[receipt] = answer
        try:
            self.tell(command, {**headers, "receipt": receipt}, body)
            problem = answer.get(timeout=timeout)
        except queue.Empty:
            problem = f"no receipt for {command} in {timeout:.0f} s"
        finally:
            self._receipts.pop(receipt, None)
        if problem is not None:
            self.drop(problem)
            raise LostError(problem)

    def subscribe(self, destination: str, durable: str | None) -> queue.SimpleQueue[Any]:
        """Subscribe, and return where the messages arrive; None arrives there when the connection ends."""
        number = self.number()
        inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._inboxes[number] = inbox
        headers = {"id": number, "destination": stomp_name(destination), "ack": "client-individual"}
        if durable:
            headers["activemq.subscriptionName"] = durable
        self.request("SUBSCRIBE", headers)
        return inbox

    def on_connected(self, _frame: Any) -> None:
        """Handle CONNECTED."""
        self._heard = time.monotonic()
        self._connected.set()

    def on_heartbeat(self) -> None:
        """Handle a heartbeat."""
        self._heard = time.monotonic()

    def on_heartbeat_timeout(self) -> None:
        """Handle stomp.py's own view of silence."""
        self._reason = "heartbeat timeout"

    def on_receipt(self, frame: Any) -> None:
        """Handle RECEIPT."""
        self._heard = time.monotonic()
        self._answer(str(frame.headers.get("receipt-id")), None)

    def on_error(self, frame: Any) -> None:
        """Handle ERROR: it ends the connection, whether the broker closes it or not."""
        self._heard = time.monotonic()
        problem = f"ERROR {frame.headers.get('message', '')}"[:LONGEST_TEXT]
        self._answer(str(frame.headers.get("receipt-id")), problem)
        self.drop(problem)
        self._connected.set()

    def on_message(self, frame: Any) -> None:
        """Handle MESSAGE."""
        self._heard = time.monotonic()
        inbox = self._inboxes.get(str(frame.headers.get("subscription")))
        if inbox is not None:
            inbox.put(frame)

    def on_disconnected(self) -> None:
        """Handle the end of the connection."""
        self._end()
        self._connected.set()

    def _answer(self, receipt: str, problem: str | None) -> None:
        answer = self._receipts.get(receipt)
        if answer is not None:
            answer.put(problem)

    def _end(self) -> None:
        self.lost.set()
        for answer in list(self._receipts.values()):
            answer.put(self._reason)
        for inbox in list(self._inboxes.values()):
            inbox.put(None)


class Link:
    """The service's connection: one session after the other, through the broker list in order, for ever."""

    def __init__(self, broker: Broker, options: argparse.Namespace, ledger: Ledger) -> None:
        self._broker = broker
        self._options = options
        self._ledger = ledger
        self._session: Session | None = None
        self._changed = threading.Condition()
        self.over = threading.Event()

    def run(self) -> None:
        """Keep a session until *over* is set; then close it."""
        pause = SHORTEST_PAUSE_S
        while not self.over.is_set():
            session = self._connect()
            if session is not None:
                begin = time.monotonic()
                self._ledger.write("connected", detail=session.address)
                self._publish(session)
                while not self.over.is_set() and not session.lost.wait(POLL_S):
                    session.check()
                if self.over.is_set():
                    session.close()
                self._publish(None)
                self._ledger.write("disconnected", detail=session.reason)
                if time.monotonic() - begin > SILENCE_S:
                    pause = SHORTEST_PAUSE_S
                    continue
            self.over.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def session(self, timeout: float) -> Session | None:
        """The present session, waiting for one for up to *timeout* seconds."""
        with self._changed:
            self._changed.wait_for(self._usable, timeout)
            return self._session if self._usable() else None

    def _usable(self) -> bool:
        return self._session is not None and not self._session.lost.is_set()

    def _publish(self, session: Session | None) -> None:
        with self._changed:
            self._session = session
            self._changed.notify_all()

    def _connect(self) -> Session | None:
        for host in self._broker.hosts:
            if not self.over.is_set():
                try:
                    return Session(host, self._broker, self._options.ca_file, self._options.client_id)
                except LostError as error:
                    self._ledger.write("error", detail=str(error))
        return None


class Sender:
    """Sends messages to one destination and remembers the ids that are not confirmed, beyond the life of a session."""

    def __init__(self, ledger: Ledger, destination: str, prefix: str, transacted: int) -> None:
        """*prefix* is what ids start with: the service's name and its start in epoch milliseconds."""
        self._ledger = ledger
        self._destination = destination
        self._prefix = prefix
        self._transacted = transacted
        self._sequence = 0
        self._lock = threading.Lock()
        self._pending: list[str] = []
        self._session: Session | None = None
        self._transaction: str | None = None

    @property
    def pending(self) -> int:
        """How many messages are not confirmed."""
        return len(self._pending)

    def attach(self, session: Session) -> None:
        """Go on in another session, and first send again what the previous one left unconfirmed."""
        self._session = session
        self._transaction = None
        again = list(self._pending)
        for identity in again:
            self._transmit(identity)
        if again:
            self.commit()

    def send(self) -> None:
        """Send one new message. It counts as sent after commit(). Raises LostError."""
        self._sequence += 1
        identity = f"{self._prefix}:{self._sequence}"
        with self._lock:
            self._pending.append(identity)
        self._transmit(identity)

    def transaction(self) -> dict[str, str]:
        """The header that puts a frame into the open transaction, which is begun when there is none."""
        if not self._transacted or self._session is None:
            return {}
        if self._transaction is None:
            self._transaction = self._session.number()
            self._session.tell("BEGIN", {"transaction": self._transaction})
        return {"transaction": self._transaction}

    def commit(self) -> None:
        """Commit the open transaction, if any, and write down that the pending messages are sent."""
        if self._transaction is not None and self._session is not None:
            self._session.request("COMMIT", {"transaction": self._transaction})
            self._transaction = None
        self._settle("sent")

    def give_up(self) -> None:
        """Write down that nobody knows whether the pending messages arrived, and forget them."""
        self._settle("unsure")

    def _transmit(self, identity: str) -> None:
        if self._session is None:
            raise LostError("not connected")
        headers = {"destination": stomp_name(self._destination), "persistent": "true", **self.transaction()}
        self._session.request("SEND", headers, identity)

    def _settle(self, event: str) -> None:
        with self._lock:
            for identity in self._pending:
                self._ledger.write(event, id=identity, dest=self._destination)
            self._pending.clear()


class Worker(threading.Thread):
    """A thread that works in one session after the other until the service stops."""

    def __init__(self, name: str, options: argparse.Namespace, ledger: Ledger, link: Link, sender: Sender) -> None:
        super().__init__(name=name, daemon=True)
        self.options = options
        self.ledger = ledger
        self.sender = sender
        self.stop = threading.Event()
        self._link = link

    def run(self) -> None:
        """Work until the service stops and nothing is left unconfirmed."""
        while not self.stop.is_set() or self.sender.pending:
            session = self._link.session(POLL_S)
            if session is None:
                continue
            try:
                self.work(session)
            except LostError as error:
                self.ledger.write("error", detail=f"{self.name}: {error}")
                self.failed()

    def work(self, session: Session) -> None:
        """Work in one session until the service stops. Raises LostError."""
        raise NotImplementedError

    def failed(self) -> None:
        """Tidy up after a lost session."""


class Producer(Worker):
    """Sends to one destination at a steady rate while the control file exists."""

    def work(self, session: Session) -> None:
        """Send until the service stops."""
        period = self.options.burst / self.options.rate
        batch = max(1, self.options.transacted)
        self.sender.attach(session)
        due = time.monotonic()
        while not self.stop.is_set():
            if not self.options.control.exists():
                self.sender.commit()
                self.stop.wait(POLL_S)
                due = time.monotonic()
                continue
            wait = due - time.monotonic()
            if wait > 0:
                self.stop.wait(min(POLL_S, wait))
                continue
            if -wait > LONGEST_PAUSE_S:
                due = time.monotonic()  # what an outage kept back is not sent in a flood after it
            due += period
            for _message in range(self.options.burst):
                if not self.stop.is_set():
                    self.sender.send()
                    if self.sender.pending >= batch:
                        self.sender.commit()
        self.sender.commit()


class Consumer(Worker):
    """Receives from one destination: writes the id down, passes a message on if asked to, and then acknowledges."""

    def __init__(self, source: str, options: argparse.Namespace, ledger: Ledger, link: Link, sender: Sender) -> None:
        super().__init__(f"consumer of {source}", options, ledger, link, sender)
        self._source = source

    def work(self, session: Session) -> None:
        """Receive until the service stops."""
        self.sender.attach(session)
        durable = self.options.durable if self._source.startswith("topic://") else None
        inbox = session.subscribe(self._source, durable)
        self.ledger.write("subscribed", dest=self._source, detail=durable)
        uncommitted = 0
        while not self.stop.is_set():
            try:
                frame = inbox.get(timeout=POLL_S)
            except queue.Empty:
                if uncommitted:  # an idle consumer does not keep a transaction open
                    self.sender.commit()
                    uncommitted = 0
                continue
            if frame is None:
                raise LostError(session.reason)
            if self.options.slow and self.stop.wait(self.options.slow / 1000):
                break  # not processed, so neither written down nor acknowledged: the broker delivers it again
            redelivered = frame.headers.get("redelivered") == "true"
            self.ledger.write("recv", id=_identity(frame), dest=self._source, redelivered=redelivered)
            if self.options.forward:
                self.sender.send()
            if not self.options.transacted:
                self.sender.commit()
            session.tell("ACK", {"id": frame.headers["ack"], **self.sender.transaction()})
            uncommitted += 1
            if uncommitted >= self.options.transacted:
                self.sender.commit()
                uncommitted = 0
        self.sender.commit()

    def failed(self) -> None:
        """Forget what a lost transaction passed on: its messages are delivered again and passed on anew."""
        if self.options.transacted:
            self.sender.give_up()


def stomp_name(destination: str) -> str:
    """ActiveMQ's STOMP spelling of queue://name and topic://name."""
    return "/" + destination.replace("://", "/", 1)


def _identity(frame: Any) -> str:
    """The body is the id. It comes from a broker, so it may be anything."""
    body = frame.body if isinstance(frame.body, str) else ""
    return body[:LONGEST_ID] or f"foreign:{frame.headers.get('message-id', '')}"


def _destinations(text: str) -> list[str]:
    found = text.split(",")
    for item in found:
        if not re.fullmatch(r"(queue|topic)://.+", item):
            raise argparse.ArgumentTypeError(f"not a destination (queue://name or topic://name): {item}")
    return found


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line. Ends the program with status 2 when it is wrong."""
    parser = argparse.ArgumentParser(description="A small STOMP service of the lab.", allow_abbrev=False)
    parser.add_argument("--name", required=True)
    parser.add_argument("--config", required=True, help="a YAML, JSON, TOML or INI file, or env")
    parser.add_argument("--ledger", required=True, type=Path)
    parser.add_argument("--control", type=Path, help="producing goes on while this file exists")
    parser.add_argument("--produce", type=_destinations, default=[])
    parser.add_argument("--rate", type=float, default=10.0, help="messages a second, for each destination")
    parser.add_argument("--burst", type=int, default=1)
    parser.add_argument("--consume", type=_destinations, default=[])
    parser.add_argument("--forward", type=_destinations, default=[])
    parser.add_argument("--transacted", type=int, default=0, help="messages in a transaction")
    parser.add_argument("--slow", type=int, default=0, help="milliseconds for each received message")
    parser.add_argument("--durable", help="name of the durable subscription to topics")
    parser.add_argument("--client-id")
    parser.add_argument("--ca-file")
    options = parser.parse_args(arguments)
    if not options.produce and not options.consume:
        parser.error("nothing to do: give --produce or --consume")
    if options.produce and options.control is None:
        parser.error("--produce needs --control")
    if options.forward and not options.consume:
        parser.error("--forward needs --consume")
    if len(options.forward) > 1 or set(options.forward) & set(options.produce):
        parser.error("--forward takes one destination, and not one of --produce")
    if options.durable and not options.client_id:
        parser.error("--durable needs --client-id")
    if not options.rate > 0 or options.burst < 1 or options.transacted < 0 or options.slow < 0:
        parser.error("--rate and --burst must be positive, --transacted and --slow not negative")
    if options.ca_file and not os.access(options.ca_file, os.R_OK):
        parser.error(f"the CA file {options.ca_file} cannot be read")
    return options


def main(arguments: list[str]) -> int:
    """Run until SIGTERM or SIGINT, and finish what is unconfirmed."""
    options = parse(arguments)
    # On standard error: why a broker is not reached.
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        broker = read_broker(options.config, os.environ)
        ledger = Ledger(options.ledger)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    sends = bool(options.produce or options.forward)
    role = "both" if sends and options.consume else "producer" if sends else "consumer"
    forward = f" forward={options.forward}" if options.forward else ""
    ledger.write("start", detail=f"pid={os.getpid()} role={role}{forward}")

    link = Link(broker, options, ledger)
    prefix = f"{options.name}:{int(time.time() * 1000)}"
    workers: list[Worker] = []
    for destination in options.produce:
        sender = Sender(ledger, destination, prefix, options.transacted)
        workers.append(Producer(f"producer of {destination}", options, ledger, link, sender))
    for number, source in enumerate(options.consume):
        # Consumers that pass on to the same destination number their messages apart.
        own = f"{prefix}-{number}" if len(options.consume) > 1 else prefix
        sender = Sender(ledger, "".join(options.forward), own, options.transacted)
        workers.append(Consumer(source, options, ledger, link, sender))
    keeper = threading.Thread(target=link.run, name="link", daemon=True)
    threads = [keeper, *workers]

    def crashed(problem: threading.ExceptHookArgs) -> None:
        """A service that lost a thread of its own must not go on half alive; stomp.py's threads come and go."""
        if problem.thread in threads:
            ledger.write("error", detail=f"{problem.exc_type.__name__}: {problem.exc_value}")
            os._exit(4)

    threading.excepthook = crashed
    for thread in threads:
        thread.start()
    stopping.wait()
    _finish(workers)
    link.over.set()
    keeper.join(2 * FINISH_S)
    ledger.write("stop")
    return 0


def _finish(workers: list[Worker]) -> None:
    """Let the workers end; write down what stays unconfirmed."""
    for worker in workers:
        worker.stop.set()
    begin = time.monotonic()
    while any(worker.is_alive() for worker in workers):
        pending = any(worker.sender.pending for worker in workers)
        if time.monotonic() - begin > (UNCONFIRMED_S if pending else FINISH_S):
            break
        time.sleep(0.01)
    for worker in workers:
        worker.sender.give_up()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
