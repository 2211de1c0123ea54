# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that keeps a broker from being drained, done on purpose by real clients, and what queue_drain calls it."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from lab import brokers, faults, network, plan, shell, traffic
from lab.guard import guarded
from lab.lab import Lab, exclusive
from lab.services.python.service import Broker, Host, LostError, Session

#: The scheduler's own destination, see ActiveMQ's SchedulerBroker.
SCHEDULER = "/topic/ActiveMQ.Scheduler.Management"
#: Queue names that would do harm wherever they are taken for more than a name. JMX has all of them.
HOSTILE = [
    "h:1",
    "h=1",
    "h{{ 1 + 1 }}",
    "{% raw %}",
    "h%s%20",
    "h<b>",
    "h $(id) `id`",
    "h\U0001f600\u202e",
    "h*",
    "h>",
    "h[1]",
    "-h",
    "h\x1b[31m",
    "h" * 1000,
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One lab for all: each test leaves both brokers empty."""
    found = Lab(tmp_path_factory.mktemp("drain") / "lab")
    with exclusive(found), guarded(found):
        found.up(plan.DEMO)
        yield found


@pytest.fixture
def connect(lab: Lab) -> Iterator[Any]:
    """A function that connects to a broker; all connections end with the test, and what is left is taken."""
    sessions: list[Session] = []

    def to(broker: str = "mq_source", client_id: str | None = None) -> Session:
        session = session_of(lab, broker, client_id)
        sessions.append(session)
        return session

    yield to
    for session in sessions:
        session.drop("the test is over")
    for broker in ("mq_source", "mq_target"):
        empty(lab, broker)


def session_of(lab: Lab, broker: str, client_id: str | None = None) -> Session:
    """A STOMP connection to the source, or to the active instance of the target."""
    if broker == "mq_source":
        host = Host(lab.hosts[plan.SOURCE].address, plan.STOMP, False)
        who = Broker((host,), None, None)
    else:
        shell.wait_for(lambda: lab.active_target() is not None, 60, "an active target")
        host = Host(lab.hosts[lab.active_target() or ""].address, plan.STOMP_TLS, True)
        who = Broker((host,), plan.APP_USER, plan.APP_PASSWORD)
    with network.entered(lab.controller_namespace):
        return Session(host, who, str(lab.pki / "ca.pem"), client_id)


def send(session: Session, name: str, count: int = 1, kind: str = "queue", **headers: str) -> None:
    """Send messages and wait for the confirmation of each."""
    for number in range(count):
        session.request(
            "SEND", {"destination": f"/{kind}/{name}", "persistent": "true", **headers}, f"message {number}"
        )


def next_of(inbox: queue.SimpleQueue[Any]) -> Any:
    """The next message, which must come."""
    return inbox.get(timeout=10)


class Unsafe(str):
    """A text that Ansible must not take for a template, as one that comes from a broker."""


yaml.SafeDumper.add_representer(Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text), style='"'))


def command(lab: Lab, module: str, **arguments: Any) -> list[str]:
    """The command line of a module, run where the controller is."""
    file = lab.folder / f"{module}.yml"
    file.write_text(yaml.safe_dump({"arguments": arguments}, allow_unicode=True))
    words = ["ansible", "localhost", "-m", f"mqlift.amazon_mq.{module}", "-e", f"@{file}"]
    return [*lab.controller(), *words, "-a", json.dumps({name: f"{{{{ arguments.{name} }}}}" for name in arguments})]


def view_of(lab: Lab, broker: str) -> dict[str, Any]:
    """How the inventory says that a broker is observed."""
    view: dict[str, Any] = yaml.safe_load((lab.folder / "inventory.yml").read_text())["all"]["vars"][broker]["view"]
    return view


def begin(lab: Lab, broker: str = "mq_source", **options: Any) -> subprocess.Popen[str]:
    """Start to wait for a drain, with little patience."""
    chosen = {"timeout": 60, "stall_timeout": 3, "stable_for": 1, "poll_interval": 0.2, **options}
    return subprocess.Popen(
        command(lab, "queue_drain", view=view_of(lab, broker), **chosen),
        env={**os.environ, **lab.environment(), "ANSIBLE_NOCOLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def until(process: subprocess.Popen[str], text: str) -> str:
    """The live lines of a wait up to the first one with a text."""
    assert process.stdout is not None
    lines = ""
    while text not in lines:
        line = process.stdout.readline()
        assert line, lines
        lines += line
    return lines


def end(process: subprocess.Popen[str], begun: str = "") -> dict[str, Any]:
    """What the wait ended with; its live lines are in ``lines``, those read before included."""
    assert process.stdout is not None
    output = begun + process.stdout.read()
    process.wait()
    lines, mark, rest = output.partition("localhost | ")
    assert mark, output
    result: dict[str, Any] = json.loads(rest.partition("=>")[2])
    assert result["drained"] == (process.returncode == 0), output
    return {**result, "lines": lines}


def drain(lab: Lab, broker: str = "mq_source", **options: Any) -> dict[str, Any]:
    """Wait for a drain to its end."""
    return end(begin(lab, broker, **options))


def causes(result: dict[str, Any]) -> dict[str, str]:
    """What was left, and why."""
    return {item["name"]: item["cause"] for item in result["remaining"]}


def look(lab: Lab, broker: str) -> dict[str, Any]:
    """A sample."""
    done = subprocess.run(
        command(lab, "queue_info", view=view_of(lab, broker)),
        env={**os.environ, **lab.environment(), "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    found: dict[str, Any] = json.loads(done.stdout.partition("=>")[2])
    return found


def empty(lab: Lab, broker: str) -> None:
    """Take all messages of all queues, which another look at the broker must confirm."""
    queues = [item for item in look(lab, broker)["destinations"] if item["pending"] and item["kind"] == "queue"]
    if queues:
        session = session_of(lab, broker)
        for item in queues:
            inbox = session.subscribe(f"queue://{item['name']}", None)
            for _number in range(item["pending"]):
                session.request("ACK", {"id": next_of(inbox).headers["ack"]})
        session.drop("empty")
        assert not any(item["pending"] for item in look(lab, broker)["destinations"])


def test_no_consumer(lab: Lab, connect: Any) -> None:
    send(connect(), "lonely", 3)

    result = drain(lab)

    assert (result["reason"], causes(result)) == ("stalled", {"lonely": "no_consumer"})
    assert "lonely 3 left, no consumer" in result["lines"]
    assert "broker onprem: no progress" in result["msg"]


def test_a_stuck_consumer_holds_prefetched_messages(lab: Lab, connect: Any) -> None:
    send(connect(), "held", 5)
    stuck = connect()
    next_of(stuck.subscribe("queue://held", None))

    result = drain(lab)

    assert (result["reason"], causes(result)) == ("stalled", {"held": "unacknowledged"})
    assert result["remaining"][0]["in_flight"] == 5


def test_open_transactions_on_send_and_on_acknowledge(lab: Lab, connect: Any) -> None:
    sender = connect()
    sender.tell("BEGIN", {"transaction": "t"})
    send(sender, "unseen", transaction="t")

    result = drain(lab)

    assert (result["reason"], causes(result)) == ("stalled", {"onprem": "open_transaction"})
    sender.request("ABORT", {"transaction": "t"})

    send(sender, "acked", 2)
    receiver = connect()
    inbox = receiver.subscribe("queue://acked", None)
    receiver.tell("BEGIN", {"transaction": "t"})
    for _number in range(2):
        receiver.request("ACK", {"id": next_of(inbox).headers["ack"], "transaction": "t"})

    result = drain(lab)

    assert result["reason"] == "stalled"
    assert causes(result) == {"acked": "open_transaction", "onprem": "open_transaction"}
    receiver.request("COMMIT", {"transaction": "t"})
    assert drain(lab)["drained"]


def test_a_transaction_of_a_client_that_jmx_takes_for_another_is_seen(lab: Lab, connect: Any) -> None:
    connect(client_id="shop:1")
    hidden = connect(client_id="shop_1")
    hidden.tell("BEGIN", {"transaction": "t"})
    send(hidden, "unseen", transaction="t")

    result = drain(lab)

    assert (result["reason"], causes(result)) == ("stalled", {"onprem": "open_transaction"})


def test_messages_of_a_queue_that_jmx_takes_for_another_are_a_gap(lab: Lab, connect: Any) -> None:
    session = connect()
    send(session, "twin_1", 0)
    twin = session.subscribe("queue://twin_1", None)
    send(session, "twin:1", 2)

    result = drain(lab)

    assert (result["reason"], result["unknowns"]) == ("unknown", ["hidden_messages"])
    assert "the broker counts 2 more messages than its queues show" in result["msg"]
    assert twin.empty()
    inbox = session.subscribe("queue://twin:1", None)
    for _number in range(2):
        session.request("ACK", {"id": next_of(inbox).headers["ack"]})
    assert drain(lab)["drained"]


@pytest.mark.parametrize("when", [{"AMQ_SCHEDULED_DELAY": "600000"}, {"AMQ_SCHEDULED_CRON": "0 0 1 1 *"}])
def test_scheduled_and_cron_jobs(lab: Lab, connect: Any, when: dict[str, str]) -> None:
    session = connect()
    send(session, "later", **when)

    result = drain(lab)

    assert (result["reason"], causes(result)) == ("stalled", {"onprem": "scheduled"})
    session.request("SEND", {"destination": SCHEDULER, "AMQ_SCHEDULER_ACTION": "REMOVEALL"})
    assert drain(lab)["drained"]


def test_a_durable_subscriber_that_is_away(lab: Lab, connect: Any) -> None:
    subscriber = connect(client_id="reader")
    subscriber.subscribe("topic://news", "daily")
    subscriber.drop("away")
    send(connect(), "news", 4, kind="topic")

    result = drain(lab)

    assert (result["reason"], causes(result)) == ("stalled", {"news/reader/daily": "no_consumer"})
    assert result["remaining"][0]["pending"] == 4
    back = connect(client_id="reader")
    inbox = back.subscribe("topic://news", "daily")
    for _number in range(4):
        back.request("ACK", {"id": next_of(inbox).headers["ack"]})
    assert drain(lab)["drained"]


@contextlib.contextmanager
def running(work: Any) -> Iterator[None]:
    """Do something again and again in the background."""
    over = threading.Event()

    def again() -> None:
        with contextlib.suppress(LostError, queue.Empty):
            while not over.is_set():
                work()

    thread = threading.Thread(target=again)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_producers_that_still_send_although_all_is_consumed_at_once(lab: Lab, connect: Any) -> None:
    sender, receiver = connect(), connect()
    inbox = receiver.subscribe("queue://busy", None)

    def one() -> None:
        send(sender, "busy")
        receiver.request("ACK", {"id": next_of(inbox).headers["ack"]})
        time.sleep(0.05)

    with running(one):
        result = drain(lab, timeout=6)

    assert (result["reason"], causes(result)) == ("timeout", {"busy": "producers"})
    assert drain(lab)["drained"]


def test_a_dead_letter_queue_that_grows(lab: Lab, connect: Any) -> None:
    session = connect()
    send(session, "poison", 400)
    inbox = session.subscribe("queue://poison", None)

    def one() -> None:
        session.request("NACK", {"id": next_of(inbox).headers["ack"]})
        time.sleep(0.05)

    with running(one):
        result = drain(lab, timeout=6)

    assert result["reason"] == "timeout"
    assert causes(result) == {"poison": "draining", "ActiveMQ.DLQ": "dead_letters"}
    assert result["dlq"][0]["name"] == "ActiveMQ.DLQ"


def test_a_broker_that_is_killed_and_started_again_in_the_middle(lab: Lab, connect: Any) -> None:
    send(connect(), "kept", 5)
    process = begin(lab, stall_timeout=10)
    lines = until(process, "kept 5 left")
    faults.inject(lab, "kill", plan.SOURCE)
    faults.inject(lab, "start", plan.SOURCE)

    result = end(process, lines)

    assert (result["reason"], causes(result)) == ("stalled", {"kept": "no_consumer"})
    assert result["restarts"] == 1


def test_a_failover_of_the_target_in_the_middle(lab: Lab, connect: Any) -> None:
    send(connect("mq_target"), "kept", 5)
    before = lab.active_target()
    process = begin(lab, "mq_target", stall_timeout=10)
    lines = until(process, "kept 5 left")
    faults.inject(lab, "kill", "target-active")

    result = end(process, lines)

    assert (result["reason"], causes(result)) == ("stalled", {"kept": "no_consumer"})
    assert result["restarts"] == 1
    assert lab.active_target() != before
    lab.hosts[before or ""].unit("restart", brokers.UNIT)


def test_hostile_names_are_selected_exactly_and_shown_safely(lab: Lab, connect: Any) -> None:
    session = connect()
    for name in HOSTILE:
        send(session, name)

    plain = [Unsafe(name) for name in HOSTILE if "*" not in name]

    result = drain(lab, destinations=plain)

    assert causes(result) == dict.fromkeys(plain, "no_consumer")
    assert result["missing"] == []
    assert "\x1b" not in result["lines"] + result["msg"]
    # To wait for none of these is to wait for the only other one.
    result = drain(lab, exclude=plain)
    assert causes(result) == {"h*": "no_consumer"}


def test_a_frozen_java_consumer_is_named_and_all_messages_arrive_when_it_thaws(lab: Lab) -> None:
    traffic.start(lab)
    traffic.wait_produced(lab, 50, 60)
    lab.hosts["worker-2"].unit("stop", "order-worker")
    faults.inject(lab, "freeze", "worker-1")
    shell.wait_for(lambda: any(d["in_flight"] for d in look(lab, "mq_source")["destinations"]), 20, "a prefetch")
    traffic.stop(lab)

    result = drain(lab, stall_timeout=5)

    assert (result["reason"], causes(result)) == ("stalled", {"orders.new": "unacknowledged"})
    faults.inject(lab, "thaw", "worker-1")
    assert drain(lab, stall_timeout=20)["drained"]
    audit = traffic.settle(lab)
    assert audit.passed, audit.render()
