# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""What has to be done so that a configuration of Amazon MQ is what somebody wants. It knows the API by a protocol only.

A configuration is a list of revisions that only grows (300 at most). Making a revision touches no broker: a broker is
told which one to take, and takes it at its next reboot.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _mq_configuration as xml
from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _mq_permitted as permitted
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._broker_plan import tag_changes
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._mq_configuration import (
    Configuration,
    ConfigurationError,
    Node,
)

# The API model 2017-11-27, CreateConfiguration: Name.
_NAME = re.compile(r"[A-Za-z0-9._~-]{1,150}")

Json = Mapping[str, Any]


class Api(Protocol):
    """What is used of MqApi."""

    def configurations(self) -> list[dict[str, Any]]: ...

    def describe_configuration(self, configuration_id: str) -> dict[str, Any] | None: ...

    def describe_revision(self, configuration_id: str, revision: int) -> dict[str, Any] | None: ...

    def create_configuration(self, request: Mapping[str, Any]) -> dict[str, Any]: ...

    def update_configuration(
        self, configuration_id: str, data: str, description: str | None = None
    ) -> dict[str, Any]: ...

    def delete_configuration(self, configuration_id: str) -> bool: ...

    def create_tags(self, arn: str, tags: Mapping[str, str]) -> None: ...

    def delete_tags(self, arn: str, keys: Sequence[str]) -> None: ...


class RefusedError(ConfigurationError):
    """The configuration would not become on Amazon MQ what it is here. Nothing was changed."""

    def __init__(self, message: str, configuration: Configuration) -> None:
        super().__init__(message)
        self.configuration = configuration


@dataclass(frozen=True)
class Wanted:
    """What somebody wants. None: not said, so it is left as it is."""

    name: str | None = None
    configuration_id: str | None = None
    document: str | None = None
    description: str | None = None
    engine_version: str | None = None
    authentication_strategy: str | None = None
    tags: Mapping[str, str] | None = None
    purge_tags: bool = True
    accept_removed: Sequence[str] = ()
    also_permitted: Sequence[str] = ()


@dataclass(frozen=True)
class Outcome:
    """What was done, or in check mode would be done."""

    changed: bool
    configuration: dict[str, Any] | None = None
    removed: list[dict[str, Any]] = field(default_factory=list)
    before: str = ""
    after: str = ""


def check(wanted: Wanted) -> Configuration:
    """The configuration as Amazon MQ would take it; the API is not asked. Raises ConfigurationError."""
    xml.check_names(wanted.also_permitted, "also_permitted")
    xml.check_names(wanted.accept_removed, "accept_removed")
    return xml.read(wanted.document or "", wanted.engine_version, wanted.also_permitted, wanted.accept_removed)


def present(api: Api, wanted: Wanted, check_mode: bool) -> Outcome:
    """Make the configuration exist, with the document as its latest revision, and the tags.

    :raises RefusedError: before anything is changed, when Amazon MQ would take away what nobody accepted, or refuse it.
    :raises ConfigurationError: when it is not possible, or the API did something else than was expected.
    """
    if wanted.document is not None:
        check(wanted)
    found = find(api, wanted)
    if found is None and wanted.configuration_id is not None:
        raise ConfigurationError(f"there is no configuration with the id {wanted.configuration_id!r}")
    if found is None and not _NAME.fullmatch(wanted.name or ""):
        raise ConfigurationError(
            f"the name {wanted.name!r} is not possible: it has 1 to 150 letters, digits, dashes, periods, underscores "
            "and tildes"
        )
    if found is not None:
        _check_fixed(found, wanted)
    given = _given(wanted, found)
    if found is None:
        return _create(api, wanted, given, check_mode)
    return _update(api, wanted, given, found, check_mode)


def absent(api: Api, wanted: Wanted, check_mode: bool) -> Outcome:
    """Delete the configuration with all its revisions. Raises ConfigurationError."""
    found = find(api, wanted)
    if found is None:
        return Outcome(False)
    before = _latest(api, found).text
    if not check_mode:
        api.delete_configuration(str(found["Id"]))
    return Outcome(True, describe(found), before=before)


