"""The base of image layers: a random transformation is drawn and applied to everything that belongs to an image.

A layer states `draw`, which gives the numbers of a transformation for each image of a batch, and what these numbers do to
images, segmentation masks, bounding boxes and labels (`change_images`, ...). Everything else is here: single images,
dictionaries, formats of boxes, training and inference, and the compiled program that equal layers share.

Layers take images `(height, width, channels)`, batches of them, or dictionaries with "images" and any of "labels",
"bounding_boxes" (a dictionary with "boxes" and "labels") and "segmentation_masks".
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self, cast

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import lowering, random_keys
from jkeras.dispatch import is_symbolic
from jkeras.errors import ArgumentError, InputError
from jkeras.graph.layer import Layer
from jkeras.graph.shapes import Shape, has_shape, show_tensors
from jkeras.layers.preprocessing.images.fields import BOX_FORMAT
from jkeras.ops.boxes import clip_to_image_size, convert_format
from jkeras.ops.image_layout import image_axes
from jkeras.tracing import is_traced
from jkeras.types import Array, DataFormatField, Key, Num, PyTree, SeedLike
from jkeras.values.fields import field

# The parts of a dictionary that a transformation changes.
PARTS = ("images", "labels", "bounding_boxes", "segmentation_masks")
# A transformation: the random numbers, by name.
Values = Mapping[str, Any]


class ImageAttributes:
    """What the public classes declare, each in Keras's order (see `jkeras.values.fields`)."""

    data_format: DataFormatField
    seed: int | None
    factor: Any
    value_range: Any
    fill_mode: str
    interpolation: str
    fill_value: float


