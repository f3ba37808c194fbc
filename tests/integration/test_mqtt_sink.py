"""The mqtt sink against a real mosquitto."""

import json
from pathlib import Path

import pytest

from harness.mqtt_peer import PUBLISH, RecordingProxy
from harness.pipelines import file_source, pipeline, quick_retry

ROOT = Path(__file__).resolve().parents[2]


def mqtt_sink(broker, topic="plant/{seq}", records=100, **options):
    return {"type": "mqtt", "url": broker.url, "topic": topic, "qos": 1,
            "batch": {"records": records, "linger": "20ms"}, **options}


def write_records(path, count):
    path.write_text("".join(json.dumps({"seq": n, "site": "ab"[n % 2]}) + "\n"
                            for n in range(count)))
    return path


def payloads(lines):
    return [json.loads(line.split(" ", 1)[1])["seq"] for line in lines]


@pytest.mark.parametrize("version", ["3.1.1", "5"])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_each_record_becomes_a_message(agent, mosquitto, tmp_path, version, qos):
    path = write_records(tmp_path / "in.jsonl", 1000)
    with mosquitto.subscriber("plant/#") as subscriber:
        agent.configure(pipeline(file_source(path), mqtt_sink(
            mosquitto, "plant/{site}/{seq}", qos=qos, version=version)))
        assert agent.run() == 0
        lines = subscriber.wait_lines(1000)
    assert payloads(lines) == list(range(1000))
    assert lines[7].split(" ")[0] == "plant/b/7"


def test_a_broker_that_restarts_in_mid_stream_gets_every_record(agent, mosquitto, tmp_path):
    path = write_records(tmp_path / "in.jsonl", 20_000)
    with mosquitto.subscriber("plant/#") as subscriber:
        agent.configure(pipeline(file_source(path), mqtt_sink(mosquitto, "plant/x"),
                                 delivery=quick_retry()))
        agent.start()
        subscriber.wait_lines(1000)
        mosquitto.restart()
        subscriber.wait_lines(8000)
        mosquitto.restart()
        assert agent.wait(120) == 0
        agent.wait_for(lambda: set(payloads(subscriber.lines)) == set(range(20_000)), deadline=60,
                       what="all records")


def test_a_lost_connection_sends_again_only_what_was_not_acknowledged(agent, mosquitto, tmp_path):
    path = write_records(tmp_path / "in.jsonl", 5000)
    proxy = RecordingProxy(mosquitto.port)
    try:
        agent.configure(pipeline(file_source(path), mqtt_sink(proxy, "plant/x", records=5000,
                                                              window=50),
                                 delivery=quick_retry()))
        agent.start()
        for so_far in (1000, 3000):
            agent.wait_for(lambda: len(proxy.of(PUBLISH)) >= so_far, what="messages")  # noqa: B023
            proxy.cut()
        assert agent.wait() == 0
        assert len(proxy.of(PUBLISH)) <= 5000 + 2 * 50
    finally:
        proxy.close()


def test_retained_messages_with_a_template_for_the_payload(agent, mosquitto, tmp_path):
    path = write_records(tmp_path / "in.jsonl", 10)
    agent.configure(pipeline(file_source(path), mqtt_sink(
        mosquitto, "state/{site}", payload="{seq}", retain=True)))
    assert agent.run() == 0
    with mosquitto.subscriber("state/#") as subscriber:
        assert sorted(subscriber.wait_lines(2)) == ["state/a 8", "state/b 9"]


