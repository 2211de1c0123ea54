# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory and the Ansible configuration of a running lab: what a user of the collection would write by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from lab import plan, shell
from lab.hosts import SUPERVISOR, SUPERVISOR_CONFIG, Host, ProcessHost

if TYPE_CHECKING:
    from lab.lab import Lab


@dataclass(frozen=True)
class Endpoints:
    """The brokers as clients see them."""

    source: Sequence[str]
    source_tls: Sequence[str]
    source_console: str
    target: Sequence[str]
    target_consoles: Sequence[str]

    @classmethod
    def of(cls, *, source: str, targets: Sequence[str]) -> Endpoints:
        """Endpoints from the names of the brokers' hosts."""
        return cls(
            source=[f"tcp://{source}:{plan.OPENWIRE}", f"stomp://{source}:{plan.STOMP}"],
            source_tls=[f"ssl://{source}:{plan.OPENWIRE_TLS}", f"stomp+ssl://{source}:{plan.STOMP_TLS}"],
            source_console=f"http://{source}:{plan.CONSOLE}/api/jolokia",
            target=[
                *(f"ssl://{name}:{plan.OPENWIRE_TLS}" for name in targets),
                *(f"stomp+ssl://{name}:{plan.STOMP_TLS}" for name in targets),
            ],
            target_consoles=[f"https://{name}:{plan.CONSOLE_TLS}/api/jolokia" for name in targets],
        )


_MAPPING = {
    "broker.hosts": "{{ mq_hosts }}",
    "broker.username": "{{ mq_username }}",
    "broker.password": "{{ mq_password }}",
}
#: What the settings file of a service holds, by its format: key -> template.
SETTINGS: Mapping[plan.Format, Mapping[str, str]] = {
    "properties": {
        "broker.url": "{{ mq_url }}",
        "broker.username": "{{ mq_username }}",
        "broker.password": "{{ mq_password }}",
    },
    "yaml": _MAPPING,
    "json": _MAPPING,
    "toml": _MAPPING,
    "ini": {
        "broker.hosts": "{{ mq_url }}",
        "broker.tls_hosts": "{{ mq_hosts | selectattr('tls') | map(attribute='address') | join(',') }}",
        "broker.username": "{{ mq_username }}",
        "broker.password": "{{ mq_password }}",
    },
    "xml": {
        f"//bean[@id='connectionFactory']/property[@name='{name}']/@value": f"{{{{ {variable} }}}}"
        for name, variable in {"brokerURL": "mq_url", "userName": "mq_username", "password": "mq_password"}.items()
    },
}
_ENVIRONMENT: Mapping[str, Mapping[str, str]] = {
    "java": {
        "BROKER_URL": "{{ mq_url }}",
        "BROKER_USERNAME": "{{ mq_username }}",
        "BROKER_PASSWORD": "{{ mq_password }}",
    },
    "python": {
        "STOMP_HOSTS": "{{ mq_url }}",
        "STOMP_TLS_HOSTS": "{{ mq_hosts | selectattr('tls') | map(attribute='address') | join(',') }}",
        "STOMP_USERNAME": "{{ mq_username }}",
        "STOMP_PASSWORD": "{{ mq_password }}",
    },
}


_COMMENT = "# broker of the shop\n"


def first_settings(placement: plan.Placement, endpoints: Endpoints, chosen: plan.Plan) -> str:
    """The settings file of a service before any migration: the source, with the credentials that it demands."""
    openwire, stomp = (url for url in endpoints.source)
    host, port = stomp.partition("://")[2].rsplit(":", 1)
    user, password = _source_pair(chosen)
    broker = {"hosts": [{"host": host, "port": int(port), "tls": False}], "username": user, "password": password}
    templates = {
        "properties": f"{_COMMENT}broker.url=failover:({openwire})\n"
        f"broker.username={user}\nbroker.password={password}\n",
        "yaml": _COMMENT + yaml.safe_dump({"broker": broker}, sort_keys=False),
        "json": json.dumps({"broker": broker}, indent=2) + "\n",
        "toml": f'{_COMMENT}[broker]\nhosts = [{{ host = "{host}", port = {port}, tls = false }}]\n'
        f'username = "{user}"\npassword = "{password}"\n',
        "ini": f"{_COMMENT}[broker]\nhosts = {host}:{port}\ntls_hosts =\nusername = {user}\npassword = {password}\n",
        "xml": '<?xml version="1.0" encoding="UTF-8"?>\n<beans>\n  <!-- broker of the shop -->\n'
        '  <bean id="connectionFactory" class="org.apache.activemq.ActiveMQConnectionFactory">\n'
        f'    <property name="brokerURL" value="failover:({openwire})"/>\n'
        f'    <property name="userName" value="{user}"/>\n    <property name="password" value="{password}"/>\n'
        "  </bean>\n</beans>\n",
        "env": f'{_COMMENT}BROKER_URL="failover:({openwire})"\nBROKER_USERNAME={user}\nBROKER_PASSWORD={password}\n'
        if placement.language == "java"
        else f"{_COMMENT}STOMP_HOSTS={host}:{port}\nSTOMP_TLS_HOSTS=\n"
        f"STOMP_USERNAME={user}\nSTOMP_PASSWORD={password}\n",
    }
    return templates[placement.format]


