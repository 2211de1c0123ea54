# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same tasks with community.aws and with this collection. docs/community_aws.md is the table of these tests.

Each test first shows what community.aws does, as it is installed, and then what this collection does. When a test fails
because community.aws has become better, its first half and the row of the table go.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.amazon.aws.plugins.module_utils import cloud
from ansible_collections.community.aws.plugins.modules import (
    mq_broker,
    mq_broker_config,
    mq_broker_info,
    mq_user,
    mq_user_info,
)
from botocore.client import BaseClient

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _mq_api
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._broker_wait import Pauses
from ansible_collections.mqlift.amazon_mq.plugins.modules import (
    broker,
    broker_configuration,
    broker_info,
    broker_user,
)
from lab.aws import Serving, faults, serving
from lab.aws.broker import Delays

TABLE = Path(__file__).parents[2] / "docs" / "community_aws.md"
PASSWORD = "app-Passw0rd-lab"
#: The same broker in the words of both.
COMMON = {"broker_name": "orders", "engine_version": "5.18", "security_groups": ["sg-1", "sg-2"]}
THEIRS = {**COMMON, "users": [{"Username": "app", "Password": PASSWORD}]}
OURS = {
    **COMMON,
    "deployment_mode": "SINGLE_INSTANCE",
    "host_instance_type": "mq.t3.micro",
    "users": [{"username": "app", "password": PASSWORD}],
}
#: Does not take effect before a reboot.
BIGGER = "mq.m5.large"
CORE = "http://activemq.apache.org/schema/core"
XML = f'<amq:broker xmlns:amq="{CORE}" schedulePeriodForDestinationPurge="10000"/>'
XML_OTHER = XML.replace("10000", "20000")
XML_TOO_MUCH = f'<broker xmlns="{CORE}"><sslContext><sslContext/></sslContext></broker>'


@pytest.fixture
def aws(request: pytest.FixtureRequest) -> Iterator[Serving]:
    """The API, with the test's own delays if it has some."""
    with serving(delays=getattr(request, "param", None)) as served:
        yield served


class Clock:
    """The clock of community.aws's mq_broker, which looks every 5 seconds and cannot be told otherwise.

    It looks here as often as it would in its time, without the seconds between.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.stands: Callable[[], bool] = lambda: False

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        if not self.stands():
            self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Pauses for an API that is quick."""
    made = Clock()
    monkeypatch.setattr(mq_broker, "sleep", made.sleep)
    monkeypatch.setattr(mq_broker, "time", made.time)
    monkeypatch.setattr(broker, "Pauses", lambda **given: Pauses(**{**given, "first": 0.03, "longest": 0.1}))
    monkeypatch.setattr(_mq_api, "_BURST", 1000)
    monkeypatch.setattr(cloud.time, "sleep", lambda seconds: None)
    return made


@pytest.fixture
def orders(aws: Serving, run: Any) -> str:
    """The id of a broker that runs."""
    made: str = run(broker, **OURS)["broker"]["id"]
    return made


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What is asked of AWS: operations and their parameters."""
    asked: list[tuple[str, dict[str, Any]]] = []
    call = BaseClient._make_api_call

    def make(self: Any, operation: str, request: dict[str, Any]) -> Any:
        asked.append((operation, request))
        return call(self, operation, request)

    monkeypatch.setattr(BaseClient, "_make_api_call", make)
    return asked


def described(aws: Serving, broker_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = aws.client().describe_broker(BrokerId=broker_id)
    return answer


def said(result: dict[str, Any]) -> str:
    """The result without the task's own options."""
    return str({key: value for key, value in result.items() if key != "invocation"})


def a_hundred_brokers(aws: Serving) -> None:
    client = aws.client()
    for number in range(100):
        client.create_broker(
            BrokerName=f"other-{number}",
            DeploymentMode="SINGLE_INSTANCE",
            EngineType="ACTIVEMQ",
            HostInstanceType="mq.t3.micro",
            PubliclyAccessible=False,
            AutoMinorVersionUpgrade=True,
            Users=[{"Username": "somebody", "Password": PASSWORD}],
        )


# Waiting


def test_reboot_and_wait(aws: Serving, orders: str, run: Any, clock: Clock) -> None:
    aws.client().update_broker(BrokerId=orders, HostInstanceType=BIGGER)
    # All of its time is left when the reboot is over.
    clock.stands = lambda: "PendingHostInstanceType" in described(aws, orders)
    theirs = run(mq_broker, broker_name="orders", state="restarted", wait=True, wait_timeout=60)
    assert theirs["failed"]
    assert theirs["msg"] == "desired state not reached"
    assert described(aws, orders)["BrokerState"] == "RUNNING"

    aws.client().update_broker(BrokerId=orders, HostInstanceType="mq.m5.xlarge")
    ours = run(broker, broker_name="orders", state="rebooted")
    assert (ours["rebooted"], ours["state"]) == (True, "RUNNING")
    assert described(aws, orders)["HostInstanceType"] == "mq.m5.xlarge"


