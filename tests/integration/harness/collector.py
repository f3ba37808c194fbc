"""An HTTP server that records what it is sent and misbehaves on request."""

import csv
import gzip
import io
import json
import socket
import threading
import time
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .waiting import DEADLINE, wait_for


@dataclass
class Answer:
    """What becomes of one request."""

    status: int = 204
    headers: dict = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0.0  # seconds before the answer
    # All read the request to its end first. "answer"; "hang": never answer; "close": close without
    # a byte; "cut": close in the middle of the response; "garbage": answer bytes that are no HTTP.
    how: str = "answer"

    @staticmethod
    def hang():
        return Answer(how="hang")

    @staticmethod
    def close():
        return Answer(how="close")

    @staticmethod
    def cut(status=200):
        return Answer(status=status, how="cut")

    @property
    def accepts(self):
        return self.how == "answer" and 200 <= self.status < 300


@dataclass
class Request:
    """One request whose body arrived whole."""

    method: str
    path: str
    headers: dict  # names in lower case
    raw: bytes  # the body as sent
    time: float  # time.monotonic() when it had arrived
    connection: int  # number of the connection it came on
    answer: Answer = None

    @cached_property
    def body(self):
        """The body without its compression."""
        return gzip.decompress(self.raw) if self.headers.get("content-encoding") == "gzip" else self.raw

    @cached_property
    def lines(self):
        return self.body.count(b"\n")

    @property
    def records(self):
        """The body as a list of dicts, as its Content-Type says."""
        kind = self.headers.get("content-type", "")
        if "csv" in kind:
            return list(csv.DictReader(io.StringIO(self.body.decode())))
        if "ndjson" in kind:
            return [json.loads(line) for line in self.body.splitlines()]
        return json.loads(self.body)


class HttpCollector:
    """Listens on 127.0.0.1. Thread-safe.

        collector.default = Answer(503)                       # for every request …
        collector.script(Answer(500), Answer.hang(), Answer(429, {"Retry-After": "1"}))
                                                              # … but first these, one per request
        collector.decide = lambda request: Answer(400) if b"bad" in request.body else Answer()
                                                              # looks at each request; wins over both
        collector.down() / collector.up()                     # connection refused / back, same port
    """

    def __init__(self, ssl_context=None):
        self.default = Answer()
        self.decide = None
        self.requests = []  # all that arrived whole, in order of arrival
        self._script = []
        self._lock = threading.Lock()
        self._connections = 0
        self._open = set()
        self._ssl_context = ssl_context
        self._released = threading.Event()  # ends "hang"
        self._server = None
        self.port = 0
        self.up()

    @property
    def url(self):
        scheme = "https" if self._ssl_context else "http"
        return f"{scheme}://127.0.0.1:{self.port}/ingest"

    def script(self, *answers):
        with self._lock:
            self._script.extend(answers)

    # --- what arrived --------------------------------------------------------------------------

    @property
    def accepted(self):
        """The requests that were answered 2xx: what a sender may count as delivered."""
        with self._lock:
            return [r for r in self.requests if r.answer.accepts]

    def records(self):
        """All records of the accepted requests, in order."""
        return [record for request in self.accepted for record in request.records]

    def wait_requests(self, count, deadline=DEADLINE):
        """Waits until `count` requests have arrived, whatever was answered."""
        wait_for(lambda: len(self.requests) >= count, deadline,
                 lambda: f"{count} requests, got {len(self.requests)}")
        return self.requests

    def wait_records(self, count, deadline=DEADLINE):
        """Waits until `count` records (lines, for big runs cheap to count) were accepted."""
        wait_for(lambda: self.line_count() >= count, deadline,
                 lambda: f"{count} records, got {self.line_count()}")

    def line_count(self):
        return sum(request.lines for request in self.accepted)

    def wait_quiet(self, deadline=DEADLINE):
        """Waits until no connection is open: all that a dead sender had sent has arrived."""
        if self._server is not None and self._ssl_context is None:
            # A connection of the dead sender may still wait to be accepted. They are accepted in
            # order, so once this one is answered (with 501), the others have been counted.
            with socket.create_connection(("127.0.0.1", self.port), timeout=deadline) as last:
                last.sendall(b"QUIET / HTTP/1.0\r\n\r\n")
                while last.recv(4096):
                    pass
        wait_for(lambda: not self._open, deadline, "all connections to end")

    # --- coming and going ----------------------------------------------------------------------

    def up(self):
        collector = self

        class Handler(_Handler):
            owner = collector

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 128

            def process_request(self, request, client_address):
                with collector._lock:
                    collector._open.add(request)
                super().process_request(request, client_address)

            def handle_error(self, request, client_address):
                pass  # clients that are killed break connections: that is the point here

        self._released.clear()
        self._server = Server(("127.0.0.1", self.port), Handler)
        if self._ssl_context:
            # The handshake is left to the connection's thread: a peer that never speaks must not
            # block the listener.
            self._server.socket = self._ssl_context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def down(self):
        """Stops listening and breaks all connections."""
        if self._server is None:
            return
        self._server.shutdown()
        self._server.server_close()
        self._server = None
        self._released.set()
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _record(self, request):
        with self._lock:
            if self.decide is not None:
                request.answer = self.decide(request)
            elif self._script:
                request.answer = self._script.pop(0)
            else:
                request.answer = self.default
            self.requests.append(request)
        return request.answer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    owner = None

    def setup(self):
        super().setup()
        with self.owner._lock:
            self.owner._connections += 1
            self.number = self.owner._connections

    def finish(self):
        with self.owner._lock:
            self.owner._open.discard(self.connection)
        try:
            super().finish()
        except OSError:
            pass

    def log_message(self, *_):
        pass

    def _serve(self):
        length = int(self.headers.get("Content-Length", 0))
        raw = self.rfile.read(length)
        if len(raw) < length:  # the sender went away in the middle: nothing arrived
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.owner._record(Request(self.command, self.path, headers, raw,
                                            time.monotonic(), self.number))
        if answer.delay:
            self.owner._released.wait(answer.delay)
        getattr(self, "_how_" + answer.how)(answer)

    do_POST = do_PUT = do_PATCH = do_GET = _serve

    def _how_answer(self, answer):
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def _how_hang(self, _):
        self.owner._released.wait()
        self.close_connection = True

    def _how_close(self, _):
        self.close_connection = True

    def _how_cut(self, answer):
        self.wfile.write(f"HTTP/1.1 {answer.status} Cut\r\nContent-Length: 1000\r\nX-Half: y".encode())
        self.close_connection = True

    def _how_garbage(self, _):
        self.wfile.write(b"\x00\x01 this is no HTTP at all\r\n\r\n")
        self.close_connection = True
