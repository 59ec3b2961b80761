"""With the options of XLA that users have: compilations are counted and numbers compared there too.

The suite itself compiles with less optimisation (see `conftest.py`), since most of its programs run once.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).parent


FILES = ("training/test_compilations.py", "layers/test_core.py")


def test_default_flags():
    environment = {
        **os.environ,
        "XLA_FLAGS": "--xla_force_host_platform_device_count=4",
        "JAX_COMPILATION_CACHE_DIR": str(Path(tempfile.gettempdir()) / "jkeras-test-cache-default"),
    }
    # The programs of a first fit are counted in processes that have the default options wherever they run.
    command = [
        sys.executable,
        "-m",
        "pytest",
        *(str(TESTS / file) for file in FILES),
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
    ]
    command += ["-k", "not a_first_fit"]
    done = subprocess.run(command, env=environment, cwd=TESTS.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
