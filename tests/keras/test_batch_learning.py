"""Layers that learn batch by batch, by Keras's three methods, and what overrides of these do."""

import keras as oracle
import numpy as np
import pytest

import jkeras.keras as keras

LAYERS = {
    "strings": (lambda: keras.layers.StringLookup(), [["a", "b", "a"], ["c", "a", "b"]], ["[UNK]", "a", "b", "c"]),
    "integers": (lambda: keras.layers.IntegerLookup(), [[5, 7, 7], [7]], [-1, 7, 5]),
    "texts": (lambda: keras.layers.TextVectorization(), [["a b", "b"], ["b c c"]], ["", "[UNK]", "b", "c", "a"]),
}


@pytest.mark.parametrize("name", LAYERS)
def test_vocabulary_of_batches(name):
    make, batches, vocabulary = LAYERS[name]
    layer, adapted = make(), make()
    for batch in batches:
        layer.update_state(np.array(batch))
    layer.finalize_state()
    adapted.adapt(iter([np.array(batch) for batch in batches]))
    assert layer.get_vocabulary() == adapted.get_vocabulary() == vocabulary
    layer.update_state(np.array(batches[0]))  # goes on
    layer.finalize_state()
    assert len(layer.get_vocabulary()) == len(vocabulary)
    layer.reset_state()
    assert layer.get_vocabulary() == make().get_vocabulary()


def test_weights_of_terms_by_documents():
    layer = keras.layers.StringLookup(output_mode="tf_idf")
    layer.update_state(np.array([["a", "b"], ["a", "c"]]))
    layer.finalize_state()
    assert layer.get_vocabulary() == ["[UNK]", "a", "c", "b"]
    np.testing.assert_allclose(layer.idf_weights[1:], np.log([1 + 2 / 3, 2, 2]), rtol=1e-6)


@pytest.mark.parametrize("learnt", [True, False])
@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count"])
@pytest.mark.parametrize("shape", [(2, 3, 5), (2, 3, 1), (2, 3), (2, 1), (3,)])
def test_bins(shape, mode, learnt):
    results = []
    for library in (keras, oracle):
        layer = library.layers.Discretization(num_bins=4, output_mode=mode)
        shapes = [layer.compute_output_shape(shape), tuple(layer(library.Input(batch_shape=shape)).shape)]
        layer.update_state(np.arange(10.0))
        layer.update_state(np.arange(3.0))
        if not learnt:
            layer.reset_state()
            layer.update_state(np.arange(5.0))
        layer.finalize_state()
        values = np.arange(float(np.prod(shape))).reshape(shape)
        results.append((shapes, layer.bin_boundaries, layer.summary, layer(values), layer.output_dtype))
    assert results[0][0] == results[1][0]
    assert results[0][4] == results[1][4]
    for mine, theirs in zip(results[0][1:4], results[1][1:4], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6)


@pytest.mark.parametrize("mode", ["multi_hot", "count"])
@pytest.mark.parametrize("shape", [(2, 3, 5), (2, 3, 1), (2, 3), (3,)])
def test_encodings_of_any_rank(shape, mode):
    ids = np.random.default_rng(0).integers(0, 4, shape)
    mine, theirs = (library.layers.CategoryEncoding(4, output_mode=mode)(ids) for library in (keras, oracle))
    np.testing.assert_array_equal(mine, theirs)


def test_adapt_calls_what_a_subclass_overrides():
    class Lowered(keras.layers.StringLookup):
        def update_state(self, data):
            super().update_state(np.char.lower(data))

    layer = Lowered()
    layer.adapt(np.array(["A", "a", "b"]))
    assert layer.get_vocabulary() == ["[UNK]", "a", "b"]
