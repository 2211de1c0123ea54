# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab as a customer of its AWS API, and of no other: nothing is taken from the caller's AWS settings."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lab import network, plan, shell
from lab.shell import LabError

if TYPE_CHECKING:
    from lab.lab import Lab


def create(lab: Lab) -> None:
    """Create the target and wait until it runs."""
    with _api(lab) as mq:
        mq.create_broker(
            BrokerName=plan.TARGET_NAME,
            DeploymentMode="ACTIVE_STANDBY_MULTI_AZ",
            EngineType="ACTIVEMQ",
            EngineVersion="5.18",
            HostInstanceType="mq.m5.large",
            StorageType="EFS",
            AutoMinorVersionUpgrade=True,
            PubliclyAccessible=False,
            Users=[
                {"Username": plan.APP_USER, "Password": plan.APP_PASSWORD},
                {"Username": plan.CONSOLE_USER, "Password": plan.CONSOLE_PASSWORD, "ConsoleAccess": True},
            ],
        )
        _wait(mq, "RUNNING")


def reboot(lab: Lab) -> None:
    """Reboot the target and wait for both failovers."""
    with _api(lab) as mq:
        mq.reboot_broker(BrokerId=plan.BROKER_ID)
        _wait(mq, "REBOOT_IN_PROGRESS")
        _wait(mq, "RUNNING")


@contextlib.contextmanager
def _api(lab: Lab) -> Iterator[Any]:
    """A client of the lab's Amazon MQ API. Raises LabError with what the API says."""
    try:
        with network.entered(lab.controller_namespace):
            yield boto3.client(
                "mq",
                endpoint_url=lab.aws_url,
                region_name=plan.REGION,
                aws_access_key_id=plan.ACCESS_KEY,
                aws_secret_access_key=plan.SECRET_KEY,
                verify=str(lab.pki / "ca.pem"),
                config=Config(proxies={}, connect_timeout=5, read_timeout=30),
            )
    except (BotoCoreError, ClientError) as error:
        raise LabError(f"the AWS API of the lab: {error}") from error


def _wait(mq: Any, state: str) -> None:
    def reached() -> bool:
        found = str(mq.describe_broker(BrokerId=plan.BROKER_ID)["BrokerState"])
        if found in {"CREATION_FAILED", "CRITICAL_ACTION_REQUIRED"}:
            raise LabError(f"the target is in state {found}")
        return found == state

    shell.wait_for(reached, 90, f"state {state} of the target", interval=0.1)
