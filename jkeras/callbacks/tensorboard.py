"""A callback that writes logs for TensorBoard."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jkeras import arguments
from jkeras.callbacks import events
from jkeras.callbacks.argument_checks import checked_arguments
from jkeras.callbacks.callback import Callback, Logs
from jkeras.callbacks.schedule import rates
from jkeras.errors import ArgumentError
from jkeras.writing import check_place, creating

# The tag that TensorBoard's graph plugin looks for.
GRAPH_PLUGIN = "graph_keras_model"


@checked_arguments
class TensorBoard(Callback):
    """Writes loss and metrics per epoch (and per batch), the learning rate, histograms and the model for TensorBoard.

    `tensorboard --logdir logs` displays them, with the runs `train` and `validation`.

    Args:
        log_dir: the folder.
        histogram_freq: writes histograms of the weights every this many epochs; 0 means never.
        write_graph: writes the model's configuration, which TensorBoard draws as a graph, and its summary.
        write_images: writes the weights as images along with the histograms.
        write_steps_per_second: writes the number of steps per second.
        update_freq: "epoch"; "batch", or a number of batches, also writes the running logs per batch.
        profile_batch: profiles a batch, or a range `(first, last)`, numbered from 1; 0 profiles nothing.
        embeddings_freq: writes the weights of embeddings every this many epochs; 0 means never.
        embeddings_metadata: the file that labels an embedding's rows, or one per layer in a dict by the layer's name.

    Raises:
        ArgumentError: `update_freq` or another argument has a value that it cannot take.

    >>> board = TensorBoard("logs", histogram_freq=1)
    >>> board.histogram_freq
    1
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: int | str = "epoch",
        profile_batch: int | str | Sequence[int] = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: str | Mapping[str, str] | None = None,
    ):
        super().__init__()
        self.log_dir: Path = Path(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq: int | str = 1 if update_freq == "batch" else update_freq
        if self.update_freq != "epoch":
            arguments.checked("TensorBoard", "update_freq", self.update_freq, arguments.positive_int)
        self.embeddings_freq = embeddings_freq
        self.embeddings_metadata = embeddings_metadata
        self._first, self._last = _profile_range(profile_batch)
        self._writers: dict[str, events.EventWriter] = {}
        self._batch = 0
        self._epoch_start: tuple[float, int] = (0.0, 0)
        self._profiling = False
        if self.update_freq != "epoch" or self._first or write_steps_per_second:
            # Only then, since hooks per batch make the loop stop after each.
            self.on_train_batch_begin = self._before_batch  # type: ignore[method-assign]
            self.on_train_batch_end = self._after_batch  # type: ignore[method-assign]
        self._batch_start = 0.0

    state_names: tuple[str, ...] = ("_batch",)

    def _writer(self, name: str) -> events.EventWriter:
        if name not in self._writers:
            self._writers[name] = events.EventWriter(self.log_dir / name)
        return self._writers[name]

    def _scalars(self, name: str, step: int, values: dict[str, Any]) -> None:
        summaries = [events.scalar(tag, value) for tag, value in values.items() if np.ndim(value) == 0]
        if summaries:
            self._writer(name).add(step, *summaries)

    # -- hooks ----------------------------------------------------------------------------------------------------

    def on_train_begin(self, logs: Logs = None) -> None:
        """Writes the model."""
        check_place(self.log_dir / "train")
        self._batch = 0
        if self.write_graph:
            self._write_model()

    def on_train_end(self, logs: Logs = None) -> None:
        """Closes the files."""
        self._stop_profiling()
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Starts the clock."""
        self._epoch_start = (time.perf_counter(), self._iterations())

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Writes the epoch."""
        logs = dict(logs or {})
        train = {f"epoch_{name}": value for name, value in logs.items() if not name.startswith("val_")}
        train.update({f"epoch_{name}": rate for name, rate in rates(self.model.optimizer).items()})
        if self.write_steps_per_second:
            began, steps = self._epoch_start
            train["epoch_steps_per_second"] = (self._iterations() - steps) / max(time.perf_counter() - began, 1e-9)
        self._scalars("train", epoch, train)
        self._scalars("validation", epoch, {f"epoch_{k[4:]}": v for k, v in logs.items() if k.startswith("val_")})
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._write_embeddings()
        for writer in self._writers.values():
            writer.flush()

    def on_test_end(self, logs: Logs = None) -> None:
        """Writes the evaluation at the number of updates made."""
        values = {f"evaluation_{name}_vs_iterations": value for name, value in (logs or {}).items()}
        self._scalars("validation", self._iterations(), values)

    def _before_batch(self, batch: int, logs: Logs = None) -> None:
        self._batch += 1
        self._batch_start = time.perf_counter()
        if self._first and self._batch == self._first:
            jax.profiler.start_trace(str(self.log_dir))
            self._profiling = True

    def _after_batch(self, batch: int, logs: Logs = None) -> None:
        if self._profiling and self._batch >= self._last:
            self._stop_profiling()
        values: dict[str, Any] = {}
        if self.write_steps_per_second:
            values["batch_steps_per_second"] = 1.0 / max(time.perf_counter() - self._batch_start, 1e-9)
        if isinstance(self.update_freq, int) and self._batch % self.update_freq == 0:
            values.update((f"batch_{name}", value) for name, value in (logs or {}).items())
        self._scalars("train", self._batch, values)

    # -- parts ----------------------------------------------------------------------------------------------------

    def _iterations(self) -> int:
        return int(self.model.value.state.step)

    def _stop_profiling(self) -> None:
        if self._profiling:
            jax.profiler.stop_trace()
            self._profiling = False

    def _write_model(self) -> None:
        lines: list[str] = []
        self.model.summary(print_fn=lines.append, line_length=100)
        values = [events.text("model_summary", "".join(f"    {line}\n" for line in "\n".join(lines).splitlines()))]
        # A user's class may have no configuration; its summary is still written.
        with contextlib.suppress(TypeError, ValueError, NotImplementedError):
            values.append(events.text("keras", self.model.to_json(), GRAPH_PLUGIN))
        self._writer("train").add(0, *values)

    def _named_weights(self) -> list[tuple[str, Any]]:
        model = self.model.value
        return list(zip(model.weight_paths, model.get_weights(), strict=True))

    def _write_weights(self, epoch: int) -> None:
        for path, array in self._named_weights():
            values = [events.histogram(f"{path}/histogram", array)]
            if self.write_images:
                values.append(events.image(f"{path}/image", _picture(array)))
            self._writer("train").add(epoch, *values)

    def _write_embeddings(self) -> None:
        entries = []
        for path, array in self._named_weights():
            layer, _, name = path.rpartition("/")
            if name != "embeddings":
                continue
            file = self.log_dir / "train" / f"{layer.replace('/', '_')}.tsv"
            with creating(file):
                np.savetxt(file, array, delimiter="\t")
            labels = self.embeddings_metadata
            labels = labels.get(layer) if isinstance(labels, Mapping) else labels
            entry = f'embeddings {{\n  tensor_name: "{layer}"\n  tensor_path: "{file.name}"\n'
            entries.append(entry + (f'  metadata_path: "{labels}"\n' if labels else "") + "}\n")
        if entries:
            (self.log_dir / "train" / "projector_config.pbtxt").write_text("".join(entries))


def _profile_range(value: int | str | Sequence[int]) -> tuple[int, int]:
    parts: list[object]
    if isinstance(value, str) and all(part.strip().isdigit() for part in value.split(",")):
        parts = [int(part) for part in value.split(",")]
    elif isinstance(value, int) and not isinstance(value, bool):
        parts = [value]
    else:
        parts = list(value) if isinstance(value, (list, tuple)) else [None]
    first, last = parts[0], parts[-1]
    if not (isinstance(first, int) and isinstance(last, int) and 0 <= first <= last and len(parts) <= 2):
        raise ArgumentError(
            f"TensorBoard(profile_batch={value!r}): expected a batch's number, or a range (first, last)."
        )
    return first, last


def _picture(array: np.ndarray) -> np.ndarray:
    """A weight as an image `(height, width, 1)`, with its smallest value black and its largest white."""
    flat = np.asarray(array, np.float32)
    flat = flat.reshape(-1, flat.shape[-1]) if flat.ndim > 1 else flat.reshape(1, -1)
    low, high = float(flat.min()), float(flat.max())
    return ((flat - low) * (255.0 / max(high - low, 1e-12)))[..., None]
