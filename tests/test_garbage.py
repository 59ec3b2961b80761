"""Pauses of the garbage collector."""

import gc

import pytest

from jkeras.garbage import collector_paused


@pytest.mark.parametrize("was_on", [True, False])
def test_a_pause_leaves_the_collector_as_it_was(was_on):
    before = gc.isenabled()
    try:
        (gc.enable if was_on else gc.disable)()
        with collector_paused():
            assert not gc.isenabled()
            with collector_paused(), pytest.raises(KeyError), collector_paused():
                raise KeyError
            assert not gc.isenabled()
        assert gc.isenabled() == was_on
        with pytest.raises(KeyError), collector_paused():
            raise KeyError
        assert gc.isenabled() == was_on
    finally:
        (gc.enable if before else gc.disable)()
