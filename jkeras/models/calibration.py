"""The inputs of a model's layers for calibration data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jkeras.errors import ArgumentError, DTypeError, InputError, NonFiniteError
from jkeras.graph import passes
from jkeras.graph.shapes import show_shape
from jkeras.quantization.calibrated_modes import CalibratedMode, table_of
from jkeras.quantization.calibration import token_windows
from jkeras.quantization.matrix import Matrix

# The number of samples per pass through the model.
BATCH = 32


def calibration_data(config: Any, specs: Any) -> Any:
    """The samples that a configuration has, as inputs of a model.

    Args:
        config: its data are arrays like the model's inputs, or texts or ids with a tokenizer.
        specs: shapes and dtypes of the inputs; None means any size.

    Raises:
        ArgumentError: there are no data.
        InputError: they have another shape than the model's inputs, or are not finite.
        DTypeError: they are not real numbers.
    """
    name = type(config).__name__
    if config.dataset is None:
        raise ArgumentError(
            f"quantize({config.mode!r}): {name}(dataset=None) has no calibration data; give inputs of the model."
        )
    structure: Any = jax.tree.structure(specs)
    data = config.dataset
    if config.tokenizer is not None:
        data = token_windows(data, config.tokenizer, config.sequence_length, config.num_samples)
    if jax.tree.structure(data) != structure:  # samples in a list
        if structure != jax.tree.structure(0):
            raise InputError(
                f"quantize({config.mode!r}): {name}(dataset=...) has another structure than the model's inputs."
            )
        samples = [np.asarray(sample) for sample in data]
        if len({sample.shape for sample in samples}) != 1:
            raise InputError(
                f"quantize({config.mode!r}): {name}(dataset=...) needs samples of one shape; these have"
                f" {', '.join(sorted({show_shape(sample.shape) for sample in samples})) or 'none'}."
            )
        data = np.stack(samples)
    for array, spec in zip(jax.tree.leaves(data), jax.tree.leaves(specs), strict=True):
        shape = np.shape(array)
        fits = len(shape) == len(spec.shape) and shape[0] > 0
        if not fits or any(size not in (None, length) for size, length in zip(spec.shape[1:], shape[1:], strict=True)):
            raise InputError(
                f"quantize({config.mode!r}): {name}(dataset=...) has arrays of shape {show_shape(shape)}; the model takes"
                f" {show_shape((None, *spec.shape[1:]))}."
            )
        kind = np.asarray(array).dtype
        if kind.kind in "cOSU":
            raise DTypeError(
                f"quantize({config.mode!r}): {name}(dataset=...) has arrays of type {kind}; expected real numbers."
            )
        if not np.isfinite(np.asarray(array, "float32")).all():
            raise NonFiniteError(f"quantize({config.mode!r}): {name}(dataset=...) has NaN or infinite numbers.")
    return jax.tree.map(lambda array, spec: np.asarray(array)[: config.num_samples].astype(spec.dtype), data, specs)


def blocks(config: Any, layers: Mapping[str, Any]) -> list[list[str]]:
    """The paths of the chosen layers, block by block: those of the configuration, else the outermost layers in order.

    Raises:
        ArgumentError: a block of the configuration has none of them.
    """
    if config.quantization_layer_structure is None:
        names = list(dict.fromkeys(path.partition("/")[0] for path in layers))
    else:
        names_of_blocks = config.quantization_layer_structure["sequential_blocks"]
        names = [block if isinstance(block, str) else block.name for block in names_of_blocks]
    block_layers = [[path for path in layers if path == name or path.startswith(f"{name}/")] for name in names]
    if not all(block_layers):
        raise ArgumentError(
            f"quantize({config.mode!r}): the block {names[block_layers.index([])]!r} of `quantization_layer_structure` has no"
            f" layer to quantise; there are {', '.join(layers)}."
        )
    return block_layers


def observed(
    definition: Any,
    variables: Any,
    mode: CalibratedMode,
    matrices: Mapping[str, Matrix],
    data: Any,
    copies: Mapping[str, tuple[int, ...]],
) -> dict[str, dict[tuple[int, ...], Any]]:
    """What a mode gathers of the inputs of some layers, by their paths and the indices of copies.

    Args:
        definition: the model.
        variables: its variables.
        mode: the mode.
        matrices: the kernel of each layer.
        data: samples.
        copies: how many copies each layer has along each axis of a stack; empty for a layer that is alone.
    """
    rows = {path: table_of(matrix.shape)[0] for path, matrix in matrices.items()}

    @jax.jit
    def gather(variables: Any, known: Any, batch: Any) -> Any:
        result, _ = passes.run(definition, variables, (batch,), {}, observe=tuple(matrices))
        inputs: Any = result.run.observed
        updated = {path: dict(of_copies) for path, of_copies in known.items()}
        for path, of_copies in updated.items():
            for each in inputs[path]:
                for index in of_copies:
                    of_copies[index] = mode.update(of_copies[index], each[index].reshape(-1, rows[path]))
        return updated

    known = {path: {index: mode.start(size) for index in np.ndindex(copies[path])} for path, size in rows.items()}
    for batch in _batches(data):
        known = gather(variables, known, batch)
    return known


def _batches(data: Any) -> Iterator[Any]:
    count = len(jax.tree.leaves(data)[0])
    for start in range(0, count, BATCH):
        yield jax.tree.map(lambda array: jnp.asarray(array[start : start + BATCH]), data)  # noqa: B023 - used at once
