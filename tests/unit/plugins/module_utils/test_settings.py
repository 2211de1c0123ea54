# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._settings import (
    PHASES,
    SettingsError,
    client_settings,
    instances,
    target_first,
    validate_services,
)

SOURCE: dict[str, Any] = {
    "name": "onprem",
    "endpoints": ["tcp://source.lab:61616", "stomp://source.lab:61613"],
    "view": {"type": "jolokia"},
}
TARGET: dict[str, Any] = {
    "name": "lab-target",
    "endpoints": ["ssl://b-1:61617", "ssl://b-2:61617", "stomp+ssl://b-1:61614", "stomp+ssl://b-2:61614"],
    "username": "app",
    "password": "hunter2hunter2",
    "truststore": "/etc/ca.p12",
}
SERVICE: dict[str, Any] = {
    "name": "orders-api",
    "role": "producer",
    "manager": "systemd",
    "dialect": "activemq",
    "protocol": "openwire",
    "destinations": ["orders.new"],
    "settings": [{"path": "/etc/a.properties", "format": "properties", "values": {"broker.url": "x"}}],
}
STOMP = {**SERVICE, "dialect": "host_list", "protocol": "stomp"}

SOURCE_TCP = "tcp://source.lab:61616"
TARGET_SSL = ["ssl://b-1:61617", "ssl://b-2:61617"]


@pytest.mark.parametrize(
    ("phase", "endpoints", "expected", "outside"),
    [
        ("source", [SOURCE_TCP], ["source.lab:61616"], ["b-1:61617", "b-2:61617", "b-1:61614", "b-2:61614"]),
        ("both_source_first", [SOURCE_TCP, *TARGET_SSL], ["source.lab:61616"], []),
        ("both_target_first", [*TARGET_SSL, SOURCE_TCP], ["b-1:61617", "b-2:61617"], []),
        ("target", TARGET_SSL, ["b-1:61617", "b-2:61617"], ["source.lab:61616", "source.lab:61613"]),
    ],
)
def test_phases(phase: str, endpoints: list[str], expected: list[str], outside: list[str]) -> None:
    settings = client_settings(SERVICE, phase, SOURCE, TARGET)
    assert settings["endpoints"] == endpoints
    assert settings["url"].startswith(f"failover:({','.join(endpoints)})?")
    assert "randomize=false" in settings["url"]
    assert settings["expected"] == expected
    assert settings["outside"] == outside


def test_every_phase_is_tested() -> None:
    assert set(PHASES) == {"source", "both_source_first", "both_target_first", "target", *OTHER_PHASES}


OTHER_PHASES = ("source_tls", "scale_out", "random")
TLS = {"endpoints": ["ssl://source.lab:61617"], "username": "shop", "password": "s3cret", "truststore": "/etc/own.p12"}
HARDENED = {**SOURCE, "tls": TLS}


def test_the_hardened_source_has_listeners_and_credentials_of_its_own() -> None:
    settings = client_settings(SERVICE, "source_tls", HARDENED, TARGET)
    assert settings["endpoints"] == TLS["endpoints"]
    assert (settings["username"], settings["password"], settings["truststore"]) == ("shop", "s3cret", "/etc/own.p12")
    assert settings["expected"] == ["source.lab:61617"]
    assert settings["outside"] == ["source.lab:61616", "source.lab:61613", *ALL_OF_TARGET]
    plain = client_settings(SERVICE, "source", HARDENED, TARGET)
    assert plain["outside"] == [*ALL_OF_TARGET, "source.lab:61617"]
    assert "source.lab:61617" in client_settings(SERVICE, "target", HARDENED, TARGET)["outside"]
    inherited = {**SOURCE, "username": "shop", "password": "s3cret", "tls": {"endpoints": TLS["endpoints"]}}
    settings = client_settings(SERVICE, "source_tls", inherited, TARGET)
    assert (settings["username"], settings["password"]) == ("shop", "s3cret")


ALL_OF_TARGET = ["b-1:61617", "b-2:61617", "b-1:61614", "b-2:61614"]


