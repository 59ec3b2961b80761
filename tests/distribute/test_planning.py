"""`jk.distribute.plan`: the counts of compiled programs, plans for the devices that are here, and its errors."""

import importlib.util
import os
import re
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

import jkeras as jk
from jkeras import errors, layers
from jkeras.commands.main import main
from jkeras.distribute.planning import chips, compiling, hlo
from jkeras.distribute.planning.step import step_of
from jkeras.ops import attention

DEVICES = len(jax.devices())
D = jk.distribute


def module(function, *shapes, devices=1):
    """The compiled program of a function of float32 arrays."""
    specs = [s if isinstance(s, jax.ShapeDtypeStruct) else jax.ShapeDtypeStruct(s, np.float32) for s in shapes]
    return hlo.Module(jax.jit(function).lower(*specs).compile().as_text(), devices)


def network(*, name="net"):
    inner = [layers.Dense(64, activation="relu"), layers.BatchNormalization(), layers.Dropout(0.5)]
    model = jk.Sequential([layers.Input((32,)), *inner, layers.Dense(8, activation="softmax")], name=name)
    return model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])


def columns(model):
    mesh = D.DeviceMesh((1, DEVICES), ["batch", "model"], devices=DEVICES)
    return D.ModelParallel(layout_map=D.LayoutMap(mesh, {"dense.*kernel": (None, "model")}))


def test_optimizers_do_not_gather_more_than_gradients():
    """A bias beside a split kernel is put together once, not for each slot of the optimizer."""
    net = jk.Sequential([layers.Input((32,)), layers.Dense(64, activation="relu"), layers.Dense(8)])
    mesh = D.DeviceMesh((2, 2), ["batch", "model"], devices=4)
    strategy = D.ModelParallel(layout_map=D.LayoutMap(mesh, {"dense.*kernel": (None, "model")}))
    plan = D.plan(net.compile("adam", "mse"), 32, "here", strategy)
    assert {each.kind: each.count for each in plan.collectives}["all-gather"] <= 4


def test_gradients_of_biases_are_gathered_at_once():
    """Of all biases beside kernels whose outputs are split, and of no other weights."""
    inputs = layers.Input((6, 16))
    x = layers.MultiHeadAttention(4, 8)(inputs, inputs)
    x = layers.Dense(16)(layers.Dense(32, activation="relu", name="wide")(x))
    net = jk.Model(inputs, layers.LayerNormalization()(x)).compile("adam", "mse")
    mesh = D.DeviceMesh((2, 2), ["batch", "model"], devices=4)
    split = {"(query|key|value)/kernel": (None, "model", None), "attention_output/kernel": ("model", None, None)}
    split |= {"wide/kernel": (None, "model"), "dense/kernel": ("model", None)}
    plan = D.plan(net, 32, "here", D.ModelParallel(layout_map=D.LayoutMap(mesh, split)))
    gathers = [each for each in plan.collectives if each.kind == "all-gather"]
    assert sum(each.count for each in gathers) == 1
    assert sum(each.nbytes for each in gathers) == 4 * (3 * 32 + 32)


def test_replicas_do_not_add_up_how_many_rows_they_have():
    """Only losses, gradients and metrics: every replica knows the rows of a batch without a mask."""
    net = jk.Sequential([layers.Input((8,)), layers.Dense(4)]).compile("adam", "mse")
    plan = D.plan(net, 32, "here", D.MirroredStrategy())
    assert {each.kind: each.count for each in plan.collectives} == {"all-reduce": 3}


