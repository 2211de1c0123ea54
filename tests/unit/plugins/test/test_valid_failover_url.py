# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mqlift.amazon_mq.plugins.test import valid_failover_url


def test_valid_failover_url() -> None:
    function = valid_failover_url.TestModule().tests()["valid_failover_url"]
    assert function("failover:(tcp://h:1)?randomize=false") is True
    assert function("failover:(tcp://h:1)&randomize=false") is False
    assert function("h:1,i:2", "host_list") is True
    with pytest.raises(AnsibleFilterError, match="valid_failover_url: unknown dialect"):
        function("h:1", "x")
