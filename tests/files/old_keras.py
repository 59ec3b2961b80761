"""Models that real Keras 2 wrote (`keras2/`): what of each is read, computes the same, trains on alike, and opens in Keras 3.

`python -m tests.files.interchange --write` puts the table into docs/files.md.
"""

from __future__ import annotations

import dataclasses
import functools
import io
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jkeras as jk

START, END = "<!-- the table of Keras 2 -->", "<!-- the end of the table of Keras 2 -->"
FOLDER = Path(__file__).parent / "keras2"
VERSIONS = sorted(path.stem for path in FOLDER.glob("*.zip"))
SUFFIXES = (".keras", ".h5")
STEPS = ("load", "predict", "train on", "open in Keras 3")
YES, NOT_THERE = "yes", "-"

_STRINGS = "refused: models of strings cannot be compiled; the text layer is applied to the data first"
_FRESH = "with a warning and a new state of the optimizer, as in Keras 3"
_LEGACY = "in `.keras` with a new state: Keras 2 keeps none of `optimizers.legacy` there"
_HARD = "Keras 3 does not know the `hard_sigmoid` of Keras 2"
_FUNCTIONS = "Keras 3 finds no functions in `.h5`"
# What is not as Keras 2 had it, and why, by kind, or kind and suffix, and step; "" is every step.
EXCEPTIONS: Mapping[tuple[str, str], str] = {
    ("products", ""): "refused: Keras 2 leaves the tensors that `einsum` is applied to out of the file",
    **{(kind, ""): _STRINGS for kind in ("texts", "texts_adapted", "strings", "strings_out")},
    **{
        (kind, "open in Keras 3"): _HARD
        for kind in ("activations", "recurrent", "seen_and_remembered", "seen_in_both_directions")
    },
    **{
        (f"{kind}.h5", "open in Keras 3"): _FUNCTIONS
        for kind in ("arithmetic", "backend_functions", "last_places", "reductions")
    },
    ("reductions.keras", "open in Keras 3"): "Keras 3 with JAX cannot compute its own `norm` out of a file",
    (
        "attention",
        "open in Keras 3",
    ): "Keras 3 with JAX cannot compute attention with another `value_dim` than `key_dim`",
    (
        "normalizations.h5",
        "open in Keras 3",
    ): "Keras 3 cannot read a LayerNormalization over two axes from `.h5`, its own neither",
    ("connected_locally", "open in Keras 3"): "Keras 3 has no such layers",
    ("frozen_after_compile", "train on"): _FRESH,
    ("thawed_after_compile", "train on"): _FRESH,
    ("noises", "train on"): "not compared: random",
    ("pictures_prepared", "train on"): "not compared: random",
    ("optimizer_nadam", "train on"): "as Keras 3 does: Nadam of Keras 2.15 counts its momenta once for each weight",
    ("optimizer_legacy_nadam", "train on"): "with a warning: today's Nadam schedules its momentum faster",
    **{
        (f"optimizer_legacy_{name}.keras", "train on"): _LEGACY
        for name in ("adadelta", "adagrad", "adam", "adamax", "ftrl", "rmsprop", "sgd")
    },
}
# In float16.
ROUGH = ("mixed_precision",)


def own_loss(y_true: Any, y_pred: Any) -> Any:
    """The user's loss that a file names."""
    return jnp.mean(jnp.abs(y_true - y_pred) ** 3, axis=-1)


CUSTOM = {"own_loss": own_loss}


@functools.cache
def archive(version: str) -> zipfile.ZipFile:
    """The files that a version wrote."""
    return zipfile.ZipFile(FOLDER / f"{version}.zip")


def kinds(version: str) -> list[str]:
    """The kinds of models that a version wrote."""
    return sorted(name.removesuffix(".npz") for name in archive(version).namelist() if name.endswith(".npz"))


@dataclasses.dataclass(frozen=True)
class Case:
    """One file.

    Attributes:
        version: of Keras that wrote it.
        kind: of the model.
        what: `plain`, never compiled, or `trained`.
        suffix: of the file.
    """

    version: str
    kind: str
    what: str
    suffix: str

    @property
    def member(self) -> str:
        """The file's name in the archive."""
        return f"{self.kind}.{self.what}{self.suffix}"

    @functools.cached_property
    def arrays(self) -> Mapping[str, np.ndarray]:
        """Inputs, targets and what Keras computed."""
        with archive(self.version).open(f"{self.kind}.npz") as file:
            return dict(np.load(io.BytesIO(file.read())))

    def named(self, prefix: str) -> Any:
        """An input, or a list or dict of them."""
        found = {k.removeprefix(prefix + "/"): v for k, v in self.arrays.items() if k.startswith(prefix + "/")}
        if not all(name.isdigit() for name in found):
            return found
        values = [found[str(i)] for i in range(len(found))]
        return values[0] if len(values) == 1 else values

    def extract(self, folder: Path) -> str:
        """Writes the file into a folder."""
        path = folder / self.member
        path.write_bytes(archive(self.version).read(self.member))
        return str(path)


