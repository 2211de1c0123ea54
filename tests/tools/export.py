# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copy the working tree to a path that ends in ansible_collections/<namespace>/<name>.

ansible-test and antsibull-docs insist on such a path. Only what git tracks, or would track, is copied.

Usage: export.py DESTINATION
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import yaml


def project_files() -> list[Path]:
    """Return the files of the working tree that git does not ignore, relative to the current directory."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    # A file that is deleted and not yet committed is still listed.
    return [path for path in map(Path, filter(None, listing.split("\0"))) if path.exists()]


def export(destination: Path) -> None:
    """Replace the destination with a copy of the project, in a git repository of its own.

    ansible-test asks git which files belong to the collection.
    """
    shutil.rmtree(destination, ignore_errors=True)
    for path in project_files():
        copy = destination / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy, follow_symlinks=False)
    subprocess.run(["git", "init", "--quiet", str(destination)], check=True)


def copy_dependencies(collections: Path) -> None:
    """Lay the collections that galaxy.yml depends on beside the copy; ansible-test looks for them nowhere else.

    Each is a git repository too: antsibull-docs takes only what git lists, and the project's own ignores this place.
    """
    galaxy = yaml.safe_load(Path("galaxy.yml").read_text(encoding="utf-8"))
    installed = Path(sysconfig.get_path("purelib"), "ansible_collections")
    for dependency in galaxy["dependencies"]:
        copy = collections.joinpath(*dependency.split("."))
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(installed.joinpath(*dependency.split(".")), copy)
        subprocess.run(["git", "init", "--quiet", str(copy)], check=True)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    export(Path(sys.argv[1]))
    copy_dependencies(Path(sys.argv[1]).parents[1])
