"""Where weights come from, and what is checked before anything is made."""

import hashlib
from pathlib import Path

import keras
import numpy as np
import pytest

import jkeras.keras as dropin
from jkeras import applications, errors
from jkeras.applications import application as building
from jkeras.applications import mobilenet
from jkeras.applications.catalogue import HOMES
from jkeras.applications.weight_files import WeightFile
from tests.applications.facts import without_drawing, without_drawing_here
from tests.utils.server import serving

FACES = [applications, dropin.applications]
TINY = {"alpha": 0.25, "input_shape": (128, 128, 3)}


class AskedError(Exception):
    """Instead of a download."""


def asked_for(name, include_top, monkeypatch):
    """The file that a network asks for."""

    def download(file):
        raise AskedError(file)

    monkeypatch.setattr(building, "download", download)
    with pytest.raises(AskedError) as caught:
        getattr(applications, name)(include_top=include_top)
    return caught.value.args[0]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*input_shape")
@pytest.mark.parametrize("name", HOMES)
def test_every_file_is_keras(name, monkeypatch):
    """Names in the cache, addresses and checksums, with the classifier and without."""
    without_drawing(keras)

    def get_file(fname, origin, file_hash=None, cache_subdir=None):
        assert cache_subdir == "models"
        raise AskedError(WeightFile(fname, origin.removeprefix("https://storage.googleapis.com/"), file_hash))

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", get_file)
    for include_top in (True, False):
        with pytest.raises(AskedError) as caught:
            getattr(keras.applications, name)(include_top=include_top)
        assert asked_for(name, include_top, monkeypatch) == caught.value.args[0]


