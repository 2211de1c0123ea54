# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._sockets import (
    Observer,
    ProcFs,
    SocketsError,
    boot_epoch,
    in_unit,
    observe,
    of_supervisor,
    parse_address,
    parse_started,
    parse_tcp,
    resolve,
    resolve_each,
    unmet,
    wait,
)

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def row(local: str, remote: str, state: str, inode: int) -> str:
    return f"   0: {local} {remote} {state} 00000000:00000000 00:00000000 00000000     0        0 {inode} 1 0000 100\n"


TCP = (
    HEADER
    + row("00000000:1F90", "00000000:0000", "0A", 100)
    + row("0100007F:9C40", "2900007F:F0B0", "01", 101)
    + row("0100007F:9C41", "2A00007F:F0B1", "08", 102)
    + row("0100007F:9C42", "2A00007F:F0B1", "01", 103)
    + row("0100007F:9C43", "2A00007F:F0B1", "06", 0)
)
MAPPED = row("0000000000000000FFFF00000100007F:9C44", "0000000000000000FFFF00002A00007F:F0B1", "01", 104)
TCP6 = (
    HEADER + MAPPED + row("B80D0120000000000000000001000000:0001", "B80D0120000000000000000002000000:0002", "01", 105)
)


def stat(pid: int, ticks: int, name: str = "java", state: str = "S") -> str:
    return f"{pid} ({name}) {state} " + " ".join(["0"] * 18) + f" {ticks} 1 2 3\n"


