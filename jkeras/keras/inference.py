"""The shapes and types of a computation's outputs, from its code, with unknown sizes kept unknown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from jkeras import tree
from jkeras.keras.tensor import KerasTensor
from jkeras.keras.variables import StatelessScope, SymbolicScope

# Stand-ins for an unknown size where code does not take a symbolic one: a size of the result that differs between the
# two is unknown as well.
_STAND_INS = (83, 89)


def infer_output_spec(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Symbolic tensors like what `function` returns for arguments with symbolic tensors among them.

    >>> infer_output_spec(lambda x: x.sum(-1), KerasTensor((None, 3))).shape
    (None,)
    """
    leaves = tree.flatten((args, kwargs))
    positions = [place for place, leaf in enumerate(leaves) if isinstance(leaf, KerasTensor)]

    def program(*arrays: jax.Array) -> Any:
        filled = list(leaves)
        for position, array in zip(positions, arrays, strict=True):
            filled[position] = array
        filled_args, filled_kwargs = tree.pack_sequence_as((args, kwargs), filled)
        with StatelessScope():
            return function(*filled_args, **filled_kwargs)

    def evaluate(size: Any) -> Any:
        tensors = [leaves[position] for position in positions]
        shapes = [tuple(size if known is None else known for known in tensor.shape) for tensor in tensors]
        specs = [jax.ShapeDtypeStruct(shape, t.dtype) for shape, t in zip(shapes, tensors, strict=True)]
        with StatelessScope(), SymbolicScope():
            return jax.eval_shape(program, *specs)

    if all(None not in leaves[position].shape for position in positions):
        return jax.tree.map(_tensor, evaluate(None))
    try:
        # At least 2, so that it is neither broadcast nor squeezed.
        (unknown,) = jax.export.symbolic_shape("(unknown)", constraints=["unknown>=2"])
        return jax.tree.map(_tensor, evaluate(unknown))
    except Exception:  # `call` does arithmetic with sizes that a symbolic one does not take, or is wrong
        return jax.tree.map(_tensor, *map(evaluate, _STAND_INS))


def _tensor(*specs: Any) -> KerasTensor:
    """One tensor like all of these, with None where their sizes differ or are symbolic."""
    sizes = zip(*(spec.shape for spec in specs), strict=True)
    shape = [size[0] if len(set(size)) == 1 and isinstance(size[0], int) else None for size in sizes]
    return KerasTensor(shape, np.dtype(specs[0].dtype).name)
