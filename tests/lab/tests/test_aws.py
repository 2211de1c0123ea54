# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's AWS API: states of a broker, what it tells, and the real pair. Tests name the source of what they ask."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lab import client, plan, shell
from lab.aws import pair, serving
from lab.aws.api import Real
from lab.aws.broker import LISTENERS, Delays, Login, Settings
from lab.hosts import Host, ProcessHost

if TYPE_CHECKING:
    from lab.tests.conftest import Amazon

SETTINGS = Settings({"app": Login("app-Passw0rd-lab")}, "<broker/>")


class FakePair(pair.Pair):
    """Starts and reboots when it is told to go on."""

    def __init__(self, folder: Path) -> None:
        hosts: list[Host] = [FakeHost("one", [], folder), FakeHost("two", [], folder)]
        names = [plan.instance_name(1), plan.instance_name(2)]
        super().__init__(hosts, names, [], lambda index, settings: None, listeners=LISTENERS)
        self.go = threading.Event()
        self.broken = False
        self.calls: list[tuple[str, Settings | None]] = []

    def up(self, settings: Settings) -> None:
        self._work("up", settings)

    def reboot(self, settings: Settings) -> None:
        self._work("reboot", settings)

    def down(self) -> None:
        self.calls.append(("down", None))

    def _work(self, name: str, settings: Settings) -> None:
        self.calls.append((name, settings))
        assert self.go.wait(5)
        if self.broken:
            raise shell.LabError("the pair is broken")


class FakeHost(ProcessHost):
    """Writes down what is done to its broker; as a standby it says so in its log."""

    def __init__(self, name: str, told: list[str], folder: Path) -> None:
        super().__init__(name, f"{name}.invalid", folder, lab_id="test")
        self.told = told
        self.runs = False
        self.log = folder / f"{name}.log"
        self.log.write_text("")

    def unit(self, action: str, name: str) -> None:
        self.told.append(f"{action} {self.name}")
        self.runs = action == "start"
        if self.runs:
            with self.log.open("a") as stream:
                stream.write(
                    "Database lock is locked. This broker is now in slave mode waiting a lock to be acquired\n"
                )


class FakeStore(pair.Pair):
    """The first that runs holds the lock until it stops, as in a shared file store."""

    holder: Host | None = None

    def active(self) -> Host | None:
        running = [host for host in self.hosts if isinstance(host, FakeHost) and host.runs]
        if self.holder not in running:
            self.holder = running[0] if running else None
        return self.holder


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakePair]:
    found = FakePair(tmp_path)
    yield found
    found.go.set()


@pytest.fixture
def lag() -> threading.Event:
    """While it is not set, a delay lasts."""
    event = threading.Event()
    event.set()
    return event


@pytest.fixture
def mq(fake: FakePair, lag: threading.Event) -> Iterator[Any]:
    """A client of an API whose target is a pair that does nothing."""

    def sleep(_seconds: float) -> None:
        lag.wait(5)

    with serving(delays=Delays(sleep=sleep), real={plan.TARGET_NAME: Real(plan.BROKER_ID, fake)}) as served:
        yield served.client()
        lag.set()


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


def state(mq: Any) -> str:
    return str(mq.describe_broker(BrokerId=plan.BROKER_ID)["BrokerState"])


def wait_state(mq: Any, wanted: str) -> None:
    client._wait(mq, wanted)


# -- states ------------------------------------------------------------------------------------------------------------


def test_a_broker_is_created_and_then_runs(mq: Any, fake: FakePair) -> None:
    """API model, CreateBroker: "This API is asynchronous"; BrokerState."""
    create(mq)
    assert state(mq) == "CREATION_IN_PROGRESS"
    fake.go.set()
    wait_state(mq, "RUNNING")
    (call,) = fake.calls
    assert call[0] == "up"
    assert call[1] is not None
    assert call[1].users == {"app": Login("app-Passw0rd-lab")}
    assert "<broker" in call[1].configuration


def test_a_pair_that_does_not_start_makes_a_failed_broker(mq: Any, fake: FakePair) -> None:
    """API model, BrokerState: CREATION_FAILED."""
    fake.broken = True
    fake.go.set()
    create(mq)
    with pytest.raises(shell.LabError, match="CREATION_FAILED"):
        wait_state(mq, "RUNNING")


def test_a_reboot_is_late_in_the_state_and_then_runs_again(mq: Any, fake: FakePair, lag: threading.Event) -> None:
    """API reference, Broker reboot: an empty 200, only a RUNNING broker; aws/aws-sdk#19: the state is late."""
    fake.go.set()
    create(mq)
    wait_state(mq, "RUNNING")
    fake.go.clear()
    lag.clear()
    mq.reboot_broker(BrokerId=plan.BROKER_ID)
    assert state(mq) == "RUNNING"
    lag.set()
    wait_state(mq, "REBOOT_IN_PROGRESS")
    with pytest.raises(mq.exceptions.BadRequestException, match="REBOOT_IN_PROGRESS"):
        mq.reboot_broker(BrokerId=plan.BROKER_ID)
    fake.go.set()
    wait_state(mq, "RUNNING")
    assert [name for name, dummy in fake.calls] == ["up", "reboot"]


