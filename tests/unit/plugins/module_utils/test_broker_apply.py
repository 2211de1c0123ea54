# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of calls of one run, with an API that remembers them."""

from __future__ import annotations

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._amazon_mq import BrokerLookupError
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._broker_apply import BrokerError, Options, Run
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._broker_wait import BrokerWaitError, NoWait

ANSWER = {
    "BrokerId": "b-1",
    "BrokerArn": "arn:b-1",
    "BrokerName": "orders",
    "BrokerState": "RUNNING",
    "EngineVersion": "5.18.4",
    "HostInstanceType": "mq.m5.large",
    "DeploymentMode": "SINGLE_INSTANCE",
    "SecurityGroups": ["sg-1"],
    "Tags": {"old": "1"},
}


class FakeApi:
    """A broker, or none; each call that writes is remembered."""

    def __init__(self, answer):
        self.answer, self.calls = answer, []

    def find(self, broker_id, broker_name):
        return self.answer

    def get(self, broker_id, broker_name):
        if self.answer is None:
            raise BrokerLookupError("there is no broker")
        return self.answer

    def describe(self, broker_id):
        return self.answer

    def __getattr__(self, name):
        def call(*args):
            self.calls.append((name, *args))
            return "b-2" if name == "create_broker" else True

        return call


class FakeWait(NoWait):
    """Remembers in the API's list what was waited for; ``fails`` is the wait that ends too early."""

    def __init__(self, api, fails=None):
        super().__init__()
        self.api, self.fails = api, fails

    def _wait(self, name):
        self.api.calls.append((name,))
        if name == self.fails:
            raise BrokerWaitError("too late", ["something"], {**ANSWER, "BrokerState": "REBOOT_IN_PROGRESS"})

    def settled(self, broker_id):
        self._wait("settled")
        self.api.answer = {**ANSWER, "BrokerState": "RUNNING"}
        return self.api.answer

    def created(self, broker_id):
        self._wait("created")
        self.api.answer = ANSWER

    def rebooted(self, broker_id, was_pending):
        self._wait(f"rebooted {was_pending}")

    def gone(self, broker_id):
        self._wait("gone")


def go(answer, state="present", fails=None, reboot=None, wait=True, broker_id="b-1", **wanted):
    api = FakeApi(answer)
    run = Run(api, FakeWait(api, fails), Options(broker_id, "orders", reboot, wait, {"purge_tags": True, **wanted}))
    try:
        run.go(state)
    finally:
        go.last = (run.result(), api.calls)
    return go.last


def test_all_changes_come_before_the_one_reboot():
    result, calls = go(
        ANSWER, reboot="when_pending", engine_version="5.19", security_groups=["sg-2"], tags={"new": "2"}
    )

    assert calls == [
        ("update_broker", "b-1", {"SecurityGroups": ["sg-2"], "EngineVersion": "5.19"}),
        ("delete_tags", "arn:b-1", ["old"]),
        ("create_tags", "arn:b-1", {"new": "2"}),
        ("reboot", "b-1"),
        ("rebooted True",),
    ]
    assert result["changes"] == {
        "immediate": ["security_groups", "tags"],
        "pending": ["engine_version"],
        "staged": [],
        "impossible": [],
    }
    assert result["rebooted"]


def test_what_was_staged_by_others_is_a_reason_to_reboot():
    staged = {**ANSWER, "Users": [{"Username": "app", "PendingChange": "CREATE"}]}

    assert go(staged, reboot="when_pending")[1] == [("reboot", "b-1"), ("rebooted True",)]
    assert go(ANSWER, reboot="when_pending")[1] == []
    assert go(staged, reboot="never")[1] == go(staged)[1] == []


def test_what_takes_effect_at_once_is_no_reason():
    assert [call[0] for call in go(ANSWER, reboot="when_pending", security_groups=["sg-2"])[1]] == ["update_broker"]
    assert [call[0] for call in go(ANSWER, reboot="always")[1]] == ["reboot", "rebooted False"]


def test_a_reboot_under_way_is_waited_for_first():
    busy = {**ANSWER, "BrokerState": "REBOOT_IN_PROGRESS"}

    assert [call[0] for call in go(busy, reboot="always")[1]] == ["settled", "reboot", "rebooted False"]
    assert [call[0] for call in go(busy, "absent")[1]] == ["settled", "delete_broker", "gone"]
    with pytest.raises(BrokerError, match="in state REBOOT_IN_PROGRESS"):
        go(busy, "rebooted", wait=False)


def test_what_cannot_be_is_told_before_anything_is_waited_for():
    busy = {**ANSWER, "BrokerState": "REBOOT_IN_PROGRESS"}

    with pytest.raises(BrokerError, match=r"deployment_mode.*storage_type"):
        go(busy, deployment_mode="ACTIVE_STANDBY_MULTI_AZ", storage_type="EBS")

    result, calls = go.last
    assert calls == []
    assert result["changes"]["impossible"] == ["deployment_mode", "storage_type"]


def test_a_wait_that_ends_too_early_leaves_what_is_known():
    with pytest.raises(BrokerWaitError):
        go(ANSWER, "rebooted", fails="rebooted False")

    result, dummy = go.last
    assert (result["changed"], result["rebooted"]) == (True, True)
    assert (result["missing"], result["state"]) == (["something"], "REBOOT_IN_PROGRESS")


def test_a_broker_is_created_and_not_rebooted():
    result, calls = go(
        None,
        broker_id=None,
        reboot="always",
        broker_name="orders",
        deployment_mode="SINGLE_INSTANCE",
        host_instance_type="mq.m5.large",
        users=[{"username": "app", "password": "app-Passw0rd-lab"}],
    )

    assert [call[0] for call in calls] == ["create_broker", "created"]
    assert (result["rebooted"], result["broker"]["name"]) == (False, "orders")


def test_a_name_is_free_when_the_broker_is_gone():
    leaving = {**ANSWER, "BrokerState": "DELETION_IN_PROGRESS"}
    new = {
        "broker_name": "orders",
        "deployment_mode": "SINGLE_INSTANCE",
        "host_instance_type": "mq.m5.large",
        "users": [{"username": "app", "password": "app-Passw0rd-lab"}],
    }

    assert [call[0] for call in go(leaving, broker_id=None, **new)[1]] == ["gone", "create_broker", "created"]
    with pytest.raises(BrokerError, match="is being deleted"):
        go(leaving, broker_id=None, wait=False, **new)
    assert go(leaving, "absent")[0]["changed"] is False


@pytest.mark.parametrize(
    ("state", "more", "message"),
    [
        ("rebooted", {"logs": {"general": True}, "users": []}, "takes no logs, users"),
        ("rebooted", {"reboot": "never"}, "contradicts itself"),
    ],
)
def test_options_that_contradict(state, more, message):
    with pytest.raises(BrokerError, match=message):
        go(ANSWER, state, **more)
