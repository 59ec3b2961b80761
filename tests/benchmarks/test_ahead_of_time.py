"""Programs for accelerators: what is compiled has the parts that it should have; the page compares it with what is by hand."""

import importlib.util

import jax
import jax.numpy as jnp
import pytest

from benchmarks import ahead_of_time, ahead_of_time_page, by_hand
from benchmarks.ahead_of_time_page import BY_HAND, LIMITS, LOOPS
from benchmarks.workloads import WORKLOADS

ROW = {
    "platform": "tpu", "model": "mlp", "dtype": "float32", "digest": "0",
    "flops": 2e6, "bytes": 1e6, "products": 1e6, "moved": 5e5,
    "touched": 7e5, "seconds": 1.5, "peak": 10**9,
    "temp": 100, "output": 1000, "alias": 999, "collectives": {"all-reduce": [1, 200]}, "callbacks": 0, "f64": 0,
    "custom_calls": {},
}  # fmt: skip

WITHOUT_CODE = {"without_code": True, "flops": None, "bytes": None, "peak": None}


def test_the_page_has_ratios():
    keys = [("tpu", "mlp", "float32", name) for name in ("train_one", BY_HAND, "FSDP", "predict")]
    ours, other, failed, _ = (ROW | {"program": key[-1]} for key in keys)
    rows = {keys[0]: ours, keys[1]: other | {"flops": 1e6, "collectives": {}}}
    rows[keys[2]] = failed | {"error": "x: takes longer. Give time"}
    text = ahead_of_time_page.page("Compiled.", keys, rows)
    assert "| mlp | train_one | **2.00** | 1.00 | 1.00 | 1.00 | 1.00 | **1 / 0** | no |" in text
    assert "float32: 0 of 1 programs within all limits" in text
    assert "99.9%" in text and "takes longer |" in text
    assert "| mlp | FSDP | not compiled |" in text and "| mlp | predict | not compiled |" in text


@pytest.mark.parametrize(
    ("name", "program", "changes", "within"),
    [
        ("mlp", "train_one", {}, True),
        ("mlp", "train_one", {"flops": 2.01e6}, True),
        ("mlp", "train_one", {"flops": 2.1e6}, False),
        ("lstm", "train_one", {"flops": 2.1e6, "bytes": 9e6}, True),  # XLA counts a loop's body once
        ("lstm", "train_one", {"products": 1.1e6}, False),
        ("mlp", "train_one", {"temp": 110}, True),
        ("mlp", "train_one", {"temp": 112}, False),
        ("mlp", "train_one", {"f64": 1}, False),
        ("mlp", "train_one", {"callbacks": 1}, False),
        ("mlp", "train_one", {"output": 10_000}, False),
        ("mlp", "predict", {"output": 10_000}, True),  # has nothing to overwrite
        ("mlp", "train_one", {"collectives": {"all-reduce": [2, 200]}}, False),
        ("mlp", "train_one", {"collectives": {}}, True),
    ],
)
def test_limits(name, program, changes, within):
    peer = BY_HAND if program == "train_one" else f"{program} {BY_HAND}"
    keys = [("tpu", name, "float32", each) for each in (program, peer)]
    rows = {key: ROW | {"model": name, "program": key[-1]} for key in keys}
    rows[keys[0]] |= changes
    assert f"float32: {int(within)} of 1 programs within" in ahead_of_time_page.page("", keys, rows)


@pytest.mark.parametrize(
    ("ours", "other", "marks"),
    [
        ({}, {}, ""),
        ({"digest": None}, {}, " †"),
        (WITHOUT_CODE, WITHOUT_CODE, " ‡"),
        (WITHOUT_CODE, WITHOUT_CODE | {"digest": None}, " † ‡"),
    ],
)
def test_marks_of_old_programs_and_of_those_without_code(ours, other, marks):
    keys = [("tpu", "mlp", "float32", each) for each in ("train_one", BY_HAND)]
    rows = {key: ROW | {"program": key[-1]} | changes for key, changes in zip(keys, (ours, other), strict=True)}
    text = ahead_of_time_page.page("", keys, rows)
    ratio = "-" if ours.get("without_code") else "1.00"
    assert f"| mlp | train_one{marks} | {ratio} | 1.00 | {ratio} | 1.00 | 1.00 | 1 / 1 | yes |" in text
    assert f"| mlp | by hand{' †' * ('digest' in other)}{' ‡' * ('without_code' in other)} |" in text


@pytest.mark.parametrize(
    ("ours", "other"), [(WITHOUT_CODE, {}), ({}, WITHOUT_CODE), ({"without_code": False}, WITHOUT_CODE)]
)
def test_programs_with_and_without_code_are_not_compared(ours, other):
    keys = [("tpu", "mlp", "float32", each) for each in ("train_one", BY_HAND)]
    rows = {key: ROW | {"program": key[-1]} | changes for key, changes in zip(keys, (ours, other), strict=True)}
    text = ahead_of_time_page.page("", keys, rows)
    assert "| mlp | train_one | compiled in different ways |" in text
    assert "float32: 0 of 0 programs within" in text


