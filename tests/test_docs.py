"""Every Python block of the README and of the docs runs as pasted, one after another."""

import re
import sys
from pathlib import Path

import pytest

from scripts import benchmark_chart
from scripts.reference import pages as reference

ROOT = Path(__file__).parents[1]
PAGES = sorted(path.relative_to(ROOT) for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")))


def blocks(name):
    return re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(), flags=re.DOTALL)


# Takes longest, and the README has some of it.
LONG = "docs/guides/many_models.md"
RUN = [pytest.param(str(p), marks=[pytest.mark.slow] * (str(p) == LONG)) for p in PAGES if blocks(p)]


@pytest.mark.parametrize("name", RUN)
def test_blocks_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for module in [one for one in sys.modules if one.partition(".")[0] == "keras"]:
        monkeypatch.delitem(sys.modules, module)  # that other tests imported: the pages begin in a process of their own
    namespace = {"__name__": "__main__"}
    for block in blocks(name):
        exec(compile(block, name, "exec"), namespace)
    if "accuracy" in namespace and isinstance(namespace["accuracy"], float):
        assert namespace["accuracy"] > 0.8


def test_links_lead_somewhere():
    broken = []
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", (ROOT / page).read_text()):
            made = page.parent.name == "docs" and (target == "changes.md" or target in reference.pages())
            if not made and not ((ROOT / page).parent / target).exists():
                broken.append(f"{page}: {target}")
    assert not broken


def test_every_guide_has_a_picture_and_a_place():
    navigation = (ROOT / "mkdocs.yml").read_text()
    for page in (ROOT / "docs" / "guides").glob("*.md"):
        assert re.search(r"!\[[^\]]+\]\(", page.read_text()), page
        assert f": guides/{page.name}" in navigation, page


def test_the_first_page_names_what_is_slower():
    table = benchmark_chart.times(benchmark_chart.RESULTS.read_text())
    text = " ".join((ROOT / "docs" / "index.md").read_text().split())
    (sentence,) = re.findall(r"PyTorch is faster on ([^.]*)\.", text)
    assert "Keras is faster" not in text
    for name, label in benchmark_chart.WORKLOADS.items():
        assert (label in sentence) is (table[name]["torch"] < table[name]["jkeras"]), label
        assert all(table[name][peer] > table[name]["jkeras"] for peer in benchmark_chart.PEERS if peer != "torch"), (
            label
        )


def test_the_table_of_the_comparison_is_measured():
    table = benchmark_chart.times(benchmark_chart.RESULTS.read_text())
    text = (ROOT / "docs" / "comparison.md").read_text()
    measured = {f"{table[name]['jkeras']:.3g}" for name in table}
    rows = re.findall(r"^\| [^|]+ \| \**([\d.]+)\** \| [\d.]+ \|", text.split("## Measured")[1], flags=re.M)
    assert len(rows) == 9 and set(rows) <= measured


def test_the_chart_of_the_first_page_can_be_drawn(tmp_path):
    table = benchmark_chart.times(benchmark_chart.RESULTS.read_text())
    assert set(benchmark_chart.WORKLOADS) <= set(table) and table["mlp"]["keras"] > table["mlp"]["jkeras"]
    benchmark_chart.draw(table, tmp_path / "chart.svg")
    assert (tmp_path / "chart.svg").stat().st_size > 1000
