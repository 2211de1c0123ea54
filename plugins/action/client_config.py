# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._client_files import ARGUMENT_SPEC
from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_files import (
    ConfigFileError,
    Edit,
    edit,
    is_secret,
    mask,
)

MODULE = "mqlift.amazon_mq.client_config"


class ActionModule(ActionBase):
    """Edits the files of a service on the controller; the module of the same name reads and writes them on the host."""

    _supports_check_mode = True
    _supports_async = False
    _requires_connection = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        public = {name: spec for name, spec in ARGUMENT_SPEC.items() if not name.startswith("_")}
        _validation, args = self.validate_argument_spec(public)
        service = args["service"]
        settings = args["settings"]
        paths = [item["path"] for item in settings]
        repeated = sorted({path for path in paths if paths.count(path) > 1})
        if repeated:
            raise AnsibleActionFail(f"service {service}: {repeated[0]}: is listed twice")

        contents = self._on_host(service, task_vars, _read=paths)["contents"]
        edits: list[Edit] = []
        writes = []
        for item, file in zip(settings, contents, strict=True):
            content = base64.b64decode(file["content"])
            try:
                done = edit(content, item["format"], item["values"], item["create"])
            except ConfigFileError as error:
                raise AnsibleActionFail(f"service {service}: {item['path']}: {error}") from None
            edits.append(done)
            if done.changes:
                new = base64.b64encode(done.text.encode("utf-8")).decode("ascii")
                writes.append({"path": item["path"], "expected": file["digest"], "content": new})

        copies: dict[str, str] = {}
        modified = {file["path"]: file["modified"] for file in contents}
        if writes and not self._task.check_mode:
            written = self._on_host(service, task_vars, _write=writes, backup=args["backup"])
            copies = written["copies"]
            modified.update(written["modified"])

        secrets = args["secrets"]
        result["changed"] = bool(writes)
        result["files"] = []
        for path, done in zip(paths, edits, strict=True):
            record = {
                "path": path,
                "changed": bool(done.changes),
                "keys": [change.key for change in done.changes],
                "modified": modified[path],
            }
            if path in copies:
                record["backup_file"] = copies[path]
            result["files"].append(record)
        result["previous"] = {
            path: {
                key: None if value is None else mask(key, value, secrets)
                for key, value in done.previous.items()
                if not is_secret(key, value, secrets)
            }
            for path, done in zip(paths, edits, strict=True)
        }
        if self._task.diff:
            result["diff"] = [
                _diff(path, done, secrets) for path, done in zip(paths, edits, strict=True) if done.changes
            ]
        return result

    def _on_host(self, service: str, task_vars: dict[str, Any] | None, **args: Any) -> dict[str, Any]:
        """Run the module on the host; its result holds file contents and must not become the task's."""
        answer: dict[str, Any] = self._execute_module(
            module_name=MODULE, module_args={"service": service, "settings": [], **args}, task_vars=task_vars
        )
        if answer.get("failed"):
            raise AnsibleActionFail(f"service {service}: {answer.get('msg', 'the module failed on the host')}")
        return answer


def _diff(path: str, done: Edit, secrets: list[str]) -> dict[str, str]:
    """Show the changed keys of a file, one a line; a secret shows only that it changed."""
    before = ""
    after = ""
    for change in done.changes:
        new = mask(change.key, change.after, secrets)
        if change.before is not None:
            old = mask(change.key, change.before, secrets)
            before += f"{change.key} = {old}\n"
            if old == new:
                new += " (changed)"
        after += f"{change.key} = {new}\n"
    return {"before_header": path, "after_header": path, "before": before, "after": after}
