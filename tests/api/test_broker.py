# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module broker against an API with the states, delays and errors of Amazon MQ."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.amazon.aws.plugins.module_utils import cloud
from botocore.stub import Stubber

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _mq_api
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._broker_wait import Pauses
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._probe import Probe
from ansible_collections.mqlift.amazon_mq.plugins.modules import broker
from lab.aws import Serving, calls, faults, serving
from lab.aws.broker import Delays

READS = ("List", "Describe")
PASSWORD = "app-Passw0rd-lab"
NEW = {
    "broker_name": "orders",
    "deployment_mode": "ACTIVE_STANDBY_MULTI_AZ",
    "host_instance_type": "mq.m5.large",
    "engine_version": "5.18",
    "subnet_ids": ["subnet-b", "subnet-a"],
    "security_groups": ["sg-2", "sg-1"],
    "maintenance_window_start_time": {"day_of_week": "sunday", "time_of_day": "02:00"},
    "logs": {"general": True},
    "users": [{"username": "app", "password": PASSWORD, "groups": ["orders"]}],
    "tags": {"Team": "orders"},
}


class Pace:
    """The API's time: an operation takes until a broker was described so many times, so nothing is missed or slow."""

    def __init__(self) -> None:
        self.looks = 1
        self.calls: Path | None = None

    def sleep(self, steps: float) -> None:
        goal = self._count() + steps * self.looks
        give_up = time.monotonic() + 20
        while self._count() < goal and time.monotonic() < give_up:
            time.sleep(0.005)

    def _count(self) -> int:
        return sum(call.operation == "DescribeBroker" for call in calls.read(self.calls)) if self.calls else 0


@pytest.fixture
def pace() -> Pace:
    return Pace()


