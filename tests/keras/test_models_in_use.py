"""What people do with models: averages with early stopping, hooks of saving, losses, pickling, strategies."""

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest

import jkeras as jk
import jkeras.keras as keras
from jkeras.keras import layers

X, Y = np.ones((8, 4), "float32"), np.ones((8, 1), "float32")


def small():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    return model


class Classifier(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(2, activation="softmax")

    def call(self, x):
        return self.dense(x)


@pytest.mark.parametrize("make", [Classifier, lambda: keras.Sequential([layers.Dense(2, activation="softmax")])])
def test_class_weights(make):
    model = make()
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert np.isfinite(
        model.fit(X, np.array([0, 1] * 4), class_weight={0: 1.0, 1: 2.0}, verbose=0).history["loss"]
    ).all()


def test_the_best_averages_come_back():
    x = np.random.default_rng(3).normal(size=(24, 3)).astype("float32")
    data = x, 3 * x[:, :1]
    kernel = keras.initializers.Constant(0.1)
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1, kernel_initializer=kernel)])
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9, use_ema=True, ema_momentum=0.8), "mse")
    callbacks = [
        keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
        keras.callbacks.EarlyStopping(restore_best_weights=True, patience=1),
    ]
    model.fit(*data, epochs=4, batch_size=8, shuffle=False, verbose=0, validation_data=data, callbacks=callbacks)
    assert model.evaluate(*data, verbose=0) == pytest.approx(0.3162, abs=1e-4)


class Hooked(keras.Layer):
    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1],))

    def call(self, x):
        return x * self.w

    def save_own_variables(self, store):
        store["doubled"] = self.w.numpy() * 2

    def load_own_variables(self, store):
        self.w.assign(store["doubled"] / 2)

    def save_assets(self, inner_path):
        Path(inner_path, "note.txt").write_text("kept")

    def load_assets(self, inner_path):
        self.note = Path(inner_path, "note.txt").read_text()


def test_hooks_of_saving(tmp_path):
    model = keras.Sequential([keras.Input((4,)), Hooked(name="hooked")])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", custom_objects={"Hooked": Hooked})
    assert loaded.layers[0].note == "kept"
    np.testing.assert_array_equal(loaded.layers[0].w.numpy(), model.layers[0].w.numpy())


class Sized(keras.Model):
    def __init__(self, n):
        super().__init__()
        self.n, self.dense = n, layers.Dense(n)

    def call(self, x):
        return self.dense(x)

    def get_config(self):
        return {"n": self.n}


def test_a_constructor_without_other_arguments(tmp_path):
    model = Sized(3)
    outputs = model(X)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", custom_objects={"Sized": Sized})
    np.testing.assert_array_equal(loaded(X), outputs)


def test_losses_and_metrics_of_a_model():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1, kernel_regularizer="l2")])
    optimizer = keras.optimizers.SGD()
    model.compile(optimizer, "mse", metrics=["mae"])
    model(X)
    assert len(model.losses) == 1 and model.optimizer is optimizer and model.loss == "mse"
    assert [type(metric).__name__ for metric in model.metrics] == ["Mean", "CompileMetrics"]


def test_statistics_come_with_the_weights(tmp_path, rng):
    normalization = layers.Normalization()
    normalization.adapt(rng.uniform(size=(20, 4)))
    first = keras.Sequential([keras.Input((4,)), normalization, layers.Dense(1)])
    first.save_weights(tmp_path / "w.weights.h5")
    second = keras.Sequential([keras.Input((4,)), layers.Normalization(), layers.Dense(1)])
    second.load_weights(tmp_path / "w.weights.h5")
    np.testing.assert_allclose(second.predict(X, verbose=0), first.predict(X, verbose=0), rtol=1e-5)


def test_nested_losses_and_trees_of_state():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, [layers.Dense(1)(inputs), [layers.Dense(1)(inputs)]])
    model.compile("sgd", ["mse", ["mae"]])
    model.fit(X, [Y, [Y]], verbose=0)
    tree = model.get_state_tree(value_format="numpy_array")
    before = model.get_weights()
    model.set_weights([0 * weight for weight in before])
    model.set_state_tree(tree)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))], ids=["copy", "pickle"]
)
def test_copies(copied):
    model = small()
    model.fit(X, Y, verbose=0)
    twin = copied(model)
    np.testing.assert_array_equal(twin.predict(X, verbose=0), model.predict(X, verbose=0))
    assert twin.fit(X, Y, verbose=0, shuffle=False).history == model.fit(X, Y, verbose=0, shuffle=False).history


def test_a_strategy():
    plain, model = small(), small()
    model.set_weights(plain.get_weights())
    with jk.distribute.DataParallel().scope():
        model.compile("adam", "mse", metrics=["mae"])
    histories = [each.fit(X, Y, epochs=2, shuffle=False, verbose=0).history for each in (plain, model)]
    np.testing.assert_allclose(histories[1]["loss"], histories[0]["loss"], rtol=1e-5)
    for mine, theirs in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5)


def test_a_strategy_refuses_steps_of_ones_own():
    class Own(keras.Model):
        def train_step(self, state, data):
            return super().train_step(state, data)

    inputs = keras.Input((4,))
    model = Own(inputs, layers.Dense(1)(inputs))
    with jk.distribute.DataParallel().scope():
        model.compile("adam", "mse")
    with pytest.raises(ValueError, match="overrides train_step"):
        model.fit(X, Y, verbose=0)


def test_a_subclass_over_tensors_is_functional():
    class Own(keras.Model):
        pass

    inputs = keras.Input((4,))
    model = Own(inputs, layers.Dense(1)(inputs))
    assert isinstance(model, keras.Functional) and isinstance(Own.from_config(model.get_config()), Own)
    np.testing.assert_allclose(model.value.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-6)


def test_an_h5_file_knows_custom_losses_by_name(tmp_path):
    @keras.saving.register_keras_serializable(package="h5")
    def cubed(y_true, y_pred):
        return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** 3, -1)

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", {model.layers[0].name: cubed}, metrics=[cubed, "mae"])
    model.save(tmp_path / "model.h5")
    loaded = keras.models.load_model(tmp_path / "model.h5")
    assert loaded.loss == {model.layers[0].name: cubed}
    assert loaded.get_compile_config()["metrics"] == model.get_compile_config()["metrics"]


@pytest.mark.parametrize("suffix", ["h5", "weights.h5", "keras"])
@pytest.mark.parametrize(
    ("written", "read"),
    [("float32", "float16"), ("bfloat16", "float32"), ("float32", "bfloat16"), ("float16", "float32")],
)
def test_weights_take_the_dtypes_of_the_model_that_loads_them(written, read, suffix, tmp_path):
    """Real Keras does the same in all three formats."""

    def network(dtype):
        inputs = keras.Input((3,), dtype=dtype)
        return keras.Model(
            inputs, keras.layers.Dense(2, dtype=dtype)(keras.layers.BatchNormalization(dtype=dtype)(inputs))
        )

    first, second = network(written), network(read)
    first.save(tmp_path / f"m.{suffix}") if suffix != "weights.h5" else first.save_weights(tmp_path / f"m.{suffix}")
    second.load_weights(tmp_path / f"m.{suffix}")
    for mine, theirs in zip(second.weights, first.weights, strict=True):
        assert str(mine.dtype) == read
        np.testing.assert_allclose(
            np.asarray(mine, "float32"), np.asarray(theirs, "float32"), rtol=1e-2, err_msg=mine.path
        )
