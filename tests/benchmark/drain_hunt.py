# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hunt for a false "drained": many short drains of a real broker under random clients, each verdict audited.

Every run starts clients that send, forward, consume, roll back, reject, schedule, vanish and come back, at random, and
in some runs the broker is killed in the middle. Meanwhile the drain engine looks at the broker through Jolokia, with
much less patience than a user has. The clients write down when the broker confirmed a message, when they began to
acknowledge it, and when a transaction was open. The verdict "drained" is false when

- a message was confirmed before the last sample began, and nobody had begun to acknowledge it when that sample ended,
- such a message is found on the broker after all clients have ended, or
- a transaction was open from before the last sample began until after it ended.

Messages in the dead letter queue are left on purpose; the verdict must have named the queue. A run is repeated with
``--seed N --runs 1``, as far as threads allow. With ``--blind`` the engine is not told something: then the hunt has to
find false verdicts, or it would be worth nothing. Exit status 1: a false verdict. To be run as

    PYTHONPATH=tests:.build/collections python tests/benchmark/drain_hunt.py
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import multiprocessing
import queue
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from lone_broker import LoneBroker, lone_broker, wait_for_view

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._drain import DRAIN_SPEC, Drain, Options, outcome, wait
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import QUEUE, Sample, View
from lab import plan, shell
from lab.services.python.service import Broker, Host, LostError, Session

DEAD_LETTERS = "ActiveMQ.DLQ"
TOPIC = "hunt.events"
LONGEST_DELAY_MS = 1500
#: How often a run kills the broker; a restart takes a few seconds.
RESTARTS = 0.03


@dataclass
class Ledger:
    """When each message was confirmed, and when somebody first began to take it from its destination."""

    confirmed: dict[str, float] = field(default_factory=dict)
    taken: dict[str, float] = field(default_factory=dict)
    rejected: dict[str, float] = field(default_factory=dict)
    #: When a transaction was open for certain, and when it may have ended.
    opened: dict[str, float] = field(default_factory=dict)
    closed: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: dict[str, float], ids: Sequence[str]) -> None:
        """Write down that it happened now, unless it is written down already."""
        now = time.time()
        with self.lock:
            for one in ids:
                what.setdefault(one, now)


@dataclass
class Run:
    """What the clients of a run share."""

    broker: LoneBroker
    seed: int
    stop: threading.Event
    ledger: Ledger
    #: Nothing new is made after this, so that most drains have an end.
    quiet: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def connect(self, client_id: str | None = None) -> Session:
        """A connection, as soon as the broker accepts one. Raises LostError when the run is over before."""
        while True:
            try:
                host = Host(self.broker.address, plan.STOMP, False)
                return Session(host, Broker((host,), None, None), None, client_id)
            except LostError:
                if self.stop.wait(0.05):
                    raise

    def client(self, work: Callable[[Run, random.Random], None]) -> None:
        """Start a client, which begins again whenever its connection ends."""
        dice = random.Random(f"{self.seed}-{len(self.threads)}")

        def live() -> None:
            while not self.stop.is_set():
                with contextlib.suppress(LostError):
                    work(self, dice)

        thread = threading.Thread(target=live)
        self.threads.append(thread)
        thread.start()

    def name(self, dice: random.Random) -> str:
        """A new message's id."""
        return f"{self.seed}-{dice.getrandbits(64):x}"


def message(destination: str, name: str, **headers: str) -> dict[str, str]:
    """The headers of a message whose id is in them."""
    return {"destination": destination, "persistent": "true", "hunt-id": name, **headers}


class Transaction:
    """A transaction of a session, which the ledger knows to be open from its first step on."""

    def __init__(self, run: Run, session: Session) -> None:
        self._ledger, self._session, self._number = run.ledger, session, session.number()
        self._key = f"{id(session)}-{self._number}"
        session.tell("BEGIN", {"transaction": self._number})

    def step(self, command: str, headers: dict[str, str], body: str = "") -> None:
        """Do something that takes effect with the commit."""
        self._session.request(command, {**headers, "transaction": self._number}, body)
        self._ledger.note(self._ledger.opened, [self._key])

    def end(self, command: str) -> None:
        """COMMIT or ABORT."""
        self.over()
        self._session.request(command, {"transaction": self._number})

    def over(self) -> None:
        """Note that it ends, at the latest with its connection."""
        self._ledger.note(self._ledger.closed, [self._key])


