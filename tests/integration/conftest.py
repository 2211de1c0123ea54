# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab of its own for each test that asks for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from lab import plan
from lab.guard import guarded
from lab.lab import Lab, exclusive

Up = Callable[..., Lab]


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    """A function that brings a lab up; arguments are those of Lab.up. The lab is taken down after the test."""
    lab = Lab(tmp_path / "lab")
    with ExitStack() as stack:

        def bring_up(name: str = "demo", **options: Any) -> Lab:
            stack.enter_context(exclusive(lab))
            stack.enter_context(guarded(lab))
            lab.up(plan.named(name), **options)
            return lab

        yield bring_up
