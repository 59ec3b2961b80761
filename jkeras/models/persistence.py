"""Saving whole models: definition, recipe, arrays, history. `models/loading.py` is the way back."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import jax
import numpy as np

from jkeras.errors import ArgumentError
from jkeras.models import config as configs
from jkeras.models import exporting, keras_file, legacy_file, weight_files
from jkeras.models.discarded import check_used
from jkeras.saving import directory as files
from jkeras.tracebacks import filtered_methods
from jkeras.training.recipe import Recipe
from jkeras.training.state import named_arrays
from jkeras.values.config import serialize

H5_SUFFIXES = (".h5", ".hdf5")


@filtered_methods("save", "save_weights", "load_weights", "export")
class Persistent:
    """The methods of `Model` that write files and read weights from them."""

    if TYPE_CHECKING:  # what `Model` has
        recipe: Any
        state: Any

    def save(self, filepath: Any, overwrite: bool = True, *, include_optimizer: bool = True) -> None:
        """Saves the definition, weights, optimizer state, step, key, recipe and history.

        The path's suffix chooses the format: none is a directory, `.keras` a file that real Keras 3 opens as
        well, `.h5` and `.hdf5` the older one, without step, key and history. A save is atomic: a crash leaves the one
        before, or the new one, whole. `jk.load_model(path)` reads all of them.

        Args:
            filepath: where to.
            overwrite: whether an earlier save there is replaced.
            include_optimizer: whether the recipe and the optimizer's state are saved.

        Raises:
            FileExistsError: there is a save and it may not be replaced, or a directory that is none.
            ArgumentError: the recipe cannot be written in that format, or the suffix is unknown.
        """
        save_model(self, filepath, overwrite, include_optimizer)

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Saves the weights alone.

        The path's suffix chooses the format: `.weights.h5` as Keras 3 has it, `.h5` and `.hdf5` as Keras 2 had it, both of
        which real Keras loads; `.safetensors`, under the weights' paths; a directory without a suffix. A crash leaves the
        file that was there, or the new one, whole.

        Args:
            filepath: where to.
            overwrite: whether an earlier file there is replaced.

        Raises:
            FileExistsError: there is a file and it may not be replaced.
        """
        weight_files.save_weights(self, filepath, overwrite)

    def load_weights(
        self,
        filepath: Any,
        skip_mismatch: bool = False,
        *,
        only: str | Collection[str] | None = None,
        by_name: bool = False,
    ) -> Self:
        """A model with the weights in a file that `save_weights`, `save` or real Keras wrote; the recipe stays.

        Loading is strict: a weight that is missing, superfluous or of another shape or type is an error that lists every
        difference, and nothing is changed. What is to be loaded in part is asked for:

        Args:
            filepath: the file or directory; its suffix says the format.
            skip_mismatch: leaves layers as they are whose weights differ or are missing.
            only: patterns of the weights to load, such as `"encoder/*"` or `["conv*", "head/bias"]`; a pattern matches a
                weight's path or that of a layer around it. All that match must be in the file. Layers are found by name.
            by_name: finds layers by their names; layers that only the file or only the model has are skipped.

        Raises:
            RestoreError: the file does not fit, or is damaged.
            ArgumentError: a pattern matches no weight.

        Warns:
            PartialLoadWarning: something was skipped (by `by_name` or `skip_mismatch`); its `skipped` says what and why.
        """
        check_used("load_weights")
        return weight_files.load_weights(self, filepath, only, by_name, skip_mismatch)

    def export(
        self,
        filepath: Any,
        format: str = "stablehlo",
        verbose: Any = None,
        input_signature: Any = None,
        *,
        platforms: Sequence[str] | None = None,
    ) -> None:
        """Writes one file with the program that predicts, weights inside; JAX runs it without jkeras::

            model.export("model.stablehlo")

            import jax.export                                          # elsewhere
            program = jax.export.deserialize(bytearray(open("model.stablehlo", "rb").read()))
            outputs = program.call(x)

        The batch may have any size, and so may every axis whose size the model's input leaves open. An exported program is
        compiled code: run those of people you trust. Needs flatbuffers, `pip install jkeras[export]`.

        Args:
            filepath: the file.
            format: "stablehlo"; Keras's others are not offered.
            verbose: accepted for Keras's signature.
            input_signature: in place of the model's own: shapes, with None for open sizes, or specs with `shape` and
                `dtype`, in the structure of the inputs.
            platforms: what the program is to run on; "cpu", "cuda" and "tpu" if None.

        Raises:
            ArgumentError: the model does not work with open sizes or on a platform, or another format was asked for.
        """
        exporting.export(self, filepath, format, verbose, input_signature, platforms=platforms)


