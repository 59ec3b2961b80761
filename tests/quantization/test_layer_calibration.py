"""`GPTQ` and `AWQ` of one layer are Keras's, to which the same inputs are shown."""

import keras
import numpy as np
import pytest
from jkeras.keras.src.quantizers.awq import AWQ
from jkeras.keras.src.quantizers.gptq import GPTQ
from keras.src.quantizers import awq as keras_awq
from keras.src.quantizers import gptq as keras_gptq

import jkeras.keras as dropin
from jkeras.errors import ArgumentError

MODES = {
    "gptq": (GPTQ, keras_gptq.GPTQ, "GPTQConfig", "update_hessian_with_batch", "quantize_and_correct_layer", "hessian"),
    "awq": (AWQ, keras_awq.AWQ, "AWQConfig", "update_activation_magnitudes", "quantize_layer", "activation_magnitudes"),
}
LAYERS = {
    "Dense": ("Dense", {"units": 6}, (None, 8)),
    "EinsumDense": ("EinsumDense", {"equation": "bh,hio->bio", "output_shape": (2, 3)}, (None, 8)),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("group_size", [-1, 4])
def test_numbers_are_those_of_keras(mode, kind, group_size, rng):
    *classes, config_name, update, round_kernel, statistics = MODES[mode]
    name, arguments, shape = LAYERS[kind]
    batches = [rng.normal(size=size).astype("float32") for size in ((16, 8), (4, 3, 8))]
    kernels = []
    for library, calibration in zip((dropin, keras), classes, strict=True):
        layer = getattr(library.layers, name)(**arguments)
        layer.build(shape)
        kernels.append(layer.kernel.numpy())
        layer.set_weights([kernels[0], *layer.get_weights()[1:]])
        config = getattr(library.quantizers, config_name)(None, None, group_size=group_size)
        layer.quantize(mode, config=config)
        one = calibration(layer, config)
        for batch in batches:
            getattr(one, update)(batch)
        kernels.append((np.asarray(getattr(one, statistics)), one.num_samples, one.rows, one.columns))
        getattr(one, round_kernel)()
        kernels.append([np.asarray(weight) for weight in layer.get_weights()])
    _, (seen, *sizes), ours, _, (expected_seen, *expected_sizes), theirs = kernels
    assert sizes == expected_sizes
    np.testing.assert_allclose(seen, expected_seen, rtol=1e-5, atol=1e-6)
    assert [weight.dtype for weight in ours] == [weight.dtype for weight in theirs]
    for weight, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(weight.astype("float32"), expected.astype("float32"), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mode", MODES)
def test_what_is_no_batch(mode):
    calibration, *_, update, round_kernel, _ = MODES[mode]
    with pytest.raises(TypeError, match=f"Unsupported layer type for {calibration.__name__}.*Dropout"):
        calibration(dropin.layers.Dropout(0.5))
    layer = dropin.layers.Dense(2)
    layer.build((None, 3))
    one = calibration(layer)
    for batch, words in (
        (None, "cannot be None"),
        (np.zeros(3, "float32"), "rank >= 2"),
        (np.zeros((0, 3), "float32"), r"cannot be empty.*\(0, 3\)"),
        (np.zeros((2, 4), "float32"), r"\(3\) do not match input features \(4\)"),
    ):
        with pytest.raises(ValueError, match=words):
            getattr(one, update)(batch)
    with pytest.raises(ArgumentError, match=f"layer.quantize\\('{mode}'"):
        getattr(one, round_kernel)()
    one.free()
    assert one.layer is None


def test_a_mode_without_its_configuration():
    class Other(dropin.quantizers.QuantizationConfig):
        @property
        def mode(self):
            return "gptq"

    layer = dropin.layers.Dense(2)
    layer.build((None, 3))
    with pytest.raises(ArgumentError, match="requires a valid `config` argument of type `GPTQConfig`"):
        layer.quantize(config=Other())
    for mode, name in (("Int8", "int8"), ("gtpq", "gptq")):
        with pytest.raises(ArgumentError, match=f"Did you mean '{name}'"):
            layer.quantize(mode)
