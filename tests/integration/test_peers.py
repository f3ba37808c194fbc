"""What users of other agents have met, as their reports tell it; each names where it was seen."""

import json
import os
import signal
import ssl
import subprocess
import time

import pytest

from faults.other_clock import OtherClock
from harness.collector import Answer
from harness.pipelines import file_source, http_sink, pipeline, quick_retry


def lines_of(seqs, **more):
    return "".join(json.dumps({"seq": seq, **more}) + "\n" for seq in seqs)


def append(path, seqs, **more):
    with open(path, "a", encoding="utf8") as file:
        file.write(lines_of(seqs, **more))


def wait_all(agent, collector, expected):
    expected = set(expected)
    agent.wait_for(lambda: {record["seq"] for record in collector.records()} >= expected,
                   what=f"{len(expected)} records, so far {collector.line_count()}")


def mqtt_to(broker, collector, topic, **source):
    return pipeline({"type": "mqtt", "url": broker.url, "topics": [topic], "qos": 1, **source},
                    http_sink(collector), delivery=quick_retry())


def stop(agent):
    agent.terminate()
    assert agent.wait() == 0


@pytest.fixture
def log(agent):
    path = agent.folder / "app.log"
    path.write_text("")
    return path


# --- reloads -------------------------------------------------------------------------------------


def test_of_a_flood_of_reloads_the_last_configuration_counts_and_nothing_is_lost(agent, collector,
                                                                                 log):
    """fluent-bit 8457: a reload during a reload is ignored; 11183: it crashes; ekuiper 3330."""
    def configure(generation):
        agent.configure(pipeline(file_source(log, follow=True), http_sink(collector),
                                 {"type": "map", "set": {"gen": str(generation)}}))

    configure(0)
    append(log, [0])
    agent.start()
    collector.wait_records(1)
    for generation in range(1, 31):
        configure(generation)
        agent.send(signal.SIGHUP)
        append(log, range(10 * generation, 10 * generation + 10))
    wait_all(agent, collector, [0, *range(10, 310)])
    last = 310

    def written_with_the_last():
        nonlocal last
        append(log, [last])
        last += 1
        return any(record["gen"] == 30 for record in collector.records())

    agent.wait_for(written_with_the_last, what="the last configuration")
    wait_all(agent, collector, range(10, last))
    stop(agent)
    seqs = [record["seq"] for record in collector.records()]
    assert len(seqs) == len(set(seqs))


def test_a_reload_while_records_come_through_a_pipe_loses_none(agent, collector, leat):
    """redpanda-data/connect #1733: the watcher's reload swallows what standard input has given."""
    def configure(tag):
        agent.configure(pipeline({"type": "stdin", "format": "json"}, http_sink(collector),
                                 {"type": "map", "set": {"tag": f"'{tag}'"}}, delivery=quick_retry()))

    configure("before")
    with open(agent.folder / "stderr", "w", encoding="utf8") as stderr:
        process = subprocess.Popen([leat, "run", "-c", str(agent.config_path)], stdin=subprocess.PIPE, stderr=stderr)
    try:
        sent = 0

        def one_more():
            nonlocal sent
            process.stdin.write(b'{"seq":%d}\n' % sent)
            process.stdin.flush()
            sent += 1
            return collector.records()

        agent.wait_for(one_more)
        configure("after")
        process.send_signal(signal.SIGHUP)
        agent.wait_for(lambda: any(record["tag"] == "after" for record in one_more()))
        process.stdin.close()
        assert process.wait(30) == 0
    finally:
        process.kill()
    assert sorted(record["seq"] for record in collector.records()) == list(range(sent))


def test_the_bounds_of_a_spool_are_those_of_the_new_configuration(agent, collector, log):
    """vector 18933: buffer settings are not reloaded; 24125: nor a sink with events that fail."""
    def configure(max_spool):
        agent.configure(pipeline(file_source(log, follow=True), http_sink(collector),
                                 delivery=quick_retry(spool="always", maxSpool=max_spool)))

    collector.default = Answer(503)
    for seq in range(2000):
        append(log, [seq], noise=os.urandom(150).hex())
    configure("64KiB")
    agent.start()
    agent.wait_log(r"the spool is full \(64.0 KiB\)")
    configure("16MiB")
    agent.send(signal.SIGHUP)
    configuration = ("status", "-c", agent.config_path, "--json")

    def all_is_spooled():
        status = json.loads(agent.command(*configuration).stdout)["pipelines"][0]
        return status["records"]["waiting"] == 2000 and status["spoolBytes"] > 200_000

    agent.wait_for(all_is_spooled, what="all in the spool")
    collector.default = Answer()
    wait_all(agent, collector, range(2000))
    stop(agent)


