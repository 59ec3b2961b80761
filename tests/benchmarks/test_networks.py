"""Hand-written networks of the benchmarks are those that jkeras trains: as many weights, the same shape of outputs."""

import jax
import pytest

import jkeras as jk
from benchmarks.large import ALL as WORKLOADS
from benchmarks.large import LARGE
from benchmarks.peers import jax_networks

TRAINED = [name for name, workload in WORKLOADS.items() if workload.task == "fit" and name not in LARGE]
# PyTorch's recurrent layers have a second bias vector; its GRU then agrees with Keras's, which has two as well.
SECOND_BIAS = {"lstm": 4 * 64}


@pytest.fixture(scope="module")
def models():
    return {name: WORKLOADS[name].build(jk) for name in TRAINED}


def size(tree):
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


@pytest.mark.parametrize("name", TRAINED)
def test_in_plain_jax(models, name):
    init, logits = jax_networks.network(name)
    key, x = jax.random.key(0), jax.ShapeDtypeStruct((2, *WORKLOADS[name].shape), WORKLOADS[name].data()[0].dtype)
    params, averages = jax.eval_shape(init, key)
    assert size((params, averages)) == models[name].count_params()
    made, kept = jax.eval_shape(lambda p, a, x: logits(p, a, x, key, True), params, averages, x)
    assert made.shape == (2, *models[name].output_shape[1:])
    assert jax.tree.structure(kept) == jax.tree.structure(averages)


@pytest.mark.parametrize("name", TRAINED)
def test_in_torch(models, name):
    torch = pytest.importorskip("torch")
    from benchmarks.peers import torch_networks

    network = torch_networks.network(name)
    averages = [part for key, part in network.named_buffers() if "running" in key]
    found = sum(part.numel() for part in [*network.parameters(), *averages])
    assert found == models[name].count_params() + SECOND_BIAS.get(name, 0)
    x = torch.from_numpy(WORKLOADS[name].data()[0][:2])
    assert tuple(network(x).shape) == (2, *models[name].output_shape[1:])
