# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Jolokia view, with answers as ActiveMQ 5.16.6 and 5.18.3 give them."""

from __future__ import annotations

import copy
import json

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _http
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._http import Answer, HttpError
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._jolokia import JolokiaView
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import (
    DURABLE_SUBSCRIPTION,
    QUEUE,
    Destination,
    Overview,
    ViewError,
)

URL = "http://broker.example:8161/api/jolokia"
STANDBY_URL = "http://standby.example:8161/api/jolokia"

NOTHING = {
    "error_type": "javax.management.InstanceNotFoundException",
    "error": "javax.management.InstanceNotFoundException : No MBean with pattern x found for reading attributes",
    "status": 404,
}
OVERVIEW, PREPARED, CONNECTIONS, SOCKETS, SCHEDULER, SUBSCRIPTIONS, QUEUE_CONSUMERS, OTHER_CONSUMERS = range(8)
TEMPORARY, QUEUES, TOTAL = range(8, 11)
EMPTY = [NOTHING] * 11
B = "org.apache.activemq:brokerName=localhost,"
FULL = [
    {
        "value": {
            B + "type=Broker": {
                "TotalMessageCount": 11,
                "BrokerId": "ID:vm-41955-1795295031973-0:1",
                "UptimeMillis": 30207,
                "BrokerVersion": "5.16.6",
                "BrokerName": "localhost",
                "Slave": False,
                "StatisticsEnabled": True,
                "CurrentConnectionsCount": 2,
                "TotalConsumerCount": 4,
                "DynamicDestinationProducers": [{"objectName": "x"}],
            }
        },
        "status": 200,
    },
    {
        "value": {
            B + "transactionType=RecoveredXaTransaction,xid=XID_[7_globalId&amp;123_branchId&amp;4]": {"FormatId": 7}
        },
        "status": 200,
    },
    {
        "value": {
            B + "connectionName=a,connectionViewType=clientId": {"ActiveTransactionCount": 1},
            B + "connectionName=b,connectionViewType=clientId": {"ActiveTransactionCount": 2},
        },
        "status": 200,
    },
    {
        "value": {
            B + "connectionName=tcp_//10.0.0.1_50772,connectionViewType=remoteAddress": {"ActiveTransactionCount": 1},
            B + "connectionName=tcp_//10.0.0.1_50773,connectionViewType=remoteAddress": {"ActiveTransactionCount": 2},
        },
        "status": 200,
    },
    {"value": {B + "name=JMS,service=JobScheduler,type=Broker": {"ScheduledMessageCount": 2}}, "status": 200},
    {
        "value": {
            B + "clientId=cid_1,consumerId=Durable(cid_1_sub_1),destinationName=evt_x,endpoint=Consumer": {
                "Active": False,
                "DispatchedQueueSize": 1,
                "DestinationName": "evt,x",
                "PendingQueueSize": 5,
                "ClientId": "cid:1",
                "SubscriptionName": "sub,1",
                "DequeueCounter": 0,
                "EnqueueCounter": 6,
            }
        },
        "status": 200,
    },
    {
        "value": {
            B + "consumerId=1,destinationName=q_1,endpoint=Consumer": {
                "DestinationName": 'q:1 "we*ird',
                "Network": False,
            },
            B + "consumerId=2,destinationName=_,endpoint=Consumer": {"DestinationName": ">", "Network": True},
        },
        "status": 200,
    },
    {
        "value": {B + "consumerId=3,destinationName=ActiveMQ.Advisory.TempQueue": {"DestinationName": "x"}},
        "status": 200,
    },
    {"value": {B + "destinationName=ID_vm-1,destinationType=TempQueue": {"QueueSize": 2}}, "status": 200},
    {
        "value": {
            B + "destinationName=q_1 _we&ast;ird,destinationType=Queue,type=Broker": {
                "QueueSize": 3,
                "EnqueueCount": 4,
                "ConsumerCount": 2,
                "InFlightCount": 1,
                "DequeueCount": 1,
                "DLQ": False,
                "ProducerCount": 1,
                "Name": 'q:1 "we*ird',
            }
        },
        "status": 200,
    },
    {"value": {B + "type=Broker": {"TotalMessageCount": 11}}, "status": 200},
]


