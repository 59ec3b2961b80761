"""A small training problem on which our optimizers and Keras's are run side by side."""

import functools

import jax
import jax.numpy as jnp
import keras
import numpy as np
import optax

SHAPES = {
    "embedding/embeddings": (6, 5),
    "dense/kernel": (5, 4),
    "dense/bias": (4,),
    "dense_1/kernel": (4, 3),
    "dense_1/bias": (3,),
    "quadratic/w": (7,),
}
STEPS = 20

_rng = np.random.default_rng(7)
_tokens = _rng.integers(0, 6, 16)
_targets = _rng.normal(size=(16, 3)).astype("float32")
_curvature = np.diag(np.linspace(0.1, 3, 7)).astype("float32") + 0.05


def start():
    """The first weights, in Keras's order."""
    rng = np.random.default_rng(3)
    return {path: (0.5 * rng.normal(size=shape)).astype("float32") for path, shape in SHAPES.items()}


def loss(params):
    """A network of an embedding and two dense layers, and a quadratic."""
    hidden = jnp.tanh(params["embedding/embeddings"][_tokens] @ params["dense/kernel"] + params["dense/bias"])
    outputs = hidden @ params["dense_1/kernel"] + params["dense_1/bias"]
    w = params["quadratic/w"] - 1
    return jnp.mean(jnp.square(outputs - _targets)) + w @ _curvature @ w


gradient = jax.jit(jax.grad(loss))


@functools.partial(jax.jit, static_argnums=0)
def _run(optimizer, params, state, gradients):
    def step(carry, gradient):
        params, state = carry
        updates, state = optimizer.update(gradient, state, params)
        return (optax.apply_updates(params, updates), state), None

    return jax.lax.scan(step, (params, state), gradients)[0]


def run_ours(optimizer, gradients):
    """Weights and state after the given gradients, stacked per weight; one compilation per `compile_key`."""
    params = jax.tree.map(jnp.asarray, start())
    return _run(optimizer.compile_key(), params, optimizer.init(params), gradients)


def keras_weights():
    """The first weights as Keras variables with the same paths."""
    variables = {}
    for path, value in start().items():
        layer, name = path.split("/")
        with keras.name_scope(layer):
            variables[path] = keras.Variable(value, name=name)
    return variables


def run_keras(optimizer, steps=STEPS):
    """Trains with Keras. The weights at the end, and the gradients on the way, stacked per weight.

    Our optimizers get those same gradients: at a gradient near zero a step of RMSprop or Lion is so steep a function
    of it that rounding alone would drive two correct runs apart.
    """
    variables = keras_weights()
    optimizer.build(list(variables.values()))
    apply = jax.jit(optimizer.stateless_apply)
    weights, state = [v.value for v in variables.values()], [v.value for v in optimizer.variables]
    seen = []
    for _ in range(steps):
        seen.append(gradient(dict(zip(variables, weights, strict=True))))
        weights, state = apply(state, [seen[-1][path] for path in variables], weights)
    for variable, value in zip(optimizer.variables, state, strict=True):
        variable.assign(value)
    return dict(zip(variables, map(np.asarray, weights), strict=True)), jax.tree.map(lambda *g: jnp.stack(g), *seen)


def assert_close(ours, theirs, tolerance=1e-5):
    """Equal to `tolerance` of the largest entry of each array."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance * max(np.abs(theirs).max(initial=0), 1e-30))
