"""Compiles programs for accelerators on a machine without any: `python -m benchmarks.ahead_of_time --platform tpu`.

The programs of `fit`, `evaluate` and `predict` and the training step of each strategy, compiled for a v5e:2x2, a v6e:2x2
or an H100, next to the same written by hand in JAX and Optax (`benchmarks/by_hand.py`), a training step over the same mesh.
The table shows what the compiler reports: operations (its own count, and the products and convolutions including all loop
iterations), bytes, temporaries, the share overwritten in place, collectives, host calls, 64-bit floats, custom calls.

    python -m benchmarks.ahead_of_time --platform tpu                              # all small models
    python -m benchmarks.ahead_of_time --platform tpu --only resnet50 --optimized  # a large one, without its code
    python -m benchmarks.ahead_of_time --refresh                                   # programs that have changed, too

Programs with a record in benchmarks/accelerators.jsonl are not compiled again; with `--refresh` those are whose text has
changed since, which takes a second each to find out. `--write` generates benchmarks/ACCELERATORS.md.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

import jkeras as jk
from benchmarks import by_hand, optimized
from benchmarks.ahead_of_time_page import BY_HAND, PAGE, RECORDS, TOPOLOGIES, Key, Row, page, read, write
from benchmarks.large import LARGE
from benchmarks.workloads import WORKLOADS, Workload
from jkeras.distribute.planning import chips, compiling, hlo
from jkeras.distribute.planning.step import Step, as_batch, first_state, step_of
from jkeras.training.abstract_programs import AbstractProgram, abstract_programs
from jkeras.training.compiled_loops import CompiledLoops
from jkeras.training.layout import Layout
from jkeras.training.task import recipe_of, task_for

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
# Which models are compiled for which platform. A v5e cannot hold a step of GPT-124M: the compiler recomputes what does not fit,
# and by how much says little of a program, so this one is compared on a chip of twice the memory, too.
MODELS = {"tpu": (*SMALL, *LARGE), "v6e": ("gpt_125m",), "cuda": (*SMALL, *LARGE)}
# The compiler's packages, whose versions a record has.
COMPILERS = {"tpu": "libtpu", "cuda": "jax-cuda12-plugin"}


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


def cases(platform: str, only: str, dtypes: list[str], kinds: list[str]) -> Iterator[tuple[Key, Callable[[], Step]]]:
    """Programs with functions that make their steps; `only` names models outright or in part."""
    names = [name for name in SMALL if only in name] or [name for name in LARGE if name == only]
    for name in filter(MODELS[platform].__contains__, names):
        for dtype in dtypes:
            for kind, make in _programs_of(name, dtype, chips.parse(TOPOLOGIES[platform], [])).items():
                if not kinds or kind in kinds:
                    yield (platform, name, dtype, kind), make


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
    for whole in (by_hand.train_steps, by_hand.eval_steps, by_hand.predict):
        table[f"{whole.__name__} {BY_HAND}"] = functools.partial(whole, name, work, rows, dtype)
    for label in STRATEGIES:
        if devices == 1 or (label == "ModelParallel" and name not in WITH_LAYOUTS):
            continue
        table[label] = functools.partial(over_all, label)
        if label in OVER_MESHES:
            table[f"{label} {BY_HAND}"] = functools.partial(written, rows * devices, layout=label, devices=devices)
    return table


def digest(step: Step, platform: str) -> str:
    """What tells two programs apart: a hash of the text that the compiler is given, without names of arguments."""
    text = str(compiling.exported(step, chips.parse(TOPOLOGIES[platform], [])).mlir_module())
    plain = re.sub(r"^#loc.*\n| loc\(.*?\)(?=[,)\s])", "", text, flags=re.MULTILINE)
    return hashlib.sha256(plain.encode()).hexdigest()[:16]


def measure(step: Step, platform: str, timeout: float | None, without_code: bool = False) -> Row:
    """What the compiler says of a step; `without_code` when it has optimized the program for a TPU."""
    topology = chips.parse(TOPOLOGIES[platform], [])
    if without_code:
        answer = optimized.optimize(step, topology, timeout)
    else:
        answer = compiling.compile_elsewhere(step, topology, {}, timeout)
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
        "seconds": round(answer.seconds, 1),
        "peak": answer.peak,
        "without_code": without_code,
    }


def compiled(step: Step, key: Key, timeout: float | None, without_code: bool) -> Row:
    """The record of a program, with an error where it was not compiled."""
    row: Row = dict(zip(("platform", "model", "dtype", "program"), key, strict=True))
    compiler = COMPILERS[chips.parse(TOPOLOGIES[key[0]], []).platform]
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("jax", compiler)]
    row |= {"digest": digest(step, key[0]), "compiler": ", ".join(versions)}
    try:
        return row | measure(step, key[0], timeout, without_code)
    except jk.errors.CompilationError as error:
        return row | {"error": str(error)}


def run(options: argparse.Namespace) -> None:
    """Compiles what has no record, or not this one, and adds it to the file."""
    records = read(options.results)
    for key, make in cases(options.platform, options.only, options.dtypes, options.programs):
        record = records.get(key)
        if record is not None and not options.refresh:
            continue
        step = make()
        if record is not None and record.get("digest") == digest(step, options.platform):
            continue
        row = compiled(step, key, options.timeout, options.optimized)
        with options.results.open("a", encoding="utf-8") as out:
            out.write(json.dumps(row) + "\n")
        print(*key, row.get("error") or f"{row['seconds']:.1f} s", flush=True)


def expected() -> list[Key]:
    """The programs that the page should have, in order."""
    return [
        (platform, name, dtype, kind)
        for platform, topology in TOPOLOGIES.items()
        for dtype in POLICIES
        for name in MODELS[platform]
        for kind in _programs_of(name, dtype, chips.parse(topology, []))
    ]


def main() -> None:
    """Compiles, and writes the page."""
    parser = argparse.ArgumentParser("python -m benchmarks.ahead_of_time", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--platform", choices=TOPOLOGIES, default="tpu")
    parser.add_argument("--only", default="", help="small models whose name contains this, or a large one by its name")
    parser.add_argument("--dtypes", nargs="*", choices=POLICIES, default=list(POLICIES))
    parser.add_argument("--programs", nargs="*", default=[], help="only these, such as train_one and DataParallel")
    parser.add_argument("--results", type=Path, default=RECORDS, help="a file with a line for each program")
    parser.add_argument("--timeout", type=int, help="seconds for each program")
    parser.add_argument("--optimized", action="store_true", help="stop before the compiler generates code (TPUs)")
    parser.add_argument("--refresh", action="store_true", help="compile what has changed since it was recorded, too")
    parser.add_argument("--write", action="store_true", help=f"make {PAGE.name} of the results, and put these in order")
    parser.add_argument("--skip", action="store_true", help="compile nothing")
    options = parser.parse_args()
    if not options.skip:
        run(options)
    records, keys = read(options.results), expected()
    text = page((__doc__ or "").split("\n\n")[1], keys, records)
    if options.write:
        write(options.results, [records[key] for key in keys if key in records])
        PAGE.write_text(text, encoding="utf-8")
    elif options.skip:
        print(text)


if __name__ == "__main__":
    main()
