"""Transforms that remember, over kills, restarts, reloads and clocks that are wrong, against what Python makes of
the same records (tests/faults/stream_reference.py)."""

import json
import signal
from collections import defaultdict
from math import inf

import pytest

from faults.kill_loop import KillLoop
from faults.other_clock import OtherClock, can_be_moved
from faults.stream_kills import CASES, THINNING, MqttWindows, window, write
from faults.stream_reference import (
    MINUTE, TIME, expect_results, expected_windows, of, readings, window_key, window_values)
from harness.mqtt_peer import NumberedPublisher
from harness.pipelines import file_source, http_sink, pipeline, quick_retry

KILLS = 6


@pytest.mark.parametrize(("late_by", "lateness"), [(0, 0), (30, 30), (100, 5)],
                         ids=["in_order", "out_of_order", "late"])
def test_windows_are_what_the_same_records_come_to_elsewhere(agent, collector, late_by, lateness):
    records = readings(20_000, late_by)
    expected, late = expected_windows(records, lateness)
    assert (late > 0) == (late_by > lateness)
    agent.configure(pipeline(
        file_source(write(agent.folder / "in.jsonl", records), time=TIME), http_sink(collector),
        window(lateness=f"{lateness}s", late="deadLetter")))
    assert agent.run() == 0
    results = collector.records()
    assert len(results) == len(expected)
    expect_results({window_key(result): window_values(result) for result in results}, expected)
    assert f" {late:,} dead letter" in agent.log or late == 0


@pytest.mark.parametrize("name", CASES, ids=lambda name: name.replace(", ", "_and_").replace(" ", "_"))
def test_what_is_remembered_is_the_same_over_kills(agent, collector, name):
    if name in THINNING and "tolerance" not in agent.command("help", "deadband").stdout:
        pytest.skip("left out of this build")
    case = CASES[name](20_000)
    if case.steps_clock and not can_be_moved(agent.binary):
        pytest.skip("LD_PRELOAD needs a dynamically linked binary")
    loop, _ = case.run(agent, collector, KILLS)
    assert loop.killed > 0


def test_windows_that_were_given_to_the_end_do_not_come_again(agent, collector):
    case = CASES["dedupe, windows"](20_000)
    case.run(agent, collector, 2)
    before = collector.line_count()
    assert agent.run() == 0
    assert collector.line_count() == before


def test_what_late_records_correct_comes_to_what_all_records_come_to_over_kills(agent, collector):
    records = readings(30_000, late_by=150)
    windows, time, late = defaultdict(list), -inf, 0
    for record in records:
        start = record["ts"] // 60_000 * 60
        windows[record["device"], start].append(record)
        time = max(time, record["ts"] / 1000 - 20)
        late += start + MINUTE <= time
    assert late > 1000
    agent.configure(pipeline(
        file_source(write(agent.folder / "in.jsonl", records), time=TIME), http_sink(collector, linger="5ms"),
        window(lateness="20s", late="emit", correctFor="5m"),
        delivery=quick_retry(checkpoint="100ms"), limits={"recordsPerSecond": 20_000}))
    loop = KillLoop(agent, collector.line_count, len(windows) + late, settle=collector.wait_quiet)
    assert loop.run(2 * KILLS) == 0, agent.log[-3000:]
    results, corrections = {}, 0
    for result in collector.records():
        key = window_key(result)
        corrections += result["windowCorrection"]
        if key not in results or result["n"] >= results[key]["n"]:
            results[key] = window_values(result)
    assert corrections >= late
    expect_results(results, {key: of(records) for key, records in windows.items()})


def test_keys_that_go_for_want_of_room_are_counted_and_said_once(agent, collector):
    agent.configure(pipeline(
        file_source(write(agent.folder / "in.jsonl", readings(100)), time=TIME),
        http_sink(collector), {"type": "dedupe", "key": ["seq", "nowhere"], "maxKeys": 10},
        {"type": "sample", "nth": 2, "key": "seq", "maxKeys": 90}))
    assert agent.run() == 0
    assert "10 keys evicted" in agent.log
    assert agent.log.count("no more keys can be remembered") == 1
    assert 'transforms[0].key: no record of the first batch has a field "nowhere"' in agent.log


def mqtt_window(broker, collector, **delivery):
    return pipeline(
        {"type": "mqtt", "url": broker.url, "topics": ["plant/#"], "qos": 1, "clientId": "gw",
         "time": {"field": "ts", "format": "unixMs"}},
        http_sink(collector), {"type": "window", "every": "1m", "set": {"n": "count(*)", "sum": "sum(seq)"}},
        delivery=quick_retry(**delivery))


