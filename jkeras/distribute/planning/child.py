"""Compiles an exported program for accelerators that are not here: `python child.py FOLDER`. Run as a file of its own.

A process of its own, since the compilers of TPUs and GPUs take locks, need environment variables, and end the process when they
fail. It loads nothing of jkeras and nothing of the user's script: the folder has the program and what to compile it for.
"""

from __future__ import annotations

import json
import math
import resource
import sys
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax import export
from jax.experimental import mesh_utils, topologies
from jax.sharding import AxisType, Mesh, SingleDeviceSharding

# An H100 as XLA describes it: from NVIDIA's data sheet and CUDA's device properties.
H100 = """gpu_device_info { threads_per_block_limit: 1024 threads_per_warp: 32 shared_memory_per_block: 49152
shared_memory_per_core: 233472 threads_per_core_limit: 2048 core_count: 132 fpus_per_core: 128 block_dim_limit_x: 2147483647
block_dim_limit_y: 65535 block_dim_limit_z: 65535 memory_bandwidth: 3352320000000 l2_cache_size: 52428800 clock_rate_ghz: 1.98
device_memory_size: 84942979072 shared_memory_per_block_optin: 232448 cuda_compute_capability { major: 9 minor: 0 }
registers_per_core_limit: 65536 registers_per_block_limit: 65536 } platform_name: "CUDA" dnn_version_info { major: 9 minor: 10 }
device_description_str: "NVIDIA H100 80GB HBM3" """


def devices_of(platform: str, name: str, shape: list[int]) -> Any:
    """The devices of a topology."""
    if platform == "tpu":
        return topologies.get_topology_desc(platform="tpu", topology_name=name).devices
    import jax_plugins.xla_cuda12 as plugin

    try:
        plugin.initialize()
    except Exception as error:
        if "ALREADY_EXISTS" not in str(error):
            raise
    grid = f"1x1x{math.prod(shape)}"
    return topologies.get_topology_desc("", "cuda", target_config=H100, topology=grid).devices


def _grid(sizes: list[int], devices: list[Any]) -> Any:
    """Devices in the order in which `jax.make_mesh` has them."""
    try:
        return mesh_utils.create_device_mesh(sizes, devices)
    except (NotImplementedError, ValueError, AssertionError):
        return np.array(devices).reshape(sizes)


def peak_memory() -> int:
    """The most memory that this process has held, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def main(folder: Path) -> None:
    """Writes what the compiler says into the folder: `answer.json` and the program's text, `program.txt`."""
    request = json.loads((folder / "request.json").read_text())
    exported = export.deserialize(bytearray((folder / "program.bin").read_bytes()))
    devices = devices_of(request["platform"], request["topology"], request["topology_shape"])
    axes, sizes = list(request["mesh"]), list(request["mesh"].values())
    used = list(devices)[: math.prod(sizes)]
    if len(used) > 1:
        grid = np.array(used) if len(sizes) == 1 else _grid(sizes, used)
        shardings = exported.in_shardings_jax(Mesh(grid, axes, axis_types=(AxisType.Auto,) * len(axes)))
    else:
        shardings = [SingleDeviceSharding(used[0])] * len(exported.in_avals)
    leaves = [
        jax.ShapeDtypeStruct(aval.shape, aval.dtype, sharding=sharding)
        for aval, sharding in zip(exported.in_avals, shardings, strict=True)
    ]
    arguments, _ = jax.tree.unflatten(exported.in_tree, leaves)
    start = time.perf_counter()
    donated = tuple(request["donated"])
    lowered = (
        jax.jit(exported.call, donate_argnums=donated)
        .trace(*arguments)
        .lower(lowering_platforms=(request["platform"],))
    )
    compiled = lowered.compile(compiler_options=request["options"] or None)
    seconds = time.perf_counter() - start
    memory, cost = compiled.memory_analysis(), compiled.cost_analysis() or {}
    answer = {
        "seconds": seconds,
        "peak": peak_memory(),
        "kind": used[0].device_kind,
        "memory": {
            name: int(getattr(memory, f"{name}_size_in_bytes"))
            for name in ("argument", "output", "alias", "temp", "generated_code")
        },
        "cost": {name: float(cost[name]) for name in ("flops", "bytes accessed") if name in cost},
    }
    (folder / "program.txt").write_text(compiled.as_text() or "")
    (folder / "answer.json").write_text(json.dumps(answer))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
