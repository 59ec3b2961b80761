"""What makers publish of accelerators, and what the names of topologies mean."""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Literal

from jkeras.errors import ArgumentError, UnknownNameError, suggestion

GB = 10**9

Platform = Literal["tpu", "cuda", "here"]


@dataclasses.dataclass(frozen=True)
class Chip:
    """One accelerator, by its data sheet.

    Attributes:
        name: as people say it.
        platform: what compiles for it.
        peaks: dense operations per second for programs in bfloat16 and in float32, whose products JAX computes in its
            default precision: bfloat16 on TPUs, TF32 on GPUs.
        memory: bytes.
        bandwidth: bytes per second to and from its memory.
        network: bytes per second that it sends to other chips, over all links, in one direction.
        source: where the numbers are published.
        kinds: how JAX's `device_kind` begins for it.
    """

    name: str
    platform: Platform
    peaks: tuple[float, float]
    memory: int
    bandwidth: float
    network: float
    source: str
    kinds: tuple[str, ...] = ()

    def peak(self, dtype: str) -> float:
        """Operations per second for a model that computes in a dtype."""
        return self.peaks[dtype in ("float32", "float64")]


_TPU = "https://cloud.google.com/tpu/docs/"
_NVIDIA = "https://www.nvidia.com/en-us/data-center/"

# Interconnects of TPUs are published in Gbit/s in one direction (1600 for v5e), those of GPUs in both directions (900 GB/s).
CHIPS = {
    "v4": Chip("TPU v4", "tpu", (275e12, 275e12), 32 * GB, 1200e9, 300e9, _TPU + "v4", ("TPU v4",)),
    "v5e": Chip("TPU v5e", "tpu", (197e12, 197e12), 16 * GB, 819e9, 200e9, _TPU + "v5e", ("TPU v5 lite", "TPU v5e")),
    "v5p": Chip("TPU v5p", "tpu", (459e12, 459e12), 95 * GB, 2765e9, 600e9, _TPU + "v5p", ("TPU v5p", "TPU v5")),
    "v6e": Chip("TPU v6e", "tpu", (918e12, 918e12), 32 * GB, 1600e9, 400e9, _TPU + "v6e", ("TPU v6",)),
    "h100": Chip("H100 SXM", "cuda", (989e12, 494e12), 80 * GB, 3350e9, 450e9, _NVIDIA + "h100/", ("NVIDIA H100",)),
}


@dataclasses.dataclass(frozen=True)
class Topology:
    """Accelerators that are connected: a slice of TPUs, GPUs of one machine, or the devices that are here.

    Attributes:
        name: as it was given.
        platform: what compiles for it.
        chip: the data sheet; None where none is known.
        shape: the grid of chips.
    """

    name: str
    platform: Platform
    chip: Chip | None
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many devices it has."""
        return math.prod(self.shape)


EXAMPLES = ("here", "h100", "h100:8", "v4:2x2x4", "v5e:2x2", "v5e:16x16", "v5p:8x8x8", "v6e:16x16")


def chip_of(kind: str) -> Chip | None:
    """The data sheet of a device, by JAX's name for its kind.

    >>> chip_of("NVIDIA H100 80GB HBM3").name
    'H100 SXM'
    """
    fitting = [(len(start), name) for name, chip in CHIPS.items() for start in chip.kinds if kind.startswith(start)]
    return CHIPS[max(fitting)[1]] if fitting else None


def parse(name: object, here: list[str]) -> Topology:
    """The topology of a name; `here` are the kinds of the devices that are present.

    Raises:
        UnknownNameError: no such accelerator.
        ArgumentError: not a grid of such accelerators.

    >>> parse("v5p:8x8x8", []).size
    512
    """
    if not isinstance(name, str):
        raise ArgumentError(f"plan(topology={name!r}): expected a name such as {', '.join(map(repr, EXAMPLES))}.")
    if name == "here":
        return Topology(name, "here", chip_of(here[0]), (len(here),))
    kind, colon, grid = name.partition(":")
    chip = CHIPS.get(kind.lower())
    if chip is None:
        hint = suggestion(kind.lower(), CHIPS)
        written = ", ".join(map(repr, EXAMPLES))
        raise UnknownNameError.__new__(
            UnknownNameError, f"plan(topology={name!r}): unknown accelerator {kind!r}.{hint} Write one of {written}."
        )
    shape = tuple(int(size) for size in grid.split("x")) if re.fullmatch(r"[1-9]\d*(x[1-9]\d*)*", grid) else ()
    if not colon and chip.platform == "cuda":
        shape = (1,)
    axes = {"cuda": (1,), "tpu": (3,) if kind.lower() in ("v4", "v5p") else (2,)}[chip.platform]
    if len(shape) not in axes:
        fitting = next(example for example in EXAMPLES if example.startswith(kind.lower() + ":"))
        raise ArgumentError(
            f"plan(topology={name!r}): expected a grid of {axes[0]} size{'s' * (axes[0] > 1)} after the colon, such as"
            f" {fitting!r}."
        )
    return Topology(f"{kind.lower()}{colon}{grid}", chip.platform, chip, shape)
