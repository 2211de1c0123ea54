# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action: judges on the controller, observes by queue_info on the task's host."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure, AnsibleError

from ansible_collections.mqlift.amazon_mq.plugins.action import queue_drain
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import (
    QUEUE,
    Destination,
    Overview,
    Sample,
    ViewError,
    sample_to_dict,
)


def answer(pending=0, url="http://a"):
    queue = Destination("orders", QUEUE, pending, 0, 5, 5, 0, 0, False)
    return sample_to_dict(Sample(1.5, "jolokia", url, Overview("ID:1", "onprem"), [queue], 0, 0, 0, (), 0))


class FakeTime:
    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def lines(monkeypatch):
    printed = []
    monkeypatch.setattr(queue_drain, "time", FakeTime())
    monkeypatch.setattr(queue_drain, "display", SimpleNamespace(display=printed.append))
    return printed


def run(answers, check_mode=False, view=None, **args):
    """Run the action with scripted answers of the module, the last one repeated; its result and the module's calls."""
    task = SimpleNamespace(
        args={"view": {"url": ["http://a", "http://b"]} if view is None else view, **args},
        check_mode=check_mode,
        async_val=0,
        diff=False,
        environment=None,
    )
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None))
    action = queue_drain.ActionModule(task, connection, SimpleNamespace(), None, None, None)
    left, calls = list(answers), []

    def execute(module_name, module_args, task_vars):
        calls.append((module_name, module_args["view"]))
        if module_args.get("broker_only"):
            calls[-1] = ("glance", module_args["view"])
            return {"broker": Overview("ID:1", "onprem", None, None, left[0]["destinations"][0]["pending"])._asdict()}
        item = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(item, Exception):
            raise item
        return item

    action._execute_module = execute
    return action.run(task_vars={}), calls


def test_it_waits_and_says_how_far_it_is(lines):
    result, calls = run([answer(5), answer(5), answer(5), answer(0)], stable_for=2)

    assert result["drained"]
    assert not result["failed"]
    assert not result["changed"]
    assert {name for name, _view in calls} == {"mqlift.amazon_mq.queue_info"}
    assert lines == [
        "  orders 5 left, no consumer",
        "  empty, has to stay so for 2 s",
        "  drained, empty for 2 s",
    ]


def test_a_large_broker_is_glanced_at_until_it_may_be_empty(lines):
    full, empty = answer(5), answer(0)
    for one in (full, empty):
        one["destinations"] += [dict(one["destinations"][0], name=f"idle{n}", pending=0) for n in range(1000)]

    result, calls = run([full, full, empty], stable_for=1)

    assert result["drained"]
    assert [name == "glance" for name, _view in calls] == [False, *[True] * 9, False, True, False, False]


def test_the_instance_that_answers_is_asked_first(lines):
    _result, calls = run([answer(url="http://b")], stable_for=0)

    assert [view["url"] for _name, view in calls] == [["http://a", "http://b"], ["http://b", "http://a"]]


def test_check_mode_looks_once(lines):
    result, calls = run([answer(5)], check_mode=True)

    assert len(calls) == 1
    assert (result["reason"], result["failed"]) == ("check_mode", False)


def test_a_view_that_fails_is_an_outage_and_ends(lines):
    error = ViewError("jolokia", "http://a", "refused", transient=True)

    result, _calls = run([{"failed": True, "msg": str(error), "view_error": error.to_dict()}], outage_limit=3)

    assert (result["failed"], result["reason"]) == (True, "error")
    assert "refused" in result["msg"]


def test_an_unreachable_host_is_an_outage(lines):
    result, _calls = run([AnsibleConnectionFailure("gone"), answer()], stable_for=1)

    assert result["drained"]


def test_a_module_that_fails_otherwise_is_told(lines):
    result, _calls = run([{"failed": True, "msg": "no python\x1b"}])

    assert result["failed"]
    assert "no python\\x1b" in result["msg"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"view": {}}, "url"),
        ({"view": {"url": "http://u:secret@x"}}, "credentials"),
        ({"stable_for": 10, "timeout": 10}, "stable_for"),
        ({"accept_unknown": ["everything"]}, "accept_unknown"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_run(lines, args, message):
    with pytest.raises(AnsibleError, match=message) as caught:
        run([AssertionError("must not be reached")], **args)

    assert isinstance(caught.value, AnsibleActionFail | AnsibleError)
    assert "secret" not in str(caught.value)
