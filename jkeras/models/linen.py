"""Models from existing Linen modules, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jax

from jkeras.errors import ArgumentError, RestoreError
from jkeras.graph.input import Input
from jkeras.layers.foreign import FlaxLayer, weight_name
from jkeras.types import Array, PyTree

if TYPE_CHECKING:
    from jkeras.models.model import Model

# The layer's name in the model, so that paths of weights do not depend on anything else.
NAME = "flax"


def to_flax(model: Model) -> tuple[Any, dict[str, Any]]:
    """See `Model.to_flax`."""
    from jkeras.graph import linen  # only programs that use Flax load it

    return _guest(model) or (linen.to_module(model.definition), model.variables)


def around(
    cls: Any, module: object, variables: PyTree[Array], input_shape: Any, *, method: Any = None, dtype: Any = None
) -> Any:
    """See `Model.from_flax`."""
    x = Input(tuple(input_shape), dtype=dtype)
    layer = FlaxLayer(module, method=method, name=NAME)
    if layer.guest is layer.module:
        raise ArgumentError(
            "from_flax(module=...): expected a Linen module. An NNX module brings its values along: FlaxLayer(module)."
        )
    model = cls(x, layer(x))
    if not isinstance(variables, Mapping) or "params" not in variables:
        raise ArgumentError(
            "from_flax(variables=...): expected what `module.init(...)` returns, with the key 'params'."
        )
    rest = {name: tree for name, tree in variables.items() if name != "params"}
    collections = {"params": _named(variables["params"], True), "state": _named(rest, False)}
    problems = []
    for info in model.description.weights:
        array = collections[info.collection].get(info.path[-1])
        if array is None:
            problems.append(
                f"  {info.path[-1]}: missing in the variables, the module needs {info.dtype}{list(info.shape)}"
            )
        elif (array.shape, array.dtype.name) != (info.shape, info.dtype):
            problems.append(
                f"  {info.path[-1]}: {array.dtype.name}{list(array.shape)} in the variables,"
                f" {info.dtype}{list(info.shape)} in the module"
            )
    known = {(info.collection, info.path[-1]) for info in model.description.weights}
    extra = [name for collection, named in collections.items() for name in named if (collection, name) not in known]
    problems += [f"  {name}: in the variables, unknown to the module" for name in extra]
    if problems:
        raise RestoreError("The variables do not fit the module:\n" + "\n".join(problems))
    params, state = ({NAME: tree} if tree else {} for tree in (collections["params"], collections["state"]))
    return model.with_state(model.init().state.replace(params=params, model_state=state))


def _named(tree: PyTree[Array], trainable: bool) -> dict[str, jax.Array]:
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {weight_name(path, trainable): jax.numpy.asarray(leaf) for path, leaf in leaves}


def _guest(model: Model) -> tuple[Any, dict[str, Any]] | None:
    """The module and variables that `from_flax` was given, with the model's values; None for any other model."""
    if not model.is_functional:
        return None
    layers = list(model.children().values())
    if len(layers) != 1 or not isinstance(layers[0], FlaxLayer) or layers[0].guest is layers[0].module:
        return None
    layer = layers[0]
    name = next(iter(model.children()))
    network: Any = model._network
    if len(network.ops) != 1 or layer.method is not None:
        return None
    params, state = jax.eval_shape(lambda key, x: layer.guest.init(key, x, True), jax.random.key(0), model.input_specs)

    def filled(tree: PyTree[Array], values: Mapping[str, Any], trainable: bool) -> Any:
        return jax.tree_util.tree_map_with_path(lambda path, _: values[weight_name(path, trainable)], tree)

    arrays = {
        "params": filled(params, model.params.get(name, {}), True),
        **filled(state, model.model_state.get(name, {}), False),
    }
    return layer.module, arrays
