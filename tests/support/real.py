"""Programs of others: docker-registry as a process, and skopeo, oras and their like where they are installed."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
import trustme

REQUIRE_REAL = "REGSYNC_TEST_REQUIRE_REAL"
_READY_WITHIN = 20.0  # seconds
_POLL = 0.02  # seconds
_PORTS_TRIED = 5
_OURS = range(20_000, 32_000)  # ports; systems give away those above, so one is still ours after a restart
_BUILT = os.environ.get("REGSYNC_TEST_TOOLS") or str(Path.home() / ".cache" / "regsync-test-tools")  # by `make tools`


def require(program: str) -> str:
    """Return the path of a program; without it the test is skipped, or fails where everything must be there."""
    found = shutil.which(program, path=os.pathsep.join([_BUILT, os.environ.get("PATH", os.defpath)]))
    if found is None:
        why = f"{program} is not installed"
        if os.environ.get(REQUIRE_REAL) == "1":
            pytest.fail(f"{why}, and {REQUIRE_REAL}=1 asks for it")
        pytest.skip(why)
    return found


def run(*arguments: str, cwd: Path | None = None, stdin: bytes = b"") -> bytes:
    """Run a program to its end and return what it printed; a failure shows what it had to say."""
    done = subprocess.run(
        [require(arguments[0]), *arguments[1:]], cwd=cwd, input=stdin, capture_output=True, check=False, timeout=120
    )
    assert done.returncode == 0, f"{' '.join(arguments)}: {done.stderr.decode(errors='replace')}"
    return done.stdout


def free_port() -> int:
    """Return a loopback port nobody listens on right now, nor will: none that systems give to who names no port."""
    while True:
        port = secrets.choice(_OURS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass(frozen=True, slots=True)
class TokenAuth:
    """Bearer authentication of docker-registry: `bundle` holds the certificates whose keys sign tokens."""

    realm: str
    service: str
    issuer: str
    bundle: Path


class RegistryProcess(ABC):
    """One registry of others on loopback; its port and what lies in its folder outlive `restart`.

    `lists_referrers` says whether it has the referrers API, `mounts` whether it gives a blob of one repository to
    another, and `keeps_algorithm` whether it knows manifests by other digests than sha256.
    """

    program = ""
    lists_referrers = False
    mounts = True
    keeps_algorithm = False

    def __init__(self, folder: Path, *, authority: trustme.CA | None = None) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "registry.log"
        self.port = 0
        self._authority = authority
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def arguments(self) -> Sequence[str]:
        """What it is started with, now that its port is known."""

    def environment(self) -> Mapping[str, str]:
        """What it is told besides."""
        return {}

    @abstractmethod
    def file_of(self, digest: str) -> Path:
        """Where a blob or a manifest lies."""

    @property
    def host(self) -> str:
        """What references call it: `127.0.0.1:port`."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self._authority else 'http'}://{self.host}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start it and return when it answers; a port somebody took meanwhile is changed for another."""
        program = require(self.program)
        self.folder.mkdir(parents=True, exist_ok=True)
        kept = self.port
        for _ in range(_PORTS_TRIED):
            self.port = kept or free_port()
            if self._launch(program):
                return
            self.kill()
        pytest.fail(f"{self.program} does not start:\n{self.log.read_text()[-2000:]}")

    def _launch(self, program: str) -> bool:
        command = [program, *self.arguments()]
        environment = {**os.environ, **self.environment()}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        return self._ready(self._process)

    def _ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Ask until it answers; an answer counts only while our own process lives, the port may be another's."""
        give_up = time.monotonic() + _READY_WITHIN
        while process.poll() is None and time.monotonic() < give_up:
            if self._answers():
                time.sleep(_POLL)
                return process.poll() is None
            time.sleep(_POLL)
        return False

    def get(self, path: str) -> bytes:
        """Return what it says to a plain GET."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            assert answer.status == 200, f"{path}: {answer.status}"
            return answer.read()
        finally:
            connection.close()

    def _answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=2)
        if self._authority is not None:
            context = self._tls_context(self._authority)
            connection = HTTPSConnection("127.0.0.1", self.port, timeout=2, context=context)
        try:
            connection.request("GET", "/v2/")
            return connection.getresponse().status in {200, 401}
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def _tls_context(self, authority: trustme.CA) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # it may be an intermediate one
        authority.configure_trust(context)
        return context

    def stop(self) -> None:
        """Ask it to end, and wait for that."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, as a crash does."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """End it and start it on the same port with the same data."""
        self.kill()
        self.start()

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=30)
            self._process = None


