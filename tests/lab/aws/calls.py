# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of the calls that the AWS API answered: service, operation, status and time, and nothing that was said."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from botocore.exceptions import UnknownServiceError

from lab.aws import model

#: The names that IAM policies have for a service, where its requests are signed with another one.
_IAM_NAMES = {"monitoring": "cloudwatch"}
_LOCK = threading.Lock()


@dataclass(frozen=True)
class Call:
    """One call: the service and the operation as an IAM policy names them (``mq``, ``DescribeBroker``)."""

    service: str
    operation: str
    status: int
    time: float

    @property
    def action(self) -> str:
        """As an IAM policy has it."""
        return f"{self.service}:{self.operation}"


def record(path: Path, service: str, operation: str, status: int) -> None:
    """Append a call."""
    line = json.dumps(asdict(Call(_IAM_NAMES.get(service, service), operation, status, time.time()))) + "\n"
    with _LOCK, path.open("a") as stream:
        stream.write(line)


def read(path: Path) -> list[Call]:
    """The calls in their order; none when there is no record. A line that is being written is left out."""
    try:
        lines = path.read_text().splitlines(keepends=True)
    except FileNotFoundError:
        return []
    return [Call(**json.loads(line)) for line in lines if line.endswith("\n")]


def service_of(environ: Mapping[str, Any]) -> str | None:
    """The service that a request is signed for; None for one that is not signed."""
    scope = _scope(environ)
    return scope[3] if len(scope) >= 5 else None


def region_of(environ: Mapping[str, Any]) -> str:
    """The region that a signed request is for."""
    return _scope(environ)[2]


def _scope(environ: Mapping[str, Any]) -> list[str]:
    """Access key, date, region, service and a word: what a signature (version 4) is good for."""
    authorization: str = environ.get("HTTP_AUTHORIZATION", "")
    scope, *dummy = authorization.partition("Credential=")[2].split(",")
    return scope.split("/")


def operation_of(service: str, environ: Mapping[str, Any], body: bytes) -> str:
    """The operation of a request, by the protocol that it is in. A question mark when it cannot be told."""
    target: str = environ.get("HTTP_X_AMZ_TARGET", "")
    path: str = environ.get("PATH_INFO", "")
    if target:  # json
        return str(target.rpartition(".")[2])
    if "/operation/" in path:  # smithy-rpc
        return path.rpartition("/")[2]
    action = parse_qs(body.decode(errors="replace") or environ.get("QUERY_STRING", "")).get("Action")
    if action:  # query, ec2
        return str(action[0])
    try:
        found = model.rest_operation(service, environ["REQUEST_METHOD"], path)
    except UnknownServiceError:
        found = None
    return found[0] if found else "?"
