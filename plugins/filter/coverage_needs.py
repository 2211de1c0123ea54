# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: coverage_needs
short_description: Say what each broker has to serve in a phase of a migration
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - From what both brokers hold, the inventory and the phase, says which queues need a consumer, and which durable
    subscriptions have to exist, on which broker.
  - P(mqlift.amazon_mq.coverage_problems#filter) then says what is missing.
  - "On the source alone: the live queues of the source."
  - "On both: these, and on the target the live queues of either broker, the queues that the inventory names, and the
    durable subscriptions of the source's clients."
  - "While the source drains: as on both, but on the source only what still holds messages."
  - "On the target alone: the target's live queues and those that the inventory names, and what was left on the source."
positional: target, phase, named
options:
  _input:
    description: The source's destinations, as RV(mqlift.amazon_mq.queue_info#module:destinations) returns them.
    type: list
    elements: dict
    required: true
  target:
    description: The target's destinations.
    type: list
    elements: dict
    required: true
  phase:
    description: The phase of the clients, or V(drain) once the producers are on the target and the source drains.
    type: str
    choices:
      - source
      - source_tls
      - scale_out
      - both_source_first
      - both_target_first
      - random
      - drain
      - target
    required: true
  named:
    description:
      - The C(destinations) of the inventory's services. A queue of that name, if one of the brokers has it, needs a
        consumer on the target though nobody uses it at the moment. A producer that seldom sends will send to it.
    type: list
    elements: str
    default: []
seealso:
  - module: mqlift.amazon_mq.queue_info
  - plugin: mqlift.amazon_mq.coverage_problems
    plugin_type: filter
  - plugin: mqlift.amazon_mq.live_queues
    plugin_type: filter
"""

EXAMPLES = r"""
- name: See what the new broker has to serve before a producer moves
  ansible.builtin.debug:
    msg: "{{ source.destinations | mqlift.amazon_mq.coverage_needs(target.destinations, 'both_source_first') }}"
"""

RETURN = r"""
_value:
  description: The needs of C(source) and of C(target).
  type: dict
  contains:
    source:
      description:
        - The source's C(queues) and C(subscriptions), as lists of names.
        - That of a subscription is O(mqlift.amazon_mq.coverage_problems#filter:subscriptions).
      type: dict
      sample: {queues: [orders.new], subscriptions: []}
    target:
      description: The target's.
      type: dict
      sample: {queues: [orders.done, orders.new], subscriptions: [prices/shop/prices]}
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._coverage import needs
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import Destination


def _coverage_needs(
    source: Sequence[Mapping[str, Any]], target: Sequence[Mapping[str, Any]], phase: str, named: Sequence[str] = ()
) -> dict[str, dict[str, list[str]]]:
    if isinstance(named, str):
        raise AnsibleFilterError("coverage_needs: needs a list of named destinations")
    try:
        found = needs(phase, [Destination(**one) for one in source], [Destination(**one) for one in target], named)
    except TypeError as exc:
        raise AnsibleFilterError(f"coverage_needs: not the destinations of queue_info: {exc}") from exc
    except ValueError as exc:
        raise AnsibleFilterError(f"coverage_needs: {exc}") from exc
    return {"source": found.source.to_dict(), "target": found.target.to_dict()}


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"coverage_needs": _coverage_needs}
