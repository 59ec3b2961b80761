"""`ExportArchive` as a mutable object, with the names of `keras.export`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jkeras.errors import ArgumentError
from jkeras.files import export_archive
from jkeras.keras.layer import Layer
from jkeras.keras.model import Model
from jkeras.keras.variables import Variable
from jkeras.types import PathLike, Verbose


class _OfObjects(export_archive.ExportArchive):
    """The immutable model, for models that are objects."""

    def _endpoint(self, fn: Any, signature: Sequence[Any] | None) -> export_archive.Endpoint:
        return super()._endpoint(fn.value if isinstance(fn, Model) else fn, signature)


class ExportArchive:
    """Exports programs that run without jkeras, by endpoint name; see `jkeras.export.ExportArchive`.

    Args:
        format: "stablehlo"; Keras's "tf_saved_model" requires TensorFlow.

    Raises:
        ValueError: the format is another one.
    """

    def __init__(self, format: str = "stablehlo"):
        if format != "stablehlo":
            raise ArgumentError(
                f"ExportArchive(format={format!r}): only 'stablehlo' is supported. TensorFlow's formats require TensorFlow:"
                " save the model as .keras and export it with Keras."
            )
        self._value = _OfObjects()
        self._tracked: list[Any] = []

    def track(self, resource: Any) -> None:
        """Declares that endpoints use a layer or model. In any case, they contain its weights at the time of writing.

        Raises:
            ValueError: it is neither, or has no weights yet.
        """
        if not isinstance(resource, Layer):
            raise ArgumentError(
                f"Invalid resource type. Expected an instance of a Keras `Layer` or `Model`. Received: {type(resource)}"
            )
        if not resource.built:
            raise ArgumentError(
                "The layer provided has not yet been built. It must be built before export, for example by a call on data."
            )
        self._tracked.append(resource)

    def add_endpoint(self, name: str, fn: Any, input_signature: Sequence[Any] | None = None, **kwargs: Any) -> Any:
        """Adds a program, and returns its function.

        Args:
            name: the name of the endpoint.
            fn: a model, or a function of arrays.
            input_signature: the shapes of its arguments; None takes those that a model was built for.
            **kwargs: not supported.

        Raises:
            ValueError: the name is taken, or there is no signature.
        """
        if kwargs:
            raise ArgumentError(f"add_endpoint({name!r}): unknown arguments {sorted(kwargs)}.")
        self._value = self._value.add_endpoint(name, fn, input_signature)
        return fn

    def add_variable_collection(self, name: str, variables: Any) -> None:
        """Accepts Keras's lists of variables; does nothing, because programs include their weights.

        Raises:
            ValueError: these are not variables.
        """
        if not isinstance(variables, (list, tuple, set)) or not all(isinstance(one, Variable) for one in variables):
            raise ArgumentError(f"Expected `variables` to be a list of variables. Received: {variables!r:.200}")

    def write_out(self, filepath: PathLike, options: Any = None, verbose: Verbose | None = True) -> None:
        """Writes the programs into a new or empty directory, each as `NAME.stablehlo`."""
        self._value.write_out(filepath, options, verbose)


__all__ = ["ExportArchive"]
