"""The chart on the first page, from `benchmarks/RESULTS.md`: `python scripts/benchmark_chart.py`."""

import re
from pathlib import Path

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "RESULTS.md"
PICTURE = ROOT / "docs" / "images" / "benchmarks.svg"
WORKLOADS = {
    "mlp": "dense network",
    "cnn": "convolutions",
    "lstm": "LSTM",
    "resnet18": "ResNet-18",
    "transformer": "transformer",
    "predict": "predict",
}
PEERS = {"keras": "Keras on JAX", "tensorflow16": "Keras on TensorFlow", "torch": "PyTorch", "jax_loop": "JAX, by hand"}
COLOURS = ("tab:red", "tab:orange", "tab:blue", "tab:gray")


def times(text):
    """Milliseconds per step of the first table: workload -> peer -> number."""
    head, _, *rows = re.search(r"\| workload \|.*?(?=\n\n)", text, flags=re.DOTALL)[0].split("\n")
    names = [cell.strip() for cell in head.strip("|").split("|")]
    result = {}
    for row in rows:
        cells = [cell.split("(")[0].strip() for cell in row.strip("|").split("|")]
        result[cells[0]] = {n: float(c) for n, c in zip(names[1:], cells[1:], strict=True) if c not in ("", "-")}
    return result


def draw(table, path):
    """Bars of the time of each peer over that of jkeras."""
    plt.rcParams.update({"svg.hashsalt": "jkeras", "font.size": 11})
    figure, axes = plt.subplots(figsize=(8, 3), layout="constrained")
    width = 0.8 / len(PEERS)
    for i, ((peer, label), colour) in enumerate(zip(PEERS.items(), COLOURS, strict=True)):
        ratios = [table[name].get(peer, float("nan")) / table[name]["jkeras"] for name in WORKLOADS]
        places = [x + (i - (len(PEERS) - 1) / 2) * width for x in range(len(WORKLOADS))]
        bars = axes.bar(places, ratios, width * 0.92, label=label, color=colour)
        axes.bar_label(bars, [f"{ratio:.1f}" if ratio == ratio else "" for ratio in ratios], fontsize=8)
    axes.axhline(1, color="black", linewidth=1)
    axes.set_xticks(range(len(WORKLOADS)), WORKLOADS.values())
    axes.set_ylabel("time of a step\n(jkeras = 1)")
    axes.legend(ncols=4, frameon=False, loc="upper center")
    axes.set_ylim(0, axes.get_ylim()[1] * 1.12)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    draw(times(RESULTS.read_text()), PICTURE)
