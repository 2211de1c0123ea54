# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CloudWatch view. The client's answers have the form that boto3 gives them."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from types import SimpleNamespace

import botocore.exceptions
import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _cloudwatch
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._cloudwatch import CloudWatchView, cloudwatch_client
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import QUEUE, Destination, Overview, ViewError

MINUTE = 1_700_000_040  # a whole minute
OPTIONS = dict.fromkeys(("access_key", "secret_key", "session_token", "region", "profile", "endpoint_url", "ca_file"))
OPTIONS |= {"validate_certs": True, "timeout": 5.0, "region": "us-east-2", "access_key": "a", "secret_key": "b"}


class FakeClient:
    """Holds datapoints: ``{(metric, instance, queue): {minutes ago: value}}``."""

    def __init__(self, data):
        self.meta = SimpleNamespace(endpoint_url="https://monitoring.example")
        self.data = data
        self.calls = []

    def get_paginator(self, operation):
        return type("Paginator", (), {"paginate": lambda _self, **arguments: getattr(self, operation)(**arguments)})()

    def list_metrics(self, **asked):
        assert (asked["Namespace"], asked["MetricName"]) == ("AWS/AmazonMQ", "QueueSize")
        for metric, instance, queue in self.data:
            if metric == "QueueSize" and instance == asked["Dimensions"][0]["Value"]:
                dimensions = [{"Name": "Broker", "Value": instance}, {"Name": "Queue", "Value": queue}]
                yield {"Metrics": [{"Dimensions": dimensions}]}
        connector = [
            *asked["Dimensions"][:1],
            {"Name": "Queue", "Value": "x"},
            {"Name": "NetworkConnector", "Value": "n"},
        ]
        yield {"Metrics": [{"Dimensions": connector}]}

    def get_metric_data(self, **asked):
        self.calls.append(len(asked["MetricDataQueries"]))
        assert asked["EndTime"] % 60 == 0
        for query in asked["MetricDataQueries"]:
            stat = query["MetricStat"]
            assert (stat["Period"], stat["Stat"]) == (60, "Maximum")
            names = {item["Name"]: item["Value"] for item in stat["Metric"]["Dimensions"]}
            points = self.data.get((stat["Metric"]["MetricName"], names["Broker"], names.get("Queue")), {})
            times = [datetime.fromtimestamp(MINUTE - 60 * ago, tz=UTC) for ago in points]
            yield {"MetricDataResults": [{"Id": query["Id"], "Timestamps": times, "Values": list(points.values())}]}


def sample(data):
    return CloudWatchView("orders", FakeClient(data), wall_clock=lambda: MINUTE + 30).sample()


TOTAL = "TotalMessageCount"


def test_a_sample_is_of_one_minute():
    taken = sample(
        {
            (TOTAL, "orders-1", None): {4: 9.0, 2: 4.0},
            ("OpenTransactionCount", "orders-1", None): {2: 1.0},
            ("QueueSize", "orders-1", "orders.new"): {4: 9.0, 2: 3.0},
            ("ConsumerCount", "orders-1", "orders.new"): {2: 2.0},
            ("ProducerCount", "orders-1", "orders.new"): {4: 1.0},
            ("QueueSize", "orders-1", "gone"): {4: 9.0},
            ("QueueSize", "other-1", "other"): {2: 9.0},
        }
    )

    assert taken.taken_at == MINUTE - 120
    assert (taken.view, taken.url) == ("cloudwatch", "https://monitoring.example")
    assert taken.overview == Overview(broker_id=None, name="orders", total_messages=4)
    assert taken.destinations == [
        # A queue that is not told of any more may have messages.
        Destination("gone", QUEUE),
        Destination("orders.new", QUEUE, pending=3, consumers=2),
    ]
    assert taken.open_transactions == 1
    assert taken.unknowns == ("broker_id", "destinations", "durable_subscriptions", "present", "scheduled")


def test_two_instances_have_one_store_so_their_numbers_are_not_added():
    taken = sample(
        {
            (TOTAL, "orders-1", None): {2: 3.0},
            (TOTAL, "orders-2", None): {2: 0.0},
            ("QueueSize", "orders-1", "q"): {2: 3.0},
            ("QueueSize", "orders-2", "q"): {2: 3.0},
        }
    )

    assert taken.overview.total_messages == 3
    assert taken.destinations[0].pending == 3


def test_an_instance_that_is_late_is_waited_for():
    taken = sample(
        {
            (TOTAL, "orders-1", None): {3: 3.0},
            (TOTAL, "orders-2", None): {3: 0.0, 2: 0.0},
            ("QueueSize", "orders-1", "q"): {3: 3.0},
            ("QueueSize", "orders-2", "q"): {3: 0.0, 2: 0.0},
        }
    )

    assert taken.taken_at == MINUTE - 180
    assert taken.destinations[0].pending == 3


def test_a_queue_of_which_one_instance_has_told_nothing_is_unknown():
    taken = sample(
        {
            (TOTAL, "orders-1", None): {2: 3.0},
            (TOTAL, "orders-2", None): {2: 0.0},
            ("QueueSize", "orders-1", "q"): {3: 3.0},
            ("QueueSize", "orders-2", "q"): {2: 0.0},
        }
    )

    assert taken.destinations[0].pending is None


