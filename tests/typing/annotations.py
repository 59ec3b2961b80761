"""How exact annotations are: the share of parameters that are annotated `Any`, without `jkeras/keras`.

`python -m tests.typing.annotations` prints it for each folder; with `-v` every such parameter.
"""

from __future__ import annotations

import ast
import collections
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parents[2] / "jkeras"


class Parameter(NamedTuple):
    """A parameter of a function, and what it is annotated with."""

    place: str
    folder: str
    function: str
    name: str
    annotation: str | None


def parameters() -> Iterator[Parameter]:
    """Every parameter of every function and method but `self`, `cls`, `*args` and `**kwargs`."""
    for path in sorted(PACKAGE.rglob("*.py")):
        inside = path.relative_to(PACKAGE)
        if inside.parts[0] == "keras":
            continue
        folder = inside.parts[0] if len(inside.parts) > 1 else "."
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                arguments = node.args
                for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
                    if one.arg not in ("self", "cls", "mcls"):
                        annotation = ast.unparse(one.annotation) if one.annotation else None
                        yield Parameter(f"{inside}:{one.lineno}", folder, node.name, one.arg, annotation)


def share_of_any() -> float:
    """The share of parameters that are exactly `Any`, or not annotated at all."""
    known = list(parameters())
    return sum(one.annotation in (None, "Any") for one in known) / len(known)


def main() -> None:
    """Prints the shares."""
    total: collections.Counter[str] = collections.Counter()
    vague: collections.Counter[str] = collections.Counter()
    for one in parameters():
        total[one.folder] += 1
        if one.annotation in (None, "Any"):
            vague[one.folder] += 1
            if "-v" in sys.argv:
                print(f"jkeras/{one.place}: {one.function}({one.name})")
    for folder, count in sorted(total.items(), key=lambda item: -vague[item[0]]):
        print(f"{vague[folder]:5} of {count:5}  {vague[folder] / count:6.1%}  {folder}")
    print(f"{vague.total():5} of {total.total():5}  {vague.total() / total.total():6.1%}")


if __name__ == "__main__":
    main()
