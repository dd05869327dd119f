"""Where podman, skopeo and buildah keep logins: `auth.json`, in docker's format (containers-auth.json(5))."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def auth_files(environ: Mapping[str, str], home: Path) -> tuple[Path, ...]:
    """Return the places to look, the one that wins last; `REGISTRY_AUTH_FILE` takes the place of all others."""
    if environ.get("REGISTRY_AUTH_FILE"):
        return (Path(environ["REGISTRY_AUTH_FILE"]),)
    kept = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    running = Path(environ.get("XDG_RUNTIME_DIR") or f"/run/containers/{os.getuid()}")
    folder = "containers" if environ.get("XDG_RUNTIME_DIR") else ""
    return kept / "containers" / "auth.json", running / folder / "auth.json"
