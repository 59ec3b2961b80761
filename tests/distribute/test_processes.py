"""Two processes of two devices give the numbers of one device; `matrix.py` and `killed.py` show more of them."""

from pathlib import Path

import numpy as np

from jkeras.distribute.launcher import launch
from tests.distribute import cases

WORKER = Path(__file__).with_name("worker.py")


def test_two_processes_of_two_devices(tmp_path, capfd):
    status = launch(WORKER, [str(tmp_path), "mlp:MultiWorkerMirroredStrategy"], processes=2, devices=2)
    text = capfd.readouterr().out
    assert status == 0, text
    assert "[1] process 1 of 2, 4 devices: mlp" in text
    _, alone = cases.run("mlp", None)
    with np.load(tmp_path / "mlp-MultiWorkerMirroredStrategy.npz") as found:
        far, where = cases.distance(alone, dict(found))
    assert far < 1e-5, where
    # Only the first process prints and writes.
    assert "[0] a callback talks" in text and "[1] a callback talks" not in text
    assert "[0] 2/2" in text and "[1] 2/2" not in text
    assert [path.name for path in tmp_path.glob("*.keras")] == ["written-by-0.keras"]
    # All of them say what they disagree about.
    for number in (0, 1):
        assert f"[{number}]   number of rows: 54 in process 0, 53 in process 1" in text
