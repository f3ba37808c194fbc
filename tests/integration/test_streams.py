"""Transforms that remember: windows, deadband and dedupe over kills, restarts and reloads, against a
reference made here of the same records."""

import json
import math
import random
import signal
import statistics
from collections import defaultdict
from datetime import datetime, timezone

import pytest

from faults.kill_loop import KillLoop
from harness.mqtt_peer import NumberedPublisher
from harness.pipelines import file_source, http_sink, pipeline, quick_retry

MINUTE = 60
DEVICES = 7
KILLS = 12
TIME = {"field": "ts", "format": "unixMs"}
SET = {"mean": "avg(temp)", "n": "count(*)", "least": "min(temp)", "most": "max(temp)",
       "sum": "sum(seq)", "sd": "stddev(temp)", "last": "last(state)"}


def readings(count, late_by=0, seed=1):
    """One every 100 ms of event time, out of order by up to `late_by` seconds; "seq" is its number."""
    dice = random.Random(seed)
    begin = 1_760_000_000_000
    return [{"seq": seq, "ts": begin + 100 * seq - dice.randint(0, 1000 * late_by),
             "device": f"d{dice.randrange(DEVICES)}", "temp": round(dice.uniform(-20, 60), 2),
             "state": dice.choice(["on", "off", "idle"])} for seq in range(count)]


def write(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def expected_windows(records, lateness=0, slide=MINUTE):
    """What the windows must come to: by (device, start in seconds); and how many records are late."""
    time, late, windows = -math.inf, 0, defaultdict(list)
    for record in records:
        time = max(time, record["ts"] / 1000 - lateness)
        last = record["ts"] // 1000 // slide * slide
        open_ones = [start for start in range(last, last - MINUTE, -slide)
                     if start + MINUTE > max(time, record["ts"] / 1000)]
        late += not open_ones
        for start in open_ones:
            windows[record["device"], start].append(record)
    return {key: of(records) for key, records in windows.items()}, late


def of(records):
    temps = [record["temp"] for record in records]
    newest = max(range(len(records)), key=lambda i: (records[i]["ts"], i))
    return {"mean": statistics.fmean(temps), "n": len(records), "least": min(temps),
            "most": max(temps), "sum": sum(record["seq"] for record in records),
            "sd": statistics.stdev(temps) if len(temps) > 1 else None,
            "last": records[newest]["state"]}


def seconds(text):
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc).timestamp())


def expect_windows(results, expected):
    """Each is there, and what came more than once was the same each time."""
    seen = {}
    for result in results:
        key = result["device"], seconds(result["windowStart"])
        assert seconds(result["windowEnd"]) == key[1] + MINUTE
        values = {name: result[name] for name in SET}
        assert seen.setdefault(key, values) == values, key
    assert seen.keys() == expected.keys()
    for key, values in seen.items():
        assert values == {name: value if isinstance(value, (int, str, type(None)))
                          else pytest.approx(value, rel=1e-9)
                          for name, value in expected[key].items()}, key


def window(**options):
    return {"type": "window", "every": "1m", "key": "device", "set": SET, **options}


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
    expect_windows(results, expected)
    assert f" {late:,} dead letter" in agent.log or late == 0


@pytest.mark.parametrize("slide", [MINUTE, 15], ids=["one_after_the_other", "that_overlap"])
def test_windows_are_the_same_over_kills(agent, collector, slide):
    records = readings(60_000, late_by=40)
    again = [record for i, record in enumerate(records) for _ in range(1 + (i % 10 == 0))]
    expected, _ = expected_windows(records, 20, slide)
    agent.configure(pipeline(
        file_source(write(agent.folder / "in.jsonl", again), time=TIME), http_sink(collector, linger="5ms"),
        {"type": "dedupe", "key": ["seq"], "within": "10m"}, window(lateness="20s", slide=f"{slide}s"),
        delivery=quick_retry(checkpoint="100ms"), limits={"recordsPerSecond": 30_000}))
    loop = KillLoop(agent, collector.line_count, len(expected), settle=collector.wait_quiet)
    assert loop.run(KILLS) == 0, agent.log[-3000:]
    assert loop.killed >= KILLS // 2
    expect_windows(collector.records(), expected)
    assert agent.run() == 0  # nothing is left to be read, or to come again
    expect_windows(collector.records(), expected)


