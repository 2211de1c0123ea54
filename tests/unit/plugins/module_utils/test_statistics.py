# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The statistics view, by real sockets, with frames as ActiveMQ 5.16.6 and 5.18.3 send them, and with other peers."""

from __future__ import annotations

import time

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _statistics
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import QUEUE, Destination, Overview, ViewError
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._statistics import StatisticsView, from_json, from_xml
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._xml import XmlError

BROKER_ID = "ID:source-39095-1795306864448-0:1"
BROKER = (
    '{"map":{"entry":[{"string":"averageMessageSize","long":1026},{"string":"minEnqueueTime","double":0},'
    '{"string":["stomp+ssl",""]},{"string":["stomp","stomp:\\/\\/source.lab:61613?maximumConnections=1000"]},'
    '{"string":"storePercentUsage","int":0},{"string":["brokerId","' + BROKER_ID + '"]},{"string":"size","long":23},'
    '{"string":["vm","vm:\\/\\/onprem"]},{"string":["brokerName","onprem"]},{"string":"enqueueCount","long":50}]}}'
)
JSON_QUEUE = (
    '{"map":{"entry":[{"string":"dequeueCount","long":2},{"string":["brokerId","' + BROKER_ID + '"]},'
    '{"string":"consumerCount","long":4},{"string":"averageEnqueueTime","double":0},{"string":"inflightCount","long":1},'
    '{"string":"size","long":3},{"string":["destinationName","queue:\\/\\/v\\u0001\\n<\\"&ä"]},'
    '{"string":"producerCount","long":6},{"string":["brokerName","onprem"]},{"string":"enqueueCount","long":5}]}}'
)
XML_BROKER = f"""<map>
  <entry>
    <string>storePercentUsage</string>
    <int>0</int>
  </entry>
  <entry>
    <string>brokerId</string>
    <string>{BROKER_ID}</string>
  </entry>
  <entry>
    <string>stomp+ssl</string>
    <string></string>
  </entry>
  <entry>
    <string>averageEnqueueTime</string>
    <double>28.677419354838708</double>
  </entry>
  <entry>
    <string>size</string>
    <long>23</long>
  </entry>
  <entry>
    <string>brokerName</string>
    <string>onprem</string>
  </entry>
</map>"""
XML_QUEUE = """<map>
  <entry>
    <string>destinationName</string>
    <string>queue://v
&lt;&quot;&amp;ä</string>
  </entry>
  <entry>
    <string>size</string>
    <long>3</long>
  </entry>
</map>"""
JSON_END, XML_END = '{"map":""}', "<map/>"
CONNECTED = "CONNECTED\nserver:ActiveMQ/5.16.6\nheart-beat:0,0\nsession:ID:1\nversion:1.2\n\n\x00\n"


