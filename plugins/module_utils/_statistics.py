# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""The statistics view: the broker's statistics plugin (StatisticsBroker), asked by STOMP.

The plugin answers to a temporary queue, one map message per destination and an empty one at the end. A broker spells a
map message for STOMP by the libraries XStream and Jettison (JmsFrameTranslator), which are optional: without them it
drops the connection, or stays silent. A broker without the plugin takes the question for a message. The first question
is therefore sent to a topic, where nobody keeps it, and the questions to queues only after that has been answered.

The plugin copies a question's correlation id to each answer, the end mark too. What does not have it, which is what
somebody else sent to the temporary queue, is passed over. How many messages the broker counts is asked before the list
of queues and after it, so that a difference to their sum is told only when nothing came or went meanwhile.
"""

from __future__ import annotations

import contextlib
import json
import queue
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._bounded import OutOfTimeError, within
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url import Endpoint
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._instances import Instances
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import (
    QUEUE,
    UNKNOWN_DESTINATIONS,
    UNKNOWN_SCHEDULED,
    UNKNOWN_SUBSCRIPTIONS,
    UNKNOWN_TRANSACTIONS,
    Destination,
    Overview,
    Sample,
    ViewError,
    shown,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._stomp import (
    HAS_STOMP,
    STOMP_ERRORS,
    Access,
    CauseLog,
    check_ca_file,
    needs_a_person,
    open_connection,
    watch,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._xml import XmlError, scan

VIEW = "statistics"
MAX_ANSWER_BYTES = 64 * 1024 * 1024

_REPLY_TO = "/temp-queue/mqlift.statistics"
_END_MARK = "ActiveMQ.Statistics.Destination.List.End.With.Null"
_ABOUT_BROKER = "/topic/ActiveMQ.Statistics.Broker"
_QUEUE_PREFIX = "queue://"
_PORTS = {"stomp": 61613, "stomp+ssl": 61614}
# JSON is spelled by Jettison and tells every character; XML needs XStream only and cannot tell control characters.
_JSON, _XML = "jms-map-json", "jms-map-xml"
_INTEGERS = ("long", "int", "short", "byte")
_CLOSE_SECONDS = 1.0
# The connection is gone already, or the broker does not say goodbye in time.
_FAREWELL_ERRORS: tuple[type[Exception], ...] = (*STOMP_ERRORS, queue.Empty)

#: The content of a map message.
StatisticsMap = dict[str, Any]


class _Event(NamedTuple):
    """What the connection told: a STOMP frame, or (``what``) ``closed``, ``garbage`` or ``too_large``."""

    what: str
    headers: Mapping[str, str] = {}
    body: bytes = b""


class _SilenceError(Exception):
    """No event in time."""


class StatisticsView:
    """The View of one broker, or of an active/standby pair of which only the active one answers.

    ``urls`` (``stomp://host:61613``, ``stomp+ssl://host:61614``) are tried in order, the one that answered last first.
    ``timeout`` bounds each, in seconds. Raises ValueError for a URL that is none, or when stomp.py is missing.
    """

    kind = VIEW
    capabilities = frozenset(
        {"pending", "in_flight", "enqueued", "dequeued", "consumers", "producers", "total", "broker_id"}
    )

    def __init__(
        self,
        urls: Sequence[str],
        username: str | None = None,
        password: str | None = None,
        ca_file: str | None = None,
        validate_certs: bool = True,
        timeout: float = 10.0,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        if not HAS_STOMP:
            raise ValueError("view.type: statistics needs the Python package stomp.py on the host that observes")
        self._instances = Instances(VIEW, urls, _PORTS)
        self._username = username
        self._password = password
        self._ca_file = ca_file
        self._validate_certs = validate_certs
        self._timeout = timeout
        self._wall_clock = wall_clock
        self._spellings: tuple[str, ...] = (_JSON, _XML)

    def sample(self) -> Sample:
        return self._instances.first(self._bounded)

    def overview(self) -> Overview:
        return self.sample().overview

    def _bounded(self, url: str) -> Sample:
        # The limits inside do not bound the look-up of a host name.
        try:
            return within(self._timeout + _CLOSE_SECONDS + 1, lambda: self._sample(url))
        except OutOfTimeError as exc:
            raise ViewError(VIEW, url, f"no answer within {self._timeout:g} s", transient=True) from exc

    def _sample(self, url: str) -> Sample:
        deadline = time.monotonic() + self._timeout
        for number, spelling in enumerate(self._spellings):
            share = (deadline - time.monotonic()) / (len(self._spellings) - number)
            with _Conversation(url, deadline, self) as conversation:
                broker = conversation.broker(spelling, share)
                if broker is None:
                    continue
                self._spellings = (spelling,)
                queues = conversation.queues()
                after = conversation.total()
                return self._understood(url, conversation.version, broker, queues, after)
        message = (
            f"nobody answers for the statistics plugin within {self._timeout:g} s: the broker runs without "
            "<statisticsBrokerPlugin/>, or without the library XStream, which spells its answers for STOMP"
        )
        raise ViewError(VIEW, url, message)

    def _understood(
        self, url: str, version: str | None, broker: StatisticsMap, queues: Sequence[StatisticsMap], after: int | None
    ) -> Sample:
        destinations = [_queue(url, item) for item in queues]
        unknowns = [UNKNOWN_SCHEDULED, UNKNOWN_SUBSCRIPTIONS, UNKNOWN_TRANSACTIONS]
        # What a broker before 5.18.6 makes of a character beyond U+FFFF is not UTF-8, so that name is not known.
        if any("\ufffd" in one.name for one in destinations):
            unknowns.append(UNKNOWN_DESTINATIONS)
        broker_id, name = broker.get("brokerId"), broker.get("brokerName")
        if not isinstance(broker_id, str):
            raise ViewError(VIEW, url, "the broker does not tell its id")
        # It counts this view as a consumer, if it counts.
        if _count(broker, "consumerCount") == 0:
            message = 'the broker does not count (enableStatistics="false"): each of its queues would seem to be empty'
            raise ViewError(VIEW, url, message)
        total = _count(broker, "size")
        steady = total is not None and total == after and all(one.pending is not None for one in destinations)
        return Sample(
            taken_at=self._wall_clock(),
            view=VIEW,
            url=url,
            overview=Overview(
                broker_id=broker_id,
                # Jettison makes a number of a name that looks like one, and not always the same.
                name=name if isinstance(name, str) else None,
                version=version,
                total_messages=total,
            ),
            destinations=destinations,
            unknowns=tuple(sorted(unknowns)),
            # The plugin lists every queue but temporary ones.
            hidden_messages=(total or 0) - sum(one.pending or 0 for one in destinations) if steady else None,
        )

    def connection(self, url: str, left: float) -> Any:
        """A connection of stomp.py to a URL, not yet started. Raises ViewError."""
        parts = urlsplit(url)
        endpoint = Endpoint(parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme])
        if endpoint.tls:
            try:
                check_ca_file(self._ca_file)
            except OSError as exc:
                raise ViewError(VIEW, url, f"ca_file {self._ca_file}: {exc.strerror}") from exc
        return open_connection(endpoint, Access(None, None, self._ca_file, self._validate_certs), left)

    def log_in(self, connection: Any) -> None:
        """Open the socket and send the credentials; raises an exception of stomp.py."""
        # A name for whoever looks at the broker's connections. It must not be there twice.
        headers = {"client-id": f"mqlift-{VIEW}-{uuid.uuid4()}"}
        connection.connect(self._username, self._password, wait=False, headers=headers)


class _Conversation:
    """One STOMP connection, within a deadline. A context manager; every method raises ViewError."""

    def __init__(self, url: str, deadline: float, view: StatisticsView) -> None:
        self._url = url
        self._deadline = deadline
        self._view = view
        self._events: queue.Queue[_Event] = queue.Queue()
        self._received = 0
        self._begin = b""
        self._asked = ""
        self._log = CauseLog()
        self.version: str | None = None

    def __enter__(self) -> _Conversation:
        self._connection = self._view.connection(self._url, max(0.1, self._deadline - time.monotonic()))
        watch(self._connection, self._accepts)
        self._connection.set_listener("", self)
        self._log.__enter__()
        try:
            self._open()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self._close()

    def broker(self, spelling: str, seconds: float) -> StatisticsMap | None:
        """What the plugin tells of the broker; None when nobody answers for it within ``seconds``."""
        limit = time.monotonic() + seconds
        headers = {"transformation": spelling, "receipt": "subscribed"}
        self._connection.subscribe(_REPLY_TO, id="statistics", ack="auto", headers=headers)
        try:
            self._next("receipt", self._deadline)
        except _SilenceError as exc:
            message = "the broker did not confirm a subscription in time"
            raise ViewError(VIEW, self._url, message, transient=True) from exc
        except ViewError as exc:
            if exc.message != _CLOSED:
                raise
            message = (
                "the broker drops the connection when it is asked to spell its answers for STOMP, "
                "as brokers without the library XStream do"
            )
            raise ViewError(VIEW, self._url, message) from exc
        self._ask(_ABOUT_BROKER, {})
        try:
            return _decoded(self._url, self._answer(min(limit, self._deadline)))
        except _SilenceError:
            return None

    def total(self) -> int | None:
        """How many messages the broker counts."""
        self._ask(_ABOUT_BROKER, {})
        try:
            return _count(_decoded(self._url, self._answer(self._deadline)), "size")
        except _SilenceError as exc:
            raise ViewError(VIEW, self._url, "the broker stopped answering", transient=True) from exc

    def queues(self) -> list[StatisticsMap]:
        """What the plugin tells of each queue."""
        self._ask("/queue/ActiveMQ.Statistics.Destination.>", {_END_MARK: "true"})
        found: list[StatisticsMap] = []
        try:
            while True:
                answer = _decoded(self._url, self._answer(self._deadline))
                if not answer:
                    return found
                found.append(answer)
        except _SilenceError as exc:
            message = f"the list of queues did not end in time, {len(found)} came"
            raise ViewError(VIEW, self._url, message, transient=True) from exc

    def _open(self) -> None:
        try:
            self._view.log_in(self._connection)
        except STOMP_ERRORS as exc:
            cause = self._log.cause
            if cause is None:  # it was connected, and then something came
                with contextlib.suppress(_SilenceError):
                    self._next("connected", 0.0)
            transient = isinstance(cause, OSError) and not needs_a_person(cause)
            message = shown(str(cause)) if cause is not None else "no connection"
            raise ViewError(VIEW, self._url, message, transient=transient) from exc
        try:
            connected = self._next("connected", self._deadline)
        except _SilenceError as exc:
            message = "the port is open, but no broker answers"
            raise ViewError(VIEW, self._url, message, transient=True) from exc
        name, _slash, version = connected.headers.get("server", "").partition("/")
        self.version = shown(version) if name == "ActiveMQ" and version else None

    def _ask(self, destination: str, headers: Mapping[str, str]) -> None:
        # Expires, so that nothing stays should somebody keep it.
        expires = str(int((time.time() + 60) * 1000))
        self._asked = str(uuid.uuid4())
        asked = {"reply-to": _REPLY_TO, "correlation-id": self._asked, "expires": expires, **headers}
        try:
            self._connection.send(destination, "", headers=asked)
        except STOMP_ERRORS as exc:  # it was closed meanwhile
            raise ViewError(VIEW, self._url, _CLOSED, transient=True) from exc

    def _answer(self, limit: float) -> _Event:
        """The next answer to what was asked last. Raises _SilenceError."""
        while True:
            event = self._next("message", limit)
            if event.headers.get("correlation-id") == self._asked:
                return event

    def _next(self, what: str, limit: float) -> _Event:
        """The next event, which has to be of a kind. Raises _SilenceError."""
        try:
            event = self._events.get(timeout=max(0.0, limit - time.monotonic()))
        except queue.Empty as exc:
            raise _SilenceError from exc
        if event.what == what:
            return event
        if event.what == "closed":
            raise ViewError(VIEW, self._url, _CLOSED, transient=True)
        if event.what == "too_large":
            raise ViewError(VIEW, self._url, f"the answer is larger than {MAX_ANSWER_BYTES} bytes")
        if event.what == "garbage":
            begin = shown(event.body[:40].decode("utf-8", "replace"))
            raise ViewError(VIEW, self._url, f"the answer is not STOMP, it starts with {begin!r}")
        if event.what == "error":
            reason = event.headers.get("message") or event.body[:200].decode("utf-8", "replace")
            raise ViewError(VIEW, self._url, f"the broker refuses: {shown(reason)}")
        raise ViewError(VIEW, self._url, f"the broker answers with an unexpected frame ({event.what})")

    def _accepts(self, piece: bytes) -> bool:
        """Whether a piece that arrives can be a broker's. Bounds them all."""
        self._received += len(piece)
        if self._received <= 1024:
            self._begin += piece
        if not _is_stomp(self._begin):
            self._events.put(_Event("garbage", body=self._begin))
        elif self._received > MAX_ANSWER_BYTES:
            self._events.put(_Event("too_large"))
        elif not piece:
            self._events.put(_Event("closed"))
        else:
            return True
        return False

    def _close(self) -> None:
        self._log.__exit__()
        transport = self._connection.transport
        try:
            if transport.running and transport.is_connected():
                # A connection that just ends is a warning in the broker's log.
                self._connection.disconnect()
                limit = time.monotonic() + _CLOSE_SECONDS
                while self._events.get(timeout=max(0.0, limit - time.monotonic())).what != "closed":
                    pass
        except _FAREWELL_ERRORS:
            pass
        transport.running = False
        socket = transport.socket
        if socket is not None:
            with contextlib.suppress(OSError):  # it is closed
                socket.shutdown(2)

    # What stomp.py calls, in a thread of its own.

    def on_connected(self, frame: Any) -> None:
        self._put("connected", frame)

    def on_message(self, frame: Any) -> None:
        self._put("message", frame)

    def on_receipt(self, frame: Any) -> None:
        self._put("receipt", frame)

    def on_error(self, frame: Any) -> None:
        self._put("error", frame)

    def on_disconnected(self) -> None:
        self._events.put(_Event("closed"))

    def _put(self, what: str, frame: Any) -> None:
        body = frame.body if isinstance(frame.body, bytes) else str(frame.body or "").encode()
        self._events.put(_Event(what, frame.headers, body))


_CLOSED = "the broker closed the connection"


def _is_stomp(begin: bytes) -> bool:
    """Whether a stream can be a broker's: heartbeats, then its answer to the log-in."""
    begin = begin.lstrip(b"\r\n")
    return any(begin.startswith(word[: len(begin)]) for word in (b"CONNECTED", b"ERROR"))


def _decoded(url: str, event: _Event) -> StatisticsMap:
    """The map of a MESSAGE frame. Raises ViewError."""
    try:
        text = event.body.decode("utf-8", "replace")
        return from_json(text) if text.lstrip()[:1] == "{" else from_xml(text)
    except (ValueError, XmlError, RecursionError) as exc:
        begin = shown(event.body[:40].decode("utf-8", "replace"))
        message = f"an answer is not a map message ({shown(str(exc))}), it starts with {begin!r}"
        raise ViewError(VIEW, url, message) from exc


def from_json(text: str) -> StatisticsMap:
    """A map as XStream spells it by Jettison: ``{"map":{"entry":[{"string":"size","long":3},...]}}``.

    An entry whose value is a string too has a list of two, a map of one entry has no list, and an empty one is "".
    Raises ValueError.
    """
    document = json.loads(text)
    content = document.get("map") if isinstance(document, dict) else None
    if content == "":
        return {}
    entries = content.get("entry") if isinstance(content, dict) else None
    if isinstance(entries, dict):
        entries = [entries]
    if not isinstance(entries, list):
        raise ValueError("it has no entries")
    found: StatisticsMap = {}
    for entry in entries:
        if not isinstance(entry, dict):
            raise ValueError("an entry has no key")
        key = entry.get("string")
        if isinstance(key, list) and len(key) == 2:
            found[str(key[0])] = key[1]
        elif isinstance(key, str) and len(entry) == 2:
            found[key] = next(value for name, value in entry.items() if name != "string")
        else:
            raise ValueError("an entry has no key")
    return found


def from_xml(text: str) -> StatisticsMap:
    """A map as XStream spells it: ``<map><entry><string>size</string><long>3</long></entry>...</map>``.

    Raises ValueError or XmlError.
    """
    path: list[str] = []
    values: list[Any] = []
    words: list[str] = []
    found: StatisticsMap = {}

    def start(name: str, _attributes: Mapping[str, str]) -> None:
        path.append(name)
        if path[0] != "map" or len(path) > 3 or (len(path) > 1 and path[1] != "entry"):
            raise XmlError(f"unexpected element <{name}>")
        if len(path) == 2:
            values.clear()
        words.clear()

    def end(name: str) -> None:
        path.pop()
        if len(path) == 2:
            words_joined = "".join(words)
            values.append(int(words_joined) if name in _INTEGERS else words_joined)
        elif len(path) == 1:
            if len(values) != 2:
                raise XmlError("an entry is not a pair")
            found[str(values[0])] = values[1]

    scan(text, start, end, words.append)
    return found


def _queue(url: str, answer: Mapping[str, Any]) -> Destination:
    name = answer.get("destinationName")
    if not isinstance(name, str) or not name.startswith(_QUEUE_PREFIX):
        raise ViewError(VIEW, url, "an answer does not tell the name of a queue")
    return Destination(
        name=name[len(_QUEUE_PREFIX) :],
        kind=QUEUE,
        pending=_count(answer, "size"),
        in_flight=_count(answer, "inflightCount"),
        enqueued=_count(answer, "enqueueCount"),
        dequeued=_count(answer, "dequeueCount"),
        consumers=_count(answer, "consumerCount"),
        producers=_count(answer, "producerCount"),
    )


def _count(answer: Mapping[str, Any], key: str) -> int | None:
    """A number of things; anything else, e.g. a negative one, is not known."""
    value = answer.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
