# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The greetings of each protocol over real sockets; the peers say what brokers say, or something else."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import threading

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _greetings
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url import Endpoint
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._greetings import (
    LIMIT,
    ClosedError,
    Credentials,
    Greeting,
    Link,
    UnexpectedError,
    greet,
    spoken,
)

USER = Credentials("shop", "s3cret")
TARGET = Endpoint("tcp", "broker.example", 61616)
TAKES = "a broker answers and takes the credentials"
REFUSES = "a broker answers and refuses the credentials"
DEMANDS = "a broker answers and demands credentials"


def utf(text):
    return len(text).to_bytes(2, "big") + text.encode()


def wire_format(*entries):
    """A WireFormatInfo with these entries of its map."""
    table = len(entries).to_bytes(4, "big") + b"".join(entries)
    body = b"\x01ActiveMQ" + b"\0\0\0\x0c" + b"\x01" + len(table).to_bytes(4, "big") + table
    return len(body).to_bytes(4, "big") + body


ENTRIES = (
    utf("TcpNoDelayEnabled") + b"\x01\x01",
    utf("CacheSize") + b"\x05\0\0\x04\0",
    utf("MaxFrameSize") + b"\x06" + b"\x7f" * 8,
    utf("ProviderName") + b"\x09" + utf("ActiveMQ"),
    utf("PlatformDetails") + b"\x0d\0\0\0\x04Java",
    utf("ProviderVersion") + b"\x09" + utf("5.18.3"),
)


def meet(protocol, handler, credentials=None, left=lambda: 5.0):
    """What greet() makes of a peer that runs ``handler(connection)``."""
    ours, theirs = socket.socketpair()

    def run():
        with theirs:
            handler(theirs)

    peer = threading.Thread(target=run)
    peer.start()
    try:
        with ours:
            return greet(protocol, Link(ours, left), TARGET, credentials)
    finally:
        peer.join(5)


def saying(*pieces):
    """A peer that says these pieces, each after it heard something, and then waits for the end."""

    def handler(connection):
        for piece in pieces:
            connection.recv(4096)
            connection.sendall(piece)
        while connection.recv(4096):
            pass

    return handler


def greeting(data):
    """A peer that says something by itself, and closes when it hears something."""

    def handler(connection):
        connection.sendall(data)
        connection.recv(4096)

    return handler


def test_openwire_tells_product_and_version_and_is_sent_no_credentials():
    heard = []

    def handler(connection):
        for byte in wire_format(*ENTRIES):
            connection.sendall(bytes([byte]))
        heard.append(connection.recv(4096))

    assert meet("openwire", handler, USER) == Greeting(None, "ActiveMQ", "5.18.3")
    assert heard == [b"\0\0\0\x0e\x01ActiveMQ\0\0\0\x01\0\0\0\0\x06\x0b\0\0\0\0\0"]


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x00\x01R\x01ActiveMQ",
        b"\xff\xff\xff\xff\x01ActiveMQ",
        b"\x00\x00\x00\x01\x01ActiveMQ",
        wire_format(utf("ProviderVersion") + b"\x0b"),
        wire_format()[:-1] + b"\x09",
        b"\0\0\0\x0e\x01ActiveMQ\0\0\0\x0c\0",
    ],
)
def test_openwire_without_a_version_is_a_broker_all_the_same(data):
    def handler(connection):
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass

    assert meet("openwire", handler) == Greeting()


@pytest.mark.parametrize(
    ("answer", "credentials", "expected"),
    [
        ("CONNECTED\nserver:ActiveMQ/5.18.3\n\n\0", USER, Greeting(True, "ActiveMQ", "5.18.3", TAKES)),
        ("CONNECTED\r\nserver:RabbitMQ/3.9 x\r\n\r\n\0", None, Greeting(None, "RabbitMQ", "3.9")),
        ("\nCONNECTED\n\n\0", None, Greeting()),
        ("ERROR\nmessage:User name [shop] or password is invalid.\n\nstack\0", USER, Greeting(False, reason=REFUSES)),
        ("ERROR\nmessage:User name [null] or password is invalid.\n\n\0", None, Greeting(reason=DEMANDS)),
        ("ERROR\nmessage:out of \x1b[31morder\n\n\0", USER, Greeting(trouble="out of \\x1b[31morder")),
        ("ERROR\n\nx\0", None, Greeting(trouble="it sends an ERROR without a message")),
    ],
)
def test_stomp(answer, credentials, expected):
    assert meet("stomp", saying(answer.encode()), credentials) == expected


