# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configurations: what Amazon MQ takes away and refuses, and whether two say the same."""

from __future__ import annotations

import base64
import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _mq_configuration as xml
from ansible_collections.mqlift.amazon_mq.plugins.module_utils import _mq_permitted as permitted
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._mq_configuration import ConfigurationError, Node

CORE = permitted.NAMESPACE

# As a broker that somebody runs has it.
SELF_MANAGED = """<?xml version="1.0"?>
<beans xmlns="http://www.springframework.org/schema/beans" xmlns:amq="http://activemq.apache.org/schema/core"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:schemaLocation="http://activemq.apache.org/schema/core http://activemq.apache.org/schema/core/activemq-core.xsd">
  <bean class="org.springframework.beans.factory.config.PropertyPlaceholderConfigurer">
    <property name="locations"><value>file:${activemq.conf}/credentials.properties</value></property>
  </bean>
  <amq:broker brokerName="localhost" dataDirectory="${activemq.data}" persistent="${persistent}"
      schedulerSupport="true">
    <amq:destinationPolicy>
      <amq:policyMap>
        <amq:policyEntries>
          <amq:policyEntry queue="orders.>" memoryLimit="1mb" id="orders">
            <amq:deadLetterStrategy><amq:individualDeadLetterStrategy queuePrefix="DLQ."/></amq:deadLetterStrategy>
          </amq:policyEntry>
        </amq:policyEntries>
      </amq:policyMap>
    </amq:destinationPolicy>
    <amq:managementContext><amq:managementContext createConnector="false"/></amq:managementContext>
    <amq:networkConnectors>
      <amq:networkConnector name="hub" uri="static:(ssl://hub:61617)" userName="bridge" password="secret-bridge"/>
    </amq:networkConnectors>
    <amq:persistenceAdapter><amq:kahaDB directory="/data" journalDiskSyncStrategy="periodic"/></amq:persistenceAdapter>
    <amq:plugins>
      <amq:simpleAuthenticationPlugin>
        <amq:users><amq:authenticationUser username="u" password="secret-of-u" groups="g"/></amq:users>
      </amq:simpleAuthenticationPlugin>
      <amq:statisticsBrokerPlugin/>
      <bean class="com.example.Audit" xmlns="http://www.springframework.org/schema/beans"/>
    </amq:plugins>
    <amq:sslContext><amq:sslContext keyStore="broker.ks" keyStorePassword="secret-of-the-store"/></amq:sslContext>
    <amq:systemUsage>
      <amq:systemUsage>
        <amq:memoryUsage><amq:memoryUsage percentOfJvmHeap="60"/></amq:memoryUsage>
        <amq:storeUsage><amq:storeUsage limit="100 gb"/></amq:storeUsage>
      </amq:systemUsage>
    </amq:systemUsage>
    <amq:transportConnectors>
      <amq:transportConnector name="openwire" uri="tcp://0.0.0.0:61616" updateClusterClients="true"/>
      <amq:transportConnector name="stomp" uri="stomp://0.0.0.0:61613"/>
    </amq:transportConnectors>
  </amq:broker>
  <import resource="jetty.xml"/>
</beans>
"""

# Amazon MQ's own default for ActiveMQ 5.18, without its comments.
DEFAULT = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<broker xmlns="http://activemq.apache.org/schema/core" schedulePeriodForDestinationPurge="10000">
  <!-- a comment -->
  <destinationPolicy>
    <policyMap>
      <policyEntries>
        <policyEntry topic="&gt;" gcInactiveDestinations="true" inactiveTimoutBeforeGC="600000">
          <pendingMessageLimitStrategy>
            <constantPendingMessageLimitStrategy limit="1000"/>
          </pendingMessageLimitStrategy>
        </policyEntry>
        <policyEntry queue="&gt;" gcInactiveDestinations="true" inactiveTimoutBeforeGC="600000" />
      </policyEntries>
    </policyMap>
  </destinationPolicy>
  <plugins>
  </plugins>
