"""What the configuration means to the engine: the only reader of its models, besides the command that prints them."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from itertools import count
from pathlib import Path

from regsync import __version__
from regsync.config.model import Config, Cred, Hook, SyncStep, TagFilter, TagSelection
from regsync.daemon.schedule import Every, Schedule, parse_schedule
from regsync.hooks.hook import Exec, Hooks, Webhook
from regsync.oci.mediatype import SYNCED_BY_DEFAULT
from regsync.oci.platform import Platform, Platforms
from regsync.oci.reference import parse_reference
from regsync.oci.referrers import ReferrerFilter, ReferrerOptions
from regsync.registry.host import HostSettings, Manner
from regsync.registry.http.tls import CERTIFICATES
from regsync.registry.login.dockerconfig import DockerConfig, normalise_registry_name
from regsync.sync.entry import SyncEntry
from regsync.sync.select import EVERYTHING, Filter, Selection
from regsync.transfer.options import CopyOptions

_CHOICE = {"tags", "tag_sets", "repos", "media_types", "platform", "platforms"}
_NOWHERE = Path(os.devnull)  # a folder of certificates that holds none


def hosts_of(config: Config, docker: DockerConfig) -> tuple[dict[str, HostSettings], list[str]]:
    """Return what is known of each registry, and what the operator should know of how it came about.

    Docker's logins come first and `creds` in the order of the file; what a later one says replaces what stood there.
    """
    hosts: dict[str, HostSettings] = {}
    warnings = list(docker.warnings)
    for name, login in docker.entries.items():
        hosts[name] = replace(
            HostSettings.called(name),
            hostname=login.hostname,
            tls=login.tls or "enabled",
            credential_host=login.credential_host or HostSettings.called(name).credential_host,
        ).with_login(user=login.user, password=login.password, token=login.token, helper=login.helper)
    said: set[str] = set()
    for cred in config.creds:
        settled = _merged(hosts, cred)
        if settled is None:
            continue
        if settled.name in said:
            warnings += _changes(hosts[settled.name], settled)
        said.add(settled.name)
        hosts[settled.name] = settled
    for host in hosts.values():
        if host.tls == "disabled" and (host.user or host.token or host.helper):
            warnings.append(f"credentials for {host.name} go out unencrypted: its TLS is disabled")
        if host.tls == "insecure":
            warnings.append(f"{host.name} is not checked to be who it claims: its TLS is insecure")
    return hosts, warnings


def _merged(hosts: Mapping[str, HostSettings], cred: Cred) -> HostSettings | None:
    """Return the settings of a host with this item of `creds` on top; None for an item without a registry."""
    found = normalise_registry_name(cred.registry)
    if found is None:  # told when the file was read
        return None
    known = hosts.get(found.name) or replace(
        HostSettings.called(found.name), hostname=found.hostname, tls=found.tls or "enabled"
    )
    said = cred.model_fields_set
    changed = replace(
        known,
        hostname=cred.hostname or known.hostname,
        tls=cred.tls or found.tls or known.tls,
        ca=cred.regcert or known.ca,
        client_cert=cred.client_cert or known.client_cert,
        client_key=cred.client_key or known.client_key,
        credential_expiry=cred.cred_expire if "cred_expire" in said else known.credential_expiry,
        credential_host=cred.cred_host or found.credential_host or known.credential_host,
        path_prefix=cred.path_prefix.strip("/") or known.path_prefix,
        repo_auth=cred.repo_auth or known.repo_auth,
        disable_head=cred.api_opts.disable_head or known.disable_head,
        blob_chunk=cred.blob_chunk if "blob_chunk" in said else known.blob_chunk,
        blob_max=cred.blob_max if "blob_max" in said else known.blob_max,
        per_second=cred.req_per_sec or known.per_second,
        concurrent=cred.req_concurrent or known.concurrent,
    )
    return _with_login(changed, cred)


def _with_login(host: HostSettings, cred: Cred) -> HostSettings:
    """A helper replaces stored secrets and stored secrets a helper; an item that says neither leaves the login be."""
    if cred.cred_helper:
        return host.with_login(user=cred.user, password=cred.password, token=cred.token, helper=cred.cred_helper)
    if cred.password or cred.token:
        return host.with_login(user=cred.user or host.user, password=cred.password, token=cred.token)
    return replace(host, user=cred.user or host.user)


def _changes(before: HostSettings, after: HostSettings) -> Iterable[str]:
    """Name the settings a second item for one registry has changed; their values may be secrets."""
    for one in fields(HostSettings):
        if getattr(before, one.name) != getattr(after, one.name):
            setting = one.name.replace("_", " ")
            yield f"Changing {setting} for registry {after.name}: a later item of creds names it again"


def manner_of(config: Config) -> Manner:
    """Return how every registry is spoken to; whoever leaves docker's configuration out wants no certificates of it."""
    defaults = config.defaults
    return Manner(
        user_agent=defaults.user_agent or f"regclient/regsync (python v{__version__})",
        blob_limit=defaults.blob_limit,
        certificates=_NOWHERE if defaults.skip_docker_config else CERTIFICATES,
    )


