# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""The Jolokia view: an ActiveMQ Classic broker by the HTTP bridge to JMX of its web console (5.14 and newer).

One POST with one bulk request per sample. Requests in a bulk are executed in order, and the order matters: open
transactions are read first, then scheduled jobs, then subscriptions and queues. A message that leaves one of these
places meanwhile arrives in a place that is read later, so it cannot slip between two reads unseen.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._http import Http, HttpError
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import (
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

_BROKER = "org.apache.activemq:type=Broker,brokerName=*"

# Attributes that a broker does not know are left out of its answer to a pattern read, so a list may name newer ones.
_READS: Sequence[tuple[str, str, Sequence[str]]] = (
    (
        "overview",
        _BROKER,
        (
            "BrokerId",
            "BrokerName",
            "BrokerVersion",
            "Slave",
            "UptimeMillis",
            "TotalMessageCount",
            "DynamicDestinationProducers",
        ),
    ),
    (
        "connections",
        # Each client is there twice; the clientId side exists once it has authenticated (ManagedTransportConnection).
        _BROKER + ",connector=clientConnectors,connectorName=*,connectionViewType=clientId,connectionName=*",
        ("ClientId", "ActiveTransactionCount"),
    ),
    ("scheduler", _BROKER + ",service=JobScheduler,name=*", ("ScheduledMessageCount",)),
    (
        "subscriptions",
        _BROKER + ",destinationType=Topic,destinationName=*,endpoint=Consumer,clientId=*,consumerId=Durable(*)",
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
        _BROKER + ",destinationType=Queue,destinationName=*,endpoint=Consumer,clientId=*,consumerId=*",
        ("DestinationName", "Network"),
    ),
    (
        "queues",
        # The trailing ",*" is left out on purpose: it would match the queues' consumers and producers as well.
        _BROKER + ",destinationType=Queue,destinationName=*",
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

_REQUEST = json.dumps(
    [{"type": "read", "mbean": mbean, "attribute": list(attributes)} for _name, mbean, attributes in _READS]
).encode()

# Jolokia's strict checking refuses a request without an Origin, and accepts any (CorsChecker).
_HEADERS = {"Content-Type": "application/json", "Origin": "http://localhost"}

_Beans = list[Mapping[str, Any]]


class JolokiaView:
    """The View of one broker, or of an active/standby pair of which only the active one answers.

    ``urls`` are tried in order, the one that answered last first. ``timeout`` bounds each, in seconds.
    Raises ValueError when a URL is not http(s) or carries credentials.
    """

    def __init__(
        self, urls: Sequence[str], http: Http, timeout: float = 10.0, wall_clock: Callable[[], float] = time.time
    ) -> None:
        if not urls:
            raise ValueError("view.url: at least one URL is needed")
        for url in urls:
            _check_url(url)
        self._urls = list(urls)
        self._http = http
        self._timeout = timeout
        self._wall_clock = wall_clock

    def sample(self) -> Sample:
        failures: list[ViewError] = []
        for url in list(self._urls):
            try:
                sample = self._sample(url)
            except ViewError as exc:
                if not exc.transient:
                    raise
                failures.append(exc)
                continue
            self._urls.sort(key=lambda known: known != url)
            return sample
        if len(failures) == 1:
            raise failures[0]
        reasons = "; ".join(f"{failure.url}: {failure.message}" for failure in failures)
        raise ViewError(VIEW, ", ".join(self._urls), f"no instance answers ({reasons})", transient=True)

    def _sample(self, url: str) -> Sample:
        try:
            answer = self._http.post(url, _REQUEST, _HEADERS, self._timeout)
        except HttpError as exc:
            raise ViewError(VIEW, url, shown(str(exc)), transient=exc.transient) from exc
        _check_status(url, answer.status)
        reads = _parse(url, answer.body)
        overview, anonymous_producers = _overview(url, reads["overview"])
        unknowns: list[str] = []

        def beans(name: str, unknown: str) -> _Beans | None:
            found = _beans(url, reads[name], forbidden_is_none=True)
            if found is None:
                unknowns.append(unknown)
            return found

        transactions = _total(beans("connections", UNKNOWN_TRANSACTIONS), "ActiveTransactionCount")
        if transactions is None and UNKNOWN_TRANSACTIONS not in unknowns:
            unknowns.append(UNKNOWN_TRANSACTIONS)
        # No scheduler MBean means that the broker runs without one (schedulerSupport=false): nothing is scheduled.
        scheduled = _total(beans("scheduler", UNKNOWN_SCHEDULED), "ScheduledMessageCount")
        if scheduled is None and UNKNOWN_SCHEDULED not in unknowns:
            unknowns.append(UNKNOWN_SCHEDULED)
        subscriptions = beans("subscriptions", UNKNOWN_SUBSCRIPTIONS) or []
        bridges = _bridges(url, reads["queue_consumers"])
        queues = _beans(url, reads["queues"]) or []
        return Sample(
            taken_at=self._wall_clock(),
            view=VIEW,
            url=url,
            overview=overview,
            destinations=[_queue(url, bean, bridges) for bean in queues]
            + [_subscription(url, bean) for bean in subscriptions],
            scheduled=scheduled,
            open_transactions=transactions,
            anonymous_producers=anonymous_producers,
            unknowns=tuple(unknowns),
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


def _parse(url: str, body: bytes) -> dict[str, Mapping[str, Any]]:
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
        or len(document) != len(_READS)
        or not all(isinstance(answer, dict) for answer in document)
    ):
        raise ViewError(VIEW, url, "the answer is not one of Jolokia's to a bulk request")
    return {name: answer for (name, _mbean, _attributes), answer in zip(_READS, document)}


def _refusal(url: str, answer: Mapping[str, Any]) -> ViewError:
    """Jolokia tells errors in the body of an HTTP 200."""
    status, error = answer.get("status"), shown(str(answer.get("error")))
    # 404: an MBean vanished between the search and the read; 500: a standby ("Broker is not yet started").
    return ViewError(VIEW, url, f"Jolokia answers status {shown(str(status))}: {error}", transient=status in (404, 500))


def _beans(url: str, answer: Mapping[str, Any], forbidden_is_none: bool = False) -> _Beans | None:
    """The attributes of each MBean of a pattern read; empty when no MBean matches; None when reading is forbidden."""
    status = answer.get("status")
    if status == 200:
        value = answer.get("value")
        if isinstance(value, dict) and all(isinstance(bean, dict) for bean in value.values()):
            return list(value.values())
        raise ViewError(VIEW, url, "the value of a pattern read is not a map of MBeans")
    # A pattern without a match is an error to Jolokia; its message tells it from an MBean that vanished meanwhile.
    if status == 404 and str(answer.get("error", "")).find("No MBean with pattern") >= 0:
        return []
    if status == 403 and forbidden_is_none:
        return None
    raise _refusal(url, answer)


def _overview(url: str, answer: Mapping[str, Any]) -> tuple[Overview, int | None]:
    """The broker, and how many producers are bound to no destination."""
    brokers = _beans(url, answer) or []
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
        uptime_ms=_count(broker, "UptimeMillis"),
        total_messages=_count(broker, "TotalMessageCount"),
    )
    return overview, len(dynamic) if isinstance(dynamic, list) else None


def _bridges(url: str, answer: Mapping[str, Any]) -> list[str] | None:
    """What network bridges consume, one entry for each of their consumers; None when that is not known."""
    try:
        consumers = _beans(url, answer) or []
    except ViewError:  # forbidden, or a consumer left meanwhile: no reason to know nothing about the queues
        return None
    bridges = []
    for bean in consumers:
        name, network = bean.get("DestinationName"), bean.get("Network")
        if not isinstance(name, str) or not isinstance(network, bool):
            return None
        if network:
            bridges.append(name)
    return bridges


def _queue(url: str, bean: Mapping[str, Any], bridges: Sequence[str] | None) -> Destination:
    dlq, name = bean.get("DLQ"), _text(url, bean, "Name")
    return Destination(
        name=name,
        kind=QUEUE,
        pending=_count(bean, "QueueSize"),
        in_flight=_count(bean, "InFlightCount"),
        enqueued=_count(bean, "EnqueueCount"),
        dequeued=_count(bean, "DequeueCount"),
        consumers=_count(bean, "ConsumerCount"),
        producers=_count(bean, "ProducerCount"),
        bridges=None if bridges is None else sum(consumes(pattern, name) for pattern in bridges),
        dlq=dlq if isinstance(dlq, bool) else None,
    )


def _subscription(url: str, bean: Mapping[str, Any]) -> Destination:
    waiting, dispatched = _count(bean, "PendingQueueSize"), _count(bean, "DispatchedQueueSize")
    topic, active = _text(url, bean, "DestinationName"), bean.get("Active")
    return Destination(
        name="/".join((topic, _text(url, bean, "ClientId"), _text(url, bean, "SubscriptionName"))),
        kind=DURABLE_SUBSCRIPTION,
        # Unlike QueueSize, PendingQueueSize leaves out what has been dispatched and is not acknowledged.
        pending=None if waiting is None or dispatched is None else waiting + dispatched,
        in_flight=dispatched,
        enqueued=_count(bean, "EnqueueCounter"),
        dequeued=_count(bean, "DequeueCounter"),
        consumers=int(active) if isinstance(active, bool) else None,
        topic=topic,
    )


def _text(url: str, bean: Mapping[str, Any], attribute: str) -> str:
    value = bean.get(attribute)
    if not isinstance(value, str):
        raise ViewError(VIEW, url, f"an MBean does not tell its {attribute}")
    return value


def _count(bean: Mapping[str, Any], attribute: str) -> int | None:
    """A number of things; anything else, e.g. a negative one, is not known."""
    value = bean.get(attribute)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _total(beans: _Beans | None, attribute: str) -> int | None:
    """The sum over the MBeans; not known as soon as one does not tell."""
    if beans is None:
        return None
    counts = [_count(bean, attribute) for bean in beans]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