@pytest.mark.parametrize(
    ("layer", "shape", "axes"),
    [
        # The longest axis,
        (layers.Dense(50), (16,), {(16, 50): 0}),  # if it can be divided,
        (layers.Dense(512), (128,), {(128, 512): 1, (512,): 0}),
        (layers.Dense(128), (512,), {(512, 128): 0}),
        (layers.Conv1D(64, 3), (8, 64), {(3, 64, 64): 1}),
        (layers.Dense(8000), (128,), {(128, 8000): 1}),
        # but not if its parts fill tiles badly, and those of another do not.
        (layers.MultiHeadAttention(4, 32), (8, 128), {(128, 4, 32): 2, (4, 32, 128): 1}),
        (layers.Conv1D(128, 3), (8, 64), {(3, 64, 128): 1}),
        (layers.MultiHeadAttention(2, 256), (8, 512), {(512, 2, 256): 0, (2, 256, 512): 2}),
    ],
    ids=str,
)
def test_parts_of_fsdp(layer, shape, axes):
    """Weights, what the optimizer keeps of them, and gradients are divided along the same axis."""
    inputs = layers.Input(shape)
    outputs = layer(inputs, inputs) if isinstance(layer, layers.MultiHeadAttention) else layer(inputs)
    net = jk.Model(inputs, outputs).compile("adam", "mse")
    chosen = chips.parse("v5e:2x2", [])
    step = step_of(net, 8, chosen, D.FSDP())
    text = str(compiling.exported(step, chosen).mlir_module())
    for sizes, axis in axes.items():
        spec = PartitionSpec(*[None] * axis, "batch")
        assert {leaf.sharding.spec for leaf in step.arguments[0] if leaf.shape == sizes} == {spec}
        kind = "x".join(map(str, sizes))
        constraints = re.findall(rf"sharding_constraint .* <@\w+, (\[.*\])> : tensor<{kind}xf32>", text)
        split = ", ".join('{"batch"}' if i == axis else "{}" for i in range(len(sizes)))
        assert set(constraints) == {f"[{split}]", f"[{', '.join(['{}'] * len(sizes))}]"}


@pytest.mark.parametrize(
    ("topology", "out"), [("v5e:2x2", True), ("v5e:1x1", False), ("h100", False), ("h100:2", True)]
)
def test_programs_for_several_devices_leave_out_kernels_of_gpus(topology, out, monkeypatch):
    """JAX does not lower these without devices, nor the program for a TPU that has them in a branch."""

    class SeenError(Exception):
        pass

    def export(*args, **kwargs):
        raise SeenError(attention._kernels_left_out.get())

    monkeypatch.setattr(compiling.export, "export", export)
    chosen = chips.parse(topology, [])
    step = step_of(network(), 8, chosen, D.DataParallel() if chosen.size > 1 else None)
    with pytest.raises(SeenError, match=str(out)):
        compiling.compile_elsewhere(step, chosen, {}, None)


def test_a_program_that_jaxlib_cannot_read_asks_for_another_libtpu(monkeypatch):
    said = "INTERNAL: RET_CHECK failure (external/xla/xla/hlo/ir/hlo_instruction.cc:390) operands"
    failed = subprocess.CompletedProcess([], 1, "", said)
    monkeypatch.setattr(compiling.subprocess, "run", lambda *args, **kwargs: failed)
    step = step_of(network(), 8, chips.parse("v5e:1x1", []), None)
    with pytest.raises(errors.CompilationError, match=r"operands\. The program was compiled.*pip install 'jax\[tpu\]'"):
        compiling.compile_elsewhere(step, chips.parse("v5e:1x1", []), {}, None)


# -- counting ------------------------------------------------------------------------------------------------------


def test_products_and_loops_are_counted_with_their_rounds():
    """A loop over five steps does five products; XLA's own count has one."""

    def rounds(x, w):
        return jax.lax.scan(lambda h, _: (jnp.tanh(h @ w), None), x, length=5)[0]

    program = module(rounds, (64, 256), (256, 256))
    one = 2 * 64 * 256 * 256
    assert program.cost().flops == 5 * one
    assert program.cost(loops=False).flops == one
    assert program.cost().nbytes > 4 * program.cost(loops=False).nbytes


CONVOLUTION = """HloModule m
ENTRY %main (x: f32[2,8,8,3], k: f32[3,3,3,16]) -> f32[2,OUT,16] {
  %x = f32[2,8,8,3]{3,2,1,0} parameter(0)
  %k = f32[3,3,3,16]{3,2,1,0} parameter(1)
  ROOT %c = f32[2,OUT,16]{3,2,1,0} convolution(%x, %k), window={size=3x3 WINDOW}, dim_labels=b01f_01io->b01f
}
"""
PAIRS = {  # valid pairs of an output and an element of the window along one axis of 8
    ("6,6", ""): 18,
    ("8,8", "pad=1_1x1_1"): 22,
    ("4,4", "stride=2x2 pad=0_1x0_1"): 11,
    ("4,4", "rhs_dilate=2x2"): 12,
    ("15,15", "pad=1_1x1_1 lhs_dilate=2x2"): 22,
}


