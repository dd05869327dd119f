"""Which referrers and digest tags are copied, and when: what the reference tool's own tests hold it to, and more."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e.attached import (
    AS_TAGS,
    ATTACHED,
    CHILD,
    CHILD_SBOM,
    DIGEST_TAGS,
    IMAGE,
    OTHER,
    SBOM,
    SBOM_SIGNATURE,
    SBOM_TYPE,
    SIGNATURE,
    TAGGED,
    listing,
    tag_of,
)
from tests.e2e.program import Ended, once, regsync
from tests.support.built import Built, artifact_bytes, index_bytes, read_layout, write_layout

LISTS = {tag_of(IMAGE), tag_of(SBOM), tag_of(CHILD)}


def entry(folder: Path, *options: str, source: str = "source") -> str:
    lines = [f"source: ocidir://{folder}/{source}:v1", f"target: ocidir://{folder}/target:v1", "type: image", *options]
    return "sync:\n- " + "\n  ".join(lines) + "\n"


def copied(folder: Path, *options: str, images: Mapping[str, Built] = AS_TAGS) -> Ended:
    """Copy `v1` of a layout with these images into another one."""
    write_layout(folder / "source", images)
    done = once(entry(folder, *options), cwd=folder)
    assert done.code == 0, done.err
    return done


def arrived(folder: Path, *, at: str = "target") -> tuple[dict[str, str], set[str]]:
    """Return the tags of a layout and the digests of all that lies there."""
    tags, contents = read_layout(folder / at)
    return tags, set(contents)


def there(folder: Path, *built: Built, at: str = "target") -> list[bool]:
    contents = arrived(folder, at=at)[1]
    return [each.digest in contents for each in built]


def test_without_either_option_nothing_attached_is_copied(tmp_path: Path) -> None:
    copied(tmp_path)
    assert list(arrived(tmp_path)[0]) == ["v1"]
    assert not any(there(tmp_path, *ATTACHED, *DIGEST_TAGS.values()))


def test_digest_tags_come_along_and_nothing_else_does(tmp_path: Path) -> None:
    copied(tmp_path, "digestTags: true", images=TAGGED)
    assert arrived(tmp_path)[0] == {tag: TAGGED[tag].digest for tag in ("v1", *DIGEST_TAGS)}
    assert not any(there(tmp_path, OTHER, *ATTACHED))


def test_an_image_whose_digest_tag_is_itself_ends_with_both_tags(tmp_path: Path) -> None:
    copied(tmp_path, "digestTags: true", images={"v1": IMAGE, tag_of(IMAGE, ".sig"): IMAGE})
    assert arrived(tmp_path)[0] == {"v1": IMAGE.digest, tag_of(IMAGE, ".sig"): IMAGE.digest}


@pytest.mark.parametrize("filters", ["", "referrerFilters: []"])
def test_without_filters_children_sboms_and_signatures_arrive_and_other_images_do_not(
    tmp_path: Path, filters: str
) -> None:
    copied(tmp_path, "referrers: true", *([filters] if filters else []))
    assert set(arrived(tmp_path)[0]) == {"v1", *LISTS}
    assert all(there(tmp_path, *IMAGE.children, *ATTACHED))
    assert not any(there(tmp_path, OTHER, *DIGEST_TAGS.values()))


def test_a_filter_by_artifact_type_takes_the_sboms_alone(tmp_path: Path) -> None:
    copied(tmp_path, "referrers: true", f"referrerFilters: [{{artifactType: {SBOM_TYPE}}}]")
    assert there(tmp_path, SBOM, CHILD_SBOM, SIGNATURE, SBOM_SIGNATURE) == [True, True, False, False]


@pytest.mark.parametrize("value", ["spdx", "''"])
def test_a_filter_by_annotation_takes_those_that_have_it(tmp_path: Path, value: str) -> None:
    copied(tmp_path, "referrers: true", f"referrerFilters: [{{annotations: {{org.example.format: {value}}}}}]")
    assert there(tmp_path, SBOM, CHILD_SBOM, SIGNATURE) == [True, False, False]


def test_a_referrer_that_leads_back_to_the_image_ends(tmp_path: Path) -> None:
    back = index_bytes(IMAGE, subject=CHILD)
    copied(tmp_path, "referrers: true", images={"v1": IMAGE, tag_of(CHILD): listing(back)})
    assert all(there(tmp_path, IMAGE, CHILD, back))
    assert set(arrived(tmp_path)[0]) == {"v1", tag_of(CHILD)}


def test_a_referrer_that_names_another_subject_is_refused(tmp_path: Path) -> None:
    stray = artifact_bytes(b"stray", subject=OTHER)
    write_layout(tmp_path / "source", {"v1": IMAGE, tag_of(IMAGE): listing(stray)})
    done = once(entry(tmp_path, "referrers: true"), cwd=tmp_path)
    assert done.code == 1
    assert stray.digest in done.err
    assert "is listed as a referrer of" in done.err


def _laid_out(folder: Path, image: Built | None = IMAGE) -> None:
    """Have an image at the target, and everything that could be attached to the source's at the source."""
    write_layout(folder / "target", {} if image is None else {"v1": image})
    write_layout(folder / "source", AS_TAGS)


