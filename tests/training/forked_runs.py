"""Runs each script that it is sent in a copy of this process, in which JAX and jkeras are imported and nothing has run yet.

Each line on the standard input is JSON: a script and the environment variables that it adds; each line on the standard output
is JSON: the exit status and what the script wrote to its standard output and error.
"""

import json
import os
import sys
import tempfile
import traceback
import warnings

import jkeras as jk
from jkeras.models import training  # noqa: F401 - what `fit` needs


def run(script):
    """The exit status of a script."""
    try:
        exec(compile(script, "<string>", "exec"), globals())
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def copy(script, variables, out, err):
    """Runs a script in a copy of the process and returns its exit status."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.environ.update(variables)
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    status = run(script)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def main():
    warnings.simplefilter("ignore", RuntimeWarning)  # JAX's, of forks beside threads: it has none yet
    _ = jk.Sequential, jk.layers.Dense, jk.optimizers.Adam, jk.losses.MeanSquaredError, jk.metrics.Mean
    for line in sys.stdin:
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            status = copy(*json.loads(line), out, err)
            texts = [file.seek(0) or file.read() for file in (out, err)]
        print(json.dumps([status, *texts]), flush=True)


if __name__ == "__main__":
    main()