class FakeProc:
    """A /proc made of dictionaries. A pid in ``vanished`` is listed but cannot be read any more."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.links: dict[int, list[str]] = {}
        self.forbidden: set[int] = set()
        self.vanished: set[int] = set()

    def add(self, pid: int, *, ticks: int = 100, links: list[str] | None = None, **files: str) -> None:
        self.links[pid] = links or []
        self.files[f"{pid}/stat"] = stat(pid, ticks)
        self.files[f"{pid}/net/tcp"] = TCP
        self.files[f"{pid}/net/tcp6"] = TCP6
        for name, text in files.items():
            self.files[f"{pid}/{name}"] = text

    def pids(self) -> list[int]:
        return sorted({*self.links, *self.vanished})

    def read(self, name: str) -> str | None:
        if int(name.partition("/")[0]) in self.vanished:
            return None
        return self.files.get(name)

    def socket_links(self, pid: int) -> list[str] | None:
        if pid in self.forbidden:
            raise PermissionError(13, "Permission denied")
        return self.links.get(pid)

    def net_namespace(self, pid: int) -> str | None:
        return None if pid in self.vanished else "net:[4026531840]"


ENDPOINTS = {("127.0.0.41", 61616): "source.lab:61616", ("127.0.0.42", 61617): "b-1:61617"}


def observer(proc: Any, endpoints: dict[tuple[str, int], str] | None = None) -> Observer:
    return Observer(
        proc,
        boot=1000.0,
        ticks=100,
        byteorder="little",
        endpoints=ENDPOINTS if endpoints is None else endpoints,
        own_pid=1,
    )


UNIT = "0::/system.slice/orders-api.service\n"
SERVICE = {"name": "orders-api", "manager": "systemd"}


def test_a_service_of_systemd() -> None:
    proc = FakeProc()
    proc.add(10, ticks=500, cgroup=UNIT, links=["socket:[101]", "/dev/null", "socket:[999]", "socket:[100]"])
    proc.add(11, ticks=250, cgroup=UNIT, links=["socket:[104]", "socket:[101]", "pipe:[103]"])
    proc.add(12, cgroup="0::/system.slice/other.service\n", links=["socket:[103]"])
    [seen] = observe(observer(proc), [SERVICE])
    assert seen == {
        "name": "orders-api",
        "running": True,
        "pids": [10, 11],
        "started": 1002.5,
        "endpoints": ["b-1:61617", "source.lab:61616"],
        "connections": [
            {
                "local_address": "127.0.0.1",
                "local_port": 40000,
                "remote_address": "127.0.0.41",
                "remote_port": 61616,
                "state": "ESTABLISHED",
                "endpoint": "source.lab:61616",
            },
            {
                "local_address": "127.0.0.1",
                "local_port": 40004,
                "remote_address": "127.0.0.42",
                "remote_port": 61617,
                "state": "ESTABLISHED",
                "endpoint": "b-1:61617",
            },
        ],
    }


def test_only_an_established_connection_counts_as_connected() -> None:
    proc = FakeProc()
    proc.add(10, cgroup=UNIT, links=["socket:[102]"])
    seen = observer(proc).service(SERVICE)
    assert [one["state"] for one in seen["connections"]] == ["CLOSE_WAIT"]
    assert seen["connections"][0]["endpoint"] == "b-1:61617"
    assert seen["endpoints"] == []


def test_a_connection_elsewhere_has_no_endpoint() -> None:
    proc = FakeProc()
    proc.add(10, cgroup=UNIT, links=["socket:[105]"])
    seen = observer(proc).service(SERVICE)
    assert seen["connections"][0]["remote_address"] == "2001:db8::2"
    assert seen["connections"][0]["endpoint"] is None
    assert seen["endpoints"] == []


def record(*connected: str, running: bool = True, port: int = 40000) -> dict[str, Any]:
    """What Observer.service returns of a service that is connected to some endpoints."""
    return {
        "name": "orders-api",
        "running": running,
        "pids": [10] if running else [],
        "endpoints": sorted(connected),
        "connections": [
            {"local_address": "127.0.0.1", "local_port": port + index, "state": "ESTABLISHED", "endpoint": endpoint}
            for index, endpoint in enumerate(connected)
        ],
    }


@pytest.mark.parametrize(
    ("seen", "wanted", "problem"),
    [
        (record("a:1"), {}, ""),
        (record(running=False), {}, ""),
        (record(running=False), {"not_connected_to": ["a:1"]}, ""),
        (record(running=False), {"running": False}, ""),
        (record(), {"running": True}, ""),
        (record(), {"running": False}, "still runs (process 10)"),
        (record(running=False), {"running": True}, "does not run"),
        (record(running=False), {"connected_to": ["a:1"]}, "does not run"),
        (record("b:2"), {"connected_to": ["a:1", "b:2"], "not_connected_to": ["c:3"]}, ""),
        (record(), {"connected_to": ["a:1", "b:2"]}, "connected to none of the brokers; wanted a:1 or b:2"),
        (
            record("a:1", "c:3"),
            {"connected_to": ["a:1"], "not_connected_to": ["c:3"]},
            "connected to a:1, c:3; wanted a:1; not wanted c:3",
        ),
    ],
)
def test_what_is_not_as_wanted(seen: dict[str, Any], wanted: dict[str, Any], problem: str) -> None:
    assert unmet(seen, wanted) == (f"service orders-api: {problem}" if problem else "")


class Looks:
    """Looks at one service, one record or exception after the other; the last one stays. Its time is its own."""

    def __init__(self, *looks: dict[str, Any] | SocketsError) -> None:
        self.looks = list(looks)
        self.count = 0
        self.now = 100.0
        self.besides: list[str] = []
        self.records: list[dict[str, Any]] = []

    def __call__(self) -> tuple[list[dict[str, Any]], list[str]]:
        seen = self.looks[min(self.count, len(self.looks) - 1)]
        self.count += 1
        if isinstance(seen, SocketsError):
            raise seen
        return [seen], self.besides

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds

    def wait(self, timeout: float, stable_for: float = 0, **wanted: Any) -> list[str]:
        self.records, problems = wait(self, [wanted], timeout, stable_for, lambda: self.now, self.sleep)
        return problems


def test_waits_no_longer_than_needed() -> None:
    looks = Looks(record(running=False), record(), SocketsError("no such name"), record("a:1"))
    assert looks.wait(60, connected_to=["a:1"]) == []
    assert looks.count == 4


def test_without_time_it_looks_once() -> None:
    looks = Looks(record(running=False), record("a:1"))
    assert looks.wait(0, connected_to=["a:1"]) == ["service orders-api: does not run"]
    assert looks.count == 1


def test_the_wait_ends_with_what_was_seen_last() -> None:
    looks = Looks(record("c:3"))
    assert looks.wait(10, not_connected_to=["c:3"]) == ["service orders-api: connected to c:3; not wanted c:3"]
    assert looks.now == 110
    with pytest.raises(SocketsError, match="no such name"):
        Looks(SocketsError("no such name")).wait(1, running=True)


def test_connections_that_the_broker_closes_again_are_none() -> None:
    # As with refused credentials: always connected, but never for long.
    flapping = Looks(*(record("a:1", port=40000 + number // 8) for number in range(1000)))
    assert flapping.wait(20, 3, connected_to=["a:1"]) == ["service orders-api: no connection to a:1 lasts"]
    # The last look shows a connection, so the record has to say it.
    assert flapping.records[0]["endpoints"] == ["a:1"]
    assert flapping.records[0]["problem"] == "service orders-api: no connection to a:1 lasts"
    lasting = Looks(record("a:1", port=40000), record(), record("a:1", port=40001))
    assert lasting.wait(20, 3, connected_to=["a:1"]) == []
    assert lasting.now == pytest.approx(103.5)
    assert lasting.records[0]["problem"] is None


def test_what_is_wrong_besides_is_waited_for_and_hides_no_service() -> None:
    looks = Looks(record("a:1"))
    looks.besides = ["endpoint c:3: c cannot be resolved"]
    assert looks.wait(5, connected_to=["a:1"]) == looks.besides
    assert looks.now == 105
    assert looks.records[0]["problem"] is None


def test_not_running() -> None:
    assert observer(FakeProc()).service(SERVICE) == {
        "name": "orders-api",
        "running": False,
        "pids": [],
        "started": None,
        "endpoints": [],
        "connections": [],
    }


def test_a_zombie_does_not_run() -> None:
    proc = FakeProc()
    proc.add(10, cgroup=UNIT, stat=stat(10, 1, state="Z"))
    assert not observer(proc).service(SERVICE)["running"]


def test_a_process_that_vanishes() -> None:
    proc = FakeProc()
    proc.add(10, cgroup=UNIT)
    proc.vanished = {10, 11}
    assert not observer(proc).service(SERVICE)["running"]
    # Gone between stat and fd.
    proc.vanished = set()
    del proc.links[10]
    proc.pids = lambda: [10]  # type: ignore[method-assign]  # the fake's own list
    assert observer(proc).service(SERVICE)["connections"] == []


def test_connections_that_may_not_be_read() -> None:
    proc = FakeProc()
    proc.add(10, cgroup=UNIT)
    proc.forbidden = {10}
    with pytest.raises(SocketsError, match=r"service orders-api: .* process 10 may not be read; use become"):
        observer(proc).service(SERVICE)


def test_match() -> None:
    proc = FakeProc()
    proc.add(1, cmdline="python\0x.py\0--match\0billing\0")
    proc.add(10, cmdline="java\0-jar\0billing.jar\0", links=["socket:[103]"])
    proc.add(11, cmdline="")
    seen = observer(proc).service({"name": "b", "manager": "command", "pid_file": None, "match": "-jar billing"})
    assert (seen["pids"], seen["endpoints"]) == ([10], ["b-1:61617"])
    assert observer(proc).service({"name": "b", "manager": "command", "match": "billing"})["pids"] == [10]


def test_the_children_of_a_pid_file_belong_to_the_service(tmp_path: Path) -> None:
    proc = FakeProc()
    for pid, parent in ((10, 1), (11, 10), (12, 11), (13, 1)):
        proc.add(pid, stat=stat(pid, 100).replace(" S 0 ", f" S {parent} "))
    path = tmp_path / "a.pid"
    path.write_text("10")
    [seen] = observe(observer(proc), [{"name": "a", "manager": "sysvinit", "pid_file": str(path)}])
    assert seen["pids"] == [10, 11, 12]


def test_processes_that_outlive_their_pid_file_count(tmp_path: Path) -> None:
    proc = FakeProc()
    proc.add(10)
    service = {"name": "a", "manager": "sysvinit", "pid_file": str(tmp_path / "gone"), "pids": [10, 11]}
    [seen] = observe(observer(proc), [service])
    assert seen["pids"] == [10]


def test_a_program_of_supervisord() -> None:
    proc = FakeProc()
    proc.add(10, environ="A=1\0SUPERVISOR_PROCESS_NAME=billing\0SUPERVISOR_GROUP_NAME=shop\0")
    proc.add(11, environ="SUPERVISOR_PROCESS_NAME=billing-2\0")
    proc.add(12, environ="")
    [seen] = observe(observer(proc), [{"name": "billing", "manager": "supervisor"}])
    assert seen["pids"] == [10]


@pytest.mark.parametrize(
    ("name", "found"), [("billing", True), ("shop:billing", True), ("x:billing", False), ("shop", False)]
)
def test_names_of_supervisord(name: str, found: bool) -> None:
    assert of_supervisor("SUPERVISOR_PROCESS_NAME=billing\0SUPERVISOR_GROUP_NAME=shop", name) is found


@pytest.mark.parametrize(("content", "pids"), [("10\n", [10]), (" 10 extra", [10]), ("", []), ("x", []), ("77", [])])
def test_pid_file(tmp_path: Path, content: str, pids: list[int]) -> None:
    proc = FakeProc()
    proc.add(10)
    path = tmp_path / "a.pid"
    path.write_text(content)
    assert observer(proc).service({"name": "a", "manager": "command", "pid_file": str(path)})["pids"] == pids


def test_no_pid_file(tmp_path: Path) -> None:
    service = {"name": "a", "manager": "command", "pid_file": str(tmp_path / "none")}
    assert not observer(FakeProc()).service(service)["running"]


@pytest.mark.parametrize(
    ("cgroup", "unit", "found"),
    [
        (UNIT, "orders-api.service", True),
        (UNIT, "api.service", False),
        ("0::/system.slice/orders-api.service/worker\n", "orders-api.service", True),
        ("0::/system.slice/system-a.slice/a@1.service", "a@1.service", True),
        ("12:pids:/system.slice/a.service\n1:name=systemd:/system.slice/a.service\n0::/\n", "a.service", True),
        ("0::/user.slice/a.service.d", "a.service", False),
        ("", "a.service", False),
    ],
)
def test_in_unit(cgroup: str, unit: str, found: bool) -> None:
    assert in_unit(cgroup, unit) is found


@pytest.mark.parametrize(
    ("text", "byteorder", "address"),
    [
        ("0100007F:1F90", "little", ("127.0.0.1", 8080)),
        ("7F000001:1F90", "big", ("127.0.0.1", 8080)),
        ("00000000000000000000000001000000:0001", "little", ("::1", 1)),
        ("0000000000000000FFFF00000100007F:0001", "little", ("127.0.0.1", 1)),
        ("00000000000000000000FFFF7F000001:0001", "big", ("127.0.0.1", 1)),
    ],
)
def test_parse_address(text: str, byteorder: str, address: tuple[str, int]) -> None:
    assert parse_address(text, byteorder) == address


@pytest.mark.parametrize("text", ["", ":", "zz:1", "0100007F", "01:1", "0100007F:x"])
def test_not_an_address(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_address(text, "little")


@given(st.text())
def test_any_table_is_parsed(text: str) -> None:
    assert parse_tcp(HEADER + text, "little") == []


def test_a_cut_row_is_left_out() -> None:
    assert len(parse_tcp(TCP, "little")) == 5
    assert len(parse_tcp(TCP[:-70], "little")) == 4


def test_an_unknown_state() -> None:
    assert parse_tcp(HEADER + row("0100007F:1", "0100007F:2", "FF", 1), "little")[0].state == "UNKNOWN"


@pytest.mark.parametrize(
    ("text", "started"),
    [
        (stat(5, 1234), 1012.34),
        (stat(5, 1234, name="a) S (b c"), 1012.34),
        (stat(5, 1234, state="Z"), None),
        (stat(5, 1234, state="X"), None),
        ("", None),
        ("5 (java) S 1 2", None),
        (stat(5, 1234).replace("1234", "soon"), None),
    ],
)
def test_parse_started(text: str, started: float | None) -> None:
    assert parse_started(text, 1000.0, 100) == (None if started is None else pytest.approx(started))


def test_resolve() -> None:
    assert resolve(["127.0.0.1:1", "[::1]:2", "127.0.0.1:1"]) == {
        ("127.0.0.1", 1): "127.0.0.1:1",
        ("::1", 2): "[::1]:2",
    }


@pytest.mark.parametrize("endpoint", ["", "host", ":1", "host:", "host:x"])
def test_a_malformed_endpoint(endpoint: str) -> None:
    with pytest.raises(SocketsError, match="must be host:port"):
        resolve([endpoint])


def test_an_endpoint_that_cannot_be_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: Any, **_kwargs: Any) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(SocketsError, match=r"endpoint nowhere:1: nowhere cannot be resolved: .*not known"):
        resolve(["nowhere:1"])
    table, [problem] = resolve_each(["nowhere:1", "nowhere:1"])
    assert table == {}
    assert "nowhere cannot be resolved" in problem


def test_the_first_name_of_an_address_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 1))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: answer)
    assert resolve(["one:1", "two:1"]) == {("192.0.2.1", 1): "one:1"}


def test_the_real_proc() -> None:
    """See this very process: when it started, and a connection to itself."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        with socket.create_connection((host, port)) as client:
            real = Observer(
                ProcFs(),
                boot=boot_epoch(),
                ticks=os.sysconf("SC_CLK_TCK"),
                byteorder=sys.byteorder,
                endpoints=resolve([f"{host}:{port}"]),
                own_pid=0,
            )
            command_line = Path("/proc/self/cmdline").read_bytes().replace(b"\0", b" ").decode()
            seen = real.service({"name": "self", "manager": "command", "match": command_line})
    assert os.getpid() in seen["pids"]
    assert seen["endpoints"] == [f"{host}:{port}"]
    assert client.fileno() == -1
    assert 0 <= time.time() - seen["started"] < 24 * 3600


def test_the_real_proc_without_the_process(tmp_path: Path) -> None:
    proc = ProcFs(str(tmp_path))
    assert proc.pids() == []
    assert proc.read("1/stat") is None
    assert proc.socket_links(1) is None
    assert proc.net_namespace(1) is None
