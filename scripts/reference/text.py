"""Docstrings, types and signatures as Markdown."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any

from jkeras import types
from jkeras.values.docstrings import Section, parse
from scripts.reference.examples import imports

# How the aliases of `jkeras.types` are written for people.
_WRITTEN = {
    "ActivationLike": "str | function | None",
    "InitializerLike": "str | Initializer | function | array",
    "RegularizerLike": "str | Regularizer | function | None",
    "ConstraintLike": "str | Constraint | function | None",
    "DTypePolicyLike": "str | DTypePolicy | None",
    "LearningRateLike": "float | schedule | function",
    "LossLike": "str | Loss | function",
    "LossesLike": "str | Loss | function | list | dict | None",
    "MetricLike": "str | Metric | function",
    "MetricsLike": "list | dict | None",
    "OptimizerLike": "str | optimizer | optax.GradientTransformation",
    "SeedLike": "int | key | SeedGenerator | None",
    "CallbacksLike": "Callback | list[Callback] | None",
    "PathLike": "str | Path",
    "TensorLike": "array",
    "ArrayLike": "array",
    "NestedNumbers": "array",
    "ArrayTree": "tree of arrays",
    "DTypeLike": "str | dtype",
    "jax.Array": "Array",
    "np.ndarray": "array",
}


def type_of(annotation: Any) -> str:
    """An annotation for people: aliases written out, what a constructor accepts instead of what it keeps.

    >>> type_of("ActivationField"), type_of("Converted[int | Sequence[int], tuple[int, ...]]")
    ('str | function | None', 'int | Sequence[int]')
    """
    if annotation is inspect.Parameter.empty:
        return ""
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    for _ in range(3):
        text = re.sub(r"\b[A-Z]\w+\b", lambda m: _alias(m[0]), text)
        text = _accepted(text)
    text = re.sub(r"(Float|Int|Num|Bool|Shaped|Inexact|Key)\[(Array|ArrayLike), [^\]]*\]", "Array", text)
    text = re.sub(r"PyTree\[.*\]", "tree of arrays", text)
    for name, written in _WRITTEN.items():
        text = re.sub(rf"(?<![\w.]){re.escape(name)}\b", written, text)
    text = re.sub(r"Callable\[.*\]", "function", text).replace("Callable", "function")
    text = "" if text in ("Any", "object") else text
    return " | ".join(dict.fromkeys(part.strip() for part in text.split(" | ")))


def _alias(name: str) -> str:
    value = getattr(types, name, None)
    return value if isinstance(value, str) and name not in _WRITTEN else name


def _accepted(text: str) -> str:
    if not text.startswith("Converted["):
        return text
    depth, start = 0, len("Converted[")
    for i in range(start, len(text)):
        depth += (text[i] == "[") - (text[i] == "]")
        if text[i] == "," and not depth:
            return text[start:i]
    return text


def default_of(value: Any) -> str:
    """A default as it is written in a call."""
    if inspect.isfunction(value) or inspect.isclass(value):
        return str(value.__name__)
    text = repr(value)
    return f'"{value}"' if isinstance(value, str) and '"' not in value else "..." if text.startswith("<") else text


def call_of(name: str, signature: inspect.Signature) -> str:
    """A call with its defaults, one argument a line where one line would be too long."""
    words: list[str] = []
    starred = False
    for p in signature.parameters.values():
        if p.kind is p.KEYWORD_ONLY and not starred:
            words.append("*")
            starred = True
        starred = starred or p.kind is p.VAR_POSITIONAL
        mark = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        words.append(f"{mark}{p.name}" + ("" if p.default is p.empty else f"={default_of(p.default)}"))
    line = f"{name}({', '.join(words)})"
    return line if len(line) <= 76 else f"{name}(\n    " + ",\n    ".join(words) + ",\n)"


def arguments_of(signature: inspect.Signature, annotations: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    """The list of arguments: name, meaning, type, default."""
    return "\n".join(
        _argument(p, type_of(annotations.get(p.name, p.annotation)), texts) for p in signature.parameters.values()
    )


def _argument(p: inspect.Parameter, kind: str, texts: Mapping[str, str]) -> str:
    stars = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
    facts = [f"`{kind}`"] if kind else []
    if not stars:
        facts.append("required" if p.default is p.empty else f"default `{default_of(p.default)}`")
    text = next((texts[name] for name in (p.name, f"*{p.name}", f"**{p.name}") if name in texts), "")
    return f"- **`{stars}{p.name}`**{f': {text}' if text else ''}{_bracketed(facts)}"


def _bracketed(facts: list[str]) -> str:
    return f" *({', '.join(facts)})*" if facts else ""


def paragraph(section: Section, value: Any = None) -> str:
    """A section that is no list of entries; `value` is what an example is one of."""
    if section.title == "example":
        # Results of a search show the text instead.
        return f"``` {{ .pycon data-search-exclude }}\n{imports(section.body, value)}{section.body}\n```"
    if section.title in ("Shapes", "Source"):
        title, _, text = section.body.partition(":")
        return f"**{title}:**{text}" if len(title) < 12 else section.body
    return fenced(section.body)


def fenced(text: str) -> str:
    """Text with its literal blocks (indented, after `::`) as blocks of Python, and doctests as sessions."""
    lines, result, block = text.split("\n"), [], []
    for line in [*lines, ""]:
        if line.startswith("    ") or (block and not line.strip() and line is not lines[-1]):
            block.append(line)
            continue
        if block:
            body = inspect.cleandoc("\n".join(block))
            result.append(f"\n```{'pycon' if body.startswith('>>>') else 'python'}\n{body}\n```\n")
            block = []
        result.append(line)
    return re.sub(r"::$", ":", "\n".join(result).strip("\n"), flags=re.MULTILINE)


def raises_of(texts: Mapping[str, str]) -> str:
    """The list of errors."""
    return "\n".join(f"- **`{name}`**: {text}" for name, text in texts.items())


def sections_of(value: Any) -> list[Section]:
    """The docstring of an object in sections."""
    return parse(inspect.getdoc(value))
