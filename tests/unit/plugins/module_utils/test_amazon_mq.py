# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API says, in the collection's words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._amazon_mq import (
    BrokerLookupError,
    broker_id_by_name,
    describe,
    is_pending,
    pending_changes,
    pending_words,
    snake_name,
    with_activity,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._probe import Probe

BROKER = "b-1234a5b6-78cd-901e-2fab-3c45d6789012"


def instance(number):
    host = f"{BROKER}-{number}.mq.us-east-2.amazonaws.com"
    return {
        "ConsoleURL": f"https://{host}:8162",
        "IpAddress": f"10.0.{number}.12",
        "Endpoints": [
            f"wss://{host}:61619",
            f"ssl://{host}:61617",
            f"mqtt+ssl://{host}:8883",
            f"amqp+ssl://{host}:5671",
            f"stomp+ssl://{host}:61614",
            f"new+ssl://{host}:1",
        ],
    }


ANSWER = {
    "BrokerId": BROKER,
    "BrokerArn": f"arn:aws:mq:us-east-2:123456789012:broker:orders:{BROKER}",
    "BrokerName": "orders",
    "BrokerState": "RUNNING",
    "EngineType": "ACTIVEMQ",
    "EngineVersion": "5.18",
    "DeploymentMode": "ACTIVE_STANDBY_MULTI_AZ",
    "BrokerInstances": [instance(2), instance(1)],
    "Configurations": {"Current": {"Id": "c-1", "Revision": 1}, "History": []},
    "Logs": {"General": False},
    "Users": [{"Username": "app"}],
}


def test_instances_and_endpoints_are_in_the_order_of_their_numbers():
    broker = describe(ANSWER)

    host = f"{BROKER}-%d.mq.us-east-2.amazonaws.com"
    assert [item["index"] for item in broker["instances"]] == [1, 2]
    assert broker["instances"][0]["console_url"] == f"https://{host % 1}:8162"
    assert broker["endpoints"] == {
        "openwire": [f"ssl://{host % 1}:61617", f"ssl://{host % 2}:61617"],
        "stomp": [f"stomp+ssl://{host % 1}:61614", f"stomp+ssl://{host % 2}:61614"],
        "amqp": [f"amqp+ssl://{host % 1}:5671", f"amqp+ssl://{host % 2}:5671"],
        "mqtt": [f"mqtt+ssl://{host % 1}:8883", f"mqtt+ssl://{host % 2}:8883"],
        "wss": [f"wss://{host % 1}:61619", f"wss://{host % 2}:61619"],
    }
    assert broker["failover_url"].startswith(f"failover:(ssl://{host % 1}:61617,ssl://{host % 2}:61617)")
    assert (broker["id"], broker["name"], broker["state"]) == (BROKER, "orders", "RUNNING")
    assert broker["pending"] is False
    assert broker["actions_required"] == []
    assert broker["active_instance"] is None


def test_a_broker_that_is_being_created_has_no_endpoints():
    broker = describe({"BrokerId": BROKER, "BrokerState": "CREATION_IN_PROGRESS"})

    assert broker["instances"] == []
    assert broker["endpoints"]["openwire"] == []
    assert broker["failover_url"] is None


def test_instances_without_a_number_are_counted():
    broker = describe({"BrokerId": "x", "BrokerInstances": [{"Endpoints": ["ssl://mq.example.com:61617"]}]})

    assert broker["instances"][0]["index"] == 1


def test_what_the_owner_has_to_do():
    required = [{"ActionRequiredCode": "BROKER_OOM", "ActionRequiredInfo": "x"}]

    assert describe({**ANSWER, "ActionsRequired": required})["actions_required"] == [
        {"code": "BROKER_OOM", "info": "x"}
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"PendingEngineVersion": "5.19"},
        {"PendingSecurityGroups": ["sg-1"]},
        {"Configurations": {"Pending": {"Id": "c-1", "Revision": 2}}},
        {"Logs": {"Pending": {"General": True}}},
        {"Users": [{"Username": "app"}, {"Username": "new", "PendingChange": "CREATE"}]},
    ],
)
def test_each_kind_of_pending_change(change):
    assert not is_pending({**ANSWER, "PendingSecurityGroups": []})
    assert is_pending({**ANSWER, **change})


@pytest.mark.parametrize(
    ("seen", "active"),
    [
        ({1: True, 2: False}, 1),
        ({1: False, 2: True}, 2),
        ({1: False, 2: False}, None),
        ({1: None, 2: None}, None),
        ({1: True, 2: True}, None),
    ],
)
def test_the_active_instance_is_the_only_one_that_answers(seen, active):
    def look(url):
        return Probe(seen[1 if f"{BROKER}-1." in url else 2], "looked")

    broker = with_activity(describe(ANSWER), look)

    assert broker["active_instance"] == active
    assert [item["active"] for item in broker["instances"]] == [seen[1], seen[2]]
    assert broker["instances"][0]["probe"] == "looked"


