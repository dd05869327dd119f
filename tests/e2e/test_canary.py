"""A registry that echoes the login wherever it can: no output and no file of ours shows it, encoded or not."""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote, quote_plus

import pytest

from tests.e2e.program import regsync, started_anew

USER, PASSWORD = "canary-user", "canary/p%ss word-8d0f"
TOKEN = "canary-token-31c7" * 5
PAIR = f"{USER}:{PASSWORD}"
FORMS = {
    form
    for secret in (PASSWORD, TOKEN, PAIR)
    for encoded in (b64encode(secret.encode()).decode(), urlsafe_b64encode(secret.encode()).decode())
    for form in (secret, quote(secret, safe=""), quote(secret), quote_plus(secret), encoded, encoded.rstrip("="))
}
WHERE = ("message", "warning", "tags", "location", "realm", "service", "scope", "token server", "reason")


def echoed(header: str) -> list[str]:
    """Return what a login is, in all the ways to write it."""
    scheme, _, given = header.partition(" ")
    secrets = [given] if scheme == "Bearer" else [given, *b64decode(given).decode().split(":", 1)[1:]]
    shown = [*secrets, *map(quote_plus, secrets), *(quote(one, safe="") for one in secrets)]
    return [*shown, *(b64encode(one.encode()).decode() for one in secrets)]


class Echo(BaseHTTPRequestHandler):
    """Answers what it was sent, at the place its server is told."""

    server: EchoServer

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        where, login = self.server.where, self.headers["Authorization"]
        if self.path.startswith("/token"):
            self._token(where, login)
        elif not login:
            self._answer(
                401, challenge=f'Bearer realm="{self.server.origin}/token",service="s",scope="repository:a:pull"'
            )
        elif where in {"realm", "service", "scope"}:
            said = quote(" ".join(echoed(login)), safe="/:%") if where == "realm" else " ".join(echoed(login))
            said = f"{self.server.origin}/{said}" if where == "realm" else said.replace('"', "")
            self._answer(401, challenge=f'Bearer {where}="{said}"')
        elif where == "location":
            self._answer(307, location=f"/{echoed(login)[-1]}/{quote(echoed(login)[0], safe='')}")
        elif where == "warning":
            self._answer(404, warning=f'299 - "{" ".join(echoed(login))}"')
        elif where == "tags" and self.path.endswith("/tags/list"):
            self._answer(200, body=json.dumps({"name": "a", "tags": [one[:128] for one in echoed(login)]}))
        else:
            self._answer(403, body=json.dumps({"errors": [{"code": "DENIED", "message": " ".join(echoed(login))}]}))

    do_HEAD = do_POST = do_GET  # noqa: N815  # http.server's names

    def _token(self, where: str, login: str) -> None:
        if where == "token server":
            self._answer(401, body=json.dumps({"errors": [{"code": "DENIED", "message": " ".join(echoed(login))}]}))
        else:
            self._answer(200, body=json.dumps({"token": TOKEN}))

    def _answer(
        self, status: int, *, body: str = "", challenge: str = "", location: str = "", warning: str = ""
    ) -> None:
        self.send_response(status, " ".join(echoed(f"Bearer {TOKEN}")) if self.server.where == "reason" else None)
        for name, value in (("WWW-Authenticate", challenge), ("Location", location), ("Warning", warning)):
            if value:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body.encode())


class EchoServer(ThreadingHTTPServer):
    """A registry and token server in one."""

    daemon_threads = True

    def __init__(self, where: str) -> None:
        super().__init__(("127.0.0.1", 0), Echo)
        self.where = where
        self.host = f"127.0.0.1:{self.server_address[1]}"
        self.origin = f"http://{self.host}"


@contextmanager
def echoing(where: str) -> Iterator[EchoServer]:
    server = EchoServer(where)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize(
    "said",
    [
        ("once", "-v", "trace"),
        ("once", "-v", "trace", "--logopt", "json"),
        ("check", "-v", "error"),
        ("server", "-v", "debug", "--abort-on-error"),
        ("config",),
    ],
    ids=" ".join,
)
def test_no_login_is_shown_whatever_echoes_it(said: tuple[str, ...], where: str, tmp_path: Path) -> None:
    with echoing(where) as server:
        (tmp_path / "regsync.yml").write_text(
            f"creds:\n- {{registry: '{server.host}', tls: disabled, user: {USER}, pass: '{PASSWORD}'}}\n"
            f"sync:\n- {{source: {server.host}/a, target: 'ocidir://one', type: repository, interval: 1h}}\n"
            f"- {{source: {server.host}/a:v1, target: 'ocidir://two:v1', type: image, interval: 1h}}\n"
        )
        done = regsync(*said, "-c", "regsync.yml", cwd=tmp_path)
    assert done.code in {0, 1}, done.err
    written = [path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file()]
    written.remove((tmp_path / "regsync.yml").read_text())
    for text in (done.out, done.err, *written):
        assert [form for form in FORMS if form in text] == []


def test_a_helper_is_told_the_name_of_its_server_and_no_login_of_another(tmp_path: Path) -> None:
    """What a program is started with can be read by everybody on the machine (`ps`, /proc)."""
    helper = tmp_path / "bin" / "docker-credential-canary"
    helper.parent.mkdir()
    helper.write_text(
        '#!/bin/sh\n{ tr "\\0" "\\n" </proc/$$/cmdline; tr "\\0" "\\n" </proc/$PPID/cmdline; env; cat; } >>told\n'
        'echo \'{"ServerURL":"x","Username":"u","Secret":"s"}\'\n'
    )
    helper.chmod(0o755)
    with echoing("message") as one, echoing("message") as other:
        (tmp_path / "regsync.yml").write_text(
            f"creds:\n- {{registry: '{one.host}', tls: disabled, user: {USER}, pass: '{PASSWORD}', token: {TOKEN}}}\n"
            f"- {{registry: '{other.host}', tls: disabled, credHelper: docker-credential-canary}}\n"
            f"sync:\n- {{source: {one.host}/a, target: {other.host}/b, type: repository}}\n"
            f"- {{source: {other.host}/a, target: 'ocidir://two', type: repository}}\n"
        )
        path = f"{helper.parent}:{os.environ['PATH']}"
        done = started_anew("once", "-c", "regsync.yml", cwd=tmp_path, environ={"PATH": path})
    told = (tmp_path / "told").read_text()
    assert done.code == 1
    assert other.host in told
    assert [form for form in FORMS if form in told] == []
