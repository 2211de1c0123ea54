# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Editors of configuration files. Pure: text in, text out. Runs on the controller.

This is a private util of the collection; it may change at any time.

An editor changes the values of given keys and leaves comments, order, line ends and everything else as they are.
"""

from __future__ import annotations

import difflib
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

try:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString, SingleQuotedScalarString
    from ruamel.yaml.util import load_yaml_guess_indent

    HAS_RUAMEL = True
except ImportError:
    HAS_RUAMEL = False

HIDDEN = "********"

_SECRET_KEY = re.compile(r"pass|secret|token|credential", re.IGNORECASE)
# Secrets inside a URL: user:password@, and options such as jms.password=.
_SECRET_IN_URL = re.compile(r"(//)[^/@\s]*@|((?:pass|secret|token|credential)\w*=)[^&\s)]*", re.IGNORECASE)
# Shorter secrets would hide half of an innocent text.
_MIN_SECRET = 4


class ConfigFileError(Exception):
    """The file cannot be edited. ``str()`` names the key or the line, never a value."""


@dataclass(frozen=True)
class Change:
    """One key whose value differs. ``before`` is None when the key was not there."""

    key: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Edit:
    """The new text of a file, and the old values of all keys that were asked for (None where there was none)."""

    text: str
    changes: list[Change]
    previous: dict[str, Any]


def edit(content: bytes, file_format: str, values: Mapping[str, Any], create: bool) -> Edit:
    """Set ``values`` in a file's content.

    ``values`` maps keys to values: strings, numbers and booleans; in YAML also lists and mappings, and a key may be a
    dotted path. A key that the file does not have is an error unless ``create``.

    :raises ConfigFileError: when the content is malformed, a key is missing or a value cannot be written.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigFileError(f"is not UTF-8 (byte {error.start})") from None
    return _EDITORS[file_format](text, values, create)


def mask(key: str, value: Any, secrets: Sequence[str]) -> str:
    """Return a value as it may be shown: hidden when the key sounds secret, and without any of ``secrets`` in it."""
    if _SECRET_KEY.search(key) and value not in (None, ""):
        return HIDDEN
    if isinstance(value, Mapping):
        inner = ", ".join(f"{name}: {mask(str(name), item, secrets)}" for name, item in value.items())
        return "{" + inner + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(mask(key, item, secrets) for item in value) + "]"
    text = "" if value is None else json.dumps(value) if isinstance(value, bool) else str(value)
    for secret in sorted(secrets, key=len, reverse=True):
        if text == secret and secret:
            return HIDDEN
        if len(secret) >= _MIN_SECRET:
            text = text.replace(secret, HIDDEN)
    return _SECRET_IN_URL.sub(lambda match: f"{match[1]}{HIDDEN}@" if match[1] else f"{match[2]}{HIDDEN}", text)


def is_secret(key: str, value: Any, secrets: Sequence[str]) -> bool:
    """Tell whether a value is wholly hidden by :func:`mask`."""
    return mask(key, value, secrets) == HIDDEN


