"""Templates expanded while a file is read: outside of entries with no data, those of an entry with it as `.Sync`.

Nothing under the former two is quoted, what a template says no more than what it makes; only the names of variables and
files are told, if they stand there as they are. What `env` and `file` gave for a secret is a secret, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from regsync.backups.template import data_of as backup_data
from regsync.config.fields import key_of
from regsync.config.model import Config, Cred, Defaults, Server, SyncStep
from regsync.config.problems import Path, Report
from regsync.config.receivers import Notify
from regsync.config.stepdata import data_of, step_data
from regsync.config.templated import STEP_TEXTS, Surroundings, is_template, texts_of
from regsync.errors import BadTemplate, Malformed
from regsync.oci.reference import Reference, parse_reference
from regsync.template.engine import Template
from regsync.template.values import Kind, Struct
from regsync.template.world import World, read_file

_SECRET: Final = frozenset({"password", "token", "client_key", "url"})
_NEEDED: Final = frozenset({"user", "password", "token", "url"})
_NOTHING: Final = Struct(Kind("creds and their like, where there is nothing but functions"), None)
_SAMPLES: Final = {"image": "{}", "repository": "{}:latest", "registry": "{}/repository:latest"}


@dataclass(frozen=True, slots=True)
class Expanded:
    """A configuration without templates, but for `backup`; what came of those that were there.

    `steps` are the texts of each entry, by its position, that are to replace what it says or inherits. `failed` are the
    paths of templates that could not be expanded, which were told. `made` is every text that came out for entries.
    """

    config: Config
    steps: dict[int, dict[str, str]]
    failed: frozenset[Path]
    made: frozenset[str]


def expand(config: Config, report: Report, surroundings: Surroundings) -> Expanded:
    """Expand all templates of a configuration; what is wrong with them goes to the report."""
    expander = _Expander(report, surroundings)
    creds = tuple(expander.cred(cred, ("creds", position)) for position, cred in enumerate(config.creds))
    server = expander.server(config.server, ("server",))
    defaults = config.defaults.settled()
    expander.parse_backup(defaults.backup, ("defaults", "backup"))
    steps: list[SyncStep] = []
    replaced: dict[int, dict[str, str]] = {}
    for position, step in enumerate(config.sync):
        texts = expander.step(step, defaults, ("sync", position))
        steps.append(step.model_copy(update=texts) if texts else step)
        if texts:
            replaced[position] = texts
    notify = tuple(expander.notify(item, position) for position, item in enumerate(config.defaults.notify))
    told = config.defaults.model_copy(update={"notify": notify}) if notify else config.defaults
    expanded = config.model_copy(update={"creds": creds, "defaults": told, "server": server, "sync": tuple(steps)})
    return Expanded(expanded, replaced, frozenset(expander.failed), frozenset(expander.made))


@dataclass(slots=True)
class _Expander:
    """Expands one text after another, and remembers what its functions were asked for meanwhile."""

    report: Report
    surroundings: Surroundings
    failed: set[Path] = field(default_factory=set)
    made: set[str] = field(default_factory=set)
    _world: World = field(init=False)
    _parsed: dict[str, Template] = field(default_factory=dict)
    _backups: set[tuple[str, Path]] = field(default_factory=set)
    _learnt: list[str] = field(default_factory=list)
    _unset: list[str] = field(default_factory=list)
    _file: str = ""  # that was read last

    def __post_init__(self) -> None:
        self._world = World(self.surroundings.now, self._env, self._read, self._unset.append)

    def cred(self, cred: Cred, path: Path) -> Cred:
        """Return a login with its templates expanded."""
        texts = {name: text for name, text in texts_of(cred).items() if is_template(text)}
        made = {name: self._secretly(name, text, (*path, key_of(cred, name))) for name, text in texts.items()}
        return cred.model_copy(update=made) if made else cred

    def notify(self, item: Notify, position: int) -> Notify:
        """Return who is to be told, with the template of a URL expanded."""
        if not is_template(item.url):
            return item
        url = self._secretly("url", item.url, ("defaults", "notify", position, "url"))
        return item.model_copy(update={"url": url})

    def server(self, server: Server, path: Path) -> Server:
        """Return where the daemon answers, with its token expanded."""
        if not is_template(server.token):
            return server
        return server.model_copy(update={"token": self._secretly("token", server.token, (*path, "token"))})

    def _secretly(self, name: str, text: str, path: Path) -> str:
        """Return what a template of a login or token makes, itself if that fails; nothing of either is ever shown."""
        self._forget()
        try:
            made = Template.parse(text).render(_NOTHING, self._world)
        except BadTemplate as error:
            file = f": {self._file}" if self._file and self._file in text else ""
            self._fail(path, f"{error.place}{error.what}{file}")
            self._keep(self._learnt)
            return text
        # What comes out under a key that is shown is no secret; what was cut away from it may well be.
        secret = name in _SECRET
        self._keep([made, *self._learnt] if secret else [value for value in self._learnt if value not in made])
        if name in _NEEDED and not made:
            missing = ", ".join(f"{one} is not set" for one in self._unset if one in text)
            self._fail(path, f"the template comes to nothing{missing and f' ({missing})'}; expected a text")
        self._tell_unset(text, path)
        return made

    def _keep(self, secrets: list[str]) -> None:
        for secret in filter(None, secrets):
            self.surroundings.keep(secret)

    def step(self, step: SyncStep, defaults: Defaults, path: Path) -> dict[str, str]:
        """Return the texts of an entry that come out of templates; `backup` stays one, and is checked."""
        texts = {name: getattr(step, name) or getattr(defaults, name, "") for name in (*STEP_TEXTS, "backup")}
        if not any(map(is_template, texts.values())):
            return {}
        filled = step.filled_from(defaults, place="")
        made: dict[str, str] = {}
        for name in STEP_TEXTS:
            if is_template(texts[name]):
                made[name] = self._openly(texts[name], self._path(step, path, name), data_of(filled))
                if name != "target":  # which `referrerTarget` sees as it was written
                    filled = filled.model_copy(update={name: made[name]})
        self.made.update(made.values())
        whole = filled.model_copy(update=made)
        self._try_backup(whole, self._path(step, path, "backup"))
        return made

    def _path(self, step: SyncStep, path: Path, name: str) -> Path:
        """Return where a text stands that an entry says or inherits."""
        return (*(path if getattr(step, name) else ("defaults",)), key_of(step, name))

    def _openly(self, text: str, path: Path, data: Struct) -> str:
        """Return what a template of an entry makes, itself if that fails."""
        self._forget()
        try:
            made = self._template(text).render(data, self._world)
        except BadTemplate as error:
            self._fail(path, str(error))
            return text
        self._tell_unset(text, path)
        return made

    def parse_backup(self, text: str, path: Path) -> None:
        """Tell what is wrong with a template for backups whatever it is about."""
        try:
            self._template(text)
        except BadTemplate as error:
            self._fail(path, str(error))

    def _try_backup(self, step: SyncStep, path: Path) -> None:
        """Tell what is wrong with a template for backups, whatever the image: run for one that the entry may copy."""
        text = step.backup
        if not is_template(text) or (text, path) in self._backups or path in self.failed:
            return
        self._backups.add((text, path))
        self.parse_backup(text, path)
        sample = _sample(step)
        if path in self.failed or sample is None:
            return
        self._forget()
        try:
            self._template(text).render(backup_data(sample, step_data(step)), self._world)
        except BadTemplate as error:
            if not error.by_value:
                self._fail(path, str(error))
        self._tell_unset(text, path)

    def _template(self, text: str) -> Template:
        if text not in self._parsed:
            self._parsed[text] = Template.parse(text)
        return self._parsed[text]

    def _fail(self, path: Path, text: str) -> None:
        self.report.error(path, text)
        self.failed.add(path)

    def _tell_unset(self, text: str, path: Path) -> None:
        for name in dict.fromkeys(self._unset):
            shown = f"{name} is" if name in text else "a variable is"
            self.report.warn(path, f"{shown} not set in the environment and has no default, so it is empty")

    def _forget(self) -> None:
        self._learnt.clear()
        self._unset.clear()
        self._file = ""

    def _env(self, name: str) -> str | None:
        value = self.surroundings.environ.get(name)
        self._learnt.append(value or "")
        return value

    def _read(self, path: str) -> str:
        self._file = path
        self.surroundings.note(path)
        content = read_file(path)
        self._learnt.append(content.strip())
        return content


def _sample(step: SyncStep) -> Reference | None:
    """Return a target such as an entry may have, None if it can have none."""
    try:
        return parse_reference(_SAMPLES[step.type].format(step.target))
    except Malformed:
        return None
