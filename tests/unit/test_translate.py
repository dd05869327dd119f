from __future__ import annotations

from pathlib import Path

from regsync.config.load import Loaded
from regsync.config.templated import NOWHERE
from regsync.daemon.schedule import Every
from regsync.loading import load
from regsync.oci.mediatype import OCI_INDEX, SYNCED_BY_DEFAULT
from regsync.oci.platform import Platform, Platforms
from regsync.oci.referrers import ReferrerFilter, ReferrerOptions
from regsync.transfer.options import CopyOptions
from regsync.translate import delays_of, entries_of, schedules_of


def loaded(text: str, folder: Path) -> Loaded:
    (folder / "regsync.yml").write_text(text)
    return load(str(folder / "regsync.yml"), allow_unknown_keys=False)


def names(text: str, folder: Path) -> list[str]:
    return [entry.name for entry in entries_of(loaded(text, folder).config, NOWHERE)]


def test_entries_keep_their_order_and_their_filters(tmp_path: Path) -> None:
    text = """
sync:
- {source: a.x/app, target: b.x/app, type: repository, tags: {allow: [v1]}, tagSets: [{deny: [v2]}, {}]}
- {source: a.x, target: b.x/m, type: registry, repos: {deny: [private]}}
- {source: 'a.x/app:v1', target: 'c.x/app:v1', type: image, mediaTypes: [application/vnd.oci.image.index.v1+json]}
"""
    first, second, third = entries_of(loaded(text, tmp_path).config, NOWHERE)
    assert first.tags.choose(["v1", "v2", "v3"]) == ["v1", "v3", "v2"]
    assert first.media_types == SYNCED_BY_DEFAULT
    assert second.repositories.choose(["public", "private"]) == ["public"]
    assert third.media_types == (OCI_INDEX,)
    assert len({first.name, second.name, third.name}) == 3


def test_an_entry_is_called_by_its_name_or_by_what_it_does(tmp_path: Path) -> None:
    text = """
sync:
- {source: 'a.x/app:v1', target: 'b.x/app:v1', type: image}
- {name: the others, source: a.x/app, target: b.x/app, type: repository}
- {source: a.x, target: b.x/m, type: registry}
"""
    assert names(text, tmp_path) == ["image a.x/app:v1 -> b.x/app:v1", "the others", "registry a.x -> b.x/m"]


def test_names_do_not_depend_on_where_an_entry_stands(tmp_path: Path) -> None:
    lines = [
        "- {source: a.x/app, target: b.x/app, type: repository, tags: {allow: [v1]}}",
        "- {source: a.x/app, target: b.x/app, type: repository, tags: {allow: [v2]}, interval: 5m}",
        "- {source: a.x/app, target: b.x/app, type: repository, tagSets: [{deny: [v2]}]}",
        "- {source: a.x, target: b.x/m, type: registry}",
    ]
    first, second, third, fourth = names("sync:\n" + "\n".join(lines), tmp_path)
    assert len({first, second, third, fourth}) == 4
    assert all(name.startswith("repository a.x/app -> b.x/app #") for name in (first, second, third))
    assert names("sync:\n" + "\n".join(reversed(lines)), tmp_path) == [fourth, third, second, first]
    assert names("sync:\n" + "\n".join(lines[1:]), tmp_path) == [second, third, fourth]


def test_entries_that_are_the_same_are_counted_and_never_take_a_given_name(tmp_path: Path) -> None:
    same = "- {source: 'a.x/a:1', target: 'b.x/a:1', type: image}\n"
    first, second = names(f"sync:\n{same}{same}", tmp_path)
    assert second == f"{first} (2)"
    text = f"sync:\n{same}- {{name: 'image a.x/a:1 -> b.x/a:1', source: 'a.x/b', target: 'b.x/b', type: image}}\n{same}"
    text += f"- {{name: '{second}', source: 'a.x/c', target: 'b.x/c', type: image}}"
    assert names(text, tmp_path) == [first, "image a.x/a:1 -> b.x/a:1", f"{first} (3)", second]
    assert list(schedules_of(loaded(f"defaults: {{interval: 1h}}\n{text}", tmp_path).config)) == names(text, tmp_path)


