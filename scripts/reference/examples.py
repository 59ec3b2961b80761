"""What an example takes from the module that it stands in, as imports."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

_SHORT = {"jax.numpy": "import jax.numpy as jnp", "numpy": "import numpy as np", "jkeras": "import jkeras as jk"}


def imports(example: str, value: Any) -> str:
    """The lines of a session that a doctest needs when it is pasted.

    Args:
        example: a doctest.
        value: what it is an example of.
    """
    module = sys.modules.get(getattr(inspect.unwrap(value) if callable(value) else value, "__module__", ""))
    lines = dict.fromkeys(_imported(example, module)) if module else {}
    return "".join(f">>> {line}\n" for line in lines)


def _imported(example: str, module: ModuleType) -> Iterator[str]:
    code = "\n".join(line[4:] for line in example.split("\n") if line.startswith((">>>", "...")))
    for name in dict.fromkeys(re.findall(r"(?<![.\w\"'])[A-Za-z_]\w*", code)):
        value = vars(module).get(name)
        bound = re.search(rf"\b(import|as|class|def|for) {name}\b|^(\w+, )*{name}(, \w+)* = ", code, re.MULTILINE)
        if value is None or bound:
            continue
        if inspect.ismodule(value):
            package, _, last = value.__name__.rpartition(".")
            yield _SHORT.get(value.__name__) or (f"from {package} import {last}" if package else f"import {last}")
        elif callable(value) and getattr(value, "__name__", "") == name:
            yield f"from {_home(value)} import {name}"


def _home(value: Any) -> str:
    """The module to import from: the package that offers the name, or the one that defines it."""
    module = str(value.__module__)
    package = ".".join(module.split(".")[:2])
    return package if getattr(sys.modules.get(package), value.__name__, None) is value else module
