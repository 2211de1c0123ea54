# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking the lab down even when the process that brought it up is killed."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator

from lab.lab import Lab, exclusive
from lab.shell import MARK, LabError

_DONE = b"1"


@contextlib.contextmanager
def guarded(lab: Lab) -> Iterator[None]:
    """While the block runs, a process of its own watches this one and takes the lab down should it be killed."""
    reading, writing = os.pipe()
    unmarked = {key: value for key, value in os.environ.items() if key != MARK}  # it must outlive what is marked
    with open(lab.folder / "guard.log", "ab") as log:
        subprocess.Popen(
            [*lab.command(), "guard", str(reading)],
            pass_fds=[reading],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=unmarked,
            start_new_session=True,
        )
    os.close(reading)
    try:
        yield
    finally:
        os.write(writing, _DONE)
        os.close(writing)


def guard(lab: Lab, descriptor: int) -> None:
    """Wait for the guarded process; take the lab down unless it said that it was done."""
    if os.read(descriptor, 1) == _DONE:
        return
    try:
        with exclusive(lab):
            lab.down()
    except LabError as error:
        print(f"guard: {error}", flush=True)
