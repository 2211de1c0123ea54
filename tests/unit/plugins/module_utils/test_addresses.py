# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses as brokers write them, and the hosts that have them."""

from __future__ import annotations

import threading
import time

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._addresses import Places, host_and_port, parse_address


@pytest.mark.parametrize(
    ("remote", "expected"),
    [
        ("tcp://10.99.0.21:53506", ("10.99.0.21", 53506)),
        ("ssl://app1.example/10.99.0.21:53506", ("10.99.0.21", 53506)),
        ("tcp://0:0:0:0:0:0:0:1:5555", ("::1", 5555)),
        ("tcp://[fe80:0:0:0:0:0:0:1%eth0]:5555", ("fe80::1", 5555)),
        ("tcp://[::ffff:10.0.0.1]:5555", ("10.0.0.1", 5555)),
        ("vm://onprem#1", (None, None)),
        ("tcp://10.99.0.21", (None, None)),
        ("tcp://10.99.0.21:", (None, None)),
        ("tcp://10.99.0.21:٣", (None, None)),
        ("tcp://10.99.0.21:999999999", (None, None)),
        ("", (None, None)),
    ],
)
def test_a_remote_address_is_read(remote, expected):
    assert host_and_port(remote) == expected


def test_what_is_no_address_is_none():
    assert parse_address("app1.example") is None


def test_the_narrowest_place_wins_and_then_the_first():
    places = Places({"cluster": ["10.2.0.0/16"], "pod": ["10.2.0.7"], "twin": ["10.2.0.7"], "six": ["2001:db8::/32"]})

    assert places.find("10.2.0.7") == "pod"
    assert places.find("10.2.0.8") == "cluster"
    assert places.find("2001:db8::7") == "six"
    assert places.find("10.3.0.1") is None
    assert places.find("nonsense") is None


def test_names_are_resolved_and_those_that_cannot_be_are_named():
    known = {"app1.example": ["10.0.0.1", "fe80::1%eth0"]}
    places = Places({"app1": ["app1.example"], "app2": ["gone.example"]}, resolve=lambda name: known.get(name, []))

    assert places.find("10.0.0.1") == "app1"
    assert places.find("fe80::1") == "app1"
    assert places.unresolved == ["gone.example"]


def test_the_resolver_of_the_system():
    places = Places({"here": ["localhost"], "nowhere": ["a" * 300]})

    assert places.find("127.0.0.1") == "here"
    assert places.unresolved == ["a" * 300]


def test_a_resolver_that_does_not_answer_costs_no_more_than_the_time_limit():
    never = threading.Event()
    began = time.monotonic()
    places = Places({"app1": ["10.0.0.1", "slow.example"]}, timeout=0.2, resolve=lambda name: [str(never.wait(30))])

    assert time.monotonic() - began < 5
    assert places.unresolved == ["slow.example"]
    assert places.find("10.0.0.1") == "app1"
    never.set()
