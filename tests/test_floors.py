"""Imports point down only, from floor to floor of the house, and never in circles; those inside functions count too."""

import ast
import functools
from pathlib import Path

import pytest

import jkeras

ROOT = Path(jkeras.__file__).parent

# From the ground up. What is on one floor may import from its own and from those below.
FLOORS = (
    "errors garbage lazy config arguments allowance paths buffers constants compilation tracebacks discarded"
    " trace_reader tracing random_keys console",
    "values types dtypes dispatch registry collectives tree writing program_store",
    "initializers activations regularizers constraints losses metrics optimizers ops lowering dtype_policies"
    " files.containers files.operations files.dialects quantization quantizers",
    "graph",
    "layers random",
    "training",
    "callbacks",
    "models files plots distribute distribution profiling distillation export visualization",
    "data datasets utils architectures applications wrappers old_operations backend saving",
    "keras scripts imports run pytest_plugin commands",
    "__init__ __main__",
)
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names.split()}

# What points up, and why it may.
PUBLIC = "writes or reads its version"
EXCEPTIONS = {
    ("jkeras.distribute.consistency", "jkeras"): PUBLIC,
    ("jkeras.commands.main", "jkeras"): PUBLIC,
    ("jkeras.keras.as_value", "jkeras"): "makes objects of the other face by their public names",
    ("jkeras.keras.value", "jkeras"): "makes objects of the other face by their public names",
}
# Circles are allowed here alone, where objects are made of one another.
CIRCLES = "jkeras.keras."


def modules():
    """Every module by name, with its file."""
    names = {}
    for file in ROOT.rglob("*.py"):
        parts = ("jkeras", *file.relative_to(ROOT).with_suffix("").parts)
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return names


MODULES = modules()


@functools.cache
def syntax(name):
    return ast.parse(MODULES[name].read_text())


def imports(name):
    """The modules of jkeras that a module imports when it runs, also late, in a function or by name."""
    found = set()

    def visit(node):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.orelse:  # annotations alone load nothing
                visit(child)
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in MODULES else node.module)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(syntax(name))
    return {target for target in found if target in MODULES and target != name}


@functools.cache  # and not when tests are collected, which every process does
def graph():
    return {name: imports(name) for name in MODULES}


def floor(name):
    """The number of the floor that a module is on."""
    parts = name.split(".")[1:] or ["__init__"]
    return FLOOR.get(".".join(parts[:2]), FLOOR.get(parts[0]))


def test_every_module_has_a_floor():
    assert [name for name in MODULES if floor(name) is None] == []


def test_imports_point_down():
    up = {(a, b) for a, targets in graph().items() for b in targets if floor(b) > floor(a)}
    assert up - set(EXCEPTIONS) == set()
    assert set(EXCEPTIONS) - up == set(), "no longer exceptions"


def circles():
    """The sets of modules that reach one another (Tarjan's algorithm)."""
    index, low, stack, found = {}, {}, [], []

    def visit(name):
        index[name] = low[name] = len(index)
        stack.append(name)
        for target in graph()[name]:
            if target not in index:
                visit(target)
                low[name] = min(low[name], low[target])
            elif target in stack:
                low[name] = min(low[name], index[target])
        if low[name] == index[name]:
            members = set(stack[stack.index(name) :])
            del stack[stack.index(name) :]
            if len(members) > 1:
                found.append(members)

    for name in graph():
        if name not in index:
            visit(name)
    return found


def test_no_circles():
    found = circles()
    outside = [members for members in found if not all(m.startswith(CIRCLES) for m in members)]
    assert outside == []


@functools.cache
def packages(name):
    """The packages that a module imports anywhere."""
    nodes = list(ast.walk(syntax(name)))
    names = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    names += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return {one.split(".")[0] for one in names}


@pytest.mark.parametrize("package", ["flax", "keras", "tensorflow"])
def test_who_knows_whom(package):
    known = {"flax": {"jkeras.graph.linen"}}.get(package, set())
    assert {name for name in MODULES if package in packages(name)} == known
