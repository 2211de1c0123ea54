# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module around a failover test: what it asks of the API, what it refuses, what it leaves for the action."""

from __future__ import annotations

import json
import os

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover import Event
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_run import (
    FAILOVER_SPEC,
    FailoverError,
    State,
    StateError,
)
from ansible_collections.mqlift.amazon_mq.plugins.modules import broker_failover

BROKER = {"id": "b-1", "endpoints": {"stomp": ["stomp+ssl://one:61614", "stomp+ssl://two:61614"]}}


def params(**given):
    defaults = {name: spec.get("default") for name, spec in FAILOVER_SPEC.items()}
    limits = {name: spec.get("default") for name, spec in FAILOVER_SPEC["limits"]["options"].items()}
    view = {"type": "jolokia", "url": ["http://a/api/jolokia"], "timeout": 1.0, "validate_certs": True}
    access = {"username": "app", "password": "secret", "limits": {**limits, **given.pop("limits", {})}}
    return {**defaults, **access, "view": {**dict.fromkeys(("username", "password", "ca_file")), **view}, **given}


class FakeApi:
    def __init__(self, answer=None, error=None):
        self.answer, self.error = answer, error

    def describe(self, broker_id):
        if self.error:
            raise self.error
        return self.answer

    def reboot(self, broker_id):
        if self.error:
            raise self.error


def prepare(**given):
    return broker_failover.prepare(params(**given), BROKER, FakeApi(), lambda event: None)


def test_the_endpoints_are_those_of_the_api_and_a_pair_has_to_fail_over():
    test = prepare()

    assert [monitor.url for monitor in test._monitors] == BROKER["endpoints"]["stomp"]
    assert test._options.limits.min_failovers == 1
    assert test._options.reboot


def test_a_single_instance_need_not_fail_over_and_limits_are_the_users():
    test = prepare(endpoints=["stomp://one:61613"], limits={"max_outage": 7.0})

    assert test._options.limits.min_failovers == 0
    assert test._options.limits.max_outage == 7.0


def test_an_endpoint_of_another_protocol_is_refused():
    with pytest.raises(FailoverError, match="not for STOMP"):
        prepare(endpoints=["ssl://one:61617"])


def test_a_broker_without_endpoints_is_refused():
    with pytest.raises(FailoverError, match="no STOMP endpoints"):
        broker_failover.prepare(params(), {"id": "b-1", "endpoints": {"stomp": []}}, FakeApi(), lambda event: None)


def test_a_file_of_authorities_that_is_not_there_is_told_before_anything_happens(tmp_path):
    with pytest.raises(FileNotFoundError):
        prepare(ca_file=str(tmp_path / "none.pem"))


def test_the_state_is_in_the_words_of_the_test():
    answer = {"BrokerId": "b-1", "BrokerState": "CRITICAL_ACTION_REQUIRED", "PendingEngineVersion": "5.19"}
    answer["ActionsRequired"] = [{"ActionRequiredCode": "BROKER_OOM", "ActionRequiredInfo": "memory"}]

    state = broker_failover.Amazon(FakeApi(answer), "b-1").state()

    assert state == State("CRITICAL_ACTION_REQUIRED", True, ["BROKER_OOM"])


def test_errors_of_the_api_are_in_the_words_of_the_test():
    amazon = broker_failover.Amazon(FakeApi(error=AnsibleAWSError(message="slow down")), "b-1")

    with pytest.raises(StateError, match="slow down"):
        amazon.state()
    with pytest.raises(FailoverError, match="slow down"):
        amazon.reboot()
    with pytest.raises(StateError, match="no broker with the id 'b-1'"):
        broker_failover.Amazon(FakeApi(), "b-1").state()


def test_the_progress_is_for_the_owner_only_and_says_when_it_is_over(tmp_path):
    path = tmp_path / "progress"
    with broker_failover.Progress(str(path)) as progress:
        progress.tell(Event(1.5, "up", "one"))

    assert path.stat().st_mode & 0o777 == 0o600
    assert [json.loads(line)["event"] for line in path.read_text().splitlines()] == ["up", "end"]
    with pytest.raises(FileExistsError):
        broker_failover.Progress(str(path))


def test_a_full_disk_does_not_end_the_test():
    # What is written there has no room, ever.
    progress = broker_failover.Progress(None)
    progress._descriptor = os.open("/dev/full", os.O_WRONLY)
    progress.tell(Event(1.5, "up", "one"))
    os.close(progress._descriptor)


def test_without_the_action_there_is_no_progress():
    with broker_failover.Progress(None) as progress:
        progress.tell(Event(1.5, "up", "one"))
