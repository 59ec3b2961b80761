"""NASNet (Zoph et al., 2017, https://arxiv.org/abs/1707.07012)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from jkeras.applications.application import Application, Options, dense_classifier
from jkeras.applications.face import Blocks, Tensor
from jkeras.applications.imagenet_utils import decode_predictions as decode_predictions
from jkeras.applications.imagenet_utils import preprocess_tf as preprocess_input
from jkeras.applications.nasnet_cells import norm, normal_cell, reduction_cell
from jkeras.applications.signatures import NASNetNetwork
from jkeras.applications.value_face import of_values
from jkeras.applications.weight_files import published
from jkeras.errors import ArgumentError


class Size(NamedTuple):
    """The filters of the first cells and of the stem, the cells per stage, and the default image size.

    Attributes:
        filters: the number of filters of the normal cells in the first stage.
        stem: the number of filters of the first convolution.
        cells: the number of normal cells per stage.
        skips: whether the cell after a reduction sees the output before that reduction instead of its input.
        image: the default height and width.
        checksums: the checksums of the weights with and without the classifier.
    """

    filters: int
    stem: int
    cells: int
    skips: bool
    image: int
    checksums: tuple[str, str]


SIZES = {
    "Mobile": Size(
        1056 // 24, 32, 4, False, 224, ("020fb642bf7360b370c678b08e0adf61", "1ed92395b5b598bdda52abe5c0dbfd63")
    ),
    "Large": Size(
        4032 // 24, 96, 6, True, 331, ("11577c9a518f0070763c2b964a382f17", "d81d89dc07e6e56530c4e77faddd61b5")
    ),
}


def _features(size: Size) -> Callable[[Blocks, Tensor, Options], Tensor]:
    def features(b: Blocks, x: Tensor, options: Options) -> Tensor:
        x = b.layers.Conv2D(
            size.stem,
            (3, 3),
            strides=(2, 2),
            padding="valid",
            use_bias=False,
            name="stem_conv1",
            kernel_initializer="he_normal",
        )(x)
        x = norm(b, x, "stem_bn1")
        before: Tensor = None
        for name, share in (("stem_1", 4), ("stem_2", 2)):
            x, before = reduction_cell(b, x, before, size.filters // share, name)
        for stage in range(3):
            filters = size.filters * 2**stage
            if stage:
                x, skipped = reduction_cell(b, x, before, filters, f"reduce_{stage * size.cells}")
                before = before if size.skips else skipped
            for i in range(size.cells):
                x, before = normal_cell(b, x, before, filters, str(stage * size.cells + i + min(stage, 1)))
        return b.activation(x)

    return features


def _prepare(network: str) -> Callable[[dict[str, Any]], None]:
    def prepare(options: dict[str, Any]) -> None:
        shape = options["input_shape"]
        if shape is None and not options["include_top"] and network == "NASNetMobile":
            options["input_shape"] = (224, 224, 3)
        elif shape is not None and options["weights"] == "imagenet" and None in tuple(shape):
            raise ArgumentError(
                f"{network}(input_shape={shape}): with weights='imagenet' it must be static, without None."
            )

    return prepare


def _nasnet(key: str) -> Application:
    size, name = SIZES[key], f"NASNet{key}"
    file = f"NASNet-{key.lower()}"
    file_stem = f"nasnet_{key.lower()}"
    return Application(
        name=name,
        features=_features(size),
        classifier=dense_classifier(None),
        files=published(
            "tensorflow/keras-applications/nasnet",
            (f"{file}.h5", f"{file}-no-top.h5"),
            size.checksums,
            (f"{file_stem}.h5", f"{file_stem}_no_top.h5"),
        ),
        summary=f"The {key.lower()} network with cells found by architecture search.",
        protocol=NASNetNetwork,
        model_name=f"nasnet_{key.lower()}",
        size=size.image,
        pools=(None, None),
        channels_last_only=True,
        prepare=_prepare(name),
        numbered=True,
    )


APPLICATIONS = {f"NASNet{key}": _nasnet(key) for key in SIZES}
NASNetMobile: NASNetNetwork = of_values(APPLICATIONS["NASNetMobile"], __name__)
NASNetLarge: NASNetNetwork = of_values(APPLICATIONS["NASNetLarge"], __name__)

__all__ = ["NASNetMobile", "NASNetLarge", "decode_predictions", "preprocess_input"]
