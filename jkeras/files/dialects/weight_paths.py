"""Converts paths of weights and assets in `.keras` files of Keras 2, and from Windows, to today's paths.

Keras 2.12 to 2.14 stored layers under `_layer_checkpoint_dependencies` instead of `layers`, and counted layers with weights
twice: `conv2d`, `conv2d_2`, `conv2d_4`. On Windows, the parts of a path were joined by a backslash.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from jkeras.files.containers.archives import Contents
from jkeras.files.containers.hdf5 import Tree

OLD, NEW = "_layer_checkpoint_dependencies", "layers"
_NUMBERED = re.compile(r"(.*?)(?:_(\d+))?")


def of_today(paths: Iterable[str]) -> Mapping[str, str]:
    """Today's path for each path.

    >>> old = "_layer_checkpoint_dependencies"
    >>> list(of_today([f"{old}/conv2d/vars", f"{old}\\\\conv2d_2/vars"]).values())
    ['layers/conv2d/vars', 'layers/conv2d_1/vars']
    """
    split = {path: path.replace("\\", "/").split("/") for path in paths}
    numbers: dict[tuple[str, ...], set[tuple[str, int]]] = {}
    for parts in split.values():
        for depth, part in enumerate(parts[1:], 1):
            if parts[depth - 1] == OLD:
                numbers.setdefault(tuple(parts[:depth]), set()).add(_number(part))
    return {path: "/".join(_renamed(parts, numbers)) for path, parts in split.items()}


def _number(name: str) -> tuple[str, int]:
    match = _NUMBERED.fullmatch(name)
    base, number = match.groups() if match is not None else (name, None)
    return base, int(number or 0)


def _renamed(parts: list[str], numbers: Mapping[tuple[str, ...], set[tuple[str, int]]]) -> list[str]:
    steps = list(parts)
    for depth, part in enumerate(parts):
        if part == OLD:
            steps[depth] = NEW
        if depth and parts[depth - 1] == OLD:
            base, number = _number(part)
            rank = sum(1 for other, smaller in numbers[tuple(parts[:depth])] if other == base and smaller < number)
            steps[depth] = f"{base}_{rank}" if rank else base
    return steps


def is_old(path: str) -> bool:
    """Whether a path has a different name today."""
    return OLD in path or "\\" in path


def tree_of_today(tree: Tree) -> Tree:
    """A file with today's paths."""
    if not any(is_old(path) for path in tree.groups):
        return tree
    return tree.renamed(of_today([*tree.groups, *tree.shapes]))


def members_of_today(members: Mapping[str, Contents]) -> dict[str, Contents]:
    """The members of an archive with today's names."""
    if not any(is_old(name) for name in members):
        return dict(members)
    names = of_today(members)
    return {names[name]: contents for name, contents in members.items()}
