"""Names that older scripts look for in `tf.data.experimental`."""

from __future__ import annotations

from jkeras.data.dataset import AUTOTUNE as AUTOTUNE
from jkeras.data.dataset import INFINITE_CARDINALITY as INFINITE_CARDINALITY
from jkeras.data.dataset import UNKNOWN_CARDINALITY as UNKNOWN_CARDINALITY
from jkeras.data.dataset import Dataset


def cardinality(dataset: Dataset) -> int:
    """The number of elements, as `Dataset.cardinality()` gives it."""
    return dataset.cardinality()
