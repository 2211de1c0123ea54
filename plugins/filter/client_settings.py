# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: client_settings
short_description: Compute the broker settings of a service in a phase
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - Computes what a service needs to know to connect in a phase of a migration, and where it should then be connected.
  - The result depends on the arguments only.
positional: phase, source, target, both
options:
  _input:
    description: The service. Its C(dialect) and C(protocol) are used.
    type: dict
    required: true
  phase:
    description: Where the service should point.
    type: str
    choices:
      - source
      - source_tls
      - scale_out
      - both_source_first
      - both_target_first
      - random
      - target
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
    description:
      - What a phase that lists both brokers uses instead of the target's C(username), C(password) and C(truststore), as
        C(mq_both).
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Show where each service will point in the end
  ansible.builtin.debug:
    msg: "{{ (item | mqlift.amazon_mq.client_settings('target', mq_source, mq_target)).url }}"
  loop: "{{ mq_services }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
_value:
  description: The settings.
  type: dict
  contains:
    url:
      description: The broker list in the service's dialect.
      type: str
    endpoints:
      description: The URLs in the list.
      type: list
      elements: str
    hosts:
      description: The endpoints as C(host), C(port), C(address) (C(host:port)) and C(tls).
      type: list
      elements: dict
    username:
      description: The user name of the broker that the phase lists; the target's when it lists both.
      type: str
    password:
      description: The password of the same broker.
      type: str
    truststore:
      description: The C(truststore) of the same broker, or an empty string.
      type: str
    expected:
      description: The addresses of the first broker of the phase; the service must be connected to one of them.
      type: list
      elements: str
    outside:
      description: The addresses of a broker that the phase does not list; the service must not be connected to any.
      type: list
      elements: str
    broker_of:
      description: Whose each address of RV(_value.expected) is, V(mq_source) or V(mq_target).
      type: dict
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _settings


def client_settings(
    service: Mapping[str, Any],
    phase: str,
    source: Mapping[str, Any],
    target: Mapping[str, Any],
    both: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    try:
        return dict(_settings.client_settings(service, phase, source, target, both))
    except _settings.SettingsError as error:
        raise AnsibleFilterError(f"client_settings: service {service.get('name', '')}: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"client_settings": client_settings}
