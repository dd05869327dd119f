"""Certificates and keys as files hold them: PEM blocks (RFC 7468) with anything between them, or one in DER."""

from __future__ import annotations

import codecs
import re
import ssl
from base64 import b64decode
from collections.abc import Iterator
from typing import Final

_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # what PowerShell writes
_END: Final = r"(?:-----END [A-Z0-9 ]+-----|(?=-----BEGIN )|\Z)"  # one that is cut off is damaged, and not a comment
_BLOCK: Final = re.compile(rf"-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----(.*?){_END}", re.DOTALL)
_KEY: Final = re.compile(rf"-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY)-----(.*?){_END}", re.DOTALL)
_SEQUENCE: Final = b"\x30"
_REJECTED: Final = b"\xa0"
_SERVERS: Final = (b"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01", b"\x06\x04\x55\x1d\x25\x00")  # serverAuth, any use


def certificates_in(content: bytes) -> Iterator[bytes | None]:
    """Each certificate in the order of the text, as DER; None for one that cannot be read.

    What stands between them is a comment, in whatever encoding, or the text of `openssl x509 -text`. A `TRUSTED
    CERTIFICATE` of openssl's that its owner does not trust to be a server's authority is left out.
    """
    reader = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # one for all: a bundle has some 150, and a context takes longer
    blocks = list(_BLOCK.finditer(_text(content)))
    if not blocks and content.startswith(_SEQUENCE):
        yield _read(content, reader)
    for block in blocks:
        found = _decoded(block[2])
        if block[1] == "TRUSTED " and found:
            found, settings = _split(found)
            if not _is_for_servers(settings):
                continue
        yield _read(found, reader)


def key_in(content: bytes) -> str:
    """Return the first private key of a text as PEM without anything around it, "" where there is none."""
    block = _KEY.search(_text(content))
    if block is None:
        return ""
    head, body = _parts(block[2])
    lines = "\n".join(body.split())
    return f"-----BEGIN {block[1]}-----\n{head}{lines}\n-----END {block[1]}-----\n"


def _text(content: bytes) -> str:
    return content.decode("utf-16" if content.startswith(_UTF_16) else "latin-1", errors="replace")


def _parts(block: str) -> tuple[str, str]:
    """Split a block into its headers (RFC 1421), which end with an empty line, and the rest."""
    head, empty, body = block.replace("\r\n", "\n").strip().partition("\n\n")
    return (f"{head}\n\n", body) if empty and ":" in head else ("", block)


def _decoded(block: str) -> bytes:
    try:
        return b64decode("".join(_parts(block)[1].split()), validate=True)
    except ValueError:
        return b""


def _read(found: bytes, reader: ssl.SSLContext) -> bytes | None:
    try:
        reader.load_verify_locations(cadata=found)
    except (ssl.SSLError, ValueError):  # nothing, no certificate
        return None
    return found


def _split(der: bytes) -> tuple[bytes, bytes]:
    """Split off the first element (X.690, 8.1.3), as far as there is one."""
    length, head = int.from_bytes(der[1:2]), 2
    if length & 0x80:
        head += length & 0x7F
        length = int.from_bytes(der[2:head])
    return der[: head + length], der[head + length :]


def _content(der: bytes) -> bytes:
    return der[2 + (der[1] & 0x7F if der[1] & 0x80 else 0) :]


def _is_for_servers(settings: bytes) -> bool:
    """Say whether openssl's trust settings (openssl-x509(1), Trust Options) do not keep it from being an authority."""
    left = _content(settings) if len(settings) > 1 else b""
    if left.startswith(_SEQUENCE):
        uses, left = _split(left)
        if not any(use in uses for use in _SERVERS):
            return False
    rejected = _split(left)[0] if left.startswith(_REJECTED) else b""
    return not any(use in rejected for use in _SERVERS)