def test_running_is_taken_before_the_reboot_begins(aws: Serving, orders: str, run: Any) -> None:
    # The moment in which AWS has answered and nothing has happened yet, as long as this test wants it to be.
    faults.add(aws.faults, "reboot-ignored", times=0)
    theirs = run(mq_broker_config, broker_id=orders, config_xml=XML, reboot=True)
    waited = run(mq_broker, broker_name="orders", wait=True)
    assert (theirs["broker"]["broker_state"], waited.get("failed", False)) == ("RUNNING", False)
    assert described(aws, orders)["Configurations"]["Pending"]["Revision"] == theirs["configuration"]["revision"]

    ours = run(broker, broker_name="orders", reboot="when_pending", wait_timeout=1)
    assert ours["failed"]
    assert ours["missing"]
    faults.clear(aws.faults)
    ours = run(broker, broker_name="orders", reboot="when_pending")
    assert (ours["state"], ours["broker"]["pending"]) == ("RUNNING", False)


def test_what_waits_for_a_reboot_is_told(aws: Serving, orders: str, run: Any) -> None:
    theirs = run(mq_broker, broker_name="orders", host_instance_type=BIGGER, wait=True)
    assert theirs["changed"]
    assert theirs["broker"] == {"broker_id": orders, "broker_name": "orders"}
    assert described(aws, orders)["HostInstanceType"] == "mq.t3.micro"

    ours = run(broker, broker_name="orders", host_instance_type=BIGGER)
    assert (ours["changes"]["staged"], ours["broker"]["pending"]) == (["host_instance_type"], True)
    ours = run(broker, broker_name="orders", host_instance_type=BIGGER, reboot="when_pending")
    assert (ours["rebooted"], ours["broker"]["pending"]) == (True, False)


@pytest.mark.parametrize("aws", [replace(Delays.short(), creation=2.5)], indirect=True)
def test_a_broker_that_is_still_created(run: Any) -> None:
    run(broker, wait=False, **OURS)
    theirs = run(mq_broker, wait=True, **THEIRS)
    assert theirs["failed"]
    assert "Cannot trigger update while broker" in theirs["msg"]

    ours = run(broker, **OURS)
    assert (ours["changed"], ours["state"]) == (False, "RUNNING")


# Finding


def test_the_101st_broker(aws: Serving, run: Any) -> None:
    a_hundred_brokers(aws)
    with pytest.raises(IndexError, match="list index out of range"):
        run(mq_broker, wait=True, **THEIRS)
    info = run(mq_broker_info, broker_name="orders")
    reboot = run(mq_broker, broker_name="orders", state="restarted")
    delete = run(mq_broker, broker_name="orders", state="absent")
    assert info["msg"].startswith("Couldn't get broker details.")
    assert reboot["msg"] == "Cannot find broker with name {module.params['broker_name']}."
    assert delete == {**delete, "changed": False}

    assert run(broker, broker_name="orders")["state"] == "RUNNING"
    assert run(broker_info, broker_name="orders", probe=False)["broker"]["name"] == "orders"
    assert run(broker, broker_name="orders", state="absent")["changed"]


def test_the_101st_user(aws: Serving, orders: str, run: Any) -> None:
    client = aws.client()
    for number in range(100):
        client.create_user(BrokerId=orders, Username=f"user-{number}", Password=PASSWORD)
    theirs = run(mq_user_info, broker_id=orders)
    assert len(theirs["users"]) == 100

    ours = run(broker_info, broker_id=orders, probe=False)
    assert len(ours["broker"]["users"]) == 101


def test_users_as_a_list(orders: str, run: Any) -> None:
    theirs = run(mq_user_info, broker_id=orders, as_dict=False)
    assert isinstance(theirs["users"], dict)

    ours = run(broker_info, broker_id=orders, probe=False)
    assert [user["username"] for user in ours["broker"]["users"]] == ["app"]


# Check mode and diff mode


def test_check_mode_without_a_change(orders: str, run: Any) -> None:
    theirs = run(mq_broker, check=True, broker_name="orders")
    absent = run(mq_broker, check=True, broker_name="nobody", state="absent")
    assert (theirs["changed"], theirs["broker"]["broker_id"]) == (True, "fakeId")
    assert absent["changed"]

    ours = run(broker, check=True, broker_name="orders")
    assert (ours["changed"], ours["broker"]["id"]) == (False, orders)
    assert not run(broker, check=True, broker_name="nobody", state="absent")["changed"]


