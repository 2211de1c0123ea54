# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be done so that a broker is as wanted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._broker_plan import (
    normal,
    plan,
    planned,
    same,
    tag_changes,
)

ANSWER = {
    "BrokerId": "b-1",
    "BrokerName": "orders",
    "BrokerState": "RUNNING",
    "AuthenticationStrategy": "simple",
    "AutoMinorVersionUpgrade": True,
    "Configurations": {"Current": {"Id": "c-1", "Revision": 2}, "History": [], "Pending": None},
    "DataReplicationMode": None,
    "DeploymentMode": "ACTIVE_STANDBY_MULTI_AZ",
    "EncryptionOptions": {"UseAwsOwnedKey": False, "KmsKeyId": "arn:aws:kms:us-east-2:1:key/k-1"},
    "EngineVersion": "5.18.4",
    "HostInstanceType": "mq.m5.large",
    "LdapServerMetadata": None,
    "Logs": {"General": True, "Audit": False, "GeneralLogGroup": "/aws/x", "Pending": None},
    "MaintenanceWindowStartTime": {"DayOfWeek": "SUNDAY", "TimeOfDay": "02:00", "TimeZone": "Europe/Berlin"},
    "PubliclyAccessible": False,
    "SecurityGroups": ["sg-2", "sg-1"],
    "StorageSize": 200,
    "StorageType": "efs",
    "SubnetIds": ["subnet-b", "subnet-a"],
    "Tags": {"Team": "orders", "aws:cloudformation:stack": "s"},
    "Users": [{"Username": "app"}],
}
LDAP = {
    "hosts": ["b.example.com", "a.example.com"],
    "role_base": "ou=group",
    "role_name": None,
    "role_search_matching": "(member={0})",
    "role_search_subtree": True,
    "service_account_username": "cn=admin",
    "service_account_password": "geheim",
    "user_base": "ou=user",
    "user_role_name": None,
    "user_search_matching": "(uid={0})",
    "user_search_subtree": None,
}
LDAP_OUTPUT = {
    "Hosts": ["a.example.com", "b.example.com"],
    "RoleBase": "ou=group",
    "RoleSearchMatching": "(member={0})",
    "RoleSearchSubtree": True,
    "ServiceAccountUsername": "cn=admin",
    "UserBase": "ou=user",
    "UserSearchMatching": "(uid={0})",
    "UserSearchSubtree": False,
}


@pytest.mark.parametrize(
    ("wanted", "more"),
    [
        ({}, {}),
        ({"broker_name": "orders", "deployment_mode": "ACTIVE_STANDBY_MULTI_AZ"}, {}),
        ({"engine_version": "5.18"}, {}),
        ({"engine_version": "5.18.2"}, {}),
        ({"storage_type": "EFS", "authentication_strategy": "SIMPLE", "data_replication_mode": "NONE"}, {}),
        ({"security_groups": ["sg-1", "sg-2"], "subnet_ids": ["subnet-a", "subnet-b"]}, {}),
        ({"maintenance_window_start_time": {"day_of_week": "Sunday", "time_of_day": "02:00", "time_zone": None}}, {}),
        ({"configuration": {"id": "c-1", "revision": None}}, {}),
        ({"configuration": {"id": "c-1", "revision": 2}}, {}),
        ({"logs": {"general": True, "audit": None}}, {}),
        ({"encryption_options": {"kms_key_id": "k-1", "use_aws_owned_key": None}}, {}),
        ({"encryption_options": {"kms_key_id": "arn:aws:kms:us-east-2:1:key/k-1", "use_aws_owned_key": False}}, {}),
        ({"users": [{"username": "new", "password": "x"}], "creator_request_id": "u-1"}, {}),
        ({"ldap_server_metadata": LDAP}, {"LdapServerMetadata": LDAP_OUTPUT}),
        ({"tags": {"Team": "orders"}}, {}),
        (
            {"data_replication_primary_broker_arn": "arn:aws:mq:eu-west-1:1:broker:orders:b-9"},
            {
                "DataReplicationMetadata": {
                    "DataReplicationRole": "REPLICA",
                    "DataReplicationCounterpart": {"BrokerId": "b-9", "Region": "eu-west-1"},
                }
            },
        ),
    ],
)
def test_what_is_so_already(wanted, more):
    found = plan(wanted, {**ANSWER, **more})

    assert not found.changes
    assert (found.immediate, found.pending, found.impossible, found.waiting) == ([], [], [], [])
    assert "geheim" not in str(found)