</broker>
"""


def broker(inner="", attributes=""):
    return f'<broker xmlns="{CORE}" {attributes}>{inner}</broker>'


def entries(*policies):
    inner = "".join(f"<policyEntry {policy}" for policy in policies)
    return f"<destinationPolicy><policyMap><policyEntries>{inner}</policyEntries></policyMap></destinationPolicy>"


def names(document, *arguments):
    return [removal.name for removal in xml.removed(document, *arguments)]


def test_what_is_lost_of_a_brokers_own_configuration():
    removals = xml.removed(SELF_MANAGED)

    assert [(removal.name, removal.path, removal.reason) for removal in removals] == [
        ("beans/bean", "/beans/bean", permitted.ELEMENT_REMOVED),
        ("beans/import", "/beans/import", permitted.ELEMENT_REMOVED),
        ("broker@brokerName", "/broker/@brokerName", permitted.ATTRIBUTE_REMOVED),
        ("broker@dataDirectory", "/broker/@dataDirectory", permitted.ATTRIBUTE_REMOVED),
        ("broker@persistent", "/broker/@persistent", permitted.VALUE_REMOVED),
        (
            "policyEntry@id",
            "/broker/destinationPolicy/policyMap/policyEntries/policyEntry/@id",
            permitted.ATTRIBUTE_REMOVED,
        ),
        ("broker/managementContext", "/broker/managementContext", permitted.ELEMENT_REMOVED),
        (
            "networkConnector@password",
            "/broker/networkConnectors/networkConnector/@password",
            permitted.ATTRIBUTE_REMOVED,
        ),
        ("kahaDB@directory", "/broker/persistenceAdapter/kahaDB/@directory", permitted.ATTRIBUTE_REMOVED),
        (
            "plugins/simpleAuthenticationPlugin",
            "/broker/plugins/simpleAuthenticationPlugin",
            permitted.ELEMENT_REMOVED,
        ),
        ("plugins/bean", "/broker/plugins/bean", permitted.ELEMENT_REMOVED),
        ("broker/sslContext", "/broker/sslContext", permitted.ELEMENT_REMOVED),
        ("systemUsage/storeUsage", "/broker/systemUsage/systemUsage/storeUsage", permitted.ELEMENT_REMOVED),
        (
            "transportConnector@uri",
            "/broker/transportConnectors/transportConnector[1]/@uri",
            permitted.ATTRIBUTE_REMOVED,
        ),
        (
            "transportConnector@uri",
            "/broker/transportConnectors/transportConnector[2]/@uri",
            permitted.ATTRIBUTE_REMOVED,
        ),
    ]


def test_what_remains_is_a_configuration_of_amazon_mq_and_has_no_secret():
    configuration = xml.read(SELF_MANAGED, accepted=["transportConnectors/transportConnector"])

    assert configuration.removals[-1].reason == xml.REFUSED
    assert configuration.removals[-1].path == "/broker/transportConnectors/transportConnector[2]"
    assert configuration.rejections == ()
    assert "secret" not in configuration.document
    again = xml.read(configuration.document)
    assert (again.removals, again.rejections) == ((), ())
    assert xml.same(again.kept, configuration.kept)
    for kept in ('queuePrefix="DLQ."', "<statisticsBrokerPlugin/>", 'percentOfJvmHeap="60"', 'schedulerSupport="true"'):
        assert kept in configuration.document


@pytest.mark.parametrize("version", ["5.18", "5.19", "5.18.4", None])
def test_nothing_is_lost_of_what_amazon_mq_makes_itself(version):
    configuration = xml.read(DEFAULT, version)

    assert (configuration.removals, configuration.rejections) == ((), ())


# Answers of the real API for ActiveMQ 5.18; the sources are named in the engine.
RECORDED = [
    (
        'unknownSetting="true" advisorySupport="false"',
        "",
        [("broker", "unknownSetting", "DISALLOWED_ATTRIBUTE_REMOVED")],
    ),
    ('brokerName="customer-name"', "", [("broker", "brokerName", "DISALLOWED_ATTRIBUTE_REMOVED")]),
    ("", "<unknownSetting/>", [("unknownSetting", None, "DISALLOWED_ELEMENT_REMOVED")]),
    (
        'zUnknown="1" brokerName="name" aUnknown="2" advisorySupport="false"',
        "",
        [
            ("broker", "aUnknown", "DISALLOWED_ATTRIBUTE_REMOVED"),
            ("broker", "brokerName", "DISALLOWED_ATTRIBUTE_REMOVED"),
            ("broker", "zUnknown", "DISALLOWED_ATTRIBUTE_REMOVED"),
        ],
    ),
    (
        'advisorySupport="${value}" populateJMSXUserID="#{value}"',
        "",
        [
            ("broker", "advisorySupport", "INVALID_ATTRIBUTE_VALUE_REMOVED"),
            ("broker", "populateJMSXUserID", "INVALID_ATTRIBUTE_VALUE_REMOVED"),
        ],
    ),
    (
        "",
        '<unknownSetting unsafe="true"><anotherUnknown/><queue physicalName="x"/></unknownSetting>',
        [("unknownSetting", None, "DISALLOWED_ELEMENT_REMOVED")],
    ),
    ('schedulerSupport="false"', "", []),
    ('advisorySupport="invalid"', "", []),
    ("", '<other xmlns="urn:not-activemq"/>', [("other", None, "DISALLOWED_ELEMENT_REMOVED")]),
    ("", '<queue physicalName="wrong-parent"/>', [("queue", None, "DISALLOWED_ELEMENT_REMOVED")]),
]


@pytest.mark.parametrize(("attributes", "inner", "expected"), RECORDED)
def test_as_the_api_answered(attributes, inner, expected):
    configuration = xml.read(broker(inner, attributes), "5.18")

    assert [(one.element, one.attribute, one.reason) for one in configuration.removals] == expected
    assert configuration.rejections == ()


def test_as_the_api_refused():
    inner = '<transportConnectors><transportConnector name="extra" uri="tcp://127.0.0.1:61699"/></transportConnectors>'

    assert [one.message for one in xml.read(broker(inner), "5.18").rejections] == ["has to be openwire"]


def test_an_attribute_that_a_later_line_brought():
    document = broker(attributes='maxUncommittedCount="5"')

    assert names(document, "5.18") == ["broker@maxUncommittedCount"]
    assert names(document, "5.19.1") == []
    assert names(document, "5.20") == []


def test_a_group_has_no_attributes():
    assert names(broker('<plugins id="x"><statisticsBrokerPlugin/></plugins>')) == ["plugins@id"]


def test_a_reference_is_no_static_value():
    assert names(broker(attributes='systemUsage="#usage"')) == ["broker@systemUsage"]
    assert names(broker(entries('queue="a#b"/>'))) == []


def test_what_is_said_to_be_permitted_is_kept_with_all_within():
    inner = '<newGroup setting="1"><anything/></newGroup>'
    also = ["broker/newGroup", "broker@newFlag"]

    configuration = xml.read(broker(inner, 'newFlag="x"'), also_permitted=also)

    assert configuration.removals == ()
    assert '<newGroup setting="1">\n    <anything/>' in configuration.document
    assert 'newFlag="x"' in configuration.document


USAGE = "/broker/systemUsage/systemUsage"


def usage(attribute):
    inner = f"<memoryUsage><memoryUsage {attribute}/></memoryUsage>"
    return f"<systemUsage><systemUsage>{inner}</systemUsage></systemUsage>"


@pytest.mark.parametrize(
    ("inner", "path", "message"),
    [
        (
            usage('percentOfJvmHeap="71"'),
            f"{USAGE}/memoryUsage/memoryUsage/@percentOfJvmHeap",
            "has to be an integer from 0 to 70",
        ),
        (usage('percentOfJvmHeap="-1"'), f"{USAGE}/memoryUsage/memoryUsage/@percentOfJvmHeap", "from 0 to 70"),
        (
            '<persistenceAdapter><kahaDB journalDiskSyncStrategy="sometimes"/></persistenceAdapter>',
            "/broker/persistenceAdapter/kahaDB/@journalDiskSyncStrategy",
            "has to be always or periodic or never",
        ),
        (entries('queue="a" maxPageSize="many"/>'), "policyEntry/@maxPageSize", "has to be an integer"),
        (entries('queue="a" maxPageSize="' + "9" * 5000 + '"/>'), "policyEntry/@maxPageSize", "has to be an integer"),
        (entries(f'queue="a" expireMessagesPeriod="{2**63}"/>'), "policyEntry/@expireMessagesPeriod", "64 bits"),
        (entries('queue="a" useCache="yes"/>'), "policyEntry/@useCache", "has to be true or false"),
        (
            entries('queue="a"/>', 'queue="a"/>'),
            "/broker/destinationPolicy/policyMap",
            "holds 2 policyEntry with queue",
        ),
        (
            "<destinationPolicy><policyMap/><policyMap/></destinationPolicy>",
            "/broker/destinationPolicy",
            "holds 2 elements, but may hold one",
        ),
        (
            entries('queue="a"><deadLetterStrategy/></policyEntry>'),
            "policyEntry/deadLetterStrategy",
            "is empty, but has to hold an element",
        ),
        (
            "<transportConnectors><transportConnector/></transportConnectors>",
            "/broker/transportConnectors/transportConnector",
            "has no attribute name",
        ),
        ("<plugins>some text<statisticsBrokerPlugin/></plugins>", "/broker/plugins", "has text in it"),
    ],
)
def test_what_amazon_mq_would_refuse(inner, path, message):
    (rejection,) = xml.read(broker(inner)).rejections

    assert rejection.path.endswith(path)
    assert message in rejection.message
    assert len(rejection.message) < 100


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ("1.5", True),
        ("2", True),
        (".5", True),
        ("1e3", True),
        (" 2 ", True),
        ("two", False),
        ("", False),
        ("1,5", False),
    ],
)
def test_numbers(value, fits):
    redelivery = f'<redeliveryPolicy backOffMultiplier="{value}"/>'
    for group in ("defaultEntry", "redeliveryPolicyMap", "redeliveryPolicyMap", "redeliveryPlugin", "plugins"):
        redelivery = f"<{group}>{redelivery}</{group}>"

    assert (xml.read(broker(redelivery)).rejections == ()) is fits


@pytest.mark.parametrize(
    ("accepted", "removed", "kept"),
    [
        ("memoryUsage@percentOfJvmHeap", "memoryUsage@percentOfJvmHeap", "<memoryUsage/>"),
        ("memoryUsage/memoryUsage", "memoryUsage/memoryUsage", "<memoryUsage/>"),
        ("broker/systemUsage", "broker/systemUsage", "<broker"),
    ],
)
def test_what_would_be_refused_is_taken_away_by_the_innermost_accepted_name(accepted, removed, kept):
    configuration = xml.read(broker(usage('percentOfJvmHeap="90"')), accepted=["systemUsage/other", accepted])

    assert [(one.name, one.reason) for one in configuration.removals] == [(removed, xml.REFUSED)]
    assert configuration.rejections == ()
    assert kept in configuration.document


def test_what_is_empty_after_something_was_taken_away_can_be_accepted_too():
    document = broker(entries('queue="a"><deadLetterStrategy><mine/></deadLetterStrategy></policyEntry>'))

    assert names(document) == ["deadLetterStrategy/mine"]
    assert [one.message for one in xml.read(document).rejections] == ["is empty, but has to hold an element"]
    assert xml.read(document, accepted=["policyEntry/deadLetterStrategy"]).rejections == ()


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("", "cannot be read"),
        ("<broker", "cannot be read"),
        (f'<!DOCTYPE broker><broker xmlns="{CORE}"/>', "document type"),
        ("<broker/>", "root is <broker> of namespace ''"),
        ('<broker xmlns="http://activemq.org/config/1.0"/>', "http://activemq.org/config/1.0"),
        ("<amq:broker/>", "'amq:broker'"),
        ('<beans xmlns="http://www.springframework.org/schema/beans"/>', "exactly one <broker>"),
        (f'<beans xmlns="http://www.springframework.org/schema/beans">{broker() * 2}</beans>', "not 2"),
        (broker("x" * xml.MAX_BYTES), "bytes, more than"),
        (broker("<a>" * xml.MAX_DEPTH + "</a>" * xml.MAX_DEPTH), "deep"),
        (broker("<a/>" * xml.MAX_ELEMENTS), "elements"),
        ("\ud800", "cannot be read"),
    ],
)
def test_what_is_no_configuration(document, message):
    with pytest.raises(ConfigurationError, match=message):
        xml.read(document)


@pytest.mark.parametrize("version", ["five", "5", "5.x", "", "5.²"])
def test_what_is_no_version(version):
    if version == "":
        assert xml.read(DEFAULT, version).removals == ()
        return
    with pytest.raises(ConfigurationError, match="does not look like"):
        xml.read(DEFAULT, version)


@pytest.mark.parametrize("name", ["sslContext", "broker/*", "*", "broker/a/b", "a@b@c", "/broker", "broker@", "a b/c"])
def test_a_name_names_one_thing(name):
    with pytest.raises(ConfigurationError, match="without wildcards"):
        xml.check_names([name], "accept_removed")


def test_names_are_accepted_for_all_places():
    removals = xml.removed(SELF_MANAGED)
    everything = {removal.name for removal in removals}

    xml.check_names(everything, "accept_removed")
    assert xml.unaccepted(removals, everything) == []
    assert [one.path for one in xml.unaccepted(removals, everything - {"beans/import"})] == ["/beans/import"]


PASSWORDS = f"""<broker xmlns="{CORE}">
  <networkConnectors>
    <networkConnector uri="static:(ssl://user:geheim@h:1,ssl://geheim@g:1?trustStorePassword=geheim&amp;a=b)"
        password="geheim"/>
  </networkConnectors>
  <bean><property name="keyPassword" value="geheim"/><password>geheim</password></bean>
