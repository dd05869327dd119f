"""Keys that say how much of an image is copied, and what besides it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

from tests.e2e.keys.lab import IMAGE, Lab, row
from tests.support.built import (
    Built,
    artifact_bytes,
    compact,
    digest_of,
    image_bytes,
    platforms_index,
    read_layout,
    write_layout,
)
from tests.support.fake_registry import MODERN, FakeRegistry

INDEX = platforms_index("linux/amd64", "linux/arm64", "windows/amd64")
SBOM = artifact_bytes(b"an sbom", artifact_type="application/vnd.example.sbom", subject=IMAGE)
NOTE = artifact_bytes(
    b"a note", artifact_type="application/vnd.example.note", subject=IMAGE, annotations={"by": "ann", "at": "noon"}
)
ABOUT = IMAGE.digest.replace(":", "-")


class Source:
    """A registry with an image, what refers to it, and what is tagged after its digest; and how to copy from it."""

    def __init__(self, lab: Lab, registry: FakeRegistry) -> None:
        self.lab = lab
        self.registry = registry

    async def copied(self, said: str = "", *, defaults: str = "", tag: str = "v1", anew: bool = True) -> set[str]:
        """Copy with these keys of the entry, into a new layout, and return the digests of all there is then.

        Lists of referrers are left out: one that was replaced meanwhile stays in a layout for an hour.
        """
        if anew:
            shutil.rmtree(self.lab.out, ignore_errors=True)
        item = f"registry: '{self.registry.host}', tls: disabled"
        entry = f"type: image{said and f', {said}'}"
        assert await self.lab.pull(f"{self.registry.host}/app:{tag}", item, defaults=defaults, entry=entry) == []
        contents = read_layout(self.lab.out)[1]
        return {digest for digest, data in contents.items() if b'"manifests"' not in data or digest == INDEX.digest}

    async def both_copied(self, said: str) -> set[str]:
        """Copy with these keys in the entry and with them in the defaults, which comes to the same."""
        inherited = await self.copied(defaults=said)
        own = await self.copied(said)
        assert own == inherited
        return own


async def source(lab: Lab, *referrers: Built) -> Source:
    registry = await lab.registry(FakeRegistry(features=MODERN), v1=IMAGE, index=INDEX)
    registry.seed("app", {}, untagged=referrers)
    return Source(lab, registry)


@row("sync.platform")
async def _(lab: Lab) -> None:
    assert await (await source(lab)).copied("platform: linux/arm64", tag="index") == INDEX.children[1].contents().keys()


@row("sync.platforms")
async def _(lab: Lab) -> None:
    found = await (await source(lab)).copied("platforms: [linux/arm64, windows/amd64]", tag="index")
    wanted = [each for each in INDEX.children if each.platform != {"os": "linux", "architecture": "amd64"}]
    assert found == {INDEX.digest}.union(*(each.contents() for each in wanted))


@row("sync.referrers", "defaults.referrers")
async def _(lab: Lab) -> None:
    origin = await source(lab, SBOM, NOTE)
    assert not {SBOM.digest, NOTE.digest} & await origin.copied()
    assert {SBOM.digest, NOTE.digest} <= await origin.both_copied("referrers: true")
    assert not {SBOM.digest, NOTE.digest} & await origin.copied("referrers: false", defaults="referrers: true")


@row("sync.referrerFilters.artifactType", "defaults.referrerFilters.artifactType")
async def _(lab: Lab) -> None:
    origin = await source(lab, SBOM, NOTE)
    found = await origin.both_copied(f"referrers: true, referrerFilters: [{{artifactType: {SBOM.artifact_type}}}]")
    assert {SBOM.digest, NOTE.digest} & found == {SBOM.digest}


@row("sync.referrerFilters.annotations", "defaults.referrerFilters.annotations")
async def _(lab: Lab) -> None:
    origin = await source(lab, SBOM, NOTE)
    for wanted in "by: ann", "by: '', at: noon":
        found = await origin.both_copied(f"referrers: true, referrerFilters: [{{annotations: {{{wanted}}}}}]")
        assert {SBOM.digest, NOTE.digest} & found == {NOTE.digest}


@row("sync.referrerSource", "defaults.referrerSource")
async def _(lab: Lab) -> None:
    origin = await source(lab, SBOM)
    origin.registry.seed("notes", {}, untagged=(NOTE,))
    found = await origin.both_copied(f"referrers: true, referrerSource: '{origin.registry.host}/notes'")
    assert {SBOM.digest, NOTE.digest} & found == {NOTE.digest}


@row("sync.referrerTarget", "defaults.referrerTarget")
async def _(lab: Lab) -> None:
    origin = await source(lab, SBOM)
    found = await origin.both_copied(f"referrers: true, referrerTarget: 'ocidir://{lab.folder}/notes'")
    assert SBOM.digest not in found
    assert SBOM.digest in read_layout(lab.folder / "notes")[1]


@row("sync.referrerSlow", "defaults.referrerSlow")
async def _(lab: Lab) -> None:
    """A layout whose tool has kept no list of referrers is looked through."""
    write_layout(lab.folder / "in", {"v1": IMAGE}, untagged=[SBOM])
    for defaults, entry, there in (
        ("", "", False),
        ("referrerSlow: true", "", True),
        ("", ", referrerSlow: true", True),
    ):
        shutil.rmtree(lab.out, ignore_errors=True)
        text = f"defaults: {{referrers: true, {defaults}}}\nsync:\n- {{source: 'ocidir://{lab.folder}/in:v1', "
        text += f"target: 'ocidir://{lab.out}:v1', type: image{entry}}}\n"
        assert (await lab.once(text)).failures == []
        assert (SBOM.digest in read_layout(lab.out)[1]) == there


@row("sync.digestTags", "defaults.digestTags")
async def _(lab: Lab) -> None:
    origin = await source(lab)
    signature = artifact_bytes(b"a signature")
    origin.registry.seed("app", {f"{ABOUT}.sig": signature, "sha256-of-another.sig": SBOM})
    assert signature.digest not in await origin.copied()
    assert signature.digest in await origin.both_copied("digestTags: true")
    assert set(read_layout(lab.out)[0]) == {"v1", f"{ABOUT}.sig"}


@row("sync.fastCheck", "sync.fastCopy", "defaults.fastCheck", "defaults.fastCopy")
async def _(lab: Lab) -> None:
    """Where the target has the image, what refers to it is not asked for."""
    for word in "fastCheck", "fastCopy":
        origin = await source(lab)
        await origin.copied()
        origin.registry.seed("app", {}, untagged=(NOTE,))
        for own, defaults in (f"{word}: true", "referrers: true"), ("referrers: true", f"{word}: true"):
            assert NOTE.digest not in await origin.copied(own, defaults=defaults, anew=False)
        assert origin.registry.count(kind="referrers") == 0
        assert NOTE.digest in await origin.copied(
            f"{word}: false, referrers: true", defaults=f"{word}: true", anew=False
        )


@row("sync.forceRecursive", "defaults.forceRecursive")
async def _(lab: Lab) -> None:
    """What the target has lost below an index that has not changed is sent again."""
    for own, defaults in ("forceRecursive: true", ""), ("", "forceRecursive: true"):
        origin = await source(lab)
        target = await lab.registry(FakeRegistry(), index=INDEX)
        lost = next(iter(INDEX.children[0].blobs))
        del target.repositories["app"].blobs[lost]
        items = "".join(f"- {{registry: '{one.host}', tls: disabled}}\n" for one in (origin.registry, target))
        ends = f"source: '{origin.registry.host}/app:index', target: '{target.host}/app:index', type: image"
        plain = f"creds:\n{items}sync: [{{{ends}}}]\n"
        assert (await lab.once(plain)).unchanged == 1
        assert lost not in target.repositories["app"].blobs
        forced = f"creds:\n{items}defaults: {{{defaults}}}\nsync: [{{{ends}{own and f', {own}'}}}]\n"
        assert (await lab.once(forced)).failures == []
        assert lost in target.repositories["app"].blobs


@row("sync.includeExternal", "defaults.includeExternal")
async def _(lab: Lab) -> None:
    """A layer that lies at a URL stays there unless it is wanted."""
    files = await lab.registry(FakeRegistry(), files=image_bytes(b"a layer elsewhere"))
    digest = digest_of(b"a layer elsewhere")
    image = elsewhere(image_bytes(b"a layer elsewhere"), f"{files.url}/v2/app/blobs/{digest}")
    origin = Source(lab, await lab.registry(FakeRegistry(), v1=image))
    assert digest not in await origin.copied()
    assert digest in await origin.both_copied("includeExternal: true")


def elsewhere(image: Built, url: str) -> Built:
    """Return the image with its layer, of a type that may not be given away, at a URL only."""
    document = json.loads(image.raw)
    (layer,) = document["layers"]
    layer |= {"urls": [url], "mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"}
    raw = compact(document)
    blobs = {digest: data for digest, data in image.blobs.items() if digest != layer["digest"]}
    return replace(image, raw=raw, digest=digest_of(raw), blobs=blobs)
