# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a probe, over real sockets and real TLS on the loopback interface."""

from __future__ import annotations

import errno
import socket
import ssl
import struct
import threading
import time

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url import FailoverUrlError
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._greetings import Credentials
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._probe import (
    Problem,
    Report,
    Settings,
    look,
    look_at_all,
    probe,
    trust,
    unmet,
)

# The beginning of what ActiveMQ 5.16.6 sends.
GREETING = b"\x00\x00\x01R\x01ActiveMQ\x00\x00\x00\x0c"
CONNECTED = b"CONNECTED\nserver:ActiveMQ/5.18.3\n\n\0"
USER = Credentials("shop", "s3cret")


def wait_for_end(connection):
    while connection.recv(4096):
        pass


def broker(connection):
    connection.sendall(GREETING)


def stomp(connection):
    connection.recv(4096)
    connection.sendall(CONNECTED)
    wait_for_end(connection)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def over(context, handler):
    """A handler behind TLS."""

    def secured(connection):
        with context.wrap_socket(connection, server_side=True) as stream:
            handler(stream)

    return secured


def names(report):
    return [(step.name, step.ok) for step in report.steps]


def codes(report):
    return [problem.code for problem in report.problems]


def trickle(connection):
    """Bytes that never make a greeting, each within any time limit of its own."""
    pause = threading.Event()
    while True:
        connection.sendall(b"\n")
        pause.wait(0.02)


@pytest.mark.parametrize(
    ("scheme", "handler", "active", "reason"),
    [
        ("tcp", broker, True, "a broker answers"),
        ("nio", broker, True, "a broker answers"),
        ("tcp", lambda connection: None, False, "closed without a greeting"),
        ("tcp", lambda connection: connection.sendall(b"\0\0"), False, "closed without a greeting"),
        ("tcp", wait_for_end, False, "no greeting within 0.5 s"),
        ("stomp", trickle, False, "no greeting within 0.5 s"),
        ("tcp", lambda connection: connection.sendall(b"x" * 99), False, "what answers does not speak OpenWire"),
        ("stomp", broker, False, "what answers speaks OpenWire, not STOMP"),
        ("tcp", lambda connection: connection.sendall(CONNECTED), False, "what answers speaks STOMP, not OpenWire"),
        ("mqtt", lambda connection: connection.sendall(b"HTTP/1.1 400 x"), False, "what answers speaks HTTP, not MQTT"),
        (
            "amqp",
            lambda connection: connection.sendall(b"\x15\x03\x03\0\2\2\x28"),
            False,
            "what answers speaks TLS, not",
        ),
        (
            "ws",
            lambda connection: connection.sendall(b"HTTP/1.1 404 no\r\n\r\n"),
            False,
            "it answers the upgrade with HTTP",
        ),
        ("ws", lambda connection: connection.sendall(b"HTTP/1.1 101"), False, "closed without a greeting"),
    ],
)
def test_only_a_greeting_means_active(serve, scheme, handler, active, reason):
    started = time.monotonic()

    seen = probe(f"{scheme}://{serve(handler)}", timeout=0.5)

    assert seen.active is active
    assert reason in seen.reason
    assert time.monotonic() - started < 2


def test_what_is_lost_in_a_reset_is_heard_on_another_connection(serve):
    heard = []

    def reset(connection):
        if not heard:
            heard.append(connection.recv(4096))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            connection.sendall(GREETING)
            heard.append(connection.recv(4096))

    seen = look(f"stomp://{serve(reset)}", settings=Settings(credentials=USER))

    assert (seen.active, seen.reason) == (False, "what answers speaks OpenWire, not STOMP")
    assert heard[0].startswith(b"CONNECT\n")
    assert heard[1:] in ([], [b""]), "nothing is said there"


def test_who_refuses_is_not_active():
    port = free_port()

    seen = look(f"tcp://127.0.0.1:{port}")

    assert (seen.active, seen.reason) == (False, f"127.0.0.1:{port} refuses the connection")
    assert names(seen) == [("resolve", True), ("connect", False)]
    assert seen.problems == []


def test_each_step_is_told_with_its_time(serve):
    seen = look(f"stomp://{serve(stomp)}", settings=Settings(credentials=USER))

    assert names(seen) == [("resolve", True), ("connect", True), ("greeting", True)]
    assert all(0 <= step.ms < 5000 for step in seen.steps)
    assert (seen.active, seen.authenticated, seen.product, seen.version) == (True, True, "ActiveMQ", "5.18.3")
    assert (seen.protocol, seen.host, seen.addresses, seen.address, seen.tls) == (
        "stomp",
        "127.0.0.1",
        ["127.0.0.1"],
        "127.0.0.1",
        None,
    )
    assert seen.as_dict()["steps"][0]["name"] == "resolve"


def test_refused_credentials_are_a_problem(serve):
    def refuse(connection):
        connection.recv(4096)
        connection.sendall(b"ERROR\nmessage:User name [shop] or password is invalid.\n\n\0")

    seen = look(f"stomp://{serve(refuse)}", settings=Settings(credentials=USER))

    assert (seen.active, seen.authenticated, codes(seen)) == (True, False, ["credentials_refused"])


