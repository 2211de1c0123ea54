# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Broker lists as client libraries spell them. Pure: no Ansible import, no I/O.

This is a private util of the collection; it may change at any time.

The ActiveMQ Java client reads a failover URL strictly in some places and silently wrongly in others.
:func:`build` therefore refuses whatever that client would refuse *or misread*, and never drops an endpoint.
:func:`parse` and :func:`problems` say what the client makes of a URL that somebody else wrote.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict
from urllib.parse import quote

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url_options import (
    DIALECT,
    DIALECTS,
    ENDPOINT_OPTIONS,
    SCHEMES,
    TLS_OPTIONS,
    TLS_SCHEMES,
    Dialect,
    Table,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url_read import (
    Problem,
    amazon_mq_host,
    convert,
    read,
)

__all__ = [
    "DIALECTS",
    "SCHEMES",
    "Endpoint",
    "FailoverUrlError",
    "Parsed",
    "Problem",
    "build",
    "parse",
    "parse_endpoint",
    "problems",
    "select",
    "spring_properties",
    "valid",
]

_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*\.?\Z", re.ASCII)
_ENDPOINT = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?(?P<fragment>#.*)?\Z",
    re.ASCII | re.DOTALL,
)
# Characters that java.net.URI takes as they are in a query, and that do not separate options, endpoints or parentheses.
_QUERY = re.compile(r"[A-Za-z0-9._~:/@!$'*;=&%-]*\Z", re.ASCII)
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


class FailoverUrlError(Exception):
    """A broker list that a client would refuse or misread. ``str()`` is the reason; it holds no password."""


@dataclass(frozen=True)
class Endpoint:
    """One parsed endpoint. ``host`` has no brackets."""

    scheme: str
    host: str
    port: int

    @property
    def tls(self) -> bool:
        """Whether the scheme means TLS."""
        return self.scheme in TLS_SCHEMES

    @property
    def address(self) -> str:
        """``host:port``, an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_endpoint(url: object) -> Endpoint:
    """Parse one endpoint URL, for example ``ssl://b-1.example.com:61617?keepAlive=true``.

    :raises FailoverUrlError: for anything that the Java client would refuse, retry for ever on, or silently ignore.
    """
    if not isinstance(url, str) or not url:
        raise FailoverUrlError("an endpoint must be a non-empty string such as ssl://host:61617")
    # An endpoint with user:password@ must not be repeated in a message.
    shown = repr(re.sub(r"//.*@", "//...@", url, flags=re.DOTALL))
    if re.search(r"\s", url):
        raise FailoverUrlError(f"endpoint {shown} contains white space, which java.net.URI refuses")
    if url.count("(") != url.count(")"):
        raise FailoverUrlError(f"endpoint {shown} has unbalanced parentheses")
    if "(" in url or "," in url:
        raise FailoverUrlError(f"endpoint {shown} is a list: give each endpoint on its own")
    match = _ENDPOINT.match(url)
    if match is None:
        raise FailoverUrlError(f"endpoint {shown} has no scheme: write it as ssl://host:port")
    scheme = _checked_scheme(match["scheme"], shown)
    if match["path"]:
        raise FailoverUrlError(f"endpoint {shown} has a path, which the client ignores")
    if match["fragment"]:
        raise FailoverUrlError(f"endpoint {shown} has a fragment, which the client ignores")
    host, port = _checked_authority(match["authority"], shown)
    if match["query"] is not None:
        _check_query(match["query"], scheme, shown)
    return Endpoint(scheme, host, port)


def select(endpoints: Iterable[str], protocol: str | None) -> list[str]:
    """Return the endpoints of one protocol, by scheme, in their order; all of them when ``protocol`` is None.

    :raises FailoverUrlError: when the protocol is unknown or an endpoint is malformed.
    """
    if isinstance(endpoints, (str, Mapping)) or not isinstance(endpoints, Iterable):
        raise FailoverUrlError("endpoints must be a list of URLs")
    if protocol is not None and protocol not in SCHEMES:
        raise FailoverUrlError(f"unknown protocol {protocol!r}: use one of {', '.join(SCHEMES)}")
    parsed = [(url, parse_endpoint(url)) for url in endpoints]
    return [url for url, endpoint in parsed if protocol is None or endpoint.scheme in SCHEMES[protocol]]


def build(
    endpoints: Sequence[str],
    dialect: str = "activemq",
    options: Mapping[str, Any] | None = None,
    nested: Mapping[str, Any] | None = None,
    jms: Mapping[str, Any] | None = None,
) -> str:
    """Spell a list of endpoints as a client library reads it.

    ``options`` (of the failover transport) and ``jms`` (of the connection) are laid over the dialect's safe ones; the
    value None removes one. ``nested`` are options of every endpoint. All names are without prefix, times milliseconds.
    The two instances of an Amazon MQ broker always come in the order 1, 2.

    :raises FailoverUrlError: with the reason, when a client would refuse or misread the result.
    """
    rules = _rules(dialect)
    urls = _client_endpoints(select(endpoints, None), dialect, rules)
    parsed = [parse_endpoint(url) for url in urls]
    _check_duplicates(parsed)
    if rules.form != "failover":
        if options or nested or jms:
            raise FailoverUrlError(f"the dialect {dialect} has no place for options")
        if rules.form == "list":
            return ",".join(endpoint.address for endpoint in parsed)
        if len(urls) > 1:
            raise FailoverUrlError(
                f"the dialect {dialect} takes exactly one endpoint, that of the active broker; {len(urls)} were given"
            )
        return urls[0]
    if not all(isinstance(given or {}, Mapping) for given in (options, nested, jms)):
        raise FailoverUrlError("options must be a mapping of names to values")
    pairs = _encoded({**rules.safe, **(options or {})}, rules.options, "option", rules.option_prefix)
    pairs += _encoded({**rules.safe_jms, **(jms or {})}, rules.jms, "jms option", rules.jms_prefixes[0])
    pairs += _encoded(nested or {}, rules.nested, "nested option", rules.nested_prefix)
    query = "?" + "&".join(pairs) if pairs else ""
    url = f"failover:({','.join(urls)}){query}"
    for problem in problems(url, dialect):
        if problem.level == "error":
            raise FailoverUrlError(problem.message)
    return url


def spring_properties(
    endpoints: Sequence[str],
    options: Mapping[str, Any] | None = None,
    nested: Mapping[str, Any] | None = None,
    jms: Mapping[str, Any] | None = None,
) -> dict[str, str]:
    """Return the properties of Spring Boot; ``userName`` and ``password`` of ``jms`` become properties of their own.

    :raises FailoverUrlError: as :func:`build`.
    """
    rest = dict(jms or {})
    user, password = rest.pop("userName", None), rest.pop("password", None)
    found = {
        "spring.activemq.broker-url": build(endpoints, "spring", options, nested, rest),
        "spring.activemq.user": user,
        "spring.activemq.password": password,
    }
    return {name: str(value) for name, value in found.items() if value is not None}


class Parsed(TypedDict):
    """A URL in its parts. ``build(**)`` of them, with the safe options switched off, gives a URL that reads the same.

    Options have no prefix; the values of known ones are bool, int, float or str, as the client reads them.
    """

    uris: list[str]
    options: dict[str, Any]
    nested: dict[str, Any]
    jms: dict[str, Any]


def parse(url: object, dialect: str = "activemq") -> Parsed:
    """Take a broker URL apart as the client does.

    :raises FailoverUrlError: when the client cannot even take it apart. See :func:`problems` for lesser problems.
    """
    _rules(dialect)
    reading = read(url, dialect)
    fatal = [each for each in reading.problems if each.consequence in ("fails_at_creation", "fails_on_start")]
    if fatal and not reading.uris:
        raise FailoverUrlError(fatal[0].message)
    return Parsed(uris=reading.uris, options=reading.options, nested=reading.nested, jms=reading.jms)


def problems(url: object, dialect: str = "activemq") -> list[Problem]:
    """Return what is wrong with a broker URL, in its order; each with what the client does because of it.

    :raises FailoverUrlError: when the dialect is unknown.
    """
    _rules(dialect)
    return read(url, dialect).problems


def valid(url: object, dialect: str = "activemq") -> bool:
    """Return whether the client does what the URL says: it has no problem of the level error.

    :raises FailoverUrlError: when the dialect is unknown.
    """
    _rules(dialect)
    return read(url, dialect).valid


def _rules(dialect: str) -> Dialect:
    if dialect not in DIALECTS:
        raise FailoverUrlError(f"unknown dialect {dialect!r}: use one of {', '.join(DIALECTS)}")
    return DIALECT[dialect]


def _client_endpoints(urls: Sequence[str], dialect: str, rules: Dialect) -> list[str]:
    """Spell the endpoints as the library does, and put instance 1 of an Amazon MQ broker before instance 2."""
    if not urls:
        raise FailoverUrlError("the list of endpoints is empty: the client would try for ever to connect to nothing")
    spelled = []
    for url in urls:
        scheme, colon, rest = url.partition(":")
        scheme = rules.spelling.get(scheme, scheme)
        if scheme not in rules.schemes:
            shown = re.split("[?#]", url, maxsplit=1)[0]
            speaks = "OpenWire only" if dialect in ("activemq", "spring") else "other protocols"
            raise FailoverUrlError(
                f"endpoint {shown!r}: a client of dialect {dialect} speaks {speaks} ({', '.join(rules.schemes)})"
            )
        spelled.append(scheme + colon + rest)
    places: dict[tuple[str, str, int], list[int]] = {}
    for index, url in enumerate(spelled):
        endpoint = parse_endpoint(url)
        instance = amazon_mq_host(endpoint.host)
        if instance is not None:
            places.setdefault((instance[0], endpoint.scheme, endpoint.port), []).append(index)
    ordered = list(spelled)
    for indexes in places.values():
        for index, url in zip(indexes, sorted(spelled[each] for each in indexes)):
            ordered[index] = url
    return ordered


def _checked_scheme(scheme: str, shown: str) -> str:
    known = [name for names in SCHEMES.values() for name in names]
    if scheme in known:
        return scheme
    if scheme.lower() in known:
        raise FailoverUrlError(f"endpoint {shown}: the scheme must be in lower case")
    raise FailoverUrlError(f"endpoint {shown} has the unknown scheme {scheme!r}: use one of {', '.join(known)}")


def _checked_authority(authority: str, shown: str) -> tuple[str, int]:
    if "@" in authority:
        raise FailoverUrlError(f"endpoint {shown} holds credentials, which the client ignores")
    host, colon, port = authority.rpartition(":")
    if not colon or not host or authority.endswith("]"):
        raise FailoverUrlError(f"endpoint {shown} has no port; the client has no default")
    if not re.fullmatch(r"[0-9]{1,5}", port, re.ASCII) or not 1 <= int(port) <= 65535:
        raise FailoverUrlError(f"endpoint {shown}: the port must be a number from 1 to 65535")
    if host.startswith("[") and host.endswith("]"):
        try:
            return str(ipaddress.IPv6Address(host[1:-1])), int(port)
        except ValueError:
            raise FailoverUrlError(f"endpoint {shown}: {host} is not an IPv6 address") from None
    if "_" in host:
        raise FailoverUrlError(f"endpoint {shown}: java.net.URI finds no host in a name with an underscore")
    if not _HOST_NAME.match(host):
        raise FailoverUrlError(f"endpoint {shown}: {host!r} is not a host name or address")
    return host, int(port)


def _check_query(query: str, scheme: str, shown: str) -> None:
    if not _QUERY.match(query) or _PERCENT.search(query):
        raise FailoverUrlError(f"endpoint {shown}: its options hold a character that must be percent-encoded")
    for pair in query.split("&"):
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise FailoverUrlError(f"endpoint {shown}: its options must be name=value, separated by &")
        known = {**ENDPOINT_OPTIONS, **TLS_OPTIONS} if scheme in SCHEMES["openwire"] else None
        _checked_value(name, text, known, f"endpoint {shown}: option")


def _check_duplicates(endpoints: Sequence[Endpoint]) -> None:
    seen: set[tuple[str, int]] = set()
    for endpoint in endpoints:
        key = (endpoint.host.lower(), endpoint.port)
        if key in seen:
            # FailoverTransport compares address and port and ignores the scheme.
            raise FailoverUrlError(f"{endpoint.address} is in the list twice; the client would drop the second one")
        seen.add(key)


def _encoded(values: Mapping[str, Any], known: Table | None, kind: str, prefix: str) -> list[str]:
    pairs = []
    for name, value in values.items():
        if value is not None or not isinstance(name, str):
            text = _checked_value(name, value, known, kind)
            # The client decodes with URLDecoder, so "+" must not stand for itself.
            pairs.append(f"{prefix}{quote(name, safe='')}={quote(text, safe=':/,')}")
    return pairs


def _checked_value(name: object, value: object, known: Table | None, kind: str) -> str:
    """Return the text of a value; refuse unknown names, and values that the client would read as something else."""
    if not isinstance(name, str) or not name or (known is not None and name not in known):
        hint = ""
        if name == "backOffMultiplier":
            hint = ": the failover transport calls it reconnectDelayExponent"
        elif isinstance(name, str):
            close = [other for other in known or () if other.lower() == name.lower()]
            hint = f": did you mean {close[0]}?" if close else ""
        raise FailoverUrlError(f"unknown {kind} {name!r}{hint}")
    if not isinstance(value, (str, int, float)):
        raise FailoverUrlError(f"{kind} {name} must be a text, a number or a boolean")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    wanted = known[name].type if known is not None else "str"
    if wanted == "bool":
        # Boolean.valueOf silently reads anything else as false.
        if text not in ("true", "false"):
            raise FailoverUrlError(f"{kind} {name} must be true or false")
        return text
    if not text:
        raise FailoverUrlError(f"{kind} {name} must not be empty")
    try:
        convert(wanted, text)
    except ValueError:
        raise FailoverUrlError(f"{kind} {name} must be a {'number' if wanted == 'float' else 'whole number'}") from None
    return text
