# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done so that a configuration is what somebody wants."""

from __future__ import annotations

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _configuration_plan as plan
from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _mq_configuration as xml
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._configuration_plan import RefusedError, Wanted
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._mq_configuration import ConfigurationError

CORE = "http://activemq.apache.org/schema/core"
DEFAULT = f'<broker xmlns="{CORE}" schedulePeriodForDestinationPurge="10000"/>'
OTHER = f'<broker xmlns="{CORE}" advisorySupport="false"/>'
LOSSY = f'<broker xmlns="{CORE}" advisorySupport="false" brokerName="x"><sslContext/></broker>'
WRITES = {"create_configuration", "update_configuration", "delete_configuration", "create_tags", "delete_tags"}


class FakeApi:
    """The API with one configuration; ``taken`` is what it keeps of an upload, when that is something else."""

    def __init__(self, *revisions, name="orders", taken=None, warnings=(), engine="ActiveMQ", **more):
        self.revisions = list(revisions)
        self.name, self.taken, self.warnings, self.more = name, taken, list(warnings), {"EngineType": engine, **more}
        self.more.setdefault("EngineVersion", "5.18")
        self.calls = []

    @property
    def writes(self):
        return [call[0] for call in self.calls if call[0] in WRITES]

    def _answer(self):
        return {
            "Id": "c-1",
            "Arn": "arn:c-1",
            "Name": self.name,
            "AuthenticationStrategy": "simple",
            "LatestRevision": {"Revision": len(self.revisions)},
            **self.more,
        }

    def configurations(self):
        self.calls.append(("configurations",))
        return [{"Id": "c-0", "Name": "another"}, *([{"Id": "c-1", "Name": self.name}] if self.revisions else [])]

    def describe_configuration(self, configuration_id):
        self.calls.append(("describe_configuration", configuration_id))
        return self._answer() if self.revisions and configuration_id == "c-1" else None

    def describe_revision(self, configuration_id, revision):
        self.calls.append(("describe_revision", configuration_id, revision))
        return {"Data": xml.encode(self.revisions[revision - 1])} if 0 < revision <= len(self.revisions) else None

    def create_configuration(self, request):
        self.calls.append(("create_configuration", request))
        self.name = request["Name"]
        self.more.update(Tags=request.get("Tags", {}))
        self.revisions.append(DEFAULT)
        return self._answer()

    def update_configuration(self, configuration_id, data, description=None):
        self.calls.append(("update_configuration", xml.decode(data), description))
        self.revisions.append(self.taken or xml.decode(data))
        answer = self._answer()
        answer["LatestRevision"] = {"Revision": len(self.revisions), "Description": description}
        return {**answer, "Warnings": self.warnings}

    def delete_configuration(self, configuration_id):
        self.calls.append(("delete_configuration", configuration_id))
        return True

    def create_tags(self, arn, tags):
        self.calls.append(("create_tags", arn, tags))

    def delete_tags(self, arn, keys):
        self.calls.append(("delete_tags", arn, keys))


def test_a_new_one_is_created_and_gets_a_revision():
    api = FakeApi()
    wanted = Wanted(name="orders", document=OTHER, description="why", engine_version="5.18", tags={"a": "b"})

    foreseen = plan.present(api, wanted, True)
    assert api.writes == []
    outcome = plan.present(api, wanted, False)

    assert api.calls[-1] == ("describe_revision", "c-1", 2)
    assert api.writes == ["create_configuration", "update_configuration"]
    assert (foreseen.changed, outcome.changed) == (True, True)
    assert (foreseen.before, foreseen.after) == (outcome.before, outcome.after)
    assert outcome.configuration == {
        "id": "c-1",
        "arn": "arn:c-1",
        "name": "orders",
        "latest_revision": 2,
        "engine_version": "5.18",
        "description": "why",
        "authentication_strategy": "simple",
        "tags": {"a": "b"},
    }
    assert foreseen.configuration == {**outcome.configuration, "id": None, "arn": None, "latest_revision": None}


