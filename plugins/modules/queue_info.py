# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: queue_info
short_description: Observe what an ActiveMQ broker holds
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - Takes one sample of a broker, that is its queues, durable topic subscriptions, open transactions and scheduled
    messages.
  - What a view cannot know is V(null), never V(0).
  - Names are returned exactly as the broker tells them. They were chosen by whoever may create destinations, so treat
    them as untrusted text.
extends_documentation_fragment:
  - mqlift.amazon_mq._attributes
  - mqlift.amazon_mq._attributes.info_module
  - mqlift.amazon_mq._view
options:
  broker_only:
    description:
      - Whether to look at nothing but the broker, which costs next to nothing however many queues it has. Only
        RV(broker), RV(taken_at) and RV(view) are returned then.
    type: bool
    default: false
  query:
    description:
      - A JMESPath expression that narrows RV(destinations). It is applied to their list and answers with those to
        return.
      - Needs the Python package jmespath on the host that runs the task.
    type: str
seealso:
  - module: mqlift.amazon_mq.queue_drain
  - plugin: mqlift.amazon_mq.coverage_problems
    plugin_type: filter
  - plugin: mqlift.amazon_mq.live_queues
    plugin_type: filter
"""

EXAMPLES = r"""
- name: See what the old broker holds
  mqlift.amazon_mq.queue_info:
    view:
      url: http://broker.example.com:8161/api/jolokia
      username: monitor
      password: "{{ monitor_password }}"
  register: source

- name: Name the queues that somebody uses
  ansible.builtin.debug:
    msg: "{{ source.destinations | mqlift.amazon_mq.live_queues }}"

- name: Observe whichever instance of a pair is active, from a host that can reach it
  mqlift.amazon_mq.queue_info:
    view:
      url:
        - https://broker-1.example.com:8162/api/jolokia
        - https://broker-2.example.com:8162/api/jolokia
      username: monitor
      password: "{{ monitor_password }}"
      ca_file: /etc/ssl/certs/private-ca.pem
  delegate_to: bastion.example.com

- name: Ask the statistics plugin of an Amazon MQ broker, from the controller
  mqlift.amazon_mq.queue_info:
    view:
      type: statistics
      url:
        - stomp+ssl://b-1234a5b6-78cd-901e-2fab-3c45d6789012-1.mq.us-east-2.amazonaws.com:61614
        - stomp+ssl://b-1234a5b6-78cd-901e-2fab-3c45d6789012-2.mq.us-east-2.amazonaws.com:61614
      username: app
      password: "{{ app_password }}"
    query: "[?starts_with(name, 'orders.') && pending > `0`]"
  delegate_to: localhost

- name: Use whatever answers, what knows most first
  mqlift.amazon_mq.queue_info:
    view:
      type: auto
      url:
        - http://broker.example.com:8161/api/jolokia
        - stomp://broker.example.com:61613
        - http://broker.example.com:8161/admin
      username: monitor
      password: "{{ monitor_password }}"
      stomp_username: app
      stomp_password: "{{ app_password }}"

- name: See what CloudWatch tells of a broker that nothing else reaches
  mqlift.amazon_mq.queue_info:
    view:
      type: cloudwatch
      broker_name: orders
      region: us-east-2
  delegate_to: localhost
"""

RETURN = r"""
broker:
  description: The broker that answered.
  type: dict
  returned: success
  contains:
    broker_id:
      description: The broker's id. It is a new one after each start. V(null) when the view does not tell.
      type: str
      returned: success
      sample: "ID:onprem-37253-1700000000000-0:1"
    name:
      description: The broker's name. V(null) when the view does not tell.
      type: str
      returned: success
      sample: onprem
    version:
      description: The version of ActiveMQ.
      type: str
      returned: success
      sample: 5.16.6
    uptime_ms:
      description: Milliseconds since the broker started.
      type: int
      returned: success
      sample: 86400000
    total_messages:
      description: The number of messages in all queues, dead letter and temporary queues included.
      type: int
      returned: success
      sample: 3
