"""Subclasses as scripts write them, against real Keras: of every base class and of the built-in classes that are subclassed most.

A table says for each class how it is made and which program uses it. The program runs in both libraries with a subclass that
overrides nothing, and with subclasses that override Keras's public methods by one that counts and calls `super()`.
The numbers have to be equal, and every override that Keras calls has to be called here.
"""

import collections
import functools
import inspect
import itertools
import tempfile
from pathlib import Path

import keras as oracle
import numpy as np
import pytest

import jkeras.keras as ours

# `compile` is overridden, and both libraries warn that it is not called after loading.
pytestmark = pytest.mark.filterwarnings("ignore:`compile\\(\\)` was not called")

RNG = np.random.default_rng(0)
SEQUENCE = RNG.normal(size=(4, 6, 4)).astype("float32")
FLAT = SEQUENCE[:, 0]
IMAGES = RNG.normal(size=(4, 5, 5, 3)).astype("float32")
TOKENS = RNG.integers(0, 7, (4, 6), dtype="int32")
TARGETS = RNG.normal(size=(4, 1)).astype("float32")
CLASSES = np.eye(3, dtype="float32")[[0, 1, 2, 1]]


def find(keras, path):
    value = keras
    for name in path.split("."):
        value = getattr(value, name)
    return value


def public_methods(path):
    """Names of the methods of Keras's class that a script may override."""
    cls = find(oracle, path)
    names = [name for name in dir(cls) if not name.startswith("_") or name in ("__init__", "__call__")]
    return [name for name in names if _is_method(inspect.getattr_static(cls, name))]


def _is_method(static):
    return inspect.isfunction(static) or isinstance(static, classmethod)


def subclass(keras, path, body, names, calls):
    """A subclass that overrides methods by such as count, with Keras's signatures; `body` is what its base has to define."""
    base = find(keras, path)
    if body:
        base = type(base)("Base", (base,), {**body, "__module__": __name__})
    cls = type(base)("Mine", (base,), {"__module__": __name__})
    for name in names:
        original = body.get(name) or inspect.getattr_static(find(oracle, path), name)
        setattr(cls, name, _counting(cls, original, name, calls))
    return cls


def _counting(cls, static, name, calls):
    parameters = inspect.signature(getattr(static, "__func__", static)).parameters.values()
    defaults = {one.name: one.default for one in parameters}

    def above(owner, *args, **kwargs):
        calls[name] += 1
        return getattr(super(cls, owner), name)(*args, **kwargs)

    heads = [("*, " if one.kind is one.KEYWORD_ONLY else "") + _head(one) for one in parameters]
    heads = [head.removeprefix("*, ") if "*" in "".join(heads[:place]) else head for place, head in enumerate(heads)]
    passed = [f"{one.name}={one.name}" if one.kind is one.KEYWORD_ONLY else _starred(one) for one in parameters]
    space = {"above": above, "defaults": defaults}
    exec(f"def {name}({', '.join(heads)}): return above({', '.join(passed)})", space)
    return classmethod(space[name]) if isinstance(static, classmethod) else space[name]


def _starred(parameter):
    return {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "") + parameter.name


def _head(parameter):
    default = "" if parameter.default is parameter.empty else f"=defaults[{parameter.name!r}]"
    return _starred(parameter) + default


# -- programs --------------------------------------------------------------------------------------------------------


def layer_program(keras, cls, arguments, x, folder, use=lambda layer, x: layer(x)):
    arguments = {name: value(keras) if callable(value) else value for name, value in arguments.items()}
    layer = cls(**arguments)
    yield "config", layer.get_config()
    again = cls.from_config(layer.get_config())
    inputs = keras.Input(x.shape[1:], dtype=str(x.dtype))
    if use is layer_program.__defaults__[0]:
        model = keras.Sequential([inputs, again, keras.layers.Flatten(), keras.layers.Dense(1)])
    else:
        model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Flatten()(use(again, inputs))))
    yield from train(keras, model, cls, x, TARGETS, folder)
    yield "eager", use(again, x)


