# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""The Jolokia view: an ActiveMQ Classic broker by the HTTP bridge to JMX of its web console (5.14 and newer).

One POST with one bulk request per sample. Requests in a bulk are executed in order, and the order matters: open
transactions are read first, then scheduled jobs, then subscriptions and queues. A message that leaves one of these
places meanwhile arrives in a place that is read later, so it cannot slip between two reads unseen.

The name of an MBean is a lossy encoding (JMXSupport.encodeObjectNamePart): of two queues ``a:b`` and ``a_b`` only the
one that came first has an MBean, and likewise of two connections whose client ids differ so. What has none is found by
the sums: the broker's own count of messages, and the other MBean of a connection, whose name has the socket's address.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._http import Http, HttpError
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import (
    CAPABILITIES,
    DURABLE_SUBSCRIPTION,
    QUEUE,
    UNKNOWN_SCHEDULED,
    UNKNOWN_SUBSCRIPTIONS,
    UNKNOWN_TRANSACTIONS,
    Destination,
    Overview,
    Sample,
    ViewError,
    consumes,
    shown,
)

VIEW = "jolokia"

BROKER = "org.apache.activemq:type=Broker,brokerName=*"

#: What read_overview wants.
OVERVIEW_ATTRIBUTES = ("BrokerId", "BrokerName", "BrokerVersion", "Slave", "UptimeMillis", "TotalMessageCount")

#: A name for the answer, an MBean pattern, and attributes.
Read = tuple[str, str, Sequence[str]]

# Attributes that a broker does not know are left out of its answer to a pattern read, so a list may name newer ones.
_READS: Sequence[Read] = (
    ("overview", BROKER, (*OVERVIEW_ATTRIBUTES, "DynamicDestinationProducers")),
    # Prepared XA transactions that the broker found in its store when it started; their clients may be gone for ever.
    ("prepared", BROKER + ",transactionType=RecoveredXaTransaction,xid=*", ("FormatId",)),
    # Each connection is there twice (ManagedTransportConnection): by its client id, and by its socket's address unless
    # allowRemoteAddressInMBeanNames=false.
    (
        "connections",
        BROKER + ",connector=clientConnectors,connectorName=*,connectionViewType=clientId,connectionName=*",
        ("ActiveTransactionCount",),
    ),
    (
        "sockets",
        BROKER + ",connector=clientConnectors,connectorName=*,connectionViewType=remoteAddress,connectionName=*",
        ("ActiveTransactionCount",),
    ),
    ("scheduler", BROKER + ",service=JobScheduler,name=*", ("ScheduledMessageCount",)),
    (
        "subscriptions",
        BROKER + ",destinationType=Topic,destinationName=*,endpoint=Consumer,clientId=*,consumerId=Durable(*)",
        (
            "ClientId",
            "SubscriptionName",
            "DestinationName",
            "PendingQueueSize",
            "DispatchedQueueSize",
            "EnqueueCounter",
            "DequeueCounter",
            "Active",
        ),
    ),
    (
        "queue_consumers",
        BROKER + ",destinationType=Queue,destinationName=*,endpoint=Consumer,clientId=*,consumerId=*",
        ("DestinationName", "Network"),
    ),
    ("temporary_queues", BROKER + ",destinationType=TempQueue,destinationName=*", ("QueueSize",)),
    (
        "queues",
        # The trailing ",*" is left out on purpose: it would match the queues' consumers and producers as well.
        BROKER + ",destinationType=Queue,destinationName=*",
        (
            "Name",
            "QueueSize",
            "InFlightCount",
            "EnqueueCount",
            "DequeueCount",
            "ConsumerCount",
            "ProducerCount",
            "DLQ",
        ),
    ),
)

# What makes more of a name than a name, see consumes().
_PATTERN_MARKS = ("*", ">", ",", "://")

_TRANSACTIONS = ("prepared", "connections", "sockets")

# Jolokia's strict checking refuses a request without an Origin, and accepts any (CorsChecker).
_HEADERS = {"Content-Type": "application/json", "Origin": "http://localhost"}

Beans = list[Mapping[str, Any]]
Answers = Mapping[str, Mapping[str, Any]]
_T = TypeVar("_T")


