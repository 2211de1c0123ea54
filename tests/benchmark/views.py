# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a sample costs by each view, with 1 to 50 000 queues on a real broker, and how soon the end of a drain is seen.

Beside the views stand what one would do by hand: one HTTP request for each queue, and curl with the view's own request,
which is the floor. Memory is what the process holds at its peak more than before, in Python's own accounting; curl's is
the size of the answer. Each figure is the median of several samples, after one that warms the broker up. To be run as

    PYTHONPATH=tests:.build/collections python tests/benchmark/views.py
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import statistics
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from tempfile import NamedTemporaryFile
from typing import Any, NamedTuple
from urllib.parse import quote

from lone_broker import LoneBroker, lone_broker, wait_for_view

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _jolokia
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._drain import DRAIN_SPEC, Drain, Options, wait
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import QUEUE, View, ViewError
from lab import plan
from lab.services.python.service import Broker, Host, Session

CREDENTIALS = f"{plan.SOURCE_CONSOLE_USER}:{plan.SOURCE_CONSOLE_PASSWORD}"
#: Views and where they look; what a view needs besides comes from the broker.
VIEWS: dict[str, Callable[[LoneBroker], dict[str, Any]]] = {
    "jolokia": lambda broker: {"type": "jolokia"},
    "statistics": lambda broker: {
        "type": "statistics",
        "url": [f"stomp://{broker.address}:{plan.STOMP}"],
        "username": None,
        "password": None,
    },
    "console": lambda broker: {"type": "console", "url": [f"http://{broker.address}:{plan.CONSOLE}/admin"]},
}


class Cost(NamedTuple):
    """Seconds, the broker's seconds of processor time, and bytes."""

    seconds: float
    broker: float
    memory: float


def measure(broker: LoneBroker, work: Callable[[], Any], repeat: int) -> Cost:
    """The cost of something."""
    work()
    seconds, cpu = [], []
    for _number in range(repeat):
        before, started = broker.cpu(), time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
        cpu.append(broker.cpu() - before)
    tracemalloc.start()
    work()
    memory = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return Cost(statistics.median(seconds), statistics.median(cpu), memory)


def curl(broker: LoneBroker) -> Callable[[], int]:
    """Curl with the Jolokia view's request; how many bytes it gets."""
    request = [{"type": "read", "mbean": mbean, "attribute": list(names)} for _name, mbean, names in _jolokia._READS]
    body = json.dumps(request)

    def run() -> int:
        with NamedTemporaryFile() as answer:
            headers = ["-H", "Origin: x", "-H", "Content-Type: application/json"]
            words = ["curl", "-sSf", "-u", CREDENTIALS, *headers, "-d", body, "-o", answer.name, broker.url]
            subprocess.run(words, check=True)
            return answer.seek(0, 2)

    return run


def one_by_one(broker: LoneBroker, names: list[str]) -> Callable[[], None]:
    """One request for each queue, over one connection that stays open."""
    basic = base64.b64encode(CREDENTIALS.encode()).decode()
    headers = {"Authorization": f"Basic {basic}", "Origin": "x", "Content-Type": "application/json"}

    def run() -> None:
        link = http.client.HTTPConnection(broker.address, plan.CONSOLE)
        for name in names:
            mbean = (
                f"org.apache.activemq:type=Broker,brokerName=bench,destinationType=Queue,destinationName={quote(name)}"
            )
            link.request("POST", "/api/jolokia", json.dumps({"type": "read", "mbean": mbean}), headers)
            json.loads(link.getresponse().read())
        link.close()

    return run


def show(count: int, what: str, cost: Cost, floor: Cost) -> None:
    """A line of the table."""
    print(
        f"{count:7}  {what:16} {cost.seconds:8.3f} {cost.broker:8.2f} {cost.memory / 1e6:7.1f} "
        f"{cost.seconds / floor.seconds:7.1f}",
        flush=True,
    )