def test_records_are_the_last_of_a_program(tmp_path):
    file = tmp_path / "records.jsonl"
    first, second = ROW | {"program": "predict"}, ROW | {"program": "predict", "temp": 7}
    ahead_of_time_page.write(file, [first, second])
    assert list(ahead_of_time_page.read(file).values()) == [second]
    assert ahead_of_time_page.read(tmp_path / "none.jsonl") == {}


def test_records_belong_to_programs_of_the_page():
    records, expected = ahead_of_time_page.read(ahead_of_time_page.RECORDS), ahead_of_time.expected()
    assert set(records) <= set(expected)
    text = ahead_of_time_page.page((ahead_of_time.__doc__ or "").split("\n\n")[1], expected, records)
    assert text == ahead_of_time_page.PAGE.read_text(encoding="utf-8")


def test_digests_tell_programs_apart():
    def step(batch, dtype):
        return by_hand.predict("mlp", WORKLOADS["mlp"], batch, dtype)

    digests = [ahead_of_time.digest(step(*case), "tpu") for case in ((8, "float32"), (8, "bfloat16"), (16, "float32"))]
    assert len(set(digests)) == 3
    assert digests[0] == ahead_of_time.digest(step(8, "float32"), "tpu")


@pytest.mark.parametrize("make", [by_hand.train_steps, by_hand.eval_steps, by_hand.predict], ids=lambda f: f.__name__)
def test_loops_by_hand_run(make):
    step = make("mlp", WORKLOADS["mlp"], 8, "float32")
    arguments = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), step.arguments)
    rows = jax.tree.leaves(jax.eval_shape(step.function, *arguments))
    assert jax.tree.all(jax.tree.map(lambda a: bool(jnp.isfinite(a).all()), step.function(*arguments)))
    assert rows[0].shape == {"predict": (8, 10)}.get(make.__name__, rows[0].shape)


def test_programs_by_hand_have_the_state_of_their_own():
    step = by_hand.step("mlp", WORKLOADS["mlp"], 32, "float32", "", 1)
    weights = sum(leaf.size for leaf in jax.tree.leaves(step.arguments[0]))
    assert weights == 3 * (784 * 64 + 64 + 64 * 10 + 10) + 3  # with two slots, a count, a loss and hits


@pytest.mark.parametrize(
    ("name", "layout", "mesh", "split"),
    [
        ("mlp", "DataParallel", {"batch": 4}, 0),
        ("mlp", "FSDP", {"batch": 4}, 3 * 2),  # two kernels and their slots; biases are small
        ("gpt", "ModelParallel", {"batch": 2, "model": 2}, 3 * (2 * 6 + 2)),  # of two blocks, the table, the last
    ],
)
def test_programs_by_hand_are_laid_out_as_the_strategy(name, layout, mesh, split):
    step = by_hand.step(name, WORKLOADS[name], 32, "float32", layout, 4)
    assert step.mesh == mesh
    assert sum(not leaf.sharding.is_fully_replicated for leaf in jax.tree.leaves(step.arguments[0])) == split


# The temporaries of this one are tables of 16 KiB, one for each instruction with several results.
OF_MODELS = {"gpt": {"temp": 1.25}}


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("libtpu") is None, reason="needs libtpu")
@pytest.mark.parametrize("dtype", ahead_of_time.POLICIES)
@pytest.mark.parametrize("name", ["mlp", "cnn", "lstm", "gru", "transformer", "gpt"])
def test_small_models_compile_as_those_by_hand(name, dtype):
    found = {}
    for (_, model, _, kind), make in ahead_of_time.cases("tpu", name, [dtype], []):
        if model != name:
            continue
        found[kind] = row = ahead_of_time.measure(make(), "tpu", None)
        assert row["callbacks"] == row["f64"] == 0, kind
        if kind not in ("eval_steps", "predict"):
            assert row["alias"] >= row["output"] - 4096, kind  # counters, in tiles
    for ours, other in (("train_one", "by hand"), ("DataParallel", "DataParallel by hand")):
        for part in LIMITS if name not in LOOPS else ("products", "touched", "temp"):
            limit = (LIMITS | OF_MODELS.get(name, {}))[part] * found[other][part]
            assert found[ours][part] <= limit, (ours, part, found[ours][part] / found[other][part])
    for ours in {"DataParallel", "FSDP", "ModelParallel"} & set(found):
        other = f"{ours} by hand"
        counts = [sum(n for n, _ in found[kind]["collectives"].values()) for kind in (ours, other)]
        assert counts[0] <= counts[1]


def _has_cuda() -> bool:
    return importlib.util.find_spec("jax_plugins") is not None and bool(
        importlib.util.find_spec("jax_plugins.xla_cuda12")
    )


@pytest.mark.slow
@pytest.mark.skipif(not _has_cuda(), reason="needs the CUDA plugin")
@pytest.mark.parametrize(("dtype", "kernels"), [("bfloat16", 4), ("float32", 0)])
def test_attention_in_16_bits_takes_the_kernel_of_gpus(dtype, kernels):
    """Two blocks, forwards and backwards."""
    (make,) = [make for key, make in ahead_of_time.cases("cuda", "gpt", [dtype], ["train_one"]) if key[1] == "gpt"]
    calls = ahead_of_time.measure(make(), "cuda", None)["custom_calls"]
    assert sum(count for name, count in calls.items() if "fmha" in name) == kernels
