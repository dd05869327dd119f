"""Run as a program: attaches referrers of one image to a repository of a registry, beside others that do the same.

`python -m tests.integration.attacher HOST PATH NAME COUNT`; begins when it is sent a line.
"""

from __future__ import annotations

import asyncio
import sys

from regsync.clock import SystemClock
from regsync.events import ignore
from regsync.limits import Limits
from regsync.oci.reference import RegistryReference
from regsync.registry.host import HostSettings
from regsync.registry.registries import Registries
from tests.support.built import artifact_bytes, image_bytes
from tests.support.fake_registry import MANNER
from tests.support.images import manifest_of, put_blobs

SUBJECT = image_bytes(b"signed by all")


async def attach(host: str, path: str, name: str, count: int) -> None:
    """Push the referrers' blobs, wait for the word, and then the manifests, one after another."""
    hosts = {host: HostSettings(name=host, hostname=host, tls="disabled")}
    limits = Limits(lambda _: None)
    async with Registries(hosts, MANNER, limits=limits, clock=SystemClock(), tell=ignore) as registries:
        repository = registries.repository(RegistryReference(host, path), push=True)
        built = [artifact_bytes(f"{name} {number}".encode(), subject=SUBJECT) for number in range(count)]
        for each in built:
            await put_blobs(repository, each)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        for each in built:
            await repository.put_manifest(manifest_of(each))


if __name__ == "__main__":
    asyncio.run(attach(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