def test_an_instance_that_has_been_silent_for_minutes_does_not_count():
    taken = sample(
        {
            (TOTAL, "orders-1", None): {9: 7.0},
            (TOTAL, "orders-2", None): {2: 1.0},
            ("QueueSize", "orders-1", "q"): {9: 7.0},
            ("QueueSize", "orders-2", "q"): {2: 1.0},
        }
    )

    assert taken.taken_at == MINUTE - 120
    assert taken.destinations[0].pending == 1


def test_no_datapoint_is_no_sample():
    with pytest.raises(ViewError, match="no datapoint of broker orders of the last 10 minutes") as caught:
        sample({})
    assert caught.value.transient


def test_many_queues_are_asked_for_in_several_requests():
    client = FakeClient({("QueueSize", "orders-1", f"q{number}"): {2: 1.0} for number in range(400)})
    client.data[TOTAL, "orders-1", None] = {2: 400.0}

    taken = CloudWatchView("orders", client, wall_clock=lambda: MINUTE).sample()

    assert {one.pending for one in taken.destinations} == {1}
    assert client.calls == [500, 500, 204]


def test_too_many_queues(monkeypatch):
    monkeypatch.setattr(_cloudwatch, "_MAX_QUEUES", 1)
    with pytest.raises(ViewError, match="more than 1 queues"):
        sample({("QueueSize", "orders-1", "a"): {}, ("QueueSize", "orders-1", "b"): {}})


def client_error(code):
    return botocore.exceptions.ClientError({"Error": {"Code": code, "Message": "no"}}, "ListMetrics")


@pytest.mark.parametrize(
    ("error", "message", "transient"),
    [
        (client_error("AccessDenied"), r"the API refuses: .*\(AccessDenied\)", False),
        (client_error("Throttling"), r"the API refuses: .*\(Throttling\)", True),
        (botocore.exceptions.NoCredentialsError(), "Unable to locate credentials", False),
        (botocore.exceptions.EndpointConnectionError(endpoint_url="https://x"), "Could not connect", True),
        (botocore.exceptions.ReadTimeoutError(endpoint_url="https://x"), "timeout", True),
        (botocore.exceptions.SSLError(endpoint_url="https://x", error="bad"), "bad", False),
    ],
)
def test_what_the_api_refuses(error, message, transient):
    client = FakeClient({})

    def fail(**_arguments):
        raise error

    client.list_metrics = fail
    with pytest.raises(ViewError, match=f"cloudwatch view of https://monitoring.example: .*{message}") as caught:
        CloudWatchView("orders", client).sample()
    assert caught.value.transient is transient


def test_an_api_that_does_not_answer_is_given_up():
    client, release = FakeClient({}), threading.Event()
    client.list_metrics = lambda **_arguments: release.wait(30)
    with pytest.raises(ViewError, match=r"no answer within 0\.05 s") as caught:
        CloudWatchView("orders", client, timeout=0.05).sample()
    release.set()
    assert caught.value.transient


def test_a_real_client_and_a_peer_that_is_no_api(serve):
    def html(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html></html>")

    address = serve(html)
    view = CloudWatchView("orders", cloudwatch_client({**OPTIONS, "endpoint_url": f"http://{address}"}), timeout=5)

    with pytest.raises(ViewError, match=f"cloudwatch view of http://{address}: the answer is not one"):
        view.sample()


@pytest.mark.parametrize(
    ("options", "message"),
    [({"region": None}, "region"), ({"profile": "nobody-has-this"}, "nobody-has-this")],
)
def test_options_that_make_no_client(options, message, monkeypatch):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(ValueError, match=f"view: no client for CloudWatch: .*{message}"):
        cloudwatch_client({**OPTIONS, **options})


@pytest.mark.parametrize(
    ("option", "environment", "message"),
    [
        ("https://u:s3cr3t@cloudwatch.example", "", "credentials belong into options of their own"),
        ("https://u:s3cr3t@cloudwatch example", "", "credentials belong into options of their own"),
        ("x", "", "not a URL with the scheme http or https: x"),
        (None, "https://u:s3cr3t@cloudwatch.example", "credentials belong into options of their own"),
        (None, "https://u:s3cr3t@cloudwatch example", "boto3 takes an invalid one"),
    ],
)
def test_an_endpoint_that_no_error_may_name_is_refused(option, environment, message, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", environment)
    with pytest.raises(ValueError, match=f"view.endpoint_url: {message}") as caught:
        cloudwatch_client({**OPTIONS, "endpoint_url": option})
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "verify"),
    [
        ({}, "/from/environment.pem"),
        ({"ca_file": "/own.pem"}, "/own.pem"),
        ({"validate_certs": False}, False),
        ({"validate_certs": False, "ca_file": "/own.pem"}, False),
    ],
)
def test_certificates_are_verified_with_those_of_the_environment_unless_told_otherwise(options, verify, monkeypatch):
    monkeypatch.setenv("AWS_CA_BUNDLE", "/from/environment.pem")

    client = cloudwatch_client({**OPTIONS, **options})

    assert client._endpoint.http_session._verify == verify


def test_without_boto3(monkeypatch):
    monkeypatch.setattr(_cloudwatch, "boto3", None)
    with pytest.raises(ValueError, match="needs the Python package boto3"):
        cloudwatch_client(OPTIONS)
