"""`Model.quantize`: quantises all layers of a model in order."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp

from jkeras import arguments
from jkeras.errors import ArgumentError
from jkeras.quantization import configs
from jkeras.quantization.calibration import token_windows
from jkeras.quantization.table import MODES


def quantize_model(model: Any, mode: Any, config: Any, filters: Any, options: Mapping[str, Any]) -> None:
    """Quantises the layers of a model that `filters` select; warns about those whose class does not support it."""
    options = dict(options)
    type_check = options.pop("type_check", True)
    if options:
        raise ArgumentError(f"Unrecognized keyword arguments passed to {type(model).__name__}: {options}")
    is_selected = layer_filter(filters)
    # The model itself is among its layers, but is a leaf only if it has no sublayers.
    for layer in model._flatten_layers():
        if layer is model or not is_selected(layer) or len(layer._flatten_layers()) > 1:
            continue
        try:
            layer.quantize(mode, type_check=type_check, config=config)
        except NotImplementedError as error:
            warnings.warn(str(error), stacklevel=4)
        except AttributeError:
            pass
    resolved = configs.resolved(mode, config)
    if isinstance(resolved, configs.CalibratedConfig):
        _calibrate(model, resolved, is_selected)


def _calibrate(model: Any, config: Any, is_selected: Callable[[Any], bool]) -> None:
    """Rounds the layers of a model block by block, based on their inputs for calibration data."""
    mode: Any = MODES[config.mode]
    structure = config.quantization_layer_structure or model.get_quantization_layer_structure(config.mode)
    if structure is None:
        raise ArgumentError(
            f"For mode={config.mode!r}, a valid quantization structure must be provided either via"
            " `config.quantization_layer_structure` or by overriding `model.get_quantization_layer_structure(mode)`. The"
            " structure should be a dictionary with keys 'pre_block_layers' and 'sequential_blocks'."
        )
    blocks = structure.get("sequential_blocks", [])
    if not blocks:
        raise ArgumentError("No sequential blocks found in the provided structure to quantize.")
    if config.dataset is None or config.tokenizer is None:
        raise ArgumentError(
            f"{config.mode.upper()} quantization requires a dataset and a tokenizer. Please provide them in the"
            f" `{type(config).__name__}`."
        )
    windows = token_windows(config.dataset, config.tokenizer, config.sequence_length, config.num_samples)
    inputs = []
    for window in windows:
        batch: Any = jnp.asarray(window[None])
        for layer in structure.get("pre_block_layers", []):
            batch = layer(batch)
        inputs.append(batch)
    for block in blocks:
        waiting = [layer for layer in block._flatten_layers() if getattr(layer, "_waits", False) and is_selected(layer)]
        known = _observed(block, waiting, mode, inputs)
        for layer in waiting:
            layer.calibrate(known[id(layer)], config)
        inputs = [block(batch) for batch in inputs]


def _observed(block: Any, layers: list[Any], mode: Any, inputs: list[Any]) -> dict[int, Any]:
    """The statistics of layers' inputs that a mode collects while a block runs, by layer id."""
    known = {id(layer): mode.start(layer.kernel_table[0]) for layer in layers}

    def watch(layer: Any) -> None:
        call, rows = layer.call, layer.kernel_table[0]

        def watching(*args: Any, **kwargs: Any) -> Any:
            first = args[0] if args else next(iter(kwargs.values()))
            known[id(layer)] = mode.update(known[id(layer)], jnp.asarray(first).reshape(-1, rows))
            return call(*args, **kwargs)

        vars(layer)["call"] = watching

    for layer in layers:
        watch(layer)
    try:
        for batch in inputs:
            block(batch)
    finally:
        for layer in layers:
            del vars(layer)["call"]
    return known


def layer_filter(filters: Any) -> Callable[[Any], bool]:
    """A predicate that selects layers, by name or by a function of the layer."""
    if filters is None:
        return lambda layer: True
    if isinstance(filters, (str, list, tuple)):
        each = [filters] if isinstance(filters, str) else filters
        patterns = [arguments.checked("quantize", "filters", one, arguments.pattern) for one in each]
        return lambda layer: any(pattern.search(layer.name) for pattern in patterns)
    if callable(filters):
        return lambda layer: bool(filters(layer))
    raise ArgumentError(
        "The `filters` argument must be a regex string, a list of regex strings, or a callable."
        f" Received: {type(filters)}"
    )
