# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One broker of the API: its states, what is in force, and what waits for the reboot."""

from __future__ import annotations

import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from lab.aws.errors import bad_request, conflict, not_found
from lab.aws.rules import MAX_USERS, SPELLINGS
from lab.shell import LabError

Json = dict[str, Any]
Change = Literal["CREATE", "UPDATE", "DELETE"]

#: Scheme and port of an instance's endpoints, in the order of AWS (recorded: maintenance.json).
LISTENERS: Mapping[str, int] = {"ssl": 61617, "amqp+ssl": 5671, "stomp+ssl": 61614, "mqtt+ssl": 8883, "wss": 61619}
CONSOLE_PORT = 8162
#: What UpdateBroker only stages: "Adds a pending configuration change to a broker" (API model). That the maintenance
#: window, AutoMinorVersionUpgrade and security groups are not among them: hashicorp/terraform-provider-aws#36506,
#: #37797, #10442.
STAGED = (
    "AuthenticationStrategy",
    "EngineVersion",
    "HostInstanceType",
    "LdapServerMetadata",
    "StorageSize",
    "DataReplicationMode",
    "Configuration",
    "Logs",
)
AT_ONCE = ("AutoMinorVersionUpgrade", "MaintenanceWindowStartTime", "SecurityGroups")
#: "Adjusting the broker maintenance window" (developer guide): four times before the next window; recorded as well.
_MAX_WINDOW_CHANGES = 4


@dataclass(frozen=True)
class Delays:
    """How long things take on paper, in seconds. On AWS they take minutes."""

    #: CREATION_IN_PROGRESS. The real pair takes what it takes.
    creation: float = 1.0
    #: How long DescribeBroker still says RUNNING after a reboot was asked for: RebootBroker "returns an empty HTTP 200
    #: response" before anything has happened (API reference, Broker reboot; aws/aws-sdk#19 for a waiter that met it).
    reboot_lag: float = 0.3
    #: REBOOT_IN_PROGRESS. The real pair takes what it takes.
    reboot: float = 2.0
    #: DELETION_IN_PROGRESS, and then the broker is gone.
    deletion: float = 0.5
    sleep: Callable[[float], None] = time.sleep

    @classmethod
    def short(cls) -> Delays:
        """For tests: long enough to be seen by one who looks at once."""
        return cls(creation=0.1, reboot_lag=0.1, reboot=0.2, deletion=0.1)


@dataclass(frozen=True)
class Login:
    """What the broker knows of a user."""

    password: str
    console: bool = False
    groups: tuple[str, ...] = ()
    replication: bool = False


@dataclass
class User:
    """A user as the API knows it: what is in force, and what the next reboot makes of it."""

    name: str
    current: Login | None = None
    pending: Login | None = None
    change: Change | None = None

    @property
    def summary(self) -> Json:
        """For lists of users."""
        return {"Username": self.name, "PendingChange": self.change}

    def describe(self, broker_id: str) -> Json:
        """The answer of DescribeUser. A user that is not created yet has the properties that it will have."""
        known = self.current or self.pending
        assert known is not None
        pending: Json | None = None
        if self.change is not None:
            pending = {"PendingChange": self.change}
            if self.pending is not None:
                pending |= {"ConsoleAccess": self.pending.console, "Groups": list(self.pending.groups)}
        return {
            "BrokerId": broker_id,
            "Username": self.name,
            "ConsoleAccess": known.console,
            "Groups": list(known.groups),
            "ReplicationUser": known.replication or None,
            "Pending": pending,
        }


@dataclass(frozen=True)
class Settings:
    """What a broker runs with."""

    users: Mapping[str, Login]
    #: The XML of the revision in force.
    configuration: str


@dataclass(frozen=True)
class Instance:
    """An instance's name and address, and where it listens."""

    host: str
    address: str
    endpoints: Sequence[str]
    console: str

    def describe(self) -> Json:
        """As DescribeBroker does. The order of endpoints is not promised: here it is not the natural one."""
        return {"ConsoleURL": self.console, "Endpoints": list(reversed(self.endpoints)), "IpAddress": self.address}


def instance(host: str, address: str, listeners: Mapping[str, int] | None = None) -> Instance:
    """An instance of ActiveMQ that listens as AWS's do (developer guide, "Broker"), or on *listeners*."""
    chosen = LISTENERS if listeners is None else listeners
    endpoints = [f"{scheme}://{host}:{port}" for scheme, port in chosen.items()]
    return Instance(host, address, endpoints, f"https://{host}:{CONSOLE_PORT}")


class Machine(Protocol):
    """What runs a broker. Methods take their time and raise LabError."""

    @property
    def instances(self) -> Sequence[Instance]:
        """The instances in the order of their numbers."""

    def up(self, settings: Settings) -> None:
        """Start it."""

    def reboot(self, settings: Settings) -> None:
        """Restart it with these settings."""

    def down(self) -> None:
        """Stop it."""


