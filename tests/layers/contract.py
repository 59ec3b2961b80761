"""What every layer must have in common with Keras's layer of the same name: the one contract, run over tables of cases.

A case is `case(class name, arguments, shape, **options)`; `check` runs all of it:

- weights: names, shapes and order
- outputs in inference and in training, updated state, gradients of weights and inputs, masks
- compiled equals not compiled
- configuration: keys and values, read by either side
- shapes with an unknown batch size, and further unknown axes
- types under mixed precision

and `check_precisions` compares the numbers in float64 and in bfloat16.

Numbers agree to 1e-5: outputs and states absolutely or relatively, gradients relatively to the largest value of the
weight's gradient (of a hundredth of the largest of all gradients, where a gradient is nothing but rounding).
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from keras.src.backend.common import global_state

from jkeras import layers
from jkeras.graph.describe import describe

OURS: Mapping[str, Any] = {name: getattr(layers, name) for name in dir(layers)}
THEIRS = vars(keras.layers)
# How exact numbers are in each type, and whether gradients are compared in it.
EXACTNESS = {"float32": (1e-5, True), "float64": (1e-10, True), "mixed_bfloat16": (0.04, False)}
# Keras computes tanh, and JAX the softmax of its attention, in float32 even then.
SOME_FLOAT32 = 2e-6


@dataclasses.dataclass(frozen=True)
class Case:
    """One layer, its arguments, its input.

    Attributes:
        name: the class, the same on both sides.
        arguments: of the constructor; a function gets the classes of one side and returns them (for layers inside).
        inputs: what the layer is called with, one after the other: shapes or lists of shapes, batch axis first.
        named: arrays given by name, as shapes or lists of shapes; compared with their gradients, as inputs are.
        flags: truth values given by name, as shapes.
        call: other arguments of the call.
        mask: whether a mask comes along: of the first two axes (True) or of the whole input ("full"); or the names under
            which masks of the inputs are given.
        attached: masks that Keras only takes attached to the tensor.
        training: whether the layer does the same as Keras's in training, as it does unless it draws random numbers; or
            whether it does "only" there.
        ids: inputs are integers below this; 0 for floats.
        unknown: axes of unknown size in the symbolic check, besides the batch.
        batch: the batch size in the symbolic check; None is unknown.
        draw: makes a float input from a shape and a generator.
        keeps_mask: whether the layer passes a mask on that Keras's drops.
        configuration: whether Keras can read and write the configuration without code in it.
        shapes: whether Keras infers the right shapes from unknown sizes.
        nested: whether weights are named by the attributes of layers inside, where Keras uses the layers' names.
        renamed: whether weights have other names than Keras's, which knows none.
        order: the places that our weights have in Keras's order, where it is another one.
        tolerance: of all numbers, relative to those of the type.
    """

    name: str
    arguments: Any
    inputs: tuple[Any, ...]
    named: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    flags: Mapping[str, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    call: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    mask: Any = False
    attached: tuple[str, ...] = ()
    training: Any = True
    ids: int = 0
    unknown: tuple[int, ...] = ()
    batch: int | None = None
    draw: Callable[..., Any] = lambda shape, rng: rng.normal(size=shape)
    keeps_mask: bool = False
    configuration: bool = True
    shapes: bool = True
    nested: bool = False
    renamed: bool = False
    order: tuple[int, ...] = ()
    tolerance: float = 1.0

    def make(self, classes: Mapping[str, Any], **more: Any) -> Any:
        """The layer of one side."""
        arguments = self.arguments(classes) if callable(self.arguments) else self.arguments
        return classes[self.name](**{**arguments, **more})

    def arrays(self, shapes: Any, rng: np.random.Generator, dtype: str) -> Any:
        """Random arrays of the given shapes."""

        def one(shape: tuple[int, ...]) -> np.ndarray:
            values = rng.integers(0, self.ids, shape) if self.ids else self.draw(shape, rng)
            return values.astype("int32" if self.ids else dtype)

        return map_shapes(one, shapes)

    def masks(self, rng: np.random.Generator) -> dict[str, Any]:
        """Random masks and flags by name, none of them all False."""
        found = {name: _flags(shape, rng, True) for name, shape in self.flags.items()}
        if isinstance(self.mask, tuple):
            shapes = {"query_mask": 0, "value_mask": 1, "key_mask": 2}
            return found | {name: _flags(self.inputs[shapes[name]][:2], rng, True) for name in self.mask}
        if self.mask:
            cut = None if self.mask == "full" else 2
            first = isinstance(self.inputs[0], list)
            found["mask"] = map_shapes(lambda shape: _flags(shape[:cut], rng, first), self.inputs[0])
        return found


def case(name: str, arguments: Any, *shapes: Any, apart: bool = False, several: bool = False, **options: Any) -> Case:
    """A case; more than one shape makes a layer of a list of inputs, or `apart` one of several arguments."""
    inputs = shapes if apart or not (several or len(shapes) > 1) else (list(shapes),)
    return Case(name, arguments, inputs, **options)


def _is_shape(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(size, int) for size in value)


def map_shapes(function: Callable[..., Any], shapes: Any) -> Any:
    """A structure of what the function makes of the shapes in a structure."""
    return jax.tree.map(function, shapes, is_leaf=_is_shape)


def _flags(shape: tuple[int, ...], rng: np.random.Generator, first: bool) -> np.ndarray:
    """Truth values, at least one of a row True: the first, which a causal mask leaves, or any."""
    flags = rng.random(shape) > 0.4
    place = np.zeros(shape[:-1], int) if first else rng.integers(0, shape[-1], shape[:-1])
    np.put_along_axis(flags, place[..., None], True, -1)
    return flags


def is_first(cases: Mapping[str, Case], name: str) -> bool:
    """Whether a case is the first of its class in a table; that one runs uncompiled too."""
    return next(key for key, one in cases.items() if one.name == cases[name].name) == name


def check(case: Case, rng: np.random.Generator, eager: bool = True) -> None:
    """All of the contract.

    The parts that compile come first, so that a failure shows the numbers. Without `eager` the layer runs compiled only,
    which is faster.
    """
    try:
        check_numbers(case, rng, eager=eager)
        if case.configuration:
            check_configuration(case)
        if case.shapes:
            check_shapes(case)
            check_types(case)
    except Exception as error:
        error.add_note(f"in the case {case}")
        raise


def check_precisions(case: Case, rng: np.random.Generator, exactness: float = EXACTNESS["float64"][0]) -> None:
    """The numbers in other types than float32.

    Where Keras computes a function in float32 all the same, `SOME_FLOAT32` is how exact it is in float64.
    """
    try:
        with jax.enable_x64(True):
            check_numbers(
                dataclasses.replace(case, tolerance=exactness / EXACTNESS["float64"][0]), rng, "float64", False
            )
        check_numbers(case, rng, "mixed_bfloat16", False)
    except Exception as error:
        error.add_note(f"in the case {case}")
        raise


@contextmanager
def policy(dtype: str) -> Iterator[None]:
    """Keras with another type: layers inside of others do not take that of the layer around them, as ours do."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def quick(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function compiled, quickly rather than well."""
    return jax.jit(function, compiler_options={"xla_backend_optimization_level": 0})


