"""Images as Docker made them before 2016 (schema 1), signed in the way docker-registry still verifies (libtrust)."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.built import Built, digest_of

UNSIGNED = "application/vnd.docker.distribution.manifest.v1+json"
SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws"


def unsigned_bytes(*layers: bytes, name: str = "app", tag: str = "v1") -> Built:
    """Build an image of these layers, the lowest first."""
    nodes = [{"blobSum": digest_of(layer)} for layer in reversed(layers)]
    history = [{"v1Compatibility": json.dumps({"id": f"{number:064x}"})} for number, _ in enumerate(layers)]
    document = {
        "schemaVersion": 1,
        "name": name,
        "tag": tag,
        "architecture": "amd64",
        "fsLayers": nodes,
        "history": history,
    }
    raw = json.dumps(document, indent=3).encode()
    return Built(UNSIGNED, raw, digest_of(raw), {digest_of(layer): layer for layer in layers})


def signed_bytes(*layers: bytes, name: str = "app", tag: str = "v1", signatures: int = 1) -> Built:
    """Build the same, signed: its digest is that of what was signed."""
    plain = unsigned_bytes(*layers, name=name, tag=tag)
    length = plain.raw.rindex(b"\n}")
    made = [signature_of(plain.raw, length) for _ in range(signatures)]
    text = json.dumps(made, indent=3).replace("\n", "\n   ")
    raw = plain.raw[:length] + b',\n   "signatures": ' + text.encode() + b"\n}"
    return Built(SIGNED, raw, plain.digest, plain.blobs)


def signature_of(payload: bytes, length: int) -> dict[str, Any]:
    """Sign these bytes, of which so many come before the signatures."""
    key = ec.generate_private_key(ec.SECP256R1())
    header = {"formatLength": length, "formatTail": _encoded(payload[length:]), "time": "2015-01-01T00:00:00Z"}
    protected = _encoded(json.dumps(header).encode())
    r, s = decode_dss_signature(key.sign(f"{protected}.{_encoded(payload)}".encode(), ec.ECDSA(hashes.SHA256())))
    signature = _encoded(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return {"header": {"jwk": _jwk(key), "alg": "ES256"}, "signature": signature, "protected": protected}


def _jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    public = key.public_key()
    numbers = public.public_numbers()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    text = base64.b32encode(hashlib.sha256(der).digest()[:30]).decode()
    name = ":".join(text[start : start + 4] for start in range(0, len(text), 4))
    x, y = (_encoded(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
    return {"crv": "P-256", "kid": name, "kty": "EC", "x": x, "y": y}


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
