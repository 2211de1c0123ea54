# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role client where containers run the services: Docker Compose for real, Kubernetes with a stand-in of its API."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from integration.test_client import PLAYBOOKS, change, inventory, nothing_changed, play, service_of, succeed, where

from lab import containers, kubernetes_api, plan, traffic
from lab.kubernetes_api import Cluster
from lab.lab import Lab

Up = Callable[..., Lab]
Run = Callable[..., subprocess.CompletedProcess[str]]
HOST = "notifier-1"

# --- Docker Compose


def in_a_container(lab: Lab) -> list[str]:
    """Let Docker Compose run the service of HOST; gives options for ansible-playbook to know it so."""
    settings = containers.move(lab, HOST)
    document = inventory(lab)
    service = service_of(document, HOST)
    service["manager"] = "docker_compose"
    service["match"] = f"service.py --name {service['name']}"
    service["docker_compose"] = {"project_src": containers.PROJECT, "service": service["name"]}
    service["settings"][0]["path"] = settings
    health = ["docker", "compose", "--project-directory", containers.PROJECT, "exec", "-T", service["name"], "true"]
    service["health"] = {"argv": health}
    return [*change(lab, document), "--limit", HOST]


def test_docker_compose_runs_a_service_through_its_phases_and_touches_no_other_container(up: Up) -> None:
    lab = up("demo")
    traffic.start(lab)
    options = in_a_container(lab)
    first = containers.running(lab, HOST)
    assert set(first) == {"notifier", "other"}
    assert nothing_changed(succeed(play(lab, "client.yml", *options, client_phase="source")))

    done = play(lab, "client.yml", *options, "--check", "--diff", client_phase="target")
    assert "+STOMP_PASSWORD = ***" in succeed(done)
    assert plan.APP_PASSWORD not in done.stdout + done.stderr
    assert not nothing_changed(succeed(play(lab, "client.yml", *options, "--check", entry_point="stop")))
    assert containers.running(lab, HOST) == first

    succeed(play(lab, "client.yml", *options, client_phase="target"))
    second = containers.running(lab, HOST)
    assert second["notifier"] != first["notifier"]
    assert second["other"] == first["other"]
    assert where(lab, HOST) == {"target-1"}
    assert nothing_changed(succeed(play(lab, "client.yml", *options, client_phase="target")))
    assert containers.running(lab, HOST) == second

    document = yaml.safe_load(Path(options[1]).read_text())
    health = service_of(document, HOST)["health"]
    service_of(document, HOST)["health"] = {"argv": ["/bin/false"]}
    change(lab, document)
    done = play(lab, "client.yml", *options, client_phase="source", client_verify_timeout=3)
    assert done.returncode != 0
    for words in (f"{HOST}: service notifier: phase source: Ask the service whether it is well", "files are back"):
        assert words in done.stdout
    service_of(document, HOST)["health"] = health
    change(lab, document)
    succeed(play(lab, "client.yml", *options, entry_point="verify", client_phase="target"))

    succeed(play(lab, "client.yml", *options, entry_point="stop"))
    assert containers.running(lab, HOST) == {"other": first["other"]}
    assert nothing_changed(succeed(play(lab, "client.yml", *options, entry_point="stop")))
    succeed(play(lab, "client.yml", *options, entry_point="start"))
    succeed(play(lab, "client.yml", *options, client_phase="source"))
    assert where(lab, HOST) == {plan.SOURCE}
    assert containers.running(lab, HOST)["other"] == first["other"]
    traffic.stop(lab)
    audit = traffic.settle(lab)
    assert audit.passed, audit.render()


# --- Kubernetes

SPACE, CONFIG, SECRET = "shop", "api", "api-access"
OLD_PASSWORD, NEW_PASSWORD = "old-Passw0rd-lab", "new-Passw0rd-lab"
SERVICE = {
    "name": "shop-api",
    "role": "producer",
    "manager": "kubernetes",
    "dialect": "activemq",
    "protocol": "openwire",
    "kubernetes": {"namespace": SPACE, "name": "api", "context": kubernetes_api.CONTEXT, "replicas": 2},
    "settings": [
        {"config_map": CONFIG, "values": {"BROKER_URL": "{{ mq_url }}", "RETRIES": 3}},
        {"secret": SECRET, "values": {"BROKER_PASSWORD": "{{ mq_password }}"}},
    ],
}


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster with the workload, its objects, and keys that are nobody's business."""
    with kubernetes_api.serve(tmp_path / "cluster") as (served, _kubeconfig):
        values = {"BROKER_URL": "failover:(tcp://old)", "RETRIES": "1", "COLOUR": "blue"}
        served.add("ConfigMap", SPACE, CONFIG, data=values)
        coded = {
            key: base64.b64encode(text.encode()).decode() for key, text in (("BROKER_PASSWORD", "x"), ("PIN", "1"))
        }
        served.add("Secret", SPACE, SECRET, type="Opaque", data=coded)
        pods = {"metadata": {"labels": {"app": "api"}}, "spec": {"containers": []}}
        served.add("Deployment", SPACE, "api", spec={"replicas": 3, "template": pods})
        yield served


