from __future__ import annotations

from dataclasses import replace

import pytest

from regsync.oci.reference import Reference, parse_reference
from regsync.oci.referrers import ReferrerOptions
from regsync.sync.entry import SyncEntry
from regsync.sync.order import predecessors
from regsync.transfer.options import CopyOptions
from tests.unit.sync.lab import image


def entry(kind: str, source: str, target: str) -> SyncEntry:
    match kind:
        case "image" | "repository" | "registry":
            return SyncEntry(f"{source} {target}", kind, source, target, ())
        case _:
            raise AssertionError(kind)


@pytest.mark.parametrize(
    ("first", "second", "dependent"),
    [
        (("image", "a.x/a:1", "b.x/a:1"), ("image", "b.x/a:1", "c.x/a:1"), True),
        (("image", "a.x/a:1", "b.x/a:1"), ("image", "b.x/a:2", "c.x/a:2"), False),
        (("repository", "a.x/a", "b.x/a"), ("image", "b.x/a:2", "c.x/a:2"), True),
        (("image", "a.x/a:1", "b.x/a:1"), ("repository", "b.x/a", "c.x/a"), True),
        (("image", "a.x/a:1", "b.x/a:1"), ("repository", "b.x/other", "c.x/a"), False),
        (("registry", "a.x", "b.x/mirror"), ("repository", "b.x/mirror/deep/er", "c.x/a"), True),
        (("registry", "a.x", "b.x/mirror"), ("repository", "b.x/mirrored", "c.x/a"), False),
        (("registry", "a.x", "b.x"), ("registry", "b.x", "c.x"), True),
        (("image", "a.x/a:1", "b.x/deep/a:1"), ("registry", "b.x", "c.x"), True),
        (("image", "a.x/a:1", "ocidir://d:1"), ("image", "ocidir://d:1", "c.x/a:1"), True),
        (("registry", "a.x", "ocidir:///d"), ("image", "ocidir:///d/app:1", "c.x/a:1"), True),
        (("image", "a.x/a:1", "a.x/a:2"), ("image", "a.x/b:1", "c.x/b:1"), False),
        (("registry", "a.x", "myorg"), ("image", "myorg/app:1", "c.x/a:1"), True),
    ],
)
def test_an_entry_comes_after_those_that_write_what_it_reads(
    first: tuple[str, str, str], second: tuple[str, str, str], dependent: bool
) -> None:
    assert predecessors([entry(*first), entry(*second)])[1] == (frozenset({0}) if dependent else frozenset())
    assert predecessors([entry(*second), entry(*first)])[0] == (frozenset({1}) if dependent else frozenset())


@pytest.mark.parametrize(
    ("kind", "target", "backup", "read", "waits"),
    [
        ("image", "b.x/a:1", "{}:old", "b.x/a:old", True),
        ("image", "b.x/a:1", "{}:old", "b.x/a:older", False),
        ("image", "b.x/a:1", "d.x/kept:{}", "d.x/kept:1", True),
        ("repository", "b.x/a", "d.x/kept:{}", "d.x/kept:1", True),
        ("repository", "b.x/a", "d.x/kept:{}", "d.x/other:1", False),
        ("registry", "b.x/m", "d.x/kept:old", "d.x/kept:old", True),
        ("registry", "b.x/m", "d.x/{}:old", "d.x/one:old", False),
        ("image", "b.x/a:1", "d.x/NO:{}", "d.x/no:1", False),
    ],
)
def test_an_entry_comes_after_those_that_keep_former_images_where_it_reads(
    kind: str, target: str, backup: str, read: str, waits: bool
) -> None:
    def keep(reference: Reference) -> Reference:
        asked = (
            reference.name if backup.startswith("{") else reference.name.rpartition("/")[2] if "/{" in backup else ""
        )
        return parse_reference(backup.format(asked or reference.tag))

    writer = replace(entry(kind, "a.x" if kind == "registry" else "a.x/a", target), backup=keep)
    assert predecessors([entry("image", read, "c.x/a:1"), writer])[0] == (frozenset({1}) if waits else frozenset())


