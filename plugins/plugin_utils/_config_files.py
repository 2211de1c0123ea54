# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Editing of configuration files, and what may be shown of it. Pure: text in, text out. Runs on the controller.

This is a private util of the collection; it may change at any time.

An editor changes the values of given keys and leaves comments, order, line ends and everything else as they are. Each
format has its own, in ``_config_<format>.py``.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_edit import Change, ConfigFileError, Edit
from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_ini import edit_ini
from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_json import edit_json
from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_lines import edit_env, edit_properties
from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_regexp import edit_regexp
from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_toml import edit_toml
from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_xml import edit_xml
from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_yaml import edit_yaml

__all__ = [
    "HIDDEN",
    "Change",
    "ConfigFileError",
    "Edit",
    "decode",
    "edit",
    "is_secret",
    "mask",
    "mask_text",
    "secret_values",
    "text_diff",
]

HIDDEN = "********"

_SECRET_KEY = re.compile(r"pass|secret|token|credential", re.IGNORECASE)
_SECRET_LINE = re.compile(r"(.*?(?:pass|secret|token|credential)\w*)[^\w\r\n][^\r\n]*", re.IGNORECASE)
# Secrets inside a URL: user:password@, and options such as jms.password=.
_SECRET_IN_URL = re.compile(r"(//)[^/@\s]*@|((?:pass|secret|token|credential)\w*=)[^&\s)]*", re.IGNORECASE)
# Shorter secrets would hide half of an innocent text.
_MIN_SECRET = 4


_EDITORS: dict[str, Callable[[str, Mapping[str, Any], bool], Edit]] = {
    "properties": edit_properties,
    "yaml": edit_yaml,
    "json": edit_json,
    "toml": edit_toml,
    "ini": edit_ini,
    "env": edit_env,
}

# A byte order mark is no part of the first key; a Java or shell program would take it for one.
_BOM = "\ufeff"
_KEEP_BOM = ("properties", "env")


def edit(
    content: bytes,
    file_format: str,
    values: Mapping[str, Any],
    create: bool,
    namespaces: Mapping[str, str] | None = None,
) -> Edit:
    """Set ``values`` in a file's content; ``file_format`` is any but template.

    ``values`` maps keys to values. What a key is and which values there are, the editor of the format says. A key that
    the file does not have is an error unless ``create``; xml and regexp never add one. ``namespaces`` is for xml.

    :raises ConfigFileError: when the content is malformed, a key is missing or a value cannot be written.
    """
    text = decode(content)
    mark = ""
    if text.startswith(_BOM) and file_format not in _KEEP_BOM:
        mark, text = _BOM, text[1:]
    if file_format == "xml":
        done = edit_xml(text, values, namespaces or {})
    elif file_format == "regexp":
        done = edit_regexp(text, values)
    else:
        done = _EDITORS[file_format](text, values, create)
    try:
        done.text.encode("utf-8")
    except UnicodeEncodeError:
        raise ConfigFileError("a value has characters that UTF-8 cannot hold") from None
    return Edit(mark + done.text, done.changes, done.previous)


def decode(content: bytes) -> str:
    """Return the text of a file.

    :raises ConfigFileError: when it is not UTF-8.
    """
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigFileError(f"is not UTF-8 (byte {error.start})") from None


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
    return _hide_in_urls(text)


def _hide_in_urls(text: str) -> str:
    return _SECRET_IN_URL.sub(lambda match: f"{match[1]}{HIDDEN}@" if match[1] else f"{match[2]}{HIDDEN}", text)


def is_secret(key: str, value: Any, secrets: Sequence[str]) -> bool:
    """Tell whether a value is wholly hidden by :func:`mask`."""
    return mask(key, value, secrets) == HIDDEN


def mask_text(text: str, secrets: Sequence[str]) -> str:
    """Return a text as it may be shown: without secrets, and each line only up to a word that sounds secret."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _MIN_SECRET:
            text = text.replace(secret, HIDDEN)
        elif secret:
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", HIDDEN, text)
    text = _hide_in_urls(text)
    return "".join(_SECRET_LINE.sub(rf"\1 {HIDDEN}", line) for line in text.splitlines(keepends=True))


def secret_values(values: Mapping[str, Any], secrets: Sequence[str]) -> list[str]:
    """Return the texts that must not be shown: ``secrets``, and the values of keys that sound secret."""
    found = list(secrets)
    for key, value in values.items():
        if isinstance(value, Mapping):
            found += secret_values(value, ())
        elif isinstance(value, Sequence) and not isinstance(value, str):
            for item in value:
                found += secret_values(item if isinstance(item, Mapping) else {key: item}, ())
        elif isinstance(value, (str, int)) and not isinstance(value, bool) and is_secret(key, value, secrets):
            found.append(str(value))
    return found


def text_diff(before: str, after: str, secrets: Sequence[str]) -> tuple[str, str]:
    """Return the lines that differ, of both texts, as they may be shown."""
    old = before.splitlines(keepends=True)
    new = after.splitlines(keepends=True)
    shown_old = ""
    shown_new = ""
    for tag, start, end, new_start, new_end in difflib.SequenceMatcher(None, old, new).get_opcodes():
        if tag == "equal":
            continue
        lines = "".join(new[new_start:new_end])
        shown = mask_text(lines, secrets)
        shown_new += shown
        # Which of the lines before held the former secret is not known.
        shown_old += mask_text("".join(old[start:end]), secrets) if shown == lines else f"{HIDDEN}\n" * (end - start)
    return shown_old, shown_new
