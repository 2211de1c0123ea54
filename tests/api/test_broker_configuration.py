# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module broker_configuration against an API that takes away, refuses and rewrites as Amazon MQ does."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from ansible_collections.mqlift.amazon_mq.plugins.modules import broker_configuration
from lab.aws import Serving, calls

CORE = "http://activemq.apache.org/schema/core"
PLAIN = f"""<amq:broker xmlns:amq="{CORE}" schedulePeriodForDestinationPurge="10000">
  <!-- one queue -->
  <amq:plugins><amq:statisticsBrokerPlugin/></amq:plugins>
  <amq:destinations><amq:queue physicalName="orders.&#110;ew"/></amq:destinations>
</amq:broker>
"""
SOURCE = f"""<beans xmlns="http://www.springframework.org/schema/beans">
  <bean class="x"><property name="password" value="geheim"/></bean>
  <broker xmlns="{CORE}" brokerName="source" dataDirectory="${{data}}" persistent="${{persistent}}">
    <destinations><queue physicalName="orders.new"/></destinations>
    <networkConnectors><networkConnector uri="static:(ssl://u:geheim@hub:1)" password="geheim"/></networkConnectors>
    <sslContext><sslContext keyStorePassword="geheim"/></sslContext>
    <transportConnectors>
      <transportConnector name="openwire" uri="tcp://0.0.0.0:61616"/>
      <transportConnector name="stomp" uri="stomp://0.0.0.0:61613"/>
    </transportConnectors>
  </broker>
</beans>
"""
ACCEPTED = [
    "beans/bean",
    "broker@brokerName",
    "broker@dataDirectory",
    "broker@persistent",
    "broker/sslContext",
    "networkConnector@password",
    "transportConnector@uri",
    "transportConnectors/transportConnector",
]
READS = ("List", "Describe")


def writes(aws: Serving) -> list[str]:
    return [call.operation for call in calls.read(aws.calls) if not call.operation.startswith(READS)]


def stored(aws: Serving, result: dict[str, Any]) -> str:
    """The XML of the revision that a result names."""
    revision = aws.client().describe_configuration_revision(
        ConfigurationId=result["configuration"]["id"], ConfigurationRevision=str(result["revision"])
    )
    return base64.b64decode(revision["Data"]).decode()


def test_a_configuration_from_nothing_to_nothing(aws: Serving, run: Any) -> None:
    wanted = {"name": "orders", "engine_version": "5.18", "data": PLAIN, "description": "d", "tags": {"team": "a"}}

    foreseen = run(broker_configuration, check=True, diff=True, **wanted)
    assert writes(aws) == []
    made = run(broker_configuration, diff=True, **wanted)
    again = run(broker_configuration, diff=True, **wanted)

    assert (foreseen["changed"], made["changed"], again["changed"]) == (True, True, False)
    assert foreseen["diff"] == made["diff"]
    assert made["configuration"] == again["configuration"]
    assert (made["revision"], made["configuration"]["description"]) == (2, "d")
    assert made["configuration"]["tags"] == {"team": "a"}
    # Amazon MQ wrote it anew, and the second run saw that it says the same.
    assert "amq:" not in stored(aws, made)
    assert writes(aws) == ["CreateConfiguration", "UpdateConfiguration"]

    foreseen = run(broker_configuration, check=True, name="orders", state="absent")
    gone = run(broker_configuration, name="orders", state="absent")
    again = run(broker_configuration, name="orders", state="absent")

    assert (foreseen["changed"], gone["changed"], again["changed"]) == (True, True, False)
    assert foreseen["configuration"] == gone["configuration"]
    assert again["configuration"] is None


def test_a_change_of_one_value(aws: Serving, run: Any) -> None:
    made = run(broker_configuration, name="orders", data=PLAIN)
    wanted = {"configuration_id": made["configuration"]["id"], "data": PLAIN.replace("10000", "20000")}

    foreseen = run(broker_configuration, check=True, diff=True, **wanted)
    changed = run(broker_configuration, diff=True, **wanted)

    assert foreseen == changed
    assert changed["revision"] == 3
    before, after = (changed["diff"][side].splitlines() for side in ("before", "after"))
    assert [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]] == [
        (
            f'<broker xmlns="{CORE}" schedulePeriodForDestinationPurge="10000">',
            f'<broker xmlns="{CORE}" schedulePeriodForDestinationPurge="20000">',
        )
    ]


def test_tags_alone_make_no_revision(aws: Serving, run: Any) -> None:
    run(broker_configuration, name="orders", data=PLAIN, tags={"a": "1", "b": "2"})
    wanted = {"name": "orders", "data": PLAIN, "tags": {"b": "3"}}

    foreseen = run(broker_configuration, check=True, **wanted)
    changed = run(broker_configuration, **wanted)

    assert foreseen == changed
    assert changed["changed"]
    assert (changed["revision"], changed["configuration"]["tags"]) == (2, {"b": "3"})
    assert not run(broker_configuration, **wanted)["changed"]