def save_model(model: Any, path: Any, overwrite: bool = True, include_optimizer: bool = True) -> None:
    """Saves a model; see `Persistent.save`."""
    path = Path(path)
    suffix = path.suffix.lower()
    _check_definition(model)
    if suffix in (".keras", *H5_SUFFIXES):
        if path.is_dir() or (path.exists() and not overwrite):
            raise FileExistsError(f"{path} exists; pass overwrite=True to replace it.")
        if suffix == ".keras":
            keras_file.save(model, path, _own_part(model, include_optimizer), include_optimizer)
        else:
            legacy_file.save(model, path, include_optimizer)
        return
    files.check_name(path, "save", (".keras", *H5_SUFFIXES))
    state = model.state if include_optimizer else model.state.replace(opt_state=None)
    config = {**written_definition(model, include_optimizer), "history": _written_history(model)}
    files.save(path, config, named_arrays(state), overwrite=overwrite)


def _check_definition(model: Any) -> None:
    try:
        json.dumps(configs.to_config(model))
    except TypeError as error:
        raise ArgumentError(
            f"The definition of the model cannot be written down: {error}. Save its weights, `model.save_weights(path)`, and"
            f" build the model in code to load them."
        ) from error


def written_definition(model: Any, include_optimizer: bool = True) -> dict[str, Any]:
    """What `config.json` in a directory says of a model, without its history."""
    recipe, problem = _written_recipe(model.recipe if include_optimizer else None)
    return {
        "model": configs.to_config(model),
        "inputs": _written_specs(model.input_specs),
        "recipe": recipe,
        "recipe_problem": problem,
        "key": str(jax.random.key_impl(model.state.rng)),
        "jax": jax.__version__,
    }


def written_without_definition(model: Any) -> dict[str, Any]:
    """The same of a model whose definition cannot be written down."""
    recipe, problem = _written_recipe(model.recipe)
    return {"model": None, "recipe": recipe, "recipe_problem": problem, "key": str(jax.random.key_impl(model.state.rng))}


def _own_part(model: Any, include_optimizer: bool) -> dict[str, Any]:
    """What Keras's formats have no place for."""
    recipe, _ = _written_recipe(model.recipe if include_optimizer else None)
    return {
        "version": files.VERSION,
        "inputs": _written_specs(model.input_specs),
        "recipe": recipe,
        "history": _written_history(model),
        "step": int(model.state.step),
        "key": keras_file.written_key(model.state.rng),
    }


def _written_history(model: Any) -> dict[str, Any]:
    history = model.history
    return {"logs": _plain(history.history), "epoch": _plain(history.epoch), "params": _plain(history.params)}


def _written_recipe(recipe: Recipe | None) -> tuple[Any, str | None]:
    if recipe is None:
        return None, None
    try:
        config = recipe.get_config()
        json.dumps(config)
    except (TypeError, ValueError, NotImplementedError) as error:
        return None, str(error)
    return config, None


def _written_specs(specs: Any) -> Any:
    if isinstance(specs, Mapping):
        return {"dict": {k: _written_specs(v) for k, v in specs.items()}}
    if isinstance(specs, (list, tuple)):
        return {"list": [_written_specs(v) for v in specs]}
    return {"shape": list(specs.shape), "dtype": str(specs.dtype)}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return serialize(value) if isinstance(value, (np.ndarray, np.generic, jax.Array)) else value