def test_what_a_broker_complains_about_is_a_problem(serve):
    def complain(connection):
        connection.recv(4096)
        connection.sendall(b"\x20\x02\x00\x03")

    seen = look(f"mqtt://{serve(complain)}")

    assert (seen.active, seen.reason) == (True, "a broker answers: CONNACK has the code 3")
    assert seen.problems == [Problem("broker_error", "CONNACK has the code 3")]


def test_the_addresses_are_tried_in_their_order(serve):
    port = int(serve(broker).rpartition(":")[2])
    tried = []

    def connect(address, port, timeout):
        tried.append((address, round(timeout)))
        if address == "192.0.2.1":
            raise TimeoutError
        return socket.create_connection((address, port), timeout)

    settings = Settings(
        9.0, connect=connect, resolve=lambda host, port: ["192.0.2.1", "192.0.2.1", "127.0.0.1", "192.0.2.3"]
    )
    seen = look(f"tcp://broker.example:{port}", settings=settings)

    # A third for the first one, and half of the rest for the second one.
    assert tried == [("192.0.2.1", 3), ("127.0.0.1", 4)]
    assert (seen.active, seen.address) == (True, "127.0.0.1")


@pytest.mark.parametrize(
    ("error", "active", "code"),
    [
        (OSError(errno.EHOSTUNREACH, "No route to host"), False, []),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), None, ["cannot_connect"]),
        (TimeoutError(), False, []),
    ],
)
def test_what_keeps_this_host_from_trying_tells_nothing(error, active, code):
    def connect(address, port, timeout):
        raise error

    seen = look("tcp://[::1]:61616", settings=Settings(connect=connect))

    assert (seen.active, codes(seen)) == (active, code)
    assert seen.reason.startswith("[::1]:61616 ")


def test_a_name_that_does_not_resolve_is_not_known():
    def resolve(host, port):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    seen = look("tcp://broker.example:61616", settings=Settings(resolve=resolve))

    assert (seen.active, codes(seen)) == (None, ["name_does_not_resolve"])
    assert seen.reason == "the name broker.example does not resolve: Name or service not known"


def test_a_resolver_that_does_not_answer_takes_half_of_the_time():
    never = threading.Event()
    started = time.monotonic()

    seen = look("tcp://broker.example:61616", settings=Settings(0.4, resolve=lambda host, port: never.wait(10) or []))

    assert time.monotonic() - started < 2
    assert (seen.active, seen.reason) == (None, "the name broker.example does not resolve within 0.2 s")
    never.set()


def test_a_url_that_is_none():
    with pytest.raises(FailoverUrlError, match="has no port"):
        look("tcp://broker.example")
    with pytest.raises(FailoverUrlError, match="unknown scheme"):
        probe("https://broker.example:8162")


# -- TLS


def secured(serve, authority, *for_names, handler=stomp, scheme="stomp+ssl", host="127.0.0.1", server=None, **options):
    """Look at a broker behind TLS, trusting the authority. Returns the report."""
    context = server or authority.server(*for_names, **options)
    port = serve(over(context, handler)).rpartition(":")[2]
    settings = Settings(credentials=USER, resolve=lambda name, port: ["127.0.0.1"])
    return look(f"{scheme}://{host}:{port}", trust(str(authority.ca_file)), settings)


def test_a_certificate_that_verifies(serve, authority):
    seen = secured(serve, authority, "broker.example", host="broker.example")

    assert (seen.active, seen.authenticated, seen.problems) == (True, True, [])
    assert names(seen)[2] == ("tls", True)
    assert seen.tls["verified"] is True
    assert seen.tls["version"] == "TLSv1.3"
    assert seen.tls["names"] == ["broker.example"]
    assert seen.tls["subject"] == "C=DE,CN=brücke"
    assert seen.tls["issuer"] == "CN=test CA"
    assert seen.tls["days_left"] in (88, 89, 90)
    assert seen.tls["not_after"].endswith("T00:00:00Z")


def test_openwire_behind_tls(serve, authority):
    seen = secured(serve, authority, "127.0.0.1", handler=broker, scheme="ssl")

    assert (seen.active, seen.authenticated) == (True, None)


@pytest.mark.parametrize(
    ("for_names", "options", "code", "words"),
    [
        (["127.0.0.1"], {"days": (-9, -3)}, "certificate_expired", "it has expired"),
        (["127.0.0.1"], {"days": (3, 9)}, "certificate_not_yet_valid", "it is not yet valid"),
        (["broker.example"], {}, "certificate_name_mismatch", "it is not for 127.0.0.1 but for broker.example"),
        (["127.0.0.1"], {"self_signed": True}, "certificate_self_signed", "it is self-signed"),
    ],
)
def test_a_certificate_that_does_not_verify(serve, authority, for_names, options, code, words):
    heard = []

    def listen(connection):
        heard.append(connection.recv(4096))

    seen = secured(serve, authority, *for_names, handler=listen, **options)

    assert (seen.active, seen.authenticated, codes(seen)) == (None, None, [code])
    assert seen.reason == f"the certificate does not verify: {words}"
    assert names(seen)[-1] == ("tls", False)
    assert seen.tls["verified"] is False
    assert seen.tls["names"] == for_names
    if "days" in options:
        assert (seen.tls["days_left"] < 0) is (code == "certificate_expired")
    assert not any(heard), "nothing is said to a server that is not trusted"


