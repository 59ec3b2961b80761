"""Keras's guides to training loops of one's own in JAX run as published, with Keras's numbers."""

import jax
import keras as real
import numpy as np
import pytest

import jkeras.keras as ours


@pytest.fixture(scope="module")
def digits():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(96, 12)).astype("float32")
    return x, np.eye(4, dtype="float32")[(x @ rng.normal(size=(12, 4))).argmax(axis=1)]


def batches_of(digits, size=32):
    x, y = digits
    return [(x[start : start + size], y[start : start + size]) for start in range(0, len(x), size)]


def classifier(keras):
    inputs = keras.Input(shape=(12,), name="digits")
    x1 = keras.layers.Dense(8, activation="relu")(inputs)
    x2 = keras.layers.BatchNormalization()(x1)
    outputs = keras.layers.Dense(4, name="predictions")(x2)
    return keras.Model(inputs=inputs, outputs=outputs)


def both(make):
    """The same of Keras and of jkeras, with the same weights."""
    oracle, model = make(real), make(ours)
    model.set_weights(oracle.get_weights())
    return (real, oracle), (ours, model)


def loop_from_scratch(keras, model, data):
    """`writing_a_custom_training_loop_in_jax`: the low-level loop with metrics."""
    loss_fn = keras.losses.CategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.Adam(learning_rate=1e-2)
    train_acc_metric = keras.metrics.CategoricalAccuracy()
    val_acc_metric = keras.metrics.CategoricalAccuracy()

    def compute_loss_and_updates(trainable_variables, non_trainable_variables, metric_variables, x, y):
        y_pred, non_trainable_variables = model.stateless_call(
            trainable_variables, non_trainable_variables, x, training=True
        )
        loss = loss_fn(y, y_pred)
        metric_variables = train_acc_metric.stateless_update_state(metric_variables, y, y_pred)
        return loss, (non_trainable_variables, metric_variables)

    grad_fn = jax.value_and_grad(compute_loss_and_updates, has_aux=True)

    @jax.jit
    def train_step(state, data):
        trainable_variables, non_trainable_variables, optimizer_variables, metric_variables = state
        x, y = data
        (loss, (non_trainable_variables, metric_variables)), grads = grad_fn(
            trainable_variables, non_trainable_variables, metric_variables, x, y
        )
        trainable_variables, optimizer_variables = optimizer.stateless_apply(
            optimizer_variables, grads, trainable_variables
        )
        return loss, (trainable_variables, non_trainable_variables, optimizer_variables, metric_variables)

    @jax.jit
    def eval_step(state, data):
        trainable_variables, non_trainable_variables, metric_variables = state
        x, y = data
        y_pred, non_trainable_variables = model.stateless_call(
            trainable_variables, non_trainable_variables, x, training=False
        )
        loss = loss_fn(y, y_pred)
        metric_variables = val_acc_metric.stateless_update_state(metric_variables, y, y_pred)
        return loss, (trainable_variables, non_trainable_variables, metric_variables)

    optimizer.build(model.trainable_variables)
    state = (
        model.trainable_variables, model.non_trainable_variables, optimizer.variables, train_acc_metric.variables,
    )  # fmt: skip
    if keras is real:  # whose variables are no arguments of jitted functions since JAX 0.10
        state = tuple([variable.value for variable in variables] for variables in state)
    losses = []
    for batch in data:
        loss, state = train_step(state, batch)
        losses.append(float(loss))
    trainable_variables, non_trainable_variables, _optimizer_variables, metric_variables = state
    for variable, value in zip(train_acc_metric.variables, metric_variables, strict=True):
        variable.assign(value)
    losses.append(float(train_acc_metric.result()))
    train_acc_metric.reset_state()
    for variable, value in zip(model.trainable_variables, trainable_variables, strict=True):
        variable.assign(value)
    for variable, value in zip(model.non_trainable_variables, non_trainable_variables, strict=True):
        variable.assign(value)
    val_metric_variables = val_acc_metric.variables
    if keras is real:
        val_metric_variables = [variable.value for variable in val_metric_variables]
    state = trainable_variables, non_trainable_variables, val_metric_variables
    for batch in data:
        loss, state = eval_step(state, batch)
        losses.append(float(loss))
    losses.append(float(val_acc_metric.stateless_result(state[2])))
    assert float(train_acc_metric.variables[0].numpy()) == 0
    return losses


def test_a_loop_from_scratch(digits):
    data = batches_of(digits)
    results = [loop_from_scratch(keras, model, data) for keras, model in both(classifier)]
    np.testing.assert_allclose(results[1], results[0], rtol=1e-4, atol=1e-5)


