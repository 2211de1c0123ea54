# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: broker_failover
short_description: Reboot an Amazon MQ broker and measure what its failover costs
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - Sends numbered messages through the broker and receives them again (the canary), watches each instance, reboots the
    broker by the Amazon MQ API, and follows what happens until all has been quiet for O(settle) seconds.
  - Then it judges by O(limits). It fails when a limit is exceeded, and tells which.
  - A reboot restarts the instances of an active/standby pair one after the other. So the active role may move twice and
    end where it began. The module counts what it sees and assumes nothing.
  - Nothing is rebooted unless exactly one instance answers, the canary's messages come through, and the view tells what
    the broker holds.
  - The outage of a broker is measured by connecting to each instance anew every O(probe_interval) seconds. It begins
    with the first attempt that fails, and ends with the first one that leads to a login, each by the moment at which
    the attempt began. Clients have pauses of their own between two attempts, and wait for their login, which takes a
    broker that has just started a moment, so they are away for longer; how long the canary was is its C(max_gap).
  - While it runs, a line is printed for each event. All connections are made from the task's host, so delegate the task
    to a host that reaches the broker and the Amazon MQ API.
notes:
  - The canary needs a queue of its own. It is empty after the test. Amazon MQ's default configuration removes it after
    ten minutes.
  - A run that is interrupted on the controller goes on to its end on the task's host.
requirements:
  - python >= 3.9
  - stomp.py >= 9.0.0 on the host that runs the task
extends_documentation_fragment:
  - mqlift.amazon_mq._attributes
  - mqlift.amazon_mq._view
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    support: partial
    details:
      - In check mode it finds out which instance is active, and neither reboots nor sends anything.
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - Each run reboots the broker, unless O(trigger=none).
options:
  broker_id:
    description:
      - The broker's id.
      - One of O(broker_id) and O(broker_name) is needed, unless O(trigger=none) and O(endpoints) is given.
    type: str
  broker_name:
    description: The broker's name. It has to be the name of exactly one broker in the region.
    type: str
  endpoints:
    description:
      - The STOMP endpoints of all instances, in the order in which a client's list has them. By default those that the
        API tells.
    type: list
    elements: str
  username:
    description: The name of a user that may write to and read from O(canary_queue).
    type: str
    required: true
  password:
    description: The password of O(username).
    type: str
    required: true
  ca_file:
    description:
      - A file with the certificates (PEM) of the authorities to trust, on the host that runs the task.
      - Without it the system's authorities are trusted, which know those of Amazon MQ.
    type: path
  trigger:
    description:
      - What causes the failover.
      - V(reboot) asks the API to reboot the broker.
      - V(none) waits for somebody else to do it, such as a maintenance, until the active role has moved
        O(limits.min_failovers) times.
    type: str
    choices: [reboot, none]
    default: reboot
  canary_queue:
    description: The queue of the canary. Nobody else may use it.
    type: str
    default: mqlift.canary
  message_interval:
    description: Seconds from one message of the canary to the next.
    type: float
    default: 0.1
  probe_interval:
    description:
      - Seconds from the end of one attempt to reach an instance to the next. It is the precision of the outages.
      - Each attempt costs the broker a TLS handshake and a login. With the default, that is almost twenty of them in a
        second for the active instance. Take a longer interval for a broker of the smallest instance type.
    type: float
    default: 0.05
  connect_timeout:
    description:
      - Seconds that each step of an attempt may take. Where an instance does not even refuse connections, its return is
        noticed so much later at most.
      - An attempt that is given up has failed, so with a short time a broker that is slow at its first logins counts as
        away until it is quick enough.
    type: float
    default: 1.0
  warm_up:
    description: Seconds of undisturbed traffic before the reboot.
    type: float
    default: 5.0
  settle:
    description: Seconds without a change after which the failover is over.
    type: float
    default: 30.0
  start_timeout:
    description: Seconds in which the reboot has to be seen to start.
    type: float
    default: 300.0
  recover_timeout:
    description: Seconds after the failover in which consumers have to come back, and the canary's messages to arrive.
    type: float
    default: 60.0
  timeout:
    description: Seconds that the failover may take as a whole.
    type: float
    default: 1800.0
  poll_interval:
    description: Seconds from one question to the API to the next, at most. The first ones come sooner.
    type: float
    default: 10.0
  limits:
    description: What the failover may cost.
    type: dict
    default: {}
    suboptions:
      max_outage:
        description: Seconds in which no instance answers, at a time.
        type: float
      max_gap:
        description: Seconds in which no message of the canary comes.
        type: float
      max_lost:
        description: Messages of the canary that the broker confirmed and did not deliver.
        type: int
        default: 0
      max_duplicated:
        description: Messages of the canary that come again. One that was not acknowledged in time is delivered again.
        type: int
      max_reordered:
        description: Messages of the canary that come after later ones.
        type: int
      max_dlq_growth:
        description: Messages, of whomever, that come into dead letter queues, as far as the view knows them.
        type: int
        default: 0
      min_failovers:
        description:
          - How often the active role has to move at least. By default V(1) for a broker of several instances, V(0) for
            a single one.
        type: int
      consumers:
        description: Whether each queue has to have as many consumers as before.
        type: bool
        default: true
  _progress:
    description: Used internally between the action plugin and the host.
    type: str
