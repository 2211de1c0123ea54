# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""What the Amazon MQ API says about a broker, in the collection's words. Pure transformations."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url import build
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._probe import Probe

# Schemes as DescribeBroker spells them, by protocol.
_PROTOCOLS = {"ssl": "openwire", "stomp+ssl": "stomp", "amqp+ssl": "amqp", "mqtt+ssl": "mqtt", "wss": "wss"}

# b-<uuid>-1.mq.<region>.amazonaws.com: the number tells the instances of a pair apart.
_INSTANCE = re.compile(r"^[^.]*-(\d+)\.")


class BrokerLookupError(Exception):
    """A name does not lead to exactly one broker."""


def broker_id_by_name(summaries: Iterable[Mapping[str, Any]], name: str) -> str:
    """The id behind a name, out of all pages of ListBrokers. Raises BrokerLookupError."""
    found = [str(summary["BrokerId"]) for summary in summaries if summary.get("BrokerName") == name]
    if not found:
        raise BrokerLookupError(f"there is no broker named {name!r}")
    if len(found) > 1:
        raise BrokerLookupError(f"more than one broker is named {name!r}: {', '.join(sorted(found))}; use broker_id")
    return found[0]


def describe(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of DescribeBroker as ``broker_info`` returns it, without what a probe adds.

    Neither instances nor endpoints have a promised order, so instances are sorted by the number in their host name,
    and endpoints are chosen by scheme. Which instance is active is not told by the API: ``active`` is None.
    """
    instances = _instances(answer.get("BrokerInstances") or [])
    endpoints = {
        protocol: [url for instance in instances for url in instance["endpoints"].get(protocol, [])]
        for protocol in _PROTOCOLS.values()
    }
    return {
        "id": answer["BrokerId"],
        "arn": answer.get("BrokerArn"),
        "name": answer.get("BrokerName"),
        "state": answer.get("BrokerState"),
        "engine_version": answer.get("EngineVersion"),
        "deployment_mode": answer.get("DeploymentMode"),
        "instances": instances,
        "endpoints": endpoints,
        "failover_url": build(endpoints["openwire"]) if endpoints["openwire"] else None,
        "active_instance": None,
        "pending": is_pending(answer),
        "actions_required": [
            {"code": action.get("ActionRequiredCode"), "info": action.get("ActionRequiredInfo")}
            for action in answer.get("ActionsRequired") or []
        ],
    }


def is_pending(answer: Mapping[str, Any]) -> bool:
    """Whether a change waits for the next reboot or maintenance window."""
    return any(
        (
            any(value for key, value in answer.items() if key.startswith("Pending")),
            (answer.get("Configurations") or {}).get("Pending"),
            (answer.get("Logs") or {}).get("Pending"),
            any(user.get("PendingChange") for user in answer.get("Users") or []),
        )
    )


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


def _index(urls: Iterable[str], position: int) -> int:
    for url in urls:
        found = _INSTANCE.match(urlsplit(url).hostname or "")
        if found:
            return int(found.group(1))
    return position
