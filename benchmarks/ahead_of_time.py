"""What accelerators get to run, on a machine that has none: `python -m benchmarks.ahead_of_time --platform tpu`.

The programs of `fit`, `evaluate` and `predict` and the training step of each strategy are compiled for a v5e:2x2 or an
H100, beside the step of the same network written by hand in JAX and Optax (`benchmarks/peers/jax_networks.py`), over the
same mesh. The table has what the compiler says: operations (its own count, and that of products and convolutions with loops
in full), bytes, temporaries, what is overwritten in place, collectives, calls to the host, 64-bit floats, custom calls.

    python -m benchmarks.ahead_of_time --platform tpu --results benchmarks/accelerators.jsonl --write   # all small models
    python -m benchmarks.ahead_of_time --platform tpu --only resnet50 --timeout 1200                     # a large one

What a file of results has already is not compiled again. `--write` makes benchmarks/ACCELERATORS.md of it.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.sharding import AbstractMesh, AxisType, NamedSharding, PartitionSpec

import jkeras as jk
from benchmarks.large import LARGE
from benchmarks.peers import Missing, jax_networks, jax_scan
from benchmarks.workloads import WORKLOADS, Workload
from jkeras.console.quantities import amount, count
from jkeras.distribute.planning import chips, compiling, hlo
from jkeras.distribute.planning.step import Step, as_batch, first_state, step_of
from jkeras.training.abstract_programs import abstract_programs
from jkeras.training.compiled_loops import CompiledLoops
from jkeras.training.layout import Layout
from jkeras.training.task import recipe_of, task_for

TOPOLOGIES = {"tpu": "v5e:2x2", "cuda": "h100"}
SMALL = ("mlp", "cnn", "lstm", "gru", "transformer", "gpt", "resnet18")
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
STRATEGIES = {
    "DataParallel": jk.distribute.DataParallel,
    "FSDP": jk.distribute.FSDP,
    "MirroredStrategy": jk.distribute.MirroredStrategy,
}
FOR_ONE = ("train_steps", "train_one", "eval_steps", "predict")
BY_HAND = "by hand"
PAGE = Path(__file__).parent / "ACCELERATORS.md"


def workload(name: str) -> Workload:
    """A small or a large workload."""
    return {**WORKLOADS, **LARGE}[name]


def model(name: str, dtype: str) -> Any:
    """The compiled model of a workload."""
    jk.config.set_dtype_policy(POLICIES[dtype])
    work = workload(name)
    loss = jk.losses.SparseCategoricalCrossentropy(from_logits=work.logits)
    return work.build(jk).compile("adam", loss, metrics=["accuracy"])


def programs(net: Any, batch: int) -> dict[str, Step]:
    """The programs of a run on one device, as functions of flat arrays."""
    recipe = recipe_of(net, "compile")
    specs = as_batch(net, recipe, batch)
    state = jax.eval_shape(lambda x: first_state(net, recipe, x), specs.x)
    task = task_for(net, specs, state)
    # Without the compiler's options for CPUs.
    task = dataclasses.replace(task, loops=CompiledLoops(Layout({})))
    found = abstract_programs(task, state, specs, 8 * batch)
    steps = {}
    for name in FOR_ONE:
        program, step, arguments = found[name]
        leaves, structure = jax.tree.flatten(arguments)

        def flat(*leaves: Any, program: Any = program, step: Any = step, structure: Any = structure) -> Any:
            return jax.tree.leaves(program(step, *jax.tree.unflatten(structure, leaves)))

        leaves = [leaf if hasattr(leaf, "shape") else jax.ShapeDtypeStruct((), np.int32) for leaf in leaves]
        owned = tuple(range(len(jax.tree.leaves(arguments[0])))) if name.startswith("train") else ()
        steps[name] = _step(flat, tuple(leaves), owned, batch)
    return steps


def _step(function: Any, arguments: tuple[Any, ...], donated: tuple[int, ...], batch: int, devices: int = 1) -> Step:
    return Step(
        jax.jit(function, donate_argnums=donated), arguments, donated, (devices,), ("batch",), batch, {}, "", "float32"
    )


def by_hand(name: str, batch: int, devices: int) -> Step:
    """The hand-written training step, on one device or data parallel.

    Raises:
        Missing: the network is not written by hand.
    """
    jax_networks.network(name)
    work = workload(name)
    found: list[Any] = []

    def carry() -> Any:
        first, step = jax_scan.stepper(name)
        found[:] = [step]
        return first

    state = jax.eval_shape(carry)
    x = jax.ShapeDtypeStruct((batch, *work.shape), np.int32 if work.vocabulary else np.float32)
    y = jax.ShapeDtypeStruct((batch, *work.targets), np.int32)
    key = jax.eval_shape(lambda: jax.random.key(0))
    if devices > 1:
        mesh = AbstractMesh((devices,), ("batch",), axis_types=(AxisType.Auto,))
        whole, rows = NamedSharding(mesh, PartitionSpec()), NamedSharding(mesh, PartitionSpec("batch"))
        state, key = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype, sharding=whole), (state, key))
        x, y = (jax.ShapeDtypeStruct(a.shape, a.dtype, sharding=rows) for a in (x, y))
    structure = jax.tree.structure(state)

    def train(leaves: list[Any], x: Any, y: Any, key: Any) -> Any:
        return jax.tree.leaves(found[0](jax.tree.unflatten(structure, leaves), x, y, key))

    return _step(train, (jax.tree.leaves(state), x, y, key), (0,), batch, devices)


def cases(platform: str, only: str, dtypes: list[str], kinds: list[str]) -> Iterator[tuple[tuple[str, str, str], Any]]:
    """Model, dtype and program, with a function that makes its step; `only` names models outright or in part."""
    size = chips.parse(TOPOLOGIES[platform], []).size
    names = [name for name in SMALL if only in name] or [name for name in LARGE if name == only]
    for name in names:
        for dtype in dtypes:
            rows = workload(name).batch

            def net(name: str = name, dtype: str = dtype) -> Any:
                return model(name, dtype)

            table: dict[str, Any] = {
                kind: lambda kind=kind, net=net, rows=rows: programs(net(), rows)[kind] for kind in FOR_ONE
            }
            if dtype == ("bfloat16" if name in LARGE else "float32"):
                table[BY_HAND] = lambda name=name, rows=rows: by_hand(name, rows, 1)
            if size > 1:
                topology = chips.parse(TOPOLOGIES[platform], [])
                for label, strategy in STRATEGIES.items():
                    table[label] = lambda s=strategy, net=net, rows=rows, t=topology: step_of(
                        net(), rows * size, t, s()
                    )
                if BY_HAND in table:
                    table[f"DataParallel {BY_HAND}"] = lambda name=name, rows=rows: by_hand(name, rows * size, size)
            for kind, make in table.items():
                if not kinds or kind in kinds:
                    yield (name, dtype, kind), make


def measure(step: Step, platform: str, timeout: float | None) -> dict[str, Any]:
    """What the compiler says of a step."""
    answer = compiling.compile_elsewhere(step, chips.parse(TOPOLOGIES[platform], []), {}, timeout)
    module = hlo.Module(answer.text, step.devices)
    cost = module.cost()
    return {
        "flops": answer.cost.get("flops"),
        "bytes": answer.cost.get("bytes accessed"),
        "products": cost.flops,
        "moved": cost.nbytes,
        **answer.memory,
        "collectives": {each.kind: [each.count, each.nbytes] for each in cost.collectives},
        "callbacks": module.callbacks,
        "f64": module.float64,
        "custom_calls": module.custom_calls(),
        "seconds": answer.seconds,
        "peak": answer.peak,
    }


def read(file: Path) -> list[dict[str, Any]]:
    """Results that are there."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def run(given: argparse.Namespace) -> None:
    """Compiles what the file does not have."""
    done = {(r["platform"], r["model"], r["dtype"], r["program"]) for r in read(given.results)}
    for key, make in cases(given.platform, given.only, given.dtypes, given.programs):
        if (given.platform, *key) in done:
            continue
        row: dict[str, Any] = dict(zip(("platform", "model", "dtype", "program"), (given.platform, *key), strict=True))
        try:
            row |= measure(make(), given.platform, given.timeout)
        except Missing as error:
            row["error"] = str(error)
        except jk.errors.CompilationError as error:
            row["error"] = str(error)
        with given.results.open("a") as out:
            out.write(json.dumps(row) + "\n")
        print(given.platform, *key, row.get("error") or f"{row['seconds']:.1f} s", flush=True)