def find(api: Api, wanted: Wanted) -> dict[str, Any] | None:
    """The answer of DescribeConfiguration. None when it does not exist.

    :raises ConfigurationError: when several have the name, or it is not of ActiveMQ.
    """
    configuration_id = wanted.configuration_id
    if configuration_id is None:
        ids = [str(one["Id"]) for one in api.configurations() if one.get("Name") == wanted.name]
        if len(ids) > 1:
            raise ConfigurationError(
                f"more than one configuration is named {wanted.name!r}: {', '.join(sorted(ids))}; use configuration_id"
            )
        if not ids:
            return None
        configuration_id = ids[0]
    found = api.describe_configuration(configuration_id)
    if found is not None and str(found.get("EngineType", "ACTIVEMQ")).upper() != "ACTIVEMQ":
        raise ConfigurationError(f"the configuration {configuration_id!r} is of {found['EngineType']}, not of ActiveMQ")
    return found


def describe(answer: Json) -> dict[str, Any]:
    """An answer of DescribeConfiguration as the module returns it."""
    latest = answer.get("LatestRevision") or {}
    return {
        "id": answer.get("Id"),
        "arn": answer.get("Arn"),
        "name": answer.get("Name"),
        "latest_revision": latest.get("Revision"),
        "engine_version": answer.get("EngineVersion"),
        "description": latest.get("Description") or answer.get("Description"),
        "authentication_strategy": _strategy(answer.get("AuthenticationStrategy")),
        "tags": dict(answer.get("Tags") or {}),
    }


def _given(wanted: Wanted, found: Json | None) -> Configuration | None:
    """The document, judged for the version of ActiveMQ that the configuration is for. Raises RefusedError."""
    if wanted.document is None:
        return None
    version = wanted.engine_version if found is None else found.get("EngineVersion")
    given = xml.read(wanted.document, version, wanted.also_permitted, wanted.accept_removed)
    name = repr(wanted.name or wanted.configuration_id)
    missing = xml.unaccepted(given.removals, wanted.accept_removed)
    if missing:
        places = ", ".join(f"{one.name} ({one.path})" for one in missing)
        raise RefusedError(
            f"the configuration {name} was not changed: Amazon MQ would remove from the data what accept_removed does "
            f"not name: {places}",
            given,
        )
    if given.rejections:
        places = ", ".join(f"{one.path} {one.message}" for one in given.rejections)
        raise RefusedError(
            f"the configuration {name} was not changed: Amazon MQ would refuse the data: {places}", given
        )
    return given


def _check_fixed(found: Json, wanted: Wanted) -> None:
    """Raise ConfigurationError for what cannot be changed in a configuration that exists."""
    now = describe(found)
    problems = []
    if wanted.name is not None and wanted.name != now["name"]:
        problems.append(f"its name is {now['name']!r}, not {wanted.name!r}")
    if wanted.engine_version is not None and not xml.same_line(wanted.engine_version, str(now["engine_version"])):
        problems.append(f"it is for ActiveMQ {now['engine_version']}, not {wanted.engine_version}")
    if wanted.authentication_strategy not in (None, now["authentication_strategy"]):
        strategy = now["authentication_strategy"]
        problems.append(f"its authentication strategy is {strategy}, not {wanted.authentication_strategy}")
    if problems:
        raise ConfigurationError(
            f"the configuration {now['id']!r} exists and cannot be changed so: {'; '.join(problems)}; make another one"
        )


def _create(api: Api, wanted: Wanted, given: Configuration | None, check_mode: bool) -> Outcome:
    request: dict[str, Any] = {"Name": wanted.name, "EngineType": "ACTIVEMQ"}
    optional = {
        "EngineVersion": wanted.engine_version,
        "AuthenticationStrategy": wanted.authentication_strategy and wanted.authentication_strategy.upper(),
        "Tags": dict(wanted.tags or {}) or None,
    }
    request.update({key: value for key, value in optional.items() if value is not None})
    if check_mode:
        foreseen = describe({"AuthenticationStrategy": "simple", **request})
        foreseen["description"] = wanted.description if given is not None else None
        return Outcome(True, foreseen, _removed(given), after=given.text if given is not None else "")
    # Revision 1 is Amazon MQ's default for the version.
    created = {**request, **api.create_configuration(request)}
    outcome = _update(api, wanted, given, api.describe_configuration(str(created["Id"])) or created, False)
    return Outcome(True, outcome.configuration, outcome.removed, "", outcome.after)


