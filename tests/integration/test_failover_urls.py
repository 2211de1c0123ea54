# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our reading of broker URLs against the clients themselves: two ActiveMQ releases, stomp.py, and real brokers."""

from __future__ import annotations

import base64
import os
import random
import re
import socket
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import stomp

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url import build
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url_options import (
    ENDPOINT_OPTIONS,
    FAILOVER_OPTIONS,
    JMS_OPTIONS,
    Table,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url_read import Reading, gives_up, read
from lab import services, software

NAMES = ("A", "B", "C")
SMALL_JVM = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")
JAVA_SOURCES = sorted((Path(__file__).parent / "urlcheck").glob("*.java"))
LETTER = r"(?<![A-Za-z0-9])[ABCD](?![A-Za-z0-9=])"
SEED = 20261121
GENERATED = 120
MUTATED = 240

# In these, A, B and C stand for the addresses of the brokers and D for one where nobody listens.
HAND_PICKED = """
failover:(tcp://A,tcp://B)?randomize=false
failover:(tcp://D,tcp://B)?randomize=false
failover:(tcp://D,tcp://C,tcp://A)?randomize=false
failover:(tcp://A,tcp://B,tcp://C)
failover:(tcp://A,tcp://B,tcp://C)?randomize=true
failover:(tcp://D)
failover:(tcp://D)?startupMaxReconnectAttempts=2
failover:(tcp://D)?maxReconnectAttempts=0
failover:(tcp://D)?maxReconnectAttempts=-2
failover:(tcp://D)?startupMaxReconnectAttempts=1&maxReconnectAttempts=-1
failover:(tcp://D)?initialReconnectDelay=-5
failover:(tcp://D)?maxReconnectDelay=-5
failover://(tcp://A,tcp://B)?randomize=false
failover://(tcp://D,tcp://B)?randomize=false
failover:tcp://D,tcp://B
failover://tcp://D,tcp://B
failover:tcp://A
failover:tcp://A,tcp://B?randomize=false
failover:tcp://D,tcp://B?randomize=false
failover:(tcp://A)&randomize=false
failover:(tcp://A)&amp;randomize=false
failover:(tcp://A)/?randomize=false
failover:(tcp://A)/path?randomize=false
failover:(tcp://A)path?randomize=false
failover:(tcp://A)path
failover:(tcp://A)é
failover:(tcp://A)#fragment
failover:(tcp://A)?randomize=false#fragment
failover:(tcp://A#fragment)
failover:(tcp://A#fragment,tcp://B)
FAILOVER:(tcp://A)
Failover:(tcp://A)
failover
failover:
failover://
failover:()
failover://()
failover:()?randomize=false
failover:()?startupMaxReconnectAttempts=1
failover:(())
failover:((tcp://A))
failover:((tcp://A),tcp://B)
failover:(tcp://A
failover:tcp://A)
failover:(tcp://A))
failover:((tcp://A)
failover:(tcp://A))(
failover:)tcp://A(
failover:(tcp://A?x=(,tcp://B)
failover: (tcp://A)
failover:( tcp://A)
failover:(tcp://A, tcp://B)
failover:(tcp://A ,tcp://B)
failover:(tcp://A)?randomize= false
failover:(tcp://A)?jms.password=a b
failover:(tcp://A)?jms.password=é
failover:(${A})
failover:(${broker.url})?randomize=false
failover:({{ broker }})
failover:(<tcp://A>)
"failover:(tcp://A)"
failover:(tcp://A)?jms.password=a^b
failover:(tcp://A)?jms.password=a|b
failover:(tcp://A)?jms.password=%
failover:(tcp://A)?jms.password=%zz
failover:(tcp://A)?jms.password=a%2Bb%26c%25d
failover:(tcp://A)?jms.password=a+b
failover:(tcp://A)?jms.password=a;b=c
failover:(tcp://A)?jms.password=a?b
failover:(tcp://A)?jms.password=%E2%82%AC
failover:(tcp://A)?jms.password=%FF
failover:(tcp://A)?
failover:(tcp://A)?&
failover:(tcp://A)?&randomize=false
failover:(tcp://A)?randomize=false&
failover:(tcp://A)?randomize=false&&timeout=3000
failover:(tcp://A)?=x
failover:(tcp://A)?=
failover:(tcp://A)?randomize
failover:(tcp://A)?timeout
failover:(tcp://A)?timeout=
failover:(tcp://A)?updateURIsURL
failover:(tcp://A)?updateURIsURL=
failover:(tcp://A)?priorityURIs
failover:(tcp://A,tcp://B)?priorityURIs=tcp://B&randomize=false
failover:(tcp://A,tcp://B)?priorityURIs=tcp%3A//B&randomize=false
failover:(tcp://A)?priorityURIs=%7Bx
failover:(tcp://A)?randomize=yes
failover:(tcp://D,tcp://B,tcp://A)?randomize=yes
failover:(tcp://D,tcp://B,tcp://A)?randomize=FALSE
failover:(tcp://A)?randomize=TRUE
failover:(tcp://D,tcp://B,tcp://A)?randomize=
failover:(tcp://D,tcp://B,tcp://A)?randomize=false;timeout=3
failover:(tcp://D,tcp://B,tcp://A)?randomize=true&randomize=false
failover:(tcp://A)?randomize=false&amp;timeout=3
failover:(tcp://A)?Randomize=false
failover:(tcp://A)?RANDOMIZE=false
failover:(tcp://A)?randomise=false
failover:(tcp://A)?transport.randomize=false
failover:(tcp://A)?failover.randomize=false
failover:(tcp://A)?keepAlive=true
failover:(tcp://A)?backOffMultiplier=2
failover:(tcp://A)?jms.redeliveryPolicy.backOffMultiplier=2
failover:(tcp://A)?reconnectDelayExponent=2
failover:(tcp://A)?reconnectDelayExponent=2.5
failover:(tcp://A)?reconnectDelayExponent=2,5
failover:(tcp://A)?reconnectDelayExponent=2f
failover:(tcp://A)?reconnectDelayExponent=.5e1
failover:(tcp://A)?reconnectDelayExponent=NaN
failover:(tcp://A)?reconnectDelayExponent=%202%20
failover:(tcp://A)?reconnectDelayExponent=two
failover:(tcp://A)?connectionInterruptProcessingComplete=true
failover:(tcp://A)?updateClusterClients=true
failover:(tcp://A)?maxReconnectAttempts=%2B2
failover:(tcp://A)?maxReconnectAttempts=+2
failover:(tcp://A)?maxReconnectAttempts=2.0
failover:(tcp://A)?maxReconnectAttempts=2147483647
failover:(tcp://A)?maxReconnectAttempts=2147483648
failover:(tcp://A)?timeout=2147483648
failover:(tcp://A)?timeout=9223372036854775807
failover:(tcp://A)?timeout=9223372036854775808
failover:(tcp://A)?timeout=-9223372036854775808
failover:(tcp://A)?timeout=-5
failover:(tcp://A)?timeout=3s
failover:(tcp://A)?timeout=0x10
failover:(tcp://A)?timeout=1_000
failover:(tcp://A)?backup=true&backupPoolSize=-1
failover:(tcp://A,tcp://D)?backup=true
failover:(tcp://A)?warnAfterReconnectAttempts=0
failover:(tcp://A)?randomize=false?timeout=3000
failover:(tcp://D)?randomize=false?maxReconnectAttempts=1
failover:(tcp://D)?maxReconnectAttempts=1?randomize=false
failover:(tcp://A?keepAlive=true)
failover:(tcp://A?keepAlive)
failover:(tcp://A?keepAlive=)
failover:(tcp://A?KeepAlive=true)
failover:(tcp://A?keepalive=true)
failover:(tcp://A?tcpNoDelay=maybe)
failover:(tcp://A?bogus=1)
failover:(tcp://A?bogus=1,tcp://B)?randomize=false
failover:(tcp://A?bogus=1)?startupMaxReconnectAttempts=1
failover:(tcp://A?randomize=false)
failover:(tcp://A?jms.userName=x)
failover:(tcp://A?)
failover:(tcp://A?&keepAlive=true)
failover:(tcp://A?keepAlive=true&)
failover:(tcp://A?keepAlive=true&amp;trace=true)
failover:(tcp://A?keepAlive=true&soTimeout=0,tcp://B?keepAlive=true)?randomize=false
failover:(tcp://A?keepAlive=true?trace=false)
failover:(tcp://A?soTimeout=x)
failover:(tcp://A?soTimeout=x,tcp://B)?randomize=false
failover:(tcp://A?soTimeout=99999999999)
failover:(tcp://A?soLinger=0)
failover:(tcp://A?soWriteTimeout=30000)
failover:(tcp://A?soWriteTimeout=x)
failover:(tcp://A?SoWriteTimeout=5)
failover:(tcp://A?negotiateTimeout=3000)
failover:(tcp://A?minmumWireFormatVersion=1)
failover:(tcp://A?minimumWireFormatVersion=1)
failover:(tcp://A?useInactivityMonitor=false)
failover:(tcp://A?useInactivityMonitor=maybe)
failover:(tcp://A?UseInactivityMonitor=true)
failover:(tcp://A?useKeepAlive=true)
failover:(tcp://A?useKeepAlive=true&useInactivityMonitor=false)
failover:(tcp://A?useInactivityMonitor=false)?nested.useKeepAlive=true
failover:(tcp://A?soWriteTimeout=30000&negotiateTimeout=3000)
failover:(tcp://A?connectionTimeout=500)
failover:(tcp://A?trace=true)
failover:(tcp://A?wireFormat=default)
failover:(tcp://A?wireFormat=bogus)
failover:(tcp://A?wireFormat.version=9)
failover:(tcp://A?wireFormat.Version=9)
failover:(tcp://A?WireFormat.version=9)
failover:(tcp://A?wireFormat.maxInactivityDuration=0)
failover:(tcp://A?wireFormat.maxInactivityDurationInitalDelay=1000)
failover:(tcp://A?wireFormat.maxInactivityDurationInitialDelay=1000)
failover:(tcp://A?wireFormat.bogus=1)
failover:(tcp://A?wireFormat.=1)
failover:(tcp://A?wireFormat.host=%2525)
failover:(tcp://A?wireFormat.host=%25zz)
failover:(tcp://A?wireFormat.host=a%26keepAlive=true)
failover:(tcp://A?wireFormat.host=a%26bogus=true)
failover:(tcp://A?socket.tcpNoDelay=true)
failover:(tcp://A?socket.OOBInline=true)
failover:(tcp://A?socket.oOBInline=true)
failover:(tcp://A?socket.bogus=1)
failover:(tcp://A?socket.enabledProtocols=TLSv1.2)
failover:(tcp://A?socket.verifyHostName=false)
failover:(tcp://A?verifyHostName=false)
failover:(nio://A)
failover:(nio://A?keepAlive=true,tcp://B)?randomize=false
failover:(nio://A?verifyHostName=false,tcp://B)?randomize=false
failover:(ssl://D,tcp://B)?randomize=false
failover:(ssl://D?verifyHostName=false,tcp://B)?randomize=false
failover:(ssl://D?socket.enabledProtocols=TLSv1.2,tcp://B)?randomize=false
failover:(tcp://A)?nested.keepAlive=true
failover:(tcp://A)?nested.keepAlive
failover:(tcp://A)?nested.keepAlive=
failover:(tcp://A)?nested.bogus=1
failover:(tcp://A,tcp://B)?nested.bogus=1&randomize=false
failover:(tcp://A)?nested.bogus=1&startupMaxReconnectAttempts=1
failover:(tcp://A)?nested.bogus
failover:(tcp://A)?nested.=x
failover:(tcp://A)?nested=x
failover:(tcp://A)?Nested.keepAlive=true
failover:(tcp://A)?nested.soTimeout=x
failover:(tcp://A)?nested.wireFormat.maxInactivityDuration=10000
failover:(tcp://A)?nested.wireFormat.host=a%2Bb
failover:(tcp://A)?nested.wireFormat.host=a%26b%3Dc
failover:(tcp://A)?nested.wireFormat.host=a%20b
failover:(tcp://A)?nested.randomize=false
failover:(tcp://A)?nested.jms.userName=x
failover:(tcp://A)?nested.verifyHostName=false
failover:(tcp://A?soTimeout=x)?nested.soTimeout=0
failover:(tcp://A?soTimeout=0)?nested.soTimeout=x
failover:(tcp://A?bogus=1)?nested.keepAlive=true
failover:(tcp://A?)?nested.keepAlive=true
failover:(tcp://A?keepAlive=true&)?nested.keepAlive=true
failover:(tcp://A?keepAlive=true&)
failover:(tcp://A)?jms.userName=x&jms.password=y
failover:(tcp://A)?jms.userName
failover:(tcp://A)?jms.userName=
failover:(tcp://A)?jms.UserName=x
failover:(tcp://A)?JMS.userName=x
failover:(tcp://A)?jms.bogus=1
failover:(tcp://A)?jms.bogus=1&jms.userName=x
failover:(tcp://A)?jms.=x
failover:(tcp://A)?jms.sendTimeout=abc
failover:(tcp://A)?jms.sendTimeout=abc&jms.userName=x
failover:(tcp://A)?jms.sendTimeout=5000&randomize=false
failover:(tcp://A)?jms.sendTimeout
failover:(tcp://A)?jms.userName=x&randomize
failover:(tcp://A)?jms.userName=x&nested.keepAlive
failover:(tcp://A)?jms.userName=x&bogus=1
failover:(tcp://A)?jms.prefetchPolicy.all=1
failover:(tcp://A)?jms.prefetchPolicy.queuePrefetch=1&jms.prefetchPolicy.topicPrefetch=x
failover:(tcp://A)?jms.prefetchPolicy=1
failover:(tcp://A)?jms.redeliveryPolicy.maximumRedeliveries=-1
failover:(tcp://A)?jms.redeliveryPolicy.bogus=1
failover:(tcp://A)?jms.redeliveryPolicy.bogus=1&jms.userName=x
failover:(tcp://A)?jms.redeliveryPolicy=x
failover:(tcp://A)?jms.clientID=one%20two
failover:(tcp://A)?jms.useAsyncSend=yes
failover:(tcp://A)/path?jms.userName=b&randomize=false
failover:(tcp://A)?jms.userName=x#fragment
failover:(tcp://A,,tcp://B)?randomize=false
failover:(,tcp://B)
failover:(tcp://B,)
failover:(,)
failover:(,,)
failover:(host:1,tcp://B)?randomize=false
failover:(A)
failover:(A,B)
failover:A
failover:A,B
failover:(a:1,b:1)
failover:(localhost:1)
failover:(localhost)
failover:(//A,tcp://B)?randomize=false
failover:(tcp:A,tcp://B)?randomize=false
failover:(tcp:/A,tcp://B)?randomize=false
failover:(tcp:///A,tcp://B)?randomize=false
failover:(tcp://,tcp://B)
failover:(://A,tcp://B)
failover:(1tcp://A,tcp://B)
failover:(tcp_x://A,tcp://B)
failover:(TCP://A,tcp://B)?randomize=false
failover:(Tcp://A)
failover:(http://A,tcp://B)?randomize=false
failover:(amqp://A,tcp://B)?randomize=false
failover:(stomp+ssl://A)
failover:(static:(tcp://A))
failover:(tcp://:1,tcp://B)?randomize=false
failover:(tcp://127.0.0.1,tcp://B)?randomize=false
failover:(tcp://127.0.0.1:,tcp://B)?randomize=false
failover:(tcp://127.0.0.1:x,tcp://B)?randomize=false
failover:(tcp://127.0.0.1:0,tcp://B)?randomize=false
failover:(tcp://127.0.0.1:-1,tcp://B)?randomize=false
failover:(tcp://127.0.0.1:99999,tcp://B)?randomize=false
failover:(tcp://127.0.0.1:99999999999,tcp://B)?randomize=false
failover:(tcp://300.1.1.1:1,tcp://B)?randomize=false
failover:(tcp://my_host:1,tcp://B)?randomize=false
failover:(tcp://my-host-:1,tcp://B)?randomize=false
failover:(tcp://[::1]:1,tcp://B)?randomize=false
failover:(tcp://[::1]:1?keepAlive=true,tcp://B)?randomize=false
failover:(tcp://[::g]:1,tcp://B)?randomize=false
failover:(tcp://[::1:1,tcp://B)?randomize=false
failover:(tcp://::1:1,tcp://B)?randomize=false
failover://(tcp://[::1]:1,tcp://B)?randomize=false
failover:(tcp://user:secret@A)
failover:(tcp://user@A,tcp://B)?randomize=false
failover:(tcp://us@er@A,tcp://B)?randomize=false
failover:(tcp://A/)
failover:(tcp://A/path,tcp://B)?randomize=false
failover:(tcp://A/:5,tcp://B)?randomize=false
failover:(tcp://A,tcp://A)
failover:(tcp://A,nio://A)
failover:(tcp://D,nio://D,tcp://B)?randomize=false
failover:(tcp://A?bogus=1,tcp://A)
failover:(tcp://localhost:1,tcp://127.0.0.1:1,tcp://B)?randomize=false
failover:(failover:(tcp://D,tcp://B),tcp://A)?randomize=false
failover:(failover:(tcp://D),tcp://A)?randomize=false
failover:(failover:(tcp://B)?keepAlive=true,tcp://A)?randomize=false
failover:(failover:(tcp://B)?randomize=false,tcp://A)?randomize=false
failover:(tcp://D,failover:(tcp://A))?randomize=false
failover:(tcp://D,failover:(tcp://A))?randomize=false&nested.keepAlive=true
failover:(failover:(tcp://D,tcp://B)?randomize=false,failover:(tcp://A))?randomize=false
failover:(failover:(tcp://B)?keepAlive=true)?nested.randomize=false
failover:(failover://(tcp://B))
failover:(failover:tcp://B,tcp://A)?randomize=false
failover:failover:(tcp://B)
failover://(tcp://A)?jms.userName=x
failover://(tcp://A)?jms.userName=x&randomize=false
failover://(tcp://A)?jms.bogus=x
failover://(tcp://A)?jms.bogus=x&jms.userName=y
failover://(tcp://A)?jms.userName=%25zz
failover://(tcp://A?keepAlive=true)?jms.userName=x
failover://(tcp://A?keepAlive=true)
failover://(tcp://A?bogus=true,tcp://B)?randomize=false
failover://(tcp://A)&randomize=false
failover://(t=cp://A)?jms.bogus=x&jms.userName=y
failover://(tcp://A
tcp://A
tcp://D
tcp://A?keepAlive=true
tcp://A?bogus=1
tcp://A?randomize=false
tcp://A?jms.userName=x
tcp://A?jms.userName=x&keepAlive=true
tcp://A?jms.userName=x&bogus=true
tcp://A?jms.bogus=1
tcp://A?jms.bogus=1&jms.userName=x
tcp://A?jms.userName=x&keepAlive
tcp://A?jms.userName=)x
tcp://A?jms.userName=)x&keepAlive=true
tcp://A?nested.keepAlive=true
tcp://A?soTimeout=x
tcp://A?verifyHostName=false
tcp://A,tcp://B
tcp://A,tcp://B?randomize=false
(tcp://A,tcp://B)?randomize=false
nio://A
TCP://A
A
//A
tcp:
tcp:A
tcp://
tcp://A/
tcp://127.0.0.1
tcp://my_host:1
tcp://user:secret@A
tcp://A#fragment
tcp:// A
static:(tcp://A)
masterslave:(tcp://A,tcp://B)
discovery:(multicast://default)
bogus://A
""".strip("\n").split("\n")

WHITE_SPACE = (
    "",
    " failover:(tcp://A)",
    "failover:(tcp://A) ",
    "failover:(tcp://A,\ttcp://B)",
    "failover:(tcp://A,\ntcp://B)",
    "failover:(tcp://A)\n",
    "failover:(tcp://A)\u00a0",
    "failover:(tcp://A)?jms.password=\u00a0",
    "failover:(tcp://A)?jms.password=\u0085",
    "failover:(tcp://A)\u200b",
)

# What the client does otherwise than we say, and why we say it. Must stay exact.
# Template -> (the client's answer, ours, why).
DIFFERENCES: dict[str, tuple[str, str, str]] = {
    "failover:(tcp://A?keepAlive)": (
        "connected A",
        "retrying",
        "keepAlive and tcpNoDelay alone may lack a value, and then stay unset: nobody means that",
    ),
    "discovery:(multicast://default)": (
        "retrying",
        "start",
        "the client can search for brokers by multicast; an explicit list is what a migration needs",
    ),
}


@dataclass(frozen=True)
class Brokers:
    """``openwire`` and ``stomp`` are the ports of the brokers by name; ``dead`` is one where nobody listens."""

    openwire: Mapping[str, int]
    stomp: Mapping[str, int]
    dead: int

    def fill_in(self, template: str) -> str:
        """Put the OpenWire addresses in the place of the letters A to D that stand alone."""
        ports = {**self.openwire, "D": self.dead}
        return re.sub(LETTER, lambda match: f"127.0.0.1:{ports[match[0]]}", template)


def home(line: str) -> Path:
    return software.find()[0][line].home


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("urlcheck")
    jars = (home("target") / "lib").glob("*.jar")
    class_path = os.pathsep.join(map(str, jars))
    subprocess.run(
        ["javac", "--release", "11", "-cp", class_path, "-d", folder, *JAVA_SOURCES], check=True, timeout=120
    )
    return folder


@pytest.fixture(scope="module")
def brokers(classes: Path) -> Iterator[Brokers]:
    lib = home("target") / "lib"
    class_path = os.pathsep.join([str(classes), f"{lib}/*", f"{lib}/optional/*"])
    command = ["java", "-Xmx128m", *SMALL_JVM, "-cp", class_path, "Brokers", *NAMES]
    with (
        socket.socket() as taken,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process,
    ):
        # Bound, so that nobody else can listen there, and not listening itself.
        taken.bind(("127.0.0.1", 0))
        dead = int(taken.getsockname()[1])
        assert process.stdin is not None
        assert process.stdout is not None
        lines = [process.stdout.readline().split() for dummy in NAMES]
        assert [line[0] for line in lines] == list(NAMES)
        found = Brokers(
            {name: int(openwire) for name, openwire, dummy in lines},
            {name: int(stomp_port) for name, dummy, stomp_port in lines},
            dead,
        )
        # A broker that does not work is told here from a URL that does not: each is tried alone before the crowd comes.
        for name, port in found.openwire.items():
            assert ask_the_client(home("target"), classes, [f"tcp://127.0.0.1:{port}"]) == [(f"connected {name}", "")]
        yield found
        process.stdin.close()
        process.wait(timeout=20)


def ask_the_client(installation: Path, classes: Path, urls: list[str]) -> list[tuple[str, str]]:
    """What UrlCheck.java answers for each URL, and the client's reason to refuse it."""
    class_path = os.pathsep.join(map(str, [classes, *services.client_jars(installation)]))
    lines = "".join(base64.b64encode(url.encode()).decode() + "\n" for url in urls)
    done = subprocess.run(
        ["java", "-Xmx256m", "-Xss256k", *SMALL_JVM, "-cp", class_path, "UrlCheck"],
        input=lines,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = []
    for line in done.stdout.splitlines():
        answer, dummy, detail = line.partition(" ")
        if answer == "connected":
            answers.append((line, ""))
        else:
            answers.append((answer, base64.b64decode(detail).decode()))
    assert len(answers) == len(urls)
    return answers


def expected(reading: Reading, brokers: Brokers) -> set[str]:
    """The answers that our reading of a URL allows."""
    if reading.outcome in ("fails_at_creation", "fails_on_start"):
        return {"creation" if reading.outcome == "fails_at_creation" else "start"}
    names = {port: name for name, port in brokers.openwire.items()}
    found: list[set[str]] = []
    for target in reading.targets:
        if target.inner is not None:
            found.append(expected(target.inner, brokers))
        elif target.host in ("127.0.0.1", "localhost") and target.port in names and not target.tls:
            found.append({f"connected {names[target.port]}"})
    if not found:
        return {"start" if gives_up(reading) else "retrying"}
    if reading.failover and reading.options.get("randomize", True):
        return set().union(*found)
    return found[0]


# Numbers other than the default would make these connections slow or impossible for reasons that no URL shows.
UNSAFE = {"wireFormat.sizePrefixDisabled", "ignoreAllWireFormatInfo", "useLocalHost"}
# Not all clients can set socket options on nio endpoints.
NESTED = [name for name in ENDPOINT_OPTIONS if not name.startswith("socket.")]
TEXTS = ("a+b&c=d%", "p&ss:w=rd", "é€ ?#", "x;y", "(", "{}", "1")


def options(table: Table, dice: random.Random, count: int) -> dict[str, object]:
    chosen: dict[str, object] = {}
    for name in dice.sample(sorted(table), count):
        option = table[name]
        if name in UNSAFE:
            continue
        if option.type == "bool":
            chosen[name] = dice.random() < 0.5
        elif option.type in ("int", "long", "float"):
            if option.default is not None:
                chosen[name] = option.default
        elif name in ("userName", "password", "clientIDPrefix", "wireFormat.providerName"):
            chosen[name] = dice.choice(TEXTS)
    return chosen


def generated(dice: random.Random) -> list[str]:
    """URLs that build() makes, with letters for addresses: the client must take every one."""
    places = {letter: f"127.0.0.1:{port}" for port, letter in enumerate("ABCD", 1)}
    found = []
    for dummy in range(GENERATED):
        chosen = dice.sample(sorted(places), dice.randint(1, len(places)))
        nested = options({name: ENDPOINT_OPTIONS[name] for name in NESTED}, dice, 2)
        if nested.get("useInactivityMonitor") is False:
            nested = {"useInactivityMonitor": False}
        url = build(
            [f"{dice.choice(['tcp', 'tcp', 'nio'])}://{places[letter]}" for letter in chosen],
            options={**options(FAILOVER_OPTIONS, dice, 4), "startupMaxReconnectAttempts": dice.choice([-1, 1, 3])},
            nested=nested,
            jms=options(JMS_OPTIONS, dice, 2),
        )
        for letter in chosen:
            url = url.replace(places[letter], letter)
        found.append(url)
    return found


def mutated(urls: list[str], dice: random.Random) -> list[str]:
    """URLs with a slip of the pen, outside the addresses (a wrong address can be anybody's)."""
    found = []
    for dummy in range(MUTATED):
        url = dice.choice(urls)
        for dummy_slip in range(dice.randint(1, 2)):
            address = {
                index for match in re.finditer(rf"[0-9.:\[\]]{{4,}}|{LETTER}", url) for index in range(*match.span())
            }
            places = [index for index in range(len(url)) if index not in address]
            if not places:
                break
            place = dice.choice(places)
            char = url[place]
            slip = dice.choice(["", char * 2, char.swapcase(), dice.choice("()?&=,;:%+ #/{}_-.@[]xé") + char])
            url = url[:place] + slip + url[place + 1 :]
        found.append(url)
    return found


@pytest.mark.parametrize("line", ["source", "target"])
def test_the_java_client_agrees(line: str, classes: Path, brokers: Brokers) -> None:
    dice = random.Random(SEED)
    built = generated(dice)
    picked = [*HAND_PICKED, *WHITE_SPACE]
    templates = list(dict.fromkeys([*picked, *built, *mutated([*picked, *built], dice)]))
    assert len(templates) >= 300
    urls = [brokers.fill_in(template) for template in templates]
    answers = ask_the_client(home(line), classes, urls)
    differences, reasons = {}, {}
    for template, url, (answer, reason) in zip(templates, urls, answers, strict=True):
        wanted = expected(read(url), brokers)
        if answer not in wanted:
            differences[template] = (answer, " or ".join(sorted(wanted)))
            reasons[template] = reason
    explained = {template: (answer, ours) for template, (answer, ours, dummy) in DIFFERENCES.items()}
    assert differences == explained, "\n".join(f"{template}: {reason}" for template, reason in reasons.items())
    assert all(read(brokers.fill_in(template)).valid for template in built)


@pytest.mark.parametrize(
    "template",
    [
        *("A", "A,B", "D,B", "D,C,A", "[::1]:1,B", "D", "D,D", "A,A"),
        *("A,", "host,B", "my_host:1,B", "stomp://A", "A:x,B", "127.0.0.1:0,B", "127.0.0.1:99999,B"),
    ],
)
def test_stomp_py_agrees(template: str, brokers: Brokers) -> None:
    """An application splits a host list at the commas and the last colon, and gives the pairs to stomp.py."""
    text = replace(brokers, openwire=brokers.stomp).fill_in(template)
    reading = read(text, "host_list")
    names = {port: name for name, port in brokers.stomp.items()}
    expected_name = next((names[target.port] for target in reading.targets if target.port in names), None)
    pairs = [(host.strip("[]"), port) for host, dummy, port in (entry.rpartition(":") for entry in text.split(","))]
    try:
        connection = stomp.Connection(
            [(host, int(port)) for host, port in pairs],
            reconnect_attempts_max=1,
            reconnect_sleep_initial=0.01,
            timeout=2,
        )
        connection.connect(wait=True)
    except (ValueError, OverflowError, OSError, stomp.exception.ConnectFailedException):
        assert expected_name is None or not reading.valid
        return
    try:
        assert names[connection.transport.current_host_and_port[1]] == expected_name
    finally:
        connection.disconnect()
