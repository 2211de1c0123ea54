# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""Whether a broker is alive behind an endpoint, step by step: its name, TCP, TLS, and the greeting of its protocol.

A TCP connection proves nothing (a load balancer accepts for a standby), so only a broker's own greeting does. An
instance that is on standby refuses the connection or leaves it unanswered; both mean that it is not active.
Credentials are sent only behind a certificate that verifies, or where the endpoint's own scheme has no TLS.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, NamedTuple

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._bounded import OutOfTimeError, within
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._certificate import CertificateError, problem_of, read
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url import SCHEMES, Endpoint, parse_endpoint
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._greetings import (
    ANSWERS,
    NAMES,
    ClosedError,
    Credentials,
    Greeting,
    Link,
    UnexpectedError,
    greet,
    spoken,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import shown

Connect = Callable[[str, int, float], socket.socket]
Resolve = Callable[[str, int], Sequence[str]]

#: Of a name with more addresses so many are tried.
MAX_ADDRESSES = 8
#: So many endpoints are looked at at once.
MAX_AT_ONCE = 64
_LISTEN_SECONDS = 0.5

# Until Python 3.9 a socket's time-out is another exception.
_TIMEOUTS = (TimeoutError, socket.timeout)
# What keeps this host from trying, and says nothing about the other one.
_OWN_ERRORS = frozenset(
    {errno.ENETUNREACH, errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE}
)
# OpenSSL's words for a peer whose bytes are not TLS.
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "UNEXPECTED_MESSAGE"})
_CERTIFICATE_WORDS = {
    "certificate_expired": "it has expired",
    "certificate_not_yet_valid": "it is not yet valid",
    "certificate_self_signed": "it is self-signed",
    "certificate_unknown_issuer": "its issuer is not trusted",
    "certificate_name_mismatch": "it is for another name",
}


def _open(address: str, port: int, timeout: float) -> socket.socket:
    return socket.create_connection((address, port), timeout=timeout)


def _addresses(host: str, port: int) -> list[str]:
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class Probe(NamedTuple):
    """``active`` is None when the probe cannot know, for example because the certificate does not verify."""

    active: bool | None
    reason: str


class Problem(NamedTuple):
    """What somebody has to mend. That an instance is on standby is no problem."""

    code: str
    message: str


class Step(NamedTuple):
    """What was done, whether it succeeded, and how many milliseconds it took."""

    name: str
    ok: bool
    ms: float


@dataclass(frozen=True)
class Settings:
    """How to look. ``timeout`` is for one endpoint, all steps together, in seconds."""

    timeout: float = 5.0
    credentials: Credentials | None = None
    certificate_days: int = 14
    """A certificate that expires within so many days is a problem."""
    connect: Connect = _open
    resolve: Resolve = _addresses
    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic


@dataclass
class Report:
    """What was seen of an endpoint.

    ``active``: a broker answers in its protocol (True), none does (False), it cannot be known (None).
    ``authenticated``: whether it takes the credentials; None when none were sent, or it did not get that far.
    ``tls``: version, cipher, and the certificate with ``verified``; None when there was none.
    """

    endpoint: str
    protocol: str
    host: str
    port: int
    addresses: list[str] = field(default_factory=list)
    address: str | None = None
    steps: list[Step] = field(default_factory=list)
    tls: dict[str, Any] | None = None
    active: bool | None = None
    authenticated: bool | None = None
    product: str | None = None
    version: str | None = None
    reason: str = ""
    problems: list[Problem] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The report as plain values, for a module's result."""
        return {
            **vars(self),
            "steps": [step._asdict() for step in self.steps],
            "problems": [problem._asdict() for problem in self.problems],
        }


def probe(endpoint: str, ca_file: str | None = None, timeout: float = 5.0, connect: Connect | None = None) -> Probe:
    """Whether a broker answers, within ``timeout`` seconds. No credentials are sent.

    Raises FailoverUrlError for a URL that is none, and OSError (or ssl.SSLError) for a ``ca_file`` that cannot be read.
    """
    settings = Settings(timeout) if connect is None else Settings(timeout, connect=connect)
    report = look(endpoint, trust(ca_file) if parse_endpoint(endpoint).tls else None, settings)
    return Probe(report.active, report.reason)


