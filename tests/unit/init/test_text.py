"""What is written is read by our own loader, means what was chosen, and holds nothing but that."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from regsync.config.templated import NOWHERE
from regsync.init.choosing import choice_of
from regsync.init.ends import source_of, target_of
from regsync.init.suggest import EVERYTHING, Choice, suggestions
from regsync.init.tags import kinds_of
from regsync.init.text import Draft, text_of
from regsync.loading import load_text
from regsync.sync.entry import SyncEntry
from regsync.translate import entries_of
from tests.unit.init.real_tags import SIGNATURE, TAGS

TAG = st.from_regex(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,20}", fullmatch=True)
VERSIONED = st.one_of(TAG, st.from_regex(r"v?[0-9]{1,3}(\.[0-9]{1,2}){0,2}(-[a-z]{1,6}[0-9.]{0,3})?", fullmatch=True))


def draft(choice: Choice = EVERYTHING, tags: tuple[str, ...] = (), **said: Any) -> Draft:
    source = source_of(said.pop("source", "alpine"))
    target = target_of(said.pop("target", "registry.example.org/mirror/alpine"), source)
    return Draft(source, target, choice, kinds=kinds_of(tags) if tags else None, tags=tags, **said)


def loaded(text: str) -> SyncEntry:
    """The one entry of a file, which has nothing to be warned of."""
    found = load_text(text, "regsync.yml")
    assert found.warnings == ()
    (entry,) = entries_of(found.config, NOWHERE)
    return entry


@pytest.mark.parametrize("name", TAGS)
def test_every_suggestion_is_read_back_as_what_it_is_and_takes_what_it_says(name: str) -> None:
    tags = tuple(TAGS[name].split())
    for choice in suggestions(tags):
        text = text_of(draft(choice, tags))
        entry = loaded(text)
        assert entry.tags.filters == choice.filters
        said = re.search(r"# ([0-9]+) of the ([0-9]+) tags there were: (.*)", text)
        assert said
        assert (int(said[1]), int(said[2])) == (len(entry.tags.choose(tags)), len(tags))
        assert said[3].removesuffix(", …").split(", ") == entry.tags.choose(tags)[:5]


@settings(max_examples=25)
@given(st.lists(VERSIONED, min_size=1, max_size=40, unique=True))
def test_of_any_tags_every_suggestion_is_read_back(tags: list[str]) -> None:
    for choice in suggestions(tags):
        assert loaded(text_of(draft(choice, tuple(tags)))).tags.filters == choice.filters


@settings(max_examples=50)
@given(st.from_regex(r"ocidir://[a-z/][/a-zA-Z0-9_\-. ~+]{1,30}", fullmatch=True), st.text(min_size=1, max_size=20))
def test_any_path_and_any_pattern_is_read_back(path: str, name: str) -> None:
    pattern = re.escape("".join(filter(str.isprintable, name)) or "x")
    entry = loaded(text_of(draft(Choice("a pattern", choice_of([f"(?:{pattern})"], []).filters), target=path)))
    assert entry.target == path.strip()
    assert entry.tags.filters[0].allow == (f"(?:{pattern})",)


@pytest.mark.parametrize(
    ("source", "target", "kind"),
    [
        ("alpine:3.22", "registry.example.org", "image"),
        (f"alpine:3.22@sha256:{'a' * 64}", "ocidir://images/alpine", "image"),
        ("http://localhost:5000", "registry.example.org/copies", "registry"),
        ("[::1]:5000", "ocidir://images", "registry"),
        ("ocidir://it is/here", "http://localhost:5000", "repository"),
    ],
)
def test_every_kind_of_source_makes_an_entry_of_its_type(source: str, target: str, kind: str) -> None:
    entry = loaded(text_of(draft(source=source, target=target)))
    assert entry.kind == kind
    assert entry.source == source_of(source).text


def test_plain_http_is_said_of_both_registries_once() -> None:
    text = text_of(draft(source="http://localhost:5000/a", target="http://localhost:5000/b"))
    assert yaml.safe_load(text)["creds"] == [{"registry": "localhost:5000", "tls": "disabled"}]
    text = text_of(draft(source="http://localhost:5000/a", target="http://127.0.0.1:5001"))
    assert len(load_text(text, "regsync.yml").config.creds) == 2


def test_repositories_and_tags_of_a_registry_are_chosen() -> None:
    choice = choice_of(["latest"], [])
    entry = loaded(text_of(draft(choice, source="ghcr.io", target="ocidir://a", repositories=("team/.*", "it's"))))
    assert entry.repositories.choose(["team/a", "it's", "other"]) == ["team/a", "it's"]
    assert entry.tags.choose(["latest", "v1"]) == ["latest"]


@pytest.mark.parametrize(
    ("said", "defaults"),
    [
        ({"interval": "1h"}, {"interval": "1h"}),
        ({"schedule": "15 2 * * *"}, {"schedule": "15 2 * * *"}),
        ({"schedule": "@daily"}, {"schedule": "@daily"}),
        ({}, None),
    ],
)
@pytest.mark.parametrize("source", ["alpine", "quay.io/a/b"])
def test_times_stand_in_the_defaults_or_in_a_comment(
    said: dict[str, Any], defaults: dict[str, str] | None, source: str
) -> None:
    text = text_of(draft(source=source, **said))
    assert yaml.safe_load(text).get("defaults") == defaults
    assert ("ratelimit" in text) == (source == "alpine")


@pytest.mark.parametrize("source", ["alpine", "quay.io/a/b"])
@pytest.mark.parametrize("interval", ["", "1h"])
def test_what_stands_in_comments_is_configuration_once_the_marks_are_gone(source: str, interval: str) -> None:
    text = text_of(draft(source=source, interval=interval, logins=("registry.example.org",), tags=("1.0", "1.0-x")))
    parts = re.split(r"^#$", text, flags=re.MULTILINE)
    bare = "".join(
        re.sub(r"^( *)# ((?: *[-a-z]+: ?)| +- |defaults:)", r"\1\2", p, flags=re.MULTILINE) for p in parts[2:]
    )
    found = yaml.safe_load(bare)
    assert found["creds"][0]["user"] == '{{ env "REGISTRY_USER" }}'
    assert found["defaults"]["interval"] == "1h"
    assert ("ratelimit" in found["defaults"]) == (source == "alpine")
    assert found["sync"][0]["referrers"] is True


@pytest.mark.parametrize(
    ("tag", "key"), [(SIGNATURE, "digestTags"), (f"sha256-{'b' * 64}", "referrers")]
)  # what cosign leaves, and what lists referrers where a registry does not
def test_what_is_tied_to_images_is_copied_where_it_was_seen(tag: str, key: str) -> None:
    (entry,) = yaml.safe_load(text_of(draft(tags=("1.0", tag))))["sync"]
    assert [name for name in ("digestTags", "referrers") if entry.get(name)] == [key]


def test_what_is_left_out_is_told_with_its_number() -> None:
    tags = tuple(TAGS["postgres"].split())
    text = text_of(draft(suggestions(tags)[0], tags))
    assert "#   4 variants -alpine: " not in text
    assert "#   5 variants -alpine: 16.3-alpine, 16-alpine, 16.3-alpine3.19, 17.0-alpine, 17-alpine\n" in text
    assert "#   2 prereleases: 17beta1, 17rc1-alpine\n" in text


def test_a_name_of_a_file_ends_no_comment() -> None:
    assert loaded(text_of(draft(name="a\nsync: []\n.yml"))).kind == "repository"
