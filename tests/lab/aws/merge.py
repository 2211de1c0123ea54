# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of Amazon MQ put into a broker's own activemq.xml.

What the lab needs stays whatever the configuration says: where the broker listens, who may log in, the one store and
its lock, the statistics plugin, the limits of a small machine. Networks of brokers are left out: there is one broker.
"""

from __future__ import annotations

import copy
from typing import Any

from lxml import etree

_CORE = "http://activemq.apache.org/schema/core"
#: Without the store there would be no lock, and two active instances.
_OWN_ATTRIBUTES = {"persistent"}
#: What is taken over as it is.
_WHOLE = ("destinationInterceptors", "destinationPolicy", "destinations")


def merged(own: str, configuration: str) -> str:
    """The broker's own Spring document with a configuration, as Amazon MQ keeps it, in force."""
    document = etree.fromstring(own.encode())
    parser = etree.XMLParser(remove_comments=True, remove_blank_text=True)
    broker, wanted = document.find(_core("broker")), etree.fromstring(configuration.encode(), parser)
    assert broker is not None
    for key, value in wanted.attrib.items():
        if key not in _OWN_ATTRIBUTES:
            broker.set(key, value)
    for name in _WHOLE:
        found = wanted.find(_core(name))
        if found is not None and len(found):
            broker.append(copy.deepcopy(found))
    _add_plugins(broker, wanted)
    _set_attributes(broker, wanted, "persistenceAdapter/kahaDB")
    _set_attributes(broker, wanted, "systemUsage/systemUsage")
    memory = _find(wanted, "systemUsage/systemUsage/memoryUsage/memoryUsage")
    if memory is not None and "percentOfJvmHeap" in memory.attrib:
        own_memory = _find(broker, "systemUsage/systemUsage/memoryUsage/memoryUsage")
        own_memory.attrib.pop("limit", None)
        own_memory.set("percentOfJvmHeap", memory.attrib["percentOfJvmHeap"])
    _set_connector(broker, wanted)
    # Since 5.4 ActiveMQ wants a broker's elements in alphabetical order (activemq.apache.org, "XML configuration").
    broker[:] = sorted(broker.iterchildren("*"), key=lambda child: str(etree.QName(child).localname))
    return etree.tostring(document, encoding="UTF-8", xml_declaration=True).decode()


def _add_plugins(broker: Any, wanted: Any) -> None:
    plugins = _find(broker, "plugins")
    present = {child.tag for child in plugins}
    found = _find(wanted, "plugins")
    for plugin in [] if found is None else found.iterchildren("*"):
        if plugin.tag not in present:
            plugins.append(copy.deepcopy(plugin))


def _set_attributes(broker: Any, wanted: Any, path: str) -> None:
    found = _find(wanted, path)
    if found is not None:
        for key, value in found.attrib.items():
            _find(broker, path).set(key, value)


def _set_connector(broker: Any, wanted: Any) -> None:
    """Cluster options of a connector; Amazon MQ has the one named openwire."""
    for found in wanted.findall(f"{_core('transportConnectors')}/{_core('transportConnector')}"):
        for connector in broker.findall(f"{_core('transportConnectors')}/{_core('transportConnector')}"):
            if connector.get("name") == found.get("name"):
                connector.attrib.update(found.attrib)


def _find(element: Any, path: str) -> Any:
    return element.find("/".join(_core(name) for name in path.split("/")))


def _core(name: str) -> str:
    return f"{{{_CORE}}}{name}"
