# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""How a broker greets in each of its protocols: what proves that one answers, and whether it takes the credentials.

- OpenWire: the broker sends a WireFormatInfo by itself (org.apache.activemq.command.WireFormatInfo). Credentials would
  need a connection of a client, so none are sent.
- STOMP: CONNECT is answered by CONNECTED or ERROR (STOMP 1.2, "Connecting").
- AMQP 1.0: the SASL header is answered by one and by the mechanisms (OASIS AMQP 1.0, part 5.3).
- MQTT 3.1.1: CONNECT is answered by CONNACK (OASIS MQTT 3.1.1, section 3.2).
- WebSocket: the upgrade is answered by 101 (RFC 6455, section 4), and STOMP goes on within it.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, Optional

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url import Endpoint
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import shown

#: The most that is read of one peer, in bytes.
LIMIT = 64 * 1024
_DRAIN_SECONDS = 0.3

ANSWERS = "a broker answers"
_TAKES = f"{ANSWERS} and takes the credentials"
_REFUSES = f"{ANSWERS} and refuses the credentials"
_DEMANDS = f"{ANSWERS} and demands credentials"

_WIRE_FORMAT = b"\x01ActiveMQ"
# The broker may still be sending when a probe just goes, and warns in its log then. So a bare WireFormatInfo of version
# 1 follows, and ShutdownInfo (ShutdownInfoMarshaller): the broker closes the connection in order.
_OPENWIRE_FAREWELL = b"\0\0\0\x0e" + _WIRE_FORMAT + b"\0\0\0\x01\0" + b"\0\0\0\x06\x0b\0\0\0\0\0"
_MAX_PROPERTIES = 100
# MarshallingSupport: null, boolean, byte, char, short, int, long, double, float.
_FIXED_SIZES = {0: 0, 1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 8, 7: 8, 8: 4}
_STRING, _BYTE_ARRAY, _BIG_STRING = 9, 10, 13
_SASL_HEADER = b"AMQP\x03\x01\x00\x00"
_CONNACK_ACCEPTED, _CONNACK_BAD_CREDENTIALS, _CONNACK_NOT_AUTHORIZED = 0, 4, 5
_SASL_OK, _SASL_AUTH = 0, 1
_WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

#: The names of the protocols for people, by the collection's own.
NAMES = {"openwire": "OpenWire", "stomp": "STOMP", "amqp": "AMQP 1.0", "mqtt": "MQTT", "ws": "WebSocket"}
#: How the first bytes begin of what may be found behind a port.
_BEGINNINGS = (
    (re.compile(rb"....\x01ActiveMQ", re.DOTALL), NAMES["openwire"]),
    (re.compile(rb"\n*(CONNECTED|ERROR)\r?\n"), NAMES["stomp"]),
    (re.compile(rb"AMQP[\x00\x03]\x01\x00\x00"), NAMES["amqp"]),
    (re.compile(rb"AMQP"), "another version of AMQP"),
    (re.compile(rb"\x20\x02[\x00\x01]."), NAMES["mqtt"]),
    (re.compile(rb"HTTP/"), "HTTP"),
    (re.compile(rb"SSH-"), "SSH"),
    (re.compile(rb"\x15\x03[\x00-\x04]\x00\x02"), "TLS"),
)


class ClosedError(Exception):
    """The peer closed the connection before it greeted."""


class UnexpectedError(Exception):
    """What the peer sent is not what its protocol asks for. ``str()`` is empty, or says more."""


class Credentials(NamedTuple):
    """A user's name and password."""

    username: str
    password: str

    def check(self) -> None:
        """Raise ValueError for what a protocol cannot carry; the message does not repeat it."""
        for name, text in self._asdict().items():
            # STOMP ends lines and frames with these, SASL separates its parts with NUL.
            if any(character in text for character in "\r\n\0"):
                raise ValueError(f"the {name} must not contain a line break or a NUL")
            # MQTT has two bytes for a length.
            if len(text.encode("utf-8", "surrogatepass")) > 1000:
                raise ValueError(f"the {name} must not be longer than 1000 bytes")


