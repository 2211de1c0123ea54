# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: queue_drain
short_description: Wait until an ActiveMQ broker is drained
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - Waits until nothing is left on the selected destinations of a broker, and fails when that does not happen.
  - A broker is drained when, in consecutive samples over at least O(stable_for) seconds, every selected queue and
    durable topic subscription is empty (messages in flight count as not consumed), no client has an open transaction,
    no message is scheduled, nothing was sent to a selected destination, and the broker was not restarted.
  - Transactions and scheduled messages are counted over the whole broker, because the broker does not tell where they
    go.
  - Dead letter queues and the broker's own destinations (advisory, statistics, scheduler) are not selected. A dead
    letter queue with messages is reported in RV(dlq), and while one grows the broker is not drained, unless it is named
    in O(exclude). Name it in O(destinations), without V(*), to wait until it is empty. Temporary destinations are never
    selected.
  - While it waits, a line is printed when something changed, at most every two seconds. The observing is done on the
    task's host, so delegate the task to a host that reaches the broker.
extends_documentation_fragment:
  - mqlift.amazon_mq._attributes
  - mqlift.amazon_mq._attributes.info_module
  - mqlift.amazon_mq._view
attributes:
  check_mode:
    details:
      - In check mode it takes one sample and does not wait. RV(drained) is V(false) then, because one sample proves
        nothing.
