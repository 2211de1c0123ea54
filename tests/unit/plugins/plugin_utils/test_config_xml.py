# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils import _config_xml
from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_files import ConfigFileError, edit

URL = "failover:(ssl://b-1:61617,ssl://b-2:61617)?randomize=false&timeout=3000"
ESCAPED = URL.replace("&", "&amp;")
NAMESPACES = {"b": "http://beans", "p": "http://p"}

TEXT = """\
<?xml version='1.0' encoding="ISO-8859-1" standalone="yes"?>
<!DOCTYPE beans PUBLIC "-//SPRING//DTD BEAN//EN" "http://nowhere.invalid/beans.dtd">
<!-- stock: <bean id="cf"/> -->
<beans xmlns="http://beans"   xmlns:q="http://p">
  <bean id='cf'
        class="org.Factory" >
    <property name="brokerURL"
              value = 'tcp://a:1?x=1&amp;y=2' />
    <property name="user"><value><![CDATA[a<b]]></value></property>
    <property name="empty"><value  /></property>
    <?pi <x/> ?>
  </bean>
  <bean id="short" q:brokerURL="&#116;cp://a" brokerURL="plain"/>
  <note>caf&#233; &gt;</note>
</beans>
<!-- end -->
"""
BROKER_URL = "//b:bean[@id='cf']/b:property[@name='brokerURL']/@value"


def edited(text: str, values: dict[str, Any], namespaces: dict[str, str] | None = None) -> str:
    done = edit(text.encode(), "xml", values, False, namespaces)
    again = edit(done.text.encode(), "xml", values, False, namespaces)
    assert again.text == done.text, "the second edit changes something"
    assert again.changes == []
    return done.text


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_everything_else_is_kept(line_end: str, mark: str) -> None:
    text = mark + TEXT.replace("\n", line_end)
    values = {
        BROKER_URL: URL,
        "//b:property[@name='user']/b:value": "me & you",
        "//b:property[@name='empty']/b:value": "full",
        "//@p:brokerURL": '"x"',
        "/b:beans/b:note": "a\r\nb é",
    }
    assert edited(text, values, NAMESPACES) == (
        text.replace("tcp://a:1?x=1&amp;y=2", ESCAPED)
        .replace("<![CDATA[a<b]]>", "me &amp; you")
        .replace("<value  />", "<value>full</value>")
        .replace("&#116;cp://a", "&quot;x&quot;")
        .replace("caf&#233; &gt;", "a&#13;\nb &#233;")
    )


def test_previous() -> None:
    values = {BROKER_URL: "x", "//b:value[1]/text()": "y", "//b:property[@name='empty']/b:value": ""}
    done = edit(TEXT.encode(), "xml", values, False, NAMESPACES)
    assert done.previous == dict(zip(values, ["tcp://a:1?x=1&y=2", "a<b", ""], strict=True))
    assert [change.key for change in done.changes] == list(values)[:2]


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("<a/>", "/a", "<a>v</a>"),
        ("<a ></a >", "/a", "<a >v</a >"),
        ("<a b='/>'/>", "/a/@b", "<a b='v'/>"),
        ("<a b='1' b2='>'>x</a>", "/a", "<a b='1' b2='>'>v</a>"),
        ("<x:a xmlns:x='u'/>", "/*", "<x:a xmlns:x='u'>v</x:a>"),
        ("<a xml:lang='en'/>", "/a/@xml:lang", "<a xml:lang='v'/>"),
        ("<é é='x'/>", "/*/@*", "<é é='v'/>"),
        ("<a><!-- <b>no</b> --><b>yes</b></a>", "/a/b", "<a><!-- <b>no</b> --><b>v</b></a>"),
        ("<a><b>1</b><b>2</b></a>", "/a/b[2]", "<a><b>1</b><b>v</b></a>"),
    ],
)
def test_places(text: str, key: str, expected: str) -> None:
    assert edited(text, {key: "v"}) == expected


