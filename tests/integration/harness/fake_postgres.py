"""A server that speaks just enough of PostgreSQL's protocol to misbehave in it."""

import socket
import struct
import threading

READY = b"Z\x00\x00\x00\x05I"
IN_TRANSACTION = b"Z\x00\x00\x00\x05T"
AUTHENTICATED = b"R\x00\x00\x00\x08\x00\x00\x00\x00"


def message(kind, body=b""):
    return kind + struct.pack("!I", len(body) + 4) + body


def tag(text):
    return message(b"C", text.encode() + b"\x00")


def row(*values):
    body = struct.pack("!H", len(values))
    for value in values:
        text = str(value).encode()
        body += struct.pack("!i", len(text)) + text
    return message(b"D", body)


def error(sqlstate, text="no", severity="ERROR"):
    return message(b"E", b"".join(
        field + value.encode() + b"\x00"
        for field, value in ((b"S", severity), (b"V", severity), (b"C", sqlstate), (b"M", text))
    ) + b"\x00")


def sasl(step, text):
    return message(b"R", struct.pack("!I", step) + text)


class Talk:
    """One connection: read the client's messages, send bytes."""

    def __init__(self, connection):
        self.connection = connection

    def send(self, data):
        self.connection.sendall(data)

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            piece = self.connection.recv(size - len(data))
            if not piece:
                raise ConnectionError("closed")
            data += piece
        return data

    def startup(self):
        """The body of the startup message; a request for TLS is turned down."""
        while True:
            body = self._exactly(struct.unpack("!I", self._exactly(4))[0] - 4)
            if body != struct.pack("!I", 80877103):
                return body
            self.send(b"N")

    def message(self):
        kind = self._exactly(1)
        return kind, self._exactly(struct.unpack("!I", self._exactly(4))[0] - 4)

    def query(self):
        """Waits for a query; its text. Other messages are skipped."""
        while True:
            kind, body = self.message()
            if kind == b"Q":
                return body.rstrip(b"\x00").decode()

    def log_in(self):
        self.startup()
        self.send(AUTHENTICATED + READY)
        assert self.query().startswith("SET statement_timeout")
        self.send(3 * tag("SET") + READY)

    def describe_table(self):
        """Answers the question for the table: t (id int4)."""
        assert "to_regclass" in self.query()
        self.send(row("T", 1000, "t", "r", "f", "f")
                  + row("C", 1, "id", 23, "f", "f", "-", "f", "integer", 23, -1, "b", "N", 0, "b", ",")
                  + tag("SELECT 1") + tag("SELECT 1") + tag("SELECT 0") + READY)

    def until_copy(self):
        self.log_in()
        self.describe_table()
        assert "COPY" in self.query()
        self.send(tag("BEGIN") + tag("SET") + message(b"G", b"\x01\x00\x01\x00\x01"))


class FakePostgres:
    """Runs `script(talk)` for each connection, on a thread; then closes it.

    `connections` counts them. A script may raise: the connection is closed then, too.
    """

    def __init__(self, script):
        self.script = script
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self._open = set()
        self._stopping = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"postgresql://u:secret@127.0.0.1:{self.port}/d"

    def close(self):
        self._stopping = True
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.thread.join(10)

    def _run(self):
        while not self._stopping:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        self._open.add(connection)
        try:
            self.script(Talk(connection))
        except (OSError, AssertionError):
            pass
        finally:
            self._open.discard(connection)
            connection.close()
