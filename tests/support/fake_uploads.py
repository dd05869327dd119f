"""The fake registry's upload sessions: opened, filled, asked about, committed, closed; and mounts."""

from __future__ import annotations

import re

from tests.support.built import digest_of
from tests.support.exchange import Asked
from tests.support.fake_store import FakeRepository, is_digest, proves
from tests.support.fake_words import Api, Problem, digest_invalid, done, refused
from tests.support.faults import Reply

_UNKNOWN = Problem("BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry", {})


def open_upload(api: Api, asked: Asked, *, name: str) -> Reply:
    """Open a session, unless a mount or a whole blob in one request makes it superfluous."""
    mount, whole = asked.query.get("mount", ""), asked.query.get("digest", "")
    data = _mountable(api, mount, asked.query.get("from", "")) if mount else None
    if data is not None:
        return _stored(api, name, mount, data)
    if whole and api.features.single_post:
        return _stored(api, name, whole, asked.body) if proves(whole, asked.body) else digest_invalid({})
    session = api.store.upload_in(name)
    reply = _standing(api, name, session, status=202)
    if api.features.min_chunk:
        reply.headers["OCI-Chunk-Min-Length"] = str(api.features.min_chunk)
    return reply


def _mountable(api: Api, digest: str, source: str) -> bytes | None:
    if source and api.features.mounts:
        return api.store.repositories.get(source, FakeRepository()).blobs.get(digest)
    return api.store.anywhere(digest) if api.features.anonymous_mount else None


def _stored(api: Api, name: str, digest: str, data: bytes) -> Reply:
    repository = api.store.make(name)
    canonical = digest if api.features.keeps_algorithm else digest_of(data)
    repository.blobs[digest] = repository.blobs[canonical] = data
    repository.phantoms.pop(digest, None)
    headers = {"Location": api.location(f"/v2/{name}/blobs/{canonical}")}
    return done(201, headers | ({"Docker-Content-Digest": canonical} if api.features.names_digests else {}))


def _standing(api: Api, name: str, session: str, *, status: int) -> Reply:
    """Say where a session is and how far it has got; an empty one says the same as one of a single byte."""
    size = len(api.store.repositories[name].uploads[session])
    headers = {
        "Docker-Upload-UUID": session,
        "Location": api.location(f"/v2/{name}/blobs/uploads/{session}?_state={size}"),
        "Range": f"0-{max(size - 1, 0)}",
    }
    return done(status, headers)


def in_session(api: Api, asked: Asked, *, name: str, session: str) -> Reply:
    """Do what is asked of a session that is there."""
    uploads = api.store.repositories.get(name, FakeRepository()).uploads
    if session not in uploads:
        return refused(404, _UNKNOWN)
    match asked.method:
        case "PATCH":
            return _patch(api, asked, name=name, session=session)
        case "PUT":
            return _commit(api, asked, name=name, session=session)
        case "DELETE":
            del uploads[session]
            return done(204, {"Docker-Upload-UUID": session})
        case _:
            return _standing(api, name, session, status=204)


def _patch(api: Api, asked: Asked, *, name: str, session: str) -> Reply:
    stored = api.store.repositories[name].uploads[session]
    said = asked.headers.get("Content-Range", "")
    found = re.fullmatch(r"([0-9]+)-([0-9]+)", said)
    if said and api.features.strict_chunks and (found is None or int(found[1]) != len(stored)):
        return _standing(api, name, session, status=416)
    stored += asked.body
    return _standing(api, name, session, status=202)


def _commit(api: Api, asked: Asked, *, name: str, session: str) -> Reply:
    """Close a session; whatever is wrong with it, docker-registry has forgotten it then."""
    digest = asked.query.get("digest", "")
    if not is_digest(digest):
        return digest_invalid("digest parsing failed" if digest else "digest missing")
    data = bytes(api.store.repositories[name].uploads.pop(session)) + asked.body
    if not proves(digest, data):
        return digest_invalid({"Digest": digest, "Reason": {}})
    return _stored(api, name, digest, data)
