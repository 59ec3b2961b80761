"""Exports models as programs: StableHLO files that include the weights and run on JAX alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
from jax.errors import InconclusiveDimensionOperation

from jkeras import arguments, lowering
from jkeras.errors import ArgumentError, ExtraError, JkerasError, RestoreError
from jkeras.files.containers.kinds import PROGRAM
from jkeras.graph.shapes import has_shape
from jkeras.training import steps
from jkeras.types import PathLike, Verbose
from jkeras.writing import replacing

if TYPE_CHECKING:
    from jkeras.models.model import Model

PLATFORMS = ("cpu", "cuda", "tpu")
FORMAT = "stablehlo"


def export(
    model: Model,
    path: PathLike,
    format: str = FORMAT,
    verbose: Verbose | None = None,
    input_signature: Sequence[Any] | None = None,
    *,
    platforms: Sequence[str] | None = None,
) -> None:
    """Writes the prediction program; see `Model.export`."""
    if format != FORMAT:
        raise ArgumentError(
            f"export(format={format!r}): jkeras exports {FORMAT!r}. For the formats of TensorFlow, ONNX and others save the"
            f" model as .keras and export it with Keras; docs/files.md says what stands in their way here."
        )
    path = arguments.checked("export", "filepath", path, arguments.path)
    verbose = arguments.checked("export", "verbose", verbose, arguments.optional(arguments.flag))
    platforms = arguments.checked("export", "platforms", platforms, arguments.optional(arguments.texts))
    if (
        input_signature is not None
        and not isinstance(input_signature, (list, tuple, Mapping))
        and not has_shape(input_signature)
    ):
        raise ArgumentError(
            f"export(input_signature={arguments.shown(input_signature)}): expected the shape of the input, such as (None, 4), or"
            f" the structure of shapes."
        )
    specs = symbolic(input_shapes(model) if input_signature is None else input_signature)
    write(path, serialized(prediction(model), (specs,), platforms))
    if verbose:
        print(f"Saved the program at '{path}'.")


def write(path: PathLike, contents: bytes) -> None:
    """Writes a program to a file, atomically."""
    with replacing(Path(path)) as fresh, fresh.open("wb") as file:
        file.write(contents)
        file.flush()
        os.fsync(file.fileno())


def serialized(program: Callable[..., Any], specs: tuple[Any, ...], platforms: Sequence[str] | None = None) -> bytes:
    """A serialized program.

    Args:
        program: a function of arrays.
        specs: the shapes and dtypes of its arguments, see `symbolic`.
        platforms: the platforms to run on; None means all known ones.

    Raises:
        ArgumentError: it cannot be exported for these shapes or platforms.
    """
    platforms = PLATFORMS if platforms is None else tuple(platforms)
    # Some of the fast forms of operations need known sizes.
    for form in dict.fromkeys((lowering.current_mode(), "plain")):
        try:
            with lowering.use(form):
                return bytes(jax.export.export(jax.jit(program), platforms=platforms)(*specs).serialize())
        except JkerasError:
            raise
        except ImportError as error:
            raise ArgumentError(
                f"export needs the package flatbuffers: `pip install jkeras[export]` ({error})."
            ) from error
        except (TypeError, ValueError, NotImplementedError, InconclusiveDimensionOperation) as error:
            problem = error
    raise ArgumentError(
        f"The model cannot be exported for inputs of unknown sizes, or for one of the platforms {platforms}: {problem} Give"
        f" the sizes with `input_signature`, such as `(8, 28, 28, 1)`, or name fewer `platforms`."
    ) from problem


def programs(path: Path) -> list[Path]:
    """The files of exported programs at a path: itself, or those in a directory; none if it is something else."""
    return [file for file in (sorted(path.iterdir()) if path.is_dir() else [path]) if file.suffix == PROGRAM]


def read(path: Path) -> jax.export.Exported:
    """An exported program.

    Raises:
        RestoreError: the file is damaged.
    """
    try:
        return jax.export.deserialize(bytearray(path.read_bytes()))
    except ImportError as error:
        raise ExtraError(f"Reading {path} needs the package flatbuffers: pip install 'jkeras[export]'.") from error
    except Exception as error:  # whatever the reader of its format stumbles over
        raise RestoreError(f"{path} is damaged, or no program that `model.export` wrote ({error}).") from error


def prediction(model: Model) -> Callable[[Any], Any]:
    """The prediction function with the weights as constants."""
    network, impl = model.definition, str(jax.random.key_impl(model.state.rng))
    state = jax.tree.map(np.asarray, model.state.replace(opt_state=None, rng=jax.random.key_data(model.state.rng)))

    def predict(inputs: Any) -> Any:
        values = jax.tree.map(jnp.asarray, state)
        return steps.predict(network, values.replace(rng=jax.random.wrap_key_data(values.rng, impl=impl)), inputs)

    return predict


def input_shapes(model: Model) -> Any:
    """Shapes and dtypes of the inputs, with None for variable sizes."""
    if model.is_functional:
        network: Any = model._network
        infos = {info.ref: _Spec(info.shape, info.dtype) for info in network.input_infos}
        return network.inputs.fill(lambda ref: infos[ref.index])
    return jax.tree.map(lambda spec: _Spec((None, *spec.shape[1:]), spec.dtype), model.input_specs)


class _Spec:
    """A shape with None for variable sizes, and a dtype."""

    def __init__(self, shape: Sequence[int | None], dtype: Any):
        self.shape = tuple(shape)
        self.dtype = jnp.dtype(dtype)


def symbolic(signature: Any) -> Any:
    """A signature with a symbol for each unknown size: the same for all batch axes, different ones for the others."""
    scope = jax.export.SymbolicScope()
    count = 0

    def spec(value: Any) -> Any:
        nonlocal count
        value = value if has_shape(value) else _Spec(value, jnp.float32)
        names = []
        for axis, size in enumerate(value.shape):
            count += size is None and axis > 0
            names.append(str(size) if size is not None else f"size_{count}" if axis else "batch")
        shape = jax.export.symbolic_shape(", ".join(names), scope=scope)
        return jax.ShapeDtypeStruct(shape, jax.dtypes.canonicalize_dtype(value.dtype))

    return jax.tree.map(spec, signature, is_leaf=is_shape_like)


def is_shape_like(value: object) -> bool:
    """Whether a part of a signature is one shape: an object with a shape, or sizes with None for variable ones."""
    if isinstance(value, Mapping) or has_shape(value):
        return has_shape(value)
    return isinstance(value, (list, tuple)) and bool(value) and all(v is None or isinstance(v, int) for v in value)
