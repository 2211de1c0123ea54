# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that is given up."""

from __future__ import annotations

import threading

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._bounded import OutOfTimeError, within


def test_what_is_returned():
    assert within(5, lambda: 3) == 3


def test_what_is_raised_is_handed_over():
    error = ValueError("no")

    def work():
        raise error

    with pytest.raises(ValueError, match="no") as caught:
        within(5, work)
    assert caught.value is error


def test_what_takes_too_long_is_given_up():
    release = threading.Event()

    with pytest.raises(OutOfTimeError):
        within(0.05, lambda: release.wait(30))
    release.set()
