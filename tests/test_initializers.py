"""Initializers against Keras: exact values where nothing is drawn, distributions elsewhere, configurations, forms."""

import json

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
import scipy.stats

from jkeras import config, initializers
from jkeras.errors import ArgumentError, InputError, UnknownNameError
from jkeras.values.config import serialize

DETERMINISTIC = [
    ("Zeros", {}, (2, 3)),
    ("Ones", {}, (2, 3)),
    ("Ones", {}, ()),
    ("Constant", {}, (2, 3)),
    ("Constant", {"value": 3}, (2, 3)),
    ("Constant", {"value": -2.5}, (4,)),
    ("Constant", {"value": [[1.0, 2.0]]}, (1, 2)),
    ("Identity", {}, (3, 3)),
    ("Identity", {"gain": 0.5}, (2, 4)),
    ("STFT", {}, (32, 1, 17)),
    ("STFT", {"side": "imag", "window": "hamming", "scaling": "spectrum", "periodic": True}, (20, 1, 17)),
    ("STFT", {"window": None}, (16, 1, 9)),
    ("STFT", {"window": "blackman", "scaling": None}, (16, 1, 9)),
    ("STFT", {"window": [1.0, 2.0, 2.0, 1.0]}, (4, 1, 5)),
]
RANDOM = [
    ("RandomUniform", {}),
    ("RandomUniform", {"minval": -1, "maxval": 3.0, "seed": 1}),
    ("RandomNormal", {}),
    ("RandomNormal", {"mean": 1.0, "stddev": 2.0, "seed": 2}),
    ("TruncatedNormal", {}),
    ("TruncatedNormal", {"mean": -1.0, "stddev": 0.5}),
    ("GlorotUniform", {}),
    ("GlorotUniform", {"seed": 5, "input_axes": [0], "output_axes": [1, 2]}),
    ("GlorotNormal", {}),
    ("LecunUniform", {}),
    ("LecunNormal", {"input_axes": [0, 1], "output_axes": [2]}),
    ("HeUniform", {}),
    ("HeNormal", {"seed": 7}),
    ("VarianceScaling", {}),
    ("VarianceScaling", {"scale": 2.0, "mode": "fan_out", "distribution": "uniform"}),
    ("VarianceScaling", {"scale": 0.5, "mode": "fan_avg", "distribution": "untruncated_normal", "seed": 3}),
    ("VarianceScaling", {"distribution": "normal", "input_axes": [1], "output_axes": [0]}),
    ("Orthogonal", {}),
    ("Orthogonal", {"gain": 2.0, "seed": 4}),
]
ALL = [case[:2] for case in DETERMINISTIC] + RANDOM


def covered() -> set[str]:
    """The names that this module compares with Keras: values, or distributions where they are drawn."""
    return {f"keras.initializers.{name}" for name, _ in ALL}


def pair(name, arguments):
    return getattr(initializers, name)(**arguments), getattr(keras.initializers, name)(**arguments)


@pytest.mark.parametrize(("name", "arguments", "shape"), DETERMINISTIC)
def test_values_are_those_of_keras(name, arguments, shape):
    ours, theirs = pair(name, arguments)
    for dtype in (None, "float32", "bfloat16"):
        given, expected = ours(shape, dtype), theirs(shape, dtype)
        assert given.dtype == expected.dtype and given.shape == expected.shape
        if dtype != "bfloat16" or name != "STFT":  # Keras computes angles of up to 50 in 8 bits there
            np.testing.assert_allclose(np.float32(given), np.float32(expected), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("name", "arguments"), ALL)
def test_configurations_are_those_of_keras(name, arguments):
    ours, theirs = pair(name, arguments)
    expected = theirs.get_config()
    if name == "Identity":  # Keras forgets to write the gain, though it reads it
        expected["gain"] = theirs.gain
    assert ours.get_config() == expected
    written = serialize(ours)
    assert written == {**keras.initializers.serialize(theirs), "config": expected}
    assert initializers.deserialize(json.loads(json.dumps(written))) == ours
    assert ours == getattr(initializers, name)(**arguments) and hash(ours) == hash(ours.clone())
    assert type(keras.initializers.deserialize(written)) is type(theirs)


