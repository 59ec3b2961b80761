"""What every layer must have in common with Keras's layer of the same name: the one contract, run over tables of cases.

A case is `case(class name, arguments, shape, **options)`; `check` runs all of it:

- weights: names, shapes and order
- outputs in inference and in training, updated state, gradients of weights and inputs, masks
- compiled equals not compiled
- configuration: keys and values, read by either side
- shapes with an unknown batch size, and further unknown axes
- types under mixed precision
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

import jkeras.graph.runtime as runtime
from jkeras import layers
from jkeras.layers import einsum_dense, upsampling

OURS: Mapping[str, Any] = {
    **{name: getattr(layers, name) for name in dir(layers)},
    **vars(einsum_dense),
    **vars(upsampling),
}
THEIRS = vars(keras.layers)


@dataclasses.dataclass(frozen=True)
class Case:
    """One layer, its arguments, its input.

    Attributes:
        name: the class, the same on both sides.
        arguments: of the constructor; a function gets the classes of one side and returns them (for layers inside).
        shapes: of the inputs, batch axis first.
        several: whether the layer takes a list of inputs.
        mask: whether a mask comes along: of the first two axes (True) or of the whole input ("full").
        training: whether the layer does the same as Keras's in training, as it does unless it draws random numbers.
        ids: inputs are integers below this; 0 for floats.
        unknown: axes of unknown size in the symbolic check, besides the batch.
        draw: makes a float input from a shape and a generator.
        keeps_mask: whether the layer passes a mask on that Keras's drops.
        tolerance: of all numbers.
    """

    name: str
    arguments: Any
    shapes: tuple[tuple[int, ...], ...]
    several: bool = False
    mask: Any = False
    training: bool = True
    ids: int = 0
    unknown: tuple[int, ...] = ()
    draw: Callable[..., Any] = lambda shape, rng: rng.normal(size=shape)
    keeps_mask: bool = False
    tolerance: float = 1e-5

    def make(self, classes: Mapping[str, Any], **more: Any) -> Any:
        """The layer of one side."""
        arguments = self.arguments(classes) if callable(self.arguments) else self.arguments
        return classes[self.name](**arguments, **more)

    def inputs(self, rng: np.random.Generator) -> Any:
        """Random inputs."""
        arrays = [
            rng.integers(0, self.ids, shape).astype("int32") if self.ids else self.draw(shape, rng).astype("float32")
            for shape in self.shapes
        ]
        return arrays if self.several else arrays[0]

    def masks(self, rng: np.random.Generator) -> Any:
        """Random masks, none of them all False; None where the case has none."""
        if not self.mask:
            return None
        masks = []
        for shape in self.shapes:
            mask = rng.random(shape if self.mask == "full" else shape[:2]) > 0.4
            mask[:, 0] = True
            masks.append(mask)
        return masks if self.several else masks[0]


def case(name: str, arguments: Any, *shapes: tuple[int, ...], **options: Any) -> Case:
    """A case; more than one shape makes a layer of several inputs."""
    return Case(name, arguments, shapes, **{"several": len(shapes) > 1, **options})


def check(case: Case, rng: np.random.Generator) -> None:
    """All of the contract.

    The parts that compile come first, so that a failure shows the numbers.
    """
    check_numbers(case, rng)
    check_configuration(case)
    check_shapes(case)
    check_types(case)


def quick(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function compiled, quickly rather than well."""
    return jax.jit(function, compiler_options={"xla_backend_optimization_level": 0})


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
    return sum(jnp.sum(jnp.sin(y)) for y in jax.tree.leaves(outputs))


def _takes_mask(layer: Any) -> bool:
    return "mask" in inspect.signature(layer.call).parameters


