"""Parses docstrings into sections, and completes those of descriptions from base classes and a table.

A class documents only what is specific to it. Arguments that it shares with others are described once: by a base class, by the
function that it wraps (`function`), or in `jkeras.values.words`. The same holds for shapes and errors of a whole family.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from jkeras.values.words import ARGUMENTS

_TITLE = re.compile(r"(Args|Raises|Returns|Yields|Attributes|State):\n(?=[ ]+\S)")
_ENTRY = re.compile(r"(?:^|\n)(?=\S)")
# The order of the sections that are added to a docstring.
_ADDED = ("Shapes", "Args", "Raises")


class Section(NamedTuple):
    """A section of a docstring: its title, or "text", "example", "Shapes" or "Source" for such paragraphs."""

    title: str
    body: str


def parse(text: str | None) -> list[Section]:
    r"""The sections of a docstring.

    >>> [title for title, body in parse("Adds.\n\nShapes: any.\n\nArgs:\n    x: a number.\n\n>>> 1 + 1\n2")]
    ['text', 'Shapes', 'Args', 'example']
    """
    sections: list[Section] = []
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text or "").strip()):
        title = _TITLE.match(paragraph)
        if title:
            sections.append(Section(title[1], inspect.cleandoc("\n" + paragraph[title.end() :])))
        elif paragraph.startswith(" ") and sections:  # continues a block after an empty line
            last = sections[-1]
            sections[-1] = Section(last.title, f"{last.body}\n\n{paragraph}")
        elif paragraph:
            sections.append(Section(_kind(paragraph), paragraph))
    return sections


def _kind(paragraph: str) -> str:
    if paragraph.startswith(">>>"):
        return "example"
    word = re.match(r"(Shapes?|Source|Sources|Reference)[: ]", paragraph)
    return {"Shape": "Shapes", "Sources": "Source", "Reference": "Source"}.get(word[1], word[1]) if word else "text"


def entries(body: str) -> dict[str, str]:
    r"""The entries `name: text` of a section.

    >>> entries("x: a number,\n    or two.\na, *b: more.")
    {'x': 'a number, or two.', 'a': 'more.', '*b': 'more.'}
    """
    result: dict[str, str] = {}
    for entry in filter(str.strip, _ENTRY.split(body)):
        names, _, text = entry.partition(":")
        result.update(dict.fromkeys((name.strip() for name in names.split(" (")[0].split(",")), " ".join(text.split())))
    return result


def described(sections: Iterable[Section], title: str) -> dict[str, str]:
    """The entries of every section with this title."""
    result: dict[str, str] = {}
    for section in sections:
        if section.title == title:
            result.update(entries(section.body))
    return result


def completed(cls: type) -> str | None:
    """The docstring of a class, completed with inherited arguments, shapes and errors."""
    own = vars(cls).get("__doc__")
    if not isinstance(own, str) or not cls.__module__.startswith("jkeras."):
        return own
    sections = parse(own)
    bases = [parse(vars(base).get("__doc__")) for base in cls.__mro__[1:]]
    function = getattr(cls, "function", None)
    wrapped = [parse(function.__doc__)] if callable(function) else []
    signature = getattr(cls, "__signature__", None)
    names = () if signature is None else tuple(signature.parameters)
    parts = {
        "Shapes": _shapes([sections, *wrapped, *bases]),
        "Args": _lines(_arguments(names, [sections, *wrapped, *bases])),
        "Raises": _lines(_merged("Raises", [sections, *bases])),
    }
    return _joined(sections, {title: body for title, body in parts.items() if body})


def _arguments(names: Iterable[str], sources: list[list[Section]]) -> dict[str, str]:
    texts = _merged("Args", sources)
    known = {**ARGUMENTS, **{n: t for n, t in texts.items() if not (t.startswith("likewise") and n in ARGUMENTS)}}
    own = described(sources[0], "Args")
    names_in_order = [name for name in names if name in known]
    return {name: known[name] for name in [*names_in_order, *(name for name in own if name not in names_in_order)]}


def _merged(title: str, sources: list[list[Section]]) -> dict[str, str]:
    """Merges entries of several docstrings; the first take precedence."""
    result: dict[str, str] = {}
    for sections in sources:
        for name, text in described(sections, title).items():
            result.setdefault(name, text)
    return result


def _shapes(sources: list[list[Section]]) -> str:
    return next((s.body for sections in sources for s in sections if s.title == "Shapes"), "")


def _lines(texts: Mapping[str, str]) -> str:
    return "\n".join(textwrap.fill(f"{n}: {text}", 108, subsequent_indent="    ") for n, text in texts.items())


def _joined(own: list[Section], parts: Mapping[str, str]) -> str:
    """Replaces the sections of a class by the completed ones, and inserts the others before the first example."""
    titles = [section.title for section in own]
    place = next((i for i, title in enumerate(titles) if title in ("example", "Source", *_ADDED)), len(own))
    added = [Section(title, parts[title]) for title in _ADDED if title in parts]
    own_sections = [section for section in own if section.title not in parts]
    before = [section for section in own[:place] if section in own_sections]
    return "\n\n".join(map(_written, [*before, *added, *own_sections[len(before) :]]))


def _written(section: Section) -> str:
    if section.title in ("text", "example", "Shapes", "Source"):
        return section.body
    return f"{section.title}:\n" + "\n".join(f"    {line}" for line in section.body.split("\n"))
