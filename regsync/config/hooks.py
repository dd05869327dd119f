"""The rules for `hooks`: what can be known to be wrong with one before it is run. Its parameters may be secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from regsync.config.fields import key_of
from regsync.config.model import Config, Hook, Hooks
from regsync.config.problems import Path, Report, did_you_mean
from regsync.oci.reference import valid_host

_TYPES: Final = ("exec", "webhook")
_IN_QUERY: Final = 8  # characters from which on a value of a query may be a token, and no word that is met anywhere
_IN_PATH: Final = 20  # and a part of a path: Slack's and others' URLs are secrets as a whole
_URL: Final = re.compile(r"https?://[!-~]+")


def check_hooks(hooks: Hooks, path: Path, report: Report) -> None:
    """Tell all that is wrong with the hooks of one section."""
    for name in hooks.model_fields_set:
        hook = getattr(hooks, name)
        if hook is not None and not _is_refused((*path, "hooks", key_of(hooks, name)), report):
            _check_hook(hook, (*path, "hooks", key_of(hooks, name)), report)


def webhooks_of(config: Config) -> frozenset[str]:
    """Return the URLs of all webhooks."""
    hooks = [getattr(one.hooks, name) for one in (config.defaults, *config.sync) for name in one.hooks.model_fields_set]
    return frozenset(url for hook in hooks if hook is not None and hook.type == "webhook" for url in hook.params)


def secrets_in(url: str) -> Iterator[tuple[str, str]]:
    """Yield what lets one in and may be met elsewhere, with its user: a password, and whatever looks like a token."""
    parts = urlsplit(url)
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    yield unquote(password), unquote(user)
    for _, value in parse_qsl(parts.query):
        if len(value) >= _IN_QUERY:
            yield value, ""
    for part in parts.path.split("/"):
        if len(part) >= _IN_PATH:
            yield unquote(part), ""


def without_secrets(url: str) -> str:
    """Return a URL as it may be shown: its scheme and host. Whatever else is in it may be what lets one in."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return url if url == f"{parts.scheme}://{host}" else f"{parts.scheme}://{host}/***"


def _is_refused(path: Path, report: Report) -> bool:
    """Say whether something below this path was complained of already, and is missing now."""
    return any(refused[: len(path)] == path for refused in report.refused)


def _check_hook(hook: Hook, path: Path, report: Report) -> None:
    match hook.type:
        case "exec":
            _check_program(hook, path, report)
        case "webhook":
            _check_url(hook, path, report)
        case "":
            report.error((*path, "type"), "missing; expected exec or webhook")
        case other:
            report.error((*path, "type"), f"not a type of hook; {did_you_mean(other, _TYPES)}")


def _check_program(hook: Hook, path: Path, report: Report) -> None:
    if not hook.params or not hook.params[0]:
        report.error((*path, "params"), "missing; expected a list: the program, then each of its arguments")
    elif any("\0" in text for text in hook.params):
        report.error((*path, "params"), "expected texts without NUL characters")


def _check_url(hook: Hook, path: Path, report: Report) -> None:
    if len(hook.params) != 1 or not _is_url(hook.params[0]):
        report.error((*path, "params"), "expected a list of one URL: http:// or https://, a host, and no spaces")


def _is_url(text: str) -> bool:
    try:
        return bool(_URL.fullmatch(text)) and valid_host(urlsplit(text).netloc.rpartition("@")[2])
    except ValueError:
        return False
