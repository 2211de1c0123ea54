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

PHASES = ("source", "source_tls", "scale_out", "both_source_first", "both_target_first", "random", "target")
ROLES = ("producer", "consumer", "both")
MANAGERS = ("systemd", "sysvinit", "supervisor", "docker_compose", "kubernetes", "command")
WORKLOADS = ("Deployment", "StatefulSet")
FORMATS = ("properties", "yaml", "json", "toml", "ini", "xml", "env", "template", "regexp")

# Which listeners a phase lists, in order. In the phase scale_out a service stays at the source; its second instance is
# in the phase target.
_LISTENERS_OF_PHASE = {
    "source": ("source",),
    "source_tls": ("source_tls",),
    "scale_out": ("source",),
    "both_source_first": ("source", "target"),
    "both_target_first": ("target", "source"),
    "random": ("source", "target"),
    "target": ("target",),
}
_VARIABLE_OF = {"source": "mq_source", "source_tls": "mq_source.tls", "target": "mq_target"}
_BROKER_OF = {"source": "mq_source", "source_tls": "mq_source", "target": "mq_target"}

# What a service may have, whoever runs it.
_SERVICE_KEYS = {
    "name",
    "role",
    "manager",
    "dialect",
    "protocol",
    "destinations",
    "settings",
    "health",
    "logs",
    "scale_out",
    "pid_file",
    "match",
}
# In logs, the journal's part that is of a service's unit.
JOURNAL = "journal"
# What its manager needs to know, in a key of its own: key of the service -> (required keys, optional keys).
_MANAGER_KEYS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "command": ("commands", ("start", "stop"), ()),
    "supervisor": ("supervisor", (), ("config", "supervisorctl")),
    "docker_compose": ("docker_compose", ("project_src", "service"), ("files",)),
    "kubernetes": ("kubernetes", ("namespace",), ("kind", "name", "context", "replicas")),
}
# What makes an instance another one for its manager.
_PLACE_KEYS = {"docker_compose": ("project_src", "service"), "kubernetes": ("context", "namespace", "kind", "name")}
# A second instance shares these with the first one; all else is its own.
_SHARED_KEYS = ("role", "manager", "dialect", "protocol", "destinations", "supervisor")
_OWN_KEYS = {"name", "settings", "health", "logs", "pid_file", "match", "commands", "docker_compose", "kubernetes"}

