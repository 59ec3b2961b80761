"""Programs for accelerators: what is compiled has the parts that it should have; the page compares it with what is by hand."""

import importlib.util

import jax
import pytest

from benchmarks import ahead_of_time

ROW = {
    "platform": "tpu", "model": "mlp", "dtype": "float32", "flops": 2e6, "bytes": 1e6, "products": 1e6, "moved": 5e5,
    "temp": 100, "output": 1000, "alias": 999, "collectives": {"all-reduce": [1, 200]}, "callbacks": 0, "f64": 0,
    "custom_calls": {},
}  # fmt: skip


def test_the_page_has_ratios():
    rows = [ROW | {"program": "train_one"}, ROW | {"program": ahead_of_time.BY_HAND, "flops": 1e6, "collectives": {}}]
    text = ahead_of_time.page([*rows, {**ROW, "program": "FSDP", "error": "x: takes longer. Give time"}])
    assert "| mlp | train_one | 2.00 | 1.00 | 1.00 | 1.00 | 1.00 | 1 / 0 |" in text
    assert "99.9%" in text and "takes longer |" in text


def test_programs_by_hand_have_the_state_of_their_own():
    step = ahead_of_time.by_hand("mlp", 32, 1)
    weights = sum(leaf.size for leaf in jax.tree.leaves(step.arguments[0]))
    assert weights == 3 * (784 * 64 + 64 + 64 * 10 + 10) + 3  # with two slots, a count, a loss and hits


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("libtpu") is None, reason="needs libtpu")
@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_small_models_compile_as_those_by_hand(name):
    found = {}
    for (_, _, kind), make in ahead_of_time.cases("tpu", name, ["float32"], []):
        found[kind] = row = ahead_of_time.measure(make(), "tpu", None)
        assert row["callbacks"] == row["f64"] == 0, kind
        if kind not in ("eval_steps", "predict"):
            assert row["alias"] >= row["output"] - 1024, kind
    for ours, other in (("train_one", "by hand"), ("DataParallel", "DataParallel by hand")):
        assert found[ours]["products"] == found[other]["products"]
        assert found[ours]["flops"] <= 1.01 * found[other]["flops"]
        assert found[ours]["bytes"] <= 1.05 * found[other]["bytes"]
        assert found[ours]["temp"] <= 1.1 * found[other]["temp"]
        counts = [sum(n for n, _ in found[kind]["collectives"].values()) for kind in (ours, other)]
        assert counts[0] <= counts[1]
