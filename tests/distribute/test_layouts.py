"""What strategies say of layouts is what Keras's distributions say."""

import keras as oracle
import numpy as np
import pytest

import jkeras.keras as keras

SHAPES = [(4, 2), (4,), ()]


def described(layout):
    return None if layout is None else (tuple(layout.axes), tuple(layout.device_mesh.shape))


def strategies(library):
    names = library.distribution.list_devices()
    space = library.distribution
    yield space.DataParallel(devices=names)
    yield space.DataParallel(device_mesh=space.DeviceMesh((len(names),), ["rows"], names))
    mesh = space.DeviceMesh((2, len(names) // 2), ["data", "model"], names)
    layouts = space.LayoutMap(mesh)
    layouts[".*kernel"], layouts["/between"] = (None, "model"), ("data", None)
    yield space.ModelParallel(layout_map=layouts, batch_dim_name="data")


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_layouts_are_those_of_keras(shape):
    answers = []
    for library in (keras, oracle):
        name = "kernel" if len(shape) == 2 else "bias"
        variable = library.Variable(np.ones(shape, "float32"), name=name)
        answers.append(
            [
                (
                    described(strategy.get_data_layout((8, *shape))),
                    described(strategy.get_variable_layout(variable)),
                    described(strategy.get_tensor_layout("/between")),
                    described(strategy.get_tensor_layout("/elsewhere")),
                )
                for strategy in strategies(library)
            ]
        )
    assert answers[0] == answers[1]
