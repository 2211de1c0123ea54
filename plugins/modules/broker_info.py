# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: broker_info
short_description: Describe an Amazon MQ broker, tell which instance is active and what to beware of
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - Returns all that the API tells of a broker, with its endpoints by protocol, broker lists for client libraries that
    name all its instances, what waits for the next reboot, and what to beware of.
  - The broker is named by O(broker_id) or O(broker_name), exactly one of them. One that does not exist is an error.
  - The Amazon MQ API does not tell which instance of an active/standby pair is active. The module connects to the
    OpenWire endpoint of each and looks which one answers as a broker does. No credentials are sent.
requirements:
  - python >= 3.9
extends_documentation_fragment:
  - mqlift.amazon_mq._attributes
  - mqlift.amazon_mq._attributes.info_module
  - mqlift.amazon_mq._broker
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
options:
  probe:
    description:
      - Whether to find out which instance is active.
      - The task's host has to reach the broker's endpoints. Otherwise no instance looks active.
    type: bool
    default: true
  ca_file:
    description:
      - A file with the certificates (PEM) of the authorities to trust when probing, on the host that runs the task.
      - Without it the system's authorities are trusted, which know those of Amazon MQ.
    type: path
  timeout:
    description: How many seconds the probe of one instance may take.
    type: float
    default: 5.0
  maintenance_warning:
    description: How many hours before the maintenance window opens RV(broker.warnings) tells of it.
    type: float
    default: 24.0
seealso:
  - module: mqlift.amazon_mq.broker
  - module: mqlift.amazon_mq.broker_user
"""

EXAMPLES = r"""
- name: Describe the target broker
  mqlift.amazon_mq.broker_info:
    broker_name: orders
    region: us-east-2
  register: target

- name: Show the URL for Java clients
  ansible.builtin.debug:
    msg: "{{ target.broker.failover_url }}"

- name: Ask the API only
  mqlift.amazon_mq.broker_info:
    broker_id: b-1234a5b6-78cd-901e-2fab-3c45d6789012
    region: us-east-2
    probe: false

- name: Stop when the broker may restart soon
  ansible.builtin.assert:
    that: "'maintenance_window' not in target.broker.warnings | map(attribute='code')"
