"""PyTorch Lightning: a `LightningModule`, its `Trainer`, and a `DataLoader` over a `TensorDataset`, all at their defaults.

Logger, checkpoints, progress bar and summary are off. It takes all threads or one, whichever is faster here.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from typing import Any

from benchmarks.peers import MissingWorkloadError
from benchmarks.workloads import Workload


def prepare(name: str, workload: Workload) -> Callable[[], float]:
    import lightning
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    from benchmarks.peers import torch_networks

    if workload.task != "fit":
        raise MissingWorkloadError("only training is measured")

    class Classifier(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.network = torch_networks.network(name)

        def training_step(self, batch: Any, index: int) -> Any:
            x, y = batch
            logits, targets = self.network(x).flatten(0, -2), y.flatten()
            loss = torch.nn.functional.cross_entropy(logits, targets)
            accuracy = (logits.argmax(-1) == targets).float().mean()
            self.log_dict({"loss": loss, "accuracy": accuracy}, on_step=False, on_epoch=True)
            return loss

        def configure_optimizers(self) -> Any:
            return torch.optim.Adam(self.parameters(), lr=1e-3)

    # Advice on the number of workers: it is read once, and rows in memory need none.
    warnings.filterwarnings("ignore", module="lightning")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    x, y = (torch.from_numpy(part) for part in workload.data())
    loader = DataLoader(TensorDataset(x, y.long()), batch_size=workload.batch, shuffle=True)
    model = Classifier()

    def run(steps: int = -1) -> float:
        trainer = lightning.Trainer(
            max_epochs=1, max_steps=steps, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False,
        )  # fmt: skip
        trainer.fit(model, loader)
        return float(trainer.callback_metrics["loss"])

    torch_networks.settles(run, lambda: run(4))
    return run


def versions() -> dict[str, str]:
    import lightning
    import torch

    return {"lightning": lightning.__version__, "torch": torch.__version__}
