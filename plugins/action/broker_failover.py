# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import shlex
import time
import uuid
from collections.abc import Iterator
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover import Event, line
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_run import FAILOVER_SPEC

display = Display()

MODULE = "mqlift.amazon_mq.broker_failover"
#: Seconds that the job may take beyond what the test itself allows itself.
SPARE = 300
#: Seconds from one look at the progress to the next, and from one question whether the job still runs to the next.
LOOK = 1.0
ASK = 15.0
#: Seconds for which the host may be out of reach before the test is given up.
OUT_OF_REACH = 120.0
MAX_PIECE = 65536
#: What the last line of the progress contains.
END = b'"event": "end"'


class ActionModule(ActionBase):
    """The twin of the module: runs it as a job on the task's host, and prints what happens there as it happens."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        if self._task.check_mode:
            return dict(self._execute_module(module_name=MODULE, task_vars=task_vars))
        # Beside what the job itself writes: both belong to the user who runs it.
        self._folder = self._remote_expand_user(self.get_shell_option("async_dir", default="~/.ansible_async"))
        path = self._connection._shell.join_path(self._folder, f"mqlift-{uuid.uuid4().hex}")
        job = self._start(path, task_vars)
        try:
            return self._follow(job, path, task_vars)
        finally:
            self._tidy(job, path, task_vars)

    def _start(self, path: str, task_vars: dict[str, Any] | None) -> str:
        """Start the module as a job; its id."""
        # A wrapped module is what a task with async is; this task has none, so it lends itself the time limit.
        self._task.async_val = self._time_limit()
        try:
            started = self._execute_module(
                module_name=MODULE,
                module_args={**self._task.args, "_progress": path},
                task_vars=task_vars,
                wrap_async=True,
            )
        finally:
            self._task.async_val = 0
        if not started.get("ansible_job_id"):
            raise AnsibleActionFail(
                f"the test could not be started: {started.get('msg', 'no message')}", result=started
            )
        return str(started["ansible_job_id"])

    def _time_limit(self) -> int:
        """Seconds after which the job is ended, whatever it does."""
        try:
            given = {
                name: float(self._task.args.get(name, FAILOVER_SPEC[name]["default"]))
                for name in ("warm_up", "timeout", "recover_timeout")
            }
        except (TypeError, ValueError):
            return SPARE  # the module tells what is wrong
        # Both the consumers and the canary may take the time to recover.
        return int(given["warm_up"] + given["timeout"] + 2 * given["recover_timeout"]) + SPARE

    def _follow(self, job: str, path: str, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """Print what happens until the job has ended; what it returned."""
        offset, begin, over, heard, asked = 0, 0.0, False, time.monotonic(), time.monotonic()
        while True:
            try:
                piece = self._read(path, offset)
                over = over or END in piece
                if over or time.monotonic() - asked >= ASK:
                    asked = time.monotonic()
                    status = self._ask(job, "status", task_vars)
                    if status.get("failed") and "finished" not in status:
                        raise AnsibleActionFail(f"the test is lost: {status.get('msg', 'no message')}", result=status)
                    if status.get("finished"):
                        for event in events(piece + self._read(path, offset + len(piece))):
                            begin = self._show(event, begin)
                        return {key: value for key, value in status.items() if key not in HIDDEN}
            except AnsibleConnectionFailure as exc:
                if time.monotonic() - heard > OUT_OF_REACH:
                    raise AnsibleActionFail(
                        f"the host that runs the test is out of reach, and the test may still run there: {exc}"
                    ) from exc
                time.sleep(LOOK)
                continue
            heard = time.monotonic()
            whole = piece.rpartition(b"\n")[0]
            offset += len(whole) + bool(whole)
            for event in events(whole):
                begin = self._show(event, begin)
            time.sleep(LOOK)

    def _ask(self, job: str, mode: str, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """What becomes of the job."""
        arguments = {"jid": job, "mode": mode, "_async_dir": self._folder}
        answer: dict[str, Any] = self._execute_module(
            module_name="ansible.legacy.async_status", module_args=arguments, task_vars=task_vars
        )
        return answer

    def _read(self, path: str, offset: int) -> bytes:
        """What was added to the progress file. Raises AnsibleConnectionFailure."""
        command = f"tail -c +{offset + 1} -- {shlex.quote(path)} 2>/dev/null | head -c {MAX_PIECE}"
        answer = self._low_level_execute_command(command)
        # Where ssh has a terminal, it ends lines in its own way.
        return str(answer.get("stdout", "")).replace("\r\n", "\n").encode()

    def _show(self, event: Event, begin: float) -> float:
        """Print an event; when the test began."""
        begin = begin or event.at
        if event.event != "end":
            display.display(f"  {line(event, begin)}")
        return begin

    def _tidy(self, job: str, path: str, task_vars: dict[str, Any] | None) -> None:
        try:
            self._low_level_execute_command(f"rm -f -- {shlex.quote(path)}")
            self._ask(job, "cleanup", task_vars)
        except AnsibleConnectionFailure as exc:
            display.warning(f"what the test wrote in {path} could not be removed: {exc}")


#: What belongs to the job and not to the test.
HIDDEN = frozenset({"ansible_job_id", "results_file", "started", "finished", "erased", "stdout", "stderr"})


def events(piece: bytes) -> Iterator[Event]:
    """The events in whole lines; what is none is passed over."""
    for text in piece.splitlines():
        try:
            record = json.loads(text)
            yield Event(float(record["at"]), str(record["event"]), str(record["host"]), str(record["detail"]))
        except (ValueError, KeyError, TypeError):
            continue
