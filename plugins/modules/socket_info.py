#!/usr/bin/python
# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: socket_info
short_description: See the TCP connections of a host's services
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - Finds the processes of services and their TCP connections in C(/proc) of a Linux host, and tells to which of the
    given endpoints they lead.
  - Needs no package on the host. Processes of other users can only be seen with C(become).
  - With O(services[].running), O(services[].connected_to) or O(services[].not_connected_to) it waits until all services
    are as wanted, for at most O(timeout) seconds, and fails when they are not.
extends_documentation_fragment:
  - mqlift.amazon_mq._attributes
  - mqlift.amazon_mq._attributes.info_module
options:
  services:
    description: The services to look at.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The service's name; with O(services[].manager=systemd) the name of its unit.
        type: str
        required: true
      manager:
        description:
          - How the processes are found.
          - V(systemd) takes all processes in the control group of the unit.
          - V(supervisor) takes the processes that supervisord started under O(services[].name), which is the name of a
            program or C(group:program), and their children. It knows them by their environment.
          - The others need O(services[].pid_file) or O(services[].match), which V(supervisor) takes as well.
        type: str
        choices:
          - systemd
          - sysvinit
          - supervisor
          - docker_compose
          - command
        default: systemd
      pid_file:
        description: A file that holds the id of the service's process. Its children belong to the service as well.
        type: path
      match:
        description: A text that the service's command line contains, its words joined by single blanks.
        type: str
      pids:
        description:
          - Ids of processes that count as the service's as long as they live, besides those that are found.
          - So a service that is stopped is not taken for gone when its pid file is, but its process is not.
        type: list
        elements: int
        default: []
      running:
        description: Whether the service has to run.
        type: bool
      connected_to:
        description: Endpoints as in O(endpoints). The service has to be connected to at least one of them.
        type: list
        elements: str
        default: []
      not_connected_to:
        description: Endpoints as in O(endpoints). The service must not be connected to any of them.
        type: list
        elements: str
        default: []
  endpoints:
    description:
      - Endpoints as C(host:port). The names are resolved on the host. One that cannot be resolved is a failure, which
        tells what was seen of the services all the same.
      - When several have the same address and port, the first one counts.
      - Those of O(services[].connected_to) and O(services[].not_connected_to) need not be repeated here.
    type: list
    elements: str
    default: []
  timeout:
    description: How many seconds to wait at most until the services are as wanted. V(0) looks once.
    type: float
    default: 0.0
  follow_while:
    description:
      - A path on the host. As long as it exists, at most O(timeout) seconds, the services are looked at four times a
        second, more often while one of them is not connected, and less often where that would take more than a
        twentieth of one processor.
      - What is wanted of the services is not looked at then.
      - A name that cannot be resolved is told, and is no failure.
    type: path
  stable_for:
    description:
      - For how many seconds one connection to an endpoint of O(services[].connected_to) has to last.
      - A broker that refuses a client's credentials closes its connection only after about two seconds.
    type: float
    default: 0.0
seealso:
  - module: mqlift.amazon_mq.client_config
"""

EXAMPLES = r"""
- name: See where the orders API is connected
  mqlift.amazon_mq.socket_info:
    services:
      - name: orders-api
    endpoints:
      - mq.example.com:61616
      - b-1.example.com:61617
  become: true
  register: sockets

- name: Wait until the orders API is connected to the new broker and no longer to the old one
  mqlift.amazon_mq.socket_info:
    services:
      - name: orders-api
        connected_to: [b-1.example.com:61617, b-2.example.com:61617]
        not_connected_to: [mq.example.com:61616]
    timeout: 60
    stable_for: 3
  become: true

- name: Follow the orders API until the path is removed, at most for ten minutes
  mqlift.amazon_mq.socket_info:
    services:
      - name: orders-api
    endpoints: [b-1.example.com:61617, b-2.example.com:61617]
    follow_while: /run/follow-orders
    timeout: 600
  become: true
  async: 660
  poll: 0
  register: followed

- name: See a service that is not run by systemd
  mqlift.amazon_mq.socket_info:
    services:
      - name: billing
        manager: command
        pid_file: /run/billing.pid
