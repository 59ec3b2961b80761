"""Names with an underscore that one file reads of another's objects: those that `pyproject.toml` lists, and no others."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import keras

ROOT = Path(__file__).parents[1]
RULES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
LISTED = RULES["flake8-self"]["extend-ignore-names"]


def test_every_listed_name_is_read_somewhere():
    none = "lint.flake8-self.extend-ignore-names = []"
    command = [sys.executable, "-m", "ruff", "check", "jkeras", "--select", "SLF001", "--config", none]
    done = subprocess.run([*command, "--output-format", "json", "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    read = {problem["message"].split("`")[1] for problem in json.loads(done.stdout)}
    assert read == set(LISTED) and len(LISTED) == len(read)


def test_names_that_are_said_to_be_of_keras_are():
    text = (ROOT / "pyproject.toml").read_text()
    of_keras = [name for name in LISTED if text.index(f'"{name}"') > text.index("# Names of Keras")]
    source = "\n".join(file.read_text() for file in (Path(keras.__file__).parent / "src").rglob("*.py"))
    assert len(of_keras) > 20 and [name for name in of_keras if name not in source] == []


def test_no_folder_is_left_out():
    left_out = [where for where, rules in RULES["per-file-ignores"].items() if "SLF001" in rules]
    assert [where for where in left_out if "jkeras" in where] == []
