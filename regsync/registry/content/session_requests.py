"""The requests an upload session takes (distribution-spec: Pushing Blobs)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from regsync.oci.descriptor import Descriptor
from regsync.registry.http.transport import Request
from regsync.registry.login.scope import Scope

_OCTETS = ("Content-Type", "application/octet-stream")


@dataclass(frozen=True, slots=True)
class SessionRequests:
    """Those for one blob; `expect` are the statuses that are answers."""

    blob: Descriptor
    scopes: tuple[Scope, ...]

    def status(self, url: str) -> Request:
        """Ask where the session stands."""
        return Request("GET", url, scopes=self.scopes, expect=frozenset({200, 204}), what="upload status")

    def piece(self, url: str, *, start: int, length: int, expect: frozenset[int]) -> Request:
        """Send a chunk."""
        where = ("Content-Range", f"{start}-{start + length - 1}")
        what = f"chunk of blob {self.blob.digest}"
        return Request("PATCH", url, headers=(_OCTETS, where), scopes=self.scopes, expect=expect, what=what)

    def closing(self, url: str, *, expect: frozenset[int], body: bytes | None = None) -> Request:
        """Close the session: its URL, byte for byte, with the digest added."""
        digest = quote(str(self.blob.digest), safe="")
        return Request(
            "PUT",
            f"{url}{'&' if '?' in url else '?'}digest={digest}",
            headers=(_OCTETS,),
            body=body,
            scopes=self.scopes,
            expect=expect,
            what=f"blob {self.blob.digest}",
        )

    def cancelling(self, url: str) -> Request:
        """Give the session up."""
        return Request("DELETE", url, scopes=self.scopes, expect=frozenset({202, 204}), attempts=1)
