"""`Model`: what users define, train, look into and save.

The class is a chain, each link whole in itself: `base` (a definition with its contents), `structure` (layers and weights),
`stepping` (the pure step), `trainable` (compile, fit ...), and here the two ways to define a model, configurations and
files.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Self

import jax

from jkeras import arguments
from jkeras.discarded import check_used
from jkeras.dispatch import is_symbolic
from jkeras.errors import ArgumentError
from jkeras.files import config as configs
from jkeras.files import exporting, restoring, saving, weight_loading
from jkeras.graph import network as networks
from jkeras.graph.layer import Layer
from jkeras.graph.network import Network
from jkeras.lazy import named
from jkeras.models import display
from jkeras.models import linen as foreign
from jkeras.models import summary as summaries
from jkeras.models.contents import Building
from jkeras.models.trainable import TrainableModel
from jkeras.registry import custom_object_scope
from jkeras.tracebacks import filtered_methods
from jkeras.types import Array, DTypePolicyLike, PathLike, PyTree, Verbose


@filtered_methods("restore", "save", "save_weights", "load_weights", "export", "summary", "plot")
class Model(TrainableModel):
    """A model, defined by symbolic inputs and outputs, or by a subclass.

    Functional: `Model(inputs, outputs)`, each a symbolic tensor or a list, tuple or dict of them. Layers that come from
    another model (its tensors, its layers, the model itself) bring their trained weights along.

    Subclass: layers are attributes, `call(self, inputs, training=False)` computes. Weights are made at the first data::

        class Net(jk.Model):
            def __init__(self):
                super().__init__()
                self.hidden = layers.Dense(64, activation="relu")
                self.out = layers.Dense(10)

            def call(self, x, training=False):
                return self.out(self.hidden(x))

    Args:
        inputs: symbolic inputs; None for a subclass with a `call`.
        outputs: symbolic outputs.
        name: the model's name.
        trainable: whether training changes its weights.
        dtype: the policy of layers without their own.
        kwargs: `input` and `output`, the names of the first two arguments in Keras 1; arguments of a subclass's constructor.

    >>> import jkeras as jk
    >>> x = jk.Input((4,))
    >>> Model(x, jk.layers.Dense(2)(x)).output_shape
    (None, 2)
    """

    def __init__(
        self,
        inputs: Any = None,
        outputs: Any = None,
        name: str | None = None,
        *,
        trainable: bool = True,
        dtype: DTypePolicyLike = None,
        **kwargs: Any,
    ):
        if "input" in kwargs or "output" in kwargs:  # the argument names of Keras 1
            inputs, outputs = kwargs.pop("input", inputs), kwargs.pop("output", outputs)
        super().__init__(name=name, trainable=trainable, dtype=dtype, **kwargs)
        if (inputs is None) != (outputs is None):
            raise ArgumentError("Model(inputs, outputs): give both, or neither and define `call` in a subclass.")
        self._network = None
        if inputs is not None:
            self._network = networks.from_tensors(inputs, outputs)
            self._spec_building = Building(origins=_origins_of_tensors(self._network, inputs, outputs))

    @property
    def default_name(self) -> str:
        return "functional" if type(self) is Model else super().default_name

    # -- configuration --------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The definition as plain values in the form that Keras 3 writes; of a subclass, its constructor's arguments."""
        if self._network is not None:
            return configs.functional_config(self._network, self.name or self.default_name, self.trainable, self.dtype)
        return {k: v for k, v in super().get_config().items() if k not in ("inputs", "outputs") or v is not None}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """The model that `get_config` described, with fresh weights.

        Args:
            config: the configuration.
            custom_objects: the user's classes and functions, by name.
        """
        with custom_object_scope(custom_objects or {}):
            if "input_layers" not in config:
                return cls(**config)
            inputs, outputs = configs.functional_tensors(config, known_classes())
            return cls(
                configs.unwrapped(inputs),
                configs.unwrapped(outputs),
                name=config.get("name"),
                trainable=config.get("trainable", True),
                dtype=config.get("dtype"),
            )

    def _written_class(self) -> dict[str, Any]:
        """How a configuration names this kind of model."""
        functional = type(self) is Model and self._network is not None
        return configs.FUNCTIONAL if functional else super()._written_class()

    def to_json(self, **kwargs: Any) -> str:
        """The configuration as JSON; `model_from_json` reads it.

        Args:
            kwargs: arguments of `json.dumps`.
        """
        return json.dumps(configs.to_config(self), **kwargs)

    # -- files ----------------------------------------------------------------------------------------------------

    def save(self, filepath: PathLike, overwrite: bool = True, *, include_optimizer: bool = True) -> None:
        """Saves the definition, weights, optimizer state, step, key, recipe and history.

        The path's suffix chooses the format: none is a directory, `.keras` a file that real Keras 3 opens as
        well, `.h5` and `.hdf5` the older one, without step, key and history. A save is atomic: a crash leaves the one
        before, or the new one, whole. `jk.load_model(path)` reads all of them.

        Args:
            filepath: the path; `hf://user/model` is a repository of the Hugging Face Hub, which gets the members of a `.keras`
                file and a model card (`pip install jkeras[hub]`).
            overwrite: whether to replace an earlier save.
            include_optimizer: whether to save the recipe and the optimizer's state.

        Raises:
            ExistsError: the path exists and `overwrite=False`, or it is a directory that jkeras did not write.
            ArgumentError: the recipe cannot be written in that format, or the suffix is unknown.
        """
        saving.save_model(self, filepath, overwrite, include_optimizer)

    def save_weights(self, filepath: PathLike, overwrite: bool = True, max_shard_size: float | None = None) -> None:
        """Saves the weights alone.

        The path's suffix chooses the format: `.weights.h5` as Keras 3 has it, `.h5` and `.hdf5` as Keras 2 had it, both of
        which real Keras loads; `.weights.json` as Keras 3 has it for large models, an index beside files of a limited size;
        `.safetensors`, under the weights' paths; a directory without a suffix. A crash leaves the file that was there, or
        the new one, whole.

        Args:
            filepath: where to.
            overwrite: whether to replace an earlier file.
            max_shard_size: the largest size of each file of a `.weights.json` index, in GB; 5 if None.

        Raises:
            ExistsError: the path exists and `overwrite=False`.
            ArgumentError: no format for weights has the suffix, or a single layer is larger than `max_shard_size`.
        """
        saving.save_weights(self, filepath, overwrite, max_shard_size)

    def load_weights(
        self,
        filepath: PathLike,
        skip_mismatch: bool = False,
        *,
        only: str | Collection[str] | None = None,
        by_name: bool = False,
    ) -> Self:
        """A model with the weights in a file that `save_weights`, `save` or real Keras wrote; the recipe stays.

        Loading is strict: a weight that is missing, superfluous or of another shape or type is an error that lists every
        difference, and nothing is changed. To load only a part, say so:

        Args:
            filepath: the file or directory; its contents determine the format.
            skip_mismatch: whether to skip layers whose weights differ or are missing.
            only: patterns of the weights to load, such as `"encoder/*"` or `["conv*", "head/bias"]`; a pattern matches a
                weight's path or that of a layer around it. All that match must be in the file. Layers are found by name.
            by_name: whether to match layers by name; layers that only the file or only the model has are skipped.

        Raises:
            RestoreError: the file does not fit, or is damaged.
            ArgumentError: a pattern matches no weight.

        Warns:
            PartialLoadWarning: something was skipped (by `by_name` or `skip_mismatch`); its `skipped` says what and why.
        """
        check_used("load_weights")
        result: Self = weight_loading.load_weights(self, filepath, only, by_name, skip_mismatch)
        return result

    def export(
        self,
        filepath: PathLike,
        format: str = "stablehlo",
        verbose: Verbose | None = None,
        input_signature: Sequence[Any] | None = None,
        *,
        platforms: Sequence[str] | None = None,
    ) -> None:
        """Writes the prediction program, including the weights, to one file, which JAX runs without jkeras::

            model.export("model.stablehlo")

            import jax.export                                          # elsewhere
            program = jax.export.deserialize(bytearray(open("model.stablehlo", "rb").read()))
            outputs = program.call(x)

        The batch may have any size, and so may every axis whose size the model's input leaves open. An exported program is
        compiled code: only run programs from people you trust. Needs flatbuffers, `pip install jkeras[export]`.

        Args:
            filepath: the file.
            format: "stablehlo"; Keras's others are not supported.
            verbose: whether to print where the program is; None prints nothing.
            input_signature: replaces the model's own inputs: shapes, with None for open sizes, or specs with `shape` and
                `dtype`, in the structure of the inputs.
            platforms: the platforms that the program runs on; None means "cpu", "cuda" and "tpu".

        Raises:
            ArgumentError: the model does not work with open sizes or on a platform, or the format is not supported.
        """
        exporting.export(self, filepath, format, verbose, input_signature, platforms=platforms)

    def restore(self, directory: PathLike, step: int | None = None) -> Self:
        """The model as it was at a checkpoint: weights, states, optimizer, step, key and history.

        Strict: the checkpoint must be of a model with this definition and, if this one is compiled, this recipe.
        `jk.load_model(directory)` needs no model; to go on with the run itself see `callbacks.BackupAndRestore`.

        Args:
            directory: of `OrbaxCheckpoint` or `BackupAndRestore`, or one that `model.save` wrote.
            step: the optimizer's step at the checkpoint; the latest if None.

        Raises:
            RestoreError: there is none, it is damaged, or it does not fit; all differences are listed.
        """
        check_used("restore")
        place = arguments.checked("restore", "directory", directory, arguments.path)
        arguments.checked("restore", "step", step, arguments.optional(arguments.at_least(0)))
        result: Self = restoring.restored(self, place, step)
        return result

    # -- what it looks like ---------------------------------------------------------------------------------------

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: tuple[str, str] | None = None,
        *,
        show_cost: bool = False,
    ) -> None:
        """Prints the layers, their output shapes and numbers of weights as a table.

        Args:
            line_length: the table's width; that of the terminal if None.
            positions: where each column ends, as fractions of the width; None fits the columns to their contents.
            print_fn: gets the text instead of the terminal.
            expand_nested: whether models inside are listed layer by layer.
            show_trainable: whether a column says which layers training changes.
            layer_range: the names of the first and the last layer to list.
            show_cost: adds the operations and the bytes of output of each layer for one sample in a forward pass, and, for
                a compiled model, what XLA counts for a training step of 32 samples.
        """
        summaries.summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range, show_cost)

    def plot(self, path: PathLike | None = None, **options: Any) -> Any:
        """The model as boxes and arrows: a `jkeras.plots.Diagram`, which notebooks show and `print` gives as Mermaid text.

        Args:
            path: writes it there, if given: `.svg`, `.png`, `.pdf`, `.dot` or `.mmd`.
            **options: what `jkeras.plots.diagram` takes: `show_shapes`, `expand_nested`, `direction` and so on.
        """
        return display.plot(self, path, **options)

    def _repr_html_(self) -> str:
        return display.html_of(self)

    # -- Flax -----------------------------------------------------------------------------------------------------

    def to_flax(self) -> tuple[Any, dict[str, Any]]:
        """A Flax Linen module and its variables: `module.apply(variables, x, training=False)`.

        A model that `from_flax` made gives that module, and its variables with the model's values.
        """
        return foreign.to_flax(self)

    @classmethod
    def from_flax(
        cls, module: object, variables: PyTree[Array], input_shape: Any, *, method: Any = None, dtype: Any = None
    ) -> Self:
        """A model around a Linen module and its variables, to train, evaluate and save the weights of like any other.

        The parameters are what training changes; other collections (`batch_stats`) are the model's state. The module is
        called with one argument, and with `training`, `train` or `deterministic` if it takes them.

        Args:
            module: a `flax.linen.Module`.
            variables: what `module.init(...)` returned, trained or not.
            input_shape: the shape of one sample, without the batch, such as (28, 28, 1).
            method: called instead of `__call__`.
            dtype: the dtype of the inputs.

        Raises:
            RestoreError: the variables do not fit the module; every difference is listed.

        >>> import flax.linen as nn, jkeras as jk
        >>> module = nn.Dense(2)
        >>> variables = module.init(jax.random.key(0), jax.numpy.ones((1, 3)))
        >>> jk.Model.from_flax(module, variables, (3,)).weight_paths
        ['flax/bias', 'flax/kernel']
        """
        result: Self = foreign.around(cls, module, variables, input_shape, method=method, dtype=dtype)
        return result


def known_classes() -> dict[str, type[Layer]]:
    """Every class of the library that a configuration may name."""
    sequential: type[Layer] = named("jkeras.models.sequential", "Sequential")  # which is built on this module
    old = {
        name: named("jkeras.layers.locally_connected", name) for name in ("LocallyConnected1D", "LocallyConnected2D")
    }
    return {**configs.layer_classes(), **old, "Functional": Model, "Model": Model, "Sequential": sequential}


def _origins_of_tensors(network: Network, inputs: Any, outputs: Any) -> dict[str, Callable[[], Any]]:
    """For each layer that belongs to the model a tensor came from: how to get its weights there."""
    origins = [t.origin for t in jax.tree.leaves((inputs, outputs)) if is_symbolic(t) and t.origin is not None]
    origins_by_name: dict[str, Callable[[], Any]] = {}
    for origin in origins:
        names = {id(layer): name for name, layer in origin._network.layers.items()}
        for name, layer in network.layers.items():
            there = names.get(id(layer))
            if there is not None:
                origins_by_name[name] = functools.partial(origin._member_variables, there)
    return origins_by_name
