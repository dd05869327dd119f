"""Several processes that attach referrers to one image at a registry without the referrers API: none is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from regsync.oci.digest import Digest
from regsync.oci.reference import RegistryReference
from tests.contract.places import opened
from tests.integration.attacher import SUBJECT
from tests.support.real import DockerRegistry

ROOT = Path(__file__).parents[2]
PROCESSES, EACH = 3, 4


def started(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.integration.attacher", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def test_processes_that_attach_to_one_image_at_once_lose_nothing(
    shared_registry: DockerRegistry, repository_name: str
) -> None:
    writers = [started(shared_registry.host, repository_name, f"p{number}", str(EACH)) for number in range(PROCESSES)]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n", writer.communicate()[1]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        _, complaints = writer.communicate()
        assert writer.returncode == 0, complaints
    async with opened(shared_registry.host) as registries:
        repository = registries.repository(RegistryReference(shared_registry.host, repository_name))
        assert len(await repository.referrers(Digest.parse(SUBJECT.digest))) == PROCESSES * EACH