def test_a_schedule_wins_over_an_interval_and_none_leaves_the_entry_out(tmp_path: Path) -> None:
    text = """
sync:
- {source: 'a.x/a:1', target: 'b.x/a:1', type: image, interval: 30m}
- {source: 'a.x/a:2', target: 'b.x/a:2', type: image, interval: 30m, schedule: '5 * * * *'}
- {source: 'a.x/a:3', target: 'b.x/a:3', type: image}
"""
    config = loaded(text, tmp_path).config
    by_interval, by_schedule, never = (entry.name for entry in entries_of(config, NOWHERE))
    schedules = schedules_of(config)
    assert isinstance(schedules[by_interval], Every)
    assert not isinstance(schedules[by_schedule], Every)
    assert never not in schedules


def test_ranges_of_versions_choose_tags_and_tell_entries_apart(tmp_path: Path) -> None:
    text = """
sync:
- {source: a.x/a, target: b.x/a, type: repository, tags: {semverRange: ['^1']}}
- {source: a.x/a, target: b.x/a, type: repository, tagSets: [{semverRange: ['^2', ''], deny: ['.*rc.*']}]}
- {source: a.x/a, target: b.x/a, type: repository, tags: {semverRange: ['']}}
"""
    one, two, every = entries_of(loaded(text, tmp_path).config, NOWHERE)
    tags = ["1.5", "2.1", "2.2-rc1", "latest"]
    assert [entry.tags.choose(tags) for entry in (one, two, every)] == [["1.5"], ["2.1"], tags]
    assert len({one.name, two.name, every.name}) == 3


def test_what_is_copied_of_an_image_is_the_entry_s_own(tmp_path: Path) -> None:
    text = "sync: [{source: 'a/x:1', target: 'b/x:1', type: image, platform: Linux/x86_64, platforms: [linux/arm, '']}]"
    (entry,) = entries_of(loaded(text, tmp_path).config, NOWHERE)
    assert entry.options == CopyOptions(
        platform=Platform("linux", "amd64"), platforms=Platforms((Platform("linux", "arm", "v7"), None))
    )


def test_what_is_looked_after_besides_an_image_is_taken_from_the_defaults_where_an_entry_is_silent(
    tmp_path: Path,
) -> None:
    text = """
defaults: {referrers: true, digestTags: true, forceRecursive: true, includeExternal: true, fastCopy: true}
sync:
- {source: 'a/x:1', target: 'b/x:1', type: image, referrerFilters: [{artifactType: t, annotations: {k: v}}]}
- {source: 'a/x:2', target: 'b/x:2', type: image,
   referrers: false, digestTags: false, forceRecursive: false, includeExternal: false, fastCheck: false}
"""
    full, bare = entries_of(loaded(text, tmp_path).config, NOWHERE)
    referrers = ReferrerOptions((ReferrerFilter("t", {"k": "v"}),))
    assert full.options == CopyOptions(
        referrers=referrers, digest_tags=True, force_recursive=True, include_external=True, fast_check=True
    )
    assert bare.options == CopyOptions()


def test_an_entry_s_visits_are_put_off_by_its_own_share_of_the_jitter_and_always_by_the_same(tmp_path: Path) -> None:
    lines = [
        f"- {{name: e{number}, source: 'a.x/a:{number}', target: 'b.x/a:{number}', type: image}}\n"
        for number in range(1000)
    ]
    text = f"defaults: {{jitter: 10m}}\nsync:\n{''.join(lines)}"
    delays = delays_of(loaded(text, tmp_path).config)
    assert delays["e1"] == 326.631
    assert delays == delays_of(loaded(text, tmp_path).config)
    minutes = [sum(60 * minute <= delay < 60 * (minute + 1) for delay in delays.values()) for minute in range(10)]
    assert sum(minutes) == 1000
    assert min(minutes) > 70
    assert max(minutes) < 130


def test_an_entry_may_have_a_jitter_of_its_own_or_none(tmp_path: Path) -> None:
    text = """
defaults: {jitter: 10m}
sync:
- {name: a, source: 'a.x/a:1', target: 'b.x/a:1', type: image, jitter: 1s}
- {name: b, source: 'a.x/a:2', target: 'b.x/a:2', type: image, jitter: 0s}
"""
    delays = delays_of(loaded(text, tmp_path).config)
    assert 0 < delays.pop("a") < 1
    assert delays == {}
