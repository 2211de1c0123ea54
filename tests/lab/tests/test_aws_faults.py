# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's AWS API: faults on purpose, the record of calls, other services, and serving it."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from lab import cli, shell
from lab.aws import calls, faults, serving
from lab.lab import Lab, Record

if TYPE_CHECKING:
    from lab.tests.conftest import Amazon


def test_throttling_is_as_amazons_gateway_has_it(amazon: Amazon) -> None:
    """Developer guide, "Quotas: API throttling": over all operations. For its look see lab.aws.model.write_error()."""
    faults.add(amazon.served.faults, "throttle", times=2)
    wanted = (429, "TooManyRequestsException", None, "Too Many Requests")
    assert amazon.error("list_brokers") == wanted
    assert amazon.error("describe_broker", BrokerId="b-x") == wanted
    amazon.mq.list_brokers()
    faults.add(amazon.served.faults, "throttle", code="ThrottlingException")
    assert amazon.error("list_brokers")[:2] == (400, "ThrottlingException")


def test_a_fault_is_for_one_operation_and_so_many_times(amazon: Amazon) -> None:
    faults.add(amazon.served.faults, "error", operation="ListUsers", times=0)
    amazon.mq.list_brokers()
    for dummy in range(3):
        assert amazon.error("list_users", BrokerId="b-x")[:2] == (500, "InternalServerErrorException")
    faults.clear(amazon.served.faults)
    assert amazon.error("list_users", BrokerId="b-x")[0] == 404


def test_an_answer_can_be_slow(amazon: Amazon) -> None:
    faults.add(amazon.served.faults, "slow", operation="ListBrokers", seconds=0.1)
    started = time.monotonic()
    amazon.mq.list_brokers()
    assert time.monotonic() - started >= 0.1


def test_a_creation_can_fail(amazon: Amazon) -> None:
    """API model, BrokerState: CREATION_FAILED."""
    faults.add(amazon.served.faults, "creation-failed", broker="doomed")
    amazon.running()
    broker_id = amazon.create(BrokerName="doomed")
    amazon.wait(broker_id, "CREATION_FAILED")
    assert amazon.describe(broker_id)["BrokerInstances"] == []


def test_a_broker_can_need_its_owner(amazon: Amazon) -> None:
    """Developer guide, "Broker statuses" and "Action required codes"; API model, ActionsRequired."""
    broker_id = amazon.running(BrokerName="needy")
    other = amazon.running()
    faults.add(amazon.served.faults, "critical", broker="needy", code="BROKER_OOM")
    for dummy in range(2):
        answer = amazon.describe(broker_id)
        assert answer["BrokerState"] == "CRITICAL_ACTION_REQUIRED"
        assert answer["ActionsRequired"][0]["ActionRequiredCode"] == "BROKER_OOM"
    assert amazon.error("reboot_broker", BrokerId=broker_id)[0] == 400
    assert amazon.describe(other)["BrokerState"] == "RUNNING"
    faults.clear(amazon.served.faults)
    assert amazon.describe(broker_id)["BrokerState"] == "RUNNING"


def test_a_reboot_can_never_begin(amazon: Amazon) -> None:
    broker_id = amazon.running()
    amazon.mq.create_user(BrokerId=broker_id, Username="new", Password="new-Passw0rd-lab")
    faults.add(amazon.served.faults, "reboot-ignored")
    amazon.mq.reboot_broker(BrokerId=broker_id)
    assert amazon.describe(broker_id)["BrokerState"] == "RUNNING"
    amazon.reboot(broker_id)  # the next one does, and applies what waited
    assert amazon.describe(broker_id)["Users"][1] == {"Username": "new"}


def test_a_reboot_can_hang(amazon: Amazon) -> None:
    broker_id = amazon.running()
    faults.add(amazon.served.faults, "reboot-hangs", seconds=0.1)
    amazon.mq.reboot_broker(BrokerId=broker_id)
    amazon.wait(broker_id, "REBOOT_IN_PROGRESS")
    started = time.monotonic()
    amazon.wait(broker_id, "RUNNING")
    assert time.monotonic() - started > 0.1


def test_a_damaged_file_of_faults_is_named_and_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "faults.json"
    path.write_text("[{}, broken")
    with pytest.raises(shell.LabError, match=r"faults\.json is damaged"):
        faults.read(path)
    faults.add(path, "error")
    assert [fault.kind for fault in faults.read(path)] == ["error"]
    with pytest.raises(shell.LabError, match="there is no fault fire of the AWS API; there are throttle"):
        faults.add(path, "fire")  # type: ignore[arg-type]  # what the test is about