def test_a_reboot_that_does_not_come_back_needs_a_person(mq: Any, fake: FakePair) -> None:
    """Developer guide, "Troubleshooting: action required codes"."""
    fake.go.set()
    create(mq)
    wait_state(mq, "RUNNING")
    fake.broken = True
    mq.reboot_broker(BrokerId=plan.BROKER_ID)
    with pytest.raises(shell.LabError, match="CRITICAL_ACTION_REQUIRED"):
        wait_state(mq, "never")


def test_a_deleted_broker_is_stopped_shown_for_a_moment_and_gone(mq: Any, fake: FakePair, lag: threading.Event) -> None:
    """Recorded (maintenance.json): DELETION_IN_PROGRESS with all it had, then 404; its configuration stays."""
    fake.go.set()
    create(mq)
    wait_state(mq, "RUNNING")
    lag.clear()
    assert mq.delete_broker(BrokerId=plan.BROKER_ID)["BrokerId"] == plan.BROKER_ID
    answer = mq.describe_broker(BrokerId=plan.BROKER_ID)
    assert answer["BrokerState"] == "DELETION_IN_PROGRESS"
    assert len(answer["BrokerInstances"]) == 2
    lag.set()
    shell.wait_for(lambda: not mq.list_brokers()["BrokerSummaries"], 5, "the end of the broker", interval=0.01)
    assert fake.calls[-1][0] == "down"
    with pytest.raises(mq.exceptions.NotFoundException):
        mq.describe_broker(BrokerId=plan.BROKER_ID)
    assert len(mq.list_configurations()["Configurations"]) == 1


@pytest.mark.parametrize(
    ("operation", "more"),
    [
        ("describe_broker", {}),
        ("update_broker", {}),
        ("reboot_broker", {}),
        ("delete_broker", {}),
        ("list_users", {}),
        ("describe_user", {"Username": "app"}),
        ("delete_user", {"Username": "app"}),
        ("update_user", {"Username": "app"}),
        ("create_user", {"Username": "app", "Password": "app-Passw0rd-lab"}),
        ("describe_shared_resources", {}),
    ],
)
def test_an_unknown_broker_is_not_found(amazon: Amazon, operation: str, more: dict[str, str]) -> None:
    """Recorded: missing_resources.json. Stock moto raises KeyError for a reboot and a deletion."""
    missing = "b-036f2562-afd9-437f-b172-d6e841b4af3a"
    text = f"Cannot find broker ID [{missing}]. Verify that your broker exists or check broker permissions."
    assert amazon.error(operation, BrokerId=missing, **more) == (404, "NotFoundException", "broker-id", text)


# -- what a broker tells -----------------------------------------------------------------------------------------------


def test_a_broker_has_an_id_and_an_arn_of_amazons_form(amazon: Amazon) -> None:
    """Developer guide, "Broker": b-<uuid>, arn:aws:mq:REGION:ACCOUNT:broker:NAME:ID."""
    broker_id = amazon.running(BrokerName="formed")
    assert re.fullmatch(r"b-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", broker_id)
    assert amazon.describe(broker_id)["BrokerArn"] == f"arn:aws:mq:us-east-2:123456789012:broker:formed:{broker_id}"


def test_a_broker_that_is_being_created_has_no_instances_and_all_is_pending(mq: Any) -> None:
    """Recorded: create_identity.json."""
    create(mq)
    answer = mq.describe_broker(BrokerId=plan.BROKER_ID)
    assert answer["BrokerInstances"] == []
    assert answer["Configurations"]["Pending"]["Revision"] == 1
    assert "Current" not in answer["Configurations"]
    assert answer["Users"] == [{"Username": "app", "PendingChange": "CREATE"}]


def test_a_broker_that_runs_tells_what_amazons_do(amazon: Amazon) -> None:
    """Recorded (maintenance.json): spellings, log groups also while logs are off, defaults; nothing is pending."""
    answer = amazon.describe(amazon.running(Tags={"stage": "test"}))
    broker_id = answer["BrokerId"]
    assert answer["EngineType"] == "ActiveMQ"
    assert answer["AuthenticationStrategy"] == "simple"
    assert answer["StorageType"] == "efs"
    assert answer["AutoMinorVersionUpgrade"] is True
    assert answer["EncryptionOptions"] == {"UseAwsOwnedKey": True}
    assert answer["Logs"] == {
        "Audit": False,
        "AuditLogGroup": f"/aws/amazonmq/broker/{broker_id}/audit",
        "General": False,
        "GeneralLogGroup": f"/aws/amazonmq/broker/{broker_id}/general",
    }
    assert answer["MaintenanceWindowStartTime"]["DayOfWeek"] == "SUNDAY"
    assert answer["Configurations"]["Current"]["Revision"] == 1
    assert answer["Configurations"]["History"] == []
    assert answer["Users"] == [{"Username": "app"}]
    assert answer["Tags"] == {"stage": "test"}
    assert not {key for key in answer if key.startswith("Pending")} | {"Pending"} & set(answer["Configurations"])
    assert "ActionsRequired" not in answer


