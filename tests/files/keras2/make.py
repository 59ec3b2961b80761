"""Writes models with real Keras 2: `VERSION.zip` beside this file, with files of models, inputs and what Keras computed.

It needs an environment of its own, which no test uses:

    python3.11 -m venv keras215 && keras215/bin/pip install "tensorflow-cpu==2.15.0" "numpy<2"
    cd tests/files/keras2 && ../../../keras215/bin/python make.py            # 2.15.0.zip

`KIND.plain.keras` and `KIND.plain.h5` hold a model that was never compiled; `KIND.trained.*` one that was compiled and trained.
`KIND.npz` has the inputs `x/...`, the outputs of both, `plain/0` and `trained/0`, the targets `y/...`, and `losses`, those of
three more steps. What Keras itself cannot write is in `problems.json`.
"""

from __future__ import annotations

import io
import json
import os
import pathlib
import sys
import tempfile
import zipfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import compiled  # noqa: F401  which adds kinds
import functions  # noqa: F401  the same
import keras
import models
import numpy as np
import tensorflow as tf

FOLDER = pathlib.Path(__file__).resolve().parent
SUFFIXES = (".keras", ".h5")


def named(values, prefix):
    """The arrays of a structure by name."""
    if isinstance(values, dict):
        return {f"{prefix}/{key}": np.asarray(value) for key, value in values.items()}
    values = values if isinstance(values, (list, tuple)) else [values]
    return {f"{prefix}/{i}": np.asarray(value) for i, value in enumerate(values)}


def storable(arrays):
    """Strings as arrays that need no pickle."""
    return {name: array.astype("U") if array.dtype == object else array for name, array in arrays.items()}


def moved(model, rng):
    """Small changes of all weights, so that none is as its initializer made it."""
    trained = {id(weight) for weight in model.trainable_weights}
    for weight in model.weights:
        if id(weight) in trained or "moving_" in getattr(weight, "name", ""):
            weight.assign(weight + tf.cast(rng.uniform(0.02, 0.1, weight.shape), weight.dtype))


def write(name, folder):
    """The files and arrays of one kind, and what went wrong."""
    keras.backend.clear_session()
    tf.random.set_seed(1)
    made = models.KINDS[name]()
    model, arrays, problems = made.model, named(made.x, "x"), {}

    def predict(inputs):
        if isinstance(inputs, dict):
            inputs = {k: tf.constant(v) for k, v in inputs.items()}
        else:
            inputs = [tf.constant(v) for v in inputs] if isinstance(inputs, list) else tf.constant(inputs)
        outputs = [o.numpy() for o in tf.nest.flatten(model(inputs, training=False))]
        return [np.char.decode(o.astype("S")) if o.dtype == object else o for o in outputs]

    def save(what):
        arrays.update(named(predict(made.x), what))
        for suffix in SUFFIXES:
            try:
                model.save(os.path.join(folder, f"{name}.{what}{suffix}"))
            except Exception as error:
                problems[f"{name}.{what}{suffix}"] = f"{type(error).__name__}: {error}"[:300]
                pathlib.Path(folder, f"{name}.{what}{suffix}").unlink(missing_ok=True)

    moved(model, np.random.default_rng(1))
    if not name.startswith("optimizer_"):
        save("plain")
    if made.y is not None:
        model.compile(**made.compiled)
        x = tf.constant(made.x) if isinstance(made.x, np.ndarray) and made.x.dtype == object else made.x
        for _ in range(2):
            model.train_on_batch(x, made.y)
        made.prepare(model)
        save("trained")
        arrays.update(named(made.y, "y"))
        losses = [model.train_on_batch(x, made.y) for _ in range(3)]
        arrays["losses"] = np.asarray([float(loss[0] if isinstance(loss, list) else loss) for loss in losses])
    return arrays, problems


def main():
    """Writes the archive; arguments are kinds to write anew, the others stay as they are."""
    target = FOLDER / f"{keras.__version__}.zip"
    names = sys.argv[1:] or list(models.KINDS)
    with tempfile.TemporaryDirectory() as folder:
        if sys.argv[1:] and target.exists():
            with zipfile.ZipFile(target) as archive:
                archive.extractall(folder)
        listed = pathlib.Path(folder, "problems.json")
        problems = json.loads(listed.read_text()) if listed.exists() else {}
        for name in names:
            try:
                arrays, failed = write(name, folder)
            except Exception as error:
                print(name, "FAILED", error, flush=True)
                continue
            problems.update(failed)
            buffer = io.BytesIO()
            np.savez_compressed(buffer, **storable(arrays))
            pathlib.Path(folder, f"{name}.npz").write_bytes(buffer.getvalue())
            print(name, failed or "", flush=True)
        listed.write_text(json.dumps(problems, indent=1))
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for file in sorted(pathlib.Path(folder).iterdir()):
                info = zipfile.ZipInfo(file.name, (2026, 1, 1, 0, 0, 0))
                archive.writestr(info, file.read_bytes(), zipfile.ZIP_DEFLATED, 9)


if __name__ == "__main__":
    main()