class Peer:
    """A broker with the statistics plugin, as a handler of connections. An attribute changed is a fault."""

    def __init__(self):
        self.connected = CONNECTED
        self.receipt = True
        self.plugin = True
        self.spellings = ("jms-map-json", "jms-map-xml")
        self.broker = {"jms-map-json": BROKER, "jms-map-xml": XML_BROKER}
        self.queues = {"jms-map-json": [JSON_QUEUE, JSON_END], "jms-map-xml": [XML_QUEUE, XML_END]}
        self.total_then = None  # what the broker counts once it has told its queues
        self.intruders = []  # headers of empty maps that somebody else sends before each answer
        self.frames = []

    def __call__(self, connection):
        spelling = ""
        for verb, headers in self.read(connection):
            self.frames.append((verb, headers))
            if verb in ("CONNECT", "STOMP"):
                connection.sendall(self.connected.encode())
            elif verb == "SUBSCRIBE":
                spelling = headers["transformation"]
                if not self.spellings:
                    return
                if self.receipt:
                    connection.sendall(f"RECEIPT\nreceipt-id:{headers['receipt']}\n\n\x00\n".encode())
            elif verb == "SEND" and self.plugin and spelling in self.spellings:
                asked_for_queues = headers["destination"].startswith("/queue/")
                own = f"correlation-id:{headers['correlation-id']}\n"
                bodies = self.queues[spelling] if asked_for_queues else [self.broker[spelling]]
                for more, body in [*((header, JSON_END) for header in self.intruders), *((own, one) for one in bodies)]:
                    head = f"MESSAGE\nsubscription:statistics\nmessage-id:1\n{more}transformation:{spelling}\n\n"
                    connection.sendall(head.encode() + body.encode("utf-8", "surrogateescape") + b"\x00\n")
                if asked_for_queues and self.total_then is not None:
                    self.broker[spelling] = self.broker[spelling].replace('"long":23', f'"long":{self.total_then}')
            elif verb == "DISCONNECT":
                connection.sendall(f"RECEIPT\nreceipt-id:{headers['receipt']}\n\n\x00\n".encode())
                return

    def read(self, connection):
        """The frames of a connection, as verb and headers."""
        buffer = b""
        while True:
            piece = connection.recv(4096)
            if not piece:
                return
            buffer += piece
            while b"\x00" in buffer:
                frame, _zero, buffer = buffer.partition(b"\x00")
                lines = frame.decode().lstrip("\n").partition("\n\n")[0].split("\n")
                yield lines[0], dict(line.replace("\\c", ":").split(":", 1) for line in lines[1:])


def view(serve, peer, **options):
    return StatisticsView([f"stomp://{serve(peer)}"], "app", "s3cr3t", wall_clock=lambda: 12.5, **options)


def failure(serve, peer, timeout=0.5):
    """The error of a sample, and how long it took."""
    started = time.monotonic()
    with pytest.raises(ViewError) as caught:
        view(serve, peer, timeout=timeout).sample()
    took = time.monotonic() - started
    assert "s3cr3t" not in str(caught.value)
    assert str(caught.value).startswith("statistics view of stomp://127.0.0.1:")
    return caught.value, took


def test_a_whole_sample(serve):
    peer = Peer()

    taken = view(serve, peer).sample()

    assert (taken.taken_at, taken.view) == (12.5, "statistics")
    assert taken.overview == Overview(BROKER_ID, "onprem", "5.16.6", None, 23)
    assert taken.destinations == [Destination('v\x01\n<"&ä', QUEUE, 3, 1, 5, 2, 4, 6)]
    assert taken.unknowns == ("durable_subscriptions", "scheduled", "transactions")
    assert taken.open_transactions is None
    verbs = [verb for verb, _headers in peer.frames]
    assert verbs == ["STOMP", "SUBSCRIBE", "SEND", "SEND", "SEND", "DISCONNECT"]
    login, subscribe, first, second, third, _bye = (headers for _verb, headers in peer.frames)
    assert (login["login"], login["passcode"]) == ("app", "s3cr3t")
    assert login["client-id"].startswith("mqlift-statistics-")
    assert subscribe["destination"] == first["reply-to"] == second["reply-to"] == third["reply-to"]
    assert len({one["correlation-id"] for one in (first, second, third)}) == 3
    # Nobody keeps what is sent to a topic.
    assert first["destination"] == third["destination"] == "/topic/ActiveMQ.Statistics.Broker"
    assert second["destination"] == "/queue/ActiveMQ.Statistics.Destination.>"
    assert second["ActiveMQ.Statistics.Destination.List.End.With.Null"]


def test_the_messages_that_no_queue_shows_are_counted(serve):
    assert view(serve, Peer()).sample().hidden_messages == 23 - 3


@pytest.mark.parametrize("then", [22, 24])
def test_a_difference_tells_nothing_when_messages_came_or_went_meanwhile(serve, then):
    peer = Peer()
    peer.total_then = then

    assert view(serve, peer).sample().hidden_messages is None