@pytest.fixture
def aws(pace: Pace) -> Iterator[Serving]:
    delays = Delays(creation=1, reboot_lag=1, reboot=1, deletion=1, sleep=pace.sleep)
    with serving(delays=delays) as served:
        pace.calls = served.calls
        yield served


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short pauses, and no pacing: a dozen calls are made here where AWS sees one."""
    monkeypatch.setattr(broker, "Pauses", lambda **given: Pauses(**{**given, "first": 0.03, "longest": 0.1}))
    monkeypatch.setattr(_mq_api, "_BURST", 1000)
    monkeypatch.setattr(cloud, "time", SimpleNamespace(sleep=lambda seconds: None))
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


def operations(aws: Serving) -> list[str]:
    return [call.operation for call in calls.read(aws.calls)]


def writes(aws: Serving) -> list[str]:
    return [name for name in operations(aws) if not name.startswith(READS)]


@pytest.fixture
def orders(aws: Serving, run: Any) -> dict[str, Any]:
    """A broker that runs."""
    result: dict[str, Any] = run(broker, **NEW)["broker"]
    aws.calls.unlink()
    return result


# Creating


def test_a_broker_from_nothing(aws: Serving, run: Any) -> None:
    foreseen = run(broker, check=True, diff=True, **NEW)
    assert writes(aws) == []
    made = run(broker, diff=True, **NEW)
    again = run(broker, diff=True, **NEW)

    assert (foreseen["changed"], made["changed"], again["changed"]) == (True, True, False)
    assert foreseen["diff"] == made["diff"]
    assert foreseen["broker"] is None
    assert (made["state"], made["waited_for"], made["missing"]) == ("RUNNING", ["the broker to run"], [])
    assert made["broker"]["name"] == "orders"
    assert made["broker"]["subnet_ids"] == ["subnet-a", "subnet-b"]
    assert made["broker"]["pending"] is False
    assert again["diff"]["before"] == again["diff"]["after"]
    assert writes(aws) == ["CreateBroker"]


def test_no_password_is_shown_anywhere(run: Any) -> None:
    for check in (True, False):
        result = run(broker, check=check, diff=True, **NEW)
        result["invocation"]["module_args"]["users"][0].pop("password")
        assert PASSWORD not in json.dumps(result)


def test_what_is_not_given_is_not_touched(orders: dict[str, Any], aws: Serving, run: Any) -> None:
    result = run(broker, broker_name="orders")

    assert (result["changed"], result["broker"]) == (False, orders)
    assert writes(aws) == []


def test_without_waiting_it_is_begun_only(aws: Serving, run: Any, pace: Pace) -> None:
    pace.looks = 3
    begun = run(broker, wait=False, **NEW)
    completed = run(broker, **NEW)

    assert (begun["changed"], begun["state"], begun["waited_for"]) == (True, "CREATION_IN_PROGRESS", [])
    # A run that was stopped is completed by the next.
    assert (completed["changed"], completed["state"]) == (False, "RUNNING")
    assert completed["waited_for"] == ["the end of an operation under way"]
    assert writes(aws) == ["CreateBroker"]


def test_a_broker_that_cannot_be_created(aws: Serving, run: Any) -> None:
    faults.add(aws.faults, "creation-failed")

    failed = run(broker, **NEW)
    again = run(broker, **NEW)
    gone = run(broker, broker_name="orders", state="absent")

    assert failed["failed"]
    assert "CREATION_FAILED" in failed["msg"]
    assert (failed["changed"], failed["state"]) == (True, "CREATION_FAILED")
    assert failed["broker"]["id"].startswith("b-")
    assert "delete it first" in again["msg"]
    assert gone["changed"]


def test_a_creation_that_takes_too_long(run: Any) -> None:
    result = run(broker, wait_timeout=0, **NEW)

    assert result["failed"]
    assert result["missing"] == ["it is in state CREATION_IN_PROGRESS"]
    assert "0 s are over" in result["msg"]


def test_an_id_creates_nothing(aws: Serving, run: Any) -> None:
    result = run(broker, broker_id="b-1", **NEW)

    assert "no broker with the id 'b-1'" in result["msg"]
    assert "us-east-2" in result["msg"]
    assert writes(aws) == []


@pytest.mark.parametrize("check", [True, False])
def test_what_amazon_mq_would_refuse_is_not_asked(aws: Serving, run: Any, check: bool) -> None:
    bad = {**NEW, "subnet_ids": ["subnet-a"], "storage_type": "EBS", "auto_minor_version_upgrade": False}
    bad["users"] = [{"username": "a", "password": "geheim:geheim"}]

    result = run(broker, check=check, **bad)

    assert result["failed"]
    for word in ("subnet_ids", "EBS", "auto_minor_version_upgrade", "user name 'a'", "comma, a colon"):
        assert word in result["msg"]
    assert "geheim" not in result["msg"]
    assert writes(aws) == []


# Changing


def test_what_is_applied_at_once(orders: dict[str, Any], aws: Serving, run: Any) -> None:
    wanted = {
        "broker_id": orders["id"],
        "security_groups": ["sg-3"],
        "maintenance_window_start_time": {"day_of_week": "Monday", "time_of_day": "03:00"},
        "tags": {"stage": "test"},
    }

    foreseen = run(broker, check=True, diff=True, **wanted)
    assert writes(aws) == []
    made = run(broker, diff=True, **wanted)
    again = run(broker, **wanted)

    assert foreseen["changes"] == made["changes"]
    assert sorted(made["changes"]["immediate"]) == ["maintenance_window_start_time", "security_groups", "tags"]
    assert (made["changes"]["pending"], made["rebooted"]) == ([], False)
    assert foreseen["diff"] == made["diff"]
    assert made["diff"]["before"]["tags"] == {"Team": "orders"}
    assert made["broker"]["tags"] == {"stage": "test"}
    assert made["broker"]["maintenance_window"] == {
        "day_of_week": "MONDAY",
        "time_of_day": "03:00",
        "time_zone": "UTC",
    }
    assert not again["changed"]
    assert writes(aws) == ["UpdateBroker", "DeleteTags", "CreateTags"]


def test_tags_can_be_added_to_others(orders: dict[str, Any], aws: Serving, run: Any) -> None:
    result = run(broker, broker_name="orders", tags={"stage": "test"}, purge_tags=False)

    assert result["broker"]["tags"] == {"Team": "orders", "stage": "test"}
    assert writes(aws) == ["CreateTags"]


def test_what_waits_for_a_reboot_is_staged_once(orders: dict[str, Any], aws: Serving, run: Any) -> None:
    wanted = {"broker_name": "orders", "engine_version": "5.19", "logs": {"audit": True}}

    made = run(broker, diff=True, **wanted)
    again = run(broker, **wanted)

    assert made["changes"]["pending"] == ["engine_version", "logs"]
    assert made["diff"] == {
        "before": {"broker_name": "orders", "engine_version": "5.18", "logs": {"audit": False}},
        "after": {"broker_name": "orders", "engine_version": "5.19", "logs": {"audit": True}},
    }
    assert (made["changed"], made["broker"]["pending"], made["rebooted"]) == (True, True, False)
    assert (again["changed"], again["changes"]["staged"]) == (False, ["engine_version", "logs"])
    assert writes(aws) == ["UpdateBroker"]


def test_a_staged_change_can_be_withdrawn(orders: dict[str, Any], aws: Serving, run: Any) -> None:
    run(broker, broker_name="orders", engine_version="5.19")

    result = run(broker, broker_name="orders", engine_version="5.18", reboot="when_pending")

    assert (result["changed"], result["rebooted"]) == (True, False)
    assert result["broker"]["pending_changes"] == []
    assert writes(aws) == ["UpdateBroker", "UpdateBroker"]


@pytest.mark.parametrize("check", [True, False])
def test_what_cannot_be_changed_is_named_and_nothing_is(
    orders: dict[str, Any], aws: Serving, run: Any, check: bool
) -> None:
    result = run(
        broker,
        check=check,
        broker_id=orders["id"],
        broker_name="other",
        deployment_mode="SINGLE_INSTANCE",
        storage_type="EBS",
        subnet_ids=["subnet-c"],
        publicly_accessible=True,
        encryption_options={"kms_key_id": "k-1"},
        host_instance_type="mq.m5.xlarge",
    )

    assert result["failed"]
    assert sorted(result["changes"]["impossible"]) == [
        "broker_name",
        "deployment_mode",
        "encryption_options",
        "publicly_accessible",
        "storage_type",
        "subnet_ids",
    ]
    for name in result["changes"]["impossible"]:
        assert name in result["msg"]
    assert writes(aws) == []


def test_an_engine_version_is_not_lowered(orders: dict[str, Any], run: Any) -> None:
    result = run(broker, broker_name="orders", engine_version="5.17")

    assert result["changes"]["impossible"] == ["engine_version"]
    assert "cannot be lowered" in result["msg"]


# Rebooting


def test_one_reboot_for_all_that_waits(orders: dict[str, Any], aws: Serving, run: Any) -> None:
    aws.client().create_user(BrokerId=orders["id"], Username="late", Password=PASSWORD)
    run(broker, broker_name="orders", engine_version="5.19")
    aws.calls.unlink()
    wanted = {"broker_name": "orders", "host_instance_type": "mq.m5.xlarge", "reboot": "when_pending"}

    foreseen = run(broker, check=True, **wanted)
    assert writes(aws) == []
    made = run(broker, **wanted)
    again = run(broker, **wanted)

    assert foreseen["rebooted"]
    assert (made["rebooted"], made["changed"], made["broker"]["pending"]) == (True, True, False)
    assert made["broker"]["host_instance_type"] == "mq.m5.xlarge"
    assert made["broker"]["engine_version"].startswith("5.19")
    assert made["waited_for"] == ["the reboot"]
    assert (again["changed"], again["rebooted"]) == (False, False)
    assert writes(aws) == ["UpdateBroker", "RebootBroker"]


def test_rebooted(orders: dict[str, Any], aws: Serving, run: Any) -> None:
    nothing = run(broker, broker_name="orders", state="rebooted", reboot="when_pending")
    foreseen = run(broker, check=True, broker_name="orders", state="rebooted")
    assert writes(aws) == []
    made = run(broker, broker_name="orders", state="rebooted")

    assert (nothing["changed"], foreseen["changed"], made["changed"]) == (False, True, True)
    assert (nothing["rebooted"], foreseen["rebooted"], made["rebooted"]) == (False, True, True)
    assert made["state"] == "RUNNING"
    assert "warnings" not in made
    assert writes(aws) == ["RebootBroker"]


def test_a_broker_that_still_runs_after_the_call_is_not_taken_for_rebooted(
    orders: dict[str, Any], run: Any, pace: Pace
) -> None:
    run(broker, broker_name="orders", engine_version="5.19")
    pace.looks = 4

    result = run(broker, broker_name="orders", state="rebooted")

    assert result["broker"]["engine_version"].startswith("5.19")
    assert result["broker"]["pending"] is False


def test_a_reboot_that_never_comes(orders: dict[str, Any], aws: Serving, run: Any) -> None:
    faults.add(aws.faults, "reboot-ignored")
    aws.client().create_user(BrokerId=orders["id"], Username="late", Password=PASSWORD)

    result = run(broker, broker_name="orders", state="rebooted", wait_timeout=0)

    assert result["failed"]
    assert result["missing"] == ["the reboot was not seen to start", "user late pending CREATE"]
    assert (result["changed"], result["rebooted"], result["state"]) == (True, True, "RUNNING")


def test_a_reboot_that_is_not_seen_and_changes_nothing(
    orders: dict[str, Any], aws: Serving, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "Pauses", lambda **given: Pauses(**{**given, "first": 0.03, "grace": 0.1}))
    faults.add(aws.faults, "reboot-ignored")

    result = run(broker, broker_name="orders", state="rebooted")

    assert result["changed"]
    assert "not seen to start" in json.dumps(result["warnings"])


def test_a_reboot_that_hangs(orders: dict[str, Any], aws: Serving, run: Any) -> None:
    client = aws.client()
    faults.add(aws.faults, "reboot-hangs", seconds=8)
    client.reboot_broker(BrokerId=orders["id"])
    states = (client.describe_broker(BrokerId=orders["id"])["BrokerState"] for dummy in range(1000))
    assert "REBOOT_IN_PROGRESS" in states

    # Somebody else's run meets the reboot that is still going on, and waits for its end before it begins its own.
    failed = run(broker, broker_name="orders", state="rebooted", wait_timeout=0)
    completed = run(broker, broker_name="orders", state="rebooted")

    assert failed["missing"] == ["it is in state REBOOT_IN_PROGRESS"]
    assert (failed["changed"], failed["rebooted"]) == (False, False)
    assert completed["waited_for"] == ["the end of an operation under way", "the reboot"]
    assert writes(aws) == ["RebootBroker", "RebootBroker"]


def test_a_broker_in_a_bad_state_is_not_rebooted(orders: dict[str, Any], aws: Serving, run: Any) -> None:
    faults.add(aws.faults, "critical", code="BROKER_OOM")

    looked = run(broker, broker_name="orders")
    result = run(broker, broker_name="orders", state="rebooted")

    assert (looked["changed"], looked["state"]) == (False, "CRITICAL_ACTION_REQUIRED")
    assert "CRITICAL_ACTION_REQUIRED" in result["msg"]
    assert "BROKER_OOM" in result["msg"]
    assert writes(aws) == []


def test_a_broker_that_gets_into_a_bad_state_ends_the_wait(
    orders: dict[str, Any], aws: Serving, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reboot = _mq_api.MqApi.reboot

    def broken(self: Any, broker_id: str) -> None:
        reboot(self, broker_id)
        faults.add(aws.faults, "critical", code="BROKER_ENI_DELETED")

    monkeypatch.setattr(_mq_api.MqApi, "reboot", broken)

    result = run(broker, broker_name="orders", state="rebooted")

    assert "CRITICAL_ACTION_REQUIRED (BROKER_ENI_DELETED" in result["msg"]
    assert result["elapsed"] < 10


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"state": "rebooted", "engine_version": "5.19"}, "takes no engine_version"),
        ({"state": "rebooted", "reboot": "never"}, "contradicts itself"),
        ({"poll_interval": 0}, "poll_interval"),
    ],
)
def test_options_that_make_no_sense(
    orders: dict[str, Any], aws: Serving, run: Any, args: dict[str, Any], message: str
) -> None:
    assert message in run(broker, broker_name="orders", **args)["msg"]
    assert writes(aws) == []


def test_an_endpoint_has_to_answer_when_asked_for(
    orders: dict[str, Any], run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def probe(url: str, ca_file: str | None) -> Probe:
        looked.append(url)
        return Probe(len(looked) > 5 and "-2.mq" in url, "refused")

    monkeypatch.setattr(broker, "probe", probe)

    result = run(broker, broker_name="orders", state="rebooted", probe=True)

    assert result["changed"]
    assert len(looked) == 6
    assert all(url.startswith("ssl://") for url in looked)


def test_no_endpoint_answers(orders: dict[str, Any], run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "probe", lambda url, ca_file: Probe(False, "refused"))

    result = run(broker, broker_name="orders", state="rebooted", probe=True, wait_timeout=1)

    assert result["missing"][0].startswith("no endpoint answers: ssl://")
    assert "refused" in result["msg"]


def test_an_unreadable_ca_file_is_told_before_anything_is_done(aws: Serving, run: Any) -> None:
    assert "/nowhere.pem" in run(broker, probe=True, ca_file="/nowhere.pem", **NEW)["msg"]
    assert operations(aws) == []


# Deleting


def test_a_broker_is_deleted(orders: dict[str, Any], aws: Serving, run: Any) -> None:
    foreseen = run(broker, check=True, broker_name="orders", state="absent")
    assert writes(aws) == []
    gone = run(broker, diff=True, broker_name="orders", state="absent")
    again = run(broker, broker_name="orders", state="absent")

    assert (foreseen["changed"], gone["changed"], again["changed"]) == (True, True, False)
    assert gone["diff"]["before"] == {"broker_name": "orders", "state": "present"}
    assert gone["waited_for"] == ["the broker to be gone"]
    assert gone["broker"]["id"] == orders["id"]
    assert writes(aws) == ["DeleteBroker"]


def test_a_broker_that_is_being_deleted(orders: dict[str, Any], run: Any, pace: Pace) -> None:
    pace.looks = 4
    run(broker, broker_name="orders", state="absent", wait=False)

    again = run(broker, broker_name="orders", state="absent", wait=False)
    refused = run(broker, wait=False, **NEW)
    made = run(broker, **NEW)

    assert not again["changed"]
    assert "is being deleted" in refused["msg"]
    # Its name is free when it is gone.
    assert made["waited_for"] == ["the broker to be gone", "the broker to run"]
    assert made["broker"]["id"] != orders["id"]


# The API


def test_a_name_on_the_second_page(aws: Serving, run: Any, pace: Pace) -> None:
    pace.looks = 0
    client = aws.client()
    for number in range(101):
        client.create_broker(
            BrokerName=f"b{number:03}",
            DeploymentMode="SINGLE_INSTANCE",
            EngineType="ACTIVEMQ",
            HostInstanceType="mq.m5.large",
            PubliclyAccessible=False,
            Users=[{"Username": "app", "Password": PASSWORD}],
        )
    pages = [entry["BrokerName"] for entry in client.list_brokers(MaxResults=100)["BrokerSummaries"]]
    last = next(f"b{number:03}" for number in range(101) if f"b{number:03}" not in pages)

    assert run(broker, broker_name=last)["broker"]["name"] == last


def test_throttled(orders: dict[str, Any], aws: Serving, run: Any) -> None:
    for code in ("TooManyRequestsException", "ThrottlingException"):
        faults.add(aws.faults, "throttle", operation="DescribeBroker", times=3, code=code)

    result = run(broker, broker_name="orders")

    assert not result.get("failed")
    assert operations(aws).count("DescribeBroker") == 7


def test_an_api_that_fails_during_a_wait(orders: dict[str, Any], aws: Serving, run: Any) -> None:
    faults.add(aws.faults, "reboot-hangs", seconds=5)
    reboot = _mq_api.MqApi.reboot

    def then_fails(self: Any, broker_id: str) -> None:
        reboot(self, broker_id)
        faults.add(aws.faults, "error", operation="DescribeBroker", times=3)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_mq_api.MqApi, "reboot", then_fails)
        result = run(broker, broker_name="orders", state="rebooted")

    assert result["rebooted"]
    assert not result.get("failed")


def test_an_error_of_the_api_comes_with_what_is_known(orders: dict[str, Any], aws: Serving, run: Any) -> None:
    faults.add(aws.faults, "error", operation="UpdateBroker")

    result = run(broker, broker_name="orders", engine_version="5.19")

    assert result["failed"]
    assert f"update the broker {orders['id']}" in result["msg"]
    assert "InternalServerErrorException" in result["msg"]
    assert result["changes"]["pending"] == ["engine_version"]


def stubbed(monkeypatch: pytest.MonkeyPatch, aws: Serving, **answers: Any) -> Stubber:
    """The module's client answers from a script: what cannot be brought about at the API."""
    client = aws.client()
    stubber = Stubber(client)
    for operation, answer in answers.items():
        stubber.add_response(operation, answer)
    stubber.activate()

    class Retrying:
        def __getattr__(self, name: str) -> Any:
            def call(aws_retry: bool = False, **request: Any) -> Any:
                return getattr(client, name)(**request)

            return call

    monkeypatch.setattr(broker, "connect", lambda module: _mq_api.MqApi(Retrying()))
    return stubber


def summary(number: int) -> dict[str, Any]:
    return {
        "BrokerId": f"b-{number}",
        "BrokerName": "orders",
        "DeploymentMode": "SINGLE_INSTANCE",
        "EngineType": "ActiveMQ",
    }


def test_a_name_of_two_brokers(aws: Serving, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stubber = stubbed(monkeypatch, aws, list_brokers={"BrokerSummaries": [summary(1), summary(2)]})

    result = run(broker, **NEW)

    assert "more than one broker is named 'orders': b-1, b-2" in result["msg"]
    stubber.assert_no_pending_responses()


def test_a_broker_that_vanishes_between_two_calls(aws: Serving, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stubber = stubbed(monkeypatch, aws, list_brokers={"BrokerSummaries": [summary(1)]})
    stubber.add_client_error("describe_broker", "NotFoundException")

    result = run(broker, broker_name="orders", state="rebooted")

    assert "there is no broker named 'orders' in region us-east-2" in result["msg"]


def test_a_broker_of_another_engine(aws: Serving, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stubbed(monkeypatch, aws, describe_broker={"BrokerId": "b-1", "EngineType": "RabbitMQ"})

    assert "RabbitMQ" in run(broker, broker_id="b-1", state="absent")["msg"]
