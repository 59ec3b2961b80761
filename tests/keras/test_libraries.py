"""Habits of libraries that are written for Keras, each as they write it."""

import importlib
import sys
import types

import keras as real
import numpy as np
import pytest

import jkeras.keras as keras
from jkeras.imports import keras_imports
from jkeras.keras import layers


class Pipeline(keras.Model):
    """A model that is functional or not, whichever its subclasses are, and sets its base back for the next of them."""

    def __init__(self, *args, **kwargs):
        Pipeline.__bases__ = (keras.Model,)
        super().__init__(*args, **kwargs)


class Classifier(Pipeline):
    def __init__(self, width):
        inputs = keras.Input((3,))
        super().__init__(inputs, layers.Dense(width)(inputs))


class Generator(Pipeline):
    def __init__(self, width):
        inputs = keras.Input((2,))
        super().__init__(inputs, layers.Dense(width)(inputs))


def test_bases_that_are_set_back():
    models = [Classifier(2), Generator(4), Classifier(3)]
    assert [model.output_shape for model in models] == [(None, 2), (None, 4), (None, 3)]
    assert all(isinstance(model, keras.models.Functional) for model in models)


def test_masks_by_hand():
    backend = keras.src.backend
    tensor = keras.ops.ones((2, 3))
    assert backend.get_keras_mask(tensor) is None
    backend.set_keras_mask(tensor, tensor[..., 0] > 0)
    assert backend.get_keras_mask(tensor).shape == (2,)


def test_layers_of_a_trusted_package_are_found_by_their_module(monkeypatch):
    module = types.ModuleType("keras_hub.some_layers")
    part = type("Part", (layers.Dense,), {"__module__": module.__name__})
    module.Part = part
    monkeypatch.setitem(sys.modules, module.__name__, module)
    config = keras.saving.serialize_keras_object(part(3))
    assert type(keras.saving.deserialize_keras_object(config)) is part
    monkeypatch.delitem(sys.modules, module.__name__)
    with pytest.raises(TypeError, match="Could not locate class 'Part'"):
        keras.saving.deserialize_keras_object(config)


@pytest.mark.parametrize("options", [{}, {"tie_weights": False, "logit_soft_cap": 2.0, "mask_zero": True}], ids=str)
def test_an_embedding_and_back(options, rng):
    ids, vectors = np.asarray([[1, 0, 3]]), rng.normal(size=(1, 3, 2)).astype("float32")
    ours, theirs = (library.layers.ReversibleEmbedding(5, 2, **options) for library in (keras, real))
    for layer in (ours, theirs):
        layer.build()
    theirs.set_weights(ours.get_weights())
    np.testing.assert_allclose(ours(ids), theirs(ids))
    np.testing.assert_allclose(ours(vectors, reverse=True), theirs(vectors, reverse=True), rtol=1e-5, atol=1e-6)
    again = layers.ReversibleEmbedding.from_config(ours.get_config())
    assert again(keras.Input((3, 2)), reverse=True).shape == (None, 3, 5)
    inputs = keras.Input((3,), dtype="int32")
    outputs = again(inputs)
    assert outputs.shape == (None, 3, 2) and again(outputs, reverse=True).shape == (None, 3, 5)
    assert ours.get_config() == theirs.get_config() | {"name": ours.name}


def test_the_inside_of_keras_that_libraries_use(tmp_path):
    inside = keras.src
    store = inside.saving.saving_lib.H5IOStore(tmp_path / "lora.weights.h5", mode="w")
    store.make("lora")["rank"] = 4
    store.make("lora/0")["kernel"] = np.ones((2, 3), "float32")
    store.close()
    store = inside.saving.saving_lib.H5IOStore(tmp_path / "lora.weights.h5", mode="r")
    assert int(store.get("lora")["rank"][()]) == 4 and store.get("lora/0")["kernel"].shape == (2, 3)
    store.close()
    weights = inside.trainers.data_adapters.data_adapter_utils.class_weight_to_sample_weights(
        np.array([0, 1]), {1: 3.0}
    )
    assert weights.tolist() == [1.0, 3.0]
    key = inside.backend.jax.random.jax_draw_seed(3)
    assert inside.backend.jax.random.jax_draw_seed(key) is key
    assert not inside.utils.backend_utils.in_grain_data_pipeline()
    assert inside.utils.naming.to_snake_case("MyDense2D") == "my_dense2d"


