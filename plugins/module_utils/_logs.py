# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""What log files say since a position, by regular expressions. No Ansible import; standard library only.

A position is a plain record: ``path``, ``device`` and ``inode`` (None when there was no file), ``offset`` in bytes.
What is read is bounded, and so is the time of a search: Python cannot interrupt one, and some expressions take years.
"""

from __future__ import annotations

import json
import os
import re
import selectors
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MAX_BYTES = 16 * 1024 * 1024  # of one file; of more, the last ones are read
MAX_LINE = 4096  # characters of a line that are searched
MAX_SHOWN = 300  # characters of a line that are returned
MAX_LINES = 5  # lines returned for each pattern and file
MAX_ENTRIES = 10_000  # of a directory in which a rotated file is looked for
TIMEOUT = 10.0  # seconds for one pattern that is searched for in one log
COMMAND_TIMEOUT = 30.0  # seconds for a command that prints a log

HIDDEN = "********"
_MIN_SECRET = 4
_CHUNK = 65_536

# Prints, for each pattern in turn, how many lines match and the first of them.
_SEARCH = f"""
import json, re, sys
stream = sys.stdin.buffer
patterns = json.loads(stream.readline())
data = stream.read()
for name, pattern in patterns:
    search, count, kept, start = re.compile(pattern).search, 0, [], 0
    while start < len(data):
        end = data.find(b"\\n", start)
        end = len(data) if end < 0 else end
        line = data[start:min(end, start + 4 * {MAX_LINE})].decode("utf-8", "replace")[:{MAX_LINE}]
        start = end + 1
        if search(line):
            count += 1
            if count <= {MAX_LINES}:
                kept.append(line)
    print(json.dumps([name, count, kept]), flush=True)
"""

# What says in a line of a log that a secret follows.
_SECRET = re.compile(r"(?i)((?:passw(?:or)?d|passcode|secret|token|credential)\w*[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&)]+")
_SECRET_IN_URL = re.compile(r"(://[^/\s:@]*:)[^@\s/]+@")


class LogsError(Exception):
    """The logs cannot be searched. ``str()`` says why."""


@dataclass
class Scan:
    """What a log says: matches by pattern's name, and what could not be read or searched."""

    #: name -> (how many lines match, the first of them)
    matches: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def to_list(self, secrets: Sequence[str]) -> list[dict[str, Any]]:
        """Return the plain records of the matches, those without any left out."""
        return [
            {"pattern": name, "count": count, "lines": [shown(line, secrets) for line in lines]}
            for name, (count, lines) in self.matches.items()
            if count
        ]


def check(patterns: Mapping[str, str]) -> None:
    """Raise LogsError, with the name, for a pattern that is no regular expression."""
    for name, pattern in patterns.items():
        try:
            re.compile(pattern)
        except re.error as error:
            raise LogsError(f"pattern {name}: is not a regular expression: {error}") from None


def position(path: str) -> dict[str, Any]:
    """Return the position at the end of a file. A file that is not there is one that may come."""
    try:
        status = os.stat(path)
    except OSError:
        return {"path": path, "device": None, "inode": None, "offset": 0}
    return {"path": path, "device": status.st_dev, "inode": status.st_ino, "offset": status.st_size}


def read(path: str, since: Mapping[str, Any] | None) -> tuple[bytes, list[str]]:
    """Return what was written to a log since a position (None: all of it), and what may be missing.

    A log that was rotated has another inode; what was written before is looked for in the same directory, by the former
    inode, so a file that was compressed meanwhile is not found.

    :raises LogsError: when the log is not there or may not be read.
    """
    problems: list[str] = []
    former = (since or {}).get("device"), (since or {}).get("inode")
    offset = int((since or {}).get("offset") or 0)
    data = b""
    try:
        with _open(path) as file:
            status = os.fstat(file.fileno())
            same = former == (status.st_dev, status.st_ino)
            if not same and former[1] is not None:
                data += _rotated(path, former, offset, problems)
            if same and status.st_size < offset:
                problems.append("was emptied meanwhile: what was written just before is missing")
            elif same:
                file.seek(offset)
            data += _tail(file, problems)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and former[1] is not None:
            data = _rotated(path, former, offset, problems)
            return data, [*problems, "is not there any more"]
        raise LogsError((error.strerror or str(error)).lower()) from None
    return data[-MAX_BYTES:], problems


