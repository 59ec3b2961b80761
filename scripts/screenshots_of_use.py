"""Pictures of jkeras at work, as people see it: `python scripts/screenshots_of_use.py [FOLDER [NAME ...]]`.

A terminal with progress bars, a table and an error; a notebook that was executed and exported; a sweep; a profile. `FOLDER` gets
the pictures (`screenshots` if not given); they are to be looked at, and none belongs into the repository. Needs Chromium, the
extra `plot`, and for the notebook nbconvert and ipykernel.
"""

import json
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from scripts import terminal_pictures
from scripts.screenshots import taken

MODEL = """
import jkeras as jk
from jkeras import layers

(x, y), (x_test, y_test) = jk.datasets.digits.load_data()
x, x_test = x[..., None] / 16.0, x_test[..., None] / 16.0
net = jk.Sequential(
    [
        layers.Input((8, 8, 1)),
        layers.Conv2D(32, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ]
)
base = net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
"""
TERMINAL = (
    "model = base.fit(x, y, epochs=3, validation_split=0.1, verbose=1)",
    "model.summary()",
    "model.evaluate(x_test, y_test, verbose=1)",
    "model = base.fit(x[:, :7], y)",
    "model.fit(x, y)",
)
SWEEP = "jk.sweep(base, learning_rate=[1e-4, 1e-3, 1e-2]).fit(x, y, epochs=2, verbose=0, validation_split=0.1)"
CELLS = (
    f"{MODEL}base",
    "model = base.fit(x, y, epochs=3, validation_split=0.1)",
    "model.summary()",
    "model.history",
    "model.history.plot()",
    "model.plot()",
    "model.evaluate(x_test, y_test)",
    SWEEP,
    "jk.profile(base, x, y, steps=5)",
    "model.fit(x, y)",
)


def terminal(folder, target):
    """Lines typed into Python, and what they print."""
    names = {"__name__": "__main__"}
    exec(MODEL, names)

    def typed():
        for line in TERMINAL:
            print(f">>> {line}")
            try:
                exec(compile(line, "<stdin>", "single"), names)
            except Exception as error:
                error.__traceback__ = error.__traceback__.tb_next
                traceback.print_exc(file=sys.stdout)

    terminal_pictures.save(folder / "terminal.svg", "$ python", terminal_pictures.printed(typed))
    return taken((folder / "terminal.svg").as_uri(), target, 1200, 1100)


def notebook(folder, target, cells=CELLS, height=2900):
    """Cells, executed and exported as HTML."""
    parts = [
        {
            "cell_type": "code",
            "id": f"cell{number}",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": text.strip(),
        }
        for number, text in enumerate(cells)
    ]
    document = {"cells": parts, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (folder / "notebook.ipynb").write_text(json.dumps(document))
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--execute", "--allow-errors", "notebook.ipynb"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr[-2000:])
        return False
    return taken((folder / "notebook.html").as_uri(), target, 1100, height)


def sweep(folder, target):
    """What a sweep shows in a notebook, and its plot."""
    return notebook(folder, target, (MODEL, f"swept = {SWEEP}\nswept", "jk.plots.plot_sweep(swept)"), 1300)


def profile(folder, target):
    """What a profile shows in a notebook."""
    return notebook(folder, target, (MODEL, "jk.profile(base, x, y, steps=5)"), 1300)


PICTURES = {function.__name__: function for function in (terminal, notebook, sweep, profile)}


def main(folder="screenshots", *names):
    place = Path(folder).resolve()
    place.mkdir(exist_ok=True)
    for name in names or PICTURES:
        with tempfile.TemporaryDirectory() as scratch:
            print(name, "taken" if PICTURES[name](Path(scratch), place / f"{name}.png") else "missing")


if __name__ == "__main__":
    main(*sys.argv[1:])
