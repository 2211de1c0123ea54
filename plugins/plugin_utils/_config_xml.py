# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Editor of XML files. Pure. Runs on the controller.

This is a private util of the collection; it may change at any time.

lxml says which element or attribute an XPath selects, and what the file means after the edit. The text is edited where
expat says that the element stands, because a tree that is written anew loses the layout of its tags.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_edit import (
    Change,
    ConfigFileError,
    Edit,
    scalar,
)

try:
    from lxml import etree

    HAS_LXML = True
except ImportError:
    HAS_LXML = False

_START_TAG = re.compile(rb"<[^\s/>]+((?:\s+[^\s=]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*)\s*(/?)>")
_ATTRIBUTE = re.compile(rb"([^\s=]+)\s*=\s*([\"'])(.*?)\2", re.DOTALL)
_NAMESPACE_OF_XML = "http://www.w3.org/XML/1998/namespace"


@dataclass(frozen=True)
class _Place:
    """What an XPath selects: the text of an element, or its attribute (in Clark notation)."""

    element: etree._Element
    attribute: str | None

    @property
    def value(self) -> str:
        """The text or the attribute's value; an empty element has the text ''."""
        return (self.element.text or "") if self.attribute is None else str(self.element.attrib[self.attribute])


def edit_xml(text: str, values: Mapping[str, Any], namespaces: Mapping[str, str]) -> Edit:
    """Set texts of elements and values of attributes. A key is an XPath that selects exactly one of them.

    ``namespaces`` gives the prefixes that the keys use.
    """
    if not HAS_LXML:
        raise ConfigFileError("needs the Python library lxml on the controller (pip install lxml)")
    content = text.encode("utf-8")
    previous: dict[str, Any] = {}
    changes: list[Change] = []
    tree = _parse(content)
    for key, value in values.items():
        wanted = scalar(key, value)
        place = _find(tree, key, namespaces)
        previous[key] = place.value
        if place.value == wanted:
            continue
        content = _replace(content, tree, place, wanted)
        try:
            if place.attribute is None:
                place.element.text = wanted or None  # as the parser has it
            else:
                place.element.set(place.attribute, wanted)
        except ValueError:
            raise ConfigFileError(f"key {key}: the value has characters that XML does not allow") from None
        after = _parse(content)
        if etree.tostring(after) != etree.tostring(tree):
            raise ConfigFileError(f"key {key}: cannot be set without changing something else")
        tree = after
        changes.append(Change(key, previous[key], wanted))
    for change in changes:
        # An XPath that names the old value would find nothing the next time.
        if _find(tree, change.key, namespaces, "no longer selects anything after the edit").value != change.after:
            raise ConfigFileError(f"key {change.key}: selects something else after the edit")
    return Edit(content.decode("utf-8"), changes, previous)


def _parse(content: bytes) -> etree._Element:
    """Read a document. Nothing outside it is read, and no entity of its own is accepted."""
    _positions(content)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise ConfigFileError(f"is malformed: not XML (line {error.lineno})") from None


def _positions(content: bytes) -> list[tuple[int, int]]:
    """Return where the start tag and the end tag of each element begin, in the order of the start tags."""
    starts: list[int] = []
    ends: dict[int, int] = {}
    opened: list[int] = []
    parser = expat.ParserCreate()

    def start(_name: str, _attributes: Any) -> None:
        opened.append(len(starts))
        starts.append(parser.CurrentByteIndex)

    def end(_name: str) -> None:
        ends[opened.pop()] = parser.CurrentByteIndex

    def doctype(_name: str, _system: str | None, _public: str | None, has_internal_subset: bool) -> None:
        if has_internal_subset:
            raise ConfigFileError("has declarations in its DOCTYPE, which are not accepted")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, LookupError, ValueError):
        raise ConfigFileError(f"is malformed: not XML (line {parser.ErrorLineNumber})") from None
    return [(position, ends[index]) for index, position in enumerate(starts)]


def _find(tree: etree._Element, key: str, namespaces: Mapping[str, str], absent: str = "is not in the file") -> _Place:
    try:
        found = tree.xpath(key, namespaces=dict(namespaces) or None)
    except (etree.XPathError, TypeError, ValueError) as error:
        raise ConfigFileError(f"key {key}: is not an XPath that can be used here: {error}") from None
    if not isinstance(found, list):
        raise ConfigFileError(f"key {key}: must select an element or an attribute")
    if not found:
        raise ConfigFileError(f"key {key}: {absent}")
    if len(found) > 1:
        raise ConfigFileError(f"key {key}: is in the file {len(found)} times")
    element: Any = found[0]
    attribute: str | None = None
    if isinstance(element, etree._ElementUnicodeResult):
        if element.is_attribute:
            attribute = str(element.attrname)
        elif not element.is_text:
            raise ConfigFileError(f"key {key}: must select an element or an attribute")
        element = element.getparent()
    # The tag of a comment is no string.
    if not isinstance(element, etree._Element) or not isinstance(element.tag, str):
        raise ConfigFileError(f"key {key}: must select an element or an attribute")
    if attribute is None and len(element):
        raise ConfigFileError(f"key {key}: the element holds more than text")
    return _Place(element, attribute)


def _replace(content: bytes, tree: etree._Element, place: _Place, value: str) -> bytes:
    index = next(index for index, element in enumerate(tree.iter("*")) if element is place.element)
    begin, end_tag = _positions(content)[index]
    tag = _START_TAG.match(content, begin)
    if tag is None:
        raise ConfigFileError("has a layout that cannot be edited")
    if place.attribute is not None:
        for found in _ATTRIBUTE.finditer(tag[1]):
            if _clark(found[1].decode("utf-8"), place.element) == place.attribute:
                start, end = tag.start(1) + found.start(3), tag.start(1) + found.end(3)
                quote = {'"': "&quot;"} if found[2] == b'"' else {"'": "&apos;"}
                new = escape(value, {**quote, "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
                return content[:start] + _encode(new) + content[end:]
        raise ConfigFileError("has a layout that cannot be edited")
    new = escape(value, {"\r": "&#13;"})
    if tag[2]:
        # An element without content: <name/> becomes <name>value</name>.
        name = re.match(rb"<([^\s/>]+)", tag[0])
        closing = b"</" + (name[1] if name else b"") + b">"
        return content[: tag.start(2)].rstrip() + b">" + _encode(new) + closing + content[tag.end() :]
    return content[: tag.end()] + _encode(new) + content[end_tag:]


def _encode(text: str) -> bytes:
    """Write characters beyond ASCII as references, which mean the same in any encoding that the file declares."""
    return text.encode("ascii", "xmlcharrefreplace")


def _clark(name: str, element: etree._Element) -> str:
    """Return the name of an attribute in Clark notation."""
    prefix, colon, local = name.rpartition(":")
    if not colon:
        return name
    return f"{{{_NAMESPACE_OF_XML if prefix == 'xml' else element.nsmap[prefix]}}}{local}"
