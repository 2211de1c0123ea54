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
          - The kind of view. What each knows, needs and costs is described in docs/guides/views.md of the collection.
          - V(jolokia) asks the HTTP bridge to JMX that comes with the broker's web console. It needs ActiveMQ Classic
            5.14 or newer, and a user that may read.
          - V(statistics) asks the broker's statistics plugin by STOMP. It needs C(statisticsBrokerPlugin) and the
            library XStream in the broker, a user that may write to C(ActiveMQ.Statistics.>), and the Python package
            stomp.py on the host that runs the task.
          - V(console) reads the pages for machines of the broker's web console.
          - V(cloudwatch) reads what Amazon MQ publishes each minute, minutes late. It needs the Python package boto3 on
            the host that runs the task, and the permissions C(cloudwatch:ListMetrics) and C(cloudwatch:GetMetricData).
          - V(auto) tries those of the first three for which O(view.url) has a URL, in this order, and stays with the
            first that answers.
        type: str
        choices: [jolokia, statistics, console, cloudwatch, auto]
        default: jolokia
      url:
        description:
          - The URL of the view, for example V(http://broker.example.com:8161/api/jolokia) for V(jolokia),
            V(stomp://broker.example.com:61613) or V(stomp+ssl://broker.example.com:61614) for V(statistics), and
            V(http://broker.example.com:8161/admin) for V(console).
          - Give one URL per instance for an active/standby pair. They are tried in order. A standby does not answer,
            so the first one that answers is the active one.
          - For V(auto), the URLs of all views. A URL is for V(statistics) by its scheme, for V(jolokia) when it
            contains C(/jolokia), and else for V(console).
          - Must not contain credentials.
          - Needed by every type but V(cloudwatch).
        type: list
        elements: str
        aliases: [urls]
      username:
        description:
          - The user name, for basic authentication or for STOMP. None is sent when it is empty.
        type: str
      password:
        description: The password that belongs to O(view.username).
        type: str
      stomp_username:
        description:
          - The user name for STOMP, where the broker's users are others than those of its web console.
          - Without it O(view.username) and O(view.password) are used.
        type: str
      stomp_password:
        description: The password that belongs to O(view.stomp_username).
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
      broker_name:
        description: The name of the Amazon MQ broker. Needed by V(cloudwatch), and only used there.
        type: str
      region:
        description:
          - The AWS region, for V(cloudwatch).
          - Like the other options for AWS, it comes from the environment and the AWS configuration files when it is not
            given.
        type: str
      profile:
        description: The profile of the AWS configuration files, for V(cloudwatch).
        type: str
      access_key:
        description: The AWS access key id, for V(cloudwatch). Needs O(view.secret_key).
        type: str
      secret_key:
        description: The AWS secret access key, for V(cloudwatch). Needs O(view.access_key).
        type: str
      session_token:
        description: The AWS session token, for V(cloudwatch).
        type: str
      endpoint_url:
        description: The URL of CloudWatch, for V(cloudwatch), where it is not that of the region.
        type: str
"""
