# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudWatch: what Amazon MQ publishes about a broker each minute, here read from the real pair.

Names and dimensions: developer guide, "Monitoring Amazon MQ brokers using Amazon CloudWatch". The dimension Broker is
the broker's name with -1 or -2; an instance that is not active publishes nothing. Counts such as EnqueueCount are of
one minute. At most 1000 destinations are watched (developer guide, "Quotas in Amazon MQ").
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab import plan
from lab.aws.api import ACCOUNT, Api
from lab.aws.broker import CONSOLE_PORT
from lab.aws.pair import Pair

Json = dict[str, Any]

NAMESPACE = "AWS/AmazonMQ"
_MAX_DESTINATIONS = 1000
_MAX_BYTES = 16 * 1024 * 1024
_TIMEOUT = 5.0
#: Metric -> attribute of the broker's MBean.
_BROKER = {
    "TotalMessageCount": "TotalMessageCount",
    "TotalConsumerCount": "TotalConsumerCount",
    "TotalProducerCount": "TotalProducerCount",
    "CurrentConnectionsCount": "CurrentConnectionsCount",
    "StorePercentUsage": "StorePercentUsage",
    "TempPercentUsage": "TempPercentUsage",
    "JobSchedulerStorePercentUsage": "JobSchedulerStorePercentUsage",
}
#: Metric -> attribute of a destination's MBean: what it is now.
_DESTINATION = {
    "QueueSize": "QueueSize",
    "ConsumerCount": "ConsumerCount",
    "ProducerCount": "ProducerCount",
    "MemoryUsage": "MemoryUsageByteCount",
}
#: The same for what was counted since the last time.
_COUNTED = {
    "EnqueueCount": "EnqueueCount",
    "DequeueCount": "DequeueCount",
    "DispatchCount": "DispatchCount",
    "ExpiredCount": "ExpiredCount",
    "InFlightCount": "InFlightCount",
}
_DIMENSIONS = ("Queue", "Topic")


class Reader:
    """Reads an instance's figures from its Jolokia, which users of the console may do."""

    def __init__(self, ca_file: Path) -> None:
        self._context = ssl.create_default_context(cafile=str(ca_file))

    def read(self, address: str, username: str, password: str) -> tuple[Json, dict[tuple[str, str], Json]]:
        """The broker's attributes, and those of each queue and topic by kind and name. Raises OSError, ValueError."""
        beans = "org.apache.activemq:type=Broker,brokerName=*"
        asked = [
            {"type": "read", "mbean": beans, "attribute": list(_BROKER.values())},
            *(
                {
                    "type": "read",
                    "mbean": f"{beans},destinationType={kind},destinationName=*",
                    "attribute": ["Name", *_DESTINATION.values(), *_COUNTED.values()],
                }
                for kind in _DIMENSIONS
            ),
        ]
        broker, *destinations = self._post(address, username, password, asked)
        found: dict[tuple[str, str], Json] = {}
        for kind, answer in zip(_DIMENSIONS, destinations, strict=True):
            for attributes in answer.values():
                if _can_be_dimension(attributes["Name"]):
                    found[kind, attributes["Name"]] = attributes
        return next(iter(broker.values()), {}), dict(sorted(found.items())[:_MAX_DESTINATIONS])

    def _post(self, address: str, username: str, password: str, asked: Sequence[Json]) -> list[Json]:
        connection = http.client.HTTPSConnection(address, CONSOLE_PORT, timeout=_TIMEOUT, context=self._context)
        token = base64.b64encode(f"{username}:{password}".encode()).decode()
        headers = {
            "Authorization": f"Basic {token}",
            "Origin": f"https://{address}",
            "Content-Type": "application/json",
        }
        try:
            connection.request("POST", "/api/jolokia/", json.dumps(asked), headers)
            response = connection.getresponse()
            if response.status != http.HTTPStatus.OK:
                raise ValueError(f"HTTP status {response.status}")
            # A kind of destination that does not exist is an answer without a value.
            return [entry.get("value") or {} for entry in json.loads(response.read(_MAX_BYTES))]
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()


def _can_be_dimension(name: str) -> bool:
    """Whether CloudWatch takes a dimension's value (API reference, Dimension: ASCII, no control characters, 1024)."""
    return name.isascii() and name.isprintable() and 0 < len(name) <= 1024


class Metrics:
    """Makes datapoints of figures. It remembers what was counted, to tell how much came since."""

    def __init__(self) -> None:
        self._counted: dict[tuple[str, ...], float] = {}

    def datapoints(
        self, instance: str, broker: Json, destinations: Mapping[tuple[str, str], Json]
    ) -> Iterator[tuple[str, float, list[dict[str, str]]]]:
        """Metric, value and dimensions. *instance* is the broker's name with the instance's number."""
        own = {"Name": "Broker", "Value": instance}
        for metric, attribute in _BROKER.items():
            if isinstance(broker.get(attribute), int | float):
                yield metric, broker[attribute], [own]
        for (kind, name), attributes in destinations.items():
            dimensions = [own, {"Name": kind, "Value": name}]
            for metric, attribute in _DESTINATION.items():
                if metric == "QueueSize" and kind == "Topic":
                    continue
                if isinstance(attributes.get(attribute), int | float):
                    yield metric, attributes[attribute], dimensions
            for metric, attribute in _COUNTED.items():
                if isinstance(attributes.get(attribute), int | float):
                    key = (instance, kind, name, metric)
                    now, before = attributes[attribute], self._counted.get(key, 0)
                    self._counted[key] = now
                    # Less than before: the broker was restarted.
                    yield metric, now - before if now >= before else now, dimensions


def publish(api: Api, pair: Pair, ca_file: Path, interval: float) -> None:
    """Publish the pair's figures every *interval* seconds, for ever. What goes wrong is told in the log."""
    reader, metrics, told = Reader(ca_file), Metrics(), ""
    while True:
        time.sleep(interval)
        trouble = publish_once(api, pair, reader, metrics)
        if trouble and trouble != told:
            print(f"aws: no metrics: {trouble}", file=sys.stderr, flush=True)
        told = trouble


def publish_once(api: Api, pair: Pair, reader: Reader, metrics: Metrics) -> str:
    """Publish the active instance's figures while the broker runs. Returns what went wrong."""
    if all(broker.machine is not pair or state != "RUNNING" for broker, state in api.brokers()):
        return ""
    settings, active = pair.settings, pair.active()
    console = next(((name, user) for name, user in settings.users.items() if user.console), None) if settings else None
    if active is None or console is None:
        return "there is no active instance" if active is None else "no user may use the console"
    try:
        broker, destinations = reader.read(active.address, console[0], console[1].password)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        return f"{active.name}: {error}"
    from moto.cloudwatch.models import cloudwatch_backends
    from moto.core.exceptions import ServiceException

    now = datetime.now(UTC).replace(tzinfo=None)  # moto compares with times that have no zone
    name = f"{plan.TARGET_NAME}-{pair.hosts.index(active) + 1}"
    datapoints = [
        {"MetricName": metric, "Value": value, "Dimensions": dimensions, "Timestamp": now}
        for metric, value, dimensions in metrics.datapoints(name, broker, destinations)
    ]
    try:
        cloudwatch_backends[ACCOUNT][plan.REGION].put_metric_data(NAMESPACE, datapoints)
    except ServiceException as error:
        return f"CloudWatch: {error}"
    return ""
