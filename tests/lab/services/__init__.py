# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's services: small real programs, in Java over OpenWire and in Python over STOMP, and how to start them.

Both behave alike. A producer sends persistent messages with ids ``<name>:<start epoch ms>:<seq>`` at a steady rate
while its control file exists, waits for the broker's confirmation of each, sends the same id again when unsure, and
writes ``sent`` to its ledger only then. A consumer writes ``recv`` and then acknowledges, so a crash makes duplicates
and never loss. In transactions, ``recv`` is written before the commit: what is rolled back is received again and counts
as duplicated. On SIGTERM a service finishes the message at hand, tries an unconfirmed one for up to 5 s (then writes
``unsure``), closes, and exits with 0; without anything unconfirmed that takes less than 2 s.

Exit status: 2 wrong options or configuration, 3 the ledger cannot be written, 4 a defect of the program.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab.shell import LabError

_HERE = Path(__file__).parent
_JAVA_SOURCES = _HERE / "java"
_PYTHON_PROGRAM = _HERE / "python" / "service.py"
#: What an OpenWire client needs of a distribution's lib folder, in the spellings of Apache (5.16, 5.18) and Debian.
_CLIENT_JARS = (
    ("activemq-client*.jar",),
    ("geronimo-jms*1.1*spec*.jar", "jakarta.jms-api-*.jar"),
    ("hawtbuf*.jar",),
    ("slf4j-api*.jar",),
)
#: There in 5.16 and Debian; later clients do without.
_OPTIONAL_CLIENT_JARS = ("geronimo-j2ee-management*spec*.jar",)
_SMALL_JVM = ("-Xmx64m", "-Xss512k", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")
#: What the client logs is one line of standard error, with the stack of an exception below it.
_LOG_LINES = "-Djava.util.logging.SimpleFormatter.format=%1$tF %1$tT.%1$tL %4$s %3$s: %5$s%6$s%n"


class ServiceError(LabError):
    """A service cannot be built; the text is one sentence."""


@dataclass(frozen=True)
class ServiceSpec:
    """One service: what it is called, what it does, and its files. Destinations are ``queue://name`` or ``topic://name``.

    ``config`` is the path of a configuration file on the service's host, or ``env``:

    - Java: properties ``broker.url``, ``broker.username``, ``broker.password``; XML with the bean ``connectionFactory``
      and its properties ``brokerURL``, ``userName``, ``password``; or the variables ``BROKER_URL``,
      ``BROKER_USERNAME``, ``BROKER_PASSWORD``. The URL is used exactly as it is.
    - Python: YAML, JSON or TOML ``broker: {hosts: [{host, port, tls}], username, password}``; or the variables
      ``STOMP_HOSTS`` and ``STOMP_TLS_HOSTS`` (comma lists of host:port; the second names those of the first that use
      TLS), ``STOMP_USERNAME``, ``STOMP_PASSWORD``; or INI with the section ``broker`` and ``hosts``, ``tls_hosts``,
      ``username``, ``password`` likewise.
    """

    name: str
    language: Literal["java", "python"]
    config: str
    ledger: Path
    #: Producing goes on while this file exists.
    control: Path | None = None
    produce: tuple[str, ...] = ()
    consume: tuple[str, ...] = ()
    #: One new message goes here for each received one, confirmed before that is acknowledged.
    forward: str | None = None
    #: Messages a second, for each destination of *produce*.
    rate: float = 10.0
    #: So many messages at once, then a pause that keeps the rate.
    burst: int = 1
    #: Messages in a transaction; 0: no transactions.
    transacted: int = 0
    #: Milliseconds of work for each received message.
    slow_ms: int = 0
    #: Name of the durable subscription to the topics of *consume*; needs *client_id*.
    durable: str | None = None
    client_id: str | None = None
    #: Trusted certificates: a PKCS12 file for Java, a PEM file for Python.
    trust: Path | None = None
    trust_password: str = "changeit"

    @property
    def role(self) -> Literal["producer", "consumer", "both"]:
        """The role in the inventory's words."""
        if self.consume:
            return "both" if self.produce or self.forward else "consumer"
        return "producer"

    def arguments(self) -> list[str]:
        """The program's command line, without the program."""
        words = ["--name", self.name, "--config", self.config, "--ledger", str(self.ledger)]
        if self.produce:
            words += ["--produce", ",".join(self.produce), "--rate", str(self.rate), "--control", str(self.control)]
        if self.consume:
            words += ["--consume", ",".join(self.consume)]
        options: dict[str, object] = {
            "forward": self.forward,
            "burst": self.burst if self.burst > 1 else None,
            "transacted": self.transacted,
            "slow": self.slow_ms,
            "durable": self.durable,
            "client-id": self.client_id,
        }
        if self.language == "java" and self.trust:
            options |= {"truststore": self.trust, "truststore-password": self.trust_password}
        elif self.trust:
            options["ca-file"] = self.trust
        for option, value in options.items():
            if value:
                words += [f"--{option}", str(value)]
        return words


def java_command(spec: ServiceSpec, classes: Path, jars: Sequence[Path], *, java: str = "java") -> list[str]:
    """The command that runs a Java service. *classes* comes from compile_java(), *jars* from client_jars().

    With a binding of SLF4J among *jars*, the client's warnings are on standard error.
    """
    class_path = os.pathsep.join(str(path) for path in (classes, *jars))
    return [java, *_SMALL_JVM, _LOG_LINES, "-cp", class_path, "Service", *spec.arguments()]


def python_command(spec: ServiceSpec, python: str | Path, *, program: Path = _PYTHON_PROGRAM) -> list[str]:
    """The command that runs a Python service with an interpreter that has stomp.py and PyYAML."""
    return [str(python), str(program), *spec.arguments()]


def client_jars(home: Path) -> list[Path]:
    """The OpenWire client's jars in an ActiveMQ installation. Raises ServiceError when one is not there."""
    folder = home / "lib"
    found: list[Path] = []
    for spellings in _CLIENT_JARS:
        jars = sorted(jar for spelling in spellings for jar in folder.glob(spelling))
        if not jars:
            raise ServiceError(f"{folder} has no {' or '.join(spellings)}")
        found += jars
    return found + sorted(jar for spelling in _OPTIONAL_CLIENT_JARS for jar in folder.glob(spelling))


def compile_java(jars: Sequence[Path], cache: Path) -> Path:
    """Compile the Java service against *jars* and return the folder of its classes, below *cache*.

    Nothing is compiled when the same sources were compiled against the same jars before. Raises ServiceError with the
    compiler's first complaint.
    """
    sources = sorted(_JAVA_SOURCES.glob("*.java"))
    digest = hashlib.sha256("\n".join(str(jar) for jar in jars).encode())
    for source in sources:
        digest.update(source.read_bytes())
    classes = cache / f"services-{digest.hexdigest()[:16]}"
    if classes.is_dir():
        return classes
    cache.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix="services-", dir=cache))
    fresh.chmod(0o755)
    command = ["javac", "--release", "11", "-cp", os.pathsep.join(str(jar) for jar in jars), "-d", str(fresh)]
    try:
        subprocess.run([*command, *map(str, sources)], check=True, capture_output=True, text=True, timeout=120)
        fresh.rename(classes)
    except FileNotFoundError as error:
        raise ServiceError("the command javac is not installed") from error
    except subprocess.CalledProcessError as error:
        raise ServiceError(f"the Java service does not compile: {error.stderr.strip().splitlines()[0]}") from error
    except OSError:
        if not classes.is_dir():  # if it is there: another run was quicker
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return classes
