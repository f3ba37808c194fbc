"""Pipelines that meet in a channel, with real sources and sinks."""

import json
import signal
import sqlite3

from harness.pipelines import file_source, http_sink, pipeline, quick_retry, where
from harness.telemetry import expect_each_once
from harness.waiting import wait_for


def to_channel(name="c", **options):
    return {"type": "channel", "name": name, **options}


def from_channel(name="c"):
    return {"type": "channel", "name": name}


def named(name, *args, **rest):
    return {**pipeline(*args, **rest), "name": name}


def to_sqlite(agent, name="out.db"):
    return {"type": "sqlite", "path": str(agent.folder / name), "table": "t",
            "batch": {"linger": "20ms"}}


def rows(agent, name="out.db"):
    path = agent.folder / name
    if not path.exists():
        return []
    with sqlite3.connect(path, timeout=30) as database:
        try:
            return [row[0] for row in database.execute("SELECT seq FROM t ORDER BY rowid")]
        except sqlite3.OperationalError:  # no table yet
            return []


def seqs(collector):
    return [one["seq"] for one in collector.records()]


def lines_of(path):
    return [json.loads(line)["seq"] for line in path.read_text().splitlines()] if path.exists() else []


def test_one_file_goes_to_two_sinks_and_through_a_chain_and_then_the_agent_ends(
        agent, collector, telemetry):
    agent.configure(
        named("in", file_source(telemetry(5000)), to_channel()),
        named("local", from_channel(), to_sqlite(agent)),
        named("chain", from_channel(), to_channel("even"), where("seq % 2 = 0")),
        named("cloud", from_channel("even"), http_sink(collector, records=1000)))
    agent.start()
    assert agent.wait() == 0, agent.log
    expect_each_once(rows(agent), 5000)
    assert sorted(seqs(collector)) == list(range(0, 5000, 2))


def to_file(path):
    return {"type": "file", "path": str(path), "format": "ndjson", "batch": {"linger": "20ms"}}


def test_many_channels_beside_other_pipelines_on_several_loops(agent, telemetry):
    count = 20_000
    pipelines, outs = [], []
    for n in range(4):
        pipelines.append(named(f"in{n}", file_source(telemetry(count)), to_channel(f"c{n}")))
        for end in ("a", "b"):
            outs.append(agent.folder / f"{end}{n}.jsonl")
            pipelines.append(named(f"{end}{n}", from_channel(f"c{n}"), to_file(outs[-1])))
        outs.append(agent.folder / f"alone{n}.jsonl")
        pipelines.append(named(f"alone{n}", file_source(telemetry(count)), to_file(outs[-1])))
    agent.configure(*pipelines, workers=4, memory="24MiB")
    agent.start()
    assert agent.wait() == 0, agent.log
    for out in outs:
        assert lines_of(out) == list(range(count)), out


def test_each_subscriber_changes_records_for_itself(agent):
    source = agent.folder / "in.jsonl"
    records = [{"a": n, "b": f"b{n}", "c": f"c{n}"} for n in range(500)]
    source.write_text("".join(json.dumps(record) + "\n" for record in records))
    agent.configure(
        named("in", file_source(source), to_channel()),
        *(named(f"without-{field}", from_channel(),
                {"type": "file", "path": str(agent.folder / f"{field}.out"), "format": "ndjson"},
                {"type": "map", "drop": [field]}) for field in "abc"))
    agent.start()
    assert agent.wait() == 0, agent.log
    for field in "abc":
        got = [json.loads(line) for line in (agent.folder / f"{field}.out").read_text().splitlines()]
        assert got == [{k: v for k, v in record.items() if k != field} for record in records]


