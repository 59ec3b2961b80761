"""Losses, metrics, initializers and their like of the drop-in: mutable, subclassed in Keras's forms, with Keras's numbers."""

import copy
import pickle

import jax
import jax.numpy as jnp
import keras as oracle
import numpy as np
import pytest

import jkeras.keras as ours
from jkeras.keras.masks import set_mask
from jkeras.keras.mutable import Mutable, value_of
from jkeras.keras.tensor import KerasTensor

LIBRARIES = (ours, oracle)
FAMILIES = ("losses", "metrics", "initializers", "regularizers", "constraints", "optimizers", "optimizers.schedules")
# Arguments of classes that need some.
ARGUMENTS = {
    **dict.fromkeys(("IoU", "OneHotIoU"), (2, [0])),
    **dict.fromkeys(("MeanIoU", "OneHotMeanIoU"), (2,)),
    **dict.fromkeys(("SensitivityAtSpecificity", "SpecificityAtSensitivity", "PrecisionAtRecall", "RecallAtPrecision"), (0.5,)),
    **dict.fromkeys(("ExponentialDecay", "InverseTimeDecay"), (0.1, 1, 0.5)),
    **dict.fromkeys(("PolynomialDecay", "CosineDecay", "CosineDecayRestarts"), (0.1, 1)),
    "PiecewiseConstantDecay": ([1], [1.0, 2.0]),
    **dict.fromkeys(("FunctionLoss", "MeanMetricWrapper"), (ours.losses.mean_squared_error,)),
}  # fmt: skip


def _module(library, family):
    module = library
    for part in family.split("."):
        module = getattr(module, part)
    return module


BUILTIN = sorted(
    {
        (family, value.__name__)
        for family in FAMILIES
        for value in vars(_module(ours, family)).values()
        if isinstance(value, type) and issubclass(value, Mutable) and value.is_facade()
    }
)


@pytest.mark.parametrize(("family", "name"), BUILTIN)
def test_objects_are_copied_pickled_described_and_subclassed(family, name):
    cls = getattr(_module(ours, family), name)
    arguments = ARGUMENTS.get(name, ())
    made = cls(*arguments)
    config = made.get_config()
    for again in (cls.from_config(config), pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):
        assert type(again) is cls and again.get_config() == config and again != made and made == made
    assert type(value_of(made)).__name__ == name and hash(value_of(made)) == hash(value_of(copy.deepcopy(made)))
    derived = type("Derived", (cls,), {})(*arguments)
    assert derived.get_config().keys() == config.keys() and value_of(derived) is derived
    made.anything = 1
    assert made.anything == 1


@pytest.mark.parametrize(
    ("family", "name"), [entry for entry in BUILTIN if hasattr(_module(oracle, entry[0]), entry[1])]
)
def test_configurations_are_those_of_keras(family, name):
    arguments = [getattr(argument, "__wrapped__", argument) for argument in ARGUMENTS.get(name, ())]
    mine = getattr(_module(ours, family), name)(*arguments).get_config()
    theirs = getattr(_module(oracle, family), name)(*arguments).get_config()
    mine.pop("name", None), theirs.pop("name", None)
    # Keras writes regularizers' numbers in float32, and forgets the factor of `Identity`.
    assert {key: mine[key] for key in theirs} == {
        k: pytest.approx(v) if isinstance(v, float) else v for k, v in theirs.items()
    }


# -- classes of users, written once for both libraries ---------------------------------------------------------------------


def _loss(keras):
    class Weighted(keras.losses.Loss):
        def __init__(self, factor=2.0, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, y_true, y_pred):
            return self.factor * keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)

    loss = Weighted(reduction="sum")
    loss.factor = 3.0
    return loss


def _whole_loss(keras):
    class Whole(keras.losses.Loss):
        def __call__(self, y_true, y_pred, sample_weight=None):
            return keras.ops.max(keras.ops.abs(y_true - y_pred))

    return Whole()


def _derived_loss(keras):
    class Shifted(keras.losses.MeanSquaredError):
        def call(self, y_true, y_pred):
            return super().call(y_true + 1.0, y_pred)

    return Shifted()


def _metric(keras):
    class Extremes(keras.metrics.Metric):
        def __init__(self, name="extremes", **kwargs):
            super().__init__(name=name, **kwargs)
            self.low = self.add_weight(name="low", initializer="zeros")
            self.high = self.add_variable((), "zeros", name="high")
            self.means = {"inner": keras.metrics.Mean()}

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.low.assign(keras.ops.minimum(self.low, keras.ops.min(y_pred)))
            self.high.assign_add(keras.ops.max(y_pred))
            self.means["inner"].update_state(y_true)

        def result(self):
            return {"low": self.low, "high": self.high * 2, "mean": self.means["inner"].result()}

    return Extremes()


def _derived_metric(keras):
    class Distance(keras.metrics.Mean):
        def update_state(self, y_true, y_pred, sample_weight=None):
            super().update_state(keras.ops.abs(y_true - y_pred), sample_weight)

    return Distance(name="distance")


