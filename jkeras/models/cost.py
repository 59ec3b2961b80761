"""What a model costs: operations and bytes, as XLA counts them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from jkeras.graph.describe import describe
from jkeras.graph.input import InputLayer
from jkeras.graph.network import is_ref
from jkeras.graph.shapes import as_spec, has_shape
from jkeras.training import steps
from jkeras.training.program import build_program, init_optimizer
from jkeras.training.state import Batch, arrays_of
from jkeras.types import Specs

if TYPE_CHECKING:
    from jkeras.models.model import Model


def layer_costs(model: Model) -> dict[str, tuple[float, int]]:
    """For each layer of a model with a graph: operations and bytes of output for one sample in a forward pass.

    Layers that are applied several times count each time.
    """
    network = model._network
    if network is None or not model.built:
        return {}
    costs: dict[str, tuple[float, int]] = {}
    for op in network.ops:
        layer = network.layers[op.layer]
        if isinstance(layer, InputLayer):
            continue
        arguments = op.args.fill(lambda leaf: as_spec(network.tensor(leaf.index)) if is_ref(leaf) else leaf)
        flops, nbytes = costs.get(op.layer, (0.0, 0))
        outputs = [network.tensor(i) for i in op.results]
        nbytes += sum(int(np.prod([size or 1 for size in t.shape])) * np.dtype(t.dtype).itemsize for t in outputs)
        costs[op.layer] = (flops + _operations(layer, arguments), nbytes)
    return costs


def _operations(layer: Any, arguments: Any) -> float:
    arrays = [leaf for leaf in jax.tree.leaves(arguments) if has_shape(leaf)]
    try:
        variables = jax.eval_shape(lambda *args: layer.init(0, *args), *arguments)
        lowered = jax.jit(lambda v, *args: layer.apply(v, *args)).lower(variables, *arguments)
        analysis = lowered.cost_analysis() or {}
    except TypeError:  # arguments that are not arrays: constants in a graph
        return float("nan")
    return float(analysis.get("flops", 0.0)) if arrays else 0.0


def step_cost(model: Model, batch_size: int = 32) -> dict[str, float]:
    """Operations and bytes moved by one compiled training step, as XLA counts them; empty if the platform cannot tell.

    Assumes targets of the outputs' shapes. Needs a compiled model with a known input.
    """
    recipe = model.recipe
    if recipe is None or not model.built:
        return {}

    def sized(spec: Specs) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct((batch_size, *spec.shape[1:]), spec.dtype)

    x = jax.tree.map(sized, model.input_specs)
    described = describe(model.definition, x)
    batch = Batch(x, jax.tree.map(as_spec, described.outputs))
    program = build_program(model.definition, recipe, batch)
    state = model.state
    if arrays_of(state).opt_state is None:
        state = state.replace(opt_state=init_optimizer(recipe.optimizer, arrays_of(state).params, program.frozen))
    state = jax.eval_shape(lambda s: s.replace(metrics=steps.empty_metrics(program, batch)), state)
    analysis = jax.jit(steps.train, static_argnums=0).lower(program, state, batch).compile().cost_analysis() or {}
    return {
        name: float(analysis[key]) for name, key in (("flops", "flops"), ("bytes", "bytes accessed")) if key in analysis
    }


def show_count(value: float) -> str:
    """A number with a metric prefix.

    >>> show_count(2_500_000)
    '2.50 M'
    """
    if value != value:
        return "?"
    for unit in ("", " K", " M", " G", " T"):
        if value < 1000 or unit == " T":
            return f"{value:.0f}" if not unit else f"{value:.2f}{unit}"
        value /= 1000
    return ""
