"""A `Config` becomes the YAML that `regsync config` prints: every key, in the order of the model, defaults filled in.

What is printed with its secrets can be loaded again and means the same, so texts that would not be read back as text
are quoted by the rules of our own reader.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import yaml

from regsync.config.hooks import without_secrets
from regsync.config.model import Config
from regsync.config.problems import SECRETS
from regsync.config.scalars import resolve

_HIDDEN: Final = "***"
_HIDDEN_KEYS: Final = SECRETS - {"user"}
_GO_HOOKS: Final = ("pre", "post", "unchanged")
_SHOWN_IF_SAID: Final = "semverRange"
_FIRST: Final = ("name", "source", "target", "type", "tags", "tagSets", "repos", "platform", "platforms")
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


def _hooks(hooks: dict[str, Any], *, show_secrets: bool) -> Iterator[tuple[str, Any]]:
    """Yield the hooks Go knows and what else there is; a URL without all behind its host, which may be a secret."""
    for name, hook in hooks.items():
        if hook and hook["type"] == "webhook" and not show_secrets:
            hook["params"] = [without_secrets(url) for url in hook["params"]]
        if hook or name in _GO_HOOKS:
            yield name, hook


def dump_config(config: Config, *, show_secrets: bool) -> str:
    """Return a configuration as YAML; passwords, tokens and keys as `***` unless asked for."""
    values = config.model_dump(by_alias=True, mode="json")
    for cred in values["creds"]:
        cred["apiOpts"] = {key: value for key, value in cred["apiOpts"].items() if value}
        cred["reqConcurrent"] = cred["reqConcurrent"] or 0
        if not show_secrets:
            cred.update({key: _HIDDEN for key in _HIDDEN_KEYS if cred[key]})
    for section in (values["defaults"], *values["sync"]):
        section["hooks"] = dict(_hooks(section["hooks"], show_secrets=show_secrets))
    values["sync"] = [{**{key: step[key] for key in _FIRST}, **step} for step in values["sync"]]
    for step in values["sync"]:
        if not step["name"]:
            del step["name"]
        for chosen in (step["tags"], *step["tagSets"]):
            if not chosen[_SHOWN_IF_SAID]:
                del chosen[_SHOWN_IF_SAID]
    return str(yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_UNBROKEN))