seealso:
  - module: mqlift.amazon_mq.broker_info
  - module: mqlift.amazon_mq.endpoint_probe
"""

EXAMPLES = r"""
- name: Reboot the broker and measure its failover
  mqlift.amazon_mq.broker_failover:
    broker_name: orders
    region: us-east-2
    username: canary
    password: "{{ vault_canary_password }}"
    view:
      type: console
      urls: "{{ target.broker.instances | map(attribute='console_url') | map('regex_replace', '$', '/admin') }}"
      username: console
      password: "{{ vault_console_password }}"
    limits:
      max_outage: 60
  delegate_to: localhost
  register: failover

- name: Show what it cost
  ansible.builtin.debug:
    msg: "{{ failover.outages | map(attribute='seconds') }} seconds, {{ failover.canary.lost }} messages lost"

- name: Watch a maintenance
  mqlift.amazon_mq.broker_failover:
    broker_name: orders
    region: us-east-2
    username: canary
    password: "{{ vault_canary_password }}"
    trigger: none
    timeout: 7200
    view:
      url: https://b-1234a5b6-78cd-901e-2fab-3c45d6789012-1.mq.us-east-2.amazonaws.com:8162/admin
      type: console
"""

RETURN = r"""
passed:
  description: Whether no limit was exceeded. In check mode, whether the test could begin.
  type: bool
  returned: always
  sample: true
failures:
  description: What was worse than allowed, a sentence each.
  type: list
  elements: str
  returned: always
  sample: []
failovers:
  description: How often the active role moved from one instance to another.
  type: int
  returned: when the test ran
  sample: 2
active_before:
  description: The host name of the instance that was active before.
  type: str
  returned: when the test could begin
  sample: b-1234a5b6-78cd-901e-2fab-3c45d6789012-1.mq.us-east-2.amazonaws.com
active_after:
  description: The host name of the instance that was active at the end. V(null) when none was.
  type: str
  returned: when the test ran
  sample: b-1234a5b6-78cd-901e-2fab-3c45d6789012-1.mq.us-east-2.amazonaws.com
outages:
  description: The times in which no instance answered.
  type: list
  elements: dict
  returned: when the test ran
  contains:
    begin:
      description: When the first attempt that failed began, in seconds of the epoch.
      type: float
      returned: always
      sample: 1767225600.123
    end:
      description: When the first attempt that led to a login began. V(null) when none did.
      type: float
      returned: always
      sample: 1767225603.456
    seconds:
      description: How long that was. V(null) when it did not end.
      type: float
      returned: always
      sample: 3.333
    before:
      description: The host name of the instance that was active before.
      type: str
      returned: always
      sample: b-1234a5b6-78cd-901e-2fab-3c45d6789012-1.mq.us-east-2.amazonaws.com
    after:
      description: The host name of the instance that was active after. V(null) when none was.
      type: str
      returned: always
      sample: b-1234a5b6-78cd-901e-2fab-3c45d6789012-2.mq.us-east-2.amazonaws.com
