"""What is attached to an image goes where the image goes, and programs of others list it there."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.attached import (
    AS_TAGS,
    ATTACHED,
    ATTESTED,
    CHILD,
    CHILD_SBOM,
    COSIGN,
    DIGEST_TAGS,
    IMAGE,
    SBOM,
    SBOM_SIGNATURE,
    SIGNATURE,
    listed_by_oras,
    listed_by_regctl,
    listing,
    tag_of,
)
from tests.e2e.program import Ended, Started, creds, once
from tests.support.built import artifact_bytes, write_layout
from tests.support.real import DockerRegistry, run
from tests.support.registries import Ferro


@dataclass(frozen=True, slots=True)
class Station:
    """A place images pass through; `lists` says whether it has the referrers API, and so needs no lists under tags."""

    place: str
    lists: bool = False


@pytest.fixture
def stations(tmp_path: Path) -> Iterator[list[Station]]:
    """Repositories of a registry without the referrers API, of one with it, and layouts, each beside each."""
    write_layout(tmp_path / "origin", AS_TAGS)
    with ExitStack() as stack:
        tags = stack.enter_context(DockerRegistry(tmp_path / "docker-registry")).host
        api = stack.enter_context(Ferro(tmp_path / "ferro")).host
        yield [
            Station(f"ocidir://{tmp_path}/origin"),
            Station(f"{tags}/from/layout"),
            Station(f"{api}/from/tags", lists=True),
            Station(f"{tags}/from/api"),
            Station(f"ocidir://{tmp_path}/from-tags"),
            Station(f"{api}/from/layout", lists=True),
            Station(f"ocidir://{tmp_path}/from-api"),
        ]


def mirrored(source: str, target: str, *, cwd: Path) -> Ended:
    hosts = [name.partition("/")[0] for name in (source, target) if not name.startswith("ocidir:")]
    entry = f"source: '{source}:v1', target: '{target}:v1', type: image, referrers: true, digestTags: true"
    return once(creds(*dict.fromkeys(hosts)) + f"sync:\n- {{{entry}}}\n", cwd=cwd)


def tags_at(place: str) -> set[str]:
    host = [] if place.startswith("ocidir:") else ["--host", f"reg={place.partition('/')[0]},tls=disabled"]
    return set(run("regctl", *host, "tag", "list", place).decode().split())


def assert_all_is_listed(place: str) -> None:
    assert listed_by_oras(place, IMAGE.digest) == {SBOM.digest, SIGNATURE.digest, SBOM_SIGNATURE.digest}
    assert listed_by_regctl(place, IMAGE.digest) == {SBOM.digest, SIGNATURE.digest, COSIGN.digest}
    assert listed_by_regctl(place, CHILD.digest) == {CHILD_SBOM.digest, ATTESTED.digest}
    assert listed_by_regctl(place, SBOM.digest) == {SBOM_SIGNATURE.digest}


def test_what_is_attached_arrives_everywhere_and_is_listed_there(stations: list[Station], tmp_path: Path) -> None:
    for number, (source, target) in enumerate(itertools.pairwise(stations)):
        done = mirrored(source.place, target.place, cwd=tmp_path / f"run{number}")
        assert done.code == 0, done.err
        assert_all_is_listed(target.place)
        lists = set() if target.lists else {tag_of(each) for each in (IMAGE, SBOM, CHILD)}
        assert tags_at(target.place) == {"v1", *DIGEST_TAGS, *lists}
        again = mirrored(source.place, target.place, cwd=tmp_path / f"again{number}")
        assert (again.code, again.figures["copied"], again.figures["bytes"]) == (0, 0, 0), again.err


def test_what_is_attached_later_follows_an_image_that_has_not_changed(tmp_path: Path) -> None:
    origin, target = tmp_path / "origin", f"ocidir://{tmp_path}/target"
    write_layout(origin, {"v1": IMAGE})
    assert mirrored(f"ocidir://{origin}", target, cwd=tmp_path / "before").code == 0
    assert listed_by_oras(target, IMAGE.digest) == set()
    write_layout(origin, AS_TAGS)
    done = mirrored(f"ocidir://{origin}", target, cwd=tmp_path / "after")
    assert done.code == 0, done.err
    assert_all_is_listed(target)


def test_what_others_attached_at_the_target_stays(tmp_path: Path, docker_registry: DockerRegistry) -> None:
    origin, target = tmp_path / "origin", f"{docker_registry.host}/app"
    write_layout(origin, {"v1": IMAGE})
    assert mirrored(f"ocidir://{origin}", target, cwd=tmp_path / "before").code == 0
    note = tmp_path / "note.txt"
    note.write_text("approved")
    arguments = ["--plain-http", "--artifact-type", "application/vnd.example.note", f"{target}:v1", "note.txt"]
    run("oras", "attach", *arguments, cwd=tmp_path)
    (own,) = listed_by_oras(target, IMAGE.digest)
    write_layout(origin, AS_TAGS)
    done = mirrored(f"ocidir://{origin}", target, cwd=tmp_path / "after")
    assert done.code == 0, done.err
    assert listed_by_oras(target, IMAGE.digest) == {own, *(each.digest for each in ATTACHED if each is not CHILD_SBOM)}


def test_two_runs_that_attach_to_one_image_at_once_lose_nothing(
    tmp_path: Path, docker_registry: DockerRegistry
) -> None:
    write_layout(tmp_path / "origin", {"v1": IMAGE})
    target = f"{docker_registry.host}/app"
    notes = [[artifact_bytes(f"note {run} {n}".encode(), subject=IMAGE) for n in range(3)] for run in range(2)]
    runs = []
    for number, attached in enumerate(notes):
        write_layout(tmp_path / f"notes{number}", {tag_of(IMAGE): listing(*attached)})
        entry = f"source: 'ocidir://{tmp_path}/origin:v1', target: '{target}:v1', type: image, referrers: true"
        text = f"sync:\n- {{{entry}, referrerSource: 'ocidir://{tmp_path}/notes{number}'}}\n"
        config = tmp_path / f"{number}.yml"
        config.write_text(creds(docker_registry.host) + text)
        runs.append(Started("once", "-c", str(config), "--logopt", "json", cwd=tmp_path / f"run{number}"))
    for started in runs:
        with started:
            done = started.ended()
            assert done.code == 0, done.err
    assert listed_by_oras(target, IMAGE.digest) == {each.digest for attached in notes for each in attached}