BOTH = ("referrers: true", "digestTags: true")


def test_with_fast_check_an_image_that_is_the_same_is_not_looked_after(tmp_path: Path) -> None:
    _laid_out(tmp_path)
    done = once(entry(tmp_path, *BOTH, "fastCheck: true"), cwd=tmp_path)
    assert (done.code, done.figures["unchanged"]) == (0, 1), done.err
    assert arrived(tmp_path)[0] == {"v1": IMAGE.digest}


def test_with_fast_check_an_image_that_differs_brings_all_along(tmp_path: Path) -> None:
    _laid_out(tmp_path, OTHER)
    done = once(entry(tmp_path, *BOTH, "fastCheck: true"), cwd=tmp_path)
    assert done.code == 0, done.err
    assert set(arrived(tmp_path)[0]) == {"v1", *DIGEST_TAGS, *LISTS}


@pytest.mark.parametrize("image", [IMAGE, OTHER, None], ids=["same", "stale", "none"])
def test_check_tells_of_what_is_missing_and_touches_nothing(tmp_path: Path, image: Built | None) -> None:
    _laid_out(tmp_path, image)
    before = arrived(tmp_path)
    (tmp_path / "regsync.yml").write_text(entry(tmp_path, *BOTH))
    done = regsync("check", "-c", "regsync.yml", "--exit-code", cwd=tmp_path)
    assert done.code == 3, done.err
    assert arrived(tmp_path) == before


@pytest.mark.parametrize("image", [IMAGE, OTHER], ids=["same", "stale"])
def test_once_missing_leaves_a_tag_that_is_there_and_adds_no_referrers(tmp_path: Path, image: Built) -> None:
    _laid_out(tmp_path, image)
    done = once(entry(tmp_path, *BOTH), "--missing", cwd=tmp_path)
    assert (done.code, done.figures["unchanged"]) == (0, 1), done.err
    assert arrived(tmp_path)[0] == {"v1": image.digest}


EXTERNAL = artifact_bytes(b"approved by somebody else", subject=IMAGE)


def test_referrers_are_read_from_elsewhere_and_the_image_s_own_stay(tmp_path: Path) -> None:
    write_layout(tmp_path / "elsewhere", {tag_of(IMAGE): listing(EXTERNAL)})
    copied(tmp_path, "referrers: true", f"referrerSource: ocidir://{tmp_path}/elsewhere")
    assert there(tmp_path, EXTERNAL, SBOM, SIGNATURE) == [True, False, False]
    assert set(arrived(tmp_path)[0]) == {"v1", tag_of(IMAGE)}