@pytest.mark.parametrize(("out", "window"), PAIRS, ids=str)
def test_convolutions_are_counted_without_their_padding(out, window):
    text = CONVOLUTION.replace("OUT", out).replace("WINDOW", window)
    assert hlo.Module(text).cost().flops == 2 * 2 * 3 * 16 * PAIRS[out, window] ** 2


def test_collectives_of_a_mesh_are_found():
    mesh = Mesh(np.array(jax.devices()), ("d",), axis_types=(AxisType.Auto,))
    rows = NamedSharding(mesh, PartitionSpec("d"))
    x = jax.ShapeDtypeStruct((8 * DEVICES, 4), np.float32, sharding=rows)
    cost = module(lambda x: jnp.sum(x, 0), x, devices=DEVICES).cost()
    (found,) = cost.collectives
    assert (found.kind, found.count, found.nbytes) == ("all-reduce", 1, 16)
    assert found.sent == 2 * (DEVICES - 1) / DEVICES * 16


TPU = """HloModule m
%sum (a: f32[], b: f32[]) -> f32[] {
  %a = f32[] parameter(0)
  %b = f32[] parameter(1)
  ROOT %add = f32[] add(%a, %b)
}
%all-reduce-scatter (input: f32[64,128]) -> f32[16,128] {
  %input = f32[64,128]{1,0:T(8,128)} parameter(0)
  %zero = s32[] constant(0)
  %i = s32[] constant(16)
  %all-reduce.1 = f32[64,128]{1,0:T(8,128)} all-reduce(%input), channel_id=2, replica_groups={{0,1,2,3}}, to_apply=%sum
  ROOT %part = f32[16,128]{1,0:T(8,128)S(1)} dynamic-slice(%all-reduce.1, %i, %zero), dynamic_slice_sizes={16,128}
}
%begin (x: bf16[16,100]) -> bf16[64,100] {
  %x = bf16[16,100]{1,0:T(8,128)(2,1)} parameter(0)
  %g = bf16[64,100]{1,0} all-gather(%x), channel_id=1, replica_groups=mesh['d'=4] {'d'}, dimensions={0}
  ROOT %begun = bf16[64,100]{1,0} custom-call(%g), custom_call_target="AsyncCollectiveStart"
}
%end (y: bf16[16,100]) -> bf16[64,100] {
  %y = bf16[16,100]{1,0:T(8,128)(2,1)} parameter(0)
  %h = bf16[64,100]{1,0} all-gather(%y), channel_id=1, replica_groups=mesh['d'=4] {'d'}, dimensions={0}
  ROOT %done = bf16[64,100]{1,0} custom-call(%h), custom_call_target="AsyncCollectiveDone"
}
ENTRY %main (p: bf16[16,100], q: f32[64,128]) -> f32[16,128] {
  %p = bf16[16,100]{1,0:T(8,128)(2,1)} parameter(0)
  %q = f32[64,128]{1,0:T(8,128)} parameter(1)
  %f = bf16[64,100]{1,0:T(8,128)(2,1)S(1)} fusion(%p), kind=kCustom, calls=%begin
  %e = bf16[64,100]{1,0:T(8,128)(2,1)S(1)} fusion(%p), kind=kCustom, calls=%end
  ROOT %r = f32[16,128]{1,0:T(8,128)S(1)} fusion(%q), kind=kCustom, calls=%all-reduce-scatter
}
"""


