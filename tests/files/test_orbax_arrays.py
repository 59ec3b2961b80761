"""Arrays in directories: every type and size, and damage that ends in our error alone, with nothing else on the screen."""

import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
import pytest

from jkeras.errors import RestoreError
from jkeras.files.containers import directory, orbax_arrays

ARRAYS = {
    "float32": np.arange(6, dtype="float32").reshape(2, 3),
    "zeros": np.zeros((4,), "float32"),
    "float64": np.array([1e300]),
    "int64": np.array([2**40]),
    "uint8": np.arange(3, dtype="uint8"),
    "bool": np.array([True, False]),
    "float16": np.ones((2,), "float16"),
    "bfloat16": jnp.ones((3, 2), jnp.bfloat16),
    "float8": jnp.ones((3,), jnp.float8_e4m3fn),
    "int4": jnp.arange(-2, 2, dtype=jnp.int4),
    "a number": np.float32(2.5),
    "empty": np.zeros((0, 3), "float32"),
    "empty and short": jnp.zeros((2, 0), jnp.bfloat16),
}


def saved(path, arrays=ARRAYS):
    directory.save(path, {}, arrays)
    return directory.read_config(path)["arrays"]


def test_every_type_and_size_comes_back(tmp_path):
    path = tmp_path / "a b%41#?"
    found = directory.read_arrays(path, saved(path))
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, np.shape(array)), name
        assert found[name].tobytes() == np.asarray(array).tobytes(), name


def test_empty_arrays_alone(tmp_path):
    found = directory.read_arrays(tmp_path / "m", saved(tmp_path / "m", {"empty": np.zeros((0,), "int32")}))
    assert found["empty"].shape == (0,)


def test_more_arrays_than_are_read_at_once_keep_their_order(tmp_path):
    arrays = {f"a{i}": np.full((3,), i) for i in range(3 * orbax_arrays.READS + 1)}
    found = directory.read_arrays(tmp_path / "m", saved(tmp_path / "m", arrays))
    assert {name: array[0] for name, array in found.items()} == {f"a{i}": i for i in range(len(arrays))}


@pytest.mark.parametrize("listed", [[[3, 2], "float32"], [[2, 3], "int32"], [[6], "float32"]])
def test_what_differs_from_the_list_is_told_by_name(tmp_path, listed):
    config = saved(tmp_path / "m", {"kernel": np.ones((2, 3), "float32")})
    with pytest.raises(RestoreError, match=r"'kernel' is float32\[2, 3\], not"):
        directory.read_arrays(tmp_path / "m", {**config, "kernel": listed})


DAMAGED = """
import itertools, shutil, sys
from pathlib import Path
import numpy as np
import orbax.checkpoint as ocp
import jkeras as jk
from jkeras.files.containers import directory

folder = Path(sys.argv[1])
arrays = {f"a{i}": np.full((300,), i, "float32") for i in range(12)}
directory.save(folder / "valid", {}, arrays)
(folder / "valid/checksums.json").unlink()
files = [file for file in (folder / "valid/arrays").rglob("*") if file.is_file()]
told = 0
for file, way in itertools.product(sorted(files), ("cut", "removed", "noise", "empty")):
    shutil.copytree(folder / "valid", folder / "damaged")
    place = folder / "damaged" / file.relative_to(folder / "valid")
    data = place.read_bytes()
    if way == "removed":
        place.unlink()
    else:
        changed = {"cut": data[: len(data) // 3], "noise": data[:40] + b"noise" * 9 + data[85:], "empty": b""}
        place.write_bytes(changed[way])
    try:
        config = directory.read_config(folder / "damaged")
        directory.read_arrays(folder / "damaged", config["arrays"])
    except jk.errors.RestoreError as error:
        assert "damaged" in str(error) and "\\n" not in str(error), error
        told += 1
    shutil.rmtree(folder / "damaged")
print(told, len(files))
"""


def test_damage_without_a_list_of_checksums_leaves_nothing_on_the_screen_but_our_error(tmp_path):
    done = subprocess.run([sys.executable, "-c", DAMAGED, tmp_path], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    told, files = map(int, done.stdout.split())
    assert told >= 8 and files >= 5


def test_orbax_reads_what_is_written(tmp_path):
    arrays = {name: array for name, array in ARRAYS.items() if np.size(array)}
    listed = saved(tmp_path / "m", arrays)
    found = ocp.PyTreeCheckpointHandler().restore(tmp_path / "m/arrays")
    for name, (number, array) in zip(listed, sorted(found.items()), strict=True):
        assert np.asarray(array).dtype == arrays[name].dtype, (number, name)
        assert np.asarray(array).tobytes() == np.asarray(arrays[name]).tobytes(), name


def test_what_orbax_writes_is_read(tmp_path):
    """As saves did before."""
    arrays = {f"{i:06d}": array for i, array in enumerate(ARRAYS.values()) if np.size(array)}
    with ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as checkpointer:
        checkpointer.save(tmp_path / "arrays", args=ocp.args.PyTreeSave(arrays))
    listed = {name: [list(np.shape(array)), str(array.dtype)] for name, array in ARRAYS.items()}
    for name, array in orbax_arrays.read(tmp_path / "arrays", listed, tmp_path).items():
        assert array.tobytes() == np.asarray(ARRAYS[name]).tobytes(), name


FULL = """
import resource, sys
from pathlib import Path
import numpy as np
import orbax.checkpoint as ocp
import jkeras as jk
from jkeras.files.containers import directory

folder = Path(sys.argv[1])
numbers = np.random.default_rng(0)
directory.save(folder / "before", {}, {"a": np.ones(3)})
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, resource.RLIM_INFINITY))
for name in ("before", "new"):
    for size in (2_000, 20_000):  # each array fits into a file, or none does
        arrays = {f"a{i}": numbers.random(size, "float32") for i in range(40)}
        try:
            directory.save(folder / name, {}, arrays)
        except jk.errors.SaveError as error:
            assert "File too large" in str(error) and "\\n" not in str(error), error
            print(sorted(path.name for path in folder.iterdir()))
assert directory.read_arrays(folder / "before", directory.read_config(folder / "before")["arrays"])["a"].size == 3
"""


def test_what_cannot_be_written_leaves_nothing_on_the_screen_but_our_error(tmp_path):
    done = subprocess.run([sys.executable, "-c", FULL, tmp_path], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert set(done.stdout.splitlines()) == {"['before']"} and len(done.stdout.splitlines()) >= 2
