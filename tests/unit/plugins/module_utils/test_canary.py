# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The canary and the monitors, with connections that do as they are told."""

from __future__ import annotations

import queue
import threading
from itertools import count
from types import SimpleNamespace

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._canary import Canary, CanaryLedger, Monitor
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._stomp import Message, SessionError

ENDPOINTS = ["stomp+ssl://one:61614", "stomp+ssl://two:61614"]


class FakeBroker:
    """A pair with one store: only the active one connects; what is not acknowledged is delivered again."""

    def __init__(self):
        self.lock = threading.RLock()
        self.active = "one"
        self.links = []
        self.stored = []
        self.clock = count(1)
        self.lose_next_receipt = False

    def now(self):
        return next(self.clock) / 100

    def connect(self, url, on_message):
        with self.lock:
            if self.active is None or f"//{self.active}:" not in url:
                raise SessionError("refused")
            link = FakeLink(self, on_message)
            self.links.append(link)
            return link

    def fail_over(self, to):
        with self.lock:
            self.active = None
            for link in self.links:
                link.end("closed by the broker")
            self.links.clear()
            self.active = to

    def deliver(self):
        with self.lock:
            for link in self.links:
                if link.subscribed:
                    for correlation in [one for one in self.stored if one not in link.seen]:
                        link.seen.add(correlation)
                        link.on_message(Message(correlation, False, correlation))


class FakeLink:
    def __init__(self, broker, on_message):
        self.broker, self.on_message = broker, on_message
        self.lost, self.reason, self.ended_at = threading.Event(), "", None
        self.connected_at = broker.now()
        self.subscribed, self.seen = False, set()

    def end(self, reason):
        if not self.lost.is_set():
            self.reason, self.ended_at = reason, self.broker.now()
            self.lost.set()

    def check(self):
        pass

    def send(self, destination, body, headers):
        assert destination == "/queue/canary"
        assert headers["persistent"] == "true"
        with self.broker.lock:
            if self.lost.is_set():
                raise SessionError(self.reason)
            self.broker.stored.append(headers["correlation-id"])
            lost, self.broker.lose_next_receipt = self.broker.lose_next_receipt, False
        if lost:
            self.end("no receipt")
            raise SessionError("no receipt")
        self.broker.deliver()

    def subscribe(self, destination):
        self.subscribed = True
        self.broker.deliver()

    def acknowledge(self, message):
        with self.broker.lock:
            if not self.lost.is_set():
                self.broker.stored.remove(message.ack)

    def close(self):
        in_order = not self.lost.is_set()
        self.end("closed")
        return in_order


@pytest.fixture
def told():
    return queue.Queue()


def until(condition):
    done = threading.Event()
    for dummy in range(2000):
        if condition():
            return
        done.wait(0.005)
    raise AssertionError("it did not happen")


def canary_of(broker, told):
    return Canary(ENDPOINTS, "canary", 0.0, broker.connect, lambda *event: told.put(event), broker.now)


def test_nothing_is_lost_by_a_failover_and_the_events_are_told(told):
    broker = FakeBroker()
    canary = canary_of(broker, told)
    canary.start()
    until(lambda: canary.flows and canary.ledger.counts()[0] > 20)
    broker.fail_over("two")
    before = canary.ledger.counts()[0]
    until(lambda: canary.ledger.counts()[0] > before + 20)
    canary.stop()
    until(lambda: canary.settled)
    canary.close()

    figures = canary.ledger.figures()
    assert figures["lost"] == 0
    assert figures["sent"] == figures["received"]
    events = [(event, url) for dummy_at, event, url, dummy_reason in list(told.queue)]
    assert events.count(("producer_down", ENDPOINTS[0])) == 1
    assert ("consumer_up", ENDPOINTS[1]) in events


def test_a_message_whose_receipt_is_lost_is_sent_again_under_its_number(told):
    broker = FakeBroker()
    canary = canary_of(broker, told)
    canary.start()
    until(lambda: canary.flows)
    broker.lose_next_receipt = True
    until(lambda: canary.ledger.figures()["duplicated"] == 1)
    canary.close()

    assert canary.ledger.figures()["lost"] == 0


def test_what_an_earlier_run_left_is_taken_away_and_a_run_at_the_same_time_is_noticed(told):
    broker = FakeBroker()
    broker.stored += ["old:1", "old:2"]
    canary = canary_of(broker, told)
    canary.start()
    until(lambda: canary.flows)
    assert canary.leftovers == 2
    assert canary.foreign == 0
    with broker.lock:
        broker.stored.append("other:1")
    until(lambda: canary.foreign == 1)
    canary.close()


def test_a_message_that_the_broker_forgot_is_lost():
    ledger = CanaryLedger()
    for number in range(1, 5):
        ledger.sent(number, number)
    for number, at in ((1, 1.1), (3, 6.1), (2, 6.2), (3, 6.3)):
        ledger.received(number, at)

    assert ledger.missing() == 1
    assert ledger.figures() == {
        "sent": 4,
        "received": 3,
        "lost": 1,
        "duplicated": 1,
        "reordered": 1,
        "max_gap": 5.0,
        "max_send_gap": 1,
    }


def test_a_gap_that_does_not_end_counts_up_to_the_last_confirmation():
    ledger = CanaryLedger()
    for number, at in ((1, 1.0), (2, 2.0), (3, 30.0)):
        ledger.sent(number, at)
    ledger.received(1, 1.5)

    assert ledger.figures()["max_gap"] == 28.5


def test_why_the_canary_is_not_connected_is_known(told):
    broker = FakeBroker()
    broker.active = None
    canary = canary_of(broker, told)
    canary.start()
    until(lambda: all(canary.reasons.values()))
    canary.close()

    assert not canary.flows
    assert "refused" in canary.reasons["producer"]


def test_a_monitor_tells_begin_and_end_once(told):
    broker = FakeBroker()
    monitors = [Monitor(url, 0.001, broker.connect, lambda *event: told.put(event), broker.now) for url in ENDPOINTS]
    for monitor in monitors:
        monitor.start()
    until(lambda: told.qsize() == 1)
    # One goes before the other comes: attempts that overlap have no order.
    broker.fail_over(None)
    until(lambda: told.qsize() == 2)
    broker.fail_over("two")
    until(lambda: monitors[1].up)
    for monitor in monitors:
        monitor.end()
        monitor.join(5)

    assert [(event, url) for dummy_at, event, url, dummy_reason in told.queue] == [
        ("up", ENDPOINTS[0]),
        ("down", ENDPOINTS[0]),
        ("up", ENDPOINTS[1]),
    ]
    assert monitors[0].reason == "refused"


def test_a_monitor_does_not_believe_a_connection_that_cannot_be_ended_in_order(told):
    links = [
        SimpleNamespace(close=lambda: True),
        SimpleNamespace(close=lambda: False, reason="no receipt for DISCONNECT in 1 s"),
        SimpleNamespace(close=lambda: True),
    ]
    left = list(links)
    monitor = Monitor(
        ENDPOINTS[0],
        0.001,
        lambda url, on_message: left.pop(0) if left else links[0],
        lambda *event: told.put(event),
        count(1.0).__next__,
    )
    monitor.start()
    until(lambda: told.qsize() == 3)
    monitor.end()
    monitor.join(5)
    assert [event[:2] for event in told.queue] == [(1.0, "up"), (2.0, "down"), (3.0, "up")]
    assert told.queue[1][3] == "no receipt for DISCONNECT in 1 s"