def _derived_count(keras):
    class Rounded(keras.metrics.Precision):
        def update_state(self, y_true, y_pred, sample_weight=None):
            super().update_state(keras.ops.round(y_true), keras.ops.sigmoid(y_pred), sample_weight)

    return Rounded(thresholds=[0.3, 0.6])


def _numbers(result):
    return [np.asarray(value) for value in (result.values() if isinstance(result, dict) else [result])]


@pytest.mark.parametrize("make", [_loss, _whole_loss, _derived_loss])
def test_losses_of_users(make, rng):
    y_true, y_pred, weights = (rng.random(shape).astype("float32") for shape in ((4, 3), (4, 3), (4,)))
    mine, theirs = (make(keras)(y_true, y_pred, weights) for keras in LIBRARIES)
    np.testing.assert_allclose(mine, theirs, rtol=1e-6)


@pytest.mark.parametrize("make", [_metric, _derived_metric, _derived_count])
def test_metrics_of_users(make, rng):
    batches = [(rng.random((4, 3)).astype("float32"), rng.normal(size=(4, 3)).astype("float32")) for _ in range(2)]
    results = []
    for keras in LIBRARIES:
        metric = make(keras)
        states = [metric.stateless_reset_state()]
        for batch in batches:
            metric.update_state(*batch)
            states.append(metric.stateless_update_state(states[-1], *batch))
        values = _numbers(metric.result())
        assert keras is oracle or all(map(np.allclose, _numbers(metric.stateless_result(states[-1])), values))
        results.append(
            (values, [v.numpy() for v in metric.variables], [v.path.rpartition("/")[2] for v in metric.variables])
        )
        metric.reset_state()
        assert not any(v.numpy().any() for v in metric.variables)
    (mine, cells, names), (theirs, expected, expected_names) = results
    assert len(mine) == len(theirs) and all(map(np.allclose, mine, theirs))
    assert names == expected_names and all(map(np.allclose, cells, expected))


def test_metrics_update_in_compiled_programs():
    metric = ours.metrics.AUC(num_thresholds=3)
    update = jax.jit(metric.stateless_update_state)
    state = update(metric.stateless_reset_state(), jnp.array([0, 0, 1, 1]), jnp.array([0.0, 0.5, 0.3, 0.9]))
    assert float(metric.stateless_result(state)) == 0.75 and not metric.true_positives.numpy().any()


@pytest.mark.parametrize("name", ["mse", "Huber", "categorical_crossentropy", "cosine_similarity", "log_cosh"])
def test_losses_take_symbolic_tensors(name):
    loss = ours.losses.get(name)
    loss = loss() if isinstance(loss, type) else loss
    output = loss(KerasTensor((None, 3)), KerasTensor((None, 3)))
    assert isinstance(output, KerasTensor) and output.shape in ((), (None,))


def test_masks_leave_values_out_of_losses():
    y_true, y_pred = jnp.zeros((2, 2)), jnp.array([[1.0, 2.0], [3.0, 4.0]])
    set_mask(y_pred, jnp.array([True, False]))
    assert float(ours.losses.MeanAbsoluteError()(y_true, y_pred)) == 1.5
    metric = ours.metrics.MeanAbsoluteError()
    assert float(metric(y_true, y_pred)) == 1.5


def test_seeded_initializers_draw_the_values_of_keras():
    for name in ("GlorotNormal", "HeUniform", "TruncatedNormal", "Orthogonal", "VarianceScaling"):
        mine, theirs = (getattr(keras.initializers, name)(seed=7)((4, 5)) for keras in LIBRARIES)
        np.testing.assert_allclose(mine, theirs, rtol=1e-6)  # the flags of tests round compiled draws otherwise
        first, second = (getattr(ours.initializers, name)()((4, 5)) for _ in range(2))
        assert not np.allclose(first, second)


def test_objects_are_no_values():
    import jkeras as jk

    with pytest.raises(ValueError, match="jkeras.optimizers.Adam"):
        hash(jk.optimizers.LossScaleOptimizer(ours.optimizers.Adam()))


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: ours.metrics.R2Score().update_state([0.0, 1.0], [0.0, 1.0]), "2D inputs"),
        (lambda: ours.metrics.FBetaScore(beta=1), "Python float"),
        (lambda: ours.metrics.F1Score().result(), "needs data"),
        (lambda: ours.metrics.Mean().stateless_result([1.0]), "1:1"),
        (lambda: ours.metrics.get("typo"), "Unknown metric"),
        (lambda: ours.losses.get(3), "Could not interpret loss"),
        (lambda: ours.initializers.get(np.ones(2))((3,)), "Expected `shape`"),
        (lambda: ours.initializers.GlorotNormal(seed="x"), "SeedGenerator"),
    ],
)
def test_mistakes(mistake, message):
    with pytest.raises(ValueError, match=message):
        mistake()
