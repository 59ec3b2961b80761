"""What is done to one model reaches no other, and a write that would be lost says what to write instead."""

import jax.numpy as jnp
import numpy as np
import pytest

import jkeras as jk
from jkeras import layers
from jkeras.errors import ArgumentError, FrozenError


@pytest.fixture
def model():
    return jk.Sequential([layers.Input((4,)), layers.Dense(3, name="d"), layers.BatchNormalization(name="n")]).init(0)


DERIVED = {
    "compile": lambda m: m.compile("sgd", "mse"),
    "freeze": lambda m: m.freeze("d"),
    "with_state": lambda m: m.with_state(m.state),
    "rate": lambda m: m.compile("sgd", "mse").with_learning_rate(0.5),
    "fit": lambda m: m.compile("sgd", "mse").fit(np.ones((4, 4), "float32"), np.ones((4, 3), "float32"), verbose=0),
}
TREES = {
    "params": lambda m: m.params,
    "state.params": lambda m: m.state.params,
    "variables": lambda m: m.variables["params"],
    "model_state": lambda m: m.model_state,
    "state.model_state": lambda m: m.state.model_state,
}


@pytest.mark.parametrize("derive", DERIVED.values(), ids=DERIVED)
@pytest.mark.parametrize("tree", TREES.values(), ids=TREES)
def test_writing_into_weights_is_refused_and_reaches_no_other_model(model, derive, tree):
    x = np.ones((8, 4), "float32")
    derived = derive(model)
    before = np.asarray(derived(x))
    for one in (model, derived):
        weights = tree(one)
        layer = next(iter(weights))
        name = next(iter(weights[layer]))
        with pytest.raises(FrozenError, match=r"state\.replace\("):
            weights[layer][name] = jnp.zeros(3)
        with pytest.raises(FrozenError, match=r"state\.replace\("):
            weights[layer] = {}
    np.testing.assert_array_equal(derived(x), before)


def test_the_line_that_errors_give_works(model):
    params = model.state.params.copy()
    params["d"]["kernel"] = jnp.zeros((4, 3))
    state = model.state.replace(params=params)
    new = model.with_state(state)
    assert not np.any(new.params["d"]["kernel"]) and np.any(model.params["d"]["kernel"])
    params["d"]["kernel"] = jnp.ones((4, 3))  # the dict that was handed over is the caller's
    assert not np.any(new.params["d"]["kernel"])


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("trainable", r"model\.freeze\("),
        ("params", r"with_state"),
        ("state", r"with_state"),
        ("weights", r"set_weights"),
        ("optimizer", r"compile\("),
        ("learning_rate", r"with_learning_rate"),
        ("stop_training", r"self\.model\.stop_training"),
    ],
)
def test_assigning_to_a_model_says_what_to_write(model, name, advice):
    with pytest.raises(FrozenError, match=advice):
        setattr(model, name, 1)


def test_assigning_to_a_layer_of_a_model_says_what_to_write(model):
    with pytest.raises(FrozenError, match=r"model\.freeze\('d'\)"):
        model.layers[0].trainable = False
    with pytest.raises(FrozenError, match=r"replace\(units="):
        model.get_layer("d").units = 4


def test_lists_that_a_model_gives_cannot_be_written_to(model):
    trained = DERIVED["fit"](model)
    for values in (model.layers, model.weights, trained.history["loss"], trained.history.epoch):
        with pytest.raises(FrozenError):
            values.append(1)
        with pytest.raises(FrozenError):
            values[0] = 1
    with pytest.raises(FrozenError):
        trained.history.history["loss"] = []
    with pytest.raises(FrozenError):
        trained.history.params["epochs"] = 3
    with pytest.raises(FrozenError):
        trained.history.epoch = []
    with pytest.raises(FrozenError):
        model.definition._network.layers["z"] = layers.Dense(1)
    assert [layer.name for layer in model.layers[:1] + [layers.Dense(2, name="e")]] == ["d", "e"]


class Net(jk.Model):
    """Layers in a list."""

    def __init__(self):
        super().__init__()
        self.blocks = [layers.Dense(2)]

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return x


def test_layers_of_a_subclass_cannot_be_added_after_its_constructor(tmp_path):
    model = Net()
    key = hash(model.definition)
    with pytest.raises(AttributeError):
        model.blocks.append(layers.Dense(7))
    built = model.build((None, 4))
    assert hash(model.definition) == key == hash(Net().definition)
    assert built.count_params() == 10 and len(built.get_weights()) == 2
    built.save_weights(tmp_path / "net.weights.h5")
    loaded = Net().build((None, 4)).load_weights(tmp_path / "net.weights.h5")
    np.testing.assert_array_equal(loaded.get_weights()[0], built.get_weights()[0])
    trained = built.compile("sgd", "mse").fit(np.ones((4, 4)), np.ones((4, 2)), verbose=0)
    with pytest.raises(AttributeError):
        trained.blocks.append(layers.Dense(7))
    assert trained.blocks[0].get_weights()[0].shape == (4, 2)


def test_attributes_that_a_class_has_too_come_with_their_weights():
    class Optional(jk.Model):
        head = None

        def __init__(self):
            super().__init__()
            self.head = layers.Dense(2)

        def call(self, x):
            return self.head(x)

    model = Optional().compile("sgd", "mse").fit(np.ones((4, 4)), np.ones((4, 2)), verbose=0)
    assert model.head.get_weights()[0].shape == (4, 2)
    with pytest.raises(AttributeError, match="nothing"):
        _ = model.nothing


def test_definitions_are_shared_and_models_are_not_copied_by_name(model):
    compiled = model.compile("sgd", "mse")
    trained = DERIVED["fit"](compiled)
    assert compiled.definition is model.definition is trained.definition
    assert trained.recipe == compiled.recipe and model.recipe is None


def test_inputs_by_name(model):
    x = np.ones((2, 4), "float32")
    np.testing.assert_array_equal(model(inputs=x), model(x))
    unbuilt = jk.Sequential([layers.Dense(3)])
    assert unbuilt(inputs=x).shape == (2, 3)
    with pytest.raises(jk.errors.InputError, match=r"model\(inputs\)"):
        unbuilt()


def test_a_state_must_be_one(model):
    with pytest.raises(ArgumentError, match="TrainState"):
        model.with_state(object())
    with pytest.raises(jk.errors.SignatureError, match="parms"):
        model.state.replace(parms={})
    with pytest.raises(FrozenError, match=r"state\.replace\(step="):
        model.state.step = 1


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda m: m.freeze(5), r"freeze\(5\)"),
        (lambda m: m.unfreeze(5), r"unfreeze\(5\)"),
        (lambda m: m.freeze(m.layers[0]), r"model\.freeze\('d'\)"),
        (lambda m: jk.clone_model(5), r"clone_model\(model=5\)"),
        (lambda m: jk.load_model(object()), r"load_model\(filepath="),
        (lambda m: jk.load_model("x.keras", custom_objects=5), r"custom_objects=5"),
        (lambda m: jk.Ensemble(object(), 2), r"Ensemble\(model="),
    ],
)
def test_nonsense_is_refused_by_name(model, call, named):
    with pytest.raises(ArgumentError, match=named):
        call(model)