def samples(counts: list[int], repeat: int, line: str) -> None:
    """The table of what samples cost."""
    print(f"{'queues':>7}  {'what':16} {'s':>8} {'CPU s':>8} {'MB':>7} {'/ curl':>7}")
    with lone_broker(heap="3g", line=line) as broker:
        names: list[str] = []
        for count in counts:
            fresh = [f"orders.queue-{number:05}" for number in range(len(names), count)]
            broker.create_queues(fresh)
            names += fresh
            fetch = curl(broker)
            floor = measure(broker, fetch, repeat)
            show(count, "curl", floor._replace(memory=fetch()), floor)
            for kind, options in VIEWS.items():
                try:
                    view = broker.view(timeout=120.0, **options(broker))
                    seen = sum(d.kind == QUEUE and d.name.startswith("orders.") for d in view.sample().destinations)
                except (ViewError, ValueError, KeyError) as error:
                    print(f"{count:7}  {kind:16} not available: {error}", flush=True)
                    continue
                if seen != count:
                    sys.exit(f"the view {kind} saw {seen} of {count} queues")
                show(count, kind, measure(broker, view.sample, repeat), floor)
                if hasattr(view, "overview"):
                    show(count, f"{kind}, glance", measure(broker, view.overview, repeat), floor)
            if count <= 10_000:
                show(count, "each by itself", measure(broker, one_by_one(broker, names), 1), floor)


def notice(broker: LoneBroker, view: View, messages: int, interval: float) -> float:
    """How many seconds after the last acknowledgement a drain is first seen to be empty."""
    host = Host(broker.address, plan.STOMP, False)
    session = Session(host, Broker((host,), None, None), None, None)
    for number in range(messages):
        session.request("SEND", {"destination": "/queue/last", "persistent": "true"}, str(number))
    acknowledged: list[float] = []

    def consume() -> None:
        inbox = session.subscribe("queue://last", None)
        for _number in range(messages):
            session.request("ACK", {"id": inbox.get(timeout=60).headers["ack"]})
            time.sleep(0.03)
        acknowledged.append(time.monotonic())

    seen: list[float] = []

    def tell(verdict: Any) -> None:
        if verdict.samples and not verdict.remaining and not seen:
            seen.append(time.monotonic())

    defaults = {name: spec.get("default") for name, spec in DRAIN_SPEC.items()}
    drain = Drain(Options.from_params({**defaults, "stable_for": 2.0, "poll_interval": interval}), time.monotonic)
    thread = threading.Thread(target=consume)
    thread.start()
    verdict = wait(drain, view.sample, time.sleep, tell, view.overview)
    thread.join()
    session.drop("done")
    if verdict.reason != "drained":
        sys.exit(verdict.message)
    return seen[0] - acknowledged[0]


def notices(counts: list[int], repeat: int, line: str) -> None:
    """The table of how soon the end of a drain is seen. What the last message did counts, so it may be below 0."""
    print(f"\n{'queues':>7} {'poll s':>7}  seen so many seconds after the last acknowledgement")
    with lone_broker(heap="1g", line=line) as broker:
        view, made = broker.view(timeout=60.0), 0
        wait_for_view(view)
        for count in counts:
            broker.create_queues([f"orders.queue-{number:05}" for number in range(made, count)])
            made = count
            for interval in (0.5, 1.0):
                late = sorted(notice(broker, view, 60, interval) for _number in range(repeat))
                figures = " ".join(f"{seconds:.2f}" for seconds in late)
                verdict = "in time" if late[-1] <= interval else "LATE"
                print(f"{count:7} {interval:7.1f}  {figures}  {verdict}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 100, 1000, 10_000, 50_000])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--line", choices=["source", "target"], default="source", help="which of the lab's releases")
    options = parser.parse_args()
    samples(sorted(options.counts), options.repeat, options.line)
    notices([count for count in sorted(options.counts) if count <= 10_000], options.repeat, options.line)


if __name__ == "__main__":
    main()
