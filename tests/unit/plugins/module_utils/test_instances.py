# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several URLs of one broker."""

from __future__ import annotations

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._instances import Instances, check_url
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import ViewError

ONE, TWO = "http://one", "http://two"


def refused(url, transient):
    return ViewError("console", url, "refused", transient)


def test_the_first_that_answers_is_asked_first_from_then_on():
    instances, asked = Instances("console", [ONE, TWO], ("http",)), []

    def ask(url):
        asked.append(url)
        if url == ONE:
            raise refused(url, True)
        return url

    assert [instances.first(ask), instances.first(ask)] == [TWO, TWO]
    assert asked == [ONE, TWO, TWO]


def test_what_needs_a_person_is_told_at_once():
    def ask(url):
        raise refused(url, False)

    with pytest.raises(ViewError, match=r"^console view of http://one: refused$"):
        Instances("console", [ONE, TWO], ("http",)).first(ask)


def test_all_reasons_are_told():
    def ask(url):
        raise refused(url, True)

    with pytest.raises(ViewError, match=r"no instance answers \(http://one: refused; http://two: refused\)") as caught:
        Instances("console", [ONE, TWO], ("http",)).first(ask)
    assert caught.value.transient


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://admin:secret@one", "credentials belong"),
        ("ftp://one", "scheme http or https"),
        ("http://", "scheme http or https"),
        ("http://one:99999", "not a URL"),
        ("http://[::1", "not a URL"),
        ("one:8161", "scheme http or https"),
    ],
)
def test_urls_that_make_no_sense(url, reason):
    with pytest.raises(ValueError, match=reason) as caught:
        check_url(url, ("http", "https"))
    assert "secret" not in str(caught.value)


def test_a_url_is_needed():
    with pytest.raises(ValueError, match=r"view\.url: at least one"):
        Instances("console", [], ("http",))
