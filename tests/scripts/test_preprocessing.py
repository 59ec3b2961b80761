"""`keras.preprocessing` and the wrappers for scikit-learn, against those that Keras keeps for its own older code."""

import random
import sys
import types

import numpy as np
import pytest
from keras.src.legacy.preprocessing import image as oracle_image
from keras.src.legacy.preprocessing import sequence as oracle_sequence
from keras.src.legacy.preprocessing import text as oracle_text
from PIL import Image

from jkeras.scripts.notes import NOTES
from jkeras.scripts.preprocessing import image, sequence, text

pytestmark = [
    pytest.mark.filterwarnings("ignore::jkeras.scripts.OldSpellingWarning"),
    pytest.mark.filterwarnings("ignore:non-integer arguments to randrange"),
    pytest.mark.filterwarnings("ignore:Your `PyDataset` class should call"),
]

TEXTS = ["The cat, the dog.", "A cat!  Cats", "the end"]


# -- text ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [{}, {"num_words": 3}, {"num_words": 3, "oov_token": "?"}, {"char_level": True}, {"lower": False, "split": "t"}],
)
def test_tokenizer(options):
    made = []
    for module in (text, oracle_text):
        tokenizer = module.Tokenizer(**options)
        tokenizer.fit_on_texts(TEXTS)
        numbers = tokenizer.texts_to_sequences([*TEXTS, "an unknown cat"])
        again = module.tokenizer_from_json(tokenizer.to_json())
        made.append(
            (tokenizer.word_index, numbers, tokenizer.sequences_to_texts(numbers), again.get_config() == tokenizer.get_config(),
             again.texts_to_sequences(TEXTS), dict(tokenizer.word_docs), tokenizer.document_count)
        )  # fmt: skip
        for mode in text.MODES:
            made[-1] += (tokenizer.texts_to_matrix(TEXTS, mode).tolist(),)
    assert made[0] == made[1]


def test_text_functions():
    for line in TEXTS:
        assert text.text_to_word_sequence(line) == oracle_text.text_to_word_sequence(line)
        assert text.one_hot(line, 7) == oracle_text.one_hot(line, 7)
        assert text.hashing_trick(line, 9, "md5") == oracle_text.hashing_trick(line, 9, "md5")
    with pytest.raises(ValueError, match="mode='x'"):
        text.Tokenizer(4).texts_to_matrix(TEXTS, "x")
    with pytest.raises(ValueError, match="num_words"):
        text.Tokenizer().sequences_to_matrix([[1]])


# -- sequences ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [{}, {"sampling_rate": 2, "stride": 3}, {"start_index": 2, "end_index": 15, "reverse": True}, {"shuffle": True}],
)
def test_timeseries(options):
    found, expected = (
        module.TimeseriesGenerator(np.arange(20), np.arange(20) * 2, length=4, batch_size=3, **options)
        for module in (sequence, oracle_sequence)
    )
    assert len(found) == len(expected)
    for number in range(len(found)):
        np.random.seed(0)
        ours = found[number]
        np.random.seed(0)
        for a, b in zip(ours, expected[number], strict=True):
            np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="no window fits"):
        sequence.TimeseriesGenerator([1, 2], [1, 2], length=4)


@pytest.mark.parametrize("options", [{}, {"seed": 3, "categorical": True}, {"negative_samples": 0.3, "window_size": 1}])
def test_skipgrams(options):
    table = sequence.make_sampling_table(9)
    np.testing.assert_allclose(table, oracle_sequence.make_sampling_table(9))
    results = []
    for module in (sequence, oracle_sequence):
        random.seed(1)
        results.append(module.skipgrams([1, 2, 0, 3, 4, 2], 6, sampling_table=table * 300, **options))
    assert results[0] == results[1]


# -- pictures -----------------------------------------------------------------------------------------------------------------

AUGMENT = [
    {"rotation_range": 30, "width_shift_range": 0.2, "height_shift_range": 2, "zoom_range": 0.3, "shear_range": 10},
    {"horizontal_flip": True, "vertical_flip": True, "channel_shift_range": 20.0, "rescale": 1 / 255, "fill_mode": "constant"},
    {"brightness_range": (0.5, 1.5), "width_shift_range": [-1, 2], "samplewise_center": True},
    {"featurewise_center": True, "featurewise_std_normalization": True, "validation_split": 0.4},
    {"featurewise_center": True, "zca_whitening": True, "data_format": "channels_first", "zoom_range": [0.8, 1.2]},
]  # fmt: skip


@pytest.fixture
def scipy_as_it_was(monkeypatch):
    """The name under which Keras's own code of that time finds the function that moves pictures."""
    ndimage = pytest.importorskip("scipy.ndimage")
    monkeypatch.setattr(
        oracle_image, "scipy", types.SimpleNamespace(ndimage=types.SimpleNamespace(interpolation=ndimage))
    )


@pytest.mark.parametrize("options", AUGMENT, ids=lambda options: "+".join(options))
def test_image_data_generator(options, rng, scipy_as_it_was):
    x = rng.integers(0, 255, (6, 8, 8, 3)).astype("float32")
    x = x.transpose(0, 3, 1, 2) if options.get("data_format") == "channels_first" else x
    y, weights = np.arange(6) % 2, np.arange(6.0)
    batches = []
    for module in (image, oracle_image):
        generator = module.ImageDataGenerator(**options)
        generator.fit(x, augment=True, seed=2)
        # Keras gives a subset the weights of other samples.
        along = {"subset": "training"} if "validation_split" in options else {"sample_weight": weights}
        flow = generator.flow(x, y, batch_size=4, seed=5, **along)
        batches.append([next(flow) for _ in range(3)] + [flow[0]] + [(np.array(len(flow)),)])
    for ours, theirs in zip(*batches, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-4)


