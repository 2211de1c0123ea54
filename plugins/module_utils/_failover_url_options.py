# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each client library understands in its broker URL, as data. See docs/guides/failover_urls.md.

This is a private util of the collection; it may change at any time.

A table has one option a line: name, type, and the client's own default (``-`` when it has none or it varies). The types
are those of the client's setters: ``bool``, ``int`` (32 bits), ``long`` (64 bits), ``float``, ``str``, and ``list``
(a text that must be there). Times are milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Option(NamedTuple):
    """The type of an option, and the client's own default as text (None: none, or it varies)."""

    type: str
    default: str | None


Table = Mapping[str, Option]


def _table(text: str) -> dict[str, Option]:
    rows = [line.split() for line in text.strip().splitlines()]
    return {name: Option(kind, None if default == "-" else default) for name, kind, default in rows}


# The URL schemes of each protocol as endpoints use them, plain and TLS. Amazon MQ's API says amqp+ssl where AMQP
# clients say amqps.
SCHEMES: dict[str, tuple[str, ...]] = {
    "openwire": ("tcp", "ssl", "nio", "nio+ssl"),
    "stomp": ("stomp", "stomp+ssl"),
    "amqp": ("amqp", "amqps", "amqp+ssl"),
    "mqtt": ("mqtt", "mqtt+ssl"),
    "ws": ("ws", "wss"),
}
TLS_SCHEMES = frozenset({"ssl", "nio+ssl", "stomp+ssl", "amqps", "amqp+ssl", "mqtt+ssl", "wss"})

# The setters of FailoverTransport (5.16.6 and 5.18.3 have the same).
FAILOVER_OPTIONS = _table("""
backup                       bool   false
backupPoolSize               int    1
initialReconnectDelay        long   10
maxCacheSize                 int    131072
maxReconnectAttempts         int    -1
maxReconnectDelay            long   30000
priorityBackup               bool   false
priorityURIs                 list   -
randomize                    bool   true
rebalanceUpdateURIs          bool   true
reconnectDelay               long   10
reconnectDelayExponent       float  2.0
reconnectSupported           bool   true
startupMaxReconnectAttempts  int    -1
timeout                      long   -1
trackMessages                bool   false
trackTransactionProducers    bool   true
updateURIsSupported          bool   true
updateURIsURL                str    -
useExponentialBackOff        bool   true
warnAfterReconnectAttempts   int    10
""")

# The setters of ActiveMQConnectionFactory, ActiveMQPrefetchPolicy, RedeliveryPolicy and BlobTransferPolicy.
JMS_OPTIONS = _table("""
alwaysSessionAsync                             bool   true
alwaysSyncSend                                 bool   false
auditDepth                                     int    2048
auditMaximumProducerNumber                     int    64
checkForDuplicates                             bool   true
clientID                                       str    -
clientIDPrefix                                 str    -
closeTimeout                                   int    15000
connectResponseTimeout                         int    0
connectionIDPrefix                             str    -
consumerExpiryCheckEnabled                     bool   true
consumerFailoverRedeliveryWaitPeriod           long   0
copyMessageOnSend                              bool   true
disableTimeStampsByDefault                     bool   false
dispatchAsync                                  bool   true
exclusiveConsumer                              bool   false
maxThreadPoolSize                              int    1000
messagePrioritySupported                       bool   false
nestedMapAndListEnabled                        bool   true
nonBlockingRedelivery                          bool   false
objectMessageSerializationDefered              bool   false
optimizeAcknowledge                            bool   false
optimizeAcknowledgeTimeOut                     long   300
optimizedAckScheduledAckInterval               long   0
optimizedMessageDispatch                       bool   true
password                                       str    -
producerWindowSize                             int    0
rmIdFromConnectionId                           bool   false
sendAcksAsync                                  bool   true
sendTimeout                                    int    0
statsEnabled                                   bool   false
transactedIndividualAck                        bool   false
trustAllPackages                               bool   false
useAsyncSend                                   bool   false
useCompression                                 bool   false
useDedicatedTaskRunner                         bool   false
useRetroactiveConsumer                         bool   false
userName                                       str    -
warnAboutUnstartedConnectionTimeout            long   500
watchTopicAdvisories                           bool   true
prefetchPolicy.all                             int    -
prefetchPolicy.durableTopicPrefetch            int    100
prefetchPolicy.maximumPendingMessageLimit      int    0
prefetchPolicy.optimizeDurableTopicPrefetch    int    1000
prefetchPolicy.queueBrowserPrefetch            int    500
prefetchPolicy.queuePrefetch                   int    1000
prefetchPolicy.topicPrefetch                   int    32767
redeliveryPolicy.backOffMultiplier             float  5.0
redeliveryPolicy.collisionAvoidancePercent     int    15
redeliveryPolicy.initialRedeliveryDelay        long   1000
redeliveryPolicy.maximumRedeliveries           int    6
redeliveryPolicy.maximumRedeliveryDelay        long   -1
redeliveryPolicy.preDispatchCheck              bool   true
redeliveryPolicy.redeliveryDelay               long   1000
redeliveryPolicy.useCollisionAvoidance         bool   false
redeliveryPolicy.useExponentialBackOff         bool   false
blobTransferPolicy.brokerUploadUrl             str    -
blobTransferPolicy.bufferSize                  int    131072
blobTransferPolicy.defaultUploadUrl            str    -
blobTransferPolicy.uploadUrl                   str    -
""")

