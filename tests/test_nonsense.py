"""Functions that are given nonsense say so: an error of jkeras that names the function or its argument."""

import numpy as np
import pytest

import jkeras as jk
from jkeras.datasets import boston_housing, california_housing, cifar100, imdb, mnist, reuters
from jkeras.errors import JkerasError

NONSENSE = [object(), "nonsense", {}, float("nan"), -1.5]
X = np.arange(12.0).reshape(4, 3)
IMAGE = np.ones((4, 4, 3), "float32")
NUMBERS = {"shape": (2,), "seed": 0}

# Arguments that work; each of them is replaced by nonsense in turn.
GOOD = {
    jk.random.normal: {**NUMBERS, "dtype": "float32"},
    jk.random.uniform: {**NUMBERS, "dtype": "float32"},
    jk.random.truncated_normal: {**NUMBERS, "dtype": "float32"},
    jk.random.randint: {**NUMBERS, "minval": 0, "maxval": 4, "dtype": "int32"},
    jk.random.gamma: {**NUMBERS, "alpha": 1.0, "dtype": "float32"},
    jk.random.beta: {**NUMBERS, "alpha": 1.0, "beta": 1.0, "dtype": "float32"},
    jk.random.binomial: {**NUMBERS, "dtype": "float32", "counts": 3, "probabilities": 0.5},
    jk.random.categorical: {"logits": X, "num_samples": 2, "dtype": "int32", "seed": 0},
    jk.random.dropout: {"inputs": X, "rate": 0.5, "noise_shape": (4, 1), "seed": 0},
    jk.random.shuffle: {"x": X, "axis": 0, "seed": 0},
    jk.random.SeedGenerator: {"seed": 0},
    jk.utils.to_categorical: {"x": [0, 1], "num_classes": 2},
    jk.utils.normalize: {"x": X, "axis": 0},
    jk.utils.pad_sequences: {
        "sequences": [[1], [2, 3]],
        "maxlen": 2,
        "dtype": "int32",
        "padding": "pre",
        "truncating": "pre",
    },
    jk.utils.timeseries_dataset_from_array: {
        "data": X,
        "targets": None,
        "sequence_length": 2,
        "sequence_stride": 1,
        "sampling_rate": 1,
        "batch_size": 2,
        "shuffle": False,
        "seed": 0,
        "start_index": None,
        "end_index": None,
    },
    jk.utils.split_dataset: {"dataset": X, "left_size": 2, "shuffle": False, "seed": 0},
    jk.utils.Samples: {"count": 3, "read": lambda index: index, "batch_size": 2, "shuffle": False, "seed": 0},
    jk.utils.PyDataset: {"workers": 1, "max_queue_size": 1},
    jk.utils.Progbar: {"target": 3, "stateful_metrics": [], "stateless_metrics": None},
    jk.utils.set_random_seed: {"seed": 0},
    jk.utils.get_source_inputs: {"tensor": jk.Input((2,))},
    jk.utils.img_to_array: {"img": IMAGE, "dtype": "float32", "data_format": "channels_last"},
    jk.utils.array_to_img: {"x": IMAGE, "dtype": "float32", "scale": True, "data_format": "channels_last"},
    jk.ops.matmul: {"x1": X, "x2": X.T},
    jk.ops.reshape: {"x": X, "newshape": (3, 4)},
    jk.ops.concatenate: {"xs": [X, X], "axis": 1},
    jk.ops.conv: {"inputs": X[None], "kernel": np.ones((1, 3, 2)), "padding": "valid"},
    jk.data.TensorSpec: {"shape": (2,), "dtype": "float32"},
    mnist.load_data: {"path": "absent.npz"},
    boston_housing.load_data: {"path": "absent.npz", "test_split": 0.2, "seed": 1},
    california_housing.load_data: {"path": "absent.npz", "test_split": 0.2, "seed": 1, "version": "large"},
    cifar100.load_data: {"label_mode": "fine"},
    imdb.load_data: {"path": "absent.npz", "num_words": None, "skip_top": 0, "maxlen": None, "seed": 1},
    reuters.load_data: {"path": "absent.npz", "test_split": 0.2, "seed": 1, "num_words": None, "start_char": 1},
}
METHODS = {
    "map": {"map_func": lambda x: x, "num_parallel_calls": None},
    "filter": {"predicate": lambda x: True},
    "enumerate": {"start": 0},
    "batch": {"batch_size": 2, "drop_remainder": False},
    "padded_batch": {"batch_size": 2, "drop_remainder": False},
    "shuffle": {"buffer_size": 3, "seed": 0, "reshuffle_each_iteration": True},
    "repeat": {"count": 2},
    "take": {"count": 2},
    "skip": {"count": 2},
    "shard": {"num_shards": 2, "index": 0},
    "concatenate": {"dataset": jk.data.Dataset.range(2)},
    "interleave": {"map_func": jk.data.Dataset.from_tensors, "cycle_length": 2, "block_length": 1},
    "flat_map": {"map_func": jk.data.Dataset.from_tensors},
    "prefetch": {"buffer_size": 1},
    "apply": {"transformation_func": lambda dataset: dataset},
    "iterate": {"number": 0},
}
DATASET = jk.data.Dataset.range(6)
CALLS = {f"{function.__module__}.{function.__name__}": (function, good) for function, good in GOOD.items()}
CALLS |= {f"Dataset.{name}": (getattr(DATASET, name), good) for name, good in METHODS.items()}
# What is no nonsense there: a name of a file, a number for an array, bounds.
SENSE = {
    ("load_data", "path", str),
    ("normalize", "x", float),
    ("randint", "minval", float),
    ("randint", "maxval", float),
}