@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("missing", ["beans/bean", "broker@persistent", "networkConnector@password"])
def test_what_nobody_accepted_is_not_written(aws: Serving, run: Any, missing: str, check: bool, exists: bool) -> None:
    if exists:
        run(broker_configuration, name="orders", data=PLAIN)
    before = writes(aws)

    result = run(
        broker_configuration,
        check=check,
        name="orders",
        data=SOURCE,
        accept_removed=[name for name in ACCEPTED if name != missing],
    )

    assert result["failed"]
    assert missing in result["msg"]
    assert {one["name"] for one in result["removed"]} == set(ACCEPTED)
    assert writes(aws) == before


def test_a_brokers_own_configuration_gets_there_without_its_secrets(aws: Serving, run: Any) -> None:
    wanted = {"name": "orders", "data": SOURCE.replace("u:geheim@", ""), "accept_removed": ACCEPTED}

    made = run(broker_configuration, diff=True, **wanted)

    assert made["revision"] == 2
    assert not run(broker_configuration, **wanted)["changed"]
    kept = stored(aws, made)
    assert "geheim" not in kept + str(made)
    assert '<queue physicalName="orders.new"/>' in kept
    assert '<transportConnector name="openwire"/>' in kept
    assert "stomp" not in kept


def test_a_password_that_is_uploaded_is_not_told(aws: Serving, run: Any) -> None:
    made = run(broker_configuration, diff=True, name="orders", data=SOURCE, accept_removed=ACCEPTED)

    assert "u:geheim@hub" in stored(aws, made)
    assert "geheim" not in str(made)
    assert "********@hub:1" in made["diff"]["after"]


def test_what_amazon_mq_refuses_is_known_before(aws: Serving, run: Any) -> None:
    result = run(broker_configuration, name="orders", data=SOURCE, accept_removed=ACCEPTED[:-1])

    assert result["failed"]
    assert result["rejected"] == [
        {"path": "/broker/transportConnectors/transportConnector[2]/@name", "message": "has to be openwire"}
    ]
    assert writes(aws) == []


def test_more_is_removed_than_was_expected(aws: Serving, run: Any) -> None:
    data = f'<broker xmlns="{CORE}" advisorySupport="false" newFlag="1"><sslContext/></broker>'

    result = run(broker_configuration, name="orders", data=data, also_permitted=["broker@newFlag", "broker/sslContext"])

    assert result["failed"]
    assert "the revision 2 of the configuration 'orders'" in result["msg"]
    assert "applied to no broker" in result["msg"]
    assert "broker@newFlag (DISALLOWED_ATTRIBUTE_REMOVED), sslContext (DISALLOWED_ELEMENT_REMOVED)" in result["msg"]


def test_users_of_a_directory(aws: Serving, run: Any) -> None:
    wanted = {"name": "orders", "authentication_strategy": "ldap"}

    foreseen = run(broker_configuration, check=True, **wanted)
    made = run(broker_configuration, **wanted)

    assert made["configuration"]["authentication_strategy"] == "ldap"
    assert foreseen["configuration"]["authentication_strategy"] == "ldap"
    assert not run(broker_configuration, **wanted)["changed"]


def test_amazon_mqs_default_loses_nothing(aws: Serving, run: Any) -> None:
    made = run(broker_configuration, name="orders")
    data = stored(aws, made)

    checked = run(broker_configuration, state="checked", data=data)

    assert (checked["removed"], checked["rejected"]) == ([], [])
    assert not run(broker_configuration, name="orders", data=data)["changed"]


def test_a_name_on_the_second_page(aws: Serving, run: Any) -> None:
    client = aws.client()
    for number in range(101):
        client.create_configuration(Name=f"c{number}", EngineType="ACTIVEMQ", EngineVersion="5.18")
    last = client.create_configuration(Name="orders", EngineType="ACTIVEMQ", EngineVersion="5.18")

    assert run(broker_configuration, name="orders")["configuration"]["id"] == last["Id"]


def test_there_are_300_revisions_at_most(aws: Serving, run: Any) -> None:
    made = run(broker_configuration, name="orders", data=PLAIN)
    client, identity = aws.client(), made["configuration"]["id"]
    data = base64.b64encode(f'<broker xmlns="{CORE}"/>'.encode()).decode()
    for dummy in range(298):
        client.update_configuration(ConfigurationId=identity, Data=data)
    before = writes(aws)

    result = run(broker_configuration, name="orders", data=PLAIN)

    assert "has 300 revisions" in result["msg"]
    assert writes(aws) == before


def test_one_that_a_broker_has_is_not_deleted(aws: Serving, run: Any) -> None:
    made = run(broker_configuration, name="orders", engine_version="5.18", data=PLAIN)
    aws.client().create_broker(
        BrokerName="orders",
        DeploymentMode="SINGLE_INSTANCE",
        EngineType="ACTIVEMQ",
        EngineVersion="5.18",
        AutoMinorVersionUpgrade=True,
        HostInstanceType="mq.m5.large",
        PubliclyAccessible=False,
        Users=[{"Username": "somebody", "Password": "long-enough-to-be-one"}],
        Configuration={"Id": made["configuration"]["id"], "Revision": made["revision"]},
    )

    result = run(broker_configuration, name="orders", state="absent")

    assert result["failed"]
    assert "a broker has it, or takes it at its next reboot" in result["msg"]
