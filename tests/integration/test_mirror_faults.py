"""A mirror that goes wrong in every way there is does no harm: what is read is what the registry has."""

from __future__ import annotations

import pytest

from regsync.errors import IntegrityError
from regsync.oci.digest import Digest
from regsync.repository import Repository
from tests.support.faults import (
    Action,
    BitFlip,
    Change,
    ContentEncoding,
    ExtraBytes,
    Fault,
    HalfBody,
    Html200,
    NotHttp,
    Redirect,
    ResetBefore,
    ResetInside,
    Status,
)
from tests.support.mirrors import IMAGE, LAYER, proved_bytes_of, world

FAULTS: tuple[Action, ...] = (
    *(Status(status) for status in (400, 401, 403, 404, 405, 408, 410, 416, 418, 429, 500, 502, 503, 504, 522)),
    *(Html200(), ResetBefore(), ResetInside(1), HalfBody(), NotHttp(), BitFlip(), ExtraBytes(7), ContentEncoding()),
    *(Redirect("http://169.254.169.254/latest"), Redirect("http://127.0.0.1:1/"), Redirect("nonsense://x")),
    Change(headers={"Content-Type": "text/html"}),
    Change(headers={"Docker-Content-Digest": "sha256:" + 64 * "0"}),
    Change(body=b"{}"),
    Change(body=b"[]"),
    Change(status=204),
)


@pytest.mark.parametrize("action", FAULTS, ids=repr)
@pytest.mark.parametrize("kind", ["manifest", "blob", "tags", "referrers"])
async def test_whatever_a_mirror_does_all_that_is_read_is_right(action: Action, kind: str) -> None:
    async with world(0) as ours:
        (mirror,) = ours.mirrors
        mirror.seed("app", {"v1": IMAGE})
        mirror.fail(Fault(action, kind=kind, times=999))
        repository = ours.repository
        manifest = await repository.get_manifest(Digest.parse(IMAGE.digest))
        assert manifest.raw == IMAGE.raw
        assert await proved(repository) == LAYER
        assert await repository.referrers(manifest.digest) == ()
        assert [tag async for tag in repository.tags()] == ["v1"]


async def proved(repository: Repository) -> bytes:
    """Read the layer as a copy does: begun anew where its bytes turn out to be wrong."""
    for _ in range(3):
        try:
            return await proved_bytes_of(repository)
        except IntegrityError:
            continue
    pytest.fail("it stays wrong")
