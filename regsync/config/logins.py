"""The rules for `creds`, and for the token of `server`: what can be known to be wrong before anybody is asked.

No value is quoted here: under whichever key it stands, it may be a password that somebody put there by mistake.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable
from typing import Final

from regsync.config.fields import key_of
from regsync.config.model import Cred
from regsync.config.problems import HIDDEN, SECRETS, Path, Report
from regsync.errors import Malformed
from regsync.oci.reference import valid_host

_HELPER: Final = re.compile(r"docker-credential-[a-z0-9][a-z0-9._-]*")
_BLOCK: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
ReadName = Callable[[str], tuple[str, str]]
"""Reads the name of a registry: the one it goes by, and a remark; `Malformed` where it is none."""
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]+")
_SHORTEST: Final = 16  # characters of a token
_PREFIX: Final = re.compile(r"[A-Za-z0-9._~/-]*")


def check_cred(cred: Cred, path: Path, *, report: Report, registry: ReadName) -> None:
    """Tell all that is wrong with one item of `creds`."""
    _check_names(cred, path, report, registry)
    if cred.hostname and not valid_host(cred.hostname):
        report.error((*path, "hostname"), "not a host; expected host[:port]")
    if cred.cred_helper and not _HELPER.fullmatch(cred.cred_helper):
        report.error((*path, "credHelper"), "not a helper's name; expected docker-credential- and a-z, 0-9, . _ -")
    if not cred.cred_host.isprintable():
        report.error((*path, "credHost"), "expected a host or URL without control characters")
    if not _PREFIX.fullmatch(cred.path_prefix) or ".." in cred.path_prefix.split("/"):
        report.error((*path, "pathPrefix"), "not a path; expected parts of letters, digits, . _ ~ - joined by /")
    _check_certificates(cred, path, report)
    _warn_of_hidden(cred, path, report)
    _warn_of_old_keys(cred, path, report)


def _check_names(cred: Cred, path: Path, report: Report, registry: ReadName) -> None:
    name = _read_name(cred.registry, (*path, "registry"), report, registry)
    for position, mirror in enumerate(cred.mirrors):
        place: Path = (*path, "mirrors", position)
        if _read_name(mirror, place, report, registry) == name:
            report.warn(place, "a mirror of itself has no effect; remove it")


def _read_name(text: str, place: Path, report: Report, registry: ReadName) -> str:
    """Return the name a registry goes by, empty where it is none and that was told."""
    try:
        name, remark = registry(text)
    except Malformed as error:
        report.error(place, str(error))
        return ""
    if remark:
        report.warn(place, remark)
    return name


def check_token(token: str, report: Report) -> None:
    """Tell of a token of the daemon that is easily guessed, or that nobody can send (RFC 6750, section 2.1)."""
    path = ("server", "token")
    if token == HIDDEN:
        report.error(path, f"{HIDDEN} stands for a secret that was not printed; write the secret itself")
    elif token and not _TOKEN.fullmatch(token):
        report.error(path, "expected letters, digits and -._~+/= only, as `openssl rand -hex 32` prints")
    elif 0 < len(token) < _SHORTEST:
        report.error(path, f"too short; expected {_SHORTEST} characters or more, as `openssl rand -hex 32` prints")


def _check_certificates(cred: Cred, path: Path, report: Report) -> None:
    for name in ("regcert", "client_cert", "client_key"):
        pem, place = getattr(cred, name), (*path, key_of(cred, name))
        what = "key" if name == "client_key" else "certificate"
        if not pem or pem == HIDDEN or _is_pem(pem):
            continue
        wanted = f"what needs this registry may fail: put in the {what} itself (-----BEGIN ...)"
        if "-----BEGIN " in pem:
            report.warn(place, f"damaged PEM text; {wanted}")
        else:
            report.warn(place, f'no PEM text, perhaps the path of a file; {wanted}, as {{{{ file "PATH" }}}} does')
    if bool(cred.client_cert) != bool(cred.client_key):
        given, missing = ("clientCert", "clientKey") if cred.client_cert else ("clientKey", "clientCert")
        if (*path, missing) not in report.refused:
            report.error((*path, given), f"{given} is of no use without {missing}; expected both or neither")


def _warn_of_hidden(cred: Cred, path: Path, report: Report) -> None:
    """Tell of what `regsync config` has left out of what it printed: it cannot log in anybody."""
    for name in cred.model_fields_set:
        key = key_of(cred, name)
        if key in SECRETS and getattr(cred, name) == HIDDEN:
            report.warn((*path, key), f"{HIDDEN} stands for a secret that was not printed; write the secret itself")


def _warn_of_old_keys(cred: Cred, path: Path, report: Report) -> None:
    if cred.scheme:
        report.warn((*path, "scheme"), "Scheme is deprecated, for http set TLS to disabled")
    if cred.api:
        report.warn((*path, "api"), "api is deprecated and has no effect; remove it")


def _is_pem(text: str) -> bool:
    """Say whether there are blocks of base64 (RFC 7468), whose headers end with an empty line (RFC 1421)."""
    blocks = [block[2] for block in _BLOCK.finditer(text)]
    return bool(blocks) and all(map(_is_base64, blocks))


def _is_base64(block: str) -> bool:
    head, empty, body = block.replace("\r", "").strip().partition("\n\n")
    try:
        return bool(b64decode("".join((body if empty and ":" in head else block).split()), validate=True))
    except ValueError:
        return False
