# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: failover_url
short_description: Spell a list of broker endpoints as a client library reads it
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - Joins endpoints into one string for a client's configuration, in their order.
  - Input that the ActiveMQ Java client would refuse, retry for ever on or silently misread is an error.
positional: dialect
options:
  _input:
    description: URLs such as C(ssl://host:61617), in the order in which a client is to try them.
    type: list
    elements: str
    required: true
  dialect:
    description:
      - V(activemq) gives C(failover:(e1,e2)?name=value) for the ActiveMQ Java client.
      - V(host_list) gives C(h1:p1,h2:p2) for clients such as stomp.py. It has no place for options.
    type: str
    choices:
      - activemq
      - host_list
    default: activemq
  protocol:
    description:
      - Take the endpoints of one protocol only, by their scheme. By default all are taken.
      - V(openwire) takes C(tcp), C(ssl), C(nio) and C(nio+ssl); V(stomp) takes C(stomp) and C(stomp+ssl).
    type: str
    choices:
      - openwire
      - stomp
  options:
    description:
      - Options of the failover transport (times in milliseconds) and of the connection (C(jms.*)).
      - They are laid over V(initialReconnectDelay=100), V(maxReconnectDelay=5000), V(randomize=false), V(timeout=30000)
        and V(updateURIsSupported=false). The value V(null) removes one of these.
    type: dict
  nested:
    description: Options of every single connection, written as C(nested.name=value).
    type: dict
"""

EXAMPLES = r"""
- name: Show the URL of an active/standby pair
  ansible.builtin.debug:
    msg: "{{ endpoints | mqlift.amazon_mq.failover_url(protocol='openwire', options={'maxReconnectDelay': 2000}) }}"
  vars:
    endpoints:
      - ssl://b-1.example.com:61617
      - ssl://b-2.example.com:61617
"""

RETURN = r"""
_value:
  description: The list of endpoints as one string.
  type: str
  sample: failover:(ssl://b-1.example.com:61617,ssl://b-2.example.com:61617)?randomize=false
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url import FailoverUrlError, build, select


def failover_url(
    endpoints: Sequence[str],
    dialect: str = "activemq",
    protocol: str | None = None,
    options: Mapping[str, Any] | None = None,
    nested: Mapping[str, Any] | None = None,
) -> str:
    try:
        return build(select(endpoints, protocol), dialect, options, nested)
    except FailoverUrlError as error:
        raise AnsibleFilterError(f"failover_url: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"failover_url": failover_url}
