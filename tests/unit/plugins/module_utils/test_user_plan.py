# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user will be after the next reboot, what is wanted, and the calls between."""

from __future__ import annotations

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._user_plan import (
    UserError,
    Wanted,
    effective,
    manage,
    plan,
)

PASSWORD = "app-Passw0rd-lab"
APP = {"BrokerId": "b-1", "Username": "app", "ConsoleAccess": True, "Groups": ["gb", "ga"]}
USER = {"username": "app", "console_access": True, "groups": ["ga", "gb"], "replication_user": False}


def pending(change, **values):
    return {**APP, "Pending": {"PendingChange": change, **values}}


@pytest.mark.parametrize(
    ("answer", "user"),
    [
        (None, None),
        (APP, USER),
        ({**APP, "Pending": None}, USER),
        (pending("DELETE"), None),
        (pending("UPDATE", ConsoleAccess=False, Groups=[]), {**USER, "console_access": False, "groups": []}),
        (pending("UPDATE", ConsoleAccess=False), {**USER, "console_access": False}),
        (
            {"Username": "app", "Pending": {"PendingChange": "CREATE", "Groups": ["ga"]}},
            {**USER, "console_access": False, "groups": ["ga"]},
        ),
    ],
)
def test_what_counts_is_what_is_staged(answer, user):
    assert effective(answer) == user


@pytest.mark.parametrize(
    ("wanted", "answer", "action", "request_"),
    [
        ({}, APP, None, {}),
        ({"password": PASSWORD}, APP, None, {}),
        ({"groups": ["gb", "ga", "ga"], "console_access": True}, APP, None, {}),
        ({"groups": []}, pending("UPDATE", Groups=[]), None, {}),
        ({"groups": []}, APP, "UPDATE", {"Groups": [], "ConsoleAccess": True}),
        ({"console_access": False}, APP, "UPDATE", {"Groups": ["ga", "gb"], "ConsoleAccess": False}),
        (
            {"replication_user": True},
            APP,
            "UPDATE",
            {"Groups": ["ga", "gb"], "ConsoleAccess": True, "ReplicationUser": True},
        ),
        (
            {"password": PASSWORD, "always_password": True},
            APP,
            "UPDATE",
            {"Groups": ["ga", "gb"], "ConsoleAccess": True, "Password": PASSWORD},
        ),
        ({"always_password": True}, APP, None, {}),
        ({"password": PASSWORD}, None, "CREATE", {"Password": PASSWORD}),
        (
            {"password": PASSWORD, "groups": ["ga"], "console_access": True},
            None,
            "CREATE",
            {"Password": PASSWORD, "Groups": ["ga"], "ConsoleAccess": True},
        ),
        ({"present": False}, None, None, {}),
        ({"present": False}, pending("DELETE"), None, {}),
        ({"present": False}, APP, "DELETE", {}),
        ({"present": False}, pending("CREATE"), "DELETE", {}),
    ],
)
def test_plans(wanted, answer, action, request_):
    found = plan(Wanted("app", **wanted), answer)

    assert (found.action, found.request) == (action, request_)
    assert PASSWORD not in str((found.before, found.after))


class FakeApi:
    def __init__(self, *answers, users=1):
        self.answers, self.count, self.calls = list(answers), users, []

    def users(self, broker_id):
        return [{}] * self.count

    def describe_user(self, broker_id, username):
        return self.answers.pop(0)

    def __getattr__(self, name):
        return lambda *args: self.calls.append((name, *args))


def test_the_outcome_is_what_the_api_tells_afterwards():
    api = FakeApi(APP, pending("UPDATE", Groups=[]))

    outcome = manage(api, "b-1", Wanted("app", groups=[]), dry=False)

    assert outcome.user == {**USER, "groups": []}
    assert (outcome.changed, outcome.pending_change) == (True, "UPDATE")
    assert api.calls == [("update_user", "b-1", "app", {"ConsoleAccess": True, "Groups": []})]


@pytest.mark.parametrize(
    ("wanted", "answer", "change"),
    [
        ({"password": PASSWORD}, None, "CREATE"),
        ({"groups": []}, APP, "UPDATE"),
        ({"groups": []}, pending("CREATE", Groups=["ga"]), "CREATE"),
        ({"present": False}, APP, "DELETE"),
        ({"present": False}, pending("CREATE"), None),
        ({}, pending("UPDATE"), "UPDATE"),
    ],
)
def test_what_is_foretold(wanted, answer, change):
    outcome = manage(FakeApi(answer), "b-1", Wanted("app", **wanted), dry=True)

    assert outcome.pending_change == change
    assert outcome.user == (outcome.after or None)


@pytest.mark.parametrize(
    ("wanted", "answer", "users", "message"),
    [
        ({}, None, 1, "a password is needed"),
        ({"password": PASSWORD}, None, 250, "250 users already"),
        ({"password": PASSWORD}, pending("DELETE"), 1, "reboot the broker before"),
        ({"groups": ["x"]}, APP, 1, "group 'x'"),
        ({"password": "geheim"}, None, 1, "12 characters"),
    ],
)
def test_what_cannot_be(wanted, answer, users, message):
    api = FakeApi(answer, users=users)

    with pytest.raises(UserError, match=message):
        manage(api, "b-1", Wanted("app", **wanted), dry=False)

    assert api.calls == []
