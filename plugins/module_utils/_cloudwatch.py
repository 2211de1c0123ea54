# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""The CloudWatch view: what Amazon MQ publishes about a broker each minute (namespace ``AWS/AmazonMQ``).

The instances of a broker are ``NAME-1`` and ``NAME-2``, a single one is ``NAME-1``. They share one store, so the larger
of their datapoints of one minute is taken, and never the sum. A sample is of one minute: the newest one of which all
instances that publish at all have told their count of messages. What has no datapoint of that minute is unknown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._bounded import OutOfTimeError, within
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._instances import check_url
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import (
    QUEUE,
    UNKNOWN_BROKER_ID,
    UNKNOWN_DESTINATIONS,
    UNKNOWN_PRESENT,
    UNKNOWN_SCHEDULED,
    UNKNOWN_SUBSCRIPTIONS,
    UNKNOWN_TRANSACTIONS,
    Destination,
    Overview,
    Sample,
    ViewError,
    shown,
)

try:
    import boto3
    import botocore.config
    import botocore.exceptions
except ImportError:  # only this view needs it
    boto3 = None

VIEW = "cloudwatch"

_NAMESPACE = "AWS/AmazonMQ"
_ENDPOINT, _SCHEMES = "view.endpoint_url", ("http", "https")
_PERIOD = 60
#: How many seconds back a datapoint may be, and how long an instance may be silent before it does not count.
_WINDOW = 600
_SILENCE = 300
_MAX_QUERIES = 500  # of one GetMetricData
_MAX_QUEUES = 10_000

_QUEUE_METRICS = ("QueueSize", "ConsumerCount", "ProducerCount")
_BROKER_METRICS = ("TotalMessageCount", "OpenTransactionCount")
# Errors of the API that heal by themselves; the rest needs a person.
_TRANSIENT_CODES = (
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
    "InternalServiceFault",
    "ServiceUnavailable",
)


class _Series(NamedTuple):
    """One metric of one instance, of a queue or (None) of the broker itself."""

    metric: str
    instance: str
    queue: str | None


#: The datapoints of a series by the minute.
_Points = dict[_Series, dict[float, int]]


class CloudWatchView:
    """The View of one Amazon MQ broker by CloudWatch.

    ``client`` is boto3's for cloudwatch. ``timeout`` bounds a sample, in seconds.
    """

    kind = VIEW
    capabilities = frozenset({"pending", "consumers", "producers", UNKNOWN_TRANSACTIONS, "total"})

    def __init__(
        self, broker_name: str, client: Any, timeout: float = 10.0, wall_clock: Callable[[], float] = time.time
    ) -> None:
        self._name = broker_name
        self._client = client
        self._timeout = timeout
        self._wall_clock = wall_clock
        self._url = str(client.meta.endpoint_url)

    def sample(self) -> Sample:
        try:
            return within(self._timeout, self._sample)
        except OutOfTimeError as exc:
            raise self._error(f"no answer within {self._timeout:g} s", transient=True) from exc
        except botocore.exceptions.ClientError as exc:
            code = str(exc.response.get("Error", {}).get("Code", "unknown"))
            raise self._error(f"the API refuses: {shown(str(exc))}", code in _TRANSIENT_CODES) from exc
        except (botocore.exceptions.ConnectionError, botocore.exceptions.HTTPClientError) as exc:
            raise self._error(shown(str(exc)), not isinstance(exc, botocore.exceptions.SSLError)) from exc
        except botocore.exceptions.BotoCoreError as exc:
            raise self._error(shown(str(exc))) from exc
        except (LookupError, TypeError, ValueError, AttributeError) as exc:
            raise self._error(f"the answer is not one of CloudWatch's ({shown(repr(exc))})") from exc

    def overview(self) -> Overview:
        return self.sample().overview

    def _sample(self) -> Sample:
        instances = [f"{self._name}-{number}" for number in (1, 2)]
        queues = self._queues(instances)
        series = [_Series(metric, instance, None) for metric in _BROKER_METRICS for instance in instances]
        series += [
            _Series(metric, instance, queue)
            for queue, publishers in queues.items()
            for metric in _QUEUE_METRICS
            for instance in publishers
        ]
        points = self._points(series)
        newest = {
            instance: max(points.get(_Series("TotalMessageCount", instance, None), {}), default=0.0)
            for instance in instances
        }
        if not any(newest.values()):
            message = f"there is no datapoint of broker {shown(self._name)} of the last {_WINDOW // 60} minutes"
            raise self._error(message, transient=True)
        publishing = [instance for instance in instances if newest[instance] >= max(newest.values()) - _SILENCE]
        minute = min(newest[instance] for instance in publishing)

        def known(metric: str, queue: str | None = None) -> int | None:
            publishers = instances if queue is None else queues[queue]
            values = [
                points.get(_Series(metric, instance, queue), {}).get(minute)
                for instance in publishers
                if instance in publishing
            ]
            told = [value for value in values if value is not None]
            return max(told) if told and len(told) == len(values) else None

        unknowns = [
            UNKNOWN_BROKER_ID,
            UNKNOWN_DESTINATIONS,
            UNKNOWN_PRESENT,
            UNKNOWN_SCHEDULED,
            UNKNOWN_SUBSCRIPTIONS,
        ]
        transactions = known("OpenTransactionCount")
        if transactions is None:
            unknowns.append(UNKNOWN_TRANSACTIONS)
        destinations = [
            Destination(
                name=queue,
                kind=QUEUE,
                pending=known("QueueSize", queue),
                consumers=known("ConsumerCount", queue),
                producers=known("ProducerCount", queue),
            )
            for queue in sorted(queues)
        ]
        return Sample(
            taken_at=minute,
            view=VIEW,
            url=self._url,
            overview=Overview(broker_id=None, name=self._name, total_messages=known("TotalMessageCount")),
            destinations=destinations,
            open_transactions=transactions,
            unknowns=tuple(sorted(unknowns)),
        )

    def _queues(self, instances: Sequence[str]) -> dict[str, list[str]]:
        """The queues that CloudWatch has heard of lately, and which instances published them."""
        found: dict[str, list[str]] = {}
        for instance in instances:
            pages = self._client.get_paginator("list_metrics").paginate(
                Namespace=_NAMESPACE,
                MetricName="QueueSize",
                Dimensions=[{"Name": "Broker", "Value": instance}, {"Name": "Queue"}],
                RecentlyActive="PT3H",
            )
            for page in pages:
                for metric in page.get("Metrics", []):
                    dimensions = {item["Name"]: item["Value"] for item in metric["Dimensions"]}
                    # With a third dimension it is about a network connector.
                    if set(dimensions) == {"Broker", "Queue"} and dimensions["Broker"] == instance:
                        found.setdefault(dimensions["Queue"], []).append(instance)
                if len(found) > _MAX_QUEUES:
                    raise self._error(f"the list has more than {_MAX_QUEUES} queues")
        return found

    def _points(self, series: Sequence[_Series]) -> _Points:
        """The datapoints of the last minutes. That of the minute that is not over is left out."""
        now = self._wall_clock()
        end = now - now % _PERIOD
        points: _Points = {}
        for chunk in _chunks(series):
            pages = self._client.get_paginator("get_metric_data").paginate(
                StartTime=end - _WINDOW,
                EndTime=end,
                MetricDataQueries=[_query(number, item) for number, item in enumerate(chunk)],
            )
            for page in pages:
                for result in page["MetricDataResults"]:
                    item = chunk[int(result["Id"][1:])]
                    told = points.setdefault(item, {})
                    for timestamp, value in zip(result["Timestamps"], result["Values"]):
                        if value >= 0:
                            told[timestamp.timestamp()] = round(value)
        return points

    def _error(self, message: str, transient: bool = False) -> ViewError:
        return ViewError(VIEW, self._url, message, transient)