def broker(**changes):
    """The answer about the broker, and nothing else is there."""
    bean = {**FULL[0]["value"][B + "type=Broker"], "CurrentConnectionsCount": 0, "TotalConsumerCount": 0, **changes}
    total = {"value": {B + "type=Broker": {"TotalMessageCount": bean["TotalMessageCount"]}}, "status": 200}
    return [{"value": {B + "type=Broker": bean}, "status": 200}, *EMPTY[1:TOTAL], total]


class FakeHttp:
    """Answers by URL: an Answer, a bulk of answers, or an exception."""

    def __init__(self, **answers):
        self.answers = answers
        self.calls = []

    def post(self, url, body, headers, timeout):
        self.calls.append((url, json.loads(body), dict(headers), timeout))
        answer = self.answers["standby" if url == STANDBY_URL else "broker"]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Answer) else Answer(200, json.dumps(answer).encode())


def view(answer, **options):
    return JolokiaView([URL], FakeHttp(broker=answer), wall_clock=lambda: 12.5, **options)


def changed(index, answer):
    bulk = copy.deepcopy(FULL)
    bulk[index] = answer
    return bulk


def test_a_whole_sample():
    sample = view(FULL).sample()

    assert sample.taken_at == 12.5
    assert (sample.view, sample.url) == ("jolokia", URL)
    assert sample.overview == Overview("ID:vm-41955-1795295031973-0:1", "localhost", "5.16.6", 30207, 11)
    assert sample.destinations == [
        Destination('q:1 "we*ird', QUEUE, 3, 1, 4, 1, 2, 1, False, None, 1),
        Destination(
            "evt,x/cid:1/sub,1", DURABLE_SUBSCRIPTION, 6, 1, 6, 0, 0, None, None, "evt,x", None, "cid:1", "sub,1"
        ),
    ]
    assert (sample.open_transactions, sample.scheduled, sample.anonymous_producers) == (4, 2, 1)
    assert sample.hidden_messages == 11 - 2 - 3
    assert sample.unknowns == ()


def test_one_bulk_request_with_an_origin_reads_transactions_first_and_queues_last():
    http = FakeHttp(broker=FULL)

    JolokiaView([URL], http, timeout=3).sample()

    [(url, bulk, headers, timeout)] = http.calls
    assert (url, timeout) == (URL, 3)
    assert headers["Origin"]
    assert all(read["type"] == "read" and read["attribute"] for read in bulk)
    mbeans = [read["mbean"] for read in bulk]
    assert "connectionViewType=clientId" in mbeans[CONNECTIONS]
    assert mbeans[PREPARED].endswith("transactionType=RecoveredXaTransaction,xid=*")
    assert "connectionViewType=remoteAddress" in mbeans[SOCKETS]
    assert mbeans[SCHEDULER].endswith("service=JobScheduler,name=*")
    assert mbeans[SUBSCRIPTIONS].endswith("consumerId=Durable(*)")
    assert mbeans[OTHER_CONSUMERS].endswith(
        "destinationType=T*,destinationName=*,endpoint=Consumer,clientId=*,consumerId=*"
    )
    assert mbeans[QUEUES].endswith("destinationType=Queue,destinationName=*")
    assert bulk[TOTAL]["attribute"] == ["TotalMessageCount"]


def test_a_broker_without_anything_is_empty_not_an_error():
    sample = view(broker(TotalMessageCount=0)).sample()

    assert sample.destinations == []
    assert (sample.open_transactions, sample.scheduled, sample.hidden_messages) == (0, 0, 0)
    assert sample.unknowns == ()


# As 5.16.6 and 5.18.3 answer with
# suppressMBean="endpoint=dynamicProducer,endpoint=Consumer,connectionName=*,destinationName=ActiveMQ.Advisory.*".


def test_connections_without_mbeans_leave_transactions_unknown():
    sample = view(broker(CurrentConnectionsCount=1)).sample()

    assert sample.open_transactions is None
    assert sample.unknowns == ("transactions",)
    assert sample.anonymous_producers is None


def test_consumers_without_mbeans_leave_durable_subscriptions_unknown():
    # One subscription, and nobody is connected.
    bulk = broker(TotalConsumerCount=1)

    assert view(bulk).sample().unknowns == ("durable_subscriptions",)
    assert view(bulk).sample().anonymous_producers is None


@pytest.mark.parametrize("listed", [SUBSCRIPTIONS, QUEUE_CONSUMERS, OTHER_CONSUMERS])
def test_where_some_consumer_has_an_mbean_all_have(listed):
    bulk = broker(TotalConsumerCount=1)
    bulk[listed] = FULL[listed]

    assert view(bulk).sample().unknowns == ()


