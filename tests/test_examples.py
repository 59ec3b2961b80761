"""Every example runs, with tiny settings, on the digits that come with jkeras or on a small made-up file of the same form."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

import jkeras as jk

EXAMPLES = Path(__file__).parents[1] / "examples"
DIGITS = ["--data", "digits", "--epochs", "1", "--images", "200"]
IMDB = ["--epochs", "1", "--file", "imdb.npz", "--words", "50", "--length", "8", "--width", "4"]
# By name: the arguments, and words of what is printed. `data_files` makes the files.
EXAMPLE_RUNS = {
    "mnist_mlp": (DIGITS, "accuracy"),
    "mnist_cnn": (DIGITS, "accuracy"),
    "two_inputs": (["--data", "digits", "--epochs", "1", "--pairs", "200"], ""),
    "custom_layer": (DIGITS, "accuracy"),
    "pure_loop": (DIGITS, "accuracy"),
    "resume": (["--data", "digits", "--epochs", "2", "--images", "400"], "the same bits"),
    "sweep_and_ensemble": (["--epochs", "1", "--members", "2"], "accuracy"),
    "flax_inside": (["--epochs", "1"], "accuracy"),
    "char_gpt": (
        [
            "--text",
            str(EXAMPLES.parent / "LICENSE"),
            "--steps",
            "20",
            "--width",
            "16",
            "--depth",
            "1",
            "--length",
            "20",
        ],
        "bits per character",
    ),
    "gan": (DIGITS, "made-up"),
    "vae": (DIGITS, "nats per image"),
    "cifar_resnet": (["--epochs", "1", "--width", "2", "--file", "cifar.npz"], "accuracy"),
    "imdb lstm": (IMDB, "accuracy of the lstm"),
    "imdb transformer": ([*IMDB, "--network", "transformer"], "accuracy of the transformer"),
    "forecasting": (["--epochs", "1", "--file", "weather.csv"], "as today"),
    "regression": (["--epochs", "1", "--file", "housing.npz"], "a linear model"),
    "transfer": (
        [
            "--data",
            "digits",
            "--epochs",
            "1",
            "--later-epochs",
            "1",
            "--repeats",
            "1",
            "--examples",
            "2",
            "--images",
            "200",
        ],
        "frozen base",
    ),
    "transfer_learning": (["--data", "digits", "--epochs", "1", "--images", "64"], "lora, int8"),
    "multi_device": (["--data", "digits", "--epochs", "1", "--images", "192"], "differ from those of one device"),
}
WITHOUT_PICTURE = {"two_inputs", "custom_layer", "pure_loop", "transfer_learning"}
HELPERS = {"digits_data"}


def data_files(folder, rng):
    """Small files in the forms that the examples read."""
    np.savez(
        folder / "cifar.npz",
        x=rng.integers(0, 256, (140, 32, 32, 3), "uint8"),
        y=rng.integers(0, 10, (140, 1), "uint8"),
    )
    np.savez(folder / "housing.npz", x=rng.normal(size=(200, 8)).astype("float32"), y=rng.uniform(1e4, 5e5, 200))
    ends = np.arange(0, 101) * 10
    halves = ("train", "test")
    reviews = {f"tokens_{half}": rng.integers(1, 100, 1000, "uint32") for half in halves}
    labels = {f"y_{half}": np.repeat(np.arange(2, dtype="uint8"), 50) for half in halves}
    np.savez(folder / "imdb.npz", **reviews, **labels, **{f"offset_{half}": ends for half in halves})
    lines = ["date,precipitation,temp_max,temp_min,wind,weather"]
    lines += [f"day {i},0.0,{20 * rng.random():.1f},1.0,{rng.random():.1f},sun" for i in range(800)]
    (folder / "weather.csv").write_text("\n".join(lines))


def test_every_example_is_run():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {*(name.split()[0] for name in EXAMPLE_RUNS), *HELPERS}


# Those that mostly compile.
LONG = {
    "cifar_resnet", "char_gpt", "flax_inside", "gan", "imdb lstm", "imdb transformer", "mnist_cnn", "multi_device",
    "sweep_and_ensemble", "transfer", "transfer_learning", "vae",
}  # fmt: skip


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in LONG)) for n in EXAMPLE_RUNS])
def test_example(name, monkeypatch, tmp_path, rng, capsys):
    arguments, words = EXAMPLE_RUNS[name]
    file, picture = name.split()[0], tmp_path / "picture.png"
    data_files(tmp_path, rng)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(EXAMPLES))
    drawn = [] if name in WITHOUT_PICTURE else ["--picture", str(picture)]
    monkeypatch.setattr(sys, "argv", [f"{file}.py", *arguments, *drawn])
    runpy.run_path(str(EXAMPLES / f"{file}.py"), run_name="__main__")
    assert words in capsys.readouterr().out.lower()
    if drawn:
        pixels = jk.utils.img_to_array(jk.utils.load_img(picture))
        assert pixels.ndim == 3 and pixels.std() > 1


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_example_is_short(path):
    assert len(path.read_text().splitlines()) < 150
