"""Multi-head attention, spectral normalization, and layers of other JAX libraries, as objects with variables."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import initializers, layers
from jkeras.errors import ArgumentError
from jkeras.keras.attention_parts import OWN_STEPS, PARTS, Alias, attend, attends_in_steps, private_names
from jkeras.keras.attention_steps import STEPS, attend_in_steps, check_masks
from jkeras.keras.facades import on_view
from jkeras.keras.inner_steps import overridden
from jkeras.keras.recurrent import build_inside
from jkeras.keras.seeds import draw_seed
from jkeras.keras.tensor import KerasTensor
from jkeras.keras.tracking import DotNotTrackScope
from jkeras.keras.variables import Variable, name_scope
from jkeras.layers.foreign import weight_name
from jkeras.layers.spectral_normalization import leading_vectors

# -- attention --------------------------------------------------------------------------------------------------------


def _attention(description: Any) -> dict[str, Any]:
    def __post_init__(self: Any) -> None:  # noqa: N807  (of the class that is made of it)
        description.__post_init__(self)
        # The penalty is on the outputs of the projections, not additionally on the result.
        vars(self).update(_given_activity_regularizer=self.activity_regularizer, activity_regularizer=None)

    def build(self: Any, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        """Creates and builds the projections."""
        key_shape = value_shape if key_shape is None else key_shape
        vars(self)["activity_regularizer"] = self._given_activity_regularizer
        description.build(self, query_shape, value_shape, key_shape)
        vars(self)["activity_regularizer"] = None
        build_inside(self.query, query_shape)
        build_inside(self.key, key_shape)
        build_inside(self.value, value_shape)
        if self.use_gate:
            build_inside(self.gate, query_shape)
        build_inside(self.attention_output, (*query_shape[:-1], self.query.sizes[0], self.value.sizes[1]))
        self._build_attention(len(query_shape) + 1)

    def _arguments(self: Any) -> dict[str, Any]:
        own = vars(self)
        values = {name: own[name] if name in own else getattr(self, name) for name in type(self)._fields}
        return {**values, "activity_regularizer": self._given_activity_regularizer}

    run = on_view(description._compute_attention)

    def _compute_attention(
        self: Any,
        query: Any,
        key: Any,
        value: Any,
        attention_mask: Any = None,
        training: Any = None,
        return_attention_scores: bool = False,
        **options: Any,
    ) -> Any:
        mask = None if attention_mask is None else jnp.asarray(attention_mask).astype(bool)
        compute = attend if attends_in_steps(self, query, return_attention_scores) else run
        return compute(self, query, key, value, mask, training, return_attention_scores, **options)

    return {
        "__post_init__": __post_init__,
        "build": build,
        "_arguments": _arguments,
        "_seeded": staticmethod(lambda layer: layer.dropout > 0),
        **PARTS,
        **(private_names(description) if description is layers.MultiHeadAttention else {}),
        "_compute_attention": _compute_attention,
        "_attends_fused": property(lambda self: not overridden(type(self), "_compute_attention", *OWN_STEPS)),
    }


def _checked_attention(description: Any) -> dict[str, Any]:
    run = on_view(description.call)

    @functools.wraps(description.call)
    def call(self: Any, inputs: Any, mask: Any = None, *args: Any, **kwargs: Any) -> Any:
        if overridden(type(self), *STEPS):
            return attend_in_steps(self, inputs, mask, *args, **kwargs)
        if mask is not None:
            check_masks(self, inputs, mask)
        return run(self, inputs, mask, *args, **kwargs)

    def compute_mask(self: Any, inputs: Any, mask: Any = None) -> Any:
        """The query's mask."""
        if mask is None or mask[0] is None:
            return None
        return mask[0] if isinstance(mask[0], KerasTensor) else jnp.asarray(mask[0])

    call.runs_on_view = True  # type: ignore[attr-defined]
    return {
        "call": call,
        "compute_mask": compute_mask,
        "_seeded": staticmethod(lambda layer: layer.dropout > 0),
        **STEPS,
    }


# -- spectral normalization ---------------------------------------------------------------------------------------------


