"""Models around Linen modules, and modules out of models."""

import flax.linen as nn
import jax
import numpy as np
import pytest

import jkeras as jk
from jkeras import errors, layers

X = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
Y = X[:, :1] * 2 + 1


class Net(nn.Module):
    """Parameters, batch statistics and a random stream, with the argument names that Flax programs use."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        x = nn.Dense(3)(x)
        x = nn.BatchNorm(use_running_average=not train, momentum=0.9)(x)
        x = nn.Dropout(0.1, deterministic=not train)(x)
        return nn.Dense(1)(nn.relu(x))


@pytest.fixture(scope="module")
def variables():
    return Net().init(jax.random.key(5), X)


def same(first, second):
    assert jax.tree.structure(first) == jax.tree.structure(second)
    jax.tree.map(np.testing.assert_array_equal, first, second)


def test_round_trip(variables):
    model = jk.Model.from_flax(Net(), variables, (4,))
    np.testing.assert_allclose(model.predict(X, verbose=0), Net().apply(variables, X), rtol=1e-6)
    module, back = model.to_flax()
    assert module == Net()
    same(back, variables)


def test_training_changes_parameters_and_statistics(variables):
    model = jk.Model.from_flax(Net(), variables, (4,)).compile(jk.optimizers.Adam(0.05), "mse")
    before = model.evaluate(X, Y, verbose=0)
    model = model.fit(X, Y, epochs=30, batch_size=8, verbose=0)
    assert model.evaluate(X, Y, verbose=0) < before / 2
    module, trained = model.to_flax()
    np.testing.assert_allclose(module.apply(trained, X), model.predict(X, verbose=0), rtol=1e-5, atol=1e-6)
    statistics = (trained["batch_stats"], variables["batch_stats"])
    assert not any(map(np.array_equal, *map(jax.tree.leaves, statistics)))


def test_weights_in_files(variables, tmp_path):
    model = jk.Model.from_flax(Net(), variables, (4,))
    other = jk.Model.from_flax(Net(), Net().init(jax.random.key(6), X), (4,))
    for suffix in (".weights.h5", ".safetensors"):
        model.save_weights(tmp_path / f"x{suffix}")
        same(other.load_weights(tmp_path / f"x{suffix}").to_flax()[1], variables)


def test_a_module_cannot_be_written_down(variables, tmp_path):
    model = jk.Model.from_flax(Net(), variables, (4,))
    for name in ("x", "x.keras", "x.h5"):
        with pytest.raises(errors.ArgumentError, match="save_weights"):
            model.save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_inside_another_model(variables):
    x = jk.Input((4,))
    model = jk.Model(x, layers.Dense(1)(jk.Model.from_flax(Net(), variables, (4,))(x)))
    kernel, bias = (np.asarray(w) for w in model.get_layer("dense").weights)
    np.testing.assert_allclose(
        model.predict(X, verbose=0), Net().apply(variables, X) @ kernel + bias, rtol=1e-5, atol=1e-6
    )
    module, values = model.to_flax()
    np.testing.assert_allclose(module.apply(values, X), model.predict(X, verbose=0), rtol=1e-5, atol=1e-6)


def test_variables_that_do_not_fit_are_listed(variables):
    wrong = {
        "params": {**variables["params"], "Dense_0": {"kernel": np.zeros((4, 5), "float32")}, "more": np.zeros(1)},
        "batch_stats": variables["batch_stats"],
    }
    with pytest.raises(errors.RestoreError) as raised:
        jk.Model.from_flax(Net(), wrong, (4,))
    for part in (
        "Dense_0.kernel: float32[4, 5] in the variables, float32[4, 3] in the module",
        "Dense_0.bias: missing in the variables, the module needs float32[3]",
        "more: in the variables, unknown to the module",
    ):
        assert part in str(raised.value)


def test_other_arguments(variables):
    with pytest.raises(errors.ArgumentError, match="params"):
        jk.Model.from_flax(Net(), {}, (4,))
    with pytest.raises(errors.ArgumentError, match="Module"):
        jk.Model.from_flax(object(), variables, (4,))
