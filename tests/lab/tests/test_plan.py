# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab consists of, and what is written for it, without bringing one up."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
import yaml

from lab import brokers, inventory, network, plan
from lab.hosts import NamespaceHost, ProcessHost, Unit
from lab.inventory import Endpoints
from lab.services.python.service import Broker, Host, read_broker
from lab.shell import LabError
from lab.software import Software

ENDPOINTS = Endpoints.of(source="source.lab", targets=["one.lab", "two.lab"])
PLANS = [plan.DEMO, plan.SLOW, plan.FULL, plan.FORMATS]


@pytest.mark.parametrize("chosen", PLANS, ids=lambda chosen: chosen.name)
def test_hosts_have_numbers_of_their_own(chosen: plan.Plan) -> None:
    numbers = list(chosen.numbers.values())
    assert len(set(numbers)) == len(numbers)
    assert plan.CONTROLLER_NUMBER not in numbers
    assert all(1 < number < 255 for number in numbers)


def test_the_demo_has_the_services_that_it_promises() -> None:
    services = plan.DEMO.services
    assert len(services) == 6
    assert [item.language for item in services].count("java") == 3
    assert {item.role for item in services} == {"producer", "consumer", "both"}
    assert len(plan.FULL.services) == 13


def test_every_message_has_a_reader() -> None:
    for chosen in PLANS:
        written = {url for item in chosen.services for url in (*item.produce, item.forward) if url}
        assert written == {url for item in chosen.services for url in item.consume}


def test_an_unknown_plan_is_refused_with_the_known_ones() -> None:
    with pytest.raises(LabError, match="no plan huge; there are demo"):
        plan.named("huge")


def test_only_brokers_listen() -> None:
    assert plan.ports("source") == (61616, 61613, 61617, 61614, 8161)
    assert plan.ports("target-1") == plan.ports("target-2") == (61617, 61614, 5671, 8883, 61619, 8162)
    assert plan.ports("target-1", {"ssl", "stomp+ssl"}) == (61617, 61614, 8162)
    assert plan.ports("orders-1") == ()


def test_the_hosts_file_has_a_line_for_each_address() -> None:
    text = network.hosts_file({"10.0.0.1": ["a.lab", "a"], "10.0.0.2": ["b.lab"]})
    assert text == "127.0.0.1 localhost\n10.0.0.1 a.lab a\n10.0.0.2 b.lab\n"


def test_endpoints_are_those_of_source_and_pair() -> None:
    assert ENDPOINTS.source == ["tcp://source.lab:61616", "stomp://source.lab:61613"]
    assert [url for url in ENDPOINTS.target if url.startswith("ssl:")] == ["ssl://one.lab:61617", "ssl://two.lab:61617"]
    assert ENDPOINTS.target_consoles == ["https://one.lab:8162/api/jolokia", "https://two.lab:8162/api/jolokia"]


def test_a_service_of_a_process_host_has_commands_and_a_pid_file(tmp_path: Path) -> None:
    placement = plan.DEMO.services[0]
    host = ProcessHost(placement.host, "127.0.0.9", tmp_path, lab_id="test")
    entry = inventory.service_entry(placement, host, ["lab"])
    assert entry["manager"] == "command"
    assert entry["commands"]["stop"] == ["lab", "unit", "stop", "orders-1", "orders-api"]
    assert entry["pid_file"] == str(tmp_path / "units/orders-api.pid")
    assert entry["settings"][0]["path"] == str(tmp_path / "root/etc/orders-api/application.properties")


@pytest.mark.parametrize(
    "placement", [item for item in plan.FORMATS.services if item.language == "python"], ids=lambda item: item.format
)
def test_a_service_reads_its_first_settings(placement: plan.Placement, tmp_path: Path) -> None:
    path = tmp_path / Path(placement.settings_path).name
    for chosen, user, password in (
        (plan.DEMO, None, None),
        (plan.FORMATS, plan.OLD_USER, plan.OLD_PASSWORD),
    ):
        path.write_text(inventory.first_settings(placement, ENDPOINTS, chosen))
        assert read_broker(str(path), {}) == Broker((Host("source.lab", 61613, tls=False),), user, password)


def test_each_manager_of_a_namespace_host_is_told_how_to_find_a_service(tmp_path: Path) -> None:
    entries = {}
    for item in plan.FORMATS.services:
        host = NamespaceHost(item.host, "10.0.0.9", tmp_path, lab_id="test", shared=tmp_path)
        entries[item.host] = inventory.service_entry(item, host, ["lab"])
    assert {entry["manager"] for entry in entries.values()} == {"systemd", "sysvinit", "supervisor", "command"}
    assert entries["worker-1"]["pid_file"] == "/run/order-worker.pid"
    assert entries["billing-1"]["supervisor"]["config"] == "/etc/supervisor/supervisord.conf"
    assert entries["notifier-3"]["commands"]["stop"] == ["systemctl", "stop", "notifier"]