def simple_step(keras):
    """`custom_train_step_in_jax`: a first simple example."""

    class CustomModel(keras.Model):
        def compute_loss_and_updates(self, trainable_variables, non_trainable_variables, x, y, training=False):
            y_pred, non_trainable_variables = self.stateless_call(
                trainable_variables, non_trainable_variables, x, training=training
            )
            loss = self.compute_loss(x, y, y_pred)
            return loss, (y_pred, non_trainable_variables)

        def train_step(self, state, data):
            trainable_variables, non_trainable_variables, optimizer_variables, metrics_variables = state
            x, y = data
            grad_fn = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)
            (loss, (y_pred, non_trainable_variables)), grads = grad_fn(
                trainable_variables, non_trainable_variables, x, y, training=True
            )
            trainable_variables, optimizer_variables = self.optimizer.stateless_apply(
                optimizer_variables, grads, trainable_variables
            )
            new_metrics_vars, logs = [], {}
            for metric in self.metrics:
                this_metric_vars = metrics_variables[
                    len(new_metrics_vars) : len(new_metrics_vars) + len(metric.variables)
                ]
                if metric.name == "loss":
                    this_metric_vars = metric.stateless_update_state(this_metric_vars, loss)
                else:
                    this_metric_vars = metric.stateless_update_state(this_metric_vars, y, y_pred)
                logs[metric.name] = metric.stateless_result(this_metric_vars)
                new_metrics_vars += this_metric_vars
            return logs, (trainable_variables, non_trainable_variables, optimizer_variables, new_metrics_vars)

    return CustomModel


def lower_level_step(keras):
    """The same guide: going lower-level, with an own loss, own metrics and sample weights."""
    loss_fn = keras.losses.MeanSquaredError()

    class CustomModel(keras.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.loss_tracker = keras.metrics.Mean(name="loss")
            self.mae_metric = keras.metrics.MeanAbsoluteError(name="mae")
            self.loss_fn = keras.losses.MeanSquaredError()

        def compute_loss_and_updates(
            self, trainable_variables, non_trainable_variables, x, y, sample_weight, training=False
        ):
            y_pred, non_trainable_variables = self.stateless_call(
                trainable_variables, non_trainable_variables, x, training=training
            )
            loss = self.loss_fn(y, y_pred, sample_weight)
            return loss, (y_pred, non_trainable_variables)

        def train_step(self, state, data):
            trainable_variables, non_trainable_variables, optimizer_variables, metrics_variables = state
            x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
            grad_fn = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)
            (loss, (y_pred, non_trainable_variables)), grads = grad_fn(
                trainable_variables, non_trainable_variables, x, y, sample_weight, training=True
            )
            trainable_variables, optimizer_variables = self.optimizer.stateless_apply(
                optimizer_variables, grads, trainable_variables
            )
            loss_tracker_vars = metrics_variables[: len(self.loss_tracker.variables)]
            mae_metric_vars = metrics_variables[len(self.loss_tracker.variables) :]
            loss_tracker_vars = self.loss_tracker.stateless_update_state(loss_tracker_vars, loss)
            mae_metric_vars = self.mae_metric.stateless_update_state(mae_metric_vars, y, y_pred)
            logs = {}
            logs[self.loss_tracker.name] = self.loss_tracker.stateless_result(loss_tracker_vars)
            logs[self.mae_metric.name] = self.mae_metric.stateless_result(mae_metric_vars)
            new_metrics_vars = loss_tracker_vars + mae_metric_vars
            return logs, (trainable_variables, non_trainable_variables, optimizer_variables, new_metrics_vars)

        def test_step(self, state, data):
            x, y = data[:2]
            y_pred, non_trainable_variables = self.stateless_call(state[0], state[1], x, training=False)
            loss = loss_fn(y, y_pred)
            new_metrics_vars = self.loss_tracker.stateless_update_state(state[2][:2], loss)
            new_metrics_vars += self.mae_metric.stateless_update_state(state[2][2:], y, y_pred)
            logs = {"loss": self.loss_tracker.stateless_result(new_metrics_vars[:2])}
            return logs, (state[0], non_trainable_variables, new_metrics_vars)

        @property
        def metrics(self):
            return [self.loss_tracker, self.mae_metric]

    return CustomModel


def with_class(step):
    def make(keras):
        inputs = keras.Input(shape=(12,))
        return step(keras)(inputs, keras.layers.Dense(4)(inputs))

    return make


