"""A parent uses its children in every way that Keras teaches, in every kind of model: one table, one contract."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jkeras as jk
from jkeras import errors, layers
from jkeras.graph.describe import describe

X = np.linspace(-1, 1, 24, dtype="float32").reshape(8, 3)


class Gain(jk.Layer):
    """A layer whose helper methods use its weights."""

    def build(self, input_shape):
        self.gain = self.add_weight((input_shape[-1],), "ones", name="gain")
        self.calls = self.add_weight((), "zeros", trainable=False, name="calls")

    def scaled(self, x):
        self.calls = self.calls + 1
        return x * self.gain * 2

    def call(self, x):
        return self.scaled(x) + 1


class Parent(jk.Layer):
    """Holds children in an attribute, a list, a dict and a child of a child."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.child = Gain()
        self.many = [Gain(), Gain()]
        self.named = {"a": Gain()}


class BuiltInBuild(Parent):
    def build(self, input_shape):
        for child in (self.child, *self.many, self.named["a"]):
            child.build(input_shape)

    def call(self, x):
        return self.named["a"](self.many[1](self.many[0](self.child(x))))


class HelperBeforeCall(Parent):
    def build(self, input_shape):
        self.child.build(input_shape)
        self.many[0].build(input_shape)

    def call(self, x):
        return self.child(self.many[0].scaled(self.child.scaled(x)))


class WeightsInCall(Parent):
    def build(self, input_shape):
        self.named["a"].build(input_shape)

    def call(self, x):
        return x @ jnp.outer(self.named["a"].gain, self.named["a"].gain) + self.child(x)


class BuiltInCall(Parent):
    def call(self, x):
        self.child.build(x.shape)
        return self.child.scaled(x)


class MadeInBuild(jk.Layer):
    def build(self, input_shape):
        self.inner = [Gain(), BuiltInBuild()]
        self.inner[0].build(input_shape)
        self.inner[1].build(input_shape)

    def call(self, x):
        return self.inner[1](self.inner[0].scaled(x))


class Grandchild(jk.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.middle = BuiltInBuild()

    def build(self, input_shape):
        self.middle.child.build(input_shape)

    def call(self, x):
        return self.middle.child.scaled(x) + self.middle(x)


class Shared(jk.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first = Gain()
        self.again = [self.first]

    def build(self, input_shape):
        self.again[0].build(input_shape)

    def call(self, x):
        return self.again[0](self.first.scaled(x))


class WeightOfTheChild(jk.Layer):
    """A child's method that makes a weight, called from the parent's `build`."""

    class Inner(jk.Layer):
        def prepare(self, size):
            self.extra = self.add_weight((size,), "ones", name="extra")

        def call(self, x):
            return x + self.extra

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = self.Inner()

    def build(self, input_shape):
        self.inner.prepare(input_shape[-1])

    def call(self, x):
        return self.inner(x)


# The layer, the number of its weights of each kind, its output for ones, how often `scaled` ran.
CASES = [
    (BuiltInBuild, (4, 4), 31.0, 4),
    (HelperBeforeCall, (2, 2), 9.0, 3),
    (WeightsInCall, (2, 2), 6.0, 1),
    (BuiltInCall, (1, 1), 2.0, 1),
    (MadeInBuild, (5, 5), 47.0, 5),
    (Grandchild, (4, 4), 33.0, 5),
    (Shared, (1, 1), 5.0, 2),
    (WeightOfTheChild, (1, 0), 2.0, 0),
]


def functional(layer):
    x = jk.Input((3,))
    return jk.Model(x, layer(x))


def sequential(layer):
    return jk.Sequential([layers.Input((3,)), layer])


class Subclassed(jk.Model):
    def __init__(self, layer):
        super().__init__()
        self.block = layer

    def call(self, x):
        return self.block(x)


@pytest.mark.parametrize(("cls", "counts", "expected", "calls"), CASES, ids=[case[0].__name__ for case in CASES])
def test_alone(cls, counts, expected, calls):
    layer = cls()
    weights = describe(layer, X).weights
    assert (sum(w.collection == "params" for w in weights), sum(w.collection == "state" for w in weights)) == counts
    with jax.checking_leaks():
        variables = layer.init(0, X)
        outputs, state = layer.apply(variables, np.ones_like(X), return_state=True)
    np.testing.assert_allclose(outputs, expected)
    assert jax.tree.structure(state) == jax.tree.structure(variables["state"])
    assert sum(map(float, jax.tree.leaves(state))) == calls
    assert layer == cls() and not vars(layer).get("gain")


@pytest.mark.parametrize("kind", [functional, sequential, Subclassed])
@pytest.mark.parametrize("cls", [case[0] for case in CASES])
def test_in_models(cls, kind, tmp_path):
    model = kind(cls()).compile("sgd", "mse")
    model = model.fit(X, X, batch_size=8, verbose=0)
    model.save_weights(tmp_path / "x.weights.h5")
    fresh = kind(cls()).build((None, 3)).load_weights(tmp_path / "x.weights.h5")
    np.testing.assert_array_equal(fresh.predict(X, verbose=0), model.predict(X, verbose=0))


def test_building_twice_makes_weights_once():
    class Twice(Parent):
        def build(self, input_shape):
            self.child.build(input_shape)
            self.child.build(input_shape)

        def call(self, x):
            return self.child(x)

    assert len(describe(Twice(), X).weights) == 2


def test_two_weights_of_one_name_are_refused():
    class Same(jk.Layer):
        def build(self, input_shape):
            self.a = self.add_weight((), name="a")
            self.b = self.add_weight((), name="a")

        def call(self, x):
            return x

    with pytest.raises(errors.InputError, match="a second weight is called 'a'"):
        Same().init(0, X)
