"""How much of an image is copied: what an entry may say of that, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from regsync.oci.platform import Platform, Platforms
from regsync.oci.referrers import ReferrerOptions


@dataclass(frozen=True, slots=True)
class CopyOptions:
    """What of an image is copied, and what besides.

    `platform`: instead of an index, its image for this platform; what is no index is copied as it is. `platforms`: of
    every index only these children; it is copied as it is all the same, and so lists what is not there.
    `referrers`: what refers to it or to what is below it, None for nothing of that. `digest_tags`: the tags made of its
    digest or of one below it. `fast_check`: what the target has already is not looked at for any of these.
    `force_recursive`: everything is looked at again, whatever the target has, and its manifests are sent again.
    `include_external`: layers that lie elsewhere, too.
    """

    platform: Platform | None = None
    platforms: Platforms | None = None
    referrers: ReferrerOptions | None = None
    digest_tags: bool = False
    fast_check: bool = False
    force_recursive: bool = False
    include_external: bool = False

    @property
    def parts(self) -> Platforms | None:
        """Which children of a source's index have to be there, None for all; one that is chosen is asked for itself."""
        return self.platforms if self.platform is None else Platforms(())

    @property
    def refreshes(self) -> bool:
        """Whether there is more to look after where the target has the image already."""
        return self.insists or (self.looks_around and not self.fast_check)

    @property
    def insists(self) -> bool:
        """Whether what the target has is looked at and sent again."""
        return self.force_recursive and not self.fast_check

    @property
    def looks_around(self) -> bool:
        """Whether something besides what lies below an image belongs to it."""
        return self.digest_tags or self.referrers is not None


PLAIN: Final = CopyOptions()  # an image with all that is below it, and nothing besides
