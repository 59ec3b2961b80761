"""Callbacks that log a run to an experiment tracker: Weights & Biases or MLflow."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from jkeras import arguments
from jkeras.callbacks.callback import Callback, Logs
from jkeras.console.primary_process import silent
from jkeras.errors import ArgumentError, ExtraError


class ExperimentLogger(Callback):
    """Base of loggers: decides what is written and when. A subclass implements writing to one service.

    Args:
        log_freq: "epoch", or a number of batches after which running values are also written.
        log_model: whether to store the trained model with the run, as a `.keras` file.
    """

    # The package of the service, which is also the name of the extra.
    package: ClassVar[str]

    def __init__(self, log_freq: str | int = "epoch", log_model: bool = False):
        super().__init__()
        name = type(self).__name__
        if log_freq != "epoch":
            arguments.checked(name, "log_freq", log_freq, _frequency)
            # Defined only if needed, because a hook per batch makes the loop stop after each batch.
            self.on_train_batch_end = self._after_batch  # type: ignore[method-assign]
        self.log_freq = log_freq
        self.log_model: bool = arguments.checked(name, "log_model", log_model, arguments.boolean)
        self.service: Any = _service(name, self.package)
        self._batches = 0

    # -- what a subclass defines --------------------------------------------------------------------------------------

    def _begin(self, config: Mapping[str, Any]) -> None:
        """Starts a run, or joins the active one."""
        raise NotImplementedError

    def _write(self, values: Mapping[str, float], step: int) -> None:
        """Writes values for a step."""
        raise NotImplementedError

    def _keep(self, path: Path) -> None:
        """Stores a file with the run."""
        raise NotImplementedError

    def _end(self) -> None:
        """Ends the run if it was started here."""
        raise NotImplementedError

    # -- hooks --------------------------------------------------------------------------------------------------------

    def on_train_begin(self, logs: Logs = None) -> None:
        """Starts the run and logs the training configuration."""
        if not silent():
            optimizer = self.model.optimizer.get_config()
            config = {
                "optimizer": optimizer.get("name", "optimizer"),
                **{k: v for k, v in self.params.items() if v is not None},
            }
            config |= {f"optimizer/{k}": v for k, v in optimizer.items() if isinstance(v, (int, float, str))}
            self._begin({**config, "weights": self.model.count_params()})

    def _after_batch(self, batch: int, logs: Logs = None) -> None:
        self._batches += 1
        if self._batches % int(self.log_freq) == 0 and not silent():
            self._write(_numbers("batch", logs), self._batches)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Writes the epoch."""
        if not silent():
            rate = float(self.model.optimizer.learning_rate)
            values = {**_numbers("epoch", logs), "epoch/epoch": epoch, "epoch/learning_rate": rate}
            self._write(values, epoch if self.log_freq == "epoch" else self._batches)

    def on_train_end(self, logs: Logs = None) -> None:
        """Stores the model if `log_model`, and ends the run."""
        if silent():
            return
        if self.log_model:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "model.keras"
                self.model.save(path)
                self._keep(path)
        self._end()


def _frequency(value: object) -> int:
    try:
        return arguments.positive_int(value)
    except ArgumentError:
        raise ArgumentError("expected 'epoch' or a number of batches") from None


def _service(name: str, package: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise ExtraError(f"{name} needs {package}: pip install 'jkeras[{package}]'") from error


def _numbers(prefix: str, logs: Logs) -> dict[str, float]:
    return {f"{prefix}/{name}": float(value) for name, value in (logs or {}).items() if np.ndim(value) == 0}


class WandbLogger(ExperimentLogger):
    """Writes the logs of each epoch to Weights & Biases: `epoch/loss`, `epoch/val_loss`, `epoch/learning_rate` and so on.

    Joins an active run and leaves it open; otherwise starts and finishes one. Needs `pip install jkeras[wandb]`.

    Args:
        project: the project of a new run.
        name: the name of a new run.
        log_freq: "epoch", or a number of batches after which running values are also written, as `batch/loss`.
        log_model: whether to store the trained model as an artifact.
        **options: further arguments for `wandb.init`, such as `mode="offline"`, `tags`, `group`.

    Raises:
        ExtraError: wandb is not installed.
        ArgumentError: `log_freq` is neither "epoch" nor a positive integer.

    >>> import jkeras as jk
    >>> model = model.fit(x, y, epochs=5, callbacks=[jk.callbacks.WandbLogger("digits")])  # doctest: +SKIP
    """

    package = "wandb"

    def __init__(
        self,
        project: str | None = None,
        name: str | None = None,
        log_freq: str | int = "epoch",
        log_model: bool = False,
        **options: Any,
    ):
        super().__init__(log_freq, log_model)
        self._options = {"project": project, "name": name, **options}
        self._run: Any = None
        self._started = False

    def _begin(self, config: Mapping[str, Any]) -> None:
        self._run = self.service.run
        self._started = self._run is None
        if self._started:
            self._run = self.service.init(**self._options)
        self._run.config.update(dict(config), allow_val_change=True)

    def _write(self, values: Mapping[str, float], step: int) -> None:
        self._run.log(dict(values))

    def _keep(self, path: Path) -> None:
        artifact = self.service.Artifact(f"model-{self._run.id}", type="model")
        artifact.add_file(str(path))
        logged = self._run.log_artifact(artifact)
        if self._options.get("mode") != "offline":
            logged.wait()  # because the file is temporary

    def _end(self) -> None:
        if self._started:
            self._run.finish()
        self._run = None


class MLflowLogger(ExperimentLogger):
    """Writes parameters and the logs of each epoch to MLflow: `epoch/loss`, `epoch/val_loss`, `epoch/learning_rate` and so on.

    Joins an active run and leaves it open; otherwise starts and ends one. Needs `pip install jkeras[mlflow]`.

    Args:
        experiment: the experiment of a new run.
        run_name: the name of a new run.
        tracking_uri: where runs are stored, such as `"sqlite:///runs.db"`; None leaves the choice to MLflow.
        log_freq: "epoch", or a number of batches after which running values are also written, as `batch/loss`.
        log_model: whether to store the trained model as an artifact.

    Raises:
        ExtraError: mlflow is not installed.
        ArgumentError: `log_freq` is neither "epoch" nor a positive integer.

    >>> import jkeras as jk
    >>> model = model.fit(x, y, epochs=5, callbacks=[jk.callbacks.MLflowLogger("digits")])  # doctest: +SKIP
    """

    package = "mlflow"

    def __init__(
        self,
        experiment: str | None = None,
        run_name: str | None = None,
        tracking_uri: str | None = None,
        log_freq: str | int = "epoch",
        log_model: bool = False,
    ):
        super().__init__(log_freq, log_model)
        self.experiment = experiment
        self.run_name = run_name
        self.tracking_uri = tracking_uri
        self._started = False

    def _begin(self, config: Mapping[str, Any]) -> None:
        self._started = self.service.active_run() is None
        if self._started:
            if self.tracking_uri is not None:
                self.service.set_tracking_uri(self.tracking_uri)
            if self.experiment is not None:
                self.service.set_experiment(self.experiment)
            self.service.start_run(run_name=self.run_name)
        self.service.log_params(dict(config))

    def _write(self, values: Mapping[str, float], step: int) -> None:
        self.service.log_metrics(dict(values), step=step)

    def _keep(self, path: Path) -> None:
        self.service.log_artifact(str(path))

    def _end(self) -> None:
        if self._started:
            self.service.end_run()