def test_random_lists_both_brokers_and_any_will_do() -> None:
    settings = client_settings(SERVICE, "random", SOURCE, TARGET)
    assert "randomize=true" in settings["url"]
    assert settings["endpoints"] == [SOURCE_TCP, *TARGET_SSL]
    assert settings["expected"] == ["source.lab:61616", "b-1:61617", "b-2:61617"]
    assert settings["outside"] == []
    with pytest.raises(SettingsError, match="phase random: the dialect host_list has no place for options"):
        client_settings(STOMP, "random", SOURCE, TARGET)


def test_when_scaled_out_the_service_itself_stays_at_the_source() -> None:
    assert client_settings(SERVICE, "scale_out", SOURCE, TARGET) == client_settings(SERVICE, "source", SOURCE, TARGET)


@pytest.mark.parametrize("phase", ["both_source_first", "both_target_first", "random"])
def test_what_is_valid_on_both_brokers_can_be_given(phase: str) -> None:
    source = {**SOURCE, "username": "old", "password": "x", "truststore": "/etc/own.p12"}
    both = {"username": "migration", "password": "y", "truststore": "/etc/both.p12"}
    settings = client_settings(SERVICE, phase, source, TARGET, both)
    assert (settings["username"], settings["password"], settings["truststore"]) == ("migration", "y", "/etc/both.p12")
    assert client_settings(SERVICE, "target", source, TARGET, both)["username"] == "app"
    with pytest.raises(SettingsError, match="give a pair that is valid on both in mq_both"):
        client_settings(SERVICE, phase, source, TARGET, {"truststore": "/etc/both.p12"})
    with pytest.raises(SettingsError, match="a client has one truststore"):
        client_settings(SERVICE, phase, source, TARGET, {"username": "migration", "password": "y"})
    with pytest.raises(SettingsError, match="mq_both: username is missing"):
        client_settings(SERVICE, phase, SOURCE, TARGET, {"password": "y"})


def test_host_list() -> None:
    settings = client_settings(STOMP, "both_target_first", SOURCE, TARGET)
    assert settings["url"] == "b-1:61614,b-2:61614,source.lab:61613"
    assert settings["hosts"][0] == {"host": "b-1", "port": 61614, "address": "b-1:61614", "tls": True}
    assert [host["tls"] for host in settings["hosts"]] == [True, True, False]


@pytest.mark.parametrize("phase", sorted({*PHASES} - {"source_tls"}))
def test_credentials_are_the_targets_where_it_is_listed(phase: str) -> None:
    settings = client_settings(SERVICE, phase, SOURCE, TARGET)
    owner = {} if phase in ("source", "scale_out") else TARGET
    for key in ("username", "password", "truststore"):
        assert settings[key] == owner.get(key, "")


@pytest.mark.parametrize("phase", ["both_source_first", "both_target_first"])
def test_one_list_has_one_pair_of_credentials(phase: str) -> None:
    secured = {**SOURCE, "username": "app", "password": "other"}
    with pytest.raises(SettingsError, match="passwords of mq_source and mq_target differ") as caught:
        client_settings(SERVICE, phase, secured, TARGET)
    assert "hunter2" not in str(caught.value)
    same = {**SOURCE, "username": "app", "password": TARGET["password"]}
    assert client_settings(SERVICE, phase, same, TARGET)["username"] == "app"
    assert client_settings(SERVICE, "source", secured, TARGET)["password"] == "other"


def test_an_address_of_both_brokers_is_not_outside() -> None:
    source = {"endpoints": ["tcp://shared:1", "tcp://old:1"]}
    target = {"endpoints": ["ssl://shared:1"]}
    assert client_settings(SERVICE, "target", source, target)["outside"] == ["old:1"]


