"""`ExportArchive`: several programs of one model, or of several, in one directory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from jkeras import arguments
from jkeras.discarded import check_used
from jkeras.errors import ArgumentError, ExistsError, NotBuiltError
from jkeras.files import exporting
from jkeras.files.containers.kinds import PROGRAM
from jkeras.models.model import Model
from jkeras.types import PathLike, Verbose
from jkeras.values.frozen import FrozenDict, Template
from jkeras.values.spec import Spec

SERVE = "serve"


class Endpoint(Spec):
    """One program: a function of arrays, and the signature of its arguments.

    Args:
        function: the function; weights that it uses become part of the program.
        signature: the shapes, or shapes and dtypes, of its arguments.
    """

    function: Any
    signature: Any


class ExportArchive(Spec):
    """Exports programs that run without jkeras, by endpoint name.

    `write_out` creates a directory with a file `NAME.stablehlo` for each endpoint, as `Model.export` does, including the weights:
    `jax.export.deserialize(bytearray(Path("directory/serve.stablehlo").read_bytes())).call(x)` runs it. TensorFlow's formats are
    not supported, because they need TensorFlow itself.

    An archive is a value: `add_endpoint` returns a new one.

    >>> import jkeras as jk
    >>> model = jk.Sequential([jk.Input((4,)), jk.layers.Dense(2)])
    >>> archive = ExportArchive().add_endpoint("serve", model).add_endpoint("twice", lambda x: 2 * model(x), [(None, 4)])
    >>> sorted(archive.endpoints)
    ['serve', 'twice']
    """

    endpoints: Mapping[str, Endpoint]

    def __init__(self) -> None:
        self.endpoints = FrozenDict()

    def add_endpoint(self, name: str, fn: Any, input_signature: Sequence[Any] | None = None) -> Self:
        """A copy with one more program.

        Args:
            name: the name of the endpoint and its file.
            fn: a model, or a function of arrays that JAX can trace.
            input_signature: for each argument a shape such as `(None, 28, 28)`, or an object with a shape and a dtype; None
                takes the inputs that a model was built for.

        Raises:
            ArgumentError: the name is taken or not a valid file name, or there is no signature.
        """
        if not isinstance(name, str) or not name.isidentifier():
            raise ArgumentError(f"add_endpoint(name={name!r}): expected a name such as 'serve'.")
        if name in self.endpoints:
            raise ArgumentError(f"Endpoint name '{name}' is already taken.")
        if not callable(fn):
            raise ArgumentError(f"add_endpoint({name!r}, fn={fn!r}): expected a model or a function.")
        endpoint = self._endpoint(fn, input_signature)
        check_used("add_endpoint", owner="archive", may_show=True)
        return self._evolve(endpoints={**self.endpoints, name: endpoint})

    def _endpoint(self, fn: Any, signature: Sequence[Any] | None) -> Endpoint:
        if isinstance(fn, Model):
            return model_endpoint(fn, signature)
        if signature is None:
            raise ArgumentError(
                "add_endpoint(input_signature=None): a function needs the shapes of its arguments, such as `[(None, 28, 28)]`."
            )
        return _endpoint(fn, tuple(signature))

    def write_out(self, filepath: PathLike, options: object = None, verbose: Verbose | None = True) -> None:
        """Writes the programs into a new or empty directory.

        Args:
            filepath: the directory.
            options: only None; those of TensorFlow do not apply to these programs.
            verbose: whether to print where the programs are.

        Raises:
            ArgumentError: there is no endpoint, one cannot be written, or `options` is not None.
            ExistsError: the path exists and is not an empty directory.
        """
        if options is not None:
            raise ArgumentError(
                f"write_out(options={arguments.shown(options)}): expected None. The programs are StableHLO; options of"
                " TensorFlow's SavedModel do not apply to them."
            )
        if not self.endpoints:
            raise ArgumentError("No endpoints have been set yet. Call add_endpoint().")
        folder = arguments.checked("write_out", "filepath", filepath, arguments.path)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ExistsError(f"{folder} exists and is not an empty directory.")
        programs = {name: _program(endpoint) for name, endpoint in self.endpoints.items()}
        for name, contents in programs.items():
            exporting.write(folder / f"{name}{PROGRAM}", contents)
        if verbose:
            print(f"Saved the endpoints {', '.join(programs)} at '{folder}'.")


def model_endpoint(model: Model, signature: Sequence[Any] | None) -> Endpoint:
    """The prediction program of a model.

    Args:
        model: a built model.
        signature: a list with the shape of its input; None takes the shape that it was built for.
    """
    if not model.built:
        raise NotBuiltError(f"{model.path} has no weights yet, so there is nothing to export. Build it first.")
    inputs = exporting.input_shapes(model) if signature is None else signature[0] if len(signature) == 1 else signature
    return _endpoint(exporting.prediction(model), (inputs,))


def _endpoint(function: Callable[..., Any], signature: tuple[Any, ...]) -> Endpoint:
    # The template remembers the types of containers.
    return Endpoint(function, Template.of(signature, is_leaf=exporting.is_shape_like))


def _program(endpoint: Endpoint) -> bytes:
    function: Callable[..., Any] = endpoint.function
    return exporting.serialized(function, exporting.symbolic(endpoint.signature.fill()))


__all__ = ["Endpoint", "ExportArchive"]
