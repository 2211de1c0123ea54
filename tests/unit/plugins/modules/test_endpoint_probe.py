# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module around the probe, with peers on the loopback interface."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._probe import Problem, Report
from ansible_collections.mqlift.amazon_mq.plugins.modules import endpoint_probe

REFUSED = b"ERROR\nmessage:User name [shop] or password is invalid.\n\n\0"


@pytest.fixture
def broker() -> Iterator[str]:
    """The endpoint of a STOMP broker that refuses whoever comes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            connection, dummy_address = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(REFUSED)
                connection.recv(4096)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"stomp://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(5)


@pytest.fixture
def dead() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"tcp://127.0.0.1:{listener.getsockname()[1]}"


def run(capsys: pytest.CaptureFixture[str], **args: Any) -> dict[str, Any]:
    with patch_module_args(args), pytest.raises(SystemExit):
        endpoint_probe.main()
    out = capsys.readouterr().out
    assert "s3cret" not in out
    result: dict[str, Any] = json.loads(out)
    return result


def test_tells_what_it_sees(capsys: pytest.CaptureFixture[str], broker: str, dead: str) -> None:
    seen = run(capsys, endpoints=[dead, broker], username="shop", password="s3cret")

    assert seen["changed"] is False
    assert [(each["endpoint"], each["active"], each["authenticated"]) for each in seen["endpoints"]] == [
        (dead, False, None),
        (broker, True, False),
    ]
    assert seen["active"] == [broker]
    assert seen["problems"] == [
        {"endpoint": broker, "code": "credentials_refused", "message": "the broker refuses the credentials"}
    ]


def test_a_requirement_that_is_not_met_names_each_endpoint_and_why(
    capsys: pytest.CaptureFixture[str], broker: str, dead: str
) -> None:
    seen = run(capsys, endpoints=[dead, broker], username="shop", password="s3cret", require="one_active")

    assert seen["failed"] is True
    assert f"no OpenWire endpoint can be used ({dead}: 127.0.0.1:" in seen["msg"]
    assert f"no STOMP endpoint can be used ({broker}: a broker answers and refuses the credentials)" in seen["msg"]
    assert len(seen["endpoints"]) == 2


def test_an_empty_user_name_is_none(capsys: pytest.CaptureFixture[str], broker: str) -> None:
    seen = run(capsys, endpoints=[broker], username="", password="", require="one_active", _ansible_check_mode=True)

    assert seen["endpoints"][0]["authenticated"] is None
    assert seen["endpoints"][0]["reason"] == "a broker answers and demands credentials"


def test_a_certificate_that_expires_soon_is_a_warning(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = Problem("certificate_expires_soon", "the certificate expires soon")
    report = Report("ssl://a:1", "openwire", "a", 1, active=True, problems=[problem])
    monkeypatch.setattr(endpoint_probe, "look_at_all", lambda *args: [report])
    # Where a test of an action ran before in the same process, Ansible shows warnings instead of returning them.
    warnings: list[str] = []
    monkeypatch.setattr(endpoint_probe.AnsibleModule, "warn", lambda self, text: warnings.append(text))

    seen = run(capsys, endpoints=["ssl://a:1"], require="all_active")

    assert "failed" not in seen
    assert warnings == ["ssl://a:1: the certificate expires soon"]


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"endpoints": []}, "endpoints is empty"),
        ({"endpoints": ["https://broker.example:8162"]}, "unknown scheme 'https'"),
        ({"endpoints": ["tcp://shop:secret@broker.example:1"]}, "holds credentials"),
        ({"endpoints": ["tcp://a:1"], "timeout": 0}, "timeout must be greater than 0"),
        ({"endpoints": ["tcp://a:1"], "timeout": "nan"}, "timeout must be greater than 0"),
        ({"endpoints": ["tcp://a:1"], "username": "shop", "password": "s3cret\n"}, "the password must not contain"),
        ({"endpoints": ["ssl://a:1"], "ca_file": "/nonexistent/ca.pem"}, "ca_file /nonexistent/ca.pem: No such file"),
    ],
)
def test_bad_arguments(capsys: pytest.CaptureFixture[str], args: dict[str, Any], reason: str) -> None:
    seen = run(capsys, **args)

    assert seen["failed"] is True
    assert reason in seen["msg"]
