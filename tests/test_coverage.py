"""The page of coverage says what the code and the tests say."""

import re

import pytest

from tests import coverage
from tests.keras_names import aliases, canonical_names, find, ours


def test_the_page_is_up_to_date():
    written = coverage.PAGE.read_text(encoding="utf-8").splitlines()
    expected = coverage.page().splitlines()
    different = sorted({*written} ^ {*expected})
    assert written == expected, "run `python -m tests.coverage --write`:\n" + "\n".join(different[:20])


def test_every_name_is_on_the_page_once():
    listed, space = [], ""
    for line in coverage.PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            space = line[3:]
        elif line.startswith("| `") and space == "others":
            where, names = line.split("|")[1:3]
            listed += [f"{where.strip(' `')}.{name}" for name in re.findall(r"`(\w+)`", names)]
        elif line.startswith("| `"):
            listed.append(f"{space}.{line.split('`')[1]}")
    assert sorted(listed) == sorted(canonical_names())


def test_reasons_are_of_absent_names():
    names = canonical_names()
    assert [
        one
        for one in coverage.REASONS
        if not any(f"{name}.".startswith(f"{one}.") and not ours(name) for name in names)
    ] == []


def test_names_that_tests_compare_are_there():
    known = {*canonical_names(), *aliases()}
    compared = coverage.equal_names() & known
    assert len(compared) > 500
    assert {name for name in compared if ours(name) is None} == set()


def test_only_calls_side_by_side_count(tmp_path):
    file = tmp_path / "test_one.py"
    file.write_text("def test_both():\n    assert normalize(1) == keras.utils.normalize(1)\n    keras.utils.pad(2)\n")
    assert set(coverage.literal_names(file)) == {"keras.utils.normalize"}


@pytest.mark.parametrize("name", [name for name, first in aliases().items() if find("jkeras.keras", first) is not None])
def test_second_names_are_found(name):
    """Every name of Keras for something that jkeras has leads to it in the drop-in namespace."""
    first = aliases()[name]
    assert find("jkeras.keras", name) is not None, f"{name} is {first}"