def test_the_instances_of_a_pair_have_amazons_names_and_ports_in_no_promised_order(amazon: Amazon) -> None:
    """Developer guide, "Broker"; recorded: maintenance.json. That no order is promised: API model, BrokerInstances."""
    answer = amazon.describe(amazon.running())
    two, one = answer["BrokerInstances"]
    for number, found in ((1, one), (2, two)):
        host = f"{answer['BrokerId']}-{number}.mq.us-east-2.amazonaws.com"
        assert found["ConsoleURL"] == f"https://{host}:8162"
        assert sorted(found["Endpoints"]) == [
            f"amqp+ssl://{host}:5671",
            f"mqtt+ssl://{host}:8883",
            f"ssl://{host}:61617",
            f"stomp+ssl://{host}:61614",
            f"wss://{host}:61619",
        ]
        assert not found["Endpoints"][0].startswith("ssl:")
    assert one["IpAddress"] != two["IpAddress"]


def test_a_single_instance_is_number_one(amazon: Amazon) -> None:
    """Recorded: maintenance.json."""
    answer = amazon.describe(amazon.running(DeploymentMode="SINGLE_INSTANCE"))
    (only,) = answer["BrokerInstances"]
    assert only["ConsoleURL"] == f"https://{answer['BrokerId']}-1.mq.us-east-2.amazonaws.com:8162"


def test_a_broker_of_rabbitmq_is_told_as_one(amazon: Amazon) -> None:
    """Developer guide, "Amazon MQ for RabbitMQ": one endpoint for the cluster, no configuration by default."""
    answer = amazon.describe(
        amazon.running(
            EngineType="RABBITMQ",
            EngineVersion="3.13",
            DeploymentMode="CLUSTER_MULTI_AZ",
            HostInstanceType="mq.m7g.large",
        )
    )
    assert answer["EngineType"] == "RabbitMQ"
    assert answer["BrokerInstances"][0]["Endpoints"] == [
        f"amqps://{answer['BrokerId']}.mq.us-east-2.amazonaws.com:5671"
    ]
    assert "Current" not in answer["Configurations"]


def test_the_version_that_is_shown_may_have_a_patch_level(amazon: Amazon) -> None:
    """hashicorp/terraform-provider-aws#38708 for 5.18; recorded (maintenance.json): 5.19 is shown as it is."""
    assert amazon.describe(amazon.running())["EngineVersion"] == "5.18.4"
    assert amazon.describe(amazon.running(EngineVersion="5.19"))["EngineVersion"] == "5.19"


def test_what_the_target_listens_on_is_what_it_tells(mq: Any, fake: FakePair) -> None:
    fake.go.set()
    create(mq)
    wait_state(mq, "RUNNING")
    two, one = mq.describe_broker(BrokerId=plan.BROKER_ID)["BrokerInstances"]
    assert (one["IpAddress"], two["IpAddress"]) == ("one.invalid", "two.invalid")
    assert f"ssl://{plan.instance_name(1)}:{plan.OPENWIRE_TLS}" in one["Endpoints"]
    assert f"ssl://{plan.instance_name(2)}:{plan.OPENWIRE_TLS}" in two["Endpoints"]


# -- the real pair -----------------------------------------------------------------------------------------------------


def test_a_reboot_makes_two_failovers_and_ends_where_it_began(tmp_path: Path) -> None:
    """jasonrbriggs/stomp.py#364; developer guide, "Maintaining a broker": one instance at a time."""
    told: list[str] = []
    one, two = FakeHost("one", told, tmp_path), FakeHost("two", told, tmp_path)

    def configure(index: int, settings: Settings) -> None:
        assert settings is SETTINGS
        told.append(f"configure {('one', 'two')[index]}")

    store = FakeStore(
        [one, two], ["one", "two"], [one.log, two.log], configure, listeners={"ssl": plan.OPENWIRE_TLS}, between=0.05
    )
    store.up(SETTINGS)
    assert store.active() is one
    assert told == ["configure one", "start one", "configure two", "start two"]
    told.clear()
    store.reboot(SETTINGS)
    assert store.active() is one
    # The second is only stopped when the first is back, and each starts with its new configuration.
    assert told == ["stop one", "configure one", "start one", "stop two", "configure two", "start two"]
    assert store.settings is SETTINGS
    store.down()
    assert told[-2:] == ["stop two", "stop one"]


def test_an_instance_that_does_not_come_back_ends_the_reboot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    one, two = FakeHost("one", told, tmp_path), FakeHost("two", told, tmp_path)
    store = FakeStore([one, two], ["one", "two"], [one.log, two.log], lambda *dummy: None, listeners={}, between=0)
    store.up(SETTINGS)
    monkeypatch.setattr(pair, "STANDBY", "never said")
    monkeypatch.setattr(shell, "wait_for", _at_once)
    told.clear()
    with pytest.raises(shell.LabError, match="the return of one as standby"):
        store.reboot(SETTINGS)
    assert "stop two" not in told, "the pair would have no instance left"


def _at_once(condition: Any, timeout: float, what: str, **dummy: Any) -> None:
    if not condition():
        raise shell.LabError(what)
