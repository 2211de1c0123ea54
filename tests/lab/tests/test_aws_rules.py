# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's AWS API: what it refuses, what it offers, and its pages. Tests name the source of what they ask.

Where none is named it is the API model's documentation of the parameter (botocore, mq 2017-11-27).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from lab.tests.conftest import Amazon

GOOD = "good-Passw0rd-lab"


def user(**options: Any) -> dict[str, Any]:
    return {"Username": "app", "Password": GOOD, **options}


@pytest.mark.parametrize(
    ("options", "attribute"),
    [
        ({"BrokerName": "with space"}, "brokerName"),
        ({"BrokerName": "x" * 51}, "brokerName"),
        ({"BrokerName": "with.dot"}, "brokerName"),
        ({"DeploymentMode": "CLUSTER_MULTI_AZ"}, "deploymentMode"),
        ({"EngineType": "KAFKA"}, "engineType"),
        ({"HostInstanceType": "mq.m7g.large"}, "hostInstanceType"),
        ({"HostInstanceType": "m5.large"}, "hostInstanceType"),
        ({"SubnetIds": ["subnet-1"]}, "subnetIds"),
        ({"DeploymentMode": "SINGLE_INSTANCE", "SubnetIds": ["subnet-1", "subnet-2"]}, "subnetIds"),
        ({"SecurityGroups": [f"sg-{number}" for number in range(6)]}, "securityGroups"),
        ({"StorageType": "TAPE"}, "storageType"),
        ({"Users": []}, "users"),
        ({"Users": [user(), user()]}, "users"),
        ({"AuthenticationStrategy": "LDAP"}, "ldapServerMetadata"),
        ({"AuthenticationStrategy": "KERBEROS"}, "authenticationStrategy"),
        ({"MaintenanceWindowStartTime": {"DayOfWeek": "Sunday", "TimeOfDay": "00:00"}}, "maintenanceWindowStartTime"),
        ({"MaintenanceWindowStartTime": {"DayOfWeek": "SUNDAY", "TimeOfDay": "24:00"}}, "maintenanceWindowStartTime"),
        ({"Tags": {str(number): "" for number in range(51)}}, "tags"),
    ],
)
def test_a_broker_that_cannot_be_is_refused(amazon: Amazon, options: dict[str, Any], attribute: str) -> None:
    given = {
        "BrokerName": "refused",
        "DeploymentMode": "ACTIVE_STANDBY_MULTI_AZ",
        "EngineType": "ACTIVEMQ",
        "HostInstanceType": "mq.m5.large",
        "PubliclyAccessible": False,
        "Users": [user()],
    }
    assert amazon.error("create_broker", **(given | options))[:3] == (400, "BadRequestException", attribute)


def test_the_text_about_a_bad_name_is_amazons(amazon: Amazon) -> None:
    """Recorded: admission.json."""
    with pytest.raises(
        amazon.mq.exceptions.BadRequestException, match="Make sure your Broker name only contains valid"
    ):
        amazon.create(BrokerName="!")


@pytest.mark.parametrize("instance_type", ["mq.m5.large", "mq.t3.micro"])
def test_ebs_is_for_a_single_m5_only(amazon: Amazon, instance_type: str) -> None:
    """Developer guide, "Storage"."""
    with pytest.raises(amazon.mq.exceptions.BadRequestException, match="Storage type"):
        amazon.create(StorageType="EBS", HostInstanceType=instance_type)
    single = {"DeploymentMode": "SINGLE_INSTANCE", "StorageType": "EBS", "HostInstanceType": "mq.m5.large"}
    assert amazon.describe(amazon.create(**single))["StorageType"] == "ebs"


@pytest.mark.parametrize("version", ["5.18.4", "5.18.7", "5.17.6", "6.1"])
def test_a_version_that_is_not_offered_is_refused(amazon: Amazon, version: str) -> None:
    """Recorded: engine_version_admission.json; hashicorp/terraform-provider-aws#38708 for the one that is shown."""
    text = (
        f"Broker engine version [{version}] is invalid for broker engine type [ACTIVEMQ]. Valid values: [5.19, 5.18]."
    )
    wanted = (400, "BadRequestException", "engineVersion", text)
    assert amazon.error("create_configuration", Name="refused", EngineType="ACTIVEMQ", EngineVersion=version) == wanted
    assert amazon.error("update_broker", BrokerId=amazon.running(), EngineVersion=version) == wanted