def test_digest_tags_do_not_replace_referrers_from_elsewhere_by_the_image_s_own(tmp_path: Path) -> None:
    write_layout(tmp_path / "elsewhere", {tag_of(IMAGE): listing(EXTERNAL)})
    copied(tmp_path, *BOTH, f"referrerSource: ocidir://{tmp_path}/elsewhere")
    assert there(tmp_path, EXTERNAL, SBOM, SIGNATURE) == [True, False, False]
    tags, contents = read_layout(tmp_path / "target")
    assert set(tags) == {"v1", tag_of(IMAGE), *DIGEST_TAGS}
    assert EXTERNAL.digest in contents[tags[tag_of(IMAGE)]].decode()


def test_referrers_are_written_elsewhere_alone(tmp_path: Path) -> None:
    write_layout(tmp_path / "elsewhere", {tag_of(IMAGE): listing(EXTERNAL)})
    places = [f"referrerSource: ocidir://{tmp_path}/elsewhere", f"referrerTarget: ocidir://{tmp_path}/kept"]
    copied(tmp_path, "referrers: true", *places)
    assert set(arrived(tmp_path)[0]) == {"v1"}
    assert there(tmp_path, EXTERNAL, SBOM) == [False, False]
    assert there(tmp_path, EXTERNAL, SBOM, IMAGE, at="kept") == [True, False, False]
    assert set(arrived(tmp_path, at="kept")[0]) == {tag_of(IMAGE)}


def test_an_entry_waits_for_the_one_that_writes_the_referrers_it_reads(tmp_path: Path) -> None:
    write_layout(tmp_path / "source", AS_TAGS)
    write_layout(tmp_path / "elsewhere", {"v1": EXTERNAL, tag_of(IMAGE): listing(EXTERNAL)})
    kept = f"ocidir://{tmp_path}/kept"
    reading = entry(tmp_path, "referrers: true", f"referrerSource: {kept}")
    writing = f"- source: ocidir://{tmp_path}/elsewhere\n  target: {kept}\n  type: repository\n"
    done = once(reading + writing, cwd=tmp_path)
    assert done.code == 0, done.err
    assert there(tmp_path, EXTERNAL) == [True]


@pytest.mark.parametrize("slow", [True, False])
def test_referrers_no_list_names_are_found_by_looking_slowly(tmp_path: Path, slow: bool) -> None:
    write_layout(tmp_path / "source", {"v1": IMAGE}, untagged=(SBOM, artifact_bytes(b"no referrer")))
    done = once(entry(tmp_path, "referrers: true", f"referrerSlow: {str(slow).lower()}"), cwd=tmp_path)
    assert done.code == 0, done.err
    assert there(tmp_path, SBOM) == [slow]
    assert set(arrived(tmp_path)[0]) == ({"v1", tag_of(IMAGE)} if slow else {"v1"})


def test_what_is_set_for_all_holds_for_an_entry_that_says_nothing(tmp_path: Path) -> None:
    write_layout(tmp_path / "source", AS_TAGS)
    write_layout(tmp_path / "elsewhere", {tag_of(IMAGE): listing(EXTERNAL, artifact_bytes(b"x", subject=IMAGE))})
    wanted = f"{{artifactType: {EXTERNAL.artifact_type}}}"
    defaults = (
        f"defaults: {{referrers: true, referrerFilters: [{wanted}], referrerSource: 'ocidir://{tmp_path}/elsewhere'}}\n"
    )
    done = once(defaults + entry(tmp_path), cwd=tmp_path)
    assert done.code == 0, done.err
    assert there(tmp_path, EXTERNAL, SBOM) == [True, False]
    assert once(defaults + entry(tmp_path, "referrers: false"), cwd=tmp_path).figures["copied"] == 0


def test_a_list_that_names_the_image_itself_ends(tmp_path: Path) -> None:
    copied(tmp_path, "referrers: true", images={"v1": IMAGE, tag_of(IMAGE): listing(IMAGE, SBOM)})
    assert all(there(tmp_path, IMAGE, SBOM))