def test_files_and_types_of_the_inside_of_keras(tmp_path):
    files, types = keras.src.utils.file_utils, keras.src.utils.dtype_utils
    path, copy = files.join(str(tmp_path), "a.txt"), files.join(str(tmp_path), "b.txt")
    with files.File(path, "w") as file:
        file.write("text")
    files.copy(path, copy)
    assert files.exists(copy) and sorted(files.listdir(str(tmp_path))) == ["a.txt", "b.txt"]
    for algorithm in ("sha256", "md5"):
        assert files.validate_file(path, files.hash_file(copy, algorithm))
    assert not files.validate_file(path, "0" * 64)
    assert files.resolve_sub_path("/data", "set") == "/data/set" and files.resolve_sub_path("/data", "../else") is None
    for remote in ("gcs://bucket/file", "/hdfs/file"):
        assert files.is_remote_path(remote)
        with pytest.raises(ValueError, match="remote paths"):
            files.exists(remote)
    assert [types.dtype_size(name) for name in ("bfloat16", "bool", "uint8", "float64")] == [16, 1, 8, 64]
    with pytest.raises(ValueError, match="Invalid dtype"):
        types.dtype_size("word")
    halves = [np.ones(2, "float16"), keras.ops.ones(2, "bfloat16"), np.ones(2, "int32")]
    assert {str(part.dtype) for part in types.cast_to_common_dtype(halves)} == {"float32"}
    assert types.cast_to_common_dtype(halves[2:]) == halves[2:]


def test_losses_and_names_without_src():
    assert importlib.import_module("jkeras.keras.trainers.compile_utils").CompileLoss(["mse", None]) is not None
    assert importlib.import_module("jkeras.keras.utils.naming").get_object_name(len) == "len"
    shapes = importlib.import_module("jkeras.keras.ops.operation_utils")
    assert shapes.compute_conv_output_shape((1, 8, 8, 3), 5, (3, 3)) == (1, 6, 6, 5)
    inputs = keras.Input((2,))
    assert shapes.get_source_inputs(inputs * 2)[0] is inputs
    assert "trainers" not in dir(keras)


def test_old_files_by_the_functions_of_their_module(tmp_path):
    legacy, json_utils = keras.src.legacy.saving.legacy_h5_format, keras.src.legacy.saving.json_utils
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    legacy.save_model_to_hdf5(model, tmp_path / "new" / "model.hdf")
    read = legacy.load_model_from_hdf5(tmp_path / "new" / "model.hdf")
    assert np.array_equal(read.layers[0].kernel, model.layers[0].kernel)
    values = {"shape": (2, (None, 3)), "rest": ..., "bytes": b"b", "list": [(1,)]}
    assert json_utils.decode(json_utils.Encoder().encode(values)) == values
    arrays = {"x": np.ones(2), "n": np.int32(3), "f": len}
    assert json_utils.decode(json_utils.Encoder().encode(arrays)) == {"x": [1.0, 1.0], "n": 3, "f": "len"}
    with pytest.raises(TypeError, match="Unable to serialize"):
        json_utils.Encoder().encode(object())


class Counted(keras.utils.PyDataset):
    def __init__(self):
        super().__init__()
        self.ends = 0

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return np.ones((2, 3), "float32"), np.ones((2, 1), "float32")

    def on_epoch_end(self):
        self.ends += 1


def test_data_sets_are_begun_anew():
    data, model = Counted(), keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(data, epochs=2, verbose=0)
    assert data.ends == 3  # as in Keras: once before the first epoch, too


def test_a_registry_of_ones_own():
    class Sampler:
        def get_config(self):
            return {}

        @classmethod
        def from_config(cls, config):
            return cls()

    config = {"class_name": "greedy", "config": {}}
    known = {"module_objects": {"greedy": Sampler}, "printable_module_name": "samplers"}
    assert isinstance(keras.saving.deserialize_keras_object(config, **known), Sampler)


class Cached(layers.MultiHeadAttention):
    """Attention that keeps keys and values of earlier steps."""

    def call(self, query, value, cache=None, index=0):
        queries, keys, values = self._query_dense(query), self._key_dense(value), self._value_dense(value)
        if cache is not None:
            keys = keras.ops.slice_update(cache[:, 0], [0, index, 0, 0], keys)
            values = keras.ops.slice_update(cache[:, 1], [0, index, 0, 0], values)
            cache = keras.ops.stack([keys, values], axis=1)
        mask = keras.ops.ones((1, queries.shape[1], keys.shape[1]))
        outputs, _ = self._compute_attention(query=queries, key=keys, value=values, attention_mask=mask)
        return self._output_dense(outputs), cache


def test_attention_with_a_cache(rng):
    x = rng.normal(size=(2, 3, 4)).astype("float32")
    plain, cached = layers.MultiHeadAttention(2, 4), Cached(2, 4)
    expected = plain(x, x)
    cached.build(x.shape, x.shape)
    cached.set_weights(plain.get_weights())
    empty = np.zeros((2, 2, 3, cached._num_heads, cached._key_dim), "float32")
    for outputs, _ in (cached(x, x), cached(x, x, cache=empty)):
        np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)


class Halved(layers.MultiHeadAttention):
    """Attention by the parts that Keras's own is written with."""

    def _compute_attention(self, query, key, value, attention_mask=None, training=None, *args, **kwargs):
        scores = keras.ops.einsum(self._dot_product_equation, key, query / self.key_dim**0.5)
        scores = self._masked_softmax(scores, attention_mask)
        scores = self._dropout_layer(scores, training=training)
        return keras.ops.einsum(self._combine_equation, scores, value), scores


