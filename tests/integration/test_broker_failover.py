# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A failover of the target, measured by the collection and by a client that knows nothing of it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab import demo, faults, plan, retry_client, traffic
from lab.lab import Lab

Up = Callable[..., Lab]
PLAYBOOKS = Path(__file__).with_name("playbooks")
#: Seconds by which the two clients may differ.
AGREEMENT = 0.1


def play(lab: Lab, name: str, *options: str, **variables: Any) -> subprocess.CompletedProcess[str]:
    """Run one of the playbooks beside this file where the controller is, its output kept."""
    return subprocess.run(
        [*lab.controller(), "ansible-playbook", str(PLAYBOOKS / name), "-e", json.dumps(variables), *options],
        env={**os.environ, **lab.environment(), "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def measure(lab: Lab, **variables: Any) -> tuple[dict[str, Any], str]:
    """Run the playbook; what the module returned and what was shown."""
    path = lab.folder / "failover.json"
    done = play(lab, "failover.yml", result_path=str(path), **variables)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr
    return json.loads(path.read_text()), done.stdout


@pytest.mark.alone
def test_a_reboot_is_two_failovers_that_a_client_of_its_own_confirms(up: Up) -> None:
    lab = up()
    # Before there is traffic: a move at one stroke, without a drain, leaves on the source what nobody took there.
    moved = play(lab, "client.yml", client_phase="target")
    assert moved.returncode == 0, moved.stdout[-8000:]
    traffic.start(lab)
    with retry_client.watching(lab) as output:
        result, shown = measure(lab)
        seen = retry_client.windows(output)
    assert result["passed"]
    assert result["failovers"] == 2
    assert result["active_before"] == result["active_after"] == plan.instance_name(1)
    assert len(seen) == len(result["outages"]) == 2
    for ours, theirs in zip(result["outages"], seen, strict=True):
        assert abs(ours["begin"] - theirs["begin"]) < AGREEMENT, (ours, theirs)
        assert abs(ours["end"] - theirs["end"]) < AGREEMENT, (ours, theirs)
    assert result["canary"]["lost"] == 0
    assert result["canary"]["sent"] == result["canary"]["received"] > 50
    states = [event["detail"] for event in result["timeline"] if event["event"] == "state"]
    assert states == ["RUNNING", "REBOOT_IN_PROGRESS", "RUNNING"]
    before = {row["queue"]: row["before"] for row in result["consumers"]}
    assert before["orders.new"] == 2
    assert "ceased to answer" in shown
    assert plan.APP_PASSWORD not in shown

    # The same without the API: somebody kills the active instance.
    def kill() -> subprocess.Popen[str]:
        command = [*lab.controller(), "ansible-playbook", str(PLAYBOOKS / "failover.yml"), "-e"]
        variables = {"failover_trigger": "none", "result_path": str(lab.folder / "killed.json")}
        return subprocess.Popen(
            [*command, json.dumps(variables)],
            env={**os.environ, **lab.environment(), "ANSIBLE_NOCOLOR": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )

    with kill() as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "waiting for a failover" in line:
                faults.inject(lab, "kill", "target-active")
        assert process.wait() == 0
    killed = json.loads((lab.folder / "killed.json").read_text())
    assert killed["failovers"] == 1
    assert killed["active_after"] == plan.instance_name(2)
    assert killed["canary"]["lost"] == 0
    assert not any(event["event"] == "reboot" for event in killed["timeline"])

    # Check mode finds the active instance and leaves it alone.
    checked = play(lab, "failover.yml", "--check", result_path=str(lab.folder / "checked.json"))
    assert checked.returncode == 0, checked.stdout[-4000:]
    assert lab.active_target() == "target-2"

    traffic.stop(lab)
    audit = traffic.settle(lab)
    assert audit.passed, audit.render()
    assert not demo.where_services_are(lab)
