# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Untrusted XML."""

from __future__ import annotations

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._xml import XmlError, scan


def events(document):
    found = []
    scan(
        document,
        lambda name, attributes: found.append((name, attributes)),
        lambda name: found.append(f"/{name}"),
        found.append,
    )
    return found


@pytest.mark.parametrize("document", ['<a b="&lt;ä">x</a>', '<a b="&lt;ä">x</a>'.encode()])
def test_elements_and_text_in_order(document):
    assert events(document) == [("a", {"b": "<ä"}), "x", "/a"]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "document type"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "document type"),
        ("<a>&b;</a>", "undefined entity"),
        ("<a>", "no element found"),
        ("", "no element found"),
        ("{}", "not well-formed"),
    ],
)
def test_what_is_refused(document, reason):
    with pytest.raises(XmlError, match=reason):
        events(document)
