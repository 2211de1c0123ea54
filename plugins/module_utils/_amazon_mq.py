# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""What the Amazon MQ API says about a broker, in the collection's words. Pure transformations."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url import (
    FailoverUrlError,
    build,
    spring_properties,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._probe import Probe

# Schemes as DescribeBroker spells them, by protocol.
_PROTOCOLS = {"ssl": "openwire", "stomp+ssl": "stomp", "amqp+ssl": "amqp", "mqtt+ssl": "mqtt", "wss": "wss"}

# Client libraries with a list of brokers, and the protocol that they speak. Of the clients that take a plain list of
# hosts, stomp.py is the one this collection knows.
_DIALECTS = {
    "activemq": "openwire",
    "spring": "openwire",
    "nms": "openwire",
    "cms": "openwire",
    "qpid_jms": "amqp",
    "nms_amqp": "amqp",
    "host_list": "stomp",
}

# b-<uuid>-1.mq.<region>.amazonaws.com: the number tells the instances of a pair apart.
_INSTANCE = re.compile(r"^[^.]*-(\d+)\.")


class BrokerLookupError(Exception):
    """A name does not lead to exactly one broker."""


def broker_id_by_name(summaries: Iterable[Mapping[str, Any]], name: str) -> str | None:
    """The id behind a name, out of all pages of ListBrokers. None when nobody has it.

    :raises BrokerLookupError: when several brokers have it.
    """
    found = [str(summary["BrokerId"]) for summary in summaries if summary.get("BrokerName") == name]
    if len(found) > 1:
        raise BrokerLookupError(f"more than one broker is named {name!r}: {', '.join(sorted(found))}; use broker_id")
    return found[0] if found else None