class DockerRegistry(RegistryProcess):
    """Debian's docker-registry 2.8: fallback tags instead of the referrers API, sha256 for every manifest.

    `basic` is a (user, password) pair. `authority` makes it speak TLS with a certificate for 127.0.0.1 and localhost.
    """

    program = "docker-registry"

    def __init__(
        self,
        folder: Path,
        *,
        basic: tuple[str, str] | None = None,
        token: TokenAuth | None = None,
        authority: trustme.CA | None = None,
        read_only: bool = False,
        delete: bool = True,
    ) -> None:
        super().__init__(folder, authority=authority)
        self._basic = basic
        self._token = token
        self._read_only = read_only
        self._delete = delete
        self._headers: Mapping[str, str] = {}

    def arguments(self) -> Sequence[str]:
        config = self.folder / "config.yml"
        config.write_text(self._config())
        return ("serve", str(config))

    def file_of(self, digest: str) -> Path:
        algorithm, _, value = digest.partition(":")
        return self.data / "docker/registry/v2/blobs" / algorithm / value[:2] / value / "data"

    def restart(self, *, read_only: bool | None = None, headers: Mapping[str, str] | None = None) -> None:
        """End it and start it on the same port with the same data; its answers have these headers from then on."""
        if headers is not None:
            self._headers = headers
        if read_only is not None:
            self._read_only = read_only
        super().restart()

    def collect_garbage(self) -> None:
        """Run its garbage collection over the data, removing manifests without a tag."""
        run(self.program, "garbage-collect", "--delete-untagged", str(self.folder / "config.yml"))

    def _config(self) -> str:
        lines: list[str] = ["version: 0.1", "log:", "  level: info", "  accesslog:", "    disabled: false"]
        lines += ["storage:", "  filesystem:", f"    rootdirectory: {self.data}"]
        lines += ["  delete:", f"    enabled: {str(self._delete).lower()}"]
        if self._read_only:
            lines += ["  maintenance:", "    readonly:", "      enabled: true"]
        lines += ["http:", f"  addr: 127.0.0.1:{self.port}", "  secret: fixed-so-that-uploads-survive-a-restart"]
        lines += ["  headers:", *(f'    {name}: ["{value}"]' for name, value in self._headers.items())]
        return "\n".join([*lines, *self._tls(), *self._auth(), ""])

    def _tls(self) -> Sequence[str]:
        if self._authority is None:
            return ()
        certificate, key = self.folder / "tls.pem", self.folder / "tls.key"
        issued = self._authority.issue_cert("127.0.0.1", "localhost", "localhost.example")
        certificate.write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
        key.write_bytes(issued.private_key_pem.bytes())
        return ("  tls:", f"    certificate: {certificate}", f"    key: {key}")

    def _auth(self) -> Sequence[str]:
        if self._basic is not None:
            users = self.folder / "htpasswd"
            users.write_bytes(run("htpasswd", "-Bbn", *self._basic))
            return ("auth:", "  htpasswd:", "    realm: regsync-tests", f"    path: {users}")
        if self._token is not None:
            return (
                *("auth:", "  token:", f"    realm: {self._token.realm}", f"    service: {self._token.service}"),
                *(f"    issuer: {self._token.issuer}", f"    rootcertbundle: {self._token.bundle}"),
            )
        return ()
