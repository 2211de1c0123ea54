# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""The console view: the pages for machines of ActiveMQ Classic's web console, ``/admin/xml/*.jsp``.

The console finds queues by their MBeans. A queue that has none, because of a line break in its name or because another
queue's name is encoded alike, is not on its page, and nothing on the page tells so: ``destinations`` is unknown always.
A broker may have no MBeans for consumers (suppressMBean), so a page without any durable subscription proves nothing.
The page ``topics.jsp`` is not read: it is durable subscriptions that hold messages, and ``subscribers.jsp`` lists them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._http import Http, HttpError, check_marks, check_status
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._instances import Instances
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import (
    DURABLE_SUBSCRIPTION,
    QUEUE,
    UNKNOWN_BROKER_ID,
    UNKNOWN_DESTINATIONS,
    UNKNOWN_SCHEDULED,
    UNKNOWN_SUBSCRIPTIONS,
    UNKNOWN_TRANSACTIONS,
    Destination,
    Overview,
    Sample,
    ViewError,
    shown,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._xml import XmlError, scan

VIEW = "console"

# The pages escape what HTML gives a meaning to, and nothing else: a name's control characters are there as they are.
# XML forbids most of them and reads the others as spaces, so each is spelled with a mark while it passes the parser.
_MARK = "\ue0fe"
_FORBIDDEN = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff{_MARK}]")
_ATTRIBUTE = re.compile(r'="[^"<]*"')
_WHITE = re.compile(r"[\t\n\r]")
_MARKED = re.compile(f"{_MARK}(.)", re.DOTALL)


class ConsoleView:
    """The View of one broker, or of an active/standby pair of which only the active one answers.

    ``urls`` are those of the console itself (``http://broker:8161/admin``), tried in order, the one that answered last
    first. ``timeout`` bounds each, in seconds. Raises ValueError for a URL that is none.
    """

    kind = VIEW
    capabilities = frozenset({"pending", "enqueued", "dequeued", "consumers", UNKNOWN_SUBSCRIPTIONS})

    def __init__(
        self, urls: Sequence[str], http: Http, timeout: float = 10.0, wall_clock: Callable[[], float] = time.time
    ) -> None:
        self._instances = Instances(VIEW, urls, ("http", "https"))
        self._http = http
        self._timeout = timeout
        self._wall_clock = wall_clock

    def sample(self) -> Sample:
        return self._instances.first(self._sample)

    def overview(self) -> Overview:
        return self.sample().overview

    def _sample(self, url: str) -> Sample:
        deadline = time.monotonic() + self._timeout
        unknowns = [UNKNOWN_BROKER_ID, UNKNOWN_DESTINATIONS, UNKNOWN_SCHEDULED, UNKNOWN_TRANSACTIONS]
        subscribers = self._page(url, "subscribers", deadline)
        if not subscribers or any(_tells_nothing(attributes, stats) for attributes, stats in subscribers):
            unknowns.append(UNKNOWN_SUBSCRIPTIONS)
        queues = self._page(url, "queues", deadline)
        if queues is None:
            raise ViewError(VIEW, url, "there is no web console at this URL (HTTP 404 for xml/queues.jsp)")
        return Sample(
            taken_at=self._wall_clock(),
            view=VIEW,
            url=url,
            overview=Overview(broker_id=None, name=None),
            destinations=[_queue(url, item) for item in queues]
            + [_subscription(url, one) for one in subscribers or ()],
            unknowns=tuple(sorted(unknowns)),
        )

    def _page(self, url: str, page: str, deadline: float) -> list[_Item] | None:
        """What one of the pages lists; None when the console has no such page."""
        address = f"{url.rstrip('/')}/xml/{page}.jsp"
        left = deadline - time.monotonic()
        if left <= 0:
            raise ViewError(VIEW, url, f"no answer within {self._timeout:g} s", transient=True)
        try:
            answer = self._http.get(address, left)
            if answer.status == 404:
                return None
            check_status(answer.status)
            check_marks(answer.body, b"<=")
        except HttpError as exc:
            raise ViewError(VIEW, url, f"{page}.jsp: {shown(str(exc))}", transient=exc.transient) from exc
        return _items(url, page, answer.body)


