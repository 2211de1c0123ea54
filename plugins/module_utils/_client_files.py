# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and replacing the configuration files of a service: all of them or none. Runs on the host.

This is a private util of the collection; it may change at any time.

Standard library only. Writing is injected: AnsibleModule knows how to keep owner, mode and SELinux context.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

MAX_FILE = 4 * 1024 * 1024  # bytes

FORMATS = ("properties", "yaml", "json", "toml", "ini", "xml", "env", "template", "regexp")

# The options of the module client_config; the action plugin checks them on the controller.
ARGUMENT_SPEC: dict[str, Any] = {
    "service": {"type": "str", "required": True},
    "settings": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "path": {"type": "str", "required": True},
            "format": {"type": "str", "required": True, "choices": list(FORMATS)},
            "values": {"type": "dict", "required": True},
            "create": {"type": "bool", "default": False},
            "namespaces": {"type": "dict"},
            "src": {"type": "str"},
            "validate": {"type": "str"},
        },
        "required_if": [("format", "template", ("src",))],
    },
    "secrets": {"type": "list", "elements": "str", "default": [], "no_log": True},
    "backup": {"type": "bool", "default": False},
    "_read": {"type": "list", "elements": "str"},
    "_write": {
        "type": "list",
        "elements": "dict",
        "options": {
            "path": {"type": "str", "required": True},
            "expected": {"type": "str", "required": True},
            "content": {"type": "str", "required": True, "no_log": True},
            "validate": {"type": "str"},
        },
    },
}


class ClientFilesError(Exception):
    """A file cannot be read or replaced. ``str()`` names the file; nothing has been changed unless it says so."""


@dataclass(frozen=True)
class File:
    """A file as it was read. ``modified`` is when it last changed on this host, in seconds of the epoch.

    ``writable`` is False also for root when the file system is read-only.
    """

    path: str
    content: bytes
    modified: float
    writable: bool = True

    @property
    def digest(self) -> str:
        """SHA-256 of the content, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Replacement:
    """A file's new content, and the digest of the content it was computed from."""

    path: str
    expected: str
    content: bytes


def read(path: str) -> File:
    """Read a regular file of bounded size. A symbolic link is refused: replacing it would turn it into a file.

    :raises ClientFilesError: for anything else.
    """
    if not os.path.isabs(path):
        raise ClientFilesError(f"{path}: the path must be absolute")
    try:
        # O_NONBLOCK: opening a FIFO must not wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        reason = "is a symbolic link" if os.path.islink(path) else (error.strerror or str(error)).lower()
        raise ClientFilesError(f"{path}: {reason}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ClientFilesError(f"{path}: is not a regular file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(MAX_FILE + 1)
    finally:
        os.close(descriptor)
    if len(content) > MAX_FILE:
        raise ClientFilesError(f"{path}: is larger than {MAX_FILE} bytes")
    # Not st_mtime: whoever copies or restores a file may set that back, and a restart that is due would be missed.
    return File(path, content, status.st_ctime, os.access(path, os.W_OK))


def replace_all(
    replacements: Sequence[Replacement],
    write: Callable[[str, bytes], None],
    backup: Callable[[str], str] | None = None,
) -> dict[str, str]:
    """Replace every file, or none.

    ``write(path, content)`` replaces one file atomically; ``backup(path)`` copies it and returns the path of the copy.
    Returns the path of the copy by path of the file.

    :raises ClientFilesError: when a file is not what it was when it was read, or cannot be written; those already
        replaced have then been put back.
    """
    before = []
    for replacement in replacements:
        file = read(replacement.path)
        if file.digest != replacement.expected:
            raise ClientFilesError(f"{file.path}: was changed by somebody else at the same time; nothing was written")
        before.append(file)
    copies: dict[str, str] = {}
    written: list[File] = []
    try:
        if backup is not None:
            for file in before:
                copies[file.path] = backup(file.path)
        for file, replacement in zip(before, replacements):
            written.append(file)
            write(replacement.path, replacement.content)
    except Exception as error:
        failed = written[-1].path if written else replacements[len(copies)].path
        lost = _put_back(written, write)
        for copy in copies.values():
            os.unlink(copy)
        outcome = f"could not be put back: {', '.join(lost)}" if lost else "nothing was changed"
        # AnsibleModule tells what it could not do; the system's reason is behind that.
        reason = str(error) if error.__cause__ is None else f"{error} {error.__cause__}"
        raise ClientFilesError(f"{failed}: cannot be written: {reason}; {outcome}") from error
    return copies


def _put_back(files: Sequence[File], write: Callable[[str, bytes], None]) -> list[str]:
    """Write the former contents again where they differ; return the paths for which that failed."""
    lost = []
    for file in files:
        try:
            if read(file.path).content != file.content:
                write(file.path, file.content)
        except Exception:  # noqa: BLE001 - whatever the cause, the caller must hear that this file was not put back
            lost.append(file.path)
    return lost
