# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge to the Amazon MQ API, with a scripted client."""

from __future__ import annotations

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._amazon_mq import BrokerLookupError
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._broker_wait import OutOfSightError
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._mq_api import THROTTLED, MqApi, Pace, is_transient


class FakeClient:
    """Answers each operation from its script, and remembers the requests. An exception is raised."""

    def __init__(self, **scripts):
        self.scripts = {name: list(answers) for name, answers in scripts.items()}
        self.requests = []

    def __getattr__(self, operation):
        def call(aws_retry=False, **request):
            assert aws_retry
            self.requests.append((operation, request))
            answer = self.scripts[operation].pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


class FakeTime:
    def __init__(self):
        self.now = 100.0
        self.slept = []

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def error(code, status=400):
    answer = {"Error": {"Code": code, "Message": "x"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Operation")


def api(**scripts):
    client = FakeClient(**scripts)
    return MqApi(client), client


ORDERS = {"BrokerName": "orders", "BrokerId": "b-1"}


def test_names_are_looked_up_on_all_pages():
    found, client = api(
        list_brokers=[
            {"BrokerSummaries": [{"BrokerName": "a", "BrokerId": "b-0"}], "NextToken": "t"},
            {"BrokerSummaries": [ORDERS]},
        ],
        describe_broker=[{"BrokerId": "b-1"}],
    )

    assert found.get(None, "orders") == {"BrokerId": "b-1"}
    assert client.requests == [
        ("list_brokers", {"MaxResults": 100}),
        ("list_brokers", {"MaxResults": 100, "NextToken": "t"}),
        ("describe_broker", {"BrokerId": "b-1"}),
    ]


def test_pages_without_an_end_are_given_up():
    page = {"BrokerSummaries": [], "NextToken": "t"}
    found, dummy = api(list_brokers=[page, page, page])

    with pytest.raises(AnsibleAWSError, match="no end"):
        found.brokers()


@pytest.mark.parametrize(
    ("name", "summaries", "answers", "message"),
    [
        ("none", [ORDERS], [], "no broker named 'none'"),
        ("orders", [ORDERS, {**ORDERS, "BrokerId": "b-2"}], [], "more than one broker is named 'orders': b-1, b-2"),
        # It vanished in between.
        ("orders", [ORDERS], [error("NotFoundException", 404)], "no broker named 'orders'"),
        ("orders", [ORDERS], [{"EngineType": "RabbitMQ"}], "not an ActiveMQ broker but RabbitMQ"),
    ],
)
def test_names_that_lead_to_no_broker(name, summaries, answers, message):
    found, dummy = api(list_brokers=[{"BrokerSummaries": summaries}], describe_broker=answers)

    with pytest.raises(BrokerLookupError, match=message):
        found.get(None, name)


def test_nothing_to_look_for():
    with pytest.raises(BrokerLookupError, match="neither"):
        api()[0].find(None, None)


def test_what_does_not_exist_is_no_error_where_it_is_asked_for():
    missing = [error("NotFoundException", 404)]
    found, dummy = api(describe_broker=missing, describe_user=missing, delete_user=missing, delete_broker=missing)

    assert found.describe("b-1") is None
    assert found.describe_user("b-1", "app") is None
    assert found.delete_user("b-1", "app") is False
    assert found.delete_broker("b-1") is False


@pytest.mark.parametrize(
    ("call", "operation", "sentence"),
    [
        (lambda it: it.brokers(), "list_brokers", "list the brokers"),
        (lambda it: it.describe("b-1"), "describe_broker", "describe the broker b-1"),
        (lambda it: it.create_broker({"BrokerName": "x"}), "create_broker", "create the broker x"),
        (lambda it: it.update_broker("b-1", {}), "update_broker", "update the broker b-1"),
        (lambda it: it.reboot("b-1"), "reboot_broker", "reboot the broker b-1"),
        (lambda it: it.delete_broker("b-1"), "delete_broker", "delete the broker b-1"),
        (lambda it: it.users("b-1"), "list_users", "list the users of the broker b-1"),
        (lambda it: it.create_user("b-1", "app", {}), "create_user", "create the user app of the broker b-1"),
        (lambda it: it.update_user("b-1", "app", {}), "update_user", "update the user app of the broker b-1"),
        (lambda it: it.create_tags("arn", {"a": "b"}), "create_tags", "tag arn"),
        (lambda it: it.delete_tags("arn", ["a"]), "delete_tags", "remove tags of arn"),
        (lambda it: it.configurations(), "list_configurations", "list the configurations"),
        (lambda it: it.describe_configuration("c-1"), "describe_configuration", "describe the configuration c-1"),
        (lambda it: it.describe_revision("c-1", 2), "describe_configuration_revision", "revision 2 of the"),
        (lambda it: it.create_configuration({"Name": "n"}), "create_configuration", "create the configuration n"),
        (lambda it: it.update_configuration("c-1", "ZA=="), "update_configuration", "update the configuration c-1"),
        (lambda it: it.delete_configuration("c-1"), "delete_configuration", "delete the configuration c-1"),
    ],
)
def test_errors_are_sentences(call, operation, sentence):
    found, dummy = api(**{operation: [error("ForbiddenException", 403)]})

    with pytest.raises(AnsibleAWSError, match=f"Failed to .*{sentence}.*ForbiddenException"):
        call(found)


def test_a_dry_api_reads_and_does_not_write():
    client = FakeClient(describe_broker=[{"BrokerId": "b-1"}])
    dry = MqApi(client, dry=True)

    assert dry.create_broker({"BrokerName": "x"}) is None
    assert dry.delete_broker("b-1") is True
    dry.update_broker("b-1", {})
    dry.reboot("b-1")
    dry.create_user("b-1", "app", {})
    dry.update_user("b-1", "app", {})
    dry.delete_user("b-1", "app")
    dry.create_tags("arn", {})
    dry.delete_tags("arn", [])
    dry.create_configuration({})
    dry.update_configuration("c-1", "")
    dry.delete_configuration("c-1")
    assert client.requests == []
    assert dry.describe("b-1") == {"BrokerId": "b-1"}


def test_a_few_calls_at_once_and_then_three_a_second():
    time = FakeTime()
    pace = Pace(time.monotonic, time.sleep, burst=6, per_second=3.0)

    for dummy in range(6):
        pace.wait()
    assert time.slept == []
    for dummy in range(9):
        pace.wait()
    assert sum(time.slept) == pytest.approx(3.0)
    time.now += 60
    for dummy in range(6):
        pace.wait()
    assert sum(time.slept) == pytest.approx(3.0)


def test_every_call_is_paced():
    time = FakeTime()
    client = FakeClient(describe_broker=[{}] * 10)
    found = MqApi(client, time.monotonic, time.sleep)

    for dummy in range(10):
        found.describe("b-1")

    assert sum(time.slept) == pytest.approx(4 / 3)


@pytest.mark.parametrize(
    ("raised", "transient"),
    [
        (error("InternalServerErrorException", 500), True),
        (error("TooManyRequestsException", 429), True),
        (error("ThrottlingException", 400), True),
        (EndpointConnectionError(endpoint_url="https://mq"), True),
        (ReadTimeoutError(endpoint_url="https://mq"), True),
        (error("ForbiddenException", 403), False),
        (NoCredentialsError(), False),
    ],
)
def test_what_may_work_the_next_time(raised, transient):
    found, dummy = api(describe_broker=[raised])

    assert is_transient(raised) is transient
    with pytest.raises(OutOfSightError if transient else AnsibleAWSError, match="describe the broker b-1"):
        found.watch("b-1")


def test_throttling_is_repeated():
    """amazon.aws knows some of the codes, the others are given to it."""
    for code in ("TooManyRequestsException", "ThrottlingException", "429"):
        assert AWSRetry.found(code, list(THROTTLED))
    assert not AWSRetry.found("BadRequestException", list(THROTTLED))