def trust(ca_file: str | None) -> ssl.SSLContext:
    """What a server's certificate is verified with. Raises OSError (or ssl.SSLError) for a file that cannot be read."""
    context = ssl.create_default_context(cafile=ca_file)
    # Since 3.13 Python refuses what Java and older Pythons accept: certificates without extensions that RFC 5280 asks
    # for, which authorities of one's own often leave out. Chain, time and name are verified all the same.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def look(endpoint: str, context: ssl.SSLContext | None = None, settings: Settings | None = None) -> Report:
    """Look at one endpoint. ``context`` verifies, see trust(); the system's authorities without one.

    Raises FailoverUrlError for a URL that is none; whatever else happens is in the report.
    """
    target = parse_endpoint(endpoint)
    verifying = (context or trust(None)) if target.tls else None
    return _Look(endpoint, target, verifying, settings or Settings()).report()


def look_at_all(endpoints: Sequence[str], ca_file: str | None, settings: Settings) -> list[Report]:
    """Look at several endpoints at once; the reports are in their order. Raises as probe()."""
    context = trust(ca_file) if any(parse_endpoint(endpoint).tls for endpoint in endpoints) else None
    if not endpoints:
        return []
    with ThreadPoolExecutor(min(len(endpoints), MAX_AT_ONCE)) as pool:
        return list(pool.map(lambda endpoint: look(endpoint, context, settings), endpoints))


def unmet(reports: Sequence[Report], require: str) -> list[str]:
    """What is missing of a requirement, in sentences that name each endpoint and why.

    ``one_active``: of each protocol one endpoint is active and does not refuse the credentials; ``all_active``: each
    does; ``nothing`` is always met.
    """
    if require == "nothing":
        return []
    missing = [report for report in reports if not report.active or report.authenticated is False]
    if require == "all_active":
        return [f"{report.endpoint}: {report.reason}" for report in missing]
    sentences = []
    for protocol in dict.fromkeys(report.protocol for report in reports):
        ours = [report for report in missing if report.protocol == protocol]
        if len(ours) == sum(report.protocol == protocol for report in reports):
            told = "; ".join(f"{report.endpoint}: {report.reason}" for report in ours)
            sentences.append(f"no {NAMES[protocol]} endpoint can be used ({told})")
    return sentences


class _EndError(Exception):
    """A look that ends before a broker greeted."""

    def __init__(self, active: bool | None, reason: str, code: str | None = None) -> None:
        super().__init__(reason)
        self.active = active
        self.reason = reason
        self.code = code