def test_an_instance_without_openwire_is_not_known():
    broker = with_activity(describe({"BrokerId": "x", "BrokerInstances": [{}]}), look=None)

    assert broker["instances"][0]["active"] is None


def test_names_lead_to_ids():
    summaries = [{"BrokerName": "a", "BrokerId": "b-1"}, {"BrokerName": "b", "BrokerId": "b-2"}]

    assert broker_id_by_name(summaries, "b") == "b-2"
    assert broker_id_by_name(summaries, "c") is None


def test_a_name_of_two_brokers():
    summaries = [{"BrokerName": "a", "BrokerId": "b-2"}, {"BrokerName": "a", "BrokerId": "b-1"}]

    with pytest.raises(BrokerLookupError, match=r"more than one.*b-1, b-2"):
        broker_id_by_name(summaries, "a")


def test_what_waits_in_detail():
    answer = {
        **ANSWER,
        "PendingEngineVersion": "5.19",
        "PendingLdapServerMetadata": {"Hosts": ["ldap.example.com"], "RoleSearchSubtree": True},
        "PendingSecurityGroups": [],
        "PendingStorageSize": None,
        "Configurations": {"Current": {"Id": "c-1", "Revision": 1}, "Pending": {"Id": "c-1", "Revision": 2}},
        "Logs": {"General": False, "Audit": False, "Pending": {"General": True}},
        "Users": [{"Username": "b", "PendingChange": "DELETE"}, {"Username": "a", "PendingChange": "CREATE"}],
    }

    assert pending_changes(answer) == [
        {"name": "engine_version", "current": "5.18", "pending": "5.19"},
        {
            "name": "ldap_server_metadata",
            "current": None,
            "pending": {"hosts": ["ldap.example.com"], "role_search_subtree": True},
        },
        {
            "name": "configuration",
            "current": {"id": "c-1", "revision": 1},
            "pending": {"id": "c-1", "revision": 2},
        },
        {"name": "logs", "current": {"general": False}, "pending": {"general": True}},
        {"name": "users", "current": None, "pending": {"b": "DELETE", "a": "CREATE"}},
    ]
    assert pending_words(answer) == [
        "engine_version pending 5.19",
        "ldap_server_metadata pending hosts ldap.example.com, role_search_subtree True",
        "configuration pending id c-1, revision 2",
        "logs pending general True",
        "user a pending CREATE",
        "user b pending DELETE",
    ]


def test_what_the_api_spells_in_small_letters():
    broker = describe({**ANSWER, "StorageType": "efs", "AuthenticationStrategy": "simple"})

    assert (broker["storage_type"], broker["authentication_strategy"]) == ("EFS", "SIMPLE")


def test_keys_of_tags_are_the_users():
    assert describe({**ANSWER, "Tags": {"CostCenter": "7"}})["tags"] == {"CostCenter": "7"}


def test_the_rest_of_what_is_told():
    broker = describe(
        {
            **ANSWER,
            "Created": datetime(2026, 9, 1, tzinfo=UTC),
            "HostInstanceType": "mq.m5.large",
            "SecurityGroups": ["sg-2", "sg-1"],
            "MaintenanceWindowStartTime": {"DayOfWeek": "SUNDAY", "TimeOfDay": "02:00", "TimeZone": "UTC"},
            "Logs": {"General": True, "GeneralLogGroup": "/aws/x", "Pending": {"General": False}},
        }
    )

    assert broker["created"] == "2026-09-01T00:00:00+00:00"
    assert broker["security_groups"] == ["sg-1", "sg-2"]
    assert broker["maintenance_window"] == {"day_of_week": "SUNDAY", "time_of_day": "02:00", "time_zone": "UTC"}
    assert broker["logs"] == {"general": True, "general_log_group": "/aws/x"}
    assert broker["configuration"] == {"current": {"id": "c-1", "revision": 1}, "pending": None}
    assert broker["users"] == [{"username": "app", "pending_change": None}]


def test_broker_lists_of_the_dialects_that_have_endpoints():
    broker = describe({**ANSWER, "BrokerInstances": [{"Endpoints": ["stomp+ssl://b-1-1.example.com:61614"]}]})

    assert broker["failover_urls"] == {"host_list": "b-1-1.example.com:61614"}
    assert describe({"BrokerId": "x"})["failover_urls"] == {}
    urls = describe(ANSWER)["failover_urls"]
    assert set(urls) == {"activemq", "spring", "nms", "cms", "qpid_jms", "nms_amqp", "host_list"}
    assert urls["spring"] == {"spring.activemq.broker-url": urls["activemq"]}
    assert urls["nms_amqp"].startswith(f"failover:(amqps://{BROKER}-1.")


@pytest.mark.parametrize(("key", "name"), [("HostInstanceType", "host_instance_type"), ("Id", "id"), ("id", "id")])
def test_names_in_snake_case(key, name):
    assert snake_name(key) == name
