"""Layers with low-rank adaptation (LoRA): the weight is frozen, and a trainable low-rank product is added to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import jax.numpy as jnp

from jkeras import arguments
from jkeras.errors import ArgumentError
from jkeras.graph.layer import Layer
from jkeras.types import Array
from jkeras.values.fields import field

RANK: Any = field(default=None, convert=arguments.optional(arguments.positive_int), in_config=False)
ALPHA: Any = field(default=None, convert=arguments.optional(arguments.number), in_config=False)


class LowRankAttributes:
    """What the classes declare as arguments, each in Keras's places (see `jkeras.values.fields`)."""

    lora_rank: int | None
    lora_alpha: float | None
    # The weights that `build` makes by their names.
    kernel: Array
    embeddings: Array
    reverse_embeddings: Array


class LowRankLayer(LowRankAttributes, Layer):
    """A layer whose weight can be frozen, with a trainable term `alpha / rank * a @ b` that is added to it.

    Hu et al., "LoRA: low-rank adaptation of large language models", arXiv:2106.09685.
    """

    # A method besides `build` and `call`; models do not adapt subclasses that override one of them.
    adapted_method: ClassVar[str] = "matrices_of"
    # The weight that the change is one of.
    _adapted: ClassVar[str] = "kernel"

    @property
    def lora_enabled(self) -> bool:
        """Whether training changes only a low-rank product."""
        return self.lora_rank is not None

    @property
    def quantization_mode(self) -> str | None:
        """How weights are quantised; None is not at all."""
        return self.dtype_policy.quantization_mode

    @property
    def _lora_scale(self) -> float:
        rank = self.lora_rank or 1
        return (rank if self.lora_alpha is None else self.lora_alpha) / rank

    @property
    def factor_names(self) -> tuple[str, str]:
        return f"lora_{self._adapted}_a", f"lora_{self._adapted}_b"

    def _own(self, name: str) -> Any:
        """An argument of the adapted weight, such as its regularizer."""
        return getattr(self, f"{self._adapted}_{name}")

    def _add_adapted(self, shape: tuple[int, ...], initializer: Any, **options: Any) -> None:
        """Makes the weight as floats."""
        name = self._adapted
        if self.lora_enabled:
            weight = self._add_frozen_weight(shape, initializer, name=name, **options)
        else:
            regularizer, constraint = self._own("regularizer"), self._own("constraint")
            weight = self.add_weight(
                shape, initializer, regularizer=regularizer, constraint=constraint, name=name, **options
            )
        setattr(self, name, weight)

    def _add_adapters(
        self, shape: tuple[int, ...], a_initializer: Any = "he_uniform", b_initializer: Any = "zeros"
    ) -> None:
        """Makes the two factors."""
        if not self.lora_enabled:
            return
        sizes = ((*shape[:-1], self.lora_rank), (self.lora_rank, shape[-1]))
        for name, size, initializer in zip(self.factor_names, sizes, (a_initializer, b_initializer), strict=True):
            options: Any = {"dtype": "float32", "regularizer": self._own("regularizer"), "name": name}
            setattr(self, name, self.add_weight(size, initializer, **options))

    def _with_adapters(self, weight: Array) -> Array:
        """The weight with the change added to it."""
        if not self.lora_enabled:
            return weight
        a, b = (getattr(self, name) for name in self.factor_names)
        changed: Array = (weight + self._lora_scale * jnp.matmul(a, b)).astype(self.compute_dtype)
        return changed

    def _form(self) -> dict[str, Any]:
        names = ("lora_rank", "lora_alpha", "quantization_config")
        form = {name: value for name in names if (value := vars(self).get(name)) is not None}
        return form if self.quantization_mode is None else {**form, "dtype": self.dtype}

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if self.lora_enabled:
            alpha = self.lora_rank if self.lora_alpha is None else self.lora_alpha
            config.update(lora_rank=self.lora_rank, lora_alpha=alpha)
        return config

    def _check_lora(self) -> None:
        """Whether a low-rank change can be added.

        Raises:
            ArgumentError: there is one, or a constraint.
        """
        place = f"enable_lora on {self._place!r}"
        if self._own("constraint"):
            raise ArgumentError(
                f"{place}: Lora is incompatible with {self._adapted} constraints. In order to enable lora on this layer, remove"
                f" the `{self._adapted}_constraint` argument."
            )
        if self.lora_enabled:
            raise ArgumentError(
                f"{place}: lora is already enabled, with rank {self.lora_rank}. This can only be done once per layer."
            )

    def with_lora(self, rank: int, lora_alpha: float | None = None) -> Self:
        """A copy with a frozen weight and two trainable low-rank factors.

        Args:
            rank: the size between the factors.
            lora_alpha: their product counts `lora_alpha / rank`; None is once.

        Raises:
            ArgumentError: the layer has factors, or a constraint.

        >>> from jkeras import layers
        >>> layers.Dense(4).with_lora(2).lora_rank
        2
        """
        self._check_lora()
        return self.replace(lora_rank=rank, lora_alpha=lora_alpha)

    def merged_values(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The own weights, by name, with the change as part of the weight, and without its factors."""
        name = self._adapted
        rest = {each: value for each, value in values.items() if each not in self.factor_names}
        return {**rest, name: (values[name] + self._change(values)).astype(values[name].dtype)}

    def _change(self, values: Mapping[str, Any]) -> Array:
        a, b = (values[each] for each in self.factor_names)
        return self._lora_scale * jnp.matmul(a, b)


def to_file(layer: LowRankLayer, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The own weights as files have them, where the update is part of the weight."""
    return layer.merged_values(values) if layer.lora_enabled else values


def from_file(layer: LowRankLayer, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The factors that are left when the update is part of the weight; the first is kept, so that there is a gradient."""
    second = layer.factor_names[1]
    return {**values, second: jnp.zeros_like(values[second])}
