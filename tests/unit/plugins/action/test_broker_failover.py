# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action: runs the module as a job on the task's host, and prints what happens there."""

from __future__ import annotations

import json
import shlex
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure

from ansible_collections.mqlift.amazon_mq.plugins.action import broker_failover


def row(at, event, host="", detail=""):
    return json.dumps({"at": at, "event": event, "host": host, "detail": detail}) + "\n"


class Host:
    """The task's host: a job, and the file that it writes, which grows with each look."""

    def __init__(self, pieces, result, lost=0):
        self.pieces, self.result, self.lost = list(pieces), result, lost
        self.text, self.commands, self.modules = "", [], []

    def execute_module(self, module_name, module_args=None, task_vars=None, wrap_async=False):
        self.modules.append((module_name, module_args, wrap_async))
        if wrap_async:
            return {"ansible_job_id": "j1.2", "started": True, "finished": False}
        if module_name == "ansible.legacy.async_status" and module_args["mode"] == "status":
            return self.result if not self.pieces else {"started": True, "finished": False, "ansible_job_id": "j1.2"}
        return {"checked": True}

    def command(self, command):
        self.commands.append(command)
        if self.lost and command.startswith("tail"):
            self.lost -= 1
            raise AnsibleConnectionFailure("cable")
        if command.startswith("tail"):
            self.text += self.pieces.pop(0) if self.pieces else ""
            offset = int(shlex.split(command)[2].lstrip("+")) - 1
            return {"stdout": self.text[offset:]}
        return {"stdout": ""}


@pytest.fixture
def lines(monkeypatch):
    printed = []
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(clock, "monotonic", lambda: clock.now, raising=False)
    monkeypatch.setattr(clock, "sleep", lambda seconds: setattr(clock, "now", clock.now + seconds), raising=False)
    monkeypatch.setattr(broker_failover, "time", clock)
    monkeypatch.setattr(broker_failover, "display", SimpleNamespace(display=printed.append, warning=printed.append))
    return printed


def run(host, check_mode=False, **args):
    task = SimpleNamespace(args=args, check_mode=check_mode, async_val=0, diff=False, environment=None)
    shell = SimpleNamespace(tmpdir=None, join_path=lambda *parts: "/".join(parts))
    action = broker_failover.ActionModule(task, SimpleNamespace(_shell=shell), SimpleNamespace(), None, None, None)
    action._execute_module = host.execute_module
    action._low_level_execute_command = host.command
    action._remote_expand_user = lambda path: path.replace("~", "/home/me")
    action.get_shell_option = lambda name, default: default
    result = action.run(task_vars={})
    assert task.async_val == 0
    return result


DONE = {"finished": True, "ansible_job_id": "j1.2", "passed": True, "changed": True}


def test_what_happens_is_printed_as_it_happens_and_the_result_is_the_modules(lines):
    first = row(10, "reboot") + row(11.5, "down", "one", "closed by the broker")
    host = Host([first[:-20], first[-20:] + row(14, "up", "two"), row(20, "end")], DONE)

    result = run(host, broker_name="orders")

    assert result == {"passed": True, "changed": True}
    assert lines == [
        "      0.0 s  the reboot was asked for",
        "      1.5 s  one ceased to answer: closed by the broker",
        "      4.0 s  two answers",
    ]
    name, args, wrapped = host.modules[0]
    assert (name, wrapped) == ("mqlift.amazon_mq.broker_failover", True)
    assert args["broker_name"] == "orders"
    assert args["_progress"].startswith("/home/me/.ansible_async/mqlift-")


def test_a_terminal_that_ends_lines_in_its_own_way_loses_nothing(lines):
    rows = [row(10 + number, "note", "", f"number {number}") for number in range(5)]
    host = Host([*rows, row(20, "end")], DONE)
    plain = host.command
    host.command = lambda command: {"stdout": plain(command)["stdout"].replace("\n", "\r\n")}
    run(host)

    assert [text.rpartition(" ")[2] for text in lines] == ["0", "1", "2", "3", "4"]


def test_nothing_is_left_on_the_host(lines):
    host = Host([row(20, "end")], DONE)
    run(host)

    assert host.commands[-1].startswith("rm -f -- /home/me/.ansible_async/mqlift-")
    assert host.modules[-1][1]["mode"] == "cleanup"


def test_a_failure_is_the_modules(lines):
    failed = {"finished": True, "failed": True, "msg": "2 messages were lost", "ansible_job_id": "j1.2"}

    assert run(Host([row(20, "end")], failed))["msg"] == "2 messages were lost"


def test_a_host_out_of_reach_for_a_while_is_waited_for(lines):
    assert run(Host([row(20, "end")], DONE, lost=30))["passed"]


def test_a_host_out_of_reach_for_long_ends_the_wait(lines):
    with pytest.raises(AnsibleActionFail, match="may still run there"):
        run(Host([row(20, "end")], DONE, lost=1000))


def test_a_job_that_vanished_is_told(lines):
    host = Host([], {"failed": True, "msg": "could not find job"})

    with pytest.raises(AnsibleActionFail, match="could not find job"):
        run(host)


def test_a_job_that_cannot_be_started_is_told(lines):
    host = Host([], DONE)
    host.execute_module = lambda **dummy: {"failed": True, "msg": "no python"}

    with pytest.raises(AnsibleActionFail, match="no python"):
        run(host)


def test_lines_that_are_no_events_are_passed_over():
    piece = b'nonsense\n{"at": "x"}\n[]\n' + row(1, "up", "one").encode()

    assert [event.event for event in broker_failover.events(piece)] == ["up"]


def test_in_check_mode_no_job_is_started(lines):
    host = Host([], DONE)

    assert run(host, check_mode=True) == {"checked": True}
    assert host.modules == [("mqlift.amazon_mq.broker_failover", None, False)]


@pytest.mark.parametrize(("given", "limit"), [({}, 2225), ({"timeout": "100"}, 525), ({"timeout": "never"}, 300)])
def test_the_job_has_a_time_limit(given, limit, lines):
    host, seen = Host([row(20, "end")], DONE), []
    task = SimpleNamespace(args=given, check_mode=False, async_val=0, diff=False, environment=None)
    action = broker_failover.ActionModule(task, SimpleNamespace(_shell=None), SimpleNamespace(), None, None, None)
    action._execute_module = lambda **options: seen.append(task.async_val) or host.execute_module(**options)
    action._start("/path", {})

    assert seen == [limit]
