# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""Broker configurations of Amazon MQ: what Amazon MQ takes away, what it refuses, and whether two are the same.

What Amazon MQ does with an uploaded configuration, as seen in recorded answers of the API for ActiveMQ 5.18
(github.com/radkawar/stackd, testdata/aws/mq/configuration_sanitization*.json, 2026):

- What the schema does not permit at its place is taken away, an element with all that is in it, and told once. A known
  element at a wrong place counts, and so does one of another namespace.
- An attribute is taken away when it is not permitted, or when its value is a Spring expression.
- Whatever else the schema does not allow, such as a value that its list does not have, makes the API refuse the whole
  (BadRequestException).
- The revision is written anew: an XML declaration, two spaces a level, attributes sorted, elements in their order.

The root has to be the element broker. A broker's own activemq.xml is a Spring document, <beans> with a <broker> and
more in it; only the broker can be taken over.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _mq_permitted as permitted
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._xml import XmlError, scan

# A large activemq.xml has some thousand elements; what is beyond is no configuration that somebody wrote.
MAX_BYTES = 256 * 1024
MAX_DEPTH = 50
MAX_ELEMENTS = 20_000

# Why a removal is one that Amazon MQ does not make: it would refuse the whole instead.
REFUSED = "REFUSED"

HIDDEN = "********"

_BEANS = "http://www.springframework.org/schema/beans"
_XML = "http://www.w3.org/XML/1998/namespace"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_XMLNS = "http://www.w3.org/2000/xmlns/"

_NAME = r"[^\s/@*]+"
_ACCEPTABLE = re.compile(f"{_NAME}(?:/{_NAME}|@{_NAME})")

_NOT_STATIC = re.compile(r"[$#]\{|\A\s*#")

_USER_INFO = re.compile(r"(?<=//)[^/@\s,()?]*@")
_PASSWORD_OPTION = re.compile(r"([^&?\s,()]*password[^=&\s,()]*=)[^&\s,()]*", re.IGNORECASE)

_INTEGER = re.compile(r"[+-]?[0-9]+")
_DOUBLE = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|-?INF|NaN")
_BITS = {"long": 64, "short": 16}


class ConfigurationError(Exception):
    """A configuration that cannot be read, or cannot be made what is asked for."""


@dataclass(frozen=True)
class Removal:
    """Something that Amazon MQ would take away or refuse, or that is outside of the broker.

    ``element`` and ``attribute`` (None: the whole element) are names as the API's warnings spell them.
    ``name`` is how somebody accepts the removal: ``parent/element`` or ``element@attribute``. ``path`` is the place.
    """

    kind: str  # element, attribute
    element: str
    attribute: str | None
    path: str
    reason: str
    name: str

    def as_dict(self) -> dict[str, str | None]:
        """As the module returns it."""
        return {
            "name": self.name,
            "kind": self.kind,
            "element": self.element,
            "attribute": self.attribute,
            "path": self.path,
            "reason": self.reason,
        }


@dataclass(frozen=True)
class Rejection:
    """Something for which Amazon MQ would refuse the whole configuration."""

    path: str
    message: str

    def as_dict(self) -> dict[str, str]:
        """As the module returns it."""
        return {"path": self.path, "message": self.message}


@dataclass
class Node:
    """An element.

    Attributes that have a namespace are named ``{namespace}name``; those of XMLSchema-instance are left out.
    """

    namespace: str
    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)
    text: str = ""


@dataclass(frozen=True)
class Configuration:
    """A configuration as given: what Amazon MQ would keep of it, take away, and refuse."""

    kept: Node
    removals: tuple[Removal, ...]
    rejections: tuple[Rejection, ...]

    @property
    def document(self) -> str:
        """The XML document to upload. It holds what is kept only, so that nothing that is lost leaves this host."""
        return '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + _spell(self.kept)

    @property
    def text(self) -> str:
        """What is kept, for a person to read."""
        return text(self.kept)


def read(
    document: str,
    engine_version: str | None = None,
    also_permitted: Iterable[str] = (),
    accepted: Iterable[str] = (),
) -> Configuration:
    """What Amazon MQ makes of a configuration, or of a broker's own activemq.xml.

    :param engine_version: the line of ActiveMQ (``5.18``). None: the newest that is known.
    :param also_permitted: names (``parent/element``, ``element@attribute``) to take for permitted with all within.
    :param accepted: names to take away where Amazon MQ would refuse the whole because of them, or of what is in them.
    :raises ConfigurationError: when it is no XML, has a document type, is too large, or has not exactly one broker.
    """
    broker, outside = _broker(parse(document))
    line, also = _line(engine_version), frozenset(also_permitted)
    judge = _Judge(line, also)
    kept = judge.element(broker, "/broker")
    refused, rejections = _drop_refused(kept, _Inspector(line, also), frozenset(accepted))
    return Configuration(kept, (*outside, *judge.removals, *refused), tuple(rejections))


