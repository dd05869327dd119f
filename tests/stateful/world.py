"""What the state machine moves about: images, processes that share a disk, and a reader that shares no line of ours."""

from __future__ import annotations

import asyncio
import errno
import json
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from regsync.errors import StorageError
from regsync.events import Event, ImageFailed
from regsync.layout.files import Files
from regsync.layout.layouts import Layouts
from regsync.layout.opened import Lock
from regsync.limits import Limits
from regsync.oci.mediatype import SYNCED_BY_DEFAULT
from regsync.oci.reference import LayoutReference, Reference
from regsync.repository import Repository
from regsync.sync.engine import Engine
from regsync.sync.entry import SyncEntry
from regsync.sync.run import Run
from tests.support.images import Built, artifact_bytes, digest_of, image_bytes, index_bytes, some_bytes
from tests.support.memory import MemoryRepository
from tests.support.simulated import SimulatedLoop, take_turn

GRACE: Final = 3600.0
SOURCE: Final = "source.example/app"
REF_NAME: Final = "org.opencontainers.image.ref.name"
ENTRIES: Final = {"latest": "latest", "stable": "stable", "v1": "v1", "v2": "v2", "mirror": "latest"}
"""Each tag of the target, and the tag of the source it is a copy of."""

FOREIGN: Final = "foreign"
"""The tag another tool writes."""

BASE, APP, LIB, TOOL = (some_bytes(size, f"layer {size}") for size in (90, 150, 60, 210))
ONE, TWO, THREE = image_bytes(BASE, APP), image_bytes(BASE, LIB), image_bytes(APP, TOOL)
PAIR = index_bytes(ONE, TWO)
IMAGES: Final = {
    "one": ONE,
    "two": TWO,
    "three": THREE,
    "pair": PAIR,
    "single": index_bytes(ONE),
    "other": index_bytes(THREE, image_bytes(TOOL)),
    "nested": index_bytes(index_bytes(TWO, THREE), ONE),
    "a manifest as its layer": image_bytes(ONE.raw, LIB),
    "an index as its layer": index_bytes(image_bytes(PAIR.raw, BASE), TWO),
    "artifact": artifact_bytes(b"a bill of materials", subject=ONE),
}
BELOW: Final = {each.digest: set(each.contents()) for image in IMAGES.values() for each in image.walk()}
"""All that each manifest stands for, by its digest."""


class Killed(BaseException):
    """What every operation of a process comes to that was killed."""


@dataclass(slots=True)
class Trouble:
    """What befalls a process at its operation after so many: killed, told to stop, or refused that one by the disk."""

    kind: Literal["kill", "cancel", "broken", "full"]
    left: int


class Disk(Files):
    """One process's way to the disk; what it has locked is given back when it is killed."""

    def __init__(self, before: Callable[[str, Path], None]) -> None:
        super().__init__(before)
        self.locks: list[Lock] = []

    def names(self, directory: Path) -> list[str] | None:
        found = super().names(directory)
        return found if found is None else sorted(found)

    def lock(self, path: Path, *, exclusive: bool) -> Lock | None:
        lock = super().lock(path, exclusive=exclusive)
        if lock is not None:
            self.locks.append(lock)
        return lock


class WallClock:
    """The loop's time, and a wall clock that moves only when somebody moves it."""

    def __init__(self, loop: SimulatedLoop, wall: float) -> None:
        self.wall = wall
        self._loop = loop

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.wall, UTC)

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def sleep_until(self, moment: datetime) -> None:
        await asyncio.sleep((moment - self.now()).total_seconds())


class Ends:
    """The source in memory, and layouts."""

    def __init__(self, source: MemoryRepository, layouts: Layouts) -> None:
        self._source = source
        self._layouts = layouts

    def open(self, reference: Reference, *, itself: bool = False) -> Repository:
        return self._layouts.open(reference.path) if isinstance(reference, LayoutReference) else self._source

    def writing(self, reference: Reference) -> AbstractAsyncContextManager[Repository]:
        assert isinstance(reference, LayoutReference)
        return self._layouts.writing(reference.path)

    async def repositories(self, host: str) -> AsyncIterator[str]:
        for path in list[str]():
            yield path


