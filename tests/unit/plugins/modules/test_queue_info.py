# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module around a view."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _drain
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._auto import AutoView
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import (
    QUEUE,
    Destination,
    Overview,
    Sample,
    ViewError,
)
from ansible_collections.mqlift.amazon_mq.plugins.modules import queue_info

SAMPLE = Sample(1.5, "jolokia", "http://x", Overview("ID:1", "onprem"), [Destination("{{ 1 + 1 }}", QUEUE, 3)])


class FakeView:
    kind = "jolokia"
    capabilities = frozenset({"pending", "consumers"})

    def __init__(self, result):
        self.result = result

    def sample(self):
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    def overview(self):
        return self.sample().overview


def run(capsys, monkeypatch, result, **view):
    """Run the module; its result."""
    if result is not None:
        monkeypatch.setattr(queue_info, "open_view", lambda options: FakeView(result))
    with patch_module_args({"view": {"url": "http://x", **view}}), pytest.raises(SystemExit):
        queue_info.main()
    return json.loads(capsys.readouterr().out)


def test_a_sample_is_returned_as_it_is(capsys, monkeypatch):
    result = run(capsys, monkeypatch, SAMPLE)

    assert result["changed"] is False
    assert result["broker"]["name"] == "onprem"
    assert result["destinations"][0]["name"] == "{{ 1 + 1 }}"
    assert result["destinations"][0]["consumers"] is None
    assert result["scheduled"] is None
    assert result["capabilities"] == ["consumers", "pending"]
    assert result["tried"] == []


def test_the_broker_only(capsys, monkeypatch):
    monkeypatch.setattr(queue_info, "open_view", lambda options: AutoView([FakeView(SAMPLE)]))
    with (
        patch_module_args({"view": {"url": "http://x", "type": "auto"}, "broker_only": True}),
        pytest.raises(SystemExit),
    ):
        queue_info.main()
    result = json.loads(capsys.readouterr().out)

    assert result["broker"]["name"] == "onprem"
    # Nobody can take it for a broker without queues.
    assert "destinations" not in result
    # The one that answered.
    assert result["view"] == "jolokia"


def test_a_view_that_fails_says_which_and_why(capsys, monkeypatch):
    result = run(capsys, monkeypatch, ViewError("jolokia", "http://x", "refused", transient=True), password="s3cr3t")

    assert result["failed"]
    assert result["msg"] == "jolokia view of http://x: refused"
    assert result["view_error"]["transient"] is True
    assert "s3cr3t" not in json.dumps(result)


def test_options_that_make_no_sense(capsys, monkeypatch):
    result = run(capsys, monkeypatch, None, url=["http://admin:secret@x"])

    assert result["failed"]
    assert "credentials" in result["msg"]
    assert "view_error" not in result


def test_the_url_may_be_given_as_urls(capsys, monkeypatch):
    seen = {}
    monkeypatch.setattr(queue_info, "open_view", lambda options: seen.update(options) or FakeView(SAMPLE))
    with patch_module_args({"view": {"urls": ["http://a", "http://b"]}}), pytest.raises(SystemExit):
        queue_info.main()

    assert seen["url"] == ["http://a", "http://b"]
    assert seen["validate_certs"] is True
    assert json.loads(capsys.readouterr().out)["view"] == "jolokia"


def narrowed(capsys, monkeypatch, query):
    """Run the module with a query; its result."""
    queues = [Destination(name, QUEUE, pending) for name, pending in (("a", 1), ("b", 0), ("c", 2))]
    monkeypatch.setattr(queue_info, "open_view", lambda options: FakeView(SAMPLE._replace(destinations=queues)))
    with patch_module_args({"view": {"url": "http://x"}, "query": query}), pytest.raises(SystemExit):
        queue_info.main()
    return json.loads(capsys.readouterr().out)


def test_a_query_narrows_the_destinations(capsys, monkeypatch):
    result = narrowed(capsys, monkeypatch, "[?pending > `0`]")

    assert [one["name"] for one in result["destinations"]] == ["a", "c"]


@pytest.mark.parametrize("query", ["[?", "length(@)", "[].name"])
def test_a_query_that_makes_no_sense(capsys, monkeypatch, query):
    result = narrowed(capsys, monkeypatch, query)

    assert result["failed"]
    assert result["msg"].startswith("query: ")


def test_a_query_without_jmespath(capsys, monkeypatch):
    monkeypatch.setattr(_drain, "jmespath", None)

    assert "jmespath" in narrowed(capsys, monkeypatch, "[]")["msg"]


@pytest.mark.parametrize(
    ("view", "missing"),
    [
        ({"type": "jolokia"}, "url"),
        ({"type": "statistics"}, "url"),
        ({"type": "console"}, "url"),
        ({"type": "auto"}, "url"),
        ({"type": "cloudwatch"}, "broker_name"),
        ({"type": "cloudwatch", "broker_name": "b", "access_key": "a"}, "secret_key"),
    ],
)
def test_an_option_that_a_kind_of_view_needs(capsys, view, missing):
    with patch_module_args({"view": view}), pytest.raises(SystemExit):
        queue_info.main()

    message = json.loads(capsys.readouterr().out)["msg"]
    assert missing in message
    assert "found in view" in message