_FILE_KEYS = {"path", "format", "values", "create", "validate", "namespaces", "src"}
_ACCESS = ("username", "password", "truststore")

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
    ``broker_of`` tells for each expected address whose it is: ``mq_source`` or ``mq_target``.
    """

    url: str
    endpoints: list[str]
    hosts: list[Host]
    username: str
    password: str
    truststore: str
    expected: list[str]
    outside: list[str]
    broker_of: dict[str, str]


def client_settings(
    service: Mapping[str, Any],
    phase: str,
    source: Mapping[str, Any],
    target: Mapping[str, Any],
    both: Mapping[str, Any] | None = None,
) -> Settings:
    """Compute the settings of a service in a phase.

    ``service`` needs ``dialect`` and ``protocol``; each broker needs ``endpoints`` and may have ``username``,
    ``password`` and ``truststore``. ``source["tls"]`` may have the same keys for the phase ``source_tls``: its
    ``endpoints``, and what they want else than the source's others.

    A broker list has a single pair of credentials and a single truststore. They are those of the broker that the phase
    lists. When it lists both, they are the target's, which an open source ignores, unless ``both`` has others; a phase
    is refused when the source wants something else than that.

    :raises SettingsError: when a key is missing or wrong.
    """
    if phase not in PHASES:
        raise SettingsError(f"unknown phase {phase!r}: use one of {', '.join(PHASES)}")
    dialect = _choice(service, "dialect", DIALECTS)
    protocol = _choice(service, "protocol", tuple(SCHEMES))
    listeners = {"source": source, "target": target}
    if "tls" in source or phase == "source_tls":
        inherited = {key: source[key] for key in _ACCESS if key in source}
        listeners["source_tls"] = {**inherited, **_mapping(source, "tls", "mq_source")}
    listed = _LISTENERS_OF_PHASE[phase]
    chosen = {name: _endpoints(listeners[name], _VARIABLE_OF[name], protocol) for name in listed}
    endpoints = [url for name in listed for url in chosen[name]]
    try:
        url = build(endpoints, dialect, {"randomize": True}) if phase == "random" else build(endpoints, dialect)
    except FailoverUrlError as error:
        raise SettingsError(f"phase {phase}: {error}" if phase == "random" else str(error)) from error
    access = _access(phase, listed, listeners, both or {})
    hosts = [_host(url) for url in endpoints]
    allowed = {host["address"] for host in hosts}
    outside = [
        parse_endpoint(url).address
        for name, listener in listeners.items()
        if name not in listed
        for url in _endpoints(listener, _VARIABLE_OF[name], None)
    ]
    wanted = listed if phase == "random" else listed[:1]
    broker_of = {_host(url)["address"]: _BROKER_OF[name] for name in wanted for url in chosen[name]}
    return Settings(
        url=url,
        endpoints=endpoints,
        hosts=hosts,
        username=access["username"],
        password=access["password"],
        truststore=access["truststore"],
        expected=list(broker_of),
        outside=[address for address in outside if address not in allowed],
        broker_of=broker_of,
    )


def validate_services(
    services: object,
    source: Mapping[str, Any],
    target: Mapping[str, Any],
    phases: Sequence[str] = (),
    both: Mapping[str, Any] | None = None,
) -> list[str]:
    """Return the problems of a host's service list, each a sentence that names the service and the key; [] when fine.

    The phases source and target must be possible for every service; ``phases`` additionally checks others.
    """
    if not isinstance(services, Sequence) or isinstance(services, (str, bytes)):
        return ["mq_services must be a list of services"]
    brokers: dict[str, Mapping[str, Any]] = {}
    for variable, broker in (("mq_source", source), ("mq_target", target), ("mq_both", both or {})):
        if not isinstance(broker, Mapping):
            return [f"{variable} must be a mapping"]
        brokers[variable] = broker
    problems: list[str] = []
    known = [phase for phase in phases if phase in PHASES]
    problems.extend(f"unknown phase {each!r}: use one of {', '.join(PHASES)}" for each in phases if each not in known)
    seen: set[str] = set()
    for index, service in enumerate(services):
        if not isinstance(service, Mapping):
            problems.append(f"service number {index + 1}: must be a mapping")
            continue
        name = service.get("name")
        if not isinstance(name, str) or not name:
            problems.append(f"service number {index + 1}: name is missing")
            continue
        second = service.get("scale_out")
        for instance in (name, second.get("name") if isinstance(second, Mapping) else None):
            if not isinstance(instance, str):
                continue
            if instance in seen:
                problems.append(f"service {instance}: name is used twice on this host")
            seen.add(instance)
        problems.extend(f"service {name}: {problem}" for problem in _service_problems(service))
        problems.extend(f"service {name}: {problem}" for problem in _scale_out_problems(service, known))
        problems.extend(_phase_problems(name, service, brokers, known))
    problems.extend(_confusions(services))
    return problems


def instances(service: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the service as its instances: the first, and the second one with what it shares with the first."""
    first = {key: value for key, value in service.items() if key != "scale_out"}
    if "scale_out" not in service:
        return [first]
    return [first, {**{key: service[key] for key in _SHARED_KEYS if key in service}, **service["scale_out"]}]


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
    name: str, service: Mapping[str, Any], brokers: Mapping[str, Mapping[str, Any]], phases: Sequence[str]
) -> Iterator[str]:
    if service.get("dialect") not in DIALECTS or service.get("protocol") not in SCHEMES or _mismatch(service):
        return  # already reported
    found: set[str] = set()
    for each in dict.fromkeys(("source", "target", *phases)):
        try:
            client_settings(service, each, brokers["mq_source"], brokers["mq_target"], brokers["mq_both"])
        except SettingsError as error:
            if str(error) not in found:
                found.add(str(error))
                yield f"service {name}: {error}"


def _service_problems(service: Mapping[str, Any]) -> Iterator[str]:
    of_managers = {key for key, _must, _may in _MANAGER_KEYS.values()}
    for key in sorted(set(service) - _SERVICE_KEYS - of_managers, key=str):
        yield f"unknown key {key!r}"
    for key, choices in (("role", ROLES), ("manager", MANAGERS), ("dialect", DIALECTS), ("protocol", tuple(SCHEMES))):
        try:
            _choice(service, key, choices)
        except SettingsError as error:
            yield str(error)
    if _mismatch(service):
        yield f"dialect {service['dialect']} does not speak protocol {service['protocol']}"
    destinations = service.get("destinations", [])
    if not _is_list(destinations) or not all(isinstance(item, str) and item for item in destinations):
        yield "destinations must be a list of names"
    yield from _instance_problems(service)


def _mismatch(service: Mapping[str, Any]) -> bool:
    dialect, protocol = service.get("dialect"), service.get("protocol")
    if dialect not in DIALECTS or protocol not in SCHEMES:
        return False
    return not set(DIALECT[dialect].schemes) & set(SCHEMES[protocol])


def _instance_problems(service: Mapping[str, Any]) -> Iterator[str]:
    """Problems of what the first and the second instance of a service have each."""
    yield from _manager_problems(service)
    yield from _health_problems(service)
    yield from _log_problems(service)
    settings = service.get("settings")
    if not _is_list(settings) or not settings:
        yield "settings is missing: list the files to write"
        return
    paths: set[str] = set()
    for entry in settings:
        if not isinstance(entry, Mapping):
            yield "settings must be a list of mappings with path, format and values"
            continue
        if service.get("manager") == "kubernetes":
            yield from _object_problems(entry)
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


