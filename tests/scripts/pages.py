"""The tables of `docs/keras-scripts.md`, from the code: `python -m tests.scripts.pages` writes them."""

from pathlib import Path

from jkeras.files.dialects import old_names
from jkeras.scripts import callbacks, models, old_modules
from jkeras.scripts.tensorflow.modules import INSTEAD
from jkeras.scripts.tensorflow.table import NAMES

PAGE = Path(__file__).parents[2] / "docs" / "keras-scripts.md"
BEGIN = "<!-- tables from the code: python -m tests.scripts.pages -->\n"


def rows(head, body):
    return "\n".join([f"| {' | '.join(head)} |", "|" + "---|" * len(head), *(f"| {' | '.join(row)} |" for row in body)])


def code(words):
    return ", ".join(f"`{word}`" for word in words)


def arguments():
    """Arguments of layers, those of like classes together."""
    classes = {}
    for name, table in old_names.ARGUMENTS.items():
        classes.setdefault(tuple(table.items()), []).append(name)
    for table, names in classes.items():
        yield code(names), ", ".join(f"`{old}` → `{new}`" for old, new in table)


def names():
    """Names of Keras 1 and 2."""
    for module, table in old_modules.NAMES.items():
        news = {}
        for old, new in table.items():
            news.setdefault(new, []).append(old)
        yield f"`keras.{module}`", "; ".join(f"{code(olds)} → `{new}`" for new, olds in news.items())


def modules():
    """Old modules, by what stands for them."""
    homes = {}
    for module, home in old_modules.MODULES.items():
        homes.setdefault(home, []).append(module)
    for home, olds in homes.items():
        yield code(f"keras.{old}" for old in olds), f"`{home}`"


def tensorflow():
    """Names of the thin `tf`, by module."""
    groups = {}
    for name in sorted(NAMES):
        module, _, inner = name.rpartition(".")
        groups.setdefault(module, []).append(inner)
    for module, inner in sorted(groups.items()):
        yield f"`tf.{module}`" if module else "`tf`", code(inner)


def tables():
    """Everything that follows `BEGIN`."""
    gone = [(f"`keras.{m}.{name}`", new) for m, table in old_modules.GONE.items() for name, new in table.items()]
    methods = {f"`{name}`": [*table.items()] for name, table in models.RENAMED.items()}
    methods.update({f"`{cls.__name__}`": [*table.items()] for cls, table in callbacks.RENAMED.items() if table})
    parts = [
        "### Old names", rows(("module", "old → today"), names()),
        "### Old arguments of layers", rows(("class of today", "old → today"), arguments()),
        "### Old arguments of methods and callbacks",
        rows(("where", "old → today"), ((k, ", ".join(f"`{a}` → `{b}`" for a, b in v)) for k, v in methods.items())),
        "### Old modules", rows(("module", "stands for"), modules()),
        "### Gone", rows(("name", "write"), gone),
        "### Names of TensorFlow", rows(("module", "names"), tensorflow()),
        "### Unsupported parts of TensorFlow",
        rows(("name", "write"), ((f"`tf.{name}`", new) for name, new in INSTEAD.items())),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    text = PAGE.read_text()
    PAGE.write_text(text[: text.index(BEGIN) + len(BEGIN)] + "\n" + tables())
