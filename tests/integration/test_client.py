# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role client on the lab: every format and manager, every phase and entry point, under live traffic."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import demo, plan, shell, traffic
from lab.hosts import SUPERVISOR, SUPERVISOR_CONFIG
from lab.lab import Lab

Up = Callable[..., Lab]
PLAYBOOKS = Path(__file__).with_name("playbooks")
SECRETS = (plan.APP_PASSWORD, plan.OLD_PASSWORD)
TARGET_FIRST = ["worker-1", "notifier-1", "notifier-2"]


def play(lab: Lab, name: str, *options: str, **variables: Any) -> subprocess.CompletedProcess[str]:
    """Run one of the playbooks beside this file where the controller is, its output kept."""
    return subprocess.run(
        [*lab.controller(), "ansible-playbook", str(PLAYBOOKS / name), "-e", json.dumps(variables), *options],
        env={**os.environ, **lab.environment(), "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def succeed(done: subprocess.CompletedProcess[str]) -> str:
    """The output of a playbook, which must have passed."""
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr
    return done.stdout


def nothing_changed(output: str) -> bool:
    """Whether a playbook's recap counts no change on any host."""
    recap = output.rpartition("PLAY RECAP")[2].strip().splitlines()[1:]
    return bool(recap) and all(" changed=0 " in line for line in recap)


def state(lab: Lab) -> dict[str, tuple[str, int | None]]:
    """Each service's settings and process."""
    found = {}
    for item in lab.plan.services:
        host = lab.hosts[item.host]
        found[item.host] = (host.execute(["cat", item.settings_path]).stdout, host.unit_pid(item.name))
    return found


def where(lab: Lab, *hosts: str) -> set[str]:
    """The brokers' hosts to which the services of these hosts are connected; of all hosts, when none are named."""
    known = {
        name: broker
        for broker in (plan.SOURCE, *plan.TARGETS)
        for name in (lab.hosts[broker].address, lab.name_of(broker))
    }
    chosen = [item for item in lab.plan.services if not hosts or item.host in hosts]
    return {known.get(traffic.last_address(lab, item), "none") for item in chosen}


def inventory(lab: Lab) -> dict[str, Any]:
    """The lab's inventory, to be changed and given to change()."""
    found: dict[str, Any] = yaml.safe_load((lab.folder / "inventory.yml").read_text())
    return found


def change(lab: Lab, document: dict[str, Any]) -> list[str]:
    """Options for ansible-playbook to use another inventory."""
    path = lab.folder / "changed.yml"
    path.write_text(yaml.safe_dump(document))
    return ["-i", str(path)]


def service_of(document: dict[str, Any], host: str) -> dict[str, Any]:
    """The service of a host in an inventory."""
    found: dict[str, Any] = document["all"]["children"]["mq_clients"]["hosts"][host]["mq_services"][0]
    return found


def test_seven_formats_and_four_managers_go_to_the_target_and_back_without_a_loss(up: Up) -> None:
    lab = up("formats")
    assert len({item.format for item in lab.plan.services}) == 7
    assert len({item.manager for item in lab.plan.services}) == 4
    traffic.start(lab)

    done = play(lab, "client.yml", client_phase="both_source_first", mq_both={})
    assert "give a pair that is valid on both in mq_both" in done.stdout
    assert done.returncode != 0
    succeed(play(lab, "client.yml", client_phase="source_tls"))
    assert all(str(plan.OPENWIRE_TLS) in text or str(plan.STOMP_TLS) in text for text, _pid in state(lab).values())

    succeed(play(lab, "move.yml", to="target", target_first=TARGET_FIRST))
    assert where(lab) == {"target-1"}
    before = state(lab)
    assert nothing_changed(succeed(play(lab, "client.yml", client_phase="target")))
    assert nothing_changed(succeed(play(lab, "client.yml", client_phase="target", entry_point="verify")))
    assert state(lab) == before

    done = play(lab, "client.yml", "--check", "--diff", "-vvv", client_phase="source")
    assert "+broker.url = failover:(tcp://source.lab" in succeed(done)
    assert not any(secret in done.stdout + done.stderr for secret in SECRETS)
    assert state(lab) == before

    succeed(play(lab, "move.yml", to="source", target_first=TARGET_FIRST))
    assert where(lab) == {plan.SOURCE}

    traffic.stop(lab)
    audit = traffic.settle(lab)
    assert audit.passed, audit.render()
    assert audit.produced > 1000


def test_stop_and_start_and_a_service_chosen_by_name(up: Up) -> None:
    lab = up("formats")
    traffic.start(lab)
    succeed(play(lab, "client.yml", entry_point="stop", client_services=["notifier"]))
    stopped = {item.host for item in lab.plan.services if lab.hosts[item.host].unit_pid(item.name) is None}
    assert stopped == {"notifier-1", "notifier-2", "notifier-3"}
    succeed(play(lab, "client.yml", entry_point="stop"))
    assert all(pid is None for _settings, pid in state(lab).values())
    assert nothing_changed(succeed(play(lab, "client.yml", entry_point="stop")))
    succeed(play(lab, "client.yml", entry_point="start"))
    assert nothing_changed(succeed(play(lab, "client.yml", entry_point="start")))
    succeed(play(lab, "client.yml", entry_point="verify", client_phase="source"))
    assert where(lab) == {plan.SOURCE}
    traffic.stop(lab)
    audit = traffic.settle(lab)
    assert audit.passed, audit.render()


@pytest.mark.long
def test_a_second_instance_runs_on_the_target_only_while_scaled_out(up: Up) -> None:
    lab = up("formats")
    host, name = lab.hosts["worker-2"], "order-worker-b"
    # What a user prepares: a second unit with files of its own.
    host.execute(["cp", "-r", "/etc/order-worker", f"/etc/{name}"])
    unit = "/etc/systemd/system/order-worker"
    host.execute(["sh", "-c", f"sed s/order-worker/{name}/g {unit}.service >{unit}-b.service"])
    host.execute(["systemctl", "daemon-reload"])
    traffic.start(lab)
    document = inventory(lab)
    service = service_of(document, "worker-2")
    # A value may be made of a part of the list.
    service["settings"][0]["values"]["BROKER_URL"] = "{{ mq_url.split('?')[0] }}?{{ mq_url.split('?')[1] }}"
    settings = [{**service["settings"][0], "path": f"/etc/{name}/environment"}]
    service["scale_out"] = {"name": name, "settings": settings}
    options = [*change(lab, document), "--limit", "worker-2"]

    succeed(play(lab, "client.yml", *options, client_phase="source"))
    first = host.unit_pid("order-worker")
    succeed(play(lab, "client.yml", *options, client_phase="scale_out"))
    assert host.unit_pid("order-worker") == first
    second = host.unit_pid(name)
    assert second is not None
    ledger = (lab.ledger / f"worker-2.{name}.jsonl").read_text()
    assert lab.name_of(plan.TARGETS[0]) in ledger or lab.hosts[plan.TARGETS[0]].address in ledger
    assert nothing_changed(succeed(play(lab, "client.yml", *options, client_phase="scale_out")))
    assert host.unit_pid(name) == second

    succeed(play(lab, "client.yml", *options, client_phase="target"))
    assert host.unit_pid(name) is None
    assert where(lab, "worker-2") == {"target-1"}
    assert nothing_changed(succeed(play(lab, "client.yml", *options, client_phase="target")))
    traffic.stop(lab)
    audit = traffic.settle(lab)
    assert audit.passed, audit.render()


@pytest.mark.long
def test_random_is_either_broker_and_a_sick_service_gets_its_files_back(up: Up) -> None:
    lab = up("formats")
    traffic.start(lab)
    java = ["--limit", "orders-1,worker-1,worker-2"]
    succeed(play(lab, "client.yml", *java, client_phase="random"))
    assert where(lab, "orders-1", "worker-1", "worker-2") <= {plan.SOURCE, "target-1"}
    assert "randomize=true" in state(lab)["orders-1"][0]
    succeed(play(lab, "client.yml", *java, client_phase="source"))

    # One that ran, one that did not; one is ill, the other does not answer.
    host = lab.hosts["notifier-2"]
    host.execute(["/etc/init.d/notifier", "stop"])
    before = state(lab)
    document = inventory(lab)
    service_of(document, "notifier-1")["health"] = {"argv": ["/bin/false"]}
    service_of(document, "notifier-2")["health"] = {"command": "sleep 600"}
    options = [*change(lab, document), "--limit", "notifier-1,notifier-2"]
    done = play(lab, "client.yml", *options, client_phase="target", client_verify_timeout=10, batches=["100%"])
    assert done.returncode != 0
    for words in (
        "notifier-1: service notifier: phase target: Ask the service whether it is well",
        "its former files are back, and it was restarted",
        "notifier-2: service notifier: phase target: Ask the service whether it is well",
        "its former files are back, and it is stopped, as before",
    ):
        assert words in done.stdout
    after = state(lab)
    assert {name: settings for name, (settings, _pid) in after.items()} == {
        name: settings for name, (settings, _pid) in before.items()
    }
    assert after["notifier-1"][1] not in (None, before["notifier-1"][1])
    assert after["notifier-2"][1] is None
    shell.wait_for(lambda: where(lab, "notifier-1") == {plan.SOURCE}, 10, "the return of the service")
    assert demo.playbook(lab, str(PLAYBOOKS / "client.yml"), ["-e", "client_phase=source"]) == 0


def test_a_program_that_crashes_is_stopped_for_good(up: Up) -> None:
    lab = up("formats")
    host, placement = lab.hosts["notifier-1"], next(item for item in lab.plan.services if item.host == "notifier-1")
    away = f"{placement.settings_path}.away"
    host.execute(["mv", placement.settings_path, away])
    program = [str(SUPERVISOR.with_name("supervisorctl")), "-c", SUPERVISOR_CONFIG]
    host.execute([*program, "start", placement.name], check=False)
    shell.wait_for(
        lambda: "BACKOFF" in host.execute([*program, "status"], check=False).stdout, 10, "a program that crashes"
    )
    options = ["--limit", "notifier-1"]
    succeed(play(lab, "client.yml", *options, entry_point="stop"))
    assert "STOPPED" in host.execute([*program, "status"], check=False).stdout
    host.execute(["mv", away, placement.settings_path])
    succeed(play(lab, "client.yml", *options, entry_point="start"))
    succeed(play(lab, "client.yml", *options, entry_point="verify", client_phase="source"))