def _object_problems(entry: Mapping[str, Any]) -> Iterator[str]:
    named = [key for key in ("config_map", "secret") if entry.get(key)]
    if len(named) != 1 or not isinstance(entry[named[0]], str):
        yield "settings: manager kubernetes needs exactly one of config_map and secret, with the object's name"
        return
    where = f"settings of {named[0]} {entry[named[0]]}"
    for key in sorted(set(entry) - {named[0], "values"}, key=str):
        yield f"{where}: unknown key {key!r}"
    if not isinstance(entry.get("values"), Mapping) or not entry["values"]:
        yield f"{where}: values is missing"


def _manager_problems(service: Mapping[str, Any]) -> Iterator[str]:
    manager = service.get("manager")
    for owner, (key, required, optional) in _MANAGER_KEYS.items():
        if owner != manager:
            if key in service:
                yield f"{key} is for manager {owner} only"
            continue
        given = service.get(key, {})
        if not isinstance(given, Mapping) or (required and not given):
            yield f"manager {manager} needs {key} with {' and '.join(required)}"
            return
        for name in sorted(set(given) - {*required, *optional}, key=str):
            yield f"{key}: unknown key {name!r}"
        for name in required:
            wanted_argv = key == "commands"
            if wanted_argv and not _is_argv(given.get(name)):
                yield f"{key}: {name} must be a list of words"
            elif not wanted_argv and (not isinstance(given.get(name), str) or not given[name]):
                yield f"{key}: {name} is missing"
        if manager == "kubernetes":
            yield from _workload_problems(given)
    found = [key for key in ("pid_file", "match") if service.get(key)]
    if manager in ("command", "sysvinit") and len(found) != 1:
        yield f"manager {manager} needs exactly one of pid_file and match"
    elif manager == "docker_compose" and found != ["match"]:
        yield "manager docker_compose needs match, a text of the command line of the container's process"
    elif manager == "supervisor" and len(found) > 1:
        yield "manager supervisor takes at most one of pid_file and match"
    elif manager in ("systemd", "kubernetes") and found:
        yield f"{found[0]} is not for manager {manager}"


def _workload_problems(given: Mapping[str, Any]) -> Iterator[str]:
    try:
        _choice({"kind": "Deployment", **given}, "kind", WORKLOADS)
    except SettingsError as error:
        yield f"kubernetes: {error}"
    replicas = given.get("replicas", 1)
    if isinstance(replicas, bool) or not isinstance(replicas, int) or replicas < 1:
        yield "kubernetes: replicas must be a whole number, 1 or more"


def _health_problems(service: Mapping[str, Any]) -> Iterator[str]:
    if "health" not in service:
        return
    health = service["health"]
    if not isinstance(health, Mapping) or set(health) not in ({"command"}, {"argv"}):
        yield "health needs exactly one of command and argv"
    elif "argv" in health and not _is_argv(health["argv"]):
        yield "health: argv must be a list of words"
    elif "command" in health and (not isinstance(health["command"], str) or not health["command"].strip()):
        yield "health: command must be a command line"


def _log_problems(service: Mapping[str, Any]) -> Iterator[str]:
    logs = service.get("logs", [])
    if not _is_list(logs):
        yield "logs must be a list of files"
        return
    for entry in logs:
        if entry == JOURNAL:
            if service.get("manager") != "systemd":
                yield f"logs: {JOURNAL} is for manager systemd only"
        elif not isinstance(entry, str) or not entry.startswith("/"):
            yield f"logs: {entry!r} must be an absolute path, or {JOURNAL}"
        elif service.get("manager") == "kubernetes":
            yield f"logs: {entry} is not for manager kubernetes: its pods run elsewhere"


def _scale_out_problems(service: Mapping[str, Any], phases: Sequence[str]) -> Iterator[str]:
    second = service.get("scale_out")
    if second is None:
        if "scale_out" in phases and service.get("role") in ("consumer", "both"):
            yield "scale_out is missing: name the second instance that the phase scale_out starts on the target"
        return
    if not isinstance(second, Mapping) or not isinstance(second.get("name"), str) or not second["name"]:
        yield "scale_out: name is missing"
        return
    for key in sorted(set(second) - _OWN_KEYS, key=str):
        yield f"scale_out: unknown key {key!r}"
    for problem in _instance_problems(instances(service)[1]):
        yield f"scale_out: {problem}"
    for path in sorted(_paths(service) & _paths(second)):
        yield f"scale_out: {path} is a file of the first instance; the second one needs its own"


