# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's way with processes, files, software and a machine that does not suit it."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lab import cli, guard, hosts, lab, network, plan, shell, software
from lab.hosts import ProcessHost, Unit
from lab.lab import Lab, Record, exclusive
from lab.shell import LabError


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab that is not up, its place for sockets in the test's folder."""
    monkeypatch.setattr(shell, "RUN_FOLDER", str(tmp_path / "run-"))
    return Lab(tmp_path / "lab")


def run_cli(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What a failing command tells the operator."""
    assert cli.main([str(word) for word in arguments]) == 1
    return capsys.readouterr().err


@pytest.mark.parametrize("command", ["status", "audit", "traffic start", "traffic stop", "fault kill source"])
def test_without_a_lab_commands_say_one_sentence(
    command: str, scratch: Lab, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    said = run_cli(capsys, "--folder", scratch.folder, *command.split())
    assert said == f"lab: no lab is up in {scratch.folder}; bring one up with 'make lab-up'\n"


def test_without_root_the_command_line_says_so(
    scratch: Lab, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert (
        run_cli(capsys, "--folder", scratch.folder, "up") == "lab: the lab needs root: run it as root or through sudo\n"
    )
    assert not scratch.folder.exists()


@pytest.mark.parametrize(("need", "word"), [("_NEEDED_MEMORY", "memory"), ("_NEEDED_DISK", "disk")])
def test_a_machine_that_is_too_small_is_refused(
    need: str, word: str, scratch: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab, "_NEEDED_MEMORY", 0)
    monkeypatch.setattr(lab, "_NEEDED_DISK", 0)
    lab.check_machine(scratch.folder)
    monkeypatch.setattr(lab, need, 2**60)
    with pytest.raises(LabError, match=f"GiB of free {word}"):
        lab.check_machine(scratch.folder)


def test_a_damaged_record_is_named(scratch: Lab) -> None:
    scratch.folder.mkdir()
    for text in ("", "{", '{"plan": "demo"}', "[]"):
        (scratch.folder / "lab.json").write_text(text)
        with pytest.raises(LabError, match="is damaged"):
            scratch.record.complete  # noqa: B018  # reading it is the point
    assert not scratch.healthy()
    assert scratch.owner is None


def test_an_unfinished_lab_is_not_healthy(scratch: Lab) -> None:
    scratch.folder.mkdir()
    scratch._write_record(Record("demo", "processes", "", "a", "b", 0.0, owner=4711, complete=False))
    assert (scratch.record.plan, scratch.owner) == ("demo", 4711)
    assert not scratch.healthy()


def test_one_folder_has_one_user_at_a_time(scratch: Lab) -> None:
    with exclusive(scratch), pytest.raises(LabError, match="another run is using"), exclusive(scratch):
        pass
    with exclusive(scratch):
        pass


def test_two_folders_with_one_id_are_told_apart(tmp_path: Path, scratch: Lab) -> None:
    scratch._claim()
    scratch._claim()
    other = Lab(tmp_path / "other")
    assert other.id != scratch.id
    other.sockets = scratch.sockets
    with pytest.raises(LabError, match=f"the lab in {scratch.folder} happens to have"):
        other.down()


def test_a_taken_port_is_named(scratch: Lab) -> None:
    address = scratch.address(11, "processes")
    assert network.busy(address, [61617]) is None
    with socket.create_server((address, 61617)):
        assert network.busy(address, [61614, 61617]) == 61617
        with pytest.raises(LabError, match=f"port 61617 of {address} is taken"):
            scratch._check_ports(plan.DEMO)


def test_knocking_tells_refusal_from_acceptance() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert network.knock(None, "127.0.0.1", port) == "accepts"
    assert network.knock(None, "127.0.0.1", port) == "refuses"


def test_a_failed_command_is_named_with_its_complaint() -> None:
    with pytest.raises(LabError, match=r"^sh -c .* failed with status 3: no luck$"):
        shell.run(["sh", "-c", "echo first >&2; echo no luck >&2; exit 3"])
    with pytest.raises(LabError, match=r"^the command no-such-command is not installed$"):
        shell.run(["no-such-command"])
    with pytest.raises(LabError, match=r"^sleep 9 did not end within 0 s$"):
        shell.run(["sleep", "9"], timeout=0.01)


def test_a_secret_is_never_written_for_all_to_read(tmp_path: Path) -> None:
    path = tmp_path / "deep/secret"
    shell.write(path, "first", 0o600)
    shell.write(path, "2nd", 0o640)
    assert path.read_text() == "2nd"
    assert path.stat().st_mode & 0o777 == 0o640


def test_marked_processes_are_found_and_ended() -> None:
    mark = f"test-{os.getpid()}"
    with subprocess.Popen(["sleep", "60"], env={**os.environ, shell.MARK: mark}) as process:
        shell.wait_for(lambda: shell.marked(mark) == [process.pid], 5, "the start of sleep")
        shell.end_marked(mark)
        assert process.wait(5) != 0
    assert shell.marked(mark) == []


def test_a_unit_of_a_process_host_is_known_by_what_it_wrote(tmp_path: Path) -> None:
    host = ProcessHost("one", "127.0.0.1", tmp_path / "one", lab_id=f"test-{os.getpid()}")
    host.install(Unit("sleeper", ["sleep", "60"]))
    assert host.state() == "ended"
    with pytest.raises(LabError, match="host one has no unit other"):
        host.unit("start", "other")
    try:
        host.unit("start", "sleeper")
        first = host.unit_pid("sleeper")
        host.unit("start", "sleeper")
        assert first is not None
        assert host.unit_pid("sleeper") == first
        host.unit("restart", "sleeper")
        second = host.unit_pid("sleeper")
        assert second not in {None, first}
        host.pid_file("sleeper").with_suffix(".birth").write_text("1")
        assert host.unit_pid("sleeper") is None, "another process with the same id is not the unit"
        host.pid_file("sleeper").with_suffix(".birth").write_text(str(shell.birth(second or 0)))
    finally:
        hosts.end_all(tmp_path, f"test-{os.getpid()}")
    assert host.unit_pid("sleeper") is None


def test_a_systemd_unit_keeps_its_words_apart() -> None:
    text = Unit("one", ["run", 'say "hi"', "back\\slash"], environment_file="/etc/one").systemd()
    assert 'ExecStart="run" "say \\"hi\\"" "back\\\\slash"' in text
    assert "EnvironmentFile=/etc/one" in text


def test_software_falls_back_to_debian_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    debian = software.Software("debian", "5.17.2", software.DEBIAN_HOME)
    asked = []

    def unreachable(version: str, digest: str) -> software.Software:
        asked.append(version)
        raise LabError("no network")

    monkeypatch.setattr(software, "_apache", unreachable)
    monkeypatch.setattr(software, "_debian", lambda: debian)
    assert software.find() == ({"source": debian, "target": debian}, "no network")
    assert len(asked) == 1, "one failure is enough"
    assert software.find("debian") == ({"source": debian, "target": debian}, "")
    with pytest.raises(LabError, match="no network"):
        software.find("apache")


def test_software_is_apaches_where_it_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(software, "_apache", lambda version, digest: software.Software("apache", version, Path("/x")))
    found, reason = software.find()
    assert (found["source"].version, found["target"].version, reason) == ("5.16.6", "5.18.3", "")


def test_a_download_with_a_wrong_checksum_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "apache-activemq-1.0-bin.tar.gz"
    archive.write_bytes(b"something else")
    monkeypatch.setattr("shutil.which", lambda name: name)
    monkeypatch.setattr(shell, "run", lambda argv, **options: subprocess.CompletedProcess(argv, 0, "", ""))
    with pytest.raises(LabError, match=r"has checksum .*, expected abc"):
        software._download("org.apache.activemq:apache-activemq:1.0:tar.gz:bin", "abc", archive)


@pytest.mark.parametrize("keep", [False, True])
def test_a_guarded_lab_is_taken_down_unless_it_is_kept(
    keep: bool, scratch: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    downs: list[str] = []
    monkeypatch.setattr(Lab, "down", lambda self: downs.append(self.id))
    monkeypatch.setattr(
        Lab, "command", lambda self: [sys.executable, "-c", "import os, sys; os.read(int(sys.argv[2]), 1)"]
    )
    scratch.folder.mkdir()
    with guard.guarded(scratch, keep=keep):
        assert os.environ[shell.MARK] == scratch.id
    assert os.environ.get(shell.MARK) != scratch.id
    assert downs == ([] if keep else [scratch.id])
    with pytest.raises(KeyError), guard.guarded(scratch, keep=keep):
        raise KeyError("a failure")
    assert downs[-1:] == [scratch.id]


@pytest.mark.parametrize(("owner", "message", "down"), [(1, b"", True), (2, b"", False), (1, b"1", False)])
def test_a_guard_acts_for_its_owner_only(
    owner: int, message: bytes, down: bool, scratch: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    downs: list[str] = []
    monkeypatch.setattr(Lab, "down", lambda self: downs.append(self.id))
    scratch.folder.mkdir()
    scratch._write_record(Record("demo", "processes", "", "a", "b", 0.0, owner=owner))
    reading, writing = os.pipe()
    os.write(writing, message)
    os.close(writing)
    guard.guard(scratch, reading, 1)
    os.close(reading)
    assert bool(downs) == down


def test_a_machine_without_enough_inotify_instances_is_refused() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(os.listdir("/proc/self/fd"))
    # The kernel says the same when the limit of open files is met, which nobody else feels.
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 20, hard))
    try:
        hosts.check_inotify(1)
        with pytest.raises(LabError, match=r"10 hosts need 50 .*are left .*raise the sysctl fs.inotify"):
            hosts.check_inotify(10)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
