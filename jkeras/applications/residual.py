"""The blocks of residual networks (He et al., 2015, https://arxiv.org/abs/1512.03385, and 2016, 1603.05027)."""

from __future__ import annotations

from collections.abc import Callable

from jkeras.applications.application import Application, Options, dense_classifier
from jkeras.applications.face import Blocks, Tensor
from jkeras.applications.weight_files import tf_kernels

EPSILON = 1.001e-5
# `block(blocks, x, filters, stride, first, name)`; `first`: whether it is the first of its stage.
Block = Callable[[Blocks, Tensor, int, int, bool, str], Tensor]

CHECKSUMS = {
    "resnet50": ("2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626"),
    "resnet101": ("f1aeb4b969a6efcfb50fad2f0c20cfc5", "88cf7a10940856eca736dc7b7e228a21"),
    "resnet152": ("100835be76be38e30d865e96f2aaae62", "ee4c566cf9a93f14d82f913c2dc6dd0c"),
    "resnet50v2": ("3ef43a0b657b3be2300d5770ece849e0", "fac2f116257151a9d068a22e544a4917"),
    "resnet101v2": ("6343647c601c52e1368623803854d971", "c0ed64b8031c3730f411d2eb4eea35b5"),
    "resnet152v2": ("a49b44d1979771252814e80f8ec446f9", "ed17cf2e0169df9d443503ef94b23b33"),
}
DEPTHS = {"50": (3, 4, 6, 3), "101": (3, 4, 23, 3), "152": (3, 8, 36, 3)}


def unit(
    b: Blocks,
    x: Tensor,
    filters: int,
    kernel: int,
    stride: int,
    name: str,
    *,
    same: bool = False,
    active: bool = True,
    use_bias: bool = True,
) -> Tensor:
    """A convolution with batch normalization and an optional activation."""
    padding = "same" if same else "valid"
    x = b.layers.Conv2D(
        filters, kernel, strides=stride, padding=padding, use_bias=use_bias, name=f"{name}_conv"
    )(x)  # fmt: skip
    x = b.norm(x, f"{name}_bn", epsilon=EPSILON)
    return b.activation(x, f"{name}_relu") if active else x


def bottleneck(b: Blocks, x: Tensor, filters: int, stride: int, first: bool, name: str) -> Tensor:
    """The bottleneck block: reduction, convolution, expansion by four, sum with the input."""
    shortcut = unit(b, x, 4 * filters, 1, stride, f"{name}_0", active=False) if first else x
    x = unit(b, x, filters, 1, stride, f"{name}_1")
    x = unit(b, x, filters, 3, 1, f"{name}_2", same=True)
    x = unit(b, x, 4 * filters, 1, 1, f"{name}_3", active=False)
    x = b.layers.Add(name=f"{name}_add")([shortcut, x])
    return b.activation(x, f"{name}_out")


def basic(b: Blocks, x: Tensor, filters: int, stride: int, first: bool, name: str) -> Tensor:
    """The basic block of smaller networks: two convolutions, sum with the input."""
    project = first and (stride > 1 or b.channels(x) != filters)
    shortcut = unit(b, x, filters, 1, stride, f"{name}_0", active=False) if project else x
    x = unit(b, x, filters, 3, stride, f"{name}_1", same=True)
    x = unit(b, x, filters, 3, 1, f"{name}_2", same=True, active=False)
    x = b.layers.Add(name=f"{name}_add")([shortcut, x])
    return b.activation(x, f"{name}_out")


def preactivated(b: Blocks, x: Tensor, filters: int, stride: int, first: bool, name: str) -> Tensor:
    """The bottleneck block of the second version, with activations before convolutions."""
    layers = b.layers
    active = b.activation(b.norm(x, f"{name}_preact_bn", epsilon=EPSILON), f"{name}_preact_relu")
    if first:
        shortcut = layers.Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv")(active)
    else:
        shortcut = layers.MaxPooling2D(1, strides=stride)(x) if stride > 1 else x
    x = unit(b, active, filters, 1, 1, f"{name}_1", use_bias=False)
    x = layers.ZeroPadding2D(1, name=f"{name}_2_pad")(x)
    x = unit(b, x, filters, 3, stride, f"{name}_2", use_bias=False)
    x = layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x)
    return layers.Add(name=f"{name}_out")([shortcut, x])


def stem(b: Blocks, x: Tensor, *, active: bool = True) -> Tensor:
    """The stem, which reduces images to a quarter of their size."""
    layers = b.layers
    x = layers.ZeroPadding2D(3, name="conv1_pad")(x)
    x = unit(b, x, 64, 7, 2, "conv1") if active else layers.Conv2D(64, 7, strides=2, name="conv1_conv")(x)
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    return layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)


def stages(b: Blocks, x: Tensor, block: Block, depths: tuple[int, ...], *, stride_last: bool = False) -> Tensor:
    """Four stages, each with twice the filters and half the size of the previous one.

    Args:
        b: the face.
        x: features.
        block: the block to use in all stages.
        depths: the number of blocks in each stage.
        stride_last: whether stages downsample at their end instead of their beginning.
    """
    for stage, depth in enumerate(depths):
        for i in range(depth):
            halves = (i == depth - 1 and stage < 3) if stride_last else (i == 0 and stage > 0)
            x = block(b, x, 64 * 2**stage, 2 if halves else 1, i == 0, f"conv{stage + 2}_block{i + 1}")
    return x


def _first_version(depths: tuple[int, ...]) -> Callable[[Blocks, Tensor, Options], Tensor]:
    return lambda b, x, options: stages(b, stem(b, x), bottleneck, depths)


def _second_version(depths: tuple[int, ...]) -> Callable[[Blocks, Tensor, Options], Tensor]:
    def features(b: Blocks, x: Tensor, options: Options) -> Tensor:
        x = stages(b, stem(b, x, active=False), preactivated, depths, stride_last=True)
        return b.activation(b.norm(x, "post_bn", epsilon=EPSILON), "post_relu")

    return features


def resnet(depth: str, version: str = "") -> Application:
    """The network with 50, 101 or 152 layers; `version` is "" or "V2"."""
    name = f"resnet{depth}{version.lower()}"
    return Application(
        name=f"ResNet{depth}{version}",
        features=(_second_version if version else _first_version)(DEPTHS[depth]),
        classifier=dense_classifier(),
        files=tf_kernels("resnet", name, CHECKSUMS[name]),
        summary=f"The residual network with {depth} layers"
        + (", with activations before convolutions." if version else "."),
        model_name=name,
    )
