"""Keys that say what happens around a copy: what is kept of what is overwritten, and what is remembered."""

from __future__ import annotations

from tests.e2e.keys.lab import IMAGE, Lab, row
from tests.integration.test_referrers_age import asked
from tests.support.built import image_bytes, read_layout, write_layout

FORMER = image_bytes(b"former")


@row("defaults.backup", "sync.backup")
async def _(lab: Lab) -> None:
    """What is overwritten is kept under this name; an entry's own counts."""
    for defaults, own, kept in ("old", "", "old"), ("old", "own-{{ .Ref.Tag }}", "own-v1"), ("", "own", "own"):
        registry = await lab.registry()
        write_layout(lab.out, {"v1": FORMER})
        entry = "type: image" + (f", backup: '{own}'" if own else "")
        item = f"registry: '{registry.host}', tls: disabled"
        backup = f"backup: '{defaults}'" if defaults else ""
        assert await lab.pull(f"{registry.host}/app:v1", item, defaults=backup, entry=entry) == []
        assert read_layout(lab.out)[0] == {"v1": IMAGE.digest, kept: FORMER.digest}
        lab.out.rename(lab.folder / registry.host)


@row("defaults.cacheTime", "defaults.cacheCount")
async def _(lab: Lab) -> None:
    """A daemon asks again when the time is over, and for what is one list too many; two images are looked at."""
    assert (await asked(lab.folder, ", cacheTime: 1h, cacheCount: 100"))[-1] == 2
    assert (await asked(lab.folder, ", cacheTime: 4m, cacheCount: 100"))[-1] == 6
    assert (await asked(lab.folder, ", cacheTime: 1h, cacheCount: 1"))[-1] > 2
