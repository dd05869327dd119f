"""How much of an image is copied: what an entry may say of that, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from regsync.oci.platform import Platform


@dataclass(frozen=True, slots=True)
class CopyOptions:
    """`platform`: instead of an index, its image for this platform is copied; what is no index is copied as it is."""

    platform: Platform | None = None


PLAIN: Final = CopyOptions()  # an image with all that is below it, and nothing besides
