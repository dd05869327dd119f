"""Docker's schema 1, as images before 2016 have it (distribution, manifest-v2-1.md).

Signed ones (JSON web signatures inside the document) go by the digest of what was signed: the bytes without the
signatures, which a registry makes anew as it likes. Nobody checks these any more, and what they say counts nowhere.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Final

from regsync.errors import Malformed
from regsync.oci.descriptor import SIZE_UNKNOWN, Descriptor, read_digest
from regsync.oci.document import Keys, read_document

_LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_SIGNATURES_MAX: Final = 16
_LAYERS_MAX: Final = 10_000
_LAYER_KEYS: Final = Keys.of("blobSum")


def signed_part(raw: bytes, document: Mapping[str, Any]) -> bytes:
    """Return what was signed of these bytes, which are this document.

    `Malformed` unless all signatures are about one part, and that is the same document without them: the digest proves
    nothing but this part.
    """
    signatures = document.get("signatures")
    if not isinstance(signatures, list) or not 0 < len(signatures) <= _SIGNATURES_MAX:
        raise Malformed(f"signatures must be a list of 1 to {_SIGNATURES_MAX} objects")
    parts = {_part(raw, signature) for signature in signatures}
    if len(parts) != 1:
        raise Malformed("its signatures are about different contents")
    (part,) = parts
    if read_document(part, what="what was signed") != {key: document[key] for key in document if key != "signatures"}:
        raise Malformed("what was signed is not what it says")
    return part


def layers_of(document: Mapping[str, Any]) -> tuple[Descriptor, ...]:
    """Return its layers, of whose sizes it says nothing."""
    nodes = document.get("fsLayers")
    if not isinstance(nodes, list) or len(nodes) > _LAYERS_MAX:
        raise Malformed(f"fsLayers must be a list of at most {_LAYERS_MAX} objects")
    layers = []
    for place, node in enumerate(nodes):
        where = f"fsLayers[{place}]"
        if not isinstance(node, dict):
            raise Malformed(f"{where} must be an object")
        _LAYER_KEYS.refuse_variants(node, where=where)
        layers.append(Descriptor(_LAYER, read_digest(node, key="blobSum", where=where), SIZE_UNKNOWN))
    return tuple(layers)


def _part(raw: bytes, signature: object) -> bytes:
    """Return what one signature is about: so many of the first bytes, and an ending."""
    protected = signature.get("protected") if isinstance(signature, dict) else None
    try:
        header = json.loads(_decoded(protected))
        length, tail = header["formatLength"], _decoded(header["formatTail"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Malformed("a signature does not say what it is about") from None
    if not isinstance(length, int) or isinstance(length, bool) or not 0 < length <= len(raw):
        raise Malformed("a signature is about more than there is")
    return raw[:length] + tail


def _decoded(text: object) -> bytes:
    """Read base64 as URLs have it, without padding (RFC 7515)."""
    if not isinstance(text, str) or not text.isascii():
        raise Malformed("a signature that is no text")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise Malformed("a signature that is no base64") from None
