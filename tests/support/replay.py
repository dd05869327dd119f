"""One script of requests, good and bad, to be put to two registries whose answers are then compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse, IncompleteRead
from urllib.parse import urlsplit

from tests.support.built import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    INDEX,
    MANIFEST,
    Built,
    artifact_bytes,
    digest_of,
    image_bytes,
    index_bytes,
    some_bytes,
)

OCTETS = {"Content-Type": "application/octet-stream"}
ACCEPT = {"Accept": f"{INDEX}, {MANIFEST}, {DOCKER_LIST}, {DOCKER_MANIFEST}"}
IMAGE = image_bytes(b"first layer", b"second layer", b"")
OTHER = image_bytes(b"another layer", platform="linux/arm64")
DOCKER = image_bytes(b"first layer", docker=True)
BOTH = index_bytes(IMAGE, OTHER)
NESTED = index_bytes(BOTH, IMAGE)
SIGNATURE = artifact_bytes(b"signed", subject=IMAGE)
LARGE = some_bytes(300_000)
ABSENT = digest_of(b"nowhere")
LONGER = some_bytes(10, "by sha512")


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. `{name}` in the target stands for a Location an earlier answer `saves` under that name."""

    name: str
    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    saves: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def _blob(name: str, data: bytes, *, repository: str = "a/b") -> Iterator[Ask]:
    uploads = f"/v2/{repository}/blobs/uploads/"
    yield Ask(f"an upload is opened for {name}", "POST", uploads, saves="session")
    yield Ask(f"{name} is put whole", "PUT", f"{{session}}&digest={digest_of(data)}", OCTETS, data)


def _manifest(name: str, built: Built, at: str, *, repository: str = "a/b", kind: str = "") -> Ask:
    headers = {"Content-Type": kind or built.media_type}
    return Ask(f"{name} is put at {at[:20]}", "PUT", f"/v2/{repository}/manifests/{at}", headers, built.raw)


def _empty() -> Iterator[Ask]:
    yield Ask("the version is asked", "GET", "/v2/")
    yield Ask("the empty catalogue", "GET", "/v2/_catalog")
    yield Ask("tags of nothing", "GET", "/v2/a/b/tags/list")
    yield Ask("a tag of nothing", "GET", "/v2/a/b/manifests/latest", ACCEPT)
    yield Ask("a tag of nothing by HEAD", "HEAD", "/v2/a/b/manifests/latest", ACCEPT)
    yield Ask("a manifest digest of nothing", "GET", f"/v2/a/b/manifests/{ABSENT}", ACCEPT)
    yield Ask("a blob of nothing", "GET", f"/v2/a/b/blobs/{ABSENT}")
    yield Ask("a blob of nothing by HEAD", "HEAD", f"/v2/a/b/blobs/{ABSENT}")
    yield Ask("a path that means nothing", "GET", "/v2/a/b/nonsense")
    yield Ask("a name in capitals", "GET", "/v2/A/tags/list")
    yield Ask("a digest that is none", "GET", "/v2/a/b/blobs/sha256:1234")
    yield Ask("a tag that is none", "GET", "/v2/a/b/manifests/-latest", ACCEPT)
    yield Ask("a verb a blob does not know", "POST", f"/v2/a/b/blobs/{ABSENT}")
    yield Ask("referrers", "GET", f"/v2/a/b/referrers/{IMAGE.digest}")


def _uploads() -> Iterator[Ask]:
    for number, data in enumerate(IMAGE.blobs.values()):
        yield from _blob(f"blob {number}", data)
    first = next(iter(IMAGE.blobs.values()))
    yield from _blob("a blob that is there already", first)
    yield Ask("a session for wrong bytes", "POST", "/v2/a/b/blobs/uploads/", saves="wrong")
    yield Ask("bytes that are not the digest's", "PUT", f"{{wrong}}&digest={ABSENT}", OCTETS, b"other bytes")
    yield Ask("a session without digest", "POST", "/v2/a/b/blobs/uploads/", saves="plain")
    yield Ask("a commit without digest", "PUT", "{plain}", OCTETS, b"bytes")
    yield Ask("a commit with a digest that is none", "PUT", "{plain}&digest=sha256:12", OCTETS, b"bytes")
    yield Ask("a session to be closed", "POST", "/v2/a/b/blobs/uploads/", saves="closed")
    yield Ask("a session is closed", "DELETE", "{closed}")
    yield Ask("a closed session is asked", "GET", "{closed}")
    yield Ask("a closed session is filled", "PATCH", "{closed}", OCTETS, b"bytes")
    yield Ask("a closed session is committed", "PUT", f"{{closed}}&digest={ABSENT}", OCTETS, b"bytes")
    yield Ask("a closed session is closed", "DELETE", "{closed}")