@pytest.mark.parametrize("value", ["", " x ", "]]>", "'\"", "<&>", "&amp;", "\t\n", "\r", "é😀", 5, True])
def test_values(value: Any) -> None:
    wanted = str(value).lower() if isinstance(value, bool) else str(value)
    for text, key in (("<a b='x' c=\"y\">z</a>", "/a/@b"), ("<a b='x' c=\"y\">z</a>", "/a/@c"), ("<a>z</a>", "/a")):
        result = edited(text, {key: value})
        assert result.isascii()
        assert edit(result.encode(), "xml", {key: "?"}, False).previous == {key: wanted}


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        ("<a/>", "/b", "key /b: is not in the file"),
        ("<a/>", "/a/@b", "key /a/@b: is not in the file"),
        ("<a><b/><b/></a>", "//b", "key //b: is in the file 2 times"),
        ("<a><b/></a>", "/a", "key /a: the element holds more than text"),
        ("<a>x<!-- c --></a>", "/a", "key /a: the element holds more than text"),
        ("<a/>", "/a[", r"key /a\[: is not an XPath"),
        ("<a/>", "/n:a", "key /n:a: is not an XPath .*namespace"),
        ("<a/>", "count(/a)", "must select an element or an attribute"),
        ("<a/>", "string(/a)", "must select an element or an attribute"),
        ("<a><!-- c --></a>", "//comment()", "must select an element or an attribute"),
        ("<a b='x'/>", "//@b[.='x']", "no longer selects anything after the edit"),
        ("<a>hunter2", "/a", r"not XML \(line 1\)"),
        ("", "/a", "not XML"),
        ("<a/><b/>", "/a", "not XML"),
        ("<?xml version='1.0' encoding='x-unknown'?><a/>", "/a", "not XML"),
        ("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "/a", "declarations in its DOCTYPE"),
        ("<!DOCTYPE a SYSTEM 'x' [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", "/a", "declarations"),
        ("<a>&x;</a>", "/a", "not XML"),
        ("<a>" * 5000 + "</a>" * 5000, "//a[1]", "not XML"),
    ],
)
def test_refused(text: str, key: str, reason: str) -> None:
    with pytest.raises(ConfigFileError, match=reason) as caught:
        edit(text.encode(), "xml", {key: "v"}, True)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("value", ["\0", "\x01", "\ufffe"])
def test_characters_that_xml_does_not_allow(value: str) -> None:
    for key in ("/a", "/a/@b"):
        with pytest.raises(ConfigFileError, match=r"characters that XML does not allow|malformed"):
            edit(b"<a b=''/>", "xml", {key: value}, False)


def test_values_that_are_no_text() -> None:
    with pytest.raises(ConfigFileError, match="key /a: the value must be a string"):
        edit(b"<a/>", "xml", {"/a": []}, False)


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_config_xml, "HAS_LXML", False)
    with pytest.raises(ConfigFileError, match="lxml on the controller"):
        edit(b"<a/>", "xml", {"/a": "x"}, False)


VALUES = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\n\r", exclude_characters="\ufffe\uffff")
)
FILLING = st.text("<&>\"'/ \n\rab=-é]", max_size=10)


@settings(deadline=None)
@given(VALUES, VALUES, FILLING, FILLING)
def test_only_the_value_changes(first: str, second: str, before: str, after: str) -> None:
    def comment(text: str) -> str:
        return f"<!--{text.replace('-', '=')}-->"

    pieces = [
        f"{comment(before)}<r> <e\n a='1'\tb = \"",
        "old",
        f'" c=""><f>{comment(after)}</f><g>',
        "x",
        "</g ></e></r>\n",
    ]
    result = edited("".join(pieces), {"/r/e/@b": first, "//g": second})
    assert result.startswith(pieces[0])
    assert pieces[2] in result
    assert result.endswith(pieces[4])
    tree = etree.fromstring(result.encode())
    [element] = tree.findall("e")
    assert element.get("b") == first
    assert (element.findtext("g") or "") == second