def test_a_new_one_without_data_has_the_default():
    api = FakeApi()

    outcome = plan.present(api, Wanted(name="orders", authentication_strategy="ldap"), False)

    assert api.writes == ["create_configuration"]
    request = {"Name": "orders", "EngineType": "ACTIVEMQ", "AuthenticationStrategy": "LDAP"}
    assert ("create_configuration", request) in api.calls
    assert outcome.configuration["latest_revision"] == 1


def test_the_same_in_another_spelling_changes_nothing():
    api = FakeApi(
        DEFAULT, f'<?xml version="1.0"?>\n<a:broker xmlns:a="{CORE}" advisorySupport="&#102;alse">\n</a:broker>'
    )

    outcome = plan.present(api, Wanted(name="orders", document=OTHER, description="another"), False)

    assert not outcome.changed
    assert api.writes == []
    assert outcome.before == outcome.after
    assert outcome.configuration["latest_revision"] == 2


def test_check_mode_foresees_the_revision():
    wanted = Wanted(configuration_id="c-1", document=OTHER, description="why", tags={"a": "1", "b": "2"})
    api = FakeApi(DEFAULT, Tags={"b": "1", "c": "3", "aws:d": "4"})

    foreseen = plan.present(api, wanted, True)
    assert api.writes == []
    outcome = plan.present(api, wanted, False)

    assert foreseen == outcome
    assert outcome.configuration["latest_revision"] == 2
    assert outcome.configuration["tags"] == {"a": "1", "b": "2", "aws:d": "4"}
    assert ("create_tags", "arn:c-1", {"a": "1", "b": "2"}) in api.calls
    assert ("delete_tags", "arn:c-1", ["c"]) in api.calls
    assert 'schedulePeriodForDestinationPurge="10000"' in outcome.before
    assert 'advisorySupport="false"' in outcome.after


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("revisions", [(), (DEFAULT,)])
def test_a_removal_that_nobody_accepted_fails_before_anything_is_written(check_mode, revisions):
    api = FakeApi(*revisions)
    wanted = Wanted(name="orders", document=LOSSY, accept_removed=["broker@brokerName"], tags={"a": "b"})

    with pytest.raises(
        RefusedError, match=r"remove from .* not name: broker/sslContext \(/broker/sslContext\)$"
    ) as error:
        plan.present(api, wanted, check_mode)

    assert api.writes == []
    assert [one.name for one in error.value.configuration.removals] == ["broker@brokerName", "broker/sslContext"]


def test_what_is_accepted_is_not_sent():
    api = FakeApi(DEFAULT)
    wanted = Wanted(name="orders", document=LOSSY, accept_removed=["broker@brokerName", "broker/sslContext"])

    outcome = plan.present(api, wanted, False)

    assert [one["name"] for one in outcome.removed] == ["broker@brokerName", "broker/sslContext"]
    assert api.revisions[-1] == xml.read(OTHER).document
    assert not plan.present(api, wanted, False).changed


def test_what_would_be_refused_is_not_sent():
    document = f'<broker xmlns="{CORE}" keepDurableSubsActive="maybe"/>'
    api = FakeApi(DEFAULT)

    with pytest.raises(
        RefusedError, match="would refuse the data: /broker/@keepDurableSubsActive has to be true or false"
    ):
        plan.present(api, Wanted(name="orders", document=document), False)

    assert api.writes == []


def test_the_version_of_the_configuration_counts():
    wanted = Wanted(name="orders", document=f'<broker xmlns="{CORE}" maxUncommittedCount="5"/>')

    with pytest.raises(RefusedError, match="broker@maxUncommittedCount"):
        plan.present(FakeApi(DEFAULT, EngineVersion="5.18"), wanted, False)
    assert plan.present(FakeApi(DEFAULT, EngineVersion="5.19.1"), wanted, False).changed


