# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: coverage_problems
short_description: Say which queues and durable subscriptions nobody serves on which broker
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - Turns the results of M(mqlift.amazon_mq.queue_info) for several brokers into sentences for people.
  - A consumer that is a network bridge does not count, for it only carries messages to another broker. What a broker
    does not have, or what is not known of it, is a problem.
  - So is what the view cannot know, where that could hide a problem, and messages in queues that it does not list.
positional: names, queues, subscriptions, pending_only, accept_unknown, all_subscriptions
options:
  _input:
    description: The results of M(mqlift.amazon_mq.queue_info), one for each broker. A failed one is a problem.
    type: list
    elements: dict
    required: true
  names:
    description: The brokers' names, in the order of the results.
    type: list
    elements: str
    required: true
  queues:
    description: The names of the queues that need a consumer on each broker.
    type: list
    elements: str
    required: true
  subscriptions:
    description:
      - The names of the durable topic subscriptions that each broker needs, as C(topic/client_id/subscription).
        A C(/) within one of the three is C(%2F), and a C(%) is C(%25).
      - It is enough that they exist. A topic keeps messages for those that it knows, connected or not.
    type: list
    elements: str
    default: []
  pending_only:
    description:
      - Whether only what holds messages needs somebody who takes them, that is a queue a consumer and a durable
        subscription its subscriber. So it is on the source once the producers have left it.
    type: bool
    default: false
  accept_unknown:
    description:
      - "What need not be known: V(bridges), whether a consumer is a network bridge; V(destinations), queues that the
        view may not list; V(hidden_messages), messages in such queues; V(durable_subscriptions), whether these exist;
        V(present), what has happened since the view looked some minutes ago."
      - Consumers that may be bridges cover a queue then, and a durable subscription of which nothing is known is not
        missed.
    type: list
    elements: str
    choices: [bridges, destinations, durable_subscriptions, hidden_messages, present]
    default: []
  all_subscriptions:
    description:
      - Whether the view has to know the durable subscriptions though O(subscriptions) is empty. So it is on the source,
        before it is known which of them the target needs.
    type: bool
    default: false
seealso:
  - module: mqlift.amazon_mq.queue_info
  - plugin: mqlift.amazon_mq.coverage_needs
    plugin_type: filter
  - plugin: mqlift.amazon_mq.live_queues
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Stop unless each queue has a consumer on both brokers
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems | join('; ') }}"
  vars:
    problems: "{{ [source, target] | mqlift.amazon_mq.coverage_problems(['old', 'new'], ['orders.new']) }}"
"""

RETURN = r"""
_value:
  description: The problems, empty when all queues are covered.
  type: list
  elements: str
  sample: ["broker new: no consumer for orders.new"]
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._coverage import coverage_problems


def _coverage_problems(
    results: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    queues: Sequence[str],
    subscriptions: Sequence[str] = (),
    pending_only: bool = False,
    accept_unknown: Sequence[str] = (),
    all_subscriptions: bool = False,
) -> list[str]:
    lists = (names, queues, subscriptions, accept_unknown)
    if any(isinstance(each, str) for each in lists) or len(results) != len(names):
        raise AnsibleFilterError(
            "coverage_problems: needs as many results as names of brokers, "
            "and lists of queues, subscriptions and unknowns"
        )
    try:
        return coverage_problems(results, names, queues, subscriptions, pending_only, accept_unknown, all_subscriptions)
    except TypeError as exc:
        raise AnsibleFilterError(f"coverage_problems: not the results of queue_info: {exc}") from exc
    except ValueError as exc:
        raise AnsibleFilterError(f"coverage_problems: {exc}") from exc


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"coverage_problems": _coverage_problems}
