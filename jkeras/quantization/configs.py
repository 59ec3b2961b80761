"""Configurations of quantisation: quantizers, group sizes, calibration data; with the names of `keras.quantizers`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from jkeras import arguments
from jkeras.errors import ArgumentError, suggestion
from jkeras.quantization.quantizers import AbsMaxQuantizer, Quantizer
from jkeras.registry import named_table, resolve
from jkeras.values.fields import field
from jkeras.values.spec import Spec

INT4_RANGE = (-8, 7)
BITS = (2, 3, 4, 8)


def _quantizer(value: Any) -> Any:
    return resolve("quantizer", named_table(Quantizer, AbsMaxQuantizer), value)


class QuantizationConfig(Spec):
    """Base of configurations; each subclass is for one mode.

    Args:
        weight_quantizer: quantises weights to integers; None means the mode's default.
        activation_quantizer: quantises inputs to integers; None leaves them in floating point.
    """

    keras_module = "keras.quantizers"
    _mode: ClassVar[str | None] = None
    # The arguments that are data, which are not part of the configuration.
    _data: ClassVar[tuple[str, ...]] = ()

    weight_quantizer: Any = field(default=None, convert=_quantizer)
    activation_quantizer: Any = field(default=None, convert=_quantizer)

    @property
    def mode(self) -> str:
        """The mode of quantisation."""
        if self._mode is None:
            raise NotImplementedError(
                "Subclasses must implement this property. Do not instantiate QuantizationConfig directly."
            )
        return self._mode

    @property
    def policy_mode(self) -> str:
        """The mode with its sizes, as in names of policies: "int4/128"."""
        return self.mode

    @staticmethod
    def weight_quantizer_or_default(config: Any, default: Any) -> Any:
        """The weight quantizer of a configuration (or None)."""
        quantizer = None if config is None else config.weight_quantizer
        return default if quantizer is None else quantizer

    @staticmethod
    def activation_quantizer_or_default(config: Any, default: Any) -> Any:
        """The input quantizer of a configuration (or None)."""
        return default if config is None else config.activation_quantizer

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **dict.fromkeys(self._data)}

    def without_data(self) -> Self:
        """The part that layers store."""
        return self


class Int8QuantizationConfig(QuantizationConfig):
    """8-bit integers, with one scale per output.

    Args:
        weight_quantizer: quantises weights to integers; None scales by the largest absolute value.
        activation_quantizer: quantises inputs to integers; None leaves them in floating point.

    >>> Int8QuantizationConfig(activation_quantizer=None).mode
    'int8'
    """

    _mode: ClassVar[str | None] = "int8"

    weight_quantizer: Any = field(default=None, convert=_quantizer)
    activation_quantizer: Any = field(
        default="default", convert=lambda value: AbsMaxQuantizer() if value == "default" else _quantizer(value)
    )

    def __post_init__(self) -> None:
        _check_dtype(self)


class Int4QuantizationConfig(QuantizationConfig):
    """4-bit integers, two per byte.

    Args:
        weight_quantizer: quantises weights to integers; only without groups.
        activation_quantizer: quantises inputs to integers; None or "default" leaves them in floating point. Only without groups.
        block_size: the number of inputs that share a scale and a zero; None or -1 means one scale per output and no zeros.

    Raises:
        ArgumentError: the size is not positive, the range of a quantizer is not `(-8, 7)`, or there are groups and a quantizer.

    >>> Int4QuantizationConfig(block_size=None).policy_mode
    'int4/-1'
    """

    _mode: ClassVar[str | None] = "int4"

    weight_quantizer: Any = field(default=None, convert=_quantizer)
    activation_quantizer: Any = field(
        default="default", convert=lambda value: None if value == "default" else _quantizer(value)
    )
    block_size: int | None = field(default=128, convert=arguments.optional(arguments.integer))

    def __post_init__(self) -> None:
        size = self.block_size
        if size is not None and size != -1 and size <= 0:
            raise ArgumentError(
                "Int4QuantizationConfig: block_size must be None, -1, or a positive integer."
                f" Received: block_size={size}."
            )
        if self.is_grouped and (self.weight_quantizer is not None or self.activation_quantizer is not None):
            raise ArgumentError(
                "Int4QuantizationConfig: Int4 sub-channel quantization (block_size > 0) does not support custom quantizers."
                " Either set block_size to None or -1 for per-channel quantization, or remove the custom quantizer"
                f" arguments. Received: block_size={size}."
            )
        if self.weight_quantizer is not None and tuple(self.weight_quantizer.value_range) != INT4_RANGE:
            raise ArgumentError(
                "Int4QuantizationConfig requires a weight_quantizer with value_range=(-8, 7)."
                f" Received: value_range={self.weight_quantizer.value_range}."
            )
        _check_dtype(self)

    @property
    def is_grouped(self) -> bool:
        """Whether groups of inputs have their own scales and zeros."""
        return self.block_size is not None and self.block_size > 0

    @property
    def policy_mode(self) -> str:
        return f"int4/{-1 if self.block_size is None else self.block_size}"

    @classmethod
    def from_config(cls, config: Mapping[str, Any], **options: Any) -> Self:
        """Also restores configurations of older files without groups."""
        return super().from_config({"block_size": None, **config}, **options)


class Float8QuantizationConfig(QuantizationConfig, own_arguments=True):
    """8-bit floats during training. There are no options."""

    _mode: ClassVar[str | None] = "float8"


class CalibratedConfig(QuantizationConfig):
    """Base for modes with calibration data: integers from 0 to 2 ** bits - 1, with a scale and a zero."""

    _data: ClassVar[tuple[str, ...]] = ("dataset", "tokenizer")

    @property
    def policy_mode(self) -> str:
        return self.dtype_policy_string()

    def dtype_policy_string(self) -> str:
        """The mode with its bits and group size, as in names of policies: "gptq/4/128"."""
        own = vars(self)
        return f"{self.mode}/{own['weight_bits']}/{own['group_size']}"

    def without_data(self) -> Self:
        return self.replace(dataset=None, tokenizer=None, quantization_layer_structure=None)


def _group_size(value: object) -> int:
    size = arguments.integer(value)
    if size < -1 or size == 0:
        raise ArgumentError("expected a positive integer, or -1 for no groups")
    return size


def _positive(name: str) -> Any:
    def convert(value: object) -> int:
        try:
            return arguments.positive_int(value)
        except ArgumentError:
            raise ArgumentError(f"expected a number: {name} must be a positive integer.") from None

    return convert


class GPTQConfig(CalibratedConfig, own_arguments=True):
    """Weights with few bits, rounded input by input so that the layer's output on calibration data changes least.

    Frantar et al., "GPTQ: accurate post-training quantization for generative pre-trained transformers", arXiv:2210.17323.

    Args:
        dataset: the calibration data: arrays of inputs, or texts for the `tokenizer`.
        tokenizer: converts texts to ids; None if the data contains ids.
        weight_bits: the number of bits: 2, 3, 4 or 8.
        num_samples: the number of samples to use.
        per_channel: whether each output has its own scale.
        sequence_length: the length of each sample.
        hessian_damping: the amount that is added to the diagonal of the Hessian, as a fraction of its mean.
        group_size: the number of inputs that share a scale and a zero; -1 means all.
        symmetric: whether ranges are symmetric around zero.
        activation_order: whether to process inputs in order of importance.
        quantization_layer_structure: `{"pre_block_layers": [...], "sequential_blocks": [...]}`: the layers before the blocks,
            and the blocks, each fed with the output of the previous one after quantisation.

    >>> GPTQConfig(None, None, weight_bits=8, group_size=-1).dtype_policy_string()
    'gptq/8/-1'
    """

    _mode: ClassVar[str | None] = "gptq"

    dataset: Any = field()  # type: ignore[misc] # the base class's arguments are not inherited
    tokenizer: Any = field()  # type: ignore[misc]
    weight_bits: int = field(default=4, kw_only=True, convert=arguments.one_of(*BITS))
    num_samples: int = field(default=128, kw_only=True, convert=_positive("num_samples"))
    per_channel: bool = field(default=True, kw_only=True, convert=arguments.boolean)
    sequence_length: int = field(default=512, kw_only=True, convert=_positive("sequence_length"))
    hessian_damping: float = field(default=0.01, kw_only=True, convert=arguments.between(0, 1))
    group_size: int = field(default=128, kw_only=True, convert=_group_size)
    symmetric: bool = field(default=False, kw_only=True, convert=arguments.boolean)
    activation_order: bool = field(default=False, kw_only=True, convert=arguments.boolean)
    quantization_layer_structure: Any = field(default=None, kw_only=True)


class AWQConfig(CalibratedConfig, own_arguments=True):
    """4-bit weights, scaled before rounding so that those that matter most on calibration data lose least.

    Lin et al., "AWQ: activation-aware weight quantization for LLM compression and acceleration", arXiv:2306.00978.

    Args:
        dataset: the calibration data: arrays of inputs, or texts for the `tokenizer`.
        tokenizer: converts texts to ids; None if the data contains ids.
        weight_bits: 4.
        num_samples: the number of samples to use.
        sequence_length: the length of each sample.
        group_size: the number of inputs that share a scale and a zero; -1 means all.
        num_grid_points: the number of scalings to try.
        quantization_layer_structure: see `GPTQConfig`.

    >>> AWQConfig(None, None).dtype_policy_string()
    'awq/4/128'
    """

    _mode: ClassVar[str | None] = "awq"

    dataset: Any = field()  # type: ignore[misc] # the base class's arguments are not inherited
    tokenizer: Any = field()  # type: ignore[misc]
    weight_bits: int = field(default=4, kw_only=True, convert=arguments.one_of(4))
    num_samples: int = field(default=128, kw_only=True, convert=_positive("num_samples"))
    sequence_length: int = field(default=512, kw_only=True, convert=_positive("sequence_length"))
    group_size: int = field(default=128, kw_only=True, convert=_group_size)
    num_grid_points: int = field(default=20, kw_only=True, convert=_positive("num_grid_points"))
    quantization_layer_structure: Any = field(default=None, kw_only=True)


def _check_dtype(config: QuantizationConfig) -> None:
    quantizer = config.weight_quantizer
    if quantizer is not None and quantizer.output_dtype != "int8":
        raise ArgumentError(
            f"{type(config).__name__} requires a weight_quantizer with output_dtype='int8'."
            f" Received: output_dtype={quantizer.output_dtype}."
        )


TABLE: dict[str, Any] = named_table(
    Quantizer,
    AbsMaxQuantizer,
    QuantizationConfig,
    Int8QuantizationConfig,
    Int4QuantizationConfig,
    Float8QuantizationConfig,
    GPTQConfig,
    AWQConfig,
)
MODES: dict[str, Any] = {str(cls._mode): cls for cls in TABLE.values() if getattr(cls, "_mode", None) is not None}


def get(identifier: Any) -> Any:
    """The quantizer or configuration that a name, a configuration dict, a class or an object means; None stays None.

    Raises:
        ArgumentError: it is none of these.
    """
    known = isinstance(identifier, (Quantizer, QuantizationConfig))
    return identifier if known else resolve("quantizer", TABLE, identifier)


def resolved(mode: str | None, config: Any) -> Any:
    """The configuration that `quantize(mode, config)` means.

    Raises:
        ArgumentError: the mode is unknown, contradicts the configuration, or needs one.
    """
    if isinstance(config, str):
        mode, config = config, None
    if mode is not None and mode not in MODES:
        raise ArgumentError(
            f"quantize(mode={mode!r}): Invalid quantization mode. Expected one of {tuple(MODES)}. Received: mode={mode}."
            f"{suggestion(mode, MODES) if isinstance(mode, str) else ''}"
        )
    if config is None:
        if mode is None:
            raise ArgumentError("quantize(): You must provide either `mode` or `config` to `quantize`.")
        if issubclass(MODES[mode], CalibratedConfig):
            name = MODES[mode].__name__
            raise ArgumentError(
                f"quantize({mode!r}): For {mode.upper()}, you must pass a `{name}` object in the `config` argument; it has the"
                f" calibration data: `quantize({mode!r}, config=jk.quantizers.{name}(data, None, ...))`."
            )
        return MODES[mode]()
    if not isinstance(config, QuantizationConfig):
        raise ArgumentError(
            "quantize(config=...): Argument `config` must be an instance of `QuantizationConfig`."
            f" Received: config={config} (of type {type(config)})."
        )
    if mode is not None and config.mode != mode:
        raise ArgumentError(f"quantize(): Contradictory arguments: mode='{mode}' but config.mode='{config.mode}'.")
    if config.mode not in MODES:
        return resolved(config.mode, None)
    if issubclass(MODES[config.mode], CalibratedConfig) and not isinstance(config, MODES[config.mode]):
        name = MODES[config.mode].__name__
        raise ArgumentError(
            f"quantize(config=...): Mode {config.mode!r} requires a valid `config` argument of type `{name}`."
            f" Received: {type(config)}."
        )
    return config


__all__ = [
    "AWQConfig",
    "Float8QuantizationConfig",
    "GPTQConfig",
    "Int4QuantizationConfig",
    "Int8QuantizationConfig",
    "QuantizationConfig",
]
