# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""What a server's certificate says, and why one does not verify.

Python tells the parts of a certificate only when it verifies (ssl.SSLSocket.getpeercert), and people want to know them
most when it does not. So the few parts that a client looks at are read here from DER (X.690; RFC 5280, section 4.1).
Nothing is verified here: that is OpenSSL's part.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import shown

#: Of a certificate with thousands of names so many are told.
MAX_NAMES = 100

_OID, _SEQUENCE, _SET = 0x06, 0x30, 0x31
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_VERSION, _EXTENSIONS = 0xA0, 0xA3
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87
_BMP_STRING = 0x1E
_SUBJECT_ALT_NAME = bytes.fromhex("551d11")
_ATTRIBUTES = {
    bytes.fromhex("550403"): "CN",
    bytes.fromhex("550406"): "C",
    bytes.fromhex("550407"): "L",
    bytes.fromhex("550408"): "ST",
    bytes.fromhex("55040a"): "O",
    bytes.fromhex("55040b"): "OU",
    bytes.fromhex("0992268993f22c640119"): "DC",
}

# X509_V_ERR_* of OpenSSL's include/openssl/x509_vfy.h.
_REASONS = {
    9: "certificate_not_yet_valid",
    10: "certificate_expired",
    18: "certificate_self_signed",
    2: "certificate_unknown_issuer",
    19: "certificate_unknown_issuer",
    20: "certificate_unknown_issuer",
    21: "certificate_unknown_issuer",
    62: "certificate_name_mismatch",
    64: "certificate_name_mismatch",
}


class CertificateError(Exception):
    """What is no certificate."""


class Certificate(NamedTuple):
    """Subject and issuer as in ``CN=broker,O=Example``; the DNS names and addresses it is for; its time, in UTC."""

    subject: str
    issuer: str
    names: list[str]
    not_before: datetime
    not_after: datetime

    def days_left(self, now: datetime) -> int:
        """Whole days until it expires; negative when it has."""
        return (self.not_after - now) // timedelta(days=1)


class _Item(NamedTuple):
    tag: int
    content: bytes


def read(der: bytes) -> Certificate:
    """The parts of an X.509 certificate. Raises CertificateError."""
    try:
        certificate = _only(der, _SEQUENCE)
        parts = list(_items(_content(next(_items(certificate)), _SEQUENCE)))
        if parts[0].tag == _VERSION:
            del parts[0]
        dummy_serial, dummy_algorithm, issuer, validity, subject = parts[:5]
        not_before, not_after = (_time(item) for item in _items(_content(validity, _SEQUENCE)))
        extensions = next((item.content for item in parts[5:] if item.tag == _EXTENSIONS), b"")
        return Certificate(_name(subject), _name(issuer), _names(extensions), not_before, not_after)
    except (ValueError, IndexError, StopIteration, RuntimeError, OverflowError) as exc:
        raise CertificateError("the certificate cannot be read") from exc


def problem_of(error: ssl.SSLCertVerificationError) -> str:
    """The code of the problem that a verification ended with."""
    return _REASONS.get(error.verify_code, "certificate_invalid")


def _items(data: bytes) -> Iterator[_Item]:
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            octets = length & 0x7F
            if not 1 <= octets <= 4:
                raise ValueError
            length = int.from_bytes(data[at : at + octets], "big")
            at += octets
        if at + length > len(data):
            raise ValueError
        yield _Item(tag, data[at : at + length])
        at += length


def _content(item: _Item, tag: int) -> bytes:
    if item.tag != tag:
        raise ValueError
    return item.content


def _only(data: bytes, tag: int) -> bytes:
    (item,) = _items(data)
    return _content(item, tag)


def _time(item: _Item) -> datetime:
    text = item.content.decode("ascii")
    if item.tag == _UTC_TIME:
        # RFC 5280, section 4.1.2.5.1: 50 to 99 are of the last century.
        text = ("19" if text[:2] >= "50" else "20") + text
    elif item.tag != _GENERALIZED_TIME:
        raise ValueError
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc)


def _name(item: _Item) -> str:
    parts = []
    for group in _items(_content(item, _SEQUENCE)):
        for attribute in _items(_content(group, _SET)):
            kind, value = _items(_content(attribute, _SEQUENCE))
            label = _ATTRIBUTES.get(_content(kind, _OID))
            if label is not None:
                text = value.content.decode("utf-16-be" if value.tag == _BMP_STRING else "utf-8", "replace")
                parts.append(f"{label}={text}")
    return shown(",".join(parts))


def _names(extensions: bytes) -> list[str]:
    if not extensions:
        return []
    for extension in _items(_only(extensions, _SEQUENCE)):
        parts = list(_items(_content(extension, _SEQUENCE)))
        if parts[0].content == _SUBJECT_ALT_NAME:
            entries = _items(_only(parts[-1].content, _SEQUENCE))
            named = [_general_name(item) for item in entries]
            return [name for name in named if name is not None][:MAX_NAMES]
    return []


def _general_name(item: _Item) -> str | None:
    if item.tag == _DNS_NAME:
        return shown(item.content.decode("ascii", "replace"))
    if item.tag == _IP_ADDRESS and len(item.content) in (4, 16):
        return str(ipaddress.ip_address(item.content))
    return None
