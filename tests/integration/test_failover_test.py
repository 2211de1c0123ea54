# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook failover_test on the lab: it names exactly the service that does not survive a failover, and why."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from lab import plan, shell, traffic
from lab.lab import Lab
from lab.pki import STORE_PASSWORD
from lab.plan import Placement

Up = Callable[..., Lab]
PLAYBOOKS = Path(__file__).with_name("playbooks")
#: Nobody has it.
STALE = "10.99.0.250"
Break = Callable[[Lab, Placement], None]


def run(lab: Lab, playbook: str, *options: str, **variables: Any) -> subprocess.CompletedProcess[str]:
    """Run a playbook where the controller is, its output kept."""
    return subprocess.run(
        [*lab.controller(), "ansible-playbook", playbook, "-e", json.dumps(variables), *options],
        env={**os.environ, **lab.environment(), "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def on_the_target(lab: Lab) -> None:
    """Bring all services to the target before anything is sent."""
    lab.start_services()
    shell.wait_for(lambda: not traffic.unconnected(lab), 60, "the connection of every service")
    done = run(lab, str(PLAYBOOKS / "client.yml"), client_phase="target", batches=["100%"])
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr
    traffic.start(lab)


def failover(lab: Lab, **variables: Any) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Run the playbook as in a staging environment; its output and its artefact."""
    artefact = lab.folder / "failover.json"
    artefact.unlink(missing_ok=True)
    given = {
        "failover_test_environment": "staging",
        "failover_test_artefact": str(artefact),
        "failover_test_settle": 10,
        **variables,
    }
    done = run(lab, "mqlift.amazon_mq.failover_test", **given)
    assert plan.APP_PASSWORD not in done.stdout + done.stderr
    if not artefact.exists():
        pytest.fail(f"no artefact was written:\n{done.stdout[-8000:]}{done.stderr}")
    report: dict[str, Any] = json.loads(artefact.read_text())
    assert plan.APP_PASSWORD not in artefact.read_text()
    return done, report


def named(report: dict[str, Any]) -> dict[str, set[str]]:
    """Host -> codes of the services that the report names."""
    return {
        record["host"]: {reason["code"] for reason in record["reasons"]}
        for record in report["services"]
        if record["survived"] is False
    }


def placement(lab: Lab, host: str) -> Placement:
    return next(item for item in lab.plan.services if item.host == host)


def one_endpoint(lab: Lab, item: Placement) -> None:
    """Leave instance 1 alone in the service's list, as somebody does who tries things out."""
    second = plan.instance_name(2)
    host = lab.hosts[item.host]
    text = host.execute(["cat", item.settings_path]).stdout
    assert second in text
    for port in (plan.OPENWIRE_TLS, plan.STOMP_TLS):
        text = text.replace(f",ssl://{second}:{port}", "").replace(f",{second}:{port}", "")
    assert second not in text
    host.execute(["sh", "-c", f"printf %s {shlex.quote(text)} >{item.settings_path}"])
    host.unit("restart", item.name)


def stale_address(lab: Lab, item: Placement) -> None:
    """Let the service's host have a former address of instance 2."""
    second = lab.hosts[plan.TARGETS[1]].address
    host = lab.hosts[item.host]
    text = host.execute(["cat", "/etc/hosts"]).stdout
    assert second in text
    # In place: it is a mount on some machines.
    text = text.replace(second, STALE)
    host.execute(["sh", "-c", f"printf %s {shlex.quote(text)} >/etc/hosts"])
    host.unit("restart", item.name)


def wrong_truststore(lab: Lab, item: Placement) -> None:
    """Give the service a truststore with the certificate of instance 1 alone, instead of its authority's."""
    certificate = x509.load_pem_x509_certificate((lab.pki / f"{plan.TARGETS[0]}.pem").read_bytes())
    entry = pkcs12.PKCS12Certificate(certificate, b"instance-1")
    store = pkcs12.serialize_java_truststore([entry], serialization.BestAvailableEncryption(STORE_PASSWORD.encode()))
    wrong = lab.shared / f"{item.host}.p12"
    wrong.write_bytes(store)
    host = lab.hosts[item.host]
    unit = f"/etc/systemd/system/{item.name}.service"
    host.execute(["sed", "-i", f"s#{lab.pki}/trust.p12#{wrong}#", unit])
    assert str(wrong) in host.execute(["cat", unit]).stdout
    host.execute(["systemctl", "daemon-reload"])
    host.unit("restart", item.name)


def connected_again(lab: Lab, host: str) -> None:
    item = placement(lab, host)
    shell.wait_for(lambda: bool(traffic.last_address(lab, item)), 30, f"the connection of {item.name} on {host}")


def nothing_lost(lab: Lab) -> None:
    traffic.stop(lab)
    audit = traffic.settle(lab)
    assert audit.passed, audit.render()
    assert audit.produced > 100


@pytest.mark.long
def test_what_would_not_survive_is_named_before_anything_is_rebooted(up: Up) -> None:
    lab = up("demo")
    on_the_target(lab)
    running = lab.hosts[plan.TARGETS[0]].unit_pid("activemq")
    assert running

    one_endpoint(lab, placement(lab, "worker-2"))
    connected_again(lab, "worker-2")
    stale_address(lab, placement(lab, "notifier-2"))
    connected_again(lab, "notifier-2")
    done = run(lab, "mqlift.amazon_mq.failover_test", "--check")
    assert done.returncode != 0
    assert "worker-2: service order-worker: only_one_endpoint" in done.stdout
    assert "notifier-2: service notifier: stale_dns" in done.stdout

    done, report = failover(lab)
    assert done.returncode != 0
    assert named(report) == {"worker-2": {"only_one_endpoint"}, "notifier-2": {"stale_dns"}}, done.stdout[-8000:]
    assert "worker-2: service order-worker: only_one_endpoint" in done.stdout
    assert report["failover"] is None
    assert lab.hosts[plan.TARGETS[0]].unit_pid("activemq") == running
    nothing_lost(lab)


@pytest.mark.long
def test_all_of_thirteen_services_survive(up: Up) -> None:
    lab = up("full")
    on_the_target(lab)
    # One that is not connected prevents the test, whatever is wanted.
    lab.hosts["billing-1"].unit("stop", "billing")
    done, report = failover(lab, failover_test_despite_defects=True, failover_test_connect_timeout=2)
    assert done.returncode != 0
    assert named(report) == {"billing-1": {"not_running"}}
    assert report["failover"] is None
    lab.hosts["billing-1"].unit("start", "billing")
    connected_again(lab, "billing-1")

    done, report = failover(lab)
    assert done.returncode == 0, done.stdout[-8000:]
    assert named(report) == {}
    assert len(report["services"]) == 13
    assert report["failover"]["failovers"] == 2
    assert all(record["down_for"] > 0 and record["timeline"] for record in report["services"])
    nothing_lost(lab)


@pytest.mark.long
@pytest.mark.parametrize(
    ("host", "spoil", "code"),
    [
        ("orders-2", one_endpoint, "only_one_endpoint"),
        ("worker-3", wrong_truststore, "wrong_truststore"),
        ("notifier-3", stale_address, "stale_dns"),
    ],
    ids=["one-endpoint", "truststore", "stale-address"],
)
def test_the_one_of_thirteen_that_is_wrong_is_named_with_the_reason(up: Up, host: str, spoil: Break, code: str) -> None:
    lab = up("full")
    on_the_target(lab)
    spoil(lab, placement(lab, host))
    connected_again(lab, host)
    done, report = failover(lab, failover_test_despite_defects=True)
    assert done.returncode != 0
    assert set(named(report)) == {host}, done.stdout[-8000:]
    assert code in named(report)[host]
    assert f"{host}: service {placement(lab, host).name}: {code}: " in done.stdout
    assert report["failover"]["failovers"] == 2
    assert report["failover"]["failures"] == []
    nothing_lost(lab)
