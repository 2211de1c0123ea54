# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module around the logs: positions first, matches later; the journal by journalctl."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _logs
from ansible_collections.mqlift.amazon_mq.plugins.modules import log_info


def run(capsys: pytest.CaptureFixture[str], **args: Any) -> dict[str, Any]:
    with patch_module_args(args), pytest.raises(SystemExit):
        log_info.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_what_was_logged_since(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "a.log"
    log.write_text("bad before\n")
    files = [str(log), str(tmp_path / "absent.log")]
    before = run(capsys, files=files)
    assert "logs" not in before
    log.write_text("bad before\nbad after, secret word\n")
    after = run(
        capsys,
        files=files,
        since=before["positions"],
        patterns={"bad": "^bad", "fine": "fine"},
        secrets=["secret word"],
    )
    assert after["changed"] is False
    first, second = after["logs"]
    assert first["path"] == str(log)
    assert first["matches"][0]["count"] == 1
    assert first["matches"][0]["lines"] == ["bad after, ********"]
    assert second == {"path": files[1], "problems": ["no such file or directory"], "matches": []}


def test_the_journal_of_a_unit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "journalctl"
    program.write_text('#!/bin/sh\nfor word; do echo "$word"; done\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    before = run(capsys, journal=["orders"])
    assert before["positions"][0]["path"] == "journal:orders"
    since = [{"path": "journal:orders", "time": 1767225600}]
    after = run(
        capsys, journal=["orders"], since=since, patterns={"unit": "--unit=orders", "since": "--since=@1767225600"}
    )
    assert [match["count"] for match in after["logs"][0]["matches"]] == [1, 1]

    with monkeypatch.context() as patch:
        patch.setattr(_logs, "MAX_BYTES", 1000)
        program.write_text("#!/bin/sh\nhead -c 100000 /dev/zero | tr '\\0' x\necho\necho the end\n")
        [log] = run(capsys, journal=["orders"], since=since, patterns={"end": "^the end", "all": "^x"})["logs"]
    assert "only the last 1000 were searched" in log["problems"][0]
    assert [match["pattern"] for match in log["matches"]] == ["end", "all"]

    program.write_text("#!/bin/sh\necho no journal >&2\nexit 1\n")
    after = run(capsys, journal=["orders"], since=since, patterns={"unit": "x"})
    assert after["logs"][0]["problems"] == ["journalctl failed: no journal"]


def test_a_wrong_pattern_fails(capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, files=["/a"], patterns={"odd": "("})
    assert result["failed"] is True
    assert "pattern odd" in result["msg"]
