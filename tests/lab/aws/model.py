# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API model of each service, as botocore has it: operations, and the parameters and answers of Amazon MQ.

Amazon MQ speaks rest-json: an operation is a method and a path, parameters are in the path, the query and a JSON body.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, unquote

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from lab.aws.errors import ApiError, bad_request, not_found

Json = dict[str, Any]

#: Names that botocore has for a service where its requests are signed for another one.
_BOTOCORE_NAMES = {"monitoring": "cloudwatch"}


@functools.cache
def service_model(signing_name: str) -> Any:
    """The model of a service. Raises botocore's UnknownServiceError."""
    name = _BOTOCORE_NAMES.get(signing_name, signing_name)
    return ServiceModel(Loader().load_service_model(name, "service-2"), name)


@functools.cache
def _routes(signing_name: str) -> Sequence[tuple[str, re.Pattern[str], str]]:
    """Method, path and operation, the paths without variables first."""
    model = service_model(signing_name)
    routes = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        path = http["requestUri"].partition("?")[0].rstrip("/")
        pattern = "".join(
            f"(?P<{part[1:-1].rstrip('+').replace('-', '_')}>{'.+' if '+' in part else '[^/]+'})"
            if part.startswith("{")
            else re.escape(part)
            for part in re.split(r"(\{[^}]+\})", path)
        )
        routes.append((http["method"], re.compile(f"{pattern}/?"), name))
    return sorted(routes, key=lambda route: route[1].pattern.count("?P<"))


def rest_operation(signing_name: str, method: str, path: str) -> tuple[str, Mapping[str, str]] | None:
    """The operation of a service whose operations are paths, and the variables of the path."""
    for wanted, pattern, name in _routes(signing_name):
        found = pattern.fullmatch(path)
        if method == wanted and found:
            return name, {key.replace("_", "-"): unquote(value) for key, value in found.groupdict().items()}
    return None


def read(method: str, path: str, query: str, body: bytes) -> tuple[str, Json]:
    """The operation of Amazon MQ and its parameters, with the names of the model. Raises ApiError.

    What the model requires is required, as are its types; values are judged by the operation.
    """
    found = rest_operation("mq", method, path)
    if found is None:
        raise not_found(f"there is no operation {method} {path}")
    name, variables = found
    shape = service_model("mq").operation_model(name).input_shape
    try:
        document = json.loads(body) if body else {}
    except ValueError as error:
        raise bad_request("The request body is not JSON.") from error
    if not isinstance(document, dict):
        raise bad_request("The request body is not an object.")
    asked = parse_qs(query, keep_blank_values=True)
    parameters: Json = {}
    for member, kind in shape.members.items():
        where, key = kind.serialization.get("location"), kind.serialization.get("name", member)
        if where == "uri":
            parameters[member] = variables[key]
        elif where == "querystring" and key in asked:
            parameters[member] = _from_query(kind, key, asked[key])
        elif where is None and document.get(key) is not None:
            parameters[member] = _from_json(kind, document[key])
    report = ParamValidator().validate(parameters, shape)
    if report.has_errors():
        raise bad_request(report.generate_report())
    return name, parameters


def _from_query(shape: Any, key: str, values: list[str]) -> Any:
    if shape.type_name == "list":
        return values
    if shape.type_name != "integer":
        return values[0]
    try:
        return int(values[0])
    except ValueError as error:
        raise bad_request(f"{key} is not a number.", key) from error


def _from_json(shape: Any, value: Any) -> Any:
    if shape.type_name == "structure" and isinstance(value, dict):
        return {
            member: _from_json(kind, value[kind.serialization.get("name", member)])
            for member, kind in shape.members.items()
            if value.get(kind.serialization.get("name", member)) is not None
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [_from_json(shape.member, item) for item in value]
    return value


def write(operation: str, answer: Mapping[str, Any]) -> tuple[int, bytes]:
    """Status and body of an answer. What is None in it is left out."""
    model = service_model("mq").operation_model(operation)
    status = int(model.http.get("responseCode", 200))
    if model.output_shape is None:
        return status, b""
    return status, json.dumps(_to_json(model.output_shape, answer)).encode()


def _to_json(shape: Any, value: Any) -> Any:
    if shape.type_name == "structure":
        unknown = set(value) - set(shape.members)
        assert not unknown, f"{shape.name} has no {', '.join(sorted(unknown))}"
        return {
            kind.serialization.get("name", member): _to_json(kind, value[member])
            for member, kind in shape.members.items()
            if value.get(member) is not None
        }
    if shape.type_name == "list":
        return [_to_json(shape.member, item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value


def write_error(error: ApiError) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an error.

    The code is in a header (recorded: x-amzn-errortype), and the model knows the status of those that it has.
    Throttling is not in the model: the API is behind Amazon API Gateway (recorded: x-amz-apigw-id), which answers 429
    TooManyRequestsException by itself (API Gateway developer guide, "Gateway response types", THROTTLED).
    """
    if error.code == "TooManyRequestsException":
        status = 429
    elif error.code in service_model("mq").shape_names:
        status = int(service_model("mq").shape_for(error.code).metadata["error"]["httpStatusCode"])
    else:
        status = 400
    body = {"message": str(error), **({"errorAttribute": error.attribute} if error.attribute else {})}
    return status, {"x-amzn-errortype": error.code}, json.dumps(body).encode()
