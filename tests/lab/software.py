# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The brokers' software: Apache's distributions by Maven coordinates where they can be had, else Debian's package."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab import plan, shell
from lab.shell import LabError

Choice = Literal["auto", "apache", "debian"]

#: Apache's distributions: line -> (version, SHA-256 of the archive). The source is an older line, the target one that
#: Amazon MQ offers.
DISTRIBUTIONS = {
    "source": ("5.16.6", "4e46424d61704c3693715897670b18ac44b568693929d5e2c941d386196ff3a2"),
    "target": ("5.18.3", "943381aa6d340707de6c42eadbf7b41b7fdf93df604156d972d50c4da783544f"),
}
#: Makes the OpenWire client log by java.util.logging: of the version that the target's distribution has of SLF4J.
LOGGING = ("2.0.9", "1052aa82851c36f76465e64539ad4450338a86094e638a5cb1b3ce7a0dabfb18")
DEBIAN_HOME = Path("/usr/share/activemq")
_JAVA = Path("/usr/share/java")
#: Debian's ActiveMQ has no web console: Jetty and these jars make its Jolokia, XStream the STOMP transformation.
_DEBIAN_JARS = (
    "jetty9-server jetty9-servlet jetty9-security jetty9-http jetty9-io jetty9-util jetty9-util-ajax servlet-api "
    "jolokia-core json-simple jettison xstream"
).split()
DEBIAN_PACKAGES = (
    "activemq libjolokia-core-java libjetty9-java libxstream-java libjettison-java libjson-simple-java"
).split()


@dataclass(frozen=True)
class Software:
    """An ActiveMQ on disk."""

    kind: Literal["apache", "debian"]
    version: str
    home: Path

    def class_path(self) -> list[Path]:
        """What the broker's JVM is started with."""
        jars = [self.home / "bin/activemq.jar"]
        if self.kind == "debian":
            jars += [_JAVA / f"{name}.jar" for name in _DEBIAN_JARS]
        return jars

    @property
    def schemes(self) -> frozenset[str]:
        """Which of the target's listeners it can have: Debian's package lacks what AMQP, MQTT and WebSockets need."""
        return frozenset(plan.LISTENERS) if self.kind == "apache" else frozenset({"ssl", "stomp+ssl"})

    @property
    def logging(self) -> Path:
        """What makes the OpenWire client of the target's line log by java.util.logging."""
        return _logging_jar() if self.kind == "apache" else _JAVA / "slf4j-jdk14.jar"

    def describe(self) -> str:
        """One phrase for the operator."""
        return f"{'Apache ActiveMQ' if self.kind == 'apache' else 'Debian activemq'} {self.version}"


def cache_folder() -> Path:
    """Where downloads and compiled programs are kept between labs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mqlift-lab"


def find(choice: Choice = "auto") -> tuple[dict[str, Software], str]:
    """The software of both lines (source, target), and why it is not Apache's although that was wanted (else empty).

    Raises LabError when what *choice* asks for cannot be had.
    """
    reason = ""
    if choice != "debian":
        try:
            _fetch_logging()
            return {line: _apache(version, digest) for line, (version, digest) in DISTRIBUTIONS.items()}, ""
        except LabError as error:
            if choice == "apache":
                raise
            reason = str(error)
    return dict.fromkeys(DISTRIBUTIONS, _debian()), reason


def described(text: str) -> Software:
    """The software that describe() told of. It is here already."""
    version = text.rpartition(" ")[2]
    if text.startswith("Apache"):
        return Software("apache", version, cache_folder() / f"apache-activemq-{version}")
    return Software("debian", version, DEBIAN_HOME)


def _apache(version: str, digest: str) -> Software:
    home = cache_folder() / f"apache-activemq-{version}"
    if not home.is_dir():
        cache_folder().mkdir(parents=True, exist_ok=True)
        # What a killed run left half-way has another name.
        with tempfile.TemporaryDirectory(prefix="unpack-", dir=cache_folder()) as fresh:
            coordinates = f"org.apache.activemq:apache-activemq:{version}:tar.gz:bin"
            archive = _download(coordinates, digest, Path(fresh, f"{home.name}-bin.tar.gz"))
            shell.run(["tar", "-xzf", archive, "-C", fresh])
            try:
                Path(fresh, home.name).rename(home)
            except OSError:
                if not home.is_dir():  # if it is there: another lab was quicker
                    raise
    return Software("apache", version, home)


def _logging_jar() -> Path:
    return cache_folder() / f"slf4j-jdk14-{LOGGING[0]}.jar"


def _fetch_logging() -> None:
    jar = _logging_jar()
    if not jar.exists():
        cache_folder().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="unpack-", dir=cache_folder()) as fresh:
            _download(f"org.slf4j:slf4j-jdk14:{LOGGING[0]}", LOGGING[1], Path(fresh, jar.name)).rename(jar)


def _download(coordinates: str, digest: str, path: Path) -> Path:
    """Fetch an artifact, which Maven gives its name. Raises LabError when it cannot be had or its checksum is wrong."""
    if shutil.which("mvn") is None:
        raise LabError("mvn is not installed")
    plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
    maven = ["mvn", "-q", "-B", "-C", plugin, f"-Dartifact={coordinates}", f"-DoutputDirectory={path.parent}"]
    done = shell.run([*maven, "-Dmdep.useBaseVersion=true"], timeout=300, check=False)
    if done.returncode != 0:
        # Maven's first complaint tells the cause; its last line is advice.
        plain = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
        complaints = (line.removeprefix("[ERROR]").strip() for line in plain.splitlines())
        raise LabError(f"mvn did not get {coordinates}: {next(filter(None, complaints), 'no output')[:300]}")
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != digest:
        raise LabError(f"{coordinates} has checksum {found}, expected {digest}")
    return path


def _debian() -> Software:
    if not all(jar.exists() for jar in Software("debian", "", DEBIAN_HOME).class_path()):
        # Unmarked: whoever ends the lab does not end a package manager in the middle of its work.
        quiet = {"DEBIAN_FRONTEND": "noninteractive", shell.MARK: ""}
        shell.run(["apt-get", "-qq", "update"], env=quiet, timeout=300, check=False)  # the old lists may do
        install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *DEBIAN_PACKAGES]
        shell.run(install, env=quiet, timeout=600)
    shown = shell.run(["dpkg-query", "--show", "--showformat=${Version}", "activemq"]).stdout
    return Software("debian", shown.partition("+")[0], DEBIAN_HOME)