class Process:
    """A process of regsync, as far as one of them differs from another: own memories, own locks, own death."""

    def __init__(self, source: MemoryRepository, folder: Path, clock: WallClock) -> None:
        self.alive = True
        self.trouble: Trouble | None = None
        self.failures: list[ImageFailed] = []
        self._folder = folder
        self._disk = Disk(self._before)
        self._running: set[asyncio.Task[int]] = set()
        self.layouts = Layouts(clock, grace=GRACE, files=self._disk)
        ends = Ends(source, self.layouts)
        self._engine = Engine.of(ends, Limits(lambda host: 32), clock, asyncio.Semaphore(8))

    def entry(self, tag: str) -> SyncEntry:
        """Return the entry that keeps this tag of the target up to date."""
        target = f"ocidir://{self._folder}:{tag}"
        return SyncEntry(tag, "image", f"{SOURCE}:{ENTRIES[tag]}", target, SYNCED_BY_DEFAULT)

    async def run(self, tags: Sequence[str], *, after: float) -> int | None:
        """Bring these tags up to date, `after` so many seconds.

        Return how many failed, None when it was killed or told to stop.
        """
        await asyncio.sleep(1 + after)  # so that no answer of an earlier run is good enough
        entries = [self.entry(tag) for tag in tags]
        run = Run(self._engine, entries, scope="changed", abort_on_error=False, tell=self._tell)
        task = asyncio.ensure_future(run.run())
        self._running.add(task)
        try:
            return await task
        except (Killed, asyncio.CancelledError):
            return None
        finally:
            self._running.discard(task)

    async def tidy(self) -> None:
        """Collect the garbage of the layout."""
        with suppress(Killed, StorageError):
            await self.layouts.open(str(self._folder)).tidy()

    def _tell(self, event: Event) -> None:
        if isinstance(event, ImageFailed):
            self.failures.append(event)

    def _before(self, operation: str, path: Path) -> None:
        if operation == "close":  # even those who are killed do that
            return
        if "stage" not in path.parts or operation in {"create", "remove", "rename to", "link to"}:
            take_turn()  # whoever works on a staged file holds it, and another thread may wait for it
        if not self.alive:
            raise Killed
        if self.trouble is not None:
            self.trouble.left -= 1
            if self.trouble.left < 0:
                self._befall(self.trouble.kind)

    def _befall(self, kind: str) -> None:
        self.trouble = None
        if kind == "kill":
            self.die()
            raise Killed
        if kind == "cancel":
            for task in self._running:
                task.cancel()
            return
        code = errno.EIO if kind == "broken" else errno.ENOSPC
        raise OSError(code, os.strerror(code))

    def die(self) -> None:
        """Do nothing from now on."""
        self.alive = False
        for lock in self._disk.locks:
            lock.close()


def entries(folder: Path) -> dict[str, dict[str, object]]:
    """Return what the index lists, by tag, or by digest where there is none; nothing where there is no layout."""
    if not (folder / "index.json").exists():
        return {}
    assert json.loads((folder / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    listed = json.loads((folder / "index.json").read_bytes())["manifests"]
    return {entry.get("annotations", {}).get(REF_NAME, entry["digest"]): entry for entry in listed}


def file_of(digest: str) -> str:
    """Return the path of this content, from the layout on."""
    return f"blobs/{digest.replace(':', '/')}"


def lies_at(folder: Path, digest: str) -> Path:
    """Return where this content lies."""
    return folder / file_of(digest)


def content(folder: Path, part: dict[str, object]) -> bytes | None:
    """Return what a descriptor names, None if it is not there or not that."""
    digest = str(part["digest"])
    path = lies_at(folder, digest)
    data = path.read_bytes() if path.exists() else b""
    return data if len(data) == part["size"] and digest_of(data) == digest else None


def tree(folder: Path, root: dict[str, object]) -> tuple[set[str], set[str]]:
    """Return what makes up a manifest, as far as it can be seen, and what of that is missing or wrong."""
    parts, lacking, todo = set[str](), set[str](), [(root, True)]
    while todo:
        part, is_manifest = todo.pop()
        digest = str(part["digest"])
        parts.add(digest)
        data = content(folder, part)
        if data is None:
            lacking.add(digest)
        elif is_manifest:
            document = json.loads(data)
            todo += [(child, True) for child in document.get("manifests", ())]
            todo += [(blob, False) for blob in document.get("layers", ())]
            todo += [(document["config"], False)] if "config" in document else []
    return parts, lacking


def put_unlisted(folder: Path, image: Built) -> None:
    """Put an image there as a tool does that knows nothing of us, up to where it would list it."""
    manifests = {each.digest for each in image.walk()}
    for digest, data in image.contents().items():
        path = lies_at(folder, digest)
        if digest in manifests or not path.exists() or path.stat().st_size != len(data):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_suffix(".new").write_bytes(data)
            path.with_suffix(".new").replace(path)


def enter(folder: Path, image: Built, *, tag: str) -> None:
    """List an image as such a tool does."""
    path = folder / "index.json"
    index = json.loads(path.read_bytes())
    others = [entry for entry in index["manifests"] if entry.get("annotations", {}).get(REF_NAME) != tag]
    index["manifests"] = [*others, {**image.descriptor, "annotations": {REF_NAME: tag}}]
    path.with_suffix(".new").write_bytes(json.dumps(index).encode())
    path.with_suffix(".new").replace(path)


def files_below(folder: Path) -> set[str]:
    """Return the relative path of every file and of every empty directory."""
    found = (path for path in folder.rglob("*") if path.is_file() or not any(path.iterdir()))
    return {str(path.relative_to(folder)) for path in found}
