"""Which form of an operation is used: chosen while a program is traced, from `jkeras.config.lowering`."""

from __future__ import annotations

import contextlib
import contextvars
import functools
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import jax
from jax import lax

from jkeras import config
from jkeras.errors import ArgumentError

Result = TypeVar("Result")

MODES = ("auto", "plain")
# Of JAX, for which the options below were measured.
MEASURED_VERSIONS = ((0, 10), (0, 11), (0, 12))
# Options of XLA for CPUs: which operations it hands to YNNPACK, and how it finds out which copies are needed.
LIBRARY = {"xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_REDUCE"}
COPIES = {"xla_cpu_copy_insertion_use_region_analysis": "True"}
# The passes that only loops need.
NO_LOOPS = {"xla_disable_hlo_passes": "while-loop-invariant-code-motion,simplify-while-loops"}

_form: contextvars.ContextVar[str | None] = contextvars.ContextVar("jkeras_lowering", default=None)


def current_mode() -> str:
    """The form in force, "auto" or "plain": that of `use`, else `jkeras.config.lowering`.

    Raises:
        ArgumentError: `jkeras.config.lowering` was set to something else.
    """
    form = _form.get() or config.lowering
    if form not in MODES:
        raise ArgumentError(f"jkeras.config.lowering = {form!r}: expected 'auto' or 'plain'.")
    return form


@contextlib.contextmanager
def use(name: str) -> Iterator[None]:
    """Sets the form while a block runs: `with lowering.use("plain"): ...`.

    It applies to the thread or task that enters it. Already compiled programs are not changed; `cache_token`
    is part of the keys under which jkeras keeps them.
    """
    before = _form.set(name)
    try:
        current_mode()
        yield
    finally:
        _form.reset(before)


def cache_token() -> str:
    """What a compiled program depends on here."""
    return current_mode()


def on_cpu(fast: Callable[..., Result], stock: Callable[..., Result], *args: Any) -> Result:
    """`fast(*args)` on CPUs, `stock(*args)` elsewhere; chosen when the program is lowered, so exports stay portable."""
    result: Result = lax.platform_dependent(*args, cpu=fast, default=stock)
    return result


def compiler_options() -> dict[str, str]:
    """Compiler options for whole programs on this platform.

    On CPUs XLA hands products, convolutions and sums to a library (YNNPACK). Its sums over leading axes (gradients of
    biases, statistics of batches) are some twenty times faster than XLA's own loops, its convolutions slower and its
    products no faster than Eigen's, and some are wrong (JAX 0.10: a product with a constant beside an einsum over rows):
    only the sums are handed over. In a loop over steps XLA copies every weight whose old value a gradient needs; with the
    analysis that it has for GPUs and TPUs it sees that the gradient can come first, and writes the update in place. See
    docs/performance.md.
    """
    return dict(_known_options())


def options_without_loops() -> dict[str, str]:
    """Compiler options, beside the others, for a loop over training steps that have no loop inside, on this platform.

    XLA's passes for loops find nothing to do in it, and with hundreds of carried arrays they take up to a fifth of the time
    to compile.
    """
    return dict(NO_LOOPS) if _known_options() else {}


@functools.lru_cache(maxsize=1)
def _known_options() -> dict[str, str]:
    """The options that were measured, as far as they are known here."""
    version = tuple(int(part) for part in jax.__version__.split(".")[:2])
    if version not in MEASURED_VERSIONS or jax.default_backend() != "cpu":
        return {}
    both = {**LIBRARY, **COPIES}
    if _is_known(both):
        return both
    return {name: value for name, value in both.items() if _is_known({name: value})}


def _is_known(options: dict[str, str]) -> bool:
    try:
        jax.jit(lambda x: x, compiler_options=options).lower(0.0).compile()
    except Exception:  # an option that this build does not know is only a lost optimisation
        return False
    return True


@functools.lru_cache(maxsize=1)
def quick_options() -> dict[str, str]:
    """Compiler options for programs that run once, such as those that draw weights.

    With less optimisation of machine code, XLA compiles random numbers on CPUs in a third of the time; the programs are
    as fast, and their bits the same.
    """
    return {"xla_backend_optimization_level": "1"} if jax.default_backend() == "cpu" else {}
