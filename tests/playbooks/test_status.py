# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be said of the status page without a broker: it says what cannot be seen, and never fails."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SECRET = "not-in-any-output"


def broker(name: str, port: int) -> dict[str, object]:
    view = {"url": f"http://127.0.0.1:{port}/api/jolokia", "username": "admin", "password": SECRET, "timeout": 5}
    return {"name": name, "view": view}


@pytest.mark.parametrize("options", [[], ["--check"]], ids=["run", "check"])
def test_neither_broker_answers_and_no_host_is_contacted(tmp_path: Path, options: list[str]) -> None:
    services = [{"name": "orders-api", "role": "producer", "settings": "{{ made_up_later }}"}]
    hosts = {
        "app1": {"ansible_host": "127.0.0.1", "ansible_port": 1, "mq_services": services},
        "app2": {"mq_addresses": ["10.2.0.0/16"]},
    }
    variables = {"mq_source": broker("onprem", 2), "mq_target": broker("aws", 3)}
    inventory = tmp_path / "inventory.yml"
    inventory.write_text(yaml.safe_dump({"all": {"vars": variables, "children": {"mq_clients": {"hosts": hosts}}}}))
    done = subprocess.run(
        ["ansible-playbook", "mqlift.amazon_mq.status", "-i", str(inventory), *options],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build/collections"), "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    for words in (
        "SOURCE onprem",
        "TARGET aws",
        "cannot be observed",
        "app1 (orders-api)",
        "app2 (no services)",
        "not seen",
    ):
        assert words in done.stdout
    recap = done.stdout.rpartition("PLAY RECAP")[2].strip().splitlines()[1:]
    assert recap
    assert all("changed=0" in line and "failed=0" in line for line in recap)
    assert SECRET not in done.stdout + done.stderr
