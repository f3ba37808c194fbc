"""A DNS server that knows one name, and processes that ask it."""

import socket
import struct
import threading


class NameServer:
    """Answers A queries for `name` with 127.0.0.1, on UDP port 53 of an address of its own.

    Other names do not exist, but for those in `silent`: it never answers for them.

    RFC 1035 section 4.1: a header of 12 bytes, then the question, then the answers. Binding port 53
    needs root.
    """

    def __init__(self, name, address="127.53.53.53", silent=()):
        self.address = address
        self.questions = []
        self._name = name.encode()
        self._silent = [each.encode() for each in silent]
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 53))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self):
        # An empty datagram ends the thread.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", (self.address, 53))
        self._thread.join(10)
        self._socket.close()

    def _serve(self):
        while True:
            query, sender = self._socket.recvfrom(512)
            if not query:
                return
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1:at + 1 + query[at]])
                at += 1 + query[at]
            question = query[12:at + 5]
            kind, = struct.unpack(">H", question[-4:-2])
            name = b".".join(labels)
            self.questions.append(name.decode())
            if name.lower() in self._silent:
                continue
            known = name.lower() == self._name
            answer = b""
            if known and kind == 1:  # A; the name is a pointer to that in the question
                answer = struct.pack(">HHHIH4B", 0xC00C, 1, 1, 60, 4, 127, 0, 0, 1)
            # Response, recursion desired and available; 3: no such name.
            header = struct.pack(">2sHHHHH", query[:2], 0x8180 | (0 if known else 3), 1, bool(answer), 0, 0)
            self._socket.sendto(header + question + answer, sender)


def asking(server, folder, options=""):
    """A command that ends in exec of what follows it, for which `server` is the name server (root)."""
    resolv = folder / "resolv.conf"
    resolv.write_text(f"nameserver {server.address}\n{options}\n")
    return ["unshare", "--mount", "sh", "-c",
            f'mount --bind "{resolv}" /etc/resolv.conf && exec "$@"', "sh"]
