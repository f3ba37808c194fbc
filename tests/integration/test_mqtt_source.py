"""The mqtt source against a real mosquitto: delivery, restarts, refusals, TLS."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from harness.collector import Answer
from harness.mqtt_peer import (CONNECT, DISCONNECT, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL,
                               SUBSCRIBE, NumberedPublisher, RecordingProxy)
from harness.pipelines import http_sink, pipeline, quick_retry

ROOT = Path(__file__).resolve().parents[2]


def mqtt_source(broker, *topics, qos=1, **options):
    return {"type": "mqtt", "url": broker.url, "topics": list(topics or ["plant/#"]), "qos": qos,
            **options}


def to_collector(broker, collector, *topics, delivery=None, sink=None, **options):
    return pipeline(mqtt_source(broker, *topics, **options), http_sink(collector, **(sink or {})),
                    delivery=delivery or quick_retry())


def run_subscribed(agent, broker, *pipelines):
    """Starts the agent and waits until the broker has its subscriptions."""
    before = broker.log.count("Sending SUBACK")
    agent.configure(*pipelines)
    agent.start()
    broker.wait_log("Sending SUBACK", before + 1)


def seqs(collector):
    return [record["seq"] for record in collector.records()]


def wait_seqs(agent, collector, expected):
    agent.wait_for(lambda: set(seqs(collector)) >= set(expected), deadline=60,
                   what=f"{len(set(expected))} records, so far {len(set(seqs(collector)))}")


def numbered(count, start=1):
    return [json.dumps({"seq": seq}) for seq in range(start, start + count)]


@pytest.fixture
def proxy(mosquitto):
    """A RecordingProxy (harness/mqtt_peer.py) before the broker."""
    between = RecordingProxy(mosquitto.port)
    yield between
    between.close()


# --- delivery ------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["3.1.1", "5"])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_each_message_arrives_once(agent, mosquitto, collector, version, qos):
    run_subscribed(agent, mosquitto, to_collector(mosquitto, collector, qos=qos, version=version))
    mosquitto.publish_lines("plant/1", numbered(500), qos=qos)
    wait_seqs(agent, collector, range(1, 501))
    agent.terminate()
    assert agent.wait() == 0
    assert sorted(seqs(collector)) == list(range(1, 501))  # two requests may be under way at once


@pytest.mark.parametrize("qos, first, last", [(1, PUBACK, PUBACK), (2, PUBREC, PUBCOMP)],
                         ids=["qos1", "qos2"])
@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_nothing_is_acknowledged_before_it_is_delivered(
        agent, mosquitto, proxy, collector, qos, first, last, version):
    collector.default = Answer(503)
    run_subscribed(agent, mosquitto, to_collector(
        proxy, collector, qos=qos, version=version, delivery=quick_retry(spool="never")))
    mosquitto.publish_lines("plant/1", numbered(20), qos=qos)
    agent.wait_for(lambda: len(proxy.of(PUBLISH, from_broker=True)) == 20, what="20 messages")
    agent.wait_for(lambda: len(collector.requests) >= 5, what="five refused requests")
    assert proxy.of(first) == []
    collector.default = Answer(204)
    agent.wait_for(lambda: len(proxy.of(last)) == 20, what="20 acknowledgements")
    assert proxy.numbers(first) == proxy.numbers(PUBLISH, from_broker=True)
    if qos == 2:
        assert proxy.numbers(PUBCOMP) == proxy.numbers(PUBREL, from_broker=True)


def test_with_the_sink_away_messages_are_spooled_and_then_acknowledged(
        agent, mosquitto, proxy, collector):
    collector.default = Answer(503)
    run_subscribed(agent, mosquitto, to_collector(proxy, collector, delivery=quick_retry(
        spool="onTrouble")))
    mosquitto.publish_lines("plant/1", numbered(2000))
    agent.wait_for(lambda: len(proxy.of(PUBACK)) == 2000, deadline=60, what="2000 acknowledgements")
    collector.default = Answer(204)
    wait_seqs(agent, collector, range(1, 2001))


BURST = 3000


# mosquitto holds back what goes beyond leat's window, and drops what goes beyond its queue.
def test_a_burst_that_no_queue_of_the_broker_holds_arrives_at_a_slow_sink(
        agent, make_mosquitto, collector):
    mosquitto = make_mosquitto(max_queued_messages=1000)
    collector.default = Answer(204, delay=0.3)
    run_subscribed(agent, mosquitto, pipeline(mqtt_source(mosquitto), http_sink(collector)))
    mosquitto.publish_lines("plant/1", numbered(BURST))
    wait_seqs(agent, collector, range(1, BURST + 1))
    assert "being dropped" not in mosquitto.log


@pytest.mark.parametrize("qos", [1, 2])
def test_a_killed_agent_loses_nothing(agent, mosquitto, collector, qos):
    configuration = to_collector(mosquitto, collector, qos=qos)
    run_subscribed(agent, mosquitto, configuration)
    with NumberedPublisher(mosquitto.port, "plant/1", qos=qos, count=3000, rate=1500) as publisher:
        for accepted in (500, 1200, 2000):
            publisher.wait_accepted(accepted)
            agent.kill()
            agent.start()
        publisher.wait()
        wait_seqs(agent, collector, publisher.accepted)


def test_a_broker_that_restarts_loses_nothing_of_a_kept_session(agent, mosquitto, collector):
    run_subscribed(agent, mosquitto, to_collector(mosquitto, collector))
    with NumberedPublisher(mosquitto.port, "plant/1", count=2000, rate=1000) as publisher:
        publisher.wait_accepted(300)
        mosquitto.restart()
        publisher.wait_accepted(1000)
        mosquitto.restart()
        publisher.wait()
        wait_seqs(agent, collector, publisher.accepted)
    assert agent.log_lines(" warn .*trying again")
    assert agent.log_lines(" info .*session resumed")


def test_a_lost_connection_duplicates_nothing(agent, mosquitto, proxy, collector):
    collector.default = Answer(503)
    run_subscribed(agent, mosquitto, to_collector(proxy, collector, delivery=quick_retry(
        spool="never")))
    mosquitto.publish_lines("plant/1", numbered(20))
    agent.wait_for(lambda: collector.requests, what="a request")
    proxy.cut()
    agent.wait_log("session resumed")
    agent.wait_for(lambda: len(proxy.of(PUBLISH, from_broker=True)) == 40, what="them all again")
    collector.default = Answer(204)
    agent.wait_for(lambda: len(proxy.of(PUBACK)) == 20, what="20 acknowledgements")
    assert sorted(seqs(collector)) == list(range(1, 21))


def test_a_stopped_agent_has_acknowledged_what_it_delivered(agent, mosquitto, proxy, collector):
    run_subscribed(agent, mosquitto, to_collector(proxy, collector))
    mosquitto.publish_lines("plant/1", numbered(200))
    agent.wait_for(lambda: proxy.of(PUBLISH, from_broker=True), what="a message")
    agent.terminate()
    assert agent.wait() == 0
    assert proxy.of(DISCONNECT)
    mosquitto.publish_lines("plant/1", numbered(200, start=201))
    agent.start()
    wait_seqs(agent, collector, range(1, 401))
    agent.terminate()
    assert agent.wait() == 0
    assert sorted(seqs(collector)) == list(range(1, 401))


def test_a_session_that_the_broker_forgot_is_told(agent, mosquitto, collector):
    run_subscribed(agent, mosquitto, to_collector(mosquitto, collector))
    mosquitto.stop()
    for path in mosquitto.folder.glob("*.db"):
        path.unlink()
    mosquitto.start()
    agent.wait_log("the broker has forgotten the session: messages .* may be lost")
    mosquitto.wait_log("Sending SUBACK", 2)
    mosquitto.publish("plant/1", '{"seq": 1}')
    wait_seqs(agent, collector, [1])


# --- what a message becomes ----------------------------------------------------------------------


def test_topic_levels_and_what_is_beside_the_payload_become_fields(agent, mosquitto, collector):
    run_subscribed(agent, mosquitto, to_collector(
        mosquitto, collector, "plant/#", version="5",
        topicFields=["plant/{site}/press/{device}", "plant/{site}"],
        fields=["topic", "qos", "retained", "userProperties"]))
    mosquitto.publish("plant/north/press/7", '[{"t": 1}, {"t": 2}]', qos=1,
                      user_property={"unit": "°C", "n": "1"})
    mosquitto.publish("plant/south", '{"t": 3}', qos=0)
    mosquitto.publish("plant/a/b/c/d", '{"t": 4}', qos=1)
    agent.wait_for(lambda: len(collector.records()) == 4, what="four records")
    press = {"site": "north", "device": "7", "topic": "plant/north/press/7", "qos": 1,
             "retained": False, "userProperties": {"unit": "°C", "n": "1"}}
    assert collector.records() == [
        {"t": 1, **press}, {"t": 2, **press},
        {"t": 3, "site": "south", "topic": "plant/south", "qos": 0, "retained": False,
         "userProperties": {}},
        {"t": 4, "topic": "plant/a/b/c/d", "qos": 1, "retained": False, "userProperties": {}}]


def test_retained_messages_come_once_and_say_so(agent, mosquitto, collector):
    mosquitto.publish("plant/1", '{"seq": 1}', retain=True)
    run_subscribed(agent, mosquitto, to_collector(mosquitto, collector, fields=["retained"]))
    wait_seqs(agent, collector, [1])
    assert collector.records()[0]["retained"] is True
    agent.terminate()
    agent.wait()
    agent.start()
    mosquitto.wait_log("Sending SUBACK", 2)
    mosquitto.publish("plant/1", '{"seq": 2}')
    wait_seqs(agent, collector, [1, 2])
    assert seqs(collector) == [1, 2]


@pytest.mark.parametrize("format, payload, records", [
    ("lines", "a\nb\n", [{"line": "a"}, {"line": "b"}]),
    ("csv", "a,b\n1,x\n2,y\n", [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]),
    ("json", '{"a": 1}', [{"a": 1}]),
])
def test_payloads_of_each_format(agent, mosquitto, collector, format, payload, records):
    run_subscribed(agent, mosquitto, to_collector(mosquitto, collector, format=format))
    mosquitto.publish("plant/1", payload)
    agent.wait_for(lambda: len(collector.records()) == len(records), what="the records")
    assert collector.records() == records


def test_raw_payloads_pass_through(agent, mosquitto, collector):
    sink = {"type": "http", "url": collector.url, "format": "raw"}
    run_subscribed(agent, mosquitto, pipeline(mqtt_source(mosquitto, format="raw"), sink))
    mosquitto.publish("plant/1", b"\x00\xff\n\x01")
    agent.wait_for(lambda: collector.requests, what="a request")
    assert collector.requests[0].body == b"\x00\xff\n\x01"


def test_what_is_no_record_becomes_a_dead_letter_and_is_acknowledged(
        agent, mosquitto, proxy, collector):
    run_subscribed(agent, mosquitto, to_collector(proxy, collector, maxPacket="1KiB"))
    mosquitto.publish("plant/1", "no json")
    mosquitto.publish("plant/big", "x" * 3_000_000)
    mosquitto.publish("plant/1", '{"seq": 1}')
    wait_seqs(agent, collector, [1])
    agent.wait_for(lambda: len(proxy.of(PUBACK)) == 3, what="three acknowledgements")
    first, second = agent.dead_letters()
    assert "invalid JSON" in first["reason"] and first["raw"] == "no json"
    assert "plant/1, message 1" in first["source"]
    assert "2.9 MiB, more than maxPacket" in second["reason"] and second["raw"] == "plant/big"


def test_shared_subscriptions_share(make_agent, mosquitto, collector):
    agents = [make_agent(name) for name in ("one", "two")]
    for agent in agents:
        before = mosquitto.log.count("Sending SUBACK")
        agent.configure(to_collector(mosquitto, collector, "$share/gateways/plant/#"),
                        id=agent.folder.name)
        agent.start()
        mosquitto.wait_log("Sending SUBACK", before + 1)
    mosquitto.publish_lines("plant/1", numbered(400))
    wait_seqs(agents[0], collector, range(1, 401))
    assert sorted(seqs(collector)) == list(range(1, 401))
    for agent in agents:
        agent.terminate()
        agent.wait()
        assert not agent.log_lines(" 0 records read")


# --- the connection ------------------------------------------------------------------------------


def expect_trouble(agent, broker, words, **options):
    agent.configure(pipeline(mqtt_source(broker, **options), {"type": "stdout"}))
    agent.start()
    agent.wait_log(f" warn .*{words}")
    assert agent.running()
    agent.terminate()
    assert agent.wait() == 0


def test_a_broker_that_is_away_at_the_start_is_waited_for(agent, mosquitto, collector):
    mosquitto.stop()
    agent.configure(to_collector(mosquitto, collector))
    agent.start()
    agent.wait_log(" warn .*connection refused.*trying again")
    mosquitto.start()
    mosquitto.wait_log("Sending SUBACK")
    mosquitto.publish("plant/1", '{"seq": 1}')
    wait_seqs(agent, collector, [1])
    assert len(agent.log_lines("connection refused")) == 1


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_bad_credentials_are_told(agent, make_mosquitto, version):
    broker = make_mosquitto(users={"gw": "secret"})
    expect_trouble(agent, broker, 'not authorised .check "user", "password"', version=version,
                   user="gw", password="wrong")
    assert "wrong" not in agent.log


def test_good_credentials_are_taken(agent, make_mosquitto, collector):
    broker = make_mosquitto(users={"gw": "secret"})
    run_subscribed(agent, broker, to_collector(broker, collector, user="gw", password="secret"))
    broker.publish("plant/1", '{"seq": 1}')
    wait_seqs(agent, collector, [1])


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_two_clients_of_one_name_are_told(make_agent, mosquitto, version):
    # mosquitto 2.0.11 closes without a word, and 2.0.21 says why in MQTT 5.
    words = re.compile('another client uses? the client id "mine"')
    agents = [make_agent(name) for name in ("one", "two")]
    for agent in agents:
        agent.configure(pipeline(mqtt_source(mosquitto, clientId="mine", version=version),
                                 {"type": "stdout"}))
        agent.start()
    agents[0].wait_for(lambda: any(words.search(agent.log) for agent in agents), what=words.pattern)


@pytest.mark.parametrize("server, ca, words", [
    ("elsewhere", "ca", 'certificate is for another host name than "localhost"'),
    ("server", "other_ca", "certificate is from an unknown authority"),
    ("expired", "ca", "certificate has expired"),
])
def test_a_broker_that_cannot_prove_itself_is_refused(
        agent, make_mosquitto, certs, server, ca, words):
    broker = make_mosquitto(cert=getattr(certs, server), key=getattr(certs, server + "_key"))
    expect_trouble(agent, broker, words, tls={"ca": str(getattr(certs, ca))})


def test_tls_with_a_client_certificate(agent, make_mosquitto, certs, collector):
    broker = make_mosquitto(cert=certs.server, key=certs.server_key, client_ca=certs.ca)
    tls = {"ca": str(certs.ca), "cert": str(certs.client), "key": str(certs.client_key)}
    run_subscribed(agent, broker, to_collector(broker, collector, tls=tls))
    subprocess.run(
        ["mosquitto_pub", "-h", "localhost", "-p", str(broker.port), "--cafile", str(certs.ca),
         "--cert", str(certs.client), "--key", str(certs.client_key), "-t", "plant/1", "-q", "1",
         "-l"], input="\n".join(numbered(300)).encode(), check=True, timeout=60)
    wait_seqs(agent, collector, range(1, 301))


def test_a_missing_client_certificate_is_told(agent, make_mosquitto, certs):
    broker = make_mosquitto(cert=certs.server, key=certs.server_key, client_ca=certs.ca)
    expect_trouble(agent, broker, "client certificate", tls={"ca": str(certs.ca)})


def test_mqtt_to_a_tls_port_is_told(agent, make_mosquitto, certs):
    broker = make_mosquitto(cert=certs.server, key=certs.server_key)
    expect_trouble(agent, broker, "mqtts://", url=broker.url.replace("mqtts", "mqtt"))


def test_the_will_comes_after_a_kill_and_not_after_a_stop(agent, mosquitto, collector):
    will = {"topic": "status/gw", "payload": "gone", "qos": 1}
    with mosquitto.subscriber("status/#") as subscriber:
        run_subscribed(agent, mosquitto, to_collector(mosquitto, collector, will=will))
        agent.terminate()
        assert agent.wait() == 0
        mosquitto.publish("status/gw", "marker")
        subscriber.wait_lines(1)
        run_subscribed(agent, mosquitto, to_collector(mosquitto, collector, will=will))
        agent.kill()
        assert subscriber.wait_lines(2) == ["status/gw marker", "status/gw gone"]


def test_a_bad_topic_stops_the_start(agent):
    agent.configure(pipeline({"type": "mqtt", "url": "mqtt://x", "topics": ["a/#/b"]},
                             {"type": "stdout"}))
    assert agent.run() == 2
    assert 'pipelines[0].source.topics[0]: "a/#/b": "#" must be the last level' in agent.log


def test_a_slow_sink_slows_the_broker_and_not_the_connection(
        agent, mosquitto, proxy, collector, sanitized):
    collector.default = Answer(503)
    run_subscribed(agent, mosquitto, to_collector(
        proxy, collector, qos=0, keepAlive="3s", delivery=quick_retry(spool="never")))
    mosquitto.publish_lines("plant/1", [json.dumps({"seq": n, "pad": "x" * 2000})
                                        for n in range(1, 20_001)], qos=0)
    agent.wait_for(lambda: len(collector.requests) >= 5, what="refused requests")
    # Longer than one and a half keep-alive times: pings, and no new connection.
    pings = lambda: len(proxy.of(12))  # noqa: E731
    before = pings()
    agent.wait_for(lambda: pings() >= before + 3, what="three pings")
    assert len(proxy.of(CONNECT)) == 1 and len(proxy.of(SUBSCRIBE)) == 1
    if not sanitized:
        assert agent.peak_rss_kib < 40 * 1024


def test_the_example_works(agent, mosquitto, collector):
    """config/examples/mqtt-to-http.json, with other addresses."""
    config = json.loads((ROOT / "config/examples/mqtt-to-http.json").read_text())
    config["agent"]["dataDir"] = str(agent.data_dir)
    config["pipelines"][0]["source"]["url"] = mosquitto.url
    config["pipelines"][0]["sink"]["url"] = collector.url
    agent.write_config(config)
    agent.start()
    mosquitto.wait_log("Sending SUBACK")
    mosquitto.publish("plant/north/press/7", '{"temp": 39}')
    mosquitto.publish("plant/north/press/8", '{"temp": 41}')
    agent.wait_for(lambda: collector.records(), what="a record")
    assert collector.records() == [{"temp": 41, "site": "north", "device": "8"}]
