"""The entry of one public object."""

from __future__ import annotations

import functools
import inspect
import linecache
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jkeras
from jkeras.values.docstrings import Section, described
from jkeras.values.operation_words import ARGUMENTS as OPERATION_ARGUMENTS
from scripts.reference import text
from scripts.reference.names import Entry

ROOT = Path(jkeras.__file__).parents[1]
# What classes of one family override: the page of their base explains it, or only authors of such classes need it.
_PROTOCOL = """build call compute_mask compute_output_shape compute_output_spec get_config from_config update_step values
    merge empty update compute valid get_initial_state known_output input_spec direction takes_padding spatial_axes
    on_train_begin on_train_end on_epoch_begin on_epoch_end on_train_batch_begin on_train_batch_end on_test_begin
    on_test_end on_test_batch_begin on_test_batch_end on_predict_begin on_predict_end on_predict_batch_begin
    on_predict_batch_end function cell_arguments mixes_samples state_size output_size channels_first reset_state
    reset_states rank more_axes
    draw change_images change_masks change_boxes change_labels new_size transform applies axes size_of size_before box_dtype
    prepare check_images check check_boxes compiled_as
    advance kernel_shapes draw_masks by_gate project recur input_product state_product loop""".split()
_BASES = ("Layer", "Loss", "Metric", "Optimizer", "Callback", "BaseOptimizer")


def written(entry: Entry, level: int = 2) -> str:
    """The Markdown of an entry; headings begin at `level`."""
    value, parts = entry.value, [_heading(entry, level)]
    if not callable(value):
        return "\n\n".join([*parts, f"`{value!r}`" if len(repr(value)) < 60 else f"A `{type(value).__name__}`."])
    signature = _signature(value)
    sections = text.sections_of(value)
    if sections and sections[0].title == "text":
        parts.append(text.paragraph(sections.pop(0)))
    if signature is not None:
        parts.append(f"``` {{ .python data-search-exclude }}\n{text.call_of(_called(entry.path), signature)}\n```")
    parts.append(_place(entry))
    parts += _body(value, signature, sections)
    if inspect.isclass(value):
        parts += [_member(entry, name, member, level + 1) for name, member in members(value)]
    return "\n\n".join(part for part in parts if part)


def _heading(entry: Entry, level: int) -> str:
    anchors = "".join(f'<a id="{path}"></a>' for path in entry.paths[1:])
    return f"{'#' * level} {entry.name} {{ #{entry.path} }}\n\n{anchors}".rstrip()


def _called(path: str) -> str:
    parts = path.split(".")
    return ".".join(["jk", *parts[1:]]) if len(parts) < 4 else ".".join(parts[-2:])


def _place(entry: Entry) -> str:
    """Other names, and the file and line of the source."""
    others = [f"`{path}`" for path in entry.paths[1:]]
    facts = [f"Also {', '.join(others)}."] if others else []
    source = source_of(entry.value)
    return " ".join([*facts, f"Source: {source}"] if source else facts)


def source_of(value: Any) -> str:
    """File and line, or nothing for what a table makes."""
    value = value if inspect.isclass(value) else inspect.unwrap(value)
    try:
        file = Path(inspect.getsourcefile(value) or "").resolve()
        return f"`{file.relative_to(ROOT)}:{_line(value, file)}`"
    except (TypeError, ValueError):
        return ""


def _line(value: Any, file: Path) -> int:
    if not inspect.isclass(value):
        return int(value.__code__.co_firstlineno)
    lines = linecache.getlines(str(file))
    return next((i for i, line in enumerate(lines, 1) if re.match(rf"class {value.__name__}\b", line)), 1)


def _body(value: Any, signature: inspect.Signature | None, sections: list[Section]) -> Iterator[str]:
    texts = described(sections, "Args")
    if str(getattr(value, "__module__", "")).startswith("jkeras.ops"):
        texts = {**OPERATION_ARGUMENTS, **texts}
    names = set() if signature is None else set(signature.parameters)
    listed = False
    for section in sections:
        if section.title not in ("Args", "Raises", "Returns", "Yields", "Attributes", "State"):
            if section.title in ("example", "Source") and not listed and names:
                yield from _arguments(value, signature, texts)
                listed = True
            yield text.paragraph(section, value)
        elif section.title == "Args":
            yield from _arguments(value, signature, texts)
            listed = True
        elif section.title in ("Raises", "Attributes", "State") and ":" in section.body:
            yield f"**{section.title}:**\n\n" + text.raises_of(described([section], section.title))
        else:
            yield f"**{section.title}:** {text.fenced(section.body)}"
    if not listed and names:
        yield from _arguments(value, signature, texts)


def _arguments(value: Any, signature: inspect.Signature | None, texts: Mapping[str, str]) -> Iterator[str]:
    if signature is not None and signature.parameters:
        yield "**Arguments:**\n\n" + text.arguments_of(signature, _annotations(value), texts)


def _annotations(value: Any) -> dict[str, Any]:
    """The annotations of the fields of a class, those of subclasses first."""
    result: dict[str, Any] = {}
    for cls in value.__mro__ if inspect.isclass(value) and hasattr(value, "_fields") else ():
        if "__init__" in vars(cls) and cls.__module__.startswith("jkeras") and cls.__name__ != "Spec":
            break
        for name, annotation in vars(cls).get("__annotations__", {}).items():
            result.setdefault(name, annotation)
    return result


def _signature(value: Any) -> inspect.Signature | None:
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return None
    if inspect.isclass(value) and set(signature.parameters) == {"args", "kwargs"}:
        return None
    return signature


def members(cls: type) -> Iterator[tuple[str, Any]]:
    """The documented public methods and properties that a class has beyond its family."""
    seen: set[str] = set()
    for base in cls.__mro__:
        if not base.__module__.startswith("jkeras.") or (base is not cls and base.__name__ in _BASES):
            break
        for name, member in vars(base).items():
            function = getattr(member, "__func__", member)
            kind = inspect.isfunction(function) or isinstance(member, (property, functools.cached_property))
            inherited = cls.__name__ not in _BASES and name in _PROTOCOL
            if (
                name.startswith("_")
                or name in seen
                or not kind
                or inherited
                or not inspect.getdoc(getattr(cls, name, None))
            ):
                continue
            seen.add(name)
            yield name, getattr(cls, name)


def _member(entry: Entry, name: str, member: Any, level: int) -> str:
    parts = [f"{'#' * level} {name} {{ #{entry.path}.{name} }}"]
    signature = None if isinstance(member, (property, functools.cached_property)) else _signature(member)
    if signature is not None:
        parameters = [p for p in signature.parameters.values() if p.name not in ("self", "cls")]
        signature = signature.replace(parameters=parameters)
        parts.append(f"``` {{ .python data-search-exclude }}\n{text.call_of(name, signature)}\n```")
    else:
        parts.append("*property*")
    return "\n\n".join([*parts, *_body(member, signature, text.sections_of(member))])
