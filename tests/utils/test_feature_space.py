"""`FeatureSpace` on both faces. Keras's own needs TensorFlow to compute, so it is compared where it does not."""

import json
import zipfile

import keras
import numpy as np
import pytest

import jkeras as jk
import jkeras.keras
from jkeras import errors

OBJECTS = jkeras.keras.utils.FeatureSpace
VALUES = jk.utils.FeatureSpace
FACES = pytest.mark.parametrize("face", [VALUES, OBJECTS], ids=["values", "objects"])

TABLE = {
    **{f"float_{i}": [j / 10 for j in range(10)] for i in (1, 2, 3)},
    **{f"string_{i}": [str(j) for j in range(10)] for i in (1, 2)},
    **{f"int_{i}": list(range(10)) for i in (1, 2, 3)},
}
ROW = {name: column[0] for name, column in TABLE.items()}
KINDS = {
    "float_1": "float",
    "float_2": "float_normalized",
    "float_3": "float_discretized",
    "string_1": "string_categorical",
    "string_2": "string_hashed",
    "int_1": "integer_categorical",
    "int_2": "integer_hashed",
    "int_3": "integer_categorical",
}
CROSSES = [("float_3", "string_1"), ("string_2", "int_2")]


def adapted(space, data):
    """The space that knows the data: another one, or the same."""
    result = space.adapt(data)
    return space if result is None else result


def batches(size):
    """The table in dicts of `size` rows; of single rows if None."""
    if size is None:
        return [{name: column[i] for name, column in TABLE.items()} for i in range(10)]
    return [{name: np.array(column)[i : i + size] for name, column in TABLE.items()} for i in range(0, 10, size)]


@FACES
def test_all_kinds_joined(face):
    space = adapted(face(KINDS, crosses=CROSSES), TABLE)
    # Sizes: 1 + 1 + 32, 11 + 32 (integers), 11, 11 + 32 (strings), two crosses of 32.
    encoded = np.asarray(space(TABLE))
    assert encoded.shape == (10, 195) and encoded.dtype == "float32"
    np.testing.assert_array_equal(space(ROW), encoded[0])
    # The parts stand in alphabetical order, crosses last.
    np.testing.assert_allclose(encoded[:, 0], TABLE["float_1"])
    np.testing.assert_allclose(encoded[:, 1].mean(), 0, atol=1e-6)
    assert (encoded[:, 2:].sum(axis=1) == 8).all()
    for size in (4, None):
        np.testing.assert_allclose(adapted(face(KINDS, crosses=CROSSES), batches(size))(TABLE), encoded, atol=1e-6)
    assert tuple(space.get_encoded_features().shape) == (None, 195)


def test_both_faces_give_the_same():
    given, learnt = VALUES(KINDS, crosses=CROSSES), OBJECTS(KINDS, crosses=CROSSES)
    learnt.adapt(TABLE)
    np.testing.assert_array_equal(given.adapt(TABLE)(TABLE), learnt(TABLE))
    with pytest.raises(errors.NotBuiltError, match=r"space = space.adapt\(data\)"):
        given(TABLE)


@FACES
def test_apart_and_as_integers(face):
    features = {
        **KINDS,
        "float_3": face.float_discretized(num_bins=3),
        "string_1": face.string_categorical(max_tokens=5),
        "string_2": face.string_hashed(num_bins=8, output_mode="int"),
        "int_1": face.integer_categorical(max_tokens=5, num_oov_indices=2, output_mode="int"),
    }
    crosses = [face.cross(("string_2", "int_2"), crossing_dim=7, output_mode="int"), ("int_1", "int_3")]
    space = adapted(face(features, "dict", crosses, crossing_dim=6), TABLE)
    encoded = space(TABLE)
    shapes = {name: tuple(np.shape(value)) for name, value in encoded.items()}
    assert shapes == {
        "float_1": (10, 1),
        "float_2": (10, 1),
        "float_3": (10, 3),
        "int_1": (10, 1),
        "int_2": (10, 32),
        "int_3": (10, 11),
        "string_1": (10, 5),
        "string_2": (10, 1),
        "string_2_X_int_2": (10, 1),
        "int_1_X_int_3": (10, 6),
    }
    assert all("int" in str(encoded[name].dtype) for name in ("string_2", "int_1", "string_2_X_int_2"))
    assert tuple(space(ROW)["int_3"].shape) == (11,)
    symbolic = space.get_encoded_features()
    assert {name: (10, *tensor.shape[1:]) for name, tensor in symbolic.items()} == shapes


