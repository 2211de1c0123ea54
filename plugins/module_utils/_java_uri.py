# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Split URLs as Java does: ``java.net.URI``, and ActiveMQ's ``URISupport`` for lists and queries. Pure.

This is a private util of the collection; it may change at any time.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote, unquote_plus

_ALPHA = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGIT = "0123456789"
# The character classes of java.net.URI.
_UNRESERVED = _ALPHA + _DIGIT + "_-!.~'()*"
_URIC = frozenset(_UNRESERVED + ";/?:@&=+$,[]")
_PATH = frozenset(_UNRESERVED + ":@&=+$,;/")
_REG_NAME = frozenset(_UNRESERVED + "$,;:@&=+")
_SERVER = frozenset(_UNRESERVED + ";:&=+$,.@[]")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?\Z", re.ASCII)
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class Uri(NamedTuple):
    """The parts of a java.net.URI, undecoded; ``ssp`` is the scheme specific part, ``start`` its index."""

    scheme: str | None
    ssp: str
    start: int
    opaque: bool
    host: str | None
    port: int
    userinfo: bool
    path: str
    query: str | None


class UriError(Exception):
    """``str()`` is what java.net.URI does not take, ``position`` where."""

    def __init__(self, code: str, message: str, position: int) -> None:
        super().__init__(message)
        self.code = code
        self.position = position


class Pair(NamedTuple):
    name: str
    value: str | None
    position: int


def split_uri(text: str) -> Uri:
    """Split a text as the constructor of java.net.URI does.

    :raises UriError: when that constructor throws.
    """
    length = len(text)
    colon = _find(text, 0, ":/?#")
    scheme = None
    if colon < length and text[colon] == ":":
        scheme = text[:colon]
        if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*\Z", scheme, re.ASCII):
            raise _illegal(text, 0, "a scheme name")
        start = colon + 1
        if text[start : start + 1] != "/":
            end = _find(text, start, "#")
            if end == start:
                raise UriError("empty", "nothing follows the scheme", start)
            _check(text, start, end, _URIC)
            _check(text, end + 1, length, _URIC)
            return Uri(scheme, text[start:end], start, True, None, -1, False, "", None)
    else:
        start = 0
    place = start
    host, port, userinfo = None, -1, False
    if text.startswith("//", place):
        place += 2
        end = _find(text, place, "/?#")
        if end > place:
            host, port, userinfo = _authority(text, place, end)
        elif end == length:
            raise UriError("no_host", "nothing follows //", place)
        place = end
    end = _find(text, place, "?#")
    _check(text, place, end, _PATH)
    path, place = text[place:end], end
    query = None
    if text[place : place + 1] == "?":
        end = _find(text, place, "#")
        _check(text, place + 1, end, _URIC)
        query, place = text[place + 1 : end], end
    _check(text, place + 1, length, _URIC)
    return Uri(scheme, text[start:place], start, False, host, port, userinfo, path, query)


def _find(text: str, start: int, stops: str) -> int:
    """Return the index of the first of some characters, or the length of the text."""
    return next((index for index in range(start, len(text)) if text[index] in stops), len(text))


def _scan(text: str, start: int, end: int, allowed: frozenset[str]) -> int:
    """Return where the run of allowed characters, escapes and visible non-ASCII characters ends."""
    place = start
    while place < end:
        char = text[place]
        if char in allowed:
            place += 1
        elif char == "%":
            if _BAD_ESCAPE.match(text, place):
                raise UriError("bad_escape", "% must be followed by two hexadecimal digits", place)
            place += 3
        elif ord(char) > 128 and unicodedata.category(char) not in ("Zs", "Zl", "Zp", "Cc"):
            place += 1
        else:
            break
    return place


def _check(text: str, start: int, end: int, allowed: frozenset[str]) -> None:
    place = _scan(text, start, end, allowed)
    if place < end:
        raise _illegal(text, place, "a URL")


def _illegal(text: str, position: int, where: str) -> UriError:
    char = text[position : position + 1]
    if char.isspace():
        return UriError("white_space", f"white space is not allowed in {where}", position)
    if char in "{}" or text[position : position + 2] == "${":
        return UriError("placeholder", "a placeholder was not replaced, or a brace is not written as %7B", position)
    return UriError("illegal_character", f"{char!a} is not allowed here in {where}", position)


def _authority(text: str, start: int, end: int) -> tuple[str | None, int, bool]:
    """Return host, port and whether there is user information; host None for what java.net.URI calls registry based."""
    registry = _scan(text, start, end, _REG_NAME) == end
    if all(char in _SERVER or char == "%" or ord(char) > 128 for char in text[start:end]):
        server = split_server(text[start:end])
        if server is not None:
            return server
    if not registry:
        raise _illegal(text, _scan(text, start, end, _REG_NAME), "a host name")
    return None, -1, False


def split_server(authority: str) -> tuple[str, int, bool] | None:
    userinfo, at, rest = authority.partition("@")
    if not at:
        rest = userinfo
    elif re.search(r"[\[\]@]", userinfo):
        return None
    match = re.match(r"(\[[^\]]*\]|[^:]*)(?::([0-9]*))?\Z", rest, re.ASCII)
    if match is None or (match[2] and int(match[2]) >= 1 << 31):
        return None
    host, port = match[1], int(match[2]) if match[2] else -1
    if host.startswith("["):
        try:
            ipaddress.IPv6Address(host[1:-1])
        except ValueError:
            return None
    elif not _is_ipv4(host):
        labels = host.rstrip(".").split(".")
        if not _HOST.match(host) or (len(labels) > 1 and labels[-1][0] in _DIGIT):
            return None
    return host, port, bool(at)


def _is_ipv4(host: str) -> bool:
    return re.match(r"[0-9]{1,9}(\.[0-9]{1,9}){3}\Z", host, re.ASCII) is not None and all(
        int(part) < 256 for part in host.split(".")
    )


def split_components(text: str, offset: int) -> Iterator[tuple[str, int]]:
    """Split at the commas outside parentheses; what follows the last comma counts only when it is not empty."""
    depth = last = 0
    for index, char in enumerate(text):
        if char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
        elif char == "," and depth == 0:
            yield text[last:index], offset + last
            last = index + 1
    if text[last:]:
        yield text[last:], offset + last


def closing_parenthesis(text: str) -> int:
    """Return the index of the parenthesis that closes the first one, or -1."""
    depth = 0
    for index, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return index
    return -1


def split_query(query: str, offset: int, *, twice: bool = False) -> list[Pair]:
    """Split what follows the last ? of a query. In a hierarchical URL the client decodes it before and after the split.

    :raises ValueError: for an escape that URLDecoder refuses.
    """
    text = unquote(query, errors="replace") if twice else query
    text = text[text.rfind("?") + 1 :]
    parts = text.split("&")
    while parts and not parts[-1]:
        parts.pop()
    starts = [0, *(match.end() for match in re.finditer("&", query))]
    found = []
    for index, part in enumerate(parts):
        name, equals, value = part.partition("=")
        if equals and _BAD_ESCAPE.search(part):
            raise ValueError("bad escape")
        position = offset + starts[min(index, len(starts) - 1)]
        if equals:
            found.append(Pair(unquote_plus(name), unquote_plus(value), position))
        else:
            found.append(Pair(part, None, position))
    return found
