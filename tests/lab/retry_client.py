# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client that connects to the first broker that answers, anew every 20 ms: the second opinion about an outage.

It shares nothing with the collection: sockets and TLS of the standard library, and the few words of STOMP it needs.
What it prints, a line of JSON for each outage, is compared with what the collection measured.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from lab import plan, shell

if TYPE_CHECKING:
    from lab.lab import Lab

RETRY_S = 0.02
#: How long one step of an attempt may take. A standby refuses at once, but a JVM that has just started needs half a
#: second and more for its first TLS handshakes.
PATIENCE_S = 5.0


class Window(TypedDict):
    """An outage as the client saw it: when the first attempt that failed began, and the first that did not.

    Seconds of the epoch.
    """

    begin: float
    end: float


def main() -> None:
    """Watch until the process is ended. The password comes by standard input."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ca-file", required=True)
    parser.add_argument("--username", required=True)
    parser.add_argument("hosts", nargs="+", help="host:port")
    options = parser.parse_args()
    password = sys.stdin.readline().rstrip("\n")
    context = ssl.create_default_context(cafile=options.ca_file)
    # A clock that is set meanwhile must not disturb.
    offset = time.time() - time.monotonic()
    place, lost = "", 0.0
    while True:
        begun = offset + time.monotonic()
        if place and not _answers(place, context, options.username, password):
            place, lost = "", begun
        for candidate in [] if place else options.hosts:
            begun = offset + time.monotonic()
            if _answers(candidate, context, options.username, password):
                print(json.dumps({"begin": lost, "end": begun} if lost else {"connected": candidate}), flush=True)
                place = candidate
                break
        # This rhythm is what the client is for: its windows are no finer.
        time.sleep(RETRY_S)


def _answers(place: str, context: ssl.SSLContext, username: str, password: str) -> bool:
    """Whether the broker confirms a connection, which is ended in order."""
    host, _colon, port = place.rpartition(":")
    try:
        with (
            socket.create_connection((host, int(port)), PATIENCE_S) as raw,
            context.wrap_socket(raw, server_hostname=host) as stream,
        ):
            stream.sendall(f"CONNECT\naccept-version:1.2\nhost:x\nlogin:{username}\npasscode:{password}\n\n\0".encode())
            confirmed = _frame(stream).startswith(b"CONNECTED")
            stream.sendall(b"DISCONNECT\nreceipt:1\n\n\0")
            return _frame(stream).startswith(b"RECEIPT") and confirmed
    except OSError:
        return False


def _frame(stream: ssl.SSLSocket) -> bytes:
    answer = b""
    while b"\0" not in answer:
        piece = stream.recv(4096)
        if not piece:
            raise ConnectionError
        answer += piece
    return answer.lstrip()


@contextlib.contextmanager
def watching(lab: Lab) -> Iterator[Path]:
    """Such a client beside the controller, for the time of the block; the file that it writes. See windows()."""
    output = lab.folder / "retry_client.jsonl"
    places = [f"{lab.name_of(name)}:{plan.STOMP_TLS}" for name in plan.TARGETS]
    options = ["--ca-file", str(lab.pki / "ca.pem"), "--username", plan.APP_USER, *places]
    command = [*lab.controller(), "env", f"PYTHONPATH={Path(__file__).parents[1]}", sys.executable, "-m", __name__]
    with output.open("w") as stream:
        process = subprocess.Popen([*command, *options], stdin=subprocess.PIPE, stdout=stream, text=True)
        try:
            assert process.stdin is not None
            process.stdin.write(f"{plan.APP_PASSWORD}\n")
            process.stdin.close()
            shell.wait_for(lambda: "connected" in output.read_text(), 20, "the connection of the second client")
            yield output
        finally:
            process.terminate()
            process.wait()


def windows(output: Path) -> list[Window]:
    """The outages that the client saw so far."""
    records = [json.loads(line) for line in output.read_text().splitlines()]
    return [record for record in records if "begin" in record]


if __name__ == "__main__":
    main()
