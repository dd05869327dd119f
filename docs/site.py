"""How pages become a site: Markdown's library reads a few things otherwise than GitHub, for which they are written."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

_log = logging.getLogger("mkdocs.hooks.regsync")  # under --strict a warning ends the build
_ROOT = Path(__file__).parent.parent
_OUTSIDE = re.compile(r"(?<=\]\()\.\./\.\./([^)#\s]+)")
_FENCE = re.compile(r"^( *```[a-z]+) ([^\n]+)$", re.MULTILINE)
_LOADED = re.compile(r"""<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)=["']?((?:https?:)?//[^"'\s>]+)""")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Take the files of the repository that pages link to into the site, below the same path."""
    pages = [Path(str(file.abs_src_path)).read_text(encoding="utf-8") for file in files.documentation_pages()]
    for name in sorted({name for text in pages for name in _OUTSIDE.findall(text)}):
        if (_ROOT / name).is_file():
            files.append(File.generated(config, name, abs_src_path=str(_ROOT / name)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Have links to those files find them, and fences and tables mean what they do at GitHub."""
    lines = _OUTSIDE.sub(r"../\1", _FENCE.sub(_fence, markdown)).split("\n")
    return "\n".join(line.replace("\\|", "|") if line.startswith("|") else line for line in lines)


def on_post_page(output: str, *, page: Page, config: MkDocsConfig) -> str:  # noqa: ARG001
    """Warn of what a reader's browser would fetch from another place."""
    for address in _LOADED.findall(output):
        _log.warning("%s loads %s", page.file.src_uri, address)
    return output


def _fence(found: re.Match[str]) -> str:
    """The words behind a fence are for tests/test_docs.py; a reader sees the one that is a file's name."""
    name = found[2].split()[-1]
    return f'{found[1]} title="{name}"' if "." in name else found[1]
