# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""The Jolokia view: an ActiveMQ Classic broker by the HTTP bridge to JMX of its web console (5.14 and newer).

One POST with one bulk request per sample, and seldom a second one (see _may_be_stored). Requests in a bulk are executed
in order, and the order matters: open transactions are read first, then scheduled jobs, then subscriptions and queues. A
message that leaves one of these places meanwhile arrives in a place that is read later, so it cannot slip between two
reads unseen.

The name of an MBean is a lossy encoding (JMXSupport.encodeObjectNamePart): of two queues ``a:b`` and ``a_b`` only the
one that came first has an MBean, and likewise of two connections whose client ids differ so. What has none is found by
the sums: the broker's own count of messages, and the other MBean of a connection, whose name has the socket's address.
A broker may also be told to have no MBeans for connections or consumers (suppressMBean of ManagementContext), and then
none of either is no proof that there are none: its own counts tell.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._http import Http, HttpError, check_marks, check_status
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._instances import Instances
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

# What a queue holds is 0 to a broker that does not count (enableStatistics of BrokerService).
_COUNTING = "StatisticsEnabled"

#: How many there are, whether or not they have MBeans. Durable subscriptions are consumers also while nobody is
#: connected (Topic.addSubscription).
COUNTS = ("CurrentConnectionsCount", "TotalConsumerCount")

#: A name for the answer, an MBean pattern, and attributes.
Read = tuple[str, str, Sequence[str]]

# Attributes that a broker does not know are left out of its answer to a pattern read, so a list may name newer ones.
_READS: Sequence[Read] = (
    ("overview", BROKER, (*OVERVIEW_ATTRIBUTES, *COUNTS, _COUNTING, "DynamicDestinationProducers")),
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
            "PrefetchSize",
            "Active",
        ),
    ),
    (
        "queue_consumers",
        BROKER + ",destinationType=Queue,destinationName=*,endpoint=Consumer,clientId=*,consumerId=*",
        ("DestinationName", "Network"),
    ),
    # Only to see that there are any: most clients have one, for advisories.
    (
        "other_consumers",
        BROKER + ",destinationType=T*,destinationName=*,endpoint=Consumer,clientId=*,consumerId=*",
        ("DestinationName",),
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
    # Once more: what was sent while the queues were read is in the second count, if it is not in the first.
    ("total", BROKER, ("TotalMessageCount",)),
)

# What makes more of a name than a name, see consumes().
_PATTERN_MARKS = ("*", ">", ",", "://")

_TRANSACTIONS = ("prepared", "connections", "sockets")
_CONSUMERS = ("subscriptions", "queue_consumers", "other_consumers")

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
        self._instances = Instances(VIEW, urls, ("http", "https"))
        self._http = http
        self._timeout = timeout

    def read(self, reads: Sequence[Read], understand: Callable[[str, Answers], _T]) -> _T:
        """What ``understand`` makes of a URL and of its answers, by the name of the read, to one bulk request.

        The next URL is tried when one fails with a transient ViewError, be it raised here or by ``understand``.
        """
        return self._instances.first(lambda url: understand(url, self.ask(url, reads)))

    def ask(self, url: str, reads: Sequence[Read]) -> Answers:
        """The answers of one URL to one bulk request, by the name of the read. Raises ViewError."""
        request = [{"type": "read", "mbean": mbean, "attribute": list(attributes)} for name, mbean, attributes in reads]
        try:
            answer = self._http.post(url, json.dumps(request).encode(), _HEADERS, self._timeout)
            if answer.status == 404:
                raise HttpError("there is no Jolokia at this URL (HTTP 404)", transient=False)
            check_status(answer.status)
            check_marks(answer.body, b"[{,")
        except HttpError as exc:
            raise ViewError(VIEW, url, shown(str(exc)), transient=exc.transient) from exc
        return _parse(url, answer.body, [name for name, mbean, attributes in reads])


class JolokiaView:
    """The View of one broker, or of an active/standby pair; see JolokiaReader for the arguments."""

    kind = VIEW
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
        return self._reader.read(_READS[:1], lambda url, reads: _counting(url, reads["overview"])[0])

    def _sample(self, url: str, reads: Answers) -> Sample:
        overview, anonymous_producers = _counting(url, reads["overview"])
        unknowns: list[str] = []

        def beans(name: str, unknown: str) -> Beans | None:
            found = read_beans(url, reads[name], forbidden_is_none=True)
            if found is None:
                unknowns.append(unknown)
            return found

        transactions = _transactions(*(read_beans(url, reads[name], True) for name in _TRANSACTIONS))
        uncounted = suppressed(reads["overview"], "CurrentConnectionsCount", (reads["connections"], reads["sockets"]))
        if transactions is None or (uncounted and not transactions):
            transactions = None
            unknowns.append(UNKNOWN_TRANSACTIONS)
        # No scheduler MBean means that the broker runs without one (schedulerSupport=false): nothing is scheduled.
        scheduled = _total(beans("scheduler", UNKNOWN_SCHEDULED), "ScheduledMessageCount")
        if scheduled is None and UNKNOWN_SCHEDULED not in unknowns:
            unknowns.append(UNKNOWN_SCHEDULED)
        subscriptions = beans("subscriptions", UNKNOWN_SUBSCRIPTIONS) or []
        unlisted = suppressed(reads["overview"], "TotalConsumerCount", [reads[name] for name in _CONSUMERS])
        if unlisted and UNKNOWN_SUBSCRIPTIONS not in unknowns:
            unknowns.append(UNKNOWN_SUBSCRIPTIONS)
        bridges = _bridges(url, reads["queue_consumers"])
        queues = [_queue(url, bean, bridges) for bean in read_beans(url, reads["queues"]) or []]
        return Sample(
            taken_at=self._wall_clock(),
            view=VIEW,
            url=url,
            overview=overview,
            destinations=queues + self._subscriptions(url, subscriptions),
            scheduled=scheduled,
            open_transactions=transactions,
            # Who suppresses one kind of MBeans may suppress another, and nothing counts these.
            anonymous_producers=None if uncounted or unlisted else anonymous_producers,
            unknowns=tuple(unknowns),
            hidden_messages=_hidden(
                (overview.total_messages, _total(read_beans(url, reads["total"], True), "TotalMessageCount")),
                queues,
                read_beans(url, reads["temporary_queues"], True),
            ),
        )

    def _subscriptions(self, url: str, beans: Beans) -> list[Destination]:
        found = [(bean, _subscription(url, bean)) for bean in beans]
        topics = {one.topic or "" for bean, one in found if _may_be_stored(one, bean)}
        if not topics:
            return [one for bean, one in found]
        pattern = BROKER + ",destinationType=Topic,destinationName="
        answers = self._reader.ask(
            url, [(topic, pattern + jmx_spelling(topic), ("Name", "StoreMessageSize")) for topic in sorted(topics)]
        )
        empty = {topic for topic, answer in answers.items() if _stored(url, topic, answer) == 0}
        return [
            one._replace(pending=None) if _may_be_stored(one, bean) and one.topic not in empty else one
            for bean, one in found
        ]


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
    if _matches_nothing(answer):
        return []
    if forbidden_is_none and (status == 403 or _tells_nothing(answer)):
        return None
    raise _refusal(url, answer)