@pytest.fixture
def run(cluster: Cluster, tmp_path: Path) -> Run:
    """A function that runs the role on this machine; keyword arguments are variables."""
    brokers = {
        "mq_source": {"endpoints": ["tcp://source.lab:61616"], "username": "app", "password": OLD_PASSWORD},
        "mq_target": {"endpoints": ["ssl://target.lab:61617"], "username": "app", "password": NEW_PASSWORD},
    }
    host = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    hosts = {"localhost": {**host, **brokers, "mq_services": [SERVICE]}}
    path = tmp_path / "inventory.yml"
    path.write_text(yaml.safe_dump({"all": {"children": {"mq_clients": {"hosts": hosts}}}}))
    surroundings = {
        **os.environ,
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_HOME": str(tmp_path / "ansible"),
        "KUBECONFIG": str(tmp_path / "cluster/kubeconfig"),
        # kubernetes.core keeps what it discovered here.
        "TMPDIR": str(tmp_path),
    }

    def ansible(*options: str, **variables: Any) -> subprocess.CompletedProcess[str]:
        words = ["ansible-playbook", "-i", str(path), str(PLAYBOOKS / "client.yml"), "-e", json.dumps(variables)]
        return subprocess.run(
            [*words, *options], env=surroundings, capture_output=True, text=True, check=False, timeout=120
        )

    return ansible


def shown(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The secrets that a run has shown, as they are or coded."""
    secrets = [OLD_PASSWORD, NEW_PASSWORD]
    coded = [base64.b64encode(secret.encode()).decode() for secret in secrets]
    return [text for text in secrets + coded if text in done.stdout + done.stderr]


def url(cluster: Cluster) -> str:
    """Where the workload's settings point."""
    return str(cluster.get("ConfigMap", SPACE, CONFIG)["data"]["BROKER_URL"])


def test_kubernetes_goes_to_the_target_and_back_with_one_rollout_for_each_change(cluster: Cluster, run: Run) -> None:
    before = dict(cluster.objects)
    done = run("--check", "--diff", "-vvv", client_phase="target")
    assert not nothing_changed(succeed(done))
    assert not shown(done)
    assert cluster.objects == before

    done = run("-vvv", "--diff", client_phase="target")
    assert not nothing_changed(succeed(done))
    assert not shown(done)
    assert "target.lab:61617" in url(cluster)
    settings = cluster.get("ConfigMap", SPACE, CONFIG)["data"]
    assert (settings["RETRIES"], settings["COLOUR"]) == ("3", "blue")
    assert cluster.secret(SPACE, SECRET) == {"BROKER_PASSWORD": NEW_PASSWORD, "PIN": "1"}
    assert cluster.rollouts == {"api": 1}

    after = dict(cluster.objects)
    assert nothing_changed(succeed(run(client_phase="target")))
    assert cluster.objects == after

    succeed(run(client_phase="source"))
    assert "source.lab:61616" in url(cluster)
    assert cluster.secret(SPACE, SECRET)["BROKER_PASSWORD"] == OLD_PASSWORD
    assert cluster.rollouts == {"api": 2}


def test_kubernetes_stops_and_starts_and_leaves_the_number_of_running_pods(cluster: Cluster, run: Run) -> None:
    def pods() -> int:
        return int(cluster.get("Deployment", SPACE, "api")["spec"]["replicas"])

    succeed(run(entry_point="start"))
    assert pods() == 3
    assert not nothing_changed(succeed(run("--check", entry_point="stop")))
    assert pods() == 3
    succeed(run(entry_point="stop"))
    assert pods() == 0
    assert nothing_changed(succeed(run(entry_point="stop")))
    succeed(run(entry_point="start"))
    assert pods() == 2
    # A phase starts what does not run, as with every other manager.
    cluster.patch("Deployment", SPACE, "api", {"spec": {"replicas": 0}}, dry_run=False)
    succeed(run(client_phase="source"))
    assert pods() == 2


def test_kubernetes_puts_the_former_values_back_when_the_pods_fail_or_are_sick(cluster: Cluster, run: Run) -> None:
    succeed(run(client_phase="source"))
    cluster.sick_with = "target.lab"
    done = run(client_phase="target", client_verify_timeout=2)
    assert done.returncode != 0
    for words in (
        "localhost: service shop-api: phase target: Replace the pods",
        "Timed out",
        "former settings are back",
    ):
        assert words in done.stdout
    assert not shown(done)
    assert "source.lab" in url(cluster)
    assert cluster.secret(SPACE, SECRET) == {"BROKER_PASSWORD": OLD_PASSWORD, "PIN": "1"}
    assert cluster.rollouts == {"api": 3}
    assert cluster.get("Deployment", SPACE, "api")["status"]["availableReplicas"] == 3

    cluster.sick_with = None
    sick = [{**SERVICE, "health": {"argv": ["/bin/false"]}}]
    done = run(client_phase="target", client_verify_timeout=1, mq_services=sick)
    assert done.returncode != 0
    for words in ("phase target: Ask the service whether it is well", "former settings are back"):
        assert words in done.stdout
    assert "source.lab" in url(cluster)
    assert nothing_changed(succeed(run(client_phase="source")))


def test_kubernetes_names_what_is_missing_and_changes_nothing(cluster: Cluster, run: Run) -> None:
    before = dict(cluster.objects)
    settings = [
        {"secret": SECRET, "values": {"PASS": "{{ mq_password }}"}},
        {"config_map": "none", "values": {"BROKER_URL": "{{ mq_url }}"}},
    ]
    absent = (
        "Require the keys: Secret api-access in namespace shop has no key PASS; "
        "ConfigMap none in namespace shop does not exist"
    )
    place = {"namespace": SPACE, "context": kubernetes_api.CONTEXT}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"settings": settings}, absent),
        ({"kubernetes": place}, "Deployment shop-api in namespace shop does not exist"),
        ({"kubernetes": {**place, "context": "mars"}}, "Expected object with name mars"),
    ]
    for other, message in cases:
        done = run("-v", client_phase="target", mq_services=[{**SERVICE, **other}])
        assert done.returncode != 0
        report = done.stdout.rpartition("Report the failure")[2]
        assert "localhost: service shop-api: phase target: " in report
        assert message in report
        assert "its settings did not change" in report
        assert not shown(done)
    assert cluster.objects == before
