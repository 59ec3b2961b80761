"""One module for each library that is measured: `prepare(name, workload)` gives a function that runs one round.

It raises `ImportError` where the library is not installed, and `Missing` where the workload is not written for it.
"""


class Missing(Exception):
    """This peer has no such workload."""
