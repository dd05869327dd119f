"""The certificate that we show to a registry which asks who we are, and its private key."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Never

from regsync.errors import Refused
from regsync.events import Tell
from regsync.registry.host import HostSettings
from regsync.registry.http.authorities import content_of, files, useless
from regsync.registry.http.pem import certificates_in, key_in

_WHAT = "the client certificate"
_Half = tuple[str, bytes]  # what people call it, and what it holds


def present(context: ssl.SSLContext, host: HostSettings, folders: Sequence[Path], *, tell: Tell) -> bool:
    """Load the client certificate, if any: the configured one, else the first pair of files in the host's folders.

    `Refused` says which half of it cannot be used, and why.
    """
    if host.client_cert and host.client_key:
        _load(context, host, ("clientCert", host.client_cert.encode()), ("clientKey", host.client_key.encode()))
        return True
    for certificate in (path for folder in folders for path in files(folder, ".cert", host=host, tell=tell)):
        key = certificate.with_suffix(".key")
        if key.exists() or key.is_symlink():
            first, second = ((str(path), content_of(path, f"{_WHAT} of {host.name}")) for path in (certificate, key))
            _load(context, host, first, second)
            return True
        why = f"there is no {key.name} beside it; a CA certificate has a name that ends in .crt"
        tell(useless("Failed to load a client certificate", host, str(certificate), why))
    return False


def _load(context: ssl.SSLContext, host: HostSettings, certificate: _Half, key: _Half) -> None:
    """Load a pair whose halves may lie in one file, with anything around them, and not as OpenSSL likes it."""
    chain = list(certificates_in(certificate[1])) or list(certificates_in(key[1]))
    if not chain or None in chain:
        _refuse(host, certificate, "there is no certificate in it" if not chain else "it cannot be read")
    private = key_in(key[1]) or key_in(certificate[1])
    if not private:
        _refuse(host, key, "there is no private key (PEM) in it")
    if "ENCRYPTED" in private:
        _refuse(host, key, "its key has a password, and nobody is there to type it: openssl pkey takes it off")
    shown = "".join(map(ssl.DER_cert_to_PEM_cert, dict.fromkeys(filter(None, chain))))
    with tempfile.TemporaryDirectory(prefix="regsync-") as folder:  # made with mode 0700
        pair = Path(folder, "pair.pem")
        pair.write_text(shown + private, encoding="ascii", errors="replace")
        try:
            context.load_cert_chain(pair, password=_no_password)
        except (ssl.SSLError, OSError, ValueError) as error:
            mismatch = isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH"
            _refuse(host, key, "it is another certificate's key" if mismatch else "its key cannot be read")


def _refuse(host: HostSettings, half: _Half, why: str) -> Never:
    raise Refused(f"{_WHAT} of {host.name} cannot be used: {half[0]}: {why}")


def _no_password() -> str:
    """Answer for an encrypted key, which would otherwise be asked for on the terminal."""
    return ""
