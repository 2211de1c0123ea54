# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Editor of files by regular expressions. Pure but for a helper process. Runs on the controller.

This is a private util of the collection; it may change at any time.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_edit import (
    Change,
    ConfigFileError,
    Edit,
    scalar,
)

TIMEOUT = 5.0  # seconds for one pattern

# Prints the spans of the group in the first two matches.
_SEARCH = """
import itertools, json, re, sys
pattern, text = json.load(sys.stdin)
found = itertools.islice(re.finditer(pattern, text, re.MULTILINE), 2)
json.dump([match.span(1) for match in found], sys.stdout)
"""


def edit_regexp(text: str, values: Mapping[str, Any]) -> Edit:
    """Replace what the group of a pattern matches. A key is a pattern that has one group and matches exactly once.

    ``^`` and ``$`` match at each line.
    """
    previous: dict[str, Any] = {}
    changes: list[Change] = []
    for key, value in values.items():
        wanted = scalar(key, value)
        start, end = _find(key, text)
        previous[key] = text[start:end]
        if previous[key] != wanted:
            text = text[:start] + wanted + text[end:]
            changes.append(Change(key, previous[key], wanted))
    for change in changes:
        start, end = _find(change.key, text, "no longer matches after the edit")
        if text[start:end] != change.after:
            raise ConfigFileError(f"key {change.key}: matches something else after the edit")
    return Edit(text, changes, previous)


def _find(pattern: str, text: str, absent: str = "is not in the file") -> tuple[int, int]:
    """Return the span of the group.

    Python cannot interrupt a search, and there are patterns that take years: so another process searches.
    """
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ConfigFileError(f"key {pattern}: is not a regular expression: {error}") from None
    if groups != 1:
        raise ConfigFileError(f"key {pattern}: must have exactly one group, for the value; use (?:...) for others")
    try:
        search = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _SEARCH],
            input=json.dumps([pattern, text]),
            capture_output=True,
            check=True,
            text=True,
            timeout=TIMEOUT,
        )
    except subprocess.TimeoutExpired:
        raise ConfigFileError(f"key {pattern}: the search took longer than {TIMEOUT:g} s") from None
    except subprocess.CalledProcessError:
        raise ConfigFileError(f"key {pattern}: the search failed") from None
    spans = json.loads(search.stdout)
    if not spans:
        raise ConfigFileError(f"key {pattern}: {absent}")
    if len(spans) > 1:
        raise ConfigFileError(f"key {pattern}: matches more than once")
    start, end = spans[0]
    if start < 0:
        raise ConfigFileError(f"key {pattern}: the group has no part in the match")
    return start, end
