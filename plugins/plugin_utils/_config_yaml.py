# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Editor of YAML files. Pure. Runs on the controller.

This is a private util of the collection; it may change at any time.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any

try:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString, SingleQuotedScalarString
    from ruamel.yaml.util import load_yaml_guess_indent

    HAS_RUAMEL = True
except ImportError:
    HAS_RUAMEL = False

from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_edit import (
    Change,
    ConfigFileError,
    Edit,
    keep_layout,
    nest,
    newline,
    plain,
    resolve,
    same,
    walk,
)

_MAX_NODES = 1_000_000


def edit_yaml(text: str, values: Mapping[str, Any], create: bool) -> Edit:
    """Set dotted keys, see :func:`resolve`. A value may be a list or a mapping."""
    if not HAS_RUAMEL:
        raise ConfigFileError("needs the Python library ruamel.yaml on the controller (pip install ruamel.yaml)")
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 1_000_000  # never fold a line
    yaml.explicit_start = text.startswith("---")
    yaml.line_break = newline(text)  # type: ignore[assignment]  # the library types its default None as the only value
    try:
        document = yaml.load(text)
    except RecursionError:
        raise ConfigFileError("is nested too deeply") from None
    except (YAMLError, ValueError) as error:
        # The library's message quotes the file, which may show a password.
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark is not None else ""
        raise ConfigFileError(f"is malformed: not one YAML document{where}") from None
    if not isinstance(document, Mapping):
        raise ConfigFileError("is malformed: not a YAML mapping")
    _data, indent, offset = load_yaml_guess_indent(text)
    if indent is not None and offset is not None:
        yaml.indent(mapping=_mapping_indent(text), sequence=indent, offset=offset)
    else:
        yaml.indent(mapping=_mapping_indent(text))
    _refuse_bombs(document)
    untouched = _yaml_dump(yaml, document)
    previous: dict[str, Any] = {}
    changes: list[Change] = []
    for key, value in values.items():
        path, missing = resolve(document, key, create)
        wanted = plain(value)
        old = None if missing else walk(document, path)
        previous[key] = plain(old)
        if missing:
            walk(document, path)[missing[0]] = nest(missing[1:], _yaml_value(wanted, None))
        elif same(previous[key], wanted):
            continue
        else:
            walk(document, path[:-1])[path[-1]] = _yaml_value(wanted, old)
        changes.append(Change(key, previous[key], wanted))
    if not changes:
        return Edit(text, [], previous)
    edited = _yaml_dump(yaml, document)
    merged = keep_layout(text, untouched, edited)
    try:
        kept = same(plain(yaml.load(merged)), plain(document))
    except (YAMLError, ValueError):
        kept = False
    return Edit(merged if kept else edited, changes, previous)


def _refuse_bombs(document: Any) -> None:
    """Refuse aliases that make up a huge document, or an endless one."""
    sizes: dict[int, int] = {}

    def size(node: Any) -> int:
        if not isinstance(node, (dict, list)):
            return 1
        if id(node) not in sizes:
            sizes[id(node)] = _MAX_NODES  # what it counts as inside itself
            sizes[id(node)] = 1 + sum(size(item) for item in (node.values() if isinstance(node, dict) else node))
        return sizes[id(node)]

    if size(document) > _MAX_NODES:
        raise ConfigFileError(f"is malformed: its aliases make up more than {_MAX_NODES} values")


def _yaml_dump(yaml: YAML, document: Any) -> str:
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def _yaml_value(value: Any, old: Any) -> Any:
    """Spell a value. Strings are quoted: what is a plain string to one YAML version is a boolean to another."""
    if isinstance(value, dict):
        return {key: _yaml_value(item, None) for key, item in value.items()}
    if isinstance(value, list):
        return [_yaml_value(item, None) for item in value]
    if isinstance(value, str):
        if isinstance(old, SingleQuotedScalarString):
            return SingleQuotedScalarString(value)
        return DoubleQuotedScalarString(value)
    return value


def _mapping_indent(text: str) -> int:
    """Return the indentation of the first nested mapping, 2 when there is none."""
    match = re.search(
        r"^[^\s#-][^\n]*:[ \t]*(?:#[^\n]*)?\r?\n(?:[ \t]*(?:#[^\n]*)?\r?\n)*( +)[^\s#-]", text, re.MULTILINE
    )
    return len(match[1]) if match else 2
