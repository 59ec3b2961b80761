"""Data of other libraries in `fit`, `evaluate` and `predict`; batches made ahead; runs that go on in the middle of the data.

Libraries that are not installed have stand-ins here: classes with their names, modules and methods.
"""

import importlib.util
import threading
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jkeras as jk
from jkeras import layers
from jkeras.errors import ArgumentError, InputError
from jkeras.training import adapters
from jkeras.training.batches import to_arrays
from jkeras.training.prefetch import Background
from jkeras.training.sources import as_source

SIZE, FEATURES = 4, 3
X = np.linspace(-1, 1, 8 * FEATURES, dtype="float32").reshape(8, FEATURES)
Y = (X.sum(axis=1, keepdims=True) * 0.5).astype("float32")


def pairs():
    return [(X[i : i + SIZE], Y[i : i + SIZE]) for i in range(0, len(X), SIZE)]


def stand_in(module, name, bases=(), **members):
    """An object whose class has the name of one in a library."""
    return type(name, bases, {"__module__": module, **members})()


def tensor(library, array):
    return {
        "torch": lambda: stand_in(
            "torch",
            "Tensor",
            shape=array.shape,
            dtype="torch.float32",
            detach=lambda s: s,
            cpu=lambda s: s,
            numpy=lambda s: array,
        ),
        "tensorflow": lambda: stand_in(
            "tensorflow.python.framework.ops", "EagerTensor", shape=array.shape, numpy=lambda s: array
        ),
    }[library]()


def tf_dataset():
    members = {"as_numpy_iterator": lambda s: iter(pairs()), "__len__": lambda s: 2, "__iter__": lambda s: iter(())}
    return stand_in("tensorflow.python.data.ops.dataset_ops", "DatasetV2", **members)


def torch_loader():
    batches = [[tensor("torch", x), tensor("torch", y)] for x, y in pairs()]
    members = {"__iter__": lambda s: iter(batches), "__len__": lambda s: 2}
    return stand_in("torch.utils.data.dataloader", "DataLoader", **members)


def torch_tensors():
    return stand_in("torch.utils.data.dataset", "TensorDataset", tensors=(tensor("torch", X), tensor("torch", Y)))


def hugging_face():
    columns = {"pixels": X, "label": Y}
    members = {"shape": (8, 2), "with_format": lambda s, kind: columns_of(columns)}
    return stand_in("datasets.arrow_dataset", "Dataset", **members)


def columns_of(columns):
    return stand_in(
        "datasets.arrow_dataset", "Dataset", __getitem__=lambda s, rows: {k: v[rows] for k, v in columns.items()}
    )


def hugging_face_stream():
    rows = [{"pixels": x, "label": y} for x, y in zip(X, Y, strict=True)]
    members = {"with_format": lambda s, kind: s, "__iter__": lambda s: iter(rows)}
    return stand_in("datasets.iterable_dataset", "IterableDataset", **members)


def grain_data(kind, size=SIZE):
    grain = pytest.importorskip("grain")
    source = grain.MapDataset.source(list(zip(X, Y, strict=True)))
    if kind == "loader":
        sampler = grain.samplers.IndexSampler(8, num_epochs=1, seed=0)
        return grain.DataLoader(
            data_source=list(zip(X, Y, strict=True)), sampler=sampler, operations=[grain.transforms.Batch(size)]
        )
    batches = source.batch(size)
    return batches if kind == "map" else batches.to_iter_dataset()


def pipeline():
    pytest.importorskip("grain")
    return jk.data.Dataset.from_tensor_slices((X, Y)).batch(SIZE).prefetch(jk.data.AUTOTUNE)


class Numbered(jk.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return pairs()[index]


def frames(library):
    module = pytest.importorskip(library)
    return module.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2]}), module.Series(Y[:, 0])


def real_hugging_face():
    datasets = pytest.importorskip("datasets")
    return datasets.Dataset.from_dict({"pixels": X.tolist(), "label": Y.tolist()})


def real_torch_loader():
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
    return torch.utils.data.DataLoader(data, batch_size=SIZE)


# Name: what `fit` gets.
KINDS = {
    "jkeras.data": lambda: (pipeline(),),
    "grain.MapDataset": lambda: (grain_data("map"),),
    "grain.IterDataset": lambda: (grain_data("iter"),),
    "grain.DataLoader": lambda: (grain_data("loader"),),
    "tf.data": lambda: (tf_dataset(),),
    "a PyTorch loader": lambda: (torch_loader(),),
    "PyTorch tensors in a data set": lambda: (torch_tensors(),),
    "a real PyTorch loader": lambda: (real_torch_loader(),),
    "a data set of Hugging Face": lambda: (hugging_face(),),
    "a stream of Hugging Face": lambda: (hugging_face_stream(),),
    "a real data set of Hugging Face": lambda: (real_hugging_face(),),
    "pandas": lambda: frames("pandas"),
    "polars": lambda: frames("polars"),
    "PyDataset": lambda: (Numbered(),),
    "batches in a list": lambda: (iter(pairs()),),
    "PyTorch tensors": lambda: (tensor("torch", X), tensor("torch", Y)),
    "TensorFlow tensors": lambda: (tensor("tensorflow", X), tensor("tensorflow", Y)),
    "with sample weights": lambda: (((x, y, np.ones(SIZE, "float32")) for x, y in pairs()),),
}


