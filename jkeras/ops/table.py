"""Every function of `keras.ops` by name; those of images and the activations with a prefix (`image.resize`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jkeras import activations
from jkeras.dispatch import public
from jkeras.ops import arrays, convolution, images, mathematics, neural, structure

# What an operation in a graph applies.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    **arrays.TABLE,
    **structure.TABLE,
    **mathematics.TABLE,
    **neural.TABLE,
    **convolution.TABLE,
    **{f"image.{name}": function for name, function in images.TABLE.items()},
    **{f"activations.{name}": function for name, function in activations.TABLE.items()},
}

# What users call.
PUBLIC: dict[str, Callable[..., Any]] = {
    **{
        name: public(name, function)
        for name, function in FUNCTIONS.items()
        if name != "getitem" and not name.startswith("activations.")
    },
    **arrays.PLAIN,
    **structure.PLAIN,
    **mathematics.PLAIN,
}

# Those whose result in one row of a batch depends on that row only, whatever their other arguments.
ROWWISE = frozenset(
    """abs absolute add angle arccos arccosh arcsin arcsinh arctan arctan2 arctanh bitwise_and bitwise_invert
    bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor cast cbrt ceil celu clip conj conjugate
    copy cos cosh deg2rad divide divide_no_nan elu equal erf erfc erfinv exp exp2 expm1 fabs floor floor_divide fmax
    fmin fmod full_like gelu greater greater_equal hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh heaviside
    hypot imag isfinite isinf isnan leaky_relu left_shift less less_equal log log10 log1p log2 log_sigmoid logaddexp
    logical_and logical_not logical_or logical_xor maximum minimum mod multiply nan_to_num negative not_equal ones_like
    power rad2deg real reciprocal relu relu6 right_shift round rsqrt saturate_cast selu sigmoid sign signbit silu sin
    sinc sinh soft_shrink softplus softsign sparse_plus sparse_sigmoid sqrt square squareplus stop_gradient subtract
    swish tan tanh tanh_shrink threshold true_divide trunc where zeros_like image.affine_transform image.crop_images
    image.gaussian_blur image.hsv_to_rgb image.pad_images image.resize image.rgb_to_grayscale image.rgb_to_hsv
    image.sobel_edges dot_product_attention""".split()
) | {f"activations.{name}" for name in activations.TABLE if name not in ("glu", "softmax", "log_softmax", "sparsemax")}