def train(keras, model, cls, x, y, folder, loss="mse", optimizer="sgd", metrics=("mae",), callbacks=()):
    """Weights of one's own, two batches of training, prediction, a file."""
    model(x)
    random = np.random.default_rng(1)
    model.set_weights([random.uniform(0.1, 0.6, w.shape).astype("float32") for w in model.get_weights()])
    model.compile(optimizer, loss, metrics=list(metrics))
    history = model.fit(x, y, batch_size=2, verbose=0, shuffle=False, callbacks=list(callbacks))
    yield "history", history.history
    yield "predict", model.predict(x, verbose=0)
    yield "weights", model.get_weights()
    if folder:
        model.save(folder / "model.keras")
        loaded = keras.models.load_model(folder / "model.keras", custom_objects={"Mine": cls})
        yield "loaded", loaded.get_weights()


def two_inputs(layer, x):
    return layer(x, x)


def listed(layer, x):
    return layer([x, x])


def cell_program(keras, cls, arguments, x, folder):
    cell = cls(**arguments)
    yield "config", cell.get_config()
    cell = cls.from_config(cell.get_config())
    model = keras.Sequential([keras.Input(x.shape[1:]), keras.layers.RNN(cell), keras.layers.Dense(1)])
    yield from train(keras, model, cls, x, TARGETS, folder)


def small(keras, **arguments):
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, **arguments)])


def sequential_program(keras, cls, arguments, x, folder):
    model = cls([keras.Input(x.shape[1:]), keras.layers.Dense(1)])
    yield "config", len(model.get_config()["layers"])
    yield from train(keras, cls.from_config(model.get_config()), cls, x, TARGETS, folder)
    yield "evaluate", model.compile("sgd", "mse"), len(model.layers)


def functional_program(keras, cls, arguments, x, folder):
    inputs = keras.Input(x.shape[1:])
    model = cls(inputs, keras.layers.Dense(1)(inputs))
    yield from train(keras, model, cls, x, TARGETS, folder)
    yield "batches", [model.train_on_batch(x, TARGETS), model.test_on_batch(x, TARGETS), model.predict_on_batch(x)]
    yield "evaluate", model.evaluate(x, TARGETS, verbose=0)


def model_program(keras, cls, arguments, x, folder):
    cls.layer_class = keras.layers.Dense
    model = cls()
    yield from train(keras, model, cls, x, TARGETS, folder)
    yield "batches", [model.train_on_batch(x, TARGETS), model.test_on_batch(x, TARGETS), model.predict_on_batch(x)]
    yield "evaluate", model.evaluate(x, TARGETS, verbose=0)


def loss_program(keras, cls, arguments, x, folder):
    loss = cls(**arguments)
    yield "config", loss.get_config()
    loss = cls.from_config(loss.get_config())
    yield "value", loss(CLASSES, CLASSES * 0.5 + 0.1)
    yield from train(keras, small(keras, activation="softmax"), cls, x, CLASSES, folder, loss)


def metric_program(keras, cls, arguments, x, folder):
    arguments = {name: value(keras) if callable(value) else value for name, value in arguments.items()}
    metric = cls(**arguments)
    yield "config", sorted(metric.get_config())
    values = (FLAT,) if cls.__base__ is keras.metrics.Mean else (CLASSES, CLASSES * 0.5)
    metric.update_state(*values)
    yield "result", metric.result()
    metric.reset_state()
    yield "again", metric(*values)
    yield "variables", metric.variables
    metric.reset_state()
    if len(values) == 2:
        yield from train(keras, small(keras), cls, x, CLASSES, None, metrics=[metric])


def optimizer_program(keras, cls, arguments, x, folder):
    optimizer = cls(**arguments)
    yield "config", optimizer.get_config()
    optimizer = cls.from_config(optimizer.get_config())
    yield from train(keras, small(keras), cls, x, CLASSES, folder, optimizer=optimizer)
    yield "state", optimizer.variables
    weight = keras.Variable(np.ones(3, "float32"))
    optimizer = cls(**arguments)
    optimizer.apply_gradients([(np.ones(3, "float32"), weight)])
    optimizer.apply([np.ones(3, "float32")])
    yield "applied", weight


def callback_program(keras, cls, arguments, x, folder):
    if "filepath" in arguments:
        arguments = {**arguments, "filepath": str(folder / arguments["filepath"])}
    callback = cls(**arguments)
    model = small(keras)
    yield from train(keras, model, cls, x, CLASSES, None, callbacks=[callback])
    yield "evaluate", model.evaluate(x, CLASSES, verbose=0, callbacks=[callback])
    yield "predict", model.predict(x, verbose=0, callbacks=[callback])


