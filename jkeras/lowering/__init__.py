"""Forms of a few operations that are fast on each platform. Layers call these functions and never see `jax.lax`."""

from jkeras.lowering.plain import average_pool as average_pool
from jkeras.lowering.plain import conv as conv
from jkeras.lowering.plain import conv_transpose as conv_transpose
from jkeras.lowering.plain import depthwise_conv as depthwise_conv
from jkeras.lowering.plain import max_pool as max_pool
