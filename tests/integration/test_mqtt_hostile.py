"""Brokers that misbehave: leat neither crashes nor grows nor stops its other pipelines."""

import threading

import pytest

from harness.mqtt_peer import (CONNACK, CONNECT, DISCONNECT, PUBACK, PUBLISH, PUBREL, FakeBroker,
                               ack, packet, text)
from harness.pipelines import http_sink, pipeline, quick_retry


@pytest.fixture
def make_broker():
    """make_broker(script): a FakeBroker (harness/mqtt_peer.py); its assertions count."""
    brokers = []

    def make(script):
        brokers.append(FakeBroker(script))
        return brokers[-1]

    yield make
    for broker in brokers:
        broker.close()
        assert not broker.errors, broker.errors


def source(broker, **options):
    return {"type": "mqtt", "url": broker.url, "topics": ["t/#"], "timeout": "2s", **options}


def beside(collector):
    """A second pipeline, to see that the loop goes on."""
    return {"name": "other", "source": {"type": "generator", "count": 300, "rate": 100},
            "sink": {"type": "http", "url": collector.url, "batch": {"linger": "10ms"}}}


GOOD = b"\x20\x03\x00\x00\x00"
MISDEEDS = {
    "garbage": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "reserved type": b"\x00\x00",
    "length without end": b"\x30\xff\xff\xff\xff\x7f",
    "connack too short": b"\x20\x01\x00",
    "connack that is huge": b"\x20\xff\xff\xff\x7f",
    "another packet first": b"\xd0\x00",
    "publish of qos 3": GOOD + b"\x36\x05\x00\x01t\x00\x01",
    "topic beyond the packet": GOOD + b"\x30\x03\xff\xfft",
    "topic alias": GOOD + b"\x30\x07\x00\x01t\x03\x23\x00\x01",
    "property beyond the packet": GOOD + b"\x30\x05\x00\x01t\x7f\x26",
    "suback not asked for": GOOD + b"\x90\x04\x12\x34\x00\x00",
    "suback with too few answers": GOOD + b"\x90\x03\x00\x01\x00",
    "a second connack": GOOD + GOOD,
    "a subscribe": GOOD + b"\x82\x07\x00\x01\x00\x00\x01t\x00",
    "an empty puback": GOOD + b"\x40\x00",
}


@pytest.mark.parametrize("said", MISDEEDS.values(), ids=MISDEEDS.keys())
def test_what_is_not_mqtt_ends_the_connection_with_a_reason(agent, make_broker, collector, said):
    def script(peer):
        peer.expect(CONNECT)
        peer.send(said)
        peer.until_closed()

    broker = make_broker(script)
    agent.configure(pipeline(source(broker), http_sink(collector)))
    agent.start()
    agent.wait_log(" warn p: mqtt://127.0.0.1:\\d+: .*trying again")
    agent.wait_for(lambda: len(broker.peers) >= 2, what="another attempt")
    agent.terminate()
    assert agent.wait() == 0


def test_a_broker_that_never_answers_is_given_up(agent, make_broker, collector):
    broker = make_broker(lambda peer: peer.until_closed())
    agent.configure(pipeline(source(broker, timeout="200ms"), http_sink(collector)))
    agent.start()
    agent.wait_log("no answer to CONNECT within 200ms")
    agent.wait_for(lambda: len(broker.peers) >= 2, what="another attempt")
    assert agent.running()


def test_a_broker_that_never_confirms_a_subscription_is_given_up(agent, make_broker, collector):
    def script(peer):
        peer.accept()
        peer.until_closed()

    broker = make_broker(script)
    agent.configure(pipeline(source(broker, timeout="200ms"), http_sink(collector)))
    agent.start()
    agent.wait_log("no answer to SUBSCRIBE within 200ms")
    agent.wait_for(lambda: len(broker.peers) >= 2, what="another attempt")


def endless_message(peer):
    """A PUBLISH of 256 MiB, again and again."""
    peer.accept()
    block = b"x" * 65536
    while True:
        peer.send(b"\x32\xff\xff\xff\x7f" + text("t/big") + b"\x00\x01\x00")
        for _ in range(4095):
            peer.send(block)
        peer.send(b"x" * (268_435_455 - 10 - 4095 * 65536))


def endless_messages(peer):
    """QoS 0 as fast as it goes, though nobody takes them."""
    peer.accept()
    block = b"".join(packet(PUBLISH, text("t") + b"\x00" + b'{"a":1}') for _ in range(5000))
    while True:
        peer.send(block)


def endless_repeats(peer):
    """The same identifier again and again."""
    peer.accept()
    while True:
        peer.send(packet(PUBLISH, text("t") + b"\x00\x01\x00" + b"{}", 0x0A) * 5000)


def endless_releases(peer):
    peer.accept()
    while True:
        peer.send(b"".join(ack(PUBREL, n) for n in range(1, 5000)))


