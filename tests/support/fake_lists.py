"""The fake registry's lists: tags, the catalogue, referrers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import urlencode

from multidict import CIMultiDict

from tests.support.built import INDEX, Json, compact
from tests.support.exchange import Asked
from tests.support.fake_store import FakeRepository, Stored
from tests.support.fake_words import Api, Problem, as_json, plain, refused
from tests.support.faults import Reply

_CATALOGUE_PAGE = 100


def tags(api: Api, asked: Asked, *, name: str) -> Reply:
    """Return the tags, in pages where the registry has them; a repository that never had a tag is unknown."""
    repository = api.store.repositories.get(name, FakeRepository())
    if not repository.tagged:
        known = "repository name not known to registry"
        return refused(404, Problem("NAME_UNKNOWN", known, {"name": name}))
    found = sorted(repository.tags)
    if not api.features.page_size:
        return as_json({"name": name, "tags": found or None})
    page, following = _page(found, asked, most=api.features.page_size, default=api.features.page_size)
    return _linked(api, asked, as_json({"name": name, "tags": page}), following=following)


def catalogue(api: Api, asked: Asked) -> Reply:
    """Return the repositories that ever held something, in pages."""
    found = sorted(name for name, each in api.store.repositories.items() if each.blobs or each.manifests or each.tagged)
    most = api.features.page_size or len(found) + 1
    page, following = _page(found, asked, most=most, default=api.features.page_size or _CATALOGUE_PAGE)
    return _linked(api, asked, as_json({"repositories": page}), following=following)


def _page(found: Sequence[str], asked: Asked, *, most: int, default: int) -> tuple[list[str], str]:
    """Return one page and the query of the one behind it ("" behind the last)."""
    wanted, last = asked.query.get("n", ""), asked.query.get("last", "")
    size = min(int(wanted), most) if wanted.isdecimal() else default
    rest = [each for each in found if each > last]
    page = rest[:size]
    return page, urlencode({"last": page[-1], "n": size}) if page and len(rest) > len(page) else ""


def _linked(api: Api, asked: Asked, reply: Reply, *, following: str) -> Reply:
    if following:
        origin = api.url if api.features.absolute_links else ""
        reply.headers["Link"] = f'<{origin}{asked.path}?{following}>; rel="next"'
    return reply


def referrers(api: Api, asked: Asked, *, name: str, digest: str) -> Reply:
    """Return an index of what refers to a manifest, of one artifact type if one is asked for."""
    if not api.features.referrers:
        return plain(404, "404 page not found")
    repository = api.store.repositories.get(name, FakeRepository())
    found = [_descriptor(each, stored) for each, stored in repository.referrers(digest)]
    wanted = asked.query.get("artifactType", "")
    headers = CIMultiDict({"Content-Type": INDEX})
    if wanted:
        found = [each for each in found if each["artifactType"] == wanted]
        headers["OCI-Filters-Applied"] = "artifactType"
    size = api.features.page_size or len(found) + 1
    start = int(asked.query.get("start", "0"))
    page = compact({"schemaVersion": 2, "mediaType": INDEX, "manifests": found[start : start + size]})
    following = urlencode({"start": start + size}) if len(found) > start + size else ""
    return _linked(api, asked, Reply(200, headers, page), following=following)


def _descriptor(digest: str, stored: Stored) -> Json:
    document = json.loads(stored.raw)
    kind = document.get("artifactType") or document.get("config", {}).get("mediaType", "")
    entry: Json = {"mediaType": stored.media_type, "digest": digest, "size": len(stored.raw), "artifactType": kind}
    if "annotations" in document:
        entry["annotations"] = document["annotations"]
    return entry