@contextlib.contextmanager
def transacted(run: Run, session: Session) -> Iterator[Transaction]:
    """A transaction that is over afterwards."""
    transaction = Transaction(run, session)
    try:
        yield transaction
    finally:
        transaction.over()


def produce(run: Run, dice: random.Random) -> None:
    """Send to a queue or a topic; alone, in transactions, rolled back, or for later; with pauses of all lengths."""
    session = run.connect()
    try:
        while not run.stop.is_set() and not run.quiet.is_set():
            destination = dice.choice(["/queue/hunt.a", "/queue/hunt.a", "/queue/hunt.b", f"/topic/{TOPIC}"])
            kind = dice.random()
            if kind < 0.5:
                names = [run.name(dice) for _number in range(dice.randint(1, 4))]
                for name in names:
                    session.request("SEND", message(destination, name), name)
                    run.ledger.note(run.ledger.confirmed, [name])
            elif kind < 0.65:
                name = run.name(dice)
                delay = str(dice.randint(20, LONGEST_DELAY_MS))
                session.request("SEND", message("/queue/hunt.a", name, AMQ_SCHEDULED_DELAY=delay), name)
                run.ledger.note(run.ledger.confirmed, [name])
            else:
                names = [run.name(dice) for _number in range(dice.randint(1, 4))]
                with transacted(run, session) as transaction:
                    for name in names:
                        transaction.step("SEND", message(destination, name), name)
                        ponder(dice, 0, 0, 0.01, 0.1)
                    ponder(dice, 0, 0.05, 0.3, 0.7, 1.0)
                    if dice.random() < 0.75:
                        transaction.end("COMMIT")
                        run.ledger.note(run.ledger.confirmed, names)
                    else:
                        transaction.end("ABORT")
            run.quiet.wait(dice.choice([0, 0.01, 0.05, 0.3, 0.6, 0.8]))
        run.stop.wait()
    finally:
        session.drop("done")


def ponder(dice: random.Random, *seconds: float) -> None:
    """Be busy as an application is between two steps, so that the looks of the drain fall in between."""
    time.sleep(dice.choice(seconds))


def take(run: Run, dice: random.Random, session: Session, inbox: queue.SimpleQueue[Any]) -> Any:
    """The next message; None when the run is over."""
    while not run.stop.is_set():
        with contextlib.suppress(queue.Empty):
            frame = inbox.get(timeout=0.05)
            if frame is None:
                raise LostError(session.reason)
            ponder(dice, 0, 0, 0, 0.005, 0.02, 0.1, 0.7)
            return frame
    return None


def forward(run: Run, dice: random.Random) -> None:
    """Consume from one queue and send to the next: in a transaction, or confirmed before the acknowledgement."""
    session = run.connect()
    try:
        inbox = session.subscribe("queue://hunt.a", None)
        while (frame := take(run, dice, session, inbox)) is not None:
            old, new = frame.headers["hunt-id"], run.name(dice)
            if dice.random() < 0.5:
                session.request("SEND", message("/queue/hunt.b", new), new)
                run.ledger.note(run.ledger.confirmed, [new])
                run.ledger.note(run.ledger.taken, [old])
                session.request("ACK", {"id": frame.headers["ack"]})
                continue
            with transacted(run, session) as transaction:
                steps = [
                    ("ACK", {"id": frame.headers["ack"]}, ""),
                    ("SEND", message("/queue/hunt.b", new), new),
                ]
                for command, headers, body in dice.sample(steps, 2):
                    transaction.step(command, headers, body)
                ponder(dice, 0, 0, 0.02, 0.3, 0.8)
                if dice.random() < 0.2:
                    transaction.end("ABORT")
                    return  # what was rolled back is delivered again to the next connection
                run.ledger.note(run.ledger.taken, [old])
                transaction.end("COMMIT")
                run.ledger.note(run.ledger.confirmed, [new])
    finally:
        session.drop("done")


