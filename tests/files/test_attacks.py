"""Every crafted file of `crafted.py` ends in an error of ours, with nothing run, read or written elsewhere, at little cost."""

import marshal
import os
import pickle
import re
import resource
import sys
import time
from pathlib import Path

import pytest

import jkeras as jk
from jkeras import errors
from tests.files import attacks, crafted

SECONDS = 1
BYTES = 200 * 2**20
# What a program does to run code, other programs, or talk to others; Python reports each to audit hooks.
FORBIDDEN = ("marshal.loads", "pickle.find_class", "os.system", "subprocess.Popen", "os.exec", "os.posix_spawn",
             "socket.connect", "urllib.Request", "code.__new__", "ctypes.dlopen")  # fmt: skip


class Watch:
    """Notes what happens while it is on. An audit hook cannot be removed, so one stays and is asleep."""

    def __init__(self):
        self.on = False
        self.outside = self.folder = ""
        self.seen = []
        sys.addaudithook(self.note)

    def note(self, event, args):
        if not self.on:
            return
        if event == "open":
            path, mode, flags = args
            name = os.fsdecode(path) if isinstance(path, (str, bytes)) else str(path)
            writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if name.startswith((self.outside, "/etc")) or (writes and not name.startswith((self.folder, "/dev"))):
                self.seen.append((event, name, mode))
        elif event in FORBIDDEN and not sys._getframe(1).f_code.co_filename.startswith("<frozen importlib"):
            self.seen.append((event, *map(str, args)))


@pytest.fixture(scope="module")
def watch():
    return Watch()


@pytest.fixture(scope="module")
def saves(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saves")
    crafted.make_saves(folder)
    for suffix in (".keras", ".h5", ""):
        jk.load_model(folder / f"model{suffix}")  # so that no file is charged for imports
    return folder


@pytest.fixture
def ground(tmp_path, saves, monkeypatch):
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    folder.mkdir(), outside.mkdir()
    (outside / "secret.txt").write_text(crafted.SECRET * 10)
    monkeypatch.syspath_prepend(str(folder))
    return crafted.Ground(folder, outside, saves)


def status(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(name))


class Cost:
    """CPU seconds of a block, and by how much it raised the memory of the process at most."""

    def __enter__(self):
        self.exact = os.access("/proc/self/clear_refs", os.W_OK)
        if self.exact:
            Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
        self.before = status("VmRSS") if self.exact else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        self.start = time.process_time()
        return self

    def __exit__(self, *error):
        self.seconds = time.process_time() - self.start
        now = status("VmHWM") if self.exact else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        self.bytes = now - self.before


@pytest.mark.parametrize("attack", attacks.TABLE, ids=lambda attack: attack.name.replace(" ", "-"))
def test_attack(attack, ground, watch):
    watch.outside, watch.folder = str(ground.outside), str(ground.folder)
    count = 0
    for name, target in attack.craft(ground):
        modules = set(sys.modules)
        # safe_mode=False is what a user writes after an error; it opens no door.
        action = target if callable(target) else lambda target=target: jk.load_model(target, safe_mode=False)
        with Cost() as cost:
            watch.seen, watch.on = [], name.startswith("weights of") or not callable(target)
            try:
                action()
                error = None
            except Exception as raised:  # of any kind, so that the message below can say which
                error = raised
            finally:
                watch.on = False
        assert isinstance(error, errors.JkerasError), f"{name}: {error!r}"
        assert re.search(attack.message, str(error)), f"{name}: {error}"
        assert crafted.SECRET[:10] not in str(error), name
        assert not watch.seen, f"{name}: {watch.seen}"
        assert [path.name for path in ground.outside.iterdir()] == ["secret.txt"], name
        assert "evil_module" not in set(sys.modules) - modules, name
        assert cost.seconds < SECONDS and cost.bytes < BYTES, (
            f"{name}: {cost.seconds:.2f} s, {cost.bytes / 2**20:.0f} MB"
        )
        count += 1
    assert count


def test_the_watch_sees(watch, tmp_path):
    """The test above would notice."""
    watch.outside, watch.folder, watch.seen = str(tmp_path / "outside"), str(tmp_path / "folder"), []
    (tmp_path / "outside").mkdir()
    watch.on = True
    try:
        marshal.loads(marshal.dumps(1))
        pickle.loads(pickle.dumps(Path))
        (tmp_path / "outside" / "canary").touch()
        (tmp_path / "elsewhere").write_text("x")
    finally:
        watch.on = False
    assert [event for event, *_ in watch.seen] == ["marshal.loads", "pickle.find_class", "open", "open"]


def test_the_cost_sees():
    with Cost() as cost:
        block = bytearray(64 * 2**20)
        while time.process_time() - cost.start < 0.05:
            block[:: 2**12] = bytes(len(block) // 2**12)
    assert cost.seconds >= 0.05
    assert not cost.exact or cost.bytes >= 60 * 2**20


def test_the_lambda_is_live_in_keras(ground):
    """The crafted bytecode is real: Keras runs it when told that the file is safe."""
    keras = pytest.importorskip("keras")
    (_, path), *_ = crafted.lambdas(ground)
    keras.models.load_model(path, safe_mode=False, compile=False)
    assert ground.canary.exists()


class Stumbles(jk.Layer):
    def call(self, x):
        return x.nothing


def test_errors_in_ones_own_classes_stay_as_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(Stumbles, "call", lambda self, x: x)
    jk.Sequential([jk.Input((2,)), Stumbles()]).save(tmp_path / "m.keras")
    monkeypatch.undo()
    with pytest.raises(AttributeError, match="nothing"):
        jk.load_model(tmp_path / "m.keras", custom_objects={"Stumbles": Stumbles})


def test_the_page_has_the_table():
    text = attacks.PAGE.read_text(encoding="utf-8")
    assert attacks.page_with(text) == text, "`python -m tests.files.attacks` writes it anew"