def cloudwatch_client(options: Mapping[str, Any]) -> Any:
    """boto3's client for a view's options. Raises ValueError when boto3 is missing or the options make no sense.

    What is not given comes from where boto3 looks: the environment, the configuration files, the instance's role.
    """
    if boto3 is None:
        raise ValueError("view.type: cloudwatch needs the Python package boto3 on the host that observes")
    limit, endpoint_url = options["timeout"], options["endpoint_url"]
    if endpoint_url is not None:
        check_url(endpoint_url, _SCHEMES, _ENDPOINT)
    try:
        session = boto3.session.Session(
            aws_access_key_id=options["access_key"],
            aws_secret_access_key=options["secret_key"],
            aws_session_token=options["session_token"],
            region_name=options["region"],
            profile_name=options["profile"],
        )
        client = session.client(
            "cloudwatch",
            endpoint_url=endpoint_url,
            # None leaves boto3 what it takes from the environment, as AWS_CA_BUNDLE; True would not.
            verify=(options["ca_file"] or None) if options["validate_certs"] else False,
            config=botocore.config.Config(connect_timeout=limit, read_timeout=limit, retries={"max_attempts": 1}),
        )
    except botocore.exceptions.BotoCoreError as exc:
        raise ValueError(f"view: no client for CloudWatch: {exc}") from exc
    except ValueError:  # boto3 repeats the endpoint, which may hold credentials
        raise ValueError(f"{_ENDPOINT}: boto3 takes an invalid one from the environment or its configuration") from None
    # It may also come from the environment or the configuration, and every error names it.
    check_url(client.meta.endpoint_url, _SCHEMES, _ENDPOINT)
    return client


def _chunks(series: Sequence[_Series]) -> Iterator[Sequence[_Series]]:
    for start in range(0, len(series), _MAX_QUERIES):
        yield series[start : start + _MAX_QUERIES]


def _query(number: int, item: _Series) -> dict[str, Any]:
    dimensions = [{"Name": "Broker", "Value": item.instance}]
    if item.queue is not None:
        dimensions.append({"Name": "Queue", "Value": item.queue})
    metric = {"Namespace": _NAMESPACE, "MetricName": item.metric, "Dimensions": dimensions}
    # The largest of the minute: a queue that was empty at the end of it only does not look empty.
    return {"Id": f"q{number}", "MetricStat": {"Metric": metric, "Period": _PERIOD, "Stat": "Maximum"}}
