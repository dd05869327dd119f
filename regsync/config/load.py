"""A path or `-` becomes a `Config`, or one `ConfigError` that lists everything wrong with the file.

The border where the exceptions of YAML, pydantic and the operating system end. What pydantic refuses is told and taken
out, and the rest is checked all the same, so that one misspelt key does not hide a bad pattern further down.
"""

from __future__ import annotations

import codecs
import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from regsync.config.entries import Checks, EntryRules
from regsync.config.fields import OURS
from regsync.config.logins import ReadName, check_cred, check_token
from regsync.config.mirrors import warn_of_copies_onto_mirrors
from regsync.config.model import Config, Cred, SyncStep
from regsync.config.problems import Finding, Findings, Path, Report, broken, did_you_mean
from regsync.config.scalars import Plain, kind_of
from regsync.config.templated import NOWHERE, Surroundings, has_templates
from regsync.config.traps import Written, traps_of
from regsync.config.yaml import Node, compose, further_document, place_of, text_of, values_of
from regsync.errors import ConfigError, Malformed
from regsync.text import why_unreadable

__all__ = ["Checks", "Loaded", "load_config"]

FILE_MAX: Final = 16 << 20  # bytes; the largest public file has one MiB
_UNKNOWN_KEY: Final = "extra_forbidden"
_NO_DICT: Final = "dict_type"
_NO_MAPPING: Final = frozenset({"model_type", "model_attributes_type", _NO_DICT})
_NO_LIST: Final = "tuple_type"
_WORDS: Final = ("yes", "no", "on", "off", "Yes", "No", "On", "Off", "YES", "NO", "ON", "OFF")  # of YAML 1.1
_FEW: Final = 4  # keys that a message can name
_FORK: Final = frozenset({"cleanupTags", "cleanupTagsExclude"})
_OF_A_FORK: Final = "unknown key; it is one of a fork of regsync, which removes tags, as nothing here does"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that can be used, its steps filled from its defaults, and what its author should know of it.

    `left_out` is how many items of `sync` cannot be used and are not in it; each is among the warnings. `made` are the
    texts of entries that came out of templates. `digest` is the SHA-256 of the file, in hexadecimal digits.
    """

    config: Config
    warnings: tuple[str, ...]
    left_out: int = 0
    made: frozenset[str] = frozenset()
    digest: str = ""


def load_config(
    path: str,
    *,
    checks: Checks,
    allow_unknown_keys: bool = False,
    skip_invalid_entries: bool = False,
    stdin: BinaryIO | None = None,
    traps: list[str] | None = None,
    surroundings: Surroundings = NOWHERE,
) -> Loaded:
    """Read and check a file, or standard input for `-`; `ConfigError` if it cannot be used, for whatever reasons.

    `stdin` is read in place of either.

    `traps` takes what regclient's regsync ignores or reads otherwise than it looks, a line each, also when this raises.
    """
    file = "<stdin>" if path == "-" else path
    findings = Findings(traps=None if traps is None else [])
    try:
        content = _read(path, stdin, file)
        text = _decoded(content, file)
        root = compose(text, file)
        reading = _Reading(root, file, findings, checks, allow_unknown_keys, surroundings)
        config = reading.config()
    except OSError as error:
        raise ConfigError([f"{file}: {why_unreadable(error, path)}"]) from None
    if traps is not None:
        further = further_document(text, file)
        if further:
            findings.trap(further, (), "reads only the first document", "the same")
        traps += _told(findings.traps or [], file)
    left_out = _leave_out(findings) if skip_invalid_entries or config.defaults.skip_invalid_entries else frozenset()
    if findings.errors:
        raise ConfigError(_told([*findings.errors, *_beside(findings)], file))
    filled = reading.filled(config, left_out)
    digest = hashlib.sha256(content).hexdigest()
    return Loaded(filled, tuple(_told(findings.warnings, file)), len(left_out), reading.made, digest)


def _beside(findings: Findings) -> list[Finding]:
    """Return the warnings about places that are refused: a variable that is not set may be why."""
    refused = {error.path for error in findings.errors if error.path[:1] == ("sync",)}
    return [warning for warning in findings.warnings if warning.path in refused]


def _leave_out(findings: Findings) -> frozenset[str | int]:
    """Make warnings of the errors that items of `sync` have of their own, and return the positions of these items."""
    own: list[Finding] = []
    others: list[Finding] = []
    for error in findings.errors:
        (own if error.path[:1] == ("sync",) and len(error.path) > 1 else others).append(error)
    findings.errors[:] = others
    findings.warnings.extend(replace(error, text=f"entry left out: {error.text}") for error in own)
    return frozenset(error.path[1] for error in own)


def _read(path: str, stdin: BinaryIO | None, file: str) -> bytes:
    if stdin is not None or path == "-":
        content = (stdin or sys.stdin.buffer).read(FILE_MAX + 1)
    else:
        with open(path, "rb") as stream:  # noqa: PTH123  # a name as typed, which may be empty or a device
            content = stream.read(FILE_MAX + 1)
    if len(content) > FILE_MAX:
        raise broken(file, f"larger than {FILE_MAX >> 20} MiB; expected a configuration")
    return content


def _decoded(content: bytes, file: str) -> str:
    """Return the text of a file in one of the encodings of YAML 1.2 section 5.2 that are still met."""
    utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        if utf16:
            raise broken(file, "not text: broken UTF-16; expected UTF-8") from None
        before = content[: error.start].removeprefix(codecs.BOM_UTF8).decode()
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise broken(file, "not text: a byte that is not UTF-8", line, column) from None


@dataclass(slots=True)
class _Reading:
    """One reading of one file."""

    root: Node | None
    file: str
    findings: Findings
    checks: Checks
    lenient: bool
    surroundings: Surroundings
    made: frozenset[str] = frozenset()
    texts: dict[int, dict[str, str]] = field(default_factory=dict)  # of entries, which came out of templates

    def config(self) -> Config:
        """Return what the file says, with all that is wrong left out and told."""
        values = values_of(self.root, self.findings, file=self.file, lenient=self.lenient)
        if values is not None and not isinstance(values, dict):
            line, column = place_of(self.root, ())
            raise broken(self.file, f"expected a mapping with the key sync, found {kind_of(values)}", line, column)
        config, refused = self._validated(values or {})
        if self.findings.traps is not None:
            written = Written(config, lambda path: text_of(self.root, path), self._advice)
            for path, theirs, here in traps_of(written):
                self.findings.trap(place_of(self.root, path), path, theirs, here)
        report = Report(self.findings, lambda path: place_of(self.root, path), refused)
        if has_templates(config):
            config, report = self._expanded(config, report)
        rules = EntryRules(self.checks, report)
        rules.check_defaults(config.defaults)
        for position, step in enumerate(config.sync):
            rules.check_step(step, position)
        check_token(config.server.token, report)
        warn_of_copies_onto_mirrors(config, report, self.checks.registry)
        return config.model_copy(update={"creds": tuple(_named(config.creds, report, self.checks.registry))})

    def _expanded(self, config: Config, report: Report) -> tuple[Config, Report]:
        """Return a configuration whose templates are expanded, and a report in which they are not blamed again."""
        from regsync.config.expansion import expand  # noqa: PLC0415  # most files need no templates

        expanded = expand(config, report, self.surroundings)
        self.texts, self.made = expanded.steps, expanded.made
        return expanded.config, replace(report, refused=report.refused | expanded.failed)

    def filled(self, config: Config, left_out: frozenset[str | int]) -> Config:
        """Return the configuration with every step complete and knowing its place, but for those that are left out."""
        defaults = config.defaults.settled()
        steps: list[SyncStep] = []
        for position, step in enumerate(config.sync):
            if position in left_out:
                continue
            line, _ = place_of(self.root, ("sync", position))
            filled = step.filled_from(defaults, place=f"{self.file}:{line}")
            texts = self.texts.get(position)
            steps.append(filled.model_copy(update=texts) if texts else filled)
        return config.model_copy(update={"defaults": defaults, "sync": tuple(steps)})

    def _validated(self, values: dict[str, Any]) -> tuple[Config, frozenset[Path]]:
        """Return what is valid of the values, and the paths of what was not."""
        refused: set[Path] = set()
        while True:
            try:
                return Config.model_validate(values, context=self.findings), frozenset(refused)
            except ValidationError as error:
                for problem in error.errors(include_url=False, include_context=False):
                    refused.add(problem["loc"])
                    self._tell(problem)
                    _take_out(values, problem)

    def _advice(self, pattern: str) -> str:
        """Return what is to be known of a pattern; of one that is none there is an error."""
        try:
            return self.checks.pattern(pattern)
        except Malformed:
            return ""

    def _tell(self, problem: ErrorDetails) -> None:
        path: Path = problem["loc"]
        unknown = problem["type"] == _UNKNOWN_KEY
        place = place_of(self.root, path, key=unknown)
        finding = Finding(*place, path, _worded(problem))
        if unknown:
            self.findings.trap(place, path, "ignores this key", "a warning" if self.lenient else "an error")
        elif problem["input"] in _WORDS and "true or false" in problem["msg"]:
            self.findings.trap(place, path, "takes no word but true and false", "the same")
        elif path[-1] != "priority" and kind_of(problem["input"]) == kind_of(Plain(-1, "-1")):
            self.findings.trap(place, path, "takes a number below 0 for none", "an error")
        (self.findings.warnings if unknown and self.lenient else self.findings.errors).append(finding)


def _worded(problem: ErrorDetails) -> str:
    """Return our words for what pydantic found."""
    kind, given = problem["type"], problem["input"]
    if kind == OURS:
        return problem["msg"]
    if kind == _UNKNOWN_KEY:
        key = str(problem["loc"][-1])
        return _OF_A_FORK if key in _FORK else f"unknown key; {did_you_mean(key, _keys_at(problem['loc'][:-1]))}"
    if kind == _NO_LIST:
        return f"expected a list, found {kind_of(given)}{'' if isinstance(given, dict) else '; write it as [...]'}"
    keys = _keys_at(problem["loc"]) if kind != _NO_DICT else []
    among = f" of {', '.join(keys)}" if 0 < len(keys) <= _FEW else ""
    instead = "; write it as {allow: [...]}" if "allow" in keys and isinstance(given, str | list) else ""
    return f"expected a mapping{among}, found {kind_of(given)}{instead}"


def _keys_at(path: Path) -> list[str]:
    """Return the keys that the mapping at this path may have."""
    model: type[BaseModel] = Config
    for part in path:
        if isinstance(part, str):
            fields = {field.alias: field.annotation for field in model.model_fields.values()}
            model = _model_in(fields[part]) or model
    return [field.alias for field in model.model_fields.values() if field.alias and not field.exclude]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)


def _take_out(values: Any, problem: ErrorDetails) -> None:
    """Remove what is not valid; of a list of plain values the whole list, so that positions stay true."""
    path: Path = problem["loc"]
    replaced = problem["type"] in _NO_MAPPING and isinstance(path[-1], int)
    while not replaced and isinstance(path[-1], int):
        path = path[:-1]
    try:
        for part in path[:-1]:
            values = values[part]
        if replaced:
            values[path[-1]] = {}
        else:
            del values[path[-1]]
    except KeyError:
        return  # gone with another value of its list


def _named(creds: tuple[Cred, ...], report: Report, registry: ReadName) -> Iterator[Cred]:
    """Yield the logins that belong to a registry, checked."""
    for position, cred in enumerate(creds):
        path: Path = ("creds", position)
        if cred.registry:
            check_cred(cred, path, report=report, registry=registry)
            yield cred
        elif (*path, "registry") not in report.refused and path not in report.refused:
            report.warn(path, "Ignoring registry config without a name")


def _told(findings: list[Finding], file: str) -> list[str]:
    """Return the lines to show, in the order of the file; what an alias repeats is told once."""
    once = {(finding.line, finding.column, finding.text): finding for finding in reversed(findings)}
    ordered = sorted(once.values(), key=lambda finding: (finding.line, finding.column))
    return [finding.told(file) for finding in ordered]
