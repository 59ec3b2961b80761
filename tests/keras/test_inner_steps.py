"""Methods that Keras's layers call on themselves, overridden in a subclass: they take effect here too, or are refused by name.

For each class, Keras runs a subclass that overrides all methods of the class by such as count and call `super()`.
What Keras calls has to be called here, or to be refused in an error that names it.
"""

import collections
import functools
import inspect

import keras as oracle
import numpy as np
import pytest

import jkeras.keras as ours
from jkeras.errors import UnsupportedError
from tests.files.interchange import ROWS

BASE = set(oracle.layers.Layer.__mro__)
RECURRENT = (
    "RNN",
    "LSTM",
    "GRU",
    "SimpleRNN",
    "Bidirectional",
    "TimeDistributed",
    "LSTMCell",
    "GRUCell",
    "SimpleRNNCell",
)
HEADS = ("MultiHeadAttention", "GroupQueryAttention")
# Layers that cover the others' code.
QUICK = (
    "Attention",
    "AutoContrast",
    "BatchNormalization",
    "Concatenate",
    "GroupNormalization",
    "LSTMCell",
    "Multiply",
    "SimpleRNN",
)
# Whose own test of the same kind is elsewhere, or that Keras calls only for itself.
NOT_COMPARED = {
    "compute_output_spec": "Keras's layers have it for want of tracing; a subclass's is honoured where it defines one",
    "from_config": "a class method, see test_subclasses",
    "_set_factor": "called in constructors of layers that have it",
    "finalize_state": "learnt values are complete after `adapt`",
}


def methods(cls):
    """The methods of Keras's class and its bases below `Layer`."""
    found = {}
    for base in cls.__mro__:
        for name, value in vars(base).items() if base not in BASE else ():
            if inspect.isfunction(value) and not name.startswith("__"):
                found.setdefault(name, value)
    return {name: value for name, value in found.items() if name not in NOT_COMPARED}


def subclass(base, overrides, calls):
    def counting(name, original):
        @functools.wraps(original)
        def method(self, *args, **kwargs):
            calls[name] += 1
            return getattr(super(cls, self), name)(*args, **kwargs)

        return method

    cls = type(base)("Mine", (base,), {"__module__": __name__})
    for name, original in overrides.items():
        setattr(cls, name, counting(name, original))
    return cls


class Classes:
    """The layers of a library, one of them replaced."""

    def __init__(self, library, name, cls):
        self.library, self.name, self.cls = library, name, cls

    def __getattr__(self, name):
        return self.cls if name == self.name else getattr(self.library.layers, name)


def exercise(library, name, cls):
    """Runs a layer in all ways in which it can be called."""
    row, draws = ROWS[name], np.random.default_rng(0)
    shapes = [(2, *shape) for shape in row.shapes]
    drawn = [draws.integers(0, 4, shape) if row.dtype == "int32" else draws.normal(size=shape) for shape in shapes]
    arrays = [array.astype(row.dtype) for array in drawn]
    layer = row.make(Classes(library, name, cls), "mine")

    def use(inputs, **options):
        return layer(*inputs, **options) if row.apart or len(inputs) == 1 else layer(inputs, **options)

    use([library.Input(shape[1:], batch_size=2, dtype=row.dtype) for shape in shapes])
    use(arrays)
    if "training" in inspect.signature(layer.call).parameters:
        use(arrays, training=True)
    masks = [np.ones(shape[:2], bool) for shape in shapes]
    if name in RECURRENT:
        use(arrays, mask=masks[0])
    if "Attention" in name and not row.apart:
        use(arrays, mask=masks)
    if name in HEADS:
        allowed = np.ones((2, shapes[0][1], shapes[1][1]), bool)
        use(arrays, query_mask=masks[0], attention_mask=allowed, use_causal_mask=True)
        use(arrays, return_attention_scores=True)


def called(library, name, overrides):
    """How often each override was called."""
    calls = collections.Counter()
    exercise(library, name, subclass(getattr(library.layers, name), overrides, calls))
    return calls


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in ROWS]
)
def test_steps_of_keras(name):
    everything = methods(getattr(oracle.layers, name))
    theirs = called(oracle, name, everything)
    cls = getattr(ours.layers, name)
    tables = [vars(base).get("_steps_not_taken", {}) for base in cls.__mro__]
    refused = {step for table in tables for steps in table.values() for step in steps}
    taken = {step: everything[step] for step in theirs if step not in refused}
    assert not [step for step in taken if not hasattr(cls, step)]
    mine = called(ours, name, taken)
    assert not [step for step in taken if not mine[step]]
    for step in refused & set(theirs):
        with pytest.raises(UnsupportedError, match=rf"Mine overrides `{step}`, which .* does not use here"):
            called(ours, name, {step: everything[step]})


