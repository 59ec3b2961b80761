"""Devices by their names, `"cpu:0"`, as Keras writes them."""

from __future__ import annotations

from collections.abc import Sequence

import jax

from jkeras import arguments
from jkeras.errors import ArgumentError


def name_of(device: jax.Device) -> str:
    """A device's name: its kind and its number among all processes."""
    return f"{device.platform}:{device.id}"


def list_devices(device_type: str | None = None) -> list[str]:
    """The names of all devices of a kind, those of other processes included.

    Args:
        device_type: "cpu", "gpu" or "tpu"; None is the kind that JAX uses by default.

    Raises:
        ArgumentError: there is no device of this kind.
    """
    return [name_of(device) for device in _of_kind(device_type)]


def get_device_count(device_type: str | None = None) -> int:
    """How many devices of a kind there are, those of other processes included; arguments as in `list_devices`."""
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
        raise ArgumentError(f"device_type={kind!r}: there is no such device here; there is {present}.") from None


def as_names(value: object) -> tuple[str, ...] | int | None:
    """A `devices` argument as a value: names, how many, or None for all.

    Raises:
        ArgumentError: it is none of these.
    """
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return arguments.positive_int(value)
    if isinstance(value, str) or not isinstance(value, Sequence) or not value:
        raise ArgumentError("expected a list of devices such as ['gpu:0', 'gpu:1'], how many, or None for all")
    names = tuple(device.lower() if isinstance(device, str) else name_of(device) for device in value)
    # TensorFlow writes "/gpu:0", or "/job:worker/device:GPU:0".
    names = tuple(":".join(name.rsplit("/", 1)[-1].removeprefix("device:").split(":")[-2:]) for name in names)
    if len(set(names)) < len(names):
        raise ArgumentError(f"expected devices that differ, not {list(names)}")
    return names


def resolve(devices: tuple[str, ...] | int | None, *, local: bool, what: str) -> list[jax.Device]:
    """The devices that a `devices` argument means.

    Args:
        devices: names, how many, or None for all.
        local: whether only devices of this process count.
        what: for messages: the strategy.

    Raises:
        ArgumentError: more are asked for than there are, or one that is not there.
    """
    present = jax.local_devices() if local else jax.devices()
    if devices is None:
        return present
    if isinstance(devices, int):
        if devices > len(present):
            raise ArgumentError(
                f"{what} asks for {devices} devices, but there are {len(present)}: {_shown(present)}."
                f" Ask for fewer, or none by number (`devices=None` takes all). To try it on the CPU set the environment"
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
    found: list[jax.Device] = []
    for kind in sorted({name.partition(":")[0] for name in names}):
        try:
            found += jax.local_devices(backend=kind) if local else jax.devices(kind)
        except RuntimeError:
            continue
    return found


def _shown(devices: list[jax.Device]) -> str:
    names = [name_of(device) for device in devices]
    return ", ".join(names if len(names) <= 8 else [*names[:7], "...", names[-1]])
