# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every view of the same broker: they agree wherever they claim to know, and say what they do not."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import brokers, plan, shell, software
from lab.lab import Lab

Up = Callable[..., Lab]

#: Makes what a broker can hold, says so, and keeps what is in flight until its input ends.
CLIENT = """
import json, stomp, sys, threading
task = json.loads(sys.argv[1])

class Listener(stomp.ConnectionListener):
    def __init__(self):
        self.messages, self.receipts = [], set()
        self.more = threading.Condition()
    def on_message(self, frame):
        with self.more:
            self.messages.append(frame)
            self.more.notify_all()
    def on_receipt(self, frame):
        with self.more:
            self.receipts.add(frame.headers["receipt-id"])
            self.more.notify_all()
    def on_error(self, frame):
        print(frame.headers, file=sys.stderr, flush=True)

class Client:
    def __init__(self, **headers):
        host = (task["host"], task["port"])
        self.connection = stomp.StompConnection12([host], prefer_localhost=False, try_loopback_connect=False)
        if task["ca_file"]:
            self.connection.set_ssl([host], ca_certs=task["ca_file"])
        self.listener = Listener()
        self.connection.set_listener("", self.listener)
        self.connection.connect(task["username"], task["password"], wait=True, headers=headers)
        self.number = 0
    def confirmed(self, verb, *arguments, **options):
        self.number += 1
        receipt = str(self.number)
        if verb in ("ack", "nack"):
            options["receipt"] = receipt
        else:
            options["headers"] = {**options.get("headers", {}), "receipt": receipt}
        getattr(self.connection, verb)(*arguments, **options)
        with self.listener.more:
            assert self.listener.more.wait_for(lambda: receipt in self.listener.receipts, 20)
    def received(self, count):
        with self.listener.more:
            assert self.listener.more.wait_for(lambda: len(self.listener.messages) >= count, 20)
        return self.listener.messages
    def send(self, destination, count):
        for _ in range(count):
            self.confirmed("send", destination, "x", headers={"persistent": "true"})
    def consume(self, destination, **headers):
        self.confirmed("subscribe", destination, id=destination, ack="client-individual", headers=headers)

keep = []
for name in ("present", "away"):
    client = Client(**{"client-id": "client:" + name})
    client.consume("/topic/" + task["topic"], **{"activemq.subscriptionName": "sub " + name})
    if name == "away":
        client.connection.disconnect("bye")
    keep.append(client)
sender = Client()
for name, count in task["queues"].items():
    sender.send("/queue/" + name, count)
sender.send("/topic/" + task["topic"], 4)
keep[0].received(4)
busy = Client()
busy.consume("/queue/used")
for frame in busy.received(5)[:2]:
    busy.confirmed("ack", frame.headers["ack"])
poisoned = Client()
poisoned.consume("/queue/poison")
poisoned.confirmed("nack", poisoned.received(1)[0].headers["ack"])
print("ready", flush=True)
sys.stdin.read()
"""

#: Names that would do harm wherever they are taken for more than a name. A comma separates destinations and a question
#: mark starts options, so no queue has either in its name.
HOSTILE = [
    "v:colon",
    "v'single",
    'v"double',
    "v=",
    "v*star",
    "v{a}%b%41",
    "v{{ 1 + 1 }}",
    "{% raw %}",
    "v<lt>&amp;",
    "v with space",
    "v\ttab",
    "v\x01\x1b[31m",
    "v]]>",
    "v\\back;",
    "vä→",
    "v" * 1000,
]
#: JMX has no MBean for a name with a line break, so neither Jolokia nor the console know it.
LINE_BREAK = "v\nline"
#: To JMX it is ``v:colon``, which came first.
COLLIDING = "v_colon"
#: Brokers before 5.18.6 tell a character beyond U+FFFF to STOMP clients as something that is not UTF-8.
EMOJI = "v🎁"
TOPIC = "views.topic"
QUEUES = {**dict.fromkeys([*HOSTILE, LINE_BREAK, COLLIDING, EMOJI], 1), "used": 5, "poison": 1, "many": 30}
#: name -> pending, in flight, enqueued, dequeued
EXPECTED = {
    **{name: (count, 0, count, 0) for name, count in QUEUES.items()},
    "used": (3, 3, 5, 2),
    "poison": (0, 0, 1, 1),
    "ActiveMQ.DLQ": (1, 0, 1, 0),
}
SUBSCRIPTIONS = {f"{TOPIC}/client:present/sub present": (4, 4, 1), f"{TOPIC}/client:away/sub away": (4, 0, 0)}


