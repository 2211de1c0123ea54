# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: service_instances
short_description: Tell the instances of a service
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - A service with C(scale_out) has a second instance for the phase C(scale_out). It is completed by what it shares with
    the first one.
options:
  _input:
    description: An item of C(mq_services).
    type: dict
    required: true
seealso:
  - plugin: mqlift.amazon_mq.service_problems
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Name what runs on this host
  ansible.builtin.debug:
    msg: "{{ mq_services | map('mqlift.amazon_mq.service_instances') | flatten | map(attribute='name') }}"
"""

RETURN = r"""
_value:
  description: The first instance and, if there is one, the second.
  type: list
  elements: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._settings import instances


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"service_instances": instances}
