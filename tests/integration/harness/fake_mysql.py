"""A server that lets in as MySQL 8 does (caching_sha2_password), which Debian does not have. It answers
each statement of whoever is in with an error that repeats it."""

import hashlib
import socket
import ssl
import struct
import threading

CHALLENGE = bytes(range(1, 21))
# CLIENT_LONG_PASSWORD, LONG_FLAG, CONNECT_WITH_DB, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION, PLUGIN_AUTH
CAPABILITIES = 0x1 | 0x4 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x80000
SSL = 0x800
OK = b"\0\0\0\2\0\0\0"


def proof(password):
    once = hashlib.sha256(password).digest()
    mask = hashlib.sha256(hashlib.sha256(once).digest() + CHALLENGE).digest()
    return bytes(x ^ y for x, y in zip(once, mask))


class FakeMysql:
    """`cached`: it has the password's proof in its cache, and does not ask for the password itself.
    `passwords` are those that were sent to it in clear, over TLS or not."""

    def __init__(self, password, cached=True, certs=None):
        self.password = password.encode()
        self.cached = cached
        self.context = None
        if certs:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certs.server, certs.server_key)
        self.passwords = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self.listener.close()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection):
        try:
            Session(self, connection).run()
        except (OSError, EOFError):
            pass
        finally:
            connection.close()


class Session:
    def __init__(self, server, connection):
        self.server = server
        self.connection = connection
        connection.settimeout(30)
        self.number = 0

    def send(self, body):
        self.connection.sendall(struct.pack("<I", len(body))[:3] + bytes([self.number]) + body)
        self.number += 1

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            more = self.connection.recv(size - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def receive(self):
        head = self._exactly(4)
        self.number = head[3] + 1
        return self._exactly(int.from_bytes(head[:3], "little"))

    def fail(self, code, text):
        self.send(b"\xff" + struct.pack("<H", code) + b"#HY000" + text)

    def run(self):
        capabilities = CAPABILITIES | (SSL if self.server.context else 0)
        self.send(b"\x0a8.0.40\0" + struct.pack("<I", 7) + CHALLENGE[:8] + b"\0" +
                  struct.pack("<H", capabilities & 0xFFFF) + b"\xff\2\0" + struct.pack("<H", capabilities >> 16) +
                  bytes([21]) + bytes(10) + CHALLENGE[8:] + b"\0" + b"caching_sha2_password\0")
        answer = self.receive()
        if int.from_bytes(answer[:4], "little") & SSL:
            self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
            answer = self.receive()
        at = answer.index(b"\0", 32) + 1  # behind the user
        if not self._knows(answer[at + 1:at + 1 + answer[at]]):
            return self.fail(1045, b"Access denied")
        self.send(OK)
        while True:
            self.number = 0
            asked = self.receive()
            if asked[:1] == b"\1":
                return None
            self.fail(1064, b"asked for " + asked[1:])

    def _knows(self, given):
        if given != proof(self.server.password):
            return False
        self.send(b"\1\3" if self.server.cached else b"\1\4")
        if self.server.cached:
            return True
        password = self.receive().rstrip(b"\0")
        self.server.passwords.append(password)
        return password == self.server.password
