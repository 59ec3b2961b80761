"""`Wrapper`, a layer around another layer, and `TimeDistributed`, which applies a layer to every time step."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras.errors import InputError
from jkeras.graph.input_spec import InputSpec
from jkeras.graph.layer import Layer
from jkeras.graph.scope import walk
from jkeras.graph.shapes import show_shape
from jkeras.layers.inner_layer import inner_layer
from jkeras.layers.recurrent.scan import scan_layer
from jkeras.types import Array, Bool, LayerField, Num, PyTree
from jkeras.values.fields import field


class Wrapper(Layer):
    """Base of layers that wrap one other layer, `self.layer`. A subclass defines `call`.

    Shapes: defined by the subclass.

    Args:
        layer: the layer inside.

    >>> from jkeras import layers
    >>> class Twice(layers.Wrapper):
    ...     def call(self, inputs):
    ...         return self.layer(self.layer(inputs))
    >>> Twice(layers.Dense(3)).layer.units
    3
    """

    layer: LayerField = field(convert=inner_layer)


class TimeDistributed(Wrapper):
    """Applies a layer to every time step.

    Shapes: `(batch, time, ...)` to `(batch, time, ...)`; the wrapped layer sees `(batch, ...)`.

    Time is never unrolled. If the wrapped layer treats samples independently, it is called once, on `batch * time`
    samples. Otherwise (batch normalization in training, and users' own layers unless they set `mixes_samples = False`)
    the steps run in one compiled loop that passes the layer's state from step to step. The results are Keras's in both
    cases.

    Args:
        layer: the layer to apply.

    Raises:
        InputError: the input has fewer than three axes, or the mask does not match it.

    >>> from jkeras import layers
    >>> TimeDistributed(layers.Dense(3)).compute_output_shape((None, 7, 2))
    (None, 7, 3)
    """

    supports_masking: ClassVar[bool] = True
    mixes_samples: ClassVar[bool | None] = False
    # How to loop over the steps; `jkeras.keras`, where layers hold variables, overrides it.
    _scan: ClassVar[Any] = staticmethod(scan_layer)

    @property
    def input_spec(self) -> InputSpec:
        return InputSpec(min_ndim=3)

    def call(
        self,
        inputs: Num[Array, "batch time *features"],
        training: bool | None = None,
        mask: Bool[Array, "batch time"] | None = None,
    ) -> Any:
        if mask is not None and mask.shape[:2] != inputs.shape[:2]:
            raise InputError(
                f"{self._place} ({type(self).__name__}) got a mask of shape {show_shape(mask.shape)} for an input"
                f" of shape {show_shape(inputs.shape)}; the first two axes must agree."
            )
        if self._samples_apart(bool(training)):
            batch, time = inputs.shape[:2]
            folded, folded_mask = jax.tree.map(lambda x: x.reshape(batch * time, *x.shape[2:]), (inputs, mask))
            outputs = self._apply(folded, folded_mask)
            return jax.tree.map(lambda y: y.reshape(batch, time, *y.shape[1:]), outputs)

        def step(carry: None, item: PyTree[Array]) -> tuple[None, Any]:
            return None, self._apply(*item)

        items = jax.tree.map(lambda x: jnp.swapaxes(x, 0, 1), (inputs, mask))
        # The first step runs here, where weights can be created.
        _, first = step(None, jax.tree.map(lambda x: x[0], items))
        _, rest = self._scan(self.layer, step, None, jax.tree.map(lambda x: x[1:], items))
        return jax.tree.map(lambda a, b: jnp.swapaxes(jnp.concatenate([a[None], b]), 0, 1), first, rest)

    def _apply(self, inputs: jax.Array, mask: Bool[Array, "batch time"] | None) -> Any:
        return self.layer(inputs) if mask is None else self.layer(inputs, mask=mask)

    def _samples_apart(self, training: bool) -> bool:
        for _, layer in walk(self.layer):
            known = layer.mixes_samples
            if known is None and type(layer).__module__.startswith("jkeras."):
                known = False
            if known is None or (known and (training or layer.stateful)):
                return False
        return True


__all__ = ["TimeDistributed", "Wrapper"]