# The setters of TcpTransport, OpenWireFormatFactory, InactivityMonitor, WireFormatNegotiator and java.net.Socket, and
# what TransportFactory and TcpTransportFactory read themselves. The odd spellings are the client's own.
ENDPOINT_OPTIONS = _table("""
closeAsync                                   bool  true
connectAttemptTimeout                        long  -
connectionTimeout                            int   30000
daemon                                       bool  false
diffServ                                     str   -
dynamicManagement                            bool  false
ignoreAllWireFormatInfo                      bool  false
ignoreRemoteWireFormat                       bool  false
initialDelayTime                             long  -
ioBufferSize                                 int   8192
jmxPort                                      int   1099
keepAlive                                    bool  -
keepAliveResponseRequired                    bool  false
logWriterName                                str   -
minmumWireFormatVersion                      int   0
negotiateTimeout                             long  15000
readCheckTime                                long  -
soLinger                                     int   -
soTimeout                                    int   0
soWriteTimeout                               long  -
socketBufferSize                             int   65536
stackSize                                    long  0
startLogging                                 bool  true
tcpNoDelay                                   bool  -
trace                                        bool  false
typeOfService                                int   -
useInactivityMonitor                         bool  true
useKeepAlive                                 bool  true
useLocalHost                                 bool  false
writeCheckTime                               long  -
socket.OOBInline                             bool  -
socket.keepAlive                             bool  -
socket.receiveBufferSize                     int   -
socket.reuseAddress                          bool  -
socket.sendBufferSize                        int   -
socket.soTimeout                             int   -
socket.tcpNoDelay                            bool  -
socket.trafficClass                          int   -
wireFormat.cacheEnabled                      bool  true
wireFormat.cacheSize                         int   1024
wireFormat.host                              str   -
wireFormat.includePlatformDetails            bool  false
wireFormat.maxFrameSize                      long  -
wireFormat.maxFrameSizeEnabled               bool  true
wireFormat.maxInactivityDuration             long  30000
wireFormat.maxInactivityDurationInitalDelay  long  10000
wireFormat.platformDetails                   str   -
wireFormat.providerName                      str   -
wireFormat.providerVersion                   str   -
wireFormat.sizePrefixDisabled                bool  false
wireFormat.stackTraceEnabled                 bool  true
wireFormat.tcpNoDelayEnabled                 bool  true
wireFormat.tightEncodingEnabled              bool  true
wireFormat.version                           int   -
""")