def removed(document: str, engine_version: str | None = None) -> list[Removal]:
    """What Amazon MQ takes away from a configuration. See read()."""
    return list(read(document, engine_version).removals)


def kept(document: str, engine_version: str | None = None) -> str:
    """The XML document that Amazon MQ makes of a configuration. See read()."""
    return read(document, engine_version).document


def parse(document: str) -> Node:
    """The root of a document, with all namespaces resolved. Raises ConfigurationError."""
    size = len(document.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise ConfigurationError(f"the configuration has {size} bytes, more than {MAX_BYTES}")
    builder = _Builder()
    try:
        scan(document, builder.start, builder.end, builder.text)
    except XmlError as exc:
        raise ConfigurationError(f"the configuration cannot be read: {exc}") from exc
    if builder.root is None:  # cannot be: expat refuses a document without a root
        raise ConfigurationError("the configuration has no element")
    return builder.root


def same(one: Node, other: Node) -> bool:
    """Whether two brokers are configured alike.

    The spelling does not matter: prefixes, comments, white space between elements, the order of attributes. Nor does
    the order of an element's groups, each of which sets another property (the schemas permit them in any order); groups
    of one name stay in their order. In a group the order counts: plugins are applied in it.
    """
    return _canonical(one, group=False) == _canonical(other, group=False)


def text(node: Node) -> str:
    """For a person to read: one element a line, attributes sorted, secrets hidden."""
    return _spell(node, hide=True)


def unaccepted(removals: Iterable[Removal], accepted: Iterable[str]) -> list[Removal]:
    """The removals that nobody accepted."""
    names = set(accepted)
    return [removal for removal in removals if removal.name not in names]


def check_names(names: Iterable[str], option: str) -> None:
    """Raise ConfigurationError for a name that cannot be that of a removal: each has to name one thing."""
    for name in names:
        if not _ACCEPTABLE.fullmatch(name):
            raise ConfigurationError(
                f"{option} names {name!r}, which is neither PARENT/ELEMENT nor ELEMENT@ATTRIBUTE, without wildcards"
            )


def warning_names(warnings: Iterable[Mapping[str, Any]]) -> list[str]:
    """What the warnings of UpdateConfiguration say, each once, as ``element`` or ``element@attribute`` and the reason.

    The attributes of XMLSchema-instance are no part of the configuration, whatever becomes of them.
    """
    names: Counter[str] = Counter()
    for warning in warnings:
        attribute = str(warning.get("AttributeName") or "")
        if attribute.startswith("xsi:") or attribute in ("schemaLocation", "noNamespaceSchemaLocation"):
            continue
        element = str(warning.get("ElementName") or "?")
        names[
            f"{element}@{attribute} ({warning.get('Reason')})" if attribute else f"{element} ({warning.get('Reason')})"
        ] += 1
    return list(names)


def encode(document: str) -> str:
    """As UpdateConfiguration wants it."""
    return base64.b64encode(document.encode("utf-8")).decode("ascii")


def decode(data: str) -> str:
    """As DescribeConfigurationRevision gives it. Raises ConfigurationError."""
    try:
        return base64.b64decode(data, validate=True).decode("utf-8")
    except (binascii.Error, ValueError) as exc:
        raise ConfigurationError(f"the API's configuration is not base64 of UTF-8: {exc}") from exc


class _Builder:
    """Makes nodes of what the parser tells. It resolves prefixes, because the parser does not."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self._open: list[Node] = []
        self._scopes: list[dict[str, str]] = [{"": "", "xml": _XML, "xmlns": _XMLNS}]
        self._count = 0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise ConfigurationError(f"the configuration has more than {MAX_ELEMENTS} elements")
        if len(self._open) >= MAX_DEPTH:
            raise ConfigurationError(f"the configuration's elements are nested more than {MAX_DEPTH} deep")
        scope = self._scopes[-1]
        declared = {key[6:]: value for key, value in attributes.items() if key == "xmlns" or key.startswith("xmlns:")}
        if declared:
            scope = {**scope, **declared}
        self._scopes.append(scope)
        node = Node(*self._resolve(name, scope))
        for key, value in attributes.items():
            if key == "xmlns" or key.startswith("xmlns:"):
                continue
            namespace, local = self._resolve(key, scope) if ":" in key else ("", key)
            if namespace != _XSI:
                node.attributes[f"{{{namespace}}}{local}" if namespace else local] = value
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)

    def end(self, _name: str) -> None:
        self._scopes.pop()
        node = self._open.pop()
        node.text = node.text.strip()

    def text(self, text: str) -> None:
        self._open[-1].text += text

    @staticmethod
    def _resolve(name: str, scope: Mapping[str, str]) -> tuple[str, str]:
        prefix, colon, local = name.rpartition(":")
        if prefix not in scope:
            raise ConfigurationError(f"the configuration cannot be read: nothing declares the prefix of {name!r}")
        return scope[prefix], local if colon else name


def _broker(root: Node) -> tuple[Node, list[Removal]]:
    """The broker of a document and what is beside it."""
    if (root.namespace, root.name) == (permitted.NAMESPACE, "broker"):
        return root, []
    if (root.namespace, root.name) != (_BEANS, "beans"):
        raise ConfigurationError(
            f"the configuration's root is <{root.name}> of namespace {root.namespace!r}; it has to be <broker> of "
            f"{permitted.NAMESPACE!r}, or <beans> of Spring with such a broker in it"
        )
    paths = list(zip(root.children, _paths("/beans", root.children)))
    brokers = [node for node in root.children if _is_core(node, "broker")]
    if len(brokers) != 1:
        raise ConfigurationError(
            f"<beans> has to hold exactly one <broker> of {permitted.NAMESPACE!r}, not {len(brokers)}"
        )
    outside = [_removal("beans", node, path) for node, path in paths if node is not brokers[0]]
    return brokers[0], outside


class _Judge:
    """Copies a broker without what Amazon MQ takes away, and notes that."""

    def __init__(self, line: tuple[int, ...], also: frozenset[str]) -> None:
        self.removals: list[Removal] = []
        self._line = line
        self._also = also

    def element(self, node: Node, path: str) -> Node:
        """An element of the schema: what is kept of it."""
        known = _attributes(node.name, self._line)
        copy = Node(node.namespace, node.name, text=node.text)
        self._take_attributes(node, copy, path, known)
        groups = permitted.GROUPS.get(node.name, {})
        for child, place in zip(node.children, _paths(path, node.children)):
            if f"{node.name}/{child.name}" in self._also:
                copy.children.append(child)
            elif _is_core(child, child.name) and child.name in groups:
                copy.children.append(self._group(child, place, groups[child.name].split()))
            else:
                self.removals.append(_removal(node.name, child, place))
        return copy

    def _group(self, node: Node, path: str, members: Sequence[str]) -> Node:
        copy = Node(node.namespace, node.name, text=node.text)
        self._take_attributes(node, copy, path, {})
        for child, place in zip(node.children, _paths(path, node.children)):
            if permitted.ANYTHING in members or f"{node.name}/{child.name}" in self._also:
                copy.children.append(child)
            elif _is_core(child, child.name) and child.name in members:
                copy.children.append(self.element(child, place))
            else:
                self.removals.append(_removal(node.name, child, place))
        return copy

    def _take_attributes(self, node: Node, copy: Node, path: str, known: Mapping[str, str]) -> None:
        """The API names attributes in alphabetical order, and so do we."""
        for key in sorted(node.attributes):
            local = key.rpartition("}")[2]
            name = f"{node.name}@{local}"
            if name not in self._also and key not in known:
                reason = permitted.ATTRIBUTE_REMOVED
            elif name not in self._also and _NOT_STATIC.search(node.attributes[key]):
                reason = permitted.VALUE_REMOVED
            else:
                copy.attributes[key] = node.attributes[key]
                continue
            self.removals.append(Removal("attribute", node.name, local, f"{path}/@{local}", reason, name))


@dataclass(frozen=True)
class _Step:
    """An element on the way from the broker to one in it, and how its removal is named. The broker has no parent."""

    parent: Node | None
    node: Node
    path: str

    @property
    def name(self) -> str:
        return f"{self.parent.name if self.parent is not None else ''}/{self.node.name}"


@dataclass(frozen=True)
class _Finding:
    """A rejection and where it is: the elements from the broker on, and perhaps the attribute of the last one."""

    trail: tuple[_Step, ...]
    attribute: str | None
    message: str

    @property
    def rejection(self) -> Rejection:
        path = self.trail[-1].path
        return Rejection(path if self.attribute is None else f"{path}/@{self.attribute}", self.message)

    def remove(self, accepted: frozenset[str]) -> Removal | None:
        """Take away the innermost part around it that is accepted. None when none is."""
        node = self.trail[-1].node
        if self.attribute is not None and f"{node.name}@{self.attribute}" in accepted:
            node.attributes.pop(self.attribute, None)
            path, name = self.rejection.path, f"{node.name}@{self.attribute}"
            return Removal("attribute", node.name, self.attribute, path, REFUSED, name)
        for step in reversed(self.trail[1:]):
            if step.name in accepted and step.parent is not None:
                step.parent.children = [child for child in step.parent.children if child is not step.node]
                return Removal("element", step.node.name, None, step.path, REFUSED, step.name)
        return None


class _Inspector:
    """Finds for what Amazon MQ would refuse what is kept. Inferred from the schemas; one case of it was recorded."""

    def __init__(self, line: tuple[int, ...], also: frozenset[str]) -> None:
        self._line = line
        self._also = also

    def broker(self, node: Node) -> Iterator[_Finding]:
        return self._element((_Step(None, node, "/broker"),))

    def _element(self, trail: tuple[_Step, ...]) -> Iterator[_Finding]:
        node = trail[-1].node
        yield from _text(trail)
        known = _attributes(node.name, self._line)
        for key in sorted(node.attributes):
            if f"{node.name}@{key}" not in self._also and key in known:
                problem = _value_problem(node.attributes[key], known[key])
                if problem is not None:
                    yield _Finding(trail, key, problem)
        for key in permitted.REQUIRED.get(node.name, "").split():
            if key not in node.attributes:
                yield _Finding(trail, None, f"has no attribute {key}")
        yield from _repeated(trail)
        groups = permitted.GROUPS.get(node.name, {})
        for step in _steps(trail[-1]):
            if step.name not in self._also and permitted.ANYTHING not in groups[step.node.name].split():
                yield from self._group((*trail, step))

    def _group(self, trail: tuple[_Step, ...]) -> Iterator[_Finding]:
        owner, node = trail[-2].node, trail[-1].node
        yield from _text(trail)
        if len(node.children) > 1 and node.name in permitted.AT_MOST_ONE.get(owner.name, "").split():
            yield _Finding(trail, None, f"holds {len(node.children)} elements, but may hold one")
        if not node.children and node.name in permitted.AT_LEAST_ONE.get(owner.name, "").split():
            yield _Finding(trail, None, "is empty, but has to hold an element")
        yield from _repeated(trail)
        for step in _steps(trail[-1]):
            if step.name not in self._also:
                yield from self._element((*trail, step))


def _drop_refused(kept: Node, inspector: _Inspector, accepted: frozenset[str]) -> tuple[list[Removal], list[Rejection]]:
    """Take away what Amazon MQ would refuse, as far as that is accepted. What is empty then may be refused for that."""
    removals: dict[str, Removal] = {}
    while True:
        found = list(inspector.broker(kept))
        taken = [removal for finding in found if (removal := finding.remove(accepted)) is not None]
        removals.update((removal.path, removal) for removal in taken)
        if not taken:
            return list(removals.values()), [finding.rejection for finding in found]


def _steps(step: _Step) -> list[_Step]:
    children = step.node.children
    return [_Step(step.node, child, path) for child, path in zip(children, _paths(step.path, children))]


def _text(trail: tuple[_Step, ...]) -> Iterator[_Finding]:
    if trail[-1].node.text:
        yield _Finding(trail, None, "has text in it")


def _repeated(trail: tuple[_Step, ...]) -> Iterator[_Finding]:
    node = trail[-1].node
    for above, element, attribute in permitted.UNIQUE:
        if above == node.name:
            values = Counter(
                found.attributes[attribute]
                for found in _below(node)
                if found.name == element and attribute in found.attributes
            )
            for value, count in values.items():
                if count > 1:
                    yield _Finding(trail, None, f"holds {count} {element} with {attribute} {value!r}, but may hold one")


def _below(node: Node) -> Iterator[Node]:
    for child in node.children:
        yield child
        yield from _below(child)


def _value_problem(value: str, wanted: str) -> str | None:
    """Why a value is not of a type of the schema. None when it is. The value itself may be a secret and is not told."""
    value = value.strip(" \t\r\n")
    kind, _space, rest = wanted.partition(" ")
    if kind == "one":
        values = rest.split()[1:]
        return None if value in values else f"has to be {' or '.join(values)}"
    if kind == "boolean":
        return None if value in ("true", "false", "1", "0") else "has to be true or false"
    if kind == "double":
        return None if _DOUBLE.fullmatch(value) else "has to be a number"
    if kind == "string":
        return None
    if not _INTEGER.fullmatch(value) or len(value) > 40:
        return "has to be an integer"
    if kind in _BITS and not -(2 ** (_BITS[kind] - 1)) <= int(value) < 2 ** (_BITS[kind] - 1):
        return f"has to be an integer of {_BITS[kind]} bits"
    if rest:
        low, high = rest.split(" to ")
        if not int(low) <= int(value) <= int(high):
            return f"has to be an integer from {low} to {high}"
    return None


def _attributes(element: str, line: tuple[int, ...]) -> dict[str, str]:
    """The attributes of an element and their types."""
    since = permitted.SINCE.get(element, {})
    return {
        name: kind
        for kind, names in permitted.ATTRIBUTES.get(element, {}).items()
        for name in names.split()
        if name not in since or _line(since[name]) <= line
    }


def _line(version: str | None) -> tuple[int, ...]:
    """``5.18.4`` and ``5.18`` are the same line of ActiveMQ. Raises ConfigurationError."""
    parts = (version or permitted.NEWEST_VERSION).split(".")
    if len(parts) < 2 or not all(part.isascii() and part.isdigit() for part in parts[:2]):
        raise ConfigurationError(f"the engine version {version!r} does not look like 5.18")
    return tuple(int(part) for part in parts[:2])


def same_line(one: str, other: str) -> bool:
    """Whether two versions are of one line: Amazon MQ gives the patch, and tells 5.18.4 where 5.18 was asked for."""
    return _line(one) == _line(other)


def _is_core(node: Node, name: str) -> bool:
    return (node.namespace, node.name) == (permitted.NAMESPACE, name)


def _removal(parent: str, node: Node, path: str) -> Removal:
    return Removal("element", node.name, None, path, permitted.ELEMENT_REMOVED, f"{parent}/{node.name}")


def _paths(path: str, nodes: Sequence[Node]) -> list[str]:
    """The places of the elements in another; those that share a name are numbered, as in XPath."""
    counts = Counter(node.name for node in nodes)
    seen: Counter[str] = Counter()
    paths = []
    for node in nodes:
        seen[node.name] += 1
        paths.append(f"{path}/{node.name}" + (f"[{seen[node.name]}]" if counts[node.name] > 1 else ""))
    return paths


def _canonical(node: Node, group: bool) -> tuple[Any, ...]:
    children = node.children if group else sorted(node.children, key=lambda child: (child.namespace, child.name))
    return (
        node.namespace,
        node.name,
        tuple(sorted(node.attributes.items())),
        node.text,
        tuple(_canonical(child, not group) for child in children),
    )


def _spell(node: Node, hide: bool = False, outer: str = "", indent: str = "") -> str:
    """XML, two spaces a level, attributes sorted. ``outer``: the default namespace of what is around."""
    attributes = []
    if node.namespace != outer:
        attributes.append(f'xmlns="{_escape(node.namespace)}"')
    for number, key in enumerate(sorted(node.attributes)):
        value = _hidden(node, key) if hide else node.attributes[key]
        namespace, _brace, local = key[1:].rpartition("}") if key.startswith("{") else ("", "", key)
        if namespace == _XML:
            local = f"xml:{local}"
        elif namespace:
            attributes.append(f'xmlns:n{number}="{_escape(namespace)}"')
            local = f"n{number}:{local}"
        attributes.append(f'{local}="{_escape(value)}"')
    start = f"{indent}<{' '.join([node.name, *attributes])}"
    if not node.children and not node.text:
        return f"{start}/>\n"
    text = HIDDEN if hide and node.text and "password" in node.name.lower() else node.text
    if not node.children:
        return f"{start}>{_escape(text)}</{node.name}>\n"
    inner = "".join(_spell(child, hide, node.namespace, indent + "  ") for child in node.children)
    line = f"{indent}  {_escape(text)}\n" if text else ""
    return f"{start}>\n{line}{inner}{indent}</{node.name}>\n"


def _hidden(node: Node, key: str) -> str:
    """An attribute's value without the secrets in it."""
    value = node.attributes[key]
    told_by = [key, *(node.attributes.get(other, "") for other in ("name", "key", "id") if key == "value")]
    if any("password" in name.lower() for name in told_by):
        return HIDDEN
    return _PASSWORD_OPTION.sub(lambda match: match.group(1) + HIDDEN, _USER_INFO.sub(f"{HIDDEN}@", value))


def _escape(text: str) -> str:
    for character, spelled in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(character, spelled)
    # Otherwise a reader turns them into spaces.
    for character in "\t\r\n":
        text = text.replace(character, f"&#{ord(character)};")
    return text
