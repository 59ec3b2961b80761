"""Which form of an operation is used: chosen while a program is traced, from `jkeras.config.lowering`."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import jax
from jax import lax

from jkeras import config
from jkeras.errors import ArgumentError

MODES = ("auto", "plain")


def mode() -> str:
    """The form in force, "auto" or "plain".

    Raises:
        ArgumentError: `jkeras.config.lowering` was set to something else.
    """
    if config.lowering not in MODES:
        raise ArgumentError(f"jkeras.config.lowering = {config.lowering!r}: expected 'auto' or 'plain'.")
    return config.lowering


@contextlib.contextmanager
def use(name: str) -> Iterator[None]:
    """Sets the form while a block runs: `with lowering.use("plain"): ...`.

    Programs that are compiled already stay as they are; `cache_token` is part of the keys under which jkeras keeps them.
    """
    before, config.lowering = config.lowering, name  # type: ignore[assignment]
    try:
        mode()
        yield
    finally:
        config.lowering = before


def cache_token() -> str:
    """What a compiled program depends on here."""
    return mode()


def on_cpu(fast: Callable[..., Any], stock: Callable[..., Any], *args: Any) -> Any:
    """`fast(*args)` on CPUs, `stock(*args)` elsewhere; chosen when the program is lowered, so exports stay portable."""
    return lax.platform_dependent(*args, cpu=fast, default=stock)


@functools.lru_cache(maxsize=1)
def compiler_options() -> dict[str, str]:
    """Compiler options for whole programs on this platform.

    On CPUs JAX 0.10 hands matrix products and convolutions to a library that mostly uses one core; switching that off
    makes a small dense network's step about a quarter shorter. JAX 0.12 needs nothing.
    """
    version = tuple(int(part) for part in jax.__version__.split(".")[:2])
    if version != (0, 10) or jax.default_backend() != "cpu":
        return {}
    options = {"xla_cpu_experimental_ynn_fusion_type": ""}
    try:
        jax.jit(lambda x: x, compiler_options=options).lower(0.0).compile()
    except Exception:  # noqa: BLE001 - an option that this build does not know is only a lost optimisation
        return {}
    return options