def test_a_difference_tells_nothing_when_the_size_of_a_queue_is_not_known(serve):
    peer = Peer()
    peer.queues = {"jms-map-json": [JSON_QUEUE.replace('"size","long":3', '"size","long":-3'), JSON_END]}

    assert view(serve, peer).sample().hidden_messages is None


@pytest.mark.parametrize("header", ["", "correlation-id:8e5b2cba-1b0d-4c36-8f4e-000000000000\n"])
def test_what_answers_no_question_ends_no_list(serve, header):
    peer = Peer()
    peer.intruders = [header]

    taken = view(serve, peer).sample()

    assert taken.overview.broker_id == BROKER_ID
    assert [one.pending for one in taken.destinations] == [3]


def test_a_broker_without_queues_and_without_credentials(serve):
    peer = Peer()
    peer.queues = {"jms-map-json": [JSON_END]}

    taken = StatisticsView([f"stomp://{serve(peer)}"]).sample()

    assert taken.destinations == []
    assert "login" not in peer.frames[0][1]


def test_xml_where_json_is_not_spoken(serve):
    peer = Peer()
    peer.spellings = ("jms-map-xml",)
    one = view(serve, peer, timeout=1.0)

    taken = one.sample()

    assert taken.overview == Overview(BROKER_ID, "onprem", "5.16.6", None, 23)
    assert taken.destinations == [Destination('v\n<"&ä', QUEUE, 3)]
    # What it speaks is remembered.
    started = time.monotonic()
    assert one.sample().destinations == taken.destinations
    assert time.monotonic() - started < 0.4


def test_a_name_that_the_broker_garbles_is_told_of(serve):
    peer = Peer()
    # A character beyond U+FFFF, as brokers before 5.18.6 write it.
    garbled = JSON_QUEUE.replace("ä", b"\xed\xa0\xbd\xed\xb3\xa6".decode("utf-8", "surrogateescape"))
    peer.queues = {"jms-map-json": [garbled, JSON_END]}

    assert "destinations" in view(serve, peer).sample().unknowns


def test_a_broker_without_xstream_is_named_as_such(serve):
    peer = Peer()
    peer.spellings = ()

    error, took = failure(serve, peer)

    assert "as brokers without the library XStream do" in str(error)
    assert not error.transient
    assert took < 0.9


def test_a_broker_without_the_plugin_is_asked_nothing_that_it_would_keep(serve):
    peer = Peer()
    peer.plugin = False

    error, took = failure(serve, peer)

    assert "nobody answers for the statistics plugin within 0.5 s" in str(error)
    assert not error.transient
    assert took < 2
    sent = {headers["destination"] for verb, headers in peer.frames if verb == "SEND"}
    assert sent == {"/topic/ActiveMQ.Statistics.Broker"}


@pytest.mark.parametrize(
    ("fault", "message", "transient"),
    [
        (
            {"connected": "ERROR\nmessage:User name [app] or password is invalid.\n\nat java\x00\n"},
            "or password is",
            False,
        ),
        ({"connected": "HTTP/1.1 400 Bad\r\n\r\n\x00"}, "not STOMP, it starts with 'HTTP/1.1 400 Bad", False),
        ({"connected": "\x00\x00\x01R\x01ActiveMQ"}, "not STOMP", False),
        ({"connected": ""}, "the port is open, but no broker answers", True),
        ({"connected": "\n\n\n"}, "the port is open, but no broker answers", True),
        ({"connected": CONNECTED + "ERROR\nmessage:x\x1b[31m\n\n\x00"}, r"the broker refuses: x\x1b[31m", False),
        ({"connected": CONNECTED + "NONSENSE\n\n\x00", "receipt": False}, "did not confirm a subscription", True),
        ({"broker": {"jms-map-json": "what", "jms-map-xml": ""}}, "not a map message", False),
        ({"broker": {"jms-map-json": '{"map":{"entry":[1]}}'}}, "an entry has no key", False),
        ({"broker": {"jms-map-json": JSON_END}}, "does not tell its id", False),
        # As 5.16.6 answers with enableStatistics="false".
        (
            {
                "broker": {
                    "jms-map-json": BROKER.replace(
                        '{"string":"size"', '{"string":"consumerCount","long":0},{"string":"size"'
                    )
                }
            },
            "does not count",
            False,
        ),
        ({"queues": {"jms-map-json": [JSON_QUEUE]}}, "the list of queues did not end in time, 1 came", True),
        ({"queues": {"jms-map-json": [BROKER, JSON_END]}}, "does not tell the name of a queue", False),
        ({"queues": {"jms-map-json": ['<!DOCTYPE a [<!ENTITY b "c">]><map>&b;</map>']}}, "document type", False),
        ({"queues": {"jms-map-json": ["[" * 100_000]}}, "not a map message", False),
    ],
)
def test_faults(serve, fault, message, transient):
    peer = Peer()
    for name, value in fault.items():
        setattr(peer, name, value)

    error, took = failure(serve, peer)

    assert message in str(error)
    assert error.transient is transient
    assert took < 2


