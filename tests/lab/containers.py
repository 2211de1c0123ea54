# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Docker on a host of the lab: a real dockerd with Compose, of the distribution's packages, without installing them."""

from __future__ import annotations

import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from lab import services, shell, software
from lab.hosts import Host
from lab.lab import ROOT, Lab
from lab.pki import STORE_PASSWORD
from lab.shell import LabError

#: Where the Compose project is on the host.
PROJECT = "/srv/shop"
#: A service of it that nothing has made yet, and that fails again and again once it is started.
FAILING, FAILING_COMMAND = "failing", "/usr/bin/false"
_SETTINGS = f"{PROJECT}/service.env"
#: The image has nothing in it: the containers see the machine's programs.
_IMAGE = "machine"
_ENGINE = ("docker.io", "containerd", "runc")
#: Ubuntu has Compose 2 among its own packages. Debian has it from this release on; its packages need nothing but a libc
#: that the release before has as well.
_RELEASE, _COMPOSE = "trixie", ("docker-cli", "docker-compose")
_COMPOSE_UBUNTU = ("docker-compose-v2",)
_KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
_PLUGIN = "usr/libexec/docker/cli-plugins/docker-compose"


def move(lab: Lab, host_name: str) -> str:
    """Stop the service of a host and let Docker Compose run it and another one; FAILING is there to be started.

    The service must be one in Python with its settings in the environment. Returns the path of its settings. Raises
    LabError when Docker cannot be had, or cannot run here.
    """
    if lab.record.mode != "namespaces":
        raise LabError("Docker needs hosts that are namespaces")
    docker = _software()
    host = lab.host(host_name)
    placement = next(item for item in lab.plan.services if item.host == host_name)
    host.unit("stop", placement.name)
    _start(host, docker)
    spec = placement.spec(
        config="env",
        ledger=lab.ledger / f"{placement.host}.{placement.name}.jsonl",
        control=lab.produce,
        trust=lab.pki / "ca.pem",
        trust_password=STORE_PASSWORD,
    )
    command = services.python_command(spec, sys.executable)
    base: dict[str, Any] = {"image": _IMAGE, "network_mode": "host", "volumes": _volumes(lab)}
    service = {**base, "command": command, "env_file": Path(_SETTINGS).name}
    run = {placement.name: service, "other": {**base, "command": ["/usr/bin/sleep", "infinity"]}}
    failing = {**base, "command": [FAILING_COMMAND], "restart": "always"}
    _write(host, f"{PROJECT}/compose.yaml", yaml.safe_dump({"services": {**run, FAILING: failing}}))
    host.execute(["cp", placement.settings_path, _SETTINGS])
    start(lab, host_name, *run)
    shell.wait_for(lambda: set(running(lab, host_name)) == set(run), 30, "the start of the containers")
    return _SETTINGS


def start(lab: Lab, host_name: str, *names: str) -> None:
    """Start services in containers of a host."""
    lab.host(host_name).execute(["docker", "compose", "--project-directory", PROJECT, "up", "--detach", *names])


def running(lab: Lab, host_name: str) -> dict[str, str]:
    """The services that run in containers of a host, and the ids of these."""
    return _containers(lab, host_name, "{{.ID}}")


def states(lab: Lab, host_name: str) -> dict[str, str]:
    """The services that have containers on a host, and the states of these, such as "running" or "exited"."""
    return _containers(lab, host_name, "{{.State}}", "--all")


def _containers(lab: Lab, host_name: str, what: str, *options: str) -> dict[str, str]:
    label = '{{.Label "com.docker.compose.service"}}'
    done = lab.host(host_name).execute(["docker", "ps", "--no-trunc", "--format", f"{label} {what}", *options])
    return dict(line.split() for line in done.stdout.splitlines())