def test_own_call_may_use_any_name():
    class Normalized(ours.layers.GroupNormalization):
        def call(self, inputs):
            return self._apply_normalization(inputs)

        def _apply_normalization(self, inputs):
            return 2 * inputs

    np.testing.assert_array_equal(Normalized(1)(np.ones((1, 2))), 2 * np.ones((1, 2)))


# -- numbers of overrides ------------------------------------------------------------------------------------------------

DRAWS = np.random.default_rng(0)
X = DRAWS.normal(size=(2, 5, 4)).astype("float32")
Y = DRAWS.normal(size=(2, 3, 4)).astype("float32")
X_MASK, Y_MASK = np.arange(5) < [[5], [3]], np.arange(3) < [[2], [3]]


def changed(base, **changes):
    """A subclass whose steps change the results of the inherited ones."""

    def step(name, change):
        def method(self, *args, **kwargs):
            return change(getattr(super(cls, self), name)(*args, **kwargs))

        return method

    cls = type(base)("Changed", (base,), {"__module__": __name__})
    for name, change in changes.items():
        setattr(cls, name, step(name, change))
    return cls


def cell(layers, **arguments):
    steps = {
        "_compute_carry_and_output_fused": lambda r: (r[0] / 2, r[1]),
        "_compute_carry_and_output": lambda r: (r[0], r[1] / 3),
    }
    return layers.RNN(changed(layers.LSTMCell, **steps)(3, **arguments), return_sequences=True)


def loop(layers, **arguments):
    return changed(layers.SimpleRNN, inner_loop=lambda r: (r[0] * 2, r[1] * 3, r[2]))(3, **arguments)


def attention(layers, **arguments):
    return changed(layers.Attention, _calculate_scores=lambda r: r * 2, _apply_scores=lambda r: (r[0] * 3, r[1]))(
        **arguments
    )


def heads(layers, **arguments):
    return changed(layers.MultiHeadAttention, _masked_softmax=lambda r: r * 2)(2, 3, **arguments)


def merging(name):
    return lambda layers: changed(getattr(layers, name), _merge_function=lambda r: r * 2)()


MERGING = "Add Subtract Multiply Average Maximum Minimum Concatenate".split()
NUMBERS = {
    "cell": (cell, [X], {}),
    "cell, by gate": (lambda layers: cell(layers, implementation=1), [X], {}),
    "loop": (loop, [X], {}),
    "loop, mask": (lambda layers: loop(layers, return_sequences=True), [X], {"mask": X_MASK}),
    "loop, states": (lambda layers: loop(layers, return_state=True), [X], {}),
    "attention": (attention, [[X, Y]], {"mask": [X_MASK, Y_MASK], "use_causal_mask": True}),
    "attention, scores": (
        lambda layers: attention(layers, use_scale=True),
        [[X, Y]],
        {"return_attention_scores": True},
    ),
    "heads": (heads, [X, Y], {"return_attention_scores": True, "use_causal_mask": True}),
    "heads, dropout": (lambda layers: heads(layers, dropout=0.5), [X, Y], {"value_mask": Y_MASK}),
    "heads, as Keras's fused computation": (heads, [X, Y], {}),
    **{name: (merging(name), [[X, X + 1]], {}) for name in MERGING},
}


@pytest.mark.parametrize("case", NUMBERS)
def test_numbers(case):
    make, arguments, options = NUMBERS[case]
    results = []
    for library in (ours, oracle):
        layer = make(library.layers)
        layer(*arguments, **options)
        draws = np.random.default_rng(1)
        arrays = [
            w if w.dtype.kind != "f" else draws.normal(size=w.shape).astype("float32") for w in layer.get_weights()
        ]
        layer.set_weights(arrays)
        found = layer(*arguments, **options)
        results.append([np.asarray(one) for one in (found if isinstance(found, (list, tuple)) else [found])])
    for mine, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)


def test_one_image():
    class Flip(ours.layers.RandomFlip):
        def transform_single_image(self, image, transformation, training=True):
            return 0 * super().transform_single_image(image, transformation, training) + 7

        def transform_single_label(self, label, transformation, training=True):
            return super().transform_single_label(label, transformation, training) + 1

    data = {"images": np.ones((4, 5, 3), "float32"), "labels": np.ones(2, "float32")}
    result = Flip()(data, training=True)
    np.testing.assert_array_equal(result["images"], np.full((4, 5, 3), 7))
    np.testing.assert_array_equal(result["labels"], [2, 2])
    batch = Flip()({name: part[None] for name, part in data.items()}, training=True)
    np.testing.assert_array_equal(batch["labels"], [[1, 1]])


def test_merging_of_ones_own():
    results = []
    for library in (ours, oracle):

        class Mean(library.src.layers.merging.base_merge.Merge):
            def _merge_function(self, inputs):
                return sum(inputs) / len(inputs)

        inputs = [library.Input((5, 4)), library.Input((4,))]
        model = library.Model(inputs, Mean()(inputs))
        results.append((model.output_shape, np.asarray(model([X, X[:, 0]]))))
    assert results[0][0] == results[1][0]
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-5)
