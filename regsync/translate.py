"""What the configuration means to the engine.

Its models are read here, in `hosts.py`, and by the command that prints them.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import count

from regsync.backups import named
from regsync.config.model import Config, Hook, SyncStep, TagFilter, TagSelection
from regsync.config.templated import Surroundings, is_template
from regsync.daemon.schedule import Every, Schedule, parse_schedule
from regsync.hooks.hook import Exec, Hooks, Webhook
from regsync.notify.receiver import Receiver
from regsync.oci.mediatype import SYNCED_BY_DEFAULT
from regsync.oci.platform import Platform, Platforms
from regsync.oci.reference import parse_reference
from regsync.oci.referrers import ReferrerFilter, ReferrerOptions
from regsync.sync.answers import Age
from regsync.sync.entry import NameBackup, PullLimit, SyncEntry
from regsync.sync.select import EVERYTHING, Filter, Selection
from regsync.transfer.options import CopyOptions

_CHOICE = {"tags", "tag_sets", "repos", "media_types", "platform", "platforms"}


def entries_of(config: Config, surroundings: Surroundings) -> list[SyncEntry]:
    """Return what each item of `sync` means; its name tells it from all others.

    The surroundings are what templates can learn that are expanded for each image.
    """
    return [
        _entry(step, name, backup=_backup(step, surroundings) if step.backup else None)
        for step, name in zip(config.sync, _names(config.sync), strict=True)
    ]


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
            if name in taken:
                name = next(free for free in _counted(name) if free not in taken)
            taken.add(name)
        names.append(name)
    return names


def _choice(step: SyncStep) -> str:
    """Return a short hash of all that an item says on which images to take."""
    said = step.model_dump_json(include=_CHOICE, exclude_defaults=True)
    return hashlib.sha256(said.encode()).hexdigest()[:8]


def _counted(name: str) -> Iterator[str]:
    for number in count(2):
        yield f"{name} ({number})"


def _entry(step: SyncStep, name: str, *, backup: NameBackup | None) -> SyncEntry:
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
        limit=PullLimit(step.ratelimit.min, step.ratelimit.retry) if step.ratelimit.min > 0 else None,
        options=_options(step),
        hooks=_hooks(step),
        backup=backup,
    )


def _backup(step: SyncStep, surroundings: Surroundings) -> NameBackup:
    """Return what names the backup of each target."""
    if not is_template(step.backup):
        return partial(named, step.backup)
    from regsync.backups.template import Backup, parsed  # noqa: PLC0415  # see `templated.py`
    from regsync.config.stepdata import step_data  # noqa: PLC0415
    from regsync.template.world import world_of  # noqa: PLC0415

    world = world_of(surroundings.environ, surroundings.now)
    return partial(Backup(parsed(step.backup), step_data(step)).reference, world=world)


def _options(step: SyncStep) -> CopyOptions:
    """Return how much of each image is copied."""
    return CopyOptions(
        platform=Platform.parse(step.platform) if step.platform else None,
        platforms=Platforms.parse(step.platforms) if step.platforms else None,
        referrers=_referrers(step) if step.referrers else None,
        digest_tags=bool(step.digest_tags),
        fast_check=bool(step.fast_check),
        force_recursive=bool(step.force_recursive),
        include_external=bool(step.include_external),
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


def referrers_age_of(config: Config) -> Age | None:
    """Return how long lists of referrers are good, and how many of them; as in Go, both have to be said."""
    defaults = config.defaults
    return Age(defaults.cache_count, defaults.cache_time) if defaults.cache_count and defaults.cache_time else None


def steps_of(config: Config) -> dict[str, SyncStep]:
    """Return the items of `sync` by the names of their entries."""
    return dict(zip(_names(config.sync), config.sync, strict=True))


def receivers_of(config: Config) -> list[Receiver]:
    """Return who is told what."""
    return [Receiver(position, frozenset(item.on), item.url) for position, item in enumerate(config.defaults.notify)]


def schedules_of(config: Config) -> dict[str, Schedule]:
    """Return when each entry is due: by its cron line, else by its interval. An entry without either is left out."""
    schedules: dict[str, Schedule] = {}
    for name, step in steps_of(config).items():
        if step.schedule:
            schedules[name] = parse_schedule(step.schedule)
        elif step.interval:
            schedules[name] = Every(step.interval)
    return schedules


def delays_of(config: Config) -> dict[str, float]:
    """Return by how many seconds the visits of each entry are put off: its own share of `jitter`, always the same."""
    return {name: round(step.jitter * _share(name), 3) for name, step in steps_of(config).items() if step.jitter}


def _share(name: str) -> float:
    """Return a number from 0 to 1 that is drawn from a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:7]) / (1 << 56)
