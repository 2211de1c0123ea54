# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""What has to be done so that a broker is as wanted: a pure function of the options and the answer of DescribeBroker.

UpdateBroker takes some attributes at once, stages others until the next reboot or maintenance window, and cannot change
the rest; that is told apart here, before anything is called. Sources: the API model (botocore, mq 2017-11-27,
UpdateBrokerRequest and the Pending members of DescribeBrokerResponse), and for what is taken at once
hashicorp/terraform-provider-aws#36506, #37797 (maintenance window, automatic upgrade) and #10442 (security groups).

Values are compared in a normal form: lists as sets, engine versions by X.Y (AWS shows 5.18.4 for 5.18,
hashicorp/terraform-provider-aws#38708), the API's words in any case. Of a dictionary only what the user gave counts.
Passwords cannot be compared and are in neither form nor diff.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._amazon_mq import pending_changes, snake
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._mq_rules import version_of

Options = Mapping[str, Any]
Answer = Mapping[str, Any]

# Options by what UpdateBroker does with them, and their names in the API.
IMMEDIATE = {
    "auto_minor_version_upgrade": "AutoMinorVersionUpgrade",
    "maintenance_window_start_time": "MaintenanceWindowStartTime",
    "security_groups": "SecurityGroups",
}
PENDING = {
    "authentication_strategy": "AuthenticationStrategy",
    "configuration": "Configuration",
    "data_replication_mode": "DataReplicationMode",
    "engine_version": "EngineVersion",
    "host_instance_type": "HostInstanceType",
    "ldap_server_metadata": "LdapServerMetadata",
    "logs": "Logs",
    "storage_size": "StorageSize",
}
IMPOSSIBLE = {
    "broker_name": "BrokerName",
    "data_replication_primary_broker_arn": "DataReplicationPrimaryBrokerArn",
    "deployment_mode": "DeploymentMode",
    "encryption_options": "EncryptionOptions",
    "publicly_accessible": "PubliclyAccessible",
    "storage_type": "StorageType",
    "subnet_ids": "SubnetIds",
}
#: Only CreateBroker takes these, and they are not compared.
ONLY_AT_CREATION = ("creator_request_id", "users")
_ALL = {**IMMEDIATE, **PENDING, **IMPOSSIBLE}

_WORDS = ("authentication_strategy", "data_replication_mode", "deployment_mode", "storage_type", "day_of_week")
_SECRETS = ("password", "service_account_password")


class Impossible(NamedTuple):
    """A change that Amazon MQ cannot make."""

    name: str
    current: Any
    wanted: Any
    reason: str

    def __str__(self) -> str:
        return f"{self.name} from {self.current} to {self.wanted} ({self.reason})"


class Plan(NamedTuple):
    """What to do. Names are those of the options.

    ``create`` and ``update`` are requests of the API. ``staged`` is what was already staged as wanted, ``waiting``
    everything that waits for a reboot once the plan is carried out, whoever staged it.
    """

    create: dict[str, Any]
    update: dict[str, Any]
    set_tags: dict[str, str]
    unset_tags: list[str]
    immediate: list[str]
    pending: list[str]
    staged: list[str]
    impossible: list[Impossible]
    waiting: list[str]
    before: dict[str, Any]
    after: dict[str, Any]

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.create or self.update or self.set_tags or self.unset_tags)


def plan(wanted: Options, answer: Answer | None) -> Plan:
    """The plan for the options, None for those not given, and what DescribeBroker answers, None for no broker."""
    given = {name: value for name, value in wanted.items() if value is not None}
    return _creation(given) if answer is None else _change(given, answer)


def in_force(answer: Answer) -> dict[str, Any]:
    """What the broker has now, in the options' names and normal form."""
    values = {name: answer.get(key) for name, key in _ALL.items()}
    values["configuration"] = (answer.get("Configurations") or {}).get("Current")
    values["data_replication_mode"] = values["data_replication_mode"] or "NONE"
    values["authentication_strategy"] = values["authentication_strategy"] or "SIMPLE"
    values["data_replication_primary_broker_arn"] = _primary(answer)
    return {name: normal(name, snake(value)) for name, value in values.items()}


def staged(answer: Answer) -> dict[str, Any]:
    """What the next reboot makes of it, only what changes then."""
    return {
        change["name"]: normal(change["name"], change["pending"])
        for change in pending_changes(answer)
        if change["name"] in _ALL
    }


def planned(answer: Answer) -> dict[str, Any]:
    """What the broker has after its next reboot."""
    now, then = in_force(answer), staged(answer)
    merged = {**now, **then}
    if "logs" in then:
        merged["logs"] = {**(now["logs"] or {}), **then["logs"]}
    return merged


def normal(name: str, value: Any) -> Any:
    """A value as it is compared and shown: without secrets, and without what was not given."""
    if isinstance(value, Mapping):
        return {key: normal(key, inner) for key, inner in value.items() if inner is not None and key not in _SECRETS}
    if isinstance(value, (list, tuple)):
        items = [normal("", item) for item in value]
        return sorted(set(items)) if all(isinstance(item, str) for item in items) else items
    if name == "engine_version" and version_of(value) is not None:
        return "{}.{}".format(*(version_of(value) or ()))
    if name == "data_replication_primary_broker_arn" and isinstance(value, str):
        return value.rpartition(":")[2]  # DescribeBroker tells the id, with which the ARN ends
    return value.upper() if name in _WORDS and isinstance(value, str) else value