timeline:
  description: What happened, in order of time. At most 10 000 events.
  type: list
  elements: dict
  returned: when the test ran
  contains:
    at:
      description: When, in seconds of the epoch.
      type: float
      returned: always
      sample: 1767225600.123
    event:
      description:
        - What.
        - V(up) and V(down), an instance began or ceased to answer.
        - V(producer_up), V(producer_down), V(consumer_up), V(consumer_down), a connection of the canary.
        - V(reboot), the API was asked. V(state), the API says something else than before. V(note), anything else.
      type: str
      returned: always
      sample: down
    host:
      description: The host name of the instance, empty when it is about the whole broker.
      type: str
      returned: always
      sample: b-1234a5b6-78cd-901e-2fab-3c45d6789012-1.mq.us-east-2.amazonaws.com
    detail:
      description: More about it.
      type: str
      returned: always
      sample: "[Errno 111] Connection refused"
canary:
  description: What became of the canary's messages.
  type: dict
  returned: when the test ran
  contains:
    sent:
      description: How many the broker confirmed.
      type: int
      returned: always
      sample: 612
    received:
      description: How many different ones came.
      type: int
      returned: always
      sample: 612
    lost:
      description: How many were confirmed and did not come.
      type: int
      returned: always
      sample: 0
    duplicated:
      description: How many came again.
      type: int
      returned: always
      sample: 1
    reordered:
      description: How many came after a later one.
      type: int
      returned: always
      sample: 0
    max_gap:
      description: The longest time in seconds in which none came.
      type: float
      returned: always
      sample: 3.412
    max_send_gap:
      description: The longest time in seconds in which none was confirmed.
      type: float
      returned: always
      sample: 3.398
    leftovers:
      description: How many messages of an earlier, interrupted test were taken away before.
      type: int
      returned: always
      sample: 0
consumers:
  description: The number of consumers of each queue before and after, V(null) where it is not known.
  type: list
  elements: dict
  returned: when the test ran
  sample:
    - queue: orders.new
      before: 4
      after: 4
dead_letters:
  description: The number of messages in each dead letter queue before and after.
  type: list
  elements: dict
  returned: when the test ran
  sample:
    - queue: ActiveMQ.DLQ
      before: 2
      after: 2
elapsed:
  description: How many seconds the test took.
  type: float
  returned: when the test ran
  sample: 214.6
"""

import contextlib
import json
import os
import time
from collections.abc import Callable
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._amazon_mq import BrokerLookupError, describe
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._canary import Canary, Monitor, connector
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover import Event, Holdings, Limits
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_run import (
    FAILOVER_SPEC,
    FailoverError,
    FailoverTest,
    LookError,
    Options,
    State,
    StateError,
    Timeline,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url import FailoverUrlError, parse_endpoint
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._mq_api import MqApi, connect
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import ViewError
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._stomp import HAS_STOMP, Access, check_ca_file
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._views import VIEW_SPEC, open_view


class Amazon:
    """The broker's API as the test wants it."""

    def __init__(self, api: MqApi, broker_id: str) -> None:
        self._api = api
        self._broker_id = broker_id

    def reboot(self) -> None:
        try:
            self._api.reboot(self._broker_id)
        except AnsibleAWSError as exc:
            raise FailoverError(str(exc)) from exc

    def state(self) -> State:
        try:
            answer = self._api.describe(self._broker_id)
        except AnsibleAWSError as exc:
            raise StateError(str(exc)) from exc
        if answer is None:
            raise StateError(f"there is no broker with the id {self._broker_id!r} any more")
        broker = describe(answer)
        reasons = [str(action["code"]) for action in broker["actions_required"]]
        return State(str(broker["state"]), bool(broker["pending"]), reasons)


