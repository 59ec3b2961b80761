"""mypy and pyright on files, and what they say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def mypy(*files: Path) -> list[tuple[str, int, str]]:
    """File name, line and message of everything that mypy finds or reveals in the given files."""
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--hide-error-context", *map(str, files)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode in (0, 1), said.stdout + said.stderr
    lines = (re.match(r"(.*?):(\d+): (.*)", line) for line in said.stdout.splitlines())
    return within(files, ((found[1], int(found[2]), found[3]) for found in lines if found))


def pyright(*files: Path) -> list[tuple[str, int, str]]:
    """The same of pyright."""
    said = run_pyright("--outputjson", *map(str, files))
    found = json.loads(said.stdout)["generalDiagnostics"]
    return within(files, ((one["file"], one["range"]["start"]["line"] + 1, message(one)) for one in found))


def run_pyright(*options: str) -> subprocess.CompletedProcess[str]:
    """Runs pyright on this Python's packages."""
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}  # pyright does not see a package installed from its checkout
    said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert said.returncode in (0, 1), said.stdout + said.stderr
    return said


def message(diagnostic: dict[str, Any]) -> str:
    """A diagnostic of pyright in the form of mypy's."""
    return f"{'error' if diagnostic['severity'] == 'error' else 'note'}: {diagnostic['message']}"


def within(files: Iterable[Path], found: Iterable[tuple[str, int, str]]) -> list[tuple[str, int, str]]:
    """What was found in the files themselves, not in what they import."""
    names = {file.name for file in files}
    return [(Path(file).name, line, text) for file, line, text in found if Path(file).name in names]
