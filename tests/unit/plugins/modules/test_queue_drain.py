# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module around the drain engine."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import QUEUE, Destination, Overview, Sample
from ansible_collections.mqlift.amazon_mq.plugins.modules import queue_drain


class FakeView:
    def __init__(self, pending):
        self.pending = pending

    def sample(self):
        queue = Destination("orders", QUEUE, self.pending, 0, 5, 5, 0, 0, False)
        return Sample(1.5, "jolokia", "http://x", Overview("ID:1", "onprem"), [queue], 0, 0, 0, (), 0)

    def overview(self):
        return self.sample().overview


class FakeTime:
    now = 0.0

    @classmethod
    def monotonic(cls):
        return cls.now

    @classmethod
    def sleep(cls, seconds):
        cls.now += seconds


@pytest.fixture
def run(capsys, monkeypatch):
    def run_module(pending=0, **args):
        monkeypatch.setattr(queue_drain, "open_view", lambda options: FakeView(pending))
        monkeypatch.setattr(queue_drain, "time", FakeTime)
        with patch_module_args({"view": {"url": "http://x"}, **args}), pytest.raises(SystemExit):
            queue_drain.main()
        return json.loads(capsys.readouterr().out)

    return run_module


def test_drained(run):
    result = run(stable_for=2)

    assert result["drained"] is True
    assert result["changed"] is False
    assert result["samples"] == 3
    assert "failed" not in result or not result["failed"]


def test_not_drained_fails_with_the_same_keys(run):
    drained, stalled = run(), run(pending=3, stall_timeout=5)

    assert stalled["failed"]
    assert stalled["reason"] == "stalled"
    assert stalled["remaining"][0]["cause"] == "no_consumer"
    assert drained.keys() - {"invocation"} <= stalled.keys()


def test_check_mode_does_not_wait(run):
    result = run(pending=3, _ansible_check_mode=True)

    assert (result["reason"], result["samples"], result["elapsed"]) == ("check_mode", 1, 0.0)


def test_options_that_make_no_sense(run):
    assert "stable_for" in run(stable_for=10, timeout=10)["msg"]
