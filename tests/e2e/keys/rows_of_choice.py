"""Keys that say which tags and repositories are copied."""

from __future__ import annotations

from tests.e2e.keys.lab import IMAGE, Lab, row
from tests.support.built import read_layout

TAGS = ["latest", "v1", "v1.0.0", "v1.5.0", "v1.6.0-rc1", "v2.0.0"]


async def chosen(lab: Lab, choice: str) -> list[str]:
    """Return the tags of TAGS that an entry with this choice copies."""
    registry = await lab.registry()
    registry.seed("app", dict.fromkeys(TAGS, IMAGE))
    item = f"registry: '{registry.host}', tls: disabled"
    entry = f"type: repository, {choice}"
    target = lab.folder / f"out-{registry.port}"
    text = f"creds: [{{{item}}}]\nsync:\n- {{source: {registry.host}/app, target: 'ocidir://{target}', {entry}}}\n"
    assert (await lab.once(text)).failures == []
    return sorted(read_layout(target)[0])


@row("sync.tags.semverRange")
async def _(lab: Lab) -> None:
    assert await chosen(lab, "tags: {semverRange: ['>=1.5 <2']}") == ["v1.5.0", "v1.6.0-rc1"]


@row("sync.tags.allow")
async def _(lab: Lab) -> None:
    assert await chosen(lab, "tags: {allow: ['v1.*', '*est']}") == ["latest", "v1", "v1.0.0", "v1.5.0", "v1.6.0-rc1"]


@row("sync.tags.deny")
async def _(lab: Lab) -> None:
    assert await chosen(lab, "tags: {semverRange: ['>=1.5'], deny: ['.*-rc.*']}") == ["v1.5.0", "v2.0.0"]


@row("sync.tagSets.semverRange", "sync.tagSets.allow", "sync.tagSets.deny")
async def _(lab: Lab) -> None:
    """Each set by itself; `tags` is one more."""
    sets = "tagSets: [{semverRange: ['^1'], deny: ['.*rc.*']}, {allow: [latest]}], tags: {allow: ['v2.*']}"
    assert await chosen(lab, sets) == ["latest", "v1", "v1.0.0", "v1.5.0", "v2.0.0"]


@row("sync.repos.allow", "sync.repos.deny")
async def _(lab: Lab) -> None:
    registry = await lab.registry()
    for name in ("team/one", "team/two", "other"):
        registry.seed(name, {"v1": IMAGE})
    text = f"""
creds: [{{registry: '{registry.host}', tls: disabled}}]
sync:
- source: {registry.host}
  target: ocidir://{lab.out}
  type: registry
  repos: {{allow: ['team/.*'], deny: ['.*/two']}}
"""
    assert (await lab.once(text)).failures == []
    assert sorted(path.parent.relative_to(lab.out).as_posix() for path in lab.out.rglob("index.json")) == ["team/one"]