def consume(destination: str, durable: str | None = None) -> Callable[[Run, random.Random], None]:
    """A client that acknowledges, rejects, or vanishes with what it holds; a durable subscriber stays away at times."""

    def work(run: Run, dice: random.Random) -> None:
        if durable and run.stop.wait(dice.choice([0, 0.1, 0.4, 1.2])):
            return
        session = run.connect(durable)
        try:
            inbox = session.subscribe(destination, durable)
            while (frame := take(run, dice, session, inbox)) is not None:
                name, kind = frame.headers["hunt-id"], dice.random()
                if kind < (0.3 if durable else 0.06):
                    return
                if kind < 0.1 and not durable:
                    run.ledger.note(run.ledger.rejected, [name])
                    run.ledger.note(run.ledger.taken, [name])
                    session.request("NACK", {"id": frame.headers["ack"]})
                else:
                    run.ledger.note(run.ledger.taken, [name])
                    session.request("ACK", {"id": frame.headers["ack"]})
        finally:
            session.drop("done")

    return work


@dataclass(frozen=True)
class Report:
    """How a run ended; ``false`` says why its verdict was wrong."""

    seed: int
    reason: str
    seconds: float
    messages: int
    samples: int
    restarted: bool
    message: str
    false: str = ""


class Looker:
    """Takes the engine's samples and remembers when the last one began and ended."""

    def __init__(self, view: View, blind: str) -> None:
        self._view, self._blind = view, blind
        self.began = self.ended = 0.0

    def look(self) -> Sample:
        """A sample, without what the engine is not to be told."""
        began = time.time()
        sample = self._view.sample()
        self.began, self.ended = began, time.time()
        if self._blind == "transactions":
            return sample._replace(open_transactions=0)
        if self._blind == "scheduled":
            return sample._replace(scheduled=0)
        if self._blind == "subscriptions":
            return sample._replace(destinations=[d for d in sample.destinations if d.kind == QUEUE])
        if self._blind == "in_flight":
            seen = [d._replace(pending=max(0, (d.pending or 0) - (d.in_flight or 0))) for d in sample.destinations]
            return sample._replace(destinations=seen)
        return sample


def hunt(broker: LoneBroker, view: View, seed: int, stable_for: float, blind: str) -> Report:
    """One run."""
    dice = random.Random(seed)
    run = Run(broker, seed, threading.Event(), Ledger())
    work = [consume("queue://hunt.b"), forward, consume(f"topic://{TOPIC}", "hunter"), produce]
    work += dice.choices([produce, forward, consume("queue://hunt.b")], k=dice.randint(0, 3))
    for one in work:
        run.client(one)
    restart = dice.random() < RESTARTS
    timers = [threading.Timer(dice.choice([0.1, 0.3, 0.6, 1.0]), run.quiet.set)]
    if restart:

        def again() -> None:
            broker.end()
            broker.start()

        timers.append(threading.Timer(dice.uniform(0.1, 0.8), again))
    for timer in timers:
        timer.start()
    options = Options.from_params(
        {
            **{name: spec.get("default") for name, spec in DRAIN_SPEC.items()},
            "timeout": 25.0 if restart else 6.0,
            "stall_timeout": 25.0,
            "poll_interval": dice.choice([0.05, 0.1, 0.2]),
            "stable_for": stable_for,
        }
    )
    drain, looker, started = Drain(options, time.monotonic), Looker(view, blind), time.monotonic()
    verdict = wait(drain, looker.look, time.sleep, glance=view.overview if dice.random() < 0.5 else None)
    seconds = time.monotonic() - started
    result = outcome(drain, verdict)
    run.quiet.set()
    run.stop.set()
    for thread in (*run.threads, *timers):
        thread.join()
    wait_for_view(view)
    left, dead = collect(run, view)
    return Report(
        seed,
        verdict.reason,
        seconds,
        len(run.ledger.confirmed),
        verdict.samples,
        restart,
        verdict.message,
        judge(run.ledger, looker, result, left, dead) if result["drained"] else "",
    )


def judge(ledger: Ledger, looker: Looker, result: dict[str, Any], left: set[str], dead: set[str]) -> str:
    """What makes the verdict "drained" false; empty when it is true."""
    before = {name for name, at in ledger.confirmed.items() if at < looker.began}
    held = {name for name in before if ledger.taken.get(name, float("inf")) > looker.ended}
    # A message that vanished with its consumer may be in the dead letter queue although nobody rejected it.
    problems = [f"{len(held - dead)} messages were not yet taken"] if held - dead else []
    if left & before:
        problems.append(f"{len(left & before)} messages were left")
    open_then = [key for key, at in ledger.opened.items() if at < looker.began and ledger.closed[key] > looker.ended]
    if open_then:
        problems.append(f"{len(open_then)} transactions were open")
    buried = [name for name in dead if ledger.rejected.get(name, float("inf")) < looker.began - 1]
    if buried and not result["dlq"]:
        problems.append(f"{len(buried)} dead letters were not told")
    return ", ".join(problems)


