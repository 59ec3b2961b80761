"""Names that are loaded when first used: checkers see those of run time, and nothing is loaded before."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

LAZY = ("jkeras", "jkeras.callbacks", "jkeras.config", "jkeras.layers", "jkeras.models", "jkeras.saving")


@pytest.mark.parametrize("name", LAZY)
def test_checkers_see_the_names_of_run_time(name):
    module = importlib.import_module(name)
    tree = ast.parse(Path(module.__file__).read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)]
    seen = {alias.asname: node.module for node in block.body for alias in node.names}
    assert seen == module._TABLE


@pytest.mark.smoke
def test_an_import_alone_loads_nothing():
    code = (
        "import sys, jkeras, jkeras.layers, jkeras.callbacks; dir(jkeras), dir(jkeras.layers);"
        " print(sorted(name for name in sys.modules if name.split('.')[0] in ('jkeras', 'jax', 'numpy', 'optax', 'flax')))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert ast.literal_eval(printed) == ["jkeras", "jkeras.callbacks", "jkeras.errors", "jkeras.layers", "jkeras.lazy"]


def test_all_names_are_imported_by_a_star():
    names = {}
    exec("from jkeras import *", names)
    exec("from jkeras.layers import *", names)
    assert {"Sequential", "Dense", "TextVectorization", "losses", "sweep"} <= set(names)
