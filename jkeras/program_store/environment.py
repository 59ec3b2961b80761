"""What a lowered program depends on beside what it was made of: versions, switches, devices."""

from __future__ import annotations

import functools
import importlib.util
import sys
from pathlib import Path
from typing import Any

import jax
import jaxlib.version
import numpy as np

from jkeras import compilation, config
from jkeras.program_store.errors import NotPortableError
from jkeras.program_store.lowered import works
from jkeras.program_store.patches import check_modules, contents_of_jax, contents_of_module, source_fingerprint

# Of JAX: with these a program is to be traced anew, or traced to be looked at.
OFF = (
    "jax_debug_nans", "jax_debug_infs", "jax_disable_jit", "jax_check_tracer_leaks", "jax_enable_checks",
    "jax_debug_key_reuse", "jax_no_tracing", "jax_no_execution", "jax_default_device", "jax_dump_ir_to",
    "jax_log_compiles", "jax_explain_cache_misses", "jax_log_checkpoint_residuals",
)  # fmt: skip
# Of JAX: where compiled programs are kept, and how errors are shown.
WITHOUT_EFFECT = ("compilation_cache", "persistent_cache", "traceback", "logging")
# Modules that every program is traced with, whose contents count.
TRACING = ("jkeras.lowering", "jkeras.graph")


def is_active() -> bool:
    """Whether programs are kept: where the cache is ours, and a program can only be for the one device there is."""
    if not compilation.is_ours() or jax.default_backend() != "cpu" or jax.device_count() != 1:
        return False
    values: Any = jax.config
    return not any(getattr(values, name, None) for name in OFF) and works()


def switches() -> tuple[Any, ...]:
    """The values in force of all switches of JAX and of jkeras that may change a program.

    Raises:
        NotPortableError: one is an object without a plain value.
    """
    values = [*_switches_of_jax(), *(("jkeras", name, value) for name, value in _switches_of_jkeras())]
    for *_, value in values:
        if value is not None and not isinstance(value, (bool, int, float, str)):
            raise NotPortableError(f"a switch is {value!r}")
    return tuple((*names, type(value).__name__, repr(value)) for *names, value in values)


def _switches_of_jax() -> list[tuple[str, str, Any]]:
    values = jax.config.values
    return [("jax", name, values[name]) for name in sorted(values) if not any(part in name for part in WITHOUT_EFFECT)]


def _switches_of_jkeras() -> list[tuple[str, Any]]:
    names = sorted(name for name in vars(config) if not name.startswith("__"))
    plain = (type(None), bool, int, float, str)
    return [(name, value) for name in names if isinstance(value := vars(config)[name], plain)]


def environment() -> str:
    """All of it but the switches, as text.

    Raises:
        NotPortableError: something was replaced in a module, or a source file changed.
    """
    check_modules()
    device = jax.devices()[0]
    versions = (
        sys.version,
        jax.__version__,
        jaxlib.version.__version__,
        np.__version__,
        _optax(),
    )
    modules = sorted(name for name in sys.modules if name.startswith(TRACING))
    contents = [(name, contents_of_module(name)) for name in modules] + contents_of_jax()
    return repr(
        (versions, device.platform, device.device_kind, device.client.platform_version, contents, source_fingerprint())
    )


@functools.lru_cache(maxsize=1)
def _optax() -> str | None:
    """The file that says which version of Optax is here, which is not loaded for this."""
    spec = importlib.util.find_spec("optax")
    return None if spec is None or spec.origin is None else Path(spec.origin).read_text(encoding="utf-8")
