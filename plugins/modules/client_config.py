#!/usr/bin/python
# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: client_config
short_description: Write a service's broker settings into its configuration files
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - Sets the values of given keys in the configuration files of one service. Comments, order, line ends and all other
    keys stay as they are.
  - All files are written, or none. Everything is checked before the first file is written; when writing a later file
    fails, those already written are put back.
  - A file is replaced atomically and keeps its owner, mode and SELinux context.
notes:
  - This module has a corresponding action plugin. The files are edited on the controller; the host needs Python's
    standard library only.
  - Values are never returned or shown when their key contains C(pass), C(secret), C(token) or C(credential), or when
    they are listed in O(secrets).
requirements:
  - ruamel.yaml on the controller, for O(settings[].format=yaml)
extends_documentation_fragment:
  - mqlift.amazon_mq._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - The diff shows the keys that change, not the whole file, with secrets hidden.
  idempotent:
    support: full
options:
  service:
    description: The name of the service, for messages.
    type: str
    required: true
  settings:
    description: The files to write.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description:
          - The absolute path of an existing regular file, in UTF-8. A symbolic link is refused.
        type: str
        required: true
      format:
        description:
          - The format of the file.
          - V(properties) is Java's. Characters beyond ASCII are written as C(\uXXXX).
          - V(yaml) is a single document with a mapping at its top.
          - V(env) is C(NAME=value) as systemd's C(EnvironmentFile=) and a POSIX shell read it. A value is quoted when
            needed.
        type: str
        choices:
          - properties
          - yaml
          - env
        required: true
      values:
        description:
          - Keys and their values. A value is a string, a number or a boolean.
          - In V(yaml), a key that the top of the document does not have is taken for a dotted path, such as
            C(spring.activemq.broker-url), and a value can also be a list or a mapping.
        type: dict
        required: true
      create:
        description: Whether to add a key that the file does not have. Otherwise that is an error.
        type: bool
        default: false
  secrets:
    description: Values that must not be shown, wherever they occur.
    type: list
    elements: str
    default: []
  backup:
    description: Whether to keep a copy of each changed file beside it.
    type: bool
    default: false
  _read:
    description: Used internally between the action plugin and the host.
    type: list
    elements: str
  _write:
    description: Used internally between the action plugin and the host.
    type: list
    elements: dict
    suboptions:
      path:
        description: The file to replace.
        type: str
        required: true
      expected:
        description: The SHA-256 digest of the content that is replaced.
        type: str
        required: true
      content:
        description: The new content in Base64.
        type: str
        required: true
seealso:
  - plugin: mqlift.amazon_mq.client_settings
    plugin_type: filter
  - module: mqlift.amazon_mq.socket_info
"""

EXAMPLES = r"""
- name: Point the orders API at both brokers
  mqlift.amazon_mq.client_config:
    service: orders-api
    settings:
      - path: /etc/orders-api/application.properties
        format: properties
        values:
          broker.url: "{{ [source_url, target_url] | mqlift.amazon_mq.failover_url }}"
          broker.username: app
          broker.password: "{{ vault_broker_password }}"
    backup: true

- name: Give a Python service its list of brokers
  mqlift.amazon_mq.client_config:
    service: billing
    settings:
      - path: /etc/billing/config.yaml
        format: yaml
        values:
          broker.hosts:
            - host: b-1.example.com
              port: 61614
              tls: true
          broker.password: "{{ vault_broker_password }}"
      - path: /etc/default/billing
        format: env
        values:
          STOMP_HOSTS: b-1.example.com:61614
        create: true
"""

RETURN = r"""
files:
  description: The files, in the order of O(settings).
  type: list
  elements: dict
  returned: success
  contains:
    path:
      description: The file.
      type: str
    changed:
      description: Whether it was changed, or would be in check mode.
      type: bool
    keys:
      description: The keys whose values changed.
      type: list
      elements: str
    modified:
      description: When the file last changed on the host (C(ctime)), in seconds of the epoch.
      type: float
    backup_file:
      description: The copy of the former file; only with O(backup=true), when the file was changed.
      type: str
  sample:
    - path: /etc/orders-api/application.properties
      changed: true
      keys: [broker.url]
      modified: 1767225600.123
previous:
  description:
    - The values that were there before, by file and key. V(null) for a key that was not there.
    - Keys whose value is secret are left out.
  type: dict
  returned: success
  sample:
    /etc/orders-api/application.properties:
      broker.url: tcp://mq.example.com:61616
"""

import base64
import os
import tempfile

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._client_files import (
    ARGUMENT_SPEC,
    ClientFilesError,
    Replacement,
    read,
    replace_all,
)


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)

    def write(path: str, content: bytes) -> None:
        descriptor, temporary = tempfile.mkstemp(dir=module.tmpdir)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        module.atomic_move(temporary, path, keep_dest_attrs=True)

    try:
        if module.params["_write"] is not None:
            if module.check_mode:
                module.fail_json(msg="files are not written in check mode")
            replacements = [
                Replacement(item["path"], item["expected"], base64.b64decode(item["content"]))
                for item in module.params["_write"]
            ]
            copies = replace_all(replacements, write, module.backup_local if module.params["backup"] else None)
            modified = {item.path: read(item.path).modified for item in replacements}
            module.exit_json(changed=True, copies=copies, modified=modified)
        if module.params["_read"] is None:
            module.fail_json(msg="this module runs through its action plugin only; use its full name")
        files = [read(path) for path in module.params["_read"]]
    except ClientFilesError as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=False,
        contents=[
            {
                "path": file.path,
                "content": base64.b64encode(file.content).decode("ascii"),
                "digest": file.digest,
                "modified": file.modified,
            }
            for file in files
        ],
    )


if __name__ == "__main__":
    main()
