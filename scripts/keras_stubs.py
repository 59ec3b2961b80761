"""Writes the stubs of the modules of `jkeras.keras` whose classes are generated, so that editors and checkers see them.

python scripts/keras_stubs.py           # writes jkeras/keras/*.pyi
python scripts/keras_stubs.py --check   # exit status 1 if a stub is not what would be written
"""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

MODULES = (
    "layers",
    "losses",
    "metrics",
    "optimizers",
    "optimizers.schedules",
    "initializers",
    "regularizers",
    "constraints",
)
HEAD = '''"""Written by `scripts/keras_stubs.py`; do not edit."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

'''
# Annotations made of these words are kept; others say Any.
WORDS = frozenset("Any Callable Mapping Sequence Self str int float bool None dict list tuple type object".split())
WIDTH = 120
LITERALS = (int, float, str, bool, type(None))


def annotation(value: Any) -> str:
    """An annotation in words that the stub knows."""
    text = value if isinstance(value, str) else getattr(value, "__name__", str(value))
    if text.startswith("Converted["):
        text = accepted(text.removeprefix("Converted["))
    return text if set(re.findall(r"[A-Za-z_][\w.]*", text)) <= WORDS and text != "_empty" else "Any"


def accepted(text: str) -> str:
    """The first of two types, `A, B]`: what a constructor accepts."""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter in "[(") - (letter in "])")
        if letter == "," and not depth:
            return text[:place]
    return text


def literal(value: Any) -> str:
    """A default in source form."""
    return f'"{value}"' if isinstance(value, str) else repr(value)


def parameter(one: inspect.Parameter, hint: Any) -> str:
    """A parameter of a signature."""
    stars = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**"}.get(one.kind, "")
    text = f"{stars}{one.name}: {annotation(hint)}"
    if one.default is one.empty:
        return text
    if isinstance(one.default, LITERALS):
        text = f"{stars}{one.name}: {annotation(hint)}" + (
            "" if one.default is not None or "None" in text else " | None"
        )
        text = text.replace("Any | None", "Any")
        return f"{text} = {literal(one.default)}"
    return f"{stars}{one.name}: Any = ..."


def define(
    name: str, function: Any, hints: dict[str, Any], first: str = "", result: str = "Any", indent: str = ""
) -> str:
    """The definition of a function, on several lines if one is too long."""
    parts = parameters(function, hints, first)
    line = f"{indent}def {name}({', '.join(parts)}) -> {result}: ..."
    if len(line) <= WIDTH:
        return line
    inner = "".join(f"{indent}    {part},\n" for part in parts)
    return f"{indent}def {name}(\n{inner}{indent}) -> {result}: ..."


def parameters(function: Any, hints: dict[str, Any], first: str) -> list[str]:
    """The parameters of a function."""
    parts = [first] if first else []
    keyword_only = False
    for one in inspect.signature(function).parameters.values():
        if one.name in ("self", "cls") and first:
            continue
        if one.kind is one.KEYWORD_ONLY and not keyword_only:
            keyword_only = True
            parts.append("*")
        if one.kind is one.VAR_POSITIONAL:
            keyword_only = True
        parts.append(parameter(one, hints.get(one.name, one.annotation)))
    return parts


def returned(function: Any) -> str:
    """What a function returns."""
    return annotation(inspect.signature(function).return_annotation)


def field_hints(cls: type) -> dict[str, Any]:
    """Annotations of the fields of a class."""
    hints: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        hints.update(inspect.get_annotations(base))
    return hints