def test_without_a_version_it_is_the_newest(amazon: Amazon) -> None:
    made = amazon.mq.create_configuration(Name="newest", EngineType="ACTIVEMQ")
    assert amazon.mq.describe_configuration(ConfigurationId=made["Id"])["EngineVersion"] == "5.19"


def test_minor_versions_are_upgraded_automatically(amazon: Amazon) -> None:
    """AutoMinorVersionUpgrade: true from 5.18 on; the text is that of hashicorp/terraform-provider-aws#42516."""
    with pytest.raises(amazon.mq.exceptions.BadRequestException, match=r"must have \[autoMinorVersionUpgrade\] set to"):
        amazon.create(AutoMinorVersionUpgrade=False)
    error = amazon.error("update_broker", BrokerId=amazon.running(), AutoMinorVersionUpgrade=False)
    assert error[2] == "autoMinorVersionUpgrade"


def test_a_broker_has_a_name_of_its_own_until_it_is_gone(amazon: Amazon) -> None:
    """API reference, Brokers: 409, "This broker name already exists"."""
    amazon.create(BrokerName="taken")
    with pytest.raises(amazon.mq.exceptions.ConflictException):
        amazon.create(BrokerName="taken")


def test_a_repeated_creation_with_one_request_id_makes_one_broker(amazon: Amazon) -> None:
    """CreatorRequestId: "idempotency"."""
    options = {"BrokerName": "once", "CreatorRequestId": "request-1"}
    assert amazon.create(**options) == amazon.create(**options)


@pytest.mark.parametrize(
    ("options", "attribute"),
    [
        ({"Username": "x"}, "username"),
        ({"Username": "with space"}, "username"),
        ({"Username": "x" * 101}, "username"),
        ({"Password": "short-Pw-11"}, "password"),
        ({"Password": "ababababababc"}, "password"),
        ({"Password": "with,comma-Passw0rd"}, "password"),
        ({"Password": "with:colon-Passw0rd"}, "password"),
        ({"Password": "with=equals-Passw0rd"}, "password"),
        ({"Groups": ["x"]}, "groups"),
        ({"Groups": [f"group-{number}" for number in range(21)]}, "groups"),
    ],
)
def test_a_user_that_cannot_be_is_refused(amazon: Amazon, options: dict[str, Any], attribute: str) -> None:
    broker_id = amazon.running()
    given = {"BrokerId": broker_id, **user(Username="new"), **options}
    assert amazon.error("create_user", **given)[:3] == (400, "BadRequestException", attribute)
    if "Username" not in options:
        error = amazon.error("update_user", BrokerId=broker_id, Username="app", **options)
        assert error[:3] == (400, "BadRequestException", attribute)


def test_what_is_not_there_is_not_found(amazon: Amazon) -> None:
    """Recorded: missing_resources.json."""
    missing = "c-18e9f54f-1976-46f3-9ca8-c352caad703d"
    text = f"Configuration ID [{missing}] can't be found. Make sure it exists."
    wanted = (404, "NotFoundException", "configuration-id", text)
    for operation in ("describe_configuration", "list_configuration_revisions", "delete_configuration"):
        assert amazon.error(operation, ConfigurationId=missing) == wanted
    assert amazon.error("update_configuration", ConfigurationId=missing, Data="") == wanted
    assert amazon.error("update_broker", BrokerId=amazon.running(), Configuration={"Id": missing}) == wanted
    arn = "arn:aws:mq:us-east-2:123456789012:broker:missing:b-036f2562-afd9-437f-b172-d6e841b4af3a"
    for operation, more in (
        ("list_tags", {}),
        ("create_tags", {"Tags": {"a": "b"}}),
        ("delete_tags", {"TagKeys": ["a"]}),
    ):
        error = amazon.error(operation, ResourceArn=arn, **more)
        assert error == (404, "NotFoundException", None, "Resource was not found")
    broker_id = amazon.running()
    for operation in ("describe_user", "update_user", "delete_user"):
        assert amazon.error(operation, BrokerId=broker_id, Username="nobody")[:3] == (
            404,
            "NotFoundException",
            "username",
        )


def test_tags_are_set_and_removed(amazon: Amazon) -> None:
    arn = amazon.describe(amazon.running(Tags={"a": "1", "b": "2"}))["BrokerArn"]
    amazon.mq.create_tags(ResourceArn=arn, Tags={"b": "3", "c": "4"})
    amazon.mq.delete_tags(ResourceArn=arn, TagKeys=["a", "c"])
    assert amazon.mq.list_tags(ResourceArn=arn)["Tags"] == {"b": "3"}