LOOP = """HloModule m
%replace (p0: f32[64,64,128], p1: f32[64,128], p2: s32[]) -> (f32[64,64,128], f32[64,128]) {
  %p0 = f32[64,64,128]{2,1,0:T(8,128)} parameter(0)
  %p1 = f32[64,128]{1,0:T(8,128)S(1)} parameter(1)
  %p2 = s32[] parameter(2)
  %piece = f32[1,64,128]{2,1,0:T(8,128)} bitcast(%p1)
  %zero = s32[] constant(0)
  %new = f32[64,64,128]{2,1,0:T(8,128)} dynamic-update-slice(%p0, %piece, %p2, %zero, %zero)
  %twice = f32[64,128]{1,0:T(8,128)} add(%p1, %p1)
  ROOT %both = (f32[64,64,128]{2,1,0:T(8,128)}, f32[64,128]{1,0:T(8,128)S(1)}) tuple(%new, %twice)
}
ENTRY %main (a: f32[64,64,128], b: f32[64,128], i: s32[]) -> (f32[64,64,128], f32[64,128]) {
  %a = f32[64,64,128]{2,1,0:T(8,128)} parameter(0)
  %b = f32[64,128]{1,0:T(8,128)S(1)} parameter(1)
  %i = s32[] parameter(2)
  %s = ((f32[64,64,128]{2,1,0:T(8,128)}), f32[16,64,128]{2,1,0:T(8,128)S(1)}, s32[]{:S(2)}) slice-start(%a)
  ROOT %f = (f32[64,64,128]{2,1,0:T(8,128)}, f32[64,128]{1,0:T(8,128)S(1)}) fusion(%a, %b, %i), kind=kLoop, calls=%replace
}
"""


def test_of_what_is_cut_out_or_replaced_the_piece_counts():
    """A quarter is copied to the chip; of a stack of 64 one entry is replaced, beside another result on the chip."""
    entry, cost = 64 * 128 * 4, hlo.Module(LOOP).cost()
    index = 4
    assert cost.nbytes == 16 * entry + 2 * entry + index
    assert cost.touched == 2 * 16 * entry + (2 + 1 + 1) * entry + index


def test_what_tpus_write_is_understood():
    """A collective that runs beside other work stands there twice; one that keeps a part of a sum sends less; arrays lie in
    tiles, and cost nothing on the chip."""
    cost = hlo.Module(TPU, 4).cost()
    found = {each.kind: (each.count, each.nbytes, each.sent) for each in cost.collectives}
    assert found == {"all-gather": (1, 12800, 9600), "reduce-scatter": (1, 8192, 24576)}
    assert cost.nbytes == 2 * (16 * 128 * 2) + 64 * 128 * 4  # of %p twice, of %q; the results stay on the chip


CYCLES = """HloModule m
%inner (x: f32[64]) -> f32[64] {
  %x = f32[64] parameter(0)
  ROOT %twice = f32[64] add(%x, %x), backend_config={"estimated_cycles":"7"}
}
%body (s: (s32[], f32[64])) -> (s32[], f32[64]) {
  %s = (s32[], f32[64]) parameter(0)
  %i = s32[] get-tuple-element(%s), index=0
  %v = f32[64] get-tuple-element(%s), index=1
  %f = f32[64] fusion(%v), kind=kLoop, calls=%inner, backend_config={"estimated_cycles":"100"}
  ROOT %t = (s32[], f32[64]) tuple(%i, %f)
}
%more (s: (s32[], f32[64])) -> pred[] {
  %s = (s32[], f32[64]) parameter(0)
  %i = s32[] get-tuple-element(%s), index=0
  %n = s32[] constant(5)
  ROOT %less = pred[] compare(%i, %n), direction=LT
}
ENTRY %main (a: (s32[], f32[64])) -> (s32[], f32[64]) {
  %a = (s32[], f32[64]) parameter(0)
  %c = (s32[], f32[64]) copy(%a), backend_config={"estimated_cycles":"40"}
  ROOT %w = (s32[], f32[64]) while(%c), condition=%more, body=%body
}
"""


def test_expected_cycles_count_with_the_rounds_of_loops_and_once_for_what_is_fused():
    assert hlo.Module(CYCLES).cost().cycles == 40 + 5 * 100
    assert hlo.Module(CYCLES).cost(loops=False).cycles == 40 + 100
    assert hlo.Module(TPU, 4).cost().cycles == 0


def test_calls_to_the_host_and_64_bit_floats_are_found():
    def calls(x):
        return jax.pure_callback(lambda x: np.asarray(x), jax.ShapeDtypeStruct((4,), np.float32), x)

    assert module(calls, (4,)).callbacks == 1
    assert module(jnp.sin, (4,)).callbacks == 0
    text = "ENTRY %m (x: f64[2]) -> f64[2] {\n  ROOT %x = f64[2]{0} parameter(0)\n}\n"
    assert hlo.Module(text).float64 == 1