@pytest.fixture
def folder(tmp_path, rng):
    """Two classes of small pictures."""
    for name in ("cats", "dogs"):
        (tmp_path / name).mkdir()
        for number in range(3):
            Image.fromarray(rng.integers(0, 255, (5, 6, 3)).astype("uint8")).save(tmp_path / name / f"{number}.png")
    return tmp_path


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"class_mode": "binary", "color_mode": "grayscale", "shuffle": False},
        {"class_mode": "input", "subset": "validation", "keep_aspect_ratio": True},
        {"class_mode": None, "classes": ["dogs", "cats"]},
    ],
    ids=str,
)
def test_pictures_in_folders(options, folder):
    made = []
    for module in (image, oracle_image):
        generator = module.ImageDataGenerator(horizontal_flip=True, validation_split=0.34)
        flow = generator.flow_from_directory(str(folder), target_size=(4, 4), batch_size=4, seed=1, **options)
        made.append((flow.filenames, flow.class_indices, list(flow.classes), flow.samples, next(flow)))
    assert made[0][:4] == made[1][:4]
    for a, b in zip(made[0][4], made[1][4], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"class_mode": "binary", "weight_col": "weight"},
        {"class_mode": "raw", "y_col": "weight"},
        {"class_mode": "multi_output", "y_col": ["weight", "weight"]},
        {"classes": ["dogs"], "class_mode": "sparse"},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:.*invalid image filename", "ignore:.*are not images")
def test_pictures_in_tables(options, folder):
    pandas = pytest.importorskip("pandas")
    names = [f"{name}/{number}.png" for name in ("cats", "dogs") for number in range(3)]
    table = pandas.DataFrame(
        {"filename": [*names, "none.png"], "class": [n[:4] for n in [*names, "dogs"]], "weight": range(7)}
    )
    made = []
    for module in (image, oracle_image):
        flow = module.ImageDataGenerator().flow_from_dataframe(
            table, str(folder), target_size=(4, 4), batch_size=4, seed=1, **options
        )
        made.append((flow.filenames, flow.samples, next(flow)))
    assert made[0][:2] == made[1][:2]
    for a, b in zip(made[0][2], made[1][2], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("random_rotation", (30,)),
        ("random_shift", (0.3, 0.2)),
        ("random_shear", (20,)),
        ("random_zoom", ((0.7, 1.3),)),
        ("random_channel_shift", (30.0, 2)),
        ("random_brightness", ((0.5, 1.5),)),
    ],
)
def test_functions_of_one_picture(function, arguments, rng, scipy_as_it_was):
    x = rng.integers(0, 255, (7, 9, 3)).astype("float32")
    axes = {"row_axis": 0, "col_axis": 1, "channel_axis": 2}
    axes = {} if function in ("random_channel_shift", "random_brightness") else axes
    results = []
    for module in (image, oracle_image):
        np.random.seed(4)
        results.append(getattr(module, function)(x, *arguments, **axes))
    np.testing.assert_allclose(results[0], results[1], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (lambda: image.ImageDataGenerator(validation_split=2), "validation_split"),
        (lambda: image.ImageDataGenerator(zoom_range=(1, 2, 3)), "zoom_range"),
        (lambda: image.ImageDataGenerator().flow(np.zeros((2, 2))), "pictures"),
        (lambda: image.ImageDataGenerator().flow(np.zeros((2, 2, 2, 1)), [1]), "y has 1 rows"),
        (lambda: image.ImageDataGenerator().fit(np.zeros(3)), "4 axes"),
    ],
)
def test_bad_input(line, named):
    with pytest.raises(ValueError, match=named):
        line()


# -- scikit-learn -------------------------------------------------------------------------------------------------------------


def test_scikit_learn(rng):
    pytest.importorskip("sklearn")
    from sklearn.base import clone

    import jkeras.keras as keras
    from jkeras.scripts import scikit_learn

    x = rng.normal(size=(24, 2)).astype("float32")
    names = np.array(["low", "high"])[(x[:, 0] > 0).astype(int)]

    def build(units=1, rate=0.1):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(units, "sigmoid" if units == 1 else "softmax")])
        loss = "binary_crossentropy" if units == 1 else "sparse_categorical_crossentropy"
        model.compile(keras.optimizers.SGD(rate), loss, metrics=["accuracy"])
        return model

    estimator = clone(scikit_learn.KerasClassifier(build, epochs=30, batch_size=8, verbose=0, rate=0.5))
    estimator.set_params(units=2)
    estimator.fit(x, names)
    assert estimator.score(x, names) > 0.8 and estimator.get_params()["rate"] == 0.5
    predicted = estimator.predict(x)
    assert (predicted == names).mean() == pytest.approx(estimator.score(x, names))
    assert estimator.predict_proba(x).shape == (24, 2) and list(estimator.classes_) == ["high", "low"]
    with pytest.raises(ValueError, match="not a legal parameter"):
        scikit_learn.KerasClassifier(build, colour=1)

    def line():
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="zeros")])
        model.compile("sgd", "mse")
        return model

    regressor = scikit_learn.KerasRegressor(line, nb_epoch=2, verbose=0)
    regressor.fit(x, x[:, 0])
    assert regressor.predict(x).shape == (24,)
    assert regressor.score(x, x[:, 0]) == pytest.approx(
        -float(np.mean((regressor.predict(x) - x[:, 0]) ** 2)), rel=1e-4
    )


def test_each_helper_says_once_what_to_write():
    NOTES.forget()
    with pytest.warns(match="TextVectorization") as record:
        _ = [text.Tokenizer() for _ in range(2)]
    assert len(record) == 1 and record[0].filename == __file__ and __name__ in sys.modules