class Greeting(NamedTuple):
    """A broker's answer. ``authenticated`` is None when no credentials were sent, or it did not judge them.

    ``trouble`` says what the broker complains about, when that is not the credentials.
    """

    authenticated: bool | None = None
    product: str | None = None
    version: str | None = None
    reason: str = ANSWERS
    trouble: str | None = None


class Link:
    """A connection, read within limits of time and size. ``left`` gives the seconds left, or raises TimeoutError."""

    def __init__(self, stream: socket.socket, left: Callable[[], float]) -> None:
        self._stream = stream
        self._left = left
        self._at = 0
        self.seen = b""

    def send(self, data: bytes) -> None:
        """Send all of it. Raises OSError."""
        self._stream.settimeout(self._left())
        self._stream.sendall(data)

    def read(self, size: int) -> bytes:
        """Exactly so many bytes. Raises ClosedError, UnexpectedError (more than LIMIT), OSError."""
        end = self._at + size
        while len(self.seen) < end:
            self._fill(end)
        data = self.seen[self._at : end]
        self._at = end
        return data

    def until(self, mark: bytes) -> bytes:
        """What comes before a mark, and the mark. Raises as read()."""
        while True:
            found = self.seen.find(mark, self._at)
            if found >= 0:
                return self.read(found + len(mark) - self._at)
            self._fill(len(self.seen) + 1)

    def drain(self) -> None:
        """Wait briefly for the peer to close the connection. Raises OSError."""
        for dummy in range(4):
            self._stream.settimeout(min(self._left(), _DRAIN_SECONDS))
            if not self._stream.recv(4096):
                return

    def _fill(self, wanted: int) -> None:
        if wanted > LIMIT:
            raise UnexpectedError(f"it sends more than {LIMIT} bytes")
        chunk = self._more()
        if not chunk:
            raise ClosedError
        self.seen += chunk

    def _more(self) -> bytes:
        self._stream.settimeout(self._left())
        return self._stream.recv(4096)


def greet(protocol: str, link: Link, target: Endpoint, credentials: Credentials | None) -> Greeting:
    """Let a broker greet in a protocol of SCHEMES. Raises ClosedError, UnexpectedError, OSError."""
    return _GREETINGS[protocol](link, target, credentials)


def spoken(seen: bytes) -> str | None:
    """Which protocol the first bytes of a peer are of, in words; None when they tell nothing."""
    return next((name for pattern, name in _BEGINNINGS if pattern.match(seen)), None)


# -- OpenWire --------------------------------------------------------------------------------------------------------


def _openwire(link: Link, _target: Endpoint, _credentials: Credentials | None) -> Greeting:
    size = int.from_bytes(link.read(4), "big")
    if link.read(len(_WIRE_FORMAT)) != _WIRE_FORMAT:
        raise UnexpectedError
    # That is proof enough. The rest tells the version.
    properties: Mapping[str, str] = {}
    with contextlib.suppress(ClosedError, UnexpectedError, OSError, ValueError):
        properties = _wire_format_properties(link.read(max(size - len(_WIRE_FORMAT), 0)))
        link.send(_OPENWIRE_FAREWELL)
        link.drain()
    return Greeting(product=properties.get("ProviderName"), version=properties.get("ProviderVersion"))


