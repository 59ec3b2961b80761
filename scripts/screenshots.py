"""Pictures of the documentation site as people see it: `python scripts/screenshots.py SITE [FOLDER]`.

`SITE` is what `make docs` built, `FOLDER` gets the pictures (`screenshots` if not given). Needs Chromium.
"""

import functools
import http.server
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = """--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update
    --disable-sync --hide-scrollbars""".split()
# Seconds that a page has for its scripts.
WAIT = 4
# Picture -> page, width and height in pixels.
PICTURES = {
    "first_1440": ("", 1440, 900),
    "first_390": ("", 390, 844),
    "lstm_1440": ("reference/layers/LSTM/", 1440, 1400),
    "lstm_390": ("reference/layers/LSTM/", 390, 844),
    "search_lstm": ("?q=LSTM", 1440, 900),
    "search_early_stopping": ("?q=EarlyStopping", 1440, 900),
    "guide_1440": ("guides/sequences/", 1440, 1400),
    "guide_390": ("guides/sequences/", 390, 844),
}


class Site(http.server.SimpleHTTPRequestHandler):
    """Serves files, and a page that shows one of them in a frame and has loaded when its scripts have had their time."""

    def do_GET(self):
        if self.path == "/wait":
            time.sleep(WAIT)
            self.send_error(404)
        elif self.path.startswith("/frame/"):
            _, _, width, height, page = self.path.split("/", 4)
            size = f'width={width} height={height} style="border:0"'
            frame = f'<iframe src="/{page}" {size}></iframe><img src="/wait" style="display:none">'
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f'<body style="margin:0">{frame}'.encode())
        else:
            super().do_GET()

    def log_message(self, *args):
        pass


def taken(address, picture, width, height):
    """Whether a picture of a page was taken. A window has at least 500 pixels, so a narrow page stands in a frame."""
    with tempfile.TemporaryDirectory() as home:
        size = f"--window-size={max(width, 500)},{height}"
        command = [BROWSER, *FLAGS, f"--user-data-dir={home}", size, f"--screenshot={picture}", address]
        subprocess.run(command, capture_output=True, timeout=120, check=False)
    return picture.exists()


def main(site, folder="screenshots", *names):
    if BROWSER is None:
        sys.exit("Chromium was not found.")
    Path(folder).mkdir(exist_ok=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Site, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name in names or PICTURES:
        page, width, height = PICTURES[name]
        address = f"http://127.0.0.1:{server.server_port}/frame/{width}/{height}/{page}"
        print(name, "taken" if taken(address, Path(folder).resolve() / f"{name}.png", width, height) else "missing")
    server.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