@pytest.mark.parametrize(
    ("service", "phase", "source", "target", "reason"),
    [
        (SERVICE, "soruce", SOURCE, TARGET, "unknown phase"),
        ({}, "source", SOURCE, TARGET, "dialect is missing"),
        ({**SERVICE, "dialect": "nmz"}, "source", SOURCE, TARGET, "unknown dialect"),
        ({**SERVICE, "protocol": ["stomp"]}, "source", SOURCE, TARGET, "unknown protocol"),
        (SERVICE, "target", SOURCE, {}, "mq_target has no endpoints for protocol openwire"),
        (SERVICE, "source", {"endpoints": ["stomp://h:1"]}, TARGET, "mq_source has no endpoints for protocol openwire"),
        (SERVICE, "source", {"endpoints": ["tcp://h"]}, TARGET, "mq_source: endpoint 'tcp://h' has no port"),
        (
            SERVICE,
            "source",
            {"endpoints": ["tcp://h:1"], "password": 5},
            TARGET,
            "mq_source: password must be a string",
        ),
        (SERVICE, "both_source_first", {"endpoints": [TARGET_SSL[0]]}, TARGET, "twice"),
        (SERVICE, "source", SOURCE, {}, "mq_target has no endpoints"),
        (SERVICE, "source_tls", SOURCE, TARGET, "mq_source: tls must be a mapping with endpoints"),
        (SERVICE, "target", {**SOURCE, "tls": {}}, TARGET, "mq_source.tls has no endpoints"),
    ],
)
def test_refused(service: Any, phase: str, source: Any, target: Any, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        client_settings(service, phase, source, target)


def test_a_right_inventory_has_no_problems() -> None:
    assert validate_services([SERVICE, {**STOMP, "name": "billing"}], SOURCE, TARGET, ["both_source_first"]) == []
    assert validate_services([], SOURCE, TARGET) == []


COMMAND = {**SERVICE, "manager": "command", "pid_file": "/run/a.pid", "commands": {"start": ["a"], "stop": ["b"]}}


def test_command_manager() -> None:
    assert validate_services([COMMAND], SOURCE, TARGET) == []


KUBERNETES = {
    **SERVICE,
    "manager": "kubernetes",
    "kubernetes": {"namespace": "shop"},
    "settings": [
        {"config_map": "orders", "values": {"BROKER_URL": "x"}},
        {"secret": "orders", "values": {"PASS": "x"}},
    ],
}
SYSVINIT = {**SERVICE, "manager": "sysvinit", "pid_file": "/run/a.pid"}
COMPOSE = {"manager": "docker_compose", "docker_compose": {"project_src": "/srv/shop", "service": "api"}}


@pytest.mark.parametrize(
    "service",
    [
        SYSVINIT,
        {**SERVICE, "manager": "supervisor"},
        {**SERVICE, "manager": "supervisor", "match": "x", "supervisor": {"config": "/etc/supervisord.conf"}},
        {**SERVICE, **COMPOSE, "match": "api.jar"},
        KUBERNETES,
        {**SERVICE, "health": {"command": "/usr/bin/orders-api --health"}},
        {**SERVICE, "health": {"argv": ["/usr/bin/orders-api", "--health"]}},
        {**SERVICE, "logs": ["/var/log/orders-api.log", "journal"]},
    ],
)
def test_managers_and_health(service: dict[str, Any]) -> None:
    assert validate_services([service], SOURCE, TARGET) == []
    assert validate_services([service], SOURCE, TARGET, ["source"]) == []


WORKER = {
    **SERVICE,
    "role": "both",
    "scale_out": {"name": "orders-api-b", "settings": [{**SERVICE["settings"][0], "path": "/etc/b.properties"}]},
}


def test_a_second_instance() -> None:
    assert validate_services([WORKER], SOURCE, TARGET, ["scale_out"]) == []
    assert validate_services([SERVICE], SOURCE, TARGET, ["scale_out"]) == []  # a producer needs none
    second = {**COMMAND, "name": "b", "settings": WORKER["scale_out"]["settings"]}
    second = {**{key: second[key] for key in ("name", "settings", "commands")}, "pid_file": "/run/b.pid"}
    service = {**COMMAND, "scale_out": second}
    assert validate_services([service], SOURCE, TARGET, ["scale_out"]) == []
    first, other = instances(service)
    assert first == COMMAND
    assert other == {
        **{key: COMMAND[key] for key in ("role", "manager", "dialect", "protocol", "destinations")},
        **second,
    }


def on_kubernetes(service: str, key: str, **place: Any) -> dict[str, Any]:
    settings = [{"config_map": "shop", "values": {key: "{{ mq_url }}"}}]
    place = {"namespace": "shop", **place}
    return {**SERVICE, "name": service, "manager": "kubernetes", "kubernetes": place, "settings": settings}


COMPOSE = {"manager": "docker_compose", "docker_compose": {"project_src": "/srv/shop", "service": "api"}}
NAMED_BY_MATCH = {key: value for key, value in COMMAND.items() if key != "pid_file"}


@pytest.mark.parametrize(
    ("one", "other", "problem"),
    [
        (COMMAND, COMMAND, "they have the same pid_file"),
        (
            {**NAMED_BY_MATCH, "match": "/opt/shop.jar"},
            {**NAMED_BY_MATCH, "match": "/opt/shop.jar --name b"},
            "what one has as match is in that of the other",
        ),
        (
            {**SERVICE, **COMPOSE, "match": "name a"},
            {**SERVICE, **COMPOSE, "match": "name b"},
            "docker_compose knows them as one",
        ),
        (on_kubernetes("a", "A", name="api"), on_kubernetes("b", "B", name="api"), "kubernetes knows them as one"),
        (on_kubernetes("a", "URL"), on_kubernetes("b", "URL"), "they share the key URL of the config_map shop"),
        (on_kubernetes("a", "A"), on_kubernetes("b", "B"), ""),
        (on_kubernetes("a", "URL"), on_kubernetes("b", "URL", namespace="test"), ""),
        (COMMAND, SERVICE, ""),
    ],
)
def test_services_that_cannot_be_told_from_each_other(one: Any, other: Any, problem: str) -> None:
    found = validate_services([{**one, "name": "a"}, {**other, "name": "b"}], SOURCE, TARGET)
    assert found == ([f"service a: cannot be told from b: {problem}"] if problem else [])
    # A second instance is one more of them.
    second = {
        key: value for key, value in other.items() if key in ("kubernetes", "docker_compose", "pid_file", "match")
    }
    settings = [{**entry, "path": "/etc/b"} if "path" in entry else entry for entry in other["settings"]]
    commands = {"commands": other["commands"]} if "commands" in other else {}
    if one.get("manager") == other.get("manager"):
        scaled = {**one, "name": "a", "scale_out": {**second, **commands, "settings": settings, "name": "b"}}
        assert validate_services([scaled], SOURCE, TARGET) == found


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        ({"kind": "Deploymnt"}, "unknown kind 'Deploymnt': use one of Deployment, StatefulSet"),
        ({"replicas": "two"}, "replicas must be a whole number, 1 or more"),
        ({"replicas": 0}, "replicas must be a whole number, 1 or more"),
        ({"replicas": True}, "replicas must be a whole number, 1 or more"),
    ],
)
def test_a_wrong_workload(place: dict[str, Any], problem: str) -> None:
    found = validate_services([on_kubernetes("a", "URL", **place)], SOURCE, TARGET)
    assert found == [f"service a: kubernetes: {problem}"]


