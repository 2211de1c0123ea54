# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both programs against a real broker that is killed under them. LAB_ACTIVEMQ_HOME names another ActiveMQ to use."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from lab import ledger, services, software
from lab.pki import Authority
from lab.services import ServiceSpec
from lab.shell import wait_for

USERNAME, PASSWORD = "app", "p&ss:w=rd"
CONFIG = """<beans xmlns="http://www.springframework.org/schema/beans" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:schemaLocation="http://www.springframework.org/schema/beans
      http://www.springframework.org/schema/beans/spring-beans.xsd
      http://activemq.apache.org/schema/core http://activemq.apache.org/schema/core/activemq-core.xsd">
  <broker xmlns="http://activemq.apache.org/schema/core" brokerName="services" useJmx="false"
          dataDirectory="{folder}" schedulerSupport="false">
    <persistenceAdapter><kahaDB directory="{folder}/kahadb" journalMaxFileLength="4mb"/></persistenceAdapter>
    <plugins><simpleAuthenticationPlugin anonymousAccessAllowed="false"><users>
      <authenticationUser username="app" password="p&amp;ss:w=rd" groups="apps"/>
    </users></simpleAuthenticationPlugin></plugins>
    <sslContext>
      <sslContext keyStore="file:{pki}/broker.p12" keyStoreType="PKCS12" keyStorePassword="changeit"/>
    </sslContext>
    <transportConnectors>
      <transportConnector uri="tcp://127.0.0.1:{openwire}"/>
      <transportConnector uri="stomp://127.0.0.1:{stomp}"/>
      <transportConnector uri="ssl://127.0.0.1:{openwire_tls}"/>
      <transportConnector uri="stomp+ssl://127.0.0.1:{stomp_tls}"/>
    </transportConnectors>
  </broker>
</beans>
"""


