"""The old backend functions against NumPy: those that Keras keeps for old scripts compute with TensorFlow."""

import numpy as np
import pytest

from jkeras import backend, errors, layers

X = np.random.default_rng(0).uniform(0.1, 0.9, (3, 4)).astype("float32")
Z = X - 0.5
EXPECTED = {
    "abs": ((Z,), np.abs(Z)),
    "all": ((X > 0.5, 1), (X > 0.5).all(1)),
    "argmax": ((X,), X.argmax(-1)),
    "arange": ((3,), np.arange(3)),
    "batch_flatten": ((X[..., None],), X),
    "binary_crossentropy": ((X, X), -X * np.log(X) - (1 - X) * np.log(1 - X)),
    "cast": ((X * 9, "int32"), (X * 9).astype("int32")),
    "clip": ((X, 0.2, 0.5), X.clip(0.2, 0.5)),
    "concatenate": (([X, X],), np.concatenate([X, X], -1)),
    "cumsum": ((X,), X.cumsum(0)),
    "dot": ((X, X.T.copy()), X @ X.T),
    "exp": ((X,), np.exp(X)),
    "expand_dims": ((X,), X[..., None]),
    "flatten": ((X,), X.ravel()),
    "gather": ((X, np.array([2, 0])), X[[2, 0]]),
    "greater": ((X, X[::-1].copy()), X[::-1] < X),
    "hard_sigmoid": ((Z * 9,), np.clip(0.2 * Z * 9 + 0.5, 0, 1)),
    "in_top_k": ((X, X.argmax(-1), 1), [True] * 3),
    "int_shape": ((X,), (3, 4)),
    "l2_normalize": ((X, 1), X / np.linalg.norm(X, axis=1, keepdims=True)),
    "log": ((X,), np.log(X)),
    "max": ((X, 1, True), X.max(1, keepdims=True)),
    "mean": ((X, 1), X.mean(1)),
    "one_hot": ((np.array([0, 2]), 3), np.eye(3)[[0, 2]]),
    "permute_dimensions": ((X, (1, 0)), X.T),
    "pow": ((X, 2), X**2),
    "relu": ((Z, 0.1), np.where(Z > 0, Z, 0.1 * Z)),
    "repeat": ((X, 2), np.stack([X, X], 1)),
    "repeat_elements": ((X, 2, 1), X.repeat(2, 1)),
    "reshape": ((X, (4, 3)), X.reshape(4, 3)),
    "reverse": ((X, 1), X[:, ::-1]),
    "softmax": ((X,), np.exp(X) / np.exp(X).sum(-1, keepdims=True)),
    "sqrt": ((Z,), np.sqrt(Z.clip(0))),
    "square": ((X,), X**2),
    "squeeze": ((X[:, None], 1), X),
    "stack": (([X, X],), np.stack([X, X])),
    "std": ((X,), X.std()),
    "sum": ((X, 0), X.sum(0)),
    "tile": ((X, (2, 1)), np.tile(X, (2, 1))),
    "zeros": (((2, 3),), np.zeros((2, 3))),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_equals_numpy(name):
    args, expected = EXPECTED[name]
    result = np.asarray(getattr(backend, name)(*args)).astype(float)
    np.testing.assert_allclose(result, np.asarray(expected, float), rtol=1e-5, atol=1e-6)


def test_settings_and_symbolic_tensors():
    x = layers.Input((4,))
    assert backend.mean(x, axis=1).shape == (None,) and backend.int_shape(x) == (None, 4)
    assert (
        backend.floatx() == "float32" and backend.epsilon() == 1e-7 and backend.image_data_format() == "channels_last"
    )
    assert backend.backend() == "jax" and backend.standardize_dtype(None) == "float32" and backend.is_keras_tensor(x)
    assert backend.switch(X > 0.5, X, lambda: -X).shape == (3, 4)
    assert backend.random_normal((2, 2)).shape == (2, 2)
    with pytest.raises(errors.ArgumentError, match="no values"):
        backend.get_value(x)
    with pytest.raises(AttributeError, match="jkeras.ops"):
        backend.set_value  # noqa: B018


def test_a_call_with_wrong_arguments_names_the_old_signature():
    with pytest.raises(
        errors.SignatureError, match=r"backend\.squeeze\(x, axis\): missing a required argument: 'axis'"
    ):
        backend.squeeze([[1, 2]])
