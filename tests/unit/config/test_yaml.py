from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from regsync.config.load import load_config
from regsync.errors import ConfigError
from tests.unit.config.loading import CHECKS, STEP, config_of, loaded, problems_of, warnings_of


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "---\n", "null", "~", "{}", "---\n...\n"])
def test_an_empty_file_is_version_1_without_steps(text: str) -> None:
    config = config_of(text)
    assert (config.version, config.creds, config.sync) == (1, (), ())


@pytest.mark.parametrize("said", ["version: 1", "version: 0", 'version: "1"', "version: ~", "version: 1.0"])
def test_version_1_can_be_said_in_several_ways(said: str) -> None:
    assert config_of(said).version == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_byte_order_mark_is_no_part_of_the_text(encoding: str) -> None:
    text = "\ufeff" + STEP if encoding.startswith("utf-16-") else STEP
    assert config_of(text.encode(encoding)).sync[0].source == "a.example/x"


def test_bytes_that_are_not_utf_8_are_placed() -> None:
    assert problems_of(b"version: 1\n# \xc3\xa4 \xff\n") == ["2:5: not text: a byte that is not UTF-8"]
    assert problems_of(b"\xff\xfea") == [" not text: broken UTF-16; expected UTF-8"]


def test_a_control_character_is_placed() -> None:
    assert problems_of("version: 1\ndefaults: {userAgent: a\x07b}\n") == ["2:24: not YAML: a control character"]


def test_only_the_first_document_is_read() -> None:
    assert config_of(f"---\n{STEP}---\nsync: [nonsense\n").sync[0].target == "b.example/x"


def test_standard_input_is_called_that() -> None:
    with pytest.raises(ConfigError, match=r"^<stdin>:1:10: version: unsupported config version 9; expected 1$"):
        loaded("version: 9")


def test_standard_input_is_the_process_s_own_unless_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(STEP.encode())))
    assert len(load_config("-", checks=CHECKS).config.sync) == 1


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "none.yml", "no such file or directory"), (tmp_path, "is a directory: name ")):
        with pytest.raises(ConfigError) as caught:
            load_config(str(path), checks=CHECKS)
        (problem,) = caught.value.problems
        assert problem.startswith(f"{path}: {reason}")


def test_a_file_without_end_is_refused() -> None:
    with pytest.raises(ConfigError, match="/dev/zero: larger than 16 MiB; expected a configuration"):
        load_config("/dev/zero", checks=CHECKS)


def test_every_step_knows_its_place(tmp_path: Path) -> None:
    path = tmp_path / "regsync.yml"
    path.write_text(f"# one\n{STEP}  - {{source: a.example/y, target: b.example/y, type: image}}\n")
    steps = load_config(str(path), checks=CHECKS).config.sync
    assert [step.place for step in steps] == [f"{path}:3", f"{path}:6"]


def test_aliases_and_anchors_under_free_keys_are_followed() -> None:
    step = config_of(f"x-tags: &tags [a, b]\n{STEP}    tags: {{allow: *tags, deny: *tags}}\n").sync[0]
    assert step.tags.allow == step.tags.deny == ("a", "b")


def test_a_merge_is_applied_where_it_stands() -> None:
    base = "x-base: &base {source: a.example/base, target: b.example/base, type: repository}\n"
    before = f"{base}sync:\n  - <<: *base\n    source: a.example/own\n"
    after = f"{base}sync:\n  - source: a.example/own\n    <<: *base\n"
    assert config_of(before).sync[0].source == "a.example/own"
    assert config_of(after).sync[0].source == "a.example/base"


def test_a_list_of_merges_is_accepted_and_its_first_mapping_wins() -> None:
    text = (
        "x-one: &one {source: a.example/one}\nx-two: &two {source: a.example/two, target: b.example/two}\n"
        "sync:\n  - <<: [*one, *two]\n    type: repository\n"
    )
    step = config_of(text).sync[0]
    assert (step.source, step.target) == ("a.example/one", "b.example/two")


def test_what_is_wrong_in_a_merged_mapping_is_told_once_where_it_stands() -> None:
    text = "x-base: &base {target: B, type: image}\nsync:\n  - {<<: *base, source: a}\n  - {<<: *base, source: b}\n"
    problems = problems_of(text)
    assert len(problems) == 1
    assert problems[0].startswith("1:24: sync[0].target: invalid reference 'B'")


def test_null_is_the_same_as_not_given() -> None:
    step = config_of(f"creds:\ndefaults:\n{STEP}    tags:\n    fastCheck: ~\n    interval: null\n").sync[0]
    assert (step.tags.allow, step.fast_check, step.interval) == ((), False, 0.0)


def test_keys_that_begin_with_x_are_free_in_every_mapping() -> None:
    text = (
        "x-a: {b: [1]}\ncreds: [{registry: a.example, x-note: {n: 1}}]\ndefaults: {x-why: 1, ratelimit: {x-r: 1}}\n"
        f"{STEP}    x-b: 1\n    tags: {{x-c: 1, allow: [a]}}\n"
    )
    assert loaded(text).warnings == ()