def test_each_expected_address_is_somebodys() -> None:
    assert client_settings(SERVICE, "source_tls", HARDENED, TARGET)["broker_of"] == {"source.lab:61617": "mq_source"}
    assert set(client_settings(SERVICE, "both_target_first", SOURCE, TARGET)["broker_of"].values()) == {"mq_target"}
    assert client_settings(SERVICE, "random", SOURCE, TARGET)["broker_of"] == {
        "source.lab:61616": "mq_source",
        "b-1:61617": "mq_target",
        "b-2:61617": "mq_target",
    }


@pytest.mark.parametrize(
    ("service", "problem"),
    [
        ({**SERVICE, "role": "consumer"}, "service orders-api: scale_out is missing"),
        ({**WORKER, "scale_out": "b"}, "scale_out: name is missing"),
        ({**WORKER, "scale_out": {"name": "b"}}, "scale_out: settings is missing"),
        ({**WORKER, "scale_out": {**WORKER["scale_out"], "role": "both"}}, "scale_out: unknown key 'role'"),
        ({**WORKER, "scale_out": {**WORKER["scale_out"], "name": "orders-api"}}, "name is used twice on this host"),
        (
            {**WORKER, "scale_out": {**WORKER["scale_out"], "settings": SERVICE["settings"]}},
            "scale_out: /etc/a.properties is a file of the first instance",
        ),
        (
            {**SYSVINIT, "scale_out": WORKER["scale_out"]},
            "scale_out: manager sysvinit needs exactly one of pid_file and match",
        ),
    ],
)
def test_problems_of_a_second_instance(service: dict[str, Any], problem: str) -> None:
    found = validate_services([service], SOURCE, TARGET, ["scale_out"])
    assert len(found) == 1
    assert problem in found[0]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"role": "sender"}, "unknown role 'sender': use one of producer, consumer, both"),
        ({"role": None}, "role is missing: use one of producer, consumer, both"),
        ({"manager": "upstart"}, "unknown manager 'upstart'"),
        ({"dialect": "nmz"}, "unknown dialect 'nmz'"),
        ({"protocol": "mqqt"}, "unknown protocol 'mqqt'"),
        ({"protocol": "stomp"}, "dialect activemq does not speak protocol stomp"),
        ({"colour": 1}, "unknown key 'colour'"),
        ({"destinations": "orders"}, "destinations must be a list"),
        ({"destinations": [""]}, "destinations must be a list"),
        ({"settings": []}, "settings is missing"),
        ({"settings": None}, "settings is missing"),
        ({"settings": "x"}, "settings is missing"),
        ({"settings": ["x"]}, "settings must be a list of mappings"),
        ({"settings": [{"path": "etc/a"}]}, "path must be an absolute path"),
        ({"settings": SERVICE["settings"] * 2}, "/etc/a.properties is listed twice"),
        (
            {"settings": [{**SERVICE["settings"][0], "format": "tomml"}]},
            "settings of /etc/a.properties: unknown format",
        ),
        ({"settings": [{**SERVICE["settings"][0], "values": {}}]}, "settings of /etc/a.properties: values is missing"),
        ({"settings": [{**SERVICE["settings"][0], "mode": 1}]}, "settings of /etc/a.properties: unknown key 'mode'"),
        (
            {"settings": [{**SERVICE["settings"][0], "format": "template"}]},
            "settings of /etc/a.properties: src is missing",
        ),
        ({"manager": "command"}, "manager command needs commands"),
        ({**COMMAND, "commands": {"start": ["a"]}}, "commands: stop must be a list of words"),
        ({**COMMAND, "commands": {"start": "a b", "stop": ["b"]}}, "commands: start must be a list of words"),
        ({**COMMAND, "commands": {**COMMAND["commands"], "kill": ["c"]}}, "commands: unknown key 'kill'"),
        ({**COMMAND, "match": "x"}, "exactly one of pid_file and match"),
        ({**COMMAND, "pid_file": ""}, "exactly one of pid_file and match"),
        ({"commands": COMMAND["commands"]}, "commands is for manager command only"),
        ({"match": "x"}, "match is not for manager systemd"),
        ({"manager": "sysvinit"}, "manager sysvinit needs exactly one of pid_file and match"),
        ({"manager": "supervisor", "match": "x", "pid_file": "/x"}, "at most one of pid_file and match"),
        ({"manager": "supervisor", "supervisor": {"port": 1}}, "supervisor: unknown key 'port'"),
        (COMPOSE, "manager docker_compose needs match"),
        ({**COMPOSE, "match": "x", "docker_compose": {"service": "x"}}, "docker_compose: project_src is missing"),
        ({**COMPOSE, "match": "x", "docker_compose": None}, "needs docker_compose with project_src and service"),
        ({**KUBERNETES, "kubernetes": {"namespace": ""}}, "kubernetes: namespace is missing"),
        ({**KUBERNETES, "settings": SERVICE["settings"]}, "needs exactly one of config_map and secret"),
        ({**KUBERNETES, "settings": [{"secret": "a", "values": {}}]}, "settings of secret a: values is missing"),
        (
            {**KUBERNETES, "settings": [{"secret": "a", "values": {"b": 1}, "path": "/c"}]},
            "settings of secret a: unknown key 'path'",
        ),
        ({"health": "x"}, "health needs exactly one of command and argv"),
        ({"logs": "/var/log/a.log"}, "logs must be a list of files"),
        ({"logs": ["a.log"]}, "logs: 'a.log' must be an absolute path, or journal"),
        ({"manager": "sysvinit", "pid_file": "/run/a.pid", "logs": ["journal"]}, "journal is for manager systemd only"),
        ({"health": {"command": "x", "argv": ["x"]}}, "health needs exactly one of command and argv"),
        ({"health": {"command": " "}}, "health: command must be a command line"),
        ({"health": {"argv": "x"}}, "health: argv must be a list of words"),
    ],
)
def test_problems_name_the_service_and_the_key(change: dict[str, Any], problem: str) -> None:
    found = validate_services([{**copy.deepcopy(SERVICE), **change}], SOURCE, TARGET)
    assert len(found) == 1
    assert found[0].startswith("service orders-api: ")
    assert problem in found[0]