def _chunks() -> Iterator[Ask]:
    half = len(LARGE) // 2
    rest = {"Content-Range": f"{half}-{len(LARGE) - 1}", **OCTETS}
    yield Ask("a session for chunks", "POST", "/v2/a/b/blobs/uploads/", saves="chunks")
    yield Ask("an empty session is asked", "GET", "{chunks}")
    yield Ask(
        *("the first half", "PATCH", "{chunks}", {"Content-Range": f"0-{half - 1}", **OCTETS}, LARGE[:half], "chunks")
    )
    yield Ask("a half full session is asked", "GET", "{chunks}", saves="chunks")
    yield Ask("the second half", "PATCH", "{chunks}", rest, LARGE[half:], "chunks")
    yield Ask("chunks are committed", "PUT", f"{{chunks}}&digest={digest_of(LARGE)}", OCTETS)
    yield Ask("a session for a last chunk", "POST", "/v2/a/b/blobs/uploads/", saves="last")
    yield Ask("a chunk without a range", "PATCH", "{last}", OCTETS, b"one ", "last")
    yield Ask("the commit brings the last chunk", "PUT", f"{{last}}&digest={digest_of(b'one two')}", OCTETS, b"two")
    yield Ask("a session for a chunk that is early", "POST", "/v2/a/b/blobs/uploads/", saves="early")
    yield Ask("a chunk that is early", "PATCH", "{early}", {"Content-Range": "5-9", **OCTETS}, b"later")
    yield Ask("what came in chunks", "GET", f"/v2/a/b/blobs/{digest_of(b'one two')}")


def _blobs() -> Iterator[Ask]:
    large = f"/v2/a/b/blobs/{digest_of(LARGE)}"
    yield Ask("a blob", "GET", large)
    yield Ask("a blob by HEAD", "HEAD", large)
    yield Ask("the middle of a blob", "GET", large, {"Range": "bytes=1000-1999"})
    yield Ask("the rest of a blob", "GET", large, {"Range": "bytes=299000-"})
    yield Ask("the end of a blob", "GET", large, {"Range": "bytes=-10"})
    yield Ask("more than the rest of a blob", "GET", large, {"Range": "bytes=299000-999999"})
    yield Ask("behind the end of a blob", "GET", large, {"Range": "bytes=300000-"})
    yield Ask("a range that is none", "GET", large, {"Range": "bytes=x-y"})
    yield Ask("the empty blob", "GET", f"/v2/a/b/blobs/{digest_of(b'')}")
    yield Ask("the empty blob by HEAD", "HEAD", f"/v2/a/b/blobs/{digest_of(b'')}")


def _mounts() -> Iterator[Ask]:
    uploads, there = "/v2/c/d/blobs/uploads/", digest_of(b"first layer")
    yield Ask("a blob of another repository", "GET", f"/v2/c/d/blobs/{there}")
    yield Ask("a mount", "POST", f"{uploads}?mount={there}&from=a/b")
    yield Ask("a mounted blob", "GET", f"/v2/c/d/blobs/{there}")
    yield Ask("a mount of what is not there", "POST", f"{uploads}?mount={ABSENT}&from=a/b", saves="unused")
    yield Ask("an unused session is closed", "DELETE", "{unused}")
    yield Ask("a mount from nowhere", "POST", f"{uploads}?mount={there}&from=no/where")
    yield Ask("an anonymous mount", "POST", f"{uploads}?mount={there}")
    yield Ask("a mount of what is no digest", "POST", f"{uploads}?mount=sha256:12&from=a/b")
    yield Ask("a whole blob in one POST", "POST", f"{uploads}?digest={digest_of(b'one post')}", OCTETS, b"one post")


def _manifests() -> Iterator[Ask]:
    yield _manifest("an image", IMAGE, "v1")
    yield _manifest("an image once more", IMAGE, "v1")
    yield _manifest("an image without its layers", OTHER, "v2")
    yield _manifest("an index without its children", BOTH, "v2")
    for number, data in enumerate((*OTHER.blobs.values(), *DOCKER.blobs.values(), *SIGNATURE.blobs.values())):
        yield from _blob(f"another blob {number}", data)
    yield _manifest("another image", OTHER, OTHER.digest)
    yield _manifest("an index", BOTH, "v2")
    yield _manifest("a nested index", NESTED, "nested")
    yield _manifest("a Docker image", DOCKER, "docker")
    yield _manifest("an artifact", SIGNATURE, SIGNATURE.digest)
    yield _manifest("an image at a digest not its own", IMAGE, OTHER.digest)
    yield _manifest("an image as an index", IMAGE, "wrong", kind=INDEX)
    yield _manifest("an image as something unheard of", IMAGE, "wrong", kind="application/vnd.example.unheard-of")
    yield Ask("no JSON", "PUT", "/v2/a/b/manifests/wrong", {"Content-Type": MANIFEST}, b"{not json")
    yield Ask("nothing", "PUT", "/v2/a/b/manifests/wrong", {"Content-Type": MANIFEST}, b"")
    for at in ("v1", "v2", "nested", "docker", IMAGE.digest, OTHER.digest, BOTH.digest, ABSENT, "absent"):
        yield Ask(f"the manifest at {at[:20]}", "GET", f"/v2/a/b/manifests/{at}", ACCEPT)
        yield Ask(f"the manifest at {at[:20]} by HEAD", "HEAD", f"/v2/a/b/manifests/{at}", ACCEPT)
    yield Ask("an OCI image, only Docker's accepted", "GET", "/v2/a/b/manifests/v1", {"Accept": DOCKER_MANIFEST})
    yield Ask("an OCI index, only images accepted", "GET", "/v2/a/b/manifests/v2", {"Accept": MANIFEST})
    tagged = {"If-None-Match": f'"{IMAGE.digest}"', **ACCEPT}
    yield Ask("a manifest that is known", "GET", "/v2/a/b/manifests/v1", tagged)