@FACES
def test_layers_of_ones_own(face):
    layers = jk.layers if face is VALUES else jkeras.keras.layers
    text = layers.TextVectorization(output_mode="tf_idf")
    space = face({"text": face.feature(preprocessor=text, dtype="string", output_mode="float")})
    table = {"text": ["1st string", "2nd string", "3rd string"]}
    assert adapted(space, table)(table).shape == (3, 5)
    # What is told has not to be learnt.
    words = layers.TextVectorization(vocabulary=["this", "is"], output_mode="int", output_sequence_length=3)
    known = face(
        {
            "i": "integer_hashed",
            "t": face.feature("string", words, "int"),
            "f": face.feature("float32", layers.Normalization(mean=12.0, variance=5.0), "float"),
            "b": face.float_discretized(None, [0.0, 1.0]),
        },
        output_mode="dict",
    )
    encoded = known({"i": [1, 2], "t": ["this", "Bye!"], "f": [12, 13], "b": [-1.0, 2.0]})
    assert np.shape(encoded["i"]) == (2, 32) and np.asarray(encoded["t"]).tolist() == [[2, 0, 0], [1, 0, 0]]
    np.testing.assert_allclose(np.ravel(encoded["f"]), [0, 1 / np.sqrt(5)], rtol=1e-6)
    assert np.asarray(encoded["b"]).tolist() == [[1, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize("read", [VALUES.load, jkeras.keras.models.load_model], ids=["values", "objects"])
@FACES
def test_files(face, read, tmp_path):
    space = adapted(face(KINDS, crosses=CROSSES), TABLE)
    space.save(tmp_path / "space.keras")
    again = read(tmp_path / "space.keras")
    np.testing.assert_allclose(again(TABLE), space(TABLE), atol=1e-6)
    again.save(tmp_path / "again.keras")
    np.testing.assert_allclose(read(tmp_path / "again.keras")(TABLE), space(TABLE), atol=1e-6)


@pytest.mark.filterwarnings("ignore:You are saving a model that has not yet been built")
def test_configurations_and_files_are_those_of_keras(tmp_path):
    def made(library):
        space = library.utils.FeatureSpace
        scaled = space.float_rescaled(2.0, 1.0, name="scaled")
        known = space.feature("float32", library.layers.Normalization(mean=1.0, variance=4.0, name="known"), "float")
        return space({"a": "float", "n": known, "s": scaled, "d": "float_discretized"}, "dict")

    theirs, ours = (json.dumps(made(library).get_config(), sort_keys=True) for library in (keras, jkeras.keras))
    theirs, ours = json.loads(theirs), json.loads(ours)
    # An adapted space of Keras computes without TensorFlow if it is symbolic, and its files can be compared.
    assert ours.keys() == theirs.keys() and list(ours["features"]) == list(theirs["features"])
    for name, feature in theirs["features"].items():
        mine = ours["features"][name]
        assert {key: mine[key] for key in ("module", "class_name", "registered_name")} == {
            key: feature[key] for key in ("module", "class_name", "registered_name")
        }
        assert mine["config"]["preprocessor"]["class_name"] == feature["config"]["preprocessor"]["class_name"]

    table = {"a": [1.0], "n": [3.0]}
    for library in (keras, jkeras.keras, jk):
        space = library.utils.FeatureSpace
        known = space.feature("float32", library.layers.Normalization(mean=1.0, variance=4.0), "float")
        space({"a": "float", "n": known}).save(tmp_path / "space.keras")
        for reader in (VALUES.load, jkeras.keras.models.load_model):
            assert np.asarray(reader(tmp_path / "space.keras")(table)).tolist() == [[1.0, 1.0]]
        assert tuple(keras.models.load_model(tmp_path / "space.keras").get_encoded_features().shape) == (None, 2)


def test_a_model_of_the_inputs():
    space = OBJECTS({"a": "float", "b": "integer_categorical"}, output_mode="dict")
    space.adapt({"a": [1.0, 2.0], "b": [5, 7]})
    encoded = jkeras.keras.layers.Concatenate()(list(space.get_encoded_features().values()))
    model = jkeras.keras.Model(space.get_inputs(), encoded)
    given = {"a": np.array([[1.0]], "float32"), "b": np.array([[7]])}
    assert model.predict(given, verbose=0).tolist() == [[1.0, 0.0, 1.0, 0.0]]


def test_rows_of_a_dataset_are_encoded(tmp_path):
    space = VALUES({"a": "float", "s": "string_hashed"}, hashing_dim=4)
    table = {"a": np.arange(6.0), "s": np.array(list("abcabc"))}
    rows = jk.data.Dataset.from_tensor_slices((table, np.arange(6))).map(lambda x, y: (space(x), y)).batch(4)
    x, _ = next(iter(rows))
    np.testing.assert_array_equal(x, space(table)[:4])
    with zipfile.ZipFile((tmp_path / "s.keras"), "w") as archive:
        archive.writestr("config.json", json.dumps({"class_name": "Dense", "config": {}}))
        archive.writestr("model.weights.h5", b"")
    with pytest.raises(errors.RestoreError, match="Dense"):
        VALUES.load(tmp_path / "s.keras")


@FACES
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"features": {}}, "cannot be None or empty"),
        ({"features": {"a": "floaty"}}, "Invalid feature type.*floaty"),
        ({"features": {"a": "float"}, "output_mode": "unknown"}, "output_mode"),
        ({"features": {"a": "float", "b": "float"}, "crosses": [("a", "b")], "crossing_dim": None}, "`crossing_dim`"),
        ({"features": {"a": "float", "b": "float"}, "crosses": [("a", "c")]}, "should be present in .*'c'"),
    ],
)
def test_wrong_arguments(face, arguments, message):
    with pytest.raises(ValueError, match=message):
        face(**arguments)


