# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""What Amazon MQ refuses, known before it is asked. Pure; options are those of the modules, None for one not given.

Each function returns sentences, one for each problem. No sentence holds a password. The sources are the API model
(botocore, mq 2017-11-27: the documentation of the parameter) where none is named, and the Amazon MQ developer guide
("guide").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Options = Mapping[str, Any]

# Guide, "Quotas": brokers, users, tags.
MAX_USERS = 250
MAX_SECURITY_GROUPS = 5
MAX_TAGS = 50
MAX_GROUPS = 20

SIMPLE, LDAP = "SIMPLE", "LDAP"
SINGLE_INSTANCE, ACTIVE_STANDBY = "SINGLE_INSTANCE", "ACTIVE_STANDBY_MULTI_AZ"
# CreateBroker, SubnetIds.
_SUBNETS = {SINGLE_INSTANCE: 1, ACTIVE_STANDBY: 2}

DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")

_BROKER_NAME = re.compile(r"[A-Za-z0-9_-]{1,50}", re.ASCII)
# Names of users and groups; the guide's "Quotas" has the same.
_NAME = re.compile(r"[A-Za-z0-9._~-]{2,100}", re.ASCII)
_VERSION = re.compile(r"[0-9]+\.[0-9]+(\.[0-9]+)?", re.ASCII)
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_INSTANCE_TYPE = re.compile(r"mq\.[a-z0-9]+\.[a-z0-9]+", re.ASCII)
_PASSWORD_LENGTH, _PASSWORD_DISTINCT, _PASSWORD_FORBIDDEN = 12, 4, ",:="
# Guide, "Storage": EBS is for mq.m5 only. Newer types are not judged here.
_WITHOUT_EBS = ("mq.t2.micro", "mq.t3.micro", "mq.m4.large")
_MINOR_UPGRADE_SINCE = (5, 18)
# Guide, "Cross-Region data replication": since 5.17.6; only X.Y is chosen.
_REPLICATION_SINCE = (5, 17)
# AWS general reference, "Tagging AWS resources": naming limits.
_TAG_KEY, _TAG_VALUE = 128, 256


def user_problems(username: str, password: str | None = None, groups: Sequence[str] | None = None) -> list[str]:
    """What is wrong with a user; a password is judged when there is one."""
    problems = []
    if not _NAME.fullmatch(username):
        problems.append(f"user name {username!r}: it has to have 2 to 100 of the characters A-Z a-z 0-9 - . _ ~")
    problems += password_problems(username, password)
    if groups is not None:
        if len(groups) > MAX_GROUPS:
            problems.append(f"user {username}: at most {MAX_GROUPS} groups are possible, {len(groups)} are given")
        problems += [
            f"user {username}: group {group!r} has to have 2 to 100 of the characters A-Z a-z 0-9 - . _ ~"
            for group in groups
            if not _NAME.fullmatch(group)
        ]
    return problems


def password_problems(username: str, password: str | None) -> list[str]:
    """What is wrong with a password; it is in no sentence."""
    if password is None:
        return []
    problems = []
    if len(password) < _PASSWORD_LENGTH:
        problems.append(f"user {username}: the password has to have at least {_PASSWORD_LENGTH} characters")
    if len(set(password)) < _PASSWORD_DISTINCT:
        problems.append(f"user {username}: the password has to have at least {_PASSWORD_DISTINCT} different characters")
    if set(password) & set(_PASSWORD_FORBIDDEN):
        problems.append(f"user {username}: the password must not contain a comma, a colon or an equal sign")
    return problems


def tag_problems(tags: Mapping[str, Any] | None) -> list[str]:
    """What is wrong with tags."""
    found = {str(key): str(value) for key, value in (tags or {}).items()}
    problems = []
    if len(found) > MAX_TAGS:
        problems.append(f"tags: at most {MAX_TAGS} are possible, {len(found)} are given")
    for key, value in found.items():
        if not 1 <= len(key) <= _TAG_KEY or len(value) > _TAG_VALUE:
            problems.append(
                f"tag {key[:_TAG_KEY]!r}: a key has 1 to {_TAG_KEY} characters, a value at most {_TAG_VALUE}"
            )
        if key.lower().startswith("aws:"):
            problems.append(f"tag {key!r}: keys that begin with aws: belong to AWS")
    return problems


def broker_problems(options: Options, planned: Options | None) -> list[str]:
    """What is wrong with a broker's options.

    ``planned`` is what an existing broker has or will have after its next reboot, in the words of the options; None
    for one that is to be created.
    """
    problems = [] if planned is not None else _missing_at_creation(options)
    problems += _problems_of_their_own(options)
    problems += _problems_together(options, {**(planned or {}), **_given(options)})
    if planned is None:
        problems += _users_at_creation(options)
    return problems + tag_problems(options.get("tags"))


def version_of(text: Any) -> tuple[int, int] | None:
    """X and Y of an engine version X.Y or X.Y.Z. None when it is none.

    Only X.Y is chosen: Amazon MQ chooses the patch (guide, "Managing engine versions").
    """
    if not isinstance(text, str) or not _VERSION.fullmatch(text):
        return None
    major, minor = text.split(".")[:2]
    return int(major), int(minor)


def _missing_at_creation(options: Options) -> list[str]:
    names = [name for name in ("broker_name", "deployment_mode", "host_instance_type") if not options.get(name)]
    return [f"to create a broker, {', '.join(names)} has to be given"] if names else []


