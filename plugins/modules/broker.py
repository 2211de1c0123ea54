# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: broker
short_description: Create, change, reboot and delete an Amazon MQ broker for ActiveMQ
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - Makes a broker as wanted, and waits until it is. Only what is given is compared and changed.
  - Amazon MQ takes some changes at once (automatic upgrades, maintenance window, security groups, tags), stages others
    until the next reboot or maintenance window (engine version, instance type, configuration, logs, authentication,
    storage size, data replication), and cannot make the rest. RV(changes) tells them apart, also in check mode. With a
    change that cannot be made the module fails, names all of them, and changes nothing.
  - A change that is staged already is no change again. It still counts for O(reboot).
  - Nothing is rebooted unless O(reboot) or O(state=rebooted) says so, so several changes, also those of
    M(mqlift.amazon_mq.broker_user) and M(mqlift.amazon_mq.broker_configuration), need one reboot only.
  - What Amazon MQ would refuse is refused before anything is called, as far as AWS has published it.
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
      - Nothing is waited for in check mode.
  diff_mode:
    support: full
    details:
      - Only the given options are compared. What is staged counts as being so. Passwords are left out.
  idempotent:
    support: partial
    details:
      - A reboot that is asked for with V(always) is made each time.
options:
  broker_id:
    description:
      - The broker's id.
      - One of O(broker_id) and O(broker_name) is needed. When both are given, the id finds the broker, which has to
        have that name.
    type: str
  broker_name:
    description:
      - The broker's name. All brokers of the region are listed to find it.
      - A broker that does not exist is created with that name.
    type: str
  state:
    description:
      - V(present), the broker exists and is as the other options say.
      - V(rebooted), a broker that exists is rebooted, and nothing else. Options that describe the broker are refused.
      - V(absent), the broker does not exist. All its messages are lost.
    type: str
    choices: [present, absent, rebooted]
    default: present
  reboot:
    description:
      - When to reboot a broker that exists. A broker that was just created is never rebooted.
      - V(when_pending), when changes wait for it, whoever staged them.
      - The default is V(never) with O(state=present), and V(always) with O(state=rebooted), where V(never) is refused.
      - A single instance is not available during a reboot. A pair fails over, maybe twice.
      - The broker has to be in the state V(RUNNING). With O(wait), the end of another operation is waited for.
    type: str
    choices: [never, when_pending, always]
  wait:
    description:
      - Whether to wait until the broker runs, was rebooted, or is gone.
      - A reboot counts once it was seen to start, the broker runs again, and nothing is pending any more.
      - A broker that cannot be created, or needs its owner's action, ends the wait at once.
    type: bool
    default: true
  wait_timeout:
    description: How many seconds the waiting may take altogether.
    type: int
    default: 3600
  poll_interval:
    description:
      - Seconds from the first look at the broker to the second. The intervals grow from there to ten seconds, since
        Amazon MQ takes minutes and all who use an account share few calls.
    type: float
    default: 1.0
  probe:
    description:
      - Whether to wait, after the broker was created or rebooted, until one of its OpenWire endpoints answers as a
        broker does. A broker that reads a large store is in state V(RUNNING) before it accepts connections.
      - The task's host has to reach the broker's endpoints. No credentials are sent.
    type: bool
    default: false
  ca_file:
    description:
      - A file with the certificates (PEM) of the authorities to trust when probing, on the host that runs the task.
      - Without it the system's authorities are trusted, which know those of Amazon MQ.
    type: path
  authentication_strategy:
    description:
      - Where the users are. V(SIMPLE) is the broker itself. V(LDAP) needs O(ldap_server_metadata).
      - Staged. AWS documents the change for brokers that exist.
    type: str
    choices: [SIMPLE, LDAP]
  auto_minor_version_upgrade:
    description:
      - Whether AWS upgrades the broker to new patch versions. It has to be V(true) for ActiveMQ 5.18 and newer.
      - Changed at once. AWS sets it for a new broker.
    type: bool
  configuration:
    description:
      - The configuration that the broker has, see M(mqlift.amazon_mq.broker_configuration). Staged.
      - AWS makes a configuration for a new broker without one.
    type: dict
    suboptions:
      id:
        description: The configuration's id.
        type: str
        required: true
      revision:
        description:
          - The revision.
          - Without it a new broker, or one that gets another configuration, has the latest, and one that has the
            configuration keeps its revision.
        type: int
  creator_request_id:
    description:
      - An id of the request to create the broker. Two requests with the same id create one broker. Only used then.
      - Without it each run has its own.
    type: str
  data_replication_mode:
    description: V(CRDR) for a broker that takes part in data replication across Regions. Staged.
    type: str
    choices: [NONE, CRDR]
  data_replication_primary_broker_arn:
    description: The ARN of the primary, for a broker that is created as a replica. It cannot be changed.
    type: str
  deployment_mode:
    description:
      - A single broker, or a pair of which one is active.
      - Needed to create a broker. It cannot be changed.
    type: str
    choices: [SINGLE_INSTANCE, ACTIVE_STANDBY_MULTI_AZ]
  encryption_options:
    description: How the broker's data is encrypted. It cannot be changed.
    type: dict
    suboptions:
      kms_key_id:
        description: The customer managed key of AWS KMS, as its id or ARN.
        type: str
      use_aws_owned_key:
        description:
          - Whether to use a key that AWS owns.
          - The default is V(true), or V(false) when O(encryption_options.kms_key_id) is given.
        type: bool
  engine_version:
    description:
      - The version of ActiveMQ as V(5.18). A patch level is not compared, since AWS chooses it.
      - Staged. It can be raised only. AWS takes the newest for a new broker.
    type: str
  host_instance_type:
    description:
      - The instance type, for example V(mq.m5.large).
      - Needed to create a broker. Staged.
    type: str
  ldap_server_metadata:
    description:
      - How the broker asks an LDAP server. Staged.
      - The password is not compared, so a new one is only set when something else changes.
      - It is reported that AWS does not change this for a broker that exists. Whether it did is told by
        RV(mqlift.amazon_mq.broker_info#module:broker.ldap_server_metadata) after the reboot.
    type: dict
    suboptions:
      hosts:
        description: The host names of the server, and of another one for failover, without protocol and port.
        type: list
        elements: str
        required: true
      role_base:
        description: The distinguished name of the node to search for roles.
        type: str
        required: true
      role_name:
        description: The attribute that holds a role's name.
        type: str
      role_search_matching:
        description: The filter to find roles.
        type: str
        required: true
      role_search_subtree:
        description: Whether to search the whole subtree for roles.
        type: bool
      service_account_username:
        description: The distinguished name of the account with which the broker binds.
        type: str
        required: true
      service_account_password:
        description: The account's password.
        type: str
        required: true
      user_base:
        description: The distinguished name of the node to search for users.
        type: str
        required: true
      user_role_name:
        description: The attribute of a user that holds the roles.
        type: str
      user_search_matching:
        description: The filter to find users.
        type: str
        required: true
      user_search_subtree:
        description: Whether to search the whole subtree for users.
        type: bool
  logs:
    description: Which logs go to CloudWatch. Staged. What is not given stays.
    type: dict
    suboptions:
      general:
        description: Whether the general log does.
        type: bool
      audit:
        description: Whether the audit log does.
        type: bool
  maintenance_window_start_time:
    description:
      - When AWS may restart the broker, for up to two hours a week. Changed at once, at most four times between two
        windows.
    type: dict
    suboptions:
      day_of_week:
        description: The day, for example V(SUNDAY), in any case.
        type: str
        required: true
      time_of_day:
        description: The time as V(02:30).
        type: str
        required: true
      time_zone:
        description:
          - The time zone as V(Europe/Berlin) or V(+02:00).
          - Without it a new broker has UTC, and another keeps its own.
        type: str
  publicly_accessible:
    description:
      - Whether the broker is reached from outside its VPC. It cannot be changed.
      - A new broker is not, unless this says so.
    type: bool
  security_groups:
    description: One to five security groups. Changed at once.
    type: list
    elements: str
  storage_size:
    description: The storage in GB, where it can be chosen. Staged.
    type: int
  storage_type:
    description:
      - V(EFS), or V(EBS) for a single instance of the mq.m5 family. It cannot be changed.
      - AWS takes V(EFS) for a new broker.
    type: str
    choices: [EBS, EFS]
  subnet_ids:
    description:
      - One subnet for a single instance, two in different zones for a pair. It cannot be changed.
      - AWS takes those of the default VPC for a new broker.
    type: list
    elements: str
  users:
    description:
      - The first users of a broker that is created. There is no default user, and a broker with
        O(authentication_strategy=SIMPLE) needs one.
      - Only used then. Afterwards, M(mqlift.amazon_mq.broker_user) manages them.
    type: list
    elements: dict
    suboptions:
      username:
        description: The name, 2 to 100 letters, digits and the characters C(- . _ ~).
        type: str
        required: true
      password:
        description:
          - The password, at least 12 characters, 4 of them different, and none of comma, colon and equal sign.
        type: str
        required: true
      console_access:
        description: Whether the user may use the web console.
        type: bool
      groups:
        description: At most 20 groups.
        type: list
        elements: str
      replication_user:
        description: Whether the user is for data replication across Regions.
        type: bool
seealso:
  - module: mqlift.amazon_mq.broker_configuration
  - module: mqlift.amazon_mq.broker_failover
  - module: mqlift.amazon_mq.broker_info
  - module: mqlift.amazon_mq.broker_user
"""

EXAMPLES = r"""
- name: Create a pair, and wait until it runs
  mqlift.amazon_mq.broker:
    broker_name: orders
    region: us-east-2
    deployment_mode: ACTIVE_STANDBY_MULTI_AZ
    host_instance_type: mq.m5.large
    engine_version: "5.18"
    subnet_ids: [subnet-0a1b2c3d4e5f60718, subnet-1a2b3c4d5e6f70819]
    security_groups: [sg-0a1b2c3d4e5f60718]
    maintenance_window_start_time:
      day_of_week: SUNDAY
      time_of_day: "02:00"
    logs:
      general: true
    users:
      - username: app
        password: "{{ app_password }}"
    tags:
      team: orders
  register: created

- name: Change the instance type and apply it, together with all that waits already
  mqlift.amazon_mq.broker:
    broker_name: orders
    region: us-east-2
    host_instance_type: mq.m5.xlarge
    reboot: when_pending
    probe: true

- name: Apply what broker_user and broker_configuration have staged, if anything
  mqlift.amazon_mq.broker:
    broker_name: orders
    region: us-east-2
    state: rebooted
    reboot: when_pending

- name: Delete the broker
  mqlift.amazon_mq.broker:
    broker_id: "{{ created.broker.id }}"
    region: us-east-2
    state: absent
"""

RETURN = r"""
broker:
  description:
    - The broker as in RV(mqlift.amazon_mq.broker_info#module:broker), without what a probe adds and without warnings.
    - V(null) when there is none, or in check mode not yet. With O(state=absent), the broker as last seen.
  type: dict
  returned: always
  sample:
    id: b-1234a5b6-78cd-901e-2fab-3c45d6789012
    name: orders
    state: RUNNING
    pending: false
changes:
  description: The names of the options by what happens to them. They are known before anything is called.
  type: dict
  returned: always
  contains:
    immediate:
      description: What is changed at once.
      type: list
      elements: str
      returned: always
      sample: [security_groups, tags]
    pending:
      description: What this run stages until the next reboot or maintenance window.
      type: list
      elements: str
      returned: always
      sample: [host_instance_type]
    staged:
      description: What was staged as wanted before.
      type: list
      elements: str
      returned: always
      sample: []
    impossible:
      description: What cannot be changed. Then the module fails.
      type: list
      elements: str
      returned: always
      sample: []
rebooted:
  description: Whether the broker was rebooted, or would be in check mode.
  type: bool
  returned: always
  sample: true
state:
  description: The broker's state as last seen, V(null) when it was never seen.
  type: str
  returned: always
  sample: RUNNING
waited_for:
  description: What was waited for.
  type: list
  elements: str
  returned: always
  sample: [the reboot]
missing:
  description: What was still missing when a wait ended too early. Then the module fails.
  type: list
  elements: str
  returned: always
  sample: []
elapsed:
  description: How many seconds the run took, 0 when it did not wait.
  type: float
  returned: always
  sample: 301.5
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._amazon_mq import BrokerLookupError, describe
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._broker_apply import (
    DESCRIBING,
    BrokerError,
    Options,
    Run,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._broker_wait import (
    Answer,
    BrokerWaitError,
    NoWait,
    Pauses,
    Probes,
    Wait,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url import FailoverUrlError
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._mq_api import BROKER_SPEC, MqApi, connect
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._probe import probe, trust

SPEC: dict[str, Any] = {
    **BROKER_SPEC,
    "state": {"type": "str", "choices": ["present", "absent", "rebooted"], "default": "present"},
    "reboot": {"type": "str", "choices": ["never", "when_pending", "always"]},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 3600},
    "poll_interval": {"type": "float", "default": 1.0},
    "probe": {"type": "bool", "default": False},
    "ca_file": {"type": "path"},
    "authentication_strategy": {"type": "str", "choices": ["SIMPLE", "LDAP"]},
    "auto_minor_version_upgrade": {"type": "bool"},
    "configuration": {
        "type": "dict",
        "options": {"id": {"type": "str", "required": True}, "revision": {"type": "int"}},
    },
    "creator_request_id": {"type": "str"},
    "data_replication_mode": {"type": "str", "choices": ["NONE", "CRDR"]},
    "data_replication_primary_broker_arn": {"type": "str"},
    "deployment_mode": {"type": "str", "choices": ["SINGLE_INSTANCE", "ACTIVE_STANDBY_MULTI_AZ"]},
    "encryption_options": {
        "type": "dict",
        "options": {
            "kms_key_id": {"type": "str", "no_log": False},
            "use_aws_owned_key": {"type": "bool", "no_log": False},
        },
    },
    "engine_version": {"type": "str"},
    "host_instance_type": {"type": "str"},
    "ldap_server_metadata": {
        "type": "dict",
        "options": {
            "hosts": {"type": "list", "elements": "str", "required": True},
            "role_base": {"type": "str", "required": True},
            "role_name": {"type": "str"},
            "role_search_matching": {"type": "str", "required": True},
            "role_search_subtree": {"type": "bool"},
            "service_account_username": {"type": "str", "required": True},
            "service_account_password": {"type": "str", "required": True, "no_log": True},
            "user_base": {"type": "str", "required": True},
            "user_role_name": {"type": "str"},
            "user_search_matching": {"type": "str", "required": True},
            "user_search_subtree": {"type": "bool"},
        },
    },
    "logs": {"type": "dict", "options": {"general": {"type": "bool"}, "audit": {"type": "bool"}}},
    "maintenance_window_start_time": {
        "type": "dict",
        "options": {
            "day_of_week": {"type": "str", "required": True},
            "time_of_day": {"type": "str", "required": True},
            "time_zone": {"type": "str"},
        },
    },
    "publicly_accessible": {"type": "bool"},
    "security_groups": {"type": "list", "elements": "str"},
    "storage_size": {"type": "int"},
    "storage_type": {"type": "str", "choices": ["EBS", "EFS"]},
    "subnet_ids": {"type": "list", "elements": "str"},
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": True},
    "users": {
        "type": "list",
        "elements": "dict",
        "options": {
            "username": {"type": "str", "required": True},
            "password": {"type": "str", "required": True, "no_log": True},
            "console_access": {"type": "bool"},
            "groups": {"type": "list", "elements": "str"},
            "replication_user": {"type": "bool"},
        },
    },
}


def options_of(params: dict[str, Any]) -> Options:
    """The options of a run."""
    wanted = {name: params[name] for name in (*DESCRIBING, "broker_name", "purge_tags")}
    return Options(params["broker_id"], params["broker_name"], params["reboot"], params["wait"], wanted)


def waiting(api: MqApi, params: dict[str, Any], check_mode: bool) -> Wait | NoWait:
    """Who waits. Raises OSError for a ca_file that cannot be read."""
    if check_mode or not params["wait"]:
        return NoWait()
    pauses = Pauses(timeout=params["wait_timeout"], first=params["poll_interval"])
    if not params["probe"]:
        return Wait(api.watch, pauses)
    trust(params["ca_file"])

    def answering(answer: Answer) -> Probes:
        return {url: probe(url, params["ca_file"]) for url in describe(answer)["endpoints"]["openwire"]}

    return Wait(api.watch, pauses, answering)


def result(run: Run, diff: bool) -> dict[str, Any]:
    """What the module returns."""
    found = run.result()
    return found if diff else {name: value for name, value in found.items() if name != "diff"}


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec=SPEC,
        required_one_of=[("broker_id", "broker_name")],
        supports_check_mode=True,
    )
    params = module.params
    if params["poll_interval"] <= 0 or params["wait_timeout"] < 0:
        module.fail_json(msg="poll_interval has to be more than 0 seconds, and wait_timeout must not be negative")
    api = connect(module)
    try:
        wait = waiting(api, params, module.check_mode)
    except OSError as exc:
        module.fail_json(msg=f"ca_file {params['ca_file']}: {exc}")
    run = Run(api, wait, options_of(params))
    try:
        run.go(params["state"])
    except (BrokerError, BrokerWaitError) as exc:
        module.fail_json(msg=str(exc), **result(run, module._diff))
    except BrokerLookupError as exc:
        module.fail_json(msg=f"{exc} in region {module.region}", **result(run, module._diff))
    except AnsibleAWSError as exc:
        module.fail_json_aws(
            exc.exception or exc, msg=exc.message if exc.exception else None, **result(run, module._diff)
        )
    except FailoverUrlError as exc:
        module.fail_json(msg=f"the API's endpoints make no list of brokers: {exc}")
    if wait.reboot_unseen:
        module.warn("the reboot was not seen to start; the broker runs and nothing is pending")
    module.exit_json(**result(run, module._diff))


if __name__ == "__main__":
    main()
