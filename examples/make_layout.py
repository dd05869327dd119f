"""Writes `examples/layout/`: a few small images as an OCI image layout, the same bytes on every run.

It is kept apart from regsync on purpose (no import of ours), so that what it writes is somebody else's layout. The
images hold one text file each and run nowhere; what counts is their shape: `hello` is for one platform, `tools` is an
index of three platforms with a shared layer, and an artifact describes `hello`, findable by its fallback tag.

    python3 examples/make_layout.py [DIRECTORY]
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

Node = dict[str, object]

OCI = "application/vnd.oci.image"
EMPTY = "application/vnd.oci.empty.v1+json"
PLATFORMS: Sequence[Mapping[str, str]] = (
    {"architecture": "amd64", "os": "linux"},
    {"architecture": "arm64", "os": "linux"},
    {"architecture": "arm", "os": "linux", "variant": "v7"},
)


class Layout:
    """An image layout in the making: blobs go in at once, the index at the end."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.entries: list[Node] = []
        (root / "blobs" / "sha256").mkdir(parents=True)

    def blob(self, data: bytes, media_type: str) -> Node:
        """Store some bytes and return the descriptor that names them."""
        digest = hashlib.sha256(data).hexdigest()
        (self.root / "blobs" / "sha256" / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    def document(self, node: Node, media_type: str) -> Node:
        """Store a JSON document and return its descriptor."""
        return self.blob(compact(node), media_type)

    def tag(self, name: str, descriptor: Node) -> None:
        """Give a manifest its name in this layout."""
        self.entries.append({**descriptor, "annotations": {"org.opencontainers.image.ref.name": name}})

    def finish(self) -> None:
        """Write the two files that make a directory an image layout."""
        index = {"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": self.entries}
        (self.root / "index.json").write_bytes(compact(index))
        (self.root / "oci-layout").write_bytes(compact({"imageLayoutVersion": "1.0.0"}))


def compact(node: Mapping[str, object]) -> bytes:
    """Return JSON without white space, keys in the order given."""
    return json.dumps(node, separators=(",", ":")).encode()


def archive(name: str, text: str) -> bytes:
    """Return a tar archive of one text file, without a time, an owner or a machine in it.

    Not compressed: what a compressor makes of it would change with the compressor's version.
    """
    entry, data = tarfile.TarInfo(name), text.encode()
    entry.size, entry.mode = len(data), 0o644
    return entry.tobuf(tarfile.USTAR_FORMAT) + data.ljust(-(-len(data) // 512) * 512, b"\0") + bytes(1024)


def layer(layout: Layout, name: str, text: str) -> Node:
    """Store a layer of one file and return its descriptor."""
    return layout.blob(archive(name, text), f"{OCI}.layer.v1.tar")


def image(layout: Layout, platform: Mapping[str, str], layers: Sequence[Node], command: str) -> Node:
    """Store an image made of these layers and return its descriptor."""
    config: Node = {
        **platform,
        "config": {"Cmd": [command]},
        "rootfs": {"type": "layers", "diff_ids": [descriptor["digest"] for descriptor in layers]},
    }
    manifest: Node = {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "config": layout.document(config, f"{OCI}.config.v1+json"),
        "layers": list(layers),
    }
    return layout.document(manifest, f"{OCI}.manifest.v1+json")


def tools(layout: Layout, version: str) -> Node:
    """Store an index of one image a platform, all with one layer in common."""
    common = layer(layout, "etc/tools.conf", f"# tools {version}\ngreeting = hello\n")
    children: list[Node] = []
    for platform in PLATFORMS:
        name = "-".join([platform["architecture"], *([platform["variant"]] if "variant" in platform else [])])
        own = layer(layout, "bin/tools", f"tools {version} for {name}\n")
        children.append({**image(layout, platform, [common, own], "/bin/tools"), "platform": dict(platform)})
    index: Node = {"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": children}
    return layout.document(index, f"{OCI}.index.v1+json")


def note(layout: Layout, subject: Node, artifact_type: str, text: str) -> Node:
    """Store an artifact that says something about another manifest; return the entry of its fallback index."""
    manifest: Node = {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "artifactType": artifact_type,
        "config": layout.blob(b"{}", EMPTY),
        "layers": [layout.blob(text.encode(), "text/plain")],
        "subject": subject,
    }
    return {**layout.document(manifest, f"{OCI}.manifest.v1+json"), "artifactType": artifact_type}


def write(root: Path) -> None:
    """Write the whole layout into a directory, replacing what was there."""
    shutil.rmtree(root, ignore_errors=True)
    layout = Layout(root)
    hello = image(layout, PLATFORMS[0], [layer(layout, "hello.txt", "Hello from a mirrored image.\n")], "/hello")
    layout.tag("hello", hello)
    for version in ("1.0", "1.1"):
        layout.tag(f"tools-{version}", tools(layout, version))
    said = note(layout, hello, "application/vnd.example.note", "hello was reviewed\n")
    index: Node = {"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": [said]}
    layout.tag(str(hello["digest"]).replace(":", "-"), layout.document(index, f"{OCI}.index.v1+json"))
    layout.finish()


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("layout"))
