"""Writes docs/coverage.md: every public name of Keras, and what jkeras has for it.

    python -m tests.coverage --write

Nothing is claimed by hand. A name is *equal* when it stands in a table of cases that some test compares with Keras, or
when a test of the helpers calls Keras's function and ours side by side.
"""

from __future__ import annotations

import argparse
import ast
import collections
import functools
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.keras_names import canonical_names, namespaces, ours
from tests.test_signatures import EXCEPTIONS

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "coverage.md"
DIFFERENCES = ROOT / "docs" / "differences.md"

# Test modules whose function `covered` reads the names that they compare off their own tables.
TABLES = (
    "tests.applications.facts",
    "tests.callbacks.test_against_keras",
    "tests.layers.covered",
    "tests.layers.preprocessing.test_image_layers",
    "tests.losses.test_contract",
    "tests.metrics.test_contract",
    "tests.ops.test_ops",
    "tests.optimizers.test_rules",
    "tests.optimizers.test_schedules",
    "tests.test_activations",
    "tests.test_constraints",
    "tests.test_initializers",
    "tests.test_random",
    "tests.test_regularizers",
    "tests.test_tree",
)
# Folders with tests that call a function of Keras and ours one after the other.
SIDE_BY_SIDE = ("tests/utils", "tests/datasets", "tests/metrics", "tests/optimizers", "tests/test_names.py")

# The namespaces whose names a part of docs/differences.md speaks of.
PARTS = {
    "Layers": ("layers", "initializers", "regularizers", "constraints"),
    "Losses and metrics": ("losses", "metrics"),
    "Optimizers": ("optimizers", "optimizers.schedules"),
    "Data and files": ("utils", "saving", "datasets"),
}

# Why names, or all names of a namespace, are absent.
REASONS = {
    "keras.layers.TFSMLayer": "needs TensorFlow; load the model's weights into the same layers, or export it to StableHLO",
    "keras.layers.TorchModuleWrapper": "needs PyTorch; `FlaxLayer`, `JaxLayer`",
}
WORDS = {
    "equal": "equal",
    "present": "present",
    "different": "different on purpose",
    "absent": "absent",
}
INTRODUCTION = """# Coverage of Keras

Every public name of Keras 3.15, once, under its first name. This page is written by `python -m tests.coverage --write`, and
a test fails when it and the code disagree.

- **equal**: compared with Keras, number by number, by the tests
- **present**: there, with Keras's parameters (also compared), and tested otherwise
- **different on purpose**: there, with a difference that is [written down](differences.md); otherwise as tested
- **absent**: not there

Keras's second names (`keras.losses.MSE`, `keras.layers.AvgPool2D`, `keras.utils.clear_session` ...) are found in
`jkeras.keras` wherever the first one is.
"""


def literal_names(path: Path) -> Iterator[str]:
    """The functions of Keras that the tests of a file call beside ours of the same name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
            chains = {chain for node in ast.walk(function) if (chain := _chain(node))}
            mine = {chain.rpartition(".")[2] for chain in chains if not chain.startswith("keras.")}
            yield from (c for c in chains if c.startswith("keras.") and c.rpartition(".")[2] in mine)


def _chain(node: ast.AST) -> str:
    """`keras.utils.normalize` for the expression of that form."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


@functools.cache
def equal_names() -> frozenset[str]:
    """The names that tests compare with Keras."""
    found: set[str] = set()
    for module in TABLES:
        found |= importlib.import_module(module).covered()
    for place in SIDE_BY_SIDE:
        path = ROOT / place
        for file in sorted(path.rglob("test_*.py")) if path.is_dir() else [path]:
            found |= set(literal_names(file))
    return frozenset(found)


@functools.cache
def different_names() -> dict[str, str]:
    """The names that docs/differences.md has an entry for, and the heading that it is under."""
    known = set(canonical_names())
    found, part = {}, ""
    for line in DIFFERENCES.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            part = line.lstrip("# ")
        elif line.startswith("|") and part in PARTS:
            for span in re.findall(r"`([\w.]+)", line.split("|")[1]):
                candidates = [f"keras.{span}", *(f"keras.{space}.{span}" for space in PARTS[part])]
                found.update({name: part for name in candidates if name in known})
    return found


def status_of(name: str) -> str:
    """One of the four words of the page."""
    if ours(name) is None:
        return "absent"
    if name in different_names():
        return "different"
    return "equal" if name in equal_names() else "present"


def row(name: str) -> str:
    """A name's line of the page."""
    status = status_of(name)
    notes = []
    part = different_names().get(name)
    if status == "different" and part:
        notes.append(f"[{part}](differences.md#{part.lower().replace(' ', '-')})")
        notes += ["otherwise equal"] if name in equal_names() else []
    if status == "absent":
        notes.append(reason(name))
    else:
        place, _ = ours(name) or ("", None)
        if place.startswith("jkeras.keras."):
            notes.append("in `jkeras.keras`")
        notes += [f"{member}{EXCEPTIONS[one]}" for one, member in _exceptions(name)]
    return f"| `{name.rpartition('.')[2]}` | {WORDS[status]} | {'; '.join(notes)} |"


def _exceptions(name: str) -> Iterator[tuple[str, str]]:
    """The deliberate differences of a name's parameters, and of those of its methods."""
    for one in EXCEPTIONS:
        if one == name:
            yield one, "parameters: "
        elif one.rpartition(".")[0] == name:
            yield one, f"`{one.rpartition('.')[2]}`: "


def reason(name: str) -> str:
    """Why a name or a namespace is absent."""
    return next((text for prefix, text in REASONS.items() if f"{name}.".startswith(f"{prefix}.")), "")


def page() -> str:
    """The text of docs/coverage.md."""
    spaces = namespaces(canonical_names())
    counts = {space: collections.Counter(map(status_of, names)) for space, names in spaces.items()}
    total: collections.Counter[str] = sum(counts.values(), collections.Counter())
    lines = [INTRODUCTION]
    lines += ["| namespace | names | equal | present | different on purpose | absent |", "|---|--:|--:|--:|--:|--:|"]
    shown = {space: names for space, names in spaces.items() if counts[space]["absent"] < len(names)}
    rest = {space: names for space, names in spaces.items() if space not in shown}
    for space, names in sorted(shown.items()):
        cells = [f"[`{space}`](#{space.replace('.', '')})", len(names), *(counts[space][word] or "" for word in WORDS)]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    absent = sum(map(len, rest.values()))
    lines.append(f"| [others](#others) | {absent} | | | | {absent} |")
    sums = " | ".join(f"**{total[word]}**" for word in WORDS)
    lines.append(f"| **all** | **{total.total()}** | {sums} |")
    for space, names in sorted(shown.items()):
        lines += ["", f"## {space}", "", "| name | | |", "|---|---|---|", *map(row, sorted(names))]
    lines += [
        "",
        "## others",
        "",
        "Nothing of these namespaces is there.",
        "",
        "| namespace | names | why |",
        "|---|---|---|",
    ]
    for space, names in sorted(rest.items()):
        listed = ", ".join(f"`{name.rpartition('.')[2]}`" for name in sorted(names))
        lines.append(f"| `{space}` | {listed} | {reason(space)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Writes the page, or says whether it is up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/coverage.md")
    if parser.parse_args().write:
        PAGE.write_text(page(), encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != page():
        sys.exit("docs/coverage.md and the code disagree: run `python -m tests.coverage --write`.")


if __name__ == "__main__":
    main()
