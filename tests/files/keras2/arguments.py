"""Which arguments every version of Keras wrote, from the signatures and `get_config`s in its source, which is only parsed.

    for v in 1.2.2 2.0.9 2.2.4 ...; do pip download --no-deps keras==$v; done      # unpacked into SOURCES/VERSION
    python tests/files/keras2/arguments.py SOURCES                                 # writes arguments.tsv

A row of `arguments.tsv` is family, class, argument, default as JSON (`?` if there is none or it is no plain value), and the
versions that were looked at, of those that have it. `tests/files/test_dialects.py` goes through the table.
"""

from __future__ import annotations

import ast
import json
import pathlib
import sys
from collections.abc import Iterator

FAMILIES = ("layers", "losses", "metrics", "optimizers", "initializers")
OTHER_NAMES = {
    "legacy_tf_layers": "",
    "optimizer_v2": "optimizers",
    "optimizer_v1": "",
    "objectives": "",
    "initializers_v1": "",
    "benchmarks": "",
    "backend": "",
}
NO_ARGUMENTS = {"self", "kwargs", "args", "_", "cls"}
TABLE = pathlib.Path(__file__).with_name("arguments.tsv")


def family_of(path: pathlib.Path) -> str | None:
    parts = [OTHER_NAMES.get(part, part) for part in (*path.parts[:-1], path.stem)]
    if (
        "" in parts
        or any(part.startswith("legacy_") for part in parts)
        or path.stem.endswith(("_test", "_v1"))
        or "test" in path.stem.split("_")
    ):
        return None
    return next((part for part in parts if part in FAMILIES), None)


def classes(root: pathlib.Path) -> Iterator[tuple[str, ast.ClassDef]]:
    for path in sorted(root.rglob("*.py")):
        family = family_of(path.relative_to(root))
        if family is None:
            continue
        for node in ast.parse(path.read_text(encoding="utf-8", errors="replace")).body:
            if isinstance(node, ast.ClassDef):
                yield family, node


def plain(node: ast.expr | None) -> str:
    try:
        return json.dumps(ast.literal_eval(node)) if node is not None else "?"
    except (ValueError, TypeError):
        return "?"


def method(node: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    return next((m for m in node.body if isinstance(m, ast.FunctionDef) and m.name == name), None)


def signature(node: ast.ClassDef) -> dict[str, str]:
    init = method(node, "__init__")
    if init is None:
        return {}
    named = [*init.args.posonlyargs, *init.args.args]
    defaults: list[ast.expr | None] = [None] * (len(named) - len(init.args.defaults)) + list(init.args.defaults)
    pairs = [*zip(named, defaults, strict=True), *zip(init.args.kwonlyargs, init.args.kw_defaults, strict=True)]
    return {argument.arg: plain(default) for argument, default in pairs if argument.arg not in NO_ARGUMENTS}


def written(node: ast.ClassDef) -> set[str]:
    """The keys that `get_config` puts into its dict, as far as they are constants."""
    writer = method(node, "get_config")
    found: set[str] = set()
    for part in ast.walk(writer) if writer else ():
        if isinstance(part, ast.Dict):
            found |= {key.value for key in part.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
        if isinstance(part, ast.Subscript) and isinstance(part.ctx, ast.Store) and isinstance(part.slice, ast.Constant):
            found.add(str(part.slice.value))
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id == "dict":
            found |= {keyword.arg for keyword in part.keywords if keyword.arg}
    return found


def asks_above(node: ast.ClassDef) -> bool:
    """Whether `get_config` adds to that of the class above."""
    writer = method(node, "get_config")
    return writer is None or any(isinstance(p, ast.Attribute) and p.attr == "get_config" for p in ast.walk(writer))


def removed(node: ast.ClassDef) -> set[str]:
    """The keys that `get_config` takes out of what the class above wrote."""
    writer = method(node, "get_config")
    found: set[str] = set()
    for part in ast.walk(writer) if writer else ():
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr == "pop":
            found |= {str(part.args[0].value)} if isinstance(part.args[0], ast.Constant) else set()
        if isinstance(part, ast.Delete):
            targets = [t.slice for t in part.targets if isinstance(t, ast.Subscript)]
            found |= {str(t.value) for t in targets if isinstance(t, ast.Constant)}
    return found


def base_names(node: ast.ClassDef) -> list[str]:
    return [base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "") for base in node.bases]


def arguments(root: pathlib.Path) -> Iterator[tuple[str, str, str, str]]:
    """Family, class, argument and default of one version."""
    known: dict[tuple[str, str], ast.ClassDef] = {}
    for family, node in classes(root):
        known.setdefault((family, node.name), node)

    def bases(family: str, node: ast.ClassDef) -> list[ast.ClassDef]:
        return [known[family, base] for base in base_names(node) if (family, base) in known and base != node.name]

    def keys(family: str, node: ast.ClassDef) -> set[str]:
        """What `get_config` writes, that of the classes above included where it asks them."""
        above = bases(family, node) if asks_above(node) else []
        return set().union(*(keys(family, base) for base in above)) - removed(node) | written(node)

    def everything(family: str, node: ast.ClassDef) -> dict[str, str]:
        above: dict[str, str] = {}
        for base in bases(family, node):
            above |= everything(family, base)
        kept = above if method(node, "__init__") is None else {k: above.get(k, "?") for k in keys(family, node)}
        found = {k: v for k, v in (kept | signature(node)).items() if k not in removed(node)}
        return {k: v for k, v in found.items() if asks_above(node) or k in written(node)}

    for (family, name), node in known.items():
        if not name.startswith("_") and not name.endswith(("Test", "Mixin")):
            for argument, default in everything(family, node).items():
                yield family, name, argument, default


def order(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def main() -> None:
    """Writes the table."""
    rows: dict[tuple[str, str, str, str], list[str]] = {}
    folders = sorted((p for p in pathlib.Path(sys.argv[1]).iterdir() if p.is_dir()), key=lambda p: order(p.name))
    for folder in folders:
        root = folder / "keras"
        root = root / "src" if (root / "src").is_dir() else root
        for row in arguments(root):
            rows.setdefault(row, []).append(folder.name)
    lines = ["\t".join((*row, ",".join(versions))) for row, versions in sorted(rows.items())]
    TABLE.write_text("\n".join(["family\tclass\targument\tdefault\tversions", *lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
