# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: failover_url_problems
short_description: Say what is wrong with a broker URL, and what the client would do
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - Reads a URL as the client does and lists every problem, in the order of the URL.
  - Many mistakes make the client hang or are silently ignored, so that they show only when a broker fails.
  - No finding repeats a password.
positional: dialect
options:
  _input:
    description: The URL, or with O(dialect=host_list) the list.
    type: str
    required: true
extends_documentation_fragment:
  - mqlift.amazon_mq._dialect
seealso:
  - plugin: mqlift.amazon_mq.failover_url
    plugin_type: filter
  - plugin: mqlift.amazon_mq.valid_failover_url
    plugin_type: test
"""

EXAMPLES = r"""
- name: Refuse a URL that the client would not read as it is written
  ansible.builtin.assert:
    that: errors | length == 0
    fail_msg: "{{ errors | map(attribute='message') | join(', ') }}"
  vars:
    errors: "{{ broker_url | mqlift.amazon_mq.failover_url_problems | selectattr('level', 'eq', 'error') }}"
"""

RETURN = r"""
_value:
  description: The problems; empty when there is none.
  type: list
  elements: dict
  contains:
    level:
      description:
        - V(error) when the client does not do what is written, V(warning) when it leaves out something harmless,
          V(hint) when the URL works but could serve a migration better.
      type: str
      sample: error
    code:
      description: A word for this kind of problem, for programs.
      type: str
      sample: ampersand
    message:
      description: A sentence for people.
      type: str
      sample: "options begin with ?, not with &: all of them are ignored"
    position:
      description: The index of the character in the URL where the problem begins.
      type: int
      sample: 42
    consequence:
      description:
        - What the client does because of it.
        - V(fails_at_creation) when the connection factory cannot be made, V(fails_on_start) when the connection fails,
          V(retries_for_ever) when the application hangs while it connects, V(skipped) when this endpoint is never used,
          V(misread) when a value is read as another one, V(ignored) when something is silently left out, V(works)
          otherwise.
      type: str
      sample: ignored
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._failover_url import FailoverUrlError, problems


def failover_url_problems(url: str, dialect: str = "activemq") -> list[dict[str, Any]]:
    try:
        return [problem._asdict() for problem in problems(url, dialect)]
    except FailoverUrlError as error:
        raise AnsibleFilterError(f"failover_url_problems: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"failover_url_problems": failover_url_problems}
