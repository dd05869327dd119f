"""What survives a power cut is decided by the order of the file operations, so that order is what is tested here."""

from __future__ import annotations

from pathlib import Path

from regsync.layout.files import Files
from tests.support.images import image_bytes, put_blob, put_built, some_bytes, verified_once
from tests.unit.layout.conftest import Opener

Trace = list[tuple[str, Path]]


async def traced(opener: Opener, folder: Path) -> Trace:
    trace: Trace = []
    layouts = opener(files=Files(lambda operation, path: trace.append((operation, path))))
    async with layouts.writing(str(folder)) as layout:
        await put_built(layout, image_bytes(b"small", some_bytes(3 << 20)), tag="v1")
        await put_built(layout, image_bytes(b"other"), tag="v1")
    return trace


async def test_a_blob_is_synced_between_its_last_byte_and_its_name(opener: Opener, folder: Path) -> None:
    trace = await traced(opener, folder)
    names = [at for at, (operation, path) in enumerate(trace) if operation == "rename to" and "blobs" in path.parts]
    assert len(names) == 7  # two manifests, two configs, three layers
    for at in names:
        last_sync = max(i for i in range(at) if trace[i][0] == "sync")
        staged = trace[last_sync][1]
        assert staged.parent.name == "stage"
        written = [i for i, step in enumerate(trace) if step == ("write", staged)]
        assert written
        assert max(written) < last_sync < at


async def test_an_index_is_named_after_the_blobs_names_are_durable_and_made_durable_itself(
    opener: Opener, folder: Path
) -> None:
    trace = await traced(opener, folder)
    renames = [at for at, step in enumerate(trace) if step == ("rename to", folder / "index.json")]
    assert len(renames) == 3  # the first is empty, so that blobs without an index are always a loss
    assert ("sync", folder) in trace[renames[0] : trace.index(("create", folder / "blobs" / "sha256"))]
    for at in renames[1:]:
        blobs = [i for i in range(at) if trace[i][0] == "rename to" and "blobs" in trace[i][1].parts]
        directory = [i for i in range(at) if trace[i] == ("sync", folder / "blobs" / "sha256")]
        temporary = [i for i in range(at) if trace[i][0] == "sync" and trace[i][1].parent.name == "stage"]
        assert max(blobs) < max(directory) < max(temporary) < at
        assert ("sync", folder) in trace[at:]


async def test_a_linked_blob_is_synced_too_since_who_wrote_it_may_not_have(
    opener: Opener, folder: Path, tmp_path: Path
) -> None:
    trace: Trace = []
    layouts = opener(files=Files(lambda operation, path: trace.append((operation, path))))
    async with layouts.writing(str(tmp_path / "source")) as source, layouts.writing(str(folder)) as target:
        content = verified_once(b"small")
        await put_blob(source, content)
        del trace[:]
        assert await target.adopt_blob(content.blob, source)
    operations = [operation for operation, _ in trace]
    after = operations[operations.index("link to") :]
    assert after.index("sync") < after.index("rename to")