def test_records_without_a_good_topic_become_dead_letters(agent, mosquitto, tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text('{"site": "a", "n": 1}\n{"n": 2}\n{"site": null}\n{"site": "x/#"}\n'
                    '{"site": "b", "n": 3}\n')
    with mosquitto.subscriber("plant/#") as subscriber:
        agent.configure(pipeline(file_source(path), mqtt_sink(mosquitto, "plant/{site}")))
        assert agent.run() == 0
        assert [line.split()[0] for line in subscriber.wait_lines(2)] == ["plant/a", "plant/b"]
    assert len(agent.dead_letters()) == 3
    assert all(letter["stage"] == "mqtt" for letter in agent.dead_letters())


def test_messages_at_which_a_broker_closes_become_dead_letters_and_the_rest_arrives(
        agent, make_mosquitto, tmp_path):
    broker = make_mosquitto(max_packet_size=2048)
    path = tmp_path / "in.jsonl"
    topics = ["a", "/".join(["x"] * 210), "b", "bad\uffff", "c", "d"]
    path.write_text("".join(json.dumps({"topic": topic, "fill": "x" * (5000 if topic == "c" else 5)})
                            + "\n" for topic in topics))
    with broker.subscriber("plant/#") as subscriber:
        agent.configure(pipeline(file_source(path), mqtt_sink(broker, "plant/{topic}",
                                                              version="3.1.1"),
                                 delivery=quick_retry()))
        assert agent.run() == 0
        assert [line.split()[0] for line in subscriber.wait_lines(3)] == ["plant/a", "plant/b",
                                                                          "plant/d"]
    letters = agent.dead_letters()
    assert len(letters) == 3
    assert all("closes the connection at this message" in letter["reason"] for letter in letters)


def test_a_topic_that_the_broker_does_not_permit_costs_its_record_alone(
        agent, mosquitto, tmp_path):
    """mosquitto says so (MQTT 5), and closes the connection: it was tried again for ever."""
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps({"seq": n, "t": "$SYS/x" if n % 10 == 5 else f"plant/{n}"}) + "\n"
                            for n in range(40)))
    with mosquitto.subscriber("plant/#") as subscriber:
        agent.configure(pipeline(file_source(path), mqtt_sink(mosquitto, "{t}", version="5"),
                                 delivery=quick_retry()))
        assert agent.run() == 0
        lines = subscriber.wait_lines(36)
    assert set(payloads(lines)) == {n for n in range(40) if n % 10 != 5}
    letters = agent.dead_letters()
    assert sorted(letter["record"]["seq"] for letter in letters) == [5, 15, 25, 35]
    assert all("not authorised" in letter["reason"] for letter in letters), letters
    assert "client id" not in agent.log


def test_a_run_of_messages_that_are_all_refused_ends_with_1(agent, mosquitto, tmp_path):
    """Two of them were tried again for ever."""
    path = tmp_path / "in.jsonl"
    path.write_text('{"t": "$SYS/x"}\n' * 2)
    agent.configure(pipeline(file_source(path), mqtt_sink(mosquitto, "{t}", version="5"),
                             delivery=quick_retry()))
    assert agent.run() == 1
    assert len(agent.dead_letters()) == 2
    assert "attempt 1 of 8" in agent.log and "nothing is lost" not in agent.log, agent.log


def test_bytes_pass_from_broker_to_broker(agent, mosquitto):
    source = {"type": "mqtt", "url": mosquitto.url, "topics": ["in/#"], "format": "raw",
              "fields": ["topic"]}
    with mosquitto.subscriber("copy/#", form="%t %x") as subscriber:
        agent.configure(pipeline(source, mqtt_sink(mosquitto, "copy/{topic}", payload="{data}")))
        before = mosquitto.log.count("Sending SUBACK")
        agent.start()
        mosquitto.wait_log("Sending SUBACK", before + 1)
        mosquitto.publish("in/1", b"\x00\xff\n")
        assert subscriber.wait_lines(1) == ["copy/in/1 00ff0a"]


def test_bad_credentials_lose_nothing(agent, make_mosquitto, tmp_path):
    broker = make_mosquitto(users={"gw": "secret"})
    path = write_records(tmp_path / "in.jsonl", 10)
    agent.configure(pipeline(file_source(path), mqtt_sink(broker, user="gw", password="wrong"),
                             delivery=quick_retry()))
    agent.start()
    agent.wait_log("not authorised")
    agent.kill()
    with broker.subscriber("plant/#") as subscriber:
        agent.configure(pipeline(file_source(path), mqtt_sink(broker, user="gw",
                                                              password="secret")))
        assert agent.run() == 0
        assert payloads(subscriber.wait_lines(10)) == list(range(10))
    assert agent.dead_letters() == []


def test_over_tls(agent, make_mosquitto, certs, tmp_path):
    broker = make_mosquitto(cert=certs.server, key=certs.server_key)
    path = write_records(tmp_path / "in.jsonl", 2000)
    agent.configure(pipeline(file_source(path), mqtt_sink(broker, tls={"ca": str(certs.ca)})))
    assert agent.run() == 0
    assert broker.log.count("Received PUBLISH") == 2000


def test_the_example_works(agent, mosquitto, tmp_path):
    """config/examples/file-to-mqtt.json, with another file and another address."""
    path = tmp_path / "in.jsonl"
    path.write_text('{"site": "north", "device": "7", "temp": 41}\n')
    config = json.loads((ROOT / "config/examples/file-to-mqtt.json").read_text())
    config["agent"]["dataDir"] = str(agent.data_dir)
    config["pipelines"][0]["source"]["path"] = [str(path)]
    config["pipelines"][0]["sink"]["url"] = mosquitto.url
    agent.write_config(config)
    with mosquitto.subscriber("plant/#") as subscriber:
        assert agent.run() == 0
        topic, payload = subscriber.wait_lines(1)[0].split(" ", 1)
    assert topic == "plant/north/7" and json.loads(payload)["temp"] == 41