def run(lab: Lab, module: str, **arguments: Any) -> dict[str, Any]:
    """What a module answers where the controller is, failed or not."""
    options = ["-e", f"ansible_python_interpreter={sys.executable}"]
    done = subprocess.run(
        [*lab.controller(), "ansible", "localhost", *options, "-m", module, "-a", json.dumps(arguments)],
        env={**os.environ, **lab.environment(), "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOAD_CALLBACK_PLUGINS": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    start = done.stdout.find("=> {")
    assert start >= 0, done.stdout + done.stderr
    answer: dict[str, Any] = json.JSONDecoder().raw_decode(done.stdout[start + 3 :])[0]
    return answer


def look(lab: Lab, view: dict[str, Any], **options: Any) -> dict[str, Any]:
    answer = run(lab, "mqlift.amazon_mq.queue_info", view=view, **options)
    assert "view_error" not in answer, answer
    return answer


@contextmanager
def clients(lab: Lab, broker: str) -> Iterator[None]:
    """Fill mq_source or mq_target, and keep what is in flight there for a while."""
    variables = yaml.safe_load((lab.folder / "inventory.yml").read_text())["all"]["vars"]
    target = broker == "mq_target"
    host = lab.active_target() if target else plan.SOURCE
    assert host is not None
    task = {
        "host": lab.name_of(host),
        "port": plan.STOMP_TLS if target else plan.STOMP,
        "ca_file": variables[broker].get("ca_file"),
        "username": variables[broker].get("username"),
        "password": variables[broker].get("password"),
        "queues": QUEUES,
        "topic": TOPIC,
    }
    argv = [*lab.controller(), sys.executable, "-c", CLIENT, json.dumps(task)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdin
        assert process.stdout.readline() == "ready\n"
        yield
        process.stdin.close()


def views(lab: Lab, broker: str) -> dict[str, dict[str, Any]]:
    """The options of each view that asks the broker itself."""
    variables = yaml.safe_load((lab.folder / "inventory.yml").read_text())["all"]["vars"][broker]
    jolokia = dict(variables["view"])
    urls = jolokia.pop("urls")
    stomp = [url for url in variables["endpoints"] if url.startswith("stomp")]
    own = {"username": variables.get("username", ""), "password": variables.get("password", "")}
    return {
        "jolokia": {**jolokia, "url": urls},
        "statistics": {**jolokia, **own, "type": "statistics", "url": stomp},
        "console": {**jolokia, "type": "console", "url": [url.replace("/api/jolokia", "/admin") for url in urls]},
        "auto": {
            **jolokia,
            "type": "auto",
            "url": [*(url.replace("/api/jolokia", "/not/jolokia") for url in urls), *stomp],
            **{f"stomp_{name}": value for name, value in own.items()},
        },
    }


def by_name(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = {one["name"]: one for one in answer["destinations"]}
    assert len(found) == len(answer["destinations"])
    return found


def check_queues(answer: dict[str, Any], missing: set[str]) -> None:
    """Each number that a view tells is right, and what it does not list it was allowed not to."""
    found = {name: one for name, one in by_name(answer).items() if one["kind"] == "queue"}
    assert set(EXPECTED) - set(found) == missing
    for name in set(EXPECTED) & set(found):
        one = found[name]
        for key, value in zip(("pending", "in_flight", "enqueued", "dequeued"), EXPECTED[name], strict=True):
            known = key in answer["capabilities"]
            assert one[key] == (value if known else None), (answer["view"], name, key)
        assert one["consumers"] == (1 if name in ("used", "poison") else 0), name
        assert one["producers"] in ((0,) if "producers" in answer["capabilities"] else (None,))


def check_subscriptions(answer: dict[str, Any]) -> None:
    found = {name: one for name, one in by_name(answer).items() if one["kind"] == "durable_subscription"}
    assert {name: (one["pending"], one["in_flight"], one["consumers"]) for name, one in found.items()} == SUBSCRIPTIONS
    assert {one["topic"] for one in found.values()} == {TOPIC}


@pytest.mark.parametrize("choice", ["auto", "debian"])
def test_views_agree_wherever_they_claim_to_know(up: Up, choice: str) -> None:
    lab = up(choice=choice)
    has_console = lab.record.source_software.startswith("Apache")
    for broker in ("mq_source", "mq_target"):
        options = views(lab, broker)
        with clients(lab, broker):
            jolokia = look(lab, options["jolokia"])
            check_queues(jolokia, {LINE_BREAK, COLLIDING})
            check_subscriptions(jolokia)
            assert by_name(jolokia)["ActiveMQ.DLQ"]["dlq"] is True
            assert jolokia["hidden_messages"] == 2
            assert jolokia["broker"]["total_messages"] == sum(pending for pending, *_rest in EXPECTED.values())

            statistics = look(lab, options["statistics"])
            check_queues(statistics, {EMOJI})
            assert set(statistics["unknowns"]) == {
                "destinations",
                "durable_subscriptions",
                "scheduled",
                "transactions",
            }
            for key in ("broker_id", "name", "version", "total_messages"):
                assert statistics["broker"][key] == jolokia["broker"][key], key

            auto = look(lab, options["auto"])
            assert auto["view"] == "statistics"
            assert [failure["view"] for failure in auto["tried"]] == ["jolokia"]
            assert by_name(auto) == by_name(statistics)

            narrow = look(lab, options["statistics"], query="[?pending > `10`].{name: name, kind: kind}")
            assert [one["name"] for one in narrow["destinations"]] == ["many"]

            if has_console:
                console = look(lab, options["console"])
                check_queues(console, {LINE_BREAK, COLLIDING})
                check_subscriptions(console)
                assert set(console["unknowns"]) == {"broker_id", "destinations", "scheduled", "transactions"}
                assert {key: value for key, value in console["broker"].items() if value is not None} == {}
            else:
                answer = run(lab, "mqlift.amazon_mq.queue_info", view=options["console"])
                assert "there is no web console at this URL" in answer["view_error"]["message"]

            if broker == "mq_source":
                publish(lab, by_name(jolokia), jolokia["broker"]["total_messages"])
                check_cloudwatch(look(lab, cloudwatch(lab)), by_name(jolokia))


def cloudwatch(lab: Lab) -> dict[str, Any]:
    """The options of the view of what publish() published: the lab's AWS API holds it."""
    environment = lab.environment()
    return {
        "type": "cloudwatch",
        "broker_name": PUBLISHED,
        "region": plan.REGION,
        "access_key": plan.ACCESS_KEY,
        "secret_key": plan.SECRET_KEY,
        "endpoint_url": environment["AWS_ENDPOINT_URL"],
        "ca_file": environment["AWS_CA_BUNDLE"],
    }


#: A broker that there is in CloudWatch only, so that nobody else publishes of it.
PUBLISHED = "published"
#: Publishes as Amazon MQ does: a datapoint of the minute before last.
PUBLISH = """
import boto3, json, sys, time
client, timestamp = boto3.client("cloudwatch"), time.time() - 120
for item in json.loads(sys.argv[1]):
    dimensions = [{"Name": name, "Value": value} for name, value in item["dimensions"].items()]
    data = {"MetricName": item["metric"], "Dimensions": dimensions, "Value": item["value"]}
    client.put_metric_data(Namespace="AWS/AmazonMQ", MetricData=[{**data, "Timestamp": timestamp}])
"""


def publish(lab: Lab, queues: dict[str, dict[str, Any]], total: int) -> None:
    """Tell CloudWatch what Jolokia sees; its dimensions are ASCII without control characters."""
    name = f"{PUBLISHED}-1"
    items = [{"metric": "TotalMessageCount", "dimensions": {"Broker": name}, "value": total}]
    for queue, one in queues.items():
        if one["kind"] == "queue" and queue.isascii() and queue.isprintable():
            dimensions = {"Broker": name, "Queue": queue}
            items.append({"metric": "QueueSize", "dimensions": dimensions, "value": one["pending"]})
            items.append({"metric": "ConsumerCount", "dimensions": dimensions, "value": one["consumers"]})
    argv = [*lab.controller(), sys.executable, "-c", PUBLISH, json.dumps(items)]
    subprocess.run(argv, env={**os.environ, **lab.environment()}, check=True)


def check_cloudwatch(answer: dict[str, Any], expected: dict[str, dict[str, Any]]) -> None:
    found = by_name(answer)
    assert set(HOSTILE) - set(found) == {name for name in HOSTILE if not (name.isascii() and name.isprintable())}
    for name, one in found.items():
        assert one["pending"] == expected[name]["pending"], name
        assert one["consumers"] == expected[name]["consumers"], name
        assert one["enqueued"] is None
    assert 60 < time.time() - answer["taken_at"] < 300
    assert {"present", "destinations", "broker_id", "transactions"} <= set(answer["unknowns"])


def test_a_drain_can_be_judged_by_every_view_as_far_as_it_knows(up: Up) -> None:
    lab = up()
    gaps = {
        "jolokia": [],
        "statistics": ["durable_subscriptions", "scheduled", "transactions"],
        "console": ["broker_id", "destinations", "durable_subscriptions", "scheduled", "transactions"],
        "auto": ["durable_subscriptions", "scheduled", "transactions"],
    }
    for kind, options in views(lab, "mq_source").items():
        task = {"view": options, "stable_for": 0.1, "poll_interval": 0.1, "timeout": 30}
        answer = run(lab, "mqlift.amazon_mq.queue_drain", **task)
        assert sorted(answer["unknowns"]) == gaps[kind]
        assert answer["drained"] is (not gaps[kind])
        assert run(lab, "mqlift.amazon_mq.queue_drain", **task, accept_unknown=gaps[kind])["drained"], kind


@pytest.mark.parametrize(
    ("without", "message"),
    [
        ("xstream", "as brokers without the library XStream do"),
        ("statisticsBrokerPlugin", "nobody answers for the statistics plugin"),
        ("jettison", None),
    ],
)
def test_what_the_statistics_view_needs_of_a_broker(tmp_path: Path, without: str, message: str | None) -> None:
    # Debian's broker has neither library by itself, which is what its users have.
    found = software.find("debian")[0]["source"]
    address = f"127.96.{os.getpid() // 250 % 250}.{1 + os.getpid() % 250}"
    admin = brokers.User(name="admin", password="admin")
    broker = brokers.Broker("bare", address, found, tmp_path, console_user=admin)
    argv = list(broker.render().argv)
    path = argv.index("-cp") + 1
    argv[path] = ":".join(jar for jar in argv[path].split(":") if without not in jar)
    settings = tmp_path / "conf/activemq.xml"
    settings.write_text(settings.read_text().replace(f"<{without}/>", ""))
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(argv, stdout=log, stderr=log) as process:
        try:
            shell.wait_for(lambda: listens(address), 60, "the broker")
            view = {"type": "statistics", "url": [f"stomp://{address}:{plan.STOMP}"], "timeout": 4}
            options = ["-e", f"ansible_python_interpreter={sys.executable}"]
            started = time.monotonic()
            done = subprocess.run(
                [
                    "ansible",
                    "localhost",
                    *options,
                    "-m",
                    "mqlift.amazon_mq.queue_info",
                    "-a",
                    json.dumps({"view": view}),
                ],
                env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
                capture_output=True,
                text=True,
                check=False,
            )
            took = time.monotonic() - started
        finally:
            process.kill()
    answer = json.loads(done.stdout.partition("=>")[2])
    if message is None:
        assert answer["broker"]["name"] == "bare"
        assert answer["destinations"] == []
    else:
        assert message in answer["view_error"]["message"]
        assert answer["view_error"]["transient"] is False
        # The rest is Ansible's start.
        assert took < 4 + 8


def listens(address: str) -> bool:
    try:
        with socket.create_connection((address, plan.STOMP), timeout=1):
            return True
    except OSError:
        return False
