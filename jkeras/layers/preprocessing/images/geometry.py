"""Random changes of places: pixels, masks and boxes move together."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import lax

from jkeras import arguments, random_keys
from jkeras.layers.preprocessing.images.base import RandomImageLayer, chosen, per_image, uniform
from jkeras.layers.preprocessing.images.fields import (
    BILINEAR,
    DATA_FORMAT,
    FILL_VALUE,
    REFLECT,
    SEED,
    SHIFT,
    VALUE_RANGE,
    WHOLE,
    ZOOM,
    as_given,
    shear,
    shear_as_given,
)
from jkeras.ops import images as functions
from jkeras.ops.boxes import affine_transform
from jkeras.ops.image_layout import as_batch
from jkeras.types import Array, DataFormatField, Key, Num, PyTree
from jkeras.values.fields import field


class _PlaceLayer(RandomImageLayer):
    """Base of layers that interpolate images and take the nearest pixel of masks."""

    mixes_samples: ClassVar[bool | None] = False
    moves_pixels: ClassVar[bool] = True

    def change_images(self, images: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        return self.move(images, values, self.interpolation)

    def change_masks(self, masks: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        return self.move(masks, values, "nearest")

    def move(self, images: Num[Array, "*shape"], values: PyTree[Array], interpolation: str) -> Num[Array, "*shape"]:
        """A batch of images or masks after a transformation."""
        raise NotImplementedError


class RandomFlip(RandomImageLayer):
    """Mirrors each image with probability one half, in each direction on its own.

    Args:
        mode: "horizontal", "vertical" or "horizontal_and_vertical".
        seed: an integer.
        data_format: "channels_last" or "channels_first".
        bounding_box_format: the format of boxes, if there are any.

    >>> RandomFlip().compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False
    moves_pixels: ClassVar[bool] = True

    mode: str = field(
        default="horizontal_and_vertical",
        convert=arguments.one_of("horizontal", "vertical", "horizontal_and_vertical"),
    )
    seed: int | None = SEED
    data_format: DataFormatField = DATA_FORMAT

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
        flips = jax.random.bernoulli(key, 0.5, (2, shape[0], 1, 1, 1))
        return {"flips": flips[0], "vertical_flips": flips[1]}

    def _flips(self, values: PyTree[Array]) -> dict[str, Array]:
        """Which images are mirrored in the directions of the mode; Keras knows one answer for both."""
        both = {"horizontal": values["flips"], "vertical": values.get("vertical_flips", values["flips"])}
        return {direction: per_image(flips) for direction, flips in both.items() if direction in self.mode}

    def change_images(self, images: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        axes = dict(zip(("vertical", "horizontal"), self.axes(), strict=True))
        # One pass over the images chooses among all of their mirrored forms.
        forms, choice = [images], jnp.int32(0)
        for direction, flips in self._flips(values).items():
            choice = choice + jnp.where(flips, len(forms), 0)
            forms += [jnp.flip(form, axes[direction]) for form in forms]
        return lax.select_n(jnp.broadcast_to(choice, images.shape), *forms)

    def change_boxes(
        self, boxes: Num[Array, "batch boxes 4"], values: PyTree[Array], size: tuple[int, int]
    ) -> Num[Array, "batch boxes 4"]:
        first = {"horizontal": 0, "vertical": 1}
        for direction, flips in self._flips(values).items():
            low = first[direction]
            length = size[1 - low]
            mirrored = (
                boxes.at[..., low].set(length - boxes[..., low + 2]).at[..., low + 2].set(length - boxes[..., low])
            )
            boxes = jnp.where(flips.reshape((-1,) + (1,) * (boxes.ndim - 1)), mirrored, boxes)
        return boxes


class _Affine(_PlaceLayer):
    """Base of the layers that move every pixel along straight lines."""

    mixes_samples: ClassVar[bool | None] = False

    def move(self, images: Num[Array, "*shape"], values: PyTree[Array], interpolation: str) -> Num[Array, "*shape"]:
        moves = self.matrix(values, self.size_of(images.shape))
        zeros = jnp.zeros((images.shape[0],))
        matrix = jnp.stack([jnp.broadcast_to(move, zeros.shape) for move in (*moves, 0.0, 0.0)], axis=1)
        return functions.affine_transform(
            images, matrix, interpolation, self.fill_mode, self.fill_value, self.data_format
        )

    def matrix(self, values: PyTree[Array], size: tuple[int, int]) -> tuple[Any, ...]:
        """The numbers `a0, a1, a2, b0, b1, b2` of `ops.image.affine_transform`, one for all images or one for each."""
        raise NotImplementedError


class RandomRotation(_Affine):
    """Turns each image by a random angle around its middle.

    Args:
        factor: the bounds of the angle as parts of a full turn; one number f means from -f to f. Positive turns to the
            left.
        fill_mode: the content outside the image: "reflect", "wrap", "constant" or "nearest".
        interpolation: "nearest" or "bilinear".
        seed: an integer.
        fill_value: for "constant".
        data_format: "channels_last" or "channels_first".
        bounding_box_format: the format of boxes, if there are any.

    >>> RandomRotation(0.1).compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False

    factor: Any = field(convert=SHIFT)
    fill_mode: str = REFLECT
    interpolation: str = BILINEAR
    seed: int | None = SEED
    fill_value: float = FILL_VALUE
    data_format: DataFormatField = DATA_FORMAT

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
        low, high = self.factor
        return {"angle": uniform(key, (shape[0],), (360 * low, 360 * high))}

    def matrix(self, values: PyTree[Array], size: tuple[int, int]) -> tuple[Any, ...]:
        angle = values["angle"] * (math.pi / 180)
        cos, sin = jnp.cos(angle), jnp.sin(angle)
        y, x = (size[0] - 1) / 2, (size[1] - 1) / 2
        return cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos

    def change_boxes(
        self, boxes: Num[Array, "batch boxes 4"], values: PyTree[Array], size: tuple[int, int]
    ) -> Num[Array, "batch boxes 4"]:
        zeros = jnp.zeros_like(values["angle"])
        return affine_transform(boxes, values["angle"], zeros, zeros, zeros + 1, zeros, zeros, *size)


class RandomZoom(_Affine):
    """Enlarges or shrinks each image around its middle.

    Args:
        height_factor: the bounds of the change, from -1 (excluded) to 1; positive shrinks, and one number f means from -f
            to f.
        width_factor: likewise; None keeps the proportions.
        fill_mode: the content outside the image: "reflect", "wrap", "constant" or "nearest".
        interpolation: "nearest" or "bilinear".
        seed: an integer.
        fill_value: for "constant".
        data_format: "channels_last" or "channels_first".
        bounding_box_format: the format of boxes, if there are any.

    >>> RandomZoom(0.2).compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False

    height_factor: Any = field(convert=as_given(ZOOM))
    width_factor: Any = field(default=None, convert=arguments.optional(as_given(ZOOM)))
    fill_mode: str = REFLECT
    interpolation: str = BILINEAR
    seed: int | None = SEED
    fill_value: float = FILL_VALUE
    data_format: DataFormatField = DATA_FORMAT

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
        first, second = jax.random.split(key)
        tall = 1 + uniform(first, (shape[0], 1), ZOOM(self.height_factor))
        wide = tall if self.width_factor is None else 1 + uniform(second, (shape[0], 1), ZOOM(self.width_factor))
        return {"height_zoom": tall, "width_zoom": wide}

    def matrix(self, values: PyTree[Array], size: tuple[int, int]) -> tuple[Any, ...]:
        tall, wide = values["height_zoom"][:, 0], values["width_zoom"][:, 0]
        x, y = (size[1] - 1) / 2 * (1 - wide), (size[0] - 1) / 2 * (1 - tall)
        return wide, 0.0, x, 0.0, tall, y

    def change_boxes(
        self, boxes: Num[Array, "batch boxes 4"], values: PyTree[Array], size: tuple[int, int]
    ) -> Num[Array, "batch boxes 4"]:
        wide, _, x, _, tall, y = self.matrix(values, size)
        start = jnp.stack([x, y, x, y], axis=-1)[:, None]
        length = jnp.stack([wide * size[1], tall * size[0]] * 2, axis=-1)[:, None]
        part = (jnp.clip(boxes, start, start + length) - start) / length
        return part * jnp.asarray([size[1], size[0]] * 2, boxes.dtype)


class RandomTranslation(_Affine):
    """Shifts each image.

    Args:
        height_factor: the bounds of the shift down as parts of the height, from -1 to 1; one number f means from -f to f.
        width_factor: likewise to the right, of the width.
        fill_mode: the content outside the image: "reflect", "wrap", "constant" or "nearest".
        interpolation: "nearest" or "bilinear".
        seed: an integer.
        fill_value: for "constant".
        data_format: "channels_last" or "channels_first".
        bounding_box_format: the format of boxes, if there are any.

    >>> RandomTranslation(0.1, 0.1).compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False

    height_factor: Any = field(convert=as_given(SHIFT))
    width_factor: Any = field(convert=as_given(SHIFT))
    fill_mode: str = REFLECT
    interpolation: str = BILINEAR
    seed: int | None = SEED
    fill_value: float = FILL_VALUE
    data_format: DataFormatField = DATA_FORMAT

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
        first, second = jax.random.split(key)
        height, width = self.size_of(shape)
        down = height * uniform(first, (shape[0], 1), SHIFT(self.height_factor))
        right = width * uniform(second, (shape[0], 1), SHIFT(self.width_factor))
        return {"translations": jnp.concatenate([right, down], axis=1)}

    def matrix(self, values: PyTree[Array], size: tuple[int, int]) -> tuple[Any, ...]:
        right, down = values["translations"].T
        return 1.0, 0.0, -right, 0.0, 1.0, -down

    def change_boxes(
        self, boxes: Num[Array, "batch boxes 4"], values: PyTree[Array], size: tuple[int, int]
    ) -> Num[Array, "batch boxes 4"]:
        return boxes + jnp.tile(values["translations"], 2)[:, None]


class RandomShear(_Affine):
    """Moves the rows of each image to one side, in proportion to their height, and the columns up or down.

    Args:
        x_factor: the bounds of the shift of rows, in [0, 1]; one number f means from -f to f.
        y_factor: likewise of columns.
        interpolation: "nearest" or "bilinear".
        fill_mode: the content outside the image: "reflect", "wrap", "constant" or "nearest".
        fill_value: for "constant".
        data_format: "channels_last" or "channels_first".
        seed: an integer.
        bounding_box_format: the format of boxes, if there are any.

    >>> RandomShear().compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False

    x_factor: Any = field(default=0.0, convert=shear_as_given)
    y_factor: Any = field(default=0.0, convert=shear_as_given)
    interpolation: str = BILINEAR
    fill_mode: str = REFLECT
    fill_value: float = FILL_VALUE
    data_format: DataFormatField = DATA_FORMAT
    seed: int | None = SEED

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
        sign, *keys = jax.random.split(key, 3)
        both = [uniform(k, (shape[0], 1), shear(f)) for k, f in zip(keys, (self.x_factor, self.y_factor), strict=True)]
        return {"shear_factor": jnp.concatenate(both, axis=1) * jax.random.rademacher(sign, (shape[0], 1), float)}

    def matrix(self, values: PyTree[Array], size: tuple[int, int]) -> tuple[Any, ...]:
        across, down = values["shear_factor"].T
        return 1.0, across, 0.0, down, 1.0, 0.0

    def change_boxes(
        self, boxes: Num[Array, "batch boxes 4"], values: PyTree[Array], size: tuple[int, int]
    ) -> Num[Array, "batch boxes 4"]:
        scale = jnp.asarray([size[1], size[0]] * 2, boxes.dtype)
        x1, y1, x2, y2 = jnp.moveaxis(boxes / scale, -1, 0)
        across, down = (amount[:, None] for amount in values["shear_factor"].T)
        x1, x2 = (
            jnp.where(across < 0, x1 - across * y1, x1 - across * y2),
            jnp.where(across < 0, x2 - across * y2, x2 - across * y1),
        )
        y1, y2 = (
            jnp.where(down > 0, y1 - down * x2, y1 - down * x1),
            jnp.where(down > 0, y2 - down * x1, y2 - down * x2),
        )
        return jnp.stack([x1, y1, x2, y2], axis=-1) * scale


class RandomPerspective(_PlaceLayer):
    """Moves the corners of each image at random, as if it were seen from another position.

    Args:
        factor: the bounds of the probability that an image is changed, in [0, 1]; one number f means from 0 to f.
        scale: how far corners move, from 0 to 1: at most half of it, as a part of their coordinates.
        interpolation: "nearest" or "bilinear".
        fill_value: the value outside the image.
        seed: an integer.
        data_format: "channels_last" or "channels_first".
        bounding_box_format: the format of boxes, if there are any.

    >>> RandomPerspective().compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False

    factor: Any = WHOLE
    scale: float = field(default=1.0, convert=arguments.between(0, 1))
    interpolation: str = BILINEAR
    fill_value: float = FILL_VALUE
    seed: int | None = SEED
    data_format: DataFormatField = DATA_FORMAT

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
        first, second = jax.random.split(key)
        height, width = self.size_of(shape)
        corners = jnp.asarray([[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]], float)
        start = jnp.broadcast_to(corners, (shape[0], 4, 2))
        moves = uniform(second, start.shape, (-0.5 * self.scale, 0.5 * self.scale))
        return {
            "apply_perspective": chosen(first, shape[0], self.factor),
            "start_points": start,
            "end_points": start + start * moves,
        }

    def move(self, images: Num[Array, "*shape"], values: PyTree[Array], interpolation: str) -> Num[Array, "*shape"]:
        moved = functions.perspective_transform(
            images, values["start_points"], values["end_points"], interpolation, self.fill_value, self.data_format
        )
        return jnp.where(per_image(values["apply_perspective"]), moved, images)

    def change_boxes(
        self, boxes: Num[Array, "batch boxes 4"], values: PyTree[Array], size: tuple[int, int]
    ) -> Num[Array, "batch boxes 4"]:
        # The map for images goes from new to old positions; this is its inverse.
        numbers = functions.homography(values["start_points"], values["end_points"])
        matrix = jnp.concatenate([numbers, jnp.ones_like(numbers[:, :1])], axis=1).reshape(-1, 3, 3)
        x1, y1, x2, y2 = jnp.moveaxis(boxes, -1, 0)
        corners = [jnp.stack([x, y, jnp.ones_like(x)], -1) for x, y in ((x1, y1), (x2, y2), (x1, y2), (x2, y1))]
        moved = jnp.einsum("bxy,cbny->cbnx", jnp.linalg.inv(matrix), jnp.stack(corners), precision="highest")
        places = moved[..., :2] / moved[..., 2:]
        changed = jnp.concatenate([places.min(0), places.max(0)], axis=-1)
        return jnp.where(values["apply_perspective"][:, None, None], changed, boxes)


class RandomElasticTransform(_PlaceLayer):
    """Bends images by smooth random shifts, different for each image (Simard et al., 2003).

    Args:
        factor: the bounds of the probability that an image is changed, in [0, 1]; one number f means from 0 to f.
        scale: the bounds of the strength, in [0, 1]; one number f means from 0 to f. It is drawn once for a batch.
        interpolation: "nearest" or "bilinear".
        fill_mode: the content outside the image: "constant", "nearest", "wrap", "mirror" or "reflect".
        fill_value: for "constant".
        value_range: the least and the greatest value.
        seed: an integer.
        data_format: "channels_last" or "channels_first".

    >>> RandomElasticTransform().compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False

    factor: Any = WHOLE
    scale: Any = WHOLE
    interpolation: str = BILINEAR
    fill_mode: str = field(default="reflect", convert=functions.FILL_MODES)
    fill_value: float = FILL_VALUE
    value_range: Any = VALUE_RANGE
    seed: int | None = SEED
    data_format: DataFormatField = DATA_FORMAT

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
        first, second, third = jax.random.split(key, 3)
        return {
            "apply_transform": chosen(first, shape[0], self.factor),
            "distortion_factor": uniform(second, (), self.scale),
            "noise": jax.random.normal(third, (2, shape[0], *self.size_of(shape))),
        }

    def move(self, images: Num[Array, "*shape"], values: PyTree[Array], interpolation: str) -> Num[Array, "*shape"]:
        height, width = self.size_of(images.shape)
        factor = values["distortion_factor"]
        alpha, sigma = max(height, width) * 0.1 * factor, min(height, width) * 0.05 * factor
        batch, back = as_batch(images, self.data_format)
        order = functions.ORDERS[interpolation]
        # Without any strength there is nothing to smooth.
        noise = values.get("noise")
        if noise is None:  # Keras keeps the seed, of one noise for both directions
            one = jax.random.normal(random_keys.as_key(values["seed"]), batch.shape[:3])
            noise = jnp.broadcast_to(one, (2, *one.shape))
        bent = functions.bent(batch, noise, alpha, jnp.maximum(sigma, 1e-6), order, self.fill_mode, self.fill_value)
        changed = jnp.where(per_image(values["apply_transform"]), back(bent), images)
        low, high = self.value_range
        return jnp.clip(changed, low, high).astype(images.dtype)
