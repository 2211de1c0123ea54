# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: status_page
short_description: Make one page of what was seen of two brokers
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - From the results of M(mqlift.amazon_mq.queue_info) and M(mqlift.amazon_mq.connection_info) for the source and the
    target, makes a page to read and the data behind it.
  - Any of the results may be a failure. The page says then what cannot be seen.
  - Names from brokers are shown with control characters escaped, and cut when they are long.
positional: connections, names, services, phase, accept_unknown
options:
  _input:
    description: The results of M(mqlift.amazon_mq.queue_info), the source's first.
    type: list
    elements: dict
    required: true
  connections:
    description: The results of M(mqlift.amazon_mq.connection_info), the source's first.
    type: list
    elements: dict
    required: true
  names:
    description: The names of the source and of the target.
    type: list
    elements: str
    required: true
  services:
    description: The C(mq_services) of each host of the inventory.
    type: dict
    required: true
  phase:
    description:
      - The phase whose coverage is judged, as O(mqlift.amazon_mq.coverage_needs#filter:phase).
      - When it is empty, it is the one in which the clients of the inventory are seen to be.
    type: str
    default: ""
  accept_unknown:
    description: What coverage need not know, as O(mqlift.amazon_mq.coverage_problems#filter:accept_unknown).
    type: list
    elements: str
    default: []
seealso:
  - plugin: mqlift.amazon_mq.coverage_needs
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show the page
  ansible.builtin.debug:
    msg: "{{ page.lines }}"
  vars:
    page: >-
      {{
        [source_queues, target_queues]
        | mqlift.amazon_mq.status_page([source_census, target_census], ['onprem', 'aws'], {'app1': mq_services})
      }}
"""

RETURN = r"""
_value:
  description: The page.
  type: dict
  contains:
    lines:
      description: The page to read.
      type: list
      elements: str
    phase:
      description: The phase whose coverage is judged.
      type: str
      sample: both_source_first
    reachable:
      description: Whether C(source) and C(target) could be observed.
      type: dict
      sample: {source: true, target: true}
    problems:
      description: Brokers that cannot be observed, and what they do not serve.
      type: list
      elements: str
      sample: ["broker aws: no consumer for orders.new"]
    unknown:
      description:
        - The clients that no host of the inventory has the address of, as
          RV(mqlift.amazon_mq.connection_info#module:clients), with C(broker), the broker's name.
      type: list
      elements: dict
    missing:
      description: Hosts with services that are connected to neither broker. Empty unless both could be seen.
      type: list
      elements: str
      sample: [app2]
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._status import Broker, status


def _status_page(
    queues: Sequence[Mapping[str, Any]],
    connections: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    services: Mapping[str, Sequence[Mapping[str, Any]]],
    phase: str = "",
    accept_unknown: Sequence[str] = (),
) -> dict[str, Any]:
    if isinstance(accept_unknown, str):
        raise AnsibleFilterError("status_page: needs a list of unknowns")
    if isinstance(names, str) or not len(queues) == len(connections) == len(names) == 2:
        raise AnsibleFilterError("status_page: needs two results of queue_info, two of connection_info and two names")
    source, target = (Broker(*parts) for parts in zip(names, queues, connections, strict=True))
    try:
        return status(source, target, services, phase or None, accept_unknown)
    except (KeyError, TypeError, AttributeError) as exc:
        raise AnsibleFilterError(
            f"status_page: not the results of queue_info and connection_info, or not services: {exc!r}"
        ) from exc
    except ValueError as exc:
        raise AnsibleFilterError(f"status_page: {exc}") from exc


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"status_page": _status_page}
