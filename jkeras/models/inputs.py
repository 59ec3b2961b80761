"""Matches what a functional model is called with to its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from jkeras.errors import InputError
from jkeras.graph.network import InputInfo, Network, is_ref
from jkeras.graph.shapes import show_shape
from jkeras.types import ArrayLike, PyTree


def fit_inputs(network: Network, inputs: PyTree[ArrayLike], path: str) -> list[Any]:
    """One array per input of the network, in order, in the input's type.

    Raises:
        InputError: an input is missing, or its shape does not fit.
    """
    infos = network.input_infos
    if isinstance(inputs, Mapping):
        values = _by_name(network, inputs, path)
    else:
        values = jax.tree.leaves(inputs)
        if len(values) != len(infos):
            names = [info.name for info in infos]
            advice = (
                "Pass a list of arrays in this order, or a dict by these names."
                if len(infos) > 1
                else "Pass one array."
            )
            arrays_, inputs_ = (_counted(n, word) for n, word in ((len(values), "array"), (len(infos), "input")))
            raise InputError(f"{path} has {inputs_}, {names}; it was called on {arrays_}. {advice}")
    return [_fit(info, value, path) for info, value in zip(infos, values, strict=True)]


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _by_name(network: Network, inputs: Mapping[str, Any], path: str) -> list[Any]:
    names = [info.name for info in network.input_infos]
    structure = network.inputs.fill()
    keys: Mapping[str, Any] = structure if isinstance(structure, Mapping) else {}
    by_ref = {ref.index: key for key, ref in keys.items() if is_ref(ref)}
    values = []
    for info in network.input_infos:
        key = by_ref.get(info.ref, info.name)
        if key not in inputs:
            key = info.name
        if key not in inputs:
            expected = sorted(keys) or names
            raise InputError(
                f"{path} has the inputs {expected}; it was called on a dict with the keys {sorted(inputs)}."
                f" Use the names of the inputs."
            )
        values.append(inputs[key])
    return values


def _fit(info: InputInfo, value: Any, path: str) -> Any:
    value = jnp.asarray(value)
    if value.ndim == len(info.shape) - 1 and info.shape[-1] == 1:
        value = value[..., None]
    elif value.ndim == len(info.shape) + 1 and value.shape[-1] == 1:
        value = value[..., 0]
    fits = value.ndim == len(info.shape) and all(
        want is None or want == have for want, have in zip(info.shape, value.shape, strict=True)
    )
    if not fits:
        raise InputError(
            f"{path}/{info.name} got data of shape {show_shape(value.shape)}, batch axis first; the model's input has shape"
            f" {show_shape(info.shape)}.{_advice(info.shape, value.shape)}"
        )
    want = jnp.dtype(info.dtype)
    if jnp.iscomplexobj(value) and not jnp.issubdtype(want, jnp.complexfloating):
        raise InputError(
            f"{path}/{info.name} got complex data; the model's input is {want}. Pass the parts as features, for example"
            f" `np.stack([x.real, x.imag], axis=-1)`."
        )
    return value.astype(want) if value.dtype != want else value


def _advice(want: tuple[int | None, ...], have: tuple[int, ...]) -> str:
    if len(have) == len(want) - 1 and all(w is None or w == h for w, h in zip(want[1:], have, strict=False)):
        if want[1:2] == (None,) and all(w is None or w == h for w, h in zip(want[2:], have[1:], strict=False)):
            return (
                f" `Input` leaves out the batch axis: `Input({want[2:]})` is for data like this. If it is one sample, pass"
                f" `x[None]`."
            )
        return " The batch axis is missing: pass `x[None]` for a single sample, `data.batch(32)` for a data set."
    if len(have) == len(want) - 1:
        return " An axis is missing: for example `x[..., None]` adds a channel or feature axis."
    if len(have) > len(want):
        return " Reshape the data, `x.reshape(len(x), -1)`, or build the model for its shape."
    return " Change the data or the model's `Input(shape)`."