def _source_pair(chosen: plan.Plan) -> tuple[str, str]:
    """The fleet's credentials at the source."""
    return (plan.OLD_USER, plan.OLD_PASSWORD) if chosen.guarded else ("", "")


def service_entry(placement: plan.Placement, host: Host, python: Sequence[str]) -> dict[str, Any]:
    """One item of mq_services."""
    values = _ENVIRONMENT[placement.language] if placement.format == "env" else SETTINGS[placement.format]
    entry: dict[str, Any] = {
        "name": placement.name,
        "role": placement.role,
        "manager": placement.manager,
        "dialect": "activemq" if placement.language == "java" else "host_list",
        "protocol": "openwire" if placement.language == "java" else "stomp",
        "destinations": placement.destinations,
        "settings": [
            {"path": host.inside(placement.settings_path), "format": placement.format, "values": dict(values)}
        ],
        "logs": [host.log_file(placement.name)],
    }
    if isinstance(host, ProcessHost):
        unit = [*python, "unit"]
        entry["manager"] = "command"
        entry["commands"] = {action: [*unit, action, host.name, placement.name] for action in ("start", "stop")}
        entry["pid_file"] = str(host.pid_file(placement.name))
        entry["health"] = {"argv": [*unit, "status", host.name, placement.name]}
    elif placement.manager == "sysvinit":
        entry["pid_file"] = f"/run/{placement.name}.pid"
        entry["health"] = {"argv": [f"/etc/init.d/{placement.name}", "status"]}
    elif placement.manager == "supervisor":
        entry["supervisor"] = {"config": SUPERVISOR_CONFIG, "supervisorctl": str(SUPERVISOR.with_name("supervisorctl"))}
    elif placement.manager == "command":
        entry["commands"] = {action: ["systemctl", action, placement.name] for action in ("start", "stop")}
        entry["match"] = f"--name {placement.name} "
        entry["health"] = {"command": f"systemctl --quiet is-active {placement.name}"}
    return entry


def write(lab: Lab, root: Path) -> None:
    """Write inventory.yml and ansible.cfg into the lab's folder."""
    clients: dict[str, Any] = {}
    for placement in lab.plan.services:
        host = lab.hosts[placement.host]
        entry = clients.setdefault(
            placement.host, {"ansible_host": host.address, "ansible_port": host.ssh_port, "mq_services": []}
        )
        entry["mq_services"].append(service_entry(placement, host, lab.command()))
    document = {"all": {"vars": _variables(lab), "children": {"mq_clients": {"hosts": clients}}}}
    header = "# Written when the lab came up.\n"
    shell.write(lab.folder / "inventory.yml", header + yaml.safe_dump(document, sort_keys=False, width=120), 0o600)
    shell.write(lab.folder / "ansible.cfg", _config(lab, root))


def _variables(lab: Lab) -> dict[str, Any]:
    ends = lab.endpoints
    user, password = _source_pair(lab.plan)
    app = {"username": plan.APP_USER, "password": plan.APP_PASSWORD}
    # A list of both brokers has one pair of credentials: the source was taught the target's beforehand.
    both = {"mq_both": app} if lab.plan.guarded else {}
    return {
        **both,
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(lab.ssh / "id"),
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={lab.ssh / 'known_hosts'} -o StrictHostKeyChecking=yes",
        "ansible_python_interpreter": "/usr/bin/python3",
        # The hosts do not know the lab's authority.
        "failover_test_ca_file": str(lab.pki / "ca.pem"),
        "mq_source": {
            "name": "onprem",
            "endpoints": list(ends.source),
            "username": user,
            "password": password,
            "tls": {"endpoints": list(ends.source_tls)},
            "view": {
                "type": "jolokia",
                "urls": [ends.source_console],
                "username": plan.SOURCE_CONSOLE_USER,
                "password": plan.SOURCE_CONSOLE_PASSWORD,
            },
        },
        "mq_target": {
            "name": plan.TARGET_NAME,
            "region": plan.REGION,
            "endpoints": list(ends.target),
            **app,
            "ca_file": str(lab.pki / "ca.pem"),
            "view": {
                "type": "jolokia",
                "urls": list(ends.target_consoles),
                "username": plan.CONSOLE_USER,
                "password": plan.CONSOLE_PASSWORD,
                "ca_file": str(lab.pki / "ca.pem"),
            },
        },
    }


def _config(lab: Lab, root: Path) -> str:
    return f"""[defaults]
inventory = {lab.folder / "inventory.yml"}
collections_path = {root / ".build/collections"}
local_tmp = {lab.folder / "tmp"}
forks = 8
host_key_checking = true
inject_facts_as_vars = false
display_skipped_hosts = false
retry_files_enabled = false

[ssh_connection]
pipelining = true
control_path_dir = {lab.sockets}
ssh_args = -o ControlMaster=auto -o ControlPersist=60s
"""
