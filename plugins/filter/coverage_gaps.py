# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: coverage_gaps
short_description: Name the queues that nobody consumes
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - Says which queues lack a consumer on a broker. A queue that the broker does not have, or whose consumers are
    unknown, lacks one.
positional: _input, queues
options:
  _input:
    description: The destinations as RV(mqlift.amazon_mq.queue_info#module:destinations) returns them.
    type: list
    elements: dict
    required: true
  queues:
    description: The names of the queues that need a consumer.
    type: list
    elements: str
    required: true
seealso:
  - module: mqlift.amazon_mq.queue_info
  - plugin: mqlift.amazon_mq.live_queues
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Stop unless somebody listens on each queue of the new broker
  ansible.builtin.assert:
    that: target.destinations | mqlift.amazon_mq.coverage_gaps(['orders.new', 'orders.paid']) | length == 0
"""

RETURN = r"""
_value:
  description: The names without a consumer, in the order given.
  type: list
  elements: str
  sample: [orders.paid]
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._coverage import coverage_gaps
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import Destination


def _coverage_gaps(destinations: Sequence[Mapping[str, Any]], queues: Sequence[str]) -> list[str]:
    if isinstance(queues, str):
        raise AnsibleFilterError("coverage_gaps: queues must be a list of names")
    try:
        records = [Destination(**item) for item in destinations]
    except TypeError as exc:
        raise AnsibleFilterError(f"coverage_gaps: not the destinations of queue_info: {exc}") from exc
    return coverage_gaps(records, queues)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"coverage_gaps": _coverage_gaps}
