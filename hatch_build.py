"""What a wheel holds of a module: all that Python runs, and none of the words between.

An installed program needs no docstrings and no comments, and they are a quarter of the wheel. Who wants to read the
sources finds them with their words in the repository and in the sdist. Lines keep their numbers, so that a traceback of
an installed program points into those. An editable install is the repository itself.
"""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.builders.wheel import WheelBuilderConfig

_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
_DOT = '"."'


def bare(text: str) -> str:
    """Return a module's text without the words of docstrings and comments; nothing stands behind those on a line."""
    lines = text.split("\n")
    left = _left(ast.parse(text))
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and token.start in left):
            (first, column), (last, _) = token.start, token.end
            kept = lines[first - 1][:column] + left.get(token.start, "")
            lines[first - 1 : last] = [kept.rstrip(), *[""] * (last - first)]
    return "\n".join(lines)


def _left(module: ast.Module) -> dict[tuple[int, int], str]:
    """Where each docstring begins (line, column), and what is left of it.

    A body needs a statement, and a dataclass without a docstring makes itself one of its signature, at each start: a
    dot is left there.
    """
    left = {}
    for node in ast.walk(module):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            docstring, *others = node.body
            needed = isinstance(node, ast.ClassDef) or not others
            left[docstring.lineno, docstring.col_offset] = _DOT if needed else ""
    return left


class BareModules(BuildHookInterface[WheelBuilderConfig]):
    """Puts bare modules in place of those a wheel would hold."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write them where the wheel takes them from."""
        self._made = TemporaryDirectory()
        if version == "editable":
            return
        for file in self.build_config.builder.recurse_selected_project_files():
            if file.path.endswith(".py"):
                made = Path(self._made.name, file.distribution_path)
                made.parent.mkdir(parents=True, exist_ok=True)
                made.write_bytes(bare(Path(file.path).read_text(encoding="utf-8")).encode())
                build_data["force_include"][str(made)] = file.distribution_path

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Remove what the wheel has in it now."""
        self._made.cleanup()