"""

RETURN = r"""
broker:
  description: The broker.
  type: dict
  returned: success
  contains:
    id:
      description: The broker's id.
      type: str
      returned: success
      sample: b-1234a5b6-78cd-901e-2fab-3c45d6789012
    arn:
      description: The broker's ARN.
      type: str
      returned: success
      sample: arn:aws:mq:us-east-2:123456789012:broker:orders:b-1234a5b6-78cd-901e-2fab-3c45d6789012
    name:
      description: The broker's name.
      type: str
      returned: success
      sample: orders
    state:
      description: The state, for example V(RUNNING) or V(REBOOT_IN_PROGRESS).
      type: str
      returned: success
      sample: RUNNING
    created:
      description: When the broker was created.
      type: str
      returned: success
      sample: "2026-09-01T12:00:00+00:00"
    engine_version:
      description: The version of ActiveMQ, with its patch level.
      type: str
      returned: success
      sample: "5.18.4"
    auto_minor_version_upgrade:
      description: Whether AWS upgrades the broker to new patch versions.
      type: bool
      returned: success
      sample: true
    deployment_mode:
      description: V(SINGLE_INSTANCE) or V(ACTIVE_STANDBY_MULTI_AZ).
      type: str
      returned: success
      sample: ACTIVE_STANDBY_MULTI_AZ
    host_instance_type:
      description: The instance type.
      type: str
      returned: success
      sample: mq.m5.large
    storage_type:
      description: V(EBS) or V(EFS).
      type: str
      returned: success
      sample: EFS
    storage_size:
      description: The storage in GB, V(null) when the API does not tell.
      type: int
      returned: success
      sample: null
    publicly_accessible:
      description: Whether the broker is reached from outside its VPC.
      type: bool
      returned: success
      sample: false
    subnet_ids:
      description: The subnets.
      type: list
      elements: str
      returned: success
      sample: [subnet-0a1b2c3d4e5f60718, subnet-1a2b3c4d5e6f70819]
    security_groups:
      description: The security groups.
      type: list
      elements: str
      returned: success
      sample: [sg-0a1b2c3d4e5f60718]
    authentication_strategy:
      description: V(SIMPLE) or V(LDAP).
      type: str
      returned: success
      sample: SIMPLE
    ldap_server_metadata:
      description: How the broker asks the LDAP server, without the password. V(null) without LDAP.
      type: dict
      returned: success
      sample: null
    encryption_options:
      description: How the broker's data is encrypted, C(use_aws_owned_key) and C(kms_key_id).
      type: dict
      returned: success
      sample:
        use_aws_owned_key: true
    data_replication_mode:
      description: V(CRDR) for a broker that takes part in data replication across Regions.
      type: str
      returned: success
      sample: null
    maintenance_window:
      description: When AWS may restart the broker for up to two hours a week.
      type: dict
      returned: success
      contains:
        day_of_week:
          description: The day.
          type: str
          returned: success
          sample: SUNDAY
        time_of_day:
          description: The time.
          type: str
          returned: success
          sample: "02:00"
        time_zone:
          description: The time zone.
          type: str
          returned: success
          sample: UTC
    logs:
      description: Which logs go to CloudWatch, and the groups in which they are.
      type: dict
      returned: success
      sample:
        general: true
        audit: false
        general_log_group: /aws/amazonmq/broker/b-1234a5b6-78cd-901e-2fab-3c45d6789012/general
        audit_log_group: /aws/amazonmq/broker/b-1234a5b6-78cd-901e-2fab-3c45d6789012/audit
    configuration:
      description: The configuration in force, and the one that waits for the next reboot.
      type: dict
      returned: success
      contains:
        current:
          description: The id and the revision. V(null) for none.
          type: dict
          returned: success
          sample:
            id: c-1234a5b6-78cd-901e-2fab-3c45d6789012
            revision: 2
        pending:
          description: The id and the revision. V(null) for none.
          type: dict
          returned: success
          sample: null
    users:
      description: The users.
      type: list
      elements: dict
      returned: success
      contains:
        username:
          description: The name.
          type: str
          returned: success
          sample: app
        pending_change:
          description: V(CREATE), V(UPDATE) or V(DELETE) for a change that waits for the next reboot, or else V(null).
          type: str
          returned: success
          sample: null
    tags:
      description: The tags.
      type: dict
      returned: success
      sample:
        team: orders
    instances:
      description: The instances by number. Empty while the broker is being created.
      type: list
      elements: dict
      returned: success
      contains:
        index:
          description: The instance's number, which its host name ends with.
          type: int
          returned: success
          sample: 1
        console_url:
          description: The URL of the web console.
          type: str
          returned: success
          sample: https://b-1234a5b6-78cd-901e-2fab-3c45d6789012-1.mq.us-east-2.amazonaws.com:8162
        ip_address:
          description: The address of the instance's network interface.
          type: str
          returned: success
          sample: 10.0.1.12
        endpoints:
          description: The instance's endpoints as lists by protocol, as in RV(broker.endpoints).
          type: dict
          returned: success
          sample:
            openwire: ["ssl://b-1234a5b6-78cd-901e-2fab-3c45d6789012-1.mq.us-east-2.amazonaws.com:61617"]
        active:
          description: Whether a broker answers. V(null) when that is not known.
          type: bool
          returned: success
          sample: true
        probe:
          description: What the probe saw.
          type: str
          returned: O(probe=true)
          sample: a broker answers
    endpoints:
      description: The endpoints of all instances, in the order of the instances, by protocol.
      type: dict
      returned: success
      contains:
        openwire:
          description: The endpoints for OpenWire.
          type: list
          elements: str
          returned: success
          sample:
            - ssl://b-1234a5b6-78cd-901e-2fab-3c45d6789012-1.mq.us-east-2.amazonaws.com:61617
            - ssl://b-1234a5b6-78cd-901e-2fab-3c45d6789012-2.mq.us-east-2.amazonaws.com:61617
        stomp:
          description: The endpoints for STOMP.
          type: list
          elements: str
          returned: success
          sample:
            - stomp+ssl://b-1234a5b6-78cd-901e-2fab-3c45d6789012-1.mq.us-east-2.amazonaws.com:61614
            - stomp+ssl://b-1234a5b6-78cd-901e-2fab-3c45d6789012-2.mq.us-east-2.amazonaws.com:61614
        amqp:
          description: The endpoints for AMQP 1.0.
          type: list
          elements: str
          returned: success
          sample: []
        mqtt:
          description: The endpoints for MQTT.
          type: list
          elements: str
          returned: success
          sample: []
        wss:
          description: The endpoints for STOMP and MQTT over WebSocket.
          type: list
          elements: str
          returned: success
          sample: []
    active_instance:
      description: The number of the active instance. V(null) when there is none, or not exactly one, or none is known.
      type: int
      returned: success
      sample: 1
    failover_url:
      description: The URL for Java OpenWire clients. V(null) while there are no endpoints.
      type: str
      returned: success
      sample: failover:(ssl://b-1...-1.mq.us-east-2.amazonaws.com:61617,ssl://b-1...-2.mq.us-east-2.amazonaws.com:61617)
    failover_urls:
      description:
        - Broker lists by dialect, as P(mqlift.amazon_mq.failover_url#filter) spells them, of V(activemq), V(spring),
          V(nms), V(cms), V(qpid_jms), V(nms_amqp) and V(host_list).
        - V(spring) is a dictionary of properties. V(host_list) has the STOMP endpoints.
        - A dialect for which the broker has no endpoints is left out.
      type: dict
      returned: success
      sample:
        host_list: b-1...-1.mq.us-east-2.amazonaws.com:61614,b-1...-2.mq.us-east-2.amazonaws.com:61614
    pending:
      description: Whether changes wait for the next reboot or maintenance window.
      type: bool
      returned: success
      sample: false
    pending_changes:
      description: What waits.
      type: list
      elements: dict
      returned: success
      contains:
        name:
          description: What changes, such as V(engine_version), V(configuration), V(logs) or V(users).
          type: str
          returned: success
          sample: engine_version
        current:
          description: The value in force. V(null) for users.
          type: raw
          returned: success
          sample: "5.18.4"
        pending:
          description: The value that it will have. For users, the kind of change by name.
          type: raw
          returned: success
          sample: "5.19"
    warnings:
      description: What to beware of, before relying on the broker.
      type: list
      elements: dict
      returned: success
      contains:
        code:
          description:
            - V(maintenance_window), the window opens soon or is open.
            - V(maintenance_time_zone), its time zone is not known on the host that runs the task.
            - V(engine_end_of_support), the support of the ActiveMQ version ends within 90 days or has ended.
            - V(auto_minor_version_upgrade), new patch versions are installed by AWS.
            - V(single_instance), there is no other instance to fail over to.
            - V(connection_limit), how many connections the instance type takes.
            - V(storage_efs) or V(storage_ebs), what the storage means for the throughput.
            - V(pending_changes), changes will come in force at the next restart.
            - V(action_required), AWS asks the owner to act.
          type: str
          returned: success
          sample: single_instance
        message:
          description: A sentence.
          type: str
          returned: success
          sample: "the broker has a single instance: it is not there while it reboots or is maintained"
    actions_required:
      description: What AWS asks the owner to do.
      type: list
      elements: dict
      returned: success
      contains:
        code:
          description: The code.
          type: str
          returned: success
          sample: BROKER_ENI_DELETED
        info:
          description: More about it.
          type: str
          returned: success
          sample: ""
"""

from datetime import datetime, timezone
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._amazon_mq import (
    BrokerLookupError,
    describe,
    with_activity,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._broker_warnings import warnings
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url import FailoverUrlError
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._mq_api import BROKER_SPEC, MqApi, connect
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._probe import probe


def broker_info(api: MqApi, params: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The broker that the parameters name. Raises BrokerLookupError, FailoverUrlError, AnsibleAWSError, OSError."""
    broker = describe(api.get(params["broker_id"], params["broker_name"]))
    broker["warnings"] = warnings(broker, now, params["maintenance_warning"])
    if not params["probe"]:
        return broker
    return with_activity(broker, lambda url: probe(url, params["ca_file"], params["timeout"]))


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            **BROKER_SPEC,
            "probe": {"type": "bool", "default": True},
            "ca_file": {"type": "path"},
            "timeout": {"type": "float", "default": 5.0},
            "maintenance_warning": {"type": "float", "default": 24.0},
        },
        required_one_of=[("broker_id", "broker_name")],
        mutually_exclusive=[("broker_id", "broker_name")],
        supports_check_mode=True,
    )
    try:
        broker = broker_info(connect(module), module.params, datetime.now(timezone.utc))
    except AnsibleAWSError as exc:
        module.fail_json_aws_error(exc)
    except BrokerLookupError as exc:
        module.fail_json(msg=f"{exc} in region {module.region}")
    except FailoverUrlError as exc:
        module.fail_json(msg=f"the API's endpoints make no list of brokers: {exc}")
    except OSError as exc:
        module.fail_json(msg=f"ca_file {module.params['ca_file']}: {exc}")
    module.exit_json(changed=False, broker=broker)


if __name__ == "__main__":
    main()
