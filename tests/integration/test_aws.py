# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's AWS API with the real pair: what waits is in force after a reboot, which is two failovers; CloudWatch."""

from __future__ import annotations

import base64
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from lab import client, network, plan, shell
from lab.aws import calls, pair
from lab.lab import ROOT, Lab

Up = Callable[..., Lab]

NAMESPACE = "http://activemq.apache.org/schema/core"
#: What is refused by one reader gets a dead letter queue of its own, and a queue is there from the start.
CONFIGURATION = f"""
<broker xmlns="{NAMESPACE}" brokerName="mine">
  <destinationPolicy><policyMap><policyEntries>
    <policyEntry queue="refused.&gt;">
      <deadLetterStrategy><individualDeadLetterStrategy queuePrefix="DEAD."/></deadLetterStrategy>
    </policyEntry>
  </policyEntries></policyMap></destinationPolicy>
  <destinations><queue physicalName="made.by.configuration"/></destinations>
</broker>"""
USER, PASSWORD = "probe", 'pro<be&"\\-Passw0rd'

#: The collection's view of CloudWatch, a minute ahead of its time: it leaves out the minute that is not over.
VIEW = """
import json, sys, time
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._cloudwatch import CloudWatchView, cloudwatch_client
options = json.loads(sys.argv[1])
sample = CloudWatchView(options["name"], cloudwatch_client(options), 10, lambda: time.time() + 60).sample()
print(json.dumps({item.name: [item.pending, item.consumers] for item in sample.destinations}))
"""


class Stomp:
    """As much of STOMP as the test needs."""

    def __init__(self, lab: Lab, host: str, username: str, password: str) -> None:
        context = ssl.create_default_context(cafile=str(lab.pki / "ca.pem"))
        address = lab.hosts[host].address
        with network.entered(lab.controller_namespace):
            raw = socket.create_connection((address, plan.STOMP_TLS), 10)
        self.socket = context.wrap_socket(raw, server_hostname=address)
        self.buffer = b""
        # The octets \\, : and line breaks are spelled otherwise in headers, but not in those of CONNECT.
        self.send("CONNECT", **{"accept-version": "1.2", "host": "lab", "login": username, "passcode": password})
        self.answer = self.receive()

    def send(self, command: str, **headers: str) -> None:
        lines = [command, *(f"{name}:{value}" for name, value in headers.items()), "", ""]
        self.socket.sendall("\n".join(lines).encode() + b"\0")

    def receive(self) -> tuple[str, dict[str, str]]:
        while b"\0" not in self.buffer:
            data = self.socket.recv(65536)
            assert data, "the broker hung up"
            self.buffer += data
        frame, dummy, self.buffer = self.buffer.partition(b"\0")
        head = frame.decode().lstrip("\n").partition("\n\n")[0].split("\n")
        return head[0], dict(line.split(":", 1) for line in head[1:])

    def close(self) -> None:
        self.socket.close()


def login(lab: Lab, host: str, username: str, password: str) -> str:
    """What a broker answers: CONNECTED or ERROR."""
    found = Stomp(lab, host, username, password)
    found.close()
    return found.answer[0]


@contextmanager
def watched(lab: Lab) -> Iterator[list[tuple[float, str]]]:
    """Which instance is active meanwhile, each change with its time. The list is whole when the block has ended."""
    seen: list[tuple[float, str]] = []
    end = threading.Event()

    def watch() -> None:
        while not end.wait(0.05):
            accepting = [name for name in plan.TARGETS if lab.accepts(name, plan.OPENWIRE_TLS)]
            assert len(accepting) < 2, "both instances are active"
            if accepting and (not seen or seen[-1][1] != accepting[0]):
                seen.append((time.monotonic(), accepting[0]))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        end.set()
        thread.join(10)


def states_of_a_reboot(mq: Any) -> list[str]:
    """Reboot the target and follow its state until it runs again."""
    mq.reboot_broker(BrokerId=plan.BROKER_ID)
    states: list[str] = []

    def over() -> bool:
        state = mq.describe_broker(BrokerId=plan.BROKER_ID)["BrokerState"]
        if state not in states[-1:]:
            states.append(state)
        return len(states) > 1 and state == "RUNNING"

    shell.wait_for(over, 60, "the end of the reboot", interval=0.1)
    return states


