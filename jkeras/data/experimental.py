"""Names of `tf.data.experimental` that older scripts use."""

from __future__ import annotations

from jkeras.data.cardinality import INFINITE_CARDINALITY as INFINITE_CARDINALITY
from jkeras.data.cardinality import UNKNOWN_CARDINALITY as UNKNOWN_CARDINALITY
from jkeras.data.dataset import Dataset
from jkeras.data.threads import AUTOTUNE as AUTOTUNE


def cardinality(dataset: Dataset) -> int:
    """The number of elements, like `Dataset.cardinality()`."""
    return dataset.cardinality()
