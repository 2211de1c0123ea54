# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Broker lists as client libraries spell them. Pure: no Ansible import, no I/O.

This is a private util of the collection; it may change at any time.

The ActiveMQ Java client reads a failover URL strictly in some places and silently wrongly in others (``URISupport``,
``FailoverTransportFactory``, ``IntrospectionSupport``). :func:`build` therefore refuses whatever that client would
refuse *or misread*, and never drops or reorders an endpoint.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

DIALECTS = ("activemq", "host_list")

# The URL schemes of each protocol, plain and TLS.
SCHEMES: dict[str, tuple[str, ...]] = {
    "openwire": ("tcp", "ssl", "nio", "nio+ssl"),
    "stomp": ("stomp", "stomp+ssl"),
}

TLS_SCHEMES = frozenset({"ssl", "nio+ssl", "stomp+ssl"})

# Options of the failover transport: the bean setters of FailoverTransport, with the type of each.
FAILOVER_OPTIONS: dict[str, type] = {
    "backup": bool,
    "backupPoolSize": int,
    "initialReconnectDelay": int,
    "maxCacheSize": int,
    "maxReconnectAttempts": int,
    "maxReconnectDelay": int,
    "priorityBackup": bool,
    "priorityURIs": str,
    "randomize": bool,
    "rebalanceUpdateURIs": bool,
    "reconnectDelay": int,
    "reconnectDelayExponent": float,
    "reconnectSupported": bool,
    "startupMaxReconnectAttempts": int,
    "timeout": int,
    "trackMessages": bool,
    "trackTransactionProducers": bool,
    "updateURIsSupported": bool,
    "updateURIsURL": str,
    "useExponentialBackOff": bool,
    "warnAfterReconnectAttempts": int,
}

# Options of the connection factory (ActiveMQConnectionFactory). In a failover URL they stand outside the parentheses.
JMS_OPTIONS: dict[str, type] = {
    "jms.checkForDuplicates": bool,
    "jms.clientID": str,
    "jms.closeTimeout": int,
    "jms.connectResponseTimeout": int,
    "jms.consumerFailoverRedeliveryWaitPeriod": int,
    "jms.nonBlockingRedelivery": bool,
    "jms.password": str,
    "jms.prefetchPolicy.all": int,
    "jms.prefetchPolicy.durableTopicPrefetch": int,
    "jms.prefetchPolicy.maximumPendingMessageLimit": int,
    "jms.prefetchPolicy.optimizeDurableTopicPrefetch": int,
    "jms.prefetchPolicy.queueBrowserPrefetch": int,
    "jms.prefetchPolicy.queuePrefetch": int,
    "jms.prefetchPolicy.topicPrefetch": int,
    "jms.redeliveryPolicy.backOffMultiplier": float,
    "jms.redeliveryPolicy.initialRedeliveryDelay": int,
    "jms.redeliveryPolicy.maximumRedeliveries": int,
    "jms.redeliveryPolicy.maximumRedeliveryDelay": int,
    "jms.redeliveryPolicy.redeliveryDelay": int,
    "jms.redeliveryPolicy.useExponentialBackOff": bool,
    "jms.sendTimeout": int,
    "jms.trustAllPackages": bool,
    "jms.useAsyncSend": bool,
    "jms.userName": str,
    "jms.watchTopicAdvisories": bool,
}

# Options of one endpoint (TcpTransport, SslTransport, OpenWireFormatFactory). The client retries for ever on an unknown
# one, so only known ones pass. The two odd spellings are the client's own.
ENDPOINT_OPTIONS: dict[str, type] = {
    "closeAsync": bool,
    "connectionTimeout": int,
    "diffServ": str,
    "ioBufferSize": int,
    "keepAlive": bool,
    "minmumWireFormatVersion": int,
    "soLinger": int,
    "soTimeout": int,
    "soWriteTimeout": int,
    "socket.enabledCipherSuites": str,
    "socket.enabledProtocols": str,
    "socket.keepAlive": bool,
    "socket.soTimeout": int,
    "socket.tcpNoDelay": bool,
    "socket.verifyHostName": bool,
    "socketBufferSize": int,
    "tcpNoDelay": bool,
    "trace": bool,
    "typeOfService": int,
    "useInactivityMonitor": bool,
    "useLocalHost": bool,
    "verifyHostName": bool,
    "wireFormat.cacheEnabled": bool,
    "wireFormat.host": str,
    "wireFormat.maxFrameSize": int,
    "wireFormat.maxFrameSizeEnabled": bool,
    "wireFormat.maxInactivityDuration": int,
    "wireFormat.maxInactivityDurationInitalDelay": int,
    "wireFormat.tightEncodingEnabled": bool,
    "wireFormat.version": int,
}

# What a client needs while its brokers change. Each can be overridden, or removed with None.
SAFE_OPTIONS: dict[str, Any] = {
    # The client's own 10 ms makes a whole fleet hit the new active broker at once.
    "initialReconnectDelay": 100,
    # The client's own 30 s makes it sleep for half a minute after a failover of ten seconds.
    "maxReconnectDelay": 5000,
    # The first endpoint is the one the phase wants.
    "randomize": False,
    # The client's own -1 blocks a send for ever: after 30 s (a reboot of an active/standby pair takes about 12 s) the
    # application gets an exception that it can act on, and the message is not silently stuck.
    "timeout": 30000,
    # A broker of a network could otherwise push its peers to the client and move it unasked.
    "updateURIsSupported": False,
}

