"""The sizes of transposed convolutions, under Keras's names for them."""

import itertools

from jkeras.keras.src.backend.common import backend_utils as ours
from keras.src.backend.common import backend_utils as oracle

OPTIONS = itertools.product((1, 2, 3, 4, 5), (1, 2, 3), ("same", "VALID"), (None, 0, 1), (1, 2))
SHAPES = (("channels_last", (None, 7, 9, 3)), ("channels_first", (2, 3, None, 8)))


def test_sizes_are_keras_own():
    for (window, stride, padding, extra, dilation), (layout, shape) in itertools.product(OPTIONS, SHAPES):
        sizes = (shape, (window, window), 4, stride, padding, extra, layout, dilation)
        theirs = oracle.compute_conv_transpose_output_shape(*sizes)
        assert ours.compute_conv_transpose_output_shape(*sizes) == theirs, sizes
        rows = (shape, (window, window, 4, 3), stride, padding, extra, dilation)
        theirs = oracle.compute_conv_transpose_padding_args_for_jax(*rows)
        assert ours.compute_conv_transpose_padding_args_for_jax(*rows) == theirs, rows
