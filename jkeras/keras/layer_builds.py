"""Builds layers: once, with the user's `build` if there is one, else by running `call` on symbolic tensors."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import jax

from jkeras import tree
from jkeras.keras.call_spec import CallSpec, shape_of
from jkeras.keras.dtypes import standardize_dtype
from jkeras.keras.inference import infer_output_spec
from jkeras.keras.input_compatibility import check_inputs
from jkeras.keras.tensor import KerasTensor
from jkeras.keras.variables import current_path, name_scope


def around_build(build: Callable[..., None]) -> Callable[..., None]:
    """Wraps `build`: sets variable names, records the shapes, and locks the state afterwards; only once for `super` calls."""

    @functools.wraps(build)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> None:
        if self._building:
            build(self, *args, **kwargs)
            return
        self._check_super_called()
        vars(self)["_building"] = True
        try:
            with self._open_name_scope():
                vars(self)["_path"] = current_path()
                build(self, *args, **kwargs)
        finally:
            del vars(self)["_building"]
        shapes = inspect.signature(self.build).bind(*args, **kwargs).arguments
        vars(self)["_build_shapes_dict"] = dict(shapes)
        self.built = True
        self._post_build()
        self._lock_state()

    wrapper.__name__ = "build"  # for messages, even if the class defines it under another name
    return wrapper


class LayerBuilds:
    """The part of a layer that creates its variables."""

    _building = False

    @around_build
    def build(self, input_shape: Any) -> None:
        """Creates the variables, once, for inputs of a given shape."""
        if type(self).build is LayerBuilds.build and any(not layer.built for layer in self._layers):
            warnings.warn(
                f"`build()` was called on layer '{self.name}', however the layer does not have a `build()` method implemented"
                " and it looks like it has unbuilt state. This will cause the layer to be marked as built, despite not being"
                " actually built, which may cause failures down the line. Make sure to implement a proper `build()` method.",
                stacklevel=3,
            )

    def _post_build(self) -> None:
        """Called after `build`."""

    def _build_at_init(self) -> None:
        if type(self).build is LayerBuilds.build:
            vars(self)["built"] = True
            self._post_build()
            self._lock_state()

    def _maybe_build(self, spec: CallSpec) -> None:
        if type(self).build is not LayerBuilds.build or "build" in vars(self):
            self.build(**spec.shapes_for(self.build, type(self).__name__))
            self._assert_input_compatibility(spec.first_arg)
            return
        if any(not layer.built for layer in self._layers):
            try:
                infer_output_spec(self.call, **_with_symbols(spec.arguments_dict))
            except Exception as error:
                if spec.eager:
                    return  # the call itself will build the sublayers
                warnings.warn(
                    f"Layer '{self.name}' looks like it has unbuilt state, but Keras is not able to trace the layer `call()`"
                    " in order to build it automatically. Possible causes:\n1. The `call()` method of your layer may be"
                    " crashing. Try to `__call__()` the layer eagerly on some test input first to see if it works. E.g."
                    " `x = np.random.random((3, 4)); y = layer(x)`\n2. If the `call()` method is correct, then you may need"
                    " to implement the `def build(self, input_shape)` method on your layer. It should create all variables"
                    " used by the layer (e.g. by calling `layer.build()` on all its children layers).\n"
                    f"Exception encountered: ''{error}''",
                    stacklevel=4,
                )
        self.build(next(iter(spec.shapes().values()), None))

    def _build_by_run_for_single_pos_arg(self, input_shape: Any) -> bool:
        """Runs `call` on symbolic inputs of a given shape to create its state; returns whether that succeeded."""
        return self._build_by_run(tree.map_shape_structure(KerasTensor, input_shape))

    def _build_by_run_for_kwargs(self, shapes_dict: Mapping[str, Any]) -> bool:
        """The same for `<argument>_shape`s."""
        if not all(map(is_shape, shapes_dict.values())):
            return False
        return self._build_by_run(
            **{name.removesuffix("_shape"): KerasTensor(shape) for name, shape in shapes_dict.items()}
        )

    def _build_by_run(self, *args: Any, **kwargs: Any) -> bool:
        try:
            infer_output_spec(self.call, *args, **kwargs)
        except Exception:  # of any kind: the caller reports it
            return False
        return True

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes for which the layer was built, for `build_from_config`."""
        shapes = self._build_shapes_dict
        if shapes is None:
            return None
        return {"input_shape": next(iter(shapes.values()))} if len(shapes) == 1 else {"shapes_dict": shapes}

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        """Builds the layer from the result of `get_build_config`."""
        if config and "input_shape" in config:
            self.build(config["input_shape"])
        elif config and "shapes_dict" in config:
            self.build(**config["shapes_dict"])

    def _open_name_scope(self) -> name_scope:
        if self._parent_path is None:
            vars(self)["_parent_path"] = current_path()
        return name_scope(self.name, caller=self)

    def _assert_input_compatibility(self, inputs: Any) -> None:
        spec = self.input_spec
        if spec:
            check_inputs(spec, inputs, self.name)

    def _check_super_called(self) -> None:
        if self._lock:
            raise RuntimeError(
                f"In layer '{type(self).__name__}', you forgot to call `super().__init__()` as the first statement in the"
                " `__init__()` method. Go add it!"
            )


def is_shape(value: Any) -> bool:
    """Whether a value is one shape rather than a structure of several."""
    return isinstance(value, (list, tuple)) and all(size is None or isinstance(size, int) for size in value)


def _with_symbols(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call with arrays replaced by symbolic tensors."""
    return tree.map_structure(
        lambda leaf: (
            KerasTensor(shape_of(leaf), standardize_dtype(leaf.dtype)) if isinstance(leaf, jax.Array) else leaf
        ),
        dict(arguments),
    )
