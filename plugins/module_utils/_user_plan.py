# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""One run of the module ``broker_user``: what a user will be after the next reboot, and what is wanted of it.

Every change of a user waits for the broker's next reboot or maintenance window. So what counts is what is staged: one
that is to be deleted is absent, one that is to be created or changed has its pending values (API model, DescribeUser:
Pending). The API tells no password. The API is injected; in check mode it is one that does not write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._mq_rules import MAX_USERS, user_problems

Answer = Mapping[str, Any]

CREATE, UPDATE, DELETE = "CREATE", "UPDATE", "DELETE"


class UserError(Exception):
    """What is wanted cannot be."""


class Api(Protocol):
    """What is used of MqApi."""

    def users(self, broker_id: str) -> list[dict[str, Any]]: ...
    def describe_user(self, broker_id: str, username: str) -> dict[str, Any] | None: ...
    def create_user(self, broker_id: str, username: str, request: Mapping[str, Any]) -> None: ...
    def update_user(self, broker_id: str, username: str, request: Mapping[str, Any]) -> None: ...
    def delete_user(self, broker_id: str, username: str) -> bool: ...


class Wanted(NamedTuple):
    """The module's options; None: not given, so it is left as it is."""

    username: str
    present: bool = True
    password: str | None = None
    always_password: bool = False
    console_access: bool | None = None
    groups: Sequence[str] | None = None
    replication_user: bool | None = None


class Plan(NamedTuple):
    """What to do: ``action`` is a change of the API's words or None, ``request`` what the API takes.

    ``before`` and ``after`` are the user without the password, empty for none.
    """

    action: str | None
    request: dict[str, Any]
    before: dict[str, Any]
    after: dict[str, Any]


class Outcome(NamedTuple):
    """What the module returns. ``pending_change`` is what waits for the reboot: CREATE, UPDATE, DELETE or None."""

    changed: bool
    user: dict[str, Any] | None
    pending_change: str | None
    before: dict[str, Any]
    after: dict[str, Any]


def manage(api: Api, broker_id: str, wanted: Wanted, dry: bool) -> Outcome:
    """Make the user as wanted. ``dry``: the API does not write, so the outcome is foretold.

    :raises UserError: when what is wanted cannot be; nothing was called then that writes.
    """
    problems = user_problems(wanted.username, wanted.password, wanted.groups)
    if problems:
        raise UserError("; ".join(problems))
    answer = api.describe_user(broker_id, wanted.username)
    found = plan(wanted, answer)
    if found.action == CREATE:
        if wanted.password is None:
            raise UserError(f"user {wanted.username}: to create it, a password is needed")
        if pending_change(answer) == DELETE:
            # It is still there until then: CreateUser would meet it.
            raise UserError(
                f"user {wanted.username}: it is staged to be deleted; reboot the broker before it is created again"
            )
        count = len(api.users(broker_id))
        if count >= MAX_USERS:
            raise UserError(f"user {wanted.username}: the broker has {count} users already, {MAX_USERS} are possible")
        api.create_user(broker_id, wanted.username, found.request)
    elif found.action == UPDATE:
        api.update_user(broker_id, wanted.username, found.request)
    elif found.action == DELETE:
        api.delete_user(broker_id, wanted.username)
    change = pending_change(answer)
    if found.action is not None:
        if dry:
            change = _foretold(found.action, answer)
        else:
            answer = api.describe_user(broker_id, wanted.username)
            change = pending_change(answer)
    user = (found.after or None) if dry else effective(answer)
    return Outcome(found.action is not None, user, change, found.before, found.after)


def plan(wanted: Wanted, answer: Answer | None) -> Plan:
    """What to do for a user of which DescribeUser answers this, None for no user."""
    now = effective(answer)
    before = now or {}
    if not wanted.present:
        return Plan(None if now is None else DELETE, {}, before, {})
    given = {
        "console_access": wanted.console_access,
        "groups": None if wanted.groups is None else sorted(set(wanted.groups)),
        "replication_user": wanted.replication_user,
    }
    target = now or {"username": wanted.username, "console_access": False, "groups": [], "replication_user": False}
    after = {**target, **{name: value for name, value in given.items() if value is not None}}
    if now is None:
        return Plan(CREATE, _request(after, given, wanted.password), before, after)
    if after == now and not (wanted.always_password and wanted.password is not None):
        return Plan(None, {}, before, after)
    password = wanted.password if wanted.always_password else None
    # What is not in the request might be taken for empty, so console access and groups are always there.
    kept = {**given, "console_access": after["console_access"], "groups": after["groups"]}
    return Plan(UPDATE, _request(after, kept, password), before, after)


def effective(answer: Answer | None) -> dict[str, Any] | None:
    """The user as it will be after the next reboot. None when there will be none.

    Whether it is for replication is not told of what is pending.
    """
    if answer is None or pending_change(answer) == DELETE:
        return None
    pending = answer.get("Pending") or {}

    def value(key: str) -> Any:
        return answer.get(key) if pending.get(key) is None else pending[key]

    return {
        "username": answer.get("Username"),
        "console_access": bool(value("ConsoleAccess")),
        "groups": sorted(set(value("Groups") or [])),
        "replication_user": bool(answer.get("ReplicationUser")),
    }


def pending_change(answer: Answer | None) -> str | None:
    """The kind of change that waits for the reboot."""
    return ((answer or {}).get("Pending") or {}).get("PendingChange")


def _foretold(action: str, answer: Answer | None) -> str | None:
    """The change that will wait. A user that was not created yet is so again, or vanishes."""
    if pending_change(answer) == CREATE:
        return None if action == DELETE else CREATE
    return action


def _request(after: Mapping[str, Any], given: Mapping[str, Any], password: str | None) -> dict[str, Any]:
    names = {"console_access": "ConsoleAccess", "groups": "Groups", "replication_user": "ReplicationUser"}
    request = {key: after[name] for name, key in names.items() if given[name] is not None}
    return request if password is None else {**request, "Password": password}
