"""Some of the runs of `python -m tests.files.fuzz`, in this process."""

import logging

import pytest

from tests.files import fuzz

RUNS = 3 * len(fuzz.KINDS)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    disabled = logging.root.manager.disable
    fuzz.make_valid(folder)
    yield fuzz.Fuzz(folder)
    logging.disable(disabled)


def test_damaged_files_end_in_an_error_of_ours_or_the_same_model(runs):
    outcomes = {number: runs.run(number) for number in range(RUNS)}
    assert not {number: result for number, result in outcomes.items() if result[2].startswith("WRONG")}
    assert len({kind for kind, _, _ in outcomes.values()}) == len(fuzz.KINDS)
    assert {outcome for _, _, outcome in outcomes.values()} >= {"error", "equal"}


def test_a_reader_that_fails_otherwise_is_found(runs, monkeypatch):
    monkeypatch.setattr(runs.readers, "read", lambda kind, path: {}[path])
    assert runs.run(0)[2].startswith("WRONG: KeyError")
    monkeypatch.setattr(runs.readers, "read", lambda kind, path: [a + 1 for a in runs.weights[kind]])
    assert runs.run(0)[2] == "WRONG: the weights changed unnoticed"