def _build_spectral(self: Any, input_shape: Any) -> None:
    build_inside(self.layer, input_shape)
    names = [name for name in ("kernel", "embeddings") if isinstance(getattr(self.layer, name, None), Variable)]
    if not names:
        raise ArgumentError(f"{type(self.layer).__name__} object has no attribute 'kernel' nor 'embeddings'")
    self.kernel = getattr(self.layer, names[0])
    self.vector_u = self.add_weight(
        shape=(1, self.kernel.shape[-1]),
        initializer=initializers.TruncatedNormal(stddev=0.02),
        trainable=False,
        name="vector_u",
        dtype=self.kernel.dtype,
    )


def _call_spectral(self: Any, inputs: Any, training: bool = False) -> Any:
    if training:
        vector, kernel = self.normalized_weights()
        empty = jnp.all(self.kernel.value == 0)  # a kernel of zeros is not changed
        self.vector_u.assign(jnp.where(empty, self.vector_u.value, vector))
        self.kernel.assign(jnp.where(empty, self.kernel.value, kernel))
    return self.layer(inputs).astype(inputs.dtype)


def _normalized_weights(self: Any) -> tuple[Any, Any]:
    """The vector and the kernel after another power iteration."""
    kernel = self.kernel.value
    matrix = kernel.reshape(-1, kernel.shape[-1])
    u, v = leading_vectors(jax.lax.stop_gradient(matrix), self.vector_u.value, self.power_iterations)
    return u, kernel / (v @ matrix @ u.T).reshape(())


# -- layers of other libraries ----------------------------------------------------------------------------------------


def _build_guest(self: Any, input_shape: Any) -> None:
    def is_shape(value: Any) -> bool:
        return isinstance(value, (tuple, list)) and all(size is None or isinstance(size, int) for size in value)

    def stand_in(shape: Any) -> Any:
        return jnp.ones([1 if size is None else size for size in shape], self.compute_dtype)

    key = draw_seed(self.seed if isinstance(vars(self).get("seed"), int) else None)
    trees = self._initial(key, jax.tree.map(stand_in, input_shape, is_leaf=is_shape))
    with DotNotTrackScope(), name_scope(self.name, caller=self):
        self._trees_of_cells = tuple(
            _cells(self, tree, trainable) for tree, trainable in zip(trees, (True, False), strict=True)
        )


def _cells(self: Any, tree: Any, trainable: bool) -> Any:
    def cell(path: Any, leaf: Any) -> Variable:
        name = weight_name(path, trainable).replace("/", ".")
        variable = Variable(np.asarray(leaf), trainable=trainable, autocast=trainable, name=name)
        self._track_variable(variable)
        return variable

    return jax.tree_util.tree_map_with_path(cell, tree)


def _trees(self: Any, inputs: Any) -> tuple[Any, Any]:
    return tuple(jax.tree.map(jnp.asarray, tree) for tree in self._trees_of_cells)  # type: ignore[return-value]


def _keep(self: Any, state: Any) -> None:
    cells = jax.tree.leaves(self._trees_of_cells[1], is_leaf=lambda leaf: isinstance(leaf, Variable))
    for cell, value in zip(cells, jax.tree.leaves(state), strict=True):
        cell.assign(value)


def _initial_flax(self: Any, key: Any, inputs: Any) -> tuple[Any, Any]:
    variables = vars(self)["variables"]
    if variables is None:
        return self.guest.init(key, inputs, True)
    rest = {name: value for name, value in variables.items() if name != "params"}
    return variables.get("params", {}), rest


_GUEST = {
    "build": _build_guest,
    "_trees": _trees,
    "_keep": _keep,
    "_has_value": False,
    "_seeded": staticmethod(lambda layer: True),
}

SPECIAL: dict[str, dict[str, Any]] = {
    "MultiHeadAttention": _attention(layers.MultiHeadAttention),
    "GroupQueryAttention": {**_attention(layers.GroupQueryAttention), "_flash_attention": Alias("flash_attention")},
    **{name: _checked_attention(getattr(layers, name)) for name in ("Attention", "AdditiveAttention")},
    "SpectralNormalization": {
        "build": _build_spectral,
        "call": _call_spectral,
        "normalized_weights": _normalized_weights,
        "_has_value": False,
    },
    "JaxLayer": _GUEST,
    "FlaxLayer": {**_GUEST, "_initial": _initial_flax, "seed": None},
}
