"""Every snippet of five Keras tutorials runs through `jkeras.keras`, unchanged but for the size of MNIST, and on values where
what changes is assigned.

The files in `tutorials/` hold the snippets as cells, `# %% title`, in order; cells titled `completed` are what the text
leaves to the reader: data, imports, and checks of what a snippet did; `completed for objects` those that only objects
pass. A title may end in ` | reason` where a snippet does not run, and why.
"""

import ast
import functools
import importlib.util
import re
import sys
import types
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest

import jkeras as jk
from jkeras.datasets import digits, mnist
from jkeras.run import keras_imports

FOLDER = Path(__file__).parent / "tutorials"
TABLE = Path(__file__).parents[2] / "docs" / "tutorials.md"

# What a cell needs that another part of jkeras brings, by what the cell says.
NEEDS = {
    "tf.data": "jkeras.data",
    "tf.distribute": "jkeras.distribute",
}


# Of MNIST, where a snippet states them, and of what stands for it here.
SIZES = {60000: 2000, 10000: 500}


def cells(path):
    """Title, reason why it does not run (or None) and source of each cell, its lines where they are in the file."""
    text = path.read_text()
    for rows, fewer in SIZES.items():
        text = text.replace(f"({rows}, 28 * 28)", f"({fewer}, 28 * 28)")
    found = []
    for match in re.finditer(r"^# %% (.*)\n((?:(?!# %%).*\n?)*)", text, re.M):
        title, _, reason = match[1].partition(" | ")
        found.append((title, reason or None, "\n" * text[: match.start(2)].count("\n") + match[2]))
    return found


@functools.cache
def present(part):
    """Whether a part of jkeras is there."""
    return importlib.util.find_spec(part) is not None


def missing(source):
    """The part of jkeras that a cell needs and that is not there."""
    return next((part for said, part in NEEDS.items() if said in source and not present(part)), None)


def state(title, reason, source):
    if reason:
        return f"does not run: {reason}"
    return f"waits for {missing(source)}" if missing(source) else "runs"


def table():
    """The page `docs/tutorials.md`."""
    lines = [
        "# Tutorials",
        "",
        "The snippets of five Keras tutorials (in Chinese), run by `tests/keras/test_tutorials.py`: unchanged on"
        " `jkeras.keras`, and on",
        "`jkeras` with `model = model.fit(...)` instead of `model.fit(...)` and so on. One snippet needs another change there: a",
        "standalone metric is used as `accuracy.compute(accuracy.update(accuracy.empty(), y_true, y_pred))`.",
        "",
        "| tutorial | snippet | state |",
        "|---|---|---|",
    ]
    for path in sorted(FOLDER.glob("*.py")):
        heading = path.read_text().splitlines()[0].removeprefix("# ").rstrip(".")
        lines += [f"| {heading} | {t} | {state(t, r, s)} |" for t, r, s in cells(path) if not t.startswith("completed")]
    return "\n".join(lines) + "\n"


def test_the_table_is_up_to_date():
    assert TABLE.read_text() == table()


@pytest.fixture
def offline_mnist(monkeypatch):
    """MNIST made of the digits that come with jkeras, without a network."""
    (images, labels), _ = digits.load_data()
    train, test = SIZES.values()

    def load_data(path="mnist.npz"):
        pick = np.arange(train + test) % len(images)
        pixels = np.zeros((len(images), 28, 28), "uint8")
        scaled = (images.astype("float32") * (255 / images.max())).astype("uint8")
        side = images.shape[1]
        pixels[:, :side, :side] = scaled.reshape(len(images), side, side)
        x, y = pixels[pick], labels[pick]
        return (x[:train], y[:train]), (x[train:], y[train:])

    monkeypatch.setattr(mnist, "load_data", load_data)


# Keras warns of these, too.
@pytest.mark.filterwarnings("ignore:Do not pass an `input_shape`", r"ignore:`build\(\)` was called on layer")
@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_tutorial(path, tmp_path, monkeypatch, offline_mnist):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    with keras_imports():
        for title, reason, source in cells(path):
            code = compile(source, f"{path.name} ({title})", "exec")
            if reason:
                with pytest.raises((ValueError, AttributeError)):
                    exec(code, names)
            elif missing(source) is None:
                exec(code, names)


# -- on values ----------------------------------------------------------------------------------------------------------------

MODULES = ("layers", "models", "utils", "optimizers", "losses", "metrics", "callbacks", "backend")
CHANGES = {"add", "build", "compile", "fit", "pop"}
OTHERWISE = {
    "accuracy.update_state(y_true, y_pred)": "accuracy = accuracy.compute(accuracy.update(accuracy.empty(), y_true, y_pred))",
    "accuracy.result().numpy()": "accuracy",
    "accuracy.result()": "accuracy",
}


class Assigned(ast.NodeTransformer):
    """`model.fit(...)` as a statement becomes `model = model.fit(...)`."""

    def visit_Expr(self, node):
        match node.value:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if method in CHANGES:
                return ast.copy_location(ast.Assign([ast.Name(name, ast.Store())], node.value), node)
        return node


@pytest.fixture
def values(monkeypatch):
    """`keras` and `tf.keras` stand for `jkeras`."""

    def package(name, **attributes):
        module = types.ModuleType(name)
        attributes |= {
            "__path__": [],
            "__spec__": ModuleSpec(name, None),
            "__getattr__": functools.partial(getattr, jk),
        }
        vars(module).update(attributes)
        monkeypatch.setitem(sys.modules, name, module)
        return module

    for name in [name for name in sys.modules if name.partition(".")[0] in ("keras", "tensorflow")]:
        monkeypatch.delitem(sys.modules, name)
    for root in ("keras", "tensorflow.keras"):
        for name in MODULES:
            monkeypatch.setitem(sys.modules, f"{root}.{name}", getattr(jk, name))
        monkeypatch.setitem(sys.modules, f"{root}.model", jk.models)
        monkeypatch.setitem(sys.modules, f"{root}.datasets", jk.datasets)
        monkeypatch.setitem(sys.modules, f"{root}.datasets.mnist", mnist)
        package(root)
    package("tensorflow", keras=sys.modules["tensorflow.keras"])


@pytest.mark.filterwarnings("ignore:Do not pass an `input_shape`", r"ignore:`build\(\)` was called on layer")
@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_tutorial_on_values(path, tmp_path, monkeypatch, offline_mnist, values):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    for title, reason, source in cells(path):
        if reason or missing(source) or title == "completed for objects":
            continue
        for old, new in OTHERWISE.items():
            source = source.replace(old, new)
        tree = ast.fix_missing_locations(Assigned().visit(ast.parse(source)))
        exec(compile(tree, f"{path.name} ({title})", "exec"), names)