def test_pipelines_move_to_where_those_are_that_they_meet(agent, collector):
    """A reload makes readers of a channel of pipelines that ran on other loops, and adds one."""
    paths = [agent.folder / f"growing{n}.jsonl" for n in range(4)]
    for path in paths:
        path.touch()
    agent.configure(*[named(f"p{n}", file_source(path, follow=True), to_sqlite(agent, f"{n}.db"))
                      for n, path in enumerate(paths)], workers=4)
    agent.start()
    for path in paths:
        grow(path, 0, 500)
    wait_for(lambda: all(len(rows(agent, f"{n}.db")) == 500 for n in range(4)))

    def loops():
        said = json.loads(agent.command("status", "--json", "-c", str(agent.config_path)).stdout)
        return {one["name"]: one["loop"] for one in said["pipelines"]}
    assert sorted(loops().values()) == [0, 1, 2, 3]
    last = named("p3", from_channel("c"), to_sqlite(agent, "3.db"))
    agent.configure(*[named(f"p{n}", file_source(path, follow=True), to_channel())
                      for n, path in enumerate(paths[:2])],
                    named("p2", file_source(paths[2], follow=True), to_sqlite(agent, "2.db")), last,
                    named("late", from_channel(), http_sink(collector)), workers=4)
    agent.send(signal.SIGHUP)
    wait_for(lambda: len(agent.log_lines("configuration taken over")) == 1)
    wait_for(lambda: len({loops().get(name) for name in ("p0", "p1", "p3", "late")}) == 1)
    assert agent.command("unmount", "late", "-c", str(agent.config_path)).returncode == 0
    agent.wait_log(" late: done: ")
    assert agent.command("mount", "late", "-c", str(agent.config_path)).returncode == 0
    for n, path in enumerate(paths[:3]):
        grow(path, 500 + 1000 * n, 1000 + 1000 * n)
    expected = [*range(500, 1000), *range(1500, 2000)]
    wait_for(lambda: set(rows(agent, "3.db")) >= {*range(500), *expected})
    wait_for(lambda: set(seqs(collector)) == set(expected))
    wait_for(lambda: rows(agent, "2.db") == [*range(500), *range(2500, 3000)])
    agent.terminate()
    assert agent.wait() == 0, agent.log


def test_several_give_to_one(agent, telemetry):
    agent.configure(
        named("a", file_source(telemetry(1000)), to_channel(), where("seq < 500")),
        named("b", file_source(telemetry(1000)), to_channel(), where("seq >= 500")),
        named("out", from_channel(), to_sqlite(agent)))
    agent.start()
    assert agent.wait() == 0, agent.log
    assert sorted(rows(agent)) == list(range(1000))


def mqtt_source(mosquitto, **options):
    return {"type": "mqtt", "url": mosquitto.url, "topics": ["in/#"], "qos": 1, "format": "json",
            "clientId": "fan-out", **options}


def test_a_dead_sink_spools_for_itself_and_slows_nobody(agent, mosquitto, collector):
    agent.configure(
        named("in", mqtt_source(mosquitto), to_channel()),
        named("local", from_channel(), to_sqlite(agent)),
        named("cloud", from_channel(), http_sink(collector),
              delivery=quick_retry(maxAckHold="300ms")))
    collector.down()
    agent.start()
    mosquitto.wait_log("Sending SUBACK")
    count = 4000  # more than the broker keeps for one who does not acknowledge
    for first in range(0, count, 500):
        mosquitto.publish_lines("in/x", [json.dumps({"seq": n}) for n in range(first, first + 500)])
        wait_for(lambda first=first: len(rows(agent)) >= first + 500, 30,
                 lambda: f"{len(rows(agent))} rows")
    expect_each_once(rows(agent), count)
    agent.kill()
    agent.start()
    collector.up()
    wait_for(lambda: set(seqs(collector)) == set(range(count)), 60,
             lambda: f"{len(set(seqs(collector)))} of {count}")
    agent.terminate()
    assert agent.wait() == 0
    assert set(rows(agent)) == set(range(count))


