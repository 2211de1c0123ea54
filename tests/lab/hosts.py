# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts reached by ssh, of two kinds.

A *namespace host* has its own network, copy-on-write file system and process tree with a real systemd on top. A
*process host*, for machines where namespaces are not permitted, is a folder and a loopback address: its services are
plain processes, and it has an sshd of its own.
"""

from __future__ import annotations

import ctypes
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal, Protocol

from lab import network, shell
from lab.plan import Manager
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
_UNITS = "/etc/systemd/system"
#: systemd holds four, its D-Bus daemon one.
_INOTIFY_PER_HOST = 5

#: supervisord, and its settings as a host has them.
SUPERVISOR = Path(sys.executable).with_name("supervisord")
SUPERVISOR_CONFIG = "/etc/supervisor/supervisord.conf"
_SUPERVISED = "/etc/supervisor/conf.d"
_SUPERVISOR_SETTINGS = f"""[supervisord]
user=root
logfile=/var/log/supervisord.log
pidfile=/run/supervisord.pid
[unix_http_server]
file=/run/supervisor.sock
[supervisorctl]
serverurl=unix:///run/supervisor.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[include]
files = {_SUPERVISED}/*.conf
"""


@dataclass(frozen=True)
class Unit:
    """A long-running program of a host."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    environment_file: str | None = None
    stop_timeout: int = 10
    #: Who runs it on a namespace host; a command calls systemctl.
    manager: Manager = "systemd"
    #: The file of a namespace host that gets what it prints; supervisord has one of its own, a process host too.
    log: str | None = None

    def init_script(self) -> str:
        """The text of its init script. Where systemd runs, the functions that it reads hand over to systemctl."""
        program, *arguments = self.argv
        daemon = f"start-stop-daemon --pidfile /run/{self.name}.pid"
        output = f" --output {shlex.quote(self.log)}" if self.log else ""
        start = (
            f"{daemon} --start --background --make-pidfile --oknodo{output}"
            f" --startas {shlex.join([program, '--', *arguments])}"
        )
        environment = [f"export {key}={shlex.quote(value)}" for key, value in self.environment.items()]
        if self.environment_file:
            environment.append(f"set -a; . {shlex.quote(self.environment_file)}; set +a")
        return "\n".join(
            [
                "#!/bin/sh",
                "### BEGIN INIT INFO",
                f"# Provides: {self.name}",
                "# Required-Start:",
                "# Required-Stop:",
                "# Default-Start: 2 3 4 5",
                "# Default-Stop: 0 1 6",
                f"# Short-Description: {self.name}",
                "### END INIT INFO",
                ". /lib/lsb/init-functions",
                *environment,
                "case $1 in",
                f"start) {start} ;;",
                f"stop) {daemon} --stop --retry {self.stop_timeout} --oknodo --remove-pidfile ;;",
                f"status) {daemon} --status ;;",
                "*) exit 2 ;;",
                "esac",
                "",
            ]
        )

    def supervised(self) -> str:
        """The text of its section in supervisord's settings."""
        lines = [f"[program:{self.name}]", f"command={shlex.join(self.argv).replace('%', '%%')}"]
        # A program that crashes is started again and again, as systemd does by Restart=always.
        lines += ["autostart=false", "startsecs=1", "startretries=1000", f"stopwaitsecs={self.stop_timeout}"]
        lines += [f"stdout_logfile=/var/log/{self.name}.log", "redirect_stderr=true", ""]
        return "\n".join(lines)

    def systemd(self) -> str:
        """The text of its systemd unit."""
        lines = ["[Unit]", f"Description={self.name}", "", "[Service]", "Type=exec"]
        lines += [f"Environment={shlex.quote(f'{key}={value}')}" for key, value in self.environment.items()]
        if self.environment_file:
            lines.append(f"EnvironmentFile={self.environment_file}")
        if self.log:
            lines.append(f"StandardOutput=append:{self.log}")
        special = str.maketrans({"\\": "\\\\", '"': '\\"', "%": "%%", "$": "$$"})
        command = " ".join(f'"{word.translate(special)}"' for word in self.argv)
        # A JVM that ends on SIGTERM exits with 143.
        lines += [f"ExecStart={command}", "SuccessExitStatus=143", f"TimeoutStopSec={self.stop_timeout}", ""]
        return "\n".join(lines)


#: up: it accepts ssh; no ssh: it runs and does not answer; frozen; ended: its processes are gone.
HostState = Literal["up", "no ssh", "frozen", "ended"]


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
        """Whether it accepts ssh. Raises LabError when the host has ended."""

    def state(self) -> HostState:
        """How it is; answers within seconds, whatever was done to the host."""

    def log_file(self, name: str) -> str:
        """The file with what a service prints, as the host sees it."""

    def unit(self, action: str, name: str) -> None:
        """start, stop or restart a unit."""

    def unit_pid(self, name: str) -> int | None:
        """The process id of a unit as the machine sees it, None when it does not run."""

    def execute(
        self, argv: Sequence[str], *, check: bool = True, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside the host. Raises LabError when the host is frozen or has ended."""

    def freeze(self, frozen: bool) -> None:
        """Stop or resume every process of the host at once."""


class NamespaceHost:
    """A host made of namespaces; see boot.sh."""

    ssh_port = 22

    def __init__(
        self, name: str, address: str, folder: Path, *, lab_id: str, shared: Path, readable: Sequence[Path] = ()
    ) -> None:
        self.name, self.address, self.folder = name, address, folder
        self.namespace = f"{network.switch_name(lab_id)}-{name}"
        self._mark, self._mounts = lab_id, [shared, *readable]
        self._pid_file = folder / "launcher.pid"

    def inside(self, path: str) -> str:
        return path

    def seed(self, path: str, text: str, mode: int = 0o644) -> None:
        shell.write(self._seeded(path), text, mode)

    def install(self, unit: Unit) -> None:
        if unit.manager == "sysvinit":
            self.seed(f"/etc/init.d/{unit.name}", unit.init_script(), 0o755)
        elif unit.manager == "supervisor":
            self.seed(f"{_SUPERVISED}/{unit.name}.conf", unit.supervised())
        else:
            self.seed(f"{_UNITS}/{unit.name}.service", unit.systemd())

    def launch(self) -> None:
        self.seed(f"{_UNITS}/lab.target", "[Unit]\nRequires=basic.target dbus.service\nAfter=basic.target\n")
        sshd = "[Service]\nExecStart=/usr/sbin/sshd -D -f /etc/mqlab/sshd_config\nRuntimeDirectory=sshd\n"
        self.seed(f"{_UNITS}/labssh.service", sshd)
        links = self._seeded(_UNITS)
        (links / "lab.target.wants").mkdir()
        wanted = ["labssh"]
        if self._seeded(_SUPERVISED).is_dir():
            self.seed(SUPERVISOR_CONFIG, _SUPERVISOR_SETTINGS)
            self.install(Unit("supervisord", [str(SUPERVISOR), "-n", "-c", SUPERVISOR_CONFIG]))
            wanted.append("supervisord")
        for name in wanted:
            (links / f"lab.target.wants/{name}.service").symlink_to(f"../{name}.service")
        (links / "default.target").symlink_to("lab.target")
        for name in MASKED:
            (links / name).symlink_to("/dev/null")
        group = self._cgroup()
        group.mkdir(exist_ok=True)
        boot = shlex.join(["bash", str(BOOT), self.name, str(self.folder), *map(str, self._mounts)])
        enter = f"nsenter --net=/run/netns/{self.namespace}"
        spaces = "unshare --uts --mount --pid --fork --ipc --cgroup --kill-child"
        process = shell.spawn(
            ["bash", "-c", f"echo $$ > {group}/cgroup.procs && exec {enter} {spaces} {boot}"],
            mark=self._mark,
            log=self.folder / "boot.log",
        )
        self._pid_file.write_text(str(process.pid))

    def log_file(self, name: str) -> str:
        return f"/var/log/{name}.log"

    def ready(self) -> bool:
        if not shell.alive(self._launcher()):
            lines = (self.folder / "boot.log").read_text(errors="replace").strip().splitlines()
            raise LabError(f"host {self.name} did not start: {lines[-1] if lines else 'no message'}")
        return self._answers()

    def state(self) -> HostState:
        if not shell.alive(self._launcher()):
            return "ended"
        if self._frozen():
            return "frozen"
        return "up" if self._answers() else "no ssh"

    def unit(self, action: str, name: str) -> None:
        if self._supervised(name):
            control = [str(SUPERVISOR.with_name("supervisorctl")), "-c", SUPERVISOR_CONFIG]
            self.execute([*control, action, name])
            return
        if action == "start" and self.unit_pid(name) is None and self._seeded(f"{_UNITS}/{name}.service").exists():
            # Until systemd has noticed the end of the one before, it takes a start as done.
            shell.wait_for(lambda: not self._active(name), 10, f"the end of {name} on {self.name}")
        self.execute(["systemctl", action, name])

    def _active(self, name: str) -> bool:
        return self.execute(["systemctl", "is-active", "--quiet", name], check=False).returncode == 0

    def unit_pid(self, name: str) -> int | None:
        # Our units are one process each. The control group answers even when the host's systemd is frozen.
        if self._supervised(name):
            mark = f"SUPERVISOR_PROCESS_NAME={name}".encode()
            return next((pid for pid in self._processes("supervisord") if mark in shell.environment(pid)), None)
        return next(iter(self._processes(name)), None)

    def _processes(self, unit: str) -> list[int]:
        group = self._cgroup().joinpath("system.slice", f"{unit}.service", "cgroup.procs")
        try:
            return [int(word) for word in group.read_text().split()]
        except OSError:
            return []

    def _seeded(self, path: str) -> Path:
        return self.folder / "seed" / path.lstrip("/")

    def _supervised(self, name: str) -> bool:
        return self._seeded(f"{_SUPERVISED}/{name}.conf").exists()

    def execute(
        self, argv: Sequence[str], *, check: bool = True, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        init = shell.children(self._launcher())  # the host's process 1 as the machine sees it
        if not init:
            raise LabError(f"host {self.name} does not run")
        if self._frozen():
            raise LabError(f"host {self.name} is frozen; thaw it first")
        return shell.run(["nsenter", "-t", str(init[0]), "-a", "--", *argv], check=check, timeout=timeout)

    def freeze(self, frozen: bool) -> None:
        if not self._cgroup().is_dir():
            raise LabError(f"host {self.name} does not run")
        (self._cgroup() / "cgroup.freeze").write_text("1" if frozen else "0")

    def _answers(self) -> bool:
        # From the bridge's side, so that a cut cable shows.
        return network.ssh_answers(network.switch_name(self._mark), self.address, self.ssh_port)

    def _frozen(self) -> bool:
        try:
            return "frozen 1" in (self._cgroup() / "cgroup.events").read_text()
        except OSError:
            return False

    def _launcher(self) -> int:
        return int(self._pid_file.read_text())

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
        shell.write(self._units / f"{unit.name}.sh", _script(unit, self.pid_file(unit.name)), 0o755)

    def launch(self) -> None:
        Path("/run/sshd").mkdir(exist_ok=True)
        config = self.inside("/etc/mqlab/sshd_config")
        self.install(Unit("sshd", ["/usr/sbin/sshd", "-D", "-f", config]))
        self.unit("start", "sshd")

    def ready(self) -> bool:
        if self.unit_pid("sshd") is None:
            lines = (self._units / "sshd.log").read_text(errors="replace").strip().splitlines()
            raise LabError(f"host {self.name} did not start: {lines[-1] if lines else 'sshd ended'}")
        return network.ssh_answers(None, self.address, self.ssh_port)

    def state(self) -> HostState:
        if self.unit_pid("sshd") is None:
            return "ended"
        if self._frozen():
            return "frozen"
        return "up" if network.ssh_answers(None, self.address, self.ssh_port) else "no ssh"

    def log_file(self, name: str) -> str:
        return str(self._units / f"{name}.log")

    def pid_file(self, name: str) -> Path:
        """Where the process id of a unit is."""
        return self._units / f"{name}.pid"

    def unit(self, action: str, name: str) -> None:
        script = self._units / f"{name}.sh"
        if not script.exists():
            raise LabError(f"host {self.name} has no unit {name}")
        if self._frozen():
            raise LabError(f"host {self.name} is frozen; thaw it first")
        pid = self.unit_pid(name)
        if action in {"stop", "restart"} and pid is not None:
            shell.end([pid], grace=10)
            pid = None
        if action in {"start", "restart"} and pid is None:
            process = shell.spawn([script], mark=self._mark, log=Path(self.log_file(name)))
            # The script writes its id down and becomes the program.
            shell.wait_for(
                lambda: self.unit_pid(name) == process.pid or process.poll() is not None, 10, f"the start of {name}"
            )

    def unit_pid(self, name: str) -> int | None:
        return _unit_pid(self.pid_file(name))

    def execute(
        self, argv: Sequence[str], *, check: bool = True, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        return shell.run(argv, check=check, timeout=timeout)  # there are no namespaces to enter

    def _frozen(self) -> bool:
        sshd = self.unit_pid("sshd")
        return sshd is not None and shell.state(sshd) == "T"

    def freeze(self, frozen: bool) -> None:
        for pid in _unit_pids(self._units):
            shell.signal_process(pid, signal.SIGSTOP if frozen else signal.SIGCONT)


def sees(folder: Path) -> bool:
    """Whether a namespace host sees a folder of the machine by itself: on the root file system, not under /tmp."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder.stat().st_dev == Path("/").stat().st_dev and Path("/tmp") not in folder.parents


def cgroup_root() -> Path:
    """Where this machine has its version 2 control groups. Raises LabError where it has none."""
    for candidate in (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified")):
        if (candidate / "cgroup.controllers").exists():
            return candidate
    raise LabError("this machine has no version 2 control groups")


def end_all(folder: Path, lab_id: str) -> None:
    """End every process of all hosts of a lab, of either kind, whatever is written down about it.

    *folder* is where its hosts have their folders.
    """
    pids = [pid for units in folder.glob("*/units") for pid in _unit_pids(units)]
    for pid in pids:
        shell.signal_process(pid, signal.SIGCONT)
    # An sshd's sessions outlive it.
    shell.end([*pids, *(child for pid in pids for child in shell.children(pid))], grace=0.2)
    try:
        groups = sorted(cgroup_root().glob(f"{network.switch_name(lab_id)}-*"))
    except LabError:
        return  # without control groups there are no namespace hosts
    for group in groups:
        _kill(group)
    for group in groups:
        shell.wait_for(partial(_kill, group), 10, f"the end of host {group.name}", interval=0.01)
        # systemd made child groups; a group goes only after its children.
        for child in sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True):
            child.rmdir()
        group.rmdir()


