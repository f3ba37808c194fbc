"""A relay between the agent and a PostgreSQL server that breaks off where it hurts."""

import socket
import threading


class Relay:
    """On a port of its own.

    `cuts`: so many times it drops the connection when the server's `answer`, to a COMMIT, comes by,
    unless it also holds `but_not`, and hangs up on whoever comes then while `away` is set.

    `hold`: when the agent sends these bytes, they wait for release(). They reach the server then,
    also when the agent is gone by that time, and nothing does behind them.
    """

    def __init__(self, port, cuts=0, answer=b"COMMIT\x00", but_not=None, hold=None):
        self.server_port = port
        self.cuts = cuts
        self.answer = answer
        self.but_not = but_not
        self.hold = hold
        self.away = threading.Event()
        self.has_cut = threading.Event()
        self.holds = threading.Event()
        self.ended = threading.Event()  # the server has hung up
        self._released = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def url(self, database):
        return database.url.replace(str(self.server_port), str(self.port))

    def release(self):
        self._released.set()

    def close(self):
        self._released.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.has_cut.is_set() and self.away.is_set():
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self.server_port))
            for way in ((self._to_server, client, server), (self._to_client, client, server)):
                threading.Thread(target=self._until_the_end, args=way, daemon=True).start()

    @staticmethod
    def _until_the_end(way, client, server):
        try:
            way(client, server)
        except OSError:
            pass
        for one in (client, server):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _to_client(self, client, server):
        while data := self._receive(server):
            is_it = self.answer in data and not (self.but_not and self.but_not in data)
            if is_it and self.cuts > 0:
                self.cuts -= 1
                self.has_cut.set()
                return
            try:
                client.sendall(data)
            except OSError:
                pass  # gone; what it sent may still be on its way
        self.ended.set()

    def _to_server(self, client, server):
        while data := self._receive(client):
            if self.hold and self.hold in data:
                self.hold = None
                self.holds.set()
                self._released.wait(60)
            server.sendall(data)
        server.shutdown(socket.SHUT_WR)  # it reads to the end, answers, and hangs up
        self.ended.wait(60)

    @staticmethod
    def _receive(one):
        try:
            return one.recv(65536)
        except OSError:
            return b""