def test_a_bomb_of_aliases_is_defused() -> None:
    rows = ["x-0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    rows += [f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    (problem,) = problems_of("\n".join(rows))
    assert problem.endswith("aliases make more than 1,000,000 values of this")


def test_an_alias_inside_what_it_stands_for_is_refused() -> None:
    assert problems_of("x-a: &a [b, *a]\n") == ["1:6: an alias stands inside what it stands for"]
    assert problems_of("sync: &s\n  - x-y: *s\n") == ["1:7: an alias stands inside what it stands for"]
    assert problems_of("sync:\n  - &s\n    <<: *s\n") == ["2:5: an alias stands inside what it stands for"]


@pytest.mark.parametrize("depth", [40, 5_000, 100_000])
def test_nesting_is_bounded(depth: int) -> None:
    assert problems_of("x-a: " + "[" * depth + "]" * depth) == ["1:36: nested deeper than 32 levels"]


def test_nesting_through_aliases_is_bounded_too() -> None:
    rows = ["x-0: &a0 [[[[[[[[[x]]]]]]]]]"] + [f"x-{n}: &a{n} [[[[[[[[[*a{n - 1}]]]]]]]]]" for n in range(1, 6)]
    (problem,) = problems_of("\n".join(rows))
    assert problem.endswith("nested deeper than 32 levels")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("sync: [a\n", "2:1: not YAML: while parsing a flow sequence, "),
        ("a: b: c\n", "1:5: not YAML: mapping values are not allowed "),
        ("sync:\n\t- a\n", "2:1: not YAML: while scanning for the next token, "),
        ("a: @daily\n", "1:4: not YAML: while scanning for the next token, "),
        ("a: %b\n", "1:4: not YAML: while scanning for the next token, "),
        ("a: ,b\n", "1:4: not YAML: while parsing a block node, "),
        ("a: }b\n", "1:4: not YAML: while parsing a block node, "),
        ("pass: *hunter2\n", "1:7: not YAML: found undefined alias"),
        ("a: 'b\n", "2:1: not YAML: while scanning a quoted scalar, found unexpected end of stream"),
        ("? [a]\n: b\n", "1:3: a key must be text; quote it"),
        ("version: !foo 1\n", "1:10: version: a tag that is not known; quote text that starts with !"),
        ("x-a: !!python/object:os.system x\n", "1:6: x-a: a tag that is not known; quote text that starts with !"),
        ("x-a: !!set {a}\n", "1:6: x-a: a tag that is not known; quote text that starts with !"),
        ("- sync\n", "1:1: expected a mapping with the key sync, found a list"),
        ("sync\n", "1:1: expected a mapping with the key sync, found text"),
        ("defaults:\n  <<: 5\n", "2:7: defaults: << takes a mapping, a list of mappings, or their aliases"),
    ],
)
def test_what_is_no_configuration_is_placed(text: str, problem: str) -> None:
    assert problems_of(text)[0].startswith(problem)


def test_duplicate_keys_are_refused_with_both_places_unless_allowed() -> None:
    text = f"version: 1\n{STEP}    tags: {{allow: [a]}}\n    tags: {{allow: [b]}}\nversion: 1\n"
    told = [
        "7:5: sync[0].tags: duplicate key, first given at line 6, column 5",
        "8:1: version: duplicate key, first given at line 1, column 1",
    ]
    assert problems_of(text) == told
    assert warnings_of(text, allow_unknown_keys=True) == told
    assert loaded(text, allow_unknown_keys=True).config.sync[0].tags.allow == ("b",)


_WORDS = st.sampled_from(["a.example/x", "image", "registry", "1h", "{{a}}", "ocidir://a", "(", "", "a:b@c/d", "\x07"])
_KEYS = st.sampled_from(
    [
        "version",
        "creds",
        "defaults",
        "sync",
        "registry",
        "pass",
        "tls",
        "apiOpts",
        "disableHead",
        "source",
        "target",
        "type",
        "tags",
        "tagSets",
        "allow",
        "deny",
        "repos",
        "interval",
        "schedule",
        "mediaTypes",
        "ratelimit",
        "min",
        "retry",
        "hooks",
        "pre",
        "referrerFilters",
        "annotations",
        "x-a",
        "<<",
    ]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=20,
)


@given(st.text(alphabet=st.sampled_from("abx:-&*<>!'\"|{}[], \n#?~0"), max_size=60))
def test_any_text_is_a_configuration_or_a_configuration_error(text: str) -> None:
    with contextlib.suppress(ConfigError):
        loaded(text)


@given(st.dictionaries(st.sampled_from(["creds", "defaults", "sync"]), _VALUES))
def test_any_values_are_a_configuration_or_problems_of_one_line_each(values: object) -> None:
    try:
        told = loaded(yaml.safe_dump(values)).warnings
    except ConfigError as error:
        told = error.problems
    assert all(line.isprintable() and line.startswith("<stdin>:") for line in told)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("sync:\n\t- a\n", "; that is a tab: indent with spaces"),
        ("sync:\n  - source: a\n\t  target: b\n", "; that is a tab: indent with spaces"),
        ("defaults:\n  interval: @daily\n", "; quote a text that begins with @"),
        ("sync:\n  - source: a\n      target: b\n", "; keys of one mapping begin below one another, and a text that "),
        (
            "sync:\n  - source: a\n   target: b\n",
            "; items of one list, and keys of one mapping, begin below one another",
        ),
        ("sync: [a\n", ""),
    ],
)
def test_what_is_no_yaml_says_what_to_do_about_what_most_people_get_wrong(text: str, advice: str) -> None:
    (problem,) = problems_of(text)
    assert advice in problem
    assert bool(advice) == ("; " in problem)