def _start(host: Host, docker: Path) -> None:
    """Start dockerd on a host. It leaves the host's network and its packet filter alone."""
    folders = ("usr/bin", "usr/sbin")
    programs = [path for folder in folders for path in (docker / folder).glob("*")]
    host.execute(["ln", "-sf", "-t", "/usr/local/bin", *map(str, programs)])
    plugins = "/usr/local/lib/docker/cli-plugins"
    host.execute(["mkdir", "-p", plugins, PROJECT])
    host.execute(["ln", "-sf", "-t", plugins, str(docker / _PLUGIN)])
    options = ["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"]
    # On top of the host's own copy-on-write file system; and there is no systemd that knows all of its groups.
    options += ["--storage-driver=vfs", "--exec-opt=native.cgroupdriver=cgroupfs"]
    path = "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    host.execute(
        ["systemd-run", "--quiet", "--unit=docker", "--property=Delegate=yes", f"--setenv={path}", "dockerd", *options]
    )
    shell.wait_for(lambda: host.execute(["docker", "version"], check=False).returncode == 0, 60, "the start of dockerd")
    host.execute(["sh", "-c", f"mkdir /tmp/empty && tar -cC /tmp/empty . | docker import - {_IMAGE}"])


def _volumes(lab: Lab) -> list[str]:
    """What a container sees of its host: programs and libraries to read, the lab's shared folder to write."""
    system = [Path(name) for name in ("/usr", "/bin", "/lib", "/lib64") if Path(name).exists()]
    needed = [*system, ROOT, Path(sys.base_prefix), Path(sys.prefix)]
    return [f"{path}:{path}:ro" for path in dict.fromkeys(needed)] + [f"{lab.shared}:{lab.shared}"]


def _write(host: Host, path: str, text: str) -> None:
    host.execute([sys.executable, "-c", "import sys; open(sys.argv[1], 'w').write(sys.argv[2])", path, text])


def _software() -> Path:
    """The folder with Docker's files. Raises LabError when they cannot be had."""
    release = platform.freedesktop_os_release()
    home = software.cache_folder() / f"docker-{release['ID']}-{release.get('VERSION_CODENAME', '')}"
    if home.is_dir():
        return home
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="docker-", dir=home.parent) as folder:
        work = Path(folder)
        if release["ID"] == "ubuntu":
            archives = _download(work / "engine", (*_ENGINE, *_COMPOSE_UBUNTU), [])
        else:
            archives = _download(work / "engine", _ENGINE, [])
            archives += _download(work / "compose", _COMPOSE, _later_release(work))
        # What a killed run left half-way has another name.
        for archive in archives:
            shell.run(["dpkg-deb", "--extract", archive, work / "home"])
        if not (work / "home" / _PLUGIN).is_file():
            raise LabError(f"the packages of Docker have no {_PLUGIN}")
        (work / "home").chmod(0o755)
        (work / "home").rename(home)
    return home


def _download(folder: Path, packages: tuple[str, ...], options: list[str]) -> list[Path]:
    """Fetch packages into a new folder, without those that they need; the lab's systemd needs the same libraries."""
    folder.mkdir()
    quiet = {"DEBIAN_FRONTEND": "noninteractive", shell.MARK: ""}
    apt = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", *options]
    shell.run([*apt, "update"], env=quiet, timeout=300, check=bool(options))  # the machine's old lists may do
    shell.run(["env", "--chdir", folder, *apt, "download", *packages], env=quiet, timeout=300)
    return sorted(folder.glob("*.deb"))


def _later_release(work: Path) -> list[str]:
    """Options by which apt-get knows the later release, and nothing of the machine's own state changes."""
    done = shell.run(["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages", "Label: Debian"])
    if not done.stdout.strip():
        raise LabError("Docker Compose is taken from Debian's packages, and apt knows none of Debian's archives")
    site = done.stdout.splitlines()[0]
    sources = work / "sources.list"
    sources.write_text(f"deb [signed-by={_KEYS}] {site} {_RELEASE} main\n")
    (work / "lists/partial").mkdir(parents=True)
    (work / "cache/archives/partial").mkdir(parents=True)
    places = {"Dir::Etc::sourcelist": sources, "Dir::Etc::sourceparts": "-", "Dir::State::lists": work / "lists"}
    places["Dir::Cache"] = work / "cache"
    return [word for name, value in places.items() for word in ("-o", f"{name}={value}")]
