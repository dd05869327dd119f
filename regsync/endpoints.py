"""Which Reference opens which Repository: the only module that knows both kinds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from regsync.errors import Unsupported
from regsync.layout.layouts import Layouts
from regsync.oci.reference import LayoutReference, Reference, RegistryReference
from regsync.registry.registries import Registries
from regsync.repository import Repository


class BothKinds:
    """Registries and layouts, as the `Endpoints` the engine is given."""

    def __init__(self, registries: Registries, layouts: Layouts) -> None:
        self._registries = registries
        self._layouts = layouts

    def open(self, reference: Reference, *, itself: bool = False) -> Repository:
        """Return the repository a reference lies in, to read from; nothing is contacted.

        `itself`: no mirror answers for it.
        """
        match reference:
            case RegistryReference():
                return self._registries.repository(reference) if itself else self._registries.source(reference)
            case LayoutReference(scheme="ocidir"):
                return self._layouts.open(reference.path)
            case LayoutReference():
                raise Unsupported(f"{reference}: only ocidir:// layouts can be opened, not {reference.scheme}://")

    def writing(self, reference: Reference) -> AbstractAsyncContextManager[Repository]:
        """Return the repository to write into, protected while it is held, and tidied when the last holder leaves."""
        match reference:
            case RegistryReference():
                return self._pushing(reference)
            case LayoutReference(scheme="ocidir"):
                return self._laying(reference)
            case LayoutReference():
                raise Unsupported(f"{reference}: only ocidir:// layouts can be written, not {reference.scheme}://")

    @asynccontextmanager
    async def _pushing(self, reference: RegistryReference) -> AsyncIterator[Repository]:
        yield self._registries.repository(reference, push=True)

    @asynccontextmanager
    async def _laying(self, reference: LayoutReference) -> AsyncIterator[Repository]:
        async with self._layouts.writing(reference.path) as layout:
            yield layout

    def repositories(self, host: str) -> AsyncIterator[str]:
        """Every repository path a registry lists, in its order."""
        return self._registries.catalogue(host)
