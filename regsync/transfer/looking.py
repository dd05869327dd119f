"""Looks at a target that decide nothing by themselves: what it does not let us see is pushed, and then it shows.

Some registries forbid looking at what is not there (Artifactory: 403), others answer 400 or send us in circles.
"""

from __future__ import annotations

from regsync.errors import AccessDenied, Unsupported
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.platform import Platforms
from regsync.repository import Repository


async def found_at(target: Repository, ref: str | Digest, *, sparse: Platforms | None = None) -> Descriptor | None:
    """Return what a target has under this name, None where it has nothing or does not let us look."""
    try:
        return await target.head_manifest(ref, sparse=sparse)
    except (AccessDenied, Unsupported):
        return None


async def listed_at(target: Repository, subject: Digest) -> tuple[Descriptor, ...]:
    """Return what a target lists as referrers, nothing where it does not let us look."""
    try:
        return await target.referrers(subject)
    except (AccessDenied, Unsupported):
        return ()
