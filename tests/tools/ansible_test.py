# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-test on an exported collection, with a home and a search path of its own.

The home keeps its caches out of the user's, and holds a pip bootstrap script, so that ansible-test need not download
one. The search path holds the interpreters that really start: shims of a version manager make ansible-test fail.

Usage: ansible_test.py COLLECTION sanity|units [argument ...]
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

PIP_VERSION = "24.2"
"""The pip that ansible-test of ansible-core 2.19 bootstraps (get_venv_packages in its python_requirements.py)."""

PYTHON_VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13")
"""The Pythons of a target host (docs/dependencies.md). Those found are used."""

SYSTEM_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")

GET_PIP = '''\
"""Install pip from the wheel beside this file. Called by ansible-test in an empty virtual environment."""
import os
import runpy
import sys

directory = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(directory, "{wheel}"))
sys.argv = ["pip", "install", "--quiet", "--no-index", "--find-links", directory, "pip=={version}"]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
'''


def seed_pip(cache: Path) -> None:
    """Put a wheel of pip and a script that installs it where ansible-test looks for its bootstrap script."""
    script = cache / f"get_pip_{PIP_VERSION.replace('.', '_')}.py"
    if script.exists():
        return
    cache.mkdir(parents=True, exist_ok=True)
    pip_download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(cache)]
    subprocess.run([*pip_download, f"pip=={PIP_VERSION}"], check=True)
    wheel = next(cache.glob(f"pip-{PIP_VERSION}-*.whl"))
    script.write_text(GET_PIP.format(wheel=wheel.name, version=PIP_VERSION))


def search_path() -> list[Path]:
    """Return the directories that may hold interpreters: those of PATH, then those that pyenv manages."""
    managed = sorted(Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser().glob("versions/*/bin"))
    return [*map(Path, os.environ["PATH"].split(os.pathsep)), *managed]


def interpreters(directories: Iterable[Path]) -> dict[str, Path]:
    """Return the interpreters that start, by version. A shim is resolved to the interpreter behind it."""
    found: dict[str, Path] = {}
    for version in PYTHON_VERSIONS:
        for directory in directories:
            candidate = directory / f"python{version}"
            if not candidate.exists():
                continue
            report = "import sys; print('%d.%d' % sys.version_info[:2], sys._base_executable)"
            answer = subprocess.run([candidate, "-c", report], capture_output=True, text=True, check=False)
            if answer.returncode == 0 and answer.stdout.startswith(f"{version} "):
                found[version] = Path(answer.stdout.strip().partition(" ")[2])
                break
    return found


def link_interpreters(directory: Path, found: dict[str, Path]) -> None:
    """Make the directory hold one link per interpreter and shellcheck, and nothing else."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for version, path in found.items():
        (directory / f"python{version}").symlink_to(path)
    (directory / "shellcheck").symlink_to(Path(sys.executable).parent / "shellcheck")


def main(collection: Path, command: str, arguments: list[str]) -> int:
    """Run one ansible-test command in the collection and return its exit code."""
    work = collection.parents[2]
    home = work / "home"
    tools = work / "bin"
    seed_pip(home / ".ansible" / "test" / "cache")
    link_interpreters(tools, interpreters(search_path()))
    environment = {
        **os.environ,
        "HOME": str(home),
        "PATH": os.pathsep.join([str(tools), *SYSTEM_PATH]),
    }
    # Units need pytest and more in their environment, so they get one of their own; sanity tests make theirs.
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    where = ["--local"] if command == "sanity" else ["--venv", "--python", version]
    ansible_test = str(Path(sys.executable).parent / "ansible-test")
    return subprocess.run(
        [ansible_test, command, *where, *arguments], cwd=collection, env=environment, check=False
    ).returncode


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1]).resolve(), sys.argv[2], sys.argv[3:]))