def _lists() -> Iterator[Ask]:
    yield _manifest("a tag moves", OTHER, "v1")
    yield Ask("where the tag went", "HEAD", "/v2/a/b/manifests/v1", ACCEPT)
    yield Ask("tags", "GET", "/v2/a/b/tags/list")
    yield Ask("some tags", "GET", "/v2/a/b/tags/list?n=2")
    yield Ask("tags of a repository of blobs alone", "GET", "/v2/c/d/tags/list")
    yield from _blob("a layer elsewhere", b"first layer", repository="z/z")
    yield from _blob("a config elsewhere", next(iter(DOCKER.blobs.values())), repository="z/z")
    yield _manifest("an image elsewhere", DOCKER, "only", repository="z/z")
    yield Ask("the catalogue", "GET", "/v2/_catalog")
    yield Ask("a page of the catalogue", "GET", "/v2/_catalog?n=1")
    yield Ask("the next page of the catalogue", "GET", "/v2/_catalog?n=1&last=a%2Fb")
    yield Ask("the last page of the catalogue", "GET", "/v2/_catalog?n=1&last=c%2Fd")
    yield Ask("the catalogue behind its end", "GET", "/v2/_catalog?n=5&last=zz")
    yield Ask("no page at all", "GET", "/v2/_catalog?n=0")
    yield Ask("a page of no number", "GET", "/v2/_catalog?n=x")


def _deletions() -> Iterator[Ask]:
    yield Ask("a manifest is deleted", "DELETE", f"/v2/z/z/manifests/{DOCKER.digest}")
    yield Ask("a deleted manifest", "GET", "/v2/z/z/manifests/only", ACCEPT)
    yield Ask("a deleted manifest is deleted", "DELETE", f"/v2/z/z/manifests/{DOCKER.digest}")
    yield Ask("tags of a repository whose tags are gone", "GET", "/v2/z/z/tags/list")
    yield Ask("a tag is deleted", "DELETE", "/v2/a/b/manifests/v2")
    yield Ask("a blob is deleted", "DELETE", f"/v2/a/b/blobs/{digest_of(LARGE)}")
    yield Ask("a deleted blob", "GET", f"/v2/a/b/blobs/{digest_of(LARGE)}")
    yield Ask("a deleted blob is deleted", "DELETE", f"/v2/a/b/blobs/{digest_of(LARGE)}")
    yield Ask("a session for sha512", "POST", "/v2/a/b/blobs/uploads/", saves="long")
    yield Ask("a blob by sha512", "PUT", f"{{long}}&digest={digest_of(LONGER, 'sha512')}", OCTETS, LONGER)
    by_sha512 = digest_of(OTHER.raw, "sha512")
    yield _manifest("a manifest by sha512", OTHER, by_sha512)
    yield Ask("the manifest by sha512", "GET", f"/v2/a/b/manifests/{by_sha512}", ACCEPT)
    yield _manifest("a manifest whose tag comes with its sha512", OTHER, f"long?digest={by_sha512}")
    yield Ask("the blob by sha512", "GET", f"/v2/a/b/blobs/{digest_of(LONGER, 'sha512')}")


def script() -> tuple[Ask, ...]:
    """Return every request, in order; what one asks may depend on what those before it did."""
    return (
        *_empty(),
        *_uploads(),
        *_chunks(),
        *_blobs(),
        *_mounts(),
        *_manifests(),
        *_lists(),
        *_deletions(),
    )


def _body(connection: HTTPConnection, response: HTTPResponse) -> bytes:
    try:
        return response.read()
    except IncompleteRead as cut:  # docker-registry sends a page of error under the length of the blob
        connection.close()
        return cut.partial


def replay(host: str, asks: tuple[Ask, ...]) -> list[Heard]:
    """Put the script to a registry and return what it answered, request by request."""
    saved: dict[str, str] = {}
    heard: list[Heard] = []
    connection = HTTPConnection(host, timeout=20)
    try:
        for ask in asks:
            target = ask.target
            for name, location in saved.items():
                target = target.replace(f"{{{name}}}", location)
            connection.request(ask.method, target, body=ask.body or None, headers=dict(ask.headers))
            with connection.getresponse() as response:
                headers = {name.lower(): value for name, value in response.getheaders()}
                heard.append(Heard(response.status, headers, _body(connection, response)))
            if ask.saves and "location" in headers:
                parts = urlsplit(headers["location"])
                saved[ask.saves] = f"{parts.path}?{parts.query}"
    finally:
        connection.close()
    return heard
