"""The stubs of generated classes are those that the table of descriptions gives."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_stubs_are_up_to_date():
    # In a process of its own: other tests make classes, which the tables then know.
    command = [sys.executable, "scripts/keras_stubs.py", "--check"]
    check = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert check.returncode == 0, f"run `python scripts/keras_stubs.py`\n{check.stdout}{check.stderr}"