@pytest.mark.filterwarnings("ignore:.*input_shape")
@pytest.mark.parametrize("name", HOMES)
def test_checksums_are_keras(name, monkeypatch):
    module = getattr(keras.applications, "resnet" if HOMES[name] == "resnet_v2" else HOMES[name])
    source = Path(module.preprocess_input.__code__.co_filename).read_text(encoding="utf-8")
    for include_top in (True, False):
        file = asked_for(name, include_top, monkeypatch)
        assert file.checksum is None or file.checksum in source
        assert file.place.split("/")[-2] in source


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A cache of its own, a host that has one file of weights, all 0.5, and the checksum of that."""
    without_drawing_here(monkeypatch)
    model = applications.MobileNet(weights=None, **TINY)
    model = model.set_weights([np.full(np.shape(w), 0.5, "float32") for w in model.get_weights()])
    model.save_weights(tmp_path / "half.h5")
    contents = (tmp_path / "half.h5").read_bytes()
    monkeypatch.setenv("JKERAS_HOME", str(tmp_path / "home"))
    name = "mobilenet_2_5_128_tf.h5"
    with serving({f"tensorflow/keras-applications/mobilenet/{name}": contents}) as (url, log):
        monkeypatch.setenv("JKERAS_APPLICATIONS_URL", url)
        yield tmp_path / "home" / "models" / name, hashlib.md5(contents).hexdigest(), log


@pytest.mark.parametrize("face", FACES, ids=["values", "objects"])
def test_downloaded_once_then_found(face, published):
    path, _, log = published
    for _ in range(2):
        weights = face.MobileNet(**TINY).get_weights()
        assert all((np.asarray(w) == 0.5).all() for w in weights)
    assert path.is_file() and len(log) == 1


def test_what_cannot_be_had(published, monkeypatch):
    path, _, _ = published
    with pytest.raises(errors.DownloadError, match="put it at") as caught:
        applications.MobileNet(alpha=0.5, input_shape=(128, 128, 3))
    assert str(path.with_name("mobilenet_5_0_128_tf.h5")) in str(caught.value)
    wrong = WeightFile(path.name, f"tensorflow/keras-applications/mobilenet/{path.name}", "0" * 32)
    monkeypatch.setattr(building, "download", lambda file: weight_download(wrong))
    with pytest.raises(errors.DamagedFileError, match="checksum"):
        applications.MobileNet(**TINY)
    assert not path.exists()


weight_download = building.download


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("VGG16", {"weights": "imagnet"}, "weights='imagnet'.*'imagenet', or the path"),
        ("VGG16", {"classes": 7}, "classes=7.*include_top=False"),
        ("ResNet50", {"classes": 0, "weights": None}, "classes=0"),
        ("ResNet50", {"pooling": "mean", "weights": None}, "'avg' or 'max'"),
        ("ResNet50", {"input_shape": (64, 64, 3)}, r"should be \(224, 224, 3\)"),
        ("ResNet50", {"classifier_activation": "relu"}, "classifier_activation='relu'"),
        ("ResNet50", {"input_shape": (31, 64, 3), "weights": None}, "at least 32x32"),
        ("InceptionV3", {"input_shape": (64, 64, 3), "weights": None}, "at least 75x75"),
        ("DenseNet121", {"input_shape": (None, None, 3), "weights": None}, "static"),
        ("Xception", {"input_shape": (80, 80), "weights": None}, "three integers"),
        ("VGG19", {"input_shape": (64, 64, 1), "include_top": False}, "3 channels"),
        ("NASNetMobile", {"classifier_activation": "rleu", "weights": None}, r"NASNetMobile\(classifier_act.*'relu'"),
        ("VGG16", {"include_top": "False", "weights": None}, "include_top='False'.*True or False"),
        ("MobileNetV3Large", {"minimalistic": "no", "weights": None}, "minimalistic='no'.*True or False"),
        ("ConvNeXtTiny", {"include_preprocessing": None, "weights": None}, "include_preprocessing=None.*True or False"),
        ("Xception", {"name": "a/b", "weights": None}, "name='a/b'.*slash"),
        ("MobileNet", {"alpha": 0.3}, "alpha=0.3.*0.25"),
        ("MobileNet", {"depth_multiplier": 2}, "depth_multiplier=2"),
        ("MobileNetV2", {"alpha": -1, "weights": None}, "alpha=-1"),
        ("MobileNetV3Small", {"alpha": 0.75, "minimalistic": True}, "alpha=0.75"),
        ("NASNetLarge", {"input_shape": (None, None, 3), "include_top": False}, "static"),
        ("EfficientNetB0", {"input_tensor": np.zeros((1, 8, 8, 3)), "weights": None}, "symbolic"),
    ],
)
def test_bad_options(name, options, words):
    for face in FACES:
        with pytest.raises(errors.ArgumentError, match=words):
            getattr(face, name)(**options)


def test_unknown_arguments():
    for face in FACES:
        with pytest.raises(errors.SignatureError, match=r"MobileNet\(\).*'alfa'.*input_shape"):
            face.MobileNet(alfa=1)


def test_channels_first():
    dropin.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(errors.ArgumentError, match="channels_last"):
            applications.DenseNet121(weights=None)
        model = applications.MobileNetV2(weights=None, input_shape=(3, 32, 40), include_top=False, alpha=0.35)
        assert model.output_shape == (None, 1280, 1, 2)
        assert mobilenet.MobileNet(weights=None, include_top=False).input_shape == (None, 3, None, None)
    finally:
        dropin.config.set_image_data_format("channels_last")


@pytest.mark.parametrize("face", [applications, dropin.applications], ids=["values", "objects"])
def test_input_tensor(face, monkeypatch):
    without_drawing_here(monkeypatch)
    layers = dropin.layers if face is dropin.applications else __import__("jkeras").layers
    images = layers.Input(shape=(32, 32, 3))
    scaled = layers.Rescaling(2.0)(images)
    model = face.MobileNet(weights=None, include_top=False, alpha=0.25, input_tensor=scaled, pooling="max")
    assert model.input_shape == (None, 32, 32, 3) and model.output_shape == (None, 256)
    assert [layer.name for layer in model.layers][1].startswith("rescaling")
    with pytest.raises(errors.ArgumentError, match="width"):
        face.MobileNetV2(weights=None, input_tensor=images, input_shape=(64, 64, 3))
