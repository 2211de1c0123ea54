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
    # Another container, which no phase of this test starts.
    service["scale_out"] = {
        "name": containers.FAILING,
        "match": containers.FAILING_COMMAND,
        "docker_compose": {"project_src": containers.PROJECT, "service": containers.FAILING},
        "settings": [{**service["settings"][0], "path": f"{containers.PROJECT}/failing.env"}],
    }
    return [*change(lab, document), "--limit", HOST]


@pytest.mark.long
def test_docker_compose_runs_a_service_through_its_phases_and_touches_no_other_container(up: Up) -> None:
    lab = up("demo")
    traffic.start(lab)
    options = in_a_container(lab)
    first = containers.running(lab, HOST)
    assert set(first) == {"notifier", "other"}
    assert nothing_changed(succeed(play(lab, "client.yml", *options, client_phase="source", client_stable_for=1)))
    # It would be made anew, without a look at where it connects.
    lab.host(HOST).execute(["sh", "-c", f"echo OTHER=1 >> {containers.PROJECT}/service.env"])
    assert nothing_changed(succeed(play(lab, "client.yml", *options, entry_point="start")))
    assert containers.running(lab, HOST) == first

    done = play(lab, "client.yml", *options, "--check", "--diff", client_phase="target")
    assert "+STOMP_PASSWORD = ***" in succeed(done)
    assert plan.APP_PASSWORD not in done.stdout + done.stderr
    assert not nothing_changed(succeed(play(lab, "client.yml", *options, "--check", entry_point="stop")))
    assert containers.running(lab, HOST) == first

    succeed(play(lab, "client.yml", *options, client_phase="target", client_stable_for=1))
    second = containers.running(lab, HOST)
    assert second["notifier"] != first["notifier"]
    assert second["other"] == first["other"]
    assert where(lab, HOST) == {"target-1"}

    document = yaml.safe_load(Path(options[1]).read_text())
    health = service_of(document, HOST)["health"]
    service_of(document, HOST)["health"] = {"argv": ["/bin/false"]}
    change(lab, document)
    done = play(lab, "client.yml", *options, client_phase="source", client_verify_timeout=3, client_stable_for=1)
    assert done.returncode != 0
    for words in (f"{HOST}: service notifier: phase source: Ask the service whether it is well", "files are back"):
        assert words in done.stdout
    service_of(document, HOST)["health"] = health
    change(lab, document)
    assert nothing_changed(succeed(play(lab, "client.yml", *options, client_phase="target", client_stable_for=1)))

    succeed(play(lab, "client.yml", *options, entry_point="stop"))
    assert containers.states(lab, HOST) == {"notifier": "exited", "other": "running"}
    containers.start(lab, HOST, containers.FAILING)
    succeed(play(lab, "client.yml", *options, entry_point="stop"))
    assert containers.states(lab, HOST) == {"notifier": "exited", "other": "running", containers.FAILING: "exited"}
    assert nothing_changed(succeed(play(lab, "client.yml", *options, entry_point="stop")))
    succeed(play(lab, "client.yml", *options, entry_point="start"))
    succeed(play(lab, "client.yml", *options, client_phase="source", client_stable_for=1))
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
        selector = {"matchLabels": {"app": "api"}}
        served.add("Deployment", SPACE, "api", spec={"replicas": 3, "selector": selector, "template": pods})
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
        "ANSIBLE_PIPELINING": "1",
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


def annotated(fingerprint: str) -> dict[str, Any]:
    """A patch of a workload that replaces its pods."""
    return {"spec": {"template": {"metadata": {"annotations": {"mqlift/settings": fingerprint}}}}}


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