def expected_sessions(records, gap):
    """By device, start and end in milliseconds: those of a device that are less than `gap` apart."""
    sessions = {}
    for device in {record["device"] for record in records}:
        run = []
        for record in sorted((r for r in records if r["device"] == device), key=lambda r: r["ts"]):
            if run and record["ts"] - run[-1]["ts"] >= gap:
                sessions[device, run[0]["ts"], run[-1]["ts"] + gap] = run
                run = []
            run.append(record)
        sessions[device, run[0]["ts"], run[-1]["ts"] + gap] = run
    return {key: (len(run), sum(r["seq"] for r in run)) for key, run in sessions.items()}


def milliseconds(text):
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def test_sessions_that_late_records_join_are_the_same_over_kills(agent, collector):
    records = readings(40_000, late_by=8)
    expected = expected_sessions(records, 3000)
    assert len(expected) > 500
    agent.configure(pipeline(
        file_source(write(agent.folder / "in.jsonl", records), time=TIME), http_sink(collector, linger="5ms"),
        {"type": "window", "session": {"gap": "3s"}, "key": "device", "lateness": "8s",
         "set": {"n": "count(*)", "sum": "sum(seq)"}},
        delivery=quick_retry(checkpoint="100ms"), limits={"recordsPerSecond": 20_000}))
    loop = KillLoop(agent, collector.line_count, len(expected), settle=collector.wait_quiet)
    assert loop.run(KILLS) == 0, agent.log[-3000:]
    assert loop.killed >= KILLS // 2
    results = {}
    for result in collector.records():
        key = result["device"], milliseconds(result["windowStart"]), milliseconds(result["windowEnd"])
        value = result["n"], result["sum"]
        assert results.setdefault(key, value) == value, key
    assert results == expected


def test_what_hardly_moves_and_what_has_come_before_stays_out_over_kills(agent, collector):
    records = readings(30_000)
    last, expected = {}, []
    for record in records:
        temp = last.get(record["device"])
        if temp is None or abs(record["temp"] - temp) > 25:
            expected.append(record["seq"])
            last[record["device"]] = record["temp"]
    agent.configure(pipeline(
        file_source(write(agent.folder / "in.jsonl", records + records[-5000:]), time=TIME),
        http_sink(collector, linger="5ms"), {"type": "dedupe", "key": ["device", "seq"]},
        {"type": "deadband", "field": "temp", "key": "device", "absolute": "25"},
        delivery=quick_retry(checkpoint="100ms"), limits={"recordsPerSecond": 20_000}))
    loop = KillLoop(agent, collector.line_count, len(expected), settle=collector.wait_quiet)
    assert loop.run(KILLS) == 0, agent.log[-3000:]
    assert {record["seq"] for record in collector.records()} == set(expected)


def test_what_counters_gain_and_every_tenth_record_are_the_same_over_kills(agent, collector):
    records = [{**record, "count": record["seq"] * 3 % 50_000} for record in readings(30_000)]
    last, of_device, expected = {}, defaultdict(int), {}
    for record in records:
        device, count = record["device"], record["count"]
        gained = None
        if device in last:
            gained = count - last[device] if count >= last[device] else count
        last[device] = count
        of_device[device] += 1
        if of_device[device] % 10 == 1:
            expected[record["seq"]] = gained
    agent.configure(pipeline(
        file_source(write(agent.folder / "in.jsonl", records), time=TIME),
        http_sink(collector, linger="5ms"), {"type": "rate", "field": "count", "key": "device"},
        {"type": "sample", "nth": 10, "key": "device"},
        delivery=quick_retry(checkpoint="100ms"), limits={"recordsPerSecond": 20_000}))
    loop = KillLoop(agent, collector.line_count, len(expected), settle=collector.wait_quiet)
    assert loop.run(KILLS) == 0, agent.log[-3000:]
    results = collector.records()
    assert {record["seq"]: record["difference"] for record in results} == expected


