# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.action import ActionBase
from ansible.template import Templar

from ansible_collections.mqlift.amazon_mq.plugins.action import client_config
from ansible_collections.mqlift.amazon_mq.plugins.action.client_config import ActionModule
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._client_files import File

A = "/etc/a.properties"
B = "/etc/b.env"
PASSWORD = "hunter2hunter2"
FIRST = {"path": A, "format": "properties", "values": {"url": "tcp://new:1", "password": PASSWORD}}
ARGS = {
    "service": "orders-api",
    "settings": [
        FIRST,
        {"path": B, "format": "env", "values": {"URL": f"tcp://new:1?x={PASSWORD}"}},
    ],
    "secrets": [PASSWORD],
}


class Host:
    """The module on the host, with files in memory."""

    def __init__(self) -> None:
        self.files = {A: b"# c\nurl=tcp://old:1\npassword=former\n", B: b"URL=tcp://old:1\n"}
        self.writes: list[dict[str, Any]] = []
        self.read_only: set[str] = set()
        self.failure = ""
        self.output = ""

    def run(self, module_name: str, module_args: dict[str, Any], task_vars: Any) -> dict[str, Any]:
        assert module_name == "mqlift.amazon_mq.client_config"
        assert module_args["settings"] == []
        if self.failure:
            return {"failed": True, "msg": self.failure, "output": self.output}
        if "_read" in module_args:
            files = [File(path, self.files[path], 1.5) for path in module_args["_read"]]
            return {
                "contents": [
                    {
                        "path": file.path,
                        "content": base64.b64encode(file.content).decode(),
                        "digest": file.digest,
                        "modified": file.modified,
                        "writable": file.path not in self.read_only,
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
        action._task = SimpleNamespace(args={**ARGS, **changes}, check_mode=check, diff=diff, get_search_path=list)
        monkeypatch.setattr(action, "_execute_module", host.run)
        action._templar = Templar()
        action._loader = DataLoader()
        result: dict[str, Any] = action.run(task_vars={"inventory_hostname": "app1", "greeting": "hello"})
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


def test_a_key_is_secret_when_its_new_value_is(host: Host, run: Run) -> None:
    host.files[B] = b"URL=former\n"
    result = run(settings=[{"path": B, "format": "env", "values": {"URL": PASSWORD}}], diff=True)
    assert result["previous"] == {B: {}}
    assert [(each["before"], each["after"]) for each in result["diff"]] == [
        ("URL = ********\n", "URL = ******** (changed)\n")
    ]


def test_a_value_of_a_secret_key_is_secret_everywhere(run: Run) -> None:
    result = run(secrets=[], diff=True)
    assert result["diff"][1]["after"] == "URL = tcp://new:1?x=********\n"


def test_formats_get_their_options(host: Host, run: Run) -> None:
    host.files = {A: b"<a xmlns='u' b='1'/>", B: b"x 1 y"}
    run(
        settings=[
            {"path": A, "format": "xml", "values": {"/n:a/@b": 2}, "namespaces": {"n": "u"}},
            {"path": B, "format": "regexp", "values": {r"x (\d) y": 2}},
        ]
    )
    assert host.files == {A: b"<a xmlns='u' b='2'/>", B: b"x 2 y"}


def test_validate(host: Host, run: Run) -> None:
    run(settings=[{**FIRST, "validate": "/usr/bin/check -t %s"}])
    assert [item["validate"] for item in host.writes[0]["_write"]] == ["/usr/bin/check -t %s"]


def template(tmp_path: Path, text: str, **values: Any) -> dict[str, Any]:
    path = tmp_path / "service.j2"
    path.write_text(text)
    return {"settings": [{"path": A, "format": "template", "src": str(path), "values": values}]}


def test_template(host: Host, run: Run, tmp_path: Path) -> None:
    (tmp_path / "part").write_text("part {{ greeting }}")
    args = template(
        tmp_path,
        "# c\n{% for host in hosts %}\n{{ host }}\n{% endfor %}\n{{ greeting }} {{ word }}\n{% include 'part' %}",
        hosts=["a", "b"],
        word=PASSWORD,
    )
    result = run(**args, diff=True)
    assert host.files[A] == f"# c\na\nb\nhello {PASSWORD}\npart hello".encode()
    assert result["files"][0]["changed"] is True
    assert result["files"][0]["keys"] == []
    assert result["previous"] == {A: {}}
    # The former password is on one of these lines.
    assert result["diff"][0]["before"] == "********\n********\n"
    assert result["diff"][0]["after"] == "a\nb\nhello ********\npart hello"
    assert run(**args)["changed"] is False


def test_a_template_in_which_only_a_secret_changes(host: Host, run: Run, tmp_path: Path) -> None:
    host.files[A] = b"url=tcp://old:1\nword=former\n"
    result = run(**template(tmp_path, "url=tcp://old:1\nword={{ mq_pass }}\n", mq_pass=PASSWORD), diff=True)
    assert [(each["before"], each["after"]) for each in result["diff"]] == [("********\n", "word=********\n")]
    host.files[A] = b"password=former\n"
    result = run(**template(tmp_path, "password={{ mq_pass }}\n", mq_pass=PASSWORD), diff=True)
    assert [(each["before"], each["after"]) for each in result["diff"]] == [("********\n", "password ********\n")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{{ nothing }}", "'nothing' is undefined"),
        ("{% if %}", "Syntax error in template"),
        ("{{ [1] }}", "does not render to a text"),
    ],
)
def test_bad_templates(host: Host, run: Run, tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(AnsibleActionFail, match=rf"app1: service orders-api: {A}: template .*service\.j2: {reason}"):
        run(**template(tmp_path, text))
    assert host.writes == []


def test_a_missing_template(run: Run) -> None:
    settings = [{"path": A, "format": "template", "src": "/nowhere/x.j2", "values": {}}]
    with pytest.raises(AnsibleActionFail, match=r"template /nowhere/x\.j2: Could not find"):
        run(settings=settings)


def test_read_only(host: Host, run: Run) -> None:
    host.read_only = {B}
    for check in (True, False):
        with pytest.raises(AnsibleActionFail, match=f"app1: service orders-api: {B}: must be changed, but cannot be"):
            run(check=check)
    assert host.writes == []
    host.read_only = set()
    run()
    host.read_only = {A, B}
    assert run()["changed"] is False


def test_a_result_that_is_too_large(host: Host, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_config, "MAX_FILE", 40)
    with pytest.raises(AnsibleActionFail, match=f"{A}: would become larger than 40 bytes"):
        run()
    assert host.writes == []


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
    with pytest.raises(AnsibleActionFail, match=f"app1: {reason}"):
        run()
    assert host.writes == []


def test_a_failure_on_the_host_names_the_service(host: Host, run: Run) -> None:
    host.failure = "/etc/b.env: is a symbolic link"
    with pytest.raises(AnsibleActionFail, match=r"service orders-api: /etc/b\.env: is a symbolic link"):
        run()


def test_what_the_host_says_is_shown_without_secrets(host: Host, run: Run) -> None:
    host.failure = "/etc/a.properties: the command of validate failed with exit code 1; nothing was changed"
    host.output = f"line 1: bad\nx={PASSWORD}\ndb.secret=other\n"
    with pytest.raises(AnsibleActionFail, match=r"nothing was changed: line 1: bad\nx=\*+\ndb\.secret \*+$"):
        run()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"settings": [FIRST, FIRST]}, f"{A}: is listed twice"),
        ({"settings": [{"path": A, "format": "xls", "values": {}}]}, "must be one of"),
        ({"settings": [{"path": A, "format": "template", "values": {}}]}, "all of the following are missing: src"),
        ({"settings": [{**FIRST, "src": "x"}]}, f"app1: service orders-api: {A}: src is for format template only"),
        ({"settings": [{**FIRST, "namespaces": {}}]}, f"{A}: namespaces is for format xml only"),
        ({"settings": [{**FIRST, "validate": "/usr/bin/true"}]}, f"{A}: validate must contain %s"),
        ({"settings": [{"path": A, "values": {}}]}, "missing required arguments: format"),
        ({"_write": []}, "Unsupported parameters"),
    ],
)
def test_bad_arguments(host: Host, run: Run, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(AnsibleActionFail, match=reason):
        run(**changes)
    assert host.writes == []
