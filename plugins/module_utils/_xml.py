# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""XML from a broker: untrusted, so without document types, and with them without entities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from xml.parsers import expat


class XmlError(Exception):
    """Not XML, or XML that is refused."""


def scan(
    document: bytes | str,
    start: Callable[[str, Mapping[str, str]], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Tell of each element and text in the order in which they come. Raises XmlError.

    A string is taken as it is, whatever encoding its declaration names.
    """
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True

    def refuse(*_declaration: object) -> None:
        raise XmlError("it has a document type, which is refused")

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    if end is not None:
        parser.EndElementHandler = end
    if text is not None:
        parser.CharacterDataHandler = text
    try:
        parser.Parse(document.encode("utf-8", "surrogatepass") if isinstance(document, str) else document, True)
    except expat.ExpatError as exc:
        raise XmlError(f"it is not XML: {exc}") from exc
