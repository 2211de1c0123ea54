# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reboot the lab's target again and again: what broker_failover measures, beside a client that retries every 20 ms.

python tests/benchmark/failover.py [--runs N]; see `make bench-failover`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from lab import plan, retry_client, traffic
from lab.guard import guarded
from lab.lab import Lab, exclusive
from lab.retry_client import Window
from lab.shell import LabError

PLAYBOOKS = Path(__file__).parents[1] / "integration/playbooks"


def main() -> int:
    """Print a line for each run, then the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    runs = parser.parse_args().runs
    rows: list[dict[str, float]] = []
    with TemporaryDirectory(prefix="mqlift-bench-") as folder:
        lab = Lab(Path(folder) / "lab")
        with exclusive(lab), guarded(lab):
            lab.up(plan.named("demo"))
            play(lab, "client.yml", client_phase="target")
            traffic.start(lab)
            for number in range(1, runs + 1):
                row = measure(lab)
                rows.append(row)
                print(f"run {number}: {' '.join(f'{key}={value:g}' for key, value in row.items())}", flush=True)
            traffic.stop(lab)
            audit = traffic.settle(lab)
    print(f"{'figure':22} {'median':>8} {'worst':>8}   of {runs} runs")
    for key in rows[0]:
        values = [row[key] for row in rows]
        worst = min(values) if key in {"failovers", "sent"} else max(values)
        print(f"{key:22} {statistics.median(values):8.3f} {worst:8.3f}")
    print(audit.render())
    return 0 if audit.passed else 1


def measure(lab: Lab) -> dict[str, float]:
    """One reboot, in figures; seconds."""
    path = lab.folder / "failover.json"
    with retry_client.watching(lab) as output:
        play(lab, "failover.yml", result_path=str(path))
        seen = retry_client.windows(output)
    result: dict[str, Any] = json.loads(path.read_text())
    outages = result["outages"]
    return {
        "failovers": result["failovers"],
        "first_outage_s": outages[0]["seconds"],
        "second_outage_s": outages[-1]["seconds"],
        "begins_differ_s": difference(outages, seen, "begin"),
        "ends_differ_s": difference(outages, seen, "end"),
        "lost": result["canary"]["lost"],
        "duplicated": result["canary"]["duplicated"],
        "reordered": result["canary"]["reordered"],
        "sent": result["canary"]["sent"],
        "canary_gap_s": result["canary"]["max_gap"],
        "elapsed_s": result["elapsed"],
    }


def difference(ours: Sequence[dict[str, Any]], theirs: Sequence[Window], what: Literal["begin", "end"]) -> float:
    """The largest difference of begins or ends, in seconds. Raises LabError when the numbers of outages differ."""
    if len(ours) != len(theirs):
        raise LabError(f"broker_failover saw {len(ours)} outages, the client {len(theirs)}")
    return max(abs(float(one[what]) - other[what]) for one, other in zip(ours, theirs, strict=True))


def play(lab: Lab, name: str, **variables: str) -> None:
    """Run a playbook of the integration tests. Raises LabError."""
    done = subprocess.run(
        [*lab.controller(), "ansible-playbook", str(PLAYBOOKS / name), "-e", json.dumps(variables)],
        env={**os.environ, **lab.environment(), "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise LabError(f"{name} failed: {done.stdout[-2000:]}")


if __name__ == "__main__":
    sys.exit(main())
