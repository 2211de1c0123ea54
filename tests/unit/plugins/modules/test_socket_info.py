# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mqlift.amazon_mq.plugins.modules import socket_info


def run(capsys: pytest.CaptureFixture[str], **args: Any) -> dict[str, Any]:
    with patch_module_args(args), pytest.raises(SystemExit):
        socket_info.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_sees_this_process(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pid_file = tmp_path / "a.pid"
    pid_file.write_text(str(os.getpid()))
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"127.0.0.1:{server.getsockname()[1]}"
        with socket.create_connection(server.getsockname()):
            seen = run(
                capsys,
                services=[{"name": "a", "manager": "command", "pid_file": str(pid_file)}, {"name": "no-such-unit"}],
                endpoints=[endpoint],
            )
    assert seen["changed"] is False
    assert seen["services"][0]["pids"] == [os.getpid()]
    assert seen["services"][0]["endpoints"] == [endpoint]
    assert seen["services"][1]["running"] is False


def test_fails_when_a_service_is_not_as_wanted_in_time(capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, services=[{"name": "no-such-unit", "connected_to": ["127.0.0.1:1"]}], timeout=0.1)
    assert result["failed"] is True
    assert result["msg"] == "service no-such-unit: does not run"
    assert result["services"][0]["running"] is False


def test_a_name_that_cannot_be_resolved_hides_no_service(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pid_file = tmp_path / "a.pid"
    pid_file.write_text(str(os.getpid()))
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"127.0.0.1:{server.getsockname()[1]}"
        service = {"name": "a", "manager": "command", "pid_file": str(pid_file), "connected_to": [endpoint]}
        with socket.create_connection(server.getsockname()):
            seen = run(capsys, services=[{**service, "not_connected_to": ["no-such-host.invalid:61616"]}])
            short = run(capsys, services=[service], stable_for=60)
    assert seen["failed"] is True
    assert "no-such-host.invalid cannot be resolved" in seen["msg"]
    assert len(seen["unresolved"]) == 1
    assert seen["services"][0]["endpoints"] == [endpoint]
    assert seen["services"][0]["problem"] is None
    assert short["unresolved"] == []
    assert short["services"][0]["problem"] == f"service a: no connection to {endpoint} lasts"


def test_follows_until_the_path_is_gone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pid_file = tmp_path / "a.pid"
    pid_file.write_text(str(os.getpid()))
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"127.0.0.1:{server.getsockname()[1]}"
        with socket.create_connection(server.getsockname()):
            seen = run(
                capsys,
                services=[{"name": "a", "manager": "command", "pid_file": str(pid_file)}],
                endpoints=[endpoint, "no-such-host.invalid:61617"],
                follow_while=str(tmp_path / "not-there"),
                timeout=30,
            )
    [change] = seen["services"][0]["timeline"]["changes"]
    assert change["endpoints"] == [endpoint]
    assert change["at"] <= seen["now"]
    assert len(seen["unresolved"]) == 1
    assert "no-such-host.invalid" in seen["unresolved"][0]


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"services": [{"name": "a", "manager": "command"}]}, "any of the following are missing: pid_file, match"),
        ({"services": [{"name": "a", "pid_file": "/a", "match": "a"}]}, "mutually exclusive"),
        ({"services": [], "endpoints": ["host"]}, "must be host:port"),
    ],
)
def test_bad_arguments(capsys: pytest.CaptureFixture[str], args: dict[str, Any], reason: str) -> None:
    result = run(capsys, **args)
    assert result["failed"] is True
    assert reason in result["msg"]
