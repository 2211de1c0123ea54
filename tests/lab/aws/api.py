# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations of the Amazon MQ API."""

from __future__ import annotations

import base64
import binascii
import json
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.aws import faults, rules
from lab.aws.broker import AT_ONCE, STAGED, Broker, Delays, Login, Machine, Paper, User
from lab.aws.configuration import Configuration, no_revision, revision_number
from lab.aws.errors import bad_request, conflict, not_found

Json = dict[str, Any]

ACCOUNT = "123456789012"
_PAGE, _MIN_PAGE, _MAX_PAGE = 20, 5, 100
#: The version that a broker shows: the patch level, where only X.Y could be asked for
#: (hashicorp/terraform-provider-aws#38708). One of 5.19 shows 5.19 (recorded: maintenance.json).
_SHOWN_VERSIONS = {"5.18": "5.18.4"}


@dataclass(frozen=True)
class Real:
    """A broker that is more than paper: it has a fixed id, and something runs it."""

    broker_id: str
    machine: Machine


@dataclass
class _Region:
    """What an account has in a region."""

    brokers: dict[str, Broker] = field(default_factory=dict)
    configurations: dict[str, Configuration] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)


class Api:
    """Amazon MQ. *real* are the brokers that are more than paper, by name."""

    def __init__(self, faults_path: Path, delays: Delays, real: Mapping[str, Real] | None = None) -> None:
        self._faults, self._delays, self._real = faults_path, delays, real or {}
        self._regions: dict[str, _Region] = {}
        self._lock = threading.RLock()

    def brokers(self) -> list[tuple[Broker, str]]:
        """All brokers, with the state that they show."""
        with self._lock:
            return [
                (broker, self._state(broker)) for region in self._regions.values() for broker in region.brokers.values()
            ]

    def call(self, region: str, operation: str, request: Json) -> Json:
        """Answer a call. Parameters and answers have the names of the API model. Raises ApiError."""
        handler = _HANDLERS.get(operation)
        if handler is None:
            raise bad_request(f"{operation} is not known to the lab's Amazon MQ.")
        with self._lock:
            return handler(self, self._regions.setdefault(region, _Region()), region, request)

    # -- brokers ------------------------------------------------------------------------------------------------------

    def _create_broker(self, here: _Region, region: str, request: Json) -> Json:
        engine = rules.engine(request["EngineType"])
        version = rules.engine_version(engine, request.get("EngineVersion"))
        rules.check_new_broker(request, engine, version)
        name, mode = request["BrokerName"], request["DeploymentMode"]
        storage = rules.storage_type(engine, mode, request["HostInstanceType"], request.get("StorageType"))
        for other in here.brokers.values():
            if other.request_id is not None and other.request_id == request.get("CreatorRequestId"):
                return {"BrokerArn": other.arn, "BrokerId": other.id}  # "idempotency" (API model, CreatorRequestId)
            if other.name == name:
                # API reference, Brokers: 409.
                raise conflict(f"Broker [{name}] already exists. Retry your request with another name.", "brokerName")
        real = self._real.get(name)
        broker_id = real.broker_id if real else f"b-{uuid.uuid4()}"
        arn = f"arn:aws:mq:{region}:{ACCOUNT}:broker:{name}:{broker_id}"
        if request.get("Configuration"):
            configuration = self._revision_id(here, request["Configuration"])
        elif engine == "ACTIVEMQ":
            # Recorded (create_identity.json): an automatic one, which outlives the broker.
            made = self._new_configuration(here, region, f"{name}-configuration", engine, version)
            configuration = {"Id": made.id, "Revision": 1}
        else:
            configuration = None
        # StorageType and AuthenticationStrategy are told in small letters (recorded).
        logs = {"General": False, **({"Audit": False} if engine == "ACTIVEMQ" else {}), **(request.get("Logs") or {})}
        current = {
            "AuthenticationStrategy": str(request.get("AuthenticationStrategy", "SIMPLE")).lower(),
            "EngineVersion": version,
            "HostInstanceType": request["HostInstanceType"],
            "LdapServerMetadata": _without_secret(request.get("LdapServerMetadata")),
            "StorageSize": request.get("StorageSize"),
            "DataReplicationMode": request.get("DataReplicationMode"),
            "Configuration": configuration,
            "Logs": logs,
            "AutoMinorVersionUpgrade": request.get("AutoMinorVersionUpgrade", True),
            "MaintenanceWindowStartTime": {
                "TimeZone": "UTC",
                **(request.get("MaintenanceWindowStartTime") or {"DayOfWeek": "SUNDAY", "TimeOfDay": "00:00"}),
            },
            "SecurityGroups": request.get("SecurityGroups") or ["sg-0123456789abcdef0"],
        }
        fixed = {
            "EncryptionOptions": request.get("EncryptionOptions") or {"UseAwsOwnedKey": True},
            "PubliclyAccessible": request["PubliclyAccessible"],
            "StorageType": storage.lower(),
            "SubnetIds": request.get("SubnetIds")
            or [f"subnet-0123456789abcdef{number}" for number in range(rules.SUBNETS.get(mode, 1))],
        }
        machine = real.machine if real else Paper(broker_id, region, engine, mode, self._delays)
        broker = Broker(
            id=broker_id,
            arn=arn,
            name=name,
            engine_type=engine,
            deployment_mode=mode,
            machine=machine,
            delays=self._delays,
            lock=self._lock,
            fixed=fixed,
            current=current,
            users={
                user["Username"]: User(user["Username"], pending=_login(user), change="CREATE")
                for user in request.get("Users") or []
            },
            configuration=lambda revision: self._xml(here, revision),
            gone=lambda: self._forget(here, broker_id),
            request_id=request.get("CreatorRequestId"),
        )
        here.brokers[broker_id] = broker
        here.tags[arn] = dict(request.get("Tags") or {})
        broker.create(fail=bool(faults.take(self._faults, ("creation-failed",), broker=name)))
        return {"BrokerArn": arn, "BrokerId": broker_id}

    def _describe_broker(self, here: _Region, region: str, request: Json) -> Json:
        broker = _broker(here, request)
        critical = self._critical(broker)
        actions = [
            {"ActionRequiredCode": fault.code, "ActionRequiredInfo": f"{broker.name} needs its owner"}
            for fault in critical
        ]
        answer = broker.describe(self._state(broker), actions, here.tags[broker.arn])
        if answer["BrokerState"] not in {"CREATION_IN_PROGRESS", "CREATION_FAILED"}:
            answer["EngineVersion"] = _SHOWN_VERSIONS.get(answer["EngineVersion"], answer["EngineVersion"])
        return answer

    def _list_brokers(self, here: _Region, region: str, request: Json) -> Json:
        summaries = [broker.summary(self._state(broker)) for broker in here.brokers.values()]
        return _paged(request, "BrokerSummaries", summaries, "BrokerArn", maximum=False)

    def _update_broker(self, here: _Region, region: str, request: Json) -> Json:
        broker = _broker(here, request)
        rules.check_broker(request, broker.engine_type)
        version = request.get("EngineVersion")
        if version is not None:
            rules.engine_version(broker.engine_type, version)
        rules.check_minor_upgrade(
            broker.engine_type,
            version or broker.current["EngineVersion"],
            bool(request.get("AutoMinorVersionUpgrade", broker.current["AutoMinorVersionUpgrade"])),
        )
        wanted = {key: request[key] for key in (*STAGED, *AT_ONCE) if request.get(key) is not None}
        if "Configuration" in wanted:
            wanted["Configuration"] = self._revision_id(here, wanted["Configuration"])
        if "AuthenticationStrategy" in wanted:
            wanted["AuthenticationStrategy"] = wanted["AuthenticationStrategy"].lower()
        if "LdapServerMetadata" in wanted:
            wanted["LdapServerMetadata"] = _without_secret(wanted["LdapServerMetadata"])
        broker.stage(wanted)
        return {"BrokerId": broker.id, **wanted}

    def _reboot_broker(self, here: _Region, region: str, request: Json) -> Json:
        broker = _broker(here, request)
        if self._critical(broker):
            raise bad_request(f"Broker [{broker.id}] is in state [CRITICAL_ACTION_REQUIRED].")
        taken = faults.take(self._faults, ("reboot-ignored", "reboot-hangs"), broker=broker.name)
        if all(fault.kind != "reboot-ignored" for fault in taken):
            broker.reboot(hang=sum(fault.seconds for fault in taken))
        return {}

    def _delete_broker(self, here: _Region, region: str, request: Json) -> Json:
        broker = _broker(here, request)
        broker.delete()
        return {"BrokerId": broker.id}

    def _describe_engine_types(self, here: _Region, region: str, request: Json) -> Json:
        entries = [
            {"EngineType": engine, "EngineVersions": [{"Name": version} for version in versions]}
            for engine, versions in rules.ENGINES.items()
            if request.get("EngineType") in {None, engine, rules.SPELLINGS[engine]}
        ]
        return _paged(request, "BrokerEngineTypes", entries, "EngineType", ends_silently=True)

    def _describe_instance_options(self, here: _Region, region: str, request: Json) -> Json:
        wanted = {key: request[key] for key in ("EngineType", "HostInstanceType", "StorageType") if request.get(key)}
        entries = [
            entry
            for entry in rules.instance_options(region)
            if all(str(entry[key]).upper() == value.upper() for key, value in wanted.items())
        ]
        return _paged(request, "BrokerInstanceOptions", entries, None, ends_silently=True)

    def _describe_shared_resources(self, here: _Region, region: str, request: Json) -> Json:
        _broker(here, request)
        return {"SharedResources": []}

    def _promote(self, here: _Region, region: str, request: Json) -> Json:
        broker = _broker(here, request)
        # Developer guide, "Promoting a replica": it is for data replication across Regions, which the lab has not.
        raise bad_request(f"Broker [{broker.id}] takes no part in data replication.", "broker-id")

    def _state(self, broker: Broker) -> str:
        return "CRITICAL_ACTION_REQUIRED" if self._critical(broker) else broker.state

    def _critical(self, broker: Broker) -> Sequence[faults.Fault]:
        if broker.state != "RUNNING":
            return ()
        return faults.take(self._faults, ("critical",), broker=broker.name)

    @staticmethod
    def _forget(here: _Region, broker_id: str) -> None:
        broker = here.brokers.pop(broker_id)
        here.tags.pop(broker.arn, None)

    # -- users --------------------------------------------------------------------------------------------------------

    def _create_user(self, here: _Region, region: str, request: Json) -> Json:
        broker = _broker(here, request)
        rules.check_user(request["Username"], request)
        broker.create_user(request["Username"], _login(request))
        return {}

    def _describe_user(self, here: _Region, region: str, request: Json) -> Json:
        broker = _broker(here, request)
        return broker.user(request["Username"]).describe(broker.id)

    def _update_user(self, here: _Region, region: str, request: Json) -> Json:
        broker = _broker(here, request)
        broker.user(request["Username"])
        rules.check_user(request["Username"], request)
        broker.update_user(request["Username"], request)
        return {}

    def _delete_user(self, here: _Region, region: str, request: Json) -> Json:
        _broker(here, request).delete_user(request["Username"])
        return {}

    def _list_users(self, here: _Region, region: str, request: Json) -> Json:
        broker = _broker(here, request)
        summaries = [user.summary for user in broker.users.values()]
        return {"BrokerId": broker.id, **_paged(request, "Users", summaries, "Username")}

    # -- configurations -----------------------------------------------------------------------------------------------

    def _create_configuration(self, here: _Region, region: str, request: Json) -> Json:
        engine = rules.engine(request["EngineType"])
        version = rules.engine_version(engine, request.get("EngineVersion"))
        name = request["Name"]
        rules.check_configuration_name(name)
        rules.check_tags(request.get("Tags") or {})
        if any(other.name == name for other in here.configurations.values()):
            # API reference, Configurations: 409.
            raise conflict(f"Configuration [{name}] already exists. Retry your request with another name.", "name")
        made = self._new_configuration(here, region, name, engine, version)
        made.strategy = str(request.get("AuthenticationStrategy", "SIMPLE")).lower()
        here.tags[made.arn] = dict(request.get("Tags") or {})
        return {**made.summary(), "AuthenticationStrategy": made.strategy}

    def _describe_configuration(self, here: _Region, region: str, request: Json) -> Json:
        found = _configuration(here, request["ConfigurationId"])
        return {**found.describe(), "Tags": here.tags[found.arn]}

    def _update_configuration(self, here: _Region, region: str, request: Json) -> Json:
        found = _configuration(here, request["ConfigurationId"])
        warnings = found.update(request["Data"], request.get("Description"))
        return {**found.summary(), "Warnings": warnings}

    def _delete_configuration(self, here: _Region, region: str, request: Json) -> Json:
        found = _configuration(here, request["ConfigurationId"])
        for broker in here.brokers.values():
            used = (broker.current.get("Configuration"), broker.pending.get("Configuration"))
            if found.id in {revision["Id"] for revision in used if revision}:
                # As moto has it; recorded is only that one that is not used can be deleted.
                raise conflict(f"Configuration [{found.id}] is in use by broker [{broker.id}].", "configuration-id")
        del here.configurations[found.id]
        here.tags.pop(found.arn, None)
        return {"ConfigurationId": found.id}

    def _list_configurations(self, here: _Region, region: str, request: Json) -> Json:
        entries = [item.describe() for item in here.configurations.values()]
        return _paged(request, "Configurations", entries, "Id")

    def _list_revisions(self, here: _Region, region: str, request: Json) -> Json:
        found = _configuration(here, request["ConfigurationId"])
        entries = [revision.describe() for revision in found.revisions]
        return {"ConfigurationId": found.id, **_paged(request, "Revisions", entries, "Revision")}

    def _describe_revision(self, here: _Region, region: str, request: Json) -> Json:
        number, identity = request["ConfigurationRevision"], request["ConfigurationId"]
        found = here.configurations.get(identity)
        if found is None:
            # Recorded (configuration_revision_precedence.json): the number is judged first, and the revision is missed.
            raise no_revision(identity, revision_number(number))
        revision = found.revision(number)
        return {
            "ConfigurationId": found.id,
            "Created": revision.created,
            "Data": base64.b64encode(revision.data.encode()).decode(),
            "Description": revision.description,
        }

    def _new_configuration(
        self, here: _Region, region: str, name: str, engine_type: str, version: str
    ) -> Configuration:
        identity = f"c-{uuid.uuid4()}"
        arn = f"arn:aws:mq:{region}:{ACCOUNT}:configuration:{identity}"
        made = Configuration.default(identity, arn, name, engine_type, version)
        here.configurations[identity] = made
        here.tags[arn] = {}
        return made

    def _revision_id(self, here: _Region, asked: Json) -> Json:
        """A configuration's id and revision; the newest revision when none is given. Raises ApiError."""
        found = _configuration(here, asked["Id"])
        number = asked.get("Revision", found.revisions[-1].number)
        return {"Id": found.id, "Revision": found.revision(str(number)).number}

    def _xml(self, here: _Region, revision: Mapping[str, Any]) -> str:
        return _configuration(here, revision["Id"]).revision(str(revision["Revision"])).data

    # -- tags ---------------------------------------------------------------------------------------------------------

    def _create_tags(self, here: _Region, region: str, request: Json) -> Json:
        tags = _tags(here, request)
        rules.check_tags({**tags, **(request.get("Tags") or {})})
        tags.update(request.get("Tags") or {})
        return {}

    def _delete_tags(self, here: _Region, region: str, request: Json) -> Json:
        tags = _tags(here, request)
        for key in request["TagKeys"]:
            tags.pop(key, None)
        return {}

    def _list_tags(self, here: _Region, region: str, request: Json) -> Json:
        return {"Tags": _tags(here, request)}


