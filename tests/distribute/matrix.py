"""All models under all strategies against one device: `python -m tests.distribute.matrix`."""

import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=4")

import numpy as np

import jkeras as jk
from jkeras.distribute.launcher import launch
from tests.distribute import cases


def strategies():
    """Every strategy over four devices, by name."""
    d = jk.distribute
    layouts = d.LayoutMap(d.DeviceMesh((2, 2), ["batch", "model"]))
    layouts["^dense.*kernel"] = ("model", None)
    return {
        "DataParallel": d.DataParallel(),
        "MirroredStrategy": d.MirroredStrategy(),
        "FSDP": d.FSDP(min_size=16),
        "ModelParallel": d.ModelParallel(layout_map=layouts),
    }


def main():
    """Prints a table of the largest differences."""
    alone = {name: cases.run(name, None)[1] for name in cases.MODELS}
    for name in cases.MODELS:
        for label, strategy in strategies().items():
            start = time.perf_counter()
            far, where = cases.distance(alone[name], cases.run(name, strategy)[1])
            print(f"{name:5} {label:17} {far:.1e} {where:40} {time.perf_counter() - start:.1f} s", flush=True)
    worker = Path(__file__).with_name("worker.py")
    labels = ("MultiWorkerMirroredStrategy", "FSDP")
    with tempfile.TemporaryDirectory() as folder:
        launch(
            worker, [folder, *(f"{name}:{label}" for name in cases.MODELS for label in labels)], processes=2, devices=2
        )
        for path in sorted(Path(folder).glob("*.npz")):
            with np.load(path) as found:
                far, where = cases.distance(alone[path.stem.partition("-")[0]], dict(found))
            print(f"2 processes of 2 devices: {path.stem:32} {far:.1e} {where}", flush=True)


if __name__ == "__main__":
    main()