def built(layer: Any, *shapes: Any) -> Any:
    """A layer of Keras with weights that have no values yet, which the contract gives; drawing them takes long."""
    shapes = shapes[: len(inspect.signature(layer.build).parameters)]
    if getattr(layer, "stateful", False):  # whose states need values
        layer.build(*shapes)
        return layer
    with keras.StatelessScope(initialize_variables=False):
        layer.build(*shapes)
    global_state.set_global_attribute("uninitialized_variables", [])
    return layer


def nested(described: Any, values: list[Any]) -> dict[str, Any]:
    """Variables of ours with the given values, which come in Keras's order."""
    variables: dict[str, Any] = {"params": {}, "state": {}}
    for weight, value in zip(described, values, strict=True):
        place = variables[weight.collection]
        for name in weight.path[:-1]:
            place = place.setdefault(name, {})
        place[weight.path[-1]] = jnp.asarray(value)
    return variables


def in_order(described: Any, variables: Mapping[str, Any], collection: str) -> list[Any]:
    """The leaves of one collection of variables (or of their gradients) in Keras's order."""
    leaves = []
    for weight in described:
        if weight.collection == collection:
            place = variables[collection]
            for name in weight.path:
                place = place[name]
            leaves.append(place)
    return leaves


def same(one: Any, other: Any) -> None:
    """Equal, and shown where not."""
    assert one == other, f"ours:   {one}\nKeras's: {other}"