# -- the page ----------------------------------------------------------------------------------------------------------

HEADS = (
    "model | program | FLOP, XLA's count | of products | bytes, XLA's count | to memory | temporaries | overwritten"
    " | collectives | callbacks | f64 | custom calls"
)


def page(rows: list[dict[str, Any]]) -> str:
    """The page of Markdown."""
    lines = ["# Programs for accelerators", "", *(__doc__ or "").split("\n\n")[1].splitlines(), ""]
    lines += [
        'Generated by `python -m benchmarks.ahead_of_time`; nothing was run. "Overwritten" is the share of the results that',
        "takes the place of an argument: a training step overwrites all but a counter. XLA's count takes the body of a loop",
        "once, so that two programs with loops are compared by their products.",
    ]
    for platform, topology in TOPOLOGIES.items():
        for dtype in POLICIES:
            chosen = [r for r in rows if (r["platform"], r["dtype"]) == (platform, dtype)]
            if not chosen:
                continue
            lines += ["", f"## {topology}, {dtype}", "", f"| {HEADS} |", "|---" * 12 + "|"]
            chosen.sort(key=lambda row: [*SMALL, *LARGE].index(row["model"]))
            lines += [_line(row) for row in chosen]
            ratios = list(_ratios(chosen))
            if ratios:
                head = "model | program | FLOP | of products | bytes | to memory | temporaries | collectives"
                lines += ["", "jkeras / by hand:", "", f"| {head} |"]
                lines += ["|---" * 8 + "|", *ratios]
    return "\n".join(lines) + "\n"


