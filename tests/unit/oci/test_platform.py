"""Platforms: the normal forms, what fits what, and which child is taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsync.errors import Malformed
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.mediatype import OCI_MANIFEST
from regsync.oci.platform import Platform, Platforms, best, local_platform, machine_platform

SERVER = Platform("linux", "amd64", "v3")
MAC = Platform("darwin", "arm64")
WINDOWS = "10.0.17763.4974"

V2 = "cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3"
V3 = f"{V2} abm avx avx2 bmi1 bmi2 f16c fma movbe xsave"
V4 = f"{V3} avx512bw avx512cd avx512dq avx512f avx512vl"


def read(text: str) -> Platform:
    return Platform.parse(text, local=SERVER)


def child(platform: str | None, content: str = "") -> Descriptor:
    digest = Digest.of((content or str(platform)).encode())
    return Descriptor(OCI_MANIFEST, digest, 1, platform=None if platform is None else read(platform))


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("linux/amd64/v1", "linux/amd64"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/6", "linux/arm/v6"),
        ("linux/arm/v5", "linux/arm/v5"),
        ("linux/armhf", "linux/arm/v7"),
        ("linux/armel", "linux/arm/v6"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm64/8", "linux/arm64"),
        ("linux/aarch64", "linux/arm64"),
        ("Linux/AMD64", "linux/amd64"),
        ("linux/x86_64/v2", "linux/amd64/v2"),
        ("linux/x86-64", "linux/amd64"),
        ("linux/i386", "linux/386"),
        ("linux/386/sse2", "linux/386"),
        ("macos/arm64", "darwin/arm64"),
        ("local/s390x", "linux/s390x"),
        ("unknown/unknown", "unknown/unknown"),
        (f"windows/amd64,osver={WINDOWS}", f"windows/amd64,osver={WINDOWS}"),
        (f"windows/amd64,osversion={WINDOWS}", f"windows/amd64,osver={WINDOWS}"),
    ],
)
def test_a_platform_has_one_normal_form(text: str, printed: str) -> None:
    assert str(read(text)) == printed
    assert read(printed) == read(text)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        *[("linux", "linux/amd64/v3"), ("amd64", "linux/amd64/v3"), ("x86_64", "linux/amd64/v3")],
        *[("local", "linux/amd64/v3"), ("arm64", "linux/arm64"), ("arm", "linux/arm/v7"), ("windows", "windows")],
    ],
)
def test_a_lone_word_takes_the_rest_from_this_machine(text: str, printed: str) -> None:
    assert str(read(text)) == printed


@pytest.mark.parametrize(
    ("text", "printed"), [("linux", "linux/arm64"), ("local", "darwin/arm64"), ("amd64", "darwin/amd64")]
)
def test_a_lone_word_on_a_mac_means_what_the_mac_runs(text: str, printed: str) -> None:
    assert str(Platform.parse(text, local=MAC)) == printed


@pytest.mark.parametrize(
    "text",
    [
        *[
            "",
            "linux/*",
            "linux,amd64",
            "linux/",
            "/amd64",
            "linux//v7",
            "linux/arm/v7/x",
            "linux/amd64,os=1",
            "linux/a b",
        ],
        *["linux/amd64,", "l\u0131nux", "linux\n/amd64", "linux/\u0661"],
    ],
)
def test_what_names_no_platform_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="invalid platform"):
        read(text)


@given(st.text(alphabet="linuxamd64armv78/,osver=.-_ \n*\u0130", max_size=30))
def test_any_text_is_a_platform_that_prints_as_itself_or_is_refused(text: str) -> None:
    try:
        platform = read(text)
    except Malformed:
        return
    if platform.architecture:
        assert read(str(platform)) == platform


@pytest.mark.parametrize(
    ("wanted", "have", "match", "compatible"),
    [
        ("linux/amd64", "linux/amd64", True, True),
        ("linux/amd64", "linux/amd64/v2", False, False),
        ("linux/amd64/v3", "linux/amd64", False, True),
        ("linux/arm/v7", "linux/arm/v6", False, True),
        ("linux/arm/v6", "linux/arm/v7", False, False),
        ("linux/arm64", "linux/arm64/v8", True, True),
        ("linux/amd64", "linux/arm64", False, False),
        ("linux/amd64", "darwin/amd64", False, False),
        ("freebsd/amd64", "freebsd/amd64", True, True),
        ("freebsd/amd64", "linux/amd64", False, False),
        ("darwin/arm64", "linux/arm64", False, True),
        ("windows/amd64", "linux/amd64", False, True),
        ("windows/amd64,osver=10.0.17763.1", f"windows/amd64,osver={WINDOWS}", True, True),
        ("windows/amd64,osver=10.0.20348.1", f"windows/amd64,osver={WINDOWS}", False, False),
        ("windows/amd64", f"windows/amd64,osver={WINDOWS}", False, True),
        ("windows/amd64,osver=10.0.20348.1", "linux/amd64", False, True),
        ("linux/ppc64le/power9", "linux/ppc64le/power10", False, True),
    ],
)
def test_what_is_the_same_and_what_runs(wanted: str, have: str, match: bool, compatible: bool) -> None:
    assert read(wanted).matches(read(have)) is match
    assert read(wanted).compatible_with(read(have)) is compatible


@pytest.mark.parametrize(
    ("wanted", "candidates", "taken"),
    [
        ("linux/amd64", ["linux/arm64", "linux/amd64"], 1),
        ("linux/amd64/v3", ["linux/amd64", "linux/amd64/v2", "linux/amd64/v4"], 1),
        ("linux/amd64/v3", ["linux/amd64/v2", "linux/amd64/v3"], 1),
        ("linux/arm/v7", ["linux/arm/v5", "linux/arm/v6"], 1),
        ("darwin/arm64", ["linux/arm64", "darwin/arm64"], 1),
        ("windows/amd64,osver=10.0.17763.9", ["linux/amd64", "windows/amd64,osver=10.0.17763.3"], 1),
        ("windows/amd64", ["windows/amd64,osver=10.0.9.1", "windows/amd64,osver=10.0.17763.3"], 1),
        ("windows/amd64,osver=10.0.1.2", ["windows/amd64,osver=10.0.1.3", "windows/amd64,osver=10.0.1.2"], 1),
        ("linux/amd64", ["linux/amd64", "linux/amd64"], 0),
        ("linux/amd64", [None, "linux/amd64"], 1),
        ("linux/amd64", ["unknown/unknown", "linux/s390x"], None),
        ("linux/amd64", [None], None),
        ("linux/amd64", [], None),
    ],
)
def test_a_machine_takes_the_best_child_that_runs(wanted: str, candidates: list[str | None], taken: int | None) -> None:
    children = [child(platform, content=str(place)) for place, platform in enumerate(candidates)]
    assert best(read(wanted), children) == (None if taken is None else children[taken])


@pytest.mark.parametrize(
    ("node", "platform"),
    [
        ({}, Platform("", "")),
        ({"os": "linux", "architecture": "arm64", "variant": "v8"}, Platform("linux", "arm64")),
        ({"os": "linux", "architecture": "amd64", "variant": None, "features": ["x"]}, Platform("linux", "amd64")),
        ({"os": "Linux", "architecture": "aarch64"}, Platform("Linux", "arm64")),  # its case counts, as it does to Go
        ({"os": "windows", "architecture": "amd64", "os.version": WINDOWS}, Platform("windows", "amd64", "", WINDOWS)),
    ],
)
def test_the_platform_of_a_descriptor_is_in_normal_form(node: dict[str, object], platform: Platform) -> None:
    assert Platform.from_json(node) == platform
    assert Platform.from_json(platform.to_json()) == platform


@pytest.mark.parametrize("node", [None, "linux/amd64", [], {"os": 1}, {"architecture": ["amd64"]}, {"variant": False}])
def test_a_platform_of_the_wrong_type_is_refused(node: object) -> None:
    with pytest.raises(Malformed, match="platform"):
        Platform.from_json(node)


@pytest.mark.parametrize(
    ("system", "machine", "flags", "printed"),
    [
        ("Linux", "x86_64", "", "linux/amd64"),
        ("Linux", "x86_64", "fpu sse2", "linux/amd64"),
        ("Linux", "x86_64", V2, "linux/amd64/v2"),
        ("Linux", "x86_64", V3, "linux/amd64/v3"),
        ("Linux", "x86_64", V4, "linux/amd64/v4"),
        ("Linux", "x86_64", V4.removeprefix(V2), "linux/amd64"),
        ("Linux", "aarch64", "fp asimd", "linux/arm64"),
        ("Linux", "armv6l", "", "linux/arm/v6"),
        ("Linux", "armv7l", "", "linux/arm/v7"),
        ("Linux", "i686", V2, "linux/386"),
        ("Linux", "s390x", "", "linux/s390x"),
        ("Darwin", "arm64", "", "darwin/arm64"),
        ("Windows", "AMD64", "", "windows/amd64"),
    ],
)
def test_a_machine_is_named_as_go_names_it(system: str, machine: str, flags: str, printed: str) -> None:
    cpuinfo = f"processor\t: 0\nflags\t\t: {flags}\nbugs\t\t:\n"
    assert str(machine_platform(system, machine, cpuinfo=cpuinfo)) == printed


def test_this_machine_has_a_platform_and_local_means_it() -> None:
    assert local_platform().os
    assert local_platform().architecture
    assert Platform.parse("local") == local_platform()


@pytest.mark.parametrize(
    ("chosen", "taken"),
    [
        (["linux/amd64"], ["linux/amd64"]),
        (["linux/amd64/v2", "linux/arm64/v8"], ["linux/amd64/v2", "linux/arm64"]),
        ([""], [None]),
        (["", "unknown/unknown"], ["unknown/unknown", None]),
        (["windows/amd64,osver=10.0.17763.1"], [f"windows/amd64,osver={WINDOWS}"]),
        (["windows/amd64", "linux/s390x"], []),
    ],
)
def test_several_platforms_take_the_children_that_are_exactly_of_one_of_them(
    chosen: list[str], taken: list[str | None]
) -> None:
    having = ["linux/amd64", "linux/amd64/v2", "linux/arm64", f"windows/amd64,osver={WINDOWS}", "unknown/unknown", None]
    platforms = Platforms.parse(chosen)
    assert [one for one in having if platforms.takes(child(one))] == taken
