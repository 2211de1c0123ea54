# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._drain import (
    DRAIN_SPEC,
    Drain,
    DrainError,
    Options,
    Progress,
    Verdict,
    check,
    outcome,
    wait,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import (
    Overview,
    Sample,
    ViewError,
    sample_from_dict,
    shown,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._views import VIEW_SPEC, open_view, settled, where

display = Display()


class ActionModule(ActionBase):
    """The twin of the module: judges here and prints live lines, observes by queue_info on the task's host."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _validation, params = self.validate_argument_spec(argument_spec={"view": VIEW_SPEC, **DRAIN_SPEC})
        view = {name: params["view"][name] for name in VIEW_SPEC["options"] if params["view"][name] is not None}
        progress = Progress(time.monotonic)

        def take() -> Sample:
            sample = sample_from_dict(self._observe(view, task_vars))
            view.update(settled(view, sample))
            return sample

        def glance() -> Overview:
            return Overview(**self._observe(view, task_vars, broker_only=True)["broker"])

        def tell(verdict: Verdict) -> None:
            for line in progress.lines(verdict):
                display.display(f"  {line}")

        try:
            # Only checks the options here, before any message could repeat a URL that holds credentials.
            open_view(params["view"])
            drain = Drain(Options.from_params(params), time.monotonic)
            if self._task.check_mode:
                verdict = check(drain, take)
                tell(verdict)
            else:
                verdict = wait(drain, take, time.sleep, tell, glance)
        except (DrainError, ValueError) as exc:
            raise AnsibleActionFail(str(exc)) from exc
        return outcome(drain, verdict)

    def _observe(self, view: Mapping[str, Any], task_vars: dict[str, Any] | None, **options: bool) -> dict[str, Any]:
        """What queue_info answers. Raises ViewError."""
        try:
            result: dict[str, Any] = self._execute_module(
                module_name="mqlift.amazon_mq.queue_info",
                module_args={"view": dict(view), **options},
                task_vars=task_vars,
            )
        except AnsibleConnectionFailure as exc:
            raise ViewError(*where(view), f"the host that observes is not reachable: {exc}", transient=True) from exc
        if result.get("failed"):
            error = result.get("view_error")
            if isinstance(error, Mapping):
                raise ViewError(**error)
            raise ViewError(*where(view), shown(str(result.get("msg"))))
        return result
