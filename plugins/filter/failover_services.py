# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: failover_services
short_description: Tell what has to be known of services to follow them through a failover
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - Computes from a host's C(mq_services) where each of them has to be connected when it is in the phase C(target), and
    how its processes are found. The result holds no secret.
positional: source, target, both
options:
  _input:
    description: The services of a host, as C(mq_services).
    type: list
    elements: dict
    required: true
  source:
    description: The broker one leaves, as C(mq_source).
    type: dict
    required: true
  target:
    description: The broker one goes to, as C(mq_target).
    type: dict
    required: true
  both:
    description: What a phase that lists both brokers uses, as C(mq_both).
    type: dict
    default: {}
seealso:
  - plugin: mqlift.amazon_mq.failover_report
    plugin_type: filter
"""

EXAMPLES = r"""
- name: See where the services of the host are connected
  mqlift.amazon_mq.socket_info:
    services: "{{ services | map(attribute='process') | select | list }}"
  vars:
    services: "{{ mq_services | mqlift.amazon_mq.failover_services(mq_source, mq_target) }}"
"""

RETURN = r"""
_value:
  description: The services, in their order.
  type: list
  elements: dict
  contains:
    name:
      description: The service's name.
      type: str
    manager:
      description: Who runs it.
      type: str
    dialect:
      description: How its client library spells a broker list.
      type: str
    endpoints:
      description: The URLs of the target that it may use.
      type: list
      elements: str
    expected:
      description: Their addresses, as C(host:port).
      type: list
      elements: str
    outside:
      description: The addresses of the other broker.
      type: list
      elements: str
    process:
      description:
        - An item of O(mqlift.amazon_mq.socket_info#module:services). V(null) where its processes are not on the host.
      type: dict
    logs:
      description: Its log files.
      type: list
      elements: str
    journal:
      description: Its units whose part of the journal is its log.
      type: list
      elements: str
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._settings import SettingsError
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._survival import followed


def _failover_services(
    services: Sequence[Mapping[str, Any]],
    source: Mapping[str, Any],
    target: Mapping[str, Any],
    both: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    try:
        return followed(services, source, target, both)
    except SettingsError as error:
        raise AnsibleFilterError(f"failover_services: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise AnsibleFilterError(f"failover_services: not a list of services: {error!r}") from error


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"failover_services": _failover_services}
