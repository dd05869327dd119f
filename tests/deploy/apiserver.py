"""A Kubernetes without nodes or controllers, on loopback: kube-apiserver and etcd, with keys that end with them."""

from __future__ import annotations

import json
import secrets
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any, Final

import trustme
import yaml

from tests.support.real import free_port, require

Object = Mapping[str, Any]
MANAGER: Final = "regsync"
_READY_WITHIN: Final = 180.0  # seconds; machines that build something else at the same time are slow
_ANSWERS_WITHIN: Final = 60.0  # seconds
_ENDS_WITHIN: Final = 15.0  # seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said to one request: `warnings` are the texts of its Warning headers."""

    status: int
    warnings: tuple[str, ...]
    body: Object

    @property
    def complaints(self) -> tuple[str, ...]:
        """Why it is not fine, one text each."""
        refused = self.status >= 400
        return (*self.warnings, *([f"{self.status} {self.body.get('message', self.body)}"] if refused else []))


@dataclass(frozen=True)
class ApiServer:
    """One that runs. `kubeconfig` is for kubectl and helm."""

    port: int
    authority: trustme.CA
    token: str
    kubeconfig: Path

    def ask(self, method: str, path: str, body: Object | None = None, **headers: str) -> Answer:
        """Send one request."""
        connection = HTTPSConnection("127.0.0.1", self.port, timeout=_ANSWERS_WITHIN, context=self._tls)
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **headers}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            answer = connection.getresponse()
            warnings = tuple(answer.headers.get_all("Warning", []))
            text = answer.read().decode()
        finally:
            connection.close()
        kept = json.loads(text) if text.startswith("{") else {"message": text}
        return Answer(answer.status, warnings, kept)

    def apply(self, document: Object, namespace: str, *, really: bool) -> Answer:
        """Have an object made or changed as `kubectl apply --server-side` does; keys it does not know are errors."""
        path = f"{self.place(document, namespace)}/{document['metadata']['name']}"
        return self._change("PATCH", path, document, really=really, fieldManager=MANAGER)

    def create(self, document: Object, namespace: str, *, really: bool) -> Answer:
        return self._change("POST", self.place(document, namespace), document, really=really)

    def place(self, document: Object, namespace: str) -> str:
        """Where objects of this kind are."""
        version, kind = document["apiVersion"], document["kind"]
        group = f"/api/{version}" if version == "v1" else f"/apis/{version}"
        found = [each for each in self.ask("GET", group).body["resources"] if each["kind"] == kind]
        (resource,) = [each for each in found if "/" not in each["name"]]
        return (
            f"{group}/namespaces/{namespace}/{resource['name']}"
            if resource["namespaced"]
            else f"{group}/{resource['name']}"
        )

    def _change(self, method: str, path: str, document: Object, *, really: bool, **query: str) -> Answer:
        asked = {**query, "fieldValidation": "Strict", **({} if really else {"dryRun": "All"})}
        words = "&".join(f"{key}={value}" for key, value in asked.items())
        kind = {"PATCH": "application/apply-patch+yaml"}.get(method, "application/json")  # JSON is YAML
        return self.ask(method, f"{path}?{words}", document, **{"Content-Type": kind})

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context


@contextmanager
def running(folder: Path) -> Iterator[ApiServer]:
    """Start both and end both; their logs and data lie in the folder."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued = authority.issue_cert("127.0.0.1", "localhost")
    issued.private_key_and_cert_chain_pem.write_to_path(folder / "both.pem")  # a key and its certificate in one file
    token = secrets.token_hex(16)
    (folder / "tokens.csv").write_text(f'{token},tester,1,"system:masters"\n')
    port, store = free_port(), free_port()
    server = ApiServer(port, authority, token, folder / "kubeconfig")
    server.kubeconfig.write_text(yaml.safe_dump(_kubeconfig(port, folder / "ca.pem", token)))
    with ExitStack() as stack:
        stack.enter_context(_process(folder / "etcd.log", _etcd(folder, store)))
        process = stack.enter_context(_process(folder / "kube-apiserver.log", _kube_apiserver(folder, port, store)))
        _wait(server, process, folder)
        yield server


@contextmanager
def _process(log: Path, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out, subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(_ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(server: ApiServer, process: subprocess.Popen[bytes], folder: Path) -> None:
    give_up = time.monotonic() + _READY_WITHIN
    while process.poll() is None and time.monotonic() < give_up:
        try:
            if server.ask("GET", "/readyz").status == 200:
                return
        except (OSError, HTTPException):
            pass  # it does not listen yet
        time.sleep(0.2)
    logs = "".join((folder / f"{name}.log").read_text()[-3000:] for name in ("etcd", "kube-apiserver"))
    raise SystemExit(f"kube-apiserver does not start:\n{logs}")


def _etcd(folder: Path, port: int) -> list[str]:
    url, peers = f"https://127.0.0.1:{port}", f"http://127.0.0.1:{free_port()}"
    options = {
        "data-dir": folder / "etcd",
        "listen-client-urls": url,
        "advertise-client-urls": url,
        "listen-peer-urls": peers,
        "initial-advertise-peer-urls": peers,
        "initial-cluster": f"default={peers}",
        "client-cert-auth": "true",
        "trusted-ca-file": folder / "ca.pem",
        "cert-file": folder / "both.pem",
        "key-file": folder / "both.pem",
        "logger": "zap",
        "log-level": "warn",
    }
    return _command("etcd", options)


def _kube_apiserver(folder: Path, port: int, store: int) -> list[str]:
    both = folder / "both.pem"
    options = {
        "etcd-servers": f"https://127.0.0.1:{store}",
        "etcd-cafile": folder / "ca.pem",
        "etcd-certfile": both,
        "etcd-keyfile": both,
        "bind-address": "127.0.0.1",
        "secure-port": port,
        "tls-cert-file": both,
        "tls-private-key-file": both,
        "cert-dir": folder,
        "token-auth-file": folder / "tokens.csv",
        "anonymous-auth": "false",
        "authorization-mode": "AlwaysAllow",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": both,
        "service-account-signing-key-file": both,
        "service-cluster-ip-range": "10.96.0.0/24",
        "endpoint-reconciler-type": "none",  # nobody comes by a Service
        "enable-priority-and-fairness": "false",
    }
    return _command("kube-apiserver", options)


def _command(program: str, options: Mapping[str, object]) -> list[str]:
    return [require(program), *(f"--{name}={value}" for name, value in options.items())]


def _kubeconfig(port: int, authority: Path, token: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "tester"}}],
        "clusters": [
            {
                "name": "test",
                "cluster": {"server": f"https://127.0.0.1:{port}", "certificate-authority": str(authority)},
            }
        ],
        "users": [{"name": "tester", "user": {"token": token}}],
    }
