# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""Work that is given up when its time is over."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class OutOfTimeError(Exception):
    """The work took too long."""


def within(timeout: float, work: Callable[[], T]) -> T:
    """Return what ``work`` returns, or raise what it raises.

    It runs in a thread of its own, which does not keep the process alive.

    :raises OutOfTimeError: after ``timeout`` seconds.
    """
    results: list[T] = []
    failures: list[Exception] = []

    def run() -> None:
        try:
            results.append(work())
        except Exception as exc:  # noqa: BLE001 - nothing is swallowed: within() raises it in the caller's thread
            failures.append(exc)

    worker = threading.Thread(target=run, daemon=True)
    worker.start()
    worker.join(timeout)
    for failure in failures:
        raise failure
    for result in results:
        return result
    raise OutOfTimeError
