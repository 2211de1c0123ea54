# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: broker_configuration
short_description: Manage a configuration of Amazon MQ for ActiveMQ, and tell what Amazon MQ would remove from it
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - Creates a configuration, adds a revision when the last one is not what is wanted, or deletes it.
  - Amazon MQ removes without an error what it does not permit. This module knows what that is, and fails before it
    changes anything, unless each removal is accepted by its name with O(accept_removed).
  - O(data) can be a broker's own C(activemq.xml). The broker in it is taken, and what is around it counts as removed.
  - Only what remains is uploaded, so that a password of the source's configuration does not get to AWS.
  - Two configurations are the same when they say the same. Comments, white space, prefixes and the order of attributes
    do not count, and so it does not matter that Amazon MQ writes each revision anew.
  - A revision changes no broker. It is applied in three steps, a revision, the broker's setting, and a reboot; see the
    examples.
  - After an upload the revision is read back. When Amazon MQ removed more than was expected, the module fails and names
    the revision. It exists then, but no broker uses it.
requirements:
  - python >= 3.9
extends_documentation_fragment:
  - mqlift.amazon_mq._attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
attributes:
  check_mode:
    support: full
    details:
      - The id and the revision of a configuration that does not exist yet are not known.
  diff_mode:
    support: full
    details:
      - Shows the last revision and what it would become, one element a line, with passwords hidden.
  idempotent:
    support: full
options:
  state:
    description:
      - V(present) makes the configuration exist, with O(data) as its last revision.
      - V(absent) deletes the configuration with all its revisions, which is possible when no broker uses it.
      - V(checked) asks no API and needs no credentials. It returns what Amazon MQ would remove from O(data), and for
        what it would refuse it, and does not fail for that.
    type: str
    choices: [present, absent, checked]
    default: present
  name:
    description:
      - The configuration's name. It has to be the name of at most one configuration in the region.
      - One of O(name) and O(configuration_id) is needed unless O(state=checked).
    type: str
  configuration_id:
    description: The id of a configuration that exists.
    type: str
  data:
    description:
      - The configuration as XML, of which the root is C(<broker>), or C(<beans>) with one C(<broker>) in it.
      - Without it, O(state=present) leaves the last revision as it is, and a new configuration has Amazon MQ's default.
    type: str
  description:
    description:
      - A description of the revision.
      - It takes effect only when a revision is added. Another description alone adds none.
    type: str
  engine_version:
    description:
      - The version of ActiveMQ that the configuration is for, for example V(5.18). The patch does not count.
      - It cannot be changed. Without it, a new configuration is for the newest version.
    type: str
  authentication_strategy:
    description: How the broker's users are known. It cannot be changed. Without it, a new configuration has V(simple).
    type: str
    choices: [simple, ldap]
  accept_removed:
    description:
      - What may be removed, by name.
      - An element is named with the element around it, as in V(broker/sslContext) or
        V(plugins/jaasAuthenticationPlugin). What is around the broker is named V(beans/bean) or V(beans/import).
        What is in a removed element goes with it.
      - An attribute is named with its element, as in V(networkConnector@password).
      - The names are those of RV(removed[].name). A name counts for all places where the pair is found. There are no
        wildcards.
      - Some things Amazon MQ does not remove, but refuses the whole because of them, see RV(rejected). They are removed
        when they are named here, or an element around them is. V(transportConnectors/transportConnector), for example,
        removes all transport connectors but C(openwire).
    type: list
    elements: str
    default: []
  also_permitted:
    description:
      - What Amazon MQ permits although this module does not know it, by name as in O(accept_removed).
      - It is uploaded. When Amazon MQ removes it all the same, the module fails and names the revision.
    type: list
    elements: str
    default: []
notes:
  - What Amazon MQ permits is taken from the schemas that AWS publishes for ActiveMQ 5.18 and 5.19.
  - A configuration has 300 revisions at most, and they cannot be deleted.
  - How to take an C(activemq.xml) to Amazon MQ is told in the guide C(docs/guides/broker_configuration.md).
