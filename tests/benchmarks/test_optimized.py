"""Programs without their code: what the compiler says of them is read from its dump, and it is ended once that is complete."""

import importlib.util
import sys
import time

import pytest

from benchmarks import ahead_of_time, by_hand, optimized
from benchmarks.workloads import WORKLOADS
from jkeras.distribute.planning import chips, compiling
from jkeras.errors import CompilationError

PARAMETER = "allocation 0: size 4096, page 0, parameter 3, shape |f32[8,128]| at ShapeIndex {}"
ALLOCATIONS = {
    "argument": (f"{PARAMETER}:", (4096, 0, 0, 0)),
    "argument that is overwritten": (f"{PARAMETER}, maybe-live-out:", (4096, 4096, 4096, 0)),
    "result": ("allocation 1: size 512, page 0, maybe-live-out:", (0, 512, 0, 0)),
    "tuple": ("allocation 2: size 512, page 0, output shape is |(f32[8], s32[])|, maybe-live-out:", (0, 512, 0, 0)),
    "temporaries": ("allocation 3: size 885248, page 0, preallocated-temp:", (0, 0, 0, 901_120)),
    "on the chip": ("allocation 4: size 2728448, color 1, page 0, preallocated-temp:", (0, 0, 0, 0)),
    "constant": ("allocation 5: size 512, page 0, constant:", (0, 0, 0, 0)),
    "inside a loop": ("allocation 6: size 512, page 0, thread-local:", (0, 0, 0, 0)),
    "value": (" value: <60 lt.2 @0> (size=512,offset=32768): pred[]{:T(512)}", (0, 0, 0, 0)),
}
STEP, TOPOLOGY = object(), chips.parse("v5e:2x2", [])


@pytest.mark.parametrize("case", ALLOCATIONS)
def test_sizes_of_a_buffer_assignment(case):
    line, expected = ALLOCATIONS[case]
    assert tuple(optimized.sizes(f"BufferAssignment:\n{line}\n").values()) == expected


def test_sizes_add_up():
    lines, expected = zip(*ALLOCATIONS.values(), strict=True)
    assert list(optimized.sizes("\n".join(lines)).values()) == [sum(parts) for parts in zip(*expected, strict=True)]


def compiler(monkeypatch, script):
    """Puts a script in the place of the compiler, with the folder as its argument."""

    def prepared(step, topology, options, folder):
        assert options["xla_dump_to"] == str(folder / "dump")
        return [
            sys.executable,
            "-c",
            f"import pathlib, sys, time\nd = pathlib.Path(sys.argv[1]) / 'dump'\n{script}",
            folder,
        ], {}

    monkeypatch.setattr(compiling, "prepared", prepared)


DUMPED = f"""
d.mkdir()
(d / "m.before_optimizations.txt").write_text("")
(d / "m.after_optimizations.txt").write_text("the program")
(d / "m.after_optimizations-buffer-assignment.txt").write_text("{PARAMETER}:")
(d / "m.after_optimizations_after_buffer_assignment.txt").write_text("the program")
"""


@pytest.mark.parametrize("more", ["", "time.sleep(600)", "raise SystemExit(1)"])
def test_the_compiler_is_ended_when_its_dump_is_complete(monkeypatch, more):
    compiler(monkeypatch, DUMPED + more)
    start = time.monotonic()
    answer = optimized.optimize(STEP, TOPOLOGY, 300)
    assert time.monotonic() - start < 300
    assert answer.text == "the program" and answer.memory["argument"] == 4096
    assert answer.cost == {} and answer.peak is None and answer.seconds >= 0


@pytest.mark.parametrize(
    ("script", "timeout", "said"),
    [
        ("raise SystemExit('out of memory')", None, "failed: out of memory"),
        ("raise SystemExit('Ran out of memory.\\nSee https://openxla.org')", None, "failed: Ran out of memory.$"),
        ("d.mkdir()", None, "failed: it said nothing"),
        ("time.sleep(600)", 0.2, "takes longer than 0.2 seconds"),
    ],
)
def test_failures_of_the_compiler(monkeypatch, script, timeout, said):
    compiler(monkeypatch, script)
    with pytest.raises(CompilationError, match=said):
        optimized.optimize(STEP, TOPOLOGY, timeout)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("libtpu") is None, reason="needs libtpu")
@pytest.mark.parametrize(("name", "layout", "dtype"), [("cnn", "", "float32"), ("gpt", "FSDP", "bfloat16")])
def test_code_changes_nothing_that_is_compared(name, layout, dtype):
    devices = 4 if layout else 1
    step = by_hand.step(name, WORKLOADS[name], 32, dtype, layout, devices)
    whole, without = (ahead_of_time.measure(step, "tpu", None, each) for each in (False, True))
    absent = {"flops": None, "bytes": None, "peak": None, "without_code": True, "seconds": without["seconds"]}
    del whole["generated_code"]
    assert without == whole | absent
