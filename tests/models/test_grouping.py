"""How many members train in one program: measured where a run is long enough, remembered, and kept by a run that goes on."""

from typing import ClassVar

import numpy as np
import pytest

import jkeras as jk
from jkeras import callbacks, errors, layers
from jkeras.models import grouping
from jkeras.models.group_trial import GroupTrial
from jkeras.training.compiled_loops import loops_of
from jkeras.training.sources import TrainingData
from jkeras.training.task import prepare
from tests.interruptions import CutEpoch

RNG = np.random.default_rng(5)
X = RNG.normal(size=(40, 6, 6, 1)).astype("float32")
Y = RNG.integers(0, 3, 40)


def model(units=3):
    network = [layers.Input((6, 6, 1)), layers.Conv2D(2, 3, activation="relu"), layers.Dropout(0.2), layers.Flatten()]
    recipe = ("adam", "sparse_categorical_crossentropy", ["accuracy"])
    return jk.Sequential([*network, layers.Dense(units, "softmax")]).compile(*recipe[:2], metrics=recipe[2])


@pytest.fixture
def clock(monkeypatch):
    """Trials that take what a table says instead of time: seconds of a step by size; the sizes that were tried."""
    grouping.measurements.cache_clear()
    tried = []

    class Trial:
        steps: ClassVar = {}
        compilation = 1.0

        def __init__(self, task, state, size, at_a_time):
            tried.append(size)
            self.size = size

        def compile(self):
            if self.steps[self.size] is None:
                raise errors.DeviceMemoryError("too large")
            return self.compilation

        def estimate(self):
            return self.steps[self.size]

        @property
        def cost(self):
            return max(0.2, self.estimate())

        measure = estimate

    Trial.tried = tried
    monkeypatch.setattr(grouping, "GroupTrial", Trial)
    monkeypatch.setattr(grouping, "rule_size", lambda state, count: 2)
    yield Trial
    grouping.measurements.cache_clear()


def stacked(count=4, batch_size=8):
    ensemble = jk.Ensemble(model(), count)
    return ensemble.fit(X, Y, batch_size=batch_size, verbose=0, group=count).state


def choose(state, epochs, batch_size=8):
    task = prepare(model(), TrainingData(X, Y, batch_size=batch_size), in_memory=True)
    return grouping.choose(task, state, epochs)


@pytest.mark.parametrize(
    ("steps", "size"),
    [
        ({2: 1.0, 1: 0.5, 4: 0.8}, 1),
        ({2: 1.0, 1: 0.95, 4: 0.92}, 2),  # not by more than measurements differ
        ({2: 1.0, 1: 2.0, 4: 0.1}, 4),
        ({2: None, 1: 2.0, 4: None}, 1),  # where memory is not enough, any that fits
    ],
)
def test_the_quickest_is_taken(clock, steps, size):
    clock.steps = steps
    chosen = choose(stacked(), epochs=10_000)
    assert (chosen.size, chosen.chosen_by) == (size, "measurement")
    assert chosen.seconds == {name: np.inf if value is None else value for name, value in steps.items()}
    assert clock.tried == [2, 1, 4]
    assert choose(stacked(), epochs=3) == chosen and clock.tried == [2, 1, 4]  # remembered, whatever the length


def test_another_batch_another_count_another_network_are_measured_anew(clock):
    clock.steps = {2: 1.0, 1: 0.5, 3: 1.0, 4: 1.0}
    state = stacked()
    choose(state, epochs=10_000)
    choose(state, epochs=10_000, batch_size=4)
    choose(stacked(3), epochs=10_000)
    assert clock.tried == [2, 1, 4, 2, 1, 4, 2, 1, 3]


@pytest.mark.parametrize(
    ("epochs", "step", "compilation", "tried"),
    [
        (7, 1.0, 1.0, []),  # 35 steps: a few of them are no small share
        (100, 0.001, 0.0, [2]),  # half a second: an estimate alone
        (100, 0.1, 5.0, [2]),  # 50 s: no other program can be compiled in a twentieth of it
        (100, 0.1, 0.0, [2]),  # the first was compiled before, and what the others take is not known
        (100, 1.0, 5.0, [2, 1, 4]),
    ],
)
def test_measuring_takes_a_small_share_of_the_run(clock, epochs, step, compilation, tried):
    clock.steps, clock.compilation = {2: step, 1: step, 4: step}, compilation
    chosen = choose(stacked(), epochs)
    assert clock.tried == tried and chosen.size == 2
    assert chosen.chosen_by == ("measurement" if len(tried) > 1 else "rule")


