"""Looks at a target that decide nothing by themselves: what it does not let us see is pushed, and then it shows.

Some registries forbid looking at what is not there (Artifactory: 403), others answer 400 or 500, or send us where we do
not go.
"""

from __future__ import annotations

from regsync.errors import AccessDenied, Failing, Forbidden, Malformed, Misled, RegsyncError, Unreadable, Unsupported
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.platform import Platforms
from regsync.repository import Repository

_SAYS_NOTHING = (Forbidden, Malformed, Misled, Unreadable, Unsupported)


def says_nothing(error: RegsyncError) -> bool:
    """Say whether a look that failed like this tells neither what is there nor that all of the target is in trouble."""
    return isinstance(error, _SAYS_NOTHING) or (isinstance(error, Failing) and not error.is_outage)


async def found_at(target: Repository, ref: str | Digest, *, sparse: Platforms | None = None) -> Descriptor | None:
    """Return what a target has under this name, None where it has nothing or does not let us look."""
    try:
        return await target.head_manifest(ref, sparse=sparse)
    except RegsyncError as error:
        if isinstance(error, AccessDenied) or says_nothing(error):
            return None
        raise


async def listed_at(target: Repository, subject: Digest) -> tuple[Descriptor, ...]:
    """Return what a target lists as referrers, nothing where it does not let us look."""
    try:
        return await target.referrers(subject)
    except RegsyncError as error:
        if isinstance(error, AccessDenied) or says_nothing(error):
            return ()
        raise
