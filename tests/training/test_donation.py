"""`fit(donate=True)`: the same numbers in the model's own memory, and a clear end for the model that gave it."""

import weakref
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jkeras as jk
from jkeras.errors import ConsumedError
from jkeras.models import training
from jkeras.training import consumed

X = np.random.default_rng(0).normal(size=(20, 4)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


NAMED = "# the line that the message " + "names"


def line_named(number):
    """The number of the first or second line of this file that an error is to name, as messages write it."""
    lines = enumerate(Path(__file__).read_text().splitlines(), 1)
    return rf"test_donation.py, line {[at for at, line in lines if line.endswith(NAMED)][number]} "


def compiled(**options):
    layers = [jk.Input((4,)), jk.layers.Dense(8, activation="relu"), jk.layers.BatchNormalization(), jk.layers.Dense(1)]
    return jk.Sequential(layers).compile("adam", "mse", metrics=["mae"], **options).init(3)


def assert_equal(a, b):
    for one, other in zip(jax.tree.leaves(a.state), jax.tree.leaves(b.state), strict=True):
        np.testing.assert_array_equal(jax.random.key_data(one) if one.dtype.name.startswith("key") else one,
                                      jax.random.key_data(other) if other.dtype.name.startswith("key") else other)  # fmt: skip


def test_the_numbers_are_those_of_a_copied_run():
    kept, given = compiled(), compiled()
    for _ in range(2):
        kept = kept.fit(X, Y, batch_size=8, epochs=2, validation_data=(X, Y), verbose=0)
        given = given.fit(X, Y, batch_size=8, epochs=2, validation_data=(X, Y), verbose=0, donate=True)
        assert dict(kept.history) == dict(given.history)
    assert_equal(kept, given)


def test_the_numbers_of_one_step_are_those_of_a_copied_one():
    kept, given = compiled(), compiled()
    for _ in range(2):
        kept, score = kept.train_on_batch(X, Y)
        given, other = given.train_on_batch(X, Y, donate=True)
        np.testing.assert_allclose(score, other, rtol=1e-6)
    for one, other in zip(kept.get_weights(), given.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)


class Redrawn(jk.Sequential):
    """Has another key after each step."""

    def train_step(self, state, batch):
        new, logs = super().train_step(state, batch)
        return new.replace(rng=jax.random.fold_in(state.rng, 1)), logs


@pytest.mark.parametrize("donate", [False, True])
@pytest.mark.parametrize("kind", [jk.Sequential, Redrawn])
def test_a_step_hands_the_key_on_unless_the_model_changes_it(kind, donate):
    model = kind([jk.Input((4,)), jk.layers.Dropout(0.5), jk.layers.Dense(1)]).compile("sgd", "mse").init(3)
    state, key = jax.tree.map(jnp.copy, model.state), model.state.rng
    for _ in range(2):
        before = state
        state, _ = jk.train_step(model.definition, model.recipe, state, (X, Y), donate=donate)
        key = jax.random.fold_in(key, 1) if kind is Redrawn else key
        np.testing.assert_array_equal(jax.random.key_data(state.rng), jax.random.key_data(key))
        assert before.params["dense"]["kernel"].is_deleted() == donate
        assert not before.rng.is_deleted()


USES = {
    "predict": lambda model: model.predict(X, verbose=0),
    "call": lambda model: model(X),
    "evaluate": lambda model: model.evaluate(X, Y, verbose=0),
    "fit": lambda model: model.fit(X, Y, verbose=0),
    "train_on_batch": lambda model: model.train_on_batch(X, Y),
    "get_weights": lambda model: model.get_weights(),
    "a layer": lambda model: model.layers[0].weights,
    "save": lambda model: model.save("model.keras"),
    "params": lambda model: model.params,
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("method", ["fit", "train_on_batch"])
def test_a_model_that_gave_its_arrays_away(use, method, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = compiled()
    sharing = model.freeze("dense")
    options = {"verbose": 0} if method == "fit" else {}
    trained = getattr(model, method)(X, Y, donate=True, **options)  # the line that the message names
    for gone in (model, sharing):
        with pytest.raises(ConsumedError, match=rf"{method}.*donate=True.*{line_named(0)}"):
            _ = USES[use](gone)
    assert trained is not None


def stepped(model, state):
    return jk.train_step(model.definition, model.recipe, state, (X, Y), donate=True)  # the line that the message names


STATE_USES = {
    "train_step": lambda model, state: jk.train_step(model.definition, model.recipe, state, (X, Y)),
    "train_step(donate=True)": lambda model, state: jk.train_step(
        model.definition, model.recipe, state, (X, Y), donate=True
    ),
    "eval_step": lambda model, state: jk.eval_step(model.definition, model.recipe, state, (X, Y)),
    "predict_step": lambda model, state: jk.predict_step(model.definition, state, X),
    "a model": lambda model, state: model.with_state(state).predict(X, verbose=0),
}


@pytest.mark.parametrize("looks", [False, True], ids=["untouched", "looked into"])
@pytest.mark.parametrize("use", STATE_USES.values(), ids=STATE_USES)
def test_a_state_that_a_step_took(use, looks):
    model = compiled()
    first, _ = jk.train_step(model.definition, model.recipe, model.state, (X, Y))
    assert not looks or first.params
    second, _ = stepped(model, first)
    with pytest.raises(ConsumedError, match=rf"jk.train_step\(.*donate=True.*{line_named(1)}"):
        use(model, first)
    assert use(model, second) is not None


SHARING = {
    "itself": lambda model: model,
    "freeze": lambda model: model.freeze("dense"),
    "with_recipe": lambda model: model.with_recipe(model.recipe),
    "compile": lambda model: model.compile("sgd", "mae"),
    "with_learning_rate": lambda model: model.with_learning_rate(0.5),
    "another state": lambda model: model.with_state(model.state.replace(step=model.state.step + 1)),
    "a model of its tensors": lambda model: (
        jk.Model(model.inputs, model.layers[0].output) if hasattr(model.layers[0], "output") else model
    ),
}


@pytest.mark.parametrize("share", SHARING.values(), ids=SHARING)
@pytest.mark.parametrize("fits_before", [False, True])
def test_models_that_share_arrays_with_a_state_that_a_step_took(share, fits_before):
    model = compiled()
    if fits_before:
        model = model.fit(X, Y, verbose=0)
    model = model.with_optimizer_state()
    sharing = share(model)
    state, _ = stepped(model, model.state)
    with pytest.raises(ConsumedError, match=rf"jk.train_step\(.*donate=True.*{line_named(1)}"):
        sharing.predict(X, verbose=0)
    assert np.isfinite(model.with_state(state).predict(X, verbose=0)).all()


def test_a_step_that_fails_takes_nothing():
    model = compiled()
    with pytest.raises(jk.errors.InputError):
        jk.train_step(model.definition, model.recipe, model.state, (X[:, :2], Y), donate=True)
    assert np.isfinite(model.predict(X, verbose=0)).all()


def test_a_model_with_other_weights_lives_on():
    model = compiled()
    other = model.set_weights([2 * weight for weight in model.get_weights()])
    model = model.fit(X, Y, verbose=0, donate=True)
    assert np.isfinite(other.predict(X, verbose=0)).all()
    other = other.fit(X, Y, verbose=0)
    assert np.isfinite(other.history["loss"]).all()


def test_data_that_does_not_fit_takes_nothing():
    model = compiled()
    with pytest.raises(jk.errors.InputError):
        model = model.fit(X, Y[:5], donate=True)
    assert np.isfinite(model.predict(X, verbose=0)).all()


def test_a_first_fit_leaves_the_model_as_it_was():
    model = compiled()
    before = model.get_weights()
    trained = model.fit(X, Y, verbose=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    again = model.fit(X, Y, verbose=0)
    assert_equal(trained, again)


def uninitialized(*layers):
    return jk.Sequential([jk.Input((4,)), *layers, jk.layers.Dense(1)]).compile("adam", "mse")


def copied_arrays(monkeypatch, model, **options):
    """The sizes of the arrays that a fit copies before its first step, and the model that it gives."""
    sizes = []
    owned_copy = training.owned_copy

    def noted(tree, *alike):
        sizes.extend(leaf.size for leaf in jax.tree.leaves(tree))
        return owned_copy(tree, *alike)

    with monkeypatch.context() as patch:
        for module in (training, consumed):
            patch.setattr(module, "owned_copy", noted)
        trained = model.fit(X, Y, batch_size=8, verbose=0, **options)
    return sizes, trained


def test_weights_that_nobody_else_has_are_not_copied(monkeypatch):
    model = uninitialized(jk.layers.Dense(8))
    sizes, trained = copied_arrays(monkeypatch, model)
    assert max(sizes) == 1  # the step and the key
    drawn = model.state
    sizes, again = copied_arrays(monkeypatch, model)
    assert max(sizes) == 32  # `drawn` has them, too
    assert_equal(trained, again)
    assert not any(leaf.is_deleted() for leaf in jax.tree.leaves((drawn, model.state)))


def test_copies_are_gone_once_the_first_step_took_them(monkeypatch):
    model, copies = compiled().fit(X, Y, verbose=0), []
    owned_copy = training.owned_copy

    def noted(tree, *alike):
        copied = owned_copy(tree, *alike)
        copies.extend(map(weakref.ref, jax.tree.leaves(copied)))
        return copied

    monkeypatch.setattr(training, "owned_copy", noted)
    alive = jk.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: left.append(sum(copy() is not None for copy in copies))
    )
    left = []
    assert model.fit(X, Y, batch_size=20, epochs=2, verbose=0, callbacks=[alive]) is not None
    assert copies and left == [0, 0]


def test_callbacks_may_keep_the_weights_that_they_see_first():
    class Keeper(jk.callbacks.Callback):
        def set_model(self, model):
            super().set_model(model)
            self.first = model.state.params

    keeper = Keeper()
    trained = uninitialized(jk.layers.Dense(8)).fit(X, Y, batch_size=8, verbose=0, callbacks=[keeper])
    assert trained.steps_taken and not any(leaf.is_deleted() for leaf in jax.tree.leaves(keeper.first))


def aligned(shape):
    """An array of NumPy in memory that JAX uses as it is."""
    raw = np.zeros(int(np.prod(shape)) * 4 + 64, np.uint8)
    start = -raw.ctypes.data % 64
    values = raw[start : start + int(np.prod(shape)) * 4].view("float32").reshape(shape)
    values[:] = 0.5
    return values


def around(base):
    """Ways to build a model from another one that has weights, or draws them when they are asked for."""
    hidden = base.layers[-1]
    return {
        "layer of another": lambda: jk.Sequential([jk.Input((4,)), hidden, jk.layers.Dense(1)]),
        "model as a layer": lambda: jk.Sequential([jk.Input((4,)), base, jk.layers.Dense(1)]),
        "frozen model as a layer": lambda: jk.Sequential([jk.Input((4,)), base, jk.layers.Dense(1)]).freeze("base*"),
        "tensors of another": lambda: jk.Model(base.inputs, jk.layers.Dense(1)(base.outputs[0])),
        "model called": lambda: jk.Model(base.inputs, jk.layers.Dense(1)(base(base.inputs[0]))),
    }


@pytest.mark.parametrize("initialized", [True, False], ids=["with weights", "without"])
@pytest.mark.parametrize("way", ["layer of another", "model as a layer", "frozen model as a layer", "tensors of another",
                                 "model called"])  # fmt: skip
def test_models_inside_of_others_keep_their_weights(way, initialized):
    base = jk.Model(inputs := jk.Input((4,)), jk.layers.Dense(8, name="hidden")(inputs), name="base")
    base = base.init(7) if initialized else base
    expected = np.asarray(base.predict(X, verbose=0))
    model = around(base)[way]().compile("adam", "mse")
    assert model.fit(X, Y, batch_size=8, verbose=0).steps_taken
    np.testing.assert_array_equal(base.predict(X, verbose=0), expected)
    model.predict(X, verbose=0)


@pytest.mark.parametrize("way", ["array of JAX", "array of NumPy", "function"])
def test_arrays_that_weights_are_made_of_stay(way):
    values = aligned((4, 8)) if way == "array of NumPy" else jax.numpy.full((4, 8), 0.5)
    make = (lambda shape, dtype=None: values) if way == "function" else jk.initializers.Constant(values)
    model = uninitialized(jk.layers.Dense(8, kernel_initializer=make))
    for _ in range(2):
        assert model.fit(X, Y, batch_size=8, verbose=0).steps_taken
    np.testing.assert_array_equal(values, np.full((4, 8), 0.5, "float32"))
    model.predict(X, verbose=0)