def test_kubernetes_replaces_pods_only_when_the_settings_of_their_service_changed(cluster: Cluster, run: Run) -> None:
    # Objects of two services; the one has its keys in two places of its settings.
    web = {
        **SERVICE,
        "name": "web",
        "kubernetes": {"namespace": SPACE, "context": kubernetes_api.CONTEXT},
        "settings": [
            {"config_map": CONFIG, "values": {"COLOUR": "{{ mq_hosts[0].host }}"}},
            {"secret": SECRET, "values": {"PIN": "{{ mq_password }}"}},
        ],
    }
    parts = [
        {"config_map": CONFIG, "values": {"BROKER_URL": "{{ mq_url }}"}},
        {"secret": SECRET, "values": {"BROKER_PASSWORD": "{{ mq_password }}"}},
        {"config_map": CONFIG, "values": {"RETRIES": 3}},
    ]
    pods = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": pods}
    cluster.add("Deployment", SPACE, "web", spec=spec)
    services = [{**SERVICE, "settings": parts}, web]
    succeed(run(client_phase="target", mq_services=services))
    assert cluster.rollouts == {"api": 1, "web": 1}

    cluster.patch("ConfigMap", SPACE, CONFIG, {"metadata": {"labels": {"a": "b"}}, "data": {"NEW": "1"}}, dry_run=False)
    cluster.patch("Secret", SPACE, SECRET, {"data": {"NEW": "eA=="}}, dry_run=False)
    assert nothing_changed(succeed(run(client_phase="target", mq_services=services)))
    assert cluster.rollouts == {"api": 1, "web": 1}

    # With another salt, the same values look otherwise: so no annotation of the pods tells what a Secret holds.
    first = cluster.get("Deployment", SPACE, "web")["spec"]["template"]
    cluster.patch("Secret", SPACE, SECRET, {"metadata": {"annotations": {"mqlift/salt": None}}}, dry_run=False)
    succeed(run(client_phase="target", mq_services=services, client_services=["web"]))
    assert cluster.get("Deployment", SPACE, "web")["spec"]["template"] != first

    # What a run that was interrupted leaves: pods with other settings than the objects have.
    cluster.patch("Deployment", SPACE, "web", annotated("0"), dry_run=False)
    done = run("--check", client_phase="target", mq_services=services, client_services=["web"])
    assert not nothing_changed(succeed(done))
    assert cluster.rollouts == {"api": 1, "web": 3}


def test_kubernetes_verifies_the_settings_and_the_pods(cluster: Cluster, run: Run) -> None:
    def verify(**status: Any) -> subprocess.CompletedProcess[str]:
        cluster.objects["Deployment", SPACE, "api"]["status"].update(status)
        return run("-v", entry_point="verify", client_phase="target", client_verify_timeout=1)

    succeed(run(client_phase="target"))
    before = dict(cluster.objects)
    assert nothing_changed(succeed(verify()))
    for status, words in (
        ({"updatedReplicas": 1}, "pods wanted 3, there 3, updated 1, available 3"),
        ({"updatedReplicas": 3, "availableReplicas": 0}, "pods wanted 3, there 3, updated 3, available 0"),
    ):
        done = verify(**status)
        assert done.returncode != 0
        assert words in done.stdout
    assert cluster.objects == before

    changes: list[tuple[str, str, Any, str]] = [
        ("Deployment", "api", annotated("0"), "has pods that are older than the settings"),
        ("Deployment", "api", {"spec": {"replicas": 0}}, "pods wanted 0, there 0"),
        (
            "Secret",
            SECRET,
            {"data": {"BROKER_PASSWORD": "eA=="}},
            "has not the values of phase target: BROKER_PASSWORD",
        ),
    ]
    for kind, name, patch, words in changes:
        cluster.patch(kind, SPACE, name, patch, dry_run=False)
        done = verify()
        assert done.returncode != 0
        assert words in done.stdout
        assert not shown(done)


def test_kubernetes_waits_until_the_former_pods_are_gone(cluster: Cluster, run: Run) -> None:
    cluster.grace = 4
    succeed(run(client_phase="target"))
    assert len(cluster.pods(SPACE, {"app": "api"})) == 3
    cluster.grace = 60
    done = run(client_phase="source", client_stop_timeout=1)
    assert done.returncode != 0
    assert "after 1 s pods that are ending or have former settings are still there: api-4, api-5, api-6" in done.stdout


def test_kubernetes_stop_waits_until_the_pods_are_gone(cluster: Cluster, run: Run) -> None:
    cluster.grace = 8
    done = run(entry_point="stop", client_stop_timeout=1)
    assert done.returncode != 0
    assert "after 1 s these pods are still there: api-1, api-2, api-3" in done.stdout
    # They were told to end by the run before.
    assert nothing_changed(succeed(run(entry_point="stop")))
    assert cluster.pods(SPACE, {"app": "api"}) == []


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
        "localhost: service shop-api: phase target: Require the rollout: Deployment api in namespace shop is not as it",
        "pods wanted 3, there 3, updated 3, available 0",
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
