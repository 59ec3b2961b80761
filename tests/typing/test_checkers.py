"""What mypy and pyright see of jkeras: mistakes are errors, types are exact, constructors are those of run time."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import jkeras as jk
from jkeras.values.spec import Spec
from tests.typing import checkers
from tests.typing.annotations import share_of_any

HERE = Path(__file__).parent
MISTAKES, EXACT = HERE / "mistakes.py", HERE / "exact.py"
FAMILIES = ("layers", "losses", "metrics", "optimizers", "initializers", "regularizers", "constraints")
BASES = ("losses.Loss", "metrics.Metric", "metrics.MeanMetric")


@pytest.mark.parametrize("checker", [checkers.mypy, checkers.pyright])
def test_mistakes_are_errors_and_types_are_exact(checker) -> None:
    planted = [
        (file.name, number)
        for file in (MISTAKES, EXACT)
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if line.endswith("# error")
    ]
    found = checker(MISTAKES, EXACT)
    assert sorted({(file, line) for file, line, text in found if text.startswith("error")}) == planted, found


def test_constructors_are_those_of_run_time(tmp_path) -> None:
    classes = {
        f"{family}.{name}": value
        for family in FAMILIES
        for name, value in inspect.getmembers(getattr(jk, family))
        if isinstance(value, type) and issubclass(value, Spec) and not name.startswith("_")
    }
    assert len(classes) > 250
    file = tmp_path / "constructors.py"
    file.write_text("import jkeras as jk\n" + "".join(f"reveal_type(jk.{name}.__init__)\n" for name in classes))
    seen = {line: text for _, line, text in checkers.mypy(file)}
    different = {}
    for line, (name, cls) in enumerate(classes.items(), 2):
        at_check, at_run = _as_checked(seen[line]), _as_run(cls)
        if issubclass(cls, jk.optimizers.Optimizer) or name in BASES:  # checkers see inherited arguments by keyword
            at_check, at_run = (sorted(name for name, _ in found) for found in (at_check, at_run))
        if at_check != at_run:
            different[name] = (at_check, at_run)
    assert not different


def _as_run(cls: type) -> list[tuple[str, bool]]:
    """Names of parameters, and whether each is by keyword only."""
    parameters = inspect.signature(cls).parameters.values()
    keywords = sorted(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)
    return [(p.name, False) for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD] + [(n, True) for n in keywords]


def _as_checked(text: str) -> list[tuple[str, bool]]:
    """The same of a type that mypy reveals, `def (self: Dense, units: int, activation: str | None =, *, name: str =)`."""
    inside = text[text.index("(") + 1 : text.rindex(")")]
    while (flat := re.sub(r"\[[^\[\]]*\]|\([^()]*\)", "", inside)) != inside:
        inside = flat
    positional, _, keywords = inside.partition("*, ")
    names = [part.split(":")[0].strip() for part in positional.split(",") if ":" in part]
    by_keyword = sorted(part.split(":")[0].strip() for part in keywords.split(",") if ":" in part and "**" not in part)
    return [(name, False) for name in names[1:] if "*" not in name] + [(name, True) for name in by_keyword]


def test_public_names_have_known_types() -> None:
    said = checkers.run_pyright("--verifytypes", "jkeras", "--ignoreexternal").stdout
    (score,) = re.findall(r"Type completeness score: ([\d.]+)%", said)
    assert float(score) >= 95, said[-2000:]


def test_parameters_are_seldom_any() -> None:
    assert share_of_any() <= 0.08