def test_engines_and_instances_are_offered(amazon: Amazon) -> None:
    """Recorded: pagination_defaults.json (engine types). Developer guide: instance types, storage."""
    engines = amazon.mq.describe_broker_engine_types()
    assert engines["MaxResults"] == 20
    assert "NextToken" not in engines
    (activemq, dummy) = engines["BrokerEngineTypes"]
    assert activemq == {"EngineType": "ACTIVEMQ", "EngineVersions": [{"Name": "5.19"}, {"Name": "5.18"}]}
    options = amazon.mq.describe_broker_instance_options(EngineType="ACTIVEMQ", HostInstanceType="mq.m5.large")
    found = {item["StorageType"]: item for item in options["BrokerInstanceOptions"]}
    assert found["EFS"]["SupportedDeploymentModes"] == ["SINGLE_INSTANCE", "ACTIVE_STANDBY_MULTI_AZ"]
    assert found["EBS"]["SupportedDeploymentModes"] == ["SINGLE_INSTANCE"]
    assert found["EFS"]["SupportedEngineVersions"] == ["5.19", "5.18"]
    assert found["EFS"]["AvailabilityZones"][0] == {"Name": "us-east-2a"}
    assert "NextToken" not in options
    first = amazon.mq.describe_broker_instance_options(MaxResults=5)
    second = amazon.mq.describe_broker_instance_options(MaxResults=100, NextToken=first["NextToken"])
    assert "NextToken" not in second


def test_promotion_is_for_replicas_only(amazon: Amazon) -> None:
    """Developer guide, "Amazon MQ cross-Region data replication". Stock moto has no such operation."""
    assert amazon.error("promote", BrokerId=amazon.running(), Mode="FAILOVER")[0] == 400


# -- pages -------------------------------------------------------------------------------------------------------------


def test_brokers_come_in_pages(amazon: Amazon) -> None:
    """ListBrokers: 20 by default, MaxResults from 5 to 100. Stock moto has one page."""
    made = {amazon.create() for dummy in range(21)}
    first = amazon.mq.list_brokers()
    assert len(first["BrokerSummaries"]) == 20
    pages = list(amazon.mq.get_paginator("list_brokers").paginate(PaginationConfig={"PageSize": 5}))
    found = [summary["BrokerId"] for page in pages for summary in page["BrokerSummaries"]]
    assert made <= set(found)
    assert len(found) == len(set(found))
    assert len(pages[0]["BrokerSummaries"]) == 5
    assert set(first["BrokerSummaries"][0]) == {
        "BrokerArn",
        "BrokerId",
        "BrokerName",
        "BrokerState",
        "Created",
        "DeploymentMode",
        "EngineType",
        "HostInstanceType",
    }


def test_a_page_that_has_entries_has_a_token_and_later_entries_come_on_the_next(amazon: Amazon) -> None:
    """Recorded: configuration_revisions.json, configuration_revision_boundaries.json; pages of users alike."""
    broker_id = amazon.running(Users=[user(Username=f"user-{number}") for number in range(7)])
    first = amazon.mq.list_users(BrokerId=broker_id, MaxResults=5)
    assert (first["BrokerId"], first["MaxResults"], len(first["Users"])) == (broker_id, 5, 5)
    amazon.mq.create_user(BrokerId=broker_id, **user(Username="user-7"))
    second = amazon.mq.list_users(BrokerId=broker_id, MaxResults=5, NextToken=first["NextToken"])
    assert [item["Username"] for item in second["Users"]] == ["user-5", "user-6", "user-7"]
    last = amazon.mq.list_users(BrokerId=broker_id, MaxResults=5, NextToken=second["NextToken"])
    assert last["Users"] == []
    assert "NextToken" not in last


@pytest.mark.parametrize("size", [1, 4, 101])
def test_a_page_has_5_to_100_entries(amazon: Amazon, size: int) -> None:
    """Recorded: configuration_revisions.json."""
    text = f"Invalid max results value [{size}]. Specify an integer between [5] and [100]."
    assert amazon.error("list_brokers", MaxResults=size) == (400, "BadRequestException", "maxResults", text)


@pytest.mark.parametrize("token", ["invalid", "bnVsbA==", "WzFd"])
def test_a_token_that_nobody_gave_is_refused(amazon: Amazon, token: str) -> None:
    """Recorded: configuration_revisions.json."""
    text = f"Invalid next token [{token}]. Make sure you copied the token correctly."
    assert amazon.error("list_configurations", NextToken=token) == (400, "BadRequestException", "nextToken", text)