def _wire_format_properties(data: bytes) -> dict[str, str]:
    """The texts of a WireFormatInfo's map (WireFormatInfoMarshaller, MarshallingSupport.marshalPrimitiveMap).

    After the version (4 bytes) and a flag comes the map with its size in bytes; the number of its entries; and for each
    entry the name, the type of the value, and the value. ValueError when it is cut off.
    """
    found: dict[str, str] = {}
    take = _taking(data)
    if not int.from_bytes(take(5)[4:], "big"):
        return found
    take(4)
    for dummy in range(min(int.from_bytes(take(4), "big"), _MAX_PROPERTIES)):
        name = take(int.from_bytes(take(2), "big")).decode("utf-8", "replace")
        kind = take(1)[0]
        if kind in _FIXED_SIZES:
            take(_FIXED_SIZES[kind])
        elif kind == _STRING:
            found[name] = shown(take(int.from_bytes(take(2), "big")).decode("utf-8", "replace"))
        elif kind in (_BYTE_ARRAY, _BIG_STRING):
            take(int.from_bytes(take(4), "big"))
        else:  # a map or a list: nothing of a broker's greeting
            break
    return found


def _taking(data: bytes) -> Callable[[int], bytes]:
    """A function that takes the next so many bytes of them. It raises ValueError when there are less."""
    at = 0

    def take(size: int) -> bytes:
        nonlocal at
        if not 0 <= size <= len(data) - at:
            raise ValueError
        at += size
        return data[at - size : at]

    return take


# -- STOMP -----------------------------------------------------------------------------------------------------------


# ActiveMQ: "User name [x] or password is invalid." (SecurityException of the authentication plugins).
_ABOUT_CREDENTIALS = re.compile("password|credential|authenticat|authoriz|login|access refused", re.IGNORECASE)


def _stomp(link: Link, target: Endpoint, credentials: Credentials | None) -> Greeting:
    lines = ["CONNECT", "accept-version:1.0,1.1,1.2", f"host:{target.host}", "heart-beat:0,0"]
    # Without these headers the broker sees somebody unknown; with empty ones somebody with a wrong name.
    if credentials is not None:
        lines += [f"login:{credentials.username}", f"passcode:{credentials.password}"]
    link.send("\n".join([*lines, "", "\0"]).encode("utf-8", "surrogatepass"))
    command, headers = _stomp_frame(link)
    if command == "CONNECTED":
        product, slash, version = headers.get("server", "").partition("/")
        with contextlib.suppress(OSError):
            link.send(b"DISCONNECT\n\n\0")
        return _judged(credentials, True)._replace(
            product=shown(product) or None, version=shown(version.partition(" ")[0]) or None if slash else None
        )
    complaint = headers.get("message", "")
    if _ABOUT_CREDENTIALS.search(complaint):
        return _judged(credentials, False)
    return Greeting(trouble=shown(complaint) or "it sends an ERROR without a message")


def _stomp_frame(link: Link) -> tuple[str, dict[str, str]]:
    """Command and headers of the first frame. A peer that begins otherwise is not read to a NUL that may never come."""
    start = link.read(1)
    while start in (b"\n", b"\r"):  # a heart-beat
        start = link.read(1)
    start += link.read(4)
    if start not in (b"CONNE", b"ERROR"):
        raise UnexpectedError
    head = (start + link.until(b"\0")).decode("utf-8", "replace").replace("\r", "").partition("\n\n")[0]
    command, *lines = head.split("\n")
    headers: dict[str, str] = {}
    for line in lines:
        name, dummy_colon, value = line.partition(":")
        headers.setdefault(name, value)
    if command not in ("CONNECTED", "ERROR"):
        raise UnexpectedError
    return command, headers


def _judged(credentials: Credentials | None, taken: bool) -> Greeting:
    """What a broker's yes or no means: without credentials it says nothing about them."""
    if credentials is None:
        return Greeting() if taken else Greeting(reason=_DEMANDS)
    return Greeting(taken, reason=_TAKES if taken else _REFUSES)


# -- AMQP 1.0 --------------------------------------------------------------------------------------------------------

_MECHANISMS, _INIT, _OUTCOME = 0x40, 0x41, 0x44
_UBYTE, _SMALL_ULONG, _SYMBOL = 0x50, 0x53, 0xA3
_EMPTY_LIST, _LIST8, _LIST32, _ARRAY8, _ARRAY32 = 0x45, 0xC0, 0xD0, 0xE0, 0xF0