def collect(run: Run, view: View) -> tuple[set[str], set[str]]:
    """Take all that is left: the ids of messages in queues, subscription and scheduler, and of dead letters."""
    found: dict[str, set[str]] = {"left": set(), "dead": set()}
    run.stop.clear()
    session = run.connect("hunter")
    boxes = [
        ("left", session.subscribe("queue://hunt.a", None)),
        ("left", session.subscribe("queue://hunt.b", None)),
        ("left", session.subscribe(f"topic://{TOPIC}", "hunter")),
        ("dead", session.subscribe(f"queue://{DEAD_LETTERS}", None)),
    ]
    end = time.monotonic() + 30
    while True:
        for kind, box in boxes:
            with contextlib.suppress(queue.Empty):
                while (frame := box.get_nowait()) is not None:
                    found[kind].add(frame.headers["hunt-id"])
                    session.request("ACK", {"id": frame.headers["ack"]})
        sample = view.sample()
        if not (sample.scheduled or sample.open_transactions or any(d.pending for d in sample.destinations)):
            break
        if time.monotonic() > end:
            raise shell.LabError(f"seed {run.seed}: the broker does not get empty: {sample}")
    session.drop("done")
    return found["left"], found["dead"]


def work_off(seeds: Sequence[int], stable_for: float, blind: str, reports: Any) -> None:
    """One worker: a broker of its own, run after run."""
    # Connections that end are what it is about.
    logging.getLogger("stomp.py").setLevel(logging.CRITICAL)
    try:
        with lone_broker() as broker:
            view = broker.view()
            wait_for_view(view)
            # Makes the durable subscription, without which nobody is due a message of the topic.
            collect(Run(broker, 0, threading.Event(), Ledger()), view)
            for seed in seeds:
                reports.put(hunt(broker, view, seed, stable_for, blind))
    except Exception as error:  # the others go on; the parent tells
        reports.put(error)
        raise


def main() -> int:
    """Hunt, print a table, name the seeds of false verdicts."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1, help="of the first run; the others follow")
    parser.add_argument("--stable-for", type=float, default=0.5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--blind", choices=["transactions", "scheduled", "subscriptions", "in_flight"], default="")
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    reports: Any = context.Queue()
    seeds = range(options.seed, options.seed + options.runs)
    workers = [
        context.Process(
            target=work_off, args=(seeds[number :: options.workers], options.stable_for, options.blind, reports)
        )
        for number in range(min(options.workers, options.runs))
    ]
    started = time.monotonic()
    for worker in workers:
        worker.start()
    done: list[Report] = []
    failed = False
    while len(done) < options.runs and not failed:
        try:
            report = reports.get(timeout=5)
        except queue.Empty:
            failed = not any(worker.is_alive() for worker in workers)
            continue
        if isinstance(report, Exception):
            print(f"a worker ended: {report}", flush=True)
            failed = True
            continue
        done.append(report)
        if report.reason == "error":
            print(f"seed {report.seed}: {report.message}", flush=True)
        if report.false:
            print(f"seed {report.seed}: FALSE: {report.false}", flush=True)
        if len(done) % 50 == 0:
            print(f"{len(done)} runs after {time.monotonic() - started:.0f} s", flush=True)
    for worker in workers:
        if failed:
            worker.terminate()
        worker.join()
    print(f"{'verdict':10} {'runs':>5} {'restarts':>8} {'messages':>8} {'samples':>8} {'s/run':>6} {'false':>6}")
    for reason, count in Counter(report.reason for report in done).most_common():
        chosen = [report for report in done if report.reason == reason]
        print(
            f"{reason:10} {count:5} {sum(r.restarted for r in chosen):8} {sum(r.messages for r in chosen):8} "
            f"{sum(r.samples for r in chosen):8} {sum(r.seconds for r in chosen) / count:6.2f} "
            f"{sum(bool(r.false) for r in chosen):6}"
        )
    false = [report.seed for report in done if report.false]
    print(f"{len(done)} runs in {time.monotonic() - started:.0f} s, {len(false)} false verdicts {false or ''}")
    return 1 if false or failed else 0


if __name__ == "__main__":
    sys.exit(main())
