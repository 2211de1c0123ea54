# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module around configurations."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from botocore.exceptions import ClientError

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _configuration_plan as plan
from ansible_collections.mqlift.amazon_mq.plugins.modules import broker_configuration

CORE = "http://activemq.apache.org/schema/core"
BRIDGE = '<networkConnectors><networkConnector password="geheim"/></networkConnectors>'
LOSSY = f'<broker xmlns="{CORE}"><sslContext/>{BRIDGE}</broker>'
SETTINGS = {"region": "us-east-2"}


def run(capsys, **args):
    with patch_module_args(SETTINGS | args), pytest.raises(SystemExit):
        broker_configuration.main()
    told = capsys.readouterr().out
    return json.loads(told), told


@pytest.fixture
def no_api(monkeypatch):
    def connect(module):
        pytest.fail("the API is asked")

    monkeypatch.setattr(broker_configuration, "connect", connect)


@pytest.mark.usefixtures("no_api")
def test_checking_asks_no_api(capsys):
    result, told = run(capsys, state="checked", data=LOSSY.replace(">", ' keepDurableSubsActive="maybe">', 1))

    assert not result["changed"]
    assert [one["name"] for one in result["removed"]] == ["broker/sslContext", "networkConnector@password"]
    assert result["removed"][1] == {
        "name": "networkConnector@password",
        "kind": "attribute",
        "element": "networkConnector",
        "attribute": "password",
        "path": "/broker/networkConnectors/networkConnector/@password",
        "reason": "DISALLOWED_ATTRIBUTE_REMOVED",
    }
    assert result["rejected"] == [{"path": "/broker/@keepDurableSubsActive", "message": "has to be true or false"}]
    assert "geheim" not in told


@pytest.mark.usefixtures("no_api")
@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"state": "checked"}, "data"),
        ({"state": "present"}, "name, configuration_id"),
        ({"state": "absent"}, "name, configuration_id"),
        ({"state": "checked", "data": "<broker"}, "cannot be read"),
    ],
)
def test_options_that_make_no_sense(capsys, args, message):
    result, _told = run(capsys, **args)

    assert result["failed"]
    assert message in result["msg"]


def test_a_refusal_tells_what_it_is_about(capsys, monkeypatch):
    class Api:
        def configurations(self):
            return []

    monkeypatch.setattr(broker_configuration, "connect", lambda module: Api())

    result, told = run(capsys, name="orders", data=LOSSY, accept_removed=["broker/sslContext"])

    assert result["failed"]
    assert "would remove from the data" in result["msg"]
    assert len(result["removed"]) == 2
    assert result["rejected"] == []
    assert "geheim" not in told


def test_one_in_use_is_not_deleted(capsys, monkeypatch):
    def absent(api, wanted, check_mode):
        error = ClientError({"Error": {"Code": "ConflictException", "Message": "x"}}, "DeleteConfiguration")
        raise AnsibleAWSError(message="Failed to delete the configuration c-1", exception=error)

    monkeypatch.setattr(broker_configuration, "connect", lambda module: None)
    monkeypatch.setattr(plan, "absent", absent)

    result, _told = run(capsys, name="orders", state="absent")

    assert result["msg"].startswith("Failed to delete the configuration c-1: a broker has it, or takes it at its next")


@pytest.mark.parametrize("diff", [True, False])
def test_the_result(capsys, monkeypatch, diff):
    def present(api, wanted, check_mode):
        assert (wanted.tags, wanted.purge_tags, check_mode) == ({"a": "1"}, True, True)
        return plan.Outcome(True, {"id": "c-1", "latest_revision": 3}, [], "old\n", "new\n")

    monkeypatch.setattr(broker_configuration, "connect", lambda module: None)
    monkeypatch.setattr(plan, "present", present)

    result, _told = run(capsys, name="orders", tags={"a": 1}, _ansible_check_mode=True, _ansible_diff=diff)

    assert (result["changed"], result["revision"], result["configuration"]["id"]) == (True, 3, "c-1")
    assert result.get("diff") == ({"before": "old\n", "after": "new\n"} if diff else None)
