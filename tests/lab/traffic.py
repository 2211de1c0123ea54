# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The services' messages: starting and stopping them, and telling when all have arrived."""

from __future__ import annotations

import json
import time

from lab import ledger, plan, shell
from lab.lab import Lab
from lab.shell import LabError


def start(lab: Lab) -> None:
    """Start every service and let the producers send."""
    lab.start_services()
    try:
        shell.wait_for(lambda: not unconnected(lab), 60, "the connection of every service")
    except LabError as error:
        raise LabError(f"{error}: {', '.join(unconnected(lab))}") from error
    lab.produce.touch()


def stop(lab: Lab) -> None:
    """Let the producers send no more; everything keeps running. Raises LabError when no lab is up."""
    lab.require()
    assert lab.record
    lab.produce.unlink(missing_ok=True)


def unconnected(lab: Lab) -> list[str]:
    """The services that have never been connected to a broker, as "service on host"."""
    missing = []
    for placement in lab.plan.services:
        path = lab.ledger / f"{placement.host}.{placement.name}.jsonl"
        if not path.exists() or '"connected"' not in path.read_text():
            missing.append(f"{placement.name} on {placement.host}")
    return missing


def last_address(lab: Lab, placement: plan.Placement) -> str:
    """The broker's address of a service's last connection, empty when it is not connected."""
    address = ""
    path = lab.ledger / f"{placement.host}.{placement.name}.jsonl"
    for line in path.read_text().splitlines():
        if '"ev":"connected"' in line or '"ev":"disconnected"' in line:
            event = json.loads(line)
            address = _host_of(event.get("x", "")) if event["ev"] == "connected" else ""
    return address


def _host_of(remote: str) -> str:
    """The address in tcp://name/10.99.0.11:61617@4711, ssl://10.99.0.11:61617 or 10.99.0.11:61617."""
    return remote.rpartition("/")[2].partition("@")[0].rpartition(":")[0]


def produced(lab: Lab) -> int:
    """How many messages were confirmed so far."""
    return sum(path.read_bytes().count(b'"ev":"sent"') for path in lab.ledger.glob("*.jsonl"))


def settle(lab: Lab, *, timeout: float = 600, quiet: float = 10) -> ledger.Audit:
    """Wait until every message has arrived, or nothing has for *quiet* seconds, and audit."""
    end = time.monotonic() + timeout
    last, since = -1, time.monotonic()
    while True:
        audit = ledger.audit(ledger.read(lab.ledger))
        if audit.lost == 0 or time.monotonic() > end:
            return audit
        if audit.consumed != last:
            last, since = audit.consumed, time.monotonic()
        elif time.monotonic() - since > quiet:
            return audit
        time.sleep(0.5)


def wait_produced(lab: Lab, count: int, timeout: float) -> None:
    """Wait until *count* messages were confirmed."""
    shell.wait_for(lambda: produced(lab) >= count, timeout, f"the confirmation of {count} messages", interval=0.2)
