# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading certificates that an independent library made, and rubbish."""

from __future__ import annotations

import datetime
import ssl

import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._certificate import (
    MAX_NAMES,
    CertificateError,
    problem_of,
    read,
)


def test_what_a_certificate_says(authority):
    der = authority.der("b-1.mq.example", "*.mq.example", "10.0.0.1", "fe80::1", days=(-1, 12000))
    known = x509.load_der_x509_certificate(der)

    seen = read(der)

    assert seen.subject == "C=DE,CN=brücke"
    assert seen.issuer == "CN=test CA"
    assert seen.names == ["b-1.mq.example", "*.mq.example", "10.0.0.1", "fe80::1"]
    # After 2049 a time is written with four digits of the year.
    assert seen.not_after.year > 2049
    assert seen.not_before.replace(tzinfo=None) == known.not_valid_before_utc.replace(tzinfo=None)
    assert seen.not_after.replace(tzinfo=None) == known.not_valid_after_utc.replace(tzinfo=None)


def test_the_days_that_are_left(authority):
    seen = read(authority.der("a.example"))
    hour = datetime.timedelta(hours=1)

    assert seen.days_left(seen.not_after - 49 * hour) == 2
    assert seen.days_left(seen.not_after - hour) == 0
    assert seen.days_left(seen.not_after + hour) == -1


def test_a_certificate_without_names_and_one_with_many(authority):
    assert read(authority.der()).names == []
    assert len(read(authority.der(*(f"n{number}.example" for number in range(500)))).names) == MAX_NAMES


@given(data=st.binary(max_size=200))
def test_rubbish_is_no_certificate(data):
    with pytest.raises(CertificateError):
        read(data)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(place=st.integers(min_value=0), byte=st.integers(0, 255), end=st.integers(1, 10000))
def test_a_damaged_certificate_is_read_or_refused(authority, place, byte, end):
    if not hasattr(authority, "sample"):
        authority.sample = authority.der("a.example", "10.0.0.1")
    damaged = bytearray(authority.sample)
    damaged[place % len(damaged)] = byte
    try:
        seen = read(bytes(damaged[:end]))
    except CertificateError:
        return
    assert seen.subject.isprintable()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (10, "certificate_expired"),
        (18, "certificate_self_signed"),
        (19, "certificate_unknown_issuer"),
        (64, "certificate_name_mismatch"),
        (23, "certificate_invalid"),
    ],
)
def test_the_problem_behind_a_failed_verification(code, expected):
    error = ssl.SSLCertVerificationError()
    error.verify_code = code

    assert problem_of(error) == expected
