"""What every test shares: Keras on JAX as the oracle, a persistent compilation cache, real data where it is present."""

import os
import tempfile
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
# Four devices; and, since most programs of tests run once, machine code that is compiled in half of the time.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_force_host_platform_device_count=4 --xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
    # Later versions do not know it.
    + (" --xla_cpu_use_fusion_emitters=false" if version("jaxlib").startswith("0.10.") else ""),
)
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(tempfile.gettempdir()) / "jkeras-test-cache"))
# A folder for each process that runs tests, since JAX writes to it without a lock.
os.environ["JAX_COMPILATION_CACHE_DIR"] += "/" + os.environ.get("PYTEST_XDIST_WORKER", "")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.3")

import jax
import numpy as np
import pytest
from hypothesis import settings

# Compiling takes time; a slow example is no failure.
settings.register_profile("jkeras", deadline=None)
settings.load_profile("jkeras")


# Each compiled program takes some ten mappings of memory, of which Linux gives a process 65,530.
MAPPINGS = Path("/proc/self/maps")
MANY_MAPPINGS = 30_000


@pytest.fixture(autouse=True, scope="module")
def few_mappings():
    """Compiled programs are released between modules when there are many: beyond the limit the compiler crashes."""
    yield
    if MAPPINGS.exists() and MAPPINGS.read_bytes().count(b"\n") > MANY_MAPPINGS:
        jax.clear_caches()


@pytest.fixture
def rng(request):
    """A NumPy generator seeded by the test's name: reproducible, and different from test to test."""
    return np.random.default_rng(list(request.node.nodeid.encode()))


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real data beside the project, where there is one; otherwise the test is skipped."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the folder of real data is not present")
    return folder
