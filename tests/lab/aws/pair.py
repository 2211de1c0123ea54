# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's active/standby pair as a machine of Amazon MQ: two hosts, one store."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lab import shell
from lab.aws.broker import Instance, Settings, instance
from lab.brokers import UNIT
from lab.hosts import Host
from lab.plan import OPENWIRE_TLS

#: Between the two failovers of a reboot, seconds: clients have time to reconnect. On AWS it takes minutes.
BETWEEN_FAILOVERS = 8.0
#: What a standby writes to its log when it is back: its process runs and asks for the store's lock (SharedFileLocker of
#: ActiveMQ, org.apache.activemq.store).
STANDBY = "in slave mode waiting a lock to be acquired"


class Pair:
    """The active/standby pair. *configure* writes the configuration of the instance with an index (0 or 1)."""

    def __init__(
        self,
        hosts: Sequence[Host],
        names: Sequence[str],
        logs: Sequence[Path],
        configure: Callable[[int, Settings], None],
        *,
        listeners: Mapping[str, int],
        between: float = BETWEEN_FAILOVERS,
    ) -> None:
        self.hosts, self._logs, self._configure, self._between = hosts, logs, configure, between
        #: The names that clients use: addresses where names cannot be given.
        self.instances: Sequence[Instance] = [
            instance(name, host.address, listeners) for host, name in zip(hosts, names, strict=True)
        ]
        #: What it runs with; None before it was started.
        self.settings: Settings | None = None

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

    def up(self, settings: Settings) -> None:
        """Start the first instance, and the second when the first is active, so that it is known which one is."""
        for index, host in enumerate(self.hosts):
            self._configure(index, settings)
            host.unit("start", UNIT)
            self._wait_active()
        self.settings = settings

    def reboot(self, settings: Settings) -> None:
        """Restart the active instance, then the other: two failovers, and the active role ends where it began.

        Each instance is restarted with the new settings, the second one only when the first is back as a standby: one
        instance at a time (jasonrbriggs/stomp.py#364; Amazon MQ developer guide, "Maintaining a broker").
        """
        began = 0.0
        for number in range(len(self.hosts)):
            active = self._wait_active()
            if number:
                time.sleep(max(0.0, began + self._between - time.monotonic()))
            index = self.hosts.index(active)
            told = self._told(index)
            active.unit("stop", UNIT)
            self._wait_active()
            began = time.monotonic()
            self._configure(index, settings)
            active.unit("start", UNIT)
            self._wait_standby(index, told)
        self.settings = settings

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

    def _wait_standby(self, index: int, told: int) -> None:
        """Wait until the log of an instance says, after *told* bytes, that it waits for the lock."""
        shell.wait_for(
            lambda: self._says_standby(index, told), 60, f"the return of {self.hosts[index].name} as standby"
        )

    def _says_standby(self, index: int, told: int) -> bool:
        with self._logs[index].open("rb") as stream:
            stream.seek(told)
            return STANDBY.encode() in stream.read()

    def _told(self, index: int) -> int:
        return self._logs[index].stat().st_size
