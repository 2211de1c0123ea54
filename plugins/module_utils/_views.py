# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""From a ``view`` option to a View. A new kind of view is added here and in the doc fragment ``_view``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._auto import AutoView
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._console import ConsoleView
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._http import OpenUrlHttp
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._instances import check_url
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._jolokia import JolokiaView
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import Sample, View
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._statistics import StatisticsView

JOLOKIA, STATISTICS, CONSOLE, CLOUDWATCH, AUTO = "jolokia", "statistics", "console", "cloudwatch", "auto"

VIEW_SPEC: dict[str, Any] = {
    "type": "dict",
    "required": True,
    "options": {
        "type": {
            "type": "str",
            "choices": [JOLOKIA, STATISTICS, CONSOLE, CLOUDWATCH, AUTO],
            "default": JOLOKIA,
        },
        "url": {"type": "list", "elements": "str", "aliases": ["urls"]},
        "username": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "stomp_username": {"type": "str"},
        "stomp_password": {"type": "str", "no_log": True},
        "ca_file": {"type": "path"},
        "validate_certs": {"type": "bool", "default": True},
        "timeout": {"type": "float", "default": 10.0},
        "broker_name": {"type": "str"},
        "region": {"type": "str"},
        "profile": {"type": "str"},
        "access_key": {"type": "str", "no_log": False},
        "secret_key": {"type": "str", "no_log": True},
        "session_token": {"type": "str", "no_log": True},
        "endpoint_url": {"type": "str"},
    },
    "required_if": [
        ("type", JOLOKIA, ("url",)),
        ("type", STATISTICS, ("url",)),
        ("type", CONSOLE, ("url",)),
        ("type", AUTO, ("url",)),
        ("type", CLOUDWATCH, ("broker_name",)),
    ],
    "required_together": [("access_key", "secret_key")],
}


def open_view(options: Mapping[str, Any]) -> View:
    """The View that validated options describe. Raises ValueError for what the argument spec cannot check."""
    # What an argument spec leaves out is None.
    options = {**dict.fromkeys(VIEW_SPEC["options"]), **options}
    if options["timeout"] <= 0:
        raise ValueError("view.timeout: must be more than 0 seconds")
    if options["type"] == CLOUDWATCH:
        # boto3 takes longer to import than the other views take to look.
        from ansible_collections.mqlift.amazon_mq.plugins.module_utils._cloudwatch import (
            CloudWatchView,
            cloudwatch_client,
        )

        return CloudWatchView(options["broker_name"], cloudwatch_client(options), timeout=options["timeout"])
    if options["type"] != AUTO:
        return _open(options["type"], options["url"] or [], options)
    urls = _by_kind(options["url"] or [])
    if not urls:
        raise ValueError("view.url: at least one URL is needed")
    return AutoView([_open(kind, some, options) for kind, some in urls.items()])


def open_http(options: Mapping[str, Any]) -> OpenUrlHttp:
    """HTTP with the credentials and the trust that validated options describe."""
    return OpenUrlHttp(
        options["username"] or None, options["password"] or None, options["ca_file"], options["validate_certs"]
    )


def jolokia_urls(options: Mapping[str, Any]) -> list[str]:
    """The URLs at which validated options expect Jolokia, for those who read more of it than a View tells."""
    if options["type"] == AUTO:
        return _by_kind(options["url"] or []).get(JOLOKIA, [])
    return list(options["url"] or []) if options["type"] == JOLOKIA else []


def check_urls(options: Mapping[str, Any]) -> None:
    """Raises ValueError for a URL that no view takes, without repeating it when it holds credentials."""
    for url in options.get("url") or []:
        check_url(url, ("http", "https", "stomp", "stomp+ssl"))


def where(options: Mapping[str, Any]) -> tuple[str, str]:
    """The kind of view and what it looks at, for an error that comes from outside the view.

    The options must have been checked, by open_view or check_urls: a URL might hold credentials.
    """
    return str(options["type"]), ", ".join(options.get("url") or []) or str(options.get("broker_name"))


def settled(options: Mapping[str, Any], sample: Sample) -> dict[str, Any]:
    """The options for the next sample, when each is taken by a view of its own.

    The instance that answered is asked first, so that a dead one costs its time limit only once. ``auto`` stays with
    the view that answered, so that the samples can be compared.
    """
    if not options.get("url"):
        return dict(options)
    urls, kind = options["url"], options["type"]
    if kind == AUTO:
        urls, kind = _by_kind(urls)[sample.view], sample.view
    return {**options, "type": kind, "url": sorted(urls, key=lambda url: url != sample.url)}


def _by_kind(urls: Sequence[str]) -> dict[str, list[str]]:
    """The URLs of the view ``auto`` by the kind of view that they are for, the one that knows most first."""
    found: dict[str, list[str]] = {JOLOKIA: [], STATISTICS: [], CONSOLE: []}
    for url in urls:
        found[_kind(url)].append(url)
    return {kind: some for kind, some in found.items() if some}


def _kind(url: str) -> str:
    if url.startswith("stomp"):
        return STATISTICS
    return JOLOKIA if "/jolokia" in url else CONSOLE


def _open(kind: str, urls: Sequence[str], options: Mapping[str, Any]) -> View:
    timeout = options["timeout"]
    if kind == JOLOKIA:
        return JolokiaView(urls, open_http(options), timeout)
    if kind == CONSOLE:
        return ConsoleView(urls, open_http(options), timeout)
    prefix = "" if options["stomp_username"] is None else "stomp_"
    return StatisticsView(
        urls,
        # An empty user name is how an inventory says "no credentials".
        options[f"{prefix}username"] or None,
        options[f"{prefix}password"] or None,
        options["ca_file"],
        options["validate_certs"],
        timeout,
    )