class Progress:
    """Appends each event to a file, for the action plugin to read; the last one is ``end``."""

    def __init__(self, path: str | None) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        self._descriptor = None if path is None else os.open(path, flags, 0o600)

    def tell(self, event: Event) -> None:
        if self._descriptor is not None:
            # Where the disk is full, the test goes on without.
            with contextlib.suppress(OSError):
                os.write(self._descriptor, json.dumps(event.to_dict()).encode() + b"\n")

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.tell(Event(time.time(), "end"))


def prepare(
    params: dict[str, Any], broker: dict[str, Any] | None, api: MqApi | None, told: Callable[[Event], None]
) -> FailoverTest:
    """The test that the parameters describe. Raises FailoverError, FailoverUrlError, ValueError, OSError."""
    endpoints = params["endpoints"] or (broker["endpoints"]["stomp"] if broker is not None else [])
    if not endpoints:
        raise FailoverError("the broker has no STOMP endpoints (yet)")
    for url in endpoints:
        if parse_endpoint(url).scheme not in ("stomp", "stomp+ssl"):
            raise FailoverError(f"endpoint {url} is not for STOMP")
    check_ca_file(params["ca_file"])
    limits = Limits(**params["limits"])
    if limits.min_failovers is None:
        limits = limits._replace(min_failovers=1 if len(endpoints) > 1 else 0)
    # Moments are in seconds of the epoch, but a clock that is set meanwhile does not disturb.
    offset = time.time() - time.monotonic()

    def now() -> float:
        return offset + time.monotonic()

    view = open_view(params["view"])

    def look() -> Holdings:
        try:
            return Holdings.of(view.sample(), params["canary_queue"])
        except ViewError as exc:
            raise LookError(str(exc)) from exc

    timeline = Timeline(told)
    access = Access(params["username"], params["password"], params["ca_file"])
    # One moment for a monitor's attempt, some more for the canary, which is a client like others.
    monitors = [
        Monitor(url, params["probe_interval"], connector(access, params["connect_timeout"], now), timeline.tell, now)
        for url in endpoints
    ]
    canary = Canary(
        endpoints, params["canary_queue"], params["message_interval"], connector(access, 3.0, now), timeline.tell, now
    )
    durations = {name: params[name] for name in Options._fields if name in params and name != "limits"}
    options = Options(reboot=params["trigger"] == "reboot", limits=limits, **durations)
    amazon = Amazon(api, broker["id"]) if api is not None and broker is not None else None
    return FailoverTest(timeline, monitors, canary, amazon, look, options, now, time.sleep)


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={"view": VIEW_SPEC, **FAILOVER_SPEC},
        mutually_exclusive=[("broker_id", "broker_name")],
        required_if=[("trigger", "reboot", ("broker_id", "broker_name"), True)],
        required_one_of=[("broker_id", "broker_name", "endpoints")],
        supports_check_mode=True,
    )
    params = module.params
    if not HAS_STOMP:
        module.fail_json(msg="broker_failover needs the Python package stomp.py on the host that runs the task")
    with Progress(params["_progress"]) as progress:
        run(module, progress.tell)


def run(module: AnsibleAWSModule, told: Callable[[Event], None]) -> None:
    params = module.params
    api = broker = None
    try:
        if params["broker_id"] or params["broker_name"]:
            api = connect(module)
            broker = describe(api.get(params["broker_id"], params["broker_name"]))
        test = prepare(params, broker, api, told)
        if module.check_mode:
            active = test.check()
            module.exit_json(changed=params["trigger"] == "reboot", passed=True, failures=[], active_before=active)
        result = test.run()
    except AnsibleAWSError as exc:
        module.fail_json_aws_error(exc)
    except BrokerLookupError as exc:
        module.fail_json(msg=f"{exc} in region {module.region}", passed=False, failures=[str(exc)])
    except (FailoverError, FailoverUrlError, ValueError) as exc:
        module.fail_json(msg=str(exc), passed=False, failures=[str(exc)])
    except OSError as exc:
        module.fail_json(msg=f"{exc.filename}: {exc.strerror}", passed=False, failures=[str(exc)])
    result["changed"] = params["trigger"] == "reboot"
    if not result["passed"]:
        module.fail_json(msg="; ".join(result["failures"]), **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
