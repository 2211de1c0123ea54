# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: failover_report
short_description: Tell which services survived a failover, and why the others did not
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - Puts together what was seen on all hosts before, during and after a failover, and names each service that does not
    survive one, with the reasons. The role C(failover_test) collects what it needs.
  - A service is named when something is wrong that one failover may hide, such as an instance that its list lacks, when
    it was away from the active instance for too long, or when it is not connected at the end.
  - What is not known is no success. A service whose connections could not be seen before is named, and so is a host of
    which no service could be followed or seen afterwards.
positional: target, truth, failover, signatures, within
options:
  _input:
    description:
      - For each host C(services) (the result of P(mqlift.amazon_mq.failover_services#filter)), and as far as they are
        there the results of modules.
      - C(held) is a list with what M(mqlift.amazon_mq.client_config) returned for each service in check mode, C(probes)
        is what M(mqlift.amazon_mq.endpoint_probe) returned on the host, C(before), C(follow) and C(after) are what
        M(mqlift.amazon_mq.socket_info) returned, C(logs) is what M(mqlift.amazon_mq.log_info) returned.
    type: dict
    required: true
  target:
    description: The name of the broker.
    type: str
    required: true
  truth:
    description:
      - Where the instances really are. C(broker) is what M(mqlift.amazon_mq.broker_info) returned as C(broker),
        C(probed) what M(mqlift.amazon_mq.endpoint_probe) returned on the controller, C(addresses) further addresses by
        host name.
    type: dict
    default: {}
  failover:
    description: What M(mqlift.amazon_mq.broker_failover) returned. Without it, only what was seen before is judged.
    type: dict
  signatures:
    description:
      - What the patterns of C(logs) mean, a dictionary each with the pattern's C(name), the reason's C(code), and
        C(needs_host), whether a line has to name an instance.
      - A match with the code V(log_pattern) is a reason by itself. Another one has to be confirmed by a connection that
        is missing.
    type: list
    elements: dict
    default: []
  within:
    description: In how many seconds a service has to be connected to an instance that is active for longer than that.
    type: float
    default: 30
seealso:
  - plugin: mqlift.amazon_mq.failover_services
    plugin_type: filter
  - module: mqlift.amazon_mq.broker_failover
"""

EXAMPLES = r"""
- name: Name the services that would not survive a failover
  ansible.builtin.debug:
    msg: "{{ ({'app1': seen} | mqlift.amazon_mq.failover_report('orders')).failures }}"
  vars:
    seen:
      services: "{{ mq_services | mqlift.amazon_mq.failover_services(mq_source, mq_target) }}"
      held: "{{ client_held.results }}"
      before: "{{ sockets }}"
"""

RETURN = r"""
_value:
  description: The report.
  type: dict
  contains:
    passed:
      description: Whether everything survived, the broker's own test included.
      type: bool
    failures:
      description: What did not, a sentence each.
      type: list
      elements: str
      sample: ["app1: service orders-api: only_one_endpoint: its settings name only b-1:61617; b-2:61617 is missing"]
    services:
      description: The services.
      type: list
      elements: dict
      contains:
        host:
          description: The host.
          type: str
        service:
          description: The service.
          type: str
        survived:
          description: Whether it survived. V(null) when that is not known.
          type: bool
        reasons:
          description: Why not, each with C(code) and C(message). The guide about the failover test explains the codes.
          type: list
          elements: dict
        notes:
          description: What is odd or was not seen.
          type: list
          elements: str
        down_for:
          description: The longest time in seconds without a connection to the active instance.
          type: float
        reconnected_after:
          description: The longest time in seconds from when an instance became active until it was connected there.
          type: float
        connected_before:
          description: The endpoints to which it was connected before.
          type: list
          elements: str
        connected_after:
          description: Those to which it was connected at the end.
          type: list
          elements: str
        timeline:
          description: As RV(mqlift.amazon_mq.socket_info#module:services[].timeline.changes).
          type: list
          elements: dict
    failover:
      description: The argument O(failover).
      type: dict
    lines:
      description: A page to read.
      type: list
      elements: str
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url import FailoverUrlError
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._survival import CODES, known_addresses, report


def _failover_report(
    seen: Mapping[str, Mapping[str, Any]],
    target: str,
    truth: Mapping[str, Any] | None = None,
    failover: Mapping[str, Any] | None = None,
    signatures: Sequence[Mapping[str, Any]] = (),
    within: float = 30.0,
) -> dict[str, Any]:
    wrong = [str(each.get("code")) for each in signatures if each.get("code") not in CODES]
    if wrong:
        raise AnsibleFilterError(f"failover_report: unknown code {', '.join(wrong)}: use one of {', '.join(CODES)}")
    truth = truth or {}
    try:
        known = known_addresses(truth.get("broker"), truth.get("probed"), truth.get("addresses"))
        return report(seen, target, known, failover, signatures, float(within))
    except (KeyError, TypeError, ValueError, AttributeError, FailoverUrlError) as error:
        raise AnsibleFilterError(f"failover_report: not what the modules returned: {error!r}") from error


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"failover_report": _failover_report}
