# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policies of docs/iam allow what the modules call, and nothing of Amazon MQ and CloudWatch that they do not.

What else CreateBroker needs (ec2, logs) is checked by AWS alone; the policies have it from AWS's documentation.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.amazon.aws.plugins.module_utils import cloud

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _mq_api
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._broker_wait import Pauses
from ansible_collections.mqlift.amazon_mq.plugins.modules import (
    broker,
    broker_configuration,
    broker_failover,
    broker_info,
    broker_user,
    queue_info,
)
from lab.aws import Serving, calls

ROOT = Path(__file__).parents[2]
POLICIES = sorted((ROOT / "docs" / "iam").glob("*.json"))
PASSWORD = "app-Passw0rd-lab"
CORE = "http://activemq.apache.org/schema/core"
NEW = {
    "broker_name": "orders",
    "deployment_mode": "ACTIVE_STANDBY_MULTI_AZ",
    "host_instance_type": "mq.m5.large",
    "engine_version": "5.18",
    "users": [{"username": "app", "password": PASSWORD}],
    "tags": {"team": "orders"},
}
#: Service Authorization Reference, "Actions, resources, and condition keys for Amazon MQ": what an action can be
#: restricted to. Those that are not named: to brokers.
UNRESTRICTED = {"ListBrokers", "ListConfigurations", "CreateBroker", "CreateConfiguration"}
OF_CONFIGURATIONS = {
    "DescribeConfiguration",
    "DescribeConfigurationRevision",
    "UpdateConfiguration",
    "DeleteConfiguration",
}
OF_BOTH = {"CreateTags", "DeleteTags"}


def statements(policy: str) -> list[dict[str, Any]]:
    document = json.loads((ROOT / "docs" / "iam" / f"{policy}.json").read_text())
    assert document["Version"] == "2012-10-17"
    found: list[dict[str, Any]] = document["Statement"]
    return found


def allowed(policy: str, *services: str) -> set[str]:
    """The actions of these services."""
    actions = {action for statement in statements(policy) for action in statement["Action"]}
    return {action for action in actions if action.partition(":")[0] in services}


def called(aws: Serving) -> set[str]:
    return {call.action for call in calls.read(aws.calls)}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "Pauses", lambda **given: Pauses(**{**given, "first": 0.03, "longest": 0.1}))
    monkeypatch.setattr(_mq_api, "_BURST", 1000)
    monkeypatch.setattr(cloud.time, "sleep", lambda seconds: None)


@pytest.fixture
def done(run: Any) -> Any:
    """As run, for what has to work."""

    def done(*args: Any, **options: Any) -> dict[str, Any]:
        result: dict[str, Any] = run(*args, **options)
        assert not result.get("failed"), result["msg"]
        return result

    return done


@pytest.fixture
def orders(aws: Serving, done: Any) -> str:
    """The id of a broker that somebody else made."""
    made: str = done(broker, **NEW)["broker"]["id"]
    aws.calls.unlink()
    return made


def test_preflight(aws: Serving, orders: str, done: Any) -> None:
    # The view leaves out the minute that is not over.
    minutes_ago = datetime.now(UTC) - timedelta(minutes=2)
    on_broker = [{"Name": "Broker", "Value": "orders-1"}]
    on_queue = [*on_broker, {"Name": "Queue", "Value": "orders.new"}]
    aws.client("cloudwatch").put_metric_data(
        Namespace="AWS/AmazonMQ",
        MetricData=[
            {"MetricName": metric, "Dimensions": dimensions, "Timestamp": minutes_ago, "Value": 1}
            for metric, dimensions in (("TotalMessageCount", on_broker), ("QueueSize", on_queue))
        ],
    )
    aws.calls.unlink()

    done(broker_info, broker_name="orders", probe=False)
    view = {"type": "cloudwatch", "broker_name": "orders", "region": "us-east-2", "endpoint_url": aws.url}
    result = done(queue_info, view=view)

    assert [destination["name"] for destination in result["destinations"]] == ["orders.new"]
    assert called(aws) == allowed("preflight", "mq", "cloudwatch")


