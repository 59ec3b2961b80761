"""For the API reference: doctests become code blocks, and `::` before a literal block becomes a colon."""

import re

import griffe

DOCTEST = re.compile(r"(?:^|(?<=\n\n))((?:[ ]*)>>> .*?)(?=\n\n|\Z)", re.DOTALL)


class Doctests(griffe.Extension):
    """Rewrites every docstring before it is parsed."""

    def on_object(self, *, obj, loader, **kwargs):
        if obj.docstring is not None:
            text = re.sub(r"::\n", ":\n", obj.docstring.value)
            obj.docstring.value = DOCTEST.sub(self._fenced, text)

    @staticmethod
    def _fenced(match):
        indent = match[1][: len(match[1]) - len(match[1].lstrip())]
        return f"{indent}```pycon\n{match[1]}\n{indent}```"