def part_of_dense(argument):
    def program(keras, cls, arguments, x, folder):
        part = cls(**arguments)
        yield "config", part.get_config()
        part = cls.from_config(part.get_config())
        yield "value", part((3, 2)) if argument == "kernel_initializer" else part(np.ones((3, 2), "float32"))
        yield from train(keras, small(keras, **{argument: part}), cls, x, CLASSES, folder)

    return program


def schedule_program(keras, cls, arguments, x, folder):
    schedule = cls(**arguments)
    yield "config", schedule.get_config()
    schedule = cls.from_config(schedule.get_config())
    yield "value", schedule(3)
    yield from train(keras, small(keras), cls, x, CLASSES, folder, optimizer=keras.optimizers.SGD(schedule))


def layer(name, x, use=None, body=(), **arguments):
    extra = () if use is None else (use,)
    return "layers." + name, (lambda *args: layer_program(*args, *extra)), arguments, x, dict(body)


def inner(name, *args, **kwargs):
    return lambda keras: getattr(keras.layers, name)(*args, **kwargs)


def mean_squared_error(keras):
    return keras.losses.mean_squared_error


# -- what subclasses of the abstract classes define ------------------------------------------------------------------


def _build(self, input_shape):
    self.kernel = self.add_weight(shape=(input_shape[-1], 3), name="kernel")


def _call(self, inputs):
    return inputs @ self.kernel


def _build_wrapper(self, input_shape=None):
    if not self.layer.built:
        self.layer.build(input_shape)
    self.built = True


def _call_wrapper(self, inputs):
    return 2 * self.layer(inputs)


def _call_cell(self, inputs, states):
    output = inputs @ self.kernel + 0.5 * states[0]
    return output, [output]


def _call_model(self, inputs, training=None):
    return self.dense(inputs)


def _build_model(self, input_shape):
    self.dense = self.layer_class(1)
    self.dense.build(input_shape)


def _call_loss(self, y_true, y_pred):
    return ((y_true - y_pred) ** 4).mean(-1)


def _update_state(self, y_true, y_pred, sample_weight=None):
    if not hasattr(self, "total"):
        self.total = self.add_variable((), "zeros", name="total")
    self.total.assign_add(abs(y_true - y_pred).sum())


def _update_step(self, gradient, variable, learning_rate):
    self.assign_sub(variable, gradient * learning_rate)


DROPOUT = {"units": 3, "dropout": 0.3, "recurrent_dropout": 0.2, "seed": 1}
CELL = {"state_size": 3, "output_size": 3, "build": _build, "call": _call_cell}
NO_CONFIG = {"get_config": lambda self: {}}