# What SslTransport and javax.net.ssl.SSLSocket add. On an endpoint without TLS the client cannot connect with them.
TLS_OPTIONS = _table("""
verifyHostName                 bool  true
socket.enableSessionCreation   bool  true
socket.enabledCipherSuites     str   -
socket.enabledProtocols        str   -
socket.needClientAuth          bool  -
socket.useClientMode           bool  -
socket.verifyHostName          bool  true
socket.wantClientAuth          bool  -
""")

# Read with "containsKey" or "remove" instead of a setter, so that also the first letter must be right.
EXACT_NAMES = frozenset({"soWriteTimeout", "useInactivityMonitor"})

# Not known with useInactivityMonitor=false, when there is no InactivityMonitor, and with soWriteTimeout, when
# WriteTimeoutFilter hides WireFormatNegotiator.
MONITOR_OPTIONS = frozenset(
    "connectAttemptTimeout ignoreAllWireFormatInfo ignoreRemoteWireFormat initialDelayTime keepAliveResponseRequired"
    " readCheckTime useKeepAlive writeCheckTime".split()
)
NEGOTIATOR_OPTIONS = frozenset({"negotiateTimeout"})

# NMS OpenWire, Transport/Failover/FailoverTransport.cs: properties with a setter. updateURIsSupported has none.
_NMS_FAILOVER = _table("""
backup                       bool  false
backupPoolSize               int   1
initialReconnectDelay        int   10
maxCacheSize                 int   256
maxReconnectAttempts         int   -1
maxReconnectDelay            int   30000
priorityBackup               bool  false
priorityURIs                 list  -
randomize                    bool  true
reconnectDelay               int   10
reconnectDelayExponent       int   2
startupMaxReconnectAttempts  int   -1
timeout                      int   -1
trackMessages                bool  false
trackTransactionProducers    bool  true
useExponentialBackOff        bool  true
""")

# ActiveMQ-CPP, transport/failover/FailoverTransportFactory.cpp: the options it asks for.
_CMS_FAILOVER = _table("""
backup                       bool  false
backupPoolSize               int   1
initialReconnectDelay        long  10
maxCacheSize                 int   131072
maxReconnectAttempts         int   -1
maxReconnectDelay            long  30000
priorityBackup               bool  false
priorityURIs                 list  -
randomize                    bool  true
startupMaxReconnectAttempts  int   -1
timeout                      long  -1
trackMessages                bool  false
updateURIsSupported          bool  true
useExponentialBackOff        bool  true
""")

# Qpid JMS, qpid-jms-docs/Configuration.md, "Failover Configuration options".
_QPID_FAILOVER = _table("""
amqpOpenServerListAction     str    REPLACE
initialReconnectDelay        long   0
maxReconnectAttempts         int    -1
maxReconnectDelay            long   30000
randomize                    bool   false
reconnectBackOffMultiplier   float  2.0
reconnectDelay               long   10
startupMaxReconnectAttempts  int    -
useReconnectBackOff          bool   true
warnAfterReconnectAttempts   int    10
""")

# NMS AMQP, docs/configuration.md, "Failover Configuration options".
_NMS_AMQP_FAILOVER = _table("""
initialReconnectDelay        long   0
maxReconnectAttempts         int    -1
maxReconnectDelay            long   30000
reconnectBackOffMultiplier   float  2.0
reconnectDelay               long   10
startupMaxReconnectAttempts  int    -
useReconnectBackOff          bool   true
""")


