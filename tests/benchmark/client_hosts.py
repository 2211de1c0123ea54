# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the role client takes for each of 10 and of 100 hosts, beside bare ssh, sed and systemctl restart.

The inventory's hosts are all the same host of the lab, each with a service of its own, so that the figures are those of
the role and not of a hundred machines on one. A service is a shell that holds a connection. Bare ssh edits the file and
restarts; it does not look where a service connects, and cannot undo anything.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from lab import plan
from lab.guard import guarded
from lab.hosts import Host
from lab.lab import Lab, exclusive

HOST = "orders-1"
PLAYBOOK = Path(__file__).resolve().parents[1] / "integration/playbooks/client.yml"
CLIENT = """#!/bin/bash
# Connects to the address in the settings file, and stays until the broker ends the connection.
address=$(sed -n 's/^broker.address=//p' "/etc/bench/$1.properties")
exec 3<>"/dev/tcp/${address%:*}/${address##*:}" && exec cat <&3 >/dev/null
"""
UNIT = """[Service]
ExecStart=/bin/bash /etc/bench/client %i
Restart=always
RestartSec=100ms
"""


def prepare(host: Host, address: str, count: int) -> None:
    """Lay down *count* services that are connected to *address*, and start them."""
    lines = ["set -e", "mkdir -p /etc/bench"]
    lines += [f"printf %s {shlex.quote(CLIENT)} >/etc/bench/client"]
    lines += [f"printf %s {shlex.quote(UNIT)} >/etc/systemd/system/bench@.service"]
    lines += [f"echo broker.address={address} >/etc/bench/{number}.properties" for number in range(count)]
    lines += ["systemctl daemon-reload", f"systemctl start bench@{{0..{count - 1}}}"]
    host.execute(["bash", "-c", "\n".join(lines)], timeout=120)


def inventory(lab: Lab, count: int) -> dict[str, Any]:
    """The lab's inventory with *count* hosts that are one."""
    document: dict[str, Any] = yaml.safe_load((lab.folder / "inventory.yml").read_text())
    host = document["all"]["children"]["mq_clients"]["hosts"][HOST]
    clients = {}
    for number in range(count):
        settings = {
            "path": f"/etc/bench/{number}.properties",
            "format": "properties",
            "values": {"broker.address": "{{ mq_hosts[0].address }}"},
        }
        service = {
            "name": f"bench@{number}",
            "role": "producer",
            "manager": "systemd",
            "dialect": "activemq",
            "protocol": "openwire",
            "settings": [settings],
        }
        clients[f"app-{number:03}"] = {**host, "mq_services": [service]}
    document["all"]["children"]["mq_clients"]["hosts"] = clients
    return document


def timed(run: Callable[[], None]) -> float:
    """The seconds that something takes."""
    started = time.monotonic()
    run()
    return time.monotonic() - started


def command(lab: Lab, argv: Sequence[str]) -> None:
    """Run a command where the controller is; ends this program when it fails."""
    done = subprocess.run(
        [*lab.controller(), *argv], env={**os.environ, **lab.environment()}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"{shlex.join(argv)}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def role(lab: Lab, file: Path, phase: str, forks: int) -> None:
    """Bring all hosts to a phase with the role."""
    # What holds the connections here is no client that a broker would list.
    variables = {"client_phase": phase, "client_stable_for": 0, "client_ask_broker": False, "batches": ["100%"]}
    argv = ["ansible-playbook", str(PLAYBOOK), "-i", str(file), "-f", str(forks), "-e", json.dumps(variables)]
    command(lab, argv)


def bare(lab: Lab, address: str, count: int, forks: int) -> None:
    """Do to all hosts what one would do by hand."""
    host = lab.hosts[HOST]
    ssh = ["ssh", "-i", str(lab.ssh / "id"), "-p", str(host.ssh_port)]
    for option in (
        f"UserKnownHostsFile={lab.ssh / 'known_hosts'}",
        "ControlMaster=auto",
        "ControlPersist=60s",
        f"ControlPath={lab.sockets}/bench",
    ):
        ssh += ["-o", option]

    def one(number: int) -> None:
        edit = f"sed -i 's/^broker.address=.*/broker.address={address}/' /etc/bench/{number}.properties"
        command(lab, [*ssh, f"root@{host.address}", f"{edit} && systemctl restart bench@{number}"])

    one(0)  # the connection that the others share
    with ThreadPoolExecutor(forks) as pool:
        list(pool.map(one, range(count)))


def measure(lab: Lab, count: int, forks: int, folder: Path) -> dict[str, float]:
    """The seconds for *count* hosts: bare, with the role, and with the role when everything is right already."""
    source = f"{lab.name_of(plan.SOURCE)}:{plan.OPENWIRE}"
    target = f"{lab.name_of(plan.TARGETS[0])}:{plan.OPENWIRE_TLS}"
    prepare(lab.hosts[HOST], source, count)
    file = folder / f"{count}.yml"
    file.write_text(yaml.safe_dump(inventory(lab, count)))
    return {
        "bare": timed(lambda: bare(lab, target, count, forks)),
        "role": timed(lambda: role(lab, file, "source", forks)),
        "again": timed(lambda: role(lab, file, "source", forks)),
    }


def main() -> None:
    """Bring a lab up, measure, print a table, take the lab down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=[10, 100])
    parser.add_argument("--forks", type=int, default=8, help="at most 10, the sessions of one ssh connection")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="mqlift-bench-") as name:
        lab = Lab(Path(name) / "lab")
        with exclusive(lab), guarded(lab):
            lab.up(plan.DEMO)
            print(f"{'hosts':>5}  {'what':26} {'total s':>8} {'s/host':>7} {'/ bare':>7}")
            for count in options.counts:
                found = measure(lab, count, options.forks, Path(name))
                for key, text in (("bare", "ssh, sed, restart"), ("role", "role"), ("again", "role, nothing to do")):
                    ratio = found[key] / found["bare"]
                    print(f"{count:5}  {text:26} {found[key]:8.1f} {found[key] / count:7.3f} {ratio:7.1f}", flush=True)


if __name__ == "__main__":
    main()
