# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""Which services survived a failover, and why the others did not. Pure.

Input are the results of modules as they were: ``client_config`` in check mode (what files hold), ``endpoint_probe`` on
each host, ``socket_info`` before, during and after, ``log_info``, and ``broker_failover``. Any of them may be missing:
what was not seen is no defect, it is told as a note.

A reboot may end where it began, so a service that knows one instance only comes back all the same. Hence two kinds of
findings: what is wrong before anything happens (:func:`static_reasons`), and what was seen to go wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover import Event, Period, periods
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url import (
    FailoverUrlError,
    parse,
    parse_endpoint,
    problems,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import shown_text
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._settings import JOURNAL, client_settings

#: A connection counts when it lasted so long, in seconds: a broker that refuses the credentials holds it for two
#: (TransportConnection.delayedStop of ActiveMQ).
LASTING = 3.0
#: A connection that was cut so shortly before its instance ceased to answer was cut by that. Clocks differ a little.
SLACK = 2.0
#: Between what a truststore refuses (at once) and what the credentials do (after two seconds).
REFUSED_AT_ONCE = 1.2
#: An address that is tried is stale when it was tried for so long, or this often.
TRIED = 1.0
#: Why a service does not survive, causes before their effects.
CODES = (
    "wrong_url",
    "only_one_endpoint",
    "stale_dns",
    "unresolved",
    "wrong_truststore",
    "wrong_credentials",
    "not_seen",
    "not_running",
    "not_connected",
    "did_not_reconnect",
    "log_pattern",
)
#: How many lines of a kind the page shows before it only counts them.
MAX_SHOWN = 50
_HIDDEN = "********"
_ADDRESS = re.compile(
    r"(?<![\w.:-])(\[[0-9A-Fa-f:]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?):([0-9]{1,5})(?!\w)"
)
_MAPPING = re.compile(r"\{[^{}]{0,1000}\}")
_HOST_KEY = re.compile(r"\bhost(?:name)?['\"]?: ?['\"]?([^\s,}'\"]+)")
_PORT_KEY = re.compile(r"\bport['\"]?: ?['\"]?([0-9]{1,5})\b")
#: Problems that ``endpoint_probe`` has with a certificate because of what it trusts.
_UNTRUSTED = ("certificate_unknown_issuer", "certificate_self_signed", "certificate_invalid")
#: What keeps a client from an endpoint of its URL.
_FATAL = ("fails_at_creation", "fails_on_start", "retries_for_ever", "skipped")


class Reason(NamedTuple):
    """Why a service does not survive: one of :data:`CODES`, and a sentence."""

    code: str
    message: str


class Span(NamedTuple):
    """A time in which a service was connected to an instance."""

    host: str
    begin: float
    end: float


def followed(
    services: Sequence[Mapping[str, Any]],
    source: Mapping[str, Any],
    target: Mapping[str, Any],
    both: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """What has to be known of each service to follow it, without any secret.

    Keys: ``name``, ``manager``, ``dialect``, ``logs`` (files), ``journal`` (units), ``endpoints`` (URLs in the phase
    target), ``expected`` and ``outside`` (addresses as ``host:port``), and ``process``: the service as ``socket_info``
    wants it, None where its processes are not on the host.

    :raises SettingsError: when a service is wrong.
    """
    found = []
    for service in services:
        settings = client_settings(service, "target", source, target, both)
        logs = list(service.get("logs", ()))
        found.append(
            {
                **{key: service[key] for key in ("name", "manager", "dialect")},
                "logs": [path for path in logs if path != JOURNAL],
                "journal": [service["name"]] if JOURNAL in logs else [],
                "endpoints": settings["endpoints"],
                "expected": settings["expected"],
                "outside": settings["outside"],
                "process": None if service["manager"] == "kubernetes" else _process(service, settings),
            }
        )
    return found


def _process(service: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{key: service[key] for key in ("name", "manager", "pid_file", "match") if service.get(key)},
        "connected_to": settings["expected"],
        "not_connected_to": settings["outside"],
    }


def known_addresses(
    broker: Mapping[str, Any] | None, probed: Mapping[str, Any] | None, more: Mapping[str, Iterable[str]] | None = None
) -> dict[str, set[str]]:
    """Host name -> the addresses that are right for it.

    ``broker`` is what ``broker_info`` returned as ``broker``, ``probed`` what ``endpoint_probe`` returned on the
    controller, ``more`` what the user names, such as a proxy.
    """
    known: dict[str, set[str]] = {}
    for instance in (broker or {}).get("instances") or ():
        for urls in (instance.get("endpoints") or {}).values():
            for url in urls:
                if instance.get("ip_address"):
                    known.setdefault(_host(url), set()).add(str(instance["ip_address"]))
    for endpoint in (probed or {}).get("endpoints") or ():
        known.setdefault(str(endpoint["host"]).lower(), set()).update(map(str, endpoint.get("addresses") or ()))
    for host, addresses in (more or {}).items():
        known.setdefault(str(host).lower(), set()).update(map(str, addresses))
    return known


# --- before ----------------------------------------------------------------------------------------------------------


def static_reasons(
    service: Mapping[str, Any],
    held: Mapping[str, Any] | None,
    probes: Mapping[str, Any] | None,
    known: Mapping[str, Iterable[str]],
) -> tuple[list[Reason], list[str]]:
    """What keeps a service from surviving whatever happens, and notes about what is odd or could not be seen.

    ``held`` is what ``client_config`` returned for it in check mode, ``probes`` what ``endpoint_probe`` returned on its
    host, with ``as_service`` when it trusted what the service does.
    """
    reasons, notes = _settings_reasons(service, held)
    by_host = {str(each["host"]).lower(): each for each in (probes or {}).get("endpoints") or ()}
    for host in _hosts(service):
        probe = by_host.get(host)
        if probe is None:
            if probes is not None:
                notes.append(f"{host} was not probed from the host of the service")
            continue
        addresses = [str(each) for each in probe.get("addresses") or ()]
        right = set(known.get(host, ()))
        if not addresses:
            reasons.append(
                Reason("unresolved", f"{host} does not resolve on its host: {probe.get('reason') or 'no address'}")
            )
        elif right and not right & set(addresses) and probe.get("active") is not True:
            reasons.append(
                Reason(
                    "stale_dns",
                    f"{host} is {', '.join(addresses)} on its host, but the broker is at {', '.join(sorted(right))}"
                    " (/etc/hosts? a cache?)",
                )
            )
        for problem in probe.get("problems") or ():
            code, message = str(problem["code"]), str(problem["message"])
            if code in _UNTRUSTED and (probes or {}).get("as_service"):
                reasons.append(Reason("wrong_truststore", f"its truststore does not verify {host}: {message}"))
            elif code.startswith("certificate") and code not in _UNTRUSTED:
                notes.append(f"{host}: {message}")
    return reasons, notes


def _settings_reasons(service: Mapping[str, Any], held: Mapping[str, Any] | None) -> tuple[list[Reason], list[str]]:
    if held is None or "previous" not in held:
        why = str((held or {}).get("msg") or "they were not read")
        return [], [f"its settings are not known: {why}"]
    changed = {file["path"]: set(file.get("keys") or ()) for file in held.get("files") or ()}
    wanted = {parse_endpoint(url).address.lower() for url in service["endpoints"]}
    reasons: list[Reason] = []
    notes: list[str] = []
    named: set[str] = set()
    texts = []
    for path, values in held["previous"].items():
        for key, value in values.items():
            if value is None:
                continue
            text = str(value)
            texts.append(text)
            addresses = addresses_in(text)
            named |= addresses
            if key not in changed.get(path, ()):
                continue  # exactly what the phase wants
            foreign = sorted(addresses - wanted)
            if foreign and addresses & wanted:
                reasons.append(Reason("wrong_url", f"{path}: {key} names {', '.join(foreign)} besides the broker"))
            elif foreign:
                reasons.append(
                    Reason("wrong_url", f"{path}: {key} names {', '.join(foreign)}, which is not the broker")
                )
            else:
                flaws = list(_flaws(text, str(service["dialect"]))) if addresses else []
                reasons += [Reason("wrong_url", f"{path}: {key}: {flaw}") for flaw in flaws]
                if not flaws:
                    notes.append(f"{path}: {key} is not what the phase target wants")
        notes += [
            f"{path}: {key} is not what the phase target wants, and is not shown"
            for key in sorted(changed.get(path, ()))
            if key not in values or values[key] is None
        ]
    missing = sorted(address for address in wanted - named if not any(_names(text, address) for text in texts))
    if not texts:
        notes.append("its settings are not known: none of them is shown")
    elif len(missing) == len(wanted):
        if not any(reason.code == "wrong_url" for reason in reasons):
            notes.append("its settings name no endpoint, so they are not judged")
    elif missing:
        reasons.append(
            Reason(
                "only_one_endpoint" if len(wanted) - len(missing) == 1 else "wrong_url",
                f"its settings name only {', '.join(sorted(wanted - set(missing)))}; {', '.join(missing)} is missing",
            )
        )
    return reasons, notes


def addresses_in(text: str) -> set[str]:
    """The ``host:port`` in a setting, in lower case: in URLs, lists, and mappings with ``host`` and ``port``."""
    found = {f"{host}:{int(port)}".lower() for host, port in _ADDRESS.findall(text) if not host.isdigit()}
    for mapping in _MAPPING.findall(text):
        host, port = _HOST_KEY.search(mapping), _PORT_KEY.search(mapping)
        if host and port:
            found.add(f"{host[1]}:{int(port[1])}".lower())
    return found


def _names(text: str, address: str) -> bool:
    """Whether a setting names the host of an address, for those that keep the port elsewhere."""
    host = address.rpartition(":")[0].strip("[]")
    return re.search(rf"(?<![\w.-]){re.escape(host)}(?![\w-]|\.\w)", text, re.IGNORECASE) is not None


def _flaws(text: str, dialect: str) -> Iterator[str]:
    """Sentences about a broker URL that names the right endpoints, and that the client reads in another way."""
    if _HIDDEN in text or not text.startswith("failover:"):
        return
    try:
        for problem in problems(text, dialect):
            if problem.level == "error" and problem.consequence in _FATAL:
                yield problem.message
        if parse(text, dialect)["options"].get("maxReconnectAttempts") == 0:
            yield "maxReconnectAttempts=0: the client never reconnects"
    except FailoverUrlError as error:
        yield str(error)


def _hosts(service: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(_host(url) for url in service["endpoints"]))


def _host(url: str) -> str:
    return parse_endpoint(url).host.lower()


# --- during ----------------------------------------------------------------------------------------------------------


def spans(timeline: Mapping[str, Any]) -> list[Span]:
    """When a service was connected to which instance. Another connection to the same one is another span."""
    found = []
    opened: dict[str, tuple[float, set[int]]] = {}
    for change in timeline["changes"]:
        at, ports = float(change["at"]), set(change.get("local_ports") or ())
        hosts = {_address_host(each) for each in change["endpoints"]}
        for host, (begin, before) in list(opened.items()):
            if host not in hosts or (ports and before and not ports & before):
                found.append(Span(host, begin, at))
                del opened[host]
        for host in hosts:
            begin, before = opened.get(host, (at, ports))
            opened[host] = (begin, ports & before or ports)
    found += [Span(host, begin, float(timeline["until"])) for host, (begin, dummy) in opened.items()]
    return sorted(found, key=lambda one: one.begin)


def active_periods(failover: Mapping[str, Any], begin: float, end: float) -> list[Period]:
    """When which instance was active, within a window. ``failover`` is what ``broker_failover`` returned.

    A period that goes on when the window ends has no end.
    """
    events = [
        Event(float(each["at"]), str(each["event"]), str(each.get("host") or "").lower())
        for each in failover.get("timeline") or ()
    ]
    found = periods(events)
    if not found and failover.get("active_before"):
        found = [Period(str(failover["active_before"]).lower(), begin, None)]
    inside = []
    for period in found:
        first, last = max(begin, period.begin), None if period.end is None or period.end > end else period.end
        if first < (end if last is None else last):
            inside.append(Period(period.host, first, last))
    return inside


class Course(NamedTuple):
    """How a service fared: reasons, the longest time without the active instance, the longest until it was back."""

    reasons: list[Reason]
    notes: list[str]
    down_for: float | None
    reconnected_after: float | None
    #: When an instance was active and it was never connected there.
    missed: list[Period]


def course(
    service: Mapping[str, Any],
    timeline: Mapping[str, Any],
    failover: Mapping[str, Any],
    known: Mapping[str, Iterable[str]],
    within: float,
) -> Course:
    """Judge the timeline of a service by that of the broker."""
    changes = timeline.get("changes") or []
    if not changes:
        return Course([], [], None, None, [])
    begin, end = float(changes[0]["at"]), float(timeline["until"])
    seen = spans(timeline)
    reasons: list[Reason] = []
    notes: list[str] = []
    missed: list[Period] = []
    waits: list[float] = []
    joined: list[tuple[float, float]] = []
    active = active_periods(failover, begin, end)
    for period in active:
        until = end if period.end is None else period.end
        good = [span for span in seen if span.host == period.host and _counts(span, period, until)]
        joined += [(max(span.begin, period.begin), min(span.end, until)) for span in good]
        waited = max(0.0, min((span.begin for span in good), default=until) - period.begin)
        if good:
            waits.append(waited)
        else:
            missed.append(Period(period.host, period.begin, until))
        refusal = None if good else _refusal(changes, seen, period, until)
        if refusal is not None:
            reasons.append(refusal)
        if until - period.begin >= within and waited > within:
            so = f"only after {waited:.0f} s" if good else "never"
            reasons.append(
                Reason(
                    "did_not_reconnect",
                    f"{period.host} was active for {until - period.begin:.0f} s, and it connected there {so};"
                    f" allowed are {within:g} s",
                )
            )
    reasons += _tried(service, changes, known, end)
    if timeline.get("dropped"):
        notes.append(f"{timeline['dropped']} of its changes were not kept")
    begun = {change["started"] for change in changes if change.get("started")}
    if len(begun) > 1:
        notes.append("its processes were started anew during the test")
    if any(not change["running"] for change in changes):
        notes.append("it did not run for a while")
    # Before the broker was watched, nobody knows which instance was active.
    away = _longest_gap(joined, active[0].begin, end) if active else None
    return Course(reasons, notes, away, max(waits, default=None), missed)


def _counts(span: Span, period: Period, until: float) -> bool:
    """Whether a connection to the period's instance was a working one."""
    if span.end <= period.begin or span.begin >= until:
        return False
    if span.end - span.begin >= LASTING:
        return True
    # Cut because the instance went down. Where only the look ended, one that the broker refuses looks the same.
    return period.end is not None and span.end >= until - SLACK


def _refusal(changes: Sequence[Mapping[str, Any]], seen: Sequence[Span], period: Period, until: float) -> Reason | None:
    """A client that reaches the active instance, and is never connected for long, refuses it or is refused."""
    held = [
        span.end - span.begin
        for span in seen
        if span.host == period.host and period.begin <= span.begin and span.end <= until - SLACK
    ]
    for change in changes:
        if period.begin <= float(change["at"]) <= until - SLACK:
            held += [
                0.0
                for attempt in change.get("attempts") or ()
                if attempt["state"] == "TIME_WAIT" and _address_host(str(attempt.get("endpoint") or "")) == period.host
            ]
    if not held:
        return None
    if max(held) < REFUSED_AT_ONCE:
        return Reason(
            "wrong_truststore",
            f"its connections to {period.host} end at once: it does not trust the certificate, or its credentials are"
            " wrong",
        )
    return Reason(
        "wrong_credentials",
        f"its connections to {period.host} end after {max(held):.1f} s: the broker refuses its credentials",
    )


def _tried(
    service: Mapping[str, Any], changes: Sequence[Mapping[str, Any]], known: Mapping[str, Iterable[str]], end: float
) -> list[Reason]:
    """Reasons by what the process tries to connect to."""
    right = {address for host in _hosts(service) for address in known.get(host, ())}
    outside = set(service["outside"])
    since: dict[tuple[str, int], tuple[float, str | None]] = {}
    stale: set[str] = set()
    wrong: set[str] = set()
    for number, change in enumerate(changes):
        until = float(changes[number + 1]["at"]) if number + 1 < len(changes) else end
        wrong |= outside & set(change["endpoints"])
        opening = {
            (str(each["address"]), int(each["port"])): each.get("endpoint")
            for each in change.get("attempts") or ()
            if each["state"] == "SYN_SENT"
        }
        since = {key: since.get(key, (float(change["at"]), endpoint)) for key, endpoint in opening.items()}
        for (address, port), (begin, endpoint) in since.items():
            if until - begin < TRIED:
                continue
            if endpoint in outside:
                wrong.add(str(endpoint))
            elif endpoint is None and address not in right:
                stale.add(f"{address}:{port}")
    found = [Reason("wrong_url", f"it connects to {address}, which is not the broker") for address in sorted(wrong)]
    return found + [
        Reason(
            "stale_dns",
            f"it tries {address}, which is the address of no endpoint (any more); a JVM keeps addresses"
            " (networkaddress.cache.ttl)",
        )
        for address in sorted(stale)
    ]


def _longest_gap(joined: Sequence[tuple[float, float]], begin: float, end: float) -> float:
    longest, last = 0.0, begin
    for first, until in sorted(joined):
        longest = max(longest, first - last)
        last = max(last, until)
    return round(max(longest, end - last), 3)


def _address_host(address: str) -> str:
    return address.rpartition(":")[0].strip("[]").lower()


# --- after -----------------------------------------------------------------------------------------------------------


def judge(
    name: str,
    service: Mapping[str, Any],
    index: int,
    seen: Mapping[str, Any],
    failover: Mapping[str, Any] | None,
    known: Mapping[str, Iterable[str]],
    signatures: Mapping[str, Mapping[str, Any]],
    within: float,
) -> dict[str, Any]:
    """The record of one service. ``seen`` is what was seen on its host, see :func:`report`."""
    held = seen.get("held") or []
    reasons, notes = static_reasons(service, held[index] if index < len(held) else None, seen.get("probes"), known)
    down_for = reconnected_after = None
    survived: bool | None = True
    before, after = _record(seen.get("before"), service), _record(seen.get("after"), service)
    if service["manager"] == "kubernetes":
        notes.append("its pods run elsewhere, so its connections were not followed")
        survived = None
    elif failover is None:
        if not before:
            reasons.append(Reason("not_seen", f"its connections could not be seen: {_why(seen.get('before'))}"))
        reasons += _connection_reasons(service, before, "not_connected")
        notes += _unresolved(service, seen.get("before"))
    else:
        record = _record(seen.get("follow"), service)
        fared = course(service, record.get("timeline") or {}, failover, known, within)
        reasons += fared.reasons
        notes += fared.notes
        down_for, reconnected_after = fared.down_for, fared.reconnected_after
        at_the_end = _connection_reasons(service, after, "did_not_reconnect")
        reasons += at_the_end
        missing = bool(fared.missed or at_the_end)
        for period in fared.missed:
            survived = None
            lasted = (period.end or period.begin) - period.begin
            notes.append(
                f"it was never connected to {period.host}, which was active for {lasted:.1f} s: too short to tell why"
            )
        for reason, confirmed in _logged(service, seen.get("logs"), signatures):
            if confirmed or missing:
                reasons.append(reason)
            else:
                notes.append(reason.message)
        notes += _unsearched(service, seen.get("logs"))
        if not record.get("timeline"):
            survived = None
            notes.append(f"it was not followed: {_why(seen.get('follow'))}")
        if not after:
            survived = None
            notes.append(f"it was not seen afterwards: {_why(seen.get('after'))}")
        notes += _unresolved(service, seen.get("after"))
    if reasons:
        survived = False
    return {
        "host": name,
        "service": service["name"],
        "survived": survived,
        "reasons": [reason._asdict() for reason in _ordered(reasons)],
        "notes": list(dict.fromkeys(notes)),
        "down_for": down_for,
        "reconnected_after": None if reconnected_after is None else round(reconnected_after, 3),
        "connected_before": before.get("endpoints"),
        "connected_after": after.get("endpoints"),
        "timeline": (_record(seen.get("follow"), service).get("timeline") or {}).get("changes") or [],
    }


def _record(result: Mapping[str, Any] | None, service: Mapping[str, Any]) -> Mapping[str, Any]:
    for record in (result or {}).get("services") or ():
        if record.get("name") == service["name"]:
            found: Mapping[str, Any] = record
            return found
    return {}


def _why(result: Mapping[str, Any] | None) -> str:
    """Why a module told nothing of a service."""
    return str((result or {}).get("msg") or "its host did not tell")


def _unresolved(service: Mapping[str, Any], result: Mapping[str, Any] | None) -> list[str]:
    """Notes about names of a service that its host did not resolve, so that a connection there was not recognized."""
    mine = tuple(f"endpoint {address}: " for address in (*service["expected"], *service["outside"]))
    return [str(each) for each in (result or {}).get("unresolved") or () if str(each).startswith(mine)]


def _connection_reasons(service: Mapping[str, Any], record: Mapping[str, Any], code: str) -> list[Reason]:
    if not record:
        return []
    if not record.get("running"):
        return [Reason("not_running", "it does not run")]
    now = set(record.get("endpoints") or ())
    wrong = sorted(now & set(service["outside"]))
    if wrong:
        code = "wrong_url" if code == "did_not_reconnect" else code
        return [Reason(code, f"it is connected to {', '.join(wrong)}, which is not the broker")]
    if not now & set(service["expected"]):
        end = " at the end" if code == "did_not_reconnect" else ""
        return [Reason(code, f"it is connected to no endpoint of the broker{end}")]
    # What the last look alone does not show, such as that no connection lasts.
    problem = str(record.get("problem") or "").removeprefix(f"service {service['name']}: ")
    return [Reason(code, problem)] if problem else []


def _logged(
    service: Mapping[str, Any], result: Mapping[str, Any] | None, signatures: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[Reason, bool]]:
    """What a service's logs say, and whether that suffices by itself."""
    own = _own_logs(service)
    for log in (result or {}).get("logs") or ():
        if log["path"] not in own:
            continue
        for match in log["matches"]:
            signature = signatures.get(match["pattern"])
            if signature is None:
                continue
            lines = match["lines"] or [""]
            named = [line for line in lines if any(host in line.lower() for host in _hosts(service))]
            if signature.get("needs_host") and not named:
                continue  # about somebody else
            code = str(signature["code"])
            message = f"{log['path']}: {match['count']} times {signature['name']}: {(named or lines)[0]}"
            yield Reason(code, message), code == "log_pattern"


def _own_logs(service: Mapping[str, Any]) -> set[str]:
    return {*service["logs"], *(f"{JOURNAL}:{unit}" for unit in service["journal"])}


def _unsearched(service: Mapping[str, Any], result: Mapping[str, Any] | None) -> list[str]:
    """Notes about what was not searched in a service's logs."""
    own = _own_logs(service)
    if own and "logs" not in (result or {}):
        return [f"its logs were not searched: {_why(result)}"]
    return [
        f"{log['path']}: {problem}"
        for log in (result or {}).get("logs") or ()
        if log["path"] in own
        for problem in log.get("problems") or ()
    ]


def _ordered(reasons: Iterable[Reason]) -> list[Reason]:
    """Causes before their effects; each once."""
    return sorted(dict.fromkeys(reasons), key=lambda reason: CODES.index(reason.code))


def report(
    seen: Mapping[str, Mapping[str, Any]],
    target: str,
    known: Mapping[str, Iterable[str]],
    failover: Mapping[str, Any] | None = None,
    signatures: Sequence[Mapping[str, Any]] = (),
    within: float = 30.0,
) -> dict[str, Any]:
    """All hosts' services, judged.

    ``seen`` has for each host ``services`` (see :func:`followed`) and what modules returned there: ``held`` (in the
    order of the services), ``probes``, ``before``, ``follow``, ``after``, ``logs``. ``target`` is the broker's name.
    Without ``failover`` only what is known before is judged. ``signatures`` have ``name``, ``code``, ``needs_host``.

    Returns ``passed``, ``failures`` (sentences), ``services`` (records, see :func:`judge`), ``failover`` (what
    ``broker_failover`` returned), and ``lines``, the page to read.
    """
    by_name = {str(each["name"]): each for each in signatures}
    records = [
        judge(host, service, index, of_host, failover, known, by_name, within)
        for host, of_host in sorted(seen.items())
        for index, service in enumerate(of_host.get("services") or ())
    ]
    failures = [
        f"{record['host']}: service {record['service']}: {reason['code']}: {reason['message']}"
        for record in records
        for reason in record["reasons"]
    ]
    others = [f"broker {target}: {each}" for each in _broker_failures(failover)]
    others += _unseen(seen, records, failover is not None)
    return {
        "passed": not failures and not others,
        "failures": failures + others,
        "services": records,
        "failover": dict(failover) if failover is not None else None,
        "lines": _page(target, records, failover, others),
    }


def _unseen(
    seen: Mapping[str, Mapping[str, Any]], records: Sequence[Mapping[str, Any]], afterwards: bool
) -> Iterator[str]:
    """Hosts of which nothing is known: that is no success."""
    told = {record["host"] for record in records if record["connected_after"] is not None or record["timeline"]}
    for host, of_host in sorted(seen.items()):
        if "services" not in of_host:
            yield f"{host}: nothing is known of its services: the host dropped out, or its services were never read"
        elif afterwards and host not in told and any(each["manager"] != "kubernetes" for each in of_host["services"]):
            why = _why(of_host.get("after") or of_host.get("follow"))
            yield f"{host}: none of its services could be followed or seen afterwards: {why}"


def _broker_failures(failover: Mapping[str, Any] | None) -> list[str]:
    if failover is None:
        return []
    found = [str(each) for each in failover.get("failures") or ()]
    if not found and not failover.get("passed"):
        found = [str(failover.get("msg") or "the test of the failover did not end")]
    return found


def _page(
    target: str, records: Sequence[Mapping[str, Any]], failover: Mapping[str, Any] | None, others: Sequence[str]
) -> list[str]:
    lost = [record for record in records if record["survived"] is False]
    unknown = [record for record in records if record["survived"] is None]
    lines = [f"FAILOVER OF {shown_text(target)}"]
    if failover is None:
        lines.append("  nothing was rebooted")
    else:
        outages = [each.get("seconds") for each in failover.get("outages") or ()]
        shown = ", ".join("no end" if each is None else f"{each:.1f} s" for each in outages)
        lines.append(
            f"  the active role moved {failover.get('failovers', '?')} times; no instance answered for {shown or '0 s'}"
        )
        lines.append(
            f"  active before: {failover.get('active_before') or '?'}, after: {failover.get('active_after') or '?'}"
        )
        canary = failover.get("canary")
        if canary:
            figures = ("sent", "received", "lost", "duplicated", "reordered", "max_gap")
            lines.append("  canary: " + ", ".join(f"{canary.get(each, '?')} {each}" for each in figures))
    lines += [f"  {shown_text(each)}" for each in others]
    word = "SURVIVED" if failover is not None else "NO DEFECT FOUND"
    more = f", {len(unknown)} not known" if unknown else ""
    lines += ["", f"{word}: {len(records) - len(lost) - len(unknown)} of {len(records)} services{more}"]
    longest = sorted(
        (record for record in records if record["down_for"] is not None), key=lambda one: -float(one["down_for"])
    )
    lines += [f"  {record['host']}: {record['service']}: away for {record['down_for']:.1f} s" for record in longest[:5]]
    for title, chosen in (("DID NOT SURVIVE" if failover is not None else "DEFECTS", lost), ("NOT KNOWN", unknown)):
        lines += ["", title]
        texts = [
            f"{record['host']}: {record['service']}: {text}"
            for record in chosen
            for text in ([f"{each['code']}: {each['message']}" for each in record["reasons"]] or record["notes"])
        ]
        lines += _bounded(texts)
    notes = [
        f"{record['host']}: {record['service']}: {note}"
        for record in records
        if record["survived"] is not None
        for note in record["notes"]
    ]
    return [*lines, "", "NOTES", *_bounded(notes)]


def _bounded(texts: Sequence[str]) -> list[str]:
    more = [f"... and {len(texts) - MAX_SHOWN} more"] if len(texts) > MAX_SHOWN else []
    return [f"  {shown_text(text)}" for text in [*(texts[:MAX_SHOWN] or ["none"]), *more]]
