"""DenseNet (Huang et al., 2016, https://arxiv.org/abs/1608.06993)."""

from __future__ import annotations

from collections.abc import Callable

from jkeras.applications.application import Application, Options, dense_classifier
from jkeras.applications.face import Blocks, Tensor
from jkeras.applications.imagenet_utils import decode_predictions as decode_predictions
from jkeras.applications.imagenet_utils import preprocess_torch as preprocess_input
from jkeras.applications.signatures import Network
from jkeras.applications.value_face import of_values
from jkeras.applications.weight_files import tf_kernels

EPSILON = 1.001e-5
GROWTH = 32
# The number of layers in each block, and the checksums of the weights with and without the classifier.
SIZES = {
    "121": ((6, 12, 24, 16), ("9d60b8095a5708f2dcce2bca79d332c7", "30ee3e1110167f948a6b9946edeeb738")),
    "169": ((6, 12, 32, 32), ("d699b8f76981ab1b30698df4c175e90b", "b8c4d4c20dd625c148057b9ff1c1176b")),
    "201": ((6, 12, 48, 32), ("1ceb130c1ea1b78c3bf6114dbdfd8807", "c13680b51ded0fb44dff2d8f86ac8bb1")),
}


def _active(b: Blocks, x: Tensor, bn: str, relu: str) -> Tensor:
    return b.activation(b.norm(x, bn, epsilon=EPSILON), relu)


def _layer(b: Blocks, x: Tensor, name: str) -> Tensor:
    """Concatenates a few new channels to the existing ones."""
    layers = b.layers
    grown = _active(b, x, f"{name}_0_bn", f"{name}_0_relu")
    grown = layers.Conv2D(4 * GROWTH, 1, use_bias=False, name=f"{name}_1_conv")(grown)
    grown = _active(b, grown, f"{name}_1_bn", f"{name}_1_relu")
    grown = layers.Conv2D(GROWTH, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(grown)
    return b.concatenate([x, grown], f"{name}_concat")


def _transition(b: Blocks, x: Tensor, name: str) -> Tensor:
    """Halves the number of channels and the size."""
    layers = b.layers
    x = _active(b, x, f"{name}_bn", f"{name}_relu")
    x = layers.Conv2D(b.channels(x) // 2, 1, use_bias=False, name=f"{name}_conv")(x)
    return layers.AveragePooling2D(2, strides=2, name=f"{name}_pool")(x)


def _features(depths: tuple[int, ...]) -> Callable[[Blocks, Tensor, Options], Tensor]:
    def features(b: Blocks, x: Tensor, options: Options) -> Tensor:
        layers = b.layers
        x = layers.ZeroPadding2D(3)(x)
        x = layers.Conv2D(64, 7, strides=2, use_bias=False, name="conv1_conv")(x)
        x = _active(b, x, "conv1_bn", "conv1_relu")
        x = layers.ZeroPadding2D(1)(x)
        x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
        for stage, depth in enumerate(depths, 2):
            for i in range(1, depth + 1):
                x = _layer(b, x, f"conv{stage}_block{i}")
            if stage < 5:
                x = _transition(b, x, f"pool{stage}")
        return _active(b, x, "bn", "relu")

    return features


def _densenet(size: str) -> Application:
    depths, checksums = SIZES[size]
    return Application(
        name=f"DenseNet{size}",
        features=_features(depths),
        classifier=dense_classifier(),
        files=tf_kernels("densenet", f"densenet{size}", checksums),
        summary=f"The densely connected network with {size} layers.",
        model_name=f"densenet{size}",
        channels_last_only=True,
    )


APPLICATIONS = {f"DenseNet{size}": _densenet(size) for size in SIZES}
DenseNet121: Network = of_values(APPLICATIONS["DenseNet121"], __name__)
DenseNet169: Network = of_values(APPLICATIONS["DenseNet169"], __name__)
DenseNet201: Network = of_values(APPLICATIONS["DenseNet201"], __name__)

__all__ = ["DenseNet121", "DenseNet169", "DenseNet201", "decode_predictions", "preprocess_input"]
