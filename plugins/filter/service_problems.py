# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: service_problems
short_description: Check a host's services and the two brokers
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - Finds what is wrong with a host's C(mq_services) before anything is touched.
positional: source, target, phases, both
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
  phases:
    description: Also check what is special to these phases. The phases V(source) and V(target) are always checked.
    type: list
    elements: str
    default: []
    choices:
      - source
      - source_tls
      - scale_out
      - both_source_first
      - both_target_first
      - random
      - target
  both:
    description: What a phase that lists both brokers uses, as C(mq_both).
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Refuse a wrong inventory
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems | join('; ') }}"
  vars:
    problems: "{{ mq_services | mqlift.amazon_mq.service_problems(mq_source, mq_target) }}"
"""

RETURN = r"""
_value:
  description: One sentence per problem, naming the service and the key. Empty when nothing is wrong.
  type: list
  elements: str
  sample:
    - "service orders-api: unknown dialect 'activemqq': use one of activemq, host_list"
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._settings import validate_services


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"service_problems": validate_services}