def _confusions(services: Sequence[Any]) -> Iterator[str]:
    """Instances of a host that cannot be told from each other: one would be stopped, or verified, as the other."""
    found = [
        instance
        for service in services
        if isinstance(service, Mapping) and isinstance(service.get("scale_out", {}), Mapping)
        for instance in instances(service)
        if isinstance(instance.get("name"), str)
    ]
    for index, one in enumerate(found):
        for other in found[index + 1 :]:
            what = _confusion(one, other)
            if what:
                yield f"service {one['name']}: cannot be told from {other['name']}: {what}"


def _confusion(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    texts = str(one.get("match") or ""), str(other.get("match") or "")
    if all(texts) and (texts[0] in texts[1] or texts[1] in texts[0]):
        return "what one has as match is in that of the other"
    if one.get("pid_file") and one.get("pid_file") == other.get("pid_file"):
        return "they have the same pid_file"
    for manager, keys in _PLACE_KEYS.items():
        if all(isinstance(instance.get(manager), Mapping) for instance in (one, other)) and (
            _place(one, manager, keys) == _place(other, manager, keys)
        ):
            return f"{manager} knows them as one"
    shared = set(_object_keys(one)) & set(_object_keys(other))
    if shared:
        _namespace, kind, name, key = min(shared)
        return f"they share the key {key} of the {kind} {name}"
    return ""


def _place(instance: Mapping[str, Any], manager: str, keys: Sequence[str]) -> list[object]:
    given = {"kind": "Deployment", "name": instance["name"], **instance[manager]}
    return [given.get(key) for key in keys]


def _object_keys(instance: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Namespace, kind, name and key of each of an instance's settings on Kubernetes."""
    place, settings = instance.get("kubernetes"), instance.get("settings")
    if not isinstance(place, Mapping) or not isinstance(settings, Sequence):
        return
    for entry in settings:
        for kind in ("config_map", "secret"):
            if isinstance(entry, Mapping) and isinstance(entry.get(kind), str):
                for key in entry["values"] if isinstance(entry.get("values"), Mapping) else ():
                    yield str(place.get("namespace")), kind, entry[kind], str(key)


def _paths(service: Mapping[str, Any]) -> set[str]:
    settings = service.get("settings")
    entries = settings if isinstance(settings, Sequence) and not isinstance(settings, (str, bytes)) else []
    return {str(entry["path"]) for entry in entries if isinstance(entry, Mapping) and "path" in entry}


def _access(
    phase: str, listed: Sequence[str], listeners: Mapping[str, Mapping[str, Any]], both: Mapping[str, Any]
) -> dict[str, str]:
    """Return the username, password and truststore of a phase."""
    if len(listed) == 1:
        owner = _VARIABLE_OF[listed[0]]
        return {key: _text(listeners[listed[0]], key, owner) for key in ("username", "password", "truststore")}
    own = {name: {key: _text(broker, key, _VARIABLE_OF[name]) for key in _ACCESS} for name, broker in listeners.items()}
    given = {key: _text(both, key, "mq_both") for key in _ACCESS}
    source, target = own["source"], own["target"]
    if not given["username"]:
        if given["password"]:
            raise SettingsError("mq_both: username is missing")
        for key in ("username", "password"):
            if source["username"] and source[key] != target[key]:
                raise SettingsError(
                    f"phase {phase} lists both brokers, but a list has one pair of credentials and the {key}s of"
                    " mq_source and mq_target differ; give a pair that is valid on both in mq_both"
                )
    if not given["truststore"] and source["truststore"] and source["truststore"] != target["truststore"]:
        raise SettingsError(
            f"phase {phase} lists both brokers, but a client has one truststore and those of mq_source and mq_target"
            " differ; give one that holds the authorities of both in mq_both"
        )
    pair = given if given["username"] else target
    return {
        "username": pair["username"],
        "password": pair["password"],
        "truststore": given["truststore"] or target["truststore"],
    }


def _is_argv(value: object) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(word, str) for word in value)


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


def _mapping(broker: Mapping[str, Any], key: str, name: str) -> Mapping[str, Any]:
    value = broker.get(key)
    if not isinstance(value, Mapping):
        raise SettingsError(f"{name}: {key} must be a mapping with endpoints")
    return value


def _endpoints(broker: Mapping[str, Any], variable: str, protocol: str | None) -> list[str]:
    try:
        urls = select(broker.get("endpoints") or [], protocol)
    except FailoverUrlError as error:
        raise SettingsError(f"{variable}: {error}") from error
    if not urls:
        wanted = f" for protocol {protocol}" if protocol else ""
        raise SettingsError(f"{variable} has no endpoints{wanted}")
    return urls


def _host(url: str) -> Host:
    endpoint = parse_endpoint(url)
    return Host(host=endpoint.host, port=endpoint.port, address=endpoint.address, tls=endpoint.tls)
