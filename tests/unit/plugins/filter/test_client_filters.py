# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mqlift.amazon_mq.plugins.filter import (
    client_settings,
    failover_url,
    service_instances,
    service_problems,
    target_first,
)

BROKER = {"endpoints": ["tcp://h:1", "stomp://h:2"]}
OTHER = {"endpoints": ["tcp://i:1", "stomp://i:2"]}
SERVICE = {"name": "orders-api", "dialect": "host_list", "protocol": "stomp"}


def test_failover_url() -> None:
    function = failover_url.FilterModule().filters()["failover_url"]
    assert function(BROKER["endpoints"], protocol="openwire").startswith("failover:(tcp://h:1)?")
    assert function(BROKER["endpoints"], "host_list", "stomp") == "h:2"
    with pytest.raises(AnsibleFilterError, match="failover_url: unknown option 'x'"):
        function(BROKER["endpoints"], protocol="openwire", options={"x": 1})
    with pytest.raises(AnsibleFilterError, match="empty"):
        function(["tcp://h:1"], protocol="stomp")


def test_client_settings() -> None:
    function = client_settings.FilterModule().filters()["client_settings"]
    assert function(SERVICE, "both_source_first", BROKER, OTHER)["url"] == "h:2,i:2"
    with pytest.raises(AnsibleFilterError, match="service orders-api: unknown phase"):
        function(SERVICE, "x", BROKER, OTHER)


def test_service_problems() -> None:
    function = service_problems.FilterModule().filters()["service_problems"]
    assert "service orders-api: role is missing: use one of producer, consumer, both" in function(
        [SERVICE], BROKER, OTHER
    )


def test_service_instances() -> None:
    function = service_instances.FilterModule().filters()["service_instances"]
    assert [item["name"] for item in function({**SERVICE, "scale_out": {"name": "orders-api-b"}})] == [
        "orders-api",
        "orders-api-b",
    ]


def test_target_first() -> None:
    function = target_first.FilterModule().filters()["target_first"]
    assert function({"app1": ["orders"], "app2": ["orders"], "app3": ["billing"]}, 0.5) == ["app1", "app3"]
    with pytest.raises(AnsibleFilterError, match="target_first: share"):
        function({}, 2)
