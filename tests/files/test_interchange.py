"""Every layer through the files of Keras, and the table of it in docs/files.md."""

import jax
import numpy as np
import pytest

from tests.files import interchange


def test_every_layer_is_in_the_table():
    assert not interchange.classes_without_row()


def test_the_page_says_what_the_code_does():
    page = interchange.written()
    found, failed = interchange.table(alone=interchange.not_yes(page))
    assert found == page, f"python -m tests.files.interchange --write\n{failed}"


# What these compute in inference is another thing on purpose; docs/differences.md says so.
OTHERWISE = ("the_RandomCrop", "the_SpectralNormalization")


@pytest.mark.filterwarnings("ignore")
def test_outputs_after_a_file_are_those_of_keras(tmp_path, rng):
    with interchange.quick_initializers():
        sides = interchange.Sides(interchange.ROWS)
    model, theirs = sides.ours(tmp_path), sides.theirs
    x = interchange.arrays(interchange.ROWS, rng)
    trained, fixed = ([v.value for v in vs] for vs in (theirs.trainable_variables, theirs.non_trainable_variables))

    def both(trained, fixed, variables, x):
        return theirs.stateless_call(trained, fixed, x, training=False)[0], model.apply(variables, x)

    quick = jax.jit(both, compiler_options={"xla_backend_optimization_level": 0})
    for name, expected, found in zip(model.output_names, *quick(trained, fixed, model.variables, x), strict=True):
        if name not in OTHERWISE:
            np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-5, err_msg=name)
