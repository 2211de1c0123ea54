# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a broker URL as the client does, and say what the client makes of it. Pure: no Ansible import, no I/O.

This is a private util of the collection; it may change at any time.

:func:`read` follows the ActiveMQ Java client: ``java.net.URI``, ``ActiveMQConnectionFactory.setBrokerURL``,
``URISupport``, ``FailoverTransportFactory``, ``FailoverTransport.add``, ``TransportFactory``, ``TcpTransportFactory``
and ``IntrospectionSupport``. tests/integration/test_failover_urls.py holds it against that client. The other libraries
copied this grammar; for them it is a reading of their sources.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import quote_plus

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url_options import (
    DIALECT,
    EXACT_NAMES,
    MONITOR_OPTIONS,
    NEGOTIATOR_OPTIONS,
    TLS_OPTIONS,
    TLS_SCHEMES,
    Dialect,
    Table,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._java_uri import (
    Pair,
    Uri,
    UriError,
    closing_parenthesis,
    split_components,
    split_query,
    split_server,
    split_uri,
)

# What the client does because of a problem, worst first.
CONSEQUENCES = (
    "fails_at_creation",  # the connection factory cannot be made
    "fails_on_start",  # the connection cannot be made
    "retries_for_ever",  # the application hangs while it connects
    "skipped",  # this endpoint is never used, the others are
    "misread",  # a value is read as another one
    "ignored",  # something is silently left out
    "works",  # as written, but see the message
)

# Schemes that look like a list for clients and are one for brokers.
_BROKER_SCHEMES = ("static", "masterslave", "discovery")
_WHOLE = re.compile(r"[+-]?[0-9]+\Z", re.ASCII)
_FRACTION = re.compile(
    r"[\x00-\x20]*[+-]?(NaN|Infinity|([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[fFdD]?)[\x00-\x20]*\Z", re.ASCII
)
# So many rounds over a list, with half a minute in between, are as good as for ever.
_MANY_ROUNDS = 1000
_BITS = {"int": 31, "long": 63}
_AMAZON_MQ = re.compile(r"(b-[0-9a-z-]+)-([12])(\.mq\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?)\Z", re.ASCII)


class Problem(NamedTuple):
    """One finding. ``position`` is the index in the URL where it begins. No field ever holds a password."""

    level: str
    """``error``: the client does not do what is written; ``warning``: it leaves out something harmless; ``hint``."""
    code: str
    message: str
    position: int
    consequence: str
    """One of :data:`CONSEQUENCES`."""


@dataclass(frozen=True)
class Target:
    """One endpoint that the client tries: ``host`` without brackets, or the reading of a list inside the list."""

    host: str = ""
    port: int = 0
    tls: bool = False
    inner: Reading | None = None


@dataclass
class Reading:
    """A URL as the client reads it. Values of known options have their type, others are text."""

    uris: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    nested: dict[str, Any] = field(default_factory=dict)
    jms: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    """The endpoints that can be connected to, in the order of the first round when ``randomize`` is false."""
    failover: bool = False
    """Whether the client tries again after a failure."""

    @property
    def valid(self) -> bool:
        """Whether the client does what is written."""
        return all(problem.level != "error" for problem in self.problems)

    @property
    def outcome(self) -> str:
        """``fails_at_creation``, ``fails_on_start``, ``retries_for_ever``, or ``works`` when an endpoint answers."""
        found = {problem.consequence for problem in self.problems}
        return next((name for name in CONSEQUENCES[:3] if name in found), "works")

    def add(self, level: str, code: str, message: str, position: int, consequence: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(level, code, message, position, consequence))


def read(url: object, dialect: str = "activemq") -> Reading:
    """Read the text of a broker URL or host list. Never raises: what is wrong with it is among ``problems``."""
    reading = Reading()
    if not isinstance(url, str) or not url:
        reading.add("error", "empty", "a broker URL must be a non-empty string", 0, "fails_on_start")
        return reading
    rules = DIALECT[dialect]
    if rules.form == "list":
        _read_host_list(reading, url)
    elif rules.form == "single":
        _read_single(reading, url)
    else:
        _read_url(reading, url, rules)
    _hints(reading, rules)
    reading.problems.sort(key=lambda problem: (problem.position, CONSEQUENCES.index(problem.consequence)))
    return reading


def convert(option_type: str, text: str | None) -> Any:
    """Convert a value as the client's setter does.

    :raises ValueError: when the client could not.
    """
    if option_type == "bool":
        return (text or "").lower() == "true"
    if option_type == "str":
        return text or ""
    if text is None:
        raise ValueError("no value")
    if option_type == "list":
        return text
    if option_type == "float":
        match = _FRACTION.match(text)
        if match is None:
            raise ValueError("not a number")
        return float(match[1].rstrip("fFdD") if match[2] else match[1])
    if (
        not _WHOLE.match(text)
        or len(text) > 20
        or not -(1 << _BITS[option_type]) <= int(text) < 1 << _BITS[option_type]
    ):
        raise ValueError("not a whole number")
    return int(text)


def amazon_mq_host(host: str) -> tuple[str, int] | None:
    """Return the broker and the instance (1 or 2) of an Amazon MQ host name; None for any other name."""
    match = _AMAZON_MQ.match(host)
    return (match[1] + match[3], int(match[2])) if match else None


# --- URLs ------------------------------------------------------------------------------------------------------------


def _read_url(reading: Reading, url: str, rules: Dialect) -> None:
    try:
        uri = split_uri(url)
    except UriError as error:
        reading.add("error", error.code, f"{error}: the URL is refused", error.position, "fails_at_creation")
        return
    if uri.scheme != "failover":
        _read_plain(reading, url, uri, rules)
        return
    reading.failover = True
    ssp, offset = uri.ssp, uri.start
    if ssp.startswith("//"):
        ssp, offset = ssp[2:], offset + 2
    if uri.query is not None and re.search("[%+]", ssp[_last_question(ssp) :]):
        reading.add(
            "error",
            "decoded_twice",
            "failover:// (with slashes) makes the client decode options twice: write failover:(...)",
            offset + _last_question(ssp),
            "misread",
        )
    composite = ssp.startswith("(")
    if uri.query is not None and not _read_query_of_url(reading, uri, offset, rules, apply=not composite):
        return
    if not composite:  # what is wrong with connection options stays with the last endpoint
        _replace_consequence(reading, "fails_on_start", "ignored")
    _read_list(reading, ssp, offset, rules, opaque=uri.query is None)
    if len(url) > uri.start + len(uri.ssp):
        reading.add("warning", "fragment", "what follows # is ignored", uri.start + len(uri.ssp), "ignored")
    if not reading.targets and reading.outcome == "works":
        reading.add(
            "error",
            "no_usable_endpoint",
            "no endpoint can ever be connected to",
            0,
            "fails_on_start" if gives_up(reading) else "retries_for_ever",
        )


def gives_up(reading: Reading) -> bool:
    """Return whether the first connection ends with an exception when no endpoint answers, and does so within hours."""
    if not reading.failover:
        return True
    limits = [reading.options.get(name, -1) for name in ("startupMaxReconnectAttempts", "maxReconnectAttempts")]
    startup, later = (limit if isinstance(limit, int) else -1 for limit in limits)
    rounds = later if startup == -1 else startup
    return rounds != -1 and rounds <= _MANY_ROUNDS


def _last_question(ssp: str) -> int:
    return ssp.rfind("?") if "?" in ssp else len(ssp)


def _check_question_mark(reading: Reading, query: str | None, offset: int) -> None:
    if query and "?" in query:
        message = "only what follows the last ? is read; write ? in a value as %3F"
        reading.add("error", "question_mark", message, offset + query.rindex("?"), "ignored")


def _malformed(components: str) -> bool:
    """Whether java.net.URI refuses one of the endpoints."""
    for component, _position in split_components(components, 0):
        try:
            split_uri(component)
        except UriError:
            return True
    return False


def _replace_consequence(reading: Reading, old: str, new: str) -> None:
    reading.problems = [
        each._replace(consequence=new) if each.consequence == old else each for each in reading.problems
    ]


def _read_list(reading: Reading, ssp: str, offset: int, rules: Dialect, *, opaque: bool = True) -> None:
    """Read the scheme specific part of a failover URL (URISupport.parseComposite)."""
    if ssp.count("(") != ssp.count(")"):
        place = offset + len(ssp) if ssp.count("(") > ssp.count(")") else offset + ssp.rfind(")")
        reading.add("error", "parentheses", "the numbers of ( and ) differ", place, "fails_on_start")
        return
    inner, tail, tail_offset = ssp, "", offset + len(ssp)
    inner_offset = offset
    if ssp.startswith("("):
        close = closing_parenthesis(ssp)
        if close < 0:
            reading.add("error", "parentheses", "the first ( is never closed", offset, "fails_on_start")
            return
        inner, tail = ssp[1:close], ssp[close + 1 :]
        inner_offset, tail_offset = offset + 1, offset + close + 1
    path, question, query = tail.partition("?")
    if path.startswith("&"):
        message = "options begin with ?, not with &: all of them are ignored"
        reading.add("error", "ampersand", message, tail_offset, "ignored")
    elif path:
        reading.add("warning", "path", "what stands between ) and ? is ignored", tail_offset, "ignored")
    query_offset = tail_offset + len(path) + len(question)
    _check_question_mark(reading, query, query_offset)
    nested = _read_options(reading, split_query(query, query_offset), rules)
    if opaque and _malformed(inner):  # then the client does not come to the connection options
        _replace_consequence(reading, "fails_at_creation", "fails_on_start")
    _read_components(reading, inner, inner_offset, nested, rules)


def _read_options(reading: Reading, pairs: Sequence[Pair], rules: Dialect) -> list[Pair]:
    """Sort the outer options into ``options``, ``nested`` and ``jms``; return the nested ones."""
    last = {pair.name: pair for pair in pairs}
    for pair in pairs:
        if last[pair.name] is not pair:
            message = f"option {_shown(pair.name)} is given twice; the last one counts"
            reading.add("warning", "option_twice", message, pair.position, "ignored")
    nested: list[Pair] = []
    jms: list[Pair] = []
    for pair in last.values():
        prefix = next((each for each in rules.jms_prefixes if pair.name.startswith(each)), None)
        if pair.name.startswith(rules.nested_prefix):
            nested.append(pair._replace(name=pair.name[len(rules.nested_prefix) :]))
        elif prefix is not None:
            jms.append(pair._replace(name=pair.name[len(prefix) :]))
        elif pair.name.startswith(rules.option_prefix):
            name = pair.name[len(rules.option_prefix) :]
            consequence = rules.unknown
            reading.options[_canonical(name, rules.options)] = _value(
                reading, pair._replace(name=name), rules.options, consequence, "failover option"
            )
        else:
            reading.options[pair.name] = pair.value or ""
            message = f"option {_shown(pair.name)} has none of the client's prefixes: write {rules.option_prefix}name"
            reading.add("error", "unprefixed_option", message, pair.position, rules.unprefixed)
    others_without_value = any(
        pair.value is None and not pair.name.startswith(rules.jms_prefixes) for pair in last.values()
    )
    _read_jms(reading, jms, rules, others_without_value=others_without_value)
    for pair in nested:
        if pair.value is None:
            message = f"option {rules.nested_prefix}{_shown(pair.name)} has no value"
            reading.add("error", "no_value", message, pair.position, "fails_on_start")
        reading.nested[_canonical(pair.name, rules.nested or {})] = _typed(pair, rules.nested)
    return nested


def _read_jms(reading: Reading, pairs: Sequence[Pair], rules: Dialect, *, others_without_value: bool) -> None:
    """ActiveMQConnectionFactory.setBrokerURL: a wrong option beside a right one is found when the factory is made."""
    right = [pair for pair in pairs if _fits(pair, rules.jms)]
    for pair in pairs:
        typed = _value(
            reading, pair, rules.jms, "fails_at_creation" if right else "fails_on_start", "connection option"
        )
        reading.jms[_canonical(pair.name, rules.jms or {})] = typed
    if rules.jms is not None and pairs and len(right) == len(pairs) and others_without_value:
        message = "an option without a value beside a connection option breaks the connection factory"
        reading.add("error", "no_value", message, pairs[0].position, "fails_at_creation")


def _read_components(reading: Reading, text: str, offset: int, nested: Sequence[Pair], rules: Dialect) -> None:
    """Read the endpoints, in their order; drop those whose address and port came before (FailoverTransport.add)."""
    uris = []
    for component, position in split_components(text, offset):
        try:
            uris.append((component, position, split_uri(component)))
        except UriError as error:
            message = f"{error}: the whole list is refused"
            reading.add("error", error.code, message, position + error.position, "fails_on_start")
    reading.uris = [component for component, _position, _uri in uris]
    if text.endswith(",") or not text:
        what = "a comma at the end is ignored" if text else "the list is empty"
        reading.add("warning" if text else "error", "empty_endpoint", what, offset + len(text), "ignored")
    seen: set[tuple[str, int]] = set()
    for component, position, uri in uris:
        key = (_address(uri.host), uri.port)
        if key in seen:
            message = f"{_shown_url(component)} has the address of an endpoint before it and is dropped"
            reading.add("hint", "duplicate", message, position, "ignored")
            continue
        seen.add(key)
        target = _read_component(reading, component, position, uri, nested, rules)
        if target is not None:
            reading.targets.append(target)


def _read_component(
    reading: Reading, component: str, position: int, uri: Uri, nested: Sequence[Pair], rules: Dialect
) -> Target | None:
    """Return what the client connects to; None when it never can."""
    if not component:
        reading.add("error", "empty_endpoint", "an endpoint is empty", position, "skipped")
        return None
    if uri.scheme == "failover":
        return _read_inner_list(reading, component, position, uri, nested, rules)
    if not _usable(reading, component, position, uri, rules, "skipped"):
        return None
    query_start = position + component.find("?") + 1
    try:
        own = split_query(uri.query or "", query_start, twice=True)
    except ValueError:
        reading.add("error", "bad_escape", "an escape cannot be decoded", query_start, "skipped")
        return None
    _check_question_mark(reading, uri.query, query_start)
    if nested and uri.query is not None and (not uri.query or uri.query.endswith("&")):
        own.append(Pair("", None, query_start))  # the nested options follow a second &
    if not _options_fit(reading, [*own, *nested], uri, rules, "skipped"):
        return None
    return Target(_bare(uri.host), uri.port, uri.scheme in TLS_SCHEMES)


def _read_inner_list(
    reading: Reading, component: str, position: int, uri: Uri, nested: Sequence[Pair], rules: Dialect
) -> Target | None:
    message = "a list inside the list counts as connected at once: the client never goes on to the endpoints after it"
    reading.add("warning", "inner_list", message, position, "works")
    ssp, offset = uri.ssp, position + uri.start
    if ssp.startswith("//"):
        ssp, offset = ssp[2:], offset + 2
    if nested:  # they take the place of the inner list's own options
        question = ssp.rfind("?")
        ssp = ssp[:question] if question > ssp.rfind(")") else ssp
        ssp += "?" + "&".join(f"{quote_plus(pair.name)}={quote_plus(pair.value or '')}" for pair in nested)
    inner = Reading(failover=True)
    _read_list(inner, ssp, offset, rules)
    reading.problems.extend(
        problem._replace(consequence="skipped")
        if problem.consequence in ("fails_at_creation", "fails_on_start")
        else problem
        for problem in inner.problems
    )
    return Target(inner=inner) if inner.outcome == "works" else None


def _read_plain(reading: Reading, url: str, uri: Uri, rules: Dialect) -> None:
    """Read a URL without failover, or a wrong one."""
    scheme = uri.scheme
    if scheme is None or scheme.lower() == "failover" or scheme in _BROKER_SCHEMES or uri.ssp.startswith(("(", "//(")):
        _read_foreign(reading, uri, rules)
        return
    reading.uris = [url]
    reading.add("hint", "no_failover", "without failover: the client does not reconnect", 0, "works")
    usable = _usable(reading, url, 0, uri, rules, "fails_on_start")
    query_start = url.find("?") + 1
    if not _read_query_of_url(reading, uri, query_start, rules, apply=True):
        return
    _check_question_mark(reading, uri.query, query_start)
    prefix = rules.jms_prefixes[0]
    own = [pair for pair in split_query(uri.query or "", query_start, twice=True) if not pair.name.startswith(prefix)]
    if reading.jms and not own and ")" in (uri.query or ""):
        message = "a ) keeps the client from taking the connection options out of the URL: write %29"
        reading.add("error", "parentheses", message, query_start, "fails_on_start")
    if usable and _options_fit(reading, own, uri, rules, "fails_on_start"):
        reading.targets = [Target(_bare(uri.host), uri.port, scheme in TLS_SCHEMES)]


def _read_foreign(reading: Reading, uri: Uri, rules: Dialect) -> None:
    """Read a URL that no client takes. Its connection options are looked at before its scheme."""
    scheme = uri.scheme
    slashes = 2 * uri.ssp.startswith("//")
    if scheme is None:
        reading.add(
            "error", "no_scheme", "the URL has no scheme: write failover:(ssl://host:port)", 0, "fails_on_start"
        )
    elif scheme.lower() == "failover":
        message = f"the scheme must be in lower case, not {scheme}"
        reading.add("error", "upper_case_scheme", message, 0, "fails_on_start")
    elif scheme in _BROKER_SCHEMES:
        message = f"{scheme}: is for a broker's network connectors; clients take failover:"
        reading.add("error", "broker_scheme", message, 0, "fails_on_start")
    else:
        reading.add("error", "unknown_scheme", f"a list begins with failover:, not {scheme}:", 0, "fails_on_start")
    if uri.query is not None:
        _read_query_of_url(reading, uri, uri.start + len(uri.ssp) - len(uri.query), rules, apply=True)
    elif uri.ssp.startswith("(", slashes):
        _read_list(reading, uri.ssp[slashes:], uri.start + slashes, rules)


def _read_query_of_url(reading: Reading, uri: Uri, offset: int, rules: Dialect, *, apply: bool) -> bool:
    """Look at the query of a hierarchical URL as setBrokerURL does; return whether it can be decoded.

    ``apply``: also look at the connection options in it. (In failover://(...)?... they are read with the others.)
    """
    try:
        pairs = split_query(uri.query or "", offset, twice=True)
    except ValueError:
        reading.add("error", "bad_escape", "an escape cannot be decoded", offset, "fails_at_creation")
        return False
    prefix = rules.jms_prefixes[0]
    if apply:
        jms = [pair._replace(name=pair.name[len(prefix) :]) for pair in pairs if pair.name.startswith(prefix)]
        own = [pair for pair in pairs if not pair.name.startswith(prefix)]
        _read_jms(reading, jms, rules, others_without_value=any(pair.value is None for pair in own))
    return True


def _usable(reading: Reading, component: str, position: int, uri: Uri, rules: Dialect, consequence: str) -> bool:
    """Note what keeps the client from connecting to an endpoint, and what it leaves out."""
    shown = _shown_url(component)
    before = len(reading.problems)
    if uri.scheme is None:
        message = f"endpoint {shown} has no scheme: write tcp:// or ssl:// before it"
        reading.add("error", "no_scheme", message, position, consequence)
    elif uri.scheme not in rules.schemes:
        if uri.opaque:
            message = f"endpoint {shown} has no // after a scheme: {uri.scheme} is taken for the scheme"
            reading.add("error", "no_scheme", message, position, consequence)
        elif uri.scheme.lower() in rules.schemes:
            reading.add(
                "error", "upper_case_scheme", f"endpoint {shown}: write it in lower case", position, consequence
            )
        else:
            message = f"endpoint {shown}: the client does not know the scheme {uri.scheme}"
            reading.add("error", "unknown_scheme", message, position, consequence)
    elif uri.host is None or not uri.host:
        message = f"endpoint {shown} has no host that java.net.URI can read (an underscore? a list without failover:?)"
        reading.add("error", "no_host", message, position, consequence)
    elif not 1 <= uri.port <= 65535:
        text = "no port, and the client has no default" if uri.port == -1 else "a port that is not from 1 to 65535"
        reading.add(
            "error", "no_port" if uri.port == -1 else "bad_port", f"endpoint {shown} has {text}", position, consequence
        )
    elif re.match(r"[^:]*:[+-]?[0-9]+\Z", uri.path, re.ASCII):
        message = f"endpoint {shown}: its path is taken for a local address to connect from"
        reading.add("error", "local_address", message, position, consequence)
    usable = len(reading.problems) == before
    if usable and uri.path:
        reading.add("warning", "path", f"endpoint {shown}: its path is ignored", position, "ignored")
    if usable and uri.userinfo:
        message = f"endpoint {shown}: its credentials are ignored, and the broker sees an empty user name"
        reading.add("error", "credentials", message, position, "ignored")
    return usable


def _options_fit(reading: Reading, pairs: Sequence[Pair], uri: Uri, rules: Dialect, consequence: str) -> bool:
    """Check the options of one endpoint, as TransportFactory and TcpTransportFactory set them."""
    if rules.nested is None:
        return True
    tls = uri.scheme in TLS_SCHEMES
    table = rules.nested if tls else {name: rules.nested[name] for name in rules.nested if name not in TLS_OPTIONS}
    last = {pair.name: pair for pair in pairs}
    hidden: frozenset[str] = frozenset()
    monitor = last.get("useInactivityMonitor")
    if monitor is not None and monitor.value is not None and monitor.value != "true":
        hidden |= MONITOR_OPTIONS
    if "soWriteTimeout" in last:
        hidden |= NEGOTIATOR_OPTIONS
    before = len(reading.problems)
    for pair in last.values():
        if _canonical(pair.name, table) in hidden:
            message = f"option {pair.name} has no place beside useInactivityMonitor=false or soWriteTimeout"
            reading.add("error", "hidden_option", message, pair.position, consequence)
            continue
        if pair.name == "wireFormat" and pair.value == "default":
            continue
        if not tls and _canonical(pair.name, TLS_OPTIONS) in TLS_OPTIONS:
            message = f"option {pair.name} needs a TLS endpoint: with it the client cannot connect to {uri.scheme}://"
            reading.add("error", "tls_option", message, pair.position, consequence)
            continue
        if str(uri.scheme).startswith("nio") and pair.name.startswith("socket."):
            message = f"option {pair.name}: from Java 16 on the client cannot set it on {uri.scheme}://"
            reading.add("error", "nio_socket_option", message, pair.position, consequence)
            continue
        _value(reading, pair, table, consequence, "endpoint option")
    return all(problem.consequence != consequence for problem in reading.problems[before:])


# --- options ---------------------------------------------------------------------------------------------------------


def _canonical(name: str, table: Table) -> str:
    """Return the name in the table: a setter is found whatever the case of its first letter."""
    if name in table:
        return name
    head, dot, last = name.rpartition(".")
    lower = head + dot + last[:1].lower() + last[1:]
    if lower in table and lower not in EXACT_NAMES:
        return lower
    upper = head + dot + last[:1].upper() + last[1:]
    return upper if upper in table else name


def _fits(pair: Pair, table: Table | None) -> bool:
    if table is None:
        return True
    option = table.get(_canonical(pair.name, table))
    if option is None or (pair.value is None and option.type != "str"):
        return False
    try:
        convert(option.type, pair.value)
    except ValueError:
        return False
    return True


def _typed(pair: Pair, table: Table | None) -> Any:
    option = (table or {}).get(_canonical(pair.name, table or {}))
    try:
        return convert(option.type, pair.value) if option else pair.value or ""
    except ValueError:
        return pair.value or ""


def _value(reading: Reading, pair: Pair, table: Table | None, consequence: str, kind: str) -> Any:
    """Return the value as the client reads it, and note what is wrong with it."""
    typed = _typed(pair, table)
    if table is None:
        return typed
    name = _canonical(pair.name, table)
    option = table.get(name)
    if option is None:
        reading.add("error", "unknown_option", _unknown(pair.name, table, kind), pair.position, consequence)
    elif not _fits(pair, table):
        wanted = {"bool": "true or false", "float": "a number", "list": "a list"}.get(option.type, "a whole number")
        reading.add("error", "wrong_type", f"{kind} {name} must be {wanted}", pair.position, consequence)
    elif pair.value is None:
        reading.add("warning", "no_value", f"{kind} {name} has no value", pair.position, "ignored")
    elif option.type == "bool" and pair.value.lower() not in ("true", "false"):
        message = f"{kind} {name} is neither true nor false, and is read as false"
        reading.add("error", "not_boolean", message, pair.position, "misread")
    return typed


def _unknown(name: str, table: Table, kind: str) -> str:
    if name.startswith("amp;"):
        return f"{_shown(name)}: &amp; is for XML files only; write &"
    if name == "backOffMultiplier" and "reconnectDelayExponent" in table:
        return "backOffMultiplier: the failover transport calls it reconnectDelayExponent"
    close = [other for other in table if other.lower() == name.lower()]
    return f"unknown {kind} {_shown(name)}" + (f": did you mean {close[0]}?" if close else "")


# --- what is shown ---------------------------------------------------------------------------------------------------


def _shown(name: str) -> str:
    """An option's name for a message: what follows a "=" or ";" could be a value."""
    return ascii(re.split("[=;&]", name.replace("amp;", "", 1), maxsplit=1)[0][:60])


def _shown_url(component: str) -> str:
    """An endpoint for a message, without credentials and options."""
    return ascii(re.sub(r"//.*@", "//...@", re.split("[?#]", component, maxsplit=1)[0])[:100])


def _bare(host: str | None) -> str:
    text = (host or "").strip("[]")
    return str(ipaddress.IPv6Address(text)) if ":" in text else text


def _address(host: str | None) -> str:
    """What the client compares: no host and "localhost" resolve to the loopback address; other names to themselves."""
    name = _bare(host).lower().rstrip(".")
    return "127.0.0.1" if name in ("", "localhost") else name


# --- other forms -----------------------------------------------------------------------------------------------------


def _read_host_list(reading: Reading, text: str) -> None:
    """``host:port,host:port``, as applications split it for stomp.py and its like."""
    reading.uris = text.split(",")
    seen: set[tuple[str, int]] = set()
    position = 0
    for entry in reading.uris:
        server = None if re.search(r"[@%\s]", entry) else split_server(entry)
        if "://" in entry:
            message = f"{_shown_url(entry)} is a URL: a host list has host:port"
            reading.add("error", "scheme", message, position, "skipped")
        elif server is None or not server[0]:
            reading.add("error", "no_host", f"{_shown_url(entry)} is not host:port", position, "skipped")
        elif not 1 <= server[1] <= 65535:
            reading.add("error", "no_port", f"{_shown_url(entry)} has no port from 1 to 65535", position, "skipped")
        else:
            target = Target(_bare(server[0]), server[1])
            reading.targets.append(target)
            key = (target.host.lower(), target.port)
            if key in seen:
                reading.add("hint", "duplicate", f"{_shown_url(entry)} is in the list twice", position, "works")
            seen.add(key)
        position += len(entry) + 1


def _read_single(reading: Reading, text: str) -> None:
    """One URL of a client that cannot fail over."""
    try:
        uri = split_uri(text)
    except UriError as error:
        reading.add("error", error.code, str(error), error.position, "fails_at_creation")
        return
    reading.uris = [text]
    if uri.scheme == "failover" or "," in text.partition("?")[0]:
        message = "this client takes one URL, that of the active broker, and no list"
        reading.add("error", "list", message, 0, "fails_on_start")
        return
    rules = DIALECT["single_url"]
    if _usable(reading, text, 0, uri, rules, "fails_on_start"):
        reading.targets = [Target(_bare(uri.host), uri.port, uri.scheme in TLS_SCHEMES)]


# --- hints -----------------------------------------------------------------------------------------------------------


def _hints(reading: Reading, rules: Dialect) -> None:
    if not reading.valid:
        return
    instances = [found for found in map(amazon_mq_host, (target.host for target in reading.targets)) if found]
    for broker, number in instances:
        if (broker, 3 - number) not in instances and rules.form != "single":
            message = f"only instance {number} of {broker} is listed; an active/standby broker has two"
            reading.add("hint", "one_instance", message, 0, "works")
    if not reading.failover:
        return
    _option_hints(reading, reading.options, rules.options)
    secrets = [name for name in reading.jms if name.lower() == "password"]
    if secrets:
        message = "a password in the URL ends up in logs; most clients take it apart from the URL"
        reading.add("hint", "password", message, 0, "works")


def _option_hints(reading: Reading, options: Mapping[str, Any], table: Table) -> None:
    def value(name: str) -> Any:
        option = table.get(name)
        if option is None:
            return None
        return options.get(name, None if option.default is None else convert(option.type, option.default))

    if value("timeout") == -1:
        message = "without timeout a send blocks for ever while no broker is reachable"
        reading.add("hint", "send_blocks", message, 0, "works")
    delay = value("maxReconnectDelay")
    if isinstance(delay, int) and delay > 5000:
        message = "maxReconnectDelay above 5000 lets the client sleep long after a broker is back"
        reading.add("hint", "slow_reconnect", message, 0, "works")
    if value("updateURIsSupported") is True:
        message = "without updateURIsSupported=false a broker of a network can move the client to another broker"
        reading.add("hint", "pushed_brokers", message, 0, "works")
    if value("randomize") is True and len(reading.targets) > 1:
        reading.add("hint", "random_order", "with randomize the order of the list means nothing", 0, "works")
    if value("priorityBackup") is True:
        message = "with priorityBackup the client returns to the first endpoint as soon as it answers"
        reading.add("hint", "priority_backup", message, 0, "works")
