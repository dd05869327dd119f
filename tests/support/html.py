"""A page as a browser would read it: its elements, and whether they are put together as they should be."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "link", "input", "br", "img", "hr"}
_DRAWN = {"path"}
_INLINE = {"a", "b", "code", "i", "time"}  # whose text is one with what is beside it


@dataclass(slots=True)
class Element:
    """One element with its attributes and all text within."""

    tag: str
    attributes: dict[str, str]
    parts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its text, on one line."""
        return " ".join("".join(self.parts).split())


class Page(HTMLParser):
    """Reads a page; `assert_sound` fails where a browser would have to guess, or might do more than show."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.problems: list[str] = []
        self._open: list[Element] = []
        self.feed(text)
        self.close()
        self.problems += [f"<{element.tag}> is not closed" for element in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._part(tag)
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _DRAWN:
            self.problems.append(f"<{tag}/> closes nothing")
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        self._part(tag)
        if not self._open or self._open[-1].tag != tag:
            self.problems.append(f"</{tag}> closes {self._open[-1].tag if self._open else 'nothing'}")
        else:
            self._open.pop()

    def _part(self, tag: str) -> None:
        if tag not in _INLINE:
            self.handle_data(" ")

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.parts.append(data)

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Return the elements of this tag with these attributes; `is_` stands for `data-is`, `cls` for `class`."""
        named = {{"is_": "data-is", "cls": "class"}.get(name, name): value for name, value in attributes.items()}
        return [one for one in self.elements if one.tag == tag and named.items() <= one.attributes.items()]

    def by_id(self, name: str) -> Element:
        """Return the element of this id."""
        (found,) = [one for one in self.elements if one.attributes.get("id") == name]
        return found

    @property
    def title(self) -> str:
        return self.all("title")[0].text

    @property
    def links(self) -> list[str]:
        return [one.attributes["href"] for one in self.all("a")]

    def assert_sound(self) -> None:
        """Fail if elements are not closed, ids met twice, or if there is script or style that is not a file of ours."""
        ids = [one.attributes["id"] for one in self.elements if "id" in one.attributes]
        assert self.problems == []
        assert len(ids) == len(set(ids)), ids
        assert not self.all("style")
        scripts = {one.attributes["src"].partition("?")[0] for one in self.all("script")}
        assert scripts <= {"/static/page.js", "/static/control.js"}
        for one in self.elements:
            assert not [name for name in one.attributes if name.startswith("on") or name == "style"], one
            assert one.attributes.get("href", "/").startswith(("/", "#")), one
