# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab consists of, before anything of it exists: hosts with their numbers, names, ports, users and services."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from uuid import NAMESPACE_DNS, uuid5

from lab.services import ServiceSpec
from lab.shell import LabError

REGION = "us-east-2"
TARGET_NAME = "lab-target"
OPENWIRE, STOMP, CONSOLE = 61616, 61613, 8161
OPENWIRE_TLS, STOMP_TLS, CONSOLE_TLS = 61617, 61614, 8162
#: What the target listens on, scheme -> port, as Amazon MQ does ("Broker" in its developer guide).
LISTENERS: Mapping[str, int] = {
    "ssl": OPENWIRE_TLS,
    "stomp+ssl": STOMP_TLS,
    "amqp+ssl": 5671,
    "mqtt+ssl": 8883,
    "wss": 61619,
}
AWS_PORT = 5443
#: Amazon MQ's broker id has the form b-<uuid>. It is the same in every lab, so that names are known beforehand.
BROKER_ID = f"b-{uuid5(NAMESPACE_DNS, TARGET_NAME)}"

#: The lab's own credentials; they guard nothing outside it.
APP_USER, APP_PASSWORD = "shop-app", "shop-app-Passw0rd-lab"
#: The pair that the fleet has always had, where the source demands one. The source knows the target's pair as well.
OLD_USER, OLD_PASSWORD = "shop", "shop-Passw0rd-lab"
ACCESS_KEY, SECRET_KEY = "lab-access-key", "lab-secret-access-key"
CONSOLE_USER, CONSOLE_PASSWORD = "console", "console-Passw0rd-lab"
#: The console's user as the distribution ships it.
SOURCE_CONSOLE_USER, SOURCE_CONSOLE_PASSWORD = "admin", "admin"

Format = Literal["properties", "yaml", "env", "json", "toml", "ini", "xml"]
Language = Literal["java", "python"]
Role = Literal["producer", "consumer", "both"]
#: Who runs a service, in the inventory's words. On a process host it is always command.
Manager = Literal["systemd", "sysvinit", "supervisor", "command"]

#: The brokers' hosts and their numbers in the address plan.
SOURCE, TARGETS = "source", ("target-1", "target-2")
CONTROLLER_NUMBER = 1
_BROKER_NUMBERS = {SOURCE: 10, "target-1": 11, "target-2": 12}
_FIRST_SERVICE_NUMBER = 21


@dataclass(frozen=True)
class Placement:
    """A service on a host of its own, what it does, and the format of its settings file.

    *variant* holds further fields of ServiceSpec: burst, transacted, slow_ms, durable, client_id.
    """

    host: str
    name: str
    language: Language
    format: Format
    produce: tuple[str, ...] = ()
    consume: tuple[str, ...] = ()
    forward: str | None = None
    rate: float = 10
    variant: Mapping[str, Any] = field(default_factory=dict)
    manager: Manager = "systemd"

    @property
    def role(self) -> Role:
        """The role in the inventory's words."""
        if self.consume:
            return "both" if self.produce or self.forward else "consumer"
        return "producer"

    @property
    def destinations(self) -> list[str]:
        """The names of all destinations that it uses."""
        urls = [*self.produce, *self.consume, *([self.forward] if self.forward else [])]
        return [url.partition("://")[2] for url in urls]

    @property
    def settings_path(self) -> str:
        """Where the service's settings are, as its host sees it."""
        names = {"properties": "application.properties", "env": "environment", "xml": "beans.xml"}
        return f"/etc/{self.name}/{names.get(self.format, f'settings.{self.format}')}"

    def spec(self, *, config: str, ledger: Path, control: Path, trust: Path, trust_password: str) -> ServiceSpec:
        """The service with its files."""
        return ServiceSpec(
            self.name,
            self.language,
            config,
            ledger,
            control=control,
            produce=self.produce,
            consume=self.consume,
            forward=self.forward,
            rate=self.rate,
            trust=trust,
            trust_password=trust_password,
            **self.variant,
        )


