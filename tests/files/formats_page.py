"""The table of formats in docs/files.md: `python -m tests.files.formats_page --write` puts it there."""

import sys
from pathlib import Path

from jkeras.files.containers.kinds import KINDS, Kind

PAGE = Path(__file__).parents[2] / "docs" / "files.md"
START, END = "<!-- the formats -->\n", "<!-- the end of the formats -->\n"
PARTS = {
    "definition": "definition",
    "weights": "weights",
    "recipe": "what `compile` was given",
    "optimizer": "state of the optimizer",
    "run": "step, random key, history",
    "recurrent": "states of stateful recurrent layers",
}


def _written_by(kind: Kind) -> str:
    return ", ".join(f"`{m}`" for m, part in (("save", "model"), ("save_weights", "weights")) if kind.writes(part))


def table() -> str:
    """Formats across, what they keep down."""
    titles = ["directory (no suffix)" if not kind.suffixes else kind.name for kind in KINDS]
    rows = [
        ["written by", *map(_written_by, KINDS)],
        *([text, *("yes" if part in kind.keeps else "no" for kind in KINDS)] for part, text in PARTS.items()),
        ["real Keras reads it", *(kind.opened_by for kind in KINDS)],
        ["files of Keras that are read", *(kind.read_from for kind in KINDS)],
    ]
    lines = [["", *titles], ["---"] * (len(KINDS) + 1), *rows]
    return "".join(("|" + "|".join(f" {cell} " if cell else " " for cell in line) + "|\n") for line in lines)


def page() -> str:
    """The whole page with the table of today."""
    before, rest = PAGE.read_text().split(START)
    return before + START + table() + END + rest.split(END)[1]


if __name__ == "__main__" and "--write" in sys.argv:
    PAGE.write_text(page())
