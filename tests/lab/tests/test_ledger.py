# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Doctored ledgers: the audit must see what is wrong with each of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab import ledger

START = 1_700_000_000.0
QUEUE = "queue://orders.new"
TOPIC = "topic://prices"


def line(seconds: float, event: str, **fields: Any) -> str:
    return json.dumps({"t": START + seconds, "ev": event, **fields}, separators=(",", ":")) + "\n"


def sent(seconds: float, number: int, dest: str = QUEUE) -> str:
    return line(seconds, "sent", id=f"orders:17:{number}", dest=dest)


def received(seconds: float, number: int, dest: str = QUEUE) -> str:
    return line(seconds, "recv", id=f"orders:17:{number}", dest=dest)


def audit(folder: Path, *, since: float | None = None, **files: str) -> ledger.Audit:
    """Write a ledger (keyword: file name with _ for the dot) and audit it."""
    for name, text in files.items():
        (folder / f"{name.replace('_', '.')}.jsonl").write_text(text)
    return ledger.audit(ledger.read(folder), since=None if since is None else START + since)


def test_one_lost_message_among_100_000_is_named(tmp_path: Path) -> None:
    count, lost = 100_000, 54_321
    result = audit(
        tmp_path,
        app1_orders="".join(sent(n / 100, n) for n in range(1, count + 1)),
        app2_mailer="".join(received(n / 100 + 0.01, n) for n in range(1, count + 1) if n != lost),
    )
    assert not result.passed
    assert (result.produced, result.consumed, result.lost) == (count, count - 1, 1)
    assert f"{QUEUE} orders:17:{lost}," in result.lost_examples[0]
    assert f"orders:17:{lost}," in result.render()
    assert result.render().endswith("FAILED: 1 confirmed message was never received")


def test_a_whole_ledger_passes(tmp_path: Path) -> None:
    result = audit(tmp_path, app1_orders=sent(0, 1) + sent(1, 2), app2_mailer=received(0.5, 1) + received(1.5, 2))
    assert result.passed
    assert result.render().endswith("PASSED")
    assert (result.produced, result.consumed, result.lost, result.duplicated, result.reordered) == (2, 2, 0, 0, 0)
    assert [(row.host, row.service, row.sent, row.received) for row in result.services] == [
        ("app1", "orders", 2, 0),
        ("app2", "mailer", 0, 2),
    ]
    assert json.loads(json.dumps(result.to_dict()))["passed"] is True


@pytest.mark.parametrize("files", [{}, {"app1_orders": ""}, {"app1_orders": line(0, "start"), "b_c": received(0, 1)}])
def test_nothing_produced_fails(tmp_path: Path, files: dict[str, str]) -> None:
    result = audit(tmp_path, since=None, **files)
    assert not result.passed
    assert result.verdict == "FAILED: nothing was produced"


def test_duplicates_count_over_all_receivers_of_a_queue(tmp_path: Path) -> None:
    result = audit(
        tmp_path,
        app1_orders=sent(0, 1) + sent(0, 2),
        app2_mailer=received(1, 1) + received(2, 1) + received(2, 2),
        app3_mailer=received(3, 1),
    )
    assert result.passed
    assert (result.consumed, result.duplicated) == (2, 2)
    assert [row.duplicated for row in result.services] == [0, 1, 1]


def test_a_message_confirmed_twice_counts_once(tmp_path: Path) -> None:
    result = audit(tmp_path, app1_orders=sent(0, 1) + sent(5, 1), app2_mailer=received(1, 1))
    assert (result.produced, result.consumed, result.duplicated) == (1, 1, 0)


def test_reordering_is_seen_across_receivers(tmp_path: Path) -> None:
    result = audit(
        tmp_path,
        app1_orders="".join(sent(n, n) for n in range(1, 6)),
        app2_mailer=received(10, 1) + received(12, 4) + received(14, 5),
        app3_mailer=received(11, 2) + received(13, 3),
    )
    assert result.reordered == 1


def test_a_redelivery_is_not_reordered(tmp_path: Path) -> None:
    result = audit(tmp_path, a_b=sent(0, 1) + sent(1, 2), c_d=received(2, 1) + received(3, 2) + received(4, 1))
    assert (result.reordered, result.duplicated) == (0, 1)


def test_each_process_and_destination_has_its_own_sequence(tmp_path: Path) -> None:
    other = "queue://orders.done"
    later = line(4, "recv", id="orders:18:1", dest=QUEUE)
    result = audit(
        tmp_path,
        a_b=sent(0, 1) + sent(0, 9) + sent(0, 1, other) + line(0, "sent", id="orders:18:1", dest=QUEUE),
        c_d=received(1, 1) + received(2, 9) + received(3, 1, other) + later,
    )
    assert (result.produced, result.reordered, result.lost) == (4, 0, 0)


