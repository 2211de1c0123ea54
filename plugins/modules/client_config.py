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
  - A file must exist, be a regular file of at most 4 MiB, and be in UTF-8.
  - The guide C(docs/guides/config_files.md) has an example for each format.
requirements:
  - ruamel.yaml on the controller, for O(settings[].format=yaml)
  - tomlkit on the controller, for O(settings[].format=toml)
  - lxml on the controller, for O(settings[].format=xml)
extends_documentation_fragment:
  - mqlift.amazon_mq._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - The diff shows the keys that change, or the lines that change for O(settings[].format=template), not the whole
        file. Secrets are hidden.
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
          - V(json) is a single object, without comments. V(toml) is TOML 1.0.
          - V(ini) has C([sections]) and is read as by Python's configparser. Letter case matters; C(%) means nothing.
          - V(xml) may have a DOCTYPE, but no declarations in it.
          - V(env) is C(NAME=value) as systemd's C(EnvironmentFile=) and a POSIX shell read it. A value is quoted when
            needed.
          - V(template) replaces the whole file by O(settings[].src), rendered.
          - V(regexp) is any text, in which patterns find the places of the values.
        type: str
        choices:
          - properties
          - yaml
          - json
          - toml
          - ini
          - xml
          - env
          - template
          - regexp
        required: true
      values:
        description:
          - Keys and their values. A value is a string, a number or a boolean; in V(yaml), V(json) and V(toml) it can
            also be a list or a mapping.
          - In V(yaml), V(json) and V(toml), a key is a dotted path, such as C(spring.activemq.broker-url) or
            C(hosts.0.port). A name in the file may contain dots itself; the longest one that fits is taken.
          - In V(ini), a key is C(section.option). Either may contain dots. C(DEFAULT) is a section like the others.
          - In V(xml), a key is an XPath that selects exactly one attribute, or one element that holds nothing but text.
          - In V(regexp), a key is a Python regular expression that matches exactly once and has exactly one group,
            which is replaced. C(^) and C($) match at each line. A search that takes longer than five seconds fails.
          - In V(template), a key is a variable of the template, which can use all variables of the task besides.
        type: dict
        required: true
      create:
        description:
          - Whether to add a key that the file does not have. Otherwise that is an error.
          - In V(xml) and V(regexp), a missing key is always an error.
        type: bool
        default: false
      namespaces:
        description: The prefixes that the keys of a file in V(xml) use, and the namespaces for which they stand.
        type: dict
      src:
        description:
          - The template on the controller, required for O(settings[].format=template). A relative path is searched for
            as by M(ansible.builtin.template).
        type: str
      validate:
        description:
          - A command that tells on the host whether the new file is good. C(%s) stands for the path of a copy of it.
          - It runs without a shell, before the first file is replaced. When it fails, nothing is changed.
          - It does not run in check mode.
        type: str
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
      validate:
        description: The command of O(settings[].validate).
        type: str
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

- name: Change a Spring context and a reverse proxy
  mqlift.amazon_mq.client_config:
    service: shipping
    settings:
      - path: /etc/shipping/context.xml
        format: xml
        namespaces:
          b: http://www.springframework.org/schema/beans
        values:
          //b:bean[@id='cf']/b:property[@name='brokerURL']/@value: "{{ mq_url }}"
        validate: /usr/bin/xmllint --noout %s
      - path: /etc/shipping/proxy.conf
        format: regexp
        values:
          ^\s*server\s+([^;]+);: "{{ mq_hosts[0].address }}"

- name: Write a whole file
  mqlift.amazon_mq.client_config:
    service: audit
    settings:
      - path: /etc/audit/broker.conf
        format: template
        src: broker.conf.j2
        values:
          hosts: "{{ mq_hosts }}"
          password: "{{ mq_password }}"
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
      description: The keys whose values changed. Empty for O(settings[].format=template).
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
    - Keys whose value is secret are left out. A template has no values that could be told.
  type: dict
  returned: success
  sample:
    /etc/orders-api/application.properties:
      broker.url: tcp://mq.example.com:61616
"""

import base64
import os
import shlex
import tempfile

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._client_files import (
    ARGUMENT_SPEC,
    ClientFilesError,
    Replacement,
    read,
    replace_all,
)

MAX_OUTPUT = 2000  # characters of a command's output that are reported


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)

    def store(content: bytes, suffix: str = "") -> str:
        descriptor, temporary = tempfile.mkstemp(dir=module.tmpdir, suffix=suffix)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        return temporary

    def write(path: str, content: bytes) -> None:
        module.atomic_move(store(content), path, keep_dest_attrs=True)

    def validate(command: str, replacement: Replacement) -> None:
        # Under a name that ends as the file's does: some programs go by that.
        temporary = store(replacement.content, "-" + os.path.basename(replacement.path))
        try:
            argv = [word.replace("%s", temporary) for word in shlex.split(command)]
            code, out, err = module.run_command(argv, handle_exceptions=False)
        except (OSError, ValueError) as error:
            raise ClientFilesError(
                f"{replacement.path}: the command of validate cannot be run: {error}; nothing was changed"
            ) from error
        finally:
            os.unlink(temporary)
        if code != 0:
            module.fail_json(
                msg=f"{replacement.path}: the command of validate failed with exit code {code}; nothing was changed",
                output=(out + err).replace(temporary, replacement.path)[-MAX_OUTPUT:],
            )

    try:
        if module.params["_write"] is not None:
            if module.check_mode:
                module.fail_json(msg="files are not written in check mode")
            replacements = []
            for item in module.params["_write"]:
                replacement = Replacement(item["path"], item["expected"], base64.b64decode(item["content"]))
                if item["validate"] is not None:
                    validate(item["validate"], replacement)
                replacements.append(replacement)
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
                "writable": file.writable,
            }
            for file in files
        ],
    )


if __name__ == "__main__":
    main()
