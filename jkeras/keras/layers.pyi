"""Written by `scripts/keras_stubs.py`; do not edit."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from jkeras.keras.adapted_weights import LowRankFacade, QuantizableFacade
from jkeras.keras.builtin import BuiltinLayer
from jkeras.keras.input import InputLayer as InputLayer
from jkeras.keras.input import InputSpec as InputSpec
from jkeras.keras.layer import Layer as Layer

class Activation(BuiltinLayer):
    """Applies an activation function."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    activation: Any
    def __init__(
        self,
        activation: Any,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class ActivityRegularization(BuiltinLayer):
    """Returns its input and adds a penalty on it, divided by the batch size, to the loss."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    l1: Any
    l2: Any
    def __init__(
        self,
        l1: float = 0.0,
        l2: float = 0.0,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class AdaptiveAveragePooling1D(BuiltinLayer):
    """The means of `output_size` windows over time."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    output_size: Any
    data_format: Any
    def __init__(
        self,
        output_size: Any,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class AdaptiveAveragePooling2D(BuiltinLayer):
    """The means of `output_size` windows over each image."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    output_size: Any
    data_format: Any
    def __init__(
        self,
        output_size: Any,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class AdaptiveAveragePooling3D(BuiltinLayer):
    """The means of `output_size` windows over each volume."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    output_size: Any
    data_format: Any
    def __init__(
        self,
        output_size: Any,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class AdaptiveMaxPooling1D(BuiltinLayer):
    """The largest values of `output_size` windows over time."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    output_size: Any
    data_format: Any
    def __init__(
        self,
        output_size: Any,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class AdaptiveMaxPooling2D(BuiltinLayer):
    """The largest values of `output_size` windows over each image."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    output_size: Any
    data_format: Any
    def __init__(
        self,
        output_size: Any,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class AdaptiveMaxPooling3D(BuiltinLayer):
    """The largest values of `output_size` windows over each volume."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    output_size: Any
    data_format: Any
    def __init__(
        self,
        output_size: Any,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class Add(BuiltinLayer):
    """The sum of the inputs."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    def compute_mask(self, inputs: Any, mask: Any = None) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def merge(self, inputs: Any) -> Any: ...

class AlphaDropout(BuiltinLayer):
    """Dropout that keeps mean and variance, for networks of `selu` units."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    rate: Any
    noise_shape: Any
    seed: Any
    def __init__(
        self,
        rate: float,
        noise_shape: Any = None,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any, training: bool = False) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class Attention(BuiltinLayer):
    """Dot-product attention (Luong et al., 2015, arXiv:1508.04025): `softmax(query @ key.T) @ value`, unscaled."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    use_scale: Any
    score_mode: Any
    dropout: Any
    seed: Any
    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, input_shape: Any) -> None: ...
    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool | None = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any: ...
    def compute_mask(self, inputs: Any, mask: Any = None) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class AugMix(BuiltinLayer):
    """The weighted mean of each image with several changed forms of it (Hendrycks et al., 2019)."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    value_range: Any
    num_chains: Any
    chain_depth: Any
    factor: Any
    alpha: Any
    all_ops: Any
    interpolation: Any
    seed: Any
    data_format: Any
    def __init__(
        self,
        value_range: Any = ...,
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Any = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...
    @property
    def generator(self) -> Any: ...

class AutoContrast(BuiltinLayer):
    """Stretches every channel of every image so that it reaches both ends of the range, in training and in inference."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    value_range: Any
    data_format: Any
    def __init__(
        self,
        value_range: Any = ...,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
        data_format: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...

class Average(BuiltinLayer):
    """The mean of the inputs."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    def compute_mask(self, inputs: Any, mask: Any = None) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def merge(self, inputs: Any) -> Any: ...

class AveragePooling1D(BuiltinLayer):
    """The mean of each window of `(batch, time, channels)`; padding does not count."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    pool_size: Any
    strides: Any
    padding: Any
    data_format: Any
    name: Any
    def __init__(
        self,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: Any = None,
        name: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class AveragePooling2D(BuiltinLayer):
    """The mean of each window of images; padding does not count."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    pool_size: Any
    strides: Any
    padding: Any
    data_format: Any
    name: Any
    def __init__(
        self,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: Any = None,
        name: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class AveragePooling3D(BuiltinLayer):
    """The mean of each window of volumes; padding does not count."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    pool_size: Any
    strides: Any
    padding: Any
    data_format: Any
    name: Any
    def __init__(
        self,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: Any = None,
        name: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class BatchNormalization(BuiltinLayer):
    """Centres and scales each channel by its mean and variance over the batch."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    axis: Any
    momentum: Any
    epsilon: Any
    center: Any
    scale: Any
    beta_initializer: Any
    gamma_initializer: Any
    moving_mean_initializer: Any
    moving_variance_initializer: Any
    beta_regularizer: Any
    gamma_regularizer: Any
    beta_constraint: Any
    gamma_constraint: Any
    renorm: Any
    renorm_clipping: Any
    renorm_momentum: Any
    synchronized: Any
    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, input_shape: tuple[int | None, ...]) -> None: ...
    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class Bidirectional(BuiltinLayer):
    """Runs a recurrent layer forwards and a second one backwards, and merges their outputs step by step."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    layer: Any
    merge_mode: Any
    weights: Any
    backward_layer: Any
    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(
        self,
        sequences: Any,
        initial_state: Any = None,
        mask: Any = None,
        training: bool | None = None,
    ) -> Any: ...
    def compute_mask(self, inputs: Any, mask: Any = None, *, previous_mask: Any = None) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None: ...
    def reset_state(self) -> None: ...
    def reset_states(self) -> None: ...

class CategoryEncoding(BuiltinLayer):
    """Integers as vectors."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    num_tokens: Any
    output_mode: Any
    sparse: Any
    def __init__(
        self,
        num_tokens: int | None = None,
        output_mode: str = "multi_hot",
        sparse: bool = False,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = False,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class CenterCrop(BuiltinLayer):
    """The middle of images; smaller images are cut to the proportions and resized."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    height: Any
    width: Any
    data_format: Any
    def __init__(
        self,
        height: int,
        width: int,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...

class Concatenate(BuiltinLayer):
    """Joins the inputs along an axis; all other sizes must agree."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    axis: Any
    def __init__(
        self,
        axis: int = -1,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    def compute_mask(self, inputs: Any, mask: Any = None) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class ContrastLimitedAdaptiveHistogramEqualization(BuiltinLayer):
    """Equalizes the values of each part of an image, with a limit to how much contrast may grow (CLAHE, Zuiderveld 1994)."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    value_range: Any
    clip_limit: Any
    tile_grid_size: Any
    data_format: Any
    def __init__(
        self,
        value_range: Any = ...,
        clip_limit: float = 4.0,
        tile_grid_size: Any = ...,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...

class Conv1D(LowRankFacade):
    """Convolution over time."""

    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    lora_rank: Any
    lora_alpha: Any
    filters: Any
    kernel_size: Any
    strides: Any
    padding: Any
    data_format: Any
    dilation_rate: Any
    groups: Any
    activation: Any
    use_bias: Any
    kernel_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    bias_regularizer: Any
    activity_regularizer: Any
    kernel_constraint: Any
    bias_constraint: Any
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: Any = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        *,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, input_shape: tuple[int | None, ...]) -> None: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class Conv1DTranspose(BuiltinLayer):
    """Transposed convolution over time."""

    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    filters: Any
    kernel_size: Any
    strides: Any
    padding: Any
    output_padding: Any
    data_format: Any
    dilation_rate: Any
    activation: Any
    use_bias: Any
    kernel_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    bias_regularizer: Any
    activity_regularizer: Any
    kernel_constraint: Any
    bias_constraint: Any
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: Any = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        *,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, input_shape: tuple[int | None, ...]) -> None: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class Conv2D(LowRankFacade):
    """Convolution over images."""

    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    lora_rank: Any
    lora_alpha: Any
    filters: Any
    kernel_size: Any
    strides: Any
    padding: Any
    data_format: Any
    dilation_rate: Any
    groups: Any
    activation: Any
    use_bias: Any
    kernel_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    bias_regularizer: Any
    activity_regularizer: Any
    kernel_constraint: Any
    bias_constraint: Any
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = ...,
        padding: str = "valid",
        data_format: Any = None,
        dilation_rate: Any = ...,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        *,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, input_shape: tuple[int | None, ...]) -> None: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class Conv2DTranspose(BuiltinLayer):
    """Transposed convolution over images."""

    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    filters: Any
    kernel_size: Any
    strides: Any
    padding: Any
    output_padding: Any
    data_format: Any
    dilation_rate: Any
    activation: Any
    use_bias: Any
    kernel_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    bias_regularizer: Any
    activity_regularizer: Any
    kernel_constraint: Any
    bias_constraint: Any
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = ...,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: Any = None,
        dilation_rate: Any = ...,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        *,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, input_shape: tuple[int | None, ...]) -> None: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class Conv3D(LowRankFacade):
    """Convolution over volumes."""

    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    lora_rank: Any
    lora_alpha: Any
    filters: Any
    kernel_size: Any
    strides: Any
    padding: Any
    data_format: Any
    dilation_rate: Any
    groups: Any
    activation: Any
    use_bias: Any
    kernel_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    bias_regularizer: Any
    activity_regularizer: Any
    kernel_constraint: Any
    bias_constraint: Any
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = ...,
        padding: str = "valid",
        data_format: Any = None,
        dilation_rate: Any = ...,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        *,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, input_shape: tuple[int | None, ...]) -> None: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class Conv3DTranspose(BuiltinLayer):
    """Transposed convolution over volumes."""

    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    filters: Any
    kernel_size: Any
    strides: Any
    padding: Any
    data_format: Any
    output_padding: Any
    dilation_rate: Any
    activation: Any
    use_bias: Any
    kernel_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    bias_regularizer: Any
    activity_regularizer: Any
    kernel_constraint: Any
    bias_constraint: Any
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = ...,
        padding: str = "valid",
        data_format: Any = None,
        output_padding: Any = None,
        dilation_rate: Any = ...,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        *,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, input_shape: tuple[int | None, ...]) -> None: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class Cropping1D(BuiltinLayer):
    """Cuts time steps off at the start and the end of `(batch, time, features)`."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    cropping: Any
    def __init__(
        self,
        cropping: Any = ...,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class Cropping2D(BuiltinLayer):
    """Cuts borders off images."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    cropping: Any
    data_format: Any
    def __init__(
        self,
        cropping: Any = ...,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class Cropping3D(BuiltinLayer):
    """Cuts borders off volumes."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    cropping: Any
    data_format: Any
    def __init__(
        self,
        cropping: Any = ...,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class CutMix(BuiltinLayer):
    """A rectangle of each image comes from another one of the batch; labels are mixed by area (Yun et al., 2019)."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    factor: Any
    seed: Any
    data_format: Any
    def __init__(
        self,
        factor: Any = 1.0,
        seed: int | None = None,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...
    @property
    def generator(self) -> Any: ...

class Dense(QuantizableFacade):
    """A fully connected layer: `activation(inputs @ kernel + bias)` over the last axis."""

    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    units: Any
    activation: Any
    use_bias: Any
    kernel_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    bias_regularizer: Any
    activity_regularizer: Any
    kernel_constraint: Any
    bias_constraint: Any
    lora_rank: Any
    lora_alpha: Any
    quantization_config: Any
    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        *,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, input_shape: tuple[int | None, ...]) -> None: ...
    def call(self, inputs: Any, training: bool | None = None) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class DepthwiseConv1D(BuiltinLayer):
    """Depthwise convolution over time."""

    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    kernel_size: Any
    strides: Any
    padding: Any
    depth_multiplier: Any
    data_format: Any
    dilation_rate: Any
    activation: Any
    use_bias: Any
    depthwise_initializer: Any
    bias_initializer: Any
    depthwise_regularizer: Any
    bias_regularizer: Any
    activity_regularizer: Any
    depthwise_constraint: Any
    bias_constraint: Any
    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: Any = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        *,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, input_shape: tuple[int | None, ...]) -> None: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class DepthwiseConv2D(BuiltinLayer):
    """Depthwise convolution over images."""

    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    kernel_size: Any
    strides: Any
    padding: Any
    depth_multiplier: Any
    data_format: Any
    dilation_rate: Any
    activation: Any
    use_bias: Any
    depthwise_initializer: Any
    bias_initializer: Any
    depthwise_regularizer: Any
    bias_regularizer: Any
    activity_regularizer: Any
    depthwise_constraint: Any
    bias_constraint: Any
    def __init__(
        self,
        kernel_size: Any,
        strides: Any = ...,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: Any = None,
        dilation_rate: Any = ...,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        *,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, input_shape: tuple[int | None, ...]) -> None: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class Discretization(BuiltinLayer):
    """Numbers as the bins between given boundaries, or between quantiles of data (`adapt`)."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bin_boundaries: Any
    num_bins: Any
    epsilon: Any
    output_mode: Any
    sparse: Any
    def __init__(
        self,
        bin_boundaries: Any = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = False,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def reset_state(self) -> None: ...
    def update_state(self, data: Any) -> None: ...
    def finalize_state(self) -> None: ...
    def adapt(self, data: Any, steps: int | None = None) -> None: ...
    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]: ...
    def compute_output_spec(self, inputs: Any) -> Any: ...
    @property
    def input_dtype(self) -> Any: ...
    @property
    def output_dtype(self) -> Any: ...

class Dot(BuiltinLayer):
    """The dot product of two inputs over given axes, sample by sample."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    axes: Any
    normalize: Any
    def __init__(
        self,
        axes: Any,
        normalize: bool = False,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    def compute_mask(self, inputs: Any, mask: Any = None) -> None: ...
    @property
    def input_spec(self) -> Any: ...

class Dropout(BuiltinLayer):
    """In training, sets a random fraction of the values to 0 and scales up the rest, so that the expected sum is kept."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    rate: Any
    noise_shape: Any
    seed: Any
    def __init__(
        self,
        rate: float,
        noise_shape: Any = None,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any, training: bool = False) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class ELU(BuiltinLayer):
    """`x` above 0 and `alpha * (exp(x) - 1)` below."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    alpha: Any
    def __init__(
        self,
        alpha: float = 1.0,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class EinsumDense(QuantizableFacade):
    """A fully connected layer over the axes that an equation names: `activation(einsum(equation, x, kernel) + bias)`."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    equation: Any
    output_shape: Any
    activation: Any
    bias_axes: Any
    kernel_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    bias_constraint: Any
    lora_rank: Any
    lora_alpha: Any
    gptq_unpacked_column_size: Any
    quantization_config: Any
    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        gptq_unpacked_column_size: int | None = None,
        quantization_config: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, input_shape: tuple[int | None, ...]) -> None: ...
    def call(self, inputs: Any, training: bool | None = None) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class Embedding(QuantizableFacade):
    """A table of vectors, one for each integer id."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    input_dim: Any
    output_dim: Any
    embeddings_initializer: Any
    embeddings_regularizer: Any
    embeddings_constraint: Any
    mask_zero: Any
    weights: Any
    lora_rank: Any
    lora_alpha: Any
    quantization_config: Any
    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = False,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, input_shape: Any = None) -> None: ...
    def call(self, inputs: Any) -> Any: ...
    def compute_mask(self, inputs: Any, mask: Any = None, *, previous_mask: Any = None) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class Equalization(BuiltinLayer):
    """Makes all values of a channel about equally frequent, in training."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    value_range: Any
    bins: Any
    data_format: Any
    def __init__(
        self,
        value_range: Any = ...,
        bins: int = 256,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...

class Flatten(BuiltinLayer):
    """Flattens all axes but the first."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    data_format: Any
    def __init__(
        self,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class FlaxLayer(BuiltinLayer):
    """A Flax module, Linen or NNX, as a layer."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    module: Any
    method: Any
    variables: Any
    def __init__(
        self,
        module: Any,
        method: Any = None,
        variables: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any, training: bool | None = None) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def build(self, input_shape: Any) -> None: ...

class GRUCell(BuiltinLayer):
    """One step of a GRU."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    units: Any
    activation: Any
    recurrent_activation: Any
    use_bias: Any
    kernel_initializer: Any
    recurrent_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    recurrent_regularizer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    recurrent_constraint: Any
    bias_constraint: Any
    dropout: Any
    recurrent_dropout: Any
    reset_after: Any
    seed: Any
    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, inputs_shape: tuple[Any, ...]) -> None: ...
    def call(self, inputs: Any, states: Any, training: bool | None = False) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    @property
    def can_run(self) -> Any: ...
    def draw_masks(self, inputs: Any, states: Any, training: Any) -> None: ...
    def forget_masks(self) -> None: ...
    def get_dropout_mask(self, step_input: Any) -> Any: ...
    def get_recurrent_dropout_mask(self, step_input: Any) -> Any: ...
    def reset_dropout_mask(self) -> None: ...
    def reset_recurrent_dropout_mask(self) -> None: ...

class GaussianDropout(BuiltinLayer):
    """Multiplies by normal noise of mean 1 and standard deviation `sqrt(rate / (1 - rate))` in training."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    rate: Any
    seed: Any
    def __init__(
        self,
        rate: float,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any, training: bool = False) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class GaussianNoise(BuiltinLayer):
    """Adds normal noise in training."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    stddev: Any
    seed: Any
    def __init__(
        self,
        stddev: float,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any, training: bool = False) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class GlobalAveragePooling1D(BuiltinLayer):
    """The mean over time; masked steps do not count."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    data_format: Any
    keepdims: Any
    def __init__(
        self,
        data_format: Any = None,
        keepdims: bool = False,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any, mask: Any = None) -> Any: ...
    def compute_mask(self, inputs: Any, mask: Any = None, *, previous_mask: Any = None) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class GlobalAveragePooling2D(BuiltinLayer):
    """The mean over each image."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    data_format: Any
    keepdims: Any
    def __init__(
        self,
        data_format: Any = None,
        keepdims: bool = False,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class GlobalAveragePooling3D(BuiltinLayer):
    """The mean over each volume."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    data_format: Any
    keepdims: Any
    def __init__(
        self,
        data_format: Any = None,
        keepdims: bool = False,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class GlobalMaxPooling1D(BuiltinLayer):
    """The largest value over time."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    data_format: Any
    keepdims: Any
    def __init__(
        self,
        data_format: Any = None,
        keepdims: bool = False,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class GlobalMaxPooling2D(BuiltinLayer):
    """The largest value over each image."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    data_format: Any
    keepdims: Any
    def __init__(
        self,
        data_format: Any = None,
        keepdims: bool = False,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class GlobalMaxPooling3D(BuiltinLayer):
    """The largest value over each volume."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    data_format: Any
    keepdims: Any
    def __init__(
        self,
        data_format: Any = None,
        keepdims: bool = False,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class GroupNormalization(BuiltinLayer):
    """Centres and scales each sample over groups of channels and all other axes."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    groups: Any
    axis: Any
    epsilon: Any
    center: Any
    scale: Any
    beta_initializer: Any
    gamma_initializer: Any
    beta_regularizer: Any
    gamma_regularizer: Any
    beta_constraint: Any
    gamma_constraint: Any
    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, input_shape: tuple[int | None, ...]) -> None: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class GroupQueryAttention(BuiltinLayer):
    """Attention in which groups of query heads share a key and a value head (Ainslie et al., 2023, arXiv:2305.13245)."""

    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    head_dim: Any
    num_query_heads: Any
    num_key_value_heads: Any
    dropout: Any
    use_bias: Any
    sliding_window: Any
    flash_attention: Any
    kernel_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    bias_regularizer: Any
    activity_regularizer: Any
    kernel_constraint: Any
    bias_constraint: Any
    use_gate: Any
    seed: Any
    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        *,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None: ...
    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    @property
    def query_dense(self) -> Any: ...
    @property
    def key_dense(self) -> Any: ...
    @property
    def value_dense(self) -> Any: ...
    @property
    def gate_dense(self) -> Any: ...
    @property
    def output_dense(self) -> Any: ...

class HashedCrossing(BuiltinLayer):
    """Puts combinations of features into bins by a hash that never changes, the one of Keras, on the host."""

    activity_regularizer: Any
    trainable: Any
    autocast: Any
    num_bins: Any
    output_mode: Any
    sparse: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        autocast: bool = True,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def compute_output_spec(self, inputs: Any) -> Any: ...
    def compute_output_shape(self, input_shape: Any) -> Any: ...

class Hashing(BuiltinLayer):
    """Puts strings or integers into bins by a hash that never changes, the one of Keras."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    num_bins: Any
    mask_value: Any
    salt: Any
    output_mode: Any
    sparse: Any
    def __init__(
        self,
        num_bins: int,
        mask_value: int | str | None = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def compute_output_spec(self, inputs: Any) -> Any: ...
    def compute_output_shape(self, input_shape: Any) -> Any: ...

class Identity(BuiltinLayer):
    """Returns its input unchanged."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class IntegerLookup(BuiltinLayer):
    """Integers to ids `0, 1, ...` by a vocabulary, or back. Works inside models too."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    max_tokens: Any
    num_oov_indices: Any
    mask_token: Any
    oov_token: Any
    vocabulary: Any
    vocabulary_dtype: Any
    idf_weights: Any
    invert: Any
    output_mode: Any
    sparse: Any
    pad_to_max_tokens: Any
    oov_method: Any
    salt: Any
    name: Any
    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def compute_output_spec(self, inputs: Any) -> Any: ...
    def compute_output_shape(self, input_shape: Any) -> Any: ...
    def reset_state(self) -> None: ...
    def update_state(self, data: Any) -> None: ...
    def finalize_state(self) -> None: ...
    def adapt(self, data: Any, steps: int | None = None) -> None: ...
    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None: ...
    def save_assets(self, dir_path: str) -> None: ...
    def load_assets(self, dir_path: str) -> None: ...

class JaxLayer(BuiltinLayer):
    """A JAX function as a layer, with its parameters and state as weights."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    call_fn: Any
    init_fn: Any
    params: Any
    state: Any
    seed: Any
    native_serialization_platforms: Any
    def __init__(
        self,
        call_fn: Callable[..., Any],
        init_fn: Any = None,
        params: Any = None,
        state: Any = None,
        seed: int | None = None,
        native_serialization_platforms: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any, training: bool | None = None) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def build(self, input_shape: Any) -> None: ...

class LSTMCell(BuiltinLayer):
    """One step of an LSTM."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    units: Any
    activation: Any
    recurrent_activation: Any
    use_bias: Any
    kernel_initializer: Any
    recurrent_initializer: Any
    bias_initializer: Any
    unit_forget_bias: Any
    kernel_regularizer: Any
    recurrent_regularizer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    recurrent_constraint: Any
    bias_constraint: Any
    dropout: Any
    recurrent_dropout: Any
    seed: Any
    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, inputs_shape: tuple[Any, ...]) -> None: ...
    def call(self, inputs: Any, states: Any, training: bool | None = False) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    @property
    def can_run(self) -> Any: ...
    def draw_masks(self, inputs: Any, states: Any, training: Any) -> None: ...
    def forget_masks(self) -> None: ...
    def get_dropout_mask(self, step_input: Any) -> Any: ...
    def get_recurrent_dropout_mask(self, step_input: Any) -> Any: ...
    def reset_dropout_mask(self) -> None: ...
    def reset_recurrent_dropout_mask(self) -> None: ...
    def advance(self, projected: Any, states: Any) -> list[Any]: ...
    def recurrent_form(self) -> Any: ...

class Lambda(BuiltinLayer):
    """A function as a layer."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    function: Any
    output_shape: Any
    mask: Any
    arguments: Any
    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any: ...
    def compute_mask(self, inputs: Any, mask: Any = None, *, previous_mask: Any = None) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def get_config(self) -> dict[str, Any]: ...
    @classmethod
    def from_config(cls, config: Any, custom_objects: Any = None, safe_mode: bool | None = None) -> Any: ...

class LayerNormalization(BuiltinLayer):
    """Centres and scales each sample over the given axes."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    axis: Any
    epsilon: Any
    center: Any
    scale: Any
    beta_initializer: Any
    gamma_initializer: Any
    beta_regularizer: Any
    gamma_regularizer: Any
    beta_constraint: Any
    gamma_constraint: Any
    rms_scaling: Any
    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        rms_scaling: bool = False,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, input_shape: tuple[int | None, ...]) -> None: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class LeakyReLU(BuiltinLayer):
    """`x` above 0 and `negative_slope * x` below."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    negative_slope: Any
    def __init__(
        self,
        negative_slope: float = 0.3,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class Masking(BuiltinLayer):
    """Marks the time steps in which every feature equals a value, and sets them to zero."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    mask_value: Any
    def __init__(
        self,
        mask_value: float = 0.0,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    def compute_mask(self, inputs: Any, mask: Any = None, *, previous_mask: Any = None) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class MaxNumBoundingBoxes(BuiltinLayer):
    """The same number of boxes for every image: later ones are left out, missing ones filled in."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    max_number: Any
    fill_value: Any
    data_format: Any
    def __init__(
        self,
        max_number: int,
        fill_value: int = -1,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
        data_format: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...

class MaxPooling1D(BuiltinLayer):
    """The largest value of each window of `(batch, time, channels)`."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    pool_size: Any
    strides: Any
    padding: Any
    data_format: Any
    name: Any
    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: Any = None,
        name: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class MaxPooling2D(BuiltinLayer):
    """The largest value of each window of images."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    pool_size: Any
    strides: Any
    padding: Any
    data_format: Any
    name: Any
    def __init__(
        self,
        pool_size: Any = ...,
        strides: Any = None,
        padding: str = "valid",
        data_format: Any = None,
        name: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class MaxPooling3D(BuiltinLayer):
    """The largest value of each window of volumes."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    pool_size: Any
    strides: Any
    padding: Any
    data_format: Any
    name: Any
    def __init__(
        self,
        pool_size: Any = ...,
        strides: Any = None,
        padding: str = "valid",
        data_format: Any = None,
        name: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class Maximum(BuiltinLayer):
    """The largest of the inputs."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    def compute_mask(self, inputs: Any, mask: Any = None) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def merge(self, inputs: Any) -> Any: ...

class MelSpectrogram(BuiltinLayer):
    """Spectrograms on the mel scale, which follows how people hear pitch."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    fft_length: Any
    sequence_stride: Any
    sequence_length: Any
    window: Any
    sampling_rate: Any
    num_mel_bins: Any
    min_freq: Any
    max_freq: Any
    power_to_db: Any
    top_db: Any
    mag_exp: Any
    min_power: Any
    ref_power: Any
    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: Any = "hann",
        sampling_rate: Any = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class Minimum(BuiltinLayer):
    """The smallest of the inputs."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    def compute_mask(self, inputs: Any, mask: Any = None) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def merge(self, inputs: Any) -> Any: ...

class MixUp(BuiltinLayer):
    """The weighted mean of each image with another one of the batch, and of their labels (Zhang et al., 2017)."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    alpha: Any
    data_format: Any
    seed: Any
    def __init__(
        self,
        alpha: float = 0.2,
        data_format: Any = None,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...
    @property
    def generator(self) -> Any: ...

class MultiHeadAttention(BuiltinLayer):
    """Attention of several heads (Vaswani et al., 2017, arXiv:1706.03762)."""

    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    num_heads: Any
    key_dim: Any
    value_dim: Any
    dropout: Any
    use_bias: Any
    output_shape: Any
    attention_axes: Any
    sliding_window: Any
    flash_attention: Any
    kernel_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    bias_regularizer: Any
    activity_regularizer: Any
    kernel_constraint: Any
    bias_constraint: Any
    use_gate: Any
    seed: Any
    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        *,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None: ...
    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    @property
    def query_dense(self) -> Any: ...
    @property
    def key_dense(self) -> Any: ...
    @property
    def value_dense(self) -> Any: ...
    @property
    def gate_dense(self) -> Any: ...
    @property
    def output_dense(self) -> Any: ...

class Multiply(BuiltinLayer):
    """The product of the inputs."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    def compute_mask(self, inputs: Any, mask: Any = None) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def merge(self, inputs: Any) -> Any: ...

class Normalization(BuiltinLayer):
    """Shifts and scales features to mean 0 and variance 1, with statistics that are passed or computed by `adapt`."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    axis: Any
    mean: Any
    variance: Any
    invert: Any
    def __init__(
        self,
        axis: Any = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def build(self, input_shape: Any) -> None: ...
    def adapt(self, data: Any) -> None: ...
    def finalize_state(self) -> None: ...

class PReLU(BuiltinLayer):
    """`x` above 0 and `alpha * x` below, with a learned alpha per value."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    alpha_initializer: Any
    alpha_regularizer: Any
    alpha_constraint: Any
    shared_axes: Any
    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, input_shape: tuple[int | None, ...]) -> None: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class Permute(BuiltinLayer):
    """Reorders the axes of each sample, numbered from 1."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    dims: Any
    def __init__(
        self,
        dims: tuple[int, ...],
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class Pipeline(BuiltinLayer):
    """Layers one after the other, as a plain layer: for preparing data, in a model or outside it."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    layers: Any
    name: Any
    def __init__(
        self,
        layers: Any,
        name: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any, training: bool = True, mask: Any = None) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> Any: ...

class RMSNormalization(BuiltinLayer):
    """Scales each sample by the root mean square over the given axes."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    axis: Any
    epsilon: Any
    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-06,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, input_shape: tuple[int | None, ...]) -> None: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class RNN(BuiltinLayer):
    """Runs a cell over the time axis, in one compiled loop for any length."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    cell: Any
    return_sequences: Any
    return_state: Any
    go_backwards: Any
    stateful: Any
    unroll: Any
    zero_output_for_mask: Any
    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None: ...
    def call(
        self,
        sequences: Any,
        initial_state: Any = None,
        mask: Any = None,
        training: bool | None = False,
    ) -> Any: ...
    def compute_mask(self, inputs: Any, mask: Any = None, *, previous_mask: Any = None) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def known_output(self, inputs: Any) -> Any: ...
    @property
    def states(self) -> Any: ...
    def reset_state(self) -> None: ...
    def reset_states(self) -> None: ...
    def loop(self, sequences: Any, states: Any, mask: Any, training: Any) -> tuple[Any, Any, Any]: ...
    def inner_loop(
        self,
        sequences: Any,
        initial_state: Any,
        mask: Any = None,
        training: Any = False,
    ) -> tuple[Any, Any, Any]: ...

class RandAugment(BuiltinLayer):
    """A few operations, chosen at random for each image out of eleven (Cubuk et al., 2019)."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    value_range: Any
    num_ops: Any
    factor: Any
    interpolation: Any
    seed: Any
    data_format: Any
    def __init__(
        self,
        value_range: Any = ...,
        num_ops: int = 2,
        factor: Any = 0.5,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...
    @property
    def generator(self) -> Any: ...

class RandomBrightness(BuiltinLayer):
    """Adds a random number to each image, cut to the range of values."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    factor: Any
    value_range: Any
    seed: Any
    data_format: Any
    def __init__(
        self,
        factor: Any,
        value_range: Any = ...,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
        data_format: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...
    @property
    def generator(self) -> Any: ...

class RandomColorDegeneration(BuiltinLayer):
    """Mixes each image with its grey form."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    factor: Any
    value_range: Any
    data_format: Any
    seed: Any
    def __init__(
        self,
        factor: Any,
        value_range: Any = ...,
        data_format: Any = None,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...
    @property
    def generator(self) -> Any: ...

class RandomColorJitter(BuiltinLayer):
    """Changes brightness, contrast, saturation and hue, one after the other; None leaves one out."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    value_range: Any
    brightness_factor: Any
    contrast_factor: Any
    saturation_factor: Any
    hue_factor: Any
    seed: Any
    data_format: Any
    def __init__(
        self,
        value_range: Any = ...,
        brightness_factor: Any = None,
        contrast_factor: Any = None,
        saturation_factor: Any = None,
        hue_factor: Any = None,
        seed: int | None = None,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...
    @property
    def generator(self) -> Any: ...

class RandomContrast(BuiltinLayer):
    """`(x - mean) * factor + mean` with the mean of each image and channel, cut to the range of values."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    factor: Any
    value_range: Any
    seed: Any
    data_format: Any
    def __init__(
        self,
        factor: Any,
        value_range: Any = ...,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
        data_format: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...
    @property
    def generator(self) -> Any: ...

class RandomCrop(BuiltinLayer):
    """A random part of images in training, the same part of every image of a batch; otherwise the image resized."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    bounding_box_format: Any
    height: Any
    width: Any
    seed: Any
    data_format: Any
    name: Any
    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: Any = None,
        name: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        bounding_box_format: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...
    @property
    def generator(self) -> Any: ...

class RandomElasticTransform(BuiltinLayer):
    """Bends images by smooth random shifts, different for each image (Simard et al., 2003)."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    factor: Any
    scale: Any
    interpolation: Any
    fill_mode: Any
    fill_value: Any
    value_range: Any
    seed: Any
    data_format: Any
    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = 1.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        value_range: Any = ...,
        seed: int | None = None,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...
    @property
    def generator(self) -> Any: ...

class RandomErasing(BuiltinLayer):
    """Fills a rectangle of some images (Zhong et al., 2017)."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    factor: Any
    scale: Any
    fill_value: Any
    value_range: Any
    seed: Any
    data_format: Any
    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = ...,
        fill_value: Any = None,
        value_range: Any = ...,
        seed: int | None = None,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...
    @property
    def generator(self) -> Any: ...

class RandomFlip(BuiltinLayer):
    """Mirrors each image with probability one half, in each direction on its own."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    mode: Any
    seed: Any
    data_format: Any
    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...
    @property
    def generator(self) -> Any: ...

class RandomGaussianBlur(BuiltinLayer):
    """Smooths some images by a Gaussian."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    factor: Any
    kernel_size: Any
    sigma: Any
    value_range: Any
    data_format: Any
    seed: Any
    def __init__(
        self,
        factor: Any = 1.0,
        kernel_size: Any = 3,
        sigma: Any = 1.0,
        value_range: Any = ...,
        data_format: Any = None,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...
    @property
    def generator(self) -> Any: ...

class RandomGrayscale(BuiltinLayer):
    """Makes some images grey; they keep their channels."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    factor: Any
    data_format: Any
    seed: Any
    def __init__(
        self,
        factor: float = 0.5,
        data_format: Any = None,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...
    @property
    def generator(self) -> Any: ...

class RandomHue(BuiltinLayer):
    """Turns the hue of each image by a random angle, to either side."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    factor: Any
    value_range: Any
    data_format: Any
    seed: Any
    def __init__(
        self,
        factor: Any,
        value_range: Any = ...,
        data_format: Any = None,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...
    @property
    def generator(self) -> Any: ...

class RandomInvert(BuiltinLayer):
    """Replaces the colours of some images by `value_range[1] - x`."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    factor: Any
    value_range: Any
    seed: Any
    data_format: Any
    def __init__(
        self,
        factor: Any = 1.0,
        value_range: Any = ...,
        seed: int | None = None,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...
    @property
    def generator(self) -> Any: ...

class RandomPerspective(BuiltinLayer):
    """Moves the corners of each image at random, as if it were seen from another position."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    factor: Any
    scale: Any
    interpolation: Any
    fill_value: Any
    seed: Any
    data_format: Any
    def __init__(
        self,
        factor: Any = 1.0,
        scale: float = 1.0,
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        seed: int | None = None,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...
    @property
    def generator(self) -> Any: ...

class RandomPosterization(BuiltinLayer):
    """Keeps only the first bits of each value."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    factor: Any
    value_range: Any
    data_format: Any
    seed: Any
    def __init__(
        self,
        factor: Any,
        value_range: Any = ...,
        data_format: Any = None,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...
    @property
    def generator(self) -> Any: ...

class RandomRotation(BuiltinLayer):
    """Turns each image by a random angle around its middle."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    factor: Any
    fill_mode: Any
    interpolation: Any
    seed: Any
    fill_value: Any
    data_format: Any
    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...
    @property
    def generator(self) -> Any: ...

class RandomSaturation(BuiltinLayer):
    """Makes the colours of each image weaker or stronger."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    factor: Any
    value_range: Any
    data_format: Any
    seed: Any
    def __init__(
        self,
        factor: Any,
        value_range: Any = ...,
        data_format: Any = None,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...
    @property
    def generator(self) -> Any: ...

class RandomSharpness(BuiltinLayer):
    """Mixes each image with a softer form of it, or moves it away from that."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    factor: Any
    value_range: Any
    data_format: Any
    seed: Any
    def __init__(
        self,
        factor: Any,
        value_range: Any = ...,
        data_format: Any = None,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...
    @property
    def generator(self) -> Any: ...

class RandomShear(BuiltinLayer):
    """Moves the rows of each image to one side, in proportion to their height, and the columns up or down."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    x_factor: Any
    y_factor: Any
    interpolation: Any
    fill_mode: Any
    fill_value: Any
    data_format: Any
    seed: Any
    def __init__(
        self,
        x_factor: Any = 0.0,
        y_factor: Any = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: Any = None,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...
    @property
    def generator(self) -> Any: ...

class RandomTranslation(BuiltinLayer):
    """Shifts each image."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    height_factor: Any
    width_factor: Any
    fill_mode: Any
    interpolation: Any
    seed: Any
    fill_value: Any
    data_format: Any
    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...
    @property
    def generator(self) -> Any: ...

class RandomZoom(BuiltinLayer):
    """Enlarges or shrinks each image around its middle."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    height_factor: Any
    width_factor: Any
    fill_mode: Any
    interpolation: Any
    seed: Any
    fill_value: Any
    data_format: Any
    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...
    @property
    def generator(self) -> Any: ...

class ReLU(BuiltinLayer):
    """`max(x, threshold)` with a slope below and a ceiling."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    max_value: Any
    negative_slope: Any
    threshold: Any
    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class RepeatVector(BuiltinLayer):
    """Repeats each sample along a new axis of time."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    n: Any
    def __init__(
        self,
        n: int,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class Rescaling(BuiltinLayer):
    """`inputs * scale + offset`, for example `Rescaling(1 / 255)`."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    scale: Any
    offset: Any
    def __init__(
        self,
        scale: Any,
        offset: Any = 0.0,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class Reshape(BuiltinLayer):
    """Reshapes each sample; one size may be -1."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    target_shape: Any
    def __init__(
        self,
        target_shape: tuple[int, ...],
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class Resizing(BuiltinLayer):
    """Images of another size, in the type they have; see `jkeras.ops.image.resize` for the arguments."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    height: Any
    width: Any
    interpolation: Any
    crop_to_aspect_ratio: Any
    pad_to_aspect_ratio: Any
    fill_mode: Any
    fill_value: Any
    antialias: Any
    data_format: Any
    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...

class ReversibleEmbedding(QuantizableFacade):
    """An embedding that is also used in reverse: `layer(vectors, reverse=True)` returns scores of all ids."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    input_dim: Any
    output_dim: Any
    tie_weights: Any
    embeddings_initializer: Any
    embeddings_regularizer: Any
    embeddings_constraint: Any
    mask_zero: Any
    reverse_dtype: Any
    logit_soft_cap: Any
    weights: Any
    lora_rank: Any
    lora_alpha: Any
    quantization_config: Any
    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        reverse_dtype: str | None = None,
        logit_soft_cap: float | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = False,
        name: str | None = None,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, input_shape: Any = None) -> None: ...
    def call(self, inputs: Any, reverse: bool = False) -> Any: ...
    def compute_mask(self, inputs: Any, mask: Any = None, *, previous_mask: Any = None) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class STFTSpectrogram(BuiltinLayer):
    """The short-time Fourier transform of signals, as a convolution whose kernels can be trained."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    mode: Any
    frame_length: Any
    frame_step: Any
    fft_length: Any
    window: Any
    periodic: Any
    scaling: Any
    padding: Any
    expand_dims: Any
    data_format: Any
    def __init__(
        self,
        mode: str = "log",
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: Any = "hann",
        periodic: bool = False,
        scaling: str | None = "density",
        padding: str = "valid",
        expand_dims: bool = False,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, input_shape: Any) -> None: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class SeparableConv1D(BuiltinLayer):
    """Separable convolution over time: depthwise, then pointwise, one bias."""

    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    filters: Any
    kernel_size: Any
    strides: Any
    padding: Any
    data_format: Any
    dilation_rate: Any
    depth_multiplier: Any
    activation: Any
    use_bias: Any
    depthwise_initializer: Any
    pointwise_initializer: Any
    bias_initializer: Any
    depthwise_regularizer: Any
    pointwise_regularizer: Any
    bias_regularizer: Any
    activity_regularizer: Any
    depthwise_constraint: Any
    pointwise_constraint: Any
    bias_constraint: Any
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: Any = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        *,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, input_shape: tuple[int | None, ...]) -> None: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class SeparableConv2D(BuiltinLayer):
    """Separable convolution over images: depthwise, then pointwise, one bias."""

    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    filters: Any
    kernel_size: Any
    strides: Any
    padding: Any
    data_format: Any
    dilation_rate: Any
    depth_multiplier: Any
    activation: Any
    use_bias: Any
    depthwise_initializer: Any
    pointwise_initializer: Any
    bias_initializer: Any
    depthwise_regularizer: Any
    pointwise_regularizer: Any
    bias_regularizer: Any
    activity_regularizer: Any
    depthwise_constraint: Any
    pointwise_constraint: Any
    bias_constraint: Any
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = ...,
        padding: str = "valid",
        data_format: Any = None,
        dilation_rate: Any = ...,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        *,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, input_shape: tuple[int | None, ...]) -> None: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class SimpleRNNCell(BuiltinLayer):
    """One step of a plain recurrent network: `h' = activation(x @ W + h @ R + b)`."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    units: Any
    activation: Any
    use_bias: Any
    kernel_initializer: Any
    recurrent_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    recurrent_regularizer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    recurrent_constraint: Any
    bias_constraint: Any
    dropout: Any
    recurrent_dropout: Any
    seed: Any
    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, inputs_shape: tuple[Any, ...]) -> None: ...
    def call(self, inputs: Any, states: Any, training: bool | None = False) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    @property
    def can_run(self) -> Any: ...
    def draw_masks(self, inputs: Any, states: Any, training: Any) -> None: ...
    def forget_masks(self) -> None: ...
    def get_dropout_mask(self, step_input: Any) -> Any: ...
    def get_recurrent_dropout_mask(self, step_input: Any) -> Any: ...
    def reset_dropout_mask(self) -> None: ...
    def reset_recurrent_dropout_mask(self) -> None: ...

class Softmax(BuiltinLayer):
    """Exponentials scaled to sum to 1; masked positions get 0."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    axis: Any
    def __init__(
        self,
        axis: Any = -1,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any, mask: Any = None) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class Solarization(BuiltinLayer):
    """Adds a random number to each image, then inverts values above a random threshold: `x` becomes `255 - x`."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    bounding_box_format: Any
    addition_factor: Any
    threshold_factor: Any
    value_range: Any
    seed: Any
    data_format: Any
    def __init__(
        self,
        addition_factor: Any = 0.0,
        threshold_factor: Any = 0.0,
        value_range: Any = ...,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        bounding_box_format: str | None = None,
        data_format: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, data: Any, training: bool = True) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def transform_single_image(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_label(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_bounding_box(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform_single_segmentation_mask(self, data: Any, transformation: Any, training: bool = True) -> Any: ...
    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]: ...
    def compiled_as(self) -> Any: ...
    @property
    def generator(self) -> Any: ...

class StackedRNNCells(BuiltinLayer):
    """Stacks cells: the output of each is the input of the next."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    cells: Any
    def __init__(
        self,
        cells: Any,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any, states: Any, training: bool | None = False) -> tuple[Any, list[Any]]: ...
    @property
    def input_spec(self) -> Any: ...
    def build(self, input_shape: Any) -> None: ...
    def get_initial_state(self, batch_size: int | None = None) -> list[Any]: ...

class StringLookup(BuiltinLayer):
    """Strings to ids `0, 1, ...` by a vocabulary, or back, on the host: apply it to data before `fit`."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    max_tokens: Any
    num_oov_indices: Any
    mask_token: Any
    oov_token: Any
    vocabulary: Any
    idf_weights: Any
    invert: Any
    output_mode: Any
    pad_to_max_tokens: Any
    sparse: Any
    encoding: Any
    name: Any
    salt: Any
    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def compute_output_spec(self, inputs: Any) -> Any: ...
    def compute_output_shape(self, input_shape: Any) -> Any: ...
    def reset_state(self) -> None: ...
    def update_state(self, data: Any) -> None: ...
    def finalize_state(self) -> None: ...
    def adapt(self, data: Any, steps: int | None = None) -> None: ...
    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None: ...
    def save_assets(self, dir_path: str) -> None: ...
    def load_assets(self, dir_path: str) -> None: ...

class Subtract(BuiltinLayer):
    """The first input minus the second."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    def compute_mask(self, inputs: Any, mask: Any = None) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def merge(self, inputs: Any) -> Any: ...

class TextVectorization(BuiltinLayer):
    """Texts to ids of their words, on the host: apply it to the data before `fit`."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    max_tokens: Any
    standardize: Any
    split: Any
    ngrams: Any
    output_mode: Any
    output_sequence_length: Any
    pad_to_max_tokens: Any
    vocabulary: Any
    idf_weights: Any
    sparse: Any
    ragged: Any
    encoding: Any
    name: Any
    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: Any = "lower_and_strip_punctuation",
        split: Any = "whitespace",
        ngrams: Any = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def compute_output_spec(self, inputs: Any) -> Any: ...
    def compute_output_shape(self, input_shape: Any) -> Any: ...
    def reset_state(self) -> None: ...
    def update_state(self, data: Any) -> None: ...
    def finalize_state(self) -> None: ...
    def adapt(self, data: Any, steps: int | None = None) -> None: ...
    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None: ...
    def save_assets(self, dir_path: str) -> None: ...
    def load_assets(self, dir_path: str) -> None: ...

class UnitNormalization(BuiltinLayer):
    """Scales each sample to length 1 over the given axes; where the length is 0 it stays 0."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    axis: Any
    def __init__(
        self,
        axis: Any = -1,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class UpSampling1D(BuiltinLayer):
    """Repeats each time step."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    size: Any
    def __init__(
        self,
        size: int = 2,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class UpSampling2D(BuiltinLayer):
    """Makes images larger: `(batch, height, width, channels)`."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    size: Any
    data_format: Any
    interpolation: Any
    def __init__(
        self,
        size: Any = ...,
        data_format: Any = None,
        interpolation: str = "nearest",
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class UpSampling3D(BuiltinLayer):
    """Repeats the voxels of volumes."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    size: Any
    data_format: Any
    def __init__(
        self,
        size: Any = ...,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class Wrapper(BuiltinLayer):
    """Base of layers that wrap one other layer, `self.layer`. A subclass defines `call`."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    layer: Any
    def __init__(
        self,
        layer: Any,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def build(self, input_shape: Any = None) -> None: ...

class ZeroPadding1D(BuiltinLayer):
    """Adds zeros before and after the time axis of `(batch, time, features)`."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    padding: Any
    data_format: Any
    def __init__(
        self,
        padding: Any = 1,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class ZeroPadding2D(BuiltinLayer):
    """Adds zeros around images."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    padding: Any
    data_format: Any
    def __init__(
        self,
        padding: Any = ...,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class ZeroPadding3D(BuiltinLayer):
    """Adds zeros around volumes."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    padding: Any
    data_format: Any
    def __init__(
        self,
        padding: Any = ...,
        data_format: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class AdditiveAttention(Attention):
    """Additive attention (Bahdanau et al., 2015, arXiv:1409.0473): scores are `sum(scale * tanh(query + key))`."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    use_scale: Any
    score_mode: Any
    dropout: Any
    seed: Any
    def __init__(
        self,
        use_scale: bool = True,
        dropout: float = 0.0,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        score_mode: str = "dot",
        seed: int | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def build(self, input_shape: Any) -> None: ...
    @property
    def input_spec(self) -> Any: ...
    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool | None = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any: ...
    def compute_mask(self, inputs: Any, mask: Any = None) -> Any: ...

class ConvLSTM1D(RNN):
    """Convolutional LSTM over sequences of signals: `(batch, time, steps, channels)`. See `ConvLSTM2D`."""

    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    filters: Any
    kernel_size: Any
    strides: Any
    padding: Any
    data_format: Any
    dilation_rate: Any
    activation: Any
    recurrent_activation: Any
    use_bias: Any
    kernel_initializer: Any
    recurrent_initializer: Any
    bias_initializer: Any
    unit_forget_bias: Any
    kernel_regularizer: Any
    recurrent_regularizer: Any
    bias_regularizer: Any
    activity_regularizer: Any
    kernel_constraint: Any
    recurrent_constraint: Any
    bias_constraint: Any
    dropout: Any
    recurrent_dropout: Any
    seed: Any
    return_sequences: Any
    return_state: Any
    go_backwards: Any
    stateful: Any
    unroll: Any
    zero_output_for_mask: Any
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: Any = None,
        dilation_rate: Any = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        *,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class ConvLSTM2D(RNN):
    """Convolutional LSTM over sequences of images (Shi et al. 2015, "Convolutional LSTM Network")."""

    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    filters: Any
    kernel_size: Any
    strides: Any
    padding: Any
    data_format: Any
    dilation_rate: Any
    activation: Any
    recurrent_activation: Any
    use_bias: Any
    kernel_initializer: Any
    recurrent_initializer: Any
    bias_initializer: Any
    unit_forget_bias: Any
    kernel_regularizer: Any
    recurrent_regularizer: Any
    bias_regularizer: Any
    activity_regularizer: Any
    kernel_constraint: Any
    recurrent_constraint: Any
    bias_constraint: Any
    dropout: Any
    recurrent_dropout: Any
    seed: Any
    return_sequences: Any
    return_state: Any
    go_backwards: Any
    stateful: Any
    unroll: Any
    zero_output_for_mask: Any
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: Any = None,
        dilation_rate: Any = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        *,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class ConvLSTM3D(RNN):
    """Convolutional LSTM over sequences of volumes: `(batch, time, depth, rows, columns, channels)`. See `ConvLSTM2D`."""

    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    filters: Any
    kernel_size: Any
    strides: Any
    padding: Any
    data_format: Any
    dilation_rate: Any
    activation: Any
    recurrent_activation: Any
    use_bias: Any
    kernel_initializer: Any
    recurrent_initializer: Any
    bias_initializer: Any
    unit_forget_bias: Any
    kernel_regularizer: Any
    recurrent_regularizer: Any
    bias_regularizer: Any
    activity_regularizer: Any
    kernel_constraint: Any
    recurrent_constraint: Any
    bias_constraint: Any
    dropout: Any
    recurrent_dropout: Any
    seed: Any
    return_sequences: Any
    return_state: Any
    go_backwards: Any
    stateful: Any
    unroll: Any
    zero_output_for_mask: Any
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: Any = None,
        dilation_rate: Any = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        *,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class GRU(RNN):
    """Gated recurrent unit (Cho et al. 2014)."""

    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    units: Any
    activation: Any
    recurrent_activation: Any
    use_bias: Any
    kernel_initializer: Any
    recurrent_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    recurrent_regularizer: Any
    bias_regularizer: Any
    activity_regularizer: Any
    kernel_constraint: Any
    recurrent_constraint: Any
    bias_constraint: Any
    dropout: Any
    recurrent_dropout: Any
    seed: Any
    return_sequences: Any
    return_state: Any
    go_backwards: Any
    stateful: Any
    unroll: Any
    reset_after: Any
    use_cudnn: Any
    zero_output_for_mask: Any
    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        *,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        zero_output_for_mask: bool = False,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class LSTM(RNN):
    """Long short-term memory (Hochreiter and Schmidhuber 1997)."""

    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    units: Any
    activation: Any
    recurrent_activation: Any
    use_bias: Any
    kernel_initializer: Any
    recurrent_initializer: Any
    bias_initializer: Any
    unit_forget_bias: Any
    kernel_regularizer: Any
    recurrent_regularizer: Any
    bias_regularizer: Any
    activity_regularizer: Any
    kernel_constraint: Any
    recurrent_constraint: Any
    bias_constraint: Any
    dropout: Any
    recurrent_dropout: Any
    seed: Any
    return_sequences: Any
    return_state: Any
    go_backwards: Any
    stateful: Any
    unroll: Any
    use_cudnn: Any
    zero_output_for_mask: Any
    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: Any = "auto",
        *,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        zero_output_for_mask: bool = False,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class SimpleRNN(RNN):
    """A plain recurrent network (Elman 1990): `h' = activation(x @ W + h @ R + b)`."""

    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    units: Any
    activation: Any
    use_bias: Any
    kernel_initializer: Any
    recurrent_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    recurrent_regularizer: Any
    bias_regularizer: Any
    activity_regularizer: Any
    kernel_constraint: Any
    recurrent_constraint: Any
    bias_constraint: Any
    dropout: Any
    recurrent_dropout: Any
    return_sequences: Any
    return_state: Any
    go_backwards: Any
    stateful: Any
    unroll: Any
    seed: Any
    zero_output_for_mask: Any
    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        *,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        zero_output_for_mask: bool = False,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class SpatialDropout1D(Dropout):
    """Drops whole channels of `(batch, time, channels)`."""

    activity_regularizer: Any
    trainable: Any
    autocast: Any
    rate: Any
    seed: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        rate: float,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        autocast: bool = True,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class SpatialDropout2D(Dropout):
    """Drops whole channels of images."""

    activity_regularizer: Any
    trainable: Any
    autocast: Any
    rate: Any
    data_format: Any
    seed: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        rate: float,
        data_format: Any = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        autocast: bool = True,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class SpatialDropout3D(Dropout):
    """Drops whole channels of volumes."""

    activity_regularizer: Any
    trainable: Any
    autocast: Any
    rate: Any
    data_format: Any
    seed: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        rate: float,
        data_format: Any = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        autocast: bool = True,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    @property
    def input_spec(self) -> Any: ...

class SpectralNormalization(Wrapper):
    """Divides the kernel of a layer by an estimate of its largest singular value."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    layer: Any
    power_iterations: Any
    def __init__(
        self,
        layer: Any,
        power_iterations: int = 1,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any, training: bool = False) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def build(self, input_shape: Any) -> None: ...
    def normalized_weights(self) -> tuple[Any, Any]: ...

class TimeDistributed(Wrapper):
    """Applies a layer to every time step."""

    activity_regularizer: Any
    trainable: Any
    dtype: Any
    autocast: Any
    name: Any
    layer: Any
    def __init__(
        self,
        layer: Any,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any: ...
    @property
    def input_spec(self) -> Any: ...
    def build(self, input_shape: Any) -> None: ...

AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
AvgPool3D = AveragePooling3D
Convolution1D = Conv1D
Convolution1DTranspose = Conv1DTranspose
Convolution2D = Conv2D
Convolution2DTranspose = Conv2DTranspose
Convolution3D = Conv3D
Convolution3DTranspose = Conv3DTranspose
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
MaxPool3D = MaxPooling3D
SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D

def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
) -> Any: ...
def add(inputs: Any, *args: Any, **kwargs: Any) -> Any: ...
def average(inputs: Any, *args: Any, **kwargs: Any) -> Any: ...
def concatenate(inputs: Any, *args: Any, **kwargs: Any) -> Any: ...
def deserialize(config: Mapping[str, Any], custom_objects: Any = None) -> Any: ...
def dot(inputs: Any, *args: Any, **kwargs: Any) -> Any: ...
def maximum(inputs: Any, *args: Any, **kwargs: Any) -> Any: ...
def minimum(inputs: Any, *args: Any, **kwargs: Any) -> Any: ...
def multiply(inputs: Any, *args: Any, **kwargs: Any) -> Any: ...
def serialize(layer: Any) -> Any: ...
def subtract(inputs: Any, *args: Any, **kwargs: Any) -> Any: ...