def test_an_entry_does_not_wait_for_itself() -> None:
    assert predecessors([entry("image", "a.x/a:1", "a.x/a:1"), entry("repository", "a.x/a", "a.x/a")]) == [
        frozenset({1}) - {1},
        frozenset({0}),
    ]


def test_a_circle_runs_in_the_order_of_the_file() -> None:
    entries = [
        entry("image", "c.x/a:1", "a.x/a:1"),
        entry("image", "a.x/a:1", "b.x/a:1"),
        entry("image", "b.x/a:1", "c.x/a:1"),
    ]
    assert predecessors(entries) == [frozenset(), frozenset({0}), frozenset({1})]


def test_what_hangs_off_a_circle_comes_after_it() -> None:
    entries = [
        entry("image", "b.x/a:1", "z.x/a:1"),
        entry("image", "b.x/a:1", "a.x/a:1"),
        entry("image", "a.x/a:1", "b.x/a:1"),
    ]
    before = predecessors(entries)
    assert before[0] == {2}
    assert before[1] == frozenset()
    assert before[2] == {1}


def test_two_names_of_one_place_are_one_place() -> None:
    entries = [entry("image", "a.x/a:1", "alias.x/a:1"), entry("image", "b.x/a:1", "c.x/a:1")]
    assert predecessors(entries)[1] == frozenset()
    assert predecessors(entries, lambda name: name.replace("alias.x", "b.x"))[1] == {0}


def with_referrers(entry: SyncEntry, *, source: str = "", target: str = "") -> SyncEntry:
    options = ReferrerOptions(
        source=parse_reference(source) if source else None, target=parse_reference(target) if target else None
    )
    return replace(entry, options=CopyOptions(referrers=options))


@pytest.mark.parametrize("kind", ["image", "repository", "registry"])
@pytest.mark.parametrize("place", ["b.x/signatures", "ocidir://signatures"])
def test_an_entry_comes_after_those_that_write_where_it_reads_referrers(kind: str, place: str) -> None:
    ends = {"image": ("c.x/a:1", "d.x/a:1"), "repository": ("c.x/a", "d.x/a"), "registry": ("c.x", "d.x")}[kind]
    reader = with_referrers(entry(kind, *ends), source=place)
    for writer in (
        entry("image", "a.x/a:1", f"{place}:v1"),
        entry("repository", "a.x/a", place),
        with_referrers(entry("image", "a.x/a:1", "e.x/a:1"), target=place),
    ):
        assert predecessors([reader, writer]) == [frozenset({1}), frozenset()]
    assert predecessors([reader, entry("image", "a.x/a:1", "b.x/other:1")]) == [frozenset(), frozenset()]


def test_an_entry_comes_after_those_that_write_referrers_where_it_reads() -> None:
    writer = with_referrers(entry("image", "a.x/a:1", "e.x/a:1"), target="b.x/signatures")
    for reader in (
        entry("image", "b.x/signatures:v1", "c.x/a:1"),
        entry("repository", "b.x/signatures", "c.x/a"),
        entry("registry", "b.x", "c.x"),
    ):
        assert predecessors([reader, writer]) == [frozenset({1}), frozenset()]
    assert predecessors([entry("image", "b.x/other:v1", "c.x/a:1"), writer]) == [frozenset(), frozenset()]


def test_an_entry_that_reads_and_writes_its_referrers_in_one_place_does_not_wait_for_itself() -> None:
    own = with_referrers(entry("image", "a.x/a:1", "b.x/a:1"), source="c.x/s", target="c.x/s")
    assert predecessors([own, entry("image", "z.x/a:1", "y.x/a:1")]) == [frozenset(), frozenset()]


def test_thousands_that_wait_for_each_other_are_ordered_without_asking_everybody() -> None:
    entries = [entry("image", f"r{n}.x/a:1", f"r{n + 1}.x/a:1") for n in range(8000)]
    assert predecessors(entries) == [frozenset({n - 1} if n else ()) for n in range(8000)]


def test_an_entry_alone_waits_for_nobody_and_no_place_is_looked_up_for_it() -> None:
    def place_of(name: str) -> str:
        raise AssertionError(name)

    assert predecessors([image("a.x/app:v1", "b.x/app:v1")], place_of) == [frozenset()]
