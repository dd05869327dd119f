"""The fake registry's manifests and blobs: read, put, deleted."""

from __future__ import annotations

import json
from typing import Any

from multidict import CIMultiDict

from tests.support.built import DOCKER_LIST, DOCKER_MANIFEST, INDEX, MANIFEST, digest_of
from tests.support.exchange import Asked
from tests.support.fake_store import FakeRepository, Stored, is_digest, proves
from tests.support.fake_words import Api, Problem, blob_unknown, digest_invalid, done, ranged, refused
from tests.support.faults import Reply

_KNOWN = {INDEX: "manifests", DOCKER_LIST: "manifests", MANIFEST: "layers", DOCKER_MANIFEST: "layers"}
_NOT_ACCEPTED = {
    MANIFEST: "OCI manifest found, but accept header does not support OCI manifests",
    INDEX: "OCI index found, but accept header does not support OCI indexes",
}


def _named(api: Api, digest: str, headers: dict[str, str]) -> CIMultiDict[str]:
    named = CIMultiDict(headers)
    if api.features.names_digests:
        named["Docker-Content-Digest"] = digest
    return named


def get_manifest(api: Api, asked: Asked, *, name: str, reference: str) -> Reply:
    """Return a manifest; OCI's only to those who say that they can read them."""
    repository = api.store.repositories.get(name, FakeRepository())
    found = repository.find(reference)
    if found is None:
        detail = {"Name": name, "Revision": reference} if ":" in reference else {"Tag": reference}
        return refused(404, Problem("MANIFEST_UNKNOWN", "manifest unknown", detail))
    digest, stored = found
    accepted = asked.headers.get("Accept", "*/*")
    if stored.media_type in _NOT_ACCEPTED and stored.media_type not in accepted and "*/*" not in accepted:
        return refused(404, Problem("MANIFEST_UNKNOWN", _NOT_ACCEPTED[stored.media_type]))
    headers = _named(api, digest, {"Content-Type": stored.media_type, "Etag": f'"{digest}"'})
    if asked.headers.get("If-None-Match") == f'"{digest}"':
        return done(304, {})
    return Reply(200, headers, repository.lies.get(digest, stored.raw))


def put_manifest(api: Api, asked: Asked, *, name: str, reference: str) -> Reply:
    """Store a manifest whose parts are here, and the tag."""
    media_type = asked.headers.get("Content-Type", "").partition(";")[0]
    document = _document(asked.body, media_type)
    if document is None:
        return refused(400, Problem("MANIFEST_INVALID", "manifest invalid", {}))
    digest = _digest_of_put(api, asked, reference)
    known = is_digest(digest) and (api.features.keeps_algorithm or digest.startswith("sha256:"))
    if not known or not proves(digest, asked.body):
        return digest_invalid()
    repository = api.store.make(name)
    if missing := repository.lacking(document):
        unknown = (Problem("MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", each) for each in missing)
        return refused(400, *unknown)
    repository.manifests[digest] = Stored(media_type, asked.body)
    if ":" not in reference:
        repository.tags[reference] = digest
        repository.tagged = True
    reply = done(201, {"Location": api.location(f"/v2/{name}/manifests/{digest}")})
    reply.headers = _named(api, digest, dict(reply.headers))
    if api.features.referrers and "subject" in document:
        reply.headers["OCI-Subject"] = document["subject"]["digest"]
    return reply


def _digest_of_put(api: Api, asked: Asked, reference: str) -> str:
    if ":" in reference:
        return reference
    asked_for = asked.query.get("digest", "") if api.features.keeps_algorithm else ""
    return asked_for or digest_of(asked.body)


def _document(raw: bytes, media_type: str) -> dict[str, Any] | None:
    """Return a manifest's JSON if it is one, and of that type."""
    try:
        document = json.loads(raw)
    except ValueError:
        return None
    if not isinstance(document, dict) or _KNOWN.get(media_type, "-") not in document:
        return None
    return document if document.get("mediaType", media_type) == media_type else None


def delete_manifest(api: Api, asked: Asked, *, name: str, reference: str) -> Reply:
    """Delete a manifest with its tags; tags alone cannot be deleted."""
    if ":" not in reference:
        return digest_invalid()
    repository = api.store.repositories.get(name, FakeRepository())
    if reference not in repository.manifests:
        return refused(404, Problem("MANIFEST_UNKNOWN", "manifest unknown"))
    del repository.manifests[reference]
    repository.tags = {tag: digest for tag, digest in repository.tags.items() if digest != reference}
    return done(202, {})


def get_blob(api: Api, asked: Asked, *, name: str, digest: str) -> Reply:
    """Return a blob or a part of it."""
    if not is_digest(digest):
        return digest_invalid({})
    repository = api.store.repositories.get(name, FakeRepository())
    data = repository.blobs.get(digest)
    if data is None and asked.method == "HEAD" and digest in repository.phantoms:
        data = bytes(repository.phantoms[digest])
    if data is None:
        return blob_unknown(digest)
    canonical = digest if api.features.keeps_algorithm or digest in repository.phantoms else digest_of(data)
    headers = _named(
        api,
        canonical,
        {
            "Accept-Ranges": "bytes",
            "Cache-Control": "max-age=31536000",
            "Content-Type": "application/octet-stream",
            "Etag": f'"{canonical}"',
        },
    )
    return ranged(repository.lies.get(digest, data), asked.headers.get("Range", ""), headers)


def delete_blob(api: Api, asked: Asked, *, name: str, digest: str) -> Reply:
    """Delete a blob from a repository."""
    repository = api.store.repositories.get(name, FakeRepository())
    if repository.blobs.pop(digest, None) is None:
        return refused(404, Problem("BLOB_UNKNOWN", "blob unknown to registry"))
    return done(202, {})
