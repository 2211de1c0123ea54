# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""The auto view: of several views of one broker, the one that answers and knows most."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import Overview, Sample, View, ViewError

VIEW = "auto"

T = TypeVar("T")


class AutoView:
    """A View that asks others, in the order in which they are given, until one answers; from then on that one alone.

    So the numbers of its samples can be compared. ``tried`` of the first sample tells why others did not answer.
    """

    def __init__(self, views: Sequence[View]) -> None:
        self._views = list(views)
        self._answered: View | None = None

    @property
    def kind(self) -> str:
        """That of the view that answered."""
        return VIEW if self._answered is None else self._answered.kind

    @property
    def capabilities(self) -> frozenset[str]:
        """Those of the view that answered; before, what one of the views at least can know."""
        if self._answered is not None:
            return self._answered.capabilities
        return frozenset().union(*(view.capabilities for view in self._views))

    def sample(self) -> Sample:
        sample, tried = self._first(lambda view: view.sample())
        return sample._replace(tried=tried)

    def overview(self) -> Overview:
        return self._first(lambda view: view.overview())[0]

    def _first(self, look: Callable[[View], T]) -> tuple[T, tuple[Mapping[str, Any], ...]]:
        """What the first view sees that answers, and why those before it do not. Raises ViewError."""
        if self._answered is not None:
            return look(self._answered), ()
        failures: list[ViewError] = []
        for view in self._views:
            try:
                seen = look(view)
            except ViewError as exc:
                failures.append(exc)
                continue
            self._answered = view
            return seen, tuple(failure.to_dict() for failure in failures)
        reasons = "; ".join(str(failure) for failure in failures)
        urls = ", ".join(failure.url for failure in failures)
        # One that may heal is worth waiting for.
        raise ViewError(VIEW, urls, f"no view answers ({reasons})", any(failure.transient for failure in failures))
