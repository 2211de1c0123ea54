# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Amazon MQ API offers, and what it refuses.

Where no source is named, it is the API model (botocore, mq 2017-11-27): its documentation of the parameter. Texts of
errors are recorded where that is said, else the lab's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lab.aws.errors import bad_request

#: What DescribeBrokerEngineTypes answers (recorded: pagination_defaults.json, and engine_version_admission.json for the
#: order in the error).
ENGINES: Mapping[str, Sequence[str]] = {"ACTIVEMQ": ("5.19", "5.18"), "RABBITMQ": ("4.3", "4.2", "3.13")}
#: How a broker and a configuration spell their engine (recorded); requests are taken in any case, as by Terraform's
#: provider, which sends ActiveMQ.
SPELLINGS = {"ACTIVEMQ": "ActiveMQ", "RABBITMQ": "RabbitMQ"}
_MODES = {
    "ACTIVEMQ": ("SINGLE_INSTANCE", "ACTIVE_STANDBY_MULTI_AZ"),
    "RABBITMQ": ("SINGLE_INSTANCE", "CLUSTER_MULTI_AZ"),
}
#: Developer guide, "Amazon MQ for ActiveMQ instance types" and "Upgrading an instance type" (m7g is for RabbitMQ).
INSTANCE_TYPES: Mapping[str, Sequence[str]] = {
    "ACTIVEMQ": (
        "mq.t2.micro",
        "mq.t3.micro",
        "mq.m4.large",
        "mq.m5.large",
        "mq.m5.xlarge",
        "mq.m5.2xlarge",
        "mq.m5.4xlarge",
    ),
    "RABBITMQ": ("mq.t3.micro", "mq.m7g.medium", "mq.m7g.large", "mq.m7g.xlarge"),
}
#: Developer guide, "Broker architecture: Active/standby" and API model, SubnetIds.
SUBNETS = {"SINGLE_INSTANCE": 1, "ACTIVE_STANDBY_MULTI_AZ": 2}
_STRATEGIES = ("SIMPLE", "LDAP")
_DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")

_BROKER_NAME = re.compile(r"[A-Za-z0-9_-]{1,50}")
_NAME = re.compile(r"[A-Za-z0-9._~-]{2,100}")
_CONFIGURATION_NAME = re.compile(r"[A-Za-z0-9._~-]{1,150}")
#: Developer guide, "Quotas in Amazon MQ".
MAX_USERS, MAX_REVISIONS, MAX_SECURITY_GROUPS, MAX_TAGS = 250, 300, 5, 50
_MAX_GROUPS = 20
_PASSWORD_LENGTH, _PASSWORD_DISTINCT, _PASSWORD_FORBIDDEN = 12, 4, ",:="


def engine(name: str) -> str:
    """The engine's name in capitals. Raises ApiError for an unknown one."""
    if name.upper() not in ENGINES:
        raise bad_request(
            f"Broker engine type [{name}] is invalid. Valid values: [{', '.join(ENGINES)}].", "engineType"
        )
    return name.upper()


def engine_version(engine_type: str, version: str | None) -> str:
    """The version that is meant: the newest when none is given. Raises ApiError for one that is not offered.

    Only X.Y is offered, and a patch level refused, also the one that DescribeBroker shows (recorded:
    engine_version_admission.json; hashicorp/terraform-provider-aws#38708).
    """
    offered = ENGINES[engine_type]
    if version is not None and version not in offered:
        raise bad_request(
            f"Broker engine version [{version}] is invalid for broker engine type [{engine_type}]. "
            f"Valid values: [{', '.join(offered)}].",
            "engineVersion",
        )
    return version or offered[0]


def storage_type(engine_type: str, mode: str, instance_type: str, asked: str | None) -> str:
    """The storage type, EFS for ActiveMQ by default (recorded). Raises ApiError for one that cannot be.

    Developer guide, "Storage": EBS with mq.m5 and a single instance only.
    """
    chosen = (asked or ("EFS" if engine_type == "ACTIVEMQ" else "EBS")).upper()
    if chosen not in {"EBS", "EFS"}:
        raise bad_request(f"Storage type [{asked}] is invalid. Valid values: [EBS, EFS].", "storageType")
    if chosen not in storages(engine_type, instance_type) or (
        engine_type == "ACTIVEMQ" and chosen == "EBS" and mode != "SINGLE_INSTANCE"
    ):
        raise bad_request(
            f"Storage type [{chosen}] is not supported for deployment mode [{mode}] with [{instance_type}].",
            "storageType",
        )
    return chosen


def storages(engine_type: str, instance_type: str) -> Sequence[str]:
    """The storage types of an instance type (developer guide, "Storage")."""
    if engine_type == "RABBITMQ":
        return ("EBS",)
    return ("EBS", "EFS") if instance_type.startswith("mq.m5.") else ("EFS",)


def instance_options(region: str) -> list[dict[str, Any]]:
    """What DescribeBrokerInstanceOptions answers: one entry for each instance type and storage type."""
    return [
        {
            "AvailabilityZones": [{"Name": f"{region}{letter}"} for letter in "abc"],
            "EngineType": engine_type,
            "HostInstanceType": instance_type,
            "StorageType": storage,
            "SupportedDeploymentModes": [
                mode
                for mode in _MODES[engine_type]
                if engine_type == "RABBITMQ" or storage == "EFS" or mode == "SINGLE_INSTANCE"
            ],
            "SupportedEngineVersions": list(ENGINES[engine_type]),
        }
        for engine_type, instance_types in INSTANCE_TYPES.items()
        for instance_type in instance_types
        for storage in storages(engine_type, instance_type)
    ]


