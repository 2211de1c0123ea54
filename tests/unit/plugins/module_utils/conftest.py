# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A peer on the loopback interface, which may misbehave, and an authority that gives it certificates."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@pytest.fixture
def serve():
    """A function that serves each connection by ``handler(connection)`` in a thread; returns ``127.0.0.1:PORT``."""
    listeners = []

    def start(handler):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def converse(connection):
            with connection, contextlib.suppress(OSError):
                handler(connection)

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    connection, _address = listener.accept()
                    threading.Thread(target=converse, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return f"127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        listener.close()


class Authority:
    """Issues certificates; ``ca_file`` holds its own."""

    def __init__(self, folder, name="test CA"):
        self.folder = folder
        self.ca_file = folder / "ca.pem"
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.ca_file.write_bytes(
            self._sign(self.name, self.key.public_key(), self.name, self.key, [], (-10, 100), True)
        )

    def server(self, *names, days=(-1, 90), self_signed=False):
        """The context of a server with a certificate for these names and addresses, valid from day to day."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
                x509.NameAttribute(NameOID.COMMON_NAME, "br\u00fccke"),
            ]
        )
        issuer, signer = (subject, key) if self_signed else (self.name, self.key)
        path = self.folder / "server.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(private + self._sign(subject, key.public_key(), issuer, signer, names, days, False))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def der(self, *names, days=(-1, 90)):
        """The certificate of such a server."""
        self.server(*names, days=days)
        certificate = x509.load_pem_x509_certificate((self.folder / "server.pem").read_bytes())
        return certificate.public_bytes(serialization.Encoding.DER)

    @staticmethod
    def _sign(subject, public, issuer, signer, names, days, authority):
        today = datetime.datetime.combine(datetime.date.today(), datetime.time())
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(today + datetime.timedelta(days[0]))
            .not_valid_after(today + datetime.timedelta(days[1]))
            .add_extension(x509.BasicConstraints(authority, None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), False)
        return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _general_name(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@pytest.fixture
def authority(tmp_path):
    """An authority in a folder of its own."""
    return Authority(tmp_path)
