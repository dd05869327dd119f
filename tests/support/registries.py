"""Real registries besides docker-registry 2.8, each as a process: what they have in common with it ends at the spec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.real import DockerRegistry, RegistryProcess


class Distribution(DockerRegistry):
    """distribution 3, which came of docker-registry 2.8: no referrers API either."""

    program = "registry"

    def environment(self) -> Mapping[str, str]:
        return {"OTEL_TRACES_EXPORTER": "none"}


class Ferro(RegistryProcess):
    """ferro-oci-server 1.0: the referrers API, and 202 to whoever wants a mount."""

    program = "ferro-oci-server"
    lists_referrers = True
    mounts = False

    def arguments(self) -> Sequence[str]:
        return ()

    def file_of(self, digest: str) -> Path:
        algorithm, _, value = digest.partition(":")
        return self.data / algorithm / value[:2] / value[2:]

    def environment(self) -> Mapping[str, str]:
        return {"FERRO_OCI_LISTEN": self.host, "FERRO_OCI_STORAGE_DIR": str(self.data)}


class Crane(RegistryProcess):
    """The registry of crane: blobs in a directory, manifests in memory, so a restart forgets every image."""

    program = "crane"
    mounts = False

    def arguments(self) -> Sequence[str]:
        blobs = self.data / "blobs"
        blobs.mkdir(parents=True, exist_ok=True)
        return ("registry", "serve", "--address", self.host, "--disk", str(blobs))

    def file_of(self, digest: str) -> Path:
        algorithm, _, value = digest.partition(":")
        return self.data / "blobs" / algorithm / value


REAL: Mapping[str, type[RegistryProcess]] = {
    "docker-registry": DockerRegistry,
    "distribution": Distribution,
    "ferro": Ferro,
    "crane": Crane,
}
