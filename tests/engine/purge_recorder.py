"""A cache's purge door that writes down what it is asked, and answers as it is told."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class PurgeRecorder:
    """`asked` are (path, Host, Surrogate-Key, X-Request-ID) in their order; `status` is what is answered."""

    def __init__(self, status: int = 200) -> None:
        self.asked: list[tuple[str, str, str | None, str]] = []
        self.status = status
        recorder = self

        class Door(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PURGE(self) -> None:
                headers = self.headers
                line = (self.path, headers["Host"], headers["Surrogate-Key"], headers["X-Request-ID"])
                recorder.asked.append(line)
                self.send_response(recorder.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@contextmanager
def purge_door(status: int = 200) -> Iterator[PurgeRecorder]:
    recorder = PurgeRecorder(status)
    thread = threading.Thread(target=recorder.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield recorder
    finally:
        recorder.server.shutdown()
        recorder.server.server_close()
        thread.join()
