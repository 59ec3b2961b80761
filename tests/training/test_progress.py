"""The progress bar against Keras's, and its own promises: few draws, lazy values, quiet when asked to."""

import collections
import io
import re
import sys
import threading
import time

import keras
import numpy as np
import pytest

import jkeras as jk
from jkeras.console import progress
from jkeras.console.progress import ProgressBar, duration, resolve_verbosity
from jkeras.errors import ArgumentError
from jkeras.layers.preprocessing import lookup, text


class Clock:
    def __init__(self, now=100.0):
        self.now = now

    def __call__(self):
        return self.now


class Terminal(io.StringIO):
    def isatty(self):
        return True


def bars(text):
    """What each draw shows, without cursor movement and padding."""
    return [part.replace("\b", "").rstrip(" ") for part in re.split("[\r]", text) if part.strip("\b ")]


def keras_output(monkeypatch, total, verbose, steps, seconds):
    """Keras's own bar over the same steps, `seconds` apart."""
    clock, out = Clock(), io.StringIO()
    monkeypatch.setattr(time, "time", clock)
    monkeypatch.setattr(sys, "stdout", out)
    keras.config.enable_interactive_logging()
    bar = keras.utils.Progbar(total, verbose=verbose, stateful_metrics=["loss", "mae"])
    for step in range(1, steps + 1):
        clock.now += seconds
        bar.update(step, [("loss", 3.0 / step), ("mae", 1e-4 * step)], finalize=False)
    bar.target = bar.target or steps
    bar.update(bar.target, [("loss", 0.5), ("mae", 0.25)], finalize=True)
    monkeypatch.undo()
    return out.getvalue()


def our_output(total, verbose, steps, seconds):
    clock, out = Clock(), io.StringIO()
    bar = ProgressBar(total, verbose=verbose, stream=out, clock=clock)
    for step in range(1, steps + 1):
        clock.now += seconds
        bar.update(step, {"loss": 3.0 / step, "mae": 1e-4 * step})
    bar.finish({"loss": 0.5, "mae": 0.25})
    return out.getvalue()


@pytest.mark.parametrize("seconds", [3e-5, 0.004, 0.07, 1.5, 40.0, 601.0])
@pytest.mark.parametrize("total", [1, 7, 40])
@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_equal_to_keras(monkeypatch, total, seconds, verbose):
    expected = keras_output(monkeypatch, total, verbose, total, seconds)
    assert bars(our_output(total, verbose, total, seconds)) == bars(expected)


def test_unknown_total_counts_up():
    lines = bars(our_output(None, 1, 3, 1.0))
    assert lines[0] == "\x1b[1m      1/Unknown\x1b[0m \x1b[1m1s\x1b[0m 1s/step - loss: 3.0000 - mae: 1.0000e-04"
    assert lines[-1].startswith("\x1b[1m3/3\x1b[0m ")


def test_at_most_twenty_draws_a_second_and_values_only_when_drawn():
    clock, out, asked = Clock(), io.StringIO(), []
    bar = ProgressBar(10_000, verbose=1, stream=out, clock=clock)
    for step in range(1, 10_001):
        clock.now += 0.001
        bar.update(step, lambda step=step: asked.append(step) or {"loss": 1.0})
    draws = out.getvalue().count("\r")
    assert len(asked) == draws
    assert 150 < draws <= 10 * 20 + 1


@pytest.mark.parametrize("verbose", [0, 2])
def test_values_of_steps_are_not_asked_for_without_a_bar(verbose):
    bar = ProgressBar(3, verbose=verbose, stream=io.StringIO())
    bar.update(1, lambda: pytest.fail("asked for"))


def test_silent_bar_prints_nothing_and_asks_for_nothing():
    out = io.StringIO()
    bar = ProgressBar(3, epoch=0, epochs=2, verbose=0, stream=out)
    bar.finish(lambda: pytest.fail("asked for"))
    assert out.getvalue() == ""


def test_epoch_is_announced_only_among_several():
    many, one = io.StringIO(), io.StringIO()
    ProgressBar(3, epoch=1, epochs=4, verbose=2, stream=many)
    ProgressBar(3, epoch=0, epochs=1, verbose=2, stream=one)
    assert (many.getvalue(), one.getvalue()) == ("Epoch 2/4\n", "")


