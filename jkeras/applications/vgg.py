"""VGG (Simonyan and Zisserman, 2014, https://arxiv.org/abs/1409.1556)."""

from __future__ import annotations

from collections.abc import Callable

from jkeras.applications.application import Application, Options
from jkeras.applications.face import Blocks, Tensor
from jkeras.applications.weight_files import tf_kernels

# The number of convolutions in each block, and the checksums of the weights with and without the classifier.
SIZES = {
    "vgg16": ((2, 2, 3, 3, 3), ("64373286793e3c8b2b4e3219cbf3544b", "6d6bbae143d832006294945121d1f1fc")),
    "vgg19": ((2, 2, 4, 4, 4), ("cbe5617147190e668d6c5d5026f83318", "253f8cb515780f3b799900260a226db6")),
}
_FILTERS = (64, 128, 256, 512, 512)


def _features(depths: tuple[int, ...]) -> Callable[[Blocks, Tensor, Options], Tensor]:
    def features(blocks: Blocks, x: Tensor, options: Options) -> Tensor:
        layers = blocks.layers
        for block, (filters, depth) in enumerate(zip(_FILTERS, depths, strict=True), 1):
            for i in range(1, depth + 1):
                name = f"block{block}_conv{i}"
                x = layers.Conv2D(filters, (3, 3), activation="relu", padding="same", name=name)(x)
            x = layers.MaxPooling2D((2, 2), strides=(2, 2), name=f"block{block}_pool")(x)
        return x

    return features


def _classifier(blocks: Blocks, x: Tensor, options: Options) -> Tensor:
    layers = blocks.layers
    x = layers.Flatten(name="flatten")(x)
    for name in ("fc1", "fc2"):
        x = layers.Dense(4096, activation="relu", name=name)(x)
    return layers.Dense(options["classes"], activation=options["classifier_activation"], name="predictions")(x)


def vgg(name: str) -> Application:
    """The network with a given size."""
    depths, checksums = SIZES[name]
    return Application(
        name=name.upper(),
        features=_features(depths),
        classifier=_classifier,
        files=tf_kernels(name, name, checksums),
        summary=f"The Visual Geometry Group's network with {name[3:]} weight layers.",
        model_name=name,
        pools=(None, None),
    )