@pytest.mark.parametrize(("name", "arguments"), [case for case in RANDOM if case[0] != "Orthogonal"])
def test_distributions_are_those_of_keras(name, arguments):
    """A Kolmogorov-Smirnov test of 6000 values against as many of Keras's, with fixed keys."""
    ours, theirs = pair(name, arguments)
    shape = (10, 20, 30)
    given, expected = np.asarray(ours(shape)).ravel(), np.asarray(theirs(shape)).ravel()
    assert given.dtype == np.float32
    assert scipy.stats.ks_2samp(given, expected).pvalue > 1e-4
    assert given.std() == pytest.approx(expected.std(), rel=0.05)
    assert np.abs(given).max() == pytest.approx(np.abs(expected).max(), rel=0.05 if "ormal" not in name else 0.3)


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
@pytest.mark.parametrize("distribution", ["truncated_normal", "untruncated_normal", "uniform"])
@pytest.mark.parametrize("shape", [(3, 3, 20, 40), (100, 50), (4000,)])
def test_variance_is_scale_over_fan(mode, distribution, shape):
    fan_in, fan_out = initializers.compute_fans(shape)
    n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
    values = initializers.VarianceScaling(3.0, mode, distribution)(shape, key=jax.random.key(1))
    assert float(jnp.var(values)) * n == pytest.approx(3.0, rel=0.1)
    assert abs(float(jnp.mean(values))) < 0.1 * np.sqrt(3 / n)


def test_fans():
    cases = {(): (1, 1), (5,): (5, 5), (3, 4): (3, 4), (2, 3, 4): (6, 8), (3, 3, 8, 16): (72, 144)}
    assert {shape: initializers.compute_fans(shape) for shape in cases} == cases
    assert initializers.compute_fans((2, 3, 4, 5), [0], [2, 3]) == (2, 20)
    assert initializers.compute_fans((2, 3), [0], None) == (2, 3)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5), (3, 2, 4), (2, 2, 9)])
def test_orthogonal_matrices(shape):
    q = np.asarray(initializers.Orthogonal(gain=2.0)(shape, key=jax.random.key(0))).reshape(-1, shape[-1]) / 2
    gram = q @ q.T if q.shape[0] < q.shape[1] else q.T @ q
    np.testing.assert_allclose(gram, np.eye(min(q.shape)), atol=1e-5)


def test_orthogonal_matrices_favour_no_sign():
    """Plain QR would give rotations and reflections of one kind only: with the fix the trace averages to zero."""
    keys = jax.random.split(jax.random.key(0), 500)
    matrices = jax.vmap(lambda key: initializers.Orthogonal()((3, 3), key=key))(keys)
    assert abs(float(jnp.mean(jnp.trace(matrices, axis1=1, axis2=2)))) < 0.2
    assert abs(float(jnp.mean(matrices[:, 0, 0]))) < 0.1


# -- keys, seeds, types -----------------------------------------------------------------------------------------------

DRAWING = [getattr(initializers, name)(**{**arguments, "seed": None}) for name, arguments in RANDOM]


@pytest.mark.parametrize("initializer", DRAWING, ids=repr)
def test_keys_seeds_and_types(initializer):
    one, two = jax.random.split(jax.random.key(3))
    shape = (4, 2, 3)
    given = initializer(shape, key=one)
    np.testing.assert_array_equal(given, initializer(shape, key=one))
    assert not np.array_equal(given, initializer(shape, key=two))
    np.testing.assert_array_equal(initializer(shape), initializer(shape))
    seeded = initializer.replace(seed=9)
    np.testing.assert_array_equal(seeded(shape, key=one), seeded(shape, key=two))
    assert not np.array_equal(seeded(shape), seeded.replace(seed=10)(shape))
    for dtype in ("float16", jnp.bfloat16, np.dtype("float32")):
        cast = initializer(shape, dtype, one)
        assert cast.dtype == dtype
        np.testing.assert_array_equal(cast, given.astype(dtype))


def test_programs_can_draw():
    initializer = initializers.HeNormal()
    key = jax.random.key(2)
    jitted = jax.jit(initializer, static_argnums=(0, 1))((3, 4), "float32", key)
    np.testing.assert_allclose(jitted, initializer((3, 4), key=key), rtol=1e-6)
    abstract = jax.eval_shape(lambda key: initializers.Orthogonal()((3, 4), "bfloat16", key), key)
    assert abstract.shape == (3, 4) and abstract.dtype == jnp.bfloat16


def test_all_bits_of_a_seed_count():
    seeds = [0, 1, -1, 2**31, 2**32, 2**33 + 1, 2**40, np.int64(5)]
    values = [float(initializers.RandomNormal(seed=seed)(())) for seed in seeds]
    assert len(set(values)) == len(values)


def test_seeds_of_keras_generators():
    config = keras.initializers.GlorotUniform(seed=keras.random.SeedGenerator(3)).get_config()
    assert initializers.GlorotUniform.from_config(config) == initializers.GlorotUniform(seed=3)
    with pytest.raises(ArgumentError, match="seed"):
        initializers.GlorotUniform(seed="3")