@pytest.mark.parametrize(
    ("wanted", "request_", "immediate", "pending"),
    [
        (
            {"auto_minor_version_upgrade": False},
            {"AutoMinorVersionUpgrade": False},
            ["auto_minor_version_upgrade"],
            [],
        ),
        ({"security_groups": ["sg-3", "sg-1"]}, {"SecurityGroups": ["sg-1", "sg-3"]}, ["security_groups"], []),
        (
            {"maintenance_window_start_time": {"day_of_week": "monday", "time_of_day": "02:00", "time_zone": None}},
            {"MaintenanceWindowStartTime": {"DayOfWeek": "MONDAY", "TimeOfDay": "02:00", "TimeZone": "Europe/Berlin"}},
            ["maintenance_window_start_time"],
            [],
        ),
        ({"engine_version": "5.19.1"}, {"EngineVersion": "5.19"}, [], ["engine_version"]),
        ({"host_instance_type": "mq.m5.xlarge"}, {"HostInstanceType": "mq.m5.xlarge"}, [], ["host_instance_type"]),
        ({"storage_size": 300}, {"StorageSize": 300}, [], ["storage_size"]),
        (
            {"configuration": {"id": "c-1", "revision": 3}},
            {"Configuration": {"Id": "c-1", "Revision": 3}},
            [],
            ["configuration"],
        ),
        ({"configuration": {"id": "c-2", "revision": None}}, {"Configuration": {"Id": "c-2"}}, [], ["configuration"]),
        # What is not given of the logs stays.
        ({"logs": {"general": None, "audit": True}}, {"Logs": {"General": True, "Audit": True}}, [], ["logs"]),
        ({"data_replication_mode": "CRDR"}, {"DataReplicationMode": "CRDR"}, [], ["data_replication_mode"]),
        (
            {"authentication_strategy": "LDAP", "ldap_server_metadata": LDAP},
            {
                "AuthenticationStrategy": "LDAP",
                "LdapServerMetadata": {
                    "Hosts": ["b.example.com", "a.example.com"],
                    "RoleBase": "ou=group",
                    "RoleSearchMatching": "(member={0})",
                    "RoleSearchSubtree": True,
                    "ServiceAccountUsername": "cn=admin",
                    "ServiceAccountPassword": "geheim",
                    "UserBase": "ou=user",
                    "UserSearchMatching": "(uid={0})",
                },
            },
            [],
            ["authentication_strategy", "ldap_server_metadata"],
        ),
    ],
)
def test_changes(wanted, request_, immediate, pending):
    found = plan(wanted, ANSWER)

    assert found.update == request_
    assert (found.immediate, found.pending, found.staged, found.impossible) == (immediate, pending, [], [])
    assert found.waiting == sorted(pending)
    assert found.before != found.after
    assert set(found.before) == set(found.after) == set(wanted)
    assert "geheim" not in str((found.before, found.after))


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ({"broker_name": "other"}, "broker_name"),
        ({"deployment_mode": "SINGLE_INSTANCE"}, "deployment_mode"),
        ({"storage_type": "EBS"}, "storage_type"),
        ({"subnet_ids": ["subnet-a", "subnet-c"]}, "subnet_ids"),
        ({"publicly_accessible": True}, "publicly_accessible"),
        ({"encryption_options": {"kms_key_id": None, "use_aws_owned_key": True}}, "encryption_options"),
        ({"encryption_options": {"kms_key_id": "k-2", "use_aws_owned_key": None}}, "encryption_options"),
        ({"data_replication_primary_broker_arn": "arn:aws:mq:x:1:broker:o:b-9"}, "data_replication_primary_broker_arn"),
        ({"engine_version": "5.17"}, "engine_version"),
    ],
)
def test_what_cannot_be_changed(wanted, name):
    found = plan(wanted, ANSWER)

    assert [item.name for item in found.impossible] == [name]
    assert found.update == {}
    assert name in str(found.impossible[0])


STAGED = {
    **ANSWER,
    "PendingEngineVersion": "5.19",
    "PendingSecurityGroups": [],
    "Configurations": {"Current": {"Id": "c-1", "Revision": 2}, "Pending": {"Id": "c-1", "Revision": 3}},
    "Logs": {"General": True, "Audit": False, "Pending": {"General": True, "Audit": True}},
    "Users": [{"Username": "app", "PendingChange": "DELETE"}],
}


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ({"engine_version": "5.19"}, "engine_version"),
        ({"configuration": {"id": "c-1", "revision": 3}}, "configuration"),
        ({"configuration": {"id": "c-1", "revision": None}}, "configuration"),
        ({"logs": {"general": None, "audit": True}}, "logs"),
    ],
)
def test_what_is_staged_as_wanted_is_no_change_but_waits(wanted, name):
    found = plan(wanted, STAGED)

    assert not found.changes
    assert found.staged == [name]
    assert found.waiting == ["configuration", "engine_version", "logs", "users"]