def test_names_of_topologies():
    sizes = {"here": 3, "h100": 1, "H100:8": 8, "v5e:2x2": 4, "v5e:16x16": 256, "v4:2x2x4": 16, "v5p:8x8x8": 512}
    assert {name: chips.parse(name, ["cpu"] * 3).size for name in sizes} == sizes
    assert chips.chip_of("TPU v5 lite") is chips.CHIPS["v5e"]
    assert chips.chip_of("TPU v5p") is chips.CHIPS["v5p"]
    assert chips.chip_of("cpu") is None
    assert all(chip.source.startswith("https://") for chip in chips.CHIPS.values())


# -- plans for the devices here ------------------------------------------------------------------------------------

STRATEGIES = {
    "one": (None, 1),
    "data": (D.DataParallel(), 1),
    "mirrored": (D.MirroredStrategy(), 1),
    "fsdp": (D.FSDP(), DEVICES),
    "model": (columns(None), DEVICES),
}


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_plan_for_the_devices_here(name):
    strategy, parts = STRATEGIES[name]
    model = network()
    plan = D.plan(model, 16 * DEVICES, strategy=strategy)
    assert plan.devices == (1 if strategy is None else DEVICES)
    kernels = 4 * (32 * 64 + 64 * 8)
    whole = 4 * (64 + 2 * 64 + 8)
    assert whole + kernels // parts >= plan.memory["weights"] >= (whole + kernels) // parts
    assert plan.memory["optimizer"] == pytest.approx(2 * plan.memory["weights"], abs=64)
    state = sum(plan.memory[part] for part in ("weights", "optimizer", "other state"))
    assert plan.donated == pytest.approx(state, abs=64)  # everything
    assert plan.flops >= 2 * 3 * 16 * (32 * 64 + 64 * 8) - 2 * 16 * 32 * 64  # the inputs need no gradient
    assert bool(plan.collectives) == (strategy is not None and DEVICES > 1)
    assert plan.callbacks == plan.float64 == 0
    assert model._memo.fresh is None  # nothing was drawn


def test_a_batch_of_arrays_or_shapes_is_a_batch():
    model = jk.Sequential([layers.Dense(3)]).compile("sgd", "mse")
    given = [
        (np.ones((8, 5)), np.ones((8, 3))),
        (jax.ShapeDtypeStruct((8, 5), np.float32), jax.ShapeDtypeStruct((8, 3), np.float32)),
    ]
    plans = [D.plan(model, batch) for batch in given]
    assert [plan.memory["batch"] for plan in plans] == [256, 256]
    assert plans[0].memory["weights"] == 4 * (15 + 3)


def test_a_plan_prints_converts_and_plots(tmp_path):
    plan = D.plan(network(name="shown"), 32, strategy=D.FSDP())
    text = str(plan)
    assert "shown on the devices here" in text
    assert all(part in text for part in ("weights", "optimizer", "temporaries", "in all", "operations"))
    assert "<table" in plan._repr_html_()
    frame = plan.to_pandas()
    assert frame.loc[0, "weights_bytes"] == plan.memory["weights"]
    assert frame.loc[0, "strategy"] == "FSDP()"
    plan.plot(tmp_path / "plan.png")
    assert (tmp_path / "plan.png").stat().st_size > 1000
    assert plan.bound == ""  # no data sheet of a CPU
    with pytest.raises(AttributeError):
        plan.flops = 1.0


