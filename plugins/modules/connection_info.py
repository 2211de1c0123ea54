# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: connection_info
short_description: Take the census of an ActiveMQ broker
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - Says who is connected to a broker, each connection once, with what it sends to and receives from.
  - What a broker does not tell is V(null), never V(0).
  - Names are returned exactly as the broker tells them. They were chosen by whoever may connect, so treat them as
    untrusted text.
  - Who does something inside the broker has no address, for example a Camel route or the near end of a network bridge.
    Neither has a client that left while the census was taken.
extends_documentation_fragment:
  - mqlift.amazon_mq._attributes
  - mqlift.amazon_mq._attributes.info_module
  - mqlift.amazon_mq._view
options:
  view:
    description:
      - How to observe the broker. A view only reads.
      - Only a view of the type V(jolokia) knows connections, or V(auto) with a URL of Jolokia. The module fails with
        another one.
  hosts:
    description:
      - The addresses from which each host of the inventory connects. A client is matched to the host that has its
        address.
      - An address is an IP address, a network such as V(10.2.0.0/16), or a name. Names are resolved on the host that
        runs the task. A name that cannot be resolved is a warning.
      - When several hosts have an address, the one that names it most narrowly gets the client, then the first.
    type: dict
  query:
    description:
      - A JMESPath expression that narrows RV(clients). It is applied to that list and answers with those to keep.
      - Needs the Python package jmespath on the host that runs the task.
    type: str
seealso:
  - module: mqlift.amazon_mq.queue_info
  - module: mqlift.amazon_mq.socket_info
"""

EXAMPLES = r"""
- name: See who is on the old broker
  mqlift.amazon_mq.connection_info:
    view:
      url: http://broker.example.com:8161/api/jolokia
      username: monitor
      password: "{{ monitor_password }}"
    hosts:
      app1: [10.0.0.21, app1.example.com]
      kubernetes: [10.2.0.0/16]
  register: census

- name: Require that everybody is known
  ansible.builtin.assert:
    that: census.clients | selectattr('unknown') | length == 0

- name: See who still sends
  mqlift.amazon_mq.connection_info:
    view:
      url: http://broker.example.com:8161/api/jolokia
      username: monitor
      password: "{{ monitor_password }}"
    query: "[?producers > `0` && kind == 'client']"
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
clients:
  description: The connections, sorted by host, address and port.
  type: list
  elements: dict
  returned: success
  contains:
    kind:
      description:
        - V(client), a client.
        - V(bridge), an end of a network bridge. Brokers older than 5.17.6 and 5.18.3 do not say so, it is then
          recognised by the client id that a bridge has by default.
        - V(tool), a connection of this collection, recognised by a client id that starts with C(mqlift-).
        - V(socket), a connection that has not said who it is, for example a probe or a port scan.
      type: str
      returned: success
      sample: client
    host:
      description: The host of O(hosts) that has the address.
      type: str
      returned: success
      sample: app1
    unknown:
      description:
        - Whether no host of O(hosts) has the address of this V(client) or V(socket). Without O(hosts) it is V(null).
      type: bool
      returned: success
      sample: false
    client_id:
      description: The client id. The broker or the client library makes one up for who does not choose one.
      type: str
      returned: success
      sample: "ID:app1-36683-1700000000000-0:1"
    address:
      description: The IP address. V(null) for who is inside the broker.
      type: str
      returned: success
      sample: 10.0.0.21
    port:
      description: The client's port.
      type: int
      returned: success
      sample: 53506
    user:
      description: The user name. Brokers tell it with C(populateUserNameInMBeans=true) only.
      type: str
      returned: success
      sample: orders
    connector:
      description: The name of the broker's connector. V(null) for who is inside the broker.
      type: str
      returned: success
      sample: openwire
    protocol:
      description: V(openwire), V(stomp), V(amqp), V(mqtt) or V(ws). V(null) for a connector that takes any.
      type: str
      returned: success
      sample: openwire
    tls:
      description: Whether the connector speaks TLS.
      type: bool
      returned: success
      sample: false
    connected_at:
      description: When it connected, in seconds since the epoch. Since 5.17.6 and 5.18.3.
      type: float
      returned: success
      sample: 1700000000.0
    failover:
      description: Whether it is an OpenWire client with a failover URL. Since 5.17.6 and 5.18.3.
      type: bool
      returned: success
      sample: true
    consumes:
      description: What it receives from. The broker's advisory topics are left out.
      type: list
      elements: dict
      returned: success
      contains:
        kind:
          description: V(queue), V(topic), V(temp_queue) or V(temp_topic).
          type: str
          returned: success
          sample: queue
        name:
          description: The name, also a wildcard.
          type: str
          returned: success
          sample: orders.new
        consumers:
          description: The number of its consumers.
          type: int
          returned: success
          sample: 1
        in_flight:
          description: The number of messages that it has been given and has not acknowledged.
          type: int
          returned: success
          sample: 12
    produces:
      description:
        - What it sends to. Of a producer that is bound to no destination, as those of STOMP clients are, it is the one
          that it sent to last, and nothing until then.
      type: list
      elements: dict
      returned: success
      contains:
        kind:
          description: V(queue), V(topic), V(temp_queue) or V(temp_topic).
          type: str
          returned: success
          sample: queue
        name:
          description: The name.
          type: str
          returned: success
          sample: orders.new
        producers:
          description: The number of its producers.
          type: int
          returned: success
          sample: 1
        sent:
          description: The number of messages that these producers have sent, wherever to.
          type: int
          returned: success
          sample: 1001
    consumers:
      description: The number of its consumers, those of advisory topics left out.
      type: int
      returned: success
      sample: 0
    producers:
      description: The number of its producers, those that have not sent anything included.
      type: int
      returned: success
      sample: 1
    sessions:
      description: The number of its sessions that have a consumer or a producer.
      type: int
      returned: success
      sample: 1
    open_transactions:
      description: The number of its open transactions.
      type: int
      returned: success
      sample: 0
    slow:
      description: Whether the broker calls it slow.
      type: bool
      returned: success
      sample: false
    blocked:
      description: Whether the broker makes it wait, for example because memory is short.
      type: bool
      returned: success
      sample: false
