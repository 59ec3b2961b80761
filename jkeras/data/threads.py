"""The number of threads that prepare elements."""

from __future__ import annotations

import os

from jkeras import arguments

AUTOTUNE = -1
# With AUTOTUNE, this many elements are buffered: one ready, one in preparation.
ELEMENTS_AHEAD = 2


def processors() -> int:
    """The number of processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not available on this system
        return os.cpu_count() or 1


def thread_count(method: str, number: int | None) -> int:
    """The number of threads that a method's `num_parallel_calls` means; 0 for none."""
    if number is None:
        return 0
    if number == AUTOTUNE:
        return processors()
    check_numbers(method, 1, num_parallel_calls=number)
    return int(number)


def check_numbers(method: str, minimum: int, **values: int) -> None:
    """Raises ArgumentError for arguments of a method that are not integers of at least `minimum`."""
    for name, value in values.items():
        arguments.checked(method, name, value, arguments.at_least(minimum))
