# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The census and the status page on the lab: services, strangers with hostile names, a bridge, a dead broker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import yaml

from lab import brokers, demo, faults, plan, shell, traffic
from lab.lab import Lab

Up = Callable[..., Lab]
STATUS = "mqlift.amazon_mq.status"

#: Connects once per client id, and once more without a word, says so, and stays until its input ends.
STRANGER = """
import json, socket, stomp, sys
host, port, ids = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
connections = []
for client_id in ids:
    connection = stomp.Connection12([(host, port)])
    connection.connect(wait=True, headers={"client-id": client_id})
    connection.subscribe("/queue/strange", id="1")
    connections.append(connection)
silent = socket.create_connection((host, port))
print("ready", flush=True)
sys.stdin.read()
"""
# What STOMP can say in a header; to JMX the first two are one.
HOSTILE = ["a_b", "a:b", "{{ 1 + 1 }}", "?*=,'\"%<>", "e\u0301\U0001f600", "x" * 1000, "left_right_outbound"]


def run(lab: Lab, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command where the controller is, its output kept."""
    return subprocess.run(
        [*lab.controller(), *arguments],
        env={**os.environ, **lab.environment(), "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def nothing_changed(output: str) -> bool:
    """Whether a playbook's recap counts no change on any host."""
    recap = output.rpartition("PLAY RECAP")[2].strip().splitlines()[1:]
    return bool(recap) and all(" changed=0 " in line for line in recap)


def variables(lab: Lab) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((lab.folder / "inventory.yml").read_text())["all"]["vars"]
    return found


def census(lab: Lab, broker: str, **options: Any) -> list[dict[str, Any]]:
    """Who is connected to mq_source or mq_target, matched with the inventory."""
    hosts = {item.host: [lab.hosts[item.host].address] for item in lab.plan.services}
    arguments = json.dumps({"view": variables(lab)[broker]["view"], "hosts": hosts, **options})
    done = run(lab, "ansible", "localhost", "-m", "mqlift.amazon_mq.connection_info", "-a", arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    clients: list[dict[str, Any]] = json.loads(done.stdout.partition("=>")[2])["clients"]
    return clients


@contextmanager
def strangers(lab: Lab, ids: Sequence[str]) -> Iterator[None]:
    """STOMP clients on the source that no inventory knows, from where the controller is."""
    argv = [sys.executable, "-c", STRANGER, lab.name_of(plan.SOURCE), str(plan.STOMP), json.dumps(ids)]
    with subprocess.Popen(
        [*lab.controller(), *argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield
        assert process.stdin
        process.stdin.close()


def bridge(lab: Lab) -> None:
    """Give the target a network bridge to the source, for both directions."""
    connector = (
        f'<networkConnectors><networkConnector name="to-old" duplex="true" userName="{plan.APP_USER}" '
        f'password="{plan.APP_PASSWORD}" uri="static:(tcp://{lab.name_of(plan.SOURCE)}:{plan.OPENWIRE})"/>'
        "</networkConnectors>"
    )
    for name in plan.TARGETS:
        path = lab.folder / "shared/brokers" / name / "conf/activemq.xml"
        path.write_text(path.read_text().replace("<transportConnectors>", f"{connector}<transportConnectors>"))
        lab.hosts[name].unit("restart", brokers.UNIT)


def uses(clients: Sequence[dict[str, Any]], key: str) -> set[str]:
    return {f"{one['kind']}://{one['name']}" for client in clients for one in client[key]}


@pytest.mark.parametrize("choice", ["auto", pytest.param("debian", marks=pytest.mark.long)])
def test_every_service_is_listed_once_with_its_host_and_what_it_does(up: Up, choice: str) -> None:
    lab = up(choice=choice)
    traffic.start(lab)
    traffic.wait_produced(lab, 200, 60)

    clients = census(lab, "mq_source")

    for item in lab.plan.services:
        own = [client for client in clients if client["host"] == item.host]
        assert len(own) == 1, (item.host, own)
        assert own[0]["address"] == lab.hosts[item.host].address
        assert own[0]["protocol"] == ("openwire" if item.language == "java" else "stomp")
        assert own[0]["kind"] == "client"
        assert own[0]["unknown"] is False
        assert uses(own, "consumes") == set(item.consume)
        assert uses(own, "produces") == {*item.produce, *([item.forward] if item.forward else [])}
        assert own[0]["open_transactions"] == 0
    assert len(clients) == len(lab.plan.services)
    assert census(lab, "mq_target") == []
    assert [client["host"] for client in census(lab, "mq_source", query="[?produces[?name=='orders.new']]")] == [
        "orders-1"
    ]

    traffic.stop(lab)
    audit = traffic.settle(lab)
    assert audit.passed, audit.render()


def test_strangers_with_hostile_names_and_silent_sockets_are_unknown(up: Up) -> None:
    lab = up()
    traffic.start(lab)
    with strangers(lab, HOSTILE):
        clients = census(lab, "mq_source")
        page = run(lab, "ansible-playbook", STATUS)
    unknown = [client for client in clients if client["unknown"]]
    assert sorted(client["client_id"] for client in unknown if client["kind"] == "client") == sorted(HOSTILE)
    assert [client["client_id"] for client in unknown if client["kind"] == "socket"] == [None]
    for client in unknown:
        assert client["host"] is None
        assert uses([client], "consumes") == ({"queue://strange"} if client["kind"] == "client" else set())
    assert page.returncode == 0, page.stdout
    assert "id {{ 1 + 1 }}, consumes strange" in page.stdout
    assert nothing_changed(page.stdout)
    traffic.stop(lab)
    audit = traffic.settle(lab)
    assert audit.passed, audit.render()


@pytest.mark.long
def test_a_bridge_is_recognised_on_both_brokers(up: Up) -> None:
    lab = up()
    traffic.start(lab)
    bridge(lab)

    def seen(broker: str) -> dict[str, dict[str, Any]]:
        return {client["client_id"]: client for client in census(lab, broker, query="[?kind == 'bridge']")}

    shell.wait_for(lambda: lab.active_target() is not None, 60, "the restart of the target")
    shell.wait_for(lambda: any(name.endswith("_outbound") for name in seen("mq_source")), 60, "the bridge", interval=1)
    found = seen("mq_source")
    far = [client for client in found.values() if client["address"] is not None]
    assert [client["address"] for client in far] == [lab.hosts[str(lab.active_target())].address]
    # A duplex bridge has ends inside the broker too, which consume and produce.
    assert any("_inbound_" in name for name in found)
    shell.wait_for(
        lambda: "queue://orders.new" in uses(list(seen("mq_target").values()), "consumes"), 60, "the demand", interval=1
    )
    assert not [client for client in census(lab, "mq_source") if client["unknown"]]
    done = run(lab, "ansible-playbook", STATUS)
    assert "onprem: bridge" in done.stdout
    traffic.stop(lab)
    audit = traffic.settle(lab)
    assert audit.passed, audit.render()


@pytest.mark.long
def test_the_page_follows_a_migration_and_says_when_a_broker_is_gone(up: Up) -> None:
    lab = up()
    traffic.start(lab)

    def page(*options: str) -> str:
        done = run(lab, "ansible-playbook", STATUS, *options)
        assert done.returncode == 0, done.stdout
        assert nothing_changed(done.stdout)
        for secret in (plan.APP_PASSWORD, plan.CONSOLE_PASSWORD):
            assert secret not in done.stdout + done.stderr
        return done.stdout

    before = page()
    for words in ("SOURCE onprem", "TARGET lab-target", "PROBLEMS (phase source)", "  nobody"):
        assert words in before
    assert "PROBLEMS (phase source)" in page("--check")
    assert "broker lab-target: no consumer for invoices.new, orders.done, orders.new" in page(
        "-e", "status_phase=both_source_first"
    )
    assert demo.playbook(lab, demo.PLAYBOOK) == 0
    after = page()
    assert "PROBLEMS (phase target)" in after
    assert after.count("lab-target: ") == len(lab.plan.services)

    faults.inject(lab, "kill", plan.SOURCE)
    gone = page()
    assert "cannot be observed: jolokia view of http://source.lab:8161/api/jolokia" in gone
    assert "ActiveMQ" in gone.partition("TARGET lab-target")[2]
    faults.inject(lab, "start", plan.SOURCE)

    traffic.stop(lab)
    audit = traffic.settle(lab)
    assert audit.passed, audit.render()


def test_a_migration_does_not_begin_with_a_view_that_cannot_know_what_it_needs(up: Up) -> None:
    lab = up()
    traffic.start(lab)
    source = variables(lab)["mq_source"]
    stomp = [url for url in source["endpoints"] if url.startswith("stomp:")]
    blind = json.dumps({"mq_source": {**source, "view": {"type": "statistics", "url": stomp}}})
    accepted = json.dumps({"preflight_accept_unknown": ["durable_subscriptions"]})
    # Only the first phase has a tag that always runs.
    task = ("ansible-playbook", demo.PLAYBOOK, "--tags", "none_of_them", "-e", blind)

    refused, begun = run(lab, *task), run(lab, *task, "-e", accepted)

    assert refused.returncode != 0
    assert "broker onprem: the view cannot know durable_subscriptions. preflight_accept_unknown" in refused.stdout
    assert nothing_changed(refused.stdout)
    assert begun.returncode == 0, begun.stdout
    traffic.stop(lab)
    audit = traffic.settle(lab)
    assert audit.passed, audit.render()
