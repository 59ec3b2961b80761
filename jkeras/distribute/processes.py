"""Several processes, on one or more machines, that train one model together."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import NamedTuple

import jax

from jkeras import arguments
from jkeras.errors import ArgumentError, ProcessError

ADDRESSES = "KERAS_DISTRIBUTION_JOB_ADDRESSES"
COUNT = "KERAS_DISTRIBUTION_NUM_PROCESSES"
NUMBER = "KERAS_DISTRIBUTION_PROCESS_ID"
# Seconds without a heartbeat after which a process counts as dead; JAX's default of 100 leaves machines idle for long.
HEARTBEAT = 30
# Variables with the number of processes, which show that a cluster's scheduler started several.
SCHEDULERS = ("SLURM_NTASKS", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE")


class Job(NamedTuple):
    """The processes of one job: the address of the first, their number, and the number of this one."""

    address: str | None
    processes: int | None
    number: int | None


def initialize(
    job_addresses: str | None = None,
    num_processes: int | None = None,
    process_id: int | None = None,
    *,
    cluster_detection_method: str | None = None,
    heartbeat_timeout: int = HEARTBEAT,
    initialization_timeout: int = 300,
) -> bool:
    """Connects to the other processes of this job; call it before the first JAX computation.

    Missing arguments are read from the environment: the variables KERAS_DISTRIBUTION_JOB_ADDRESSES, _NUM_PROCESSES and
    _PROCESS_ID (`python -m jkeras launch` sets them), TF_CONFIG, or the variables of SLURM, Open MPI, Kubernetes and TPU
    pods that JAX supports. Without any of them, this process trains alone.

    Args:
        job_addresses: where process 0 listens, such as `"10.0.0.1:1234"`; in a comma-separated list, the first address.
        num_processes: the number of processes.
        process_id: the number of this process, from 0.
        cluster_detection_method: "mpi4py" uses that package; see `jax.distributed.initialize`.
        heartbeat_timeout: seconds without a heartbeat after which a process counts as dead, and the others exit.
        initialization_timeout: seconds to wait for the others.

    Returns:
        True if there are several processes.

    Raises:
        ArgumentError: the arguments contradict each other.
        ProcessError: the others cannot be reached, or JAX has already computed something.
    """
    if jax.distributed.is_initialized():
        return bool(jax.process_count() > 1)
    job = described(job_addresses, num_processes, process_id, os.environ)
    automatic = cluster_detection_method is not None or _scheduled(os.environ)
    if job.address is None and not automatic:
        return False
    try:
        jax.distributed.initialize(
            job.address,
            job.processes,
            job.number,
            cluster_detection_method=cluster_detection_method,
            initialization_timeout=initialization_timeout,
            heartbeat_timeout_seconds=heartbeat_timeout,
            shutdown_timeout_seconds=heartbeat_timeout,
        )
    except (RuntimeError, ValueError) as error:
        raise ProcessError(_why(error, job, initialization_timeout)) from error
    return bool(jax.process_count() > 1)


def described(
    job_addresses: str | None, num_processes: int | None, process_id: int | None, environment: Mapping[str, str]
) -> Job:
    """The job that arguments and environment variables describe.

    Raises:
        ArgumentError: they contradict each other.

    >>> described(None, None, None, {"TF_CONFIG": '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"index": 1}}'})
    Job(address='a:1', processes=2, number=1)
    """
    cluster, own = _tf_config(environment)
    arguments.checked("initialize", "job_addresses", job_addresses, arguments.optional(arguments.text))
    addresses = job_addresses or environment.get(ADDRESSES) or ",".join(cluster)
    listed = [address.strip() for address in addresses.split(",") if address.strip()]
    count = _integer("num_processes", COUNT, num_processes, environment)
    number = _integer("process_id", NUMBER, process_id, environment)
    count = len(listed) if count is None and (len(listed) > 1 or cluster) else count
    number = own if number is None and cluster else number
    if listed and ":" not in listed[0]:
        raise ArgumentError(f"initialize(job_addresses={addresses!r}): expected host:port, such as '10.0.0.1:1234'.")
    if len(listed) > 1 and count != len(listed):
        raise ArgumentError(f"initialize: {len(listed)} addresses, {', '.join(listed)}, but num_processes={count}.")
    if number is not None and count is not None and not 0 <= number < count:
        raise ArgumentError(
            f"initialize: process_id={number}, but the last of {count} processes has number {count - 1}."
        )
    if listed and (count is None or number is None) and not _scheduled(environment):
        missing = " and ".join(
            name for name, value in (("num_processes", count), ("process_id", number)) if value is None
        )
        raise ArgumentError(f"initialize(job_addresses={addresses!r}) also needs {missing}.")
    return Job(listed[0] if listed else None, count, number)


def _tf_config(environment: Mapping[str, str]) -> tuple[list[str], int | None]:
    """The addresses and this process's number, from TensorFlow's TF_CONFIG."""
    text = environment.get("TF_CONFIG")
    if not text:
        return [], None
    try:
        config = json.loads(text)
        cluster, task = config.get("cluster", {}), config.get("task", {})
        chief = list(cluster.get("chief", []))
        addresses = [*chief, *cluster.get("worker", [])]
        number = int(task.get("index", 0)) + (len(chief) if task.get("type", "worker") == "worker" else 0)
    except (ValueError, AttributeError, TypeError) as error:
        raise ArgumentError(f"The environment variable TF_CONFIG={text!r} cannot be read: {error}.") from None
    return (addresses, number) if len(addresses) > 1 else ([], None)


def _integer(name: str, variable: str, argument: int | None, environment: Mapping[str, str]) -> int | None:
    value: str | int | None = environment.get(variable) if argument is None else argument
    if value is None:
        return None
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = -1
    if number < 0 or isinstance(value, bool):
        where = f"The environment variable {variable}" if argument is None else f"initialize({name}=...)"
        raise ArgumentError(f"{where} is {value!r}: expected a number of at least 0.")
    return number


def _scheduled(environment: Mapping[str, str]) -> bool:
    many = any(environment.get(name, "1").isdigit() and int(environment.get(name, "1")) > 1 for name in SCHEDULERS)
    return many or "JOB_COMPLETION_INDEX" in environment or "," in environment.get("TPU_WORKER_HOSTNAMES", "")


def _why(error: Exception, job: Job, timeout: int) -> str:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    if "before any JAX" in str(error) or "must be called before" in str(error):
        return (
            "Processes must be connected before anything is computed. Create the strategy, or call"
            f" `jk.distribute.initialize()`, at the beginning of the script. ({text})"
        )
    who = "this process" if job.number is None else f"process {job.number}"
    where = "" if job.address is None else f" at {job.address}"
    return f"{who} of {job.processes or 'several'} did not find the others{where} within {timeout} seconds: {text}"
