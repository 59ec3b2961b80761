"""Compiles programs for accelerators on a machine without any: `python -m benchmarks.ahead_of_time --platform tpu`.

The programs of `fit`, `evaluate` and `predict` and the training step of each strategy, compiled for a v5e:2x2 or an H100,
next to the step of the same network written by hand in JAX and Optax (`benchmarks/peers/jax_networks.py`) over the same
mesh. The table shows what the compiler reports: operations (its own count, and the products and convolutions including all
loop iterations), bytes, temporaries, the share overwritten in place, collectives, host calls, 64-bit floats, custom calls.

    python -m benchmarks.ahead_of_time --platform tpu --results benchmarks/accelerators.jsonl --write   # all small models
    python -m benchmarks.ahead_of_time --platform tpu --only resnet50 --timeout 1200                     # a large one

Results that are already in the file are not compiled again. `--write` generates benchmarks/ACCELERATORS.md.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

import jkeras as jk
from benchmarks import by_hand
from benchmarks.large import LARGE
from benchmarks.peers import MissingWorkloadError
from benchmarks.workloads import WORKLOADS, Workload
from jkeras.console.quantities import amount, count
from jkeras.distribute.planning import chips, compiling, hlo
from jkeras.distribute.planning.step import Step, as_batch, first_state, step_of
from jkeras.training.abstract_programs import AbstractProgram, abstract_programs
from jkeras.training.compiled_loops import CompiledLoops
from jkeras.training.layout import Layout
from jkeras.training.task import recipe_of, task_for

TOPOLOGIES = {"tpu": "v5e:2x2", "cuda": "h100"}
SMALL = ("mlp", "cnn", "lstm", "gru", "transformer", "gpt", "resnet18")
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
# Megatron's layout by the names that `workloads.attention` gives its layers: dense layers with even numbers spread out.
MEGATRON = {
    "(query|key|value)/kernel": (None, "model", None),
    "attention_output/kernel": ("model", None, None),
    r"(^|/)dense(_\d*[02468])?/kernel": (None, "model"),
    r"(^|/)dense_\d*[13579]/kernel": ("model", None),
    "embedding/embeddings": ("model", None),
}


def split(devices: int) -> jk.distribute.Strategy:
    """Weights of attention split over two devices, batches over the rest."""
    mesh = jk.distribute.DeviceMesh((devices // 2, 2), ["batch", "model"], devices=devices)
    return jk.distribute.ModelParallel(layout_map=jk.distribute.LayoutMap(mesh, MEGATRON))


STRATEGIES: dict[str, Callable[[int], jk.distribute.Strategy]] = {
    "DataParallel": lambda devices: jk.distribute.DataParallel(),
    "FSDP": lambda devices: jk.distribute.FSDP(),
    "MirroredStrategy": lambda devices: jk.distribute.MirroredStrategy(),
    "ModelParallel": split,
}
# Which of them compile a `jit` over a mesh, as the hand-written steps do, and which only attention has a layout for.
OVER_MESHES = ("DataParallel", "FSDP", "ModelParallel")
WITH_LAYOUTS = ("transformer", "gpt", "gpt_125m")
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
    steps_by_name = abstract_programs(task, state, specs, 8 * batch)
    return {name: flattened(steps_by_name[name], batch, name.startswith("train")) for name in FOR_ONE}


def flattened(abstract: AbstractProgram, batch: int, trains: bool) -> Step:
    """A program on one device as a function of flat arrays, which overwrites its state where it trains."""
    program, step, arguments = abstract
    leaves, structure = jax.tree.flatten(arguments)

    def flat(*leaves: Any) -> Any:
        return jax.tree.leaves(program(step, *jax.tree.unflatten(structure, leaves)))

    leaves = [leaf if hasattr(leaf, "shape") else jax.ShapeDtypeStruct((), np.int32) for leaf in leaves]
    owned = tuple(range(len(jax.tree.leaves(arguments[0])))) if trains else ()
    return by_hand.jitted(flat, tuple(leaves), owned, batch)


def cases(platform: str, only: str, dtypes: list[str], kinds: list[str]) -> Iterator[tuple[tuple[str, str, str], Any]]:
    """Model, dtype and program, with a function that makes its step; `only` names models outright or in part."""
    names = [name for name in SMALL if only in name] or [name for name in LARGE if name == only]
    for name in names:
        for dtype in dtypes:
            for kind, make in _programs_of(name, dtype, chips.parse(TOPOLOGIES[platform], [])).items():
                if not kinds or kind in kinds:
                    yield (name, dtype, kind), make


def _programs_of(name: str, dtype: str, topology: chips.Topology) -> dict[str, Callable[[], Step]]:
    work = workload(name)
    rows, devices = work.batch, topology.size
    written = functools.partial(by_hand.step, name, work, dtype=dtype)

    def for_one(kind: str) -> Step:
        return programs(model(name, dtype), rows)[kind]

    def over_all(label: str) -> Step:
        return step_of(model(name, dtype), rows * devices, topology, STRATEGIES[label](devices))

    table: dict[str, Callable[[], Step]] = {kind: functools.partial(for_one, kind) for kind in FOR_ONE}
    table[BY_HAND] = functools.partial(written, rows, layout="", devices=1)
    for label in STRATEGIES:
        if devices == 1 or (label == "ModelParallel" and name not in WITH_LAYOUTS):
            continue
        table[label] = functools.partial(over_all, label)
        if label in OVER_MESHES:
            table[f"{label} {BY_HAND}"] = functools.partial(written, rows * devices, layout=label, devices=devices)
    return table


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
        "touched": cost.touched,
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


def run(options: argparse.Namespace) -> None:
    """Compiles what the file does not have."""
    done = {(r["platform"], r["model"], r["dtype"], r["program"]) for r in read(options.results)}
    for key, make in cases(options.platform, options.only, options.dtypes, options.programs):
        if (options.platform, *key) in done:
            continue
        row: dict[str, Any] = dict(
            zip(("platform", "model", "dtype", "program"), (options.platform, *key), strict=True)
        )
        try:
            row |= measure(make(), options.platform, options.timeout)
        except MissingWorkloadError as error:
            row["error"] = str(error)
        except jk.errors.CompilationError as error:
            row["error"] = str(error)
        with options.results.open("a") as out:
            out.write(json.dumps(row) + "\n")
        print(options.platform, *key, row.get("error") or f"{row['seconds']:.1f} s", flush=True)


# -- the page ----------------------------------------------------------------------------------------------------------

HEADS = (
    "model | program | FLOP, XLA's count | of products | bytes, XLA's count | with loops | to memory | temporaries"
    " | overwritten | collectives | callbacks | f64 | custom calls | compiled in"
)


def page(rows: list[dict[str, Any]]) -> str:
    """The page of Markdown."""
    lines = ["# Programs for accelerators", "", *(__doc__ or "").split("\n\n")[1].splitlines(), ""]
    lines += [
        'Generated by `python -m benchmarks.ahead_of_time`; nothing was run. "Overwritten" is the share of the results that',
        "replaces an argument in place: a training step overwrites all but a counter. XLA counts the body of a loop once, so",
        "two programs with loops are compared by their products and by bytes with all iterations, on or off the chip",
        '("with loops"). Fused attention is not counted. Times and memory of compilation are from a machine that other',
        "programs also used. Rows of the CNN (but FSDP in float32), ResNet-18, of GPT in bfloat16 on CUDA other than training",
        "on one device, and of the transformer's evaluate and predict are older than the losses from logits.",
        "",
        "LSTM and GRU have 1.9 times the operations and up to 1.5 times the bytes in XLA's count because jkeras computes the",
        "gradients of the recurrent weights in one product after the loop, which is counted in full (134 of the LSTM's 276",
        "million operations), the hand-written network in a product of each round, of which one in 64 is counted.",
        "",
        "In float32 under DataParallel on a v5e, both GPT's step and the one by hand keep all results but the new weights on the",
        "chip, by the lifetimes of their values at most 28 MB at once. Their temporaries, 3.2 and 2.6 MB that the compiler",
        "reserves beside these, do not follow from the lifetimes; where the difference comes from is not known.",
        "",
        "FSDP divides the projections of attention along their 128 features, and parts of 32 features fill a quarter of the",
        "tiles of a TPU's memory: 1.3 times the bytes to memory of matrices by hand. Divided along the heads GPT had 1.01",
        "times, but XLA then laid out the transformer's optimizer otherwise than its weights, with 51 collectives instead of 19.",
    ]
    for platform, topology in TOPOLOGIES.items():
        for dtype in POLICIES:
            group = [r for r in rows if (r["platform"], r["dtype"]) == (platform, dtype)]
            if not group:
                continue
            lines += ["", f"## {topology}, {dtype}", "", f"| {HEADS} |", "|---" * 14 + "|"]
            group.sort(key=lambda row: [*SMALL, *LARGE].index(row["model"]))
            lines += [_line(row) for row in group]
            ratios = list(_ratios(group))
            if ratios:
                head = (
                    "model | program | FLOP | of products | bytes | with loops | to memory | temporaries | collectives"
                )
                lines += ["", "jkeras / by hand:", "", f"| {head} |"]
                lines += ["|---" * 9 + "|", *ratios]
    return "\n".join(lines) + "\n"


def _line(row: dict[str, Any]) -> str:
    first = f"| {row['model']} | {row['program']} | "
    if "error" in row:
        return first + row["error"].split(": ", 1)[-1].split(". Give")[0].split(":     @")[0] + " |" * 12
    known = [count(row["flops"], "") if row["flops"] else "-", count(row["products"], "")]
    known += [amount(row["bytes"]) if row["bytes"] else "-", amount(row["touched"]), amount(row["moved"])]
    known.append(amount(row["temp"]))
    compiled = f"{row['seconds']:.1f} s" + (f", {amount(row['peak'])}" if row["peak"] else "")
    shared = ", ".join(f"{n} {kind} ({amount(nbytes)})" for kind, (n, nbytes) in row["collectives"].items()) or "-"
    calls = ", ".join(f"{n} {name}" for name, n in row["custom_calls"].items()) or "-"
    share = f"{row['alias'] / row['output']:.1%}" if row["output"] else "-"
    return first + " | ".join([*known, share, shared, str(row["callbacks"]), str(row["f64"]), calls, compiled]) + " |"


def _ratios(rows: list[dict[str, Any]]) -> Iterator[str]:
    by_key = {(r["model"], r["program"]): r for r in rows if "error" not in r}
    for (name, program), ours in by_key.items():
        peer = BY_HAND if program == "train_one" else f"{program} {BY_HAND}"
        other = by_key.get((name, peer))
        if other is None:
            continue
        cells = [_ratio(ours[part], other[part]) for part in ("flops", "products", "bytes", "touched", "moved", "temp")]
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
    options = parser.parse_args()
    if not options.skip:
        run(options)
    text = page(read(options.results))
    if options.write:
        PAGE.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
