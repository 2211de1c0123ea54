# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is private to the collection; it may change at any time.

"""One run of the module ``broker``: looks, plans, calls, waits. The API and the waiting are injected.

In check mode both are twins that do nothing, so nothing here asks whether it is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._amazon_mq import (
    BrokerLookupError,
    describe,
    is_pending,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._broker_plan import (
    IMMEDIATE,
    IMPOSSIBLE,
    ONLY_AT_CREATION,
    PENDING,
    Plan,
    plan,
    planned,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._broker_wait import (
    CREATION_FAILED,
    DELETING,
    PASSING,
    RUNNING,
    BrokerWaitError,
    NoWait,
    Wait,
    reasons,
)
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._mq_rules import broker_problems

Answer = Mapping[str, Any]

NEVER, WHEN_PENDING, ALWAYS = "never", "when_pending", "always"

#: The options that describe a broker; state=rebooted takes none of them.
DESCRIBING = (*IMMEDIATE, *PENDING, *(name for name in IMPOSSIBLE if name != "broker_name"), *ONLY_AT_CREATION, "tags")


class BrokerError(Exception):
    """A run that cannot go on."""


class Api(Protocol):
    """What is used of MqApi."""

    def find(self, broker_id: str | None, broker_name: str | None) -> dict[str, Any] | None: ...
    def get(self, broker_id: str | None, broker_name: str | None) -> dict[str, Any]: ...
    def describe(self, broker_id: str) -> dict[str, Any] | None: ...
    def create_broker(self, request: Mapping[str, Any]) -> str | None: ...
    def update_broker(self, broker_id: str, request: Mapping[str, Any]) -> None: ...
    def reboot(self, broker_id: str) -> None: ...
    def delete_broker(self, broker_id: str) -> bool: ...
    def create_tags(self, arn: str, tags: Mapping[str, str]) -> None: ...
    def delete_tags(self, arn: str, keys: Sequence[str]) -> None: ...


class Options(NamedTuple):
    """The module's options. ``wanted`` are those that describe the broker, None for one not given."""

    broker_id: str | None
    broker_name: str | None
    reboot: str | None
    wait: bool
    wanted: Mapping[str, Any]


