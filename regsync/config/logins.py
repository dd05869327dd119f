"""The rules for `creds`: what can be known to be wrong with a registry's settings before it is asked for anything."""

from __future__ import annotations

import re
from typing import Final

from regsync.config.model import Cred
from regsync.config.problems import Path, Report
from regsync.config.scalars import shown
from regsync.config.unsupported import key_of, refuse_later_keys, refuse_templates

_HOST: Final = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9.])?)(?::([0-9]{1,5}))?")
_PORT_MAX: Final = 65535
_HUB: Final = "https://index.docker.io/v1/"  # how docker's own files call Docker Hub
_HELPER: Final = re.compile(r"docker-credential-[a-z0-9][a-z0-9._-]*")
_PREFIX: Final = re.compile(r"[A-Za-z0-9._~/-]*")


def check_cred(cred: Cred, path: Path, report: Report) -> None:
    """Tell all that is wrong with one item of `creds`."""
    refuse_later_keys(cred, path, report)
    templates = refuse_templates(cred, path, report)
    if "registry" not in templates:
        _check_registry(cred, path, report)
    if cred.hostname and not _is_host(cred.hostname):
        report.error((*path, "hostname"), f"{_unless_login(cred.hostname)} is not a host; expected host[:port]")
    if cred.cred_helper and not _HELPER.fullmatch(cred.cred_helper):
        text = f"{shown(cred.cred_helper)} is not a helper's name; expected docker-credential- and a-z, 0-9, . _ -"
        report.error((*path, "credHelper"), text)
    if not cred.cred_host.isprintable():
        report.error((*path, "credHost"), "expected a host or URL without control characters")
    if not _PREFIX.fullmatch(cred.path_prefix) or ".." in cred.path_prefix.split("/"):
        text = f"{shown(cred.path_prefix)} is not a path; expected parts of letters, digits, . _ ~ - joined by /"
        report.error((*path, "pathPrefix"), text)
    _check_certificates(cred, path, report, templates)
    _warn_of_old_keys(cred, path, report)


def _check_registry(cred: Cred, path: Path, report: Report) -> None:
    name = cred.registry
    bare = name.removeprefix("https://").removeprefix("http://")
    if bare != name:  # only an address may end with a slash
        bare = bare.removesuffix("/")
    if name != _HUB and not _is_host(bare):
        text = f"{_unless_login(name)} is not a registry; expected host[:port]"
        report.error((*path, "registry"), text)


def _check_certificates(cred: Cred, path: Path, report: Report, templates: frozenset[str]) -> None:
    for name in ("regcert", "client_cert", "client_key"):
        pem = getattr(cred, name)
        if pem and name not in templates and not _is_pem(pem):
            what = "key" if name == "client_key" else "certificate"
            text = f"not PEM text; expected the {what} itself (-----BEGIN ...), not the path of a file"
            report.error((*path, key_of(cred, name)), text)
    if bool(cred.client_cert) != bool(cred.client_key):
        given, missing = ("clientCert", "clientKey") if cred.client_cert else ("clientKey", "clientCert")
        if (*path, missing) not in report.refused:
            report.error((*path, given), f"{given} is of no use without {missing}; expected both or neither")


def _warn_of_old_keys(cred: Cred, path: Path, report: Report) -> None:
    if cred.scheme:
        report.warn((*path, "scheme"), "Scheme is deprecated, for http set TLS to disabled")
    if cred.api:
        report.warn((*path, "api"), "api is deprecated and has no effect; remove it")


def _is_host(text: str) -> bool:
    match = _HOST.fullmatch(text)
    return match is not None and (match[1] is None or 0 < int(match[1]) <= _PORT_MAX)


def _is_pem(text: str) -> bool:
    begin = text.find("-----BEGIN ")
    return begin >= 0 and text.find("-----END ", begin) > begin


def _unless_login(text: str) -> str:
    """Return a host as a message may quote it: what has an @ may hold a password."""
    return "a name with @ in it" if "@" in text else shown(text)