def _summed(outputs: Any) -> jax.Array:
    return sum(jnp.sum(jnp.sin(y.astype(jnp.promote_types(y.dtype, "float32")))) for y in jax.tree.leaves(outputs))


def _takes(layer: Any, name: str) -> bool:
    return name in inspect.signature(layer.call).parameters


def check_numbers(case: Case, rng: np.random.Generator, dtype: str = "float32", eager: bool = True) -> None:
    """Weights, outputs, state, gradients, masks; compiled and not."""
    more = {} if dtype == "float32" else {"dtype": dtype}
    tolerance, differentiate = EXACTNESS[dtype]
    tolerance, kind = tolerance * case.tolerance, "float64" if dtype == "float64" else "float32"
    ours = case.make(OURS, **more)
    with policy(dtype):
        theirs = case.make(THEIRS)
    args, named = case.arrays(case.inputs, rng, kind), case.arrays(dict(case.named), rng, kind)
    masks = case.masks(rng)
    built(theirs, *map_shapes(tuple, case.inputs))
    call = {**case.call, **{name: mask for name, mask in masks.items() if _takes(ours, name)}}
    described = describe(ours, *args, **named, **call).weights
    # Keras counts weights without gradients (seeds of random numbers) as weights of the layer; these have no numbers.
    expected = [w for w in theirs.weights if not w.path.endswith("seed_generator_state")]
    expected = [expected[i] for i in case.order] or expected
    prefix, first = theirs.name + "/", -1 if case.nested else 0
    if not case.renamed:
        same(
            ["/".join(w.path[first:]) for w in described],
            ["/".join(w.path.removeprefix(prefix).split("/")[first:]) for w in expected],
        )
    same([w.shape for w in described], [tuple(w.shape) for w in expected])
    values = [_weight_value(w, rng).astype(kind) for w in described]
    variables = nested(described, values)
    once = not (_takes(ours, "training") or _takes(theirs, "training") or theirs.non_trainable_variables)
    passes = (True,) if case.training == "only" else (False,) if once or not case.training else (False, True)
    args, named, values = jax.tree.map(jnp.asarray, (args, named, values))
    random = {False: {"training": False}, True: {"training": True, "rng": jax.random.key(0)}}
    order = {id(w): i for i, w in enumerate(expected)}

    def our_loss(params: Any, inputs: Any) -> Any:
        args, named = inputs
        results = [
            ours.apply({**variables, "params": params}, *args, **random[training], return_state=True, **named, **call)
            for training in passes
        ]
        return sum(_summed(outputs) for outputs, _ in results), results

    def their_loss(weights: list[Any], inputs: Any) -> Any:
        args, named = inputs
        trained = [weights[order[id(w)]] for w in theirs.trainable_variables]
        fixed = [weights[order[id(w)]] if id(w) in order else w.value for w in theirs.non_trainable_variables]
        given = {**named, **{name: value for name, value in call.items() if name not in case.attached}}
        results = []
        for training in passes:
            for name in case.attached:
                keras.src.backend.set_keras_mask(args[0], jnp.asarray(call[name]))
            told = {"training": training} if _takes(theirs, "training") else {}
            results.append(theirs.stateless_call(trained, fixed, *args, **given, **told))
        return sum(_summed(outputs) for outputs, _ in results), results

    def both(params: Any, values: list[Any], inputs: Any) -> Any:
        if not differentiate:
            return (None, our_loss(params, inputs)[1]), (None, their_loss(values, inputs)[1])
        counted = 0 if case.ids else (0, 1)
        one, other = (jax.grad(loss, counted, has_aux=True) for loss in (our_loss, their_loss))
        return one(params, inputs), other(values, inputs)

    (gradients, results), (their_gradients, their_results) = quick(both)(variables["params"], values, (args, named))
    for (outputs, state), (wanted_outputs, wanted_state) in zip(results, their_results, strict=True):
        # `check_types` compares the types that Keras infers; what it computes is not always of that type.
        assert_close(outputs, wanted_outputs, tolerance, types=dtype == "float32")
        kept = {id(w): value for w, value in zip(theirs.non_trainable_variables, wanted_state, strict=True)}
        states = [kept[id(w)] for w, mine in zip(expected, described, strict=True) if mine.collection == "state"]
        assert_close(in_order(described, {"state": variables["state"] | state}, "state"), states, tolerance)
    if differentiate:
        pair = (gradients, their_gradients) if not case.ids else ((gradients, ()), (their_gradients, ()))
        (of_params, of_inputs), (their_params, their_inputs) = pair
        their_params = [g for g, mine in zip(their_params, described, strict=True) if mine.collection == "params"]
        assert_close_gradients(
            (in_order(described, {"params": of_params}, "params"), of_inputs), (their_params, their_inputs), tolerance
        )
    if eager:
        assert_close(ours.apply(variables, *args, **random[passes[0]], **named, **call), results[0][0], tolerance)
    if dtype == "float32" and not case.named and not case.call:
        _check_masks(case, ours, theirs, args[0], masks.get("mask"))


