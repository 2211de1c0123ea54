# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""From a ``view`` option to a View. A new kind of view is added here and in the doc fragment ``_view``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._http import OpenUrlHttp
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._jolokia import JolokiaView
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import View

VIEW_SPEC: dict[str, Any] = {
    "type": "dict",
    "required": True,
    "options": {
        "type": {"type": "str", "choices": ["jolokia"], "default": "jolokia"},
        "url": {"type": "list", "elements": "str", "required": True, "aliases": ["urls"]},
        "username": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "ca_file": {"type": "path"},
        "validate_certs": {"type": "bool", "default": True},
        "timeout": {"type": "float", "default": 10.0},
    },
}


def open_view(options: Mapping[str, Any]) -> View:
    """The View that validated options describe. Raises ValueError for what the argument spec cannot check."""
    if options["timeout"] <= 0:
        raise ValueError("view.timeout: must be more than 0 seconds")
    # An empty user name is how an inventory says "no credentials".
    http = OpenUrlHttp(
        username=options["username"] or None,
        password=options["password"] or None,
        ca_file=options["ca_file"],
        validate_certs=options["validate_certs"],
    )
    return JolokiaView(options["url"], http, timeout=options["timeout"])
