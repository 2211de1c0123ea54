# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configurations of Amazon MQ: their revisions, and what becomes of the XML that somebody uploads.

Recorded (configuration_sanitization.json, configuration_sanitization_boundaries.json): what is not permitted at its
place is taken away, an element with all that is in it; attributes in alphabetical order; a value that is an expression
is taken away with its attribute; what else the schema does not allow is an error. The document is written anew: with a
declaration, two spaces a level, attributes in alphabetical order and xmlns among them. An upload is never kept as it
was.
"""

from __future__ import annotations

import base64
import binascii
import functools
import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from lxml import etree

from lab.aws.errors import bad_request, not_found
from lab.aws.rules import MAX_REVISIONS, SPELLINGS

Json = dict[str, Any]

_ROOT = Path(__file__).resolve().parents[3]
_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
#: Developer guide, "Amazon MQ broker configuration parameters": values have to be static.
_NOT_STATIC = re.compile(r"[$#]\{|\A\s*#")
#: UpdateConfiguration: "The list of the first 20 warnings" (API model).
_MAX_WARNINGS = 20
_INTEGERS = {"integer", "long", "short"}


@functools.cache
def permitted() -> Any:
    """The collection's tables of what Amazon MQ permits. Data only; by its path, because the lab is no collection."""
    path = _ROOT / "plugins/module_utils/_mq_permitted.py"
    spec = importlib.util.spec_from_file_location("lab_mq_permitted", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Revision:
    """One revision; its XML."""

    number: int
    data: str
    description: str | None
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    def describe(self) -> Json:
        """As lists and configurations name it."""
        return {"Revision": self.number, "Created": self.created, "Description": self.description}


@dataclass
class Configuration:
    """A configuration. Revisions are numbered from 1, and are never changed."""

    id: str
    arn: str
    name: str
    engine_type: str
    engine_version: str
    revisions: list[Revision]
    strategy: str = "simple"
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def default(cls, identity: str, arn: str, name: str, engine_type: str, version: str) -> Configuration:
        """A new one: revision 1 is AWS's default for the engine (recorded: configuration_revisions.json)."""
        from moto.mq.configuration import DEFAULT_CONFIGURATION_DATA  # AWS's, comments and all

        description = f"Auto-generated default for {name} on {SPELLINGS[engine_type]} {version}"
        data = DEFAULT_CONFIGURATION_DATA if engine_type == "ACTIVEMQ" else "# Default RabbitMQ configuration\n"
        return cls(identity, arn, name, engine_type, version, [Revision(1, data, description)])

    def update(self, data: str, description: str | None) -> list[Json]:
        """Add a revision of base64 data. The warnings tell what was taken away; the caller shows the first 20.

        Raises ApiError.
        """
        try:
            document = base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError) as error:
            raise bad_request("The configuration data is not base64-encoded.", "data") from error
        if len(self.revisions) >= MAX_REVISIONS:  # developer guide, "Quotas in Amazon MQ"
            raise bad_request(f"Configuration [{self.id}] has {MAX_REVISIONS} revisions, more are not possible.")
        kept, warnings = (
            sanitize(document, self.engine_version)
            if self.engine_type == "ACTIVEMQ"
            else (document.decode(errors="replace"), [])
        )
        self.revisions.append(Revision(self.revisions[-1].number + 1, kept, description))
        return warnings[:_MAX_WARNINGS]

    def revision(self, number: str) -> Revision:
        """A revision by its number as a path has it. Raises ApiError."""
        wanted = revision_number(number)
        for revision in self.revisions:
            if revision.number == wanted:
                return revision
        raise no_revision(self.id, wanted)

    def summary(self) -> Json:
        """What all answers have in common."""
        return {
            "Arn": self.arn,
            "Id": self.id,
            "Name": self.name,
            "Created": self.created,
            "LatestRevision": self.latest,
        }

    @property
    def latest(self) -> Json:
        """The newest revision, by number."""
        return self.revisions[-1].describe()

    def describe(self) -> Json:
        """For DescribeConfiguration and lists. Recorded: without Description, which the model calls required."""
        return {
            **self.summary(),
            "AuthenticationStrategy": self.strategy,
            "EngineType": SPELLINGS[self.engine_type],
            "EngineVersion": self.engine_version,
        }


def revision_number(text: str) -> int:
    """The number of a revision as a path has it. Raises ApiError.

    Recorded (configuration_revisions.json, configuration_revision_precedence.json): 01 is 1, +1 and abc are refused.
    """
    if not re.fullmatch(r"-?[0-9]+", text) or not -(2**31) <= int(text) < 2**31:
        raise bad_request(
            "Invalid revision ID. Specify only integers from -2147483648 to 2147483647.", "configuration-revision"
        )
    return int(text)


def no_revision(configuration_id: str, number: int) -> Exception:
    """The error for a revision that is not there, also when the configuration is not (recorded)."""
    return not_found(
        f"Revision [{number}] of configuration [{configuration_id}] can't be found. Make sure it exists.",
        "configuration-revision",
    )


