"""The stubs of generated classes are those that the table of descriptions gives, and checkers read them."""

import importlib.util
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "keras_stubs.py"


def test_stubs_are_up_to_date():
    spec = importlib.util.spec_from_file_location("keras_stubs", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    stale = [path.name for path, text in module.stubs().items() if path.read_text() != text]
    assert not stale, f"run `python scripts/keras_stubs.py`: {stale}"