def by_lines(records, tolerance):
    """What a swinging door lets pass, when the record that passes must be between the doors itself."""
    passed, doors = [], {}
    for record in records:
        device, value = record["device"], record["temp"]
        if device not in doors:
            passed.append(record["seq"])
            doors[device] = record, -math.inf, math.inf, None
            continue
        begin, least, most, held = doors[device]

        def slope(to):
            return (to - begin["temp"]) / ((record["ts"] - begin["ts"]) * 1000 / 1e6)

        if not least <= slope(value) <= most:
            passed.append(held["seq"])
            begin, least, most = held, -math.inf, math.inf
        doors[device] = begin, max(least, slope(value - tolerance)), min(most, slope(value + tolerance)), record
    return passed + [held["seq"] for _, _, _, held in doors.values() if held]


def last_of_each(records, span):
    last = {}
    for record in records:
        last[record["device"], record["ts"] // span] = record["seq"]
    return list(last.values())


@pytest.mark.parametrize("transform, reference", [
    ({"type": "deadband", "field": "temp", "tolerance": "0.5"}, lambda records: by_lines(records, 0.5)),
    ({"type": "sample", "span": "5s", "pick": "last"}, lambda records: last_of_each(records, 5000)),
], ids=["by_lines", "the_last_of_a_span"])
def test_what_is_held_back_is_the_same_over_kills(agent, collector, transform, reference):
    if "tolerance" not in agent.command("help", "deadband").stdout:
        pytest.skip("left out of this build")
    records = [{**record, "temp": round(record["temp"] / 200 + 10 * math.sin(record["seq"] / 200), 2)}
               for record in readings(30_000)]
    expected = reference(records)
    assert 500 < len(expected) < 10_000
    agent.configure(pipeline(
        file_source(write(agent.folder / "in.jsonl", records), time=TIME),
        http_sink(collector, linger="5ms"), {**transform, "key": "device"},
        delivery=quick_retry(checkpoint="100ms"), limits={"recordsPerSecond": 20_000}))
    loop = KillLoop(agent, collector.line_count, len(expected), settle=collector.wait_quiet)
    assert loop.run(KILLS) == 0, agent.log[-3000:]
    results = {record["seq"]: record for record in collector.records()}
    assert set(results) == set(expected)
    assert all(results[record["seq"]] == record for record in records if record["seq"] in results)


def test_what_late_records_correct_comes_to_what_all_records_come_to_over_kills(agent, collector):
    records = readings(30_000, late_by=150)
    windows, time, late = defaultdict(list), -math.inf, 0
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
    assert loop.run(KILLS) == 0, agent.log[-3000:]
    results, corrections = {}, 0
    for result in collector.records():
        key = result["device"], seconds(result["windowStart"])
        corrections += result["windowCorrection"]
        if key not in results or result["n"] >= results[key]["n"]:
            results[key] = result
    assert corrections >= late
    expect_windows(results.values(), {key: of(records) for key, records in windows.items()})


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


def test_a_window_over_mqtt_never_has_less_after_kills(agent, make_mosquitto, collector):
    broker = make_mosquitto(max_inflight_messages=20)
    agent.configure(mqtt_window(broker, collector))
    agent.start()
    broker.wait_log("Sending SUBACK")
    with NumberedPublisher(broker.port, "plant/1", count=2000, make=in_one_minute) as publisher:
        for part in range(1, 6):
            publisher.wait_accepted(300 * part)
            agent.kill()
            agent.start()
        publisher.wait()
        agent.wait_for(lambda: broker.log.count("Sending SUBACK") > 1 or "gw" in broker.log)
        broker.publish("plant/1", json.dumps({"seq": 0, "ts": 1_760_000_100_000}))
        result = agent.wait_for(collector.records, deadline=60, what="the window")[0]
    assert 2000 <= result["n"] <= 2000 + 5 * 20  # what was acknowledged and not heard of


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