def _amqp(link: Link, target: Endpoint, credentials: Credentials | None) -> Greeting:
    link.send(_SASL_HEADER)
    header = link.read(len(_SASL_HEADER))
    if header != _SASL_HEADER:
        if header[:4] == b"AMQP" and header[5:] == _SASL_HEADER[5:]:
            return Greeting(trouble="it offers no SASL")
        raise UnexpectedError
    descriptor, mechanisms = _sasl_frame(link)
    if descriptor != _MECHANISMS:
        raise UnexpectedError
    if credentials is None:
        return Greeting()
    if b"PLAIN" not in mechanisms:
        return Greeting(trouble="it offers no SASL PLAIN")
    response = f"\0{credentials.username}\0{credentials.password}".encode("utf-8", "surrogatepass")
    name = target.host.encode("ascii", "replace")
    fields = b"\xa3\x05PLAIN" + b"\xb0" + len(response).to_bytes(4, "big") + response
    fields += b"\xa1" + bytes([len(name)]) + name
    body = b"\x00\x53" + bytes([_INIT]) + b"\xd0" + (len(fields) + 4).to_bytes(4, "big") + b"\x00\x00\x00\x03" + fields
    link.send((len(body) + 8).to_bytes(4, "big") + b"\x02\x01\x00\x00" + body)
    descriptor, values = _sasl_frame(link)
    code = values[0][0] if descriptor == _OUTCOME and values and len(values[0]) == 1 else None
    if code in (_SASL_OK, _SASL_AUTH):
        return _judged(credentials, code == _SASL_OK)
    return Greeting(trouble=f"SASL ends with the code {code}")


def _sasl_frame(link: Link) -> tuple[int, list[bytes]]:
    """The descriptor of a SASL frame, and what _sasl_values() finds in it (OASIS AMQP 1.0, parts 1.6 and 5.3)."""
    size = int.from_bytes(link.read(4), "big")
    offset, kind, dummy_high, dummy_low = link.read(4)
    if kind != 1 or not 2 <= offset <= size // 4 or size > LIMIT:
        raise UnexpectedError
    take = _taking(link.read(size - 8))
    try:
        take(offset * 4 - 8)
        if take(1) != b"\x00":
            raise UnexpectedError
        descriptor = take(1)[0]
        # A small ulong has one byte, a ulong eight.
        number = int.from_bytes(take(1 if descriptor == _SMALL_ULONG else 8), "big")
        return number, list(_sasl_values(take))
    except ValueError as exc:
        raise UnexpectedError from exc


def _sasl_values(take: Callable[[int], bytes]) -> Iterator[bytes]:
    """The values of the list that comes next, as far as they are symbols, small numbers, or arrays of symbols."""
    kind = take(1)[0]
    if kind == _EMPTY_LIST:
        return
    if kind not in (_LIST8, _LIST32):
        raise ValueError
    width = 1 if kind == _LIST8 else 4
    take(width)
    count = int.from_bytes(take(width), "big")
    for dummy in range(min(count, _MAX_PROPERTIES)):
        kind = take(1)[0]
        if kind == _UBYTE:
            yield take(1)
        elif kind == _SYMBOL:
            yield take(take(1)[0])
        elif kind in (_ARRAY8, _ARRAY32):
            width = 1 if kind == _ARRAY8 else 4
            take(width)
            items = int.from_bytes(take(width), "big")
            wide = 1 if take(1)[0] == _SYMBOL else 4
            for dummy_item in range(min(items, _MAX_PROPERTIES)):
                yield take(int.from_bytes(take(wide), "big"))
        else:
            return


# -- MQTT 3.1.1 ------------------------------------------------------------------------------------------------------


