# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the AWS API on purpose. They are in a small file, which the API reads at each request.

    throttle          answer 429 TooManyRequestsException (or what code says)
    error             answer 500 InternalServerErrorException
    slow              answer after some seconds
    creation-failed   CreateBroker leads to CREATION_FAILED
    reboot-ignored    RebootBroker answers and nothing happens
    reboot-hangs      a reboot stays in REBOOT_IN_PROGRESS for some seconds longer
    critical          brokers are in CRITICAL_ACTION_REQUIRED, until it is cleared; code says why

A fault is for one operation, or for all; for one broker, or for all; and for so many times, or until it is cleared.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from lab import shell
from lab.shell import LabError

Kind = Literal["throttle", "error", "slow", "creation-failed", "reboot-ignored", "reboot-hangs", "critical"]
KINDS: tuple[Kind, ...] = get_args(Kind)
#: Developer guide, "Troubleshooting: action required codes": those of ActiveMQ.
CRITICAL_CODES = ("BROKER_ENI_DELETED", "BROKER_OOM")


@dataclass(frozen=True)
class Fault:
    """One fault. *times* 0: until it is cleared."""

    kind: Kind
    #: An operation of Amazon MQ, such as DescribeBroker; for throttle, error and slow. None: each of them.
    operation: str | None = None
    #: A broker's name; for what is about a broker. None: each.
    broker: str | None = None
    times: int = 1
    seconds: float = 0
    #: For throttle the error's code, for critical the code of the action that is required.
    code: str | None = None


def add(
    path: Path,
    kind: Kind,
    *,
    operation: str | None = None,
    broker: str | None = None,
    times: int = 1,
    seconds: float = 0,
    code: str | None = None,
) -> None:
    """Set a fault. Raises LabError for an unknown kind. A critical one stays until it is cleared."""
    if kind not in KINDS:
        raise LabError(f"there is no fault {kind} of the AWS API; there are {', '.join(KINDS)}")
    if kind == "critical":
        times, code = 0, code or CRITICAL_CODES[0]
    fault = Fault(kind, operation, broker, times, seconds, code)
    with _locked(path) as found:
        found.append(fault)


def clear(path: Path) -> None:
    """Take all faults away."""
    with _locked(path) as found:
        found.clear()


def read(path: Path) -> list[Fault]:
    """The faults that are set. Raises LabError when the file is damaged."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return []
    try:
        return [Fault(**entry) for entry in json.loads(text or "[]")]
    except (ValueError, TypeError) as error:
        raise LabError(f"{path} is damaged; 'aws-fault clear' makes it anew") from error


def take(
    path: Path, kinds: tuple[Kind, ...], *, operation: str | None = None, broker: str | None = None
) -> list[Fault]:
    """The first fault of each of these kinds that is meant by this operation or broker; each counts as used once."""
    if not _any(path):  # nearly always: no lock, no writing
        return []
    taken: list[Fault] = []
    with _locked(path) as found:
        for kind in kinds:
            for index, fault in enumerate(found):
                if (
                    fault.kind == kind
                    and fault.operation in {None, operation}
                    and (broker is None or fault.broker in {None, broker})
                ):
                    taken.append(fault)
                    if fault.times == 1:
                        del found[index]
                    elif fault.times > 1:
                        found[index] = replace(fault, times=fault.times - 1)
                    break
    return taken


def _any(path: Path) -> bool:
    try:
        return path.stat().st_size > len("[]\n")
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[list[Fault]]:
    """The faults, for changing; no other process changes them meanwhile. A damaged file counts as an empty one."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            found = read(path)
        except LabError:
            found = []
        yield found
        fresh = path.with_suffix(".new")
        shell.write(fresh, json.dumps([asdict(fault) for fault in found]) + "\n", 0o600)
        fresh.rename(path)
