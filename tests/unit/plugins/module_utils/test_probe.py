# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probe of an OpenWire endpoint; sockets are replaced by scripts."""

from __future__ import annotations

import socket
import ssl

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _probe
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._probe import Probe, probe

# The beginning of what ActiveMQ 5.16.6 sends.
GREETING = b"\x00\x00\x01R\x01ActiveMQ\x00\x00\x00\x0c"


class FakeSocket:
    """Hands out chunks, then what ``end`` is: the end of the stream, or an exception."""

    def __init__(self, *chunks, end=b""):
        self.chunks = list(chunks)
        self.end = end
        self.closed = False

    def __enter__(self):
        return self

    def __exit__(self, *_args):
        self.closed = True

    def settimeout(self, seconds):
        assert 0 < seconds <= 5

    def recv(self, size):
        if not self.chunks:
            if isinstance(self.end, Exception):
                raise self.end
            return self.end
        chunk = self.chunks.pop(0)
        self.chunks[:0] = [chunk[size:]] if chunk[size:] else []
        return chunk[:size]


def connecting(result):
    def connect(host, port, timeout):
        assert (host, port, timeout) == ("broker.example", 61616, 5.0)
        if isinstance(result, Exception):
            raise result
        return result

    return connect


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        (FakeSocket(GREETING), Probe(True, "a broker answers")),
        (FakeSocket(*[bytes([b]) for b in GREETING]), Probe(True, "a broker answers")),
        (FakeSocket(b"HTTP/1.1 400 Bad Request"), Probe(False, "what answers is not an OpenWire broker")),
        (FakeSocket(b"\x00\x00"), Probe(False, "closed without a greeting")),
        (FakeSocket(b"\x00", end=TimeoutError()), Probe(False, "no answer within 5 s")),
        (FakeSocket(end=ConnectionResetError("reset")), Probe(False, "reset")),
        (ConnectionRefusedError("refused"), Probe(False, "refused")),
        (TimeoutError("timed out"), Probe(False, "no answer within 5 s")),
    ],
)
def test_only_a_greeting_means_active(peer, expected):
    assert probe("tcp://broker.example:61616", connect=connecting(peer)) == expected
    assert not isinstance(peer, FakeSocket) or peer.closed


def test_a_name_that_does_not_resolve_is_not_known():
    seen = probe("tcp://broker.example:61616", connect=connecting(socket.gaierror("unknown")))

    assert seen.active is None
    assert "resolve" in seen.reason


def test_the_whole_probe_is_bounded(monkeypatch):
    times = iter([0.0, 1.0, 6.0])
    monkeypatch.setattr(_probe.time, "monotonic", lambda: next(times))

    assert probe("tcp://broker.example:61616", connect=connecting(FakeSocket(b"\x00", GREETING))).active is False


class FakeContext:
    def __init__(self, result):
        self.result = result

    def wrap_socket(self, _raw, server_hostname):
        assert server_hostname == "broker.example"
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


def over_tls(monkeypatch, result):
    monkeypatch.setattr(_probe.ssl, "create_default_context", lambda cafile: FakeContext(result))
    return probe("ssl://broker.example:61616", "/ca.pem", connect=connecting(FakeSocket()))


def test_the_greeting_comes_through_tls(monkeypatch):
    assert over_tls(monkeypatch, FakeSocket(GREETING)).active is True


def test_a_certificate_that_does_not_verify_is_not_known(monkeypatch):
    error = ssl.SSLCertVerificationError("bad")
    error.verify_message = "unable to get local issuer certificate"

    assert over_tls(monkeypatch, error) == Probe(
        None, "the certificate does not verify: unable to get local issuer certificate"
    )


def test_no_tls_is_not_active(monkeypatch):
    assert over_tls(monkeypatch, ssl.SSLError("wrong version number")).active is False


def test_a_ca_file_that_cannot_be_read_is_an_error():
    with pytest.raises(OSError, match="No such file"):
        probe("ssl://broker.example:61616", "/nonexistent/ca.pem", connect=connecting(FakeSocket()))