def test_all_problems_are_found_at_once() -> None:
    problems = validate_services(
        ["x", {"role": "both"}, {**SERVICE, "role": "x"}, {**SERVICE, "settings": 1}], SOURCE, TARGET
    )
    assert [problem.partition(":")[0] for problem in problems] == [
        "service number 1",
        "service number 2",
        "service orders-api",
        "service orders-api",
        "service orders-api",
    ]
    assert "service orders-api: name is used twice on this host" in problems


def test_problems_of_the_brokers() -> None:
    assert validate_services("x", SOURCE, TARGET) == ["mq_services must be a list of services"]
    assert validate_services([SERVICE], [], TARGET) == ["mq_source must be a mapping"]  # type: ignore[arg-type]  # wrong on purpose
    assert validate_services([SERVICE], SOURCE, None) == ["mq_target must be a mapping"]  # type: ignore[arg-type]  # wrong on purpose
    assert validate_services([SERVICE], SOURCE, TARGET, (), 5) == ["mq_both must be a mapping"]  # type: ignore[arg-type]  # wrong on purpose
    assert validate_services([], SOURCE, TARGET, ["targte"]) == [
        f"unknown phase 'targte': use one of {', '.join(PHASES)}"
    ]
    found = validate_services([SERVICE], SOURCE, {"endpoints": []})
    assert found == [
        "service orders-api: mq_target has no endpoints",
        "service orders-api: mq_target has no endpoints for protocol openwire",
    ]


