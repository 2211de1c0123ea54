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
"""

RETURN = r"""
broker:
  description: The broker that answered.
  type: dict
  returned: success
  contains:
    broker_id:
      description: The broker's id. It is a new one after each start.
      type: str
      returned: success
      sample: "ID:onprem-37253-1700000000000-0:1"
    name:
      description: The broker's name.
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
      description: The queue's name, or C(topic/client id/subscription name) of a durable subscription.
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
  description: What the view could not know.
  type: list
  elements: str
  returned: success
  sample: []
taken_at:
  description: When the sample was taken, in seconds since the epoch.
  type: float
  returned: success
  sample: 1700000000.0
view:
  description: The kind of view.
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

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import ViewError, sample_to_dict
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._views import VIEW_SPEC, open_view


def main() -> None:
    module = AnsibleModule(argument_spec={"view": VIEW_SPEC}, supports_check_mode=True)
    try:
        sample = open_view(module.params["view"]).sample()
    except ViewError as exc:
        module.fail_json(msg=str(exc), view_error=exc.to_dict())
    except ValueError as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(changed=False, **sample_to_dict(sample))


if __name__ == "__main__":
    main()