def test_a_longer_run_measures_what_a_shorter_one_could_not(clock):
    clock.steps, clock.compilation = {2: 0.1, 1: 0.01, 4: 0.1}, 5.0
    state = stacked()
    assert choose(state, epochs=100).chosen_by == "rule"
    assert choose(state, epochs=10_000).size == 1 and clock.tried == [2, 1, 4]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_trial_leaves_the_members_as_they_are(size):
    state = stacked(3)
    before = [np.asarray(leaf).copy() for leaf in state.params["dense"].values()]
    task = prepare(model(), TrainingData(X[:39], Y[:39], batch_size=8), in_memory=True)
    task.loops = loops_of(many=True)
    trial = GroupTrial(task, state, size, grouping.groups_at_a_time(-(-3 // size)))
    assert trial.compile() > 0 and trial.estimate() > 0 and 0 < trial.measure() < 10
    for leaf, old in zip(state.params["dense"].values(), before, strict=True):
        np.testing.assert_array_equal(leaf, old)


def many_kinds():
    yield "ensemble", lambda **options: jk.Ensemble(model(), 4).fit(X, Y, verbose=0, **options)
    yield "sweep", lambda **options: jk.sweep(model(), l2=[0.0, 0.1, 0.2, 0.3]).fit(X, Y, verbose=0, **options)
    yield "folds", lambda **options: jk.cross_validate(model(), X, Y, folds=4, **options)


@pytest.mark.parametrize(("name", "fit"), list(many_kinds()), ids=lambda value: value if isinstance(value, str) else "")
def test_numbers_do_not_depend_on_the_choice(clock, name, fit):
    by_choice = {}
    for size in (1, 2, 4):
        clock.steps = {2: 1.0, 1: 1.0, 4: 1.0, size: 0.5}
        grouping.measurements.cache_clear()
        by_choice[size] = fit(epochs=30, batch_size=8)
    for size, many in by_choice.items():
        (own,) = many.groupings if name == "folds" else (many.grouping,)
        assert (own.size, own.chosen_by) == (size, "measurement") and own.seconds[size] == min(own.seconds.values())
    weights = {size: np.concatenate([w.ravel() for one in many_models(many) for w in one.get_weights()])
               for size, many in by_choice.items()}  # fmt: skip
    for size in (2, 4):
        np.testing.assert_allclose(weights[size], weights[1], rtol=1e-3, atol=1e-4)


def many_models(many):
    return many.models if isinstance(many, jk.CrossValidation) else list(many)


def test_the_argument_fixes_it(clock):
    fixed = jk.Ensemble(model(), 4).fit(X, Y, epochs=2, batch_size=8, verbose=0, group=3)
    assert fixed.grouping == grouping.Grouping(3, grouping.groups_at_a_time(2), "argument") and clock.tried == []
    clock.steps = {2: 1.0, 1: 0.5, 4: 1.0}
    measured = jk.Ensemble(model(), 4).fit(X, Y, epochs=20, batch_size=8, verbose=0).grouping
    assert jk.Ensemble(model(), 4).grouping is None
    with pytest.raises(errors.FrozenError, match="cannot be changed"):
        measured.seconds[1] = 0.0


@pytest.mark.parametrize("cut", [0, 2])
def test_a_run_that_goes_on_keeps_it(clock, tmp_path, cut):
    """Whatever is measured then; also if it was cut off before anything was saved."""
    clock.steps = {2: 1.0, 1: 0.5, 4: 1.0}
    fit = {"epochs": 20, "batch_size": 8, "verbose": 0}
    whole = jk.Ensemble(model(), 4).fit(X, Y, **fit)
    backup = callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(RuntimeError, match="cut off"):
        _ = jk.Ensemble(model(), 4).fit(X, Y, callbacks=[CutEpoch(cut), backup], **fit)
    grouping.measurements.cache_clear()
    clock.steps = {2: 0.1, 1: 0.5, 4: 1.0}
    backup = callbacks.BackupAndRestore(tmp_path / "backup")
    resumed = jk.Ensemble(model(), 4).fit(X, Y, callbacks=[backup], **fit)
    assert whole.grouping.size == 1
    assert (resumed.grouping.size, resumed.grouping.chosen_by) == (1, "checkpoint")
    for one, other in zip(whole, resumed, strict=True):
        for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    assert not (tmp_path / "backup").exists()


def test_folders_of_a_run_that_saved_nothing_do_not_stand_in_the_way(tmp_path):
    fit = {"epochs": 2, "batch_size": 8, "verbose": 0}
    cut = [CutEpoch(0), callbacks.BackupAndRestore(tmp_path)]
    with pytest.raises(RuntimeError, match="cut off"):
        _ = jk.Ensemble(model(), 3).fit(X, Y, callbacks=cut, group=3, **fit)
    assert [path.name for path in tmp_path.iterdir()] == ["members-0-2"]
    many = jk.Ensemble(model(), 3).fit(X, Y, callbacks=[callbacks.BackupAndRestore(tmp_path)], group=2, **fit)
    assert many.grouping.size == 2 and not tmp_path.exists()


@pytest.mark.parametrize("group", [0, -1, 1.5, "all", True])
@pytest.mark.parametrize(("name", "fit"), list(many_kinds()), ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_no_size_is_refused(name, fit, group):
    with pytest.raises(errors.ArgumentError, match=r"group=.*: expected .*how many models are trained in one program"):
        fit(group=group)


def test_steps_that_are_not_compiled_are_refused():
    eager = model().compile("adam", "sparse_categorical_crossentropy", run_eagerly=True)
    with pytest.raises(errors.ArgumentError, match=r"compile\(run_eagerly=True\): models that train together"):
        _ = jk.Ensemble(eager, 2).fit(X, Y, verbose=0)


def test_a_strategy_is_refused():
    """It would not be used: the members share one device."""
    spread = model().compile("adam", "sparse_categorical_crossentropy", distribute=jk.distribute.DataParallel())
    with pytest.raises(
        errors.ArgumentError, match=r"compile\(distribute=DataParallel\(...\)\): models that train together"
    ):
        _ = jk.Ensemble(spread, 2).fit(X, Y, verbose=0)
