"""The text of a first configuration: what was chosen, and in comments what else there is to know."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from regsync.init.ends import End
from regsync.init.suggest import Choice
from regsync.init.tags import Kinds
from regsync.oci.referrers import is_fallback_tag
from regsync.sync.select import Filter
from regsync.text import plain

_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9._/@-]*+(?::++[A-Za-z0-9._/@-]++)*+|(?:[0-9]++[smh])++")
_HUB: Final = "docker.io"
_SHOWN: Final = 5  # tags that stand for all

_LEFT_OUT: Final = (
    ("early", "prereleases"),
    ("machines", "images for one architecture, which the others hold, too"),
    ("commits", "builds of single commits"),
)


@dataclass(frozen=True, slots=True)
class Draft:
    """All that a first configuration says.

    `choice` is for a repository, `repositories` are patterns for those of a registry. `interval` and `schedule` say how
    often, at most one of them. `kinds` is what the source holds, None where nobody has looked. `taken` are the tags the
    choice takes. `logins` are the registries that a login may be needed for and none was found.
    """

    source: End
    target: End
    choice: Choice
    repositories: tuple[str, ...] = ()
    interval: str = ""
    schedule: str = ""
    kinds: Kinds | None = None
    tags: tuple[str, ...] = ()
    logins: tuple[str, ...] = ()
    name: str = "regsync.yml"


def text_of(draft: Draft) -> str:
    """Return the file."""
    blocks = [_head(draft), creds_text([draft.source, draft.target]), _logins(draft.logins), _defaults(draft)]
    return "\n".join(filter(None, [*blocks, "".join(f"{line}\n" for line in _entry(draft))]))


def creds_text(ends: Iterable[End]) -> str:
    """Return what is to be said of registries that speak plain HTTP, with the version of the format before it."""
    names = dict.fromkeys(end.registry for end in ends if end.plain)
    items = "".join(f"  - registry: {quoted(name)}\n    tls: disabled # plain HTTP\n" for name in names)
    return "version: 1\n" + (f"\ncreds:\n{items}" if items else "")


def quoted(text: str) -> str:
    """Return a text as a YAML scalar that is read as it is; it must be printable."""
    return text if _PLAIN.fullmatch(text) else "'" + text.replace("'", "''") + "'"


def few(names: Sequence[str]) -> str:
    """Return the first few of these, in words."""
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")


def counted(count: int, one: str, several: str) -> str:
    """Return a number of things, in words."""
    return f"{count} {one if count == 1 else several}"


def _head(draft: Draft) -> str:
    file = plain(draft.name)
    return (
        "# Made by `regsync init`, to be changed as you like. `regsync config --schema` prints a schema for editors.\n"
        "#\n"
        f"#   regsync config --check -c {file}   is it fine?\n"
        f"#   regsync check -c {file}            what would be copied?\n"
        f"#   regsync once -c {file}             copy it\n"
        f"#   regsync server -c {file}           copy it, and go on at the times below\n"
    )


def _logins(registries: Sequence[str]) -> str:
    if not registries:
        return ""
    lines = [
        "No login was found for what is listed here. After `docker login` (or podman's) it is found by itself;",
        "elsewhere, take the marks away and name where user and password are. They do not belong into this file.",
        "",
        "creds:",
    ]
    for name in registries:
        lines += [
            f"  - registry: {name}",
            """    user: '{{ env "REGISTRY_USER" }}'""",
            """    pass: '{{ file "/run/secrets/registry-password" }}'""",
        ]
    return "".join(f"# {line}".rstrip() + "\n" for line in lines)


def _defaults(draft: Draft) -> str:
    lines = ["defaults:"]
    if draft.interval:
        lines.append(f"  interval: {quoted(draft.interval)} # how often `regsync server` looks; `once` needs no times")
    if draft.schedule:
        lines.append(f"  schedule: {quoted(draft.schedule)} # when `regsync server` looks; `once` needs no times")
    if not (draft.interval or draft.schedule):
        lines = ["# defaults:", '#   interval: 1h # for `regsync server`, which needs this or a schedule: "15 2 * * *"']
    if draft.source.registry == _HUB:
        lead = "# " if lines[0].startswith("#") else "  # "
        lines += [
            f"{lead}Docker Hub counts what is fetched. This leaves the last 20 images to others:",
            f"{lead}{'  ' if lead == '# ' else ''}ratelimit: {{min: 20, retry: 15m}}",
        ]
    return "".join(f"{line}\n" for line in lines)


def _entry(draft: Draft) -> Iterator[str]:
    yield "sync:"
    yield f"  - source: {quoted(draft.source.text)}"
    yield f"    target: {quoted(draft.target.text)}"
    yield f"    type: {draft.source.kind}"
    if draft.source.kind == "registry" and draft.repositories:
        yield "    repos:"
        yield f"      allow: {_list(draft.repositories)}"
    if draft.source.kind == "repository" or draft.choice.filters:
        yield from _chosen(draft)
    yield from _attached(draft)


def _chosen(draft: Draft) -> Iterator[str]:
    choice = draft.choice
    yield f"    # {choice.words[:1].upper()}{choice.words[1:]}."
    if draft.tags:
        taken = choice.of(draft.tags)
        yield f"    # {len(taken)} of the {len(draft.tags)} tags there were: {few(taken) or 'none'}"
    if choice.filters:
        yield "    tagSets:"
    for one in choice.filters:
        lines = [*_filter(one)]
        yield f"      - {lines[0]}"
        yield from (f"        {line}" for line in lines[1:])
    if choice.filters and draft.kinds is not None:
        yield from _left_out(draft.kinds, choice)


def _filter(one: Filter) -> Iterator[str]:
    if one.ranges:
        yield f"semverRange: {_list(one.ranges)}"
    if one.allow:
        yield f"allow: {_list(one.allow)}"


def _list(texts: Iterable[str]) -> str:
    """Return a list in one line, in which a text without quotes might end too early."""
    return "[" + ", ".join("'" + text.replace("'", "''") + "'" for text in texts) + "]"


def _left_out(kinds: Kinds, choice: Choice) -> Iterator[str]:
    """Tell of tags that this choice does not take, and that look as if somebody might miss them."""
    groups = [(words, list(getattr(kinds, name))) for name, words in _LEFT_OUT]
    groups += [(f"variants {key.replace('#', '…')}", [*tags]) for key, tags in kinds.variants.items()]
    missing = [(words, [tag for tag in tags if tag not in {*choice.of(tags)}]) for words, tags in groups]
    told = sorted(((words, tags) for words, tags in missing if tags), key=lambda one: -len(one[1]))[:_SHOWN]
    if told:
        yield "    # Not copied, among others:"
        yield from (f"    #   {len(tags)} {words}: {few(tags)}" for words, tags in told)


def _attached(draft: Draft) -> Iterator[str]:
    attached = () if draft.kinds is None else draft.kinds.attached
    if any(not is_fallback_tag(tag) for tag in attached):
        yield "    digestTags: true # signatures and the like, which lie under tags made of a digest"
    if any(map(is_fallback_tag, attached)):
        yield "    referrers: true # signatures, SBOMs and what else refers to an image"
    else:
        yield "    # referrers: true # copy signatures, SBOMs and what else refers to an image, too"
