"""The rules for `sync` and `defaults`: what can be known to be wrong before any registry is asked for anything."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from regsync.backups import named
from regsync.config.choices import ChoiceRules
from regsync.config.fields import key_of
from regsync.config.hooks import check_hooks
from regsync.config.model import WITHOUT_EFFECT, Defaults, Inherited, SyncStep
from regsync.config.places import Places, inside, same_prefix, same_repository
from regsync.config.problems import Path, Report, did_you_mean, path_text
from regsync.config.receivers import check_notify
from regsync.config.scalars import shown
from regsync.config.templated import is_template
from regsync.errors import Malformed
from regsync.oci.mediatype import MANIFESTS
from regsync.oci.platform import Platform
from regsync.oci.reference import Reference, parse_reference

_MEDIA_TYPE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*")
_ALWAYS_SAID: Final = frozenset({"source", "target", "type"})
_SAME: Final = "the target is the source; expected another place"
_EXPECTED: Final = {
    "image": "expected an image such as registry.example.com/team/app:v1",
    "repository": "expected a repository such as registry.example.com/team/app",
    "registry": "expected a registry such as registry.example.com",
}
_ANY: Final = parse_reference("registry.example/any:any")
_NAMES: Final = "expected a tag, or a whole reference such as registry.example/backups/app:old"

_Source = TypeVar("_Source")
_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class Checks:
    """What only other parts know: each raises `Malformed` for what is no pattern, no range, no schedule, no registry.

    `service` does for a URL nobody can be told by.

    Whatever a run would refuse is refused when the file is read, so that `config --check` tells of it. The first two
    return what is to be known of a text that can be used, nothing in most cases; `registry` the name a registry goes
    by, too.
    """

    pattern: Callable[[str], str]
    semver_range: Callable[[str], str]
    schedule: Callable[[str], None]
    registry: Callable[[str], tuple[str, str]]
    service: Callable[[str], None]


@dataclass(slots=True)
class EntryRules:
    """Checks entry after entry and remembers what was said before, because real files say most things many times."""

    checks: Checks
    report: Report
    _places: Places = field(default_factory=Places)
    _names: dict[str, Path] = field(default_factory=dict)
    _writers: dict[Reference, tuple[Reference, Path]] = field(default_factory=dict)
    _choices: ChoiceRules = field(init=False)

    def __post_init__(self) -> None:
        self._choices = ChoiceRules(self.checks.pattern, self.checks.semver_range, self.report)

    def check_defaults(self, defaults: Defaults) -> None:
        """Tell all that is wrong with `defaults`."""
        self._check_shared(defaults, ("defaults",))
        check_notify(defaults.notify, self.report, self.checks.service)
        if bool(defaults.cache_count) != bool(defaults.cache_time):
            given, missing = ("cacheCount", "cacheTime") if defaults.cache_count else ("cacheTime", "cacheCount")
            self.report.warn(("defaults", given), f"{given} has no effect without {missing}")
        if not defaults.user_agent.isprintable():
            self.report.error(("defaults", "userAgent"), "expected text without control characters")

    def check_step(self, step: SyncStep, position: int) -> None:
        """Tell all that is wrong with one item of `sync`."""
        path: Path = ("sync", position)
        if path in self.report.refused:
            return
        said = step.model_fields_set
        if said != _ALWAYS_SAID:  # thousands of entries say just these
            self._check_shared(step, path)
            self._check_choice(step, path)
            self._check_platforms(step, path)
            self._check_name(step, path)
        if "type" not in said:
            self.report.error((*path, "type"), "missing; expected image, repository or registry")
            for key in {"source", "target"} - said:
                self.report.error((*path, key), "missing; expected an image, a repository or a registry")
            return
        match step.type:
            case "image":
                self._check_image(step, path)
            case "repository":
                self._check_repository(step, path)
            case "registry":
                self._check_registry(step, path)

    def _check_shared(self, section: Inherited, path: Path) -> None:
        check_hooks(section.hooks, path, self.report)
        if section.backup:
            _check_backup(section.backup, path, self.report)
        if section.schedule:
            self._complain((*path, "schedule"), section.schedule, _fault(self.checks.schedule, section.schedule))
        for key, text in (("referrerSource", section.referrer_source), ("referrerTarget", section.referrer_target)):
            if text and not (isinstance(section, Defaults) and is_template(text)):  # expanded for each entry
                self._read(self._places.repository, text, (*path, key), _EXPECTED["repository"])
        for position, media_type in enumerate(section.media_types):
            self._check_media_type(media_type, (*path, "mediaTypes", position))
        if section.fast_copy is not None and section.fast_check is None:
            self.report.warn((*path, "fastCopy"), "fastCopy is read as fastCheck, its name in regsync; rename it")

    def _check_media_type(self, media_type: str, path: Path) -> None:
        if not _MEDIA_TYPE.fullmatch(media_type):
            self.report.error(path, f"{shown(media_type)} is not a media type; expected type/subtype")
        elif media_type not in MANIFESTS:
            hint = did_you_mean(media_type, MANIFESTS)
            self.report.warn(path, f"{shown(media_type)} is not the type of any image; {hint}")

    def _check_name(self, step: SyncStep, path: Path) -> None:
        if not step.name.isprintable():
            self.report.error((*path, "name"), "expected text without control characters")
        first = self._names.setdefault(step.name, path)
        if step.name and first != path:
            self.report.error((*path, "name"), f"also the name of {path_text(first)}; expected one of its own")

    def _check_choice(self, step: SyncStep, path: Path) -> None:
        """Check what chooses tags and repositories."""
        sets = [((*path, "tagSets", position), one) for position, one in enumerate(step.tag_sets)]
        for place, chosen in ((*path, "tags"), step.tags), *sets, ((*path, "repos"), step.repos):
            self._choices.check(chosen, place)
        if "type" in step.model_fields_set:
            for name in step.model_fields_set.intersection(WITHOUT_EFFECT.get(step.type, ())):
                key = key_of(step, name)
                self.report.warn((*path, key), f"{key} has no effect on an entry of type {step.type}")

    def _check_platforms(self, step: SyncStep, path: Path) -> None:
        if step.platform:
            self._complain((*path, "platform"), step.platform, _fault(_check_platform, step.platform))
        for position, platform in enumerate(step.platforms):
            if platform:  # empty: children that name none
                self._complain((*path, "platforms", position), platform, _fault(_check_platform, platform))

    def _complain(self, path: Path, text: str, fault: str) -> None:
        if fault:
            self.report.error(path, f"{shown(text)}: {fault}")

    def _check_image(self, step: SyncStep, path: Path) -> None:
        source, target = self._both(step, path, self._places.image, self._places.image)
        if source is None or target is None:
            return
        if source == target:
            self.report.error((*path, "target"), _SAME)
        other, first = self._writers.setdefault(target, (source, path))
        if other != source:
            text = f"{target} is also the target of {path_text(first)}, from another source; the last to run wins"
            self.report.warn((*path, "target"), text)

    def _check_repository(self, step: SyncStep, path: Path) -> None:
        source, target = self._both(step, path, self._places.repository, self._places.repository)
        if source is not None and target is not None and same_repository(source, target):
            self.report.error((*path, "target"), _SAME)

    def _check_registry(self, step: SyncStep, path: Path) -> None:
        source, target = self._both(step, path, self._places.registry, self._places.prefix)
        if source is None or target is None:
            return
        if same_prefix(source, target):
            self.report.error((*path, "target"), _SAME)
        elif inside(source, target) and not (step.repos.allow or step.repos.deny):
            text = "inside the source, so every run would copy the copies again; say under repos what to copy"
            self.report.error((*path, "target"), text)

    def _both(
        self, step: SyncStep, path: Path, read_source: Callable[[str], _Source], read_target: Callable[[str], Reference]
    ) -> tuple[_Source | None, Reference | None]:
        expected = _EXPECTED[step.type]
        source = self._read(read_source, step.source, (*path, "source"), expected)
        return source, self._read(read_target, step.target, (*path, "target"), expected)

    def _read(self, read: Callable[[str], _Read], text: str, path: Path, expected: str) -> _Read | None:
        """Return what a place is, or None when it cannot be used and that was told."""
        try:
            if text:
                return read(text)
        except Malformed as error:
            self.report.error(path, str(error))
            return None
        self.report.error(path, f"missing; {expected}")
        return None


def _check_platform(text: str) -> None:
    if not Platform.parse(text).architecture:
        raise Malformed("it names no architecture; expected os/architecture[/variant], e.g. linux/arm64")


def _fault(check: Callable[[str], None], text: str) -> str:
    """Return what is wrong with a text, nothing if it is fine."""
    try:
        check(text)
    except Malformed as error:
        return str(error)
    return ""


def _check_backup(text: str, path: Path, report: Report) -> None:
    """Tell what is wrong with the text under `backup` where it is no template; `expansion.py` looks at those."""
    try:
        if not is_template(text):
            named(text, _ANY)
    except Malformed:
        report.error((*path, "backup"), f"no name to keep an image under; {_NAMES}")