#: The attributes of a queue or subscriber, and those of its ``stats``.
_Item = tuple[Mapping[str, str], Mapping[str, str]]


def _items(url: str, page: str, body: bytes) -> list[_Item]:
    """The entries of a page: ``<queues><queue name="..."><stats size="..."/>...</queue></queues>``."""
    entry = page[:-1]
    found: list[_Item] = []
    depth: list[str] = []
    entered: dict[str, str] = {}

    def start(name: str, attributes: Mapping[str, str]) -> None:
        depth.append(name)
        if depth == [page, entry]:
            entered.clear()
            entered.update((key, _unmarked(value)) for key, value in attributes.items())
        elif depth == [page, entry, "stats"]:
            found.append((dict(entered), dict(attributes)))
        elif depth[0] != page:
            raise XmlError(f"it starts with <{name}>")

    def end(_name: str) -> None:
        depth.pop()

    try:
        scan(_marked(body.decode("utf-8")).lstrip(), start, end)
    except (XmlError, UnicodeDecodeError) as exc:
        begin = shown(body[:200].decode("utf-8", "replace").lstrip()[:40])
        message = f"{page}.jsp is not the console's page ({shown(str(exc))}), the answer starts with {begin!r}"
        raise ViewError(VIEW, url, message) from exc
    return found


def _marked(text: str) -> str:
    """The text with each character that would not survive an XML parser spelled by the mark and a letter."""
    text = _FORBIDDEN.sub(_mark, text)
    return _ATTRIBUTE.sub(lambda attribute: _WHITE.sub(_mark, attribute.group()), text)


def _mark(found: re.Match[str]) -> str:
    # U+E100 and on: as private as the mark, and none is a control character.
    code = ord(found.group())
    return _MARK + (_MARK if found.group() == _MARK else chr(0xE100 + (code if code < 0x20 else code - 0xFFC0)))


def _unmarked(text: str) -> str:
    def plain(found: re.Match[str]) -> str:
        if found.group(1) == _MARK:
            return _MARK
        code = ord(found.group(1)) - 0xE100
        return chr(code if code < 0x20 else code + 0xFFC0)

    return _MARKED.sub(plain, text)


def _queue(url: str, item: _Item) -> Destination:
    attributes, stats = item
    return Destination(
        name=_text(url, attributes, "name"),
        kind=QUEUE,
        pending=_count(stats, "size"),
        enqueued=_count(stats, "enqueueCount"),
        dequeued=_count(stats, "dequeueCount"),
        consumers=_count(stats, "consumerCount"),
    )


def _subscription(url: str, item: _Item) -> Destination:
    attributes, stats = item
    topic, client_id, subscription = (
        _text(url, attributes, name) for name in ("destinationName", "clientId", "subscriptionName")
    )
    waiting, dispatched = _count(stats, "pendingQueueSize"), _count(stats, "dispatchedQueueSize")
    return Destination(
        name=f"{topic}/{client_id}/{subscription}",
        kind=DURABLE_SUBSCRIPTION,
        # As with Jolokia: what has been dispatched is not in pendingQueueSize.
        pending=None if waiting is None or dispatched is None else waiting + dispatched,
        in_flight=dispatched,
        enqueued=_count(stats, "enqueueCounter"),
        dequeued=_count(stats, "dequeueCounter"),
        consumers={"yes": 1, "no": 0}.get(attributes.get("active", "")),
        topic=topic,
        client_id=client_id,
        subscription=subscription,
    )


def _tells_nothing(attributes: Mapping[str, str], stats: Mapping[str, str]) -> bool:
    """Whether a subscription may hold what the page does not tell.

    With keepDurableSubsActive=false it is in the store only while its subscriber is away, and the page has only zeros.
    """
    counters = ("pendingQueueSize", "dispatchedQueueSize", "enqueueCounter", "dequeueCounter")
    return attributes.get("active") != "yes" and not any(_count(stats, name) for name in counters)


def _text(url: str, attributes: Mapping[str, str], name: str) -> str:
    value = attributes.get(name)
    if value is None:
        raise ViewError(VIEW, url, f"an entry of the page does not tell its {name}")
    return value


def _count(stats: Mapping[str, str], name: str) -> int | None:
    """A number of things; anything else, e.g. a negative one, is not known."""
    value = stats.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 20 else None
