# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests: Amazon MQ's are answered here, others by moto. Faults come before, the record of calls after."""

from __future__ import annotations

import contextlib
import io
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab import plan
from lab.aws import calls, faults, metrics, model
from lab.aws.api import Api, Real
from lab.aws.broker import Delays
from lab.aws.errors import ApiError

if TYPE_CHECKING:
    from lab.lab import Lab

_Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Front:
    """The WSGI application in front of Amazon MQ and moto."""

    def __init__(self, api: Api, faults_path: Path, calls_path: Path) -> None:
        self._api, self._faults, self._calls = api, faults_path, calls_path
        self._moto: _Application | None = None
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        service = calls.service_of(environ)
        if service is None:
            return self._other(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        if service == "mq":
            return self._amazon_mq(environ, body, start_response)
        operation = calls.operation_of(service, environ, body)

        def started(status: str, *arguments: Any) -> Any:
            calls.record(self._calls, service, operation, int(status.partition(" ")[0]))
            return start_response(status, *arguments)

        return self._other(environ, started)

    def _amazon_mq(self, environ: dict[str, Any], body: bytes, start_response: Any) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
        operation = calls.operation_of("mq", environ, b"")
        headers: Mapping[str, str] = {}
        try:
            self._suffer(operation)
            name, request = model.read(method, path, environ.get("QUERY_STRING", ""), body)
            status, answer = model.write(name, self._api.call(calls.region_of(environ), name, request))
        except ApiError as error:
            status, headers, answer = model.write_error(error)
        calls.record(self._calls, "mq", operation, status)
        told = {"Content-Type": "application/json", "Content-Length": str(len(answer)), **headers}
        start_response(f"{status} {HTTPStatus(status).phrase}", list(told.items()))
        return [answer]

    def _suffer(self, operation: str) -> None:
        """Do what faults say to a call of this operation. Raises ApiError."""
        for fault in faults.take(self._faults, ("slow", "throttle", "error"), operation=operation):
            if fault.kind == "slow":
                time.sleep(fault.seconds)
            elif fault.kind == "throttle":
                # See model.write_error() for what throttling looks like.
                raise ApiError(fault.code or "TooManyRequestsException", "Too Many Requests")
            else:
                raise ApiError("InternalServerErrorException", "Internal server error")

    @property
    def used_moto(self) -> bool:
        """Whether a service of moto was asked."""
        return self._moto is not None

    def _other(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with self._lock:
            if self._moto is None:
                from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

                self._moto = DomainDispatcherApplication(create_backend_app)
        return self._moto(environ, start_response)


def make_server(front: Front, address: str, port: int, certificate: tuple[str, str] | None = None) -> Any:
    """A server that is ready to serve_forever(). Port 0: a free one."""
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Handler(WSGIRequestHandler):
        # A connection for each request: clients that keep one hold a thread of ours.
        protocol_version = "HTTP/1.0"

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Requests are in the record of calls."""

    return make_server(address, port, front, threaded=True, request_handler=Handler, ssl_context=certificate)


@dataclass(frozen=True)
class Serving:
    """An API that is served: where it is, and the files to set faults and to read calls."""

    url: str
    faults: Path
    calls: Path

    @property
    def environment(self) -> dict[str, str]:
        """For a process that uses the API, such as ansible with a module of the collection."""
        return {
            "AWS_ACCESS_KEY_ID": plan.ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": plan.SECRET_KEY,
            "AWS_DEFAULT_REGION": plan.REGION,
            "AWS_URL": self.url,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "*",
            "no_proxy": "*",
        }

    def client(self, service: str = "mq", **options: Any) -> Any:
        """boto3's client for the API. It repeats nothing by itself, so that faults are seen."""
        import boto3
        from botocore.config import Config

        config = Config(proxies={}, retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30)
        given = {
            "endpoint_url": self.url,
            "region_name": plan.REGION,
            "aws_access_key_id": plan.ACCESS_KEY,
            "aws_secret_access_key": plan.SECRET_KEY,
            "config": config,
        }
        return boto3.client(service, **(given | options))


@contextlib.contextmanager
def serving(
    *, delays: Delays | None = None, folder: Path | None = None, real: Mapping[str, Real] | None = None
) -> Iterator[Serving]:
    """Serve the API on a free port of the loopback address, plain http, with brokers on paper only.

    Delays are short by default. Faults and the record of calls are in *folder*, a temporary one by default. *real* are
    brokers that are more than paper, by name.
    """
    with contextlib.ExitStack() as stack:
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lab-aws-")))
        faults_path, calls_path = place / "aws-faults.json", place / "aws-calls.jsonl"
        front = Front(Api(faults_path, delays or Delays.short(), real), faults_path, calls_path)
        server = make_server(front, "127.0.0.1", 0)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield Serving(f"http://127.0.0.1:{server.server_address[1]}", faults_path, calls_path)
        finally:
            server.shutdown()
            thread.join(5)
            server.server_close()
            if front.used_moto:
                # moto keeps what it was told in its modules.
                from moto.moto_api._internal.models import moto_api_backend

                moto_api_backend.reset()


def serve(lab: Lab, *, metrics_interval: float) -> None:
    """Serve the API of a lab, with its pair as a broker, until the process is ended."""
    pair = lab.instances()
    # The lab's own waits are short; what a client waits for on paper is long enough to be seen.
    api = Api(lab.aws_faults, Delays(), {plan.TARGET_NAME: Real(plan.BROKER_ID, pair)})
    front = Front(api, lab.aws_faults, lab.aws_calls)
    certificate = (str(lab.pki / "aws.pem"), str(lab.pki / "aws.key"))
    server = make_server(front, lab.address(plan.CONTROLLER_NUMBER), plan.AWS_PORT, certificate)
    threading.Thread(
        target=metrics.publish, args=(api, pair, lab.pki / "ca.pem", metrics_interval), daemon=True
    ).start()
    server.serve_forever()