class JolokiaReader:
    """Reads the MBeans of one broker, or of an active/standby pair of which only the active one answers.

    ``urls`` are tried in order, the one that answered last first. ``timeout`` bounds each, in seconds.
    Raises ValueError when a URL is not http(s) or carries credentials.
    """

    def __init__(self, urls: Sequence[str], http: Http, timeout: float = 10.0) -> None:
        if not urls:
            raise ValueError("view.url: at least one URL is needed")
        for url in urls:
            _check_url(url)
        self._urls = list(urls)
        self._http = http
        self._timeout = timeout

    def read(self, reads: Sequence[Read], understand: Callable[[str, Answers], _T]) -> _T:
        """What ``understand`` makes of a URL and of its answers, by the name of the read, to one bulk request.

        The next URL is tried when one fails with a transient ViewError, be it raised here or by ``understand``.
        """
        failures: list[ViewError] = []
        for url in list(self._urls):
            try:
                result = understand(url, self._bulk(url, reads))
            except ViewError as exc:
                if not exc.transient:
                    raise
                failures.append(exc)
                continue
            self._urls.sort(key=lambda known: known != url)
            return result
        if len(failures) == 1:
            raise failures[0]
        reasons = "; ".join(f"{failure.url}: {failure.message}" for failure in failures)
        raise ViewError(VIEW, ", ".join(self._urls), f"no instance answers ({reasons})", transient=True)

    def _bulk(self, url: str, reads: Sequence[Read]) -> Answers:
        request = [{"type": "read", "mbean": mbean, "attribute": list(attributes)} for name, mbean, attributes in reads]
        try:
            answer = self._http.post(url, json.dumps(request).encode(), _HEADERS, self._timeout)
        except HttpError as exc:
            raise ViewError(VIEW, url, shown(str(exc)), transient=exc.transient) from exc
        _check_status(url, answer.status)
        return _parse(url, answer.body, [name for name, mbean, attributes in reads])


class JolokiaView:
    """The View of one broker, or of an active/standby pair; see JolokiaReader for the arguments."""

    capabilities = frozenset(CAPABILITIES)

    def __init__(
        self, urls: Sequence[str], http: Http, timeout: float = 10.0, wall_clock: Callable[[], float] = time.time
    ) -> None:
        self._reader = JolokiaReader(urls, http, timeout)
        self._wall_clock = wall_clock

    def sample(self) -> Sample:
        return self._reader.read(_READS, self._sample)

    def overview(self) -> Overview:
        """The broker alone, which costs next to nothing however many queues it has. Raises ViewError."""
        return self._reader.read(_READS[:1], lambda url, reads: read_overview(url, reads["overview"])[0])

    def _sample(self, url: str, reads: Answers) -> Sample:
        overview, anonymous_producers = read_overview(url, reads["overview"])
        unknowns: list[str] = []

        def beans(name: str, unknown: str) -> Beans | None:
            found = read_beans(url, reads[name], forbidden_is_none=True)
            if found is None:
                unknowns.append(unknown)
            return found

        transactions = _transactions(*(read_beans(url, reads[name], True) for name in _TRANSACTIONS))
        if transactions is None:
            unknowns.append(UNKNOWN_TRANSACTIONS)
        # No scheduler MBean means that the broker runs without one (schedulerSupport=false): nothing is scheduled.
        scheduled = _total(beans("scheduler", UNKNOWN_SCHEDULED), "ScheduledMessageCount")
        if scheduled is None and UNKNOWN_SCHEDULED not in unknowns:
            unknowns.append(UNKNOWN_SCHEDULED)
        subscriptions = beans("subscriptions", UNKNOWN_SUBSCRIPTIONS) or []
        bridges = _bridges(url, reads["queue_consumers"])
        queues = [_queue(url, bean, bridges) for bean in read_beans(url, reads["queues"]) or []]
        return Sample(
            taken_at=self._wall_clock(),
            view=VIEW,
            url=url,
            overview=overview,
            destinations=queues + [_subscription(url, bean) for bean in subscriptions],
            scheduled=scheduled,
            open_transactions=transactions,
            anonymous_producers=anonymous_producers,
            unknowns=tuple(unknowns),
            hidden_messages=_hidden(overview, queues, read_beans(url, reads["temporary_queues"], True)),
        )


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        port_is_sane = parts.port is None or parts.port > 0
    except ValueError as exc:
        raise ValueError(f"view.url: not a URL: {exc}") from exc
    if parts.username is not None or parts.password is not None:
        raise ValueError("view.url: credentials belong into username and password, not into the URL")
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_sane:
        raise ValueError(f"view.url: not an http or https URL: {shown(url)}")


