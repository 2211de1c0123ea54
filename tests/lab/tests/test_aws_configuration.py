# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's AWS API: configurations, and one put into the pair's own file. Tests name the source of what they ask."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree

from lab import software
from lab.aws import configuration, merge
from lab.aws.errors import ApiError
from lab.brokers import Broker

if TYPE_CHECKING:
    from lab.tests.conftest import Amazon

NAMESPACE = "http://activemq.apache.org/schema/core"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def broker(content: str = "", attributes: str = "") -> str:
    return f'<broker xmlns="{NAMESPACE}" {attributes}>{content}</broker>'


def encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def sanitized(text: str) -> tuple[str, list[tuple[str, str | None, str]]]:
    kept, warnings = configuration.sanitize(text.encode(), "5.18")
    return kept, [(item["ElementName"], item.get("AttributeName"), item["Reason"]) for item in warnings]


@pytest.fixture
def identity(amazon: Amazon, request: pytest.FixtureRequest) -> str:
    """A configuration of the test's own."""
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    return str(amazon.mq.create_configuration(Name=name, EngineType="ACTIVEMQ", EngineVersion="5.18")["Id"])


# -- configurations and revisions --------------------------------------------------------------------------------------


def test_a_new_configuration_has_amazons_default(amazon: Amazon) -> None:
    """Recorded: configuration_revisions.json (create, revision-01)."""
    made = amazon.mq.create_configuration(Name="orders", EngineType="ACTIVEMQ", EngineVersion="5.18")
    assert made["Arn"] == f"arn:aws:mq:us-east-2:123456789012:configuration:{made['Id']}"
    assert made["AuthenticationStrategy"] == "simple"
    assert made["LatestRevision"]["Revision"] == 1
    assert made["LatestRevision"]["Description"] == "Auto-generated default for orders on ActiveMQ 5.18"
    told = amazon.mq.describe_configuration(ConfigurationId=made["Id"])
    assert (told["EngineType"], told["EngineVersion"], told["Tags"]) == ("ActiveMQ", "5.18", {})
    first = amazon.mq.describe_configuration_revision(ConfigurationId=made["Id"], ConfigurationRevision="01")
    assert 'schedulePeriodForDestinationPurge="10000"' in base64.b64decode(first["Data"]).decode()


def test_a_configuration_has_a_name_of_its_own(amazon: Amazon) -> None:
    """API reference, Configurations: 409, "This configuration name already exists"."""
    amazon.mq.create_configuration(Name="taken", EngineType="ActiveMQ")
    error = amazon.error("create_configuration", Name="taken", EngineType="ACTIVEMQ")
    assert error[:3] == (409, "ConflictException", "name")
    assert amazon.error("create_configuration", Name="with space", EngineType="ACTIVEMQ")[2] == "name"


def test_revisions_are_numbers(amazon: Amazon, identity: str) -> None:
    """Recorded: configuration_revisions.json. Sorted as text 10 would come before 9."""
    for number in range(2, 13):
        told = amazon.mq.update_configuration(
            ConfigurationId=identity, Data=encode(broker()), Description=f"number {number}"
        )
        assert told["LatestRevision"]["Revision"] == number
        assert told["Warnings"] == []
    assert amazon.mq.describe_configuration(ConfigurationId=identity)["LatestRevision"]["Revision"] == 12
    listed = amazon.mq.list_configuration_revisions(ConfigurationId=identity)
    assert (listed["ConfigurationId"], listed["MaxResults"]) == (identity, 20)
    assert [item["Revision"] for item in listed["Revisions"]] == list(range(1, 13))
    assert listed["Revisions"][9]["Description"] == "number 10"


