"""All models under all strategies against one device: `python -m tests.distribute.matrix`."""

import os
import time

os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=4")

import jkeras as jk
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
    for name in cases.MODELS:
        _, alone = cases.run(name, None)
        for label, strategy in strategies().items():
            start = time.perf_counter()
            far, where = cases.distance(alone, cases.run(name, strategy)[1])
            print(f"{name:5} {label:17} {far:.1e} {where:40} {time.perf_counter() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main()
