# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter about the status page: what it refuses; the rest is in module_utils/test_status.py."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mqlift.amazon_mq.plugins.filter import status_page

page = status_page.FilterModule().filters()["status_page"]
FAILED = {"msg": "refused"}


def test_a_page_of_brokers_that_do_not_answer():
    found = page([FAILED, FAILED], [FAILED, FAILED], ["onprem", "aws"], {"app1": []})

    assert found["reachable"] == {"source": False, "target": False}
    assert found["lines"][0] == "SOURCE onprem"


@pytest.mark.parametrize(
    "arguments",
    [
        ([FAILED], [FAILED, FAILED], ["a", "b"], {}),
        ([FAILED, FAILED], [FAILED, FAILED], "ab", {}),
        ([FAILED, FAILED], [FAILED, FAILED], ["a", "b"], {}, "nowhere"),
        ([FAILED, FAILED], [FAILED, {"clients": [{}]}], ["a", "b"], {}),
        ([{"destinations": [{}]}, FAILED], [FAILED, FAILED], ["a", "b"], {}),
        ([FAILED, FAILED], [FAILED, FAILED], ["a", "b"], {"app1": ["orders"]}),
        ([FAILED, FAILED], [FAILED, FAILED], ["a", "b"], {}, "", "bridges"),
        ([FAILED, FAILED], [FAILED, FAILED], ["a", "b"], {}, "", ["scheduled"]),
    ],
)
def test_what_is_no_result_is_refused(arguments):
    with pytest.raises(AnsibleFilterError, match="status_page: "):
        page(*arguments)