def test_check_mode_of_a_query(run: Any) -> None:
    theirs = run(mq_broker_info, check=True, broker_name="nobody")
    assert theirs["broker"] == {"broker_id": "fakeId", "broker_name": "nobody"}

    ours = run(broker_info, check=True, broker_name="nobody", probe=False)
    assert ours["failed"]
    assert "there is no broker named 'nobody'" in ours["msg"]


def test_check_mode_of_a_new_configuration(orders: str, run: Any) -> None:
    with pytest.raises(TypeError, match="'NoneType' object is not subscriptable"):
        run(mq_broker_config, check=True, broker_id=orders, config_xml=XML)

    assert run(broker_configuration, check=True, name="orders", data=XML)["changed"]


def test_check_mode_of_a_new_user(orders: str, run: Any) -> None:
    with pytest.raises(AttributeError, match="'NoneType' object has no attribute 'items'"):
        run(mq_user, check=True, broker_id=orders, username="reader", password=PASSWORD)

    ours = run(broker_user, check=True, broker_id=orders, username="reader", password=PASSWORD)
    assert (ours["changed"], ours["user"]["username"]) == (True, "reader")


def test_diff_mode(orders: str, run: Any) -> None:
    theirs = run(mq_broker, diff=True, broker_name="orders", host_instance_type=BIGGER)
    assert "diff" not in theirs

    ours = run(broker, diff=True, broker_name="orders", host_instance_type="mq.m5.xlarge")
    assert ours["diff"]["after"]["host_instance_type"] == "mq.m5.xlarge"


# Comparing


def test_engine_version(aws: Serving, orders: str, run: Any) -> None:
    assert described(aws, orders)["EngineVersion"] == "5.18.4"
    for dummy in range(2):
        assert run(mq_broker, broker_name="orders", engine_version="5.18")["changed"]

    assert not run(broker, broker_name="orders", engine_version="5.18")["changed"]


def test_security_groups_in_another_order(orders: str, run: Any) -> None:
    ours = run(broker, broker_name="orders", security_groups=["sg-2", "sg-1"])
    assert not ours["changed"]

    assert run(mq_broker, broker_name="orders", security_groups=["sg-2", "sg-1"])["changed"]


def test_a_configuration_that_aws_writes_anew(orders: str, run: Any) -> None:
    for dummy in range(2):
        assert run(mq_broker_config, broker_id=orders, config_xml=XML)["changed"]

    assert run(broker_configuration, name="mine", data=XML)["changed"]
    assert not run(broker_configuration, name="mine", data=XML)["changed"]


def test_a_change_of_a_user_that_waits(aws: Serving, orders: str, run: Any) -> None:
    for dummy in range(2):
        assert run(mq_user, broker_id=orders, username="app", groups=["orders"])["changed"]

    assert run(broker_user, broker_id=orders, username="app", groups=["others"])["changed"]
    ours = run(broker_user, broker_id=orders, username="app", groups=["others"])
    assert (ours["changed"], ours["pending_change"]) == (False, "UPDATE")


# What is changed, and what is not


def test_options_of_creation_later(aws: Serving, orders: str, run: Any) -> None:
    wanted = {"broker_name": "orders", "deployment_mode": "ACTIVE_STANDBY_MULTI_AZ", "storage_type": "EBS"}
    theirs = run(mq_broker, **wanted)
    assert not theirs["changed"]
    assert "storage_type" not in said(theirs)

    ours = run(broker, **wanted)
    assert ours["failed"]
    assert sorted(ours["changes"]["impossible"]) == ["deployment_mode", "storage_type"]


def test_tags_and_window_later(aws: Serving, orders: str, run: Any) -> None:
    window = {"day_of_week": "MONDAY", "time_of_day": "03:00"}
    theirs = run(
        mq_broker,
        broker_name="orders",
        tags={"team": "a"},
        maintenance_window_start_time={"DayOfWeek": "MONDAY", "TimeOfDay": "03:00"},
    )
    assert not theirs["changed"]
    assert "tags" not in said(theirs)

    ours = run(broker, broker_name="orders", tags={"team": "a"}, maintenance_window_start_time=window)
    assert ours["broker"]["tags"] == {"team": "a"}
    assert ours["broker"]["maintenance_window"]["day_of_week"] == "MONDAY"


