"""`Repeat`: a deep stack of identically defined layers, compiled once instead of once per layer."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import lax

from jkeras import arguments
from jkeras.constraints import Constraint
from jkeras.errors import InputError
from jkeras.graph import passes
from jkeras.graph.describe import trace
from jkeras.graph.inner_forms import formed
from jkeras.graph.layer import Layer
from jkeras.graph.scope import walk
from jkeras.graph.shapes import has_shape, show_tensors
from jkeras.layers.inner_layer import inner_layer
from jkeras.paths import value_at
from jkeras.types import Array, DTypeLike, LayerField, PyTree, Shape
from jkeras.values.fields import field


class EachOf(Constraint):
    """A constraint on each of the arrays along the first axis.

    >>> from jkeras import constraints
    >>> EachOf(constraints.UnitNorm())(jnp.array([[3.0, 4.0], [0.0, 2.0]])).round(2).tolist()
    [[0.6, 0.8], [0.0, 1.0]]
    """

    inner: Any

    def __call__(self, w: Any) -> Any:
        return jax.vmap(self.inner)(w)


class Repeat(Layer):
    """Identically configured layers in sequence: `x -> layer_1(x) -> layer_2(...) -> ...`.

    Shapes: the output of the layer inside has the shape and type of its input, and so has the output here.

    The numbers are those of `times` separate layers, each with its own weights, initialised from its own random key.
    But there is one compiled loop (`jax.lax.scan`) in place of `times` copies of the same program, so that a deep network
    compiles as fast as one with a single layer. Each weight here holds those of all layers along a new first axis. Optimizers
    that look at whole weights (Adafactor, Lamb, Muon, norms for clipping weight by weight) see them together.

    Args:
        layer: the layer, or a model; called with one tensor, and with its mask, which all of them get.
        times: the number of layers.
        recompute: whether the backward pass computes the values inside each layer again instead of keeping them: about a
            third more work, for memory that grows only with what goes from layer to layer (`jax.checkpoint`; Chen et al.,
            2016, https://arxiv.org/abs/1604.06174).

    Raises:
        InputError: the layer changes the shape or the type of its input.

    >>> from jkeras import Sequential, layers
    >>> deep = Sequential([layers.Input((8,)), layers.Repeat(layers.Dense(8, activation="relu"), 12), layers.Dense(1)])
    >>> [weight.shape for weight in deep.weights]
    [(12, 8, 8), (12, 8), (8, 1), (1,)]
    """

    supports_masking: ClassVar[bool] = True
    stacks_weights_of: ClassVar[str | None] = "layer"

    layer: LayerField = field(convert=inner_layer)
    times: int = field(convert=arguments.positive_int)
    recompute: bool = field(default=False, convert=arguments.boolean)

    @property
    def mixes_samples(self) -> bool | None:  # type: ignore[override]
        known = [
            False
            if layer.mixes_samples is None and type(layer).__module__.startswith("jkeras.")
            else layer.mixes_samples
            for _, layer in walk(self.layer)
        ]
        regularized = any(layer.activity_regularizer is not None for _, layer in walk(self.layer))
        return True if True in known or regularized else None if None in known else False

    @property
    def stateful(self) -> bool:  # type: ignore[override]
        """Whether a layer inside has a state for each row of a batch."""
        return any(layer.stateful for _, layer in walk(self.layer))

    def children(self) -> dict[str, Layer]:
        """None: the weights of the layer inside are weights here."""
        return {}

    def _bind_children(self, bind: Any) -> None:
        """Does nothing: the inner layer runs as a separate program."""

    # In a bound copy: what is known of one layer's weights.
    _infos: ClassVar[dict[str, Any] | None] = None

    def call(self, inputs: jax.Array, training: bool | None = None, mask: Array | None = None) -> Any:
        masks = {} if mask is None else {"mask": mask}
        run = self.scope_for("Repeat").run
        keys = None if run.rng is None else jax.random.split(self.make_rng(), self.times)

        observe = self._observed_inside(run)

        def one(x: PyTree[Array], item: PyTree[Array]) -> tuple[Any, Any]:
            variables, key = item
            result, _ = self._run(variables, x, masks, training=bool(training), rng=key, observe=observe)
            losses = sum(result.run.losses, jnp.float32(0)) if result.run.losses else None
            return result.outputs, (result.state if result.record.assigned else {}, losses, result.run.observed or {})

        weights = self._weights(inputs, masks)
        stacked = self._variables(weights)
        self._check(inputs, jax.eval_shape(one, inputs, jax.tree.map(lambda leaf: leaf[0], (stacked, keys)))[0])
        step = jax.checkpoint(one) if self.recompute else one
        outputs, (state, losses, observed) = lax.scan(step, inputs, (stacked, keys), length=self.times)
        for attribute, info in weights.items():
            if state and info.collection == "state":
                setattr(self, attribute, value_at(state, info.path))
        for place, path in observe.items():
            run.observed[path] += observed[place]
        if losses is not None:
            self.add_loss(jnp.sum(losses))
        return outputs

    def _run(self, variables: Any, x: Any, call_arguments: dict[str, Any], **options: Any) -> Any:
        return passes.run(self._inside, variables, (x,), call_arguments, parent=self, **options)

    @property
    def _inside(self) -> Any:
        """The layer inside in the form that was asked of it."""
        return formed(self._inner_forms, "layer", self.layer)

    def _observed_inside(self, run: Any) -> dict[str, str]:
        """The paths of the layers inside whose inputs are asked for, by what they are called there."""
        outer = f"{self.path}/layer"
        places = {path[len(outer) + 1 :]: path for path in run.observed or () if f"{path}/".startswith(f"{outer}/")}
        return {place or self.layer.path: path for place, path in places.items()}

    def _weights(self, inputs: PyTree[Array], call_arguments: dict[str, Any]) -> dict[str, Any]:
        """What is known of one layer's weights, by the attribute that holds those of all layers; created on first use."""
        if self._infos is not None:
            return self._infos
        traced = trace(self._inside, (inputs,), call_arguments, has_shape, parent=self)
        self.scope_for("Repeat").contains("layer", traced.definitions)
        weights = traced.weights
        trees: dict[str, Any] = {}

        def initializer(info: Any) -> Any:
            def draw(shape: Shape, dtype: DTypeLike | None, key: Array) -> jax.Array:
                # One run of the layers' initialisation serves all weights.
                if not trees:

                    def fresh(key: Array) -> Any:
                        return self._run(None, inputs, call_arguments, rng=jax.random.key(0), key=key)[1]

                    trees.update(jax.vmap(fresh)(jax.random.split(key, self.times)))
                result: jax.Array = value_at(trees[info.collection], info.path)
                return result

            return draw

        infos = {f"weight_{i}": info for i, info in enumerate(weights)}
        for attribute, info in infos.items():
            options = {
                "initializer": initializer(info),
                "trainable": info.collection == "params",
                "frozen": not info.trainable,
                "overwritten": info.overwritten,
                "autocast": None,  # the layer inside casts
                "regularizer": None,  # and adds losses
                "constraint": None if info.constraint is None else EachOf(info.constraint),
            }
            scope = self.scope_for("Repeat")
            setattr(self, attribute, scope.weight(".".join(info.path), (self.times, *info.shape), info.dtype, options))
        vars(self).update(_infos=infos)
        return infos

    def _variables(self, weights: dict[str, Any]) -> dict[str, Any]:
        """The variables of the layer inside, with the values of all layers."""
        variables: dict[str, Any] = {"params": {}, "state": {}}
        for attribute, info in weights.items():
            tree = variables[info.collection]
            for name in info.path[:-1]:
                tree = tree.setdefault(name, {})
            tree[info.path[-1]] = getattr(self, attribute)
        return variables

    def _check(self, inputs: Any, outputs: Any) -> None:
        if not isinstance(inputs, jax.Array) or show_tensors(inputs) != show_tensors(outputs):
            before, after = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape[1:], x.dtype), (inputs, outputs))
            raise InputError(
                f"{self._place} (Repeat): the {type(self.layer).__name__} inside turns samples of {show_tensors(before)} into"
                f" {show_tensors(after)}, so that it cannot follow itself; its output needs the shape and type of its input."
            )


__all__ = ["EachOf", "Repeat"]