def check_numbers(case: Case, rng: np.random.Generator) -> None:
    """Weights, outputs, state, gradients, masks; compiled and not."""
    ours, theirs = case.make(OURS), case.make(THEIRS)
    inputs, masks = case.inputs(rng), case.masks(rng)
    theirs.build([x.shape for x in inputs] if case.several else inputs.shape)
    described = runtime.describe(ours, inputs).weights
    prefix = theirs.name + "/"
    # Keras counts weights without gradients (seeds of random numbers) as weights of the layer; these have no numbers.
    wanted = [w for w in theirs.weights if not w.path.endswith("seed_generator_state")]
    same(["/".join(w.path) for w in described], [w.path.removeprefix(prefix) for w in wanted])
    same([w.shape for w in described], [tuple(w.shape) for w in wanted])
    values = [_weight_value(w, rng) for w in described]
    variables = nested(described, values)
    passes = (False, True) if case.training else (False,)
    call = {"mask": masks} if masks is not None and _takes_mask(ours) else {}
    inputs = jax.tree.map(jnp.asarray, inputs)
    order = {id(w): i for i, w in enumerate(wanted)}

    def our_loss(params: Any, inputs: Any) -> Any:
        results = [
            ours.apply({**variables, "params": params}, inputs, training=training, return_state=True, **call)
            for training in passes
        ]
        return sum(_summed(outputs) for outputs, _ in results), results

    def their_loss(weights: list[Any], inputs: Any) -> Any:
        trained = [weights[order[id(w)]] for w in theirs.trainable_variables]
        fixed = [weights[order[id(w)]] if id(w) in order else w.value for w in theirs.non_trainable_variables]
        takes_training = "training" in inspect.signature(theirs.call).parameters
        results = [
            theirs.stateless_call(trained, fixed, inputs, **({"training": training} if takes_training else {}), **call)
            for training in passes
        ]
        return sum(_summed(outputs) for outputs, _ in results), results

    def both(params: Any, values: list[Any], inputs: Any) -> Any:
        if case.ids:
            one, other = jax.grad(our_loss, has_aux=True), jax.grad(their_loss, has_aux=True)
        else:
            one = jax.grad(our_loss, (0, 1), has_aux=True)
            other = jax.grad(their_loss, (0, 1), has_aux=True)
        return one(params, inputs), other(values, inputs)

    (gradients, results), (their_gradients, their_results) = quick(both)(variables["params"], values, inputs)
    gradients = (gradients, ()) if case.ids else gradients
    their_gradients = (their_gradients, ()) if case.ids else their_gradients
    close = lambda one, other: _assert_close(one, other, case.tolerance)  # noqa: E731
    for (outputs, state), (wanted_outputs, wanted_state) in zip(results, their_results, strict=True):
        close(outputs, wanted_outputs)
        kept = {id(w): value for w, value in zip(theirs.non_trainable_variables, wanted_state, strict=True)}
        states = [kept[id(w)] for w, mine in zip(wanted, described, strict=True) if mine.collection == "state"]
        close(in_order(described, {"state": variables["state"] | state}, "state"), states)
    of_params = [g for g, mine in zip(their_gradients[0], described, strict=True) if mine.collection == "params"]
    close(in_order(described, {"params": gradients[0]}, "params"), of_params)
    close(gradients[1], their_gradients[1])
    close(ours.apply(variables, inputs, **call), results[0][0])
    _check_masks(case, ours, theirs, inputs, masks)


def _weight_value(weight: Any, rng: np.random.Generator) -> np.ndarray:
    value = rng.normal(size=weight.shape, scale=0.5).astype("float32")
    # A variance is positive.
    return np.abs(value) + 0.5 if "variance" in weight.path[-1] else value


def _assert_close(one: Any, other: Any, tolerance: float) -> None:
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        same((a.shape, a.dtype), (b.shape, b.dtype))
        np.testing.assert_allclose(a, b, atol=tolerance, rtol=tolerance)


