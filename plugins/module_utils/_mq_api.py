# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""The edge to the Amazon MQ API. It imports amazon.aws, so it runs where boto3 is.

Each method is one operation, named after it. Answers are as boto3 gives them, requests as boto3 takes them.

The account may make 15 calls a second, over all clients together (Amazon MQ developer guide, "Quotas: API throttling").
One module makes a few at once and then three a second, so that several can run beside others; when the API throttles
all the same, a call is repeated after a random, growing time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

try:
    from botocore.exceptions import ClientError, ConnectionError, HTTPClientError
except ImportError:  # AnsibleAWSModule says so
    ClientError = ConnectionError = HTTPClientError = ()

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.errors import AWSErrorHandler
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._amazon_mq import BrokerLookupError, broker_id_by_name
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._broker_wait import OutOfSightError

# AWSRetry repeats TooManyRequestsException and Throttling. botocore's list of throttling errors has these as well
# (botocore/retries/standard.py), and calls an answer 429 without a body "429".
THROTTLED = ("ThrottlingException", "ThrottledException", "RequestThrottledException", "RequestThrottled", "429")

_NOT_FOUND = "NotFoundException"
_BURST = 6
_PER_SECOND = 3.0
_PAGE = 100
_MAX_PAGES = 1000

#: Which broker it is about; documented by the fragment mqlift.amazon_mq._broker.
BROKER_SPEC: dict[str, Any] = {"broker_id": {"type": "str"}, "broker_name": {"type": "str"}}

Json = dict[str, Any]


class MqErrorHandler(AWSErrorHandler):  # type: ignore[misc]  # amazon.aws has no types
    """Tells what does not exist from other errors of the API."""

    @classmethod
    def _is_missing(cls) -> Any:
        return is_boto3_error_code(_NOT_FOUND)


class Pace:
    """Lets a few calls pass at once, and then so many per second."""

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        burst: int = _BURST,
        per_second: float = _PER_SECOND,
    ) -> None:
        self._monotonic, self._sleep = monotonic, sleep
        self._burst, self._per_second = burst, per_second
        self._free, self._at = float(burst), monotonic()

    def wait(self) -> None:
        """Return when the next call may be made."""
        self._refill()
        if self._free < 1:
            self._sleep((1 - self._free) / self._per_second)
            self._refill()
        self._free -= 1

    def _refill(self) -> None:
        now = self._monotonic()
        self._free = min(float(self._burst), self._free + (now - self._at) * self._per_second)
        self._at = now