def _weight_value(weight: Any, rng: np.random.Generator) -> np.ndarray:
    value = rng.normal(size=weight.shape, scale=0.5)
    # A spread is positive.
    return np.abs(value) + 0.5 if "variance" in weight.path[-1] or "stddev" in weight.path[-1] else value


def assert_close(one: Any, other: Any, tolerance: float, types: bool = True) -> None:
    """Leaf by leaf the same shapes, types and, nearly, numbers."""
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        same((a.shape, a.dtype if types else None), (b.shape, b.dtype if types else None))
        if jnp.issubdtype(a.dtype, jnp.floating):
            a, b = (np.asarray(v, "float64") for v in (a, b))
        np.testing.assert_allclose(a, b, atol=tolerance, rtol=tolerance)


def assert_close_gradients(one: Any, other: Any, tolerance: float) -> None:
    """Leaf by leaf nearly the same, measured by the largest value of each."""
    pairs = list(zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True))
    sizes = [float(np.max(np.abs(b), initial=0.0)) for _, b in pairs]
    for (a, b), size in zip(pairs, sizes, strict=True):
        same((a.shape, a.dtype), (b.shape, b.dtype))
        atol = tolerance * max(size, 0.01 * max(sizes))
        np.testing.assert_allclose(a, b, atol=atol, rtol=tolerance, err_msg="gradients")


def _check_masks(case: Case, ours: Any, theirs: Any, inputs: Any, masks: Any) -> None:
    if not case.keeps_mask:
        # A layer of ours with a `compute_mask` of its own decides there.
        decides = type(ours).compute_mask is not layers.Layer.compute_mask
        same(ours.supports_masking or (decides and theirs.supports_masking), theirs.supports_masking)
    masks = jax.tree.map(jnp.asarray, masks)
    mask = ours.compute_mask(inputs, masks)
    expected = theirs.compute_mask(inputs, masks) if theirs.supports_masking or case.keeps_mask else None
    for one, other in zip(jax.tree.leaves(mask), jax.tree.leaves(expected), strict=True):
        np.testing.assert_array_equal(one, other)


