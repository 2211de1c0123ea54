# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The no-interruption migration on the lab, under live traffic, with every message counted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from lab import demo, faults, plan, shell, traffic
from lab.lab import Lab

Up = Callable[..., Lab]
MESSAGES = 2000


def wait_for_first_producer(lab: Lab) -> None:
    """Wait until a producer is connected to the target: the middle of the migration, whenever that is."""
    placements = [item for item in lab.plan.services if item.role == "producer"]
    shell.wait_for(
        lambda: any(traffic.last_address(lab, item) in demo.target_addresses(lab) for item in placements),
        300,
        "the move of the first producer",
    )


def run(lab: Lab, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command where the controller is, its output kept."""
    return subprocess.run(
        [*lab.controller(), *arguments],
        env={**os.environ, **lab.environment()},
        capture_output=True,
        text=True,
        check=False,
    )


def pending(lab: Lab, broker: str) -> int:
    """How many messages a broker holds, by the collection's own eyes."""
    variables = yaml.safe_load((lab.folder / "inventory.yml").read_text())["all"]["vars"]
    arguments = json.dumps({"view": variables[broker]["view"]})
    done = run(lab, "ansible", "localhost", "-m", "mqlift.amazon_mq.queue_info", "-a", arguments)
    assert done.returncode == 0, done.stdout
    answer = json.loads(done.stdout.partition("=>")[2])
    return sum(item["pending"] for item in answer["destinations"])


def state_of_services(lab: Lab) -> dict[str, tuple[str, int | None]]:
    """Each service's settings and process."""
    found = {}
    for placement in lab.plan.services:
        host = lab.hosts[placement.host]
        settings = host.execute(["cat", host.inside(placement.settings_path)]).stdout
        found[placement.host] = (settings, host.unit_pid(placement.name))
    return found


def test_a_failover_of_the_target_in_the_middle_loses_nothing(up: Up) -> None:
    lab = up()

    def reboot(_process: subprocess.Popen[bytes]) -> None:
        wait_for_first_producer(lab)
        demo.failover(lab)

    outcome, audit = demo.migrate(lab, messages=MESSAGES, lead=1, during=reboot)
    assert outcome.passed, f"{outcome.reason}\n{audit.render()}"
    assert audit.produced >= MESSAGES


def test_a_run_killed_in_the_middle_is_completed_by_the_next(up: Up) -> None:
    lab = up()
    traffic.start(lab)

    def kill(process: subprocess.Popen[bytes]) -> None:
        wait_for_first_producer(lab)
        # The workers of ansible-playbook go with it: that is what a crash of the controller looks like.
        os.killpg(process.pid, signal.SIGKILL)

    assert demo.playbook(lab, demo.PLAYBOOK, during=kill) != 0
    outcome, audit = demo.migrate(lab, messages=MESSAGES, lead=0)
    assert outcome.passed, f"{outcome.reason}\n{audit.render()}"


@pytest.mark.long
def test_without_the_drain_the_audit_reports_what_was_left_behind(up: Up) -> None:
    # Slow workers leave a backlog on the source, which nobody consumes once they have moved.
    lab = up("slow")
    outcome, audit = demo.migrate(lab, messages=MESSAGES, lead=5, options=["--skip-tags", "drain"])
    assert not outcome.passed
    assert audit.lost > 0
    assert "the audit failed" in outcome.reason
    assert pending(lab, "mq_source") == audit.lost


def test_check_mode_touches_nothing_and_a_target_with_one_of_two_endpoints_is_refused(up: Up) -> None:
    lab = up()
    traffic.start(lab)
    before = state_of_services(lab)
    done = run(lab, "ansible-playbook", demo.PLAYBOOK, "--check", "--diff")
    assert done.returncode == 0, done.stdout
    assert state_of_services(lab) == before
    for secret in (plan.APP_PASSWORD, plan.CONSOLE_PASSWORD):
        assert secret not in done.stdout + done.stderr

    inventory = yaml.safe_load((lab.folder / "inventory.yml").read_text())
    missing = f"ssl://{lab.name_of('target-2')}:{plan.OPENWIRE_TLS}"
    inventory["all"]["vars"]["mq_target"]["endpoints"].remove(missing)
    wrong = lab.folder / "wrong.yml"
    wrong.write_text(yaml.safe_dump(inventory))
    done = run(lab, "ansible-playbook", demo.PLAYBOOK, "-i", str(wrong))
    assert done.returncode != 0
    assert f"endpoints that mq_target lacks: {missing}" in done.stdout
    assert state_of_services(lab) == before


def test_a_source_that_dies_is_not_called_drained_and_the_next_run_completes(up: Up) -> None:
    lab = up()
    traffic.start(lab)

    def kill_source(_process: subprocess.Popen[bytes]) -> None:
        wait_for_first_producer(lab)
        faults.inject(lab, "kill", plan.SOURCE)
        faults.inject(lab, "start", plan.SOURCE)

    # The consumers went to the target when the source died, and stay there: nobody drains the source.
    assert demo.playbook(lab, demo.PLAYBOOK, ["-e", "drain_stall_timeout=20"], during=kill_source) != 0
    assert pending(lab, "mq_source") > 0
    outcome, audit = demo.migrate(lab, messages=MESSAGES, lead=0)
    assert outcome.passed, f"{outcome.reason}\n{audit.render()}"


@pytest.mark.long
@pytest.mark.parametrize("options", [{"mode": "processes"}, {"choice": "debian"}], ids=["processes", "debian"])
def test_a_lab_of_another_kind_migrates_as_well(up: Up, options: dict[str, str], tmp_path: Path) -> None:
    lab = up(**options)
    outcome, audit = demo.migrate(lab, messages=MESSAGES, lead=1)
    assert outcome.passed, f"{outcome.reason}\n{audit.render()}"


@pytest.mark.long
def test_a_rollback_is_a_migration_with_the_brokers_swapped(up: Up) -> None:
    lab = up()
    outcome, audit = demo.migrate(lab, messages=MESSAGES, lead=1)
    assert outcome.passed, f"{outcome.reason}\n{audit.render()}"

    inventory = yaml.safe_load((lab.folder / "inventory.yml").read_text())
    variables = inventory["all"]["vars"]
    # A list of both brokers has one pair of credentials, which the old broker ignores.
    variables["mq_both"] = {key: variables["mq_target"][key] for key in ("username", "password")}
    variables["mq_source"], variables["mq_target"] = variables["mq_target"], variables["mq_source"]
    swapped = lab.folder / "swapped.yml"
    swapped.write_text(yaml.safe_dump(inventory))

    lab.produce.touch()
    assert demo.playbook(lab, demo.PLAYBOOK, ["-i", str(swapped)]) == 0
    traffic.stop(lab)
    audit = traffic.settle(lab)
    assert audit.passed, audit.render()
    assert audit.produced > outcome.produced
    source = {lab.hosts[plan.SOURCE].address, lab.name_of(plan.SOURCE)}
    assert {traffic.last_address(lab, placement) for placement in lab.plan.services} <= source