def same(wanted: Any, found: Any) -> bool:
    """Whether a broker has what is wanted. Both are in normal form; of a dictionary the wanted keys count."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            _same_key(value, found.get(key)) if key == "kms_key_id" else value == found.get(key)
            for key, value in wanted.items()
        )
    return bool(wanted == found)


def tag_changes(current: Mapping[str, str], wanted: Options | None, purge: bool) -> tuple[dict[str, str], list[str]]:
    """The tags to set and the keys to remove, by the rules of amazon.aws: None changes nothing, aws: stays."""
    if wanted is None:
        return {}, []
    texts = {str(key): str(value) for key, value in wanted.items()}
    to_set = {key: value for key, value in texts.items() if current.get(key) != value}
    to_unset = [key for key in sorted(current) if purge and key not in texts and not key.startswith("aws:")]
    return to_set, to_unset


def _creation(given: Options) -> Plan:
    names = [name for name in given if name in _ALL]
    request: dict[str, Any] = {"EngineType": "ACTIVEMQ", "PubliclyAccessible": False}
    request.update({_ALL[name]: _api_value(name, given[name], {}) for name in names})
    if "creator_request_id" in given:
        request["CreatorRequestId"] = given["creator_request_id"]
    if given.get("users"):
        request["Users"] = [_camel(user) for user in given["users"]]
    if given.get("tags"):
        request["Tags"] = {str(key): str(value) for key, value in given["tags"].items()}
    after = {name: normal(name, given[name]) for name in (*names, "users", "tags") if name in given}
    return Plan(request, {}, {}, [], [], [], [], [], [], {}, after)


def _change(given: Options, answer: Answer) -> Plan:
    now, then = in_force(answer), staged(answer)
    target = planned(answer)
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    update: dict[str, Any] = {}
    changed: list[str] = []
    already: list[str] = []
    withdrawn: list[str] = []
    impossible: list[Impossible] = []
    for name, key in _ALL.items():
        if name not in given:
            continue
        wanted = normal(name, given[name])
        before[name], after[name] = _part(wanted, target[name]), wanted
        if same(wanted, target[name]):
            if name in then:
                already.append(name)
        elif name in IMPOSSIBLE:
            impossible.append(Impossible(name, before[name], wanted, "it is fixed when a broker is created"))
        elif name == "engine_version" and (version_of(wanted) or (0, 0)) < (version_of(now[name]) or (0, 0)):
            impossible.append(Impossible(name, now[name], wanted, "an engine version cannot be lowered"))
        else:
            changed.append(name)
            update[key] = _api_value(name, given[name], target)
            if same(wanted, now[name]):
                withdrawn.append(name)
    to_set, to_unset = tag_changes(answer.get("Tags") or {}, given.get("tags"), given.get("purge_tags", True))
    if "tags" in given:
        tags = dict(answer.get("Tags") or {})
        before["tags"] = tags
        after["tags"] = {**{key: value for key, value in tags.items() if key not in to_unset}, **to_set}
    immediate = [name for name in changed if name in IMMEDIATE] + (["tags"] if to_set or to_unset else [])
    pending = [name for name in changed if name in PENDING]
    waiting = [change["name"] for change in pending_changes(answer) if change["name"] not in withdrawn]
    waiting += [name for name in pending if name not in waiting and name not in withdrawn]
    return Plan({}, update, to_set, to_unset, immediate, pending, already, impossible, sorted(waiting), before, after)


def _part(wanted: Any, found: Any) -> Any:
    """What a broker has of what is wanted."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        return {key: found.get(key) for key in wanted}
    return found


def _same_key(wanted: str, found: str | None) -> bool:
    """A KMS key is given by its id or ARN; DescribeBroker tells one of them."""
    return found is not None and wanted.rpartition("/")[2] == found.rpartition("/")[2]


def _primary(answer: Answer) -> str | None:
    """The id of the primary, of a broker that is a replica."""
    metadata = answer.get("DataReplicationMetadata") or {}
    counterpart = metadata.get("DataReplicationCounterpart") or {}
    if str(metadata.get("DataReplicationRole")).upper() != "REPLICA":
        return None
    return counterpart.get("BrokerId")


def _api_value(name: str, value: Any, target: Options) -> Any:
    """A value as the API takes it. What the user did not give of a dictionary is as it will be anyway."""
    if name == "engine_version":
        return normal(name, value)  # a patch level is refused
    if name in ("security_groups", "subnet_ids"):
        return sorted(set(value))
    if name == "logs":
        return _camel({**(target.get(name) or {}), **normal(name, value)}, ("general", "audit"))
    if name == "maintenance_window_start_time":
        zone = {"time_zone": (target.get(name) or {}).get("time_zone")}
        return _camel({**zone, **normal(name, value)})
    if name == "encryption_options":
        owned = value.get("use_aws_owned_key")
        return _camel({**value, "use_aws_owned_key": not value.get("kms_key_id") if owned is None else owned})
    return _camel(value) if isinstance(value, Mapping) else value


def _camel(value: Mapping[str, Any], only: tuple[str, ...] | None = None) -> dict[str, Any]:
    return {
        "".join(part.capitalize() for part in key.split("_")): inner
        for key, inner in value.items()
        if inner is not None and (only is None or key in only)
    }