def _scalar(key: str, value: Any) -> str:
    """Return the text of a value for a format that knows strings only."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise ConfigFileError(f"key {key}: the value must be a string, a number or a boolean")


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


@dataclass(frozen=True)
class _Entry:
    """A key's place in a text: ``text[start:end]`` is its value as written, ``value`` what that means.

    ``lead`` must precede a new value: a key may stand alone, without a separator.
    """

    start: int
    end: int
    value: str
    lead: str = ""


def _edit_lines(
    text: str,
    values: Mapping[str, Any],
    create: bool,
    entries: Mapping[str, Sequence[_Entry]],
    escape: Callable[[str, str], str],
    assign: Callable[[str, str], str],
) -> Edit:
    """Set values in a text of ``key = value`` lines.

    ``escape(key, value)`` spells a value, ``assign(key, spelled)`` a new line.
    """
    previous: dict[str, Any] = {}
    changes: list[Change] = []
    splices: list[tuple[int, int, str]] = []
    added = ""
    newline = _newline(text)
    for key, value in values.items():
        wanted = _scalar(key, value)
        found = entries.get(key, ())
        if len(found) > 1:
            raise ConfigFileError(f"key {key}: is in the file {len(found)} times")
        previous[key] = found[0].value if found else None
        if found:
            if found[0].value == wanted:
                continue
            splices.append((found[0].start, found[0].end, found[0].lead + escape(key, wanted)))
        elif create:
            added += assign(key, escape(key, wanted)) + newline
        else:
            raise ConfigFileError(f"key {key}: is not in the file")
        changes.append(Change(key, previous[key], wanted))
    for start, end, spelled in sorted(splices, reverse=True):
        text = text[:start] + spelled + text[end:]
    if added and text and not text.endswith("\n"):
        text += newline
    return Edit(text + added, changes, previous)


# --- Java properties (java.util.Properties.load) ---------------------------------------------------------------------

_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


def _edit_properties(text: str, values: Mapping[str, Any], create: bool) -> Edit:
    return _edit_lines(
        text,
        values,
        create,
        _properties_entries(text),
        lambda key, value: _properties_escape(value),
        lambda key, spelled: f"{_properties_escape(key, in_key=True)}={spelled}",
    )


_PROPERTIES_SPLIT = re.compile(r"((?:\\[\s\S]|[^\\=: \t\f])*)([ \t\f]*[=:]?[ \t\f]*(?:\\(?:\r\n|\n|\r)[ \t\f]*)*)")


def _properties_entries(text: str) -> dict[str, list[_Entry]]:
    entries: dict[str, list[_Entry]] = {}
    # A logical line: up to a line end that is not escaped. Comments have no continuation.
    for match in re.finditer(r"([ \t\f]*(?:[#!][^\r\n]*|(?:\\(?:\r\n|[\s\S]|\Z)|[^\\\r\n])*))(?:\r\n|[\r\n]|\Z)", text):
        line = match[1]
        body = line.lstrip(" \t\f")
        if not body or body[0] in "#!":
            continue
        if match.end() == len(text) and re.search(r"(?<!\\)(?:\\\\)*\\[\r\n]*\Z", line):
            raise ConfigFileError("is malformed: the last line ends in a backslash")
        # It matches whatever there is: both groups may be empty.
        split = cast("re.Match[str]", _PROPERTIES_SPLIT.match(body))
        start = match.start() + len(line) - len(body) + split.end()
        end = match.start() + len(line)
        entries.setdefault(_properties_unescape(split[1]), []).append(
            _Entry(start, end, _properties_unescape(text[start:end]), lead="" if split[2] else "=")
        )
    return entries


def _properties_unescape(raw: str) -> str:
    def meaning(match: re.Match[str]) -> str:
        if match[1] is not None:
            return ""  # a continued line
        if match[2] is not None:
            return chr(int(match[2], 16))
        return _ESCAPES.get(match[3], match[3])

    if re.search(r"(?<!\\)(?:\\\\)*\\u(?![0-9A-Fa-f]{4})", raw):
        raise ConfigFileError("is malformed: \\u must be followed by four hexadecimal digits")
    plain = re.sub(r"\\(?:((?:\r\n|[\r\n])[ \t\f]*)|u([0-9A-Fa-f]{4})|([\s\S]))", meaning, raw)
    # Two escapes may make up one character outside the basic plane.
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _properties_escape(value: str, in_key: bool = False) -> str:
    spelled = value.replace("\\", "\\\\")
    for letter, character in _ESCAPES.items():
        spelled = spelled.replace(character, f"\\{letter}")
    if in_key:
        spelled = re.sub(r"([=: #!])", r"\\\1", spelled)
    elif spelled.startswith((" ", "=", ":")):
        spelled = "\\" + spelled
    # Escaped, the value reads the same whether the program takes the file for Latin-1 or for UTF-8.
    units = spelled.encode("utf-16-be", "surrogatepass")
    codes = (int.from_bytes(units[index : index + 2], "big") for index in range(0, len(units), 2))
    return "".join(chr(code) if 0x20 <= code < 0x7F else f"\\u{code:04X}" for code in codes)


# --- Environment files (systemd's EnvironmentFile=, also read by a POSIX shell) --------------------------------------

_ENV_LINE = re.compile(r"([ \t]*(?:export[ \t]+)?)([A-Za-z_][A-Za-z0-9_]*)=(.*)\Z", re.DOTALL)
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_ENV_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]*\Z", re.ASCII)
_ENV_DOUBLE = re.compile(r'"((?:\\[\s\S]|[^"\\])*)"[ \t]*\Z')
_ENV_SINGLE = re.compile(r"'([^']*)'[ \t]*\Z")


def _edit_env(text: str, values: Mapping[str, Any], create: bool) -> Edit:
    for key in values:
        if not _ENV_NAME.match(key):
            raise ConfigFileError(f"key {key}: is not the name of an environment variable")
    return _edit_lines(text, values, create, _env_entries(text), _env_escape, lambda key, spelled: f"{key}={spelled}")


def _env_entries(text: str) -> dict[str, list[_Entry]]:
    entries: dict[str, list[_Entry]] = {}
    position = 0
    for number, full_line in enumerate(re.findall(r"[^\n]*\n|[^\n]+\Z", text), start=1):
        line = full_line.rstrip("\r\n")
        match = _ENV_LINE.match(line)
        if match is None:
            if line.strip() and line.lstrip()[0] not in "#;":
                raise ConfigFileError(f"is malformed: line {number} is not NAME=value")
        else:
            start = position + match.start(3)
            entries.setdefault(match[2], []).append(
                _Entry(start, start + len(match[3]), _env_unescape(match[3], number))
            )
        position += len(full_line)
    return entries


def _env_unescape(raw: str, number: int) -> str:
    if raw.startswith("'"):
        match = _ENV_SINGLE.match(raw)
        if match is None:
            raise ConfigFileError(f"is malformed: the quotes of line {number} do not enclose the value")
        return match[1]
    if raw.startswith('"'):
        match = _ENV_DOUBLE.match(raw)
        if match is None:
            raise ConfigFileError(f"is malformed: the quotes of line {number} do not enclose the value")
        # As in systemd and POSIX: a backslash escapes only these four.
        return re.sub(r'\\(["\\`$])', r"\1", match[1])
    if raw.rstrip().endswith("\\"):
        raise ConfigFileError(f"line {number} is continued on the next one: put the value in quotes")
    return raw.strip()


def _env_escape(key: str, value: str) -> str:
    if re.search(r"[\x00\r\n]", value):
        raise ConfigFileError(f"key {key}: a value of an environment file cannot have several lines")
    if _ENV_PLAIN.match(value):
        return value
    if "'" not in value:
        return f"'{value}'"
    return '"' + re.sub(r'(["\\`$])', r"\\\1", value) + '"'


# --- YAML ------------------------------------------------------------------------------------------------------------


def _edit_yaml(text: str, values: Mapping[str, Any], create: bool) -> Edit:
    if not HAS_RUAMEL:
        raise ConfigFileError("needs the Python library ruamel.yaml on the controller (pip install ruamel.yaml)")
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 1_000_000  # never fold a line
    yaml.explicit_start = text.startswith("---")
    yaml.line_break = _newline(text)  # type: ignore[assignment]  # the library types its default None as the only value
    try:
        document = yaml.load(text)
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
    untouched = _yaml_dump(yaml, document)
    previous: dict[str, Any] = {}
    changes: list[Change] = []
    for key, value in values.items():
        parent, last = _yaml_place(document, key, create)
        old = _yaml_get(parent, last)
        previous[key] = _plain(old)
        wanted = _plain(value)
        if _has(parent, last) and _same(previous[key], wanted):
            continue
        parent[last] = _yaml_value(wanted, old)
        changes.append(Change(key, previous[key], wanted))
    if not changes:
        return Edit(text, [], previous)
    edited = _yaml_dump(yaml, document)
    merged = _keep_layout(text, untouched, edited)
    try:
        same = _same(_plain(yaml.load(merged)), _plain(document))
    except (YAMLError, ValueError):
        same = False
    return Edit(merged if same else edited, changes, previous)


def _yaml_dump(yaml: YAML, document: Any) -> str:
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def _keep_layout(original: str, untouched: str, edited: str) -> str:
    """Apply to ``original`` the lines that differ between ``untouched`` and ``edited``.

    Both of these are the library's spelling of the document, before and after the edit: so lines whose layout the
    library does not keep stay as they are in the file.
    """
    own = original.splitlines(keepends=True)
    before = untouched.splitlines(keepends=True)
    after = edited.splitlines(keepends=True)
    # The lines of the file that each line of ``before`` stands for.
    meant: list[list[str]] = [[] for _line in before]
    for tag, start, end, own_start, own_end in difflib.SequenceMatcher(None, before, own, autojunk=False).get_opcodes():
        if end - start == own_end - own_start:
            for index in range(end - start):
                meant[start + index] = [own[own_start + index]]
        elif tag == "insert":
            meant[max(start - 1, 0)] += own[own_start:own_end]
        else:
            meant[start] = own[own_start:own_end]
    result: list[str] = []
    for tag, start, end, new_start, new_end in difflib.SequenceMatcher(
        None, before, after, autojunk=False
    ).get_opcodes():
        if tag == "equal":
            result += [line for lines in meant[start:end] for line in lines]
        else:
            result += after[new_start:new_end]
    return "".join(result)


def _yaml_place(document: Any, key: str, create: bool) -> tuple[Any, Any]:
    """Return the container of a key and the key in it: the key as written, or else its dotted path."""
    if key in document:
        return document, key
    parts = key.split(".")
    if not all(parts):
        raise ConfigFileError(f"key {key}: is not a dotted path")
    node = document
    for depth, part in enumerate(parts):
        here: Any = int(part) if isinstance(node, list) and part.isdigit() else part
        is_last = depth == len(parts) - 1
        if not _has(node, here):
            if not create or not isinstance(node, dict):
                raise ConfigFileError(f"key {key}: is not in the file")
            if not is_last:
                node[here] = {}
        if is_last:
            return node, here
        node = node[here]
        if not isinstance(node, (dict, list)):
            raise ConfigFileError(f"key {key}: {'.'.join(parts[: depth + 1])} has no keys of its own")
    raise AssertionError("a key has at least one part")


def _has(node: Any, key: Any) -> bool:
    if isinstance(node, list):
        return isinstance(key, int) and key < len(node)
    return key in node


def _yaml_get(node: Any, key: Any) -> Any:
    return node[key] if _has(node, key) else None


def _plain(value: Any) -> Any:
    """Return a value made of plain Python types only."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    return str(value)


def _same(one: Any, other: Any) -> bool:
    """Compare values and their types: true is not 1, and "61613" is not 61613."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


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


_EDITORS: dict[str, Callable[[str, Mapping[str, Any], bool], Edit]] = {
    "properties": _edit_properties,
    "yaml": _edit_yaml,
    "env": _edit_env,
}