def test_an_endless_answer_is_cut(serve, monkeypatch):
    monkeypatch.setattr(_statistics, "MAX_ANSWER_BYTES", 100_000)

    def endless(connection):
        connection.sendall(b"CONNECTED\n")
        while True:
            connection.sendall(b"a:b\n" * 1000)

    error, took = failure(serve, endless)

    assert "larger than 100000 bytes" in str(error)
    assert took < 2


def test_a_peer_that_closes(serve):
    error, _took = failure(serve, lambda connection: connection.recv(4096))

    assert "closed the connection" in str(error)
    assert error.transient


def test_nobody_listens():
    with pytest.raises(ViewError, match="Connection refused") as caught:
        StatisticsView(["stomp://127.0.0.1:1"]).sample()
    assert caught.value.transient


def test_tls_is_verified(serve):
    def talk(connection):
        connection.recv(4096)
        connection.sendall(b"CONNECTED\n\n\x00")

    with pytest.raises(ViewError, match=r"statistics view of stomp\+ssl://127.0.0.1:\d+: .*SSL") as caught:
        StatisticsView([f"stomp+ssl://{serve(talk)}"], timeout=1).sample()
    assert not caught.value.transient


def test_a_ca_file_that_cannot_be_read():
    with pytest.raises(ViewError, match=r"ca_file /nonexistent/ca\.pem: No such file"):
        StatisticsView(["stomp+ssl://127.0.0.1:1"], ca_file="/nonexistent/ca.pem").sample()


def test_without_stomp_py(monkeypatch):
    monkeypatch.setattr(_statistics, "HAS_STOMP", False)
    with pytest.raises(ValueError, match=r"needs the Python package stomp\.py"):
        StatisticsView(["stomp://broker.example:61613"])


def test_a_map_of_one_entry_is_no_list():
    assert from_json('{"map":{"entry":{"string":"size","long":3}}}') == {"size": 3}
    assert from_json(JSON_END) == from_xml(XML_END) == {}


@pytest.mark.parametrize(
    "text",
    ["", "3", "[]", "{}", '{"map":{}}', '{"map":{"entry":[{"long":3}]}}', '{"map":{"entry":[{"string":["a"]}]}}'],
)
def test_json_that_is_no_map(text):
    with pytest.raises(ValueError, match=r"an entry|no entries|Expecting value"):
        from_json(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html/>",
        "<map><entry><string>a</string></entry></map>",
        "<map><entry><string>a</string><long>x</long></entry></map>",
        "<map><entry><map><entry/></map></entry></map>",
        "<map><item/></map>",
    ],
)
def test_xml_that_is_no_map(text):
    with pytest.raises((ValueError, XmlError), match=r"not XML|unexpected element|not a pair|invalid literal"):
        from_xml(text)
