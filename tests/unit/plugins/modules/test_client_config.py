# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mqlift.amazon_mq.plugins.modules import client_config


def run(capsys: pytest.CaptureFixture[str], **args: Any) -> dict[str, Any]:
    with patch_module_args({"service": "orders-api", "settings": [], **args}), pytest.raises(SystemExit):
        client_config.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_read_and_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a"
    path.write_text("old\n")
    path.chmod(0o640)
    seen = run(capsys, _read=[str(path)])
    [file] = seen["contents"]
    assert base64.b64decode(file["content"]) == b"old\n"
    assert file["writable"] is True
    assert seen["changed"] is False

    write = {"path": str(path), "expected": file["digest"], "content": base64.b64encode(b"hunter2\n").decode()}
    done = run(capsys, _write=[write], backup=True)
    assert path.read_text() == "hunter2\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert Path(done["copies"][str(path)]).read_text() == "old\n"
    assert done["modified"] == {str(path): path.stat().st_ctime}
    assert write["content"] not in json.dumps(done)

    late = run(capsys, _write=[write])
    assert late["failed"] is True
    assert "was changed by somebody else" in late["msg"]


def test_unreadable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, _read=[str(tmp_path / "none")])["msg"] == f"{tmp_path}/none: no such file or directory"


def test_check_mode_never_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write = {"path": str(tmp_path / "a"), "expected": "", "content": ""}
    assert run(capsys, _write=[write], _ansible_check_mode=True)["failed"] is True


def test_needs_its_action_plugin(capsys: pytest.CaptureFixture[str]) -> None:
    assert "action plugin" in run(capsys)["msg"]


def test_validate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = tmp_path / "a b.conf", tmp_path / "c.conf"
    first.write_text("old\n")
    second.write_text("old\n")
    digests = [file["digest"] for file in run(capsys, _read=[str(first), str(second)])["contents"]]
    content = base64.b64encode(b"new\n").decode()
    program = "import sys; print(open(sys.argv[1]).read()); sys.exit(sys.argv[1].endswith(sys.argv[2]))"

    def write(refused: str) -> dict[str, Any]:
        command = f"{sys.executable} -c '{program}' %s {refused}"
        return run(
            capsys,
            _write=[
                {"path": str(path), "expected": digest, "content": content, "validate": command}
                for path, digest in zip((first, second), digests, strict=True)
            ],
        )

    result = write("-c.conf")
    assert result["msg"] == f"{second}: the command of validate failed with exit code 1; nothing was changed"
    assert result["output"] == "new\n\n"
    assert [path.read_text() for path in (first, second)] == ["old\n", "old\n"]
    assert write("none")["changed"] is True
    assert [path.read_text() for path in (first, second)] == ["new\n", "new\n"]


@pytest.mark.parametrize("command", ["/nonexistent %s", "'unbalanced %s"])
def test_validate_that_cannot_run(tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    path = tmp_path / "a"
    path.write_text("old\n")
    [file] = run(capsys, _read=[str(path)])["contents"]
    result = run(
        capsys,
        _write=[{"path": str(path), "expected": file["digest"], "content": file["content"], "validate": command}],
    )
    assert f"{path}: the command of validate cannot be run: " in result["msg"]
    assert path.read_text() == "old\n"