"""

RETURN = r"""
services:
  description: The services, in the order of O(services), as last seen.
  type: list
  elements: dict
  returned: success, or when a service is not as wanted in time
  contains:
    name:
      description: The service's name.
      type: str
    running:
      description: Whether it has at least one process.
      type: bool
    pids:
      description: The ids of its processes.
      type: list
      elements: int
    started:
      description: When its oldest process started, in seconds of the epoch; V(null) when it has none.
      type: float
    endpoints:
      description: The endpoints, of those given, to which it has an established connection. Sorted, each once.
      type: list
      elements: str
    connections:
      description: Its TCP connections, listening sockets left out.
      type: list
      elements: dict
      contains:
        local_address:
          description: The local IP address.
          type: str
        local_port:
          description: The local port.
          type: int
        remote_address:
          description: The remote IP address.
          type: str
        remote_port:
          description: The remote port.
          type: int
        state:
          description: The state of the connection, as in V(ESTABLISHED).
          type: str
        endpoint:
          description: The endpoint it leads to; V(null) when it is none of those given.
          type: str
    problem:
      description:
        - What is not as wanted, a sentence; V(null) when everything is. It also tells that no connection lasted for
          O(stable_for) seconds, which the last look alone does not show.
      type: str
      returned: without O(follow_while)
    timeline:
      description: How its connections changed, with O(follow_while).
      type: dict
      contains:
        changes:
          description:
            - What was seen each time when something had changed. Of very many, the first 500 and the last 500.
          type: list
          elements: dict
          contains:
            at:
              description: When, in seconds of the epoch, by the clock of the host.
              type: float
            running:
              description: Whether the service had a process.
              type: bool
            started:
              description: When its oldest process started.
              type: float
            endpoints:
              description: The endpoints to which it had an established connection.
              type: list
              elements: str
            local_ports:
              description: The local ports of these connections.
              type: list
              elements: int
            attempts:
              description:
                - Its other connections to an address or port of an endpoint, at most 20, such as one that is being
                  opened (V(SYN_SENT)) or leads to an address that is no endpoint's.
                - A connection in V(TIME_WAIT) has just ended. The kernel does not tell whose it was. It is shown for
                  the only service on the host that is not connected, and for none when there are several.
              type: list
              elements: dict
              contains:
                address:
                  description: The remote IP address.
                  type: str
                port:
                  description: The remote port.
                  type: int
                local_port:
                  description: The local port.
                  type: int
                state:
                  description: The state of the connection.
                  type: str
                endpoint:
                  description: The endpoint it leads to; V(null) when it is none of those given.
                  type: str
        dropped:
          description: How many changes in the middle were not kept.
          type: int
        looks:
          description: How often it was looked at.
          type: int
        until:
          description: When it was looked at last.
          type: float
  sample:
    - name: orders-api
      running: true
      pids: [4711]
      started: 1767225600.12
      endpoints: ["mq.example.com:61616"]
      connections:
        - local_address: 192.0.2.10
          local_port: 40112
          remote_address: 192.0.2.20
          remote_port: 61616
          state: ESTABLISHED
          endpoint: mq.example.com:61616
      problem: null
unresolved:
  description: What could not be resolved on the host, a sentence for each endpoint.
  type: list
  elements: str
  returned: success, or when a service is not as wanted in time
now:
  description: The clock of the host, in seconds of the epoch.
  type: float
  returned: success, or when a service is not as wanted in time
"""

import os
import sys
import time
from collections.abc import Callable
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._follow import Follower, follow
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._sockets import (
    Observer,
    ProcFs,
    SocketsError,
    boot_epoch,
    observe,
    resolve_each,
    wait,
)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "services": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "name": {"type": "str", "required": True},
                    "manager": {
                        "type": "str",
                        "choices": ["systemd", "sysvinit", "supervisor", "docker_compose", "command"],
                        "default": "systemd",
                    },
                    "pid_file": {"type": "path"},
                    "match": {"type": "str"},
                    "pids": {"type": "list", "elements": "int", "default": []},
                    "running": {"type": "bool"},
                    "connected_to": {"type": "list", "elements": "str", "default": []},
                    "not_connected_to": {"type": "list", "elements": "str", "default": []},
                },
                "mutually_exclusive": [("pid_file", "match")],
                "required_if": [
                    ("manager", manager, ("pid_file", "match"), True)
                    for manager in ("sysvinit", "docker_compose", "command")
                ],
            },
            "endpoints": {"type": "list", "elements": "str", "default": []},
            "timeout": {"type": "float", "default": 0.0},
            "follow_while": {"type": "path"},
            "stable_for": {"type": "float", "default": 0.0},
        },
        supports_check_mode=True,
    )
    params = module.params
    services = params["services"]
    endpoints = [
        *params["endpoints"],
        *(one for service in services for one in service["connected_to"] + service["not_connected_to"]),
    ]

    def observer(table: dict[tuple[str, int], str]) -> Observer:
        return Observer(
            ProcFs(),
            boot=boot_epoch(),
            ticks=os.sysconf("SC_CLK_TCK"),
            byteorder=sys.byteorder,
            endpoints=table,
            own_pid=os.getpid(),
        )

    unresolved: list[str] = []

    def look() -> tuple[list[dict[str, Any]], list[str]]:
        table, unresolved[:] = resolve_each(endpoints)
        return observe(observer(table), services), unresolved

    try:
        if params["follow_while"] is not None:
            module.exit_json(changed=False, **_follow(module, observer, endpoints))
        records, problems = wait(look, services, params["timeout"], params["stable_for"])
    except SocketsError as error:
        module.fail_json(msg=str(error))
    seen = {"services": records, "unresolved": unresolved, "now": time.time()}
    if problems:
        module.fail_json(msg="; ".join(problems), **seen)
    module.exit_json(changed=False, **seen)


def _follow(
    module: AnsibleModule, observer: Callable[[dict[tuple[str, int], str]], Observer], endpoints: list[str]
) -> dict[str, Any]:
    path, services = module.params["follow_while"], module.params["services"]
    table, unresolved = resolve_each(endpoints)
    one = observer(table)
    timelines = follow(
        Follower(one, services).look, lambda: os.path.lexists(path), len(services), module.params["timeout"]
    )
    records = observe(observer(table), services)
    for record, timeline in zip(records, timelines):
        record["timeline"] = timeline
    return {"services": records, "unresolved": unresolved, "now": time.time()}


if __name__ == "__main__":
    main()
