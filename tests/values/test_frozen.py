"""Containers inside values: frozen at any depth, known to JAX, of their old shape again when copied."""

import copy
import json
import pickle

import flax
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jkeras as jk
from jkeras import layers
from jkeras.errors import FrozenError
from jkeras.values.fields import field
from jkeras.values.frozen import FrozenDict, FrozenList, Template, frozen, frozen_tree, thawed
from jkeras.values.keys import key_of
from jkeras.values.spec import Spec

TREE = {
    "b": {"kernel": jnp.ones((2, 3)), "bias": jnp.zeros(3)},
    "a": [jnp.arange(2), (jnp.ones(()), {"c": jnp.ones(1)})],
}

DICT_WRITES = {
    "setitem": lambda d: d.__setitem__("b", 1),
    "delitem": lambda d: d.__delitem__("b"),
    "update": lambda d: d.update(b=1),
    "setdefault": lambda d: d.setdefault("z", 1),
    "pop": lambda d: d.pop("b"),
    "popitem": lambda d: d.popitem(),
    "clear": lambda d: d.clear(),
    "ior": lambda d: d.__ior__({"b": 1}),
    "attribute": lambda d: setattr(d, "advice", "none"),
}
LIST_WRITES = {
    "setitem": lambda v: v.__setitem__(0, 1),
    "slice": lambda v: v.__setitem__(slice(None), []),
    "delitem": lambda v: v.__delitem__(0),
    "append": lambda v: v.append(1),
    "extend": lambda v: v.extend([1]),
    "insert": lambda v: v.insert(0, 1),
    "pop": lambda v: v.pop(),
    "remove": lambda v: v.remove(v[0]),
    "clear": lambda v: v.clear(),
    "reverse": lambda v: v.reverse(),
    "sort": lambda v: v.sort(key=id),
    "iadd": lambda v: v.__iadd__([1]),
    "imul": lambda v: v.__imul__(2),
    "attribute": lambda v: setattr(v, "advice", "none"),
}


@pytest.mark.parametrize("write", DICT_WRITES.values(), ids=DICT_WRITES)
def test_dicts_refuse_every_write(write):
    tree = frozen_tree(TREE, "Write this.")
    for one in (tree, tree["b"], tree["a"][1][1]):
        before = dict(one)
        with pytest.raises(FrozenError, match=r"immutable.*Write this\."):
            write(one)
        assert list(one) == list(before) and all(one[key] is before[key] for key in before)


@pytest.mark.parametrize("write", LIST_WRITES.values(), ids=LIST_WRITES)
def test_lists_refuse_every_write(write):
    one = frozen_tree({"a": [3, 1, 2]}, "Write this.")["a"]
    with pytest.raises(FrozenError, match=r"immutable.*Write this\."):
        write(one)
    assert one == [3, 1, 2]


def test_frozen_trees_behave_like_what_they_stand_for():
    tree = frozen_tree(TREE)
    assert json.dumps(frozen_tree({"a": [1, {"b": 2}]})) == '{"a": [1, {"b": 2}]}'
    assert frozen_tree({"a": [1]}) == {"a": [1]} and [1] + frozen_tree([2])[:] == [1, 2]
    assert repr(frozen_tree({"a": [1]})) == "{'a': [1]}"
    assert [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(tree)] == [
        jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(TREE)
    ]
    doubled = jax.jit(lambda t: jax.tree.map(lambda a: 2 * a, t))(tree)
    assert type(doubled) is FrozenDict and type(doubled["a"]) is FrozenList
    np.testing.assert_array_equal(doubled["b"]["kernel"], 2 * np.ones((2, 3)))
    assert jax.tree.structure(frozen_tree(TREE, "one")) == jax.tree.structure(frozen_tree(TREE, "another"))
    for same in (copy.deepcopy(tree), pickle.loads(pickle.dumps(tree))):
        assert type(same) is FrozenDict and jax.tree.structure(same) == jax.tree.structure(tree)


def test_copies_can_be_written_to():
    tree = frozen_tree(TREE)
    plain = tree.copy()
    assert jax.tree.structure(plain) == jax.tree.structure(TREE) == jax.tree.structure(thawed(tree))
    plain["b"]["kernel"] = None
    plain["a"].append(1)
    assert tree["b"]["kernel"] is TREE["b"]["kernel"] and len(tree["a"]) == 2
    assert type(flax.core.unfreeze(tree)["b"]) is dict


def test_frozen_at_any_depth():
    class Point(tuple):
        pass

    source = {"list": [1, [2, {"set": {3}}]], "array": np.arange(3), "tuple": ([1],), "bytes": bytearray(b"a")}
    value = frozen(source)
    assert value == {
        "list": (1, (2, {"set": frozenset({3})})),
        "array": value["array"],
        "tuple": ((1,),),
        "bytes": b"a",
    }
    source["list"][1][1]["set"].add(4)
    source["array"][0] = 7
    assert value["list"][1][1]["set"] == {3} and value["array"].tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="read-only"):
        value["array"][0] = 7
    info = layers.Dense(2)
    assert frozen(info) is info and frozen("text") == "text" and type(frozen(Point([1]))) is Point