def check_new_broker(request: Mapping[str, Any], engine_type: str, version: str) -> None:
    """Refuse a CreateBroker that cannot be. Raises ApiError."""
    if not _BROKER_NAME.fullmatch(request["BrokerName"]):
        # Recorded: admission.json.
        raise bad_request("Make sure your Broker name only contains valid characters.", "brokerName")
    mode = request["DeploymentMode"]
    if mode not in _MODES[engine_type]:
        raise bad_request(
            f"Deployment mode [{mode}] is invalid for broker engine type [{engine_type}]. "
            f"Valid values: [{', '.join(_MODES[engine_type])}].",
            "deploymentMode",
        )
    subnets = request.get("SubnetIds")
    if subnets and mode in SUBNETS and len(subnets) != SUBNETS[mode]:
        raise bad_request(
            f"[{len(subnets)}] subnets for deployment mode [{mode}]: specify {SUBNETS[mode]}.", "subnetIds"
        )
    users = request.get("Users") or []
    if str(request.get("AuthenticationStrategy", "SIMPLE")).upper() == "SIMPLE" and not users:
        raise bad_request("Specify at least one user.", "users")
    names = [user["Username"] for user in users]
    if len(set(names)) != len(names):
        raise bad_request("A user is named twice.", "users")
    for user in users:
        check_user(user["Username"], user)
    check_broker(request, engine_type)
    check_minor_upgrade(engine_type, version, request.get("AutoMinorVersionUpgrade", True))
    check_tags(request.get("Tags") or {})


def check_broker(request: Mapping[str, Any], engine_type: str) -> None:
    """Refuse parameters that CreateBroker and UpdateBroker share. Raises ApiError."""
    instance_type = request.get("HostInstanceType")
    if instance_type is not None and instance_type not in INSTANCE_TYPES[engine_type]:
        raise bad_request(
            f"Broker instance type [{instance_type}] is invalid for broker engine type [{engine_type}]. "
            f"Valid values: [{', '.join(INSTANCE_TYPES[engine_type])}].",
            "hostInstanceType",
        )
    strategy = request.get("AuthenticationStrategy")
    if strategy is not None and strategy.upper() not in _STRATEGIES:
        raise bad_request(f"Authentication strategy [{strategy}] is invalid.", "authenticationStrategy")
    if strategy is not None and strategy.upper() == "LDAP" and not request.get("LdapServerMetadata"):
        raise bad_request("Specify LDAP server metadata.", "ldapServerMetadata")
    if len(request.get("SecurityGroups") or []) > MAX_SECURITY_GROUPS:
        raise bad_request(f"Specify at most {MAX_SECURITY_GROUPS} security groups.", "securityGroups")
    window = request.get("MaintenanceWindowStartTime")
    if window is not None:
        if window["DayOfWeek"] not in _DAYS:
            raise bad_request(f"Day of week [{window['DayOfWeek']}] is invalid.", "maintenanceWindowStartTime")
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", window["TimeOfDay"]):
            raise bad_request(f"Time of day [{window['TimeOfDay']}] is invalid.", "maintenanceWindowStartTime")


def check_minor_upgrade(engine_type: str, version: str, enabled: bool) -> None:
    """Brokers of ActiveMQ 5.18 and RabbitMQ 3.13 and above have to be upgraded automatically. Raises ApiError.

    The text is that of hashicorp/terraform-provider-aws#42516.
    """
    since = {"ACTIVEMQ": (5, 18), "RABBITMQ": (3, 13)}[engine_type]
    if not enabled and tuple(int(part) for part in version.split(".")[:2]) >= since:
        raise bad_request(
            f"Brokers on [{SPELLINGS[engine_type]}] version [{version}] must have [autoMinorVersionUpgrade] set to "
            "[true].",
            "autoMinorVersionUpgrade",
        )


def check_user(name: str, request: Mapping[str, Any]) -> None:
    """Refuse a user that cannot be; a password is judged when there is one. Raises ApiError."""
    if not _NAME.fullmatch(name):
        raise bad_request("A username has 2-100 letters, digits and the characters - . _ ~.", "username")
    password = request.get("Password")
    if password is not None and (
        len(password) < _PASSWORD_LENGTH
        or len(set(password)) < _PASSWORD_DISTINCT
        or set(password) & set(_PASSWORD_FORBIDDEN)
    ):
        raise bad_request(
            f"A password has at least {_PASSWORD_LENGTH} characters, {_PASSWORD_DISTINCT} of them different, and none "
            f"of {_PASSWORD_FORBIDDEN}",
            "password",
        )
    groups = request.get("Groups") or []
    if len(groups) > _MAX_GROUPS or not all(_NAME.fullmatch(group) for group in groups):
        raise bad_request(
            f"A user is in at most {_MAX_GROUPS} groups, each of 2-100 letters, digits and the characters - . _ ~.",
            "groups",
        )


def check_configuration_name(name: str) -> None:
    """Refuse a name of a configuration that cannot be. Raises ApiError."""
    if not _CONFIGURATION_NAME.fullmatch(name):
        raise bad_request("A name has 1-150 letters, digits and the characters - . _ ~.", "name")


def check_tags(tags: Mapping[str, str] | Iterable[str]) -> None:
    """Refuse more tags than a resource may have. Raises ApiError."""
    if len(list(tags)) > MAX_TAGS:
        raise bad_request(f"A resource has at most {MAX_TAGS} tags.", "tags")