@pytest.mark.parametrize(
    ("number", "status", "text"),
    [
        ("0", 404, "Revision [0] of configuration"),
        ("-1", 404, "Revision [-1] of configuration"),
        ("999", 404, "Revision [999] of configuration"),
        ("abc", 400, "Invalid revision ID. Specify only integers from -2147483648 to 2147483647."),
        ("+1", 400, "Invalid revision ID."),
        ("2147483648", 400, "Invalid revision ID."),
    ],
)
def test_a_revision_that_is_not_there(amazon: Amazon, identity: str, number: str, status: int, text: str) -> None:
    """Recorded: configuration_revisions.json, configuration_revision_precedence.json; also without a configuration."""
    for owner in (identity, "c-fd0efd0a-e1c1-4d54-bc77-7cb4fa679193"):
        error = amazon.error("describe_configuration_revision", ConfigurationId=owner, ConfigurationRevision=number)
        assert (error[0], error[2]) == (status, "configuration-revision")
        assert error[3].startswith(text)


def test_a_configuration_in_use_is_not_deleted(amazon: Amazon) -> None:
    """As moto has it (ConfigurationInUse). Recorded (maintenance.json) is that one that is not used can be deleted."""
    broker_id = amazon.running()
    used = amazon.describe(broker_id)["Configurations"]["Current"]["Id"]
    assert amazon.error("delete_configuration", ConfigurationId=used)[:3] == (
        409,
        "ConflictException",
        "configuration-id",
    )
    made = amazon.mq.create_configuration(Name="unused", EngineType="ACTIVEMQ")["Id"]
    assert amazon.mq.delete_configuration(ConfigurationId=made)["ConfigurationId"] == made
    assert amazon.error("describe_configuration", ConfigurationId=made)[0] == 404


def test_a_revision_that_does_not_exist_cannot_be_applied(amazon: Amazon, identity: str) -> None:
    error = amazon.error("update_broker", BrokerId=amazon.running(), Configuration={"Id": identity, "Revision": 2})
    assert error[0] == 404


# -- what is taken away ------------------------------------------------------------------------------------------------


def test_an_upload_is_never_kept_as_it_was(amazon: Amazon, identity: str) -> None:
    """Recorded: configuration_sanitization.json (unknown-attribute), the answer and the revision word for word."""
    data = encode(f'<broker xmlns="{NAMESPACE}" unknownSetting="true" advisorySupport="false"/>')
    told = amazon.mq.update_configuration(ConfigurationId=identity, Data=data)
    assert told["Warnings"] == [
        {"AttributeName": "unknownSetting", "ElementName": "broker", "Reason": "DISALLOWED_ATTRIBUTE_REMOVED"}
    ]
    assert "Description" not in told["LatestRevision"]
    kept = amazon.mq.describe_configuration_revision(ConfigurationId=identity, ConfigurationRevision="2")["Data"]
    assert base64.b64decode(kept).decode() == f'{HEAD}<broker advisorySupport="false" xmlns="{NAMESPACE}"/>\n'


def test_the_document_is_written_anew() -> None:
    """Recorded: configuration_filtered_destinations.json. Two spaces a level, attributes sorted."""
    kept, warnings = sanitized(
        broker(
            "<!-- why --><destinationInterceptors><virtualDestinationInterceptor><virtualDestinations>"
            '<compositeQueue name="source" forwardOnly="true"><forwardTo>'
            '<filteredDestination queue="sink" selector="amount &gt;= 10"/></forwardTo></compositeQueue>'
            "</virtualDestinations></virtualDestinationInterceptor></destinationInterceptors>"
        )
    )
    assert warnings == []
    assert kept == (
        f'{HEAD}<broker xmlns="{NAMESPACE}">\n'
        "  <destinationInterceptors>\n"
        "    <virtualDestinationInterceptor>\n"
        "      <virtualDestinations>\n"
        '        <compositeQueue forwardOnly="true" name="source">\n'
        "          <forwardTo>\n"
        '            <filteredDestination queue="sink" selector="amount &gt;= 10"/>\n'
        "          </forwardTo>\n"
        "        </compositeQueue>\n"
        "      </virtualDestinations>\n"
        "    </virtualDestinationInterceptor>\n"
        "  </destinationInterceptors>\n"
        "</broker>\n"
    )