class MqApi:
    """Amazon MQ's API. Methods raise AnsibleAWSError with a sentence; some return None for what does not exist.

    ``client`` is boto3's, made by :func:`connect` so that ``aws_retry=True`` repeats a call that was throttled. With
    ``dry`` nothing that writes is called, and what it would answer is empty.
    """

    def __init__(
        self,
        client: Any,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        dry: bool = False,
    ) -> None:
        self._client = client
        self._dry = dry
        self._pace = Pace(monotonic, sleep)

    # Brokers

    def brokers(self) -> list[Json]:
        """The summaries of all brokers of the account in the region, from all pages of ListBrokers."""
        return list(self._pages("list the brokers", "list_brokers", "BrokerSummaries"))

    def find(self, broker_id: str | None, broker_name: str | None) -> Json | None:
        """The answer of DescribeBroker for the broker with that id, or else that name. None when it does not exist.

        :raises BrokerLookupError: when the name leads to several brokers, or the broker is not an ActiveMQ broker.
        """
        if broker_id is None:
            if broker_name is None:
                raise BrokerLookupError("neither an id nor a name of a broker is given")
            broker_id = broker_id_by_name(self.brokers(), broker_name)
        answer = None if broker_id is None else self.describe(broker_id)
        if answer is not None and str(answer.get("EngineType", "ACTIVEMQ")).upper() != "ACTIVEMQ":
            raise BrokerLookupError(f"the broker {broker_id!r} is not an ActiveMQ broker but {answer['EngineType']}")
        return answer

    def get(self, broker_id: str | None, broker_name: str | None) -> Json:
        """As :meth:`find`, for a broker that has to exist.

        :raises BrokerLookupError: also when it does not exist.
        """
        answer = self.find(broker_id, broker_name)
        if answer is None:
            how = f"named {broker_name!r}" if broker_id is None else f"with the id {broker_id!r}"
            raise BrokerLookupError(f"there is no broker {how}")
        return answer

    def describe(self, broker_id: str) -> Json | None:
        """The answer of DescribeBroker. None when the broker does not exist."""
        return self._find(f"describe the broker {broker_id}", "describe_broker", BrokerId=broker_id)

    def watch(self, broker_id: str) -> Json | None:
        """As :meth:`describe`, for one who asks again and again.

        :raises OutOfSightError: instead of AnsibleAWSError, when the next call may succeed.
        """
        try:
            return self.describe(broker_id)
        except AnsibleAWSError as exc:
            if is_transient(exc.exception):
                raise OutOfSightError(str(exc)) from exc
            raise

    def create_broker(self, request: Mapping[str, Any]) -> str | None:
        """Begin to create a broker and return its id. Dry: None."""
        answer = self._write(f"create the broker {request.get('BrokerName')}", "create_broker", **request)
        return answer.get("BrokerId")

    def update_broker(self, broker_id: str, request: Mapping[str, Any]) -> None:
        """Change a broker. Most changes wait for its next reboot."""
        self._write(f"update the broker {broker_id}", "update_broker", BrokerId=broker_id, **request)

    def reboot(self, broker_id: str) -> None:
        """Begin a reboot; the answer comes before anything has happened."""
        self._write(f"reboot the broker {broker_id}", "reboot_broker", BrokerId=broker_id)

    def delete_broker(self, broker_id: str) -> bool:
        """Begin to delete a broker. False when it does not exist."""
        return self._delete(f"delete the broker {broker_id}", "delete_broker", BrokerId=broker_id)

    # Users

    def users(self, broker_id: str) -> list[Json]:
        """The users of a broker, ``Username`` and ``PendingChange``, from all pages."""
        return list(self._pages(f"list the users of the broker {broker_id}", "list_users", "Users", BrokerId=broker_id))

    def describe_user(self, broker_id: str, username: str) -> Json | None:
        """The answer of DescribeUser. None when the broker has no such user."""
        what = f"describe the user {username} of the broker {broker_id}"
        return self._find(what, "describe_user", BrokerId=broker_id, Username=username)

    def create_user(self, broker_id: str, username: str, request: Mapping[str, Any]) -> None:
        """Stage a new user; it works after the next reboot."""
        what = f"create the user {username} of the broker {broker_id}"
        self._write(what, "create_user", BrokerId=broker_id, Username=username, **request)

    def update_user(self, broker_id: str, username: str, request: Mapping[str, Any]) -> None:
        """Stage a change of a user."""
        what = f"update the user {username} of the broker {broker_id}"
        self._write(what, "update_user", BrokerId=broker_id, Username=username, **request)

    def delete_user(self, broker_id: str, username: str) -> bool:
        """Stage the removal of a user. False when the broker has no such user."""
        what = f"delete the user {username} of the broker {broker_id}"
        return self._delete(what, "delete_user", BrokerId=broker_id, Username=username)

    # Tags, of brokers and configurations

    def create_tags(self, arn: str, tags: Mapping[str, str]) -> None:
        """Set tags of the resource; others stay."""
        self._write(f"tag {arn}", "create_tags", ResourceArn=arn, Tags=dict(tags))

    def delete_tags(self, arn: str, keys: Sequence[str]) -> None:
        """Remove tags of the resource."""
        self._write(f"remove tags of {arn}", "delete_tags", ResourceArn=arn, TagKeys=list(keys))

    # Configurations

    def configurations(self) -> list[Json]:
        """The configurations of the account in the region, from all pages."""
        return list(self._pages("list the configurations", "list_configurations", "Configurations"))

    def describe_configuration(self, configuration_id: str) -> Json | None:
        """The answer of DescribeConfiguration. None when it does not exist."""
        what = f"describe the configuration {configuration_id}"
        return self._find(what, "describe_configuration", ConfigurationId=configuration_id)

    def describe_revision(self, configuration_id: str, revision: int) -> Json | None:
        """The answer of DescribeConfigurationRevision; its ``Data`` is base64. None when it does not exist."""
        return self._find(
            f"describe the revision {revision} of the configuration {configuration_id}",
            "describe_configuration_revision",
            ConfigurationId=configuration_id,
            ConfigurationRevision=str(revision),
        )

    def create_configuration(self, request: Mapping[str, Any]) -> Json:
        """Create a configuration and return the answer."""
        return self._write(f"create the configuration {request.get('Name')}", "create_configuration", **request)

    def update_configuration(self, configuration_id: str, data: str, description: str | None = None) -> Json:
        """Add a revision of base64 ``data`` and return the answer; its ``Warnings`` tell what was dropped."""
        request = {"Data": data} if description is None else {"Data": data, "Description": description}
        what = f"update the configuration {configuration_id}"
        return self._write(what, "update_configuration", ConfigurationId=configuration_id, **request)

    def delete_configuration(self, configuration_id: str) -> bool:
        """Delete a configuration. False when it does not exist."""
        what = f"delete the configuration {configuration_id}"
        return self._delete(what, "delete_configuration", ConfigurationId=configuration_id)

    def _call(self, what: str, operation: str, **request: Any) -> Json:
        @MqErrorHandler.common_error_handler(what)  # type: ignore[untyped-decorator]  # amazon.aws has no types
        def call() -> Any:
            self._pace.wait()
            return getattr(self._client, operation)(aws_retry=True, **request)

        return dict(call() or {})

    def _find(self, what: str, operation: str, **request: Any) -> Json | None:
        """As _call; None when the API says that it does not exist."""

        @MqErrorHandler.list_error_handler(what)  # type: ignore[untyped-decorator]  # amazon.aws has no types
        def call() -> Any:
            self._pace.wait()
            return getattr(self._client, operation)(aws_retry=True, **request) or {}

        answer = call()
        return None if answer is None else dict(answer)

    def _write(self, what: str, operation: str, **request: Any) -> Json:
        return {} if self._dry else self._call(what, operation, **request)

    def _delete(self, what: str, operation: str, **request: Any) -> bool:
        """Whether there was something to delete."""
        return self._dry or self._find(what, operation, **request) is not None

    def _pages(self, what: str, operation: str, key: str, **request: Any) -> Iterator[Json]:
        """The entries of all pages. boto3 has a paginator for some of these operations only."""
        request = {**request, "MaxResults": _PAGE}
        for dummy in range(_MAX_PAGES):
            answer = self._call(what, operation, **request)
            yield from answer.get(key) or []
            token = answer.get("NextToken")
            if not token:
                return
            if token == request.get("NextToken"):
                break
            request["NextToken"] = token
        raise AnsibleAWSError(message=f"Failed to {what}: the pages have no end")


def is_transient(error: BaseException | None) -> bool:
    """Whether the same call may succeed later: nothing answered, or the API was busy or broken."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status == 429 or status >= 500 or error.response["Error"]["Code"] in THROTTLED
    return isinstance(error, (ConnectionError, HTTPClientError))


def connect(module: Any) -> MqApi:
    """The API for an AnsibleAWSModule; in check mode it is dry."""
    decorator = AWSRetry.jittered_backoff(retries=8, delay=1, max_delay=20, catch_extra_error_codes=list(THROTTLED))
    return MqApi(module.client("mq", retry_decorator=decorator), dry=module.check_mode)
