# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to beware of, at a given time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._broker_warnings import next_window, warnings, zone_of
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._mq_versions import END_OF_SUPPORT, connection_limit

# A Wednesday.
NOW = datetime(2026, 9, 2, 12, 0, tzinfo=UTC)
QUIET = {"engine_version": "5.19.1", "deployment_mode": "ACTIVE_STANDBY_MULTI_AZ"}


def window(day, time, zone="UTC"):
    return {"day_of_week": day, "time_of_day": time, "time_zone": zone}


def codes(broker, now=NOW, hours=24.0):
    return [warning["code"] for warning in warnings({**QUIET, **broker}, now, hours)]


@pytest.mark.parametrize(
    ("maintenance", "expected"),
    [
        (window("WEDNESDAY", "14:00"), "opens in 2.0 hours, at 2026-09-02 14:00 UTC"),
        (window("THURSDAY", "12:00"), "opens in 24.0 hours"),
        (window("THURSDAY", "12:01"), None),
        (window("WEDNESDAY", "12:00"), "is open since 2026-09-02 12:00"),
        (window("WEDNESDAY", "10:01"), "is open since"),
        (window("WEDNESDAY", "10:00"), None),
        (window("TUESDAY", "12:00"), None),
        # 16:00 in Berlin is 14:00 UTC in summer.
        (window("WEDNESDAY", "16:00", "Europe/Berlin"), "opens in 2.0 hours, at 2026-09-02 16:00 Europe/Berlin"),
        (window("WEDNESDAY", "17:30", "+05:30"), "is open since"),
        # It is Thursday there already.
        (window("THURSDAY", "01:00", "UTC+13:00"), "is open since 2026-09-03 01:00"),
        (window("wednesday", "14:00", None), "opens in 2.0 hours"),
        (window("SOMEDAY", "14:00"), None),
        (window("WEDNESDAY", "soon"), None),
        (None, None),
    ],
)
def test_the_maintenance_window(maintenance, expected):
    found = warnings({**QUIET, "maintenance_window": maintenance}, NOW, 24.0)

    assert [warning["code"] for warning in found] == ([] if expected is None else ["maintenance_window"])
    if expected is not None:
        assert expected in found[0]["message"]


def test_a_window_goes_on_beyond_midnight_and_beyond_the_week():
    now = datetime(2026, 9, 7, 0, 30, tzinfo=UTC)  # a Monday

    assert next_window(window("SUNDAY", "23:30"), now, UTC) == datetime(2026, 9, 6, 23, 30, tzinfo=UTC)
    assert codes({"maintenance_window": window("SUNDAY", "23:30")}, now, 0) == ["maintenance_window"]


@pytest.mark.parametrize("hour", range(0, 168, 5))
def test_the_next_window_is_never_over_and_never_more_than_a_week_away(hour):
    now = NOW + timedelta(hours=hour)
    start = next_window(window("FRIDAY", "22:15", "America/New_York"), now, zone_of("America/New_York"))

    assert now - timedelta(hours=2) < start <= now + timedelta(days=7)
    assert (start.weekday(), start.hour, start.minute) == (4, 22, 15)


@pytest.mark.parametrize(
    ("name", "hours"),
    [(None, 0), ("UTC", 0), ("GMT", 0), ("+02:00", 2), ("-0330", -3.5), ("UTC-8", -8), ("Asia/Kolkata", 5.5)],
)
def test_time_zones(name, hours):
    assert NOW.astimezone(zone_of(name)).utcoffset() == timedelta(hours=hours)


@pytest.mark.parametrize("name", ["Nowhere/Land", "../../etc/passwd", "+99:00", "/etc/localtime"])
def test_time_zones_that_are_not_known_here(name):
    assert zone_of(name) is None
    assert codes({"maintenance_window": window("WEDNESDAY", "14:00", name)}) == ["maintenance_time_zone"]


@pytest.mark.parametrize(
    ("today", "word"), [(date(2025, 3, 17), None), (date(2025, 3, 18), "ends"), (date(2025, 6, 16), "ended")]
)
def test_the_end_of_support(today, word):
    now = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)
    assert END_OF_SUPPORT[(5, 17)] == date(2025, 6, 16)

    found = warnings({**QUIET, "engine_version": "5.17.6"}, now, 0)

    assert [f"5.17 {word} on 2025-06-16" in warning["message"] for warning in found] == ([] if word is None else [True])


@pytest.mark.parametrize("version", ["5.18", "5.99", None, "new"])
def test_a_version_of_which_no_end_is_known(version):
    assert codes({"engine_version": version}) == []


@pytest.mark.parametrize(
    ("broker", "code", "word"),
    [
        ({"deployment_mode": "SINGLE_INSTANCE"}, "single_instance", "not there"),
        ({"host_instance_type": "mq.t3.micro"}, "connection_limit", "300 connections"),
        ({"host_instance_type": "mq.m5.2xlarge"}, "connection_limit", "2000 connections"),
        ({"storage_type": "EFS"}, "storage_efs", "80"),
        ({"storage_type": "EBS"}, "storage_ebs", "500"),
        ({"auto_minor_version_upgrade": True}, "auto_minor_version_upgrade", "patch"),
        ({"pending_changes": [{"name": "logs"}, {"name": "users"}]}, "pending_changes", "logs, users"),
        ({"actions_required": [{"code": "BROKER_OOM", "info": None}]}, "action_required", "BROKER_OOM"),
    ],
)
def test_what_a_broker_is_like(broker, code, word):
    found = warnings({**QUIET, **broker}, NOW, 24.0)

    assert [warning["code"] for warning in found] == [code]
    assert word in found[0]["message"]


def test_sizes_without_a_published_limit():
    assert connection_limit("mq.m5.medium") is connection_limit(None) is None
