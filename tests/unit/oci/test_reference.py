"""References: the vectors of the Go regsync's parser, and what must hold for any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsync.errors import InvalidReference
from regsync.oci.reference import (
    LayoutReference,
    RegistryReference,
    parse_host,
    parse_reference,
)

D = "sha256:" + "0123456789abcdef" * 4

# input, registry, repository, tag, digest
IN_REGISTRIES = [
    ("alpine", "docker.io", "library/alpine", "latest", ""),
    ("docker.io/alpine", "docker.io", "library/alpine", "latest", ""),
    ("index.docker.io/alpine", "docker.io", "library/alpine", "latest", ""),
    ("registry-1.docker.io/library/alpine:3", "docker.io", "library/alpine", "3", ""),
    ("regclient/regctl:edge", "docker.io", "regclient/regctl", "edge", ""),
    ("ghcr.io/a/b", "ghcr.io", "a/b", "latest", ""),
    ("example.com/group/image:v42", "example.com", "group/image", "v42", ""),
    ("localhost/group/image:v42", "localhost", "group/image", "v42", ""),
    ("localhost/image", "localhost", "image", "latest", ""),
    ("localhost:5000/img", "localhost:5000", "img", "latest", ""),
    ("registry/img", "docker.io", "registry/img", "latest", ""),
    ("registry:5000/img", "registry:5000", "img", "latest", ""),
    ("registry:5000", "docker.io", "library/registry", "5000", ""),
    ("EXAMPLE/group-image:V42", "EXAMPLE", "group-image", "V42", ""),
    ("Example-1/image:1.0-BETA", "Example-1", "image", "1.0-BETA", ""),
    ("example-A/group/image:v42", "example-A", "group/image", "v42", ""),
    ("Ab/img", "Ab", "img", "latest", ""),
    ("example./g/roup/image:a", "example.", "g/roup/image", "a", ""),
    ("example.:5000/g/roup/image:a", "example.:5000", "g/roup/image", "a", ""),
    ("foo.bar.:443/x", "foo.bar.:443", "x", "latest", ""),
    ("e.xample.co/g-r.o__u_p/im----age:a", "e.xample.co", "g-r.o__u_p/im----age", "a", ""),
    ("img:__a--b..5__", "docker.io", "library/img", "__a--b..5__", ""),
    ("127.0.0.1/image", "127.0.0.1", "image", "latest", ""),
    ("127.0.0.1:5000/image:v42", "127.0.0.1:5000", "image", "v42", ""),
    ("[::1]:5000/image:v42", "[::1]:5000", "image", "v42", ""),
    ("[fddd:1222:1222:1222::ac29:5a6a]/image:v42", "[fddd:1222:1222:1222::ac29:5a6a]", "image", "v42", ""),
    ("[1:2:3:4:5:6:7:8]/image", "[1:2:3:4:5:6:7:8]", "image", "latest", ""),
    (f"registry:5000/group/image@{D}", "registry:5000", "group/image", "", D),
    (f"img:tag@{D}", "docker.io", "library/img", "tag", D),
    ("img@sha256+b64:" + "0" * 64, "docker.io", "library/img", "", "sha256+b64:" + "0" * 64),
    ("img@sha256:" + "0" * 32, "docker.io", "library/img", "", "sha256:" + "0" * 32),
    ("docker.io", "docker.io", "library/docker.io", "latest", ""),
    ("ghcr.io:latest", "docker.io", "library/ghcr.io", "latest", ""),
    ("foo_bar/x", "docker.io", "foo_bar/x", "latest", ""),
    ("foo_bar.com/x", "docker.io", "foo_bar.com/x", "latest", ""),
    ("localhost.localdomain/x", "localhost.localdomain", "x", "latest", ""),
]

# input, path, tag, digest
IN_LAYOUTS = [
    ("ocidir://path/to/dir", "path/to/dir", "", ""),
    ("ocidir:///abs/dir:v1", "/abs/dir", "v1", ""),
    ("ocidir://path/to/DIR:v1.2.3", "path/to/DIR", "v1.2.3", ""),
    (f"ocidir://path:v1@{D}", "path", "v1", D),
    ("ocidir://../rel:v", "../rel", "v", ""),
    ("ocidir://path with space:v1", "path with space", "v1", ""),
    ("ocidir://path/2/~dir~/+rules_oci+/examples:latest", "path/2/~dir~/+rules_oci+/examples", "latest", ""),
]

LOWER = ["A/img", "docker.io/Upper/Case:tag", "Upper"]

INVALID = [
    *["localhost", "localhost:5000", *LOWER],
    *["", "img:", "img@", "img:.bad", "img:-bad", "img:tag:tag"],
    "project/image:" + "a" * 129,
    *["project/image@sha256:12345", "img@sha512:abc", "img@sha256:" + "g" * 64, "img@" + "a" * 64],
    *["-docker.io/project/image:tag", "docker-.io/project/image:tag"],
    *["[1::2::3]/image", "::1/project/image:tag", "[]/image", "[::1/image", "[::g]/image"],
    *["project/-image", "project/image-:tag", "project/image___x", "project/image..x", "project/star*:tag"],
    *["project//image", "/project", "project/", "docker.io/", "docker.io//x"],
    *["host:port/x", "host:80a/x", "project/image:tag^1"],
    *["img\n", "img:tag\n", "img ", "im\u0131g", "img:\u0661", "example.com\u3002/x", "a\0b", "user@host/img"],
    *["a/../b", "../../etc", ".", "http:/x", "CON/AUX"],
]

# The Go program takes these and fails when it connects.
UNREACHABLE = [
    *["host:0/x", "host:65536/x", "host:999999/x", "[1:2:3]/image", "[1:2:3:4:5:6:7:8:9]/image"],
    *["a" * 64 + ".com/img", ("a" * 60 + ".") * 5 + "com/img", "x/" * 127 + "xxx"],
]

BAD_PATHS = ["a:b:c", "C:/x:v1", "a@b", "invalid*filename:tag", "filename:tag=fail", ":tag", f"@{D}", "a\0", "\u00e9"]


@pytest.mark.parametrize(("text", "registry", "repository", "tag", "digest"), IN_REGISTRIES)
def test_a_name_in_a_registry_is_read_as_the_go_program_reads_it(
    text: str, registry: str, repository: str, tag: str, digest: str
) -> None:
    assert parse_reference(text) == RegistryReference(registry, repository, tag, digest)


@pytest.mark.parametrize(("text", "path", "tag", "digest"), IN_LAYOUTS)
def test_a_name_in_a_layout_is_read_as_the_go_program_reads_it(text: str, path: str, tag: str, digest: str) -> None:
    assert parse_reference(text) == LayoutReference(path, tag, digest)


def test_an_archive_can_be_named_although_nothing_opens_one() -> None:
    assert parse_reference("ocifile://path/f.tgz:v1") == LayoutReference("path/f.tgz", "v1", scheme="ocifile")


@pytest.mark.parametrize("text", [*INVALID, "ocidir://", "OCIDIR://path", "ocidir://a\nb"])
def test_what_the_go_program_refuses_is_refused(text: str) -> None:
    with pytest.raises(InvalidReference, match="invalid reference"):
        parse_reference(text)


@pytest.mark.parametrize("text", UNREACHABLE)
def test_what_no_connection_could_be_made_to_is_refused_as_well(text: str) -> None:
    with pytest.raises(InvalidReference, match="invalid reference"):
        parse_reference(text)


@pytest.mark.parametrize("path", BAD_PATHS)
def test_a_path_that_cannot_be_a_layout_is_refused(path: str) -> None:
    with pytest.raises(InvalidReference):
        parse_reference(f"ocidir://{path}")


@pytest.mark.parametrize("text", ["http://host/repo:tag", "https://host/repo", "unknown://repo:tag"])
def test_another_scheme_is_named_as_the_mistake(text: str) -> None:
    with pytest.raises(InvalidReference, match="unknown scheme"):
        parse_reference(text)


@pytest.mark.parametrize("scheme", ["https", "docker"])
def test_what_people_write_before_a_registry_is_told_to_be_left_out(scheme: str) -> None:
    with pytest.raises(InvalidReference, match=f"a registry is written without {scheme}://$"):
        parse_reference(f"{scheme}://registry.example/app:v1")


def test_plain_http_is_said_elsewhere() -> None:
    with pytest.raises(InvalidReference, match=r"without http://, and has tls: disabled under creds$"):
        parse_reference("http://registry.example/app:v1")


@pytest.mark.parametrize(
    "text",
    [
        "./images/app",
        "/srv/images:v1",
        "~/images",
        "../images",
        "oci:layout:v1",
        "ocidir:layout:v1",
        "dir:/var/x",
        "oci-archive:/var/x.tar:v1",
    ],
)
def test_a_layout_as_other_tools_write_it_earns_a_hint(text: str) -> None:
    with pytest.raises(InvalidReference, match=r"a layout is written ocidir://path$"):
        parse_reference(text)


def test_names_that_begin_like_a_layout_of_other_tools_are_what_they_were() -> None:
    assert str(parse_reference("oci:v1")) == "docker.io/library/oci:v1"
    assert str(parse_reference("dir:5000/app")) == "dir:5000/app:latest"


@pytest.mark.parametrize("text", LOWER)
def test_upper_case_in_a_repository_earns_a_hint(text: str) -> None:
    with pytest.raises(InvalidReference, match=r", repo must be lowercase$"):
        parse_reference(text)


@pytest.mark.parametrize("text", ["Up per", "LOCALHOST", "X/\u212a", "OCIDIR://path"])
def test_the_hint_is_only_given_where_it_helps(text: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        parse_reference(text)
    assert "lowercase" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("img:.bad", "a tag"),
        ("img@sha256:12345", "a digest"),
        ("host:port/x", "'host:port' is not a registry"),
        ("localhost", "the repository after it is missing"),
        ("docker.io/", "the repository is missing"),
        ("x/" * 127 + "xxx", "longer than 255"),
        ("ocidir://C:/x:v1", "invalid path for scheme"),
        ("ocidir://a*b", "invalid path for scheme"),
    ],
)
def test_a_refusal_says_which_part_is_wrong(text: str, fault: str) -> None:
    with pytest.raises(InvalidReference, match=fault):
        parse_reference(text)


@pytest.mark.parametrize("text", ["!" * 100_000, "a" * 100_000 + ":/", "z" * 50_000 + "://x", "\x1b[2J" * 100])
def test_a_refusal_quotes_little_and_nothing_a_terminal_obeys(text: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        parse_reference(text)
    assert len(str(caught.value)) < 1_200
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "text",
    ["a-" * 50_000 + "!", "a." * 50_000 + "/!", "a/" * 50_000, "a_" * 50_000, "[" + ":" * 50_000, "A" * 50_000 + "/-"],
)
def test_a_long_text_is_refused_in_linear_time(text: str) -> None:
    with pytest.raises(InvalidReference):
        parse_reference(text)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("docker.io", "docker.io"),
        ("index.docker.io", "docker.io"),
        ("registry-1.docker.io", "docker.io"),
        ("example.com:5000", "example.com:5000"),
        ("EXAMPLE", "EXAMPLE"),
        ("example.", "example."),
        ("example:5000", "example:5000"),
        ("localhost", "localhost"),
        ("localhost:5000", "localhost:5000"),
        ("[::1]:5000", "[::1]:5000"),
    ],
)
def test_a_registry_alone_is_read_with_the_same_grammar(text: str, host: str) -> None:
    assert parse_host(text) == host


@pytest.mark.parametrize(
    "text",
    [
        *["", "registry", "A", "-docker.io", "docker-.io", "[1::2::3]:5000", "::1:5000", "unknown://repo:tag"],
        *["example.com/", "example.com/a", "ocidir://path", "example.com\n", "user@example.com", "a:99999"],
    ],
)
def test_what_is_no_registry_is_refused_as_one(text: str) -> None:
    with pytest.raises(InvalidReference, match="invalid registry"):
        parse_host(text)


@pytest.mark.parametrize("text", [row[0] for row in IN_REGISTRIES] + [row[0] for row in IN_LAYOUTS])
def test_a_printed_reference_reads_as_itself(text: str) -> None:
    reference = parse_reference(text)
    assert parse_reference(str(reference)) == reference


PIECES = st.lists(
    st.sampled_from(
        ["a", "B", "7", ".", "-", "_", "/", ":", "@", "[", "]", "localhost", "docker.io", "ocidir://", D, " "]
    ),
    max_size=12,
).map("".join)


@given(st.one_of(st.text(max_size=60), PIECES))
def test_any_text_is_a_reference_that_prints_as_itself_or_is_refused(text: str) -> None:
    try:
        reference = parse_reference(text)
    except InvalidReference:
        return
    assert parse_reference(str(reference)) == reference


@given(st.one_of(st.text(max_size=60), PIECES))
def test_any_text_is_a_registry_that_can_hold_a_repository_or_is_refused(text: str) -> None:
    try:
        host = parse_host(text)
    except InvalidReference:
        return
    assert parse_reference(f"{host}/a/b") == RegistryReference(host, "a/b", "latest")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Registry.Example/app", "registry.example/app:latest"),
        ("HOST:5000/app:V1", "host:5000/app:V1"),
        ("LocalHost/app", "localhost/app:latest"),
        ("Docker.IO/alpine", "docker.io/library/alpine:latest"),
        ("[FD00::1]:5000/app", "[fd00::1]:5000/app:latest"),
        ("EXAMPLE/app", "EXAMPLE/app:latest"),
    ],
)
def test_the_case_of_a_registry_is_no_matter_unless_it_is_what_makes_it_one(text: str, expected: str) -> None:
    assert str(parse_reference(text)) == expected
