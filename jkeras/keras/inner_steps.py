"""Keras's inner steps: methods that its layers call inside `call`, `build` or the constructor, and that subclasses may override.

Some layers here have the same steps and use a subclass's (`Attention._calculate_scores`). Others compute in one piece what
Keras computes in steps. A subclass that overrides a step of these would silently compute something else; it gets an error.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from jkeras.errors import UnsupportedError

# Where Keras calls a step, and so where a subclass that overrides it meets an error: in `call`, `build` or the constructor.
Steps = Mapping[str, tuple[str, ...]]


def _steps(**places: str) -> Steps:
    return {place: tuple(names.split()) for place, names in places.items()}


_IMAGE = """_is_batched _transform_value_range _unwrap_value_range _get_seed_generator _format_single_input_bounding_box
    _format_single_output_bounding_box _compute_affine_matrix convert_weight"""
_LOOP = "_maybe_config_dropout_masks _maybe_reset_dropout_masks"
_RANGES = "_set_value_range"
_ELEMENTWISE = "_compute_elemwise_op_output_shape"

# The steps that the layers here do not take, by class; those of an image layer are added to `_IMAGE`.
NOT_TAKEN: dict[str, Steps] = {
    **dict.fromkeys("Add Average Multiply Subtract".split(), _steps(call=_ELEMENTWISE)),
    **dict.fromkeys("Maximum Minimum".split(), _steps(call=f"{_ELEMENTWISE} _apply_merge_op_and_or_mask")),
    "AlphaDropout": _steps(call="_get_concrete_noise_shape"),
    "Bidirectional": _steps(
        construction="_verify_layer_config",
        call="_can_attempt_fused_lstm _call_fused_lstm _can_attempt_fused_gru _call_fused_gru",
    ),
    "CategoryEncoding": _steps(call="_encode"),
    **dict.fromkeys(("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"), _steps(call=f"{_LOOP} get_initial_state")),
    **dict.fromkeys(("DepthwiseConv1D", "DepthwiseConv2D"), _steps(build="_get_input_channel")),
    "Dropout": _steps(construction="_validate_noise_shape"),
    "EinsumDense": _steps(build="_update_kernel_initializer"),
    "GroupNormalization": _steps(call="_reshape_into_groups _apply_normalization _create_broadcast_shape"),
    "GroupQueryAttention": _steps(build="_get_common_kwargs_for_sublayer", call="_compute_causal_mask"),
    "MelSpectrogram": _steps(call="_spectrogram _melscale _dbscale _hertz_to_mel"),
    "MultiHeadAttention": _steps(
        build="_get_common_kwargs_for_sublayer _make_output_dense", call="_compute_causal_mask"
    ),
    "Normalization": _steps(call="convert_weight"),
    "RNN": _steps(call=_LOOP),
}
_IMAGE_STEPS: dict[str, Steps] = {
    "AugMix": _steps(call="_sample_from_dirichlet", construction="_set_factor"),
    "AutoContrast": _steps(construction=_RANGES),
    "ContrastLimitedAdaptiveHistogramEqualization": _steps(call="_clahe", construction="_set_factor"),
    "CutMix": _steps(call="_generate_batch_mask _compute_crop_bounds _generate_mix_weight", construction="_set_factor"),
    "Equalization": _steps(
        call="_custom_histogram_fixed_width _scale_values _equalize_channel _apply_equalization", construction=_RANGES
    ),
    "MaxNumBoundingBoxes": _steps(construction="_set_factor"),
    "MixUp": _steps(construction="_set_factor"),
}


def steps_not_taken(name: str, is_image_layer: bool = False) -> Steps:
    """The steps that a class does not take, in addition to those of its base."""
    if not is_image_layer:
        return NOT_TAKEN.get(name, {})
    own = _IMAGE_STEPS.get(name, {})
    return {**own, "call": (*_IMAGE.split(), *own.get("call", ()))}


@functools.lru_cache(maxsize=4096)
def overridden(cls: type, *names: str) -> str | None:
    """The first of some methods that a user's class overrides; None if all are those of the built-in class."""
    for base in cls.__mro__:
        own = vars(base)
        if own.get("description") is not None:
            return None
        for name in names:
            if name in own:
                return name
    return None


@functools.lru_cache(maxsize=4096)
def _complaint(cls: Any, place: str) -> str | None:
    steps = [name for base in cls.__mro__ for name in vars(base).get("_steps_not_taken", {}).get(place, ())]
    name = overridden(cls, *dict.fromkeys(steps))
    if name is None:
        return None
    built_in = next(base for base in cls.__mro__ if vars(base).get("description") is not None)
    where = "the constructor" if place == "construction" else f"`{place}`"
    instead = "`call`" if place == "construction" else where
    return (
        f"{cls.__name__} overrides `{name}`, which {where} of {built_in.__name__} does not use here, so it would have no"
        f" effect. Override {instead} instead."
    )


def check_steps(cls: Any, place: str) -> None:
    """Raises an error if a subclass overrides a step that is not taken at a place.

    Raises:
        UnsupportedError: it does.
    """
    complaint = _complaint(cls, place)
    if complaint is not None:
        raise UnsupportedError(complaint)