def test_a_prepared_transaction_is_told_also_where_others_are_not_known():
    bulk = broker(CurrentConnectionsCount=1)
    bulk[PREPARED] = FULL[PREPARED]

    assert view(bulk).sample().open_transactions == 1


def test_a_broker_that_does_not_count_is_not_an_empty_one():
    # As 5.16.6 answers with enableStatistics="false" and one message in a queue.
    bulk = broker(StatisticsEnabled=False, TotalMessageCount=0)
    bulk[QUEUES] = {"value": {"x": {"Name": "q", "QueueSize": 0, "EnqueueCount": 0}}, "status": 200}

    for look in (view(bulk).sample, view(bulk[:1]).overview):
        with pytest.raises(ViewError, match="does not count") as caught:
            look()
        assert not caught.value.transient


@pytest.mark.parametrize(
    ("before", "after", "hidden"),
    [(3, 3, 0), (10, 10, 7), (3, 10, None), (10, 3, None), (0, 3, 0), (None, 3, None), (3, None, None)],
)
def test_what_was_sent_while_the_queues_were_read_does_not_conceal_hidden_messages(before, after, hidden):
    bulk = broker(TotalMessageCount=before)
    bulk[QUEUES] = {"value": {"x": {"Name": "q", "QueueSize": 3}}, "status": 200}
    bulk[TOTAL] = {"value": {"b": {"TotalMessageCount": after}}, "status": 200}

    assert view(bulk).sample().hidden_messages == hidden


def test_subscriptions_of_the_same_name_are_told_apart():
    one, other = (
        {"DestinationName": t, "ClientId": c, "SubscriptionName": "d"} for t, c in (("a", "b/c"), ("a/b", "c"))
    )
    bulk = changed(SUBSCRIPTIONS, {"value": {"x": one, "y": other}, "status": 200})

    first, second = view(bulk).sample().destinations[1:]
    assert first.name == second.name == "a/b/c/d"
    assert first.key != second.key


@pytest.mark.parametrize(
    ("topic", "pending"),
    [
        ({"Name": "news:a", "StoreMessageSize": 278}, None),
        ({"Name": "news:a", "StoreMessageSize": 0}, 0),
        ({"Name": "news:a"}, None),
        # Encoded alike.
        ({"Name": "news_a", "StoreMessageSize": 0}, None),
        (None, None),
    ],
)
def test_whether_an_offline_subscription_that_tells_nothing_is_empty_is_for_its_topic_to_say(topic, pending):
    # As 5.16.6 and 5.18.3 answer with keepDurableSubsActive="false" and one message in it.
    counters = dict.fromkeys(("PrefetchSize", "PendingQueueSize", "DispatchedQueueSize", "EnqueueCounter"), 0)
    bean = {"DestinationName": "news:a", "ClientId": "away", "SubscriptionName": "s", "Active": False, **counters}
    bulks = [
        changed(SUBSCRIPTIONS, {"value": {"x": bean}, "status": 200}),
        [NOTHING if topic is None else {"value": {"x": topic}, "status": 200}],
    ]

    class Http(FakeHttp):
        def post(self, *arguments):
            self.answers["broker"] = bulks[len(self.calls)]
            return super().post(*arguments)

    http = Http()
    assert JolokiaView([URL], http).sample().destinations[1].pending == pending
    assert http.calls[1][1][0]["mbean"].endswith(",destinationType=Topic,destinationName=news_a")


def test_a_subscription_that_the_broker_has_in_memory_is_believed():
    bean = dict(next(iter(FULL[SUBSCRIPTIONS]["value"].values())), PendingQueueSize=0, DispatchedQueueSize=0)

    for known in ({"PrefetchSize": 100}, {"PrefetchSize": 0, "Active": True}):
        http = FakeHttp(broker=changed(SUBSCRIPTIONS, {"value": {"x": {**bean, **known}}, "status": 200}))
        assert JolokiaView([URL], http).sample().destinations[1].pending == 0
        assert len(http.calls) == 1


def test_an_answer_of_many_parts_is_not_parsed(monkeypatch):
    monkeypatch.setattr(_http, "MAX_MARKS", 1000)

    with pytest.raises(ViewError, match="more than 1000 parts"):
        view(Answer(200, b"[" + b"[]," * 500 + b"[]]")).sample()