def namespaces_permitted(folder: Path, lab_id: str) -> str | None:
    """None when namespace hosts can be made here, else the reason why not."""
    try:
        root = cgroup_root()
        if not Path("/lib/systemd/systemd").exists():
            return "systemd is not installed"
        probe = root / f"{network.switch_name(lab_id)}-probe"
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


def check_inotify(hosts: int) -> None:
    """Raise LabError when too few inotify instances are left on this machine: without them systemd does not start."""
    libc = ctypes.CDLL(None, use_errno=True)
    needed = _INOTIFY_PER_HOST * hosts
    opened: list[int] = []
    try:
        for _number in range(needed):
            descriptor = libc.inotify_init1(os.O_CLOEXEC)
            if descriptor < 0:
                reason = os.strerror(ctypes.get_errno())
                raise LabError(
                    f"{hosts} hosts need {needed} inotify instances, {len(opened)} are left ({reason});"
                    " end what uses them, such as another lab, or raise the sysctl fs.inotify.max_user_instances"
                )
            opened.append(descriptor)
    finally:
        for descriptor in opened:
            os.close(descriptor)


def wait_until_ready(hosts: Sequence[Host], timeout: float = 60) -> None:
    """Wait until every host accepts ssh."""
    waiting = list(hosts)
    end = time.monotonic() + timeout
    while waiting:
        waiting = [host for host in waiting if not host.ready()]
        if waiting and time.monotonic() > end:
            raise LabError(f"host {waiting[0].name} does not accept ssh after {timeout:.0f} s")
        time.sleep(0.02)


