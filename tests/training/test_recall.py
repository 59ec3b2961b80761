"""Programs that another process lowered: the same numbers, no tracing, and whatever is unknown is traced."""

import functools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import jkeras

RUNS = Path(__file__).with_name("recalled_runs.py")
FORKS = Path(__file__).with_name("forked_runs.py")
TREE = str(Path(jkeras.__file__).parents[1])
KEPT, FOUND = "is kept", "need not be traced again"


def environment(folder, **more):
    dropped = ("COMPILATION_CACHE", "JAX_PERSISTENT")
    variables = {k: v for k, v in os.environ.items() if not any(word in k for word in dropped)}
    flags = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
    return {**variables, "PYTHONPATH": TREE, "XLA_FLAGS": flags, "JKERAS_COMPILATION_CACHE": str(folder), **more}


def python(folder, *arguments, **more):
    process = subprocess.run(
        [sys.executable, *map(str, arguments)], env=environment(folder, **more), capture_output=True, text=True
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


@functools.cache
def forks():
    """A process that has imported what all scripts import."""
    return subprocess.Popen(
        [sys.executable, FORKS], env=environment("off"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


@pytest.fixture(scope="module", autouse=True)
def no_forks_are_left():
    yield
    if forks.cache_info().currsize:
        forks().communicate()
        forks.cache_clear()


def script(folder, text, **more):
    """What a script prints in a process of its own."""
    if "JAX_DEFAULT_PRNG_IMPL" in more:  # which JAX reads when it is imported
        return python(folder, "-c", text, **more)
    print(json.dumps([text, {"JKERAS_COMPILATION_CACHE": str(folder), **more}]), file=forks().stdin, flush=True)
    status, out, err = json.loads(forks().stdout.readline())
    assert status == 0, err
    return out


def run(folder):
    return json.loads(python(folder, RUNS).splitlines()[-1])


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """What all cases give without a cache, in the process that fills one, and in the next."""
    folder = tmp_path_factory.mktemp("programs")
    return [run(where) for where in ("off", folder, folder)]


def test_the_numbers_are_those_of_traced_programs_to_the_bit(processes):
    traced, first, second = processes
    for name, found in traced.items():
        assert first[name]["bits"] == found["bits"] == second[name]["bits"], name


def test_the_second_process_traces_nothing(processes):
    _, first, second = processes
    for name in set(first) - {"drop-in"}:  # whose objects are the user's
        programs = [message for message in first[name]["log"] if KEPT in message]
        assert programs, name
        assert all(FOUND in message for message in second[name]["log"]), name
        assert len(second[name]["log"]) >= len(programs), name


def test_without_a_cache_nothing_is_kept(processes):
    assert not any(found["log"] for found in processes[0].values())


SMALL = """
import logging, sys
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format="%(message)s")
for name in ("jax", "h5py"):
    logging.getLogger(name).setLevel(logging.WARNING)
import jax, numpy as np
import jkeras as jk
{before}
model = jk.Sequential([jk.Input((4,)), {layer}, jk.layers.Dense(1)]).compile({compile})
model = model.fit(np.ones((24, 4), "float32"), np.ones((24, 1), "float32"), batch_size=8, verbose=0)
print(float(model.history["loss"][0]).hex())
"""


def small(folder, before="", layer="jk.layers.Dense(2)", compile='"adam", "mse"', **more):
    """Whether the training program of a small model was found, kept or traced, and the loss."""
    *log, loss = script(folder, SMALL.format(before=before, layer=layer, compile=compile), **more).splitlines()
    log = [line for line in log if line.startswith("train_")]
    words = {KEPT: "kept", FOUND: "found", "is traced": "traced"}
    return next((word for text, word in words.items() for line in log if text in line), "off"), loss


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("template")
    word, loss = small(folder)
    assert word == "kept"
    return folder, loss


@pytest.fixture
def filled(template, tmp_path):
    """A folder with the program of the small model, and its loss."""
    return shutil.copytree(template[0], tmp_path / "programs"), template[1]


# What a user may put in a model, or change in jkeras or JAX: never a program that was kept without it.
OTHERS = {
    "a lambda": {"layer": "jk.layers.Lambda(lambda x: 2 * x)"},
    "a function": {"before": "def double(x): return 2 * x", "layer": "jk.layers.Dense(2, activation=double)"},
    "a class": {"before": "class Mine(jk.layers.Dense): pass", "layer": "Mine(2)"},
    "a loss": {"before": "def loss(y, p): return (y - p) ** 2", "compile": '"adam", loss'},
    "an optimizer": {"before": "import optax", "compile": 'optax.adam(1e-3), "mse"'},
    "a method": {
        "before": "old = jk.layers.Dense.call\ndef call(self, x): return 2 * old(self, x)\njk.layers.Dense.call = call"
    },
    "a function of jkeras": {
        "before": "from jkeras.losses import regression\nregression.mean_squared_error = lambda y, p: (y - p) ** 4"
    },
    "a function of JAX": {"before": "import jax.numpy as jnp\njnp.dot = lambda a, b: a @ b"},
    "a mock": {"before": "from unittest import mock\njk.layers.Dense.call = mock.MagicMock(side_effect=jk.layers.Dense.call)"},
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_not_jkeras_own_is_traced(filled, name):
    try:
        word, _ = small(filled[0], **OTHERS[name])
    except AssertionError:
        assert name == "a mock"  # which cannot be traced at all
        return
    assert word == "traced"


# What changes a program that is all of jkeras: another key.
SWITCHES = {
    "another size": {"layer": "jk.layers.Dense(3)"},
    "another loss": {"compile": '"adam", "mae"'},
    "another method of ours": {"before": "jk.layers.Dense.compute_mask = jk.layers.Layer.compute_mask"},
    "another constant of ours": {"before": "jk.layers.Dense.mixes_samples = True"},
    "another function of JAX's": {"before": "jax.numpy.square = jax.numpy.abs"},
    "one without code": {"before": "jax.numpy.add = jax.numpy.multiply"},
    "epsilon": {"before": "jk.config.set_epsilon(1e-5)"},
    "lowering": {"before": 'jk.config.lowering = "plain"'},
    "lowering in a block": {"before": 'from jkeras import lowering\nblock = lowering.use("plain")\nblock.__enter__()'},
    "precision": {"before": 'jax.config.update("jax_default_matmul_precision", "float32")'},
    "random numbers": {"before": 'jax.config.update("jax_threefry_partitionable", False)'},
    "environment": {"JAX_DEFAULT_PRNG_IMPL": "rbg"},
}


@pytest.mark.parametrize("name", SWITCHES)
def test_another_program_is_never_found(filled, name):
    assert small(filled[0], **SWITCHES[name])[0] == "kept"


# With these JAX looks at a program while it is traced.
@pytest.mark.parametrize("switch", ["jax_debug_nans", "jax_log_compiles", "jax_check_tracer_leaks"])
def test_who_looks_at_programs_traces_them(filled, switch):
    assert small(filled[0], before=f'jax.config.update("{switch}", True)')[0] == "off"


def entries(folder):
    return [path for path in Path(folder).iterdir() if path.name.startswith("lowered-")]


DAMAGE = {
    "truncated": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "garbage": lambda data: os.urandom(len(data)),
    "one bit": lambda data: data[:-100] + bytes([data[-100] ^ 1]) + data[-99:],
    "another version": lambda data: data.replace(b"program 1", b"program 0", 1),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_file_is_written_anew(filled, kind):
    folder, loss = filled
    for path in entries(folder):
        path.write_bytes(DAMAGE[kind](path.read_bytes()))
    assert small(folder) == ("kept", loss)
    assert small(folder) == ("found", loss)


def test_a_file_under_another_name_is_not_read(filled):
    folder, loss = filled
    assert small(folder, layer="jk.layers.Dense(3)")[0] == "kept"
    first, second, *_ = entries(folder)
    one, other = first.read_bytes(), second.read_bytes()
    first.write_bytes(other)
    second.write_bytes(one)
    assert small(folder) == ("kept", loss)


def test_a_folder_that_cannot_be_written_to(filled):
    folder, loss = filled
    for path in entries(folder):
        path.unlink()
        path.mkdir()  # also for those who may write everywhere
    assert small(folder)[1] == loss


def test_processes_at_once(tmp_path):
    command = [sys.executable, "-c", SMALL.format(before="", layer="jk.layers.Dense(2)", compile='"adam", "mse"')]
    start = functools.partial(subprocess.Popen, command, env=environment(tmp_path), stdout=subprocess.PIPE, text=True)
    running = [start() for _ in range(3)]
    assert len({process.communicate()[0].splitlines()[-1] for process in running}) == 1
    assert small(tmp_path)[0] == "found"
    assert not [path for path in Path(tmp_path).iterdir() if ".new-" in path.name]


def test_several_devices_and_strategies_are_traced(tmp_path):
    assert small(tmp_path, XLA_FLAGS="--xla_force_host_platform_device_count=2")[0] == "off"
    assert not entries(tmp_path)


DONATION = """
import jax, numpy as np
import jkeras as jk
model = jk.Sequential([jk.Input((4,)), jk.layers.Dense(1)]).compile("adam", "mse")
batch = np.ones((8, 4), "float32"), np.ones((8, 1), "float32")
state, _ = jk.train_step(model.definition, model.recipe, model.state, batch)
kernel = state.params["dense"]["kernel"]
new, _ = jk.train_step(model.definition, model.recipe, state, batch, donate=True)
assert kernel.is_deleted()
assert not new.params["dense"]["kernel"].committed
try:
    jk.train_step(model.definition, model.recipe, new, (batch[0][:, :3], batch[1]))
except jk.errors.InputError as error:
    print(error)
"""


def test_buffers_are_donated_and_errors_are_the_same(tmp_path):
    messages = [script(where, DONATION) for where in ("off", tmp_path, tmp_path)]
    assert messages[0]
    assert messages == messages[:1] * 3