def _check_masks(case: Case, ours: Any, theirs: Any, inputs: Any, masks: Any) -> None:
    if not case.keeps_mask:
        # A layer of ours with a `compute_mask` of its own decides there.
        decides = type(ours).compute_mask is not layers.Layer.compute_mask
        same(ours.supports_masking or decides and theirs.supports_masking, theirs.supports_masking)
    masks = jax.tree.map(jnp.asarray, masks)
    mask = ours.compute_mask(inputs, masks)
    wanted = theirs.compute_mask(inputs, masks) if theirs.supports_masking or case.keeps_mask else None
    same(mask is None, wanted is None)
    if mask is not None:
        np.testing.assert_array_equal(mask, wanted)


def check_configuration(case: Case) -> None:
    """The same configuration on both sides, from which either side makes its layer."""
    # A layer that says nothing of its type is written with that of the model around it.
    ours, theirs = (case.make(classes, name="it", dtype="float32") for classes in (OURS, THEIRS))
    config, wanted = ours.get_config(), theirs.get_config()
    same(_plain(config), _plain(wanted))
    same(type(ours).from_config(config), ours)
    same(type(ours).from_config(wanted), ours)
    same(_plain(type(theirs).from_config(config).get_config()), _plain(wanted))


def _plain(value: Any) -> Any:
    """A configuration's value with the differences removed that mean nothing: tuples are lists, names of inner layers
    count up in the whole program, shapes that it was built for are a hint."""
    if isinstance(value, Mapping):
        kept = {k: _plain(v) for k, v in value.items() if k not in ("name", "build_config")}
        if kept.get("class_name") == "DTypePolicy":
            return kept["config"], value["config"]["name"]
        return kept
    return [_plain(v) for v in value] if isinstance(value, (list, tuple)) else value


def check_shapes(case: Case) -> None:
    """The shape of the output where batch and other sizes are unknown."""
    for unknown in {(), case.unknown}:
        shapes = [tuple(None if i in unknown else n for i, n in enumerate(shape))[1:] for shape in case.shapes]
        dtype = "int32" if case.ids else "float32"
        mine, other = ([make(shape, dtype=dtype) for shape in shapes] for make in (layers.Input, keras.Input))
        outputs = case.make(OURS)(mine if case.several else mine[0])
        wanted = case.make(THEIRS)(other if case.several else other[0])
        same(
            [(tuple(y.shape), str(y.dtype)) for y in jax.tree.leaves(outputs)],
            [(tuple(y.shape), y.dtype) for y in keras.tree.flatten(wanted)],
        )


def check_types(case: Case) -> None:
    """Weights stay float32 and outputs have the compute type under mixed precision."""
    dtype = jnp.dtype("int32" if case.ids else "float32")
    specs = [jax.ShapeDtypeStruct(shape, dtype) for shape in case.shapes]
    found = runtime.describe(case.make(OURS, dtype="mixed_bfloat16"), specs if case.several else specs[0])
    theirs = [keras.Input(batch_shape=shape, dtype=dtype.name) for shape in case.shapes]
    wanted = case.make(THEIRS, dtype="mixed_bfloat16")(theirs if case.several else theirs[0])
    same([y.dtype.name for y in jax.tree.leaves(found.outputs)], [y.dtype for y in keras.tree.flatten(wanted)])
    assert {str(w.dtype) for w in found.weights} <= {"float32"}


def check_signature(name: str) -> None:
    """The constructor's arguments: names, order, defaults."""
    theirs = [
        p for p in list(inspect.signature(THEIRS[name].__init__).parameters.values())[1:] if p.kind is not p.VAR_KEYWORD
    ]
    wanted = {p.name: p.default for p in theirs}
    parameters = inspect.signature(OURS[name]).parameters.values()
    # What Keras takes out of `**kwargs` is named, by keyword only, on our side.
    ours = {p.name: p.default for p in parameters if p.name in wanted or p.kind is not p.KEYWORD_ONLY}
    same(list(ours.items()), list(wanted.items()))
