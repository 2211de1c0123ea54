# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From options to a view."""

from __future__ import annotations

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._auto import AutoView
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._cloudwatch import CloudWatchView
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._console import ConsoleView
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._jolokia import JolokiaView
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import (
    CAPABILITIES,
    Overview,
    Sample,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._statistics import StatisticsView
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._views import (
    VIEW_SPEC,
    jolokia_urls,
    open_view,
    settled,
    where,
)

JOLOKIA, STATISTICS, CONSOLE = "http://b:8161/api/jolokia", "stomp+ssl://b:61614", "http://b:8161/admin"
OPTIONS = {
    "type": "jolokia",
    "url": [JOLOKIA],
    "username": "",
    "password": "",
    "ca_file": None,
    "validate_certs": True,
    "timeout": 10.0,
}


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({}, JolokiaView),
        ({"type": "statistics", "url": [STATISTICS]}, StatisticsView),
        ({"type": "console", "url": [CONSOLE]}, ConsoleView),
        ({"type": "cloudwatch", "broker_name": "orders", "region": "us-east-2"}, CloudWatchView),
        ({"type": "auto", "url": [CONSOLE, STATISTICS, JOLOKIA]}, AutoView),
    ],
)
def test_every_kind_can_be_opened_and_says_what_it_can_know(options, kind):
    view = open_view({**OPTIONS, **options})

    assert isinstance(view, kind)
    assert view.capabilities <= set(CAPABILITIES)


def test_the_choices_are_the_kinds():
    assert VIEW_SPEC["options"]["type"]["choices"] == ["jolokia", "statistics", "console", "cloudwatch", "auto"]
    needs = {choice: needed for _type, choice, needed in VIEW_SPEC["required_if"]}
    assert set(needs) == set(VIEW_SPEC["options"]["type"]["choices"])


def test_auto_tries_what_knows_most_first():
    view = open_view({**OPTIONS, "type": "auto", "url": [CONSOLE, STATISTICS, JOLOKIA]})

    assert [type(one) for one in view._views] == [JolokiaView, StatisticsView, ConsoleView]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout": 0}, r"view\.timeout"),
        ({"type": "auto", "url": []}, r"view\.url: at least one"),
        ({"type": "statistics"}, "scheme stomp or stomp\\+ssl"),
        ({"type": "console", "url": [STATISTICS]}, "scheme http or https"),
        ({"type": "cloudwatch", "broker_name": "orders", "profile": "nobody-has-this"}, "nobody-has-this"),
    ],
)
def test_options_that_make_no_sense(options, message):
    with pytest.raises(ValueError, match=message):
        open_view({**OPTIONS, **options})


def test_the_credentials_for_stomp_are_those_of_the_console_unless_others_are_given():
    options = {**OPTIONS, "type": "statistics", "url": [STATISTICS], "username": "a", "password": "b"}

    one, other = open_view(options), open_view({**options, "stomp_username": "c", "stomp_password": "d"})

    assert (one._username, one._password, other._username, other._password) == ("a", "b", "c", "d")


def sample(view, url):
    return Sample(1.0, view, url, Overview(None, None), [])


def test_the_instance_that_answered_is_asked_first_next_time():
    options = {"type": "jolokia", "url": ["http://one", "http://two"]}

    assert settled(options, sample("jolokia", "http://two"))["url"] == ["http://two", "http://one"]


def test_auto_stays_with_the_view_that_answered():
    options = {"type": "auto", "url": [JOLOKIA, "stomp://a", "stomp://b", CONSOLE]}

    after = settled(options, sample("statistics", "stomp://b"))

    assert after == {"type": "statistics", "url": ["stomp://b", "stomp://a"]}


def test_a_view_without_a_url_stays_as_it_is():
    options = {"type": "cloudwatch", "broker_name": "orders"}

    assert settled(options, sample("cloudwatch", "https://monitoring.example")) == options
    assert where(options) == ("cloudwatch", "orders")


def test_who_else_reads_jolokia_finds_its_urls():
    assert jolokia_urls(OPTIONS) == [JOLOKIA]
    assert jolokia_urls({"type": "auto", "url": [CONSOLE, JOLOKIA]}) == [JOLOKIA]
    assert jolokia_urls({"type": "console", "url": [CONSOLE]}) == []
