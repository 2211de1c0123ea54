# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""STOMP sessions, by real sockets, with peers that behave well or not."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _stomp
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url import Endpoint
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._stomp import (
    MAX_FRAME,
    Access,
    Session,
    SessionError,
    check_ca_file,
)

CONNECTED = b"CONNECTED\nversion:1.2\nserver:ActiveMQ/5.18.3\nheart-beat:1000,0\n\n\0\n"


@contextmanager
def peer(*answers):
    """A server that answers each frame it receives with the next of ``answers``: bytes, or a function of the frame.

    None ends the connection.
    """
    frames = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            stream, dummy_address = server.accept()
            with stream:
                pending, left = b"", list(answers)
                while left:
                    while b"\0" not in pending:
                        piece = stream.recv(4096)
                        if not piece:
                            return
                        pending += piece
                    frame, dummy, pending = pending.partition(b"\0")
                    frames.append(frame.lstrip(b"\n").decode())
                    answer = left.pop(0)
                    answer = answer(frames[-1]) if callable(answer) else answer
                    if answer is None:
                        return
                    stream.sendall(answer)
                with suppress(ConnectionError):  # the session went away first
                    while stream.recv(4096):
                        pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield Endpoint("stomp", "127.0.0.1", server.getsockname()[1]), frames


def receipt(frame):
    identity = next(line for line in frame.splitlines() if line.startswith("receipt:")).partition(":")[2]
    return f"RECEIPT\nreceipt-id:{identity}\n\n\0\n".encode()


def refusal(frame):
    return b"ERROR\nmessage:User name [app] or password is invalid.\n\njava.lang.SecurityException\0\n"


def test_a_message_goes_out_and_another_comes_in():
    came, messages = threading.Event(), []

    def on_message(message):
        messages.append(message)
        came.set()

    delivery = b"MESSAGE\nsubscription:1\nmessage-id:7\nack:a7\ncorrelation-id:run:7\nredelivered:true\n\ncanary\0\n"
    with peer(CONNECTED, lambda frame: receipt(frame) + delivery, receipt, b"\n", receipt) as (endpoint, frames):
        session = Session(endpoint, Access("app", "secret"), 5.0, on_message)
        session.subscribe("/queue/canary")
        assert came.wait(5)
        session.send("/queue/canary", "canary", {"persistent": "true"})
        session.acknowledge(messages[0])
        session.close()

    assert messages == [("run:7", True, "a7")]
    assert "login:app" in frames[0]
    assert "heart-beat:0,1000" in frames[0]
    assert "ack:client-individual" in frames[1]
    assert "persistent:true" in frames[2]
    assert "id:a7" in frames[3]
    assert frames[4].startswith("DISCONNECT")
    assert session.reason == "closed"


def test_the_end_by_the_broker_is_noticed_at_once_and_its_moment_known():
    with peer(CONNECTED, None) as (endpoint, dummy_frames):
        session = Session(endpoint, Access(), 5.0)
        with pytest.raises(SessionError, match="closed by the broker"):
            session.send("/queue/a", "", {}, timeout=30.0)
    assert session.lost.is_set()
    assert session.ended_at >= session.connected_at


def test_a_missed_sign_of_life_ends_the_connection_at_the_last_one():
    with peer(CONNECTED, None) as (endpoint, dummy_frames):
        session = Session(endpoint, Access(), 5.0)
        session.on_heartbeat_timeout()
    assert (session.reason, session.ended_at) == ("no sign of life", session.heard_at)


def test_refused_credentials_are_no_matter_of_waiting_and_not_repeated():
    with peer(refusal) as (endpoint, dummy_frames), pytest.raises(SessionError, match="password is invalid") as caught:
        Session(endpoint, Access("app", "secret"), 5.0)
    assert caught.value.refused
    assert "secret" not in str(caught.value)


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(SessionError, match="refused") as caught:
        Session(Endpoint("stomp", "127.0.0.1", port), Access(), 5.0)
    assert not caught.value.refused


def test_somebody_listens_and_says_nothing():
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = Endpoint("stomp", "127.0.0.1", server.getsockname()[1])
        with pytest.raises(SessionError, match="no broker answers"):
            Session(endpoint, Access(), 0.2)


def test_a_silent_broker_is_dead_since_it_was_last_heard():
    times = iter(range(0, 100, 10))
    with peer(CONNECTED, b"") as (endpoint, dummy_frames):
        session = Session(endpoint, Access(), 5.0, now=lambda: float(next(times)))
        heard = session.heard_at
        session.check()
    assert session.lost.is_set()
    assert session.ended_at == heard
    assert session.reason == "silent for 2.5 s"


def test_a_frame_without_end_is_not_kept():
    with peer(CONNECTED, b"MESSAGE\n\n" + b"x" * (MAX_FRAME + 1)) as (endpoint, dummy_frames):
        session = Session(endpoint, Access(), 5.0)
        with pytest.raises(SessionError, match="longer than"):
            session.send("/queue/a", "", {}, timeout=30.0)


def test_a_file_of_authorities_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        check_ca_file(str(tmp_path / "none.pem"))
    check_ca_file(None)


def test_stomp_py_keeps_standard_error_clean(capfd):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(SessionError):
        Session(Endpoint("stomp", "127.0.0.1", port), Access(), 1.0)

    assert capfd.readouterr() == ("", "")
    assert _stomp.HAS_STOMP
