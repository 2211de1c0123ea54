# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab as a customer of its AWS API."""

from __future__ import annotations

import boto3

from lab import plan, shell


def create() -> None:
    """Create the target and wait until it runs."""
    mq = boto3.client("mq")
    broker_id = mq.create_broker(
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
    )["BrokerId"]
    _wait(broker_id, "RUNNING")


def reboot() -> None:
    """Reboot the target and wait for both failovers."""
    mq = boto3.client("mq")
    mq.reboot_broker(BrokerId=plan.BROKER_ID)
    _wait(plan.BROKER_ID, "REBOOT_IN_PROGRESS")
    _wait(plan.BROKER_ID, "RUNNING")


def _wait(broker_id: str, state: str) -> None:
    mq = boto3.client("mq")

    def reached() -> bool:
        found = str(mq.describe_broker(BrokerId=broker_id)["BrokerState"])
        if found in {"CREATION_FAILED", "CRITICAL_ACTION_REQUIRED"}:
            raise shell.LabError(f"the target is in state {found}")
        return found == state

    shell.wait_for(reached, 90, f"state {state} of the target", interval=0.1)