def test_failover_test(aws: Serving, orders: str, done: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class OnPaper:
        """What a test asks of the API; the broker on paper has no endpoints to look at."""

        def __init__(self, *parts: Any) -> None:
            self.amazon = next(part for part in parts if isinstance(part, broker_failover.Amazon))

        def run(self) -> dict[str, Any]:
            self.amazon.reboot()
            return {"passed": self.amazon.state().state == "RUNNING", "failures": []}

    monkeypatch.setattr(broker_failover, "FailoverTest", OnPaper)

    done(broker_info, broker_name="orders", probe=False)
    view = {"type": "jolokia", "url": ["https://orders.example.com:8162/api/jolokia"]}
    done(broker_failover, broker_name="orders", username="canary", password=PASSWORD, view=view)

    assert called(aws) == allowed("failover_test", "mq", "cloudwatch")


def test_provision(aws: Serving, done: Any) -> None:
    data = f'<broker xmlns="{CORE}" schedulePeriodForDestinationPurge="10000"/>'
    made = done(broker_configuration, name="orders", engine_version="5.18", data=data, tags={"team": "orders"})
    done(broker_configuration, name="orders", data=data, tags={"team": "others"})
    configuration = {"id": made["configuration"]["id"], "revision": made["revision"]}
    done(broker, configuration=configuration, **NEW)
    done(broker_user, broker_name="orders", username="reader", password=PASSWORD)
    done(broker_user, broker_name="orders", username="app", groups=["orders"])
    done(broker, broker_name="orders", engine_version="5.19", tags={"stage": "test"}, reboot="when_pending")
    done(broker_user, broker_name="orders", username="reader", state="absent")
    done(broker, broker_name="orders", state="absent")
    done(broker_configuration, name="orders", state="absent")

    assert called(aws) == allowed("provision", "mq", "cloudwatch")


@pytest.mark.parametrize("policy", [path.stem for path in POLICIES])
def test_each_action_is_restricted_as_far_as_amazon_mq_can(policy: str) -> None:
    for statement in statements(policy):
        for action in statement["Action"]:
            service, dummy, name = action.partition(":")
            if service != "mq":
                continue
            resource = statement["Resource"]
            if name in UNRESTRICTED:
                assert resource == "*", action
            elif name in OF_CONFIGURATIONS:
                assert ":configuration:" in resource, action
            else:
                assert ":broker:orders:" in resource or (name in OF_BOTH and ":configuration:" in resource), action


def test_the_resources_are_those_of_the_broker(aws: Serving, orders: str) -> None:
    client = aws.client()
    broker_arn = client.describe_broker(BrokerId=orders)["BrokerArn"]
    configuration_arn = client.list_configurations()["Configurations"][0]["Arn"]

    patterns = {
        statement["Resource"]
        for path in POLICIES
        for statement in statements(path.stem)
        if statement["Action"][0].startswith("mq:") and statement["Resource"] != "*"
    }

    assert all(fnmatchcase(broker_arn, one) or fnmatchcase(configuration_arn, one) for one in patterns)
    assert not any(fnmatchcase(broker_arn.replace(":orders:", ":orders2:"), one) for one in patterns)


@pytest.mark.parametrize(
    ("playbook", "modules"),
    [
        ("migrate_no_interruption", {"broker_info"}),
        ("status", set()),
        ("failover_test", {"broker_info", "broker_failover"}),
    ],
)
def test_a_playbook_uses_no_other_module_that_asks_amazon_mq(playbook: str, modules: set[str]) -> None:
    """The tests above run those."""
    asking = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py") if "_mq_api" in path.read_text()}
    roles = re.findall(r"role: mqlift\.amazon_mq\.(\w+)", (ROOT / "playbooks" / f"{playbook}.yml").read_text())
    tasks = [path.read_text() for role in roles for path in (ROOT / "roles" / role / "tasks").glob("*.yml")]
    used = {name for text in tasks for name in re.findall(r"^ +mqlift\.amazon_mq\.(\w+):", text, re.MULTILINE)}

    assert tasks
    assert used & asking == modules


def test_each_policy_is_explained() -> None:
    guide = (ROOT / "docs" / "guides" / "iam.md").read_text()

    assert {path.name for path in POLICIES} == set(re.findall(r"\(\.\./iam/([\w.]+)\)", guide))
