# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: target_first
short_description: Choose the hosts whose consumers go to the target first
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - Splits hosts in two, so that every service that runs on two or more of them ends up on both sides.
  - The same input always gives the same split. When no such split exists, the filter fails.
positional: share
options:
  _input:
    description: Host names, each with the list of the names of its services.
    type: dict
    required: true
  share:
    description: About which share of the hosts to choose; between 0 and 1, both excluded.
    type: float
    required: true
"""

EXAMPLES = r"""
- name: Show which hosts consume from the target first
  ansible.builtin.debug:
    msg: "{{ {'app1': ['orders'], 'app2': ['orders'], 'app3': ['billing']} | mqlift.amazon_mq.target_first(0.5) }}"
"""

RETURN = r"""
_value:
  description: The chosen hosts, sorted.
  type: list
  elements: str
  sample: [app1, app3]
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _settings


def target_first(services_by_host: Mapping[str, Sequence[str]], share: float) -> list[str]:
    try:
        return _settings.target_first(services_by_host, share)
    except _settings.SettingsError as error:
        raise AnsibleFilterError(f"target_first: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"target_first": target_first}
