"""MQTT on the wire, for what mosquitto and its tools cannot do in tests.

NumberedPublisher   publishes 1, 2, 3, … and knows what the broker has accepted
FakeBroker          a broker that does what a test says, byte for byte
RecordingProxy      between leat and a broker: notes each packet, in both directions
"""

import json
import socket
import struct
import threading
import time

from .waiting import wait_for

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = range(1, 8)
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = range(8, 15)


def text(string):
    data = string.encode() if isinstance(string, str) else string
    return struct.pack(">H", len(data)) + data


def packet(kind, body=b"", flags=0):
    length, out = len(body), bytes([kind << 4 | flags])
    while length >= 128:
        out += bytes([length & 0x7F | 0x80])
        length >>= 7
    return out + bytes([length]) + body


def publish(topic, payload, qos=0, number=0, dup=False, retain=False, version=4):
    body = text(topic) + (struct.pack(">H", number) if qos else b"")
    body += b"\0" if version == 5 else b""
    return packet(PUBLISH, body + payload, dup << 3 | qos << 1 | retain)


def ack(kind, number):
    return packet(kind, struct.pack(">H", number), 2 if kind in (PUBREL, SUBSCRIBE) else 0)


def split(data):
    """Takes whole packets off the start of a bytearray: (kind, flags, body), …"""
    out = []
    while len(data) >= 2:
        length, shift, at = 0, 0, 1
        while at < len(data):
            length |= (data[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if not data[at - 1] & 0x80:
                break
        else:
            break
        if len(data) < at + length:
            break
        out.append((data[0] >> 4, data[0] & 15, bytes(data[at:at + length])))
        del data[:at + length]
    return out


def number_of(kind, flags, body):
    """The packet identifier of a PUBLISH or of an acknowledgement."""
    at = 0
    if kind == PUBLISH:
        at = 2 + struct.unpack_from(">H", body)[0]
    return struct.unpack_from(">H", body, at)[0]


class NumberedPublisher:
    """Publishes {"seq": n, …} as fast as the broker accepts them, through restarts of the broker.

        with NumberedPublisher(port, "plant/1", qos=1, count=1000) as publisher:
            …kill things…
            publisher.wait()
        publisher.accepted        # numbers that the broker has acknowledged, in order

    A number whose acknowledgement was lost is published again, so the broker may have it twice with
    QoS 1; with QoS 2 the handshake is taken up again on a kept session, and it has it once.
    """

    def __init__(self, port, topic, qos=1, count=None, window=20, make=None, rate=None):
        self.port, self.topic, self.qos, self.count, self.window = port, topic, qos, count, window
        self.make = make or (lambda seq: json.dumps({"seq": seq, "temp": seq % 97}).encode())
        self.rate = rate  # messages a second at most
        self.accepted = []
        self.client_id = f"numbered-{id(self)}"
        self._stopping = threading.Event()
        self._next = 1
        self._open = {}  # packet id → [seq, state]; in the order of sending
        self._id = 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        """No new numbers; waits for the acknowledgements of those under way if the broker is there."""
        self._stopping.set()
        self._thread.join(60)

    def wait(self, deadline=120.0):
        """Until all of `count` are accepted."""
        wait_for(lambda: len(self.accepted) >= self.count, deadline,
                 lambda: f"{self.count} accepted messages, got {len(self.accepted)}")

    def wait_accepted(self, count, deadline=60.0):
        wait_for(lambda: len(self.accepted) >= count, deadline,
                 lambda: f"{count} accepted messages, got {len(self.accepted)}")

    __enter__ = start

    def __exit__(self, *_):
        self._stopping.set()
        self._open.clear()
        self._thread.join(60)

    def _run(self):
        while not self._finished():
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self._session(connection)
            except (OSError, EOFError):
                self._stopping.wait(0.05)

    def _finished(self):
        ended = self._stopping.is_set() or (self.count is not None and self._next > self.count)
        return ended and not self._open

    def _session(self, connection):
        connection.settimeout(0.02)
        connection.sendall(packet(CONNECT, text("MQTT") + b"\x04\x00\x00\x3c" + text(self.client_id)))
        data, up, began, sent = bytearray(), False, time.monotonic(), 0
        while not self._finished():
            try:
                got = connection.recv(65536)
                if not got:
                    raise EOFError
                data += got
            except TimeoutError:
                pass
            out = b""
            for kind, flags, body in split(data):
                if kind == CONNACK:
                    if body[1] != 0:
                        raise EOFError
                    up = True
                    # What is open on the kept session goes first, under the same identifiers.
                    for number, (seq, state) in list(self._open.items()):
                        out += ack(PUBREL, number) if state == PUBREC else self._packet(number, seq, True)
                elif kind in (PUBACK, PUBCOMP):
                    seq, _ = self._open.pop(number_of(kind, flags, body), (None, None))
                    if seq is not None:
                        self.accepted.append(seq)
                elif kind == PUBREC:
                    number = number_of(kind, flags, body)
                    if number in self._open:
                        self._open[number][1] = PUBREC
                    out += ack(PUBREL, number)
            while up and len(self._open) < self.window and not self._stopping.is_set() and (
                    self.count is None or self._next <= self.count) and (
                    self.rate is None or sent < (time.monotonic() - began) * self.rate):
                self._id = self._id % 65535 + 1
                self._open[self._id] = [self._next, PUBLISH]
                out += self._packet(self._id, self._next, False)
                self._next, sent = self._next + 1, sent + 1
            if out:
                connection.settimeout(5)
                connection.sendall(out)
                connection.settimeout(0.02)

    def _packet(self, number, seq, dup):
        return publish(self.topic, self.make(seq), self.qos, number, dup)


class FakeBroker:
    """Accepts connections and does what `script(peer)` says, on a thread for each.

        def script(peer):
            peer.accept()                        # reads CONNECT, says CONNACK
            peer.expect(SUBSCRIBE); peer.send(…)
            peer.until_closed()
        broker = FakeBroker(script)
    """

    def __init__(self, script):
        self.script = script
        self.peers = []
        self.errors = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while not self._closed:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            peer = FakePeer(connection)
            self.peers.append(peer)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        try:
            self.script(peer)
        except (OSError, EOFError):
            pass
        except AssertionError as error:
            self.errors.append(error)
        finally:
            peer.close()

    def close(self):
        self._closed = True
        self._server.close()
        for peer in self.peers:
            peer.close()


class FakePeer:
    def __init__(self, connection):
        self.connection = connection
        connection.settimeout(60)
        self.received = []  # (kind, flags, body) of all packets so far
        self._data = bytearray()
        self._unread = []

    def send(self, data):
        self.connection.sendall(data)

    def read(self):
        """The next packet of leat."""
        while not self._unread:
            got = self.connection.recv(65536)
            if not got:
                raise EOFError
            self._data += got
            self._unread += split(self._data)
        one = self._unread.pop(0)
        self.received.append(one)
        return one

    def expect(self, kind):
        """Reads on until a packet of that kind comes; answers pings on the way."""
        while True:
            one = self.read()
            if one[0] == PINGREQ:
                self.send(packet(PINGRESP))
            if one[0] == kind:
                return one

    def accept(self, session_present=False, code=0, properties=None):
        """CONNECT → CONNACK; returns the version (4 or 5) that leat speaks."""
        _, _, body = self.expect(CONNECT)
        self.version = body[6]
        tail = b"" if self.version < 5 else bytes([len(properties or b"")]) + (properties or b"")
        self.send(packet(CONNACK, bytes([session_present, code]) + tail))
        return self.version

    def accept_subscription(self, *codes):
        _, _, body = self.expect(SUBSCRIBE)
        tail = b"\0" if self.version == 5 else b""
        self.send(packet(SUBACK, body[:2] + tail + bytes(codes or (1,))))

    def publish(self, topic, payload, qos=1, number=0, **how):
        self.send(publish(topic, payload, qos, number, version=self.version, **how))

    def until_closed(self):
        while True:
            self.expect(DISCONNECT)

    def close(self):
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.connection.close()


class RecordingProxy:
    """Passes bytes between leat and a broker on, and notes the packets: `packets` is a list of
    (from_broker, kind, flags, body). cut() breaks all connections. `look` is called with the new
    packets before they are passed on."""

    def __init__(self, port, look=lambda packets: None):
        self.broker_port = port
        self.look = look
        self.packets = []
        self._lock = threading.Lock()
        self._open = set()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.url = f"mqtt://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._server.accept()
                broker = socket.create_connection(("127.0.0.1", self.broker_port))
            except OSError:
                return
            with self._lock:
                self._open |= {client, broker}
            for source, target, from_broker in ((client, broker, False), (broker, client, True)):
                threading.Thread(target=self._pass, args=(source, target, from_broker),
                                 daemon=True).start()

    def _pass(self, source, target, from_broker):
        data = bytearray()
        try:
            while got := source.recv(65536):
                data += got
                packets = [(from_broker, *one) for one in split(data)]
                with self._lock:
                    self.packets += packets
                self.look(packets)
                target.sendall(got)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def of(self, kind, from_broker=False):
        """Packets of a kind that went that way."""
        with self._lock:
            return [one for one in self.packets if one[0] == from_broker and one[1] == kind]

    def numbers(self, kind, from_broker=False):
        return [number_of(*one[1:]) for one in self.of(kind, from_broker)]

    def cut(self):
        with self._lock:
            ends, self._open = self._open, set()
        for end in ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self._server.close()
        self.cut()
