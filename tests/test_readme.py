"""Every Python block of the README and the docs runs as pasted, one after another."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def blocks(name):
    return re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(), flags=re.DOTALL)


@pytest.mark.parametrize("name", ["README.md"])
def test_blocks_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = blocks(name)
    assert found
    namespace = {}
    for block in found:
        exec(compile(block, name, "exec"), namespace)
    assert namespace["accuracy"] > 0.8