# --- MQTT ----------------------------------------------------------------------------------------


def test_topics_that_change_are_subscribed_and_given_up_in_a_kept_session(agent, collector,
                                                                          mosquitto):
    """telegraf 9703: with a persistent session a change of topics is ignored."""
    def configure(topic):
        agent.configure(mqtt_to(mosquitto, collector, topic))
        return mosquitto.log.count("Sending SUBACK") + 1

    def publish(topic, seq):
        mosquitto.publish(topic, lines_of([seq]).strip())

    subscribed = configure("a/#")
    agent.start()
    mosquitto.wait_log("Sending SUBACK", subscribed)
    subscribed = configure("b/#")
    agent.send(signal.SIGHUP)
    mosquitto.wait_log("Sending SUBACK", subscribed)
    mosquitto.wait_log("Sending UNSUBACK", 1)
    publish("a/1", 1)
    publish("b/1", 2)
    wait_all(agent, collector, [2])
    stop(agent)
    subscribed = configure("c/#")
    agent.start()
    mosquitto.wait_log("Sending SUBACK", subscribed)
    mosquitto.wait_log("Sending UNSUBACK", 2)
    publish("b/1", 3)
    publish("c/1", 4)
    wait_all(agent, collector, [4])
    stop(agent)
    assert [record["seq"] for record in collector.records()] == [2, 4]


def test_messages_that_nobody_can_read_do_not_use_up_the_window(agent, collector, mosquitto):
    """telegraf 13476: after a thousand that could not be parsed nothing came any more."""
    agent.configure(mqtt_to(mosquitto, collector, "plant/#"))
    agent.start()
    mosquitto.wait_log("Sending SUBACK")
    mosquitto.publish_lines("plant/x", [f"no json {i}" for i in range(1500)])
    mosquitto.publish("plant/x", '{"seq": 1}')
    wait_all(agent, collector, [1])
    agent.wait_for(lambda: len(agent.dead_letters()) == 1500, what="all dead letters")
    stop(agent)


def test_a_sink_that_is_away_for_longer_than_the_keep_alive_costs_neither_messages_nor_the_session(
        agent, collector, mosquitto):
    """bento 489: with the output down the client is dropped, and messages with it."""
    collector.down()
    agent.configure(pipeline({"type": "mqtt", "url": mosquitto.url, "topics": ["plant/#"], "qos": 1,
                              "keepAlive": "1s"}, http_sink(collector),
                             delivery=quick_retry(spool="never")))
    agent.start()
    mosquitto.wait_log("Sending SUBACK")
    mosquitto.publish_lines("plant/x", lines_of(range(500)).splitlines())
    mosquitto.wait_log("Sending PINGRESP", 2)
    collector.up()
    wait_all(agent, collector, range(500))
    stop(agent)
    assert len(agent.log_lines("connected to")) == 1
    assert collector.line_count() == 500


# --- memory, disk and network --------------------------------------------------------------------


def test_a_restart_with_a_backlog_needs_no_more_memory_than_one_without(agent, collector, log,
                                                                        sanitized):
    """fluent-bit 5166: 2 GB of backlog, 1.17 GB of memory at the start."""
    collector.default = Answer(503)
    append(log, range(150_000), text="x" * 150)  # 26 MB
    agent.configure(pipeline(file_source(log), http_sink(collector, records=2000),
                             delivery=quick_retry(spool="always", maxSpool="64MiB")))
    agent.start()

    def all_is_spooled():
        done = agent.command("status", "-c", agent.config_path, "--json")
        if done.returncode == 3:  # it has only just begun
            return False
        return json.loads(done.stdout)["pipelines"][0]["records"]["spooled"] == 150_000

    agent.wait_for(all_is_spooled, deadline=60, what="all in the spool")
    agent.kill()
    collector.default = Answer()
    agent.start()
    agent.wait_for(lambda: collector.line_count() == 150_000, deadline=60, what="all of it")
    assert sanitized or agent.peak_rss_kib <= 12_500_000 // 1024
    assert agent.wait() == 0


