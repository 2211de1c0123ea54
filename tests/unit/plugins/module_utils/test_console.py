# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The console view, with pages as ActiveMQ 5.16.6 and 5.18.3 give them, and by real sockets with peers that do not."""

from __future__ import annotations

import time

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _http
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._console import ConsoleView
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._http import Answer, OpenUrlHttp
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import (
    DURABLE_SUBSCRIPTION,
    QUEUE,
    Destination,
    Overview,
    ViewError,
)

URL = "http://broker.example:8161/admin"

QUEUES = """









<queues>

<queue name="v&lt;lt&gt;gt&#034;&#039;&amp;amp;">

  <stats size="3"
         consumerCount="2"
         enqueueCount="5"
         dequeueCount="2"/>


  <feed>
    <atom>queueBrowse/v&lt;lt&gt;gt?view=rss&amp;amp;feedType=atom_1.0</atom>
    <rss>queueBrowse/v&lt;lt&gt;gt?view=rss&amp;amp;feedType=rss_2.0</rss>
  </feed>
</queue>

</queues>
"""
# The surplus '" />' of an active subscriber is the page's.
SUBSCRIBERS = """

<subscribers>

<subscriber clientId="cid:1"
            subscriptionName="sub,1"
            connectionId="cid:1"
            destinationName="evt,x"
            selector=""
            active="yes" >
  <stats pendingQueueSize="1"
         dispatchedQueueSize="2"
         dispatchedCounter="2"
         enqueueCounter="3"
         dequeueCounter="0"/>" />

</subscriber>


<subscriber clientId="away"
            subscriptionName="sub"
            connectionId="OFFLINE"
            destinationName="events"
            selector=""
            active="no" >
  <stats pendingQueueSize="4"
         dispatchedQueueSize="0"
         dispatchedCounter="0"
         enqueueCounter="4"
         dequeueCounter="0"/>

</subscriber>



</subscribers>
"""


class FakeHttp:
    """Answers by page."""

    def __init__(self, queues, subscribers=SUBSCRIBERS):
        self.pages = {"queues": queues, "subscribers": subscribers}
        self.asked = []

    def get(self, url, timeout):
        self.asked.append(url)
        page = self.pages[url.rpartition("/")[2].partition(".")[0]]
        return page if isinstance(page, Answer) else Answer(200, page.encode())


def sample(queues=QUEUES, subscribers=SUBSCRIBERS):
    return ConsoleView([URL], FakeHttp(queues, subscribers), wall_clock=lambda: 12.5).sample()


def test_a_whole_sample():
    taken = sample()

    assert (taken.taken_at, taken.view, taken.url) == (12.5, "console", URL)
    assert taken.overview == Overview(broker_id=None, name=None)
    assert taken.destinations == [
        Destination("v<lt>gt\"'&amp;", QUEUE, pending=3, enqueued=5, dequeued=2, consumers=2),
        Destination(
            "evt,x/cid:1/sub,1",
            DURABLE_SUBSCRIPTION,
            3,
            2,
            3,
            0,
            1,
            topic="evt,x",
            client_id="cid:1",
            subscription="sub,1",
        ),
        Destination(
            "events/away/sub", DURABLE_SUBSCRIPTION, 4, 0, 4, 0, 0, topic="events", client_id="away", subscription="sub"
        ),
    ]
    assert taken.unknowns == ("broker_id", "destinations", "scheduled", "transactions")
    assert taken.open_transactions is None


def test_a_broker_without_anything():
    taken = sample("<queues>\n</queues>", "<subscribers>\n</subscribers>")

    assert taken.destinations == []
    # With suppressMBean="endpoint=Consumer" 5.16.6 and 5.18.3 list none either.
    assert "durable_subscriptions" in taken.unknowns


def test_an_offline_subscription_of_which_only_zeros_are_told_is_not_known():
    # As 5.18.3 answers with keepDurableSubsActive="false", whatever the subscription holds.
    page = SUBSCRIBERS.replace('pendingQueueSize="4"', 'pendingQueueSize="0"')
    page = page.replace('enqueueCounter="4"', 'enqueueCounter="0"')
    assert page != SUBSCRIBERS

    assert "durable_subscriptions" in sample(subscribers=page).unknowns


def test_a_page_of_many_parts_is_not_parsed(monkeypatch):
    monkeypatch.setattr(_http, "MAX_MARKS", 1000)

    with pytest.raises(ViewError, match=r"queues\.jsp: the answer has more than 1000 parts"):
        sample("<queues>" + '<queue name="a"><stats/></queue>' * 500 + "</queues>")


