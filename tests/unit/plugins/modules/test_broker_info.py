# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module around the Amazon MQ API."""

from __future__ import annotations

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from botocore.exceptions import ClientError

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._amazon_mq import BrokerLookupError
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._probe import Probe
from ansible_collections.mqlift.amazon_mq.plugins.modules import broker_info

INSTANCES = [
    {"Endpoints": ["ssl://b-1-1.mq.us-east-2.amazonaws.com:61617"]},
    {"Endpoints": ["ssl://b-1-2.mq.us-east-2.amazonaws.com:61617"]},
]
ANSWER = {"BrokerId": "b-1", "BrokerName": "orders", "EngineType": "ACTIVEMQ", "BrokerInstances": INSTANCES}
PARAMS = {"broker_id": None, "broker_name": None, "probe": False, "ca_file": "/ca.pem", "timeout": 2.0}


class FakeClient:
    """The API with two pages of brokers."""

    def __init__(self, error=None, answer=None):
        self.error = error
        self.answer = answer or ANSWER

    def get_paginator(self, name):
        assert name == "list_brokers"
        return self

    def paginate(self):
        return self

    def build_full_result(self):
        return {
            "BrokerSummaries": [{"BrokerName": "a", "BrokerId": "b-0"}, {"BrokerName": "orders", "BrokerId": "b-1"}]
        }

    def describe_broker(self, BrokerId, aws_retry):  # noqa: N803 - boto's spelling
        assert BrokerId == "b-1"
        assert aws_retry
        if self.error:
            raise ClientError({"Error": {"Code": self.error, "Message": "x"}}, "DescribeBroker")
        return self.answer


@pytest.mark.parametrize("params", [{"broker_id": "b-1"}, {"broker_name": "orders"}])
def test_by_id_or_by_name(params):
    broker = broker_info.broker_info(FakeClient(), {**PARAMS, **params})

    assert broker["id"] == "b-1"
    assert [item["active"] for item in broker["instances"]] == [None, None]


def test_the_probe_finds_the_active_instance(monkeypatch):
    def probe(url, ca_file, timeout):
        assert (ca_file, timeout) == ("/ca.pem", 2.0)
        return Probe("b-1-2." in url, "looked")

    monkeypatch.setattr(broker_info, "probe", probe)

    broker = broker_info.broker_info(FakeClient(), {**PARAMS, "broker_id": "b-1", "probe": True})

    assert broker["active_instance"] == 2


def test_a_name_that_nobody_has():
    with pytest.raises(BrokerLookupError, match="'none'"):
        broker_info.broker_info(FakeClient(), {**PARAMS, "broker_name": "none"})


def test_an_id_that_no_broker_has():
    with pytest.raises(BrokerLookupError, match="'b-1'"):
        broker_info.broker_info(FakeClient("NotFoundException"), {**PARAMS, "broker_id": "b-1"})


def test_an_error_of_the_api():
    with pytest.raises(AnsibleAWSError, match="describe the broker"):
        broker_info.broker_info(FakeClient("ForbiddenException"), {**PARAMS, "broker_id": "b-1"})


def test_another_engine_is_refused():
    client = FakeClient(answer={**ANSWER, "EngineType": "RABBITMQ"})

    with pytest.raises(BrokerLookupError, match="RABBITMQ"):
        broker_info.broker_info(client, {**PARAMS, "broker_id": "b-1"})