def _line(row: dict[str, Any]) -> str:
    first = f"| {row['model']} | {row['program']} | "
    if "error" in row:
        return first + row["error"].split(": ", 1)[-1].split(". Give")[0] + " |" * 10
    known = [count(row["flops"], "") if row["flops"] else "-", count(row["products"], "")]
    known += [amount(row["bytes"]) if row["bytes"] else "-", amount(row["moved"]), amount(row["temp"])]
    shared = ", ".join(f"{n} {kind} ({amount(nbytes)})" for kind, (n, nbytes) in row["collectives"].items()) or "-"
    calls = ", ".join(f"{n} {name}" for name, n in row["custom_calls"].items()) or "-"
    share = f"{row['alias'] / row['output']:.1%}" if row["output"] else "-"
    return first + " | ".join([*known, share, shared, str(row["callbacks"]), str(row["f64"]), calls]) + " |"


def _ratios(rows: list[dict[str, Any]]) -> Iterator[str]:
    by_key = {(r["model"], r["program"]): r for r in rows if "error" not in r}
    for (name, program), ours in by_key.items():
        peer = {"train_one": BY_HAND, "DataParallel": f"DataParallel {BY_HAND}"}.get(program, "")
        other = by_key.get((name, peer))
        if other is None:
            continue
        cells = [_ratio(ours[part], other[part]) for part in ("flops", "products", "bytes", "moved", "temp")]
        counts = [sum(n for n, _ in r["collectives"].values()) for r in (ours, other)]
        yield f"| {name} | {program} | {' | '.join(cells)} | {counts[0]} / {counts[1]} |"


def _ratio(ours: float | None, other: float | None) -> str:
    return f"{ours / other:.2f}" if ours and other else "-"


def main() -> None:
    """Compiles, and writes the page."""
    parser = argparse.ArgumentParser("python -m benchmarks.ahead_of_time", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--platform", choices=TOPOLOGIES, default="tpu")
    parser.add_argument("--only", default="", help="small models whose name contains this, or a large one by its name")
    parser.add_argument("--dtypes", nargs="*", choices=POLICIES, default=list(POLICIES))
    parser.add_argument("--programs", nargs="*", default=[], help="only these, such as train_one and DataParallel")
    parser.add_argument(
        "--results", type=Path, default=Path("accelerators.jsonl"), help="a file with a line for each program"
    )
    parser.add_argument("--timeout", type=int, help="seconds for each program")
    parser.add_argument("--write", action="store_true", help=f"make {PAGE.name} of the results")
    parser.add_argument("--skip", action="store_true", help="compile nothing")
    given = parser.parse_args()
    if not given.skip:
        run(given)
    text = page(read(given.results))
    if given.write:
        PAGE.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
