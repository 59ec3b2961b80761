"""ConvNeXt (Liu et al., 2022, https://arxiv.org/abs/2201.03545)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from jkeras.applications.application import Application, Options
from jkeras.applications.face import Blocks, Tensor
from jkeras.applications.imagenet_utils import decode_predictions as decode_predictions
from jkeras.applications.imagenet_utils import preprocess_none as preprocess_input
from jkeras.applications.signatures import ConvNeXtNetwork
from jkeras.applications.value_face import of_values
from jkeras.applications.weight_files import published
from jkeras.layers.network_parts import LayerScale as LayerScale
from jkeras.layers.network_parts import StochasticDepth as StochasticDepth

EPSILON = 1e-6
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Size(NamedTuple):
    """The number of blocks and channels of each stage."""

    depths: tuple[int, ...]
    channels: tuple[int, ...]
    checksums: tuple[str, str]


SIZES = {
    "Tiny": Size(
        (3, 3, 9, 3),
        (96, 192, 384, 768),
        (
            "8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff",
            "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
        ),
    ),
    "Small": Size(
        (3, 3, 27, 3),
        (96, 192, 384, 768),
        (
            "ce1277d8f1ee5a0ef0e171469089c18f5233860ceaf9b168049cb9263fd7483c",
            "6fc8009faa2f00c1c1dfce59feea9b0745eb260a7dd11bee65c8e20843da6eab",
        ),
    ),
    "Base": Size(
        (3, 3, 27, 3),
        (128, 256, 512, 1024),
        (
            "52cbb006d3dadd03f6e095a8ca1aca47aecdd75acb4bc74bce1f5c695d0086e6",
            "40a20c5548a5e9202f69735ecc06c990e6b7c9d2de39f0361e27baeb24cb7c45",
        ),
    ),
    "Large": Size(
        (3, 3, 27, 3),
        (192, 384, 768, 1536),
        (
            "070c5ed9ed289581e477741d3b34beffa920db8cf590899d6d2c67fba2a198a6",
            "96f02b6f0753d4f543261bc9d09bed650f24dd6bc02ddde3066135b63d23a1cd",
        ),
    ),
    "XLarge": Size(
        (3, 3, 27, 3),
        (256, 512, 1024, 2048),
        (
            "c1f5ccab661354fc3a79a10fa99af82f0fbf10ec65cb894a3ae0815f17a889ee",
            "de3f8a54174130e0cecdc71583354753d557fcf1f4487331558e2a16ba0cfe05",
        ),
    ),
}


def _block(b: Blocks, inputs: Tensor, name: str) -> Tensor:
    layers, channels = b.layers, b.channels(inputs)
    x = layers.Conv2D(channels, 7, padding="same", groups=channels, name=f"{name}_depthwise_conv")(inputs)
    x = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_layernorm")(x)
    x = layers.Dense(4 * channels, name=f"{name}_pointwise_conv_1")(x)
    x = b.activation(x, f"{name}_gelu", "gelu")
    x = layers.Dense(channels, name=f"{name}_pointwise_conv_2")(x)
    x = b.own_layer(LayerScale)(1e-6, channels, name=f"{name}_layer_scale")(x)
    return inputs + b.activation(x, f"{name}_identity", "linear")


def _features(size: Size) -> Callable[[Blocks, Tensor, Options], Tensor]:
    def features(b: Blocks, x: Tensor, options: Options) -> Tensor:
        layers, name = b.layers, options["name"]

        def normed(which: str) -> Tensor:
            return layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_{which}")

        if options["include_preprocessing"] and b.channels(x) == 3:
            mean, variance = [m * 255 for m in _MEAN], [(d * 255) ** 2 for d in _DEVIATION]
            x = layers.Normalization(mean=mean, variance=variance, name=f"{name}_prestem_normalization")(x)
        # All are created before any is used, which determines the order of automatic names.
        smaller = [
            b.face.sequential(
                [layers.Conv2D(size.channels[0], 4, strides=4, name=f"{name}_stem_conv"), normed("stem_layernorm")],
                name=f"{name}_stem",
            )
        ]
        for i, channels in enumerate(size.channels[1:]):
            conv = layers.Conv2D(channels, 2, strides=2, name=f"{name}_downsampling_conv_{i}")
            parts = [normed(f"downsampling_layernorm_{i}"), conv]
            smaller.append(b.face.sequential(parts, name=f"{name}_downsampling_block_{i}"))
        for stage, depth in enumerate(size.depths):
            x = smaller[stage](x)
            for i in range(depth):
                x = _block(b, x, f"{name}_stage_{stage}_block_{i}")
        return x

    return features


def _classifier(b: Blocks, x: Tensor, options: Options) -> Tensor:
    layers, name = b.layers, options["name"]
    x = layers.GlobalAveragePooling2D(name=f"{name}_head_gap")(x)
    x = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_head_layernorm")(x)
    activation = options["classifier_activation"]
    return layers.Dense(options["classes"], activation=activation, name=f"{name}_head_dense")(x)


def _convnext(key: str) -> Application:
    size, name = SIZES[key], f"convnext_{key.lower()}"
    return Application(
        name=f"ConvNeXt{key}",
        features=_features(size),
        classifier=_classifier,
        files=published("tensorflow/keras-applications/convnext", (f"{name}.h5", f"{name}_notop.h5"), size.checksums),
        summary=f"The {key.lower()} ConvNeXt, a convolutional network modelled on transformers, for images from 0 to 255.",
        protocol=ConvNeXtNetwork,
        model_name=name,
        pools=(None, None),
        channels_last_only=True,
        after_pooling=lambda b, x: b.layers.LayerNormalization(epsilon=EPSILON)(x),
    )


APPLICATIONS = {f"ConvNeXt{key}": _convnext(key) for key in SIZES}
ConvNeXtTiny: ConvNeXtNetwork = of_values(APPLICATIONS["ConvNeXtTiny"], __name__)
ConvNeXtSmall: ConvNeXtNetwork = of_values(APPLICATIONS["ConvNeXtSmall"], __name__)
ConvNeXtBase: ConvNeXtNetwork = of_values(APPLICATIONS["ConvNeXtBase"], __name__)
ConvNeXtLarge: ConvNeXtNetwork = of_values(APPLICATIONS["ConvNeXtLarge"], __name__)
ConvNeXtXLarge: ConvNeXtNetwork = of_values(APPLICATIONS["ConvNeXtXLarge"], __name__)

__all__ = [*(f"ConvNeXt{key}" for key in SIZES), "decode_predictions", "preprocess_input"]
