# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Amazon MQ refuses."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._mq_rules import (
    broker_problems,
    password_problems,
    tag_problems,
    user_problems,
    version_of,
)

PASSWORD = "app-Passw0rd-lab"
NAME_CHARACTERS = string.ascii_letters + string.digits + "-._~"
NEW = {
    "broker_name": "orders",
    "deployment_mode": "ACTIVE_STANDBY_MULTI_AZ",
    "host_instance_type": "mq.m5.large",
    "users": [{"username": "app", "password": PASSWORD}],
}
LDAP = {"hosts": ["ldap.example.com"]}


@given(st.text(alphabet=NAME_CHARACTERS, min_size=2, max_size=100))
def test_names_of_users_and_groups(name):
    assert user_problems(name, None, [name]) == []


@given(st.text(max_size=3) | st.text(alphabet=NAME_CHARACTERS, min_size=101, max_size=120))
def test_names_that_are_none(name):
    valid = 2 <= len(name) <= 100 and set(name) <= set(NAME_CHARACTERS)
    assert bool(user_problems(name)) is not valid


def test_a_line_end_is_part_of_no_name():
    assert user_problems("app\n")
    assert broker_problems({**NEW, "broker_name": "orders\n"}, None)


@given(st.text(max_size=40))
def test_passwords(password):
    valid = len(password) >= 12 and len(set(password)) >= 4 and not set(password) & set(",:=")

    problems = password_problems("app", password)

    assert bool(problems) is not valid
    # The sentences are always the same, so the password is in none.
    assert set(problems) <= {
        "user app: the password has to have at least 12 characters",
        "user app: the password has to have at least 4 different characters",
        "user app: the password must not contain a comma, a colon or an equal sign",
    }


def test_groups_are_counted():
    assert user_problems("app", None, ["aa"] * 20) == []
    assert "at most 20 groups" in user_problems("app", None, ["aa"] * 21)[0]
    assert "'x y'" in user_problems("app", None, ["x y"])[0]


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({f"k{n}": "" for n in range(51)}, "at most 50"),
        ({"aws:x": "1"}, "belong to AWS"),
        ({"": "1"}, "1 to 128"),
        ({"k": "v" * 257}, "at most 256"),
    ],
)
def test_tags(tags, message):
    assert message in tag_problems(tags)[0]


def test_tags_that_are_good():
    assert tag_problems(None) == tag_problems({}) == tag_problems({"Team": 7}) == []


@pytest.mark.parametrize(
    ("text", "version"),
    [("5.18", (5, 18)), ("5.18.4", (5, 18)), ("5", None), ("5.x", None), (None, None), ("5.18\n", None)],
)
def test_versions(text, version):
    assert version_of(text) == version


