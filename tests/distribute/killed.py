"""One of two processes is killed: `python -m tests.distribute.killed` shows how the other ends, and that the job goes on.

It runs the same job three times over two processes of two devices: whole; with process 1 (then process 0) killed in the
middle of the second epoch; and again, from the backup. The weights must be the same bits.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]


def worker(folder, out, victim):
    """What each process runs: trains with a backup after every second step; the victim kills itself at step 6."""
    import jax

    import jkeras as jk
    from tests.distribute import cases

    strategy = jk.distribute.MultiWorkerMirroredStrategy()

    class Kill(jk.callbacks.Callback):
        """Ends this process without a word."""

        def on_train_batch_end(self, batch, logs=None):
            if int(self.model.state.step) == 6 and victim == jax.process_index():
                os.kill(os.getpid(), signal.SIGKILL)

    model, x, y, loss = cases.made("mlp")
    model = model.compile("adam", loss, metrics=["accuracy"], distribute=strategy)
    backup = jk.callbacks.BackupAndRestore(folder, save_freq=2, delete_checkpoint=victim is None)
    model = model.fit(x, y, epochs=3, batch_size=16, verbose=2, callbacks=[backup, Kill()])
    if jax.process_index() == 0:
        np.savez(out, *jax.tree.leaves((dict(model.history), model.params)))


def job(folder, out, victim=None):
    """Runs the job; its exit status, output and seconds from the first process's end to the last one's."""
    command = [
        sys.executable,
        "-m",
        "jkeras",
        "launch",
        "--processes",
        "2",
        "--devices",
        "2",
        __file__,
        folder,
        out,
        str(victim),
    ]
    start = time.perf_counter()
    found = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    return found.returncode, found.stdout + found.stderr, time.perf_counter() - start


def main():
    """Runs and compares."""
    for victim in (1, 0):
        with tempfile.TemporaryDirectory() as folder:
            whole, again = f"{folder}/whole.npz", f"{folder}/again.npz"
            status, text, alone = job(f"{folder}/a", whole)
            assert status == 0, text
            status, text, seconds = job(f"{folder}/b", again, victim)
            assert status != 0, text
            last = next((line for line in text.splitlines() if "ProcessError" in line), text)
            assert seconds < 60 + alone
            print(
                f"process {victim} killed: status {status}, {seconds:.0f} s in all (undisturbed {alone:.0f} s)\n  {last}"
            )
            status, text, _ = job(f"{folder}/b", again)
            assert status == 0, text
            with np.load(whole) as a, np.load(again) as b:
                equal = all(np.array_equal(a[name], b[name]) for name in a.files)
            print(f"  resumed: {'the same bits' if equal else 'DIFFERENT'}")
            assert equal


if __name__ == "__main__":
    if len(sys.argv) == 4:
        sys.path.insert(0, str(ROOT))
        worker(sys.argv[1], sys.argv[2], None if sys.argv[3] == "None" else int(sys.argv[3]))
    else:
        main()
