# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules against the lab's AWS API, in this process: the API on a loopback port, brokers on paper, no root."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from lab.aws import Serving, serving

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def aws() -> Iterator[Serving]:
    """The API, with nothing in it."""
    with serving() as served:
        yield served


@pytest.fixture
def run(aws: Serving, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A function that runs a module's main() and returns its result: ``run(broker_info, broker_name="orders")``.

    ``check`` and ``diff`` are the modes of that name.
    """
    for name, value in aws.environment.items():
        monkeypatch.setenv(name, value)

    def run(module: ModuleType, *, check: bool = False, diff: bool = False, **args: Any) -> dict[str, Any]:
        modes = {"_ansible_check_mode": check, "_ansible_diff": diff}
        with patch_module_args({**args, **modes}), pytest.raises(SystemExit):
            module.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return run
