"""Properties that a subclass of a layer or model overrides take effect in training as in Keras."""

import keras
import numpy as np
import pytest

import jkeras.keras

X = np.linspace(-1, 1, 32, dtype="float32").reshape(8, 4)
Y = X[:, :2] * 2


def without(letter):
    return lambda library, values: [value for value in values if letter not in value.name]


# What the property of the subclass returns, of the library and of the value that the base class returns.
SHARED = {
    **dict.fromkeys("variables trainable_variables trainable_weights weights".split(), without("b")),
    **dict.fromkeys("non_trainable_variables non_trainable_weights".split(), without("n")),
    "losses": lambda library, values: [*values, library.ops.convert_to_tensor(3.0)],
    "trainable": lambda library, value: False,
    "input_spec": lambda library, value: library.InputSpec(ndim=3),
    "compute_dtype": lambda library, value: "float16",
}
OF_LAYERS = {
    **SHARED,
    "metrics": lambda library, values: list(values),
    "variable_dtype": lambda library, value: "float16",
    "dtype": lambda library, value: "float16",
    "dtype_policy": lambda library, value: library.dtype_policies.get("mixed_bfloat16"),
    "supports_masking": lambda library, value: True,
    "input_dtype": lambda library, value: "float16",
}
OF_MODELS = {
    **SHARED,
    "metrics": lambda library, values: values[:1],
    "layers": lambda library, values: [],
}


def overriding(library, cls, name, value):
    """The class with a property of its own."""
    made = type("Made", (cls,), {})
    if name is not None:
        setattr(made, name, property(lambda self: value(library, getattr(super(made, self), name))))
    return made


def plain_layer(library):
    class Plain(library.layers.Layer):
        def build(self, shape):
            self.w = self.add_weight(shape=(shape[-1], 2), initializer="ones", name="w", regularizer="l2")
            self.b = self.add_weight(shape=(2,), initializer="zeros", name="b")
            self.n = self.add_weight(shape=(2,), initializer="ones", name="n", trainable=False)

        def call(self, x):
            return library.ops.matmul(x, self.w) + self.b * self.n

    return Plain


def sequential(library, layer, override):
    return override(library.Sequential)([library.Input((4,)), layer])


def functional(library, layer, override):
    inputs = library.Input((4,))
    return override(library.Model)(inputs, layer(inputs))


def subclass(library, layer, override):
    class Net(library.Model):
        def __init__(self):
            super().__init__()
            self.inner = layer

        def call(self, x):
            return self.inner(x)

    return override(Net)()


def outcome(library, kind, layer_property=(None, None), model_property=(None, None)):
    """What is observable of training, or the class of the error that Keras raises."""
    try:
        layer = overriding(library, plain_layer(library), *layer_property)()
        model = kind(library, layer, lambda cls: overriding(library, cls, *model_property))
        model.compile(library.optimizers.SGD(0.1), "mse", metrics=["mae"])
        history = model.fit(X, Y, epochs=2, batch_size=8, verbose=0, shuffle=False).history
        lists = "variables trainable_variables non_trainable_variables weights trainable_weights losses metrics"
        return {
            **history,
            **{name: len(getattr(model, name)) for name in lists.split()},
            **{f"weight {i}": weight for i, weight in enumerate(layer.get_weights())},
            "scores": model.evaluate(X, Y, verbose=0),
            "predictions": np.asarray(model.predict(X, verbose=0), "float32"),
            "dtype of predictions": str(model.predict(X, verbose=0).dtype),
        }
    except ValueError as error:
        return {"error": str(error).partition("with name")[0]}


CASES = [(sequential, {"layer_property": one}) for one in OF_LAYERS.items()]
CASES += [(kind, {"model_property": one}) for kind in (sequential, functional, subclass) for one in OF_MODELS.items()]


def name_of(case):
    kind, (((place, (name, _)),)) = case[0].__name__, case[1].items()
    return f"{kind}-{place}-{name}"


@pytest.mark.parametrize(("kind", "override"), CASES, ids=map(name_of, CASES))
def test_overridden_properties_take_effect_as_in_keras(kind, override):
    ours, theirs = outcome(jkeras.keras, kind, **override), outcome(keras, kind, **override)
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        if isinstance(value, str | int):
            assert ours[name] == value, name
        else:
            np.testing.assert_allclose(ours[name], value, rtol=1e-4, err_msg=name)
