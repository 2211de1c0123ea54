# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module around a view."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.testing import patch_module_args

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
    def __init__(self, result):
        self.result = result

    def sample(self):
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


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


def test_a_view_that_fails_says_which_and_why(capsys, monkeypatch):
    result = run(capsys, monkeypatch, ViewError("jolokia", "http://x", "refused", transient=True), password="secret")

    assert result["failed"]
    assert result["msg"] == "jolokia view of http://x: refused"
    assert result["view_error"]["transient"] is True
    assert "secret" not in json.dumps(result)


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
