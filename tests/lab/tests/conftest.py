# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's AWS API for tests: one server with brokers on paper, and what the tests of it have in common."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lab import shell
from lab.aws import Serving, faults, serving
from lab.aws.broker import Delays

_NUMBERS = itertools.count(1)


class Amazon:
    """boto3's client of Amazon MQ, and short words for what tests do with it."""

    def __init__(self, served: Serving) -> None:
        self.served = served
        self.mq: Any = served.client()

    def create(self, **options: Any) -> str:
        """Begin to create a broker with a name of its own; returns its id."""
        given = {
            "BrokerName": f"broker-{next(_NUMBERS)}",
            "DeploymentMode": "ACTIVE_STANDBY_MULTI_AZ",
            "EngineType": "ACTIVEMQ",
            "EngineVersion": "5.18",
            "HostInstanceType": "mq.m5.large",
            "PubliclyAccessible": False,
            "Users": [{"Username": "app", "Password": "app-Passw0rd-lab"}],
        }
        return str(self.mq.create_broker(**(given | options))["BrokerId"])

    def running(self, **options: Any) -> str:
        """A new broker that runs; returns its id."""
        broker_id = self.create(**options)
        self.wait(broker_id, "RUNNING")
        return broker_id

    def describe(self, broker_id: str) -> dict[str, Any]:
        return dict(self.mq.describe_broker(BrokerId=broker_id))

    def wait(self, broker_id: str, state: str) -> None:
        shell.wait_for(lambda: self.describe(broker_id)["BrokerState"] == state, 10, f"state {state}", interval=0.01)

    def reboot(self, broker_id: str) -> None:
        """Reboot a broker and wait until it was done."""
        self.mq.reboot_broker(BrokerId=broker_id)
        self.wait(broker_id, "REBOOT_IN_PROGRESS")
        self.wait(broker_id, "RUNNING")

    def error(self, operation: str, **arguments: Any) -> tuple[int, str, str | None, str]:
        """Status, code, attribute and text of the error that a call leads to."""
        with pytest.raises(ClientError) as caught:
            getattr(self.mq, operation)(**arguments)
        answer = caught.value.response
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        return status, answer["Error"]["Code"], answer.get("ErrorAttribute"), answer["Error"]["Message"]


@pytest.fixture(scope="session")
def shared_amazon() -> Iterator[Amazon]:
    with serving(delays=Delays(creation=0.01, reboot_lag=0.02, reboot=0.08, deletion=0.03)) as served:
        yield Amazon(served)


@pytest.fixture
def amazon(shared_amazon: Amazon) -> Iterator[Amazon]:
    yield shared_amazon
    faults.clear(shared_amazon.served.faults)
