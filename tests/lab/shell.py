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
#: Where the sockets of Ansible's ssh connections are: below /run/<prefix><lab id>, because a socket's path may have 107
#: bytes and a lab's folder may be deep.
RUN_FOLDER = "/run/mqlab-"


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
        raise LabError(f"{' '.join(words[:6])} did not end within {timeout:.0f} s") from error
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
    """The ids of all live processes that carry *mark*, this one and its ancestors left out.

    A waiting ssh connection has written its title over its environment; its socket's path tells whose it is.
    """
    spare = ancestors()
    wanted, title = f"{MARK}={mark}".encode(), f"ssh: {RUN_FOLDER}{mark}/".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) not in spare:
            try:
                environment, command = (entry / "environ").read_bytes(), (entry / "cmdline").read_bytes()
            except OSError:
                continue  # it ended while we looked
            if wanted in environment.split(b"\0") or command.startswith(title):
                found.append(int(entry.name))
    return found


def environment(pid: int) -> list[bytes]:
    """The variables that a process started with, as NAME=value; none when it is gone."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def ancestors() -> set[int]:
    """This process and all processes above it: never to be ended by a clean-up."""
    chain = {os.getpid()}
    pid = os.getpid()
    while pid > 1 and (fields := _stat(pid)):
        pid = int(fields[1])
        chain.add(pid)
    return chain


def children(pid: int) -> list[int]:
    """The ids of a process's children."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def state(pid: int) -> str:
    """The kernel's letter for a process's state (T: stopped by a signal); empty when it is gone or a zombie."""
    fields = _stat(pid)
    return fields[0] if fields and fields[0] not in "ZX" else ""


def alive(pid: int) -> bool:
    """Whether the process exists and is not a zombie."""
    return bool(state(pid))


def birth(pid: int) -> str | None:
    """When the process began, in the kernel's ticks: with its id, what tells it from a later one. None: it is gone."""
    fields = _stat(pid)
    return fields[19] if fields else None


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third, the state, on; empty when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


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


def end_marked(mark: str) -> None:
    """End all processes that carry *mark*, and what they start while they end."""
    for dummy in range(5):
        pids = marked(mark)
        if not pids:
            return
        end(pids, grace=1.0)


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a whole file, making its folders. At no moment may more people read it than *mode* says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as stream:
        os.fchmod(stream.fileno(), mode)
        stream.write(text)