def _update(api: Api, wanted: Wanted, given: Configuration | None, found: Json, check_mode: bool) -> Outcome:
    to_set, to_remove = tag_changes(found.get("Tags") or {}, wanted.tags, wanted.purge_tags)
    latest = _latest(api, found)
    renew = given is not None and not (latest.broker is not None and xml.same(given.kept, latest.broker))
    revision = int((found.get("LatestRevision") or {}).get("Revision") or 0)
    if renew and revision >= permitted.MAX_REVISIONS:
        raise ConfigurationError(
            f"the configuration {found.get('Name')!r} ({found['Id']}) has {revision} revisions, which is the most that "
            "there can be, and a revision cannot be deleted; make a configuration with another name"
        )
    changed = bool(renew or to_set or to_remove)
    after = given.text if renew and given is not None else latest.text
    now = describe(found)
    now["tags"] = {**{key: value for key, value in now["tags"].items() if key not in to_remove}, **to_set}
    if renew and check_mode:
        now.update(latest_revision=revision + 1, description=wanted.description)
    if not check_mode:
        arn = str(found.get("Arn"))
        if to_set:
            api.create_tags(arn, to_set)
        if to_remove:
            api.delete_tags(arn, to_remove)
        if renew and given is not None:
            now.update(_upload(api, wanted, given, found))
    return Outcome(changed, now, _removed(given), latest.text, after)


def _upload(api: Api, wanted: Wanted, given: Configuration, found: Json) -> dict[str, Any]:
    """Make a revision, and make sure that it is what was sent. Returns what that changes of the description."""
    configuration_id = str(found["Id"])
    answer = api.update_configuration(configuration_id, xml.encode(given.document), wanted.description)
    made = answer.get("LatestRevision") or {}
    revision = int(made.get("Revision") or 0)
    where = (
        f"the revision {revision} of the configuration {found.get('Name')!r} ({configuration_id}) exists now, and is "
        "applied to no broker"
    )
    warnings = xml.warning_names(answer.get("Warnings") or [])
    if warnings:
        raise ConfigurationError(f"{where}; Amazon MQ removed more than was expected: {', '.join(warnings)}")
    kept = _revision(api, configuration_id, revision)
    if kept.broker is None or not xml.same(given.kept, kept.broker):
        raise ConfigurationError(f"{where}; Amazon MQ keeps something else than was sent, without a warning")
    return {"latest_revision": revision, "description": made.get("Description")}


@dataclass(frozen=True)
class _Revision:
    """A revision as the API has it. ``broker`` is None when that is no configuration that can be read."""

    broker: Node | None
    text: str


def _latest(api: Api, found: Json) -> _Revision:
    latest = (found.get("LatestRevision") or {}).get("Revision")
    return _Revision(None, "") if latest is None else _revision(api, str(found["Id"]), int(latest))


def _revision(api: Api, configuration_id: str, revision: int) -> _Revision:
    answer = api.describe_revision(configuration_id, revision)
    if answer is None:
        raise ConfigurationError(f"the configuration {configuration_id!r} has no revision {revision}")
    try:
        broker = xml.parse(xml.decode(str(answer.get("Data") or "")))
    except ConfigurationError as exc:
        return _Revision(None, f"<!-- {exc} -->\n")
    return _Revision(broker, xml.text(broker))


def _removed(given: Configuration | None) -> list[dict[str, Any]]:
    return [] if given is None else [removal.as_dict() for removal in given.removals]


def _strategy(value: Any) -> str | None:
    """The model spells it in capitals, answers of the API in small letters."""
    return None if value is None else str(value).lower()