options:
  destinations:
    description:
      - The queues, and the topics or full names of durable subscriptions, to wait for. All when empty.
      - V(*) in a name stands for any text. Every other character stands for itself.
      - A name that the broker does not know is empty, since a broker removes only empty queues. It is listed in
        RV(missing).
    type: list
    elements: str
    default: []
  exclude:
    description: What not to wait for, in the manner of O(destinations).
    type: list
    elements: str
    default: []
  query:
    description:
      - A JMESPath expression that narrows the selected destinations. It is applied to each sample's list of
        dictionaries with the keys of RV(mqlift.amazon_mq.queue_info#module:destinations), and answers with those to
        wait for.
      - Do not select by numbers of messages or consumers, for a destination that drops out is not waited for.
      - Needs the Python package jmespath on the controller.
    type: str
  timeout:
    description: How many seconds to wait at most.
    type: float
    default: 3600.0
  stall_timeout:
    description: The wait ends early when nothing was consumed for so many seconds.
    type: float
    default: 300.0
  poll_interval:
    description:
      - Seconds from one look at the broker to the next.
      - A look is a sample, except at a broker with thousands of destinations that says itself that it still holds
        messages. That one is sampled every ten seconds only.
    type: float
    default: 1.0
  stable_for:
    description: For how many seconds the broker has to be seen empty. Must be less than O(timeout).
    type: float
    default: 5.0
  outage_limit:
    description: For how many seconds in a row the broker may be out of sight, for example while it restarts.
    type: float
    default: 60.0
  require_no_producers:
    description:
      - Whether the selected queues must have no producer.
      - Producers that are bound to no queue, such as those of any STOMP client, may send to each of them. Their
        presence makes the answer unknown unless O(accept_unknown) contains V(producers).
    type: bool
    default: false
  accept_unknown:
    description:
      - What the view need not know. Anything else that it does not know makes the wait fail.
      - V(hidden_messages) means that the broker counts more messages than its queues show. JMX shows only one of the
        queues whose names differ in nothing but C(:), C(,), C('), C(") and C(_).
      - V(broker_id) means that a restart of the broker would not be noticed, V(destinations) that there may be
        destinations which are not listed, V(present) that it was seen as it was some time ago.
    type: list
    elements: str
    choices:
      - scheduled
      - transactions
      - durable_subscriptions
      - enqueued
      - producers
      - hidden_messages
      - broker_id
      - destinations
      - present
    default: []
seealso:
  - module: mqlift.amazon_mq.queue_info
"""

EXAMPLES = r"""
- name: Wait until the old broker is drained
  mqlift.amazon_mq.queue_drain:
    view:
      url: http://broker.example.com:8161/api/jolokia
      username: monitor
      password: "{{ monitor_password }}"
    timeout: 1800

- name: Wait for the order queues only, observed from within the broker's network
  mqlift.amazon_mq.queue_drain:
    view:
      url: http://broker.example.com:8161/api/jolokia
    destinations:
      - orders.*
    exclude:
      - orders.archive
    stall_timeout: 60
  delegate_to: bastion.example.com
"""

RETURN = r"""
drained:
  description: Whether the broker was proved to be drained.
  type: bool
  returned: always
  sample: true
reason:
  description:
    - Why the wait ended.
    - One of V(drained), V(timeout), V(stalled), V(unknown), V(error), V(check_mode).
  type: str
  returned: always
  sample: drained
elapsed:
  description: How many seconds it took.
  type: float
  returned: always
  sample: 74.201
samples:
  description: How many samples were taken.
  type: int
  returned: always
  sample: 71
selected:
  description: How many destinations the last sample had that were waited for.
  type: int
  returned: always
  sample: 13
missing:
  description: The names in O(destinations) that the broker does not know.
  type: list
  elements: str
  returned: always
  sample: []
remaining:
  description: What was left at the end, as last seen.
  type: list
  elements: dict
  returned: always
  contains:
    name:
      description:
        - The destination as in RV(mqlift.amazon_mq.queue_info#module:destinations[].name), or the broker's name for
          what counts over the whole broker.
      type: str
      returned: always
      sample: orders.new
    kind:
      description: One of V(queue), V(durable_subscription), V(transaction), V(scheduled_message).
      type: str
      returned: always
      sample: queue
    pending:
      description: How many are left, those in flight included.
      type: int
      returned: always
      sample: 9980
    in_flight:
      description: How many of them are dispatched and not acknowledged.
      type: int
      returned: always
      sample: 1000
    consumers:
      description: The number of consumers.
      type: int
      returned: always
      sample: 1
    producers:
      description: The number of producers bound to the destination.
      type: int
      returned: always
      sample: 0
    rate:
      description: How many messages per second were consumed during the last seconds.
      type: float
      returned: always
      sample: 142.0
    eta:
      description: In how many seconds it would be empty.
      type: float
      returned: always
      sample: 70.3
    cause:
      description:
        - Why it is not empty.
        - V(no_consumer), nobody consumes.
        - V(unacknowledged), a consumer holds messages and does not acknowledge.
        - V(open_transaction), a transaction has to end first.
        - V(scheduled), messages have to become due first.
        - V(dead_letters), messages still arrive in this dead letter queue instead of being consumed.
        - V(producers), producers are still sending, or still connected with O(require_no_producers).
        - V(draining), it is being consumed.
        - V(not_dispatched), there are consumers, but the broker gives them nothing, for example because of selectors.
        - V(unknown), the view does not tell, or it was seen only once.
      type: str
      returned: always
      sample: draining
unknowns:
  description: What the view could not know, without what O(accept_unknown) accepts.
  type: list
  elements: str
  returned: always
  sample: []
dlq:
  description: The dead letter queues that hold messages, with the keys C(name) and C(pending).
  type: list
  elements: dict
  returned: always
  sample:
    - name: ActiveMQ.DLQ
      pending: 2
broker:
  description: The broker as in RV(mqlift.amazon_mq.queue_info#module:broker), V(null) when it was never seen.
  type: dict
  returned: always
  sample:
    broker_id: "ID:onprem-37253-1700000000000-0:1"
    name: onprem
    version: 5.16.6
    uptime_ms: 86400000
    total_messages: 0
restarts:
  description: How often the broker restarted during the wait.
  type: int
  returned: always
  sample: 0
history:
  description: At most 100 samples in short, evenly spread.
  type: list
  elements: dict
  returned: always
  contains:
    elapsed:
      description: Seconds since the wait began.
      type: float
      returned: always
      sample: 1.003
    pending:
      description: The number of messages on the selected destinations.
      type: int
      returned: always
      sample: 12304
    remaining:
      description: The number of entries that RV(remaining) would have had.
      type: int
      returned: always
      sample: 2
    open_transactions:
      description: The number of open transactions.
      type: int
      returned: always
      sample: 0
    scheduled:
      description: The number of scheduled messages.
      type: int
      returned: always
      sample: 0
"""

import time

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._drain import (
    DRAIN_SPEC,
    Drain,
    DrainError,
    Options,
    check,
    outcome,
    wait,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._views import VIEW_SPEC, open_view


def main() -> None:
    module = AnsibleModule(argument_spec={"view": VIEW_SPEC, **DRAIN_SPEC}, supports_check_mode=True)
    try:
        view = open_view(module.params["view"])
        drain = Drain(Options.from_params(module.params), time.monotonic)
        if module.check_mode:
            verdict = check(drain, view.sample)
        else:
            verdict = wait(drain, view.sample, time.sleep, glance=view.overview)
    except (DrainError, ValueError) as exc:
        module.fail_json(msg=str(exc))
    result = outcome(drain, verdict)
    if result["failed"]:
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
