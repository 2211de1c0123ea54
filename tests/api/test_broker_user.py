# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module broker_user against an API that stages every change until a reboot."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _mq_api
from ansible_collections.mqlift.amazon_mq.plugins.modules import broker_user
from lab.aws import Serving, calls, faults

READS = ("List", "Describe")
PASSWORD, OTHER = "app-Passw0rd-lab", "other-Passw0rd-lab"


@pytest.fixture(autouse=True)
def unpaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_mq_api, "_BURST", 1000)


def until(aws: Serving, broker_id: str, state: str) -> None:
    client = aws.client()
    assert any(client.describe_broker(BrokerId=broker_id)["BrokerState"] == state for dummy in range(1000))


@pytest.fixture
def orders(aws: Serving) -> str:
    """The id of a broker that runs, with the user app."""
    broker_id: str = aws.client().create_broker(
        BrokerName="orders",
        DeploymentMode="SINGLE_INSTANCE",
        EngineType="ACTIVEMQ",
        HostInstanceType="mq.m5.large",
        PubliclyAccessible=False,
        Users=[{"Username": "app", "Password": PASSWORD, "ConsoleAccess": True, "Groups": ["ga", "gb"]}],
    )["BrokerId"]
    until(aws, broker_id, "RUNNING")
    aws.calls.unlink()
    return broker_id


def reboot(aws: Serving, broker_id: str) -> None:
    aws.client().reboot_broker(BrokerId=broker_id)
    until(aws, broker_id, "REBOOT_IN_PROGRESS")
    until(aws, broker_id, "RUNNING")


def writes(aws: Serving) -> list[str]:
    return [call.operation for call in calls.read(aws.calls) if not call.operation.startswith(READS)]


def test_a_user_from_nothing_to_nothing(orders: str, aws: Serving, run: Any) -> None:
    wanted = {"broker_name": "orders", "username": "late", "password": PASSWORD, "groups": ["gx"]}

    foreseen = run(broker_user, check=True, diff=True, **wanted)
    assert writes(aws) == []
    made = run(broker_user, diff=True, **wanted)
    again = run(broker_user, diff=True, **wanted)

    assert (foreseen["changed"], made["changed"], again["changed"]) == (True, True, False)
    assert foreseen["diff"] == made["diff"]
    assert foreseen["user"] == made["user"] == again["user"]
    assert made["user"] == {"username": "late", "console_access": False, "groups": ["gx"], "replication_user": False}
    assert (made["pending"], made["pending_change"], foreseen["pending_change"]) == (True, "CREATE", "CREATE")
    assert "next reboot" in made["hint"]
    assert writes(aws) == ["CreateUser"]
    assert PASSWORD not in json.dumps(made)

    # It is not in force yet, so there is nothing left to apply.
    gone = run(broker_user, broker_name="orders", username="late", state="absent")
    assert (gone["changed"], gone["user"], gone["pending"]) == (True, None, False)


def test_a_user_that_is_in_force(orders: str, aws: Serving, run: Any) -> None:
    same = run(broker_user, broker_id=orders, username="app", password=OTHER, groups=["gb", "ga"], console_access=True)
    foreseen = run(broker_user, check=True, broker_id=orders, username="app", groups=[])
    assert writes(aws) == []
    made = run(broker_user, diff=True, broker_id=orders, username="app", groups=[])
    again = run(broker_user, broker_id=orders, username="app", groups=[])

    assert (same["changed"], same["pending"], same["hint"]) == (False, False, None)
    assert (foreseen["user"], foreseen["pending_change"]) == (made["user"], "UPDATE")
    assert (made["diff"]["before"]["groups"], made["diff"]["after"]["groups"]) == (["ga", "gb"], [])
    # What is not given stays.
    assert made["user"]["console_access"] is True
    assert (again["changed"], again["pending_change"]) == (False, "UPDATE")

    reboot(aws, orders)
    applied = run(broker_user, broker_id=orders, username="app", groups=[])
    assert (applied["changed"], applied["pending"], applied["user"]) == (False, False, made["user"])


def test_a_user_is_deleted_by_the_reboot(orders: str, aws: Serving, run: Any) -> None:
    gone = run(broker_user, diff=True, broker_name="orders", username="app", state="absent")
    again = run(broker_user, broker_name="orders", username="app", state="absent")
    back = run(broker_user, broker_name="orders", username="app", password=PASSWORD)

    assert (gone["changed"], gone["user"], gone["pending_change"]) == (True, None, "DELETE")
    assert (gone["diff"]["before"]["username"], gone["diff"]["after"]) == ("app", {})
    assert (again["changed"], again["pending_change"]) == (False, "DELETE")
    assert "reboot the broker before" in back["msg"]
    reboot(aws, orders)
    assert run(broker_user, broker_name="orders", username="app", state="absent")["pending"] is False
    assert writes(aws) == ["DeleteUser", "RebootBroker"]


def test_a_password_is_set_when_it_is_asked_for(orders: str, aws: Serving, run: Any) -> None:
    wanted = {"broker_name": "orders", "username": "app", "password": OTHER}

    kept = run(broker_user, **wanted)
    made = run(broker_user, diff=True, update_password="always", **wanted)

    assert (kept["changed"], made["changed"], made["pending_change"]) == (False, True, "UPDATE")
    # console access and groups are as they were
    assert made["user"] == kept["user"]
    assert OTHER not in json.dumps(made)
    assert writes(aws) == ["UpdateUser"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"username": "late"}, "a password is needed"),
        ({"username": "late", "password": "geheim:geheim"}, "comma, a colon"),
        ({"username": "late", "password": "geheim"}, "12 characters"),
        ({"username": "ein name", "state": "absent"}, "user name 'ein name'"),
        ({"username": "app", "groups": ["x"]}, "group 'x'"),
        ({"username": "app", "groups": [f"g{n:02}" for n in range(21)]}, "at most 20 groups"),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_what_amazon_mq_would_refuse(
    orders: str, aws: Serving, run: Any, args: dict[str, Any], message: str, check: bool
) -> None:
    result = run(broker_user, check=check, broker_name="orders", **args)

    assert message in result["msg"]
    assert "geheim" not in result["msg"]
    assert writes(aws) == []


def test_a_broker_has_at_most_250_users(orders: str, aws: Serving, run: Any) -> None:
    client = aws.client()
    for number in range(249):
        client.create_user(BrokerId=orders, Username=f"u{number}", Password=PASSWORD)

    result = run(broker_user, check=True, broker_name="orders", username="late", password=PASSWORD)

    assert "250 users already" in result["msg"]


def test_a_broker_that_does_not_exist(aws: Serving, run: Any) -> None:
    for args in ({"broker_id": "b-1"}, {"broker_name": "none"}):
        result = run(broker_user, username="app", state="absent", **args)
        assert "there is no broker" in result["msg"]
        assert "us-east-2" in result["msg"]


def test_an_error_of_the_api(orders: str, aws: Serving, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    faults.add(aws.faults, "error", operation="CreateUser")

    result = run(broker_user, broker_name="orders", username="late", password=PASSWORD)

    assert f"create the user late of the broker {orders}" in result["msg"]
    assert PASSWORD not in json.dumps(result)