def test_the_default_type_is_floatx():
    config.set_floatx("float16")
    try:
        assert initializers.Zeros()((2,)).dtype == jnp.float16
        assert initializers.GlorotUniform()((2,)).dtype == jnp.float16
    finally:
        config.set_floatx("float32")


def test_other_types():
    assert initializers.Ones()((2,), "int32").dtype == jnp.int32
    assert initializers.Zeros()((2,), bool).dtype == bool
    assert initializers.Zeros()([2, np.int64(3)]).shape == (2, 3)
    assert initializers.RandomNormal()((2,), "float64").dtype == jnp.float32


# -- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: initializers.Identity()((3,)), "matrices"),
        (lambda: initializers.Orthogonal()((3,)), "two axes"),
        (lambda: initializers.STFT()((3, 4)), "frame_length"),
        (lambda: initializers.STFT(window=[1.0, 2.0])((3, 1, 4)), "2 values"),
        (lambda: initializers.STFT(window="hanning?")((3, 1, 4)), "window"),
        (lambda: initializers.STFT(side="left"), "side"),
        (lambda: initializers.STFT(scaling="loud"), "scaling"),
        (lambda: initializers.Constant("a"), "number or an array"),
        (lambda: initializers.Constant([1.0, 2.0])((3, 2)), "exactly that shape"),
        (lambda: initializers.VarianceScaling(0.0), "scale"),
        (lambda: initializers.VarianceScaling(mode="fan_on"), "Did you mean"),
        (lambda: initializers.VarianceScaling(distribution="cauchy"), "distribution"),
        (lambda: initializers.GlorotUniform(input_axes=1), "axes"),
        (lambda: initializers.get("glorot_unifrom"), "glorot_uniform"),
        (lambda: initializers.get(0.5), "initializer"),
        (lambda: initializers.get(lambda shape: jnp.zeros(3))((2,)), "shape"),
        (lambda: initializers.get(lambda shape, dtype, gain: 0)((2,)), "gain"),
    ],
)
def test_mistakes_are_explained(make, message):
    with pytest.raises((ArgumentError, InputError), match=message):
        make()


# -- identifiers ------------------------------------------------------------------------------------------------------

NAMES = sorted(set(dir(keras.initializers)) - {"get", "serialize", "deserialize", "Initializer"})
NAMES = [name for name in NAMES if not name.startswith("_")]


@pytest.mark.parametrize("name", [*NAMES, "normal", "uniform", "zero", "one"])
def test_names_are_those_of_keras(name):
    if name.lower() == "constant":  # Keras knows the name, but then asks for a value
        assert initializers.get(name) == initializers.Constant(0.0)
    else:
        assert type(initializers.get(name)).__name__ == type(keras.initializers.get(name)).__name__
    if name in NAMES:
        assert getattr(initializers, name).__name__ == getattr(keras.initializers, name).__name__


def test_get():
    assert initializers.get(None) is None
    assert initializers.get(initializers.Ones) == initializers.Ones()
    assert initializers.get({"class_name": "HeNormal", "config": {"seed": 2}}) == initializers.HeNormal(2)
    with pytest.raises(UnknownNameError):
        initializers.get("nothing")


@pytest.mark.parametrize("array", [np.ones((2, 2)), jnp.ones((2, 2)), np.float64(1.0)])
def test_arrays_are_initializers(array):
    initializer = initializers.get(array)
    np.testing.assert_array_equal(initializer(np.shape(array)), array)
    assert initializer == initializers.get(array) and hash(initializer) == hash(initializers.get(array))
    assert initializers.deserialize(json.loads(json.dumps(serialize(initializer)))) == initializer


def test_an_array_is_copied():
    table = np.zeros(2, np.float32)
    initializer = initializers.Constant(table)
    table[0] = 1
    np.testing.assert_array_equal(initializer((2,)), [0, 0])


# -- functions and classes of the user --------------------------------------------------------------------------------


def with_rng(shape, dtype=None, rng=None):
    return jax.random.normal(rng, shape, dtype)


class WithCall:
    def __call__(self, shape, dtype=None, layout=None):
        return jnp.ones(shape, dtype)