seealso:
  - module: mqlift.amazon_mq.broker
  - module: mqlift.amazon_mq.broker_failover
"""

EXAMPLES = r"""
- name: See what Amazon MQ would remove from the source's configuration
  mqlift.amazon_mq.broker_configuration:
    state: checked
    data: "{{ lookup('ansible.builtin.file', 'activemq.xml') }}"
  register: check
  delegate_to: localhost

- name: Show the names to decide upon
  ansible.builtin.debug:
    msg: "{{ check.removed | map(attribute='name') | unique }}"

- name: "First step: make the revision"
  mqlift.amazon_mq.broker_configuration:
    name: orders
    engine_version: "5.18"
    region: us-east-2
    data: "{{ lookup('ansible.builtin.file', 'activemq.xml') }}"
    description: Dead letter queues as on the source
    accept_removed:
      - beans/bean
      - beans/import
      - broker@brokerName
      - broker@dataDirectory
      - broker/managementContext
      - broker/sslContext
      - kahaDB@directory
      - systemUsage/storeUsage
      - systemUsage/tempUsage
      - transportConnector@uri
      - transportConnectors/transportConnector
  register: made

- name: "Second step: tell the broker to take it"
  mqlift.amazon_mq.broker:
    broker_name: orders
    region: us-east-2
    configuration:
      id: "{{ made.configuration.id }}"
      revision: "{{ made.revision }}"

- name: "Third step: reboot the broker, and measure what that costs"
  mqlift.amazon_mq.broker_failover:
    broker_name: orders
    region: us-east-2
    username: canary
    password: "{{ canary_password }}"
    view: "{{ target_view }}"

- name: Delete a configuration that no broker uses
  mqlift.amazon_mq.broker_configuration:
    name: orders-old
    region: us-east-2
    state: absent
"""

RETURN = r"""
configuration:
  description: The configuration. V(null) when it does not exist.
  type: dict
  returned: O(state) is V(present) or V(absent)
  contains:
    id:
      description: The configuration's id. V(null) in check mode when it would be created.
      type: str
      returned: success
      sample: c-1234a5b6-78cd-901e-2fab-3c45d6789012
    arn:
      description: The configuration's ARN. V(null) in check mode when it would be created.
      type: str
      returned: success
      sample: arn:aws:mq:us-east-2:123456789012:configuration:c-1234a5b6-78cd-901e-2fab-3c45d6789012
    name:
      description: The configuration's name.
      type: str
      returned: success
      sample: orders
    latest_revision:
      description: The number of the last revision. V(null) in check mode when the configuration would be created.
      type: int
      returned: success
      sample: 3
    engine_version:
      description: The version of ActiveMQ that it is for.
      type: str
      returned: success
      sample: "5.18"
    description:
      description: The description of the last revision.
      type: str
      returned: success
      sample: Dead letter queues as on the source
    authentication_strategy:
      description: V(simple) or V(ldap).
      type: str
      returned: success
      sample: simple
    tags:
      description: The configuration's tags.
      type: dict
      returned: success
      sample: {"team": "orders"}
revision:
  description: The same as RV(configuration.latest_revision).
  type: int
  returned: O(state=present)
  sample: 3
removed:
  description: What is not in the revision although it is in O(data). Also returned when the module fails because of it.
  type: list
  elements: dict
  returned: O(state) is V(present) or V(checked)
  contains:
    name:
      description: The name for O(accept_removed).
      type: str
      returned: success
      sample: broker/sslContext
    kind:
      description: V(element) or V(attribute).
      type: str
      returned: success
      sample: element
    element:
      description: The element's name.
      type: str
      returned: success
      sample: sslContext
    attribute:
      description: The attribute's name. V(null) when it is the whole element.
      type: str
      returned: success
      sample: null
    path:
      description: The place, from the broker on, or from C(beans) on for what is around it.
      type: str
      returned: success
      sample: /broker/sslContext
    reason:
      description:
        - The API's word for the reason, V(DISALLOWED_ELEMENT_REMOVED), V(DISALLOWED_ATTRIBUTE_REMOVED) or
          V(INVALID_ATTRIBUTE_VALUE_REMOVED). The last one is for Spring expressions as V(${name}), and for references.
        - V(REFUSED) for what Amazon MQ would refuse, and is removed because O(accept_removed) names it.
      type: str
      returned: success
      sample: DISALLOWED_ELEMENT_REMOVED
