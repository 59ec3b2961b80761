"""The page docs/errors.md, made from the docstrings of the errors: `python -m tests.errors_page --write`."""

import inspect
import sys
import textwrap
from pathlib import Path

from jkeras import errors

PAGE = Path(__file__).parents[1] / "docs" / "errors.md"


TRACEBACKS = (
    "## Tracebacks",
    "",
    "Tracebacks show the lines of your program, also those of your own layers, losses and data inside of a compiled step; what"
    " lies between them in jkeras, JAX and Flax is left out. An exception that arises while a layer computes comes with a"
    " note of the layer's path and its inputs:",
    "",
    "```text",
    'File "train.py", line 31, in <module>',
    "  model = model.fit(x, y)",
    'File "train.py", line 12, in call',
    "  return jnp.dot(x, self.kernel.T)",
    "TypeError: dot_general requires contracting dimensions to have the same shape, got (4,) and (5,).",
    "In the Mixing layer 'encoder/mixing', called with x: (32, 4) float32.",
    "```",
    "",
    "`JKERAS_FULL_TRACEBACK=1` in the environment, or `jk.config.disable_traceback_filtering()`, shows every line. Where jkeras"
    " itself fails with an exception that is none of the classes below, its last line is shown as well: please report it.",
)


def classes():
    """The error classes with a docstring of their own, in the order of the module."""
    found = [c for c in vars(errors).values() if inspect.isclass(c) and issubclass(c, errors.JkerasError)]
    return [c for c in found if c is not errors.JkerasError]


def parts(cls):
    """What an error means, and the code after `The mistake::` and `Instead::`."""
    meaning, *rest = inspect.getdoc(cls).split("\n\n")
    code, heading, text = {}, None, []
    for paragraph in rest:
        if paragraph in ("The mistake::", "Instead::"):
            heading = paragraph.removesuffix("::")
        elif heading and paragraph.startswith("    "):
            code[heading] = "\n\n".join(filter(None, [code.get(heading), textwrap.dedent(paragraph)]))
        elif not paragraph.startswith("Attributes"):
            text.append(" ".join(paragraph.split()))
    return meaning, code, text


def page():
    """The page as text."""
    lines = [
        "# Errors",
        "",
        "Every error that jkeras raises on purpose is a `jkeras.errors.JkerasError`, and also of the built-in class that"
        " Keras raises in the same place. Each says what was given, what was expected, where, and what to write instead."
        " In the examples `model` is a compiled model, `x` and `y` are data that fit it.",
        "",
        *TRACEBACKS,
    ]
    for cls in classes():
        meaning, code, text = parts(cls)
        bases = ", ".join(base.__name__ for base in cls.__mro__[1:] if base.__module__ == "builtins")
        bases = bases.removesuffix(", Exception, BaseException, object")
        lines += ["", f"## {cls.__name__}", "", f"{meaning} Also a `{bases}`.", ""]
        for heading, source in code.items():
            lines += [f"{heading}:", "", "```py", source, "```", ""]
        lines += [line for paragraph in text for line in (paragraph, "")]
        lines.pop()
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(page())
    else:
        print(page())
