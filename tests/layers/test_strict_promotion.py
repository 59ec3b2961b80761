"""No layer promotes types by accident: every layer's program is legal under JAX's strict rules, forwards and backwards."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jkeras.graph import passes
from tests.layers.contract import OURS
from tests.layers.covered import all_cases

CASES = list(all_cases())
# In 16 bits these call functions of JAX that promote by themselves.
ATTENTION = "jax.nn.dot_product_attention"
SAMPLING = "jax.scipy.ndimage.map_coordinates"
PROMOTING = {
    **dict.fromkeys(("Attention", "MultiHeadAttention", "GroupQueryAttention"), ATTENTION),
    **dict.fromkeys(("RandomRotation", "RandomZoom", "RandomTranslation"), SAMPLING),
}
SEEN: dict[str, int] = {}


def names():
    """A name for each case: the class, numbered."""
    for case in CASES:
        SEEN[case.name] = SEEN.get(case.name, 0) + 1
        yield f"{case.name}-{SEEN[case.name]}"


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("case", CASES, ids=list(names()))
def test_strict_promotion(case, policy):
    if policy != "float32" and case.name in PROMOTING:
        pytest.skip(PROMOTING[case.name])
    layer = case.make(OURS, dtype=policy)
    rng = np.random.default_rng(0)
    inputs = [case.arrays(shapes, rng, "float32") for shapes in case.inputs]
    named = {name: case.arrays(shapes, rng, "float32") for name, shapes in case.named.items()}
    options = {**case.call, **jax.tree.map(jnp.asarray, case.masks(rng)), **named}

    def loss(params, state, training):
        variables = {"params": params, "state": state}
        result, _ = passes.run(layer, variables, tuple(inputs), options, training=training, rng=jax.random.key(0))
        floats = [leaf for leaf in jax.tree.leaves(result.outputs) if jnp.issubdtype(leaf.dtype, jnp.floating)]
        return sum((jnp.sum(leaf.astype(jnp.float32)) for leaf in floats), jnp.float32(0))

    with jax.numpy_dtype_promotion("strict"):
        variables = jax.eval_shape(lambda: passes.run(layer, None, tuple(inputs), options, rng=jax.random.key(0))[1])
        for training in (False, True):
            jax.eval_shape(lambda v, t=training: jax.grad(loss)(v["params"], v["state"], t), variables)