def refuse_a_message(lab: Lab) -> None:
    """Send a message as the new user, receive and refuse it."""
    stomp = Stomp(lab, plan.TARGETS[0], USER, PASSWORD)
    stomp.send("SUBSCRIBE", id="1", destination="/queue/refused.orders", ack="client-individual")
    stomp.send("SEND", destination="/queue/refused.orders", persistent="true")
    command, headers = stomp.receive()
    assert command == "MESSAGE"
    stomp.send("NACK", id=headers["ack"], receipt="refused")
    assert stomp.receive() == ("RECEIPT", {"receipt-id": "refused"})
    stomp.close()


def seen_by_cloudwatch(lab: Lab) -> dict[str, list[int | None]]:
    """Pending messages and consumers by queue."""
    environment = lab.environment()
    options = {
        "name": plan.TARGET_NAME,
        "endpoint_url": environment["AWS_ENDPOINT_URL"],
        "ca_file": environment["AWS_CA_BUNDLE"],
        "region": plan.REGION,
        "access_key": plan.ACCESS_KEY,
        "secret_key": plan.SECRET_KEY,
        "session_token": None,
        "profile": None,
        "validate_certs": True,
        "timeout": 10,
    }
    done = subprocess.run(
        [*lab.controller(), sys.executable, "-c", VIEW, json.dumps(options)],
        env={**os.environ, **environment, "PYTHONPATH": str(ROOT / ".build/collections")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_what_waits_is_in_force_after_a_reboot_of_two_failovers(up: Up) -> None:
    lab = up(metrics_interval=1)
    first, second = plan.TARGETS
    with client._api(lab) as mq:
        two, one = mq.describe_broker(BrokerId=plan.BROKER_ID)["BrokerInstances"]
        assert [item["IpAddress"] for item in (one, two)] == [lab.hosts[name].address for name in plan.TARGETS]
        for item, host in ((one, first), (two, second)):
            ports = {url.rpartition(":")[2] for url in [*item["Endpoints"], item["ConsoleURL"]]}
            assert ports == {str(port) for port in plan.ports(host)}

        made = mq.create_configuration(Name="own", EngineType="ACTIVEMQ", EngineVersion="5.18")["Id"]
        data = base64.b64encode(CONFIGURATION.encode()).decode()
        warnings = mq.update_configuration(ConfigurationId=made, Data=data)["Warnings"]
        assert [item["AttributeName"] for item in warnings] == ["brokerName"]
        mq.update_broker(BrokerId=plan.BROKER_ID, Configuration={"Id": made})
        mq.create_user(BrokerId=plan.BROKER_ID, Username=USER, Password=PASSWORD, ConsoleAccess=True)
        assert login(lab, first, USER, PASSWORD) == "ERROR"
        assert login(lab, first, plan.APP_USER, plan.APP_PASSWORD) == "CONNECTED"

        with watched(lab) as active:
            assert states_of_a_reboot(mq) == ["RUNNING", "REBOOT_IN_PROGRESS", "RUNNING"]
        assert [name for dummy, name in active] == [first, second, first]
        assert active[2][0] - active[1][0] > pair.BETWEEN_FAILOVERS - 3

        answer = mq.describe_broker(BrokerId=plan.BROKER_ID)
        assert answer["Configurations"]["Current"] == {"Id": made, "Revision": 2}
        assert {"Username": USER} in answer["Users"]
    assert login(lab, first, USER, PASSWORD) == "CONNECTED"
    assert login(lab, first, USER, PASSWORD + "x") == "ERROR"
    refuse_a_message(lab)

    def published() -> bool:
        found = seen_by_cloudwatch(lab)
        return found.get("DEAD.refused.orders") == [1, 0] and "made.by.configuration" in found

    shell.wait_for(published, 20, "the dead letter in CloudWatch", interval=0.2)
    assert {"mq:RebootBroker", "cloudwatch:GetMetricData"} <= {call.action for call in calls.read(lab.aws_calls)}
    assert "Traceback" not in (lab.folder / "aws.log").read_text()
    lab.down()
    assert shell.marked(lab.id) == []
    assert not lab.aws_faults.exists()
