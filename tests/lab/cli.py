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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab import brokers, delay, demo, faults, ledger, network, plan, traffic
from lab.aws import faults as aws_faults
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
    lab = Lab(args.folder)
    try:
        if os.geteuid() != 0:
            raise LabError("the lab needs root: run it as root or through sudo")
        return int(args.run(lab, args) or 0)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
    except BrokenPipeError:  # whoever reads our output, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:  # a full disk, for example
        print(f"lab: {error.strerror or error}{f': {error.filename}' if error.filename else ''}", file=sys.stderr)
    except KeyboardInterrupt:
        left = "the lab is still up" if lab.running else "nothing is left running"
        print(f"lab: interrupted, {left}", file=sys.stderr)
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
    sub.add_argument("--milliseconds", type=_natural, default=100, help="for delay (default: 100)")
    sub = command("exec", _exec, "run a command where the controller is")
    sub.add_argument("--prepare", action="store_true", help="before the lab is up, for a command that brings it up")
    sub.add_argument("argv", nargs=argparse.REMAINDER)
    sub = command("demo", _demo, "lab up, migration under live traffic, audit, lab down")
    _add_up_options(sub)
    sub.add_argument("--messages", type=_natural, default=demo.MESSAGES, help="at least so many (default: %(default)s)")
    sub = command("bench", _bench, "repeat the migration with random timing and print a table")
    _add_up_options(sub)
    sub.add_argument("--runs", type=_natural, default=5)
    sub.add_argument("--messages", type=_natural, default=2000)
    sub.add_argument("--failover", action="store_true", help="reboot the target in the middle of each run")
    command("reboot-target", _reboot_target, "reboot the target through the AWS API")

    sub = command("aws-fault", _aws_fault, "hurt the AWS API")
    sub.add_argument("kind", choices=["clear", *aws_faults.KINDS])
    sub.add_argument("--operation", help="an operation of Amazon MQ, such as DescribeBroker (default: each)")
    sub.add_argument("--broker", help="a broker's name (default: each)")
    sub.add_argument("--times", type=int, default=1, help="so often, 0: until it is cleared (default: 1)")
    sub.add_argument("--seconds", type=float, default=0, help="for slow and reboot-hangs")
    sub.add_argument("--code", help="for throttle the error's code, for critical that of the required action")

    # What the lab calls itself.
    sub = command("serve-aws", _serve_aws, "internal: the AWS API", controller=True)
    sub.add_argument("--metrics-interval", type=float, default=60, metavar="SECONDS")
    sub = command("guard", _guard, "internal: take the lab down when its owner is killed")
    sub.add_argument("descriptor", type=int)
    sub.add_argument("owner", type=int)
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