@pytest.mark.parametrize("credentials", [None, USER])
def test_stomp_sends_credentials_only_when_there_are_some(credentials):
    heard = []

    def handler(connection):
        heard.append(connection.recv(4096))

    with pytest.raises(ClosedError):
        meet("stomp", handler, credentials)

    assert heard[0].startswith(b"CONNECT\n")
    assert heard[0].endswith(b"\n\n\0")
    assert (b"\nlogin:shop\npasscode:s3cret\n" in heard[0]) is (credentials is not None)
    assert (b"login" in heard[0]) is (credentials is not None)


SASL = b"AMQP\x03\x01\x00\x00"


def sasl(body):
    return (len(body) + 8).to_bytes(4, "big") + b"\x02\x01\0\0" + body


# sasl-mechanisms as ActiveMQ sends it (two symbols in an array), and with a single symbol.
MECHANISMS = sasl(b"\0\x53\x40\xc0\x15\x01\xe0\x12\x02\xa3\x05PLAIN\x09ANONYMOUS")
ANONYMOUS = sasl(b"\0\x53\x40\xc0\x0c\x01\xa3\x09ANONYMOUS")
WIDE = sasl(
    b"\0\x80" + (0x40).to_bytes(8, "big") + b"\xd0\0\0\0\x1a\0\0\0\x01\xf0\0\0\0\x0e\0\0\0\x01\xb3\0\0\0\x05PLAIN"
)


def outcome(code):
    return sasl(b"\0\x53\x44\xc0\x03\x01\x50" + bytes([code]))


@pytest.mark.parametrize(
    ("pieces", "credentials", "expected"),
    [
        ([SASL + MECHANISMS], None, Greeting()),
        ([SASL + MECHANISMS, outcome(0)], USER, Greeting(True, reason=TAKES)),
        ([SASL + WIDE, outcome(1)], USER, Greeting(False, reason=REFUSES)),
        ([SASL + MECHANISMS, outcome(2)], USER, Greeting(trouble="SASL ends with the code 2")),
        ([SASL + MECHANISMS, sasl(b"\0\x53\x44\x45")], USER, Greeting(trouble="SASL ends with the code None")),
        ([SASL + ANONYMOUS], USER, Greeting(trouble="it offers no SASL PLAIN")),
        ([b"AMQP\x00\x01\x00\x00"], USER, Greeting(trouble="it offers no SASL")),
    ],
)
def test_amqp(pieces, credentials, expected):
    assert meet("amqp", saying(*pieces), credentials) == expected


def test_amqp_sends_the_credentials_as_sasl_plain():
    heard = []

    def handler(connection):
        connection.recv(4096)
        connection.sendall(SASL + MECHANISMS)
        heard.append(connection.recv(4096))

    with pytest.raises(ClosedError):
        meet("amqp", handler, USER)

    size, rest = heard[0][:4], heard[0][4:]
    assert int.from_bytes(size, "big") == len(heard[0])
    assert b"\xa3\x05PLAIN\xb0\0\0\0\x0c\0shop\0s3cret\xa1\x0ebroker.example" in rest


@pytest.mark.parametrize(
    ("code", "credentials", "expected"),
    [
        (0, None, Greeting()),
        (0, USER, Greeting(True, reason=TAKES)),
        (4, USER, Greeting(False, reason=REFUSES)),
        (5, USER, Greeting(False, reason=REFUSES)),
        (5, None, Greeting(reason=DEMANDS)),
        (3, USER, Greeting(trouble="CONNACK has the code 3")),
    ],
)
def test_mqtt(code, credentials, expected):
    assert meet("mqtt", saying(b"\x20\x02\x00" + bytes([code])), credentials) == expected


def test_mqtt_asks_for_a_clean_session_without_a_name():
    heard = []

    def handler(connection):
        heard.append(connection.recv(4096))

    for credentials in (None, USER, Credentials("u" * 200, "")):
        with pytest.raises(ClosedError):
            meet("mqtt", handler, credentials)

    assert heard[0] == b"\x10\x0c\0\x04MQTT\x04\x02\0\0\0\0"
    assert heard[1] == b"\x10\x1a\0\x04MQTT\x04\xc2\0\0\0\0\0\x04shop\0\x06s3cret"
    assert heard[2][:3] == b"\x10\xd8\x01"


