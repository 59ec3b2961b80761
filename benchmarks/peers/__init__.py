"""One module for each library that is measured: `prepare(name, workload)` gives a function that runs one round.

It raises `ImportError` where the library is not installed, and `MissingWorkloadError` where the workload is not written
for it. A round of training by hand returns its mean loss, one of evaluation the loss and the accuracy.
"""

# Rows in a batch of hand-written prediction and evaluation: their authors would take large ones.
LARGE = 1024


class MissingWorkloadError(Exception):
    """This peer has no such workload."""
