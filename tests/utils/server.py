"""A web server on this machine that serves given bytes, for tests of downloads."""

import contextlib
import http.server
import threading


@contextlib.contextmanager
def serving(files, *, cut=()):
    """Serves `files`, name to bytes, on 127.0.0.1; those named in `cut` break off half-way. Gives the URL and a log."""
    log = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            name = self.path.lstrip("/")
            log.append(name)
            if name not in files:
                self.send_error(404)
                return
            contents = files[name]
            self.send_response(200)
            self.send_header("Content-Length", str(len(contents)))
            self.end_headers()
            self.wfile.write(contents[: len(contents) // 2] if name in cut else contents)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", log
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