@pytest.mark.parametrize("step", [simple_step, lower_level_step])
def test_a_step_of_ones_own_in_fit(digits, step):
    x, y = digits
    histories, scores = [], []
    for _, model in both(with_class(step)):
        if step is simple_step:
            model.compile(optimizer="adam", loss="mse", metrics=["mae"])
            history = model.fit(x, y, epochs=3, shuffle=False, verbose=0)
        else:
            model.compile(optimizer="adam", loss="mse")
            weights = np.linspace(0, 1, len(x), dtype="float32")
            history = model.fit(x, y, sample_weight=weights, epochs=2, shuffle=False, verbose=0)
            scores.append(model.evaluate(x, y, verbose=0, return_dict=True))
        histories.append(history.history)
    for theirs, mine in (histories, scores) if scores else (histories,):
        assert mine.keys() == theirs.keys()
        for name in theirs:
            np.testing.assert_allclose(mine[name], theirs[name], rtol=1e-4)


def test_a_step_that_extends_keras_own(digits):
    x, y = digits

    def make(keras):
        class Counting(keras.Model):
            def train_step(self, state, data):
                logs, state = super().train_step(state, data)
                return {**logs, "rows": keras.ops.shape(data[0])[0]}, state

            def predict_step(self, *args):
                outputs, variables = super().predict_step(*args)
                return outputs * 2, variables

        inputs = keras.Input(shape=(12,))
        return Counting(inputs, keras.layers.Dense(4)(inputs))

    (_, oracle), (_, model) = both(make)
    histories = []
    for side in (oracle, model):
        side.compile("sgd", "mse")
        histories.append(side.fit(x, y, batch_size=40, shuffle=False, verbose=0).history)
    # The last value of a log that no metric keeps, here of the ragged last batch.
    assert histories[1]["rows"] == histories[0]["rows"] == [16]
    np.testing.assert_allclose(histories[1]["loss"], histories[0]["loss"], rtol=1e-5)
    np.testing.assert_allclose(model.predict(x, verbose=0), oracle.predict(x, verbose=0), rtol=1e-4, atol=1e-5)


def test_two_networks_with_two_optimizers(digits):
    """The adversaries of the guide: a model whose step updates two others."""
    keras = ours

    class GAN(keras.Model):
        def __init__(self, discriminator, generator):
            super().__init__()
            self.discriminator, self.generator = discriminator, generator
            self.d_loss_tracker = keras.metrics.Mean(name="d_loss")
            self.g_loss_tracker = keras.metrics.Mean(name="g_loss")
            self.seed_generator = keras.random.SeedGenerator(1337)
            self.built = True

        def compile(self, d_optimizer, g_optimizer, loss_fn):
            super().compile()
            self.d_optimizer, self.g_optimizer, self.loss_fn = d_optimizer, g_optimizer, loss_fn
            self.d_optimizer.build(self.discriminator.trainable_variables)
            self.g_optimizer.build(self.generator.trainable_variables)

        @property
        def metrics(self):
            return [self.d_loss_tracker, self.g_loss_tracker]

        def train_step(self, state, data):
            x = keras.utils.unpack_x_y_sample_weight(data)[0]
            mapping = list(
                zip([*self.trainable_variables, *self.non_trainable_variables], [*state[0], *state[1]], strict=True)
            )
            with keras.StatelessScope(state_mapping=mapping) as scope:
                noise = keras.random.normal((x.shape[0], 3), seed=self.seed_generator)

                def loss_of(weights):
                    fake, _ = self.generator.stateless_call(weights, [], noise)
                    return keras.ops.mean(self.discriminator(fake))

                weights = [variable.value for variable in self.generator.trainable_variables]
                loss, grads = jax.value_and_grad(loss_of)(weights)
                for variable, grad in zip(self.generator.trainable_variables, grads, strict=True):
                    variable.assign(variable - 0.1 * grad)
            cells = self.trainable_variables, self.non_trainable_variables
            values = [[scope.get_current_value(cell) for cell in each] for each in cells]
            metrics = self.d_loss_tracker.stateless_update_state(state[3][:2], loss) + state[3][2:]
            return {"d_loss": self.d_loss_tracker.stateless_result(metrics[:2])}, (*values, state[2], metrics)

    judge = keras.Sequential([keras.Input((12,)), keras.layers.Dense(1)])
    maker = keras.Sequential([keras.Input((3,)), keras.layers.Dense(12)])
    model = GAN(judge, maker)
    model.compile(keras.optimizers.Adam(), keras.optimizers.Adam(), keras.losses.BinaryCrossentropy(from_logits=True))
    before = [w.numpy() for w in judge.weights], [w.numpy() for w in maker.weights], model.seed_generator.state.numpy()
    history = model.fit(digits[0], epochs=2, verbose=0).history
    assert list(history) == ["d_loss"] and history["d_loss"][1] < history["d_loss"][0]
    np.testing.assert_array_equal(before[0][0], judge.weights[0].numpy())
    assert not np.array_equal(before[1][0], maker.weights[0].numpy())
    assert not np.array_equal(before[2], model.seed_generator.state.numpy())