def test_first_dispatch_is_left_out_of_the_estimate_however_many_steps_it_had():
    clock, out = Clock(), io.StringIO()
    bar = ProgressBar(300, verbose=1, stream=out, clock=clock)
    clock.now += 10.0  # compilation and 100 steps
    bar.update(100)
    clock.now += 1.0
    bar.update(200)
    assert bars(out.getvalue())[-1].endswith("\x1b[1m1s\x1b[0m 10ms/step")


def test_finish_tells_the_steps_really_done():
    out = io.StringIO()
    bar = ProgressBar(10, verbose=2, stream=out, clock=Clock())
    bar.update(4)
    bar.finish({"loss": 1.0}, step=4)
    assert out.getvalue() == " 4/10 - 0s - 0s/step - loss: 1.0000\n"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.12344, "0.1234"),
        (np.float32(2), "2.0000"),
        (np.ones(3), "1.0000"),
        (0.001, "1.0000e-03"),
        (0, "0.0000e+00"),
        (-0.5, "-0.5000"),
        (float("nan"), "nan"),
        (None, "None"),
        ("warm", "warm"),
    ],
)
def test_values(value, shown):
    out = io.StringIO()
    ProgressBar(1, verbose=2, stream=out, clock=Clock()).finish({"v": value})
    assert out.getvalue() == f"1/1 - 0s - 0s/step - v: {shown}\n"


def test_a_shorter_line_erases_a_longer_one():
    clock, out = Clock(), io.StringIO()
    bar = ProgressBar(9, verbose=1, stream=out, clock=clock)
    bar.update(1, {"loss": 123456.0})
    clock.now += 1
    bar.update(2, {"loss": 1.0})
    first, second = out.getvalue().split("\r")[1:]
    visible = [re.sub(r"\x1b\[\d+m", "", line) for line in (first, second)]
    assert len(visible[0]) == len(visible[1])


def test_stream_that_cannot_encode_the_bar_gets_plain_characters():
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    bar = ProgressBar(2, verbose=1, stream=out)
    bar.finish()
    out.seek(0)
    assert "=" * 20 in out.read()


def test_verbosity():
    assert resolve_verbosity("auto", Terminal()) == 1
    assert resolve_verbosity("auto", io.StringIO()) == 2
    assert resolve_verbosity(True) == 1
    assert resolve_verbosity(0) == 0
    with pytest.raises(ArgumentError, match="verbose=3: expected 'auto', 0"):
        resolve_verbosity(3)


def test_duration():
    assert [duration(s) for s in (0, 59.9, 60, 61, 3600)] == ["0s", "59s", "1:00", "1:01", "1:00:00"]


class Typed(Terminal):
    """A terminal, and how often each line was drawn over."""

    @property
    def counts(self):
        return [line.strip() for line in self.getvalue().split("\r") if " ... " in line]


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_UNTIL_WAITING_SHOWS", 0.001)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_COUNTS", 0.001)


def test_what_takes_long_is_said_and_counted_and_gone_afterwards(impatient):
    out, clock = Typed(), Clock()
    bar = ProgressBar(3, verbose=1, stream=out, clock=clock)
    with bar.waiting("compiling train step"):
        while len(set(out.counts)) < 3:
            clock.now += 0.1
            time.sleep(0.002)
    seconds = [float(re.fullmatch(r"compiling train step \.\.\. (\d+\.\d) s", line)[1]) for line in out.counts]
    assert seconds == sorted(seconds) and seconds[0] < seconds[-1]
    after = out.getvalue().split("\r")
    assert after[-1] == "" and not after[-2].strip() and len(after[-2]) >= len(after[-3])
    bar.update(1)
    assert "1/3" in out.getvalue().split("\r")[-1]


@pytest.mark.parametrize(("verbose", "stream"), [(0, Typed()), (2, Typed()), (1, io.StringIO())])
def test_nothing_is_said_without_a_bar_that_is_drawn_over(impatient, verbose, stream):
    bar, threads = ProgressBar(3, verbose=verbose, stream=stream), threading.active_count()
    with bar.waiting("compiling train step"):
        assert threading.active_count() == threads
        time.sleep(0.01)
    assert stream.getvalue() == ""


def test_what_is_quick_is_not_said_and_errors_pass():
    out, threads = Typed(), threading.active_count()
    with pytest.raises(KeyError), ProgressBar(3, verbose=1, stream=out).waiting("compiling train step"):
        raise KeyError
    assert out.getvalue() == "" and threading.active_count() == threads