def test_outage_after_outage_uses_the_same_room_on_the_disk(agent, collector, log):
    """telegraf 16696: the buffer on the disk is never made smaller."""
    agent.configure(pipeline(file_source(log, follow=True), http_sink(collector, records=1000),
                             delivery=quick_retry(spool="always")))
    agent.start()
    sizes = []
    for outage in range(5):
        records = range(2000 * outage, 2000 * outage + 2000)
        collector.default = Answer(503)
        for seq in records:
            append(log, [seq], noise=os.urandom(50).hex())
        tries = len(collector.requests)
        agent.wait_for(lambda: len(collector.requests) > tries, what="an attempt")
        collector.default = Answer()
        wait_all(agent, collector, records)
        sizes.append((agent.data_dir / "journal.db").stat().st_size)
    stop(agent)
    assert (agent.data_dir / "journal.db").stat().st_size < 2 * 2000 * 150, sizes


def test_nothing_listens_on_the_network(agent, collector, mosquitto):
    """ETSI EN 303 645, 5.6: what is exposed is what somebody asked for."""
    agent.configure(mqtt_to(mosquitto, collector, "plant/#"))
    agent.start()
    mosquitto.wait_log("Sending SUBACK")
    mine = {os.readlink(entry.path) for entry in os.scandir(f"/proc/{agent.process.pid}/fd")}
    sockets = []
    for kind in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6"):
        with open(f"/proc/{agent.process.pid}/net/{kind}", encoding="ascii") as table:
            sockets += [(kind, row[3]) for row in map(str.split, list(table)[1:])
                        if f"socket:[{row[9]}]" in mine]
    assert set(sockets) == {("tcp", "01")}  # ESTABLISHED


# --- clocks --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("dynamic_binary")
def test_a_clock_that_jumps_by_decades_holds_nothing_up(agent, collector, mosquitto, log, tmp_path):
    """lf-edge/eve 2247, oxidecomputer/omicron 5899: boards without a clock start in 1970."""
    clock = OtherClock(tmp_path)
    clock.shift(-int(time.time()))
    agent.configure(mqtt_to(mosquitto, collector, "plant/#", keepAlive="1s"),
                    pipeline(file_source(log, follow=True), http_sink(collector),
                             delivery=quick_retry()))
    agent.start(env=clock.env)
    mosquitto.wait_log("Sending SUBACK")
    seq = 0
    for years in (0, 10, -10, -50, 40, 0):
        collector.default = Answer(503)
        append(log, [seq])
        mosquitto.publish("plant/x", lines_of([seq + 1]).strip())
        tries = len(collector.requests)
        collector.wait_requests(tries + 2)
        clock.shift(years * OtherClock.YEAR)
        collector.default = Answer()
        seq += 2
        wait_all(agent, collector, range(seq))
    mosquitto.wait_log("Sending PINGRESP", 2)
    stop(agent)
    assert len(agent.log_lines("connected to")) == 1
    assert collector.line_count() == seq


@pytest.mark.usefixtures("dynamic_binary")
def test_a_clock_that_is_set_later_ends_the_trouble_with_certificates(agent, make_collector, certs,
                                                                      log, tmp_path):
    """lf-edge/eve 2247: TLS fails until the clock is set."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs.server, certs.server_key)
    collector = make_collector(ssl_context=context)
    clock = OtherClock(tmp_path)
    clock.shift(-int(time.time()))
    append(log, [1])
    agent.configure(pipeline(file_source(log),
                             http_sink(collector, url=f"https://localhost:{collector.port}/",
                                       tls={"ca": str(certs.ca)}), delivery=quick_retry()))
    agent.start(env=clock.env)
    agent.wait_log(r"not valid yet \(or the clock of this machine is wrong\)")
    clock.shift(0)
    assert agent.wait() == 0
    assert collector.line_count() == 1
