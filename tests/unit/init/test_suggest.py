"""Suggestions for tags as repositories have them: what is offered first, and what it takes."""

from __future__ import annotations

import pytest

from regsync.init.suggest import EVERYTHING, Choice, suggestions
from regsync.init.tags import kinds_of
from tests.unit.init.real_tags import SIGNATURE, TAGS


def first(name: str) -> tuple[str, list[str]]:
    """The words of the first suggestion, and what it takes."""
    tags = TAGS[name].split()
    best = suggestions(tags)[0]
    return best.words, best.of(tags)


@pytest.mark.parametrize(
    ("name", "words", "taken"),
    [
        (
            "alpine",
            "the newest versions 3.22, 3.21, 3.20, and what follows below 4",
            "3.22 3.22.1 3.22.0 3.21 3.21.3 3.21.0 3.20 3.20.3 latest 3",
        ),
        ("debian", "the newest versions 13, 12, and what follows below 14", "12 12.5 12.6 13 13.0 latest"),
        ("postgres", "the newest versions 17, 16, and what follows below 18", "16 16.3 17 17.0 17.1 latest"),
        (
            "node",
            "the newest versions 22.1, 22.0, 21.7, and what follows below 23",
            "21.7.1 21.7 22 22.1 22.1.0 22.0 22.0.0 latest",
        ),
        (
            "cert-manager",
            "the newest versions 1.15, 1.14, 1.13, and what follows below 2",
            "v1.14.4 v1.15.0 v1.15.1 v1.13.0",
        ),
        (
            "prometheus",
            "the newest versions 2.53, 2.52, 2.51, and what follows below 3",
            "v2.51.0 v2.52.0 v2.53.0 latest",
        ),
        ("home-assistant", "versions from 2024.2 up", "2024.3.1 2024.4 2024.4.1 2024.2 2024.2.1 latest"),
        ("minio", "RELEASE.… from 2024 on", "RELEASE.2024-03-15T01-07-19Z RELEASE.2024-01-15T01-07-19Z.fips latest"),
        ("commits", "latest alone", "latest"),
        ("commits-unnamed", "names, and no builds", "main pr-12"),
        (
            "bitnami",
            "the newest versions 2.51, 2.50, and what follows below 3, as -debian-…-r",
            "2.51.0-debian-12-r3 2.51.0-debian-12-r2 2.50.0-debian-11-r0 latest",
        ),
        ("machines", "the newest version 1.2, and what follows below 2", "v1.2.3 latest"),
        ("days", "days from 2024-03-15 up", "2024-03-15 2024-03-16 2024-04-01"),
        ("nightly-days", "days from 20240302 up", " ".join(f"202403{day:02}" for day in range(2, 12))),
        ("numbers", "numbers from 4 up", "4 5 6 7 8 9 10 11 12 13 latest"),
        ("names", "everything", "bookworm slim"),
        ("only-early", "everything", "v0.1.0-alpha.1 v0.1.0-alpha.2"),
        ("months", "versions from 2024.1 up", "2024.01 2024.02 2024.03"),
    ],
)
def test_the_first_suggestion_takes_what_people_mirror(name: str, words: str, taken: str) -> None:
    assert first(name) == (words, taken.split())


@pytest.mark.parametrize("name", TAGS)
def test_what_was_left_out_on_purpose_is_left_out(name: str) -> None:
    tags = TAGS[name].split()
    kinds = kinds_of(tags)
    unwanted = {*kinds.early, *kinds.machines, *kinds.commits, *kinds.attached}
    for choice in suggestions(tags):
        assert choice is EVERYTHING or not unwanted.intersection(choice.of(tags))


@pytest.mark.parametrize("name", TAGS)
def test_every_suggestion_takes_something_no_two_take_the_same_and_the_last_takes_everything(name: str) -> None:
    tags = TAGS[name].split()
    *others, last = suggestions(tags)
    assert last is EVERYTHING
    taken = [tuple(sorted(one.of(tags))) for one in others]
    assert all(taken)
    assert len({*taken}) == len(taken)