def test_kills_lose_nothing_on_either_side(agent, collector, telemetry):
    count = 60_000
    agent.configure(
        named("in", file_source(telemetry(count)), to_channel()),
        named("local", from_channel(), to_sqlite(agent)),
        named("cloud", from_channel(), http_sink(collector, records=500)), workers=4)
    for share in (5, 2):
        agent.start()
        wait_for(lambda share=share: len(set(seqs(collector))) > count // share // 2 or not agent.running())
        agent.kill()
    agent.start()
    assert agent.wait() == 0, agent.log
    assert set(rows(agent)) == set(range(count))
    assert set(seqs(collector)) == set(range(count))


def grow(path, first, end):
    with open(path, "a", encoding="utf8") as file:
        file.write("".join(json.dumps({"seq": n}) + "\n" for n in range(first, end)))


def test_subscribers_come_change_and_go_while_records_flow(agent, collector):
    path = agent.folder / "growing.jsonl"
    path.touch()
    out = agent.folder / "late.jsonl"
    producer = named("in", file_source(path, follow=True), to_channel())
    local = named("local", from_channel(), to_sqlite(agent))
    cloud = named("cloud", from_channel(), http_sink(collector))
    late = named("late", from_channel(), {"type": "file", "path": str(out), "format": "ndjson",
                                          "batch": {"linger": "20ms"}})

    def reload(*pipelines):
        agent.configure(*pipelines)
        agent.send(signal.SIGHUP)
        reload.times += 1
        wait_for(lambda: len(agent.log_lines("configuration taken over")) == reload.times)
    reload.times = 0

    agent.configure(producer, local, cloud)
    agent.start()
    grow(path, 0, 1000)
    wait_for(lambda: len(rows(agent)) >= 1000)
    reload(producer, local, cloud, late)
    grow(path, 1000, 2000)
    reload(producer, local, {**cloud, "sink": http_sink(collector, records=77)}, late)
    grow(path, 2000, 3000)
    wait_for(lambda: len(seqs(collector)) >= 3000, 30, lambda: len(seqs(collector)))
    reload(producer, local, late)
    grow(path, 3000, 4000)
    wait_for(lambda: len(rows(agent)) >= 4000, 30, lambda: len(rows(agent)))
    agent.terminate()
    assert agent.wait() == 0, agent.log
    expect_each_once(rows(agent), 4000)
    assert set(seqs(collector)) >= set(range(3000))
    assert set(lines_of(out)) >= set(range(1000, 4000))


def test_a_paused_subscriber_gets_what_came_meanwhile(agent, collector):
    path = agent.folder / "growing.jsonl"
    path.touch()
    agent.configure(
        named("in", file_source(path, follow=True), to_channel()),
        named("local", from_channel(), to_sqlite(agent)),
        named("cloud", from_channel(), http_sink(collector)))
    agent.start()
    grow(path, 0, 100)
    wait_for(lambda: len(seqs(collector)) == 100)
    assert agent.command("pause", "cloud", "-c", str(agent.config_path)).returncode == 0
    agent.wait_log(" cloud: done: ")
    grow(path, 100, 200)
    wait_for(lambda: len(rows(agent)) == 200)
    assert len(seqs(collector)) == 100
    assert agent.command("resume", "cloud", "-c", str(agent.config_path)).returncode == 0
    wait_for(lambda: len(seqs(collector)) == 200)
    agent.terminate()
    assert agent.wait() == 0
    expect_each_once(seqs(collector), 200)
    expect_each_once(rows(agent), 200)


def test_what_is_on_its_way_is_delivered_at_the_end(agent, collector):
    """The producer is drained first, so its file is not read again."""
    path = agent.folder / "growing.jsonl"
    path.touch()
    agent.configure(
        named("in", file_source(path, follow=True), to_channel()),
        named("local", from_channel(), to_sqlite(agent)),
        named("cloud", from_channel(), http_sink(collector, records=10_000, linger="10s")))
    agent.start()
    grow(path, 0, 500)
    wait_for(lambda: len(rows(agent)) == 500)
    agent.terminate()
    assert agent.wait() == 0
    expect_each_once(seqs(collector), 500)
    agent.start()
    grow(path, 500, 600)
    wait_for(lambda: len(rows(agent)) == 600)
    agent.terminate()
    assert agent.wait() == 0
    expect_each_once(seqs(collector), 600)
    expect_each_once(rows(agent), 600)


def problems(agent, *pipelines):
    agent.configure(*pipelines)
    checked = agent.command("check", "-c", str(agent.config_path))
    assert checked.returncode == 2
    return checked.stderr


def test_check_names_the_end_that_a_channel_lacks(agent):
    said = problems(agent, named("in", {"type": "stdin"}, to_channel("raedings")),
                    named("out", from_channel("readings"), {"type": "stdout"}))
    assert 'pipelines[0].sink.name: must be a channel that is the source of another pipeline, ' \
        'found "raedings", did you mean "readings"?' in said
    assert 'pipelines[1].source.name: must be a channel that is the sink of another pipeline, ' \
        'found "readings", did you mean "raedings"?' in said


def test_check_shows_the_way_round_a_circle(agent):
    said = problems(agent, named("a", from_channel("x"), to_channel("y")),
                    named("b", from_channel("y"), to_channel("x")))
    assert 'pipelines[0].sink.name: leads back to where it begins: ' \
        'a → channel "y" → b → channel "x" → a' in said
    said = problems(agent, named("a", from_channel("x"), to_channel("x")))
    assert 'leads back to where it begins: a → channel "x" → a' in said


def test_explain_shows_what_a_channel_connects(agent):
    agent.configure(named("in", {"type": "stdin"}, to_channel()),
                    named("one", from_channel(), {"type": "stdout"}),
                    named("two", from_channel(), to_sqlite(agent)))
    said = agent.command("explain", "-c", str(agent.config_path)).stdout
    assert "channel c\n  from      in\n  to        one, two: records in memory" in said
    assert "stdin → decode json → channel" in said
    assert "channel → encode ndjson → stdout" in said