TABLE = [
    layer("Layer", FLAT, body={"build": _build, "call": _call}),
    ("layers.Layer", cell_program, {}, SEQUENCE, CELL),
    layer("Dense", FLAT, units=3, activation="relu"),
    layer("Conv1D", SEQUENCE, filters=2, kernel_size=3),
    layer("Conv2D", IMAGES, filters=2, kernel_size=3, padding="same"),
    layer("DepthwiseConv2D", IMAGES, kernel_size=3),
    layer("BatchNormalization", FLAT),
    layer("LayerNormalization", FLAT),
    layer("Dropout", FLAT, rate=0.3, seed=1),
    layer("SpatialDropout1D", SEQUENCE, rate=0.3, seed=1),
    layer("GaussianNoise", FLAT, stddev=0.3, seed=1),
    layer("GaussianDropout", FLAT, rate=0.3, seed=1),
    layer("AlphaDropout", FLAT, rate=0.3, seed=1),
    layer("Embedding", TOKENS, input_dim=7, output_dim=3, mask_zero=False),
    layer("LSTM", SEQUENCE, units=3),
    layer("GRU", SEQUENCE, units=3),
    layer("SimpleRNN", SEQUENCE, units=3, return_sequences=True),
    layer("RNN", SEQUENCE, cell=inner("GRUCell", 3)),
    layer("Bidirectional", SEQUENCE, layer=inner("LSTM", 2)),
    layer("TimeDistributed", SEQUENCE, layer=inner("Dense", 2)),
    layer("Wrapper", FLAT, layer=inner("Dense", 2), body={"build": _build_wrapper, "call": _call_wrapper}),
    layer("MultiHeadAttention", SEQUENCE, two_inputs, num_heads=2, key_dim=2),
    layer("Attention", SEQUENCE, listed, use_scale=True),
    layer("Flatten", SEQUENCE),
    layer("Reshape", SEQUENCE, target_shape=(4, 6)),
    layer("Activation", FLAT, activation="relu"),
    layer("Lambda", FLAT, function=lambda keras: keras.activations.tanh),
    *(("layers." + name, cell_program, DROPOUT, SEQUENCE) for name in ("LSTMCell", "GRUCell", "SimpleRNNCell")),
    ("Sequential", sequential_program, {}, FLAT),
    ("Model", functional_program, {}, FLAT),
    ("Model", model_program, {}, FLAT, {"build": _build_model, "call": _call_model}),
    ("losses.Loss", loss_program, {}, FLAT, {"call": _call_loss}),
    ("losses.CategoricalCrossentropy", loss_program, {"label_smoothing": 0.1}, FLAT),
    ("losses.MeanSquaredError", loss_program, {}, FLAT),
    ("metrics.Mean", metric_program, {}, FLAT),
    ("metrics.MeanMetricWrapper", metric_program, {"fn": mean_squared_error}, FLAT),
    ("metrics.CategoricalAccuracy", metric_program, {}, FLAT),
    ("metrics.Metric", metric_program, {}, FLAT, {"update_state": _update_state, "result": lambda self: self.total + 1}),
    ("callbacks.Callback", callback_program, {}, FLAT),
    ("callbacks.EarlyStopping", callback_program, {"monitor": "loss", "restore_best_weights": True}, FLAT),
    ("callbacks.ModelCheckpoint", callback_program, {"filepath": "best.keras", "monitor": "loss", "save_best_only": True}, FLAT),
    ("optimizers.Optimizer", optimizer_program, {"learning_rate": 0.1}, FLAT, {"update_step": _update_step}),
    ("optimizers.SGD", optimizer_program, {"learning_rate": 0.1, "momentum": 0.9}, FLAT),
    ("optimizers.Adam", optimizer_program, {"learning_rate": 0.1}, FLAT),
    ("optimizers.AdamW", optimizer_program, {"learning_rate": 0.1}, FLAT),
    ("optimizers.schedules.LearningRateSchedule", schedule_program, {}, FLAT,
     {"__call__": lambda self, step: 0.5 / (step + 1.0), **NO_CONFIG}),
    ("optimizers.schedules.ExponentialDecay", schedule_program,
     {"initial_learning_rate": 0.1, "decay_steps": 2, "decay_rate": 0.5}, FLAT),
    ("initializers.Initializer", part_of_dense("kernel_initializer"), {}, FLAT,
     {"__call__": lambda self, shape, dtype=None, **kwargs: np.full(shape, 0.3, "float32"), **NO_CONFIG}),
    ("initializers.Constant", part_of_dense("kernel_initializer"), {"value": 0.3}, FLAT),
    ("regularizers.Regularizer", part_of_dense("kernel_regularizer"), {}, FLAT,
     {"__call__": lambda self, x: 0.1 * abs(x).sum(), **NO_CONFIG}),
    ("regularizers.L2", part_of_dense("kernel_regularizer"), {"l2": 0.1}, FLAT),
    ("constraints.Constraint", part_of_dense("kernel_constraint"), {}, FLAT,
     {"__call__": lambda self, w: w * 0.9, **NO_CONFIG}),
    ("constraints.MaxNorm", part_of_dense("kernel_constraint"), {"max_value": 0.5}, FLAT),
]  # fmt: skip


# -- comparison ------------------------------------------------------------------------------------------------------


def run(keras, row, names, folder, steps=None):
    """What the program yields (only the first `steps` results if given), and how often each override was called."""
    path, program, arguments, x, *body = row
    keras.utils.clear_session(free_memory=False)
    calls = collections.Counter()
    cls = subclass(keras, path, body[0] if body else {}, names, calls)
    results = list(itertools.islice(program(keras, cls, arguments, x, folder), steps))
    return {name: value for name, *value in results}, calls


