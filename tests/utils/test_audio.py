"""Sounds of a folder, of every width that a .wav file may have."""

import wave

import numpy as np
import pytest

from jkeras.errors import ArgumentError, DamagedFileError, InputError
from jkeras.utils import audio_dataset_from_directory
from jkeras.utils.audio import read_wav


def write(path, values, width=2, rate=8000):
    """A file of whole numbers `(samples, channels)`."""
    path.parent.mkdir(exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(values.shape[1])
        file.setsampwidth(width)
        file.setframerate(rate)
        shifted = values + 128 if width == 1 else values
        file.writeframes(b"".join(int(v).to_bytes(width, "little", signed=width > 1) for v in shifted.ravel()))


@pytest.fixture
def sounds(tmp_path, rng):
    values = {}
    for name, length in (("cat/a.wav", 5), ("cat/b.wav", 3), ("dog/c.wav", 4), ("dog/d.wav", 7)):
        values[name] = rng.integers(-(2**15), 2**15, (length, 2))
        write(tmp_path / name, values[name])
    return tmp_path, values


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_every_width(width, tmp_path, rng):
    top = 2 ** (8 * width - 1)
    values = np.concatenate([rng.integers(-top, top, (6, 2)), [[-top, top - 1]]])
    write(tmp_path / "a.wav", values, width)
    given = read_wav(str(tmp_path / "a.wav"))
    assert given.dtype == np.float32 and given.min() == -1
    np.testing.assert_allclose(given, values / top, rtol=1e-6)


def test_batches_are_filled_up_to_the_longest(sounds):
    folder, values = sounds
    data = audio_dataset_from_directory(folder, batch_size=2, shuffle=False, verbose=False)
    batches = list(data)
    assert data.class_names == ["cat", "dog"]
    assert [(x.shape, y.tolist()) for x, y in batches] == [((2, 5, 2), [0, 0]), ((2, 7, 2), [1, 1])]
    np.testing.assert_array_equal(batches[0][0][1], np.pad(values["cat/b.wav"], ((0, 2), (0, 0))) / np.float32(2**15))


def test_one_length(sounds, capsys):
    folder, _values = sounds
    train, validation = audio_dataset_from_directory(
        folder, output_sequence_length=4, sampling_rate=8000, validation_split=0.25, subset="both", seed=1
    )
    assert capsys.readouterr().out == "Found 4 files of 2 classes.\n"
    assert [x.shape for x, _ in train] == [(3, 4, 2)] and [x.shape for x, _ in validation] == [(1, 4, 2)]


def test_mistakes_are_named(sounds, tmp_path):
    folder, values = sounds
    with pytest.raises(ArgumentError, match="ragged"):
        audio_dataset_from_directory(folder, ragged=True)
    with pytest.raises(InputError, match=r"8000 samples per second, not sampling_rate=16000"):
        next(iter(audio_dataset_from_directory(folder, sampling_rate=16000, verbose=False)))
    write(folder / "dog/e.wav", values["dog/d.wav"][:, :1])
    with pytest.raises(InputError, match=r"\[1, 2\] channels"):
        next(iter(audio_dataset_from_directory(folder, verbose=False)))
    for contents in (b"", b"RIFF\0\0\0\0WAVEjunk"):
        (folder / "dog/e.wav").write_bytes(contents)
        with pytest.raises(DamagedFileError, match="not an uncompressed .wav"):
            next(iter(audio_dataset_from_directory(folder, verbose=False)))
