# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.mqlift.amazon_mq.plugins.action.client_config import ActionModule
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._client_files import File

A = "/etc/a.properties"
B = "/etc/b.env"
PASSWORD = "hunter2hunter2"
ARGS = {
    "service": "orders-api",
    "settings": [
        {"path": A, "format": "properties", "values": {"url": "tcp://new:1", "password": PASSWORD}},
        {"path": B, "format": "env", "values": {"URL": f"tcp://new:1?x={PASSWORD}"}},
    ],
    "secrets": [PASSWORD],
}


class Host:
    """The module on the host, with files in memory."""

    def __init__(self) -> None:
        self.files = {A: b"# c\nurl=tcp://old:1\npassword=former\n", B: b"URL=tcp://old:1\n"}
        self.writes: list[dict[str, Any]] = []
        self.failure = ""

    def run(self, module_name: str, module_args: dict[str, Any], task_vars: Any) -> dict[str, Any]:
        assert module_name == "mqlift.amazon_mq.client_config"
        assert module_args["settings"] == []
        if self.failure:
            return {"failed": True, "msg": self.failure}
        if "_read" in module_args:
            files = [File(path, self.files[path], 1.5) for path in module_args["_read"]]
            return {
                "contents": [
                    {
                        "path": file.path,
                        "content": base64.b64encode(file.content).decode(),
                        "digest": file.digest,
                        "modified": file.modified,
                    }
                    for file in files
                ]
            }
        self.writes.append(module_args)
        for item in module_args["_write"]:
            assert item["expected"] == File(item["path"], self.files[item["path"]], 0).digest
            self.files[item["path"]] = base64.b64decode(item["content"])
        paths = [item["path"] for item in module_args["_write"]]
        return {
            "copies": {path: path + "~" for path in paths} if module_args["backup"] else {},
            "modified": dict.fromkeys(paths, 2.5),
        }


Run = Callable[..., dict[str, Any]]


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def run(host: Host, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(ActionBase, "run", lambda self, tmp=None, task_vars=None: {})

    def run(check: bool = False, diff: bool = False, **changes: Any) -> dict[str, Any]:
        action = ActionModule.__new__(ActionModule)
        action._task = SimpleNamespace(args={**ARGS, **changes}, check_mode=check, diff=diff)
        monkeypatch.setattr(action, "_execute_module", host.run)
        result: dict[str, Any] = action.run(task_vars={})
        assert PASSWORD not in json.dumps(result)
        return result

    return run


def test_write(host: Host, run: Run) -> None:
    result = run()
    assert result["changed"] is True
    assert host.files[A] == f"# c\nurl=tcp://new:1\npassword={PASSWORD}\n".encode()
    assert host.files[B] == f"URL='tcp://new:1?x={PASSWORD}'\n".encode()
    assert len(host.writes) == 1, "all files are written by one call"
    assert result["files"] == [
        {"path": A, "changed": True, "keys": ["url", "password"], "modified": 2.5},
        {"path": B, "changed": True, "keys": ["URL"], "modified": 2.5},
    ]
    assert result["previous"] == {A: {"url": "tcp://old:1"}, B: {"URL": "tcp://old:1"}}
    assert "diff" not in result


def test_second_run(host: Host, run: Run) -> None:
    run()
    result = run(diff=True)
    assert result["changed"] is False
    assert result["diff"] == []
    assert [file["modified"] for file in result["files"]] == [1.5, 1.5]
    assert len(host.writes) == 1


def test_check_mode_writes_nothing(host: Host, run: Run) -> None:
    result = run(check=True)
    assert result["changed"] is True
    assert host.writes == []
    assert [file["modified"] for file in result["files"]] == [1.5, 1.5]


def test_diff_hides_secrets(run: Run) -> None:
    assert run(check=True, diff=True)["diff"] == [
        {
            "before_header": A,
            "after_header": A,
            "before": "url = tcp://old:1\npassword = ********\n",
            "after": "url = tcp://new:1\npassword = ******** (changed)\n",
        },
        {
            "before_header": B,
            "after_header": B,
            "before": "URL = tcp://old:1\n",
            "after": "URL = tcp://new:1?x=********\n",
        },
    ]


def test_backup(run: Run) -> None:
    assert [file["backup_file"] for file in run(backup=True)["files"]] == [A + "~", B + "~"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"URL=1\nURL=2\n", "service orders-api: /etc/b.env: key URL: is in the file 2 times"),
        (b"OTHER=1\n", "service orders-api: /etc/b.env: key URL: is not in the file"),
        (b"\xff", "service orders-api: /etc/b.env: is not UTF-8"),
    ],
)
def test_bad_input_writes_nothing(host: Host, run: Run, content: bytes, reason: str) -> None:
    host.files[B] = content
    with pytest.raises(AnsibleActionFail, match=reason):
        run()
    assert host.writes == []


def test_a_failure_on_the_host_names_the_service(host: Host, run: Run) -> None:
    host.failure = "/etc/b.env: is a symbolic link"
    with pytest.raises(AnsibleActionFail, match=r"service orders-api: /etc/b\.env: is a symbolic link"):
        run()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"settings": ARGS["settings"][:1] * 2}, "/etc/a.properties: is listed twice"),  # type: ignore[operator]  # a list
        ({"settings": [{"path": A, "format": "toml", "values": {}}]}, "must be one of"),
        ({"settings": [{"path": A, "values": {}}]}, "missing required arguments: format"),
        ({"_write": []}, "Unsupported parameters"),
    ],
)
def test_bad_arguments(host: Host, run: Run, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(AnsibleActionFail, match=reason):
        run(**changes)
    assert host.writes == []
