"""Data pipelines with the names of `tf.data`, built on Grain.

    ds = jk.data.Dataset.from_tensor_slices((x, y)).shuffle(10_000).map(augment, num_parallel_calls=4).batch(32)
    model = model.compile("adam", "mse").fit(ds, epochs=5)

Requires Grain: `pip install "jkeras[data]"`.
"""

import importlib.util as _util

if _util.find_spec("grain") is None:
    raise ImportError('jkeras.data needs Grain, which is not installed: pip install "jkeras[data]"')

from jkeras.data import experimental as experimental
from jkeras.data.cardinality import INFINITE_CARDINALITY as INFINITE_CARDINALITY
from jkeras.data.cardinality import UNKNOWN_CARDINALITY as UNKNOWN_CARDINALITY
from jkeras.data.dataset import Dataset as Dataset
from jkeras.data.elements import TensorSpec as TensorSpec
from jkeras.data.iterator import DatasetIterator as DatasetIterator
from jkeras.data.threads import AUTOTUNE as AUTOTUNE

__all__ = [
    "AUTOTUNE",
    "INFINITE_CARDINALITY",
    "UNKNOWN_CARDINALITY",
    "Dataset",
    "DatasetIterator",
    "TensorSpec",
    "experimental",
]
