# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""What a user of a broker should know before relying on it. Pure: the time is given."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._mq_rules import DAYS, version_of
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._mq_versions import END_OF_SUPPORT, connection_limit

Broker = Mapping[str, Any]
Warning_ = dict[str, str]

# Amazon MQ developer guide, "Maintaining a broker": up to two hours, and a restart at any moment of it.
_WINDOW = timedelta(hours=2)
# AWS announces the end of a version's support 90 days before (source: see _mq_versions).
_ANNOUNCED = timedelta(days=90)
# "UTC offset format" (API model, WeeklyStartTime): +05:30, and with UTC or GMT before it.
_OFFSET = re.compile(r"(?:UTC|GMT)?\s*([+-])([0-9]{1,2})(?::?([0-5][0-9]))?", re.ASCII | re.IGNORECASE)


def warnings(broker: Broker, now: datetime, maintenance_hours: float) -> list[Warning_]:
    """The warnings, ``code`` and ``message``, for a broker as ``describe`` gives it.

    ``now`` has a time zone. ``maintenance_hours`` is how long before the maintenance window one is warned of it.
    """
    return [
        {"code": code, "message": message}
        for code, message in (
            *_maintenance(broker.get("maintenance_window"), now, timedelta(hours=maintenance_hours)),
            *_engine(broker, now),
            *_shape(broker),
            *_waiting(broker),
        )
    ]


def next_window(window: Mapping[str, Any], now: datetime, zone: tzinfo) -> datetime | None:
    """When the maintenance window opens next, or opened when it may still be open. None when it makes no sense."""
    day, time_of_day = str(window.get("day_of_week")).upper(), str(window.get("time_of_day"))
    try:
        opens = datetime.strptime(time_of_day, "%H:%M").time()
        weekday = DAYS.index(day)
    except ValueError:
        return None
    local = now.astimezone(zone)
    # Back to yesterday's window, which may go on beyond midnight.
    first = local.date() - timedelta(days=1)
    first += timedelta(days=(weekday - first.weekday()) % 7)
    for dummy in range(2):
        start = datetime.combine(first, opens, tzinfo=zone)
        if start + _WINDOW > now:
            return start
        first += timedelta(days=7)
    return None


def zone_of(name: str | None) -> tzinfo | None:
    """The time zone of a name such as Europe/Berlin or +05:30; UTC for none. None when it is not known here."""
    if not name or name.upper() in ("UTC", "GMT", "Z"):
        return timezone.utc
    offset = _OFFSET.fullmatch(name.strip())
    if offset is not None:
        hours, minutes = int(offset[2]), int(offset[3] or 0)
        if hours > 14:
            return None
        delta = timedelta(hours=hours, minutes=minutes)
        return timezone(-delta if offset[1] == "-" else delta)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _maintenance(window: Mapping[str, Any] | None, now: datetime, ahead: timedelta) -> Iterator[tuple[str, str]]:
    if not window:
        return
    name = window.get("time_zone") or "UTC"
    zone = zone_of(name)
    if zone is None:
        message = (
            f"the maintenance window's time zone {name!r} is not known on this host, so it is not known when it opens"
        )
        yield "maintenance_time_zone", message
        return
    start = next_window(window, now, zone)
    if start is None:
        return
    shown = f"{start:%Y-%m-%d %H:%M} {name}"
    if start <= now:
        yield "maintenance_window", f"the maintenance window is open since {shown}: the broker may restart"
    elif start - now <= ahead:
        hours = (start - now).total_seconds() / 3600
        message = f"the maintenance window opens in {hours:.1f} hours, at {shown}: the broker may restart then"
        yield "maintenance_window", message


def _engine(broker: Broker, now: datetime) -> Iterator[tuple[str, str]]:
    version = version_of(broker.get("engine_version"))
    end = END_OF_SUPPORT.get(version) if version else None
    if version and end is not None and now.date() >= end - _ANNOUNCED:
        ended = "ended" if now.date() >= end else "ends"
        message = f"the support of ActiveMQ {version[0]}.{version[1]} {ended} on {end}, AWS upgrades the broker then"
        yield "engine_end_of_support", message
    if broker.get("auto_minor_version_upgrade"):
        message = "the broker is upgraded to new patch versions by itself, in a maintenance window or at a reboot"
        yield "auto_minor_version_upgrade", message


def _shape(broker: Broker) -> Iterator[tuple[str, str]]:
    if broker.get("deployment_mode") == "SINGLE_INSTANCE":
        message = "the broker has a single instance: it is not there while it reboots or is maintained"
        yield "single_instance", message
    instance_type = broker.get("host_instance_type")
    limit = connection_limit(instance_type)
    if limit is not None:
        message = (
            f"{instance_type} takes {limit} connections for each protocol, unless AWS raised that, and refuses more"
        )
        yield "connection_limit", message
    # Amazon MQ developer guide, "Storage", its table for persistent messages of 1 KB.
    if broker.get("storage_type") == "EFS":
        yield "storage_efs", "EFS is durable and slow: about 80 persistent messages per second for a producer"
    elif broker.get("storage_type") == "EBS":
        yield "storage_ebs", "EBS is in one zone only: about 500 persistent messages per second for a producer"


def _waiting(broker: Broker) -> Iterator[tuple[str, str]]:
    names = [str(change["name"]) for change in broker.get("pending_changes") or []]
    if names:
        message = f"changes come in force at the next reboot or in the next maintenance window: {', '.join(names)}"
        yield "pending_changes", message
    for action in broker.get("actions_required") or []:
        yield "action_required", f"AWS asks to act: {action.get('code')} {action.get('info') or ''}".strip()