@pytest.mark.parametrize(
    ("name", "words", "taken", "not_taken"),
    [
        ("postgres", "-alpine", "16-alpine 16.3-alpine 16.3-alpine3.19 17.9-alpine3.23", "18-alpine 15.9-alpine 16.4"),
        ("debian", "-slim", "12.5-slim 13.1-slim", "11.9-slim 14-slim 12.5"),
    ],
)
def test_a_variant_is_offered_from_its_own_alias_up_to_the_next_major(
    name: str, words: str, taken: str, not_taken: str
) -> None:
    (choice,) = [one for one in suggestions(TAGS[name].split()) if one.words.endswith(words)]
    assert choice.of(f"{taken} {not_taken}".split()) == taken.split()


def test_tomorrows_tags_are_taken_and_the_next_major_is_not() -> None:
    choice = suggestions(TAGS["prometheus"].split())[0]
    tomorrow = ["v2.54.1", "v2.99.0", "v3.0.0", "v3.0.0-rc.0", "v2.54.0-rc.1", "v2.54.1-distroless"]
    assert choice.of(tomorrow) == ["v2.54.1", "v2.99.0"]


@pytest.mark.parametrize(("year", "taken"), [("2024", "2024 2025 2029 2030 2099"), ("2090", "2090 2099")])
def test_days_behind_a_text_are_taken_from_their_newest_year_on(year: str, taken: str) -> None:
    choice = suggestions([f"build-{year}0101", "build-20200101"])[0]
    assert choice.of([f"build-{each}0615" for each in (2020, 2023, 2024, 2025, 2029, 2030, 2090, 2099)]) == [
        f"build-{each}0615" for each in (2024, 2025, 2029, 2030, 2090, 2099) if f"{each}" >= year
    ]
    assert choice.of([f"build-{each}1231" for each in taken.split()])


def test_of_no_tags_everything_is_suggested() -> None:
    assert suggestions([]) == [EVERYTHING]


def test_a_version_among_years_and_a_year_among_versions_are_accidents() -> None:
    semver = [*(f"1.{minor}.0" for minor in range(9)), "2022.01"]
    assert suggestions(semver)[0].of(semver) == ["1.6.0", "1.7.0", "1.8.0"]
    years = [*(f"2024.{month}.0" for month in range(1, 9)), "1.0.0"]
    assert suggestions(years)[0].of(years) == ["2024.6.0", "2024.7.0", "2024.8.0"]


@pytest.mark.parametrize(
    ("tag", "kind"),
    [
        ("17beta1", "early"), ("2024.4.0b1", "early"), ("v1.0-M2", "early"), ("21-ea-33-jdk", "early"),
        ("3.20.1-dev", "early"), ("1.2.3-amd64", "machines"), ("latest-arm64v8", "machines"),
        ("amd64-latest", "machines"), ("1.2_armhf", "machines"), ("sha-1a2b3c4", "commits"),
        ("main-1a2b3c4-1710000000", "names"), ("main-1a2b3c4", "commits"), ("1a2b3c4d5e6f", "commits"),
        ("20240315", "days"), ("2024-03-15", "days"), ("20241345", "releases"), (SIGNATURE, "attached"),
        ("bookworm", "names"), ("1.2.3_custom", "names"), ("3.20.1-alpine", "variants"), ("decade", "names"),
        ("9" * 40, "names"), ("v1", "releases"), ("V1", "names"), ("armor", "names"),
    ],
)  # fmt: skip
def test_a_tag_is_of_the_kind_people_take_it_for(tag: str, kind: str) -> None:
    kinds = kinds_of([tag])
    names = ("releases", "variants", "days", "stamped", "early", "machines", "commits", "attached", "names")
    assert [name for name in names if getattr(kinds, name)] == [kind]


def test_thousands_of_tags_are_sorted_fast_and_each_once() -> None:
    tags = [
        f"{major}.{minor}.{patch}-alpine3.{patch}" for major in range(9) for minor in range(30) for patch in range(9)
    ]
    assert len(kinds_of(tags).variants["-alpine"]) == len(tags)
    assert isinstance(suggestions(tags)[0], Choice)