def _broker(here: _Region, request: Json) -> Broker:
    # Recorded: missing_resources.json.
    identity = request["BrokerId"]
    if identity not in here.brokers:
        raise not_found(
            f"Cannot find broker ID [{identity}]. Verify that your broker exists or check broker permissions.",
            "broker-id",
        )
    return here.brokers[identity]


def _configuration(here: _Region, identity: str) -> Configuration:
    # Recorded: missing_resources.json.
    if identity not in here.configurations:
        raise not_found(f"Configuration ID [{identity}] can't be found. Make sure it exists.", "configuration-id")
    return here.configurations[identity]


def _tags(here: _Region, request: Json) -> dict[str, str]:
    # Recorded: missing_resources.json.
    if request["ResourceArn"] not in here.tags:
        raise not_found("Resource was not found")
    return here.tags[request["ResourceArn"]]


def _login(user: Json) -> Login:
    return Login(
        password=user["Password"],
        console=user.get("ConsoleAccess", False),
        groups=tuple(user.get("Groups") or ()),
        replication=user.get("ReplicationUser", False),
    )


def _without_secret(metadata: Json | None) -> Json | None:
    """LDAP metadata as answers have them: without the password (API model, LdapServerMetadataOutput)."""
    return None if metadata is None else {key: metadata[key] for key in metadata if key != "ServiceAccountPassword"}


