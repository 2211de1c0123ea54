# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How to observe a broker: the option O(view) of every module that does."""

from __future__ import annotations


class ModuleDocFragment:
    """The option ``view``; its argument spec is VIEW_SPEC of module_utils/_views.py."""

    DOCUMENTATION = r"""
options:
  view:
    description:
      - How to observe the broker. A view only reads.
    type: dict
    required: true
    suboptions:
      type:
        description:
          - The kind of view.
          - V(jolokia) asks the HTTP bridge to JMX that comes with the broker's web console. It needs ActiveMQ Classic
            5.14 or newer, and a user that may read.
        type: str
        choices: [jolokia]
        default: jolokia
      url:
        description:
          - The URL of the view, for example V(http://broker.example.com:8161/api/jolokia).
          - Give one URL per instance for an active/standby pair. They are tried in order. A standby does not answer,
            so the first one that answers is the active one.
          - Must not contain credentials.
        type: list
        elements: str
        required: true
        aliases: [urls]
      username:
        description: The user name for basic authentication. None is sent when it is empty.
        type: str
      password:
        description: The password for basic authentication.
        type: str
      ca_file:
        description:
          - A file with the certificates (PEM) of the authorities to trust, on the host that runs the task.
          - Without it the system's authorities are trusted.
        type: path
      validate_certs:
        description: Whether to verify the broker's certificate.
        type: bool
        default: true
      timeout:
        description: How many seconds one URL may take to answer.
        type: float
        default: 10.0
"""
