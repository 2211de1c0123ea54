# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for a Kubernetes API server, where none can be had as a package: as much as kubernetes.core asks for.

It keeps objects and answers discovery, GET, PATCH (with dry run), the scale subresource and the list of Pods over TLS.
It starts new pods at once, and the old ones are ending for as long as is wanted. What it does follows "Kubernetes API
Concepts" (discovery, resource versions, dry run), the Kubernetes API reference, and the sources that are named beside
the code.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import copy
import itertools
import json
import re
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from lab.pki import Authority

ADDRESS = "127.0.0.1"
CONTEXT = "lab"
_TOKEN = "lab-cluster-token"
#: Path of an API -> the resources that it has: name -> kind.
_RESOURCES = {
    "/api/v1": {"configmaps": "ConfigMap", "secrets": "Secret", "pods": "Pod"},
    "/apis/apps/v1": {"deployments": "Deployment", "deployments/scale": "Scale"},
}
_MERGES = {"application/merge-patch+json", "application/strategic-merge-patch+json"}
_LARGEST_BODY = 1_500_000
#: IsQualifiedName in apimachinery/pkg/util/validation/validation.go, without its limits of length.
_QUALIFIED = re.compile(
    r"([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[a-z0-9]([-a-z0-9_.]*[a-z0-9])?"
)

Json = dict[str, Any]