def search(data: bytes, patterns: Mapping[str, str], timeout: float = TIMEOUT) -> Scan:
    """Search the lines of a log for each pattern, in another process.

    A pattern that takes longer than ``timeout`` is named among the problems, and the others are searched for all the
    same. One that was not the first in its round may owe that to those before it, so it gets a round of its own.
    """
    scan = Scan()
    waiting = list(patterns.items())
    while waiting:
        given = json.dumps(waiting).encode("ascii") + b"\n" + data
        reason = "failed"
        try:
            output = subprocess.run(
                [sys.executable, "-I", "-S", "-c", _SEARCH],
                input=given,
                capture_output=True,
                timeout=timeout,
                check=False,
            ).stdout
        except subprocess.TimeoutExpired as error:
            output, reason = error.stdout or b"", f"took longer than {timeout:g} s"
        first = waiting[0][0]
        for line in output.splitlines():
            try:
                name, count, kept = json.loads(line)
            except ValueError:  # cut off
                break
            scan.matches[name] = (count, kept)
        waiting = [item for item in waiting if item[0] not in scan.matches]
        if waiting and waiting[0][0] == first:
            scan.problems.append(f"pattern {waiting.pop(0)[0]}: the search {reason}")
    return scan


def printed(command: Sequence[str], timeout: float = COMMAND_TIMEOUT) -> tuple[bytes, list[str]]:
    """Return what a command prints, of much the last MAX_BYTES, and what may be missing.

    A command that takes longer than ``timeout`` seconds is ended, and what it printed until then is returned.

    :raises LogsError: when the command cannot be run, or fails.
    """
    deadline = time.monotonic() + timeout
    data, errors = bytearray(), bytearray()
    total = 0
    late = False
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise LogsError(f"cannot be run: {(error.strerror or str(error)).lower()}") from None
    with process, selectors.DefaultSelector() as selector:
        for stream, buffer in ((process.stdout, data), (process.stderr, errors)):
            if stream is not None:
                selector.register(stream, selectors.EVENT_READ, buffer)
        try:
            while selector.get_map():
                left = deadline - time.monotonic()
                ready = selector.select(left) if left > 0 else []
                if not ready:
                    raise subprocess.TimeoutExpired(command, timeout)
                for key, dummy in ready:
                    chunk = os.read(key.fd, _CHUNK)
                    if not chunk:
                        selector.unregister(key.fileobj)
                    key.data.extend(chunk)
                    total += len(chunk) if key.data is data else 0
                    if len(key.data) > 2 * MAX_BYTES:
                        del key.data[:-MAX_BYTES]
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            late = True
            # Nobody waited for it, so the number is still its own. What it started holds the streams as well.
            os.killpg(process.pid, signal.SIGKILL)
    if process.returncode != 0 and not late:
        raise LogsError(f"failed: {errors.decode('utf-8', 'replace').strip()[:200]}")
    problems = []
    if total > MAX_BYTES:
        problems.append(f"has {total} new bytes; only the last {MAX_BYTES} were searched")
    if late:
        problems.append(f"took longer than {timeout:g} s to read: what is newer was not searched")
    return bytes(data[-MAX_BYTES:]), problems


def shown(line: str, secrets: Sequence[str] = ()) -> str:
    """Return a line as it may be shown: without secrets and control characters, and short."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _MIN_SECRET:
            line = line.replace(secret, HIDDEN)
    line = _SECRET.sub(rf"\g<1>{HIDDEN}", line)
    line = _SECRET_IN_URL.sub(rf"\g<1>{HIDDEN}@", line)
    line = "".join(each if each.isprintable() else " " for each in line).strip()
    return line if len(line) <= MAX_SHOWN else line[: MAX_SHOWN - 3] + "..."


def _open(path: str) -> Any:
    """Open a regular file; a symbolic link to one will do."""
    # O_NONBLOCK: opening a FIFO must not wait for its writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise LogsError("is not a regular file")
    return os.fdopen(descriptor, "rb")


def _tail(file: Any, problems: list[str]) -> bytes:
    """Read from where the file stands; when that is too much, only the end of it."""
    start = file.tell()
    size = os.fstat(file.fileno()).st_size
    if size - start > MAX_BYTES:
        problems.append(f"has {size - start} new bytes; only the last {MAX_BYTES} were searched")
        file.seek(size - MAX_BYTES)
    found: bytes = file.read(MAX_BYTES)
    return found if not found or found.endswith(b"\n") else found + b"\n"


def _rotated(path: str, former: tuple[Any, Any], offset: int, problems: list[str]) -> bytes:
    """Read the rest of a file that has another name by now."""
    folder = os.path.dirname(path) or "."
    try:
        with os.scandir(folder) as entries:
            for dummy, entry in zip(range(MAX_ENTRIES), entries):
                if entry.inode() == former[1] and entry.is_file(follow_symlinks=False):
                    with _open(entry.path) as file:
                        if os.fstat(file.fileno()).st_dev == former[0]:
                            file.seek(offset)
                            return _tail(file, problems)
    except OSError as error:
        problems.append(f"was rotated, and {folder} cannot be read: {(error.strerror or str(error)).lower()}")
        return b""
    problems.append("was rotated, and what was written just before is not in its directory any more")
    return b""
