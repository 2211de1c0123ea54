# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Client libraries and how they spell a broker list: the option O(dialect) of every plugin that has it."""

from __future__ import annotations


class ModuleDocFragment:
    """The option ``dialect``; its values are DIALECTS of module_utils/_failover_url.py."""

    DOCUMENTATION = r"""
options:
  dialect:
    description:
      - The client library.
      - V(activemq) is V(failover:(e1,e2\)?name=value) for the ActiveMQ Java client.
      - V(spring) is that URL in the properties of Spring Boot, a dictionary.
      - V(nms) is for Apache NMS OpenWire (.NET), V(cms) for ActiveMQ-CPP.
      - V(qpid_jms) and V(nms_amqp) are for the AMQP clients Qpid JMS and Apache NMS AMQP. Amazon MQ's C(amqp+ssl://)
        becomes C(amqps://).
      - V(host_list) is C(h1:p1,h2:p2) for clients such as stomp.py. It has no place for options.
      - V(single_url) is for clients that cannot fail over. It takes exactly one endpoint, that of the active broker.
    type: str
    choices:
      - activemq
      - spring
      - nms
      - cms
      - qpid_jms
      - nms_amqp
      - host_list
      - single_url
    default: activemq
"""