class Unseen(layers.MultiHeadAttention):
    """Attention to nothing but the place itself, or with outputs of its own."""

    outputs = None

    def _compute_attention_mask(self, query, value, *args, **kwargs):
        return keras.ops.eye(query.shape[1], dtype="bool")[None]

    def _compute_attention(self, query, *args, **kwargs):
        outputs, scores = super()._compute_attention(query, *args, **kwargs)
        return outputs if self.outputs is None else keras.ops.full_like(query, self.outputs), scores


class Mirrored(layers.MultiHeadAttention):
    """The same with another mask only."""

    _compute_attention_mask = Unseen._compute_attention_mask


def test_what_a_subclass_of_attention_overrides_counts(rng):
    x = rng.normal(size=(2, 3, 4)).astype("float32")
    plain, own, mirrored = layers.MultiHeadAttention(2, 4), Unseen(2, 4), Mirrored(2, 4)
    itself = plain(x, x, attention_mask=np.eye(3, dtype=bool)[None])
    for layer in (own, mirrored):
        layer.build(x.shape, x.shape)
        layer.set_weights(plain.get_weights())
        np.testing.assert_allclose(layer(x, x), itself, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(own(x, x, use_causal_mask=True), itself, rtol=1e-5, atol=1e-6)
    own.outputs = 0.0
    np.testing.assert_allclose(own(x, x, training=True), np.zeros_like(x), atol=1e-6)


@pytest.mark.parametrize("shape", [(2, 3, 4), (2, 3, 5, 4)])
def test_attention_by_its_parts(shape, rng):
    x = rng.normal(size=shape).astype("float32")
    plain, own = layers.MultiHeadAttention(2, 4), Halved(2, 4, dropout=0.5)
    expected = plain(x, x, use_causal_mask=len(shape) == 3)
    own.build(x.shape, x.shape)
    own.set_weights(plain.get_weights())
    np.testing.assert_allclose(own(x, x, use_causal_mask=len(shape) == 3), expected, rtol=1e-4, atol=1e-5)
    assert np.abs(own(x, x, training=True) - own(x, x)).max() > 0.1


def test_attention_with_a_build_of_its_own(rng):
    def own(library):
        class WithoutBiasOfKeys(library.layers.MultiHeadAttention):
            def build(self, query_shape, value_shape, key_shape=None):
                for name, bias in (("query", "de"), ("key", None), ("value", "de")):
                    projection = library.layers.EinsumDense(
                        "abc,cde->abde",
                        output_shape=(None, self._num_heads, self._key_dim),
                        bias_axes=bias if self._use_bias else None,
                        name=name,
                        **self._get_common_kwargs_for_sublayer(),
                    )
                    projection.build(query_shape)
                    setattr(self, f"_{name}_dense", projection)
                self._build_attention(len(query_shape) + 1)
                shared = self._get_common_kwargs_for_sublayer()
                self._output_dense = self._make_output_dense(query_shape, shared, "attention_output")
                self._output_dense.build((*query_shape[:-1], self._num_heads, self._value_dim))

        return WithoutBiasOfKeys(2, 4, output_shape=(3,), kernel_regularizer="l2")

    x = rng.normal(size=(2, 3, 4)).astype("float32")
    mine, theirs = own(keras), own(real)
    for layer in (mine, theirs):
        layer.build(x.shape, x.shape)
    mine.set_weights(theirs.get_weights())
    np.testing.assert_allclose(
        mine(x, x, use_causal_mask=True), theirs(x, x, use_causal_mask=True), rtol=1e-4, atol=1e-5
    )
    assert [w.path.partition("/")[2] for w in mine.weights] == [w.path.partition("/")[2] for w in theirs.weights]
    np.testing.assert_allclose(sum(mine.losses), sum(theirs.losses), rtol=1e-5)


def test_the_version_of_keras():
    with keras_imports():
        import keras as found

        assert found.__version__ == keras.__version__ == found.version()


@pytest.mark.parametrize(("family", "kind", "name"), [("losses", "loss", "msee"), ("metrics", "metric", "accuracyy")])
def test_the_words_of_an_unknown_name(family, kind, name):
    with pytest.raises(ValueError, match=f"Could not interpret {kind} identifier.*Did you mean"):
        getattr(keras, family).get(name)


def test_a_functional_model_ignores_arguments_that_are_none_of_its_own():
    """Libraries hand on all that a subclass was given; a typo is named in a warning."""

    class Network(keras.Model):
        def __init__(self, width, **kwargs):
            inputs = keras.Input((3,))
            super().__init__(inputs=inputs, outputs=keras.layers.Dense(width)(inputs), **kwargs)

    with pytest.warns(UserWarning, match="has no arguments decoder_use_batchnorm, nmae: they are ignored"):
        network = Network(2, name="network", decoder_use_batchnorm=True, nmae="x")
    assert network.name == "network" and network(np.ones((1, 3))).shape == (1, 2)
