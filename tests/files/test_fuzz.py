"""Some of the runs of `python -m tests.files.fuzz`, in this process."""

import logging

import pytest

from tests.files import fuzz

RUNS = 63


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    disabled = logging.root.manager.disable
    fuzz.make_valid(folder)
    yield fuzz.Fuzz(folder)
    logging.disable(disabled)


def test_damaged_files_end_in_an_error_of_ours_or_the_same_model(runs):
    kinds = list(fuzz.KINDS)
    outcomes = {number: runs.run(number) for number in range(RUNS)}
    assert not {number: result for number, result in outcomes.items() if result[2].startswith("WRONG")}
    assert {kind for kind, _, _ in outcomes.values()} == set(kinds)
    assert {outcome for _, _, outcome in outcomes.values()} >= {"error", "equal"}


def test_a_reader_that_fails_otherwise_is_found(runs, monkeypatch):
    broken = fuzz.dataclasses.replace(fuzz.KINDS[".keras"], read=lambda model, path: {}[path])
    monkeypatch.setitem(fuzz.KINDS, ".keras", broken)
    assert runs.run(0)[2].startswith("WRONG: KeyError")
    changed = fuzz.dataclasses.replace(broken, read=lambda model, path: [a + 1 for a in model.get_weights()])
    monkeypatch.setitem(fuzz.KINDS, ".keras", changed)
    assert runs.run(0)[2] == "WRONG: the weights changed unnoticed"