def _kill(group: Path) -> bool:
    """Kill the processes of a control group, also one that has just joined it; returns whether it is empty."""
    (group / "cgroup.freeze").write_text("0")
    (group / "cgroup.kill").write_text("1")
    return "populated 0" in (group / "cgroup.events").read_text()


def _unit_pid(pid_file: Path) -> int | None:
    """The process that wrote this file, when it is still there.

    The mark in its environment would not tell: sshd writes its title over it.
    """
    try:
        pid, born = int(pid_file.read_text()), pid_file.with_suffix(".birth").read_text().strip()
    except (OSError, ValueError):
        return None
    return pid if shell.alive(pid) and shell.birth(pid) == born else None


def _unit_pids(units: Path) -> list[int]:
    return [pid for path in units.glob("*.pid") if (pid := _unit_pid(path)) is not None]


def _script(unit: Unit, pid_file: Path) -> str:
    """A shell script that writes down its process id and birth, and becomes the unit's program."""
    births = shlex.quote(str(pid_file.with_suffix(".birth")))
    lines = ["#!/bin/bash", "read -ra stat </proc/$$/stat"]
    lines += [f"echo ${{stat[21]}} >{births}", f"echo $$ >{shlex.quote(str(pid_file))}"]
    lines += [f"export {key}={shlex.quote(value)}" for key, value in unit.environment.items()]
    if unit.environment_file:
        lines.append(f"set -a; . {shlex.quote(unit.environment_file)}; set +a")
    lines += [f"exec {shlex.join(unit.argv)}", ""]
    return "\n".join(lines)
