"""Models and layers that change in place: weights, shared layers, classes of one's own, callbacks."""

import gc

import numpy as np
import pytest

import jkeras as jk
import jkeras.keras as keras
from jkeras.keras.layers import Dense, Dropout


@pytest.fixture
def data(rng):
    x = rng.normal(size=(64, 4)).astype("float32")
    return x, (x.sum(1) > 0).astype("float32")


def small(*extra, optimizer="sgd"):
    model = keras.Sequential([keras.Input((4,)), Dense(3, activation="relu"), Dense(1, activation="sigmoid"), *extra])
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    return model


class Scaled(keras.layers.Layer):
    """A layer in Keras's manner: arguments, a sublayer, weights, a counter."""

    def __init__(self, units=2, **kwargs):
        super(Scaled, self).__init__(**kwargs)  # the old form of super() must work  # noqa: UP008 - the old style, on purpose
        self.units = units
        self.dense = Dense(units)

    def build(self, input_shape):
        self.gain = self.add_weight(shape=(self.units,), initializer="ones", name="gain")
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, name="calls")
        super().build(input_shape)

    def call(self, inputs):
        self.calls.assign_add(1.0)
        return self.scale(self.dense(inputs))

    def scale(self, x):
        return x * self.gain

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [Dense(4, activation="relu"), Scaled(3)]
        self.drop = Dropout(0.5)
        self.head = Dense(1, activation="sigmoid")

    def call(self, inputs, training=False):
        x = inputs
        for block in self.blocks:
            x = block(x)
        return self.classify(self.drop(x, training=training))

    def classify(self, x):
        return self.head(x)


class TestSequential:
    def test_grows_and_shrinks_with_its_weights(self, data):
        x, y = data
        model = small()
        history = model.fit(x, y, epochs=2, verbose=0, validation_split=0.25)
        assert history.history.keys() == {"loss", "accuracy", "val_loss", "val_accuracy"} and history.epoch == [0, 1]
        kernel = model.layers[0].get_weights()[0]
        model.pop()
        model.add(Dense(2))
        assert [type(layer) for layer in model.layers] == [Dense, Dense] and model.output_shape == (None, 2)
        np.testing.assert_array_equal(model.get_weights()[0], kernel)
        assert model.predict(x, verbose=0).shape == (64, 2)

    def test_layers_are_those_that_were_passed_in(self):
        dense = Dense(3, name="dense")
        model = keras.Sequential([keras.Input((4,)), dense])
        assert model.layers[0] is dense and model.get_layer("dense") is dense and isinstance(dense, keras.layers.Layer)
        assert dense.output.shape == (None, 3) and dense.weights[0].shape == (4, 3)
        with pytest.raises(ValueError, match="dense"):
            model.get_layer("dens")

    def test_weights_are_made_at_the_first_data(self, data):
        model = keras.Sequential([Dense(3), Dense(1)])
        assert model.weights == [] and not model.built
        assert model.predict(data[0], verbose=0).shape == (64, 1) and len(model.weights) == 4

    def test_two_models_start_differently_and_a_seed_repeats_them(self):
        keras.utils.set_random_seed(1)
        first, second = small().get_weights()[0], small().get_weights()[0]
        keras.utils.set_random_seed(1)
        assert np.array_equal(first, small().get_weights()[0]) and not np.array_equal(first, second)

    def test_same_numbers_as_the_immutable_model(self, data):
        x, y = data
        model = small(optimizer="adam")
        pure = jk.Sequential([jk.Input((4,)), jk.layers.Dense(3, "relu"), jk.layers.Dense(1, "sigmoid")])
        pure = pure.compile("adam", "binary_crossentropy", metrics=["accuracy"]).set_weights(model.get_weights())
        mine = model.fit(x, y, epochs=3, verbose=0, shuffle=False).history
        theirs = pure.fit(x, y, epochs=3, verbose=0, shuffle=False).history
        assert sorted(mine) == sorted(theirs)
        for name in mine:
            np.testing.assert_allclose(mine[name], theirs[name], rtol=1e-5)