@dataclass(frozen=True)
class Plan:
    """A named lab."""

    name: str
    services: tuple[Placement, ...]
    #: Whether the source demands credentials, and the fleet has some.
    guarded: bool = False

    @property
    def numbers(self) -> dict[str, int]:
        """Host name -> last part of its address."""
        hosts = list(dict.fromkeys(placement.host for placement in self.services))
        return {**_BROKER_NUMBERS, **{host: _FIRST_SERVICE_NUMBER + index for index, host in enumerate(hosts)}}


def ports(host: str, schemes: Collection[str] = frozenset(LISTENERS)) -> tuple[int, ...]:
    """What the broker of a host listens on; nothing for the host of a service.

    *schemes* are those of LISTENERS that the target's software has.
    """
    if host == SOURCE:
        return OPENWIRE, STOMP, OPENWIRE_TLS, STOMP_TLS, CONSOLE
    listeners = [port for scheme, port in LISTENERS.items() if scheme in schemes]
    return (*listeners, CONSOLE_TLS) if host in TARGETS else ()


def instance_name(index: int) -> str:
    """The name that AWS gives to instance *index* (1 or 2) of the target."""
    return f"{BROKER_ID}-{index}.mq.{REGION}.amazonaws.com"


def _orders(host: str, rate: float) -> Placement:
    return Placement(host, "orders-api", "java", "properties", produce=("queue://orders.new",), rate=rate)


def _worker(host: str, form: Format) -> Placement:
    return Placement(host, "order-worker", "java", form, consume=("queue://orders.new",), forward="queue://orders.done")


def _billing(host: str, rate: float) -> Placement:
    return Placement(host, "billing", "python", "yaml", produce=("queue://invoices.new",), rate=rate)


def _notifier(host: str, form: Format) -> Placement:
    return Placement(host, "notifier", "python", form, consume=("queue://orders.done", "queue://invoices.new"))


#: Six services: three Java, three Python; two producers, two workers that are both, two consumers.
DEMO = Plan(
    "demo",
    (
        _orders("orders-1", 50),
        _worker("worker-1", "properties"),
        _worker("worker-2", "env"),
        _billing("billing-1", 50),
        _notifier("notifier-1", "env"),
        _notifier("notifier-2", "yaml"),
    ),
)

#: The same with workers that cannot keep up: a backlog builds.
SLOW = Plan(
    "slow",
    tuple(
        replace(placement, variant={"slow_ms": 80}) if placement.name == "order-worker" else placement
        for placement in DEMO.services
    ),
)

#: Thirteen services.
FULL = Plan(
    "full",
    (
        _orders("orders-1", 10),
        _orders("orders-2", 10),
        _orders("orders-3", 10),
        _worker("worker-1", "properties"),
        _worker("worker-2", "env"),
        _worker("worker-3", "properties"),
        _worker("worker-4", "env"),
        _billing("billing-1", 10),
        _billing("billing-2", 10),
        _notifier("notifier-1", "env"),
        _notifier("notifier-2", "yaml"),
        _notifier("notifier-3", "env"),
        _notifier("notifier-4", "yaml"),
    ),
)

#: Seven services, each with its settings in another format, run by four managers; the source demands credentials.
FORMATS = Plan(
    "formats",
    (
        _orders("orders-1", 20),
        replace(_worker("worker-1", "xml"), manager="sysvinit"),
        _worker("worker-2", "env"),
        replace(_billing("billing-1", 20), format="json", manager="supervisor"),
        replace(_notifier("notifier-1", "toml"), manager="supervisor"),
        replace(_notifier("notifier-2", "ini"), manager="sysvinit"),
        replace(_notifier("notifier-3", "yaml"), manager="command"),
    ),
    guarded=True,
)

_PLANS = {plan.name: plan for plan in (DEMO, SLOW, FULL, FORMATS)}


def named(name: str) -> Plan:
    """The plan of that name. Raises LabError for an unknown one."""
    try:
        return _PLANS[name]
    except KeyError as error:
        raise LabError(f"there is no plan {name}; there are {', '.join(_PLANS)}") from error