@pytest.mark.parametrize(
    ("text", "warnings"),
    [
        (
            broker(attributes='zUnknown="1" brokerName="name" aUnknown="2"'),
            [("broker", name, "DISALLOWED_ATTRIBUTE_REMOVED") for name in ("aUnknown", "brokerName", "zUnknown")],
        ),
        (
            broker(attributes='advisorySupport="${value}" populateJMSXUserID="#{value}"'),
            [("broker", name, "INVALID_ATTRIBUTE_VALUE_REMOVED") for name in ("advisorySupport", "populateJMSXUserID")],
        ),
        (
            broker('<unknownSetting unsafe="true"><another/><queue physicalName="x"/></unknownSetting>'),
            [("unknownSetting", None, "DISALLOWED_ELEMENT_REMOVED")],
        ),
        (broker('<other xmlns="urn:not-activemq"/>'), [("other", None, "DISALLOWED_ELEMENT_REMOVED")]),
        (broker('<queue physicalName="wrong-parent"/>'), [("queue", None, "DISALLOWED_ELEMENT_REMOVED")]),
    ],
)
def test_what_is_not_permitted_is_taken_away(text: str, warnings: list[Any]) -> None:
    """Recorded: configuration_sanitization_boundaries.json."""
    kept, told = sanitized(text)
    assert kept == f'{HEAD}<broker xmlns="{NAMESPACE}"/>\n'
    assert told == warnings


def test_what_is_permitted_stays() -> None:
    """Recorded: configuration_sanitization_boundaries.json (permitted-unimplemented, invalid-known-value)."""
    text = broker("<plugins><statisticsBrokerPlugin/></plugins>", 'schedulerSupport="false" advisorySupport="invalid"')
    kept, warnings = sanitized(text)
    assert warnings == []
    assert 'advisorySupport="invalid" schedulerSupport="false"' in kept
    assert "<statisticsBrokerPlugin/>" in kept


@pytest.mark.parametrize(
    "text",
    [
        # Recorded: configuration_sanitization.json (owned-element).
        broker(
            '<transportConnectors><transportConnector name="extra" uri="tcp://127.0.0.1:61699"/></transportConnectors>'
        ),
        # The schema that AWS publishes: 0 to 70, and a boolean.
        broker(
            "<systemUsage><systemUsage><memoryUsage>"
            '<memoryUsage percentOfJvmHeap="71"/></memoryUsage></systemUsage></systemUsage>'
        ),
        broker(attributes='useVirtualTopics="perhaps"'),
        broker("<destinationPolicy><policyMap/><policyMap/></destinationPolicy>"),
        "<broker/>",
        f'<beans xmlns="http://www.springframework.org/schema/beans">{broker()}</beans>',
        f'<!DOCTYPE broker [<!ENTITY x "y">]>{broker()}',
        "no XML",
    ],
)
def test_what_the_schema_does_not_allow_is_refused(text: str) -> None:
    with pytest.raises(ApiError, match="The specified XML configuration data is invalid: ") as caught:
        sanitized(text)
    assert (caught.value.code, caught.value.attribute) == ("BadRequestException", "data")


def test_twenty_warnings_are_told(amazon: Amazon, identity: str) -> None:
    """API model, UpdateConfigurationResponse: "The list of the first 20 warnings"."""
    data = encode(broker("".join(f"<unknown{number}/>" for number in range(25))))
    assert len(amazon.mq.update_configuration(ConfigurationId=identity, Data=data)["Warnings"]) == 20
    assert amazon.error("update_configuration", ConfigurationId=identity, Data="no base64!")[2] == "data"


# -- the real pair -----------------------------------------------------------------------------------------------------


