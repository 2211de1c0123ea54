# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: live_queues
short_description: Name the queues that somebody uses
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - Says which queues of a broker have messages or consumers, or may have as far as the view knows.
  - Dead letter queues and the broker's own queues are left out. A consumer that is a network bridge does not count.
options:
  _input:
    description: The destinations as RV(mqlift.amazon_mq.queue_info#module:destinations) returns them.
    type: list
    elements: dict
    required: true
seealso:
  - module: mqlift.amazon_mq.queue_info
  - plugin: mqlift.amazon_mq.coverage_problems
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Name the queues that need a consumer on the new broker before any producer moves there
  ansible.builtin.debug:
    msg: "{{ source.destinations | mqlift.amazon_mq.live_queues }}"
"""

RETURN = r"""
_value:
  description: The names, sorted.
  type: list
  elements: str
  sample: [orders.new, orders.paid]
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._coverage import live_queues
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import Destination


def _live_queues(destinations: Sequence[Mapping[str, Any]]) -> list[str]:
    try:
        records = [Destination(**item) for item in destinations]
    except TypeError as exc:
        raise AnsibleFilterError(f"live_queues: not the destinations of queue_info: {exc}") from exc
    return live_queues(records)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"live_queues": _live_queues}