def model():
    made = jk.Sequential([layers.Input((FEATURES,)), layers.Dense(1)])
    return made.compile("sgd", "mse", metrics=["mae"])


@pytest.fixture(scope="module")
def reference():
    trained = model().fit(X, Y, batch_size=SIZE, shuffle=False, verbose=0)
    return trained, trained.evaluate(X, Y, batch_size=SIZE, verbose=0), trained.predict(X, verbose=0)


@pytest.mark.parametrize("name", KINDS)
def test_kinds_of_data(name, reference):
    trained, scores, outputs = reference
    shuffle = {"shuffle": False}
    size = {} if name in ("batches in a list", "with sample weights") else {"batch_size": SIZE}
    fitted = model().fit(*KINDS[name](), verbose=0, **shuffle, **size)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), fitted.params, trained.params)
    np.testing.assert_allclose(fitted.evaluate(*KINDS[name](), verbose=0, **size), scores, rtol=1e-5)
    data = KINDS[name]()[0]
    if name != "a stream of Hugging Face":
        np.testing.assert_allclose(fitted.predict(data, verbose=0), outputs, rtol=1e-5)


def test_no_library_is_imported_to_recognise_its_data():
    expected = {library.partition(".")[0] for table in (adapters.ADAPTERS, adapters.TENSORS) for library, *_ in table}
    source = importlib.util.find_spec("jkeras.training.adapters").loader.get_source("jkeras.training.adapters")
    assert not any(line.startswith(("import", "from")) and line.split()[1] in expected for line in source.splitlines())


def test_a_user_module_called_datasets():
    own = stand_in("datasets", "Dataset", __iter__=lambda s: iter(pairs()))
    assert len(list(as_source(own).batches())) == 2


def test_tensors():
    scipy = pytest.importorskip("scipy.sparse")
    assert to_arrays(scipy.csr_matrix(np.eye(2)), "x").tolist() == [[1, 0], [0, 1]]

    class OnDevice:
        def __dlpack__(self, **options):
            return jnp.arange(3.0).__dlpack__(**options)

        def __dlpack_device__(self):
            return jnp.arange(3.0).__dlpack_device__()

    assert to_arrays(OnDevice(), "x").tolist() == [0, 1, 2]
    with pytest.raises(InputError, match="RaggedTensor cannot be used"):
        to_arrays(stand_in("tensorflow.python.ops.ragged", "RaggedTensor"), "x")


def refuses(action, error, message):
    with pytest.raises(error, match=message):
        action()


def test_mistakes():
    samples = stand_in(
        "torch.utils.data.dataset", "Dataset", __len__=lambda s: 8, __getitem__=lambda s, i: (X[i], Y[i])
    )
    refuses(lambda: as_source(samples), InputError, r"DataLoader\(data, batch_size=32, shuffle=True\)")
    refuses(lambda: as_source(torch_tensors(), Y), ArgumentError, "y must be None")
    endless = stand_in("tensorflow.python.data.ops.dataset_ops", "DatasetV2", cardinality=lambda s: -1)
    refuses(lambda: as_source(endless), ArgumentError, "steps_per_epoch")
    with pytest.raises(ArgumentError, match="y must be None"):
        _ = model().fit(tf_dataset(), Y, verbose=0)


def test_a_batch_of_another_structure():
    other = [*pairs(), ({"a": X[:4]}, Y[:4])]
    message = r"Batch 2 of the data has x = \{'a': float32\[4, 3\]\}, but the first batch had float32\[4, 3\]"
    with pytest.raises(InputError, match=message):
        _ = model().fit(iter(other), verbose=0)
    flat = [*pairs(), (X[:4], Y[:4, 0])]
    with pytest.raises(
        InputError, match=r"Batch 2 of the data has y = float32\[4\], but the first batch had float32\[4, 1\]"
    ):
        _ = model().fit(iter(flat), verbose=0)


class OwnError(Exception):
    """The user's."""


def broken():
    yield from pairs()
    raise OwnError("not this one")


@pytest.mark.parametrize("use", ["fit", "evaluate"])
@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ((X, Y[:1]), "the numbers of rows differ. Pass a target for each row"),  # no broadcasting
        ((X, Y[:4]), "the numbers of rows differ"),
        (None, "gave None where a batch was expected"),
    ],
)
@pytest.mark.parametrize("loss", ["mse", "binary_crossentropy", "huber"])
def test_batches_of_targets_that_do_not_belong_to_the_rows(loss, batch, message, use):
    model = jk.Sequential([layers.Input((FEATURES,)), layers.Dense(1)]).compile("sgd", loss)
    with pytest.raises(InputError, match=message):
        getattr(model, use)(iter([batch, batch]), verbose=0)


def test_own_losses_may_ignore_the_targets(rng):
    model = jk.Sequential([layers.Input((FEATURES,)), layers.Dense(1)])
    model = model.compile("sgd", lambda y_true, y_pred: y_pred[:, 0] ** 2)
    assert model.fit(iter([(X, Y[:1])] * 2), verbose=0).history["loss"][0] > 0


