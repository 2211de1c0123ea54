# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole migration under live traffic, counted: the demo, and the same thing repeated for figures."""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from lab import ledger, plan, shell, traffic
from lab.lab import Lab
from lab.shell import LabError

PLAYBOOK = "mqlift.amazon_mq.migrate_no_interruption"
#: The demo moves at least this many messages.
MESSAGES = 5000


@dataclass(frozen=True)
class Outcome:
    """The figures of one migration; seconds."""

    passed: bool
    reason: str
    produced: int
    consumed: int
    lost: int
    duplicated: int
    reordered: int
    producer_gap_s: float
    delivery_gap_s: float
    elapsed_s: float

    def line(self) -> str:
        """The line that ends a demo."""
        figures = [f"{key}={value}" for key, value in asdict(self).items() if key not in {"passed", "reason"}]
        verdict = "PASSED" if self.passed else f"FAILED ({self.reason})"
        return f"demo: {verdict} {' '.join(figures)}"


def migrate(
    lab: Lab,
    *,
    messages: int = MESSAGES,
    lead: float = 5,
    during: Callable[[subprocess.Popen[bytes]], None] | None = None,
    options: Sequence[str] = (),
    say: Callable[[str], None] = print,
) -> tuple[Outcome, ledger.Audit]:
    """Run the playbook *lead* seconds into the traffic, keep producing up to *messages*, audit.

    *during* is called while the playbook runs.
    """
    started = time.monotonic()
    traffic.start(lab)
    say(f"traffic: {len(lab.plan.services)} services connected, producers send")
    time.sleep(lead)
    status = playbook(lab, PLAYBOOK, options, during)
    reason = "" if status == 0 else f"the playbook ended with status {status}"
    if status == 0:
        traffic.wait_produced(lab, messages, timeout=120)
    traffic.stop(lab)
    say("traffic: producers stopped, waiting for what is under way")
    audit = traffic.settle(lab)
    reasons = [reason, "" if audit.passed else "the audit failed", *where_services_are(lab)]
    reason = "; ".join(text for text in reasons if text)
    outcome = Outcome(
        passed=not reason,
        reason=reason,
        produced=audit.produced,
        consumed=audit.consumed,
        lost=audit.lost,
        duplicated=audit.duplicated,
        reordered=audit.reordered,
        producer_gap_s=round(audit.producer_gap.seconds if audit.producer_gap else 0, 2),
        delivery_gap_s=round(audit.delivery_gap.seconds if audit.delivery_gap else 0, 2),
        elapsed_s=round(time.monotonic() - started, 1),
    )
    return outcome, audit


def playbook(
    lab: Lab,
    name: str,
    options: Sequence[str] = (),
    during: Callable[[subprocess.Popen[bytes]], None] | None = None,
) -> int:
    """Run a playbook of the collection against the lab, its output shown as it comes."""
    command = [*lab.controller(), "ansible-playbook", name, *options]
    environment = {**os.environ, **lab.environment()}
    # A session of its own, so that it can be ended with all its workers.
    with subprocess.Popen(command, env=environment, start_new_session=during is not None) as process:
        if during is not None:
            during(process)
        return process.wait()


def where_services_are(lab: Lab) -> list[str]:
    """Sentences about services that are not connected to the target, and to it alone."""
    findings = []
    for placement in lab.plan.services:
        last = traffic.last_address(lab, placement)
        if last not in target_addresses(lab):
            findings.append(f"{placement.name} on {placement.host} is connected to {last or 'nothing'}")
    return findings


def target_addresses(lab: Lab) -> set[str]:
    """Addresses and names of the target's instances."""
    return {known for name in plan.TARGETS for known in (lab.hosts[name].address, lab.name_of(name))}


def demo(lab: Lab, outcome: Outcome, audit: ledger.Audit) -> None:
    """Show the result and write it down."""
    print(audit.render())
    shell.write(lab.folder / "demo.json", json.dumps(asdict(outcome), indent=1) + "\n")
    print(outcome.line(), flush=True)


def random_lead(low: float = 1, high: float = 6) -> float:
    """A random wait before the playbook starts, so that repeated runs meet the services at other moments."""
    return random.uniform(low, high)


def failover(lab: Lab) -> None:
    """Reboot the target through the AWS API, as an operator or a maintenance would."""
    command = [*lab.controller(), *lab.command(), "reboot-target"]
    if subprocess.run(command, env={**os.environ, **lab.environment()}, check=False).returncode != 0:
        raise LabError("the reboot of the target failed")