def rendered(tmp_path: Path, text: str) -> Any:
    """The broker element of the pair's own file, with a configuration in force."""
    found = Broker(
        "one",
        "10.0.0.1",
        software.Software("apache", "5.18.3", tmp_path),
        tmp_path,
        None,
        tmp_path / "one.p12",
        [{"name": "app", "password": 'pass"<word', "groups": ["ops", "dev"]}],
        tmp_path / "store",
        [{"name": "boss", "password": "back\\slash"}],
        text,
    )
    found.render()
    return etree.parse(str(tmp_path / "conf/activemq.xml")).getroot().find(f"{{{NAMESPACE}}}broker")


def find(element: Any, path: str) -> Any:
    return element.find("/".join(f"{{{NAMESPACE}}}{name}" for name in path.split("/")))


def test_a_configuration_is_in_force_and_the_labs_needs_stay(tmp_path: Path) -> None:
    kept, warnings = sanitized(
        broker(
            "<destinationPolicy><policyMap><policyEntries>"
            '<policyEntry queue="orders.&gt;" memoryLimit="1mb"/></policyEntries></policyMap></destinationPolicy>'
            '<persistenceAdapter><kahaDB concurrentStoreAndDispatchQueues="false"/></persistenceAdapter>'
            "<plugins><timeStampingBrokerPlugin/><statisticsBrokerPlugin/></plugins>"
            '<systemUsage><systemUsage sendFailIfNoSpace="true"><memoryUsage>'
            '<memoryUsage percentOfJvmHeap="40"/></memoryUsage></systemUsage></systemUsage>'
            '<transportConnectors><transportConnector name="openwire" updateClusterClients="true"/>'
            "</transportConnectors>",
            'schedulerSupport="false" persistent="false" schedulePeriodForDestinationPurge="10000"',
        )
    )
    assert warnings == []
    found = rendered(tmp_path, kept)
    assert find(found, "destinationPolicy/policyMap/policyEntries/policyEntry").get("memoryLimit") == "1mb"
    assert (found.get("schedulerSupport"), found.get("schedulePeriodForDestinationPurge")) == ("false", "10000")
    assert found.get("persistent") == "true", "without the store there is no lock"
    store = find(found, "persistenceAdapter/kahaDB")
    assert store.get("concurrentStoreAndDispatchQueues") == "false"
    assert store.get("directory").endswith("/store/kahadb")
    assert find(store, "locker") is not None
    plugins = [etree.QName(child).localname for child in find(found, "plugins")]
    assert plugins == ["simpleAuthenticationPlugin", "statisticsBrokerPlugin", "timeStampingBrokerPlugin"]
    assert find(found, "systemUsage/systemUsage").get("sendFailIfNoSpace") == "true"
    memory = find(found, "systemUsage/systemUsage/memoryUsage/memoryUsage")
    assert dict(memory.attrib) == {"percentOfJvmHeap": "40"}
    connectors = {item.get("name"): item for item in find(found, "transportConnectors")}
    assert connectors["openwire"].get("updateClusterClients") == "true"
    assert connectors["openwire"].get("uri").startswith("ssl://10.0.0.1:61617?")
    names = [etree.QName(child).localname for child in found]
    assert names == sorted(names)


def test_users_are_written_for_broker_and_console(tmp_path: Path) -> None:
    found = rendered(tmp_path, "")
    (entry,) = find(found, "plugins/simpleAuthenticationPlugin/users")
    assert dict(entry.attrib) == {"username": "app", "password": 'pass"<word', "groups": "ops,dev"}
    assert (tmp_path / "conf/jetty-realm.properties").read_text() == "boss: back\\\\slash, admin\n"


def test_amazons_default_can_be_put_in_force(tmp_path: Path) -> None:
    default = configuration.Configuration.default("c-1", "arn", "orders", "ACTIVEMQ", "5.18")
    found = etree.fromstring(merge.merged(_own(tmp_path), default.revisions[0].data).encode())
    entries = find(found, "broker/destinationPolicy/policyMap/policyEntries")
    assert [entry.get("inactiveTimoutBeforeGC") for entry in entries] == ["600000", "600000"]


def _own(tmp_path: Path) -> str:
    rendered(tmp_path, "")
    return (tmp_path / "conf/activemq.xml").read_text()
