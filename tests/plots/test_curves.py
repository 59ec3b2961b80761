"""Curves and pictures: what is drawn, not how it looks."""

import csv

import matplotlib
import numpy as np
import pytest

import jkeras as jk
from jkeras import errors, layers, plots
from jkeras.plots.pictures import confusion_matrix

matplotlib.use("Agg")

LOGS = {
    "loss": [3.0, 2.0, 1.5, 1.4],
    "accuracy": [0.1, 0.5, 0.6, 0.7],
    "val_loss": [3.0, 2.5, 2.6, 2.7],
    "val_accuracy": [0.1, 0.5, 0.55, 0.4],
    "learning_rate": [0.1, 0.1, 0.01, 0.01],
}


@pytest.fixture
def history():
    return jk.History(LOGS, range(4))


@pytest.fixture(autouse=True)
def closed():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def test_panels_and_best_epochs(history, tmp_path):
    figure = history.plot(path=tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 5000
    panels = {axes.get_title(): axes for axes in figure.axes}
    assert list(panels) == ["loss", "accuracy", "learning_rate"]
    best = {name: [line for line in axes.lines if len(line.get_xdata()) == 1] for name, axes in panels.items()}
    assert float(best["loss"][0].get_xdata()[0]) == 2 and float(best["accuracy"][0].get_xdata()[0]) == 3
    assert not best["learning_rate"]


def test_what_to_plot(history):
    assert [axes.get_title() for axes in history.plot(["accuracy"]).axes] == ["accuracy"]
    with pytest.raises(errors.ArgumentError, match="accuracy"):
        history.plot(["acuracy"])
    with pytest.raises(errors.InputError, match="Train first"):
        jk.History().plot()


def test_histories_as_tables(history, tmp_path):
    frame = history.to_pandas()
    assert frame.shape == (4, 5) and frame["val_loss"].idxmin() == 2
    history.to_csv(tmp_path / "logs.csv")
    rows = list(csv.DictReader((tmp_path / "logs.csv").read_text().splitlines()))
    assert [float(row["loss"]) for row in rows] == LOGS["loss"] and rows[3]["epoch"] == "4"
    assert ">val_loss</th>" in history._repr_html_() and "4 epochs" in history._repr_html_()


def test_sweeps(tmp_path, rng):
    x = rng.normal(size=(16, 2)).astype("float32")
    model = jk.Sequential([jk.Input((2,)), layers.Dense(1)]).compile("sgd", "mse")
    swept = jk.sweep(model, learning_rate=[1e-4, 1e-2, 1e30], seed=[0, 1]).fit(x, x[:, 0], epochs=3, verbose=0)
    figure = swept.plot(path=tmp_path / "sweep.png")
    assert [axes.get_title() for axes in figure.axes] == ["loss", "loss by learning_rate", "loss by seed"]
    assert len(list(figure.axes[0].lines)) == 6
    assert "best first" in swept._repr_html_()


def test_confusion(tmp_path):
    true, probabilities = [0, 1, 2, 2, 1], np.eye(3)[[0, 1, 2, 1, 1]]
    assert confusion_matrix(true, probabilities).tolist() == [[1, 0, 0], [0, 2, 0], [0, 1, 1]]
    assert confusion_matrix([0, 1], np.array([[0.2], [0.9]])).tolist() == [[1, 0], [0, 1]]
    figure = plots.plot_confusion(true, probabilities, labels=["a", "b", "cc"], normalize=True, path=tmp_path / "c.png")
    assert "80.00%" in figure.axes[0].get_title()
    with pytest.raises(errors.InputError, match="5 rows.*4"):
        confusion_matrix(true, [0, 1, 2, 2])
    with pytest.raises(errors.InputError, match="y_true"):
        confusion_matrix([0.5, 1.0], [0, 1])


def test_image_grid(tmp_path, rng):
    figure = plots.image_grid(rng.uniform(size=(5, 4, 4, 1)), titles=range(5), path=tmp_path / "g.png")
    assert len(figure.axes) == 6 and figure.axes[4].get_title() == "4"
    with pytest.raises(errors.InputError, match="channels last"):
        plots.image_grid(np.zeros((5, 2, 4, 5)))
