"""What regclient's regsync ignores or reads otherwise in `creds`. No value is quoted: it may be a password."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from regsync.config.fields import key_of
from regsync.config.model import Config, Cred
from regsync.config.problems import Path
from regsync.errors import Malformed
from regsync.oci.reference import LayoutReference, parse_reference

_ANY: Final = "/x"
_LEFT_AS_THEY_ARE: Final = ("hostname", "token", "cred_helper", "cred_host", "path_prefix")
_HUB: Final = frozenset({"docker.io", "registry-1.docker.io", "https://index.docker.io/v1/"})

Text = Callable[[Path], str]
Trap = tuple[Path, str, str]


def traps_of_login(cred: Cred, path: Path, text: Text) -> Iterator[Trap]:
    """Yield the traps of one item; `text` returns what stands at a path."""
    said = cred.model_fields_set
    yield from _of_name(cred.registry, path)
    if "cred_expire" in said:
        place = (*path, "credExpire")
        counted = text(place).isdigit()
        theirs = "reads nanoseconds" if counted else "does not load a file with a duration here"
        yield place, theirs, "the same" if counted else "a duration is a duration"
    if "req_concurrent" in said and not cred.req_concurrent:
        theirs = "keeps its 3 requests at a time, where its documentation says no limit"
        yield (*path, "reqConcurrent"), theirs, "the number is found out"
    if "priority" in said:
        yield (*path, "priority"), "tries the lowest first, where its documentation says the highest", "the lowest"
    if cred.api:
        yield (*path, "api"), "ignores this key", "the same, with a warning"
    if cred.scheme:
        yield (*path, "scheme"), "ignores this key, with a warning", "the same"
    for name in _LEFT_AS_THEY_ARE:
        if "{{" in getattr(cred, name):
            yield (*path, key_of(cred, name)), "takes a template here for the text itself", "it is expanded"
    if bool(cred.client_cert) != bool(cred.client_key):
        key = "clientCert" if cred.client_cert else "clientKey"
        yield (*path, key), "ignores clientCert and clientKey without each other", "an error"
    if cred.api_opts.disable_head:
        theirs = "never updates a tag from such a source, and uploads all to such a target in every run"
        yield (*path, "apiOpts", "disableHead"), theirs, "GET is used in place of HEAD"


def _of_name(registry: str, path: Path) -> Iterator[Trap]:
    place = (*path, "registry")
    bare = registry.rpartition("://")[2].rstrip("/")
    if not registry:
        yield path, "ignores an item without a registry, with a warning", "the same"
    elif registry in _HUB:
        return
    elif "/" in bare and "{{" not in registry:
        yield place, "cuts the path off and uses the login for the whole registry", "the same, with a warning"
    elif bare == "index.docker.io":
        yield place, "takes this for another registry than docker.io", "it is Docker Hub, too"


def traps_of_mirrors(config: Config) -> Iterator[Trap]:
    """Yield the mirrors of registries that are copied to."""
    targets = {_host(step.target) for step in config.sync}
    for position, cred in enumerate(config.creds):
        if cred.mirrors and _host(cred.registry.rpartition("://")[2]) in targets:
            theirs = "asks mirrors whether a target has an image, too, and may then not copy it"
            yield ("creds", position, "mirrors"), theirs, "a target is asked itself"


def _host(place: str) -> str:
    """Return the registry that a target or a name of `creds` is about, nothing for what cannot be read."""
    try:
        reference = parse_reference(f"{place.rstrip('/')}{_ANY}" if "/" not in place else place)
    except Malformed:
        return ""
    return "" if isinstance(reference, LayoutReference) else reference.registry