unknowns:
  description:
    - What nobody may read, or what the broker has but does not list, of V(connections), V(consumers) and V(producers).
    - Where there are only clients inside the broker, V(connections) is among them, too.
  type: list
  elements: str
  returned: success
  sample: []
taken_at:
  description: When the census was taken, in seconds since the epoch.
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
  description: Why there is no census.
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

import traceback
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._addresses import Places
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._census import census_to_dict, check_hosts, open_census
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import ViewError
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._views import VIEW_SPEC

try:
    import jmespath
except ImportError:  # only a query needs it
    jmespath = None
    JMESPATH_ERROR: str | None = traceback.format_exc()
else:
    JMESPATH_ERROR = None


def main() -> None:
    module = AnsibleModule(
        argument_spec={"view": VIEW_SPEC, "hosts": {"type": "dict"}, "query": {"type": "str"}},
        supports_check_mode=True,
    )
    view, hosts, query = (module.params[name] for name in ("view", "hosts", "query"))
    if query is not None and JMESPATH_ERROR is not None:
        module.fail_json(msg=missing_required_lib("jmespath"), exception=JMESPATH_ERROR)
    try:
        places = None if hosts is None else Places(check_hosts(hosts), timeout=view["timeout"])
        result = census_to_dict(open_census(view, places).take())
    except ViewError as exc:
        module.fail_json(msg=str(exc), view_error=exc.to_dict())
    except ValueError as exc:
        module.fail_json(msg=str(exc))
    if places is not None and places.unresolved:
        module.warn(f"hosts: these names cannot be resolved: {', '.join(places.unresolved)}")
    if query is not None:
        result["clients"] = _narrow(module, result["clients"], query)
    module.exit_json(changed=False, **result)


def _narrow(module: AnsibleModule, clients: list[dict[str, Any]], query: str) -> list[dict[str, Any]]:
    try:
        answer: Any = jmespath.search(query, clients)
    except (jmespath.exceptions.JMESPathError, ValueError) as exc:
        module.fail_json(msg=f"query: {exc}")
    if not isinstance(answer, list) or not {id(one) for one in answer} <= {id(one) for one in clients}:
        module.fail_json(msg="query: must answer with a list of clients, e.g. [?consumers > `0`]")
    return list(answer)


if __name__ == "__main__":
    main()
