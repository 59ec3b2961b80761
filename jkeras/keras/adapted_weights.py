"""Layers whose weights change form in place (`quantize`, `enable_lora`), with the effects on files and attributes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import jax.numpy as jnp

from jkeras import dtypes
from jkeras.errors import ArgumentError
from jkeras.graph.in_files import in_files
from jkeras.keras import dtype_policies
from jkeras.keras.builtin import BuiltinLayer
from jkeras.keras.mutable import value_of
from jkeras.keras.variables import Variable
from jkeras.keras.views import is_view
from jkeras.layers.quantizable import FORM, QuantizableLayer
from jkeras.quantization import configs
from jkeras.quantization.calibrated_modes import table_of
from jkeras.quantization.matrix import Contraction
from jkeras.quantization.table import MODES


class AdaptedWeight:
    """The attribute of a weight that may have a low-rank update (LoRA): the effective weight.

    In a view, it is the stored array.
    """

    def __set_name__(self, owner: Any, name: str) -> None:
        self.name = name

    def __get__(self, layer: Any, owner: Any = None) -> Any:
        if layer is None:
            return self
        own = vars(layer)
        return own[self.name] if self.name in own and is_view(layer) else layer.effective_weight(self.name)

    def __set__(self, layer: Any, value: Any) -> None:
        vars(layer)[self.name] = value

    def __delete__(self, layer: Any) -> None:
        del vars(layer)[self.name]


class LowRankFacade(BuiltinLayer):
    """Base of layers that support low-rank adaptation (LoRA)."""

    overrides: ClassVar[tuple[str, ...]] = ("lora_enabled",)

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
        """Whether training only changes a low-rank update."""
        return self.lora_rank is not None

    def effective_weight(self, name: str) -> Any:
        """The weight with its low-rank update, as numbers.

        Raises:
            AttributeError: the layer is not built.
        """
        own = vars(self)
        if name not in own:
            raise AttributeError(f"You must build the layer before accessing `{name}`.")
        return self._shown_weight(own[name])

    def _shown_weight(self, cell: Any) -> Any:
        return self._with_adapters(jnp.asarray(cell)) if self._has_adapters else cell

    def _changed_form(self) -> dict[str, Any]:
        own = vars(self)
        form = {name: value_of(own[name]) for name in FORM if name != "dtype" and own.get(name) is not None}
        if self.quantization_mode is not None:
            form["dtype"] = dtypes.get(self._policy_in_force.name)
        return form

    @property
    def _left_alone(self) -> Variable | None:
        return vars(self).get(self._adapted) if self._has_adapters else None

    @property
    def _has_adapters(self) -> bool:
        return self.lora_enabled and self.factor_names[1] in vars(self)

    @property
    def _adapted_shape(self) -> tuple[int, ...]:
        return tuple(vars(self)[self._adapted].shape)

    def enable_lora(
        self,
        rank: int,
        lora_alpha: float | None = None,
        a_initializer: Any = "he_uniform",
        b_initializer: Any = "zeros",
    ) -> None:
        """Enables LoRA: training changes two low-rank factors, whose product is added to the frozen weight.

        Args:
            rank: the rank of the update, the inner size of the factors.
            lora_alpha: the product is scaled by `lora_alpha / rank`; None means no scaling.
            a_initializer: the initializer of the first factor.
            b_initializer: the initializer of the second factor.

        Raises:
            ValueError: the layer is not built, already has LoRA, or has a constraint.
            NotImplementedError: its quantisation mode does not support LoRA.
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
        """The variables to save, by attribute, in the order of files."""
        rule = in_files(type(self))
        names = {id(cell): name for name, cell in vars(self).items() if isinstance(cell, Variable)}
        cells = [*self._trainable_variables, *self._non_trainable_variables]
        named_cells = {names.get(id(cell), f"{place}"): cell for place, cell in enumerate(cells)}
        return {name: named_cells[name] for name in rule.in_order(named_cells, key=str)}

    def save_own_variables(self, store: Any) -> None:
        """Saves the layer's own variables to a dict-like store, with a low-rank update merged into the weight."""
        cells = self._cells_in_files()
        values: Mapping[str, Any] = cells
        if self._has_adapters:
            own = {**cells, **{name: vars(self)[name] for name in self.factor_names}}
            values = self.merged_values({name: jnp.asarray(cell.value) for name, cell in own.items()})
        for place, name in enumerate(cells):
            store[f"{place}"] = values[name]

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Reads what `save_own_variables` stored.

        Raises:
            ValueError: the number of variables is wrong.
        """
        cells = self._cells_in_files()
        if not self._has_adapters and len(store.keys()) != len(cells):
            super().load_own_variables(store)  # raises an error that says what is wrong
        for place, cell in enumerate(cells.values()):
            cell.assign(store[f"{place}"])
        if (
            self._has_adapters
        ):  # the update is now part of the weight; the first factor remains, so that there is a gradient
            cell = vars(self)[self.factor_names[1]]
            cell.assign(jnp.zeros(cell.shape, cell.dtype))


class QuantizableFacade(LowRankFacade):
    """Base of layers that can be quantised."""

    overrides: ClassVar[tuple[str, ...]] = (*LowRankFacade.overrides, "_form_policy", "quantized_product")

    def effective_weight(self, name: str) -> Any:
        """The weight with its low-rank update, as numbers."""
        own = vars(self)
        if "quantized_kernel" in own and not self._waits:
            return self._numbers_of(own["quantized_kernel"])
        return super().effective_weight(name)

    @property
    def _form_policy(self) -> Any:
        """The policy that determines the sizes."""
        policy, mode = self._policy_in_force, self._mode
        return policy if mode is None else mode.sized(policy.value, self.quantization_config)

    @property
    def _adapted_shape(self) -> tuple[int, ...]:
        shape: tuple[int, ...] = self._matrix.shape
        return shape

    def _shown_weight(self, cell: Any) -> Any:
        mode = self._mode
        if mode is None or self._waits or mode.stored(self._matrix, self._form_policy) is None:
            return super()._shown_weight(cell)
        return self._numbers_of(cell)

    def _numbers_of(self, cell: Any) -> Any:
        mode: Any = self._mode
        stored = jnp.asarray(cell.value)
        numbers = mode.numbers(self._matrix, stored, self._form_policy)
        if self._has_adapters:
            return self._with_adapters(numbers)
        return cell if numbers is stored else numbers

    @property
    def dtype_policy(self) -> Any:
        """The dtypes for computation and weights; assigning a quantised policy quantises existing weights."""
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
        self._take_form(policy, configs.MODES[mode](**policy.value.sizes))

    def quantize(self, mode: Any = None, type_check: bool = True, config: Any = None, **kwargs: Any) -> None:
        """Quantises the layer's matrices.

        Args:
            mode: "int8", "int4", "float8", "gptq" or "awq".
            type_check: whether to reject subclasses.
            config: a configuration of `keras.quantizers`.

        Raises:
            ValueError: the layer is not built or is already quantised, or the mode is unknown.
            NotImplementedError: the layer does not support the mode, or is a subclass.
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

    def calibrate(self, known: Any, config: Any) -> None:
        """Rounds the kernel of a layer in a mode with calibration data.

        Args:
            known: the statistics of the layer's inputs that the mode collected.
            config: the configuration of the mode.
        """
        mode: Any = self._mode
        cell = vars(self)[self._adapted]
        values = mode.calibrate(self._matrix, jnp.asarray(cell.value), known, config)
        self._tracker.unlock()
        self._untrack_variable(vars(self).pop(self._adapted))
        for name, value in values.items():
            vars(self)[name].assign(value)
        self._lock_state()

    @property
    def _waits(self) -> bool:
        """Whether the layer waits for calibration and still computes with its float weight."""
        mode, own = self._mode, vars(self)
        return mode is not None and mode.calibrated and self._adapted in own and not own.get("_calibrated", False)

    @property
    def is_gptq_calibrated(self) -> bool:
        """Whether GPTQ has rounded the kernel; may be set after assigning the quantised values."""
        return self.quantization_mode is not None and not self._waits

    @is_gptq_calibrated.setter
    def is_gptq_calibrated(self, value: bool) -> None:
        vars(self)["_calibrated"] = value

    is_awq_calibrated = is_gptq_calibrated

    @property
    def kernel_table(self) -> tuple[int, int]:
        """The kernel's sizes as a matrix of inputs and outputs, for modes with calibration data."""
        return table_of(self._matrix.shape)

    @property
    def inputs_quantizer(self) -> Any:
        """The quantizer of inputs; None leaves them in floating point."""
        return self._use().activations

    # Internal names of Keras that libraries read.

    @property
    def _int4_block_size(self) -> int | None:
        config = self.quantization_config
        return config.block_size if isinstance(config, configs.Int4QuantizationConfig) else None

    @property
    def _is_quantized(self) -> bool:
        return self.built and self.quantization_mode is not None

    _orig_input_dim = property(lambda self: self._matrix.table[0])
    _orig_output_dim = _int4_unpacked_column_size = property(lambda self: self._matrix.table[1])
    original_kernel_shape = property(lambda self: self._matrix.shape)

    def quantized_product(
        self, matrix: Any, equation: str, inputs: Any, training: Any = None, adapted: bool = True
    ) -> Any:
        if self._waits:
            return Contraction.of(equation, inputs.ndim)(inputs, vars(self)[matrix.name])
        return QuantizableLayer.quantized_product(self, matrix, equation, inputs, training, adapted)  # type: ignore[arg-type]

    def quantized_build(self, input_shape: Any, mode: Any, config: Any = None) -> None:
        """Checks the mode; `build` or `quantize` creates the weights of a mode.

        Raises:
            NotImplementedError: the layer does not support the mode.
        """
        self._check_mode(mode)

    def quantized_call(self, *args: Any, **kwargs: Any) -> Any:
        """The same as `call`, which follows the policy."""
        self._check_mode(self.quantization_mode)
        return self.call(*args, **kwargs)

    def _take_form(self, policy: Any, config: Any) -> None:
        """Creates the variables of a quantised policy, replacing the float ones."""
        own = vars(self)
        old = {name: jnp.asarray(cell.value) for name, cell in own.items() if isinstance(cell, Variable)}
        mode = MODES[policy.quantization_mode]
        self.quantization_config = config.without_data()
        matrices = self.matrices_of({name: tuple(value.shape) for name, value in old.items()})
        if hasattr(self, "_matrix"):
            matrices[0] = self._matrix
        self._tracker.unlock()
        BuiltinLayer.dtype_policy.fset(self, policy)  # type: ignore[attr-defined]
        if mode.calibrated:  # until calibration the layer computes with its float weight
            for matrix in matrices:
                self._add_declared(mode.stored(matrix, self._form_policy))
                self._add_beside(matrix)
            self._lock_state()
            return
        for matrix in matrices:
            if mode.stored(matrix, self._form_policy) is not None:
                self._untrack_variable(own.pop(matrix.name))
        for matrix in matrices:
            stored = mode.stored(matrix, self._form_policy)
            if stored is not None:
                self._add_declared(stored)
            self._add_beside(matrix)
        for name, value in self.quantized_values(matrices, old).items():
            if name not in old or own[name].dtype != str(old[name].dtype) or own[name].shape != old[name].shape:
                own[name].assign(jnp.asarray(value).reshape(own[name].shape))
        self._lock_state()


def weight_attributes(name: str) -> dict[str, Any]:
    """The attributes of a layer for a weight: the effective and the stored one."""
    return {name: AdaptedWeight(), f"_{name}": property(lambda layer: vars(layer)[name])}
