"""The structure of the core: one place that compiles, no circles, short calls, nothing private, no guessing of attributes."""

import ast
from pathlib import Path

import pytest

import jkeras

ROOT = Path(jkeras.__file__).parent
FOLDERS = ("training", "distribute", "distribute/planning")
MODULES = {
    f"jkeras.{'.'.join(file.relative_to(ROOT).with_suffix('').parts)}": ast.parse(file.read_text())
    for folder in FOLDERS
    for file in sorted((ROOT / folder).glob("*.py"))
    if file.name != "__init__.py" or folder != "distribute/planning"
}
COMPILERS = {"jit", "pmap", "shard_map"}
# Which module compiles what: to change how a step is compiled on one device, a mesh or many models, one file is touched;
# replicas have another compiler, arrays are moved between meshes by programs that hold no step, and plans compile steps for
# devices that are not here.
PLACES = {
    ("jkeras.training.layout", "jit"),
    ("jkeras.distribute.mirrored", "pmap"),
    ("jkeras.distribute.mirrored", "shard_map"),
    ("jkeras.distribute.arrays", "jit"),
    ("jkeras.distribute.planning.step", "jit"),
    ("jkeras.distribute.planning.child", "jit"),
}
MOST_ARGUMENTS = 8


def nodes(name, kind):
    return [node for node in ast.walk(MODULES[name]) if isinstance(node, kind)]


def imports(name):
    """The modules of the core that a module imports, for annotations too."""
    found = set()
    for node in nodes(name, ast.ImportFrom):
        for alias in node.names:
            found |= {f"{node.module}.{alias.name}", node.module} & set(MODULES)
    return found - {name}


def test_one_module_of_each_folder_compiles_steps():
    found = {
        (name, node.attr)
        for name in MODULES
        for node in nodes(name, ast.Attribute)
        if node.attr in COMPILERS and ast.unparse(node.value) == "jax"
    }
    assert found == PLACES
    assert not [name for name in MODULES for node in nodes(name, ast.ImportFrom) if node.module == "jax" and
                COMPILERS & {alias.name for alias in node.names}]  # fmt: skip


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_circles_not_even_of_annotations(folder):
    left = {name: imports(name) for name in MODULES if name.startswith(f"jkeras.{folder.replace('/', '.')}.")}
    while ready := [name for name in left if not left[name] & set(left)]:
        for name in ready:
            del left[name]
    assert not left, sorted(left)


def test_nothing_is_asked_by_name_and_nothing_private_is_used():
    for name in MODULES:
        calls = [ast.unparse(node.func) for node in nodes(name, ast.Call)]
        if name.startswith("jkeras.training."):
            assert not {"getattr", "hasattr"} & set(calls), name
        private = [f"{node.module}.{alias.name}" for node in nodes(name, ast.ImportFrom) for alias in node.names
                   if (node.module or "").startswith("jkeras") and alias.name.startswith("_")]  # fmt: skip
        assert not private, (name, private)


def test_calls_are_short():
    for name in MODULES:
        for node in nodes(name, ast.Call):
            count = len(node.args) + len(node.keywords)
            assert count <= MOST_ARGUMENTS, f"{name}:{node.lineno} passes {count} arguments"
