"""What purity gives for free: derivatives per sample, and gradients of batches larger than memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from jkeras import lowering
from jkeras.errors import ArgumentError
from jkeras.paths import merge
from jkeras.training import steps
from jkeras.training.program import Program, build_program, trainable
from jkeras.training.state import Batch, TrainState, arrays_of
from jkeras.training.task import recipe_of
from jkeras.types import Data

if TYPE_CHECKING:
    from jkeras.models.model import Model


def per_sample_gradients(
    model: Model, x: Data | None, y: Data | None, sample_weight: Data | None = None, *, training: bool = False
) -> dict[str, Any]:
    """The gradient of the loss for each sample alone.

    Args:
        model: a compiled model; its losses and regularizers count.
        x, y, sample_weight: a batch, batch axis first.
        training: whether dropout and the like act.

    Returns:
        By the weight's path, arrays of shape `(batch, *weight)`. Their mean over the batch is the gradient of the batch,
        where samples do not act on each other.

    >>> import jkeras as jk
    >>> model = jk.Sequential([jk.Input((2,)), jk.layers.Dense(1)]).compile("sgd", "mse")
    >>> per_sample_gradients(model, jnp.ones((5, 2)), jnp.ones((5, 1)))["dense/kernel"].shape
    (5, 2, 1)
    """
    batch, program, state = _prepared(model, x, y, sample_weight)
    result: dict[str, Any] = _per_sample(program, state, batch, training)
    return result


def jacobian(model: Model, x: Data | None) -> Any:
    """The derivative of each output by each input, sample by sample: shape `(batch, *outputs, *inputs)`.

    Args:
        model: a built model whose samples do not act on each other, with one input of floats.
        x: a batch, batch axis first.

    >>> import jkeras as jk
    >>> model = jk.Sequential([jk.Input((2,)), jk.layers.Dense(3)])
    >>> jacobian(model, jnp.ones((5, 2))).shape
    (5, 3, 2)
    """
    model = model.build_for(x)
    return _jacobian(model.definition, model.state.replace(opt_state=None), jnp.asarray(x))


def accumulated_gradients(
    model: Model,
    x: Data | None,
    y: Data | None,
    sample_weight: Data | None = None,
    *,
    parts: int = 1,
    training: bool = False,
) -> tuple[dict[str, Any], jax.Array]:
    """The gradient of a batch, computed in parts one after another, which needs the memory of one part.

    Args:
        model: a compiled model whose samples do not affect each other.
        x: inputs; `parts` divides the number of rows.
        y: targets.
        sample_weight: a weight per sample.
        parts: the number of parts.
        training: whether layers such as dropout act as in training.

    Returns:
        The gradients, by the path of each weight, and the loss.

    Raises:
        ArgumentError: the number of rows is not a multiple of `parts`.

    >>> import jkeras as jk, numpy as np
    >>> model = jk.Sequential([jk.Input((1,)), jk.layers.Dense(1)]).compile("sgd", "mse")
    >>> x = np.linspace(-1, 1, 8, dtype="float32")[:, None]
    >>> gradients, loss = accumulated_gradients(model, x, 3 * x, parts=4)
    >>> sorted(gradients)
    ['dense/bias', 'dense/kernel']
    """
    batch, program, state = _prepared(model, x, y, sample_weight)
    rows = steps.batch_size(batch)
    if isinstance(parts, bool) or not isinstance(parts, int) or parts < 1 or rows % parts:
        raise ArgumentError(f"accumulated_gradients(parts={parts!r}): expected a divisor of the batch's {rows} rows.")
    result: tuple[dict[str, Any], jax.Array] = _accumulated(program, state, batch, parts, training)
    return result


def _prepared(
    model: Model, x: Data | None, y: Data | None, sample_weight: Data | None
) -> tuple[Batch, Program, TrainState]:
    model = model.build_for(x)
    batch = jax.tree.map(jnp.asarray, Batch(x, y, sample_weight))
    program = build_program(model.definition, recipe_of(model, "per_sample_gradients"), batch)
    return batch, program, model.state.replace(opt_state=None)


@lowering.remembered()
def _loss(program: Program, params: Any, state: TrainState, batch: Batch, training: bool) -> jax.Array:
    state = state.replace(params=merge(arrays_of(state).params, params))
    result: jax.Array = steps.score(program, steps.forward(program, state, batch, training), batch).loss
    return result


def _gradients(program: Program, state: TrainState, batch: Batch, training: bool) -> Any:
    trainable_params = trainable(program, state.params)
    return jax.value_and_grad(lambda params: _loss(program, params, state, batch, training))(trainable_params)


def _per_sample_plain(program: Program, state: TrainState, batch: Batch, training: bool) -> dict[str, Any]:
    rows = steps.batch_size(batch)
    alone = jax.tree.map(lambda a: a[:, None], batch)

    def one(row: Batch, index: jax.Array) -> dict[str, Any]:
        own = state.replace(rng=jax.random.fold_in(state.rng, index))
        result: dict[str, Any] = _gradients(program, own, row, training)[1]
        return result

    each: dict[str, Any] = jax.vmap(one)(alone, jnp.arange(rows))
    return each


_per_sample = jax.jit(_per_sample_plain, static_argnums=(0, 3))


def _accumulated_plain(program: Program, state: TrainState, batch: Batch, parts: int, training: bool) -> Any:
    pieces = jax.tree.map(lambda a: a.reshape(parts, -1, *a.shape[1:]), batch)

    def add(total: Any, piece: tuple[Batch, jax.Array]) -> tuple[Any, None]:
        part, index = piece
        own = state.replace(rng=jax.random.fold_in(state.rng, index))
        return jax.tree.map(lambda a, b: a + b / parts, total, _gradients(program, own, part, training)), None

    shapes = jax.eval_shape(lambda: _gradients(program, state, jax.tree.map(lambda a: a[0], pieces), training))
    zeros = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)
    (loss, grads), _ = jax.lax.scan(add, zeros, (pieces, jnp.arange(parts)))
    return grads, loss


_accumulated = jax.jit(_accumulated_plain, static_argnums=(0, 3, 4))


def _jacobian_plain(network: Any, state: TrainState, x: jax.Array) -> Any:
    def one(row: jax.Array) -> Any:
        return jax.tree.map(lambda out: out[0], steps.predict(network, state, row[None]))

    return jax.vmap(jax.jacrev(one))(x)


_jacobian = jax.jit(_jacobian_plain, static_argnums=0)
