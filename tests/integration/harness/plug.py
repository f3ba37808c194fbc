"""A plug in the line to a server: pulled out, nobody is there; held, nothing gets through."""

import socket
import threading


class Plug:
    """Relays connections from a port of its own to `port`.

    plug.pull(): connections end, and none is made. plug.push_in(): the line is there again.
    plug.hold(), plug.let_go(): it keeps what comes for itself, without a word.
    `server_port` may be changed: who comes then gets there.
    """

    def __init__(self, port):
        self.server_port = port
        self._open = []
        self._lock = threading.Lock()
        self._flows = threading.Event()
        self._flows.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._start()

    def _start(self):
        threading.Thread(target=self._run, args=(self._listener,), daemon=True).start()

    def url(self, database):
        return database.url.replace(str(self.server_port), str(self.port))

    def hold(self):
        self._flows.clear()

    def let_go(self):
        self._flows.set()

    def pull(self):
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.cut()

    def cut(self):
        """Ends the connections there are; others can be made."""
        with self._lock:
            ends, self._open = self._open, []
        for end in ends:
            self._end(end)

    def push_in(self):
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self._start()

    def close(self):
        self.let_go()
        self.pull()

    def _run(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.server_port))
            except OSError:
                client.close()
                continue
            with self._lock:
                self._open += [client, server]
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._relay, args=(one, other), daemon=True).start()

    def _relay(self, one, other):
        try:
            while data := one.recv(65536):
                self._flows.wait()
                other.sendall(data)
        except OSError:
            pass
        self._end(one)
        self._end(other)

    @staticmethod
    def _end(end):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
