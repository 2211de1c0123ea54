# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: valid_failover_url
short_description: Whether a client does what a broker URL says
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - True when P(mqlift.amazon_mq.failover_url_problems#filter) finds no problem of the level V(error).
positional: dialect
options:
  _input:
    description: The URL, or with O(dialect=host_list) the list.
    type: str
    required: true
extends_documentation_fragment:
  - mqlift.amazon_mq._dialect
seealso:
  - plugin: mqlift.amazon_mq.failover_url_problems
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Refuse a URL that the client would not read as it is written
  ansible.builtin.assert:
    that: broker_url is mqlift.amazon_mq.valid_failover_url
"""

RETURN = r"""
_value:
  description: Whether the client does what the URL says.
  type: bool
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url import FailoverUrlError, valid


def valid_failover_url(url: str, dialect: str = "activemq") -> bool:
    try:
        return valid(url, dialect)
    except FailoverUrlError as error:
        raise AnsibleFilterError(f"valid_failover_url: {error}") from error


class TestModule:
    def tests(self) -> dict[str, Callable[..., Any]]:
        return {"valid_failover_url": valid_failover_url}
