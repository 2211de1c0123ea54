# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module broker_info against the API: what is in force, what waits, what to beware of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _mq_api
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._probe import Probe
from ansible_collections.mqlift.amazon_mq.plugins.modules import broker_info
from lab.aws import Serving, calls, faults

PASSWORD = "app-Passw0rd-lab"


@pytest.fixture(autouse=True)
def unpaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_mq_api, "_BURST", 1000)


def create(aws: Serving, **more: Any) -> str:
    client = aws.client()
    soon = datetime.now(UTC) + timedelta(hours=3)
    wanted = {
        "BrokerName": "orders",
        "DeploymentMode": "ACTIVE_STANDBY_MULTI_AZ",
        "EngineType": "ACTIVEMQ",
        "EngineVersion": "5.18",
        "HostInstanceType": "mq.m5.large",
        "PubliclyAccessible": False,
        "MaintenanceWindowStartTime": {"DayOfWeek": f"{soon:%A}".upper(), "TimeOfDay": f"{soon:%H:%M}"},
        "SecurityGroups": ["sg-2", "sg-1"],
        "Users": [{"Username": "app", "Password": PASSWORD}],
        "Tags": {"CostCenter": "7"},
    }
    broker_id: str = client.create_broker(**(wanted | more))["BrokerId"]
    assert any(client.describe_broker(BrokerId=broker_id)["BrokerState"] == "RUNNING" for dummy in range(1000))
    return broker_id


def test_a_broker_with_all_that_is_known(aws: Serving, run: Any) -> None:
    broker_id = create(aws)

    broker = run(broker_info, broker_name="orders", probe=False)["broker"]

    hosts = [f"{broker_id}-{number}.mq.us-east-2.amazonaws.com" for number in (1, 2)]
    assert broker["id"] == broker_id
    assert (broker["storage_type"], broker["authentication_strategy"]) == ("EFS", "SIMPLE")
    assert broker["host_instance_type"] == "mq.m5.large"
    assert broker["engine_version"].startswith("5.18.")
    assert broker["security_groups"] == ["sg-1", "sg-2"]
    assert broker["tags"] == {"CostCenter": "7"}
    assert broker["users"] == [{"username": "app", "pending_change": None}]
    assert broker["configuration"]["current"]["revision"] == 1
    assert broker["configuration"]["pending"] is None
    assert broker["maintenance_window"]["time_zone"] == "UTC"
    assert broker["failover_urls"]["host_list"] == ",".join(f"{host}:61614" for host in hosts)
    assert broker["failover_urls"]["activemq"] == broker["failover_url"]
    assert broker["failover_urls"]["spring"]["spring.activemq.broker-url"] == broker["failover_url"]
    assert broker["failover_urls"]["qpid_jms"].startswith(f"failover:(amqps://{hosts[0]}:5671,amqps://{hosts[1]}:5671)")
    assert set(broker["failover_urls"]) == {"activemq", "spring", "nms", "cms", "qpid_jms", "nms_amqp", "host_list"}
    assert (broker["pending"], broker["pending_changes"]) == (False, [])
    assert [warning["code"] for warning in broker["warnings"]] == [
        "maintenance_window",
        "auto_minor_version_upgrade",
        "connection_limit",
        "storage_efs",
    ]
    assert {call.operation for call in calls.read(aws.calls)} <= {"CreateBroker", "DescribeBroker", "ListBrokers"}


def test_no_warning_of_a_window_that_is_further_away(aws: Serving, run: Any) -> None:
    broker_id = create(aws)

    broker = run(broker_info, broker_id=broker_id, probe=False, maintenance_warning=1)["broker"]

    assert "maintenance_window" not in [warning["code"] for warning in broker["warnings"]]


def test_what_waits_is_told(aws: Serving, run: Any) -> None:
    broker_id = create(aws, DeploymentMode="SINGLE_INSTANCE", StorageType="EBS")
    client = aws.client()
    client.update_broker(BrokerId=broker_id, EngineVersion="5.19", Logs={"General": True})
    client.create_user(BrokerId=broker_id, Username="late", Password=PASSWORD)
    client.delete_user(BrokerId=broker_id, Username="app")

    broker = run(broker_info, broker_id=broker_id, probe=False)["broker"]

    assert broker["pending"] is True
    changes = {change["name"]: (change["current"], change["pending"]) for change in broker["pending_changes"]}
    assert changes == {
        "engine_version": (broker["engine_version"], "5.19"),
        "logs": ({"general": False, "audit": False}, {"general": True, "audit": False}),
        "users": (None, {"app": "DELETE", "late": "CREATE"}),
    }
    codes = [warning["code"] for warning in broker["warnings"]]
    assert {"pending_changes", "single_instance", "storage_ebs"} <= set(codes)


def test_the_active_instance(aws: Serving, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    create(aws)
    monkeypatch.setattr(broker_info, "probe", lambda url, ca_file, timeout: Probe("-2.mq" in url, "looked"))

    broker = run(broker_info, broker_name="orders")["broker"]

    assert broker["active_instance"] == 2


def test_what_aws_asks_for(aws: Serving, run: Any) -> None:
    create(aws)
    faults.add(aws.faults, "critical", code="BROKER_OOM")

    broker = run(broker_info, broker_name="orders", probe=False)["broker"]

    assert broker["state"] == "CRITICAL_ACTION_REQUIRED"
    assert broker["actions_required"][0]["code"] == "BROKER_OOM"
    assert "BROKER_OOM" in broker["warnings"][-1]["message"]


@pytest.mark.parametrize("args", [{"broker_id": "b-1"}, {"broker_name": "none"}])
def test_a_broker_that_does_not_exist(aws: Serving, run: Any, args: dict[str, Any]) -> None:
    result = run(broker_info, **args)

    assert result["failed"]
    assert "there is no broker" in result["msg"]
    assert "us-east-2" in result["msg"]
