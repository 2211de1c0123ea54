# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The brokers' software: Apache's distributions by Maven coordinates where they can be had, else Debian's package."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab import shell
from lab.shell import LabError

Choice = Literal["auto", "apache", "debian"]

#: Apache's distributions: line -> (version, SHA-256 of the archive). The source is an older line, the target one that
#: Amazon MQ offers.
DISTRIBUTIONS = {
    "source": ("5.16.6", "4e46424d61704c3693715897670b18ac44b568693929d5e2c941d386196ff3a2"),
    "target": ("5.18.3", "943381aa6d340707de6c42eadbf7b41b7fdf93df604156d972d50c4da783544f"),
}
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

    def describe(self) -> str:
        """One phrase for the operator."""
        return f"{'Apache ActiveMQ' if self.kind == 'apache' else 'Debian activemq'} {self.version}"


def cache_folder() -> Path:
    """Where downloads and compiled programs are kept between labs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mqlift-lab"


def find(line: str, choice: Choice = "auto") -> Software:
    """The software for a line (source or target). Raises LabError when what *choice* asks for cannot be had."""
    if choice in {"auto", "apache"}:
        try:
            return _apache(line)
        except LabError:
            if choice == "apache":
                raise
    return _debian()


def _apache(line: str) -> Software:
    version, digest = DISTRIBUTIONS[line]
    home = cache_folder() / f"apache-activemq-{version}"
    if not home.is_dir():
        archive = _download(version, digest)
        unpacked = cache_folder() / f"unpack-{os.getpid()}"
        unpacked.mkdir()
        shell.run(["tar", "-xzf", archive, "-C", unpacked])
        (unpacked / home.name).rename(home)
        unpacked.rmdir()
        archive.unlink()
    return Software("apache", version, home)


def _download(version: str, digest: str) -> Path:
    """Fetch a distribution into the cache. Raises LabError when it cannot be had or its checksum is wrong."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    coordinates = f"org.apache.activemq:apache-activemq:{version}:tar.gz:bin"
    if shutil.which("mvn") is None:
        raise LabError("mvn is not installed")
    plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
    maven = ["mvn", "-q", "-B", "-C", plugin, f"-Dartifact={coordinates}", f"-DoutputDirectory={folder}"]
    shell.run([*maven, "-Dmdep.useBaseVersion=true"], timeout=300)
    archive = folder / f"apache-activemq-{version}-bin.tar.gz"
    with archive.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != digest:
        archive.unlink()
        raise LabError(f"{coordinates} has checksum {found}, expected {digest}")
    return archive


def _debian() -> Software:
    if not all(jar.exists() for jar in Software("debian", "", DEBIAN_HOME).class_path()):
        install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *DEBIAN_PACKAGES]
        shell.run(["env", "DEBIAN_FRONTEND=noninteractive", *install], timeout=600)
    shown = shell.run(["dpkg-query", "--show", "--showformat=${Version}", "activemq"]).stdout
    return Software("debian", shown.partition("+")[0], DEBIAN_HOME)