def check_configuration(case: Case) -> None:
    """The same configuration on both sides, from which either side makes its layer."""
    # A layer that says nothing of its type is written with that of the model around it.
    ours, theirs = (case.make(classes, name="it", dtype="float32") for classes in (OURS, THEIRS))
    config, expected = ours.get_config(), theirs.get_config()
    for key in sorted({*config, *expected}):
        same((key, _plain(config.get(key, "absent"))), (key, _plain(expected.get(key, "absent"))))
    same(_plain(type(ours).from_config(config).get_config()), _plain(config))
    if not case.nested:
        same(type(ours).from_config(config), case.make(OURS, name="it", dtype="float32"))
    same(_plain(type(ours).from_config(expected).get_config()), _plain(expected))
    same(_plain(type(theirs).from_config(config).get_config()), _plain(expected))


def _plain(value: Any) -> Any:
    """A configuration's value with the differences removed that mean nothing: tuples are lists, names of inner layers
    count up in the whole program, shapes that it was built for are a hint, and Keras writes some numbers as float32."""
    if isinstance(value, float):
        return float(np.float32(value))
    if isinstance(value, Mapping):
        kept = {k: _plain(v) for k, v in value.items() if k not in ("name", "build_config")}
        if kept.get("class_name") == "DTypePolicy":
            return value["config"]["name"]
        return kept
    return [_plain(v) for v in value] if isinstance(value, (list, tuple)) else value


def check_shapes(case: Case) -> None:
    """The shape of the output where batch and other sizes are unknown."""
    dtype = "int32" if case.ids else "float32"
    for unknown in {(), case.unknown}:

        def open_shape(shape: tuple[int, ...], unknown: tuple[int, ...] = unknown) -> Any:
            return _Shape(case.batch if i == 0 else None if i in unknown else n for i, n in enumerate(shape))

        args = map_shapes(open_shape, list(case.inputs))
        named = map_shapes(lambda shape, open_shape=open_shape: open_shape(shape, ()), dict(case.named))
        mine, other = (
            jax.tree.map(lambda shape, make=make: make(batch_shape=shape.sizes, dtype=dtype), (args, named))
            for make in (layers.Input, keras.Input)
        )
        theirs = built(case.make(THEIRS), *jax.tree.map(lambda shape: shape.sizes, args))
        outputs = case.make(OURS)(*mine[0], **mine[1], **case.call)
        expected = theirs(*other[0], **other[1], **case.call)
        same(
            [(tuple(y.shape), str(y.dtype)) for y in jax.tree.leaves(outputs)],
            [(tuple(y.shape), y.dtype) for y in keras.tree.flatten(expected)],
        )


class _Shape:
    """A shape with unknown sizes, one leaf of a tree."""

    def __init__(self, sizes: Any):
        self.sizes = tuple(sizes)


def check_types(case: Case) -> None:
    """Weights stay float32 and outputs have the compute type under mixed precision."""
    dtype = jnp.dtype("int32" if case.ids else "float32")
    inputs = (list(case.inputs), dict(case.named))
    args, named = map_shapes(lambda shape: jax.ShapeDtypeStruct(shape, dtype), inputs)
    found = describe(case.make(OURS, dtype="mixed_bfloat16"), *args, **named, **case.call)
    args, named = map_shapes(lambda shape: keras.Input(batch_shape=shape, dtype=dtype.name), inputs)
    with policy("mixed_bfloat16"):
        theirs = built(case.make(THEIRS), *case.inputs)
    expected = theirs(*args, **named, **case.call)
    same([y.dtype.name for y in jax.tree.leaves(found.outputs)], [y.dtype for y in keras.tree.flatten(expected)])
    assert {str(w.dtype) for w in found.weights} <= {"float32"}


def check_signature(name: str) -> None:
    """The constructor's arguments: names, order, defaults."""
    theirs = [
        p for p in list(inspect.signature(THEIRS[name].__init__).parameters.values())[1:] if p.kind is not p.VAR_KEYWORD
    ]
    expected = {p.name: p.default for p in theirs}
    parameters = inspect.signature(OURS[name]).parameters.values()
    # What Keras takes out of `**kwargs` is named, by keyword only, on our side.
    ours = {p.name: p.default for p in parameters if p.name in expected or p.kind is not p.KEYWORD_ONLY}
    same(list(ours.items()), list(expected.items()))
