# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""An active/standby pair: the URLs of a view, of which only the active instance answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar
from urllib.parse import urlsplit

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import ViewError, shown

T = TypeVar("T")


class Instances:
    """The URLs of one broker.

    Raises ValueError when there is none, or when one has another scheme, or carries credentials.
    """

    def __init__(self, view: str, urls: Sequence[str], schemes: Iterable[str]) -> None:
        if not urls:
            raise ValueError("view.url: at least one URL is needed")
        for url in urls:
            check_url(url, tuple(schemes))
        self._view = view
        self._urls = list(urls)

    def first(self, ask: Callable[[str], T]) -> T:
        """What ``ask`` returns for the first URL for which it raises no transient ViewError. Raises ViewError.

        The URL that answered is asked first next time.
        """
        failures: list[ViewError] = []
        for url in list(self._urls):
            try:
                answer = ask(url)
            except ViewError as exc:
                if not exc.transient:
                    raise
                failures.append(exc)
                continue
            self._urls.sort(key=lambda known: known != url)
            return answer
        if len(failures) == 1:
            raise failures[0]
        reasons = "; ".join(f"{failure.url}: {failure.message}" for failure in failures)
        raise ViewError(self._view, ", ".join(self._urls), f"no instance answers ({reasons})", transient=True)


def check_url(url: str, schemes: Sequence[str], option: str = "view.url") -> None:
    """Raises ValueError, without repeating a URL that holds credentials."""
    try:
        parts = urlsplit(url)
        port_is_sane = parts.port is None or parts.port > 0
    except ValueError as exc:
        raise ValueError(f"{option}: not a URL: {exc}") from exc
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"{option}: credentials belong into options of their own, not into the URL")
    if parts.scheme not in schemes or not parts.hostname or not port_is_sane:
        raise ValueError(f"{option}: not a URL with the scheme {' or '.join(schemes)}: {shown(url)}")
