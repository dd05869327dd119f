"""The distribution API over a `Store`: which request means what, what it is called and which rights it takes."""

from __future__ import annotations

import re

from multidict import CIMultiDict

from tests.support import fake_content, fake_lists, fake_uploads
from tests.support.exchange import Asked
from tests.support.fake_store import Store
from tests.support.fake_words import Api, Problem, plain, refused
from tests.support.faults import Reply

_NAME = r"(?P<name>[a-z0-9]+(?:(?:[._]|__|-+|/)[a-z0-9]+)*)"
_PATHS = {
    "ping": re.compile(r"/v2/"),
    "catalog": re.compile(r"/v2/_catalog"),
    "tags": re.compile(rf"/v2/{_NAME}/tags/list"),
    "manifest": re.compile(
        rf"/v2/{_NAME}/manifests/(?P<reference>\w[\w.-]{{0,127}}|[a-z0-9]+:[0-9a-f]{{32,}})", re.ASCII
    ),
    "uploads": re.compile(rf"/v2/{_NAME}/blobs/uploads/"),
    "session": re.compile(rf"/v2/{_NAME}/blobs/uploads/(?P<session>[a-zA-Z0-9_.=-]+)"),
    "blob": re.compile(rf"/v2/{_NAME}/blobs/(?P<digest>[a-z0-9+._-]+:[0-9a-f]+)"),
    "referrers": re.compile(rf"/v2/{_NAME}/referrers/(?P<digest>[a-z0-9]+:[0-9a-f]+)"),
}
_METHODS = {
    "ping": {"GET", "HEAD"},
    "catalog": {"GET"},
    "tags": {"GET"},
    "manifest": {"DELETE", "GET", "HEAD", "PUT"},
    "uploads": {"POST"},
    "session": {"DELETE", "GET", "HEAD", "PATCH", "PUT"},
    "blob": {"DELETE", "GET", "HEAD"},
    "referrers": {"GET"},
}
_SESSION_KINDS = {"PATCH": "patch", "PUT": "commit", "GET": "status", "HEAD": "status", "DELETE": "cancel"}
_ACTIONS = {"GET": "pull", "HEAD": "pull", "DELETE": "delete"}


def parsed(path: str) -> tuple[str, dict[str, str]]:
    """Return what sort of thing a path names, and its parts by name; "" for none of the API's."""
    for kind, pattern in _PATHS.items():
        if found := pattern.fullmatch(path):
            return kind, found.groupdict()
    return "", {}


def kind_of(method: str, path: str) -> str:
    """Return what sort of request this is, in the words of `Fault.kind`."""
    kind, _ = parsed(path)
    if kind == "session":
        return _SESSION_KINDS.get(method, "session")
    return "upload" if kind == "uploads" else kind


def scope_of(asked: Asked) -> str:
    """Return the scope a bearer token must cover for this request."""
    kind, found = parsed(asked.path)
    if kind == "catalog":
        return "registry:catalog:*"
    if "name" not in found:
        return ""
    uploading = kind in {"uploads", "session"}
    return f"repository:{found['name']}:{'pull,push' if uploading else _ACTIONS.get(asked.method, 'pull,push')}"


def unauthorized(asked: Asked, challenge: str) -> Reply:
    """Return the 401 that says how to log in."""
    kind, _, rest = scope_of(asked).partition(":")
    name, _, actions = rest.rpartition(":")
    wanted = [{"Type": kind, "Class": "", "Name": name, "Action": each} for each in actions.split(",") if each]
    reply = refused(401, Problem("UNAUTHORIZED", "authentication required", wanted or None))
    reply.headers["WWW-Authenticate"] = challenge
    return _stamped(reply)


def answer(api: Api, asked: Asked) -> Reply:
    """Answer a request."""
    kind, found = parsed(asked.path)
    if not kind or (kind == "referrers" and not api.features.referrers):
        return _stamped(plain(404, "404 page not found"))
    if kind == "ping":
        return _stamped(Reply(200, CIMultiDict({"Content-Type": "application/json; charset=utf-8"}), b"{}"))
    if asked.method not in _METHODS[kind]:
        return _stamped(plain(405, "Method not allowed", Allow=", ".join(sorted(_METHODS[kind]))))
    return _stamped(_answer(api, asked, kind=kind, found=found))


def keep_part(store: Store, asked: Asked) -> None:
    """Keep what came of a body for a session, as the distribution-spec lets a client hope."""
    kind, found = parsed(asked.path)
    uploads = store.repositories[found["name"]].uploads if kind == "session" else {}
    if asked.method in {"PATCH", "PUT"} and found.get("session") in uploads:
        uploads[found["session"]] += asked.body


def _answer(api: Api, asked: Asked, *, kind: str, found: dict[str, str]) -> Reply:
    match kind, asked.method:
        case "catalog", _:
            return fake_lists.catalogue(api, asked)
        case "tags", _:
            return fake_lists.tags(api, asked, **found)
        case "referrers", _:
            return fake_lists.referrers(api, asked, **found)
        case "uploads", _:
            return fake_uploads.open_upload(api, asked, **found)
        case "session", _:
            return fake_uploads.in_session(api, asked, **found)
        case "manifest", "PUT":
            return fake_content.put_manifest(api, asked, **found)
        case "manifest", "DELETE":
            return fake_content.delete_manifest(api, asked, **found)
        case "manifest", _:
            return fake_content.get_manifest(api, asked, **found)
        case _, "DELETE":
            return fake_content.delete_blob(api, asked, **found)
        case _:
            return fake_content.get_blob(api, asked, **found)


def _stamped(reply: Reply) -> Reply:
    reply.headers["Docker-Distribution-Api-Version"] = "registry/2.0"
    return reply
