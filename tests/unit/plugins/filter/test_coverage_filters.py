# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters about coverage: what they refuse; the rest is in module_utils/test_coverage.py."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mqlift.amazon_mq.plugins.filter import coverage_needs, coverage_problems, live_queues

problems = coverage_problems.FilterModule().filters()["coverage_problems"]
needs = coverage_needs.FilterModule().filters()["coverage_needs"]
live = live_queues.FilterModule().filters()["live_queues"]

DESTINATIONS = [
    {"name": "orders", "kind": "queue", "pending": 0, "consumers": 1, "bridges": 0},
    {"name": "late", "kind": "queue", "pending": 4, "consumers": 0},
]


def test_live_queues():
    assert live(DESTINATIONS) == ["late", "orders"]


def test_problems():
    assert problems([{"destinations": DESTINATIONS}], ["old"], ["late"]) == ["broker old: no consumer for late"]


def test_problems_of_what_holds_messages_only():
    served = {"name": "served", "kind": "queue", "pending": 0, "consumers": 0}

    assert problems([{"destinations": [served]}], ["old"], ["served"], [], True) == []


def test_problems_of_what_a_view_cannot_know():
    result = {"destinations": DESTINATIONS, "unknowns": ["destinations", "durable_subscriptions"]}

    assert problems([result], ["old"], [], [], False, ["destinations"], True) == [
        "broker old: the view cannot know durable_subscriptions"
    ]


def test_needs():
    assert needs(DESTINATIONS, [], "both_source_first") == {
        "source": {"queues": ["late", "orders"], "subscriptions": []},
        "target": {"queues": ["late", "orders"], "subscriptions": []},
    }


@pytest.mark.parametrize(
    ("function", "args"),
    [
        (live, ([{"nonsense": 1}],)),
        (live, (["orders"],)),
        (needs, ([{"nonsense": 1}], [], "source")),
        (needs, ([], [], "nowhere")),
        (needs, ([], [], "source", "orders")),
        (problems, ([{}], "old", ["orders"])),
        (problems, ([{}], ["old", "new"], ["orders"])),
        (problems, ([{}], ["old"], "orders")),
        (problems, ([{}], ["old"], [], "t/c/s")),
        (problems, ([{}], ["old"], [], [], False, "bridges")),
        (problems, ([{}], ["old"], [], [], False, ["scheduled"])),
        (problems, ([{"destinations": [{}]}], ["old"], ["orders"])),
    ],
)
def test_what_is_not_from_queue_info_is_refused(function, args):
    with pytest.raises(AnsibleFilterError):
        function(*args)
