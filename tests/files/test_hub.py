"""Models in repositories of the Hugging Face Hub: a stand-in for the package, and the package itself with a local server."""

import base64
import hashlib
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import types
from pathlib import Path
from typing import ClassVar

import keras
import numpy as np
import pytest

import jkeras as jk
import jkeras.keras
from jkeras.errors import ArgumentError, RestoreError
from jkeras.files import hub

SIDES = {"jkeras": jk, "drop-in": jkeras.keras, "keras": keras}


def small(side):
    return side.Sequential([side.Input((3,)), side.layers.Dense(4, name="a"), side.layers.Dense(2, name="b")])


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A package whose server is a folder; what is in its cache are links, as in the real one's."""

    class HfApi:
        def __init__(self, library_name=None, library_version=None):
            pass

        def create_repo(self, name, exist_ok=False):
            (tmp_path / "hub" / name).mkdir(parents=True, exist_ok=exist_ok)
            return types.SimpleNamespace(repo_id=name)

        def upload_folder(self, repo_id, folder_path, commit_message):
            shutil.copytree(folder_path, tmp_path / "hub" / repo_id, dirs_exist_ok=True)

    def snapshot_download(repo_id, allow_patterns=None, **options):
        cache = tmp_path / "cache" / repo_id
        shutil.rmtree(cache, ignore_errors=True)
        for file in (tmp_path / "hub" / repo_id).rglob("*"):
            link = cache / file.relative_to(tmp_path / "hub" / repo_id)
            link.parent.mkdir(parents=True, exist_ok=True)
            if file.is_file():
                link.symlink_to(file)
        return str(cache)

    module = types.ModuleType("huggingface_hub")
    module.HfApi, module.snapshot_download = HfApi, snapshot_download
    monkeypatch.setitem(sys.modules, "huggingface_hub", module)
    monkeypatch.setattr("keras.src.saving.saving_lib.huggingface_hub", module)
    return tmp_path / "hub"


@pytest.mark.parametrize("reader", SIDES)
@pytest.mark.parametrize("writer", SIDES)
def test_models_go_through_a_repository(writer, reader, folders):
    model = small(SIDES[writer])
    model.save("hf://someone/something", **({} if writer == "jkeras" else {"zipped": False}))
    # Keras itself needs TensorFlow for names of this kind, and reads the same files in a folder.
    name = str(folders / "someone" / "something") if reader == "keras" else "hf://someone/something"
    loaded = SIDES[reader].saving.load_model(name)
    for one, other in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
    card = (folders / "someone" / "something" / "README.md").read_text()
    assert card.lstrip().startswith("---\nlibrary_name: keras\n")
    if writer != "keras":
        assert "hf://someone/something" in card and "| weights | 26 |" in card


def test_what_is_refused(folders, monkeypatch):
    for wrong in ("hf://", "hf://a/b/c", "hf://a b", "hf:///b", "hf://a/"):
        with pytest.raises(ArgumentError, match="hf://user/model"):
            small(jk).save(wrong)
        with pytest.raises(ArgumentError, match="hf://user/model"):
            jk.load_model(wrong)
    with pytest.raises(ArgumentError, match="zipped"):
        small(jkeras.keras).save("hf://a/b", zipped=True)
    (folders / "a" / "b").mkdir(parents=True)
    (folders / "a" / "b" / "model.bin").write_bytes(b"1")
    with pytest.raises(RestoreError, match=r"no model\.weights\.h5"):
        jk.load_model("hf://a/b")
    (folders / "a" / "b" / "model.weights.h5").write_bytes(b"1")
    with pytest.raises(RestoreError) as caught:
        jk.load_model("hf://a/b")
    assert "hf://a/b" in caught.value.__notes__[0]
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r"pip install jkeras\[hub\]"):
        jk.load_model("hf://a/b")
    assert not hub.is_name(Path("hf:/a")) and not hub.is_name(None)


# -- the package itself ----------------------------------------------------------------------------------------------------

PROGRAM = """
import numpy as np, jkeras as jk, jkeras.keras
from jkeras import layers
model = jk.Sequential([jk.Input((3,)), layers.Dense(4), layers.Dense(2)]).compile("adam", "mse")
model.save("hf://someone/something")
for loaded in (jk.load_model("hf://someone/something"), jkeras.keras.models.load_model("hf://someone/something")):
    for one, other in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
print("as it was")
"""


class Server(http.server.BaseHTTPRequestHandler):
    """What of the Hub's interface uploading and downloading a small model asks for."""

    files: ClassVar[dict[str, bytes]] = {}

    def log_message(self, *args):
        pass

    def answer(self, content, **headers):
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "/repos/create" in self.path:
            self.answer({"url": f"http://{self.headers['Host']}/someone/something"})
        elif "/preupload/" in self.path:
            names = [entry["path"] for entry in json.loads(body)["files"]]
            self.answer({"files": [{"path": n, "uploadMode": "regular", "shouldIgnore": False} for n in names]})
        elif "/commit/" in self.path:
            for line in filter(None, body.splitlines()):
                entry = json.loads(line)
                if entry["key"] == "file":
                    self.files[entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
            url = f"http://{self.headers['Host']}/someone/something/commit/{'0' * 40}"
            self.answer({"commitUrl": url, "commitOid": "0" * 40, "success": True})
        else:
            self.answer({})

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        name = self.path.split("?")[0].partition("/resolve/")[2].partition("/")[2]
        if name in self.files:
            content = self.files[name]
            etag = hashlib.sha1(content).hexdigest()
            self.answer(content, ETag=f'"{etag}"', X_Repo_Commit="0" * 40)
        elif "/tree/" in self.path:
            self.answer([{"type": "file", "path": n, "size": len(c), "oid": "0" * 40} for n, c in self.files.items()])
        elif self.path.startswith("/api/models/"):
            siblings = [{"rfilename": n} for n in self.files]
            self.answer(
                {"id": "someone/something", "modelId": "someone/something", "sha": "0" * 40, "siblings": siblings}
            )
        else:
            self.send_error(404)


def test_the_package_and_a_server(tmp_path):
    pytest.importorskip("huggingface_hub")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        environment = {
            **os.environ,
            "HF_ENDPOINT": f"http://127.0.0.1:{server.server_address[1]}",
            "HF_HOME": str(tmp_path),
            "HF_TOKEN": "nobody",
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "NO_PROXY": "127.0.0.1",
        }
        done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True)
        assert "as it was" in done.stdout, done.stderr[-3000:]
    finally:
        server.shutdown()
        server.server_close()
    assert {"config.json", "metadata.json", "model.weights.h5", "README.md"} <= set(Server.files)
