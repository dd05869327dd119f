"""How much of an image is copied: what an entry may say of that, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from regsync.oci.platform import Platform
from regsync.oci.referrers import ReferrerOptions


@dataclass(frozen=True, slots=True)
class CopyOptions:
    """What of an image is copied, and what besides.

    `platform`: instead of an index, its image for this platform; what is no index is copied as it is. `referrers`: what
    refers to it or to what is below it, None for nothing of that.
    """

    platform: Platform | None = None
    referrers: ReferrerOptions | None = None


PLAIN: Final = CopyOptions()  # an image with all that is below it, and nothing besides
