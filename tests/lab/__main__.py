# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the lab's command line."""

from __future__ import annotations

import signal
import sys
from types import FrameType


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


# First of all: a signal may also come while the rest is being loaded.
try:
    signal.signal(signal.SIGTERM, _interrupt)
    from lab.cli import main

    status = main()
except KeyboardInterrupt:
    print("lab: interrupted", file=sys.stderr)
    status = 1
sys.exit(status)