class TestWeights:
    def test_a_layer_called_on_arrays_builds_itself(self, data):
        layer = Dense(3, name="alone")
        assert layer.weights == []
        outputs = layer(data[0])
        kernel, bias = layer.get_weights()
        np.testing.assert_allclose(outputs, data[0] @ kernel + bias, rtol=1e-5, atol=1e-6)
        layer.set_weights([kernel * 2, bias])
        layer.weights[1].assign([1.0, 2.0, 3.0])
        np.testing.assert_allclose(layer(data[0]), data[0] @ kernel * 2 + [1, 2, 3], rtol=1e-4, atol=1e-5)
        assert layer.weights[0].path == "alone/kernel" and layer.count_params() == 15

    def test_a_built_layer_brings_its_weights_into_a_model(self, data):
        layer = Dense(3)
        layer(data[0])
        model = keras.Sequential([keras.Input((4,)), layer])
        np.testing.assert_array_equal(model.get_weights()[0], layer.get_weights()[0])

    def test_models_that_share_layers_share_weights(self, data):
        x, _ = data
        inputs = keras.Input((4,))
        code = Dense(2, name="code")(inputs)
        encoder, whole = keras.Model(inputs, code), keras.Model(inputs, Dense(4)(code))
        whole.compile("adam", "mse")
        before = encoder.predict(x, verbose=0)
        seen = []
        watch = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(encoder.get_weights()[0]))
        whole.fit(x, x, epochs=2, verbose=0, callbacks=[watch])
        after = encoder.predict(x, verbose=0)
        assert abs(after - before).max() > 0 and not np.array_equal(seen[0], seen[1])
        np.testing.assert_array_equal(seen[1], whole.get_layer("code").get_weights()[0])
        middle = keras.Model(whole.input, whole.get_layer("code").output)
        np.testing.assert_array_equal(middle.predict(x, verbose=0), after)

    def test_weights_outlive_the_handles_that_made_them(self, data):
        def pretrained():
            model = small()
            model.fit(*data, verbose=0)
            return model, model.predict(data[0], verbose=0)

        def extended():
            base, expected = pretrained()
            inputs = keras.Input((4,))
            return keras.Model(inputs, keras.layers.Identity()(base(inputs))), expected

        model, expected = extended()
        gc.collect()
        np.testing.assert_allclose(model.predict(data[0], verbose=0), expected, rtol=1e-6)


class TestTrainable:
    def test_takes_effect_at_once(self, data):
        x, y = data
        model = small()
        model.layers[0].trainable = False
        assert len(model.trainable_weights) == 2 and len(model.non_trainable_weights) == 2
        before = model.get_weights()
        model.fit(x, y, verbose=0)
        after = model.get_weights()
        assert np.array_equal(after[0], before[0]) and not np.array_equal(after[2], before[2])

    def test_needs_a_new_compile_once_the_optimizer_knows_the_weights(self, data):
        x, y = data
        model = small()
        model.fit(x, y, verbose=0)
        model.layers[0].trainable = False
        with pytest.raises(ValueError, match="2 for 4 variables"):
            model.fit(x, y, verbose=0)
        model.compile("sgd", "binary_crossentropy")
        before = model.get_weights()
        model.fit(x, y, verbose=0)
        assert np.array_equal(model.get_weights()[0], before[0]) and not np.array_equal(
            model.get_weights()[2], before[2]
        )

    def test_adversaries_that_share_a_network(self, data):
        x, _ = data
        judge = keras.Sequential([keras.Input((4,)), Dense(1)])
        maker = keras.Sequential([keras.Input((2,)), Dense(4)])
        judge.trainable = False
        both = keras.Sequential([maker, judge])
        both.compile("sgd", "mse")
        judged, made = judge.get_weights()[0], maker.get_weights()[0]
        both.fit(x[:, :2], np.ones((64, 1)), verbose=0)
        assert np.array_equal(judge.get_weights()[0], judged) and not np.array_equal(maker.get_weights()[0], made)
        np.testing.assert_allclose(both.predict(x[:, :2], verbose=0), judge(maker(x[:, :2])), rtol=1e-5, atol=1e-6)


class TestOwnClasses:
    def test_a_layer(self, data):
        x, y = data
        layer = Scaled(3)
        model = keras.Sequential([keras.Input((4,)), layer, Dense(1)])
        model.compile("sgd", "mse")
        model.fit(x, y, batch_size=16, epochs=2, verbose=0)
        assert [w.name for w in layer.weights] == ["gain", "calls", "kernel", "bias"]
        assert layer.gain is layer.weights[0] and layer.weights[2] is layer.dense.kernel
        assert float(layer.calls) == 8 and layer.dense.weights[0].shape == (4, 3)
        assert layer.get_config()["units"] == 3
        hidden = layer.dense(x)
        np.testing.assert_allclose(layer(x), np.asarray(hidden) * layer.get_weights()[0], rtol=1e-5)

    def test_a_model(self, data):
        x, y = data
        model = Net()
        model.compile("adam", "binary_crossentropy", metrics=[keras.metrics.BinaryAccuracy(), keras.metrics.AUC()])
        assert "auc" in model.fit(x, y, epochs=2, verbose=0).history
        assert model.head.weights[0].shape == (3, 1) and len(model.layers) == 4
        hidden = model.blocks[1](model.blocks[0](x))
        np.testing.assert_allclose(model.classify(hidden), model(x), rtol=1e-5)
        model.blocks[0].trainable = False
        model.compile("sgd", "binary_crossentropy")
        before = model.blocks[0].get_weights()[0]
        model.fit(x, y, verbose=0)
        np.testing.assert_array_equal(model.blocks[0].get_weights()[0], before)

    def test_a_built_in_layer_extended(self, data):
        class Doubled(Dense):
            def call(self, inputs):
                return 2 * super().call(inputs)

        layer = Doubled(3, kernel_initializer=keras.initializers.GlorotUniform(seed=0))
        outputs = layer(data[0])
        kernel, bias = layer.get_weights()
        np.testing.assert_allclose(outputs, 2 * (data[0] @ kernel + bias), rtol=1e-5)
        assert isinstance(layer, Dense)

    def test_weights_made_in_a_constructor(self, data):
        class Linear(keras.layers.Layer):
            def __init__(self, units, inputs):
                super().__init__()
                self.w = self.add_weight(shape=(inputs, units), initializer="random_normal")

            def call(self, inputs):
                return keras.ops.matmul(inputs, self.w)

        layer = Linear(2, 4)
        np.testing.assert_allclose(layer(data[0]), data[0] @ layer.get_weights()[0], rtol=1e-5, atol=1e-6)

    def test_a_loss_and_a_function(self, data):
        class Cubic(keras.losses.Loss):
            def call(self, y_true, y_pred):
                return keras.ops.mean(abs(y_true - y_pred) ** 3, axis=-1)

        model = keras.Sequential([keras.Input((4,)), Dense(1)])
        model.compile("sgd", Cubic(), metrics=[lambda y_true, y_pred: keras.ops.mean(y_pred)])
        assert np.isfinite(model.fit(data[0], data[1][:, None], verbose=0).history["loss"]).all()


