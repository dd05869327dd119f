"""The documentation is true: its configurations load, its commands do what it shows, and nothing is left out."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from click import Command, Option

from regsync.cli import program
from regsync.errors import ConfigError
from regsync.loading import load
from regsync.observe import wording
from regsync.template.functions import FUNCTIONS
from regsync.template.times import DURATION, TIME
from regsync.template.values import Kind, Pointer, Slice, Struct
from tests.support.pages import NOT_RUN, PAGES, ROOT, Block, Reader, blocks, configuration_keys, page_name, steps
from tests.support.real import DockerRegistry, free_port
from tests.unit.template.surroundings import DATA

REFERENCE = ROOT / "docs" / "reference"
RUN = [page for page in PAGES if any(block.kind == "console" for block in blocks(page))]
NEEDS_REGISTRIES = [page for page in RUN if any("registry" in block.words for block in blocks(page))]
OFFLINE = [page for page in RUN if page not in NEEDS_REGISTRIES]
CONFIGURATIONS = [
    pytest.param(block, id=f"{page_name(page)}-{number}")
    for page in PAGES
    for number, block in enumerate(blocks(page))
    if block.kind == "yaml"
]


def options() -> Iterator[str]:
    """Every option of every command."""
    commands: list[Command] = [program, *program.commands.values()]
    for command in commands:
        for parameter in command.params:
            if isinstance(parameter, Option):
                yield from (*parameter.opts, *parameter.secondary_opts)


@pytest.mark.parametrize("block", CONFIGURATIONS)
def test_every_configuration_shown_is_one(block: Block, tmp_path: Path) -> None:
    if "other" in block.words:
        assert isinstance(yaml.safe_load(block.body), dict)
        return
    path = tmp_path / "regsync.yml"
    path.write_text(block.body, encoding="utf-8")
    if "wrong" in block.words:
        with pytest.raises(ConfigError):
            load(str(path), allow_unknown_keys=False)
        return
    assert load(str(path), allow_unknown_keys=False).warnings == () or "fastCopy" in block.body


@pytest.mark.parametrize("page", OFFLINE, ids=page_name)
def test_whoever_types_along_sees_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    Reader(tmp_path / "reader").follow(page)


@pytest.mark.parametrize("page", NEEDS_REGISTRIES, ids=page_name)
def test_whoever_types_along_with_two_registries_sees_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    with DockerRegistry(tmp_path / "a") as first, DockerRegistry(tmp_path / "b") as second:
        here = f"127.0.0.1:{free_port()}"
        names = {"registry-a.example:5000": first.host, "registry-b.example:5000": second.host, "127.0.0.1:8080": here}
        Reader(tmp_path / "reader", names).follow(page)


@pytest.mark.parametrize("page", RUN, ids=page_name)
def test_a_command_shown_is_one_that_is_run_or_known(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    for block in blocks(page):
        for step in steps(block) if block.kind == "console" else ():
            name, *arguments = step.command.split()
            assert name in {"regsync", "skopeo", "umoci", "curl", "echo", *NOT_RUN}
            assert name != "make" or arguments[0] in targets


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = _prose(page)
    links = [*re.findall(r"\]\(([^)\s]+)\)", text), *re.findall(r"^\[[^]]+\]: (\S+)", text, flags=re.MULTILINE)]
    assert [link for link in links if "://" not in link and not _leads_somewhere(page, link)] == []


def test_every_page_has_its_place_in_the_nav_of_the_site() -> None:
    listed = re.findall(
        r"^ +- [^:]+: (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    assert sorted(listed) == sorted(str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md"))


def _prose(page: Path) -> str:
    """A page without its fenced blocks, in which neither links nor headings are any."""
    return re.sub(r"^( *)```.*?^\1```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def _leads_somewhere(page: Path, link: str) -> bool:
    """Say whether there is such a file in the project, and such a heading in it; the project ends at its root."""
    name, _, anchor = link.partition("#")
    aim = (page.parent / name).resolve() if name else page
    if not aim.exists() or not aim.is_relative_to(ROOT):
        return False
    headings = re.findall(r"^#+ (.+)$", _prose(aim), flags=re.MULTILINE) if anchor else []
    return not anchor or anchor in {re.sub(r"[^a-z0-9_ -]", "", head.lower()).replace(" ", "-") for head in headings}


def test_every_key_has_its_line_in_the_reference() -> None:
    text = (REFERENCE / "configuration.md").read_text(encoding="utf-8")
    assert sorted(key for key in configuration_keys() if f"`{key}`" not in text) == []


def test_every_message_that_troubleshooting_explains_is_one_of_ours() -> None:
    page = ROOT / "docs" / "guide" / "troubleshooting.md"
    firsts = [row.split("|")[1] for row in page.read_text(encoding="utf-8").splitlines() if row.startswith("| `")]
    said = [message for cell in firsts for message in re.findall(r"`([^`]+)`", cell)]
    package = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "regsync").rglob("*.py"))
    assert said
    assert [message for message in said if message not in package] == []


def test_every_option_and_command_has_its_line_in_the_reference() -> None:
    text = (REFERENCE / "command-line.md").read_text(encoding="utf-8")
    shown = [f"`{name}" for name in (*options(), *program.commands)]
    assert [name for name in shown if name not in text] == []


def test_every_option_in_the_reference_exists() -> None:
    text = (REFERENCE / "command-line.md").read_text(encoding="utf-8")
    listed = re.findall(r"`(--?[a-z-]+)[^`]*`", "".join(line for line in text.splitlines(True) if line.startswith("|")))
    assert listed
    assert sorted(set(listed) - set(options()) - {"-h", "--help"}) == []


def test_every_message_from_info_up_has_its_line_in_the_reference() -> None:
    text = (REFERENCE / "log-lines.md").read_text(encoding="utf-8")
    messages = re.findall(r'(?:INFO|WARN|ERROR), "([A-Z][^"]+)"', inspect.getsource(wording))
    assert messages
    assert [message for message in messages if f"`{message}`" not in text] == []


def test_every_function_and_field_of_templates_has_its_line_in_the_reference() -> None:
    text = (REFERENCE / "templates.md").read_text(encoding="utf-8")
    kinds = [*_kinds(DATA), TIME, DURATION]
    names = {*FUNCTIONS, *(name for kind in kinds for name in (*kind.fields, *kind.methods))}
    several = {"Date", "Clock", "Zone", "ISOWeek"}  # which no template can take
    assert sorted(name for name in names - several - {"GoString"} if not re.search(rf"\b{name}\b", text)) == []


def _kinds(value: object) -> Iterator[Kind]:
    """Every kind of value that can be reached from this one."""
    match value:
        case Struct():
            yield value.kind
            for get in value.kind.fields.values():
                yield from _kinds(get(value.of))
        case Slice():
            for item in value.items:
                yield from _kinds(item)
        case Pointer():
            yield from _kinds(value.to)
        case _:
            pass
