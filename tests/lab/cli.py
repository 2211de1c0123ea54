# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's command line: python -m lab COMMAND."""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from lab import brokers, delay, demo, faults, ledger, plan, traffic
from lab.guard import guard, guarded
from lab.hosts import ProcessHost
from lab.lab import ROOT, Lab, check_machine, exclusive
from lab.shell import LabError

#: Set for commands under exec: a process that is outside the controller's namespaces.
_OUTSIDE = "MQLIFT_LAB_OUTSIDE"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parser = _parser()
    args = parser.parse_args(argv)
    if not args.controller:
        _leave_controller()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return int(args.run(Lab(args.folder), args) or 0)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("lab: interrupted, nothing is left running", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab", description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / ".lab", help="where the lab's state is kept")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, text: str, *, controller: bool = False) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run, controller=controller)
        return sub

    up = command("up", _up, "bring the lab up")
    _add_up_options(up)
    command("down", _down, "take the lab down and remove what it left")
    command("status", _status, "show hosts, brokers, services and software")
    sub = command("traffic", _traffic, "start or stop the services' messages")
    sub.add_argument("action", choices=["start", "stop"])
    sub = command("audit", _audit, "count every message; fails on loss")
    sub.add_argument("--settle", type=float, default=0, metavar="SECONDS", help="wait so long for messages under way")
    sub = command("fault", _fault, "hurt a host, its broker or its service")
    sub.add_argument("kind", choices=faults.KINDS)
    sub.add_argument("host", help="a host's name, or target-active")
    sub.add_argument("--milliseconds", type=int, default=100, help="for delay (default: 100)")
    sub = command("exec", _exec, "run a command where the controller is")
    sub.add_argument("--prepare", action="store_true", help="before the lab is up, for a command that brings it up")
    sub.add_argument("argv", nargs=argparse.REMAINDER)
    sub = command("demo", _demo, "lab up, migration under live traffic, audit, lab down")
    _add_up_options(sub)
    sub.add_argument("--messages", type=int, default=demo.MESSAGES, help="at least so many (default: %(default)s)")
    sub = command("bench", _bench, "repeat the migration with random timing and print a table")
    _add_up_options(sub)
    sub.add_argument("--runs", type=int, default=5)
    sub.add_argument("--messages", type=int, default=2000)
    sub.add_argument("--failover", action="store_true", help="reboot the target in the middle of each run")
    command("reboot-target", _reboot_target, "reboot the target through the AWS API (under exec)", controller=True)

    # What the lab calls itself.
    command("serve-aws", _serve_aws, "internal: the AWS API", controller=True)
    command("create-target", _create_target, "internal: create the target through the AWS API", controller=True)
    sub = command("guard", _guard, "internal: take the lab down when its owner is killed")
    sub.add_argument("descriptor", type=int)
    sub = command("relay", _relay, "internal: a slow link", controller=True)
    sub.add_argument("left")
    sub.add_argument("right")
    sub.add_argument("milliseconds", type=int)
    sub = command("unit", _unit, "internal: the manager of hosts without systemd")
    sub.add_argument("action", choices=["start", "stop", "restart", "status"])
    sub.add_argument("host")
    sub.add_argument("name")
    return parser


def _add_up_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--plan", default="demo", help="demo (6 services) or full (13 services)")
    parser.add_argument("--hosts", choices=["auto", "namespaces", "processes"], default="auto", help="kind of hosts")
    parser.add_argument(
        "--software", choices=["auto", "apache", "debian"], default="auto", help="the brokers' software"
    )


def _leave_controller() -> None:
    """Go back to the machine's own namespaces when called under exec: only there can hosts be made."""
    outside = os.environ.pop(_OUTSIDE, None)
    if outside is not None:
        enter = ["nsenter", f"--target={outside}", "--mount", "--net", f"--wd={Path.cwd()}", "--"]
        os.execvp(enter[0], [*enter, sys.executable, "-m", "lab", *sys.argv[1:]])


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _bring_up(lab: Lab, args: argparse.Namespace) -> None:
    lab.up(plan.named(args.plan), mode=args.hosts, choice=args.software)


def _up(lab: Lab, args: argparse.Namespace) -> None:
    with exclusive(lab):
        if lab.running and lab.healthy():
            print("lab: already up; 'make lab-down' takes it down")
            return
        with guarded(lab):
            try:
                _bring_up(lab, args)
            except BaseException:
                lab.down()
                raise


def _down(lab: Lab, args: argparse.Namespace) -> None:
    started = time.monotonic()
    with exclusive(lab):
        lab.down()
    print(f"lab: down after {time.monotonic() - started:.1f} s")


def _status(lab: Lab, args: argparse.Namespace) -> None:
    record = lab.record
    print(f"plan {record.plan}, hosts: {record.mode} {f'({record.reason})' if record.reason else ''}")
    print(f"source {record.source_software}, target {record.target_software}, AWS API {lab.aws_url}")
    active = lab.active_target()
    units = {placement.host: placement.name for placement in lab.plan.services}
    for name, host in lab.hosts.items():
        unit = units.get(name, brokers.UNIT)
        state = "up" if host.ready() else "no ssh"
        note = " (active)" if name == active else " (standby)" if name in plan.TARGETS else ""
        print(f"{name:12} {host.address:14} {state:7} {unit}: {'runs' if host.unit_pid(unit) else 'stopped'}{note}")


def _traffic(lab: Lab, args: argparse.Namespace) -> None:
    (traffic.start if args.action == "start" else traffic.stop)(lab)


def _audit(lab: Lab, args: argparse.Namespace) -> int:
    audit = traffic.settle(lab, timeout=args.settle) if args.settle else ledger.audit(ledger.read(lab.ledger))
    print(audit.render())
    return 0 if audit.passed else 1


def _fault(lab: Lab, args: argparse.Namespace) -> None:
    faults.inject(lab, args.kind, args.host, milliseconds=args.milliseconds)


def _exec(lab: Lab, args: argparse.Namespace) -> int:
    words = args.argv[1:] if args.argv[:1] == ["--"] else args.argv
    if not words:
        raise LabError("exec needs a command")
    if args.prepare:
        lab.prepare_controller()
    command = [*lab.controller(), *words]
    # This process stays outside, as the way back for a command that calls the lab.
    environment = {**os.environ, **lab.environment(), _OUTSIDE: str(os.getpid())}
    return subprocess.run(command, env=environment, check=False).returncode


def _demo(lab: Lab, args: argparse.Namespace) -> int:
    check_machine(lab.folder)
    with exclusive(lab):
        if lab.running and lab.healthy():
            raise LabError("a lab is up in this folder; take it down first with 'make lab-down'")
        with guarded(lab):
            try:
                _bring_up(lab, args)
                outcome, audit = demo.migrate(lab, messages=args.messages)
            finally:
                lab.down()
    demo.demo(lab, outcome, audit)
    return 0 if outcome.passed else 1


def _bench(lab: Lab, args: argparse.Namespace) -> int:
    outcomes = []
    with exclusive(lab), guarded(lab):
        try:
            for number in range(1, args.runs + 1):
                _bring_up(lab, args)
                lead = demo.random_lead()
                during = (lambda dummy: demo.failover(lab)) if args.failover else None
                outcome, dummy_audit = demo.migrate(lab, messages=args.messages, lead=lead, during=during)
                print(f"run {number}: {outcome.line()}", flush=True)
                outcomes.append(outcome)
        finally:
            lab.down()
    names = ["lost", "duplicated", "reordered", "producer_gap_s", "delivery_gap_s", "elapsed_s"]
    print(f"{'figure':16} {'median':>8} {'worst':>8}   of {len(outcomes)} runs")
    for name in names:
        values = [float(getattr(outcome, name)) for outcome in outcomes]
        print(f"{name:16} {statistics.median(values):8.2f} {max(values):8.2f}")
    return 0 if all(outcome.passed for outcome in outcomes) else 1


def _reboot_target(lab: Lab, args: argparse.Namespace) -> None:
    from lab import client

    client.reboot()


def _serve_aws(lab: Lab, args: argparse.Namespace) -> None:
    from lab import aws  # moto takes a second to import

    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    names = [lab.name_of(name) for name in plan.TARGETS]
    aws.install(aws.Pair([lab.hosts[name] for name in plan.TARGETS], names), plan.BROKER_ID)
    aws.serve(lab.address(1), lab.pki / "aws.pem", lab.pki / "aws.key")


def _create_target(lab: Lab, args: argparse.Namespace) -> None:
    from lab import client

    client.create()


def _guard(lab: Lab, args: argparse.Namespace) -> None:
    guard(lab, args.descriptor)


def _relay(lab: Lab, args: argparse.Namespace) -> None:
    delay.relay(args.left, args.right, args.milliseconds)


def _unit(lab: Lab, args: argparse.Namespace) -> int:
    host = lab.hosts[args.host]
    if not isinstance(host, ProcessHost):
        raise LabError("this host has systemd")
    if args.action == "status":
        return 0 if host.unit_pid(args.name) else 3  # 3: not running, as LSB has it
    host.unit(args.action, args.name)
    return 0
