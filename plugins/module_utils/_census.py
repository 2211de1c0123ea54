# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""The census: who is connected to a broker, each client once, and what it produces and consumes.

Of the views only Jolokia knows connections. A broker registers each of them twice (ManagedTransportConnection): by its
remote address from the moment it is accepted, and by its client id once it has sent one. Neither list is whole: the
first may be switched off (allowRemoteAddressInMBeanNames), and in the second two ids that JMX spells the same, such as
``a:b`` and ``a_b``, are one. So both are read, and put together by connector and remote address.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._addresses import Places, host_and_port
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._http import Http
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._jolokia import (
    BROKER,
    COUNTS,
    OVERVIEW_ATTRIBUTES,
    VIEW,
    Answers,
    Beans,
    JolokiaReader,
    Read,
    count,
    jmx_spelling,
    read_beans,
    read_overview,
    suppressed,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import (
    BRIDGE,
    CLIENT,
    SOCKET,
    TOOL,
    Overview,
    ViewError,
    matches,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._views import check_urls, jolokia_urls, open_http, where

#: What our own connections call themselves.
TOOL_CLIENT_ID = "mqlift-*"
_ADVISORY = "ActiveMQ.Advisory.*"
#: The destination of a producer that is bound to none, until it sends (DynamicProducerView).
_NOT_SET = "NOTSET"

_CONNECTION_ATTRIBUTES = (
    "ClientId",
    "RemoteAddress",
    "UserName",
    "ActiveTransactionCount",
    "Slow",
    "Blocked",
    # Since 5.17.6 and 5.18.3; an older broker leaves them out.
    "ConnectedTimestamp",
    "NetworkConnection",
    "FaultTolerantConnection",
)
_USER_ATTRIBUTES = (
    "ClientId",
    "ConnectionId",
    "SessionId",
    "UserName",
    "DestinationName",
    "DestinationQueue",
    "DestinationTopic",
    "DestinationTemporary",
)
_CONSUMER_ATTRIBUTES = (*_USER_ATTRIBUTES, "Active", "Network", "DispatchedQueueSize")
_PRODUCER_ATTRIBUTES = (*_USER_ATTRIBUTES, "SentCount")

# Connections come last: a consumer that was seen has a connection then, unless it left meanwhile.
_READS: Sequence[Read] = (
    ("overview", BROKER, (*OVERVIEW_ATTRIBUTES, *COUNTS, "TotalProducerCount", "TransportConnectors")),
    (
        "consumers",
        BROKER + ",destinationType=*,destinationName=*,endpoint=Consumer,clientId=*,consumerId=*",
        _CONSUMER_ATTRIBUTES,
    ),
    (
        "producers",
        BROKER + ",destinationType=*,destinationName=*,endpoint=Producer,clientId=*,producerId=*",
        _PRODUCER_ATTRIBUTES,
    ),
    ("anonymous", BROKER + ",endpoint=dynamicProducer,clientId=*,producerId=*", _PRODUCER_ATTRIBUTES),
    (
        "by_client",
        BROKER + ",connector=clientConnectors,connectorName=*,connectionViewType=clientId,connectionName=*",
        _CONNECTION_ATTRIBUTES,
    ),
    (
        "by_address",
        BROKER + ",connector=clientConnectors,connectorName=*,connectionViewType=remoteAddress,connectionName=*",
        _CONNECTION_ATTRIBUTES,
    ),
)

#: A part of a connector's scheme -> protocol.
_PROTOCOLS = {
    "tcp": "openwire",
    "http": "openwire",
    "https": "openwire",
    "stomp": "stomp",
    "amqp": "amqp",
    "mqtt": "mqtt",
    "ws": "ws",
    "wss": "ws",
}


class Consumed(NamedTuple):
    """What a client takes messages from. ``in_flight`` messages it has been given and has not acknowledged."""

    kind: str
    name: str
    consumers: int
    in_flight: int | None


class Produced(NamedTuple):
    """What a client sends to. ``sent`` counts since its producers were created."""

    kind: str
    name: str
    producers: int
    sent: int | None


class Client(NamedTuple):
    """One connection. The fields are documented with the module connection_info."""

    kind: str
    client_id: str | None
    address: str | None
    port: int | None
    user: str | None
    connector: str | None
    protocol: str | None
    tls: bool | None
    connected_at: float | None
    failover: bool | None
    consumes: list[Consumed] | None
    produces: list[Produced] | None
    consumers: int | None
    producers: int | None
    sessions: int | None
    open_transactions: int | None
    slow: bool | None
    blocked: bool | None
    host: str | None = None
    unknown: bool | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            **self._asdict(),
            "consumes": None if self.consumes is None else [one._asdict() for one in self.consumes],
            "produces": None if self.produces is None else [one._asdict() for one in self.produces],
        }


class Census(NamedTuple):
    """Who was connected at one moment. ``taken_at`` is in seconds since the epoch on the machine that looked."""

    taken_at: float
    view: str
    url: str
    overview: Overview
    clients: list[Client]
    unknowns: tuple[str, ...] = ()


class JolokiaCensus:
    """Takes the census of one broker, or of an active/standby pair; see JolokiaReader for the arguments.

    ``places`` are the inventory's hosts, or None when clients are not to be matched.
    """

    def __init__(
        self,
        urls: Sequence[str],
        http: Http,
        timeout: float = 10.0,
        places: Places | None = None,
        wall_clock: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader = JolokiaReader(urls, http, timeout)
        self._timeout = timeout
        self._places = places
        self._wall_clock = wall_clock
        self._clock = clock

    def take(self) -> Census:
        """Look once. Raises ViewError."""
        answers: dict[str, Mapping[str, Any]] = {}
        missing, url = list(_READS), ""
        end = self._clock() + self._timeout
        # Jolokia lists MBeans and then reads each. One that goes away in between, which where clients come and go is
        # no rarity, spoils that read; only such reads are repeated.
        while missing:
            at, found = self._reader.read(missing, _active)
            if at != url and answers:  # a failover
                missing, answers, url = list(_READS), {}, ""
            else:
                url = at
                answers.update(found)
                # The overview goes along, for it tells whether the broker is the active one.
                missing = [read for read in _READS if _vanished(answers[read[0]])]
                missing = [_READS[0], *missing] if missing else []
            if missing and self._clock() >= end:
                message = f"clients come and go faster than they can be listed within {self._timeout:g} s"
                raise ViewError(VIEW, url, message, transient=True)
        return self._understand(url, answers)

    def _understand(self, url: str, answers: Answers) -> Census:
        overview = read_overview(url, answers["overview"])[0]
        unknowns: list[str] = []

        def hidden(attribute: str, *names: str) -> bool:
            return suppressed(answers["overview"], attribute, [answers[name] for name in names])

        no_connections = hidden("CurrentConnectionsCount", "by_client", "by_address")
        no_consumers = hidden("TotalConsumerCount", "consumers")
        # A broker without these MBeans may be without those of producers too, and not all of them are counted.
        no_producers = no_connections or no_consumers or hidden("TotalProducerCount", "producers")
        if no_connections:
            unknowns.append("connections")

        def users(what: str, is_suppressed: bool, *names: str) -> Beans | None:
            found: Beans = []
            if is_suppressed:
                unknowns.append(what)
                return None
            for name in names:
                beans = read_beans(url, answers[name], forbidden_is_none=True)
                if beans is None:
                    unknowns.append(what)
                    return None
                found += beans
            return found

        consumers = users("consumers", no_consumers, "consumers")
        producers = users("producers", no_producers, "producers", "anonymous")
        connections = [
            connection for name in ("by_client", "by_address") for connection in _connections(url, answers[name])
        ]
        clients = _clients(connections, consumers, producers, _connectors(answers["overview"]))
        if self._places is not None:
            clients = [_placed(client, self._places) for client in clients]
        return Census(self._wall_clock(), VIEW, url, overview, sorted(clients, key=_order), tuple(unknowns))


def open_census(options: Mapping[str, Any], places: Places | None) -> JolokiaCensus:
    """The census of the broker that the validated option ``view`` describes.

    Raises ViewError for a view that does not know connections, and ValueError as open_view does.
    """
    if options["timeout"] <= 0:
        raise ValueError("view.timeout: must be more than 0 seconds")
    check_urls(options)
    urls = jolokia_urls(options)
    if not urls:
        raise ViewError(*where(options), f"this view does not know connections, only {VIEW} does")
    return JolokiaCensus(urls, open_http(options), options["timeout"], places)


def check_hosts(hosts: Mapping[str, Any]) -> dict[str, list[str]]:
    """The option ``hosts``, each with a list of addresses. Raises ValueError."""
    found = {}
    for host, addresses in hosts.items():
        listed = [addresses] if isinstance(addresses, str) else addresses
        if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
            raise ValueError(f"hosts.{host}: must be a list of addresses")
        found[host] = [one for one in listed if one]
    return found


def census_to_dict(census: Census) -> dict[str, Any]:
    """The census as plain values, for a module's result."""
    return {
        "taken_at": census.taken_at,
        "view": census.view,
        "url": census.url,
        "broker": census.overview._asdict(),
        "clients": [client.to_dict() for client in census.clients],
        "unknowns": list(census.unknowns),
    }


def _active(url: str, answers: Answers) -> tuple[str, Answers]:
    """The answers, when they are those of an active broker. Raises ViewError, so that the next URL is tried."""
    read_overview(url, answers["overview"])
    return url, answers


def _vanished(answer: Mapping[str, Any]) -> bool:
    """Whether a read failed because an MBean went away; without any MBean to match there is nothing to repeat."""
    return answer.get("status") == 404 and "No MBean with pattern" not in str(answer.get("error"))


class _Connector(NamedTuple):
    name: str
    protocol: str | None
    tls: bool | None


def _connectors(answer: Mapping[str, Any]) -> dict[str, _Connector]:
    """The broker's connectors by their names as JMX spells them."""
    found = {}
    for bean in answer["value"].values():
        connectors = bean.get("TransportConnectors")
        for name, uri in connectors.items() if isinstance(connectors, dict) else ():
            parts = set(str(uri).partition("://")[0].split("+"))
            protocol = next((_PROTOCOLS[part] for part in sorted(parts) if part in _PROTOCOLS), None)
            # ssl, nio and nio+ssl on their own are OpenWire; auto finds out by itself.
            if protocol is None and parts <= {"nio", "ssl"}:
                protocol = "openwire"
            tls = bool(parts & {"ssl", "https", "wss"})
            found[jmx_spelling(name)] = _Connector(name, protocol, tls)
    return found


def _connections(url: str, answer: Mapping[str, Any]) -> list[tuple[str | None, Mapping[str, Any]]]:
    """Each connection with the JMX spelling of its connector, which no attribute tells."""
    beans = read_beans(url, answer) or []
    keys = answer["value"] if beans else ()
    names = [
        next((part[len("connectorName=") :] for part in key.split(",") if part.startswith("connectorName=")), None)
        for key in keys
    ]
    return list(zip(names, beans))


def _clients(
    connections: Iterable[tuple[str | None, Mapping[str, Any]]],
    consumers: Beans | None,
    producers: Beans | None,
    connectors: Mapping[str, _Connector],
) -> list[Client]:
    consumers_of, producers_of = _by_client(consumers), _by_client(producers)
    once: dict[tuple[str | None, str | None], tuple[str | None, Mapping[str, Any]]] = {}
    for spelling, bean in connections:
        # Without a remote address nothing can be told apart but the client id.
        key = (spelling, _string(bean, "RemoteAddress") or _string(bean, "ClientId"))
        once.setdefault(key, (spelling, bean))
    clients = []
    connected: set[str | None] = {None}
    for spelling, bean in once.values():
        client_id = _string(bean, "ClientId")
        connected.add(client_id)
        connector = connectors.get(spelling or "", _Connector(spelling or "", None, None))
        clients.append(
            _client(client_id, bean, connector, consumers_of(client_id), producers_of(client_id)),
        )
    # Whoever is inside the broker (vm:) has no connection, e.g. the near end of a network bridge. Nor has a durable
    # subscriber that is away; its subscription is not active.
    present = [bean for bean in (consumers or []) if bean.get("Active") is not False] + (producers or [])
    inside = dict.fromkeys(_string(bean, "ClientId") for bean in present)
    clients += [_client(one, {}, None, consumers_of(one), producers_of(one)) for one in inside if one not in connected]
    return clients


def _by_client(beans: Beans | None) -> Callable[[str | None], Beans | None]:
    """A function from a client's id to its consumers or producers, None when they are not known."""
    if beans is None:
        return lambda client_id: None
    found: dict[str | None, Beans] = {}
    for bean in beans:
        found.setdefault(_string(bean, "ClientId"), []).append(bean)
    return lambda client_id: [] if client_id is None else found.get(client_id, [])


def _client(
    client_id: str | None,
    bean: Mapping[str, Any],
    connector: _Connector | None,
    consumers: Beans | None,
    producers: Beans | None,
) -> Client:
    own = None if consumers is None else [one for one in consumers if not _is_advisory(one)]
    used = None if own is None or producers is None else own + producers
    timestamp = count(bean, "ConnectedTimestamp")
    address, port = host_and_port(_string(bean, "RemoteAddress") or "")
    users = [_string(one, "UserName") for one in (bean, *(used or ()))]
    client = Client(
        kind=CLIENT,
        client_id=client_id,
        address=address,
        port=port,
        user=next((user for user in users if user is not None), None),
        connector=None if connector is None else connector.name,
        protocol=None if connector is None else connector.protocol,
        tls=None if connector is None else connector.tls,
        connected_at=None if timestamp is None else timestamp / 1000,
        failover=_flag(bean, "FaultTolerantConnection"),
        consumes=None if own is None else _consumed(own),
        produces=None if producers is None else _produced(producers),
        consumers=None if own is None else len(own),
        producers=None if producers is None else len(producers),
        sessions=None if used is None else len({(_string(one, "ConnectionId"), one.get("SessionId")) for one in used}),
        open_transactions=count(bean, "ActiveTransactionCount"),
        slow=_flag(bean, "Slow"),
        blocked=_flag(bean, "Blocked"),
    )
    return client._replace(kind=_kind(client, bean, consumers))


def _kind(client: Client, bean: Mapping[str, Any], consumers: Beans | None) -> str:
    network = _flag(bean, "NetworkConnection")
    if network or any(one.get("Network") is True for one in consumers or ()):
        return BRIDGE
    if client.client_id is None:
        return SOCKET
    if matches(client.client_id, TOOL_CLIENT_ID):
        return TOOL
    # An older broker does not say which connection is a bridge; a bridge's client ids are made from its name and the
    # two brokers' (DemandForwardingBridgeSupport). Bridges speak OpenWire.
    named_so = client.client_id.endswith("_outbound") or "_inbound_" in client.client_id
    return BRIDGE if network is None and client.protocol in ("openwire", None) and named_so else CLIENT


def _placed(client: Client, places: Places) -> Client:
    host = None if client.address is None else places.find(client.address)
    return client._replace(host=host, unknown=host is None and client.kind in (CLIENT, SOCKET))


def _order(client: Client) -> tuple[str, str, int, str]:
    return client.host or "", client.address or "", client.port or 0, client.client_id or ""


def _is_advisory(bean: Mapping[str, Any]) -> bool:
    """A subscription to the broker's own news, which client libraries make by themselves."""
    name = _string(bean, "DestinationName")
    return bean.get("DestinationTopic") is True and all(matches(one, _ADVISORY) for one in (name or "").split(","))


def _consumed(beans: Beans) -> list[Consumed]:
    return [
        Consumed(kind, name, len(group), _sum(group, "DispatchedQueueSize"))
        for (kind, name), group in _by_destination(beans)
    ]


def _produced(beans: Beans) -> list[Produced]:
    return [
        Produced(kind, name, len(group), _sum(group, "SentCount")) for (kind, name), group in _by_destination(beans)
    ]


def _by_destination(beans: Beans) -> list[tuple[tuple[str, str], Beans]]:
    found: dict[tuple[str, str], Beans] = {}
    for bean in beans:
        name = _string(bean, "DestinationName")
        queue, topic = bean.get("DestinationQueue") is True, bean.get("DestinationTopic") is True
        if name is None or (name == _NOT_SET and not queue and not topic):
            continue
        kind = "topic" if topic else "queue"
        found.setdefault((f"temp_{kind}" if bean.get("DestinationTemporary") is True else kind, name), []).append(bean)
    return sorted(found.items(), key=lambda item: item[0])


def _sum(beans: Beans, attribute: str) -> int | None:
    counts = [count(bean, attribute) for bean in beans]
    known = [one for one in counts if one is not None]
    return sum(known) if len(known) == len(counts) else None


def _string(bean: Mapping[str, Any], attribute: str) -> str | None:
    value = bean.get(attribute)
    return value if isinstance(value, str) else None


def _flag(bean: Mapping[str, Any], attribute: str) -> bool | None:
    value = bean.get(attribute)
    return value if isinstance(value, bool) else None