class ImageLayer(ImageAttributes, Layer):
    """Base of the image layers.

    Shapes: images `(batch, height, width, channels)` or one of them without the batch axis; the same with another size where the
    layer changes it.

    Args:
        bounding_box_format: the format of boxes, see `jkeras.utils.bounding_boxes`; required if there are any.
    """

    mixes_samples: ClassVar[bool | None] = False
    # Whether the layer also takes effect in inference.
    _in_inference: ClassVar[bool] = False
    # Whether it draws random numbers.
    _is_random: ClassVar[bool] = True
    # Whether masks and boxes follow the pixels to other places.
    moves_pixels: ClassVar[bool] = False
    # Whether images of integers stay such.
    _keeps_integers: ClassVar[bool] = False
    # Arguments that Keras's configuration does not have: here it has them where they are not the default.
    _only_if_other: ClassVar[tuple[str, ...]] = ("bounding_box_format",)
    # The supported numbers of channels.
    _channels: ClassVar[tuple[int, ...]] = ()

    bounding_box_format: str | None = field(default=None, convert=BOX_FORMAT, kw_only=True)

    # -- what a layer states ---------------------------------------------------------------------------------------

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
        """The numbers of a transformation, for a batch of images of a shape."""
        return {}

    def change_images(self, images: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*new_shape"]:
        """A batch of images, in the compute type, after a transformation."""
        raise NotImplementedError

    def change_masks(self, masks: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*new_shape"]:
        """A batch of masks after a transformation."""
        return self.change_images(masks, values)

    def change_boxes(
        self, boxes: Num[Array, "batch boxes 4"], values: PyTree[Array], size: tuple[int, int]
    ) -> Num[Array, "batch boxes 4"]:
        """Boxes "xyxy", in pixels, after a transformation of images of a size (height, width)."""
        raise InputError(
            f"{self._place} ({type(self).__name__}) cannot move bounding boxes; leave 'bounding_boxes' out, or use a layer"
            " that moves them."
        )

    def change_labels(self, labels: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        """Labels of a batch after a transformation."""
        return labels

    def new_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Height and width of the results for images of a size."""
        return size

    # -- a transformation and what it does, under Keras's names ----------------------------------------------------

    def get_random_transformation(self, data: Any, training: bool | None = True, seed: SeedLike = None) -> Any:
        """The parameters of a random transformation of some data; None if the data is not changed.

        Args:
            data: images, or a dictionary with images.
            training: whether this is for training.
            seed: an integer or a key; None is the layer's own.
        """
        if not self.applies(training):
            return None
        shape = tuple((data["images"] if isinstance(data, Mapping) else data).shape)
        shape = shape if len(shape) == 4 else (1, *shape)
        key = None
        if self._is_random:
            key = self.make_rng(self.seed) if seed is None else random_keys.as_key(seed)
        values = self.draw(cast(Any, key), shape)
        return {**values, "input_shape": shape} if isinstance(values, Mapping) else values

    def transform_images(self, images: Any, transformation: Any = None, training: bool | None = True) -> Any:
        """Applies a transformation to images.

        Args:
            images: a batch `(batch, height, width, channels)`, or a single image.
            transformation: the result of `get_random_transformation`; None changes nothing if the layer is random.
            training: whether this is for training.

        Returns:
            The images in the compute dtype.
        """
        images = self.prepare(images)
        if not self._has(transformation, training):
            return images
        single = images.ndim == 3
        return (
            self.change_images(images[None], transformation)[0]
            if single
            else self.change_images(images, transformation)
        )

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: bool | None = True
    ) -> Any:
        """Applies a transformation to segmentation masks.

        Args:
            segmentation_masks: a batch of masks in the layout of images; they keep their dtype unless they are mixed.
            transformation: the result of `get_random_transformation`; None changes nothing if the layer is random.
            training: whether this is for training.

        Returns:
            The masks.
        """
        masks = jnp.asarray(segmentation_masks)
        return (
            self.change_masks(masks, transformation)
            if self.moves_pixels and self._has(transformation, training)
            else masks
        )

    def transform_labels(self, labels: Any, transformation: Any = None, training: bool | None = True) -> Any:
        """Applies a transformation to labels, which changes them only if images are mixed.

        Args:
            labels: the labels of a batch.
            transformation: the result of `get_random_transformation`; None changes nothing if the layer is random.
            training: whether this is for training.

        Returns:
            The labels.
        """
        return self.change_labels(labels, transformation) if self._has(transformation, training) else labels

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any = None, training: bool | None = True
    ) -> Any:
        """Applies a transformation to bounding boxes.

        Args:
            bounding_boxes: "boxes" `(batch, boxes, 4)` and "labels" `(batch, boxes)`; those of one image may lack the batch axis.
            transformation: the result of `get_random_transformation`; None changes nothing if the layer is random.
            training: whether this is for training.

        Returns:
            The boxes in the same form. A box that is outside the image gets the label -1.
        """
        if not (self.moves_pixels and self._has(transformation, training)):
            return bounding_boxes
        if len(np.shape(bounding_boxes["boxes"])) == 2:
            batch = {name: jnp.asarray(part)[None] for name, part in bounding_boxes.items()}
            return jax.tree.map(lambda part: part[0], self.transform_bounding_boxes(batch, transformation, training))
        size = self.size_before(transformation)
        new = self.new_size(size)
        boxes = convert_format(
            bounding_boxes["boxes"], self._box_format, "xyxy", *size, dtype=self.box_dtype(bounding_boxes["boxes"])
        )
        moved = {**bounding_boxes, "boxes": self.change_boxes(boxes, transformation, size)}
        clipped = clip_to_image_size(moved, *new)
        return convert_format(clipped, "xyxy", self._box_format, *new, dtype=self.box_dtype(boxes))

    # -- the protocol of layers ------------------------------------------------------------------------------------

    def call(self, data: Any, training: bool | None = None) -> Any:
        self.check(data)
        parts = {name: data[name] for name in PARTS if name in data} if isinstance(data, Mapping) else {"images": data}
        layer = None if is_traced() else self.compiled_as()
        if layer is None:
            changed = self.transform(parts, training)
        else:
            key = self.make_rng(self.seed) if self._is_random and self.applies(training) else None
            changed = _program(lowering.cache_token())(layer, bool(training), key, parts)
        return {**data, **changed} if isinstance(data, Mapping) else changed["images"]

    def transform(self, parts: Mapping[str, Any], training: bool | None, seed: SeedLike = None) -> dict[str, Any]:
        """The parts of a dictionary after a transformation that is drawn for them."""
        single = len(parts["images"].shape) == 3
        batch: Any = jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], dict(parts)) if single else dict(parts)
        values = self.get_random_transformation(batch, training=training, seed=seed)
        changed = {
            name: getattr(self, f"transform_{name}")(part, transformation=values, training=training)
            for name, part in batch.items()
        }
        return jax.tree.map(lambda leaf: leaf[0], changed) if single else changed

    def known_output(self, inputs: Shape) -> Shape | None:
        """Of single tensors: the size may change, the type is that of computations."""
        if len(inputs.shape) not in (3, 4):
            return None
        self.check(inputs)
        rows, columns = self.axes()
        shape = list(inputs.shape)
        # Unknown sizes stay unknown.
        shape[rows], shape[columns] = self.new_size(cast(Any, (shape[rows], shape[columns])))
        return Shape(tuple(shape), inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values, with Keras's keys."""
        config = super().get_config()
        arguments = inspect.signature(type(self)).parameters
        left_out = [name for name in self._only_if_other if name in config and config[name] == arguments[name].default]
        return {name: value for name, value in config.items() if name not in left_out}

    # -- parts of the above ----------------------------------------------------------------------------------------

    def compiled_as(self) -> Self | None:
        """An equal layer that belongs to no run, for the program that equal layers share; None runs without one."""
        arguments = {**self._arguments(), "name": None, "dtype": self.compute_dtype}
        return type(self)(**arguments)

    def applies(self, training: bool | None) -> bool:
        """Whether the layer changes anything."""
        return self._in_inference or bool(training)

    def _has(self, transformation: Any, training: bool | None) -> bool:
        """Whether there is anything to do; layers that draw nothing need no transformation."""
        return self.applies(training) and (transformation is not None or not self._is_random)

    def axes(self) -> tuple[int, int]:
        """The axes of height and width."""
        return image_axes(self.data_format)[:2]

    def size_of(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Height and width in a shape."""
        rows, columns = self.axes()
        return shape[rows], shape[columns]

    def size_before(self, values: PyTree[Array]) -> tuple[int, int]:
        """Height and width of the images that a transformation was drawn for."""
        if isinstance(values, Mapping):
            if "input_shape" in values:
                return self.size_of(values["input_shape"])
            if "image_height" in values:
                return values["image_height"], values["image_width"]
        raise ArgumentError(
            f"{type(self).__name__}.transform_bounding_boxes: the transformation has no 'input_shape', the shape of the images;"
            " take it from `get_random_transformation`."
        )

    def box_dtype(self, boxes: Any) -> str:
        """The type that boxes are computed in."""
        return "float64" if str(boxes.dtype) == "float64" else "float32"

    @property
    def _box_format(self) -> str:
        """The format of the boxes.

        Raises:
            ArgumentError: none was given.
        """
        if self.bounding_box_format is None:
            raise ArgumentError(
                f"{self._place} ({type(self).__name__}) got 'bounding_boxes', but no format of them; write for example"
                f" `{type(self).__name__}(..., bounding_box_format='xyxy')`."
            )
        return self.bounding_box_format

    def prepare(self, images: Array) -> jax.Array:
        """Images of the compute type.

        Raises:
            InputError: the input is neither an image nor a batch of images, or has another number of channels.
        """
        self.check_images(images)
        images = jnp.asarray(images)
        keeps_integers = self._keeps_integers and not jnp.issubdtype(images.dtype, jnp.floating)
        return images if keeps_integers else images.astype(self.compute_dtype)

    def check_images(self, images: Any) -> None:
        """Raises InputError in the cases in which `prepare` does."""
        if not has_shape(images) or len(images.shape) not in (3, 4):
            raise InputError(
                f"{self._place} ({type(self).__name__}) takes one image, (height, width, channels), or a batch of images, or a"
                f" dictionary with 'images'; got {show_tensors(images)}."
            )
        channels = images.shape[image_axes(self.data_format)[2]]
        if self._channels and channels is not None and channels not in self._channels:
            raise InputError(
                f"{self._place} ({type(self).__name__}): expected images with {' or '.join(map(str, self._channels))} channels"
                f" ({self.data_format}); got shape {tuple(images.shape)}, which has {channels}."
            )

    def check(self, data: Any) -> None:
        """Raises InputError or ArgumentError for data that cannot be transformed, before anything is computed."""
        if not isinstance(data, Mapping):
            self.check_images(data)
            return
        if "images" not in data:
            raise InputError(
                f"{self._place} ({type(self).__name__}): the dictionary has no 'images'; it has {sorted(map(str, data))}."
            )
        self.check_images(data["images"])
        shape = tuple(data["images"].shape)
        if self.mixes_samples and "labels" in data and len(shape) == 4:
            self._check_alike("labels", data["labels"], shape, (0,))
        if self.moves_pixels and "segmentation_masks" in data:
            self._check_alike("segmentation_masks", data["segmentation_masks"], shape, (0, *self.axes()))
        if "bounding_boxes" in data:
            self.check_boxes(data["bounding_boxes"], data["images"].shape)

    def _check_alike(self, name: str, part: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> None:
        """Raises InputError where a part of the dictionary does not have the images' sizes along some axes."""
        sizes = tuple(part.shape) if has_shape(part) else ()
        alike = len(sizes) > 0 if axes == (0,) else len(sizes) == len(shape)
        if not alike or any(None not in (shape[axis], sizes[axis]) and shape[axis] != sizes[axis] for axis in axes):
            same = "number of samples" if axes == (0,) else "batch, height and width, and an axis of channels,"
            raise InputError(
                f"{self._place} ({type(self).__name__}): expected '{name}' with the same {same} as 'images', which have shape"
                f" {shape}; got {show_tensors(part)}."
            )

    def check_boxes(self, bounding_boxes: Any, shape: tuple[int, ...]) -> None:
        """Raises InputError for boxes without labels, of other shapes, or outside the image (where there are values)."""
        place = f"{self._place} ({type(self).__name__})"
        if not isinstance(bounding_boxes, Mapping) or not {"boxes", "labels"} <= set(bounding_boxes):
            raise InputError(
                f"{place}: expected 'bounding_boxes' to be a dictionary with 'boxes' and 'labels'; got {bounding_boxes!r:.200}."
            )
        if not self.moves_pixels:
            return
        boxes, labels, rank = bounding_boxes["boxes"], bounding_boxes["labels"], len(shape) - 1
        if not has_shape(boxes) or len(boxes.shape) != rank or boxes.shape[-1] != 4 or not has_shape(labels):
            expected_shape = "(boxes, 4)" if rank == 2 else "(batch, boxes, 4)"
            raise InputError(f"{place}: expected 'boxes' of shape {expected_shape}; got {show_tensors(boxes)}.")
        if rank == 3:
            self._check_alike("boxes", boxes, tuple(shape), (0,))
        labelled = tuple(labels.shape)[1:] if rank == 2 and labels.shape[:1] == (1,) else tuple(labels.shape)
        if labelled[: rank - 1] != tuple(boxes.shape[: rank - 1]) and tuple(labels.shape) != tuple(boxes.shape[:1]):
            raise InputError(
                f"{place}: 'boxes' of shape {tuple(boxes.shape)} need as many 'labels'; these have shape {tuple(labels.shape)}."
            )
        if is_symbolic(boxes) or isinstance(boxes, (Shape, jax.core.Tracer, jax.ShapeDtypeStruct)):
            return
        size = self.size_of(shape)
        corners = np.asarray(convert_format(boxes, self._box_format, "xyxy", *size))
        limits = np.array([*size[::-1]] * 2, "float32") * (1 + 1e-4)
        padding = (np.asarray(boxes) == -1).all(-1) | (np.asarray(boxes) == 0).all(-1)
        wrong = ((corners < -1e-4 * limits) | (corners > limits)).any(-1) & ~padding
        if wrong.any():
            raise InputError(
                f"{place}: expected 'boxes' ({self._box_format}) inside of images of {size[0]} by {size[1]} pixels; got"
                f" {np.asarray(boxes)[wrong][0].tolist()}."
            )


class RandomImageLayer(ImageLayer):
    """Base of the layers that change images only in training; a direct call with arrays counts as training."""

    mixes_samples: ClassVar[bool | None] = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        alone = not self.is_bound
        if alone and not any(map(is_symbolic, jax.tree.leaves((args, kwargs)))):
            kwargs.setdefault("training", True)
        return super().__call__(*args, **kwargs)


class ColourLayer(RandomImageLayer):
    """Base of the layers that do not move pixels: masks and boxes are not changed."""

    mixes_samples: ClassVar[bool | None] = False


@functools.lru_cache(maxsize=8)
def _program(token: str) -> Callable[..., Any]:
    """The program of all image layers under the lowerings in force; equal layers share it."""

    def program(layer: ImageLayer, training: bool, key: Any, parts: Any) -> Any:
        return layer.transform(parts, training, key)

    return jax.jit(program, static_argnums=(0, 1), compiler_options=lowering.compiler_options())


def per_image(values: Array) -> jax.Array:
    """One number for each image of a batch, in the form `(batch, 1, 1, 1)`."""
    return jnp.reshape(values, (-1, 1, 1, 1))


def uniform(key: Key[Array, ""], shape: tuple[int, ...], bounds: tuple[float, float], dtype: Any = float) -> jax.Array:
    """Numbers between two bounds."""
    return jax.random.uniform(key, shape, dtype, bounds[0], bounds[1])


def chosen(key: Key[Array, ""], count: int, bounds: tuple[float, float]) -> jax.Array:
    """Which images are changed: each with a probability that is drawn between two bounds."""
    first, second = jax.random.split(key)
    return jax.random.uniform(first, (count,)) < uniform(second, (count,), bounds)


def rescaled(images: Array, before: tuple[float, float], after: tuple[float, float]) -> jax.Array:
    """Images with values of one range in another one."""
    if before == after:
        return images
    return (images - before[0]) / (before[1] - before[0]) * (after[1] - after[0]) + after[0]
