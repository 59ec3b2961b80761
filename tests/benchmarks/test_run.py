"""The order of rounds, and which of their numbers are reported, with peers that only say that they were asked."""

import pytest

from benchmarks import run


@pytest.mark.parametrize(
    ("in_turn", "order"),
    [
        (True, ["jkeras", "torch", "flax", "flax", "torch", "jkeras", "jkeras", "torch", "flax"]),
        (False, ["jkeras"] * 3 + ["torch"] * 3 + ["flax"] * 3),
    ],
)
def test_rounds_go_there_and_back(monkeypatch, in_turn, order):
    asked = []

    class Peer:
        def __init__(self, peer, workload):
            self.peer = peer
            self.start = {"skipped": "not installed"} if peer == "keras" else {"steps": 2, "versions": {}}

        def round(self):
            asked.append(self.peer)
            seconds = {1: 0.3, 2: 0.1, 3: 0.2}[asked.count(self.peer)]
            return {"seconds": seconds, "cpu": 2 * seconds, "peak": asked.count(self.peer)}

        def close(self):
            pass

    monkeypatch.setattr(run, "Worker", Peer)
    results = run.measure("mlp", ["keras", "torch", "flax"], 3, in_turn)
    assert asked == order
    assert list(results) == ["jkeras", "torch", "flax"]
    for values in results.values():
        times = [values[key] for key in ("ms", "cpu_ms", "least_ms")]
        assert times == pytest.approx([100, 200, 50]) and values["peak"] == 3
