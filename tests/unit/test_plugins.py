# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plugins: nothing is undocumented, nothing is untested."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PLUGINS = ROOT / "plugins"
MODULES = sorted(PLUGINS.glob("modules/*.py"))
CODE = sorted(
    path for path in PLUGINS.glob("*/*.py") if path.parent.name != "doc_fragments" and path.stem != "__init__"
)
VERSION = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]


def constants(path: Path) -> dict[str, str]:
    """Return the strings that a module assigns to names at its top level."""
    found: dict[str, str] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            found.update({target.id: node.value.value for target in node.targets if isinstance(target, ast.Name)})
    return found


def imported_names(path: Path) -> set[str]:
    """Return the last part of every module, and every name, that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.update(alias.name.rpartition(".")[2] for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.rpartition(".")[2])
    return found


@pytest.fixture(params=MODULES, ids=lambda path: path.stem)
def module(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_module_is_documented(module: Path) -> None:
    texts = constants(module)
    documentation = yaml.safe_load(texts["DOCUMENTATION"])

    assert documentation["module"] == module.stem
    assert "mqlift.amazon_mq._attributes" in documentation["extends_documentation_fragment"]
    assert tuple(map(int, documentation["version_added"].split("."))) <= tuple(map(int, VERSION.split(".")))
    assert yaml.safe_load(texts["RETURN"])


def test_examples_have_names_and_use_the_full_module_name(module: Path) -> None:
    examples = yaml.safe_load(constants(module)["EXAMPLES"])

    assert examples
    assert not [task for task in examples if not task.get("name")]
    assert any(f"mqlift.amazon_mq.{module.stem}" in task for task in examples)


@pytest.mark.parametrize("path", CODE, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_plugin_is_imported_by_a_test_of_its_kind(path: Path) -> None:
    tests = (ROOT / "tests/unit/plugins" / path.parent.name).glob("test_*.py")

    assert any(path.stem in imported_names(test) for test in tests)


def test_every_action_has_its_module() -> None:
    actions = {path.stem for path in PLUGINS.glob("action/[!_]*.py")}

    assert actions <= {path.stem for path in MODULES}