def test_an_issuer_that_is_not_trusted(serve, authority, tmp_path_factory):
    other = type(authority)(tmp_path_factory.mktemp("other"), "other CA")

    seen = secured(serve, authority, server=other.server("127.0.0.1"))

    assert (seen.active, codes(seen)) == (None, ["certificate_unknown_issuer"])
    assert seen.tls["issuer"] == "CN=other CA"


def test_a_certificate_that_expires_soon_is_a_problem(serve, authority):
    seen = secured(serve, authority, "127.0.0.1", days=(-1, 5))

    assert (seen.active, codes(seen)) == (True, ["certificate_expires_soon"])
    assert seen.tls["not_after"] in seen.problems[0].message


def test_a_server_that_shows_its_certificate_only_once(serve, authority):
    context = authority.server("127.0.0.1", days=(-9, -3))
    served = []

    def once(connection):
        served.append(connection)
        if len(served) == 1:
            over(context, wait_for_end)(connection)

    port = serve(once).rpartition(":")[2]
    seen = look(f"ssl://127.0.0.1:{port}", trust(str(authority.ca_file)))

    assert (seen.active, codes(seen), seen.tls) == (None, ["certificate_expired"], None)


@pytest.mark.parametrize(
    ("handler", "active", "reason", "code"),
    [
        (broker, False, "what answers does not speak TLS", ["no_tls"]),
        (lambda connection: None, False, "closed during the TLS handshake", []),
        (wait_for_end, False, "no TLS handshake within 0.5 s", []),
        # An alert: handshake failure.
        (lambda connection: connection.sendall(b"\x15\x03\x03\0\2\2\x28"), None, "TLS fails: ", ["tls_fails"]),
    ],
)
def test_no_tls(serve, authority, handler, active, reason, code):
    def listening(connection):
        connection.recv(4096)
        handler(connection)

    seen = look(f"ssl://{serve(listening)}", trust(str(authority.ca_file)), Settings(0.5))

    assert (seen.active, codes(seen)) == (active, code)
    assert seen.reason.startswith(reason)


def test_a_server_that_asks_for_our_certificate(serve, authority):
    context = authority.server("127.0.0.1")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.ca_file)

    seen = secured(serve, authority, server=context, handler=broker, scheme="ssl")

    assert (seen.active, codes(seen)) == (None, ["tls_fails"])


def test_a_ca_file_that_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        probe("ssl://127.0.0.1:1", "/nonexistent/ca.pem")
    (tmp_path / "ca.pem").write_text("rubbish")
    with pytest.raises(ssl.SSLError):
        look_at_all(["ssl://127.0.0.1:1"], str(tmp_path / "ca.pem"), Settings())


# -- Several


def test_all_are_looked_at_at_once_and_told_in_their_order(serve, authority):
    dead = [f"tcp://{serve(wait_for_end)}" for dummy in range(8)]
    tls = f"ssl://{serve(over(authority.server('127.0.0.1'), broker))}"
    urls = [*dead, f"tcp://{serve(broker)}", tls]
    started = time.monotonic()

    seen = look_at_all(urls, str(authority.ca_file), Settings(1.0))

    assert time.monotonic() - started < 4
    assert [report.endpoint for report in seen] == urls
    assert [report.active for report in seen] == [False] * 8 + [True, True]
    assert [report.tls is None for report in seen] == [True] * 9 + [False]
    assert look_at_all([], None, Settings()) == []


def report(url, active, authenticated=None):
    protocol = {"ssl": "openwire", "stomp+ssl": "stomp"}[url.partition(":")[0]]
    return Report(url, protocol, "h", 1, active=active, authenticated=authenticated, reason=f"seen {active}")


PAIR = [report("ssl://a:1", False), report("ssl://b:1", True), report("stomp+ssl://a:2", True, True)]


def test_one_active_endpoint_of_each_protocol_is_enough():
    assert unmet(PAIR, "one_active") == unmet(PAIR, "nothing") == []
    assert unmet(PAIR, "all_active") == ["ssl://a:1: seen False"]


def test_each_protocol_needs_one_that_can_be_used():
    reports = [*PAIR[:2], report("stomp+ssl://a:2", True, False), report("stomp+ssl://b:2", None)]

    assert unmet(reports, "one_active") == [
        "no STOMP endpoint can be used (stomp+ssl://a:2: seen True; stomp+ssl://b:2: seen None)"
    ]
    assert unmet(reports, "nothing") == []
