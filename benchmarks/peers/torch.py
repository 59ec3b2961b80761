"""PyTorch, eager, as its tutorials have it: a module, slices of tensors in memory (no `DataLoader`), `torch.optim.Adam`.

On CPUs it takes all threads or one, whichever is faster here; large networks are compiled on GPUs.
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
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = model.to(device)
    if workload.flops and device == "cuda":
        model = torch.compile(model)
    x, y = (torch.from_numpy(part).to(device) for part in workload.data())
    y = y.long()
    lower = torch.autocast(device, torch.bfloat16, enabled=workload.policy == "mixed_bfloat16")
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def fit(rows: int = workload.rows) -> float:
        model.train()
        total, right = torch.zeros((), device=device), torch.zeros((), dtype=torch.long, device=device)
        order = torch.randperm(rows, device=device).split(workload.batch)
        for batch in order:
            optimizer.zero_grad()
            with lower:
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
        return torch.cat([model(part).softmax(-1) for part in x.split(LARGE)]).numpy(force=True)

    @torch.inference_mode()
    def evaluate() -> tuple[float, float]:
        model.eval()
        total, right = torch.zeros((), device=device), torch.zeros((), dtype=torch.long, device=device)
        for rows, targets in zip(x.split(LARGE), y.split(LARGE), strict=True):
            logits = model(rows)
            total += torch.nn.functional.cross_entropy(logits, targets, reduction="sum")
            right += (logits.argmax(-1) == targets).sum()
        return float(total) / workload.rows, int(right) / workload.rows

    run: Any = {"fit": fit, "predict": predict, "evaluate": evaluate}[workload.task]
    if device == "cpu":
        torch_networks.settles(run, lambda: fit(min(4 * workload.batch, workload.rows)))
    return run


def versions() -> dict[str, str]:
    import torch

    return {"torch": torch.__version__}