def _mqtt(link: Link, _target: Endpoint, credentials: Credentials | None) -> Greeting:
    flags, payload = 0x02, _mqtt_text("")  # a clean session, and the broker gives the client its id
    if credentials is not None:
        flags |= 0xC0
        payload += _mqtt_text(credentials.username) + _mqtt_text(credentials.password)
    rest = b"\x00\x04MQTT\x04" + bytes([flags]) + b"\x00\x00" + payload
    link.send(b"\x10" + _mqtt_length(len(rest)) + rest)
    kind, size, dummy_flags, code = link.read(4)
    if (kind, size) != (0x20, 2):
        raise UnexpectedError
    if code == _CONNACK_ACCEPTED:
        with contextlib.suppress(OSError):
            link.send(b"\xe0\x00")
        return _judged(credentials, True)
    if code in (_CONNACK_BAD_CREDENTIALS, _CONNACK_NOT_AUTHORIZED):
        return _judged(credentials, False)
    return Greeting(trouble=f"CONNACK has the code {code}")


def _mqtt_text(text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return len(data).to_bytes(2, "big") + data


def _mqtt_length(size: int) -> bytes:
    encoded = bytearray()
    while size > 0x7F:
        encoded.append(size & 0x7F | 0x80)
        size >>= 7
    encoded.append(size)
    return bytes(encoded)


# -- WebSocket -------------------------------------------------------------------------------------------------------


class _WebSocket(Link):
    """What is within a WebSocket: text frames to the peer (masked, RFC 6455, section 5), any frames from it."""

    def __init__(self, outer: Link) -> None:
        self._outer = outer
        self._at = 0
        self.seen = b""

    def send(self, data: bytes) -> None:
        self._outer.send(self._frame(0x81, data))

    def close(self) -> None:
        """Say farewell."""
        self._outer.send(self._frame(0x88, b""))

    def _frame(self, kind: int, data: bytes) -> bytes:
        mask = os.urandom(4)
        length = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
        return bytes([kind]) + length + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))

    def _more(self) -> bytes:
        while True:
            kind, length = self._outer.read(2)
            if length & 0x80:  # a server does not mask
                raise UnexpectedError
            if length > 125:
                length = int.from_bytes(self._outer.read(2 if length == 126 else 8), "big")
            data = self._outer.read(length)
            if kind & 0x0F == 0x08:
                return b""
            if kind & 0x0F <= 0x02 and data:
                return data


def _websocket(link: Link, target: Endpoint, credentials: Credentials | None) -> Greeting:
    key = base64.b64encode(os.urandom(16))
    request = (
        f"GET / HTTP/1.1\r\nHost: {target.address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key.decode()}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: v12.stomp\r\n\r\n"
    )
    link.send(request.encode("ascii"))
    if link.read(5) != b"HTTP/":
        raise UnexpectedError
    status, *lines = link.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, dummy_colon, value in (x.partition(":") for x in lines)}
    code = status.split(" ")[1] if " " in status else ""
    if code != "101":
        raise UnexpectedError(f"it answers the upgrade with HTTP status {shown(code)}")
    proof = base64.b64encode(hashlib.sha1(key + _WEBSOCKET_GUID, usedforsecurity=False).digest()).decode()
    if headers.get("upgrade", "").lower() != "websocket" or headers.get("sec-websocket-accept") != proof:
        raise UnexpectedError("its upgrade to a WebSocket is not a proper one")
    inner = _WebSocket(link)
    try:
        greeting = _stomp(inner, target, credentials)
    except UnexpectedError as exc:
        raise UnexpectedError(str(exc) or "its WebSocket does not carry STOMP") from exc
    with contextlib.suppress(OSError):
        inner.close()
    return greeting


_Greet = Callable[[Link, Endpoint, Optional[Credentials]], Greeting]
_GREETINGS: dict[str, _Greet] = {
    "openwire": _openwire,
    "stomp": _stomp,
    "amqp": _amqp,
    "mqtt": _mqtt,
    "ws": _websocket,
}
