"""The fallback for registries and layouts without a referrers API: a tag whose index lists the referrers.

See distribution-spec, "Referrers Tag Schema".
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from regsync.errors import Malformed
from regsync.oci import mediatype
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.document import read_document
from regsync.oci.manifest import Manifest

_HEX_MAX: Final = 64  # so much of a longer digest is in its tag
_FALLBACK: Final = re.compile(rf"sha(?:256|384|512)-[0-9a-f]{{{_HEX_MAX}}}")


def fallback_tag(digest: Digest) -> str:
    """Return the tag under which the referrers of this digest are listed."""
    return f"{digest.algorithm}-{digest.hex[:_HEX_MAX]}"


def is_fallback_tag(tag: str) -> bool:
    """Say whether a tag can be such a list."""
    return _FALLBACK.fullmatch(tag) is not None


def with_referrer(index: Manifest | None, referrer: Manifest) -> Manifest | None:
    """Return the list with this referrer added, or None when it is listed already.

    What the list holds is kept, fields we do not know included. `Malformed` when the tag holds something else: the
    specification forbids to replace it.
    """
    if index is None:
        document: dict[str, Any] = {"schemaVersion": 2, "mediaType": mediatype.OCI_INDEX, "manifests": []}
    elif index.media_type != mediatype.OCI_INDEX:
        raise Malformed(f"the tag that lists referrers holds {index.media_type} instead of an index")
    elif any(child.digest == referrer.digest for child in index.children):
        return None
    else:
        document = read_document(index.raw, what=f"manifest {index.digest}")
    document["manifests"] = [*(document["manifests"] or ()), _listed(referrer).to_json()]
    raw = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    return Manifest.read(raw, content_type=mediatype.OCI_INDEX)


def _listed(referrer: Manifest) -> Descriptor:
    config_type = referrer.config.media_type if referrer.config else ""
    return Descriptor(
        referrer.media_type,
        referrer.digest,
        len(referrer.raw),
        annotations=referrer.annotations,
        artifact_type=referrer.artifact_type or config_type,
    )