@dataclass(frozen=True)
class Dialect:
    """How a client library spells a broker list.

    A table that is None is not checked: the library's list of options is not known here.
    """

    form: str
    """``failover``: a composite URL; ``list``: ``host:port,host:port``; ``single``: one URL."""
    schemes: tuple[str, ...]
    """The endpoint schemes that the library speaks."""
    options: Table = field(default_factory=dict)
    option_prefix: str = ""
    nested: Table | None = None
    nested_prefix: str = "nested."
    jms: Table | None = None
    jms_prefixes: tuple[str, ...] = ("jms.",)
    """The prefixes of connection options that are read; the first one is written."""
    safe: Mapping[str, Any] = field(default_factory=dict)
    """Options for a time in which brokers change; the reasons are in docs/guides/failover_urls.md."""
    safe_jms: Mapping[str, Any] = field(default_factory=dict)
    unknown: str = "fails_on_start"
    """What the library does with an unknown failover option."""
    unprefixed: str = "fails_on_start"
    """What the library does with an option that has none of its prefixes (when it has prefixes)."""
    spelling: Mapping[str, str] = field(default_factory=dict)
    """Schemes that the library spells otherwise than the endpoint."""


# The client's own 10 ms makes a whole fleet hit the new active broker at once, and its 30 s make it sleep for half a
# minute after a failover of ten seconds. The first endpoint is the one that the phase wants.
_RECONNECT = {"initialReconnectDelay": 100, "maxReconnectDelay": 5000}
# Clients block a send for ever: after 30 s (a reboot of an active/standby pair takes about 12 s) the application gets
# an exception that it can act on.
_SEND_TIMEOUT = 30000
_ACTIVEMQ = Dialect(
    form="failover",
    schemes=SCHEMES["openwire"],
    options=FAILOVER_OPTIONS,
    nested={**ENDPOINT_OPTIONS, **TLS_OPTIONS},
    jms=JMS_OPTIONS,
    # A broker of a network could otherwise push its peers to the client and move it unasked.
    safe={**_RECONNECT, "randomize": False, "timeout": _SEND_TIMEOUT, "updateURIsSupported": False},
)

DIALECT: dict[str, Dialect] = {
    "activemq": _ACTIVEMQ,
    "spring": _ACTIVEMQ,
    "nms": Dialect(
        form="failover",
        schemes=("tcp", "ssl"),
        options=_NMS_FAILOVER,
        option_prefix="transport.",
        jms_prefixes=("connection.", "nms."),
        safe={**_RECONNECT, "randomize": False, "timeout": _SEND_TIMEOUT},
        unprefixed="ignored",
    ),
    "cms": Dialect(
        form="failover",
        schemes=("tcp", "ssl"),
        options=_CMS_FAILOVER,
        jms_prefixes=("connection.",),
        safe={**_RECONNECT, "randomize": False, "timeout": _SEND_TIMEOUT, "updateURIsSupported": False},
        unknown="ignored",
    ),
    "qpid_jms": Dialect(
        form="failover",
        schemes=("amqp", "amqps"),
        options=_QPID_FAILOVER,
        option_prefix="failover.",
        nested_prefix="failover.nested.",
        # Qpid JMS has no timeout of blocked sends in the failover options; the connection has one.
        safe={**_RECONNECT, "reconnectDelay": 100, "randomize": False, "amqpOpenServerListAction": "IGNORE"},
        safe_jms={"sendTimeout": _SEND_TIMEOUT},
        unprefixed="ignored",
        spelling={"amqp+ssl": "amqps"},
    ),
    "nms_amqp": Dialect(
        form="failover",
        schemes=("amqp", "amqps"),
        options=_NMS_AMQP_FAILOVER,
        option_prefix="failover.",
        nested_prefix="failover.nested.",
        jms_prefixes=("nms.",),
        safe={**_RECONNECT, "reconnectDelay": 100},
        safe_jms={"sendTimeout": _SEND_TIMEOUT},
        unprefixed="ignored",
        spelling={"amqp+ssl": "amqps"},
    ),
    "host_list": Dialect(form="list", schemes=tuple(scheme for names in SCHEMES.values() for scheme in names)),
    "single_url": Dialect(
        form="single",
        schemes=tuple(scheme for names in SCHEMES.values() for scheme in names),
        # Paho spells MQTT as its transport.
        spelling={"amqp+ssl": "amqps", "mqtt": "tcp", "mqtt+ssl": "ssl"},
    ),
}
DIALECTS = tuple(DIALECT)
