"""Where the image goes that is about to be overwritten: the text under `backup`, and the template it may be."""

from __future__ import annotations

from regsync.errors import InvalidReference
from regsync.oci.reference import Reference, parse_reference


def named(text: str, target: Reference) -> Reference:
    """Return what the text of a backup names: with a `:` or a `/` a whole reference, else a tag beside the target."""
    name = text.strip()
    if not name:
        raise InvalidReference("the backup has no name: the template comes out empty")
    return parse_reference(name if ":" in name or "/" in name else f"{target.name}:{name}")
