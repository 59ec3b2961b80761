"""Event files: the framing byte by byte, and everything in them read back by TensorBoard's own reader."""

import json
import struct

import numpy as np
import pytest

import jkeras as jk
from jkeras import callbacks, layers
from jkeras.callbacks import events


def records(folder):
    """The raw events of a folder, their checksums verified."""
    found = []
    for file in sorted(folder.glob("events.out.tfevents.*")):
        data = file.read_bytes()
        while data:
            (length,) = struct.unpack("<Q", data[:8])
            assert struct.unpack("<I", data[8:12])[0] == events.masked_crc(data[:8])
            payload = data[12 : 12 + length]
            assert struct.unpack("<I", data[12 + length : 16 + length])[0] == events.masked_crc(payload)
            found.append(payload)
            data = data[16 + length :]
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("logs")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 4)).astype("float32")
    y = (x.sum(1) > 0).astype("int32")
    model = jk.Sequential(
        [layers.Input((4,)), layers.Dense(3, activation="relu"), layers.Dense(2, activation="softmax")], name="small"
    )
    model = model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    board = callbacks.TensorBoard(
        folder, histogram_freq=1, write_images=True, update_freq=2, write_steps_per_second=True
    )
    return folder, model.fit(x, y, batch_size=8, epochs=2, verbose=0, validation_split=0.2, callbacks=[board])


def test_the_checksum_is_castagnolis():
    # The check value of CRC-32C for this text is 0xe3069283.
    crc = 0xE3069283
    assert events.masked_crc(b"123456789") == ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def test_files_are_well_formed(run):
    folder, _ = run
    assert b"brain.Event:2" in records(folder / "train")[0]
    assert len(records(folder / "validation")) > 1


def test_tensorboard_reads_everything_back(run):
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    folder, model = run
    everything = {"scalars": 0, "tensors": 0, "histograms": 0, "images": 0}
    train = accumulators.EventAccumulator(str(folder / "train"), size_guidance=everything).Reload()
    validation = accumulators.EventAccumulator(str(folder / "validation"), size_guidance=everything).Reload()
    for accumulator, prefix in ((train, ""), (validation, "val_")):
        for name in ("loss", "accuracy"):
            read = accumulator.Scalars(f"epoch_{name}")
            assert [event.step for event in read] == [0, 1]
            np.testing.assert_allclose([event.value for event in read], model.history[prefix + name], rtol=1e-6)
    assert [event.value for event in train.Scalars("epoch_learning_rate")] == pytest.approx([1e-3, 1e-3])
    assert [event.step for event in train.Scalars("batch_loss")] == [2, 4, 6, 8]
    assert {event.step for event in validation.Scalars("evaluation_loss_vs_iterations")} == {4, 8}
    histogram = train.Histograms("dense/kernel/histogram")[-1].histogram_value
    kernel = model.get_weights()[0]
    assert (histogram.num, histogram.min, histogram.max) == (kernel.size, kernel.min(), kernel.max())
    assert sum(histogram.bucket) == kernel.size
    assert train.Images("dense/kernel/image")[0].height == 4
    written = json.loads(train.Tensors("keras")[0].tensor_proto.string_val[0])
    assert written["config"]["name"] == "small"


def test_only_per_batch_settings_cost_anything_per_batch(tmp_path):
    def wants(callback):
        return callbacks.CallbackList([callback]).wants("on_train_batch_end")

    assert not wants(callbacks.TensorBoard(tmp_path, histogram_freq=1))
    assert wants(callbacks.TensorBoard(tmp_path, update_freq="batch"))
    assert not wants(callbacks.ModelCheckpoint("m"))
    assert wants(callbacks.ModelCheckpoint("m", save_freq=10))


@pytest.mark.parametrize("wrong", [-1, (5, 2), "2,1", 1.5])
def test_a_wrong_profile_range(wrong):
    with pytest.raises(ValueError, match="profile_batch"):
        callbacks.TensorBoard(profile_batch=wrong)