@FACES
def test_wrong_calls(face):
    space = face({"a": "float_normalized", "b": "integer_hashed"})
    for call in (lambda: space({"a": [0.0], "b": [0]}), space.get_encoded_features):
        with pytest.raises(ValueError, match="adapt"):
            call()
    known = face({"a": "float", "b": face.integer_hashed(3, output_mode="int")})
    for data, message in (
        ({"a": [0.0]}, r"missing: \['b'\]"),
        ({"a": [0.0], "b": [1], "y": [1]}, r"not among the features: \['y'\]"),
        ([1.0], "dict of columns"),
        ({"a": [0.0], "b": [1]}, "Cannot concatenate features because feature 'b'"),
    ):
        with pytest.raises(ValueError, match=message):
            known(data)
    for data, message in ((3, "dict of columns"), (iter([TABLE]), "an iterator"), ([[1.0]], "dicts of columns")):
        with pytest.raises(ValueError, match=message):
            space.adapt(data)
    layers = jk.layers if face is VALUES else jkeras.keras.layers
    with pytest.raises(ValueError, match="output_mode='int'"):
        face({"a": face.feature("float32", layers.Rescaling(2.0), "one_hot")})({"a": [1.0]})
    with pytest.raises(ValueError, match="expected a layer"):
        face.feature("float32", "normalization", "float")


def test_a_space_is_a_value():
    space = VALUES({"a": "float_normalized"})
    known = space.adapt({"a": [1.0, 3.0]})
    assert known is not space and known == known.replace() and hash(known) == hash(known.replace())
    with pytest.raises(errors.FrozenError):
        known.output_mode = "dict"
    with pytest.raises(errors.ArgumentError, match="know all already"):
        known.adapt({"a": [1.0]})
    assert VALUES({"a": "float"}).adapt({"a": [1.0]})({"a": [2.0]}).tolist() == [[2.0]]
    with pytest.raises(errors.ArgumentError, match=r"must end in `\.keras`"):
        known.save("space")