def test_logs_that_nobody_spoke_of(aws: Serving, run: Any) -> None:
    made = run(broker, logs={"general": True}, **OURS)
    ours = run(broker, broker_name="orders")
    assert not ours["changed"]

    assert run(mq_broker, broker_name="orders")["changed"]
    assert described(aws, made["broker"]["id"])["Logs"]["Pending"]["General"] is False


def test_what_aws_takes_away(aws: Serving, orders: str, run: Any) -> None:
    theirs = run(mq_broker_config, broker_id=orders, config_xml=XML_TOO_MUCH)
    assert theirs["changed"]
    assert "sslContext" not in said(theirs)

    ours = run(broker_configuration, name="mine", data=XML_TOO_MUCH)
    assert ours["failed"]
    assert "broker/sslContext" in ours["msg"]
    assert "mine" not in {one["Name"] for one in aws.client().list_configurations()["Configurations"]}


def test_a_configuration_before_the_broker(aws: Serving, run: Any) -> None:
    assert "broker_id" in run(mq_broker_config, config_xml=XML)["msg"]
    theirs = run(mq_broker, configuration={"id": "c-1", "revision": 1}, **THEIRS)
    assert "Unsupported parameters" in theirs["msg"]

    prepared = run(broker_configuration, name="mine", engine_version="5.18", data=XML)
    wanted = {"id": prepared["configuration"]["id"], "revision": prepared["revision"]}
    ours = run(broker, configuration=wanted, **OURS)
    assert described(aws, ours["broker"]["id"])["Configurations"]["Current"] == {
        "Id": wanted["id"],
        "Revision": wanted["revision"],
    }


def test_encryption_with_the_key_of_aws(aws: Serving, run: Any) -> None:
    theirs = run(mq_broker, **{**THEIRS, "broker_name": "theirs", "use_aws_owned_key": True})
    assert described(aws, theirs["broker"]["broker_id"])["EncryptionOptions"] == {"UseAwsOwnedKey": False}

    ours = run(broker, encryption_options={"use_aws_owned_key": True}, **OURS)
    assert described(aws, ours["broker"]["id"])["EncryptionOptions"] == {"UseAwsOwnedKey": True}


def test_users_of_a_directory(aws: Serving, run: Any) -> None:
    theirs = run(mq_broker, authentication_strategy="LDAP", **COMMON)
    assert "not supported" in theirs["msg"]

    options = {key: value for key, value in OURS.items() if key != "users"}
    ours = run(
        broker,
        authentication_strategy="LDAP",
        ldap_server_metadata={
            "hosts": ["ldap.example.com"],
            "role_base": "ou=groups",
            "role_search_matching": "(member=uid={1})",
            "service_account_username": "cn=mq",
            "service_account_password": PASSWORD,
            "user_base": "ou=people",
            "user_search_matching": "(uid={0})",
        },
        **options,
    )
    assert described(aws, ours["broker"]["id"])["AuthenticationStrategy"] == "ldap"


# Secrets


def test_a_broker_without_users(run: Any, requests: list[tuple[str, dict[str, Any]]]) -> None:
    assert run(mq_broker, **COMMON)["changed"]
    request = dict(requests)["CreateBroker"]
    assert [(user["Username"], user["Password"]) for user in request["Users"]] == [("admin", "adminPassword")]
    requests.clear()

    options = {key: value for key, value in OURS.items() if key != "users"}
    ours = run(broker, **{**options, "broker_name": "ours"})
    assert ours["failed"]
    assert "users" in ours["msg"]
    assert "CreateBroker" not in dict(requests)


def test_passwords_in_results(run: Any) -> None:
    assert PASSWORD in str(run(mq_broker, **{**THEIRS, "broker_name": "theirs"}))
    assert PASSWORD not in str(run(broker, **OURS))


def test_a_user_without_a_password(orders: str, run: Any, requests: list[tuple[str, dict[str, Any]]]) -> None:
    theirs = run(mq_user, broker_id=orders, username="reader")
    assert theirs["changed"]
    assert dict(requests)["CreateUser"]["Password"] not in str(theirs)

    ours = run(broker_user, broker_id=orders, username="writer")
    assert ours["failed"]
    assert "password" in ours["msg"]


# The table


def test_the_table_is_of_these_tests_and_of_the_installed_version() -> None:
    tests = {name for name, value in globals().items() if name.startswith("test_") and callable(value)}
    tests.discard("test_the_table_is_of_these_tests_and_of_the_installed_version")
    table = TABLE.read_text()
    manifest = Path(mq_broker.__file__).parents[2] / "MANIFEST.json"
    version = json.loads(manifest.read_text())["collection_info"]["version"]

    assert sorted(re.findall(r"`(test_\w+)` \|$", table, re.MULTILINE)) == sorted(tests)
    assert f"| what | community.aws {version} |" in table
