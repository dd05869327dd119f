"""Whether a directory is a layout: what its file `oci-layout` says, and what other tools leave in place of one.

Blocking; called in the threads of `layout/threads.py`. A writer is strict about it. Who only reads gets along without
that file or with one of another version, as long as there is an index: what the index names is proved by its digest.
"""

from __future__ import annotations

from regsync.errors import Malformed, RegsyncError, StorageError
from regsync.layout.files import Files
from regsync.layout.opened import Stat
from regsync.layout.paths import MARKER, VERSION, Paths
from regsync.oci.document import BOM, read_document

_OF_A_LAYOUT = frozenset({MARKER, "index.json"})
_SMALL = 1 << 16  # bytes
_MAJOR = VERSION.partition(".")[0]
_TEXT = f'{{"imageLayoutVersion":"{VERSION}"}}'
_OF_DOCKER_SAVE = (b"[", b'"Config"', b'"Layers"')  # how its manifest.json begins, and what it holds


class Marker:
    """Judges one directory. `oddity` is what is wrong with the last one that was read all the same, "" for nothing."""

    def __init__(self, files: Files, paths: Paths) -> None:
        self._files = files
        self._paths = paths
        self._right: Stat | None = None
        self.oddity = ""

    def is_layout(self, *, reading: bool = False) -> bool:
        """Say whether there is a layout; False for a directory without images, an error for a broken layout.

        `reading`: links are followed, and what only a writer has to insist on is an oddity.
        """
        seen = self._seen(follow=reading)
        if seen is None and not self._has_images():
            if reading:
                self._refuse_docker_save()
            return False  # whatever else lies here: other layouts may be nested in this one
        if seen is None:  # somebody may have made the layout since: this file comes before all others
            seen = self._seen(follow=reading)
        if seen is None or seen != self._right:
            self._judge(seen, reading=reading)
        return True

    def has_blobs(self) -> bool:
        """Say whether blobs lie here, and not just other layouts: of a repository called `…/blobs`, for one."""
        for shelf in self._paths.shelves:
            seen = self._files.stat(shelf)
            names = self._files.names(shelf) if seen is not None and not seen.regular else ()
            for name in names or ():
                found = self._files.stat(shelf / name)
                if name not in _OF_A_LAYOUT and found is not None and not found.directory:
                    return True
        return False

    def _seen(self, *, follow: bool) -> Stat | None:
        try:
            return self._files.stat(self._paths.marker, follow=follow)
        except StorageError:
            self._refuse_archive()
            raise

    def _has_images(self) -> bool:
        index = self._files.stat(self._paths.index)
        return (index is not None and not index.directory) or self.has_blobs()

    def _judge(self, seen: Stat | None, *, reading: bool) -> None:
        """Read the file that makes a directory a layout; raise what is wrong, or note it for who reads only."""
        why, foreign = self._fault(seen, follow=reading)
        index = self._files.stat(self._paths.index, follow=True) if reading and why and not foreign else None
        if why and (index is None or not index.regular):
            raise StorageError(why)
        self._right, self.oddity = (None if why else seen), why

    def _fault(self, seen: Stat | None, *, follow: bool) -> tuple[str, bool]:
        """Return what is wrong with that file, "" for nothing, and whether a reader would misread what lies here."""
        marker = self._paths.marker
        if seen is None:
            linked = self._files.stat(marker) is not None
            why = f"{marker} leads nowhere" if linked else f"{self._paths.root} holds images and has no file {MARKER}"
            return f"{why}; if it is an OCI layout, write {_TEXT} into that", False
        raw = self._files.read(marker, limit=_SMALL, follow=follow)
        try:
            version = read_document(raw.removeprefix(BOM), what=MARKER).get("imageLayoutVersion")
        except Malformed as error:
            return f"{marker} cannot be read: {error}; if this is an OCI layout, write {_TEXT} into it", False
        if version == VERSION:
            return "", False
        said = f"names version {version[:40]!r}" if isinstance(version, str) else "names no imageLayoutVersion"
        return f"{marker} {said}, and only {VERSION} is known", str(version or _MAJOR).partition(".")[0] != _MAJOR

    def _refuse_archive(self) -> None:
        """Refuse what `docker save` and `ctr export` write, with what makes a layout of it."""
        root = self._paths.root
        seen = self._files.stat(root, follow=True)
        if seen is not None and seen.regular:
            raise StorageError(
                f"{root} is a file and stands where a layout's directory belongs: if it is an archive, unpack it "
                f"(mkdir layout && tar -xf {root} -C layout) and use ocidir://layout; if no oci-layout is in it, as "
                f"docker save wrote it before 25, use skopeo copy docker-archive:{root} oci:layout:TAG"
            )

    def _refuse_docker_save(self) -> None:
        """Refuse what was unpacked of an archive of docker's before 25, which has no layout inside."""
        path = self._paths.root / "manifest.json"
        try:
            raw = self._files.read(path, limit=_SMALL * 64, follow=True)
        except RegsyncError:  # none, no file, too large: it is not that
            return
        if raw.lstrip().startswith(_OF_DOCKER_SAVE[0]) and all(word in raw for word in _OF_DOCKER_SAVE):
            root = self._paths.root
            raise StorageError(
                f"{root} holds what docker save writes ({path.name}), and that is no OCI layout: make one by tar -cf "
                f"image.tar -C {root} . && skopeo copy docker-archive:image.tar oci:layout:TAG and use ocidir://layout"
            )
