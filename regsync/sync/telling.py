"""What a decision about an image, or a plan for it, is told as."""

from __future__ import annotations

from regsync.events import CopyPlanned, Event, ImageCurrent, ImageNeeded, ImageRefreshing, ImageSkipped
from regsync.oci.descriptor import Descriptor
from regsync.sync.decide import Current, Decision, Needed, Skipped
from regsync.sync.entry import ImagePair, SyncEntry
from regsync.transfer.plan import CopyPlan


def told(decision: Decision | None, entry: SyncEntry, pair: ImagePair) -> Event | None:
    """Return what is told of a decision; None of one that is told of otherwise: it failed, or is to be tried later."""
    source, target = str(pair.source), str(pair.target)
    match decision:
        case Current(how=how, image=image):
            return ImageCurrent(source, target, how, _digest(image))
        case Skipped(media_type=media_type):
            return ImageSkipped(source, media_type, entry.media_types)
        case Needed(there=False):
            return ImageNeeded(source, target, _digest(decision.root), _digest(decision.before))
        case Needed(options=options):
            return ImageRefreshing(
                source,
                target,
                options.force_recursive,
                options.digest_tags,
                referrers=options.referrers is not None,
                digest=_digest(decision.root),
            )
        case _:
            return None


def planned(pair: ImagePair, plan: CopyPlan) -> CopyPlanned:
    """Return what is told of a plan before it is carried out."""
    return CopyPlanned(str(pair.source), str(pair.target), len(plan.blobs), plan.size)


def _digest(image: Descriptor | None) -> str:
    return "" if image is None else str(image.digest)
