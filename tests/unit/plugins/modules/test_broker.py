# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module around the engines: its options reach them, and secrets stay inside."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._broker_apply import DESCRIBING
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._broker_wait import NoWait, Wait
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._probe import Probe
from ansible_collections.mqlift.amazon_mq.plugins.modules import broker

PARAMS = {
    **dict.fromkeys(broker.SPEC),
    "state": "present",
    "wait": True,
    "wait_timeout": 60,
    "poll_interval": 0.5,
    "probe": False,
    "purge_tags": True,
}


class FakeApi:
    def watch(self, broker_id):
        return {
            "BrokerId": broker_id,
            "BrokerState": "RUNNING",
            "BrokerInstances": [{"Endpoints": ["ssl://h-1.x:61617"]}],
        }


def test_every_option_is_either_about_the_run_or_about_the_broker():
    run = {"broker_id", "broker_name", "state", "reboot", "wait", "wait_timeout", "poll_interval", "probe", "ca_file"}

    assert set(broker.SPEC) == run | set(DESCRIBING) | {"purge_tags"}
    documented = yaml.safe_load(broker.DOCUMENTATION)["options"]
    assert set(broker.SPEC) == set(documented) | {"tags", "purge_tags"}


def test_passwords_are_secrets():
    assert broker.SPEC["users"]["options"]["password"]["no_log"]
    assert broker.SPEC["ldap_server_metadata"]["options"]["service_account_password"]["no_log"]


def test_nothing_has_a_default_that_is_about_the_broker():
    for name in DESCRIBING:
        assert "default" not in broker.SPEC[name]
        assert not any("default" in option for option in broker.SPEC[name].get("options", {}).values())


def test_options_of_a_run():
    options = broker.options_of({**PARAMS, "broker_name": "orders", "engine_version": "5.18", "reboot": "always"})

    assert (options.broker_id, options.broker_name, options.reboot, options.wait) == (None, "orders", "always", True)
    assert {name for name, value in options.wanted.items() if value is not None} == {
        "broker_name",
        "engine_version",
        "purge_tags",
    }


def test_who_waits():
    assert isinstance(broker.waiting(FakeApi(), PARAMS, check_mode=True), NoWait)
    assert isinstance(broker.waiting(FakeApi(), {**PARAMS, "wait": False}, check_mode=False), NoWait)
    assert isinstance(broker.waiting(FakeApi(), PARAMS, check_mode=False), Wait)


def test_the_openwire_endpoints_are_probed(monkeypatch):
    looked = []
    monkeypatch.setattr(broker, "probe", lambda url, ca_file: looked.append((url, ca_file)) or Probe(True, "x"))
    monkeypatch.setattr(broker, "trust", lambda ca_file: None)

    broker.waiting(FakeApi(), {**PARAMS, "probe": True, "ca_file": "/ca.pem"}, check_mode=False).created("b-1")

    assert looked == [("ssl://h-1.x:61617", "/ca.pem")]


def test_an_unreadable_ca_file():
    with pytest.raises(OSError, match="No such file"):
        broker.waiting(FakeApi(), {**PARAMS, "probe": True, "ca_file": "/nowhere.pem"}, check_mode=False)


def test_the_diff_is_there_when_it_is_asked_for():
    class Run:
        def result(self):
            return {"changed": True, "diff": {}}

    assert broker.result(Run(), diff=False) == {"changed": True}
    assert broker.result(Run(), diff=True) == {"changed": True, "diff": {}}
