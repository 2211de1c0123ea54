# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles: the argument specification and the defaults say the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ROLES = sorted(path.parent.parent for path in ROOT.glob("roles/*/tasks/main.yml"))


def load(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {} if path.exists() else {}


@pytest.fixture(params=ROLES, ids=lambda role: role.name)
def role(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def main_options(role: Path) -> dict[str, dict[str, Any]]:
    options: dict[str, dict[str, Any]] = load(role / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    return options


def test_optional_options_have_the_same_defaults_in_both_places(role: Path) -> None:
    optional = {
        name: option.get("default") for name, option in main_options(role).items() if not option.get("required")
    }

    assert load(role / "defaults/main.yml") == optional


def test_required_options_have_no_default(role: Path) -> None:
    required = {name: option for name, option in main_options(role).items() if option.get("required")}

    assert not [name for name, option in required.items() if "default" in option]
    assert not required.keys() & load(role / "defaults/main.yml").keys()


def test_every_option_is_described(role: Path) -> None:
    assert not [name for name, option in main_options(role).items() if not option.get("description")]


def test_has_a_readme(role: Path) -> None:
    assert (role / "README.md").is_file()
