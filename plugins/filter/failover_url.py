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
  - Joins endpoints into one string for a client's configuration, in their order. The two instances of an Amazon MQ
    broker always come in the order C(-1), C(-2).
  - Input that the client would refuse, retry for ever on or silently misread is an error.
  - Options that are safe while brokers change are added; C(docs/guides/failover_urls.md) gives them and the reasons.
positional: dialect
options:
  _input:
    description: URLs such as C(ssl://host:61617), in the order in which a client is to try them.
    type: list
    elements: str
    required: true
  protocol:
    description:
      - Take the endpoints of one protocol only, by their scheme. By default all are taken.
      - V(openwire) takes C(tcp), C(ssl), C(nio) and C(nio+ssl); V(stomp) takes C(stomp) and C(stomp+ssl); V(amqp) takes
        C(amqp), C(amqps) and C(amqp+ssl); V(mqtt) takes C(mqtt) and C(mqtt+ssl); V(ws) takes C(ws) and C(wss).
    type: str
    choices:
      - openwire
      - stomp
      - amqp
      - mqtt
      - ws
  options:
    description:
      - Options of the failover transport, without prefix, times in milliseconds.
      - They are laid over the dialect's safe options. The value V(null) removes one of these.
    type: dict
  jms:
    description:
      - Options of the connection, without prefix, for example C(prefetchPolicy.all).
      - They are laid over the dialect's safe options. The value V(null) removes one of these.
    type: dict
  nested:
    description: Options of every endpoint, without prefix.
    type: dict
extends_documentation_fragment:
  - mqlift.amazon_mq._dialect
seealso:
  - plugin: mqlift.amazon_mq.parse_failover_url
    plugin_type: filter
  - plugin: mqlift.amazon_mq.failover_url_problems
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show the URL of an active/standby pair
  ansible.builtin.debug:
    msg: "{{ endpoints | mqlift.amazon_mq.failover_url(protocol='openwire', options={'maxReconnectDelay': 2000}) }}"
  vars:
    endpoints:
      - ssl://b-1.example.com:61617
      - ssl://b-2.example.com:61617

- name: Show the same for Qpid JMS
  ansible.builtin.debug:
    msg: "{{ ['amqp+ssl://b-1.example.com:5671'] | mqlift.amazon_mq.failover_url('qpid_jms') }}"
"""

RETURN = r"""
_value:
  description: The list of endpoints as one string; with O(dialect=spring) a dictionary of properties.
  type: raw
  sample: failover:(ssl://b-1.example.com:61617,ssl://b-2.example.com:61617)?randomize=false
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url import (
    FailoverUrlError,
    build,
    select,
    spring_properties,
)


def failover_url(
    endpoints: Sequence[str],
    dialect: str = "activemq",
    protocol: str | None = None,
    options: Mapping[str, Any] | None = None,
    jms: Mapping[str, Any] | None = None,
    nested: Mapping[str, Any] | None = None,
) -> str | dict[str, str]:
    try:
        chosen = select(endpoints, protocol)
        if dialect == "spring":
            return spring_properties(chosen, options, nested, jms)
        return build(chosen, dialect, options, nested, jms)
    except FailoverUrlError as error:
        raise AnsibleFilterError(f"failover_url: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"failover_url": failover_url}
