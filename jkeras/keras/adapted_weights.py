"""Layers whose weights take another form in place: `quantize`, `enable_lora`, and what their files and attributes say then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import jax.numpy as jnp

from jkeras.errors import ArgumentError
from jkeras.graph.in_files import in_files
from jkeras.keras import dtype_policies
from jkeras.keras.builtin import BuiltinLayer
from jkeras.keras.variables import Variable
from jkeras.keras.views import is_view
from jkeras.layers.quantizable import QuantizableLayer
from jkeras.layers.weight_forms import merged_values, quantized_values
from jkeras.quantization import configs
from jkeras.quantization.modes import MODES


class AdaptedWeight:
    """The attribute of a weight that can have a change of low rank beside it: what the layer computes with.

    A view has the array that is kept.
    """

    def __set_name__(self, owner: Any, name: str) -> None:
        self.name = name

    def __get__(self, layer: Any, owner: Any = None) -> Any:
        if layer is None:
            return self
        own = vars(layer)
        if self.name not in own:
            raise AttributeError(f"You must build the layer before accessing `{self.name}`.")
        return own[self.name] if is_view(layer) else layer._shown_weight(own[self.name])

    def __set__(self, layer: Any, value: Any) -> None:
        vars(layer)[self.name] = value

    def __delete__(self, layer: Any) -> None:
        del vars(layer)[self.name]


class LowRankFacade(BuiltinLayer):
    """Base of layers that take a change of low rank."""

    overrides: ClassVar[tuple[str, ...]] = ("_form_policy", "lora_enabled", "save_own_variables", "load_own_variables")

    def _finish_construction(self) -> None:
        own = vars(self)
        if own["lora_rank"] is not None and own["lora_alpha"] is None:
            own["lora_alpha"] = own["lora_rank"]
        super()._finish_construction()

    def _add_frozen_weight(self, shape: Any, initializer: Any, **options: Any) -> Variable:
        weight = self.add_weight(shape=shape, initializer=initializer, **options)
        weight.trainable = False
        return weight

    @property
    def lora_enabled(self) -> bool:
        """Whether training changes a product of low rank alone."""
        return self.lora_rank is not None

    def _shown_weight(self, cell: Any) -> Any:
        return self._with_adapters(jnp.asarray(cell)) if self._has_adapters else cell

    @property
    def _has_adapters(self) -> bool:
        return self.lora_enabled and self._adapters[1] in vars(self)

    @property
    def _adapted_shape(self) -> tuple[int, ...]:
        return tuple(vars(self)[self._adapted].shape)

    def enable_lora(
        self, rank: int, lora_alpha: float | None = None, a_initializer: Any = "he_uniform", b_initializer: Any = "zeros"
    ) -> None:
        """From now on training changes two factors of low rank, and leaves the weight that their product is added to.

        Args:
            rank: the size between the factors.
            lora_alpha: their product counts `lora_alpha / rank`; None is once.
            a_initializer: of the first.
            b_initializer: of the second.

        Raises:
            ValueError: the layer is not built, has factors, or a constraint.
            NotImplementedError: it is quantised in a way that does not allow it.
        """
        if not self.built and not self._own("constraint"):
            raise ArgumentError(f"{self.name}: Cannot enable lora on a layer that isn't yet built.")
        self._check_lora()
        self._tracker.unlock()
        self.lora_rank, self.lora_alpha = rank, rank if lora_alpha is None else lora_alpha
        self._add_adapters(self._adapted_shape, a_initializer, b_initializer)
        vars(self)[self._adapted].trainable = False
        self._lock_state()

    # -- files ----------------------------------------------------------------------------------------------------

    def _cells_in_files(self) -> dict[str, Variable]:
        """The variables that files have, by their attributes, in the order of files."""
        kept = in_files(type(self))
        names = {id(cell): name for name, cell in vars(self).items() if isinstance(cell, Variable)}
        cells = [*self._trainable_variables, *self._non_trainable_variables]
        found = {names.get(id(cell), f"{place}"): cell for place, cell in enumerate(cells)}
        rank = {name: place for place, name in enumerate(kept.order)}
        written = [name for name in found if name not in kept.left_out]
        return {name: found[name] for name in sorted(written, key=lambda name: rank.get(name, len(rank)))}

    def save_own_variables(self, store: Any) -> None:
        """Puts the layer's own variables into a dict-like store, a change of low rank as part of the weight."""
        cells = self._cells_in_files()
        values: Mapping[str, Any] = cells
        if self._has_adapters:
            own = {**cells, **{name: vars(self)[name] for name in self._adapters}}
            values = merged_values(self, {name: jnp.asarray(cell.value) for name, cell in own.items()})
        for place, name in enumerate(cells):
            store[f"{place}"] = values[name]

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Reads what `save_own_variables` stored.

        Raises:
            ValueError: there are too few or too many.
        """
        cells = self._cells_in_files()
        if not self._has_adapters and len(store.keys()) != len(cells):
            super().load_own_variables(store)  # which says what is wrong
        for place, cell in enumerate(cells.values()):
            cell.assign(store[f"{place}"])
        for name in self._adapters if self._has_adapters else ():
            cell = vars(self)[name]
            cell.assign(jnp.zeros(cell.shape, cell.dtype))


class QuantizableFacade(LowRankFacade):
    """Base of layers that can be quantised."""

    @property
    def _form_policy(self) -> Any:
        """The policy whose sizes count."""
        policy = self._policy_in_force
        return policy.value if policy.quantization_mode is not None else policy

    @property
    def _adapted_shape(self) -> tuple[int, ...]:
        shape: tuple[int, ...] = self._matrix.shape
        return shape

    def _shown_weight(self, cell: Any) -> Any:
        mode = self._mode
        if mode is None or mode.stored(self._matrix, self._form_policy) is None:
            return super()._shown_weight(cell)
        stored = jnp.asarray(cell.value)
        numbers = mode.numbers(self._matrix, stored)
        if self._has_adapters:
            return self._with_adapters(numbers)
        return cell if numbers is stored else numbers

    @property
    def dtype_policy(self) -> Any:
        """The types that it computes in and keeps weights in; a quantised one quantises the weights that there are."""
        return self._dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        policy = dtype_policies.get(value)
        mode = policy.quantization_mode
        if mode is None or not self.built or self.quantization_mode is not None:
            BuiltinLayer.dtype_policy.fset(self, policy)  # type: ignore[attr-defined]
            return
        self._check_mode(mode)
        if MODES[mode].calibrated:
            raise ArgumentError(
                f"Implicitly enabling {mode.upper()} quantization by setting `dtype_policy` to '{mode}' is not supported."
                f" {mode.upper()} requires a calibration dataset and a `{configs.MODES[mode].__name__}` object. Please use"
                f" the `.quantize('{mode}', config=...)` method on the layer or model instead."
            )
        sizes = {name: size for name, size in getattr(policy.value, "sizes", {}).items()}
        self._take_form(policy, configs.MODES[mode](**sizes))

    def quantize(self, mode: Any = None, type_check: bool = True, config: Any = None, **kwargs: Any) -> None:
        """Keeps the matrices in few bits from now on.

        Args:
            mode: "int8", "int4", "float8", "gptq" or "awq".
            type_check: whether subclasses are refused.
            config: a configuration of `keras.quantizers`.

        Raises:
            ValueError: the layer is not built or is quantised already, or the mode is unknown.
            NotImplementedError: the layer has no such mode, or is of a subclass.
        """
        config = configs.resolved(mode, config)
        self._check_is_built_to_quantize()
        if self.quantization_mode is not None:
            raise ArgumentError(
                f"Layer '{self.name}' is already quantized with dtype_policy='{self.dtype_policy.name}'."
                f" Received: mode={config.mode}"
            )
        if type_check and not type(self).is_facade():
            raise self._not_implemented_error("quantize")
        self._check_mode(config.mode)
        policy = MODES[config.mode].policy(config, self._policy_in_force.name)
        self._take_form(dtype_policies.get(policy.name), config)

    def quantized_build(self, input_shape: Any, mode: Any, config: Any = None) -> None:
        """Checks the mode; weights of a mode are made by `build` or `quantize`.

        Raises:
            NotImplementedError: the layer has no such mode.
        """
        self._check_mode(mode)

    def quantized_call(self, *args: Any, **kwargs: Any) -> Any:
        """The same as `call`, which computes by the policy."""
        self._check_mode(self.quantization_mode)
        return self.call(*args, **kwargs)

    def _take_form(self, policy: Any, config: Any) -> None:
        """Makes the variables of a quantised policy in the place of those that it replaces."""
        own = vars(self)
        old = {name: jnp.asarray(cell.value) for name, cell in own.items() if isinstance(cell, Variable)}
        mode = MODES[policy.quantization_mode]
        matrices = self._matrices({name: tuple(value.shape) for name, value in old.items()})
        if hasattr(self, "_matrix"):
            matrices[0] = self._matrix
        self._tracker.unlock()
        for matrix in matrices:
            if mode.stored(matrix, policy.value) is not None:
                self._untrack_variable(own.pop(matrix.name))
        self.quantization_config = config.without_data()
        BuiltinLayer.dtype_policy.fset(self, policy)  # type: ignore[attr-defined]
        for matrix in matrices:
            stored = mode.stored(matrix, policy.value)
            if stored is not None:
                self._add_declared(stored)
            self._add_beside(matrix)
        for name, value in quantized_values(self, self, old).items():
            if name not in old or own[name].dtype != str(old[name].dtype) or own[name].shape != old[name].shape:
                own[name].assign(jnp.asarray(value).reshape(own[name].shape))
        self._lock_state()


def weight_attributes(name: str) -> dict[str, Any]:
    """The attributes of a layer for a weight: what it computes with, and what is kept."""
    return {name: AdaptedWeight(), f"_{name}": property(lambda layer: vars(layer)[name])}
