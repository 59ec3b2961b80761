"""Every example runs, with tiny settings, on the digits that come with jkeras."""

import runpy
import sys
from pathlib import Path

import pytest

import jkeras as jk

EXAMPLES = Path(__file__).parents[1] / "examples"
ARGUMENTS = {
    "mnist_mlp": ["--data", "digits", "--epochs", "1", "--images", "200"],
    "mnist_cnn": ["--data", "digits", "--epochs", "1", "--images", "200"],
    "two_inputs": ["--data", "digits", "--epochs", "1", "--pairs", "200"],
    "custom_layer": ["--data", "digits", "--epochs", "1", "--images", "200"],
    "pure_loop": ["--data", "digits", "--epochs", "1", "--images", "200"],
    "resume": ["--data", "digits", "--epochs", "2", "--images", "400"],
    "sweep_and_ensemble": ["--epochs", "1", "--members", "2"],
    "flax_inside": ["--epochs", "1"],
    "char_gpt": ["--text", str(EXAMPLES.parent / "LICENSE"), "--steps", "20", "--width", "16", "--depth", "1", "--length", "20"],
}
WORDS = {"two_inputs": "", "char_gpt": "bits per character"}
PICTURES = {
    "gan": ["--data", "digits", "--epochs", "1", "--images", "200"],
    "vae": ["--data", "digits", "--epochs", "1", "--images", "200"],
}
HELPERS = {"digits_data"}


def test_every_example_is_run():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {*ARGUMENTS, *PICTURES, *HELPERS}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_example(name, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *ARGUMENTS[name]])
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    assert WORDS.get(name, "accuracy") in capsys.readouterr().out.lower()


@pytest.mark.parametrize("name", PICTURES)
def test_example_with_a_picture(name, monkeypatch, tmp_path):
    picture = tmp_path / "picture.png"
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *PICTURES[name], "--picture", str(picture)])
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    pixels = jk.utils.img_to_array(jk.utils.load_img(picture))
    assert pixels.ndim == 3 and pixels.std() > 1


@pytest.mark.parametrize("name", [*ARGUMENTS, *PICTURES])
def test_example_is_short(name):
    assert len((EXAMPLES / f"{name}.py").read_text().splitlines()) < 150