def test_received_but_never_confirmed_is_not_a_loss(tmp_path: Path) -> None:
    unsure = line(1, "unsure", id="orders:17:2", dest=QUEUE)
    result = audit(tmp_path, a_b=sent(0, 1) + unsure, c_d=received(1, 1) + received(2, 2) + received(3, 3))
    assert result.passed
    assert (result.produced, result.consumed, result.unconfirmed, result.unsure) == (1, 1, 2, 1)


def test_gaps_are_exact(tmp_path: Path) -> None:
    result = audit(
        tmp_path,
        app1_orders=sent(0, 1) + sent(0.25, 2) + sent(3.5, 3) + sent(3.6, 4),
        app2_mailer=received(0.1, 1) + received(0.3, 2) + received(6.3, 4),
        app3_mailer=received(4.6, 3),
    )
    assert result.producer_gap == ledger.Gap(3.25, START + 0.25, f"app1.orders to {QUEUE}")
    assert result.delivery_gap == ledger.Gap(4.3, START + 0.3, QUEUE)
    assert "3.250 s from 22:13:20.250Z" in result.render()


def test_what_is_passed_on_makes_no_producer_gap(tmp_path: Path) -> None:
    done = "queue://orders.done"
    result = audit(
        tmp_path,
        app1_worker=line(0, "start", x=f"pid=7 role=both forward={done}")
        + sent(1, 1, done)
        + sent(9, 2, done)
        + sent(2, 3)
        + sent(4, 4),
    )
    assert result.producer_gap == ledger.Gap(2, START + 2, f"app1.worker to {QUEUE}")


def test_only_messages_since_then_are_judged(tmp_path: Path) -> None:
    result = audit(
        tmp_path,
        since=10,
        app1_orders=sent(1, 1) + sent(2, 2) + sent(11, 3) + sent(12, 4),
        app2_mailer=received(11, 2) + received(12, 3) + received(13, 4) + received(13.5, 2),
    )
    assert result.passed
    assert (result.produced, result.consumed, result.duplicated, result.unconfirmed) == (2, 2, 1, 0)
    assert result.producer_gap is not None
    assert result.producer_gap.seconds == 1


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    result = audit(tmp_path, a_b=sent(0, 1) + sent(1, 2)[:30], c_d=received(1, 1))
    assert result.passed
    assert result.produced == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("garbage\n", "not JSON"),
        (sent(1, 2)[:30] + "\n", "not JSON"),
        (sent(1, 2)[:30] + sent(1, 3), "not JSON"),
        ("[1]\n", "not an object"),
        ('{"t":"now","ev":"stop"}\n', "t is not a time"),
        ('{"t":true,"ev":"stop"}\n', "t is not a time"),
        ('{"t":NaN,"ev":"stop"}\n', "t is not a time"),
        ('{"t":1' + "0" * 400 + ',"ev":"stop"}\n', "t is not a time"),
        ('{"t":1,"ev":"lost"}\n', "ev is not an event"),
        ('{"t":1,"ev":[]}\n', "ev is not an event"),
        ('{"t":1,"ev":"sent","id":"a"}\n', "sent needs id and dest"),
        ('{"t":1,"ev":"sent","id":5,"dest":"queue://a"}\n', "id, dest and x are not texts"),
        ("x" * 20_000, "too long"),
        ("[" * 8_000 + "\n", "not JSON"),
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ledger.LedgerError, match=rf"app1\.orders\.jsonl, line 2: {reason}"):
        audit(tmp_path, app1_orders=sent(0, 1) + text)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ledger.LedgerError, match=r"there is no ledger .*nowhere"):
        ledger.read(tmp_path / "nowhere")


def test_a_topic_message_is_due_to_every_durable_subscriber(tmp_path: Path) -> None:
    subscribed = line(0, "subscribed", dest=TOPIC, x="sub")
    result = audit(
        tmp_path,
        app1_orders=sent(0.5, 1, TOPIC) + sent(5, 2, TOPIC) + sent(6, 3, TOPIC),
        app2_audit=subscribed + received(5, 2, TOPIC) + received(6, 3, TOPIC),
        app3_stats=subscribed + received(5, 2, TOPIC),
        app4_watch=line(0, "subscribed", dest=TOPIC) + received(6, 3, TOPIC),
    )
    assert (result.produced, result.consumed, result.lost, result.duplicated) == (3, 2, 1, 0)
    assert "orders:17:3" in result.lost_examples[0]
    assert result.lost_examples[0].endswith("was not received by app3.stats")
