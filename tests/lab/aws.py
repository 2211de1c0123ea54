# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The AWS API of the lab: a moto server whose Amazon MQ brokers are the lab's real pair.

Stock moto answers with constants: brokers run at once, a reboot does nothing, both instances have the same endpoint.
Here a broker is created by starting the pair and rebooted by restarting its instances one after the other. Each
behaviour names its source.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from moto.mq import models
from moto.mq.exceptions import BadRequestException

from lab import shell
from lab.brokers import UNIT
from lab.hosts import Host
from lab.plan import AWS_PORT, OPENWIRE_TLS, STOMP_TLS

#: RebootBroker returns at once and DescribeBroker may still say RUNNING for a moment: "returns an empty HTTP 200
#: response" (Amazon MQ API reference, Broker reboot), before anything has happened.
REBOOT_DELAY = 0.3


class Pair:
    """The active/standby pair: two hosts, one store."""

    def __init__(self, hosts: Sequence[Host], names: Sequence[str]) -> None:
        self.hosts, self.names = hosts, names

    def active(self) -> Host | None:
        """The instance that accepts connections.

        The standby refuses them: its process waits for the store's lock (Amazon MQ developer guide, "Active/standby
        broker": only one instance is active at a time).
        """
        for host in self.hosts:
            try:
                socket.create_connection((host.address, OPENWIRE_TLS), 0.3).close()
            except OSError:
                continue
            return host
        return None

    def up(self) -> None:
        """Start the first instance, and the second when the first is active, so that it is known which one is."""
        for host in self.hosts:
            host.unit("start", UNIT)
            self._wait_active()

    def reboot(self) -> None:
        """Restart the active instance, then the other: two failovers, and the active role ends where it began.

        Source: jasonrbriggs/stomp.py#364; Amazon MQ developer guide, "Maintaining a broker": one instance at a time.
        """
        for dummy in self.hosts:
            active = self._wait_active()
            active.unit("stop", UNIT)
            self._wait_active()
            active.unit("start", UNIT)

    def down(self) -> None:
        """Stop both instances, the standby first, so that it does not take over."""
        active = self.active()
        for host in sorted(self.hosts, key=lambda item: item is active):
            host.unit("stop", UNIT)

    def _wait_active(self) -> Host:
        shell.wait_for(lambda: self.active() is not None, 60, "an active instance of the target")
        active = self.active()
        assert active is not None
        return active


def install(pair: Pair, broker_id: str) -> None:
    """Put the pair behind moto's Amazon MQ."""

    class Broker(models.Broker):  # type: ignore[misc]  # moto is not typed
        """A broker that is the pair. moto derives the answers' keys from the name of this class."""

        def __init__(self, name: str, account_id: str, region: str, **more: Any) -> None:
            super().__init__(name, account_id, region, **more)
            # Amazon MQ developer guide, "Broker": the id is b-<uuid>, the ARN holds name and id.
            self.id = broker_id
            self.arn = f"arn:aws:mq:{region}:{account_id}:broker:{name}:{broker_id}"
            # Amazon MQ developer guide, "Broker": endpoints b-<uuid>-1 and -2, one IpAddress per instance.
            self.instances = [
                {
                    "consoleURL": f"https://{name}:8162",
                    "endpoints": [f"ssl://{name}:{OPENWIRE_TLS}", f"stomp+ssl://{name}:{STOMP_TLS}"],
                    "ipAddress": host.address,
                }
                for host, name in zip(pair.hosts, pair.names, strict=True)
            ]
            # Creating a broker is asynchronous: CREATION_IN_PROGRESS until it runs (CreateBroker, BrokerState).
            self._begin("CREATION_IN_PROGRESS", pair.up, "CREATION_FAILED")

        def reboot(self) -> None:
            def work() -> None:
                time.sleep(REBOOT_DELAY)
                self.state = "REBOOT_IN_PROGRESS"
                pair.reboot()

            # Amazon MQ developer guide, "Troubleshooting: action required codes": what cannot recover by itself.
            self._begin("RUNNING", work, "CRITICAL_ACTION_REQUIRED")

        def _begin(self, state: str, work: Callable[[], None], failed: str) -> None:
            self.state = state

            def task() -> None:
                try:
                    work()
                    self.state = "RUNNING"
                except shell.LabError as error:
                    print(f"aws: {error}", file=sys.stderr, flush=True)
                    self.state = failed

            threading.Thread(target=task, daemon=True).start()

    def reboot_broker(self: models.MQBackend, broker_id: str) -> None:
        # Stock moto raises KeyError for an unknown id; the API answers 404, and 400 unless the broker is RUNNING
        # (API reference, Broker reboot; developer guide, "Rebooting a broker").
        broker = self.describe_broker(broker_id)
        if broker.state != "RUNNING":
            raise BadRequestException(f"Broker [{broker_id}] is in state {broker.state}; only a RUNNING one reboots.")
        broker.reboot()

    def delete_broker(self: models.MQBackend, broker_id: str) -> None:
        self.describe_broker(broker_id)  # an unknown id: 404 (API reference, Broker)
        pair.down()
        del self.brokers[broker_id]

    models.Broker = Broker  # moto has no hook: its module-level name is the seam
    models.MQBackend.reboot_broker = reboot_broker
    models.MQBackend.delete_broker = delete_broker


def serve(address: str, certificate: Path, key: Path) -> None:
    """Run the API until the process is ended."""
    from moto.server import main

    main(["-H", address, "-p", str(AWS_PORT), "--ssl-cert", str(certificate), "--ssl-key", str(key)])
