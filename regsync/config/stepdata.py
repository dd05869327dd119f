"""An entry as templates see it, `.Sync`: its settings under the names and in the types that they have in Go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from regsync.config.model import Hook, SyncStep
from regsync.template.values import Duration, Kind, Map, Pointer, Slice, Struct, Value

_NANOSECONDS: Final = 1_000_000_000


def step_data(step: SyncStep) -> Struct:
    """Return what a template sees of an entry that is filled from its defaults."""
    return Struct(_STEP, step)


def data_of(step: SyncStep) -> Struct:
    """Return what templates in an entry's places are about: `.Sync`, and `.Step`, which is the same."""
    return Struct(_DATA, step_data(step))


def _texts(texts: Sequence[str]) -> Slice:
    return Slice(tuple(texts), nil=not texts)


def _structs(kind: Kind, of: Sequence[object]) -> Slice:
    return Slice(tuple(Struct(kind, one) for one in of), of=kind.name, nil=not of)


def _list(attribute: Callable[[Any], Sequence[str]]) -> Callable[[Any], Value]:
    return lambda of: _texts(attribute(of))


def _switch(attribute: Callable[[Any], bool | None]) -> Callable[[Any], Value]:
    """A boolean is a pointer in Go, so that it can be said or not; one that is said is true to `if`."""
    return lambda step: Pointer(bool(attribute(step)), "bool")


def _seconds(attribute: Callable[[Any], float]) -> Callable[[Any], Value]:
    return lambda of: Duration(round(attribute(of) * _NANOSECONDS))


def _hook(attribute: Callable[[Any], Hook | None]) -> Callable[[Any], Value]:
    def get(hooks: Any) -> Value:
        hook = attribute(hooks)
        return Pointer(None if hook is None else Struct(_HOOK, hook), _HOOK.name)

    return get


_CHOICE: Final[Mapping[str, Callable[[Any], Value]]] = {
    "Allow": _list(lambda choice: choice.allow),
    "Deny": _list(lambda choice: choice.deny),
}
_TAGS: Final = Kind(
    "main.TagAllowDeny",
    fields={**_CHOICE, "SemverRange": _list(lambda tags: tags.semver_range)},
    json={"Allow": "allow", "Deny": "deny", "SemverRange": "semverRange,omitempty"},
)
_REPOSITORIES: Final = Kind("main.RepoAllowDeny", fields=_CHOICE, json={"Allow": "allow", "Deny": "deny"})
_RATE: Final = Kind(
    "main.ConfigRateLimit",
    fields={"Min": lambda rate: rate.min, "Retry": _seconds(lambda rate: rate.retry)},
    json={"Min": "min", "Retry": "retry"},
    is_zero=lambda rate: not rate.min and not rate.retry,
)
_FILTER: Final = Kind(
    "main.ConfigReferrerFilter",
    fields={
        "ArtifactType": lambda one: one.artifact_type,
        "Annotations": lambda one: Map(one.annotations, nil=not one.annotations),
    },
    json={"ArtifactType": "artifactType", "Annotations": "annotations"},
)
_HOOK: Final = Kind(
    "main.ConfigHook",
    fields={"Type": lambda hook: hook.type, "Params": _list(lambda hook: hook.params)},
    json={"Type": "type", "Params": "params"},
)
_HOOKS: Final = Kind(
    "main.ConfigHooks",
    fields={
        "Pre": _hook(lambda hooks: hooks.pre),
        "Post": _hook(lambda hooks: hooks.post),
        "Unchanged": _hook(lambda hooks: hooks.unchanged),
    },
    json={"Pre": "pre", "Post": "post", "Unchanged": "unchanged"},
    is_zero=lambda hooks: hooks.pre is hooks.post is hooks.unchanged is None,
)
_STEP: Final = Kind(
    "main.ConfigSync",
    fields={
        "Source": lambda step: step.source,
        "Target": lambda step: step.target,
        "Type": lambda step: step.type,
        "Tags": lambda step: Struct(_TAGS, step.tags),
        "TagSets": lambda step: _structs(_TAGS, step.tag_sets),
        "Repos": lambda step: Struct(_REPOSITORIES, step.repos),
        "DigestTags": _switch(lambda step: step.digest_tags),
        "Referrers": _switch(lambda step: step.referrers),
        "ReferrerFilters": lambda step: _structs(_FILTER, step.referrer_filters or ()),
        "ReferrerSrc": lambda step: step.referrer_source,
        "ReferrerTgt": lambda step: step.referrer_target,
        "ReferrerSlow": _switch(lambda step: step.referrer_slow),
        "Platform": lambda step: step.platform,
        "Platforms": _list(lambda step: step.platforms),
        "FastCheck": _switch(lambda step: step.fast_check),
        "ForceRecursive": _switch(lambda step: step.force_recursive),
        "IncludeExternal": _switch(lambda step: step.include_external),
        "Backup": lambda step: step.backup,
        "Interval": _seconds(lambda step: step.interval),
        "Schedule": lambda step: step.schedule,
        "RateLimit": lambda step: Struct(_RATE, step.ratelimit),
        "MediaTypes": _list(lambda step: step.media_types),
        "Hooks": lambda step: Struct(_HOOKS, step.hooks),
    },
    json={
        "Source": "source", "Target": "target", "Type": "type", "Tags": "tags", "TagSets": "tagSets", "Repos": "repos",
        "DigestTags": "digestTags", "Referrers": "referrers", "ReferrerFilters": "referrerFilters",
        "ReferrerSrc": "referrerSource", "ReferrerTgt": "referrerTarget", "ReferrerSlow": "referrerSlow",
        "Platform": "platform", "Platforms": "platforms", "FastCheck": "fastCheck", "ForceRecursive": "forceRecursive",
        "IncludeExternal": "includeExternal", "Backup": "backup", "Interval": "interval", "Schedule": "schedule",
        "RateLimit": "ratelimit", "MediaTypes": "mediaTypes", "Hooks": "hooks",
    },
)  # fmt: skip
_DATA: Final = Kind("struct { Sync main.ConfigSync }", fields={"Sync": lambda sync: sync, "Step": lambda sync: sync})