FORMS = {
    "shape": lambda shape: jnp.ones(shape),
    "shape, dtype": lambda shape, dtype: jnp.ones(shape, dtype),
    "other names": lambda size, kind: jnp.ones(size, kind),
    "shape, dtype=None": lambda shape, dtype=None: jnp.ones(shape, dtype),
    "shape, dtype=None, **kwargs": lambda shape, dtype=None, **kwargs: jnp.ones(shape, dtype),
    "shape, *, dtype": lambda shape, *, dtype: jnp.ones(shape, dtype),
    "shape, *, key": lambda shape, *, key: jax.random.normal(key, shape),
    "shape, key": lambda shape, key: jax.random.normal(key, shape),
    "key, shape": lambda key, shape: jax.random.normal(key, shape),
    "rng, shape, dtype": lambda rng, shape, dtype: jax.random.normal(rng, shape, dtype),
    "anything, shape, dtype": lambda k, shape, dtype=jnp.float32: jax.random.normal(k, shape, dtype),
    "shape, dtype, rng": with_rng,
    "jax": jax.nn.initializers.he_normal(),
    "jax constant": jax.nn.initializers.ones,
    "numpy": np.ones,
    "numpy in C": np.zeros,
    "jax.numpy": jnp.ones,
    "object": WithCall(),
    "class": WithCall,
    "keras": keras.initializers.Ones(),
}


@pytest.mark.parametrize("form", FORMS)
def test_functions_of_every_form(form):
    initializer = initializers.get(FORMS[form])
    assert isinstance(initializer, initializers.Initializer)
    hash(initializer)
    draws = "key" in form or "rng" in form or form in ("jax", "anything, shape, dtype")
    one, two = initializer((2, 3), "float16", jax.random.key(0)), initializer((2, 3), "float16", jax.random.key(1))
    assert one.shape == (2, 3) and one.dtype == jnp.float16
    assert np.array_equal(one, two) != draws
    np.testing.assert_array_equal(initializer((2, 3)), initializer((2, 3)))


def test_equal_functions_are_equal_initializers():
    def make(value):
        return lambda shape, dtype: jnp.full(shape, value, dtype)

    one, same, other = (initializers.get(make(v)) for v in (1, 1, 2))
    assert one == same != other and hash(one) == hash(same)
    assert initializers.get(jax.nn.initializers.normal(0.1)) == initializers.get(jax.nn.initializers.normal(0.1))


def twos(shape, dtype=None):
    return jnp.full(shape, 2, dtype)


def test_functions_are_written_as_functions():
    written = serialize(initializers.get(twos))
    assert written == keras.initializers.serialize(twos)
    assert initializers.deserialize(written, {"twos": twos}) == initializers.get(twos)


class ExampleNormal(initializers.Initializer):
    """Written as Keras teaches it."""

    def __init__(self, mean, stddev):
        self.mean = mean
        self.stddev = stddev

    def __call__(self, shape, dtype=None, **kwargs):
        return self.mean + self.stddev * jax.random.normal(jax.random.key(0), shape, dtype)

    def get_config(self):
        return {"mean": self.mean, "stddev": self.stddev}


class Keyed(ExampleNormal):
    def __call__(self, shape, dtype=None, key=None):
        return super().__call__(shape, dtype) + jax.random.normal(key, shape, dtype)


class Triangular(initializers.RandomInitializer):
    width: float = 1.0

    def sample(self, key, shape, dtype):
        return self.width * jnp.sum(jax.random.uniform(key, (2, *shape), dtype), axis=0)


def test_classes_of_the_user():
    one = ExampleNormal(1.0, stddev=2.0)
    assert initializers.get(one) is one == ExampleNormal(1.0, 2.0)
    assert one((2, 3), "float32", jax.random.key(1)).shape == (2, 3)
    assert initializers.deserialize(serialize(one), {"ExampleNormal": ExampleNormal}) == one
    keyed = Keyed(0.0, 1.0)
    values = [keyed((3,), key=jax.random.key(seed)) for seed in (0, 0, 1)]
    assert np.array_equal(*values[:2]) and not np.array_equal(*values[1:])
    triangular = Triangular(2.0, seed=3)
    assert triangular.get_config() == {"seed": 3, "width": 2.0}
    np.testing.assert_array_equal(triangular((4,)), triangular((4,), key=jax.random.key(1)))
    with pytest.raises(NotImplementedError, match="__call__"):
        initializers.Initializer()((2,))


@pytest.mark.parametrize(
    "dtype", ["float32", "bfloat16", "int8", "bool", "uint32", "float8_e4m3fn", "int4", "complex64"]
)
@pytest.mark.parametrize("shape", [(), (0, 3), (5,), (300, 300)])
@pytest.mark.parametrize("name", ["zeros", "ones"])
def test_arrays_of_one_number_are_those_of_jax(name, shape, dtype):
    for make in (initializers.get(name), jax.jit(initializers.get(name), static_argnums=(0, 1))):
        array, expected = make(shape, dtype), getattr(jnp, name)(shape, dtype)
        assert (array.dtype, array.weak_type, array.committed) == (
            expected.dtype,
            expected.weak_type,
            expected.committed,
        )
        np.testing.assert_array_equal(array, expected)