def _natural(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return int(text)


def _leave_controller() -> None:
    """Go back to the machine's own namespaces when called under exec: only there can hosts be made."""
    outside = os.environ.pop(_OUTSIDE, None)
    if outside is not None:
        enter = ["nsenter", f"--target={outside}", "--mount", "--net", f"--wd={Path.cwd()}", "--"]
        os.execvp(enter[0], [*enter, sys.executable, "-m", "lab", *sys.argv[1:]])


def _bring_up(lab: Lab, args: argparse.Namespace) -> None:
    lab.up(plan.named(args.plan), mode=args.hosts, choice=args.software)


def _up(lab: Lab, args: argparse.Namespace) -> None:
    wanted = plan.named(args.plan)
    with exclusive(lab):
        if lab.healthy():
            if lab.plan != wanted:
                raise LabError(f"a lab with plan {lab.plan.name} is up; take it down first with 'make lab-down'")
            if args.hosts not in {"auto", lab.record.mode}:
                raise LabError(f"a lab of {lab.record.mode} is up; take it down first with 'make lab-down'")
            print("lab: already up; 'make lab-down' takes it down")
            return
        with guarded(lab, keep=True):
            _bring_up(lab, args)


def _down(lab: Lab, args: argparse.Namespace) -> None:
    started = time.monotonic()
    with exclusive(lab):
        lab.down()
    print(f"lab: down after {time.monotonic() - started:.1f} s")


def _status(lab: Lab, args: argparse.Namespace) -> None:
    record = lab.record
    print(f"plan {record.plan}, hosts: {record.mode}{f' ({record.reason})' if record.reason else ''}")
    answer = lab.knock(lab.address(plan.CONTROLLER_NUMBER), plan.AWS_PORT)
    print(f"source {record.source_software}, target {record.target_software}, AWS API {lab.aws_url} {answer}")
    if not record.complete:
        print("this lab did not come up whole")
    units = {placement.host: placement.name for placement in lab.plan.services}
    with ThreadPoolExecutor() as pool:  # a host that is cut off takes seconds
        states = dict(zip(lab.hosts, pool.map(lambda host: host.state(), lab.hosts.values()), strict=True))
        roles = dict(zip(plan.TARGETS, pool.map(lambda name: _target_role(lab, name), plan.TARGETS), strict=True))
    for name, host in lab.hosts.items():
        unit = units.get(name, brokers.UNIT)
        runs = "runs" if host.unit_pid(unit) else "stopped"
        print(f"{name:12} {host.address:14} {states[name]:7} {unit}: {runs}{roles.get(name, '')}")


def _target_role(lab: Lab, name: str) -> str:
    host = lab.hosts[name]
    if not host.unit_pid(brokers.UNIT):
        return ""
    meanings: dict[network.Knock, str] = {"accepts": "active", "refuses": "standby", "silent": "does not answer"}
    return f" ({meanings[lab.knock(host.address, plan.OPENWIRE_TLS)]})"


def _traffic(lab: Lab, args: argparse.Namespace) -> None:
    (traffic.start if args.action == "start" else traffic.stop)(lab)


def _audit(lab: Lab, args: argparse.Namespace) -> int:
    lab.require()
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
    else:
        lab.require()
    command = [*lab.controller(), *words]
    # This process stays outside, as the way back for a command that calls the lab.
    environment = {**os.environ, **lab.environment(), _OUTSIDE: str(os.getpid())}
    with subprocess.Popen(command, env=environment) as process:
        # A terminal's Ctrl-C reaches the command too; when to end is its own business.
        signal.signal(signal.SIGINT, lambda number, frame: None)
        signal.signal(signal.SIGTERM, lambda number, frame: process.terminate())
        status = process.wait()
    return status if status >= 0 else 128 - status  # as a shell says it


def _demo(lab: Lab, args: argparse.Namespace) -> int:
    check_machine(lab.folder)
    with exclusive(lab):
        if lab.healthy():
            raise LabError("a lab is up in this folder; take it down first with 'make lab-down'")
        with guarded(lab):
            _bring_up(lab, args)
            outcome, audit = demo.migrate(lab, messages=args.messages)
    demo.demo(lab, outcome, audit)
    return 0 if outcome.passed else 1


def _bench(lab: Lab, args: argparse.Namespace) -> int:
    outcomes = []
    with exclusive(lab), guarded(lab):
        for number in range(1, args.runs + 1):
            _bring_up(lab, args)
            lead = demo.random_lead()
            during = (lambda dummy: demo.failover(lab)) if args.failover else None
            outcome, dummy_audit = demo.migrate(lab, messages=args.messages, lead=lead, during=during)
            print(f"run {number}: {outcome.line()}", flush=True)
            outcomes.append(outcome)
    names = ["lost", "duplicated", "reordered", "producer_gap_s", "delivery_gap_s", "elapsed_s"]
    print(f"{'figure':16} {'median':>8} {'worst':>8}   of {len(outcomes)} runs")
    for name in names:
        values = [float(getattr(outcome, name)) for outcome in outcomes]
        print(f"{name:16} {statistics.median(values):8.2f} {max(values):8.2f}")
    return 0 if all(outcome.passed for outcome in outcomes) else 1


def _reboot_target(lab: Lab, args: argparse.Namespace) -> None:
    from lab import client

    client.reboot(lab)


def _serve_aws(lab: Lab, args: argparse.Namespace) -> None:
    from lab.aws import server  # botocore takes a moment to import

    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    server.serve(lab, metrics_interval=args.metrics_interval)


def _aws_fault(lab: Lab, args: argparse.Namespace) -> None:
    lab.require()
    if args.kind == "clear":
        aws_faults.clear(lab.aws_faults)
        return
    aws_faults.add(
        lab.aws_faults,
        args.kind,
        operation=args.operation,
        broker=args.broker,
        times=args.times,
        seconds=args.seconds,
        code=args.code,
    )


def _guard(lab: Lab, args: argparse.Namespace) -> None:
    guard(lab, args.descriptor, args.owner)


def _relay(lab: Lab, args: argparse.Namespace) -> None:
    delay.relay(args.left, args.right, args.milliseconds)


def _unit(lab: Lab, args: argparse.Namespace) -> int:
    host = lab.host(args.host)
    if not isinstance(host, ProcessHost):
        raise LabError(f"host {host.name} has systemd")
    if args.action == "status":
        return 0 if host.unit_pid(args.name) else 3  # 3: not running, as LSB has it
    host.unit(args.action, args.name)
    return 0
