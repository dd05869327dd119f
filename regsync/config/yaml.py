"""YAML text becomes a graph of nodes and then plain values; the only module that reads YAML.

PyYAML's own loaders are YAML 1.1, forget places, let the last of two equal keys win and follow an alias wherever it
leads, so only its parser is used (libyaml where it exists; a megabyte with positions costs a quarter of a second).
Places are not copied into the values: the graph is kept and asked when there is a problem to report.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from regsync.config.problems import Finding, Findings, Path, broken
from regsync.config.scalars import Plain, resolve
from regsync.errors import ConfigError

DEPTH_MAX: Final = 32  # levels; the deepest key we know is at 6
VALUES_MAX: Final = 1_000_000  # values after aliases are followed; the largest public file has 40,000

_PLAIN: Final = "plain"
_QUOTED: Final = "quoted"
_COLLECTION: Final = "collection"
_STANDARD: Final = "tag:yaml.org,2002:"
_MERGE: Final = "<<"
_TEXT_TAGS: Final = frozenset({_QUOTED, f"{_STANDARD}str"})
_WORD_TAGS: Final = frozenset({_PLAIN, *(f"{_STANDARD}{name}" for name in ("null", "bool", "int", "float"))})
_COLLECTION_TAGS: Final = frozenset({_COLLECTION, f"{_STANDARD}map", f"{_STANDARD}seq"})

_NAME_IN_MESSAGE: Final = re.compile(r"(alias|anchor|handle|tag) .*", re.DOTALL)

Node = yaml.Node
_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Composer(_Parser):  # type: ignore[misc]  # which of PyYAML's loaders this is, is known at run time only
    """Makes nodes whose tag says how they were written, and goes no deeper than a configuration can be."""

    def __init__(self, text: str, file: str) -> None:
        super().__init__(text)
        self._file = file
        self._depth = 0

    def resolve(self, kind: type[yaml.Node], _value: object, implicit: Any) -> str:
        """Return the tag of a node that has none: PyYAML's hook for the types of YAML 1.1, which we do not use."""
        if kind is not yaml.ScalarNode:
            return _COLLECTION
        return _PLAIN if implicit[0] else _QUOTED

    def descend_resolver(self, parent: yaml.Node | None, _index: object) -> None:
        """Count the level entered: PyYAML's hook around every node."""
        self._depth += 1
        if self._depth > DEPTH_MAX and parent is not None:
            raise broken(self._file, f"nested deeper than {DEPTH_MAX} levels", *_at(parent.start_mark))

    def ascend_resolver(self) -> None:
        """Count the level left."""
        self._depth -= 1


