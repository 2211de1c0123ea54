# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP with bounds; open_url is replaced, no network is used."""

from __future__ import annotations

import io
import threading
from http.client import BadStatusLine, RemoteDisconnected
from urllib.error import HTTPError, URLError

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _http
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._http import Answer, HttpError, OpenUrlHttp

URL = "http://broker.example/api/jolokia"


class Response(io.BytesIO):
    status = 200


@pytest.fixture
def opened(monkeypatch):
    """Replace open_url by a function that is set as ``answer``, and note how it is called."""

    class Opened:
        answer = staticmethod(lambda: Response(b"{}"))

    def open_url(url, **options):
        Opened.options = {"url": url, **options}
        return Opened.answer()

    monkeypatch.setattr(_http, "open_url", open_url)
    return Opened


def post(timeout=5.0, ca_file=__file__):
    return OpenUrlHttp("admin", "secret", ca_file, True).post(URL, b"[]", {"Origin": "x"}, timeout)


def raising(exc):
    def answer():
        raise exc

    return answer


def test_an_answer(opened):
    assert post() == Answer(200, b"{}")
    assert opened.options["method"] == "POST"
    assert opened.options["follow_redirects"] == "none"
    assert opened.options["validate_certs"] is True
    assert opened.options["ca_path"] == __file__
    assert opened.options["force_basic_auth"] is True


def test_get_sends_no_body(opened):
    assert OpenUrlHttp("admin", "secret", None, True).get(URL, 5.0) == Answer(200, b"{}")
    assert (opened.options["method"], opened.options["data"]) == ("GET", None)


def test_no_user_name_means_no_credentials(opened):
    OpenUrlHttp(None, None, None, True).post(URL, b"[]", {}, 5.0)

    assert opened.options["force_basic_auth"] is False


def test_an_http_error_is_an_answer(opened):
    opened.answer = staticmethod(raising(HTTPError(URL, 401, "no", {}, io.BytesIO(b"<html>"))))

    assert post() == Answer(401, b"<html>")


@pytest.mark.parametrize(
    ("exc", "message", "transient"),
    [
        (URLError(ConnectionRefusedError(111, "Connection refused")), "Connection refused", True),
        (URLError("[SSL: CERTIFICATE_VERIFY_FAILED] unable to get local issuer"), "CERTIFICATE_VERIFY_FAILED", False),
        (BadStatusLine("\x00ActiveMQ"), "the answer is not HTTP", False),
        (RemoteDisconnected("closed"), "closed", True),
        (TimeoutError("timed out"), "timed out", True),
        (ValueError("odd"), "odd", False),
    ],
)
def test_failures(opened, exc, message, transient):
    opened.answer = staticmethod(raising(exc))

    with pytest.raises(HttpError, match=message) as caught:
        post()

    assert caught.value.transient is transient


def test_an_endless_answer_is_cut(opened, monkeypatch):
    monkeypatch.setattr(_http, "MAX_ANSWER_BYTES", 10)
    opened.answer = staticmethod(lambda: Response(b"x" * 11))

    with pytest.raises(HttpError, match="larger than 10 bytes"):
        post()


def test_only_as_much_is_asked_for_at_once_as_is_needed(opened):
    asked = []

    class Recording(Response):
        def read(self, size=-1):
            asked.append(size)
            return super().read(size)

    opened.answer = staticmethod(lambda: Recording(b"x" * 200_000))

    assert len(post().body) == 200_000
    assert max(asked) <= 64 * 1024


def test_a_peer_that_never_ends_is_given_up(opened):
    release = threading.Event()
    opened.answer = staticmethod(lambda: (release.wait(30), Response(b"{}"))[1])

    with pytest.raises(HttpError, match=r"no answer within 0\.05 s") as caught:
        post(timeout=0.05)

    release.set()
    assert caught.value.transient


def test_a_ca_file_that_cannot_be_read(opened):
    with pytest.raises(HttpError, match=r"ca_file /nonexistent/ca\.pem: No such file") as caught:
        post(ca_file="/nonexistent/ca.pem")

    assert not caught.value.transient