class RefusedError(Exception):
    """An answer of the server that is no success."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code, self.reason = code, reason


class Cluster:
    """The objects of a cluster, and what happened to them."""

    def __init__(self) -> None:
        #: (kind, namespace, name) -> object.
        self.objects: dict[tuple[str, str, str], Json] = {}
        #: How often the pods of a Deployment were replaced, by its name.
        self.rollouts: dict[str, int] = {}
        #: Pods that start while a value of a ConfigMap has this text in it do not become available.
        self.sick_with: str | None = None
        #: For how many seconds a pod is ending before it is gone.
        self.grace = 0.0
        #: Name of a Deployment -> its pods; one that is ending has the time of its end as well.
        self._pods: dict[str, list[tuple[Json, float | None]]] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._version = 0

    def add(self, kind: str, namespace: str, name: str, **content: Any) -> None:
        """Lay down an object."""
        api = "apps/v1" if kind == "Deployment" else "v1"
        metadata = {"name": name, "namespace": namespace}
        self._store((kind, namespace, name), {"apiVersion": api, "kind": kind, "metadata": metadata, **content})

    def get(self, kind: str, namespace: str, name: str) -> Json:
        """An object. Raises RefusedError when it is not there."""
        found = self.objects.get((kind, namespace, name))
        if found is None:
            raise RefusedError(404, "NotFound", f'{kind.lower()}s "{name}" not found')
        return copy.deepcopy(found)

    def patch(self, kind: str, namespace: str, name: str, patch: Json, *, dry_run: bool) -> Json:
        """Merge a patch into an object and return it. A dry run stores nothing."""
        with self._lock:
            changed: Json = merge(self.get(kind, namespace, name), patch)
            _require_data(changed)
            _require_annotations(changed)
            if not dry_run:
                self._store((kind, namespace, name), changed)
            return changed

    def pods(self, namespace: str, labels: dict[str, str]) -> list[Json]:
        """The pods with these labels, with those that are ending."""
        now = time.monotonic()
        with self._lock:
            for name, pods in self._pods.items():
                self._pods[name] = [(pod, end) for pod, end in pods if end is None or end > now]
            found = [pod for pods in self._pods.values() for pod, _end in pods]
        return [
            pod
            for pod in found
            if pod["metadata"]["namespace"] == namespace and labels.items() <= pod["metadata"]["labels"].items()
        ]

    def secret(self, namespace: str, name: str) -> dict[str, str]:
        """The values of a Secret as pods see them."""
        data = self.get("Secret", namespace, name)["data"]
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def _store(self, key: tuple[str, str, str], content: Json) -> None:
        former = self.objects.get(key)
        # An update that changes nothing writes nothing: GuaranteedUpdate in apiserver/pkg/storage/etcd3/store.go.
        if content == former:
            return
        self._version += 1
        content["metadata"]["resourceVersion"] = str(self._version)
        if key[0] == "Deployment":
            self._reconcile(content, former)
        self.objects[key] = content

    def _reconcile(self, content: Json, former: Json | None) -> None:
        """What the Deployment's controller would have done after a while."""
        spec, metadata = content["spec"], content["metadata"]
        # Only the specification counts: PrepareForUpdate in pkg/registry/apps/deployment/strategy.go.
        if former is None or spec != former["spec"]:
            metadata["generation"] = metadata.get("generation", 0) + 1
        # "A Deployment's rollout is triggered if and only if the Deployment's Pod template is changed."
        replaced = former is not None and spec["template"] != former["spec"]["template"]
        if replaced:
            self.rollouts[metadata["name"]] = self.rollouts.get(metadata["name"], 0) + 1
        wanted = spec["replicas"]
        self._run(metadata, spec["template"], 0 if replaced else wanted)
        self._run(metadata, spec["template"], wanted)
        # Fields without a value are left out: DeploymentStatus in the API reference, and its omitempty in types.go.
        counts = {"replicas": wanted, "updatedReplicas": wanted}
        counts["unavailableReplicas" if self._sick() else "availableReplicas"] = wanted
        content["status"] = {
            "observedGeneration": metadata["generation"],
            **{name: number for name, number in counts.items() if number},
        }

    def _run(self, owner: Json, template: Json, wanted: int) -> None:
        """Start pods, or let some end: "Termination of Pods" in the documentation of the pod's lifecycle."""
        pods = self._pods.setdefault(owner["name"], [])
        running = [number for number, (_pod, end) in enumerate(pods) if end is None]
        for number in running[wanted:]:
            pod = copy.deepcopy(pods[number][0])
            pod["metadata"]["deletionTimestamp"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            pods[number] = pod, time.monotonic() + self.grace
        for _missing in range(wanted - len(running)):
            metadata = {**copy.deepcopy(template["metadata"]), "namespace": owner["namespace"]}
            metadata["name"] = f"{owner['name']}-{next(self._numbers)}"
            pods.append(({"metadata": metadata, "spec": template["spec"], "status": {"phase": "Running"}}, None))

    def _sick(self) -> bool:
        data = (item.get("data", {}) for (kind, _space, _name), item in self.objects.items() if kind == "ConfigMap")
        return self.sick_with is not None and any(self.sick_with in text for values in data for text in values.values())


def merge(target: Any, patch: Any) -> Any:
    """RFC 7386. A strategic merge is the same where only mappings and plain values are merged, as here."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def _require_data(item: Json) -> None:
    """The data of a ConfigMap are texts, that of a Secret is base64 (API reference). Raises RefusedError."""
    for key, value in item.get("data", {}).items():
        try:
            if not isinstance(value, str):
                raise ValueError("not a string")
            if item["kind"] == "Secret":
                base64.b64decode(value, validate=True)
        except (ValueError, binascii.Error) as error:
            raise RefusedError(400, "BadRequest", f"{item['kind']}.data: {key}: {error}") from error


def _require_annotations(item: Json) -> None:
    """ValidateAnnotations in apimachinery/pkg/api/validation/objectmeta.go. Raises RefusedError."""
    for holder in (item, item.get("spec", {}).get("template", {})):
        for name in holder.get("metadata", {}).get("annotations", {}):
            if not _QUALIFIED.fullmatch(name.lower()):
                raise RefusedError(422, "Invalid", f"metadata.annotations: Invalid value: {name!r}")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self._answer({})

    def do_PATCH(self) -> None:
        body = self.rfile.read(min(int(self.headers["Content-Length"]), _LARGEST_BODY))
        self._answer(json.loads(body))

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the test tells what it needs."""

    def _answer(self, patch: Json) -> None:
        try:
            code, content = 200, self._content(patch)
        except RefusedError as refused:
            code = refused.code
            content = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code}
            content |= {"reason": refused.reason, "message": str(refused)}
        text = json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _content(self, patch: Json) -> Json:
        url = urlsplit(self.path)
        if self.headers["Authorization"] != f"Bearer {_TOKEN}":
            raise RefusedError(401, "Unauthorized", "Unauthorized")
        if self.command == "GET" and (found := _discovery(url.path)) is not None:
            return found
        api, slash, place = url.path.partition("/namespaces/")
        namespace, name, resource = "", "", ""
        if slash and place.count("/") in {1, 2, 3}:
            namespace, resource, name, *rest = [*place.split("/"), ""] if place.count("/") == 1 else place.split("/")
            resource = "/".join([resource, *rest])
        kind = _RESOURCES.get(api, {}).get(resource)
        if kind is None:
            raise RefusedError(404, "NotFound", "the server could not find the requested resource")
        cluster = self.server.cluster
        if kind == "Pod" and not name:
            # "List and filter", "Labels and Selectors": here only the form that tells equality.
            selector = parse_qs(url.query).get("labelSelector", [""])[0]
            labels = dict(term.split("=", 1) for term in selector.split(",") if term)
            return {"kind": "PodList", "apiVersion": "v1", "items": cluster.pods(namespace, labels)}
        if self.command == "GET":
            return cluster.get(kind, namespace, name)
        if self.headers["Content-Type"] not in _MERGES:
            raise RefusedError(415, "UnsupportedMediaType", f"the body of the request was in an unknown format: {kind}")
        dry_run = parse_qs(url.query).get("dryRun") == ["All"]
        if kind == "Scale":
            kind, patch = "Deployment", {"spec": {"replicas": patch["spec"]["replicas"]}}
        return cluster.patch(kind, namespace, name, patch, dry_run=dry_run)


