"""No number in a file makes loading it take more than the file's size justifies; see `numbers.py` for all of the cases."""

import json
import time
import zipfile

import h5py
import pytest

import jkeras as jk
import jkeras.keras as keras
from jkeras import allowance, errors, layers
from tests.files import growth, numbers

# Of layers, whose cases take longest, those that once took long.
ONCE = ("AdaptiveMaxPooling2D", "AveragePooling2D", "DepthwiseConv1D", "Conv2DTranspose", "RepeatVector", "Embedding")


@pytest.mark.parametrize("face", numbers.faces())
def test_of_losses_metrics_optimizers_and_so_on(face):
    cases = list(numbers.small_cases(numbers.faces()[face], numbers.LARGE))
    assert {"MeanIoU", "AUC", "Adam", "Orthogonal", "CosineDecay", "L2", "MaxNorm", "Huber"} <= {
        case.name.split("(")[0].rpartition(".")[2] for case in cases
    }
    assert not list(filter(None, map(numbers.problem, cases)))


@pytest.mark.parametrize("read", [numbers.from_text, numbers.as_objects])
def test_of_layers(read, monkeypatch):
    from tests.files import interchange

    monkeypatch.setattr(interchange, "ROWS", {name: interchange.ROWS[name] for name in ONCE})
    cases = list(numbers.layer_cases(read, (10**8,)))
    assert len(cases) > 60
    assert not list(filter(None, map(numbers.problem, cases)))


@pytest.mark.slow
@pytest.mark.parametrize("read", [numbers.from_text, numbers.as_objects])
def test_of_all_layers(read):
    assert not list(filter(None, map(numbers.problem, numbers.layer_cases(read))))


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("array_split", {"indices_or_sections": 10**8}),
        ("diff", {"n": 10**8}),
        ("stft", {"sequence_length": 2, "sequence_stride": 1, "fft_length": 10**8}),
        ("adaptive_max_pool", {"output_size": 10**8}),
    ],
)
def test_of_operations(operation, arguments):
    from jkeras.graph.operation import Operation

    case = numbers.Case(operation, lambda: Operation(operation)(jk.Input((5, 6)), **arguments))
    assert numbers.problem(case) is None


def test_the_limit_is_named_and_can_be_raised(monkeypatch):
    with (
        pytest.raises(errors.RestoreError, match=r"asks for 100000000 .*jk\.config\.load_budget"),
        allowance.of_file(9),
    ):
        keras.metrics.MeanIoU(10**4)
    monkeypatch.setattr(jk.config, "load_budget", 2**30)
    with allowance.of_file(9):
        assert keras.metrics.MeanIoU(10**4).total_cm.shape == (10**4, 10**4)


def test_a_user_may_ask_for_what_there_is_room_for():
    assert len(jk.metrics.AUC(10**5).empty()["positives"]) == 10**5 + 1
    assert jk.metrics.MeanIoU(10**8).num_classes == 10**8


def test_a_lookup_makes_no_terms_for_unknown_ones():
    layer = layers.StringLookup(vocabulary=["a", "b"], num_oov_indices=10**12)
    assert layer.vocabulary_size() == 10**12 + 2
    with pytest.raises(errors.ArgumentError, match="tf_idf"):
        layers.StringLookup(vocabulary=["a"], idf_weights=[1.0], output_mode="tf_idf", num_oov_indices=10**12)


# -- long files ------------------------------------------------------------------------------------------------------------


def written(path, entries, output):
    tensors = {"input_layers": [["x", 0, 0]], "output_layers": [[output, 0, 0]]}
    config = {"module": "keras", "class_name": "Functional", "config": {"name": "m", "layers": entries, **tensors}}
    empty = path.with_suffix(".h5")
    h5py.File(empty, "w").close()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.0"}))
        archive.writestr("model.weights.h5", empty.read_bytes())
    return path


def tensor(name):
    return {
        "class_name": "__keras_tensor__",
        "config": {"shape": [None, 4], "dtype": "float32", "keras_history": [name, 0, 0]},
    }


def activation(number, *below):
    config = {"name": f"l{number}", "activation": "relu"}
    nodes = [{"args": [tensor(name) for name in below], "kwargs": {}}]
    return {
        "module": "keras.layers",
        "class_name": "Activation",
        "config": config,
        "name": f"l{number}",
        "inbound_nodes": nodes,
    }


INPUT = {
    "module": "keras.layers",
    "class_name": "InputLayer",
    "name": "x",
    "config": {"batch_shape": [None, 4], "name": "x"},
    "inbound_nodes": [],
}


@pytest.mark.parametrize("order", [1, -1])
def test_layers_in_any_order_take_linear_time(tmp_path, order):
    def load(count):
        entries = [INPUT, *(activation(i, f"l{i - 1}" if i else "x") for i in range(count))][::order]
        path = written(tmp_path / "m.keras", entries, f"l{count - 1}")
        start = time.process_time()
        assert len(jk.load_model(path).layers) == count + 1
        return time.process_time() - start

    load(10)
    few, many = load(300), load(1200)
    assert many < 8 * few + 0.5


@pytest.mark.slow
@pytest.mark.parametrize("face", ["jkeras", "drop-in"])
@pytest.mark.parametrize("kind", growth.KINDS)
def test_many_layers_and_names_take_linear_time(kind, face):
    counts = (2500, 5000, 10_000)
    growth.seconds(kind, 10, face)
    found = [min(growth.seconds(kind, count, face)[0] for _ in range(2)) for count in counts]
    # A square would be 2; the logarithms of sorting and of trees of HDF5 are above 1.
    assert growth.exponent(counts, found) < 1.4 or found[-1] < 1.0, dict(zip(counts, found, strict=True))


@pytest.mark.parametrize(
    ("suffix", "load"), [(".keras", jk.load_model), (".weights.h5", lambda path: growth.small().load_weights(path))]
)
def test_limits_of_counts_are_named_and_can_be_raised(suffix, load, tmp_path, monkeypatch):
    make = growth.members if suffix == ".keras" else growth.names_in_hdf5
    path = make(tmp_path, 60)
    monkeypatch.setattr(jk.config, "load_budget", 4096 if suffix == ".weights.h5" else 100_000)
    with pytest.raises(errors.RestoreError, match=r"it holds \d+ .*, and \d+ are read.*load_budget"):
        load(path)
    monkeypatch.undo()
    if suffix == ".keras":
        load(path)


def test_layers_that_wait_for_one_another_are_named(tmp_path):
    path = written(tmp_path / "m.keras", [INPUT, activation(0, "l1"), activation(1, "l0")], "l1")
    with pytest.raises(errors.RestoreError, match=r"\['l0', 'l1'\] need tensors that no layer produces"):
        jk.load_model(path)
