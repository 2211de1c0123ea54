# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of the guide on configuration files are what the editors do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2.nativetypes import NativeEnvironment

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._client_files import FORMATS
from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_files import edit

GUIDE = Path(__file__).parents[4] / "docs" / "guides" / "config_files.md"
VARIABLES = {
    "mq_url": "failover:(ssl://b-1:61617,ssl://b-2:61617)?randomize=false&timeout=30000",
    "mq_username": "app",
    "mq_password": "p&ss",
    "mq_hosts": [{"host": "b-1", "port": 61614}],
}


def rendered(value: Any) -> Any:
    return NativeEnvironment().from_string(value).render(VARIABLES) if isinstance(value, str) else value


def sections() -> dict[str, list[str]]:
    """Return the code blocks of each section."""
    parts = re.split(r"^## (.*)\n", GUIDE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {
        title: re.findall(r"^```\w+\n(.*?)^```$", body, re.MULTILINE | re.DOTALL)
        for title, body in zip(parts[1::2], parts[2::2], strict=True)
    }


def test_every_format_has_a_section() -> None:
    assert set(FORMATS) <= set(sections())


@pytest.mark.parametrize("file_format", [name for name in FORMATS if name != "template"])
def test_example(file_format: str) -> None:
    before, settings, after = sections()[file_format]
    item = yaml.safe_load(settings)
    values = {key: rendered(value) for key, value in item["values"].items()}
    done = edit(before.encode(), file_format, values, item.get("create", False), item.get("namespaces"))
    assert done.text == after
