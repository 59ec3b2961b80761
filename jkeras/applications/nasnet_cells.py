"""The two cells of NASNet: sums of pairs of operations, found by architecture search."""

from __future__ import annotations

from typing import Any

from jkeras.applications.face import Blocks, Tensor


def norm(b: Blocks, x: Tensor, name: str) -> Tensor:
    """Normalized."""
    return b.norm(x, name, momentum=0.9997, epsilon=1e-3)


def _pointwise(b: Blocks, x: Tensor, filters: int, name: str) -> Tensor:
    return b.layers.Conv2D(
        filters, (1, 1), padding="same", use_bias=False, kernel_initializer="he_normal", name=name
    )(x)  # fmt: skip


def _separable(b: Blocks, x: Tensor, filters: int, kernel: int, name: str, strides: int = 1) -> Tensor:
    """Two separable convolutions, each preceded by an activation."""
    layers = b.layers
    with b.face.name_scope(f"separable_conv_block_{name}"):
        x = b.activation(x)
        padding = "same"
        if strides == 2:
            x, padding = b.pad_for(x, kernel, f"separable_conv_1_pad_{name}"), "valid"
        options: dict[str, Any] = {"strides": strides, "padding": padding}
        for i in (1, 2):
            x = b.activation(x) if i == 2 else x
            x = layers.SeparableConv2D(
                filters, (kernel, kernel), use_bias=False, name=f"separable_conv_{i}_{name}", **options
            )(x)
            x = norm(b, x, f"separable_conv_{i}_bn_{name}")
            options = {"padding": "same"}
    return x


def _pool(b: Blocks, x: Tensor, name: str, kind: str = "Average", strides: int = 1) -> Tensor:
    padding = "same" if strides == 1 else "valid"
    return getattr(b.layers, f"{kind}Pooling2D")((3, 3), strides=strides, padding=padding, name=name)(x)


def _halved(b: Blocks, p: Tensor, filters: int, name: str) -> Tensor:
    """Halves the size, from every second pixel and from the pixels between these."""
    layers = b.layers
    with b.face.name_scope(f"adjust_reduction_block_{name}"):
        p = b.activation(p, f"adjust_relu_1_{name}")
        shifted = p
        parts = []
        for i in (1, 2):
            if i == 2:
                shifted = layers.ZeroPadding2D(((0, 1), (0, 1)))(p)
                shifted = layers.Cropping2D(((1, 0), (1, 0)))(shifted)
            part = layers.AveragePooling2D(
                (1, 1), strides=(2, 2), padding="valid", name=f"adjust_avg_pool_{i}_{name}"
            )(shifted)  # fmt: skip
            parts.append(_pointwise(b, part, filters // 2, f"adjust_conv_{i}_{name}"))
        return norm(b, b.concatenate(parts), f"adjust_bn_{name}")


def _adjusted(b: Blocks, p: Tensor, x: Tensor, filters: int, name: str) -> Tensor:
    """Adapts the output of an earlier cell to the size of `x` and the given number of channels."""
    if p is None:
        return x
    with b.face.name_scope("adjust_block"):
        if b.size(p)[1] != b.size(x)[1]:
            return _halved(b, p, filters, name)
        if b.channels(p) == filters:
            return p
        with b.face.name_scope(f"adjust_projection_block_{name}"):
            p = _pointwise(b, b.activation(p), filters, f"adjust_conv_projection_{name}")
            return norm(b, p, f"adjust_bn_{name}")


def _entry(b: Blocks, x: Tensor, filters: int, kind: str, name: str) -> Tensor:
    return norm(b, _pointwise(b, b.activation(x), filters, f"{kind}_conv_1_{name}"), f"{kind}_bn_1_{name}")


def _sum(b: Blocks, parts: list[Tensor], name: str | None) -> Tensor:
    return b.layers.Add(name=name)(parts)


def normal_cell(b: Blocks, x: Tensor, p: Tensor, filters: int, name: str) -> tuple[Tensor, Tensor]:
    """A cell that preserves the size; returns its result and its input, which the cell after the next one uses.

    Args:
        b: the face.
        x: the result of the previous cell.
        p: the result of the cell before the previous one.
        filters: the number of channels of each sum.
        name: the name of the cell.
    """
    with b.face.name_scope(f"normal_A_block_{name}"):
        p = _adjusted(b, p, x, filters, name)
        h = _entry(b, x, filters, "normal", name)
        with b.face.name_scope("block_1"):
            left = _separable(b, h, filters, 5, f"normal_left1_{name}")
            right = _separable(b, p, filters, 3, f"normal_right1_{name}")
            x1 = _sum(b, [left, right], f"normal_add_1_{name}")
        with b.face.name_scope("block_2"):
            left = _separable(b, p, filters, 5, f"normal_left2_{name}")
            right = _separable(b, p, filters, 3, f"normal_right2_{name}")
            x2 = _sum(b, [left, right], f"normal_add_2_{name}")
        x3 = _sum(b, [_pool(b, h, f"normal_left3_{name}"), p], f"normal_add_3_{name}")
        pools = [_pool(b, p, f"normal_{side}4_{name}") for side in ("left", "right")]
        x4 = _sum(b, pools, f"normal_add_4_{name}")
        with b.face.name_scope("block_5"):
            x5 = _sum(b, [_separable(b, h, filters, 3, f"normal_left5_{name}"), h], f"normal_add_5_{name}")
        return b.concatenate([p, x1, x2, x3, x4, x5], f"normal_concat_{name}"), x


def reduction_cell(b: Blocks, x: Tensor, p: Tensor, filters: int, name: str) -> tuple[Tensor, Tensor]:
    """A cell that halves the size; arguments and results as for `normal_cell`."""
    with b.face.name_scope(f"reduction_A_block_{name}"):
        p = _adjusted(b, p, x, filters, name)
        h = _entry(b, x, filters, "reduction", name)
        padded = b.pad_for(h, 3, f"reduction_pad_1_{name}")
        with b.face.name_scope("block_1"):
            left = _separable(b, h, filters, 5, f"reduction_left1_{name}", 2)
            right = _separable(b, p, filters, 7, f"reduction_right1_{name}", 2)
            x1 = _sum(b, [left, right], f"reduction_add_1_{name}")
        with b.face.name_scope("block_2"):
            left = _pool(b, padded, f"reduction_left2_{name}", "Max", 2)
            right = _separable(b, p, filters, 7, f"reduction_right2_{name}", 2)
            x2 = _sum(b, [left, right], f"reduction_add_2_{name}")
        with b.face.name_scope("block_3"):
            left = _pool(b, padded, f"reduction_left3_{name}", strides=2)
            right = _separable(b, p, filters, 5, f"reduction_right3_{name}", 2)
            x3 = _sum(b, [left, right], f"reduction_add3_{name}")
        x4 = _sum(b, [x2, _pool(b, x1, f"reduction_left4_{name}")], None)
        with b.face.name_scope("block_5"):
            left = _separable(b, x1, filters, 3, f"reduction_left4_{name}")
            right = _pool(b, padded, f"reduction_right5_{name}", "Max", 2)
            x5 = _sum(b, [left, right], f"reduction_add4_{name}")
        return b.concatenate([x2, x3, x4, x5], f"reduction_concat_{name}"), x
