"""A `Config` becomes the YAML that `regsync config` prints: what counts, in the order of the model, defaults filled in.

What is printed with its secrets can be loaded again and means the same, so texts that would not be read back as text
are quoted by the rules of our own reader. What says nothing (an empty text, list or mapping) is left out, unless an
entry would inherit something in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any, Final

import yaml

from regsync.config.fields import Section
from regsync.config.hooks import without_secrets
from regsync.config.model import Config, Cred, Defaults, RateLimit, Server, SyncStep
from regsync.config.problems import HIDDEN, SECRETS
from regsync.config.scalars import resolve
from regsync.config.templated import CRED_TEXTS, is_template

_HIDDEN_KEYS: Final = SECRETS - {"user"}
_ABOUT_HIDDEN: Final = f"# {HIDDEN} stands for a secret. What `config --show-secrets` prints can be used as it is.\n"
_FIRST: Final = ("name", "source", "target", "type", "tags", "tagSets", "repos", "platform", "platforms")
_OF_THE_USER: Final = "annotations"  # a mapping of these, in which an empty text means something
_NOTHING: Final[tuple[Any, ...]] = (None, "", "0s", [], {})
_USUAL_LIMIT: Final = RateLimit().filled_from(RateLimit()).model_dump(by_alias=True, mode="json")
_LOGIN_TEXTS: Final = tuple(Cred.model_fields[name].alias or name for name in CRED_TEXTS)
_PLACES: Final = ("source", "target", "referrerSource", "referrerTarget")
_TEXT: Final = "tag:yaml.org,2002:str"
_UNBROKEN: Final = 1 << 20  # characters to a line; a reference must stay on one

_Writer: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_Writer):  # type: ignore[misc]  # which of PyYAML's dumpers this is, is known at run time only
    """Quotes what YAML 1.2 would take for a number or word, and writes certificates as blocks."""

    def ignore_aliases(self, _data: object) -> bool:
        """Write everything out: PyYAML's hook for values that occur twice."""
        return True


def _written(_dumper: Any, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else "'" if resolve(text) != text else None
    return yaml.ScalarNode(_TEXT, text, style=style)


_Dumper.add_representer(str, _written)


def dump_config(
    config: Config, *, show_secrets: bool, made: Container[str] = (), clean: Callable[[str], str] = str
) -> str:
    """Return a configuration as YAML; passwords, tokens and keys as `***` unless asked for, URLs of webhooks, too.

    `made` are places that came out of templates, where a secret may have got into; `clean` takes it out.
    """
    inherited = _values(SyncStep().filled_from(config.defaults, place=""))
    values: dict[str, Any] = {
        "version": config.version,
        "creds": [_login(cred) for cred in config.creds],
        "defaults": _telling(_values(config.defaults), _values(Defaults().settled())),
        "server": _telling(_values(config.server), _values(Server())),
        "sync": [_telling(_values(step), inherited) for step in config.sync],
    }
    sections = (*values["creds"], values["defaults"], values["server"], *values["sync"])
    hidden = not show_secrets and any([*map(_hide, sections)])
    for step in values["sync"] if not show_secrets else ():
        step.update({key: clean(step[key]) for key in _PLACES if step.get(key) in made})
    for section, keys in [
        *((one, _LOGIN_TEXTS) for one in values["creds"]),
        (values["server"], ("token",)),
        *((one, _PLACES) for one in values["sync"]),
        *((one, ("url",)) for one in values["defaults"].get("notify", ())),
    ]:
        section.update({key: _not_a_template(section[key]) for key in keys if is_template(section.get(key, ""))})
    values = {key: value for key, value in values.items() if value}
    text = str(yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_UNBROKEN))
    return _ABOUT_HIDDEN + text if hidden else text


def _not_a_template(text: str) -> str:
    """Return a template for a text that came out of one and looks like another: nothing is expanded twice."""
    return text.replace("{{", '{{"{{"}}')


def _hide(section: dict[str, Any]) -> bool:
    """Put what may be shown in place of what is secret, and say whether there was anything."""
    secret = [key for key in section if key in _HIDDEN_KEYS]
    section.update(dict.fromkeys(secret, HIDDEN))
    hidden = bool(secret)
    for hook in section.get("hooks", {}).values():
        if hook["type"] == "webhook":
            shown = [without_secrets(url) for url in hook["params"]]
            hidden = hidden or shown != hook["params"]
            hook["params"] = shown
    for item in section.get("notify", ()):
        scheme = item["url"].partition("://")[0]
        item["url"] = without_secrets(item["url"]) if scheme in {"http", "https"} else f"{scheme}://{HIDDEN}"
        hidden = True
    return hidden


def _login(cred: Cred) -> dict[str, Any]:
    values = _values(cred)
    values["reqConcurrent"] = cred.req_concurrent or 0
    if not cred.api_opts.disable_head:
        del values["apiOpts"]
    return _telling(values, _values(Cred()))


def _values(section: Section) -> dict[str, Any]:
    return section.model_dump(by_alias=True, mode="json")


def _telling(values: dict[str, Any], unsaid: dict[str, Any]) -> dict[str, Any]:
    """Return what says something, or has to be said because `unsaid` is what its absence means."""
    ordered: dict[str, Any] = {key: values[key] for key in _FIRST if key in values}
    ordered.update(values)
    return {key: _brief(value) for key, value in ordered.items() if not _says_nothing(value) or value != unsaid[key]}


def _brief(value: Any) -> Any:
    if isinstance(value, list):
        return [_brief(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: one if key == _OF_THE_USER else _brief(one)
        for key, one in value.items()
        if (one if key == _OF_THE_USER else not _says_nothing(one))
    }


def _says_nothing(value: Any) -> bool:
    if isinstance(value, dict):
        return value == _USUAL_LIMIT or all(map(_says_nothing, value.values()))
    return value in _NOTHING
