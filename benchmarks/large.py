"""What accelerators are measured with: ResNet-50 and a GPT with 124 million weights in its products, in bfloat16.

Those called tiny have the same code and run anywhere.
"""

from __future__ import annotations

from benchmarks.workloads import WORKLOADS, Workload, attention, resnet

# Blocks and filters of each stage, the side of the pictures, classes.
RESNETS = {
    "resnet50": ((3, 4, 6, 3), (64, 128, 256, 512), 224, 1000),
    "resnet50_tiny": ((1, 1, 1, 1), (4, 8, 8, 8), 32, 10),
}
# Length of sequences, vocabulary, width, heads, blocks.
GPTS = {"gpt_125m": (1024, 50_304, 768, 12, 12), "gpt_tiny": (16, 64, 16, 2, 2)}


def resnet_flops(blocks: tuple[int, ...], filters: tuple[int, ...], side: int, classes: int) -> float:
    """Operations for training on one picture: three times those of the forward pass, a product and a sum counted as two."""
    side //= 2
    products = 7 * 7 * 3 * filters[0] * side**2
    side //= 2
    before = filters[0]
    for stage, width in enumerate(filters):
        for block in range(blocks[stage]):
            products += before * width * side**2
            side //= 2 if stage and not block else 1
            products += (9 * width * width + 4 * width * width + (0 if block else before * 4 * width)) * side**2
            before = 4 * width
    return 3 * 2 * (products + before * classes)


def gpt_flops(length: int, vocabulary: int, width: int, heads: int, blocks: int) -> float:
    """Operations for training on one sequence: six for each weight in a product and token, and those of attention.

    The formula of Chowdhery et al., PaLM (2022), appendix B: 6 N + 12 L H Q T for each token, the half of attention that a
    causal mask leaves out counted too.
    """
    weights = blocks * 12 * width**2 + width * vocabulary
    return length * (6 * weights + 12 * blocks * width * length)


def _resnet(name: str, rows: int, batch: int) -> Workload:
    blocks, filters, side, classes = sizes = RESNETS[name]
    build = resnet(blocks, filters, side, classes, bottleneck=True, logits=True)
    return Workload(
        build, (side, side, 3), rows, batch, classes, quick=False, policy="mixed_bfloat16", logits=True,
        flops=resnet_flops(*sizes),
    )  # fmt: skip


def _gpt(name: str, rows: int, batch: int) -> Workload:
    length, vocabulary, *rest = sizes = GPTS[name]
    build = attention(length, vocabulary, *rest, causal=True, logits=True)
    return Workload(
        build, (length,), rows, batch, vocabulary, vocabulary, (length,), quick=False, policy="mixed_bfloat16", logits=True,
        flops=gpt_flops(*sizes),
    )  # fmt: skip


LARGE = {"resnet50": _resnet("resnet50", 2_560, 128), "gpt_125m": _gpt("gpt_125m", 320, 16)}
TINY = {"resnet50_tiny": _resnet("resnet50_tiny", 64, 16), "gpt_tiny": _gpt("gpt_tiny", 64, 16)}
ALL = {**WORKLOADS, **LARGE, **TINY}