class Paper:
    """A broker that is there on paper only."""

    def __init__(self, broker_id: str, region: str, engine_type: str, mode: str, delays: Delays) -> None:
        self._delays = delays
        domain = f"mq.{region}.amazonaws.com"
        if engine_type == "RABBITMQ":
            host = f"{broker_id}.{domain}"
            self.instances = [Instance(host, "", [f"amqps://{host}:5671"], f"https://{host}")]
        else:
            numbers = (1, 2) if mode == "ACTIVE_STANDBY_MULTI_AZ" else (1,)
            third = uuid.UUID(broker_id[2:]).int % 256
            self.instances = [
                instance(f"{broker_id}-{number}.{domain}", f"10.0.{third}.{10 + number}") for number in numbers
            ]

    def up(self, settings: Settings) -> None:
        self._delays.sleep(self._delays.creation)

    def reboot(self, settings: Settings) -> None:
        self._delays.sleep(self._delays.reboot)

    def down(self) -> None:
        pass


@dataclass
class Broker:
    """A broker. *lock* guards it and is never held while something takes its time."""

    id: str
    arn: str
    name: str
    engine_type: str
    deployment_mode: str
    machine: Machine
    delays: Delays
    lock: threading.RLock
    #: What CreateBroker fixed for good.
    fixed: Json
    #: What is in force of STAGED and AT_ONCE.
    current: Json
    users: dict[str, User]
    #: The XML of a revision.
    configuration: Callable[[Mapping[str, Any]], str]
    #: Called when the broker is no more.
    gone: Callable[[], None]
    pending: Json = field(default_factory=dict)
    history: list[Json] = field(default_factory=list)
    state: str = "CREATION_IN_PROGRESS"
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    request_id: str | None = None
    _window_changes: int = 0
    _rebooting: bool = False

    # -- what it does -------------------------------------------------------------------------------------------------

    def create(self, *, fail: bool = False) -> None:
        """Begin to run. Until it does, configuration and users are pending (recorded: create_identity.json)."""
        configuration = self.current.pop("Configuration", None)
        if configuration is not None:
            self.pending["Configuration"] = configuration

        def work() -> None:
            with self.lock:
                settings = self._settings(self.pending)
            self.machine.up(settings)
            if fail:
                raise LabError("creation was told to fail")

        self._begin(work, "CREATION_FAILED")

    def reboot(self, *, hang: float = 0) -> None:
        """Begin a reboot, which applies what waits for it. *hang* seconds longer it stays in REBOOT_IN_PROGRESS."""
        # API reference, Broker reboot; developer guide, "Rebooting a broker": only a RUNNING one.
        if self.state != "RUNNING":
            raise bad_request(f"Broker [{self.id}] is in state [{self.state}]. Only a running broker can be rebooted.")
        if self._rebooting:
            return
        self._rebooting = True

        def work() -> None:
            self.delays.sleep(self.delays.reboot_lag)
            with self.lock:
                if self.state == "RUNNING":
                    self.state = "REBOOT_IN_PROGRESS"
                settings = self._settings(self.pending)
            self.delays.sleep(hang)
            self.machine.reboot(settings)

        # Developer guide, "Action required codes": what does not come back by itself.
        self._begin(work, "CRITICAL_ACTION_REQUIRED")

    def delete(self) -> None:
        """Begin to vanish. For a while it is shown with all it has (recorded: maintenance.json)."""
        if self.state == "DELETION_IN_PROGRESS":
            return
        self.state = "DELETION_IN_PROGRESS"

        def work() -> None:
            try:
                self.machine.down()
            except LabError as error:
                print(f"aws: {error}", file=sys.stderr, flush=True)
            self.delays.sleep(self.delays.deletion)
            with self.lock:
                self.gone()

        threading.Thread(target=work, daemon=True).start()

    def _begin(self, work: Callable[[], None], failed: str) -> None:
        with self.lock:
            staged = replace_users(self.users), dict(self.pending)

        def task() -> None:
            outcome = failed
            try:
                work()
                outcome = "RUNNING"
            except LabError as error:
                print(f"aws: {self.name}: {error}", file=sys.stderr, flush=True)
            finally:
                with self.lock:
                    self._rebooting = False
                    if self.state != "DELETION_IN_PROGRESS":
                        if outcome == "RUNNING":
                            self._apply(*staged)
                        self.state = outcome

        threading.Thread(target=task, daemon=True).start()

    # -- what waits for the reboot ------------------------------------------------------------------------------------

    def stage(self, request: Mapping[str, Any]) -> None:
        """Take the parameters of UpdateBroker: at once what is applied at once, the rest with the next reboot."""
        window = request.get("MaintenanceWindowStartTime")
        if window is not None and window != self.current.get("MaintenanceWindowStartTime"):
            if self._window_changes >= _MAX_WINDOW_CHANGES:
                # Recorded: maintenance.json.
                raise bad_request(
                    "Maintenance window cannot be modified greater than 4 times. You will be able to modify your "
                    "broker maintenance window after the next maintenance window has completed."
                )
            self._window_changes += 1
        self.current |= {key: request[key] for key in AT_ONCE if request.get(key) is not None}
        for key in STAGED:
            if request.get(key) is None:
                continue
            value = {**self.current["Logs"], **request["Logs"]} if key == "Logs" else request[key]
            if value == self.current.get(key):
                self.pending.pop(key, None)
            else:
                self.pending[key] = value

    def create_user(self, name: str, login: Login) -> None:
        """Stage a new user."""
        if name in self.users:
            raise conflict(f"User [{name}] already exists.", "username")
        if len(self.users) >= MAX_USERS:
            raise bad_request(f"Broker [{self.id}] has {MAX_USERS} users, more are not possible.", "username")
        self.users[name] = User(name, pending=login, change="CREATE")

    def update_user(self, name: str, request: Mapping[str, Any]) -> None:
        """Stage a change of a user. What is not given stays."""
        user = self.user(name)
        login = user.pending or user.current
        assert login is not None
        changed: dict[str, Any] = {
            "password": request.get("Password"),
            "console": request.get("ConsoleAccess"),
            "groups": None if request.get("Groups") is None else tuple(request["Groups"]),
            "replication": request.get("ReplicationUser"),
        }
        user.pending = replace(login, **{key: value for key, value in changed.items() if value is not None})
        user.change = "CREATE" if user.current is None else "UPDATE"

    def delete_user(self, name: str) -> None:
        """Stage the removal of a user. One that is not in force yet vanishes at once: nothing is left to apply."""
        user = self.user(name)
        if user.current is None:
            del self.users[name]
        else:
            user.pending, user.change = None, "DELETE"

    def user(self, name: str) -> User:
        """A user. Raises ApiError when there is none."""
        if name not in self.users:
            raise not_found(f"Can't find requested user [{name}]. Make sure your user exists.", "username")
        return self.users[name]

    def _settings(self, pending: Mapping[str, Any]) -> Settings:
        """What the broker runs with once everything that waits is applied."""
        logins = {user.name: user.pending or user.current for user in self.users.values() if user.change != "DELETE"}
        revision = pending.get("Configuration") or self.current.get("Configuration")
        return Settings(
            users={name: login for name, login in logins.items() if login is not None},
            configuration=self.configuration(revision) if revision else "",
        )

    def _apply(self, users: Mapping[str, User], pending: Mapping[str, Any]) -> None:
        """Put in force what waited when the work began. What came meanwhile waits for the next reboot."""
        for name, staged in users.items():
            user = self.users.get(name)
            if user is None or staged.change is None:
                continue
            if staged.change == "DELETE":
                if user.change == "DELETE":
                    del self.users[name]
                else:
                    user.current, user.change = None, "CREATE"
                continue
            user.current = staged.pending
            if (user.pending, user.change) == (staged.pending, staged.change):
                user.pending, user.change = None, None
            elif user.change == "CREATE":
                user.change = "UPDATE"
        for key, value in pending.items():
            if key == "Configuration" and self.current.get(key):
                self.history.append(self.current[key])
            self.current[key] = value
            if self.pending.get(key) == value:
                del self.pending[key]

    # -- what it tells ------------------------------------------------------------------------------------------------

    def summary(self, state: str) -> Json:
        """For lists of brokers."""
        return {
            "BrokerArn": self.arn,
            "BrokerId": self.id,
            "BrokerName": self.name,
            "BrokerState": state,
            "Created": self.created,
            "DeploymentMode": self.deployment_mode,
            "EngineType": SPELLINGS[self.engine_type],
            "HostInstanceType": self.current["HostInstanceType"],
        }

    def describe(self, state: str, actions: Sequence[Json], tags: Mapping[str, str]) -> Json:
        """The answer of DescribeBroker."""
        created = state not in {"CREATION_IN_PROGRESS", "CREATION_FAILED"}
        # The second instance comes first: no order is promised, so nobody may rely on one.
        instances = [item.describe() for item in reversed(self.machine.instances)] if created else []
        logs = self.current["Logs"]
        groups = {
            f"{kind}LogGroup": f"/aws/amazonmq/broker/{self.id}/{kind.lower()}" for kind in logs
        }  # given also while logs are off (recorded)
        return {
            **self.summary(state),
            **self.fixed,
            **{key: self.current.get(key) for key in (*STAGED, *AT_ONCE) if key not in {"Configuration", "Logs"}},
            **{f"Pending{key}": value for key, value in self.pending.items() if key not in {"Configuration", "Logs"}},
            "ActionsRequired": list(actions) or None,
            "BrokerInstances": instances,
            "Configurations": {
                "Current": self.current.get("Configuration"),
                "History": list(self.history),
                "Pending": self.pending.get("Configuration"),
            },
            "Logs": {**logs, **groups, "Pending": self.pending.get("Logs")},
            "Tags": dict(tags),
            "Users": [user.summary for user in self.users.values()],
        }


def replace_users(users: Mapping[str, User]) -> dict[str, User]:
    """A copy, for what is to be compared later."""
    return {name: replace(user) for name, user in users.items()}
