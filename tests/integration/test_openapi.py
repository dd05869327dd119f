"""The OpenAPI document has every path and every answer, and schemathesis finds nothing that is not as it says."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import aiohttp
import jsonschema_rs
import pytest

from regsync import __version__
from regsync.listen import Address
from regsync.web.route import Route
from regsync.web.site import site
from tests.integration.test_api import REFERENCE, ROOT, Asked
from tests.support.real import free_port

API: Final = "/api/v1"
METRICS: Final = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
TOKEN: Final = "a-token-of-this-test"
EXAMPLES: Final = 15  # questions of each kind that schemathesis makes up; some hundreds in all


@pytest.fixture
def life(tmp_path: Path) -> Asked:
    return Asked(tmp_path)


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema of an object that is in this one."""
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for one in schema.values():
            yield from objects(one)


def strict(document: dict[str, Any], path: str, status: int) -> jsonschema_rs.Validator:
    """What takes the answers that a path gives with this status, and no field the document does not have."""
    whole = deepcopy(document)
    for schema in objects(whole):
        schema.setdefault("additionalProperties", False)
    answer = whole["paths"][path]["get"]["responses"][str(status)]["content"]["application/json"]["schema"]
    return jsonschema_rs.validator_for({**answer, "components": whole["components"]}, validate_formats=True)


async def test_every_answer_is_as_the_document_says_and_has_no_other_field(life: Asked) -> None:
    async with life.answering(life.entry("a"), life.failing("b")):
        document = await life.get("/openapi.json")
        run = (await life.get("/failures"))["failures"][0]["run"]
        asked = {path: path.removeprefix(API).replace("{name}", "b").replace("{id}", run) for path in document["paths"]}
        for path, real in asked.items():
            if not path.startswith(f"{API}/") or "get" not in document["paths"][path]:
                continue
            strict(document, path, 200).validate(await life.get(real))
            status, refused = await life.ask(f"{real}?odd=1")
            strict(document, path, status).validate(refused)
        for path, real in (("/runs/{id}", "/runs/none"), ("/entries/{name}/runs", "/entries/none/runs")):
            strict(document, f"{API}{path}", 404).validate((await life.ask(real))[1])


async def test_the_document_is_openapi_and_has_the_version_of_the_program(life: Asked) -> None:
    async with life.answering(life.entry("a"), visits=1):
        document = await life.get("/openapi.json")
    assert (document["openapi"], document["info"]["version"]) == ("3.1.0", __version__)
    assert {"/healthz", "/readyz", "/metrics", "/events", f"{API}/entries/{{name}}/runs"} < document["paths"].keys()
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))


async def test_the_document_has_every_route_but_pages_and_the_reference_every_path(
    life: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[Route] = []

    @asynccontextmanager
    async def noted(*given: Any, **more: Any) -> AsyncIterator[None]:
        served.extend(given[2])
        async with site(*given, **more):
            yield

    monkeypatch.setattr("regsync.serving.site", noted)
    async with life.answering(life.entry("a"), visits=1):
        document = await life.get("/openapi.json")
    described = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    routes = {(re.sub(r":[^}]*", "", one.path), one.method) for one in served if one.method != "*"}
    ours = {one for one in routes if one[0].startswith("/api/")} - {(f"{API}/{{other}}", "GET")}
    assert described == ours | {(path, "GET") for path in ("/healthz", "/readyz", "/metrics", "/events")}
    assert [path for path, _ in described if f"{path}`" not in REFERENCE + METRICS] == []


@pytest.mark.parametrize("path", ["/entries", "/nothing", "/entries/a/runs"])
async def test_what_may_not_be_done_is_refused_in_json_too(life: Asked, path: str) -> None:
    async with life.answering(life.entry("a"), visits=1):
        connector = aiohttp.UnixConnector(f"{life.folder}/socket")
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.delete(f"http://regsync{API}{path}") as answer,
        ):
            assert (answer.status, answer.headers["Allow"]) == (405, "GET,HEAD")
            assert await answer.json() == {"error": "Method Not Allowed"}


async def test_schemathesis_finds_no_failure(life: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regsync.web.token._MOST", 1 << 20)  # or after five wrong tokens nobody would be listened to
    port, life.token = free_port(), TOKEN
    life.listen = str(Address("127.0.0.1", port))
    async with life.answering(life.entry("a"), life.failing("b"), life.entry("x").replace("name: x", "name: c/d e")):
        code, said = await schemathesis(f"http://127.0.0.1:{port}{API}/openapi.json", tmp_path)
    assert code == 0, said


async def schemathesis(url: str, folder: Path) -> tuple[int, str]:
    """Return how it ended and what it found; it tries the same at each run."""
    how = [
        f"--header=Authorization: Bearer {TOKEN}",
        "--exclude-path=/events",
        "--checks=all",
        f"--max-examples={EXAMPLES}",
        "--seed=1",
        "--generation-deterministic",
        "--no-color",
    ]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", url, *how),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()
