"""Which tag an entry of an index.json stands for: other tools write whole image names, and not always where we look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from regsync.oci.digest import HEX_LENGTH
from regsync.oci.reference import valid_tag

NAME: Final = "org.opencontainers.image.ref.name"
CONTAINERD_NAME: Final = "io.containerd.image.name"  # a whole image name, of `ctr export` and buildkit


def tag_of(annotations: Mapping[str, object]) -> str:
    """Return the tag of an entry with these annotations, "" for none; containerd's name counts where ours is no tag."""
    names = (annotations.get(key) for key in (NAME, CONTAINERD_NAME))
    return next((tag for name in names if isinstance(name, str) and (tag := tag_in(name))), "")


def tag_in(name: str) -> str:
    """Return the tag that a name is or ends in, "" for none.

    What stands behind the last colon of `host/name@sha256:…`, of a bare digest and of `host:5000/name` is no tag.
    """
    image, at, _ = name.partition("@")
    if not at and valid_tag(image):
        return image
    path, _, tag = image.rpartition(":")
    return tag if path and valid_tag(tag) and len(tag) != HEX_LENGTH.get(path) else ""