def test_faults_are_taken_once_by_many_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "faults.json"
    faults.add(path, "error", times=20)
    taken: list[Any] = []

    def take() -> None:
        for dummy in range(10):
            taken.extend(faults.take(path, ("error",), operation="ListBrokers"))

    threads = [threading.Thread(target=take) for dummy in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert len(taken) == 20
    assert faults.read(path) == []


def test_the_command_line_sets_and_clears_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(shell, "RUN_FOLDER", str(tmp_path / "run-"))
    lab = Lab(tmp_path / "lab")
    lab.folder.mkdir()
    lab._write_record(Record("demo", "processes", "", "a", "b", 0.0))
    folder = ["--folder", str(lab.folder)]
    assert cli.main([*folder, "aws-fault", "throttle", "--operation", "ListBrokers", "--times", "3"]) == 0
    assert cli.main([*folder, "aws-fault", "reboot-hangs", "--seconds", "5", "--broker", "lab-target"]) == 0
    assert faults.read(lab.aws_faults) == [
        faults.Fault("throttle", "ListBrokers", times=3),
        faults.Fault("reboot-hangs", broker="lab-target", seconds=5),
    ]
    assert cli.main([*folder, "aws-fault", "clear"]) == 0
    assert faults.read(lab.aws_faults) == []


# -- the record of calls -----------------------------------------------------------------------------------------------


def test_each_call_is_on_record_as_a_policy_names_it(tmp_path: Path) -> None:
    """Service authorization reference: the prefix of monitoring is cloudwatch."""
    with serving(folder=tmp_path) as served:
        mq = served.client()
        before = time.time()
        mq.list_brokers()
        with pytest.raises(ClientError):
            mq.describe_user(BrokerId="b-x", Username="secret-name")
        faults.add(served.faults, "throttle", operation="ListTags")
        with pytest.raises(ClientError):
            mq.list_tags(ResourceArn="arn:aws:mq:us-east-2:123456789012:broker:x:b-x")
        served.client("cloudwatch").list_metrics(Namespace="AWS/AmazonMQ")
        served.client("route53").list_hosted_zones()
        found = calls.read(served.calls)
    assert [(call.action, call.status) for call in found] == [
        ("mq:ListBrokers", 200),
        ("mq:DescribeUser", 404),
        ("mq:ListTags", 429),
        ("cloudwatch:ListMetrics", 200),
        ("route53:ListHostedZones", 200),
    ]
    assert before <= found[0].time <= time.time()
    assert "secret-name" not in served.calls.read_text()


@pytest.mark.parametrize(
    ("service", "environ", "body", "operation"),
    [
        ("secretsmanager", {"HTTP_X_AMZ_TARGET": "secretsmanager.ListSecrets"}, b"{}", "ListSecrets"),
        ("ec2", {"REQUEST_METHOD": "POST", "PATH_INFO": "/"}, b"Action=DescribeVpcs&Version=1", "DescribeVpcs"),
        ("sts", {"PATH_INFO": "/", "QUERY_STRING": "Action=GetCallerIdentity"}, b"", "GetCallerIdentity"),
        (
            "monitoring",
            {"PATH_INFO": "/service/GraniteServiceVersion20100801/operation/GetMetricData"},
            b"\xa0",
            "GetMetricData",
        ),
        (
            "route53",
            {"REQUEST_METHOD": "POST", "PATH_INFO": "/2013-04-01/hostedzone/Z1/rrset/"},
            b"<x/>",
            "ChangeResourceRecordSets",
        ),
        ("mq", {"REQUEST_METHOD": "PATCH", "PATH_INFO": "/v1/brokers"}, b"", "?"),
        ("no-service", {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, b"", "?"),
    ],
)
def test_an_operation_is_known_in_each_protocol(
    service: str, environ: dict[str, str], body: bytes, operation: str
) -> None:
    assert calls.operation_of(service, environ, body) == operation


def test_a_record_that_is_not_there_or_being_written(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    assert calls.read(path) == []
    calls.record(path, "mq", "ListBrokers", 200)
    with path.open("a") as stream:
        stream.write('{"service": "mq", "oper')
    assert [call.action for call in calls.read(path)] == ["mq:ListBrokers"]


# -- serving -----------------------------------------------------------------------------------------------------------


def test_two_servers_know_nothing_of_each_other() -> None:
    with serving() as one, serving() as two:
        one.client().create_configuration(Name="mine", EngineType="ACTIVEMQ")
        assert two.client().list_configurations()["Configurations"] == []


def test_regions_know_nothing_of_each_other(amazon: Amazon) -> None:
    amazon.create()
    assert amazon.served.client(region_name="eu-west-1").list_brokers()["BrokerSummaries"] == []


def test_what_moto_was_told_is_gone_with_the_server() -> None:
    data = [{"MetricName": "QueueSize", "Value": 1.0}]
    with serving() as served:
        served.client("cloudwatch").put_metric_data(Namespace="AWS/AmazonMQ", MetricData=data)
        assert served.client("cloudwatch").list_metrics()["Metrics"]
    with serving() as served:
        assert served.client("cloudwatch").list_metrics()["Metrics"] == []


def test_the_environment_leads_a_process_to_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as served:
        for key, value in served.environment.items():
            monkeypatch.setenv(key, value)
        assert boto3.session.Session().client("mq").list_brokers()["BrokerSummaries"] == []


def test_a_request_that_makes_no_sense_is_a_bad_one(amazon: Amazon) -> None:
    """API model: required members, types."""
    client = amazon.served.client(config=Config(parameter_validation=False, retries={"total_max_attempts": 1}))
    with pytest.raises(ClientError, match="Missing required parameter"):
        client.create_configuration(Name="x")
    with pytest.raises(ClientError, match="Invalid type for parameter EngineVersion"):
        client.create_configuration(Name="x", EngineType="ACTIVEMQ", EngineVersion=5.18)
