# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Java splits a URL. That Java agrees is seen in tests/integration/test_failover_urls.py."""

from __future__ import annotations

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._java_uri import (
    Pair,
    UriError,
    closing_parenthesis,
    split_components,
    split_query,
    split_uri,
)


@pytest.mark.parametrize(
    ("text", "host", "port", "path", "query"),
    [
        ("tcp://a.example.com:61616", "a.example.com", 61616, "", None),
        ("ssl://u@[::1]:1/x?b=c", "[::1]", 1, "/x", "b=c"),
        ("tcp://a", "a", -1, "", None),
        ("tcp://my_host:1", None, -1, "", None),
        ("tcp://300.1.1.1:1", None, -1, "", None),
        ("tcp:/a", None, -1, "/a", None),
    ],
)
def test_a_hierarchical_uri(text: str, host: str | None, port: int, path: str, query: str | None) -> None:
    uri = split_uri(text)
    assert (uri.opaque, uri.host, uri.port, uri.path, uri.query) == (False, host, port, path, query)


def test_an_opaque_uri_is_not_split_any_further() -> None:
    uri = split_uri("failover:(tcp://a:1)?x=y#z")
    assert (uri.scheme, uri.opaque, uri.ssp, uri.start, uri.query) == ("failover", True, "(tcp://a:1)?x=y", 9, None)


@pytest.mark.parametrize(
    ("text", "code", "position"),
    [
        ("tcp://a b", "white_space", 7),
        ("tcp://a/${b}", "placeholder", 9),
        ("tcp://a/{b}", "placeholder", 8),
        ("tcp://a/%zz", "bad_escape", 8),
        ("1tcp://a", "illegal_character", 0),
        ("failover:", "empty", 9),
        ("tcp://", "no_host", 6),
    ],
)
def test_what_java_does_not_take(text: str, code: str, position: int) -> None:
    with pytest.raises(UriError) as caught:
        split_uri(text)
    assert (caught.value.code, caught.value.position) == (code, position)


def test_components_are_split_at_the_commas_outside_parentheses() -> None:
    assert list(split_components("a,(b,c),", 10)) == [("a", 10), ("(b,c)", 12)]
    assert closing_parenthesis("(a(b))c") == 5
    assert closing_parenthesis("(a") == -1


def test_a_query_is_decoded_as_often_as_the_client_does() -> None:
    assert split_query("a=1%2B2&b&c=", 5) == [Pair("a", "1+2", 5), Pair("b", None, 13), Pair("c", "", 15)]
    assert split_query("a=%2526&b=+", 0, twice=True)[0] == Pair("a", "&", 0)
    assert split_query("a=b&&", 0) == [Pair("a", "b", 0)]
    with pytest.raises(ValueError, match="bad escape"):
        split_query("a=%zz", 0)
