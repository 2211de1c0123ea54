# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: broker_user
short_description: Manage a user of an Amazon MQ broker for ActiveMQ
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - Creates, changes and deletes users of a broker with simple authentication.
  - Amazon MQ stages every change of a user until the broker's next reboot or maintenance window. The module compares
    with what is staged, so a second run changes nothing while the first one's change still waits. It never reboots; let
    M(mqlift.amazon_mq.broker) do that once, after all changes.
  - The broker is named by O(broker_id) or O(broker_name), exactly one of them.
requirements:
  - python >= 3.9
extends_documentation_fragment:
  - mqlift.amazon_mq._attributes
  - mqlift.amazon_mq._broker
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Passwords are left out.
  idempotent:
    support: partial
    details:
      - With O(update_password=always) the password is set each time, because Amazon MQ does not tell it.
      - Amazon MQ does not tell O(replication_user) of a change that waits, so it is set again until the reboot.
options:
  state:
    description:
      - V(present), the user exists after the next reboot.
      - V(absent), it does not. One that is staged to be created is no more.
    type: str
    choices: [present, absent]
    default: present
  username:
    description: The name, 2 to 100 letters, digits and the characters C(- . _ ~).
    type: str
    required: true
  password:
    description:
      - The password, at least 12 characters, 4 of them different, and none of comma, colon and equal sign.
      - Needed to create a user.
    type: str
  update_password:
    description:
      - V(on_create), O(password) is only used to create a user.
      - V(always), O(password) is set each time.
    type: str
    choices: [on_create, always]
    default: on_create
  console_access:
    description:
      - Whether the user may use the web console.
      - What is not given stays, and is V(false) for a new user.
    type: bool
  groups:
    description:
      - The groups of the user, at most 20, each of 2 to 100 letters, digits and the characters C(- . _ ~). All others
        are taken away, an empty list takes all away.
      - What is not given stays.
    type: list
    elements: str
  replication_user:
    description:
      - Whether the user is for data replication across Regions.
      - What is not given stays.
    type: bool
seealso:
  - module: mqlift.amazon_mq.broker
  - module: mqlift.amazon_mq.broker_info
"""

EXAMPLES = r"""
- name: Let the application in
  mqlift.amazon_mq.broker_user:
    broker_name: orders
    region: us-east-2
    username: app
    password: "{{ app_password }}"
    groups: [orders]

- name: Take the old user away
  mqlift.amazon_mq.broker_user:
    broker_name: orders
    region: us-east-2
    username: legacy
    state: absent

- name: Apply both by one reboot
  mqlift.amazon_mq.broker:
    broker_name: orders
    region: us-east-2
    state: rebooted
    reboot: when_pending
"""

RETURN = r"""
user:
  description: The user as it is after the next reboot. V(null) when there is none then.
  type: dict
  returned: success
  contains:
    username:
      description: The name.
      type: str
      returned: success
      sample: app
    console_access:
      description: Whether the user may use the web console.
      type: bool
      returned: success
      sample: false
    groups:
      description: The groups.
      type: list
      elements: str
      returned: success
      sample: [orders]
    replication_user:
      description: Whether the user is for data replication. Of a change that waits, this is not told.
      type: bool
      returned: success
      sample: false
pending:
  description: Whether a change of the user waits for the broker's next reboot or maintenance window.
  type: bool
  returned: success
  sample: true
pending_change:
  description: The change that waits, V(CREATE), V(UPDATE) or V(DELETE). V(null) for none.
  type: str
  returned: success
  sample: CREATE
hint:
  description: What to do so that the change works. V(null) when nothing waits.
  type: str
  returned: success
  sample: the change of user app works after the next reboot of the broker, see mqlift.amazon_mq.broker
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._amazon_mq import BrokerLookupError
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._mq_api import BROKER_SPEC, connect
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._user_plan import Outcome, UserError, Wanted, manage


def result(outcome: Outcome, username: str, diff: bool) -> dict[str, Any]:
    """What the module returns."""
    pending = outcome.pending_change is not None
    found: dict[str, Any] = {
        "changed": outcome.changed,
        "user": outcome.user,
        "pending": pending,
        "pending_change": outcome.pending_change,
        "hint": (
            f"the change of user {username} works after the next reboot of the broker, see mqlift.amazon_mq.broker"
            if pending
            else None
        ),
    }
    if diff:
        found["diff"] = {"before": outcome.before, "after": outcome.after}
    return found


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            **BROKER_SPEC,
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "username": {"type": "str", "required": True},
            "password": {"type": "str", "no_log": True},
            "update_password": {
                "type": "str",
                "choices": ["on_create", "always"],
                "default": "on_create",
                "no_log": False,
            },
            "console_access": {"type": "bool"},
            "groups": {"type": "list", "elements": "str"},
            "replication_user": {"type": "bool"},
        },
        required_one_of=[("broker_id", "broker_name")],
        mutually_exclusive=[("broker_id", "broker_name")],
        supports_check_mode=True,
    )
    params = module.params
    wanted = Wanted(
        username=params["username"],
        present=params["state"] == "present",
        password=params["password"],
        always_password=params["update_password"] == "always",
        console_access=params["console_access"],
        groups=params["groups"],
        replication_user=params["replication_user"],
    )
    try:
        api = connect(module)
        broker_id = str(api.get(params["broker_id"], params["broker_name"])["BrokerId"])
        outcome = manage(api, broker_id, wanted, module.check_mode)
    except UserError as exc:
        module.fail_json(msg=str(exc))
    except BrokerLookupError as exc:
        module.fail_json(msg=f"{exc} in region {module.region}")
    except AnsibleAWSError as exc:
        module.fail_json_aws_error(exc)
    module.exit_json(**result(outcome, params["username"], module._diff))


if __name__ == "__main__":
    main()
