# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's AWS API with a pair that does nothing: states, answers, errors."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.mq import models

from lab import aws, client, plan, shell
from lab.hosts import Host, ProcessHost


class FakePair(aws.Pair):
    """Starts and reboots when it is told to go on."""

    def __init__(self, hosts: list[Host]) -> None:
        super().__init__(hosts, [plan.instance_name(1), plan.instance_name(2)])
        self.go = threading.Event()
        self.broken = False
        self.calls: list[str] = []

    def up(self) -> None:
        self._work("up")

    def reboot(self) -> None:
        self._work("reboot")

    def down(self) -> None:
        self.calls.append("down")

    def _work(self, name: str) -> None:
        self.calls.append(name)
        assert self.go.wait(5)
        if self.broken:
            raise shell.LabError("the pair is broken")


class FakeHost(ProcessHost):
    """Writes down what is done to its broker."""

    def __init__(self, name: str, log: list[str]) -> None:
        super().__init__(name, f"{name}.invalid", Path("/nonexistent"), lab_id="test")
        self.log = log
        self.runs = False

    def unit(self, action: str, name: str) -> None:
        self.log.append(f"{action} {self.name}")
        self.runs = action == "start"


class FakeStore(aws.Pair):
    """The first that runs holds the lock until it stops, as in a shared file store."""

    holder: Host | None = None

    def active(self) -> Host | None:
        running = [host for host in self.hosts if isinstance(host, FakeHost) and host.runs]
        if self.holder not in running:
            self.holder = running[0] if running else None
        return self.holder


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePair]:
    # install() sets these for good; the test puts them back.
    monkeypatch.setattr(models, "Broker", models.Broker)
    monkeypatch.setattr(models.MQBackend, "reboot_broker", models.MQBackend.reboot_broker)
    monkeypatch.setattr(models.MQBackend, "delete_broker", models.MQBackend.delete_broker)
    monkeypatch.setattr(aws, "REBOOT_DELAY", 0.05)
    fake = FakePair([FakeHost("one", []), FakeHost("two", [])])
    with mock_aws():
        aws.install(fake, plan.BROKER_ID)
        yield fake
        fake.go.set()


@pytest.fixture
def mq(pair: FakePair) -> Any:
    return boto3.client("mq", region_name=plan.REGION)


def create(mq: Any) -> None:
    mq.create_broker(
        BrokerName=plan.TARGET_NAME,
        DeploymentMode="ACTIVE_STANDBY_MULTI_AZ",
        EngineType="ACTIVEMQ",
        EngineVersion="5.18",
        HostInstanceType="mq.m5.large",
        AutoMinorVersionUpgrade=True,
        PubliclyAccessible=False,
        Users=[{"Username": "app", "Password": "app-Passw0rd-lab"}],
    )


def wait_state(mq: Any, state: str) -> None:
    client._wait(mq, state)


def error_of(call: Any, **arguments: Any) -> int:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return int(caught.value.response["ResponseMetadata"]["HTTPStatusCode"])


def test_a_broker_is_created_and_then_runs(mq: Any, pair: FakePair) -> None:
    create(mq)
    assert mq.describe_broker(BrokerId=plan.BROKER_ID)["BrokerState"] == "CREATION_IN_PROGRESS"
    pair.go.set()
    wait_state(mq, "RUNNING")
    assert pair.calls == ["up"]


def test_both_instances_are_described_with_their_own_names_and_addresses(mq: Any) -> None:
    create(mq)
    one, two = mq.describe_broker(BrokerId=plan.BROKER_ID)["BrokerInstances"]
    assert one["Endpoints"][0] == f"ssl://{plan.BROKER_ID}-1.mq.us-east-2.amazonaws.com:61617"
    assert two["Endpoints"][0] == f"ssl://{plan.BROKER_ID}-2.mq.us-east-2.amazonaws.com:61617"
    assert one["ConsoleURL"].endswith("-1.mq.us-east-2.amazonaws.com:8162")
    assert (one["IpAddress"], two["IpAddress"]) == ("one.invalid", "two.invalid")


def test_a_reboot_is_late_in_the_state_and_then_runs_again(mq: Any, pair: FakePair) -> None:
    pair.go.set()
    create(mq)
    wait_state(mq, "RUNNING")
    pair.go.clear()
    mq.reboot_broker(BrokerId=plan.BROKER_ID)
    assert mq.describe_broker(BrokerId=plan.BROKER_ID)["BrokerState"] == "RUNNING"
    wait_state(mq, "REBOOT_IN_PROGRESS")
    assert error_of(mq.reboot_broker, BrokerId=plan.BROKER_ID) == 400
    pair.go.set()
    wait_state(mq, "RUNNING")
    assert pair.calls == ["up", "reboot"]


def test_a_pair_that_does_not_start_makes_a_failed_broker(mq: Any, pair: FakePair) -> None:
    pair.broken = True
    pair.go.set()
    create(mq)
    with pytest.raises(shell.LabError, match="CREATION_FAILED"):
        wait_state(mq, "RUNNING")


def test_an_unknown_broker_is_not_found(mq: Any) -> None:
    assert error_of(mq.describe_broker, BrokerId="b-unknown") == 404
    assert error_of(mq.reboot_broker, BrokerId="b-unknown") == 404
    assert error_of(mq.delete_broker, BrokerId="b-unknown") == 404


def test_a_deleted_broker_is_stopped_and_gone(mq: Any, pair: FakePair) -> None:
    pair.go.set()
    create(mq)
    wait_state(mq, "RUNNING")
    mq.delete_broker(BrokerId=plan.BROKER_ID)
    assert pair.calls[-1] == "down"
    assert error_of(mq.describe_broker, BrokerId=plan.BROKER_ID) == 404


def test_a_reboot_makes_two_failovers_and_ends_where_it_began() -> None:
    log: list[str] = []
    one, two = FakeHost("one", log), FakeHost("two", log)
    store = FakeStore([one, two], ["one", "two"])
    store.up()
    assert store.active() is one
    store.reboot()
    assert store.active() is one
    assert log == ["start one", "start two", "stop one", "start one", "stop two", "start two"]
    store.down()
    assert log[-2:] == ["stop two", "stop one"]