def test_what_an_older_broker_does_not_tell_is_unknown():
    bulk = changed(QUEUES, {"value": {"x": {"Name": "q", "QueueSize": -1, "InFlightCount": True}}, "status": 200})
    bulk[CONNECTIONS] = {"value": {"a": {"ActiveTransactionCount": 1}, "b": {"ClientId": "b"}}, "status": 200}
    bulk[SCHEDULER] = {"value": {"a": {}}, "status": 200}
    bulk[TEMPORARY] = {"value": {"a": {}}, "status": 200}
    bulk[QUEUE_CONSUMERS] = {"value": {"a": {}}, "status": 200}

    sample = view(bulk).sample()

    assert sample.destinations[0] == Destination("q", QUEUE)
    assert sample.open_transactions is None
    assert sample.scheduled is None
    assert sample.hidden_messages is None
    assert sample.unknowns == ("transactions", "scheduled")


def test_what_may_not_be_read_is_unknown():
    forbidden = {"status": 403, "error": "not allowed", "error_type": "java.lang.Exception"}

    sample = view([FULL[OVERVIEW], *[forbidden] * 8, FULL[QUEUES], FULL[TOTAL]]).sample()

    assert sample.unknowns == ("transactions", "scheduled", "durable_subscriptions")
    assert sample.open_transactions is None
    assert sample.destinations[0].bridges is None


@pytest.mark.parametrize("unseen", [CONNECTIONS, SOCKETS])
def test_a_connection_without_one_of_its_two_mbeans_is_counted_by_the_other(unseen):
    # Two client ids that are encoded alike, k:1 and k_1, or allowRemoteAddressInMBeanNames=false.
    sample = view(changed(unseen, NOTHING)).sample()

    assert sample.open_transactions == 4


def test_transactions_are_not_known_when_one_of_their_places_is_not():
    forbidden = {"status": 403, "error": "not allowed", "error_type": "java.lang.Exception"}

    assert view(changed(PREPARED, forbidden)).sample().open_transactions is None
    assert view(changed(SOCKETS, forbidden)).sample().unknowns == ("transactions",)


# As 5.16.6 answers when the only client leaves while its connection is read.
VANISHED = {
    "error_type": "java.lang.IllegalArgumentException",
    "error": "java.lang.IllegalArgumentException : No matching attributes [ActiveTransactionCount] found on MBeans [x]",
    "status": 400,
}


def test_what_vanishes_while_it_is_read_is_not_known_for_now():
    assert view(changed(CONNECTIONS, VANISHED)).sample().unknowns == ("transactions",)
    assert view(changed(TEMPORARY, VANISHED)).sample().hidden_messages is None
    assert view(changed(QUEUE_CONSUMERS, VANISHED)).sample().destinations[0].bridges is None
    with pytest.raises(ViewError, match="No matching attributes") as caught:
        view(changed(QUEUES, VANISHED)).sample()
    assert caught.value.transient


def test_messages_of_a_queue_without_an_mbean_are_hidden():
    # As 5.16.6 and 5.18.3 answer with one message in a_b and two in a:b, which came second.
    bulk = broker(TotalMessageCount=3)
    bulk[QUEUES] = {
        "value": {B + "destinationName=a_b,destinationType=Queue,type=Broker": {"Name": "a_b", "QueueSize": 1}},
        "status": 200,
    }

    assert view(bulk).sample().hidden_messages == 2


def test_the_consumers_of_bridges_are_counted_by_name_and_by_pattern():
    consumers = ["orders", "orders", "other", "queue://orders", "orders,other", "*"]
    value = {str(n): {"DestinationName": name, "Network": True} for n, name in enumerate(consumers)}
    bulk = changed(QUEUE_CONSUMERS, {"value": value, "status": 200})
    bulk[QUEUES] = {"value": {"x": {"Name": "orders", "QueueSize": 0}}, "status": 200}

    assert view(bulk).sample().destinations[0].bridges == 5


def test_the_overview_asks_for_nothing_but_the_broker():
    http = FakeHttp(broker=FULL[:1])

    overview = JolokiaView([URL], http).overview()

    assert (overview.name, overview.total_messages) == ("localhost", 11)
    assert len(http.calls[0][1]) == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 404, "error": "InstanceNotFoundException : vanished"},
        {"status": 200, "value": {"a": {"DestinationName": "q"}}},
        {"status": 200, "value": {"a": {"Network": True}}},
    ],
)
def test_bridges_that_are_not_known_are_no_reason_to_know_nothing(answer):
    sample = view(changed(QUEUE_CONSUMERS, answer)).sample()

    assert sample.destinations[0].bridges is None
    assert sample.destinations[0].pending == 3