def compose(text: str, file: str) -> yaml.Node | None:
    """Return the root node of the first document, None if there is none; `ConfigError` if it is not YAML."""
    try:
        composer = _Composer(text, file)
        try:
            return composer.get_node() if composer.check_node() else None
        finally:
            composer.dispose()
    except yaml.MarkedYAMLError as error:
        line, column = _at(error.problem_mark or error.context_mark)
        advice = _advice(error.problem or "", text.split("\n")[line - 1 : line], column)
        raise broken(file, f"not YAML: {_trouble(error)}{advice}", line, column) from None
    except yaml.reader.ReaderError as error:
        before = text.encode()[: error.position].decode(errors="replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise broken(file, "not YAML: a control character", line, column) from None


def values_of(root: yaml.Node | None, findings: Findings, *, file: str, lenient: bool) -> Any:
    """Return dicts, lists, texts, `Plain`s and None for the nodes; duplicate keys and the like go to `findings`."""
    return _Builder(file, findings, lenient).value(root, ()) if root is not None else None


def text_of(root: yaml.Node | None, path: Path) -> str:
    """Return what is written at this path, nothing where it is no scalar."""
    node = root
    for part in path:
        found = _child(node, part)
        if found is None:
            return ""
        node = found[1]
    return node.value if isinstance(node, yaml.ScalarNode) else ""


def further_document(text: str, file: str) -> tuple[int, int] | None:
    """Return where a second document begins, which is never read; None if there is none, or none that is YAML."""
    composer = _Composer(text, file)
    try:
        if composer.check_node() and composer.get_node() is not None and composer.check_node():
            return _at(composer.peek_event().start_mark)
    except (yaml.YAMLError, ConfigError):
        pass
    finally:
        composer.dispose()
    return None


def place_of(root: yaml.Node | None, path: Path, *, key: bool = False) -> tuple[int, int]:
    """Return line and column of the value at this path (of its key, if asked), or of the nearest thing around it."""
    node = root
    for position, part in enumerate(path):
        found = _child(node, part)
        if found is None:
            break
        node = found[0] if key and position == len(path) - 1 else found[1]
    return _at(node.start_mark) if node is not None else (0, 0)


@dataclass(slots=True)
class _Builder:
    """Builds values once for every time they are used: an alias costs what it stands for, so bombs are counted."""

    file: str
    findings: Findings
    lenient: bool
    left: int = VALUES_MAX
    around: list[yaml.Node] = field(default_factory=list)

    def value(self, node: yaml.Node, path: Path) -> Any:
        """Return the value of any node."""
        if type(node) is yaml.ScalarNode:
            return node.value if node.tag in _TEXT_TAGS else self._word(node, path)
        self.left -= len(node.value)
        if self.left < 0:
            raise broken(self.file, f"aliases make more than {VALUES_MAX:,} values of this", *_at(node.start_mark))
        if any(one is node for one in self.around):
            raise broken(self.file, "an alias stands inside what it stands for", *_at(node.start_mark))
        if len(self.around) == DEPTH_MAX:
            raise broken(self.file, f"nested deeper than {DEPTH_MAX} levels", *_at(node.start_mark))
        if node.tag not in _COLLECTION_TAGS:
            self._refuse_tag(node, path)
        self.around.append(node)
        if isinstance(node, yaml.MappingNode):
            built: Any = self._mapping(node, path)
        else:
            built = [self.value(item, (*path, position)) for position, item in enumerate(node.value)]
        self.around.pop()
        return built

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        built: dict[str, Any] = {}
        seen: dict[str, yaml.Node] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if key_node.tag == _PLAIN and key == _MERGE:
                self._merge(built, value_node, path, seen, at=_at(key_node.start_mark))
                continue
            if type(key_node) is not yaml.ScalarNode:
                self.findings.errors.append(Finding(*_at(key_node.start_mark), path, "a key must be text; quote it"))
                continue
            if key in seen:
                self._duplicate((*path, key), seen[key], key_node)
            seen[key] = key_node
            built[key] = self.value(value_node, (*path, key))
        return built

    def _duplicate(self, path: Path, first: yaml.Node, again: yaml.Node) -> None:
        place = _at(again.start_mark)
        text = "duplicate key, first given at line {}, column {}".format(*_at(first.start_mark))
        (self.findings.warnings if self.lenient else self.findings.errors).append(Finding(*place, path, text))
        here = "a warning" if self.lenient else "an error"
        self.findings.trap(place, path, "takes the last of several equal keys", here)

    def _merge(
        self, built: dict[str, Any], node: yaml.Node, path: Path, before: Iterable[str], *, at: tuple[int, int]
    ) -> None:
        """Add the keys of `<<`, which win over keys that stand `before` it, as in Go."""
        if type(node) is yaml.ScalarNode and self._word(node, path) is None:
            return
        several = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if several != [node]:
            self.findings.trap(at, path, "loads no list of mappings to merge (<<)", "it is merged")
        for one in reversed(several):  # YAML merge key specification: earlier mappings of a list win
            if isinstance(one, yaml.MappingNode):
                merged = self.value(one, path)
                built.update(merged)
                for key in [key for key in before if key in merged]:
                    theirs = "lets a merge (<<) replace what stands before it, unlike YAML's own rule"
                    self.findings.trap(at, (*path, key), theirs, "the same")
            else:
                text = "<< takes a mapping, a list of mappings, or their aliases"
                self.findings.errors.append(Finding(*_at(one.start_mark), path, text))

    def _word(self, node: yaml.ScalarNode, path: Path) -> Plain | str | None:
        if node.tag not in _WORD_TAGS:
            self._refuse_tag(node, path)
            return None
        value = resolve(node.value)
        if value is None or isinstance(value, str):
            return value
        return Plain(value, node.value, *_at(node.start_mark))

    def _refuse_tag(self, node: yaml.Node, path: Path) -> None:
        text = "a tag that is not known; quote text that starts with !"
        self.findings.errors.append(Finding(*_at(node.start_mark), path, text))


def _child(node: yaml.Node | None, part: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """Return the nodes of the key and the value that won, where a mapping has several or merges them."""
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    found: tuple[yaml.Node, yaml.Node] | None = None
    for key_node, value_node in node.value if isinstance(node, yaml.MappingNode) else ():
        if key_node.tag == _PLAIN and key_node.value == _MERGE:
            several = value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
            merged = next(filter(None, (_child(one, part) for one in several)), None)
            found = merged or found
        elif key_node.value == part:
            found = key_node, value_node
    return found


def _trouble(error: yaml.MarkedYAMLError) -> str:
    """Return what the parser complains of, without the names of aliases and anchors: a password may look like one."""
    parts = (error.context, error.problem)
    return ", ".join(_NAME_IN_MESSAGE.sub(r"\1", part) for part in parts if part)


def _advice(problem: str, lines: list[str], column: int) -> str:
    """Return what helps with what most people get wrong: tabs, signs that begin a text, and where a key stands."""
    found = lines[0][column - 1 : column] if lines else ""
    if found == "\t":
        return "; that is a tab: indent with spaces"
    if found and found in "@`%":
        return f"; quote a text that begins with {found}"
    if problem.startswith("mapping values are not allowed"):
        return "; keys of one mapping begin below one another, and a text that holds a colon and a space is quoted"
    if problem.startswith(("did not find expected '-'", "did not find expected key")):
        return "; items of one list, and keys of one mapping, begin below one another"
    return ""


def _at(mark: Any) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)