def test_an_init_script_and_a_section_of_supervisord(tmp_path: Path) -> None:
    host = NamespaceHost("h", "10.0.0.9", tmp_path, lab_id="test", shared=tmp_path)
    host.install(Unit("api", ["/bin/api", "a b"], {"A": "x y"}, "/etc/api/env", manager="sysvinit"))
    script = tmp_path / "seed/etc/init.d/api"
    assert script.stat().st_mode & 0o777 == 0o755
    assert "--startas /bin/api -- 'a b'" in script.read_text()
    assert "export A='x y'" in script.read_text()
    subprocess.run(["sh", "-n", str(script)], check=True)
    host.install(Unit("api", ["/bin/api", "100%"], manager="supervisor"))
    assert "command=/bin/api 100%%" in (tmp_path / "seed/etc/supervisor/conf.d/api.conf").read_text()


def test_what_a_service_prints_is_in_a_file_that_the_inventory_names(tmp_path: Path) -> None:
    host = NamespaceHost("h", "10.0.0.9", tmp_path, lab_id="test", shared=tmp_path)
    log = host.log_file("api")
    host.install(Unit("api", ["/bin/api", "100% $x"], log=log))
    unit = (tmp_path / "seed/etc/systemd/system/api.service").read_text()
    assert f"StandardOutput=append:{log}\n" in unit
    assert 'ExecStart="/bin/api" "100%% $$x"\n' in unit
    host.install(Unit("api", ["/bin/api"], manager="sysvinit", log=log))
    assert f"--output {log} " in (tmp_path / "seed/etc/init.d/api").read_text()
    host.install(Unit("api", ["/bin/api"], manager="supervisor", log=log))
    assert f"stdout_logfile={log}\n" in (tmp_path / "seed/etc/supervisor/conf.d/api.conf").read_text()
    placement = plan.DEMO.services[0]
    assert inventory.service_entry(placement, host, ["lab"])["logs"] == [host.log_file(placement.name)]
    process_host = ProcessHost("h", "127.0.0.9", tmp_path, lab_id="test")
    assert inventory.service_entry(placement, process_host, ["lab"])["logs"] == [process_host.log_file(placement.name)]


def test_a_service_of_a_namespace_host_is_a_systemd_unit(tmp_path: Path) -> None:
    placement = plan.DEMO.services[0]
    host = NamespaceHost(placement.host, "10.0.0.9", tmp_path, lab_id="test", shared=tmp_path)
    entry = inventory.service_entry(placement, host, ["lab"])
    assert entry["manager"] == "systemd"
    assert "commands" not in entry
    assert entry["settings"][0]["path"] == "/etc/orders-api/application.properties"


@pytest.mark.parametrize("placement", plan.DEMO.services, ids=lambda item: item.host)
def test_the_first_settings_hold_the_keys_that_the_migration_sets(placement: plan.Placement, tmp_path: Path) -> None:
    text = inventory.first_settings(placement, ENDPOINTS, plan.DEMO)
    host = ProcessHost(placement.host, "127.0.0.9", tmp_path, lab_id="test")
    keys = inventory.service_entry(placement, host, [])["settings"][0]["values"]
    if placement.format == "yaml":
        broker = yaml.safe_load(text)["broker"]
        assert {f"broker.{key}" for key in broker} == set(keys)
        assert broker["hosts"] == [{"host": "source.lab", "port": 61613, "tls": False}]
    else:
        pairs = dict(line.split("=", 1) for line in text.splitlines() if not line.startswith("#"))
        assert set(pairs) == set(keys)
        assert any("source.lab:616" in shlex.split(value)[0] for value in pairs.values() if value)


@pytest.mark.parametrize(("kind", "schemes"), [("apache", set(plan.LISTENERS)), ("debian", {"ssl", "stomp+ssl"})])
def test_the_target_listens_on_what_its_software_has(
    kind: Literal["apache", "debian"], schemes: set[str], tmp_path: Path
) -> None:
    found = Software(kind, "5.18.3", Path("/home"))
    user: brokers.User = {"name": "console", "password": "secret"}
    brokers.Broker("one", "10.0.0.1", found, tmp_path, user, tmp_path / "one.p12", store=tmp_path / "store").render()
    connectors = ElementTree.parse(tmp_path / "conf/activemq.xml").iter(
        "{http://activemq.apache.org/schema/core}transportConnector"
    )
    urls = {item.attrib["name"]: urlsplit(item.attrib["uri"]) for item in connectors}
    assert {(url.scheme, url.port) for url in urls.values()} == {(name, plan.LISTENERS[name]) for name in schemes}
    assert {"openwire", "stomp"} <= urls.keys()
