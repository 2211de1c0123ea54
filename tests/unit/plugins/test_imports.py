# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible loads all filters of a collection in each process that uses one of them, without a cache."""

import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = "ansible_collections.mqlift.amazon_mq.plugins"
PLUGINS = [
    f"{PACKAGE}.{kind}.{path.stem}"
    for kind in ("filter", "test")
    for path in (Path(__file__).parents[3] / "plugins" / kind).glob("[a-z]*.py")
]
HEAVY = {"ansible.module_utils.basic", "ansible.module_utils.urls", "boto3", "botocore", "stomp"}


@pytest.mark.parametrize("name", PLUGINS)
def test_filters_import_nothing_that_takes_long(name):
    code = f"import sys, ansible.errors\nbefore = set(sys.modules)\nimport {name}\nprint(*set(sys.modules) - before)"
    paths = [path for path in sys.path if path]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\nsys.path[:0] = {paths!r}\n{code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not HEAVY.intersection(done.stdout.split())