def plain(value):
    """Nested lists and mappings of arrays and constants."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items() if key not in ("module", "registered_name", "name")}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if value is None or isinstance(value, (str, bool)) or callable(value):
        return getattr(value, "__name__", value)
    return np.asarray(value, "float64")


def assert_same(mine, theirs, where):
    if isinstance(theirs, dict):
        assert set(mine) == set(theirs), where
        for key in theirs:
            assert_same(mine[key], theirs[key], f"{where}.{key}")
    elif isinstance(theirs, list):
        assert len(mine) == len(theirs), where
        for place, part in enumerate(theirs):
            assert_same(mine[place], part, f"{where}[{place}]")
    elif isinstance(theirs, np.ndarray):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5, err_msg=where)
    else:
        assert mine == theirs, where


@functools.cache
def expected(number):
    """What real Keras does, all methods overridden: results and numbers of calls."""
    row = TABLE[number]
    with tempfile.TemporaryDirectory() as folder:
        results, calls = run(oracle, row, public_methods(row[0]), Path(folder))
    return {name: plain(value) for name, value in results.items()}, calls


def compare(results, theirs):
    assert list(results) == list(theirs)
    for name, value in theirs.items():
        assert_same(plain(results[name]), value, name)


# Overrides that Keras calls and nobody calls here.
NOT_CALLED = {
    "jax_state_sync": "the loop of the core carries no state of Keras's that would have to be written back between batches",
    "add_optimizer_variables": "built-in rules make their slots weight by weight: `add_variable_from_reference` is called",
    "assign_add": "what built-in rules keep beside a weight is computed anew, and `assign` is called for it",
}
# Rows that take long; the rest covers the same code.
LONG = ("Conv1D", "DepthwiseConv2D", "SpatialDropout1D", "GaussianNoise", "GRU", "SimpleRNN", "Bidirectional", "GRUCell",
        "SimpleRNNCell", "Attention", "MultiHeadAttention", "Embedding", "LayerNormalization", "AdamW")  # fmt: skip


def label(row):
    *_, name = row[0].split(".")
    return name + "-" + getattr(row[1], "__name__", "").removesuffix("_program").replace("<lambda>", "layer")


def marked(number, row, *values):
    slow = values or row[0].rpartition(".")[2] in LONG
    return pytest.param(number, *values, id="-".join([label(row), *values]), marks=[pytest.mark.slow] if slow else [])


ROWS = [marked(number, row) for number, row in enumerate(TABLE)]
PAIRS = [marked(number, row, name) for number, row in enumerate(TABLE) for name in public_methods(row[0])]


@pytest.mark.parametrize("number", ROWS)
def test_pass(number, tmp_path):
    """The numbers of a subclass that overrides nothing."""
    theirs, _ = expected(number)
    # A configuration may depend on whether there is a constructor of one's own.
    first, _ = run(oracle, TABLE[number], (), tmp_path, steps=1)
    results, _ = run(ours, TABLE[number], (), tmp_path)
    compare(results, {**theirs, **{name: plain(value) for name, value in first.items()}})


@pytest.mark.parametrize("number", ROWS)
def test_all_methods(number, tmp_path):
    """The numbers of a subclass that overrides all methods, and that those are called which Keras calls."""
    theirs, their_calls = expected(number)
    results, calls = run(ours, TABLE[number], public_methods(TABLE[number][0]), tmp_path)
    compare(results, theirs)
    assert {name for name in their_calls if not calls[name]} <= set(NOT_CALLED)


@pytest.mark.parametrize(("number", "name"), PAIRS)
def test_one_method(number, name, tmp_path):
    """The same for each method alone."""
    theirs, their_calls = expected(number)
    first, _ = run(oracle, TABLE[number], [name], tmp_path, steps=1)
    results, calls = run(ours, TABLE[number], [name], tmp_path)
    compare(results, {**theirs, **{name: plain(value) for name, value in first.items()}})
    if their_calls[name] and not calls[name] and name not in NOT_CALLED:
        # With all methods overridden Keras may call more of them: a layer that has a `build` is built from its file.
        _, alone = run(oracle, TABLE[number], [name], tmp_path)
        assert not alone[name]
