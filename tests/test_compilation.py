"""The persistent compilation cache: where it is, how it is switched off, how it stays small."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jkeras import compilation

SCRIPT = """
import jax, jkeras as jk
jk.Sequential([jk.Input((3,)), jk.layers.Dense(2)]).state
print(jax.config.jax_compilation_cache_dir)
"""


def run(**environment):
    kept = {k: v for k, v in os.environ.items() if "COMPILATION_CACHE" not in k and not k.startswith("JAX_PERSISTENT")}
    kept["PYTHONPATH"] = str(Path(compilation.__file__).parents[1])
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT], env={**kept, **environment}, capture_output=True, text=True
    )
    assert process.returncode == 0, process.stderr
    return process.stdout.strip()


@pytest.mark.smoke
def test_programs_are_kept_in_the_given_folder(tmp_path):
    folder = tmp_path / "programs"
    assert run(JKERAS_COMPILATION_CACHE=str(folder)) == str(folder)
    assert any(folder.iterdir())


def test_it_can_be_switched_off():
    assert run(JKERAS_COMPILATION_CACHE="off") == "None"


def test_the_users_own_configuration_stays(tmp_path):
    assert run(JAX_COMPILATION_CACHE_DIR=str(tmp_path)) == str(tmp_path)


def test_the_default_is_a_folder_of_the_users(monkeypatch, tmp_path):
    monkeypatch.delenv("JKERAS_COMPILATION_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert compilation.cache_folder() == tmp_path / "jkeras" / "compiled"


def test_pruning_deletes_what_was_not_used_for_longest(tmp_path):
    for age, name in enumerate(["new", "middle", "old"]):
        (tmp_path / name).write_bytes(b"x" * 100)
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    compilation.prune(tmp_path, 200)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["middle", "new"]