def test_a_warning_that_was_not_expected():
    warning = {"ElementName": "broker", "AttributeName": "newFlag", "Reason": "DISALLOWED_ATTRIBUTE_REMOVED"}
    api = FakeApi(DEFAULT, taken=OTHER, warnings=[warning])
    document = f'<broker xmlns="{CORE}" advisorySupport="false" newFlag="1"/>'
    wanted = Wanted(name="orders", document=document, also_permitted=["broker@newFlag"])

    with pytest.raises(ConfigurationError, match=r"revision 2 of .* is applied to no broker; .* broker@newFlag \(DIS"):
        plan.present(api, wanted, False)


@pytest.mark.parametrize("taken", [DEFAULT, "nonsense"])
def test_something_else_is_kept_without_a_warning(taken):
    with pytest.raises(ConfigurationError, match=r"the revision 2 .* keeps something else than was sent"):
        plan.present(FakeApi(DEFAULT, taken=taken), Wanted(name="orders", document=OTHER), False)


@pytest.mark.parametrize("check_mode", [True, False])
def test_there_are_300_revisions_at_most(check_mode):
    api = FakeApi(*[DEFAULT] * 300)

    with pytest.raises(ConfigurationError, match=r"'orders' \(c-1\) has 300 revisions"):
        plan.present(api, Wanted(name="orders", document=OTHER), check_mode)
    assert not plan.present(api, Wanted(name="orders", document=DEFAULT), check_mode).changed

    assert api.writes == []


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (Wanted(name="orders", engine_version="5.19"), "for ActiveMQ 5.18, not 5.19"),
        (Wanted(name="orders", authentication_strategy="ldap"), "strategy is simple, not ldap"),
        (Wanted(configuration_id="c-1", name="invoices"), "its name is 'orders', not 'invoices'"),
        (Wanted(configuration_id="c-2"), "no configuration with the id 'c-2'"),
        (Wanted(name="or ders"), "the name 'or ders' is not possible"),
        (Wanted(name="x" * 151), "is not possible"),
        (Wanted(name="orders", document=OTHER, accept_removed=["*"]), "accept_removed names"),
        (Wanted(name="orders", document=OTHER, also_permitted=["*"]), "also_permitted names"),
    ],
)
def test_what_is_not_possible(wanted, message):
    api = FakeApi(DEFAULT)

    with pytest.raises(ConfigurationError, match=message):
        plan.present(api, wanted, False)

    assert api.writes == []


def test_the_patch_of_the_version_does_not_count():
    assert not plan.present(
        FakeApi(DEFAULT, EngineVersion="5.18.4"), Wanted(name="orders", engine_version="5.18"), False
    ).changed


def test_it_is_of_another_engine():
    with pytest.raises(ConfigurationError, match="'c-1' is of RabbitMQ"):
        plan.present(FakeApi("# nothing", engine="RabbitMQ"), Wanted(name="orders", document=OTHER), False)


def test_several_have_the_name():
    api = FakeApi(DEFAULT)
    api.configurations = lambda: [{"Id": "c-2", "Name": "orders"}, {"Id": "c-1", "Name": "orders"}]

    with pytest.raises(ConfigurationError, match="'orders': c-1, c-2; use configuration_id"):
        plan.absent(api, Wanted(name="orders"), False)
    assert plan.absent(api, Wanted(configuration_id="c-1"), False).changed


def test_deleting():
    api = FakeApi(DEFAULT)

    foreseen = plan.absent(api, Wanted(name="orders"), True)
    assert api.writes == []
    assert plan.absent(api, Wanted(name="orders"), False) == foreseen
    assert api.calls[-1] == ("delete_configuration", "c-1")
    assert (foreseen.changed, foreseen.configuration["id"], foreseen.after) == (True, "c-1", "")
    assert plan.absent(FakeApi(), Wanted(name="orders"), False) == plan.Outcome(False)


def test_checking_asks_for_the_version_that_is_given():
    document = f'<broker xmlns="{CORE}" maxUncommittedCount="5"/>'

    assert len(plan.check(Wanted(document=document, engine_version="5.18")).removals) == 1
    assert len(plan.check(Wanted(document=document)).removals) == 0
