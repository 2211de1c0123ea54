# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From options to a view."""

from __future__ import annotations

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._jolokia import JolokiaView
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._views import open_view

OPTIONS = {
    "type": "jolokia",
    "url": ["http://broker.example/api/jolokia"],
    "username": "",
    "password": "",
    "ca_file": None,
    "validate_certs": True,
    "timeout": 10.0,
}


def test_jolokia():
    assert isinstance(open_view(OPTIONS), JolokiaView)


def test_a_time_limit_is_needed():
    with pytest.raises(ValueError, match=r"view\.timeout"):
        open_view({**OPTIONS, "timeout": 0})
