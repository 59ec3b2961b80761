"""PyTorch, eager, as its tutorials have it: a module, `DataLoader`-free slices of tensors in memory, `torch.optim.Adam`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.peers import Missing
from benchmarks.workloads import Workload


def _module(name: str) -> Any:
    from torch import nn

    class Last(nn.Module):
        """A recurrent layer's output after the last step."""

        def __init__(self, inner: Any):
            super().__init__()
            self.inner = inner

        def forward(self, x: Any) -> Any:
            return self.inner(x)[0][:, -1]

    class ChannelsFirst(nn.Module):
        def forward(self, x: Any) -> Any:
            return x.permute(0, 3, 1, 2)

    networks: dict[str, Callable[[], list[Any]]] = {
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
    }  # fmt: skip
    if name not in networks:
        raise Missing(f"{name} is not written for PyTorch")
    return nn.Sequential(*networks[name]())


def prepare(name: str, workload: Workload) -> Callable[[], Any]:
    import torch

    if workload.task == "evaluate":
        raise Missing("PyTorch has no evaluation of its own")
    model = _module("mlp" if workload.task == "predict" else name)
    x, y = (torch.from_numpy(part) for part in workload.data())
    y = y.long()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss = torch.nn.CrossEntropyLoss()

    def fit() -> None:
        model.train()
        total, right = 0.0, 0
        for rows in torch.randperm(workload.rows).split(workload.batch):
            optimizer.zero_grad()
            logits = model(x[rows])
            value = loss(logits, y[rows])
            value.backward()
            optimizer.step()
            total = total + value.detach()
            right = right + (logits.argmax(-1) == y[rows]).sum()
        float(total), int(right)

    def predict() -> None:
        model.eval()
        with torch.inference_mode():
            torch.cat([model(part).softmax(-1) for part in x.split(1024)]).numpy()

    return {"fit": fit, "predict": predict}[workload.task]


def versions() -> dict[str, str]:
    import torch

    return {"torch": torch.__version__}
