"""Packages that are imported on first use, for libraries that import these from Keras's internals."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any


class LazyModule:
    """A package that is imported at its first use.

    Args:
        name: the module to import.
        pip_name: what to install for it; the same name by default.
        import_error_msg: the error's text where it is missing.

    Raises:
        ImportError: the package is not installed; at its first use.

    >>> LazyModule("math").floor(1.5), LazyModule("no_such_package").available
    (1, False)
    """

    def __init__(self, name: str, pip_name: str | None = None, import_error_msg: str | None = None):
        self.name = name
        self.pip_name = pip_name or name
        self.import_error_msg = import_error_msg or (
            f"This requires the {name} module. You can install it via `pip install {self.pip_name}`"
        )
        self.module: ModuleType | None = None

    @property
    def available(self) -> bool:
        """Whether the package can be imported."""
        try:
            self.initialize()
        except ImportError:
            return False
        return True

    def initialize(self) -> None:
        """Imports the package.

        Raises:
            ImportError: it is not installed.
        """
        if self.module is None:
            try:
                self.module = importlib.import_module(self.name)
            except ImportError as error:
                raise ImportError(self.import_error_msg) from error

    def __getattr__(self, name: str) -> Any:
        if name == "_api_export_path":  # asked of every object that may be one of Keras's
            raise AttributeError(name)
        self.initialize()
        return getattr(self.module, name)

    def __repr__(self) -> str:
        return f"LazyModule({self.name})"


# Those that Keras's own `module_utils` offers and libraries import from there.
_PACKAGES = {
    "tensorflow": "tensorflow",
    "gfile": "tensorflow.io.gfile",
    "tensorflow_io": "tensorflow_io",
    "scipy": "scipy",
    "jax": "jax",
    "torch": "torch",
    "torchvision": "torchvision",
    "torch_xla": "torch_xla",
    "optree": "optree",
    "dmtree": "tree",
    "tf2onnx": "tf2onnx",
    "grain": "grain",
    "litert": "ai_edge_litert",
    "ocp": "orbax.checkpoint",
}
_MODULES = {name: LazyModule(module) for name, module in _PACKAGES.items()}


def __getattr__(name: str) -> LazyModule:
    try:
        return _MODULES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