@pytest.mark.parametrize("name", CALLS)
def test_nonsense_is_refused_by_name(name, tmp_path, monkeypatch):
    monkeypatch.setenv("JKERAS_HOME", str(tmp_path))
    monkeypatch.setenv("JKERAS_DATASETS_URL", "http://127.0.0.1:9")
    function, good = CALLS[name]
    for argument in good:
        for value in NONSENSE:
            if (function.__name__, argument, type(value)) in SENSE:
                continue
            with pytest.raises(JkerasError) as refused:
                function(**{**good, argument: value})
            message = str(refused.value)
            assert argument in message or function.__name__ in message, (argument, value, message)


def test_what_works_is_let_through():
    assert jk.random.normal(**GOOD[jk.random.normal]).shape == (2,)
    assert jk.random.dropout(**GOOD[jk.random.dropout]).shape == X.shape
    assert jk.utils.to_categorical(**GOOD[jk.utils.to_categorical]).shape == (2, 2)
    assert len(jk.utils.timeseries_dataset_from_array(**GOOD[jk.utils.timeseries_dataset_from_array])) == 2
    assert all(
        isinstance(getattr(DATASET, name)(**good), jk.data.Dataset)
        for name, good in METHODS.items()
        if name != "iterate"
    )


MODEL = jk.Sequential([jk.Input((2,)), jk.layers.Dense(1)])


@pytest.mark.parametrize(
    ("mistake", "named"),
    [
        (lambda: jk.Sequential(3), "Sequential takes layers; got 3"),
        (lambda: jk.Sequential.from_config({"name": "m"}), "Sequential.from_config: .*'layers'"),
        (lambda: jk.layers.Dense.from_config(3), "Dense.from_config: .*got 3"),
        (lambda: MODEL.compile("sgd", "mse", loss_weights=[1, "b"]), "loss_weights=.*a number"),
        (lambda: MODEL.save(3), r"save\(filepath=3\)"),
        (lambda: MODEL.save(""), r"save\(filepath=''\)"),
        (lambda: MODEL.save_weights(3), r"save_weights\(filepath=3\)"),
        (lambda: MODEL.load_weights(3), r"load_weights\(filepath=3\)"),
        (lambda: jk.initializers.GlorotUniform()((-1, 2)), r"shape=-1"),
        (lambda: jk.losses.MeanSquaredError()("a", [1.0]), "mean_squared_error takes arrays"),
    ],
)
def test_what_fits_nothing_is_named(mistake, named):
    with pytest.raises(JkerasError, match=named):
        mistake()


def test_errors_of_functions_that_operations_are_given_stay_as_they_are():
    with pytest.raises(ValueError, match="^invalid literal"):
        jk.ops.vectorized_map(lambda row: int("a"), X)
