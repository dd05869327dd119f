"""Content to put through a `Repository`: what `built` makes by hand, in regsync's own words."""

from __future__ import annotations

from collections.abc import AsyncIterator

from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.repository import Repository
from regsync.transfer.proof import Proof
from tests.support.built import (
    LAYER,
    Built,
    artifact_bytes,
    assert_whole,
    digest_of,
    image_bytes,
    index_bytes,
    platforms_index,
    read_layout,
    some_bytes,
    write_layout,
)

__all__ = [
    "Built",
    "Verified",
    "a_nested_index",
    "an_artifact",
    "an_image",
    "an_index",
    "artifact_bytes",
    "assert_whole",
    "bytes_of",
    "chunked",
    "described",
    "digest_of",
    "image_bytes",
    "index_bytes",
    "manifest_of",
    "platforms_index",
    "put_blob",
    "put_blobs",
    "put_built",
    "put_bytes",
    "read_layout",
    "some_bytes",
    "verified_once",
    "write_layout",
]


def described(data: bytes, media_type: str = LAYER, *, algorithm: str = "sha256") -> Descriptor:
    """Return the descriptor of these bytes."""
    return Descriptor(media_type, Digest.of(data, algorithm), len(data))


async def chunked(data: bytes, size: int = 65536) -> AsyncIterator[bytes]:
    """Hand out these bytes in chunks of at most this size."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


class Verified:
    """Chunks that end by `IntegrityError`, the last one held back, unless they are the bytes described."""

    def __init__(self, blob: Descriptor, chunks: AsyncIterator[bytes]) -> None:
        self.blob = blob
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        proof, held = Proof(self.blob), b""
        async for chunk in self._chunks:
            proof.add(chunk)
            if held:
                yield held
            held = chunk
        proof.finish()
        if held:
            yield held


async def put_blob(repository: Repository, content: Verified) -> None:
    """Store the blob, wholly or not at all."""
    async with repository.write_blob(content.blob) as writer:
        if writer.offset and writer.offset < content.blob.size:
            await writer.restart()
        if writer.offset < content.blob.size or not content.blob.size:
            async for chunk in content:
                await writer.write(chunk)
        await writer.commit()


def verified_once(data: bytes, *, blob: Descriptor | None = None, size: int = 65536) -> Verified:
    """Return content to be stored, once; given another `blob`, content that will turn out not to be it."""
    return Verified(blob or described(data), chunked(data, size))


async def bytes_of(repository: Repository, blob: Descriptor) -> bytes:
    """Return a blob's bytes."""
    async with repository.open_blob(blob) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def put_bytes(repository: Repository, data: bytes, *, size: int = 65536) -> Descriptor:
    """Store these bytes as a blob, in chunks of at most this size."""
    blob = described(data)
    async with repository.write_blob(blob) as writer:
        async for chunk in chunked(data[writer.offset :], size):
            await writer.write(chunk)
        await writer.commit()
    return blob


def manifest_of(built: Built) -> Manifest:
    """Return the manifest of something built, as regsync reads it."""
    return Manifest.read(built.raw, content_type=built.media_type, expected=Digest.parse(built.digest))


async def put_blobs(repository: Repository, built: Built) -> None:
    """Store the blobs of one manifest (not those of its children)."""
    for digest, data in built.blobs.items():
        blob = Descriptor(LAYER, Digest.parse(digest), len(data))
        if not await repository.has_blob(blob):
            await put_blob(repository, Verified(blob, chunked(data)))


async def put_built(
    repository: Repository, built: Built, *, tag: str | None = None, at: str | Digest | None = None
) -> Manifest:
    """Store everything that makes it up, children first, the tag last."""
    for child in built.children:
        await put_built(repository, child)
    await put_blobs(repository, built)
    manifest = manifest_of(built)
    await repository.put_manifest(manifest, at=tag if tag is not None else at)
    return manifest


async def an_image(
    repository: Repository, *layers: bytes, tag: str | None = None, docker: bool = False, platform: str = "linux/amd64"
) -> Manifest:
    """Store an image of these layers."""
    return await put_built(repository, image_bytes(*layers, docker=docker, platform=platform), tag=tag)


async def an_index(repository: Repository, *platforms: str, tag: str | None = None, docker: bool = False) -> Manifest:
    """Store an index of one small image a platform."""
    return await put_built(repository, platforms_index(*platforms, docker=docker), tag=tag)


async def a_nested_index(repository: Repository, *, tag: str | None = None) -> Manifest:
    """Store an index of an index and an image."""
    inner = platforms_index("linux/amd64", "linux/arm64")
    return await put_built(repository, index_bytes(inner, image_bytes(b"beside the inner index")), tag=tag)


async def an_artifact(
    repository: Repository, *files: bytes, subject: Built | None = None, tag: str | None = None
) -> Manifest:
    """Store an artifact of these files, perhaps about a subject."""
    built = artifact_bytes(*files, subject=subject)
    manifest = manifest_of(built)
    return await put_built(repository, built, tag=tag, at=manifest.digest)
