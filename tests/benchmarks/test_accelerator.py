"""How the use of an accelerator is counted."""

import math

import pytest

import jkeras as jk
from benchmarks import accelerator, large


def test_operations_of_resnet50_are_those_that_are_published():
    # He et al. (2015) count 3.8e9 products with the strides in the first convolution of a block; in its second it is 4.1e9.
    assert large.LARGE["resnet50"].flops / 6 == pytest.approx(4.09e9, rel=0.01)


@pytest.mark.parametrize("name", large.TINY)
def test_formulas_agree_with_the_kernels(name):
    workload = large.TINY[name]
    kernels = [w.shape for w in workload.build(jk).init(0).weights if len(w.shape) > 1]
    if name == "gpt_tiny":
        length, vocabulary, width, _, blocks = large.GPTS[name]
        counted = sum(math.prod(shape) for shape in kernels) - vocabulary * width  # the embedding's rows
        # Biases of attention have two axes, too: three of each block.
        expected = length * (6 * (counted - 3 * blocks * width) + 12 * blocks * width * length)
        assert workload.flops == pytest.approx(float(expected))
    else:
        assert len(kernels) == 1 + 4 * 4 + 1  # the stem, three convolutions and a shortcut in each block, the end
        assert workload.flops > 0


def test_share_of_the_peak():
    assert accelerator.peak_of("NVIDIA H200") == 989e12 and accelerator.peak_of("NVIDIA A100-SXM4-80GB") == 312e12
    assert accelerator.peak_of("cpu") is None
    assert accelerator.usage(flops=1e12, batch=100, ms=500.0, peak=1e15) == pytest.approx(0.2)


def test_without_a_gpu_one_line_says_so(monkeypatch):
    monkeypatch.setattr(accelerator, "device", lambda platform: "")
    with pytest.raises(SystemExit, match="JAX finds no GPU"):
        accelerator.compare(lambda *_, **__: {}, 1, None, False, None)


def test_an_unknown_peak_is_asked_for(monkeypatch):
    monkeypatch.setattr(accelerator, "device", lambda platform: "A new kind")
    with pytest.raises(SystemExit, match="--peak"):
        accelerator.compare(lambda *_, **__: {}, 1, None, False, None)