def test_a_broker_that_can_be_created():
    assert broker_problems(NEW, None) == []
    assert (
        broker_problems({**NEW, "storage_type": "EFS", "subnet_ids": ["a", "b"], "engine_version": "5.18"}, None) == []
    )
    single = {**NEW, "deployment_mode": "SINGLE_INSTANCE"}
    assert broker_problems({**single, "storage_type": "EBS", "subnet_ids": ["a"]}, None) == []
    ldap = {**NEW, "users": None, "authentication_strategy": "LDAP", "ldap_server_metadata": LDAP}
    assert broker_problems(ldap, None) == []
    replica = {"users": None, "data_replication_mode": "CRDR", "data_replication_primary_broker_arn": "arn:x"}
    assert broker_problems({**NEW, **replica}, None) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"broker_name": None, "host_instance_type": None}, "broker_name, host_instance_type has to be given"),
        ({"broker_name": "x" * 51}, "1 to 50"),
        ({"broker_name": "a.b"}, "1 to 50"),
        ({"engine_version": "newest"}, "such as 5.18"),
        ({"host_instance_type": "m5.large"}, "such as mq.m5.large"),
        ({"security_groups": []}, "1 to 5 are possible, 0"),
        ({"security_groups": list("abcdef")}, "1 to 5 are possible, 6"),
        ({"subnet_ids": ["a"]}, "takes 2, 1 are given"),
        ({"subnet_ids": ["a", "a"]}, "takes 2, 1 are given"),
        ({"deployment_mode": "SINGLE_INSTANCE", "subnet_ids": ["a", "b"]}, "takes 1, 2 are given"),
        ({"storage_type": "EBS"}, "SINGLE_INSTANCE only"),
        (
            {"storage_type": "EBS", "deployment_mode": "SINGLE_INSTANCE", "host_instance_type": "mq.t3.micro"},
            "not possible with mq.t3.micro",
        ),
        ({"storage_size": 0}, "0 GB"),
        ({"auto_minor_version_upgrade": False, "engine_version": "5.18"}, "has to be true"),
        ({"encryption_options": {"kms_key_id": "k", "use_aws_owned_key": True}}, "exclude each other"),
        ({"maintenance_window_start_time": {"day_of_week": "x", "time_of_day": "24:00"}}, "'24:00'"),
        (
            {"maintenance_window_start_time": {"day_of_week": "someday", "time_of_day": "02:00"}},
            "day_of_week 'someday'",
        ),
        ({"users": None}, "at least one"),
        ({"users": [{"username": "app", "password": "geheim"}]}, "at least 12 characters"),
        ({"users": NEW["users"] * 2}, "given twice"),
        ({"users": [{"username": f"u{n:03}", "password": PASSWORD} for n in range(251)]}, "at most 250"),
        ({"authentication_strategy": "LDAP"}, "needs ldap_server_metadata"),
        ({"ldap_server_metadata": LDAP}, "needs the authentication_strategy LDAP"),
        (
            {"authentication_strategy": "LDAP", "ldap_server_metadata": {"hosts": ["ldaps://x:636"]}},
            "without protocol and port",
        ),
        ({"authentication_strategy": "LDAP", "ldap_server_metadata": {"hosts": ["a", "b", "c"]}}, "at most another"),
        ({"data_replication_mode": "CRDR", "deployment_mode": "SINGLE_INSTANCE"}, "ACTIVE_STANDBY_MULTI_AZ only"),
        ({"data_replication_mode": "CRDR", "engine_version": "5.16"}, "5.17 or newer"),
        ({"data_replication_primary_broker_arn": "arn:x"}, "needs the data_replication_mode CRDR"),
        ({"tags": {"aws:x": "1"}}, "belong to AWS"),
    ],
)
def test_a_broker_that_cannot_be_created(options, message):
    problems = broker_problems({**NEW, **options}, None)

    assert len([problem for problem in problems if message in problem]) == 1
    assert "geheim" not in str(problems)


def test_all_problems_are_named_at_once():
    problems = broker_problems({**NEW, "storage_type": "EBS", "subnet_ids": [], "engine_version": "x"}, None)

    assert len(problems) == 3


PLANNED = {
    "deployment_mode": "SINGLE_INSTANCE",
    "engine_version": "5.17",
    "auto_minor_version_upgrade": False,
    "storage_type": "EBS",
    "host_instance_type": "mq.m5.large",
    "authentication_strategy": "SIMPLE",
    "ldap_server_metadata": None,
}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine_version": "5.18"}, "has to be true for ActiveMQ 5.18"),
        ({"host_instance_type": "mq.t3.micro"}, "EBS is not possible with mq.t3.micro"),
        ({"data_replication_mode": "CRDR"}, "ACTIVE_STANDBY_MULTI_AZ only"),
        ({"authentication_strategy": "LDAP"}, "needs ldap_server_metadata"),
    ],
)
def test_a_change_is_judged_together_with_what_the_broker_has(options, message):
    assert message in broker_problems(options, PLANNED)[0]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"logs": {"general": True}},
        {"engine_version": "5.18", "auto_minor_version_upgrade": True},
        {"security_groups": ["sg-1"]},
        {"users": [{"username": "x", "password": "only used at creation"}]},
    ],
)
def test_what_is_not_given_is_not_judged(options):
    assert broker_problems(options, PLANNED) == []