destinations:
  description: Queues and durable topic subscriptions, in no particular order.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: The queue's name, or C(topic/client_id/subscription) of a durable subscription.
      type: str
      returned: success
      sample: orders.new
    kind:
      description: V(queue) or V(durable_subscription).
      type: str
      returned: success
      sample: queue
    pending:
      description: The number of messages, those dispatched but not acknowledged included.
      type: int
      returned: success
      sample: 3
    in_flight:
      description: The number of messages that are dispatched and not acknowledged.
      type: int
      returned: success
      sample: 1
    enqueued:
      description: The number of messages sent to it since the broker started.
      type: int
      returned: success
      sample: 120
    dequeued:
      description: The number of messages taken from it since the broker started.
      type: int
      returned: success
      sample: 117
    consumers:
      description: The number of consumers. For a durable subscription, whether its subscriber is connected.
      type: int
      returned: success
      sample: 2
    producers:
      description: The number of producers bound to this queue. See RV(anonymous_producers) for the others.
      type: int
      returned: success
      sample: 1
    dlq:
      description: Whether the broker made it a dead letter queue.
      type: bool
      returned: success
      sample: false
    topic:
      description: The topic of a durable subscription. V(null) for a queue.
      type: str
      returned: success
      sample:
    client_id:
      description: The client id of a durable subscription's subscriber. V(null) for a queue.
      type: str
      returned: success
      sample:
    subscription:
      description: The name that a subscriber gave its durable subscription. V(null) for a queue.
      type: str
      returned: success
      sample:
    bridges:
      description: How many of a queue's consumers are network bridges, which carry messages to another broker.
      type: int
      returned: success
      sample: 0
open_transactions:
  description: The number of open transactions of all client connections.
  type: int
  returned: success
  sample: 0
scheduled:
  description: The number of scheduled messages, which are in no queue until they are due.
  type: int
  returned: success
  sample: 0
anonymous_producers:
  description: The number of producers that are bound to no destination, for example those of STOMP clients.
  type: int
  returned: success
  sample: 0
unknowns:
  description:
    - What the view could not know of the broker as a whole.
    - V(scheduled), V(transactions), V(durable_subscriptions), or V(broker_id), without which a restart is not noticed.
    - V(destinations), there may be a destination that is not listed, or not by its right name.
    - V(present), the sample tells what the broker held some time ago.
  type: list
  elements: str
  returned: success
  sample: []
capabilities:
  description: What this kind of view can know. Everything else is V(null) or in RV(unknowns).
  type: list
  elements: str
  returned: success
  sample: [broker_id, consumers, dequeued, enqueued, in_flight, pending, producers, total]
tried:
  description: With the view V(auto), the views that did not answer, with the keys of RV(view_error).
  type: list
  elements: dict
  returned: success
  sample: []
hidden_messages:
  description:
    - How many more messages the broker counts in its queues than they show. It is inexact, also negative, while
      messages come and go.
    - JMX shows only one of several queues whose names differ in nothing but C(:), C(,), C('), C(") and C(_).
  type: int
  returned: success
  sample: 0
taken_at:
  description:
    - When the sample was taken, in seconds since the epoch. With the view V(cloudwatch) it is the beginning of the
      minute that the sample is of.
  type: float
  returned: success
  sample: 1700000000.0
view:
  description: The kind of view. With V(auto), the one that answered.
  type: str
  returned: success
  sample: jolokia
url:
  description: The URL that answered.
  type: str
  returned: success
  sample: http://broker.example.com:8161/api/jolokia
view_error:
  description: Why there is no sample.
  type: dict
  returned: failure of the view
  contains:
    view:
      description: The kind of view.
      type: str
      returned: failure of the view
      sample: jolokia
    url:
      description: The URL that failed.
      type: str
      returned: failure of the view
      sample: http://broker.example.com:8161/api/jolokia
    message:
      description: What went wrong.
      type: str
      returned: failure of the view
      sample: the credentials are refused (HTTP 401)
    transient:
      description: Whether it may heal by itself.
      type: bool
      returned: failure of the view
      sample: false
"""

import time

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._drain import DrainError, compile_query
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import ViewError, sample_to_dict
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._views import VIEW_SPEC, open_view


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "view": VIEW_SPEC,
            "broker_only": {"type": "bool", "default": False},
            "query": {"type": "str"},
        },
        supports_check_mode=True,
    )
    query = module.params["query"]
    try:
        narrow = None if query is None else compile_query(query)
        view = open_view(module.params["view"])
        if module.params["broker_only"]:
            overview = view.overview()
            module.exit_json(changed=False, broker=overview._asdict(), taken_at=time.time(), view=view.kind)
        sample = view.sample()
        if narrow is not None:
            sample = sample._replace(destinations=narrow(sample.destinations))
    except ViewError as exc:
        module.fail_json(msg=str(exc), view_error=exc.to_dict())
    except (DrainError, ValueError) as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(changed=False, capabilities=sorted(view.capabilities), **sample_to_dict(sample))


if __name__ == "__main__":
    main()
