# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts reached by ssh, of two kinds.

A *namespace host* has its own network, copy-on-write file system and process tree with a real systemd on top. A
*process host*, for machines where namespaces are not permitted, is a folder and a loopback address: its services are
plain processes, and it has an sshd of its own.
"""

from __future__ import annotations

import shlex
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from lab import shell
from lab.shell import LabError

BOOT = Path(__file__).with_name("boot.sh")
#: systemd units of the machine that make no sense in a namespace.
MASKED = (
    "dev-hugepages.mount dev-mqueue.mount kmod-static-nodes.service proc-sys-fs-binfmt_misc.automount "
    "sys-fs-fuse-connections.mount sys-kernel-debug.mount sys-kernel-tracing.mount systemd-binfmt.service "
    "systemd-modules-load.service systemd-sysctl.service systemd-udev-trigger.service systemd-udevd-control.socket "
    "systemd-udevd-kernel.socket systemd-udevd.service systemd-logind.service systemd-networkd.service "
    "systemd-resolved.service systemd-timesyncd.service getty.target systemd-journal-flush.service"
).split()


@dataclass(frozen=True)
class Unit:
    """A long-running program of a host."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    environment_file: str | None = None
    stop_timeout: int = 10

    def systemd(self) -> str:
        """The text of its systemd unit."""
        lines = ["[Unit]", f"Description={self.name}", "", "[Service]", "Type=exec"]
        lines += [f"Environment={shlex.quote(f'{key}={value}')}" for key, value in self.environment.items()]
        if self.environment_file:
            lines.append(f"EnvironmentFile={self.environment_file}")
        command = " ".join('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in self.argv)
        # A JVM that ends on SIGTERM exits with 143.
        lines += [f"ExecStart={command}", "SuccessExitStatus=143", f"TimeoutStopSec={self.stop_timeout}", ""]
        return "\n".join(lines)


class Host(Protocol):
    """What the rest of the lab needs of a host, whichever kind it is."""

    name: str
    address: str
    ssh_port: int

    def inside(self, path: str) -> str:
        """The path as processes of this host see it."""

    def seed(self, path: str, text: str, mode: int = 0o644) -> None:
        """Lay down a file before the host starts."""

    def install(self, unit: Unit) -> None:
        """Lay down a unit before the host starts."""

    def launch(self) -> None:
        """Begin to start the host."""

    def ready(self) -> bool:
        """Whether it accepts ssh."""

    def unit(self, action: str, name: str) -> None:
        """start, stop or restart a unit."""

    def unit_pid(self, name: str) -> int | None:
        """The process id of a unit as the machine sees it, None when it does not run."""

    def freeze(self, frozen: bool) -> None:
        """Stop or resume every process of the host at once."""

    def stop(self) -> None:
        """End every process of the host and take its namespaces away."""


def ssh_answers(nsenter: Sequence[str], address: str, port: int) -> bool:
    """Whether an sshd greets at the address."""
    probe = f"exec 3<>/dev/tcp/{address}/{port} && read -t 2 line <&3 && [[ $line == SSH-* ]]"
    return shell.run([*nsenter, "bash", "-c", probe], check=False, timeout=5).returncode == 0


class NamespaceHost:
    """A host made of namespaces; see boot.sh."""

    ssh_port = 22

    def __init__(self, name: str, address: str, folder: Path, *, lab_id: str, shared: Sequence[Path]) -> None:
        self.name, self.address, self.folder = name, address, folder
        self.namespace = f"mqlab-{lab_id}-{name}"
        self._mark, self._shared = lab_id, shared
        self._pid_file = folder / "launcher.pid"

    def inside(self, path: str) -> str:
        return path

    def seed(self, path: str, text: str, mode: int = 0o644) -> None:
        shell.write(self.folder / "seed" / path.lstrip("/"), text, mode)

    def install(self, unit: Unit) -> None:
        self.seed(f"/etc/systemd/system/{unit.name}.service", unit.systemd())

    def launch(self) -> None:
        units = "/etc/systemd/system"
        self.seed(f"{units}/lab.target", "[Unit]\nRequires=basic.target dbus.service\nAfter=basic.target\n")
        sshd = "[Service]\nExecStart=/usr/sbin/sshd -D -f /etc/mqlab/sshd_config\nRuntimeDirectory=sshd\n"
        self.seed(f"{units}/labssh.service", sshd)
        links = self.folder / "seed" / units.lstrip("/")
        (links / "lab.target.wants").mkdir()
        (links / "lab.target.wants/labssh.service").symlink_to("../labssh.service")
        (links / "default.target").symlink_to("lab.target")
        for name in MASKED:
            (links / name).symlink_to("/dev/null")
        group = self._cgroup()
        group.mkdir(exist_ok=True)
        boot = shlex.join(["bash", str(BOOT), self.name, str(self.folder), *map(str, self._shared)])
        enter = f"nsenter --net=/run/netns/{self.namespace}"
        spaces = "unshare --uts --mount --pid --fork --ipc --cgroup --kill-child"
        process = shell.spawn(
            ["bash", "-c", f"echo $$ > {group}/cgroup.procs && exec {enter} {spaces} {boot}"],
            mark=self._mark,
            log=self.folder / "boot.log",
        )
        self._pid_file.write_text(str(process.pid))

    def ready(self) -> bool:
        if not shell.alive(self._launcher()):
            lines = (self.folder / "boot.log").read_text(errors="replace").strip().splitlines()
            raise LabError(f"host {self.name} did not start: {lines[-1] if lines else 'no message'}")
        return ssh_answers(["nsenter", f"--net=/run/netns/{self.namespace}"], self.address, self.ssh_port)

    def unit(self, action: str, name: str) -> None:
        self.execute(["systemctl", action, name])

    def unit_pid(self, name: str) -> int | None:
        shown = self.execute(["systemctl", "show", "--property=MainPID", "--value", name]).stdout.strip()
        if shown in {"", "0"}:
            return None
        group = self._cgroup().joinpath("system.slice", f"{name}.service", "cgroup.procs")
        return next((int(pid) for pid in group.read_text().split() if _inner_pid(int(pid)) == int(shown)), None)

    def execute(
        self, argv: Sequence[str], *, check: bool = True, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside the host."""
        return shell.run(["nsenter", "-t", str(self._init()), "-a", "--", *argv], check=check, timeout=timeout)

    def freeze(self, frozen: bool) -> None:
        """Stop or resume every process of the host at once."""
        (self._cgroup() / "cgroup.freeze").write_text("1" if frozen else "0")

    def stop(self) -> None:
        group = self._cgroup()
        if group.is_dir():
            (group / "cgroup.freeze").write_text("0")
            (group / "cgroup.kill").write_text("1")
            shell.wait_for(lambda: not _populated(group), 10, f"the end of host {self.name}", interval=0.01)
            # systemd made child groups; a group goes only after its children.
            for folder in sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True):
                folder.rmdir()
            group.rmdir()

    def _launcher(self) -> int:
        return int(self._pid_file.read_text())

    def _init(self) -> int:
        """The id of the host's process 1 as the machine sees it."""
        launcher = self._launcher()
        children = Path(f"/proc/{launcher}/task/{launcher}/children")
        try:
            return int(children.read_text().split()[0])
        except (OSError, IndexError) as error:
            raise LabError(f"host {self.name} does not run") from error

    def _cgroup(self) -> Path:
        return cgroup_root() / self.namespace


class ProcessHost:
    """A host that is only a folder and a loopback address, for machines without namespaces."""

    ssh_port = 2222

    def __init__(self, name: str, address: str, folder: Path, *, lab_id: str) -> None:
        self.name, self.address, self.folder = name, address, folder
        self._mark = lab_id
        self._units = folder / "units"

    def inside(self, path: str) -> str:
        return str(self.folder / "root" / path.lstrip("/"))

    def seed(self, path: str, text: str, mode: int = 0o644) -> None:
        shell.write(Path(self.inside(path)), text, mode)

    def install(self, unit: Unit) -> None:
        shell.write(self._units / f"{unit.name}.sh", _script(unit), 0o755)

    def launch(self) -> None:
        Path("/run/sshd").mkdir(exist_ok=True)
        config = self.inside("/etc/mqlab/sshd_config")
        self.install(Unit("sshd", ["/usr/sbin/sshd", "-D", "-f", config]))
        self.unit("start", "sshd")

    def ready(self) -> bool:
        if self.unit_pid("sshd") is None:
            lines = (self._units / "sshd.log").read_text(errors="replace").strip().splitlines()
            raise LabError(f"host {self.name} did not start: {lines[-1] if lines else 'sshd ended'}")
        return ssh_answers([], self.address, self.ssh_port)

    def pid_file(self, name: str) -> Path:
        """Where the process id of a unit is."""
        return self._units / f"{name}.pid"

    def unit(self, action: str, name: str) -> None:
        if action in {"stop", "restart"}:
            self._end(name)
        if action in {"start", "restart"} and self.unit_pid(name) is None:
            process = shell.spawn([self._units / f"{name}.sh"], mark=self._mark, log=self._units / f"{name}.log")
            self.pid_file(name).write_text(str(process.pid))
            self._birth_file(name).write_text(str(shell.birth(process.pid)))

    def unit_pid(self, name: str) -> int | None:
        try:
            pid, born = int(self.pid_file(name).read_text()), self._birth_file(name).read_text()
        except (OSError, ValueError):
            return None
        # The environment's mark would not do: sshd writes its title over it.
        return pid if shell.alive(pid) and shell.birth(pid) == born else None

    def execute(
        self, argv: Sequence[str], *, check: bool = True, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command; a process host has no namespaces to enter."""
        return shell.run(argv, check=check, timeout=timeout)

    def freeze(self, frozen: bool) -> None:
        """Stop or resume every unit of the host, sshd included."""
        for path in self._units.glob("*.pid"):
            pid = self.unit_pid(path.stem)
            if pid is not None:
                shell.signal_process(pid, signal.SIGSTOP if frozen else signal.SIGCONT)

    def stop(self) -> None:
        self.freeze(False)
        for path in self._units.glob("*.pid"):
            self._end(path.stem, grace=0.2)

    def _birth_file(self, name: str) -> Path:
        return self._units / f"{name}.birth"

    def _end(self, name: str, grace: float = 10) -> None:
        pid = self.unit_pid(name)
        if pid is not None:
            shell.end([pid], grace=grace)
        self.pid_file(name).unlink(missing_ok=True)


def cgroup_root() -> Path:
    """Where this machine has its version 2 control groups. Raises LabError where it has none."""
    for candidate in (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified")):
        if (candidate / "cgroup.controllers").exists():
            return candidate
    raise LabError("this machine has no version 2 control groups")


def namespaces_permitted(folder: Path) -> str | None:
    """None when namespace hosts can be made here, else the reason why not."""
    try:
        root = cgroup_root()
        if not Path("/lib/systemd/systemd").exists():
            return "systemd is not installed"
        probe = root / "mqlab-probe"
        probe.mkdir(exist_ok=True)
        probe.rmdir()
        work = folder / "probe"
        work.mkdir(parents=True, exist_ok=True)
        steps = (
            f"mount -t tmpfs tmpfs {work} && mkdir {work}/u {work}/w {work}/r && "
            f"mount -t overlay overlay -o lowerdir=/,upperdir={work}/u,workdir={work}/w {work}/r && "
            f"mount -t proc proc {work}/r/proc"
        )
        shell.run(["unshare", "--net", "--uts", "--mount", "--pid", "--fork", "--ipc", "--cgroup", "sh", "-c", steps])
        work.rmdir()
    except (LabError, OSError) as error:
        return str(error)
    return None


def wait_until_ready(hosts: Sequence[Host], timeout: float = 60) -> None:
    """Wait until every host accepts ssh."""
    waiting = list(hosts)
    end = time.monotonic() + timeout
    while waiting:
        waiting = [host for host in waiting if not host.ready()]
        if waiting and time.monotonic() > end:
            raise LabError(f"host {waiting[0].name} does not accept ssh after {timeout:.0f} s")
        time.sleep(0.02)


def _populated(group: Path) -> bool:
    return "populated 1" in (group / "cgroup.events").read_text()


def _inner_pid(pid: int) -> int:
    """A process's id in its own, innermost, process namespace."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("NSpid:"):
            return int(line.split()[-1])
    return pid


def _script(unit: Unit) -> str:
    """A shell script that becomes the unit's program."""
    lines = ["#!/bin/bash"]
    lines += [f"export {key}={shlex.quote(value)}" for key, value in unit.environment.items()]
    if unit.environment_file:
        lines.append(f"set -a; . {shlex.quote(unit.environment_file)}; set +a")
    lines += [f"exec {shlex.join(unit.argv)}", ""]
    return "\n".join(lines)
