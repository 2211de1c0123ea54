# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab as a whole: bringing it up, finding it again, taking it down."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from lab import brokers, hosts, inventory, network, plan, services, shell, software
from lab.aws.broker import Settings
from lab.aws.pair import Pair
from lab.brokers import Broker, User
from lab.hosts import Host, NamespaceHost, ProcessHost, Unit
from lab.pki import STORE_PASSWORD, Authority
from lab.plan import Placement, Plan
from lab.shell import LabError

Mode = Literal["namespaces", "processes"]
#: A JVM takes about 130 MB, and there is one for each broker and each Java service.
_NEEDED_MEMORY, _NEEDED_DISK = 2 * 1024**3, 2 * 1024**3
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Record:
    """What is written down about a running lab (lab.json)."""

    plan: str
    mode: Mode
    reason: str
    source_software: str
    target_software: str
    started: float
    #: The process that brought it up.
    owner: int = 0
    #: Whether all of it came up.
    complete: bool = True


class Lab:
    """A lab in a folder. The folder's path decides its id, and its id all its names and addresses."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.id = hashlib.sha256(str(self.folder).encode()).hexdigest()[:6]
        self.shared = self.folder / "shared"
        self.ledger = self.shared / "ledger"
        self.produce = self.shared / "produce"
        self.pki = self.shared / "pki"
        self.ssh = self.folder / "ssh"
        #: Faults of the AWS API, and the record of its calls.
        self.aws_faults = self.folder / "aws-faults.json"
        self.aws_calls = self.folder / "aws-calls.jsonl"
        self.sockets = Path(f"{shell.RUN_FOLDER}{self.id}")

    @cached_property
    def record(self) -> Record:
        """What runs here. Raises LabError when nothing does."""
        self.require()
        path = self.folder / "lab.json"
        try:
            return Record(**json.loads(path.read_text()))
        except (ValueError, TypeError) as error:
            raise LabError(f"{path} is damaged; take the lab down with 'make lab-down'") from error

    def require(self) -> None:
        """Raise LabError when no lab is up here."""
        if not self.running:
            raise LabError(f"no lab is up in {self.folder}; bring one up with 'make lab-up'")

    @property
    def owner(self) -> int | None:
        """The process that brought the recorded lab up; None when the record tells nothing."""
        try:
            return self.record.owner
        except LabError:
            return None

    @property
    def running(self) -> bool:
        """Whether a lab was brought up here and not taken down."""
        return (self.folder / "lab.json").exists()

    @cached_property
    def plan(self) -> Plan:
        """The plan of the running lab."""
        return plan.named(self.record.plan)

    @cached_property
    def hosts(self) -> dict[str, Host]:
        """All hosts by name."""
        return self._hosts(self.plan, self.record.mode)

    def host(self, name: str) -> Host:
        """The host of that name. Raises LabError for an unknown one."""
        try:
            return self.hosts[name]
        except KeyError as error:
            raise LabError(f"there is no host {name}; there are {', '.join(self.hosts)}") from error

    @property
    def mode(self) -> Mode:
        """The kind of hosts, also before the lab is up."""
        if self.running:
            return self.record.mode
        return "namespaces" if network.switch_name(self.id) in network.list_namespaces() else "processes"

    @property
    def endpoints(self) -> inventory.Endpoints:
        """Where the brokers and the AWS API are."""
        return inventory.Endpoints.of(
            source=self.name_of(plan.SOURCE),
            targets=[self.name_of(name) for name in plan.TARGETS],
        )

    @property
    def aws_url(self) -> str:
        """Where the AWS API is."""
        return f"https://{self.address(plan.CONTROLLER_NUMBER)}:{plan.AWS_PORT}"

    def healthy(self) -> bool:
        """Whether a whole lab is up here and every host of it answers."""
        try:
            return self.record.complete and all(host.state() == "up" for host in self.hosts.values())
        except (LabError, OSError):
            return False

    # -- addresses and names ------------------------------------------------------------------------------------------

    def address(self, number: int, mode: Mode | None = None) -> str:
        """The address with this number in the lab's plan."""
        if (mode or self.mode) == "namespaces":
            return f"{network.SUBNET}.{number}"
        # A block of loopback addresses of its own for each lab.
        return f"127.{64 + int(self.id[:2], 16) % 128}.{int(self.id[2:4], 16)}.{number}"

    def name_of(self, host: str) -> str:
        """How clients call a broker's host: by name, or by address where names cannot be given."""
        if self.record.mode == "processes":
            return self.hosts[host].address
        return self._names(host)[0]

    @staticmethod
    def _names(host: str) -> list[str]:
        if host in plan.TARGETS:
            return [plan.instance_name(plan.TARGETS.index(host) + 1), host]
        return [f"{host}.lab", host]

    def names(self, chosen: Plan) -> dict[str, list[str]]:
        """Address -> names, as every /etc/hosts of the lab has them."""
        table = {self.address(number, "namespaces"): self._names(host) for host, number in chosen.numbers.items()}
        return {network.CONTROLLER: ["controller.lab", "aws.lab"], **table}

    # -- running things -----------------------------------------------------------------------------------------------

    def controller(self) -> list[str]:
        """What to put before a command so that it runs where the controller is."""
        namespace = self.controller_namespace
        return ["ip", "netns", "exec", namespace] if namespace else []

    @property
    def controller_namespace(self) -> str | None:
        """The network namespace where the controller is; None for the machine's own."""
        if self.running and self.record.mode == "processes":
            return None
        switch = network.switch_name(self.id)
        return switch if switch in network.list_namespaces() else None

    def prepare_controller(self) -> None:
        """Make the place where the controller is, for a command that brings the lab up itself."""
        self._claim()
        if hosts.namespaces_permitted(self.folder, self.id) is None:
            network.ensure_switch(self.id, {})

    def environment(self) -> dict[str, str]:
        """The environment of the controller: Ansible's settings and AWS's."""
        tools = Path(sys.executable).parent
        return {
            shell.MARK: self.id,
            "PATH": f"{tools}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT / "tests"),
            "MQLIFT_ROOT": str(ROOT),
            "MQLIFT_PYTHON": sys.executable,
            "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"),
            "ANSIBLE_LOCAL_TEMP": str(self.folder / "tmp"),
            "NO_PROXY": "*",
            "no_proxy": "*",
            "AWS_ACCESS_KEY_ID": plan.ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": plan.SECRET_KEY,
            "AWS_DEFAULT_REGION": plan.REGION,
            "AWS_CA_BUNDLE": str(self.pki / "ca.pem"),
            "AWS_URL": self.aws_url,
            "AWS_ENDPOINT_URL": self.aws_url,
        }

    def active_target(self) -> str | None:
        """The host of the target's active instance."""
        return next((name for name in plan.TARGETS if self.accepts(name, plan.OPENWIRE_TLS)), None)

    def accepts(self, host: str, port: int) -> bool:
        """Whether a host accepts connections, seen from the controller."""
        return self.knock(self.hosts[host].address, port) == "accepts"

    def knock(self, address: str, port: int) -> network.Knock:
        """What a connection to an address meets, seen from the controller."""
        return network.knock(self.controller_namespace, address, port)

    # -- up -----------------------------------------------------------------------------------------------------------

    def up(
        self,
        chosen: Plan,
        *,
        mode: Mode | Literal["auto"] = "auto",
        choice: software.Choice = "auto",
        metrics_interval: float = 60,
        say: Callable[[str], None] = print,
    ) -> None:
        """Bring the lab up. A lab that a killed run left behind is removed first.

        *metrics_interval* is how many seconds the target's datapoints of CloudWatch are apart.
        """
        started = time.monotonic()
        check_machine(self.folder)
        self.down(keep_controller=True)
        self._claim()
        for path in (self.folder / "aws.log", self.folder / "delay.log", self.aws_calls):
            path.unlink(missing_ok=True)
        found, fallback = software.find(choice)
        if fallback:
            say(f"lab: Apache's distributions cannot be had, Debian's package is used ({fallback})")
        reason = "" if mode == "processes" else hosts.namespaces_permitted(self.folder, self.id)
        if mode == "namespaces" and reason:
            raise LabError(f"namespace hosts cannot be made here: {reason}")
        kind: Mode = "namespaces" if reason is None else "processes"
        if kind == "processes":
            network.remove(self.id)
            self._check_ports(chosen)
        else:
            hosts.check_inotify(len(chosen.numbers))
        if reason:
            say(f"lab: namespaces are not permitted here, hosts are plain processes on loopback ({reason})")
        record = Record(
            plan=chosen.name,
            mode=kind,
            reason=reason or "",
            source_software=found["source"].describe(),
            target_software=found["target"].describe(),
            started=time.time(),
            owner=os.getpid(),
            complete=False,
        )
        self._write_record(record)
        say(f"lab: source {record.source_software}, target {record.target_software}, {kind}")
        self._prepare(chosen, found)
        for host in self.hosts.values():
            host.launch()
        hosts.wait_until_ready([self.hosts[name] for name in (plan.SOURCE, *plan.TARGETS)])
        self.hosts[plan.SOURCE].unit("start", brokers.UNIT)
        self._start_aws(metrics_interval)
        hosts.wait_until_ready(list(self.hosts.values()))
        for name in (plan.SOURCE, plan.TARGETS[0]):  # the first instance is the active one, see aws.Pair.up()
            for port in plan.ports(name, found["target"].schemes):
                self._wait_broker(name, port)
        self._write_record(replace(record, complete=True))
        say(f"lab: up after {time.monotonic() - started:.1f} s, {len(self.hosts)} hosts")

    def _prepare(self, chosen: Plan, found: Mapping[str, software.Software]) -> None:
        # Keys and passwords are in them.
        for folder in (self.ssh, self.shared, self.folder / "hosts", self.folder / "tmp"):
            folder.mkdir(mode=0o700)
        self.ledger.mkdir()
        if self.record.mode == "namespaces":
            network.ensure_switch(self.id, self.names(chosen))
            network.plug(
                self.id,
                {host.namespace: host.address for host in self.hosts.values() if isinstance(host, NamespaceHost)},
            )
        self._keys()
        authority = Authority.create(self.pki)
        authority.issue("aws", ["aws.lab", self.address(plan.CONTROLLER_NUMBER)])
        for name in (plan.SOURCE, *plan.TARGETS):
            authority.issue(name, [self._names(name)[0], self.hosts[name].address])
        for name, host in self.hosts.items():
            self._seed(name, host)
        self.hosts[plan.SOURCE].install(self._source(found["source"]).render())
        for name in plan.TARGETS:  # users and configuration come with the creation through the API
            self.hosts[name].install(self._instance(name, found["target"], Settings({}, "")).render())
        jars = services.client_jars(found["target"].home)
        classes = services.compile_java(jars, software.cache_folder())
        jars = [*jars, found["target"].logging]
        for placement in chosen.services:
            self._place(placement, classes, jars)
        inventory.write(self, ROOT)

    def _hosts(self, chosen: Plan, mode: Mode) -> dict[str, Host]:
        table: dict[str, Host] = {}
        # What services run from: this tree, Python, the brokers' software.
        needed = [ROOT, Path(sys.base_prefix), Path(sys.prefix), software.cache_folder()]
        readable = [folder for folder in needed if not hosts.sees(folder)]
        for name, number in chosen.numbers.items():
            folder, address = self.folder / "hosts" / name, self.address(number, mode)
            if mode == "namespaces":
                table[name] = NamespaceHost(
                    name, address, folder, lab_id=self.id, shared=self.shared, readable=readable
                )
            else:
                table[name] = ProcessHost(name, address, folder, lab_id=self.id)
        return table

    def _keys(self) -> None:
        for name in ("id", "hostkey"):
            shell.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "mqlift-lab", "-f", self.ssh / name])
        public = " ".join((self.ssh / "hostkey.pub").read_text().split()[:2])
        addresses = [
            f"[{host.address}]:{host.ssh_port}" if host.ssh_port != 22 else host.address for host in self.hosts.values()
        ]
        shell.write(self.ssh / "known_hosts", f"{','.join(addresses)} {public}\n")

    def _seed(self, name: str, host: Host) -> None:
        host.seed("/etc/mqlab/hostkey", (self.ssh / "hostkey").read_text(), 0o600)
        host.seed("/etc/mqlab/authorized_keys", (self.ssh / "id.pub").read_text(), 0o600)
        host.seed(
            "/etc/mqlab/sshd_config",
            f"ListenAddress {host.address}\nPort {host.ssh_port}\nHostKey {host.inside('/etc/mqlab/hostkey')}\n"
            f"AuthorizedKeysFile {host.inside('/etc/mqlab/authorized_keys')}\nStrictModes no\nUsePAM no\n"
            "UseDNS no\n"
            "PermitRootLogin prohibit-password\nPasswordAuthentication no\nSubsystem sftp internal-sftp\n"
            "PidFile none\n",
        )
        if isinstance(host, NamespaceHost):
            host.seed("/etc/hostname", f"{name}\n")
            host.seed("/etc/hosts", network.hosts_file(self.names(self.plan)))
            host.seed("/etc/resolv.conf", "")
            host.seed("/etc/fstab", "")
            # What the machine's root has in it would run before every command of Ansible.
            host.seed(f"{Path('~root').expanduser()}/.bashrc", "")
            # Amazon MQ's certificates chain to a public authority that hosts trust already; so does the lab's.
            host.seed("/etc/mqlab/ca.pem", (self.pki / "ca.pem").read_text())
        host.seed("/etc/machine-id", hashlib.md5(f"{self.id}{name}".encode(), usedforsecurity=False).hexdigest() + "\n")

    def instances(self) -> Pair:
        """The target's two instances, as what runs a broker of the AWS API."""
        found = software.described(self.record.target_software)

        def configure(index: int, settings: Settings) -> None:
            """Lay down what an instance is to run with. Its unit stays."""
            self._instance(plan.TARGETS[index], found, settings).render()

        return Pair(
            [self.hosts[name] for name in plan.TARGETS],
            [self.name_of(name) for name in plan.TARGETS],
            [self._broker_folder(name) / "data/activemq.log" for name in plan.TARGETS],
            configure,
            listeners={scheme: port for scheme, port in plan.LISTENERS.items() if scheme in found.schemes},
        )

    def _instance(self, name: str, found: software.Software, settings: Settings) -> Broker:
        """An instance of the target with these settings."""
        users: list[User] = []
        consoles: list[User] = []
        for login_name, login in settings.users.items():
            # Amazon MQ developer guide, "ActiveMQ users": who may use the console is in this group.
            groups = [*login.groups, *(["activemq-webconsole"] if login.console else [])]
            users.append({"name": login_name, "password": login.password, "groups": groups})
            if login.console:
                consoles.append(users[-1])
        return Broker(
            name,
            self.hosts[name].address,
            found,
            self._broker_folder(name),
            None,
            self.pki / f"{name}.p12",
            users,
            self.shared / "brokers" / "store",
            consoles,
            settings.configuration,
        )

    def _broker_folder(self, name: str) -> Path:
        return self.shared / "brokers" / name

    def _source(self, found: software.Software) -> Broker:
        name = plan.SOURCE
        old: User = {"name": plan.OLD_USER, "password": plan.OLD_PASSWORD}
        app: User = {"name": plan.APP_USER, "password": plan.APP_PASSWORD}
        user: User = {"name": plan.SOURCE_CONSOLE_USER, "password": plan.SOURCE_CONSOLE_PASSWORD}
        return Broker(
            "onprem",
            self.hosts[name].address,
            found,
            self._broker_folder(name),
            user,
            self.pki / f"{name}.p12",
            (old, app) if self.plan.guarded else (),
        )

    def _place(self, placement: Placement, classes: Path, jars: Sequence[Path]) -> None:
        """Lay down a service: its settings for the source and its unit."""
        host = self.hosts[placement.host]
        host.seed(placement.settings_path, inventory.first_settings(placement, self.endpoints, self.plan), 0o640)
        settings = host.inside(placement.settings_path)
        java = placement.language == "java"
        spec = placement.spec(
            config="env" if placement.format == "env" else settings,
            ledger=self.ledger / f"{placement.host}.{placement.name}.jsonl",
            control=self.produce,
            trust=self.pki / ("trust.p12" if java else "ca.pem"),
            trust_password=STORE_PASSWORD,
        )
        argv = (
            services.java_command(spec, classes, jars, java="/usr/bin/java")
            if java
            else services.python_command(spec, sys.executable)
        )
        environment = settings if placement.format == "env" else None
        log = host.log_file(placement.name)
        host.install(Unit(placement.name, argv, environment_file=environment, manager=placement.manager, log=log))

    def command(self) -> list[str]:
        """This lab's command line, for programs that call it."""
        return ["env", f"PYTHONPATH={ROOT / 'tests'}", sys.executable, "-m", "lab", "--folder", str(self.folder)]

    def _start_aws(self, metrics_interval: float) -> None:
        """Start the AWS API and create the target through it."""
        enter = ["nsenter", f"--net=/run/netns/{network.switch_name(self.id)}"]
        prefix = enter if self.record.mode == "namespaces" else []
        shell.spawn(
            [*prefix, *self.command(), "serve-aws", "--metrics-interval", f"{metrics_interval:g}"],
            mark=self.id,
            log=self.folder / "aws.log",
            env={"AWS_CA_BUNDLE": str(self.pki / "ca.pem")},
        )
        address = self.address(plan.CONTROLLER_NUMBER)
        shell.wait_for(lambda: self.knock(address, plan.AWS_PORT) == "accepts", 30, "the start of the AWS API")
        from lab import client  # boto3 takes a moment to import

        client.create(self)

    def start_services(self) -> None:
        """Start every service of the fleet."""
        for placement in self.plan.services:
            self.hosts[placement.host].unit("start", placement.name)

    def _wait_broker(self, host: str, port: int) -> None:
        shell.wait_for(lambda: self.accepts(host, port), 60, f"the start of the broker on {host}, port {port},")

    def _write_record(self, record: Record) -> None:
        fresh = self.folder / "lab.json.new"
        shell.write(fresh, json.dumps(asdict(record), indent=1) + "\n")
        fresh.rename(self.folder / "lab.json")
        self.__dict__.pop("record", None)

    def _claim(self) -> None:
        """Take the lab's id. Raises LabError when a lab in another folder has the same one."""
        path = self.sockets / "folder"
        if path.exists() and path.read_text() != str(self.folder):
            raise LabError(f"the lab in {path.read_text()} happens to have this lab's id {self.id}; use another folder")
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        shell.write(path, str(self.folder))

    def _check_ports(self, chosen: Plan) -> None:
        """Raise LabError when another program has a port that the hosts need on loopback."""
        wanted = {self.address(plan.CONTROLLER_NUMBER, "processes"): [plan.AWS_PORT]}
        for name, number in chosen.numbers.items():
            wanted[self.address(number, "processes")] = [ProcessHost.ssh_port, *plan.ports(name)]
        for address, ports in wanted.items():
            port = network.busy(address, ports)
            if port is not None:
                raise LabError(f"port {port} of {address} is taken by another program; stop it or use another --folder")

    # -- down ---------------------------------------------------------------------------------------------------------

    def down(self, *, keep_controller: bool = False) -> None:
        """Remove everything of this lab, also what a killed run left. The downloads' cache stays.

        *keep_controller* leaves the namespace that commands under exec are in.
        """
        self._claim()
        hosts.end_all(self.folder / "hosts", self.id)
        shell.end_marked(self.id)
        hosts.end_all(self.folder / "hosts", self.id)  # what those made meanwhile
        network.remove(self.id, keep_switch=keep_controller)
        for name in (
            "hosts",
            "shared",
            "ssh",
            "tmp",
            "probe",
            "lab.json",
            "lab.json.new",
            "inventory.yml",
            "ansible.cfg",
            self.aws_faults.name,
            self.aws_faults.with_suffix(".lock").name,
        ):
            path = self.folder / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        shutil.rmtree(self.sockets)
        for name in ("record", "plan", "hosts"):
            self.__dict__.pop(name, None)


@contextlib.contextmanager
def exclusive(lab: Lab, *, patience: float = 0) -> Iterator[None]:
    """Hold the lab's lock. Raises LabError when another process has it for *patience* seconds."""
    lab.folder.mkdir(parents=True, exist_ok=True)
    with (lab.folder / "lock").open("w") as stream:
        end = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= end:
                    raise LabError(f"another run is using the lab in {lab.folder}; let it end or stop it") from error
            time.sleep(0.05)
        yield


def check_machine(folder: Path) -> None:
    """Raise LabError when this machine cannot hold a lab."""
    meminfo = Path("/proc/meminfo").read_text().splitlines()
    memory = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in meminfo}
    if memory["MemAvailable"] < _NEEDED_MEMORY:
        raise LabError(f"the lab needs 2 GiB of free memory, there are {memory['MemAvailable'] / 1024**3:.1f}")
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < _NEEDED_DISK:
        raise LabError(f"the lab needs 2 GiB of free disk at {existing}, there are {free / 1024**3:.1f}")
