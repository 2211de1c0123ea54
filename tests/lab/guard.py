# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking the lab down even when the process that brought it up is killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator

from lab.lab import Lab, exclusive
from lab.shell import MARK, LabError

_DONE = b"1"
#: How long the guard waits for the lock: the killed process may not be gone altogether.
_PATIENCE_S = 5.0


@contextlib.contextmanager
def guarded(lab: Lab, *, keep: bool = False) -> Iterator[None]:
    """Take the lab down when the block ends; with *keep* only when it fails.

    A process of its own, the guard, watches this one and does so should it be killed. Commands that this process starts
    meanwhile carry the lab's mark, so that they are ended with it.
    """
    reading, writing = os.pipe()
    unmarked = {key: value for key, value in os.environ.items() if key != MARK}  # it must outlive what is marked
    with open(lab.folder / "guard.log", "ab") as log:
        subprocess.Popen(
            [*lab.command(), "guard", str(reading), str(os.getpid())],
            pass_fds=[reading],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=unmarked,
            start_new_session=True,
        )
    os.close(reading)
    before = os.environ.get(MARK)
    kept = False
    try:
        os.environ[MARK] = lab.id
        yield
        kept = keep
    finally:
        # An exception or a signal in here leaves the rest to the guard.
        if not kept:
            with _uninterrupted():
                lab.down()
        if before is None:
            os.environ.pop(MARK, None)
        else:
            os.environ[MARK] = before
        os.write(writing, _DONE)
        os.close(writing)


def guard(lab: Lab, descriptor: int, owner: int) -> None:
    """Wait for the guarded process *owner*; take the lab down unless it said that it was done."""
    if os.read(descriptor, 1) == _DONE:
        return
    try:
        with exclusive(lab, patience=_PATIENCE_S):
            if lab.owner in {None, owner}:
                lab.down()
    except LabError as error:
        print(f"guard: {error}", flush=True)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let no signal of a terminal or a job runner stop the block, nor the commands that it runs."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