class _Look:
    def __init__(self, endpoint: str, target: Endpoint, context: ssl.SSLContext | None, settings: Settings) -> None:
        self._target = target
        self._context = context
        self._settings = settings
        self._deadline = settings.monotonic() + settings.timeout
        protocol = next(name for name, schemes in SCHEMES.items() if target.scheme in schemes)
        self._report = Report(endpoint, protocol, target.host, target.port)

    def report(self) -> Report:
        report = self._report
        try:
            with self._step("resolve"):
                report.addresses = self._resolve()
            with self._step("connect"):
                stream = self._connect()
            with contextlib.ExitStack() as stack:
                stack.enter_context(stream)
                if self._context is not None:
                    with self._step("tls"):
                        stream = stack.enter_context(self._secure(self._context, stream))
                with self._step("greeting"):
                    greeting = self._greet(stream)
                _farewell(stream)
        except _EndError as end:
            report.active, report.reason = end.active, end.reason
            if end.code is not None:
                self._problem(end.code, end.reason)
            return report
        report.active, report.reason, report.authenticated = True, greeting.reason, greeting.authenticated
        report.product, report.version = greeting.product, greeting.version
        if greeting.authenticated is False:
            self._problem("credentials_refused", "the broker refuses the credentials")
        if greeting.trouble is not None:
            report.reason = f"{ANSWERS}: {greeting.trouble}"
            self._problem("broker_error", greeting.trouble)
        return report

    @contextlib.contextmanager
    def _step(self, name: str) -> Iterator[None]:
        started = self._settings.monotonic()
        ok = False
        try:
            yield
            ok = True
        except _TIMEOUTS as exc:
            raise self._too_late(name) from exc
        finally:
            self._report.steps.append(Step(name, ok, round((self._settings.monotonic() - started) * 1000, 1)))

    def _left(self) -> float:
        left = self._deadline - self._settings.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _too_late(self, step: str) -> _EndError:
        missing = {"tls": "TLS handshake", "greeting": "greeting"}.get(step, "answer")
        return _EndError(False, f"no {missing} within {self._settings.timeout:g} s")

    def _problem(self, code: str, message: str) -> None:
        self._report.problems.append(Problem(code, message))

    def _resolve(self) -> list[str]:
        host, port = self._target.host, self._target.port
        # Looking up a name has no time limit of its own. Half is left for the rest.
        share = self._left() / 2
        try:
            found = within(share, lambda: self._settings.resolve(host, port))
        except OutOfTimeError as exc:
            raise _EndError(
                None, f"the name {host} does not resolve within {round(share, 1):g} s", "name_does_not_resolve"
            ) from exc
        except (OSError, UnicodeError) as exc:
            raise _EndError(None, f"the name {host} does not resolve: {_words(exc)}", "name_does_not_resolve") from exc
        return list(dict.fromkeys(found))[:MAX_ADDRESSES]

    def _connect(self) -> socket.socket:
        """The first address that accepts; each gets an equal share of the time that is left."""
        failures: list[str] = []
        active: bool | None = None
        addresses = self._report.addresses
        for position, address in enumerate(addresses):
            place = f"[{address}]:{self._target.port}" if ":" in address else f"{address}:{self._target.port}"
            share = self._left() / (len(addresses) - position)
            try:
                stream = self._settings.connect(address, self._target.port, share)
            except _TIMEOUTS:
                failures.append(f"{place} does not answer within {round(share, 1):g} s")
            except ConnectionRefusedError:
                failures.append(f"{place} refuses the connection")
            except OSError as exc:
                failures.append(f"{place} cannot be reached: {_words(exc)}")
                if exc.errno in _OWN_ERRORS:
                    continue
            else:
                self._report.address = address
                return stream
            active = False
        raise _EndError(active, "; ".join(failures), "cannot_connect" if active is None else None)

    def _secure(self, context: ssl.SSLContext, stream: socket.socket) -> ssl.SSLSocket:
        stream.settimeout(self._left())
        # A final dot is no part of the name that a certificate has.
        name = self._target.host.rstrip(".")
        try:
            secured = context.wrap_socket(stream, server_hostname=name)
        except ssl.SSLCertVerificationError as exc:
            self._report.tls = self._unverified()
            code = problem_of(exc)
            words = _CERTIFICATE_WORDS.get(code, shown(exc.verify_message))
            if code == "certificate_name_mismatch" and self._report.tls and self._report.tls["names"]:
                words = f"it is not for {name} but for {', '.join(self._report.tls['names'][:3])}"
            raise _EndError(None, f"the certificate does not verify: {words}", code) from exc
        except _TIMEOUTS:
            raise
        except OSError as exc:
            raise _tls_failure(exc) from exc
        self._report.tls = self._told(secured, verified=True)
        left = self._report.tls["days_left"]
        if left is not None and left < self._settings.certificate_days:
            message = f"the certificate expires at {self._report.tls['not_after']}, in {left} days"
            self._problem("certificate_expires_soon", message)
        return secured

    def _told(self, secured: ssl.SSLSocket, verified: bool) -> dict[str, Any]:
        """What can be said of a TLS connection and its certificate."""
        cipher = secured.cipher()
        told: dict[str, Any] = {
            "verified": verified,
            "version": secured.version(),
            "cipher": cipher[0] if cipher else None,
            **dict.fromkeys(("subject", "issuer", "not_before", "not_after", "days_left")),
            "names": [],
        }
        with contextlib.suppress(CertificateError):
            certificate = read(secured.getpeercert(binary_form=True) or b"")
            now = datetime.fromtimestamp(self._settings.now(), timezone.utc)
            told.update(
                subject=certificate.subject,
                issuer=certificate.issuer,
                names=certificate.names,
                not_before=certificate.not_before.strftime("%Y-%m-%dT%H:%M:%SZ"),
                not_after=certificate.not_after.strftime("%Y-%m-%dT%H:%M:%SZ"),
                days_left=certificate.days_left(now),
            )
        return told

    def _unverified(self) -> dict[str, Any] | None:
        """What the certificate says that did not verify, by a second connection.

        Nothing is sent over it, nothing else is read from it, and what it says is marked as unverified. None when it
        cannot be had.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with contextlib.suppress(OSError), self._another(context) as seen:
            if isinstance(seen, ssl.SSLSocket):
                return self._told(seen, verified=False)
        return None

    @contextlib.contextmanager
    def _another(self, context: ssl.SSLContext | None) -> Iterator[socket.socket]:
        """Another connection to the same address. Raises OSError."""
        with self._settings.connect(self._report.address or "", self._target.port, self._left()) as stream:
            stream.settimeout(self._left())
            if context is None:
                yield stream
            else:
                with context.wrap_socket(stream, server_hostname=self._target.host.rstrip(".")) as secured:
                    yield secured

    def _overheard(self) -> bytes:
        """What the peer says by itself.

        A broker that hears another protocol than its own resets the connection, and what it said first can be lost.
        """
        with contextlib.suppress(OSError), self._another(self._context) as stream:
            stream.settimeout(min(self._left(), _LISTEN_SECONDS))
            return stream.recv(4096)
        return b""

    def _greet(self, stream: socket.socket) -> Greeting:
        report = self._report
        link = Link(stream, self._left)
        try:
            return greet(report.protocol, link, self._target, self._settings.credentials)
        except UnexpectedError as exc:
            raise self._other(link.seen, str(exc)) from exc
        except (ClosedError, ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError) as exc:
            seen = link.seen or self._overheard()
            if self._is_other(seen):
                raise self._other(seen) from exc
            raise _EndError(False, "closed without a greeting") from exc
        except _TIMEOUTS as exc:
            if self._is_other(link.seen):
                raise self._other(link.seen) from exc
            raise self._too_late("greeting") from exc
        except OSError as exc:
            raise _tls_failure(exc) if isinstance(exc, ssl.SSLError) else _EndError(False, _words(exc)) from exc

    def _is_other(self, seen: bytes) -> bool:
        """Whether it is another protocol. A WebSocket begins as HTTP."""
        own = (None, NAMES[self._report.protocol], "HTTP" if self._report.protocol == "ws" else None)
        return spoken(seen) not in own

    def _other(self, seen: bytes, more: str = "") -> _EndError:
        own = NAMES[self._report.protocol]
        if more:
            return _EndError(False, f"what answers is not a broker that speaks {own}: {more}", "wrong_protocol")
        if self._is_other(seen):
            return _EndError(False, f"what answers speaks {spoken(seen)}, not {own}", "wrong_protocol")
        return _EndError(False, f"what answers does not speak {own}", "wrong_protocol")


def _tls_failure(exc: OSError) -> _EndError:
    if isinstance(exc, (ssl.SSLEOFError, ssl.SSLZeroReturnError)) or not isinstance(exc, ssl.SSLError):
        return _EndError(False, "closed during the TLS handshake")
    if exc.reason in _NO_TLS:
        return _EndError(False, "what answers does not speak TLS", "no_tls")
    # It speaks TLS, but not with us: too old a version, no common cipher, it asks for a client's certificate.
    return _EndError(None, f"TLS fails: {_words(exc)}", "tls_fails")


def _farewell(stream: socket.socket) -> None:
    """End TLS in order, without waiting for the peer: ActiveMQ warns in its log of what just breaks off."""
    if isinstance(stream, ssl.SSLSocket):
        with contextlib.suppress(OSError, ValueError):
            stream.settimeout(0)
            stream.unwrap()


def _words(exc: Exception) -> str:
    reason = getattr(exc, "reason", None) or getattr(exc, "strerror", None) or str(exc)
    return shown(str(reason) or type(exc).__name__)
