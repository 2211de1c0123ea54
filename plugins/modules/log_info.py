#!/usr/bin/python
# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: log_info
short_description: Search log files for what was written since a moment
version_added: 0.1.0
author:
  - mqlift contributors (@mqlift)
description:
  - Called without O(since), it returns the positions at which the logs end. Called with these later, it searches what
    was written in between for regular expressions.
  - A log that is not there, or cannot be read, is told and is no failure.
  - A log that was rotated is followed by its inode, as long as it is in the same directory and not compressed.
  - Of one log at most the last 16 MiB are searched, and of a line the first 4096 characters.
  - Returned lines are cut to 300 characters and have no control characters. What follows words like C(password=) is
    hidden.
extends_documentation_fragment:
  - mqlift.amazon_mq._attributes
  - mqlift.amazon_mq._attributes.info_module
options:
  files:
    description: The paths of the log files.
    type: list
    elements: path
    default: []
  journal:
    description:
      - Units of systemd whose part of the journal is searched. It is read with C(journalctl), from the second of the
        position on, for at most 30 seconds; of more than 50000 lines the last ones.
    type: list
    elements: str
    default: []
  patterns:
    description:
      - Names and regular expressions, as Python has them. Each line is searched for each of them.
      - A search of one log for one of them that takes longer than ten seconds is given up, and told.
    type: dict
    default: {}
  since:
    description: The RV(positions) of an earlier call. A log that is not among them is searched from its beginning.
    type: list
    elements: dict
  secrets:
    description: Values that must not be shown, wherever they occur.
    type: list
    elements: str
    default: []
seealso:
  - module: mqlift.amazon_mq.socket_info
"""

EXAMPLES = r"""
- name: Note where the logs end
  mqlift.amazon_mq.log_info:
    files: [/var/log/orders-api.log]
    journal: [billing]
  register: before

- name: See what was logged since
  mqlift.amazon_mq.log_info:
    files: [/var/log/orders-api.log]
    journal: [billing]
    since: "{{ before.positions }}"
    patterns:
      truststore: PKIX path building failed
      credentials: User name .* or password is invalid
  register: logged
"""

RETURN = r"""
positions:
  description: Where the logs end now. To be given to a later call as they are.
  type: list
  elements: dict
  returned: success
logs:
  description: The logs, first O(files), then O(journal).
  type: list
  elements: dict
  returned: with O(since)
  contains:
    path:
      description: The path of the file, or C(journal:) and the name of the unit.
      type: str
    problems:
      description: What could not be read or searched, a sentence each.
      type: list
      elements: str
    matches:
      description: The patterns that were found.
      type: list
      elements: dict
      contains:
        pattern:
          description: The pattern's name.
          type: str
        count:
          description: How many lines match.
          type: int
        lines:
          description: The first five of them.
          type: list
          elements: str
  sample:
    - path: /var/log/orders-api.log
      problems: []
      matches:
        - pattern: truststore
          count: 12
          lines: ["WARN Failed to connect: PKIX path building failed"]
"""

import time
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._logs import (
    LogsError,
    check,
    position,
    printed,
    read,
    search,
)

JOURNAL_LINES = 50_000


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "files": {"type": "list", "elements": "path", "default": []},
            "journal": {"type": "list", "elements": "str", "default": []},
            "patterns": {"type": "dict", "default": {}},
            "since": {"type": "list", "elements": "dict"},
            "secrets": {"type": "list", "elements": "str", "default": [], "no_log": True},
        },
        supports_check_mode=True,
    )
    files, units = module.params["files"], module.params["journal"]
    patterns = {str(name): str(pattern) for name, pattern in module.params["patterns"].items()}
    try:
        check(patterns)
    except LogsError as error:
        module.fail_json(msg=str(error))
    positions = [position(path) for path in files]
    positions += [{"path": f"journal:{unit}", "time": int(time.time())} for unit in units]
    if module.params["since"] is None:
        module.exit_json(changed=False, positions=positions)
    since = {str(item.get("path")): item for item in module.params["since"]}
    logs = [_searched(path, patterns, module, lambda path=path: read(path, since.get(path))) for path in files]
    for unit in units:
        name = f"journal:{unit}"
        logs.append(
            _searched(name, patterns, module, lambda unit=unit, name=name: _journal(module, unit, since.get(name)))
        )
    module.exit_json(changed=False, positions=positions, logs=logs)


def _searched(path: str, patterns: Mapping[str, str], module: AnsibleModule, reader: Any) -> dict[str, Any]:
    try:
        data, problems = reader()
    except LogsError as error:
        return {"path": path, "problems": [str(error)], "matches": []}
    scan = search(data, patterns)
    return {
        "path": path,
        "problems": [*problems, *scan.problems],
        "matches": scan.to_list(module.params["secrets"]),
    }


def _journal(module: AnsibleModule, unit: str, since: Mapping[str, Any] | None) -> tuple[bytes, list[str]]:
    """What a unit logged since a second, and what may be missing."""
    program = module.get_bin_path("journalctl")
    if program is None:
        raise LogsError("journalctl is not installed")
    command = [program, "--quiet", "--no-pager", "--output=cat", f"--lines={JOURNAL_LINES}", f"--unit={unit}"]
    if since is not None:
        command.append(f"--since=@{int(since.get('time', 0))}")
    try:
        output, problems = printed(command)
    except LogsError as error:
        raise LogsError(f"journalctl {error}") from None
    if output.count(b"\n") >= JOURNAL_LINES:
        problems.append(f"has more than {JOURNAL_LINES} new lines; only the last ones were searched")
    return output, problems


if __name__ == "__main__":
    main()
