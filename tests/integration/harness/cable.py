"""A cable between an agent and a server, which can be cut and mended."""

import select
import socket
import threading


class Cable:
    """On a port of its own: Cable(server_port), cut(), mend(), close().

    While it is cut nothing passes, and nobody is told: connections stay as they are, and new ones come
    to be and hear nothing.
    """

    def __init__(self, port):
        self.server_port = port
        self.whole = threading.Event()
        self.whole.set()
        self.closed = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def url(self, database):
        return database.url.replace(str(self.server_port), str(self.port))

    def cut(self):
        self.whole.clear()

    def mend(self):
        self.whole.set()

    def close(self):
        self.closed = True
        self.mend()
        self.listener.close()

    def _run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client):
        try:
            self.whole.wait()
            with client, socket.create_connection(("127.0.0.1", self.server_port)) as server:
                other = {client: server, server: client}
                while not self.closed:
                    ready, _, _ = select.select([client, server], [], [], 0.2)
                    self.whole.wait()
                    for one in ready:
                        data = one.recv(65536)
                        if not data:
                            return
                        other[one].sendall(data)
        except OSError:
            pass
