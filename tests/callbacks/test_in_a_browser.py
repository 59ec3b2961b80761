"""TensorBoard itself, in a browser without a screen, shows the curves of a run."""

import re
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest

import jkeras as jk
from jkeras import callbacks, layers

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ("--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
         "--disable-component-update --disable-sync --window-size=1400,1000 --virtual-time-budget=30000").split()  # fmt: skip
# What TensorBoard draws the first two runs with.
ORANGE, BLUE = (255, 112, 67), (0, 119, 187)


@pytest.fixture
def board(tmp_path):
    """The address of a TensorBoard that shows `tmp_path / "logs"`."""
    pytest.importorskip("tensorboard")
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "tensorboard.main",
        "--logdir",
        str(tmp_path / "logs"),
        "--port",
        "0",
    ]
    command += ["--load_fast=false"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    guard = threading.Timer(60, server.kill)
    guard.start()
    try:
        found = next((m for line in server.stderr if (m := re.search(r"http://localhost:\d+", line))), None)
        assert found, "TensorBoard did not start"
        yield found[0]
    finally:
        guard.cancel()
        server.kill()
        server.communicate()


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium")
def test_curves_are_seen(tmp_path, rng, board):
    x = rng.normal(size=(64, 4)).astype("float32")
    model = jk.Sequential([layers.Input((4,)), layers.Dense(1)]).compile("sgd", "mse", metrics=["mae"])
    log = callbacks.TensorBoard(tmp_path / "logs")
    _ = model.fit(x, x.sum(1), epochs=8, verbose=0, validation_split=0.25, callbacks=[log])

    picture, own = tmp_path / "board.png", f"--user-data-dir={tmp_path / 'browser'}"

    def browse(what, address):
        command = [BROWSER, *FLAGS, own, what, address]
        return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout

    named, seen = set(), [0, 0]
    for _ in range(4):  # the server may not have read the files yet, or be slow
        browse(f"--screenshot={picture}", f"{board}/#scalars")
        pixels = jk.utils.img_to_array(jk.utils.load_img(picture))
        seen = [int((np.abs(pixels - colour).max(axis=-1) < 12)[:, 500:].sum()) for colour in (ORANGE, BLUE)]
        named |= set(re.findall(r"epoch_\w+", browse("--dump-dom", board)))
        if min(seen) > 50 and named:
            break
    assert min(seen) > 50, f"pixels of the curves of training and validation: {seen}"
    assert {"epoch_loss", "epoch_mae", "epoch_learning_rate"} <= named
