# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One broker of the lab without the lab around it: a process on a loopback address of its own, as often as needed."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory
from typing import Any

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import View, ViewError
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._views import VIEW_SPEC, open_view
from lab import plan, shell, software
from lab.brokers import Broker, User

_TICKS = os.sysconf("SC_CLK_TCK")


class LoneBroker:
    """The source of the lab, to be started, killed and started again."""

    def __init__(self, folder: Path, *, line: str = "source", heap: str = "256m", choice: software.Choice = "auto"):
        # Any process's addresses differ from any other's; labs without namespaces begin at 127.64.
        pid = os.getpid()
        self.address = f"127.{8 + pid // 62500 % 32}.{pid // 250 % 250}.{1 + pid % 250}"
        self.folder = folder
        self.software = software.find(choice)[0][line]
        user: User = {"name": plan.SOURCE_CONSOLE_USER, "password": plan.SOURCE_CONSOLE_PASSWORD}
        broker = Broker("bench", self.address, self.software, folder, console_user=user)
        self._argv = [word.replace("-Xmx256m", f"-Xmx{heap}") for word in broker.render().argv]
        self._process: Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where its Jolokia is."""
        return f"http://{self.address}:{plan.CONSOLE}/api/jolokia"

    def view(self, **options: Any) -> View:
        """A view of it, as the modules open theirs."""
        defaults = {name: spec.get("default") for name, spec in VIEW_SPEC["options"].items()}
        chosen = {
            **defaults,
            "url": [self.url],
            "username": plan.SOURCE_CONSOLE_USER,
            "password": plan.SOURCE_CONSOLE_PASSWORD,
            **options,
        }
        return open_view(chosen)

    def start(self, *, wait: bool = True) -> None:
        """Start it. Raises LabError when it does not listen in time."""
        self._process = shell.spawn(self._argv, mark=f"bench-{os.getpid()}", log=self.folder / "broker.log")
        if wait:
            for port in (plan.STOMP, plan.OPENWIRE, plan.CONSOLE):
                shell.wait_for(partial(self._listens, port), 120, f"port {port} of the broker")

    def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it, by default as a power cut would."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait()
            self._process = None

    def cpu(self) -> float:
        """The seconds of processor time that it has used."""
        assert self._process is not None
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def create_queues(self, names: list[str]) -> None:
        """Make queues that hold nothing: a subscription creates its queue, and it stays when the subscription ends."""
        with socket.create_connection((self.address, plan.STOMP), timeout=600) as link:
            link.sendall(b"CONNECT\naccept-version:1.2\nhost:x\n\n\0")
            frames = []
            for number, name in enumerate(names):
                frames.append(f"SUBSCRIBE\nid:{number}\ndestination:/queue/{name}\nack:auto\n\n\0")
                frames.append(f"UNSUBSCRIBE\nid:{number}\n\n\0")
            frames.append("DISCONNECT\nreceipt:done\n\n\0")
            link.sendall("".join(frames).encode())
            answer = b""
            while b"receipt-id:done" not in answer:
                more = link.recv(65536)
                if not more:
                    raise shell.LabError(f"the broker ended the connection: {answer[-300:]!r}")
                answer = (answer + more)[-4096:]

    def _listens(self, port: int) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise shell.LabError(f"the broker ended, see {self.folder / 'broker.log'}")
        with contextlib.suppress(OSError), socket.create_connection((self.address, port), timeout=1):
            return True
        return False


@contextlib.contextmanager
def lone_broker(**options: Any) -> Iterator[LoneBroker]:
    """A running broker that is gone afterwards, with all it wrote, also when the program is asked to end."""
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))
    with TemporaryDirectory(prefix="mqlift-bench-") as name:
        broker = LoneBroker(Path(name), **options)
        try:
            broker.start()
            yield broker
        finally:
            broker.end()


def wait_for_view(view: View, timeout: float = 60.0) -> None:
    """Wait until a view has a sample to give."""
    end = time.monotonic() + timeout
    while True:
        try:
            view.sample()
        except ViewError as error:
            if time.monotonic() > end:
                raise shell.LabError(str(error)) from error
            time.sleep(0.05)
        else:
            return