def describe(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of DescribeBroker as ``broker_info`` returns it, without what a probe or a clock adds.

    Neither instances nor endpoints have a promised order, so instances are sorted by the number in their host name,
    and endpoints are chosen by scheme. Which instance is active is not told by the API: ``active`` is None. Words such
    as EFS are told in small or in capital letters; here they are in capitals, as the API takes them.

    :raises FailoverUrlError: when the OpenWire endpoints make no list of brokers.
    """
    instances = _instances(answer.get("BrokerInstances") or [])
    endpoints = {
        protocol: [url for instance in instances for url in instance["endpoints"].get(protocol, [])]
        for protocol in _PROTOCOLS.values()
    }
    logs = answer.get("Logs") or {}
    configurations = answer.get("Configurations") or {}
    created = answer.get("Created")
    return {
        "id": answer["BrokerId"],
        "arn": answer.get("BrokerArn"),
        "name": answer.get("BrokerName"),
        "state": answer.get("BrokerState"),
        "created": created.isoformat() if isinstance(created, datetime) else created,
        "engine_version": answer.get("EngineVersion"),
        "auto_minor_version_upgrade": answer.get("AutoMinorVersionUpgrade"),
        "deployment_mode": answer.get("DeploymentMode"),
        "host_instance_type": answer.get("HostInstanceType"),
        "storage_type": capital(answer.get("StorageType")),
        "storage_size": answer.get("StorageSize"),
        "publicly_accessible": answer.get("PubliclyAccessible"),
        "subnet_ids": sorted(answer.get("SubnetIds") or []),
        "security_groups": sorted(answer.get("SecurityGroups") or []),
        "authentication_strategy": capital(answer.get("AuthenticationStrategy")),
        "ldap_server_metadata": snake(answer.get("LdapServerMetadata")),
        "encryption_options": snake(answer.get("EncryptionOptions")),
        "data_replication_mode": capital(answer.get("DataReplicationMode")),
        "maintenance_window": snake(answer.get("MaintenanceWindowStartTime")),
        "logs": {key: value for key, value in snake(logs).items() if key != "pending"},
        "configuration": {name: snake(configurations.get(name.capitalize())) for name in ("current", "pending")},
        "users": [
            {"username": user.get("Username"), "pending_change": user.get("PendingChange")}
            for user in answer.get("Users") or []
        ],
        "tags": dict(answer.get("Tags") or {}),
        "instances": instances,
        "endpoints": endpoints,
        "failover_url": build(endpoints["openwire"]) if endpoints["openwire"] else None,
        "failover_urls": _failover_urls(endpoints),
        "active_instance": None,
        "pending": is_pending(answer),
        "pending_changes": pending_changes(answer),
        "actions_required": [
            {"code": action.get("ActionRequiredCode"), "info": action.get("ActionRequiredInfo")}
            for action in answer.get("ActionsRequired") or []
        ],
    }


def is_pending(answer: Mapping[str, Any]) -> bool:
    """Whether a change waits for the next reboot or maintenance window."""
    return bool(pending_changes(answer))


def pending_changes(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What waits for the next reboot or maintenance window: ``name``, the ``current`` value and the ``pending`` one.

    Users are one entry: the pending value is the kind of change by user name.
    """
    found = [
        (snake_name(key[len("Pending") :]), answer.get(key[len("Pending") :]), value)
        for key, value in sorted(answer.items())
        if key.startswith("Pending") and value not in (None, "", [], {})
    ]
    configurations, logs = answer.get("Configurations") or {}, answer.get("Logs") or {}
    if configurations.get("Pending"):
        found.append(("configuration", configurations.get("Current"), configurations["Pending"]))
    if logs.get("Pending"):
        found.append(("logs", {key: logs.get(key) for key in logs["Pending"]}, logs["Pending"]))
    changes = [{"name": name, "current": snake(now), "pending": snake(then)} for name, now, then in found]
    users = {user["Username"]: user["PendingChange"] for user in answer.get("Users") or [] if user.get("PendingChange")}
    if users:
        changes.append({"name": "users", "current": None, "pending": users})
    return changes


def pending_words(answer: Mapping[str, Any]) -> list[str]:
    """The changes that wait, each in a few words: ``engine_version pending 5.19``, ``user app pending CREATE``."""
    words: list[str] = []
    for change in pending_changes(answer):
        if change["name"] == "users":
            words += [f"user {name} pending {kind}" for name, kind in sorted(change["pending"].items())]
        else:
            words.append(f"{change['name']} pending {_short(change['pending'])}")
    return words


def capital(word: str | None) -> str | None:
    """A word of the API in capitals. Some are told in small letters, and taken in capitals."""
    return word.upper() if word else None


def snake(value: Any) -> Any:
    """A value of the API with its keys in snake_case. Not for tags, whose keys are the user's."""
    if isinstance(value, Mapping):
        return {snake_name(key): snake(inner) for key, inner in value.items()}
    return [snake(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def snake_name(key: str) -> str:
    """``HostInstanceType`` as ``host_instance_type``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", key).lower()


def with_activity(broker: Mapping[str, Any], look: Callable[[str], Probe]) -> dict[str, Any]:
    """The description with ``active`` and ``probe`` of each instance, and the number of the one that is active.

    ``look`` probes an OpenWire URL. No instance, or more than one, leaves ``active_instance`` None.
    """
    instances = []
    for instance in broker["instances"]:
        openwire = instance["endpoints"].get("openwire")
        seen = look(openwire[0]) if openwire else Probe(None, "there is no OpenWire endpoint")
        instances.append({**instance, "active": seen.active, "probe": seen.reason})
    active = [instance["index"] for instance in instances if instance["active"]]
    return {**broker, "instances": instances, "active_instance": active[0] if len(active) == 1 else None}


def _instances(answer: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    instances = []
    for position, instance in enumerate(answer, start=1):
        urls = sorted(instance.get("Endpoints") or [])
        endpoints: dict[str, list[str]] = {}
        for url in urls:
            protocol = _PROTOCOLS.get(urlsplit(url).scheme)
            if protocol is not None:
                endpoints.setdefault(protocol, []).append(url)
        instances.append(
            {
                "index": _index(urls, position),
                "console_url": instance.get("ConsoleURL"),
                "ip_address": instance.get("IpAddress"),
                "endpoints": endpoints,
                "active": None,
            }
        )
    return sorted(instances, key=lambda instance: int(instance["index"]))


def _failover_urls(endpoints: Mapping[str, list[str]]) -> dict[str, Any]:
    """The list of brokers by dialect, for those for which there are endpoints that make one."""
    found: dict[str, Any] = {}
    for dialect, protocol in _DIALECTS.items():
        try:
            if dialect == "spring":
                found[dialect] = spring_properties(endpoints[protocol])
            else:
                found[dialect] = build(endpoints[protocol], dialect)
        except FailoverUrlError:
            continue
    return found


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_short(inner)}" for key, inner in value.items() if inner is not None)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _index(urls: Iterable[str], position: int) -> int:
    for url in urls:
        found = _INSTANCE.match(urlsplit(url).hostname or "")
        if found:
            return int(found.group(1))
    return position
