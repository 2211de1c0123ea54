# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's CloudWatch: what is published of the pair, by a Jolokia that answers as a broker's does."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from lab import plan
from lab.aws import metrics, serving
from lab.aws.api import Api
from lab.aws.broker import Broker, Delays, Login, Settings
from lab.aws.pair import Pair
from lab.hosts import Host, ProcessHost

BEAN = "org.apache.activemq:brokerName=target-1,destinationName=%s,destinationType=Queue,type=Broker"
BROKER = {"org.apache.activemq:brokerName=target-1,type=Broker": {"TotalMessageCount": 3, "StorePercentUsage": 1}}


def queue(size: int, enqueued: int, name: str = "orders") -> dict[str, Any]:
    counts = {"ConsumerCount": 1, "ProducerCount": 2, "EnqueueCount": enqueued, "DequeueCount": 0}
    return {"Name": name, "QueueSize": size, **counts}


class FakeReader(metrics.Reader):
    """Reads what the test says."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.asked: list[tuple[str, str]] = []

    def _post(self, address: str, username: str, password: str, asked: Any) -> list[dict[str, Any]]:
        self.asked.append((address, username))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return list(answer)


class FakePair(Pair):
    """Its second instance is active."""

    there = True

    def active(self) -> Host | None:
        return self.hosts[1] if self.there else None


class FakeApi(Api):
    """Has one broker, the pair."""

    def __init__(self, pair: Pair) -> None:
        self.pair, self.state = pair, "RUNNING"

    def brokers(self) -> list[tuple[Broker, str]]:
        made: Any = type("Found", (), {"machine": self.pair})()
        return [(made, self.state)]


@pytest.fixture
def pair(tmp_path: Path) -> FakePair:
    hosts: list[Host] = [ProcessHost(name, f"{name}.invalid", tmp_path, lab_id="test") for name in ("one", "two")]
    found = FakePair(hosts, ["one", "two"], [], lambda *dummy: None, listeners={})
    found.settings = Settings({"app": Login("x"), "boss": Login("y", console=True)}, "")
    return found


def points(found: metrics.Metrics, size: int, enqueued: int) -> dict[tuple[str, ...], float]:
    """Metric and dimensions -> value."""
    told = found.datapoints("lab-target-1", {"TotalMessageCount": size}, {("Queue", "orders"): queue(size, enqueued)})
    return {(metric, *(item["Value"] for item in dimensions)): value for metric, value, dimensions in told}


def test_names_and_dimensions_are_amazons() -> None:
    """Developer guide, "Monitoring Amazon MQ brokers using Amazon CloudWatch"."""
    found = points(metrics.Metrics(), 3, 10)
    assert found["TotalMessageCount", "lab-target-1"] == 3
    assert found["QueueSize", "lab-target-1", "orders"] == 3
    assert found["ConsumerCount", "lab-target-1", "orders"] == 1
    assert ("StorePercentUsage", "lab-target-1") not in found, "what is not known has no datapoint"


def test_counts_are_of_the_time_since_the_last() -> None:
    """Developer guide, same page: EnqueueCount is "the number of messages sent to the destination, per minute"."""
    found = metrics.Metrics()
    key = ("EnqueueCount", "lab-target-1", "orders")
    assert [points(found, 0, count)[key] for count in (10, 15, 15, 4)] == [10, 5, 0, 4]


def test_a_name_that_cloudwatch_does_not_take_is_left_out() -> None:
    """API reference of CloudWatch, Dimension."""
    reader = FakeReader()
    names = ["orders.new", "with,comma", "größe", "line\nbreak", "x" * 1025]
    reader.answers = [[BROKER, {BEAN % number: queue(1, 1, name) for number, name in enumerate(names)}, {}]]
    broker, destinations = reader.read("address", "boss", "y")
    assert broker["TotalMessageCount"] == 3
    assert list(destinations) == [("Queue", "orders.new"), ("Queue", "with,comma")]


def test_the_active_instance_is_published_and_the_standby_is_not(pair: FakePair) -> None:
    """Developer guide, "Monitoring": the dimension Broker is the name with -1 or -2."""
    api, reader = FakeApi(pair), FakeReader()
    reader.answers = [[BROKER, {BEAN % "orders": queue(3, 3)}, {}]]
    with serving() as served:
        cloudwatch = served.client("cloudwatch")
        assert cloudwatch.list_metrics()["Metrics"] == []
        assert metrics.publish_once(api, pair, reader, metrics.Metrics()) == ""
        assert reader.asked == [("two.invalid", "boss")]
        names = {
            item["Value"]
            for metric in cloudwatch.list_metrics(Namespace="AWS/AmazonMQ")["Metrics"]
            for item in metric["Dimensions"]
            if item["Name"] == "Broker"
        }
        assert names == {f"{plan.TARGET_NAME}-2"}
        now = datetime.now(UTC)
        told = cloudwatch.get_metric_statistics(
            Namespace="AWS/AmazonMQ",
            MetricName="QueueSize",
            Dimensions=[{"Name": "Broker", "Value": "lab-target-2"}, {"Name": "Queue", "Value": "orders"}],
            StartTime=now - timedelta(minutes=5),
            EndTime=now + timedelta(minutes=5),
            Period=60,
            Statistics=["Maximum"],
        )
        assert [point["Maximum"] for point in told["Datapoints"]] == [3]


def test_what_goes_wrong_is_told_and_nothing_is_published(pair: FakePair) -> None:
    api, reader, found = FakeApi(pair), FakeReader(), metrics.Metrics()
    reader.answers = [OSError("connection refused"), ValueError("HTTP status 401"), [BROKER, "no destinations", {}]]
    assert metrics.publish_once(api, pair, reader, found) == "two: connection refused"
    assert metrics.publish_once(api, pair, reader, found) == "two: HTTP status 401"
    assert metrics.publish_once(api, pair, reader, found).startswith("two: ")
    pair.there = False
    assert metrics.publish_once(api, pair, reader, found) == "there is no active instance"
    pair.there, pair.settings = True, Settings({"app": Login("x")}, "")
    assert metrics.publish_once(api, pair, reader, found) == "no user may use the console"
    api.state = "REBOOT_IN_PROGRESS"
    assert metrics.publish_once(api, pair, reader, found) == "", "a broker that reboots is not asked"


@pytest.fixture
def jolokia() -> Iterator[tuple[HTTPServer, list[Any]]]:
    seen: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append((self.path, self.headers["Authorization"], self.headers["Origin"], body))
            answer = json.dumps([{"value": BROKER}, {"status": 404, "error": "no such bean"}, {"value": {}}]).encode()
            self.send_response(200 if self.headers["Authorization"] == "Basic Ym9zczp5" else 401)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server, seen
    server.shutdown()
    server.server_close()


def test_jolokia_is_asked_once_with_the_header_that_it_wants(
    jolokia: tuple[HTTPServer, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """apache/activemq PR #1502: without an Origin header Jolokia refuses."""
    server, seen = jolokia

    def connect(address: str, port: int, *, timeout: float, context: Any) -> Any:
        return HTTPConnection("127.0.0.1", server.server_address[1], timeout=timeout)

    monkeypatch.setattr("http.client.HTTPSConnection", connect)
    reader = metrics.Reader.__new__(metrics.Reader)
    reader._context = ssl.create_default_context()
    broker, destinations = reader.read("10.0.0.1", "boss", "y")
    assert (broker["TotalMessageCount"], destinations) == (3, {})
    ((path, dummy, origin, body),) = seen
    assert (path, origin, len(body)) == ("/api/jolokia/", "https://10.0.0.1", 3)
    with pytest.raises(ValueError, match="HTTP status 401"):
        reader.read("10.0.0.1", "boss", "wrong")


def test_delays_of_tests_are_shorter_than_those_of_the_lab() -> None:
    short, own = Delays.short(), Delays()
    assert (short.creation, short.reboot, short.deletion) < (own.creation, own.reboot, own.deletion)