def in_one_minute(seq):
    """All but the first of the next minute, which closes it."""
    return json.dumps({"seq": seq, "ts": 1_760_000_040_000 + seq}).encode()


def test_a_window_of_a_minute_does_not_stop_a_broker_that_sends_20_at_a_time(
        agent, make_mosquitto, collector):
    broker = make_mosquitto(max_inflight_messages=20)
    agent.configure(mqtt_window(broker, collector, maxAckHold="10m"))
    agent.start()
    broker.wait_log("Sending SUBACK")
    with NumberedPublisher(broker.port, "plant/1", count=1000, make=in_one_minute) as publisher:
        publisher.wait()
        broker.publish("plant/1", json.dumps({"seq": 0, "ts": 1_760_000_100_000}))
        result = agent.wait_for(collector.records, what="the window")[0]
    assert (result["n"], result["sum"]) == (1000, 500_500)
    agent.terminate()
    assert agent.wait() == 0
    assert "of state in " in agent.log


def test_windows_over_mqtt_have_each_message_and_none_more_often_than_the_broker_sent_it(
        agent, make_mosquitto, collector):
    way = MqttWindows(agent, make_mosquitto(max_inflight_messages=20), collector)
    way.disturb(KILLS)
    way.finish()
    assert way.repeated() == []


def test_a_record_of_the_year_2106_is_a_dead_letter_and_the_windows_of_the_others_go_on(
        agent, collector, dynamic_binary):
    """The clock is known to be right, or the machine has been on for an hour."""
    clock = OtherClock(agent.folder)
    clock.shift(0, right=True)
    records = readings(5_000)
    expected, _ = expected_windows(records)
    bad = {**records[0], "device": "broken", "ts": 4_294_967_295_000}
    agent.configure(pipeline(
        file_source(write(agent.folder / "in.jsonl", [*records[:100], bad, *records[100:], bad]), time=TIME),
        http_sink(collector), window()))
    assert agent.run(env=clock.env) == 0
    expect_results({window_key(result): window_values(result) for result in collector.records()}, expected)
    letters = agent.dead_letters()
    assert [json.loads(letter["record"])["device"] if isinstance(letter["record"], str) else
            letter["record"]["device"] for letter in letters] == ["broken", "broken"]
    assert "maxAhead" in letters[0]["reason"]
    assert "maxAhead" in agent.log


def test_other_options_keep_the_state_where_it_means_the_same_and_say_where_not(agent, collector):
    path = write(agent.folder / "in.jsonl", readings(100))

    def configure(key, **options):
        agent.configure(pipeline(file_source(path, follow=True, time=TIME), http_sink(collector),
                                 {"type": "dedupe", "key": key, **options}))

    def append(seqs):
        with open(path, "a", encoding="utf-8") as file:
            file.writelines(json.dumps({"seq": seq, "ts": 0}) + "\n" for seq in seqs)

    def got():
        return [record["seq"] for record in collector.records()]

    configure("seq")
    agent.start()
    agent.wait_for(lambda: len(got()) == 100)
    configure("seq", maxKeys=5000)
    agent.send(signal.SIGHUP)
    agent.wait_log(r"configuration taken over: 1 pipeline")
    append([5, 99, 100])
    agent.wait_for(lambda: got()[100:] == [100], what=got)
    configure(["seq", "device"])
    agent.send(signal.SIGHUP)
    agent.wait_log(r'nothing has the state of "dedupe')
    append([200])
    agent.wait_for(lambda: got()[101:] == [200], what=got)
    agent.terminate()
    assert agent.wait() == 0


def test_a_position_that_is_set_back_forgets_what_was_counted(agent, collector):
    agent.configure(pipeline(file_source(write(agent.folder / "in.jsonl", readings(50)), time=TIME),
                             http_sink(collector), {"type": "dedupe", "key": "seq"}))
    assert agent.run() == 0
    reset = agent.command("positions", "reset", "p", "-c", agent.config_path)
    assert reset.returncode == 0, reset.stderr
    assert "state:" not in agent.command("positions", "-c", agent.config_path).stdout
    assert agent.run() == 0
    assert "what its transforms remember is forgotten" in agent.log_of_run
    assert sorted(record["seq"] for record in collector.records()) == sorted([*range(50)] * 2)


def test_exactly_once_is_refused_with_a_transform_that_remembers(agent):
    agent.configure(pipeline(
        file_source("in.jsonl"), {"type": "sqlite", "path": "out.db", "table": "t"},
        {"type": "dedupe", "key": "seq"}, delivery={"guarantee": "exactlyOnce"}))
    check = agent.command("check", "-c", agent.config_path)
    assert check.returncode == 2
    assert 'pipelines[0].delivery.guarantee: the transform "dedupe" (pipelines[0].transforms[0])' in \
        check.stderr
