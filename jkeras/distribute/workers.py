"""`MultiWorkerMirroredStrategy`: data parallel over the devices of several processes."""

from __future__ import annotations

import jax

from jkeras import arguments
from jkeras.distribute import processes
from jkeras.distribute.sharded import MeshStrategy
from jkeras.values.fields import field


class MultiWorkerMirroredStrategy(MeshStrategy):
    """Every device of every process has all weights and a part of each batch.

    Constructing it connects to the other processes (see `jkeras.distribute.initialize`), so it comes first in the
    script, which all processes run alike. `batch_size` is that of all devices together. Only process 0 prints, and
    writes the files of callbacks. Alone, a process trains on its own devices.

    Args:
        job_addresses: where process 0 listens, `"10.0.0.1:1234"`; None looks into the environment.
        num_processes: the number of processes, likewise.
        process_id: the number of this process, likewise.
        auto_shard_dataset: whether every process is given all data and takes its rows of each batch; False where each
            brings batches of rows of its own, which together are the batch.

    Raises:
        ArgumentError: the arguments contradict each other.
        ProcessError: the others cannot be found. In `fit`, before the first step: they disagree about the model, the
            data or the versions of libraries; later: one of them is gone.

    Source: TensorFlow's `tf.distribute.MultiWorkerMirroredStrategy`.
    """

    job_addresses: str | None = field(default=None, kw_only=False)
    num_processes: int | None = None
    process_id: int | None = None
    auto_shard_dataset: bool = field(default=True, convert=arguments.boolean)

    def __post_init__(self) -> None:
        processes.initialize(self.job_addresses, self.num_processes, self.process_id)

    @property
    def num_workers(self) -> int:
        """The number of processes."""
        return int(jax.process_count())

    @property
    def process_number(self) -> int:
        """The number of this process, from 0."""
        return int(jax.process_index())
