# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module makes of an outcome."""

from __future__ import annotations

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._user_plan import Outcome
from ansible_collections.mqlift.amazon_mq.plugins.modules import broker_user

USER = {"username": "app", "console_access": False, "groups": [], "replication_user": False}


def test_a_change_that_waits_comes_with_a_hint():
    found = broker_user.result(Outcome(True, USER, "CREATE", {}, USER), "app", diff=True)

    assert (found["changed"], found["user"], found["pending"], found["pending_change"]) == (True, USER, True, "CREATE")
    assert "user app works after the next reboot" in found["hint"]
    assert found["diff"] == {"before": {}, "after": USER}


def test_nothing_waits():
    found = broker_user.result(Outcome(False, USER, None, USER, USER), "app", diff=False)

    assert (found["pending"], found["hint"]) == (False, None)
    assert "diff" not in found
