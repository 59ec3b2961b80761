"""The command line: exit statuses, one-line errors, and what each command prints."""

import re
import subprocess
import sys

import numpy as np
import pytest

import jkeras as jk
from jkeras import layers
from jkeras.commands.main import COMMANDS, main


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture
def saved(tmp_path):
    x = np.ones((8, 4), "float32")
    model = jk.Sequential([jk.Input((4,)), layers.Dense(3, "relu"), layers.Dense(1)], name="small").compile(
        "adam", "mse"
    )
    model = model.fit(x, x[:, :1], epochs=2, verbose=0)
    model.save("m.keras")
    return model


def test_help_and_version(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(re.search(rf"^  {name} ", text, re.M) for name in COMMANDS)
    assert main(["--version"]) == 0
    assert re.fullmatch(rf"jkeras {re.escape(jk.__version__)} \(JAX \S+, Python \S+\)\n", capsys.readouterr().out)
    for name in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            main([name, "--help"])
        assert ended.value.code == 0 and f"jkeras {name}" in capsys.readouterr().out


def test_the_version_needs_no_jax():
    code = "import sys; from jkeras.commands.main import main; main(['--version']); assert 'jax' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


WRONG = {
    "no command": ([], 2, "a command is missing"),
    "unknown": (["rnu"], 2, "no command 'rnu'. Did you mean 'run'"),
    "no script": (["run", "missing.py"], 2, "there is no script 'missing.py'"),
    "no module": (["run", "-m", "missing.module"], 2, "there is no module 'missing.module'"),
    "nothing to run": (["run"], 2, "name a script, or -m and a module"),
    "no processes": (["launch", "--processes", "0", "s.py"], 2, "at least 1, got '0'"),
    "half a process": (["launch", "--processes", "1.5", "s.py"], 2, "at least 1, got '1.5'"),
    "no devices": (["launch", "--processes", "1", "--devices", "-1", "s.py"], 2, "at least 1, got '-1'"),
    "no script to launch": (["launch", "--processes", "2", "s.py"], 2, "there is no script 's.py'"),
    "no file": (["summary", "m.keras"], 1, "There is no file m.keras"),
    "no file to describe": (["info", "m.keras"], 1, "There is no file m.keras"),
    "no file to convert": (["convert", "m.keras", "m.h5"], 1, "There is no file m.keras"),
    "unknown format": (["convert", "m.keras", "m.kears"], 1, "Did you mean '.keras'"),
}


@pytest.mark.parametrize(("words", "status", "text"), WRONG.values(), ids=WRONG)
def test_wrong_command_lines(words, status, text, capsys):
    try:
        ended = main(words)
    except SystemExit as error:
        ended = error.code
    problem = capsys.readouterr().err.strip().split("\n")
    assert ended == status and text in problem[-1] and "error: " in problem[-1]
    assert not any("Traceback" in line for line in problem)


def test_a_file_that_is_none(capsys, tmp_path):
    (tmp_path / "m.keras").write_bytes(b"PK\x03\x04 and nothing else")
    for command in ("summary", "info"):
        assert main([command, "m.keras"]) == 1
    said = capsys.readouterr()
    assert len(said.err.strip().split("\n")) == 1 and "loads:      no: " in said.out


def test_summary(saved, capsys):
    assert main(["summary", "m.keras"]) == 0
    assert "dense_1 (Dense)" in capsys.readouterr().out


def test_info(saved, capsys):
    saved.save("m.h5")
    saved.save("directory")
    for path, words in {
        "m.keras": ["jkeras, as Keras 3", "2 epochs, 2 steps"],
        "m.h5": ["Keras 3", "(jax)", "format:     .h5\n"],
        "directory": ["jkeras, on JAX"],
    }.items():
        assert main(["info", path]) == 0
        text = capsys.readouterr().out
        for word in (*words, "Sequential 'small'", "2: 2 Dense", "weights:    19", "Adam", "loads:      yes"):
            assert word in text, (path, text)
    for path in ("w.weights.h5", "w.safetensors", "w.weights.json"):
        saved.save_weights(path)
        assert main(["info", path]) == 0
        lines = dict(line.split(":", 1) for line in capsys.readouterr().out.splitlines())
        assert lines["arrays"].strip() == "4, 19 numbers" and path.endswith(lines["format"].strip())


def test_info_of_programs(saved, capsys, tmp_path):
    saved.export("m.stablehlo")
    jk.export.ExportArchive().add_endpoint("serve", saved).add_endpoint("twice", saved).write_out(
        "programs", verbose=False
    )
    for path, name in {"m.stablehlo": "program", "programs": "twice"}.items():
        assert main(["info", path]) == 0
        text = capsys.readouterr().out
        assert (
            f"{name + ':':12}float32[batch,4] -> float32[batch,1] on cpu, cuda, tpu\n" in text
            and "loads:      yes" in text
        )
    assert main(["summary", "m.stablehlo"]) == 1 and "jax.export.deserialize" in capsys.readouterr().err
    (tmp_path / "m.stablehlo").write_bytes(b"no program")
    assert main(["info", "m.stablehlo"]) == 1 and "m.stablehlo is damaged, or" in capsys.readouterr().out


def test_convert(saved, capsys):
    assert main(["convert", "m.keras", "m.h5"]) == 0
    again = jk.load_model("m.h5")
    assert all(np.array_equal(a, b) for a, b in zip(saved.get_weights(), again.get_weights(), strict=True))
    assert (
        main(["convert", "m.keras", "m.h5"]) == 1 and "m.h5 exists; --overwrite replaces it." in capsys.readouterr().err
    )
    assert main(["convert", "m.keras", "m.h5", "--overwrite", "--no-compile"]) == 0
    assert jk.load_model("m.h5").recipe is None
    assert main(["convert", "m.h5", "w.safetensors"]) == 0
    assert saved.load_weights("w.safetensors").count_params() == 19
    assert main(["convert", "m.keras", "m.keras"]) == 1


SCRIPT = "import sys\ndef broken():\n    return 1 / 0\nprint(sys.argv[1:])\nif len(sys.argv) > 1:\n    {}\n"


def run(tmp_path, last, *words):
    (tmp_path / "script.py").write_text(SCRIPT.format(last))
    command = [sys.executable, "-m", "jkeras", "run", "script.py", *words]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)


def test_the_status_and_the_traceback_of_a_script(tmp_path):
    done = run(tmp_path, "broken()", "--go")
    assert done.returncode == 1 and done.stdout == "['--go']\n"
    lines = [line for line in done.stderr.split("\n") if line.startswith("  File")]
    assert len(lines) == 2 and all("script.py" in line for line in lines) and "ZeroDivisionError" in done.stderr
    assert run(tmp_path, "sys.exit(7)", "--go").returncode == 7
    interrupted = run(tmp_path, "raise KeyboardInterrupt", "--go")
    assert interrupted.returncode == 130
