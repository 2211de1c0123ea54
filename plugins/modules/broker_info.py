# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: broker_info
short_description: Describe an Amazon MQ broker and tell which instance is active
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - Returns a broker's state, its endpoints by protocol, and a failover URL that names all its instances.
  - The Amazon MQ API does not tell which instance of an active/standby pair is active. The module connects to the
    OpenWire endpoint of each and looks which one answers as a broker does. No credentials are sent.
requirements:
  - python >= 3.9
extends_documentation_fragment:
  - mqlift.amazon_mq._attributes
  - mqlift.amazon_mq._attributes.info_module
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
options:
  broker_id:
    description:
      - The broker's id.
      - Exactly one of O(broker_id) and O(broker_name) is needed.
    type: str
  broker_name:
    description: The broker's name. It has to be the name of exactly one broker in the region.
    type: str
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
    engine_version:
      description: The version of ActiveMQ.
      type: str
      returned: success
      sample: "5.18"
    deployment_mode:
      description: V(SINGLE_INSTANCE) or V(ACTIVE_STANDBY_MULTI_AZ).
      type: str
      returned: success
      sample: ACTIVE_STANDBY_MULTI_AZ
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
    pending:
      description: Whether changes wait for the next reboot or maintenance window.
      type: bool
      returned: success
      sample: false
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

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import (
    is_boto3_error_code,
    paginated_query_with_retries,
)
from ansible_collections.amazon.aws.plugins.module_utils.errors import AWSErrorHandler
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._amazon_mq import (
    BrokerLookupError,
    broker_id_by_name,
    describe,
    with_activity,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url import FailoverUrlError
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._probe import probe


class MqErrorHandler(AWSErrorHandler):
    """Tells a broker that does not exist from other errors of the API."""

    @classmethod
    def _is_missing(cls) -> Any:
        return is_boto3_error_code("NotFoundException")


@MqErrorHandler.common_error_handler("list brokers")  # type: ignore[untyped-decorator]  # amazon.aws has no types
def list_brokers(client: Any) -> list[dict[str, Any]]:
    answer = paginated_query_with_retries(client, "list_brokers")
    return list(answer["BrokerSummaries"])


@MqErrorHandler.list_error_handler("describe the broker")  # type: ignore[untyped-decorator]  # amazon.aws has no types
def describe_broker(client: Any, broker_id: str) -> Any:
    return client.describe_broker(BrokerId=broker_id, aws_retry=True)


def broker_info(client: Any, params: dict[str, Any]) -> dict[str, Any]:
    """The broker that the parameters name. Raises BrokerLookupError, FailoverUrlError, AnsibleAWSError, OSError."""
    broker_id = params["broker_id"] or broker_id_by_name(list_brokers(client), params["broker_name"])
    answer = describe_broker(client, broker_id)
    if answer is None:
        raise BrokerLookupError(f"there is no broker with the id {broker_id!r}")
    if str(answer.get("EngineType", "ACTIVEMQ")).upper() != "ACTIVEMQ":
        raise BrokerLookupError(f"the broker {broker_id!r} is not an ActiveMQ broker but {answer['EngineType']}")
    broker = describe(answer)
    if not params["probe"]:
        return broker
    return with_activity(broker, lambda url: probe(url, params["ca_file"], params["timeout"]))


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "broker_id": {"type": "str"},
            "broker_name": {"type": "str"},
            "probe": {"type": "bool", "default": True},
            "ca_file": {"type": "path"},
            "timeout": {"type": "float", "default": 5.0},
        },
        required_one_of=[("broker_id", "broker_name")],
        mutually_exclusive=[("broker_id", "broker_name")],
        supports_check_mode=True,
    )
    client = module.client("mq", retry_decorator=AWSRetry.jittered_backoff())
    try:
        broker = broker_info(client, module.params)
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