def sanitize(document: bytes, version: str) -> tuple[str, list[Json]]:
    """The document as Amazon MQ keeps it, and a warning for each thing that it took away. Raises ApiError."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        raise _invalid(str(error)) from error
    if b"<!DOCTYPE" in document:
        raise _invalid("a document type is not allowed")
    if root.tag != _core("broker"):
        raise _invalid(f"Cannot find the declaration of element '{_local(root)}'")
    warnings: list[Json] = []
    _sanitize_element(root, tuple(int(part) for part in version.split(".")[:2]), warnings)
    _check_element(root)
    return _DECLARATION + "".join(_spell(root, 0)), warnings


def _sanitize_element(element: Any, line: tuple[int, ...], warnings: list[Json]) -> None:
    name = _local(element)
    since = permitted().SINCE.get(name, {})
    known = {
        attribute
        for attribute in _types(name)
        if attribute not in since or tuple(int(part) for part in since[attribute].split(".")) <= line
    }
    _sanitize_attributes(element, known, warnings)
    groups = permitted().GROUPS.get(name, {})
    for group in list(element):
        if group.tag != _core(_local(group)) or _local(group) not in groups:
            _remove(group, warnings)
            continue
        _sanitize_attributes(group, set(), warnings)
        members = groups[_local(group)].split()
        if permitted().ANYTHING in members:
            continue
        for member in list(group):
            if member.tag == _core(_local(member)) and _local(member) in members:
                _sanitize_element(member, line, warnings)
            else:
                _remove(member, warnings)


def _sanitize_attributes(element: Any, known: set[str], warnings: list[Json]) -> None:
    for key in sorted(element.attrib):
        if key not in known:
            reason = permitted().ATTRIBUTE_REMOVED
        elif _NOT_STATIC.search(element.attrib[key]):
            reason = permitted().VALUE_REMOVED
        else:
            continue
        name = etree.QName(key).localname
        warnings.append({"ElementName": _local(element), "AttributeName": name, "Reason": reason})
        del element.attrib[key]


def _remove(element: Any, warnings: list[Json]) -> None:
    warnings.append({"ElementName": _local(element), "Reason": permitted().ELEMENT_REMOVED})
    element.getparent().remove(element)


def _check_element(element: Any) -> None:
    """Refuse what is permitted by name but not by its value or number (recorded: the case owned-element)."""
    name = _local(element)
    types = _types(name)
    for key, value in element.attrib.items():
        kind = types.get(key, "string")
        words = kind.split()
        if words[0] == "one" and value not in words[2:]:
            raise _invalid(
                f"cvc-enumeration-valid: Value '{value}' is not facet-valid with respect to enumeration "
                f"'[{', '.join(words[2:])}]'. It must be a value from the enumeration."
            )
        if words[0] == "boolean" and value not in {"true", "false", "1", "0"}:
            raise _invalid(f"cvc-datatype-valid.1.2.1: '{value}' is not a valid value for 'boolean'.")
        if words[0] in _INTEGERS:
            number = int(value) if re.fullmatch(r"\s*[+-]?\d{1,20}\s*", value) else None
            if number is None or (len(words) == 4 and not int(words[1]) <= number <= int(words[3])):
                raise _invalid(f"cvc-datatype-valid.1.2.1: '{value}' is not a valid value for '{kind}'.")
    for key in permitted().REQUIRED.get(name, "").split():
        if key not in element.attrib:
            raise _invalid(f"cvc-complex-type.4: Attribute '{key}' must appear on element '{name}'.")
    groups = permitted().GROUPS.get(name, {})
    for group in element:
        if len(group) > 1 and _local(group) in permitted().AT_MOST_ONE.get(name, "").split():
            raise _invalid(f"cvc-complex-type.2.4.d: '{_local(group)}' has more than one element.")
        if permitted().ANYTHING not in groups[_local(group)].split():
            for member in group:
                _check_element(member)


def _types(name: str) -> dict[str, str]:
    """The attributes of an element and their types."""
    found = permitted().ATTRIBUTES.get(name, {})
    return {attribute: kind for kind, attributes in found.items() for attribute in attributes.split()}


def _spell(element: Any, depth: int) -> Iterator[str]:
    attributes = {etree.QName(key).localname: value for key, value in element.attrib.items()}
    if depth == 0:
        attributes["xmlns"] = permitted().NAMESPACE
    told = "".join(f" {key}={quoteattr(attributes[key])}" for key in sorted(attributes))
    indent = "  " * depth
    if not len(element):
        yield f"{indent}<{_local(element)}{told}/>\n"
        return
    yield f"{indent}<{_local(element)}{told}>\n"
    for child in element:
        yield from _spell(child, depth + 1)
    yield f"{indent}</{_local(element)}>\n"


def _core(name: str) -> str:
    return f"{{{permitted().NAMESPACE}}}{name}"


def _local(element: Any) -> str:
    return str(etree.QName(element).localname)


def _invalid(why: str) -> Exception:
    return bad_request(f"The specified XML configuration data is invalid: {why}", "data")