def test_templates_keep_the_kinds_of_containers():
    structure = {"x": [1, (2, None)], "y": {"z": 3}}
    template = Template.of(structure)
    assert template.fill() == structure and type(template.fill()["x"]) is list
    assert template.fill(lambda leaf: leaf + 1) == {"x": [2, (3, None)], "y": {"z": 4}}
    assert template == Template.of(structure) != Template.of([1, 2, 3]) and hash(template) == hash(
        Template.of(structure)
    )
    assert key_of(template) == key_of(Template.of(structure))
    for same in (copy.deepcopy(template), pickle.loads(pickle.dumps(template))):
        assert same == template and same.fill() == structure
    template.fill()["x"].append(4)
    assert template.fill() == structure
    with pytest.raises(FrozenError):
        template.leaves = ()


class Holder(Spec):
    """Holds whatever it is given."""

    value: object = field(default=None)


class Written(layers.Layer):
    """A layer whose constructor is written by hand."""

    def __init__(self, sizes, table=None, **kwargs):
        super().__init__(**kwargs)
        self.sizes = sizes
        self.table = {"inner": table}
        self.parts = []
        for size in sizes + [1]:
            self.parts.append(layers.Dense(size))

    def call(self, x):
        for part in self.parts:
            x = part(x)
        return x


def test_what_a_field_holds_is_frozen():
    sizes, table = [1, [2]], {"a": [np.ones(2)]}
    holder, other = Holder(sizes), Holder(table)
    before = hash(holder), hash(other)
    sizes[1].append(3)
    table["a"][0][:] = 5
    table["b"] = 1
    assert holder.value == (1, (2,)) and list(other.value) == ["a"]
    assert (hash(holder), hash(other)) == before == (hash(holder.replace()), hash(other.replace()))
    with pytest.raises(FrozenError):
        other.value["a"] = 1


def test_constructors_written_by_hand_see_lists_and_leave_tuples():
    sizes, table = [2, 3], {"a": [1]}
    layer = Written(sizes, table)
    key = hash(layer)
    sizes.append(9)
    table["a"].append(2)
    assert layer.sizes == (2, 3) and layer.table == {"inner": {"a": (1,)}} and len(layer.parts) == 3
    assert layer.get_config()["sizes"] == [2, 3] and layer.get_config()["table"] == {"a": [1]}
    layer.get_config()["sizes"].append(7)
    again = layer.replace()  # runs the constructor again, with a list
    assert again == layer and hash(again) == key and len(again.parts) == 3
    with pytest.raises(AttributeError):
        layer.parts.append(layers.Dense(1))
    with pytest.raises(FrozenError):
        layer.table["inner"] = 1
    with pytest.raises(FrozenError):
        layer.parts = ()
    with pytest.raises(FrozenError):
        del layer.parts


def test_gradients_and_optimizers_work_on_what_is_read(rng):
    x = rng.normal(size=(4, 2)).astype("float32")
    model = jk.Sequential([layers.Input((2,)), layers.Dense(3, name="d"), layers.BatchNormalization(name="n")]).init(0)
    optimizer = optax.adam(1e-2)

    @jax.jit
    def update(params, slots):
        grads = jax.grad(lambda p: jnp.sum(model.apply(p, x) ** 2))(params)
        updates, slots = optimizer.update(grads, slots, params)
        return optax.apply_updates(params, updates), slots

    params, _slots = update(model.params, optimizer.init(model.params))
    new = model.with_state(model.state.replace(params=params))
    np.testing.assert_array_equal(new.params["d"]["kernel"], params["d"]["kernel"])
    assert not np.array_equal(new(x), model(x))
    module, variables = model.to_flax()
    np.testing.assert_allclose(module.apply(variables, x), model(x), rtol=1e-6)
    np.testing.assert_allclose(model.apply(model.variables, x), model(x), rtol=1e-6)


def test_orbax_and_flax_write_and_read_params(tmp_path):
    import orbax.checkpoint as ocp

    model = jk.Sequential([layers.Input((2,)), layers.Dense(3, name="d")]).init(0)
    with ocp.StandardCheckpointer() as saver:
        saver.save(tmp_path / "params", model.params)
        saver.wait_until_finished()
        restored = saver.restore(tmp_path / "params", model.params.copy())
    np.testing.assert_array_equal(restored["d"]["kernel"], model.params["d"]["kernel"])
    written = flax.serialization.to_bytes(model.params.copy())
    same = flax.serialization.from_bytes(model.params.copy(), written)
    np.testing.assert_array_equal(same["d"]["kernel"], model.params["d"]["kernel"])


def test_models_can_be_copied_and_pickled():
    x = jk.Input((2,), name="x")
    model = jk.Model({"x": x}, [layers.Dense(3, name="d")(x)]).compile("sgd", "mse").init(1)
    for same in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert same.definition == model.definition and hash(same.definition) == hash(model.definition)
        assert same.recipe == model.recipe
        np.testing.assert_array_equal(same.get_weights()[0], model.get_weights()[0])
        with pytest.raises(FrozenError):
            same.params["d"]["kernel"] = 1
        with pytest.raises(FrozenError):
            same.name = "other"
