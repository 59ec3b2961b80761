"""Devices by name, such as `"cpu:0"`, as in Keras."""

from __future__ import annotations

from collections.abc import Sequence

import jax

from jkeras import arguments
from jkeras.errors import ArgumentError


def name_of(device: jax.Device) -> str:
    """A device's name: its type and its number among the devices of all processes."""
    return f"{device.platform}:{device.id}"


def list_devices(device_type: str | None = None) -> list[str]:
    """The names of all devices of a type, including those of other processes.

    Args:
        device_type: "cpu", "gpu" or "tpu"; None means the type that JAX uses by default.

    Raises:
        ArgumentError: there is no device of this type.

    >>> list_devices("cpu")[0]
    'cpu:0'
    """
    return [name_of(device) for device in _of_kind(device_type)]


def get_device_count(device_type: str | None = None) -> int:
    """The number of devices of a type, including those of other processes.

    Args:
        device_type: "cpu", "gpu" or "tpu"; None means the type that JAX uses by default.

    Raises:
        ArgumentError: there is no device of this type.

    >>> get_device_count("cpu") == len(list_devices("cpu"))
    True
    """
    return len(_of_kind(device_type))


def _of_kind(kind: str | None) -> list[jax.Device]:
    if kind is None:
        return jax.devices()
    if not isinstance(kind, str) or kind.lower() not in ("cpu", "gpu", "tpu"):
        raise ArgumentError(f"device_type={kind!r}: expected 'cpu', 'gpu', 'tpu' or None.")
    try:
        return jax.devices(kind.lower())
    except RuntimeError:
        present = ", ".join(map(name_of, jax.devices()))
        raise ArgumentError(f"device_type={kind!r}: no such device is present; there is {present}.") from None


def as_names(value: object) -> tuple[str, ...] | int | None:
    """Normalises a `devices` argument: names, a number, or None for all.

    Raises:
        ArgumentError: it is none of these.
    """
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return arguments.positive_int(value)
    if isinstance(value, str) or not isinstance(value, Sequence) or not value:
        raise ArgumentError(
            "expected a list of devices such as ['gpu:0', 'gpu:1'], a number of devices, or None for all"
        )
    if not all(isinstance(device, (str, jax.Device)) for device in value):
        raise ArgumentError("expected devices by name, such as 'gpu:0', or of `jax.devices()`")
    names = tuple(device.lower() if isinstance(device, str) else name_of(device) for device in value)
    # TensorFlow's forms are "/gpu:0" and "/job:worker/device:GPU:0".
    names = tuple(":".join(name.rsplit("/", 1)[-1].removeprefix("device:").split(":")[-2:]) for name in names)
    if len(set(names)) < len(names):
        raise ArgumentError(f"expected distinct devices, not {list(names)}")
    return names


def resolve(devices: tuple[str, ...] | int | None, *, local: bool, what: str) -> list[jax.Device]:
    """The devices that a `devices` argument means.

    Args:
        devices: names, a number, or None for all.
        local: whether to consider only devices of this process.
        what: the name of the strategy, for messages.

    Raises:
        ArgumentError: there are fewer devices than requested, or a named device is not present.
    """
    present = jax.local_devices() if local else jax.devices()
    if devices is None:
        return present
    if isinstance(devices, int):
        if devices > len(present):
            raise ArgumentError(
                f"{what} asks for {devices} devices, but there are {len(present)}: {_shown(present)}."
                f" Ask for fewer, or write `devices=None` to take all. To try it on the CPU, set the environment"
                f" variable XLA_FLAGS=--xla_force_host_platform_device_count={devices} before the program starts."
            )
        return present[:devices]
    by_name = {name_of(device): device for device in (*present, *_every_kind(devices, local))}
    absent = [name for name in devices if name not in by_name]
    if absent:
        raise ArgumentError(
            f"{what} asks for {len(devices)} devices, {', '.join(devices)}, but {', '.join(absent)} is not among the"
            f" {len(present)} that are present: {_shown(present)}."
        )
    return [by_name[name] for name in devices]


def _every_kind(names: tuple[str, ...], local: bool) -> list[jax.Device]:
    all_devices: list[jax.Device] = []
    for kind in sorted({name.partition(":")[0] for name in names}):
        try:
            all_devices += jax.local_devices(backend=kind) if local else jax.devices(kind)
        except RuntimeError:
            continue
    return all_devices


def _shown(devices: list[jax.Device]) -> str:
    names = [name_of(device) for device in devices]
    return ", ".join(names if len(names) <= 8 else [*names[:7], "...", names[-1]])