def test_a_broker_that_still_recovers_its_queues_is_not_an_empty_one():
    with pytest.raises(ViewError, match="is starting") as caught:
        view(broker(Slave=True)).sample()

    assert caught.value.transient


@pytest.mark.parametrize(
    ("answer", "message", "transient"),
    [
        (Answer(401, b"<html>"), "credentials are refused", False),
        (Answer(403, b"<html>"), "forbidden", False),
        (Answer(404, b"<html>"), "no Jolokia at this URL", False),
        (Answer(302, b""), "redirect is refused", False),
        (Answer(503, b""), "HTTP status 503", True),
        (Answer(200, b"<html>\x1b</html>"), "not JSON, it starts with '<html>", False),
        (Answer(200, b""), "not JSON", False),
        (Answer(200, b"[" * 100_000), "not JSON", False),
        (Answer(200, json.dumps(list(range(11))).encode()), "not one of Jolokia's", False),
        (Answer(200, b"[]"), "not one of Jolokia's", False),
        (Answer(200, b"null"), "not one of Jolokia's", False),
        ({"status": 403, "error": "Origin null is not allowed"}, "Origin null is not allowed", False),
        (HttpError("[Errno 111] Connection refused", transient=True), "Connection refused", True),
        (HttpError("certificate verify failed", transient=False), "certificate", False),
    ],
)
def test_answers_that_are_none(answer, message, transient):
    with pytest.raises(ViewError, match=message) as caught:
        view(answer).sample()

    assert caught.value.transient is transient
    assert caught.value.url == URL
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("index", "answer", "message", "transient"),
    [
        (OVERVIEW, NOTHING, "no broker is registered", True),
        (OVERVIEW, {"status": 500, "error": "Broker is not yet started."}, "not yet started", True),
        (OVERVIEW, {"status": 200, "value": {"b": {"BrokerName": "x"}}}, "does not tell its id", True),
        (OVERVIEW, {"status": 200, "value": {"a": {}, "b": {"BrokerName": "x"}}}, "more than one broker", False),
        (QUEUES, {"status": 403, "error": "no"}, "status 403", False),
        (QUEUES, {"status": 404, "error": "InstanceNotFoundException : vanished"}, "vanished", True),
        (QUEUES, {"status": 200, "value": []}, "not a map", False),
        (QUEUES, {"status": 200, "value": {"x": 1}}, "not a map", False),
        (QUEUES, {"status": 200, "value": {"x": {"QueueSize": 1}}}, "does not tell its Name", False),
        (QUEUES, {}, "status None", False),
    ],
)
def test_answers_that_must_not_look_like_an_empty_broker(index, answer, message, transient):
    with pytest.raises(ViewError, match=message) as caught:
        view(changed(index, answer)).sample()

    assert caught.value.transient is transient


def test_the_active_instance_is_found_and_asked_first_from_then_on():
    http = FakeHttp(standby=HttpError("Connection refused", transient=True), broker=FULL)
    pair = JolokiaView([STANDBY_URL, URL], http)

    assert pair.sample().url == URL
    assert pair.sample().url == URL
    assert [call[0] for call in http.calls] == [STANDBY_URL, URL, URL]


def test_wrong_credentials_are_not_tried_on_the_other_instance():
    http = FakeHttp(standby=Answer(401, b""), broker=FULL)

    with pytest.raises(ViewError, match="credentials"):
        JolokiaView([STANDBY_URL, URL], http).sample()

    assert len(http.calls) == 1


def test_no_instance_answers():
    refused = HttpError("Connection refused", transient=True)

    with pytest.raises(ViewError, match="no instance answers") as caught:
        JolokiaView([STANDBY_URL, URL], FakeHttp(standby=refused, broker=Answer(503, b""))).sample()

    assert caught.value.transient
    assert STANDBY_URL in str(caught.value)
    assert "503" in str(caught.value)


@pytest.mark.parametrize(
    "urls", [[], ["http://admin:secret@broker.example"], ["ftp://broker.example"], ["http:///x"], ["http://x:99999"]]
)
def test_urls_are_checked_before_anything_is_sent(urls):
    with pytest.raises(ValueError, match=r"^view\.url: ") as caught:
        JolokiaView(urls, FakeHttp())

    assert "secret" not in str(caught.value)
