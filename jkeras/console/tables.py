"""Small tables for notebooks and terminals."""

from __future__ import annotations

import html
from collections.abc import Collection, Sequence

_CELL = "padding:2px 10px;text-align:"


def html_table(
    names: Sequence[str], rows: Sequence[Sequence[object]], caption: str, *, footer: Sequence[str] = ()
) -> str:
    """A table as HTML: numbers to the right, text to the left.

    Args:
        names: the columns.
        rows: their values.
        caption: the line above.
        footer: lines below.
    """
    numeric = [all(_is_number(row[i]) for row in rows) for i in range(len(names))]
    styles = [f'style="{_CELL}{"right" if right else "left"}"' for right in numeric]
    head = "".join(f"<th {style}>{html.escape(name)}</th>" for name, style in zip(names, styles, strict=True))
    body = "".join(
        "<tr>"
        + "".join(f"<td {style}>{_shown(value)}</td>" for value, style in zip(row, styles, strict=True))
        + "</tr>"
        for row in rows
    )
    below = "".join(f"<div>{html.escape(line.strip())}</div>" for line in footer)
    top = f'<caption style="text-align:left;caption-side:top"><b>{html.escape(caption)}</b></caption>'
    return f"<div><table>{top}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}</div>"


def aligned(rows: Sequence[Sequence[str]], numbers: Collection[int]) -> list[str]:
    """The rows of a table as lines in which columns stand below each other.

    Args:
        rows: the cells, of as many columns each.
        numbers: the columns that are aligned to the right.

    >>> print("\\n".join(aligned([["array", "bytes"], ["kernel", "8"]], numbers={1})))
    array   bytes
    kernel      8
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if column in numbers else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _is_number(value: object) -> bool:
    return (
        isinstance(value, (int, float)) or (isinstance(value, str) and value[:1].isdigit()) or value in ("", "?", "...")
    )


def _shown(value: object) -> str:
    return html.escape(f"{value:.4g}" if isinstance(value, float) else str(value))