REFUSED = {
    "unknown accelerator": (64, "v5f:2x2", None, errors.UnknownNameError, "v5e"),
    "no grid": (64, "v5e", None, errors.ArgumentError, "v5e:2x2"),
    "another grid": (64, "v5p:2x2", None, errors.ArgumentError, "3 sizes"),
    "no name": (64, 4, None, errors.ArgumentError, "expected a name"),
    "no rows": (0, "here", None, errors.ArgumentError, "at least 1"),
    "no batch": ("x", "here", None, errors.ArgumentError, "number of rows"),
    "no strategy": (64, "here", "fsdp", errors.ArgumentError, "FSDP"),
    "fewer rows than devices": (DEVICES - 1, "here", D.DataParallel(), errors.InputError, "batch_size"),
    "rows that do not divide": (8 * DEVICES + 1, "here", D.DataParallel(), errors.InputError, "divided"),
    "wrong inputs": ((np.ones((4, 3)), np.ones(4, int)), "here", None, errors.InputError, "32"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_mistakes_are_told_before_anything_is_compiled(case):
    batch, topology, strategy, error, told = REFUSED[case]
    with pytest.raises(error, match=told):
        D.plan(network(), batch, topology, strategy)


@pytest.mark.parametrize(("topology", "extra"), [("v5e:2x2", r"jkeras\[plan\]"), ("h100", r"jkeras\[plan,cuda12\]")])
def test_a_missing_compiler_is_named_with_its_extra(monkeypatch, topology, extra):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(errors.ExtraError, match=extra) as caught:
        D.plan(network(), 64, topology)
    assert isinstance(caught.value, ImportError)


SCRIPT = """
import jkeras as jk
from jkeras import layers

def make():
    model = jk.Sequential([layers.Input((16,)), layers.Dense(4)], name="scripted")
    return model.compile("sgd", "mse")

model = make()
if __name__ == "__main__":
    raise SystemExit("ran")
"""


def test_the_command_line(tmp_path, capsys):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    for name in ("model", "make"):
        assert main(["plan", f"{script}:{name}", "--batch", "16", "--strategy", "data"]) == 0
        assert "scripted on the devices here" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["plan", f"{script}:other"])
    assert "Models there: model" in capsys.readouterr().err
    assert main(["plan", f"{script}:model", "--topology", "v5f:1x1"]) == 1
    assert "Did you mean 'v5e'?" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--topology", "v5f:1x1"], ["--timeout", "0"]])
def test_the_command_line_is_checked_before_the_script_runs(words, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("raise SystemExit('trained for hours')")
    assert main(["plan", f"{script}:model", *words]) == 1


# -- with the compiler of TPUs -------------------------------------------------------------------------------------

needs_libtpu = pytest.mark.skipif(importlib.util.find_spec("libtpu") is None, reason="needs libtpu")
UNGUARDED = (
    SCRIPT.split("if __name__")[0]
    + """
class Own(layers.Dense):
    pass

model = jk.Sequential([layers.Input((16,)), Own(128), layers.Dense(4)]).compile("sgd", "mse")
plan = jk.distribute.plan(model, 64, "v5e:2x2", jk.distribute.FSDP())
print(plan.devices, plan.kind, plan.fits)
"""
)


@pytest.mark.slow
@needs_libtpu
def test_a_script_without_a_guard_plans_for_tpus(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["4 TPU v5 lite True"]


@pytest.mark.slow
@needs_libtpu
def test_the_command_line_prints_the_plan_and_no_complaints_about_absent_tpus(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, "-m", "jkeras", "plan", f"{script}:model", "--topology", "v5e:2x2"]
    environment = {name: value for name, value in os.environ.items() if name != "JAX_PLATFORMS"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "on v5e:2x2" in done.stdout
    assert done.stderr == ""


@pytest.mark.slow
@needs_libtpu
@pytest.mark.parametrize("topology", ["v4:2x2x1", "v5e:4x4", "v5p:2x2x2", "v6e:2x2"])
def test_tpus_compile_every_strategy(topology):
    size = chips.parse(topology, []).size
    mesh = D.DeviceMesh((size // 2, 2), ["batch", "model"], devices=size)
    layout = D.LayoutMap(mesh, {"dense.*kernel": (None, "model")})
    for strategy in (None, D.DataParallel(), D.FSDP(), D.MirroredStrategy(), D.ModelParallel(layout_map=layout)):
        plan = D.plan(network(), 16 * size, topology, strategy)
        assert plan.fits
        assert plan.bound in ("compute", "memory", "network")
        assert plan.callbacks == plan.float64 == 0
        assert plan.devices == (1 if strategy is None else size)
        assert bool(plan.collectives) == (strategy is not None)