def _paged(
    request: Json,
    key: str,
    entries: Sequence[Json],
    identity: str | None,
    *,
    maximum: bool = True,
    ends_silently: bool = False,
) -> Json:
    """One page, and the token of the next.

    Recorded (configuration_revisions.json, configuration_revision_boundaries.json, pagination_defaults.json): a token
    names the last entry that was seen, entries that came meanwhile are on the next page, and a page that has entries
    has a token, so that the last page is an empty one. Engine types have none (*ends_silently*).
    """
    size = request.get("MaxResults", _PAGE)
    if not _MIN_PAGE <= size <= _MAX_PAGE:
        raise bad_request(
            f"Invalid max results value [{size}]. Specify an integer between [{_MIN_PAGE}] and [{_MAX_PAGE}].",
            "maxResults",
        )
    start = 0
    token = request.get("NextToken")
    names = [str(entry[identity]) if identity else str(number) for number, entry in enumerate(entries)]
    if token:
        last, position = _read_token(token)
        start = names.index(last) + 1 if last in names else position  # what was seen last may be gone
    page = list(entries[start : start + size])
    answer: Json = {key: page, **({"MaxResults": size} if maximum else {})}
    more = start + size < len(entries)
    if page and (more or not ends_silently):
        end = start + len(page)
        answer["NextToken"] = base64.b64encode(json.dumps([names[end - 1], end]).encode()).decode()
    return answer