@pytest.mark.parametrize("use", ["fit", "evaluate", "predict"])
def test_the_users_exception_arrives_unchanged(use, reference):
    before = threading.active_count()
    with pytest.raises(OwnError, match="not this one"):
        _ = getattr(model() if use == "fit" else reference[0], use)(broken(), verbose=0)
    assert threading.active_count() == before


def test_data_that_ends_early_says_so():
    with pytest.warns(UserWarning, match="ran out before epoch 2"):
        fitted = model().fit(iter(pairs()), epochs=3, steps_per_epoch=2, verbose=0)
    assert len(fitted.history["loss"]) == 1


def test_a_generator_is_not_read_beyond_the_epochs():
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield pairs()[0]

    _ = model().fit(endless(), epochs=2, steps_per_epoch=2, verbose=0)
    assert len(taken) == 4


def test_data_without_end_needs_a_number_of_steps():
    grain = pytest.importorskip("grain")
    for data in (pipeline().repeat(), grain_data("map").repeat()):
        with pytest.raises(ArgumentError, match="repeated without end"):
            as_source(data)
        source = as_source(data, steps=5)
        assert source.steps_per_epoch == 5 and len(list(source.batches())) == 5
    assert as_source(grain.MapDataset.range(4)).batch_count == 4


def test_orders_of_a_pipeline_follow_from_the_steps_done():
    pytest.importorskip("grain")
    seen = []
    data = jk.data.Dataset.range(8).shuffle(8, seed=1).map(lambda i: seen.append(int(i)) or (X[i], Y[i])).batch(SIZE)

    def passes(*runs):
        seen.clear()
        made = model()
        for epochs in runs:
            made = made.fit(data, epochs=epochs, verbose=0)
        return np.array(seen).reshape(-1, 8).tolist()

    orders = passes(2)
    assert all(sorted(order) == list(range(8)) for order in orders) and orders[0] != orders[1]
    assert passes(2) == orders
    first, second = passes(1, 1)
    assert first == orders[0] and second != first


class Stop(jk.callbacks.Callback):
    """Fails in the middle of the second epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 1 and batch == 1:
            raise OwnError("stopped")


def rows():
    return jk.data.Dataset.from_tensor_slices((X, Y))


PIPELINES = {
    "rows": lambda: rows().shuffle(8, seed=1).batch(2),
    "made by threads": lambda: rows().map(lambda x, y: (x, y), 2).shuffle(8, seed=1).batch(2).prefetch(2),
    "stream": lambda: rows().filter(lambda x, y: True).shuffle(4, seed=1).repeat().batch(2).prefetch(1),
    "grain.MapDataset": lambda: grain_data("map", 2),
    "grain.DataLoader": lambda: grain_data("loader", 2),
}


@pytest.mark.parametrize("name", PIPELINES)
def test_a_run_goes_on_in_the_middle_of_a_pipeline(name, tmp_path):
    pytest.importorskip("grain")
    steps = {"steps_per_epoch": 3} if name == "stream" else {}

    def fit(*callbacks):
        return model().fit(PIPELINES[name](), epochs=3, verbose=0, callbacks=list(callbacks), **steps)

    def backup():
        return jk.callbacks.BackupAndRestore(tmp_path / "backup", save_freq=1)

    whole = fit()
    with pytest.raises(OwnError):
        _ = fit(backup(), Stop())
    batches = []
    resumed = fit(backup(), jk.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: batches.append(batch)))
    per_epoch = steps.get("steps_per_epoch", 4)
    assert batches == [*range(1, per_epoch), *range(per_epoch)]
    assert resumed.history["loss"] == whole.history["loss"]
    jax.tree.map(np.testing.assert_array_equal, resumed.params, whole.params)


# -- making ahead --------------------------------------------------------------------------------------------------------


def test_items_are_made_ahead_but_not_too_many():
    made = []
    background = Background(iter(made.append(i) or i for i in range(100)), size=2, prepare=lambda i: i * 10)
    assert next(background) == 0
    deadline = time.monotonic() + 10
    while len(made) < 4 and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.05)
    assert len(made) == 4  # one taken, two waiting, one in the making
    assert list(background) == [i * 10 for i in range(1, 100)]
    assert list(background) == []


def test_the_note_is_that_of_the_item_taken():
    count = iter(range(100))
    background = Background(iter("abc"), size=2, note=lambda: next(count))
    assert background.noted == 0
    assert [(item, background.noted) for item in background] == [("a", 1), ("b", 2), ("c", 3)]


def test_the_thread_ends_when_nobody_wants_its_items():
    before = threading.active_count()
    with Background(iter(int, 1)) as background:
        next(background)
    assert threading.active_count() == before
    background = Background(iter(int, 1))
    del background
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before


def test_scopes_hold_in_the_thread():
    import contextvars

    scope = contextvars.ContextVar("scope", default="none")
    scope.set("inside")
    assert list(Background(iter([1]), prepare=lambda _: scope.get())) == ["inside"]