class TestCallbacks:
    def test_the_model_in_training_is_the_model(self, data):
        x, y = data
        model, seen = small(), []

        class Watch(keras.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                seen.append((self.model is model, float(model.optimizer.learning_rate), model.get_weights()[0]))
                model.optimizer.learning_rate.assign(0.0)
                if epoch == 1:
                    model.layers[1].set_weights([np.ones((3, 1)), np.zeros(1)])
                    model.stop_training = True

        model.fit(x, y, epochs=5, verbose=0, callbacks=[Watch()])
        assert [row[:2] for row in seen] == [(True, pytest.approx(0.01)), (True, 0.0)]
        np.testing.assert_array_equal(seen[0][2], seen[1][2])
        np.testing.assert_array_equal(model.layers[1].get_weights()[0], np.ones((3, 1)))

    def test_best_weights_come_back(self, data):
        x, y = data
        model = small()
        stop = keras.callbacks.EarlyStopping("val_loss", mode="max", patience=1, restore_best_weights=True)
        model.fit(x, y, epochs=9, verbose=0, validation_split=0.25, callbacks=[stop])
        assert model.evaluate(x[48:], y[48:], verbose=0)[0] == pytest.approx(stop.best, rel=1e-5)


class TestMetrics:
    def test_numbers_add_up(self):
        metric = keras.metrics.Accuracy()
        metric.update_state([1, 2], [1, 3])
        metric.update_state([1, 2], [1, 2])
        assert metric.result() == 0.75 and f"{metric.result():.2f}" == "0.75"
        metric.reset_state()
        assert metric([1], [1]) == 1.0
        mean = keras.metrics.Mean(name="loss")
        mean.update_state(2.0)
        mean(4.0, sample_weight=3.0)
        assert float(mean.result()) == 3.5 and mean.name == "loss"

    def test_a_class_of_ones_own(self, data):
        class Bias(keras.metrics.Metric):
            def __init__(self, name="bias", **kwargs):
                super().__init__(name=name, **kwargs)
                self.total = self.add_weight(name="total", initializer="zeros")
                self.count = self.add_weight(name="count", initializer="zeros")

            def update_state(self, y_true, y_pred, sample_weight=None):
                self.total.assign_add(keras.ops.sum(y_pred - y_true))
                self.count.assign_add(keras.ops.size(y_true))

            def result(self):
                return self.total / self.count

        metric = Bias()
        metric.update_state(np.zeros(4), np.ones(4))
        assert float(metric.result()) == 1.0
        x, y = data[0], data[1][:, None]
        model = keras.Sequential([keras.Input((4,)), Dense(1)])
        model.compile("sgd", "mse", metrics=[Bias()])
        _, bias = model.evaluate(x, y, verbose=0)
        assert bias == pytest.approx((model.predict(x, verbose=0) - y).mean(), abs=1e-5)
        assert float(metric.result()) == 1.0


def test_there_is_no_optimizer_before_compile(data):
    sequential = keras.Sequential([keras.Input((4,)), Dense(1)])
    models = [sequential, keras.models.clone_model(sequential), Net()]
    for model in models:
        assert not hasattr(model, "optimizer")
        model.predict(data[0], verbose=0)
        model.summary(print_fn=lambda text: None)
        assert model.get_state_tree()["optimizer_variables"] == {}
        model.compile("sgd", "mse")
        assert isinstance(model.optimizer, keras.optimizers.SGD)


def test_clone_has_weights_of_its_own():
    model = small()
    clone = keras.models.clone_model(model)
    assert clone.count_params() == model.count_params()
    assert not np.array_equal(clone.get_weights()[0], model.get_weights()[0])


def test_save_and_load(data, tmp_path):
    x, y = data
    model = keras.Sequential([keras.Input((4,)), Scaled(2, name="mine"), Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "saved.keras")
    loaded = keras.models.load_model(tmp_path / "saved.keras", custom_objects={"Scaled": Scaled})
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    assert isinstance(loaded, keras.Sequential) and isinstance(loaded.get_layer("mine"), Scaled)
    runs = [each.fit(x, y, verbose=0, shuffle=False).history for each in (loaded, model)]
    assert runs[0] == runs[1]