def class_stub(name: str, cls: Any) -> str:
    """A class: its constructor and fields, and the methods that it defines itself."""
    described = "description" in vars(cls) and vars(cls)["description"] is not None
    bases = [base.__name__ for base in cls.__bases__ if not described or base is not cls.description]
    bases = [base for base in bases if base not in ("Mutable", "object")] if not described else bases
    lines = [f"class {name}({', '.join(bases)}):" if described else f"class {name}:"]
    hints = field_hints(cls)
    doc = (inspect.getdoc(cls) or "").partition("\n")[0].replace("\\", "\\\\").replace('"""', "'''")
    if doc:
        lines.append(f'    """{doc}"""')
    fields = [key for key in getattr(cls, "_fields", {}) if not key.startswith("_")]
    lines += [f"    {key}: Any" for key in fields]
    lines.append(define("__init__", cls, hints, "self", "None", "    "))
    if described:
        lines.append("    def __getattr__(self, name: str) -> Any: ...")
    for key, value in vars(cls).items():
        if any(vars(base).get(key) is value for base in cls.__mro__[1:]):
            continue
        if isinstance(value, property) and not key.startswith("_") and key not in fields:
            lines += ["    @property", f"    def {key}(self) -> Any: ..."]
        elif isinstance(value, classmethod | staticmethod) and not key.startswith("_"):
            lines += ["    @classmethod", define(key, value.__func__, {}, "cls", indent="    ")]
        elif inspect.isfunction(value) and (not key.startswith("_") or key == "__call__") and key not in fields:
            lines.append(define(key, value, {}, "self", returned(value), "    "))
    return "\n".join(lines)


def stub(module: types.ModuleType) -> str:
    """The stub of a module."""
    imports, classes, functions, values = [], [], [], []
    for name in sorted(name for name in dir(module) if not name.startswith("_")):
        value = getattr(module, name)
        if isinstance(value, types.ModuleType):
            if value.__name__.removeprefix("jkeras.keras.") in MODULES:
                imports.append(f"from {module.__name__} import {name} as {name}")
            continue
        home = getattr(value, "__module__", "") or ""
        if isinstance(value, type) and value.__name__ == name and home == module.__name__:
            classes.append(value)
        elif isinstance(value, type) and getattr(sys.modules.get(home), value.__name__, None) is value:
            if home == module.__name__:
                values.append(f"{name} = {value.__name__}")
            elif home.startswith("jkeras.keras."):
                imports.append(f"from {home} import {value.__name__} as {name}")
        elif (inspect.isfunction(value) or inspect.ismethod(value)) and home.startswith("jkeras."):
            functions.append(define(name, value, {}))
    # A class comes after those that it derives from.
    classes.sort(
        key=lambda cls: (len([base for base in cls.__mro__ if base.__module__ == module.__name__]), cls.__name__)
    )
    known = {cls.__name__ for cls in classes} | {line.rpartition(" ")[2] for line in imports}
    bases: dict[str, list[str]] = {}
    for cls in classes:
        for base in cls.__bases__:
            if (
                base.__module__.startswith("jkeras.keras.")
                and base.__name__ not in known
                and base.__name__ != "Mutable"
            ):
                bases.setdefault(base.__module__, []).append(base.__name__)
                known.add(base.__name__)
    imports += [f"from {home} import {', '.join(sorted(names))}" for home, names in bases.items()]
    parts = [class_stub(cls.__name__, cls) for cls in classes]
    return HEAD + "\n".join([*sorted(imports), "", "\n\n".join(parts), "", *values, *functions]) + "\n"


def formatted(text: str, path: Path) -> str:
    """The text as the project's formatter writes it."""
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(path), "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def stubs() -> dict[Path, str]:
    """The files and what is in them."""
    texts = {}
    for name in MODULES:
        module = importlib.import_module(f"jkeras.keras.{name}")
        path = Path(str(module.__file__)).with_suffix(".pyi")
        texts[path] = formatted(stub(module), path)
    return texts


def main() -> int:
    """Writes the stubs, or compares them."""
    texts = stubs()
    if "--check" in sys.argv[1:]:
        wrong = [path for path, text in texts.items() if not path.exists() or path.read_text() != text]
        print(*wrong, sep="\n", end="\n" if wrong else "")
        return bool(wrong)
    for path, text in texts.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
