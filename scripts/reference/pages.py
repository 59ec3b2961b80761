"""The pages of the reference, and their places in the navigation."""

from __future__ import annotations

import functools
import importlib
import re

from scripts.reference import text
from scripts.reference.entry import written
from scripts.reference.names import NAMESPACES, Entry, entries, public_paths

FOLDER = "reference"


@functools.cache
def pages() -> dict[str, str]:
    """Every page by its path: one for each namespace, and one for each name of those that have many arguments."""
    result = {}
    for namespace, group in entries().items():
        title, apart = NAMESPACES[namespace]
        module = importlib.import_module(namespace)
        intro = [text.paragraph(section) for section in text.sections_of(module)] if namespace != "jkeras" else []
        head = "\n\n".join([f"# {title}", f"`{namespace}`", *intro])
        folder = f"{FOLDER}/{_folder(namespace)}"
        files = _files(group) if apart else {}
        rows = [_row(entry, files[entry.path] if apart else "") for entry in group]
        body = "| name | |\n|---|---|\n" + "\n".join(rows)
        if apart:
            result[f"{folder}/index.md"] = f"{head}\n\n{body}\n"
            for entry in group:
                result[f"{folder}/{files[entry.path]}"] = _boost(entry) + written(entry, 1) + "\n"
        else:
            result[f"{folder}.md"] = "\n\n".join([head, *map(written, group)]) + "\n"
    return result


@functools.cache
def _names() -> frozenset[str]:
    return frozenset(path.rpartition(".")[2] for path in public_paths())


def _boost(entry: Entry) -> str:
    """How much the search prefers the page: more where other names begin with this one (`LSTM`, `LSTMCell`)."""
    longer = any(name.startswith(entry.name) and name != entry.name for name in _names())
    return f"---\nsearch:\n  boost: {8 if longer else 2}\n---\n\n"


def navigation() -> list[dict[str, object]]:
    """The part of the reference in the navigation."""
    result: list[dict[str, object]] = []
    for namespace, group in entries().items():
        title, apart = NAMESPACES[namespace]
        folder = f"{FOLDER}/{_folder(namespace)}"
        if apart:
            files = _files(group)
            result.append({title: [f"{folder}/index.md", *({e.name: f"{folder}/{files[e.path]}"} for e in group)]})
        else:
            result.append({title: f"{folder}.md"})
    return result


def anchors(markdown: str) -> set[str]:
    """The anchors of a page."""
    return {heading or other for heading, other in re.findall(r'\{ #([\w.]+) \}|<a id="([\w.]+)">', markdown)}


def _folder(namespace: str) -> str:
    return (
        "models" if namespace == "jkeras" else "files" if namespace == "jkeras.models" else namespace.partition(".")[2]
    )


def _files(group: list[Entry]) -> dict[str, str]:
    """A file for each entry; names that differ in case alone get different ones, for systems that see no case."""
    files: dict[str, str] = {}
    for entry in group:
        name = entry.name if entry.name.lower() not in {f.lower()[:-3] for f in files.values()} else f"{entry.name}_"
        files[entry.path] = f"{name}.md"
    return files


def _row(entry: Entry, file: str) -> str:
    sections = text.sections_of(entry.value) if callable(entry.value) else []
    summary = sections[0].body.replace("\n", " ") if sections else ""
    summary = summary.replace(". ", ".\n").split("\n")[0].rstrip(".:").replace("|", r"\|")
    names = [path.rpartition(".")[2] for path in entry.paths[1:]]
    others = ", ".join(f"`{name}`" for name in dict.fromkeys(names) if name != entry.name)
    also = f" (also {others})" if others else ""
    return f"| [`{entry.name}`]({file or '#' + entry.path}) | {summary}{also} |"
