# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be said of the playbook without a broker: its order, and that a wrong inventory stops it at once."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOK = ROOT / "playbooks/migrate_no_interruption.yml"

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
    "mq_source": {
        "name": "onprem",
        "endpoints": ["tcp://127.0.0.1:2"],
        "view": {"url": "http://127.0.0.1:2/api/jolokia"},
    },
    "mq_target": {
        "name": "target",
        "endpoints": ["ssl://127.0.0.1:3"],
        "username": "app",
        "password": "not-in-any-output",
        "view": {"url": "https://127.0.0.1:3/api/jolokia"},
    },
}


def run(
    folder: Path,
    hosts: dict[str, Any],
    brokers: dict[str, Any],
    playbook: str = "mqlift.amazon_mq.migrate_no_interruption",
) -> subprocess.CompletedProcess[str]:
    """Run a playbook with hosts that nobody answers for."""
    variables = {"ansible_host": "127.0.0.1", "ansible_port": 1, **brokers}
    inventory = folder / "inventory.yml"
    inventory.write_text(yaml.safe_dump({"all": {"vars": variables, "children": {"mq_clients": {"hosts": hosts}}}}))
    return subprocess.run(
        ["ansible-playbook", playbook, "-i", str(inventory)],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build/collections"), "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_phases_come_in_the_documented_order() -> None:
    plays = yaml.safe_load(PLAYBOOK.read_text())
    found = []
    for play in plays:
        for role in play["roles"]:
            name = role["role"].rpartition(".")[2]
            variables = role.get("vars", {})
            found.append((play["hosts"], name, *(variables.get(key) for key in ORDER_KEYS if key in variables)))
        assert play["any_errors_fatal"] is True
        assert play["gather_facts"] is False
    split = "{{ 'both_target_first' if inventory_hostname in preflight_target_first else 'both_source_first' }}"
    consumers, producers, everybody = "mqlift_consumer:mqlift_both", "mqlift_producer", "mq_clients"
    assert found == [
        (everybody, "preflight"),
        (consumers, "client", ["consumer", "both"], split),
        (everybody, "coverage", ["{{ mq_source }}"]),
        (everybody, "coverage", ["{{ mq_target }}"]),
        (producers, "client", ["producer"], "target"),
        (everybody, "coverage", ["{{ mq_source }}"]),
        (everybody, "coverage", ["{{ mq_target }}"], False),
        (everybody, "drain", "{{ mq_source }}"),
        (consumers, "client", ["consumer", "both"], "target"),
        (everybody, "drain", "{{ mq_source }}"),
        (everybody, "coverage", ["{{ mq_target }}"]),
    ]


ORDER_KEYS = ("client_roles", "client_phase", "coverage_brokers", "coverage_required", "drain_broker")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("role", "sender"),
        ("dialect", "hornetq"),
        ("manager", "upstart"),
        ("protocol", "amqp"),
        ("settings", []),
        ("settings", [{**SERVICE["settings"][0], "format": "edn"}]),
        ("health", {"url": "http://localhost"}),
        ("scale_out", {"name": "orders-api-b"}),
        ("commands", {"start": ["true"]}),
        ("colour", "red"),
    ],
)
def test_a_wrong_service_is_refused_before_any_host_is_touched(tmp_path: Path, key: str, value: object) -> None:
    hosts = {"app1": {"mq_services": [{**SERVICE, key: value}]}, "app2": {"mq_services": [SERVICE]}}
    done = run(tmp_path, hosts, BROKERS)
    refused_without_contact(done, "app1", "orders-api", key)


def test_a_service_that_is_listed_twice_is_refused_before_any_host_is_touched(tmp_path: Path) -> None:
    done = run(tmp_path, {"app1": {"mq_services": [SERVICE, SERVICE]}, "app2": {"mq_services": [SERVICE]}}, BROKERS)
    refused_without_contact(done, "app1", "orders-api", "name is used twice")


def test_a_variable_that_is_missing_is_named_before_any_host_is_touched(tmp_path: Path) -> None:
    settings = [{**SERVICE["settings"][0], "values": {"broker.password": "{{ vault_password }}"}}]
    done = run(tmp_path, {"app1": {"mq_services": [{**SERVICE, "settings": settings}]}}, BROKERS)
    refused_without_contact(done, "app1", "vault_password", "inventory.yml:")
    done = run(tmp_path, {"app1": {}}, BROKERS)
    refused_without_contact(done, "app1", "mq_services")


def test_a_list_of_both_brokers_needs_credentials_that_are_valid_on_both(tmp_path: Path) -> None:
    brokers = {**BROKERS, "mq_source": {**BROKERS["mq_source"], "username": "old", "password": "not-in-any-output"}}
    done = run(tmp_path, {"app1": {"mq_services": [SERVICE]}}, brokers)
    refused_without_contact(done, "app1", "orders-api", "usernames of mq_source and mq_target differ", "mq_both")


def test_a_wrong_broker_is_refused_before_any_host_is_touched(tmp_path: Path) -> None:
    brokers = {**BROKERS, "mq_target": {**BROKERS["mq_target"], "endpoints": []}}
    done = run(tmp_path, {"app1": {"mq_services": [SERVICE]}}, brokers)
    refused_without_contact(done, "app1", "mq_target", "endpoints")


def test_a_broker_that_does_not_answer_is_named_before_any_host_is_touched(tmp_path: Path) -> None:
    done = run(tmp_path, {"app1": {"mq_services": [SERVICE]}}, BROKERS)
    refused_without_contact(done, "http://127.0.0.1:2/api/jolokia")


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"client_phase": "targte"}, ["client_phase", "targte"]),
        ({}, ["client_phase"]),
        ({"client_phase": "target", "client_roles": ["sender"]}, ["client_roles", "sender"]),
        ({"client_phase": "source_tls"}, ["app1", "orders-api", "mq_source: tls"]),
        ({"client_phase": "target", "mq_both": "x"}, ["mq_both"]),
    ],
)
def test_wrong_arguments_of_the_role_are_refused_before_any_host_is_touched(
    tmp_path: Path, variables: dict[str, Any], words: list[str]
) -> None:
    role = {"role": "mqlift.amazon_mq.client", "vars": variables}
    playbook = tmp_path / "play.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "roles": [role]}]))
    done = run(tmp_path, {"app1": {"mq_services": [SERVICE]}}, BROKERS, str(playbook))
    refused_without_contact(done, *words)


def refused_without_contact(done: subprocess.CompletedProcess[str], *words: str) -> None:
    output = done.stdout + done.stderr
    assert done.returncode != 0, output
    # Had a host been touched, it would be unreachable.
    assert "UNREACHABLE" not in output
    assert "not-in-any-output" not in output
    for word in words:
        assert word in output
