# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The census, with answers as ActiveMQ 5.16.6 and 5.18.3 give them."""

from __future__ import annotations

import copy
import json

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._addresses import Places
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._census import (
    Consumed,
    JolokiaCensus,
    Produced,
    census_to_dict,
    check_hosts,
    open_census,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._http import Answer, HttpError
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import ViewError

URL = "http://broker.example:8161/api/jolokia"
STANDBY_URL = "http://standby.example:8161/api/jolokia"
NOTHING = {
    "error_type": "javax.management.InstanceNotFoundException",
    "error": "javax.management.InstanceNotFoundException : No MBean with pattern x found for reading attributes",
    "status": 404,
}
VANISHED = {
    "error_type": "javax.management.InstanceNotFoundException",
    "error": "javax.management.InstanceNotFoundException : org.apache.activemq:type=Broker,connectionName=a",
    "status": 404,
}
FORBIDDEN = {"error_type": "java.lang.Exception", "error": "java.lang.Exception : forbidden", "status": 403}
WORKER, NOTIFIER, BILLING = "ID:worker-1-43377-1795306491570-0:1", "ID:source-5:4", "ID:source-5:3"
OVERVIEW, CONSUMERS, PRODUCERS, ANONYMOUS, BY_CLIENT, BY_ADDRESS = range(6)


def overview(**changes):
    return {
        "value": {
            "org.apache.activemq:brokerName=onprem,type=Broker": {
                "TotalMessageCount": 28,
                "CurrentConnectionsCount": 0,
                "TotalConsumerCount": 0,
                "TotalProducerCount": 0,
                "Slave": False,
                "BrokerId": "ID:source-43183-1795306487343-0:1",
                "UptimeMillis": 1316114,
                "TransportConnectors": {
                    "openwire": "tcp://source.lab:61616?maximumConnections=1000",
                    "stomp": "stomp+ssl://source.lab:61614",
                    "nio://source.lab:61618": "nio://source.lab:61618",
                    "any": "auto+nio+ssl://source.lab:5671",
                },
                "BrokerVersion": "5.16.6",
                "BrokerName": "onprem",
                **changes,
            }
        },
        "status": 200,
    }


def user(client, name, queue=True, **more):
    """A consumer or producer as the broker describes it."""
    return {
        "DestinationTopic": not queue,
        "DestinationTemporary": False,
        "ConnectionId": client,
        "UserName": None,
        "DestinationName": name,
        "ClientId": client,
        "DestinationQueue": queue,
        "SessionId": -1,
        **more,
    }


def consumer(client, name, **more):
    return user(client, name, **{"Active": True, "Network": False, "DispatchedQueueSize": 0, **more})


def beans(*found):
    keyed = {f"org.apache.activemq:brokerName=onprem,number={number}": bean for number, bean in enumerate(found)}
    return {"value": keyed, "status": 200} if found else NOTHING


def connections(*found):
    """Each is the connector's name as JMX spells it, the remote address, the client id, and changes."""
    return {
        "value": {
            f"org.apache.activemq:brokerName=onprem,connectionName={number},connector=clientConnectors,"
            f"connectorName={connector},type=Broker": {
                "RemoteAddress": remote,
                "UserName": None,
                "ActiveTransactionCount": 0,
                "Slow": False,
                "ClientId": client,
                "Blocked": False,
                **(more[0] if more else {}),
            }
            for number, (connector, remote, client, *more) in enumerate(found)
        },
        "status": 200,
    }


CLIENTS = (
    ("openwire", "tcp://10.99.0.11:49204", "to-old_target-1_outbound"),
    ("openwire", "tcp://10.99.0.22:59950", WORKER),
    ("stomp", "tcp://10.99.0.24:47118", BILLING),
    ("stomp", "tcp://10.99.0.25:37414", NOTIFIER),
    ("stomp", "tcp://10.99.0.1:43384", "a_b"),
)
BRIDGE = "to-old_target-1_inbound_onprem"
NEWS = "ActiveMQ.Advisory.Consumer.>,ActiveMQ.Advisory.TempQueue,ActiveMQ.Advisory.TempTopic"
FULL = [
    overview(),
    beans(
        consumer(WORKER, "orders.new", SessionId=1, DispatchedQueueSize=3),
        consumer(WORKER, "ActiveMQ.Advisory.TempQueue", queue=False),
        consumer(NOTIFIER, "orders.done"),
        consumer(NOTIFIER, "invoices.new"),
        consumer("a_b", "work"),
        consumer("a:b", "work"),
        consumer(BRIDGE, "events", queue=False, Network=True),
        consumer(BRIDGE, NEWS, queue=False, Network=True),
        consumer("away", "events", queue=False, Active=False),
        consumer("camel", "events", queue=False),
    ),
    beans(user(WORKER, "orders.done", SessionId=1, SentCount=32787)),
    beans(
        user(BILLING, "invoices.new", SentCount=65574),
        user(NOTIFIER, "NOTSET", DestinationQueue=False, DestinationTopic=False, SentCount=0),
    ),
    connections(*CLIENTS),
    # "a:b" has no MBean by its client id, for "a_b" has it; one socket has not said who it is.
    connections(*CLIENTS, ("stomp", "tcp://10.99.0.1:43392", "a:b"), ("openwire", "tcp://10.99.0.1:45354", None)),
]


class FakeHttp:
    """For each URL, one bulk of answers or an exception per request, the last one over and over."""

    def __init__(self, **bulks):
        self.bulks = {name: list(found) for name, found in bulks.items()}
        self.requests = []

    def post(self, url, body, headers, timeout):
        self.requests.append((url, len(json.loads(body))))
        bulks = self.bulks["standby" if url == STANDBY_URL else "broker"]
        bulk = bulks.pop(0) if len(bulks) > 1 else bulks[0]
        if isinstance(bulk, Exception):
            raise bulk
        return Answer(200, json.dumps(bulk).encode())


def take(*bulks, urls=(URL,), standby=(), hosts=None, clock=lambda: 0.0):
    http = FakeHttp(broker=bulks, standby=standby)
    places = None if hosts is None else Places(hosts)
    return JolokiaCensus(list(urls), http, places=places, wall_clock=lambda: 7.0, clock=clock).take(), http


def changed(number, answer):
    bulk = copy.deepcopy(FULL)
    bulk[number] = answer
    return bulk


def by_id(census):
    return {client.client_id: client for client in census.clients}


def test_each_client_is_there_once_also_those_that_jmx_takes_for_one():
    census, _http = take(FULL)
    ids = [client.client_id for client in census.clients]

    assert sorted(map(str, ids)) == sorted(
        ["None", WORKER, NOTIFIER, BILLING, "a_b", "a:b", BRIDGE, "to-old_target-1_outbound", "camel"]
    )
    assert (census.overview.name, census.view, census.url, census.taken_at) == ("onprem", "jolokia", URL, 7.0)


def test_what_a_client_does():
    clients = by_id(take(FULL)[0])
    worker, notifier, billing = clients[WORKER], clients[NOTIFIER], clients[BILLING]

    assert worker.consumes == [Consumed("queue", "orders.new", 1, 3)]
    assert worker.produces == [Produced("queue", "orders.done", 1, 32787)]
    assert (worker.consumers, worker.producers, worker.sessions) == (1, 1, 1)
    assert (worker.address, worker.port, worker.connector, worker.protocol) == (
        "10.99.0.22",
        59950,
        "openwire",
        "openwire",
    )
    assert [one.name for one in notifier.consumes] == ["invoices.new", "orders.done"]
    assert (notifier.produces, notifier.producers) == ([], 1)
    assert billing.produces == [Produced("queue", "invoices.new", 1, 65574)]
    assert (billing.protocol, billing.tls, worker.tls) == ("stomp", True, False)
    assert clients["a_b"].consumers == clients["a:b"].consumers == 1


def test_an_older_broker_does_not_tell_when_a_client_connected():
    worker = by_id(take(FULL)[0])[WORKER]

    assert (worker.connected_at, worker.failover, worker.user, worker.unknown) == (None, None, None, None)


def test_a_newer_broker_does():
    new = {"ConnectedTimestamp": 1795306879808, "NetworkConnection": False, "FaultTolerantConnection": True}
    bulk = changed(BY_CLIENT, connections(("openwire", "tcp://10.99.0.22:59950", WORKER, new)))
    worker = by_id(take(bulk)[0])[WORKER]

    assert (worker.connected_at, worker.failover) == (1795306879.808, True)


@pytest.mark.parametrize(
    ("client", "kind"),
    [
        (WORKER, "client"),
        ("to-old_target-1_outbound", "bridge"),
        (BRIDGE, "bridge"),
        (None, "socket"),
        ("camel", "client"),
    ],
)
def test_kinds(client, kind):
    assert by_id(take(FULL)[0])[client].kind == kind


@pytest.mark.parametrize(
    ("connector", "client", "more", "kind"),
    [
        ("openwire", "anything", {"NetworkConnection": True}, "bridge"),
        ("openwire", "a_b_outbound", {"NetworkConnection": False}, "client"),
        ("stomp", "a_b_outbound", {}, "client"),
        ("openwire", "a_b_inbound_duplex_c", {}, "bridge"),
        ("stomp", "mqlift-statistics", {}, "tool"),
    ],
)
def test_a_bridge_is_what_the_broker_calls_one_or_else_what_is_named_so(connector, client, more, kind):
    bulk = changed(BY_ADDRESS, connections((connector, "tcp://10.99.0.9:1", client, more)))

    assert by_id(take(bulk)[0])[client].kind == kind


def test_clients_are_matched_to_hosts_and_others_are_unknown():
    census, _http = take(FULL, hosts={"worker-1": ["10.99.0.22"], "billing-1": ["10.99.0.24/31"]})
    clients = by_id(census)

    assert (clients[WORKER].host, clients[WORKER].unknown) == ("worker-1", False)
    assert clients[NOTIFIER].host == clients[BILLING].host == "billing-1"
    assert {client for client, one in clients.items() if one.unknown} == {"a_b", "a:b", None, "camel"}


@pytest.mark.parametrize(
    ("spelling", "connector", "protocol", "tls"),
    [
        ("nio_//source.lab_61618", "nio://source.lab:61618", "openwire", False),
        ("any", "any", None, True),
        ("gone", "gone", None, None),
    ],
)
def test_connectors(spelling, connector, protocol, tls):
    bulk = changed(BY_ADDRESS, connections((spelling, "tcp://10.99.0.9:1", "x")))
    client = by_id(take(bulk)[0])["x"]

    assert (client.connector, client.protocol, client.tls) == (connector, protocol, tls)


def test_hostile_names_are_exact():
    name = "{{ 1+1 }}?*=%<>:,'\"\t\U0001f600" + "x" * 1000
    bulk = changed(BY_ADDRESS, connections(("stomp", "tcp://10.99.0.9:1", name)))
    bulk[CONSUMERS] = beans(consumer(name, name))
    client = by_id(take(bulk)[0])[name]

    assert client.consumes == [Consumed("queue", name, 1, 0)]


def test_nobody_is_connected():
    census, _http = take([overview(), NOTHING, NOTHING, NOTHING, NOTHING, NOTHING])

    assert census.clients == []
    assert census.unknowns == ()
    assert census_to_dict(census)["broker"]["version"] == "5.16.6"


@pytest.mark.parametrize(
    ("counter", "unknowns"),
    [
        ("CurrentConnectionsCount", ("connections", "producers")),
        ("TotalConsumerCount", ("consumers", "producers")),
        ("TotalProducerCount", ("producers",)),
    ],
)
def test_what_a_broker_counts_and_does_not_list_is_not_known(counter, unknowns):
    # As 5.16.6 and 5.18.3 answer with suppressMBean="endpoint=Consumer,connectionName=*" and the like.
    census, _http = take([overview(**{counter: 1}), NOTHING, NOTHING, NOTHING, NOTHING, NOTHING])

    assert census.clients == []
    assert census.unknowns == unknowns


def test_what_may_not_be_read_is_not_known():
    bulk = changed(CONSUMERS, FORBIDDEN)
    bulk[ANONYMOUS] = FORBIDDEN
    census, _http = take(bulk)
    worker = by_id(census)[WORKER]

    assert census.unknowns == ("consumers", "producers")
    assert (worker.consumes, worker.produces, worker.consumers, worker.sessions) == (None, None, None, None)
    json.dumps(census_to_dict(census))


def test_only_reads_that_a_leaving_client_spoilt_are_repeated():
    repeated = [overview(), FULL[BY_ADDRESS]]
    census, http = take(changed(BY_ADDRESS, VANISHED), [overview(), VANISHED], repeated)

    assert by_id(census).keys() == by_id(take(FULL)[0]).keys()
    assert [length for _url, length in http.requests] == [6, 2, 2]


def test_repeating_ends_with_the_time_limit():
    ticks = iter(range(100))
    with pytest.raises(ViewError, match="come and go faster than they can be listed within 10 s") as caught:
        take(changed(BY_ADDRESS, VANISHED), [overview(), VANISHED], clock=lambda: 4.0 * next(ticks))

    assert caught.value.transient


def test_the_active_one_of_a_pair_is_asked_also_when_the_standby_has_a_console():
    standby = [overview(Slave=True), *FULL[1:]]
    census, http = take(FULL, urls=[STANDBY_URL, URL], standby=[standby])

    assert census.url == URL
    assert [url for url, _length in http.requests] == [STANDBY_URL, URL]


def test_a_failover_in_the_middle_starts_again():
    first = changed(BY_ADDRESS, VANISHED)
    refused = HttpError("refused", transient=True)
    census, http = take(first, refused, urls=[URL, STANDBY_URL], standby=[[overview(), FULL[BY_ADDRESS]], FULL])

    assert census.url == STANDBY_URL
    assert [length for _url, length in http.requests] == [6, 2, 2, 6]


@pytest.mark.parametrize(
    ("bulk", "message"),
    [
        (changed(BY_CLIENT, FORBIDDEN), "status 403"),
        (changed(BY_CLIENT, {"value": [], "status": 200}), "not a map of MBeans"),
        ([overview()], "not one of Jolokia's"),
        (HttpError("no answer within 10 s", transient=True), "no answer"),
    ],
)
def test_what_cannot_be_read_is_a_typed_error(bulk, message):
    with pytest.raises(ViewError, match=message) as caught:
        take(bulk)

    assert caught.value.url == URL


OPTIONS = {
    "type": "jolokia",
    "url": [URL],
    "username": "u",
    "password": "secret",
    "ca_file": None,
    "validate_certs": True,
    "timeout": 1.0,
}


def test_a_view_without_connections_is_refused():
    assert open_census(OPTIONS, None)
    assert open_census({**OPTIONS, "type": "auto", "url": ["stomp://broker.example:61613", URL]}, None)
    for kind in ("statistics", "console", "cloudwatch"):
        with pytest.raises(ViewError, match="does not know connections") as caught:
            open_census({**OPTIONS, "type": kind, "url": ["stomp://broker.example:61613"]}, None)
        assert caught.value.view == kind
    with pytest.raises(ValueError, match="timeout"):
        open_census({**OPTIONS, "timeout": 0.0}, None)


@pytest.mark.parametrize("kind", ["jolokia", "statistics", "console", "auto"])
def test_a_url_with_credentials_is_refused_without_repeating_it(kind):
    with pytest.raises(ValueError, match="credentials") as caught:
        open_census({**OPTIONS, "type": kind, "url": ["http://u:s3cr3t@broker.example/admin"]}, None)
    assert "s3cr3t" not in str(caught.value)


def test_hosts_are_lists_of_addresses():
    assert check_hosts({"a": "10.0.0.1", "b": ["10.0.0.2", ""]}) == {"a": ["10.0.0.1"], "b": ["10.0.0.2"]}
    for wrong in (None, 5, [5], {"x": 1}):
        with pytest.raises(ValueError, match=r"hosts\.a"):
            check_hosts({"a": wrong})
