"""Compiling a step for a topology: in a process of its own, or here."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jax import export

from jkeras.distribute.planning.chips import Topology
from jkeras.errors import CompilationError, ExtraError
from jkeras.ops.attention import kernels_left_out

if TYPE_CHECKING:
    from jkeras.distribute.planning.step import Step

CHILD = Path(__file__).with_name("child.py")
# Module that a platform's compiler is in, and the extra that installs it.
EXTRAS = {"tpu": ("libtpu", "plan"), "cuda": ("jax_plugins.xla_cuda12", "cuda12")}
# No TPU is looked for, no metadata server asked, no lock waited for. What a user has set counts first, the platform apart.
ENVIRONMENT = {
    "TPU_SKIP_MDS_QUERY": "1",
    "TPU_WORKER_HOSTNAMES": "localhost",
    "TPU_WORKER_ID": "0",
    "TPU_ACCELERATOR_TYPE": "v5litepod-4",
    "TPU_LOG_DIR": "disabled",
    "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",
    "TPU_MIN_LOG_LEVEL": "3",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


# What errors say where jaxlib reads a program that was compiled: its own sources, which libtpu names otherwise.
READER = "external/xla/xla/hlo/ir/"
UNREAD = (
    ". The program was compiled, but this jaxlib cannot read it. Install a compiler of the same age: `pip install 'jax[tpu]'`"
    " takes the libtpu that JAX was released with."
)

# Custom calls that JAX promises nothing about between versions; the program is compiled at once, by this version.
KERNELS = [
    export.DisabledSafetyCheck.custom_call(name)
    for name in (
        *("tpu_custom_call", "TopK", "ApproxTopK", "__gpu$xla.gpu.triton", "triton_kernel_call"),
        *("__cudnn$fmhaSoftmax", "__cudnn$fmhaSoftmaxBackward", "__cudnn$fmhaScaleBiasSoftmax"),
        *("__cudnn$fmhaScaleBiasSoftmaxBackward", "__cudnn$fmhaScaleBiasSoftmaxDropout"),
        *("__cudnn$fmhaSoftmaxDropout", "__cudnn$fmhaSoftmaxDropoutBackward"),
    )
]


class Answer(NamedTuple):
    """What a compiler said: seconds, the device's kind, sizes in memory, XLA's own counts, the program's text.

    `peak` are the bytes that the compiler's process held at most; None where it ran in this one.
    """

    seconds: float
    peak: int | None
    kind: str
    memory: dict[str, int]
    cost: dict[str, float]
    text: str


def check_extra(topology: Topology) -> None:
    """Checks that the compiler for a topology is installed.

    Raises:
        ExtraError: it is not.
    """
    if topology.platform == "here":
        return
    module, extra = EXTRAS[topology.platform]
    for needed in (module, "flatbuffers"):
        try:
            present = importlib.util.find_spec(needed) is not None
        except ModuleNotFoundError:
            present = False
        if not present:
            extras = "plan" if extra == "plan" else f"plan,{extra}"
            raise ExtraError(
                f"plan(topology={topology.name!r}) compiles with {needed}, which is not installed:"
                f" pip install 'jkeras[{extras}]'. No accelerator is needed. `topology=\"here\"` plans for the devices that"
                f" are present."
            )


def compile_here(step: Step) -> Answer:
    """Compiles a step for the devices of this process."""
    start = time.perf_counter()
    compiled = step.function.lower(*step.arguments).compile()
    seconds = time.perf_counter() - start
    memory, cost = compiled.memory_analysis(), compiled.cost_analysis() or {}
    sizes = ("argument", "output", "alias", "temp", "generated_code")
    return Answer(
        seconds,
        None,
        step.device_kind,
        {name: int(getattr(memory, f"{name}_size_in_bytes")) for name in sizes} if memory else {},
        {name: float(cost[name]) for name in ("flops", "bytes accessed") if name in cost},
        compiled.as_text() or "",
    )


def exported(step: Step, topology: Topology) -> export.Exported:
    """The program of a step as the compiler of a topology takes it."""
    # How GPUs divide the kernel among them is only known where they are; JAX asks that of programs for TPUs, too, if CUDA
    # is installed.
    with kernels_left_out() if step.devices > 1 else contextlib.nullcontext():
        return export.export(step.function, platforms=(topology.platform,), disabled_checks=KERNELS)(*step.arguments)


def prepared(
    step: Step, topology: Topology, options: Mapping[str, str | bool], folder: Path
) -> tuple[list[str], dict[str, str]]:
    """Writes a program and what to compile it for into a folder; the command that compiles it there, and its environment."""
    program = exported(step, topology)
    request = {
        "platform": topology.platform,
        "topology": topology.name,
        "topology_shape": topology.shape,
        "mesh": step.mesh,
        "donated": step.donated,
        "options": dict(options),
    }
    (folder / "program.bin").write_bytes(program.serialize())
    (folder / "request.json").write_text(json.dumps(request))
    environment = {**ENVIRONMENT, **os.environ, "JAX_PLATFORMS": "cpu"}
    environment.pop("XLA_FLAGS", None)  # of this machine's devices
    return [sys.executable, str(CHILD), str(folder)], environment


def reason_of(log: str) -> str:
    r"""Why a compiler failed, out of all that it wrote.

    >>> reason_of("Traceback:\nJaxRuntimeError: Ran out of memory.\nSee https://openxla.org for more details.\n")
    'JaxRuntimeError: Ran out of memory.'
    """
    lines = [line for line in log.splitlines() if line.strip() and not line.startswith("See http")]
    return next((line for line in lines if "Check failed" in line), lines[-1] if lines else "it said nothing")


def compile_elsewhere(
    step: Step, topology: Topology, options: Mapping[str, str | bool], timeout: float | None
) -> Answer:
    """Compiles a step for a topology in another process.

    Raises:
        CompilationError: the compiler failed, or took longer than `timeout` seconds.
    """
    with tempfile.TemporaryDirectory(prefix="jkeras-plan-") as name:
        folder = Path(name)
        command, environment = prepared(step, topology, options, folder)
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout)
        except subprocess.TimeoutExpired:
            raise CompilationError(
                f"plan(topology={topology.name!r}): compiling takes longer than {timeout:g} seconds. Give `timeout=None`, or"
                f" repeat equal blocks by `layers.Repeat`, which compiles one of them."
            ) from None
        if done.returncode:
            reason = reason_of(done.stderr)
            hint = UNREAD if READER in reason else ""
            raise CompilationError(
                f"plan(topology={topology.name!r}): the compiler failed (status {done.returncode}): {reason[:2000]}{hint}"
            )
        answer: dict[str, Any] = json.loads((folder / "answer.json").read_text())
        return Answer(**answer, text=(folder / "program.txt").read_text())
