"""When an image was made, as far as it says so itself: in an annotation, or in its config."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from regsync.errors import IntegrityError, Malformed, RegsyncError
from regsync.limits import KeyedLock
from regsync.oci import mediatype
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.document import read_document
from regsync.oci.platform import Platforms
from regsync.repository import Repository
from regsync.transfer.step import Asking

_CREATED: Final = "org.opencontainers.image.created"  # image-spec, annotations.md
_CONFIGS: Final = frozenset({mediatype.OCI_CONFIG, mediatype.DOCKER_CONFIG})
_LONGEST: Final = 1 << 20  # bytes of a config that is read
_DEEPEST: Final = 3  # indexes below indexes that are looked into
_BEFORE: Final = datetime(2000, 1, 1, tzinfo=UTC)  # reproducible builds say 1970 or 1980, Go's zero is the year 1
_NO_PLATFORM: Final = "unknown/unknown"  # what attestations are listed as


class Dates:
    """When images were made, each read once and of `most` manifests and configs in all."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._known: dict[Hashable, datetime | None] = {}
        self._one_reader = KeyedLock()

    @property
    def full(self) -> bool:
        """Whether no more are read."""
        return len(self._known) >= self._most

    async def of(
        self, place: Repository, image: Descriptor, *, asking: Asking, platforms: Platforms | None
    ) -> datetime | None:
        """Return when an image was made, of an index one of the images that are wanted.

        None where it does not say, where that cannot be read, or where it is one too many.
        """
        return await self._once((image.digest, platforms), lambda: self._found(place, image, asking, platforms))

    async def _once(self, key: Hashable, read: Callable[[], Awaitable[datetime | None]]) -> datetime | None:
        async with self._one_reader(key):
            if key not in self._known and not self.full:
                self._known[key] = None
                with suppress(RegsyncError):
                    self._known[key] = await read()
            return self._known.get(key)

    async def _found(
        self, place: Repository, image: Descriptor, asking: Asking, platforms: Platforms | None
    ) -> datetime | None:
        for _ in range(_DEEPEST):
            manifest = await asking.manifest(place, image)
            said = moment(manifest.annotations.get(_CREATED))
            if said is not None:
                return said
            if not manifest.is_index:
                return await self._of_config(place, manifest.config)
            child = _one_of(manifest.children, platforms)
            if child is None:
                return None
            said = moment(child.annotations.get(_CREATED))
            if said is not None:
                return said
            image = child
        return None

    async def _of_config(self, place: Repository, config: Descriptor | None) -> datetime | None:
        if config is None or config.media_type not in _CONFIGS or config.size > _LONGEST:
            return None
        return await self._once(config.digest, lambda: _said_by(place, config))


def moment(text: object) -> datetime | None:
    """Return the time that is written here as RFC 3339 has it; None for none, or one that stands for none."""
    try:
        said = datetime.fromisoformat(text) if isinstance(text, str) else _BEFORE
        said = (said if said.tzinfo is not None else said.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return said if said > _BEFORE else None


def _one_of(children: Sequence[Descriptor], platforms: Platforms | None) -> Descriptor | None:
    """Return the first child that is wanted and is a manifest, an image rather than what is said of one."""
    found = [one for one in children if (platforms is None or platforms.takes(one)) and _may_be_image(one)]
    return next((one for one in found if str(one.platform) != _NO_PLATFORM), found[0] if found else None)


def _may_be_image(child: Descriptor) -> bool:
    return mediatype.is_manifest(child.media_type)


async def _said_by(place: Repository, config: Descriptor) -> datetime | None:
    raw = config.data if config.data is not None else await _read(place, config)
    try:
        return moment(read_document(raw, what=f"config {config.digest}").get("created"))
    except Malformed:  # whoever runs the image will see that; it says no time
        return None


async def _read(place: Repository, config: Descriptor) -> bytes:
    raw = bytearray()
    async with place.open_blob(config) as chunks:
        async for chunk in chunks:
            raw += chunk
            if len(raw) > config.size:
                break
    if Digest.of(bytes(raw), config.digest.algorithm) != config.digest:
        raise IntegrityError(f"{place.name}: config {config.digest} came as something else")
    return bytes(raw)