def _problems_of_their_own(options: Options) -> list[str]:
    problems = []
    name, version = options.get("broker_name"), options.get("engine_version")
    if name is not None and not _BROKER_NAME.fullmatch(name):
        problems.append(f"broker_name {name!r}: it has to have 1 to 50 of the characters A-Z a-z 0-9 - _")
    if version is not None and version_of(version) is None:
        problems.append(f"engine_version {version!r}: it has to be a version such as 5.18")
    instance_type = options.get("host_instance_type")
    if instance_type is not None and not _INSTANCE_TYPE.fullmatch(instance_type):
        problems.append(f"host_instance_type {instance_type!r}: it has to be a type such as mq.m5.large")
    groups = options.get("security_groups")
    if groups is not None and not 1 <= len(set(groups)) <= MAX_SECURITY_GROUPS:
        problems.append(f"security_groups: 1 to {MAX_SECURITY_GROUPS} are possible, {len(set(groups))} are given")
    window = options.get("maintenance_window_start_time") or {}
    day, time_of_day = window.get("day_of_week"), window.get("time_of_day")
    if day is not None and day.upper() not in DAYS:
        problems.append(f"maintenance_window_start_time: day_of_week {day!r} has to be one of {', '.join(DAYS)}")
    if time_of_day is not None and not _TIME.fullmatch(time_of_day):
        problems.append(f"maintenance_window_start_time: time_of_day {time_of_day!r} has to be as in 04:30")
    encryption = options.get("encryption_options") or {}
    if encryption.get("kms_key_id") and encryption.get("use_aws_owned_key"):
        problems.append("encryption_options: kms_key_id and use_aws_owned_key exclude each other")
    size = options.get("storage_size")
    if size is not None and size < 1:
        problems.append(f"storage_size: {size} GB is no size")
    hosts = (options.get("ldap_server_metadata") or {}).get("hosts")
    if hosts is not None:
        # Guide, "Integrating ActiveMQ brokers with LDAP": the name only, Amazon MQ adds ldaps:// and :636.
        if not 1 <= len(hosts) <= 2:
            problems.append("ldap_server_metadata: hosts has to name a server, and at most another for failover")
        problems += [
            f"ldap_server_metadata: host {host!r} has to be a host name without protocol and port"
            for host in hosts
            if ":" in host or "/" in host or not host
        ]
    return problems


def _problems_together(options: Options, effective: Options) -> list[str]:
    """Problems of options that only show beside others; only those that the user gave are judged."""
    problems = []
    given = _given(options)
    mode, storage = effective.get("deployment_mode"), effective.get("storage_type")
    subnets = given.get("subnet_ids")
    if subnets is not None and mode in _SUBNETS and len(set(subnets)) != _SUBNETS[mode]:
        problems.append(f"subnet_ids: {mode} takes {_SUBNETS[mode]}, {len(set(subnets))} are given")
    if storage == "EBS" and "storage_type" in given and mode == ACTIVE_STANDBY:
        # Guide, "Storage".
        problems.append(f"storage_type: EBS is for {SINGLE_INSTANCE} only, {ACTIVE_STANDBY} shares EFS")
    if storage == "EBS" and effective.get("host_instance_type") in _WITHOUT_EBS:
        problems.append(f"storage_type: EBS is not possible with {effective['host_instance_type']}")
    version = version_of(effective.get("engine_version"))
    judged = "auto_minor_version_upgrade" in given or "engine_version" in given
    if judged and effective.get("auto_minor_version_upgrade") is False and (version or (0, 0)) >= _MINOR_UPGRADE_SINCE:
        problems.append("auto_minor_version_upgrade: it has to be true for ActiveMQ 5.18 and newer")
    if given.get("authentication_strategy") == LDAP and not effective.get("ldap_server_metadata"):
        problems.append("authentication_strategy: LDAP needs ldap_server_metadata")
    if "ldap_server_metadata" in given and (effective.get("authentication_strategy") or SIMPLE) != LDAP:
        problems.append("ldap_server_metadata: it needs the authentication_strategy LDAP")
    return problems + _replication_problems(given, effective, version)


def _replication_problems(given: Options, effective: Options, version: tuple[int, int] | None) -> list[str]:
    """Guide, "Cross-Region data replication"."""
    problems = []
    if given.get("data_replication_mode") == "CRDR":
        if effective.get("deployment_mode") not in (None, ACTIVE_STANDBY):
            problems.append(f"data_replication_mode: CRDR is for {ACTIVE_STANDBY} only")
        if version is not None and version < _REPLICATION_SINCE:
            problems.append("data_replication_mode: CRDR needs ActiveMQ 5.17 or newer")
    if "data_replication_primary_broker_arn" in given and effective.get("data_replication_mode") != "CRDR":
        problems.append("data_replication_primary_broker_arn: it needs the data_replication_mode CRDR")
    return problems


def _users_at_creation(options: Options) -> list[str]:
    users: Iterable[Options] = options.get("users") or []
    names = [user["username"] for user in users]
    problems = []
    for user in users:
        problems += user_problems(user["username"], user.get("password"), user.get("groups"))
    problems += [
        f"user {name}: it is given twice" for name in sorted({name for name in names if names.count(name) > 1})
    ]
    if len(names) > MAX_USERS:
        problems.append(f"users: at most {MAX_USERS} are possible, {len(names)} are given")
    replica = options.get("data_replication_primary_broker_arn")
    if not names and (options.get("authentication_strategy") or SIMPLE) == SIMPLE and not replica:
        # Nobody could log in before a user is made and the broker rebooted; there is no default user here.
        problems.append("users: to create a broker with SIMPLE authentication, at least one has to be given")
    return problems


def _given(options: Options) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
