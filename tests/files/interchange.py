"""Every layer through the files of Keras, in both directions, with real Keras as the other side.

`python -m tests.files.interchange --write` puts the table into docs/files.md; a test compares page and code.

Many layers stand side by side in one model, so that a model is saved and loaded four times, not four hundred times. Only
where such a model fails, each layer is tried in a model of its own.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import jax
import keras
import numpy as np

import jkeras as jk
from jkeras.files.config_reader import layer_classes
from jkeras.graph.in_files import in_files
from tests.files import old_keras

PAGE = Path(__file__).resolve().parents[2] / "docs" / "files.md"
START, END = "<!-- the table -->", "<!-- the end of the table -->"
FORMATS = (".keras", ".h5")
DIRECTIONS = ("from Keras", "to Keras")
COLUMNS = [(suffix, direction) for suffix in FORMATS for direction in DIRECTIONS]

# Base classes, other names of a class, and what has no counterpart.
NO_ROW = {
    "Layer": "the base class",
    "Wrapper": "the base class of layers around a layer",
    "InputLayer": "in every model",
    "FlaxLayer": "holds code",
    "JaxLayer": "holds code",
    "HostLayer": "a base class of ours",
    "Repeat": "ours",
    "Lambda": "holds code, unless its function has a name: see below",
    "HashedCrossing": "Keras's needs TensorFlow",
    "Hashing": "Keras's needs TensorFlow",
    "IntegerLookup": "Keras's needs TensorFlow",
    "StringLookup": "Keras's needs TensorFlow",
    "TextVectorization": "Keras's needs TensorFlow",
}


@dataclasses.dataclass(frozen=True)
class Row:
    """A layer and what it is applied to.

    Attributes:
        make: makes the layer from the classes of one side and a name.
        shapes: of the inputs, without the batch.
        dtype: of the inputs.
        apart: whether several inputs are several arguments.
    """

    make: Callable[[Any, str], Any]
    shapes: tuple[tuple[int, ...], ...]
    dtype: str = "float32"
    apart: bool = False


def row(name: str, *shapes: tuple[int, ...], dtype: str = "float32", apart: bool = False, **arguments: Any) -> Row:
    """A row of a layer with plain arguments; a function in them gets the classes of one side."""

    def make(classes: Any, label: str) -> Any:
        given = {k: v(classes) if callable(v) else v for k, v in arguments.items()}
        return getattr(classes, name)(**given, name=label)

    return Row(make, shapes, dtype, apart)


def _rows() -> dict[str, Row]:
    time, image, volume = (5, 3), (6, 5, 3), (4, 5, 4, 2)
    shapes = {1: time, 2: image, 3: volume}
    rows = {
        "Activation": row("Activation", (4,), activation="leaky_relu"),
        "ActivityRegularization": row("ActivityRegularization", (4,), l1=0.1, l2=0.2),
        "AdditiveAttention": row("AdditiveAttention", (4, 3), (5, 3), dropout=0.1),
        "AlphaDropout": row("AlphaDropout", (4,), rate=0.3, seed=3),
        "Attention": row("Attention", (4, 3), (5, 3), use_scale=True, score_mode="concat"),
        "BatchNormalization": row(
            "BatchNormalization", image, axis=2, momentum=0.9, epsilon=1e-4, gamma_regularizer="l2"
        ),
        "Bidirectional": row("Bidirectional", time, layer=lambda c: c.GRU(2, return_sequences=True), merge_mode="sum"),
        "CategoryEncoding": row("CategoryEncoding", (3,), num_tokens=4, output_mode="multi_hot", dtype="int32"),
        "CenterCrop": row("CenterCrop", image, height=3, width=4),
        "Concatenate": row("Concatenate", (2, 3), (2, 4), axis=-1),
        "Dense": row("Dense", (4,), units=3, activation="gelu", kernel_regularizer="l1", bias_constraint="non_neg"),
        "Discretization": row("Discretization", (3,), bin_boundaries=[-0.5, 0.0, 0.5]),
        "Dot": row("Dot", (3, 4), (5, 4), axes=2, normalize=True),
        "Dropout": row("Dropout", (4, 3), rate=0.25, noise_shape=(None, 1, 3), seed=1),
        "ELU": row("ELU", (4,), alpha=0.5),
        "EinsumDense": row("EinsumDense", (3, 4), equation="abc,cd->abd", output_shape=(None, 5), bias_axes="d"),
        "Embedding": row("Embedding", (4,), input_dim=7, output_dim=3, mask_zero=True, dtype="int32"),
        "ReversibleEmbedding": row(
            "ReversibleEmbedding", (4,), input_dim=7, output_dim=3, tie_weights=False, dtype="int32"
        ),
        "Flatten": row("Flatten", image),
        "GRU": row("GRU", time, units=2, reset_after=False, go_backwards=True, recurrent_activation="hard_sigmoid"),
        "GRUCell": row("RNN", time, cell=lambda c: c.GRUCell(2, use_bias=False)),
        "GaussianDropout": row("GaussianDropout", (4,), rate=0.2),
        "GaussianNoise": row("GaussianNoise", (4,), stddev=0.2),
        "GroupNormalization": row("GroupNormalization", (3, 6), groups=3, center=False),
        "GroupQueryAttention": row(
            "GroupQueryAttention", (4, 6), (5, 6), apart=True, head_dim=3, num_query_heads=4, num_key_value_heads=2
        ),
        "Identity": row("Identity", (4,)),
        "LSTM": row("LSTM", time, units=2, return_sequences=True, unit_forget_bias=False, kernel_regularizer="l2"),
        "LSTMCell": row("RNN", time, cell=lambda c: c.LSTMCell(2), unroll=True),
        "LayerNormalization": row("LayerNormalization", (3, 4), axis=-1, epsilon=1e-5, rms_scaling=False),
        "LeakyReLU": row("LeakyReLU", (4,), negative_slope=0.1),
        "Masking": row("Masking", time, mask_value=1.0),
        "MultiHeadAttention": row(
            "MultiHeadAttention", (4, 6), (5, 6), apart=True, num_heads=2, key_dim=3, value_dim=3, output_shape=5
        ),
        "Normalization": row("Normalization", (3,), mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 3.0]),
        "PReLU": row("PReLU", (3, 4), shared_axes=[1], alpha_initializer="ones"),
        "Permute": row("Permute", image, dims=(2, 3, 1)),
        "RMSNormalization": row("RMSNormalization", (4,), epsilon=1e-5),
        "RNN": row("RNN", time, cell=lambda c: c.SimpleRNNCell(2), return_sequences=True),
        "AugMix": row("AugMix", image, num_chains=2, chain_depth=1, factor=0.2, seed=4),
        "AutoContrast": row("AutoContrast", image, value_range=(0, 1)),
        "ContrastLimitedAdaptiveHistogramEqualization": row(
            "ContrastLimitedAdaptiveHistogramEqualization", image, clip_limit=2.0, tile_grid_size=(2, 3)
        ),
        "CutMix": row("CutMix", image, factor=0.5, seed=4),
        "Equalization": row("Pipeline", image, layers=lambda c: [c.Equalization(bins=16)]),
        "MaxNumBoundingBoxes": row("MaxNumBoundingBoxes", image, max_number=3),
        "MelSpectrogram": row("MelSpectrogram", (64,), fft_length=16, sequence_stride=8, num_mel_bins=5),
        "MixUp": row("MixUp", image, alpha=0.4, seed=4),
        "Pipeline": row("Pipeline", image, layers=lambda c: [c.RandomFlip(seed=4), c.CenterCrop(2, 2)]),
        "RandAugment": row("RandAugment", image, num_ops=1, factor=0.2, seed=4),
        "RandomColorDegeneration": row("RandomColorDegeneration", image, factor=0.2, seed=4),
        "RandomColorJitter": row("RandomColorJitter", image, brightness_factor=0.2, hue_factor=0.1, seed=4),
        "RandomElasticTransform": row("RandomElasticTransform", image, scale=0.5, seed=4),
        "RandomErasing": row("RandomErasing", image, scale=(0.1, 0.2), seed=4),
        "RandomGaussianBlur": row("RandomGaussianBlur", image, kernel_size=(3, 5), seed=4),
        "RandomGrayscale": row("RandomGrayscale", image, factor=0.2),
        "RandomHue": row("RandomHue", image, factor=0.2, seed=4),
        "RandomInvert": row("RandomInvert", image, factor=0.2, seed=4),
        "RandomPerspective": row("RandomPerspective", image, scale=0.2, seed=4),
        "RandomPosterization": row("RandomPosterization", image, factor=4, seed=4),
        "RandomSaturation": row("RandomSaturation", image, factor=0.2, seed=4),
        "RandomSharpness": row("RandomSharpness", image, factor=0.2, seed=4),
        "RandomShear": row("RandomShear", image, x_factor=0.2, seed=4),
        "STFTSpectrogram": row("STFTSpectrogram", (32, 2), mode="magnitude", frame_length=8, expand_dims=True),
        "Solarization": row("Solarization", image, addition_factor=0.2, seed=4),
        "RandomBrightness": row("RandomBrightness", image, factor=0.2, value_range=(0, 1), seed=4),
        "RandomContrast": row("RandomContrast", image, factor=0.2, seed=4),
        "RandomCrop": row("RandomCrop", image, height=4, width=3, seed=4),
        "RandomFlip": row("RandomFlip", image, mode="vertical", seed=4),
        "RandomRotation": row("RandomRotation", image, factor=(-0.1, 0.2), fill_mode="nearest", seed=4),
        "RandomTranslation": row("RandomTranslation", image, height_factor=0.1, width_factor=0.2, seed=4),
        "RandomZoom": row("RandomZoom", image, height_factor=0.1, seed=4),
        "ReLU": row("ReLU", (4,), max_value=2.0, threshold=0.1),
        "RepeatVector": row("RepeatVector", (4,), n=3),
        "Rescaling": row("Rescaling", image, scale=0.5, offset=-1.0),
        "Reshape": row("Reshape", (4, 3), target_shape=(-1, 2)),
        "Resizing": row("Resizing", image, height=3, width=3, interpolation="nearest"),
        "SimpleRNN": row("SimpleRNN", time, units=2, activation="relu"),
        "SimpleRNNCell": row("RNN", time, cell=lambda c: c.SimpleRNNCell(2, activation="relu"), go_backwards=True),
        "Softmax": row("Softmax", (3, 4), axis=1),
        "SpectralNormalization": row("SpectralNormalization", (4,), layer=lambda c: c.Dense(3), power_iterations=2),
        "StackedRNNCells": row("RNN", time, cell=lambda c: c.StackedRNNCells([c.LSTMCell(2), c.GRUCell(3)])),
        "TimeDistributed": row("TimeDistributed", (2, *image), layer=lambda c: c.Conv2D(2, 2)),
        "UnitNormalization": row("UnitNormalization", (3, 4), axis=1),
        **{f"SpatialDropout{d}D": row(f"SpatialDropout{d}D", shapes[d], rate=0.2) for d in shapes},
        **{f"Conv{d}D": row(f"Conv{d}D", shapes[d], filters=2, kernel_size=2, padding="same") for d in shapes},
        **{
            f"Conv{d}DTranspose": row(f"Conv{d}DTranspose", shapes[d], filters=2, kernel_size=2, strides=2)
            for d in shapes
        },
        **{f"ConvLSTM{d}D": row(f"ConvLSTM{d}D", (3, *shapes[d]), filters=2, kernel_size=2) for d in shapes},
        **{
            f"DepthwiseConv{d}D": row(f"DepthwiseConv{d}D", shapes[d], kernel_size=2, depth_multiplier=2)
            for d in (1, 2)
        },
        **{
            f"SeparableConv{d}D": row(f"SeparableConv{d}D", shapes[d], filters=2, kernel_size=2, use_bias=False)
            for d in (1, 2)
        },
        **{f"UpSampling{d}D": row(f"UpSampling{d}D", shapes[d], size=2) for d in shapes},
        **{f"ZeroPadding{d}D": row(f"ZeroPadding{d}D", shapes[d], padding=2) for d in shapes},
        **{f"Cropping{d}D": row(f"Cropping{d}D", shapes[d], cropping=1) for d in shapes},
        **{name: row(name, (3,), (3,)) for name in ("Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract")},
    }
    for kind in ("Max", "Average"):
        for d, shape in shapes.items():
            rows[f"{kind}Pooling{d}D"] = row(f"{kind}Pooling{d}D", shape, pool_size=2, strides=1, padding="same")
            rows[f"Global{kind}Pooling{d}D"] = row(f"Global{kind}Pooling{d}D", shape, keepdims=True)
            rows[f"Adaptive{kind}Pooling{d}D"] = row(f"Adaptive{kind}Pooling{d}D", shape, output_size=2)
    return rows


ROWS: Mapping[str, Row] = dict(sorted(_rows().items()))


def classes_without_row() -> set[str]:
    """Classes that are neither in the table nor named as left out; other names of a class are left out."""
    classes = layer_classes()
    return {name for name, cls in classes.items() if cls.__name__ == name} - set(ROWS) - set(NO_ROW)


# -- models --------------------------------------------------------------------------------------------------------


def label(name: str) -> str:
    """The name of a layer in the model, not the one that it would have anyway."""
    return f"the_{name}"


def build(side: Any, names: Iterable[str]) -> Any:
    """A model with the layers side by side."""
    inputs, outputs = [], []
    for name in names:
        one = ROWS[name]
        given = [side.Input(shape, dtype=one.dtype, name=f"{name}_{i}") for i, shape in enumerate(one.shapes)]
        made = one.make(side.layers, label(name))
        inputs += given
        outputs += jax.tree.leaves(made(*given) if one.apart else made(given[0] if len(given) == 1 else given))
    return side.Model(inputs, outputs, name="all_layers")


def arrays(names: Iterable[str], rng: np.random.Generator) -> list[np.ndarray]:
    """Inputs for such a model."""
    found = []
    for name in names:
        for shape in ROWS[name].shapes:
            value = rng.integers(0, 4, (2, *shape)) if ROWS[name].dtype == "int32" else rng.normal(size=(2, *shape))
            found.append(value.astype(ROWS[name].dtype))
    return found


def drawn(model: Any, rng: np.random.Generator) -> list[np.ndarray]:
    """Weights for a model of Keras: as they are where they are counters or seeds, otherwise small and positive."""
    return [w if w.dtype.kind != "f" else rng.uniform(0.1, 0.5, w.shape).astype(w.dtype) for w in model.get_weights()]


def their_weights(layer: Any) -> list[np.ndarray]:
    """The weights of a layer of Keras without the states of random numbers."""
    return [np.asarray(w) for w in layer.weights if not w.path.endswith("seed_generator_state")]


SHEARS = {"x_factor", "y_factor"}


def _plain(value: Any) -> Any:
    """A configuration without what says nothing: names that Keras counts up, shapes that something was built for."""
    if isinstance(value, Mapping):
        kept = {k: _plain(v) for k, v in value.items() if k not in ("build_config", "name", "shared_object_id")}
        if isinstance(kept.get("axis"), list) and len(kept["axis"]) == 1:
            kept["axis"] = kept["axis"][0]
        for name in SHEARS & kept.keys():  # Keras refuses the bounds that it writes itself; ours are the number
            kept[name] = max(kept[name]) if isinstance(kept[name], list) else kept[name]
        return _plain(value["config"]["name"]) if kept.get("class_name") == "DTypePolicy" else kept
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return float(np.float32(value)) if isinstance(value, float) else value  # as which Keras keeps some numbers


def _same_configurations(found: Any, expected: Any) -> None:
    one, other = _plain(found.get_config()), _plain(expected.get_config())
    assert one == other, f"{one} instead of {other}"


class KerasError(Exception):
    """Real Keras cannot write the layer itself."""


class Sides:
    """A model of Keras with the layers, to go through files."""

    def __init__(self, names: Iterable[str]):
        self.names = list(names)
        rng = np.random.default_rng(7)
        self.theirs = build(keras, self.names)
        self.theirs.set_weights(drawn(self.theirs, rng))
        self._ours: Any = None

    def through(self, suffix: str, direction: str, folder: Path) -> dict[str, str]:
        """What is wrong with each layer that went through a file; a layer without mistakes is not in there."""
        path = str(folder / f"model{suffix}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of real Keras
            if direction == "from Keras":
                try:
                    self.theirs.save(path)
                except Exception as error:  # whatever it is, it is what the table has to say
                    raise KerasError(str(error)) from error
                loaded = jk.load_model(path)
                return _collected(self.names, lambda name: self._same_as_ours(loaded, name))
            self.ours(folder).save(path)
            theirs = keras.models.load_model(path, compile=False)
        return _collected(self.names, lambda name: self._same_as_theirs(theirs, name))

    def ours(self, folder: Path) -> Any:
        """The same model on our side, which came through a file itself."""
        if self._ours is None:
            path = str(folder / "reference.keras")
            self.theirs.save(path)
            self._ours = jk.load_model(path)
        return self._ours

    def _same_as_ours(self, loaded: Any, name: str) -> None:
        found, expected = loaded.get_layer(label(name)), self.theirs.get_layer(label(name))
        assert (in_files(type(found)).class_name or type(found).__name__) == type(expected).__name__
        _same_configurations(found, expected)
        _same_arrays(found.weights, their_weights(expected))

    def _same_as_theirs(self, loaded: Any, name: str) -> None:
        found, expected = loaded.get_layer(label(name)), self.theirs.get_layer(label(name))
        assert type(found) is type(expected)
        _same_configurations(found, expected)
        _same_arrays(their_weights(found), their_weights(expected))


def _same_arrays(found: Iterable[Any], expected: Iterable[Any]) -> None:
    # Keras's order is another where a wrapper has weights of its own; which is which, the outputs show.
    found, expected = (
        sorted(map(np.asarray, arrays), key=lambda a: (a.shape, a.tobytes())) for arrays in (found, expected)
    )
    assert len(found) == len(expected), f"{len(found)} weights instead of {len(expected)}"
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def _collected(names: Iterable[str], check: Callable[[str], None]) -> dict[str, str]:
    problems = {}
    for name in names:
        try:
            check(name)
        except Exception as error:  # whatever it is, it is what the table has to say
            problems[name] = f"{type(error).__name__}: {str(error).strip()[:300]}"
    return problems


def problems(names: Iterable[str], column: tuple[str, str], folder: Path, sides: Sides | None = None) -> dict[str, str]:
    """What does not work in one column of the table: by layer, why."""
    names = list(names)
    try:
        return (sides or Sides(names)).through(*column, folder) if names else {}
    except Exception as error:
        if len(names) == 1:
            return {names[0]: f"{type(error).__name__}: {str(error).strip()[:300]}"}
    half = len(names) // 2
    return problems(names[:half], column, folder) | problems(names[half:], column, folder)


# -- the page ------------------------------------------------------------------------------------------------------


YES, NO, THEIRS = "yes", "no", "Keras's own save fails"


def table(alone: Iterable[str] = ()) -> tuple[str, dict[tuple[str, str], dict[str, str]]]:
    """The table as Markdown, and what does not work in each column.

    Args:
        alone: layers to try in models of their own, because they are known to fail.
    """
    alone = set(alone)
    together = [name for name in ROWS if name not in alone]
    with tempfile.TemporaryDirectory() as folder, quick_initializers():
        sides, single = Sides(together), {name: Sides([name]) for name in sorted(alone)}
        failed = {column: problems(together, column, Path(folder), sides) for column in COLUMNS}
        for column in COLUMNS:
            for name, one in single.items():
                failed[column] |= problems([name], column, Path(folder), one)
    lines = ["| layer | " + " | ".join(f"`{suffix}` {direction}" for suffix, direction in COLUMNS) + " |"]
    lines.append("|---" * (len(COLUMNS) + 1) + "|")
    for name in ROWS:
        lines.append(f"| `{name}` | " + " | ".join(_cell(failed[column].get(name)) for column in COLUMNS) + " |")
    return "\n".join(lines), failed


def _cell(why: str | None) -> str:
    return YES if why is None else THEIRS if why.startswith(KerasError.__name__) else NO


def not_yes(page: str) -> list[str]:
    """The layers that a table says fail somewhere."""
    cells = {line.split("|")[1].strip().strip("`"): line.split("|")[2:-1] for line in page.splitlines()[2:]}
    return [name for name, found in cells.items() if any(cell.strip() != YES for cell in found) and name in ROWS]


@contextlib.contextmanager
def quick_initializers() -> Iterator[None]:
    """Keras's initialisers without random numbers, whose compilation for every shape takes most of the time."""
    classes = (
        keras.initializers.VarianceScaling,
        keras.initializers.OrthogonalInitializer,
        keras.initializers.RandomUniform,
    )
    with contextlib.ExitStack() as stack:
        for cls in classes:
            stack.enter_context(
                mock.patch.object(cls, "__call__", lambda self, shape, dtype=None: np.zeros(shape, dtype))
            )
        yield


def written() -> str:
    """The table on the page."""
    return re.search(f"{START}\n(.*?)\n{END}", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]  # type: ignore[index]


def main() -> None:
    """Writes the table, and prints what does not work."""
    found, failed = table()
    for column, names in failed.items():
        for name, why in names.items():
            print(*column, name, why, sep=": ")
    old, wrong = old_keras.table(keras)
    for place, why in wrong.items():
        print(*place, why, sep=": ")
    if "--write" in sys.argv:
        page = PAGE.read_text(encoding="utf-8")
        for start, end, new in ((START, END, found), (old_keras.START, old_keras.END, old)):
            page = re.sub(
                f"{start}\n.*?{end}", lambda _, s=start, e=end, n=new: f"{s}\n{n}\n{e}", page, flags=re.DOTALL
            )
        PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