def endless_properties(peer):
    peer.accept()
    pair = b"\x26" + text("k") + text("v")
    many = pair * 100_000
    length = len(many)
    size = bytes([length & 127 | 128, length >> 7 & 127 | 128, length >> 14])
    while True:
        peer.send(packet(PUBLISH, text("t") + size + many + b"{}"))


@pytest.mark.parametrize("script", [endless_message, endless_messages, endless_repeats,
                                    endless_releases, endless_properties],
                         ids=lambda script: script.__name__)
def test_a_flood_neither_fills_the_memory_nor_stops_the_others(
        agent, make_broker, collector, make_collector, script, sanitized):
    broker = make_broker(script)
    collector.default = collector.default.hang()  # the sink of the flooded pipeline
    other = make_collector()
    agent.configure(
        pipeline(source(broker, fields=["userProperties"]), http_sink(collector),
                 delivery=quick_retry(spool="never")), beside(other), memory="8MiB")
    agent.start()
    agent.wait_for(lambda: len(other.records()) == 300, deadline=60, what="the other pipeline")
    assert agent.running()
    if not sanitized:
        assert agent.peak_rss_kib < 40 * 1024


def test_a_session_that_was_taken_over_is_told(agent, make_broker, collector):
    def script(peer):
        peer.accept()
        peer.accept_subscription()
        peer.send(packet(DISCONNECT, b"\x8e\x00"))
        peer.until_closed()

    agent.configure(pipeline(source(make_broker(script), clientId="mine"), http_sink(collector)))
    agent.start()
    agent.wait_log('session taken over .another client uses the client id "mine"')


@pytest.mark.parametrize("code, words", [
    (0x80, "unspecified error"), (0x84, "unsupported protocol version .check \"version\""),
    (0x85, 'client identifier not valid .set another "clientId"'),
    (0x86, 'bad user name or password .check "user" and "password"'),
    (0x87, "not authorised"), (0x88, "server unavailable"), (0x8A, "banned"),
    (4, "bad user name or password"), (77, "reason code 0x4d")])
def test_refusals_are_told(agent, make_broker, collector, code, words):
    def script(peer):
        peer.accept(code=code)
        peer.until_closed()

    broker = make_broker(script)
    agent.configure(pipeline(source(broker, version="5"), http_sink(collector)))
    agent.start()
    agent.wait_log("refuses the connection: " + words)
    agent.wait_for(lambda: len(broker.peers) >= 2, what="another attempt")


def test_a_refused_subscription_is_told_and_asked_for_again(agent, make_broker, collector):
    answers = [(1, 0x87), (1,)]

    def script(peer):
        peer.accept()
        for answer in answers:
            peer.accept_subscription(*answer)
        peer.publish("t/2", b'{"a": 2}', number=1)
        peer.until_closed()

    broker = make_broker(script)
    agent.configure(pipeline(source(broker) | {"topics": ["t/1", "t/2"]}, http_sink(collector)))
    agent.start()
    agent.wait_log('refuses the subscription to "t/2": not authorised')
    agent.wait_log('subscribed to "t/2" at last')
    agent.wait_for(lambda: collector.records(), what="a record")


def test_a_broker_that_speaks_only_3_1_1_is_met_half_way(agent, make_broker, collector):
    def script(peer):
        _, _, body = peer.expect(CONNECT)
        if body[6] == 5:
            peer.send(packet(CONNACK, b"\x00\x01"))
            return
        peer.version = 4
        peer.send(packet(CONNACK, b"\x00\x00"))
        peer.accept_subscription()
        peer.publish("t/1", b'{"a": 1}', number=7)
        assert peer.expect(PUBACK)[2] == b"\x00\x07"
        peer.until_closed()

    agent.configure(pipeline(source(make_broker(script)), http_sink(collector)))
    agent.start()
    agent.wait_log("does not speak MQTT 5; going on with 3.1.1")
    agent.wait_for(lambda: collector.records(), what="a record")


def test_a_broker_that_closes_without_a_word_is_told(agent, make_broker, collector):
    agent.configure(pipeline(source(make_broker(lambda peer: peer.expect(CONNECT))),
                             http_sink(collector)))
    agent.start()
    agent.wait_log('closed without an answer to CONNECT.*"version": "3.1.1"')


def test_the_brokers_keep_alive_counts(agent, make_broker, collector):
    pinged = threading.Event()

    def script(peer):
        peer.accept(properties=b"\x13\x00\x01")  # Server Keep Alive 1 s
        peer.accept_subscription()
        peer.expect(12)  # PINGREQ
        pinged.set()
        peer.until_closed()

    agent.configure(pipeline(source(make_broker(script), keepAlive="600s"), http_sink(collector)))
    agent.start()
    assert pinged.wait(30)
