"""The schemas of others that come with check-jsonschema: compose files, workflows, Renovate."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def check(schema: str, path: Path) -> None:
    """Have a file checked against a schema by its name there."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