def free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for dummy in range(count)]
    ports = [int(listener.getsockname()[1]) for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


@dataclass
class Broker:
    home: Path
    folder: Path
    pki: Authority
    ports: dict[str, int]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        config = self.folder / "activemq.xml"
        config.write_text(CONFIG.format(folder=self.folder, pki=self.pki.folder, **self.ports))
        properties = {"home": self.home, "base": self.folder, "conf": self.folder, "data": self.folder}
        with (self.folder / "broker.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["java", "-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
                + [f"-Dactivemq.{key}={value}" for key, value in properties.items()]
                + ["-jar", str(self.home / "bin/activemq.jar"), "start", f"xbean:file:{config}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_for(self.listens, 30, "the start of the broker")

    def listens(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "broker.log").read_text()
        try:
            socket.create_connection(("127.0.0.1", self.ports["stomp_tls"]), 1).close()
        except OSError:
            return False
        return True

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()


@dataclass
class Bench:
    """A folder with a ledger, a broker, and the services that were started."""

    folder: Path
    broker: Broker
    jars: list[Path]
    classes: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def control(self) -> Path:
        return self.folder / "produce"

    def spec(self, name: str, language: str, *, tls: bool = False) -> ServiceSpec:
        """A service with its configuration file and nothing to do yet."""
        path = self.folder / f"{name}.conf"
        trust = self.broker.pki.truststore if language == "java" else self.broker.pki.ca_file
        common = (name, str(path), self.folder / f"host.{name}.jsonl", self.control)
        if language == "java":
            port, scheme = (self.broker.ports["openwire_tls"], "ssl") if tls else (self.broker.ports["openwire"], "tcp")
            url = f"failover:({scheme}://127.0.0.1:{port})?maxReconnectDelay=200"
            path.write_text(f"broker.url={url}\nbroker.username={USERNAME}\nbroker.password={PASSWORD}\n")
            return ServiceSpec(common[0], "java", common[1], common[2], common[3], trust=trust if tls else None)
        port = self.broker.ports["stomp_tls" if tls else "stomp"]
        dead = free_ports(1)[0]
        path.write_text(
            f"broker:\n  hosts: [{{host: 127.0.0.1, port: {dead}}}, {{host: 127.0.0.1, port: {port}, tls: {tls}}}]\n"
            f"  username: {USERNAME}\n  password: {PASSWORD}\n"
        )
        return ServiceSpec(common[0], "python", common[1], common[2], common[3], trust=trust)

    def start(self, *specs: ServiceSpec) -> None:
        for spec in specs:
            java = spec.language == "java"
            command = (
                services.java_command(spec, self.classes, self.jars)
                if java
                else services.python_command(spec, sys.executable)
            )
            with (self.folder / f"{spec.name}.log").open("ab") as log:
                self.running[spec.name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def stop(self, *names: str) -> dict[str, float]:
        """SIGTERM; returns how long each took. Fails when one does not exit with 0."""
        begin = time.monotonic()
        took = {}
        for name in names:
            self.running[name].send_signal(signal.SIGTERM)
        for name in names:
            assert self.running.pop(name).wait(15) == 0, (self.folder / f"{name}.log").read_text()
            took[name] = time.monotonic() - begin
        return took

    def audit(self) -> ledger.Audit:
        return ledger.audit(ledger.read(self.folder))

    def count(self, event: str, name: str) -> int:
        path = self.folder / f"host.{name}.jsonl"
        return path.read_text().count(f'"ev":"{event}"') if path.exists() else 0

    def wait_for(self, count: int, event: str, *names: str) -> None:
        """Wait until each of the services has written so many events."""
        what = f"{count} {event} of {', '.join(names)}"
        wait_for(lambda: all(self.count(event, name) >= count for name in names), 20, what)


@pytest.fixture(scope="module")
def home() -> Path:
    given = os.environ.get("LAB_ACTIVEMQ_HOME")
    return Path(given) if given else software.find()[0]["target"].home


@pytest.fixture
def bench(home: Path, tmp_path: Path) -> Iterator[Bench]:
    pki = Authority.create(tmp_path / "pki")
    pki.issue("broker", ["127.0.0.1"])
    names = ["openwire", "stomp", "openwire_tls", "stomp_tls"]
    data = tmp_path / "broker"
    data.mkdir()
    broker = Broker(home, data, pki, dict(zip(names, free_ports(len(names)), strict=True)))
    jars = services.client_jars(home)
    bench = Bench(tmp_path, broker, jars, services.compile_java(jars, software.cache_folder()))
    try:
        broker.start()
        yield bench
    finally:
        for process in bench.running.values():
            process.kill()
            process.wait()
        broker.kill()


def test_nothing_is_lost_when_the_broker_is_killed(bench: Bench) -> None:
    new, done, bulk, batch = "queue://orders.new", "queue://orders.done", "queue://bulk", "queue://batch"
    producers = (
        replace(bench.spec("shop", "java"), produce=(new,), rate=100),
        replace(bench.spec("importer", "python", tls=True), produce=(bulk,), rate=100, burst=20, transacted=10),
        replace(bench.spec("exporter", "java", tls=True), produce=(batch,), rate=100, transacted=7),
    )
    workers = (
        replace(bench.spec("picker", "python", tls=True), consume=(new,), forward=done),
        replace(bench.spec("mailer", "java", tls=True), consume=(done,), transacted=5),
        replace(bench.spec("loader", "java"), consume=(bulk,), forward="queue://loaded", transacted=6),
        replace(bench.spec("stock", "python"), consume=("queue://loaded", batch), transacted=4),
    )
    bench.start(*producers, *workers)
    bench.control.touch()
    names = [spec.name for spec in producers]
    # Each has a connection to lose.
    bench.wait_for(1, "connected", *(spec.name for spec in (*producers, *workers)))
    bench.wait_for(40, "sent", *names)
    bench.broker.kill()
    bench.broker.start()
    bench.wait_for(max(bench.count("sent", name) for name in names) + 40, "sent", *names)
    took = bench.stop(*names)
    assert max(took.values()) < 7
    wait_for(lambda: bench.audit().lost == 0, 20, "the arrival of every message")
    took = bench.stop(*(spec.name for spec in workers))
    assert max(took.values()) < 2.5

    audit = bench.audit()
    print(audit.render())
    assert audit.passed
    assert {row.destination: row.produced > 0 for row in audit.destinations} == dict.fromkeys(
        (new, done, bulk, "queue://loaded", batch), True
    )
    assert all(row.connected >= 2 for row in audit.services)
    for spec in (*producers, *workers):
        assert (bench.count("start", spec.name), bench.count("stop", spec.name)) == (1, 1)


def test_a_durable_subscriber_gets_what_was_sent_while_it_was_away(bench: Bench) -> None:
    topic = "topic://prices"
    subscribers = [
        replace(bench.spec(name, language), consume=(topic,), durable="all", client_id=name)
        for name, language in (("audit", "java"), ("stats", "python"))
    ]
    bench.start(*subscribers)
    names = [spec.name for spec in subscribers]
    bench.wait_for(1, "subscribed", *names)
    bench.start(replace(bench.spec("feed", "java"), produce=(topic,), rate=100))
    bench.control.touch()
    bench.wait_for(150, "sent", "feed")
    bench.stop(*names)
    bench.wait_for(bench.count("sent", "feed") + 50, "sent", "feed")
    bench.start(*subscribers)
    bench.wait_for(bench.count("sent", "feed"), "recv", *names)
    bench.control.unlink()
    wait_for(lambda: bench.audit().lost == 0, 10, "the arrival of every message")
    audit = bench.audit()
    assert audit.passed
    assert audit.consumed == audit.produced


def test_a_stop_without_a_broker_leaves_no_message_untold(bench: Bench) -> None:
    names = {"java": "queue://java", "python": "queue://python"}
    for language, queue in names.items():
        bench.start(replace(bench.spec(language, language, tls=True), produce=(queue,), rate=200))
        bench.start(replace(bench.spec(f"{language}-reader", language), consume=(queue,), slow_ms=30_000))
    bench.control.touch()
    bench.wait_for(5, "sent", *names)
    bench.wait_for(1, "subscribed", "java-reader", "python-reader")
    assert max(bench.stop("java-reader", "python-reader").values()) < 2.5  # in the middle of slow work
    bench.broker.kill()
    bench.wait_for(1, "disconnected", "java", "python")
    took = bench.stop("java", "python")
    assert max(took.values()) < 8
    audit = bench.audit()
    assert audit.consumed == 0
    assert [row.unsure for row in audit.destinations] == [1, 1]
    assert not audit.passed  # what was confirmed lies in the broker still: the audit must not overlook it


@pytest.mark.parametrize(
    ("language", "changes", "complaint"),
    [
        ("python", {"consume": ("orders",)}, "not a destination"),
        ("python", {"consume": ("queue://a",), "config": "/nowhere.yaml"}, "the configuration /nowhere.yaml"),
        ("java", {"consume": ("orders",)}, "not a destination"),
        ("java", {"consume": ("queue://a",), "config": "/nowhere.properties"}, "the configuration /nowhere.properties"),
        ("java", {"consume": ("queue://a",), "trust": Path("/nowhere.p12")}, "the truststore /nowhere.p12"),
        ("java", {}, "nothing to do"),
    ],
)
def test_wrong_options_are_refused(
    home: Path, tmp_path: Path, language: str, changes: dict[str, object], complaint: str
) -> None:
    spec = ServiceSpec("wrong", "java" if language == "java" else "python", "env", tmp_path / "host.wrong.jsonl")
    spec = replace(spec, **changes)  # type: ignore[arg-type]  # the parameters name fields with values of their types
    jars = services.client_jars(home)
    command = (
        services.java_command(spec, services.compile_java(jars, software.cache_folder()), jars)
        if language == "java"
        else services.python_command(spec, sys.executable)
    )
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert complaint in done.stderr


def test_nothing_is_compiled_twice(home: Path, tmp_path: Path) -> None:
    jars = services.client_jars(home)
    classes = services.compile_java(jars, tmp_path)
    made = (classes / "Service.class").stat().st_mtime_ns
    assert services.compile_java(jars, tmp_path) == classes
    assert (classes / "Service.class").stat().st_mtime_ns == made
    assert [path.name for path in tmp_path.iterdir()] == [classes.name]


def test_a_folder_without_the_client_is_named(tmp_path: Path) -> None:
    with pytest.raises(services.ServiceError, match=r"has no activemq-client"):
        services.client_jars(tmp_path)
