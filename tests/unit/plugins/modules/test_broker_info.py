# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module around the Amazon MQ API."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._amazon_mq import BrokerLookupError
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._probe import Probe
from ansible_collections.mqlift.amazon_mq.plugins.modules import broker_info

INSTANCES = [
    {"Endpoints": ["ssl://b-1-1.mq.us-east-2.amazonaws.com:61617"]},
    {"Endpoints": ["ssl://b-1-2.mq.us-east-2.amazonaws.com:61617"]},
]
ANSWER = {
    "BrokerId": "b-1",
    "BrokerName": "orders",
    "BrokerInstances": INSTANCES,
    "MaintenanceWindowStartTime": {"DayOfWeek": "WEDNESDAY", "TimeOfDay": "14:00"},
}
PARAMS = {
    "broker_id": None,
    "broker_name": "orders",
    "probe": False,
    "ca_file": "/ca.pem",
    "timeout": 2.0,
    "maintenance_warning": 3.0,
}
NOW = datetime(2026, 9, 2, 12, 0, tzinfo=UTC)


class FakeApi:
    def get(self, broker_id, broker_name):
        if broker_name != "orders":
            raise BrokerLookupError(f"there is no broker named {broker_name!r}")
        return ANSWER


def test_a_broker_and_what_to_beware_of():
    broker = broker_info.broker_info(FakeApi(), PARAMS, NOW)

    assert broker["id"] == "b-1"
    assert [item["active"] for item in broker["instances"]] == [None, None]
    assert [warning["code"] for warning in broker["warnings"]] == ["maintenance_window"]
    assert broker_info.broker_info(FakeApi(), {**PARAMS, "maintenance_warning": 1.0}, NOW)["warnings"] == []


def test_the_probe_finds_the_active_instance(monkeypatch):
    def probe(url, ca_file, timeout):
        assert (ca_file, timeout) == ("/ca.pem", 2.0)
        return Probe("b-1-2." in url, "looked")

    monkeypatch.setattr(broker_info, "probe", probe)

    broker = broker_info.broker_info(FakeApi(), {**PARAMS, "probe": True}, NOW)

    assert broker["active_instance"] == 2


def test_a_name_that_nobody_has():
    with pytest.raises(BrokerLookupError, match="'none'"):
        broker_info.broker_info(FakeApi(), {**PARAMS, "broker_name": "none"}, NOW)
