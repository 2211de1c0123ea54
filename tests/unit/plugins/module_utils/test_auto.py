# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The view that asks others."""

from __future__ import annotations

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._auto import AutoView
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import Overview, Sample, ViewError


class FakeView:
    def __init__(self, kind, *results):
        self.kind = kind
        self.capabilities = frozenset({kind})
        self.results = list(results)
        self.url = f"{kind}://x"

    def sample(self):
        if self.results and isinstance(self.results[0], bool):
            raise ViewError(self.kind, self.url, "no", transient=self.results.pop(0))
        return Sample(1.0, self.kind, self.url, Overview(None, None), [])

    def overview(self):
        return Overview(None, self.sample().view)


def test_the_first_that_answers_tells_why_others_did_not():
    view = AutoView([FakeView("a", False), FakeView("b", True), FakeView("c"), FakeView("d")])

    sample = view.sample()

    assert sample.view == "c"
    assert sample.tried == (
        {"view": "a", "url": "a://x", "message": "no", "transient": False},
        {"view": "b", "url": "b://x", "message": "no", "transient": True},
    )
    assert view.capabilities == {"c"}


def test_the_one_that_answered_is_not_exchanged_for_another():
    first = FakeView("a")
    view = AutoView([first, FakeView("b")])
    view.sample()
    first.results.append(True)

    with pytest.raises(ViewError, match="a view of a://x: no"):
        view.sample()
    assert view.sample().view == "a"


@pytest.mark.parametrize(("results", "transient"), [((False, True), True), ((False, False), False)])
def test_when_none_answers_all_reasons_are_told(results, transient):
    view = AutoView([FakeView(kind, result) for kind, result in zip("ab", results, strict=True)])

    with pytest.raises(ViewError, match=r"a://x, b://x: no view answers \(a view of a://x: no; b view") as caught:
        view.sample()
    assert caught.value.transient is transient


def test_before_it_knows_who_answers_it_may_know_what_any_of_them_can():
    assert AutoView([FakeView("a"), FakeView("b")]).capabilities == {"a", "b"}


def test_a_look_at_the_broker_alone_is_not_a_whole_sample():
    view = AutoView([FakeView("a", False), FakeView("b")])
    assert view.kind == "auto"

    assert view.overview().name == "b"
    assert view.kind == "b"
    assert view.sample().view == "b"