def test_compilation_is_said_by_fit_evaluate_and_predict(impatient, monkeypatch):
    x = np.zeros((32, 3), "float32")
    model = jk.Sequential([jk.Input((3,)), jk.layers.Dense(5, activation="softplus")]).compile("sgd", "mse")
    streams = {}
    runs = {
        "train": lambda: model.fit(x, np.zeros((32, 5)), verbose=1, validation_split=0.5),
        "test": lambda: model.evaluate(x, np.zeros((32, 5)), verbose=1),
        "predict": lambda: model.predict(x, verbose=1),
    }
    for name, run in runs.items():
        streams[name] = Typed()
        monkeypatch.setattr(sys, "stdout", streams[name])
        result = run()
        monkeypatch.undo()
        model = result if name == "train" else model
        monkeypatch.setattr(progress, "SECONDS_UNTIL_WAITING_SHOWS", 0.001)
    for name, stream in streams.items():
        assert any(line.startswith(f"compiling {name} step ... ") for line in stream.counts)
        assert stream.getvalue().rstrip().split("\r")[-1].startswith("\x1b[1m1/1")
    assert any(line.startswith("compiling test step") for line in streams["train"].counts)


@pytest.mark.parametrize(
    ("stream", "seconds", "shown"), [(Typed(), 1.0, True), (Typed(), 0.5, False), (io.StringIO(), 1.0, False)]
)
def test_work_that_lasts_has_a_bar(monkeypatch, stream, seconds, shown):
    clock = Clock()
    monkeypatch.setattr(sys, "stdout", stream)
    items = []
    for item in progress.tracked(iter("abcd"), 4, clock=clock):
        items.append(item)
        clock.now += seconds
    monkeypatch.undo()
    assert items == list("abcd")
    assert ("4/4" in stream.getvalue().split("\r")[-1] and "s/batch\n" in stream.getvalue()) == shown
    assert bool(stream.getvalue()) == shown and "1/4" not in stream.getvalue()


@pytest.mark.parametrize(
    ("layer", "data", "unit"),
    [
        (jk.layers.Normalization(), (np.eye(2) for _ in range(2)), "1/Unknown"),
        (jk.layers.Normalization(), collections.deque([np.eye(2), np.ones((3, 2))]), "2/2"),
        (jk.layers.Discretization(num_bins=3), iter([np.arange(9.0)] * 3), "3/3"),
        (jk.layers.TextVectorization(), ["one two", "two", "three"], "3/3"),
        (jk.layers.StringLookup(), ["one", "two", "three"], "3/3"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_adapt_that_lasts_has_a_bar(monkeypatch, layer, data, unit):
    monkeypatch.setattr(progress, "SECONDS_UNTIL_BAR", -1.0)
    for module in (lookup, text):
        monkeypatch.setattr(module, "ROWS_AT_A_TIME", 1)
    monkeypatch.setattr(sys, "stdout", out := Typed())
    _ = layer.adapt(data)
    monkeypatch.undo()
    assert unit in out.getvalue()


def test_lists_in_pieces_give_the_vocabulary_of_the_whole(monkeypatch):
    texts = ["b a", "a", "c c c"]
    whole = [jk.layers.TextVectorization().adapt(texts), jk.layers.StringLookup(output_mode="tf_idf").adapt(texts)]
    for module in (lookup, text):
        monkeypatch.setattr(module, "ROWS_AT_A_TIME", 2)
    pieces = [jk.layers.TextVectorization().adapt(texts), jk.layers.StringLookup(output_mode="tf_idf").adapt(texts)]
    assert [p.get_vocabulary() for p in pieces] == [w.get_vocabulary() for w in whole]
    assert pieces[1].idf_weights == whole[1].idf_weights


def test_batches_of_an_unknown_number_are_counted(capsys):
    model = jk.Sequential([jk.Input((2,)), jk.layers.Dense(1)]).compile("sgd", "mse")
    data = jk.data.Dataset.from_generator(lambda: iter([(np.ones((4, 2), "float32"), np.ones((4, 1), "float32"))] * 3))
    model = model.fit(data, verbose=2)
    assert capsys.readouterr().out.startswith("3/3 - ")
