# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: parse_failover_url
short_description: Take a broker URL apart as the client does
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - Gives the endpoints and options of a failover URL as the client reads it, which is not always as it was meant.
  - The result can be given to P(mqlift.amazon_mq.failover_url#filter) again.
  - A URL that the client cannot take apart at all is an error. For everything else that is wrong with a URL see
    P(mqlift.amazon_mq.failover_url_problems#filter).
positional: dialect
options:
  _input:
    description: The URL, or with O(dialect=host_list) the list.
    type: str
    required: true
extends_documentation_fragment:
  - mqlift.amazon_mq._dialect
seealso:
  - plugin: mqlift.amazon_mq.failover_url
    plugin_type: filter
  - plugin: mqlift.amazon_mq.failover_url_problems
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show the same URL with a shorter delay
  ansible.builtin.debug:
    msg: "{{ url.uris | mqlift.amazon_mq.failover_url(options=url.options | combine({'maxReconnectDelay': 2000})) }}"
  vars:
    url: "{{ 'failover:(tcp://a.example.com:61616)?randomize=false' | mqlift.amazon_mq.parse_failover_url }}"
"""

RETURN = r"""
_value:
  description: The parts of the URL. Option names have no prefix, the values of known options have their type.
  type: dict
  contains:
    uris:
      description: The endpoints, in their order, each with its own options.
      type: list
      elements: str
      sample: ["ssl://b-1.example.com:61617", "ssl://b-2.example.com:61617"]
    options:
      description: Options of the failover transport.
      type: dict
      sample: {"randomize": false, "maxReconnectDelay": 5000}
    nested:
      description: Options of every endpoint.
      type: dict
      sample: {"keepAlive": true}
    jms:
      description: Options of the connection. They can hold a password.
      type: dict
      sample: {"userName": "app"}
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url import FailoverUrlError, parse


def parse_failover_url(url: str, dialect: str = "activemq") -> dict[str, Any]:
    try:
        return dict(parse(url, dialect))
    except FailoverUrlError as error:
        raise AnsibleFilterError(f"parse_failover_url: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"parse_failover_url": parse_failover_url}