def _check_status(url: str, status: int) -> None:
    if status == 200:
        return
    if status == 401:
        raise ViewError(VIEW, url, "the credentials are refused (HTTP 401)")
    if status == 403:
        raise ViewError(VIEW, url, "access is forbidden (HTTP 403)")
    if status == 404:
        raise ViewError(VIEW, url, "there is no Jolokia at this URL (HTTP 404)")
    if 300 <= status < 400:
        raise ViewError(VIEW, url, f"a redirect is refused (HTTP {status}); give the final URL")
    raise ViewError(VIEW, url, f"unexpected HTTP status {status}", transient=status >= 500)


def _parse(url: str, body: bytes, names: Sequence[str]) -> Answers:
    """The bulk's answers by the name of the read."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as exc:
        start = shown(body[:40].decode("utf-8", "replace"))
        raise ViewError(VIEW, url, f"the answer is not JSON, it starts with {start!r}") from exc
    if isinstance(document, dict) and "status" in document:
        raise _refusal(url, document)
    if (
        not isinstance(document, list)
        or len(document) != len(names)
        or not all(isinstance(answer, dict) for answer in document)
    ):
        raise ViewError(VIEW, url, "the answer is not one of Jolokia's to a bulk request")
    return dict(zip(names, document))


def _refusal(url: str, answer: Mapping[str, Any]) -> ViewError:
    """Jolokia tells errors in the body of an HTTP 200."""
    status, error = answer.get("status"), shown(str(answer.get("error")))
    # 404: an MBean vanished between the search and the read; 500: a standby ("Broker is not yet started").
    transient = status in (404, 500) or _tells_nothing(answer)
    return ViewError(VIEW, url, f"Jolokia answers status {shown(str(status))}: {error}", transient=transient)


def _tells_nothing(answer: Mapping[str, Any]) -> bool:
    """Whether no MBean has any of the attributes: it is an old broker, or all have vanished since they were found."""
    return answer.get("status") == 400 and "No matching attributes" in str(answer.get("error", ""))


def read_beans(url: str, answer: Mapping[str, Any], forbidden_is_none: bool = False) -> Beans | None:
    """The attributes of each MBean of a pattern read; empty when no MBean matches.

    With ``forbidden_is_none`` it is None when reading is forbidden, or when no MBean tells any of the attributes.
    """
    status = answer.get("status")
    if status == 200:
        value = answer.get("value")
        if isinstance(value, dict) and all(isinstance(bean, dict) for bean in value.values()):
            return list(value.values())
        raise ViewError(VIEW, url, "the value of a pattern read is not a map of MBeans")
    # A pattern without a match is an error to Jolokia; its message tells it from an MBean that vanished meanwhile.
    if status == 404 and str(answer.get("error", "")).find("No MBean with pattern") >= 0:
        return []
    if forbidden_is_none and (status == 403 or _tells_nothing(answer)):
        return None
    raise _refusal(url, answer)


def read_overview(url: str, answer: Mapping[str, Any]) -> tuple[Overview, int | None]:
    """The broker, and how many producers are bound to no destination."""
    brokers = read_beans(url, answer) or []
    if not brokers:
        raise ViewError(VIEW, url, "no broker is registered in JMX", transient=True)
    if len(brokers) > 1:
        names = ", ".join(sorted(shown(str(broker.get("BrokerName"))) for broker in brokers))
        raise ViewError(VIEW, url, f"more than one broker in this JVM ({names}), cannot tell which one is meant")
    broker = brokers[0]
    broker_id, name = broker.get("BrokerId"), broker.get("BrokerName")
    # Until all queues are recovered from the store, a broker that starts may tell its id (BrokerService.isSlave).
    if broker.get("Slave") is True:
        raise ViewError(VIEW, url, "the broker is starting, stopping, or a standby", transient=True)
    if not isinstance(broker_id, str) or not isinstance(name, str):
        raise ViewError(VIEW, url, "the broker does not tell its id; it is starting, or a standby", transient=True)
    version, dynamic = broker.get("BrokerVersion"), broker.get("DynamicDestinationProducers")
    overview = Overview(
        broker_id=broker_id,
        name=name,
        version=version if isinstance(version, str) else None,
        uptime_ms=count(broker, "UptimeMillis"),
        total_messages=count(broker, "TotalMessageCount"),
    )
    return overview, len(dynamic) if isinstance(dynamic, list) else None


def _transactions(prepared: Beans | None, connections: Beans | None, sockets: Beans | None) -> int | None:
    """How many transactions are open; None when that is not known."""
    by_client, by_socket = _total(connections, "ActiveTransactionCount"), _total(sockets, "ActiveTransactionCount")
    if prepared is None or by_client is None or by_socket is None:
        return None
    return len(prepared) + max(by_client, by_socket)


def _hidden(overview: Overview, queues: Sequence[Destination], temporary: Beans | None) -> int | None:
    """How many more messages the broker counts than its queues have; None when that is not known."""
    in_temporary = _total(temporary, "QueueSize")
    if overview.total_messages is None or in_temporary is None or any(queue.pending is None for queue in queues):
        return None
    return overview.total_messages - in_temporary - sum(queue.pending or 0 for queue in queues)


class _Bridges:
    """How many consumers of network bridges each queue has. Most are of one queue, so that few have to be compared."""

    def __init__(self, consumed: Sequence[str]) -> None:
        self._patterns = [one for one in consumed if any(mark in one for mark in _PATTERN_MARKS)]
        self._exact = Counter(one for one in consumed if not any(mark in one for mark in _PATTERN_MARKS))

    def of(self, name: str) -> int:
        return self._exact[name] + sum(consumes(pattern, name) for pattern in self._patterns)


def _bridges(url: str, answer: Mapping[str, Any]) -> _Bridges | None:
    """What network bridges consume; None when that is not known."""
    try:
        consumers = read_beans(url, answer) or []
    except ViewError:  # forbidden, or a consumer left meanwhile: no reason to know nothing about the queues
        return None
    bridges = []
    for bean in consumers:
        name, network = bean.get("DestinationName"), bean.get("Network")
        if not isinstance(name, str) or not isinstance(network, bool):
            return None
        if network:
            bridges.append(name)
    return _Bridges(bridges)


def _queue(url: str, bean: Mapping[str, Any], bridges: _Bridges | None) -> Destination:
    dlq, name = bean.get("DLQ"), text(url, bean, "Name")
    return Destination(
        name=name,
        kind=QUEUE,
        pending=count(bean, "QueueSize"),
        in_flight=count(bean, "InFlightCount"),
        enqueued=count(bean, "EnqueueCount"),
        dequeued=count(bean, "DequeueCount"),
        consumers=count(bean, "ConsumerCount"),
        producers=count(bean, "ProducerCount"),
        bridges=None if bridges is None else bridges.of(name),
        dlq=dlq if isinstance(dlq, bool) else None,
    )


def _subscription(url: str, bean: Mapping[str, Any]) -> Destination:
    waiting, dispatched = count(bean, "PendingQueueSize"), count(bean, "DispatchedQueueSize")
    topic, active = text(url, bean, "DestinationName"), bean.get("Active")
    return Destination(
        name="/".join((topic, text(url, bean, "ClientId"), text(url, bean, "SubscriptionName"))),
        kind=DURABLE_SUBSCRIPTION,
        # Unlike QueueSize, PendingQueueSize leaves out what has been dispatched and is not acknowledged.
        pending=None if waiting is None or dispatched is None else waiting + dispatched,
        in_flight=dispatched,
        enqueued=count(bean, "EnqueueCounter"),
        dequeued=count(bean, "DequeueCounter"),
        consumers=int(active) if isinstance(active, bool) else None,
        topic=topic,
    )


def text(url: str, bean: Mapping[str, Any], attribute: str) -> str:
    value = bean.get(attribute)
    if not isinstance(value, str):
        raise ViewError(VIEW, url, f"an MBean does not tell its {attribute}")
    return value


def count(bean: Mapping[str, Any], attribute: str) -> int | None:
    """A number of things; anything else, e.g. a negative one, is not known."""
    value = bean.get(attribute)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _total(beans: Beans | None, attribute: str) -> int | None:
    """The sum over the MBeans; not known as soon as one does not tell."""
    if beans is None:
        return None
    counts = [count(bean, attribute) for bean in beans]
    known = [one for one in counts if one is not None]
    return sum(known) if len(known) == len(counts) else None
