# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _settings
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._client_files import (
    FORMATS,
    MAX_FILE,
    ClientFilesError,
    Replacement,
    read,
    replace_all,
)


def write(path: str, content: bytes) -> None:
    Path(path).write_bytes(content)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / name for name in ("a", "b", "c")]
    for path in paths:
        path.write_text(f"old {path.name}")
    return paths


def replacements(files: list[Path]) -> list[Replacement]:
    return [Replacement(str(path), read(str(path)).digest, f"new {path.name}".encode()) for path in files]


def contents(files: list[Path]) -> list[str]:
    return [path.read_text().split()[0] for path in files]


def test_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"\xff\n")
    file = read(str(path))
    assert (file.content, file.modified) == (b"\xff\n", path.stat().st_ctime)
    assert len(file.digest) == 64


def test_a_file_that_was_put_in_place_with_an_old_time_counts_as_new(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"a")
    os.utime(path, (1, 1))
    assert read(str(path)).modified > 1


def test_refused_files(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "fifo")
    with open(tmp_path / "large", "wb") as large:
        large.truncate(MAX_FILE + 1)
    for name, reason in {
        "none": "no such file",
        "link": "is a symbolic link",
        "fifo": "is not a regular file",
        ".": "is not a regular file",
        "large": "is larger than",
    }.items():
        with pytest.raises(ClientFilesError, match=f"{tmp_path}/{name}: {reason}"):
            read(f"{tmp_path}/{name}")
    with pytest.raises(ClientFilesError, match="must be absolute"):
        read("file")


def test_a_file_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_text("x")
    assert read(f"{tmp_path}/a").writable is True
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert read(f"{tmp_path}/a").writable is False


def test_formats_are_those_of_the_inventory() -> None:
    assert FORMATS == _settings.FORMATS


def test_replace_all(files: list[Path]) -> None:
    assert replace_all(replacements(files), write) == {}
    assert contents(files) == ["new", "new", "new"]


def test_copies(files: list[Path]) -> None:
    def backup(path: str) -> str:
        Path(path + "~").write_bytes(Path(path).read_bytes())
        return path + "~"

    copies = replace_all(replacements(files), write, backup)
    assert copies == {str(path): f"{path}~" for path in files}
    assert contents([Path(copy) for copy in copies.values()]) == ["old", "old", "old"]


def test_a_file_that_changed_meanwhile(files: list[Path]) -> None:
    wanted = replacements(files)
    files[1].write_text("someone else's")
    with pytest.raises(ClientFilesError, match=f"{files[1]}: was changed by somebody else"):
        replace_all(wanted, write)
    assert contents(files) == ["old", "someone", "old"]


@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize("torn", [False, True])
def test_a_failing_write_puts_the_others_back(files: list[Path], position: int, torn: bool) -> None:
    def fail(path: str, content: bytes) -> None:
        if path == str(files[position]) and content.startswith(b"new"):
            if torn:
                Path(path).write_bytes(content[:2])
            raise OSError(28, "No space left on device")
        write(path, content)

    with pytest.raises(ClientFilesError, match=f"{files[position]}: cannot be written: .*; nothing was changed"):
        replace_all(replacements(files), fail)
    assert contents(files) == ["old", "old", "old"]


def test_the_reason_of_the_system_is_told(files: list[Path]) -> None:
    def fail(path: str, content: bytes) -> None:
        try:
            raise OSError(30, "Read-only file system")
        except OSError as error:
            raise RuntimeError("Could not replace it.") from error

    with pytest.raises(ClientFilesError, match=r"Could not replace it\. \[Errno 30\] Read-only file system; nothing"):
        replace_all(replacements(files), fail)


def test_what_cannot_be_put_back_is_named(files: list[Path]) -> None:
    def fail(path: str, content: bytes) -> None:
        if path == str(files[1]) or content.startswith(b"old"):
            raise OSError(5, "Input/output error")
        write(path, content)

    with pytest.raises(ClientFilesError, match=f"could not be put back: {files[0]}"):
        replace_all(replacements(files), fail)
    assert contents(files) == ["new", "old", "old"]


def test_a_failing_copy_changes_nothing_and_leaves_nothing(files: list[Path]) -> None:
    def backup(path: str) -> str:
        if path == str(files[1]):
            raise OSError(28, "No space left on device")
        write(path + "~", b"copy")
        return path + "~"

    with pytest.raises(ClientFilesError, match=f"{files[1]}: cannot be written"):
        replace_all(replacements(files), write, backup)
    assert contents(files) == ["old", "old", "old"]
    assert sorted(path.name for path in files[0].parent.iterdir()) == ["a", "b", "c"]
