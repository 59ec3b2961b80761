"""PyTorch, eager, as its tutorials have it: a module, slices of tensors in memory (no `DataLoader`), `torch.optim.Adam`.

It takes all threads or one, whichever is faster here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.peers import LARGE
from benchmarks.workloads import Workload


def prepare(name: str, workload: Workload) -> Callable[[], Any]:
    import torch

    from benchmarks.peers import torch_networks

    model = torch_networks.network(name if workload.task == "fit" else "mlp")
    x, y = (torch.from_numpy(part) for part in workload.data())
    y = y.long()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def fit(rows: int = workload.rows) -> float:
        model.train()
        total, right = torch.zeros(()), torch.zeros((), dtype=torch.long)
        order = torch.randperm(rows).split(workload.batch)
        for batch in order:
            optimizer.zero_grad()
            logits, targets = model(x[batch]).flatten(0, -2), y[batch].flatten()
            value = torch.nn.functional.cross_entropy(logits, targets)
            value.backward()
            optimizer.step()
            total += value.detach()
            right += (logits.argmax(-1) == targets).sum()
        int(right)
        return float(total) / len(order)

    @torch.inference_mode()
    def predict() -> Any:
        model.eval()
        return torch.cat([model(part).softmax(-1) for part in x.split(LARGE)]).numpy()

    @torch.inference_mode()
    def evaluate() -> tuple[float, float]:
        model.eval()
        total, right = torch.zeros(()), torch.zeros((), dtype=torch.long)
        for rows, targets in zip(x.split(LARGE), y.split(LARGE), strict=True):
            logits = model(rows)
            total += torch.nn.functional.cross_entropy(logits, targets, reduction="sum")
            right += (logits.argmax(-1) == targets).sum()
        return float(total) / workload.rows, int(right) / workload.rows

    torch_networks.choose_threads(lambda: fit(min(4 * workload.batch, workload.rows)))
    return {"fit": fit, "predict": predict, "evaluate": evaluate}[workload.task]


def versions() -> dict[str, str]:
    import torch

    return {"torch": torch.__version__}