def upgraded(*frames, status="101 Switching Protocols", proof=None):
    """A web server that upgrades, and says these frames, each after it heard something."""

    def handler(connection):
        request = connection.recv(4096)
        key = request.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0]
        digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        accept = proof or base64.b64encode(digest).decode()
        connection.sendall(
            f"HTTP/1.1 {status}\r\nUPGRADE: WebSocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )
        saying(*frames)(connection)

    return handler


def text_frame(text):
    return b"\x81" + bytes([len(text)]) + text


CONNECTED = b"CONNECTED\nserver:ActiveMQ/5.18.3\n\n\0"


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([text_frame(CONNECTED)], Greeting(True, "ActiveMQ", "5.18.3", TAKES)),
        # A ping, and a message in two parts, the second one with a long length.
        (
            [b"\x89\x01x\x01\x03CON\x80\x7e" + (len(CONNECTED) - 3).to_bytes(2, "big") + CONNECTED[3:]],
            Greeting(True, "ActiveMQ", "5.18.3", TAKES),
        ),
        ([text_frame(b"ERROR\nmessage:bad password\n\n\0")], Greeting(False, reason=REFUSES)),
    ],
)
def test_stomp_goes_on_within_a_websocket(frames, expected):
    assert meet("ws", upgraded(*frames), USER) == expected


def test_what_goes_into_a_websocket_is_masked():
    frame = _greetings._WebSocket(Link(socket.socket(), lambda: 1.0))._frame(0x81, b"x" * 200)
    assert frame[:4] == b"\x81\xfe\x00\xc8"
    assert bytes(byte ^ frame[4 + index % 4] for index, byte in enumerate(frame[8:])) == b"x" * 200


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (upgraded(status="404 Not Found"), "HTTP status 404"),
        (upgraded(proof="AAAA"), "not a proper one"),
        (upgraded(b"\x81\x05hello"), "does not carry STOMP"),
        (upgraded(b"\x81\xffhello"), "does not carry STOMP"),
        (upgraded(b"\x81\x7f\x7f" + b"\xff" * 7), f"more than {LIMIT} bytes"),
        (saying(b"HTTP/1.1 101 x\r\n" + b"a: b\r\n" * LIMIT), f"more than {LIMIT} bytes"),
    ],
)
def test_a_web_server_is_no_broker(handler, words):
    def bounded(connection):
        with contextlib.suppress(OSError):  # it is not read to the end
            handler(connection)

    with pytest.raises(UnexpectedError, match=words):
        meet("ws", bounded, USER)


def test_a_websocket_that_is_closed_at_once():
    with pytest.raises(ClosedError):
        meet("ws", upgraded(b"\x88\x02\x03\xe8"), USER)


STRANGE = [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n", b"\x15\x03\x03\x00\x02\x02\x28", b"\x00" * 20]


@pytest.mark.parametrize("protocol", ["openwire", "stomp", "amqp", "mqtt"])
@pytest.mark.parametrize("data", STRANGE)
def test_another_protocol_is_not_taken_for_a_broker(protocol, data):
    padded = data.ljust(30, b"\n")
    with pytest.raises(UnexpectedError):
        meet(protocol, greeting(padded), USER)


@pytest.mark.parametrize(
    "data", [SASL + b"\0\0\0\x08\x02\0\0\0", SASL + b"\xff\xff\xff\xff\x02\x01\0\0", SASL + sasl(b"")]
)
def test_a_malformed_sasl_frame(data):
    with pytest.raises(UnexpectedError):
        meet("amqp", saying(data), USER)


def test_a_frame_without_an_end_is_not_read_for_ever():
    def handler(connection):
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(b"CONNECTED\n" * 1000)

    with pytest.raises(UnexpectedError, match=str(LIMIT)):
        meet("stomp", handler)


@pytest.mark.parametrize("protocol", ["openwire", "stomp", "amqp", "mqtt", "ws"])
def test_the_time_that_is_left_bounds_every_read(protocol):
    left = iter([1.0, 0.05])

    def clock():
        try:
            return next(left)
        except StopIteration:
            raise TimeoutError("timed out") from None

    with pytest.raises(OSError, match="timed out"):  # until Python 3.9 that of a socket is no TimeoutError
        meet(protocol, lambda connection: [None for dummy in iter(lambda: connection.recv(4096), b"")], left=clock)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (wire_format(), "OpenWire"),
        (CONNECTED, "STOMP"),
        (b"\nERROR\nmessage:x", "STOMP"),
        (SASL, "AMQP 1.0"),
        (b"AMQP\x00\x00\x09\x01", "another version of AMQP"),
        (b"\x20\x02\x00\x05", "MQTT"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "TLS"),
        (b"", None),
        (b"hello", None),
    ],
)
def test_what_a_peer_speaks(seen, expected):
    assert spoken(seen) == expected


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\0b", "x" * 1001])
def test_credentials_that_no_protocol_can_carry(text):
    for given in (Credentials(text, "x"), Credentials("x", text)):
        with pytest.raises(ValueError, match="must not") as caught:
            given.check()
        assert text not in str(caught.value)
    USER.check()
