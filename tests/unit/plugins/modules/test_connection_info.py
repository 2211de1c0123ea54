# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module around the census."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._census import Census, Client, Consumed
from ansible_collections.mqlift.amazon_mq.plugins.module_utils._observe import Overview, ViewError
from ansible_collections.mqlift.amazon_mq.plugins.modules import connection_info

VIEW = {"url": "http://x", "password": "secret"}


def client(name, **changes):
    nothing = dict.fromkeys(Client._fields)
    return Client(**{**nothing, "kind": "client", "client_id": name, "consumers": 1, **changes})


CENSUS = Census(
    1.5,
    "jolokia",
    "http://x",
    Overview("ID:1", "onprem"),
    [client("{{ 1 + 1 }}", consumes=[Consumed("queue", "orders", 1, 0)]), client("idle", consumers=0)],
)


class FakeCensus:
    def __init__(self, result):
        self.result = result

    def take(self):
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.fixture
def run(capsys, monkeypatch):
    def run(result=None, **options):
        seen = {}
        if result is not None:
            monkeypatch.setattr(
                connection_info, "open_census", lambda view, places: seen.update(places=places) or FakeCensus(result)
            )
        with patch_module_args({"view": VIEW, **options}), pytest.raises(SystemExit):
            connection_info.main()
        answer = json.loads(capsys.readouterr().out)
        assert "secret" not in json.dumps({**answer, "invocation": None})
        return answer, seen

    return run


def test_a_census_is_returned_as_it_is(run):
    result, seen = run(CENSUS)

    assert result["changed"] is False
    assert result["broker"]["name"] == "onprem"
    assert result["clients"][0]["client_id"] == "{{ 1 + 1 }}"
    assert result["clients"][0]["consumes"] == [{"kind": "queue", "name": "orders", "consumers": 1, "in_flight": 0}]
    assert result["clients"][1]["slow"] is None
    assert seen["places"] is None


def test_hosts_are_places_and_names_without_an_address_a_warning(run, monkeypatch):
    warnings = []
    monkeypatch.setattr(connection_info.AnsibleModule, "warn", lambda module, text: warnings.append(text))
    _result, seen = run(CENSUS, hosts={"app1": "10.0.0.1", "app2": ["a" * 300]})

    assert seen["places"].find("10.0.0.1") == "app1"
    assert warnings == [f"hosts: these names cannot be resolved: {'a' * 300}"]


def test_a_query_narrows(run):
    result, _seen = run(CENSUS, query="[?consumers > `0`]")

    assert [one["client_id"] for one in result["clients"]] == ["{{ 1 + 1 }}"]


@pytest.mark.parametrize("query", ["[?", "[*].client_id", "length(@)", "foo(@)", ""])
def test_a_query_that_answers_with_something_else_is_refused(run, query):
    result, _seen = run(CENSUS, query=query)

    assert result["failed"]
    assert result["msg"].startswith("query: ")


def test_a_query_needs_jmespath(run, monkeypatch):
    monkeypatch.setattr(connection_info, "jmespath", None)
    monkeypatch.setattr(connection_info, "JMESPATH_ERROR", "ImportError", raising=False)
    result, _seen = run(CENSUS, query="[]")

    assert "jmespath" in result["msg"]


def test_a_view_that_fails_says_which_and_why(run):
    result, _seen = run(ViewError("jolokia", "http://x", "refused", transient=True))

    assert result["failed"]
    assert result["msg"] == "jolokia view of http://x: refused"
    assert result["view_error"]["transient"] is True


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hosts": {"app1": [5]}}, "hosts.app1"),
        ({"view": {"url": ["http://admin:secret@x"]}}, "credentials"),
        ({"view": {"type": "console", "url": ["http://x/admin"]}}, "does not know connections"),
    ],
)
def test_options_that_make_no_sense(run, options, message):
    result, _seen = run(**options)

    assert result["failed"]
    assert message in result["msg"]