_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*\.?\Z", re.ASCII)
_ENDPOINT = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?(?P<fragment>#.*)?\Z",
    re.ASCII | re.DOTALL,
)
# Characters that java.net.URI takes as they are in a query, and that do not separate options, endpoints or parentheses.
_QUERY = re.compile(r"[A-Za-z0-9._~:/@!$'*;=&%-]*\Z", re.ASCII)
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_INTEGER = re.compile(r"-?[0-9]{1,18}\Z", re.ASCII)
_FLOAT = re.compile(r"-?[0-9]+(\.[0-9]+)?\Z", re.ASCII)


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
        _check_query(match["query"], shown)
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
) -> str:
    """Spell a list of endpoints in a dialect.

    ``activemq``
        ``failover:(e1,e2)?k=v&k=v``. ``options`` are laid over :data:`SAFE_OPTIONS`; the value None removes one.
        ``nested`` are options of every endpoint, written as ``nested.k=v``. Times are milliseconds.
    ``host_list``
        ``h1:p1,h2:p2`` for clients such as stomp.py. It has no place for options.

    :raises FailoverUrlError: with the reason, when a client would refuse or misread the result.
    """
    if dialect not in DIALECTS:
        raise FailoverUrlError(f"unknown dialect {dialect!r}: use one of {', '.join(DIALECTS)}")
    urls = select(endpoints, None)
    if not urls:
        raise FailoverUrlError("the list of endpoints is empty: the client would try for ever to connect to nothing")
    parsed = [parse_endpoint(url) for url in urls]
    _check_duplicates(parsed)
    if dialect == "host_list":
        if options or nested:
            raise FailoverUrlError("the dialect host_list has no place for options")
        return ",".join(endpoint.address for endpoint in parsed)
    for url, endpoint in zip(urls, parsed):
        if endpoint.scheme not in SCHEMES["openwire"]:
            known = ", ".join(SCHEMES["openwire"])
            raise FailoverUrlError(f"endpoint {url!r}: the ActiveMQ Java client speaks OpenWire only ({known})")
    if not isinstance(options or {}, Mapping) or not isinstance(nested or {}, Mapping):
        raise FailoverUrlError("options must be a mapping of names to values")
    pairs = _encoded({**SAFE_OPTIONS, **(options or {})}, {**FAILOVER_OPTIONS, **JMS_OPTIONS}, "option")
    pairs += [f"nested.{pair}" for pair in _encoded(nested or {}, ENDPOINT_OPTIONS, "nested option")]
    query = "?" + "&".join(pairs) if pairs else ""
    return f"failover:({','.join(urls)}){query}"


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


def _check_query(query: str, shown: str) -> None:
    if not _QUERY.match(query) or _PERCENT.search(query):
        raise FailoverUrlError(f"endpoint {shown}: its options hold a character that must be percent-encoded")
    for pair in query.split("&"):
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise FailoverUrlError(f"endpoint {shown}: its options must be name=value, separated by &")
        _checked_value(name, text, ENDPOINT_OPTIONS, f"endpoint {shown}: option")


def _check_duplicates(endpoints: Sequence[Endpoint]) -> None:
    seen: set[tuple[str, int]] = set()
    for endpoint in endpoints:
        key = (endpoint.host.lower(), endpoint.port)
        if key in seen:
            # FailoverTransport compares address and port and ignores the scheme.
            raise FailoverUrlError(f"{endpoint.address} is in the list twice; the client would drop the second one")
        seen.add(key)


def _encoded(values: Mapping[str, Any], known: Mapping[str, type], kind: str) -> list[str]:
    return [
        # The client decodes with URLDecoder, so "+" must not stand for itself.
        f"{name}={quote(_checked_value(name, value, known, kind), safe=':/,')}"
        for name, value in values.items()
        if value is not None
    ]


def _checked_value(name: object, value: object, known: Mapping[str, type], kind: str) -> str:
    """Return the text of a value; refuse unknown names, and values that the client would read as something else."""
    if not isinstance(name, str) or name not in known:
        hint = ""
        if name == "backOffMultiplier":
            hint = ": the failover transport calls it reconnectDelayExponent"
        elif isinstance(name, str):
            close = [other for other in known if other.lower() == name.lower()]
            hint = f": did you mean {close[0]}?" if close else ""
        raise FailoverUrlError(f"unknown {kind} {name!r}{hint}")
    wanted = known[name]
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if wanted is bool:
        # Boolean.valueOf silently reads anything else as false.
        if text not in ("true", "false"):
            raise FailoverUrlError(f"{kind} {name} must be true or false")
    elif isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise FailoverUrlError(f"{kind} {name} must be a {'number' if wanted in (int, float) else 'string'}")
    elif wanted is int and not _INTEGER.match(text):
        raise FailoverUrlError(f"{kind} {name} must be a whole number")
    elif wanted is float and not _FLOAT.match(text):
        raise FailoverUrlError(f"{kind} {name} must be a number")
    elif not text:
        raise FailoverUrlError(f"{kind} {name} must not be empty")
    return text
