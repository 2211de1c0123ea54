# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be said of the failover test without a broker: what it refuses, before any host is touched."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOK = ROOT / "playbooks/failover_test.yml"
SECRET = "not-in-any-output"
SERVICE: dict[str, Any] = {
    "name": "orders-api",
    "role": "producer",
    "manager": "systemd",
    "dialect": "activemq",
    "protocol": "openwire",
    "settings": [
        {"path": "/etc/orders-api/app.properties", "format": "properties", "values": {"broker.url": "{{ mq_url }}"}}
    ],
}
BROKERS: dict[str, Any] = {
    "mq_source": {"name": "onprem", "endpoints": ["tcp://127.0.0.1:2"]},
    "mq_target": {
        "name": "orders",
        "region": "us-east-2",
        "endpoints": ["ssl://127.0.0.1:3", "ssl://127.0.0.2:3"],
        "username": "app",
        "password": SECRET,
        "view": {"url": "https://127.0.0.1:3/api/jolokia"},
    },
}
STAGING = {"failover_test_environment": "staging"}


def run(folder: Path, *options: str, service: Any = None, target: Any = None, **given: Any) -> str:
    """What the playbook says when it fails, with two hosts that nobody answers for."""
    hosts = {"app1": {"mq_services": [service or SERVICE]}, "app2": {"mq_services": [SERVICE]}}
    variables = {"ansible_host": "127.0.0.1", "ansible_port": 1, **BROKERS, "mq_target": target or BROKERS["mq_target"]}
    inventory = folder / "inventory.yml"
    inventory.write_text(yaml.safe_dump({"all": {"vars": variables, "children": {"mq_clients": {"hosts": hosts}}}}))
    done = subprocess.run(
        [
            "ansible-playbook",
            "mqlift.amazon_mq.failover_test",
            "-i",
            str(inventory),
            "-e",
            json.dumps(given),
            *options,
        ],
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build/collections"),
            "ANSIBLE_NOCOLOR": "1",
            # Nobody answers there either.
            "AWS_ENDPOINT_URL": "https://127.0.0.1:4",
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_MAX_ATTEMPTS": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    output = done.stdout + done.stderr
    assert done.returncode != 0, output
    # Had a host been touched, it would be unreachable.
    assert "UNREACHABLE" not in output
    assert SECRET not in output
    return output


def test_all_hosts_go_through_it_together() -> None:
    [play] = yaml.safe_load(PLAYBOOK.read_text())
    assert play["hosts"] == "mq_clients"
    assert play["any_errors_fatal"] is True
    assert play["gather_facts"] is False
    assert "serial" not in play
    assert [role["role"] for role in play["roles"]] == ["mqlift.amazon_mq.failover_test"]


@pytest.mark.parametrize("confirm", ["", "order", "yes"])
def test_in_production_the_name_of_the_broker_has_to_be_typed(tmp_path: Path, confirm: str) -> None:
    output = run(tmp_path, failover_test_confirm=confirm)
    assert "the broker orders would be rebooted" in output
    assert "Set failover_test_confirm to orders" in output


def test_who_waits_for_a_maintenance_is_told_so(tmp_path: Path) -> None:
    output = run(tmp_path, failover_test_trigger="none")
    assert "wait until somebody reboots the broker orders" in output


def test_a_host_that_is_left_out_is_named(tmp_path: Path) -> None:
    output = run(tmp_path, "--limit", "app1", **STAGING)
    assert "hosts of mq_clients are left out: app2" in output


@pytest.mark.parametrize("key", ["region", "view"])
def test_what_the_test_of_the_broker_needs(tmp_path: Path, key: str) -> None:
    target = {name: value for name, value in BROKERS["mq_target"].items() if name != key}
    output = run(tmp_path, target=target, **STAGING)
    assert f"mq_target needs a {key}" in output or f"a {key} where" in output


def test_a_wrong_service_is_named(tmp_path: Path) -> None:
    output = run(tmp_path, service={**SERVICE, "logs": ["orders.log"]}, **STAGING)
    assert "app1: service orders-api: logs: 'orders.log' must be an absolute path" in output


@pytest.mark.parametrize(
    ("given", "word"),
    [({"failover_test_environment": "test"}, "staging"), ({"failover_test_patterns": [{"name": "a"}]}, "pattern")],
)
def test_wrong_arguments_are_refused(tmp_path: Path, given: dict[str, Any], word: str) -> None:
    assert word in run(tmp_path, **{**STAGING, **given})


def test_a_broker_that_the_api_does_not_tell_of_stops_it(tmp_path: Path) -> None:
    assert "127.0.0.1:4" in run(tmp_path, **STAGING)
