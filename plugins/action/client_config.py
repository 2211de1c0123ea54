# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.template import trust_as_template

from ansible_collections.mqlift.amazon_mq.plugins.module_utils._client_files import ARGUMENT_SPEC, MAX_FILE
from ansible_collections.mqlift.amazon_mq.plugins.plugin_utils._config_files import (
    HIDDEN,
    Change,
    ConfigFileError,
    Edit,
    decode,
    edit,
    mask,
    mask_text,
    secret_values,
    text_diff,
)

MODULE = "mqlift.amazon_mq.client_config"


@dataclass(frozen=True)
class _Edited:
    """A file: its text before, and what is to become of it."""

    path: str
    before: str
    done: Edit

    @property
    def changed(self) -> bool:
        return self.done.text != self.before


class ActionModule(ActionBase):
    """Edits the files of a service on the controller; the module of the same name reads and writes them on the host."""

    _supports_check_mode = True
    _supports_async = False
    _requires_connection = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        public = {name: spec for name, spec in ARGUMENT_SPEC.items() if not name.startswith("_")}
        _validation, args = self.validate_argument_spec(public)
        settings = args["settings"]
        # What every message starts with.
        self._subject = f"{task_vars.get('inventory_hostname', 'localhost')}: service {args['service']}"
        self._service = args["service"]
        self._check(settings)
        self._secrets = args["secrets"]
        for item in settings:
            self._secrets = secret_values(item["values"], self._secrets)

        paths = [item["path"] for item in settings]
        files = self._on_host(task_vars, _read=paths)["contents"]
        edited = []
        writes = []
        for item, file in zip(settings, files, strict=True):
            try:
                one = self._edit(item, base64.b64decode(file["content"]), task_vars)
                new = one.done.text.encode("utf-8")
                if one.changed and not file["writable"]:
                    raise ConfigFileError("must be changed, but cannot be written")
                if one.changed and len(new) > MAX_FILE:
                    raise ConfigFileError(f"would become larger than {MAX_FILE} bytes")
            except ConfigFileError as error:
                raise self._failure(f"{item['path']}: {error}") from None
            edited.append(one)
            if one.changed:
                content = base64.b64encode(new).decode("ascii")
                writes.append(
                    {"path": one.path, "expected": file["digest"], "content": content, "validate": item["validate"]}
                )

        copies: dict[str, str] = {}
        modified = {file["path"]: file["modified"] for file in files}
        if writes and not self._task.check_mode:
            written = self._on_host(task_vars, _write=writes, backup=args["backup"])
            copies = written["copies"]
            modified.update(written["modified"])

        result["changed"] = bool(writes)
        result["files"] = []
        for one in edited:
            record = {
                "path": one.path,
                "changed": one.changed,
                "keys": [change.key for change in one.done.changes],
                "modified": modified[one.path],
            }
            if one.path in copies:
                record["backup_file"] = copies[one.path]
            result["files"].append(record)
        result["previous"] = {one.path: _previous(one.done, self._secrets) for one in edited}
        if self._task.diff:
            result["diff"] = [_diff(one, self._secrets) for one in edited if one.changed]
        return result

    def _failure(self, message: str) -> AnsibleActionFail:
        return AnsibleActionFail(f"{self._subject}: {message}")

    def _check(self, settings: Sequence[Mapping[str, Any]]) -> None:
        """Refuse what the argument spec cannot."""
        seen = set()
        for item in settings:
            path = item["path"]
            if path in seen:
                raise self._failure(f"{path}: is listed twice")
            seen.add(path)
            for option, file_format in (("src", "template"), ("namespaces", "xml")):
                if item[option] is not None and item["format"] != file_format:
                    raise self._failure(f"{path}: {option} is for format {file_format} only")
            if item["validate"] is not None and "%s" not in item["validate"]:
                raise self._failure(f"{path}: validate must contain %s, which stands for the new file")

    def _edit(self, item: Mapping[str, Any], content: bytes, task_vars: Mapping[str, Any]) -> _Edited:
        if item["format"] == "template":
            done = Edit(self._render(item["src"], item["values"], task_vars), [], {})
        else:
            done = edit(content, item["format"], item["values"], item["create"], item["namespaces"])
        return _Edited(item["path"], decode(content), done)

    def _render(self, source: str, values: Mapping[str, Any], task_vars: Mapping[str, Any]) -> str:
        """Render a template as ansible.builtin.template does, with ``values`` as further variables."""
        try:
            file = self._find_needle("templates", source)
            template = trust_as_template(self._loader.get_text_file_contents(file))
            folders = [*task_vars.get("ansible_search_path", []), self._loader.get_basedir(), os.path.dirname(file)]
            templar = self._templar.copy_with_new_env(
                searchpath=[path for folder in folders for path in (os.path.join(folder, "templates"), folder)],
                available_variables={**task_vars, **values},
            )
            text = templar.template(template, overrides={"trim_blocks": True})
        except AnsibleError as error:
            raise ConfigFileError(f"template {source}: {mask_text(str(error), self._secrets)}") from None
        if not isinstance(text, str):
            raise ConfigFileError(f"template {source}: does not render to a text")
        return str(text)

    def _on_host(self, task_vars: dict[str, Any], **args: Any) -> dict[str, Any]:
        """Run the module on the host; its result holds file contents and must not become the task's."""
        answer: dict[str, Any] = self._execute_module(
            module_name=MODULE, module_args={"service": self._service, "settings": [], **args}, task_vars=task_vars
        )
        if answer.get("failed"):
            message = answer.get("msg", "the module failed on the host")
            # What the command of validate said, or why the module did not run at all.
            output = mask_text(answer.get("output") or answer.get("module_stderr") or "", self._secrets).strip()
            raise self._failure(f"{message}: {output}" if output else message)
        return answer


def _shown(change: Change, secrets: Sequence[str]) -> tuple[str, str]:
    """Return the value before and after as they may be shown: when one is secret, so is the other."""
    before = mask(change.key, change.before, secrets)
    after = mask(change.key, change.after, secrets)
    if HIDDEN in (before, after):
        before, after = (HIDDEN if text else "" for text in (before, after))
    return before, after


def _previous(done: Edit, secrets: Sequence[str]) -> dict[str, str | None]:
    shown = {key: (value, mask(key, value, secrets)) for key, value in done.previous.items()}
    hidden = {change.key for change in done.changes if HIDDEN in _shown(change, secrets)}
    return {
        key: None if value is None else text
        for key, (value, text) in shown.items()
        if text != HIDDEN and key not in hidden
    }


def _diff(one: _Edited, secrets: Sequence[str]) -> dict[str, str]:
    """Show the changed keys of a file, one a line; a secret shows only that it changed.

    A template has no keys: its changed lines are shown.
    """
    before = ""
    after = ""
    for change in one.done.changes:
        old, new = _shown(change, secrets)
        if change.before is not None:
            before += f"{change.key} = {old}\n"
            if old == new:
                new += " (changed)"
        after += f"{change.key} = {new}\n"
    if not one.done.changes:
        before, after = text_diff(one.before, one.done.text, secrets)
    return {"before_header": one.path, "after_header": one.path, "before": before, "after": after}
