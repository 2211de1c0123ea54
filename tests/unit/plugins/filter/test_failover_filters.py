# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters about failovers: what they refuse, and the role's patterns; the rest is in test_survival.py."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from ansible_collections.mqlift.amazon_mq.plugins.filter import failover_report, failover_services
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._survival import CODES

services = failover_services.FilterModule().filters()["failover_services"]
report = failover_report.FilterModule().filters()["failover_report"]
ROLE = Path(__file__).parents[4] / "roles/failover_test"
SIGNATURES = yaml.safe_load((ROLE / "vars/main.yml").read_text(encoding="utf-8"))["__failover_test_known"]

SOURCE = {"endpoints": ["tcp://mq:61616"]}
TARGET = {"endpoints": ["ssl://b-1:61617", "ssl://b-2:61617"]}
SERVICE = {"name": "a", "manager": "systemd", "dialect": "activemq", "protocol": "openwire"}


def test_services_and_their_report() -> None:
    found = services([SERVICE], SOURCE, TARGET)
    assert found[0]["expected"] == ["b-1:61617", "b-2:61617"]
    before = {"services": [{"name": "a", "running": True, "endpoints": ["b-1:61617"], "problem": None}]}
    whole = report({"app1": {"services": found, "before": before}, "app2": {"services": []}}, "orders")
    assert [record["service"] for record in whole["services"]] == ["a"]
    assert whole["passed"] is True
    assert report({"app1": {"services": found}}, "orders")["passed"] is False


@pytest.mark.parametrize(
    "given",
    [([{**SERVICE, "dialect": "x"}], SOURCE, TARGET), ([SERVICE], SOURCE, {"endpoints": []}), (["a"], SOURCE, TARGET)],
)
def test_services_that_are_wrong(given: tuple[Any, ...]) -> None:
    with pytest.raises(AnsibleFilterError, match=r"failover_services: "):
        services(*given)


@pytest.mark.parametrize(
    "given",
    [
        ({"app1": "x"}, "orders"),
        ({"app1": {"services": [{}]}}, "orders"),
        ({}, "orders", {}, None, [{"name": "a", "code": "odd"}]),
        ({}, "orders", {}, None, [], "soon"),
        ({}, "orders", {}, {"timeline": [{}]}, [], 30),
    ],
)
def test_what_is_no_result_is_refused(given: tuple[Any, ...]) -> None:
    if given[3:4] == ({"timeline": [{}]},):
        given = ({"app1": {"services": services([SERVICE], SOURCE, TARGET), "follow": FOLLOWED}}, *given[1:])
    with pytest.raises(AnsibleFilterError, match=r"failover_report: "):
        report(*given)


FOLLOWED = {
    "services": [
        {
            "name": "a",
            "timeline": {"until": 2, "changes": [{"at": 1, "running": True, "endpoints": [], "attempts": []}]},
        }
    ]
}


def test_what_cannot_be_seen_prevents_the_test_whatever_is_wanted() -> None:
    tasks = yaml.safe_load((ROLE / "tasks/before.yml").read_text(encoding="utf-8"))
    [decide] = [task for task in tasks if task["name"] == "Decide whether to go on"]
    go = decide["ansible.builtin.set_fact"]["__failover_test_go"]
    assert "['not_seen', 'not_running', 'not_connected']" in go


def test_the_followers_outlast_the_test_of_the_broker() -> None:
    tasks = yaml.safe_load((ROLE / "tasks/during.yml").read_text(encoding="utf-8"))
    [start] = [task for task in tasks[0]["block"] if task["name"] == "Start to follow the services"]
    longest = Templar(
        loader=DataLoader(),
        variables={
            "failover_test_warm_up": 5000,
            "failover_test_timeout": 1800,
            "failover_test_connect_timeout": 30,
            "failover_test_stable_for": 3,
        },
    ).template(trust_as_template(start["vars"]["__failover_test_longest"]))
    # With the 60 seconds that consumers and the canary may take each to recover.
    assert int(longest) > 5000 + 1800 + 120 + 33


def test_each_known_pattern_is_a_regular_expression_with_a_known_code() -> None:
    names = [each["name"] for each in SIGNATURES]
    assert len(set(names)) == len(names)
    assert all(each["code"] in CODES for each in SIGNATURES)
    assert all(re.compile(each["pattern"]) for each in SIGNATURES)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (
            "javax.net.ssl.SSLHandshakeException: PKIX path building failed: unable to find valid certification path",
            "wrong_truststore",
        ),
        (
            "java.security.InvalidAlgorithmParameterException: the trustAnchors parameter must be non-empty",
            "wrong_truststore",
        ),
        (
            "could not connect to host b-1, port 1: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed",
            "wrong_truststore",
        ),
        (
            "System.Security.Authentication.AuthenticationException: The remote certificate is invalid",
            "wrong_truststore",
        ),
        ("Error: unable to verify the first certificate", "wrong_truststore"),
        ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "wrong_truststore"),
        ("java.security.cert.CertificateException: No subject alternative DNS name matching mq found.", "wrong_url"),
        ("javax.jms.JMSSecurityException: User name [app] or password is invalid.", "wrong_credentials"),
        ("ERROR User name [app] or password is invalid.", "wrong_credentials"),
        ("java.net.UnknownHostException: b-1", "unresolved"),
        ("could not connect to host b-1, port 61614: [Errno -2] Name or service not known", "unresolved"),
        ("Error: getaddrinfo ENOTFOUND b-1", "unresolved"),
        ("dial tcp: lookup b-1 on 10.0.0.2:53: no such host", "unresolved"),
        (
            "Failed to connect to [ssl://b-1:61617] after: 1 attempt(s) with Connection refused, continuing to retry.",
            None,
        ),
        ("Transport (ssl://b-1:61617) failed, attempting to automatically reconnect", None),
    ],
)
def test_what_client_libraries_write(line: str, code: str | None) -> None:
    found = {each["code"] for each in SIGNATURES if re.search(each["pattern"], line)}
    assert found == ({code} if code else set())