def _matches_nothing(answer: Mapping[str, Any]) -> bool:
    # A pattern without a match is an error to Jolokia; its message tells it from an MBean that vanished meanwhile.
    return answer.get("status") == 404 and "No MBean with pattern" in str(answer.get("error"))


def suppressed(overview: Mapping[str, Any], attribute: str, listed: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the broker counts what it lists no MBeans of; ``overview`` is an answer that read_overview understands.

    That is so with suppressMBean, and also where there are only clients inside the broker (vm:), which have no MBeans
    of connections.
    """
    counted = any(count(broker, attribute) != 0 for broker in overview["value"].values())
    return counted and all(_matches_nothing(answer) for answer in listed)


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


def _counting(url: str, answer: Mapping[str, Any]) -> tuple[Overview, int | None]:
    """As read_overview, of a broker whose numbers mean something."""
    overview = read_overview(url, answer)
    if any(broker.get(_COUNTING) is False for broker in answer["value"].values()):
        message = 'the broker does not count (enableStatistics="false"): each of its queues would seem to be empty'
        raise ViewError(VIEW, url, message)
    return overview


def _transactions(prepared: Beans | None, connections: Beans | None, sockets: Beans | None) -> int | None:
    """How many transactions are open; None when that is not known."""
    by_client, by_socket = _total(connections, "ActiveTransactionCount"), _total(sockets, "ActiveTransactionCount")
    if prepared is None or by_client is None or by_socket is None:
        return None
    return len(prepared) + max(by_client, by_socket)


def _hidden(totals: Iterable[int | None], queues: Sequence[Destination], temporary: Beans | None) -> int | None:
    """How many more messages the broker counts than its queues have; None when that is not known.

    ``totals`` are its counts before and after the queues were read. Queues that grew meanwhile are in the later one. If
    they differ, what is more than the queues have may be messages that came or went, and is not known.
    """
    counts = [_total(temporary, "QueueSize"), *(queue.pending for queue in queues), *totals]
    known = [one for one in counts if one is not None]
    if len(known) < len(counts):
        return None
    hidden = max(known[-2:]) - sum(known[:-2])
    return hidden if known[-2] == known[-1] or hidden <= 0 else None


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
    topic, client_id, subscription = (
        text(url, bean, name) for name in ("DestinationName", "ClientId", "SubscriptionName")
    )
    active = bean.get("Active")
    return Destination(
        name=f"{topic}/{client_id}/{subscription}",
        kind=DURABLE_SUBSCRIPTION,
        # Unlike QueueSize, PendingQueueSize leaves out what has been dispatched and is not acknowledged.
        pending=None if waiting is None or dispatched is None else waiting + dispatched,
        in_flight=dispatched,
        enqueued=count(bean, "EnqueueCounter"),
        dequeued=count(bean, "DequeueCounter"),
        consumers=int(active) if isinstance(active, bool) else None,
        topic=topic,
        client_id=client_id,
        subscription=subscription,
    )


def _may_be_stored(subscription: Destination, bean: Mapping[str, Any]) -> bool:
    """Whether an offline subscription may hold messages although it tells that there are none.

    With keepDurableSubsActive=false it is in the store only, and its MBean answers 0 (SubscriptionView), also to its
    prefetch. Others do so after a restart, until their subscriber has been there.
    """
    return subscription.pending == 0 and subscription.consumers != 1 and count(bean, "PrefetchSize") == 0


def _stored(url: str, topic: str, answer: Mapping[str, Any]) -> int | None:
    """The size of the messages that a topic keeps for its subscriptions; None when that is not known."""
    topics = read_beans(url, answer, forbidden_is_none=True)
    # The MBean may be another one's, whose name is encoded alike.
    if not topics or any(bean.get("Name") != topic for bean in topics):
        return None
    return _total(topics, "StoreMessageSize")


def jmx_spelling(name: str) -> str:
    """A name as part of an ObjectName (JMXSupport.encodeObjectNamePart)."""
    for character in ":,'\"":
        name = name.replace(character, "_")
    return name.replace("?", "&qe;").replace("=", "&amp;").replace("*", "&ast;")


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
