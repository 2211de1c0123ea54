# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs: from a position on, also when they were rotated, and never for ever."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _logs
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._logs import (
    HIDDEN,
    MAX_LINES,
    MAX_SHOWN,
    LogsError,
    check,
    position,
    printed,
    read,
    search,
    shown,
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "a.log"
    path.write_text("before\n")
    return path


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as stream:
        stream.write(text)


def test_what_was_written_since(log: Path) -> None:
    since = position(str(log))
    append(log, "after\nlast without an end")
    assert read(str(log), since) == (b"after\nlast without an end\n", [])
    assert read(str(log), position(str(log))) == (b"", [])
    assert read(str(log), None)[0].startswith(b"before\n")


def test_a_log_that_was_rotated(log: Path) -> None:
    since = position(str(log))
    append(log, "in the old file\n")
    log.rename(log.with_name("a.log.1"))
    log.write_text("in the new file\n")
    assert read(str(log), since) == (b"in the old file\nin the new file\n", [])

    log.with_name("a.log.1").unlink()
    data, [problem] = read(str(log), since)
    assert data == b"in the new file\n"
    assert "rotated" in problem
    log.unlink()
    data, problems = read(str(log), since)
    assert data == b""
    assert problems[-1] == "is not there any more"


def test_a_log_that_was_emptied(log: Path) -> None:
    append(log, "much\n" * 100)
    since = position(str(log))
    log.write_text("anew\n")
    data, [problem] = read(str(log), since)
    assert data == b"anew\n"
    assert "emptied" in problem


def test_a_log_that_comes_later_and_one_that_does_not(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    since = position(str(path))
    with pytest.raises(LogsError, match="no such file"):
        read(str(path), since)
    path.write_text("first\n")
    assert read(str(path), since) == (b"first\n", [])


def test_what_is_no_log(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(LogsError, match="not a regular file"):
        read(str(tmp_path / "fifo"), None)
    with pytest.raises(LogsError, match=r"is a directory|not a regular file"):
        read(str(tmp_path), None)


def test_of_very_much_the_end_is_read(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_logs, "MAX_BYTES", 10)
    since = position(str(log))
    append(log, "0123456789abcdef\n")
    data, [problem] = read(str(log), since)
    assert data == b"789abcdef\n"
    assert "17 new bytes" in problem


def test_lines_are_counted_and_the_first_are_kept() -> None:
    data = b"".join(b"failed %d\n" % number for number in range(10)) + b"\xff fine\n"
    scan = search(data, {"bad": r"failed \d", "none": "nothing", "start": "^failed 0$"})
    assert scan.matches["bad"][0] == 10
    assert scan.matches["bad"][1] == [f"failed {number}" for number in range(MAX_LINES)]
    assert scan.matches["start"] == (1, ["failed 0"])
    assert [match["pattern"] for match in scan.to_list(())] == ["bad", "start"]
    assert scan.problems == []


def test_a_search_that_takes_too_long_is_given_up_and_the_others_are_done() -> None:
    data = b"a" * 64 + b"!\nplain\n"
    began = time.monotonic()
    scan = search(data, {"first": "plain", "slow": r"(a+)+$", "last": "plain"}, timeout=1.0)
    assert time.monotonic() - began < 10
    assert {name: count for name, (count, dummy) in scan.matches.items()} == {"first": 1, "last": 1}
    assert scan.problems == ["pattern slow: the search took longer than 1 s"]


def test_a_pattern_is_not_blamed_for_the_time_of_those_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # Each takes six tenths of the time there is, so each round finishes one.
    def run(command: list[str], **given: Any) -> subprocess.CompletedProcess[bytes]:
        names = [name for name, dummy in json.loads(given["input"].split(b"\n")[0])]
        output = json.dumps([names[0], 1, ["x"]]).encode() + b"\n"
        if len(names) > 1:
            raise subprocess.TimeoutExpired(command, given["timeout"], output)
        return subprocess.CompletedProcess(command, 0, output)

    monkeypatch.setattr(subprocess, "run", run)
    scan = search(b"x\n", {"one": "x", "two": "x", "three": "x"})
    assert list(scan.matches) == ["one", "two", "three"]
    assert scan.problems == []


def test_of_what_a_command_prints_the_end_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_logs, "MAX_BYTES", 1000)
    code = "import sys; sys.stderr.write('e' * 200_000); print('x' * 100_000 + 'the end')"
    data, [problem] = printed([sys.executable, "-c", code])
    assert len(data) == 1000
    assert data.endswith(b"the end\n")
    assert "has 100008 new bytes; only the last 1000" in problem
    assert printed([sys.executable, "-c", "print('few')"]) == (b"few\n", [])


def test_a_command_that_does_not_end_is_ended() -> None:
    began = time.monotonic()
    # Its child holds the streams as well.
    data, [problem] = printed(["/bin/sh", "-c", "echo first; sleep 600 & wait"], 1.0)
    assert time.monotonic() - began < 10
    assert data == b"first\n"
    assert "took longer than 1 s" in problem
    closed = "exec >/dev/null 2>/dev/null; exec sleep 600"
    assert len(printed(["/bin/sh", "-c", closed], 0.5)[1]) == 1


def test_a_command_that_fails(tmp_path: Path) -> None:
    with pytest.raises(LogsError, match="failed: no journal"):
        printed(["/bin/sh", "-c", "echo no journal >&2; exit 3"])
    with pytest.raises(LogsError, match="cannot be run: no such file"):
        printed([str(tmp_path / "absent")])


def test_only_the_begin_of_a_long_line_is_searched() -> None:
    scan = search(b"x" * 100_000 + b" needle\n", {"needle": "needle"})
    assert scan.matches["needle"] == (0, [])


def test_a_wrong_pattern_is_named() -> None:
    with pytest.raises(LogsError, match="pattern odd: is not a regular expression"):
        check({"fine": "a", "odd": "("})


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("password=geheim next", f"password={HIDDEN} next"),
        ('"broker.password": "geheim"', f'"broker.password": "{HIDDEN}"'),
        ("ssl://app:geheim@host:61617", f"ssl://app:{HIDDEN}@host:61617"),
        ("failover:(ssl://h:1)?jms.password=geheim&x=1", f"failover:(ssl://h:1)?jms.password={HIDDEN}&x=1"),
        ("it was geheim", f"it was {HIDDEN}"),
        ("\x1b[31mred\x1b[0m\tend\n", "[31mred [0m end"),
        ("y" * 1000, "y" * (MAX_SHOWN - 3) + "..."),
    ],
)
def test_lines_are_shown_without_secrets_and_control_characters(line: str, expected: str) -> None:
    assert shown(line, ["geheim"]) == expected
