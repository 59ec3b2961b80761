"""Many steps leave no memory behind."""

import gc
import time

import numpy as np
import pytest

import jkeras as jk
import jkeras.keras


def resident_bytes():
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096
    except OSError:
        pytest.skip("the operating system does not say how much memory is in use")


@pytest.mark.parametrize("streamed", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["arrays", "generator"])
def test_thousands_of_steps_leave_nothing_behind(streamed, rng):
    x, y = rng.random((32, 4), dtype=np.float32), rng.random((32, 1), dtype=np.float32)
    model = jk.Sequential([jk.Input((4,)), jk.layers.Dense(2), jk.layers.Dense(1)]).compile("adam", "mse")
    steps = 2_000 if streamed else 5_000

    many = [np.tile(part, (steps // 4, 1)) for part in (x, y)]

    def run(model):
        if not streamed:
            return model.fit(*many, batch_size=8, verbose=0)
        return model.fit(((x[:8], y[:8]) for _ in range(steps)), steps_per_epoch=steps, verbose=0)

    for _ in range(3):  # allocators settle
        model = run(model)
    gc.collect()
    before = resident_bytes()
    for _ in range(2):
        model = run(model)
    gc.collect()
    assert resident_bytes() < 1.01 * before


def test_making_a_weight_keeps_one_array_of_its_size():
    width = 2_000
    layers = jk.keras.layers
    layers.Dense(8).build((None, 8))
    before = resident_bytes()
    layer = layers.Dense(width)
    layer.build((None, width))
    for _ in range(50):  # the buffers of a draw are freed in another thread
        if resident_bytes() - before < 2 * layer.kernel.value.nbytes:
            break
        time.sleep(0.02)
    assert resident_bytes() - before < 2 * layer.kernel.value.nbytes