def entries_of(config: Config) -> list[SyncEntry]:
    """Return what each item of `sync` means; its name tells it from all others."""
    return [_entry(step, name) for step, name in zip(config.sync, _names(config.sync), strict=True)]


def _names(steps: Sequence[SyncStep]) -> list[str]:
    """Return a name for each item, which says what it is and never where it stands, so that it survives an edit.

    It is the one given, else made of the type and both ends; where several have these, with a hash of what they choose,
    and where even that is the same, with a count.
    """
    plain = [step.name or f"{step.type} {step.source} -> {step.target}" for step in steps]
    having = Counter(plain)
    taken = {step.name for step in steps if step.name}
    names = []
    for step, name in zip(steps, plain, strict=True):
        if not step.name:
            name = name if having[name] == 1 else f"{name} #{_choice(step)}"
            name = next(free for free in _counted(name) if free not in taken)
            taken.add(name)
        names.append(name)
    return names


def _choice(step: SyncStep) -> str:
    """Return a short hash of all that an item says on which images to take."""
    said = step.model_dump_json(include=_CHOICE, exclude_defaults=True)
    return hashlib.sha256(said.encode()).hexdigest()[:8]


def _counted(name: str) -> Iterator[str]:
    yield name
    for number in count(2):
        yield f"{name} ({number})"


def _entry(step: SyncStep, name: str) -> SyncEntry:
    tags = step.tags
    sets = [*step.tag_sets, *([tags] if tags.semver_range or tags.allow or tags.deny else [])]
    repositories = _selection([step.repos]) if step.repos.allow or step.repos.deny else EVERYTHING
    return SyncEntry(
        name=name,
        kind=step.type,
        source=step.source,
        target=step.target,
        media_types=step.media_types or SYNCED_BY_DEFAULT,
        tags=_selection(sets) if sets else EVERYTHING,
        repositories=repositories,
        options=_options(step),
        hooks=_hooks(step),
    )


def _options(step: SyncStep) -> CopyOptions:
    """Return how much of each image is copied."""
    return CopyOptions(
        platform=Platform.parse(step.platform) if step.platform else None,
        platforms=Platforms.parse(step.platforms) if step.platforms else None,
        referrers=_referrers(step) if step.referrers else None,
    )


def _referrers(step: SyncStep) -> ReferrerOptions:
    """Return how what refers to an entry's images is copied."""
    return ReferrerOptions(
        filters=tuple(ReferrerFilter(one.artifact_type, one.annotations) for one in step.referrer_filters or ()),
        source=parse_reference(step.referrer_source) if step.referrer_source else None,
        target=parse_reference(step.referrer_target) if step.referrer_target else None,
        slow=bool(step.referrer_slow),
    )


def _hooks(step: SyncStep) -> Hooks | None:
    """Return what is to be run around an entry's copies, None for nothing at all."""
    said = {name: hook for name in Hooks.__slots__ if (hook := getattr(step.hooks, name)) is not None}
    return Hooks(**{name: _hook(hook) for name, hook in said.items()}) if said else None


def _hook(hook: Hook) -> Exec | Webhook:
    return Exec(hook.params, hook.timeout) if hook.type == "exec" else Webhook(hook.params[0], hook.timeout)


def _selection(sets: Sequence[TagFilter]) -> Selection:
    return Selection(tuple(Filter(allow=one.allow, deny=one.deny, ranges=_ranges(one)) for one in sets))


def _ranges(chosen: TagFilter) -> tuple[str, ...]:
    return tuple(filter(None, chosen.semver_range)) if isinstance(chosen, TagSelection) else ()


def schedules_of(config: Config) -> dict[str, Schedule]:
    """Return when each entry is due: by its cron line, else by its interval. An entry without either is left out."""
    schedules: dict[str, Schedule] = {}
    for step, name in zip(config.sync, _names(config.sync), strict=True):
        if step.schedule:
            schedules[name] = parse_schedule(step.schedule)
        elif step.interval:
            schedules[name] = Every(step.interval)
    return schedules
