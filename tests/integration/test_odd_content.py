"""Images of kinds that few think of: embedded data, types of others, and indexes that list oddly."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from regsync.events import ImageSkipped
from tests.integration.runs import ran
from tests.support.built import (
    DOCKER_LAYER,
    EMPTY,
    INDEX,
    LAYER,
    Built,
    Json,
    artifact_bytes,
    compact,
    digest_of,
    image_bytes,
    index_bytes,
    read_layout,
    some_bytes,
    write_layout,
)
from tests.support.fake_registry import FakeRegistry
from tests.support.faults import Change, Fault, Status

ONE, TWO = b"first layer", b"second layer"
NONDISTRIBUTABLE = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"


def changed(built: Built, change: Callable[[Json], object]) -> Built:
    """The image as it is when its manifest says something else."""
    document = json.loads(built.raw)
    change(document)
    raw = compact(document)
    return replace(built, raw=raw, digest=digest_of(raw))


def embedded(built: Built, *names: bytes, data: Callable[[bytes], str] = lambda raw: b64encode(raw).decode()) -> Built:
    """The image with these blobs, or children, also in its manifest."""
    raws = {digest_of(raw): raw for raw in names}

    def embed(document: Json) -> None:
        for node in (*document.get("manifests", ()), *document.get("layers", ()), document.get("config", {})):
            if node.get("digest") in raws:
                node["data"] = data(raws[node["digest"]])

    return changed(built, embed)


def config_of(built: Built) -> bytes:
    return built.blobs[json.loads(built.raw)["config"]["digest"]]


async def mirrored(
    built: Built, tmp_path: Path, *, without: tuple[bytes, ...] = (), more: str = ""
) -> tuple[list[str], set[str]]:
    """Copy an image from one registry to another; return why it failed and which content the source was asked for."""
    async with FakeRegistry() as source, FakeRegistry() as target:
        held = source.seed("app", {"v1": built})
        for raw in without:
            held.blobs.pop(digest_of(raw), None)
            held.manifests.pop(digest_of(raw), None)
        entry = f"source: '{source.host}/app:v1', target: '{target.host}/app:v1', type: image{more}"
        tally, _ = await ran(tmp_path, entry, hosts=[source.host, target.host])
        if not tally.failures and not more:
            assert target.repositories["app"].tags == {"v1": built.digest}
            assert built.contents().keys() <= {*target.repositories["app"].blobs, *target.repositories["app"].manifests}
        return [each.error for each in tally.failures], {
            asked.path.rpartition("/")[2] for asked in source.journal if asked.method == "GET"
        }


async def test_blobs_in_the_manifest_are_not_asked_for(tmp_path: Path) -> None:
    plain = image_bytes(ONE, TWO)
    built = embedded(plain, config_of(plain), ONE)
    failures, asked = await mirrored(built, tmp_path, without=(config_of(plain), ONE))
    assert failures == []
    assert asked == {built.digest, digest_of(TWO)}


async def test_the_empty_config_comes_out_of_the_manifest(tmp_path: Path) -> None:
    built = embedded(artifact_bytes(ONE), b"{}")
    assert json.loads(built.raw)["config"]["mediaType"] == EMPTY
    assert await mirrored(built, tmp_path, without=(b"{}",)) == ([], {built.digest, digest_of(ONE)})


async def test_a_child_in_the_index_is_not_asked_for(tmp_path: Path) -> None:
    child = image_bytes(ONE)
    built = embedded(index_bytes(child, image_bytes(TWO)), child.raw)
    failures, asked = await mirrored(built, tmp_path, without=(child.raw,))
    assert failures == []
    assert child.digest not in asked


@pytest.mark.parametrize(
    "data",
    [
        lambda raw: b64encode(b"x" * len(raw)).decode(),
        lambda raw: b64encode(raw + b"\0").decode(),
        lambda raw: b64encode(raw).decode()[:-4] + "!!!!",
        lambda raw: "",
    ],
)
async def test_data_that_is_not_what_its_descriptor_says_is_not_used(
    data: Callable[[bytes], str], tmp_path: Path
) -> None:
    built = embedded(image_bytes(ONE), ONE, data=data)
    failures, asked = await mirrored(built, tmp_path)
    assert failures == []
    assert digest_of(ONE) in asked
    (failure,), _ = await mirrored(built, tmp_path, without=(ONE,))
    assert digest_of(ONE) in failure
    assert "404" in failure


async def test_data_of_more_than_64_kib_is_asked_for(tmp_path: Path) -> None:
    large = some_bytes((64 << 10) + 1)
    failures, asked = await mirrored(embedded(image_bytes(large), large), tmp_path)
    assert failures == []
    assert digest_of(large) in asked


async def test_a_layout_gives_what_its_manifests_and_its_index_hold(tmp_path: Path) -> None:
    built = embedded(image_bytes(ONE), ONE)
    write_layout(tmp_path / "source", {"v1": built})
    path = tmp_path / "source" / "index.json"
    document = json.loads(path.read_bytes())
    document["manifests"][0]["data"] = b64encode(built.raw).decode()
    path.write_bytes(compact(document))
    for raw in (ONE, built.raw):
        (tmp_path / "source" / "blobs" / digest_of(raw).replace(":", "/")).unlink()
    entry = f"source: 'ocidir://{tmp_path}/source', target: 'ocidir://{tmp_path}/target', type: repository"
    tally, _ = await ran(tmp_path, entry)
    assert tally.failures == []
    assert read_layout(tmp_path / "target")[1] == built.contents()


LAYERS_OF_OTHERS = [
    "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
    "application/wasm",
    "application/vnd.dev.cosign.simplesigning.v1+json",
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
    "application/vnd.in-toto+json",
    DOCKER_LAYER,
    "text/plain; charset=utf-8",
]


async def test_layers_of_any_type_are_copied_beside_each_other(tmp_path: Path) -> None:
    layers = [kind.encode() for kind in LAYERS_OF_OTHERS]

    def mixed(document: Json) -> None:
        for node, kind in zip(document["layers"], LAYERS_OF_OTHERS, strict=True):
            node.update(mediaType=kind, urls=["https://mirror.example/x"], annotations={"n": None, "m": 1})
        document["config"]["mediaType"] = "application/vnd.cncf.helm.config.v1+json"

    assert (await mirrored(changed(image_bytes(*layers), mixed), tmp_path))[0] == []


ODD_IMAGES = {
    "a layer of no bytes": image_bytes(b""),
    "a layer three times": image_bytes(ONE, TWO, ONE, ONE),
    "a layer of two types": changed(image_bytes(ONE, ONE), lambda it: it["layers"][1].update(mediaType=DOCKER_LAYER)),
    "a child twice": index_bytes(image_bytes(ONE), image_bytes(ONE)),
    "a child for two platforms": index_bytes(image_bytes(ONE), replace(image_bytes(ONE), platform={"os": "x"})),
    "a manifest that is also a layer": index_bytes(image_bytes(ONE), image_bytes(image_bytes(ONE).raw)),
    "a docker image in an OCI index": index_bytes(image_bytes(ONE, docker=True), image_bytes(TWO)),
    "an OCI image in docker's list": index_bytes(image_bytes(ONE), docker=True),
    "an index in an index in an index": index_bytes(index_bytes(index_bytes(image_bytes(ONE)), image_bytes(TWO))),
    "an image of sha512": image_bytes(ONE, algorithm="sha512"),
    "layers that are null": changed(image_bytes(), lambda it: it.update(layers=None)),
}


@pytest.mark.parametrize("what", ODD_IMAGES)
async def test_what_is_odd_and_means_one_thing_only_is_copied(what: str, tmp_path: Path) -> None:
    built = ODD_IMAGES[what]
    if what == "an image of sha512":
        built = replace(built, digest=digest_of(built.raw))
    assert (await mirrored(built, tmp_path))[0] == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda it: it["layers"][1].update(digest=it["layers"][0]["digest"]), "is listed with two sizes"),
        (lambda it: it.update(config=None), "config is missing"),
        (lambda it: it["layers"][0].update(digest="blake3:" + "0" * 64), r"layers[0].digest: unsupported digest"),
        (lambda it: it["layers"][0].update(MediaType=LAYER), "'MediaType' would be another one to clients that ignore"),
    ],
)
async def test_what_means_two_things_is_refused(change: Callable[[Json], object], why: str, tmp_path: Path) -> None:
    (failure,), _ = await mirrored(changed(image_bytes(ONE, TWO), change), tmp_path)
    assert why in failure


async def test_a_child_that_is_gone_is_named_with_its_platform_and_what_helps(tmp_path: Path) -> None:
    gone, here = image_bytes(ONE, platform="linux/arm64"), image_bytes(TWO)
    built = index_bytes(here, gone)
    (failure,), _ = await mirrored(built, tmp_path, without=(gone.raw,))
    assert f"an index lists {gone.digest} for linux/arm64, and " in failure
    assert "choose with platforms what is there" in failure
    assert (await mirrored(built, tmp_path, without=(gone.raw,), more=", platform: linux/amd64"))[0] == []


UNHEARD_OF = "application/vnd.acme.bundle.v3+json"
TOLD = {
    "all": Change({"Content-Type": UNHEARD_OF}),
    "no digest": Change({"Content-Type": UNHEARD_OF}, without=("Docker-Content-Digest",)),
    "no length, a parameter": Change({"Content-Type": f"{UNHEARD_OF}; v=1"}, without=("Content-Length",)),
}


@pytest.mark.parametrize("command", ["changed", "check"])
@pytest.mark.parametrize("told", TOLD)
async def test_a_tag_of_a_kind_nobody_knows_is_skipped_whatever_is_told_of_it(
    told: str, command: str, tmp_path: Path
) -> None:
    async with FakeRegistry() as source:
        source.seed("app", {"odd": image_bytes(ONE), "new": image_bytes(TWO)})
        source.fail(Fault(TOLD[told], kind="manifest", path="/odd", times=9))
        entry = f"source: '{source.host}/app', target: 'ocidir://{tmp_path}/out', type: repository"
        tally, seen = await ran(tmp_path, entry, hosts=[source.host], scope=command)  # type: ignore[arg-type]
    assert (tally.skipped, tally.failures) == (1, [])
    assert [event.media_type for event in seen if isinstance(event, ImageSkipped)] == [UNHEARD_OF]


@pytest.mark.parametrize("kind", ["text/html", "application/xhtml+xml", "application/json"])
async def test_a_page_in_place_of_a_manifest_is_no_such_kind(kind: str, tmp_path: Path) -> None:
    async with FakeRegistry() as source:
        source.seed("app", {"v1": image_bytes(ONE)})
        page = Change(
            {"Content-Type": kind}, without=("Docker-Content-Digest",), body=b"{}" if "json" in kind else b"<html>"
        )
        source.fail(Fault(page, kind="manifest", path="/v1", times=99))
        entry = f"source: '{source.host}/app', target: 'ocidir://{tmp_path}/out', type: repository"
        tally, _ = await ran(tmp_path, entry, hosts=[source.host])
    assert (tally.skipped, len(tally.failures)) == (0, 1)


async def test_a_target_that_wants_foreign_layers_is_told_of_with_the_key_that_copies_them(tmp_path: Path) -> None:
    foreign = changed(
        image_bytes(ONE, TWO),
        lambda it: it["layers"][0].update(mediaType=NONDISTRIBUTABLE, urls=["https://mirror.example/x"]),
    )
    wants = b'{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}'
    async with FakeRegistry() as source, FakeRegistry() as target:
        source.seed("app", {"v1": foreign}).blobs.pop(digest_of(ONE))
        target.fail(
            Fault(Status(404, {"Content-Type": "application/json"}, wants), kind="manifest", method="PUT", times=9)
        )
        entry = f"source: '{source.host}/app:v1', target: '{target.host}/app:v1', type: image"
        tally, _ = await ran(tmp_path, entry, hosts=[source.host, target.host])
        assert digest_of(ONE) not in {asked.path.rpartition("/")[2] for asked in source.journal}
    (failure,) = tally.failures
    assert f"{target.host} may want the layers, too, that lie where their URLs say: includeExternal" in failure.error


async def test_an_index_of_no_type_that_a_server_calls_json_is_one(tmp_path: Path) -> None:
    built = changed(index_bytes(image_bytes(ONE)), lambda it: it.pop("mediaType"))
    async with FakeRegistry() as source:
        source.seed("app", {"v1": built})
        source.fail(Fault(Change({"Content-Type": "application/json"}), kind="manifest", path="/v1", times=9))
        entry = f"source: '{source.host}/app:v1', target: 'ocidir://{tmp_path}/out:v1', type: image"
        tally, _ = await ran(tmp_path, entry, hosts=[source.host])
    assert tally.failures == []
    entry = json.loads((tmp_path / "out" / "index.json").read_bytes())["manifests"][0]
    assert (entry["mediaType"], entry["digest"]) == (INDEX, built.digest)


@pytest.mark.parametrize("kind", ["application/x-thing", "", None])
async def test_an_image_that_an_index_lists_under_no_type_of_a_manifest_is_copied_with_its_layers(
    tmp_path: Path, kind: str | None
) -> None:
    built = changed(
        index_bytes(image_bytes(ONE), image_bytes(TWO)), lambda it: it["manifests"][1].update(mediaType=kind)
    )
    async with FakeRegistry() as source:
        source.seed("app", {"v1": built})
        entry = f"source: '{source.host}/app:v1', target: 'ocidir://{tmp_path}/out:v1', type: image"
        tally, _ = await ran(tmp_path, entry, hosts=[source.host])
        again, _ = await ran(tmp_path, entry, hosts=[source.host])
    assert (tally.failures, tally.copied, again.copied, again.unchanged) == ([], 1, 0, 1)
    blobs = {path.name for path in (tmp_path / "out" / "blobs" / "sha256").iterdir()}
    assert {digest_of(raw).partition(":")[2] for raw in (ONE, TWO, built.raw)} <= blobs