def _discovery(path: str) -> Json | None:
    """The answers by which a client finds out what there is; None for any other path."""
    if path == "/version":
        return {"major": "1", "minor": "32", "gitVersion": "v1.32.0"}
    if path == "/apis":
        version = {"groupVersion": "apps/v1", "version": "v1"}
        group = {"name": "apps", "versions": [version], "preferredVersion": version}
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group]}
    if path not in _RESOURCES:
        return None
    resources = [
        {"name": name, "singularName": "", "namespaced": True, "kind": kind, "verbs": ["get", "patch"]}
        for name, kind in _RESOURCES[path].items()
    ]
    group_version = path.removeprefix("/apis/").removeprefix("/api/")
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources}


class Server(ThreadingHTTPServer):
    """The API server of a cluster, on a free port."""

    daemon_threads = True

    def __init__(self, cluster: Cluster, certificates: Path) -> None:
        self.cluster = cluster
        super().__init__((ADDRESS, 0), _Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / "kubernetes.pem", certificates / "kubernetes.key")
        self.socket = context.wrap_socket(self.socket, server_side=True)


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[tuple[Cluster, Path]]:
    """Serve an empty cluster; gives it and the path of its kubeconfig, whose context is CONTEXT."""
    authority = Authority.create(folder)
    authority.issue("kubernetes", [ADDRESS])
    cluster = Cluster()
    with Server(cluster, folder) as server:
        settings = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": CONTEXT,
                    "cluster": {
                        "server": f"https://{ADDRESS}:{server.server_port}",
                        "certificate-authority": str(authority.ca_file),
                    },
                }
            ],
            "users": [{"name": CONTEXT, "user": {"token": _TOKEN}}],
            "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
        }
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(yaml.safe_dump(settings))
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield cluster, kubeconfig
        finally:
            server.shutdown()
            thread.join()
