# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's network: one namespace with a bridge, where the controller sits, and one namespace per host on that bridge.

Nothing of it is in the machine's own network, so that two labs never meet.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from lab import plan, shell
from lab.shell import LabError

SUBNET = "10.99.0"
CONTROLLER = f"{SUBNET}.{plan.CONTROLLER_NUMBER}"
BRIDGE = "br0"
#: linux/sched.h, linux/sockios.h, linux/ethtool.h
_CLONE_NEWNET, _SIOCETHTOOL, _ETHTOOL_STXCSUM = 0x40000000, 0x8946, 0x00000017
_LIBC = ctypes.CDLL(None, use_errno=True)


def switch_name(lab_id: str) -> str:
    """The name of the namespace that holds the bridge and the controller."""
    return f"mqlab-{lab_id}"


def ensure_switch(lab_id: str, names: Mapping[str, Sequence[str]]) -> None:
    """Make the controller's namespace if it is not there, and the names that resolve in it (address -> names)."""
    name = switch_name(lab_id)
    # ip netns exec binds these over /etc; they are written in place, so that commands under way see the change.
    files = Path("/etc/netns", name)
    shell.write(files / "hosts", hosts_file(names))
    shell.write(files / "resolv.conf", "")
    if name in list_namespaces():
        return
    shell.run(["ip", "netns", "add", name])
    script = [
        "link set lo up",
        f"link add {BRIDGE} type bridge",
        f"addr add {CONTROLLER}/24 dev {BRIDGE}",
        f"link set {BRIDGE} up",
    ]
    shell.run(["ip", "-n", name, "-batch", "-"], stdin="\n".join(script))


def plug(lab_id: str, namespaces: Mapping[str, str]) -> None:
    """Make a namespace for each host (name -> address) and plug it into the bridge."""
    switch = switch_name(lab_id)
    outer = []
    for namespace, address in namespaces.items():
        shell.run(["ip", "netns", "add", namespace])
        outer += [
            f"link add {port(address)} type veth peer name eth0 netns {namespace}",
            f"link set {port(address)} master {BRIDGE} up",
        ]
        inner = ["link set lo up", f"addr add {address}/24 dev eth0", "link set eth0 up"]
        # The switch's side must exist before eth0 does.
        shell.run(["ip", "-n", switch, "-batch", "-"], stdin="\n".join(outer[-2:]))
        shell.run(["ip", "-n", namespace, "-batch", "-"], stdin="\n".join(inner))


def port(address: str) -> str:
    """The bridge's port of the host with this address."""
    return f"host{address.rpartition('.')[2]}"


def list_namespaces() -> list[str]:
    """The names of all network namespaces of the machine."""
    folder = Path("/run/netns")
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def remove(lab_id: str, *, keep_switch: bool = False) -> None:
    """Take all namespaces of a lab away; their links go with them. The controller's may be kept."""
    name = switch_name(lab_id)
    for namespace in list_namespaces():
        if namespace.startswith(f"{name}-") or (namespace == name and not keep_switch):
            shell.run(["ip", "netns", "del", namespace])
    if keep_switch and name in list_namespaces():
        return
    for path in (Path("/etc/netns", name, "hosts"), Path("/etc/netns", name, "resolv.conf")):
        path.unlink(missing_ok=True)
    for folder in (Path("/etc/netns", name), Path("/etc/netns")):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def hosts_file(names: Mapping[str, Sequence[str]]) -> str:
    """The text of /etc/hosts for address -> names."""
    lines = ["127.0.0.1 localhost", *(f"{address} {' '.join(words)}" for address, words in names.items())]
    return "\n".join(lines) + "\n"


def delay(lab_id: str, host_port: str, milliseconds: int, command: Sequence[str], log: Path) -> None:
    """Put a slow relay between a host's port and the bridge."""
    undelay(lab_id, host_port)
    switch = switch_name(lab_id)
    for namespace in list_namespaces():
        if namespace == switch:
            disable_offload(namespace, BRIDGE)
        elif namespace.startswith(f"{switch}-"):
            disable_offload(namespace, "eth0")
    near, far = _relay_ends(host_port)
    script = [
        f"link set {host_port} nomaster promisc on",
        f"link add {near} type veth peer name {far}",
        f"link set {near} promisc on up",
        f"link set {far} master {BRIDGE} up",
    ]
    shell.run(["ip", "-n", switch, "-batch", "-"], stdin="\n".join(script))
    enter = ["nsenter", f"--net=/run/netns/{switch}"]
    shell.spawn([*enter, *command, "relay", host_port, near, str(milliseconds)], mark=lab_id, log=log)


def undelay(lab_id: str, host_port: str) -> None:
    """Take a slow relay away; without one this does nothing."""
    switch = switch_name(lab_id)
    near = _relay_ends(host_port)[0]
    if shell.run(["ip", "-n", switch, "link", "show", near], check=False).returncode != 0:
        return
    # The relay ends with its interface.
    shell.run(["ip", "-n", switch, "link", "del", near])
    shell.run(["ip", "-n", switch, "link", "set", host_port, "master", BRIDGE])


def _relay_ends(host_port: str) -> tuple[str, str]:
    return f"{host_port}n", f"{host_port}f"


def disable_offload(namespace: str, interface: str) -> None:
    """Make an interface send whole frames.

    What leaves a virtual interface has no checksum yet and may be larger than the link allows; a relay needs real
    frames.
    """
    value = array.array("I", [_ETHTOOL_STXCSUM, 0])
    request = struct.pack("16sP", interface.encode(), value.buffer_info()[0])
    try:
        with entered(namespace), socket.socket() as item:
            fcntl.ioctl(item.fileno(), _SIOCETHTOOL, request)
    except OSError as error:
        raise LabError(f"the checksum offload of {interface} in {namespace} could not be turned off") from error


@contextlib.contextmanager
def entered(namespace: str | None) -> Iterator[None]:
    """Be in a network namespace (None: stay): sockets that this thread makes meanwhile belong to it."""
    if namespace is None:
        yield
        return
    with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{namespace}") as away:
        _set_namespace(away.fileno())
        try:
            yield
        finally:
            _set_namespace(home.fileno())


def _set_namespace(descriptor: int) -> None:
    if _LIBC.setns(descriptor, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


Knock = Literal["accepts", "refuses", "silent"]


def knock(namespace: str | None, address: str, port: int, *, timeout: float = 2) -> Knock:
    """What a TCP connection to the address meets, tried from a network namespace; bounded by *timeout* seconds."""
    try:
        with entered(namespace):
            socket.create_connection((address, port), timeout).close()
    except ConnectionRefusedError:
        return "refuses"
    except OSError:
        return "silent"
    return "accepts"


def ssh_answers(namespace: str | None, address: str, port: int, *, timeout: float = 2) -> bool:
    """Whether an sshd greets at the address, tried from a network namespace; bounded by *timeout* seconds."""
    try:
        with entered(namespace), socket.create_connection((address, port), timeout) as item:
            return item.recv(4) == b"SSH-"
    except OSError:
        return False


def busy(address: str, ports: Sequence[int]) -> int | None:
    """The first of these ports of a loopback address that another program listens on."""
    for number in ports:
        with socket.socket() as item:
            item.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                item.bind((address, number))
            except OSError:
                return number
    return None
