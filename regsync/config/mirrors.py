"""Entries that copy onto a mirror of their source: what stands there already answers for the source.

So it always looks up to date, and is never brought up to date. It is so in the Go regsync, too, which does not tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from regsync.config.logins import ReadName
from regsync.config.model import Config, Cred
from regsync.config.problems import Report
from regsync.errors import Malformed
from regsync.oci.reference import RegistryReference, parse_reference

_ONTO_ITSELF = "a mirror of the source, which then always looks up to date here; take it out of its mirrors"


def warn_of_copies_onto_mirrors(config: Config, report: Report, read_name: ReadName) -> None:
    """Tell of entries whose target is where a mirror of their source keeps the same repository."""
    mirrors = _mirrors(config.creds, read_name)
    if not mirrors:
        return
    for position, step in enumerate(config.sync):
        if step.type == "registry":
            source, target = step.source, step.target.rstrip("/")
        else:
            source, target = _name(step.source), _name(step.target)
        registry, slash, path = source.partition("/")
        places = [f"{mirror}{slash}{path}" for mirror in mirrors.get(registry, ())]
        if target in places:
            report.warn(("sync", position, "target"), _ONTO_ITSELF)


def _mirrors(creds: Sequence[Cred], read_name: ReadName) -> Mapping[str, Sequence[str]]:
    """Return where the mirrors of each registry keep its repositories: the mirror's name, and its path prefix."""
    prefixes: dict[str, str] = {}
    named: dict[str, Sequence[str]] = {}
    for cred in creds:
        try:
            name = read_name(cred.registry)[0]
            mirrors = [read_name(mirror)[0] for mirror in cred.mirrors]
        except Malformed:  # which was told
            continue
        prefixes[name] = cred.path_prefix.strip("/") or prefixes.get(name, "")
        named[name] = mirrors or named.get(name, ())
    return {
        name: ["/".join(filter(None, (mirror, prefixes.get(mirror)))) for mirror in mirrors if mirror != name]
        for name, mirrors in named.items()
        if mirrors
    }


def _name(text: str) -> str:
    """Return what an end of an entry is called without its tag, nothing for what is none, or is no registry's."""
    try:
        found = parse_reference(text)
    except Malformed:
        return ""
    return found.name if isinstance(found, RegistryReference) else ""