def test_a_phase_has_its_own_problems() -> None:
    secured = {**SOURCE, "username": "other"}
    assert validate_services([SERVICE], secured, TARGET) == []
    found = validate_services([SERVICE], secured, TARGET, ["both_source_first"])
    assert len(found) == 1
    assert "one pair of credentials" in found[0]


# --- target_first ----------------------------------------------------------------------------------------------------


def test_target_first() -> None:
    assert target_first({"app2": ["a"], "app1": ["a"]}, 0.5) == ["app1"]
    assert target_first({"app1": ["a"], "app2": ["b"], "app3": ["a", "b"], "app4": ["c"]}, 0.5) != []
    assert target_first({}, 0.5) == []
    assert len(target_first({f"h{number:03}": ["a"] for number in range(100)}, 0.3)) == 30


@pytest.mark.parametrize("share", [0, 1, -1, 2, True, "0.5", float("nan")])
def test_share_out_of_range(share: Any) -> None:
    with pytest.raises(SettingsError, match="share"):
        target_first({"app1": ["a"]}, share)


def test_not_a_mapping() -> None:
    with pytest.raises(SettingsError, match="mapping"):
        target_first(["app1"], 0.5)  # type: ignore[arg-type]  # wrong on purpose


def test_an_impossible_split_is_an_error() -> None:
    with pytest.raises(SettingsError, match="no split"):
        target_first({"h1": ["x", "y"], "h2": ["x", "z"], "h3": ["y", "z"]}, 0.5)


@given(
    st.dictionaries(st.sampled_from("ABCDEFGHIJ"), st.lists(st.sampled_from("abcd"), max_size=3)),
    st.floats(min_value=0.05, max_value=0.95),
)
def test_each_service_is_on_both_sides_or_no_split_exists(fleet: dict[str, list[str]], share: float) -> None:
    hosts = sorted(fleet)
    groups = [{host for host in hosts if name in fleet[host]} for name in "abcd"]
    groups = [group for group in groups if len(group) > 1]
    try:
        chosen = set(target_first(fleet, share))
    except SettingsError:
        for bits in range(1 << len(hosts)):
            side = {host for index, host in enumerate(hosts) if bits >> index & 1}
            assert any(group <= side or not group & side for group in groups)
        return
    assert chosen <= set(hosts)
    assert all(group & chosen and group - chosen for group in groups)
    assert target_first(dict(reversed(list(fleet.items()))), share) == sorted(chosen)
