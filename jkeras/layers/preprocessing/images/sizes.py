"""Images of other sizes: resized, or a part of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import arguments
from jkeras.errors import ArgumentError
from jkeras.graph.shapes import Shape
from jkeras.layers.preprocessing.images.base import ImageLayer, RandomImageLayer
from jkeras.layers.preprocessing.images.fields import DATA_FORMAT, FILL_VALUE, SEED
from jkeras.ops import images as functions
from jkeras.ops.structure import saturate_cast
from jkeras.types import Array, DataFormatField, Key, Num, PyTree
from jkeras.values.fields import field


class _SizeAttributes:
    height: int
    width: int


class _SizeLayer(_SizeAttributes, ImageLayer):
    """Base of layers whose outputs have a requested height and width, in inference as well."""

    mixes_samples: ClassVar[bool | None] = False
    _in_inference: ClassVar[bool] = True
    _is_random: ClassVar[bool] = False
    moves_pixels: ClassVar[bool] = True

    def new_size(self, size: tuple[int, int]) -> tuple[int, int]:
        return self.height, self.width

    def cut(self, images: Num[Array, "*shape"], top: Any, left: Any) -> Num[Array, "*new_shape"]:
        """The part of images that begins at a row and a column."""
        for axis, start, size in zip(self.axes(), (top, left), (self.height, self.width), strict=True):
            images = jax.lax.dynamic_slice_in_dim(images, start, size, axis % images.ndim)
        return images

    def middle(self, images: Num[Array, "*shape"], interpolation: str = "bilinear") -> Num[Array, "*new_shape"]:
        """The largest part in the middle that has the proportions, resized."""
        size = (self.height, self.width)
        return functions.resize(
            images, size, interpolation, crop_to_aspect_ratio=True, data_format=self.data_format
        ).astype(images.dtype)

    def middle_boxes(self, boxes: Num[Array, "*shape"], size: tuple[int, int]) -> Num[Array, "*shape"]:
        """Boxes in that part."""
        height, width = size
        inner = (
            max(min(height, int(float(width * self.height) / self.width)), 1),
            max(min(width, int(float(height * self.width) / self.height)), 1),
        )
        top, left = int(float(height - inner[0]) / 2), int(float(width - inner[1]) / 2)
        inside = jnp.clip(boxes - jnp.asarray([left, top] * 2), 0, jnp.asarray([inner[1], inner[0]] * 2))
        return inside * jnp.asarray([self.width / inner[1], self.height / inner[0]] * 2)


class Resizing(_SizeLayer):
    """Images of another size, in the type they have; see `jkeras.ops.image.resize` for the arguments.

    Args:
        height: the height of the result.
        width: the width of the result.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        crop_to_aspect_ratio: whether to cut the largest central part that has the new proportions.
        pad_to_aspect_ratio: whether to add borders that give the new proportions.
        fill_mode: "constant".
        fill_value: the value of the borders.
        antialias: whether to smooth when shrinking.
        data_format: "channels_last" or "channels_first".
        bounding_box_format: the format of boxes, if there are any.

    >>> Resizing(2, 3).compute_output_shape((None, 8, 8, 1))
    (None, 2, 3, 1)
    """

    mixes_samples: ClassVar[bool | None] = False
    _keeps_integers: ClassVar[bool] = True

    height: int = field(convert=arguments.positive_int)
    width: int = field(convert=arguments.positive_int)
    interpolation: str = field(default="bilinear", convert=functions.METHODS)
    crop_to_aspect_ratio: bool = field(default=False, convert=arguments.boolean)
    pad_to_aspect_ratio: bool = field(default=False, convert=arguments.boolean)
    fill_mode: str = field(default="constant", convert=arguments.one_of("constant"))
    fill_value: float = FILL_VALUE
    antialias: bool = field(default=False, convert=arguments.boolean)
    data_format: DataFormatField = DATA_FORMAT

    def __post_init__(self) -> None:
        if self.crop_to_aspect_ratio and self.pad_to_aspect_ratio:
            raise ArgumentError("Resizing: give one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio`, not both.")

    def known_output(self, inputs: Shape) -> Shape | None:
        """By tracing, since images keep their type."""
        return None

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
        return self.size_of(shape)

    def size_before(self, values: PyTree[Array]) -> tuple[int, int]:
        height, width = values
        return height, width

    def change_images(self, images: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*new_shape"]:
        return self._resized(images, self.interpolation)

    def change_masks(self, masks: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*new_shape"]:
        return self._resized(masks, "nearest")

    def _resized(self, images: Num[Array, "*shape"], interpolation: str) -> Num[Array, "*new_shape"]:
        resized = functions.resize(
            images,
            (self.height, self.width),
            interpolation,
            self.antialias,
            self.crop_to_aspect_ratio,
            self.pad_to_aspect_ratio,
            self.fill_mode,
            self.fill_value,
            self.data_format,
        )
        if jnp.issubdtype(images.dtype, jnp.integer):
            resized = jnp.round(resized)
        return saturate_cast(resized, images.dtype)

    def change_boxes(
        self, boxes: Num[Array, "batch boxes 4"], values: PyTree[Array], size: tuple[int, int]
    ) -> Num[Array, "batch boxes 4"]:
        height, width = size
        down, across = self.height / height, self.width / width
        if self.pad_to_aspect_ratio:
            down = across = min(down, across)
        elif self.crop_to_aspect_ratio:
            down = across = max(down, across)
        # Half of the missing or superfluous pixels.
        top, left = (self.height - height * down) // 2, (self.width - width * across) // 2
        if self.crop_to_aspect_ratio:
            top, left = -((height * down - self.height) // 2), -((width * across - self.width) // 2)
        moved = boxes * jnp.asarray([across, down] * 2) + jnp.asarray([left, top] * 2)
        padding = jnp.all(boxes == 0, axis=-1, keepdims=True)
        return jnp.where(padding, 0, moved)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any = None, training: bool | None = True
    ) -> Any:
        boxes = jnp.asarray(bounding_boxes["boxes"])
        padding = jnp.all(boxes == -1, axis=-1, keepdims=True)
        return super().transform_bounding_boxes(
            {**bounding_boxes, "boxes": jnp.where(padding, 0, boxes)}, transformation, training
        )


class CenterCrop(_SizeLayer):
    """The middle of images; smaller images are cut to the proportions and resized.

    Args:
        height: the height of the result.
        width: the width of the result.
        data_format: "channels_last" or "channels_first".
        bounding_box_format: the format of boxes, if there are any.

    >>> CenterCrop(4, 6).compute_output_shape((None, 8, 8, 3))
    (None, 4, 6, 3)
    """

    mixes_samples: ClassVar[bool | None] = False

    height: int = field(convert=arguments.positive_int)
    width: int = field(convert=arguments.positive_int)
    data_format: DataFormatField = DATA_FORMAT

    def change_images(self, images: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*new_shape"]:
        return self._middle(images, "bilinear")

    def change_masks(self, masks: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*new_shape"]:
        return self._middle(masks, "bilinear")

    def _middle(self, images: Num[Array, "*shape"], interpolation: str) -> Num[Array, "*new_shape"]:
        height, width = self.size_of(images.shape)
        if height < self.height or width < self.width:
            return self.middle(images, interpolation)
        return self.cut(images, (height - self.height) // 2, (width - self.width) // 2)

    def change_boxes(
        self, boxes: Num[Array, "batch boxes 4"], values: PyTree[Array], size: tuple[int, int]
    ) -> Num[Array, "batch boxes 4"]:
        height, width = size
        if height < self.height or width < self.width:
            return self.middle_boxes(boxes, size)
        return boxes - jnp.asarray([(width - self.width) // 2, (height - self.height) // 2] * 2)


class RandomCrop(_SizeLayer, RandomImageLayer):
    """A random part of images in training, the same part of every image of a batch; otherwise the image resized.

    Args:
        height: the height of the result.
        width: the width of the result.
        seed: an integer.
        data_format: "channels_last" or "channels_first".
        name: the layer's name.
        bounding_box_format: the format of boxes, if there are any.

    >>> RandomCrop(4, 4).compute_output_shape((None, 8, 8, 3))
    (None, 4, 4, 3)
    """

    mixes_samples: ClassVar[bool | None] = False
    _is_random: ClassVar[bool] = True

    if TYPE_CHECKING:
        _name: str | None = field(init=False)

    height: int = field(convert=arguments.positive_int)
    width: int = field(convert=arguments.positive_int)
    seed: int | None = SEED
    data_format: DataFormatField = DATA_FORMAT
    name: str | None = None

    def applies(self, training: bool | None) -> bool:
        return bool(training)

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
        height, width = self.size_of(shape)
        if not self._fits((height, width)):
            return {"h_start": 0, "w_start": 0}
        keys, rest = jax.random.split(key), (height - self.height, width - self.width)
        starts = [jax.random.randint(key, (), 0, most + 1) for key, most in zip(keys, rest, strict=True)]
        return {"h_start": starts[0], "w_start": starts[1]}

    def _fits(self, size: tuple[int, int]) -> bool:
        return size[0] > self.height and size[1] > self.width

    def transform_images(self, images: Any, transformation: Any = None, training: bool | None = True) -> Any:
        images = self.prepare(images)
        changed = training and transformation is not None
        return self.change_images(images, transformation) if changed else self.middle(images)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: bool | None = True
    ) -> Any:
        masks = jnp.asarray(segmentation_masks)
        changed = training and transformation is not None
        return self.change_masks(masks, transformation) if changed else self.middle(masks, "nearest")

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any = None, training: bool | None = True
    ) -> Any:
        return super().transform_bounding_boxes(bounding_boxes, transformation, training)

    def change_images(self, images: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*new_shape"]:
        return self._part(images, values, "bilinear")

    def change_masks(self, masks: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*new_shape"]:
        return self._part(masks, values, "nearest")

    def _part(
        self, images: Num[Array, "*shape"], values: PyTree[Array], interpolation: str
    ) -> Num[Array, "*new_shape"]:
        if not self._fits(self.size_of(images.shape)):
            return self.middle(images, interpolation)
        return self.cut(images, *self._starts(values))

    def change_boxes(
        self, boxes: Num[Array, "batch boxes 4"], values: PyTree[Array], size: tuple[int, int]
    ) -> Num[Array, "batch boxes 4"]:
        if not self._fits(size):
            return self.middle_boxes(boxes, size)
        top, left = self._starts(values)
        return boxes - jnp.stack([jnp.asarray(start, boxes.dtype) for start in (left, top, left, top)])

    @staticmethod
    def _starts(values: PyTree[Array]) -> tuple[Any, Any]:
        """The first row and column: Keras's transformation is a pair."""
        top, left = values if isinstance(values, tuple) else (values["h_start"], values["w_start"])
        return top, left