</broker>"""


def test_a_text_for_people_hides_passwords():
    told = xml.text(xml.parse(PASSWORDS))

    assert "geheim" not in told
    assert "@h:1" in told
    assert "a=b" in told
    assert told.count(xml.HIDDEN) == 6


def test_coding():
    assert xml.decode(xml.encode(DEFAULT)) == DEFAULT
    for data in ("%", base64.b64encode(b"\xff").decode()):
        with pytest.raises(ConfigurationError, match="base64"):
            xml.decode(data)


def test_warnings_are_named_once_and_without_what_is_no_setting():
    warning = {"ElementName": "broker", "AttributeName": "brokerName", "Reason": "DISALLOWED_ATTRIBUTE_REMOVED"}
    schema = {"ElementName": "broker", "AttributeName": "xsi:schemaLocation", "Reason": "DISALLOWED_ATTRIBUTE_REMOVED"}
    element = {"ElementName": "sslContext", "Reason": "DISALLOWED_ELEMENT_REMOVED"}

    assert xml.warning_names([warning, schema, element, warning]) == [
        "broker@brokerName (DISALLOWED_ATTRIBUTE_REMOVED)",
        "sslContext (DISALLOWED_ELEMENT_REMOVED)",
    ]


# Comparison


def alike(one, other):
    return xml.same(xml.parse(one), xml.parse(other))


def test_the_order_counts_in_a_group_only():
    plugins = "<plugins><statisticsBrokerPlugin/><timeStampingBrokerPlugin/></plugins>"
    swapped = "<plugins><timeStampingBrokerPlugin/><statisticsBrokerPlugin/></plugins>"

    assert alike(broker(plugins + "<destinations/>"), broker("<destinations/>" + plugins))
    assert not alike(broker(plugins), broker(swapped))
    assert not alike(broker("<plugins/>" + plugins), broker(plugins + "<plugins/>"))


ELEMENTS = ("broker", "policyMap", "policyEntry", "queue", "plugins", "statisticsBrokerPlugin")
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\t\n\r"), max_size=8)
LOCALS = st.sampled_from(("name", "queue", "topic", "physicalName", "uri", "limit"))


@st.composite
def trees(draw, depth=3):
    node = Node(CORE, draw(st.sampled_from(ELEMENTS)), draw(st.dictionaries(LOCALS, TEXTS, max_size=3)))
    if depth:
        node.children = draw(st.lists(trees(depth=depth - 1), max_size=3))
    return node


def spelled(node, chance, prefix):
    """A document that says the same, in another spelling."""

    def value(text):
        told = []
        for character in text:
            code = ord(character)
            must = character in '<&"\t\n\r'
            told.append(chance.choice([f"&#{code};", f"&#x{code:X};"]) if must or chance.random() < 0.2 else character)
        return "".join(told)

    def blank():
        return chance.choice(["", " ", "\n\t", "<!-- a > comment -->", "<?some instruction?>"])

    def element(node, top):
        pairs = [f'{key}="{value(text)}"' for key, text in node.attributes.items()]
        if top:
            pairs.append(f'xmlns{":" + prefix if prefix else ""}="{CORE}"')
            pairs.append('xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b"')
        chance.shuffle(pairs)
        name = f"{prefix}:{node.name}" if prefix else node.name
        inner = blank().join(["", *(element(child, False) for child in node.children), ""]) + blank()
        return f"<{name} {chance.choice([' ', chr(10)]).join(pairs)}>{inner}</{name}>"

    return chance.choice(["", '<?xml version="1.0" encoding="UTF-8"?>\n', "\ufeff"]) + element(node, True)


@settings(max_examples=200, deadline=None)
@given(trees(), st.randoms(use_true_random=False), st.sampled_from(("", "amq")))
def test_another_spelling_says_the_same(tree, chance, prefix):
    document = spelled(tree, chance, prefix)

    assert xml.same(tree, xml.parse(document)), document
    assert xml.same(tree, xml.parse(xml._spell(tree)))


def changes(node):
    """Functions that each change one thing in a tree."""
    for key, text in node.attributes.items():
        yield lambda key=key, text=text: node.attributes.__setitem__(key, text + "x")
        yield lambda key=key: node.attributes.pop(key)
    yield lambda: node.attributes.__setitem__("another", "1")
    yield lambda: node.children.append(Node(CORE, "another"))
    yield lambda: setattr(node, "text", "another")
    if node.children:
        yield node.children.pop
    for child in node.children:
        yield lambda child=child: setattr(child, "name", child.name + "x")
        yield lambda child=child: setattr(child, "namespace", "urn:x")
        yield from changes(child)


@settings(max_examples=200, deadline=None)
@given(trees(), st.data())
def test_another_value_does_not_say_the_same(tree, data):
    document = spelled(tree, random.Random(1), "")
    changed = xml.parse(document)
    data.draw(st.sampled_from(list(changes(changed))))()

    assert not xml.same(tree, changed)


@settings(max_examples=100, deadline=None)
@given(trees())
def test_judging_twice_takes_nothing_more(tree):
    tree.name = "broker"
    once = xml.read(xml._spell(tree))

    assert xml.read(once.document).removals == ()
    assert xml.same(xml.read(once.document).kept, once.kept)


# The data


def test_the_data_is_complete_in_itself():
    known = {*permitted.ATTRIBUTES, *permitted.GROUPS, *permitted.BARE.split()}
    members = {one for groups in permitted.GROUPS.values() for held in groups.values() for one in held.split()}

    assert len(known) == 64
    assert members - {permitted.ANYTHING} == known - {"broker"}
    for table in (permitted.AT_MOST_ONE, permitted.AT_LEAST_ONE):
        for element, groups in table.items():
            assert set(groups.split()) <= set(permitted.GROUPS[element])
    for element, attributes in permitted.SINCE.items():
        listed = {name for names_of_type in permitted.ATTRIBUTES[element].values() for name in names_of_type.split()}
        assert set(attributes) <= listed


GUIDE = Path(__file__).parents[4] / "docs/guides/broker_configuration.md"


def test_the_guide_calls_lost_what_is_lost():
    rows = [line.split(" | ") for line in GUIDE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    told = {name for row in rows for name in re.findall(r"`(\w+[/@]\w+)`", row[1])}

    assert len(told) > 20
    for name in told - {"transportConnectors/transportConnector"}:
        element, mark, part = re.split("([/@])", name)
        attributes = " ".join(permitted.ATTRIBUTES.get(element, {}).values()).split()
        members = [one for groups in permitted.GROUPS.values() for one in groups.get(element, "").split()]
        assert part not in (attributes if mark == "@" else [*permitted.GROUPS.get(element, {}), *members]), name
