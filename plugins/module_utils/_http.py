# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""HTTP for the views: the only engine file that imports Ansible.

Redirects are refused (credentials would follow them), TLS is verified unless the user said otherwise, and both the
size of an answer and the time of a whole exchange are bounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from http.client import BadStatusLine, HTTPException, RemoteDisconnected
from typing import Any, NamedTuple, Protocol
from urllib.error import HTTPError

from ansible.module_utils.urls import open_url

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._bounded import OutOfTimeError, within

MAX_ANSWER_BYTES = 32 * 1024 * 1024
# Of a broker with 50 000 queues the console view's pages have less than half as many, Jolokia's answer as well.
MAX_MARKS = 2_000_000
_PIECE = 64 * 1024


class HttpError(Exception):
    """No usable answer. ``transient`` when trying again later makes sense."""

    def __init__(self, message: str, transient: bool) -> None:
        super().__init__(message)
        self.transient = transient


class Answer(NamedTuple):
    status: int
    body: bytes


class Http(Protocol):
    """What a view needs of HTTP."""

    def get(self, url: str, timeout: float) -> Answer:
        """GET, else as post."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> Answer:
        """POST within ``timeout`` seconds in all; any HTTP status is an answer. Raises HttpError."""


class OpenUrlHttp:
    """Http by ansible.module_utils.urls, with basic authentication when there is a user name."""

    def __init__(self, username: str | None, password: str | None, ca_file: str | None, validate_certs: bool) -> None:
        self._ca_file = ca_file
        self._options: dict[str, Any] = {
            "url_username": username,
            "url_password": password,
            "force_basic_auth": username is not None,
            "ca_path": ca_file,
            "validate_certs": validate_certs,
        }

    def get(self, url: str, timeout: float) -> Answer:
        return self._within(url, None, {}, timeout)

    def post(self, url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> Answer:
        return self._within(url, body, headers, timeout)

    def _within(self, url: str, body: bytes | None, headers: Mapping[str, str], timeout: float) -> Answer:
        if self._ca_file is not None:
            try:
                with open(self._ca_file, "rb"):
                    pass
            except OSError as exc:
                raise HttpError(f"ca_file {self._ca_file}: {exc.strerror}", transient=False) from exc
        # A socket's time limit is per read, so a peer that drips bytes outlives it.
        try:
            return within(timeout, lambda: self._exchange(url, body, headers, timeout))
        except OutOfTimeError as exc:
            raise HttpError(f"no answer within {timeout:g} s", transient=True) from exc
        except HttpError:
            raise
        except RemoteDisconnected as exc:
            raise HttpError(_reason(exc), transient=True) from exc
        except BadStatusLine as exc:
            raise HttpError("the answer is not HTTP", transient=False) from exc
        except (OSError, HTTPException) as exc:
            raise HttpError(_reason(exc), transient=not _is_tls(exc)) from exc
        except Exception as exc:
            raise HttpError(_reason(exc), transient=False) from exc

    def _exchange(self, url: str, body: bytes | None, headers: Mapping[str, str], timeout: float) -> Answer:
        try:
            response = open_url(
                url,
                data=body,
                headers=dict(headers),
                method="GET" if body is None else "POST",
                timeout=timeout,
                follow_redirects="none",
                decompress=False,
                **self._options,
            )
            status = int(response.status)
        except HTTPError as exc:
            response, status = exc, exc.code
        with response:
            return Answer(status, _bounded(response))


def check_status(status: int) -> None:
    """Raises HttpError for whatever is not the answer."""
    if status == 200:
        return
    if status == 401:
        raise HttpError("the credentials are refused (HTTP 401)", transient=False)
    if status == 403:
        raise HttpError("access is forbidden (HTTP 403)", transient=False)
    if 300 <= status < 400:
        raise HttpError(f"a redirect is refused (HTTP {status}); give the final URL", transient=False)
    # 503: the console's web application did not start, or not yet.
    raise HttpError(f"unexpected HTTP status {status}", transient=status >= 500)


def check_marks(body: bytes, marks: bytes) -> None:
    """Raises HttpError when parsing the body would take much more memory and time than its size tells.

    ``marks`` are the bytes without which a document cannot have many parts, e.g. those that begin or separate them.
    """
    if sum(body.count(mark) for mark in marks) > MAX_MARKS:
        raise HttpError(f"the answer has more than {MAX_MARKS} parts", transient=False)


def _bounded(response: Any) -> bytes:
    """The whole body. In pieces: asked for the most that is allowed, Python would set so much memory aside."""
    pieces: list[bytes] = []
    size = 0
    while size <= MAX_ANSWER_BYTES:
        piece = response.read(_PIECE)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
        size += len(piece)
    raise HttpError(f"the answer is larger than {MAX_ANSWER_BYTES} bytes", transient=False)


def _reason(exc: BaseException) -> str:
    inner = getattr(exc, "reason", None)
    return str(inner if inner is not None else exc) or type(exc).__name__


def _is_tls(exc: BaseException) -> bool:
    text = _reason(exc)
    return "CERTIFICATE_VERIFY_FAILED" in text or "WRONG_VERSION_NUMBER" in text
