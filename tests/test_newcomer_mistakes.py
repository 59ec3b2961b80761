"""Mistakes of newcomers are answered with the place, the value and what to write, before a model is compiled."""

import re

import pytest

from jkeras.errors import JkerasError
from tests.newcomer_mistakes import MISTAKES

# How messages say what to write.
ADVICE = re.compile(
    r"Did you mean|[Ee]xpect|[Ww]rite|[Uu]se |[Pp]ass |Known|known are|[Gg]ive |Put |[Aa]dd |[Mm]ake|Turn|must|Reshape|Change"
    r"|Clean|Leave|model = |[Bb]egin|[Tt]ake|needs|[Ii]nstead|at most|first|End it|Freeze|Check|missing|outside|copies|build"
    r"|becomes|is called with|Turn"
)
# Python's own classes, for what only Python looks up.
BUILT_IN = (AttributeError, NotImplementedError)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_answered(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call, place, value = MISTAKES[name]
    with pytest.raises((JkerasError, *BUILT_IN)) as caught:
        call()
    text = str(caught.value)
    assert re.search(place, text, re.I), text
    assert re.search(value, text, re.S), text
    assert ADVICE.search(text) or isinstance(caught.value, BUILT_IN), text
    assert not list(tmp_path.iterdir())


def test_there_are_enough():
    assert len(MISTAKES) > 200
