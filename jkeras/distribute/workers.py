"""`MultiWorkerMirroredStrategy`: data parallel over the devices of several processes."""

from __future__ import annotations

import jax

from jkeras import arguments
from jkeras.distribute import processes
from jkeras.distribute.sharded import MeshStrategy
from jkeras.values.fields import field


class MultiWorkerMirroredStrategy(MeshStrategy):
    """Every device of every process has all weights and a part of each batch.

    The constructor connects to the other processes (see `jkeras.distribute.initialize`), so it comes first in the
    script, which all processes run. `batch_size` is the total over all devices. Only process 0 prints, and writes the
    files of callbacks. A single process trains on its own devices.

    Args:
        job_addresses: where process 0 listens, such as `"10.0.0.1:1234"`; None reads the environment.
        num_processes: the number of processes; None reads the environment.
        process_id: the number of this process; None reads the environment.
        auto_shard_dataset: whether every process is passed all data and takes its rows of each batch; False if each
            passes only its own rows, which together are the batch.
        gather: no effect here, because weights are never split.

    Raises:
        ArgumentError: the arguments contradict each other.
        ProcessError: the others cannot be reached. In `fit`, before the first step: they disagree about the model, the
            data or the versions of libraries; later: one of them is gone.

    Source: TensorFlow's `tf.distribute.MultiWorkerMirroredStrategy`.

    >>> strategy = MultiWorkerMirroredStrategy()  # without a cluster, this process alone
    >>> strategy.num_workers, strategy.process_number
    (1, 0)
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
