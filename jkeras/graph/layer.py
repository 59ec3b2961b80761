"""The layer protocol, for built-in layers and users' layers.

A `Layer` describes; it holds no arrays. To run, it is *bound*: a scope (see `graph/scope.py`) takes a shallow copy, gives
it access to weights, randomness and masks, calls `build` once and then `call`. On that copy `add_weight` returns the real
array, sublayers are bound copies too, and assigning to an attribute that holds a non-trainable weight records its new
value. The original never changes. `graph/README.md` says why, and how a call travels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import jax

from jkeras import arguments, dtypes, regularizers
from jkeras.discarded import check_used
from jkeras.dispatch import Symbolic
from jkeras.errors import ArgumentError, NotBuiltError
from jkeras.graph import apply, array_call
from jkeras.graph.in_files import InFiles
from jkeras.graph.inference import output_spec
from jkeras.graph.inner_forms import forms_of, is_policy_map, read_policies, written_policies
from jkeras.graph.origin import Member, Origin
from jkeras.graph.scope import Scope, WeightInfo, walk
from jkeras.graph.shapes import Shape
from jkeras.registry import snake_case
from jkeras.tracebacks import filtered_methods
from jkeras.types import (
    Array,
    ArrayLike,
    ConstraintLike,
    DTypeLike,
    DTypePolicyLike,
    InitializerLike,
    PolicyField,
    PyTree,
    RegularizerField,
    RegularizerLike,
    SeedLike,
)
from jkeras.values.config import serialize
from jkeras.values.fields import field
from jkeras.values.frozen import FrozenDict
from jkeras.values.keys import HashedKey, key_of
from jkeras.values.spec import Spec

LEGACY_SHAPE_ARGUMENTS = ("input_shape", "input_dim", "batch_input_shape", "batch_size")

_AGGREGATIONS = arguments.one_of(None, "none", "mean", "sum", "only_first_replica")


class LayerAttributes:
    """The attributes of every layer; some classes set their own order of arguments (see `jkeras.values.fields`)."""

    activity_regularizer: RegularizerField
    dtype: PolicyField
    name: str | None
    # Whether the layer has a state per row of the batch, so that the order of rows matters.
    stateful: bool = False

    # The scope of a bound copy, which has everything that a run knows about the layer; None in a description.
    _spec_scope: Scope | None = None
    # Requested arguments of the layers that `build` creates, by their paths; see `graph/inner_forms.py`.
    _inner_forms: Mapping[str, Mapping[str, Any]] = FrozenDict()
    # The batch shape from the old arguments `input_shape=` and `input_dim=`.
    _spec_input_shape: tuple[int | None, ...] | None = None


@filtered_methods("__call__", "init", "apply", "compute_output_spec", "compute_output_shape")
class Layer(Member, LayerAttributes, Spec):
    """Base of every layer.

    Subclass it as in Keras: `__init__` keeps arguments and sublayers as attributes, `build` calls `add_weight`, and `call`
    computes. The layer is frozen when its constructor returns.

    Inside `call`, assigning to an attribute that holds a non-trainable weight updates the model's state
    (`self.count = self.count + 1`). Sublayers may be attributes, or items of lists, tuples and dicts that are attributes.

    Args:
        activity_regularizer: a penalty on the output, divided by the batch size.
        trainable: whether training changes the weights of this layer and its sublayers.
        dtype: a dtype or policy; None means that of the surrounding model, or float32.
        autocast: whether floating-point inputs are cast to the compute dtype.
        name: the name inside a model; None numbers the layers of a class in order of appearance (`dense`, `dense_1`).

    Raises:
        SignatureError: an argument is missing, unknown or passed twice.
        ArgumentError: an argument has a value that the layer cannot take.
        InputError: the layer is called with inputs of a rank, shape or type that it cannot take.

    >>> import jkeras as jk
    >>> class Scale(jk.Layer):
    ...     def build(self, input_shape):
    ...         self.gain = self.add_weight((input_shape[-1],), initializer="ones", name="gain")
    ...
    ...     def call(self, x, training=False):
    ...         return x * self.gain
    >>> model = jk.Sequential([jk.Input((4,)), Scale()])
    >>> model.output_shape, model.count_params()
    ((None, 4), 4)
    """

    keras_module = "keras.layers"

    # Whether masks are passed on (see `compute_mask`).
    supports_masking: ClassVar[bool] = False
    # Whether the output of one sample depends on the others in the batch (as in BatchNormalization). None: unknown,
    # which for classes outside jkeras counts as yes. Decides whether a ragged last batch may be padded.
    mixes_samples: ClassVar[bool | None] = None

    # Whether layers inside may take another form; False if this layer computes with their weights.
    adapts_inside: ClassVar[bool] = True
    # The name of a layer inside whose weights are weights here, those of several copies along a new first axis. Names of weights
    # are paths from that layer with dots.
    stacks_weights_of: ClassVar[str | None] = None
    # How files of Keras keep layers of the class.
    _in_files: ClassVar[InFiles] = InFiles()
    # Whether layers of the class are values; those of the drop-in are objects that can change.
    _is_value: ClassVar[bool] = True

    if TYPE_CHECKING:
        _activity_regularizer: RegularizerLike = field(default=None, alias="activity_regularizer", kw_only=True)
        _dtype: DTypePolicyLike = field(default=None, alias="dtype", kw_only=True)
        _name: str | None = field(default=None, alias="name", kw_only=True)
    else:
        activity_regularizer: RegularizerField = field(
            default=None, convert=lambda v: regularizers.get(v), kw_only=True, in_config=False
        )
    trainable: bool = field(default=True, convert=arguments.boolean, kw_only=True)
    if not TYPE_CHECKING:
        dtype: PolicyField = field(default=None, convert=dtypes.get, kw_only=True)
    autocast: bool = field(default=True, convert=arguments.boolean, kw_only=True, in_config=False)
    if not TYPE_CHECKING:
        name: str | None = field(default=None, convert=arguments.optional(lambda v: _layer_name(v)), kw_only=True)

    # -- to override ----------------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Creates weights with `add_weight` and sublayers by assignment. Unknown sizes in shapes are None."""

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the outputs. `training` and `mask` are filled in if the method has these arguments."""
        raise NotImplementedError(f"{type(self).__name__} must define `call(self, inputs)`.")

    def compute_mask(self, inputs: PyTree[Any], previous_mask: PyTree[Array] | None) -> Any:
        """The mask of the output, or None."""
        return previous_mask if self.supports_masking else None

    def known_output(self, inputs: Shape) -> Shape | None:
        """The shape and dtype of the output by a rule, if a class has one; None traces `call` instead.

        It is called for one floating-point input in the compute dtype; sizes may be None.
        """
        return None

    def known_weights(self, *args: Any, **kwargs: Any) -> tuple[WeightInfo, ...] | None:
        """The weights for inputs of given shapes, in Keras's order, if they are known without tracing `call`."""
        return None

    def more_axes(self) -> str:
        """What to write so that the output keeps an axis that a later layer needs; empty if no argument does that."""
        return ""

    # An `InputSpec`, or a list of them, checked before `build`; None checks nothing. May be a property, or assigned in
    # `__init__` or `build`.
    input_spec: ClassVar[Any] = None

    # -- available while bound ------------------------------------------------------------------------------------

    def add_weight(
        self,
        shape: int | Sequence[int | None] | None = None,
        initializer: InitializerLike = None,
        dtype: DTypeLike | None = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: RegularizerLike = None,
        constraint: ConstraintLike = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> jax.Array:
        """The array of a weight, created on first use.

        Args:
            shape: the sizes; `()` or None means a scalar.
            initializer: name, instance or function; None means Glorot uniform for floats and zeros otherwise.
            dtype: the dtype; None means that of the policy's weights.
            trainable: whether training changes the weight; if False, it is part of the state, which only the layer changes.
            autocast: whether the array is cast to the compute dtype.
            regularizer: a penalty on the weight.
            constraint: a projection of the weight after each update.
            aggregation: "none", "mean", "sum" or "only_first_replica", as in Keras; all have the same result, because every
                replica computes with the whole batch.
            overwrite_with_gradient: whether training replaces the weight by its gradient instead of updating it.
            name: the weight's name in the layer.

        Raises:
            NotBuiltError: the layer is not part of a model or of `init`/`apply`.
        """
        scope = self.scope_for("add_weight")
        arguments.checked("add_weight", "aggregation", aggregation, _AGGREGATIONS)
        policy = self.dtype_policy
        weight = scope.weight(
            name,
            () if shape is None else tuple(shape) if isinstance(shape, Sequence) else (int(shape),),
            str(policy.variable_dtype if dtype is None else dtype),
            {
                "initializer": initializer,
                "trainable": trainable,
                "autocast": policy.compute_dtype if autocast and self.autocast else None,
                "regularizer": regularizer,
                "constraint": constraint,
                "overwritten": overwrite_with_gradient,
            },
        )
        result: jax.Array = weight
        return result

    def _add_frozen_weight(
        self, shape: tuple[int, ...], initializer: InitializerLike, autocast: bool = True, name: str | None = None
    ) -> jax.Array:
        """The array of a weight that is listed as trainable but never trained."""
        policy = self.dtype_policy
        compute_dtype = policy.compute_dtype if autocast and self.autocast else None
        options = {"initializer": initializer, "autocast": compute_dtype, "frozen": True}
        weight: jax.Array = self.scope_for("add_weight").weight(name, tuple(shape), policy.variable_dtype, options)
        return weight

    def add_loss(self, loss: ArrayLike) -> None:
        """Adds a scalar (or a list of scalars) to the model's loss, from inside `call`."""
        for value in loss if isinstance(loss, (list, tuple)) else [loss]:
            self.scope_for("add_loss").add_loss(value)

    def make_rng(self, seed: int | None = None) -> jax.Array:
        """A fresh random key for this call, determined by the run's key, the step, the layer's path and `seed`."""
        result: jax.Array = self.scope_for("make_rng").make_rng(seed)
        return result

    @property
    def is_bound(self) -> bool:
        """Whether the layer is running in a model, as in `build` and `call`."""
        return self._spec_scope is not None

    def scope_for(self, use: str) -> Any:
        """The scope of a bound layer.

        Raises:
            NotBuiltError: the layer is not bound.
        """
        if self._spec_scope is None:
            raise NotBuiltError(
                f"{type(self).__name__}: `{use}` works inside `build` and `call` of a layer that runs in a model."
                f" To try the layer alone: `Sequential([layer])`, or"
                f" `variables = layer.init(jax.random.key(0), x)` and `layer.apply(variables, x)`."
            )
        return self._spec_scope

    @property
    def _parts_of_value(self) -> type[Spec]:
        return Layer

    @property
    def _is_frozen(self) -> bool:
        return self._spec_scope is None and super()._is_frozen

    def __setattr__(self, name: str, value: object) -> None:
        scope = self._spec_scope
        if scope is not None:
            value = map_layers(value, name, scope.child)
            scope.note(name, value)
        super().__setattr__(name, value)

    # -- using a layer --------------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Adds the layer to a graph (symbolic tensors), runs it in place (inside `call`), or computes (arrays).

        Raises:
            NotBuiltError: it is called on arrays, has weights, and is not part of a model.
        """
        if self._spec_scope is not None:
            return self._spec_scope.call(self, args, kwargs)
        for leaf in jax.tree.leaves((args, kwargs)):
            if isinstance(leaf, Symbolic):
                return leaf.apply_layer(self, args, kwargs)
        return array_call.call_on_arrays(self, args, kwargs)

    def init(self, key: SeedLike, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Fresh variables `{"params": ..., "state": ...}` for inputs like `args` (arrays or shapes).

        Args:
            key: a random key or an integer seed.
            *args: arrays, `jax.ShapeDtypeStruct`s or shape tuples (float32, batch axis included).
        """
        return apply.initialize(self, key, *args, **kwargs)

    def apply(self, variables: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
        """The outputs for given variables: a pure function that `jax.grad`, `vmap` and `jit` can transform.

        Args:
            variables: what `init` returned.
            *args: the inputs.
            **kwargs: arguments of `call`; `rng` gives the random key that dropout needs in training, and
                `return_state=True` also returns the updated state.
        """
        return apply.apply(self, variables, args, kwargs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Shapes and dtypes of the outputs for given inputs, without computing."""
        return output_spec(self, args, kwargs)

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The shape of the output for a given input shape (None where a size is unknown).

        >>> from jkeras import layers
        >>> layers.Dense(3).compute_output_shape((None, 4))
        (None, 3)
        """
        return jax.tree.map(lambda spec: spec.shape, self.compute_output_spec(*args, **kwargs))

    # -- description ----------------------------------------------------------------------------------------------

    @property
    def dtype_policy(self) -> dtypes.DTypePolicy:
        """The policy: the layer's own, otherwise float32."""
        return self.dtype if self.dtype is not None else dtypes.DTypePolicy("float32")

    @property
    def compute_dtype(self) -> str:
        """The type of the layer's arithmetic and output."""
        return self.dtype_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The type of the layer's weights."""
        return self.dtype_policy.variable_dtype

    @property
    def path(self) -> str:
        """The path of the layer in its model, such as `encoder/dense_1`; its name or class outside a model."""
        own = self.name or type(self).__name__
        return own if self._spec_scope is None else self._spec_scope.path or own

    @property
    def _place(self) -> str:
        """The name of the layer in messages, even if a class overrides `path` and has none yet."""
        return self.path or self.name or type(self).__name__

    @property
    def default_name(self) -> str:
        """The name of the layer in a model if it has none, without a number."""
        return snake_case(type(self).__name__)

    def children(self) -> dict[str, Layer]:
        """The layers directly inside this one, by the names under which their weights are stored."""
        children: dict[str, Layer] = {}
        for attribute, value in vars(self).items():
            if isinstance(value, (Layer, list, tuple, dict)) and not attribute.startswith("_spec_"):
                map_layers(value, attribute, lambda name, layer: children.setdefault(name, layer))
        return children

    def _bind_children(self, bind: Callable[[str, Layer], Layer]) -> None:
        """Replaces the layers inside this (bound) copy by bound copies."""
        for attribute, value in list(vars(self).items()):
            if isinstance(value, (Layer, list, tuple, dict)) and not attribute.startswith("_spec_"):
                vars(self)[attribute] = map_layers(value, attribute, bind)

    def _bound_copy(self, scope: Any, parent: Any = None) -> Self:
        """A shallow copy that runs in `scope` and inherits from `parent` what it does not set itself."""
        inherited: dict[str, Any] = {}
        if parent is not None:
            inherited["trainable"] = self.trainable and parent.trainable
            if self.dtype is None and parent.dtype is not None:
                inherited["dtype"] = parent.dtype
        clone = self._evolve(_spec_scope=scope, **inherited)
        own = vars(clone)
        own["build"] = scope.build  # so that it runs once, whoever calls it
        return clone

    def replace(self, **changes: Any) -> Self:
        """A copy with some arguments changed.

        Raises:
            SignatureError: a name is not an argument of the constructor.
        """
        changed = super().replace(**changes)
        check_used("replace", owner="layer", may_show=True)
        return changed._evolve(_inner_forms=self._inner_forms) if self._inner_forms else changed

    def _with_children(self, change: Callable[[str, Layer], Layer]) -> Self:
        """A copy with changed layers inside."""
        clone = self._evolve()
        Layer._bind_children(clone, change)  # including those that a class keeps private
        vars(clone).pop("_spec_key", None)
        return clone

    def _taken_from(self, origin: Origin) -> Self:
        """A copy that is marked as taken from a model, or as bringing weights."""
        return self._evolve(_spec_origin=origin, name=origin.name or self.name)

    def _carried(self) -> Mapping[str, Any] | None:
        """The variables that the layer brings to a new model; None unless it was taken from a model."""
        return None if self._spec_origin is None else self._spec_origin.variables()

    def _state(self) -> dict[str, Any]:
        state = super()._state()
        # Sharing is by identity, so it is part of the value: which of the layers inside are the same object.
        ids = [id(layer) for _, layer in walk(self)] if self.children() else []
        if len(set(ids)) < len(ids):
            state["<shared>"] = tuple(ids.index(i) for i in ids)
        return state

    def _nameless_key(self) -> HashedKey:
        """The value apart from the name, which a network keeps itself: whether it was given or found, it is the same."""
        return HashedKey((type(self), key_of(dict(sorted({**self._state(), "name": None}.items())))))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values, with Keras's keys."""
        config = super().get_config()
        if "dtype" in config:
            config["dtype"] = written_policies(self.dtype_policy, self._inner_forms)
        if self.activity_regularizer is not None and not self._handwritten:
            config.setdefault("activity_regularizer", serialize(self.activity_regularizer))
        return config

    def _form(self) -> dict[str, Any]:
        """The arguments that models change in layers, if they differ from their defaults."""
        return {}

    def _written_beside(self) -> dict[str, Any]:
        # A hand-written constructor's arguments do not record later changes of the layers that it created.
        forms = forms_of(self) if self._handwritten else self._inner_forms
        return {"inner_layers": serialize(forms)} if forms else {}

    @classmethod
    def _bind(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        legacy = {k: kwargs.pop(k) for k in LEGACY_SHAPE_ARGUMENTS if k in kwargs and k not in cls._fields}
        forms: Mapping[str, Any] = {}
        if is_policy_map(kwargs.get("dtype")):
            kwargs["dtype"], forms = read_policies(kwargs["dtype"], kwargs.get("name"))
        values = super()._bind(args, kwargs)
        if forms:
            values["_inner_forms"] = forms
        shape = legacy_input_shape(legacy)
        return values if shape is None else {**values, "_spec_input_shape": shape}

    def _frozen_message(self, name: str) -> str:
        if name == "trainable":
            place = "dense" if self.name is None else self.name
            return (
                f"{type(self).__name__} is immutable; `trainable` cannot be assigned. Freeze layers of a model by their"
                f" names, `model = model.freeze({place!r})`, or make a changed copy, `new = old.replace(trainable=...)`."
            )
        if name in type(self)._fields:
            return super()._frozen_message(name)
        return (
            f"{type(self).__name__} is immutable once its constructor has returned; `{name}` cannot be assigned."
            f" Assign in `__init__` (arguments, sublayers) or in `build` and `call` (weights, state)."
        )


def legacy_input_shape(legacy: Mapping[str, Any]) -> tuple[int | None, ...] | None:
    """The batch shape that the old `input_shape=`, `input_dim=` and `batch_input_shape=` arguments mean."""
    if legacy.get("batch_input_shape") is not None:
        return arguments.shape(legacy["batch_input_shape"])
    if legacy.get("input_shape") is not None:
        return (legacy.get("batch_size"), *arguments.shape(legacy["input_shape"]))
    if legacy.get("input_dim") is not None:
        return (legacy.get("batch_size"), arguments.positive_int(legacy["input_dim"]))
    return None


def map_layers(value: Any, name: str, replace: Callable[[str, Layer], Any]) -> Any:
    """`value` with every layer in it (also in lists, tuples and dicts) replaced by `replace(name, layer)`."""
    if isinstance(value, Layer):
        return replace(name, value)
    if type(value) in (list, tuple):
        return type(value)(map_layers(v, f"{name}_{i}", replace) for i, v in enumerate(value))
    if type(value) in (dict, FrozenDict):
        return type(value)({k: map_layers(v, f"{name}_{k}", replace) for k, v in value.items()})
    return value


def _layer_name(value: object) -> str:
    if not isinstance(value, str) or "/" in value or not value:
        raise ArgumentError("expected a non-empty string without a slash")
    return value
