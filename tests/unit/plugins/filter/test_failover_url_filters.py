# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mqlift.amazon_mq.plugins.filter import failover_url, failover_url_problems, parse_failover_url


def test_failover_url_for_spring() -> None:
    function = failover_url.FilterModule().filters()["failover_url"]
    assert function(["tcp://h:1"], "spring", jms={"userName": "app"})["spring.activemq.user"] == "app"


def test_parse_failover_url() -> None:
    function = parse_failover_url.FilterModule().filters()["parse_failover_url"]
    assert function("failover:(tcp://h:1)?timeout=5") == {
        "uris": ["tcp://h:1"],
        "options": {"timeout": 5},
        "nested": {},
        "jms": {},
    }
    with pytest.raises(AnsibleFilterError, match="parse_failover_url: the numbers of"):
        function("failover:(tcp://h:1")


def test_failover_url_problems() -> None:
    function = failover_url_problems.FilterModule().filters()["failover_url_problems"]
    assert function("h:1,i", "host_list") == [
        {
            "level": "error",
            "code": "no_port",
            "message": "'i' has no port from 1 to 65535",
            "position": 4,
            "consequence": "skipped",
        }
    ]
    with pytest.raises(AnsibleFilterError, match="failover_url_problems: unknown dialect"):
        function("h:1", "x")
