"""Certificates as files hold them: PEM blocks (RFC 7468) with anything between them."""

from __future__ import annotations

import codecs
import re
import ssl
from base64 import b64decode
from collections.abc import Iterator

_BLOCK = re.compile(r"-----BEGIN (X509 )?CERTIFICATE-----(.*?)-----END \1?CERTIFICATE-----", re.DOTALL)
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # what PowerShell writes


def certificates_in(content: bytes) -> Iterator[bytes | None]:
    """Each certificate in the order of the text, as DER; None for one that cannot be read.

    What stands between them is a comment, in whatever encoding, or the text of `openssl x509 -text`.
    """
    text = content.decode("utf-16" if content.startswith(_UTF_16) else "latin-1", errors="replace")
    reader = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # one for all: a bundle has some 150, and a context takes longer
    for block in _BLOCK.finditer(text):
        yield _der(block[2], reader)


def _der(block: str, reader: ssl.SSLContext) -> bytes | None:
    head, empty, body = block.replace("\r\n", "\n").strip().partition("\n\n")
    try:
        found = b64decode("".join((body if empty and ":" in head else block).split()), validate=True)
        reader.load_verify_locations(cadata=found)
    except (ssl.SSLError, ValueError):  # no base64, nothing, no certificate
        return None
    return found
