# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Following connections: what is kept of them, what it costs, and whose an ended one was."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _follow
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._follow import (
    BUSY_INTERVAL,
    MAX_CHANGES,
    MAX_SHARE,
    READ_INTERVAL,
    SEARCH_INTERVAL,
    Follower,
    follow,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._sockets import POLL_INTERVAL, Observer, SocketsError

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
ONE, TWO = "0B00630A:F0B1", "0C00630A:F0B1"  # 10.99.0.11:61617 and 10.99.0.12:61617
STALE = "FA00630A:F0B1"  # 10.99.0.250:61617
ENDPOINTS = {("10.99.0.11", 61617): "b-1:61617", ("10.99.0.12", 61617): "b-2:61617"}


def row(port: int, remote: str, state: str, inode: int) -> str:
    return (
        f"   0: 1500630A:{port:04X} {remote} {state} 00000000:00000000 00:00000000 00000000     0        0 {inode} 1\n"
    )


class FakeProc:
    """Services s1, s2, ... as the processes 1, 2, ..., and one table of connections."""

    def __init__(self, count: int = 1) -> None:
        self.links: dict[int, list[str]] = {pid: [f"socket:[{100 * pid}]"] for pid in range(1, count + 1)}
        self.rows = ""
        self.searches = self.tables = 0
        self.forbidden = False

    def pids(self) -> list[int]:
        self.searches += 1
        return list(self.links)

    def read(self, name: str) -> str | None:
        pid = int(name.partition("/")[0])
        if pid not in self.links:
            return None
        if name.endswith("stat"):
            return f"{pid} (java) S " + " ".join(["0"] * 18) + f" {pid} 1\n"
        if name.endswith("cmdline"):
            return f"s{pid}\0"
        self.tables += 1
        return HEADER + (self.rows if name.endswith("tcp") else "")

    def socket_links(self, pid: int) -> list[str] | None:
        if self.forbidden:
            raise PermissionError(13, "Permission denied")
        return self.links.get(pid)

    def net_namespace(self, pid: int) -> str | None:
        return "net:[1]"


class Clock:
    """Time that passes while somebody sleeps. Each look costs ``cost`` seconds of the processor."""

    def __init__(self, cost: float = 0.0) -> None:
        self.now = 1000.0
        self.cost = cost
        self.used = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def process(self) -> float:
        self.used += self.cost / 2
        return self.used

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def follower(proc: FakeProc, count: int = 1, clock: Any = lambda: 0.0) -> Follower:
    observer = Observer(proc, boot=0.0, ticks=100, byteorder="little", endpoints=ENDPOINTS, own_pid=99)
    return Follower(observer, [{"name": f"s{pid}", "match": f"s{pid}"} for pid in range(1, count + 1)], clock)


def test_a_look_at_connections_and_attempts() -> None:
    proc = FakeProc()
    proc.links[1] = ["socket:[100]", "socket:[101]", "socket:[102]", "/dev/null"]
    proc.rows = (
        row(40000, ONE, "01", 100)
        + row(40001, STALE, "02", 101)
        + row(40002, "0100007F:0050", "01", 102)  # somebody else's port
        + row(40003, TWO, "01", 999)  # somebody else's socket
    )
    [seen] = follower(proc).look()
    assert seen == {
        "running": True,
        "started": 0.01,
        "endpoints": ["b-1:61617"],
        "local_ports": [40000],
        "attempts": [
            {"address": "10.99.0.250", "port": 61617, "state": "SYN_SENT", "local_port": 40001, "endpoint": None}
        ],
    }


def test_what_ended_is_that_of_the_only_service_that_is_not_connected() -> None:
    proc = FakeProc(2)
    ended = row(40009, TWO, "06", 0)
    proc.rows = row(40000, ONE, "01", 100) + row(40001, ONE, "01", 200) + row(39999, TWO, "06", 0)
    both = follower(proc, 2, clock=itertools.count(0.0, READ_INTERVAL).__next__)
    both.look()
    proc.rows += ended
    assert [each["attempts"] for each in both.look()] == [[], []]  # both are connected

    proc.rows = row(40000, ONE, "01", 100)
    assert [each["attempts"] for each in both.look()] == [[], []]  # nothing new has ended
    proc.rows += ended
    first, second = both.look()
    assert first["attempts"] == []
    assert [(each["state"], each["local_port"], each["endpoint"]) for each in second["attempts"]] == [
        ("TIME_WAIT", 40009, "b-2:61617")
    ]
    assert both.look()[1]["attempts"] == []  # told once

    proc.rows = ended + row(40011, TWO, "06", 0)
    assert [each["attempts"] for each in both.look()] == [[], []]  # nobody knows whose


def test_connections_are_read_seldom_while_the_sockets_are_the_same() -> None:
    clock = Clock()
    proc = FakeProc()
    proc.rows = row(40000, ONE, "01", 100)
    one = follower(proc, clock=clock)
    one.look()
    read = proc.tables
    for dummy in range(4):
        clock.now += POLL_INTERVAL
        one.look()
    assert proc.tables == read
    proc.links[1] = ["socket:[101]"]
    assert one.look()[0]["endpoints"] == []
    assert proc.tables > read
    read = proc.tables
    one.look()  # not connected: what it tries has to be seen
    assert proc.tables > read

    proc.links[1] = ["socket:[100]"]
    one.look()
    proc.rows = row(40000, ONE, "08", 100)  # CLOSE_WAIT
    clock.now += READ_INTERVAL
    assert one.look()[0]["endpoints"] == []


def test_processes_are_searched_for_seldom_and_when_they_are_gone() -> None:
    clock = Clock()
    proc = FakeProc()
    one = follower(proc, clock=clock)
    for dummy in range(4):
        one.look()
        clock.now += POLL_INTERVAL
    assert proc.searches == 1
    clock.now += SEARCH_INTERVAL
    one.look()
    assert proc.searches == 2
    del proc.links[1]
    assert one.look()[0]["running"] is False
    assert proc.searches == 3


def test_connections_that_may_not_be_read_are_an_error_at_first_and_a_gap_later() -> None:
    proc = FakeProc()
    proc.forbidden = True
    with pytest.raises(SocketsError, match=r"service s1: .* use become"):
        follow(follower(proc).look, lambda: False, 1, 1.0)

    proc.forbidden = False
    clock = Clock()
    one = follower(proc, clock=clock)
    looks = iter([one.look, lambda: (dummy for dummy in ()).throw(SocketsError("gone")), one.look])

    def look():
        return next(looks)()

    [timeline] = follow(look, lambda: clock.now < 1000.2, 1, 9, now=clock, clock=clock, sleep=clock.sleep)
    assert timeline["looks"] == 2


def record(endpoints: list[str], port: int = 1) -> dict[str, Any]:
    return {"running": True, "started": 1.0, "endpoints": endpoints, "local_ports": [port], "attempts": []}


def timeline_of(looks: list[dict[str, Any]], timeout: float, clock: Clock, ends_at: float = 1e9) -> dict[str, Any]:
    left = list(looks)

    def look() -> list[dict[str, Any]]:
        return [left.pop(0) if len(left) > 1 else left[0]]

    [timeline] = follow(
        look, lambda: clock.now < ends_at, 1, timeout, now=clock, clock=clock, cost=clock.process, sleep=clock.sleep
    )
    return timeline


def test_only_changes_are_kept_with_when_they_were_seen() -> None:
    clock = Clock()
    timeline = timeline_of([record(["a"]), record(["a"]), record([]), record(["b"])], 2.0, clock)
    assert [(change["at"], change["endpoints"]) for change in timeline["changes"]] == [
        (1000.0, ["a"]),
        (1000.5, []),
        (1000.55, ["b"]),
    ]
    assert timeline["until"] == 1002.0
    assert timeline["dropped"] == 0
    assert set(clock.slept[:2]) == {POLL_INTERVAL}
    assert clock.slept[2] == BUSY_INTERVAL  # not connected: what it tries is soon over


def test_it_ends_when_it_is_told_to() -> None:
    clock = Clock()
    timeline = timeline_of([record(["a"])], 600.0, clock, ends_at=1001.0)
    assert timeline["until"] == 1001.0
    assert timeline["looks"] == 5


def test_a_look_that_costs_much_puts_the_next_one_off() -> None:
    clock = Clock(cost=0.1)
    timeline_of([record(["a"])], 20.0, clock)
    assert clock.slept[0] == pytest.approx(0.05 / MAX_SHARE)


def test_of_very_many_changes_the_first_and_the_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_follow, "MAX_CHANGES", 2)
    clock = Clock()
    timeline = timeline_of([record(["a"], port) for port in range(10)], 3.0, clock)
    assert [change["local_ports"] for change in timeline["changes"]] == [[0], [1], [8], [9]]
    assert timeline["dropped"] == 6
    assert MAX_CHANGES >= 100
