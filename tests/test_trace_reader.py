"""Reading traces and the text of compiled programs."""

import gzip
import json

import pytest

from jkeras import trace_reader


def event(name, start, length, line=(1, 1), module="jit_train_steps", run="7"):
    args = {"hlo_module": module, "hlo_op": name} | ({} if run is None else {"run_id": run})
    return {"ph": "X", "pid": line[0], "tid": line[1], "ts": start, "dur": length, "name": name, "args": args}


def own(found):
    return {operation.name: operation.own for operation in found}


def test_operations_inside_of_others_count_once():
    events = [
        event("inner", 2, 3), event("loop", 0, 10), event("deeper", 3, 1), event("after", 10, 4),
        event("other thread", 1, 5, line=(1, 2)), event("other program", 0, 9, module="jit_predict"),
        {"ph": "X", "pid": 1, "tid": 1, "ts": 0, "dur": 99, "name": "host", "args": None}, {},
    ]  # fmt: skip
    assert own(trace_reader.operations(events)) == {"loop": 7, "inner": 2, "deeper": 1, "after": 4, "other thread": 5}


def test_on_devices_only_the_line_of_operations_counts():
    named = {"ph": "M", "pid": 1, "tid": 5, "name": "thread_name", "args": {"name": "XLA Ops"}}
    events = [
        named,
        event("fusion", 0, 4, line=(1, 5)),
        event("fusion", 0, 4, line=(1, 9)),
        event("host", 0, 2, line=(2, 1)),
    ]
    assert [(o.name, o.own) for o in trace_reader.operations(events)] == [("fusion", 4), ("host", 2)]


def test_runs_overlap_and_have_gaps():
    events = [event("a", 0, 10), event("b", 90, 10), event("a", 50, 60, run="8"), event("a", 200, 50, run="9")]
    assert trace_reader.busy(trace_reader.operations(events)) == pytest.approx((160e-6, 250e-6))
    unnumbered = trace_reader.operations([event("a", 0, 10, run=None), event("b", 90, 10, run=None)])
    assert trace_reader.busy(unnumbered) == pytest.approx((20e-6, 100e-6))
    assert trace_reader.busy([]) == (0.0, 0.0)


def test_origins_of_instructions():
    text = "\n".join(
        [
            "HloModule jit_train_steps, is_scheduled=true",
            '  %dot.4 = f32[2,2]{1,0} dot(%a, %b), metadata={op_name="jit(f)/dense.enter/dot_general" stack_frame_id=3}',
            '  ROOT add.1 = f32[] add(x, y), metadata={op_type="add" op_name="jit(f)/add"}',
            "  %copy.2 = f32[2]{0} copy(%x)",
            r'  %p = f32[] parameter(0), metadata={op_name="state[\"a\"]"}',
        ]
    )
    assert trace_reader.origins(text) == {
        "dot.4": "jit(f)/dense.enter/dot_general", "add.1": "jit(f)/add", "p": r"state[\"a\"]",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("jit(f)/jvp(LayerModule.enter)/LayerModule.enter/a.enter/b.enter/while/body/dot", ("a/b", False, "dot")),
        ("jit(f)/transpose(jvp(LayerModule.enter))/LayerModule.enter/a.enter/dot", ("a", True, "dot")),
        ("jit(f)/a.enter/x;jit(f)/b.enter/y", ("a", False, "x")),
        ("jit(f)/transpose(jvp(loss))/log", ("(loss)", True, "log")),
        ("jit(f)/while/body/optimizer/add", ("(optimizer)", False, "add")),
        ("jit(f)/while", ("(loop)", False, "while")),
        ("", ("(unnamed)", False, "")),
    ],
)
def test_places(name, expected):
    assert trace_reader.place(name) == expected


def test_times_by_layer():
    text = (
        '%dot.1 = f32[] dot(), metadata={op_name="a.enter/dot"}\n%dot.2 = f32[] dot(), metadata={op_name="b.enter/mul"}'
    )
    events = [event("dot.1", 0, 2e6), event("dot.1", 3e6, 2e6), event("dot.2", 6e6, 3e6), event("copy.12", 9e6, 1e6)]
    rows = trace_reader.by_layer(trace_reader.operations(events), text, steps=2)
    assert [(row.layer, row.seconds, row.share) for row in rows] == [
        ("a", 2.0, 0.5),
        ("b", 1.5, 0.375),
        ("(unnamed)", 0.5, 0.125),
    ]
    assert rows[0].top == (("dot", 2.0),) and rows[2].top == (("copy", 0.5),)


def test_the_newest_trace_is_read(tmp_path):
    assert trace_reader.read(tmp_path) == []
    with gzip.open(tmp_path / "host.trace.json.gz", "wt") as file:
        json.dump({"traceEvents": [{"name": "one"}]}, file)
    assert trace_reader.read(tmp_path) == [{"name": "one"}]