class Run:
    """One run; ``result`` is what the module returns, also when a method raises.

    Methods raise BrokerError, BrokerLookupError, BrokerWaitError, FailoverUrlError, and what the API raises.
    """

    def __init__(self, api: Api, wait: Wait | NoWait, options: Options) -> None:
        self._api, self._wait, self._options = api, wait, options
        self._answer: Answer | None = None
        self._changed = self._rebooted = False
        self._plan: Plan | None = None
        self._diff: dict[str, Any] = {"before": {}, "after": {}}
        self._missing: list[str] = []

    def go(self, state: str) -> None:
        """Do what the state says, and keep what was missing when a wait ends too early."""
        steps = {"present": self.present, "absent": self.absent, "rebooted": self.rebooted}
        try:
            steps[state]()
        except BrokerWaitError as exc:
            self._missing = exc.missing
            self._answer = exc.answer or self._answer
            raise

    def present(self) -> None:
        """Create the broker, or change it, and reboot it when asked to."""
        options = self._options
        self._answer = self._not_leaving(self._api.find(options.broker_id, options.broker_name))
        if self._answer is None:
            if options.broker_id is not None:
                raise BrokerLookupError(
                    f"there is no broker with the id {options.broker_id!r}; a broker is created by broker_name"
                )
            self._create(self._planned(None))
            return
        if self._answer.get("BrokerState") == CREATION_FAILED:
            raise BrokerError(f"{self._name()} could not be created{reasons(self._answer)}; delete it first")
        self._planned(self._answer)  # what cannot be is said before anything is waited for
        self._settle()
        found = self._planned(self._answer)
        self._update(found)
        if options.reboot == ALWAYS or (options.reboot == WHEN_PENDING and found.waiting):
            self._reboot(bool(found.waiting))

    def absent(self) -> None:
        """Delete the broker."""
        self._answer = self._api.find(self._options.broker_id, self._options.broker_name)
        if self._answer is None:
            return
        broker_id = str(self._answer["BrokerId"])
        if self._answer.get("BrokerState") != DELETING:
            self._settle()
            self._changed = True
            self._diff["before"] = {"broker_name": self._answer.get("BrokerName"), "state": "present"}
            self._diff["after"] = {"broker_name": self._answer.get("BrokerName"), "state": "absent"}
            self._api.delete_broker(broker_id)
        self._wait.gone(broker_id)

    def rebooted(self) -> None:
        """Reboot the broker, and change nothing else."""
        given = [name for name in DESCRIBING if self._options.wanted.get(name) is not None]
        if given:
            raise BrokerError(
                f"state=rebooted changes nothing and takes no {', '.join(given)}; use state=present with reboot"
            )
        if self._options.reboot == NEVER:
            raise BrokerError("state=rebooted with reboot=never contradicts itself")
        self._answer = self._api.get(self._options.broker_id, self._options.broker_name)
        self._settle()
        waiting = is_pending(self._answer)
        if waiting or self._options.reboot != WHEN_PENDING:
            self._reboot(waiting)

    def result(self) -> dict[str, Any]:
        """What is known at the end, whatever the end was."""
        found = self._plan
        return {
            "changed": self._changed,
            "broker": None if self._answer is None else describe(self._answer),
            "changes": {
                "immediate": found.immediate if found else [],
                "pending": found.pending if found else [],
                "staged": found.staged if found else [],
                "impossible": [item.name for item in found.impossible] if found else [],
            },
            "rebooted": self._rebooted,
            "state": None if self._answer is None else self._answer.get("BrokerState"),
            "waited_for": self._wait.waited_for,
            "missing": self._missing,
            "elapsed": round(self._wait.elapsed, 3),
            "diff": self._diff,
        }

    def _planned(self, answer: Answer | None) -> Plan:
        """The plan. Raises BrokerError for what cannot be, with all of it."""
        wanted = self._options.wanted
        self._plan = found = plan(wanted, answer)
        self._diff = {"before": found.before, "after": found.after}
        if found.impossible:
            raise BrokerError(
                f"{self._name()} cannot be changed so, nothing was done: {'; '.join(map(str, found.impossible))}"
            )
        problems = broker_problems(wanted, None if answer is None else planned(answer))
        if problems:
            raise BrokerError("; ".join(problems))
        return found

    def _create(self, found: Plan) -> None:
        self._changed = True
        broker_id = self._api.create_broker(found.create)
        if broker_id is not None:
            self._wait.created(broker_id)
            self._look_again(broker_id)

    def _update(self, found: Plan) -> None:
        answer = self._answer or {}
        if not found.changes:
            return
        self._changed = True
        broker_id, arn = str(answer["BrokerId"]), str(answer.get("BrokerArn"))
        if found.update:
            self._api.update_broker(broker_id, found.update)
        if found.unset_tags:
            self._api.delete_tags(arn, found.unset_tags)
        if found.set_tags:
            self._api.create_tags(arn, found.set_tags)
        self._look_again(broker_id)

    def _reboot(self, was_pending: bool) -> None:
        answer = self._answer or {}
        state = answer.get("BrokerState")
        # API reference, "Broker reboot": it has to be RUNNING. Where one waits, it is by now.
        if state != RUNNING and not (self._options.wait and state in PASSING):
            raise BrokerError(f"{self._name()} cannot be rebooted, because it is in state {state}{reasons(answer)}")
        broker_id = str(answer["BrokerId"])
        self._api.reboot(broker_id)
        self._changed = self._rebooted = True
        self._wait.rebooted(broker_id, was_pending)
        self._look_again(broker_id)

    def _settle(self) -> None:
        """Let an operation that is under way come to its end, whoever began it."""
        answer = self._answer or {}
        if self._options.wait and answer.get("BrokerState") in PASSING:
            self._answer = self._wait.settled(str(answer["BrokerId"])) or self._answer

    def _not_leaving(self, answer: dict[str, Any] | None) -> dict[str, Any] | None:
        """The broker, None once one that is being deleted is gone. Raises BrokerError when that is not waited for."""
        if answer is None or answer.get("BrokerState") != DELETING:
            return answer
        self._answer = answer
        if not self._options.wait:
            raise BrokerError(f"{self._name()} is being deleted")
        self._wait.gone(str(answer["BrokerId"]))
        return None

    def _look_again(self, broker_id: str) -> None:
        self._answer = self._api.describe(broker_id) or self._answer

    def _name(self) -> str:
        answer = self._answer or {}
        return f"the broker {answer.get('BrokerName')} ({answer.get('BrokerId')})"
