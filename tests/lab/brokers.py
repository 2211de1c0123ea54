# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brokers: rendering their configuration and the unit that runs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NotRequired, TypedDict

import jinja2

from lab import plan, shell
from lab.hosts import Unit
from lab.pki import STORE_PASSWORD
from lab.software import Software

UNIT = "activemq"
_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
    undefined=jinja2.StrictUndefined,
    autoescape=jinja2.select_autoescape(enabled_extensions=("xml.j2",), default=False),
    trim_blocks=True,
)


class User(TypedDict):
    """A broker user."""

    name: str
    password: str
    groups: NotRequired[Sequence[str]]


@dataclass(frozen=True)
class Broker:
    """One broker process: its name, address, software and folder."""

    name: str
    address: str
    software: Software
    folder: Path
    console_user: User | None
    #: Its certificate with the key, a PKCS12 file. Without it a source has no TLS listeners.
    certificate: Path | None = None
    #: Who may connect; anybody, when this is empty.
    users: Sequence[User] = ()
    #: For an instance of the target: the store it competes for.
    store: Path | None = None
    #: Who may use the console besides.
    more_console_users: Sequence[User] = ()
    #: For an instance of the target: the configuration of Amazon MQ that is in force (XML).
    configuration: str = ""

    @property
    def tls(self) -> bool:
        """Whether it is an instance of the target, which speaks TLS only."""
        return self.store is not None

    def render(self) -> Unit:
        """Write its configuration and return the unit that runs it."""
        conf, data = self.folder / "conf", self.folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        (self.folder / "tmp").mkdir(exist_ok=True)
        values = {
            "name": self.name,
            "address": self.address,
            "conf": conf,
            "data": data,
            "home": self.software.home,
            "console": self.software.kind == "apache",
            "tls": self.tls,
            "store": self.store,
            "certificate": self.certificate,
            "store_password": STORE_PASSWORD,
            "users": self.users,
            "listeners": {scheme: port for scheme, port in plan.LISTENERS.items() if scheme in self.software.schemes},
        }
        templates = {
            "activemq.xml": "target.xml.j2" if self.tls else "source.xml.j2",
            "jetty.xml": "jetty.xml.j2",
            "jolokia-access.xml": "jolokia-access.xml.j2",
            "log4j.properties": "log4j.properties.j2",
            "log4j2.properties": "log4j2.properties.j2",
        }
        for name, template in templates.items():
            text = _TEMPLATES.get_template(template).render(values)
            if name == "activemq.xml" and self.configuration:
                from lab.aws import merge  # needs lxml, and only the target needs that

                text = merge.merged(text, self.configuration)
            shell.write(conf / name, text, 0o600)
        realm = [_realm_entry(user) for user in (self.console_user, *self.more_console_users) if user is not None]
        shell.write(conf / "jetty-realm.properties", "".join(realm), 0o600)
        # The console's own client: without this file its web application does not start.
        user = self.users[0] if self.users else User(name="", password="")
        own = f"activemq.username={user['name']}\nactivemq.password={_escaped(user['password'])}\n"
        shell.write(conf / "credentials.properties", own, 0o600)
        return Unit(UNIT, self._command(conf, data), stop_timeout=20)

    def _command(self, conf: Path, data: Path) -> list[str]:
        properties = {
            "activemq.home": self.software.home,
            "activemq.base": self.folder,
            "activemq.conf": conf,
            "activemq.data": data,
            "jolokia.conf": f"file:{conf}/jolokia-access.xml",
            "log4j.configuration": f"file:{conf}/log4j.properties",
            "log4j2.configurationFile": f"file:{conf}/log4j2.properties",
            "java.io.tmpdir": self.folder / "tmp",
            "java.awt.headless": "true",
        }
        # The first tier's compiler and the serial collector start fastest and use least, which is what a lab needs.
        flags = ["-Xms64m", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
        return [
            "/usr/bin/java",
            *flags,
            *(f"-D{key}={value}" for key, value in properties.items()),
            "-cp",
            ":".join(str(path) for path in self.software.class_path()),
            "org.apache.activemq.console.Main",
            "start",
            f"xbean:file:{conf}/activemq.xml",
        ]


def _realm_entry(user: User) -> str:
    """A line of Jetty's file of users."""
    return f"{user['name']}: {_escaped(user['password'])}, admin\n"


def _escaped(text: str) -> str:
    """A value of a file of Java properties, in which a backslash begins an escape."""
    return text.replace("\\", "\\\\")