rejected:
  description:
    - For what Amazon MQ would refuse what remains of O(data) as a whole.
    - Also returned when the module fails because of it.
  type: list
  elements: dict
  returned: O(state=checked)
  contains:
    path:
      description: The place.
      type: str
      returned: success
      sample: /broker/systemUsage/systemUsage/memoryUsage/memoryUsage/@percentOfJvmHeap
    message:
      description: What is wrong.
      type: str
      returned: success
      sample: has to be an integer from 0 to 70
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _configuration_plan as plan
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._mq_api import connect
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._mq_configuration import (
    Configuration,
    ConfigurationError,
)


def judgement(configuration: Configuration) -> dict[str, list[dict[str, Any]]]:
    """What is told of a configuration without asking the API."""
    return {
        "removed": [removal.as_dict() for removal in configuration.removals],
        "rejected": [rejection.as_dict() for rejection in configuration.rejections],
    }


def result(outcome: plan.Outcome, state: str, diff: bool) -> dict[str, Any]:
    """What the module returns."""
    returned: dict[str, Any] = {"changed": outcome.changed, "configuration": outcome.configuration}
    if state == "present":
        returned["revision"] = (outcome.configuration or {}).get("latest_revision")
        returned["removed"] = outcome.removed
    if diff:
        returned["diff"] = {"before": outcome.before, "after": outcome.after}
    return returned


def explained(error: AnsibleAWSError, state: str) -> AnsibleAWSError:
    """The API says that there is a conflict, but not that a configuration in use is not deleted."""
    if state == "absent" and isinstance(error.exception, is_boto3_error_code("ConflictException", error.exception)):
        error.message = (
            f"{error.message}: a broker has it, or takes it at its next reboot; give that broker another configuration "
            "and reboot it first"
        )
    return error


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent", "checked"], "default": "present"},
            "name": {"type": "str"},
            "configuration_id": {"type": "str"},
            # It may hold passwords; what is returned of it is returned without them.
            "data": {"type": "str", "no_log": True},
            "description": {"type": "str"},
            "engine_version": {"type": "str"},
            "authentication_strategy": {"type": "str", "choices": ["simple", "ldap"]},
            "tags": {"type": "dict", "aliases": ["resource_tags"]},
            "purge_tags": {"type": "bool", "default": True},
            "accept_removed": {"type": "list", "elements": "str", "default": []},
            "also_permitted": {"type": "list", "elements": "str", "default": []},
        },
        required_if=[
            ("state", "present", ("name", "configuration_id"), True),
            ("state", "absent", ("name", "configuration_id"), True),
            ("state", "checked", ("data",)),
        ],
        supports_check_mode=True,
    )
    params = module.params
    state = params["state"]
    wanted = plan.Wanted(
        name=params["name"],
        configuration_id=params["configuration_id"],
        document=params["data"],
        description=params["description"],
        engine_version=params["engine_version"],
        authentication_strategy=params["authentication_strategy"],
        tags=None if params["tags"] is None else {str(key): str(value) for key, value in params["tags"].items()},
        purge_tags=params["purge_tags"],
        accept_removed=params["accept_removed"],
        also_permitted=params["also_permitted"],
    )
    try:
        if state == "checked":
            module.exit_json(changed=False, **judgement(plan.check(wanted)))
        change = plan.present if state == "present" else plan.absent
        outcome = change(connect(module), wanted, module.check_mode)
    except plan.RefusedError as exc:
        module.fail_json(msg=str(exc), **judgement(exc.configuration))
    except ConfigurationError as exc:
        module.fail_json(msg=str(exc))
    except AnsibleAWSError as exc:
        module.fail_json_aws_error(explained(exc, state))
    module.exit_json(**result(outcome, state, module._diff))


if __name__ == "__main__":
    main()