def test_a_console_without_the_page_of_subscribers_does_not_know_them():
    taken = sample(subscribers=Answer(404, b""))

    assert "durable_subscriptions" in taken.unknowns
    assert [one.kind for one in taken.destinations] == [QUEUE]


@pytest.mark.parametrize(
    "name",
    [
        "tab\tand\nline\r\nbreaks",
        "control\x01\x1f",
        "\ue0fe mark \ue0fe\ue0fe",
        "\ue101",
        "\uffff",
        "emoji 🎁 → ä",
        "{{ 1 + 1 }} % = * > : , ;",
        "=",
        " ",
        "x" * 1000,
    ],
)
def test_names_are_exact(name):
    escaped = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    page = f'<queues><queue name="{escaped}"><stats size="1"/><feed><atom>{escaped}</atom></feed></queue></queues>'

    assert [one.name for one in sample(page).destinations if one.kind == QUEUE] == [name]


@pytest.mark.parametrize("size", ["", "-1", "many", "1.5", "9" * 30, "²"])
def test_a_number_that_is_none_is_unknown(size):
    [queue] = sample(f'<queues><queue name="q"><stats size="{size}"/></queue></queues>', "<subscribers/>").destinations

    assert queue.pending is None
    assert queue.consumers is None


@pytest.mark.parametrize(
    ("answer", "message", "transient"),
    [
        (Answer(401, b""), r"credentials are refused \(HTTP 401\)", False),
        (Answer(403, b""), r"forbidden \(HTTP 403\)", False),
        (Answer(404, b""), r"no web console at this URL \(HTTP 404", False),
        (Answer(302, b""), "redirect is refused", False),
        (Answer(503, b""), "HTTP status 503", True),
        ("<!DOCTYPE html><html><form action='login'>", "document type.*starts with .<!DOCTYPE html>", False),
        ("<html><body></body></html>", "it starts with <html>", False),
        ('<queues><queue name="q"><stats size="1"/>', "not XML", False),
        ('<!DOCTYPE q [<!ENTITY a "b">]><queues><queue name="&a;"><stats/></queue></queues>', "document type", False),
        ("<queues><queue><stats size='1'/></queue></queues>", "does not tell its name", False),
        (Answer(200, b"\xff\xfe<queues/>"), "not the console's page", False),
        (Answer(200, b""), "not XML", False),
    ],
)
def test_answers_that_must_not_look_like_an_empty_broker(answer, message, transient):
    with pytest.raises(ViewError, match=f"console view of {URL}: .*{message}") as caught:
        sample(answer)

    assert caught.value.transient is transient


def look(address, timeout=0.5):
    """A sample by a real socket: the error, and how long it took."""
    http = OpenUrlHttp("admin", "s3cr3t", None, True)
    started = time.monotonic()
    with pytest.raises(ViewError) as caught:
        ConsoleView([f"http://{address}/admin"], http, timeout=timeout).sample()
    assert "s3cr3t" not in str(caught.value)
    assert address in str(caught.value)
    return caught.value, time.monotonic() - started


def respond(connection, head, body=b""):
    connection.recv(4096)
    connection.sendall(head.encode() + b"\r\n\r\n" + body)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("HTTP/1.1 401 No\r\nContent-Length: 0", "credentials are refused"),
        ("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0", "redirect is refused"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 4", "not XML"),
        ("\x00\x01ActiveMQ", "not HTTP"),
    ],
)
def test_a_peer_that_answers_something_else(serve, head, message):
    error, _took = look(serve(lambda connection: respond(connection, head, b"what")))

    assert message in str(error)


def silent(connection):
    connection.recv(4096)
    connection.recv(4096)


def dripping(connection):
    respond(connection, "HTTP/1.1 200 OK")
    while True:
        connection.sendall(b" ")
        time.sleep(0.05)


def endless(connection):
    respond(connection, "HTTP/1.1 200 OK", b"<queues>")
    while True:
        connection.sendall(b"<queue/>" * 1000)


@pytest.mark.parametrize("handler", [silent, dripping, endless])
def test_a_peer_that_does_not_end_is_given_up_in_time(serve, handler):
    error, took = look(serve(handler))

    assert any(words in str(error) for words in ("no answer within", "is larger than"))
    assert took < 2
