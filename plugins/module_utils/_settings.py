# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a phase to the settings of a service. Pure: no Ansible import, no I/O.

This is a private util of the collection; it may change at any time.

A service's settings are a function of its phase, its dialect and protocol, and the two brokers; nothing else. The words
(service, phase, dialect, source, target) are those of docs/architecture.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypedDict

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url import (
    DIALECTS,
    SCHEMES,
    FailoverUrlError,
    build,
    parse_endpoint,
    select,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url_options import DIALECT

PHASES = ("source", "both_source_first", "both_target_first", "target")
ROLES = ("producer", "consumer", "both")
MANAGERS = ("systemd", "command")
FORMATS = ("properties", "yaml", "json", "toml", "ini", "xml", "env", "template", "regexp")

# Which brokers a phase lists, in order.
_BROKERS_OF_PHASE = {
    "source": ("source",),
    "both_source_first": ("source", "target"),
    "both_target_first": ("target", "source"),
    "target": ("target",),
}

_SERVICE_KEYS = {
    "name",
    "role",
    "manager",
    "dialect",
    "protocol",
    "destinations",
    "settings",
    "commands",
    "pid_file",
    "match",
}

_FILE_KEYS = {"path", "format", "values", "create", "validate", "namespaces", "src"}

# A split of hosts is searched for at most this many steps; fleets need about one step per host.
_MAX_STEPS = 100_000


class SettingsError(Exception):
    """A service or broker description that gives no settings. ``str()`` names the key; it holds no password."""


class Host(TypedDict):
    """One endpoint as host and port; ``address`` is both joined by a colon."""

    host: str
    port: int
    address: str
    tls: bool


class Settings(TypedDict):
    """What a service needs to know in a phase, and where it should then be connected.

    ``expected`` are the addresses (``host:port``) of the first broker of the phase; the service must be connected to at
    least one of them. ``outside`` are those of a broker that the phase does not list; it must not be connected to any.
    """

    url: str
    endpoints: list[str]
    hosts: list[Host]
    username: str
    password: str
    truststore: str
    expected: list[str]
    outside: list[str]


def client_settings(
    service: Mapping[str, Any], phase: str, source: Mapping[str, Any], target: Mapping[str, Any]
) -> Settings:
    """Compute the settings of a service in a phase.

    ``service`` needs ``dialect`` and ``protocol``; each broker needs ``endpoints`` and may have ``username``,
    ``password`` and ``truststore``. The credentials are the source's in the phase ``source`` and the target's in all
    others: a broker list has a single pair, and an open broker ignores it. When both brokers want credentials, a phase
    that lists both is refused unless the pairs are the same.

    :raises SettingsError: when a key is missing or wrong.
    """
    if phase not in PHASES:
        raise SettingsError(f"unknown phase {phase!r}: use one of {', '.join(PHASES)}")
    dialect = _choice(service, "dialect", DIALECTS)
    protocol = _choice(service, "protocol", tuple(SCHEMES))
    brokers = {"source": source, "target": target}
    listed = _BROKERS_OF_PHASE[phase]
    chosen = {name: _endpoints(brokers[name], name, protocol) for name in listed}
    endpoints = [url for name in listed for url in chosen[name]]
    try:
        url = build(endpoints, dialect)
    except FailoverUrlError as error:
        raise SettingsError(str(error)) from error
    if len(listed) > 1 and _text(source, "username", "mq_source"):
        for key in ("username", "password"):
            if _text(source, key, "mq_source") != _text(target, key, "mq_target"):
                raise SettingsError(
                    f"phase {phase} lists both brokers, but a list has one pair of credentials and the {key}s of"
                    " mq_source and mq_target differ"
                )
    owner, owner_name = (source, "mq_source") if phase == "source" else (target, "mq_target")
    hosts = [_host(url) for url in endpoints]
    allowed = {host["address"] for host in hosts}
    outside = [
        parse_endpoint(url).address
        for name, broker in brokers.items()
        if name not in listed
        for url in _endpoints(broker, name, None)
    ]
    return Settings(
        url=url,
        endpoints=endpoints,
        hosts=hosts,
        username=_text(owner, "username", owner_name),
        password=_text(owner, "password", owner_name),
        truststore=_text(owner, "truststore", owner_name),
        expected=[_host(url)["address"] for url in chosen[listed[0]]],
        outside=[address for address in outside if address not in allowed],
    )


def validate_services(
    services: object, source: Mapping[str, Any], target: Mapping[str, Any], phase: str | None = None
) -> list[str]:
    """Return the problems of a host's service list, each a sentence that names the service and the key; [] when fine.

    Every phase must be possible for every service; ``phase`` additionally checks what is special to one phase.
    """
    if not isinstance(services, Sequence) or isinstance(services, (str, bytes)):
        return ["mq_services must be a list of services"]
    brokers: dict[str, Mapping[str, Any]] = {}
    for variable, broker in (("mq_source", source), ("mq_target", target)):
        if not isinstance(broker, Mapping):
            return [f"{variable} must be a mapping"]
        brokers[variable] = broker
    problems: list[str] = []
    seen: set[str] = set()
    for index, service in enumerate(services):
        if not isinstance(service, Mapping):
            problems.append(f"service number {index + 1}: must be a mapping")
            continue
        name = service.get("name")
        if not isinstance(name, str) or not name:
            problems.append(f"service number {index + 1}: name is missing")
            continue
        if name in seen:
            problems.append(f"service {name}: name is used twice on this host")
        seen.add(name)
        problems.extend(f"service {name}: {problem}" for problem in _service_problems(service))
        problems.extend(_phase_problems(name, service, brokers, phase))
    return problems


def target_first(services_by_host: Mapping[str, Sequence[str]], share: float) -> list[str]:
    """Choose the hosts whose consumers go to the target first; the others stay at the source first.

    About ``share`` (0 < share < 1) of the hosts are chosen, so that every service name that runs on two or more hosts
    ends up on both sides. The choice depends on the arguments only. It is returned sorted.

    :raises SettingsError: when the share is out of range or no such split exists.
    """
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share < 1:
        raise SettingsError("share must be a number between 0 and 1, both excluded")
    if not isinstance(services_by_host, Mapping):
        raise SettingsError("the services must be a mapping of host names to lists of service names")
    hosts = sorted(services_by_host)
    hosts_of: dict[str, list[int]] = {}
    for index, host in enumerate(hosts):
        for service in sorted(set(services_by_host[host])):
            hosts_of.setdefault(service, []).append(index)
    # A service is checked when its last host is placed.
    closing: dict[int, list[list[int]]] = {}
    for members in hosts_of.values():
        if len(members) > 1:
            closing.setdefault(members[-1], []).append(members)

    # Depth first over the hosts in order: per host, the side that keeps to the share, then the other one.
    sides: list[bool] = []
    untried: list[list[bool]] = []
    for _step in range(_MAX_STEPS):
        index = len(sides)
        if index == len(hosts):
            return [host for host, first in zip(hosts, sides) if first]
        if len(untried) == index:
            preferred = sum(sides) + 0.5 <= share * (index + 1)
            untried.append([not preferred, preferred])
        while untried[index]:
            sides.append(untried[index].pop())
            if all(len({sides[member] for member in members}) == 2 for members in closing.get(index, [])):
                break
            sides.pop()
        else:
            untried.pop()
            if not sides:
                break
            sides.pop()
    raise SettingsError("no split of these hosts puts every service that runs on several hosts on both sides")


def _phase_problems(
    name: str, service: Mapping[str, Any], brokers: Mapping[str, Mapping[str, Any]], phase: str | None
) -> Iterator[str]:
    if service.get("dialect") not in DIALECTS or service.get("protocol") not in SCHEMES or _mismatch(service):
        return  # already reported
    found: set[str] = set()
    for each in ("source", "target", phase):
        if each is None:
            continue
        try:
            client_settings(service, each, brokers["mq_source"], brokers["mq_target"])
        except SettingsError as error:
            if str(error) not in found:
                found.add(str(error))
                yield f"service {name}: {error}"


def _service_problems(service: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted(set(service) - _SERVICE_KEYS, key=str):
        yield f"unknown key {key!r}"
    for key, choices in (("role", ROLES), ("manager", MANAGERS), ("dialect", DIALECTS), ("protocol", tuple(SCHEMES))):
        try:
            _choice(service, key, choices)
        except SettingsError as error:
            yield str(error)
    if _mismatch(service):
        yield f"dialect {service['dialect']} does not speak protocol {service['protocol']}"
    if service.get("manager") == "command":
        yield from _command_problems(service)
    destinations = service.get("destinations", [])
    if not _is_list(destinations) or not all(isinstance(item, str) and item for item in destinations):
        yield "destinations must be a list of names"
    settings = service.get("settings")
    if not _is_list(settings) or not settings:
        yield "settings is missing: list the files to write"
        return
    paths: set[str] = set()
    for entry in settings:
        if not isinstance(entry, Mapping):
            yield "settings must be a list of mappings with path, format and values"
            continue
        path = entry.get("path")
        if not isinstance(path, str) or not path.startswith("/"):
            yield "settings: path must be an absolute path"
            continue
        if path in paths:
            yield f"settings: {path} is listed twice"
        paths.add(path)
        for key in sorted(set(entry) - _FILE_KEYS, key=str):
            yield f"settings of {path}: unknown key {key!r}"
        try:
            _choice(entry, "format", FORMATS)
        except SettingsError as error:
            yield f"settings of {path}: {error}"
        if not isinstance(entry.get("values"), Mapping) or not entry["values"]:
            yield f"settings of {path}: values is missing"
        if entry.get("format") == "template" and not isinstance(entry.get("src"), str):
            yield f"settings of {path}: src is missing: the template on the controller"


def _mismatch(service: Mapping[str, Any]) -> bool:
    dialect, protocol = service.get("dialect"), service.get("protocol")
    if dialect not in DIALECTS or protocol not in SCHEMES:
        return False
    return not set(DIALECT[dialect].schemes) & set(SCHEMES[protocol])


def _command_problems(service: Mapping[str, Any]) -> Iterator[str]:
    commands = service.get("commands")
    if not isinstance(commands, Mapping):
        yield "manager command needs commands with start and stop"
        return
    for key in sorted(set(commands) - {"start", "stop", "status"}, key=str):
        yield f"commands: unknown key {key!r}"
    for key in ("start", "stop", "status"):
        argv = commands.get(key)
        if key == "status" and argv is None:
            continue
        if not _is_list(argv) or not argv or not all(isinstance(word, str) for word in argv):
            yield f"commands: {key} must be a list of words"
    if bool(service.get("pid_file")) == bool(service.get("match")):
        yield "manager command needs exactly one of pid_file and match"


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _choice(mapping: Mapping[str, Any], key: str, choices: Sequence[str]) -> str:
    value = mapping.get(key)
    if value is None:
        raise SettingsError(f"{key} is missing: use one of {', '.join(choices)}")
    if not isinstance(value, str) or value not in choices:
        raise SettingsError(f"unknown {key} {value!r}: use one of {', '.join(choices)}")
    return value


def _text(broker: Mapping[str, Any], key: str, name: str) -> str:
    value = broker.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise SettingsError(f"{name}: {key} must be a string")
    return value


def _endpoints(broker: Mapping[str, Any], name: str, protocol: str | None) -> list[str]:
    try:
        urls = select(broker.get("endpoints") or [], protocol)
    except FailoverUrlError as error:
        raise SettingsError(f"mq_{name}: {error}") from error
    if not urls:
        wanted = f" for protocol {protocol}" if protocol else ""
        raise SettingsError(f"mq_{name} has no endpoints{wanted}")
    return urls


def _host(url: str) -> Host:
    endpoint = parse_endpoint(url)
    return Host(host=endpoint.host, port=endpoint.port, address=endpoint.address, tls=endpoint.tls)
