# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What endpoint_probe sees of the real brokers of the lab: each protocol, the standby, and what a night can bring."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from lab import faults, plan
from lab.lab import Lab

Up = Callable[..., Lab]
CREDENTIALS = {"username": plan.APP_USER, "password": plan.APP_PASSWORD}
#: The protocols that are sent credentials, and those that tell the broker's version.
JUDGING, TELLING = {"stomp", "amqp", "mqtt", "ws"}, {"openwire", "stomp", "ws"}


def run(lab: Lab, endpoints: list[str], host: str = "localhost", **options: Any) -> tuple[bool, dict[str, Any]]:
    """Run the module, on a host of the lab or where the controller is. Whether it succeeded, and its result."""
    trust = "/etc/mqlab/ca.pem" if host != "localhost" else str(lab.pki / "ca.pem")
    arguments = json.dumps({"endpoints": endpoints, "ca_file": trust, "timeout": 3, **options})
    done = subprocess.run(
        [*lab.controller(), "ansible", host, "-m", "mqlift.amazon_mq.endpoint_probe", "-a", arguments],
        env={**os.environ, **lab.environment(), "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    for secret in (plan.APP_PASSWORD, "not-the-Passw0rd"):
        assert secret not in done.stdout + done.stderr
    assert "=>" in done.stdout, done.stdout + done.stderr
    return done.returncode == 0, json.loads(done.stdout.partition("=>")[2])


def look(lab: Lab, endpoints: list[str], host: str = "localhost", **options: Any) -> list[dict[str, Any]]:
    """What is seen of each endpoint."""
    succeeded, result = run(lab, endpoints, host, **options)
    assert succeeded, result
    assert result["changed"] is False
    seen: list[dict[str, Any]] = result["endpoints"]
    assert [each["endpoint"] for each in seen] == endpoints
    return seen


def listeners(lab: Lab, host: str) -> list[str]:
    """All endpoints of an instance of the target."""
    return [f"{scheme}://{lab.name_of(host)}:{port}" for scheme, port in plan.LISTENERS.items()]


def codes(seen: dict[str, Any]) -> list[str]:
    return [problem["code"] for problem in seen["problems"]]


@contextmanager
def fault(lab: Lab, kind: faults.Kind, end: faults.Kind, host: str) -> Iterator[None]:
    faults.inject(lab, kind, host)
    try:
        yield
    finally:
        faults.inject(lab, end, host)


def test_each_endpoint_is_seen_as_it_is(up: Up) -> None:
    lab = up()
    active, standby = plan.TARGETS
    check_protocols(lab, active, standby)
    check_requirements(lab, active, standby)
    check_source(lab)
    check_certificates(lab, active)
    check_faults(lab, active)


def check_protocols(lab: Lab, active: str, standby: str) -> None:
    urls = listeners(lab, active)
    for host in ("localhost", lab.plan.services[0].host):
        for seen in look(lab, urls, host, **CREDENTIALS, certificate_days=1):
            assert seen["active"] is True, seen
            assert seen["authenticated"] is (True if seen["protocol"] in JUDGING else None), seen
            assert seen["version"] == ("5.18.3" if seen["protocol"] in TELLING else None), seen
            assert seen["problems"] == []
            assert [step["name"] for step in seen["steps"]] == ["resolve", "connect", "tls", "greeting"]
            assert seen["tls"]["verified"] is True
            assert lab.name_of(active) in seen["tls"]["names"]
    for seen in look(lab, urls):
        assert (seen["active"], seen["authenticated"]) == (True, None), seen
    for seen in look(lab, urls, username=plan.APP_USER, password="not-the-Passw0rd"):
        assert seen["active"] is True, seen
        assert seen["authenticated"] is (False if seen["protocol"] in JUDGING else None), seen
        assert ("credentials_refused" in codes(seen)) is (seen["protocol"] in JUDGING)
    for seen in look(lab, listeners(lab, standby), **CREDENTIALS):
        assert (seen["active"], seen["problems"]) == (False, []), seen
        assert "refuses the connection" in seen["reason"]


def check_requirements(lab: Lab, active: str, standby: str) -> None:
    pair = [*listeners(lab, active), *listeners(lab, standby)]
    succeeded, result = run(lab, pair, **CREDENTIALS, require="one_active")
    assert succeeded, result["msg"]
    assert result["active"] == listeners(lab, active)
    succeeded, result = run(lab, pair, **CREDENTIALS, require="all_active")
    assert not succeeded
    assert all(url in result["msg"] for url in listeners(lab, standby))
    succeeded, result = run(
        lab, pair, username=plan.APP_USER, password="not-the-Passw0rd", require="one_active", certificate_days=60
    )
    assert not succeeded
    assert "no STOMP endpoint can be used" in result["msg"]
    assert "OpenWire" not in result["msg"]
    assert "certificate_expires_soon" in {problem["code"] for problem in result["problems"]}


def check_source(lab: Lab) -> None:
    source = lab.name_of(plan.SOURCE)
    plain = [f"tcp://{source}:{plan.OPENWIRE}", f"nio://{source}:{plan.OPENWIRE}", f"stomp://{source}:{plan.STOMP}"]
    for seen in look(lab, plain, lab.plan.services[0].host):
        assert (seen["active"], seen["authenticated"], seen["version"]) == (True, None, "5.16.6"), seen
        assert seen["tls"] is None
    wrong = {
        f"stomp://{source}:{plan.OPENWIRE}": ("wrong_protocol", "speaks OpenWire, not STOMP"),
        f"ssl://{source}:{plan.OPENWIRE}": ("no_tls", "does not speak TLS"),
        f"wss://{lab.name_of(plan.TARGETS[0])}:{plan.CONSOLE_TLS}": ("wrong_protocol", "HTTP status 401"),
    }
    for seen in look(lab, list(wrong)):
        code, words = wrong[seen["endpoint"]]
        assert (seen["active"], codes(seen)) == (False, [code]), seen
        assert words in seen["reason"]


def check_certificates(lab: Lab, active: str) -> None:
    other_name, no_name = look(
        lab, [f"stomp+ssl://{active}:{plan.STOMP_TLS}", f"ssl://{active}.example:{plan.OPENWIRE_TLS}"], **CREDENTIALS
    )
    assert (other_name["active"], codes(other_name)) == (None, ["certificate_name_mismatch"])
    assert other_name["tls"]["verified"] is False
    assert lab.name_of(active) in other_name["reason"]
    assert (no_name["active"], codes(no_name)) == (None, ["name_does_not_resolve"])
    # The certificate has the address too.
    assert look(lab, [f"ssl://{lab.hosts[active].address}:{plan.OPENWIRE_TLS}"])[0]["active"] is True
    for options in ({"ca_file": "/etc/ssl/certs/ca-certificates.crt"}, {"ca_file": None}):
        for seen in look(lab, listeners(lab, active), **CREDENTIALS, **options):
            assert (seen["active"], seen["authenticated"]) == (None, None), seen
            assert codes(seen) == ["certificate_unknown_issuer"]
            assert seen["tls"]["issuer"] == "CN=mqlift lab CA"


def check_faults(lab: Lab, active: str) -> None:
    urls = listeners(lab, active)
    with fault(lab, "freeze", "thaw", active):
        for seen in look(lab, urls, **CREDENTIALS):
            # The kernel still accepts, or the queue of those who wait is full.
            assert (seen["active"], seen["steps"][-1]["ok"]) == (False, False), seen
            assert " within " in seen["reason"]
            assert 2900 < sum(step["ms"] for step in seen["steps"]) < 6000
    with fault(lab, "partition", "heal", active):
        for seen in look(lab, urls, **CREDENTIALS):
            assert (seen["active"], seen["steps"][-1]["name"]) == (False, "connect"), seen
    assert {seen["active"] for seen in look(lab, urls, **CREDENTIALS)} == {True}