def _read_token(token: str) -> tuple[str, int]:
    try:
        last, position = json.loads(base64.b64decode(token, validate=True))
        return str(last), int(position)
    except (binascii.Error, ValueError, TypeError) as error:
        raise bad_request(
            f"Invalid next token [{token}]. Make sure you copied the token correctly.", "nextToken"
        ) from error


_Handler = Callable[[Api, _Region, str, Json], Json]
_HANDLERS: Mapping[str, _Handler] = {
    "CreateBroker": Api._create_broker,
    "CreateConfiguration": Api._create_configuration,
    "CreateTags": Api._create_tags,
    "CreateUser": Api._create_user,
    "DeleteBroker": Api._delete_broker,
    "DeleteConfiguration": Api._delete_configuration,
    "DeleteTags": Api._delete_tags,
    "DeleteUser": Api._delete_user,
    "DescribeBroker": Api._describe_broker,
    "DescribeBrokerEngineTypes": Api._describe_engine_types,
    "DescribeBrokerInstanceOptions": Api._describe_instance_options,
    "DescribeConfiguration": Api._describe_configuration,
    "DescribeConfigurationRevision": Api._describe_revision,
    "DescribeSharedResources": Api._describe_shared_resources,
    "DescribeUser": Api._describe_user,
    "ListBrokers": Api._list_brokers,
    "ListConfigurationRevisions": Api._list_revisions,
    "ListConfigurations": Api._list_configurations,
    "ListTags": Api._list_tags,
    "ListUsers": Api._list_users,
    "Promote": Api._promote,
    "RebootBroker": Api._reboot_broker,
    "UpdateBroker": Api._update_broker,
    "UpdateConfiguration": Api._update_configuration,
    "UpdateUser": Api._update_user,
}