@pytest.mark.parametrize(
    ("wanted", "request_", "waiting"),
    [
        # Back to what is in force: nothing is left to wait for.
        ({"engine_version": "5.18"}, {"EngineVersion": "5.18"}, ["configuration", "logs", "users"]),
        (
            {"configuration": {"id": "c-1", "revision": 2}},
            {"Configuration": {"Id": "c-1", "Revision": 2}},
            ["engine_version", "logs", "users"],
        ),
        (
            {"configuration": {"id": "c-9", "revision": None}},
            {"Configuration": {"Id": "c-9"}},
            ["configuration", "engine_version", "logs", "users"],
        ),
        (
            {"logs": {"general": False, "audit": None}},
            {"Logs": {"General": False, "Audit": True}},
            ["configuration", "engine_version", "logs", "users"],
        ),
    ],
)
def test_another_staged_value_is_a_change(wanted, request_, waiting):
    found = plan(wanted, STAGED)

    assert found.update == request_
    assert found.pending == list(wanted)
    assert found.waiting == waiting


def test_what_the_broker_will_have():
    found = planned(STAGED)

    assert (found["engine_version"], found["configuration"]["revision"]) == ("5.19", 3)
    assert (found["logs"]["general"], found["logs"]["audit"]) == (True, True)
    assert found["storage_type"] == "EFS"


def test_a_creation():
    wanted = {
        "broker_name": "orders",
        "deployment_mode": "SINGLE_INSTANCE",
        "host_instance_type": "mq.m5.large",
        "engine_version": "5.18.4",
        "encryption_options": {"kms_key_id": "k-1", "use_aws_owned_key": None},
        "logs": {"general": True, "audit": None},
        "maintenance_window_start_time": {"day_of_week": "sunday", "time_of_day": "02:00", "time_zone": None},
        "security_groups": ["sg-2", "sg-1"],
        "creator_request_id": "u-1",
        "users": [{"username": "app", "password": "geheim", "console_access": None, "groups": ["g"]}],
        "tags": {"Team": 7},
        "purge_tags": True,
        "subnet_ids": None,
    }

    found = plan(wanted, None)

    assert found.create == {
        "EngineType": "ACTIVEMQ",
        "BrokerName": "orders",
        "DeploymentMode": "SINGLE_INSTANCE",
        "HostInstanceType": "mq.m5.large",
        "EngineVersion": "5.18",
        "PubliclyAccessible": False,
        "EncryptionOptions": {"KmsKeyId": "k-1", "UseAwsOwnedKey": False},
        "Logs": {"General": True},
        "MaintenanceWindowStartTime": {"DayOfWeek": "SUNDAY", "TimeOfDay": "02:00"},
        "SecurityGroups": ["sg-1", "sg-2"],
        "CreatorRequestId": "u-1",
        "Users": [{"Username": "app", "Password": "geheim", "Groups": ["g"]}],
        "Tags": {"Team": "7"},
    }
    assert found.changes
    assert found.before == {}
    assert found.after["users"] == [{"username": "app", "groups": ["g"]}]
    assert "geheim" not in str(found.after)


@pytest.mark.parametrize(
    ("wanted", "purge", "to_set", "to_unset"),
    [
        (None, True, {}, []),
        ({}, True, {}, ["Team"]),
        ({}, False, {}, []),
        ({"Team": "other", "n": 1}, True, {"Team": "other", "n": "1"}, []),
        ({"new": "x"}, True, {"new": "x"}, ["Team"]),
    ],
)
def test_tags(wanted, purge, to_set, to_unset):
    assert tag_changes(ANSWER["Tags"], wanted, purge) == (to_set, to_unset)
    found = plan({"tags": wanted, "purge_tags": purge}, ANSWER)
    assert (found.set_tags, found.unset_tags) == (to_set, to_unset)
    assert found.immediate == (["tags"] if to_set or to_unset else [])
    if wanted is not None:
        assert found.after["tags"]["aws:cloudformation:stack"] == "s"


@given(
    st.recursive(
        st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_a_normal_form_is_normal(value):
    once = normal("", value)

    assert normal("", once) == once
    assert same(once, once)
