# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on purpose: what a night can bring, for a host, a broker or a service."""

from __future__ import annotations

import signal
from typing import Literal

from lab import brokers, network, plan, shell
from lab.hosts import Host, NamespaceHost
from lab.lab import Lab
from lab.shell import LabError

Kind = Literal["kill", "stop", "start", "freeze", "thaw", "partition", "heal", "delay"]
KINDS: tuple[Kind, ...] = ("kill", "stop", "start", "freeze", "thaw", "partition", "heal", "delay")


def inject(lab: Lab, kind: Kind, host_name: str, *, milliseconds: int = 0) -> None:
    """Do *kind* to a host, or to the one program of interest that runs on it.

    kill, stop and start act on the host's broker or service; freeze and thaw on all its processes; partition, heal and
    delay on its network.
    """
    host = _host(lab, host_name)
    if kind in {"stop", "start"}:
        for name in _units(lab, host_name):
            host.unit(kind, name)
    elif kind == "kill":
        for name in _units(lab, host_name):
            _kill(host, name)
    elif kind in {"freeze", "thaw"}:
        host.freeze(kind == "freeze")
    else:
        if not isinstance(host, NamespaceHost):
            raise LabError(f"{kind} needs hosts with a network of their own, these are plain processes")
        _network(lab, kind, host, milliseconds)


def _kill(host: Host, name: str) -> None:
    pid = host.unit_pid(name)
    if pid is None:
        raise LabError(f"{name} on {host.name} does not run")
    shell.signal_process(pid, signal.SIGKILL)
    shell.wait_for(lambda: host.unit_pid(name) is None, 10, f"the end of {name} on {host.name}")


def _network(lab: Lab, kind: Kind, host: NamespaceHost, milliseconds: int) -> None:
    switch = network.switch_name(lab.id)
    port = network.port(host.address)
    if kind == "delay":
        network.delay(lab.id, port, milliseconds, lab.command(), lab.folder / "delay.log")
        return
    if kind == "heal":
        network.undelay(lab.id, port)
    shell.run(["ip", "-n", switch, "link", "set", port, "down" if kind == "partition" else "up"])


def _host(lab: Lab, name: str) -> Host:
    if name == "target-active":
        active = lab.active_target()
        if active is None:
            raise LabError("the target has no active instance")
        name = active
    return lab.host(name)


def _units(lab: Lab, host: str) -> list[str]:
    if host in {plan.SOURCE, *plan.TARGETS, "target-active"}:
        return [brokers.UNIT]
    return [placement.name for placement in lab.plan.services if placement.host == host]