def cases(version: str, kind: str) -> Iterator[Case]:
    """The files of one kind."""
    for what in ("plain", "trained"):
        for suffix in SUFFIXES:
            if f"{kind}.{what}{suffix}" in archive(version).namelist():
                yield Case(version, kind, what, suffix)


def excepted(kind: str, suffix: str, step: str) -> str | None:
    """Why a step of a kind is not as with Keras; None if it is."""
    keys = ((kind, ""), (kind, step), (kind + suffix, step))
    return next((EXCEPTIONS[key] for key in keys if key in EXCEPTIONS), None)


def same(found: Any, case: Case) -> None:
    """Compares outputs with those of Keras."""
    tolerance = 3e-3 if case.kind in ROUGH else 1e-5
    leaves = jax.tree.leaves(found)
    expected = case.named(case.what)
    expected = expected if isinstance(expected, list) else [expected]
    assert len(leaves) == len(expected)
    for one, other in zip(leaves, expected, strict=True):
        one = np.asarray(one)
        if other.dtype.kind == "U":
            np.testing.assert_array_equal(one.astype("U"), other)
        else:
            np.testing.assert_allclose(one.astype("float64"), other.astype("float64"), rtol=tolerance, atol=tolerance)


def same_losses(history: Any, case: Case) -> None:
    """Compares the losses of three more steps with those of Keras."""
    tolerance = 3e-3 if case.kind in ROUGH else 1e-4
    np.testing.assert_allclose(history["loss"], case.arrays["losses"], rtol=tolerance, atol=tolerance)


def trains(case: Case) -> bool:
    """Whether losses were recorded."""
    return case.what == "trained" and "losses" in case.arrays


def check(case: Case, folder: Path, keras: Any = None) -> dict[str, str]:
    """Goes through the steps with one file; gives what went wrong, by step.

    Args:
        case: the file.
        folder: for files.
        keras: real Keras 3; without it that step is left out.
    """
    found: dict[str, str] = {}
    made: dict[str, Any] = {}

    def load() -> None:
        made["model"] = jk.load_model(case.extract(folder), custom_objects=CUSTOM)

    def predict() -> None:
        same(made["model"](case.named("x")), case)

    def train() -> None:
        rows = len(jax.tree.leaves(case.named("x"))[0])
        x, y = case.named("x"), case.named("y")
        same_losses(made["model"].fit(x, y, batch_size=rows, epochs=3, shuffle=False, verbose=0).history, case)

    def reopen() -> None:
        path = str(folder / f"again{case.suffix}")
        made["model"].save(path)
        theirs = keras.models.load_model(path, compile=False, custom_objects=CUSTOM)
        same(theirs(case.named("x"), training=False), case)

    steps: dict[str, Callable[[], None]] = {"load": load, "predict": predict}
    steps |= {"train on": train} if trains(case) else {}
    steps |= {"open in Keras 3": reopen} if keras is not None else {}
    for name, step in steps.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                step()
        except Exception as error:  # whatever it is, it is what the table has to say
            found[name] = f"{type(error).__name__}: {str(error).strip()[:300]}"
            if name == "load":
                break
    return found


def table(keras: Any) -> tuple[str, dict[tuple[str, str, str], str]]:
    """The table as Markdown, and what went wrong that is no known exception, by version, file and step."""
    wrong: dict[tuple[str, str, str], str] = {}
    lines = ["| kind of model | " + " | ".join(f"`{s}` {step}" for s in SUFFIXES for step in STEPS) + " | |"]
    lines.append("|---" * (2 + len(SUFFIXES) * len(STEPS)) + "|")
    version = VERSIONS[-1]
    with tempfile.TemporaryDirectory() as folder:
        for kind in kinds(version):
            cells, notes = [], []
            for suffix in SUFFIXES:
                mine = [case for case in cases(version, kind) if case.suffix == suffix]
                failed: dict[str, str] = {}
                for case in mine:
                    failed |= check(case, Path(folder), keras)
                notes += [] if mine else [f"Keras 2 itself cannot write it as `{suffix}`"]
                for step in STEPS:
                    why = excepted(kind, suffix, step)
                    there = bool(mine) and (step != "train on" or any(trains(case) for case in mine))
                    if why is None and step in failed:
                        wrong[version, kind + suffix, step] = failed[step]
                    notes += [why] if why is not None and there else []
                    cells.append(YES if there and why is None and step not in failed else NOT_THERE)
            lines.append(f"| {kind} | " + " | ".join(cells) + f" | {'; '.join(dict.fromkeys(notes))} |")
    return "\n".join(lines), wrong
