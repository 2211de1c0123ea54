# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running commands, finding our own processes, waiting for a condition: what every other file of the lab needs."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

#: Every process that the lab starts carries this variable, so that a later run can find what a killed one left behind.
MARK = "MQLIFT_LAB"


class LabError(Exception):
    """Something that the operator has to know; its text is one sentence."""


def run(
    argv: Sequence[str | Path],
    *,
    check: bool = True,
    stdin: str | None = None,
    timeout: float = 120,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command and return what it printed. Raises LabError with the command's last line when it fails."""
    words = [str(word) for word in argv]
    try:
        environment = {**os.environ, **(env or {})}
        done = subprocess.run(
            words, input=stdin, capture_output=True, text=True, timeout=timeout, check=False, env=environment
        )
    except FileNotFoundError as error:
        raise LabError(f"the command {words[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{' '.join(words[:4])} did not end within {timeout:.0f} s") from error
    if check and done.returncode != 0:
        lines = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()
        raise LabError(f"{' '.join(words[:6])} failed with status {done.returncode}: {lines[-1][:400]}")
    return done


def spawn(
    argv: Sequence[str | Path], *, mark: str, log: Path, env: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a background process in a session of its own, marked as the lab's, its output in *log*."""
    environment = {**os.environ, **(env or {}), MARK: mark}
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(word) for word in argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,
        )


def wait_for(condition: Callable[[], bool], timeout: float, what: str, *, interval: float = 0.05) -> None:
    """Poll *condition* until it is true. Raises LabError naming *what* after *timeout* seconds."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise LabError(f"{what} did not happen within {timeout:.0f} s")
        time.sleep(interval)


def marked(mark: str) -> list[int]:
    """The ids of all live processes that carry *mark*, this one and its ancestors left out."""
    spare = ancestors()
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) not in spare:
            try:
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                continue  # it ended while we looked
    return found


def ancestors() -> set[int]:
    """This process and all processes above it: never to be ended by a clean-up."""
    chain = {os.getpid()}
    pid = os.getpid()
    while pid > 1:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            break
        pid = int(fields[1])
        chain.add(pid)
    return chain


def alive(pid: int) -> bool:
    """Whether the process exists and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def birth(pid: int) -> str | None:
    """When the process began, in the kernel's ticks: with its id, what tells it from a later one. None: it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return None


def signal_process(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may have ended meanwhile."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def end(pids: Sequence[int], *, grace: float = 2.0) -> None:
    """End processes by id: politely first, by force after *grace* seconds."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in pids:
            signal_process(pid, number)
        limit = time.monotonic() + grace
        while any(alive(pid) for pid in pids) and time.monotonic() < limit:
            time.sleep(0.02)
        if not any(alive(pid) for pid in pids):
            return


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a whole file, making its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
