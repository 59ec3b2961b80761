"""The networks for PyTorch: what `workloads.py` has, with logits in the place of probabilities.

Recurrent layers have a second bias vector in PyTorch, and convolutions with strides are padded on both sides; all else agrees.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from benchmarks import large
from benchmarks.peers import MissingWorkloadError


class Last(nn.Module):
    """A recurrent layer's output after the last step."""

    def __init__(self, inner: nn.Module):
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner(x)[0][:, -1]


class ChannelsFirst(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.permute(0, 3, 1, 2)


def unit(inputs: int, filters: int, size: int, strides: int) -> nn.Sequential:
    """A convolution with batch normalization after it, with Keras's constants."""
    convolution = nn.Conv2d(inputs, filters, size, strides, padding=size // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01))


class Residual(nn.Module):
    """Units around which the input goes: of `(filters, size, strides)` each."""

    def __init__(self, inputs: int, *sizes: tuple[int, int, int]):
        super().__init__()
        before, units = inputs, []
        for filters, size, strides in sizes:
            units += [unit(before, filters, size, strides), nn.ReLU()]
            before = filters
        self.units = nn.Sequential(*units[:-1])
        total = max(strides for *_, strides in sizes)
        self.shortcut = unit(inputs, before, 1, total) if total > 1 or before != inputs else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.shortcut(x) + self.units(x))


def resnet(
    blocks: tuple[int, ...], filters: tuple[int, ...], side: int, classes: int, bottleneck: bool = False
) -> list[nn.Module]:
    """The residual network of `workloads.resnet`."""
    start = [unit(3, filters[0], 7 if bottleneck else 3, 2 if bottleneck else 1), nn.ReLU()]
    if bottleneck:
        start.append(nn.MaxPool2d(3, 2, padding=1))
    residuals, inputs = [], filters[0]
    for stage, width in enumerate(filters):
        for block in range(blocks[stage]):
            strides = 2 if stage and not block else 1
            wide = ((width, 1, 1), (width, 3, strides), (4 * width, 1, 1))
            residuals.append(Residual(inputs, *(wide if bottleneck else ((width, 3, strides), (width, 3, 1)))))
            inputs = 4 * width if bottleneck else width
    return [ChannelsFirst(), *start, *residuals, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes)]


class Attention(nn.Module):
    """A block of attention and one of dense layers, normalized before each."""

    def __init__(self, width: int, heads: int, causal: bool):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.first, self.second = nn.LayerNorm(width, eps=1e-3), nn.LayerNorm(width, eps=1e-3)
        self.parts, self.outputs = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows, length, width = x.shape
        split = self.parts(self.first(x)).view(rows, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        y = functional.scaled_dot_product_attention(*split, is_causal=self.causal)
        x = x + self.outputs(y.transpose(1, 2).reshape(rows, length, width))
        return x + self.down(functional.gelu(self.up(self.second(x))))


class Mean(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(1)


def attention(vocabulary: int, width: int, heads: int, blocks: int, causal: bool) -> list[nn.Module]:
    """The stack of `workloads.attention`: with `causal` a language model, else a classifier of sequences."""
    end = [] if causal else [Mean()]
    layers = [Attention(width, heads, causal) for _ in range(blocks)]
    last = nn.Linear(width, vocabulary if causal else 10)
    return [nn.Embedding(vocabulary, width), *layers, nn.LayerNorm(width, eps=1e-3), *end, last]


NETWORKS: dict[str, Callable[[], list[nn.Module]]] = {
    "mlp": lambda: [nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10)],
    "tabular": lambda: [
        *[part for i in range(3) for part in (nn.Linear(256 if i else 64, 256), nn.ReLU())], nn.Linear(256, 2),
    ],
    "cnn": lambda: [
        ChannelsFirst(), nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.5), nn.Linear(1600, 10),
    ],
    "lstm": lambda: [Last(nn.LSTM(32, 64, batch_first=True)), nn.Linear(64, 10)],
    "gru": lambda: [Last(nn.GRU(32, 64, batch_first=True)), nn.Linear(64, 10)],
    "bag": lambda: [nn.EmbeddingBag(20_000, 64, mode="mean"), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)],
    "resnet18": lambda: resnet((2, 2, 2, 2), (64, 128, 256, 512), 32, 10),
    "transformer": lambda: attention(8_000, 128, 4, 2, causal=False),
    "gpt": lambda: attention(2_000, 128, 4, 2, causal=True),
    **{name: functools.partial(resnet, *sizes, bottleneck=True) for name, sizes in large.RESNETS.items()},
    **{name: functools.partial(attention, *sizes[1:], causal=True) for name, sizes in large.GPTS.items()},
}  # fmt: skip


def network(name: str) -> nn.Sequential:
    """The network of a workload.

    Raises:
        MissingWorkloadError: it is not written here.
    """
    if name not in NETWORKS:
        raise MissingWorkloadError(f"{name} is not written for PyTorch")
    return nn.Sequential(*NETWORKS[name]())


def settles(run: Any, train: Callable[[], object]) -> None:
    """Gives `run` a `settle()` that takes all threads or one, whichever runs `train` sooner; until then there is one.

    With small networks, and on a machine with other work, PyTorch's threads can wait for each other a hundred times longer
    than they compute.
    """
    most = torch.get_num_threads()
    torch.set_num_threads(1)

    def seconds(threads: int) -> float:
        torch.set_num_threads(threads)
        train()
        start = time.perf_counter()
        train()
        return time.perf_counter() - start

    def settle() -> None:
        torch.set_num_threads(min((most, 1), key=seconds))

    run.settle = settle
